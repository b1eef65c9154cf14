"""The engine beside its peers: CPU time of the same training step, on one core, as ratios to PyTorch.

    python bench/engine.py                 # the tables, as text
    python bench/engine.py --markdown      # as Markdown, for the README
    python bench/engine.py --processes 1   # shorter and noisier (default 5)

Rounds and processes as in bench/rounds.py. All engines start from the same weights, and what they compute is compared, so that
none is timed at something else.

Peers: pip install "nnbook[bench]" torch. tinygrad compiles with clang, which has to be on the PATH. A peer that is missing
is named, and left out.
"""

from rounds import LESS, main, measure, prepare, rows_of_engines, show

# isort: split
import numpy as np  # after rounds, which keeps every library to one thread

SIZES = {"MLP step 64→128→128→10, batch 64": ((64, 128, 128, 10), 64), "MLP step 784→512→10, batch 256": ((784, 512, 10), 256)}
OPERATIONS = "one operation on 8 numbers, forward and backward"
REPEATS = dict(zip([*SIZES, OPERATIONS], (20, 2, 30)))
CAVEAT = (f"{LESS} The ratios hold for small batches on one core, where overhead decides: "
          "with larger layers the matrix products take over and all engines approach the same speed; with more cores or a GPU PyTorch, JAX and tinygrad leave NumPy behind.")
LR, DEPTH = 0.01, 10


def problem(sizes, batch):
    "Inputs (batch, n_in), labels (batch,), and weights [W (n_out, n_in), b (n_out,), ...], float32."
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((batch, sizes[0])).astype(np.float32), rng.integers(0, sizes[-1], batch)
    weights = []
    for n_in, n_out in zip(sizes, sizes[1:]):
        weights += [(rng.standard_normal((n_out, n_in)) * (2 / n_in) ** 0.5).astype(np.float32), np.zeros(n_out, np.float32)]
    return x, y, weights


def vectors():
    "Two vectors of 8 numbers, float32."
    return np.random.default_rng(0).standard_normal((2, 8)).astype(np.float32)


# Each engine: step(sizes, batch) and chain() return a function that does the work once and returns the loss, or the gradient.
# The chain is x <- tanh(x * w + w), ten times: 30 operations.

class nnbook:
    "As one writes it: Sequential and SGD."

    def step(sizes, batch):
        from nnbook.autograd import cross_entropy
        from nnbook.layers import Linear, ReLU, Sequential
        from nnbook.optim import SGD
        x, y, weights = problem(sizes, batch)
        layers = [Linear(a, b) for a, b in zip(sizes, sizes[1:])]
        model = Sequential(*[m for layer in layers for m in (layer, ReLU())][:-1])
        for p, w in zip(model.parameters(), weights):
            p.data[...] = w
        optimizer = SGD(model.parameters(), lr=LR)
        def run():
            loss = cross_entropy(model(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            return loss
        return run

    def chain():
        from nnbook.autograd import Tensor, tanh
        x0, w0 = vectors()
        g = np.ones(8, np.float32)
        def run():
            x = h = Tensor(x0, requires_grad=True)
            w = Tensor(w0, requires_grad=True)
            for _ in range(DEPTH):
                h = tanh(h * w + w)
            h.backward(g)
            return x.grad
        return run


class nnbook_functional:
    "Bare tensors, no Module, no optimizer."

    def step(sizes, batch):
        from nnbook.autograd import Tensor, cross_entropy, linear, relu
        x, y, weights = problem(sizes, batch)
        x, params = Tensor(x), [Tensor(w, requires_grad=True) for w in weights]
        def run():
            h = linear(x, *params[:2])
            for i in range(2, len(params), 2):
                h = linear(relu(h), *params[i : i + 2])
            loss = cross_entropy(h, y)
            loss.backward()
            for p in params:
                p.data -= LR * p.grad
                p.grad = None
            return loss
        return run


class torch:
    "As one writes it: nn.Sequential and optim.SGD."

    def step(sizes, batch):
        import torch
        from torch import nn
        torch.set_num_threads(1)
        x, y, weights = problem(sizes, batch)
        x, y = torch.from_numpy(x), torch.from_numpy(y)
        layers = [nn.Linear(a, b) for a, b in zip(sizes, sizes[1:])]
        model = nn.Sequential(*[m for layer in layers for m in (layer, nn.ReLU())][:-1])
        with torch.no_grad():
            for p, w in zip(model.parameters(), weights):
                p.copy_(torch.from_numpy(w))
        optimizer = torch.optim.SGD(model.parameters(), lr=LR)
        def run():
            loss = nn.functional.cross_entropy(model(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            return loss
        return run

    def chain():
        import torch
        torch.set_num_threads(1)
        x0, w0 = map(torch.from_numpy, vectors())
        g = torch.ones(8)
        def run():
            x = h = x0.detach().requires_grad_()
            w = w0.detach().requires_grad_()
            for _ in range(DEPTH):
                h = torch.tanh(h * w + w)
            h.backward(g)
            return x.grad
        return run


class torch_functional:
    "The least that torch can do: bare tensors, no Module, no optimizer."

    def step(sizes, batch):
        import torch
        from torch.nn.functional import cross_entropy, linear, relu
        torch.set_num_threads(1)
        x, y, weights = problem(sizes, batch)
        x, y, params = torch.from_numpy(x), torch.from_numpy(y), [torch.tensor(w, requires_grad=True) for w in weights]
        def run():
            h = linear(x, *params[:2])
            for i in range(2, len(params), 2):
                h = linear(relu(h), *params[i : i + 2])
            loss = cross_entropy(h, y)
            loss.backward()
            with torch.no_grad():
                for p in params:
                    p -= LR * p.grad
                    p.grad = None
            return loss
        return run


class numpy:
    "Forward and backward written out by hand, no engine at all."

    def step(sizes, batch):
        x, y, weights = problem(sizes, batch)
        rows = np.arange(batch)
        def run():
            inputs, h = [], x
            for i in range(0, len(weights), 2):
                if i:
                    h = np.maximum(h, 0)
                inputs.append(h)
                h = h @ weights[i].T
                h += weights[i + 1]
            h -= h.max(axis=1, keepdims=True)
            p = np.exp(h)
            total = p.sum(axis=1, keepdims=True)
            loss = (np.log(total[:, 0]) - h[rows, y]).mean()
            p /= total
            p[rows, y] -= 1
            g = p / np.float32(batch)
            for i in range(len(weights) - 2, -1, -2):
                a = inputs[i // 2]
                dw, db = g.T @ a, g.sum(axis=0)
                if i:
                    g = g @ weights[i]
                    g *= a > 0
                weights[i] -= LR * dw
                weights[i + 1] -= LR * db
            return loss
        return run

    def chain():
        x0, w = vectors()
        def run():
            values = [x0]
            for _ in range(DEPTH):
                values.append(np.tanh(values[-1] * w + w))
            g, dw = np.ones(8, np.float32), np.zeros(8, np.float32)
            for before, after in zip(values[-2::-1], values[::-1]):
                g = g * (1 - after * after)
                dw = dw + g + g * before
                g = g * w
            return g
        return run


class mygrad:
    def step(sizes, batch):
        import mygrad as mg
        from mygrad.nnet.activations import relu
        from mygrad.nnet.losses import softmax_crossentropy
        x, y, weights = problem(sizes, batch)
        params = [mg.tensor(w) for w in weights]
        def run():
            h = mg.matmul(x, params[0].T) + params[1]
            for i in range(2, len(params), 2):
                h = mg.matmul(relu(h), params[i].T) + params[i + 1]
            loss = softmax_crossentropy(h, y)
            loss.backward()
            for p in params:
                p.data -= LR * p.grad
            return loss
        return run

    def chain():
        import mygrad as mg
        x0, w0 = vectors()
        def run():
            x = h = mg.tensor(x0)
            w = mg.tensor(w0)
            for _ in range(DEPTH):
                h = mg.tanh(h * w + w)
            h.backward()
            return x.grad
        return run


class autograd:
    def step(sizes, batch):
        import autograd.numpy as anp
        from autograd import value_and_grad
        x, y, weights = problem(sizes, batch)
        rows = np.arange(batch)
        def loss_of(params):
            h = anp.dot(x, params[0].T) + params[1]
            for i in range(2, len(params), 2):
                h = anp.dot(anp.maximum(h, 0), params[i].T) + params[i + 1]
            h = h - anp.max(h, axis=1, keepdims=True)
            return anp.mean(anp.log(anp.sum(anp.exp(h), axis=1)) - h[rows, y])
        both = value_and_grad(loss_of)
        def run():
            loss, grads = both(weights)
            for p, g in zip(weights, grads):
                p -= LR * g.astype(np.float32)
            return loss
        return run

    def chain():
        import autograd.numpy as anp
        from autograd import grad
        x0, w0 = vectors()
        def f(both):
            h, w = both
            for _ in range(DEPTH):
                h = anp.tanh(h * w + w)
            return anp.sum(h)
        both = grad(f)
        return lambda: both((x0, w0))[0]


class tinygrad:
    def step(sizes, batch):
        from tinygrad import Tensor, TinyJit
        x, y, weights = problem(sizes, batch)
        x, y, params = Tensor(x).realize(), Tensor(y.astype(np.int32)).realize(), [Tensor(w).realize() for w in weights]
        @TinyJit
        def run():
            h = x.linear(params[0].T, params[1])
            for i in range(2, len(params), 2):
                h = h.relu().linear(params[i].T, params[i + 1])
            loss = h.sparse_categorical_crossentropy(y)
            for p, g in zip(params, loss.gradient(*params)):
                p.assign(p - LR * g)
            Tensor.realize(loss, *params)
            return loss
        return run


class jax:
    "The whole step compiled."

    def step(sizes, batch):
        import jax
        import jax.numpy as jnp
        x, y, weights = problem(sizes, batch)
        x, y, state = jnp.asarray(x), jnp.asarray(y), [jnp.asarray(w) for w in weights]
        def loss_of(params):
            h = x @ params[0].T + params[1]
            for i in range(2, len(params), 2):
                h = jax.nn.relu(h) @ params[i].T + params[i + 1]
            return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(h), y[:, None], axis=1))
        @jax.jit
        def update(params):
            loss, grads = jax.value_and_grad(loss_of)(params)
            return loss, [p - LR * g for p, g in zip(params, grads)]
        def run():
            nonlocal state
            loss, state = update(state)
            return loss.block_until_ready()
        return run


class jax_eager:
    "Operation by operation, as one debugs it."

    def chain():
        import jax
        import jax.numpy as jnp
        x0, w0 = map(jnp.asarray, vectors())
        def f(x, w):
            for _ in range(DEPTH):
                x = jnp.tanh(x * w + w)
            return x.sum()
        both = jax.grad(f, argnums=(0, 1))
        return lambda: both(x0, w0)[0].block_until_ready()


ENGINES = {  # what the table says: the class, and the package whose version is printed
    "**nnbook**": (nnbook, "nnbook"), "nnbook, no Module or optimizer": (nnbook_functional, "nnbook"), "PyTorch eager": (torch, "torch"), "PyTorch eager, no Module or optimizer": (torch_functional, "torch"), "NumPy by hand": (numpy, "numpy"),
    "mygrad": (mygrad, "mygrad"), "HIPS autograd": (autograd, "autograd"), "tinygrad, jit": (tinygrad, "tinygrad"), "JAX, jit": (jax, "jax"), "JAX, eager": (jax_eager, "jax"),
}


def measured(case: str, rounds: int) -> tuple[dict, dict]:
    "CPU microseconds of one step or operation, by engine; and the missing peers."
    chain = case == OPERATIONS
    make = lambda engine: engine.chain() if chain and hasattr(engine, "chain") else engine.step(*SIZES[case]) if not chain and hasattr(engine, "step") else None
    ready, missing = prepare(ENGINES, make, reference="NumPy by hand")
    per = 3 * DEPTH if chain else 1
    return {name: micros / per for name, micros in measure(ready, rounds, REPEATS[case]).items()}, missing


def tables(found: dict, markdown: bool) -> None:
    for case, runs in found.items():
        show(case, rows_of_engines([micros for micros, _ in runs], ENGINES, "PyTorch eager"), runs[0][1], markdown)
    print(CAVEAT)


if __name__ == "__main__":
    main(__doc__, [*SIZES, OPERATIONS], measured, tables, rounds=30)
