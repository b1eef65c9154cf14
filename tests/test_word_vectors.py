"Word embeddings: counts beside brute force, PMI beside its definition, skip-gram beside torch, vectors beside plain loops, and errors a reader can act on."

import copy
import pickle

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from nnbook.autograd import Tensor
from nnbook.optim import Adam
from nnbook.streams import stream
from nnbook.tokenizer import SkipGram, WordVectors, cooccurrences, draw_negatives, negative_sampling_loss, pmi, skip_gram_pairs, word_tokens
from nnbook.torch import tokenizer as twins
from nnbook.torch.twins import copy_weights

few = settings(max_examples=40, deadline=None)
N = 5
texts = st.lists(st.lists(st.integers(-1, N - 1), max_size=12).map(lambda ids: np.array(ids, int)), min_size=1, max_size=3)
windows = st.integers(1, 6)


def pairs_of(texts, window):
    "All (center, context, distance), by two loops."
    return [(int(text[i]), int(text[j]), abs(i - j)) for text in texts for i in range(len(text)) for j in range(len(text))
            if i != j and abs(i - j) <= window and text[i] >= 0 and text[j] >= 0]


# --- words

@pytest.mark.parametrize("text, words", [
    ("Know't, I know't: 'tis so.", ["know't", "i", "know't", "tis", "so"]), ("o'er-leap the sun's (1606)", ["o'er", "leap", "the", "sun's"]),
    ("L’ÉTÉ d’Œdipe", ["l'été", "d'œdipe"]), ("'' -- 42 _ ", []), ("", []), ("players' a''b snake_case x2y", ["players", "a", "b", "snake", "case", "x", "y"])])
def test_words_are_runs_of_letters_with_inner_apostrophes(text, words):
    assert word_tokens(text) == words


@few
@given(st.text() | st.text(alphabet="aB'’ -1½²Ⅷ_é\n"))
def test_words_come_in_order_and_hold_letters_and_apostrophes_alone(text):
    text = text.replace("Σ", "").replace("İ", "")                 # whose lower case hangs on what follows, or is no letter alone
    words = word_tokens(text)
    assert all(word.replace("'", "") and word[0] != "'" != word[-1] and "''" not in word for word in words)
    assert "".join(words).replace("'", "") == "".join(c for c in text if c.isalpha()).lower()
    assert word_tokens(" ".join(words)) == words


# --- counting

@few
@given(texts, windows)
def test_cooccurrences_are_what_two_loops_count(texts, window):
    want = np.zeros((N, N), int)
    for a, b, _ in pairs_of(texts, window): want[a, b] += 1
    got = cooccurrences(texts, N, window)
    assert got.dtype == np.int64 and (got == want).all()


@few
@given(texts, windows)
def test_dynamic_windows_count_near_words_more(texts, window):
    want = np.zeros((N, N))
    for a, b, d in pairs_of(texts, window): want[a, b] += (window - d + 1) / window
    np.testing.assert_allclose(cooccurrences(texts, N, window, dynamic=True), want, atol=1e-12)


@few
@given(texts, windows)
def test_the_pairs_are_those_that_are_counted(texts, window):
    centers, contexts = skip_gram_pairs(texts, window)
    assert centers.dtype == contexts.dtype == np.int64 and centers.shape == contexts.shape
    assert sorted(zip(centers.tolist(), contexts.tolist())) == sorted((a, b) for a, b, _ in pairs_of(texts, window))


def test_one_text_may_come_bare_as_an_array_or_as_a_list():
    text = [0, 1, 2, 1, 0]
    for form in (text, tuple(text), np.array(text), np.array(text, np.uint8), Tensor(np.array(text)), [text], [np.array(text)]):
        assert (cooccurrences(form, 3, 2) == cooccurrences([np.array(text)], 3, 2)).all()
    assert cooccurrences([], 3, 2).sum() == 0 and not len(skip_gram_pairs([], 2)[0])


def test_windows_of_random_size_reach_as_far_as_their_counts_say_in_the_mean():
    text = stream(0, "judge").integers(N, size=40_000)
    want = cooccurrences(text, N, 4, dynamic=True)
    got = np.zeros((N, N))
    np.add.at(got, skip_gram_pairs(text, 4, rng=1, dynamic=True), 1)
    assert abs(got.sum() / want.sum() - 1) < 0.01
    assert abs(got / want - 1).max() < 0.06
    far = np.array([0, 1, 1, 1])                                   # at distance 3 the first word and the last, each by a window of its own
    reached = [[(a, b) for a, b in zip(*skip_gram_pairs(np.array([0, -1, -1, 1]), 3, rng=seed, dynamic=True))] for seed in range(300)]
    share = np.mean([(0, 1) in pairs for pairs in reached])
    assert 0.25 < share < 0.42 and {len(pairs) for pairs in reached} == {0, 1, 2}
    assert len(skip_gram_pairs(far, 3)[0]) == 12


def test_subsampling_keeps_frequent_words_by_the_square_root_and_all_rare_ones():
    rng = stream(0, "judge")
    text = rng.permutation(np.repeat([0, 1, 2], [80_000, 19_900, 100]))
    centers, _ = skip_gram_pairs(text, 1, rng=0, subsample=0.05)
    share = np.bincount(centers) / 2 / [80_000, 19_900, 100]
    np.testing.assert_allclose(share, [(0.05 / 0.8)**0.5, (0.05 / 0.199)**0.5, 1], rtol=0.03)
    together = np.array([0] * 50 + [1] + [0] * 50 + [2])           # what is left moves together
    a, b = skip_gram_pairs(together, 1, rng=0, subsample=1e-7)
    assert len(a) < 20
    a, b = skip_gram_pairs(np.array([0, -1, 1]), 1, rng=0, subsample=1.0)
    assert sorted(zip(a, b)) == [(0, 1), (1, 0)]


def test_equal_seeds_draw_equal_pairs():
    text, options = stream(0, "judge").integers(N, size=200), {"dynamic": True, "subsample": 0.1}
    one, two, three = (skip_gram_pairs(text, 3, rng, **options) for rng in (3, 3, 4))
    assert all(np.array_equal(a, b) for a, b in zip(one, two)) and not np.array_equal(one[0], three[0])


# --- PMI

tables = st.integers(1, 5).flatmap(lambda n: st.integers(1, 5).flatmap(lambda m: st.lists(st.integers(0, 9), min_size=n * m, max_size=n * m).map(lambda c: np.array(c).reshape(n, m))))


@few
@given(tables.filter(np.any), st.sampled_from([1, 5, 0.5]), st.sampled_from([1.0, 0.75, 0.0]))
def test_pmi_is_what_it_is_called(counts, k, smoothing):
    got, N = pmi(counts, k, smoothing=smoothing), counts.sum()
    power = np.array([c**smoothing if c else 0 for c in counts.sum(0)])
    for (w, c), n in np.ndenumerate(counts):
        want = np.log(n / N / (counts[w].sum() / N * power[c] / power.sum())) - np.log(k) if n else -np.inf
        assert np.isclose(got[w, c], want) or got[w, c] == want
    assert (pmi(counts, k, positive=True, smoothing=smoothing) == np.maximum(got, 0)).all()


def test_independent_words_have_pmi_0_and_huge_counts_do_no_harm():
    counts = np.outer([1, 20, 300], [2, 30, 400])
    np.testing.assert_allclose(pmi(counts), 0, atol=1e-12)
    np.testing.assert_allclose(pmi(counts * 1e200), 0, atol=1e-9)
    np.testing.assert_allclose(pmi(counts, k=5), -np.log(5), atol=1e-12)
    assert np.isneginf(pmi(np.array([[1, 0], [0, 0]]))).tolist() == [[False, True], [True, True]]


@few
@given(st.integers(0, 100))
def test_the_loss_is_least_at_pmi_less_log_k(seed):
    "Levy & Goldberg (2014): any other score of a pair costs more, with draws as the text has contexts, or smoothed."
    rng = np.random.default_rng(seed)
    counts, k = rng.integers(1, 20, (4, 3)), 5
    for smoothing in (1.0, 0.75):
        drawn = counts.sum(0)**smoothing / (counts.sum(0)**smoothing).sum()
        loss = lambda s: counts * np.logaddexp(0, -s) + k * counts.sum(1, keepdims=True) * drawn * np.logaddexp(0, s)
        best = pmi(counts, k, smoothing=smoothing)
        assert (loss(best) < loss(best + 1e-3)).all() and (loss(best) < loss(best - 1e-3)).all()


# --- draws

def test_negatives_follow_the_counts_to_a_power():
    counts = np.array([0, 1000, 10, 0, 100])
    for power in (1.0, 0.75, 0.0):
        drawn = draw_negatives(counts, (100, 1000), rng=0, power=power)
        assert drawn.shape == (100, 1000) and drawn.dtype == np.int64
        share = np.bincount(drawn.ravel(), minlength=5) / drawn.size
        want = np.where(counts > 0, counts.astype(float)**power, 0)
        np.testing.assert_allclose(share, want / want.sum(), atol=5e-3)
        assert share[0] == share[3] == 0
    assert draw_negatives(counts, 7, rng=0).shape == (7,) and (draw_negatives([5], 3) == 0).all()
    assert (draw_negatives(counts, 9, rng=1) == draw_negatives(counts, 9, rng=1)).all()
    assert np.isin(draw_negatives(np.array([1e308, 1e308]), 100, rng=0), (0, 1)).all()


# --- the model

def both(n=9, dim=4, seed=0):
    built, twin = SkipGram(n, dim, rng=seed), twins.SkipGram(n, dim, rng=seed)
    built.context.weight.data[...] = np.random.default_rng(seed).standard_normal((n, dim))
    copy_weights(built, twin)
    return built, twin


@few
@given(st.integers(1, 6), st.integers(1, 4), st.integers(0, 99))
def test_scores_are_dot_products_and_the_loss_is_the_papers(B, k, seed):
    rng = np.random.default_rng(seed)
    built, twin = both(seed=seed)
    centers, contexts = rng.integers(9, size=B), rng.integers(9, size=(B, 1 + k))
    scores = built(centers, contexts)
    W, C = built.embedding.weight.data, built.context.weight.data
    want = np.array([[W[w] @ C[c] for c in row] for w, row in zip(centers, contexts)])
    np.testing.assert_allclose(scores.data, want, rtol=1e-5, atol=1e-5)
    loss, theirs = negative_sampling_loss(scores), twins.negative_sampling_loss(twin(torch.tensor(centers), torch.tensor(contexts)))
    paper = -(F.logsigmoid(torch.tensor(want[:, 0])) + F.logsigmoid(-torch.tensor(want[:, 1:])).sum(1)).mean()
    assert loss.shape == () and np.isclose(loss.item(), paper.item(), rtol=1e-5) and np.isclose(theirs.item(), paper.item(), rtol=1e-5)
    loss.backward()
    theirs.backward()
    for name, p in built.named_parameters():
        np.testing.assert_allclose(p.grad, dict(twin.named_parameters())[name].grad.numpy(), rtol=1e-4, atol=1e-5)


def test_it_starts_as_word2vec_does_and_as_its_twin():
    built, twin = SkipGram(50, 20, rng=3), twins.SkipGram(50, 20, rng=3)
    W = built.embedding.weight.data
    assert abs(W).max() <= 0.5 / 20 and W.std() > 0.8 * 0.5 / 20 / 3**0.5 and not built.context.weight.data.any()
    assert [name for name, _ in built.named_parameters()] == [name for name, _ in twin.named_parameters()] == ["embedding.weight", "context.weight"]
    assert all((p.data == q.detach().numpy()).all() for p, q in zip(built.parameters(), twin.parameters()))
    assert (SkipGram(50, 20, rng=3).embedding.weight.data == W).all() and (SkipGram(50, 20, rng=4).embedding.weight.data != W).any()
    assert np.isclose(negative_sampling_loss(built(np.arange(3), np.ones((3, 6), int))).item(), 6 * np.log(2))


def test_extreme_scores_have_finite_losses_and_gradients():
    scores = Tensor(np.array([[1e4, -1e4, 1e4], [-1e4, 1e4, 0.0]]), True)
    loss = negative_sampling_loss(scores)
    loss.backward()
    np.testing.assert_allclose(loss.item(), (1e4 + 1e4 + 1e4 + np.log(2)) / 2)
    np.testing.assert_allclose(scores.grad, [[0, 0, 0.5], [-0.5, 0.5, 0.25]])


def test_learned_from_draws_a_pairs_score_comes_near_its_pmi_less_log_k():
    "Three words, full width: what the sampled loss learns, by Adam at a falling rate, is what the counts say."
    text = stream(0, "judge").choice(3, p=[0.5, 0.3, 0.2], size=4000)
    for i in np.flatnonzero(stream(1, "judge").random(3999) < 0.5): text[i + 1] = (text[i] + 1) % 3
    counts, k = cooccurrences(text, 3, 1), 3
    model = SkipGram(3, 3, rng=0)
    adam, rng = Adam(model.parameters(), 0.1), stream(0, "judge, draws")
    centers, contexts = skip_gram_pairs(text, 1)
    for step in range(400):
        adam.param_groups[0]["lr"] = 0.1 * (1 - step / 400)
        at = rng.integers(len(centers), size=1024)
        drawn = draw_negatives(counts.sum(0), (1024, k), rng, power=1.0)
        loss = negative_sampling_loss(model(centers[at], np.concatenate([contexts[at, None], drawn], 1)))
        adam.zero_grad()
        loss.backward()
        adam.step()
    scores = model.embedding.weight.data @ model.context.weight.data.T
    assert np.ptp(pmi(counts, k)) > 0.5, "could have come out otherwise"
    np.testing.assert_allclose(scores, pmi(counts, k), atol=0.06)


# --- vectors

def some_vectors(n=12, dim=3, seed=0):
    return WordVectors([f"w{i}" for i in range(n)], np.random.default_rng(seed).standard_normal((n, dim)))


@few
@given(st.integers(4, 12), st.integers(1, 4), st.integers(0, 99))
def test_nearest_and_analogy_are_what_loops_find(n, dim, seed):
    vectors, rng = some_vectors(n, dim, seed), np.random.default_rng(seed)
    cosine = lambda x, y: x @ y / np.linalg.norm(x) / np.linalg.norm(y)
    unit = {word: vectors[word] / np.linalg.norm(vectors[word]) for word in vectors}
    a, b, c = rng.choice(vectors.words, 3, replace=False)
    assert np.isclose(vectors.similarity(a, b), cosine(vectors[a], vectors[b]))
    want = sorted(((cosine(vectors[a], vectors[word]), word) for word in vectors if word != a), reverse=True)
    got = vectors.nearest(a, n + 3)
    assert len(got) == n - 1 and a not in dict(got)
    np.testing.assert_allclose([score for _, score in got], [score for score, _ in want])
    assert vectors.nearest(a, 2) == got[:2]
    for exclude in (True, False):
        want = sorted((cosine(unit[b] - unit[a] + unit[c], vectors[word]) for word in vectors if not exclude or word not in (a, b, c)), reverse=True)
        np.testing.assert_allclose([score for _, score in vectors.analogy(a, b, c, n, exclude)], want, atol=1e-12)


def test_words_of_a_rectangle_are_analogous():
    vectors = WordVectors(["man", "woman", "king", "queen", "apple"], np.array([[1, 0, 1], [1, 1, 1], [1, 0, -1], [1, 1, -1], [-1, 0, 0.0]]))
    assert vectors.analogy("man", "woman", "king", n=1)[0][0] == "queen" == vectors.analogy("man", "woman", "king", n=1, exclude=False)[0][0]
    assert [word for word, _ in vectors.analogy("man", "woman", "king")] == ["queen", "apple"]


def test_vectors_are_a_mapping_from_words_and_keep_their_kind():
    vectors = some_vectors()
    assert len(vectors) == 12 and "w3" in vectors and "x" not in vectors and 3 not in vectors and list(vectors)[3] == "w3"
    assert repr(vectors) == "WordVectors(12 words, 3 numbers each)"
    assert (vectors["w3"] == vectors.vectors[3]).all()
    assert WordVectors(["a"], np.ones((1, 2), np.float32)).vectors.dtype == np.float32
    assert WordVectors(iter("ab"), Tensor(np.eye(2))).nearest("a") == [("b", 0.0)]
    for twin in (copy.deepcopy(vectors), pickle.loads(pickle.dumps(vectors))): assert twin.nearest("w0") == vectors.nearest("w0")


def test_a_vector_of_zeros_and_equal_vectors_give_numbers_in_order():
    vectors = WordVectors(["zero", "a", "b", "c"], np.array([[0, 0], [1, 0], [1, 0], [0, 1.0]]))
    assert vectors.nearest("zero") == [("a", 0.0), ("b", 0.0), ("c", 0.0)]
    assert vectors.nearest("a") == [("b", 1.0), ("zero", 0.0), ("c", 0.0)]
    assert vectors.analogy("a", "b", "zero", exclude=False)[0] == ("zero", 0.0)


# --- bad inputs

@pytest.mark.parametrize("call, error, words", [
    (lambda: word_tokens(b"to be"), TypeError, "a text, got b'to be'"),
    (lambda: word_tokens(["to"]), TypeError, "a text"),
    (lambda: cooccurrences("to be", 3, 2), TypeError, "number its words first"),
    (lambda: cooccurrences([0.5, 1], 3, 2), TypeError, "whole numbers"),
    (lambda: cooccurrences([True, False], 3, 2), TypeError, "whole numbers"),
    (lambda: cooccurrences([0, 3], 3, 2), ValueError, "0 to 2.*got 3"),
    (lambda: cooccurrences([0, -2], 3, 2), ValueError, "got -2"),
    (lambda: cooccurrences(np.zeros((2, 3), int), 3, 2), ValueError, r"\(2, 3\)"),
    (lambda: cooccurrences([0, 1], 0, 2), ValueError, "n_words"),
    (lambda: cooccurrences([0, 1], 2, 0), ValueError, "window"),
    (lambda: cooccurrences([0, 1], 2, 1, dynamic=1), TypeError, "dynamic"),
    (lambda: skip_gram_pairs([0, 1], 1.5), ValueError, "window"),
    (lambda: skip_gram_pairs([0, 1], 1, dynamic="yes"), TypeError, "dynamic"),
    (lambda: skip_gram_pairs([0, 1], 1, subsample=-1), ValueError, "subsample"),
    (lambda: skip_gram_pairs([0, 1], 1, subsample=float("nan")), ValueError, "subsample"),
    (lambda: skip_gram_pairs([0, 1], 1, rng=-1), ValueError, "seed"),
    (lambda: skip_gram_pairs({"a": [0]}, 1), (TypeError, ValueError), "skip_gram_pairs"),
    (lambda: pmi([1, 2]), ValueError, r"\(n, m\)"),
    (lambda: pmi([["a"]]), ValueError, "counts"),
    (lambda: pmi([[0, 0]]), ValueError, "not all of them 0"),
    (lambda: pmi([[-1, 2]]), ValueError, "from 0 on"),
    (lambda: pmi([[np.nan, 2]]), ValueError, "counts"),
    (lambda: pmi([[1]], k=0), ValueError, "k above 0"),
    (lambda: pmi([[1]], k=-1), ValueError, "k to be"),
    (lambda: pmi([[1]], positive=2), TypeError, "positive"),
    (lambda: draw_negatives([0, 0], 3), ValueError, "not all of them 0"),
    (lambda: draw_negatives([[1]], 3), ValueError, r"\(n,\)"),
    (lambda: draw_negatives([1, -1], 3), ValueError, "from 0 on"),
    (lambda: draw_negatives([1], 3, power=-1), ValueError, "power"),
    (lambda: SkipGram(0, 4), ValueError, "n_words"),
    (lambda: SkipGram(4, 2.5), ValueError, "embed_dim"),
    (lambda: twins.SkipGram(4, 0), ValueError, "embed_dim"),
    (lambda: SkipGram(4, 2)([0, 1], [1, 2]), ValueError, r"contexts\[:, None\]"),
    (lambda: SkipGram(4, 2)([0], [[1], [2]]), ValueError, r"\(1,\) and \(2, 1\)"),
    (lambda: SkipGram(4, 2)([4], [[1]]), IndexError, "0 to 3, got 4"),
    (lambda: SkipGram(4, 2)([-1], [[1]]), IndexError, "got -1"),
    (lambda: SkipGram(4, 2)([0.0], [[1]]), TypeError, "integer"),
    (lambda: twins.SkipGram(4, 2)(torch.zeros(2, dtype=int), torch.zeros(2, dtype=int)), ValueError, r"\(2,\) and \(2,\)"),
    (lambda: negative_sampling_loss(np.zeros(3)), ValueError, "1 \\+ k"),
    (lambda: negative_sampling_loss(np.zeros((3, 1))), ValueError, "k from 1 on"),
    (lambda: negative_sampling_loss(np.zeros((0, 3))), ValueError, r"\(0, 3\)"),
    (lambda: negative_sampling_loss("scores"), TypeError, "numbers"),
    (lambda: twins.negative_sampling_loss(torch.zeros(3, 1)), ValueError, "k from 1 on"),
    (lambda: WordVectors(["a", "b"], np.zeros((3, 2))), ValueError, "2 words, shape"),
    (lambda: WordVectors([], np.zeros((0, 2))), ValueError, "from 1 on"),
    (lambda: WordVectors(["a", "b", "a"], np.zeros((3, 2))), ValueError, "'a' twice"),
    (lambda: WordVectors(["a"], [[np.inf]]), ValueError, "finite"),
    (lambda: some_vectors()["King"], KeyError, "none of the 12 words"),
    (lambda: some_vectors()["W3"], KeyError, "'w3' is"),
    (lambda: some_vectors()[3], TypeError, "words are texts"),
    (lambda: some_vectors().nearest("w0", 0), ValueError, "n to be"),
    (lambda: some_vectors().similarity("w0", "king"), KeyError, "'king'"),
    (lambda: some_vectors().analogy("w0", "w1", "king"), KeyError, "'king'"),
    (lambda: some_vectors().analogy("w0", "w1", "w2", exclude=0), TypeError, "exclude"),
], ids=lambda part: part if isinstance(part, str) else "")
def test_errors_say_what_was_expected(call, error, words):
    with pytest.raises(error, match=words): call()
