# %% [markdown]
# ### Exercise 1 (5 minutes)
# One model loses 3.0 nats a token, and its tokens hold 4.2 bytes on average; another reads bytes, and loses 0.75 nats with each. By hand: which predicts the text better, and how many bits does it need for a byte?
#
# Then write `bits_per_byte(loss, n_tokens, text)`: `loss` is the mean over the `n_tokens` tokens of a text, in nats, and `text` a `str`, in any script.

# %%
def bits_per_byte(loss: float, n_tokens: int, text: str) -> float: ...
check("tokenizer.1", bits_per_byte)


# %% [markdown]
# <details><summary>Hint</summary>
#
# How many nats does the whole text cost? How many bits is one nat? And how many bytes has *é*?
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def bits_per_byte(loss, n_tokens, text):
#     return loss * n_tokens / np.log(2) / len(text.encode())
# ```
# The first: $3.0/4.2$ is less than 0.75, and divided by $\log2$ it is 1.03 bits. Two models may be compared so on *one* text. Between languages the number says little: a Greek letter has two bytes, and the second costs a good model next to nothing.
# </details>

# %% [markdown]
# ### Exercise 2 (25 minutes)
# Build the learning of byte-pair encoding from nothing. `learn_bpe(words, n)` takes a dictionary, `{word: how often it occurs}`, whose words are `bytes`, and returns the first `n` merges, a list of pairs of `bytes`. No merge crosses the border of a word. A pair counts at each place where it stands, in *aaa* twice, and is merged from the left. Of pairs that occur equally often take the smallest, as Python orders pairs of `bytes`. Where no pair is left, the list ends.

# %%
def learn_bpe(words: dict[bytes, int], n: int) -> list[tuple[bytes, bytes]]: ...
check("tokenizer.2", learn_bpe)


# %% [markdown]
# <details><summary>Hint</summary>
#
# Keep each word as a tuple of pieces, at first single bytes: `bytes([b])`. The smallest of the most frequent is one `min`, with a key of two parts. To merge, walk through the pieces once and look at the one written last.
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# from collections import Counter
#
# def joined(pieces, pair):
#     out = []
#     for piece in pieces:
#         if out and (out[-1], piece) == pair: out[-1] += piece
#         else: out.append(piece)
#     return tuple(out)
#
# def learn_bpe(words, n):
#     words, merges = {tuple(bytes([b]) for b in word): count for word, count in words.items()}, []
#     while len(merges) < n:
#         pairs = Counter()
#         for pieces, count in words.items():
#             for pair in zip(pieces, pieces[1:]): pairs[pair] += count
#         if not pairs: break
#         best = min(pairs, key=lambda pair: (-pairs[pair], pair))
#         merges.append(best)
#         words = {joined(pieces, best): count for pieces, count in words.items()}
#     return merges
# ```
# To look at the piece written last is safe: a merged one is longer than the pair's first half, and can't be taken for it. With `re.findall` and a `Counter` it learns from a book, if you wait; what the library does to make you wait less is a matter of keeping `pairs` instead of making it anew.
# </details>

# %% [markdown]
# ### Exercise 3 (15 minutes)
# This tokenizer makes only tokens that it knows, and whatever is in the plays comes back unchanged.
#
# ```python
# class Pieces:
#     def __init__(self, merges): self.merges = merges           # pairs of bytes, in the order learned
#
#     def encode(self, text):
#         "A pre-token -> its tokens, a list of bytes."
#         out = []
#         for b in text.encode():
#             out.append(bytes([b]))
#             while len(out) > 1 and (out[-2], out[-1]) in self.merges:
#                 out[-2:] = [out[-2] + out[-1]]
#         return out
#
#     def decode(self, tokens):
#         return "".join(token.decode(errors="replace") for token in tokens)
# ```
# Two things are wrong with it. One makes a model that learned from other tokens stumble, the other shows outside the plays. Find an input for each. Then write one that is right.

# %%
class Pieces:
    def __init__(self, merges: list[tuple[bytes, bytes]]): ...

    def encode(self, text: str) -> list[bytes]: ...

    def decode(self, tokens: list[bytes]) -> str: ...

check("tokenizer.3", Pieces)


# %% [markdown]
# <details><summary>Hint</summary>
#
# With the merges *b c*, *a b* and *a bc*, in this order: what does training make of *abc*, and what this code? For the other, what are the bytes of *é*, if no merge joins them?
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# class Pieces:
#     def __init__(self, merges): self.rank = {pair: i for i, pair in enumerate(merges)}
#
#     def encode(self, text):
#         tokens = [bytes([b]) for b in text.encode()]
#         while True:
#             best = min(zip(tokens, tokens[1:]), key=lambda pair: self.rank.get(pair, len(self.rank)), default=None)
#             if best not in self.rank: return tokens
#             out = []
#             for token in tokens:
#                 if out and (out[-1], token) == best: out[-1] += token
#                 else: out.append(token)
#             tokens = out
#
#     def decode(self, tokens):
#         return b"".join(tokens).decode(errors="replace")
# ```
# Merging whatever can be merged, from the left, gives other tokens than those of training; a round trip doesn't show it. Compare the *tokens* with those of the code that trained. And a decoder that shows text while a model writes must wait until a character is complete.
# </details>

# %% [markdown]
# ### Exercise 4 (20 minutes)
# In how many ways can a text be cut into tokens of a vocabulary? Write `ways(text, tokens)`, of `bytes` and a set of `bytes`: *aaa* has three with the tokens *a* and *aa*. **Predict** the number for ten bytes of the plays, and for forty, with 1,000 tokens. Then look:
#
# ```python
# tokenizer = BPETokenizer.train(train_parts.values(), 1_000)
# start = plays.text.index("To-morrow, and to-morrow")
# for n in (5, 10, 20, 40, 80):
#     print(n, ways(plays.text[start : start + n].encode(), set(tokenizer.tokens)))
# ```

# %%
def ways(text: bytes, tokens: set[bytes]) -> int: ...
check("tokenizer.4", ways)


# %% [markdown]
# <details><summary>Hint</summary>
#
# The last token of a way ends where the text ends. If you knew the number of ways for every shorter beginning, how would they add up? And in how many ways can a text of no bytes be cut?
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def ways(text, tokens):
#     longest = max(map(len, tokens), default=0)
#     count = [1]                                              # count[i]: ways to cut the first i bytes
#     for end in range(1, len(text) + 1):
#         count.append(sum(count[start] for start in range(max(0, end - longest), end) if text[start:end] in tokens))
#     return count[-1]
# ```
# The number doubles about every second byte; forty have more than a million ways. The tokenizer makes one of them. If a model spread its probability evenly over all, its [bits per byte](#eq-bits-per-byte) would be too high by half a bit; but it has seen no other, and [gives the rest little](#tbl-all-ways). The same sums, with probabilities in the place of ones, are how a *unigram* tokenizer ([Kudo and Richardson, 2018](99_references.ipynb#kudo2018)) learns its pieces.
# </details>

# %% [markdown]
# ### Exercise 5 (20 minutes)
# Skip-gram without the engine: write `step(W, C, center, context, drawn, lr)`, one step of gradient descent on the loss of one pair. `W` (V, d) holds the words' vectors as centers, `C` (V, d) as contexts; `center` and `context` are the numbers of two words that stand near each other, and `drawn` (k,) those of the contexts drawn. The step changes `W` and `C` in place, and returns the loss before it.
#
# A word may be drawn twice, and the true context may be drawn, too. **Predict** what the step does to a context that is the true one and drawn once, when its score is 0.

# %%
def step(W: np.ndarray, C: np.ndarray, center: int, context: int, drawn: np.ndarray, lr: float) -> float: ...
check("tokenizer.5", step)


# %% [markdown]
# <details><summary>Hint</summary>
#
# The derivative of $-\log\sigma(s)$ by $s$ is $\sigma(s)-1$, that of $-\log\sigma(-s)$ is $\sigma(s)$. Both vectors of a pair move by the *old* other one. And what does `C[rows] += ...` do when a row is named twice?
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def step(W, C, center, context, drawn, lr):
#     rows = np.concatenate([[context], drawn])                   # (1 + k,)
#     true = np.arange(len(rows)) == 0
#     scores = C[rows] @ W[center]                                # (1 + k,)
#     loss = np.logaddexp(0, np.where(true, -scores, scores)).sum()
#     slope = 1 / (1 + np.exp(-scores)) - true                    # of the loss, by score
#     for_center = slope @ C[rows]                                # (d,), before C moves
#     np.add.at(C, rows, -lr * slope[:, None] * W[center])        # C[rows] -= ... would count a row once
#     W[center] -= lr * for_center
#     return loss
# ```
# A context that is true and drawn once, at a score of 0, stays where it is: its two slopes are $-\tfrac12$ and $\tfrac12$. With $n$ true sightings and $m$ draws the pulls cancel where $n(1-\sigma(s))=m\,\sigma(s)$, at $s=\log(n/m)$: its PMI less $\log k$, when as many were drawn as the text has them.
# </details>
