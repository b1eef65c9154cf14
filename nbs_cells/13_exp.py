# Experiments of chapter 13 (attention). Cells in the order of the page; Markdown cells hold sentences for the page's author to take or leave.
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
from nnbook import activations
from nnbook.autograd import Tensor
from nnbook.claims import claim
from nnbook.explore import explore
from nnbook.plots import COLORS, INK, bars, figure, heatmap, hist, lines, table
from nnbook.running import stored
from nnbook.streams import stream

softmax = activations.softmax          # of arrays

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
    return softmax(scores) @ values

# %% [markdown]
# **Predict** what it answers between the keys when the width is very small; and when it is very large.

# %%
#| code-summary: "the figure"
#| code-fold: true
query = np.linspace(-0.5, 6.5, 400)
with figure(height=2.8, width=6.4, name="kernel", caption="The answers of a soft dictionary with 40 keys (dots), noisy values of a sine, at three widths.",
            alt="Forty dots around a sine. At width 0.02 the answer is a staircase through every dot; at 0.4 a smooth curve near the sine; at 10 a flat line at the mean of all values.") as ax:
    ax.plot(keys, values, "o", color=INK, markersize=3.5)
    lines({f"width {w:g}": soft_lookup(query, keys, values, w) for w in (0.02, 0.4, 10)}, query, ax=ax, xlabel="query", ylabel="answer")

# %% [markdown]
# Narrow, it is the nearest neighbour; wide, the mean of all values. Statistics knows it as **kernel regression** (Nadaraya, 1964; Watson, 1964). Which width is best can be asked of the data: let no key look at itself, and see how well the others answer for it. What a query must not see gets the score $-\infty$, so that its weight is 0: we shall need that again.

# %%
def left_out(width):
    "Mean squared error when each key's value is looked up among the others."
    scores = -((keys[:, None] - keys)**2) / (2 * width**2)
    np.fill_diagonal(scores, -np.inf)
    return ((softmax(scores) @ values - values)**2).mean()

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
    return softmax(-squares / (2 * width**2)), softmax(q @ K.T / width**2)

# %%
#| code-summary: "the claim, and the table"
#| code-fold: true
q, K = (stream(13, f"both ways, {part}").standard_normal((n, 64)) for part, n in (("queries", 200), ("keys", 50)))
equal = 8 * K / np.linalg.norm(K, axis=1, keepdims=True)             # every key 8 = √64 long, which the others are on average
pairs = {"equally long": both_ways(q, equal, 64**0.25), "as drawn": both_ways(q, K, 64**0.25)}
claim("for keys of one length, the Gaussian's weights and those of the dot products differ by at most {:.0e}", max(np.abs(a - b).max() for a, b in [pairs["equally long"]]), "<", 1e-15)
claim("and the library's kernel regression differs from ours by at most {:.0e}", np.abs(built.kernel_regression(query, keys, values, 0.4) - soft_lookup(query, keys, values, 0.4)).max(), "<", 1e-14)
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
    p = softmax(scale * K6 @ [np.cos(np.deg2rad(angle)), np.sin(np.deg2rad(angle))])     # (6,)
    with figure(3, height=2.0, width=6.0) as (left, middle, right):
        for ax in (left, right): ax.set(xlim=(-1.25, 1.25), ylim=(-1.25, 1.25), aspect="equal", xticks=[], yticks=[])
        left.scatter(*K6.T, c=inks, s=36), left.annotate("", (0.8 * np.cos(np.deg2rad(angle)), 0.8 * np.sin(np.deg2rad(angle))), (0, 0), arrowprops={"arrowstyle": "->", "color": INK, "linewidth": 1.6})
        middle.bar(range(6), p, color=inks), middle.set(ylim=(0, 1), xticks=[])
        right.scatter(*V6.T, c=inks, s=400 * p + 3), right.plot(*(p @ V6), "*", color=INK, markersize=11)
        for ax, title in ((left, "query and keys"), (middle, "weights"), (right, "values and answer")): ax.set_title(title)

explore(turned_by_hand, angle=list(range(0, 360, 24)), scale=[0, 1, 4, 16], start={"angle": 48, "scale": 4}, name="turn",
        caption="A query turned by hand over six keys: dot products times a scale, the weights that the softmax makes of them, and the mix of the six values (star; a dot is as large as its weight).",
        alt=lambda angle, scale: f"Query at {angle} degrees, scale {scale}: " + ", ".join(f"{w:.2f}" for w in softmax(scale * K6 @ [np.cos(np.deg2rad(angle)), np.sin(np.deg2rad(angle))])) + " are the weights of keys 1 to 6.")

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
def grad_at_query(d, scale, n=2000, m=8, seed=13):
    "Length of d(output)/dq for n random queries over m keys and values; scale multiplies the scores."
    rng = stream(seed, "gradient at the query")
    Q, K, V = rng.standard_normal((n, d)), rng.standard_normal((n, m, d)), rng.standard_normal((n, m))
    p = softmax(np.einsum("nd,nmd->nm", Q, K) * scale)               # (n, m)
    out = (p * V).sum(axis=1, keepdims=True)                         # (n, 1)
    return np.linalg.norm(np.einsum("nm,nmd->nd", p * (V - out), K) * scale, axis=1)

# %%
#| code-summary: "the figure that moves"
#| code-fold: true
lengths = {(d, divided): np.log10(grad_at_query(d, d**-0.5 if divided else 1.0)) for d in (4, 16, 64, 256) for divided in (False, True)}

def smear(d, divided):
    with figure(height=2.2, width=5.0) as ax:
        hist(np.clip(lengths[d, divided], -10, 2), bins=np.linspace(-10, 2, 61), ax=ax, xlabel="log10 of the gradient's length", ylabel="queries")
        ax.set_ylim(0, 700)

explore(smear, d=[4, 16, 64, 256], divided=[False, True], name="smear", caption="Lengths of the gradient that reaches 2,000 random queries over eight keys. Shorter ones than 10⁻¹⁰ stand at the left end.",
        alt=lambda d, divided: f"At width {d}, scores {'divided' if divided else 'not divided'}: the middle query's gradient is {10 ** np.median(lengths[d, divided]):.1e} long; one in ten is below {10 ** np.percentile(lengths[d, divided], 10):.0e}.")

# %%
#| code-summary: "the claim and the table, over five seeds"
#| code-fold: true
runs = [(grad_at_query(256, 1.0, seed=s), grad_at_query(256, 256**-0.5, seed=s)) for s in range(1, 6)]
claim("undivided at width 256, the middle query's gradient is at most {} of the divided one", max(np.median(w) / np.median(e) for w, e in runs), "<", 0.08)
table([{"gradient at the query": name, "mean": np.mean([r[i].mean() for r in runs]), "median": np.mean([np.median(r[i]) for r in runs]), "largest hundredth, from": np.mean([np.percentile(r[i], 99) for r in runs])} for i, name in enumerate(("undivided", "divided by √d"))],
      name="unequal", caption="Lengths at width 256, means of five seeds with 2,000 queries each.")

# %% [markdown]
# Divided, the histogram stands still. Undivided, it smears: at $d=256$ the middle query gets next to nothing, while a few, whose two best keys happen to tie, get far too much. The mean does not fall; it rises. So "the gradient vanishes" is half of it: the gradient becomes very unequal, and one learning rate cannot suit both ends.
#
# Initial weights of the query divided by $\sqrt d$ give the same scores at the start. After that, a step of equal length in these weights moves the scores $\sqrt d$ times as far as it does with the division ([Vaswani and others, 2017](99_references.ipynb#vaswani2017), give the variance argument in a footnote).

# %% [markdown]
# ## Order is lost
#
# Nothing in attention knows where a token stands. Say so as an equation: shuffle the inputs, and the outputs are shuffled alike, $\operatorname{attend}(PX)=P\operatorname{attend}(X)$ for every permutation matrix $P$. This is **permutation equivariance**; a sum over all tokens does not depend on their order.

# %%
def self_attention(x, W, mask=True):
    "x (..., T, d), W (3, d, d), mask (T, T): where a query may look -> (..., T, d)"
    q, k, v = (x @ w for w in W)
    scores = np.where(mask, q @ k.swapaxes(-1, -2) / np.sqrt(x.shape[-1]), -np.inf)
    return softmax(scores) @ v

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
