"Plausible wrong answers to the exercises of chapter 03; every checker must refuse its own."

WRONG = {
    "losses.1": [
        "def blind_loss(labels, n_classes): return np.log(n_classes)",
        "def blind_loss(labels, n_classes):\n    f = np.bincount(labels, minlength=n_classes) / len(labels)\n    return -(f * np.log(f)).sum()",
        "def blind_loss(labels, n_classes):\n    f = np.bincount(labels, minlength=n_classes) / len(labels)\n    return entropy(f) / np.log(2)",
        "def blind_loss(labels, n_classes):\n    f = np.bincount(labels, minlength=n_classes) / len(labels)\n    return -np.log(f.max())",
        "def blind_loss(labels, n_classes):\n    f = np.bincount(labels, minlength=n_classes) / len(labels)\n    return -(f * np.log(f + 1e-3)).sum()",
    ],
    "losses.2": [
        "def undo_weights(p, weight): return p / weight",
        "def undo_weights(p, weight):\n    q = p * weight\n    return q / q.sum(axis=1, keepdims=True)",
        "def undo_weights(p, weight):\n    q = p / weight\n    return q / q.sum()",
        "def undo_weights(p, weight):\n    p /= weight\n    p /= p.sum(axis=1, keepdims=True)\n    return p",
        "def undo_weights(p, weight):\n    q = p / weight\n    return q / q.sum(axis=0)",
    ],
    "losses.3": [
        "def quantile_loss(input, target, q):\n    r = input - target\n    return np.maximum(q * r, (q - 1) * r).mean(), np.where(r > 0, q, q - 1) / r.size",
        "def quantile_loss(input, target, q):\n    r = input - target\n    return np.maximum(-q * r, (1 - q) * r).mean(), np.where(r < 0, -q, 1 - q)",
        "def quantile_loss(input, target, q):\n    r = input - target\n    return np.maximum(-q * r, (1 - q) * r).mean(), np.where(r < 0, -q, 1 - q) / r.size",
        "def quantile_loss(input, target, q):\n    r = input - target\n    return np.maximum(-q * r, (1 - q) * r).sum(), np.where(r < 0, -q, np.where(r > 0, 1 - q, 0))",
        "def quantile_loss(input, target, q):\n    r = input - target\n    return q * np.abs(r).mean(), q * np.sign(r) / r.size",
    ],
    "losses.4": [
        "def running_logsumexp(chunks): return np.log(sum(np.exp(z).sum() for z in chunks))",
        "def running_logsumexp(chunks):\n    z = np.concatenate(list(chunks))\n    m = z.max()\n    return m + np.log(np.exp(z - m).sum())",
        "def running_logsumexp(chunks):\n    top, total = 0.0, 0.0\n    for z in chunks:\n        new = max(top, z.max())\n        total = total * np.exp(top - new) + np.exp(z - new).sum()\n        top = new\n    return top + np.log(total)",
        "def running_logsumexp(chunks):\n    top, total = -np.inf, 0.0\n    for z in chunks:\n        new = max(top, z.max())\n        total = total * np.exp(top - new) + np.exp(z - new).sum()\n        top = new\n    return top + np.log(total)",
        "def running_logsumexp(chunks):\n    top, total = -np.inf, 0.0\n    for z in chunks:\n        top = max(top, z.max())\n        total += np.exp(z - top).sum()\n    return top + np.log(total)",
        "def running_logsumexp(chunks): return sum(logsumexp(z) for z in chunks)",
        "def running_logsumexp(chunks): return logsumexp(np.concatenate(list(chunks)))",
    ],
    "losses.5": [
        # the label among its own rivals
        "def multiclass_hinge(scores, labels):\n    i = np.arange(len(labels)); k = scores.argmax(axis=1)\n    loss = np.maximum(0, 1 + scores[i, k] - scores[i, labels])\n    g = np.zeros(scores.shape); g[i, k] += loss > 0; g[i, labels] -= loss > 0\n    return loss.mean(), g / len(labels)",
        # the sum over rivals (Weston & Watkins) instead of the best
        "def multiclass_hinge(scores, labels):\n    i = np.arange(len(labels))\n    m = np.maximum(0, 1 + scores - scores[i, labels][:, None]); m[i, labels] = 0\n    g = (m > 0).astype(float); g[i, labels] = -g.sum(axis=1)\n    return m.sum(axis=1).mean(), g / len(labels)",
        # the argument overwritten
        "def multiclass_hinge(scores, labels):\n    i = np.arange(len(labels)); right = scores[i, labels].copy(); scores[i, labels] = -np.inf\n    k = scores.argmax(axis=1); loss = np.maximum(0, 1 + scores[i, k] - right)\n    g = np.zeros(scores.shape); g[i, k] += loss > 0; g[i, labels] -= loss > 0\n    return loss.mean(), g / len(labels)",
        # the gradient of the sum
        "def multiclass_hinge(scores, labels):\n    i = np.arange(len(labels)); o = scores.copy(); o[i, labels] = -np.inf; k = o.argmax(axis=1)\n    loss = np.maximum(0, 1 + scores[i, k] - scores[i, labels])\n    g = np.zeros(scores.shape); g[i, k] += loss > 0; g[i, labels] -= loss > 0\n    return loss.mean(), g",
        # pushes even beyond the margin
        "def multiclass_hinge(scores, labels):\n    i = np.arange(len(labels)); o = scores.copy(); o[i, labels] = -np.inf; k = o.argmax(axis=1)\n    loss = np.maximum(0, 1 + scores[i, k] - scores[i, labels])\n    g = np.zeros(scores.shape); g[i, k] += 1; g[i, labels] -= 1\n    return loss.mean(), g / len(labels)",
    ],
}
