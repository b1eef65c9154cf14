"Plausible wrong answers to the exercises of the chapter on generalization; each must fail its checker."

from conftest import changed

DESCENT = """
def double_descent(x, y, new_x, new_y, widths, seed):
    rng, errors = np.random.default_rng(seed), []
    for k in widths:
        W, b = rng.standard_normal((k, x.shape[1])), rng.standard_normal(k)
        A, B = (np.maximum(a @ W.T + b, 0) / k**0.5 for a in (x, new_x))
        w = np.linalg.pinv(A) @ y
        errors.append([((A @ w - y)**2).mean(), ((B @ w - new_y)**2).mean()])
    return np.array(errors)
"""
REPAIRED = """
def repaired(x, y, rng, copies=4, most=1):
    order, cut = rng.permutation(len(x)), len(x) // 4
    train, test = order[cut:], order[:cut]
    a, b, move = x[train], y[train], shift_images(most)
    more = [move(a, b, rng)[0] for _ in range(copies)]
    return np.concatenate([a] + more), np.concatenate([b] * (copies + 1)), x[test], y[test]
"""
CURVE = """
def error_at(n, seed):
    wave = lambda x: np.sin(1.5 * np.pi * x[:, 0])
    x, fine = np.linspace(-1, 1, n)[:, None], np.linspace(-1, 1, 200)[:, None]
    y = wave(x) + 0.3 * np.random.default_rng(seed).standard_normal(n)
    layer = random_features(1, 20, scale=12, rng=seed)
    w = min_norm_fit(layer(x), y)
    return ((layer(fine) @ w - wave(fine))**2).mean()

answer = (20, error_at)
"""


def spoiled(solution, *faults):
    "The right answer with one fault put into it, for each fault (what it is, the right text, the wrong one)."
    return [changed(solution, fault) for _, *fault in faults]


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
        # the extra part is drawn in the span of the examples, and vanishes
        """
def longer_fit(features, y, length):
    w = min_norm_fit(features, y)
    if length < np.linalg.norm(w): raise ValueError
    v = features.T @ np.random.default_rng(0).standard_normal(len(features))
    return w + v * np.sqrt(length**2 - w @ w) / np.linalg.norm(v)
""",
        # a shorter length gets the shortest fit
        """
def longer_fit(features, y, length):
    w = min_norm_fit(features, y)
    v = np.random.default_rng(0).standard_normal(features.shape[1])
    v -= min_norm_fit(features, features @ v)
    return w + v * np.sqrt(max(0, length**2 - w @ w)) / np.linalg.norm(v)
""",
        # refuses a length a little above the shortest one
        """
def longer_fit(features, y, length):
    w = min_norm_fit(features, y)
    if length <= 1.0001 * np.linalg.norm(w): raise ValueError
    v = np.random.default_rng(0).standard_normal(features.shape[1])
    v -= min_norm_fit(features, features @ v)
    return w + v * np.sqrt(length**2 - w @ w) / np.linalg.norm(v)
""",
        # takes a length a little below it
        """
def longer_fit(features, y, length):
    w = min_norm_fit(features, y)
    if length < 0.97 * np.linalg.norm(w): raise ValueError
    v = np.random.default_rng(0).standard_normal(features.shape[1])
    v -= min_norm_fit(features, features @ v)
    return w + v * np.sqrt(max(0, length**2 - w @ w)) / np.linalg.norm(v)
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
        # one distribution for every alpha
        """
def mixup(x, y, rng, alpha=0.2):
    a, p = rng.beta(0.5, 0.5), rng.permutation(len(x))
    return a * x + (1 - a) * x[p], a * y + (1 - a) * y[p]
""",
        # its own randomness
        """
def mixup(x, y, rng, alpha=0.2):
    a, p = np.random.beta(alpha, alpha), np.random.permutation(len(x))
    return a * x + (1 - a) * x[p], a * y + (1 - a) * y[p]
""",
    ],
    "generalization.6": spoiled(
        DESCENT,
        ("no nonlinearity", "np.maximum(a @ W.T + b, 0)", "(a @ W.T + b)"),
        ("new inputs pass through other units",
         """        A, B = (np.maximum(a @ W.T + b, 0) / k**0.5 for a in (x, new_x))
""",
         """        A = np.maximum(x @ W.T + b, 0) / k**0.5
        W, b = rng.standard_normal((k, x.shape[1])), rng.standard_normal(k)
        B = np.maximum(new_x @ W.T + b, 0) / k**0.5
"""),
        ("a ridge", "np.linalg.pinv(A) @ y", "np.linalg.solve(A.T @ A + 0.01 * np.eye(k), A.T @ y)"),
        ("fitted anew to the new examples", "((B @ w - new_y)**2)", "((B @ (np.linalg.pinv(B) @ new_y) - new_y)**2)"),
        ("sums", ".mean(), ((B", ".sum(), ((B"),
        ("the columns exchanged",
         "[((A @ w - y)**2).mean(), ((B @ w - new_y)**2).mean()]",
         "[((B @ w - new_y)**2).mean(), ((A @ w - y)**2).mean()]"),
        ("one seed for all", "default_rng(seed)", "default_rng(0)"),
        ("no seed", "default_rng(seed)", "default_rng()"),
        ("the inverse of the normal equations, without a choice among exact fits", "np.linalg.pinv(A) @ y", "np.linalg.inv(A.T @ A) @ A.T @ y"),
        ("small singular values cut off, which is another ridge", "np.linalg.pinv(A)", "np.linalg.pinv(A, rcond=0.1)"),
        ("in place", "    rng, errors", """    x *= 2
    rng, errors"""),
        ("no biases", "a @ W.T + b", "a @ W.T"),
        ("roots of the mean squares", "[((A @ w - y)**2).mean(), ((B @ w - new_y)**2).mean()]", "[((A @ w - y)**2).mean()**0.5, ((B @ w - new_y)**2).mean()**0.5]"),
        ("half of the squares", "[((A @ w - y)**2).mean(), ((B @ w - new_y)**2).mean()]", "[((A @ w - y)**2).mean() / 2, ((B @ w - new_y)**2).mean() / 2]"),
        ("half of the squares, in one column", "[((A @ w - y)**2).mean(),", "[((A @ w - y)**2).mean() / 2,"),
        ("a tiny ridge", "np.linalg.pinv(A) @ y", "np.linalg.solve(A.T @ A + 1e-6 * np.eye(k), A.T @ y)"),
        ("the chapter's cosine", "np.maximum(a @ W.T + b, 0)", "np.cos(a @ W.T + b)"),
        ("a tanh", "np.maximum(a @ W.T + b, 0)", "np.tanh(a @ W.T + b)"),
        ("a sigmoid", "np.maximum(a @ W.T + b, 0)", "1 / (1 + np.exp(-np.clip(a @ W.T + b, -700, 700)))"),
        ("an absolute value", "np.maximum(a @ W.T + b, 0)", "abs(a @ W.T + b)"),
        ("an output bias", "(np.maximum(a @ W.T + b, 0) / k**0.5 for a in (x, new_x))", "(np.c_[np.maximum(a @ W.T + b, 0), np.ones(len(a))] for a in (x, new_x))"),
        ("one unit too many", "for k in widths:", "for k in [k + 1 for k in widths]:"),
    ),
    "generalization.7": spoiled(
        REPAIRED,
        ("altered first, as the colleague does",
         """    order, cut = rng.permutation(len(x)), len(x) // 4
    train, test = order[cut:], order[:cut]
    a, b, move = x[train], y[train], shift_images(most)
    more = [move(a, b, rng)[0] for _ in range(copies)]
    return np.concatenate([a] + more), np.concatenate([b] * (copies + 1)), x[test], y[test]
""",
         """    move = shift_images(most)
    x = np.concatenate([x] + [move(x, y, rng)[0] for _ in range(copies)])
    y = np.concatenate([y] * (copies + 1))
    order, cut = rng.permutation(len(x)), len(x) // 4
    return x[order[cut:]], y[order[cut:]], x[order[:cut]], y[order[:cut]]
"""),
        ("the test pictures are moved too", "b] * (copies + 1)), x[test]", "b] * (copies + 1)), move(x[test], y[test], rng)[0]"),
        ("only moved pictures are trained on",
         "np.concatenate([a] + more), np.concatenate([b] * (copies + 1))",
         "np.concatenate(more), np.concatenate([b] * copies)"),
        ("no copies at all", "np.concatenate([a] + more), np.concatenate([b] * (copies + 1))", "a, b"),
        ("all copies moved alike", "[move(a, b, rng)[0] for _ in range(copies)]", "[np.roll(a, most, axis=2)] * copies"),
        ("the answers repeated in another order", "np.concatenate([b] * (copies + 1))", "np.repeat(b, copies + 1)"),
        ("the same moved copy, repeated", "[move(a, b, rng)[0] for _ in range(copies)]", "[move(a, b, rng)[0]] * copies"),
        ("the copies are not moved", "[move(a, b, rng)[0] for _ in range(copies)]", "[a] * copies"),
        ("a split that is the same whatever rng", "order, cut = rng.permutation(len(x))", "order, cut = np.random.default_rng(0).permutation(len(x))"),
        ("the whole set is trained on", "train, test = order[cut:], order[:cut]", "train, test = order, order[:cut]"),
        ("one pixel more than asked for", "shift_images(most)", "shift_images(most + 1)"),
        ("only down and to the right", "[move(a, b, rng)[0] for _ in range(copies)]",
         "[np.stack([np.roll(p, tuple(rng.integers(0, most + 1, 2)), axis=(0, 1)) for p in a]) for _ in range(copies)]"),
        ("neighbors set aside", "rng.permutation(len(x))", "np.roll(np.arange(len(x)), rng.integers(len(x)))"),
    ),
    "generalization.8": spoiled(
        CURVE,
        ("no noise", "0.3 * np", "0.0 * np"),
        ("judged at the readings", "((layer(fine) @ w - wave(fine))**2)", "((layer(x) @ w - y)**2)"),
        ("a ridge", "min_norm_fit(layer(x), y)", "min_norm_fit(layer(x), y, 0.01)"),
        ("always twenty readings", "np.linspace(-1, 1, n)[:, None], ", "np.linspace(-1, 1, 20)[:, None], "),
        ("the same features for all seeds", "rng=seed", "rng=0"),
        ("waves of another scale", "scale=12", "scale=1"),
        ("as many features as readings", "random_features(1, 20,", "random_features(1, n,"),
        ("a noisy test", "- wave(fine))**2", "- wave(fine) - 0.3 * np.random.default_rng(seed + 100).standard_normal(200))**2"),
        ("a root", "((layer(fine) @ w - wave(fine))**2).mean()", "((layer(fine) @ w - wave(fine))**2).mean()**0.5"),
        ("other features for the new points", "layer(fine) @ w", "random_features(1, 20, scale=12, rng=seed + 1)(fine) @ w"),
        ("no seed", "default_rng(seed)", "default_rng()"),
        ("the same noise for all seeds", "default_rng(seed)", "default_rng(0)"),
        ("half of the interval", "np.linspace(-1, 1, n)[:, None], np.linspace(-1, 1, 200)", "np.linspace(0, 1, n)[:, None], np.linspace(0, 1, 200)"),
        ("no guess", "answer = (20, error_at)", "answer = error_at"),
        ("the guess is a factor", "answer = (20, error_at)", "answer = (13.7, error_at)"),
    ),
}
