# Experiments of chapter 13 (attention). Cells in the order of the page; Markdown cells hold sentences for the page's author to take or leave.
# Three results that differ from what one expects, and from the first draft of this file, so that the page must follow:
# 1. √d: with 64 keys instead of 8, the middle query's gradient is NOT small without the division. What survives is inequality (see the Markdown there).
# 2. Which came first: networks with positions fail at 64 places after learning with 16; the causal one without positions does not.
# 3. Time against T: at d = 64 the times cross nowhere in the figure; at d = 512 before 2d. The thin products count as much as the softmax.
# Needs of the chapter's imports: numpy as np, activations (nnbook), Tensor; of the experiments' imports what the first cell lists.

# %%
#| code-summary: "imports for the experiments"
#| code-fold: true
import json
import time
import tracemalloc
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

import nnbook.attention as built
import nnbook.torch.attention as twins
from nnbook import activations
from nnbook.autograd import Tensor, softmax, where
from nnbook.claims import claim
from nnbook.explore import explore
from nnbook.plots import COLORS, INK, bars, figure, heatmap, hist, lines, table
from nnbook.running import stored
from nnbook.streams import stream


# %% [markdown]
# ## A dictionary that mixes
#
# A dictionary gives the value of the key that is *equal* to what was asked, and an error when there is none. A softer one scores every key by how near it is, makes weights of the scores with a softmax, and answers with the mix of all values:

# %%
rng = stream(13, "kernel regression")
keys = np.sort(rng.uniform(0, 6, 40))                                # (n,)
values = np.sin(keys) + 0.3 * rng.standard_normal(40)                # (n,)

def soft_lookup(query, keys, values, width):
    "query (m,), keys (n,), values (n,) -> (m,)"
    scores = -((query[:, None] - keys)**2) / (2 * width**2)          # (m, n)
    return activations.softmax(scores) @ values

# %% [markdown]
# **Predict** what it answers between the keys when the width is very small; and when it is very large.

# %%
#| code-summary: "the figure"
#| code-fold: true
query = np.linspace(-0.5, 6.5, 400)
with figure(height=2.8, width=6.4, name="kernel", caption="The answers of a soft dictionary with 40 keys (dots), noisy values of a sine, at three widths.",
            alt="Forty dots around a sine. At width 0.02 the answer is a staircase through nearly every dot; at 0.4 a smooth curve near the sine; at 10 a flat line at the mean of all values.") as ax:
    ax.plot(keys, values, "o", color=INK, markersize=3.5)
    lines({f"width {w:g}": soft_lookup(query, keys, values, w) for w in (0.02, 0.4, 10)}, query, ax=ax, xlabel="query", ylabel="answer")

# %% [markdown]
# Narrow, it is the nearest neighbour; wide, the mean of all values. Statistics knows it as **kernel regression** (Nadaraya, 1964; Watson, 1964). Which width is best can be asked of the data: let no key look at itself, and see how well the others answer for it. What a query must not see gets the score $-\infty$, so that its weight is 0: we shall need that again.

# %%
def left_out(width):
    "Mean squared error when each key's value is looked up among the others."
    scores = -((keys[:, None] - keys)**2) / (2 * width**2)
    np.fill_diagonal(scores, -np.inf)
    return ((activations.softmax(scores) @ values - values)**2).mean()

# %%
#| code-summary: "the figure"
#| code-fold: true
widths = np.geomspace(0.02, 10, 60)
errors = np.array([left_out(w) for w in widths])
lines(errors, widths, logx=True, xlabel="width", ylabel="mean squared error", height=2.2, width=5.0, name="left-out",
      caption="How well the other keys answer for each key, over the width.",
      alt=f"A valley: high at small widths, lowest near width {widths[errors.argmin()]:.1g}, highest at large widths, where every answer is a mean.")

# %% [markdown]
# Expand the square: $-\tfrac12\lVert q-k\rVert^2=q\cdot k-\tfrac12\lVert q\rVert^2-\tfrac12\lVert k\rVert^2$. The term $\lVert q\rVert^2$ is the same for all keys, and what is added to every score cancels in the softmax. If all keys are equally long, $\lVert k\rVert^2$ cancels too. What is left is a dot product: a Gaussian of width $w$ is the softmax of $q\cdot k/w^2$. Keys of different lengths are not the same: a dot product favours the long ones.

# %%
def both_ways(q, K, width):
    "Weights (m, n) of keys K (n, d) by Gaussian kernel, and by softmax of dot products."
    squares = ((q[:, None] - K)**2).sum(axis=-1)                     # (m, n)
    return activations.softmax(-squares / (2 * width**2)), activations.softmax(q @ K.T / width**2)

# %%
#| code-summary: "the table"
#| code-fold: true
rng = stream(13, "both ways")
q, K = rng.standard_normal((200, 64)), rng.standard_normal((50, 64))
equal = 8 * K / np.linalg.norm(K, axis=1, keepdims=True)             # every key 8 = √64 long, which the others are on average
pairs = {"equally long": both_ways(q, equal, 64**0.25), "as drawn": both_ways(q, K, 64**0.25)}
table([{"keys": name, "largest difference of a weight": np.abs(a - b).max(), "queries whose heaviest key is another": f"{(a.argmax(axis=1) != b.argmax(axis=1)).mean():.0%}"} for name, (a, b) in pairs.items()],
      name="both-ways", caption="Gaussian kernel against softmax of dot products: 200 queries, 50 keys, 64 numbers each, width² = √64.")

# %% [markdown]
# Turn a query over six keys in the plane. The six values lie elsewhere. **Predict** where the answer can never be, and what a query does that points between two keys, as the scores are scaled up.

# %%
#| code-summary: "the figure that moves"
#| code-fold: true
at = np.deg2rad([10, 70, 100, 190, 250, 320])
K6 = np.stack([np.cos(at), np.sin(at)], axis=1)                      # (6, 2)
V6 = np.array([[0.9, -0.5], [-0.2, 0.9], [0.5, 0.6], [-0.9, -0.2], [0.1, -0.9], [-0.5, 0.3]])
inks = list(COLORS.values())

def turned_by_hand(angle, scale):
    p = activations.softmax(scale * K6 @ [np.cos(np.deg2rad(angle)), np.sin(np.deg2rad(angle))])     # (6,)
    with figure(3, height=2.0, width=6.0) as (left, middle, right):
        for ax in (left, right): ax.set(xlim=(-1.25, 1.25), ylim=(-1.25, 1.25), aspect="equal", xticks=[], yticks=[])
        left.scatter(*K6.T, c=inks, s=36), left.annotate("", (0.8 * np.cos(np.deg2rad(angle)), 0.8 * np.sin(np.deg2rad(angle))), (0, 0), arrowprops={"arrowstyle": "->", "color": INK, "linewidth": 1.6})
        middle.bar(range(6), p, color=inks), middle.set(ylim=(0, 1), xticks=[], yticks=[0, 1])
        right.scatter(*V6.T, c=inks, s=400 * p + 3), right.plot(*(p @ V6), "*", color=INK, markersize=11)
        for ax, title in ((left, "query and keys"), (middle, "weights"), (right, "values and answer")): ax.set_title(title)

explore(turned_by_hand, angle=list(range(0, 360, 30)), scale=[2, 12], start={"angle": 60, "scale": 2}, name="turn",
        caption="A query turned by hand over six keys: dot products times a scale, the weights that the softmax makes of them, and the mix of the six values (star; a dot is as large as its weight).",
        alt=lambda angle, scale: f"Query at {angle} degrees, scale {scale}: " + ", ".join(f"{w:.2f}" for w in activations.softmax(scale * K6 @ [np.cos(np.deg2rad(angle)), np.sin(np.deg2rad(angle))])) + " are the weights of keys 1 to 6.")

# %% [markdown]
# ## Why divide by the square root of d?
#
# The scores of attention are dot products, divided by $\sqrt d$, where $d$ is the width of queries and keys. Why $\sqrt d$, and not $d$? And what happens without? Begin with the scores. **Predict**: from width 4 to width 16, how much do they grow?

# %%
rng, scores = stream(13, "scores"), {}
for d in (4, 16, 64, 256):
    q, k = rng.standard_normal((2, 10_000, d))                       # (10000, d) each
    scores[d] = (q * k).sum(axis=1)                                  # (10000,)

# %%
#| code-summary: "the figure"
#| code-fold: true
hist(scores, xlabel="score q·k", label="d = {}", height=2.2, width=5.0, name="scores", caption="Scores of 10,000 random pairs at four widths.",
     alt="Four overlapping bell curves centred at zero; each quadrupling of d doubles the width.")
table([{"d": d, "standard deviation": s.std(), "divided by √d": s.std() / np.sqrt(d)} for d, s in scores.items()], name="spread", caption="The standard deviations of these scores.")

# %% [markdown]
# They double when $d$ quadruples: $q\cdot k$ is a sum of $d$ independent terms of mean 0 and variance 1, and the variances of independent terms add. What does a softmax make of large scores? One reads that it saturates and its gradient vanishes. Learning acts on the query; measure there.

# %%
def grad_at_query(d, scale, m=8, n=1000, seed=13):
    "Length of d(output)/dq for n random queries, each over m keys and values; scale multiplies the scores."
    rng = stream(seed, "gradient at the query")
    Q, K, V = rng.standard_normal((n, d)), rng.standard_normal((n, m, d)), rng.standard_normal((n, m))
    p = activations.softmax(np.einsum("nd,nmd->nm", Q, K) * scale)   # (n, m)
    out = (p * V).sum(axis=1, keepdims=True)                         # (n, 1)
    return np.linalg.norm(np.einsum("nm,nmd->nd", p * (V - out), K) * scale, axis=1)

# %%
#| code-summary: "the figure that moves"
#| code-fold: true
lengths = {(d, keys, divided): np.log10(grad_at_query(d, d**-0.5 if divided else 1.0, m=keys, n=1000)) for d in (4, 16, 64, 256) for keys in (8, 64) for divided in (False, True)}

def smear(d, keys, divided):
    with figure(height=2.2, width=5.0) as ax:
        hist(np.clip(lengths[d, keys, divided], -10, 2), bins=np.linspace(-10, 2, 61), ax=ax, xlabel="log10 of the gradient's length", ylabel="queries")
        ax.set_ylim(0, 500)

explore(smear, d=[4, 16, 64, 256], keys=[8, 64], divided=[False, True], name="smear", caption="Lengths of the gradient that reaches 1,000 random queries over 8 or 64 keys. Shorter ones than 10⁻¹⁰ stand at the left end.",
        alt=lambda d, keys, divided: f"Width {d}, {keys} keys, scores {'divided' if divided else 'not divided'}: the middle query's gradient is {10 ** np.median(lengths[d, keys, divided]):.1e} long; one in ten is below {10 ** np.percentile(lengths[d, keys, divided], 10):.0e}.")

# %%
#| code-summary: "the claim and the table, over five seeds"
#| code-fold: true
runs = {(keys, name): [grad_at_query(256, scale, m=keys, n=1000, seed=s) for s in range(1, 6)] for keys in (8, 64) for name, scale in (("undivided", 1.0), ("divided by √d", 1 / 16))}
little = {kind: [float((g < g.mean() / 10).mean()) for g in by_seed] for kind, by_seed in runs.items()}
table([{"keys": keys, "scores": name, "mean": np.mean([g.mean() for g in by_seed]), "median": np.mean([np.median(g) for g in by_seed]), "below a tenth of the mean": f"{np.mean(little[keys, name]):.1%}"} for (keys, name), by_seed in runs.items()],
      name="unequal", caption="Length of the gradient at the query, width 256: means of five seeds with 1,000 queries each.")
claim("undivided at width 256, at least {:.0%} of the queries get less than a tenth of the mean gradient", min(min(shares) for (_, name), shares in little.items() if name == "undivided"), ">", 0.4)

# %% [markdown]
# Divided, the histogram stands still. Undivided, it smears to the left as $d$ grows. With 8 keys the middle query is left with a small part of the divided gradient; with 64 it is not, since more keys tie for the first place; and the *mean* rises in both. So "the gradient vanishes" holds for some queries and some numbers of keys. What remains with either is that the gradient becomes very unequal: half of the queries, or nearly so, get less than a tenth of the mean, and with the division hardly any.
#
# Initial weights of the query divided by $\sqrt d$ give the same scores at the start. After that, a step of equal size in these weights moves the scores $\sqrt d$ times as far as it does with the division; so for Adam, whose steps do not depend on the gradient's size, it is the same as a rate $\sqrt d$ times as high for these weights alone ([Vaswani and others, 2017](99_references.ipynb#vaswani2017), give the variance argument in a footnote).

# %% [markdown]
# ## Order is lost
#
# Nothing in attention knows where a token stands. Say so as an equation: shuffle the inputs, and the outputs are shuffled alike, $\operatorname{attend}(PX)=P\operatorname{attend}(X)$ for every permutation matrix $P$. This is **permutation equivariance**; a sum over all tokens does not depend on their order.

# %%
def self_attention(x, W, mask=True):
    "x (..., T, d), W (3, d, d), mask (T, T): where a query may look -> (..., T, d)"
    q, k, v = (x @ w for w in W)
    scores = np.where(mask, q @ k.swapaxes(-1, -2) / np.sqrt(x.shape[-1]), -np.inf)
    return activations.softmax(scores) @ v

rng = stream(13, "permutations")
x, W = rng.standard_normal((20, 32)), rng.standard_normal((3, 32, 32)) / np.sqrt(32)
causal = np.tri(20, dtype=bool)                                      # query i sees keys 0 ... i

def commutes(attend):
    "Largest difference between attention of shuffled inputs and shuffled attention, over 100 permutations."
    return max(np.abs(attend(x[p]) - attend(x)[p]).max() for p in (rng.permutation(20) for _ in range(100)))

# %%
#| code-summary: "the table"
#| code-fold: true
table([{"attention": name, "largest difference": commutes(attend), "of outputs up to": np.abs(attend(x)).max()} for name, attend in
       {"no mask": lambda x: self_attention(x, W), "causal mask": lambda x: self_attention(x, W, causal), "no mask, positions added": lambda x: self_attention(x + built.sinusoidal(20, 32), W)}.items()],
      name="commutes", caption="Shuffle, then attend, against attend, then shuffle: 100 permutations of 20 random tokens.")

# %% [markdown]
# **Predict**: the causal mask lets each token see itself and what stands before. Does it commute with permutations?

# %% [markdown]
# With the mask it does not: the first token sees itself alone, the last sees all. A **causal mask** breaks the symmetry, and so a model that was told no positions can still find them out ([Haviv and others, 2022](99_references.ipynb#haviv2022)). What could give a place away? Take random tokens, random weights, no training. **Predict** how the variance of the outputs changes with the place $i$, with the mask and without.

# %%
rng = stream(13, "variance over place")
x, causal = rng.standard_normal((100, 128, 32)), np.tri(128, dtype=bool)

def over_place(size, mask):
    "Variance of the outputs at each place, relative to that of the values: (128,), mean of five layers."
    W = [size * rng.standard_normal((3, 32, 32)) / np.sqrt(32) for _ in range(5)]
    return np.mean([self_attention(x, w, mask).var(axis=(0, 2)) for w in W], axis=0) / size**2

spread = {"causal mask": over_place(1, causal), "causal, small weights": over_place(0.5, causal), "no mask": over_place(1, True)}

# %%
#| code-summary: "the figure"
#| code-fold: true
with figure(height=2.6, width=5.4, name="variance", caption="Variance of what an untrained attention layer puts out at place i, relative to that of the values, over random tokens; means of five layers. Small weights are half as large. Dotted: 1/i.",
            alt="On logarithmic axes the two curves with a causal mask start at 1 and fall along the dotted line 1/i, the one with smaller weights on it, the other more slowly. Without a mask the curve is level.") as ax:
    lines(spread, np.arange(1, 129), ax=ax, logx=True, logy=True, xlabel="place i", ylabel="variance")
    ax.plot(np.arange(1, 129), 1 / np.arange(1, 129), ":", color=INK, linewidth=1.2)

# %% [markdown]
# Place $i$ gets a mean of $i$ values, and a mean of $i$ independent values has $1/i$ of their variance: exactly so with equal weights, more with weights that differ ([Chi and others, 2023](99_references.ipynb#chi2023)). That is no signal a linear read-out could use, its mean is zero; but the next layer's normalization and MLP see how long a vector is.
#
# Does training make use of it? The task: 15 random letters with one *a* and one *b* among them, then a question mark; at the question mark a small network has to say which of the two came first. Without mask and without positions this is impossible, as the equation says. **Predict** the rest of the table: one layer or two, with and without mask, with no positions, sinusoidal ones or rotations (both below).

# %%
#| code-summary: "two tasks, and small networks side by side"
#| code-fold: true
def which_first(n, rng, length=16):
    "Letters x (n, length), one 0 and one 1 among them, at the end the sign 12; y: at the end, was the 0 before the 1? elsewhere nothing is asked."
    x, rows = rng.integers(2, 12, (n, length)), np.arange(n)
    places = rng.random((n, length - 1)).argsort(axis=1)[:, :2]
    x[rows[:, None], places], x[:, -1] = (0, 1), 12
    return x, np.where(np.arange(length) == length - 1, (places[:, 0] < places[:, 1])[:, None], -100)

def where_am_i(n, rng, length=16):
    "Random letters x (n, length); y: at every place, its number."
    return rng.integers(0, 12, (n, length)), np.tile(np.arange(length), (n, 1))

def networks(seeds, layers, answers, d=32):
    "Parameters of networks side by side, one a seed: embedding; for each layer qkv, out, up, down; head."
    shapes = [(13, d), *layers * [(d, 3 * d), (d, d), (d, 4 * d), (4 * d, d)], (d, answers)]
    drawn = [[g.standard_normal(s) / (1 if s[0] == 13 else s[0]**0.5) for g, s in zip(stream(seed, "order, initialization").spawn(len(shapes)), shapes)] for seed in seeds]
    return [torch.tensor(np.stack(p), dtype=torch.float32, requires_grad=True) for p in zip(*drawn)]

def answered(params, x, causal, positions, heads=4):
    "x (R, B, T), R networks' letters -> the stream after each layer, R × (B T, d); logits (R, B, T, answers)."
    norm, (R, B, T), d = lambda z: F.layer_norm(z, z.shape[-1:]), x.shape, params[0].shape[-1]
    z = torch.stack([table[i] for i, table in zip(x, params[0])])                        # (R, B, T, d)
    if positions == "sinusoidal": z = z + torch.from_numpy(built.sinusoidal(T, d))
    z, after = z.view(R, B * T, d), []
    for qkv, out, up, down in zip(*(params[1 + i : -1 : 4] for i in range(4))):
        q, k, v = (norm(z) @ qkv).view(R * B, T, 3, heads, d // heads).permute(2, 0, 3, 1, 4)
        if positions == "rotations": q, k = twins.rotate(q), twins.rotate(k)
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=causal)                # (R B, heads, T, d / heads)
        z = z + mixed.transpose(1, 2).reshape(R, B * T, d) @ out
        z = z + F.gelu(norm(z) @ up) @ down
        after.append(z.detach())
    return after, (norm(z) @ params[-1]).view(R, B, T, -1)

def drawn(task, n, rngs, length=16): return [torch.from_numpy(np.stack(a)) for a in zip(*(task(n, rng, length) for rng in rngs))]

def trained(task, layers, causal, positions, rates, seeds, steps):
    "Networks trained with Adam, each at its rate, which rises over 50 steps and falls to 0 in a line."
    params, rngs = networks(seeds, layers, 2 if task is which_first else 16), [stream(s, "order, training") for s in seeds]
    moments = [(torch.zeros_like(p), torch.zeros_like(p)) for p in params]
    for t in range(1, steps + 1):
        x, y = drawn(task, 32, rngs)
        loss = len(seeds) * F.cross_entropy(answered(params, x, causal, positions)[1].flatten(0, 2), y.flatten())
        rate = torch.tensor(rates).view(-1, 1, 1) * min(t / 50, 1) * (1 - (t - 1) / steps)
        with torch.no_grad():
            for p, g, (m, v) in zip(params, torch.autograd.grad(loss, params), moments):
                m.lerp_(g, 0.1), v.lerp_(g * g, 0.01)
                p -= rate * m / (1 - 0.9**t) / ((v / (1 - 0.99**t)).sqrt() + 1e-8)
    return params

@torch.no_grad()
def right(task, params, causal, positions, seeds, length=16):
    "Shares of right answers on 1,000 other sequences, by network and place (R, T)."
    x, y = drawn(task, 1000, [stream(s, "order, test") for s in seeds], length)
    return (answered(params, x, causal, positions)[1].argmax(dim=-1) == y).float().mean(dim=1)

@torch.no_grad()
def place_read(task, params, causal, positions, seeds):
    "Share of the variance of the place that a linear read-out of the normalized stream explains, after each layer, in sequences it was not fitted to: means over networks."
    rngs = [stream(s, "order, probe") for s in seeds], [stream(s, "order, probe's test") for s in seeds]
    streams = [answered(params, drawn(task, 500, part)[0], causal, positions)[0] for part in rngs]
    at, found = torch.arange(16.0).repeat(500)[:, None], []
    for fitted, tested in zip(*streams):
        a, b = (F.pad(F.layer_norm(z, z.shape[-1:]), (0, 1), value=1.0).double() for z in (fitted, tested))
        away = at - b @ torch.linalg.lstsq(a, at.double().expand(len(a), -1, 1), driver="gelsd").solution
        found.append(float(1 - (away**2).mean() / at.var(correction=0)))
    return found

# %%
#| code-summary: "the long run: twelve kinds of network, four rates, five seeds"
#| code-fold: true
#| slow
torch.set_num_threads(1)
rates, seeds, found = [0.001, 0.003, 0.01, 0.03], list(range(5)), {"which first": {}, "where am I": {}, "read": {}}

def tuned(task, steps, *kind):
    "Networks of five seeds at the rate that was best with a sixth; what they were right about."
    tried = right(task, trained(task, *kind, rates, [9] * 4, steps), *kind[1:], [9] * 4)[:, -1 if task is which_first else slice(None)].reshape(4, -1).mean(dim=1)
    params = trained(task, *kind, [rates[int(tried.argmax())]] * 5, seeds, steps)
    return params, {"tried": tried.tolist(), "rate": rates[int(tried.argmax())], "right": right(task, params, *kind[1:], seeds).tolist()}

for layers, causal, positions in [(*kind, at) for kind in ((1, True), (2, False), (2, True)) for at in ("none", "sinusoidal", "rotations")]:
    params, result = tuned(which_first, 500, layers, causal, positions)
    result = result | {"right": [row[-1] for row in result["right"]], "longer": right(which_first, params, causal, positions, seeds, 64)[:, -1].tolist()}
    found["which first"][f"{layers}|{causal}|{positions}"] = result
    if (layers, positions) == (2, "none"):
        found["read"][f"untrained|{causal}"] = place_read(where_am_i, networks(seeds, 2, 2), causal, positions, seeds)
        found["read"][f"which first|{causal}"] = place_read(where_am_i, params, causal, positions, seeds)
    _ = Path("results/13_order.json").write_text(json.dumps(found))

for layers, causal in ((1, True), (2, True), (2, False)):
    params, found["where am I"][f"{layers}|{causal}"] = tuned(where_am_i, 600, layers, causal, "none")
    if layers == 2: found["read"][f"where am I|{causal}"] = place_read(where_am_i, params, causal, "none", seeds)
    _ = Path("results/13_order.json").write_text(json.dumps(found))

# %%
#| code-summary: "the tables and the claim"
#| code-fold: true
found = stored("13_order")
share = lambda rights: f"{np.mean(rights):.1%}" + (f" ({min(rights):.1%} to {max(rights):.1%})" if max(rights) - min(rights) > 0.001 else "")
rows = {"one layer": "1|True", "two layers, no mask": "2|False", "two layers, causal mask": "2|True"}
for at_length, key in ((16, "right"), (64, "longer")):
    table([{"network": name, **{at: share(found["which first"][f"{kind}|{at}"][key]) for at in ("none", "sinusoidal", "rotations")}} for name, kind in rows.items()], name=f"which-first-{at_length}",
          caption=f"Which came first? Right answers at the last of {at_length} places, by positions, of networks that learned with 16: mean, least and most of five networks on 1,000 sequences each" + (", at the best of four rates (chosen with a sixth network). Guessing is right half of the time." if at_length == 16 else "."))
claim("without positions, two layers with a causal mask are right in at least {:.1%} of the cases", min(found["which first"]["2|True|none"]["right"]), ">", 0.99)

# %% [markdown]
# One layer without positions cannot do it, with the mask or without: at the last place the query sees everything in either case, and its answer is one sum over all letters, of which none knows what stood before it. In the first of two layers with a mask, *b* can look for an *a* before it, and the second layer reads that at *b*. That network needs no places, and goes on where there are four times as many. Those that learned with positions are mostly lost there, at guessing or even below: most of those positions they have never seen. Only some of the causal ones keep a part of what they could.
#
# Can a network without positions even say where it is? The same networks, asked at each of 16 places of random letters for its number. **Predict** how well one layer and two do it, and at which places.

# %%
#| code-summary: "the figure and the table"
#| code-fold: true
kinds = {"2|True": "two layers, causal", "1|True": "one layer, causal", "2|False": "two layers, no mask"}
curves = {label: np.array(found["where am I"][kind]["right"]) for kind, label in kinds.items()}                          # (5, 16) each
lines({label: c.mean(axis=0) for label, c in curves.items()}, np.arange(1, 17), band={label: (c.min(axis=0), c.max(axis=0)) for label, c in curves.items()}, xlabel="place", ylabel="right answers", height=2.6, width=5.4, name="where",
      caption="Where am I? Share of right answers at each place, networks without positions, means of five and least to most. Guessing is right at one place in 16.",
      alt="Both curves with a causal mask start at 1 at the first place, fall over the next ones, that of one layer faster, and rise at the last place. Without a mask it lies near one sixteenth throughout.")
table([{"two layers, no positions": f"{name}, {'causal' if causal else 'no mask'}", **{f"after layer {i + 1}": f"{round(part, 2) + 0:.2f}" for i, part in enumerate(found["read"][f"{kind}|{causal}"])}}
       for kind, name in (("untrained", "untrained"), ("which first", "learned which came first"), ("where am I", "learned to say the place")) for causal in (True, False)],
      name="place-read", caption="Share of the place's variance that a linear read-out explains, fitted to 500 sequences of random letters and tested on 500 others: means of five networks.")

# %% [markdown]
# Each of the five networks with two layers does it better than each of those with one, and one of them far better than its sisters: training is not at its end here. The first places are told apart more surely than later ones, where one token more changes a mean but little; at the last there is no later one to confuse it with. Some of it is there before training, as the table says; learning which came first adds none to what a line can read, for it does not need the place.
#
# ## Positions
#
# Where order matters, the model is told it. [Vaswani and others (2017)](99_references.ipynb#vaswani2017) add to each token a vector of sines and cosines of its place $t$, at wavelengths from $2\pi$ up; **rotary positions** (RoPE: [Su and others, 2021](99_references.ipynb#su2021)) add nothing, and turn pairs of numbers of each query and key by angles proportional to $t$. Both use the frequencies $\theta_j=b^{-2j/d}$, with $b=10{,}000$:

# %%
def plain_sinusoidal(n, d, base=10_000.0):
    "(n, d): sines in the even columns, cosines in the odd ones."
    angle = np.arange(n)[:, None] * base ** -(np.arange(0, d, 2) / d)               # (n, d / 2)
    return np.stack([np.sin(angle), np.cos(angle)], axis=2).reshape(n, d)

def plain_rotate(x, place, base=10_000.0):
    "x (..., T, d), place (T,): turn the pair of features j and j + d/2 by place · θ_j."
    half = x.shape[-1] // 2
    angle = place[:, None].astype(x.dtype) * base ** -(np.arange(half, dtype=x.dtype) / half)     # (T, d / 2)
    a, b = x[..., :half], x[..., half:]
    return np.concatenate([a * np.cos(angle) - b * np.sin(angle), a * np.sin(angle) + b * np.cos(angle)], axis=-1)

# %% [markdown]
# What both have in common takes two lines. A rotation by $\alpha$, transposed, is a rotation by $-\alpha$, and angles add; let $R_m$ turn every pair by its $m\theta_j$. Then
#
# $$
# (R_m\mathbf q)\cdot(R_n\mathbf k)=\mathbf q^\top R_m^\top R_n\,\mathbf k=\mathbf q\cdot R_{n-m}\mathbf k,
# \qquad
# \mathbf p_m\cdot\mathbf p_n=\sum_j\bigl(\sin m\theta_j\sin n\theta_j+\cos m\theta_j\cos n\theta_j\bigr)=\sum_j\cos\bigl((m-n)\theta_j\bigr).
# $$
#
# Only the distance counts. **Predict** by how much that fails in numbers, when query and key both move on by a million places, in float64 and in float32.

# %%
rng = stream(13, "far away")
q, k = rng.standard_normal((2, 500, 64))                             # 500 pairs, at places m and n
m, n = rng.integers(0, 64, (2, 500))

def moved(turn, dtype, shift):
    "Largest change of a score when both places move on by `shift`."
    score = lambda s: (turn(q.astype(dtype), m + s) * turn(k.astype(dtype), n + s)).sum(axis=1)
    return np.abs(score(shift) - score(0)).max()

# %%
#| code-summary: "two tables"
#| code-fold: true
library = lambda x, place: built.rotate(x, place).data
ways = {"ours, float64": (plain_rotate, np.float64), "ours, float32": (plain_rotate, np.float32), "library's, float32": (library, np.float32), "ours, float16": (plain_rotate, np.float16)}
with np.errstate(all="ignore"):
    table([{"moved by": f"{s:,}", **{name: f"{moved(turn, dtype, s):.0e}" for name, (turn, dtype) in ways.items()}} for s in (1, 100, 10_000, 1_000_000)], name="moved",
          caption=f"Rotary positions: largest change of 500 scores, of standard deviation {(q * k).sum(axis=1).std():.1f}, when query and key move on by as many places. Ours has its angles in the type of x, the library in float64.")

def by_distance(A, B, far=64):
    "Share of the variance of scores A[t] · B[t + s] that the distance s explains, 0 <= s < far."
    scores = np.array([(A[: len(A) - far] * B[s : len(B) - far + s]).sum(axis=1) for s in range(far)])
    return scores.mean(axis=1).var() / scores.var()

P, shares, every = built.sinusoidal(1024, 64, dtype=np.float64), {"sinusoidal, added": [], "sinusoidal, one weight matrix for both": [], "rotary": []}, np.arange(1024)
for seed in range(5):
    W = stream(seed, "by distance").standard_normal((2, 64, 64)) / 8
    shares["sinusoidal, added"].append(by_distance(P @ W[0], P @ W[1]))
    shares["sinusoidal, one weight matrix for both"].append(by_distance(P @ W[0], P @ W[0]))
    shares["rotary"].append(by_distance(*(plain_rotate(np.tile(w[0], (1024, 1)), every) for w in W)))
table([{"positions": name, "explained by the distance": f"{np.mean(v):.1%}", "least": f"{min(v):.1%}", "most": f"{max(v):.1%}"} for name, v in shares.items()], name="by-distance",
      caption="How much of a score's variance over 960 places and 64 distances the distance alone explains, through random weights for queries and keys: five draws.")

# %% [markdown]
# An angle of a million in float32 has steps of a sixteenth, and half precision cannot even count to 10,000 in ones: compute angles in float64, turn, then round. The second table shows what rotations gain: the sinusoids depend on distance alone among themselves, but a layer compares them through its weights for queries and keys, and random weights do not keep it. Rotations come after the weights, so they keep it for all weights.
#
# Does a rotated score *decay* with distance? One often reads so, and Su and others prove a bound that does. **Predict** it for a key equal to the query, for random pairs, and for a key made to fit at distance 100.

# %%
far = np.union1d(np.geomspace(1, 4096, 300).astype(int), [100])       # distances
def over_distance(q, k):
    "q, k (n, d) -> cosines of q and k turned back by each distance, (distances, n)."
    turned = np.array([plain_rotate(k, np.full(len(k), -s)) for s in far])
    return (q * turned).sum(axis=2) / np.linalg.norm(q, axis=1) / np.linalg.norm(k, axis=1)

# %%
#| code-summary: "the figure"
#| code-fold: true
decay = {"equal to the query": over_distance(q, q).mean(axis=1), "made for distance 100": over_distance(q, plain_rotate(q, np.full(500, 100))).mean(axis=1), "random pairs, root mean square": np.sqrt((over_distance(q, k)**2).mean(axis=1))}
with figure(height=2.6, width=5.4, name="decay", caption="Rotary positions, 64 numbers: score of a query with a key at a distance, divided by their lengths. Means of 500 random queries; for random pairs the root mean square.",
      alt="The curve of the equal key starts near 1 and falls with ripples to about 0 at a distance of 4,000. That of the key made for distance 100 stays near 0.4, has a sharp peak of 1 at 100 and then falls. That of random pairs is level at about 0.12.") as ax:
    lines(decay, far, logx=True, xlabel="distance", ylabel="score / lengths", ax=ax)
    ax.set_ylim(-0.45, 1.05), ax.legend(loc="lower left")

# %% [markdown]
# Equal vectors: yes, on the whole. Random pairs: not at all; a rotation changes no length, and a random direction turned is a random direction. And a key can be made to fit best at any distance. So rotary positions do not make a model look near; they let it ([Barbero and others, 2024](99_references.ipynb#barbero2024)). Here are all four pairs of a head of width 8.

# %%
#| code-summary: "the figure that moves"
#| code-fold: true
theta = 10_000.0 ** -(np.arange(4) / 4)                              # 1, 0.1, 0.01, 0.001
steps = np.arange(0, 81)

def clocks(key, distance):
    phase = {"as the query": 0, "made for 40": 40}[key]
    with figure(5, height=1.5, width=6.4, width_ratios=[1, 1, 1, 1, 2.2]) as axes:
        for ax, t in zip(axes, theta):
            ax.set(xlim=(-1.1, 1.1), ylim=(-1.1, 1.1), aspect="equal", title=f"θ = {t:g}"), ax.axis("off")
            ax.plot(*np.array([(np.cos(a), np.sin(a)) for a in np.linspace(0, 2 * np.pi, 60)]).T, color=INK, linewidth=0.6)
            ax.plot([0, 1], [0, 0], color=INK, linewidth=2), ax.plot([0, np.cos(a := (phase - distance) * t)], [0, np.sin(a)], color=COLORS["orange"], linewidth=2)
        curve = lambda s: np.cos(np.multiply.outer(phase - s, theta)).mean(axis=-1)
        axes[4].plot(steps, curve(steps), linewidth=1.2), axes[4].plot(distance, curve(distance), "o", color=COLORS["orange"], markersize=6)
        axes[4].set(xlabel="distance", title="score / lengths", ylim=(-0.6, 1.1))

explore(clocks, key=["as the query", "made for 40"], distance=[0, 1, 2, 5, 10, 20, 40, 80], start={"distance": 10}, name="clocks",
        caption="Rotary positions, a head of four pairs: the query's direction in each pair (gray), the key's after the turn (orange), and their score over the distance.",
        alt=lambda key, distance: f"Key {key}, distance {distance}: the four pairs differ by " + ", ".join(f"{np.rad2deg(({'as the query': 0, 'made for 40': 40}[key] - distance) * t) % 360:.0f}" for t in theta) + f" degrees; the score is {np.cos(({'as the query': 0, 'made for 40': 40}[key] - distance) * theta).mean():.2f}.")

# %%
#| code-summary: "ALiBi and a sliding window, drawn"
#| code-fold: true
seen = {"head 1": np.where(built.causal_mask(24), built.alibi_bias(4, 24, 24)[0], -np.inf), "head 4": np.where(built.causal_mask(24), built.alibi_bias(4, 24, 24)[3], -np.inf), "window of 6": np.where(built.sliding_window_mask(24, 6), 0, -np.inf)}
with figure(3, height=2.1, width=6.4, name="alibi", caption="Weights when all scores are equal: ALiBi (Press and others, 2022) takes a head's slope times the distance from its scores, here in the steepest and the flattest of four heads; a sliding window of 6 cuts off. Rows are queries, columns keys.",
            alt="Three triangles of weights. ALiBi's first head: dark only near the diagonal. Its fourth: nearly even over all earlier keys. The window: a band of even width along the diagonal.") as axes:
    for ax, (name, scores) in zip(axes, seen.items()): heatmap(activations.softmax(scores), ax=ax, title=name), ax.set(xticks=[], yticks=[])

# %% [markdown]
# ## What it costs
#
# $T$ tokens of width $d$. Queries, keys, values and the output are four products of $(T,d)$ with $(d,d)$: $4Td^2$ multiplications. Scores and mix are two products of $T\times T\times d$ in all heads together: $2T^2d$. The second overtakes the first at $T=2d$. It is arithmetic; but count.

# %%
class Counted(np.ndarray):
    "An array that counts the multiplications of its matrix products."
    total = 0
    def __array_ufunc__(self, ufunc, method, *inputs, **options):
        plain = [np.asarray(x) for x in inputs]
        out = np.asarray(getattr(ufunc, method)(*plain, **options))
        if ufunc is np.matmul: Counted.total += out.size * plain[0].shape[-1]
        return out.view(Counted)

def project(x, W): return [x @ w for w in W]                         # q, k, v, and the output's product: (T, d) each

def look(q, k, v, heads):
    q, k, v = (a.reshape(len(a), heads, -1).swapaxes(0, 1) for a in (q, k, v))     # (heads, T, d / heads)
    return activations.softmax(q @ k.swapaxes(1, 2) / q.shape[-1]**0.5) @ v

# %% [markdown]
# **Predict**: where do the *times* cross, before $T=2d$, there, or behind it? Once for $d=64$ with four heads, once for $d=512$ with eight.

# %%
#| code-summary: "counted and timed"
#| code-fold: true
def seconds(work, rounds=1):
    "Least of seven times of one core."
    spent = []
    for _ in range(7):
        start = time.process_time()
        for _ in range(rounds): work()
        spent.append((time.process_time() - start) / rounds)
    return min(spent)

def cost(T, d, heads):
    "Of the projections, and of scores, softmax and mix: multiplications counted, and seconds. Last, seconds of the softmax alone."
    rng, found = stream(T, "cost"), []
    x, W = rng.standard_normal((T, d)).astype(np.float32), rng.standard_normal((4, d, d)).astype(np.float32) / np.float32(d**0.5)
    for part, inputs in ((project, (x, W)), (lambda *qkv: look(*qkv, heads), project(x, W)[:3])):
        Counted.total = 0
        part(*(a.view(Counted) for a in inputs))
        found += [Counted.total, seconds(lambda: part(*inputs), max(1, 512 // T))]
    scores = rng.standard_normal((heads, T, T)).astype(np.float32)
    return *found, seconds(lambda: activations.softmax(scores), max(1, 512 // T))

settings = {(64, 4): [16, 32, 64, 128, 256, 512], (512, 8): [64, 128, 256, 512, 1024]}
costs = {(d, heads): np.array([cost(T, d, heads) for T in sizes]).T for (d, heads), sizes in settings.items()}
for (d, heads), sizes in settings.items():
    assert np.array_equal(costs[d, heads][[0, 2]], [[4 * T * d**2 for T in sizes], [2 * T**2 * d for T in sizes]]), "not the formulas' counts"
with figure(3, height=2.6, width=7.2, name="cost", caption="Multiplications, as counted, which at each length are those of the formulas, and seconds of one core, for the projections and for the rest (scores, softmax, mix), in NumPy, float32. Dotted: T = 2d.",
            alt="Three panels on logarithmic axes. Multiplications of the projections rise in proportion to T, those of scores and mix with its square; they cross at 128. Times: for d = 64 the rest takes longer than the projections at every length shown; for d = 512 the curves cross before 2d.") as axes:
    lines({"projections": costs[64, 4][0], "scores and mix": costs[64, 4][2]}, settings[64, 4], ax=axes[0], logx=True, logy=True, xlabel="T", ylabel="multiplications", title="d = 64, counted")
    for ax, ((d, heads), sizes) in zip(axes[1:], settings.items()):
        lines({"projections": costs[d, heads][1], "the rest": costs[d, heads][3], "softmax alone": costs[d, heads][4]}, sizes, ax=ax, logx=True, logy=True, xlabel="T", ylabel="seconds", title=f"d = {d}, timed", styles={"softmax alone": "--"})
    for ax, d, ticks in zip(axes, (64, 64, 512), ([16, 64, 256], [16, 64, 256], [64, 256, 1024])):
        ax.axvline(2 * d, color=INK, linestyle=":", linewidth=1), ax.set_xticks(ticks, map(str, ticks)), ax.minorticks_off()

# %% [markdown]
# The counts are those of the formulas. The times cross earlier, and those of the small layer nowhere in the figure. A count of multiplications leaves out two things. Each head has scores of its own, $hT^2$ in all, and each is scaled, compared, exponentiated, summed and divided: passes over memory, which alone overtake the projections before $T=2d$. And the products are thin: a score is written to memory after a sum of only $d/h$ terms, an entry of the projections after $d$. More heads leave the count of multiplications as it is, and add to both.
#
# ## The online softmax
#
# A row of weights seems to need the whole row first: its maximum, then its sum. It does not ([Milakov and Gimelshein, 2018](99_references.ipynb#milakov2018)). Go through the keys block by block and keep, for each query, the largest score so far, and sum and mix *relative to it*. When a larger score comes, shrink what is there:

# %%
def online(q, k, v, block=64):
    "q (T, d), k (S, d), v (S, e) -> (T, e); only T × block scores at a time."
    top, total, mix = np.finfo(q.dtype).min, 0.0, 0.0
    for s in range(0, len(k), block):
        scores = q @ k[s : s + block].T / np.sqrt(q.shape[-1], dtype=q.dtype)      # (T, block)
        new = np.maximum(top, scores.max(axis=1, keepdims=True))                   # (T, 1)
        p, shrink = np.exp(scores - new), np.exp(top - new)
        total = total * shrink + p.sum(axis=1, keepdims=True)                      # (T, 1)
        mix = mix * shrink + p @ v[s : s + block]                                  # (T, e)
        top = new
    return mix / np.maximum(total, 1)                                              # below 1 only where all scores are −∞

# %% [markdown]
# **Predict**: is it exact, or does the shrinking lose something? Try what could break it: maxima that grow with every block, scores of ten thousand, one key that outweighs all, ties, scores of minus infinity.

# %%
#| code-summary: "the inputs, the table and the claim"
#| code-fold: true
def at_once(q, k, v):
    scores = q @ k.T / np.sqrt(q.shape[-1], dtype=q.dtype)
    p = np.exp(scores - scores.max(axis=1, keepdims=True))
    return p @ v / p.sum(axis=1, keepdims=True)

def hard_inputs(rng, T=300, d=16):
    "{what is hard: (q, k, v)}, float64."
    q, k, v = rng.standard_normal((3, T, d))
    grows, one, ties, unseen = k * np.linspace(0, 40, T)[:, None], k.copy(), np.repeat(k[:10], T // 10, axis=0), k.copy()
    up = k[np.argsort(k @ q[0])]
    one[T // 2], unseen[: T // 2, 0], q_up = 50 * q.mean(axis=0) + 5, -np.inf, q.copy()
    q_up[:, 0] = np.abs(q[:, 0]) + 0.1
    return {"random": (q, k, v), "keys that grow": (q, grows, v), "sorted by the first query": (q, up, v), "scores of ten thousand": (100 * q, 100 * k, v), "one long key": (q, one, v), "ties": (q, ties, v), "first half −∞": (q_up, unseen, v)}

errors = {}
for seed in range(5):
    for name, inputs in hard_inputs(stream(seed, "hard inputs")).items():
        true = at_once(*(a.astype(np.longdouble) for a in inputs))
        for kind, form in (("whole rows", at_once), ("online", lambda *a: online(*a, block=32))):
            errors.setdefault(name, {}).setdefault(kind, []).append(float(np.abs(form(*inputs) - true).max()))
worst = {name: {kind: max(e) for kind, e in by.items()} for name, by in errors.items()}
table([{"scores": name, **{kind: f"{e:.0e}" for kind, e in by.items()}} for name, by in worst.items()], name="hard", caption="Largest error in float64, against the whole rows in extended precision, for values of standard deviation 1: five draws of 300 queries and keys, blocks of 32.")
claim("on the hardest of seven inputs the online form's error is {:.1f} times that of whole rows", max(by["online"] / by["whole rows"] for by in worst.values()), "<", 2)

# %% [markdown]
# Exact, but for rounding: each shrink multiplies by one number at most 1. **Predict** the memory: by what factor does it grow when $T$ doubles, at once and online?

# %%
#| code-summary: "the figure"
#| code-fold: true
def peak(form, T):
    "Most bytes held at once, beyond the inputs."
    q, k, v = stream(T, "memory").standard_normal((3, T, 64)).astype(np.float32)
    tracemalloc.start()
    try: form(q, k, v); return tracemalloc.get_traced_memory()[1]
    finally: tracemalloc.stop()

lengths = [256, 512, 1024, 2048, 4096]
peaks = {name: [peak(form, T) / 2**20 for T in lengths] for name, form in (("whole rows", at_once), ("online", online))}
with figure(height=2.4, width=5.0, name="memory", caption="Peak memory of attention in NumPy beyond its inputs (float32, 64 numbers a head, one head, blocks of 64 keys).",
      alt=f"Straight lines on logarithmic axes. Whole rows: from {peaks['whole rows'][0]:.1g} to {peaks['whole rows'][-1]:.0f} MiB, four times as much for each doubling. Online: from {peaks['online'][0]:.1g} to {peaks['online'][-1]:.0f}, about twice as much.") as ax:
    lines(peaks, lengths, logx=True, logy=True, xlabel="T", ylabel="peak memory [MiB]", ax=ax)
    ax.set_xticks(lengths, map(str, lengths)), ax.minorticks_off()

# %% [markdown]
# ## Minus infinity, and almost
#
# A mask can be written as $-\infty$ or, to be safe from NaN, as a large negative number. **Predict** what three scores 1, 2, 3 make of it when the mask hides the last key, and when it hides all, in float32 and in float16.

# %%
def masked_weights(scores, hidden, fill, dtype):
    with np.errstate(all="ignore"):
        s = np.array(scores, dtype) + np.where(hidden, np.array(fill).astype(dtype), dtype(0))
        p = np.exp(s - s.max())
        return p / p.sum()

# %%
#| code-summary: "the table"
#| code-fold: true
row = lambda p: " ".join(f"{w:.2f}" for w in p)
table([{"filled with": name, **{f"{case}, {dtype.__name__}": row(masked_weights([1, 2, 3], hidden, fill, dtype)) for case, hidden in (("last hidden", [0, 0, 1]), ("all hidden", [1, 1, 1])) for dtype in (np.float32, np.float16)}}
       for name, fill in (("−∞", -np.inf), ("−1e9", -1e9), ("−1e4", -1e4))], name="fills", caption="Weights of three keys with scores 1, 2 and 3 when a mask is added to them.")

# %% [markdown]
# With something to look at, all is well. With nothing, $-\infty$ gives NaN. A large number gives an answer, which is worse: in float32, $-10^9$ swallows the scores, and the query takes the *mean of all that it must not see*; $-10^4$ lets the hidden scores decide. In float16, $-10^9$ is $-\infty$. The library's rule: a query that may look at nothing gets zeros. **Pitfall**: zeros put in afterwards are too late.

# %%
scores = Tensor(np.array([[1.0, 2.0], [-np.inf, -np.inf]]), requires_grad=True)
some = np.array([[True], [False]])                                   # may this query look at anything?
with np.errstate(all="ignore"):
    late = where(some, softmax(scores), 0.0)
    late[:, 0].sum().backward()
print(late.data, scores.grad, sep="\n")

# %% [markdown]
# The output is clean, the gradient is not: $0\cdot\mathrm{NaN}$ is NaN. Replace the *scores* of such a row before the softmax, and its weights behind it.

# %%
#| code-summary: "the claim: ours and the library's"
#| code-fold: true
apart = {"soft_lookup": np.abs(built.kernel_regression(query, keys, values, 0.4) - soft_lookup(query, keys, values, 0.4)).max(),
         "plain_sinusoidal": np.abs(built.sinusoidal(100, 64, dtype=np.float64) - plain_sinusoidal(100, 64)).max(),
         "plain_rotate": np.abs(built.rotate(q, m).data - plain_rotate(q, m)).max(),
         "online": max(np.abs(built.online_attention(*a, block=32) - online(*a, block=32)).max() for name, a in hard_inputs(stream(9, "hard inputs")).items() if "−∞" not in name)}
claim("soft look-up, sinusoids, rotations and the online form differ from the library's by at most {:.0e}", max(apart.values()), "<", 1e-12)
