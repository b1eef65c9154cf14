"Plausible wrong answers to the exercises of chapter 02, which the checkers must refuse."

UP = """def input_gradient(weights, f, f_grad, x, g):
    a, slopes = x, []
    for W in weights:
        z = a @ W.T
        a = f(z)
        slopes.append(f_grad(z, a))
"""

CLIMB = """def steps_out(f, f_grad, start):
    x = np.random.default_rng(0).standard_normal(200)
    target, w, b = np.maximum(0, x), 1.0, start
    for count in range(1, 20_001):
        z = w * x + b
        a = f(z)
        g = (a - target) * f_grad(z, a)
        w, b = w - 0.1 * np.mean(g * x), b - 0.1 * np.mean(g)
        if b > -2: return count
    return 20_000
"""

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
        UP + "    for W, s in zip(weights[::-1], slopes[::-1]):\n        g = g @ W\n    return g",                              # no slopes
        UP + "    for W, s in zip(weights[::-1], slopes[::-1]):\n        g = (g * s) @ W.T\n    return g",                      # the matrix the wrong way round
        UP + "    for W, s in zip(weights[::-1], slopes[::-1]):\n        g = (g @ W) * s.mean()\n    return g",                 # one slope for all units
        UP + "    for W, s in zip(weights[::-1], slopes):\n        g = (g * s) @ W\n    return g",                              # slopes in the wrong order
        UP + "    for W, s in zip(weights, slopes):\n        g = (g * s) @ W\n    return g",                                    # from the lowest layer up
        UP.replace("f_grad(z, a)", "f_grad(a, f(a))") + "    for W, s in zip(weights[::-1], slopes[::-1]):\n        g = (g * s) @ W\n    return g",
        UP + "    for W, s in zip(weights[:0:-1], slopes[:0:-1]):\n        g = (g * s) @ W\n    return g * slopes[0]",            # stops below the lowest layer's f
        UP + "    for W, s in zip(weights[:0:-1], slopes[:0:-1]):\n        g = (g * s) @ W\n    return g @ weights[0]",              # no slopes at the first layer
        UP + "    for W, s in zip(weights[::-1], [1, *slopes[:0:-1]]):\n        g = (g * s) @ W\n    return g",                       # shifted by one layer
        UP + "    weights.reverse()\n    for W, s in zip(weights, slopes[::-1]):\n        g = (g * s) @ W\n    return g",                   # turns the caller's list round
        UP + "    for W, s in zip(weights[::-1], slopes[::-1]):\n        g *= s\n        g = g @ W\n    return g",                   # changes the caller's g
    ],
    "activations.3": [
        "def rowwise(scores):\n    scores -= scores.max(axis=1, keepdims=True)\n    e = np.exp(scores)\n    return e / e.sum(axis=1, keepdims=True)",    # changes the caller's scores
        "def rowwise(scores):\n    e = np.exp(scores - scores.max())\n    return e / e.sum(axis=1, keepdims=True)",                       # as it was
        "def rowwise(scores):\n    e = np.exp(scores)\n    return e / e.sum(axis=1, keepdims=True)",                                       # overflows
        "def rowwise(scores):\n    e = np.exp(scores - scores.max())\n    return e / (e.sum(axis=1, keepdims=True) + 1e-8)",                # hides it
        "def rowwise(scores):\n    e = np.exp(scores - scores.max())\n    return np.nan_to_num(e / e.sum(axis=1, keepdims=True))",          # hides it
        "def rowwise(scores):\n    e = np.exp(scores - scores.max(axis=0))\n    return e / e.sum(axis=1, keepdims=True)",                   # the other axis
        "def rowwise(scores):\n    e = np.exp(scores - scores.max(axis=1, keepdims=True))\n    return e / e.sum()",                         # one sum for all rows
        "def rowwise(scores):\n    e = np.exp(scores - scores.mean(axis=1, keepdims=True))\n    return e / e.sum(axis=1, keepdims=True)",  # overflows in a wide row
        "def rowwise(scores):\n    e = np.exp(np.clip(scores, -700, 700))\n    return e / e.sum(axis=1, keepdims=True)",
    ],
    "activations.4": [
        "def gain(f): return 2**0.5",
        "def gain(f):\n    z = np.random.default_rng(0).standard_normal(10**6)\n    return 1 / np.std(f(z))",          # deviation from the mean
        "def gain(f):\n    z = np.random.default_rng(0).standard_normal(10**6)\n    return 1 / np.mean(f(z)**2)",      # no square root
        "def gain(f):\n    z = np.random.default_rng(0).standard_normal(10**6)\n    return np.mean(f(z)**2)**0.5",     # the inverse
        "def gain(f):\n    z = np.linspace(-3, 3, 1001)\n    return 1 / np.mean(f(z)**2)**0.5",                        # not a normal density
        "def gain(f): return 1 / np.mean(np.abs(f(np.random.default_rng(0).standard_normal(10**6))))",
    ],
    "activations.5": [
        CLIMB.replace("w - 0.1 * np.mean(g * x), b", "w, b"),                         # only the bias learns
        CLIMB.replace("w, b = w - 0.1 * np.mean(g * x), b - 0.1 * np.mean(g)", "w = w - 0.1 * np.mean(g * x)\n        z = w * x + b\n        a = f(z)\n        b = b - 0.1 * np.mean((a - target) * f_grad(z, a))"),   # in turn
        CLIMB.replace("w, b = w - 0.1 * np.mean(g * x), b - 0.1 * np.mean(g)", "b = b - 0.1 * np.mean(g)\n        z = w * x + b\n        a = f(z)\n        w = w - 0.1 * np.mean((a - target) * f_grad(z, a) * x)"),
        CLIMB.replace("np.mean", "np.sum"),
        CLIMB.replace(" * f_grad(z, a)", ""),                                         # no slope
        CLIMB.replace("(a - target)", "2 * (a - target)"),
        CLIMB.replace("b > -2", "b > 0"),
        CLIMB.replace("return 20_000", "return None"),                                # nothing to say of a unit that stays
        CLIMB.replace("default_rng(0)", "default_rng(1)"),                            # other inputs
        CLIMB.replace("range(1, 20_001)", "range(20_000)"),                           # the first step not counted
        CLIMB.replace("return 20_000", "return count - 1"),                           # the last index of a range
    ],
    "activations.6": [
        "def temperature_for(logits, top): return 1.0",
        "def temperature_for(logits, top):\n    z = np.sort(logits)\n    return (z[-1] - z[-2]) / np.log(top / (1 - top))",    # only the best two
        "def temperature_for(logits, top):\n    z = np.sort(logits)\n    return np.log(top / (1 - top)) / (z[-1] - z[-2])",    # upside down
        "def temperature_for(logits, top): return softmax(logits).max() / top",
        "def temperature_for(logits, top):\n    T = np.linspace(0.01, 10, 10_000)\n    return min(T, key=lambda t: abs(softmax(logits, temperature=t).max() - top))",   # too narrow a search
        "def temperature_for(logits, top):\n    low, high = 1e-6, 1e6\n    for _ in range(100):\n        m = (low + high) / 2\n        if softmax(logits, temperature=m).max() > top: high = m\n        else: low = m\n    return m",   # the wrong half
        "def temperature_for(logits, top):\n    low, high = -7.0, 7.0\n    for _ in range(100):\n        m = (low + high) / 2\n        if softmax(logits, temperature=np.exp(m)).max() > top: low = m\n        else: high = m\n    return np.exp(m)",   # a fixed interval
        "def temperature_for(logits, top):\n    low, high = 0.0, 1e9\n    for _ in range(2000):\n        m = (low + high) / 2\n        if softmax(logits, temperature=m)[0] > top: low = m\n        else: high = m\n    return low",   # the first weight, not the largest
    ],
}
