"""A recurrent layer beside its peers: CPU time of one training step, on one core, as ratios to PyTorch.

    python bench/rnn.py                 # the tables, as text
    python bench/rnn.py --markdown      # as Markdown, for the README
    python bench/rnn.py --processes 1   # shorter and noisier (default 5)

The step: one layer, an LSTM or a GRU, of 128 units over sequences of 64 steps with 128 inputs, batch 32; the mean of its squared
distance to a target, and plain gradient descent. Rounds and processes as in bench/rounds.py, peers as in bench/engine.py. All start from the same
weights, and the losses of their first steps are compared. The second table holds nnbook beside PyTorch over the length of the
sequences: where µs a step of the sequence is the same, the time is proportional to the length.
"""

from rounds import LESS, main, measure, prepare, ratios, row, rows_of_engines, show

# isort: split
import numpy as np  # after rounds, which keeps every library to one thread

HIDDEN, BATCH, STEPS, LENGTHS = 128, 32, 64, (16, 64, 128, 256, 512)
GATES = {"LSTM": 4, "GRU": 3}
LR = 1.0
CAVEAT = f"{LESS} With more cores or a GPU PyTorch and JAX leave NumPy behind."


def problem(kind, steps):
    "Inputs (batch, steps, 128), targets of the same shape, and weight_ih, weight_hh, bias_ih, bias_hh, float32."
    rng, rows = np.random.default_rng(0), GATES[kind] * HIDDEN
    x, y = rng.standard_normal((2, BATCH, steps, HIDDEN)).astype(np.float32)
    return x, y, [rng.uniform(-(HIDDEN**-0.5), HIDDEN**-0.5, s).astype(np.float32) for s in ((rows, HIDDEN), (rows, HIDDEN), (rows,), (rows,))]


# Each engine: step(kind, steps) returns a function that does one step and returns the loss.

class nnbook:
    "The node of nnbook.kernels, which the layers call, and SGD."

    def step(kind, steps):
        from nnbook import kernels
        from nnbook.autograd import Tensor, mse
        from nnbook.optim import SGD
        x, y, weights = problem(kind, steps)
        layer, params = getattr(kernels, kind.lower()), [Tensor(w, requires_grad=True) for w in weights]
        first, optimizer = [np.zeros((BATCH, HIDDEN), np.float32)] * (2 if kind == "LSTM" else 1), SGD(params, lr=LR)
        def run():
            loss = mse(layer(x, *first, *params)[0], y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            return loss
        return run


def torch_loop(model, x, y):
    "Training steps of a torch model that returns the outputs (batch, steps, 128)."
    import torch
    optimizer = torch.optim.SGD(model.parameters(), lr=LR)
    def run():
        loss = torch.nn.functional.mse_loss(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss
    return run


class torch:
    "nn.LSTM or nn.GRU, and optim.SGD."

    def step(kind, steps):
        import torch
        torch.set_num_threads(1)
        x, y, weights = problem(kind, steps)
        class Outputs(getattr(torch.nn, kind)):
            def forward(self, x): return super().forward(x)[0]
        model = Outputs(HIDDEN, HIDDEN, batch_first=True)
        with torch.no_grad():
            for p, w in zip(model.parameters(), weights, strict=True):
                p.copy_(torch.from_numpy(w))
        return torch_loop(model, torch.from_numpy(x), torch.from_numpy(y))


class torch_by_hand:
    "A loop over a cell written with torch's operators; the gates of a step in one product with the state, those of all inputs at once."

    def step(kind, steps):
        import torch
        torch.set_num_threads(1)
        x, y, weights = problem(kind, steps)
        class Loop(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.w_ih, self.w_hh, self.b_ih, self.b_hh = (torch.nn.Parameter(torch.from_numpy(w)) for w in weights)
            def forward(self, x):
                linear, h = torch.nn.functional.linear, torch.zeros(BATCH, HIDDEN)
                c, outputs = h, []
                for z in linear(x, self.w_ih, self.b_ih).unbind(1):
                    a = linear(h, self.w_hh, self.b_hh)
                    if kind == "LSTM":
                        i, f, g, o = (z + a).chunk(4, dim=1)
                        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
                        h = torch.sigmoid(o) * torch.tanh(c)
                    else:
                        (zr, zz, zn), (ar, az, an) = z.chunk(3, dim=1), a.chunk(3, dim=1)
                        n = torch.tanh(zn + torch.sigmoid(zr + ar) * an)
                        h = n + torch.sigmoid(zz + az) * (h - n)
                    outputs.append(h)
                return torch.stack(outputs, dim=1)
        return torch_loop(Loop(), torch.from_numpy(x), torch.from_numpy(y))


def cell(xp, sigmoid, kind, z, a, h, c):
    "One step with the functions of module xp, from what x and h were multiplied to; the next h and c."
    part = lambda v, k: v[:, k * HIDDEN : (k + 1) * HIDDEN]
    if kind == "LSTM":
        z = z + a
        c = sigmoid(part(z, 1)) * c + sigmoid(part(z, 0)) * xp.tanh(part(z, 2))
        return sigmoid(part(z, 3)) * xp.tanh(c), c
    n = xp.tanh(part(z, 2) + sigmoid(part(z, 0) + part(a, 0)) * part(a, 2))
    return n + sigmoid(part(z, 1) + part(a, 1)) * (h - n), c


class mygrad:
    def step(kind, steps):
        import mygrad as mg
        from mygrad.nnet.activations import sigmoid
        x, y, weights = problem(kind, steps)
        x, y, params = x.swapaxes(0, 1).copy(), y.swapaxes(0, 1).copy(), [mg.tensor(w) for w in weights]
        def run():
            w_ih, w_hh, b_ih, b_hh = params
            h = c = np.zeros((BATCH, HIDDEN), np.float32)
            zs, outputs = mg.matmul(x, w_ih.T) + b_ih, []
            for t in range(steps):
                h, c = cell(mg, sigmoid, kind, zs[t], mg.matmul(h, w_hh.T) + b_hh, h, c)
                outputs.append(h)
            loss = mg.mean((mg.stack(outputs) - y) ** 2)
            loss.backward()
            for p in params:
                p.data -= LR * p.grad
            return loss
        return run


class autograd:
    def step(kind, steps):
        import autograd.numpy as anp
        from autograd import value_and_grad
        x, y, weights = problem(kind, steps)
        x, y = x.swapaxes(0, 1).copy(), y.swapaxes(0, 1).copy()
        sigmoid = lambda z: 0.5 * anp.tanh(0.5 * z) + 0.5
        def loss_of(params):
            w_ih, w_hh, b_ih, b_hh = params
            h = c = np.zeros((BATCH, HIDDEN), np.float32)
            zs, outputs = anp.dot(x, w_ih.T) + b_ih, []
            for t in range(steps):
                h, c = cell(anp, sigmoid, kind, zs[t], anp.dot(h, w_hh.T) + b_hh, h, c)
                outputs.append(h)
            return anp.mean((anp.stack(outputs) - y) ** 2)
        both = value_and_grad(loss_of)
        def run():
            loss, grads = both(weights)
            for p, g in zip(weights, grads):
                p -= LR * g.astype(np.float32)
            return loss
        return run


class jax:
    "The whole step compiled, the loop a scan."

    def step(kind, steps):
        import jax
        import jax.numpy as jnp
        x, y, weights = problem(kind, steps)
        x, y, state = jnp.asarray(x.swapaxes(0, 1)), jnp.asarray(y.swapaxes(0, 1)), [jnp.asarray(w) for w in weights]
        def loss_of(params):
            w_ih, w_hh, b_ih, b_hh = params
            def advance(carry, z):
                h, c = cell(jnp, jax.nn.sigmoid, kind, z, carry[0] @ w_hh.T + b_hh, *carry)
                return (h, c), h
            zero = jnp.zeros((BATCH, HIDDEN), jnp.float32)
            _, outputs = jax.lax.scan(advance, (zero, zero), x @ w_ih.T + b_ih)
            return ((outputs - y) ** 2).mean()
        @jax.jit
        def update(params):
            loss, grads = jax.value_and_grad(loss_of)(params)
            return loss, [p - LR * g for p, g in zip(params, grads)]
        def run():
            nonlocal state
            loss, state = update(state)
            return loss.block_until_ready()
        return run


ENGINES = {  # what the table says: the class, and the package whose version is printed
    "**nnbook**": (nnbook, "nnbook"), "PyTorch": (torch, "torch"), "PyTorch, cell by hand": (torch_by_hand, "torch"), "mygrad": (mygrad, "mygrad"),
    "HIPS autograd": (autograd, "autograd"), "JAX, jit": (jax, "jax"),
}


def measured(kind: str, steps: int, rounds: int, engines: dict) -> tuple[dict, dict]:
    "CPU microseconds of one step, by engine; and the missing peers."
    ready, missing = prepare(engines, lambda engine: engine.step(kind, steps), reference="**nnbook**", rtol=1e-4)
    return measure(ready, rounds), missing


def worker(case: str, rounds: int):
    "What one process measures: all engines at one kind of layer, or nnbook and PyTorch over lengths."
    if case in GATES:
        return measured(case, STEPS, rounds, ENGINES)
    two = {name: ENGINES[name] for name in ("**nnbook**", "PyTorch")}
    return {f"{kind} {steps}": measured(kind, steps, rounds, two)[0] for kind in GATES for steps in LENGTHS}


def tables(found: dict, markdown: bool) -> None:
    for kind in GATES:
        show(f"{kind} step, 64 steps of 128 inputs, batch 32", rows_of_engines([micros for micros, _ in found[kind]], ENGINES, "PyTorch"), found[kind][0][1], markdown)
    rows = []
    for key in found["lengths"][0]:
        (kind, steps), runs = key.split(), [run[key] for run in found["lengths"]]
        rows.append(row(f"{kind}, {steps} steps", [m["**nnbook**"] / int(steps) for m in runs], ratios(runs, "**nnbook**", "PyTorch")))
    show("nnbook's step of training, a step of the sequence", rows, {}, markdown)
    print(CAVEAT)


if __name__ == "__main__":
    main(__doc__, [*GATES, "lengths"], worker, tables, rounds=15)
