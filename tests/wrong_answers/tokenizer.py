"Plausible wrong answers to the exercises on tokenizers and word embeddings."

LEARN = """
from collections import Counter

def joined(pieces, pair):
    {joined}

def learn_bpe(words, n):
    words, merges = {words}, []
    while {more}:
        pairs = Counter()
        for pieces, count in words.items():
            for pair in {pairs}: pairs[pair] += {count}
        if not pairs: break
        best = {best}
        merges.append({merged})
        words = {next}
    return {answer}
"""
LEARNED = {"words": "{tuple(bytes([b]) for b in word): count for word, count in words.items()}", "more": "len(merges) < n", "pairs": "zip(pieces, pieces[1:])", "count": "count",
           "best": "min(pairs, key=lambda pair: (-pairs[pair], pair))", "merged": "best", "next": "{joined(pieces, best): count for pieces, count in words.items()}", "answer": "merges",
           "joined": """out = []
    for piece in pieces:
        if out and (out[-1], piece) == pair: out[-1] += piece
        else: out.append(piece)
    return tuple(out)"""}

PIECES = """
class Pieces:
    def __init__(self, merges): {init}

    def encode(self, text):
        {encode}

    def decode(self, tokens):
        {decode}
"""
SHOWN = {"init": "self.merges = merges", "decode": "return ''.join(token.decode(errors='replace') for token in tokens)", "encode": """out = []
        for b in text.encode():
            out.append(bytes([b]))
            while len(out) > 1 and (out[-2], out[-1]) in self.merges:
                out[-2:] = [out[-2] + out[-1]]
        return out"""}
MENDED = {"init": "self.rank = {pair: i for i, pair in enumerate(merges)}", "decode": "return b''.join(tokens).decode(errors='replace')", "encode": """tokens = [bytes([b]) for b in text.encode()]
        while True:
            best = min(zip(tokens, tokens[1:]), key=lambda pair: self.rank.get(pair, len(self.rank)), default=None)
            if best not in self.rank: return tokens
            out = []
            for token in tokens:
                if out and (out[-1], token) == best: out[-1] += token
                else: out.append(token)
            tokens = out"""}

WAYS = """
def ways(text, tokens):
    {longest}
    count = [{empty}]
    for end in range(1, len(text) + 1):
        count.append({sum})
    return {answer}
"""
CUT = {"longest": "longest = max(map(len, tokens), default=0)", "empty": "1", "sum": "sum(count[start] for start in range(max(0, end - longest), end) if text[start:end] in tokens)", "answer": "count[-1]"}

STEP = """def step(W, C, center, context, drawn, lr):
    rows = np.concatenate([[context], drawn])
    true = np.arange(len(rows)) == 0
    scores = C[rows] @ W[center]
    loss = {loss}
    slope = {slope}
    {moves}
    return loss"""
STEPPED = {"loss": "np.logaddexp(0, np.where(true, -scores, scores)).sum()", "slope": "1 / (1 + np.exp(-scores)) - true",
         "moves": "for_center = slope @ C[rows]\n    np.add.at(C, rows, -lr * slope[:, None] * W[center])\n    W[center] -= lr * for_center"}

WRONG = {
    "tokenizer.1": [
        "def bits_per_byte(loss, n_tokens, text): return loss * n_tokens / np.log(2) / len(text)",               # characters
        "def bits_per_byte(loss, n_tokens, text): return loss * n_tokens * np.log(2) / len(text.encode())",
        "def bits_per_byte(loss, n_tokens, text): return loss * n_tokens / len(text.encode())",                  # nats
        "def bits_per_byte(loss, n_tokens, text): return loss / np.log(2)",                                      # per token
        "def bits_per_byte(loss, n_tokens, text): return loss / np.log(2) * len(text.encode()) / n_tokens",      # the wrong way round
        "def bits_per_byte(loss, n_tokens, text): return loss / np.log(2) / len(text.encode())",
        "def bits_per_byte(loss, n_tokens, text): return loss * n_tokens / np.log(2)",
        "def bits_per_byte(loss, n_tokens, text): return loss * n_tokens / np.log2(np.e) / len(text.encode())",
        "def bits_per_byte(loss, n_tokens, text): return loss * n_tokens / np.log(2) / len(text.encode('utf-16'))",
        "def bits_per_byte(loss, n_tokens, text): print(loss * n_tokens / np.log(2) / len(text.encode()))",
    ],
    "tokenizer.2": [
        LEARN.format(**LEARNED | {"count": "1"}),                                                                # each word once
        LEARN.format(**LEARNED | {"words": "{tuple(bytes([b]) for word, count in words.items() for b in word * count): 1}"}),      # across borders
        LEARN.format(**LEARNED | {"best": "max(pairs, key=lambda pair: (pairs[pair], pair))"}),                  # the largest of equals
        LEARN.format(**LEARNED | {"best": "max(pairs, key=pairs.get)"}),                                         # the first met of equals
        LEARN.format(**LEARNED | {"best": "pairs.most_common()[0][0]"}),
        LEARN.format(**LEARNED | {"best": "min(pairs, key=pairs.get)"}),                                         # the rarest
        LEARN.format(**LEARNED | {"next": "words"}),                                                             # never merged: the same pair again
        LEARN.format(**LEARNED | {"next": "words", "best": "min(set(pairs) - set(merges), key=lambda pair: (-pairs[pair], pair), default=None)", "more": "len(merges) < n and None not in merges"}),
        LEARN.format(**LEARNED | {"more": "len(merges) <= n"}),                                                  # one too many
        LEARN.format(**LEARNED | {"more": "len(merges) < n - 256"}),                                             # n taken for the size of the vocabulary
        LEARN.format(**LEARNED | {"merged": "best[0] + best[1]"}),                                               # tokens instead of pairs
        LEARN.format(**LEARNED | {"merged": "(best[0].decode(errors='replace'), best[1].decode(errors='replace'))"}),
        LEARN.format(**LEARNED | {"words": "{tuple(word.decode()): count for word, count in words.items()}"}),   # characters
        LEARN.format(**LEARNED | {"pairs": "set(zip(pieces, pieces[1:]))"}),                                     # a pair once a word
        LEARN.format(**LEARNED | {"answer": "merges, words"}),
        LEARN.format(**LEARNED | {"answer": "print(merges)"}),
        LEARN.format(**LEARNED).replace("if not pairs: break", ""),                                              # no pair left: min of nothing
        LEARN.format(**LEARNED).replace("    words, merges", "    words.pop(b'', None)\n    words, merges"),     # writes into its argument
        LEARN.format(**LEARNED | {"joined": "return tuple(b'\\0'.join(pieces).replace(b'\\0'.join(pair), b''.join(pair)).split(b'\\0'))"}),       # replaces inside other pieces
        LEARN.format(**LEARNED | {"joined": "out, i = [], 0\n    while i < len(pieces):\n        two = pieces[i : i + 2] == pair\n        out.append(pair[0] + pair[1] if two else pieces[i])\n        i += 1\n    return tuple(out)"}),   # the second half stays
        LEARN.format(**LEARNED | {"joined": "for i in range(len(pieces) - 1):\n        if pieces[i : i + 2] == pair: return pieces[:i] + (pair[0] + pair[1],) + pieces[i + 2 :]\n    return pieces"}),   # one place a word
        "from nnbook.tokenizer import BPETokenizer\ndef learn_bpe(words, n):\n    return BPETokenizer.train([word for word, count in words.items() for _ in range(count)], 256 + n).merges",
    ],
    "tokenizer.3": [
        PIECES.format(**SHOWN),                                                                                  # the one shown
        PIECES.format(**SHOWN | {"decode": MENDED["decode"]}),
        PIECES.format(**MENDED | {"decode": SHOWN["decode"]}),
        PIECES.format(**MENDED | {"decode": "return b''.join(tokens).decode()"}),                                # raises for half a character
        PIECES.format(**MENDED | {"decode": "return b''.join(tokens).decode(errors='ignore')"}),
        PIECES.format(**MENDED | {"decode": "return b''.join(tokens).decode('latin-1')"}),
        PIECES.format(**MENDED | {"decode": "return b''.join(tokens)"}),
        PIECES.format(**MENDED | {"encode": "tokens = [bytes([b]) for b in text.encode()]\n        i = 0\n        while i + 1 < len(tokens):\n            if (tokens[i], tokens[i + 1]) in self.rank:\n                tokens[i : i + 2] = [tokens[i] + tokens[i + 1]]\n                i = 0\n            else: i += 1\n        return tokens"}),   # the leftmost
        PIECES.format(**MENDED | {"encode": "known, out, data = {a + b for a, b in self.rank}, [], text.encode()\n        while data:\n            n = max([1] + [len(t) for t in known if data.startswith(t)])\n            out.append(data[:n])\n            data = data[n:]\n        return out"}),   # the longest
        PIECES.format(**MENDED | {"encode": MENDED["encode"].replace("min(zip(tokens, tokens[1:]), key=lambda pair: self.rank.get(pair, len(self.rank))", "max(zip(tokens, tokens[1:]), key=lambda pair: self.rank.get(pair, -1)")}),   # the latest
        PIECES.format(**MENDED | {"encode": MENDED["encode"].replace("[bytes([b]) for b in text.encode()]", "[c.encode() for c in text]")}),      # characters
        PIECES.format(**MENDED | {"encode": MENDED["encode"].replace("return tokens", "return [token.decode() for token in tokens]")}),
        PIECES.format(**MENDED | {"encode": "tokens = [bytes([b]) for b in text.encode()]\n        for pair in sorted(self.rank, key=self.rank.get):\n            for i in range(len(tokens) - 1):\n                if tuple(tokens[i : i + 2]) == pair:\n                    tokens[i : i + 2] = [pair[0] + pair[1]]\n                    break\n        return tokens"}),   # each merge once
        PIECES.format(**MENDED | {"init": "self.rank = {pair: i for i, pair in enumerate(sorted(merges))}"}),
        PIECES.format(**MENDED | {"init": "merges.reverse(); self.rank = {pair: -i for i, pair in enumerate(merges)}"}),                    # changes its argument
        "from nnbook.tokenizer import BPETokenizer\nclass Pieces:\n    def __init__(self, merges): self.t = BPETokenizer(merges, pretokenize=False)\n    def encode(self, text): return [self.t.tokens[i] for i in self.t.encode(text)]\n    def decode(self, tokens): return b''.join(tokens).decode(errors='replace')",
    ],
    "tokenizer.4": [
        WAYS.format(**CUT | {"empty": "0"}),                                                                     # no way to cut nothing
        WAYS.format(**CUT | {"sum": "sum(1 for start in range(max(0, end - longest), end) if text[start:end] in tokens)"}),                 # not added up
        WAYS.format(**CUT | {"answer": "sum(count)"}),
        WAYS.format(**CUT | {"longest": "longest = 2"}),
        WAYS.format(**CUT | {"sum": "sum(count[start] for start in range(max(0, end - longest + 1), end) if text[start:end] in tokens)"}),  # off by one
        WAYS.format(**CUT | {"sum": "max(count[start] for start in range(max(0, end - longest), end) if text[start:end] in tokens)"}),
        WAYS.format(**CUT | {"sum": "count[-1] + sum(count[start] for start in range(max(0, end - longest), end - 1) if text[start:end] in tokens)"}),   # single bytes taken for known
        WAYS.format(**CUT | {"empty": "1.0"}),
        WAYS.format(**CUT | {"longest": "longest = len(text)", "sum": "np.prod([count[start] for start in range(end) if text[start:end] in tokens])"}),
        "def ways(text, tokens): return 1 if not text else sum(ways(text[n:], tokens) for n in range(1, len(text) + 1) if text[:n] in tokens)",   # never ends on long texts
        "def ways(text, tokens): return 2 ** (len(text) - 1)",
        "def ways(text, tokens):\n    count = [1] + [0] * len(text)\n    for token in tokens:\n        for end in range(len(token), len(text) + 1):\n            if text[end - len(token):end] == token: count[end] += count[end - len(token)]\n    return count[-1]",   # tokens outside, places inside
        "def ways(text, tokens): return sum(text.count(token) for token in tokens)",
        "def ways(text, tokens): return [text]",
    ],
    "tokenizer.5": [
        STEP.format(**STEPPED | {"moves": STEPPED["moves"].replace("np.add.at(C, rows, -lr * slope[:, None] * W[center])", "C[rows] -= lr * slope[:, None] * W[center]")}),   # a row named twice moves once
        STEP.format(**STEPPED | {"moves": "W[center] -= lr * slope @ C[rows]\n    np.add.at(C, rows, -lr * slope[:, None] * W[center])"}),     # by the center's new vector
        STEP.format(**STEPPED | {"moves": "np.add.at(C, rows, -lr * slope[:, None] * W[center])\n    W[center] -= lr * slope @ C[rows]"}),     # by the contexts' new vectors
        STEP.format(**STEPPED | {"slope": "1 / (1 + np.exp(-scores)) - ~true"}),                                                               # labels exchanged
        STEP.format(**STEPPED | {"slope": "true - 1 / (1 + np.exp(-scores))"}),                                                                # ascent
        STEP.format(**STEPPED | {"slope": "1 / (1 + np.exp(-scores))"}),                                                                       # no true one
        STEP.format(**STEPPED | {"slope": "scores - true"}),                                                                                   # squared error's
        STEP.format(**STEPPED | {"slope": "(1 / (1 + np.exp(-scores)) - true) / len(rows)"}),                                                  # a mean
        STEP.format(**STEPPED | {"slope": "(1 / (1 + np.exp(-scores)) - true) * np.where(true, 1, 1 / len(drawn))"}),
        STEP.format(**STEPPED | {"slope": "(1 / (1 + np.exp(-scores)) - true) * true"}),                                                       # nothing drawn moves
        STEP.format(**STEPPED | {"moves": "np.add.at(C, rows, -lr * slope[:, None] * W[center])"}),                                            # the center stays
        STEP.format(**STEPPED | {"moves": "W = W.copy()\n    C = C.copy()\n    " + STEPPED["moves"]}),                                            # copies
        STEP.format(**STEPPED | {"loss": "np.logaddexp(0, np.where(true, -scores, scores)).mean()"}),
        STEP.format(**STEPPED | {"loss": "-np.log(1 / (1 + np.exp(-np.where(true, scores, -scores)))).sum()"}),                                # infinite far out
        STEP.format(**STEPPED | {"loss": "np.logaddexp(0, scores).sum()"}),
        STEP.format(**STEPPED).replace("return loss", "return np.logaddexp(0, np.where(true, -(C[rows] @ W[center]), C[rows] @ W[center])).sum()"),  # after the step
        STEP.format(**STEPPED).replace("return loss", "loss"),
        STEP.format(**STEPPED).replace("    rows =", "    drawn[:] = drawn[drawn != context].tolist() + [0] * (drawn == context).sum()\n    rows ="),   # changes what it was given
        STEP.format(**STEPPED).replace("np.concatenate([[context], drawn])", "np.concatenate([[context], drawn[drawn != context]])"),          # leaves the true one out of the draws
        STEP.format(**STEPPED).replace("np.concatenate([[context], drawn])", "np.unique(np.concatenate([[context], drawn]))"),
        "from nnbook.tokenizer import SkipGram, negative_sampling_loss\ndef step(W, C, center, context, drawn, lr):\n    m = SkipGram(*W.shape)\n    m.embedding.weight.data[...], m.context.weight.data[...] = W, C\n    loss = negative_sampling_loss(m(np.array([center]), np.concatenate([[context], drawn])[None]))\n    loss.backward()\n    W -= lr * m.embedding.weight.grad\n    C -= lr * m.context.weight.grad\n    return loss.item()",
    ],
}
