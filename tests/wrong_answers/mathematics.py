"""Plausible wrong answers to the exercises of the mathematics refresher: each must fail its checker."""

WRONG = {
    "mathematics.1": [
        "def project(X, w): return (X @ w)[:, None] * w",                                 # not divided by w·w
        "def project(X, w): return (X @ w / np.linalg.norm(w))[:, None] * w",             # divided by the length once
        "def project(X, w): return X @ w / (w @ w)",                                      # coordinates, not vectors
        "def project(X, w): return (X @ w / (w @ w)) * w",                                # (N,) against (n,)
        "def project(X, w): return X - (X @ w / (w @ w))[:, None] * w",                   # what is left over
        "def project(X, w): return (X @ w / (X * X).sum(axis=1))[:, None] * X",           # w onto x
    ],
    "mathematics.2": [
        "def distances(A, B): return ((A[:, None] - B[None]) ** 2).sum(axis=2)",          # no root
        "def distances(A, B): return np.sqrt(((A - B) ** 2).sum(axis=1))",                # row by row
        "def distances(A, B): return np.sqrt(((A[None] - B[:, None]) ** 2).sum(axis=2))",  # transposed
        "def distances(A, B): return np.abs(A[:, None] - B[None]).sum(axis=2)",           # 1-norm
        "def distances(A, B): return np.sqrt((A * A).sum(1)[:, None] - 2 * A @ B.T + (B * B).sum(1))",  # NaN where rounding goes below zero
    ],
    "mathematics.3": [
        "def jacobian(f, x, h=1e-5): return np.stack([(f(x + h * e) - f(x)) / h for e in np.eye(len(x))], axis=1)",            # one-sided
        "def jacobian(f, x, h=1e-5): return np.stack([(f(x + h * e) - f(x - h * e)) / (2 * h) for e in np.eye(len(x))])",      # transposed
        "def jacobian(f, x, h=1e-5): return np.stack([(f(x + h * e) - f(x - h * e)) / h for e in np.eye(len(x))], axis=1)",    # not halved
        "def jacobian(f, x, h=1e-5): return (f(x + h) - f(x - h)) / (2 * h)",                                                  # all inputs at once
        """
def jacobian(f, x, h=1e-5):
    columns = []
    for i in range(len(x)):
        x[i] += h
        up = f(x)
        x[i] -= 2 * h
        columns.append((up - f(x)) / (2 * h))
    return np.stack(columns, axis=1)
""",  # x is not put back
        """
def jacobian(f, x, h=1e-5):
    columns = []
    for i in range(len(x)):
        up, down = x.copy(), x.copy()
        up[i] += h
        down[i] -= h
        columns.append((f(up) - f(down)) / (2 * h))
    return np.stack(columns, axis=1)
""",  # steps in an integer array
    ],
    "mathematics.4": [
        "def best_rate(X): return 2 / np.linalg.eigvalsh(X.T @ X / len(X)).max()",        # the limit of stability
        "def best_rate(X): return 1 / np.linalg.eigvalsh(X.T @ X / len(X)).max()",        # safe, not best
        "def best_rate(X): e = np.linalg.eigvalsh(X.T @ X); return 2 / (e.min() + e.max())",  # not divided by N
        "def best_rate(X): return 0.01",
    ],
    "mathematics.5": [
        "def examples_needed(p, half_width): return 1.96**2 * p * (1 - p) / half_width**2",             # not an int
        "def examples_needed(p, half_width): return int(1.96**2 * p * (1 - p) / half_width**2)",        # rounded down
        "def examples_needed(p, half_width): return int(np.ceil(1.96 * np.sqrt(p * (1 - p)) / half_width))",  # width not squared
        "def examples_needed(p, half_width): return int(np.ceil(p * (1 - p) / half_width**2))",         # one standard error
    ],
}
