# %% [markdown]
# # Tokenizers and embeddings
#
# > What should a language model read: characters, words, or something between?

# %% include tlib: default_exp tokenizer

# %% include tlib: import nnbook.running

# %% [markdown]
# **You need** to have [counted characters](12_rnn.ipynb#counting-characters), and [embeddings](05_layers.ipynb).

# %% [markdown]
# The best table of counts in [its chapter](12_rnn.ipynb#counting-characters) looked at four characters. From *To-m* it should know what follows; from *row,* it can't tell whose morrow. The networks saw further and paid for each step of the way. Let the same table look at four *words* instead, and it sees a line. So why should a model read letters?
#
# Because of the next word. Below are all words of the eight plays, but for the last tenth of each, and then those of the last tenths. **Predict** how many of those never occurred before.

# %% include tlib: import numpy as np

# %% include tlib: imports of the library's other parts

# %% include temb: imports for word embeddings

# %% include page: imports for the experiments

# %%
def words(parts): return [w for text in parts.values() for w in re.findall(r"[a-z]+(?:'[a-z]+)*", text.lower())]

known, asked = words(train_parts), words(test_parts)
heard = set(known)
print(*[word for word in asked if word not in heard][:12])

# %% include texp: "words never seen, the table"

# %% include texp: claim("{:.1%} of the running words

# %% [markdown]
# A few words in a hundred are new, and of the *different* words far more ([the table](#tbl-unseen)). More text helps, by less each time: a few words make up most of any text, and a good part of all words occurs once ([Zipf, 1949](99_references.ipynb#zipf1949)). A model of words has one way out. It puts a single sign, `<unk>`, in the place of each word that it doesn't know, and can't tell them apart, spell them, or write one. Yet *cluck'd* is made of parts that it does know. A model of characters has no such trouble, and no such reach.
#
# Is there something between: a list of pieces, as long as we like, in which common words are whole and rare ones can be spelled? **What should a language model read?**

# %% [markdown]
# ## Bytes
#
# Begin with what nothing can be missing from. A computer stores a text as **bytes**, numbers from 0 to 255. Unicode gives each character of the world's scripts a number, its **code point**, of which there is room for more than a million, and **UTF-8** writes it as one to four bytes, in four lines:

# %%
def utf8(c):
    "The bytes of the character with code point c."
    if c < 0x80: return [c]                                                     # 0xxxxxxx
    if c < 0x800: return [0xC0 | c >> 6, 0x80 | c & 63]                         # 110xxxxx 10xxxxxx
    if c < 0x10000: return [0xE0 | c >> 12, 0x80 | c >> 6 & 63, 0x80 | c & 63]
    return [0xF0 | c >> 18, 0x80 | c >> 12 & 63, 0x80 | c >> 6 & 63, 0x80 | c & 63]

for x in "Té字🎭":
    print(x, f"{ord(x):>7,}", utf8(ord(x)), utf8(ord(x)) == list(x.encode()))

# %% [markdown]
# The 128 characters of ASCII, all of the plays among them, stay single bytes. The first byte of any other tells how many belong to it, and those that follow all begin with the bits 10, so that a reader who starts in the middle finds the next character.
#
# A model with 256 numbers for its alphabet can read every text, in every script. Some do ([Xue and others, 2022](99_references.ipynb#xue2022)). The price is length: an English text has as many bytes as characters, a Chinese one three times as many. And a network pays for each step; [attention](13_attention.ipynb#what-it-costs) pays for each *pair* of them.

# %% [markdown]
# ## Byte-pair encoding
#
# To shorten a text, give what occurs often a number of its own. [Gage (1994)](99_references.ipynb#gage1994) packed files like this: find the pair of adjacent bytes that occurs most often, write a new symbol for it everywhere, and begin again; the symbols may be paired, too. [Sennrich and others (2016)](99_references.ipynb#sennrich2016) saw that what comes out is a vocabulary, and had a translator read it. They began with characters. [Radford and others (2019)](99_references.ipynb#radford2019) began with bytes, for GPT-2, so that nothing is ever unknown.
#
# This is **byte-pair encoding**, BPE. A piece is called a **token**, each pair made one is a **merge**, and the tokens are the **vocabulary**: 256 bytes, and one more for each merge. Between a text and a model stands then a **tokenizer**:

# %%
#| code-summary: "the drawing"
#| code-fold: true
diagram("text -> UTF-8 -> bytes (n) -> merges -> tokens (m) -> embedding -> x (m, D)", name="way",
        caption="From a text to what a network reads: n bytes; by merges, m tokens, each a whole number below V, the size of the vocabulary; and for each token a learned row of D numbers.",
        alt="A chain from top to bottom: the text goes through UTF-8 and becomes n bytes; merges make m tokens of them; an embedding turns them into an array x of m rows and D columns.")

# %%
printable = [*range(33, 127), *range(161, 173), *range(174, 256)]        # GPT-2 numbers these bytes first
alphabet = [bytes([b]) for b in [*printable, *sorted({*range(256)} - {*printable})]]

def plain_merge(tokens, pair):
    "The tokens with every occurrence of the pair, from the left, made one."
    out = []
    for token in tokens:
        if out and (out[-1], token) == pair: out[-1] += token
        else: out.append(token)
    return out

def plain_train(texts, n_merges):
    "The merges that texts teach, pairs of bytes objects, and the texts as tokens."
    texts, merges = [[bytes([b]) for b in text.encode()] for text in texts], []
    number = {token: i for i, token in enumerate(alphabet)}
    while len(merges) < n_merges:
        pairs = Counter(pair for tokens in texts for pair in pairwise(tokens))
        best = min(pairs, key=lambda pair: (-pairs[pair], number[pair[0]], number[pair[1]]))
        texts = [plain_merge(tokens, best) for tokens in texts]
        merges.append(best)
        number.setdefault(best[0] + best[1], len(number))
    return merges, texts

# %%
line = "To-morrow, and to-morrow, and to-morrow,"
merges, (tokens,) = plain_train([line], 8)
print(*(f"{a.decode()!r} + {b.decode()!r}" for a, b in merges), sep="\n")
print([token.decode() for token in tokens])

# %% [markdown]
# Nobody told it about words. Of two pairs that occur equally often the one made first wins (more exactly: with the smaller numbers), and merges go from left to right: of *aaa*, *aa a* is made.
#
# In the figure the same happens to more of the speech, one merge at a time. **Predict** the first merge, and what the first token of a whole word will be.

# %% include texp: large = BPETokenizer.train

# %% include texp: the figure that moves

# %% [markdown]
# Each token is a small tree, and its history is the list of merges:

# %% include page: def tree(

# %% [markdown]
# ### Counting less
#
# The loop is right, and slow: for each merge it counts every pair of the text again. Two observations help. A text repeats its words, so keep each distinct one once, with how often it occurs. And a merge changes only the words that hold its pair: keep, for each pair, its count and the words it is in; take the most frequent one from a heap; merge it in its words; and correct the counts of the pairs that vanish or appear there. Where *h e* becomes one in *␣then*, the pairs *t h* and *e n* are one fewer each, and *t he* and *he n* one more; no other word need be looked at.

# %%
#| code-summary: "the drawing"
#| code-fold: true
diagram("heap of counts -> best pair; words by pair -> its words; best pair -> its words -> merge -> changes; changes -> heap of counts#2; changes -> words by pair#2", name="bookkeeping",
        caption="One merge, with counts kept: only words that hold the pair are touched, and what changed goes back into both tables.",
        alt="Boxes and arrows: a heap of counts gives the best pair; a table of words by pair gives the words that hold it; these are merged; the changes go back into the heap and into the table.")

# %% include page: def looked_at

# %% [markdown]
# Most of the work was to count what had not changed. How much time that saves is measured in the repository's `bench/tokenizer.py`, beside the libraries `tokenizers` and `tiktoken`.

# %% [markdown]
# ## Borders
#
# Left to itself, the loop soon merges across words: *d the*, *, and*, *you.* Such tokens occur often and serve badly. *dog.*, *dog,* and *dog!* would be three strangers. So GPT-2 cuts the text first, by a pattern: letters, with the space before them; digits; other signs; white space; the English endings *'s* or *'ll*. No merge crosses a cut. The pieces are called **pre-tokens**:

# %%
def plain_pretokenize(text):
    "For a text in ASCII."
    return re.findall(r"'(?:s|t|re|ve|m|ll|d)| ?[A-Za-z]+| ?[0-9]+| ?[^\sA-Za-z0-9]+|\s+(?!\S)|\s+", text)

print(plain_pretokenize("Life's but a walking shadow;\n  a poor player, 1606."))

# %% [markdown]
# The space belongs to the word *behind* it: *␣the* is one token, and spaces cost next to nothing. The library has GPT-2's pattern in full, for the letters and digits of all scripts.
#
# To **encode** a new text, do to each pre-token what training did, merges in the order in which they were learned. To **decode**, put the bytes of the tokens together:

# %%
def plain_encode(piece, merges):
    "A pre-token -> its tokens."
    rank = {pair: i for i, pair in enumerate(merges)}
    tokens = [bytes([b]) for b in piece.encode()]
    while here := [pair for pair in pairwise(tokens) if pair in rank]:
        tokens = plain_merge(tokens, min(here, key=rank.get))
    return tokens

print([plain_encode(piece, pieces(1000).merges) for piece in plain_pretokenize("Should candles shudder?")])

# %% [markdown]
# Decoding undoes encoding, byte for byte, whatever the text is. The reverse does not hold: *th* followed by *e* says *the*, and encoding that gives one token. And a token may be a part of a character. So decode the bytes of *all* tokens; one by one, half an *é* is nothing ([exercise 3](#exercises)).
#
# Some tokens stand for no text at all, such as `<|endoftext|>`, which GPT-2 read between two documents. **Special tokens** get the last numbers, and no merge makes one. If a reader of your program types the same letters, they must stay letters, or anyone could end your documents: the library's `encode` makes special tokens only when it is asked to, with `allow_special=True`.
#
# Folded is `BPETokenizer`: `BPETokenizer.train(text, vocab_size)`, `encode`, `decode`, and `save` and `load` in the form of GPT-2's two files, `vocab.json` and `merges.txt`, so that other libraries read ours and we theirs.

# %% include tlib: nnbook.tokenizer: pretokenize ... nnbook.tokenizer: BPETokenizer

# %%
tokenizer = BPETokenizer.train(train_parts.values(), 1000, special_tokens=["<|endoftext|>"])
print(tokenizer.encode("The end<|endoftext|>"))
print(tokenizer.encode("The end<|endoftext|>", allow_special=True))
print([tokenizer.decode([i]) for i in tokenizer.encode("é")], tokenizer.decode(tokenizer.encode("é")))

# %%
#| code-summary: "the claim: short forms and the library agree"
#| code-fold: true
scene = plays.text[plays.text.index("She should have died hereafter") :][:3000]
pretokens = plain_pretokenize(scene)
merges, learned = plain_train(pretokens, 150)
tokenizer = built.BPETokenizer.train(scene, 256 + 150)
same = [pretokens == built.pretokenize(scene), plain_pretokenize(plays.text) == built.pretokenize(plays.text), merges == list(tokenizer.merges),
        learned == [plain_encode(piece, merges) for piece in pretokens], sum(learned, []) == [tokenizer.tokens[i] for i in tokenizer.encode(scene)]]
claim("of five comparisons of the short forms with BPETokenizer, of pre-tokens, merges and tokens, {} agree token for token", sum(same), "==", 5)

# %% [markdown]
# ## How many tokens?
#
# Merges come one after the other, so one training holds every smaller vocabulary: leave off the last. **Predict** how many bytes a token holds, on average, among 1,000 and among 8,000; and what is left of it on text that it was not learned on: the last tenths of the plays, a program, and one sentence in five languages.

# %% include texp: def bytes_per_token ... compression in numbers, the table

# %% include texp: the sentence in five languages

# %% [markdown]
# The first doubling of the vocabulary nearly halves the text; each further one gains less, and a little less still on text that was held out. For whole words the counts fall along Zipf's line to a long shelf of words that occur once; merging stops before that, and tokens end higher.
#
# [The second table](#tbl-price) shows for whom they are made. No merge of the plays joins bytes of Greek, Hindi or Chinese, so that each letter costs all of its two or three bytes, which was forced. German has the same letters and pays twice the tokens, for words that the merges don't fit. Vocabularies of large models are learned on many languages, by their share in the text: [Petrov and others (2023)](99_references.ipynb#petrov2023) found the same sentences up to fifteen times as long in one language as in another. Who pays by the token, pays for that.

# %% [markdown]
# ## Bits per byte
#
# Which vocabulary makes the better model? The loss per token can't say. A model that reads longer tokens is asked less often, and for more each time. What all models have in common is the text. So divide the bits for its $m$ tokens by its number of bytes, $N$:
#
# <a id="eq-bits-per-byte"></a>
# $$
# \text{bits per byte}=\frac1N\sum_{i=1}^{m}-\log_2p(t_i\mid t_1\dots t_{i-1})=\frac{\text{bits per token}}{\text{bytes per token}} .
# $$
#
# For the plays, which are ASCII, this is the [bits per character](12_rnn.ipynb#eq-bits) of before. Models of characters, of words that can be spelled, and of pieces all fit into it.
#
# Now let the table of counts read tokens. **Predict**: with 1,024 of them in place of bytes, does the best table pay more per token? And per byte?

# %% include texp: def spelled(tokenizer, text) ... claim("with its smoothing tuned

# %% [markdown]
# Per token the price rises with the vocabulary. Per byte it moves by little, and as the smoothing is, pieces seem to gain on bytes. But that rival was badly tuned. Witten and Bell let a context decide how far to trust it by how many kinds of followers it had; with $\\kappa$ times as many, the table of bytes looks further back than four, and is the best of all ([the table](#tbl-tables)). At [equal context in bytes](#fig-equal-context), longer tokens gain such a table nothing. A likely reason is how it falls back: by one byte, where a table of tokens gives up a whole token.
#
# So why tokens? Because a network pays by the *step*. At two to three bytes a token, as many steps hold two to three times the text. What that is worth is a question for [transformers](15_transformer.ipynb).
#
# One caution. A text can be cut into tokens in many ways; its probability is the sum over all of them, and we counted only the way of `encode`. So these bits are a bound, from above ([Cao and Rimell, 2021](99_references.ipynb#cao2021)). For a table that sees one token back the sum can be done:

# %% include texp: the sum over all ways

# %% [markdown]
# Here it is worth less than a hundredth of a bit.

# %% [markdown]
# ## What goes wrong
#
# **Numbers.** The plays hold next to none. So, for once, learn tokens on something else: Python's standard library. **Predict** how 1999, 2023 and 12344 are cut, and whether the number after each is cut alike.

# %% include texp: how numbers are cut

# %% [markdown]
# To carry a one, a reader has to know which digits stand over which. Cut digit by digit, or by threes from the right, there is one way to line them up; here there are several, and which one a number gets depends on how often it occurred. [Singh and Strouse (2024)](99_references.ipynb#singh2024) found large models better at addition with digits grouped from the right, as in 12,345, than from the left.
#
# **Spaces.** A token holds the space before its word. `the`, `␣the` and `The` have nothing in common but a spelling that the model never sees. And a prompt that *ends* in a space ends in a token that hardly ever stands before a word. **Predict** how many more bits the next word costs then, compared with a model that knows that a space comes.

# %% include texp: a prompt that ends in a space ... claim("a space at the end

# %% [markdown]
# Want of context is not the reason: with one token more in sight it is no better. Behind a lone space [the table of counts](#tbl-prompts) expects what stood there in training, and a common word never did, since it brought its own space along. Programs that ask models cut the space off, or take back the last token and let the model choose it anew.
#
# **Rare tokens.** A merge may be a step on the way to a longer one, and all of its occurrences may go on into that. **Predict** how many of 8,192 tokens never occur in the very text that they were learned on.

# %% include texp: tokens that are hardly used

# %% [markdown]
# Hundreds; and of most bytes the plays have none. Each has its row in the embedding, and that row is left where it started, since training never shows it. Give such a token to a network, and it reads noise: `SolidGoldMagikarp` was one of GPT-2's ([Rumbelow and Watkins, 2023](99_references.ipynb#rumbelow2023)), and [Land and Bartolo (2024)](99_references.ipynb#land2024) find them in most open models. The usual cause there is another: the tokenizer learned from other text than the network did.

# %% [markdown]
# ## Word embeddings
#
# To a model a token is a number, and the number says nothing: token 700 isn't twice token 350. What it works with is the row of an [embedding](05_layers.ipynb), $D$ numbers that it learns. What can such a row know?
#
# What company the word keeps, said [Harris (1954)](99_references.ipynb#harris1954) and [Firth (1957)](99_references.ipynb#firth1957). Words in the same surroundings mean similar things. That can be counted: how often does the word $c$ occur within a few places of the word $w$? A count alone tells how frequent both are. So compare it with what chance would give, as [Church and Hanks (1990)](99_references.ipynb#church1990) did, by **pointwise mutual information**:
#
# <a id="eq-pmi"></a>
# $$
# \operatorname{PMI}(w,c)=\log\frac{p(w,c)}{p(w)\,p(c)} .
# $$
#
# It is 0 where two words meet as often as chance has it, and $-\infty$ where they never do.

# %% include temb: nnbook.tokenizer: word_tokens ... nnbook.tokenizer: cooccurrences, pmi

# %% [markdown]
# Its rows are as long as the vocabulary. [Mikolov and others (2013)](99_references.ipynb#mikolov2013) learn short ones: the **skip-gram** model, known as word2vec. Each word has a vector $\mathbf w$ as a center and another, $\mathbf c$, as context. For each pair that occurs, $k$ others are drawn by their frequency, and a logistic classifier has to tell the true one: **negative sampling**.
#
# <a id="eq-sgns"></a>
# $$
# L=-\log\sigma(\mathbf w\cdot\mathbf c)-\sum_{i=1}^{k}\log\sigma(-\mathbf w\cdot\mathbf c_i) .
# $$

# %% include embx: LOSS

# %% include temb: nnbook.tokenizer: skip_gram_pairs ... nnbook.tokenizer: SkipGram

# %% [markdown]
# A prediction on one side, a table of counts on the other. [Levy and Goldberg (2014)](99_references.ipynb#levy2014) found that they are the same. Give each pair of words a score of its own, $x$. The pair occurs $\#(w,c)$ times, and is drawn, on average, $k\,\#(w)\,p(c)$ times. So the loss has the terms $-\#(w,c)\log\sigma(x)-k\,\#(w)\,p(c)\log\sigma(-x)$, and its slope is zero at
#
# <a id="eq-levy"></a>
# $$
# x=\log\frac{\#(w,c)}{k\,\#(w)\,p(c)}=\operatorname{PMI}(w,c)-\log k .
# $$
#
# With enough dimensions, then, $\mathbf w\cdot\mathbf c$ should be $\operatorname{PMI}-\log k$: a matrix of counts, factorized. Does it get there? **Predict** how well the two agree with 8 dimensions, with 64, and with as many as there are words; and where they can't.

# %% include embx: FACTORIZATION

# %% [markdown]
# RESULT: factorization.

# %% include temb: nnbook.tokenizer: WordVectors

# %% include embx: NEIGHBOURS

# %% [markdown]
# RESULT: neighbours.

# %% include embx: ANALOGIES

# %% [markdown]
# RESULT: analogies.

# %% [markdown]
# ## The same in PyTorch
#
# A tokenizer has no gradient and needs no twin. The skip-gram model has one:

# %% include temb: nnbook.torch.tokenizer: imports ... each class with its twin

# %% include page: import assert_twins

# %% [markdown]
# ## Recap
#
# - RESULT

# %% [markdown]
# ## Exercises

# %% include file: 14_exercises

# %% [markdown]
# ## Further reading
#
# - [Sennrich and others (2016)](99_references.ipynb#sennrich2016): the paper that brought byte-pair encoding to language, with its dozen lines of Python.
# - [Kudo and Richardson (2018)](99_references.ipynb#kudo2018): SentencePiece, which needs no pre-tokens, and another way to choose the pieces.
# - [Petrov and others (2023)](99_references.ipynb#petrov2023) count what the same sentence costs in different languages.
# - [Land and Bartolo (2024)](99_references.ipynb#land2024) find tokens that a model has never learned.
# - [Levy and Goldberg (2014)](99_references.ipynb#levy2014), four pages of argument. [Jurafsky and Martin](99_references.ipynb#jurafsky2025) for the rest.

# %% include file: 14_checkers
