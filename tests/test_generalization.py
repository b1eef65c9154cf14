"The promises of the chapter on generalization: features, shortest fits, decompositions, built networks, shifts, curves and numbers of seeds."

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from nnbook.generalization import (
    bias_variance,
    examples_for,
    hinge_network,
    learning_curve,
    min_norm_fit,
    random_features,
    seeds_needed,
    shift_images,
)
from nnbook.training import DataLoader, predict

# --- random features

def test_features_are_the_same_function_at_every_call():
    layer = random_features(3, 50, scale=2.0, rng=1)
    x = np.random.default_rng(0).standard_normal((7, 3))
    assert layer(x).shape == (7, 50)
    assert np.array_equal(layer(x)[2:4], layer(x[2:4]))
    assert np.array_equal(layer(x), random_features(3, 50, scale=2.0, rng=1)(x))
    given = [random_features(3, 50, scale=2.0, rng=np.random.default_rng(1))(x) for _ in range(2)]     # a Generator is used as it is
    assert np.array_equal(*given) and not np.array_equal(layer(x), given[0])


def test_many_features_have_the_gaussian_kernel_of_rahimi_and_recht():
    x = np.array([[0.0, 0.0], [0.3, 0.4], [2.0, -1.0]])
    A = random_features(2, 200_000, scale=1.5, rng=0)(x)
    distance = ((x[:, None] - x) ** 2).sum(axis=-1)
    assert np.allclose(A @ A.T, np.exp(-(1.5**2) * distance / 2), atol=0.01)


@pytest.mark.parametrize("n_in, n_features", [(0, 5), (2, 0)])
def test_features_need_inputs_and_outputs(n_in, n_features):
    with pytest.raises(ValueError, match="at least one"):
        random_features(n_in, n_features)


def test_features_refuse_other_shapes_and_say_how_to_mend_them():
    with pytest.raises(ValueError, match=r"x\[:, None\]"):
        random_features(1, 4, rng=0)(np.zeros(5))
    with pytest.raises(ValueError, match=r"\(N, 3\).*\(2, 4\)"):
        random_features(3, 4, rng=0)(np.zeros((2, 4)))


# --- shortest fits

@given(st.integers(1, 12), st.integers(1, 12), st.integers(0, 3), st.integers(0, 10_000))
@settings(max_examples=60, deadline=None)
def test_without_ridge_it_is_the_pseudoinverse(n, k, columns, seed):
    rng = np.random.default_rng(seed)
    A, y = rng.standard_normal((n, k)), rng.standard_normal((n, columns) if columns else n)
    assert np.allclose(min_norm_fit(A, y), np.linalg.pinv(A) @ y, atol=1e-6 * max(1, np.linalg.cond(A)))


def test_of_all_that_fit_it_is_the_shortest():
    rng = np.random.default_rng(0)
    A, y = rng.standard_normal((5, 20)), rng.standard_normal(5)
    w = min_norm_fit(A, y)
    assert np.allclose(A @ w, y)
    for _ in range(20):
        v = rng.standard_normal(20)
        other = w + v - np.linalg.pinv(A) @ (A @ v)
        assert np.allclose(A @ other, y) and np.linalg.norm(other) > np.linalg.norm(w)


def test_descent_from_zero_arrives_at_the_shortest_fit():
    rng = np.random.default_rng(1)
    A, y, w = rng.standard_normal((5, 20)), rng.standard_normal(5), np.zeros(20)
    for _ in range(4000): w -= 0.02 * A.T @ (A @ w - y)
    assert np.allclose(w, min_norm_fit(A, y), atol=1e-8)


@pytest.mark.parametrize("n, k", [(4, 9), (9, 4), (6, 6)])
def test_ridge_is_the_same_by_either_road_and_its_gradient_vanishes(n, k):
    rng = np.random.default_rng(2)
    A, y = rng.standard_normal((n, k)), rng.standard_normal((n, 3))
    w = min_norm_fit(A, y, ridge=0.3)
    assert np.allclose(A.T @ (A @ w - y) + 0.3 * w, 0, atol=1e-10)
    assert np.allclose(min_norm_fit(A, y, ridge=1e-10), min_norm_fit(A, y), atol=1e-4)


@pytest.mark.parametrize("A, y, ridge, words", [
    (np.zeros(3), np.zeros(3), 0, "features"), (np.zeros((3, 2)), np.zeros(4), 0, "features"),
    (np.zeros((0, 2)), np.zeros(0), 0, "features"), (np.zeros((3, 2)), np.zeros(3), -1, "ridge"),
    (np.zeros((3, 2)), np.zeros(3), np.nan, "ridge"), (np.full((3, 2), np.nan), np.zeros(3), 0, "NaN"),
    (np.zeros((3, 2)), np.array([0, np.inf, 0]), 1.0, "infinity")])
def test_fits_refuse_what_they_cannot_fit(A, y, ridge, words):
    with pytest.raises(ValueError, match=words): min_norm_fit(A, y, ridge)


# --- bias and variance

@given(st.integers(2, 30), st.integers(1, 20), st.integers(0, 10_000))
@settings(max_examples=40, deadline=None)
def test_error_is_bias_plus_variance_exactly(draws, points, seed):
    rng = np.random.default_rng(seed)
    parts = bias_variance(rng.normal(0, 5, (draws, points)), rng.standard_normal(points))
    assert np.isclose(parts.error, parts.bias2 + parts.variance, rtol=1e-10)


def test_bias_and_variance_of_fits_that_are_known():
    assert bias_variance([[1.0, 2.0], [3.0, 4.0]], [2.0, 3.0]) == (0.0, 1.0, 1.0)
    assert bias_variance([[3.0], [3.0]], [1.0]) == (4.0, 0.0, 4.0)
    assert bias_variance(np.ones((4, 2, 3)), np.zeros((2, 3))).bias2 == 1


@pytest.mark.parametrize("p, truth", [(np.zeros((1, 3)), np.zeros(3)), (np.zeros((4, 3)), np.zeros(4)), (np.float64(1), np.float64(1))])
def test_bias_variance_needs_draws_and_matching_points(p, truth):
    with pytest.raises(ValueError, match="draws"): bias_variance(p, truth)


# --- the network that is built

@given(st.integers(1, 60), st.floats(-3, 0), st.floats(0.5, 3))
@settings(max_examples=40, deadline=None)
def test_a_built_network_keeps_its_bound(n, low, width):
    high = low + width
    net, x = hinge_network(np.sin, n, low, high), np.linspace(low, high, 501)[:, None]
    miss = abs(predict(net, x) - np.sin(x)).max()
    assert miss <= (width / n) ** 2 / 8 + 1e-10
    knots = np.linspace(low, high, n + 1)[:, None]
    assert np.allclose(predict(net, knots), np.sin(knots), atol=1e-10)


def test_a_built_network_reproduces_straight_lines_and_has_n_units():
    net = hinge_network(lambda x: 3 * x - 1, 5, -1, 2)
    x = np.linspace(-1, 2, 50)[:, None]
    assert np.allclose(predict(net, x), 3 * x - 1)
    assert net[0].weight.shape == (5, 1)


@pytest.mark.parametrize("n, low, high", [(0, 0, 1), (3, 1, 1), (3, 2, 1)])
def test_a_built_network_needs_pieces_and_an_interval(n, low, high):
    with pytest.raises(ValueError, match="piece"): hinge_network(np.sin, n, low, high)


@pytest.mark.parametrize("f, words", [(lambda x: 1.0, r"\(4,\).*\(\)"), (lambda x: x[:, None], r"\(4,\).*\(4, 1\)"),
                                      (lambda x: x[:-1], r"\(4,\).*\(3,\)"), (lambda x: np.where(x > 0.5, np.nan, x), "finite at x = 0.6667"),
                                      (lambda x: np.where(x == 0, np.inf, x), "finite at x = 0")])
def test_a_built_network_says_what_is_wrong_with_the_function(f, words):
    with pytest.raises(ValueError, match=words): hinge_network(f, 3)


# --- shifts

def brute(picture, down, right):
    h, w = picture.shape
    out = np.zeros_like(picture)
    for i in range(h):
        for j in range(w):
            if 0 <= i - down < h and 0 <= j - right < w: out[i, j] = picture[i - down, j - right]
    return out


def test_every_shift_within_the_limit_happens_and_no_other():
    rng = np.random.default_rng(0)
    x, y = rng.random((1, 5, 7)).astype(np.float32), np.array([3])
    allowed = {brute(x[0], d, r).tobytes(): (d, r) for d in (-2, -1, 0, 1, 2) for r in (-2, -1, 0, 1, 2)}
    assert len(allowed) == 25
    shift, seen = shift_images(2, (5, 7)), set()
    for _ in range(600):
        moved, answers = shift(x, y, rng)
        assert moved.shape == x.shape and moved.dtype == x.dtype and answers is y
        seen.add(allowed[moved[0].tobytes()])
    assert len(seen) == 25


def test_shifts_work_on_rows_and_leave_the_given_pictures_alone():
    x, y = np.random.default_rng(0).random((6, 784)), np.arange(6)
    kept = x.copy()
    rows, _ = shift_images(3)(x, y, np.random.default_rng(4))
    pictures, _ = shift_images(3)(x.reshape(6, 28, 28), y, np.random.default_rng(4))
    assert np.array_equal(rows.reshape(pictures.shape), pictures) and np.array_equal(x, kept)
    assert np.array_equal(shift_images(0)(x, y, np.random.default_rng(0))[0], x)


def test_shifts_fit_the_loader_and_repeat_with_its_seed():
    x, y = np.random.default_rng(0).random((10, 784)).astype(np.float32), np.arange(10)
    loaders = [DataLoader(x, y, batch_size=4, seed=3, transform=shift_images(2)) for _ in range(2)]
    for (a, b), (c, d) in zip(*loaders): assert np.array_equal(a, c) and np.array_equal(b, d)


def test_shifts_refuse_other_pictures_and_distances():
    with pytest.raises(ValueError, match=r"\(N, 784\).*\(2, 100\)"):
        shift_images(1)(np.zeros((2, 100)), np.zeros(2), np.random.default_rng(0))
    for most in (-1, 28):
        with pytest.raises(ValueError, match="pixels"): shift_images(most)


# --- learning curves

def test_a_learning_curve_is_sizes_by_seeds():
    assert learning_curve(lambda n, seed: n, np.array([10, 20]), [0]).shape == (2, 1)
    assert np.array_equal(learning_curve(lambda n, seed: n + seed, [10, 20], [1, 2, 3]), [[11, 12, 13], [21, 22, 23]])
    assert learning_curve(lambda n, seed: [n, seed], [1, 2, 4]).shape == (3, 3, 2)


@pytest.mark.parametrize("sizes", [[], [10, 10], [20, 10], [0, 5], [10, 20.5], [10.0, 20.0], [5, np.nan]])
def test_a_learning_curve_needs_sizes_that_increase(sizes):
    with pytest.raises(ValueError, match="increase"): learning_curve(lambda n, seed: 0, sizes)


@given(st.floats(0.1, 2), st.floats(1, 100), st.floats(10, 1000))
@settings(deadline=None)
def test_on_a_power_law_examples_for_inverts_the_curve(exponent, scale, n):
    sizes = [10, 30, 100, 1000]
    error = lambda n: scale * np.asarray(n, float) ** -exponent
    assert np.isclose(examples_for(float(np.clip(error(n), error(1000), error(10))), sizes, error(sizes)), n, rtol=1e-6)


def test_examples_for_says_when_it_cannot_know():
    for error in (0.5, 0.05):
        with pytest.raises(ValueError, match="says nothing"): examples_for(error, [10, 100], [0.4, 0.1])
    for errors in ([0.1, 0.2], [0.2, 0.2]):
        with pytest.raises(ValueError, match="fall"): examples_for(0.15, [10, 100], errors)


# --- how many seeds

def power(m, difference, spread, confidence):
    "The exact power of the paired t-test, by the noncentral t distribution."
    t, shift = stats.t.ppf((1 + confidence) / 2, m - 1), difference / spread * m**0.5
    return stats.nct.sf(t, m - 1, shift) + stats.nct.cdf(-t, m - 1, shift)


@pytest.mark.parametrize("ratio", [0.1, 0.3, 0.6, 1.0])
@pytest.mark.parametrize("wanted", [0.5, 0.8, 0.95])
@pytest.mark.parametrize("confidence", [0.9, 0.95, 0.99])
def test_seeds_needed_is_within_one_of_the_exact_number(ratio, wanted, confidence):
    m = seeds_needed(ratio, 1.0, wanted, confidence)
    exact = next(k for k in range(2, 5000) if power(k, ratio, 1.0, confidence) >= wanted)
    assert abs(m - exact) <= 1


def test_seeds_needed_depends_on_the_ratio_alone():
    assert seeds_needed(0.5, 1.0) == seeds_needed(-5.0, 10.0) == 34
    assert seeds_needed(1.0, 0.0) == 2


@pytest.mark.parametrize("arguments", [(0.0, 1.0), (1.0, -1.0), (1.0, 1.0, 1.0), (1.0, 1.0, 0.4), (1.0, 1.0, 0.8, 1.0), (1.0, np.nan),
                                       (np.nan, 1.0), (np.inf, 1.0), (1.0, np.inf), (1.0, 1.0, np.nan), (1.0, 1.0, 0.8, np.nan)])
def test_seeds_needed_refuses_the_impossible(arguments):
    with pytest.raises(ValueError): seeds_needed(*arguments)
