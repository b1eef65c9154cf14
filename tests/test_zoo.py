"nnbook.zoo: files of weights that are read without trust, and the models that come with the book."

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import safetensors
import safetensors.numpy
import safetensors.torch
import torch
from conftest import ROOT
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from nnbook import data, rnn, transformer, zoo
from nnbook.autograd import Tensor
from nnbook.layers import Linear
from nnbook.streams import stream
from nnbook.tokenizer import BPETokenizer
from nnbook.torch import layers as twins
from nnbook.torch import rnn as text_twins
from nnbook.torch import transformer as gpt_twins
from nnbook.zoo import Entry, load_safetensors, save_safetensors

KINDS = ["f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "?"]
names = st.text(st.characters(exclude_categories=["Cs"]), max_size=12).filter(lambda name: name != "__metadata__")
arrays = hnp.arrays(st.sampled_from(KINDS), hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4))
states = st.dictionaries(names, arrays, max_size=6)


def alike(a: dict, b: dict) -> bool:
    "Whether two states hold the same names, types, shapes and bytes."
    return set(a) == set(b) and all(a[n].dtype == b[n].dtype and a[n].shape == b[n].shape and a[n].tobytes() == b[n].tobytes() for n in a)


# --- the format

@given(states, st.dictionaries(names, st.text(st.characters(exclude_categories=["Cs"]), max_size=9), max_size=2))
def test_both_libraries_read_what_either_wrote(tmp_path_factory, state, metadata):
    path = tmp_path_factory.mktemp("both") / "x.safetensors"
    save_safetensors(state, path, metadata)
    assert alike(load_safetensors(path), state) and alike(safetensors.numpy.load_file(path), state)
    with safetensors.safe_open(path, "numpy") as file:
        assert (file.metadata() or {}) == metadata and zoo._parsed(path.read_bytes(), path)[1] == metadata
    path.write_bytes(safetensors.numpy.save(state, metadata or None))
    assert alike(load_safetensors(path), state) and zoo._parsed(path.read_bytes(), path)[1] == metadata


@given(hnp.arrays("u2", hnp.array_shapes(min_dims=0, max_dims=3, max_side=5)))
def test_bfloat16_becomes_float32_bit_for_bit(tmp_path_factory, bits):
    path, tensor = tmp_path_factory.mktemp("half") / "x.safetensors", torch.tensor(bits.astype(np.int32), dtype=torch.int32).to(torch.int16).view(torch.bfloat16)
    path.write_bytes(safetensors.torch.save({"x": tensor}))
    got, finite = load_safetensors(path)["x"], ~np.isnan(tensor.float().numpy())
    assert got.dtype == np.float32 and got.shape == bits.shape and np.array_equal(got[finite], tensor.float().numpy()[finite])
    assert np.array_equal(np.isnan(got), ~finite)


@pytest.mark.parametrize("array", [np.arange(24.0).reshape(4, 6)[::2, ::-3], np.asfortranarray(np.arange(6).reshape(2, 3)), np.arange(5, dtype=">f4"),
                                   np.broadcast_to(np.float32(2), (3, 2)), np.float64(3), 7, True, [[1.5, 2]]])
def test_any_layout_is_written_in_order(tmp_path, array):
    save_safetensors({"x": array}, tmp_path / "x")
    for read in (load_safetensors, safetensors.numpy.load_file):
        assert np.array_equal(read(tmp_path / "x")["x"], array) and read(tmp_path / "x")["x"].dtype.isnative


def test_what_is_read_is_the_readers_own(tmp_path):
    save_safetensors({"x": np.arange(3.0), "y": np.ones(2, bool)}, tmp_path / "x")
    for array in load_safetensors(tmp_path / "x").values():
        array[0] = 0
        assert array.flags.owndata or array.base.flags.writeable


def test_tensors_lie_on_multiples_of_their_size(tmp_path):
    save_safetensors({"a": np.ones(3, np.int8), "b": np.ones(2, np.float64), "c": np.ones(1, np.float16)}, tmp_path / "x")
    raw = (tmp_path / "x").read_bytes()
    size = int.from_bytes(raw[:8], "little")
    assert size % 8 == 0
    for entry in json.loads(raw[8:8 + size]).values():
        assert entry["data_offsets"][0] % np.dtype(zoo._TYPES[entry["dtype"]]).itemsize == 0


@pytest.mark.parametrize("state, metadata, message", [
    ({"x": np.ones(2, complex)}, None, "'x' is of dtype complex128"), ({"x": np.array(["a"])}, None, "dtype <U1"), ({"x": np.array([None])}, None, "dtype object"),
    ({"x": np.ones(2, np.longdouble)}, None, "dtype"), ({3: np.ones(2)}, None, "got 3"), ({"__metadata__": np.ones(2)}, None, "keeps for itself"),
    ({"x": np.ones(2)}, {"epochs": 3}, "got 3"), ({"x": np.ones(2)}, {3: "a"}, "got 3")])
def test_what_cannot_be_written_is_refused_and_the_old_file_stays(tmp_path, state, metadata, message):
    save_safetensors({"old": np.ones(2)}, tmp_path / "x")
    with pytest.raises(TypeError, match=message):
        save_safetensors(state, tmp_path / "x", metadata)
    assert list(load_safetensors(tmp_path / "x")) == ["old"] and os.listdir(tmp_path) == ["x"]


@pytest.mark.parametrize("broken", ["fsync", "replace"])
def test_a_disk_that_fails_leaves_the_old_file_and_nothing_beside_it(tmp_path, monkeypatch, broken):
    save_safetensors({"old": np.ones(2)}, tmp_path / "x")

    def fail(*_):
        raise OSError("no space left")
    monkeypatch.setattr(zoo.os, broken, fail)
    with pytest.raises(OSError, match="no space"):
        save_safetensors({"new": np.ones(2)}, tmp_path / "x")
    assert list(load_safetensors(tmp_path / "x")) == ["old"] and os.listdir(tmp_path) == ["x"]


# --- files that lie

def with_header(header, buffer: bytes = b"\0" * 8) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + buffer


def tensor(dtype="F32", shape=(2,), data_offsets=(0, 8), **more) -> dict:
    return {"x": {"dtype": dtype, "shape": list(shape), "data_offsets": list(data_offsets)} | more}


LIES = {
    "empty": (b"", "it has 0 bytes"), "seven bytes": (b"\0" * 7, "it has 7 bytes"), "a header of exabytes": (b"\xff" * 8 + b"{}", "18,446,744,073,709,551,623"),
    "cut in the header": (with_header(tensor())[:30], "it has 30 bytes"), "cut in the data": (with_header(tensor())[:-1], "8 bytes, and 7 are there"),
    "bytes too many": (with_header(tensor(), b"\0" * 9), "8 bytes, and 9 are there"), "no JSON": (with_header(b"hello"), "Expecting value"),
    "no UTF-8": (with_header(b'{"\xff": 1}'), "can't decode"), "a list": (with_header([]), "no dictionary"),
    "a name twice": (with_header(b'{"x": 1, "x": 2}'), "stands twice"), "nested": (with_header(b"[" * 200_000), "nested|Expecting"),
    "metadata that are no texts": (with_header({"__metadata__": {"a": 1}} | tensor()), "no texts"), "metadata that are a text": (with_header({"__metadata__": "a"} | tensor()), "no texts"),
    "no shape": (with_header({"x": {"dtype": "F32", "data_offsets": [0, 8]}}), "lacks"), "no dictionary": (with_header({"x": 3}), "lacks"),
    "a type of the future": (with_header(tensor("F8_E4M3", (8,))), "of type 'F8_E4M3'"), "a type that is no text": (with_header(tensor(32)), "of type 32"),
    "a negative shape": (with_header(tensor(shape=(-1, -2))), "shape"), "half a row": (with_header(tensor(shape=(2.5,))), "shape"), "true rows": (with_header(tensor(shape=(True, 2))), "shape"),
    "a shape that is a number": (with_header({"x": tensor()["x"] | {"shape": 2}}), "shape 2"),
    "a shape that its bytes don't fill": (with_header(tensor(shape=(3,))), "does not fit"), "a shape whose size overflows": (with_header(tensor(shape=(2**62, 8))), "does not fit"),
    "more axes than NumPy has": (with_header(tensor(shape=(1,) * 99 + (2,))), "does not fit"),
    "a place before the data": (with_header(tensor(data_offsets=(-8, 0))), "place"), "a place that ends before it begins": (with_header(tensor(data_offsets=(8, 0))), "does not fit"),
    "a place with three ends": (with_header(tensor(data_offsets=(0, 8, 8))), "does not fit"), "a place beyond the end": (with_header(tensor(data_offsets=(8, 16))), "begins at byte 8"),
    "a gap": (with_header(tensor(data_offsets=(4, 12)), b"\0" * 12), "begins at byte 4"),
    "an overlap": (with_header(tensor() | {"y": {"dtype": "F32", "shape": [2], "data_offsets": [4, 12]}}, b"\0" * 12), "'y' begins at byte 4"),
    "the same bytes twice": (with_header(tensor() | {"y": tensor()["x"]}), "'y' begins at byte 0"),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_file_that_lies_is_refused_and_the_error_names_file_and_fault(tmp_path, lie):
    raw, message = LIES[lie]
    (tmp_path / "liar").write_bytes(raw)
    with pytest.raises(ValueError, match=rf"liar is not a whole safetensors file: .*({message}).*get it again"):
        load_safetensors(tmp_path / "liar")
    if lie not in ("a type of the future", "more axes than NumPy has"):        # no faults of the format
        with pytest.raises(safetensors.SafetensorError):
            safetensors.numpy.load(raw)


@settings(max_examples=400)
@given(st.data())
def test_a_damaged_file_is_read_as_the_other_library_reads_it_or_refused(tmp_path_factory, given_data):
    "One byte changed anywhere, or bytes cut off: never another error than ValueError, and never arrays that the other library would refuse."
    state = {"weight": np.arange(6, dtype=np.float32).reshape(2, 3), "n": np.array(7), "on": np.array([True, False])}
    raw = bytearray(safetensors.numpy.save(state, {"a": "b"}))
    if given_data.draw(st.booleans()):
        raw[given_data.draw(st.integers(0, len(raw) - 1))] = given_data.draw(st.integers(0, 255))
    else:
        del raw[given_data.draw(st.integers(0, len(raw))):]
    path = tmp_path_factory.mktemp("damaged") / "x"
    path.write_bytes(raw)
    try: ours = load_safetensors(path)
    except ValueError: ours = None
    try: theirs = safetensors.numpy.load(bytes(raw))
    except (safetensors.SafetensorError, KeyError, ValueError, TypeError): theirs = None
    assert ours is None or theirs is not None and set(ours) == set(theirs)
    if theirs is not None and ours is not None:
        assert all(np.array_equal(ours[n], theirs[n].astype(ours[n].dtype), equal_nan=ours[n].dtype.kind == "f") for n in ours)


def test_a_file_that_is_not_there_says_what_writes_one(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no file .*x; save_safetensors\(model.state_dict\(\), path\)"):
        load_safetensors(tmp_path / "x")


# --- the zoo, with a small animal

@pytest.fixture
def tiny(tmp_path, monkeypatch):
    "A zoo with one model, a linear layer for the small digits, not yet saved; the working folder is the reader's."
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(zoo, "MODELS", {"tiny": Entry("reads small digits", "layers.Linear", {"in_features": 64, "out_features": 10}, (64,), "90_data.ipynb")})
    return Linear(64, 10, rng=5)


def put(model, **changed):
    return zoo.save("tiny", model, **{"trained_on": "nothing", "seed": 5, "test": data.digits().test} | changed)


def file() -> Path:
    return Path("results/zoo_tiny.safetensors")


@pytest.mark.parametrize("twin", [False, True])
def test_what_is_saved_comes_back_built_and_as_twin_in_eval_mode(tiny, twin):
    model = tiny
    if twin:
        model = twins.Linear(64, 10, rng=5)
    put(model)
    x = data.digits().test.x[:20]
    built, pytorch = zoo.load("tiny"), zoo.load("tiny", torch=True)
    assert isinstance(built, Linear) and isinstance(pytorch, torch.nn.Module) and type(pytorch).__module__ == "nnbook.torch.layers"
    assert not built.training and not pytorch.training
    assert np.array_equal(built.weight.data, tiny.weight.data if not twin else model.weight.detach().numpy())
    assert np.allclose(built(x).data, pytorch(torch.tensor(x)).detach().numpy(), atol=1e-6)
    assert isinstance(built(Tensor(x)), Tensor) and os.listdir("results") == ["zoo_tiny.safetensors"]


def test_the_card_counts_for_itself(tiny):
    card, test = put(tiny), data.digits().test
    right = int(((test.x @ tiny.weight.data.T + tiny.bias.data).argmax(axis=1) == test.y).sum())
    assert (card.right, card.tested, card.parameters) == (right, len(test), 650) and card.size == file().stat().st_size
    low, high = card.interval
    assert low < card.accuracy == right / len(test) < high and zoo.card("tiny") == card
    assert card.model == "layers.Linear(in_features=64, out_features=10)" and len(card.sha256) == 64
    text, lines = " ".join(repr(card).split()), repr(card).splitlines()
    assert max(map(len, lines)) <= 66 and lines[0] == "tiny: reads small digits"
    assert f"{right} of {len(test)}" in text and f"{card.accuracy:.2%}" in text and card.sha256 in text and "seed 5" in text and f"{card.size:,} bytes" in text
    better = put(Linear(64, 10, rng=6))
    assert better.sha256 != card.sha256 and put(tiny) == card, "the same weights and card make the same file"


def test_the_same_model_makes_the_same_bytes(tiny):
    put(tiny)
    first = file().read_bytes()
    put(tiny)
    assert file().read_bytes() == first


def test_weights_in_float64_are_kept_as_the_model_has_them(tiny):
    put(tiny.to(np.float64))
    assert zoo.load("tiny").weight.dtype == np.float32


@pytest.mark.parametrize("changed, message", [
    ({"test": data.digits()}, "1438 are training rows"), ({"test": data.digits().test.take(slice(0))}, "rows that the model has not seen")])
def test_a_test_with_training_rows_is_refused(tiny, changed, message):
    with pytest.raises(ValueError, match=message):
        put(tiny, **changed)
    assert not file().exists()


def test_weights_of_another_model_are_refused(tiny):
    put(tiny)
    before = file().read_bytes()
    with pytest.raises(ValueError, match="misshapen: weight"):
        put(Linear(64, 9, rng=0))
    broken = Linear(64, 10, rng=0)
    broken.weight.data[0, 0] = np.nan
    with pytest.raises(ValueError, match="not finite: weight"):
        put(broken)
    assert file().read_bytes() == before


@pytest.mark.parametrize("do", [zoo.load, zoo.card, lambda name: zoo.save(name, Linear(64, 10), trained_on="", seed=0, test=data.digits().test)])
@pytest.mark.parametrize("name, message", [("tinny", "did you mean 'tiny'"), ("elephant", "there are tiny"), (3, "there are tiny"), (None, "there are tiny"), (["tiny"], "there are tiny")])
def test_another_name_brings_the_nearest(tiny, do, name, message):
    with pytest.raises(ValueError, match=re.escape(f"there is no model {name!r}; {message}")):
        do(name)


def test_a_missing_file_says_how_to_get_it(tiny):
    for do in (zoo.load, zoo.card):
        with pytest.raises(FileNotFoundError, match=r"'tiny' are not here .*pip install --force-reinstall --no-deps nnbook.*90_data.ipynb"):
            do("tiny")


def damaged(kind: str) -> bytes:
    raw = bytearray(file().read_bytes())
    at = {"a weight": len(raw) - 5, "the accuracy": raw.index(b'\\"right\\": ') + 11, "the header": 12}
    if kind == "the end":
        return bytes(raw[:-4])
    raw[at[kind]] ^= 1
    return bytes(raw)


@pytest.mark.parametrize("kind, message", [("a weight", "not as it was saved"), ("the accuracy", "not as it was saved"), ("the header", "not a whole|no card"), ("the end", "are there")])
def test_an_altered_file_is_refused(tiny, kind, message):
    put(tiny)
    file().write_bytes(damaged(kind))
    for do in (zoo.load, zoo.card):
        with pytest.raises(ValueError, match=rf"zoo_tiny.safetensors .*({message})"):
            do("tiny")


def test_every_bit_counts(tiny):
    "Wherever one bit of the file is flipped, the model is not loaded."
    put(tiny)
    raw, rng = file().read_bytes(), stream(0, "bits")
    for at in rng.integers(0, len(raw), 150):
        changed = bytearray(raw)
        changed[at] ^= 1 << int(rng.integers(8))
        file().write_bytes(changed)
        with pytest.raises(ValueError, match="zoo_tiny"):
            zoo.load("tiny")


def test_names_of_tensors_may_not_change_places(tiny):
    put(tiny)
    state, metadata = zoo._parsed(file().read_bytes(), file())
    save_safetensors(dict(zip(state, reversed(state.values()))), file(), metadata)
    with pytest.raises(ValueError, match="not as it was saved"):
        zoo.load("tiny")


def test_the_checksum_covers_card_names_types_shapes_and_bytes():
    state, card = {"a": np.arange(6, dtype=np.int32), "b": np.ones(2)}, {"right": 3}
    others = [{"c": state["a"], "b": state["b"]}, state | {"a": state["a"].astype(np.float32)}, state | {"a": state["a"].view(np.float32)},
              state | {"a": state["a"].reshape(2, 3)}, state | {"a": state["a"][::-1]}, {"a": state["a"]}]
    sums = [zoo._checksum(card, s) for s in [state, *others]] + [zoo._checksum({"right": 4}, state)]
    assert len(set(sums)) == 8 and zoo._checksum(card | {"size": 9, "sha256": "x"}, dict(reversed(state.items()))) == sums[0]


@pytest.mark.parametrize("card", [None, "", "{}", "[]", '"a"', '{"name": "tiny"}', "{"])
def test_a_file_without_a_card_is_refused(tiny, card):
    put(tiny)
    save_safetensors(load_safetensors(file()), file(), None if card is None else {"card": card})
    with pytest.raises(ValueError, match=r"no card .*remove results"):
        zoo.load("tiny")


def test_a_file_of_another_model_is_refused(tiny, monkeypatch):
    put(tiny)
    monkeypatch.setitem(zoo.MODELS, "other", replace(zoo.MODELS["tiny"], about="reads other digits"))
    shutil.copy(file(), "results/zoo_other.safetensors")
    with pytest.raises(ValueError, match="holds 'tiny', .* where 'other' is a layers.Linear"):
        zoo.load("other")
    monkeypatch.setitem(zoo.MODELS, "tiny", replace(zoo.MODELS["tiny"], arguments={"in_features": 64, "out_features": 11}))
    with pytest.raises(ValueError, match="out_features=10.* where 'tiny' is a .*out_features=11"):
        zoo.load("tiny")


def test_the_readers_own_comes_first_and_then_the_books(tiny, tmp_path, monkeypatch):
    (tmp_path / "library/_results").mkdir(parents=True)
    monkeypatch.setattr(zoo, "__file__", str(tmp_path / "library/zoo.py"))
    ours = zoo.save("tiny", Linear(64, 10, rng=1), trained_on="ours", seed=1, test=data.digits().test, folder="library/_results")
    assert zoo.card("tiny") == ours
    mine = put(tiny)
    assert zoo.card("tiny") == mine != ours
    file().unlink()
    assert zoo.card("tiny") == ours


def test_a_save_that_dies_leaves_the_model_that_was_there(tiny, monkeypatch):
    card = put(tiny)
    monkeypatch.setattr(zoo.os, "replace", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        put(Linear(64, 10, rng=1))
    assert zoo.card("tiny") == card and os.listdir("results") == ["zoo_tiny.safetensors"]


# --- models of texts

RHYME = data.Corpus(data.Source("rhyme", "a rhyme"), {"owl": "a wise old owl lived in an oak " * 4, "more": "the more he saw the less he spoke " * 3, "heard": "the less he spoke the more he heard " * 5})


@pytest.fixture
def author(tiny, monkeypatch):
    "A zoo with a model of texts, not yet saved."
    characters = "".join(sorted(set(RHYME.text)))
    monkeypatch.setitem(zoo.MODELS, "author", Entry("writes a rhyme", "rnn.CharLM", {"characters": characters, "embedding_dim": 4, "hidden_size": 8}, (), "90_data.ipynb"))
    return rnn.CharLM(characters, 4, 8, rng=5)


def put_author(model, test=RHYME):
    return zoo.save("author", model, trained_on="nothing", seed=5, test=test)


def test_a_model_of_texts_comes_back_built_and_as_twin(author):
    twin = text_twins.CharLM(author.vocabulary, 4, 8, rng=5)
    for model in (author, twin):
        put_author(model)
        built, pytorch = zoo.load("author"), zoo.load("author", torch=True)
        assert isinstance(built, rnn.CharLM) and isinstance(pytorch, text_twins.CharLM) and not built.training and not pytorch.training
        assert built.vocabulary.characters == pytorch.vocabulary.characters == author.vocabulary.characters
        assert np.array_equal(built.head.weight.data, np.asarray(model.state_dict()["head.weight"]))
        tokens = built.vocabulary.encode("the more he saw")[None]
        with torch.no_grad():
            assert np.allclose(built(tokens)[0].data, pytorch(torch.tensor(tokens))[0].numpy(), atol=1e-5)
        assert rnn.generate(built, "the ", 9, temperature=0).startswith("the ")


def test_the_card_of_a_model_of_texts_measures_bits_on_the_last_tenths(author):
    card = put_author(author)
    assert zoo.card("author") == card and isinstance(card, zoo.TextCard) and card.tested_on == "the last tenths of 3 parts of rhyme"
    assert card.tested == {title: len(text) - 1 for title, text in RHYME.test_parts.items()} == {"owl": 12, "more": 10, "heard": 17}
    for title, text in RHYME.test_parts.items():
        logits = author(author.vocabulary.encode(text)[None, :-1])[0].data[0].astype(float)
        p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        assert card.bits[title] == pytest.approx(-np.log2(p[np.arange(len(p)), author.vocabulary.encode(text)[1:]]).mean(), abs=1e-5)
    assert card.bits_per_character == pytest.approx(rnn.bits_per_character(author, RHYME.test_parts), abs=1e-5)
    low, high = card.interval
    assert low < card.bits_per_character < high
    text, lines = " ".join(repr(card).split()), repr(card).splitlines()
    assert max(map(len, lines)) <= 66 and f"{card.bits_per_character:.3f} a character ({low:.2f} to {high:.2f})" in text and card.sha256 in text and "accuracy" not in text
    assert put_author(author) == card != put_author(rnn.CharLM(author.vocabulary, 4, 8, rng=6))


def test_the_interval_over_texts_is_students_for_equal_lengths_and_covers_for_others(author):
    from nnbook.evaluation import mean_interval
    card, bits = put_author(author), np.array([2.0, 2.3, 2.1, 1.8])
    equal = replace(card, bits=dict(zip("abcd", bits)), tested=dict.fromkeys("abcd", 50))
    mean, half = mean_interval(bits)
    assert equal.bits_per_character == pytest.approx(mean) and equal.interval == pytest.approx((mean - half, mean + half))
    rng, covered = stream(0, "bits"), 0
    for _ in range(200):
        n = rng.integers(500, 1500, 8)
        drawn = replace(card, bits=dict(zip("abcdefgh", rng.normal(2, 0.1, 8))), tested=dict(zip("abcdefgh", map(int, n))))
        covered += drawn.interval[0] < 2 < drawn.interval[1]
    assert 180 <= covered <= 198                                     # 190 are expected, with a deviation of 3
    alone = replace(card, bits={"a": 2.0}, tested={"a": 9})
    with pytest.raises(ValueError, match="needs two"):
        alone.interval  # noqa: B018
    assert "2.000 a character, on" in " ".join(repr(alone).split())


def test_a_test_of_the_other_kind_is_refused(author, tiny):
    with pytest.raises(TypeError, match="rnn.CharLM is tested on a Corpus, .* got Dataset"):
        put_author(author, data.digits().test)
    with pytest.raises(TypeError, match="layers.Linear is tested on a Dataset, .* got Corpus"):
        put(tiny, test=RHYME)
    assert not Path("results").exists()


def test_a_card_of_the_other_kind_is_refused(author, tiny):
    put(tiny), put_author(author)
    Path("results/zoo_author.safetensors").write_bytes(file().read_bytes())
    with pytest.raises(ValueError, match="no card that this library can read"):
        zoo.card("author")


# --- models of tokens

SIZES = {"vocab_size": 280, "context_length": 16, "n_layers": 2, "n_heads": 2, "d_model": 8}


@pytest.fixture(params=["merges", "characters", "untied"])
def poet(request, tiny, monkeypatch):
    "A zoo with a GPT, not yet saved: the model, and its tokenizer, of either kind."
    sizes = SIZES | ({"tied": False, "norm": "rms", "mlp": "swiglu", "positions": "rope"} if request.param == "untied" else {})
    monkeypatch.setitem(zoo.MODELS, "poet", Entry("writes a rhyme", "transformer.GPT", sizes, (), "90_data.ipynb", half=True))
    known = rnn.Vocabulary(RHYME.text) if request.param == "characters" else BPETokenizer.train(RHYME.train, 270, ["<|end|>"])
    return transformer.GPT(transformer.GPTConfig(**sizes), 5), known


def put_poet(model, tokenizer, **changed):
    return zoo.save("poet", model, **{"trained_on": "nothing", "seed": 5, "test": RHYME, "tokenizer": tokenizer} | changed)


def test_a_model_of_tokens_comes_back_with_its_tokenizer_in_half_precision(poet):
    model, tokenizer = poet
    twin = gpt_twins.GPT(model.config, 5)
    for one in (model, twin):
        card = put_poet(one, tokenizer)
        built, pytorch = zoo.load("poet"), zoo.load("poet", torch=True)
        assert isinstance(built, transformer.GPT) and isinstance(pytorch, gpt_twins.GPT) and not built.training and not pytorch.training
        for found in (built, pytorch):
            assert type(found.tokenizer) is type(tokenizer) and (found.head.weight is found.embedding.weight) == model.config.tied
            assert np.array_equal(found.tokenizer.encode(RHYME.test), tokenizer.encode(RHYME.test)) and found.tokenizer.decode([3, 5, 7]) == tokenizer.decode([3, 5, 7])
            if isinstance(tokenizer, BPETokenizer): assert found.tokenizer == tokenizer
        for name, array in built.state_dict().items():
            assert array.dtype == np.float32 and np.array_equal(array, model.state_dict()[name].astype(np.float16)) and np.array_equal(pytorch.state_dict()[name], array)
        assert card.parameters == transformer.n_parameters(model.config) == sum(a.size for a in load_safetensors(poet_file()).values()), "each weight once"
        assert all(a.dtype == np.float16 for a in load_safetensors(poet_file()).values())
        assert transformer.generate(built, built.tokenizer.encode("the "), 5, rng=0).tolist() == gpt_twins.generate(pytorch, built.tokenizer.encode("the "), 5, rng=0).tolist()


def poet_file() -> Path:
    return Path("results/zoo_poet.safetensors")


def test_the_card_of_a_model_of_tokens_measures_bits_a_byte_with_the_weights_it_keeps(poet):
    card = put_poet(*poet)
    built, tokenizer = zoo.load("poet"), poet[1]
    assert zoo.card("poet") == card and type(card) is zoo.ByteCard and card.tested_on == "the last tenths of 3 parts of rhyme"
    first = {title: len(tokenizer.decode(tokenizer.encode(text)[:1])) for title, text in RHYME.test_parts.items()}
    assert card.tested == {title: len(text) - first[title] for title, text in RHYME.test_parts.items()}
    for title, text in RHYME.test_parts.items():
        assert card.bits[title] == pytest.approx(transformer.bits_per_byte(built, tokenizer, text), abs=1e-6) and card.bits[title] != pytest.approx(transformer.bits_per_byte(poet[0], tokenizer, text), abs=1e-7)
    assert card.bits_per_byte == pytest.approx(transformer.bits_per_byte(built, tokenizer, RHYME.test_parts), abs=1e-6)
    text = " ".join(repr(card).split())
    assert f"{card.bits_per_byte:.3f} a byte ({card.interval[0]:.2f} to {card.interval[1]:.2f})" in text and "vocab_size=280" in text and not hasattr(card, "bits_per_character")


def test_a_tokenizer_is_part_of_what_the_checksum_covers(poet):
    put_poet(*poet)
    state, metadata = zoo._parsed(poet_file().read_bytes(), poet_file())
    for changed in ({}, {"tokenizer": metadata["tokenizer"].replace("e", "o")}, {"tokenizer": ""}):
        save_safetensors(state, poet_file(), {"card": metadata["card"]} | changed)
        with pytest.raises(ValueError, match="not as it was saved"):
            zoo.load("poet")


@pytest.mark.parametrize("text", ["", "{", "[]", "3", "{}x", '{"characters": 3}', '{"merges": [["a"]], "special_tokens": []}', '{"merges": [["a", "\u0100"]]}', '{"merges": [[3, 4]]}', '{"merges": 3}', '{"words": []}', '{"characters": ""}'])
def test_a_tokenizer_that_lies_is_refused(poet, text):
    put_poet(*poet)
    state, metadata = zoo._parsed(poet_file().read_bytes(), poet_file())
    card = json.loads(metadata["card"])
    card["sha256"] = zoo._checksum(card, state, text)
    save_safetensors(state, poet_file(), {"card": json.dumps(card), "tokenizer": text})
    with pytest.raises(ValueError, match="'poet' has no tokenizer that this library can read; remove it"):
        zoo.load("poet")


def test_a_model_is_saved_with_the_tokenizer_it_needs(poet, tiny):
    model, tokenizer = poet
    for wrong in (None, "abc", 3):
        with pytest.raises(TypeError, match="is saved with its tokenizer, a BPETokenizer or a Vocabulary; got"):
            put_poet(model, wrong)
    with pytest.raises(TypeError, match="layers.Linear takes no tokenizer"):
        put(tiny, tokenizer=tokenizer)
    with pytest.raises(ValueError, match="more than the model's vocab_size=280"):
        put_poet(model, rnn.Vocabulary("".join(map(chr, range(32, 400)))))
    model.blocks[0].mlp.up.weight.data[0, 0] = 1e6                      # beyond float16
    with pytest.raises(ValueError, match="not finite: blocks.0.mlp.up.weight"):
        put_poet(model, tokenizer)
    assert not poet_file().exists()


# --- what ships

SHIPPED = sorted(p.stem.removeprefix("zoo_") for p in (ROOT / "nnbook/_results").glob("zoo_*.safetensors"))


def test_every_model_of_the_zoo_ships_and_nothing_else():
    assert sorted(zoo.names()) == SHIPPED


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_model_is_what_its_card_says(name, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)                                # no results/ of a reader
    card, entry = zoo.card(name), zoo.MODELS[name]
    assert card.size <= {"shakespeare": 600_000, "gpt": 2_000_000}.get(name, 250_000) and (ROOT / "nbs" / card.cell.partition("#")[0]).is_file()
    assert sum(p.data.size for p in zoo.load(name).parameters()) == card.parameters and asdict(card)["sha256"]
    {zoo.Card: assert_right, zoo.TextCard: assert_bits, zoo.ByteCard: assert_bytes}[type(card)](name, card, entry)


def assert_right(name, card, entry):
    test = getattr(data, card.tested_on.rpartition(" ")[2])().test
    x, model, twin = test.x.reshape(-1, *entry.shape), zoo.load(name), zoo.load(name, torch=True)
    with torch.no_grad():
        theirs = twin(torch.tensor(x)).numpy()
    ours = np.concatenate([model(x[i:i + 100]).data for i in range(0, len(x), 100)])
    assert int((ours.argmax(axis=1) == test.y).sum()) == card.right and len(test) == card.tested
    assert np.abs(ours - theirs).max() < 1e-4 * np.abs(theirs).max()


def assert_bits(name, card, entry):
    "What the card says, by the twin on the whole of each part's last tenth, and by the built model on its first 2,000 characters."
    try:
        corpus = getattr(data, card.tested_on.rpartition(" ")[2])()
    except data.DataError as error:
        pytest.skip(str(error))
    model, twin = zoo.load(name), zoo.load(name, torch=True)
    assert model.vocabulary.characters == entry.arguments["characters"] and set(corpus.text) == set(model.vocabulary.characters)
    for title, text in corpus.test_parts.items():
        assert text_twins.bits_per_character(twin, text) == pytest.approx(card.bits[title], abs=1e-4) and card.tested[title] == len(text) - 1
        assert rnn.bits_per_character(model, text[:2000]) == pytest.approx(text_twins.bits_per_character(twin, text[:2000]), abs=1e-4)


def assert_bytes(name, card, entry):
    "What the card says, by the twin on the whole of each part's last tenth, and by the built model on its first 2,000 characters."
    try:
        corpus = getattr(data, card.tested_on.rpartition(" ")[2])()
    except data.DataError as error:
        pytest.skip(str(error))
    model, twin = zoo.load(name), zoo.load(name, torch=True)
    assert len(model.tokenizer) <= entry.arguments["vocab_size"]
    for title, text in corpus.test_parts.items():
        assert gpt_twins.bits_per_byte(twin, twin.tokenizer, text) == pytest.approx(card.bits[title], abs=1e-4)
        assert transformer.bits_per_byte(model, model.tokenizer, text[:2000]) == pytest.approx(gpt_twins.bits_per_byte(twin, twin.tokenizer, text[:2000]), abs=1e-4)


def test_numpy_alone_is_enough(tmp_path):
    code = ("import sys; sys.modules.update(torch=None, safetensors=None, sklearn=None, matplotlib=None); import numpy as np; from nnbook import zoo\n"
            "zoo.save_safetensors({'x': np.ones(3)}, 'x'); assert zoo.load_safetensors('x')['x'].sum() == 3; print(zoo.names())")
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert done.returncode == 0, done.stderr
