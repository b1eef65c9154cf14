"What the chapter on tokenizers promises and a notebook can't test: any bytes survive, the library `tokenizers` makes the same tokens, files and threads, and errors a reader can act on."

import copy
import json
import pickle
import random
import unicodedata
import warnings
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
import pytest
import regex
import tiktoken
import wrong_calls
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import AddedToken, Tokenizer, models, pre_tokenizers, trainers
from wrong_calls import complaints, foreign, replaced

from nnbook import tokenizer
from nnbook.data import shakespeare
from nnbook.rnn import Vocabulary
from nnbook.tokenizer import BPETokenizer, pretokenize

END = "<|endoftext|>"
PATTERN = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"     # GPT-2's

# The peers know Unicode 16 or newer: where this Python knows more, tests keep to the characters of Unicode 3.2, which no version has changed.
UNICODE = unicodedata if tuple(map(int, unicodedata.unidata_version.split("."))) <= (16, 0, 0) else unicodedata.ucd_3_2_0


def assigned(code: int) -> bool: return UNICODE.category(chr(code)) not in ("Cn", "Cs")


plain_words = st.text("ab 'sre1 2.\n\t\r", max_size=40)
any_text = st.text(st.characters(exclude_categories=["Cs"]).filter(lambda c: assigned(ord(c))), max_size=40)
texts = st.one_of(plain_words, any_text, st.lists(st.one_of(plain_words, any_text, st.sampled_from(["  ", "'ll", "don't", "\u00a0", "\x1c", "e\u0301", "\U0001f469\u200d\U0001f680", "ß", "½", "Ⅷ", "\r\n", "\0"])), max_size=8).map("".join))
broken_text = st.text(st.characters(), max_size=30)                                           # lone surrogates too


@pytest.fixture(scope="module")
def plays() -> str: return shakespeare().text


@pytest.fixture(scope="module")
def many(plays) -> BPETokenizer: return BPETokenizer.train(plays, 2256)


@pytest.fixture(scope="module")
def mixed() -> BPETokenizer:
    "Merges that need bytes above 127, white space, and signs; two special tokens, one the beginning of the other."
    text = "Über die Brücke, über den Fluß; 我们在桥上，我们在河边。 don't 1234 12345   \n\n\t  x=x+1; \U0001f600\U0001f600 \xa0\xa0 e\u0301e\u0301 naïve café " * 3
    return BPETokenizer.train(text, 340, [END, "<|end"])


def theirs(ours: BPETokenizer, folder, cut=True) -> Tokenizer:
    "The tokenizer that the library `tokenizers` makes of our files."
    ours.save(folder)
    peer = Tokenizer(models.BPE.from_file(str(folder / "vocab.json"), str(folder / "merges.txt")))
    peer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=cut)
    peer.add_special_tokens([AddedToken(name, special=True, normalized=False) for name in ours.special_tokens])
    return peer


@pytest.fixture(scope="module")
def peer(mixed, tmp_path_factory): return theirs(mixed, tmp_path_factory.mktemp("mixed"))


# --- what goes in comes out

@given(data=st.binary(max_size=200))
def test_any_bytes_come_back(mixed, data):
    ids = mixed.encode_bytes(data)
    assert ids.dtype == np.int64 and ids.ndim == 1
    assert mixed.decode_bytes(ids) == data
    assert b"".join(mixed.tokens[i] for i in ids) == data
    assert mixed.decode(ids, "surrogateescape").encode("utf-8", "surrogateescape") == data


@given(text=broken_text)
def test_any_text_comes_back_and_is_its_bytes(mixed, text):
    ids, data = mixed.encode(text), text.encode("utf-8", "surrogatepass")
    assert mixed.decode(ids, "surrogatepass") == text
    assert mixed.decode_bytes(ids) == data
    assert ids.tolist() == mixed.encode_bytes(data).tolist() == mixed.encode_bytes(memoryview(bytearray(data))).tolist()


@given(text=broken_text, name=st.sampled_from([END, "<|end", "<|end<|end", ""]))
def test_special_tokens_come_back_too(mixed, text, name):
    ids = mixed.encode(text + name + text, allow_special=True)
    assert mixed.decode(ids, "surrogatepass") == text + name + text


def test_whole_plays_come_back(plays, many):
    ids = many.encode(plays)
    assert many.decode(ids) == plays and len(ids) < len(plays) / 2.8


def test_half_a_character_is_replaced_and_an_error_where_asked(mixed):
    assert mixed.decode(mixed.encode_bytes(b"a\xc3")) == "a\ufffd"
    with pytest.raises(UnicodeDecodeError): mixed.decode(mixed.encode_bytes(b"a\xc3"), "strict")


def test_nothing_is_no_token(mixed):
    for ids in (mixed.encode(""), mixed.encode_bytes(b""), mixed.encode("", allow_special=True)): assert ids.shape == (0,) and ids.dtype == np.int64
    assert mixed.decode([]) == "" and mixed.decode(np.empty(0)) == "" and mixed.decode_bytes([]) == b""
    assert BPETokenizer((), (), False).encode("").shape == (0,)


@pytest.mark.parametrize("n", [63, 64, 65, 66, 1000, 100_000])
def test_a_long_piece_is_merged_as_a_short_one(n, tmp_path, monkeypatch):
    "One letter, again and again, and letters at random: both ways to merge agree with each other, and with the library `tokenizers`."
    letters = "".join(random.Random(n).choices("abc", k=n))
    ours = BPETokenizer.train(["a" * 5000, letters[:3000], "abc" * 700], 310, min_frequency=1)
    other = theirs(ours, tmp_path)
    for text in ("a" * n, letters, "é" * n, letters[: n // 2] + "a" * (n // 2)):
        ids = ours.encode(text).tolist()
        assert ids == other.encode(text).ids
        if n <= 1000:
            with monkeypatch.context() as context:
                context.setattr(tokenizer, "_SHORT", 0 if n <= 64 else 10**9)
                assert copy.copy(ours).encode(text).tolist() == ids


def test_a_megabyte_of_one_letter():
    "In time proportional to it: half a second, where looking through all pairs for each merge would take days."
    ours = BPETokenizer.train("a" * 2**12, 256 + 11)
    assert Counter(ours.encode("a" * 10**6).tolist()) == Counter({266: 10**6 // 2**11, **{255 + b: 1 for b in range(1, 11) if 10**6 >> b & 1}})


# --- the cut into pre-tokens

@given(text=broken_text)
def test_pre_tokens_are_the_text(text):
    assert "".join(pretokenize(text)) == text and "" not in pretokenize(text)


@settings(max_examples=300)
@given(text=texts)
def test_pre_tokens_are_those_of_gpt_2s_pattern(text):
    assert pretokenize(text) == regex.findall(PATTERN, text)


def test_every_character_is_of_its_class():
    "After a letter, after a digit, doubled, and before a space: the first and the last character of each stretch with one category, and their neighbours."
    kinds = [unicodedata.category(chr(code)) for code in range(0x110000)]
    turns = {code + step for code in range(1, 0x110000) if kinds[code] != kinds[code - 1] for step in (-2, -1, 0, 1)}
    text = "".join(f"a{c}1{c}{c} ;" for c in map(chr, filter(assigned, sorted(turns))))
    assert pretokenize(text) == regex.findall(PATTERN, text)
    offsets = [span for _, span in pre_tokenizers.ByteLevel(add_prefix_space=False).pre_tokenize_str(text)]
    assert [text[start:end] for start, end in offsets] == pretokenize(text)


@given(text=st.text("ab '\n\t\x1cé1", max_size=60), n=st.integers(0, 8))
def test_stretches_are_cut_where_nothing_changes(text, n):
    before = tokenizer._SLAB
    try:
        tokenizer._SLAB = n
        assert pretokenize(text) == regex.findall(PATTERN, text)
    finally: tokenizer._SLAB = before


def test_long_texts_are_cut_as_short_ones(plays):
    assert pretokenize(plays) == regex.findall(PATTERN, plays)
    mixed = plays[:300_000].replace("the", "thé") + " " * 200_000 + plays[:1000]
    assert pretokenize(mixed) == regex.findall(PATTERN, mixed)


# --- the same tokens as other libraries

@settings(max_examples=300)
@given(text=texts)
def test_tokens_are_those_of_tokenizers(mixed, peer, text):
    ids = mixed.encode(text).tolist()
    assert ids == peer.encode(text).ids
    assert mixed.decode(ids) == text


@given(parts=st.lists(st.one_of(texts, st.sampled_from([END, "<|end", "<|endof", "<|"])), max_size=6))
def test_special_tokens_are_found_as_tokenizers_finds_them(mixed, peer, parts):
    text = "".join(parts)
    assert mixed.encode(text, allow_special=True).tolist() == peer.encode(text).ids


def test_tokens_of_the_plays_are_those_of_tokenizers(plays, many, tmp_path):
    assert many.encode(plays).tolist() == theirs(many, tmp_path).encode(plays).ids


def test_a_text_in_one_piece_is_that_of_tokenizers(plays, tmp_path):
    ours = BPETokenizer.train(plays[:50_000], 600, pretokenize=False)
    assert any(b" " in token[1:] for token in ours.tokens), "merges cross words"
    assert ours.encode(plays[:100_000]).tolist() == theirs(ours, tmp_path, cut=False).encode(plays[:100_000]).ids


def as_tiktoken(ours: BPETokenizer) -> tiktoken.Encoding:
    ranks = {token: i for i, token in enumerate(ours.tokens) if i < len(ours) - len(ours.special_tokens)}
    return tiktoken.Encoding("ours", pat_str=PATTERN, mergeable_ranks=ranks, special_tokens=ours.special_tokens)


def test_tokens_are_those_of_tiktoken(mixed):
    ours = BPETokenizer(mixed.merges, [END])                       # of two special tokens that begin alike, tiktoken does not prefer the longer
    other = as_tiktoken(ours)

    @given(text=texts)
    def holds(text):
        assert ours.encode(text).tolist() == other.encode(text, disallowed_special=())
        assert ours.encode(f"{END}{text}{END}", allow_special=True).tolist() == other.encode(f"{END}{text}{END}", allowed_special="all")
    holds()


def test_tokens_of_the_plays_are_those_of_tiktoken(plays, many):
    assert many.encode(plays).tolist() == as_tiktoken(many).encode(plays)


# --- the same merges

def trained_by_tokenizers(parts: list[str], vocab_size: int, min_frequency: int = 2, cut: bool = True) -> Tokenizer:
    peer = Tokenizer(models.BPE())
    peer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=cut)
    peer.train_from_iterator(parts, trainers.BpeTrainer(vocab_size=vocab_size, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False, min_frequency=min_frequency))
    return peer


def merges_of(peer: Tokenizer) -> list[tuple[bytes, bytes]]:
    return [tuple(map(tokenizer._token, pair)) for pair in json.loads(peer.to_str())["model"]["merges"]]


@pytest.mark.parametrize("vocab_size", [256, 300, 6000])
def test_merges_of_the_plays_are_those_of_tokenizers(plays, vocab_size):
    parts = list(shakespeare().parts.values())
    assert list(BPETokenizer.train(parts, vocab_size).merges) == merges_of(trained_by_tokenizers(parts, vocab_size))


@pytest.mark.filterwarnings("ignore:training stopped")
@settings(max_examples=200)
@given(parts=st.lists(st.one_of(texts, st.text("ab", max_size=30), st.text("aab c", max_size=30)), min_size=1, max_size=5), n=st.integers(0, 30), least=st.integers(1, 3), cut=st.booleans())
def test_merges_are_those_of_tokenizers(parts, n, least, cut):
    if any(parts): assert list(BPETokenizer.train(parts, 256 + n, (), least, cut).merges) == merges_of(trained_by_tokenizers(parts, 256 + n, least, cut))


def recounted(parts: list[bytes], n: int, least: int) -> list[tuple[bytes, bytes]]:
    "Merges of parts as they are, by counting all pairs anew each time."
    tokens, words, merges = [*tokenizer._ORDER], [[tokenizer._ORDER.index(b) for b in part] for part in parts], []
    tokens = [bytes([b]) for b in tokens]
    while len(merges) < n:
        counts = Counter(pair for word in words for pair in pairwise(word))
        if not counts or max(counts.values()) < least: break
        best = min(pair for pair in counts if counts[pair] == max(counts.values()))
        for k, word in enumerate(words):
            words[k], i = [], 0
            while i < len(word):
                match = tuple(word[i : i + 2]) == best
                words[k].append(len(tokens) if match else word[i])
                i += 1 + match
        merges.append(tuple(tokens[i] for i in best))
        tokens.append(b"".join(merges[-1]))
    return merges


@pytest.mark.filterwarnings("ignore:training stopped")
@settings(max_examples=200)
@given(parts=st.lists(st.one_of(st.binary(max_size=20), st.text("ab", max_size=40).map(str.encode), st.text("abc\xff", max_size=40).map(lambda t: t.encode("latin-1"))), min_size=1, max_size=5), n=st.integers(0, 25), least=st.integers(1, 3))
def test_kept_counts_are_counted_anew(parts, n, least):
    if any(parts): assert list(BPETokenizer.train(parts, 256 + n, min_frequency=least, pretokenize=False).merges) == recounted(parts, n, least)


def test_texts_bytes_and_their_order(plays):
    one, two = plays[:20_000], plays[20_000:50_000]
    ours = BPETokenizer.train([one, two], 400)
    assert ours == BPETokenizer.train((part.encode() for part in (two, one)), 400) == BPETokenizer.train(iter([one.encode(), two]), 400)
    assert BPETokenizer.train(one, 400) == BPETokenizer.train(bytearray(one.encode()), 400) == BPETokenizer.train([one], 400) != ours


def test_no_merge_crosses_the_border_of_a_text_or_of_a_special_token():
    assert BPETokenizer.train(["ab"] * 3, 257).merges == ((b"a", b"b"),)
    with pytest.warns(UserWarning, match="256 of 257"): assert BPETokenizer.train(["a", "b"] * 3, 257).merges == ()
    with pytest.warns(UserWarning, match="257 of 300"): assert BPETokenizer.train("a<|x|>b<|x|>" * 9, 300, ["<|x|>"]).merges == ()
    assert BPETokenizer.train("a<|x|>b<|x|>" * 9, 258).merges != ()


def test_special_tokens_count_in_the_vocabulary_and_come_last(plays):
    ours = BPETokenizer.train(plays[:20_000] + END, 300, [END, "<pad>"])
    assert len(ours) == ours.vocab_size == 300 and len(ours.merges) == 42
    assert ours.special_tokens == {END: 298, "<pad>": 299} and ours.tokens[298:] == (END.encode(), b"<pad>")
    assert ours.merges == BPETokenizer.train(plays[:20_000], 298).merges


def test_special_tokens_are_read_only_where_allowed(mixed):
    text = f"a{END}b<|end"
    end, start = mixed.special_tokens[END], mixed.special_tokens["<|end"]
    assert max(mixed.encode(text)) < min(end, start)
    assert [i for i in mixed.encode(text, allow_special=True) if i >= min(end, start)] == [end, start]
    assert mixed.encode_bytes(text.encode(), allow_special=True).tolist() == mixed.encode(text, allow_special=True).tolist()
    assert mixed.decode([end, end]) == END * 2
    assert BPETokenizer().encode("ab", allow_special=True).tolist() == [64, 65]


def test_training_stops_where_no_pair_is_left():
    with pytest.warns(UserWarning, match="stopped at 258 of 400.*2 times"): ours = BPETokenizer.train("abc abc xyz", 400)
    assert ours.merges == ((b"a", b"b"), (b"ab", b"c"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(BPETokenizer.train("abc abc", 258)) == 258 and len(BPETokenizer.train("\n", 256)) == 256


def test_a_large_vocabulary(tmp_path):
    "65,792 tokens: more than 16 bits, and across the numbers that Unicode keeps for surrogates."
    ours = BPETokenizer((bytes([a]), bytes([b])) for a in range(256) for b in range(256))
    data = random.Random(0).randbytes(2000)
    assert ours.decode_bytes(ours.encode_bytes(data)) == data and max(ours.encode_bytes(b"\xff" * 200)) == 65_791
    text = "".join(random.Random(1).choices("aé我\U0001f600 \x80\xff", k=3000))
    assert ours.encode(text).tolist() == theirs(ours, tmp_path).encode(text).ids
    assert BPETokenizer.load(tmp_path) == ours


def test_ids_are_gpt_2s():
    ours = BPETokenizer([(b" ", b"t"), (b"h", b"e")])
    assert ours.encode("!\"the the\n\0").tolist() == [0, 1, 83, 257, 256, 257, 198, 188]      # in GPT-2 too '!' is 0, 't' 83, ' t' 256, ' ' 220, a new line 198, NUL 188
    assert ours.tokens[220] == b" " and ours.tokens[256:] == (b" t", b"he") and len(set(ours.tokens)) == 258
    assert ours.tokens[:256] == tuple(tokenizer._token(symbol) for symbol in sorted(pre_tokenizers.ByteLevel.alphabet()))


# --- files

def test_files_come_back(mixed, many, tmp_path):
    for k, ours in enumerate((mixed, many, BPETokenizer(), BPETokenizer(many.merges[:50], ["<é 我>"], False))):
        ours.save(tmp_path / str(k) / "deep")
        again = BPETokenizer.load(str(tmp_path / str(k) / "deep"))
        assert again == ours and again.special_tokens == ours.special_tokens and again.pretokenize == ours.pretokenize


def test_files_of_tokenizers_are_read_and_written_back(plays, tmp_path):
    peer = trained_by_tokenizers([plays[:100_000]], 700)
    (tmp_path / "theirs").mkdir()
    peer.model.save(str(tmp_path / "theirs"))
    ours = BPETokenizer.load(tmp_path / "theirs")
    assert ours == BPETokenizer.train(plays[:100_000], 700)
    ours.save(tmp_path / "ours")
    assert (tmp_path / "ours/merges.txt").read_bytes().rstrip() == (tmp_path / "theirs/merges.txt").read_bytes().rstrip()
    assert json.loads((tmp_path / "ours/vocab.json").read_text("utf-8")) == json.loads((tmp_path / "theirs/vocab.json").read_text("utf-8"))


def test_files_with_other_line_ends_and_without_a_header_are_read(mixed, tmp_path):
    mixed.save(tmp_path)
    text = (tmp_path / "merges.txt").read_text("utf-8")
    for changed in (text.replace("\n", "\r\n"), text.removeprefix("#version: 0.2\n"), text.rstrip(), text + "\n"):
        (tmp_path / "merges.txt").write_text(changed, "utf-8", newline="")
        assert BPETokenizer.load(tmp_path) == mixed


def test_a_token_that_looks_like_a_header_is_a_token(tmp_path):
    merges = [(b"#", b"v"), (b"#v", b"e"), (b"r", b"s"), (b"#ve", b"rs")]
    BPETokenizer(merges).save(tmp_path)
    assert BPETokenizer.load(tmp_path).merges == tuple(merges)


def edited(folder, vocab=lambda v: v, merges=lambda m: m):
    "A sound pair of files with a fault put in."
    BPETokenizer([(b"t", b"h"), (b"th", b"e"), (b" ", b"the")], [END]).save(folder)
    (folder / "vocab.json").write_text(json.dumps(vocab(json.loads((folder / "vocab.json").read_text()))))
    (folder / "merges.txt").write_text(merges((folder / "merges.txt").read_text("utf-8")), "utf-8")
    return folder


def swapped(vocab, a, b): return vocab | {a: vocab[b], b: vocab[a]}


@pytest.mark.parametrize("vocab, merges, says", [
    (lambda v: v, lambda m: m.replace("t h", "t 我"), "line 2.*expected two tokens.*'t 我'"),
    (lambda v: v, lambda m: m.replace("t h", "t h e"), "line 2.*'t h e'"),
    (lambda v: v, lambda m: m.replace("t h", "th"), "line 2.*'th'"),
    (lambda v: v, lambda m: m.replace("t h\n", "t  h\n"), "line 2"),
    (lambda v: v, lambda m: m.replace("t h\n", ""), r"merges.txt: merge 0 joins b'th' and b'e', and no merge before it makes b'th'"),
    (lambda v: v, lambda m: m.replace("Ġ the", "t h"), "merge 2, of b't' and b'h', makes b'th', which merge 0 makes already"),
    (lambda v: v, lambda m: m.replace("Ġ the", "t h\nh e\nt he"), "makes b'th', which merge 0"),
    (lambda v: v, lambda m: m.replace("Ġ the", "h e\nt he"), "makes b'the', which merge 1"),
    (lambda v: {k: i for k, i in v.items() if k != "th"}, lambda m: m, "has 259 tokens, and none of them has id 256"),
    (lambda v: {k: i for k, i in v.items() if k != END} | {END: 260}, lambda m: m, "none of them has id 259"),
    (lambda v: v | {"th": 255}, lambda m: m, "none of them has id 256"),
    (lambda v: v | {"th": -1}, lambda m: m, "none of them has id 256"),
    (lambda v: swapped(v, "th", "the"), lambda m: m, "gives 'th' the id 257, and by merges.txt it has 256.*special tokens"),
    (lambda v: swapped(v, "!", END), lambda m: m, "gives '!' the id 259, and by merges.txt it has 0"),
    (lambda v: {{"th": "hx"}.get(k, k): i for k, i in v.items()}, lambda m: m, "lacks 'th'"),
    (lambda v: {{"!": "hx"}.get(k, k): i for k, i in v.items()}, lambda m: m, "lacks '!'"),
    (lambda v: v, lambda m: m.rstrip("\n") + "\nĠ a\n", "lacks 'Ġa'"),
    (lambda v: [1], lambda m: m, "an id for each token"),
    (lambda v: v | {"th": "256"}, lambda m: m, "an id for each token"),
    (lambda v: v | {"th": True}, lambda m: m, "an id for each token"),
    (lambda v: v | {"th": 256.0}, lambda m: m, "an id for each token")])
def test_files_that_do_not_fit_say_where(tmp_path, vocab, merges, says):
    assert BPETokenizer.load(edited(tmp_path)).special_tokens == {END: 259}
    with pytest.raises(ValueError, match=says): BPETokenizer.load(edited(tmp_path, vocab, merges))


def test_missing_and_unreadable_files_say_which(mixed, tmp_path):
    for name, wrong in (("vocab.json", b"{"), ("vocab.json", b"\xff"), ("merges.txt", b"\xff")):
        with pytest.raises(FileNotFoundError, match="vocab.json and merges.txt"): BPETokenizer.load(tmp_path / "none")
        mixed.save(tmp_path)
        (tmp_path / name).write_bytes(wrong)
        with pytest.raises(ValueError, match=name): BPETokenizer.load(tmp_path)
        (tmp_path / name).unlink()
        with pytest.raises(FileNotFoundError, match=name): BPETokenizer.load(tmp_path)


# --- as an object

def test_copies_are_equal_and_work(mixed):
    for again in (pickle.loads(pickle.dumps(mixed)), copy.deepcopy(mixed), copy.copy(mixed), BPETokenizer(mixed.merges, list(mixed.special_tokens)), BPETokenizer(list(map(list, mixed.merges)), mixed.special_tokens)):
        assert again == mixed and hash(again) == hash(mixed) and again.encode("über Brücken").tolist() == mixed.encode("über Brücken").tolist()
    assert len(pickle.dumps(mixed)) < 20_000, "what it remembers stays behind"
    assert mixed != BPETokenizer(mixed.merges[:-1], mixed.special_tokens) and mixed != BPETokenizer(mixed.merges) and mixed != BPETokenizer(mixed.merges, mixed.special_tokens, False)
    assert mixed != BPETokenizer(mixed.merges, list(mixed.special_tokens)[::-1]) and mixed != "text"
    assert repr(mixed) == "BPETokenizer(340 tokens: 256 bytes, 82 merged, 2 special)"


def test_threads_may_share_one(plays, many):
    ours, parts = copy.copy(many), [plays[k * 100_000 : (k + 2) * 100_000] for k in range(8)]
    with ThreadPoolExecutor(4) as pool: found = list(pool.map(ours.encode, parts))
    assert all(np.array_equal(ids, many.encode(part)) for ids, part in zip(found, parts))


def test_what_is_remembered_is_limited(monkeypatch):
    ours = BPETokenizer()
    monkeypatch.setattr(tokenizer, "_CACHED", 100)
    text = " ".join(map(str, range(1000))) + " " + "x" * 1000
    assert ours.decode(ours.encode(text)) == text and 0 < len(ours._merger) <= 100 and max(map(len, ours._merger)) <= 64


def test_models_take_it_as_they_take_characters(mixed):
    for either in (mixed, Vocabulary("abc ")):
        ids = either.encode("abc cab")
        assert ids.dtype == np.int64 and either.decode(ids) == "abc cab" and ids.max() < len(either)


# --- wrong calls

@pytest.mark.parametrize("args, error, says", [
    ((["ab"],), TypeError, r"pair of bytes.*merge 0 is 'ab'"), (([("a", "b")],), TypeError, "pair of bytes"), (([(b"a", b"b", b"c")],), TypeError, "pair of bytes"), ((b"ab",), TypeError, "pairs of bytes"),
    (([(b"ab", b"c")],), ValueError, "merge 0 joins b'ab' and b'c', and no merge before it makes b'ab'"), (([(b"a", b"")],), ValueError, "no merge before it makes b''"),
    (([(b"a", b"b")] * 2,), ValueError, "merge 1.*which merge 0 makes"), (((), "<s>"), TypeError, "special_tokens are several"), (((), [b"<s>"]), TypeError, "special token is a text"),
    (((), [""]), ValueError, "at least one character"), (((), ["\ud800"]), ValueError, "lone surrogates"), (((), ["<s>", "<s>"]), ValueError, "twice"), (((), ["a"]), ValueError, "ordinary one already"),
    (([(b" ", b"a")], [" a"]), ValueError, "ordinary one already"), (([(b" ", b"a")], ["Ġa"]), ValueError, "ordinary one already"), (((), (), 1), TypeError, "True or False")])
def test_a_tokenizer_that_cannot_be_says_why(args, error, says):
    with pytest.raises(error, match=says): BPETokenizer(*args)


@pytest.mark.parametrize("args, error, says", [
    (("", 300), ValueError, "not empty"), (([], 300), ValueError, "not empty"), ((["", b""], 300), ValueError, "not empty"), ((END, 300, [END]), ValueError, "not empty"), (({"a": "text"}, 300), TypeError, r"values\(\)"),
    ((5, 300), TypeError, "a text, on bytes"), (([1, 2], 300), TypeError, "among them 1"), (("ab", 255), ValueError, "expected 256 to 1048576, got 255"), (("ab", 256, ["<s>"]), ValueError, "1 special tokens.*257"),
    (("ab", 300.0), ValueError, "whole number"), (("ab", True), ValueError, "256"), (("ab", "300"), ValueError, "whole number"), (("ab", 300, (), 0), ValueError, "min_frequency"), (("ab", 2**21), ValueError, "1048576")])
def test_training_that_cannot_be_says_why(args, error, says):
    with pytest.raises(error, match=says): BPETokenizer.train(*args)


@pytest.mark.parametrize("ids, error, says", [
    ([340], ValueError, "0 to 339, got 340"), ([-1], ValueError, "got -1"), ([1.0], TypeError, "whole numbers"), ([True], TypeError, "whole numbers"), (np.array([True]), TypeError, "whole numbers"), (3, ValueError, r"\(n,\), got \(\)"),
    ([[1, 2]], ValueError, r"got \(1, 2\).*row by row"), ("ab", TypeError, "encode it first"), (b"ab", TypeError, "encode it first"), ([None], TypeError, "whole numbers"), ([[1], [1, 2]], TypeError, "whole numbers"), ([2**64], TypeError, "whole numbers"), ([2**63], ValueError, "got")])
def test_ids_that_are_none_say_why(mixed, ids, error, says):
    with pytest.raises(error, match=says): mixed.decode(ids)
    with pytest.raises(error, match=says): mixed.decode_bytes(ids)


def test_what_is_no_text_says_so(mixed, tmp_path):
    for call, says in ((lambda: mixed.encode(b"ab"), "bytes go to encode_bytes"), (lambda: mixed.encode(["ab"]), "encode takes a text"), (lambda: mixed.encode_bytes("ab"), "encode_bytes takes bytes"), (lambda: mixed.encode("a", 1), "True or False"),
                       (lambda: mixed.encode_bytes(b"a", None), "True or False"), (lambda: pretokenize(b"a"), "takes a text"), (lambda: mixed.save(3), "folder"), (lambda: BPETokenizer.load(None), "folder")):
        with pytest.raises(TypeError, match=says): call()
    for errors in ("nonsense", 3):
        with pytest.raises(ValueError, match="'replace' or 'strict'"): mixed.decode([0], errors)


MERGES = [(b"a", b"b"), (b"ab", b"c")]
CALLS = {"BPETokenizer": (BPETokenizer, lambda: (MERGES, ["<s>"], True)), "train": (BPETokenizer.train, lambda: ("abcabc", 258, [], 2, True)), "encode": (BPETokenizer(MERGES).encode, lambda: ("abc", True)),
         "encode_bytes": (BPETokenizer(MERGES).encode_bytes, lambda: (b"abc", True)), "decode": (BPETokenizer(MERGES).decode, lambda: ([0, 257], "strict")), "decode_bytes": (BPETokenizer(MERGES).decode_bytes, lambda: ([0, 257],)),
         "pretokenize": (pretokenize, lambda: ("a b",))}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", CALLS)
def test_a_wrong_call_ends_in_one_message_of_ours(name):
    call, args = CALLS[name]
    assert complaints(call, args, None, wrong_calls.JUNK | {"bytes": b"a", "surrogate": "\ud800"}) == {}


def test_a_wrong_folder_ends_in_one_message_of_ours():
    for junk in (None, 1.5, object(), [], b"a"): assert foreign(BPETokenizer.load, junk) == foreign(BPETokenizer().save, junk) == ""
    assert list(replaced((1,), {"a": 2})) == [("argument 0: a", (2,))]
