# %% [markdown]
# Three cells for a GPU: a character model of ten million numbers, trained on the plays; how many tokens a second a model of GPT-2's smallest size learns from, and what share of the card that is; and grokking.

# %% jupyter={"source_hidden": true}
#| code-summary: "on a GPU: ten million numbers learn the plays, character by character"
#| code-fold: true
#| cuda
import math
import os
import time

import numpy as np
import torch
import torch.nn.functional as F

from nnbook.data import shakespeare
from nnbook.plots import table
from nnbook.rnn import Vocabulary
from nnbook.torch.transformer import GPT, GPTConfig, bits_per_byte, generate

device = os.environ.get("NNBOOK_GPU", "cuda")            # or "cpu", for a rehearsal in small
size = {"cuda": dict(layers=6, heads=6, d=384, length=256, batch=64, steps=1800, looks=6, test=None, sample=300, backend="inductor"),
        "cpu": dict(layers=2, heads=2, d=16, length=16, batch=4, steps=8, looks=2, test=200, sample=9, backend="eager")}[device]
plays = shakespeare()
known = Vocabulary(plays.text)
text = torch.tensor(np.concatenate([known.encode(part) for part in plays.train_parts.values()]), device=device)
test = {title: part[: size["test"]] for title, part in plays.test_parts.items()}
seen = {title: part[: len(test[title])] for title, part in plays.train_parts.items()}          # as long, but learned from
config = GPTConfig(len(known), size["length"], size["layers"], size["heads"], size["d"], bias=False, dropout=0.2)
torch.manual_seed(0)
model = GPT(config, rng=0).to(device)
matrices, others = ([p for p in model.parameters() if (p.dim() > 1) == many] for many in (True, False))
optimizer = torch.optim.AdamW([{"params": matrices, "weight_decay": 0.1}, {"params": others, "weight_decay": 0.0}], 1e-3,
                              betas=(0.9, 0.99), fused=True)
loss_of = torch.compile(lambda logits, y: F.cross_entropy(logits.flatten(0, 1), y.flatten()), backend=size["backend"])
for block in model.blocks: block.compile(backend=size["backend"])              # one block's code serves all of them
rng, offsets = torch.Generator(device).manual_seed(0), torch.arange(size["length"] + 1, device=device)

def train(step):
    "One step; the rate rises for a twentieth of the steps and falls along a cosine to a tenth."
    done, warm = step / size["steps"], 0.05
    share = done / warm if done < warm else 0.55 + 0.45 * math.cos(math.pi * (done - warm) / (1 - warm))
    for group in optimizer.param_groups: group["lr"] = 1e-3 * share
    starts = torch.randint(len(text) - size["length"], (size["batch"], 1), generator=rng, device=device)
    rows = text[starts + offsets]                        # (B, T + 1)
    with torch.autocast(device, torch.bfloat16): loss = loss_of(model(rows[:, :-1]), rows[:, 1:])
    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()

reader = GPT(config, device="meta")                      # the same weights, uncompiled, to measure and to write
reader.load_state_dict(model.state_dict(), assign=True)
train(0)                                                 # compiles
begin, spent, rows = time.perf_counter(), 0.0, []
for step in range(1, size["steps"] + 1):
    train(step)
    if step % (size["steps"] // size["looks"]) == 0:
        if device == "cuda": torch.cuda.synchronize()
        spent += time.perf_counter() - begin
        unseen, learned = (bits_per_byte(reader, known, texts) for texts in (test, seen))
        rows.append({"steps": step, "times through the text": f"{step * size['batch'] * size['length'] / len(text):.1f}", "seconds of training": f"{spent:.1f}",
                     "bits a byte, unseen": f"{unseen:.3f}", "nats a character, unseen": f"{unseen * math.log(2):.4f}", "bits a byte, learned from": f"{learned:.3f}"})
        begin = time.perf_counter()
count = sum(p.numel() for p in model.parameters())
table(rows, name="ten-million",
      caption=f"A GPT of {count:,} parameters ({size['layers']} layers, {size['heads']} heads, width {size['d']}, context {size['length']}) learns the first "
              f"nine tenths of eight plays in bfloat16, {size['batch']} rows a step, and is measured on their last tenths and on as much of what it learned "
              "from. A character is a byte here. nanoGPT's model of this size reaches 1.4697 nats a character in about three minutes of an A100, on "
              "another text (lines of many plays, split once): the numbers are beside each other, not comparable.")
print(known.decode(generate(reader, known.encode("\nHAMLET"), size["sample"], 0.8, rng=0)))

# %% jupyter={"source_hidden": true}
#| code-summary: "on a GPU: tokens a second, and what share of the card that is"
#| code-fold: true
#| cuda
import os
import time
from statistics import median

import torch
import torch.nn.functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel

from nnbook.plots import table
from nnbook.torch.transformer import GPT, GPTConfig
from nnbook.transformer import flops_per_token, n_parameters

device = os.environ.get("NNBOOK_GPU", "cuda")            # or "cpu", for a rehearsal in small
size = {"cuda": dict(vocab=50304, length=1024, layers=12, heads=12, d=768, batch=32, steps=5, square=8192, backend="inductor"),
        "cpu": dict(vocab=65, length=16, layers=2, heads=2, d=16, batch=2, steps=2, square=64, backend="eager")}[device]
PEAKS = {"B200": 2250, "H200": 989.4, "H100 PCIe": 756, "H100 NVL": 835, "H100": 989.4, "A100": 312, "L40S": 362, "L4": 121,
         "RTX 4090": 165.2}                              # TFLOP/s, bfloat16, dense, from the data sheets; the first that fits
card = torch.cuda.get_device_name() if device == "cuda" else "a processor"
peak = next((rate for name, rate in PEAKS.items() if name in card), None)
wait = torch.cuda.synchronize if device == "cuda" else lambda: None
config = GPTConfig(size["vocab"], size["length"], size["layers"], size["heads"], size["d"], bias=False)
work = flops_per_token(config)
tokens = torch.randint(size["vocab"], (size["batch"], size["length"] + 1), generator=torch.Generator().manual_seed(0)).to(device)
x, y = tokens[:, :-1].contiguous(), tokens[:, 1:].contiguous()
BEST = [SDPBackend.CUDNN_ATTENTION, SDPBackend.FLASH_ATTENTION, SDPBackend.EFFICIENT_ATTENTION, SDPBackend.MATH]

def fresh():
    "An untrained model, made on the device; its head is the embedding."
    torch.manual_seed(0)
    model = GPT(config, device="meta").to_empty(device=device)
    model.head.weight = model.embedding.weight
    for p in model.parameters():
        torch.nn.init.normal_(p, std=0.02) if p.dim() > 1 else torch.nn.init.ones_(p)
    return model

def cross_entropy(logits, y): return F.cross_entropy(logits.flatten(0, 1), y.flatten())

def measure(half, tf32, compiled):
    "Tokens a second, peak memory in GB, first and last loss: the same tokens at each step."
    torch.backends.cuda.matmul.allow_tf32 = tf32
    model, loss_of = fresh(), cross_entropy
    if compiled:
        for block in model.blocks: block.compile(backend=size["backend"])
        loss_of = torch.compile(cross_entropy, backend=size["backend"])
    optimizer, losses, seconds = torch.optim.AdamW(model.parameters(), 3e-4, fused=True), [], []
    if device == "cuda": torch.cuda.reset_peak_memory_stats()
    for _ in range(size["steps"] + 2):                   # the first two compile and warm up
        wait()
        begin = time.perf_counter()
        with torch.autocast(device, torch.bfloat16, enabled=half): loss = loss_of(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        wait()
        seconds.append(time.perf_counter() - begin)
        losses.append(float(loss.detach()))
    memory = torch.cuda.max_memory_allocated() / 1e9 if device == "cuda" else 0
    return x.numel() / median(seconds[2:]), memory, losses[0], losses[-1]

def product_rate():
    "TFLOP/s of a product of two large square matrices in bfloat16."
    n = size["square"]
    a, rounds = torch.randn(n, n, device=device, dtype=torch.bfloat16), []
    for _ in range(12):
        wait()
        begin = time.perf_counter()
        a @ a
        wait()
        rounds.append(time.perf_counter() - begin)
    return 2 * n**3 / median(rounds[2:]) / 1e12

def tried(how):
    "Measured with the fastest attention that works here."
    for backends in (BEST, BEST[1:]):
        try:
            with sdpa_kernel(backends, set_priority=True): return measure(*how)
        except torch.OutOfMemoryError: return None
        except RuntimeError as error:
            if backends is not BEST: raise
            print(f"without cuDNN's attention: {str(error).splitlines()[0]}")

rows = []
for name, how in {"float32": (False, False, False), "products in TF32": (False, True, False), "bfloat16": (True, True, False),
                  "bfloat16, compiled": (True, True, True)}.items():
    found = tried(how)
    if found is None:
        rows.append({"how": name, "tokens a second": "memory ends"})
        continue
    speed, memory, first, last = found
    rows.append({"how": name, "tokens a second": f"{speed:,.0f}", "TFLOP/s": f"{speed * work / 1e12:.3g}", "of the peak": f"{speed * work / 1e12 / peak:.1%}" if peak else "",
                 "memory, GB": f"{memory:.1f}", "loss": f"{first:.2f} to {last:.2f}"})
rate = product_rate()
table(rows, name="utilization",
      caption=f"Steps of training on {card}: a GPT of {n_parameters(config):,} parameters, {size['batch']} rows of {size['length']:,} tokens, AdamW; medians of "
              f"{size['steps']} steps. Counted are {work:.3g} operations a token, of which a causal mask spares some. "
              + (f"The peak is the data sheet's {peak:,g} TFLOP/s in bfloat16, in float32 and TF32, too; " if peak else "")
              + f"one product of two matrices of {size['square']:,} × {size['square']:,} in bfloat16 ran at {rate:.3g}.")

# %% jupyter={"source_hidden": true}
#| code-summary: "on a GPU: grokking"
#| code-fold: true
#| cuda
import os
import time

import numpy as np
import torch
import torch.nn.functional as F

from nnbook.plots import figure, lines, table
from nnbook.streams import stream
from nnbook.torch.transformer import GPT, GPTConfig

device = os.environ.get("NNBOOK_GPU", "cuda")            # or "cpu", for a rehearsal in small
size = {"cuda": dict(p=97, d=128, batch=512, steps=15_000, look=250, seconds=11), "cpu": dict(p=7, d=16, batch=16, steps=40, look=10, seconds=11)}[device]
p, batch = size["p"], size["batch"]
a, c = (grid.ravel() for grid in np.meshgrid(np.arange(p), np.arange(1, p), indexing="ij"))       # a / c = b where a = b c
b = a * np.array([pow(int(k), -1, p) for k in range(1, p)])[c - 1] % p
order = stream(0, "division").permutation(len(a))
rows = torch.tensor(np.stack([a, np.full_like(a, p), c, np.full_like(a, p + 1), b], axis=1)[order], device=device)   # a ÷ c = b
train, test = rows[: len(rows) // 2], rows[len(rows) // 2 :]

def accuracy(model, rows):
    with torch.no_grad(): return float((model(rows[:, :4])[:, -1].argmax(-1) == rows[:, 4]).float().mean())

def learn(weight_decay):
    "Steps, and the share that is right of pairs that were learned and of those that never were."
    torch.manual_seed(0)
    model = GPT(GPTConfig(p + 2, 4, 2, 4, size["d"]), rng=0).to(device)
    optimizer = torch.optim.AdamW(model.parameters(), 1e-3, betas=(0.9, 0.98), weight_decay=weight_decay, fused=True, capturable=device == "cuda")
    now, rng = train[:batch].clone(), torch.Generator(device).manual_seed(0)
    def step():
        optimizer.zero_grad(set_to_none=False)
        F.cross_entropy(model(now[:, :4])[:, -1], now[:, 4]).backward()
        optimizer.step()
    step = recorded(step) if device == "cuda" else step
    curve, begin = [], time.perf_counter()
    for i in range(1, size["steps"] + 1):
        now.copy_(train[torch.randint(len(train), (batch,), generator=rng, device=device)])
        step()
        if i % size["look"] == 0:
            curve.append((i, accuracy(model, train), accuracy(model, test)))
            if time.perf_counter() - begin > size["seconds"]: break
    return np.array(curve).T

def recorded(step):
    "The step as one CUDA graph: its hundreds of small kernels are launched at once."
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(3): step()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph): step()
    return graph.replay

runs = {"weight decay 1": learn(1.0), "no weight decay": learn(0.0)}
with figure(2, height=2.6, sharey=True, name="grokking",
            caption=f"Division modulo {p}: a GPT of two layers learns a ÷ c for half of all {len(rows):,} pairs, {batch} a step. The share of right answers for "
                    "the pairs that it learns from, and for the others.",
            alt="Two panels, with and without weight decay, of two curves over the steps: right answers for pairs that were learned and for pairs that were not.") as axes:
    for ax, (title, (steps, learned, others)) in zip(axes, runs.items()):
        lines({"learned": learned, "others": others}, steps, ax=ax, logx=True, title=title, xlabel="step", ylabel="right" if ax is axes[0] else "")
first = lambda steps, share: f"{steps[share >= 0.99][0]:,.0f}" if (share >= 0.99).any() else f"not in {steps[-1]:,.0f}"
table([{"run": title, "99% of the learned right after": first(steps, learned), "of the others": first(steps, others), "others at the end": f"{others[-1]:.1%}"}
       for title, (steps, learned, others) in runs.items()], name="grokking-steps", caption=f"The same in steps, looked at each {size['look']}.")
