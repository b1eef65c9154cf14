"""An epoch of training beside PyTorch: CPU time on one core, as ratios to a loop over torch's own DataLoader.

    python bench/training.py                  # the tables, as text
    python bench/training.py --markdown       # as Markdown
    python bench/training.py --rounds 5       # shorter and noisier (default 15)

In each round every contender trains one epoch, one after the other, so that a busy machine slows all of them alike; the figure
is the median over the rounds. All start from the same weights and see the same examples; those with the same batches must
arrive at the same loss, and the others near it, so that nobody is timed at something else.

`fit` checks every batch, loss and gradient norm, and keeps a history; the bare loops do none of that. The difference is its price.
"""

import argparse
import os
import statistics
import time

for threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"):
    os.environ[threads] = "1"

import numpy as np  # noqa: E402
import torch  # noqa: E402
import torch.nn.functional as F  # noqa: E402
from torch.utils.data import TensorDataset  # noqa: E402

from nnbook import training  # noqa: E402
from nnbook.autograd import cross_entropy  # noqa: E402
from nnbook.layers import MLP  # noqa: E402
from nnbook.optim import AdamW  # noqa: E402
from nnbook.torch import layers as twins  # noqa: E402
from nnbook.torch import training as twin  # noqa: E402

torch.set_num_threads(1)

CAVEAT = "CPU time on one core, float32, AdamW, medians of interleaved rounds; lower is better."
CASES = {  # name: (examples, sizes, batch)
    "4,000 signals, 40→100→100→10, batches of 100": (4000, (40, 100, 100, 10), 100),
    "4,000 images, 784→128→10, batches of 64": (4000, (784, 128, 10), 64),
}
LR = 1e-3


def problem(n, sizes):
    "Inputs (n, n_in), and classes (n,) that a random linear map gives them."
    rng = np.random.default_rng(0)
    x = rng.standard_normal((n, sizes[0]), np.float32)
    return x, (x @ rng.standard_normal((sizes[0], sizes[-1]))).argmax(axis=1)


def built_bare(x, y, sizes, batch):
    model = MLP(*sizes, rng=0)
    optimizer, loader = AdamW(model.parameters(), lr=LR), training.DataLoader(x, y, batch_size=batch)

    def epoch():
        for xb, yb in loader:
            loss = cross_entropy(model(xb), yb)
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
        return loss.item()
    return epoch


def fitted(side, x, y, sizes, batch):
    model = (MLP if side is training else twins.MLP)(*sizes, rng=0)
    optimizer = (AdamW if side is training else torch.optim.AdamW)(model.parameters(), lr=LR)
    loader, count, options = training.DataLoader(x, y, batch_size=batch), [0], {} if side is training else {"device": "cpu"}
    batches = loader.batches
    loader.batches = lambda epoch, start=0: batches(count[0], start)         # another order each time, as in the loops

    def epoch():
        history = side.fit(model, optimizer, loader, epochs=1, progress=False, **options)
        count[0] += 1
        return history.steps["loss"][-1]
    return epoch


def torch_bare(make_batches, x, y, sizes, batch):
    model = twins.MLP(*sizes, rng=0)
    optimizer, batches = torch.optim.AdamW(model.parameters(), lr=LR), make_batches(x, y, batch)

    def epoch():
        for xb, yb in batches():
            loss = F.cross_entropy(model(xb), yb)
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
        return loss.item()
    return epoch


def torch_loader(x, y, batch):
    data = TensorDataset(torch.from_numpy(x), torch.from_numpy(y))
    loader = torch.utils.data.DataLoader(data, batch_size=batch, shuffle=True)
    return lambda: iter(loader)


def sliced(x, y, batch):
    loader = training.DataLoader(x, y, batch_size=batch)
    return lambda: ((torch.from_numpy(a), torch.from_numpy(b)) for a, b in loader)


def contenders(n, sizes, batch):
    "An epoch of each, by name. The last is what the ratios are to."
    given = *problem(n, sizes), sizes, batch
    return {"nnbook, fit": fitted(training, *given), "nnbook, bare loop": built_bare(*given),
            "the twin's fit": fitted(twin, *given), "torch, bare loop, our loader": torch_bare(sliced, *given),
            "torch, bare loop, its DataLoader": torch_bare(torch_loader, *given)}


def measure(ready, rounds):
    "CPU milliseconds of one epoch, for each contender and round; the first round is not counted."
    times = {name: [] for name in ready}
    for _ in range(rounds + 1):
        ends = {}
        for name, epoch in ready.items():
            start = time.process_time_ns()
            ends[name] = epoch()
            times[name].append((time.process_time_ns() - start) / 1e6)
        check(ends)
    return {name: t[1:] for name, t in times.items()}


def check(ends):
    "That all are doing the same work."
    values = list(ends.values())
    if not np.allclose(values[:4], values[0], rtol=0.05, atol=0.02):
        raise SystemExit(f"the same batches, and another loss: {ends}")
    if not abs(values[4] - values[0]) < 0.5 + 0.5 * values[0]:
        raise SystemExit(f"torch's own loader leads somewhere else: {ends}")


def show(title, rows, markdown):
    head = [title, "ms an epoch", "of torch"]
    if markdown:
        print("| " + " | ".join(head) + " |\n| --- | ---: | ---: |")
        print("\n".join("| " + " | ".join(row) + " |" for row in rows))
    else:
        widths = [max(len(r[i]) for r in [head, *rows]) for i in range(3)]
        for row in [head, *rows]:
            print("  ".join(c.rjust(w) if i else c.ljust(w) for i, (c, w) in enumerate(zip(row, widths))))
    print()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--markdown", action="store_true")
    args = parser.parse_args()
    print(f"numpy {np.__version__}, torch {torch.__version__}. {CAVEAT}\n")
    for title, case in CASES.items():
        times = measure(contenders(*case), args.rounds)
        *_, base = times
        show(title, [[name, f"{statistics.median(t):,.1f}", f"{statistics.median(a / b for a, b in zip(t, times[base])):.2f}"]
                     for name, t in times.items()], args.markdown)


if __name__ == "__main__":
    main()
