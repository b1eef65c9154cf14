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
def words_of(parts):
    text = " ".join(parts.values()).lower()
    return re.findall(r"[a-z]+(?:'[a-z]+)*", text)

known, asked = words_of(train_parts), words_of(test_parts)
heard = set(known)
print(*[word for word in asked if word not in heard][:9])

# %% include texp: words never seen, the table

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
    six = lambda shift: 0x80 | c >> shift & 63       # 10xxxxxx
    if c < 0x80: return [c]
    if c < 0x800: return [0xC0 | c >> 6, six(0)]     # 110xxxxx …
    if c < 0x10000: return [0xE0 | c >> 12, six(6), six(0)]
    return [0xF0 | c >> 18, six(12), six(6), six(0)]

for x in "Té字🎭":
    right = utf8(ord(x)) == list(x.encode())
    print(x, f"{ord(x):>7,}", utf8(ord(x)), right)

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
def plain_merge(tokens, pair):
    "Every occurrence of the pair, from the left, is made one."
    out = []
    for token in tokens:
        if out and (out[-1], token) == pair: out[-1] += token
        else: out.append(token)
    return out

def plain_train(texts, n_merges):
    "Merges, pairs of bytes objects; and the texts as tokens."
    texts = [[bytes([b]) for b in text.encode()] for text in texts]
    number = {bytes([b]): i for i, b in enumerate(first_bytes)}
    merges = []
    while len(merges) < n_merges:
        pairs = Counter(pair for tokens in texts
                        for pair in pairwise(tokens))
        rank = lambda pair: (-pairs[pair], *map(number.get, pair))
        best = min(pairs, key=rank)
        texts = [plain_merge(tokens, best) for tokens in texts]
        merges.append(best)
        number.setdefault(b"".join(best), len(number))
    return merges, texts

# %%
first_bytes = [*range(33, 127), *range(161, 173), *range(174, 256)]
first_bytes += [b for b in range(256) if b not in first_bytes]

line = "To-morrow, and to-morrow, and to-morrow,"
merges, (tokens,) = plain_train([line], 8)
for a, b in merges: print(repr(a.decode()), repr(b.decode()))
print("|".join(token.decode() for token in tokens))

# %% [markdown]
# Nobody told it about words. Of pairs that occur equally often, the one with the smallest numbers wins; `first_bytes` is the order in which GPT-2 numbers the bytes, those first that Latin-1 prints. And merges go from left to right: of *aaa*, *aa a* is made.
#
# In the figure the same happens to more of the speech, one merge at a time. **Predict** the first merge, and what the first token of a whole word will be.

# %%
large = BPETokenizer.train(train_parts.values(), 8192)

def pieces(size):
    "A tokenizer of the bytes and the first merges."
    return BPETokenizer(large.merges[: size - 256])

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
    return re.findall(r"'(?:s|t|re|ve|m|ll|d)| ?[A-Za-z]+| ?[0-9]+"
                      r"| ?[^\sA-Za-z0-9]+|\s+(?!\S)|\s+", text)

verse = "Life's but a walking shadow;\n  a poor player, 1606."
print("|".join(plain_pretokenize(verse)).replace("\n", "↵"))

# %% [markdown]
# The space belongs to the word *behind* it: *␣the* is one token, and spaces cost next to nothing. The library has GPT-2's pattern in full, for the letters and digits of all scripts.
#
# To *encode* a new text, do to each pre-token what training did, merges in the order in which they were learned. To *decode*, put the bytes of the tokens together:

# %%
def plain_encode(piece, merges):
    "A pre-token -> its tokens."
    rank = {pair: i for i, pair in enumerate(merges)}
    tokens = [bytes([b]) for b in piece.encode()]
    while known := [p for p in pairwise(tokens) if p in rank]:
        tokens = plain_merge(tokens, min(known, key=rank.get))
    return tokens

for piece in plain_pretokenize("Should candles shudder?"):
    print(plain_encode(piece, pieces(1000).merges))

# %% [markdown]
# Decoding undoes encoding, byte for byte, whatever the text is. The reverse does not hold: *th* followed by *e* says *the*, and encoding that gives one token. And a token may be a part of a character. So decode the bytes of *all* tokens; one by one, half an *é* is nothing ([exercise 3](#exercises)).
#
# Some tokens stand for no text at all, such as `<|endoftext|>`, which GPT-2 read between two documents. **Special tokens** get the last numbers, and no merge makes one. If a reader of your program types the same letters, they must stay letters, or anyone could end your documents: the library's `encode` makes special tokens only when it is asked to, with `allow_special=True`.
#
# Folded is `BPETokenizer`: `BPETokenizer.train(text, vocab_size)`, `encode`, `decode`, and `save` and `load` in the form of GPT-2's two files, `vocab.json` and `merges.txt`, so that other libraries read ours and we theirs.

# %% include tlib: nnbook.tokenizer: pretokenize ... nnbook.tokenizer: BPETokenizer

# %%
tokenizer = BPETokenizer(large.merges[:1000], ["<|endoftext|>"])
print(tokenizer.encode("The end<|endoftext|>"))
print(tokenizer.encode("The end<|endoftext|>", allow_special=True))

ids = tokenizer.encode("é")
print([tokenizer.decode([i]) for i in ids], tokenizer.decode(ids))

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

# %%
def bytes_per_token(tokenizer, parts):
    n_tokens = sum(len(tokenizer.encode(t)) for t in parts.values())
    return sum(len(t.encode()) for t in parts.values()) / n_tokens

# %% include texp: compression and Zipf's law, the figure ... compression in numbers, the table

# %% include texp: the sentence in five languages

# %% [markdown]
# The first doubling of the vocabulary nearly halves the text; each further one gains less, and a little less still on text that was held out. By rank, words fall along Zipf's line to a long shelf of those that occur once. A thousand tokens bend away from it: most of them occur often, and so can be learned.
#
# [The second table](#tbl-price) shows for whom they are made. No merge of the plays joins bytes of Greek, Hindi or Chinese, so that each letter costs all of its two or three bytes, which was forced. German has the same letters and pays twice the tokens, for words that the merges don't fit. Vocabularies of large models are learned on many languages, by their share in the text: [Petrov and others (2023)](99_references.ipynb#petrov2023) found the same sentences up to fifteen times as long in one language as in another. Who pays by the token, pays for that.

# %% [markdown]
# ## Bits per byte
#
# Which vocabulary makes the better model? The loss per token can't say. A model that reads longer tokens is asked less often, and for more each time. What all models have in common is the text. So divide the bits for its $m$ tokens by its number of bytes, $N$, and compare **bits per byte**:
#
# <a id="eq-bits-per-byte"></a>
# $$
# \text{bits per byte}=\frac1N\sum_{i=1}^{m}-\log_2p(t_i\mid t_1\dots t_{i-1})=\frac{\text{bits per token}}{\text{bytes per token}} .
# $$
#
# For the plays, which are ASCII, this is the [bits per character](12_rnn.ipynb#eq-bits) of before. Models of characters, of words that can be spelled, and of pieces all fit into it.
#
# Now let the table of counts read tokens. **Predict**: with 1,024 of them in place of bytes, does the best table pay more per token? And per byte?

# %%
def spelled(tokenizer, text):
    "One private character a token: NGram reads characters."
    return "".join(map(chr, 0x10000 + tokenizer.encode(text)))

def table_of(tokenizer, order, parts):
    alphabet = "".join(map(chr, 0x10000 + np.arange(len(tokenizer))))
    texts = [spelled(tokenizer, text) for text in parts.values()]
    return NGram(order, alphabet).fit(texts)

def bits_of(model, tokenizer, text):
    "Bits of all tokens but the first, and how many bytes they are."
    first = tokenizer.tokens[tokenizer.encode(text)[0]]
    n_bytes = len(text.encode()) - len(first)
    return model.bits(spelled(tokenizer, text)), n_bytes

# %% include texp: the rival, and tables that trust less ... claim("with its smoothing tuned

# %% [markdown]
# Per token the price rises with the vocabulary. Per byte it moves by little, and as the smoothing is, pieces seem to gain on bytes. But that rival was badly tuned. Witten and Bell let a context decide how far to trust it by how many kinds of followers it had; with $\kappa$ times as many, the table of bytes looks further back than four, and is the best of all ([the table](#tbl-tables)). At [equal context in bytes](#fig-equal-context), longer tokens gain such a table nothing; nor do they [at an equal number of counts](#tbl-apart). A likely reason is how it falls back: by one byte, where a table of tokens gives up a whole token. The less text, [the larger the gap](#tbl-less-text); where it ends with a thousand times as much, the plays can't tell. Whole words, with bytes for those not listed, need more bits than 1,024 pieces do; with 8,192 there is little between them.
#
# So why tokens? Because a network pays by the *step*. At two to three bytes a token, as many steps hold two to three times the text. What that is worth is a question for transformers, in the next chapter.
#
# One caution. A text can be cut into tokens in many ways; its probability is the sum over all of them, and we counted only the way of `encode`. So these bits are a bound, from above ([Cao and Rimell, 2021](99_references.ipynb#cao2021)). For a table that sees one token back the sum can be done:

# %% include texp: the sum over all ways

# %% [markdown]
# Here it is worth less than a hundredth of a bit.

# %% [markdown]
# ## What goes wrong
#
# ### Numbers
#
# The plays hold next to none. So, for once, learn tokens on something else: Python's standard library. **Predict** how 1999, 2023 and 12344 are cut, and whether the number after each is cut alike.

# %% include texp: how numbers are cut

# %% [markdown]
# To carry a one, a reader has to know which digits stand over which. Cut digit by digit, or by threes from the right, there is one way to line them up; here there are several, and which one a number gets depends on how often it occurred. [Singh and Strouse (2024)](99_references.ipynb#singh2024) found large models better at addition with digits grouped from the right, as in 12,345, than from the left.
#
# ### Spaces
#
# A token holds the space before its word. `the`, `␣the` and `The` have nothing in common but a spelling that the model never sees. And a prompt that *ends* in a space ends in a token that hardly ever stands before a word. **Predict** how many more bits the next word costs then, compared with a model that knows that a space comes.

# %% include texp: a prompt that ends in a space ... claim("a space at the end

# %% [markdown]
# Want of context is not the reason: with one token more in sight it is no better. Behind a lone space [the table of counts](#tbl-prompts) expects what stood there in training, and a common word never did, since it brought its own space along. Programs that ask models cut the space off, or take back the last token and let the model choose it anew.
#
# ### Rare tokens
#
# A merge may be a step on the way to a longer one, and all of its occurrences may go on into that. **Predict** how many of 8,192 tokens never occur in the very text that they were learned on.

# %% include texp: tokens that are hardly used

# %% [markdown]
# Hundreds; and of most bytes the plays have none. Each has its row in the embedding, and that row is left where it started, since training never shows it. Give such a token to a network, and it reads noise: `SolidGoldMagikarp` was one of GPT-2's ([Rumbelow and Watkins, 2023](99_references.ipynb#rumbelow2023)), and [Land and Bartolo (2024)](99_references.ipynb#land2024) find them in most open models. The usual cause there is another: the tokenizer learned from other text than the network did.

# %% [markdown]
# ## Word embeddings
#
# To a model a token is a number, and the number says nothing: 700 is no nearer to 701 than to 350. What it works with is a row of an [embedding](05_layers.ipynb), $D$ numbers that it learns. What can such a row know? Take whole words now, those that the plays have ten times or more.
#
# "You shall know a word by the company it keeps", wrote [Firth (1957)](99_references.ipynb#firth1957), and [Harris (1954)](99_references.ipynb#harris1954) before him: words in the same surroundings mean similar things. So count how often each word stands within five places of each other one. Counts alone favor what is frequent anyway. Compare them with chance ([Church and Hanks, 1990](99_references.ipynb#church1990)), by the **pointwise mutual information**:
#
# <a id="eq-pmi"></a>
# $$
# \operatorname{PMI}(w,c)=\log\frac{p(w,c)}{p(w)\,p(c)} .
# $$

# %% include temb: nnbook.tokenizer: word_tokens ... nnbook.tokenizer: cooccurrences, pmi

# %%
read = [word_tokens(text) for text in plays.parts.values()]
seen = Counter(word for play in read for word in play)
words = [word for word, times in seen.most_common() if times > 9]
number = {word: i for i, word in enumerate(words)}
ids = [np.array([number.get(word, -1) for word in play])
       for play in read]                           # -1: too rare
counts = np.array([seen[word] for word in words])
print(f"{seen.total():,} words, {len(seen):,} different")
print(f"{len(words):,} of them at least ten times")

# %%
def plain_pairs(ids, window):
    "All (word, neighbor) at most `window` places apart."
    return [(w, c) for i, w in enumerate(ids)
            for j, c in enumerate(ids) if 0 < abs(i - j) <= window]

def plain_pmi(counts):
    "How much more often than by chance: (V, V) -> (V, V)."
    both = counts / counts.sum()                        # p(w, c)
    chance = both.sum(axis=1, keepdims=True) * both.sum(axis=0)
    return np.log(both / chance)

# %% [markdown]
# **Predict** which words stand near *night* most often, and which more often than chance would have them.

# %% include embx: near = cooccurrences(ids, len(words), 5)

# %% [markdown]
# By counts these words keep much the same company. PMI goes wrong at the other end: what was seen once or twice comes first, and a pair never seen has $-\infty$. And a row of the table is as long as the vocabulary.
#
# **Skip-gram with negative sampling**, known as word2vec, learns short rows instead ([Mikolov and others, 2013](99_references.ipynb#mikolov2013b)). Each word has two vectors of $D$ numbers, $\mathbf w$ as a center and $\mathbf c$ as context. From the text come pairs that are true; to each, $k$ contexts are drawn by how frequent they are, and called false. The dot product is the logit of *true*:
#
# <a id="eq-sgns"></a>
# $$
# L=-\log\sigma(\mathbf w\cdot\mathbf c)-\sum_{j=1}^{k}\log\sigma(-\mathbf w\cdot\mathbf c_j).
# $$

# %%
#| code-summary: "the drawing"
#| code-fold: true
diagram("word (B) -> embedding; contexts (B, 1 + k) -> context; embedding -> w (B, D) -> dot; context -> c (B, 1 + k, D) -> dot; dot -> scores (B, 1 + k) -> loss", name="skip-gram",
        caption="Skip-gram: each of B words with one true context and k drawn ones; two tables give their vectors, and the dot products are the scores.",
        alt="Boxes and arrows: words go through a table named embedding and become vectors w; contexts, one true and k drawn for each word, go through a table named context and become vectors c; their dot products are the scores, from which the loss is computed.")

# %%
def plain_loss(w, true, drawn):
    "w (D,), true (D,), drawn (k, D)."
    log_sigmoid = lambda x: -np.log(1 + np.exp(-x))
    return -log_sigmoid(w @ true) - log_sigmoid(-drawn @ w).sum()

# %% include temb: nnbook.tokenizer: skip_gram_pairs ... nnbook.tokenizer: WordVectors

# %% include embx: the claim: short versions and library agree

# %%
def learn_vectors(ids, counts, dim, lr, epochs=5, k=5, seed=0):
    model = SkipGram(len(counts), dim, rng=seed)
    adam = Adam(model.parameters(), lr)
    for epoch in range(epochs):
        rng = stream(seed, "skip-gram, pairs and draws", epoch)
        adam.param_groups[0]["lr"] = lr * (1 - epoch / epochs)
        centers, contexts = skip_gram_pairs(
            ids, window=5, rng=rng, dynamic=True, subsample=1e-4)
        order = rng.permutation(len(centers))
        for at in np.array_split(order, len(order) // 2048):
            drawn = draw_negatives(counts, (len(at), k), rng)
            true = contexts[at, None]                      # (B, 1)
            asked = np.concatenate([true, drawn], axis=1)
            scores = model(centers[at], asked)         # (B, 1 + k)
            loss = negative_sampling_loss(scores)
            adam.zero_grad()
            loss.backward()
            adam.step()
    return model

# %% include embx: the loss on pairs held out, and vectors as text ... the long run: a rate, by pairs from the last tenth of each play

# %% [markdown]
# (As in the paper, `dynamic` draws the size of each window, and `subsample` leaves out many of the most frequent words.) Here are counts, there a classifier that learns. What does it learn?

# %% [markdown]
# ### What it factorizes
#
# Which score is best for one pair $(w,c)$? In the text it is found $n$ times. Among the false ones it turns up $m=k\,n_w\,q(c)$ times on average, where $n_w$ counts the pairs of $w$, and $q(c)$ is how likely $c$ is drawn. So the loss asks of its score $s$ no more than $-n\log\sigma(s)-m\log\sigma(-s)$, whose derivative, $(n+m)\,\sigma(s)-n$, is 0 at $s=\log(n/m)$. Drawn as the text has them, $q(c)=p(c)$, and that is
#
# <a id="eq-levy"></a>
# $$
# \mathbf w\cdot\mathbf c=\operatorname{PMI}(w,c)-\log k .
# $$
#
# [Levy and Goldberg (2014)](99_references.ipynb#levy2014) saw it: skip-gram *factorizes* a table of shifted PMI into two narrow ones, if they are wide enough to give each pair a score of its own. This is about the least loss, so let us go there: all pairs at once, with the draws in their mean.

# %%
def factorize(counts, dim, lr, steps=500, k=5, power=1.0, seed=0):
    "counts (V, V) -> the vectors (V, D) of centers and contexts."
    true = (counts / counts.mean()).astype(np.float32)
    context = true.sum(axis=0) ** power                    # (V,)
    chance = context / context.sum()
    drawn = k * true.sum(axis=1, keepdims=True) * chance
    model = SkipGram(len(counts), dim, rng=seed)
    W, C = model.parameters()
    adam = Adam([W, C], lr)
    for step in range(steps):
        adam.param_groups[0]["lr"] = lr * (1 - step / steps)
        scores = W.data @ C.data.T                         # (V, V)
        slope = (true + drawn) * sigmoid(scores) - true
        W.grad, C.grad = slope @ C.data, slope.T @ W.data
        adam.step()
    return W.data, C.data

# %% include embx: how near the scores come to PMI - log k

# %% [markdown]
# **Predict** for the 300 most frequent words, with 8, 32, 128 and 300 numbers each: how close do scores and PMI − log 5 come? And where can't they?

# %% include embx: the long run: skip-gram on counts ... name="factor-drawn"

# %% [markdown]
# With as many numbers as words, scores and shifted PMI [agree](#tbl-factor-table), and pairs never seen, whose PMI is $-\infty$, are still on their way there. With fewer numbers they don't, least for pairs seen once, which weigh least in the loss. The equation holds for shuffled plays as well: at full width skip-gram learns their noise as closely. It says what a score *is*, and not that it means anything. The difference shows where vectors are narrow: of the plays they get more of what there is to learn than of noise.
#
# It takes [steps](#tbl-factor-table) as well as width. And with word2vec's own draws, by counts to the power ¾, the scores are PMI of [smoothed contexts](#tbl-factor-drawn).

# %% [markdown]
# ### Neighbors
#
# **Predict** what stands nearest to *thou*, to *king*, to *romeo*, and which of these neighbors would be left if the words of each play were shuffled.

# %% include embx: the long run: vectors of the plays, and of their words shuffled ... the nearest words

# %% [markdown]
# The verbs that go with *thou* stand next to it, and not after shuffling; *love* stands by *soul*, *life* and *heart*. The *king*'s neighbors are those of one play, *Hamlet*, in which a king speaks under that name, and *romeo*'s are those of his. Shuffled within each play, both [keep to their play](#tbl-nearest), *romeo* even to the same persons: names of a play are near each other, whatever stands beside them. A list of neighbors that looks right proves little.
#
# Which of them would come back in other plays? Part the eight plays into four and four, and make vectors of each half alone. **Predict** how many of a word's ten nearest in one half are among its ten in the other: by skip-gram, by the rows of PMI, with words shuffled, and by chance.

# %% include embx: vectors from counts: singular vectors of positive PMI, and skip-gram ... name="replication"

# %% [markdown]
# [One or two](#tbl-replication): many more than by chance or with shuffled words, and about twice as many as among words that are equally frequent. The rows of positive PMI, which nobody had to learn, have somewhat fewer than skip-gram's vectors. Of the lists above, then, most words would not stand there in other plays. Two hundred thousand words are few.

# %% [markdown]
# ### Analogies
#
# Vectors of words became famous for arithmetic: *king* − *man* + *woman* is near *queen* ([Mikolov and others, 2013](99_references.ipynb#mikolov2013)). The usual test leaves out the three words of the question. [Linzen (2016)](99_references.ipynb#linzen2016), [Rogers and others (2017)](99_references.ipynb#rogers2017) and [Nissim and others (2020)](99_references.ipynb#nissim2020) asked what the answer is without that help, and whether the word nearest to *woman* would have done. These pairs were written down before any was tried; those with a word that is too rare fall out.

# %% include embx: families = {

# %% include embx: asking, with and without the words of the question

# %% [markdown]
# **Predict**: of all questions made of two pairs of a family, how many are answered rightly? And how many if all words may answer?

# %% include embx: the long run: five seeds ... name="analogies"

# %% [markdown]
# For [plurals and forms of verbs](#tbl-analogies) it fails: learned at once, skip-gram answers about as many as a guess among the family's other second words would, and the other ways answer fewer. *King* and *queen* and their kind fare no better than by the word nearest to *c*. With all words allowed, the answer is *b* or *c* more often than not: $\mathbf b-\mathbf a+\mathbf c$ does not get away from them.
#
# Two families succeed, in the same vectors: the possessives, and, learned at once, the verbs of *thou*. They are answered far more often than by any of the three shortcuts; learned at once, most of that is left with all words allowed. So it is not that small texts have no analogies; they have some. How the vectors were learned matters as much: learned from drawn pairs, five times through with frequent words thinned out, as word2vec is mostly used, the same loss answers hardly anything.

# %% [markdown]
# ## The same in PyTorch
#
# A tokenizer has no gradient and needs no twin. The skip-gram model has one:

# %% include temb: nnbook.torch.tokenizer: imports ... each class with its twin

# %% include page: import assert_twins

# %% [markdown]
# ## Recap
#
# - A list of words always lacks some; bytes lack nothing and are many. Byte-pair encoding makes a list between them, of any length: the most frequent pair becomes one token, again and again.
# - To encode is to merge in the order learned. Decoding undoes it, byte for byte. With counts kept, a fraction of the pairs is looked at, and the merges are the same.
# - Compare models in bits per byte. So compared, tables of counts gain next to nothing from tokens as they come, and lose once their smoothing is tuned. What tokens save is steps.
# - Tokens follow counts: numbers are cut unevenly, other scripts byte by byte; a prompt that ends in a space misleads; tokens that were steps to longer ones are never trained.
# - Skip-gram with negative sampling factorizes PMI − log *k*, of noise as well as of meaning. From eight plays, one or two of ten neighbors come back in other plays, and most analogies fail; not all.

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
