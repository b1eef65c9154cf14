# %% [markdown]
# ### Exercise 1 (10 minutes)
# By hand first: about how many parameters has a GPT with 24 layers of width 1,024 and 50,000 tokens, and of what does a training step with a context of 1,024 do more, by how much: multiply by its matrices, or compare tokens? Then write `gpt_size(vocab_size, context_length, n_layers, d_model)`. It returns two numbers for `GPT(GPTConfig(vocab_size, context_length, n_layers, n_heads, d_model))`: how many numbers it learns, exactly, and how many floating-point operations its matrix products take in one training step, a token, as on this page.

# %%
def gpt_size(vocab_size: int, context_length: int, n_layers: int, d_model: int) -> tuple[int, int]: ...
check("transformer.1", gpt_size)


# %% [markdown]
# <details><summary>Hint</summary>
#
# List what a block holds: two norms with a gain and a shift each, four matrices and their biases in attention, two in the MLP. Then the table of tokens, which serves twice, that of positions, and the last norm. Which of all these is a token *multiplied* with?
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def gpt_size(vocab_size, context_length, n_layers, d_model):
#     d = d_model
#     matrices = 4 * d * d + 2 * 4 * d * d                     # attention; up and down
#     vectors = 4 * d + 4 * d + d + 2 * 2 * d                  # biases of both, two norms
#     parameters = (vocab_size + context_length) * d + n_layers * (matrices + vectors) + 2 * d
#     multiplied = n_layers * matrices + vocab_size * d        # the table as head; looking up costs nothing
#     return parameters, 6 * multiplied + 12 * n_layers * d * context_length
# ```
# By hand, $12\cdot24\cdot1024^2\approx300$ million and 51 million in the table. The ratio of the two terms is about $12Ld^2\cdot6$ to $12LdT$, so $6d/T$: six, and a little more by the table.
# </details>

# %% [markdown]
# ### Exercise 2 (30 minutes)
# Build a GPT from nothing: with NumPy, and `gelu` from `nnbook.activations`. `gpt_logits(tokens, w, n_heads)` takes whole numbers `tokens` (T,), the `state_dict()` of a `GPT` as a dictionary `w` of arrays, and its number of heads, and returns logits (T, V). The choices are the default ones: layer norms before the branches (with `1e-5` under the root), learned positions, GELU, biases, a tied head. Print `{name: a.shape for name, a in GPT(config, rng=0).state_dict().items()}` to see the names. `in_proj_weight` holds the rows of queries, keys and values, in this order, each of them one head after the other.

# %%
def gpt_logits(tokens: np.ndarray, w: dict[str, np.ndarray], n_heads: int) -> np.ndarray: ...
check("transformer.2", gpt_logits)


# %% [markdown]
# <details><summary>Hint</summary>
#
# Three small functions, `norm(x, name)`, `linear(x, name)` and `attention(x, name)`, make the rest five lines. How many blocks there are, the names tell. Heads: (T, d) reshaped to (T, h, d_h), then the axis of the heads in front.
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# from nnbook.activations import gelu
#
# def gpt_logits(tokens, w, n_heads):
#     def norm(x, name):
#         x = x - x.mean(-1, keepdims=True)
#         return x / np.sqrt((x * x).mean(-1, keepdims=True) + 1e-5) * w[f"{name}.weight"] + w[f"{name}.bias"]
#
#     def linear(x, name): return x @ w[f"{name}.weight"].T + w[f"{name}.bias"]
#
#     def attention(x, name):
#         T, d = x.shape
#         rows = x @ w[f"{name}.in_proj_weight"].T + w[f"{name}.in_proj_bias"]              # (T, 3 d)
#         q, k, v = (a.reshape(T, n_heads, -1).swapaxes(0, 1) for a in np.split(rows, 3, axis=1))   # (h, T, d_h)
#         scores = q @ k.swapaxes(1, 2) / np.sqrt(d // n_heads)
#         scores = np.where(np.tri(T, dtype=bool), scores, -np.inf)
#         p = np.exp(scores - scores.max(axis=-1, keepdims=True))
#         p = p / p.sum(axis=-1, keepdims=True)
#         return linear((p @ v).swapaxes(0, 1).reshape(T, d), f"{name}.out_proj")
#
#     x = w["embedding.weight"][tokens] + w["positions.weight"][: len(tokens)]
#     i = 0
#     while f"blocks.{i}.norm1.weight" in w:
#         x = x + attention(norm(x, f"blocks.{i}.norm1"), f"blocks.{i}.attention")
#         x = x + linear(gelu(linear(norm(x, f"blocks.{i}.norm2"), f"blocks.{i}.mlp.up")), f"blocks.{i}.mlp.down")
#         i += 1
#     return norm(x, "norm") @ w["embedding.weight"].T
# ```
# Thirty lines, and those of a model of any size: weights of a trained one run in them unchanged.
# </details>

# %% [markdown]
# ### Exercise 3 (15 minutes)
# With this layer, the loss of a small language model falls to nearly nothing, on new text, too. What it writes is nonsense.
#
# ```python
# def look_back(x, Wq, Wk, Wv):
#     "One head of a language model, behind a norm: x (T, d) -> (T, d)."
#     T, d = x.shape
#     x = (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + 1e-5)
#     q, k, v = x @ Wq, x @ Wk, x @ Wv
#     scores = q @ k.T / np.sqrt(d)
#     weights = np.exp(scores - scores.max(axis=1, keepdims=True)) * np.tri(T, k=1)
#     return weights / weights.sum(axis=1, keepdims=True) @ v
# ```
# In two places it looks ahead. In a third, what is ahead can do harm without being looked at, once scores are large. Find all three, then write one that is right. It keeps a norm without learned gains, with mean 0 and variance 1 (`1e-5` under the root), of what it should be the norm of.

# %%
def look_back(x: np.ndarray, Wq: np.ndarray, Wk: np.ndarray, Wv: np.ndarray) -> np.ndarray: ...
check("transformer.3", look_back)


# %% [markdown]
# <details><summary>Hint</summary>
#
# Change the last row of `x` and compare all other rows of the result. For the third: of which scores is the maximum, and what is `np.exp` of a number a thousand below it?
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def look_back(x, Wq, Wk, Wv):
#     T, d = x.shape
#     x = (x - x.mean(axis=1, keepdims=True)) / np.sqrt(x.var(axis=1, keepdims=True) + 1e-5)
#     q, k, v = x @ Wq, x @ Wk, x @ Wv
#     scores = np.where(np.tri(T, dtype=bool), q @ k.T / np.sqrt(d), -np.inf)
#     weights = np.exp(scores - scores.max(axis=1, keepdims=True))
#     return weights / weights.sum(axis=1, keepdims=True) @ v
# ```
# The norm was taken over the tokens, and so told each of all others; `k=1` shows each token the next one, which is the answer. And the maximum was that of all scores, forbidden ones too: if one of those is far above the rest, all allowed weights become 0, and their quotient no number. A loss too good to be true mostly isn't.
# </details>

# %% [markdown]
# ### Exercise 4 (20 minutes)
# With `window=4` each token looks at four, itself and three before. **Predict** on how many tokens the last logits depend in a GPT with one such layer; with two; with five. Write `reach(logits_of, vocab_size, length)`, which finds out: `logits_of` takes whole numbers (1, length) and returns logits (1, length, vocab_size), an array; `reach` returns how many tokens there are from the earliest on which the *last* position's logits depend up to the last, both counted. Then look:
#
# ```python
# for n_layers in (1, 2, 5):
#     model = GPT(GPTConfig(50, 32, n_layers, 2, 16, window=4), rng=0)
#     print(n_layers, reach(lambda ids: model(ids).data, 50, 32))
# ```

# %%
def reach(logits_of, vocab_size: int, length: int) -> int: ...
check("transformer.4", reach)


# %% [markdown]
# <details><summary>Hint</summary>
#
# Start from any tokens, change one at a time, and compare the last position. Some models may not care whether a token is 0 or 1; is there a choice that can't miss?
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def reach(logits_of, vocab_size, length):
#     ids = np.arange(length)[None] % vocab_size
#     before = logits_of(ids)[0, -1]
#     for j in range(length):                                  # from the earliest
#         for other in range(vocab_size):
#             changed = ids.copy()
#             changed[0, j] = other
#             if not np.array_equal(logits_of(changed)[0, -1], before): return length - j
#     return 0
# ```
# It is $1+L(w-1)$: 4, 7 and 16. What a token learned through its window it passes on to the next layer, so that a stack sees much further than a layer, as [stacked convolutions](10_cnn.ipynb#what-a-unit-sees) do. How *much* comes through is another question.
# </details>

# %% [markdown]
# ### Exercise 5 (15 minutes)
# There is a family between encoder and decoder. A **prefix language model** reads its prompt as an encoder does, both ways, and writes as a decoder does. Write its mask: `prefix_mask(prefix, length)` takes whole numbers `prefix` (B,), how many of a row's tokens are prompt, from 0 to `length`, and returns (B, 1, length, length), true where a query (row) may look at a key (column). All positions may look at the whole prompt; behind it, each at itself and those before.

# %%
def prefix_mask(prefix: np.ndarray, length: int) -> np.ndarray: ...
check("transformer.5", prefix_mask)


# %% [markdown]
# <details><summary>Hint</summary>
#
# It is the union of two masks that you know. The one of the prompt does not depend on the query.
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def prefix_mask(prefix, length):
#     prompt = np.arange(length) < np.asarray(prefix)[:, None]             # (B, length), keys
#     return np.tri(length, dtype=bool) | prompt[:, None, None, :]
# ```
# With a prefix of `length` it is an encoder, with 0 a decoder. Training must leave the prompt's own tokens out of the loss: each of them has seen the next.
# </details>
