"Plausible wrong answers to the exercises of chapter 02, which the checkers must refuse."

WRONG = {
    "activations.1": [
        "def hat(s): return relu(s) - relu(s - 1)",                                   # stays at 1
        "def hat(s): return relu(s) - 2 * relu(s - 1)",                               # falls forever
        "def hat(s): return relu(s) - relu(s - 1) - relu(s - 2)",
        "def hat(s): return 1 - np.abs(s - 1)",                                       # below 0 outside
        "def hat(s): return step(s - 0.5) - step(s - 1.5)",                           # a box
        "def hat(s): return max(0, 1 - abs(s - 1))",                                  # not for arrays
    ],
    "activations.2": [
        "def softsign_grad(x, y): return (1 - y)**2",                                 # wrong for negative x
        "def softsign_grad(x, y): return 1 - np.abs(y)",
        "def softsign_grad(x, y): return 1 - y * y",                                  # tanh's
        "def softsign_grad(x, y): return y * (1 - y)",                                # the sigmoid's
        "def softsign_grad(x, y): return 1 / (1 + np.abs(x))**2",                     # right, but not from y
        "def softsign_grad(x, y): return np.sign(y) * (1 - np.abs(y))**2",
    ],
    "activations.3": [
        "def gain(f): return 2**0.5",
        "def gain(f):\n    z = np.random.default_rng(0).standard_normal(10**6)\n    return 1 / np.std(f(z))",          # deviation from the mean
        "def gain(f):\n    z = np.random.default_rng(0).standard_normal(10**6)\n    return 1 / np.mean(f(z)**2)",      # no square root
        "def gain(f):\n    z = np.random.default_rng(0).standard_normal(10**6)\n    return np.mean(f(z)**2)**0.5",     # the inverse
        "def gain(f):\n    z = np.linspace(-3, 3, 1001)\n    return 1 / np.mean(f(z)**2)**0.5",                        # not bell-shaped
        "def gain(f): return 1 / np.mean(np.abs(f(np.random.default_rng(0).standard_normal(10**6))))",
    ],
    "activations.4": [
        "def lottery(x, noise): return (x[:, None] > noise).mean(axis=1)",            # the share of wins, without x
        "def lottery(x, noise): return x * (x[:, None] < noise).mean(axis=1)",        # the losers
        "def lottery(x, noise): return x[:, None] * (x[:, None] > noise)",            # no average
        "def lottery(x, noise): return x * (x[:, None] > noise).mean(axis=0)",
        "def lottery(x, noise): return x * (x > noise.mean())",                       # against the average noise
        "def lottery(x, noise): return relu(x[:, None] - noise).mean(axis=1)",        # a noisy ReLU
    ],
    "activations.5": [
        "def temperature_for(logits, top): return 1.0",
        "def temperature_for(logits, top):\n    z = np.sort(logits)\n    return (z[-1] - z[-2]) / np.log(top / (1 - top))",    # only the best two
        "def temperature_for(logits, top):\n    z = np.sort(logits)\n    return np.log(top / (1 - top)) / (z[-1] - z[-2])",    # upside down
        "def temperature_for(logits, top): return softmax(logits).max() / top",
        "def temperature_for(logits, top):\n    T = np.linspace(0.01, 10, 10_000)\n    return min(T, key=lambda t: abs(softmax(logits, temperature=t).max() - top))",   # too narrow a search
        "def temperature_for(logits, top):\n    low, high = 1e-6, 1e6\n    for _ in range(100):\n        m = (low + high) / 2\n        if softmax(logits, temperature=m).max() > top: high = m\n        else: low = m\n    return m",   # the wrong half
    ],
}
