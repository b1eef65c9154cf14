"""Evaluation: tables into inputs, metrics, intervals; held to scikit-learn and SciPy."""
import subprocess
import sys

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as reference
from sklearn.compose import ColumnTransformer
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from nnbook import evaluation
from nnbook.autograd import Tensor
from nnbook.data import penguins
from nnbook.evaluation import TableEncoder
from nnbook.exercises import grade
from nnbook.training import accuracy

rng = np.random.default_rng(0)


# -- metrics

classes = st.integers(2, 5).flatmap(lambda k: st.tuples(
    st.just(k), st.lists(st.tuples(st.integers(0, k - 1), st.integers(0, k - 1)), min_size=1, max_size=60)))


@given(classes)
def test_metrics_agree_with_scikit_learn(drawn):
    k, pairs = drawn
    y, guess = np.array(pairs).T
    logits = np.eye(k)[guess] + 0.1
    every = np.arange(k)
    for outputs in (guess, logits, Tensor(logits)):
        assert accuracy(outputs, y) == pytest.approx(reference.accuracy_score(y, guess))
        assert (evaluation.confusion_matrix(outputs, y, k) == reference.confusion_matrix(y, guess, labels=every)).all()
        assert evaluation.f1(outputs, y) == pytest.approx(reference.f1_score(y, guess, average="macro", zero_division=0))
    ours = np.array(evaluation.precision_recall_f1(logits, y))
    theirs = reference.precision_recall_fscore_support(y, guess, labels=every, zero_division=0)[:3]
    assert np.allclose(ours, theirs)


@given(st.lists(st.tuples(st.integers(-4, 4), st.booleans()), min_size=2, max_size=60))
def test_roc_agrees_with_scikit_learn(pairs):
    scores, y = np.array([s for s, _ in pairs], float), np.array([int(c) for _, c in pairs])
    if y.min() == y.max():
        with pytest.raises(ValueError, match="both must occur"): evaluation.roc_auc(scores, y)
        return
    assert evaluation.roc_auc(scores, y) == pytest.approx(reference.roc_auc_score(y, scores))
    theirs = reference.roc_curve(y, scores, drop_intermediate=False)
    assert np.allclose(evaluation.roc_curve(scores, y), theirs[:2])
    two = np.column_stack([0 * scores, scores])
    assert evaluation.roc_auc(two, y) == evaluation.roc_auc(scores[:, None], y) == evaluation.roc_auc(scores, y)


@given(st.lists(st.tuples(st.floats(-5, 5), st.floats(-5, 5)), min_size=2, max_size=40))
def test_r2_agrees_with_scikit_learn(pairs):
    p, y = np.array(pairs).T
    if np.ptp(y) < 1e-3: return
    assert evaluation.r2(p, y) == evaluation.r2(p[:, None], y[:, None]) == pytest.approx(reference.r2_score(y, p))


@pytest.mark.parametrize("call", [
    lambda: accuracy(np.zeros((3, 2)), np.zeros(4, int)), lambda: accuracy(np.zeros((0, 2)), np.zeros(0, int)),
    lambda: accuracy(np.full((3, 2), np.nan), np.zeros(3, int)), lambda: accuracy(np.zeros((3, 2, 2)), np.zeros(3, int)),
    lambda: evaluation.roc_auc(np.zeros((3, 3)), np.array([0, 1, 0])),
    lambda: evaluation.roc_auc(np.array([0, np.nan]), np.array([0, 1])), lambda: evaluation.r2([1, 2], [3, 3]),
    lambda: evaluation.r2([1, 2], [1, 2, 3]), lambda: evaluation.confusion_matrix([0, 5], [0, 1], 3)])
def test_metrics_refuse(call):
    with pytest.raises(ValueError): call()


def test_intervals_agree_with_scipy():
    for df in (1, 2, 4, 9, 30, 200):
        for p in (0.025, 0.3, 0.5, 0.95, 0.995):
            assert evaluation.t_quantile(p, df) == pytest.approx(scipy.stats.t.ppf(p, df), rel=1e-4, abs=1e-6)
    v = rng.normal(size=8)
    mean, half = evaluation.mean_interval(v)
    low, high = scipy.stats.t.interval(0.95, 7, v.mean(), scipy.stats.sem(v))
    assert (mean - half, mean + half) == pytest.approx((low, high))
    assert evaluation.corrected_interval(v, 80, 20)[1] / half == pytest.approx((1 + 8 * 20 / 80)**0.5)
    with pytest.raises(ValueError, match="two runs"): evaluation.mean_interval([1.0])


def test_the_corrected_interval_covers_where_the_plain_one_does_not():
    "Accuracy of a nearest-mean classifier over five splits, against its value on a large sample."
    draw, covered = np.random.default_rng(1), []
    truth = []
    for trial in range(300):
        y = draw.integers(0, 2, 100)
        x = draw.normal(size=100) + y
        scores = []
        for seed in range(5):
            order = np.random.default_rng([trial, seed]).permutation(100)
            a, b = order[:75], order[75:]
            middle = (x[a][y[a] == 0].mean() + x[a][y[a] == 1].mean()) / 2
            scores.append(np.mean((x[b] > middle) == y[b]))
        truth.append(scipy.stats.norm.cdf(0.5))
        for interval in (evaluation.mean_interval(scores), evaluation.corrected_interval(scores, 75, 25)):
            covered.append(abs(interval[0] - truth[-1]) <= interval[1])
    plain, corrected = np.reshape(covered, (300, 2)).mean(axis=0)
    assert corrected > plain and corrected > 0.88


def test_infinite_scores_can_tie():
    assert evaluation.roc_auc([np.inf, np.inf], [0, 1]) == evaluation.roc_auc([np.inf, np.inf], [1, 0]) == 0.5


# -- intervals that stay where shares are

@given(st.integers(1, 2000), st.data())
def test_wilsons_interval_agrees_with_scipys_and_stays_inside(n, data):
    k = data.draw(st.integers(0, n))
    low, high = evaluation.wilson_interval(k / n, n)
    theirs = scipy.stats.binomtest(k, n).proportion_ci(0.95, method="wilson")
    assert 0 <= low <= k / n <= high <= 1 and (low, high) == pytest.approx((theirs.low, theirs.high), abs=1e-4)


def test_corrected_shares_stay_inside_and_agree_in_the_middle():
    draw = np.random.default_rng(0)
    middle = 0.6 + 0.12 * draw.normal(size=30)
    mean, low, high = evaluation.corrected_share(middle, 75, 25)
    _, half = evaluation.corrected_interval(middle, 75, 25)
    assert (high - low) / 2 == pytest.approx(half, rel=0.1) and low < mean < high
    for values in ([1.0] * 30, [1.0, 0.98] * 15, [0.0, 0.0], [1.0, 0.0]):
        mean, low, high = evaluation.corrected_share(values, 133, 45)
        assert 0 <= low <= mean <= high <= 1 and high - low > 0.005


def test_corrected_shares_cover_where_accuracies_are_high():
    "A nearest-mean classifier that is right on 97%, thirty splits of tables of 100: against its mean over tables."
    draw, found, scores = np.random.default_rng(1), [], []
    for trial in range(200):
        y = np.arange(100) % 2
        x = draw.normal(size=100) + 3.76 * y
        values = []
        for seed in range(20):
            o = np.random.default_rng([trial, seed]).permutation(100)
            a, b = o[:75], o[75:]
            middle = (x[a][y[a] == 0].mean() + x[a][y[a] == 1].mean()) / 2
            values.append(np.mean((x[b] > middle) == y[b]))
        scores.append(np.mean(values))
        found.append(evaluation.corrected_share(values, 75, 25)[1:])
    truth = np.mean(scores)
    assert 0.96 < truth < 0.98
    assert np.mean([low <= truth <= high for low, high in found]) > 0.93


@given(st.integers(2, 60), st.integers(2, 10), st.integers(0, 5))
def test_folds_test_every_row_once(n, k, seed):
    if k > n:
        with pytest.raises(ValueError, match="make no"): evaluation.folds(n, k, seed)
        return
    pairs = evaluation.folds(n, k, seed)
    assert sorted(np.concatenate([b for _, b in pairs])) == list(range(n)) and len(pairs) == k
    assert all(sorted(np.concatenate(pair)) == list(range(n)) for pair in pairs)
    assert max(len(b) for _, b in pairs) - min(len(b) for _, b in pairs) <= 1


def test_rare_words_stay_ones():
    frame = {"w": ["a"] * 999 + ["b"], "n": np.arange(1000.0)}
    out = TableEncoder(["n"], ["w"]).fit(frame).transform(frame)
    assert out[-1, 2] == 1 and out[0, 2] == 0 and out[0, 1] == 1 and abs(out[:, 0].std() - 1) < 1e-3


# -- wrong calls

def calls():
    nan, e = float("nan"), evaluation
    frame, y, s = {"a": np.arange(4.0), "w": np.array(list("xyxy"))}, np.array([0, 1, 0, 1]), np.arange(4.0)
    done = TableEncoder(["a"], ["w"]).fit(frame)
    yield from ((f"encoder {a!r}", lambda a=a: TableEncoder(*a)) for a in [(None,), ("a",), ([1],), (["a"], "w"), (["a"], None), (3,)])
    yield from ((f"fit {f!r:.40}", lambda f=f: TableEncoder(["a"], ["w"]).fit(f)) for f in [
        None, "a", 3, [1], {}, {"a": [1.0]}, {"a": [], "w": []}, {"a": [1.0, 2.0], "w": ["x"]}, {"a": [[1.0]], "w": ["x"]}, {"a": ["q"], "w": ["x"]}, {"a": [nan], "w": ["x"]}, {"a": 3, "w": ["x"]}])
    yield "no columns", lambda: TableEncoder().fit(frame)
    yield from ((f"transform {f!r:.40}", lambda f=f: done.transform(f)) for f in [None, {}, {"a": [1.0]}, {"a": [1.0, 2.0], "w": ["x"]}, {"a": [], "w": []}])
    for name in ("confusion_matrix", "precision_recall_f1", "f1", "roc_curve", "roc_auc", "r2"):
        for arguments in [(None, y), (s, None), ("a", "b"), (s, y[:2]), ([], []), (np.full(4, nan), y), (np.zeros((4, 2, 2)), y), (s, list("abcd")), ([[1], [2, 3]], y)]:
            yield f"{name} {arguments!r:.50}", lambda name=name, arguments=arguments: getattr(e, name)(*arguments)
    yield from ((f"classes {k!r}", lambda k=k: e.confusion_matrix(y, y, k)) for k in (nan, -1, 0, "2", 1, 2.5))
    yield from ((f"r2 {a!r:.30}", lambda a=a: e.r2(*a)) for a in [(s, [1, 2, nan, 3]), ([1, np.inf], [1, 2])])
    yield from ((f"t {a!r}", lambda a=a: e.t_quantile(*a)) for a in [(nan, 3), (1.5, 3), (0, 3), ("a", 3), (None, 3), (0.5, 0), (0.5, nan), (0.5, "3"), (0.5, None), (0.5, 2.5)])
    yield from ((f"mean {a!r}", lambda a=a: e.mean_interval(*a)) for a in [(None,), ("ab",), ([],), ([1.0],), ([1, nan],), ([1, 2], 1.0), ([1, 2], nan), ([1, 2], "x"), ([1, 2], None), ([[1], [2, 3]],)])
    yield from ((f"corrected {a!r}", lambda a=a: e.corrected_interval(*a)) for a in [([1, 2], 0, 5), ([1, 2], 5, 0), ([1, 2], nan, 5), ([1, 2], None, 5), ([1, 2], 5, "5"), (None, 5, 5), ([1], 5, 5)])
    yield from ((f"share {a!r}", lambda a=a: e.corrected_share(*a)) for a in [([1, 2], 5, 5), ([-0.1, 0.5], 5, 5), (None, 5, 5), ([0.5, 0.6], 0, 5)])
    yield from ((f"wilson {a!r}", lambda a=a: e.wilson_interval(*a)) for a in [(nan, 5), (1.1, 5), (-0.1, 5), ("a", 5), (None, 5), (0.5, 0), (0.5, nan), (0.5, None), (0.5, 5, 2.0), (0.5, np.inf)])
    yield from ((f"folds {a!r}", lambda a=a: e.folds(*a)) for a in [(None,), (nan,), (10, 1), (10, nan), (10, "5"), (3, 5), (-4, 2), (10, 5, -1), (10, 5, "a"), (10, 5, None)])


@pytest.mark.parametrize("call", [pytest.param(call, id=name) for name, call in calls()])
def test_a_wrong_call_ends_in_a_message_of_ours(call):
    "Raised here and not by NumPy or Python further down."
    with pytest.raises((ValueError, TypeError)) as caught: call()
    path = str(caught.traceback[-1].path)
    assert path.endswith(("nnbook/evaluation.py", "nnbook/training.py")), (path, str(caught.value))
    assert len(str(caught.value)) > 15


# -- tables

def test_the_encoder_agrees_with_scikit_learn():
    birds = penguins()
    frame, numbers, words = birds.frame, list(birds.feature_names), ["island", "sex"]
    rows, test = np.arange(200), np.arange(200, 344)
    ours = TableEncoder(numbers, words).fit({k: v[rows] for k, v in frame.items()}).transform(
        {k: v[test] for k, v in frame.items()})
    import pandas
    table = pandas.DataFrame(dict(frame))
    theirs = ColumnTransformer([
        ("numbers", make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), numbers),
        ("holes", MissingIndicator(features="missing-only"), numbers),
        ("words", OneHotEncoder(categories=[sorted(set(frame[w][rows]) - {""}) for w in words],
                                handle_unknown="ignore", sparse_output=False), words)])
    assert np.allclose(ours, theirs.fit(table.iloc[rows]).transform(table.iloc[test]), atol=1e-5)


def test_the_encoder_meets_what_it_has_not_seen():
    encoder = TableEncoder(["a", "b"], ["w"]).fit({"a": [1, 2, 3], "b": [7, 7, 7], "w": ["x", "y", "x"]})
    out = encoder.transform({"a": [np.nan, 2], "b": [9, 7], "w": ["z", ""]})
    assert encoder.names == ["a", "b", "w=x", "w=y"] and np.isfinite(out).all() and out.dtype == np.float32
    assert (out[:, 1] == 0).all() and not out[:, 2:].any() and out[0, 0] == 0
    with pytest.raises(ValueError, match="first fit the encoder"): TableEncoder(["a"]).transform({"a": [1]})
    with pytest.raises(ValueError, match="no column 'q'"): TableEncoder(["q"]).fit({"a": [1]})
    with pytest.raises(ValueError, match="not all numbers"): TableEncoder(["w"]).fit({"w": ["x"]})
    with pytest.raises(ValueError, match="every entry"): TableEncoder(["a"]).fit({"a": [np.nan, np.nan]})
    with pytest.raises(ValueError, match="infinity"): TableEncoder(["a"]).fit({"a": [np.inf, 1]})


# -- the old place

@pytest.mark.parametrize("name", ["TableEncoder", "confusion_matrix", "precision_recall_f1", "f1", "roc_curve", "roc_auc", "r2",
                                  "t_quantile", "mean_interval", "corrected_interval"])
def test_the_old_names_in_training_still_work_and_warn(name):
    from nnbook import training
    with pytest.warns(DeprecationWarning, match=f"from nnbook.evaluation import {name}"):
        assert getattr(training, name) is getattr(evaluation, name)


def test_training_has_no_other_names():
    from nnbook import training
    with pytest.raises(AttributeError, match="no attribute 'roc'"): training.roc
    assert "evaluation" not in vars(training)


def test_old_exercise_names_find_their_checkers():
    "In a process of its own, where nothing has loaded the checkers of evaluation."
    code = "from nnbook.exercises import grade; print([grade(f'training.{i}', lambda *a: 0).status for i in (3, 4, 5)])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == str(["failed"] * 3)
    assert "no such exercise" not in grade("training.3", lambda s, y: 0).message


# -- exercises: right answers in other clothes, and messages that name the mistake

IN_PLACE = """
def standardize(train, test):
    mean, std = train.mean(axis=0), train.std(axis=0)
    std = np.where(std > 1e-12 * np.abs(mean), std, 1.0)
    for x in (train, test):
        x -= mean
        x /= std
    return train, test
"""


def test_a_right_answer_in_place_passes():
    space = {"np": np}
    exec(IN_PLACE, space)
    assert grade("evaluation.2", space["standardize"]).status == "passed"


def test_guesses_in_a_list_pass():
    def narrowing(few, many, n_train, n_test):
        width = lambda m: evaluation.t_quantile(0.975, m - 1) * (1 / m + n_test / n_train)**0.5
        return 1 - width(many) / width(few)
    assert grade("evaluation.5", ([0.5, 0.3], narrowing)).status == grade("evaluation.5", [[0.5, 0.3], narrowing]).status == "passed"


@pytest.mark.parametrize(("exercise", "answer", "said"), [
    ("evaluation.1", 0.5, "the function auc_by_pairs itself"), ("evaluation.2", lambda train, test: train, "return two things"),
    ("evaluation.4", 0.5, "the function repaired itself"), ("evaluation.4", lambda x, y, k, seed: (x, y), "return one number"),
    ("training.1", 1.5, "the function epoch_loss itself")])
def test_a_message_names_the_mistake(exercise, answer, said):
    verdict = grade(exercise, answer)
    assert verdict.status == "failed" and said in verdict.message, verdict


def test_logits_are_called_logits():
    from nnbook.layers import MLP
    from nnbook.optim import AdamW
    from nnbook.training import DataLoader, fit, predict
    def trained(x, y, returned):
        model = MLP(13, 8, 3, rng=0)
        fit(model, AdamW(model.parameters(), lr=3e-3), DataLoader(x, y), epochs=5, progress=False)
        return returned(model)
    verdict = grade("evaluation.3", lambda x, y: trained(x, y, lambda model: lambda rows: predict(model, rows)))
    assert "not class numbers" in verdict.message
    verdict = grade("evaluation.3", lambda x, y: trained(x, y, lambda model: model))
    assert "a network alone" in verdict.message
    verdict = grade("evaluation.3", lambda x, y: trained(x, y, lambda model: lambda rows: model(rows)))
    assert "not class numbers" in verdict.message
