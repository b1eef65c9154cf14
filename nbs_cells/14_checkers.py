# %%
#| hide
#| export checkers.tokenizer
from collections import Counter

import numpy as np

from nnbook.exercises import Mismatch, checker, expect, own_work
from nnbook.streams import stream

_BORROWED = ("nnbook.tokenizer", "nnbook.torch", "tokenizers", "tiktoken", "sentencepiece", "torch"), {"plain_train", "plain_merge", "plain_encode"}

def _returned(got):
    if got is None: raise Mismatch("your function gives back None; is a `return` missing?")
    return got

@checker("tokenizer.1")
def _(bits_per_byte):
    for loss, n_tokens, text in ((1.0, 1, "a"), (2.0, 10, "to be or not to be"), (3.0, 5, "naïve café"), (2.5, 7, "Ἀχιλλεύς, 字"), (0.75, 1000, "x" * 1000)):
        got, n, where = _returned(bits_per_byte(loss, n_tokens, text)), len(text.encode()), f"{loss} nats a token, {n_tokens} tokens, {text if len(text) < 20 else text[:5] + '…'!r}"
        want = loss * n_tokens / np.log(2) / n
        for mistake, wrong in {"this is in nats": loss * n_tokens / n, "nats are turned into bits by a division, not by a product": loss * n_tokens * np.log(2) / n,
                               "this divides by the number of characters; how many bytes have they?": loss * n_tokens / np.log(2) / len(text), "these are bits per token": loss / np.log(2),
                               "these are the bits of the whole text": loss * n_tokens / np.log(2), "which of the two numbers, of tokens and of bytes, divides?": loss * n / np.log(2) / n_tokens,
                               "the loss is the mean over tokens; what is it for all of them?": loss / np.log(2) / n, "log10 is not what turns nats into bits": loss * n_tokens / np.log(10) / n,
                               "these are nats, and per character": loss * n_tokens / len(text)}.items():
            if np.ndim(got) == 0 and isinstance(got, (int, float, np.number)) and np.isclose(got, wrong) and not np.isclose(got, want): raise Mismatch(f"{where}: {mistake}")
        expect(got, want, where)


# %%
#| hide
#| export checkers.tokenizer
def _joined(pieces, pair, side="left") -> tuple:
    "Pieces with every occurrence of the pair made one, from the left; or what a usual mistake makes of it."
    if side == "right": return tuple(p[::-1] for p in _joined([p[::-1] for p in pieces[::-1]], (pair[1][::-1], pair[0][::-1])))[::-1]
    out, skip = [], False
    for i, piece in enumerate(pieces):
        if skip: skip = False
        elif tuple(pieces[i : i + 2]) == tuple(pair) and not (side == "first" and any(tuple(pieces[j : j + 2]) == tuple(pair) for j in range(i))):
            out.append(piece + pieces[i + 1])
            skip = True
        else: out.append(piece)
    return tuple(out)

def _learn(words, n, weigh=True, across=False, tie=min, apply=True, side="left", twice=True, most=True, once=False) -> list:
    "Merges as exercise 2 asks for them, or what a usual mistake makes of it."
    cut = lambda word: tuple(bytes([b]) for b in word)
    held, merges = [(cut(word), count) for word, count in words.items()], []
    if across: held = [(cut(b"".join(word * count for word, count in words.items())), 1)]
    while len(merges) < n:
        pairs = Counter()
        for pieces, count in held:
            last = None
            for i, pair in enumerate(zip(pieces, pieces[1:])):
                if not twice and last == (i - 1, pair) or once and pair in zip(pieces[:i], pieces[1 : i + 1]): continue
                last = i, pair
                pairs[pair] += count if weigh else 1
        if not pairs: break
        top = (max if most else min)(pairs.values())
        best = tie([pair for pair in pairs if pairs[pair] == top])
        if not apply: return sorted(pairs, key=lambda pair: (-pairs[pair], pair))[:n]
        merges.append(best)
        held = [(_joined(pieces, best, side), count) for pieces, count in held]
    return merges

_LEARNING = {"a word counts once here; it occurs as often as the dictionary says": dict(weigh=False), "pairs are merged across the border of two words": dict(across=True),
             "which of the pairs that occur equally often is asked for? Not the largest": dict(tie=max), "which of the pairs that occur equally often is asked for? Not the one met first": dict(tie=lambda pairs: pairs[0]),
             "which of the pairs that occur equally often is asked for? Not the one met last": dict(tie=lambda pairs: pairs[-1]),
             "all pairs come from the bytes as they were: the next merge has to see what the one before has made": dict(apply=False),
             "merges start from the left, in each word": dict(side="right"), "a merge joins its pair at every place of a word, not only at the first": dict(side="first"),
             "a pair counts at each place where it stands: how often in aaa?": dict(twice=False), "a pair counts at each place of a word, not once a word": dict(once=True), "this takes the pair that occurs least": dict(most=False)}

_WORDS = (("one word", {b"abab": 1}, 1), ("one word, two merges", {b"ababab": 1}, 2), ("words that occur often", {b"hug": 10, b"pug": 5, b"pun": 12, b"bun": 4, b"hugs": 5}, 6),
          ("pairs that occur equally often", {b"xyab": 3, b"zw": 3}, 4), ("equal letters", {b"aaa": 2, b"ba": 3, b"aaaaa": 1}, 4), ("equal letters again", {b"aaab": 4, b"aa": 1}, 3),
          ("two words that meet", {b"ab": 2, b"cd": 2, b"ca": 1, b"bc": 1}, 3), ("more merges than there are pairs", {b"abc": 1, b"d": 7}, 9), ("letters outside ASCII", {"né".encode(): 3, "été".encode(): 2, "字字".encode(): 2}, 8),
          ("a word without a byte", {b"": 5, b"to": 1}, 2), ("no word", {}, 3), ("no merge", {b"to": 1}, 0))

@checker("tokenizer.2")
def _(learn_bpe):
    own_work(learn_bpe, *_BORROWED)
    rng = stream(0, "judge")
    drawn = {bytes(rng.choice(list(b"abc"), size=rng.integers(1, 9)).tolist()): int(rng.integers(1, 9)) for _ in range(40)}
    for what, words, n in (*_WORDS, ("forty words of a, b and c", drawn, 25)):
        given = dict(words)
        got, want = _returned(learn_bpe(given, n)), _learn(words, n)
        expect(given == words, True, "your function changed the dictionary that it was given to read")
        if isinstance(got, tuple) and len(got) == 2 and isinstance(got[0], list): raise Mismatch("return the merges alone, a list")
        if not isinstance(got, list) or not all(isinstance(pair, (tuple, list)) and len(pair) == 2 for pair in got): raise Mismatch(f"{what}: return a list of pairs, (first, second)")
        got = [tuple(pair) for pair in got]
        kinds = {type(part) for pair in got for part in pair}
        if kinds - {bytes}: raise Mismatch(f"{what}: the parts of a pair should be bytes, yours are {', '.join(sorted(kind.__name__ for kind in kinds))}")
        if got == want: continue
        if len(set(got)) < len(got): raise Mismatch(f"{what}: the same pair comes twice among your merges; where can it stand once it was merged?")
        slips = [mistake for mistake, slip in _LEARNING.items() if got == _learn(words, n, **slip)]
        if len(slips) > 1 and all("equally often" in slip for slip in slips): slips = ["which of the pairs that occur equally often is asked for?"]
        if len(slips) == 1: raise Mismatch(f"{what}, {words if len(words) < 6 else '…'}: {slips[0]}")
        if len(got) != len(want) and got[: len(want)] == want[: len(got)]: raise Mismatch(f"{what}: {n} merges were asked for, {len(want)} are possible, and you return {len(got)}")
        at = next(i for i, (a, b) in enumerate(zip([*got, None], [*want, None])) if a != b)
        raise Mismatch(f"{what}, {words if len(words) < 6 else '…'}: merge {at + 1} should be {want[at] if at < len(want) else 'none'}, and is {got[at] if at < len(got) else 'missing'}")


# %%
#| hide
#| export checkers.tokenizer
def _encoded(text, merges, how="earliest") -> list:
    "The tokens of a pre-token, or what a usual mistake makes of it."
    tokens, rank = tuple(bytes([b]) for b in text.encode()), {pair: i for i, pair in enumerate(merges)}
    if how == "greedy":
        known, data, out = {a + b for a, b in merges}, text.encode(), []
        while data:
            size = max([1, *(len(token) for token in known if data.startswith(token))])
            out, data = [*out, data[:size]], data[size:]
        return out
    while here := [pair for pair in zip(tokens, tokens[1:]) if pair in rank]:
        best = {"earliest": min, "latest": max}[how](here, key=rank.get) if how != "left" else here[0]
        tokens = _joined(tokens, best)
    return list(tokens)

_PIECES = (([], "to be"), ([(b"t", b"o")], "to tot"), ([(b"c", b"d"), (b"a", b"b"), (b"b", b"c")], "abcd"), ([(b"b", b"c"), (b"a", b"b"), (b"a", b"bc")], "abc"), ([(b"b", b"c"), (b"a", b"b")], "abcab"), ([(b"a", b"a")], "aaaaa"), ([(b"a", b"a"), (b"aa", b"a")], "aaaaaaa"),
           ([(b"a", b"b"), (b"ab", b"c"), (b"c", b"d"), (b"ab", b"cd")], "abcd"), ([("é".encode()[:1], "é".encode()[1:])], "né"), ([], "né 字"), ([(b"t", b"o")], ""))

@checker("tokenizer.3")
def _(pieces):
    if not isinstance(pieces, type): raise Mismatch("hand over the class: check(\"tokenizer.3\", Pieces)")
    for method in ("encode", "decode", "__init__"):
        if hasattr(getattr(pieces, method), "__code__"): own_work(getattr(pieces, method), *_BORROWED)
    rng = stream(0, "judge")
    words = ["".join(rng.choice(list("abcé"), size=rng.integers(2, 12))) for _ in range(30)]
    merges = _learn(Counter(word.encode() for word in words), 25)
    for known, text in (*_PIECES, *((merges, word) for word in words), *((merges, word[::-1]) for word in words)):
        where = f"{text!r} with " + (f"the merges {known}" if len(known) < 5 else f"{len(known)} merges")
        given = list(known)
        made = pieces(given)
        got, want = made.encode(text), _encoded(text, known)
        if got is None: raise Mismatch("encode gives back None; is a `return` missing?")
        if not isinstance(got, (list, tuple)) or not all(isinstance(token, bytes) for token in got): raise Mismatch(f"{where}: encode returns a list of bytes objects")
        expect(given == known, True, "your class changed the list of merges that it was given")
        if b"".join(got) != text.encode(): raise Mismatch(f"{where}: your tokens are {list(got)}, together not the text's bytes")
        if list(got) != want:
            for mistake, how in {"you merge whatever can be merged, from the left; which pair goes first?": "left", "you take the longest token that fits, from the left; training did something else": "greedy", "you take the *last* merge that fits first": "latest"}.items():
                if list(got) == _encoded(text, known, how): raise Mismatch(f"{where}: {mistake}")
            raise Mismatch(f"{where}: the tokens should be {want}, and are {list(got)}")
        if list(made.encode(text)) != want: raise Mismatch(f"{where}: encoded a second time, the same text gives other tokens")
        _decodes(made, want, text)
    for tokens, want in (([b"n", b"\xc3"], "n\ufffd"), ([b"\xa9", b"e"], "\ufffde"), ([b"\xe5\xad", b"\x97"], "字"), ([], "")):
        _decodes(made, tokens, want)

def _decodes(made, tokens, want) -> None:
    given = list(tokens)
    try: got = made.decode(given)
    except UnicodeDecodeError: raise Mismatch(f"{tokens} can't be decoded by yours: a model may write bytes that form no character; what did the code above put in their place?") from None
    if got is None: raise Mismatch("decode gives back None; is a `return` missing?")
    if isinstance(got, bytes): raise Mismatch("decode returns a text (str); these are bytes")
    expect(given == list(tokens), True, "decode changed the list that it was given to read")
    if got != want: raise Mismatch(f"{list(tokens)}: decode should give {want!r}, and gives {got!r}")


# %%
#| hide
#| export checkers.tokenizer
class _Counted(set):
    "A set that counts how often it is asked."
    asked = 0
    def __contains__(self, token):
        self.asked += 1
        if self.asked > 200_000: raise Mismatch("your function asked more than 200,000 times whether some bytes are a token, for a text of 60 bytes: it counts the same ways again and again; keep what you know of the shorter beginnings")
        return super().__contains__(token)

def _ways(text, tokens, empty=1, longest=None, none=None) -> int:
    count = [empty]
    for end in range(1, len(text) + 1): count.append(sum(count[start] for start in range(end) if text[start:end] in tokens and end - start <= (longest or end)))
    return count[-1]

_CUTS = ((b"aab", {b"a", b"b", b"aa", b"ab"}), (b"aaa", {b"a", b"aa"}), (b"a", {b"a"}), (b"a", {b"b"}), (b"", {b"a"}), (b"the", {b"t", b"h", b"e", b"th", b"he", b"the"}), (b"abcabc", {b"a", b"b", b"c", b"ab", b"bc", b"abc", b"ca"}), (b"abab", {b"ab"}), (b"abx", {b"a", b"b", b"ab"}),
         (b"xab", {b"a", b"b", b"ab"}), ("né".encode(), {b"n", b"\xc3", b"\xa9", "é".encode(), b"n\xc3"}), (b"aaaaaaaaaa", {b"a", b"aaa", b"aaaa"}), (b"a" * 60, {b"a", b"aa"}))

@checker("tokenizer.4")
def _(ways):
    own_work(ways, *_BORROWED)
    for text, tokens in _CUTS:
        where, held = f"{text if len(text) < 12 else b'a' * 5 + b'...'} with the tokens {sorted(tokens)}", _Counted(tokens)
        got, want = _returned(ways(text, held)), _ways(text, tokens)
        expect(set(held) == tokens, True, "your function changed the set that it was given to read")
        if isinstance(got, (list, set, tuple)): raise Mismatch("return how many ways there are, a number")
        if not text and got == 0: raise Mismatch("a text of no bytes can be cut in one way: into no tokens")
        usual = {"this is how many *tokens* of the vocabulary stand somewhere in the text": sum(text[i : j] in tokens for i in range(len(text)) for j in range(i + 1, len(text) + 1)), "this is how many cuts any text so long has, whatever the tokens": 2**(len(text) - 1) if len(text) > 1 else -1,
                 "you take tokens of at most two bytes": _ways(text, tokens, longest=2), "the order of the tokens counts: a, aa and aa, a are two ways": _unordered(text, tokens)}
        for mistake, wrong in usual.items():
            if got == wrong != want: raise Mismatch(f"{where}: {mistake}")
        if isinstance(got, float): raise Mismatch("the numbers get large: count in whole numbers, not in floats")
        expect(got, want, where, tol=1e-12)
        expect(int(got) == want, True, f"{where}: {got}, expected {want}; has a number overflowed, or been rounded?")

def _unordered(text, tokens) -> int:
    "Cuts counted without their order, for a text of equal letters."
    count = [1] + [0] * len(text)
    for size in sorted(map(len, tokens)):
        for end in range(size, len(text) + 1): count[end] += count[end - size]
    return count[-1] if len(set(text)) == 1 and tokens == {text[:1] * len(token) for token in tokens} else -1


# %%
#| hide
#| export checkers.tokenizer
def _stepped(W, C, center, context, drawn, lr, usual: str = "") -> tuple:
    "Tables after one step and the loss before it, or what a usual mistake makes of them."
    W, C, rows = W.copy(), C.copy(), np.concatenate([[context], drawn]).astype(int)
    true = np.arange(len(rows)) == 0
    scores = C[rows] @ W[center]
    sigma = 1 / (1 + np.exp(-scores))
    loss = np.logaddexp(0, np.where(true, -scores, scores)).sum()
    slope = {"labels": sigma - ~true, "ascent": true - sigma, "no sigmoid": scores - true, "no label": sigma, "true alone": (sigma - true) * true,
             "mean of the draws": (sigma - true) * np.where(true, 1, 1 / max(len(drawn), 1)), "mean": (sigma - true) / len(rows)}.get(usual, sigma - true)
    old, moved = W[center].copy(), -lr * slope[:, None] * W[center]
    for_center = slope @ C[rows]
    if usual == "center first": moved = -lr * slope[:, None] * (old - lr * for_center)
    if usual == "once": C[rows] += moved
    else: np.add.at(C, rows, moved)
    if usual == "context first": for_center = slope @ C[rows]
    if usual != "center stays": W[center] -= lr * for_center
    return W, C, loss

_USUAL = {"once": "a row named twice has moved only once", "labels": "the true context is pushed away and the drawn ones are pulled near; which is which?", "ascent": "the loss rises; which way does descent go?",
          "no sigmoid": "is the derivative of log σ(s) by s really so simple? Where did σ go?", "no label": "every context is pushed away, the true one, too", "true alone": "the drawn contexts have not moved",
          "mean of the draws": "the drawn contexts' terms are summed, not averaged", "mean": "the terms are summed, not averaged", "center first": "the contexts have moved by the center's *new* vector; use the old one",
          "context first": "the center has moved by the contexts' *new* vectors; use the old ones", "center stays": "the center has not moved"}

@checker("tokenizer.5")
def _(step):
    own_work(step, *_BORROWED)
    def ask(W, C, center, context, drawn, lr, where):
        new_W, new_C, words = W.copy(), C.copy(), drawn.copy()
        loss = step(new_W, new_C, center, context, words, lr)
        expect(np.array_equal(words, drawn), True, "your function changed `drawn`")
        want_W, want_C, want = _stepped(W, C, center, context, drawn, lr)
        if np.array_equal(new_W, W) and np.array_equal(new_C, C) and not (np.allclose(want_W, W) and np.allclose(want_C, C)):
            raise Mismatch(f"{where}: W and C are as they were; change them in place, `W[center] -= ...`, rather than a copy")
        for name, mistake in _USUAL.items():
            wrong = _stepped(W, C, center, context, drawn, lr, name)
            if np.allclose(new_W, wrong[0]) and np.allclose(new_C, wrong[1]) and not (np.allclose(want_W, wrong[0]) and np.allclose(want_C, wrong[1])): raise Mismatch(f"{where}: {mistake}")
        expect(new_C, want_C, f"{where}: C after the step")
        expect(new_W, want_W, f"{where}: W after the step")
        if loss is None: raise Mismatch("the step is right; it also returns the loss before it")
        after = _stepped(want_W, want_C, center, context, drawn, 0.0)[2]
        if np.size(loss) == 1 and np.isclose(loss, after) and not np.isclose(after, want): raise Mismatch(f"{where}: this is the loss *after* the step")
        if np.size(loss) == 1 and np.isclose(loss, want / (1 + len(drawn))): raise Mismatch(f"{where}: the loss is a sum of {1 + len(drawn)} terms, not their mean")
        expect(loss, want, f"{where}: the loss before the step")
    for seed, (V, d, drawn) in enumerate(((6, 3, [3]), (6, 4, [3, 4, 5]), (7, 2, [4, 4, 0]), (6, 3, [2, 5, 2]), (5, 3, [1, 1, 1, 1]))):
        rng = stream(seed, "judge")
        W, C = rng.standard_normal((2, V, d))
        center, context = (1, 2) if seed != 4 else (0, 1)
        again = " (one of them twice)" if seed == 2 else " (the true one among them)" if seed == 3 else " (the true one, again and again)" if seed == 4 else ""
        ask(W, C, center, context, np.array(drawn), 0.3, f"{len(drawn)} drawn{again}")
    W, C = rng.standard_normal((2, 5, 3))
    ask(W, C, 2, 2, np.array([0, 4]), 0.5, "a word near itself")
    big = np.full((3, 2), 30.0)
    W, C = big.copy(), np.array([[30.0, 30], [-30, -30], [1, -1]])
    loss = step(W, C, 0, 1, np.array([0]), 0.0)
    expect(bool(np.isfinite(loss)), True, "the loss of a score of 1,800 should be finite; take log(1 + e^x) by np.logaddexp(0, x)")
    expect(loss, 3600.0, "the loss of a score of 1,800")
    return "the pulls of true and drawn contexts balance where the score is PMI - log k"
