"""An optimizer's step beside PyTorch's: CPU time on one core, as ratios to torch's default.

    python bench/optim.py                  # the tables, as text
    python bench/optim.py --markdown       # as Markdown
    python bench/optim.py --rounds 10      # shorter and noisier (default 40)

In each round every contender takes some steps, one after the other, so that a busy machine slows all of them alike. The figure is
the median over the rounds. All start from the same weights and take the same gradients, and where they stand after
five steps is compared first, so that nobody is timed at something else.
"""

import argparse
import os
import statistics
import time

for threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"):
    os.environ[threads] = "1"

import numpy as np  # noqa: E402
import torch  # noqa: E402

from nnbook import optim  # noqa: E402
from nnbook.autograd import Tensor  # noqa: E402

torch.set_num_threads(1)

CAVEAT = ("CPU time on one core, float32, medians of interleaved rounds; lower is better. On many small arrays the calls from Python decide, on a large one "
          "the passes over memory. PyTorch's fused kernels use all cores and GPUs, which NumPy's don't: there the ratios are others.")
MODELS = {  # name: (shapes, steps in a round)
    "MLP 784→64→10, 4 arrays": ([(64, 784), (64,), (10, 64), (10,)], 20),
    "100 small arrays, 64×64": ([(64, 64)] * 100, 2),
    "one array, 4 million": ([(2048, 2048)], 1),
}
RULES = {"SGD": dict(lr=1e-3, momentum=0.9), "RMSprop": dict(lr=1e-3), "Adam": dict(lr=1e-3), "AdamW": dict(lr=1e-3)}
WAYS = {"torch, single": dict(foreach=False), "torch, foreach": dict(foreach=True), "torch, fused": dict(fused=True)}


def problem(shapes):
    "Weights and gradients, float32."
    rng = np.random.default_rng(0)
    return [[rng.standard_normal(s, np.float32) for s in shapes] for _ in range(2)]


def ours(rule, shapes):
    weights, gradients = problem(shapes)
    params = [Tensor(w, requires_grad=True) for w in weights]
    for p, g in zip(params, gradients):
        p.grad = g
    return getattr(optim, rule)(params, **RULES[rule]).step, weights


def torchs(rule, shapes, **way):
    weights, gradients = problem(shapes)
    params = [torch.from_numpy(w).requires_grad_() for w in weights]
    for p, g in zip(params, gradients):
        p.grad = torch.from_numpy(g)
    return getattr(torch.optim, rule)(params, **RULES[rule], **way).step, weights


def contenders(rule, shapes):
    "The steps to time, by name, checked to go the same way; ways that torch doesn't have for the rule are left out."
    makers = {"nnbook": lambda: ours(rule, shapes)}
    for name, way in WAYS.items():
        makers[name] = lambda way=way: torchs(rule, shapes, **way)
    ready, ends = {}, {}
    for name, make in makers.items():
        try:
            step, weights = make()
        except (TypeError, RuntimeError):
            continue
        for _ in range(5):
            step()
        ready[name], ends[name] = step, np.concatenate([w.ravel() for w in weights]).copy()
    for name, end in ends.items():
        if not np.allclose(end, ends["nnbook"], rtol=1e-4, atol=1e-5):
            raise SystemExit(f"{name} takes {rule} somewhere else")
    return ready


def measure(ready, rounds, repeat):
    "CPU microseconds of one step, for each contender and round."
    times = {name: [] for name in ready}
    for _ in range(rounds):
        for name, step in ready.items():
            start = time.process_time_ns()
            for _ in range(repeat):
                step()
            times[name].append((time.process_time_ns() - start) / repeat / 1000)
    return times


def rows_of(model, rounds):
    "One row a rule: our time, and the median ratio of ours to each of torch's ways."
    shapes, repeat = MODELS[model]
    rows = []
    for rule in RULES:
        times = measure(contenders(rule, shapes), rounds, repeat)
        ratios = [f"{statistics.median(a / b for a, b in zip(times['nnbook'], times[way])):.2f}" if way in times else "–" for way in WAYS]
        rows.append([rule, f"{statistics.median(times['nnbook']):,.0f}", *ratios])
    return rows


def show(title, rows, markdown):
    head = [title, "nnbook, µs", *(f"of {way}" for way in WAYS)]
    if markdown:
        print("| " + " | ".join(head) + " |\n| --- |" + " ---: |" * (len(head) - 1))
        print("\n".join("| " + " | ".join(row) + " |" for row in rows))
    else:
        widths = [max(len(r[i]) for r in [head, *rows]) for i in range(len(head))]
        for row in [head, *rows]:
            print("  ".join(c.rjust(w) if i else c.ljust(w) for i, (c, w) in enumerate(zip(row, widths))))
    print()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--markdown", action="store_true")
    args = parser.parse_args()
    print(f"numpy {np.__version__}, torch {torch.__version__}. {CAVEAT}\n")
    for model in MODELS:
        show(model, rows_of(model, args.rounds), args.markdown)


if __name__ == "__main__":
    main()
