# %% [markdown]
# # Transformers
#
# > Counting predicts a play at about two bits a character: what can a network do that a table can't?

# %% include glib: default_exp transformer

# %% include glib: import nnbook.running

# %% [markdown]
# **You need** [attention](13_attention.ipynb), [normalization](05_layers.ipynb), [AdamW](06_optim.ipynb), and [tokens](14_tokenizer.ipynb).

# %% [markdown]
# A few seconds of counting make a good model of Shakespeare. A [table of counts](12_rnn.ipynb#counting-characters) looks up what followed the same characters before, and when it has not met them, it tries again with fewer. How good that is, in [bits per byte](14_tokenizer.ipynb#bits-per-byte) on the last tenths of eight plays, depends on how far it trusts a context that it has seen once or twice:

# %% include glib: import numpy as np

# %% include glib: imports of the library's other parts

# %%
#| code-summary: "imports for the experiments"
#| code-fold: true
import copy
import json
import textwrap
import time
import tracemalloc
from pathlib import Path

import torch
from torch.nn import functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

import nnbook.transformer as built
from nnbook import data
from nnbook import rnn as counting
from nnbook.autograd import _tape
from nnbook.claims import claim
from nnbook.diagrams import diagram
from nnbook.exercises import check
from nnbook.explore import explore
from nnbook.optim import AdamW, clip_grad_norm_
from nnbook.plots import COLORS, INK, figure, heatmap, lines, table
from nnbook.rnn import Vocabulary, detach, text_batches
from nnbook.running import stored
from nnbook.tokenizer import BPETokenizer
from nnbook.torch import rnn as recurrent
from nnbook.torch import transformer as twins
from nnbook.torch.layers import fill_like

# %%
#| code-summary: "the table"
#| code-fold: true
counted = next(run for run in stored("14_tables") if run["size"] == 256 and run["kind"] == "pieces")
rivals = {how: sum(counted["test"][how]["bits"]) / sum(counted["test"][how]["bytes"]) for how in ("as it is", "tuned")}
orders = {how: counted["best"][how].split() for how in rivals}
table([{"table of bytes": f"order {orders['as it is'][0]}, Witten and Bell's smoothing", "bits a byte": f"{rivals['as it is']:.3f}"},
       {"table of bytes": f"order {orders['tuned'][0]}, {orders['tuned'][1]} times the weight on shorter contexts", "bits a byte": f"{rivals['tuned']:.3f}"}], name="rivals",
      caption="The rivals: tables of counts of the first nine tenths of each play, bits a byte on the last tenths. The second was tuned on held-out training text.")

# %% [markdown]
# The second table is hard to beat, and it took no gradient. It has one weakness. To it, *my good lord* and *my good lady* have nothing in common but their letters from the left: what it learned behind one says nothing about the other. A network can put both near each other, and can look for what matters wherever it stands.
#
# This chapter builds the network that most of today's language models are, a **transformer**, and lets it bet against the tables. **What can a network do that a table can't?** Write down a guess before you read on. Of the second table's bits, how many per cent will a network save that has less than a million numbers, and learns for half an hour from the same text?

# %% [markdown]
# ## A block
#
# Behind the embedding, each of $T$ tokens is a vector of $d$ numbers. Two things have to happen to it. It must learn of the others: [attention](13_attention.ipynb#several-heads) does that, and hardly anything else, for what it returns is a mean of values. And something must be made of what was learned: a small fully connected network does that, for each position alone.
#
# Both *add* to what is there, as in a [residual network](10_cnn.ipynb#deeper). So a token's vector is never replaced; it runs through the whole network, and each part reads it and writes to it. [Elhage and others (2021)](99_references.ipynb#elhage2021) call it the **residual stream**. What a part reads is first normalized, by a [layer norm](05_layers.ipynb), so that it need not care how large the stream has grown. Attention and the small network together are a **block**:

# %%
#| code-summary: "the drawing"
#| code-fold: true
diagram("x (T, d) -> norm -> attention -> add; x (T, d) -> add; add -> x′ (T, d) -> norm#2 -> MLP -> add#2; x′ (T, d) -> add#2; add#2 -> x″ (T, d)", name="block",
        caption="A block. The residual stream x, T tokens of d numbers, runs past two branches; each reads it, normalized, and adds to it. Positions meet in attention alone.",
        alt="Boxes and arrows from top to bottom: x goes into a norm and attention, whose result is added to x; the sum goes into a second norm and an MLP, whose result is added again.")

# %% include glib: def plain_norm(

# %% [markdown]
# Vaswani and others ([2017](99_references.ipynb#vaswani2017)) had such blocks read a sentence and others write its translation. A language model needs only the second half ([Radford and others, 2019](99_references.ipynb#radford2019)): tokens to vectors, with their positions; a stack of blocks, in which each token looks at itself and those before it; a last norm; and for every token of the vocabulary a **logit**, by how well its vector fits what the stream says now. That is a **GPT**, all of it:

# %% include glib: def plain_gpt(

# %% [markdown]
# At each position it predicts the next token, so one pass over $T$ tokens gives $T$ exercises. This works only if no position sees what it has to predict. Folded is the library: `GPTConfig` holds the sizes and the choices of which this chapter speaks, `GPT` builds the model. Then one is made, untrained, and asked for the next token at each position of a line. **Predict** how many bits it needs for each; and, when *or* becomes *and*, at which positions the logits change.

# %% include glib: nnbook.transformer: GPTConfig ... nnbook.transformer: GPT"

# %%
plays = data.shakespeare()
train_parts, test_parts = plays.train_parts, plays.test_parts
tokenizer = BPETokenizer.train(train_parts.values(), 1024)

config = GPTConfig(1024, context_length=64, n_layers=2, d_model=64)
fresh = GPT(config, rng=0)
ids = tokenizer.encode("To be, or not to be: that")
twisted = np.where(ids == tokenizer.encode(" or"), tokenizer.encode(" and"), ids)
logits, others = plain_gpt(ids, fresh), plain_gpt(twisted, fresh)
nats = cross_entropy(logits[:-1], ids[1:], reduction="none").data
for i in range(len(ids) - 1):
    moved = abs(logits[i] - others[i]).max() > 0
    print(f"{tokenizer.decode(ids[[i]]):>6} -> {tokenizer.decode(ids[[i + 1]]):6}"
          f"{nats[i] / np.log(2):6.2f} bits  {'changed' if moved else ''}")

# %% [markdown]
# An untrained GPT knows nothing: all 1,024 tokens are about equally likely, which costs ten bits. And a later word changes nothing before it. It is worth a test in any model that you build: change a token, and see whether an earlier logit moves. A model that fails it learns to read the answer off the page, and can't write a word.

# %% include glib: the claim that both agree

# %% [markdown]
# ## What is each part for?
#
# ### The first step
#
# A deep sum can grow. If each of $2L$ branches adds something independent, of equal size, the variance grows with $L$, and the size with its root. [Radford and others (2019)](99_references.ipynb#radford2019) start the matrix that ends each branch smaller, by $1/\sqrt{2L}$. Below, GPTs of width 64 that have not learned yet read a text. **Predict** what 64 layers do to the size of the stream, with that factor and without.

# %%
def stream_sizes(n_layers, scaled):
    "Root mean square of the stream behind each block of an untrained GPT."
    c = GPTConfig(1024, context_length=64, n_layers=n_layers, d_model=64)
    model = GPT(c, rng=0)
    for block in model.blocks:
        for last in (block.attention.out_proj, block.mlp.down):
            if not scaled: last.weight.data *= (2 * n_layers) ** 0.5
    with no_grad():
        x = model.positions(model.embedding(some_ids))
        sizes = [x] + [x := block(x) for block in model.blocks]
    return [float((x.data**2).mean() ** 0.5) for x in sizes]

some_ids = tokenizer.encode(test_parts["hamlet"])[:256].reshape(4, 64)

# %%
#| code-summary: "the figure that moves, and the claim"
#| code-fold: true
sizes = {L: {scaled: stream_sizes(L, scaled) for scaled in (False, True)} for L in (2, 4, 8, 16, 32, 64)}

def grown(layers):
    with figure(height=2.9, width=4.8) as ax:
        lines({"all matrices at 0.02": sizes[layers][False], "last ones by depth": sizes[layers][True]}, np.arange(layers + 1), xlabel="behind block", ylabel="size of the stream", ax=ax)
        ax.set(ylim=(0, 0.28))

explore(grown, layers=list(sizes), start={"layers": 16}, name="start",
        alt=lambda layers: f"{layers} layers: with all matrices alike the stream's root mean square rises from {sizes[layers][False][0]:.3f} to {sizes[layers][False][-1]:.3f}; "
                           f"with the last ones scaled by depth to {sizes[layers][True][-1]:.3f}.",
        caption="Root mean square of the residual stream behind each block of untrained GPTs, with all matrices at a standard deviation of 0.02, and with those that end a branch divided by √(2L).")
added = lambda layers: (sizes[layers][False][-1]**2 - sizes[layers][False][0]**2) ** 0.5
claim("without the factor, 32 times as many layers add {:.1f} times as much to the stream of an untrained GPT, and the root of 32 is 5.7", added(64) / added(2), ">", 6.5)

# %% [markdown]
# Without the factor it grows somewhat faster than independent sums would. With it, a deep stack starts where a shallow one does: near the identity, its blocks a small correction. The norms would hide a large stream from the branches that read it. But a branch late in a large stream changes it by little; and how little depends on the depth, so that each depth would want a rate of its own.

# %% [markdown]
# ### Before or behind
#
# In the first transformers the norm stood *behind* the sum, $\operatorname{norm}(x+\operatorname{branch}(x))$: **post-norm**. Today it mostly stands before the branch: **pre-norm**, as above. Then nothing stands in the stream's way, and the gradient reaches the first layer through additions alone. Post-norm has the reputation of needing a warm-up. [Xiong and others (2020)](99_references.ipynb#xiong2020) gave a reason: at the start, the gradient in the *last* layers is large and independent of depth with post-norm, and falls as $1/\sqrt L$ with pre-norm. They start matrices by [Glorot's rule](05_layers.ipynb); a GPT starts them at 0.02. **Predict** whether their result holds for both.

# %%
def last_gradient(n_layers, position, start, seed):
    "Norm of the gradient of the last block's last matrix, before learning."
    model = GPT(GPTConfig(1024, 64, n_layers, 2, 32, norm_position=position), rng=seed)
    rng = stream(seed, "Glorot")
    for weight in model.blocks.parameters():
        if start == "Glorot" and weight.ndim == 2: xavier_uniform_(weight, rng=rng)
    cross_entropy(model(some_ids[:, :-1]), some_ids[:, 1:]).backward()
    return np.linalg.norm(model.blocks[n_layers - 1].mlp.down.weight.grad)

# %%
#| code-summary: "the figure"
#| code-fold: true
depths, names = (2, 4, 8, 16, 32), {"pre": "norm before the branch", "post": "norm behind the sum"}
slopes = {start: {position: np.array([[last_gradient(L, position, start, seed) for L in depths] for seed in range(3)]) for position in names} for start in ("Glorot", "GPT")}
with figure(2, height=2.8, width=6.6, sharey=True, name="last-gradient", caption="Norm of the gradient of the last block's last matrix, before learning, over the number of layers: width 32, means and ranges of three seeds. Left: all matrices of the blocks by Glorot's rule. Right: at 0.02, those that end a branch smaller by depth.",
            alt="Two panels on logarithmic axes. By Glorot's rule the curve of pre-norm falls with depth and that of post-norm stays level above it. From a GPT's start the order is reversed: post-norm lies far below.") as axes:
    for ax, (start, by_place) in zip(axes, slopes.items()):
        lines({names[p]: g.mean(axis=0) for p, g in by_place.items()}, depths, band={names[p]: (g.min(axis=0), g.max(axis=0)) for p, g in by_place.items()}, logx=True, logy=True,
              xlabel="layers", ylabel="norm of the gradient" if start == "Glorot" else "", title="Glorot's rule" if start == "Glorot" else "a GPT's start", ax=ax)
        ax.set_xticks(depths, depths), ax.minorticks_off()

# %% [markdown]
# By Glorot's rule it is as they say: with depth one curve falls, the other does not. From a GPT's start the order is reversed, and the last gradient of post-norm is the smaller one. So "post-norm has large gradients" is a fact about a norm *and* a start. The scale of the gradient also matters less to [Adam](06_optim.ipynb), which divides by it, than to descent without it. What remains of the difference when every arm gets its best rate is a question for an experiment with training, which this page does not have yet.

# %% [markdown]
# ### Queries and keys
#
# Nothing keeps the scores $\mathbf q\cdot\mathbf k/\sqrt{d_h}$ of a head from growing while it learns. Where they are large, the [softmax is saturated](13_attention.ipynb#scaled-dot-product-attention), and a head that looks at one place only gets no gradient to look elsewhere. [Henry and others (2020)](99_references.ipynb#henry2020) normalize queries and keys as well: `qk_norm=True` divides each by its root mean square. Then no score exceeds $\sqrt{d_h}$, times two learned gains.

# %% [markdown]
# ### The network between
#
# Most of a GPT's numbers are in its MLPs: up to $4d$ units, a nonlinearity, down again. Three are in use. [GELU](02_activations.ipynb) (GPT-2) lets small negative sums through. ReLU² squares what a ReLU lets through ([So and others, 2021](99_references.ipynb#so2021), found it by search). **SwiGLU** multiplies two projections, one of them through a SiLU ([Shazeer, 2020](99_references.ipynb#shazeer2020)):
#
# $$
# \operatorname{SwiGLU}(\mathbf x)=W_\text{down}\bigl(\operatorname{silu}(W_\text{gate}\mathbf x)\odot W_\text{up}\mathbf x\bigr).
# $$
#
# It has three matrices instead of two. To compare at equal parameters, each must be narrower: $\tfrac83 d$, which is two thirds of $4d$. Shazeer offers no explanation for why it works, and attributes its success "to divine benevolence".

# %% [markdown]
# ### One table, two uses
#
# The first matrix turns a token into a vector; the last compares a vector with every token. Both have a row of $d$ numbers for each token, and one table can serve for both: **weight tying** ([Press and Wolf, 2017](99_references.ipynb#press2017)). In a small model it saves much. How much, [a table below](#tbl-sizes) says.

# %% [markdown]
# ## What it costs
#
# Count a block by its matrices. Attention has four of $d\times d$, the MLP two of $d\times4d$: $12d^2$ together, beside which biases and norms hardly matter. A stack of $L$ blocks and a table of $V$ rows have
#
# <a id="eq-parameters"></a>
# $$
# N\approx12Ld^2+Vd .
# $$
#
# For each token, forward, each number of a matrix is multiplied once and added once: two operations. The way back takes twice as many, for the gradient of the inputs and that of the weights. And attention compares each token with $T$ others and takes their mean, $4dT$ operations a layer, three times over with the way back. A training step therefore costs, for each token,
#
# <a id="eq-flops"></a>
# $$
# C=6N+12LdT
# $$
#
# floating-point operations ([Kaplan and others, 2020](99_references.ipynb#kaplan2020); [Chowdhery and others, 2022](99_references.ipynb#chowdhery2022)). **Predict** which of the two terms is larger for GPT-2 with its 1,024 tokens of context.

# %% include glib: nnbook.transformer: n_parameters, flops_per_token

# %%
#| code-summary: "the table, and the claim"
#| code-fold: true
sorts = {"this page's small GPT": config, "the one that bets": GPTConfig(2256, d_model=112, positions="rope", qk_norm=True, bias=False), "GPT-2, the smallest": GPTConfig(50257, 1024, 12, 12, 768), "GPT-2, the largest": GPTConfig(50257, 1024, 48, 25, 1600)}
table([{"model": name, "parameters": f"{n_parameters(c):,}", "in the table": f"{c.vocab_size * c.d_model / n_parameters(c):.0%}", "operations a token": f"{flops_per_token(c):.3g}",
        "of these for comparing tokens": f"{12 * c.n_layers * c.d_model * c.context_length / flops_per_token(c):.0%}"} for name, c in sorts.items()], name="sizes",
      caption="Parameters and operations of one training step, a token, by formula.")

def counted_flops(c, rows=2):
    "Operations of the products of one forward and backward pass of the twin, as PyTorch counts them, a token."
    model, tokens = twins.GPT(twins.GPTConfig(**vars(c)), rng=0), torch.zeros(rows, c.context_length, dtype=torch.long)
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter: model(tokens).sum().backward()
    return counter.get_total_flops() / tokens.numel()

tried = [config, GPTConfig(300, 32, 3, 4, 48, n_kv_heads=2, mlp="swiglu", norm="rms", positions="rope", bias=False, tied=False)]
assert all(n_parameters(c) == sum(p.data.size for p in GPT(c, rng=0).parameters()) for c in [*tried, *(GPTConfig(**{**vars(config), "mlp": mlp}) for mlp in ("relu2", "swiglu"))])
claim("PyTorch's own count of the operations of two models differs from the formula by {:.2%} at most", max(abs(counted_flops(c) / flops_per_token(c) - 1) for c in tried), "<", 0.001)

# %% [markdown]
# For the smallest GPT-2 the formula gives the 124 million by which it is known; the 117 of its paper were an error, which its authors corrected later. Most of the work is in the matrices. With a context some times as long, that changes: one term does not depend on $T$, the other grows with it.

# %% [markdown]
# ### One node in place of many
#
# The formula counts products. Between them, a block has norms, a nonlinearity, sums: each reads and writes arrays as large as the stream, and a tape keeps them for the way back. Written operator by operator, a GELU alone is half a dozen passes over $4d$ numbers a token. `GPT` runs on **fused** nodes, of which each does in one pass what several would: a norm folded into the weights that follow it, GELU together with its slope, a residual sum inside a product. With `plain=True` it runs the lines of the chapters instead.

# %%
#| code-summary: "what is recorded and kept, the table"
#| code-fold: true
def recorded(plain, size=16, length=64):
    "Nodes on the tape of one batch's loss, and the numbers kept for the way back, a token."
    x = np.arange(size * length).reshape(size, length) % 1024
    fresh(x, plain=plain)                                          # tables that are made once are not counted
    tracemalloc.start()
    loss = cross_entropy(fresh(x, plain=plain), x)
    kept = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return len(_tape(loss)[0]), kept / 4 / x.size

fused = {name: recorded(plain) for name, plain in (("the chapters' lines", True), ("fused nodes", False))}
table([{"forward pass": name, "nodes on the tape": nodes, "numbers kept a token": f"{kept:,.0f}"} for name, (nodes, kept) in fused.items()], name="fused",
      caption="One batch of 16 windows of 64 tokens through two blocks of width 64 and the loss: what is recorded, and kept for the way back.")

# %% [markdown]
# How the nodes are made stands in [the appendix on kernels](92_kernels.ipynb#the-rest-of-a-transformer), and how much time they save, beside PyTorch, in the repository's `bench/gpt.py`.

# %% [markdown]
# ## Training
#
# A batch is windows from anywhere in the text; the target at each position is the token one further on. Everything else is known: [cross-entropy](03_losses.ipynb), [AdamW](06_optim.ipynb), a rate that rises and falls, gradients clipped.

# %%
text_ids = np.concatenate([tokenizer.encode(t) for t in train_parts.values()])

def windows(ids, size, length, rng):
    "Inputs and targets, (size, length) each."
    starts = rng.integers(0, len(ids) - length, (size, 1))
    rows = ids[starts + np.arange(length + 1)]
    return rows[:, :-1], rows[:, 1:]

def learn(model, ids, steps, lr, watch, seed=0):
    optimizer = AdamW(model.parameters(), lr, weight_decay=0.1)
    rng = stream(seed, "windows")
    for step in range(1, steps + 1):
        rise, fall = step / 40, 1.1 * (1 - step / (steps + 1))
        optimizer.param_groups[0]["lr"] = lr * min(1, rise, fall)
        x, y = windows(ids, 16, model.config.context_length, rng)
        loss = cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        watch(step, model)

# %% include glib: nnbook.transformer: generate, bits_per_byte

# %% [markdown]
# The small GPT from above, two layers and 170 thousand numbers, gets 400 steps of 1,024 tokens on the book's own engine. **Predict**: will that do against the tables?

# %%
seen = {}

def look(step, model):
    if step in (1, 25, 50, 100, 200, 300, 400):
        bits = bits_per_byte(model, tokenizer, exam)
        text = generate(model, tokenizer.encode("HAMLET.\n"), 40, 0.8, rng=1)
        seen[step] = bits, tokenizer.decode(text)

exam = {title: text[:3000] for title, text in test_parts.items()}
small = GPT(config, rng=0)
learn(small, text_ids, 400, 0.003, look)

# %%
#| code-summary: "the figure, and what it wrote"
#| code-fold: true
with figure(height=2.8, width=5.4, name="small", caption=f"Bits a byte on the first 3,000 bytes of each play's last tenth, while a GPT of {n_parameters(config):,} parameters learns in {config.n_layers} layers; the scale of steps is logarithmic. Lines: the two tables, on the whole last tenths.",
            alt="A curve that falls from above four bits to under three over 400 steps; both tables lie below its end.") as ax:
    lines({"small GPT": [bits for bits, _ in seen.values()]}, list(seen), logx=True, xlabel="step", ylabel="bits a byte", styles={"small GPT": ".-"}, ax=ax)
    for how, style in (("as it is", "--"), ("tuned", ":")): ax.axhline(rivals[how], color=INK, linestyle=style, linewidth=1, label=f"table, {how}")
    ax.legend()
for step in (25, 100, 400):
    print(f"--- step {step}: {seen[step][0]:.2f} bits a byte")
    for line in seen[step][1].split("\n"): print(textwrap.fill(line, 62))

# %% [markdown]
# It will not. In its first steps it learns which tokens are frequent, then which follow each other, then something of the form of a play; by then its time is over. To count is a faster way to learn what a count can say: the table needs one look at each byte, and gradient descent needs many.

# %% include file: LONG

# %% [markdown]
# ## Three families
#
# A block does not know what it is used for; its mask decides. Under a causal mask it makes a **decoder**, as above, that writes. Without one, each position sees all others. That is an **encoder**: it can't write, but it can fill in a word that was hidden, from both sides; BERT was trained so ([Devlin and others, 2019](99_references.ipynb#devlin2019)), with 15 of 100 words to be guessed. Joined they are the first transformer, the **encoder–decoder**: the encoder reads the source both ways, the decoder writes, and in each of its blocks a second attention, **cross-attention**, takes its queries from the target and keys and values from the source.
#
# `MaskedEncoder` and `EncoderDecoder` are folded. The figure does not draw their masks; it measures them, from outside. One token is changed after the other, and marked is which logits move.

# %% include glib: nnbook.transformer: MaskedEncoder, EncoderDecoder

# %%
def influence(logits_of, length):
    "(positions, length): whether the logits move when a token does."
    ids = np.zeros((1, length), int)
    before, moved = logits_of(ids), []
    for j in range(length):
        changed = ids.copy()
        changed[0, j] = 1
        gap = abs(logits_of(changed) - before)[0]      # (positions, V)
        moved.append(gap.max(axis=1) > 0)
    return np.array(moved).T

# %%
#| code-summary: "the figure"
#| code-fold: true
tiny, words8 = GPTConfig(5, context_length=8, n_layers=2, n_heads=2, d_model=8, positions="rope"), np.zeros((1, 8), int)
both_halves = EncoderDecoder(5, 5, 8, 2, 2, rng=0)
families = {"decoder": (GPT(tiny, rng=0), "token"), "encoder": (MaskedEncoder(tiny, rng=0), "token"),
            "encoder–decoder,\nsource": (lambda x: both_halves(x, words8), "source token"), "encoder–decoder,\ntarget": (lambda x: both_halves(words8, x), "target token")}
with figure(4, height=2.3, width=7.2, name="families", caption="Which logits (rows) move when one token is changed (columns), in three untrained models: a GPT, a MaskedEncoder, and an EncoderDecoder, whose logits depend on two sequences.",
            alt="Four squares. Decoder: the lower triangle with the diagonal is filled. Encoder: all is filled. Encoder–decoder, source: all is filled; target: the lower triangle is.") as axes:
    for ax, (name, (model, what)) in zip(axes, families.items()):
        heatmap(influence(lambda x: model(x).data, 8).astype(float), title=name, xlabel=what, ylabel="logits" if name == "decoder" else "", ax=ax)

# %% [markdown]
# The two panels on the right tell what the third family is for: of the source everything may be known, of the target only what is written. Large models of language are decoders nearly all, since a source can stand in front of the target, in the same sequence. Where the input is whole, as in search or speech, encoders are at home.

# %% [markdown]
# ## The same in PyTorch
#
# The twins have the same arguments, names and numbers, and run under `torch.compile`, in bfloat16 and on a GPU.

# %% include glib: nnbook.torch.transformer: imports ... each class with its twin

# %%
from nnbook.torch.twins import assert_twins

sizes_of_it = {"context_length": 64, "n_layers": 2, "d_model": 64}
newer = {"norm": "rms", "qk_norm": True, "positions": "rope", "mlp": "swiglu"}
for choices in (sizes_of_it, sizes_of_it | newer):
    here = built.GPT(built.GPTConfig(1024, **choices), rng=0)
    there = twins.GPT(twins.GPTConfig(1024, **choices), rng=0)
    errors = assert_twins(here, there, some_ids)
    print(f"{len(errors)} quantities, error at most {max(errors.values()):.0e}")

# %% include gpu: ALL

# %% [markdown]
# ## Recap
#
# - A transformer is a stack of blocks around a residual stream. Attention lets positions learn of each other, an MLP works on each alone, and both add to the stream, which they read normalized.
# - In a GPT each position sees itself and what came before, and so one pass gives as many exercises as there are tokens. Whether it is so can be tested from outside.
# - At the start, what the branches add is kept small by depth. Where the norm stands decides how large gradients are, together with the start; neither alone.
# - A training step costs $6N+12LdT$ operations a token, of which only the products count; what lies between them costs memory and passes, which fused nodes save.
# - In a thousand steps a GPT does not reach the best table of counts; in some thousands, many times through the text, it passes it in every play. After a thousand steps, what it reads, characters or pieces, made more difference than whether it was a GPT or an LSTM.

# %% [markdown]
# ## Exercises

# %% include file: 15_exercises

# %% [markdown]
# ## Further reading
#
# - [Vaswani and others (2017)](99_references.ipynb#vaswani2017), and [Radford and others (2019)](99_references.ipynb#radford2019), section 2.3, for what changed since.
# - [Elhage and others (2021)](99_references.ipynb#elhage2021): the residual stream as a channel that parts write to and read from, worked out for one and two layers.
# - [Xiong and others (2020)](99_references.ipynb#xiong2020) on where the norm stands, with the derivation.
# - [Kaplan and others (2020)](99_references.ipynb#kaplan2020), section 2 and appendix B: parameters and operations counted.

# %% include file: 15_checkers
