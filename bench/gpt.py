"""A small GPT beside its peers: CPU time of one training step, on one core, as ratios to PyTorch; and what fusing buys.

    python bench/gpt.py                 # the tables, as text
    python bench/gpt.py --markdown      # as Markdown, for the README
    python bench/gpt.py --processes 1   # shorter and noisier (default 5)

The step: four blocks of width 128 with four heads, learned positions, layer norms before the branches, GELU, a tied head; the cross-entropy
of a batch of 2,048 tokens, and AdamW. Rounds and processes as in bench/rounds.py. All start from the same weights, and the losses of their
first steps are compared. "PyTorch" is the model written plainly in its own modules, in the manner of nanoGPT, with its
scaled_dot_product_attention; "twin" is nnbook.torch.transformer.GPT. The rows of nnbook are the library's model; the same with plain=True,
which runs the chapters' lines; and two that are made here of operators of the tape alone: with products, and with NumPy's general power for
x³ in the GELU, which is then its tanh form (Hendrycks & Gimpel, 2016), since the tape has no error function. The last table holds nnbook and
the twin beside PyTorch over the length of the context, with as many tokens in a batch.
"""

import shutil

from rounds import LESS, main, measure, prepare, ratios, row, rows_of_engines, show

# isort: split
import numpy as np  # after rounds, which keeps every library to one thread

LAYERS, HEADS, WIDTH, TOKENS, LENGTH, LENGTHS = 4, 4, 128, 2048, 128, (64, 128, 256, 512, 1024)
VOCABULARIES = (65, 2256)
LR, DECAY = 1e-3, 0.1


def problem(vocab, length):
    "Tokens and targets (batch, length), and the weights by the names of nnbook's GPT, float32."
    rng = np.random.default_rng(0)
    shapes = {"embedding.weight": (vocab, WIDTH), "positions.weight": (length, WIDTH)}
    for i in range(LAYERS):
        shapes |= {f"blocks.{i}.{name}": shape for name, shape in {
            "norm1.weight": (WIDTH,), "norm1.bias": (WIDTH,), "attention.in_proj_weight": (3 * WIDTH, WIDTH), "attention.in_proj_bias": (3 * WIDTH,),
            "attention.out_proj.weight": (WIDTH, WIDTH), "attention.out_proj.bias": (WIDTH,), "norm2.weight": (WIDTH,), "norm2.bias": (WIDTH,),
            "mlp.up.weight": (4 * WIDTH, WIDTH), "mlp.up.bias": (4 * WIDTH,), "mlp.down.weight": (WIDTH, 4 * WIDTH), "mlp.down.bias": (WIDTH,)}.items()}
    shapes |= {"norm.weight": (WIDTH,), "norm.bias": (WIDTH,)}
    weights = {name: (rng.standard_normal(shape) * 0.02 + ("norm" in name and name.endswith("weight"))).astype(np.float32) for name, shape in shapes.items()}
    return *rng.integers(0, vocab, (2, TOKENS // length, length)), weights


# Each engine: step(vocab, length) returns a function that does one step and returns the loss.

class nnbook:
    "nnbook.transformer.GPT, whose blocks are nodes of nnbook.kernels."
    options = {}

    def model(vocab, length):
        from nnbook.transformer import GPT, GPTConfig
        return GPT(GPTConfig(vocab, length, LAYERS, HEADS, WIDTH), rng=0)

    @classmethod
    def step(cls, vocab, length):
        from nnbook.autograd import cross_entropy
        from nnbook.optim import AdamW
        tokens, targets, weights = problem(vocab, length)
        model = cls.model(vocab, length)
        for name, p in model.named_parameters(): p.data[...] = weights[name]
        optimizer = AdamW(model.parameters(), lr=LR, weight_decay=DECAY)
        def run():
            loss = cross_entropy(model(tokens, **cls.options), targets)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            return loss
        return run


class nnbook_plain(nnbook):
    "The chapters' lines."
    options = {"plain": True}


class nnbook_primitives(nnbook):
    "Operators of the tape alone."
    cube = staticmethod(lambda x: x * x * x)

    @classmethod
    def model(cls, vocab, length):
        from nnbook import layers
        from nnbook.autograd import tanh
        model = nnbook.model(vocab, length)
        class Norm(layers.LayerNorm):
            def forward(self, x):
                centered = x - x.mean(axis=-1, keepdims=True)
                return centered / ((centered * centered).mean(axis=-1, keepdims=True) + self.eps).sqrt() * self.weight + self.bias
        class MLP(layers.Module):
            def __init__(self, mlp): self.up, self.down = mlp.up, mlp.down
            def forward(self, x):
                h = self.up(x)
                return self.down(0.5 * h * (1 + tanh((2 / np.pi)**0.5 * (h + 0.044715 * cls.cube(h)))))
        model.norm = Norm(WIDTH)
        for block in model.blocks: block.norm1, block.norm2, block.mlp = Norm(WIDTH), Norm(WIDTH), MLP(block.mlp)
        return model

    options = {"plain": True}


class nnbook_power(nnbook_primitives):
    "x³ by numpy.power."
    @staticmethod
    def cube(x):
        from nnbook.autograd import power
        return power(x, np.float32(3))


def torch_loop(model, tokens, targets):
    "Training steps of a torch model from tokens to logits."
    import torch
    tokens, targets, optimizer = torch.from_numpy(tokens), torch.from_numpy(targets), torch.optim.AdamW(model.parameters(), lr=LR, weight_decay=DECAY)
    def run():
        logits = model(tokens)
        loss = torch.nn.functional.cross_entropy(logits.view(-1, logits.shape[-1]), targets.view(-1))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss
    return run


def torch_model(vocab, length, weights):
    "The plain reference."
    import torch
    from torch import nn
    torch.set_num_threads(1)
    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.norm1, self.norm2 = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
            self.qkv, self.proj = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)
            self.mlp = nn.Sequential(nn.Linear(WIDTH, 4 * WIDTH), nn.GELU(), nn.Linear(4 * WIDTH, WIDTH))
        def forward(self, x):
            shape = (*x.shape[:2], HEADS, WIDTH // HEADS)
            q, k, v = (a.view(shape).transpose(1, 2) for a in self.qkv(self.norm1(x)).split(WIDTH, dim=2))
            y = nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
            x = x + self.proj(y.transpose(1, 2).contiguous().view(x.shape))
            return x + self.mlp(self.norm2(x))
    class Reference(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding, self.positions = nn.Embedding(vocab, WIDTH), nn.Embedding(length, WIDTH)
            self.blocks, self.norm = nn.ModuleList(Block() for _ in range(LAYERS)), nn.LayerNorm(WIDTH)
        def forward(self, tokens):
            x = self.embedding(tokens) + self.positions(torch.arange(tokens.shape[1]))
            for block in self.blocks: x = block(x)
            return nn.functional.linear(self.norm(x), self.embedding.weight)
    model, new = Reference(), {"attention.in_proj_": "qkv.", "attention.out_proj": "proj", "mlp.up": "mlp.0", "mlp.down": "mlp.2"}
    state = {}
    for name, w in weights.items():
        for old, own in new.items(): name = name.replace(old, own)
        state[name] = torch.from_numpy(w)
    model.load_state_dict(state)
    return model


class torch:
    "Its own modules."

    def step(vocab, length):
        tokens, targets, weights = problem(vocab, length)
        return torch_loop(torch_model(vocab, length, weights), tokens, targets)


class torch_compiled:
    "The same through torch.compile."

    def step(vocab, length):
        import torch
        if not any(map(shutil.which, ("g++", "clang++", "c++"))): raise FileNotFoundError(2, "no compiler", "a C++ compiler")
        tokens, targets, weights = problem(vocab, length)
        return torch_loop(torch.compile(torch_model(vocab, length, weights)), tokens, targets)


class twin:
    "nnbook.torch.transformer.GPT."

    def step(vocab, length):
        import torch

        from nnbook.torch.transformer import GPT
        from nnbook.transformer import GPTConfig
        torch.set_num_threads(1)
        tokens, targets, weights = problem(vocab, length)
        model = GPT(GPTConfig(vocab, length, LAYERS, HEADS, WIDTH), rng=0)
        with torch.no_grad():
            for name, p in model.named_parameters(): p.copy_(torch.from_numpy(weights[name]))
        return torch_loop(model, tokens, targets)


class jax:
    "The whole step compiled, AdamW by hand."

    def step(vocab, length):
        import jax
        import jax.numpy as jnp
        tokens, targets, weights = problem(vocab, length)
        tokens, targets, weights = jnp.asarray(tokens), jnp.asarray(targets), {name: jnp.asarray(w) for name, w in weights.items()}
        hidden = jnp.where(jnp.tri(length, dtype=bool), 0, -jnp.inf)
        def norm(x, p, name):
            centered = x - x.mean(-1, keepdims=True)
            return centered / jnp.sqrt((centered**2).mean(-1, keepdims=True) + 1e-5) * p[f"{name}.weight"] + p[f"{name}.bias"]
        def block(x, p):
            B, T, d = x.shape
            qkv = norm(x, p, "norm1") @ p["attention.in_proj_weight"].T + p["attention.in_proj_bias"]
            q, k, v = (a.reshape(B, T, HEADS, d // HEADS).swapaxes(1, 2) for a in jnp.split(qkv, 3, axis=-1))
            y = jax.nn.softmax(q @ k.swapaxes(-1, -2) * (d // HEADS)**-0.5 + hidden) @ v
            x = x + y.swapaxes(1, 2).reshape(B, T, d) @ p["attention.out_proj.weight"].T + p["attention.out_proj.bias"]
            h = jax.nn.gelu(norm(x, p, "norm2") @ p["mlp.up.weight"].T + p["mlp.up.bias"], approximate=False)
            return x + h @ p["mlp.down.weight"].T + p["mlp.down.bias"]
        def loss_of(p):
            x = p["embedding.weight"][tokens] + p["positions.weight"]
            for i in range(LAYERS):
                start = f"blocks.{i}."
                x = block(x, {name.removeprefix(start): w for name, w in p.items() if name.startswith(start)})
            scores = jax.nn.log_softmax(norm(x, p, "norm") @ p["embedding.weight"].T)
            return -jnp.take_along_axis(scores, targets[..., None], -1).mean()
        @jax.jit
        def update(p, m, v, t):
            loss, g = jax.value_and_grad(loss_of)(p)
            m, v = ({n: b * s[n] + (1 - b) * g[n]**k for n in s} for s, b, k in ((m, 0.9, 1), (v, 0.999, 2)))
            step = lambda n: m[n] / (1 - 0.9**t) / (jnp.sqrt(v[n] / (1 - 0.999**t)) + 1e-8)
            return loss, {n: w * (1 - LR * DECAY) - LR * step(n) for n, w in p.items()}, m, v
        zeros = {name: jnp.zeros_like(w) for name, w in weights.items()}
        state, t = (weights, zeros, zeros), 0
        def run():
            nonlocal state, t
            t += 1
            loss, *state = update(*state, float(t))
            return loss.block_until_ready()
        return run


ENGINES = {  # what the table says: the class, and the package whose version is printed
    "**nnbook**": (nnbook, "nnbook"), "nnbook, plain=True": (nnbook_plain, "nnbook"), "nnbook, operators alone": (nnbook_primitives, "nnbook"),
    "nnbook, operators alone, x³ by numpy.power": (nnbook_power, "nnbook"), "PyTorch": (torch, "torch"), "PyTorch, torch.compile": (torch_compiled, "torch"),
    "nnbook's twin in PyTorch": (twin, "torch"), "JAX, jit": (jax, "jax"),
}
BY_LENGTH = {name: ENGINES[name] for name in ("**nnbook**", "nnbook's twin in PyTorch", "PyTorch")}
STEPS = {f"Step of a GPT, vocabulary of {vocab:,}, {TOKENS // LENGTH} × {LENGTH} tokens": vocab for vocab in VOCABULARIES}
CAVEAT = f"{LESS} With more cores or a GPU PyTorch and JAX leave NumPy behind."


def worker(case: str, rounds: int) -> dict:
    engines, sizes = (ENGINES, (STEPS[case], LENGTH)) if case in STEPS else (BY_LENGTH, (VOCABULARIES[0], int(case)))
    ready, missing = prepare(engines, lambda engine: engine.step(*sizes), "PyTorch")
    return {"missing": missing, "times": measure(ready, rounds)}


def tables(found: dict, markdown: bool) -> None:
    times = {case: [m["times"] for m in measured] for case, measured in found.items()}
    for case in STEPS: show(case, rows_of_engines(times[case], ENGINES, "PyTorch"), found[case][0]["missing"], markdown)
    lines = [row(f"{name.replace('**', '')}, {TOKENS // n} × {n} tokens", [m[name] for m in times[str(n)]], ratios(times[str(n)], name, "PyTorch"))
             for name in list(BY_LENGTH)[:2] for n in LENGTHS]
    show("Step, over the length of the context", lines, {}, markdown)
    print(CAVEAT)


if __name__ == "__main__":
    main(__doc__, [*STEPS, *map(str, LENGTHS)], worker, tables, rounds=7)
