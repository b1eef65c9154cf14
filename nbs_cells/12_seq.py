# %% [markdown]
# ## The experiments on gradients, memory and sound

# %%
#| code-summary: "imports for the experiments"
#| code-fold: true
import json
from pathlib import Path
from types import SimpleNamespace

import torch
import torch.nn.functional as F
from torch import nn

import nnbook.rnn as built
import nnbook.torch.cnn as twin_cnn
import nnbook.torch.layers as twin_layers
import nnbook.torch.rnn as twins
from nnbook import training
from nnbook.autograd import cross_entropy
from nnbook.claims import claim
from nnbook.data import mnist1d, spoken_digits
from nnbook.evaluation import mean_interval
from nnbook.explore import explore
from nnbook.layers import Linear
from nnbook.optim import SGD, Adam, Schedule, clip_grad_norm_, cosine
from nnbook.plots import COLORS, INK, figure, heatmap, lines, table
from nnbook.running import stored
from nnbook.torch.training import fit, predict
from nnbook.training import DataLoader, accuracy


# %% [markdown]
# ### The gradient over lag

# %%
def jacobian_product(W, inputs):
    "W (H, H), what the inputs add at each step (T, H) -> d h_T / d h_0 of h = tanh(W h + input)."
    h, product = np.zeros(len(W)), np.eye(len(W))
    for a in inputs:
        h = np.tanh(W @ h + a)
        product = (1 - h**2)[:, None] * W @ product                    # one more factor diag(1 - h²) W
    return product

# %%
#| code-summary: "the claim: the product of Jacobians is the engine's gradient"
#| code-fold: true
def product_apart(seed, H=30, T=40):
    "By how much v dh_T/dh_0 of the product differs from the engine's gradient, relative to its largest entry."
    rng, cell = stream(seed, "product"), built.RNNCell(8, H, rng=seed).to(np.float64)
    x, v, start = rng.standard_normal((T, 8)), rng.standard_normal(H), Tensor(np.zeros((1, H)), requires_grad=True)
    h = start
    for row in x: h = cell(row[None], h)
    (h[0] * v).sum().backward()
    predicted = v @ jacobian_product(cell.weight_hh.data, x @ cell.weight_ih.data.T)
    return np.abs(predicted - start.grad[0]).max() / np.abs(predicted).max()

claim("over 40 steps the product of Jacobians agrees with the engine's gradient to {:.1g} of its largest entry", max(map(product_apart, range(5))), "<", 1e-12)

# %% [markdown]
# **Predict** …

# %%
#| code-summary: "five matrices, and the norm of the product after each number of steps"
#| code-fold: true
def matrices(seed, H=100):
    "Recurrent matrices (H, H): Gaussian of three scales, orthogonal, and one that hands each unit's state on to the next."
    gaussian = stream(seed, "matrix").standard_normal((H, H)) / H**0.5
    return {"Gaussian, 0.45": 0.45 * gaussian, "Gaussian, 1": gaussian, "Gaussian, 1.5": 1.5 * gaussian,
            "orthogonal": np.linalg.qr(gaussian)[0], "delay line": np.diag(np.full(H - 1, 1.1), -1)}

def norms_over_lag(W, inputs):
    "Largest singular values (T + 1,) of d h_T / d h_{T-k}, k = 0 to T."
    states, h = [], np.zeros(len(W))
    for a in inputs: states.append(h := np.tanh(W @ h + a))
    product, norms = np.eye(len(W)), [1.0]
    for h in states[::-1]:
        product = product @ ((1 - h**2)[:, None] * W)
        norms.append(np.linalg.norm(product, 2))
    return np.array(norms)

lags, seeds = 60, 5
driven = {name: [] for name in matrices(0)}
for name in driven:
    for seed in range(seeds):
        W, noise = matrices(seed)[name], stream(seed, "inputs").standard_normal((lags, 100))
        driven[name].append([norms_over_lag(W, size * noise) for size in (0, 0.7)])
driven = {name: np.array(runs) for name, runs in driven.items()}                          # (seeds, inputs, lags + 1)

# %%
#| code-summary: "the figure and the table"
#| code-fold: true
sigma = {name: [np.linalg.norm(matrices(seed)[name], 2) for seed in range(seeds)] for name in driven}
radius = {name: [np.abs(np.linalg.eigvals(matrices(seed)[name])).max() for seed in range(seeds)] for name in driven}
mean_of = lambda runs: np.exp(np.log(np.maximum(runs, 1e-300)).mean(axis=0))
with figure(2, height=3, width=6.6, sharey=True, name="bounds",
            caption="Norm (largest singular value) of the gradient of h after 60 steps for the state k steps before, 100 units (logarithmic): geometric means over five matrices and inputs, bands from lowest to highest. Left without input, where the product is a power of W; right with Gaussian inputs of standard deviation 0.7.",
            alt="Two panels of five curves over lag. Without input the orthogonal matrix stays at one, the Gaussian of scale 1.5 and the delay line rise along straight lines, and the smallest falls. With input all but the Gaussian of scale 0.45 change their course, and the orthogonal one falls.") as axes:
    for i, (ax, title) in enumerate(zip(axes, ("no input", "random input"))):
        lines({name: mean_of(runs[:, i]) for name, runs in driven.items()}, ax=ax, logy=True, title=title, xlabel="lag k [steps]", ylabel="norm" if i == 0 else "",
              band={name: (runs[:, i].min(axis=0), runs[:, i].max(axis=0)) for name, runs in driven.items()})
        ax.set_ylim(1e-14, 1e12)
table([{"matrix": name, "largest singular value": f"{np.mean(sigma[name]):.2f}", "spectral radius": f"{np.mean(radius[name]):.2f}", "bound at lag 50": f"{np.mean(sigma[name])**50:.1g}",
        "no input": f"{mean_of(runs[:, 0])[50]:.1g}", "random input": f"{mean_of(runs[:, 1])[50]:.1g}"} for name, runs in driven.items()], name="bound",
      caption="The same: mean largest singular value and spectral radius of the matrices, the bound they give at lag 50 (γ = 1 for tanh), and the norm there.")

# %% [markdown]
# The bound decides one case: where the largest singular value is below 1, the gradient has to vanish. Above 1 it decides nothing. The Gaussian matrix of scale 1.5 has a largest eigenvalue above 1 too; without input its gradient grows, with input it shrinks, since the inputs drive tanh to where it is flat. The orthogonal matrix keeps the gradient exactly as long as nothing comes in. And the delay line's only eigenvalue is 0, yet over 60 steps its gradient grows.

# %%
def over_lag(layer, seed, steps=101, batch=20, size=1.0):
    "How much the last h depends on the input k steps before: root mean square gradient (steps,), k = 0, 1, ..."
    rng = stream(seed, "over lag")
    x = Tensor(size * rng.standard_normal((batch, steps, layer.input_size)), requires_grad=True)
    out, _ = layer(x)                                                                       # (batch, steps, H)
    (out[:, -1] * rng.standard_normal((batch, layer.hidden_size))).sum().backward()        # a random direction for each sequence
    return np.sqrt((x.grad**2).sum(axis=2).mean(axis=0))[::-1]

# %%
#| code-summary: "seven networks before training"
#| code-fold: true
def recurrent(kind, seed, scale=1.0):
    "A layer of 100 units on 32 inputs in float64 as it starts, its recurrent weights times `scale`."
    name, _, detail = kind.partition(", ")
    layer = {"RNN": built.RNN, "LSTM": built.LSTM, "GRU": built.GRU}[name](32, 100, rng=seed, **({"forget_bias": float(detail[-1])} if name == "LSTM" else {})).to(np.float64)
    if detail == "Gaussian": layer.weight_hh_l0.data[...] = stream(seed, "matrix").standard_normal((100, 100)) / 10
    layer.weight_hh_l0.data[...] *= scale
    return layer

def kept(kind, scale=1.0, size=1.0, networks=5):
    "Gradients over lag, relative to lag 0, of several networks (networks, 101)."
    curves = np.array([over_lag(recurrent(kind, seed, scale), seed, size=size) for seed in range(networks)])
    return curves / curves[:, :1]

cells = ("RNN, orthogonal", "RNN, Gaussian", "LSTM, forget bias 0", "LSTM, forget bias 1", "LSTM, forget bias 3", "GRU")
before = {kind: kept(kind) for kind in cells}
before_small = {kind: kept(kind, size=0.1) for kind in cells}
per_step = lambda curves: np.exp(np.log(curves[:, 60] / curves[:, 20]).mean() / 40)                # a factor for each step

# %%
#| code-summary: "the figure and the table"
#| code-fold: true
open_gate = {f"LSTM, forget bias {b}": 1 / (1 + np.exp(-b)) for b in (0, 1, 3)}
with figure(height=3.2, width=6.4, name="lag", caption="Before training: how much h depends on the input k steps before, relative to lag 0 (logarithmic), 100 units, Gaussian inputs of standard deviation 1. Geometric mean of five networks, bands from lowest to highest. Dotted: what the cell's direct path alone keeps, σ(b) to the power k, for forget bias b = 0, 1, 3.",
            alt="Six curves over lag 0 to 100. The two of the RNN, that of the LSTM with forget bias 0 and that of the GRU fall together along straight lines by more than ten powers of ten; that of the LSTM with forget bias 1 falls by about six, and that with forget bias 3 stays near one.") as ax:
    lines({kind: mean_of(c) for kind, c in before.items()}, ax=ax, logy=True, xlabel="lag k [steps]", ylabel="gradient, relative to lag 0", band={kind: (c.min(axis=0), c.max(axis=0)) for kind, c in before.items()}, styles={"RNN, Gaussian": "--"})
    for gate in open_gate.values(): ax.plot(gate**np.arange(101), ":", color=INK, linewidth=1)
    ax.set_ylim(1e-18, 1e2)
claim("before training the GRU's gradient falls at least as fast with lag as that of the network without gates: its factor a step is {:.3f} times the other's", per_step(before["GRU"]) / per_step(before["RNN, orthogonal"]), "<", 1)
table([{"network": kind, "direct path": f"{open_gate[kind]:.2f}" if kind in open_gate else "", "inputs of 1": f"{per_step(before[kind]):.2f}", "inputs of 0.1": f"{per_step(before_small[kind]):.2f}"} for kind in cells],
      name="per-step", caption="The factor by which the gradient changes at each step, from lag 20 to 60, for Gaussian inputs of standard deviation 1 and 0.1, beside σ(b), that of the direct path.")

# %% [markdown]
# Before training, the gate as such is worth nothing: the GRU's gradient vanishes at least as fast as that of the network without gates, and so does that of the LSTM with forget bias 0. What counts is where the gate stands. The direct path, σ(b) to the power k, is only part of it: the other paths, through h and the gates, add to it, and each LSTM's gradient falls more slowly than its direct path alone. With forget bias 3 and these inputs it does not fall at all between lags 20 and 100, but grows a little. Orthogonal or Gaussian makes no difference here, once inputs of this size drive the units.

# %%
#| code-summary: "the figure that moves"
#| code-fold: true
scales, drives = [0.5, 1, 1.5, 2], [0.1, 1]
moving = {(kind, scale, size): kept(kind, scale, size, networks=3) for kind in cells for scale in scales for size in drives}

def lag_frame(network, scale, inputs):
    with figure(height=2.6, width=4.8) as ax:
        c = moving[network, scale, inputs]
        lines({network: mean_of(c)}, ax=ax, logy=True, xlabel="lag k [steps]", ylabel="gradient, relative to lag 0", band={network: (c.min(axis=0), c.max(axis=0))})
        ax.set_ylim(1e-18, 1e14)

explore(lag_frame, network=list(cells), scale=scales, inputs=drives, start={"scale": 1, "inputs": 1}, name="lag-moves",
        caption="The same for recurrent weights times a scale, and Gaussian inputs of standard deviation 0.1 or 1. Three networks each; their mean, and lowest to highest.",
        alt=lambda network, scale, inputs: f"{network}, scale {scale}, inputs {inputs}: at lag 100 the gradient is {mean_of(moving[network, scale, inputs])[100]:.0e} of that at lag 0.")


# %% [markdown]
# ### The adding problem

# %%
def adding(n, length, rng):
    "Sequences of pairs (number, mark) -> x (n, length, 2); the sum of the two marked numbers, one in each half: y (n,)."
    x = np.zeros((n, length, 2), np.float32)
    x[..., 0] = rng.random((n, length))
    x[np.arange(n), rng.integers(0, length // 2, n), 1] = 1
    x[np.arange(n), rng.integers(length // 2, length, n), 1] = 1
    return x, (x[..., 0] * x[..., 1]).sum(axis=1)


# %%
#| code-summary: "the arms, and one run"
#| code-fold: true
on_engine = SimpleNamespace(rnn=built, Linear=Linear, Adam=Adam, clip=clip_grad_norm_, tensor=Tensor, no_grad=no_grad)
in_torch = SimpleNamespace(rnn=twins, Linear=twin_layers.Linear, Adam=torch.optim.Adam, clip=nn.utils.clip_grad_norm_, tensor=torch.from_numpy, no_grad=torch.no_grad)

def identity_rnn(kit, seed):
    "Relu, a recurrent matrix that starts as the identity, and small input weights (Le et al., 2015)."
    rnn = kit.rnn.RNN(2, 32, nonlinearity="relu", rng=seed)
    for weight, value in ((rnn.weight_hh_l0, np.eye(32)), (rnn.weight_ih_l0, 0.001 * stream(seed, "small").standard_normal((32, 2)))):
        weight.data[...] = kit.tensor(value.astype(np.float32)).data
    return rnn

def lstm(forget_bias): return lambda kit, seed: kit.rnn.LSTM(2, 32, rng=seed, forget_bias=forget_bias)

slow_rates, fast_rates = (0.003, 0.001, 0.01, 0.0003), (0.01, 0.03, 0.003)                # in the order of trying
memories = {"RNN, tanh": (on_engine, lambda kit, seed: kit.rnn.RNN(2, 32, rng=seed), slow_rates), "RNN, relu, identity": (on_engine, identity_rnn, slow_rates),
            "LSTM, forget bias 0": (in_torch, lstm(0.0), fast_rates), "LSTM, forget bias 1": (in_torch, lstm(1.0), fast_rates),
            "LSTM, forget bias 3": (in_torch, lstm(3.0), fast_rates), "GRU": (on_engine, lambda kit, seed: kit.rnn.GRU(2, 32, rng=seed), fast_rates)}

def solving(arm, length, lr, seed, steps, clip=1.0, every=50, batch=20):
    "Test errors after each 50 steps of Adam, each on 20 new sequences, until one is below 0.01; and the norms of all gradients."
    kit, make, _ = memories[arm]
    rnn, head, rng = make(kit, seed), kit.Linear(32, 1, rng=seed), stream(seed, "adding")
    params = [*rnn.parameters(), *head.parameters()]
    optimizer, test, errors, norms = kit.Adam(params, lr), adding(500, length, stream(1, "adding, test")), [], []

    def error(x, y):
        out, _ = rnn(kit.tensor(x))
        return ((head(out[:, -1])[:, 0] - kit.tensor(y))**2).mean()

    for step in range(1, steps + 1):
        loss = error(*adding(batch, length, rng))
        optimizer.zero_grad()
        loss.backward()
        norms.append(float(kit.clip(params, clip)))
        optimizer.step()
        if step % every == 0:
            with kit.no_grad(): errors.append(round(float(error(*test).data), 5))
            if not errors[-1] >= 0.01: break
    return errors, norms


# %%
#| code-summary: "rates for one seed, the best one for others"
#| code-fold: true
def tuned(arm, length, rates, steps, seeds, longer=1):
    "The best rate by one seed, tried with `steps` at most; then other seeds, with `longer` times as many."
    tried, best = {"rates": {}, "runs": []}, steps
    for lr in rates:                                       # a rate gets no more steps than a better one has needed
        tried["rates"][lr], _ = solving(arm, length, lr, seed=100, steps=best)
        if tried["rates"][lr][-1] < 0.01: best = 50 * len(tried["rates"][lr])
    order = lambda lr: (not tried["rates"][lr][-1] < 0.01, len(tried["rates"][lr]), tried["rates"][lr][-1])
    tried["rate"] = min(rates, key=order)
    tried["runs"] = [solving(arm, length, tried["rate"], seed, longer * steps)[0] for seed in range(seeds)]
    return tried

# %%
#| code-summary: "the long run: six networks, length 50"
#| code-fold: true
#| slow
torch.set_num_threads(1)
torch.set_flush_denormal(True)                             # gradients that vanish reach 1e-38, where processors count slowly
found = {}
for arm, (_, _, rates) in memories.items():
    found[arm] = tuned(arm, 50, rates, steps=1500, seeds=5, longer=2 if "RNN" in arm else 1)
    _ = Path("results/12_adding50.json").write_text(json.dumps(found))

# %%
#| code-summary: "the long run: four gated networks, length 200"
#| code-fold: true
#| slow
torch.set_num_threads(1)
torch.set_flush_denormal(True)
found = {}
for arm in ("GRU", "LSTM, forget bias 1", "LSTM, forget bias 0", "LSTM, forget bias 3"):
    found[arm] = tuned(arm, 200, memories[arm][2][:2], steps=2000, seeds=3)
    _ = Path("results/12_adding200.json").write_text(json.dumps(found))

# %%
#| code-summary: "the figure and the table"
#| code-fold: true
at_50, at_200 = stored("12_adding50"), stored("12_adding200")
needed = lambda runs: [50 * len(run) if run[-1] < 0.01 else np.inf for run in runs]                  # steps until the error is below 0.01
guess = float(np.var(adding(500, 50, stream(1, "adding, test"))[1]))                                # of always answering the test sums' mean
with figure(height=3.0, width=6.4, name="adding", caption="The adding problem, 50 steps long: mean squared error on 500 test sequences during training, five networks of each kind of 32 units, each kind at the best of its rates. A curve ends where the error falls below 0.01. Dotted: the error of always answering the mean of the test sums.",
            alt="Curves of error over training steps. Those of the GRU fall first, within 200 steps, then those of the three kinds of LSTM, within 1,150. Those of the network with tanh stay at the dotted line through 3,000 steps, as do three of five with relu and identity, while two fall slowly.") as ax:
    for (arm, tried), color in zip(at_50.items(), COLORS.values()):
        for i, run in enumerate(tried["runs"]): ax.plot(50 * np.arange(1, len(run) + 1), run, color=color, linewidth=1, label=arm if i == 0 else None)
    ax.axhline(guess, color=INK, linestyle=":", linewidth=1)
    ax.set(xlabel="step of training, 20 new sequences each", ylabel="mean squared error", yscale="log", xlim=(0, 3000))
    ax.legend(fontsize=7.5, loc="lower right")

def steps_text(runs):
    steps = needed(runs)
    typical = np.median(steps)
    return f"{sum(np.isfinite(steps))} of {len(steps)}: " + (f"median {typical:,.0f}" if np.isfinite(typical) else f"{min(steps):,.0f} at best" if np.isfinite(min(steps)) else f"lowest error {min(map(min, runs)):.3f}")

table([{"network": arm, "parameters": f"{sum(p.data.size for p in memories[arm][1](on_engine, 0).parameters()):,}", "rate, 50 steps": f"{tried['rate']:g}", "solved, 50 steps": steps_text(tried["runs"]),
        "rate, 200 steps": f"{at_200[arm]['rate']:g}" if arm in at_200 else "", "solved, 200 steps": steps_text(at_200[arm]["runs"]) if arm in at_200 else "not tried"} for arm, tried in at_50.items()], name="solved",
      caption="How many networks bring the test error below 0.01, and after how many training steps, at lengths 50 and 200. Gated networks have 1,500 steps at length 50 and 2,000 at length 200, the others 3,000. Rates: the best of three (gated, length 50), two (length 200) or four (others), chosen with one seed that is not among the five or three.")
claim("at length 50 all five GRUs bring the error below 0.01 within {:,.0f} steps", max(needed(at_50["GRU"]["runs"])), "<=", 200)

# %% [markdown]
# The gradient before training does not say who learns. GRU and LSTM with forget bias 0 start with gradients that have vanished over 50 steps, and at length 50 all of them solve the problem; forget bias 3, with a gradient that has not, takes no fewer steps. At length 200 all three GRUs solve it, and two of three LSTMs of each kind. Adam divides each gradient by its own size, and a gate can open once a gradient, however small, points that way. The network with tanh, orthogonal at the start, solves none of five at the best of four rates and twice as many steps. The one with relu and the identity begins to learn in two of five, and solves none.

# %%
#| code-summary: "five networks with clipping and without"
#| code-fold: true
def descent(clip, seed, lr=0.01, steps=100):
    "Errors and norms of gradients (steps, 2) of plain gradient descent on the adding problem, length 50: a relu network that starts from the identity."
    rnn, head, rng = identity_rnn(on_engine, seed), Linear(32, 1, rng=seed), stream(seed, "adding")
    params, trace = [*rnn.parameters(), *head.parameters()], []
    optimizer = SGD(params, lr)
    for _ in range(steps):
        x, y = adding(20, 50, rng)
        loss = ((head(rnn(x)[0][:, -1])[:, 0] - y)**2).mean()
        optimizer.zero_grad()
        loss.backward()
        trace.append([float(loss.data), float(clip_grad_norm_(params, clip))])
        optimizer.step()
    return np.array(trace)

descents = {name: np.array([descent(clip, seed) for seed in range(5)]) for name, clip in (("not clipped", np.inf), ("clipped to norm 1", 1.0))}     # (5, steps, 2)

# %%
#| code-summary: "the figure"
#| code-fold: true
with figure(2, height=2.6, width=6.6, name="clipping", caption="Five relu networks that start from the identity, plain gradient descent on the adding problem (length 50, rate 0.01), the same batches with clipping and without: error on each batch and norm of the gradient before it is clipped (both logarithmic). "
            f"The largest error of a network is between {descents['not clipped'][..., 0].max(axis=1).min():.0e} and {descents['not clipped'][..., 0].max():.0e} without clipping, and at most {descents['clipped to norm 1'][..., 0].max():.1f} with it.",
            alt="Two panels over 100 steps. Without clipping each network's error jumps in the first steps by several powers of ten, one network's by more than thirty, and so does the norm of its gradient; with clipping errors stay near or below one.") as axes:
    for i, (ax, label) in enumerate(zip(axes, ("mean squared error", "norm of the gradient"))):
        for (name, runs), color in zip(descents.items(), (COLORS["orange"], COLORS["blue"])):
            for k, run in enumerate(runs): ax.plot(run[:, i], color=color, linewidth=1, label=name if k == 0 else None)
        ax.set(xlabel="step", ylabel=label, yscale="log")
    axes[0].legend(fontsize=8)

# %% [markdown]
# Clipping keeps the error from jumping. It does not make these networks learn: after 100 steps neither has solved anything.

# %% [markdown]
# ### Signals, number by number

# %%
#| code-summary: "five bidirectional networks in one layer"
#| code-fold: true
own = {"weight_ih_l0": np.tile(np.eye(10).repeat(6, axis=0), (3, 1)), "weight_hh_l0": np.tile(np.kron(np.eye(10), np.ones((6, 6))), (3, 1))}

class FiveGRUs(Module):
    "Five GRUs of 6 units in each direction, as one of 60 units between which all weights are 0; a linear layer for each reads all its outputs."
    def __init__(self, seed):
        rng = stream(seed, "five")
        draw = lambda n, shape: rng.uniform(-n**-0.5, n**-0.5, shape)                       # PyTorch's initialization, which was theirs
        self.rnn = built.GRU(10, 60, rng=0)
        self.weight, self.bias = Parameter(draw(480, (5, 480, 10))), Parameter(draw(480, (5, 1, 10)))
        for name, p in self.rnn.named_parameters(): p.data[...] = own.get(name, 1) * draw(6, p.shape)

    def forward(self, x):                                                                   # (B, 40, 5) -> (B, 5, 10)
        out, _ = self.rnn(np.concatenate([x, x[:, ::-1]], axis=2))                          # (B, 40, 60)
        seen = out.reshape(-1, 40, 2, 5, 6).transpose(3, 0, 1, 2, 4).reshape(5, len(x), 480)
        return (seen @ self.weight + self.bias).transpose(1, 0, 2)

# %%
#| code-summary: "the long run: five small GRUs on signals, 4,000 steps"
#| code-fold: true
#| slow
signals, rng, nets, reads = mnist1d(), stream(0, "order"), FiveGRUs(0), []
optimizer = Adam(nets.parameters(), 0.01)
for step in range(1, 4001):
    rows = rng.integers(0, 4000, (100, 5))
    loss = cross_entropy(nets(signals.train.x[rows].transpose(0, 2, 1)).reshape(-1, 10), signals.train.y[rows].reshape(-1))
    optimizer.zero_grad()
    (5 * loss).backward()                                  # the five means, added: no net's loss depends on another's weights
    for name, p in nets.rnn.named_parameters(): p.grad *= own.get(name, 1)
    optimizer.step()
    if step % 500 == 0:
        with no_grad(): guess = nets(np.repeat(signals.test.x[..., None], 5, axis=2)).data.argmax(axis=2)
        reads.append((guess == signals.test.y[:, None]).mean(axis=0).tolist())
        _ = Path("results/12_mnist1d.json").write_text(json.dumps(reads))

# %%
#| code-summary: "the table"
#| code-fold: true
reads = 100 * np.array(stored("12_mnist1d"))                                                        # (evaluations, 5)
table([{"after": f"{500 * (i + 1):,} steps", "read [%]": "{:.1f} ± {:.1f}".format(*mean_interval(reads[i])), "lowest, highest": f"{reads[i].min():.1f}, {reads[i].max():.1f}"} for i in (1, 3, 5, len(reads) - 1)]
      + [{"after": "Greydanus and Kobak (2024)", "read [%]": "91", "lowest, highest": ""}], name="mnist1d",
      caption="Test signals of MNIST-1D read by a GRU that takes their forty numbers one by one, in both directions, with 6 units each, and a linear layer that reads all outputs: mean of five networks and its 95% interval. Theirs is one number, after about 6,000 steps of the same batch size and rate.")

# %% [markdown]
# ### Sound

# %%
def spectrogram(sound):
    "Sound (n, samples) at 8 kHz -> log magnitudes (n, frames, 32) of 32 bands of 125 Hz."
    spectrum = built.stft(sound, n_fft=256, hop_length=128, window=built.hann_window(256))    # (n, 129, frames)
    power = np.abs(spectrum[:, 1:])**2
    bands = power.reshape(len(sound), 32, 4, -1).mean(axis=2)
    return np.log(bands + 1e-3).transpose(0, 2, 1).astype(np.float32)

# %%
#| code-summary: "the drawing"
#| code-fold: true
words, noisy = spoken_digits(20, None), spoken_digits(20, 0)
fine = lambda sound: np.log(np.abs(built.stft(sound[None], n_fft=256, hop_length=32, window=built.hann_window(256))[0]) + 1e-2)
pick, seconds = int(np.flatnonzero(words.y == 6)[0]), np.arange(6000) / 8000
with figure(2, 2, height=3.4, width=6.6, sharex=True, height_ratios=[1, 2], name="spectrogram",
            caption="One synthesized word, six: its sound, and below how strong each frequency is over time (logarithm of the magnitude), in windows of 32 ms. Left clean, right with white noise of the same power as the word.",
            alt="Two waveforms above two spectrograms. On the left the word is a burst of noise at high frequencies, then bands at low frequencies, then noise again; on the right noise covers all of it, and the bands at low frequencies can still be seen.") as axes:
    for (top, bottom), data, title in zip(axes.T, (words, noisy), ("clean", "0 dB")):
        top.plot(seconds, data.x[pick], linewidth=0.4)
        top.set(title=title, ylim=(-1.2, 1.2))
        bottom.imshow(fine(data.x[pick]), origin="lower", aspect="auto", extent=(0, 0.75, 0, 4), cmap="cividis")
        bottom.set(xlabel="time [s]")
    axes[1, 0].set_ylabel("frequency [kHz]")

# %%
#| code-summary: "noise, three readers, their rates and epochs"
#| code-fold: true
sounds, levels, delays = spoken_digits(2000, None), (-20, -15, -10, -5, 0, 5, 10, 20), (0.0, 0.1, 0.2)      # dB; s
hiss = spoken_digits(2000, 0).x - sounds.x                                                  # noise as strong as each word
speaker = sounds.frame["speaker"]                                                           # 32 to learn from, 8 to choose rates, 10 to test
words_of = {"most": np.flatnonzero(speaker < 32), "held out": np.flatnonzero((speaker >= 32) & (speaker < 40)), "train": np.flatnonzero(speaker < 40), "test": np.flatnonzero(speaker >= 40)}

def in_noise(rows, dB, rng, delay=0.0):
    "Spectrograms of words (n, 47, 32), each with noise from another place, at one level or at each word's own."
    wait = round(8000 * delay)
    late = np.pad(sounds.x[rows], ((0, 0), (wait, 0)))[:, :6000]
    turn = (np.arange(6000) + rng.integers(0, 6000, (len(late), 1))) % 6000
    noise = 10 ** (-np.broadcast_to(dB, len(late))[:, None] / 20) * np.take_along_axis(hiss[rows], turn, axis=1)
    return (spectrogram(late + noise) + 2) / 3                                              # about mean 0, spread 1

sound_readers = {"logistic regression": (lambda seed: nn.Sequential(nn.Flatten(), twin_layers.Linear(47 * 32, 10, rng=seed)), (0.001, 0.003), 12),
                 "CNN": (lambda seed: nn.Sequential(nn.Unflatten(1, (1, 47)), twin_cnn.ConvNet((8, "M", 16, "M"), image_size=(47, 32), rng=seed)), (0.003, 0.01), 4),
                 "GRU": (lambda seed: built.SequenceClassifier(32, 48, 10, rng=seed), (0.01, 0.03), 12)}

# %%
#| code-summary: "the long run: three readers of words in noise"
#| code-fold: true
#| slow
torch.set_num_threads(1)

def reader(make, lr, seed, words, epochs, copies=2):
    "A reader that has learned words with noise of -15 to 20 dB, two copies of each: a net in torch, or one on the book's engine, whose GRU is the faster."
    rng = stream(seed, "in noise")
    x = np.concatenate([in_noise(words, rng.uniform(-15, 20, len(words)), rng) for _ in range(copies)])
    model, data = make(seed), DataLoader(x, np.tile(sounds.y[words], copies), batch_size=64, seed=seed)
    if isinstance(model, nn.Module):
        optimizer = torch.optim.Adam(model.parameters(), lr, fused=True)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs * len(data))
        fit(model, optimizer, data, schedule=schedule, epochs=epochs, clip=1.0, progress=False, device="cpu")
    else:
        optimizer = Adam(model.parameters(), lr)
        training.fit(model, optimizer, data, schedule=Schedule(optimizer, cosine(epochs * len(data))), epochs=epochs, clip=1.0, progress=False)
    return model

def share(model, words, dB, delay=0.0):
    x, guess = in_noise(words, dB, stream(1, "in noise, test"), delay), predict if isinstance(model, nn.Module) else training.predict
    return accuracy(guess(model, x), sounds.y[words])

found, mixed = {}, stream(2, "levels").uniform(-15, 20, len(words_of["held out"]))
early = words_of["test"][(sounds.frame["start"] + sounds.frame["duration"])[words_of["test"]] < 0.55]     # that stay whole when delayed
for name, (make, rates, epochs) in sound_readers.items():
    tried = found[name] = {"rates": {lr: share(reader(make, lr, 100, words_of["most"], epochs), words_of["held out"], mixed) for lr in rates}, "test": [], "delayed": []}
    tried["rate"] = max(rates, key=tried["rates"].get)
    for seed in range(3):
        model = reader(make, tried["rate"], seed, words_of["train"], epochs)
        tried["test"].append([share(model, words_of["test"], dB) for dB in levels])
        tried["delayed"].append([share(model, early, 10, delay) for delay in delays])
        _ = Path("results/12_sound.json").write_text(json.dumps(found))

# %%
#| code-summary: "the long run: CNNs with as many epochs as the GRU"
#| code-fold: true
#| slow
torch.set_num_threads(1)
pictures = {"CNN, longer": lambda seed: sound_readers["CNN"][0](seed),
            "CNN, mean over places, longer": lambda seed: nn.Sequential(nn.Unflatten(1, (1, 47)), twin_cnn.ConvNet((8, "M", 16, "M", 32), rng=seed))}
found, words, test = {name: {"test": [], "delayed": []} for name in pictures}, words_of["train"], words_of["test"]
early = test[(sounds.frame["start"] + sounds.frame["duration"])[test] < 0.55]
for seed in range(3):
    rng = stream(seed, "in noise")
    x = np.concatenate([in_noise(words, rng.uniform(-15, 20, len(words)), rng) for _ in range(2)])
    for name, make in pictures.items():
        model, data = make(seed), DataLoader(x, np.tile(sounds.y[words], 2), batch_size=64, seed=seed)
        optimizer = torch.optim.Adam(model.parameters(), 0.01, fused=True)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 12 * len(data))
        fit(model, optimizer, data, schedule=schedule, epochs=12, clip=1.0, progress=False, device="cpu")
        reads = lambda rows, dB, delay=0.0: accuracy(predict(model, in_noise(rows, dB, stream(1, "in noise, test"), delay)), sounds.y[rows])
        found[name]["test"].append([reads(test, dB) for dB in levels])
        found[name]["delayed"].append([reads(early, 10, delay) for delay in delays])
        _ = Path("results/12_sound_longer.json").write_text(json.dumps(found))

# %%
#| code-summary: "the figure and the table"
#| code-fold: true
heard = stored("12_sound") | stored("12_sound_longer")
curves = {name: 100 * np.array(tried["test"]) for name, tried in heard.items()}                      # (3 networks, levels)
lines({name: c.mean(axis=0) for name, c in curves.items()}, np.array(levels), band={name: (c.min(axis=0), c.max(axis=0)) for name, c in curves.items()},
      xlabel="signal-to-noise ratio [dB]", ylabel="words read [%]", name="noise",
      caption="Words of ten new speakers read in white noise by readers of the same spectrograms, trained with noise between −15 and 20 dB. Means of three networks each, bands from lowest to highest; 400 words.",
      alt="Curves that rise with the signal-to-noise ratio, from near a sixth at −20 dB. Up to −10 dB they lie close together; from −5 dB on that of the GRU lies above those of logistic regression and of the first CNN.")
makers = {name: make for name, (make, _, _) in sound_readers.items()} | {"CNN, longer": sound_readers["CNN"][0], "CNN, mean over places, longer": lambda seed: twin_cnn.ConvNet((8, "M", 16, "M", 32), rng=seed)}
size = lambda model: sum(p.numel() if isinstance(model, nn.Module) else p.data.size for p in model.parameters())
table([{"reader": name, "parameters": f"{size(makers[name](0)):,}", "epochs": sound_readers[name][2] if name in sound_readers else 12} | {f"{dB} dB".replace("-", "−"): "{:.0f} ± {:.0f}".format(*mean_interval(curves[name][:, levels.index(dB)])) for dB in (-10, -5, 0, 20)}
       | {f"{1000 * d:.0f} ms late": f"{100 * np.mean(heard[name]['delayed'], axis=0)[i]:.0f}" for i, d in enumerate(delays)} for name in heard], name="noise-table",
      caption="The same [% of words]: means of three networks and their 95% intervals (over networks, not words), and, at 10 dB, of the words that end early enough, as they are and delayed by 100 and 200 ms. Rates: the better of two on held-out speakers; for the two CNNs that learn longer, that of the first CNN.")
at_0 = {name: c[:, levels.index(0)] for name, c in curves.items()}
claim("at 0 dB the worst of three GRUs reads {:.1f} points more words than the best of all other readers", at_0["GRU"].min() - max(c.max() for name, c in at_0.items() if name != "GRU"), ">", 2)

# %% [markdown]
# At −10 dB and below, the GRU and the CNNs read about as many words. From −5 to 5 dB the GRU leads each of them, also those with as many epochs, and logistic regression; at 20 dB the CNN that averages over places comes close. A delay of 200 ms costs logistic regression and the CNNs that read all places part of their words, the GRU next to none: its weights don't know when a word begins. All of it holds for synthesized words in white noise.
