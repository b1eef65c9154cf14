# %%
#| code-summary: "one LSTM three ways on a GPU"
#| code-fold: true
#| cuda
import os
import time

import torch
import torch.nn.functional as F

from nnbook.claims import claim
from nnbook.plots import table
from nnbook.torch.rnn import CharLM

device = os.environ.get("NNBOOK_GPU", "cuda")            # or "cpu", for a rehearsal in small
size = {"cuda": dict(hidden=1024, embedding=64, batch=128, length=128, steps=20, backend="inductor"),
        "cpu": dict(hidden=32, embedding=8, batch=4, length=8, steps=2, backend="eager")}[device]
torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False      # float32 is float32, in all three
characters = "".join(map(chr, range(32, 96)))                                         # which ones makes no difference to the time
tokens = torch.randint(len(characters), (size["batch"], size["length"] + 1), generator=torch.Generator().manual_seed(0)).to(device)
x, y = tokens[:, :-1], tokens[:, 1:]                                                  # (B, T)

def step(from_input, h, c, weight_hh, bias_hh):
    "One step of the cell: from_input (B, 4H), W_ih x + b_ih, is made for all steps at once."
    i, f, g, o = (from_input + F.linear(h, weight_hh, bias_hh)).chunk(4, dim=1)
    c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
    return torch.sigmoid(o) * torch.tanh(c), c

def looped(rnn, x, step):
    "What torch.nn.LSTM computes, with its weights, in a loop: (B, T, embedding) -> (B, T, H)."
    from_input = F.linear(x, rnn.weight_ih_l0, rnn.bias_ih_l0).unbind(1)
    h = c = x.new_zeros(len(x), rnn.hidden_size)
    outputs = []
    for each in from_input:
        h, c = step(each, h, c, rnn.weight_hh_l0, rnn.bias_hh_l0)
        outputs.append(h)
    return torch.stack(outputs, dim=1)

compiled = torch.compile(step, backend=size["backend"])
ways = {"torch.nn.LSTM": lambda rnn, x: rnn(x)[0], "a loop in Python": lambda rnn, x: looped(rnn, x, step),
        "the loop, its step compiled": lambda rnn, x: looped(rnn, x, compiled)}

def characters_a_second(way, dtype):
    "Characters trained on in a second, and the loss before each step, (steps,)."
    model = CharLM(characters, size["embedding"], size["hidden"], rng=0).to(device, dtype)
    optimizer, losses = torch.optim.SGD(model.parameters(), 0.5), []
    def train(steps):
        for _ in range(steps):
            loss = F.cross_entropy(model.head(way(model.rnn, model.embedding(x))).float().flatten(0, 1), y.flatten())
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            losses.append(loss.detach())
        return losses[-1].item()                         # waits until the device is done
    train(3)                                             # warm up: choose algorithms, compile
    begin = time.perf_counter()
    train(size["steps"])
    return size["steps"] * x.numel() / (time.perf_counter() - begin), torch.stack(losses)

rows, all_losses = [], {}
for dtype in (torch.float32, torch.bfloat16):
    for name, way in ways.items():
        speed, all_losses[name, dtype] = characters_a_second(way, dtype)
        rows.append({"with": name, "numbers": str(dtype).removeprefix("torch."), "characters a second": f"{speed:,.0f}",
                     "loss at the end": f"{all_losses[name, dtype][-1]:.4f}"})
one, *others = (all_losses[name, torch.float32] for name in ways)
claim("in float32 the three losses differ by at most {:.0e} in any step", max(float((one - other).abs().max()) for other in others), "<", 1e-3)
table(rows, name="gpu", caption=f"A character LSTM with {size['hidden']:,} hidden units, trained on {size['batch']} rows of {size['length']} random characters: characters a second, "
                                f"forward, backward and step; {size['steps']} steps a row, one run each. cuDNN {torch.backends.cudnn.version()}.")
