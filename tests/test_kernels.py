"""The fast convolutions and pools against torch: any shape, stride, padding, dilation, groups, memory layout and dtype; recurrent layers
against torch and the tape, any lengths, either way, any gradients wanted; attention against torch, any masks, groups and sizes of scores;
the nodes of a transformer's block and sums over edges against torch; and what they refuse."""

import pickle
import subprocess
import sys
import threading
import tracemalloc
import warnings
from functools import partial

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from test_autograd_properties import laid_out, layouts

from nnbook import kernels
from nnbook.autograd import Tensor, concatenate, no_grad, relu, stack
from nnbook.kernels import avg_pool2d, conv2d, conv_transpose2d, max_pool2d
from nnbook.operators import split

many = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.filter_too_much])
small = st.integers(1, 3)
pairs = lambda low, high: st.tuples(st.integers(low, high), st.integers(low, high))
seeds = st.integers(0, 2**32 - 1)


def agree(got, want, what, tol, least=1e-30):
    "Equal but for tol times the largest entry, or times least, if that is larger."
    assert got.shape == want.shape and got.dtype == want.dtype, f"{what}: {got.dtype} {got.shape}, torch has {want.dtype} {want.shape}"
    np.testing.assert_allclose(got, want, rtol=0, atol=tol * np.abs(want[np.isfinite(want)]).max(initial=least), err_msg=what)


def compare(ours, theirs, *arrays, tol=1e-12, seed=0, least=1e-30):
    "The same value and the same gradients from the same random gradient of the result; no input is changed."
    before = [a.copy() for a in arrays]
    leaves = [Tensor(a, requires_grad=True) for a in arrays]
    twins = [torch.tensor(a.copy(), requires_grad=True) for a in arrays]
    y, z = ours(*leaves), theirs(*twins)
    g = np.random.default_rng(seed).standard_normal(y.shape).astype(y.dtype)
    start = g.copy()
    y.backward(g)
    z.backward(torch.tensor(g))
    agree(y.data, z.detach().numpy(), "value", tol, least)
    for i, (leaf, twin, a, b) in enumerate(zip(leaves, twins, arrays, before, strict=True)):
        agree(leaf.grad, twin.grad.numpy(), f"gradient of input {i}", tol, least)
        assert np.array_equal(a, b, equal_nan=True), f"input {i} was changed"
    assert np.array_equal(g, start), "the gradient was changed"


def draw(seed, *shapes, dtype=np.float64):
    rng = np.random.default_rng(seed)
    return [rng.standard_normal(shape).astype(dtype) for shape in shapes]


@pytest.fixture(params=[1, 1000, kernels._BAND], ids=["row by row", "small bands", "bands"])
def band(request, monkeypatch):
    "How much is computed at a time makes no difference."
    monkeypatch.setattr(kernels, "_BAND", request.param)


# --- agreement with torch

@many
@given(n=small, groups=small, per=st.tuples(small, small), kernel=pairs(1, 4), stride=st.one_of(st.just((1, 1)), pairs(1, 3)), padding=pairs(0, 4),
       dilation=pairs(1, 3), size=pairs(1, 9), bias=st.booleans(), layout=layouts, wide=st.booleans(), seed=seeds)
def test_conv2d(band, n, groups, per, kernel, stride, padding, dilation, size, bias, layout, wide, seed):
    assume(all(s + 2 * p >= d * (k - 1) + 1 for s, p, d, k in zip(size, padding, dilation, kernel)))
    dtype, tol = (np.float64, 1e-12) if wide else (np.float32, 1e-5)
    C, O = per[0] * groups, per[1] * groups
    x, weight, b = draw(seed, (n, C, *size), (O, per[0], *kernel), (O,), dtype=dtype)
    arrays = [laid_out(x, layout), laid_out(weight, layout), laid_out(b, layout)][: 2 + bias]
    call = lambda f: lambda x, w, b=None: f(x, w, b, stride, padding, dilation, groups)
    compare(call(conv2d), call(F.conv2d), *arrays, tol=tol, seed=seed)


@many
@given(n=small, groups=small, per=st.tuples(small, small), kernel=pairs(1, 4), stride=st.one_of(st.just((1, 1)), pairs(1, 3)), padding=pairs(0, 3),
       more=pairs(0, 2), dilation=pairs(1, 3), size=pairs(1, 6), bias=st.booleans(), layout=layouts, wide=st.booleans(), seed=seeds)
def test_conv_transpose2d(band, n, groups, per, kernel, stride, padding, more, dilation, size, bias, layout, wide, seed):
    assume(all(m < max(s, d) for m, s, d in zip(more, stride, dilation)))
    assume(all((h - 1) * s - 2 * p + d * (k - 1) + m >= 0 for h, s, p, d, k, m in zip(size, stride, padding, dilation, kernel, more)))
    dtype, tol = (np.float64, 1e-12) if wide else (np.float32, 1e-5)
    C, O = per[0] * groups, per[1] * groups
    x, weight, b = draw(seed, (n, C, *size), (C, per[1], *kernel), (O,), dtype=dtype)
    arrays = [laid_out(x, layout), laid_out(weight, layout), laid_out(b, layout)][: 2 + bias]
    ours = lambda x, w, b=None: conv_transpose2d(x, w, b, stride, padding, more, dilation, groups)
    theirs = lambda x, w, b=None: F.conv_transpose2d(x, w, b, stride, padding, more, groups, dilation)
    compare(ours, theirs, *arrays, tol=tol, seed=seed)


pools = pytest.mark.parametrize("ours, theirs", [(max_pool2d, F.max_pool2d), (avg_pool2d, F.avg_pool2d)], ids=["max", "avg"])


@pools
@many
@given(n=small, channels=small, kernel=pairs(1, 4), stride=pairs(1, 4), padding=pairs(0, 2), size=pairs(1, 9), layout=layouts, wide=st.booleans(), seed=seeds)
def test_pools(band, ours, theirs, n, channels, kernel, stride, padding, size, layout, wide, seed):
    assume(all(2 * p <= k <= s + 2 * p for s, p, k in zip(size, padding, kernel)))
    x, = draw(seed, (n, channels, *size), dtype=np.float64 if wide else np.float32)
    x = laid_out(np.round(2 * x), layout)                          # with many equal entries
    call = lambda f: lambda x: f(x, kernel, stride, padding)
    compare(call(ours), call(theirs), x, tol=1e-12 if wide else 1e-6, seed=seed)


@many
@given(kernel=pairs(1, 3), stride=pairs(1, 3), padding=pairs(0, 1), size=pairs(3, 7), wide=st.booleans(), seed=seeds)
def test_a_max_pool_treats_nan_and_infinities_as_torch_does(band, kernel, stride, padding, size, wide, seed):
    assume(all(2 * p <= k for p, k in zip(padding, kernel)))
    x = np.random.default_rng(seed).choice([0.0, 1.0, np.nan, np.inf, -np.inf], (2, 3, *size), p=[0.2, 0.1, 0.15, 0.05, 0.5])
    call = lambda f: lambda x: f(x, kernel, stride, padding)
    compare(call(max_pool2d), call(F.max_pool2d), x.astype(np.float64 if wide else np.float32), tol=1e-12 if wide else 1e-6, seed=seed)


def test_an_infinite_gradient_reaches_the_largest_entry_alone():
    x = Tensor(np.array([[[[1.0, 3.0], [2.0, 0.0]]]]), requires_grad=True)
    max_pool2d(x, (2, 2), (2, 2)).backward(np.full((1, 1, 1, 1), np.inf))
    assert np.array_equal(x.grad, [[[[0, np.inf], [0, 0]]]])


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.longdouble])
def test_dtypes_are_kept(dtype):
    x, weight, b = draw(0, (2, 3, 5, 5), (3, 3, 3, 3), (3,), dtype=dtype)
    for y in (conv2d(x, weight, b), conv_transpose2d(x, weight, b), max_pool2d(x, (2, 2), (2, 2)), avg_pool2d(x, (2, 2), (2, 2))):
        assert y.dtype == dtype
    leaf = Tensor(x, requires_grad=True)
    max_pool2d(leaf, (2, 2), (2, 2)).sum().backward()
    assert leaf.grad.dtype == dtype and leaf.grad.sum() == 24


def test_a_wider_bias_widens_the_result():
    x, weight, b = draw(0, (2, 3, 5, 5), (4, 3, 3, 3), (4,))
    y = conv2d(x.astype(np.float32), weight.astype(np.float32), b)
    assert y.dtype == np.float64
    np.testing.assert_allclose(y.data, conv2d(x, weight, b).data, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("x, weight, options", [
    ((1, 1, 1, 1), (1, 1, 1, 1), {}), ((2, 3, 6, 5), (4, 3, 6, 5), {}), ((2, 3, 4, 4), (5, 3, 1, 1), {}), ((1, 2, 5, 6), (3, 2, 2, 4), {"padding": (1, 3)}),
    ((2, 4, 5, 5), (4, 1, 3, 3), {"padding": (1, 1), "groups": 4}), ((2, 3, 224, 7), (2, 3, 7, 7), {"stride": (2, 2), "padding": (3, 3)}),
    ((0, 3, 6, 6), (4, 3, 3, 3), {})], ids=["one number", "kernel = image", "1 × 1", "even kernel", "depthwise", "a stem", "an empty batch"])
def test_conv2d_at_the_edges(x, weight, options):
    call = lambda f: lambda x, w, b: f(x, w, b, **options)
    compare(call(conv2d), call(F.conv2d), *draw(1, x, weight, weight[:1]))


# --- on the tape

def test_layers_in_a_row_agree_and_keep_one_layout():
    "A small network against torch, gradients to the first weight; what a layer here returns, the next takes as it lies in memory."
    x, w1, b1, w2, b2 = draw(2, (4, 1, 12, 12), (3, 1, 3, 3), (3,), (5, 3, 3, 3), (5,))
    def net(conv, relu, pool):
        def run(x, w1, b1, w2, b2):
            h = pool(relu(conv(x, w1, b1, (1, 1), (1, 1))), (2, 2), (2, 2))
            return pool(relu(conv(h, w2, b2, (1, 1), (1, 1))), (2, 2), (2, 2)).reshape(4, -1)
        return run
    compare(net(conv2d, relu, max_pool2d), net(F.conv2d, F.relu, F.max_pool2d), x, w1, b1, w2, b2)
    h = relu(conv2d(x, w1, b1))
    assert kernels._frame(h.data).base is not None and np.shares_memory(kernels._frame(h.data), h.data)
    flat = max_pool2d(h, (2, 2), (2, 2))
    assert np.shares_memory(flat.reshape(4, -1).data, flat.data)


def test_only_what_wants_a_gradient_gets_one(monkeypatch):
    x, weight, b = draw(3, (2, 3, 6, 6), (4, 3, 3, 3), (4,))
    def refuse(*args): raise AssertionError("the gradient of an input that needs none was computed")
    w, bias = Tensor(weight, requires_grad=True), Tensor(b, requires_grad=True)
    monkeypatch.setattr(kernels, "_input_grad", refuse)
    conv2d(Tensor(x), w, bias).sum().backward()
    assert w.grad.shape == weight.shape and bias.grad.shape == b.shape
    with no_grad(): assert not conv2d(x, w, bias).requires_grad and not max_pool2d(w, (2, 2), (2, 2)).requires_grad
    monkeypatch.undo()
    monkeypatch.setattr(kernels, "_weight_grad", refuse)
    leaf = Tensor(x, requires_grad=True)
    conv2d(leaf, Tensor(weight), Tensor(b)).sum().backward()
    assert leaf.grad.shape == x.shape


def test_a_retained_graph_is_walked_twice():
    x, weight = (Tensor(a, requires_grad=True) for a in draw(4, (2, 3, 6, 6), (4, 3, 3, 3)))
    y = max_pool2d(conv2d(x, weight, padding=(1, 1)), (2, 2), (2, 2)).sum()
    y.backward(retain_graph=True)
    once = x.grad.copy(), weight.grad.copy()
    y.backward()
    assert np.array_equal(x.grad, 2 * once[0]) and np.array_equal(weight.grad, 2 * once[1])


def test_read_only_inputs_are_taken():
    arrays = draw(5, (2, 3, 6, 6), (4, 3, 3, 3), (4,))
    for a in arrays: a.flags.writeable = False
    leaves = [Tensor(a, requires_grad=True) for a in arrays]
    g = np.ones((2, 4, 2, 2))
    g.flags.writeable = False
    max_pool2d(conv2d(*leaves), (2, 2), (2, 2)).backward(g)
    avg_pool2d(leaves[0], (2, 2), (2, 2)).sum().backward()
    assert all(leaf.grad.flags.writeable for leaf in leaves)


def test_two_threads_at_once():
    x, weight = draw(6, (16, 8, 20, 20), (16, 8, 3, 3))
    def work(found):
        for _ in range(10):
            a, w = Tensor(x, requires_grad=True), Tensor(weight, requires_grad=True)
            max_pool2d(conv2d(a, w, padding=(1, 1)), (2, 2), (2, 2)).sum().backward()
            found.append((a.grad, w.grad))
    want, found = [], [[], []]
    work(want)
    threads = [threading.Thread(target=work, args=(f,)) for f in found]
    for t in threads: t.start()
    for t in threads: t.join()
    assert [len(f) for f in found] == [10, 10]
    assert all(np.array_equal(a, b) for f in found for pair, right in zip(f, want) for a, b in zip(pair, right))


# --- what is refused

X, W = np.zeros((2, 4, 6, 6)), np.zeros((8, 4, 3, 3))


@pytest.mark.parametrize("call, says", [
    (lambda: conv2d(X[0], W), r"images \(N, C, H, W\).* got shapes \(4, 6, 6\)"),
    (lambda: conv2d(X, W[0]), r"a weight \(out, in/groups, height, width\)"),
    (lambda: conv2d(X[:, :3], W), r"takes images with 4 channels, got shape \(2, 3, 6, 6\)"),
    (lambda: conv2d(X, W, groups=3), "groups=3 does not divide it"),
    (lambda: conv2d(X, W, groups=0), "groups=0"),
    (lambda: conv2d(X, W, groups=2), "takes images with 8 channels"),
    (lambda: conv2d(X, W, np.zeros(4)), r"takes a bias of shape \(8,\), got \(4,\)"),
    (lambda: conv2d(X, np.zeros((8, 4, 7, 3))), "finds no place for a kernel .* take a smaller kernel, or more padding"),
    (lambda: conv2d(X, W, dilation=(3, 1)), "finds no place"),
    (lambda: conv2d(X, W, stride=(0, 1)), "strides and dilations from 1"),
    (lambda: conv2d(X, W, padding=(-1, 0)), "paddings from 0"),
    (lambda: conv_transpose2d(X, W), r"takes images with 8 channels, got shape \(2, 4, 6, 6\)"),
    (lambda: conv_transpose2d(X, W[:4], np.zeros(3)), r"takes a bias of shape \(4,\)"),
    (lambda: conv_transpose2d(X, W[:4], output_padding=(1, 1)), "output_padding below the stride"),
    (lambda: conv_transpose2d(X[:, :, :1], W[:4], padding=(2, 0)), "take less padding"),
    (lambda: conv_transpose2d(X, W[:4], stride=(0, 1)), "strides and dilations from 1"),
    (lambda: max_pool2d(X[0], (2, 2), (2, 2)), r"images \(N, C, H, W\)"),
    (lambda: max_pool2d(X, (7, 2), (2, 2)), "finds no place"),
    (lambda: avg_pool2d(X, (2, 2), (2, 2), (2, 0)), "at most half its kernel"),
    (lambda: avg_pool2d(X, (0, 2), (2, 2)), "kernels, strides and dilations from 1"),
])
def test_what_does_not_fit_is_said(call, says):
    with pytest.raises(ValueError, match=says): call()


# --- recurrent layers

GATES = {"lstm": 4, "gru": 3, "rnn": 1, "relu": 1}
TORCH = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU, "rnn": torch.nn.RNN, "relu": torch.nn.RNN}
kinds = st.sampled_from(list(GATES))
all_kinds = pytest.mark.parametrize("kind", list(GATES))


def recurrent(kind):
    return {"lstm": kernels.lstm, "gru": kernels.gru, "rnn": kernels.rnn, "relu": partial(kernels.rnn, nonlinearity="relu")}[kind]


def layer_arrays(kind, B, T, I, H, bias=(True, True), seed=0, dtype=np.float64):
    "x, h0, maybe c0, weight_ih, weight_hh, bias_ih, bias_hh; weights small enough that a relu does not explode."
    G = GATES[kind] * H
    x, h0, c0, w_ih, w_hh, b_ih, b_hh = draw(seed, (B, T, I), (B, H), (B, H), (G, I), (G, H), (G,), (G,), dtype=dtype)
    w_hh *= dtype(0.7 / H**0.5)
    return [x, h0, *([c0] if kind == "lstm" else []), w_ih, w_hh, b_ih if bias[0] else None, b_hh if bias[1] else None]


def sigmoid_of(z): return 1 / (1 + (-z).exp())


def one_step(kind, z_x, z_h, h, c):
    "From what x and h were multiplied to, each (1, gates·H): the next h and c."
    H = h.shape[1]
    part = lambda z, k: z[:, k * H : (k + 1) * H]
    if kind == "lstm":
        i, f, g, o = (part(z_x + z_h, k) for k in range(4))
        c = sigmoid_of(f) * c + sigmoid_of(i) * g.tanh()
        return sigmoid_of(o) * c.tanh(), c
    if kind == "gru":
        r, z = (sigmoid_of(part(z_x, k) + part(z_h, k)) for k in (0, 1))
        n = (part(z_x, 2) + r * part(z_h, 2)).tanh()
        return (1 - z) * n + z * h, c
    return (z_x + z_h).tanh() if kind == "rnn" else relu(z_x + z_h), c


def on_the_tape(kind, leaves, lengths, reverse):
    "A layer with the engine's plainest operators, one sequence after the other, one step after the other."
    (x, h0, *c0), (w_ih, w_hh, b_ih, b_hh) = leaves[:-4], leaves[-4:]
    per_sequence = []
    for b, n in enumerate(lengths):
        h, c = h0[b : b + 1], c0[0][b : b + 1] if c0 else None
        outputs = [Tensor(np.zeros((1, h0.shape[1])))] * x.shape[1]
        for t in range(n)[:: -1 if reverse else 1]:
            z_x, z_h = x[b : b + 1, t] @ w_ih.T, h @ w_hh.T
            h, c = one_step(kind, z_x if b_ih is None else z_x + b_ih, z_h if b_hh is None else z_h + b_hh, h, c)
            outputs[t] = h
        per_sequence.append([stack(outputs, axis=1), h, *([c] if c0 else [])])
    return [concatenate(parts) for parts in zip(*per_sequence)]


def start_back(results, used, seed):
    "backward from those of the results that are used, each times random numbers."
    judges = draw(seed, *(r.shape for r in results))
    sum((r * g).sum() for k, (r, g) in enumerate(zip(results, judges)) if k in used).backward()


def grads(leaves): return [None if leaf is None else leaf.grad for leaf in leaves]


@many
@given(kind=kinds, B=st.integers(1, 5), T=st.integers(1, 6), I=small, H=st.integers(1, 4), cut=st.booleans(), reverse=st.booleans(),
       bias=st.tuples(st.booleans(), st.booleans()), used=st.sets(st.integers(0, 2), min_size=1), wanted=st.lists(st.booleans(), min_size=7, max_size=7), seed=seeds)
def test_recurrent_layers_against_the_tape(kind, B, T, I, H, cut, reverse, bias, used, wanted, seed):
    arrays = layer_arrays(kind, B, T, I, H, bias, seed)
    lengths = np.random.default_rng(seed).integers(1, T + 1, B) if cut else None
    used = {k % (3 if kind == "lstm" else 2) for k in used}
    wanted = [w and a is not None for w, a in zip(wanted, arrays)]
    assume(any(wanted))
    both = []
    for layer in (lambda leaves: recurrent(kind)(*leaves, lengths=lengths, reverse=reverse), lambda leaves: on_the_tape(kind, leaves, [T] * B if lengths is None else lengths, reverse)):
        leaves = [None if a is None else Tensor(a.copy(), requires_grad=w) for a, w in zip(arrays, wanted)]
        results = layer(leaves)
        if not any(results[k].requires_grad for k in used): assume(False)
        start_back(results, used, seed)
        both.append(([r.data for r in results], grads(leaves)))
    for k, (got, want) in enumerate(zip(both[0][0], both[1][0], strict=True)): agree(got, want, f"result {k}", 1e-12)
    for k, (got, want, w) in enumerate(zip(both[0][1], both[1][1], wanted, strict=True)):
        if not w: assert got is None
        else: agree(got, np.zeros_like(got) if want is None else want, f"gradient of input {k}", 1e-11)


def torch_layer(kind, arrays, lengths, reverse, used, seed):
    "Results and gradients of torch's layer; a reverse layer is the second half of a bidirectional one."
    x, h0, *c0, w_ih, w_hh, b_ih, b_hh = [None if a is None else torch.tensor(a, requires_grad=True) for a in arrays]
    options = {"nonlinearity": "relu"} if kind == "relu" else {}
    layer, s = TORCH[kind](x.shape[2], h0.shape[1], batch_first=True, bidirectional=reverse, dtype=x.dtype, **options), "_l0" + "_reverse" * reverse
    named = {"weight_ih" + s: w_ih, "weight_hh" + s: w_hh, "bias_ih" + s: b_ih, "bias_hh" + s: b_hh}
    state = [torch.stack([torch.zeros_like(a), a]) if reverse else a[None] for a in (h0, *c0)]
    packed = x if lengths is None else torch.nn.utils.rnn.pack_padded_sequence(x, torch.tensor(lengths), batch_first=True, enforce_sorted=False)
    output, ends = torch.func.functional_call(layer, named, (packed, tuple(state) if c0 else state[0]))
    if lengths is not None: output, _ = torch.nn.utils.rnn.pad_packed_sequence(output, batch_first=True, total_length=x.shape[1])
    results = [output[..., -h0.shape[1]:], *(e[-1] for e in (ends if c0 else [ends]))]
    judges = [torch.tensor(g) for g in draw(seed, *(r.shape for r in results))]
    sum((r * g.to(r.dtype)).sum() for k, (r, g) in enumerate(zip(results, judges)) if k in used).backward()
    return [r.detach().numpy() for r in results], [p.grad.numpy() if p.grad is not None else np.zeros(p.shape) for p in (x, h0, *c0, w_ih, w_hh, b_ih, b_hh)]


@settings(many, max_examples=60)
@given(kind=kinds, B=st.integers(1, 5), T=st.integers(1, 6), I=small, H=st.integers(1, 4), cut=st.booleans(), reverse=st.booleans(),
       used=st.sets(st.integers(0, 2), min_size=1), layout=layouts, wide=st.booleans(), seed=seeds)
def test_recurrent_layers_against_torch(kind, B, T, I, H, cut, reverse, used, layout, wide, seed):
    arrays = layer_arrays(kind, B, T, I, H, seed=seed, dtype=np.float64 if wide else np.float32)
    lengths = np.random.default_rng(seed).integers(1, T + 1, B) if cut else None
    used = {k % (3 if kind == "lstm" else 2) for k in used}
    leaves, before = [Tensor(laid_out(a, layout), requires_grad=True) for a in arrays], [a.copy() for a in arrays]
    results = recurrent(kind)(*leaves, lengths=lengths, reverse=reverse)
    start_back(results, used, seed)
    values, gradients = torch_layer(kind, before, lengths, reverse, used, seed)
    def agree_with_torch(got, want, what):                         # in float32 a small number may be the difference of larger ones
        if wide: agree(got, want, what, 1e-11)
        else: np.testing.assert_allclose(got, want, rtol=0, atol=2e-5 * np.abs(want).max(initial=1), err_msg=what)
    for k, (got, want) in enumerate(zip(results, values, strict=True)): agree_with_torch(got.data, want, f"result {k}")
    for k, (leaf, want, a, b) in enumerate(zip(leaves, gradients, arrays, before, strict=True)):
        agree_with_torch(leaf.grad, want.astype(a.dtype), f"gradient of input {k}")
        assert np.array_equal(a, b), f"input {k} was changed"


@all_kinds
@pytest.mark.parametrize("reverse", [False, True])
def test_what_stands_in_the_padding_is_never_looked_at(kind, reverse):
    arrays, lengths = layer_arrays(kind, 3, 5, 2, 4), [2, 5, 1]
    spoiled = arrays[0].copy()
    for b, n in enumerate(lengths): spoiled[b, n:] = np.nan
    found = []
    for x in (arrays[0], spoiled):
        leaves = [Tensor(a, requires_grad=True) for a in (x, *arrays[1:])]
        results = recurrent(kind)(*leaves, lengths=lengths, reverse=reverse)
        start_back(results, {0, 1}, 0)
        found.append([r.data for r in results] + grads(leaves))
    assert all(np.array_equal(a, b) for a, b in zip(*found))
    assert all((found[0][k][b, n:] == 0).all() for k in (0, len(results)) for b, n in enumerate(lengths)), "output, or gradient of x, beyond a length"


@all_kinds
def test_nan_flows_on_from_its_step_in_its_sequence_alone(kind):
    x, *rest = layer_arrays(kind, 3, 5, 2, 4)
    x[1, 2, 0] = np.nan
    output, h, *_ = recurrent(kind)(x, *rest)
    bad = np.zeros((3, 5), bool)
    bad[1, 2:] = True
    assert np.array_equal(np.isnan(output.data).all(axis=2), bad) and np.array_equal(np.isnan(output.data).any(axis=2), bad)
    assert np.array_equal(np.isnan(h.data).all(axis=1), [False, True, False])


@all_kinds
def test_large_numbers_saturate_in_silence(kind):
    x, *rest = layer_arrays(kind, 2, 3, 2, 4, dtype=np.float32)
    leaf = Tensor(x * np.float32(1e4), requires_grad=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        output = recurrent(kind)(leaf, *rest)[0]
        output.sum().backward()
    assert np.isfinite(output.data).all() and np.isfinite(leaf.grad).all()


@all_kinds
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.longdouble])
def test_recurrent_layers_keep_dtypes(kind, dtype):
    leaves = [Tensor(a, requires_grad=True) for a in layer_arrays(kind, 2, 3, 2, 4, dtype=dtype)]
    results = recurrent(kind)(*leaves)
    start_back(results, {0, 1}, 0)
    assert {r.dtype for r in results} == {leaf.grad.dtype for leaf in leaves} == {np.dtype(dtype)}


@all_kinds
def test_a_wider_weight_widens_a_recurrent_layer(kind):
    arrays = layer_arrays(kind, 2, 3, 2, 4)
    narrow = [a.astype(np.float32) for a in arrays]
    mixed = recurrent(kind)(*narrow[:-3], arrays[-3], *narrow[-2:])[0]
    assert mixed.dtype == np.float64
    np.testing.assert_allclose(mixed.data, recurrent(kind)(*arrays)[0].data, rtol=0, atol=1e-5)


@all_kinds
def test_an_empty_batch_and_inputs_without_features(kind):
    for B, I in ((0, 3), (2, 0)):
        leaves = [Tensor(a, requires_grad=True) for a in layer_arrays(kind, B, 4, I, 5)]
        for lengths in (None, np.full(B, 2)):
            results = recurrent(kind)(*leaves, lengths=lengths)
            assert results[0].shape == (B, 4, 5) and results[1].shape == (B, 5)
            start_back(results, {0, 1}, 0)
        assert [leaf.grad.shape for leaf in leaves] == [leaf.shape for leaf in leaves]


@all_kinds
def test_a_state_is_carried_as_if_the_sequence_went_on(kind):
    x, *rest = layer_arrays(kind, 3, 7, 2, 4)
    whole, n = recurrent(kind)(x, *rest), 2 if kind == "lstm" else 1
    first = recurrent(kind)(x[:, :4], *rest)
    second = recurrent(kind)(x[:, 4:], *first[1:], *rest[n:])
    np.testing.assert_allclose(np.concatenate([first[0].data, second[0].data], axis=1), whole[0].data, rtol=0, atol=1e-14)
    for a, b in zip(second[1:], whole[1:]): np.testing.assert_allclose(a.data, b.data, rtol=0, atol=1e-14)


@all_kinds
def test_a_recurrent_layer_retained_is_walked_twice(kind):
    leaves = [Tensor(a, requires_grad=True) for a in layer_arrays(kind, 3, 4, 2, 5)]
    output, h, *_ = recurrent(kind)(*leaves, lengths=[2, 4, 1])
    loss = output.sum() + h.sum()
    loss.backward(retain_graph=True)
    once = grads(leaves)
    once = [g.copy() for g in once]
    h.sum().backward(retain_graph=True)                            # the output's gradient of before is gone
    alone = [b - a for a, b in zip(once, grads(leaves))]
    for leaf in leaves: leaf.grad = None
    loss.backward()
    assert all(np.array_equal(a, b) for a, b in zip(once, grads(leaves)))
    fresh = [Tensor(leaf.data, requires_grad=True) for leaf in leaves]
    recurrent(kind)(*fresh, lengths=[2, 4, 1])[1].sum().backward()
    for a, leaf in zip(alone, fresh): np.testing.assert_allclose(a, leaf.grad, rtol=0, atol=1e-12)


@all_kinds
def test_a_recurrent_layer_computes_no_gradient_that_nobody_wants(kind, monkeypatch):
    x, *rest = layer_arrays(kind, 2, 3, 2, 4)
    with no_grad(): assert not any(r.requires_grad for r in recurrent(kind)(Tensor(x, requires_grad=True), *rest))
    leaf = Tensor(x, requires_grad=True)
    output = recurrent(kind)(leaf, *rest)[0]
    node = output._parents[0]
    gradients = node._backward([np.ones(output.shape), *[None] * (len(node.data) - 1)])
    assert [g is None for g in gradients] == [False] + [True] * (len(gradients) - 1)
    weight = Tensor(rest[-4], requires_grad=True)
    output = recurrent(kind)(x, *rest[:-4], weight, *rest[-3:])[0]
    assert output._parents[0]._backward([np.ones(output.shape), *[None] * (len(node.data) - 1)])[0] is None


@all_kinds
def test_a_recurrent_layer_takes_read_only_inputs(kind):
    arrays = layer_arrays(kind, 2, 3, 2, 4)
    for a in arrays: a.flags.writeable = False
    leaves = [Tensor(a, requires_grad=True) for a in arrays]
    output, *_ = recurrent(kind)(*leaves, lengths=np.array([3, 2]))
    g = np.ones(output.shape)
    g.flags.writeable = False
    output.backward(g)
    assert all(leaf.grad.flags.writeable for leaf in leaves)
    assert np.array_equal(g, np.ones(output.shape))


@all_kinds
@pytest.mark.parametrize("B, I, H", [(32, 128, 128), (70, 200, 96), (40, 300, 75)])
def test_recurrent_layers_whose_weights_are_cut_into_blocks(kind, B, I, H):
    arrays, lengths = layer_arrays(kind, B, 3, I, H), np.arange(B) % 3 + 1
    arrays[-4] *= I**-0.5
    cut = [kernels._narrow(w, B).shape[-3] for w in (np.empty((I + 1 + H, H)), arrays[-3])]
    assert (max(cut) > 1) == (H % 2 == 0) or kind in ("rnn", "relu"), "sizes that are cut, but for a width that halves don't divide"
    leaves = [Tensor(a, requires_grad=True) for a in arrays]
    results = recurrent(kind)(*leaves, lengths=lengths)
    start_back(results, {0, 1}, 0)
    values, gradients = torch_layer(kind, arrays, lengths, False, {0, 1}, 0)
    for k, (got, want) in enumerate(zip(results, values, strict=True)): agree(got.data, want, f"result {k}", 1e-11)
    for k, (leaf, want) in enumerate(zip(leaves, gradients, strict=True)): agree(leaf.grad, want, f"gradient of input {k}", 1e-11)


@all_kinds
def test_recurrent_layers_in_two_threads_at_once(kind):
    arrays, lengths = layer_arrays(kind, 8, 20, 6, 16), np.arange(8) + 13
    def work(found):
        for _ in range(5):
            leaves = [Tensor(a, requires_grad=True) for a in arrays]
            results = recurrent(kind)(*leaves, lengths=lengths)
            start_back(results, {0, 1}, 0)
            found.append([r.data for r in results] + grads(leaves))
    want, found = [], [[], []]
    work(want)
    threads = [threading.Thread(target=work, args=(f,)) for f in found]
    for t in threads: t.start()
    for t in threads: t.join()
    assert [len(f) for f in found] == [5, 5]
    assert all(np.array_equal(a, b) for f in found for run in f for a, b in zip(run, want[0], strict=True))


@all_kinds
def test_lengths_come_as_any_whole_numbers(kind):
    arrays = layer_arrays(kind, 3, 5, 2, 4)
    want = recurrent(kind)(*arrays, lengths=[2, 5, 1])
    for lengths in ((2, 5, 1), np.array([2, 5, 1], np.uint8), Tensor(np.array([2, 5, 1]))):
        assert all(np.array_equal(a.data, b.data) for a, b in zip(recurrent(kind)(*arrays, lengths=lengths), want))


L = layer_arrays("lstm", 3, 5, 2, 4)
R = layer_arrays("rnn", 3, 5, 2, 4)
U = layer_arrays("gru", 3, 5, 2, 4)


@pytest.mark.parametrize("call, says", [
    (lambda: kernels.lstm(L[0][0], *L[1:]), r"lstm takes sequences \(batch, steps, features\) of at least one step, got shape \(5, 2\)"),
    (lambda: kernels.gru(U[0][:, :0], *U[1:]), r"gru takes sequences .* at least one step, got shape \(3, 0, 2\)"),
    (lambda: kernels.lstm(*L[:4], U[3], *L[5:]), r"weight_hh of shape \(4·hidden, hidden\), got \(12, 4\)"),
    (lambda: kernels.rnn(*R[:3], R[3][0], *R[4:]), r"weight_hh of shape \(1·hidden, hidden\), got \(4,\)"),
    (lambda: kernels.lstm(L[0][..., :1], *L[1:]), r"sequences of shape \(3, 5, 1\) with a weight_hh of shape \(16, 4\) takes a weight_ih of shape \(16, 1\), got \(16, 2\)"),
    (lambda: kernels.gru(*U[:2], U[2][:4], *U[3:]), r"takes a weight_ih of shape \(12, 2\), got \(4, 2\)"),
    (lambda: kernels.lstm(L[0], L[1][:2], *L[2:]), r"takes h0 of shape \(3, 4\), \(batch, hidden\), got \(2, 4\)"),
    (lambda: kernels.lstm(*L[:2], L[2][None], *L[3:]), r"takes c0 of shape \(3, 4\), \(batch, hidden\), got \(1, 3, 4\)"),
    (lambda: kernels.lstm(*L[:5], L[5][:4], L[6]), r"takes a bias_ih of shape \(16,\), got \(4,\)"),
    (lambda: kernels.gru(*U[:4], None, U[5][:4]), r"takes a bias_hh of shape \(12,\), got \(4,\)"),
    (lambda: kernels.rnn(*R, nonlinearity="sigmoid"), "\"tanh\" or \"relu\", got 'sigmoid'"),
    (lambda: kernels.lstm(*L, lengths=[1, 2]), r"lengths as 3 whole numbers, one a sequence, got int64 of shape \(2,\)"),
    (lambda: kernels.gru(*U, lengths=[1.0, 2.0, 3.0]), "whole numbers, one a sequence, got float64"),
    (lambda: kernels.lstm(*L, lengths=3), r"got int64 of shape \(\)"),
    (lambda: kernels.lstm(*L, lengths=[1, 0, 2]), "lengths from 1 to 5, the number of steps, got 0; leave sequences without a step out"),
    (lambda: kernels.rnn(*R, lengths=[1, 6, 2]), "lengths from 1 to 5, the number of steps, got 6"),
])
def test_what_does_not_fit_a_recurrent_layer_is_said(call, says):
    with pytest.raises(ValueError, match=says): call()


# --- attention

@pytest.fixture(params=[(1, 2, 3), (64, 4, 5), None], ids=["small tiles", "some heads in a tile", "tiles"])
def tiles(request, monkeypatch):
    "How much is computed at a time makes no difference."
    for name, n in zip(("_TILE", "_ROWS", "_COLUMNS"), request.param or ()): monkeypatch.setattr(kernels, name, n)


class Unwritten:
    "NumPy, but memory that nothing has been written to holds NaN."
    def __getattr__(self, name): return getattr(np, name)

    def empty(self, *args, **options):
        a = np.empty(*args, **options)
        a.fill(np.nan if a.dtype.kind == "f" else 255)             # bytes of 255 are NaN as floats
        return a

    def empty_like(self, a, **options): return np.full_like(a, np.nan, **options)


@pytest.fixture
def unwritten(monkeypatch): monkeypatch.setattr(kernels, "np", Unwritten())


def looking(mask, is_causal, whole):
    "What torch adds to the scores, and which queries see nothing."
    bias = torch.zeros(whole, dtype=torch.float64)
    if mask is not None: bias = bias.masked_fill(~torch.tensor(mask), -np.inf) if mask.dtype == bool else bias + torch.tensor(mask)
    if is_causal: bias = bias.masked_fill(~torch.ones(whole[2:], dtype=torch.bool).tril(), -np.inf)
    return bias, (bias == -np.inf).all(-1, keepdim=True)


def torch_attention(mask, is_causal, scale, group):
    "In torch's operators, with zeros for queries that see nothing."
    def run(q, k, v):
        k, v = (a.repeat_interleave(group, 1) for a in (k, v))
        bias, blind = looking(mask, is_causal, (*q.shape[:3], k.shape[2]))
        s = (q @ k.transpose(-1, -2) * (q.shape[-1] ** -0.5 if scale is None else scale)).double() + bias
        return (torch.softmax(s.masked_fill(blind, 0), -1).masked_fill(blind, 0).to(v.dtype)) @ v
    return run


def some_mask(kind, whole, repeated, rng):
    "Of some axes of length 1, or missing in front."
    if kind is None: return None
    shape = tuple(1 if once else n for once, n in zip(repeated, whole))
    seen = rng.random(shape) < 0.6
    mask = seen if kind == "bool" else np.where(seen, rng.standard_normal(shape) * (60 if kind == "steep" else 1), -np.inf)
    while len(mask.shape) > 2 and mask.shape[0] == 1 and rng.random() < 0.5: mask = mask[0]
    return mask


@settings(many, max_examples=100)
@given(B=small, heads=small, group=small, T=st.integers(1, 9), S=st.integers(1, 9), d=small, e=small, kind=st.sampled_from([None, "bool", "float", "steep"]),
       repeated=st.tuples(*[st.booleans()] * 4), is_causal=st.booleans(), scale=st.sampled_from([None, 0.3, 100.0]), layout=layouts, seed=seeds)
def test_attention(tiles, unwritten, B, heads, group, T, S, d, e, kind, repeated, is_causal, scale, layout, seed):
    mask = some_mask(kind, (B, heads * group, T, S), repeated, np.random.default_rng(seed))
    arrays = [laid_out(a, layout) for a in draw(seed, (B, heads * group, T, d), (B, heads, S, d), (B, heads, S, e))]
    before = None if mask is None else mask.copy()
    compare(partial(kernels.attention, mask=mask, is_causal=is_causal, scale=scale), torch_attention(mask, is_causal, scale, group), *arrays, tol=1e-11, seed=seed, least=scale or 1)
    assert mask is None or np.array_equal(mask, before), "the mask was changed"
    _, blind = looking(mask, is_causal, (B, heads * group, T, S))
    q, *kv = (Tensor(a, requires_grad=True) for a in arrays)
    y = kernels.attention(q, *kv, mask, is_causal, scale)
    y.backward(np.ones(y.shape))
    blind = blind[..., 0].numpy()
    assert not y.data[blind].any() and not q.grad[blind].any(), "a query that sees nothing got something"


@settings(many, max_examples=40)
@given(B=small, T=st.integers(1, 300), S=st.integers(1, 300), d=st.sampled_from([8, 40]), is_causal=st.booleans(), wide=st.booleans(), seed=seeds)
def test_attention_in_torchs_form(B, T, S, d, is_causal, wide, seed):
    dtype, tol = (np.float64, 1e-12) if wide else (np.float32, 1e-5)
    arrays = draw(seed, (B, 4, T, d), (B, 2, S, d), (B, 2, S, 6), dtype=dtype)
    torchs = partial(F.scaled_dot_product_attention, is_causal=is_causal, enable_gqa=True)
    compare(partial(kernels.attention, is_causal=is_causal), torchs, *arrays, tol=tol, seed=seed, least=1)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("size", [30, 1e4])
def test_attention_with_scores_of_any_size(dtype, size):
    "Scores of thousands make one weight 1 and the others 0, in silence; adding a large number to all of a row changes nothing."
    q = np.array([1, -1, 0.5], dtype).reshape(1, 1, 3, 1)
    k, v = np.array([-1, 0, 1], dtype).reshape(1, 1, 3, 1), np.arange(3, dtype=dtype).reshape(1, 1, 3, 1)
    leaves = [Tensor(a, requires_grad=True) for a in (q, k, v)]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        y = kernels.attention(*leaves, scale=size)
        y.backward(np.ones_like(y.data))
    for got, want in ((y.data, [2, 0, 2]), (leaves[2].grad, [1, 0, 2])): np.testing.assert_allclose(got.ravel(), want, atol=1e-5, rtol=0)
    assert all(np.isfinite(leaf.grad).all() for leaf in leaves)
    far = kernels.attention(q, k, v, mask=np.full((3, 3), -1e4, dtype), scale=1.0)
    np.testing.assert_allclose(far.data, kernels.attention(q, k, v, scale=1.0).data, rtol=0.01 if dtype is np.float16 else 1e-5)


def test_weights_that_vanish_under_a_mask_may_be_the_largest_of_what_is_seen():
    "The mask lowers one key by far more than float32 holds, and its score raises it again; and both keys that are seen are lowered."
    q, k, v = np.full((1, 1, 1, 1), 20.0), np.array([-20.0, 20, 3]).reshape(1, 1, 3, 1), np.array([1.0, 2, 3]).reshape(1, 1, 3, 1)
    for mask, want in ((np.array([0, -700, -np.inf]), 2), (np.array([-5000, -np.inf, -np.inf]), 1), (np.array([-500, -1301, -np.inf]), 1.5)):
        if want == 1.5: want = 1 + 1 / (1 + np.exp(1.0))           # scores of -400 and 400: -900 and -901
        for dtype in (np.float32, np.float64):
            got = kernels.attention(*(a.astype(dtype) for a in (q, k, v)), mask=mask.astype(dtype), scale=1.0).data.item()
            assert got == pytest.approx(want, rel=1e-4)


@pytest.mark.parametrize("size", [1, 100])
def test_what_nobody_sees_is_never_looked_at(tiles, unwritten, size):
    seen = np.random.default_rng(3).random((2, 2, 7, 9)) < 0.5
    seen[0, :, :, [0, 4]] = seen[1, 1, :, 5:] = seen[:, :, 3] = False
    def run(bad):
        q, k, v, g = draw(4, (2, 4, 7, 3), (2, 2, 9, 3), (2, 2, 9, 5), (2, 4, 7, 5))
        q *= size
        for a in (k, v): a[0, :, [0, 4]] = a[1, 1, 5:] = bad
        q[:, :, 3] = g[:, :, 3] = bad
        leaves = [Tensor(a, requires_grad=True) for a in (q, k, v)]
        y = kernels.attention(*leaves, mask=np.repeat(seen, 2, axis=1))
        y.backward(g)
        return [y.data, *(leaf.grad for leaf in leaves)]
    clean = run(0.0)
    assert not clean[0][:, :, 3].any() and not clean[1][:, :, 3].any() and not clean[2][1, 1, 5:].any() and not clean[3][0, :, 4].any()
    for bad in (np.nan, np.inf, -np.inf):
        assert all(np.array_equal(a, b) for a, b in zip(run(bad), clean, strict=True)), bad


def test_nan_goes_where_it_is_seen():
    q, k, v = draw(5, (1, 1, 4, 3), (1, 1, 4, 3), (1, 1, 4, 2))
    k[0, 0, 2, 0] = np.nan
    y = kernels.attention(q, k, v, is_causal=True).data[0, 0]
    assert np.isfinite(kernels.attention(q, k, v, mask=np.arange(4) != 2).data).all() and np.isnan(y[2:]).all()


def test_a_key_nearly_out_of_sight_counts_as_none_without_slow_numbers():
    "Weights are zeros or numbers with all of their digits: what is below would take processors many times the time."
    for size in (1, 30):
        q, k = (size * a for a in draw(6, (1, 1, 40, 4), (1, 1, 250, 4), dtype=np.float32))
        found = []
        class Seen(kernels._Heads):
            def weights(self, *args):
                found.append(super().weights(*args).copy())
                return found[-1]
        mask = np.linspace(0, -150, 250, dtype=np.float32)
        view = kernels._view(mask[None, None], False, 40, 250, 128, np.dtype(np.float32))
        small = kernels._bound(q, k) * 0.5 * np.log2(np.e) <= kernels._limit(np.float32)
        assert small == (size == 1)
        out, total = np.empty((1, 1, 1, 40, 4), np.float32), np.empty((1, 1, 1, 40, 1), np.float32)
        Seen(view, 0.5, small, False).forward(kernels._Room(np.dtype(np.float32)), q[:, :, None], k, k, out, total)
        p = np.concatenate([x.ravel() for x in found])
        assert (p == 0).any() and p[p > 0].min() >= np.finfo(np.float32).tiny


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.longdouble])
def test_attention_keeps_dtypes(dtype):
    leaves = [Tensor(a, requires_grad=True) for a in draw(7, (2, 2, 3, 4), (2, 1, 5, 4), (2, 1, 5, 2), dtype=dtype)]
    y = kernels.attention(*leaves, mask=np.zeros((3, 5)), is_causal=True)
    y.sum().backward()
    assert y.dtype == dtype and all(leaf.grad.dtype == dtype for leaf in leaves)


def test_attention_of_float16_is_rounded_once():
    arrays = draw(12, (1, 1, 1500, 4), (1, 1, 1500, 4), (1, 1, 1500, 3), (1, 1, 1500, 3), dtype=np.float16)
    def run(dtype):
        *leaves, g = (a.astype(dtype) for a in arrays)
        leaves = [Tensor(a, requires_grad=True) for a in leaves]
        y = kernels.attention(*leaves)
        y.backward(g)
        return [y.data, *(leaf.grad for leaf in leaves)]
    for got, want in zip(run(np.float16), run(np.float64)): np.testing.assert_allclose(got, want, rtol=2**-10, atol=2e-4 * np.abs(want).max())


def test_attention_of_infinite_and_overflowing_numbers_is_silent():
    q, k, v = draw(13, (1, 1, 4, 3), (1, 1, 5, 3), (1, 1, 5, 2), dtype=np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for bad in (np.inf, -np.inf, np.nan, 1e30):
            k[0, 0, 2] = q[0, 0, 1] = bad
            assert np.isnan(kernels.attention(q, k, v).data).any()


def test_attention_retained_is_walked_twice_and_takes_read_only_inputs():
    arrays = draw(8, (2, 4, 5, 3), (2, 2, 6, 3), (2, 2, 6, 3), (2, 4, 5, 3))
    for a in arrays: a.flags.writeable = False
    leaves = [Tensor(a, requires_grad=True) for a in arrays[:3]]
    mask = np.random.default_rng(8).random((5, 6)) < 0.7
    mask.flags.writeable = False
    y = kernels.attention(*leaves, mask=mask)
    y.backward(arrays[3], retain_graph=True)
    once = [leaf.grad.copy() for leaf in leaves]
    y.backward(arrays[3])
    assert all(np.array_equal(leaf.grad, 2 * a) for leaf, a in zip(leaves, once))


def test_attention_of_nothing(unwritten):
    for B, h, T, S, e in ((0, 2, 3, 4, 2), (2, 2, 0, 4, 2), (2, 2, 3, 0, 2), (2, 2, 3, 4, 0)):
        for is_causal, mask in ((False, None), (True, None), (False, np.ones((T, S), bool))):
            leaves = [Tensor(a, requires_grad=True) for a in draw(9, (B, h, T, 3), (B, h, S, 3), (B, h, S, e))]
            y = kernels.attention(*leaves, mask=mask, is_causal=is_causal)
            y.backward(np.ones(y.shape))
            assert y.shape == (B, h, T, e) and np.isfinite(y.data).all() and all(leaf.grad.shape == leaf.shape for leaf in leaves)
            assert (T and S and e) or not any(a.any() for a in (y.data, *grads(leaves)))


def test_attention_holds_no_weights():
    "The memory beside the arrays that go in and come out does not grow with the square of the length."
    def peak(T):
        leaves = [Tensor(a, requires_grad=True) for a in draw(10, *[(1, 1, T, 8)] * 3, dtype=np.float32)]
        tracemalloc.start()
        kernels.attention(*leaves, is_causal=True).sum().backward()
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found
    peak(1024)                                                     # tables that are made once
    assert peak(4096) - peak(2048) < 2048 * 8 * 4 * 18


def test_attention_keeps_weights_where_they_are_few_and_a_gradient_is_wanted():
    def kept(S, requires_grad=True, paused=False):
        leaves = [Tensor(a, requires_grad=requires_grad) for a in draw(11, (1, 1, 2048, 8), (1, 1, S, 8), (1, 1, S, 8), dtype=np.float32)]
        tracemalloc.start()
        if paused:
            with no_grad(): kernels.attention(*leaves)
        else: y = kernels.attention(*leaves)                       # noqa: F841
        found = tracemalloc.get_traced_memory()[paused]            # what was asked for at once, or is held
        tracemalloc.stop()
        return found
    kept(32)
    assert kept(32) > 2048 * 32 * 4 > 1.5 * max(kept(33), kept(32, requires_grad=False))
    assert kept(32, paused=True) < 2048 * 32 * 4 * 2, "nothing is kept beside what is computed"


def test_attention_computes_no_tile_that_nobody_sees():
    tiles = lambda mask, is_causal=False: len(kernels._view(mask, is_causal, 1024, 1024, 128, np.dtype(np.float32)).tiles)
    band = np.abs(np.subtract.outer(np.arange(1024), np.arange(1024))) < 64
    assert tiles(None) == 32 and tiles(None, True) == 20 == tiles(np.ones((1, 1024, 1024), bool), True)
    assert tiles(band[None]) < 16 and tiles((np.arange(1024) < 200)[None, None]) == 8


def test_attention_in_two_threads_at_once():
    arrays = draw(11, (4, 4, 60, 8), (4, 2, 70, 8), (4, 2, 70, 8))
    def work(found):
        for _ in range(5):
            leaves = [Tensor(a, requires_grad=True) for a in arrays]
            y = kernels.attention(*leaves, is_causal=True)
            y.sum().backward()
            found.append([y.data, *grads(leaves)])
    want, found = [], [[], []]
    work(want)
    threads = [threading.Thread(target=work, args=(f,)) for f in found]
    for t in threads: t.start()
    for t in threads: t.join()
    assert [len(f) for f in found] == [5, 5]
    assert all(np.array_equal(a, b) for f in found for run in f for a, b in zip(run, want[0], strict=True))


Q, K, V = np.zeros((2, 4, 5, 3)), np.zeros((2, 2, 6, 3)), np.zeros((2, 2, 6, 7))


@pytest.mark.parametrize("call, error, says", [
    (lambda: kernels.attention(Q[0], K, V), ValueError, r"shape \(batch, heads, steps, width\), got \(4, 5, 3\), \(2, 2, 6, 3\) and"),
    (lambda: kernels.attention(Q, K, V[:, :, :4]), ValueError, r"as many values as keys, .* got k \(2, 2, 6, 3\) and v \(2, 2, 4, 7\)"),
    (lambda: kernels.attention(Q, K[..., :2], V), ValueError, r"one batch size and one width, got q \(2, 4, 5, 3\) and k \(2, 2, 6, 2\)"),
    (lambda: kernels.attention(Q[:1], K, V), ValueError, r"one batch size and one width, got q \(1, 4, 5, 3\)"),
    (lambda: kernels.attention(Q[:, :3], K, V), ValueError, "query heads that the heads of the keys divide, got 3 and 2"),
    (lambda: kernels.attention(Q, K[:, :0], V[:, :0]), ValueError, "query heads that the heads of the keys divide, got 4 and 0"),
    (lambda: kernels.attention(Q, K, V, mask=np.ones((5, 6), int)), TypeError, "bool, True where a query may look, or of float, added to the scores, got int64"),
    (lambda: kernels.attention(Q, K, V, mask=np.ones((6, 5), bool)), ValueError, r"broadcasts to \(2, 4, 5, 6\), \(batch, heads, queries, keys\), got \(6, 5\)"),
    (lambda: kernels.attention(Q, K, V, mask=np.ones((2, 5, 6), bool)), ValueError, r"got \(2, 5, 6\)"),
    (lambda: kernels.attention(Q, K, V, mask=np.ones((1, 2, 4, 5, 6), bool)), ValueError, r"got \(1, 2, 4, 5, 6\)"),
])
def test_what_does_not_fit_attention_is_said(call, error, says):
    with pytest.raises(error, match=says): call()


# --- side by side, and the rest of a transformer's block

@settings(many, max_examples=60)
@given(B=st.integers(0, 3), T=st.integers(1, 9), heads=small, group=small, d=small, kind=st.sampled_from([None, "bool", "float"]), is_causal=st.booleans(),
       scale=st.sampled_from([None, 0.3, 100.0]), layout=layouts, seed=seeds)
def test_self_attention_is_attention_of_what_lies_side_by_side(tiles, unwritten, B, T, heads, group, d, kind, is_causal, scale, layout, seed):
    h = heads * group
    mask = some_mask(kind, (B, h, T, T), (False, True, False, False), np.random.default_rng(seed))
    both, array = [], laid_out(draw(seed, (B, T, (h + 2 * heads) * d))[0], layout)
    g, before = np.random.default_rng(seed).standard_normal((B, T, h * d)), array.copy()
    for packed in (True, False):
        leaf = Tensor(array, requires_grad=True)
        if packed: y = kernels.self_attention(leaf, h, heads, mask, is_causal, scale)
        else:
            q, k, v = (a.reshape(B, T, a.shape[2] // d, d).swapaxes(1, 2) for a in split(leaf, [h * d, heads * d, heads * d], axis=-1))
            y = kernels.attention(q, k, v, mask, is_causal, scale).swapaxes(1, 2).reshape(B, T, h * d)
        y.backward(g)
        both.append((y.data, leaf.grad))
    for what, ours, theirs in zip(("value", "gradient"), *both): agree(ours, theirs, what, 1e-12, scale or 1)
    assert np.array_equal(array, before)


def test_self_attention_of_float16_is_rounded_once_and_walked_twice():
    array, = draw(3, (2, 5, 24), dtype=np.float16)
    leaf, wide = Tensor(array, requires_grad=True), Tensor(array.astype(np.float32), requires_grad=True)
    y, z = kernels.self_attention(leaf, 2, is_causal=True), kernels.self_attention(wide, 2, is_causal=True)
    assert y.dtype == np.float16 and np.array_equal(y.data, z.data.astype(np.float16))
    y.backward(np.ones_like(y.data), retain_graph=True)
    once = leaf.grad.copy()
    y.backward(np.ones_like(y.data))
    assert np.array_equal(leaf.grad, once + once)


def torch_norm(x, gain, shift, eps, centered):
    if centered: return F.layer_norm(x, x.shape[-1:], gain, shift, eps)
    y = F.rms_norm(x, x.shape[-1:], gain, eps)
    return y if shift is None else y + shift


@pytest.fixture(params=[1, 20, kernels._SPAN], ids=["row by row", "some rows", "spans"])
def span(request, monkeypatch):
    "How much is computed at a time makes no difference."
    monkeypatch.setattr(kernels, "_SPAN", request.param)


@settings(many, max_examples=100)
@given(lead=st.lists(st.integers(0, 4), max_size=3), d=st.integers(1, 7), n=st.integers(0, 5), given=st.tuples(*[st.booleans()] * 3), centered=st.booleans(),
       eps=st.sampled_from([1e-5, 0.1]), layout=layouts, wide=st.booleans(), seed=seeds)
def test_norm_linear(span, unwritten, lead, d, n, given, centered, eps, layout, wide, seed):
    dtype, tol = (np.float64, 1e-10) if wide else (np.float32, 2e-3)       # two numbers that are nearly equal lose most of their digits
    x, gain, shift, weight, bias = draw(seed, (*lead, d), (d,), (d,), (n, d), (n,), dtype=dtype)
    optional = [a for a, on in zip((gain, shift, bias), given) if on]
    def in_order(leaves):
        x, weight, *rest = leaves
        return x, weight, *(rest.pop(0) if on else None for on in given)
    def ours(*leaves):
        x, weight, gain, shift, bias = in_order(leaves)
        return kernels.norm_linear(x, gain, shift, weight, bias, eps, centered)
    def theirs(*leaves):
        x, weight, gain, shift, bias = in_order(leaves)
        return F.linear(torch_norm(x, gain, shift, eps, centered), weight, bias)
    if centered and given[1] and not given[0]: return                      # torch's layer norm has no shift without a gain
    compare(ours, theirs, laid_out(x, layout), weight, *optional, tol=tol, seed=seed, least=1)


def test_a_norm_of_large_equal_numbers_has_no_spread_and_standardizes_a_small_one():
    weight = np.eye(64, dtype=np.float32)
    same = np.full((3, 64), 1e4 / 3, np.float32)
    assert np.abs(kernels.norm_linear(same, None, None, weight).data).max() < 1e-2
    x = (1000 + np.random.default_rng(0).standard_normal((5, 64))).astype(np.float32)
    want = F.layer_norm(torch.tensor(x).double(), (64,)).numpy()
    np.testing.assert_allclose(kernels.norm_linear(x, None, None, weight).data, want, atol=1e-3)


pointwise = pytest.mark.parametrize("ours, theirs", [(kernels.gelu, F.gelu), (kernels.relu2, lambda x: F.relu(x)**2)], ids=["gelu", "relu2"])


@pointwise
@many
@given(lead=st.lists(st.integers(0, 4), max_size=3), n=st.integers(0, 7), biased=st.booleans(), layout=layouts, wide=st.booleans(), seed=seeds)
def test_nonlinearities_with_their_slopes(span, unwritten, ours, theirs, lead, n, biased, layout, wide, seed):
    x, bias = draw(seed, (*lead, n), (n,), dtype=np.float64 if wide else np.float32)
    arrays = [laid_out(3 * x, layout), *([bias] if biased else [])]
    compare(ours, (lambda x, b: theirs(x + b)) if biased else theirs, *arrays, tol=1e-13 if wide else 2e-6, seed=seed, least=1)


@pointwise
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_nonlinearities_far_out(ours, theirs, dtype):
    x = np.array([-np.inf, -1e30, -40, -12, -6, -1e-30, 0, 1e-30, 6, 12, 1e4], dtype)
    leaf, twin = Tensor(x, requires_grad=True), torch.tensor(x[1:], requires_grad=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        y, z = ours(leaf), theirs(twin)
        y.backward(np.ones_like(x))
    z.backward(torch.ones_like(z))
    np.testing.assert_allclose(y.data[1:], z.detach().numpy(), rtol=1e-6, atol=3e-6 if dtype == np.float32 else 1e-14)
    np.testing.assert_allclose(leaf.grad[1:], twin.grad.numpy(), rtol=1e-6, atol=3e-6 if dtype == np.float32 else 1e-14)
    assert y.data[0] == 0 and leaf.grad[0] == 0 and np.isnan(ours(np.array([np.nan, 1], dtype)).data).tolist() == [True, False]
    assert ours(np.array([np.inf], dtype)).data == np.inf


def test_gelu_in_float32_is_as_near_as_the_book_says():
    x = np.linspace(-6, 6, 100_001, dtype=np.float32)
    leaf, twin = Tensor(x, requires_grad=True), torch.tensor(x, dtype=torch.float64, requires_grad=True)
    y, z = kernels.gelu(leaf), F.gelu(twin)
    y.sum().backward()
    z.sum().backward()
    assert np.abs(y.data - z.detach().numpy()).max() < 1.5e-6 and np.abs(leaf.grad - twin.grad.numpy()).max() < 1e-6
    assert np.abs((y.data - z.detach().numpy()) / np.where(x == 0, 1, x)).max() < 3e-7


@many
@given(lead=st.lists(st.integers(0, 4), max_size=3), d=st.integers(1, 6), n=st.integers(1, 5), biased=st.booleans(), layout=layouts, wide=st.booleans(), seed=seeds)
def test_linear_add(lead, d, n, biased, layout, wide, seed):
    x, weight, residual, bias = draw(seed, (*lead, d), (n, d), (*lead, n), (n,), dtype=np.float64 if wide else np.float32)
    arrays = [laid_out(x, layout), weight, laid_out(residual, layout), *([bias] if biased else [])]
    ours = lambda x, w, r, b=None: kernels.linear_add(x, w, b, r)
    compare(ours, lambda x, w, r, b=None: r + F.linear(x, w, b), *arrays, tol=1e-12 if wide else 2e-5, seed=seed, least=1)


BLOCK = {"norm_linear": (lambda x, w, b: kernels.norm_linear(x, w[0], w[1], w, b), (4, 6), (5, 6), (5,)), "gelu": (lambda x, b: kernels.gelu(x, b), (4, 6), (6,)),
         "relu2": (lambda x, b: kernels.relu2(x, b), (4, 6), (6,)), "linear_add": (lambda x, w, b, r: kernels.linear_add(x, w, b, r), (4, 6), (5, 6), (5,), (4, 5))}


@pytest.mark.parametrize("name", BLOCK)
def test_nodes_of_a_block_keep_dtypes_take_read_only_inputs_and_are_walked_twice(name):
    run, *shapes = BLOCK[name]
    for dtype in (np.float16, np.float32, np.float64, np.longdouble):
        arrays = draw(1, *shapes, dtype=dtype)
        for a in arrays: a.flags.writeable = False
        leaves = [Tensor(a, requires_grad=True) for a in arrays]
        y = run(*leaves)
        assert y.dtype == dtype and np.isfinite(y.data).all()
        y.backward(np.ones_like(y.data), retain_graph=True)
        once = [leaf.grad.copy() for leaf in leaves]
        y.backward(np.ones_like(y.data))
        for leaf, g in zip(leaves, once):
            assert g.dtype == dtype
            np.testing.assert_allclose(leaf.grad, g + g, rtol=1e-2 if dtype is np.float16 else 1e-6)


@pytest.mark.parametrize("name", BLOCK)
def test_nodes_of_a_block_give_gradients_to_those_alone_that_want_one(name):
    run, *shapes = BLOCK[name]
    arrays = draw(2, *shapes)
    leaves = [Tensor(a, requires_grad=True) for a in arrays]
    run(*leaves).sum().backward()
    for i in range(len(arrays)):
        some = [Tensor(a, requires_grad=i == j) for j, a in enumerate(arrays)]
        run(*some).sum().backward()
        for j, leaf in enumerate(some): assert (leaf.grad is None) == (i != j) and (i != j or np.allclose(leaf.grad, leaves[i].grad))


ROWS, WEIGHT = np.ones((2, 3)), np.ones((4, 3))

@pytest.mark.parametrize("call, says", [
    (lambda: kernels.norm_linear(ROWS[:, :2], None, None, WEIGHT), r"weight of shape \(4, 3\) \(n_out, n_in\) takes inputs of shape \(\.\.\., n_in\), got \(2, 2\)"),
    (lambda: kernels.norm_linear(ROWS, WEIGHT[0, :2], None, WEIGHT), r"takes a gain of shape \(3,\), got \(2,\)"),
    (lambda: kernels.norm_linear(ROWS, WEIGHT[0], WEIGHT, WEIGHT), r"takes a shift of shape \(3,\), got \(4, 3\)"),
    (lambda: kernels.norm_linear(ROWS, WEIGHT[0], WEIGHT[0], WEIGHT, WEIGHT[0]), r"takes a bias of shape \(4,\), got \(3,\)"),
    (lambda: kernels.norm_linear(ROWS, None, None, WEIGHT[0]), r"weight of shape \(3,\) \(n_out, n_in\)"),
    (lambda: kernels.gelu(ROWS, WEIGHT[0, :2]), r"gelu of x of shape \(2, 3\) takes a bias of its last axis, got \(2,\)"),
    (lambda: kernels.relu2(ROWS, WEIGHT), r"relu2 of x of shape \(2, 3\) takes a bias of its last axis, got \(4, 3\)"),
    (lambda: kernels.linear_add(ROWS, WEIGHT, None, ROWS), r"a residual \(\.\.\., n_out\) and a bias \(n_out,\), got shapes \(2, 3\), \(2, 3\) and None"),
    (lambda: kernels.linear_add(ROWS, WEIGHT, WEIGHT[0], np.ones((2, 4))), r"got shapes \(2, 3\), \(2, 4\) and \(3,\)"),
    (lambda: kernels.self_attention(ROWS, 1), r"self_attention with 1 heads of queries and 1 of keys takes qkv of shape \(batch, steps, 3 · width\), got \(2, 3\)"),
    (lambda: kernels.self_attention(ROWS[None], 2), r"self_attention with 2 heads .* 6 · width\), got \(1, 2, 3\)"),
    (lambda: kernels.self_attention(np.ones((1, 2, 14)), 3, 2), "query heads that the heads of the keys divide, got 3 and 2"),
    (lambda: kernels.self_attention(ROWS[None], 1, 0), "with 1 heads of queries and 0 of keys"),
])
def test_what_does_not_fit_a_node_of_a_block_is_said(call, says):
    with pytest.raises(ValueError, match=says): call()


# --- sums over edges

@pytest.fixture(params=["whole", "cut", "scipy"])
def sums(request, monkeypatch):
    "Rows that are long, and blocks that are small, make no difference, nor does SciPy."
    if request.param == "cut":
        monkeypatch.setattr(kernels, "_LONG", 2)
        monkeypatch.setattr(kernels, "_ENTRIES", 5)
    if request.param == "scipy":
        scipy_sparse = pytest.importorskip("scipy.sparse")
        monkeypatch.setattr(kernels, "_LARGE", 0)
        monkeypatch.setattr(kernels, "_scipy", lambda: scipy_sparse)
    else: monkeypatch.setattr(kernels, "_scipy", lambda: None)


def entries(n, m, E, hubs, seed):
    "A random Pattern; with hubs, most entries are in few rows and columns. Places come twice, rows and columns stay empty."
    at = np.random.default_rng(seed).random((2, E)) ** (4 if hubs else 1)
    return kernels.Pattern((n * at[0]).astype(int), (m * at[1]).astype(int), (n, m))


def torch_rows(x, index, n): return torch.zeros((n, *x.shape[1:]), dtype=x.dtype).index_add(0, index, x)


matrices = dict(n=st.integers(1, 9), m=st.integers(1, 9), E=st.integers(0, 60), hubs=st.booleans(), wide=st.booleans(), layout=layouts, seed=seeds)
tail = st.lists(st.integers(0, 3), max_size=2)


@many
@given(**matrices, tail=tail, kind=st.sampled_from(["none", "one", "heads"]))
def test_spmm(sums, n, m, E, hubs, wide, layout, seed, tail, kind):
    assume(kind != "heads" or tail)
    pattern = entries(n, m, E, hubs, seed)
    rows, columns = map(torch.tensor, pattern.ends)
    x, *w = draw(seed, (m, *tail), *{"none": [], "one": [(E,)], "heads": [(E, *tail[:1])]}[kind], dtype=np.float64 if wide else np.float32)
    def theirs(x, *w):
        messages = x[columns]
        return torch_rows(messages * w[0].reshape(w[0].shape + (1,) * (messages.ndim - w[0].ndim)) if w else messages, rows, n)
    compare(lambda x, *w: kernels.spmm(pattern, x, *w), theirs, laid_out(x, layout), *w, tol=1e-12 if wide else 2e-5, seed=seed, least=1)


@many
@given(**matrices, tail=tail, both=st.booleans())
def test_messages_and_their_sums(sums, n, m, E, hubs, wide, layout, seed, tail, both):
    pattern, tol = entries(n, m, E, hubs, seed), 1e-12 if wide else 2e-5
    rows, columns = map(torch.tensor, pattern.ends)
    x, y, e = draw(seed, (m, *tail), (n, *tail), (E, *tail), dtype=np.float64 if wide else np.float32)
    compare(lambda x, *y: kernels.pattern_add(pattern, y[0] if y else None, x), lambda x, *y: x[columns] + y[0][rows] if y else x[columns],
            laid_out(x, layout), *([laid_out(y, layout)] if both else []), tol=tol, seed=seed, least=1)
    compare(lambda e: kernels.pattern_sum(pattern, e), lambda e: torch_rows(e, rows, n), laid_out(e, layout), tol=tol, seed=seed, least=1)


@many
@given(**matrices, tail=tail, equal=st.booleans())
def test_the_largest_neighbor(sums, n, m, E, hubs, wide, layout, seed, tail, equal):
    pattern = entries(n, m, E, hubs, seed)
    rows, columns = map(torch.tensor, pattern.ends)
    x, = draw(seed, (m, *tail), dtype=np.float64 if wide else np.float32)
    def theirs(x):
        at = rows.reshape(-1, *[1] * len(tail)).expand(E, *tail)
        y = torch.full((n, *tail), -torch.inf, dtype=x.dtype).scatter_reduce(0, at, x[columns], "amax")          # equal ones share
        return y.masked_fill(torch.isinf(y), 0)
    compare(lambda x: kernels.pattern_max(pattern, x), theirs, laid_out(np.round(x) if equal else x, layout), tol=1e-12 if wide else 1e-6, seed=seed, least=1)


@many
@given(**matrices, tail=tail, size=st.sampled_from([1, 300]))
def test_a_softmax_in_each_row(sums, n, m, E, hubs, wide, layout, seed, tail, size):
    pattern = entries(n, m, E, hubs, seed)
    scores, = draw(seed, (E, *tail), dtype=np.float64 if wide else np.float32)
    def theirs(s):
        parts = 0 * s
        for row in range(n):
            at = torch.tensor(np.flatnonzero(pattern.ends[0] == row))
            if len(at): parts = parts.index_add(0, at, s[at].softmax(0))
        return parts
    compare(lambda s: kernels.pattern_softmax(pattern, s), theirs, laid_out(size * scores, layout), tol=1e-12 if wide else 2e-5, seed=seed, least=1)


EDGES = {"spmm": (lambda P, x, w: kernels.spmm(P, x, w), lambda P: (P.shape[1], 3), lambda P: (len(P),)),
         "spmm of heads": (lambda P, x, w: kernels.spmm(P, x, w), lambda P: (P.shape[1], 2, 3), lambda P: (len(P), 2)),
         "pattern_add": (lambda P, x, y: kernels.pattern_add(P, y, x), lambda P: (P.shape[1], 3), lambda P: (P.shape[0], 3)),
         "pattern_sum": (kernels.pattern_sum, lambda P: (len(P), 3)), "pattern_max": (kernels.pattern_max, lambda P: (P.shape[1], 3)),
         "pattern_softmax": (kernels.pattern_softmax, lambda P: (len(P), 3))}


@pytest.mark.parametrize("name", EDGES)
def test_sums_over_edges_keep_dtypes_take_read_only_inputs_and_are_walked_twice(sums, name):
    pattern = entries(6, 5, 40, True, 0)
    run, *shapes = EDGES[name]
    for dtype in (np.float16, np.float32, np.float64, np.longdouble):
        arrays = draw(1, *(shape(pattern) for shape in shapes), dtype=dtype)
        for a in arrays: a.flags.writeable = False
        leaves = [Tensor(a, requires_grad=True) for a in arrays]
        y = run(pattern, *leaves)
        assert y.dtype == dtype and np.isfinite(y.data).all()
        y.backward(np.ones_like(y.data), retain_graph=True)
        once = [leaf.grad.copy() for leaf in leaves]
        y.backward(np.ones_like(y.data))
        for leaf, g in zip(leaves, once):
            assert g.dtype == dtype
            np.testing.assert_allclose(leaf.grad, g + g, rtol=1e-2 if dtype is np.float16 else 1e-6)


@pytest.mark.parametrize("name", [name for name in EDGES if len(EDGES[name]) == 3])
def test_sums_over_edges_compute_gradients_of_those_alone_that_want_one(sums, name, monkeypatch):
    pattern, (run, *shapes) = entries(6, 5, 40, True, 0), EDGES[name]
    arrays = draw(2, *(shape(pattern) for shape in shapes))
    leaves = [Tensor(a, requires_grad=True) for a in arrays]
    run(pattern, *leaves).sum().backward()
    for i in range(2):
        some = [Tensor(a, requires_grad=i == j) for j, a in enumerate(arrays)]
        y, counts = run(pattern, *some), []
        for hard in ("_sparse_product", "_values_grad", "_sum_entries"):
            real = getattr(kernels, hard)
            monkeypatch.setattr(kernels, hard, lambda *args, hard=hard, real=real: counts.append(hard) or real(*args))
        y.sum().backward()
        monkeypatch.undo()
        assert len(counts) == 1, "one gradient, one sum"
        assert some[1 - i].grad is None
        np.testing.assert_allclose(some[i].grad, leaves[i].grad, rtol=1e-12)


def test_nan_reaches_those_rows_alone_that_have_an_entry_there(sums):
    pattern = entries(40, 30, 200, True, 3)
    x = np.ones((30, 2))
    x[7, 1] = np.nan
    heard = np.isin(np.arange(40), pattern.ends[0][pattern.ends[1] == 7])
    assert 0 < heard.sum() < 40
    for run in (lambda x: kernels.spmm(pattern, x, np.ones(200)), lambda x: kernels.spmm(pattern, x), lambda x: kernels.pattern_max(pattern, x)):
        assert np.array_equal(np.isnan(run(Tensor(x)).data), heard[:, None] & [False, True])


def test_sums_over_edges_hold_no_messages(monkeypatch):
    monkeypatch.setattr(kernels, "_scipy", lambda: None)
    pattern, x = entries(5000, 5000, 100_000, True, 0), Tensor(np.ones((5000, 64), np.float32), requires_grad=True)
    weight = Tensor(np.ones(100_000, np.float32), requires_grad=True)
    kernels.spmm(pattern, x, weight).sum().backward()              # what is kept of the edges is not counted
    x.grad = weight.grad = None
    tracemalloc.start()
    kernels.spmm(pattern, x, weight).sum().backward()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 0.6 * 100_000 * 64 * 4                           # the messages alone would be 1


def test_what_a_pattern_keeps_is_neither_pickled_nor_shared_between_sides():
    pattern = entries(6, 5, 40, False, 0)
    forward = kernels.spmm(pattern, Tensor(np.eye(5))).data
    copied = pickle.loads(pickle.dumps(pattern))
    assert copied._kept == {} and pattern._kept
    assert np.array_equal(kernels.spmm(copied, Tensor(np.eye(5))).data, forward)
    dense = np.zeros((6, 5))
    np.add.at(dense, pattern.ends, 1)
    assert np.array_equal(forward, dense)
    for side in (0, 1): assert np.array_equal(np.sort(pattern.jagged(side)[0].entries), np.arange(40))


def test_a_large_sum_asks_scipy_and_a_small_one_does_not(monkeypatch):
    asked, library = [], pytest.importorskip("scipy.sparse")
    monkeypatch.setattr(kernels, "_scipy", lambda: asked.append(1) or library)
    kernels.spmm(entries(6, 5, 40, False, 0), Tensor(np.ones((5, 4))))
    assert not asked
    kernels.spmm(entries(60, 50, kernels._LARGE // 4, False, 0), Tensor(np.ones((50, 4))))
    assert asked


def test_sums_over_edges_work_where_scipy_is_missing():
    code = ("import sys; sys.modules['scipy'] = sys.modules['scipy.sparse'] = None\n"
            "import numpy as np; from nnbook import kernels; from nnbook.autograd import Tensor\n"
            "ends = np.arange(40_000) % 7\n"
            "assert kernels._scipy() is None and (kernels.spmm(kernels.Pattern(ends, ends, (7, 7)), Tensor(np.ones((7, 2)))).data.sum() == 80_000)")
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dropout_of_16_bits(p, dtype):
    x = Tensor(np.full((400, 501), 3, dtype), requires_grad=True)
    y = kernels.dropout(x, p, np.random.default_rng(0))
    kept = y.data != 0
    assert abs(kept.mean() - (1 - p)) < 5 * (p * (1 - p) / kept.size) ** 0.5 and y.dtype == dtype
    factor = 2**16 / (2**16 - round(p * 2**16))
    assert np.array_equal(y.data[kept], np.full(kept.sum(), dtype(3) * dtype(factor), dtype))
    y.backward(np.full(y.shape, 2, dtype))
    assert np.array_equal(x.grad != 0, kept) and np.allclose(x.grad[kept], 2 * factor)
    for axis in (0, 1): assert np.std(kept.mean(axis)) < 2 * (p * (1 - p) / kept.shape[axis]) ** 0.5       # neighbors draw apart
    assert abs(np.corrcoef(kept.ravel()[:-1], kept.ravel()[1:])[0, 1]) < 0.02


def test_dropout_at_its_ends():
    rng, x = np.random.default_rng(0), Tensor(np.ones((3, 5)))
    assert kernels.dropout(x, 0, rng) is x and kernels.dropout(x, 2**-18, rng) is x
    assert not kernels.dropout(x, 1, rng).data.any() and not kernels.dropout(x, 1.0, rng).data.any()
    assert kernels.dropout(Tensor(np.ones((0, 5))), 0.5, rng).shape == (0, 5)
    assert not np.array_equal(kernels.dropout(x, 0.5, rng).data, kernels.dropout(x, 0.5, rng).data)
    again = lambda: kernels.dropout(x, 0.5, np.random.default_rng(7)).data
    assert np.array_equal(again(), again())


THREE = kernels.Pattern([0, 1, 1], [0, 0, 3], (2, 4))

@pytest.mark.parametrize("call, error, says", [
    (lambda: kernels.Pattern([0, 2], [0, 0], (2, 4)), ValueError, r"a Pattern of shape \(2, 4\) has no row 2"),
    (lambda: kernels.Pattern([0, 1], [0, -1], (2, 4)), ValueError, r"has no column -1"),
    (lambda: kernels.Pattern([0, 1], [0], (2, 4)), ValueError, r"a row and a column for each entry, got shapes \(2,\) and \(1,\)"),
    (lambda: kernels.spmm(THREE, np.ones((2, 4))), ValueError, r"spmm with a Pattern of shape \(2, 4\) takes x with 4 rows, got shape \(2, 4\)"),
    (lambda: kernels.spmm(THREE, np.ones((4, 2)), np.ones(4)), ValueError, r"spmm of 3 entries and x of shape \(4, 2\) takes values \(3,\).*got \(4,\)"),
    (lambda: kernels.spmm(THREE, np.ones((4, 2)), np.ones((3, 5))), ValueError, r"or a column for each of x's second axis, got \(3, 5\)"),
    (lambda: kernels.spmm(np.eye(4), np.ones((4, 2))), TypeError, "spmm takes a Pattern, got ndarray"),
    (lambda: kernels.pattern_max(THREE, np.ones((2, 2))), ValueError, r"pattern_max with a Pattern of shape \(2, 4\) takes x with 4 rows"),
    (lambda: kernels.pattern_add(THREE, np.ones((2, 3)), np.ones((4, 2))), ValueError, r"adds rows and columns of one width, got \(2, 3\) and \(4, 2\)"),
    (lambda: kernels.pattern_add(THREE, None, np.ones((2, 2))), ValueError, r"takes x with 4 rows"),
    (lambda: kernels.pattern_sum(THREE, np.ones((2, 2))), ValueError, r"pattern_sum of 3 entries takes x \(E, \.\.\.\), got shape \(2, 2\)"),
    (lambda: kernels.pattern_softmax(THREE, np.ones(2)), ValueError, r"pattern_softmax of 3 entries takes scores \(E, \.\.\.\), got shape \(2,\)"),
    (lambda: kernels.dropout(np.ones(2), 1.5, None), ValueError, "a probability p from 0 to 1, got 1.5"),
])
def test_what_does_not_fit_a_sum_over_edges_is_said(call, error, says):
    with pytest.raises(error, match=says): call()
