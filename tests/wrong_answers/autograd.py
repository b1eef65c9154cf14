"Plausible wrong answers to the exercises of the chapter on automatic differentiation; each must fail its checker."

from conftest import changed

NUMBER = """
class Number:
    made = 0

    def __init__(self, data, parents=(), slopes=()):
        self.data, self.parents, self.slopes, self.grad = data, parents, slopes, 0.0
        self.time = Number.made = Number.made + 1

    def __add__(self, other): return Number(self.data + other.data, (self, other), (1.0, 1.0))
    def __sub__(self, other): return Number(self.data - other.data, (self, other), (1.0, -1.0))
    def __mul__(self, other): return Number(self.data * other.data, (self, other), (other.data, self.data))
    def __truediv__(self, other):
        q = self.data / other.data
        return Number(q, (self, other), (1 / other.data, -q / other.data))
    def tanh(self):
        t = np.tanh(self.data)
        return Number(t, (self,), (1 - t * t,))

    def backward(self):
        found, ahead = set(), {self}
        while ahead:
            v = ahead.pop()
            found.add(v)
            ahead |= set(v.parents) - found
        self.grad += 1.0
        for v in sorted(found, key=lambda v: v.time, reverse=True):
            g = v.grad
            for p, slope in zip(v.parents, v.slopes): p.grad += g * slope
            if v.parents: v.grad = 0.0
"""
BACKWARD = NUMBER[NUMBER.index("    def backward"):]
ORDER = """
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
    return done
"""
ERRORS = """
def errors(f, slope, x, hs):
    hs = np.asarray(hs)
    rules = [(f(x + hs) - f(x)) / hs, (f(x + hs) - f(x - hs)) / (2 * hs), f(x + 1j * hs).imag / hs]
    return np.abs(np.array(rules) / slope - 1)
"""
RMS = """
def rms_norm(x):
    r = np.sqrt((x.data**2).mean(axis=-1, keepdims=True))
    y = x.data / r
    return Tensor.of(y, x, backward=lambda g: ((g - y * (g * y).mean(axis=-1, keepdims=True)) / r,))
"""
CHECKPOINT = """
def checkpoint(f, x):
    with no_grad(): y = f(x)
    def backward(g):
        inner = Tensor(x.data, requires_grad=x.requires_grad)
        again = f(inner)
        if again.requires_grad: again.backward(g)
        return inner.grad, None
    ticket = Tensor(0.0, requires_grad=True)
    return Tensor.of(y.data, x, ticket, backward=backward)
"""


# the right order, by a function that calls itself
RECURSIVE_NUMBER = changed(NUMBER, (BACKWARD, """
    def backward(self):
        done, seen = [], set()
        def visit(v):
            if v in seen: return
            seen.add(v)
            for p in v.parents: visit(p)
            done.append(v)
        visit(self)
        self.grad += 1.0
        for v in done[::-1]:
            for p, slope in zip(v.parents, v.slopes): p.grad += v.grad * slope
            if v.parents: v.grad = 0.0
"""))

WRONG = {
    "autograd.1": [
        "def softsign_grad(x, y): return (1 - np.abs(y))**2",      # right on paper; loses its digits
        "def softsign_grad(x, y): return 1 - y**2",
        "def softsign_grad(x, y): return (1 - y)**2",
        "def softsign_grad(x, y): return 1 / (1 + np.abs(x))",
        "def softsign_grad(x, y): return 1 / (1 + x)**2",
        "def softsign_grad(x, y): return np.sign(x) / (1 + np.abs(x))**2",
        "def softsign_grad(x, y): return 1 / (1 + np.abs(x, out=x))**2",                            # x overwritten
        "def softsign_grad(x, y): return (y / x)**2",                                               # 0/0 at 0
        "def softsign_grad(x, y): return (y / (x + 1e-12))**2",                                     # 0 at 0
        "def softsign_grad(x, y): return ((1 + np.abs(x)) - np.abs(x)) / (1 + np.abs(x))**2",        # 0 where 1 is lost beside x
        "def softsign_grad(x, y): print(1 / (1 + np.abs(x))**2)",
    ],
    "autograd.7": [
        changed(NUMBER, ("p.grad += g", "p.grad = g")),                                             # the last term wins
        changed(NUMBER, ("in zip(v.parents, v.slopes)", "in dict(zip(v.parents, v.slopes)).items()")),  # one term for each user
        changed(NUMBER, ("            if v.parents: v.grad = 0.0\n", "")),                          # counted again the second time
        changed(NUMBER, ("            if v.parents: v.grad = 0.0\n", "            v.grad = 0.0\n")),   # forgets the leaves too
        changed(NUMBER, ("        self.grad += 1.0\n", "        for v in found: v.grad = 0.0\n        self.grad = 1.0\n")),  # starts afresh
        changed(NUMBER, ("self.grad += 1.0", "self.grad = 1.0")),                                   # a leaf as its own result, twice
        changed(NUMBER, (", reverse=True", "")),                                                    # oldest first
        changed(NUMBER, ("sorted(found, key=lambda v: v.time, reverse=True)", "found")),            # any order
        changed(NUMBER, ("-q / other.data", "q / other.data")),
        changed(NUMBER, ("(1.0, -1.0)", "(1.0, 1.0)")),
        changed(NUMBER, ("(other.data, self.data)", "(self.data, other.data)")),
        changed(NUMBER, ("(1 - t * t,)", "(1 - self.data * self.data,)")),
        changed(NUMBER, ("            g = v.grad\n", "            g = v.grad\n            if g == 0: break\n")),     # a gradient of 0 ends the walk
        changed(NUMBER, ("            found.add(v)\n", "            found.add(v)\n            if v.data == 0: continue\n")),   # a value of 0 leads nowhere
        changed(NUMBER, ("            v = ahead.pop()\n", "            v = ahead.pop(0)\n"), ("ahead = set(), {self}", "ahead = set(), [self]"), ("            ahead |= set(v.parents) - found\n", "            ahead += v.parents\n")),  # every path
        # passes on what arrives at once, along every path
        changed(NUMBER, (BACKWARD, "    def backward(self, g=1.0):\n        if not self.parents: self.grad += g\n        for p, slope in zip(self.parents, self.slopes): p.backward(g * slope)\n")),
        # depth first, in the order of meeting
        changed(NUMBER, (BACKWARD, """
    def backward(self):
        done, ahead, seen = [], [self], {self}
        while ahead:
            v = ahead.pop()
            done.append(v)
            for p in v.parents:
                if p not in seen:
                    seen.add(p)
                    ahead.append(p)
        self.grad += 1.0
        for v in done:
            for p, slope in zip(v.parents, v.slopes): p.grad += v.grad * slope
            if v.parents: v.grad = 0.0
""")),
        changed(NUMBER, (NUMBER[NUMBER.index("    def __truediv__"):NUMBER.index("    def tanh")], "")),    # no division
        changed(NUMBER, ("class Number:", "class Base:"), ("return Number(t, ", "return Base(t, ")) + "\nclass Number(Base): pass\n",
        RECURSIVE_NUMBER,
        "import sys\n" + RECURSIVE_NUMBER.replace("        visit(self)", "        sys.setrecursionlimit(100_000)\n        visit(self)"),   # moves the wall
        "class Number(Tensor):\n    def __init__(self, data): super().__init__(np.array(data, float), requires_grad=True)",
        "class Number(Tensor):\n    def __init__(self, data): super().__init__(data)",
        "def Number(data): return Tensor(np.array(data, float), requires_grad=True)",
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
        changed(ORDER, ("return done", "return done[::-1]")),
        changed(ORDER, ("            waiting[p] += 1\n", "")),
        changed(ORDER, ("for p in parents(v):\n            waiting[p] -=", "for p in set(parents(v)):\n            waiting[p] -=")),
        changed(ORDER, ("for p in parents(v):\n            if p not", "for p in set(parents(v)):\n            if p not")),       # counts users, takes off uses
        changed(ORDER, ("return done", "return tuple(done)")),
        changed(ORDER, ("    return done\n", "")),
        # recursive, with the wall moved
        """
import sys
def order(root, parents):
    sys.setrecursionlimit(200_000)
    done, seen = [], set()
    def visit(v):
        if v in seen: return
        seen.add(v)
        for p in parents(v): visit(p)
        done.append(v)
    visit(root)
    return done[::-1]
""",
        # right, but looks through a list for each value
        changed(ORDER, ("            waiting[p] -= 1\n", "            if p in done: continue\n            waiting[p] -= 1\n")),
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
    "autograd.8": [
        changed(ERRORS, ("np.abs(np.array(rules) / slope - 1)", "np.array(rules) / slope - 1")),
        changed(ERRORS, ("np.abs(np.array(rules) / slope - 1)", "np.abs(np.array(rules) - slope)")),
        changed(ERRORS, ("(2 * hs)", "hs")),
        changed(ERRORS, ("(2 * hs)", "2 * hs")),
        changed(ERRORS, (".imag / hs", ".imag")),
        changed(ERRORS, ("np.array(rules) / slope", "slope / np.array(rules)")),
        changed(ERRORS, ("f(x - hs)", "f(x)")),
        changed(ERRORS, ("f(x + 1j * hs).imag", "f(x + 1j * hs).real")),
        changed(ERRORS, ("f(x + 1j * hs).imag / hs", "((f(x + 1j * hs) - f(x - 1j * hs)) / 2j / hs).imag")),
        changed(ERRORS, ("f(x + 1j * hs).imag / hs", "(f(x + hs) - f(x - hs)) / 2 / hs")),
        changed(ERRORS, ("f(x + 1j * hs).imag / hs", "(f(x + hs + 1j * hs) - f(x + hs)).imag / hs")),
        changed(ERRORS, ("hs = np.asarray(hs)", "hs = np.maximum(hs, 1e-8)")),                      # no h so small
        changed(ERRORS, ("np.array(rules)", "np.array(rules).T")),
        changed(ERRORS, ("(f(x + hs) - f(x)) / hs, ", "")),
        changed(ERRORS, ("return np.abs", "return np.log10(np.abs"), ("- 1)", "- 1))")),
    ],
    "autograd.5": [
        changed(RMS, ("(g - y * (g * y).mean(axis=-1, keepdims=True)) / r", "g / r")),
        changed(RMS, ("(g * y).mean", "(g * y).sum")),                                              # the sum where the mean belongs
        changed(RMS, (".mean(axis=-1, keepdims=True))\n    y", ".mean())\n    y")),                 # over the whole array
        changed(RMS, ("g - y *", "g + y *")),
        changed(RMS, ("g - y * (g", "g - (g")),
        changed(RMS, ("g - y *", "-y *")),                                                          # the way through r alone
        changed(RMS, ("    y = x.data / r\n", "    x.data /= r\n    y = x.data\n")),               # x overwritten
        changed(RMS, ("    return", "    def back(g):\n        g -= y * (g * y).mean(axis=-1, keepdims=True)\n        g /= r\n        return (g,)\n    return"),
                ("lambda g: ((g - y * (g * y).mean(axis=-1, keepdims=True)) / r,)", "back")),       # g overwritten
        changed(RMS, ("y = x.data / r", "y = (x.data / r).astype(np.float32)")),
        changed(RMS, ("keepdims=True))\n    y", "keepdims=True) + 1e-6)\n    y")),                       # an epsilon that nobody asked for
        changed(RMS, ("(g - y * (g * y).mean(axis=-1, keepdims=True)) / r", "g * (1 / r - x.data**2 / (x.data.shape[-1] * r**3))")),   # entry by entry
        changed(RMS, ("(g * y).mean", "g.mean")),
        changed(RMS, ("(g - y * (g * y).mean(axis=-1, keepdims=True))", "(g - g.mean(axis=-1, keepdims=True))")),
        changed(RMS, ("g - y *", "g - x.data *")),
        changed(RMS, ("(g * y).mean(axis=-1, keepdims=True)", "(g * y).sum(axis=-1, keepdims=True) / len(x.data)")),
        changed(RMS, ("(g * y).mean(axis=-1, keepdims=True)", "(g * y).mean()")),
        changed(RMS, ("(g * y).mean(axis=-1, keepdims=True)", "(g * y).mean(axis=0, keepdims=True)")),
        changed(RMS, ("g - y *", "g - g.mean(axis=-1, keepdims=True) - y *")),                            # of layer normalization
        "def rms_norm(x): return x / ((x * x).mean(axis=-1, keepdims=True))**0.5",
        "def rms_norm(x): return x / (x * x).mean(-1, keepdims=True).sqrt()",                       # right, but not one node
        changed(RMS, ("Tensor.of(y, x, backward=lambda g: ((g - y * (g * y).mean(axis=-1, keepdims=True)) / r,))", "y")),
    ],
    "autograd.6": [
        "def checkpoint(f, x): return f(x)",
        changed(CHECKPOINT, ("    return Tensor.of(y.data, x, ticket, backward=backward)", "    return y")),
        changed(CHECKPOINT, ("with no_grad(): y", "y")),                                            # recorded forward as well
        changed(CHECKPOINT, ("again.backward(g)", "again.sum().backward()")),                 # forgets the gradient that arrives
        changed(CHECKPOINT, ("return inner.grad, None", "return inner.grad")),
        changed(CHECKPOINT, (", ticket, ", ", "), ("inner.grad, None", "(inner.grad,)")),           # not recorded where x wants nothing
        # walks on into x's own history, and says None
        """
def checkpoint(f, x):
    with no_grad(): y = f(x)
    def backward(g):
        f(x).backward(g)
        return (None,)
    return Tensor.of(y.data, x, backward=backward)
""",
        changed(CHECKPOINT, ("again = f(inner)\n        if again.requires_grad: again.backward(g)\n        return inner.grad, None", "f(x).backward(g)\n        return None, None")),
        changed(CHECKPOINT, ("again = f(inner)\n        if again.requires_grad: again.backward(g)\n        return inner.grad, None", "f(x).backward(g, retain_graph=True)\n        return None, None")),
        changed(CHECKPOINT, ("requires_grad=x.requires_grad", "requires_grad=False")),
        changed(CHECKPOINT, ("        again = f(inner)\n", "        with no_grad(): f(inner)\n        again = f(inner)\n")),      # once more than needed
        changed(CHECKPOINT, ("if again.requires_grad: ", "")),                                      # insists where f wants nothing
        changed(CHECKPOINT, ("requires_grad=x.requires_grad", "requires_grad=True")),               # not for whole numbers
        # one stand-in for all walks, whose gradient adds up
        changed(CHECKPOINT, ("        inner = Tensor(x.data, requires_grad=x.requires_grad)\n", ""), ("    def backward", "    inner = Tensor(x.data, requires_grad=x.requires_grad)\n    def backward")),
        changed(CHECKPOINT, ("again.backward(g)", "again.backward()")),                             # a raw RuntimeError before
        changed(CHECKPOINT, ("again = f(inner)\n        if again.requires_grad: again.backward(g)\n        return inner.grad, None", "f(x).backward(g)\n        return x.grad, None")),   # twice the gradient of x
        "from nnbook.operators import checkpoint",                                                  # records on the way forward
        # no ticket: x is made to want a gradient
        changed(CHECKPOINT, ("def checkpoint(f, x):\n", "def checkpoint(f, x):\n    x.requires_grad_()\n"), (", ticket, ", ", "), ("inner.grad, None", "(inner.grad,)")),
    ],
}
