"Plausible wrong answers to the exercises of chapter 04; each must fail its checker."

WRONG = {
    "autograd.1": [
        "def softsign_grad(x, y): return 1 - y**2",
        "def softsign_grad(x, y): return (1 - y)**2",
        "def softsign_grad(x, y): return 1 / (1 + np.abs(x))",
        "def softsign_grad(x, y): return 1 / (1 + x)**2",
        "def softsign_grad(x, y): print((1 - np.abs(y))**2)",
    ],
    "autograd.2": [
        "def outer_grads(g, a, b): return g * b, g * a[:, None], g",
        "def outer_grads(g, a, b): return (g * b).mean(axis=1), (g * a[:, None]).mean(axis=0), g.mean()",
        "def outer_grads(g, a, b): return g @ b, g @ a, g.sum()",
        "def outer_grads(g, a, b): return a @ g, g @ b, g.sum()",
        "def outer_grads(g, a, b): return g.sum(axis=1), g.sum(axis=0), g.sum()",
        "def outer_grads(g, a, b): return g @ b, a @ g",
    ],
    "autograd.3": [
        # depth first, each value where it is met first: wrong on a diamond with one long side
        """
def order(root, parents):
    done, stack, seen = [], [root], {root}
    while stack:
        v = stack.pop()
        done.append(v)
        for p in parents(v):
            if p not in seen:
                seen.add(p)
                stack.append(p)
    return done
""",
        # breadth first: wrong as well
        """
def order(root, parents):
    found = [root]
    for v in found:
        found += [p for p in dict.fromkeys(parents(v)) if p not in found]
    return found
""",
        # right, but recursive
        """
def order(root, parents):
    done, seen = [], set()
    def visit(v):
        if v in seen: return
        seen.add(v)
        for p in parents(v): visit(p)
        done.append(v)
    visit(root)
    return done[::-1]
""",
        # the right order, the wrong way round
        """
def order(root, parents):
    waiting, found = {root: 0}, [root]
    for v in found:
        for p in parents(v):
            if p not in waiting:
                waiting[p] = 0
                found.append(p)
            waiting[p] += 1
    ready, done = [root], []
    while ready:
        v = ready.pop()
        done.append(v)
        for p in parents(v):
            waiting[p] -= 1
            if waiting[p] == 0: ready.append(p)
    return done[::-1]
""",
        # every path: exponential
        """
def order(root, parents):
    done = [root]
    for p in parents(root):
        for v in order(p, parents):
            if v in done: done.remove(v)
            done.append(v)
    return done
""",
    ],
    "autograd.4": [
        "def divide(u, v): return u[0] / v[0], u[1] / v[1]",
        "def divide(u, v): return u[0] / v[0], u[1] / v[0]",
        "def divide(u, v): return u[0] / v[0], (u[1] * v[0] + u[0] * v[1]) / v[0]**2",
        "def divide(u, v): return u[0] / v[0], (u[0] * v[1] - u[1] * v[0]) / v[0]**2",
        "def divide(u, v): return u[0] / v[0]",
    ],
    "autograd.5": [
        """
def rms_norm(x):
    r = np.sqrt((x.data**2).mean(axis=-1, keepdims=True))
    return Tensor.of(x.data / r, x, backward=lambda g: (g / r,))
""",
        # the sum where the mean belongs
        """
def rms_norm(x):
    r = np.sqrt((x.data**2).mean(axis=-1, keepdims=True))
    y = x.data / r
    return Tensor.of(y, x, backward=lambda g: ((g - y * (g * y).sum(axis=-1, keepdims=True)) / r,))
""",
        # over the whole array instead of each row
        """
def rms_norm(x):
    r = np.sqrt((x.data**2).mean())
    y = x.data / r
    return Tensor.of(y, x, backward=lambda g: ((g - y * (g * y).mean()) / r,))
""",
        # right, but not one node
        "def rms_norm(x): return x / (x * x).mean(-1, keepdims=True).sqrt()",
        "def rms_norm(x): return x.data / np.sqrt((x.data**2).mean(axis=-1, keepdims=True))",
    ],
    "autograd.6": [
        "def checkpoint(f, x): return f(x)",
        """
def checkpoint(f, x):
    with no_grad(): return f(x)
""",
        # recorded forward as well
        """
def checkpoint(f, x):
    y = f(x)
    def backward(g):
        inner = Tensor(x.data, requires_grad=True)
        f(inner).backward(g)
        return (inner.grad,)
    return Tensor.of(y.data, x, backward=backward)
""",
        # forgets the gradient that arrives
        """
def checkpoint(f, x):
    with no_grad(): y = f(x)
    def backward(g):
        inner = Tensor(x.data, requires_grad=True)
        f(inner).sum().backward()
        return (inner.grad,)
    return Tensor.of(y.data, x, backward=backward)
""",
        # forgets the tuple
        """
def checkpoint(f, x):
    with no_grad(): y = f(x)
    def backward(g):
        inner = Tensor(x.data, requires_grad=True)
        f(inner).backward(g)
        return inner.grad
    return Tensor.of(y.data, x, backward=backward)
""",
    ],
}
