"Plausible wrong answers to the exercises of the chapter on convolution; every checker must refuse its own."

NEEDED = """def layers_needed(size, stride=1):
    seen, step, layers = 1, 1, 0
    while seen {until} size:
        {grow}
    return layers"""
RIGHT = "seen, step, layers = seen + 2 * step, step * stride, layers + 1"

CONV = """def conv(x, weight, stride=1, padding=0):
    {pad}
    kh, kw = weight.shape[2:]
    H, W = (x.shape[2] - kh) // stride + 1, (x.shape[3] - kw) // stride + 1
    y = np.zeros((len(x), len(weight), H, W){dtype})
    for n in range(len(x)):
        for o in range(len(weight)):
            for i in range(H):
                for j in range(W):
                    y[n, o, i, j] = {value}
    return {end}"""
FINE = {"pad": "x = np.pad(x, [(0, 0), (0, 0), (padding, padding), (padding, padding)])", "dtype": "", "end": "y",
        "value": "(weight[o] * x[n, :, i * stride : i * stride + kh, j * stride : j * stride + kw]).sum()"}

WINDOWS = """def windows(x, kh, kw, stride=1):
    rows = np.arange(0, x.shape[2] - kh + 1, stride)[:, None] + np.arange(kh)
    columns = np.arange(0, x.shape[3] - kw + 1, stride)[:, None] + np.arange(kw)
    return x[:, :, rows[:, None, :, None], columns[:, None]]"""
PAGE = """def conv(x, weight, stride=1, padding=0):
    x = np.pad(x, [(0, 0), (0, 0), (padding, padding), (padding, padding)])
    return np.einsum("ncijab,ocab->noij", {windows}(x, *weight.shape[2:], stride), weight)"""

GRADIENTS = """def gradients(image, kernel, g, stride):
    (H, W), (kh, kw) = image.shape, kernel.shape
    {full}
    def convolve(x, w):
        y = np.zeros((x.shape[0] - w.shape[0] + 1, x.shape[1] - w.shape[1] + 1))
        for i, j in np.ndindex(*y.shape):
            y[i, j] = (w * x[i : i + w.shape[0], j : j + w.shape[1]]).sum()
        return y
    wide = np.pad(full, {width})
    return {result}"""
SPREAD = "full = np.zeros((H - kh + 1, W - kw + 1)); full[::stride, ::stride] = g"
BACK = {"full": SPREAD, "width": "[(kh - 1, kh - 1), (kw - 1, kw - 1)]", "result": "convolve(wide, kernel[::-1, ::-1]), convolve(image, full)"}

ACCURACY = """def accuracy(model, x, y, batch=100):
    modes = [(module, module.training) for module in model.modules()]
    {before}
    {shares}
    {after}
    return {value}"""
RESTORE = "for module, training in modes: module.training = training"
COUNTED = "right = sum(int((model(x[i : i + batch]).data.argmax(axis=1) == y[i : i + batch]).sum()) for i in range(0, len(x), batch))"
MEANS = "shares = [(model(x[i : i + batch]).data.argmax(axis=1) == y[i : i + batch]).mean() for i in range(0, len(x), batch)]"

BLUR = """def blur_pool(x):
    under = lambda x, k, s=1: np.lib.stride_tricks.sliding_window_view(x, (k, k), axis=(2, 3))[:, :, ::s, ::s]
    weights = np.outer([1, 2, 1], [1, 2, 1]) / 16
    {body}"""

WRONG = {
    "cnn.1": [
        NEEDED.format(until="<=", grow=RIGHT),                                                     # exactly `size` is enough
        NEEDED.format(until="<", grow="seen, step, layers = seen + 3 * step, step * stride, layers + 1"),
        NEEDED.format(until="<", grow="seen, step, layers = seen + 2 * step * stride, step * stride, layers + 1"),   # the step a layer too early
        NEEDED.format(until="<", grow="seen, step, layers = seen + 2 * stride, step, layers + 1"),  # steps don't multiply
        NEEDED.format(until="<", grow="seen, step, layers = seen + 2 * step, step + stride - 1, layers + 1"),
        "def layers_needed(size, stride=1): return -(-(size - 1) // 2)",                           # ignores the stride
        "def layers_needed(size, stride=1): return size // 2",
        "def layers_needed(size, stride=1): return max(1, -(-(size - 1) // (2 * stride)))",
        "def layers_needed(size, stride=1): return int(np.ceil(np.log2(size))) if stride == 2 else -(-(size - 1) // 2)",
    ],
    "cnn.2": [
        CONV.format(**FINE | {"value": "(weight[o, :, ::-1, ::-1] * x[n, :, i * stride : i * stride + kh, j * stride : j * stride + kw]).sum()"}),   # turned
        CONV.format(**FINE | {"value": "(weight[o, 0] * x[n, 0, i * stride : i * stride + kh, j * stride : j * stride + kw]).sum()"}),     # one input channel
        CONV.format(**FINE | {"value": "(weight[o] * x[n, :, i : i + kh, j : j + kw]).sum()"}),                                         # forgets the stride
        CONV.format(**FINE | {"value": "(weight[o] * x[n, :, i * stride : i * stride + kw, j * stride : j * stride + kh]).sum()"}),      # axes of the kernel
        CONV.format(**FINE | {"value": "(weight[o] * x[n, :, i * stride : i * stride + kh, j * stride : j * stride + kw]).mean()"}),
        CONV.format(**FINE | {"pad": "pass"}),
        CONV.format(**FINE | {"pad": "x = np.pad(x, padding)"}),                                    # batch and channels, too
        CONV.format(**FINE | {"pad": "x = np.pad(x, [(0, 0), (0, 0), (padding, padding), (padding, padding)], mode='edge')"}),
        CONV.format(**FINE | {"dtype": ", x.dtype"}),                                              # eight bits overflow
        CONV.format(**FINE | {"end": "y.transpose(0, 2, 3, 1).reshape(y.shape)"}),                  # a reshape in place of a transpose
        CONV.format(**FINE | {"end": "y.transpose(0, 2, 3, 1)"}),                                   # channels last
        CONV.format(**FINE).replace("(x.shape[3] - kw) // stride + 1", "-(-(x.shape[3] - kw) // stride) + 1"),   # rounds up
        CONV.format(**FINE).replace("stride + 1", "stride"),                                       # one place too few
        CONV.format(**FINE).replace("    return y", "    y"),
        CONV.format(**FINE | {"pad": "x *= 1.0; x += 0 * weight.sum() + 1; x -= 1; x[..., 0] = 0"}),  # writes into the picture
        *(define + "\n" + PAGE.format(windows=name) for define, name in ((WINDOWS, "windows"), (WINDOWS + "\nmine = windows\ndef helper(*args): return mine(*args)", "helper"),
                                                                         (WINDOWS + "\ndef helper(*args): return windows(*args)", "helper"))),                # the page's windows
        "from nnbook.cnn import conv2d\ndef helper(*args): return conv2d(*args).data\ndef conv(x, weight, stride=1, padding=0): return helper(x, weight, None, stride, padding)",
        "import nnbook.cnn as ready\ndef conv(x, weight, stride=1, padding=0): return ready.conv2d(x, weight, None, stride, padding).data",
        "def conv(x, weight, stride=1, padding=0):\n    from nnbook.cnn import conv2d as ready\n    return ready(x, weight, None, stride, padding).data",
        "from functools import partial\nfrom nnbook.cnn import conv2d\nconv = partial(conv2d, plain=True)",
        "from nnbook.cnn import conv2d\ndef made(f): return lambda x, weight, stride=1, padding=0: f(x, weight, None, stride, padding).data\nconv = made(conv2d)",
        "from nnbook.cnn import conv2d\ndef conv(x, weight, stride=1, padding=0): return conv2d(x, weight, None, stride, padding).data",
    ],
    "cnn.3": [
        GRADIENTS.format(**BACK | {"result": "(convolve(wide, kernel[::-1, ::-1]), convolve(image, full), g.fill(0))[:2]"}),       # writes into g
        GRADIENTS.format(**BACK | {"result": "(convolve(wide, kernel[::-1, ::-1]), convolve(image, full), image.fill(0))[:2]"}),   # into the image
        GRADIENTS.format(**BACK | {"result": "(convolve(wide, kernel[::-1, ::-1]), convolve(image, full), kernel.fill(0))[:2]"}),
        GRADIENTS.format(**BACK | {"result": "convolve(wide, kernel), convolve(image, full)"}),                      # not turned
        GRADIENTS.format(**BACK | {"result": "convolve(wide, kernel[::-1, ::-1]), convolve(image, full)[::-1, ::-1]"}),
        GRADIENTS.format(**BACK | {"result": "convolve(image, full), convolve(wide, kernel[::-1, ::-1])"}),           # the other order
        GRADIENTS.format(**BACK | {"full": "full = g"}),                                                             # the page's lines
        GRADIENTS.format(**BACK | {"full": "full = np.zeros((stride * (g.shape[0] - 1) + 1, stride * (g.shape[1] - 1) + 1)); full[::stride, ::stride] = g"}),   # forgets the rows left over
        GRADIENTS.format(**BACK | {"full": "full = np.repeat(np.repeat(g, stride, 0), stride, 1)[: H - kh + 1, : W - kw + 1]"}),                              # copies in place of zeros
        GRADIENTS.format(**BACK | {"width": "[(kw - 1, kw - 1), (kh - 1, kh - 1)]"}),
        GRADIENTS.format(**BACK | {"result": "convolve(wide, kernel[::-1, ::-1])"}),
        GRADIENTS.format(**BACK | {"result": "convolve(wide, kernel.T), convolve(image, full)"}),
        GRADIENTS.format(**BACK | {"result": "convolve(wide, kernel[::-1, ::-1]) / stride**2, convolve(image, full)"}),
    ],
    "cnn.4": [
        ACCURACY.format(before="model.eval()", shares=COUNTED, after=RESTORE, value="round(right / len(x), 3)"),
        ACCURACY.format(before="pass", shares=MEANS, after="pass", value="np.mean(shares)"),                          # the one shown
        ACCURACY.format(before="pass", shares=COUNTED, after="pass", value="right / len(x)"),
        ACCURACY.format(before="model.eval()", shares=COUNTED, after="pass", value="right / len(x)"),                 # stays in eval
        ACCURACY.format(before="model.eval()", shares=COUNTED, after="model.train()", value="right / len(x)"),        # wakes all up
        ACCURACY.format(before="mode = model.training; model.eval()", shares=COUNTED, after="model.train(mode)", value="right / len(x)"),   # a frozen part wakes up
        ACCURACY.format(before="model.eval()", shares=MEANS, after=RESTORE, value="np.mean(shares)"),                 # a small last batch
        ACCURACY.format(before="model.eval()", shares=COUNTED, after=RESTORE, value="100 * right / len(x)"),
        ACCURACY.format(before="model.eval()", shares="right = (model(x).data.argmax(axis=1) == y).sum()", after=RESTORE, value="right / len(x)"),   # all at once
        ACCURACY.format(before="model.eval()", shares=COUNTED.replace("range(0, len(x), batch)", "range(0, len(x) - batch + 1, batch)"), after=RESTORE, value="right / (len(x) // batch * batch)"),
        ACCURACY.format(before="state = model.state_dict()", shares=COUNTED, after="model.load_state_dict(state)", value="right / len(x)"),   # puts the averages back, predicts in training
    ],
    "cnn.5": [
        BLUR.format(body="y = (under(under(x, 2).max(axis=(4, 5)), 3, 2) * weights).sum(axis=(4, 5)); x[...] = 0; return y"),   # writes into x
        BLUR.format(body="return under(x, 2, 2).max(axis=(4, 5))"),
        BLUR.format(body="return (under(under(x, 2, 2).max(axis=(4, 5)), 3) * weights).sum(axis=(4, 5))"),             # the stride comes first
        BLUR.format(body="return (under(under(x, 2).max(axis=(4, 5)), 3) * weights).sum(axis=(4, 5))"),                # no stride
        BLUR.format(body="return (under(under(x, 2, 2).max(axis=(4, 5)), 3, 2) * weights).sum(axis=(4, 5))"),          # twice
        BLUR.format(body="return (under(under(x, 2).max(axis=(4, 5)), 3, 2) * weights).mean(axis=(4, 5))"),
        BLUR.format(body="return 16 * (under(under(x, 2).max(axis=(4, 5)), 3, 2) * weights).sum(axis=(4, 5))"),
        BLUR.format(body="return under(under(x, 2).max(axis=(4, 5)), 3, 2).mean(axis=(4, 5))"),
        BLUR.format(body="return (under(under(x, 2).mean(axis=(4, 5)), 3, 2) * weights).sum(axis=(4, 5))"),            # averages
        BLUR.format(body="return under((under(x, 3) * weights).sum(axis=(4, 5)), 2, 2).max(axis=(4, 5))"),             # the blur first
        BLUR.format(body="(under(under(x, 2).max(axis=(4, 5)), 3, 2) * weights).sum(axis=(4, 5))"),
    ],
}
