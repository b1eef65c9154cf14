"""Promises of chapter 03: the losses and their derivatives agree with torch, keep dtypes, and refuse what makes no sense."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from nnbook import losses as L

torch = pytest.importorskip("torch")
F = torch.nn.functional
REDUCTIONS = st.sampled_from(["mean", "sum", "none"])
FEW = settings(max_examples=40, deadline=None)


def floats(shape, low=-30.0, high=30.0):
    return arrays(np.float64, shape, elements=st.floats(low, high, width=32))


def agree(ours, theirs, tol=1e-12):
    "Equal to `tol`, relative to the largest entry (or absolute below 1)."
    ours, theirs = np.asarray(ours), np.asarray(theirs)
    assert ours.shape == theirs.shape
    np.testing.assert_allclose(ours, theirs, rtol=tol, atol=tol * max(1.0, np.abs(theirs).max(initial=0)))


def against_torch(value, grad, loss_fn, *inputs, **kw):
    "Value and derivative against torch's value and autograd. `loss_fn(x)` is torch's loss of the first input."
    x = torch.tensor(inputs[0], requires_grad=True)
    theirs = loss_fn(x)
    theirs.sum().backward()
    agree(value(*inputs, **kw), theirs.detach())
    agree(grad(*inputs, **kw), x.grad)


# ---- agreement with torch, float64, 1e-12


@FEW
@given(st.data(), array_shapes(min_dims=0, max_dims=3, max_side=5), REDUCTIONS)
def test_residual_losses_agree_with_torch(data, shape, reduction):
    x, y = data.draw(floats(shape)), data.draw(floats(shape))
    t, delta = torch.tensor(y), data.draw(st.floats(0.1, 10))
    against_torch(L.mse, L.mse_grad, lambda a: F.mse_loss(a, t, reduction=reduction), x, y, reduction=reduction)
    against_torch(L.mae, L.mae_grad, lambda a: F.l1_loss(a, t, reduction=reduction), x, y, reduction=reduction)
    against_torch(
        L.huber, L.huber_grad, lambda a: F.huber_loss(a, t, reduction=reduction, delta=delta), x, y, delta=delta, reduction=reduction
    )


@FEW
@given(st.data(), array_shapes(max_dims=3, max_side=5), REDUCTIONS, st.booleans(), st.booleans())
def test_bce_agrees_with_torch(data, shape, reduction, weighted, pos_weighted):
    z, y = data.draw(floats(shape, -300, 300)), data.draw(floats(shape, 0, 1))
    w = data.draw(floats(shape, 0, 5)) if weighted else None
    pw = data.draw(floats(shape[-1:], 0, 5)) if pos_weighted else None
    torch_kw = {k: torch.tensor(v) for k, v in (("weight", w), ("pos_weight", pw)) if v is not None}
    against_torch(
        L.bce_with_logits,
        L.bce_with_logits_grad,
        lambda a: F.binary_cross_entropy_with_logits(a, torch.tensor(y), reduction=reduction, **torch_kw),
        z,
        y,
        weight=w,
        pos_weight=pw,
        reduction=reduction,
    )


@settings(max_examples=120, deadline=None)
@given(
    st.data(),
    st.integers(1, 6),
    st.integers(1, 6),
    REDUCTIONS,
    st.booleans(),
    st.sampled_from([0.0, 0.1, 1.0]),
    st.sampled_from(["hard", "soft", "ignored", "class 0 ignored"]),
)
def test_cross_entropy_agrees_with_torch(data, n, k, reduction, weighted, smoothing, kind):
    z = data.draw(floats((n, k), -200, 200))
    w = data.draw(floats((k,), 0.125, 5)) if weighted else None
    kw = dict(reduction=reduction, label_smoothing=smoothing)
    if kind == "soft":
        target = data.draw(floats((n, k), 0.125, 1))
        target /= target.sum(axis=1, keepdims=True)
    else:
        target = data.draw(arrays(np.int64, n, elements=st.integers(0, k - 1)))
        if kind == "ignored":
            target[data.draw(st.integers(0, n - 1)) : -1] = -100
        if kind == "class 0 ignored" and target.any():
            kw["ignore_index"] = 0
    against_torch(
        L.cross_entropy,
        L.cross_entropy_grad,
        lambda a: F.cross_entropy(a, torch.tensor(target), weight=None if w is None else torch.tensor(w), **kw),
        z,
        target,
        weight=w,
        **kw,
    )


@FEW
@given(st.data(), st.integers(1, 5), st.integers(1, 6), st.booleans(), REDUCTIONS)
def test_kl_div_agrees_with_torch(data, n, k, log_target, reduction):
    log_q = L.log_softmax(data.draw(floats((n, k))))
    log_p = L.log_softmax(data.draw(floats((n, k))))
    target = log_p if log_target else np.exp(log_p)

    def theirs(a):
        kl = F.kl_div(a, torch.tensor(target), log_target=log_target, reduction="batchmean" if reduction == "mean" else reduction)
        return kl.sum(dim=-1) if reduction == "none" else kl

    against_torch(L.kl_div, L.kl_div_grad, theirs, log_q, target, log_target=log_target, reduction=reduction)


@FEW
@given(st.data(), array_shapes(max_dims=2, max_side=6), st.floats(0.5, 3), REDUCTIONS)
def test_hinge_agrees_with_its_definition_in_torch(data, shape, margin, reduction):
    x = data.draw(floats(shape))
    y = data.draw(arrays(np.float64, shape, elements=st.sampled_from([-1.0, 1.0])))
    finish = {"mean": torch.mean, "sum": torch.sum, "none": lambda a: a}[reduction]
    against_torch(
        L.hinge, L.hinge_grad, lambda a: finish(torch.relu(margin - torch.tensor(y) * a)), x, y, margin=margin, reduction=reduction
    )


@FEW
@given(st.data(), array_shapes(min_dims=1, max_dims=3, max_side=5))
def test_log_sum_exp_and_log_softmax_agree_with_torch(data, shape):
    x, axis = data.draw(floats(shape, -2000, 2000)), data.draw(st.integers(-len(shape), len(shape) - 1))
    t = torch.tensor(x, requires_grad=True)
    y = torch.log_softmax(t, axis)
    agree(L.log_softmax(x, axis), y.detach())
    for keep in (False, True):
        agree(L.logsumexp(x, axis, keepdims=keep), torch.logsumexp(t, axis, keepdim=keep).detach())
    g = data.draw(floats(shape))
    y.backward(torch.tensor(g))
    agree(L.log_softmax_vjp(g, y.detach().numpy(), axis), t.grad)


def test_many_leading_axes_match_torchs_layout_with_the_classes_moved():
    rng = np.random.default_rng(0)
    z, y = rng.normal(size=(2, 3, 4, 5)), rng.integers(0, 5, (2, 3, 4))
    y[0, 0, 0] = -100
    for reduction in ("mean", "sum", "none"):
        against_torch(
            L.cross_entropy,
            L.cross_entropy_grad,
            lambda a, reduction=reduction: F.cross_entropy(a.movedim(-1, 1), torch.tensor(y), reduction=reduction),
            z,
            y,
            reduction=reduction,
        )


def test_backward_multiplies_by_the_gradient_from_above_and_can_run_twice():
    rng = np.random.default_rng(0)
    z, y, g = rng.normal(size=(6, 4)), rng.integers(0, 4, 6), rng.normal(size=6)
    for kw in ({}, {"label_smoothing": 0.1}):
        x = torch.tensor(z, requires_grad=True)
        F.cross_entropy(x, torch.tensor(y), reduction="none", **kw).backward(torch.tensor(g))
        _, saved = L.cross_entropy_forward(z, y, reduction="none", **kw)
        for _ in range(2):
            agree(L.cross_entropy_backward(saved, g), x.grad)
        _, saved = L.cross_entropy_forward(z, y, **kw)
        agree(L.cross_entropy_backward(saved, 3.0), 3 * L.cross_entropy_grad(z, y, **kw))


# ---- entropy and its relatives


@FEW
@given(st.data(), st.integers(1, 5), st.integers(1, 6))
def test_cross_entropy_is_entropy_plus_divergence(data, n, k):
    p, log_q = np.exp(L.log_softmax(data.draw(floats((n, k))))), L.log_softmax(data.draw(floats((n, k))))
    agree(L.cross_entropy(log_q, p, reduction="none"), L.entropy(p) + L.kl_div(log_q, p, reduction="none"), 1e-10)


def test_zero_probabilities_cost_nothing_unless_they_are_wanted():
    p = np.array([[0.5, 0.5, 0.0]])
    with np.errstate(all="raise"):
        assert L.entropy(p)[0] == pytest.approx(np.log(2))
        log_q = np.array([[np.log(0.5), np.log(0.5), -np.inf]])
        assert L.kl_div(log_q, p) == pytest.approx(0, abs=1e-15)
        assert L.kl_div(log_q, p[:, ::-1]) == np.inf
        assert L.cross_entropy(log_q, p) == pytest.approx(np.log(2))
        assert L.cross_entropy(log_q, [0]) == pytest.approx(np.log(2))
        assert L.cross_entropy(log_q, [2]) == np.inf
        assert L.cross_entropy(log_q, [0], weight=[1, 1, 1]) == pytest.approx(np.log(2))


# ---- large inputs, dtypes, NaN, memory layout


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_nothing_overflows_and_small_losses_survive(dtype):
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        z = np.array([[1e4, 0.0, -1e4]], dtype)
        assert L.cross_entropy(z, [2]) == 2e4 and L.cross_entropy(z, [0]) == 0
        assert L.bce_with_logits(np.array([-1e4], dtype), np.array([1], dtype)) == 1e4
        tiny = L.bce_with_logits(np.array([60.0], dtype), np.array([1], dtype))
        assert tiny == pytest.approx(np.exp(-60), rel=1e-5)
        assert L.bce_with_logits_grad(np.array([60.0], dtype), np.array([1], dtype))[0] == pytest.approx(-np.exp(-60), rel=1e-5)
    assert L.logsumexp(np.full(3, -np.inf, dtype)) == -np.inf


def test_float32_stays_float32_everywhere():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, 8, 3)).astype(np.float32)
    labels, soft, sign = rng.integers(0, 3, 8), np.exp(L.log_softmax(y)), np.sign(y)
    calls = [(f, (x, y), {}) for f in ("mse", "mae", "huber")] + [
        ("hinge", (x, sign), {}),
        ("kl_div", (L.log_softmax(x), soft), {}),
        ("bce_with_logits", (x, soft), {"weight": np.ones(3), "pos_weight": [1, 2, 3]}),
        ("cross_entropy", (x, labels), {}),
        ("cross_entropy", (x, soft), {"label_smoothing": 0.1, "weight": np.ones(3)}),
        ("cross_entropy", (x, labels), {"label_smoothing": 0.1, "weight": [1, 2, 3]}),
    ]
    for name, args, kw in calls:
        for reduction in ("mean", "sum", "none"):
            assert getattr(L, name)(*args, reduction=reduction, **kw).dtype == np.float32, name
            if args[1].dtype.kind == "f":
                wide = (args[0], args[1].astype(np.float64))
                assert getattr(L, name)(*wide, reduction=reduction, **kw).dtype == np.float32, name
            grad = getattr(L, name + "_grad")(*args, reduction=reduction, **kw)
            assert grad.dtype == np.float32 and grad.shape == x.shape, name
    _, saved = L.cross_entropy_forward(x, labels)
    assert L.cross_entropy_backward(saved, np.float64(2)).dtype == np.float32
    assert L.log_softmax(x).dtype == L.logsumexp(x).dtype == L.entropy(soft).dtype == np.float32


def test_nan_reaches_the_loss_and_the_input_is_left_alone():
    x = np.array([[0.0, np.nan], [1.0, 2.0]])
    before = x.copy()
    assert np.isnan(L.cross_entropy(x, [0, 1])) and np.isnan(L.mse(x, before * 0 + 1)) and np.isnan(L.logsumexp(x)[0])
    assert np.isnan(L.cross_entropy(x, [0, 1], label_smoothing=0.1)) and np.isfinite(L.logsumexp(x)[1])
    assert np.isnan(L.bce_with_logits(x, np.ones((2, 2)))) and np.isnan(L.huber(x, np.ones((2, 2))))
    np.testing.assert_array_equal(x, before)


def test_strided_inputs_and_every_integer_type_of_label():
    rng = np.random.default_rng(0)
    z, y = rng.normal(size=(5, 12))[:, ::2].T, rng.integers(0, 5, 12)[::2]  # (6, 5), (6,)
    want = L.cross_entropy(z.copy(), y.copy())
    for dtype in (np.uint8, np.int8, np.int32, np.uint64):
        assert L.cross_entropy(z, y.astype(dtype)) == want
    assert L.cross_entropy(z.tolist(), y.tolist()) == want
    assert L.cross_entropy(z[0], y[0]) == L.cross_entropy(z[:1], y[:1])


# ---- what is refused, and how

Z, ROWS = np.zeros((4, 3)), np.full((4, 3), 1 / 3)
REFUSED = [
    (lambda: L.mse(np.zeros(4), np.zeros((4, 1))), r"\(4,\) and \(4, 1\)"),
    (lambda: L.bce_with_logits(np.zeros((4, 1)), np.zeros(4)), r"one shape.*\(4, 1\) and \(4,\)"),
    (lambda: L.huber(np.zeros(4), np.zeros(4), delta=0), "delta must be .*positive.* 0"),
    (lambda: L.mse(np.zeros(4), np.zeros(4), reduction="avg"), "'mean', 'sum' or 'none', got 'avg'"),
    (lambda: L.cross_entropy(Z, [0, 1, 2, 0], reduction="batchmean"), "'batchmean'"),
    (lambda: L.mse([], []), "empty"),
    (lambda: L.mse_grad([], []), "empty"),
    (lambda: L.cross_entropy(np.zeros((0, 3)), np.zeros(0, int)), "empty"),
    (lambda: L.cross_entropy(Z, [0, 1, 3, 0]), r"0 to 2 .*got 3"),
    (lambda: L.cross_entropy(Z, [0, -1, 2, 0]), r"got -1"),
    (lambda: L.cross_entropy(Z, [0, -100, 7, 0]), r"got 7"),
    (lambda: L.cross_entropy(Z, [-100] * 4), "ignored"),
    (lambda: L.cross_entropy(Z, [0.0, 1.0, 2.0, 0.0]), r"astype\(int\)"),
    (lambda: L.cross_entropy(Z, np.eye(4, 3, dtype=int)), "argmax"),
    (lambda: L.cross_entropy(Z, np.zeros((4, 1), int)), r"shape \(4,\).*got int64 of shape \(4, 1\)"),
    (lambda: L.cross_entropy(Z, [0, 1, 2]), r"got int64 of shape \(3,\)"),
    (lambda: L.cross_entropy(np.zeros((2, 3, 5)), np.zeros((2, 5), int)), "moveaxis"),
    (lambda: L.cross_entropy(np.float64(1.0), 0), r"\(\.\.\., K\)"),
    (lambda: L.cross_entropy(np.zeros((4, 0)), np.zeros(4, int)), r"\(4, 0\)"),
    (lambda: L.cross_entropy(Z, ROWS * 0.9), "sum to 1.* 0.9.* row 0"),
    (lambda: L.cross_entropy(Z, ROWS + [[1, -1, 0]]), "negative, got -0.66"),
    (lambda: L.cross_entropy(Z, [0, 1, 2, 0], weight=[1, 2]), r"weight must broadcast to shape \(3,\), got shape \(2,\)"),
    (lambda: L.cross_entropy(Z, [0, 1, 2, 0], weight=[1, 2, -3]), "negative, got -3"),
    (lambda: L.cross_entropy(Z, [0, 1, 2, 0], label_smoothing=1.5), "1.5"),
    (lambda: L.bce_with_logits([0.0, 1.0], [0.0, 2.0]), "between 0 and 1, got 2"),
    (lambda: L.bce_with_logits([0.0, 1.0], [-1.0, 1.0]), "between 0 and 1, got -1"),
    (lambda: L.kl_div(ROWS, ROWS), r"log_softmax\(logits\)"),
    (lambda: L.kl_div(np.log(ROWS), ROWS * 2), "target must sum to 1"),
    (lambda: L.hinge([0.0, 1.0], [0.0, 1.0]), r"got 0.0.*2 \* target - 1"),
]


@pytest.mark.parametrize("call, message", REFUSED, ids=range(len(REFUSED)))
def test_nonsense_is_refused_with_the_offending_value(call, message):
    with pytest.raises(ValueError, match="(?s)" + message):
        call()


def test_complex_numbers_are_refused():
    with pytest.raises(TypeError, match="complex"):
        L.mse(np.zeros(2, complex), np.zeros(2))


def test_a_sum_over_nothing_is_zero():
    assert L.mse([], [], reduction="sum") == 0
    assert L.cross_entropy(Z, [-100] * 4, reduction="sum") == 0
    np.testing.assert_array_equal(L.cross_entropy(Z, [-100] * 4, reduction="none"), np.zeros(4))
    np.testing.assert_array_equal(L.cross_entropy_grad(Z, [-100] * 4, reduction="sum"), Z)
