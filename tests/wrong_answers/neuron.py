"Plausible wrong answers to the exercises of the chapter on the neuron; each must fail its checker."

from conftest import changed

LEARN = """
def learn(X, y, epochs=1000):
    w, b, total = np.zeros(X.shape[1]), 0.0, 0
    for _ in range(epochs):
        mistakes = 0
        for x, target in zip(X, y):
            error = target - int(x @ w + b >= 0)
            w, b = w + error * x, b + error
            mistakes += abs(error)
        total += mistakes
        if mistakes == 0:
            break
    return w, b, total
"""
EVALUATE = """
def evaluate(X, y, order):
    half = len(X) // 2
    train, test = order[:half], order[half:]
    agreement = np.abs((2 * y[train] - 1) @ (X[train] - X[train].mean(axis=0)))
    best = np.argsort(-agreement)[:10]
    neuron = Adaline().fit(X[train][:, best], y[train])
    return (neuron.predict(X[test][:, best]) == y[test]).mean()
"""
REPAIR = """
def repair(weight, bias, x, y):
    s = 2 * y - 1
    missing = max(0.0, 1 - s * (weight @ x + bias))
    t = missing / (x @ x + 1)
    return weight + t * s * x, bias + t * s
"""
GRADIENT = """
def squared_gradient(X, y, weight, bias):
    p = 1 / (1 + np.exp(-(X @ weight + bias)))
    slope = (p - y) * p * (1 - p)
    return X.T @ slope / len(X), slope.mean()
"""


WRONG = {
    "neuron.1": [
        "committee = McCullochPitts([1, 1, 1, 1, 1], threshold=3)",
        "committee = McCullochPitts([2, 1, 1, 1, 1], threshold=4)",
        "committee = McCullochPitts([3, 1, 1, 1, 1], threshold=4)",
        "committee = ([3, 1, 1, 1, 1], 5)",
        "def committee(x): return x[0] and sum(x) >= 3",
    ],
    "neuron.2": [
        changed(LEARN, ('b >= 0', 'b > 0')),
        changed(LEARN, ('b + error\n', 'b\n')),
        changed(LEARN, ('            mistakes += abs(error)\n        total += mistakes', '            mistakes = abs(error)\n            total += mistakes')),
        changed(LEARN, ('w, b, total\n', 'w, b\n')),
        changed(LEARN, ('w, b, total\n', 'w, b, mistakes\n')),
        changed(LEARN, ('error = target - int(x @ w + b >= 0)', 'error = int(x @ w + b >= 0)\n            error = error - target')),
        changed(LEARN, ('x @ w + b >= 0', 'x @ w >= 0')),
        changed(LEARN, ('w + error * x, b + error\n', 'w + 0.1 * error * x, b + 0.1 * error\n')),
        changed(LEARN, ('            w, b = w + error * x, b + error\n', ''), ('        total += mistakes\n', '        errors = y - (X @ w + b >= 0)\n        w, b = w + errors @ X, b + errors.sum()\n        total += mistakes\n')),
        changed(LEARN, ("        if mistakes == 0:\n            break\n", "")),
        changed(LEARN, ("mistakes += abs(error)", "mistakes += error")),
        changed(LEARN, ("mistakes += abs(error)", "mistakes += abs(error); signed += error"), ("total += mistakes", "total += signed"), ("mistakes = 0\n        for", "mistakes = signed = 0\n        for")),
        "def learn(X, y, epochs=1000):\n    unit = Perceptron().fit(X, y, epochs=epochs, seed=None)\n    return unit.weight, unit.bias, len(unit.history['wrong'])",
    ],
    "neuron.3": [
        changed(REPAIR, ("x @ x + 1)", "np.sqrt(x @ x + 1))")),
        changed(REPAIR, ("bias + t * s", "bias")),
        changed(REPAIR, ("weight + t * s * x, bias + t * s", "weight - t * s * x, bias - t * s")),
        changed(REPAIR, ("max(0.0, 1 - s", "max(0.0, 0 - s")),
        "def repair(weight, bias, x, y): return weight + (2 * y - 1) * x, bias + (2 * y - 1)",
        """
def repair(weight, bias, x, y):
    s = 2 * y - 1
    step = max(0.0, 1 - s * (weight @ x + bias)) / (x @ x)
    return weight + step * s * x, bias + step * s
""",
        """
def repair(weight, bias, x, y):
    s = 2 * y - 1
    step = max(0.0, 1 - s * (weight @ x + bias)) / (x @ x)
    return weight + step * s * x, bias
""",
        """
def repair(weight, bias, x, y):
    s = 2 * y - 1
    step = (1 - s * (weight @ x + bias)) / (x @ x + 1)
    return weight + step * s * x, bias + step * s
""",
        """
def repair(weight, bias, x, y):
    s = 2 * y - 1
    step = max(0.0, 1 - s * (weight @ x + bias)) / (x @ x + 1)
    weight += step * s * x
    return weight, bias + step * s
""",
        """
def repair(weight, bias, x, y):
    step = max(0.0, 1 - y * (weight @ x + bias)) / (x @ x + 1)
    return weight + step * y * x, bias + step * y
""",
        """
def repair(weight, bias, x, y):
    s = 2 * y - 1
    if s * (weight @ x + bias) > 0: return weight, bias
    step = (1 - s * (weight @ x + bias)) / (x @ x + 1)
    return weight + step * s * x, bias + step * s
""",
    ],
    "neuron.4": [
        changed(GRADIENT, ("slope.mean()", "slope.sum()")),
        changed(GRADIENT, ("slope.mean()", "-slope.mean()")),
        changed(GRADIENT, ("slope.mean()", "(p - y).mean()")),
        """
def squared_gradient(X, y, weight, bias):
    p = 1 / (1 + np.exp(-(X @ weight + bias)))
    return X.T @ (p - y) / len(X), (p - y).mean()
""",
        """
def squared_gradient(X, y, weight, bias):
    p = 1 / (1 + np.exp(-(X @ weight + bias)))
    slope = (y - p) * p * (1 - p)
    return X.T @ slope / len(X), slope.mean()
""",
        """
def squared_gradient(X, y, weight, bias):
    p = 1 / (1 + np.exp(-(X @ weight + bias)))
    slope = (p - y) * p * (1 - p)
    return X.T @ slope, slope.sum()
""",
        """
def squared_gradient(X, y, weight, bias):
    p = 1 / (1 + np.exp(-(X @ weight + bias)))
    slope = 2 * (p - y) * p * (1 - p)
    return X.T @ slope / len(X), slope.mean()
""",
        """
def squared_gradient(X, y, weight, bias):
    p = 1 / (1 + np.exp(-(X @ weight + bias)))
    slope = (p - y) * p * (1 - p)
    return np.append(X.T @ slope / len(X), slope.mean())
""",
    ],
    "neuron.5": [
        "def slow_lesson(): return np.array([[0, 0], [0, 1], [1, 0], [1, 1]]) / 2, np.array([0, 1, 1, 0])",
        "def slow_lesson(): return np.array([[1.0, 0.0], [-1.0, 0.0]]), np.array([1, 0])",
        "def slow_lesson(): return np.array([[1000.0, 0.0], [997.0, 0.0]]), np.array([1, 0])",
        "def slow_lesson(): return np.array([[1.0, 0.0], [0.997, 0.0]])",
        "def slow_lesson(): return np.array([[0.5, 0.5], [0.5, 0.5]]), np.array([1, 0])",
    ],
    "neuron.6": [
        changed(EVALUATE, ('y[train] - 1) @ (X[train] - X[train].mean', 'y - 1) @ (X - X.mean')),
        changed(EVALUATE, ('X[test][:, best]) == y[test]', 'X[train][:, best]) == y[train]')),
        changed(EVALUATE, ('X[train][:, best], y[train]', 'X[:, best], y')),
        changed(EVALUATE, ('y[train] - 1) @ (X[train] - X[train].mean', 'y[test] - 1) @ (X[test] - X[test].mean')),
        changed(EVALUATE, ('    agreement = np.abs((2 * y[train] - 1) @ (X[train] - X[train].mean(axis=0)))\n', ''), ('np.argsort(-agreement)[:10]', 'np.arange(290, 300)')),
        changed(EVALUATE, ('-agreement', 'agreement')),
        changed(EVALUATE, ('    neuron = Adaline().fit(X[train][:, best], y[train])\n', '    neuron = Adaline().fit(X[train][:, best], y[train])\n    neuron = max((Adaline().fit(X[train][:, best], y[train], epochs=e) for e in (1, 10, 100)), key=lambda n: (n.predict(X[test][:, best]) == y[test]).mean())\n')),
        'def evaluate(X, y, order): return 0.5',
        *(changed(EVALUATE, ('[:10]', f'[:{k}]')) for k in ("", 5, 20, 50, 300)),
        changed(EVALUATE, ('order[:half], order[half:]', 'np.arange(half), np.arange(half, len(X))')),
        changed(EVALUATE, ('order[:half], order[half:]', 'order[half:], order[:half]')),
        EVALUATE.replace('def evaluate', 'def fold') + 'def evaluate(X, y, order):\n    return (fold(X, y, order) + fold(X, y, order[::-1])) / 2\n',
    ],
}
