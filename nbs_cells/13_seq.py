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
def aimed(p, T=40, n=200):
    "The share of symbols right at each place of sequences of length T, written freely, when at each step the decoder has to look at that place alone: mean over networks, (T,)."
    x = torch.from_numpy(stream(1, "copying, test", T).integers(symbols, size=(n, T))).expand(len(p["enc"]), n, T)
    logits = copying(p, "attention", x, free=True, aim={t: F.one_hot(torch.full(x.shape[:2], t), T).float() for t in range(T)})[0]
    return (logits.argmax(-1) == x).float().mean((0, 1)).double().numpy().round(3).tolist()

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
    if arm == "attention": run |= {"looking": {T: looking(p, T) for T in (20, 40)}, "displaced": displaced(p), "aimed": aimed(p), "maps": {T: one_map(p, T) for T in (20, 40)}}
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

# %% [markdown]
# A text of 5 to 20 random letters, out of 20, is to be written out again in order. One GRU reads it, another writes, and at each step it is told the letter before: the right one in training (**teacher forcing**), its own when it writes freely. In the first network all that it learns of the text is the reader's last state, with which it starts and which it gets at every step, as in [Cho and others (2014)](99_references.ipynb#cho2014). In the second [Sutskever and others' (2014)](99_references.ipynb#sutskever2014) trick helps: the text is read backwards. In the third the writer looks at *all* states of the reader by additive attention ([Bahdanau and others, 2015](99_references.ipynb#bahdanau2015)). **Predict** which of them copy 20 letters with a state of 16 numbers, of 32 and of 64, and what becomes of 40 letters.

# %%
#| code-summary: "the figure, the table, the claims"
#| code-fold: true
copied, longer = stored("13_copy"), stored("13_copy_longer")["reversed|64"]
arms = {"attention": "attention", "plain": "one state", "reversed": "one state, read backwards", "uniform": "mean of all states"}
right = {key: np.array(run["free"]) for key, run in copied.items()}                                  # (networks, lengths)
at, short = np.array(copy_lengths), np.array(copy_lengths) <= trained[1]
with figure(3, height=2.7, width=6.8, sharey=True, name="copying", caption="Letters copied right by networks that write freely, over the length of the text, for states of three sizes; 20 letters, so that guessing gets a twentieth. Means of four networks and their 95% intervals; dotted: the longest texts in training.",
            alt="Three panels, for states of 16, 32 and 64 numbers. In each the curve with attention stays near 100% up to length 20 and falls to between 50 and 60% at 40; the two curves of one state fall from the start, to between 17 and 37% at 20 and below 20% at 40. A larger state lifts them.") as axes:
    for ax, size in zip(axes, (16, 32, 64)):
        shown = {name: 100 * np.array([mean_interval(column) for column in right[f"{arm}|{size}"].T]).clip(0, 1) for arm, name in list(arms.items())[:3]}
        lines({name: s[:, 0] for name, s in shown.items()}, at, xlabel="length [letters]", ylabel="copied right [%]" if size == 16 else "", title=f"state of {size}", styles={"one state, read backwards": "--"},
              band={name: ((s[:, 0] - s[:, 1]).clip(0), (s[:, 0] + s[:, 1]).clip(max=100)) for name, s in shown.items()}, ax=ax)
        ax.axvline(trained[1], linestyle=":", color=INK, linewidth=1)
        ax.set(xticks=(5, 20, 40), ylim=(0, 103))
        if size == 16: ax.legend(fontsize=7)
        else: ax.get_legend().remove()

percent = lambda values: "{:.1f} ± {:.1f}".format(*mean_interval(100 * np.asarray(values)))
copy_row = lambda arm, size, run: {"network": arms[arm], "state": size, "parameters": f"{run['parameters']:,}", "steps": f"{run['steps']:,}", "rate": f"{run['rate']:g}", "5 to 20": percent(np.array(run["free"])[:, short].mean(1)),
                                   "25 to 40": percent(np.array(run["free"])[:, ~short].mean(1)), "20": percent(np.array(run["free"])[:, 3]), "20, told": percent(np.array(run["forced"])[:, 3])}
table([copy_row(arm, int(size), run) for key, run in copied.items() for arm, size in [key.split("|")]] + [copy_row("reversed", 64, longer)], name="copying",
      caption="Letters copied right [%]: mean of four networks (the last row: three) and its 95% interval, at lengths met in training and at longer ones, written freely; told: the writer is told the right letter before. "
              f"Rates: the best of {', '.join(copied['attention|32']['rates'])} (the last row: of {', '.join(longer['rates'])}), by the error of one more network on new texts. Mean of all states: looking at all places alike.")
rivals = max(r[:, 3].max() for key, r in right.items() if not key.startswith("attention"))
claim("at length 20 the worst of twelve networks with attention copies {:.1%} of the letters", min(right[f"attention|{size}"][:, 3].min() for size in (16, 32, 64)), ">", 0.9)
claim("after as many steps the best of all without it, with states of up to 128, copies {:.1%}", rivals, "<", 0.55)

# %% [markdown]
# PROSE-LONGER
#

# %% [markdown]
# Where does the writer look? **Predict**: at the letter that it is about to write, by what that letter *is*, or by its *place*? And in a text twice as long as any in training?

# %%
#| code-summary: "the map, the tables, the claims"
#| code-fold: true
alphabet = np.array(list("abcdefghijklmnopqrst"))
with figure(2, height=3.4, width=6.8, name="copy-map", caption="Where a network with a state of 64 looks: each row a letter that it writes, each column one that it reads, the darker the more weight. Left, 20 letters; right, 40, twice the longest text in training. Dots: letters that it gets wrong.",
            alt="Two square maps. The left has a dark diagonal, from one to three letters wide, from corner to corner. The right has it for the first half; there it ends, and the rows of the second half are an even pale grey over all columns of the second half; nearly all of these rows have a dot.") as axes:
    for ax, T in zip(axes, ("20", "40")):
        shown = copied["attention|64"]["maps"][T]
        texts = {"xticks": alphabet[shown["read"]], "yticks": alphabet[shown["written"]]} if T == "20" else {}
        heatmap(np.array(shown["weights"]), xlabel="read", ylabel="written", **texts, ax=ax)
        ax.tick_params(length=0, labelsize=7)
        if T == "40":
            wrong = np.flatnonzero(np.not_equal(shown["read"], shown["written"]))
            ax.plot(np.full(len(wrong), 41.0), wrong, ".", color=COLORS["orange"], markersize=3, clip_on=False)
            ax.set(xticks=(0, 9, 19, 29, 39), xticklabels=(1, 10, 20, 30, 40), yticks=(0, 9, 19, 29, 39), yticklabels=(1, 10, 20, 30, 40), xlim=(-0.5, 39.5))

looked = {size: copied[f"attention|{size}"] for size in (16, 32, 64)}
kinds = {"random": "random letters", "two letters": "two letters only", "one letter": "one letter, again and again", "told others": "random; told random others"}
table([{"text": label, "length": T} | {f"state of {size}": "{:.0f} to {:.0f}".format(*(100 * f(run["looking"][T][kind][0]) for f in (min, max))) for size, run in looked.items()} for T in ("20", "40") for kind, label in kinds.items()], name="copy-looks",
      caption="Weight on the place that is to be copied [%], mean over 100 texts: least to most of four networks. The writer is told the right letters before, but for the last kind, where all that it is told is random. Looking everywhere alike would give 5% and 2.5%.")
table([{"state": size, "undisturbed": "{:.0f} to {:.0f}".format(*(100 * f(run["displaced"]["undisturbed"][0]) for f in (min, max))), "displaced, next place": "{:.0f} to {:.0f}".format(*(100 * f(run["displaced"]["disturbed"][0]) for f in (min, max))),
        "displaced, behind the false place": "{:.1f} to {:.1f}".format(*(100 * f(run["displaced"]["disturbed"][1]) for f in (min, max)))} for size, run in looked.items()], name="copy-displaced",
      caption="At the tenth of 20 letters the writer is made to look at another place, three or more away, and told the letter before that one. Weight [%] of its next look on the eleventh place, undisturbed and disturbed, and on the place behind the false one; 200 texts, least to most of four networks.")
claim("displaced once, no network puts more than {:.1%} of its next look behind the false place", max(max(run["displaced"]["disturbed"][1]) for run in looked.values()), "<", 0.01)
places = np.array([run["places"]["right"] for run in looked.values()])                               # (sizes, 40)
claim("of 40 letters the first 15 are right to {:.1%} at least", places[:, :15].mean(1).min(), ">", 0.95)
claim("and of the last 15 at most {:.1%}", places[:, 25:].mean(1).max(), "<", 0.2)

# %% [markdown]
# By its place. The diagonal stays in a text of two letters, where what was written last tells little, and, paler, where all letters are the same. Made to look elsewhere once, and told the letter that stands there, the writer returns to its own next place, as if nothing had been. The reader and the writer each keep count in their states, and the weights match the counts. (A writer that is told nothing but wrong letters does lose its place by and by.) And the count ends where training ended: from the second half of 40 letters on all places look alike to it. What fails on longer texts is the address, not the memory.
#

# %%
#| code-summary: "lists to look things up in, and a network of two layers"
#| code-fold: true
names = "Anna Ben Carla David Emma Felix Greta Hugo Ida Jonas Klara Leo Mia Noah Olga Paul".split()
animals = "ant bear cat dog eel fox goat hen ibis jay kite lion mole newt owl pig".split()
words, pairs = names + animals, 8

def lists(rng, n):
    "n lists of eight names, each followed by an animal of its own, then eight of these names asked anew: words (n, 32), which pair (n, 16)."
    owner, animal = (np.stack([rng.permutation(16)[:pairs] for _ in range(n)]) for _ in range(2))           # (n, 8) each
    asked = np.concatenate([np.tile(np.arange(pairs), (n, 1)), rng.integers(pairs, size=(n, pairs))], 1)
    told = np.stack([np.take_along_axis(owner, asked, 1), 16 + np.take_along_axis(animal, asked, 1)], 2)   # (n, 16, 2)
    return torch.from_numpy(told.reshape(n, -1)), torch.from_numpy(asked)

class Heads(nn.Module):
    "Causal layers of four heads each, and nothing between them but sums: words (B, T) -> logits (B, T, V), or with need_weights those and (B, layers, 4, T, T)."
    def __init__(self, seed, layers=2, width=64):
        super().__init__()
        rng = stream(seed, "initialization, heads")
        self.embedding, self.head = Embedding(len(words), width, rng=rng), Linear(width, len(words), rng=rng)
        self.layers = nn.ModuleList([MultiHeadAttention(width, 4, positions="rope", rng=rng) for _ in range(layers)])

    def forward(self, x, need_weights=False):
        x, maps = self.embedding(x), []
        for layer in self.layers:
            y = layer(F.layer_norm(x, x.shape[-1:]), is_causal=True, need_weights=need_weights)
            if need_weights: maps.append(y[1])
            x = x + (y[0] if need_weights else y)
        logits = self.head(F.layer_norm(x, x.shape[-1:]))
        return (logits, torch.stack(maps, 1)) if need_weights else logits

def learn_lists(model, rng, lr, steps=1000, batch=32):
    "Adam, the rate in one cycle, new lists in each batch; what counts is the animal behind each name of the second half."
    optimizer = torch.optim.Adam(model.parameters(), lr)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, lr, steps, pct_start=0.1, cycle_momentum=False, final_div_factor=100)
    for _ in range(steps):
        x = lists(rng, batch)[0]
        loss = F.cross_entropy(model(x)[:, 2 * pairs :: 2].flatten(0, 1), x[:, 2 * pairs + 1 :: 2].flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return model

# %%
#| code-summary: "what a head looks at, and what it is worth"
#| code-fold: true
@torch.no_grad()
def answered(model, x):
    "The share of the second half's animals that are right."
    return round(float((model(x)[:, 2 * pairs :: 2].argmax(-1) == x[:, 2 * pairs + 1 :: 2]).float().mean()), 4)

@torch.no_grad()
def answered_without(model, x, heads):
    "The same when the outputs of these heads, (layer, head), are set to 0."
    kept = [layer.out_proj.weight.clone() for layer in model.layers]
    for i, h in heads: model.layers[i].out_proj.weight[:, 16 * h : 16 * (h + 1)] = 0
    share = answered(model, x)
    for layer, weight in zip(model.layers, kept): layer.out_proj.weight.copy_(weight)
    return share

@torch.no_grad()
def habits(model, x, asked):
    "The share of each head's weight on places of several kinds, means over lists and over the queries of a kind: {kind: (2, 4)}."
    maps, T = model(x, need_weights=True)[1], x.shape[1]
    pair, place = asked.repeat_interleave(2, 1), torch.arange(T)
    same = (pair[:, :, None] == pair[:, None, :]) & (place[:, None] > place + 1)                          # (n, T, T): earlier places of the same pair
    name, listed = place % 2 == 0, place < 2 * pairs
    kinds = {"animal of the list: the word before": (~name & listed, (place[:, None] == place + 1).expand_as(same)), "animal of the list: itself": (~name & listed, torch.eye(T).bool().expand_as(same)),
             "name asked: its animal": (name & ~listed, same & ~name), "name asked: the same name": (name & ~listed, same & name), "name asked: other animals": (name & ~listed, ~same & ~name)}
    return {kind: (maps * where[:, None, None])[:, :, :, queries].sum(-1).mean((0, 3)).double().numpy().round(4).tolist() for kind, (queries, where) in kinds.items()}

# %%
#| code-summary: "the long run: two layers of heads learn to look up"
#| code-fold: true
#| slow
torch.set_num_threads(1)
found, (x, asked) = {"networks": [], "one layer": {}}, lists(stream(1, "lists, test"), 500)
for seed in range(5):
    start, model = Heads(seed), learn_lists(Heads(seed), stream(seed, "lists"), 0.003)
    each = [[answered_without(model, x, [(i, h)]) for h in range(4)] for i in range(2)]
    found["networks"].append({"right": answered(model, x), "right, untrained": answered(start, x), "without a head": each, "without a layer": [answered_without(model, x, [(i, h) for h in range(4)]) for i in range(2)],
                              "trained": habits(model, x, asked), "untrained": habits(start, x, asked)})
    if seed == 0:
        with torch.no_grad(): maps = model(x[:3], need_weights=True)[1].flatten(1, 2)
        found["lists"], found["maps"] = [" ".join(words[i] for i in row) for row in x[:3]], [[[(100 * a[t, : t + 1]).round().int().tolist() for t in range(len(a))] for a in m] for m in maps]
for lr in (0.001, 0.003, 0.01): found["one layer"][lr] = answered(learn_lists(Heads(100, layers=1), stream(100, "lists"), lr), x)
_ = Path("results/13_maps.json").write_text(json.dumps(found, separators=(",", ":")))

# %% [markdown]
# Eight names, each followed by an animal; then some of the names again, and behind each its animal is to be said. Two causal layers of four heads each learn that, with RoPE for positions and nothing else between them. A query that stands on a name can look for the name's earlier place; but the answer stands one place further. **Predict** what the heads of the first layer look at, and those of the second.

# %%
#| code-summary: "the figure that moves, the table, the claims"
#| code-fold: true
looked_up = stored("13_maps")
head_names = [f"layer {i + 1}, head {h + 1}" for i in range(2) for h in range(4)]
entries = {" ".join(text.split()[:4]) + " …": k for k, text in enumerate(looked_up["lists"])}

def map_frame(text, head):
    told, rows = looked_up["lists"][entries[text]].split(), looked_up["maps"][entries[text]][head_names.index(head)]
    with figure(height=4.6, width=4.8) as ax:
        heatmap(np.array([row + [0] * (len(told) - len(row)) for row in rows]), xticks=told, yticks=told, xlabel="looked at", ylabel="looks", title=head, ax=ax)
        ax.tick_params(labelsize=6, length=0)
        ax.tick_params(axis="x", labelrotation=90)
        ax.axhline(15.5, color=INK, linewidth=0.5)

def map_said(text, head):
    told, row = looked_up["lists"][entries[text]].split(), looked_up["maps"][entries[text]][head_names.index(head)][30]
    return f"{head}: at its last name, {told[30]}, it looks most at {told[int(np.argmax(row))]}, with {max(row)}% of its weight."

explore(map_frame, text=list(entries), head=head_names, start={"text": list(entries)[0], "head": "layer 2, head 1"}, name="heads", caption="Where each head of one trained network looks, in three lists that are new to it: each row a word, each column one that it may look at, the darker the more weight. Below the line, names are asked.", alt=map_said)

runs = looked_up["networks"]
habit = lambda kind, layer, when: np.array([run[when][kind][layer] for run in runs])                 # (networks, heads)
span = lambda values: "{:.0f} to {:.0f}".format(100 * np.min(values), 100 * np.max(values))
table([{"layer": layer + 1, "where it stands: where it looks": kind, "most of the four heads": span(habit(kind, layer, "trained").max(1)), "least": span(habit(kind, layer, "trained").min(1)), "untrained, most": span(habit(kind, layer, "untrained").max(1))}
       for layer in range(2) for kind in runs[0]["trained"]], name="heads", caption="Share of a head's weight [%], mean over 500 new lists and over the queries that stand there: of each network's four heads the one with the most and the one with the least, least to most of five networks; beside them the same networks before training.")
claim("in each of five networks a head of the first layer puts {:.0%} or more of its weight, at an animal of the list, on the word before", habit("animal of the list: the word before", 0, "trained").max(1).min(), ">", 0.8)
claim("at a name asked, every head of the second layer puts {:.0%} or more on its animal", habit("name asked: its animal", 1, "trained").min(), ">", 0.65)
table([{"network": "two layers", "animals right": span([run["right"] for run in runs])}, {"network": "… before training", "animals right": span([run["right, untrained"] for run in runs])},
       {"network": "… without the head that costs most", "animals right": span([np.min(run["without a head"]) for run in runs])},
       {"network": "… without the head of layer 2 that costs most", "animals right": span([min(run["without a head"][1]) for run in runs])},
       {"network": "… without the four heads of layer 1", "animals right": span([run["without a layer"][0] for run in runs])},
       {"network": "one layer, trained: the best of three rates", "animals right": f"{100 * max(looked_up['one layer'].values()):.0f}"}], name="heads-worth",
      caption="Animals said right [%] in 500 new lists, least to most of five networks; naming any of the list's would give 12.5%. Without a head: its output is set to 0.")

# %% [markdown]
# In every network at least one head of the first layer, standing on an animal of the list, looks at the name before it, so that the animal's place comes to hold whose it is. All four heads of the second layer then look from a name straight at its animal, which one layer cannot find: there an animal's key knows nothing of its owner. Such a pair is called an **induction head** ([Olsson and others, 2022](99_references.ipynb#olsson2022)). The heads share the work unequally: in some networks the answers hang on one head of the first layer, in others hardly on any single one, and no head of the second layer is missed much. A map shows where a head looks, not what it is worth.
