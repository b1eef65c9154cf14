"What chapter 01 promises and a notebook can't test: properties on random data, agreement with scikit-learn, and errors a reader can act on."

from functools import partial

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.linear_model import Perceptron as SklearnPerceptron

from nnbook.checkers import neuron as checkers
from nnbook.data import penguins
from nnbook.exercises import grade
from nnbook.neuron import (
    Adaline,
    LogisticNeuron,
    McCullochPitts,
    Perceptron,
    all_inputs,
    margin,
    mistake_bound,
    widest_separator,
    wilson_interval,
)

LEARNERS = (Perceptron, Adaline, LogisticNeuron)
few = settings(max_examples=30, deadline=None)


def separable(seed, n=None, N=None):
    "Random examples labelled by a random boundary, those with a small margin left out: X, y, weight, bias."
    rng = np.random.default_rng(seed)
    n, N = n or int(rng.integers(1, 8)), N or int(rng.integers(4, 60))
    w, b, X = rng.standard_normal(n), float(rng.standard_normal()), rng.standard_normal((N, n)) * rng.uniform(0.1, 5, n)
    keep = np.abs(X @ w + b) > 0.2 * np.hypot(np.linalg.norm(w), b)
    return X[keep], (X[keep] @ w + b >= 0).astype(int), w, b


def blobs(seed, N=80, n=3):
    "Two overlapping clouds."
    rng = np.random.default_rng(seed)
    y = np.arange(N) % 2
    return rng.standard_normal((N, n)) + 0.8 * y[:, None], y


# --- the threshold unit

def test_all_inputs_counts_in_binary():
    assert all_inputs(3).tolist() == [[int(bit) for bit in f"{i:03b}"] for i in range(8)]


def test_threshold_unit_fires_at_its_threshold():
    assert McCullochPitts([1, 1], 2).predict(all_inputs(2)).tolist() == [0, 0, 0, 1]
    assert McCullochPitts([1, 1, -2], 1).predict([[1, 1, 1], [1, 0, 0], [0, 0, 0]]).tolist() == [0, 1, 0]


@few
@given(st.lists(st.integers(-3, 3), min_size=2, max_size=2), st.integers(-6, 6))
def test_no_threshold_unit_computes_xor(weight, threshold):
    assert McCullochPitts(weight, threshold).predict(all_inputs(2)).tolist() not in ([0, 1, 1, 0], [1, 0, 0, 1])


# --- Novikoff

@few
@given(st.integers(0, 10**6))
def test_perceptron_separates_and_never_exceeds_the_bound_of_any_separator(seed):
    X, y, w, b = separable(seed)
    assume(len(X) > 0)
    unit = Perceptron().fit(X, y, epochs=100_000, seed=seed)
    assert (unit.predict(X) == y).all() and unit.history["mistakes"][-1] == 0
    mistakes = len(unit.history["wrong"])
    assert mistakes == sum(unit.history["mistakes"])
    assert mistakes <= mistake_bound(X, y, w, b) * (1 + 1e-9)
    assert mistakes <= mistake_bound(X, y, *widest_separator(X, y)) * (1 + 1e-9)


@few
@given(st.integers(0, 10**6))
def test_no_separator_beats_the_ceiling_of_the_widest(seed):
    X, y, w, b = separable(seed)
    assume(len(X) > 0)
    u, c = widest_separator(X, y)
    ceiling = np.linalg.norm(np.append(u, c)) * (1 + 1e-9)
    assert 0 < margin(X, y, u, c) <= ceiling and margin(X, y, w, b) <= ceiling


@few
@given(st.integers(0, 10**6))
def test_widest_separator_reaches_the_ceiling_in_any_units(seed):
    "Its margin equals the length of an average of s (x, 1), which no margin exceeds; so it is the widest."
    X, y, *_ = separable(seed)
    assume(len(X) > 0)
    for units in (1.0, 1e-2, 1e3):
        u, c = widest_separator(X * units, y)
        assert margin(X * units, y, u, c) == pytest.approx(np.linalg.norm(np.append(u, c)), rel=1e-6)


def test_widest_separator_of_penguins_in_grams_is_no_rescaled_one():
    birds = penguins().complete()
    X, y = birds.x[:, [1, 3]], (np.array(birds.target_names)[birds.y] == "Gentoo").astype(int)
    mean, std = X.mean(axis=0), X.std(axis=0)
    w, b = widest_separator((X - mean) / std, y)
    assert margin(X, y, *widest_separator(X, y)) == pytest.approx(0.5666, abs=1e-4)
    assert margin(X, y, w / std, b - w @ (mean / std)) == pytest.approx(0.180, abs=1e-3)


def test_widest_separator_of_two_points_is_known():
    X, y = np.array([[2.0, 0.0], [-2.0, 0.0]]), np.array([1, 0])
    u, c = widest_separator(X, y)
    np.testing.assert_allclose([*u, c], [2, 0, 0], atol=1e-9)
    assert margin(X, y, u, c) == pytest.approx(2)
    assert mistake_bound(X, y, u, c) == pytest.approx(5 / 4)


def test_weights_that_do_not_separate_bound_nothing():
    with pytest.raises(ValueError, match="do not separate"):
        mistake_bound(all_inputs(2), [0, 1, 1, 0], [1.0, 1.0], -0.5)
    with pytest.raises(ValueError, match="no separator"):
        widest_separator(all_inputs(2), [0, 1, 1, 0], steps=100)


# --- the perceptron

@few
@given(st.integers(0, 10**6), st.sampled_from([2.0**-10, 0.5, 4.0, 2.0**20]))
def test_learning_rate_only_scales_the_perceptron(seed, lr):
    X, y = blobs(seed)
    one, other = (Perceptron().fit(X, y, lr=rate, epochs=5, seed=seed) for rate in (1.0, lr))
    assert one.history == other.history
    np.testing.assert_array_equal(one.weight * lr, other.weight)


def test_perceptron_weights_are_the_sum_of_its_mistakes():
    X, y = blobs(3)
    unit = Perceptron().fit(X, y, lr=0.5, epochs=7)
    sign = 2 * y[unit.history["wrong"]] - 1
    np.testing.assert_allclose(unit.weight, 0.5 * sign @ X[unit.history["wrong"]], atol=1e-12)
    assert unit.bias == 0.5 * sign.sum()


@few
@given(st.integers(0, 10**6))
def test_perceptron_agrees_with_scikit_learn(seed):
    X, y = blobs(seed)
    y[0], theirs = 0, SklearnPerceptron(shuffle=False, max_iter=6, tol=None)      # at z = 0 we fire and they don't: begin with a 0
    theirs.fit(X, y)
    ours = Perceptron().fit(X, y, epochs=6, seed=None)
    np.testing.assert_allclose(ours.weight, theirs.coef_[0], atol=1e-9)
    assert ours.bias == pytest.approx(theirs.intercept_[0])
    assert (ours.predict(X) == theirs.predict(X)).all()


@few
@given(st.integers(0, 10**6))
def test_log_loss_equals_its_textbook_form(seed):
    X, y = blobs(seed)
    history = LogisticNeuron().fit(X, y, epochs=3).history["loss"]
    p = LogisticNeuron().fit(X, y, epochs=2).predict_proba(X)
    assert history[0] == pytest.approx(np.log(2))
    assert history[2] == pytest.approx(-(y * np.log(p) + (1 - y) * np.log(1 - p)).mean())


def test_at_zero_a_neuron_fires_so_only_examples_labelled_0_are_mistakes_there():
    X = np.array([[1.0], [2.0]])
    assert Perceptron().fit(X, [1, 1], epochs=1, seed=None).history["wrong"] == []
    assert Perceptron().fit(X, [0, 0], epochs=1, seed=None).history["wrong"] == [0]


def test_perceptron_never_settles_on_xor():
    history = Perceptron().fit(all_inputs(2), [0, 1, 1, 0], epochs=50, seed=None).history
    assert len(history["mistakes"]) == 50 and min(history["mistakes"][2:]) == 4


# --- gradients

def step(neuron, X, y, weight, bias, **settings):
    "The descent direction that a learner's next epoch would take from (weight, bias), by restarting it there through the data."
    shifted = type(neuron)()
    moved = {}
    class Spy(type(neuron)):
        def _descend(self, X, y, lr, epochs, loss, error, l2=0.0):
            z = X @ weight + bias
            moved["w"] = -(X.T @ error(z) / len(X) - l2 * weight)
            moved["b"] = -error(z).mean()
            moved["loss"] = lambda w, b: loss(X @ w + b) + l2 / 2 * w @ w
            return shifted
    Spy().fit(X, y, **settings)
    return moved


@few
@given(st.integers(0, 10**6), st.sampled_from([(Adaline, {}), (LogisticNeuron, {}), (LogisticNeuron, {"l2": 0.3})]))
def test_gradients_equal_finite_differences(seed, case):
    learner, options = case
    rng = np.random.default_rng(seed)
    X, y = blobs(seed, N=15)
    w, b, h = rng.standard_normal(3), float(rng.standard_normal()), 1e-5
    got = step(learner(), X, y, w, b, **options)
    numeric = [(got["loss"](w + h * e, b) - got["loss"](w - h * e, b)) / (2 * h) for e in np.eye(3)]
    np.testing.assert_allclose(got["w"], numeric, rtol=1e-5, atol=1e-8)
    assert got["b"] == pytest.approx((got["loss"](w, b + h) - got["loss"](w, b - h)) / (2 * h), rel=1e-5, abs=1e-8)


def test_adaline_finds_the_least_squares_solution():
    X, y = blobs(1)
    unit = Adaline().fit(X, y, lr=0.3, epochs=3000)
    exact = np.linalg.lstsq(np.column_stack([X, np.ones(len(X))]), 2 * y - 1, rcond=None)[0]
    np.testing.assert_allclose([*unit.weight, unit.bias], exact, atol=1e-8)


@few
@given(st.integers(0, 10**6))
def test_adaline_descends_below_the_limit_and_climbs_above_it(seed):
    X, y = blobs(seed, N=30)
    X1 = np.column_stack([X, np.ones(len(X))])
    limit = 2 / np.linalg.eigvalsh(X1.T @ X1 / len(X1)).max()
    below = Adaline().fit(X, y, lr=0.99 * limit, epochs=50).history["loss"]
    above = Adaline().fit(X, y, lr=1.2 * limit, epochs=200).history["loss"]
    assert all(later <= earlier + 1e-12 for earlier, later in zip(below, below[1:]))
    assert above[-1] > above[0]


def test_divergence_ends_in_an_error_that_says_what_to_do():
    X, y = blobs(0)
    with pytest.raises(ValueError, match="smaller lr"):
        Adaline().fit(1000 * X, y, lr=1.0, epochs=500)


@pytest.mark.parametrize("l2", [0.01, 0.5])
def test_logistic_neuron_agrees_with_scikit_learn(l2):
    X, y = blobs(2)
    theirs = LogisticRegression(C=1 / (l2 * len(X)), tol=1e-12, max_iter=10_000).fit(X, y)
    ours = LogisticNeuron().fit(X, y, lr=0.5, epochs=5000, l2=l2)
    np.testing.assert_allclose([*ours.weight, ours.bias], [*theirs.coef_[0], *theirs.intercept_], atol=1e-6)
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X)[:, 1], atol=1e-6)


def test_probabilities_stay_finite_and_agree_with_predictions():
    X, y = np.array([[-1e6], [-1.0], [0.0], [1.0], [1e6]]), np.array([0, 0, 1, 1, 1])
    unit = LogisticNeuron().fit(X[1:4], y[1:4], lr=1.0, epochs=2000)
    with np.errstate(all="raise", under="ignore"):
        p = unit.predict_proba(X)
    assert np.isfinite(p).all() and p.min() >= 0 and p.max() <= 1 and (np.diff(p) >= 0).all()
    assert ((p >= 0.5) == unit.predict(X)).all()
    assert np.isfinite(LogisticNeuron().fit(X, y, lr=1e3, epochs=20).history["loss"]).all()


def test_a_penalty_bounds_the_weights_on_separable_data():
    X, y, *_ = separable(5, n=2, N=40)
    short, long = (np.linalg.norm(LogisticNeuron().fit(X, y, lr=0.2, epochs=e, l2=0.05).weight) for e in (2000, 4000))
    free = np.linalg.norm(LogisticNeuron().fit(X, y, lr=0.2, epochs=4000).weight)
    assert long == pytest.approx(short, rel=1e-3) and free > 1.3 * long


# --- what all learners share

@pytest.mark.parametrize("learner", LEARNERS)
@few
@given(seed=st.integers(0, 10**6))
def test_fit_is_deterministic_and_starts_afresh(learner, seed):
    X, y = blobs(seed)
    one = learner().fit(X, y, epochs=4)
    again = one.fit(X[::2], y[::2] * 0, epochs=2).fit(X, y, epochs=4)
    other = learner().fit(X, y, epochs=4)
    np.testing.assert_array_equal(again.weight, other.weight)
    assert again.bias == other.bias and again.history == other.history


def test_order_depends_on_the_seed_alone():
    X, y = blobs(0)
    state = np.random.get_state()[1].copy()
    runs = [Perceptron().fit(X, y, epochs=3, seed=s).history["wrong"] for s in (0, 0, 1)]
    assert runs[0] == runs[1] != runs[2]
    assert (np.random.get_state()[1] == state).all()


@pytest.mark.parametrize("learner", LEARNERS)
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16, np.int64, np.uint8, bool])
def test_dtypes_and_lists_give_the_same_neuron(learner, dtype):
    X = np.array([[0, 1, 1], [1, 0, 1], [1, 1, 0], [0, 0, 1]])
    y = np.array([1, 0, 0, 1])
    want = learner().fit(X.tolist(), y.tolist(), epochs=9)
    got = learner().fit(X.astype(dtype), y.astype(dtype), epochs=9)
    np.testing.assert_allclose(got.weight, want.weight)
    assert got.weight.dtype == np.float64 and isinstance(got.bias, float)
    labels = got.predict(X.astype(dtype))
    assert labels.dtype == np.int64 and labels.shape == (4,) and set(labels) <= {0, 1}
    assert got.predict(np.zeros((0, 3))).shape == (0,)


@pytest.mark.parametrize("learner", LEARNERS)
def test_inputs_are_not_changed(learner):
    X, y = blobs(0)
    X.flags.writeable = y.flags.writeable = False
    learner().fit(X, y, epochs=3).predict(X)


BAD = [
    (np.zeros(5), np.zeros(5), ValueError, r"got \(5,\)"),
    (np.zeros((5, 4, 4)), np.zeros(5), ValueError, r"\(5, 4, 4\).*reshape"),
    (np.zeros((5, 2)), np.zeros(4), ValueError, r"\(5, 2\).*got shape \(4,\)"),
    (np.zeros((5, 2)), np.zeros((5, 1)), ValueError, r"got shape \(5, 1\)"),
    (np.zeros((0, 2)), np.zeros(0), ValueError, r"nothing to learn from.*\(0, 2\)"),
    (np.zeros((3, 0)), np.zeros(3), ValueError, r"nothing to learn from.*\(3, 0\)"),
    (np.array([[1.0], [np.nan], [np.inf]]), np.zeros(3), ValueError, "2 of 3 rows, first in row 1"),
    (np.array([["a"], ["b"]]), np.zeros(2), TypeError, "dtype <U1"),
    (np.zeros((2, 1)), np.array([3, 7]), ValueError, r"\[3, 7\].*y == 7"),
    (np.zeros((2, 1)), np.array([-1, 1]), ValueError, r"0 or 1, got \[-1, 1\]"),
    (np.zeros((2, 1)), np.array([0.0, np.nan]), ValueError, "0 or 1"),
    (np.zeros((2, 1)), np.array(["no", "yes"]), ValueError, r"y == 'yes'"),
]


@pytest.mark.parametrize("learner", LEARNERS)
@pytest.mark.parametrize("X, y, error, says", BAD)
def test_bad_examples_raise_and_say_what_came(learner, X, y, error, says):
    with pytest.raises(error, match=says):
        learner().fit(X, y)


@pytest.mark.parametrize("learner", LEARNERS)
@pytest.mark.parametrize("settings", [{"lr": 0}, {"lr": -1.0}, {"lr": np.nan}, {"lr": np.inf}, {"epochs": 0}])
def test_bad_settings_raise(learner, settings):
    with pytest.raises(ValueError, match="lr > 0 and epochs >= 1"):
        learner().fit(*blobs(0), **settings)


def test_negative_penalty_raises():
    with pytest.raises(ValueError, match="l2 >= 0"):
        LogisticNeuron().fit(*blobs(0), l2=-1)


@pytest.mark.parametrize("learner", LEARNERS)
def test_prediction_needs_a_fit_and_the_same_features(learner):
    with pytest.raises(ValueError, match=f"{learner.__name__} has no weights yet"):
        learner().predict(np.zeros((1, 2)))
    unit = learner().fit(*blobs(0), epochs=1)
    with pytest.raises(ValueError, match=r"3 weights, but X has shape \(1, 2\)"):
        unit.predict(np.zeros((1, 2)))


def test_threshold_unit_reads_only_zeros_and_ones():
    with pytest.raises(ValueError, match="zeros and ones"):
        McCullochPitts([1, 1], 1).predict([[0.5, 1]])


# --- Wilson

def test_wilson_interval_matches_published_values():
    assert wilson_interval(81, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)      # Newcombe (1998), Table I
    assert wilson_interval(0, 20) == pytest.approx((0.0, 0.1611), abs=1e-4)
    assert wilson_interval(15, 148) == pytest.approx((0.0624, 0.1605), abs=1e-4)


@few
@given(st.integers(1, 500), st.floats(0, 1))
def test_wilson_interval_holds_the_observed_share_and_stays_in_range(n, share):
    correct = round(share * n)
    low, high = wilson_interval(correct, n)
    assert -1e-12 <= low <= correct / n + 1e-12 and correct / n - 1e-12 <= high <= 1 + 1e-12


def test_wilson_interval_refuses_impossible_counts():
    with pytest.raises(ValueError, match="5 of 4"):
        wilson_interval(5, 4)


# --- right answers in another form

def learn_as_page(X, y, epochs=1000):
    unit = Perceptron().fit(X, y, epochs=epochs, seed=None)
    return [unit.weight, unit.bias, len(unit.history["wrong"])]


class Learner:
    def __call__(self, X, y, epochs=1000):
        return judged(X, y, epochs)


judged = learn_as_page                                     # by another name, since the checker looks for the page's Perceptron


@pytest.mark.parametrize("learn", [partial(lambda fit, X, y, epochs: fit(X, y, epochs), judged), Learner()], ids=["partial", "object"])
def test_checker_takes_lists_partials_and_objects(learn):
    assert grade("neuron.2", learn).status == "passed", grade("neuron.2", learn)


@pytest.mark.parametrize("gap", [3e-3, 1e-4, 1e-6])
def test_checker_takes_a_separable_lesson_that_the_perceptron_does_not_finish(gap):
    assert grade("neuron.5", lambda: (np.array([[1, 0], [1 - gap, 0]]), np.array([1, 0]))).status == "passed"


@few
@given(st.integers(0, 10**6))
def test_checker_refuses_lessons_that_no_line_separates(seed):
    "Three examples on one line, the middle one of the other class."
    rng = np.random.default_rng(seed)
    ends, share = rng.uniform(-0.7, 0.7, (2, 2)), rng.uniform(0.01, 0.99)
    X = np.array([*ends, share * ends[0] + (1 - share) * ends[1]])
    assert not checkers._separable(X, np.array([1, 1, 0]))


def test_checker_takes_gradients_and_repairs_in_a_list():
    def repair(w, b, x, y):
        t = max(0.0, 1 - (2 * y - 1) * (w @ x + b)) / (x @ x + 1) * (2 * y - 1)
        return [w + t * x, b + t]
    assert grade("neuron.3", repair).status == "passed"
