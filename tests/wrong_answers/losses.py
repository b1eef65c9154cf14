"Plausible wrong answers to the exercises of chapter 03; every checker must refuse its own."

from conftest import changed

SOFTMAX = "from nnbook.activations import softmax\n"            # the page has it, and the tests' namespace has not

UNDO = """def undo_weights(p, weight):
    q = p / weight
    return q / q.sum(axis=-1, keepdims=True)
"""

QUANTILE = """def quantile_loss(input, target, q):
    r = input - target
    loss = np.maximum(-q * r, (1 - q) * r).mean()
    grad = np.where(r < 0, -q, np.where(r > 0, 1 - q, 0)) / r.size
    return loss, grad
"""

RUNNING = """def running_logsumexp(chunks):
    top, total = -np.inf, 0.0
    for z in chunks:
        new = max(top, z.max())
        if new == -np.inf: continue
        total = total * np.exp(top - new) + np.exp(z - new).sum()
        top = new
    return top + np.log(total) if total else -np.inf
"""

MIXTURE = """def mixture_nll(logits, mu, log_s, y):
    q = (y[:, None] - mu) / np.exp(log_s)
    parts = log_softmax(logits) - q**2 / 2 - log_s - np.log(2 * np.pi) / 2
    total = logsumexp(parts)
    share = np.exp(parts - total[:, None])
    return -total.mean(), -share * q / np.exp(log_s) / len(y)
"""

MASKED = """def masked_loss(z, y, keep):
    y, n = np.where(keep, y, 0), max(keep.sum(), 1)
    log_p = log_softmax(z)
    losses = -log_p[np.arange(len(y)), y]
    g = np.exp(log_p) - np.eye(z.shape[1])[y]
    return (losses * keep).sum() / n, g * keep[:, None] / n
"""

HUBER = """def huber_error(delta, x):
    low, high = x.min(axis=1, keepdims=True), x.max(axis=1, keepdims=True)
    for _ in range(50):
        c = (low + high) / 2
        too_high = np.clip(c - x, -delta, delta).sum(axis=1, keepdims=True) > 0
        low, high = np.where(too_high, low, c), np.where(too_high, c, high)
    return np.sqrt((c**2).mean())
"""


WRONG = {
    "losses.2": [
        "def undo_weights(p, weight): return p / weight",
        changed(UNDO, ("p / weight", "p * weight")),                                      # the weights once more
        changed(UNDO, ("q.sum(axis=-1, keepdims=True)", "q.sum()")),                      # one factor for the whole batch
        changed(UNDO, ("q.sum(axis=-1, keepdims=True)", "q.sum(axis=0)")),                # sums over the wrong axis
        "def undo_weights(p, weight):\n    p /= weight\n    p /= p.sum(axis=1, keepdims=True)\n    return p",
        changed(UNDO, ("p / weight", "p / weight.sum()")),
        changed(UNDO, ("p / weight", "p / np.maximum(weight, 1)")),                       # undoes only what was raised
    ],
    "losses.3": [
        changed(QUANTILE, ("np.maximum(-q * r, (1 - q) * r)", "np.maximum(q * r, (q - 1) * r)"), ("np.where(r < 0, -q, np.where(r > 0, 1 - q, 0))", "np.where(r > 0, q, q - 1)")),   # tilted the other way
        changed(QUANTILE, (" / r.size", "")),                                             # the gradient of the sum
        changed(QUANTILE, ("np.where(r > 0, 1 - q, 0)", "1 - q")),                        # a pull where there is no error
        changed(QUANTILE, (".mean()", ".sum()"), (" / r.size", "")),
        "def quantile_loss(input, target, q):\n    r = input - target\n    return q * np.abs(r).mean(), q * np.sign(r) / r.size",
        changed(QUANTILE, ("np.where(r < 0, -q, np.where(r > 0, 1 - q, 0))", "-np.where(r < 0, -q, np.where(r > 0, 1 - q, 0))")),   # the step, not the gradient
        changed(QUANTILE, ("r.size", "len(r)")),                                          # rows, not losses
        changed(QUANTILE, ("r = input - target", "input -= target\n    r = input")),      # overwrites its argument
        changed(QUANTILE, ("    r = input", "    q = 0.9\n    r = input")),                                # q frozen
        changed(QUANTILE, (".mean()", ".mean() * 2"), (" / r.size", " * 2 / r.size")),                    # twice the loss
        changed(QUANTILE, ("r < 0, -q, np.where(r > 0, 1 - q, 0)", "r < 0, -0.9, np.where(r > 0, 0.1, 0)")),   # the gradient of q = 0.9
        changed(QUANTILE, ("    r = input", "    q = max(q, 1 - q)\n    r = input")),                      # right for high quantiles only
    ],
    "losses.4": [
        "def running_logsumexp(chunks): return np.log(sum(np.exp(z).sum() for z in chunks))",
        "def running_logsumexp(chunks): return logsumexp(np.concatenate(list(chunks)))",                 # keeps everything
        "def running_logsumexp(chunks): return sum(logsumexp(z) for z in chunks)",
        changed(RUNNING, ("top, total = -np.inf, 0.0", "top, total = 0.0, 0.0")),                            # a top of 0 to begin with
        changed(RUNNING, ("        if new == -np.inf: continue\n", "")),                                     # -inf - -inf
        changed(RUNNING, ("total * np.exp(top - new)", "total")),                                            # the old sum does not shrink
        changed(RUNNING, ("np.exp(top - new)", "np.exp(new - top)")),                                        # it grows
        changed(RUNNING, ("        top = new\n", "        top = z.max()\n")),
        "def running_logsumexp(chunks): return logsumexp(np.concatenate([z.copy() for z in chunks]))",   # keeps copies of everything
        changed(RUNNING, ("top, total = -np.inf, 0.0", "top, total = -1e4, 0.0")),                           # a top that seems low enough
        "def running_logsumexp(chunks): return logsumexp(np.array([logsumexp(z) for z in chunks]))",     # keeps one number for every chunk
        changed(RUNNING, ("        new = max(top, z.max())\n        if new == -np.inf", "        new = max(top, z.max())\n        if not np.isfinite(z).all()")),   # skips chunks that are masked in part
    ],
    "losses.6": [
        changed(MIXTURE, ("logsumexp(parts)", "np.log(np.exp(parts).sum(axis=1))")),                         # underflows
        changed(MIXTURE, (" - log_s - np", " - np")),                                                        # narrow parts are denser
        changed(MIXTURE, (" - np.log(2 * np.pi) / 2", "")),                                                  # no constant
        changed(MIXTURE, ("log_softmax(logits)", "logits")),                                                 # weights that don't sum to 1
        changed(MIXTURE, ("log_softmax(logits)", "np.log(np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True))")),   # overflows
        changed(MIXTURE, ("log_softmax(logits)", "np.log(softmax(logits))"), ("def mix", SOFTMAX + "def mix")),                                # its weights underflow
        changed(MIXTURE, ("-share * q", "-q")),                                                              # each part pulled by all of the example
        changed(MIXTURE, ("-share * q / np.exp(log_s)", "-share * q")),                                      # the inner derivative forgotten
        changed(MIXTURE, ("-share * q", "share * q")),                                                       # the step, not the gradient
        changed(MIXTURE, (" / len(y)", "")),                                                                 # the gradient of the sum
        changed(MIXTURE, ("-total.mean()", "-(np.exp(log_softmax(logits)) * (parts - log_softmax(logits))).sum(axis=1).mean()")),   # the mean of the logs
        changed(MIXTURE, ("share = np.exp(parts - total[:, None])", "d = np.exp(parts); n = d.sum(axis=1, keepdims=True); share = np.where(n > 0, d / n, 1 / d.shape[1])"), ("-share", "-share")),   # equal shares where all underflow
        changed(MIXTURE, ("    q = (y[:, None] - mu) / np.exp(log_s)\n", "    mu -= y[:, None]; mu /= -np.exp(log_s)\n    q = mu\n")),                                   # overwrites mu
        changed(MIXTURE, ("    q =", "    log_s -= 0.1\n    q =")),                                          # overwrites log_s
        changed(MIXTURE, ("return -total.mean(), -share * q / np.exp(log_s) / len(y)", "return -share * q / np.exp(log_s) / len(y), -total.mean()")),                        # swapped
    ],
    "losses.7": [
        "def masked_loss(z, y, keep):\n    losses = -log_softmax(z)[np.arange(len(y)), y]\n    g = softmax(z) - np.eye(z.shape[1])[y]\n    return (losses * keep).mean(), g / len(y)".replace("softmax(z) -", "np.exp(log_softmax(z)) -"),   # as it was
        changed(MASKED, ("g * keep[:, None] / n", "g / n")),                                                 # padding still teaches
        changed(MASKED, ("g * keep[:, None] / n", "g * keep[:, None] / len(y)")),                            # half repaired
        changed(MASKED, ("(losses * keep).sum() / n", "(losses * keep).mean()")),                            # the other half
        changed(MASKED, ("max(keep.sum(), 1)", "keep.sum()")),                                               # 0 / 0
        changed(MASKED, ("np.where(keep, y, 0)", "y")),                                                      # looks up label -100
        "def masked_loss(z, y, keep):\n    real = keep.astype(bool)\n    return cross_entropy(z[real], y[real]), cross_entropy_grad(z[real], y[real])",   # too few rows
        "def masked_loss(z, y, keep):\n    z *= keep[:, None]\n    g = np.exp(log_softmax(z)) - np.eye(z.shape[1])[y]\n    n = max(keep.sum(), 1)\n"
        "    return (-log_softmax(z)[np.arange(len(y)), y] * keep).sum() / n, g * keep[:, None] / n",    # overwrites its argument
        changed(MASKED, ("    log_p =", "    keep = keep * (y > 0)\n    log_p =")),                           # throws away real words of class 0
        changed(MASKED, ("    log_p =", "    keep = y > 0\n    log_p =")),                                    # takes label 0 for padding
        changed(MASKED, ("return (losses * keep).sum() / n, g * keep[:, None] / n", "g[keep.sum():] = 0\n    return (losses * keep).sum() / n, g / n")),   # masks by position
        changed(MASKED, ("y, n = np.where(keep, y, 0), max(keep.sum(), 1)", "n = max(keep.sum(), 1)\n    y[y < 0] = 0")),                                  # overwrites the labels
        changed(MASKED, ("y, n = np.where(keep, y, 0), max(keep.sum(), 1)", "n = max(keep.sum(), 1)\n    y[keep == 0] = 0")),
        changed(MASKED, ("log_p = log_softmax(z)", "log_p = np.log(np.exp(z) / np.exp(z).sum(axis=1, keepdims=True))")),                                     # overflows
        changed(MASKED, ("log_p = log_softmax(z)", "log_p = np.log(softmax(z))"), ("def mask", SOFTMAX + "def mask")),                           # its probabilities underflow
        "def masked_loss(z, y, keep):\n    y = np.where(keep, y, -100)\n    return cross_entropy(z, y), cross_entropy_grad(z, y)",                          # no mean over no words
    ],
    "losses.8": [
        "def huber_error(delta, x):\n    c = np.median(x, axis=1, keepdims=True)\n    for _ in range(15): c = c - np.clip(c - x, -delta, delta).mean(axis=1, keepdims=True)\n    return np.sqrt((c**2).mean())",   # the chapter's fifteen steps
        "def huber_error(delta, x): return np.sqrt((np.median(x, axis=1)**2).mean())",                   # delta forgotten
        changed(HUBER, ("np.clip(c - x, -delta, delta)", "np.clip(c - x, -1, 1)")),
        changed(HUBER, ("np.sqrt((c**2).mean())", "(c**2).mean()")),                                         # no root
        changed(HUBER, ("np.sqrt((c**2).mean())", "np.abs(c).mean()")),                                      # another average
        "def huber_error(delta, x): return np.sqrt((np.clip(x, -delta, delta).mean(axis=1)**2).mean())", # clips the data, not the residuals
        "def huber_error(delta, x):\n    c = np.median(x, axis=1, keepdims=True)\n    for _ in range(5): c = c - 0.1 * np.clip(c - x, -delta, delta).mean(axis=1, keepdims=True)\n    return np.sqrt((c**2).mean())",   # stops too early
        "def huber_error(delta, x):\n    near = np.abs(x - np.median(x, axis=1, keepdims=True)) <= delta\n    return np.sqrt((((x * near).sum(axis=1) / near.sum(axis=1))**2).mean())",   # throws the far ones away
        changed(HUBER, ("np.sqrt((c**2).mean())", "c.std()")),                                               # about their own mean
        "def huber_error(delta, x): return np.sqrt(huber(x, 0 * x, delta=delta))",                       # the loss, not the error of the constant
    ],
}
