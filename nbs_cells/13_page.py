# The page of chapter 13 as text (py:percent). Lines "# %% [insert NAME] REGEX" stand for the cells of nbs_cells/13_NAME.py (or of the library's
# notebook, NAME lib) whose source matches; nbs_cells/build_13.py puts all together. "TODO" marks a sentence that waits for its result.

# %% [markdown]
# # Attention
#
# > Why squeeze a sentence through one state when every word could be looked up?

# %% [insert lib] default_exp attention

# %% [insert lib] import nnbook.running

# %% [markdown]
# **You need** the [softmax](02_activations.ipynb) and [recurrent networks](12_rnn.ipynb) with gates.

# %% [markdown]
# A [recurrent network](12_rnn.ipynb) keeps one vector of all that it has read. To translate a sentence, one such network, the **encoder**, read it, and handed its last state to a second, the **decoder**, which wrote the translation ([Cho and others, 2014](99_references.ipynb#cho2014); [Sutskever and others, 2014](99_references.ipynb#sutskever2014)). For three words and for fifty this state has equally many numbers.
#
# [Bahdanau and others (2015)](99_references.ipynb#bahdanau2015) let the decoder look back at *all* states of the encoder, before each word that it wrote, and learn which of them it needs. [Vaswani and others (2017)](99_references.ipynb#vaswani2017) kept the looking and left out the recurrence. This chapter begins where the first were and arrives at what today's language models compute. **Why squeeze a sentence through one state when every word could be looked up?**

# %% [insert lib] ^#\| export\s+import numpy as np

# %% [insert lib] code-summary: "imports of the library's other parts"

# %% jupyter={"source_hidden": true}
#| code-summary: "imports for the experiments"
#| code-fold: true
import json
import time
import tracemalloc
from collections import defaultdict
from pathlib import Path

import torch
import torch.nn.functional as F
from matplotlib.patches import Rectangle
from torch import nn

import nnbook.attention as built
import nnbook.torch.attention as twins
import nnbook.torch.layers as twin_layers
from nnbook.claims import claim
from nnbook.diagrams import diagram
from nnbook.evaluation import mean_interval
from nnbook.exercises import check
from nnbook.explore import explore
from nnbook.plots import COLORS, INK, figure, heatmap, hist, lines, table
from nnbook.running import stored


# %% [markdown]
# ## Through one state
#
# The smallest task for which a whole sequence must be kept is to copy it. A network reads random symbols, one at a time, and then has to write the same ones in the same order. An encoder [GRU](12_rnn.ipynb#a-gate) with $H$ units reads; a decoder GRU starts from its last state, gets that state again at every step, and writes.

# %% jupyter={"source_hidden": true}
#| code-summary: "the drawing"
#| code-fold: true
diagram("x (B, S) -> encoder -> h_S (B, H) -> decoder -> y (B, S)", name="squeeze",
        caption="Copying through one state: S symbols of each of B sequences go into the encoder; H numbers come out, and all that the decoder writes is made of them.",
        alt="A chain: the symbols x enter a box named encoder; its last state h enters a box named decoder, which writes the symbols y.")

# %% [markdown]
# The second network may look back. Let $\mathbf h_1,\dots,\mathbf h_S$ be the states of the encoder and $\mathbf s$ the one of the decoder before a symbol is written. A small network **scores** each $\mathbf h_j$ by how much $\mathbf s$ has use for it, a [softmax](02_activations.ipynb) makes weights of the scores, and the weighted mean of the states, the **context** $\mathbf c$, goes into the decoder's next step:
#
# <a id="eq-additive"></a>
# $$
# e_j=\mathbf v\cdot\tanh(W\mathbf s+U\mathbf h_j),\qquad
# \mathbf a=\operatorname{softmax}(\mathbf e),\qquad
# \mathbf c=\sum_{j=1}^{S}a_j\mathbf h_j .
# $$
#
# This is **additive attention**. Nothing in it is told where to look. It is differentiable, and so $W$, $U$ and $\mathbf v$ learn with the rest.

# %% jupyter={"source_hidden": true}
#| code-summary: "the drawing"
#| code-fold: true
diagram("h₁ … h_S (B, S, H) -> scores; s (B, H) -> scores; scores -> softmax; softmax -> mean; h₁ … h_S (B, S, H) -> mean; mean -> decoder; s (B, H) -> decoder; decoder -> y (B)", name="look",
        caption="Copying with attention, one step: the decoder's state s is compared with every state of the encoder, and their weighted mean is handed to the decoder.",
        alt="Boxes and arrows: all states h of the encoder and the decoder's state s enter a box named scores; a softmax makes weights of them; a box named mean mixes the states h by these weights, and the result enters the decoder.")

# %%
def plain_additive(s, h, W, U, v):
    "s (B, H), h (B, S, H) -> contexts (B, H) and weights (B, S)."
    hidden = tanh((s @ W.T)[:, None] + h @ U.T)  # (B, S, A)
    weights = softmax(hidden @ v)  # (B, S)
    return (weights[:, :, None] * h).sum(axis=1), weights

# %% [insert lib] code-summary: "nnbook.attention: AdditiveAttention

# %% [markdown]
# Twenty letters; sequences of 5 to 20 in training, new ones in each batch, and of up to 40 in the test. To hold 20 of them takes $20\log_2 20$, about 86 bits. In training the decoder is told the right letters before; in the test it writes freely, each letter from those that it wrote itself. Three sizes of the state, and for one state a fourth; each network at the best of its rates; and the network with one state also in a form that reads the input backwards, which helped [Sutskever and others](99_references.ipynb#sutskever2014). **Predict** how long a sequence each can copy, what a larger state is worth, and what becomes of sequences longer than any in training.

# %% [insert seq] code-summary: "weights, one slice a network"

# %% [insert seq] code-summary: "the network: one state, or attention"

# %% [insert seq] code-summary: "training M networks in lockstep

# %% [insert seq] code-summary: "what is measured"

# %% [insert seq] code-summary: "a rate by one seed

# %% [insert seq] code-summary: "the long run: copying in order

# %% jupyter={"source_hidden": true}
#| code-summary: "the figure, the table and the claim"
#| code-fold: true
copied = stored("13_copy")
arms = {"attention": "attention", "plain": "one state", "reversed": "one state, reversed", "uniform": "mean of all states"}
right = {key: np.array(run["free"]) for key, run in copied.items()}                                  # (networks, lengths)
at, short = np.array(copy_lengths), np.array(copy_lengths) <= trained[1]
interval = lambda values: np.array([mean_interval(column) for column in np.transpose(values)])       # (lengths, 2)
with figure(3, height=2.7, width=6.8, sharey=True, name="copying", caption="Letters copied right by networks that write freely, over the length of the sequence, for states of three sizes; 20 letters, so that guessing gets a twentieth. Means of four networks and their 95% intervals; dotted: the longest sequences in training.",
            alt="Three panels, for states of 16, 32 and 64. With attention nearly all letters are right up to a length of 20, then fewer, and little more than half at 40. Through one state the share falls from the shortest sequences on, later with larger states; with the input reversed it begins higher in two panels and ends lower.") as axes:
    for ax, size in zip(axes, (16, 32, 64)):
        shown = {name: interval(right[f"{arm}|{size}"]) for arm, name in list(arms.items())[:3]}
        lines({name: 100 * s[:, 0] for name, s in shown.items()}, at, xlabel="length [letters]", ylabel="copied right [%]" if size == 16 else "", title=f"state of {size}", styles={"one state, reversed": "--"},
              band={name: (100 * np.maximum(s[:, 0] - s[:, 1], 0), 100 * np.minimum(s[:, 0] + s[:, 1], 1)) for name, s in shown.items()}, ax=ax)
        ax.axvline(trained[1], linestyle=":", color=INK, linewidth=1)
        ax.set(xticks=(5, 20, 40), ylim=(0, 102))
        if size != 64: ax.get_legend().remove()
    axes[2].legend(fontsize=6, loc="lower left", frameon=False)

pm = lambda values: "{:.1f}\u00a0±\u00a0{:.1f}".format(*mean_interval(100 * np.asarray(values)))
table([{"network": arms[arm], "state": size, "parameters": f"{run['parameters']:,}", "rate": f"{run['rate']:g}", "length 20": pm(right[key][:, 3]), "25 to 40": pm(right[key][:, ~short].mean(1))}
       for arm in arms for size in (16, 32, 64, 128) if (key := f"{arm}|{size}") in copied for run in [copied[key]]], name="copying-table",
      caption=f"Letters copied right [%] by networks that write freely: mean of four networks and its 95% interval, at the longest length met in training and at longer ones, after {copied['plain|128']['steps']:,} steps of 32 sequences. Rate: of {len(copied['attention|32']['rates'])} or {len(copied['plain|128']['rates'])}, the one with the least error on new sequences of 5 to 20, by a fifth seed. Reversed: the input is read backwards. Mean of all states: attention with equal weights.")
rivals = [right[f"{arm}|128"][:, 3].max() for arm in ("plain", "reversed")]
claim("at length 20 the worst network with attention and a state of 16 leads the best with one state of 128 by {:.0%} of the letters", right["attention|16"][:, 3].min() - max(rivals), ">", 0.4)

# %% jupyter={"source_hidden": true}
#| code-summary: "the maps, and what the look-up goes by"
#| code-fold: true
looker = copied["attention|32"]
with figure(2, height=3.0, width=6.4, name="copy-maps", caption="Where the decoder looks: two sequences, copied by one network with attention and a state of 32. A row for each letter that it writes, a column for each letter that was read; the darker, the more weight. It has learned with 5 to 20 letters.",
            alt="Two squares. For 20 letters the weight lies along the diagonal from the first to the last letter, and a little beside it. For 40 letters it follows the diagonal over the first half; from there on all rows have their weight in one broad column of places, shortly behind the twentieth.") as axes:
    for ax, (T, one) in zip(axes, looker["maps"].items()):
        heatmap(np.array(one["weights"]) / 100, ax=ax, xlabel="letter read", ylabel="letter written", title=f"{T} letters")
        ax.set(xticks=[0, int(T) - 1], yticks=[0, int(T) - 1], xticklabels=["1", T], yticklabels=["1", T])

kinds, next_look = looker["looking"]["20"], looker["displaced"]
table([{"of the weight": f"on the letter to be written, in sequences of {name}", "share [%]": pm(kinds[kind][0])} for kind, name in (("random", "random letters"), ("one letter", "one letter, repeated"))]
      + [{"of the weight": f"at the step behind, on the place {where}", "share [%]": pm(next_look["disturbed"][i])} for i, where in enumerate(("where it would have looked", "behind the one that it was made to look at"))], name="looks",
      caption="What the look-up goes by: networks with attention and a state of 32, sequences of 20 letters, mean of four networks and its 95% interval. The lower rows: at step 10 the decoder is made to look at another place, and is told the letter before that one.")

# %% [markdown]
# With attention, the smallest state writes 20 letters nearly without a fault. Through one state, the largest, with many times the parameters, gets fewer than half of them right in as many steps. A larger state helps, and so does reading backwards, for short sequences and all but the smallest state: the last letter read is then the first to be written. Is it only that attention hands over *more*? The mean of all states, with equal weights, does about as well as reading backwards. So it is the looking.
#
# Beyond 20 letters both fail, attention later. In [the map](#fig-copy-maps) the diagonal ends where training ended. [The table](#tbl-looks) says why: where all letters are the same it still finds its place, and made to look elsewhere for one step, it is back at the next. It looks by *place*, which the states of a GRU can tell, and it counts; for places that it has never met it has learned nothing.

# %% [markdown]
# ## A soft look-up
#
# What does the decoder do there? It looks something up. A dictionary compares what you ask for, the **query**, with its **keys**, and gives back the **value** of the key that is equal. If none is equal, it fails; if two are close, only one counts; and it has no gradient. Put *similar* in the place of *equal*, and let every value count by how similar its key is:

# %%
rng = stream(13, "kernel regression")
keys = np.sort(rng.uniform(0, 6, 40))  # (n,)
values = np.sin(keys) + 0.3 * rng.standard_normal(40)  # (n,)

def soft_lookup(query, keys, values, width):
    "query (m,), keys (n,), values (n,) -> (m,)."
    distance = query[:, None] - keys  # (m, n)
    weights = softmax(-(distance**2) / (2 * width**2)).data
    return weights @ values

# %% [insert lib] code-summary: "nnbook.attention: kernel_regression

# %% [markdown]
# **Predict** what it answers between the keys when the width is very small; and when it is very large.

# %% [insert exp] name="kernel"

# %% [markdown]
# Narrow, it gives the value of the nearest key; wide, the mean of all values. Statistics has known this look-up for long, as **kernel regression**: [Nadaraya (1964)](99_references.ipynb#nadaraya1964) and [Watson (1964)](99_references.ipynb#watson1964) predicted a value at a new place as a mean of the known ones, weighted by nearness.
#
# Where is a dot product in it? Take vectors for query and keys, and expand the square:
#
# <a id="eq-square"></a>
# $$
# -\frac{\lVert\mathbf q-\mathbf k_i\rVert^2}{2w^2}
# =\frac{\mathbf q\cdot\mathbf k_i}{w^2}-\frac{\lVert\mathbf q\rVert^2}{2w^2}-\frac{\lVert\mathbf k_i\rVert^2}{2w^2}.
# $$
#
# A softmax does not change when one number is added to all of its scores, and $\lVert\mathbf q\rVert^2$ is the same for all keys. If the keys have equal length, so is $\lVert\mathbf k_i\rVert^2$. Then the softmax of $\mathbf q\cdot\mathbf k_i/w^2$ gives the same weights, and $w^2$ is its [temperature](02_activations.ipynb). If not, long keys get more than their distance would give them.

# %% [insert exp] ^def both_ways ||| Gaussian weights and dot products

# %% [insert exp] name="both-ways"

# %% [markdown]
# Turn a query over six keys in the plane; their values lie elsewhere. **Predict** where the answer can never be, whatever you ask, and what becomes of a query between two keys as the scores are scaled up.

# %% [insert exp] name="turn"

# %% [markdown]
# The answer is a mean, with weights that are positive and add up to 1: it stays within the values, in their convex hull. Scaled up, it is nearly the value of the nearest key, and between two keys a small turn moves it far.
#
# What networks add to Nadaraya and Watson is that queries, keys and values are *learned*: each is a linear layer of what the network knows, so that training decides what counts as similar, and what is handed over. In **self-attention** all three are made of one sequence: every token asks, and every token answers.

# %% [markdown]
# ## Scaled dot-product attention
#
# Let there be $T$ queries of width $d$ as the rows of $Q$, and $S$ keys and values as the rows of $K$ and $V$. All dot products are one matrix product, all means another ([Vaswani and others, 2017](99_references.ipynb#vaswani2017)):
#
# <a id="eq-attention"></a>
# $$
# \operatorname{attention}(Q,K,V)=\operatorname{softmax}\!\left(\frac{QK^\top}{\sqrt d}\right)V,
# $$
#
# where the softmax goes along each row, over the keys.

# %% jupyter={"source_hidden": true}
#| code-summary: "the drawing"
#| code-fold: true
diagram("Q (T, d) -> dot; K (S, d) -> dot; dot -> scores (T, S) -> ÷ √d; ÷ √d -> softmax -> weights (T, S) -> mix; V (S, d) -> mix; mix -> output (T, d)", name="attention",
        caption="T queries look at S keys: a table of T × S scores, a softmax over each row, and for each query a mean of the values.",
        alt="Boxes and arrows: queries Q and keys K meet in a box named dot; the scores are divided by the root of d and pass a softmax; the weights mix the values V into the output.")

# %%
def plain_attention(q, k, v, mask=None):
    "q (..., T, d), k (..., S, d), v (..., S, e) -> (..., T, e)."
    scores = q @ k.swapaxes(-2, -1) / q.shape[-1] ** 0.5
    if mask is not None: scores = where(mask, scores, -np.inf)
    weights = softmax(scores)  # (..., T, S), a row adds up to 1
    return weights @ v

# %% [insert lib] code-summary: "nnbook.attention: scaled_dot_product

# %% [markdown]
# (The mask comes below.) The library's `scaled_dot_product_attention` has the arguments of PyTorch's function of that name, and by default one [fused node](92_kernels.ipynb) on the engine's tape; `plain=True` runs these lines.
#
# ### Why the square root?
#
# Begin with the scores. **Predict**: from width 4 to width 16, how much do they grow?

# %%
rng, scores = stream(13, "scores"), {}
for d in (4, 16, 64, 256):
    q, k = rng.standard_normal((2, 10_000, d))
    scores[d] = (q * k).sum(axis=1)  # (10000,)

# %% [insert exp] name="scores"

# %% [markdown]
# They double when $d$ quadruples. A score is a sum of $d$ terms $q_ik_i$; entries that are independent, with mean 0 and variance 1, make terms of variance 1, and variances of independent terms add up. So a score has the variance $d$, and its size is $\sqrt d$.
#
# What does a softmax make of large scores? It saturates, one reads, and its gradient vanishes. But learning acts on the query. How long is the gradient that arrives *there*? **Predict** it for widths from 4 to 256, with the division and without.

# %%
def grad_at_query(d, scale, m=8, n=1000, seed=13):
    "Lengths (n,) of d(output)/dq of n queries over m keys each."
    rng = stream(seed, "gradient at the query")
    q = rng.standard_normal((n, d))
    k = rng.standard_normal((n, m, d))
    v = rng.standard_normal((n, m))
    p = softmax(np.einsum("nd,nmd->nm", q, k) * scale).data
    out = (p * v).sum(axis=1, keepdims=True)  # (n, 1)
    grad = np.einsum("nm,nmd->nd", p * (v - out), k) * scale
    return np.linalg.norm(grad, axis=1)

# %% [insert exp] name="smear"

# %% [insert exp] name="unequal"

# %% [markdown]
# Divided, the histogram stays where it is. Undivided, it smears to the left as $d$ grows. With 8 keys the middle query is left with a small part of the gradient that it gets with the division; with 64 it is not, for then more keys tie for the first place; and the *mean* rises with both. So "the gradient vanishes" is true of some queries and some numbers of keys. What remains is that it becomes very unequal: half of the queries, or nearly so, get less than a tenth of the mean, and one learning rate cannot suit all. This is a layer at its start. A trained head may grow sharp scores, where looking at one token is right.

# %% [markdown]
# ## Who may look where
#
# Not every query may look at every key. A model that predicts the next word must not see it: the **causal mask** lets query $i$ look at keys up to $i$. In a batch, short sequences are filled up to the length of the longest, and nobody should look at the filling: the **padding mask**. And to save work, a **sliding window** keeps the last $w$ keys alone ([Child and others, 2019](99_references.ipynb#child2019); [Beltagy and others, 2020](99_references.ipynb#beltagy2020)). Each is a table of true and false, and they combine with `&`:

# %%
def plain_causal(T):
    query, key = np.arange(T)[:, None], np.arange(T)
    return key <= query  # (T, T)

def plain_window(T, window):
    query, key = np.arange(T)[:, None], np.arange(T)
    return (key <= query) & (query - key < window)

def plain_padding(lengths, S):  # (B,) -> (B, 1, 1, S)
    return np.arange(S) < np.array(lengths)[:, None, None, None]

# %% jupyter={"source_hidden": true}
#| code-summary: "the drawing"
#| code-fold: true
drawn_masks = {"causal": plain_causal(8), "sliding window of 3": plain_window(8, 3), "padding, length 5": np.broadcast_to(plain_padding([5], 8)[0, 0], (8, 8)),
               "causal and padding": plain_causal(8) & plain_padding([5], 8)[0, 0]}
with figure(4, height=1.9, width=6.8, name="masks", caption="Four masks for eight tokens: a row for each query, a column for each key; filled where the query may look.",
            alt="Four squares of eight by eight cells. Causal: the lower left triangle is filled, with the diagonal. Sliding window: a band of three along the diagonal. Padding: the first five columns. Causal and padding: the triangle, without the last three columns.") as axes:
    for i, (ax, (name, mask)) in enumerate(zip(axes, drawn_masks.items())):
        for a, b in np.argwhere(mask): ax.add_patch(Rectangle((b + 0.06, a + 0.06), 0.88, 0.88, color=COLORS["blue"], linewidth=0))
        ax.set(xlim=(0, 8), ylim=(8, 0), aspect="equal", xticks=[0.5, 7.5], yticks=[0.5, 7.5], xticklabels=["0", "7"], yticklabels=["0", "7"], xlabel="key")
        ax.set_title(name, fontsize=8)
        if i == 0: ax.set_ylabel("query")

# %% [insert lib] code-summary: "nnbook.attention: masks

# %% [markdown]
# A score of $-\infty$ becomes a weight of exactly 0: no gradient comes through it. The mask has to come *before* the softmax. Weights set to 0 afterwards no longer add up to 1, and what they were has still been seen by the sum that the others were divided by ([exercise 3](#exercises)).
#
# **Predict**: what should a query get that may look at *nothing*, such as one of an empty sequence in a batch? And what do the lines above give it?

# %% [insert exp] ^def masked_weights ||| weights of three keys under a mask

# %% [insert exp] name="fills"

# %% [markdown]
# With something to look at, all is well. With nothing, $-\infty$ gives NaN, for $e^{-\infty}$ is 0 and the sum is, too. A large negative number gives an answer, which is worse: in float32, $-10^9$ swallows the scores, and the query takes the mean of all that it must not see; $-10^4$ lets the hidden scores decide. The library gives zeros. That is a decision: the mean of no values is not defined. And zeros put in *afterwards* come too late:

# %%
z = Tensor([[1.0, 2.0], [-np.inf, -np.inf]], requires_grad=True)
sees = np.array([[True], [False]])  # may it look at anything?
with np.errstate(invalid="ignore"):
    weights = where(sees, softmax(z), 0.0)
    weights[:, 0].sum().backward()
print(weights.data, z.grad, sep="\n")

# %% [markdown]
# The weights are clean and the gradient is not, since $0\cdot\mathrm{NaN}$ is NaN. The library replaces the *scores* of such a row before the softmax, and its weights behind it.
#
# Beware of the opposite meaning. Here and in PyTorch's `F.scaled_dot_product_attention`, `True` means *may look*; in `torch.nn.MultiheadAttention`, `True` means *must not*. A mask handed to the wrong one runs without an error.

# %% [markdown]
# ## Several heads
#
# A softmax gives a query *one* mean. To look at the word before and at the verb of the sentence, for different ends, one mean is a poor mixture of the two. So there are several **heads**, each with its own queries, keys and values, of width $d_h=d/h$ for $h$ heads: **multi-head attention**. Their outputs are joined and mixed by one more linear layer. In code the projections of all heads are one matrix product; a *reshape* cuts it into heads, and a *transpose* puts the heads before the tokens:

# %% jupyter={"source_hidden": true}
#| code-summary: "the drawing"
#| code-fold: true
diagram("x (B, T, d) -> W_q; x (B, T, d) -> W_k; x (B, T, d) -> W_v; W_q -> q (B, h, T, d_h) -> attention; W_k -> k (B, h, T, d_h) -> attention; W_v -> v (B, h, T, d_h) -> attention; attention -> join -> W_o -> y (B, T, d)", name="heads",
        caption="Multi-head self-attention. Behind each of three projections the width d is cut into h heads of width d_h; attention goes on in each of them alone; joined again, the last projection mixes what they found.",
        alt="Boxes and arrows: x passes three boxes W q, W k and W v; their results, each with an axis for the heads, enter a box named attention; behind it a box named join and a box W o make the output y.")

# %%
def plain_heads(x, W_q, W_k, W_v, W_o, h, h_kv, mask=None):
    "x (B, T, d); W_q, W_o (d, d); W_k, W_v (h_kv·d_h, d)."
    B, T, d = x.shape
    def cut(y, n):  # (B, T, n·d_h) -> (B, n, T, d_h)
        return y.reshape(B, T, n, d // h).swapaxes(1, 2)
    q = cut(x @ W_q.T, h)
    k, v = cut(x @ W_k.T, h_kv), cut(x @ W_v.T, h_kv)
    shared = np.arange(h) // (h // h_kv)  # keys of head i
    y = plain_attention(q, k[:, shared], v[:, shared], mask)
    return y.swapaxes(1, 2).reshape(B, T, d) @ W_o.T  # (B, T, d)

# %% [insert lib] code-summary: "nnbook.attention: MultiHead

# %% [markdown]
# One argument is left to explain. A model that writes a text keeps the keys and values of all tokens so far, so as not to compute them again: the **KV cache**, $2\,h_{kv}\,d_h$ numbers a token in each layer. With long texts this memory, and reading it again for every token, is what limits the speed. So let several query heads share one head of keys and values: all of them with $h_{kv}=1$, **multi-query** attention ([Shazeer, 2019](99_references.ipynb#shazeer2019)), or groups of them, **grouped-query** attention ([Ainslie and others, 2023](99_references.ipynb#ainslie2023)), which many of the open models use. [Exercise 1](#exercises) counts what is saved.

# %% [markdown]
# What do heads look at? A causal model of two layers with four heads, and nothing between them but sums, reads eight names, each with an animal behind it. Then it is asked for names again, and has to say the animal: *Emma eel Paul ibis David mole … Emma*? **Predict** what a head of the first layer looks at, and one of the second; and what happens without one of them.

# %% [insert seq] code-summary: "lists to look things up in

# %% [insert seq] code-summary: "what a head looks at, and what it is worth"

# %% [insert seq] code-summary: "the long run: two layers of heads

# %% jupyter={"source_hidden": true}
#| code-summary: "the figure that moves, the table and the claim"
#| code-fold: true
found = stored("13_maps")
weights_of = {(text, head): np.array([row + [0] * (len(head_map) - len(row)) for row in head_map]) / 100 for text, heads in enumerate(found["maps"], 1) for head, head_map in zip((f"{layer}.{h}" for layer in (1, 2) for h in range(1, 5)), heads)}

def looked(text, head):
    said = found["lists"][text - 1].split()
    with figure(height=4.0, width=4.4) as ax:
        heatmap(weights_of[text, head], ax=ax)
        ax.set_xticks(range(len(said)), said, rotation=90, fontsize=6), ax.set_yticks(range(len(said)), said, fontsize=6)
        ax.axhline(15.5, color=INK, linestyle=":", linewidth=0.8)

explore(looked, text=[1, 2], head=[f"{layer}.{h}" for layer in (1, 2) for h in range(1, 5)], name="maps", caption="Where the heads of a trained network look in two texts that are new to it; heads 1.1 to 1.4 belong to the first layer, 2.1 to 2.4 to the second. A row for each word that looks, a column for each word that is looked at. Below the dotted line the names are asked for.",
        alt=lambda text, head: f"Text {text}, head {head}: from the last name, {found['lists'][text - 1].split()[-2]}, most weight goes to " + (lambda row, said: f"{said[row.argmax()]}, {row.max():.0%}; ")(weights_of[text, head][-2], found["lists"][text - 1].split())
        + f"in the list, {np.diagonal(weights_of[text, head], -1)[:16:2].mean():.0%} of an animal's weight lies on the name before it.")

nets, ends = found["networks"], lambda values: f"{100 * min(values):.0f} to {100 * max(values):.0f}"
before, its = "animal of the list: the word before", "name asked: its animal"
best = lambda state, kind, layer: ends([max(net[state][kind][layer]) for net in nets])
table([{"head": f"{where}, {what}", "trained": best("trained", kind, layer), "untrained": best("untrained", kind, layer)} for where, layer, what, kind in
       (("first layer", 0, "from an animal to the name before it", before), ("first layer", 0, "from a name asked to its animal", its), ("second layer", 1, "from an animal to the name before it", before),
        ("second layer", 1, "from a name asked to its animal", its), ("second layer", 1, "from a name asked to its earlier places", "name asked: the same name"))], name="habits",
      caption="Share of a head's weight [%], the head of a layer with the largest: least to most of five networks, 500 texts.")
strongest = [np.argmax(net["trained"][before][0]) for net in nets]
table([{"network": "whole", "right answers [%]": ends([net["right"] for net in nets])}, {"network": "without the first layer's head that looks most at the name before", "right answers [%]": ends([net["without a head"][0][h] for net, h in zip(nets, strongest)])},
       {"network": "without a head of the second layer, the worst", "right answers [%]": ends([min(net["without a head"][1]) for net in nets])}, {"network": "without the first layer", "right answers [%]": ends([net["without a layer"][0] for net in nets])},
       {"network": "trained with one layer, at three rates", "right answers [%]": ends(list(found["one layer"].values()))}], name="heads-worth", caption="What heads are worth: right answers when their outputs are set to 0, least to most of five networks. Guessing among the eight animals of the list is right in an eighth of the cases.")
claim("in each of five networks a head of the second layer has at least {:.0%} of its weight, from a name that is asked for, on its animal", min(max(net["trained"][its][1]) for net in nets), ">", 0.88)

# %% [markdown]
# Nobody told these heads what to look at. In the first layer, some look from each animal to the name before it: from then on the animal knows whose it is. In the second, all four look from a name that is asked for to its animal. That such pairs of heads form was found in language models, where they are called **induction heads** ([Olsson and others, 2022](99_references.ipynb#olsson2022)). With one layer, at any of three rates, a network did no better than guessing. Without the one head that looks most at the name before, one network still answers nearly all, another loses most of its answers: the other heads look there too, but less.
#
# A map says where a head looks, and not what the network makes of it: other weights can give nearly the same output ([Jain and Wallace, 2019](99_references.ipynb#jain2019)).

# %% [markdown]
# ## Order
#
# Look at [the equation](#eq-attention) again: nothing in it says which token came first. Shuffle the tokens by a permutation matrix $P$, so that $Q$, $K$ and $V$ become $PQ$, $PK$ and $PV$. The scores become $PQK^\top P^\top$: the same numbers at other places. The softmax of each row does not mind, and $P^\top P=I$ gives $P$ times the old output. Attention has **permutation equivariance**: a shuffled sentence gives the shuffled answer. For a mean over the output, which knows no places, *dog bites man* is *man bites dog*.

# %%
def self_attention(x, W, mask=None):
    q, k, v = (x @ w for w in W)  # W (3, d, d)
    return plain_attention(q, k, v, mask).data

def commutes(attend, x, rng):
    "Largest difference: x shuffled, and the output shuffled."
    y = attend(x)
    orders = [rng.permutation(len(x)) for _ in range(100)]
    return max(np.abs(attend(x[p]) - y[p]).max() for p in orders)

# %% [markdown]
# **Predict** which of three commute with shuffling: attention as it is, attention with a causal mask, and attention to tokens to which something was added that depends on their place.

# %% jupyter={"source_hidden": true}
#| code-summary: "the table"
#| code-fold: true
rng = stream(13, "permutations")
x, W = rng.standard_normal((20, 32)), rng.standard_normal((3, 32, 32)) / np.sqrt(32)
table([{"attention": name, "largest difference": commutes(attend, x, rng), "of outputs up to": np.abs(attend(x)).max()} for name, attend in
       {"no mask": lambda x: self_attention(x, W), "causal mask": lambda x: self_attention(x, W, plain_causal(20)), "no mask, positions added": lambda x: self_attention(x + built.sinusoidal(20, 32), W)}.items()],
      name="commutes", caption="Shuffle, then attend, against attend, then shuffle: 100 permutations of 20 random tokens.")

# %% [markdown]
# Without a mask, rounding is all that is left. The causal mask breaks the symmetry, as positions do.
#
# What does the symmetry cost? Fifteen random letters, one *a* and one *b* among them, and a question mark: there a small network has to say which of the two came first. Without a mask and without positions that is impossible, at any size. One often reads that attention *needs positions to know order*. **Predict** the rest of the table: one layer or two, without mask or with a causal one, with no positions or one of two kinds that follow below. And who of those that learned with 16 places can do it with 64?

# %% [insert exp] two tasks, and small networks

# %% [insert exp] the long run: twelve kinds

# %% [insert exp] ^found = stored\("13_order"\)

# %% [markdown]
# Two layers with a causal mask need no positions. In the first, *b* can look for an *a* before it; in the second, the question mark reads at *b* what was found. One layer can't: the question mark sees everything in any case, and its answer is one mean over letters of which none knows what stood before. At 64 places those that learned *with* positions get worse, most of them down to guessing or below: three quarters of these places they have never met. The two causal layers without go on ([Kazemnejad and others, 2023](99_references.ipynb#kazemnejad2023), find the like in language models).
#
# Can such a network even tell its place? **Predict** at which of 16 places of random letters, with one causal layer and with two.

# %% [insert exp] name="where"

# %% [markdown]
# They know the first places, and later ones less and less. Each of five networks with two layers does better than each with one, and one far better than its sisters: training is not at its end here. (At the last place no guess can be too high.) What tells them? The first token sees itself alone, and token $i$ gets a mean of $i$ values. With equal weights, a mean of $i$ independent ones has $1/i$ of their variance:

# %%
rng = stream(13, "variance over place")
x, causal = rng.standard_normal((100, 128, 32)), plain_causal(128)

def over_place(size, mask):
    "Variance (128,) of five layers' outputs, by that of values."
    W = size * rng.standard_normal((5, 3, 32, 32)) / np.sqrt(32)
    y = [self_attention(x, w, mask) for w in W]
    return np.mean(np.var(y, axis=(1, 3)), axis=0) / size**2

spread = {"causal mask": over_place(1, causal),
          "causal, small weights": over_place(0.5, causal),
          "no mask": over_place(1, None)}

# %% [insert exp] name="variance"

# %% [markdown]
# So how *long* an output is says something about its place, before any training ([Chi and others, 2023](99_references.ipynb#chi2023)). Training makes more of it, if the task asks for it ([the table](#tbl-place-read)). [Haviv and others (2022)](99_references.ipynb#haviv2022) trained whole language models without positions, and read places from their layers.
#
# ### Positions
#
# The direct way is to tell each token its place. [Vaswani and others](99_references.ipynb#vaswani2017) added to the vector of token $t$ a fixed one, made of sines and cosines of $t$ at frequencies $\omega_i$ that fall from 1 to about $1/10{,}000$: **sinusoidal positions**. (Or let training find a vector for each place: **learned positions**, which end where the table ends.)

# %%
def plain_sinusoidal(T, d):
    omega = 10000.0 ** -(np.arange(0, d, 2) / d)  # (d / 2,)
    angle = np.arange(T)[:, None] * omega  # (T, d / 2)
    pairs = np.stack([np.sin(angle), np.cos(angle)], axis=2)
    return pairs.reshape(T, d)  # sine, cosine, sine, cosine, ...

# %% [insert lib] ^def sinusoidal ||| nnbook.attention: sinusoidal

# %% [markdown]
# Why two of each frequency? Because a shift by $k$ places then is the same rotation of each pair, wherever it starts: $\sin\omega(t+k)=\sin\omega t\cos\omega k+\cos\omega t\sin\omega k$, and likewise the cosine. So the dot product of two positions depends on their distance alone. But it is *added* to the token, and passes the projections with it; of the score, only one of four terms then compares place with place.
#
# **Rotary positions**, RoPE ([Su and others, 2021](99_references.ipynb#su2021)), rotate instead of adding, and not the tokens but the queries and keys: the pair of entries $(q_i,q_{i+d/2})$ at place $m$ by the angle $m\,\omega_i$. Values stay as they are.


# %% [markdown]
# Read a pair of the query as a complex number $q$ and the same pair of the key as $k$. Their share of the dot product is $\operatorname{Re}(q\,k^*)$, where the star changes the sign of the imaginary part. A rotation by $\alpha$ is a product with $e^{\mathrm i\alpha}$, and the star makes $e^{-\mathrm i\alpha}$ of it. With the query at $m$ and the key at $n$,
#
# <a id="eq-rope"></a>
# $$
# \operatorname{Re}\!\left(q\,e^{\mathrm i m\omega}\;k^*e^{-\mathrm i n\omega}\right)
# =\operatorname{Re}\!\left(q\,k^*\,e^{\mathrm i(m-n)\omega}\right):
# $$
#
# only the distance $m-n$ is left. In code, too, complex numbers are the shortest way:

# %%
def plain_rotate(x, place):
    "x (..., T, d): turns pair i, i + d/2 by place (T,) times ω_i."
    half = x.shape[-1] // 2
    omega = 10000.0 ** -(np.arange(half, dtype=x.dtype) / half)
    angle = place[:, None].astype(x.dtype) * omega  # (T, d / 2)
    pairs = x[..., :half] + 1j * x[..., half:]  # (..., T, d / 2)
    pairs = pairs * np.exp(1j * angle)
    return np.concatenate([pairs.real, pairs.imag], axis=-1)

# %% [insert lib] ^def rotate ||| nnbook.attention: rotate

# %% [markdown]
# The distance is all that is left in mathematics. In numbers? **Predict** by how much a score changes when both move on by a million places, in float32 and in float64.

# %%
rng = stream(13, "far away")
q, k = rng.standard_normal((2, 500, 64))  # 500 pairs,
m, n = rng.integers(0, 64, (2, 500))  # at places m and n

def moved(turn, dtype, shift):
    "Largest change of a score when both places move on."
    score = lambda s: (turn(q.astype(dtype), m + s)
                       * turn(k.astype(dtype), n + s)).sum(axis=1)
    return np.abs(score(shift) - score(0)).max()

# %% [insert exp] name="by-distance"

# %% [markdown]
# A float32 near a million has steps of a sixteenth, and an angle rounded to a sixteenth is another angle; the library computes angles in float64, turns, and rounds then. The second table shows what is gained over sinusoids: among themselves they depend on the distance alone, but a head compares them through its weights, and through random weights little of that is left. Rotations come behind the weights.
#
# Do scores *decay* with the distance? One often reads so, and [Su and others](99_references.ipynb#su2021) show a bound that does. **Predict** it for a key equal to the query, for random pairs, and for a key that was made to fit best at distance 100.

# %% [insert exp] ^def over_distance ||| scores over distance

# %% [insert exp] name="decay"

# %% [markdown]
# Equal vectors: on the whole, yes. Random pairs: no; a random direction, turned, is a random direction. And a key can be made that fits best at any distance. So rotations do not make a head look near; they let it ([Barbero and others, 2024](99_references.ipynb#barbero2024)). Here are the four pairs of a head of width 8:

# %% [insert exp] name="clocks"

# %% [insert lib] code-summary: "nnbook.attention: LearnedPositions

# %% [markdown]
# Two more ways stand folded above. **ALiBi** ([Press and others, 2022](99_references.ipynb#press2022)) takes from each score a penalty that grows with the distance, at a slope of its own in each head; a sliding window takes all of it from a certain distance on. `MultiHeadAttention` has them as `positions="rope"`, `positions="alibi"` and `window=`.

# %% [insert exp] ALiBi and a sliding window, drawn

# %% [markdown]
# ## What it costs
#
# Count multiplications. Each of the four projections has $T$ rows and a matrix of $d\times d$: together $4Td^2$. The scores take a product of $d$ numbers for each of $T\times T$ pairs, and so does the mix: $2T^2d$, in any number of heads. The two are equal at $T=2d$. **Predict** where the *times* cross: before that, there, or behind it? Once for $d=64$ with four heads, once for $d=512$ with eight.

# %% [insert exp] ^class Counted ||| an array that counts, and the two parts of a layer

# %% [insert exp] name="cost"

# %% [markdown]
# The counts are those of the formulas. The times cross earlier, and those of the small layer nowhere in the figure. A count of multiplications leaves out two things. Each head has scores of its own, $hT^2$ in all, and each is scaled, compared, exponentiated, summed and divided: passes over memory, which alone overtake the projections before $T=2d$. And the products are thin: a score is written to memory after a sum of only $d/h$ terms, an entry of the projections after $d$. More heads leave the count as it is, and add to both.
#
# Worse than the multiplications is the memory: $T\times T$ weights in each head, kept for the way back. Do they have to be there at one time? The softmax needs the largest score and the sum of all exponentials *before* it can divide; so it seems. But both can be carried along. Read the keys block by block, and keep for each query the largest score so far, $m$, the sum $s$ of $e^{z_j-m}$, and the sum $\mathbf o$ of $e^{z_j-m}\mathbf v_j$. When a block brings a larger $m'$, both old sums are multiplied by $e^{m-m'}$, as if they had been computed with $m'$ from the start. At the end $\mathbf o/s$ is the answer. This is the **online softmax** ([Milakov and Gimelshein, 2018](99_references.ipynb#milakov2018)):

# %%
def online(q, k, v, block=64):
    "q (T, d), k (S, d), v (S, e) -> (T, e), block by block."
    m, s, o = np.finfo(q.dtype).min, 0.0, 0.0
    for j in range(0, len(k), block):
        z = q @ k[j : j + block].T / q.shape[1] ** 0.5
        new = np.maximum(m, z.max(axis=1, keepdims=True))
        p, shrink = np.exp(z - new), np.exp(m - new)
        s = shrink * s + p.sum(axis=1, keepdims=True)  # (T, 1)
        o = shrink * o + p @ v[j : j + block]  # (T, e)
        m = new
    return o / np.maximum(s, 1)  # below 1 only if all z are −∞

# %% [insert lib] code-summary: "nnbook.attention: online

# %% [markdown]
# **Predict** its memory, beside that of the plain lines, for a length of 4,096; and its error when scores are huge, or grow from each block to the next.

# %% [insert exp] name="hard"

# %% [insert exp] name="memory"

# %% jupyter={"source_hidden": true}
#| code-summary: "the claim: short forms and library agree"
#| code-fold: true
rng = stream(0, "short forms")
q, k, v = rng.standard_normal((3, 2, 4, 9, 8))                             # (B, h, T, d_h) each
x, points, numbers = rng.standard_normal((2, 9, 32)), rng.standard_normal(7), rng.standard_normal(7)
asks, layer = AdditiveAttention(8, 8, 16, rng=0), MultiHeadAttention(32, 4, num_kv_heads=2, bias=False, rng=0)
s, h = (a.astype(np.float32) for a in (q[:, 0, 0], k[:, 0]))               # (B, 8), (B, 9, 8)
parts = np.split(layer.in_proj_weight.data, [32, 48])
compared = {"look-up": (soft_lookup(points, points + 1, numbers, 0.5), kernel_regression(points, points + 1, numbers, 0.5)),
            "additive": (plain_additive(s, h, asks.query_proj.weight.data, asks.key_proj.weight.data, asks.score.weight.data[0])[0], asks(s, h)[0]),
            "attention": (plain_attention(q, k, v, plain_window(9, 3)), scaled_dot_product_attention(q, k, v, plain_window(9, 3))),
            "heads": (plain_heads(x.astype(np.float32), *parts, layer.out_proj.weight.data, 4, 2, plain_causal(9)), layer(x, is_causal=True)),
            "sinusoidal": (plain_sinusoidal(50, 16), sinusoidal(50, 16)), "rotate": (plain_rotate(q, np.arange(9)), rotate(q)),
            "online": (online(q[0, 0], k[0, 0], v[0, 0], 4), online_attention(q[0, 0], k[0, 0], v[0, 0], block=4)),
            "causal": (plain_causal(9), causal_mask(9)), "window": (plain_window(9, 3), sliding_window_mask(9, 3)), "padding": (plain_padding([0, 5], 9), padding_mask([0, 5], 9))}
plain = lambda a: np.asarray(getattr(a, "data", a) if not isinstance(a, np.ndarray) else a, float)
claim("the short forms and the library's differ by {:.0e} at most", max(np.abs(plain(a) - plain(b)).max() for a, b in compared.values()), "<", 1e-5)

# %% [markdown]
# Its errors are those of rounding, of about the same size as those of whole rows: each shrink multiplies by a number of at most 1. Its memory grows with the length, and not with its square.
#
# [Rabe and Staats (2021)](99_references.ipynb#rabe2021) and [Dao and others (2022)](99_references.ipynb#dao2022) built attention this way. FlashAttention, the form of the second, computes each block in the fast memory of a GPU and never writes the scores to the slow one. It makes no fewer multiplications, for the way back even more, and is faster all the same.

# %% [markdown]
# ## The same in PyTorch
#
# The twins in `nnbook.torch.attention` stand on `F.scaled_dot_product_attention`. With as many key heads as query heads, weights of `torch.nn.MultiheadAttention` load into ours as they are:

# %% [insert lib] nnbook.torch.attention: imports

# %% [insert lib] nnbook.torch.attention: masks

# %% [insert lib] nnbook.torch.attention: MultiHead

# %% [insert lib] nnbook.torch.attention: each class

# %%
from nnbook.torch.twins import assert_twins

torch.manual_seed(0)
theirs = torch.nn.MultiheadAttention(64, 4, batch_first=True)
ours = built.MultiHeadAttention(64, 4)
ours.load_state_dict({name: value.numpy() for name, value
                      in theirs.state_dict().items()})
x = stream(0, "torch's heads").standard_normal((4, 30, 64))
again = twins.MultiHeadAttention(64, 4)
for what, error in assert_twins(ours, again, x).items():
    print(f"{what:30} {error:.0e}")
y = torch.tensor(x, dtype=torch.float32)
gap = theirs(y, y, y)[0] - torch.from_numpy(ours(x).data)
print(f"{'torch.nn':30} {gap.abs().max():.0e}")

# %% [markdown]
# On a GPU there are several kernels for the same formula. How near does each come to the card's own rate of multiplying matrices? And how long can a sequence get before the plain form runs out of memory?

# %% [insert gpu] on a GPU: one attention

# %% [insert gpu] on a GPU: three lines

# %% [markdown]
# ## Recap
#
# - Copying through one state is hard, and a larger state helps little by little. Looking back at all states makes it easy with a state of 16, up to the lengths of training.
# - Attention is a soft look-up: a softmax of similarities between a query and keys weights a mean of values. With a Gaussian for similarity it is the kernel regression of 1964.
# - Scores grow with the root of the width. Undivided, they make the gradient very unequal over queries; the mean of it does not vanish.
# - Without a mask, attention commutes with any shuffling. A causal mask breaks that: two layers learned which of two letters came first without positions. Rotating queries and keys makes scores depend on distances, whatever the weights are.
# - The scores grow with the square of the length, and pass the projections at $T=2d$ in multiplications. Their memory need not: the online softmax reads the keys in blocks, and is exact.

# %% [markdown]
# ## Exercises

# %% [markdown]
# ### Exercise 1 (5 minutes)
# A layer has width 4,096 and 32 query heads, and has read 8,192 tokens. How much smaller do its parameters get with 8 key heads instead of 32, and with one? How much smaller its KV cache? Guess first. Then write `sizes(embed_dim, num_heads, num_kv_heads, length)`: how many numbers `MultiHeadAttention(embed_dim, num_heads, num_kv_heads=num_kv_heads)` learns, with its biases, and how many its cache holds behind `length` tokens. It returns the pair.

# %%
def sizes(embed_dim: int, num_heads: int, num_kv_heads: int, length: int) -> tuple[int, int]: ...
check("attention.1", sizes)

# %% [markdown]
# <details><summary>Hint</summary>
#
# How wide is a head? How many heads' worth of rows do the projections of queries, keys and values have together? The last projection mixes the query heads.
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def sizes(embed_dim, num_heads, num_kv_heads, length):
#     d_head = embed_dim // num_heads
#     rows = (num_heads + 2 * num_kv_heads) * d_head                   # of queries, keys and values
#     parameters = rows * (embed_dim + 1) + embed_dim * (embed_dim + 1)
#     return parameters, 2 * num_kv_heads * d_head * length
# ```
# With 8 key heads five eighths of the parameters are left, with one a little over half: queries and the last projection stay. The cache shrinks to a quarter and to a 32nd. The memory for the text is what grouped queries save.
# </details>

# %% [markdown]
# ### Exercise 2 (25 minutes)
# Build attention from nothing: with NumPy, without this chapter's functions. `attend(q, k, v, mask)` takes arrays: `q` (B, h, T, d), `k` (B, h_kv, S, d), `v` (B, h_kv, S, e), and a mask of true and false that broadcasts to (B, h, T, S), true where a query may look. Query heads share key heads in order, as on this page. It returns (B, h, T, e). Scores may be as large as a million. A query that may look at nothing gets zeros.

# %%
def attend(q: np.ndarray, k: np.ndarray, v: np.ndarray, mask: np.ndarray) -> np.ndarray: ...
check("attention.2", attend)

# %% [markdown]
# <details><summary>Hint</summary>
#
# `np.repeat` along the axis of heads. Take the largest score of a row from all of its scores before `np.exp`; what is the largest of a row in which all are $-\infty$? Begin with one head and a mask that is true everywhere.
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def attend(q, k, v, mask):
#     group = q.shape[1] // k.shape[1]
#     k, v = np.repeat(k, group, axis=1), np.repeat(v, group, axis=1)           # (B, h, S, d), (B, h, S, e)
#     scores = q @ k.swapaxes(2, 3) / np.sqrt(q.shape[-1])                      # (B, h, T, S)
#     scores = np.where(mask, scores, -np.inf)
#     top = scores.max(axis=-1, keepdims=True)
#     weights = np.exp(scores - np.where(np.isfinite(top), top, 0))             # exp(-inf) is 0
#     total = weights.sum(axis=-1, keepdims=True)
#     return weights @ v / np.where(total == 0, 1, total)
# ```
# Dividing behind the product with the values takes $T\times e$ divisions instead of $T\times S$. The online softmax does so, too.
# </details>

# %% [markdown]
# ### Exercise 3 (15 minutes)
# This causal self-attention runs, its shapes are right, and no weight lies above the diagonal.
#
# ```python
# def causal_heads(x, W, h):
#     "x (B, T, d); W (3d, d), rows of q, k, v -> (B, T, d)."
#     B, T, d = x.shape
#     q, k, v = np.split(x @ W.T, 3, axis=2)
#     q, k, v = (a.reshape(B, h, T, d // h) for a in (q, k, v))
#     scores = q @ k.swapaxes(2, 3) / np.sqrt(d // h)
#     p = np.exp(scores - scores.max(axis=3, keepdims=True))
#     p = p / p.sum(axis=3, keepdims=True) * np.tri(T)
#     return (p @ v).reshape(B, T, d)
# ```
# Two things are wrong with it. Change one token at a time, and look at which outputs change: what should you see, and what do you? Then write one that is right.

# %%
def causal_heads(x: np.ndarray, W: np.ndarray, h: int) -> np.ndarray: ...
check("attention.3", causal_heads)

# %% [markdown]
# <details><summary>Hint</summary>
#
# One fault lets the future in, though every weight on it is 0: by what was each weight divided? The other keeps some of the past out. Put `np.arange(T * d).reshape(1, T, d)` through that reshape, and see which tokens are in the first head.
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def causal_heads(x, W, h):
#     B, T, d = x.shape
#     q, k, v = np.split(x @ W.T, 3, axis=2)
#     q, k, v = (a.reshape(B, T, h, d // h).swapaxes(1, 2) for a in (q, k, v))         # (B, h, T, d_h)
#     scores = np.where(np.tri(T, dtype=bool), q @ k.swapaxes(2, 3) / np.sqrt(d // h), -np.inf)
#     p = np.exp(scores - scores.max(axis=3, keepdims=True))
#     p = p / p.sum(axis=3, keepdims=True)
#     return (p @ v).swapaxes(1, 2).reshape(B, T, d)
# ```
# The sum ran over future tokens, too, so that all weights of a row told how well the future fits. And the reshape alone made heads of *stretches of the text*: of four heads the first had the first quarter of the tokens, each cut into four. Such code can be trained, and the loss falls. A test that changes one input and looks at what follows is worth more here than any loss curve.
# </details>

# %% [markdown]
# ### Exercise 4 (15 minutes)
# Among $n$ keys one is right. Its score is higher than the other $n-1$, which are all equal. By how much, so that it gets the weight `share`? **Predict** it for a half, with 10, 100, 1,000 and 10,000 keys: what does each tenfold cost? Write `margin(n, share=0.5)`.
#
# Then let the other scores vary: scaled scores of random vectors have mean 0 and variance 1. The right one's is `margin(n)` above that mean. **Predict** whether it still gets a half; more, or less?
#
# ```python
# rng = np.random.default_rng(0)
# for n in (10, 100, 1_000, 10_000):
#     scores = rng.standard_normal((1_000, n))
#     scores[:, 0] = margin(n)
#     print(n, np.mean(np.exp(scores[:, 0]) / np.exp(scores).sum(axis=1)))
# ```

# %%
def margin(n: int, share: float = 0.5) -> float: ...
check("attention.4", margin)

# %% [markdown]
# <details><summary>Hint</summary>
#
# Set the scores of the others to 0 and the right one's to $m$. Its weight is $e^m$ over a sum of $n$ terms.
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def margin(n, share=0.5):
#     return np.log((n - 1) * share / (1 - share))
# ```
# Each tenfold costs $\log10$, about 2.3. A score can't exceed $\lVert\mathbf q\rVert\lVert\mathbf k\rVert/\sqrt d$, so a head that was sharp among a hundred keys gets vaguer among ten thousand, unless its vectors are long enough for both. With scores that vary it gets less than a half: the exponential of a Gaussian with variance 1 has a mean of $e^{1/2}$ instead of 1, and with many keys $1/(1+e^{1/2})$, about 0.38, is left. Half of the variance has to be added to the margin.
# </details>

# %% [markdown]
# ### Exercise 5 (20 minutes)
# A text is too long for one machine. Two of them look at half of the keys each, for the same $T$ queries. Each hands over three arrays: `m` (T,), the largest score of each query among its keys; `s` (T,), the sum of $e^{z_j-m}$ over them; and `o` (T, e), its *answer*: the mean of its values, by a softmax over its own keys. If a query may look at none of them, $m=-\infty$, $s=0$ and $\mathbf o=\mathbf 0$. Write `merge(a, b)`, which makes of two such triples the one for all keys.

# %%
def merge(a: tuple, b: tuple) -> tuple: ...
check("attention.5", merge)

# %% [markdown]
# <details><summary>Hint</summary>
#
# An answer has been divided by its sum; multiply it by that again before it is added to another. Which of the two answers counts more? And what is $-\infty-(-\infty)$?
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def merge(a, b):
#     m = np.maximum(a[0], b[0])
#     finite = np.where(np.isfinite(m), m, 0)                        # exp(-inf - 0) is 0
#     s_a, s_b = (s * np.exp(m_half - finite) for m_half, s, _ in (a, b))
#     s = s_a + s_b
#     o = (s_a[:, None] * a[2] + s_b[:, None] * b[2]) / np.where(s == 0, 1, s)[:, None]
#     return m, s, o
# ```
# Merging is associative: blocks may come in any order, from any machine. Attention over one text on many GPUs rests on it, and the online softmax is the same with one block after the other.
# </details>

# %% [markdown]
# ## Further reading
#
# - [Vaswani and others (2017)](99_references.ipynb#vaswani2017): the paper, short and clear; the next chapter builds its network.
# - [Bahdanau and others (2015)](99_references.ipynb#bahdanau2015), with maps of where a translator looks.
# - [Dao and others (2022)](99_references.ipynb#dao2022): why reading and writing decide the speed, and not multiplying.
# - [Barbero and others (2024)](99_references.ipynb#barbero2024) ask what rotary positions are used for in a trained model.
# - [Prince (2023)](99_references.ipynb#prince2023), chapter 12, and [Zhang and others (2023)](99_references.ipynb#zhang2023), chapter 11.

# %% jupyter={"source_hidden": true}
#| hide
#| export checkers.attention
import inspect

import numpy as np

from nnbook.exercises import Mismatch, checker, expect
from nnbook.streams import stream

def _sizes(E, h, h_kv, length, d=None, out=True, bias=True, both=2, rows=None) -> tuple:
    "Parameters and cached numbers of a layer, or what a usual mistake counts."
    d = E // h if d is None else d
    rows = (h + 2 * h_kv) * d if rows is None else rows
    return rows * (E + bias) + out * (E + bias) * E, both * h_kv * d * length

@checker("attention.1")
def _(sizes):
    for E, h, h_kv, length in ((12, 3, 1, 3), (8, 2, 2, 3), (12, 4, 2, 5), (12, 6, 1, 7), (4096, 32, 8, 8192), (4096, 32, 1, 8192)):
        got, want, where = sizes(E, h, h_kv, length), _sizes(E, h, h_kv, length), f"sizes({E}, {h}, {h_kv}, {length})"
        if got is None: raise Mismatch("your function gives back None; is a `return` missing?")
        if not isinstance(got, (tuple, list)) or len(got) != 2: raise Mismatch("return two numbers: the parameters, and what the cache holds")
        if tuple(got) == want[::-1] != want: raise Mismatch(f"{where}: the two numbers have changed places")
        for mistake, wrong in {"the biases are missing": _sizes(E, h, h_kv, length, bias=False), "the last projection, of the joined heads, is missing": _sizes(E, h, h_kv, length, out=False),
                               "you count as many key heads as query heads": _sizes(E, h, h, length), "is a head as wide as the layer?": _sizes(E, h, h_kv, length, d=E),
                               "keys have shared heads; so have values": _sizes(E, h, h_kv, length, rows=E + h_kv * (E // h) + E), "there are keys *and* values": _sizes(E, h, h_kv, length, rows=(h + h_kv) * (E // h)),
                               "the queries keep all of their heads": _sizes(E, h, h_kv, length, rows=3 * h_kv * (E // h))}.items():
            if got[0] == wrong[0] != want[0]: raise Mismatch(f"{where}, parameters: {mistake}")
        for mistake, wrong in {"there are keys *and* values": want[1] / 2, "you count all query heads; of what are there fewer?": 2 * E * length, "is a head as wide as the layer?": 2 * h_kv * E * length,
                               "one token takes so many; there are more": want[1] / length, "how wide is a head?": 2 * h_kv * length}.items():
            if got[1] == wrong != want[1]: raise Mismatch(f"{where}, cache: {mistake}")
        expect(got[0], want[0], f"{where}: the parameters")
        expect(got[1], want[1], f"{where}: the numbers in the cache")

# %% jupyter={"source_hidden": true}
#| hide
#| export checkers.attention
_READY, _PAGE = ("nnbook.attention", "nnbook.kernels", "nnbook.torch", "torch", "jax"), {"plain_attention", "plain_heads", "plain_online", "scaled_dot_product_attention", "online_attention"}

def _is_ready(name: str, value) -> bool:
    "Whether a name stands for something that is there already: the page's, the library's or another's."
    own = getattr(value, "__name__", "") if not isinstance(value, np.ndarray) else ""
    homes = name, getattr(value, "__module__", None) or own
    return not _PAGE.isdisjoint((name, own)) or any(home == ready or str(home).startswith(f"{ready}.") for home in homes for ready in _READY)

def _inner(code) -> list:
    "A code object and those inside it: lambdas, comprehensions, inner functions."
    return [code, *(c for const in code.co_consts if hasattr(const, "co_code") for c in _inner(const))]

def _taken(function, seen=frozenset()) -> set:
    "The names of ready-made things that a function looks up, also through its helpers."
    function, found = getattr(function, "func", function), set()
    if _is_ready("", function): return {getattr(function, "__name__", "a ready function")}
    if not hasattr(function, "__code__"): return set()
    held = {name: cell.cell_contents for name, cell in zip(function.__code__.co_freevars, function.__closure__ or ())}
    for name in {name for code in _inner(function.__code__) for name in code.co_names} | set(held):
        value = held.get(name, function.__globals__.get(name))
        if _is_ready(name, value): found.add(name)
        elif hasattr(value, "__code__") and id(value) not in seen: found |= _taken(value, seen | {id(function), id(value)})
    return found

def _own_work(function) -> None:
    if names := _taken(function): raise Mismatch(f"your function uses {', '.join(sorted(names))}; this exercise is about building it yourself (a helper of your own that has such a name needs another)")

def _called(function, *arrays, **named) -> np.ndarray:
    "What the reader's function makes of copies of arrays; they must stay as they were."
    given = [a.copy() if isinstance(a, np.ndarray) else a for a in arrays]
    got = function(*given, **named)
    if got is None: raise Mismatch("your function gives back None; is a `return` missing?")
    for a, b in zip(arrays, given):
        if isinstance(a, np.ndarray): expect(np.array_equal(a, b), True, "your function changed an array that it was given to read")
    return got

def _attention(q, k, v, mask, scale=None, axis=-1, order="repeat", after=False, factor=False) -> np.ndarray:
    "Attention as exercise 2 asks for it, or what a usual mistake makes of it."
    group = q.shape[1] // k.shape[1]
    k, v = (np.repeat(a, group, axis=1) if order == "repeat" else np.tile(a, (1, group, 1, 1)) for a in (k, v))
    z = q @ k.swapaxes(-2, -1) * (q.shape[-1]**-0.5 if scale is None else scale)
    seen = np.broadcast_to(mask, z.shape)
    z = z if after else z * seen if factor else np.where(seen, z, -np.inf)
    top = z.max(axis=axis, keepdims=True)
    p = np.exp(z - np.where(np.isfinite(top), top, 0))
    total = p.sum(axis=axis, keepdims=True)
    return (p / np.where(total == 0, 1, total) * (seen if after else 1)) @ v

def _slip(got, want, mistakes: dict, where: str, tol: float = 1e-6) -> None:
    "Raise Mismatch with the name of a usual mistake whose result is the reader's."
    if got is None: raise Mismatch("your function gives back None; is a `return` missing?")
    if np.shape(got) != np.shape(want) or np.allclose(got, want, tol, tol): return
    for mistake, wrong in mistakes.items():
        if np.shape(wrong) == np.shape(want) and not np.allclose(wrong, want, tol, tol) and np.allclose(got, wrong, tol, tol): raise Mismatch(f"{where}: {mistake}")

_CASES = (("one query, one key", 1, 1, 1, 1, 1, 3, 2), ("one head, as many queries as keys", 1, 1, 1, 5, 5, 4, 4), ("values of another width", 1, 1, 1, 3, 5, 4, 2), ("two sequences, three heads", 2, 3, 3, 4, 6, 4, 4),
          ("two query heads to a key head", 2, 4, 2, 4, 6, 4, 4), ("multi-query", 2, 3, 1, 4, 6, 4, 4))

@checker("attention.2")
def _(attend):
    _own_work(attend)
    for seed, (what, B, h, h_kv, T, S, d, e) in enumerate(_CASES):
        rng = stream(seed, "judge")
        q, k, v = rng.standard_normal((B, h, T, d)), rng.standard_normal((B, h_kv, S, d)), rng.standard_normal((B, h_kv, S, e))
        masks = {"every key may be seen": np.ones((1, 1, 1, 1), bool), "a mask (T, S)": np.arange(S) <= np.arange(T)[:, None], "a mask of the padding (B, 1, 1, S)": (np.arange(S) < rng.integers(1, S + 1, B)[:, None])[:, None, None],
                 "a mask (B, h, T, S)": (rng.random((B, h, T, S)) < 0.6) | (np.arange(S) == 0)}
        for of_mask, mask in masks.items():
            got, want, where = np.asarray(_called(attend, q, k, v, mask)), _attention(q, k, v, mask), f"{what}, {of_mask}"
            if got.shape == (B, T, h, e) != want.shape: raise Mismatch(f"{where}: your result has shape {got.shape}; asked for is (B, h, T, e), {want.shape}")
            _slip(got, want, {"the scores are not scaled": _attention(q, k, v, mask, 1.0), "this divides the scores by d": _attention(q, k, v, mask, 1 / d), "the scores are multiplied by the root of d": _attention(q, k, v, mask, d**0.5),
                              "the weights of one *key* add up to 1 here, over the queries; those of a query should": _attention(q, k, v, mask, axis=-2), "the softmax runs over the heads": _attention(q, k, v, mask, axis=1),
                              "query heads read key heads in turn; neighbors should share one": _attention(q, k, v, mask, order="tile"), "the mask means the opposite here: True is where a query may look": _attention(q, k, v, ~mask),
                              "masked after the softmax, so that the weights left don't add up to 1": _attention(q, k, v, mask, after=True), "a masked score of 0 still gets a weight; which score gets none?": _attention(q, k, v, mask, factor=True),
                              "the mask does nothing": _attention(q, k, v, np.ones_like(mask))}, where)
            expect(got, want, where)
    q, k, v, mask = 1e3 * q, 1e3 * k, v, masks["a mask (T, S)"]
    expect(np.asarray(_called(attend, q, k, v, mask)), _attention(q, k, v, mask), "scores of up to a million: does an exponential overflow? What may be taken from all scores of a row?")
    mask = np.broadcast_to(mask, (B, h, T, S)).copy()
    mask[0, :, 1], mask[1, 0] = False, False
    got, want = np.asarray(_called(attend, q / 1e3, k / 1e3, v, mask)), _attention(q / 1e3, k / 1e3, v, mask)
    expect(bool(np.isnan(got).any()), False, "a query that may look at nothing gets NaN from you, instead of zeros")
    _slip(got, want, {"a query that may look at nothing gets a mean of all values; asked for are zeros": np.where(mask.any(axis=-1, keepdims=True), want, v.mean(axis=2, keepdims=True))}, "a mask with empty rows")
    expect(got, want, "a query that may look at nothing gets zeros, and the others what they got before")

# %% jupyter={"source_hidden": true}
#| hide
#| export checkers.attention
def _heads(x, W, h, cut=True, join=True, scale=None, **how) -> np.ndarray:
    "Causal multi-head attention without its last projection, or what a usual mistake makes of it."
    B, T, d = x.shape
    q, k, v = (a.reshape(B, T, h, d // h).swapaxes(1, 2) if cut else a.reshape(B, h, T, d // h) for a in np.split(x @ W.T, 3, axis=2))
    y = _attention(q, k, v, np.tri(T, dtype=bool), scale, **how)
    return (y.swapaxes(1, 2) if join else y).reshape(B, T, d)

@checker("attention.3")
def _(causal_heads):
    _own_work(causal_heads)
    for seed, (what, B, T, d, h) in enumerate((("one head", 1, 5, 4, 1), ("two heads, two sequences", 2, 6, 8, 2), ("four heads, eight tokens", 3, 8, 8, 4), ("as many heads as tokens", 1, 4, 8, 4), ("heads of width 1", 2, 5, 3, 3))):
        rng = stream(seed, "judge")
        x, W = rng.standard_normal((B, T, d)), rng.standard_normal((3 * d, d)) / d**0.5
        got, want = np.asarray(_called(causal_heads, x, W, h)), _heads(x, W, h)
        if got.shape != want.shape: raise Mismatch(f"{what}: your result has shape {got.shape}; asked for is (B, T, d), {want.shape}")
        expect(bool(np.isnan(got).any()), False, f"{what}: there is NaN in your result")
        for t in range(T):
            moved = x.copy()
            moved[:, t] += rng.standard_normal((B, d))
            changed = (np.abs(np.asarray(_called(causal_heads, moved, W, h)) - got) > 1e-9).any(axis=(0, 2))      # (T,)
            if changed[:t].any(): raise Mismatch(f"{what}: token {t} was changed, and output {int(np.argmax(changed[:t]))} changed with it, which comes before: the future gets in")
            if not changed[t:].all(): raise Mismatch(f"{what}: token {t} was changed, and output {t + int(np.argmin(changed[t:]))} took no notice: some of the past is kept out")
        _slip(got, want, {"the heads are cut rightly and joined wrongly: which axis has to stand beside the width again?": _heads(x, W, h, join=False), "by the root of which width are the scores divided? A head's is d // h": _heads(x, W, h, scale=d**-0.5),
                          "the scores are divided by the width of a head, not by its root": _heads(x, W, h, scale=h / d), "the scores are not scaled": _heads(x, W, h, scale=1.0),
                          "the weights that are left should add up to 1": _heads(x, W, h, after=True)}, what)
        expect(got, want, what)

# %% jupyter={"source_hidden": true}
#| hide
#| export checkers.attention
@checker("attention.4")
def _(margin):
    for n, share in ((2, 0.5), (10, 0.5), (1000, 0.5), (1_000_000, 0.5), (10, 0.8), (1000, 0.99), (5, 0.1)):
        got, want, where = margin(n, share), float(np.log((n - 1) * share / (1 - share))), f"{n} keys, a share of {share}"
        _slip(got, want, {"there are n - 1 others, not n": np.log(n * share / (1 - share)), "this is by what factor its exponential is larger; the score itself?": (n - 1) * share / (1 - share), "the sign is the wrong way round": -want,
                          "a softmax has the base e": want / np.log(2), "the number of keys plays no part here": np.log(share / (1 - share)), "the share plays no part here": np.log(n - 1),
                          "how much is left for the others? Not the whole": np.log((n - 1) * share), "the share of the others is shared by n - 1 of them": np.log(share / ((1 - share) / max(n - 2, 1))),
                          "this lets others add up to `share`": np.log((n - 1) * (1 - share) / share)}, where)
        expect(got, want, f"{where}: the weight of the right key")
    try: inspect.signature(margin).bind(10)
    except TypeError: raise Mismatch("margin(10) can't be called; share has a default: 0.5") from None
    expect(margin(10), float(np.log(9)), "share has a default: 0.5")
    return "now let the other scores vary"

# %% jupyter={"source_hidden": true}
#| hide
#| export checkers.attention
def _half(z, v) -> tuple:
    "Scores (T, S), -inf where a query may not look, and values (S, e) -> m (T,), s (T,), o (T, e)."
    m = z.max(axis=1)
    p = np.exp(z - np.where(np.isfinite(m), m, 0)[:, None])
    s = p.sum(axis=1)
    return m, s, p @ v / np.where(s == 0, 1, s)[:, None]

def _merged(a, b) -> dict:
    "What usual mistakes make of two halves."
    (m1, s1, o1), (m2, s2, o2) = a, b
    m = np.maximum(m1, m2)
    w1, w2 = s1 * np.exp(m1 - m), s2 * np.exp(m2 - m)
    col = lambda w: w[:, None]
    return {"this is the mean of both answers; the half with the larger scores counts more": (m, w1 + w2, (o1 + o2) / 2), "the answers are added as if they had not been divided by their sums": (m, w1 + w2, (col(np.exp(m1 - m)) * o1 + col(np.exp(m2 - m)) * o2) / col(w1 + w2)),
            "the third is an answer: it has to be divided by the sum": (m, w1 + w2, col(w1) * o1 + col(w2) * o2),
            "the answers are weighted by e^m alone; how many keys had each?": (m, w1 + w2, (col(np.exp(m1 - m)) * o1 + col(np.exp(m2 - m)) * o2) / col(np.exp(m1 - m) + np.exp(m2 - m)))}

def _same_triple(got, want, where: str, halves=None) -> None:
    if got is None: raise Mismatch("your function gives back None; is a `return` missing?")
    if not isinstance(got, (tuple, list)) or len(got) != 3: raise Mismatch("return three arrays: m, s and o")
    got = [np.asarray(part) for part in got]
    for name, part, right in zip(("m", "s", "o"), got, want):
        if part.shape != right.shape: raise Mismatch(f"{where}: {name} has shape {part.shape}, and should have {right.shape}")
    if halves and not np.allclose(want[1], old := halves[0][1] + halves[1][1]) and np.allclose(got[1], old):
        raise Mismatch(f"{where}: the two sums belong to different largest scores; bring both to the new one, then add")
    for mistake, wrong in (_merged(*halves) if halves else {}).items():
        same = [np.allclose(x, y, equal_nan=True) for x, y in zip(got, wrong)]
        if all(same) and not all(np.allclose(x, y) for x, y in zip(wrong, want)): raise Mismatch(f"{where}: {mistake}")
    for name, part, right in zip(("m", "s", "o"), got, want):
        expect(bool(np.isnan(part).any()), False, f"{where}: there is NaN in {name}")
        expect(part, right, f"{where}: {name}")

@checker("attention.5")
def _(merge):
    _own_work(merge)
    def ask(z, v, cut, where):
        halves = _half(z[:, :cut], v[:cut]), _half(z[:, cut:], v[cut:])
        given = tuple(tuple(part.copy() for part in half) for half in halves)
        got = merge(*given)
        expect(all(np.array_equal(x, y) for a, b in zip(halves, given) for x, y in zip(a, b)), True, "your function changed an array that it was given to read")
        finite = all(np.isfinite(half[0]).all() for half in halves)
        _same_triple(got, _half(z, v), where, halves if finite else None)
        return got
    for seed, (T, S, cut, e) in enumerate(((1, 2, 1, 1), (3, 6, 3, 2), (4, 9, 2, 3), (4, 4, 3, 4))):
        rng = stream(seed, "judge")
        z, v = 3 * rng.standard_normal((T, S)), rng.standard_normal((S, e))
        ask(z, v, cut, f"{T} queries, {cut} and {S - cut} keys")
    z, v = rng.standard_normal((4, 8)), rng.standard_normal((8, 3))
    ask(z + 5000 * (np.arange(8) >= 4), v, 4, "scores of the second half near 5,000")
    ask(z + 5000 * (np.arange(8) < 4), v, 4, "scores of the first half near 5,000")
    ask(z - 5000, v, 4, "all scores near -5,000")
    empty = np.where(np.array([[1, 1], [0, 1], [1, 0], [0, 0]], bool).repeat(4, axis=1), z, -np.inf)
    got = ask(empty, v, 4, "queries that may look at nothing in the one half, the other, or both")
    more, w = rng.standard_normal((4, 5)), rng.standard_normal((5, 3))
    _same_triple(merge(got, _half(more, w)), _half(np.hstack([empty, more]), np.vstack([v, w])), "a third block, merged with what your function gave back")
