"Plausible wrong answers to the question that opens Part I."

SOFTMAX = """
def probabilities(W, b, X):
    z = X @ W.T + b
    z = np.exp(z - z.max(axis=1, keepdims=True))
    return z / z.sum(axis=1, keepdims=True)
"""

WRONG = {
    "part1.1": [
        # the sum over the batch
        SOFTMAX + "def gradients(W, b, X, y):\n    d = probabilities(W, b, X) - np.eye(len(b))[y]\n    return d.T @ X, d.sum(axis=0)",
        # the other way round
        SOFTMAX + "def gradients(W, b, X, y):\n    d = (probabilities(W, b, X) - np.eye(len(b))[y]) / len(y)\n    return X.T @ d, d.sum(axis=0)",
        # the bias as if it were used once
        SOFTMAX + "def gradients(W, b, X, y):\n    d = (probabilities(W, b, X) - np.eye(len(b))[y]) / len(y)\n    return d.T @ X, d.mean(axis=0)",
        # target minus prediction
        SOFTMAX + "def gradients(W, b, X, y):\n    d = (np.eye(len(b))[y] - probabilities(W, b, X)) / len(y)\n    return d.T @ X, d.sum(axis=0)",
        # overflows
        "def gradients(W, b, X, y):\n    p = np.exp(X @ W.T + b)\n    p /= p.sum(axis=1, keepdims=True)\n    d = (p - np.eye(len(b))[y]) / len(y)\n    return d.T @ X, d.sum(axis=0)",
        # one array only
        SOFTMAX + "def gradients(W, b, X, y):\n    d = (probabilities(W, b, X) - np.eye(len(b))[y]) / len(y)\n    return d.T @ X",
        # the bias changed on the way
        SOFTMAX + "def gradients(W, b, X, y):\n    b -= b.max()\n    d = (probabilities(W, b, X) - np.eye(len(b))[y]) / len(y)\n    return d.T @ X, d.sum(axis=0)",
        # a softmax over the wrong axis
        "def gradients(W, b, X, y):\n    p = np.exp(X @ W.T + b)\n    p /= p.sum(axis=0, keepdims=True)\n    d = (p - np.eye(len(b))[y]) / len(y)\n    return d.T @ X, d.sum(axis=0)",
    ],
}
