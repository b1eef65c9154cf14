# %% jupyter={"source_hidden": true}
#| code-summary: "on a GPU: ten million edges at once, or sampled neighbours"
#| code-fold: true
#| cuda
import os
import time

import torch
import torch.nn.functional as F
from torch import nn

from nnbook.plots import table

device = os.environ.get("NNBOOK_GPU", "cuda")            # or "cpu", for a rehearsal in small
size = {"cuda": dict(nodes=1_000_000, pairs=5_000_000, hidden=128, batch=1024, seconds=2.5, check=100_000),
        "cpu": dict(nodes=2000, pairs=10_000, hidden=16, batch=64, seconds=0.08, check=1000)}[device]
N, CLASSES, WIDTH, FANOUT = size["nodes"], 10, 32, 10
rng = torch.Generator(device).manual_seed(0)
wait = torch.cuda.synchronize if device == "cuda" else lambda: None

def uniform(*shape): return torch.rand(*shape, generator=rng, device=device)

def made_graph():
    "Every edge in both directions, as a CSR matrix of ones; six of ten edges stay within a class, and low numbers are popular."
    a = (N * uniform(size["pairs"])).long()
    friends = (N // CLASSES * uniform(len(a)) ** 2).long() * CLASSES + a % CLASSES
    b = torch.where(uniform(len(a)) < 0.6, friends, (N * uniform(len(a)) ** 2).long())
    source, target = torch.cat([a, b]), torch.cat([b, a])
    pointers = F.pad(torch.bincount(target, minlength=N).cumsum(0), (1, 0))
    return torch.sparse_csr_tensor(pointers, source[target.argsort(stable=True)], torch.ones(len(source), device=device), (N, N))

class Sum(torch.autograd.Function):
    "A h for a symmetric A that is no parameter."
    @staticmethod
    def forward(ctx, A, h):
        ctx.A = A
        return A @ h

    @staticmethod
    def backward(ctx, g): return None, ctx.A @ g

class SAGE(nn.Module):
    "Two layers, each of a node's own row and the mean of its neighbours' (Hamilton et al., 2017)."
    def __init__(self):
        super().__init__()
        self.own, self.near = (nn.ModuleList([nn.Linear(WIDTH, size["hidden"]), nn.Linear(size["hidden"], CLASSES)]) for _ in range(2))

    def layer(self, i, own, near):
        out = self.own[i](own) + self.near[i](near)
        return out.relu() if i == 0 else out

    def forward(self, x):                                # the whole graph: x (N, WIDTH) -> (N, CLASSES)
        for i in range(2): x = self.layer(i, x, Sum.apply(A, x) / degree)
        return x

    def sampled(self, x, nodes):                         # (B,) -> (B, CLASSES), from FANOUT neighbours of each, and of each of those
        first = torch.cat([nodes[:, None], drawn(nodes)], 1).flatten()                  # (B (1 + k),)
        h = self.layer(0, x[first], x[drawn(first)].mean(1)).view(len(nodes), 1 + FANOUT, -1)
        return self.layer(1, h[:, 0], h[:, 1:].mean(1))

def drawn(nodes):
    "FANOUT neighbours of each node, with replacement; its own number where it has none: (n,) -> (n, FANOUT)."
    start, count = A.crow_indices()[nodes, None], A.crow_indices()[nodes + 1, None] - A.crow_indices()[nodes, None]
    at = start + (uniform(len(nodes), FANOUT) * count).long()
    return torch.where(count > 0, A.col_indices()[at.clamp(max=A.col_indices().numel() - 1)], nodes[:, None])

A = made_graph()
degree = (A.crow_indices()[1:] - A.crow_indices()[:-1]).clamp(min=1)[:, None]
y = torch.arange(N, device=device) % CLASSES
x = 0.3 * torch.randn(CLASSES, WIDTH, generator=rng, device=device)[y] + torch.randn(N, WIDTH, generator=rng, device=device)
order = torch.randperm(N, generator=rng, device=device)
told, held, test = order[: N // 10], order[N // 10 :][: size["check"]], order[-size["check"] :]

@torch.no_grad()
def shares(model, *parts):
    right = model(x).argmax(1) == y
    return [float(right[nodes].double().mean()) for nodes in parts]

def train(full, lr):
    "Accuracies (held out, test) as training time goes by, milliseconds a step, steps, GB beyond the graph and its features."
    torch.manual_seed(0)
    model = SAGE().to(device)
    optimizer = torch.optim.Adam(model.parameters(), lr)
    def step():
        nodes = told if full else told[(len(told) * uniform(size["batch"])).long()]
        logits = model(x)[nodes] if full else model.sampled(x, nodes)
        optimizer.zero_grad()
        F.cross_entropy(logits, y[nodes]).backward()
        optimizer.step()
    if device == "cuda": torch.cuda.empty_cache(), torch.cuda.reset_peak_memory_stats()
    there, spent, steps, seen = torch.cuda.memory_allocated() if device == "cuda" else 0, 0.0, 0, []
    step()                                               # warms up: not timed, but counted as learning
    wait()
    memory = (torch.cuda.max_memory_allocated() - there) / 1e9 if device == "cuda" else 0.0
    for share in (0.05, 0.2, 0.5, 1.0):
        begin = time.perf_counter()
        while time.perf_counter() - begin + spent < share * size["seconds"]:
            step()
            wait()
            steps += 1
        spent += time.perf_counter() - begin
        seen.append(shares(model, held, test))
    return seen, 1000 * spent / max(steps, 1), steps, memory

rows = []
for name, full in {"the whole graph": True, "sampled neighbours": False}.items():
    tried = {lr: train(full, lr) for lr in (0.003, 0.01, 0.03)}
    lr = max(tried, key=lambda lr: tried[lr][0][-1][0])
    seen, milliseconds, steps, memory = tried[lr]
    rows.append({"a step sees": name, "rate": f"{lr:g}", "ms a step": f"{milliseconds:.3g}", "steps": steps, "GB": f"{memory:.3g}",
                 **{f"test, {share * size['seconds']:g} s": f"{accuracy[1]:.1%}" for share, accuracy in zip((0.05, 0.2, 0.5, 1.0), seen)}})
table(rows, name="sampled",
      caption=f"Two layers of SAGE on a made graph of {N:,} nodes and {A.values().numel():,} directed edges, {len(told):,} nodes labelled: steps of "
              f"Adam for {size['seconds']:g} seconds, from all labelled nodes at once, or from {size['batch']:,} of them with {FANOUT} drawn neighbours "
              "of each, twice. GB: memory of a step beyond the graph and its features. Accuracy is computed on the whole graph; the rate is the best of three on other nodes.")
