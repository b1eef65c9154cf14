# %%
#| code-summary: "imports for the experiments"
#| code-fold: true
import base64
import copy
import importlib
import inspect
import json
import re
from collections import Counter, defaultdict
from itertools import combinations, pairwise
from pathlib import Path

from matplotlib.patches import FancyBboxPatch

import nnbook.tokenizer as built
import nnbook.torch.tokenizer as twins
from nnbook.activations import sigmoid
from nnbook.claims import claim
from nnbook.data import shakespeare
from nnbook.diagrams import diagram
from nnbook.evaluation import mean_interval
from nnbook.exercises import check
from nnbook.explore import explore
from nnbook.optim import Adam
from nnbook.plots import COLORS, INK, figure, lines, scatter, table
from nnbook.rnn import NGram
from nnbook.running import stored
from nnbook.streams import stream
from nnbook.tokenizer import BPETokenizer, pretokenize

plays = shakespeare()
train_parts, test_parts = plays.train_parts, plays.test_parts

# %%
#| code-summary: "the drawing"
#| code-fold: true
def tree(token, merges):
    "The merges that make a token, as a diagram's text."
    made, drawn, arrows = {}, Counter(), []
    for a, b in merges: made.setdefault(a + b, (a, b))
    def name(part):
        drawn[part] += 1
        return part.decode().replace(" ", "␣") + f"#{drawn[part]}" * (drawn[part] > 1)
    def grow(part, below):
        for half in made.get(part, ()):
            grow(half, above := name(half))
            arrows.append(f"{above} -> {below}")
    grow(token, name(token))
    return "; ".join(arrows)

diagram(tree(b" should", pieces(1000).merges), name="tree",
        caption="One token among a thousand that the plays teach, and the merges that made it; ␣ is the space before the word.",
        alt="A tree: space and s become one, and an h joins them; o and u become ou, l and d become ld, and these two ould; both halves make the word should with the space before it.")

# %%
#| code-summary: "the table: what is looked at"
#| code-fold: true
def looked_at(texts, merges):
    "How many pairs are looked at while these merges are learned: by recounting the texts, by recounting distinct words, and in words with the pair alone."
    counts = Counter(piece for text in texts for piece in built.pretokenize(text))
    words, often, holding = [[bytes([b]) for b in word.encode()] for word in counts], list(counts.values()), defaultdict(set)
    for i, word in enumerate(words):
        for pair in pairwise(word): holding[pair].add(i)
    in_texts, in_words = sum((len(word) - 1) * n for word, n in zip(words, often)), sum(len(word) - 1 for word in words)
    found = np.array([0, 0, in_words])
    for a, b in merges:
        found[:2] += in_texts, in_words
        for i in holding.pop((a, b)):
            before, words[i] = words[i], plain_merge(words[i], (a, b))
            gone = len(before) - len(words[i])
            if gone:
                for pair in pairwise(words[i]): holding[pair].add(i)
                in_texts, in_words = in_texts - gone * often[i], in_words - gone
            found[2] += len(before) - 1 + (len(words[i]) - 1) * (gone > 0)
    return found, len(words), sum(often)

merges = pieces(256 + 2000).merges
looks, n_words, n_pieces = looked_at(train_parts.values(), merges)
table([{"counted": name, "pairs looked at": f"{n:,}", "of them": f"{n / looks[0]:.2%}"} for name, n in
       zip(("the whole text, for each merge", "distinct pre-tokens, for each merge", "all once, then words with the pair alone"), looks.tolist())], name="looked-at",
      caption=f"Pairs of neighbors looked at to learn {len(merges):,} merges from the plays but for the last tenth of each, {n_pieces:,} pre-tokens, {n_words:,} of them distinct.")

# %%
from nnbook.torch.twins import assert_twins

ours, again = built.SkipGram(500, 16), twins.SkipGram(500, 16)
rng = stream(0, "twins")
asked = rng.integers(500, size=64), rng.integers(500, size=(64, 6))
for what, error in assert_twins(ours, again, *asked).items():
    print(f"{what:20} {error:.0e}")
