# Cells for chapter 14, in the order proposed. Names used from elsewhere: BPETokenizer, pretokenize (library), NGram (chapter 12).
# Sentences in markdown cells are proposals: the page's author may change them.

# %% jupyter={"source_hidden": true}
#| code-summary: "imports for the experiments"
#| code-fold: true
import copy
import importlib
import inspect
import json
import re
from collections import Counter
from pathlib import Path

from matplotlib.patches import FancyBboxPatch

from nnbook.claims import claim
from nnbook.data import shakespeare
from nnbook.evaluation import mean_interval
from nnbook.explore import explore
from nnbook.plots import COLORS, INK, figure, lines, table
from nnbook.rnn import NGram
from nnbook.running import stored
from nnbook.streams import stream
from nnbook.tokenizer import BPETokenizer, pretokenize

plays = shakespeare()
train_parts, test_parts = plays.train_parts, plays.test_parts

# %% [markdown]
# EXP 1 (section "Byte-pair encoding"). Merges are learned one after the other, and no later one changes an earlier one. So one training gives every smaller vocabulary too: leave off the last merges.

# %%
large = BPETokenizer.train(train_parts.values(), 8192)

def pieces(size):
    "The tokenizer of `size` tokens: the bytes and the first merges."
    return BPETokenizer(large.merges[: size - 256])

# %% jupyter={"source_hidden": true}
#| code-summary: "the figure that moves"
#| code-fold: true
start = plays.text.index("To be, or not to be")
speech = "".join(plays.text[start:].splitlines(keepends=True)[:2]).rstrip()
learned = [*range(11), 15, 20, 30, 50, 100, 200, 300, 500, 1000, 2000, 4000, len(large.merges)]
shown = lambda token: token.decode().replace(" ", "␣").replace("\n", "↵")

def pair(merges):
    "The merge learned last, in words."
    return "the bytes alone" if merges == 0 else "“{}” + “{}”".format(*map(shown, large.merges[merges - 1]))

def cut(merges):
    tokenizer = pieces(256 + merges)
    ids = tokenizer.encode(speech)
    with figure(width=4.4, height=1.2) as ax:
        x, y = 0, 0
        for i in ids:
            token = tokenizer.tokens[i].decode()
            color, new = list(COLORS.values())[i % len(COLORS)], i == 255 + merges
            ax.add_patch(box(x, y, len(token), color, new))
            ax.text(x + len(token) / 2, y, token.replace("\n", "↵"), family="monospace", fontsize=10, ha="center", va="center", weight="bold" if new else "normal", in_layout=False)
            x, y = (0, y + 1) if token.endswith("\n") else (x + len(token), y)
        ax.set(xlim=(-0.3, 46), ylim=(1.6, -0.6))
        ax.axis("off")
        ax.set_title(f"{pair(merges)}: {len(ids)} tokens for {len(speech)} bytes", loc="left")

def box(x, y, width, color, new):
    "The box of a token: filled where the last merge made it."
    return FancyBboxPatch((x + 0.08, y - 0.3), width - 0.16, 0.6, boxstyle="round,pad=0,rounding_size=0.15", linewidth=2 if new else 1,
                          edgecolor=color, facecolor=(color, 0.25 if new else 0.08), in_layout=False)

explore(cut, merges=learned, start={"merges": 3}, name="merges",
        caption="Two lines as tokens, after so many merges learned on the first nine tenths of each play; above them the merge learned last. Where it is used, its token is filled and bold. "
                "Tokens of one color are not the same token; ↵ ends a line, and a space belongs to the box that it stands in.",
        alt=lambda merges: f"Two lines of Hamlet in boxes, one a token, {len(pieces(256 + merges).encode(speech))} in all; "
                           + ("each character has its own." if merges == 0 else f"the last of {merges:,} merges joined {pair(merges)}."))

# %% [markdown]
# EXP 2 (section "Characters, words, or pieces?"). **Predict**: of the words in the last tenths of the plays, which share does not occur in the first nine tenths at all? And how much shorter does a text become in 1,000 tokens than in bytes, how much in 8,000?

# %% jupyter={"source_hidden": true}
#| code-summary: "words never seen, the table"
#| code-fold: true
def words(parts): return [w for text in parts.values() for w in re.findall(r"[a-z]+(?:'[a-z]+)*", text.lower())]

known, asked = words(train_parts), words(test_parts)
ranked = Counter(known).most_common()

def unseen(vocabulary):
    "Which share of the held-out running words, and of the different ones, is not in a vocabulary."
    return np.mean([w not in vocabulary for w in asked]), np.mean([w not in vocabulary for w in set(asked)])

halves = {share: {w for text in train_parts.values() for w in words({"": text[: int(len(text) * share)]})} for share in (0.25, 0.5)}
vocabularies = {f"the {n:,} most frequent": {w for w, _ in ranked[:n]} for n in (1000, 3000)} | \
    {f"all of the first {share:.0%}": v for share, v in halves.items()} | {"all": set(known)}
table([{"vocabulary": name, "words": len(v), "unknown, of running words": f"{unseen(v)[0]:.1%}", "of different words": f"{unseen(v)[1]:.1%}"} for name, v in vocabularies.items()], name="unseen",
      caption=f"Which of the {len(asked):,} words in the last tenths of the plays, and of the {len(set(asked)):,} different ones, a table of words does not know, for vocabularies from the first nine tenths, "
              "or from the first part of these. Words are lower-case here.")

# %% jupyter={"source_hidden": true}
#| code-summary: "the claim"
#| code-fold: true
claim("{:.1%} of the running words in the last tenths of the plays occur nowhere in the first nine", unseen(set(known))[0], ">", 0.028)

# %% [markdown]
# A doubling of the text takes away about a third of the unknown, and no more. The reason is the shape of the counts, [Zipf](99_references.ipynb#zipf1949)'s: the count of a word falls about as one over its rank, so that a large share of all different words occurs once, at any size of the text. There is no text after which all words have been seen.

# %%
def bytes_per_token(tokenizer, parts):
    return sum(len(text.encode()) for text in parts.values()) / sum(len(tokenizer.encode(text)) for text in parts.values())


# %% jupyter={"source_hidden": true}
#| code-summary: "compression and Zipf's law, the figure"
#| code-fold: true
sizes = [256, 288, 384, 512, 768, 1024, 2048, 4096, 8192]
cutters = {size: pieces(size) for size in sizes}
packed = {name: [bytes_per_token(cutters[size], parts) for size in sizes] for name, parts in (("learned on", train_parts), ("held out", test_parts))}
by_rank = {"words": [n for _, n in ranked]}
for size in (1024, 8192):
    used = np.bincount(np.concatenate([cutters[size].encode(text) for text in train_parts.values()]), minlength=size)
    by_rank[f"{size:,} tokens"] = np.sort(used[used > 0])[::-1]
with figure(2, width=7.2, height=2.8, name="compression",
            caption="Bytes per token over the size of the vocabulary, on the text that it was learned on and on the last tenths of the plays; and how often words and tokens occur in the text that they were "
                    "learned on, by rank, both axes logarithmic. Dashed: in proportion to one over the rank.",
            alt="Two panels. Bytes per token rise from 1 at 256 tokens, steeply at first, to about two and a half at a thousand; the curve of held-out text runs just below the other and "
                "falls behind toward 8,000. Of the counts by rank, words fall along a straight line that ends in a long shelf of words seen once; tokens run flatter at first and break off higher.") as (left, right):
    lines(packed, sizes, ax=left, logx=True, xlabel="tokens in the vocabulary", ylabel="bytes per token", styles={"held out": "--"})
    left.set_xticks([256, 512, 1024, 2048, 4096, 8192], ["256", "512", "1,024", "2,048", "4,096", "8,192"], minor=False)
    left.minorticks_off()
    lines(by_rank, {name: np.arange(1, len(n) + 1) for name, n in by_rank.items()}, ax=right, logx=True, logy=True, xlabel="rank", ylabel="occurrences")
    right.plot([1, len(ranked)], [by_rank["words"][0] * 3, by_rank["words"][0] * 3 / len(ranked)], "--", color=INK, linewidth=1)

# %% jupyter={"source_hidden": true}
#| code-summary: "compression in numbers, the table"
#| code-fold: true
once = sum(n == 1 for _, n in ranked) / len(ranked)
table([{"tokens": size, "bytes per token, learned on": f"{packed['learned on'][k]:.2f}", "held out": f"{packed['held out'][k]:.2f}",
        "gain of the last doubling": "" if size == 256 else f"{packed['held out'][k] / packed['held out'][sizes.index(size // 2)] - 1:.0%}"}
       for k, size in enumerate(sizes) if size in (256, 512, 1024, 2048, 4096, 8192)], name="packed",
      caption=f"How many bytes a token stands for. Words, for comparison: {len(ranked):,} different ones, of which {once:.0%} occur once.")

# %% [markdown]
# ### What the same sentence costs elsewhere
#
# The tokens were learned on English of 1600. **Predict**: the first article of the Universal Declaration of Human Rights in five languages: how many times as many tokens as in English does it take in German, in Greek, in Hindi, in Chinese?

# %% jupyter={"source_hidden": true}
#| code-summary: "the sentence in five languages, and some code, the table"
#| code-fold: true
article = {
    "English": "All human beings are born free and equal in dignity and rights. They are endowed with reason and conscience and should act towards one another in a spirit of brotherhood.",
    "German": "Alle Menschen sind frei und gleich an Würde und Rechten geboren. Sie sind mit Vernunft und Gewissen begabt und sollen einander im Geist der Brüderlichkeit begegnen.",
    "Greek": "Όλοι οι άνθρωποι γεννιούνται ελεύθεροι και ίσοι στην αξιοπρέπεια και τα δικαιώματα. Είναι προικισμένοι με λογική και συνείδηση, και οφείλουν να συμπεριφέρονται μεταξύ τους με πνεύμα αδελφοσύνης.",
    "Hindi": "सभी मनुष्यों को गौरव और अधिकारों के मामले में जन्मजात स्वतन्त्रता और समानता प्राप्त है। उन्हें बुद्धि और अन्तरात्मा की देन प्राप्त है और परस्पर उन्हें भाईचारे के भाव से बर्ताव करना चाहिए।",
    "Chinese": "人人生而自由，在尊严和权利上一律平等。他们赋有理性和良心，并应以兄弟关系的精神相对待。"}
others = article | {"Python": inspect.getsource(importlib.import_module("textwrap")), "digits": "3.14159265358979323846264338327950288419716939937510"}
letters = set(plays.text)

def price(name, size=8192):
    text, n = others[name], len(pieces(size).encode(others[name]))
    return {"text": name, "characters": len(text), "not in the plays": f"{np.mean([c not in letters for c in text]):.0%}", "bytes": len(text.encode()), "tokens": n,
            "tokens per character": f"{n / len(text):.2f}", "tokens per byte": f"{n / len(text.encode()):.2f}",
            "of the English": f"{n / len(pieces(size).encode(article['English'])):.1f} ×" if name in article else ""}

table([price(name) for name in others], name="price",
      caption="What 8,192 tokens learned on the plays make of other texts: one sentence in five languages, the source of Python's module textwrap, and π. "
              "Not in the plays: the share of characters that a table of the plays' characters could not write at all.")

# %% [markdown]
# Half of this is forced. The plays are ASCII, so no merge joins bytes of Greek, Hindi or Chinese, and each of their letters costs its two or three bytes of UTF-8; a table of the plays' characters would fail on them altogether. German shares the alphabet and pays all the same, for words that the merges don't fit. Large vocabularies are learned on many languages, but by their share in the text: [Petrov et al. (2023)](99_references.ipynb#petrov2023) found the same sentences up to fifteen times as long in one language as in another, and who pays by the token pays for that.

# %% [markdown]
# EXP 3 (section "Bits per byte"). A model that predicts tokens is asked fewer questions, and each is harder. Its bits *per token* can't be compared with bits per character. Its bits **per byte** can: the bits of all tokens, over the bytes that these stand for.
#
# Take the n-gram of [chapter](12_rnn.ipynb), and let it count tokens. It wants characters, so each token gets one that no text uses.
#
# **Predict**: with 1,024 tokens in place of 256 bytes, does the best table pay more per token, or less? And per byte?

# %%
def spelled(tokenizer, text):
    "One private character a token."
    return "".join(chr(0x10000 + i) for i in tokenizer.encode(text))

def table_of(tokenizer, order, parts):
    alphabet = "".join(chr(0x10000 + i) for i in range(len(tokenizer)))
    return NGram(order, alphabet).fit([spelled(tokenizer, text) for text in parts.values()])

def bits_of(model, tokenizer, text):
    "Bits of each token of a text but the first, and the bytes that these tokens stand for."
    first = tokenizer.tokens[tokenizer.encode(text)[0]]
    return model.bits(spelled(tokenizer, text)), len(text.encode()) - len(first)


# %% jupyter={"source_hidden": true}
#| code-summary: "the rival, and tables that trust less"
#| code-fold: true
class WordsElseBytes:
    "The rival: the most frequent pre-tokens as a whole, all others byte by byte."
    def __init__(self, parts, size):
        counts = Counter(w for text in parts.values() for w in pretokenize(text) if len(w) > 1)
        self.tokens = [bytes([b]) for b in range(256)] + [w.encode() for w, _ in counts.most_common(size - 256)]
        self.ids = {token: i for i, token in enumerate(self.tokens)}

    def __len__(self): return len(self.tokens)

    def encode(self, text):
        return np.array([i for w in map(str.encode, pretokenize(text)) for i in ([self.ids[w]] if w in self.ids else w)])

def trusting(model, order, kappa):
    "The model cut down to an order; kappa d shares in place of d go to the shorter context."
    less = copy.copy(model)
    less.order, less._tables = order, [(keys, pairs, counts, total, kappa * kinds) for keys, pairs, counts, total, kinds in model._tables[:order]]
    return less

def price_of(model, tokenizer, parts):
    "Bits and bytes of each part, and its tokens."
    found = [bits_of(model, tokenizer, text) for text in parts.values()]
    return [float(b.sum()) for b, _ in found], [n for _, n in found], [len(b) for b, _ in found]

def prices_held(model, tokenizer):
    "Bits per byte on held-out training text, for each order up to the model's and each kappa."
    found = {}
    for order in range(1, model.order + 1):
        for kappa in (1, 2, 4, 8, 16):
            bits, n, _ = price_of(trusting(model, order, kappa), tokenizer, held_parts)
            found[f"{order} {kappa}"] = sum(bits) / sum(n)
    return found

learn_parts = {title: text[: len(text) * 8 // 9] for title, text in train_parts.items()}     # orders and trust are chosen on the rest
held_parts = {title: text[len(text) * 8 // 9 :] for title, text in train_parts.items()}
makes = {"pieces": lambda parts, size: BPETokenizer.train(parts.values(), size), "words, else bytes": WordsElseBytes}

# %% jupyter={"source_hidden": true}
#| code-summary: "the long run: vocabularies, orders, and how far to trust a table"
#| code-fold: true
#| slow
def reach(tokenizer, order, parts):
    "The mean number of bytes before a byte that a table sees: of the order - 1 tokens before, and of its own token."
    sizes = [np.array([len(tokenizer.tokens[i]) for i in tokenizer.encode(text)]) for text in parts.values()]
    seen = [np.convolve(s, np.r_[0, np.ones(order - 1)])[: len(s)] + (s - 1) / 2 for s in sizes]
    return float(sum((s * v).sum() for s, v in zip(sizes, seen)) / sum(map(np.sum, sizes)))

deepest, found = {256: 9, 320: 8, 384: 7, 512: 6}, []
for kind, size in [("pieces", 2**k) for k in range(8, 14)] + [("pieces", 320), ("pieces", 384)] + [("words, else bytes", s) for s in (1024, 8192)]:
    tokenizer = makes[kind](learn_parts, size)
    held = prices_held(table_of(tokenizer, deepest.get(size, 5), learn_parts), tokenizer)
    orders = range(1, deepest.get(size, 5) + 1)
    run = {"kind": kind, "size": size, "held": held, "best": {"tuned": min(held, key=held.get), "as it is": min((k for k in held if k.endswith(" 1")), key=held.get)},
           "reach": [reach(tokenizer, order, held_parts) for order in orders]}
    tokenizer = makes[kind](train_parts, size)
    model = table_of(tokenizer, deepest.get(size, 5), train_parts)
    run["test"] = {how: dict(zip(("bits", "bytes", "tokens"), price_of(trusting(model, *map(int, at.split())), tokenizer, test_parts))) for how, at in run["best"].items()}
    found.append(run | {"counts": [sum(len(t[1]) for t in model._tables[:order]) for order in orders]})
    _ = Path("results/14_tables.json").write_text(json.dumps(found))

# %% jupyter={"source_hidden": true}
#| code-summary: "the long run: with less text"
#| code-fold: true
#| slow
found = []
for share in (1 / 16, 1 / 4, 1):
    for size, order in ((256, 9), (1024, 5)):
        parts = {title: text[: int(share * len(text))] for title, text in learn_parts.items()}
        tokenizer = makes["pieces"](parts, size)
        held = prices_held(table_of(tokenizer, order, parts), tokenizer)
        found.append({"share": share, "size": size, "bytes": sum(map(len, parts.values())), "best": min(held, key=held.get), "held": min(held.values())})
_ = Path("results/14_tables_less.json").write_text(json.dumps(found))

# %% jupyter={"source_hidden": true}
#| code-summary: "bits per token, bits per byte, the table"
#| code-fold: true
runs = stored("14_tables")
per_byte = lambda run, how: np.divide(run["test"][how]["bits"], run["test"][how]["bytes"])                     # (8,): a play each
total = lambda run, how, what="bytes": sum(run["test"][how]["bits"]) / sum(run["test"][how][what])

def row(run):
    order, kappa = map(int, run["best"]["tuned"].split())
    return {"tokens are": run["kind"] if run["size"] > 256 else "bytes", "how many": run["size"], "bytes per token": f"{sum(run['test']['tuned']['bytes']) / sum(run['test']['tuned']['tokens']):.2f}",
            "order": run["best"]["as it is"].split()[0], "bits per token": f"{total(run, 'as it is', 'tokens'):.2f}", "per byte": f"{total(run, 'as it is'):.3f}",
            "order, tuned": order, "κ": kappa, "per byte, tuned": f"{total(run, 'tuned'):.3f}", "counts kept": run["counts"][order - 1]}

table([row(run) for run in sorted(runs, key=lambda run: (run["kind"], run["size"]))], name="tables",
      caption="Tables of counts over tokens, on the last tenths of the plays. First with Witten–Bell's smoothing as it is, at the order that was best on held-out training text; then with κ times its weight on the "
              "shorter context, order and κ chosen there too. Words, else bytes: the most frequent words as a whole, all others byte by byte.")

# %% jupyter={"source_hidden": true}
#| code-summary: "the figure: at equal context"
#| code-fold: true
def curve(run, tuned):
    orders = range(1, len(run["reach"]) + 1)
    return [min(run["held"][f"{order} {kappa}"] for kappa in ((1, 2, 4, 8, 16) if tuned else (1,))) for order in orders]

chosen = {("bytes" if size == 256 else f"{size:,} tokens"): next(run for run in runs if run["size"] == size and run["kind"] == "pieces") for size in (256, 512, 2048, 8192)}
with figure(2, width=7.2, height=3.0, sharey=True, name="equal-context",
            caption="Bits per byte on held-out training text over the bytes that a table sees before the one it is asked for, on average; a point for each order. Witten–Bell's smoothing as it is, and with κ tuned at each point.",
            alt="Two panels with four curves each, all falling steeply and bending near five bytes. As it is, each curve turns up again, that of bytes most, and the lowest points of all are close together. "
                "Tuned, none turns up by much, and the curve of bytes runs below the others from five bytes on.") as axes:
    for ax, tuned in zip(axes, (False, True)):
        lines({name: curve(run, tuned) for name, run in chosen.items()}, {name: run["reach"] for name, run in chosen.items()}, ax=ax, styles={name: ".-" for name in chosen},
              xlabel="bytes seen before", ylabel="" if tuned else "bits per byte", title="κ tuned" if tuned else "as it is")
        ax.set(ylim=(2.0, 3.0), xlim=(0, 16))

# %% jupyter={"source_hidden": true}
#| code-summary: "with less text, the table"
#| code-fold: true
less_text = stored("14_tables_less")
table([{"bytes learned from": few["bytes"], "bytes": f"{few['held']:.3f}", "1,024 tokens": f"{many['held']:.3f}", "more": f"{many['held'] / few['held'] - 1:.1%}"} for few, many in zip(less_text[::2], less_text[1::2])], name="less-text",
      caption="Bits per byte on held-out training text of tables of bytes and of 1,024 tokens that learned from a sixteenth, a quarter and all of the rest, order and κ tuned for each.")

# %% jupyter={"source_hidden": true}
#| code-summary: "the claim"
#| code-fold: true
by_size = {run["size"]: run for run in runs if run["kind"] == "pieces"}
least = lambda size, order: min(by_size[size]["held"][f"{order} {kappa}"] for kappa in (1, 2, 4, 8, 16))
apart = {how: mean_interval(per_byte(by_size[1024], how) - per_byte(by_size[256], how)) for how in ("as it is", "tuned")}
table([{"smoothing": how, "1,024 tokens less bytes": f"{d:+.3f} ± {w:.3f}"} for how, (d, w) in apart.items()], name="apart",
      caption="Bits per byte of the best table of 1,024 tokens, less those of the best table of bytes: mean over the eight plays, 95% interval. "
              f"The best table of bytes keeps more counts. One of order 6 keeps {by_size[256]['counts'][5]:,}, that of 1,024 tokens {by_size[1024]['counts'][3]:,}; on held-out training text they pay {least(256, 6):.3f} and {least(1024, 4):.3f}.")
claim("with its smoothing tuned, the best table of 1,024 tokens pays {:.1%} more per byte than the best table of bytes", total(by_size[1024], "tuned") / total(by_size[256], "tuned") - 1, ">", 0.025)

# %% [markdown]
# Per token the price only rises, per byte it hardly moves. With the smoothing as it is, a thousand tokens seem to beat bytes by a little. But their rival was badly tuned: given a say over how far to trust a long context, the table of bytes uses longer ones and wins. At equal context, joining bytes gains such a table nothing here: a table of bytes falls back one byte at a time, a table of tokens one token at a time. The less text, the larger the gap; how it ends with a thousand times as much, these plays can't tell.
#
# So why tokens? Because a network pays by the *step*. Two and a half bytes a token are two and a half times the text in one context, and for one step's work. What that is worth is a question for [chapter on transformers].
#
# One caution. A text can be cut into tokens in many ways, and the model's probability of the text is the sum over all of them; we counted only the one way that `encode` chooses. So these bits are an upper bound ([Cao and Rimell, 2021](99_references.ipynb#cao2021)). For a table that sees one token back, the sum can be done:

# %% jupyter={"source_hidden": true}
#| code-summary: "the sum over all ways to cut a text, the table"
#| code-fold: true
def all_ways(model, tokenizer, text):
    "Bits of a text by a bigram model: of the canonical tokens, and of all ways to cut it together."
    data, ids, longest = text.encode(), {token: i for i, token in enumerate(tokenizer.tokens)}, max(map(len, tokenizer.tokens))
    logs = {-1: np.log2(model.probabilities(""))}                                              # by the token before: (V,)
    behind = lambda i: logs[i] if i in logs else logs.setdefault(i, np.log2(model.probabilities(chr(0x10000 + i))))
    ways = [{-1: 0.0}] + [{} for _ in data]                                                    # at each place, by the token that ends there
    for start in range(len(data)):
        for stop in range(start + 1, min(start + longest, len(data)) + 1):
            if (i := ids.get(data[start:stop])) is not None and ways[start]:
                ways[stop][i] = np.logaddexp2.reduce([p + behind(before)[i] for before, p in ways[start].items()])
    canonical = [-1, *tokenizer.encode(text).tolist()]
    return -sum(behind(a)[b] for a, b in zip(canonical, canonical[1:])), -np.logaddexp2.reduce(list(ways[-1].values()))

rows = []
for size in (512, 2048):
    tokenizer = pieces(size)
    bigram = table_of(tokenizer, 2, train_parts)
    one, every = np.array([all_ways(bigram, tokenizer, text[3000:3600]) for text in test_parts.values()]).T / 600      # (8,) each
    less, width = mean_interval(one - every)
    rows.append({"tokens": size, "the way of encode": f"{one.mean():.3f}", "all ways": f"{every.mean():.3f}", "difference": f"{less:.4f} ± {width:.4f}"})
table(rows, name="all-ways", caption="Bits per byte of 600 bytes from the last tenth of each play, by tables of order 2: by the tokens that encode gives, and by the sum over all ways to cut the text into tokens. 95% intervals over the plays.")

# %% [markdown]
# EXP 4 (section "What goes wrong").
#
# ### Spaces
#
# A token holds the space before its word, so `the`, ` the` and `The` are strangers to each other, with nothing in common but their spelling, which the model never sees. And a prompt that ends in a space ends in a token that almost never comes before a word. **Predict**: how many bits more does the next word cost, if the prompt already holds its space?

# %% jupyter={"source_hidden": true}
#| code-summary: "a prompt that ends in a space, the tables"
#| code-fold: true
tokenizer = pieces(2048)
trigram, fourgram = (table_of(tokenizer, order, train_parts) for order in (3, 4))
opens = np.array([token.startswith(b" ") for token in tokenizer.tokens])                       # (V,)

def next_bits(model, before, ids):
    "Bits of tokens behind others, and those of a space coming first."
    p = [model.probabilities("".join(chr(0x10000 + i) for i in [*before, *ids[:k]])) for k in range(len(ids))]
    return -sum(np.log2(p[k][i]) for k, i in enumerate(ids)), -np.log2(p[0][opens].sum())

def trailing(text, at):
    "A word behind its prompt: given that a space comes, and behind a prompt that holds the space, by tables of order 3 and 4."
    before, word = tokenizer.encode(text[at - 200 : at])[-4:], re.match(r" [A-Za-z]+", text[at : at + 40])[0]
    whole, space = next_bits(trigram, before, tokenizer.encode(word))
    held = [*before, *tokenizer.encode(" ")]
    return [whole - space, *(next_bits(model, held, tokenizer.encode(word[1:]))[0] for model in (trigram, fourgram))]

places = [(text, m.start()) for text in test_parts.values() for m in re.finditer(r"(?<=[a-z,]) (?=[A-Za-z]+)", text) if m.start() > 200]
drawn = stream(14, "places").choice(len(places), 300, replace=False)
spaces = np.array([trailing(*places[i]) for i in drawn])                                       # (300, 3)
costs = {name: mean_interval(spaces[:, k] - spaces[:, 0]) for k, name in ((1, "order 3"), (2, "order 4, which sees a token more"))}
table([{"the space is": "known to come", "table": "order 3", "bits of the next word": f"{spaces[:, 0].mean():.2f}", "more": ""}] +
      [{"the space is": "in the prompt", "table": name, "bits of the next word": f"{spaces[:, k].mean():.2f}", "more": "{:.2f} ± {:.2f}".format(*costs[name])} for k, name in enumerate(costs, 1)], name="spaces",
      caption="What the next word costs behind 300 places of the last tenths, with 2,048 tokens: when the model knows that a space comes, and when the space is the last token of the prompt. 95% intervals.")
likely = lambda prompt: [repr(tokenizer.tokens[i].decode()) for i in np.argsort(-trigram.probabilities(spelled(tokenizer, prompt)))[:5]]
table([{"prompt": repr(prompt), "likeliest next tokens": ", ".join(likely(prompt))} for prompt in ("I pray you, tell", "I pray you, tell ", "To be, or not to", "To be, or not to ")], name="prompts",
      caption="The five likeliest next tokens, by the table of order 3.")

# %% jupyter={"source_hidden": true}
#| code-summary: "the claim"
#| code-fold: true
claim("a space at the end of the prompt makes the next word cost {:.1f} bits more, at the better order", min(mean for mean, _ in costs.values()), ">", 9)

# %% [markdown]
# ### Rare tokens

# %% jupyter={"source_hidden": true}
#| code-summary: "tokens that are hardly used, the table"
#| code-fold: true
def usage(size):
    tokenizer = pieces(size)
    seen, new = (np.bincount(np.concatenate([tokenizer.encode(text) for text in parts.values()]), minlength=size) for parts in (train_parts, test_parts))
    merged = seen[256:]
    return {"tokens": size, "bytes never used": int((seen[:256] == 0).sum()), "merged tokens": size - 256, "never used": int((merged == 0).sum()), "fewer than 5 times": int((merged < 5).sum()),
            "fewer than 20 times": int((merged < 20).sum()), "unused in the last tenths": f"{np.mean(new[256:] == 0):.0%}"}

table([usage(size) for size in (512, 1024, 2048, 4096, 8192)], name="rare", caption="How often the tokens occur in the text that they were learned on, and which share of the merged ones never does in the last tenths.")
seen = np.bincount(np.concatenate([large.encode(text) for text in train_parts.values()]), minlength=8192)
steps = [i for i in range(256, 8192) if seen[i] == 0][:8]
print("the first merged tokens of 8,192 that are never used:", ", ".join(repr(large.tokens[i].decode()) for i in steps))

# %% [markdown]
# A merge can be a step: ... made on the way to ..., and all of its occurrences went on into the longer token. Such a token keeps its number, its row in the embedding, and the random values that the row began with: training never shows it. Type it in, and the network reads noise. That is how `SolidGoldMagikarp` got GPT-2's relatives to misbehave ([Rumbelow and Watkins, 2023](99_references.ipynb#rumbelow2023)); [Land and Bartolo (2024)](99_references.ipynb#land2024) find such tokens in most open models. There the cause is a second one: the tokenizer was learned on other text than the network.

# %% [markdown]
# ### Numbers
#
# The plays hold next to no digits. So for once the tokens are learned on something else: sources of Python's standard library.

# %% jupyter={"source_hidden": true}
#| code-summary: "how numbers are cut, the tables"
#| code-fold: true
sources = [inspect.getsource(importlib.import_module(name)) for name in
           ("_pydecimal", "argparse", "calendar", "cmd", "configparser", "csv", "difflib", "email.utils", "fractions", "ftplib", "html.entities", "imaplib", "ipaddress", "locale",
            "mimetypes", "optparse", "pdb", "pickle", "pickletools", "random", "shutil", "smtplib", "socket", "ssl", "statistics", "string", "subprocess", "tarfile", "tempfile", "textwrap",
            "threading", "turtle", "typing", "uuid", "zipfile")]
coder = BPETokenizer.train(sources, 8192)

def cuts(number):
    "The parts of a number."
    return [coder.tokens[i].decode() for i in coder.encode(str(number))]

sizes_of = {n: tuple(map(len, cuts(n))) for n in range(1000, 10000)}
table([{"number": f"{n}", "tokens": " | ".join(cuts(n)), "its successor": " | ".join(cuts(n + 1))} for n in (999, 1999, 2023, 12344, 99999, 1234567)], name="numbers",
      caption=f"Numbers in 8,192 tokens that were learned on {sum(map(len, sources)) / 1e6:.1f} million characters of Python's standard library.")
patterns = Counter(sizes_of.values()).most_common()
unlike = np.mean([sizes_of[n] != sizes_of[n + 1] for n in range(1000, 9999)])
table([{"digits in each token": " + ".join(map(str, p)), "numbers": n, "share": f"{n / 9000:.0%}"} for p, n in patterns], name="number-cuts",
      caption=f"How the numbers from 1000 to 9999 are cut. Of those up to 9998, {unlike:.0%} are cut at other places than the number after them.")

# %% [markdown]
# Carrying a one needs to know which digits stand over which. A network that reads these tokens has to learn that for each way to cut a number. Digit by digit, or in threes from the right, it is one way: [Singh and Strouse (2024)](99_references.ipynb#singh2024) found large models better at addition with the digits grouped from the right, as people write 12,345, than from the left.

# %% [markdown]
# ### There and back, and not there again
#
# `decode(encode(text))` is the text. `encode(decode(ids))` need not be the ids.

# %% jupyter={"source_hidden": true}
#| code-summary: "ids that don't come back, the table"
#| code-fold: true
def sampled(model, tokenizer, start, n, rng):
    "n tokens, each drawn from the model's opinion behind those before."
    ids = list(start)
    for _ in range(n):
        ids.append(int(rng.choice(len(tokenizer), p=model.probabilities("".join(chr(0x10000 + i) for i in ids[-2:])))))
    return ids[len(start):]

def comes_back(tokenizer, ids):
    "Whether the tokens are those that encode gives for their text."
    return np.array_equal(tokenizer.encode_bytes(tokenizer.decode_bytes(ids)), ids)

tokenizer, rng = pieces(1024), stream(14, "samples")
trigram = table_of(tokenizer, 3, train_parts)
real = np.concatenate([tokenizer.encode(text) for text in test_parts.values()])
starts = rng.choice(len(real) - 52, 100, replace=False)
back = {"the plays": [real[k + 2 : k + 50] for k in starts], "a table of order 3": [sampled(trigram, tokenizer, real[k : k + 2], 48, rng) for k in starts]}
wrong = [ids for ids in back["a table of order 3"] if not comes_back(tokenizer, ids)]
table([{"written by": name, "stretches": len(b), "that come back": sum(comes_back(tokenizer, ids) for ids in b)} for name, b in back.items()], name="back",
      caption="Stretches of 48 tokens, of a vocabulary of 1,024, and for how many of them encode gives the same tokens again. In the plays only the ends can differ, where a stretch was cut.")
def differs(ids):
    "Where a stretch and what encode makes of its text part, a few tokens long."
    again = tokenizer.encode_bytes(tokenizer.decode_bytes(ids)).tolist()
    k = next(k for k in range(len(ids)) if ids[k] != again[k])
    return tuple(" | ".join(repr(tokenizer.tokens[i])[2:-1] for i in x[k : k + 3]) for x in (ids, again))
for drawn, again in map(differs, wrong[:3]): print(f"drawn {drawn}; encode gives {again}")
