"Plausible wrong answers to the exercises of chapter 00; each must fail its checker."

WRONG = {
    "first.1": [
        "def n_parameters(n_in, n_hidden, n_out): return n_in * n_hidden + n_hidden * n_out",
        "def n_parameters(n_in, n_hidden, n_out): return n_hidden * (n_in + 1) + n_out * n_hidden",
        "def n_parameters(n_in, n_hidden, n_out): return n_in + n_hidden + n_out",
    ],
    "first.2": [
        "def standard_error(accuracy, n): return accuracy * (1 - accuracy) / n",
        "def standard_error(accuracy, n): return (accuracy / n) ** 0.5",
    ],
    "first.3": [
        "def loss(s, y):\n    e = np.exp(s)\n    return -np.log((e / e.sum(axis=1, keepdims=True))[np.arange(len(y)), y]).mean()",
        "def loss(s, y):\n    e = np.exp(s - s.max(axis=1, keepdims=True))\n    return -np.log((e / e.sum(axis=1, keepdims=True))[np.arange(len(y)), y]).sum()",
        "def loss(s, y):\n    e = np.exp(s - s.max(axis=1, keepdims=True))\n    return -np.log2((e / e.sum(axis=1, keepdims=True))[np.arange(len(y)), y]).mean()",
    ],
    "first.4": [
        "def fool(net, x): return x",
        "def fool(net, x): return np.clip(x + np.random.default_rng(0).choice([-0.25, 0.25], 784), 0, 1)",
        "def fool(net, x): return 1 - x",
    ],
}
