"Plausible wrong answers to the exercises of the opening chapter; each must fail its checker."

STEP = '''def step(net, x, y, lr):
    h, p = forward(net, x)
    ds = (p - np.eye(10)[y]){mean}
    dh = (ds @ net.W2){mask}
    return Network(net.W1 {sign} lr * dh.T @ x, net.b1 {sign} lr * dh.sum(axis=0), net.W2 {sign} lr * ds.T @ h, net.b2 {sign} lr * ds.sum(axis=0))
'''
TRAIN = '''def train(x, y):
    rng = np.random.default_rng(3)
    W1, b1, W2, b2 = rng.standard_normal((16, 2)), np.zeros(16), rng.standard_normal((2, 16)) / 4, np.zeros(2)
    def forward(x):
        h = {nonlinearity}(x @ W1.T + b1)
        e = np.exp(h @ W2.T + b2 - (h @ W2.T + b2).max(axis=1, keepdims=True))
        return h, e / e.sum(axis=1, keepdims=True)
    for _ in range({steps}):
        h, p = forward(x)
        ds = (p - np.eye(2)[y]) / len(x)
        dh = (ds @ W2) * (h > 0)
        for number, gradient in ((W1, dh.T @ x), (b1, dh.sum(axis=0)), (W2, ds.T @ h), (b2, ds.sum(axis=0))):
            number -= {lr} * gradient
    return lambda x: forward(x)[1]{answer}
'''
WRONG = {
    "first.1": [
        "def n_parameters(n_in, n_hidden, n_out): return n_in * n_hidden + n_hidden * n_out",
        "def n_parameters(n_in, n_hidden, n_out): return n_hidden * (n_in + 1) + n_out * n_hidden",
        "def n_parameters(n_in, n_hidden, n_out): return n_in + n_hidden + n_out",
        "def n_parameters(n_in, n_hidden, n_out): return (n_in + 1) * n_hidden * (n_hidden + 1) * n_out",
        "def n_parameters(n_in, n_hidden, n_out): return n_in + n_hidden * (n_in + 1) + n_out * (n_hidden + 1)",
    ],
    "first.2": [
        "def difference(a, b):\n    p, q = a.mean(), b.mean()\n    return q - p, ((p * (1 - p) + q * (1 - q)) / len(a)) ** 0.5",
        "def difference(a, b): return b.mean() - a.mean(), (b.astype(float) - a).std()",
        "def difference(a, b):\n    d = a.astype(float) - b\n    return d.mean(), d.std() / len(d) ** 0.5",
        "def difference(a, b):\n    d = b.astype(float) - a\n    return d.mean(), d.var() / len(d)",
        "def difference(a, b):\n    d = (a != b)\n    return d.mean(), d.std() / len(d) ** 0.5",
        "def difference(a, b): return b.mean() - a.mean()",
    ],
    "first.3": [
        "def loss(s, y):\n    e = np.exp(s)\n    return -np.log((e / e.sum(axis=1, keepdims=True))[np.arange(len(y)), y]).mean()",
        "def loss(s, y):\n    e = np.exp(s - s.max(axis=1, keepdims=True))\n    return -np.log((e / e.sum(axis=1, keepdims=True))[np.arange(len(y)), y]).sum()",
        "def loss(s, y):\n    e = np.exp(s - s.max(axis=1, keepdims=True))\n    return -np.log2((e / e.sum(axis=1, keepdims=True))[np.arange(len(y)), y]).mean()",
        "def loss(s, y):\n    e = np.exp(s - s.max(axis=1, keepdims=True))\n    return np.log((e / e.sum(axis=1, keepdims=True))[np.arange(len(y)), y]).mean()",
        "def loss(s, y):\n    e = np.exp(s - s.max(axis=1, keepdims=True))\n    return -np.log(e / e.sum(axis=1, keepdims=True)).mean()",
    ],
    "first.4": [
        "def step(net, x, y, lr):\n    h, p = forward(net, x)\n    ds = (p - np.eye(10)[y]) / len(x)\n    W2 = net.W2 - lr * ds.T @ h\n    dh = (ds @ W2) * (h > 0)\n"
        "    return Network(net.W1 - lr * dh.T @ x, net.b1 - lr * dh.sum(axis=0), W2, net.b2 - lr * ds.sum(axis=0))",
        STEP.format(mean="", mask=" * (h > 0)", sign="-"),
        STEP.format(mean=" / len(x)", mask="", sign="-"),
        STEP.format(mean=" / len(x)", mask=" * (h > 0)", sign="+"),
        STEP.format(mean=" / len(x)", mask=" * h", sign="-"),
        "def step(net, x, y, lr):\n    h, p = forward(net, x)\n    ds = (p - np.eye(10)[y]) / len(x)\n    dh = (ds @ net.W2) * (h > 0)\n"
        "    for number, gradient in zip(net, (dh.T @ x, dh.sum(axis=0), ds.T @ h, ds.sum(axis=0))):\n        number -= lr * gradient\n    return net",
    ],
    "first.5": [
        TRAIN.format(nonlinearity="", steps=2000, lr=0.3, answer=".argmax(axis=1)"),
        TRAIN.format(nonlinearity="np.abs", steps=3, lr=0.3, answer=".argmax(axis=1)"),
        TRAIN.format(nonlinearity="np.abs", steps=200, lr=-0.3, answer=".argmax(axis=1)"),
        "def train(x, y): return lambda x: np.zeros(len(x), int)",
        TRAIN.format(nonlinearity="np.abs", steps=2, lr=0.3, answer=""),
        "def train(x, y):\n    w = np.linalg.lstsq(np.c_[x, np.ones(len(x))], y, rcond=None)[0]\n    return lambda x: (np.c_[x, np.ones(len(x))] @ w > 0.5).astype(int)",
    ],
    "first.6": [
        "def fool(net, x): return x",
        "def fool(net, x): return np.clip(x + np.random.default_rng(0).choice([-0.25, 0.25], 784), 0, 1)",
        "def fool(net, x): return 1 - x",
        "def fool(net, x):\n    h, p = forward(net, x[None])\n    ds = p - np.eye(10)[p.argmax(axis=1)]\n    return np.clip(x - 0.25 * np.sign(((ds @ net.W2) * (h > 0)) @ net.W1)[0], 0, 1)",
        "def fool(net, x):\n    h, p = forward(net, x[None])\n    ds = p - np.eye(10)[p.argmax(axis=1)]\n    return x + 0.25 * np.sign(((ds @ net.W2) * (h > 0)) @ net.W1)[0]",
    ],
}
