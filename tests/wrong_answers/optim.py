"Plausible wrong answers to the exercises of the chapter on optimizers; each must fail its checker."

from conftest import changed

ADAMW = """
def adamw_step(p, g, m, v, t, lr=0.001, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.01):
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    step = m / (1 - beta1**t) / (np.sqrt(v / (1 - beta2**t)) + eps)
    return (1 - lr * weight_decay) * p - lr * step, m, v
"""
CLIP = """
def clip_together(gradients, max_norm):
    norm = np.sqrt(sum((g**2).sum() for g in gradients))
    factor = max_norm / norm if norm > max_norm else 1.0
    return [g * factor for g in gradients]
"""
SIGNUM = """
class Signum(Optimizer):
    def __init__(self, params, lr=1e-3, momentum=0.9): super().__init__(params, lr=lr, momentum=momentum)
    def _slots(self, group): return ("momentum_buffer",)
    def _update(self, p, g, memory, o, t, a, b):
        m = memory["momentum_buffer"]
        m *= o["momentum"]
        m += (1 - o["momentum"]) * g
        p -= o["lr"] * np.sign(m)
"""


WRONG = {
    "optim.1": [
        "def best_descent(c): return 2 / (np.max(c) + np.min(c)), 1 - 2 * np.min(c) / np.max(c)",
        "def best_descent(c): return 2 / (np.max(c) + np.min(c)), ((np.max(c) - np.min(c)) / (np.max(c) + np.min(c))) ** 2",
        "def best_descent(c): return (np.max(c) - np.min(c)) / (np.max(c) + np.min(c)), 2 / (np.max(c) + np.min(c))",
        "def best_descent(curvatures): return 2 / np.max(curvatures), 1.0",
        "def best_descent(curvatures): return 1 / np.max(curvatures), 1 - np.min(curvatures) / np.max(curvatures)",
        "def best_descent(curvatures): return 2 / (curvatures[0] + curvatures[-1]), (curvatures[-1] - curvatures[0]) / (curvatures[0] + curvatures[-1])",
        """
def best_descent(curvatures):
    root = (np.max(curvatures) / np.min(curvatures)) ** 0.5
    return 2 / (np.max(curvatures) + np.min(curvatures)), (root - 1) / (root + 1)
""",
        "def best_descent(curvatures): return 2 / (np.max(curvatures) + np.min(curvatures))",
    ],
    "optim.2": [
        # ε before the correction of v; the correction of the step before; the means as they were; β times t
        changed(ADAMW, ("(np.sqrt(v / (1 - beta2**t)) + eps)", "((np.sqrt(v) + eps) / np.sqrt(1 - beta2**t))")),
        changed(ADAMW, ("beta1**t", "beta1**(t - 1)"), ("beta2**t", "beta2**(t - 1)")),
        """
def adamw_step(p, g, m, v, t, lr=0.001, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.01):
    step = m / (1 - beta1**t) / (np.sqrt(v / (1 - beta2**t)) + eps)
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    return (1 - lr * weight_decay) * p - lr * step, m, v
""",
        changed(ADAMW, ("beta1**t", "beta1*t"), ("beta2**t", "beta2*t")),
        changed(ADAMW, ("beta1**t", "beta1**(t + 1)"), ("beta2**t", "beta2**(t + 1)")),
        changed(ADAMW, ("g**2", "g")),
        changed(ADAMW, ("(1 - beta1) * g", "g")),
        changed(ADAMW, ("beta1 * m + (1 - beta1) * g", "(1 - beta1) * m + beta1 * g")),
        changed(ADAMW, ("np.sqrt(v / (1 - beta2**t))", "v / (1 - beta2**t)")),
        changed(ADAMW, ("(1 - lr * weight_decay) * p - lr * step", "(1 - lr * weight_decay) * (p - lr * step)")),
        changed(ADAMW, ("v / (1 - beta2**t)", "v")),
        changed(ADAMW, ("* p - lr * step", "* p + lr * step")),
        changed(ADAMW, ("(1 - lr * weight_decay) * p", "p")),
        changed(ADAMW, ("beta1 * m + (1 - beta1)", "0.9 * m + 0.1"), ("beta2 * v + (1 - beta2)", "0.999 * v + 0.001")),        # the betas written in
        # no bias correction
        """
def adamw_step(p, g, m, v, t, lr=0.001, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.01):
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    return (1 - lr * weight_decay) * p - lr * m / (np.sqrt(v) + eps), m, v
""",
        # the corrected means are stored
        """
def adamw_step(p, g, m, v, t, lr=0.001, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.01):
    m = (beta1 * m + (1 - beta1) * g) / (1 - beta1**t)
    v = (beta2 * v + (1 - beta2) * g**2) / (1 - beta2**t)
    return (1 - lr * weight_decay) * p - lr * m / (np.sqrt(v) + eps), m, v
""",
        # L2 in the gradient
        """
def adamw_step(p, g, m, v, t, lr=0.001, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.01):
    g = g + weight_decay * p
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    return p - lr * m / (1 - beta1**t) / (np.sqrt(v / (1 - beta2**t)) + eps), m, v
""",
        # eps inside the root
        """
def adamw_step(p, g, m, v, t, lr=0.001, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.01):
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    return (1 - lr * weight_decay) * p - lr * m / (1 - beta1**t) / np.sqrt(v / (1 - beta2**t) + eps), m, v
""",
        # the decay without the rate
        """
def adamw_step(p, g, m, v, t, lr=0.001, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.01):
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    return (1 - weight_decay) * p - lr * m / (1 - beta1**t) / (np.sqrt(v / (1 - beta2**t)) + eps), m, v
""",
        # in place
        """
def adamw_step(p, g, m, v, t, lr=0.001, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.01):
    m *= beta1
    m += (1 - beta1) * g
    v *= beta2
    v += (1 - beta2) * g**2
    return (1 - lr * weight_decay) * p - lr * m / (1 - beta1**t) / (np.sqrt(v / (1 - beta2**t)) + eps), m, v
""",
    ],
    "optim.3": [
        changed(CLIP, ("np.sqrt(sum((g**2).sum() for g in gradients))", "max(np.linalg.norm(g) for g in gradients)")),
        changed(CLIP, ("np.sqrt(sum((g**2).sum() for g in gradients))", "max(np.abs(g).max() for g in gradients)")),
        "def clip_together(gradients, max_norm):\n    norm = sum(np.linalg.norm(g) for g in gradients)\n    return [g * max_norm / norm for g in gradients]",
        changed(CLIP, ("sum()", "mean()")),
        changed(CLIP, ("np.sqrt(sum((g**2).sum() for g in gradients))", "sum((g**2).sum() for g in gradients)")),
        changed(CLIP, ("norm > max_norm", "norm < max_norm")),
        changed(CLIP, (" if norm > max_norm else 1.0", "")),
        # the caller's own arrays come back when nothing is to be clipped
        changed(CLIP, ("    return [g * factor for g in gradients]", "    return [g * factor for g in gradients] if norm > max_norm else gradients")),
        changed(CLIP, ("[g * factor for g in gradients]", "[g if factor == 1 else g * factor for g in gradients]")),
        "def clip_together(gradients, max_norm): return [g * min(1, max_norm / max(np.linalg.norm(g), 1e-12)) for g in gradients]",
        "def clip_together(gradients, max_norm): return [np.clip(g, -max_norm, max_norm) for g in gradients]",
        """
def clip_together(gradients, max_norm):
    norm = np.sqrt(sum((g**2).sum() for g in gradients))
    return [g * max_norm / norm for g in gradients]
""",
        """
def clip_together(gradients, max_norm):
    norm = sum(np.sqrt((g**2).sum()) for g in gradients)
    factor = max_norm / norm if norm > max_norm else 1.0
    return [g * factor for g in gradients]
""",
        """
def clip_together(gradients, max_norm):
    norm = np.sqrt(sum((g**2).sum() for g in gradients))
    for g in gradients: g *= min(1.0, max_norm / max(norm, 1e-12))
    return gradients
""",
    ],
    "optim.4": [
        # the paper's formula, without its scale; a rise and a fall that are off by one
        "def inverse_sqrt(warmup): return lambda t: min((t + 1) ** -0.5, (t + 1) * warmup**-1.5)",
        "def inverse_sqrt(warmup): return lambda t: min(t / warmup, (warmup / (t + 1)) ** 0.5)",
        "def inverse_sqrt(warmup): return lambda t: (t + 1) / warmup if t < warmup else (warmup / t) ** 0.5",
        "def inverse_sqrt(warmup): return lambda t: min(t / warmup, (warmup / max(t, 1)) ** 0.5)",
        "def inverse_sqrt(warmup): return lambda t: (t + 1) / warmup if t < warmup else 1 / (t + 1) ** 0.5",
        "def inverse_sqrt(warmup): return lambda t: min((t + 1) / warmup, warmup / (t + 1))",
        "def inverse_sqrt(warmup): return 1 / warmup",
        "def inverse_sqrt(warmup): return lambda t: (t + 1) / warmup if t < warmup else 1 / (t + 1 - warmup + 1) ** 0.5",
        "def inverse_sqrt(warmup): return lambda t: min((t + 1) / warmup, 1.0)",
        "def inverse_sqrt(warmup): return lambda t: max((t + 1) / warmup, (warmup / (t + 1)) ** 0.5)",
    ],
    "optim.5": [
        "slopes = [1e-10] + [-1e-12] * 60",
        "slopes = [0.1] * 3 + [-0.3]",
        "slopes = [1010.0] + [-10.0] * 200",
        "slopes = [40.0] + [-1.0] * 45",
        "slopes = [3.0, -1.0, -1.0]",
        "slopes = [8.0] + [-1.0] * 7",
        "slopes = [-1.0]",
        "slopes = [float('inf'), -1.0]",
        "slopes = [1.0] * 50",
        "slopes = [1.5, -1.0]",
    ],
    "optim.6": [
        # the step before the gradient enters the momentum; the sign in the memory's place; a string for one name
        changed(SIGNUM, ('        m *= o["momentum"]\n        m += (1 - o["momentum"]) * g\n        p -= o["lr"] * np.sign(m)',
                         '        p -= o["lr"] * np.sign(m)\n        m *= o["momentum"]\n        m += (1 - o["momentum"]) * g')),
        changed(SIGNUM, ("np.sign(m)", "np.sign(m, out=m)")),
        changed(SIGNUM, ('("momentum_buffer",)', '"momentum_buffer"')),
        # makes a new array that nobody sees
        """
class Signum(Optimizer):
    def __init__(self, params, lr=1e-3, momentum=0.9): super().__init__(params, lr=lr, momentum=momentum)
    def _slots(self, group): return ("momentum_buffer",)
    def _update(self, p, g, memory, o, t, a, b):
        memory["momentum_buffer"] *= o["momentum"]
        memory["momentum_buffer"] += (1 - o["momentum"]) * g
        p = p - o["lr"] * np.sign(memory["momentum_buffer"])
""",
        # forgets the momentum
        """
class Signum(Optimizer):
    def __init__(self, params, lr=1e-3, momentum=0.9): super().__init__(params, lr=lr, momentum=momentum)
    def _slots(self, group): return ("momentum_buffer",)
    def _update(self, p, g, memory, o, t, a, b):
        m = o["momentum"] * memory["momentum_buffer"] + (1 - o["momentum"]) * g
        p -= o["lr"] * np.sign(m)
""",
        # the sign of the gradient, then the momentum
        """
class Signum(Optimizer):
    def __init__(self, params, lr=1e-3, momentum=0.9): super().__init__(params, lr=lr, momentum=momentum)
    def _slots(self, group): return ("momentum_buffer",)
    def _update(self, p, g, memory, o, t, a, b):
        m = memory["momentum_buffer"]
        m *= o["momentum"]
        m += (1 - o["momentum"]) * np.sign(g)
        p -= o["lr"] * m
""",
        # options not passed on
        """
class Signum(Optimizer):
    def __init__(self, params, lr=1e-3, momentum=0.9): super().__init__(params)
    def _slots(self, group): return ("momentum_buffer",)
    def _update(self, p, g, memory, o, t, a, b):
        memory["momentum_buffer"] *= 0.9
        memory["momentum_buffer"] += 0.1 * g
        p -= 1e-3 * np.sign(memory["momentum_buffer"])
""",
        # scribbles on the gradient
        """
class Signum(Optimizer):
    def __init__(self, params, lr=1e-3, momentum=0.9): super().__init__(params, lr=lr, momentum=momentum)
    def _slots(self, group): return ("momentum_buffer",)
    def _update(self, p, g, memory, o, t, a, b):
        m = memory["momentum_buffer"]
        m *= o["momentum"]
        g *= 1 - o["momentum"]
        m += g
        p -= o["lr"] * np.sign(m)
""",
        changed(SIGNUM, ("m = memory[\"momentum_buffer\"]\n        m *= o[\"momentum\"]\n        m +=", "memory[\"momentum_buffer\"] = o[\"momentum\"] * memory[\"momentum_buffer\"] +"), ("np.sign(m)", "np.sign(memory[\"momentum_buffer\"])")),
        changed(SIGNUM, ("np.sign(m)", "m")),
        changed(SIGNUM, ("p -= ", "p += ")),
        # the momentum written in; Lion
        changed(SIGNUM, ('m *= o["momentum"]', "m *= 0.9"), ('(1 - o["momentum"])', "0.1")),
        changed(SIGNUM, ('        m *= o["momentum"]\n        m += (1 - o["momentum"]) * g\n        p -= o["lr"] * np.sign(m)',
                         '        p -= o["lr"] * np.sign(o["momentum"] * m + (1 - o["momentum"]) * g)\n        m += 0.01 * (g - m)')),
        changed(SIGNUM, ("lr=1e-3", "lr=1e-2")),
        "def Signum(params, lr=1e-3, momentum=0.9): return params",
    ],
}
