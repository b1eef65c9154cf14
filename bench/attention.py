"""Attention beside its peers: CPU time of the way forward and back, on one core, as ratios to PyTorch; time and memory over the length.

    python bench/attention.py                 # the tables, as text
    python bench/attention.py --markdown      # as Markdown, for the README
    python bench/attention.py --processes 1   # shorter and noisier (default 5)

The step: four heads over sequences of 256, from queries, keys and values to the output, and from its gradient back to theirs. Rounds and
processes as in bench/rounds.py, peers as in bench/engine.py; all start from the same numbers, and the gradients of the queries are compared.
"PyTorch" is the formula in its operators, matmul, softmax, matmul, as one writes it; its scaled_dot_product_attention is beside it. Then the
whole layer, MultiHeadAttention beside torch.nn's in training mode; and lengths from 128 to 4,096, with the memory of a step, inputs not
counted: for NumPy the peak of what it asked for, by tracemalloc; for PyTorch, which tells nobody, how far the resident memory of a fresh
process rises above where it stood with all inputs made and a step of length 16 done. That leaves out what the process still had at hand,
up to about a megabyte, and needs Linux's /proc; elsewhere the table is left out.
"""

import multiprocessing
import os
import statistics
import tracemalloc

from rounds import LESS, main, measure, prepare, ratios, row, rows_of_engines, show

# isort: split
import numpy as np  # after rounds, which keeps every library to one thread

HEADS, LENGTH, LENGTHS = 4, 256, (128, 256, 512, 1024, 2048, 4096)
STEPS = {f"{HEADS} heads of width {d}, length {LENGTH}, batch {B}": (B, d) for d in (16, 64) for B in (8, 32)}
MEMORY = "/proc/self/status"


def problem(batch, width, length):
    "Queries, keys, values and the gradient of the output, (batch, 4, length, width), float32."
    return np.random.default_rng(0).standard_normal((4, batch, HEADS, length, width)).astype(np.float32)


# Each engine: step(batch, width, length) returns a function that goes forward and back and returns the gradient of the queries;
# layer(batch, width, length) one that does so with a whole layer, and returns the gradient of its inputs.

class nnbook:
    "The node of nnbook.kernels, which the layer calls."
    plain = False

    @classmethod
    def step(cls, *sizes):
        from nnbook.attention import scaled_dot_product_attention
        from nnbook.autograd import Tensor
        *arrays, g = problem(*sizes)
        q, k, v = leaves = [Tensor(a, requires_grad=True) for a in arrays]
        def run():
            for leaf in leaves: leaf.grad = None
            scaled_dot_product_attention(q, k, v, plain=cls.plain).backward(g)
            return q.grad
        return run

    def layer(batch, width, length):
        from nnbook.attention import MultiHeadAttention
        from nnbook.autograd import Tensor
        x, g = (a.swapaxes(1, 2).reshape(batch, length, -1) for a in problem(batch, width, length)[:2])
        layer, x = MultiHeadAttention(HEADS * width, HEADS, rng=0), Tensor(x, requires_grad=True)
        parameters = dict(layer.named_parameters())
        for name, p in torch_layer(width).named_parameters():
            parameters[name].data[...] = p.detach().numpy()
        def run():
            for p in (x, *layer.parameters()): p.grad = None
            layer(x).backward(g)
            return x.grad
        return run


class nnbook_by_tape(nnbook):
    "The chapter's lines."
    plain, layer = True, lambda *sizes: None


class nnbook_online:
    "nnbook.attention.online_attention, forward only."

    def step(*sizes):
        from nnbook.attention import online_attention
        q, k, v, _ = problem(*sizes)
        return lambda: online_attention(q, k, v)


def torch_layer(width):
    import torch
    torch.manual_seed(0)
    return torch.nn.MultiheadAttention(HEADS * width, HEADS, batch_first=True)


def torch_step(function, sizes):
    import torch
    torch.set_num_threads(1)
    *arrays, g = map(torch.from_numpy, problem(*sizes))
    q, k, v = leaves = [a.requires_grad_() for a in arrays]
    def run():
        for leaf in leaves: leaf.grad = None
        function(q, k, v).backward(g)
        return q.grad
    return run


class torch:
    "matmul, softmax, matmul."

    def step(*sizes):
        return torch_step(lambda q, k, v: (q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5).softmax(-1) @ v, sizes)

    def layer(batch, width, length):
        import torch
        torch.set_num_threads(1)
        x, g = (torch.from_numpy(a.swapaxes(1, 2).reshape(batch, length, -1).copy()) for a in problem(batch, width, length)[:2])
        layer, x = torch_layer(width), x.requires_grad_()
        def run():
            for p in (x, *layer.parameters()): p.grad = None
            layer(x, x, x, need_weights=False)[0].backward(g)
            return x.grad
        return run


class torch_fused:
    "torch.nn.functional.scaled_dot_product_attention."
    layer = lambda *sizes: None

    def step(*sizes):
        import torch
        return torch_step(torch.nn.functional.scaled_dot_product_attention, sizes)


class mygrad:
    def step(*sizes):
        import mygrad as mg
        *arrays, g = problem(*sizes)
        q, k, v = leaves = [mg.tensor(a) for a in arrays]
        def run():
            for leaf in leaves: leaf.null_grad()
            p = mg.nnet.softmax(mg.matmul(q, mg.swapaxes(k, -1, -2)) * np.float32(q.shape[-1] ** -0.5))
            mg.sum(mg.matmul(p, v) * g).backward()
            return q.grad
        return run


def formula(xp, q, k, v):
    "Attention with the functions of module xp."
    s = xp.matmul(q, xp.swapaxes(k, -1, -2)) * q.shape[-1] ** -0.5
    p = xp.exp(s - xp.max(s, axis=-1, keepdims=True))
    return xp.matmul(p / xp.sum(p, axis=-1, keepdims=True), v)


class autograd:
    def step(*sizes):
        import autograd.numpy as anp
        from autograd.core import make_vjp
        *arrays, g = problem(*sizes)
        def run():
            back, _ = make_vjp(lambda leaves: formula(anp, *leaves), tuple(arrays))
            return back(g)[0]
        return run


class jax:
    "Forward and back compiled together."

    def step(*sizes):
        import jax
        import jax.numpy as jnp
        *arrays, g = map(jnp.asarray, problem(*sizes))
        @jax.jit
        def both(q, k, v, g):
            y, back = jax.vjp(lambda *leaves: formula(jnp, *leaves), q, k, v)
            return y, back(g)
        return lambda: jax.block_until_ready(both(*arrays, g))[1][0]


ENGINES = {  # what the table says: the class, and the package whose version is printed
    "**nnbook**": (nnbook, "nnbook"), "nnbook, the formula on the tape": (nnbook_by_tape, "nnbook"), "PyTorch": (torch, "torch"),
    "PyTorch, scaled_dot_product_attention": (torch_fused, "torch"), "mygrad": (mygrad, "mygrad"), "HIPS autograd": (autograd, "autograd"),
    "JAX, jit": (jax, "jax"),
}
BY_LENGTH = {name: ENGINES[name] for name in ("PyTorch", "PyTorch, scaled_dot_product_attention", "**nnbook**", "nnbook, the formula on the tape")}
ONLINE = "nnbook, online_attention, forward only"


def resident(field: str) -> float:
    "MB of memory: VmRSS now, VmHWM at most since the mark was set back."
    with open(MEMORY) as file:
        return next(int(line.split()[1]) / 1024 for line in file if line.startswith(field))


def rise(name: str, length: int) -> float:
    "MB that one step of an engine takes, at most."
    engine = nnbook_online if name == ONLINE else ENGINES[name][0]
    engine.step(1, 16, 16)()
    run = engine.step(1, 16, length)
    if name.startswith("PyTorch"):
        with open("/proc/self/clear_refs", "w") as file:
            file.write("5")                            # the mark is set back to where memory stands
        before = resident("VmRSS")
        run()
        return resident("VmHWM") - before
    tracemalloc.start()
    run()
    return tracemalloc.get_traced_memory()[1] / 2**20


def memory() -> dict:
    "MB by length and engine, each from a fresh process."
    found = {}
    for length in LENGTHS:
        for name in (*BY_LENGTH, ONLINE):
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                found.setdefault(str(length), {})[name] = pool.apply(rise, (name, length))
    return found


def timed(length: int, rounds: int) -> dict:
    "CPU microseconds by engine at one length, batch 1, heads of width 16."
    ready, _ = prepare(BY_LENGTH, lambda engine: engine.step(1, 16, length), reference="**nnbook**", rtol=1e-3)
    return measure({**ready, ONLINE: nnbook_online.step(1, 16, length)}, rounds if length <= 1024 else max(3, rounds // 4))


def worker(case: str, rounds: int):
    "What one process measures: all engines at one size; the layer at all sizes; time, or memory, over lengths."
    if case == "memory": return memory()
    if case == "lengths": return {str(length): timed(length, rounds) for length in LENGTHS}
    if case == "layer":
        two = {name: ENGINES[name] for name in ("**nnbook**", "PyTorch")}
        sizes = {title: (batch, width, LENGTH) for title, (batch, width) in STEPS.items()}
        ready = lambda size: prepare(two, lambda engine: engine.layer(*size), "**nnbook**")[0]
        return {title: measure(ready(size), rounds) for title, size in sizes.items()}
    ready, missing = prepare(ENGINES, lambda engine: engine.step(*STEPS[case], LENGTH), reference="**nnbook**", rtol=1e-3)
    return measure(ready, rounds), missing


def grid(title: str, unit: str, runs: list[dict], scale: float, markdown: bool) -> None:
    "A row for each length: the number for PyTorch, and of the others how many times as much; medians over processes."
    names = [name for name in runs[0][str(LENGTHS[0])] if name != "PyTorch"]
    head, rows = [title, f"PyTorch, {unit}", *(name if markdown else name.replace("*", "") for name in names)], []
    for length in LENGTHS:
        at = [run[str(length)] for run in runs]
        times = [statistics.median(m[name] / max(m["PyTorch"], 1e-9) for m in at) for name in names]
        rows.append([f"{length:,}", f"{scale * statistics.median(m['PyTorch'] for m in at):,.1f}", *(f"{t:.2f}" for t in times)])
    if markdown:
        for cells in (head, ["---", *["---:"] * (len(head) - 1)], *rows): print("| " + " | ".join(cells) + " |")
    else:
        widths = [max(len(r[i]) for r in (head, *rows)) for i in range(len(head))]
        for cells in (head, *rows): print("  ".join(c.rjust(w) for c, w in zip(cells, widths)))
    print()


def tables(found: dict, markdown: bool) -> None:
    for case in STEPS:
        show(case, rows_of_engines([micros for micros, _ in found[case]], ENGINES, "PyTorch"), found[case][0][1], markdown)
    rows = []
    for case in STEPS:
        runs = [run[case] for run in found["layer"]]
        rows.append(row(case, [m["**nnbook**"] for m in runs], ratios(runs, "**nnbook**", "PyTorch")))
    show("nnbook's MultiHeadAttention", rows, {}, markdown)
    grid("time, by length", "ms", found["lengths"], 1e-3, markdown)
    if "memory" in found: grid("memory, by length", "MB", found["memory"], 1, markdown)
    print(LESS)


if __name__ == "__main__":
    main(__doc__, [*STEPS, "layer", "lengths", *(["memory"] if os.path.exists(MEMORY) else [])], worker, tables, rounds=9)
