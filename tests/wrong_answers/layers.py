"Plausible wrong answers to the exercises of the chapter on layers; every checker must refuse its own."

AROUND = "class Around(Module):\n    def __init__(self, layer, scale=0.1): self.scale = scale; {init}\n    def forward(self, x): {forward}"
MERGE = """def merge(linear, norm):
    scale = norm.weight.data / {std}
    bias = {bias}
    merged = Linear(linear.weight.shape[1], linear.weight.shape[0])
    merged.weight.data[...] = {weight}
    merged.bias.data[...] = {rest}
    return merged"""
RIGHT = {"std": "np.sqrt(norm.running_var + norm.eps)", "bias": "0 if linear.bias is None else linear.bias.data",
         "weight": "scale[:, None] * linear.weight.data", "rest": "scale * (bias - norm.running_mean) + norm.bias.data"}
SHOWN = """def merge(linear, norm):
    scale = norm.weight.data / (norm.running_var + norm.eps)
    merged = Linear(linear.weight.shape[1], linear.weight.shape[0])
    merged.weight.data[...] = scale[:, None] * linear.weight.data
    merged.bias.data[...] = linear.bias.data - scale * norm.running_mean + norm.bias.data
    return merged"""
EQUALIZE = """def equalize(model, x):
    def scale(layer, inputs, output):
        {body}
    hooks = [layer.register_forward_hook(scale) for layer in model.modules() if isinstance(layer, Linear)]
    model(x)
    {after}"""
REMOVE = "[hook.remove() for hook in hooks]"

DEEP = """from nnbook.autograd import Tensor, relu
class Deep:
    def __init__(self, sizes, seed):
        rng, self.layers = np.random.default_rng(seed), []
        for n_in, n_out in zip(sizes[:-1], sizes[1:]):
            {draw}
            weight = rng.normal(0, {std}, (n_out, n_in)).astype(np.float32)
            self.layers.append((Tensor(weight, requires_grad=True), Tensor(np.zeros(n_out, np.float32), requires_grad={bias})))

    def parameters(self):
        return {parameters}

    def __call__(self, x):
        for i, (weight, bias) in enumerate(self.layers):
            x = {step}
        return {end}
"""
ALIVE = {"draw": "", "std": "(2 / n_in)**0.5", "bias": "True", "parameters": "[p for layer in self.layers for p in layer]", "step": "(relu(x) if i else x) @ weight.T + bias", "end": "x"}

WRONG = {
    "layers.1": [
        "def kept(depth): return (1 / 3)**depth",                       # forgets the ReLU
        "def kept(depth): return 6.0**(-depth / 2)",                    # the size, not its square
        "def kept(depth): return 0.5**depth",                           # Glorot's
        "def kept(depth): return 1 / 6 * depth",
        "def kept(depth): return 1.0",                                  # believes the name kaiming
        "def kept(depth): return 0.1662**depth",                        # a simulation
        "def kept(depth): return 2 * (1 / 6)**depth if depth else 1.0",  # in front of the last ReLU
        "def kept(depth): return (1 / 6)**depth * (1 if depth < 2 else 2)",
    ],
    "layers.2": [
        "def gradient_factor(widths): return widths[-1] / widths[0]",   # one layer too many
        "def gradient_factor(widths): return widths[1] / widths[-1]",   # upside down
        "def gradient_factor(widths): return 1.0",
        "def gradient_factor(widths): return widths[-1] / widths[1] / 2**(len(widths) - 2)",
        "def gradient_factor(widths): return widths[-2] / widths[1]",   # one layer too few
        "def gradient_factor(widths): return float(np.prod([b / a for a, b in zip(widths, widths[1:])]))",
        "def gradient_factor(widths): return float(np.prod([2 * b / a for a, b in zip(widths[1:], widths[2:])]))",   # forgets the ReLU's slopes
        "def gradient_factor(widths):\n    widths.pop(0)\n    return widths[-1] / widths[0]",        # changes the list
    ],
    "layers.3": [
        AROUND.format(init="self.layer = layer", forward="return self.layer(x)"),
        AROUND.format(init="self.layers = [layer]", forward="return x + self.scale * self.layers[0](x)"),
        AROUND.format(init="self.f = layer.forward", forward="return x + self.scale * self.f(x)"),
        AROUND.format(init="self.layer = layer", forward="return x + self.scale * self.layer(x).detach()"),
        AROUND.format(init="self.layer = layer", forward="return self.scale * (x + self.layer(x))"),
        "class Around:\n    def __init__(self, layer, scale): self.layer, self.scale = layer, scale\n    def __call__(self, x): return x + self.scale * self.layer(x)",
        AROUND.format(init="self.layer, self.scale = layer, Parameter(scale)", forward="return x + self.layer(x) * self.scale"),
        AROUND.format(init="self.layer = layer", forward="return x + self.layer(x)"),
        AROUND.format(init="self.layer = layer", forward="x + self.scale * self.layer(x)"),                   # no return
        AROUND.format(init="self.layer = layer", forward="return x + self.scale * self.layer(x).data"),
        AROUND.format(init="self.layer = layer", forward="x0 = x if isinstance(x, np.ndarray) else x.data; return x0 + self.scale * self.layer(x)"),  # no gradient by the way around
        AROUND.format(init="self.layer = layer", forward="from nnbook.autograd import Tensor; y = x + self.scale * self.layer(x); return Tensor(y.data) if isinstance(x, Tensor) else y"),
        AROUND.format(init="self.layer = layer", forward="y = x if isinstance(x, np.ndarray) else x.detach(); return y + self.scale * self.layer(x)"),
        AROUND.format(init="self.layer = layer", forward="x += self.scale * self.layer(x); return x"),      # into the reader's array
    ],
    "layers.4": [
        SHOWN,                                                                                       # as it stands on the page
        SHOWN.replace("norm.running_var + norm.eps", "np.sqrt(norm.running_var + norm.eps)"),        # one fault of two
        SHOWN.replace("linear.bias.data - scale * norm.running_mean", "scale * (linear.bias.data - norm.running_mean)"),      # the other
        MERGE.format(**RIGHT | {"std": "np.sqrt(norm.running_var)"}),
        MERGE.format(**RIGHT | {"std": "(norm.running_var + norm.eps)"}),
        MERGE.format(**RIGHT | {"bias": "linear.bias.data"}),                                        # crashes on bias=False
        MERGE.format(**RIGHT | {"weight": "linear.weight.data"}),
        MERGE.format(**RIGHT | {"weight": "scale * linear.weight.data"}),
        MERGE.format(**RIGHT | {"rest": "bias - scale * norm.running_mean + norm.bias.data"}),
        MERGE.format(**RIGHT | {"rest": "scale * (bias - norm.running_mean)"}),
        MERGE.format(**RIGHT | {"rest": "scale * (bias - norm.running_mean + norm.bias.data)"}),
        "def merge(linear, norm):\n    scale = norm.weight.data / np.sqrt(norm.running_var + norm.eps)\n    linear.weight.data *= scale[:, None]\n"
        "    b = Parameter(np.zeros(len(scale))) if linear.bias is None else linear.bias\n    b.data[...] = scale * (b.data - norm.running_mean) + norm.bias.data\n    linear.bias = b\n    return linear",
        "def merge(linear, norm): return Sequential(linear, norm)",
        MERGE.format(**RIGHT).replace("    scale =", "    norm.eval()\n    scale =", 1),                # and leaves it there
    ],
    "layers.5": [
        EQUALIZE.format(body="layer.weight.data /= np.sqrt(np.mean(output.data**2))", after=REMOVE),                                  # all at once
        EQUALIZE.format(body="layer.weight.data /= np.mean(output.data**2)\n        return output / float(np.mean(output.data**2))", after=REMOVE),
        EQUALIZE.format(body="s = np.sqrt(np.mean(output.data**2)); layer.weight.data /= s; return output / float(s)", after="pass"),   # hooks stay
        EQUALIZE.format(body="s = np.sqrt(np.mean(output.data**2, axis=0)); layer.weight.data /= s[:, None]; return output / s", after=REMOVE),
        EQUALIZE.format(body="s = np.mean(output.data**2); layer.weight.data /= s; return output / float(s)", after=REMOVE),              # no root
        EQUALIZE.format(body="s = np.std(output.data); layer.weight.data /= s; return output / float(s)", after=REMOVE),                  # about the mean
        EQUALIZE.format(body="s = -np.sqrt(np.mean(output.data**2)); layer.weight.data /= s; return output / float(s)", after=REMOVE),
        "def equalize(model, x):\n    for layer in model:\n        if isinstance(layer, Linear): kaiming_normal_(layer.weight, rng=0)",
        "def equalize(model, x):\n    for layer in model:\n        x = layer(x)\n        if isinstance(layer, Linear): layer.weight.data /= np.sqrt(np.mean(x.data**2))",
    ],
    "layers.6": [
        DEEP.format(**ALIVE | {"std": "(1 / n_in)**0.5"}),                                           # Glorot's: shrinks by half in each layer
        DEEP.format(**ALIVE | {"std": "(2 / n_in)"}),
        DEEP.format(**ALIVE | {"std": "0.01"}),
        DEEP.format(**ALIVE | {"std": "1.0"}),                                                       # explodes
        DEEP.format(**ALIVE | {"draw": "rng = np.random.default_rng(seed)"}),                        # every layer from the same draws
        DEEP.format(**ALIVE | {"draw": "rng = np.random.default_rng()"}),                            # no seed
        DEEP.format(**ALIVE | {"draw": "rng = np.random.default_rng(0)"}),
        DEEP.format(**ALIVE | {"step": "relu(x @ weight.T + bias)"}),                                # a ReLU behind the logits
        DEEP.format(**ALIVE | {"step": "x @ weight.T + bias"}),                                      # no nonlinearity
        DEEP.format(**ALIVE | {"step": "(relu(x) if i else x) @ weight.T"}),                         # biases unused
        DEEP.format(**ALIVE | {"bias": "False"}),
        DEEP.format(**ALIVE | {"parameters": "[weight for weight, _ in self.layers]"}),
        DEEP.format(**ALIVE | {"parameters": "[p for layer in self.layers[1:] for p in layer]"}),
        DEEP.format(**ALIVE | {"step": "(relu(x).detach() if i else x) @ weight.T + bias"}),         # the tape is cut
        "class Deep:\n    def __init__(self, sizes, seed): self.net = MLP(*sizes, rng=seed)\n    def parameters(self): return self.net.parameters()\n    def __call__(self, x): return self.net(x)",
        "def build(sizes, seed): return MLP(*sizes, rng=seed)\nclass Deep:\n    def __init__(self, sizes, seed): self.net = build(sizes, seed)\n    def parameters(self): return self.net.parameters()\n    def __call__(self, x): return self.net(x)",
        DEEP.format(**ALIVE).replace("np.zeros(n_out, np.float32)", "np.full(n_out, 0.1, np.float32)"),
    ],
}
