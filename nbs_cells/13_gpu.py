# %% [markdown]
# The scores of one head are T² numbers. `F.scaled_dot_product_attention` need not keep them: it chooses among backends, of which one, `MATH`, writes them out, and the others work block by block. How near do they come to what the card does in a plain matrix product? The number of tokens is the same in each row, so that the work grows with the length. Counted by the causal convention: the two products cost $4BhT^2d$ operations, of which the mask needs half; backward counts two and a half times as much, with the scores computed again, also for a backend that keeps them.

# %%
#| code-summary: "on a GPU: one attention, four backends"
#| code-fold: true
#| cuda
import os
import time
from statistics import median

import torch
import torch.nn.functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel

from nnbook.plots import table

device = os.environ.get("NNBOOK_GPU", "cuda")            # or "cpu", for a rehearsal in small
size = {"cuda": dict(tokens=16_384, heads=16, d=128, lengths=[1024, 2048, 4096, 8192, 16_384], square=8192, round=0.02),
        "cpu": dict(tokens=256, heads=2, d=16, lengths=[64, 128, 256], square=64, round=0.0005)}[device]
tokens, heads, d = size["tokens"], size["heads"], size["d"]
BACKENDS = {"FlashAttention": "FLASH_ATTENTION", "cuDNN": "CUDNN_ATTENTION", "memory-efficient": "EFFICIENT_ATTENTION",
            "written out": "MATH"}
wait = torch.cuda.synchronize if device == "cuda" else lambda: None

def normals(*shape, grad=False):
    return torch.randn(*shape, generator=rng, device=device).bfloat16().requires_grad_(grad)

def seconds(call):
    "Of one call: the median of five rounds."
    call()                                               # warm up: choose a kernel, compile it
    wait()
    begin = time.perf_counter()
    call()
    wait()
    calls, rounds = max(1, round(size["round"] / (time.perf_counter() - begin))), []
    for _ in range(5):
        begin = time.perf_counter()
        for _ in range(calls):
            call()
        wait()                                           # until the device is done
        rounds.append((time.perf_counter() - begin) / calls)
    return median(rounds)

def product_rate():
    "TFLOP/s of a product of two square matrices."
    a, b = normals(2, size["square"], size["square"])
    return 2 * size["square"] ** 3 / seconds(lambda: a @ b) / 1e12

def attention(q, k, v, above=None):
    "Causal attention (B, h, T, d), or with `above`, the gradient by its output, the three gradients."
    with torch.set_grad_enabled(above is not None):
        out = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return out if above is None else torch.autograd.grad(out, (q, k, v), above)

def under(backend, work):
    "What `work` returns with one backend allowed; in place of it, a word if memory ends or the backend refuses."
    try:
        with sdpa_kernel(getattr(SDPBackend, backend)):
            return work()
    except torch.OutOfMemoryError:
        return "memory ends"
    except RuntimeError as error:
        if type(error) is not RuntimeError:              # a fault of the device is none of the backend's
            raise
        refused.setdefault(backend, str(error).splitlines()[0])
        return "not here"

rng, refused, rows = torch.Generator(device).manual_seed(0), {}, []
before = product_rate()
for backward in (False, True):
    for T in size["lengths"]:
        q, k, v = (normals(tokens // T, heads, T, d, grad=backward) for _ in range(3))
        above = normals(*q.shape) if backward else None
        flop = 4 * len(q) * heads * T**2 * d / 2 * (3.5 if backward else 1)      # half of 4 B h T² d; backward 2.5 times that
        work = lambda: f"{flop / seconds(lambda: attention(q, k, v, above)) / 1e12:.3g}"
        speed = {name: under(backend, work) for name, backend in BACKENDS.items()}
        rows.append({"pass": "forward and backward" if backward else "forward", "length": T, **speed})
after = product_rate()
q, k, v = normals(3, 1, heads, size["lengths"][0], d)
right = under("MATH", lambda: attention(q.float(), k.float(), v.float()))
outputs = [under(backend, lambda: attention(q, k, v)) for backend in BACKENDS.values()]
error = max(float((out.float() - right).norm() / right.norm()) for out in outputs if torch.is_tensor(out))
for backend, reason in refused.items():
    print(f"{backend} is not here: {reason}")
table(rows, name="backends",
      caption=f"Causal attention in bfloat16, {heads} heads of width {d}, {tokens:,} tokens a row: TFLOP/s, medians of five rounds. "
              "Counted are half of the 4BhT²d operations of the two products, since the mask needs no more, and 2.5 times as many "
              f"backward. A product of two matrices of {size['square']:,} × {size['square']:,} ran at {before:.3g} before and at "
              f"{after:.3g} after. The outputs are within {error:.2%} of float32's.")

# %% [markdown]
# On a GPU, 16 heads of width 128 in bfloat16: at which length does attention in three lines (a product, a softmax, a product) come to the end of the card's memory?

# %%
#| code-summary: "on a GPU: three lines, until memory ends"
#| code-fold: true
#| cuda
import os

import torch
import torch.nn.functional as F

from nnbook.plots import table

device = os.environ.get("NNBOOK_GPU", "cuda")            # or "cpu", for a rehearsal in small, where no memory is measured
size = {"cuda": dict(heads=16, d=128, lengths=[1024 << i for i in range(8)]),       # to 131,072
        "cpu": dict(heads=2, d=16, lengths=[32, 64, 128])}[device]
heads, d = size["heads"], size["d"]

def three_lines(q, k, v):
    "Attention with all its scores in memory, without a mask: (h, T, d) -> (h, T, d)."
    scores = (q * d**-0.5) @ k.mT                        # (h, T, T)
    weights = scores.softmax(dim=-1)                     # (h, T, T)
    return weights @ v

def peak(work, *qkv):
    "The output, and how many bytes the work takes at most beyond its inputs; (None, 0) where memory ends."
    if device == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
    there = torch.cuda.memory_allocated()
    try:
        out = work(*qkv)
        return out, torch.cuda.max_memory_allocated() - there
    except torch.OutOfMemoryError:
        return None, 0

def fused(q, k, v):
    return F.scaled_dot_product_attention(q[None], k[None], v[None])[0]

def normals(T):
    return torch.randn(3, heads, T, d, generator=rng, device=device).bfloat16()

def row(T):
    "One length, computed both ways."
    q, k, v = normals(T)
    (plain, large), (short, small) = peak(three_lines, q, k, v), peak(fused, q, k, v)
    gib = lambda n: f"{n / 2**30:.3f}"
    return {"length": f"{T:,}", "three lines, GiB": "memory ends" if plain is None else gib(large),
            "two (h, T, T) arrays, GiB": gib(2 * heads * T**2 * 2), "fused, GiB": "memory ends" if short is None else gib(small),
            "apart by": "" if plain is None or short is None else f"{float((plain - short).float().norm() / short.float().norm()):.2%}"}

rng = torch.Generator(device).manual_seed(0)
with torch.no_grad():
    three_lines(*normals(64)), fused(*normals(64))       # the libraries set their own memory aside before it is measured
    rows = [row(T) for T in size["lengths"]]
total = torch.cuda.get_device_properties(0).total_memory if device == "cuda" else 0
table(rows, name="memory",
      caption=f"Memory beyond the inputs, forward, {heads} heads of width {d} in bfloat16, on a card of {total / 2**30:.0f} GiB. "
              "Fused: torch's F.scaled_dot_product_attention with the backend of its choice.")
