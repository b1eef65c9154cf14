"Plausible wrong answers to the exercises of chapter 01; each must fail its checker."

WRONG = {
    "neuron.1": [
        "committee = McCullochPitts([1, 1, 1, 1, 1], threshold=3)",
        "committee = McCullochPitts([2, 1, 1, 1, 1], threshold=4)",
        "committee = McCullochPitts([3, 1, 1, 1, 1], threshold=4)",
        "committee = ([3, 1, 1, 1, 1], 5)",
        "def committee(x): return x[0] and sum(x) >= 3",
    ],
    "neuron.2": [
        "def signed_distance(X, weight, bias): return X @ weight + bias",
        "def signed_distance(X, weight, bias): return np.abs(X @ weight + bias) / np.linalg.norm(weight)",
        "def signed_distance(X, weight, bias): return (X @ weight + bias) / np.linalg.norm(np.append(weight, bias))",
        "def signed_distance(X, weight, bias): return X @ weight / np.linalg.norm(weight) + bias",
        "def signed_distance(X, weight, bias): return (X @ weight + bias) / (weight @ weight)",
        "def signed_distance(X, weight, bias): print(X @ weight + bias)",
    ],
    "neuron.3": [
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
}
