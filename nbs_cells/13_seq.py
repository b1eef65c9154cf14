# Cells for the chapter `attention`: copying in order, through one state and with attention. They use, of the chapter's first cells,
# np, json, Path, torch, nn, F, stream, stored, figure, lines, table, claim, explore, mean_interval, COLORS, INK.

# %%
#| code-summary: "weights, one slice a network"
#| code-fold: true
symbols, trained = 20, (5, 20)                             # letters; lengths seen in training

def copy_weights(arm, size, seeds):
    "name -> (M, ..., ...), a slice for each seed, uniform within 1/√size, as PyTorch starts a GRU; gates in the order r, z, n."
    shapes = {"read": (symbols + 1, 3 * size), "enc": (size, 3 * size), "enc_bias": (1, 3 * size),
              "write": (symbols + 1, 3 * size), "dec": (size, 3 * size), "dec_bias": (1, 3 * size), "context": (size, 3 * size),
              "out": (2 * size, symbols), "out_bias": (1, symbols)}
    if arm == "attention": shapes |= {"query_proj": (size, 32), "key_proj": (size, 32), "score": (32, 1)}
    rngs = [stream(seed, "copying, weights") for seed in seeds]
    return {name: torch.tensor(np.stack([rng.uniform(-1, 1, shape) for rng in rngs]) * size**-0.5, dtype=torch.float32, requires_grad=True)
            for name, shape in shapes.items()}

def rows(weight, x):
    "An embedding in each of M networks: weight (M, V+1, D), x (M, ...) whole numbers -> (M, ..., D)."
    M, n, D = weight.shape
    return F.embedding(x + n * torch.arange(M).view(M, *[1] * (x.ndim - 1)), weight.reshape(-1, D))

def gru(given, h, weight, bias):
    "One step of M GRUs: given (M, B, 3D), what the inputs add to the gates; h (M, B, D); weight (M, D, 3D)."
    (ar, az, an), (br, bz, bn) = given.chunk(3, -1), torch.baddbmm(bias, h, weight).chunk(3, -1)
    n, z = torch.tanh(an + torch.sigmoid(ar + br) * bn), torch.sigmoid(az + bz)
    return n + z * (h - n)

# %%
#| code-summary: "the network: one state, or attention"
#| code-fold: true
def reading(p, x):
    "The encoder: x (M, B, T) -> states (M, B, T, D)."
    h, states = torch.zeros(*x.shape[:2], p["enc"].shape[1]), []
    for given in rows(p["read"], x).unbind(2):
        h = gru(given, h, p["enc"], p["enc_bias"])
        states.append(h)
    return torch.stack(states, 2)

def look(p, h, keys, states):
    "Additive attention: state h (M, B, D), keys (M, B, T, A), states (M, B, T, D) -> context (M, B, D), weights (M, B, T)."
    scores = torch.tanh(keys + (h @ p["query_proj"])[:, :, None]).flatten(1, 2) @ p["score"]
    weights = scores.view(keys.shape[:3]).softmax(-1)
    return (weights[:, :, None] @ states)[:, :, 0], weights

def copying(p, arm, x, told=None, free=False, aim=None):
    """x (M, B, T) -> logits (M, B, T, V), weights (M, B, T, T).

    At each step the decoder is told the symbol before: of `told` (default: x itself, teacher forcing), or, free, what it wrote itself.
    aim {step: weights (M, B, T)}: where it has to look at these steps.
    """
    states = reading(p, x.flip(-1) if arm == "reversed" else x)
    h, c = states[:, :, -1], states.mean(2) if arm == "uniform" else states[:, :, -1]
    start, told = torch.full_like(x[:, :, :1], symbols), x if told is None else told
    prev, given = start[:, :, 0], rows(p["write"], torch.cat([start, told[:, :, :-1]], -1)).unbind(2)
    if arm == "attention": keys = (states.flatten(1, 2) @ p["key_proj"]).view(*x.shape, -1)
    logits, weights, turn = [], [], c @ p["context"]       # turn: what the context adds to the gates
    for t in range(x.shape[2]):
        if arm == "attention":
            c, a = look(p, h, keys, states)
            if aim and t in aim: c = (aim[t][:, :, None] @ states)[:, :, 0]
            weights.append(a)
            turn = c @ p["context"]
        h = gru((rows(p["write"], prev) if free else given[t]) + turn, h, p["dec"], p["dec_bias"])
        logits.append(torch.baddbmm(p["out_bias"], torch.cat([h, c], -1), p["out"]))
        prev = logits[-1].argmax(-1)
    return torch.stack(logits, 2), torch.stack(weights, 2) if weights else None

# %%
#| code-summary: "training M networks in lockstep, each at its rate"
#| code-fold: true
def errors(p, arm, x):
    "Mean cross-entropy of each network, in nats a symbol: x (M, B, T) -> (M,)."
    return F.cross_entropy(copying(p, arm, x)[0].flatten(0, 2), x.flatten(), reduction="none").view(len(x), -1).mean(1)

def learn_to_copy(arm, size, rates, seeds, steps, batch=32):
    "Adam, clipped at norm 1, at rates that fall to 0 along a line: `steps` batches, each of one length from 5 to 20."
    p = copy_weights(arm, size, seeds)
    rngs, lengths = [stream(seed, "copying, sequences") for seed in seeds], stream(0, "copying, lengths").integers(trained[0], trained[1] + 1, steps)
    m, v = ({name: torch.zeros_like(w) for name, w in p.items()} for _ in range(2))
    for step, T in enumerate(lengths, 1):
        x = torch.from_numpy(np.stack([rng.integers(symbols, size=(batch, T)) for rng in rngs]))
        grads = torch.autograd.grad(errors(p, arm, x).sum(), list(p.values()))
        scale = 1 / sum(g.square().sum((1, 2), True) for g in grads).sqrt().clamp(min=1.0)           # (M, 1, 1)
        lr = torch.tensor(rates)[:, None, None] * (1 - (step - 1) / steps)
        with torch.no_grad():
            for (name, w), g in zip(p.items(), grads):
                m[name].lerp_(scale * g, 0.1)
                v[name].lerp_((scale * g)**2, 0.001)
                w -= lr * m[name] / (1 - 0.9**step) / ((v[name] / (1 - 0.999**step)).sqrt() + 1e-8)
    return p

# %%
#| code-summary: "what is measured"
#| code-fold: true
copy_lengths = (5, 10, 15, 20, 25, 30, 35, 40)

@torch.no_grad()
def shares_right(p, arm, free=True):
    "The share of symbols right in 200 new sequences of each length: (M, lengths)."
    found = []
    for T in copy_lengths:
        x = torch.from_numpy(stream(1, "copying, test", T).integers(symbols, size=(200, T))).expand(len(p["enc"]), 200, T)
        found.append((copying(p, arm, x, free=free)[0].argmax(-1) == x).float().mean((1, 2)))
    return torch.stack(found, 1).double().numpy().round(4).tolist()

@torch.no_grad()
def looking(p, T, n=100):
    "For sequences of several kinds, teacher-forced: the weight on the place to be copied, and the share of symbols right, each (M,)."
    rng, M = stream(1, "copying, kinds", T), len(p["enc"])
    x, other, two, one = (torch.from_numpy(rng.integers(k, size=(n, T))) for k in (symbols, symbols, 2, 1))
    order = torch.from_numpy(np.stack([rng.permutation(symbols)[:2] for _ in range(n)]))              # two letters, other ones in each sequence
    two, one, found = order.gather(1, two), order[:, :1].expand(n, T), {}
    for kind, (given, told) in {"random": (x, x), "two letters": (two, two), "one letter": (one, one), "told others": (x, other)}.items():
        given, told = given.expand(M, n, T), told.expand(M, n, T)
        logits, a = copying(p, "attention", given, told)
        found[kind] = [some.mean((1, 2)).double().numpy().round(4).tolist() for some in (a.diagonal(dim1=-2, dim2=-1), (logits.argmax(-1) == given).float())]
    return found

@torch.no_grad()
def displaced(p, n=200, T=20, t=9):
    """The decoder is made to look, at step t, where it looks at another step j, and told the letter before that one. Its next look:
    weight on place t + 1 and on place j + 1, undisturbed and disturbed, each (M,).
    """
    rng, M = stream(1, "copying, displaced"), len(p["enc"])
    x, j = rng.integers(symbols, size=(n, T)), rng.choice([j for j in range(1, T - 1) if abs(j - t) > 2], size=n)
    told, every = x.copy(), torch.arange(n)
    told[:, t - 1] = x[every, j - 1]                       # told at step t
    x, told = (torch.from_numpy(some).expand(M, n, T) for some in (x, told))
    plain = copying(p, "attention", x)[1]                  # (M, n, T, T): steps, places
    moved = copying(p, "attention", x, told, aim={t: plain[:, every, j]})[1]
    return {name: [a[:, every, t + 1, place].mean(1).double().numpy().round(4).tolist() for place in (t + 1, j + 1)] for name, a in (("undisturbed", plain), ("disturbed", moved))}

@torch.no_grad()
def by_place(p, arm, T=40, n=200):
    "At each place of sequences of length T, written freely: the share of symbols right, and, with attention, the weight on the place itself: means over networks, (T,)."
    x = torch.from_numpy(stream(1, "copying, test", T).integers(symbols, size=(n, T))).expand(len(p["enc"]), n, T)
    logits, a = copying(p, arm, x, free=True)
    found = {"right": (logits.argmax(-1) == x).float()} | ({} if a is None else {"weight": a.diagonal(dim1=-2, dim2=-1)})
    return {name: some.mean((0, 1)).double().numpy().round(3).tolist() for name, some in found.items()}

@torch.no_grad()
def one_map(p, T):
    "What the first network reads, writes by itself, and looks at [% of the weight]: one sequence of length T."
    x = torch.from_numpy(stream(1, "copying, shown", T).integers(symbols, size=(1, 1, T))).expand(len(p["enc"]), 1, T)
    logits, a = copying(p, "attention", x, free=True)
    return {"read": x[0, 0].tolist(), "written": logits[0, 0].argmax(-1).tolist(), "weights": (100 * a[0, 0]).round().int().tolist()}

# %%
#| code-summary: "a rate by one seed, results by others"
#| code-fold: true
copy_rates, copy_steps = (0.003, 0.01, 0.02, 0.04, 0.08), 1500

def swept(arm, size, steps=copy_steps, rates=copy_rates, seeds=(0, 1, 2, 3)):
    "The rate with the least error on new sequences of 5 to 20 by seed 100, at full length; then other seeds."
    p, held = learn_to_copy(arm, size, rates, [100] * len(rates), steps), []
    for T in (5, 10, 15, 20):
        x = torch.from_numpy(stream(2, "copying, held out", T).integers(symbols, size=(200, T)))
        with torch.no_grad(): held.append(errors(p, arm, x.expand(len(rates), 200, T)))
    tried = np.nan_to_num(torch.stack(held).mean(0).double().numpy(), nan=np.inf)
    rate = rates[tried.argmin()]
    p = learn_to_copy(arm, size, [rate] * len(seeds), seeds, steps)
    run = {"steps": steps, "parameters": sum(w[0].numel() for w in p.values()), "rates": dict(zip(map(str, rates), tried.round(4).tolist())), "rate": rate,
           "free": shares_right(p, arm), "forced": shares_right(p, arm, free=False), "places": by_place(p, arm)}
    if arm == "attention": run |= {"looking": {T: looking(p, T) for T in (20, 40)}, "displaced": displaced(p), "maps": {T: one_map(p, T) for T in (20, 40)}}
    return run

# %%
#| code-summary: "the long run: copying in order, states of three sizes"
#| code-fold: true
#| slow
torch.set_num_threads(1)
torch.set_flush_denormal(True)
found = {}
for arm, size in [(arm, size) for size in (32, 64, 16) for arm in ("attention", "plain", "reversed", "uniform")] + [("plain", 128), ("reversed", 128)]:
    if (arm, size) == ("uniform", 16): continue
    found[f"{arm}|{size}"] = swept(arm, size)
    _ = Path("results/13_copy.json").write_text(json.dumps(found))

# %%
#| code-summary: "the long run: one state, ten times as many steps"
#| code-fold: true
#| slow
torch.set_num_threads(1)
torch.set_flush_denormal(True)
_ = Path("results/13_copy_longer.json").write_text(json.dumps({"reversed|64": swept("reversed", 64, 10 * copy_steps, (0.005, 0.01, 0.02), (0, 1, 2))}))
