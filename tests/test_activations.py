"""Promises of chapter 02: activations and their derivatives agree with torch, keep dtypes, survive extreme inputs, and refuse what makes no sense."""

import math
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from nnbook import activations as A

FEW = settings(max_examples=25, deadline=None)
NAMES = [n for n in A.ACTIVATIONS if n not in ("identity", "step")]
LIMITS = {"identity": (-np.inf, np.inf), "step": (0, 1), "sigmoid": (0, 1), "tanh": (-1, 1), "relu": (0, np.inf), "leaky_relu": (-np.inf, np.inf),
          "elu": (-1, np.inf), "softplus": (0, np.inf), "silu": (0, np.inf), "gelu": (0, np.inf)}
SLOPES = {"identity": (1, 1), "step": (0, 0), "sigmoid": (0, 0), "tanh": (0, 0), "relu": (0, 1), "leaky_relu": (0.01, 1), "elu": (0, 1), "softplus": (0, 1), "silu": (0, 1), "gelu": (0, 1)}


def numbers(shape, dtype=np.float64):
    "Ordinary and extreme finite numbers, zeros of both signs among them."
    width = np.dtype(dtype).itemsize * 8
    return arrays(dtype, shape, elements=st.one_of(st.floats(-8, 8, width=width), st.sampled_from([0.0, -0.0, 0.5, -0.75, 1e-30, -1e-30, 25.0, -25.0, 1e4, -1e4]).map(lambda v: float(np.dtype(dtype).type(v)))))


def agree(ours, theirs, tol=1e-12):
    ours, theirs = np.asarray(ours), theirs.detach().numpy()
    assert ours.dtype == theirs.dtype and ours.shape == theirs.shape
    np.testing.assert_allclose(ours, theirs, rtol=tol, atol=tol)


def torch_function(name):
    F = pytest.importorskip("torch").nn.functional
    # torch's own softplus turns into x at 20, which is an error of 2e-9
    return {"softplus": lambda x, beta=1.0: F.softplus(x, beta, threshold=100)}.get(name) or getattr(F, name, None)


# ---- agreement with torch

@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype, tol", [(np.float64, 1e-12), (np.float32, 2e-6)])
@FEW
@given(data=st.data())
def test_values_and_derivatives_agree_with_torch(name, dtype, tol, data):
    torch, theirs = pytest.importorskip("torch"), torch_function(name)
    x = data.draw(numbers(data.draw(array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=6)), dtype))
    f, f_grad = A.ACTIVATIONS[name]
    y = f(x)
    t = torch.tensor(x, requires_grad=True)
    out = theirs(t)
    out.sum().backward()
    agree(y, out, tol)
    agree(f_grad(x, y), t.grad, tol)


@pytest.mark.parametrize("name, parameters", [("leaky_relu", {"negative_slope": 0.2}), ("leaky_relu", {"negative_slope": 1.5}), ("elu", {"alpha": 0.3}),
                                              ("elu", {"alpha": 2.5}), ("softplus", {"beta": 3.0}), ("softplus", {"beta": 0.2}), ("gelu", {"approximate": "tanh"})])
@FEW
@given(x=numbers((7,)))
def test_parameters_mean_what_they_mean_in_torch(name, parameters, x):
    torch, theirs = pytest.importorskip("torch"), torch_function(name)
    f, f_grad = A.ACTIVATIONS[name]
    y = f(x, **parameters)
    t = torch.tensor(x, requires_grad=True)
    out = theirs(t, **parameters)
    out.sum().backward()
    agree(y, out)
    agree(f_grad(x, y, **parameters), t.grad)


@FEW
@given(data=st.data(), shape=array_shapes(max_dims=3, max_side=6), temperature=st.sampled_from([0.01, 0.5, 1.0, 2.0, 100.0]))
def test_softmax_and_its_gradient_agree_with_torch(data, shape, temperature):
    torch = pytest.importorskip("torch")
    x, g = data.draw(numbers(shape)), data.draw(numbers(shape))
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    t = torch.tensor(x, requires_grad=True)
    out = torch.softmax(t / temperature, axis)
    out.backward(torch.tensor(g))
    y = A.softmax(x, axis, temperature)
    agree(y, out)
    ours = A.softmax_vjp(g, y, axis, temperature)
    np.testing.assert_allclose(ours, t.grad.numpy(), rtol=1e-12, atol=1e-12 * max(1, np.abs(g).max()) / min(temperature, 1))


# ---- erf

def test_erf_is_accurate_in_both_precisions():
    x = np.concatenate([np.linspace(-7, 7, 20_001), np.geomspace(1e-300, 1, 500), -np.geomspace(1e-300, 1, 500), [0.46875, np.nextafter(0.46875, 0)]])
    exact = np.array([math.erf(v) for v in x])
    assert np.abs(A.erf(x) / np.where(exact == 0, 1, exact) - (exact != 0)).max() < 5e-16
    single = x[np.abs(x) > 1e-30].astype(np.float32)
    exact = np.array([math.erf(v) for v in single.astype(float)])
    assert A.erf(single).dtype == np.float32 and np.abs(A.erf(single) / exact - 1).max() < 3e-7
    for dtype in (np.float32, np.float64):
        np.testing.assert_array_equal(A.erf(np.array([np.inf, -np.inf, np.nan, 0.0, 100.0], dtype)), np.array([1, -1, np.nan, 0, 1], dtype))


def test_the_step_fires_at_zero_as_in_chapter_one():
    np.testing.assert_array_equal(A.step([-1e-30, -0.0, 0.0, 1.0]), [0, 1, 1, 1])


# ---- large inputs, infinities, NaN

@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", list(A.ACTIVATIONS))
def test_large_inputs_reach_their_limits_without_a_warning(name, dtype):
    f, f_grad = A.ACTIVATIONS[name]
    x = np.array([-np.inf, -1e30, -1e4, -100, 100, 1e4, 1e30, np.inf], dtype)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        y, d = f(x), f_grad(x, f(x))
    for values, (low, high) in ((y[[0, -1]], LIMITS[name]), (d[[0, -1]], SLOPES[name])):
        np.testing.assert_allclose(values, np.array([low, high], dtype), atol=1e-7)
    assert not np.isnan(y).any() and not np.isnan(d).any()
    np.testing.assert_allclose(d[1:-1], np.repeat(SLOPES[name], 3).astype(dtype), atol=1e-7)


@pytest.mark.parametrize("name", list(A.ACTIVATIONS))
def test_nan_stays_nan(name):
    f, _ = A.ACTIVATIONS[name]
    y = f(np.array([np.nan, 1.0]))
    assert np.isnan(y[0]) and np.isfinite(y[1])


def test_softmax_survives_what_overflows_the_formula():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_array_equal(A.softmax([1e4, -1e4, 0.0]), [1, 0, 0])
        np.testing.assert_allclose(A.softmax([1e4, 1e4]), [0.5, 0.5])
        np.testing.assert_array_equal(A.softmax([0.0, -np.inf, 0.0]), [0.5, 0, 0.5])
    with np.errstate(invalid="ignore"):
        assert np.isnan(A.softmax([-np.inf, -np.inf])).all() and np.isnan(A.softmax([np.inf, 0.0])).all()
    assert A.softmax(np.zeros((3, 0))).shape == (3, 0)


# ---- properties

@FEW
@given(x=arrays(np.float64, (3, 5), elements=st.floats(-20, 20)), shift=st.floats(-100, 100), temperature=st.sampled_from([0.1, 1.0, 7.0]))
def test_softmax_adds_to_one_ignores_shifts_and_keeps_the_order(x, shift, temperature):
    p = A.softmax(x, temperature=temperature)
    np.testing.assert_allclose(p.sum(axis=-1), 1)
    np.testing.assert_allclose(A.softmax(x + shift, temperature=temperature), p, atol=1e-10)
    assert (np.take_along_axis(p, x.argmax(axis=-1)[:, None], -1) >= p).all()
    np.testing.assert_allclose(A.softmax(x, axis=(0, 1)).sum(), 1)


def test_softmax_of_two_is_the_sigmoid_of_the_difference_and_becomes_the_step():
    z = np.random.default_rng(0).standard_normal((100, 2))
    np.testing.assert_allclose(A.softmax(z, temperature=0.7)[:, 0], A.sigmoid((z[:, 0] - z[:, 1]) / 0.7))
    np.testing.assert_allclose(A.softmax(z, temperature=1e-6)[:, 0], A.step(z[:, 0] - z[:, 1]))


def test_the_jacobian_is_never_needed():
    rng = np.random.default_rng(0)
    z, g = rng.standard_normal((2, 4, 6))
    p = A.softmax(z, temperature=0.5)
    jacobian = (np.einsum("ni,ij->nij", p, np.eye(6)) - p[:, :, None] * p[:, None, :]) / 0.5
    np.testing.assert_allclose(A.softmax_vjp(g, p, temperature=0.5), np.einsum("nij,nj->ni", jacobian, g))


@pytest.mark.parametrize("name", list(A.ACTIVATIONS))
def test_shapes_and_float_types_are_kept_and_inputs_left_alone(name):
    f, f_grad = A.ACTIVATIONS[name]
    for dtype in (np.float16, np.float32, np.float64):
        for x in (np.linspace(-2, 2, 24).reshape(2, 3, 4).astype(dtype), np.linspace(-2, 2, 24).astype(dtype).reshape(4, 6).T[::2], np.zeros((0, 3), dtype), np.array(0.5, dtype)):
            before = x.copy()
            y = f(x)
            d = f_grad(x, y)
            assert y.shape == d.shape == x.shape and y.dtype == d.dtype == dtype
            np.testing.assert_array_equal(x, before)
            np.testing.assert_array_equal(y, f(before))
    for whole in ([1, -2], [True, False], np.arange(3, dtype=np.int8), 2):
        assert f(whole).dtype == np.float32
    assert f([0.5, 1.0]).dtype == np.float64 and np.shape(f(0.5)) == ()


# ---- errors

@pytest.mark.parametrize("f", [f for f, _ in A.ACTIVATIONS.values()] + [A.softmax, A.erf])
def test_what_is_not_a_real_number_is_refused(f):
    for x, word in ((np.array([1j]), "complex"), (["a"], "dtype"), ([None], "dtype"), (np.array(["2020-01-01"], "datetime64[D]"), "dtype")):
        with pytest.raises(TypeError, match=word):
            f(x)


@pytest.mark.parametrize("temperature", [0, -1.0, np.nan, np.inf])
def test_a_temperature_must_be_positive_and_finite(temperature):
    for call in (lambda: A.softmax([1.0, 2.0], temperature=temperature), lambda: A.softmax_vjp(np.ones(2), np.ones(2) / 2, temperature=temperature)):
        with pytest.raises(ValueError, match="temperature"):
            call()


def test_other_mistakes_get_an_explanation():
    with pytest.raises(ValueError, match="shape"):
        A.softmax_vjp(np.ones(3), np.ones((2, 3)) / 3)
    with pytest.raises(ValueError, match="beta"):
        A.softplus(1.0, beta=0)
    with pytest.raises(ValueError, match="approximate"):
        A.gelu(1.0, approximate="erf")
    with pytest.raises(ValueError, match="approximate"):
        A.gelu_grad(np.ones(1), np.ones(1), approximate="erf")


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_slope_of_elu_keeps_its_digits_far_to_the_left(dtype):
    x = np.array([-1.0, -20.0, -80.0], dtype)
    np.testing.assert_allclose(A.elu_grad(x, A.elu(x)), np.exp(x), rtol=1e-6)


def test_softmax_of_one_number_is_one():
    assert A.softmax(np.array(3.0)) == 1
