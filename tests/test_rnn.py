"What the chapter on recurrent networks promises and a notebook can't test: agreement with torch for any shape and length, and errors a reader can act on."

import copy
import inspect
import itertools

import numpy as np
import pytest
import torch
import wrong_calls
from hypothesis import given, settings
from hypothesis import strategies as st
from wrong_calls import complaints, foreign, replaced

from nnbook import rnn
from nnbook.autograd import Tensor, gradcheck, no_grad
from nnbook.layers import Module, ReLU
from nnbook.rnn import (
    GRU,
    LSTM,
    RNN,
    CharLM,
    GRUCell,
    LSTMCell,
    NGram,
    RNNCell,
    SequenceClassifier,
    Vocabulary,
    bits_per_character,
    detach,
    generate,
    hann_window,
    stft,
    text_batches,
)
from nnbook.torch import rnn as twins
from nnbook.torch.twins import assert_twins, copy_weights

few = settings(max_examples=25, deadline=None)
small = st.integers(1, 3)
kinds = st.sampled_from(["RNN", "LSTM", "GRU"])
both_forms = pytest.mark.parametrize("plain", [False, True], ids=["fast", "plain"])
every_layer = pytest.mark.parametrize("name", ["RNN", "LSTM", "GRU"])


def x_of(*shape, seed=0, dtype=np.float64):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def leaves(out) -> list: return [leaf for part in out for leaf in leaves(part)] if isinstance(out, tuple) else [out]


def numpy_of(tensor) -> np.ndarray: return tensor.detach().numpy() if isinstance(tensor, torch.Tensor) else tensor.data


def scramble(module: Module, seed=0) -> Module:
    "All its parameters, biases too, at random, in float64."
    module, rng = module.to(np.float64), np.random.default_rng(seed)
    for p in module.parameters(): p.data[...] = rng.uniform(-0.8, 0.8, p.shape)
    return module


def gradients(module, call, arrays, rays) -> tuple[list, list, list]:
    "Outputs of call(module, *leaves), and the gradients of inputs and parameters when outputs arrive with these rays; None for one that has no part."
    tensor = torch.tensor if isinstance(module, torch.nn.Module) else Tensor
    inputs = [tensor(a.copy(), requires_grad=True) for a in arrays]
    outs = leaves(call(module, *inputs))
    for _, p in module.named_parameters(): p.grad = None
    sum((o * tensor(ray)).sum() for o, ray in zip(outs, rays) if ray is not None).backward()
    grads = [np.zeros(tuple(t.shape)) if t.grad is None else np.asarray(t.grad) for t in [*inputs, *(p for _, p in module.named_parameters())]]
    return [numpy_of(o) for o in outs], grads, [numpy_of(t) for t in inputs]


def hold(ours: Module, theirs, call, *arrays, other=None, tol=1e-9):
    "Equal outputs; equal gradients of inputs and parameters, for gradients that come through each output alone, and through all."
    shapes = [o.shape for o in leaves(call(ours, *map(Tensor, arrays)))]
    rays = [x_of(*shape, seed=9 + i) for i, shape in enumerate(shapes)]
    cases = [rays] if len(rays) == 1 else [rays, *([ray if i == k else None for i, ray in enumerate(rays)] for k in range(len(rays)))]
    for case in cases:
        (a, da, inputs), (b, db, _) = gradients(ours, call, arrays, case), gradients(theirs, other or call, arrays, case)
        for u, v in zip([*a, *da], [*b, *db], strict=True):
            assert u.shape == v.shape and np.abs(u - v).max(initial=0) <= tol * max(1, np.abs(v).max(initial=0))
        assert all(np.array_equal(u, v) for u, v in zip(inputs, arrays, strict=True)), "an input was changed"


def torchs(module: Module, **options):
    "torch's own class of the same name, not the twin, with the same weights."
    names = {"input_size", "hidden_size", "num_layers", "bias", "bidirectional", "batch_first"} if hasattr(module, "num_layers") else {"input_size", "hidden_size", "bias"}
    made = getattr(torch.nn, type(module).__name__)(**{n: getattr(module, n, True) for n in names}, **module._options).double()
    made.load_state_dict({n: torch.tensor(v) for n, v in module.state_dict().items()})
    return made


def packed(layer, x, state, lengths):
    "torch's layer on packed sequences."
    given = torch.nn.utils.rnn.pack_padded_sequence(x, torch.tensor(lengths), batch_first=True, enforce_sorted=False)
    output, state = torch.nn.Module.__call__(layer, given, state)
    return torch.nn.utils.rnn.pad_packed_sequence(output, batch_first=True, total_length=x.shape[1])[0], state


# --- agreement with torch

@both_forms
@few
@given(data=st.data(), name=kinds, sizes=st.tuples(small, small), layers=small, batch=small, steps=st.integers(1, 6), both=st.booleans(), bias=st.booleans(), padded=st.booleans(),
       given_state=st.booleans(), relu=st.booleans())
def test_layers_are_torchs(plain, data, name, sizes, layers, batch, steps, both, bias, padded, given_state, relu):
    options = {"nonlinearity": "relu"} if relu and name == "RNN" else {}
    ours = scramble(getattr(rnn, name)(*sizes, num_layers=layers, bias=bias, bidirectional=both, **options))
    lengths = data.draw(st.lists(st.integers(1, steps), min_size=batch, max_size=batch)) if padded else None
    arrays = [x_of(batch, steps, sizes[0]), *[x_of(layers * (1 + both), batch, sizes[1], seed=i + 1) for i in range(len(ours._parts) * given_state)]]
    state = lambda parts: tuple(parts) if len(parts) > 1 else parts[0] if parts else None
    call = lambda layer, x, *parts: layer(x, state(parts), lengths, plain=plain)
    other = lambda layer, x, *parts: packed(layer, x, state(parts), lengths) if padded else layer(x, state(parts))
    hold(ours, torchs(ours), call, *arrays, other=other)


@few
@given(name=kinds, sizes=st.tuples(small, small), batch=small, bias=st.booleans(), given_state=st.booleans(), relu=st.booleans())
def test_cells_are_torchs(name, sizes, batch, bias, given_state, relu):
    ours = scramble(getattr(rnn, f"{name}Cell")(*sizes, bias, **({"nonlinearity": "relu"} if relu and name == "RNN" else {})))
    parts = [x_of(batch, sizes[1], seed=i + 1) for i in range(len(ours._parts) * given_state)]
    hold(ours, torchs(ours), lambda cell, x, *h: cell(x, h if len(h) > 1 else h[0] if h else None), x_of(batch, sizes[0]), *parts)


@every_layer
@both_forms
def test_a_layer_is_its_cell_step_by_step(name, plain):
    layer, cell, x = scramble(getattr(rnn, name)(3, 4)), getattr(rnn, f"{name}Cell")(3, 4).to(np.float64), x_of(2, 5, 3)
    cell.load_state_dict({n.removesuffix("_l0"): v for n, v in layer.state_dict().items()})
    output, state, h = *layer(x, plain=plain), None
    for t in range(5):
        h = cell(x[:, t], h)
        np.testing.assert_allclose(output.data[:, t], leaves(h)[0].data, atol=1e-12)
    for part, last in zip(leaves(state), leaves(h), strict=True): np.testing.assert_allclose(part.data[0], last.data, atol=1e-12)


@every_layer
@both_forms
def test_what_lies_beyond_a_length_changes_nothing(name, plain):
    layer, x, lengths = scramble(getattr(rnn, name)(3, 4, 2, bidirectional=True)), x_of(4, 6, 3), [2, 6, 1, 4]
    output, state = layer(x, None, lengths, plain=plain)
    beyond = np.arange(6) >= np.array(lengths)[:, None]
    assert not output.data[beyond].any() and output.data[~beyond].all()
    for row, n in enumerate(lengths):
        alone, last = layer(x[row : row + 1, :n], plain=plain)
        np.testing.assert_allclose(output.data[row, :n], alone.data[0], atol=1e-12)
        for part, own in zip(leaves(state), leaves(last), strict=True): np.testing.assert_allclose(part.data[:, row], own.data[:, 0], atol=1e-12)
    for p in layer.parameters(): p.grad = None
    (output * output).sum().backward()
    clean = [p.grad.copy() for p in layer.parameters()]
    x[beyond] = np.nan
    for p in layer.parameters(): p.grad = None
    again, _ = layer(x, None, np.array(lengths, np.int32), plain=plain)
    (again * again).sum().backward()
    np.testing.assert_array_equal(again.data, output.data)
    for p, g in zip(layer.parameters(), clean, strict=True): np.testing.assert_array_equal(p.grad, g)


@every_layer
@both_forms
def test_a_sequence_in_two_pieces_with_the_state_carried_is_one(name, plain):
    layer, x = scramble(getattr(rnn, name)(3, 4, 2)), x_of(2, 7, 3)
    whole, end = layer(x, plain=plain)
    first, state = layer(x[:, :3], plain=plain)
    second, state = layer(x[:, 3:], detach(state), plain=plain)
    np.testing.assert_allclose(np.concatenate([first.data, second.data], 1), whole.data, atol=1e-12)
    for a, b in zip(leaves(state), leaves(end), strict=True): np.testing.assert_allclose(a.data, b.data, atol=1e-12)


@every_layer
def test_a_twin_takes_lengths_and_a_state_together(name):
    ours, twin = (getattr(space, name)(3, 4, 2, bidirectional=True, rng=0) for space in (rnn, twins))
    x, parts, lengths = x_of(3, 6, 3), [x_of(4, 3, 4, seed=i) for i in range(len(ours._parts))], [2, 6, 4]
    state = lambda make: tuple(map(make, parts)) if len(parts) > 1 else make(parts[0])
    one, two = ours.to(np.float64)(x, state(Tensor), lengths), twin.double()(torch.tensor(x), state(torch.tensor), torch.tensor(lengths))
    for a, b in zip(leaves(one), leaves(two), strict=True): np.testing.assert_allclose(a.data, b.detach().numpy(), atol=1e-12)


@every_layer
def test_state_dicts_load_both_ways_unchanged(name):
    ours, theirs = getattr(rnn, name)(3, 4, 2, bidirectional=True, rng=0), getattr(torch.nn, name)(3, 4, 2, batch_first=True, bidirectional=True)
    ours.load_state_dict(theirs.state_dict())
    assert list(ours.state_dict()) == list(theirs.state_dict()) and all(np.array_equal(v, theirs.state_dict()[n].numpy()) for n, v in ours.state_dict().items())
    scramble(ours)
    theirs.double().load_state_dict({n: torch.tensor(v) for n, v in ours.state_dict().items()})
    x = x_of(2, 5, 3)
    np.testing.assert_allclose(ours(x)[0].data, theirs(torch.tensor(x))[0].detach().numpy(), atol=1e-12)


MADE = {**{name: (3, 4, 2) for name in ("RNN", "LSTM", "GRU")}, **{f"{name}Cell": (3, 4) for name in ("RNN", "LSTM", "GRU")}, "CharLM": ("abc", 4, 5, 2, "GRU"), "SequenceClassifier": (3, 4, 2)}


@pytest.mark.parametrize("name", MADE)
def test_one_seed_gives_a_module_and_its_twin_the_same_weights(name):
    one, two = (getattr(space, name)(*MADE[name], rng=3) for space in (rnn, twins))
    mine, theirs = one.state_dict(), two.state_dict()
    assert list(mine) == list(theirs) and all(np.array_equal(mine[n], theirs[n].numpy()) for n in mine)


@pytest.mark.parametrize("cell", ["RNN", "LSTM", "GRU"])
@pytest.mark.parametrize("layers", [1, 2])
def test_networks_are_their_twins(cell, layers):
    tokens = np.random.default_rng(0).integers(0, 5, (3, 6))
    one, two = (space.CharLM("edcba", 3, 4, layers, cell, rng=1) for space in (rnn, twins))
    assert_twins(one, two, tokens, dtype=np.float64, steps=2)
    for both in (False, True):
        one, two = (space.SequenceClassifier(3, 4, 5, layers, cell, both, rng=1) for space in (rnn, twins))
        for lengths in (None, np.array([2, 5, 4])): assert_twins(one, two, x_of(3, 5, 3), lengths, dtype=np.float64, steps=2)


def test_a_classifier_reads_the_last_state_of_each_direction():
    model, x = scramble(SequenceClassifier(3, 4, 2, 2, "LSTM", bidirectional=True)), x_of(2, 5, 3)
    output, _ = model.rnn(x)
    np.testing.assert_allclose(model(x).data, model.head(np.concatenate([output.data[:, -1, :4], output.data[:, 0, 4:]], 1)).data, atol=1e-12)


# --- initialization, dropout, modules

@pytest.mark.parametrize(("make", "gates"), [(RNN, 1), (LSTM, 4), (GRU, 3), (RNNCell, 1), (LSTMCell, 4), (GRUCell, 3)])
def test_weights_start_gate_by_gate(make, gates):
    layer = make(50, 30, rng=0)
    weight, recurrent, bias, zero = list(layer.state_dict().values())[:4]
    bound = (6 / 80)**0.5
    for block in np.split(weight, gates): assert 0.95 * bound < np.abs(block).max() <= bound and abs(block.std() - bound / 3**0.5) < 0.05 * bound
    for block in np.split(recurrent, gates): np.testing.assert_allclose(block @ block.T, np.eye(30), atol=1e-5)
    assert not zero.any() and (bias == np.repeat([0, 1, 0, 0], 30)).all() if gates == 4 else not bias.any()
    assert len({block.tobytes() for block in np.split(weight, gates)}) == gates


def test_the_forget_bias_is_the_forget_gates_alone():
    for make in (LSTM, LSTMCell, twins.LSTM, twins.LSTMCell):
        for b in (-1.0, 0.0, 3.0):
            state = {n.partition("_l")[0]: np.asarray(v) for n, v in make(2, 3, forget_bias=b, rng=0).state_dict().items()}
            assert state["bias_ih"].tolist() == [0] * 3 + [b] * 3 + [0] * 6 and not state["bias_hh"].any()
        assert len(make(2, 3, bias=False, forget_bias=3.0).state_dict()) == 2


@both_forms
def test_dropout_lies_between_layers_and_only_in_training(plain):
    layer, x = GRU(3, 40, 2, dropout=0.5, rng=0), x_of(2, 5, 3, dtype=np.float32)
    a, b = (layer(x, plain=plain)[0].data for _ in range(2))
    assert not np.array_equal(a, b) and (np.abs(a) > 0).all(), "the last layer's output is not dropped from"
    layer.eval()
    same = GRU(3, 40, 2, rng=0)
    same.load_state_dict(layer.state_dict())
    np.testing.assert_array_equal(layer(x, plain=plain)[0].data, same(x, plain=plain)[0].data)
    assert np.array_equal(GRU(3, 40, 2, dropout=0.5, rng=0)(x)[0].data, GRU(3, 40, 2, dropout=0.5, rng=0)(x)[0].data)
    masks = []
    layer.train()._between.draw = lambda shape: masks.append(shape) or np.ones(shape, bool)
    layer(x, plain=plain)
    assert masks == [(2, 5, 40)]


def test_a_language_model_drops_from_the_output_of_its_layers_too():
    model, tokens = CharLM("abc", 4, 30, dropout=0.5, rng=0), np.array([[0, 1, 2, 1]])
    assert not np.array_equal(model(tokens)[0].data, model(tokens)[0].data)
    model.eval()
    assert np.array_equal(model(tokens)[0].data, model(tokens)[0].data)


def test_the_outline_is_torchs():
    for args, options in [((3, 4), {}), ((3, 4, 2), {"bidirectional": True}), ((3, 4), {"bias": False}), ((3, 4, 3), {"dropout": 0.25})]:
        for name in ("RNN", "LSTM", "GRU"):
            assert repr(getattr(rnn, name)(*args, **options)).partition("  ")[0].strip() == repr(getattr(torch.nn, name)(*args, batch_first=True, **options))
    for args in [(3, 4), (3, 4, False)]:
        for name in ("RNNCell", "LSTMCell", "GRUCell"): assert repr(getattr(rnn, name)(*args)).partition("  ")[0] == repr(getattr(torch.nn, name)(*args))
    assert repr(RNNCell(3, 4, nonlinearity="relu")).startswith(repr(torch.nn.RNNCell(3, 4, nonlinearity="relu")))


def test_gradients_against_central_differences():
    for name in ("RNN", "LSTM", "GRU"):
        layer = scramble(getattr(rnn, name)(2, 3, 2, bidirectional=True))
        assert gradcheck(lambda x, layer=layer: layer(x, None, [3, 1])[0], x_of(2, 3, 2))


@both_forms
@every_layer
def test_modules_convert_copy_and_run_unrecorded_and_nan_flows(name, plain):
    layer, x = getattr(rnn, name)(3, 4, rng=0), x_of(2, 5, 3, dtype=np.float32)
    output, state = layer(x, plain=plain)
    assert output.dtype == np.float32 and all(part.dtype == np.float32 for part in leaves(state))
    with no_grad(): assert not layer(x, plain=plain)[0].requires_grad
    assert copy.deepcopy(layer).to(np.float64)(x, plain=plain)[0].dtype == np.float64
    view = np.asfortranarray(x[::-1])[::-1]
    view.flags.writeable = False
    np.testing.assert_array_equal(layer(view, plain=plain)[0].data, output.data)
    x[0, 2] = np.nan
    broken = layer(x, plain=plain)[0].data
    assert np.isnan(broken[0, 2:]).all() and np.array_equal(broken[1], output.data[1]) and np.array_equal(broken[0, :2], output.data[0, :2])


def test_plain_runs_the_chapters_step_and_the_default_does_not(monkeypatch):
    for make in (RNN, LSTM, GRU):
        ran = []
        monkeypatch.setattr(make, "_step", staticmethod(lambda *args, step=make._step, **options: ran.append(1) or step(*args, **options)))
        layer = make(2, 3, 2, bidirectional=True)
        layer(x_of(1, 5, 2), plain=True)
        assert len(ran) == 5 * 4
        layer(x_of(1, 5, 2))
        assert len(ran) == 5 * 4


# --- text

@few
@given(text=st.text(min_size=1))
def test_a_vocabulary_gives_back_every_text(text):
    known = Vocabulary(text)
    ids = known.encode(text)
    assert known.decode(ids) == text and known.characters == "".join(sorted(set(text))) and len(known) == len(set(text))
    assert ids.dtype == np.int64 and [known.characters[i] for i in ids] == list(text)


@few
@given(n=st.integers(2, 60), batch_size=small, seq_len=st.integers(1, 7))
def test_batches_run_through_the_text_side_by_side(n, batch_size, seq_len):
    tokens, streams = np.arange(n), (n - 1) // batch_size
    if streams < seq_len:
        with pytest.raises(ValueError, match=f"needs {batch_size * seq_len + 1} characters"): text_batches(tokens, batch_size, seq_len)
        return
    pairs = list(text_batches(tokens, batch_size, seq_len))
    assert len(pairs) == streams // seq_len
    for x, y in pairs: assert x.shape == y.shape == (batch_size, seq_len) and np.array_equal(y, x + 1)
    whole = np.concatenate([x for x, _ in pairs], 1)
    assert (np.diff(whole, axis=1) == 1).all() and (whole[:, 0] == np.arange(batch_size) * streams).all()


TEXT = "the cat sat on the mat, and the rat ran at the cat. " * 3


@pytest.mark.parametrize("space", [rnn, twins], ids=["built", "twin"])
@pytest.mark.parametrize("cell", ["RNN", "LSTM", "GRU"])
def test_bits_are_the_same_in_pieces_of_any_size_and_those_of_one_pass(space, cell):
    model = space.CharLM(TEXT, 4, 8, 2, cell, dropout=0.5, rng=0)
    texts = [TEXT[:20], TEXT, "at", TEXT[:50]]
    bits = []
    for text in texts:
        tokens = model.vocabulary.encode(text)[None]
        with torch.no_grad(): logits, _ = model.eval()(tokens[:, :-1] if space is rnn else torch.from_numpy(tokens[:, :-1]))
        p = torch.log_softmax(torch.from_numpy(np.array(numpy_of(logits))[0]).double(), -1).numpy()
        bits.append(-p[np.arange(len(text) - 1), tokens[0, 1:]] / np.log(2))
    model.train()
    for seq_len in (1, 7, 51, 256):
        assert space.bits_per_character(model, texts[1], seq_len) == pytest.approx(bits[1].mean(), rel=1e-6)
        assert space.bits_per_character(model, texts, seq_len) == pytest.approx(np.concatenate(bits).mean(), rel=1e-6)
    assert space.bits_per_character(model, dict(enumerate(texts))) == space.bits_per_character(model, texts[::-1])
    assert all(m.training for m in model.modules()), "the model is in the mode it was in"


@pytest.mark.parametrize("cell", ["RNN", "LSTM", "GRU"])
def test_the_likeliest_continuation_is_argmax_of_the_whole_text_step_by_step(cell):
    model = CharLM(TEXT, 4, 8, 2, cell, rng=0).to(np.float64)
    text = "the"
    for _ in range(12):
        logits, _ = model(model.vocabulary.encode(text)[None])             # from the start every time, without a state
        text += model.vocabulary.characters[int(logits.data[0, -1].argmax())]
    assert generate(model, "the", 12, temperature=0) == text == generate(model, "the", 12, temperature=0, rng=5)


def test_built_model_and_twin_write_the_same_and_rate_it_the_same():
    one, two = (space.CharLM(TEXT, 4, 8, rng=0) for space in (rnn, twins))
    for options in ({"rng": 1}, {"rng": 1, "temperature": 0.5}, {"temperature": 0}):
        assert rnn.generate(one, "the", 40, **options) == twins.generate(two, "the", 40, **options)
    assert bits_per_character(one, TEXT) == pytest.approx(twins.bits_per_character(two, TEXT), rel=1e-5)
    assert generate(one, "the", 40, rng=1) != generate(one, "the", 40, rng=2)


def test_characters_are_drawn_as_often_as_the_softmax_says():
    logits, rng = np.array([1.0, -0.5, 0.0, -np.inf, 2.0]), np.random.default_rng(0)
    for temperature in (0.5, 1.0, 3.0):
        p = np.exp(logits / temperature) / np.exp(logits / temperature).sum()
        counts = np.bincount([rnn._draw(logits, temperature, rng) for _ in range(8_000)], minlength=5)
        assert counts[3] == 0 and (np.abs(counts / 8_000 - p) < 5 * (p * (1 - p) / 8_000)**0.5 + 1e-12).all()
    assert rnn._draw(logits, 5e-324, rng) == 4 == rnn._draw(logits, 0, rng)


# --- n-grams

def by_hand(texts: list[str], characters: str, order: int, smoothing: float = 1):
    "Witten and Bell's formula with dictionaries and a recursion, smoothing times as much weight on the shorter context: p(character, context)."
    def counts(context):
        found = {}
        for text in texts:
            for i in range(len(context), len(text)):
                if text[i - len(context) : i] == context: found[text[i]] = found.get(text[i], 0) + 1
        return found

    def p(char, context):
        lower = p(char, context[1:]) if context else 1 / len(characters)
        seen = counts(context)
        return (seen.get(char, 0) + smoothing * len(seen) * lower) / (sum(seen.values()) + smoothing * len(seen)) if seen else lower
    return lambda char, context: p(char, context[len(context) - order + 1 :] if len(context) >= order else context)


def test_witten_bell_on_paper():
    "abac: a twice, b and c once, so 3 kinds in 4; below, 1/4 each of a, b, c, d. Behind a come b and c, once each, 2 kinds in 2."
    model = NGram(2, "abcd").fit("abac")
    np.testing.assert_allclose(model.probabilities(""), [11 / 28, 1 / 4, 1 / 4, 3 / 28])
    np.testing.assert_allclose(model.probabilities("a"), [(2 * 11 / 28) / 4, (1 + 2 / 4) / 4, (1 + 2 / 4) / 4, (2 * 3 / 28) / 4])
    np.testing.assert_allclose(model.probabilities("b"), [(1 + 11 / 28) / 2, 1 / 8, 1 / 8, 3 / 56])
    np.testing.assert_allclose(model.probabilities("d"), model.probabilities(""), err_msg="nothing was seen behind d")
    np.testing.assert_allclose(model.bits("dab"), -np.log2([11 / 28, 3 / 8]))


@few
@given(data=st.data(), order=st.integers(1, 5), smoothing=st.sampled_from([0.3, 1, 1.0, 8, np.float64(2)]))
def test_n_grams_are_the_formula_and_sum_to_one_whether_a_context_was_seen_or_not(data, order, smoothing):
    texts = data.draw(st.lists(st.text("abc", min_size=2, max_size=15), min_size=1, max_size=3))
    model, p = NGram(order, "abcd", smoothing).fit(texts), by_hand(texts, "abcd", order, float(smoothing))
    text = data.draw(st.text("abcd", min_size=2, max_size=8))
    np.testing.assert_allclose(model.bits(text), [-np.log2(p(text[i], text[:i])) for i in range(1, len(text))], rtol=1e-12)
    for context in ("", *(text[:i] for i in range(1, len(text) + 1))):
        assert model.probabilities(context).sum() == pytest.approx(1, abs=1e-12)
        np.testing.assert_allclose(model.probabilities(context), [p(c, context) for c in "abcd"], rtol=1e-12)


def test_a_fitted_table_can_be_asked_with_another_smoothing_and_a_smaller_order():
    model = NGram(5, TEXT).fit([TEXT])
    before = model.bits("the cat sat")
    model.order, model.smoothing = 3, 8
    np.testing.assert_array_equal(model.bits("the cat sat"), NGram(3, TEXT, 8).fit([TEXT]).bits("the cat sat"))
    model.order, model.smoothing = 5, 1.0
    np.testing.assert_array_equal(model.bits("the cat sat"), before)
    assert not np.allclose(NGram(5, TEXT, 8).fit([TEXT]).bits("the cat sat"), before)


def test_n_grams_count_the_characters_that_a_network_is_asked_for():
    model = NGram(3, TEXT).fit([TEXT])
    assert model.bits("the cat").shape == (6,)
    assert bits_per_character(model, ["the cat", "at"]) == pytest.approx(np.concatenate([model.bits("the cat"), model.bits("at")]).mean())
    assert generate(model, "th", 30, rng=0) == generate(model, "th", 30, rng=0) and set(generate(model, "th", 30, rng=0)) <= set(TEXT)
    greedy = "the"
    for _ in range(20): greedy += model.vocabulary.characters[model.probabilities(greedy).argmax()]
    assert generate(model, "the", 20, temperature=0) == greedy


def test_no_context_reaches_from_one_text_into_the_next():
    apart, joined = (NGram(3, "ab").fit(texts) for texts in (["aaa", "bbb"], "aaabbb"))
    assert apart.probabilities("aa")[1] < joined.probabilities("aa")[1]


# --- sound

@few
@given(data=st.data(), n_fft=st.integers(1, 20), center=st.booleans(), windowed=st.booleans(), batch=st.sampled_from([(), (2,)]))
def test_stft_is_torchs(data, n_fft, center, windowed, batch):
    n = data.draw(st.integers(max(1, n_fft // 2 + 1 if center else n_fft), 70))
    hop = data.draw(st.none() | st.integers(1, 25)) if n_fft >= 4 else data.draw(st.integers(1, 25))
    x, window = x_of(*batch, n), hann_window(n_fft) if windowed else None
    theirs = torch.stft(torch.tensor(x), n_fft, hop, window=torch.tensor(window) if windowed else torch.ones(n_fft).double(), center=center, return_complex=True).numpy()
    ours = stft(x, n_fft, hop, window, center)
    assert ours.shape == theirs.shape and ours.dtype == np.complex128
    np.testing.assert_allclose(ours, theirs, atol=1e-11)


def test_stft_keeps_its_precision_and_its_axes():
    x = x_of(2, 3, 50, dtype=np.float32)
    assert stft(x, 8, window=hann_window(8)).dtype == np.complex64 and stft(x, 8).shape == (2, 3, 5, 26)
    tone = np.cos(2 * np.pi * 5 / 32 * np.arange(400))
    assert (np.abs(stft(tone, 32, window=hann_window(32), center=False)).argmax(0) == 5).all()


@pytest.mark.parametrize("n", [1, 2, 3, 8, 25])
def test_the_window_is_torchs(n): np.testing.assert_allclose(hann_window(n), torch.hann_window(n, dtype=torch.float64).numpy(), atol=1e-15)


# --- errors

X, LM = np.zeros((2, 5, 3)), CharLM("abc", 2, 3, rng=0)


@pytest.mark.parametrize(("make", "error", "words"), [
    (lambda: LSTM(3, 4)(X[..., :2]), ValueError, r"^LSTM takes inputs of shape \(B, T, 3\), got \(2, 5, 2\)$"), (lambda: GRU(5, 4)(X), ValueError, r"features come last: x.swapaxes\(1, 2\)"),
    (lambda: LSTM(3, 4)(X[0]), ValueError, r"got \(5, 3\); add the batch axis: x\[None\]"), (lambda: LSTM(1, 4)(X[0]), ValueError, r"add the axis of features: x\[..., None\]"),
    (lambda: RNN(3, 4)(X[None]), ValueError, r"got \(1, 2, 5, 3\)$"), (lambda: RNN(3, 4)(X[:, :0]), ValueError, r"got \(2, 0, 3\), which holds nothing; leave empty batches and sequences out"),
    (lambda: RNN(3, 4)(X[:0]), ValueError, "holds nothing"), (lambda: GRUCell(3, 4)(X[:0, 0]), ValueError, r"shape \(B, 3\), got \(0, 3\), which holds nothing"),
    (lambda: LSTM(3, 4)(X.astype(int)), TypeError, "LSTM takes floats, got int64; .* Embedding first"), (lambda: LSTM(3, 4)(Tensor(X)), TypeError, "computes in float32 and got a Tensor of float64"),
    (lambda: LSTM(3, 4)(X, None, [5, 6]), ValueError, "lengths from 1 to 5, the steps of the input, got 6"), (lambda: LSTM(3, 4)(X, None, [5, 0]), ValueError, "^LSTM takes lengths from 1 to 5.* got 0"),
    (lambda: LSTM(3, 4)(X, None, [5]), ValueError, r"lengths as 2 whole numbers, one for each sequence, got \[5\]"), (lambda: LSTM(3, 4)(X, None, [5.0, 4.0]), ValueError, "2 whole numbers"),
    (lambda: LSTM(3, 4)(X, None, 5), ValueError, "2 whole numbers"), (lambda: LSTM(3, 4)(X, None, [True, True]), ValueError, "2 whole numbers"),
    (lambda: GRU(3, 4, 2)(X, np.zeros((1, 2, 4))), ValueError, r"GRU takes a state h of shape \(2, 2, 4\), which is \(num_layers \* directions, batch, hidden_size\), got \(1, 2, 4\)"),
    (lambda: LSTM(3, 4)(X, (np.zeros((1, 2, 4)), np.zeros((1, 2, 3)))), ValueError, r"a state c of shape \(1, 2, 4\).* got \(1, 2, 3\)"), (lambda: LSTM(3, 4)(X, np.zeros((1, 2, 4))), ValueError, r"a state \(h, c\), each of shape"),
    (lambda: GRU(3, 4)(X, LSTM(3, 4)(X)[1]), ValueError, r"GRU takes a state h of shape \(1, 2, 4\), got \(Tensor"), (lambda: LSTMCell(3, 4)(X[:, 0], np.zeros((2, 4))), ValueError, r"\(h, c\)"),
    (lambda: RNNCell(3, 4)(X[:, 0], np.zeros((3, 4))), ValueError, r"RNNCell takes a state h of shape \(2, 4\), which is \(batch, hidden_size\), got \(3, 4\)"),
    (lambda: LSTM(3, 4, batch_first=False), ValueError, r"leave batch_first=True, and give it x.swapaxes\(0, 1\)"), (lambda: LSTM(3, 4, dropout=0.5), ValueError, "there is only one"),
    (lambda: LSTM(3, 4, 2, dropout=1.5), ValueError, "dropout to be a real number from 0 to 1"), (lambda: LSTM(3, 0), ValueError, "LSTM needs hidden_size to be a whole number from 1 on, got 0"),
    (lambda: RNN(3, 4, 1, "sigmoid"), ValueError, "unknown nonlinearity 'sigmoid'; choose from 'tanh', 'relu'"), (lambda: RNN(3, 4, 1, True), ValueError, "nonlinearity"), (lambda: LSTM(3, 4, forget_bias=float("nan")), ValueError, "forget_bias"),
    (lambda: Vocabulary("abc").encode("abd"), ValueError, "the character 'd' at place 2 of the text is none of the 3 known, 'abc'"), (lambda: Vocabulary(""), ValueError, "a text that is not empty"),
    (lambda: Vocabulary("abc").decode([3]), ValueError, "knows the numbers 0 to 2, got 3"), (lambda: Vocabulary("abc").decode([0.5]), TypeError, "whole numbers"), (lambda: Vocabulary("abc").encode(5), TypeError, "takes a text"),
    (lambda: CharLM("abc", cell="lstm"), ValueError, "unknown cell 'lstm'; choose from 'RNN', 'LSTM', 'GRU'"), (lambda: SequenceClassifier(3, 4, 2, cell="Transformer"), ValueError, "unknown cell"),
    (lambda: LM([[0, 3]]), ValueError, "CharLM knows the numbers 0 to 2, got 3"), (lambda: LM([[0, -1]]), ValueError, "got -1"), (lambda: LM("ab"), TypeError, r"encode it first: vocabulary.encode\(text\)"),
    (lambda: LM([0, 1]), ValueError, r"shape \(B, T\), got \(2,\); add the batch axis: tokens\[None\]"), (lambda: LM(np.zeros((0, 3), int)), ValueError, "holds nothing"), (lambda: LM([[0.5]]), TypeError, "whole numbers"),
    (lambda: generate(LM, "a", 3, temperature=-1), ValueError, "temperature to be a real number from 0 on, got -1"), (lambda: generate(LM, "a", 3, temperature=float("nan")), ValueError, "temperature"),
    (lambda: generate(LM, "", 3), ValueError, "a prompt of one character at least"), (lambda: generate(LM, "ad", 3), ValueError, "the character 'd'"), (lambda: generate(LM, "a", 0), ValueError, "n to be a whole number"),
    (lambda: generate(ReLU(), "a", 3), TypeError, "such as a CharLM"), (lambda: twins.generate(torch.nn.ReLU(), "a", 3), TypeError, "such as a CharLM"), (lambda: bits_per_character(LM, "a"), ValueError, "two characters at least"),
    (lambda: bits_per_character(LM, []), TypeError, "a text, or a list of texts"), (lambda: bits_per_character(LM, "abd"), ValueError, "the character 'd'"), (lambda: NGram(2, "ab").bits("ab"), RuntimeError, "fit"),
    (lambda: NGram(0, "ab"), ValueError, "order"), (lambda: NGram(2, "ab", 0), ValueError, "take a number above 0"), (lambda: NGram(2, "ab", -1), ValueError, "smoothing to be a real number from 0 on"),
    (lambda: NGram(2, "ab").fit("abc"), ValueError, "the character 'c'"), (lambda: text_batches("abc", 1, 2), TypeError, "encode it first"),
    (lambda: stft(np.zeros(8), 16), ValueError, r"n_fft=16 needs 9 samples at least, got shape \(8,\)"), (lambda: stft(np.zeros(8), 16, center=False), ValueError, "needs 16 samples"),
    (lambda: stft(np.zeros(80), 16, window=np.ones(8)), ValueError, r"a window of shape \(16,\), got \(8,\)"), (lambda: stft(np.zeros(80), 16, 0), ValueError, "hop_length"), (lambda: detach(np.zeros(3)), TypeError, "takes a state"),
])
def test_a_bad_input_is_an_error_for_the_reader(make, error, words):
    with pytest.raises(error, match=words):
        make()


# --- wrong calls: each public name, with each argument in turn replaced by junk, works or ends in one message of ours

def x3(): return np.ones((2, 5, 3), np.float32)
def x2(): return np.ones((2, 3), np.float32)
def step(gates, parts): return lambda: (x2(), *[np.ones((2, 4), np.float32)] * parts, np.ones((4 * gates, 3), np.float32), np.ones((4 * gates, 4), np.float32), *[np.ones(4 * gates, np.float32)] * 2)


CALLS = {
    "rnn_step": (lambda: (*step(1, 1)(), "tanh"),), "lstm_step": (step(4, 2),), "gru_step": (step(3, 1),),
    "RNNCell": (lambda: (3, 4, True, "tanh", 0), x2), "LSTMCell": (lambda: (3, 4, True, 0, 1.0), x2), "GRUCell": (lambda: (3, 4, True, 0), x2),
    "RNN": (lambda: (3, 4, 2, "relu", True, True, 0.1, True, 0), x3), "LSTM": (lambda: (3, 4, 2, True, True, 0.1, True, 0, 1.0), x3), "GRU": (lambda: (3, 4, 2, True, True, 0.1, True, 0), x3),
    "Vocabulary": (lambda: ("abc",),), "text_batches": (lambda: (np.arange(20), 2, 3),), "CharLM": (lambda: ("abc", 3, 4, 2, "GRU", 0.1, 0), lambda: np.array([[0, 1, 2]])), "detach": (lambda: (Tensor([1.0]),),),
    "bits_per_character": (lambda: (LM, "abcab", 3),), "generate": (lambda: (LM, "a", 3, 1.0, 0),), "NGram": (lambda: (2, "abc", 2.0),), "SequenceClassifier": (lambda: (3, 4, 2, 1, "LSTM", True, 0), x3),
    "hann_window": (lambda: (8,),), "stft": (lambda: (np.ones(50), 8, 3, np.ones(8), True),)}
JUNK = wrong_calls.JUNK | {"length 0": np.ones((0, 2, 3), np.float32), "no steps": np.ones((2, 0, 3), np.float32), "Tensor of float64": Tensor(np.ones((2, 5, 3))), "module": ReLU(), "torch": torch.ones(2, 2)}
METHODS = {"layer": (lambda *args: LSTM(3, 4, rng=0)(*args), lambda: (x3(), (np.zeros((1, 2, 4)),) * 2, [3, 5], False)), "gru": (lambda *args: GRU(3, 4, rng=0)(*args), lambda: (x3(), np.zeros((1, 2, 4)), [3, 5], False)),
           "cell": (lambda *args: LSTMCell(3, 4, rng=0)(*args), lambda: (x2(), (np.zeros((2, 4)),) * 2)), "model": (lambda *args: LM(*args), lambda: ([[0, 1]], (np.zeros((1, 1, 3)),) * 2)),
           "classifier": (lambda *args: SequenceClassifier(3, 4, 2, rng=0)(*args), lambda: (x3(), [3, 5])), "encode": (Vocabulary("abc").encode, lambda: ("ab",)), "decode": (Vocabulary("abc").decode, lambda: ([0, 1],)),
           "fit": (lambda *args: NGram(2, "abc").fit(*args), lambda: (["abc", "ab"],)), "bits": (NGram(2, "abc").fit("abc").bits, lambda: ("abc",)), "probabilities": (NGram(2, "abc").fit("abc").probabilities, lambda: ("abc",))}


def test_every_public_name_is_in_the_table():
    assert set(rnn.__all__) == set(CALLS)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", CALLS)
def test_a_wrong_call_ends_in_one_message_of_ours(name):
    args, inputs = (*CALLS[name], None)[:2]
    make = getattr(rnn, name)
    assert inputs is None or len(args()) == len(inspect.signature(make).parameters), "each argument has its turn"
    assert complaints(make, args, inputs, JUNK) == {}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", METHODS)
def test_a_wrong_call_of_what_was_made_ends_in_one_message_of_ours(name):
    call, args = METHODS[name]
    call(*args())
    found = {what: foreign(call, *wrong) for what, wrong in replaced(args(), JUNK)}
    assert {what: error for what, error in found.items() if error} == {}


def test_every_module_has_a_twin_of_the_same_arguments():
    for name, thing in vars(rnn).items():
        if inspect.isclass(thing) and issubclass(thing, Module) and thing.__module__ == "nnbook.rnn" and not name.startswith("_"):
            mine, theirs = (list(inspect.signature(getattr(space, name)).parameters) for space in (rnn, twins))
            assert mine == [n for n in theirs if n in mine] and theirs[len(mine):] == ["device", "dtype"], name


def test_weights_go_from_a_twin_into_the_built_model():
    one, two = CharLM(TEXT, 4, 8, rng=0), twins.CharLM(TEXT, 4, 8, rng=1)
    copy_weights(two, one)
    assert generate(one, "the", 20, temperature=0) == twins.generate(two, "the", 20, temperature=0)
    assert sorted(itertools.chain.from_iterable(p.shape for p in one.parameters())) == sorted(itertools.chain.from_iterable(tuple(p.shape) for p in two.parameters()))
