# %%
#| code-summary: "the plays, three networks of one size, and how they learn and are measured"
#| code-fold: true
import copy
import json
import re
import textwrap
import time
from pathlib import Path

import torch
from torch.nn import functional as F

from nnbook import data, zoo
from nnbook import rnn as built
from nnbook.claims import claim
from nnbook.evaluation import mean_interval
from nnbook.explore import explore
from nnbook.plots import INK, figure, lines, table
from nnbook.running import stored
from nnbook.torch import rnn as twins

plays = data.shakespeare()
characters = "".join(sorted(set(plays.text)))
train_parts, test_parts = plays.train_parts, plays.test_parts
learn_parts = {title: text[: len(text) * 8 // 9] for title, text in train_parts.items()}     # rates are chosen on the rest
held_parts = {title: text[len(text) * 8 // 9 :] for title, text in train_parts.items()}
sizes = {"RNN": 320, "LSTM": 160, "GRU": 186}                                                # about 139,000 parameters each

def text_model(cell, seed): return twins.CharLM(characters, hidden_size=sizes[cell], cell=cell, rng=seed)

def padded(vocabulary, texts):
    "Texts as one array of whole numbers, shorter ones filled up."
    rows = [vocabulary.encode(text) for text in texts]
    return torch.from_numpy(np.stack([np.pad(row, (0, max(map(len, rows)) - len(row))) for row in rows]))

def bits_of(logits, targets): return F.cross_entropy(logits.mT, targets, reduction="none").double().numpy() / np.log(2)

def char_bits(model, parts):
    "Bits of each character of each text but the first, the state carried from the text's start: a list of arrays."
    x = padded(model.vocabulary, parts.values())
    with torch.no_grad(): rows = bits_of(model(x[:, :-1])[0], x[:, 1:])
    return [row[: len(text) - 1] for row, text in zip(rows, parts.values())]

def mean_bits(model, parts): return float(np.concatenate(char_bits(model, parts)).mean())

# %%
#| code-summary: "a run of training"
#| code-fold: true
def train_text(model, parts, lr, steps, cooled=False, watch=None, every=240):
    """Learn by truncated back-propagation, 16 streams and 64 characters at a time, gradients clipped at norm 1; (steps, seconds, watched).

    The rate is constant, and what is watched is the running mean of the weights over about the last tenth of the steps, 100 at most, as good at any step as if the rate
    had come down there; cooled: the rate goes up and down in one cycle instead, and the weights are the last ones. seconds: of this process.
    """
    tokens, seconds, seen = model.vocabulary.encode("".join(parts.values())), 0.0, []
    optimizer, mean = torch.optim.Adam(model.parameters(), lr, fused=True), copy.deepcopy(model)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, lr, steps, pct_start=0.05, cycle_momentum=False, final_div_factor=100) if cooled else None
    batches = iter(())
    for step in range(1, steps + 1):
        start, batch = time.process_time(), next(batches, None)
        if batch is None: batches, state = built.text_batches(tokens, 16, 64), None
        x, y = map(torch.from_numpy, batch or next(batches))
        logits, state = model(x, state)
        optimizer.zero_grad()
        F.cross_entropy(logits.flatten(0, 1), y.flatten()).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        state = built.detach(state)
        if cooled: schedule.step()
        else:
            with torch.no_grad(): torch._foreach_lerp_([*mean.parameters()], [*model.parameters()], max(0.01, 10 / (step + 9)))
        seconds += time.process_time() - start
        if watch and step % every == 0: seen.append((step, round(seconds, 2), watch(model if cooled else mean)))
    return (model if cooled else mean), seen

# %%
#| code-summary: "the table"
#| code-fold: true
def never_seen(vocabulary, order):
    "How often the order - 1 characters before a test character stand nowhere in the training texts; characters at a text's start count by what is there."
    windows = lambda text: np.lib.stride_tricks.sliding_window_view(vocabulary.encode(text), order - 1) @ len(vocabulary) ** np.arange(order - 1)
    known = np.unique(np.concatenate([windows(text) for text in train_parts.values()]))
    return float(np.mean(~np.isin(np.concatenate([windows(text)[:-1] for text in test_parts.values()]), known))) if order > 1 else 0.0

ngrams = {order: built.NGram(order, characters).fit(train_parts) for order in range(1, 8)}
ngram_bits = {order: np.concatenate([model.bits(text) for text in test_parts.values()]) for order, model in ngrams.items()}
table([{"order": order, "characters it looks at": order - 1, "bits a character": f"{bits.mean():.3f}",
        "context never seen": f"{never_seen(ngrams[order].vocabulary, order):.1%}"} for order, bits in ngram_bits.items()], name="ngrams",
      caption=f"n-grams with Witten–Bell smoothing, fitted to the first nine tenths of each of eight plays: −log2 p of a character, mean over the {len(ngram_bits[1]):,} of the last tenths, "
              f"and how often the characters before it occur nowhere in the training texts. All {len(characters)} characters equally likely would be {np.log2(len(characters)):.2f} bits.")

# %%
#| code-summary: "bits after a reset, the gradient over lag"
#| code-fold: true
def reset_places(parts, n, span, rng):
    "Where the state is reset: n places in each text, with 100 characters before and span behind."
    return {title: np.sort(rng.choice(np.arange(100, len(text) - span), n, replace=False)) for title, text in parts.items()}

def foreign_past(parts, places, rng, length=100, match=2):
    "For each place as many characters of other texts, which end in the same two as those before the place: {title: (n, length)}."
    code, found = built.Vocabulary(characters).encode, {}
    for title, at in places.items():
        other = code("".join(text for key, text in parts.items() if key != title))
        windows = np.lib.stride_tricks.sliding_window_view(other, length)
        ends, own = windows[:, -match:] @ [1000, 1], np.array([code(parts[title][i - match : i]) for i in at]) @ [1000, 1]
        order = ends.argsort(kind="stable")
        low, high = (np.searchsorted(ends[order], own, side) for side in ("left", "right"))
        row = np.where(high > low, order[np.minimum(rng.integers(low, np.maximum(high, low + 1)), len(order) - 1)], rng.integers(0, len(windows), len(at)))
        found[title] = windows[row]
    return found

def after_reset(model, parts, places, span=256, past=None):
    "Bits above those with the carried state, 1 to span characters behind a reset of the state to zeros, or to that of a foreign past: (texts, span)."
    rows, code, carried = [], model.vocabulary.encode, char_bits(model, parts)
    with torch.no_grad():
        for (title, at), whole in zip(places.items(), carried):
            x = torch.from_numpy(code(parts[title])[at[:, None] + np.arange(span + 1)])                # (n, span + 1)
            state = None if past is None else model(torch.from_numpy(past[title].copy()))[1]
            rows.append((bits_of(model(x[:, :-1], state)[0], x[:, 1:]) - whole[at[:, None] + np.arange(span)]).mean(axis=0))
    return np.array(rows)

def gradient_over_lag(model, parts, rng, n=64, span=100):
    "Norms of d loss(t)/d h(t-k), k = 0 to span: means over n places t in each text, with 100 characters of state before; divided by that of k = 0."
    x = torch.from_numpy(np.concatenate([model.vocabulary.encode(text)[rng.choice(len(text) - 2 * span - 1, (n, 1)) + np.arange(2 * span + 2)] for text in parts.values()]))
    with torch.no_grad(): state = model(x[:, :span])[1]
    hidden = []
    for t in range(span, 2 * span + 1):
        _, state = model.rnn(model.embedding(x[:, t : t + 1]), state)
        hidden.append(state[0] if isinstance(state, tuple) else state)
        hidden[-1].retain_grad()
    F.cross_entropy(model.head(hidden[-1][0]), x[:, -1], reduction="sum").backward()
    norms = torch.stack([h.grad[0].norm(dim=-1) for h in reversed(hidden)]).numpy()                      # (span + 1, places)
    model.zero_grad()
    return norms.mean(axis=1) / norms[0].mean()

visible = np.array([1, 2, 4, 8, 16, 32, 64, 128, 256])

def memory_of(model, places, past):
    "What `after_reset` finds at each number of visible characters, in each play, from zeros and from a foreign past."
    return {how: after_reset(model, test_parts, places, past=p)[:, visible - 1].round(4).tolist() for how, p in (("zeros", None), ("foreign", past))}

# %%
#| code-summary: "the long run: three networks, four rates, two seeds"
#| code-fold: true
#| slow
torch.set_num_threads(1)
rates, found = (0.001, 0.003, 0.01, 0.03), {"rates": {}, "runs": {}, "memory": {}, "gradient": {}}

def one_run(cell, seed, lr):
    "One pass over what is for learning: the network, and the bits in each play's last tenth on the way."
    return train_text(text_model(cell, seed), learn_parts, lr, 840, watch=lambda model: [float(row.mean()) for row in char_bits(model, test_parts)], every=210)

for seed in range(2):
    places = reset_places(test_parts, 320, 256, stream(seed, "reset places"))
    past = foreign_past(test_parts, places, stream(seed, "foreign past"))
    for cell in ("LSTM", "RNN", "GRU"):
        tried = {lr: one_run(cell, seed, lr) for lr in (rates if seed == 0 else [found["rates"][cell]["rate"]])}
        if seed == 0:
            held = {lr: mean_bits(model, held_parts) for lr, (model, _) in tried.items()}
            found["rates"][cell] = {"held out": held, "rate": min(held, key=held.get)}
        model, curve = tried[found["rates"][cell]["rate"]]
        found["runs"][f"{cell}|{seed}"] = [[step, seconds, np.round(bits, 4).tolist()] for step, seconds, bits in curve]
        found["memory"][f"{cell}|{seed}"] = memory_of(model, places, past)
        found["gradient"][f"{cell}|{seed}"] = {when: [float(f"{x:.3g}") for x in gradient_over_lag(some, test_parts, stream(12, "lag places"))]
                                               for when, some in (("before", text_model(cell, seed)), ("after", model))}
        _ = Path("results/12_cells.json").write_text(json.dumps(found))

# %%
#| code-summary: "the figure, the table, the claim"
#| code-fold: true
found, kinds = stored("12_cells"), list(sizes)
seeds = range(len(found["runs"]) // len(kinds))
counts = np.array([len(text) - 1 for text in test_parts.values()])
curves = {cell: [[(step, seconds, np.average(bits, weights=counts)) for step, seconds, bits in found["runs"][f"{cell}|{seed}"]] for seed in seeds] for cell in kinds}
steps, clock, bits = (({cell: np.array(runs)[..., column] for cell, runs in curves.items()}) for column in range(3))      # (seeds, points) each
common = min(seconds[:, -1].min() for seconds in clock.values())
in_time = {cell: float(np.mean([np.interp(common, s, b) for s, b in zip(clock[cell], bits[cell])])) for cell in kinds}
with figure(1, 2, sharey=True, name="cells", caption=f"Bits a character on the last tenths of the plays while three networks of about {sum(p.numel() for p in text_model('RNN', 0).parameters()):,} parameters learn: "
            f"means of two runs, and both (shaded), over steps of 1,024 characters and over the processor's seconds in PyTorch. Dotted: the 5-gram.",
            alt="Two panels with three falling curves each.") as axes:
    for ax, x, label in zip(axes, (steps, clock), ("steps", "seconds of one core")):
        lines({cell: b.mean(axis=0) for cell, b in bits.items()}, {cell: v.mean(axis=0) for cell, v in x.items()}, xlabel=label,
              ylabel="bits a character" if x is steps else "", band={cell: (b.min(axis=0), b.max(axis=0)) for cell, b in bits.items()}, ax=ax)
        ax.axhline(ngram_bits[5].mean(), linestyle=":", color=INK, linewidth=1)
last = {cell: np.array([found["runs"][f"{cell}|{seed}"][-1][2] for seed in seeds]) for cell in kinds}                  # (seeds, plays)
above = {cell: mean_interval((last[cell] - last["LSTM"]).mean(axis=0)) for cell in kinds if cell != "LSTM"}
table([{"network": cell, "hidden": sizes[cell], "parameters": f"{sum(p.numel() for p in text_model(cell, 0).parameters()):,}", "rate": found["rates"][cell]["rate"],
        f"bits after {steps[cell][0, -1]:,.0f} steps": f"{bits[cell][:, -1].mean():.3f}", "each run": ", ".join(f"{b:.3f}" for b in bits[cell][:, -1]),
        "above the LSTM": "{:+.3f} ± {:.3f}".format(*above[cell]).replace("-", "−") if cell in above else "–",
        f"bits after {common:.0f} seconds": f"{in_time[cell]:.3f}", "milliseconds a step": f"{1000 * (clock[cell] / steps[cell])[:, -1].mean():.0f}"} for cell in kinds], name="cells",
      caption="At equal parameters, after equally many steps, and after equally many seconds of one core in PyTorch, whose LSTM runs faster on a processor than its RNN and GRU. Above the LSTM: mean over eight plays and its 95% interval. "
              f"Rates: of {len(found['rates']['RNN']['held out'])}, the one with the fewest bits on a part of the training texts at the end, by one seed.")
claim("after equally many steps the LSTM needs fewer bits than the RNN of as many parameters, in each of eight plays and in both runs: by {:.2f} or more", (last["RNN"] - last["LSTM"]).min(), ">", 0.05)

# %%
#| code-summary: "the long run: the model of the zoo"
#| code-fold: true
#| slow
torch.set_num_threads(1)
model, _ = train_text(text_model("LSTM", 0), train_parts, 0.01, 9700, cooled=True)
_ = zoo.save("shakespeare", model, seed=0, test=plays, trained_on="the first nine tenths of each of eight plays, ten times")

# %%
#| code-summary: "the long run: how far back the model of the zoo looks"
#| code-fold: true
#| slow
torch.set_num_threads(1)
model = zoo.load("shakespeare", torch=True)
places = reset_places(test_parts, 640, 256, stream(12, "reset places"))
found = {"bits": [float(row.mean()) for row in char_bits(model, test_parts)],
         "memory": memory_of(model, places, foreign_past(test_parts, places, stream(12, "foreign past"))),
         "gradient": [float(f"{x:.3g}") for x in gradient_over_lag(model, test_parts, stream(12, "lag places"))]}
_ = Path("results/12_context.json").write_text(json.dumps(found))

# %%
#| code-summary: "the figure, the table, the claims"
#| code-fold: true
far, plain = stored("12_context"), {cell: [found["memory"][f"{cell}|{seed}"] for seed in seeds] for cell in kinds}
memory = {cell: {how: np.mean([np.array(run[how]) for run in runs], axis=0) for how in ("zeros", "foreign")} for cell, runs in plain.items()}   # (plays, len(visible))
memory["LSTM of the zoo"] = {how: np.array(rows) for how, rows in far["memory"].items()}
with figure(1, 2, sharey=True, sharex=True, name="memory", caption="What forgetting costs: bits a character above those with the whole past, when all that a network has seen since its state was set is so many characters. "
            "Left, set to zeros; right, to the state behind 100 characters of another play, which end in the same two. Means over eight plays, and their 95% intervals.",
            alt="Two panels with four curves each, which fall towards zero with the number of visible characters.") as axes:
    for ax, how in zip(axes, ("zeros", "foreign")):
        spread = {name: np.array([mean_interval(column) for column in rows[how].T]) for name, rows in memory.items()}
        lines({name: np.maximum(s[:, 0], 1e-4) for name, s in spread.items()}, visible, logx=True, logy=True, xlabel="characters seen since", ylabel="bits above the whole past" if how == "zeros" else "",
              band={name: (np.maximum(s[:, 0] - s[:, 1], 1e-4), s[:, 0] + s[:, 1]) for name, s in spread.items()}, title=how, ax=ax)
told = lambda rows: "{:.3f} ± {:.3f}".format(*mean_interval(rows)).replace("-", "−")
table([{"characters": k} | {f"{name}, {how}": told(rows[how][:, i]) for name, rows in memory.items() if name in ("RNN", "LSTM of the zoo") for how in rows}
       | {"n-gram": f"{ngram_bits[k + 1].mean() - np.average(far['bits'], weights=counts):.3f}" if k + 1 in ngram_bits else "–"} for i, k in enumerate(visible.tolist())], name="memory",
      caption="Bits above the whole past after so many visible characters: mean over eight plays and its 95% interval. Last column: the n-gram that looks at as many, above the zoo's LSTM.")
claim("64 characters behind a reset, the zoo's LSTM is within {:.3f} bits of what it is with the whole past, at the upper ends of both intervals", max(sum(mean_interval(rows[:, 6])) for rows in memory["LSTM of the zoo"].values()), "<", 0.012)
claim("16 characters behind one, it is not: it still needs {:.3f} bits more, at the lower ends", min(np.subtract(*mean_interval(rows[:, 4])) for rows in memory["LSTM of the zoo"].values()), ">", 0.05)
gap = {how: memory["LSTM"][how] - memory["RNN"][how] for how in ("zeros", "foreign")}                                   # > 0: the LSTM loses more
table([{"characters": k} | {f"LSTM − RNN, {how}": told(rows[:, i]) for how, rows in gap.items()} for i, k in enumerate(visible.tolist())], name="uses",
      caption="How much more the LSTM loses than the RNN of as many parameters, both after equally many steps, when only so many characters have been seen.")

# %%
#| code-summary: "the figure, the table, the claim"
#| code-fold: true
lags = {cell: {when: np.array([found["gradient"][f"{cell}|{seed}"][when] for seed in seeds]) for when in ("before", "after")} for cell in kinds}
with figure(1, 2, sharey=True, name="lag_after", caption="The gradient over lag in networks that read text: norm of the derivative of the loss at t by the state at t − k, divided by that at k = 0; mean over 512 places in the test texts, geometric mean of two networks, and both (shaded). "
            "Left before, right after learning.", alt="Two panels with three curves each that fall with the lag, on a logarithmic scale.") as axes:
    for ax, when in zip(axes, ("before", "after")):
        lines({cell: np.exp(np.log(v[when]).mean(axis=0)) for cell, v in lags.items()}, logy=True, xlabel="lag k", ylabel="gradient, relative" if when == "before" else "",
              band={cell: (v[when].min(axis=0), v[when].max(axis=0)) for cell, v in lags.items()}, title=f"{when} learning", ax=ax)
        ax.set_ylim(1e-12, 3)
table([{"network": cell, "learning": when} | {f"k = {k}": ", ".join(f"{x:.1e}" for x in v[when][:, k]) for k in (5, 20, 50, 100)} for cell, v in lags.items() for when in v], name="lag_after",
      caption="The same in numbers, for both networks of each kind.")

# %%
#| code-summary: "what units are compared with"
#| code-fold: true
def pieces_of(parts, n=8): return [text[i * (len(text) // n) : (i + 1) * (len(text) // n)] for text in parts.values() for i in range(n)]

def targets_of(parts, n=8):
    "For each character: how many since the line began, whether in a stage direction, whether in a line that names a speaker: three lists of arrays."
    found = {"place in the line": [], "in a stage direction": [], "in a speaker's name": []}
    for text in parts.values():
        at, size = np.arange(len(text)), len(text) // n
        chars = np.array(list(text))
        breaks = np.maximum.accumulate(np.where(chars == "\n", at, 0))
        opened, closed = (np.maximum.accumulate(np.where(chars == c, at, -1)) for c in "[]")
        named = np.zeros(len(text))
        for match in re.finditer(r"(?<=\n\n)[A-Z][A-Za-z .']{1,29}(?=\n[^\n])", text): named[match.start() : match.end()] = 1
        for rows, values in zip(found.values(), (at - breaks, opened > closed, named)): rows += [values[i * size : (i + 1) * size].astype(np.float32) for i in range(n)]
    return found

def unit_states(model, pieces):
    "h and c of each unit behind each character of each piece: a list of arrays (characters, 2H)."
    x, state, seen = padded(model.vocabulary, pieces), None, []
    with torch.no_grad():
        for t in range(x.shape[1]):
            state = model.rnn(model.embedding(x[:, t : t + 1]), state)[1]
            seen.append(torch.cat(state, dim=-1)[0].numpy())
    return [rows[: len(text)] for rows, text in zip(np.stack(seen, axis=1), pieces)]

def traces(vocabulary, pieces):
    "What a unit without gates could hold: for each character, whether it was seen, fading by a factor of exp(−1/τ) a step, τ = 1, 4, 16, 64: (characters, 4V)."
    x, fade, now, seen = padded(vocabulary, pieces).numpy(), np.repeat(np.exp(-1 / np.array([1, 4, 16, 64], np.float32)), len(vocabulary)), 0, []
    for t in range(x.shape[1]):
        now = now * fade + np.tile(np.eye(len(vocabulary), dtype=np.float32)[x[:, t]], 4)
        seen.append(now)
    return [rows[: len(text)] for rows, text in zip(np.stack(seen, axis=1), pieces)]

def history_means(vocabulary, pieces, target, n=3):
    "The mean of the target behind the last n characters, taken from the first half of the pieces of each play: a list of arrays, one for each piece."
    codes = [np.convolve(vocabulary.encode(text), 1000 ** np.arange(n))[: len(text)] for text in pieces]
    keys, kind = np.unique(np.concatenate(codes), return_inverse=True)
    kind, first = np.split(kind, np.cumsum([len(c) for c in codes])[:-1]), [i for i in range(len(pieces)) if i % 8 < 4]
    total, n_seen = (np.bincount(np.concatenate([kind[i] for i in first]), weights, len(keys)) for weights in (np.concatenate([target[i] for i in first]), None))
    overall = total.sum() / n_seen.sum()
    return [np.where(n_seen > 0, total / np.maximum(n_seen, 1), overall)[k].astype(np.float32)[:, None] for k in kind]

# %%
#| code-summary: "the table, the claim"
#| code-fold: true
def correlations(features, target):
    "Correlation of each column of (N, F) with (N,); 0 for a constant."
    f, y = features - features.mean(axis=0), target - target.mean()
    return (y @ f) / np.maximum(np.sqrt((f**2).sum(axis=0) * (y**2).sum()), 1e-9)

def half(rows, second): return np.concatenate([row for i, row in enumerate(rows) if (i % 8 >= 4) == second])

def by_line(features, target):
    "Of the column that correlates best with the target in the first half: its number, and the correlation there and in the second half."
    first, second = (correlations(half(features, k), half(target, k)) for k in (False, True))
    best = int(np.abs(first).argmax())
    return best, float(abs(first[best])), float(second[best] * np.sign(first[best]))

def by_cut(features, target):
    "Of the column and threshold that tell most of the first half right (of every third character): the column, and the shares there and in the second half."
    x, y = half(features, False)[::3], half(target, False)[::3] > 0
    order = x.argsort(axis=0)
    above = (np.cumsum(~y[order], axis=0) + y.sum() - np.cumsum(y[order], axis=0)) / len(y)              # right when what lies above is called true
    row, best = np.unravel_index(np.maximum(above, 1 - above).argmax(), above.shape)
    cut, side = x[order[row, best], best], above[row, best] >= 0.5
    told = lambda k: float(np.mean(((half(features, k)[:, best] > cut) == side) == (half(target, k) > 0)))
    return int(best), told(False), told(True)

reader, pieces, targets = zoo.load("shakespeare", torch=True), pieces_of(test_parts), targets_of(test_parts)
network = {"learned": unit_states(reader, pieces), "before": unit_states(text_model("LSTM", 1), pieces), "trace": traces(reader.vocabulary, pieces)}
settled = [np.arange(len(text)) >= 100 for text in pieces]                 # the state of a piece starts at zero
spoken = [s & (d == 0) & (n == 0) for s, d, n in zip(settled, *list(targets.values())[1:])]
rows, units, scores = [], {}, {}
for name, target in targets.items():
    judge, spell, where = (by_line, "{:.2f}", spoken) if name == "place in the line" else (by_cut, "{:.1%}", settled)
    network["last three"] = history_means(reader.vocabulary, pieces, target)
    wanted = [t[w] for t, w in zip(target, where)]
    chosen = {what: judge([f[w] for f, w in zip(features, where)], wanted) for what, features in network.items()}
    unit, common = chosen["learned"][0], half(wanted, True).mean()
    units[name], scores[name] = unit, {what: score for what, (_, _, score) in chosen.items()} | {"commoner": max(common, 1 - common)}
    rows.append({"what it follows": name, "by": "correlation" if judge is by_line else "threshold", "unit": f"{'hc'[unit // sizes['LSTM']]} {unit % sizes['LSTM']}",
                 "where chosen": spell.format(chosen["learned"][1])} | {head: spell.format(scores[name][what]) for head, what in
                 (("elsewhere", "learned"), ("before learning", "before"), ("fading trace", "trace"), ("last three characters", "last three"))}
                | {"commoner answer": "–" if judge is by_line else spell.format(scores[name]["commoner"])})
table(rows, name="units", caption="The unit of the zoo's LSTM, among its h and c, that follows best how many characters a spoken line has had (by correlation, without headings and stage directions), or whether the text is in a stage direction or in a line that names a speaker (by a threshold: the share told right), "
      "chosen in half of each test text and measured in the other half. Behind it, chosen and measured in the same way: the best unit of such a network before learning; the best of fading traces of single characters; what stood behind the last three characters; the commoner answer.")
claim("one value in the cells follows the place in the line with a correlation {:.2f} higher than the best fading trace does", scores["place in the line"]["learned"] - scores["place in the line"]["trace"], ">", 0.08)

# %%
#| code-summary: "samples, the figure that moves"
#| code-fold: true
writer, heat = zoo.load("shakespeare"), [0.0, 0.2, 0.3, 0.5, 0.7, 0.85, 1.0, 1.2, 1.5]
written = {t: built.generate(writer, "\n\nHAMLET.\n", 320, temperature=t, rng=12).strip() for t in heat}

def sheet(temperature):
    shown = "\n".join(line for text in written[temperature].split("\n") for line in (textwrap.wrap(text, 62) or [""]))
    with figure(width=5.6, height=3.4) as ax:
        ax.text(0, 1, "\n".join(shown.split("\n")[:17]), family="monospace", fontsize=8, va="top", transform=ax.transAxes)
        ax.axis("off")

explore(sheet, temperature=heat, start={"temperature": 0.7}, name="samples", caption="What the zoo's LSTM writes behind HAMLET's name. The same random numbers choose the characters at each temperature; at 0 it takes the likeliest every time.",
        alt=lambda temperature: f"At temperature {temperature:g}: {' '.join(written[temperature].split())[:200]}")

# %%
#| code-summary: "gates over a sentence, the figure that moves"
#| code-fold: true
def gates_over(model, text, warm):
    "Input, forget and output gate of each unit, and c behind each character of text[warm:]: four arrays (characters, H)."
    layer, x = model.rnn, model.embedding(torch.from_numpy(model.vocabulary.encode(text))[None])
    with torch.no_grad():
        h, c = (torch.zeros(1, layer.hidden_size) for _ in range(2))
        seen = []
        for t in range(len(text)):
            z = F.linear(x[:, t], layer.weight_ih_l0, layer.bias_ih_l0) + F.linear(h, layer.weight_hh_l0, layer.bias_hh_l0)
            i, f, g, o = (gate.sigmoid() if k != 2 else gate.tanh() for k, gate in enumerate(z.chunk(4, dim=1)))
            c = f * c + i * g
            h = o * c.tanh()
            seen.append(torch.stack([i, f, o, c])[:, 0])
    return dict(zip(("input gate", "forget gate", "output gate", "cell state"), torch.stack(seen, dim=1).numpy()[:, warm:]))

passage = test_parts["macbeth"]
begin = passage.index("\n\nMACBETH.\n", 2000) - 12                         # the end of a line, a name, and what it says
opened = gates_over(reader, passage[begin - 300 : begin + 66], 300)
shown = passage[begin : begin + 66].replace("\n", "¶")
looked = {"mean of all": None} | {f"unit {units[name] % sizes['LSTM']}: {name}": units[name] % sizes["LSTM"] for name in units}

def gates_drawn(what, unit):
    values, one = opened[what], looked[unit]
    with figure(width=6.4, height=2.2) as ax:
        ax.plot(values.mean(axis=1) if one is None else values[:, one], drawstyle="steps-mid")
        ax.set(xticks=range(len(shown)), xticklabels=list(shown), ylabel=what, title=unit)
        ax.set_ylim((0, 1) if "gate" in what else None)
        ax.tick_params(axis="x", labelsize=6, length=0)

explore(gates_drawn, what=list(opened), unit=list(looked), start={"what": "cell state", "unit": list(looked)[1]}, name="gates", caption="Gates of the zoo's LSTM while it reads (¶ ends a line): how far each is open behind a character, 0 closed, 1 open, as a mean over all units and in the units of the table.",
        alt=lambda what, unit: f"The {what}, {unit}, over {len(shown)} characters: from {min(v := (opened[what].mean(axis=1) if looked[unit] is None else opened[what][:, looked[unit]])):.2f} to {max(v):.2f}.")
