"""Convolution beside its peers: CPU time of one training step of a small network, on one core, as ratios to PyTorch.

    python bench/cnn.py                 # the tables, as text
    python bench/cnn.py --markdown      # as Markdown, for the README
    python bench/cnn.py --processes 1   # shorter and noisier (default 5)

The network: convolution 3×3 to 16 channels, ReLU, max pooling 2×2, convolution 3×3 to 32 channels, ReLU, max pooling 2×2, one
linear layer to 10 classes; cross-entropy and plain gradient descent. Rounds and processes as in bench/rounds.py, peers as in bench/engine.py. All
start from the same weights, and the losses of their first steps are compared. The second table holds nnbook beside PyTorch at
other sizes of images and batches: where µs an image is the same, the time is proportional to what there is to do.
"""

from rounds import LESS, main, measure, prepare, ratios, row, rows_of_engines, show

# isort: split
import numpy as np  # after rounds, which keeps every library to one thread

CASE, SIZES = (28, 64), [(14, 64), (28, 8), (28, 64), (28, 256), (56, 64), (112, 16)]          # (side of the images, batch)
LR = 0.01
CAVEAT = f"{LESS} With more cores PyTorch, JAX and tinygrad leave NumPy behind."


def problem(side, batch):
    "Images (batch, 1, side, side), labels (batch,), and the weights and biases of the three layers, float32."
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((batch, 1, side, side)).astype(np.float32), rng.integers(0, 10, batch)
    shapes = (16, 1, 3, 3), (32, 16, 3, 3), (10, 32 * (side // 4) ** 2)
    weights = [a for s in shapes for a in ((rng.standard_normal(s) * (2 / np.prod(s[1:])) ** 0.5).astype(np.float32), np.zeros(s[0], np.float32))]
    return x, y, weights


# Each engine: step(side, batch) returns a function that does one step and returns the loss.

class nnbook:
    "As one writes it: Sequential and SGD."

    def step(side, batch):
        from nnbook.autograd import cross_entropy
        from nnbook.cnn import Conv2d, MaxPool2d
        from nnbook.layers import Flatten, Linear, ReLU, Sequential
        from nnbook.optim import SGD
        x, y, weights = problem(side, batch)
        model = Sequential(Conv2d(1, 16, 3, padding=1), ReLU(), MaxPool2d(2), Conv2d(16, 32, 3, padding=1), ReLU(), MaxPool2d(2),
                           Flatten(), Linear(32 * (side // 4) ** 2, 10))
        for p, w in zip(model.parameters(), weights, strict=True):
            p.data[...] = w
        optimizer = SGD(model.parameters(), lr=LR)
        def run():
            loss = cross_entropy(model(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            return loss
        return run


class torch:
    "As one writes it: nn.Sequential and optim.SGD."

    def step(side, batch):
        import torch
        from torch import nn
        torch.set_num_threads(1)
        x, y, weights = problem(side, batch)
        x, y = torch.from_numpy(x), torch.from_numpy(y)
        model = nn.Sequential(nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
                              nn.Flatten(), nn.Linear(32 * (side // 4) ** 2, 10))
        with torch.no_grad():
            for p, w in zip(model.parameters(), weights, strict=True):
                p.copy_(torch.from_numpy(w))
        optimizer = torch.optim.SGD(model.parameters(), lr=LR)
        def run():
            loss = nn.functional.cross_entropy(model(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            return loss
        return run


class mygrad:
    def step(side, batch):
        import mygrad as mg
        from mygrad.nnet.activations import relu
        from mygrad.nnet.layers import conv_nd, max_pool
        from mygrad.nnet.losses import softmax_crossentropy
        x, y, weights = problem(side, batch)
        params = [mg.tensor(w) for w in weights]
        def run():
            h = x
            for w, b in (params[:2], params[2:4]):
                h = max_pool(relu(conv_nd(h, w, stride=1, padding=1) + b.reshape(1, -1, 1, 1)), (2, 2), 2)
            loss = softmax_crossentropy(mg.matmul(h.reshape(batch, -1), params[4].T) + params[5], y)
            loss.backward()
            for p in params:
                p.data -= LR * p.grad
            return loss
        return run


class autograd:
    def step(side, batch):
        import autograd.numpy as anp
        from autograd import value_and_grad
        from autograd.scipy.signal import convolve
        x, y, weights = problem(side, batch)
        rows = np.arange(batch)
        def loss_of(params):
            h = x
            for w, b in (params[:2], params[2:4]):
                h = anp.pad(h, ((0, 0), (0, 0), (1, 1), (1, 1)), "constant")
                h = convolve(h, w[:, :, ::-1, ::-1], axes=([2, 3], [2, 3]), dot_axes=([1], [1]), mode="valid")      # it turns the kernel around
                h = anp.maximum(h + b.reshape(1, -1, 1, 1), 0)
                n, c, s, _ = h.shape
                h = anp.max(anp.max(h.reshape(n, c, s // 2, 2, s // 2, 2), axis=5), axis=3)
            h = anp.dot(h.reshape(batch, -1), params[4].T) + params[5]
            h = h - anp.max(h, axis=1, keepdims=True)
            return anp.mean(anp.log(anp.sum(anp.exp(h), axis=1)) - h[rows, y])
        both = value_and_grad(loss_of)
        def run():
            loss, grads = both(weights)
            for p, g in zip(weights, grads):
                p -= LR * g.astype(np.float32)
            return loss
        return run


class tinygrad:
    def step(side, batch):
        from tinygrad import Tensor, TinyJit
        x, y, weights = problem(side, batch)
        x, y, params = Tensor(x).realize(), Tensor(y.astype(np.int32)).realize(), [Tensor(w).realize() for w in weights]
        @TinyJit
        def run():
            h = x
            for w, b in (params[:2], params[2:4]):
                h = h.conv2d(w, b, padding=1).relu().max_pool2d((2, 2))
            loss = h.flatten(1).linear(params[4].T, params[5]).sparse_categorical_crossentropy(y)
            for p, g in zip(params, loss.gradient(*params)):
                p.assign(p - LR * g)
            Tensor.realize(loss, *params)
            return loss
        return run


class jax:
    "The whole step compiled."

    def step(side, batch):
        import jax
        import jax.numpy as jnp
        from jax import lax
        x, y, weights = problem(side, batch)
        x, y, state = jnp.asarray(x), jnp.asarray(y), [jnp.asarray(w) for w in weights]
        def loss_of(params):
            h = x
            for w, b in (params[:2], params[2:4]):
                h = jax.nn.relu(lax.conv(h, w, (1, 1), "SAME") + b.reshape(1, -1, 1, 1))
                h = lax.reduce_window(h, -jnp.inf, lax.max, (1, 1, 2, 2), (1, 1, 2, 2), "VALID")
            h = h.reshape(batch, -1) @ params[4].T + params[5]
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


ENGINES = {  # what the table says: the class, and the package whose version is printed
    "**nnbook**": (nnbook, "nnbook"), "PyTorch eager": (torch, "torch"), "mygrad": (mygrad, "mygrad"), "HIPS autograd": (autograd, "autograd"),
    "tinygrad, jit": (tinygrad, "tinygrad"), "JAX, jit": (jax, "jax"),
}


def measured(side: int, batch: int, rounds: int, engines: dict) -> tuple[dict, dict]:
    "CPU microseconds of one step, by engine; and the missing peers."
    ready, missing = prepare(engines, lambda engine: engine.step(side, batch), reference="**nnbook**")
    return measure(ready, rounds), missing


def worker(case: str, rounds: int):
    "What one process measures: all engines at one size, or nnbook and PyTorch at several."
    if case == "engines":
        return measured(*CASE, rounds, ENGINES)
    two = {name: ENGINES[name] for name in ("**nnbook**", "PyTorch eager")}
    return [measured(*size, rounds, two)[0] for size in SIZES]


def tables(found: dict, markdown: bool) -> None:
    engines = found["engines"]
    show("CNN step 1×28×28, batch 64", rows_of_engines([micros for micros, _ in engines], ENGINES, "PyTorch eager"), engines[0][1], markdown)
    rows = []
    for (side, batch), runs in zip(SIZES, zip(*found["sizes"])):
        rows.append(row(f"{side}×{side}, batch {batch}", [m["**nnbook**"] / batch for m in runs], ratios(runs, "**nnbook**", "PyTorch eager")))
    show("nnbook's CNN step, an image", rows, {}, markdown)
    print(CAVEAT)


if __name__ == "__main__":
    main(__doc__, ["engines", "sizes"], worker, tables, rounds=15)
