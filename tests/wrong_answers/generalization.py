"Plausible wrong answers to the exercises of the chapter on generalization; each must fail its checker."

WRONG = {
    "generalization.1": [
        "def pieces_needed(curvature, length, error): return int(length * np.sqrt(curvature / (8 * error)))",       # rounds down
        "def pieces_needed(curvature, length, error): return int(np.ceil(length * np.sqrt(curvature / (8 * error))))",      # 0 for a straight line
        "def pieces_needed(curvature, length, error): return max(1, int(np.ceil(length**2 * curvature / (8 * error))))",    # no root
        "def pieces_needed(curvature, length, error): return max(1, int(np.ceil(np.sqrt(curvature / (8 * error)))))",       # length forgotten
        "def pieces_needed(curvature, length, error): return int(length * np.sqrt(curvature / (8 * error))) + 1",   # one too many where it is exact
        "def pieces_needed(curvature, length, error): return max(1.0, np.ceil(length * np.sqrt(curvature / (8 * error))))", # a float
    ],
    "generalization.2": [
        # scaling changes the outputs
        """
def longer_fit(features, y, length):
    w = min_norm_fit(features, y)
    return w * length / np.linalg.norm(w)
""",
        # fits, but the lengths are added as if parallel
        """
def longer_fit(features, y, length):
    w = min_norm_fit(features, y)
    v = np.random.default_rng(0).standard_normal(features.shape[1])
    v -= min_norm_fit(features, features @ v)
    if length < np.linalg.norm(w): raise ValueError
    return w + v * (length - np.linalg.norm(w)) / np.linalg.norm(v)
""",
        # the direction is not perpendicular to the examples
        """
def longer_fit(features, y, length):
    w = min_norm_fit(features, y)
    if length < np.linalg.norm(w): raise ValueError
    v = np.random.default_rng(0).standard_normal(features.shape[1])
    v -= w * (v @ w) / (w @ w)
    return w + v * np.sqrt(length**2 - w @ w) / np.linalg.norm(v)
""",
        # NaN instead of an error
        """
def longer_fit(features, y, length):
    w = min_norm_fit(features, y)
    v = np.random.default_rng(0).standard_normal(features.shape[1])
    v -= min_norm_fit(features, features @ v)
    return w + v * np.sqrt(abs(length**2 - w @ w)) / np.linalg.norm(v)
""",
    ],
    "generalization.3": [
        # two orders
        """
def mixup(x, y, rng, alpha=0.2):
    a = rng.beta(alpha, alpha)
    return a * x + (1 - a) * x[rng.permutation(len(x))], a * y + (1 - a) * y[rng.permutation(len(x))]
""",
        # uniform shares
        """
def mixup(x, y, rng, alpha=0.2):
    a, p = rng.random(), rng.permutation(len(x))
    return a * x + (1 - a) * x[p], a * y + (1 - a) * y[p]
""",
        # alpha is taken for the share
        """
def mixup(x, y, rng, alpha=0.2):
    p = rng.permutation(len(x))
    return alpha * x + (1 - alpha) * x[p], alpha * y + (1 - alpha) * y[p]
""",
        # the answers stay
        """
def mixup(x, y, rng, alpha=0.2):
    a, p = rng.beta(alpha, alpha), rng.permutation(len(x))
    return a * x + (1 - a) * x[p], y
""",
        # in place
        """
def mixup(x, y, rng, alpha=0.2):
    a, p = rng.beta(alpha, alpha), rng.permutation(len(x))
    x *= a
    x += (1 - a) / a * x[p]
    return x, a * y + (1 - a) * y[p]
""",
        # partners with replacement
        """
def mixup(x, y, rng, alpha=0.2):
    a, p = rng.beta(alpha, alpha), rng.integers(0, len(x), len(x))
    return a * x + (1 - a) * x[p], a * y + (1 - a) * y[p]
""",
        # always the same partners: the neighbor, the one opposite
        """
def mixup(x, y, rng, alpha=0.2):
    a = rng.beta(alpha, alpha)
    return a * x + (1 - a) * np.roll(x, 1, axis=0), a * y + (1 - a) * np.roll(y, 1, axis=0)
""",
        """
def mixup(x, y, rng, alpha=0.2):
    a = rng.beta(alpha, alpha)
    return a * x + (1 - a) * x[::-1], a * y + (1 - a) * y[::-1]
""",
        # a random step, but no random order
        """
def mixup(x, y, rng, alpha=0.2):
    a, step = rng.beta(alpha, alpha), rng.integers(len(x))
    return a * x + (1 - a) * np.roll(x, step, axis=0), a * y + (1 - a) * np.roll(y, step, axis=0)
""",
        # its own randomness
        """
def mixup(x, y, rng, alpha=0.2):
    a, p = np.random.beta(alpha, alpha), np.random.permutation(len(x))
    return a * x + (1 - a) * x[p], a * y + (1 - a) * y[p]
""",
    ],
    "generalization.4": [
        # one-sided
        """
def sign_flip_p(differences):
    from itertools import product
    d = np.asarray(differences, float)
    means = np.array(list(product([1, -1], repeat=len(d)))) @ d
    return float((means >= d.sum() - 1e-9).mean())
""",
        # strictly larger
        """
def sign_flip_p(differences):
    from itertools import product
    d = np.asarray(differences, float)
    means = abs(np.array(list(product([1, -1], repeat=len(d)))) @ d)
    return float((means > means[0] + 1e-9).mean())
""",
        # no tolerance
        """
def sign_flip_p(differences):
    from itertools import product
    d = np.asarray(differences, float)
    means = abs(np.array(list(product([1, -1], repeat=len(d)))) @ d)
    return float((means >= means[0]).mean())
""",
        """
def sign_flip_p(differences):
    from itertools import product
    d = np.asarray(differences, float)
    return sum(abs(np.mean(d * s)) >= abs(np.mean(d)) for s in product([1, -1], repeat=len(d))) / 2**len(d)
""",
        # a sign test, which forgets the sizes
        """
def sign_flip_p(differences):
    from itertools import product
    d = np.sign(differences)
    means = abs(np.array(list(product([1, -1], repeat=len(d)))) @ d)
    return float((means >= means[0] - 1e-9).mean())
""",
        # random flips instead of all
        """
def sign_flip_p(differences):
    d, rng = np.asarray(differences, float), np.random.default_rng(0)
    means = abs(rng.choice([1, -1], (1000, len(d))) @ d)
    return float((means >= abs(d.sum()) - 1e-9).mean())
""",
    ],
    "generalization.5": [
        "def luckiest(k, error, n): return error",
        "def luckiest(k, error, n): return np.random.default_rng(0).binomial(n, error, size=(20_000, k)).min(axis=1).mean()",
        # two standard errors, whatever k
        "def luckiest(k, error, n): return error - 2 * np.sqrt(error * (1 - error) / n)",
        # the lowest of all repetitions
        "def luckiest(k, error, n): return np.random.default_rng(0).binomial(n, error, size=(20_000, k)).min() / n",
        "def luckiest(k, error, n): return np.random.default_rng(0).binomial(n, error, size=(20_000, k)).min(axis=1) / n",
    ],
}
