"""The fast convolutions and pools against torch: any shape, stride, padding, dilation, groups, memory layout and dtype; and what they refuse."""

import threading

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from test_autograd_properties import laid_out, layouts

from nnbook import kernels
from nnbook.autograd import Tensor, no_grad, relu
from nnbook.kernels import avg_pool2d, conv2d, conv_transpose2d, max_pool2d

many = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.filter_too_much])
small = st.integers(1, 3)
pairs = lambda low, high: st.tuples(st.integers(low, high), st.integers(low, high))
seeds = st.integers(0, 2**32 - 1)


def agree(got, want, what, tol):
    "Equal but for tol times the largest entry."
    assert got.shape == want.shape and got.dtype == want.dtype, f"{what}: {got.dtype} {got.shape}, torch has {want.dtype} {want.shape}"
    np.testing.assert_allclose(got, want, rtol=0, atol=tol * np.abs(want[np.isfinite(want)]).max(initial=1e-30), err_msg=what)


def compare(ours, theirs, *arrays, tol=1e-12, seed=0):
    "The same value and the same gradients from the same random gradient of the result; no input is changed."
    before = [a.copy() for a in arrays]
    leaves = [Tensor(a, requires_grad=True) for a in arrays]
    twins = [torch.tensor(a.copy(), requires_grad=True) for a in arrays]
    y, z = ours(*leaves), theirs(*twins)
    g = np.random.default_rng(seed).standard_normal(y.shape).astype(y.dtype)
    start = g.copy()
    y.backward(g)
    z.backward(torch.tensor(g))
    agree(y.data, z.detach().numpy(), "value", tol)
    for i, (leaf, twin, a, b) in enumerate(zip(leaves, twins, arrays, before, strict=True)):
        agree(leaf.grad, twin.grad.numpy(), f"gradient of input {i}", tol)
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
