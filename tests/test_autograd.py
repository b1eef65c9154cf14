"""Promises of chapter 04's engine that one example can show; the property tests are in test_autograd_properties.py."""

import asyncio
import copy
import gc
import pickle
import subprocess
import sys
import threading
import weakref

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from nnbook import autograd as ag
from nnbook.autograd import Tensor, gradcheck, no_grad


def leaf(data, dtype=np.float64):
    return Tensor(np.asarray(data, dtype), requires_grad=True)


# --- what a Tensor is

def test_numbers_from_python_become_float32_and_arrays_keep_their_dtype():
    assert Tensor(1.5).dtype == Tensor([1.0, 2.0]).dtype == np.float32
    for dtype in (np.float16, np.float32, np.float64, np.int64, bool):
        assert Tensor(np.zeros(2, dtype)).dtype == dtype
    assert Tensor(np.float64(1)).dtype == np.float64 and Tensor([1, 2]).dtype.kind == "i"


def test_a_tensor_shares_the_memory_of_its_array():
    a = np.zeros(3)
    assert Tensor(a).data is a and Tensor(a).detach().data is a and Tensor(a).numpy() is a


@pytest.mark.parametrize("data, error", [("text", TypeError), (1j, TypeError), (None, TypeError), ([[1, 2], [3]], ValueError), (Tensor(1.0), TypeError), ([Tensor(1.0), "x"], (TypeError, ValueError))])
def test_what_is_no_array_of_real_numbers_is_refused(data, error):
    with pytest.raises(error):
        Tensor(data)


@pytest.mark.parametrize("data", [3, [1, 2], np.arange(3), np.array([True])])
def test_integers_cannot_require_gradients(data):
    with pytest.raises(TypeError, match="only floats"):
        Tensor(data, requires_grad=True)
    x = Tensor(data)
    x.requires_grad = True                                    # past the check: caught by backward
    with pytest.raises(TypeError, match="only floats"):
        (x * 1.5).sum().backward()


def test_it_behaves_like_the_number_or_array_it_holds():
    x = Tensor([[1.0, 2.0], [3.0, 4.0]])
    assert len(x) == 2 and [float(r.sum()) for r in x] == [3, 7] and x.tolist() == [[1, 2], [3, 4]] and x.numel() == 4 and x.ndim == 2
    one = Tensor(2.5)
    assert float(one) == one.item() == 2.5 and int(one) == 2 and f"{one:.2f}" == "2.50" and bool(one) and not Tensor(0.0)
    assert [10, 20, 30][Tensor(1)] == 20 and "requires_grad" in repr(leaf([1.0])) and "float32" in f"{one}"
    for wrong in (lambda: len(one), lambda: list(one), lambda: bool(x), lambda: float(x), lambda: x.item()):
        with pytest.raises((TypeError, ValueError)):
            wrong()


def test_comparisons_give_plain_boolean_arrays_and_identity_is_the_hash():
    x, y = leaf([1.0, 2.0]), leaf([1.0, 3.0])
    for result, want in ((x == y, [1, 0]), (x != y, [0, 1]), (x < y, [0, 1]), (x >= 1.5, [0, 1]), (np.array([1.5, 1.5]) > x, [1, 0])):
        assert type(result) is np.ndarray and result.dtype == bool and result.tolist() == [bool(w) for w in want]
    assert {x: "x", y: "y"}[y] == "y" and len({x, x, Tensor([1.0, 2.0])}) == 2


def test_arrays_and_numbers_work_on_both_sides_and_leave_float32_alone():
    x, a = leaf([1.0, 2.0], np.float32), np.array([3.0, 4.0], np.float32)
    for f in (lambda p, q: p + q, lambda p, q: p - q, lambda p, q: p * q, lambda p, q: p / q, lambda p, q: p**q, lambda p, q: p @ q):
        for left, right in ((x, a), (a, x)):
            out = f(left, right)
            assert isinstance(out, Tensor) and out.requires_grad
            np.testing.assert_allclose(out.data, f(*(t.data if isinstance(t, Tensor) else t for t in (left, right))), rtol=1e-6)
    for number in (2, 2.0, True, np.float64(2), np.float32(2), np.int64(2), np.array(2.0)):
        for out in (x * number, number * x, x + number, number - x, number / x, x**number, number**x):
            assert out.dtype == np.float32 and isinstance(out, Tensor)
    for wrong in ("a", None, [1, 2], object()):
        with pytest.raises(TypeError):
            x + wrong
        with pytest.raises(TypeError):
            wrong - x


def test_numpy_cannot_drop_a_gradient_silently():
    x = leaf([1.0, 2.0])
    for wrong in (lambda: np.exp(x), lambda: np.asarray(x), lambda: np.concatenate([x, x]), lambda: np.array([x, x])):
        with pytest.raises(TypeError):
            wrong()
    np.testing.assert_array_equal(np.asarray(x.detach()), [1, 2])


@pytest.mark.parametrize("statement", ["x += 1", "x -= 1", "x *= 2", "x /= 2", "x **= 2", "x @= x", "x[0] = 1"])
def test_in_place_operators_raise(statement):
    with pytest.raises(TypeError, match="overwrite"):
        exec(statement, {"x": leaf([1.0])})


def test_leaves_can_be_copied_and_pickled_and_results_say_why_not():
    x = leaf([1.0, 2.0])
    for twin in (copy.deepcopy(x), pickle.loads(pickle.dumps(x))):
        assert twin is not x and twin.requires_grad and twin.tolist() == [1, 2]
    with pytest.raises(TypeError, match="detach"):
        copy.deepcopy(x * 2)


# --- backward

def test_a_tensor_used_twice_and_a_diamond():
    x = leaf(3.0)
    (x * x + x).backward()
    assert x.grad == 7
    x = leaf(2.0)
    a, b = x * 3, x * 5
    ((a + b) * (a - b) * a).backward()                       # (8x)(-2x)(3x) = -48 x³
    assert x.grad == -48 * 3 * 4


def test_a_chain_of_diamonds_takes_linear_time():
    x = y = leaf(1.0)
    for _ in range(2000):                                    # 2^2000 paths
        y = (y + y) * 0.5
    y.backward()
    assert x.grad == 1


DEEP = """
import gc
from nnbook import autograd as ag
gc.disable()                                                 # it would only look for cycles, again and again
for step in (lambda y: y * 1.0, lambda y: y + x * 1e-9, ag.tanh):
    x = ag.Tensor([1.0], requires_grad=True)
    y = x
    for _ in range(100_000): y = step(y)
    if step is not ag.tanh: y.backward(retain_graph=True)
    del y                                                    # frees a chain 100,000 deep
gc.collect()
print("alive")
"""


def test_a_graph_100_000_deep_goes_back_and_is_freed():
    done = subprocess.run([sys.executable, "-c", DEEP], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0 and "alive" in done.stdout and not done.stderr, done.stderr


def test_gradients_accumulate_in_leaves_and_only_there():
    x = leaf([1.0, 2.0])
    y = x * 2
    y.sum().backward()
    assert y.grad is None and x.grad.tolist() == [2, 2]
    (x * x).sum().backward()
    assert x.grad.tolist() == [4, 6]
    x.grad = None
    z = x * 3
    z.retain_grad()
    (z * z).sum().backward()
    assert z.grad.tolist() == [6, 12] and x.grad.tolist() == [18, 36]


def test_backward_twice_is_an_error_unless_the_graph_is_retained():
    x = leaf(3.0)
    y = x * x
    y.backward()
    with pytest.raises(RuntimeError, match="retain_graph"):
        y.backward()
    with pytest.raises(RuntimeError, match="retain_graph"):
        (y + x).backward()                                   # a new result over a freed part
    assert x.grad == 6, "a refused backward changes no gradient"
    y = x * x
    y.backward(retain_graph=True)
    y.backward()
    assert x.grad == 18


def test_backward_frees_the_graph_as_it_goes_and_there_are_no_cycles():
    x = leaf([1.0])
    h = ag.tanh(x * 2)
    loss, ref = (h * h).sum(), weakref.ref(h)
    del h
    assert ref() is not None
    loss.backward()
    assert ref() is None, "the loss still holds intermediate results"
    gc.disable()
    try:
        h = ag.softmax(ag.linear(x, x.reshape(1, 1)) + ag.layer_norm(x.reshape(1, 1), 1))[0].max()
        ref = weakref.ref(h)
        del h
        assert ref() is None, "a reference cycle keeps the graph alive until the garbage collector runs"
    finally:
        gc.enable()


def test_no_two_gradients_share_memory():
    a, b, c = leaf([1.0, 2.0]), leaf([1.0, 2.0]), leaf([[1.0, 2.0]])
    start = np.ones(2)
    out = a + b + c.reshape(2)
    out.backward(start)
    c2 = leaf(1.0)
    c2.backward(start[:1].reshape(()))
    for grad in (a.grad, b.grad, c.grad, c2.grad):
        grad *= 100
    assert start.tolist() == [1, 1] and a.grad.tolist() == b.grad.tolist() == [100, 100]
    x = leaf([1.0, 2.0])
    kept = x + 0
    kept.retain_grad()
    (kept + 0).sum().backward()
    x.grad *= 5
    assert kept.grad.tolist() == [1, 1] and x.grad.flags.owndata and x.grad.flags.writeable
    v = leaf([1.0, 2.0])
    v.sum().backward()
    v.grad += 1                                              # a broadcast view would refuse


def test_backward_says_what_is_missing():
    x = leaf([1.0, 2.0])
    with pytest.raises(RuntimeError, match="one number"):
        (x * 2).backward()
    with pytest.raises(ValueError, match="shape"):
        (x * 2).backward(np.ones(3))
    for nothing in (Tensor(1.0), x.detach().sum(), Tensor(1.0) * 2):
        with pytest.raises(RuntimeError, match="requires_grad"):
            nothing.backward()
    (x * 2).backward([1.0, 10.0])
    (x * 2).backward(Tensor([1.0, 10.0]))
    assert x.grad.tolist() == [4, 40]
    x = leaf([[5.0]])
    (x * 3).backward()                                       # one number, whatever its shape
    assert x.grad.tolist() == [[3]]
    x.backward()
    assert x.grad.tolist() == [[4]], "a leaf's gradient by itself is 1"


def test_a_failed_backward_leaves_no_gradient_behind_in_between():
    x, fail = leaf(2.0), [True]
    def backward(g):
        if fail.pop():
            raise KeyboardInterrupt
        return (g,)
    y = x * 3
    z = Tensor.of(y.data, y, backward=backward) + y * 10
    with pytest.raises(KeyboardInterrupt):
        z.backward(retain_graph=True)
    fail[:], x.grad = [False], None
    z.backward()
    assert x.grad == 33


def test_a_part_that_needs_no_gradient_gets_none():
    x, w = Tensor(np.ones((2, 3))), leaf(np.ones((4, 3)))
    ag.linear(x, w).sum().backward()
    assert x.grad is None and w.grad.shape == (4, 3)
    w.grad = None
    (w.detach() * w).sum().backward()
    assert (w.grad == 1).all()


def test_nothing_is_recorded_under_no_grad():
    x = leaf([1.0])
    with no_grad():
        with no_grad():
            assert not (x * 2).requires_grad
        assert not (x * 2).requires_grad, "the inner block ended, the outer one not"
    assert (x * 2).requires_grad

    @no_grad()
    def f(n):
        return f(n - 1) if n else x * 2

    assert not f(3).requires_grad and (x * 2).requires_grad
    with pytest.raises(ZeroDivisionError), no_grad():
        1 / 0
    y = x * 2
    assert y.requires_grad
    with no_grad():
        y.backward()                                         # what was recorded before can go back
    assert x.grad == 2


def test_an_operator_of_ones_own_and_its_mistakes():
    x = leaf([0.3, 0.7])
    cube = ag.elementwise(lambda x: x**3, lambda x, y: 3 * x**2, "cube")
    assert gradcheck(cube, x)
    with pytest.raises(ValueError, match="2 gradients for 1"):
        Tensor.of(x.data * 2, x, backward=lambda g: (g, g)).sum().backward()
    with pytest.raises(ValueError, match="shape"):
        Tensor.of(x.data * 2, x, backward=lambda g: (np.ones(5),)).sum().backward()


def test_gradcheck_names_the_input_and_the_entry():
    wrong = lambda x: Tensor.of(x.data**2, x, backward=lambda g: (g * 2 * x.data * [1, 1, 1.01],))
    with pytest.raises(AssertionError, match=r"input 1, entry \(2,\)"):
        gradcheck(lambda a, b: a * wrong(b), np.ones(3), np.arange(1.0, 4))
    forgets = lambda x: x.detach() * 2
    with pytest.raises(AssertionError, match="input 0"):
        gradcheck(lambda a: forgets(a) + 0 * a, np.ones((2, 2)))
    assert gradcheck(lambda rows, w: ag.embedding(rows, w), np.array([0, 0, 1]), np.ones((2, 2)))
    a = np.ones(3)
    assert gradcheck(ag.exp, a) and (a == 1).all()


# --- single points where a convention is needed; torch's is ours

POINTS = {
    "abs at 0": (lambda m, x: abs(x), [0.0, -0.0, 2.0]), "relu at 0": (lambda m, x: m.relu(x), [0.0, 1.0, -1.0]), "clip at its bounds": (lambda m, x: x.clip(-1, 1), [-1.0, 1.0, 1.1, np.nan]),
    "sqrt at 0": (lambda m, x: m.sqrt(x), [0.0, 4.0, -1.0]), "log at 0": (lambda m, x: m.log(x), [0.0, -1.0, 2.0]), "x ** 0": (lambda m, x: x**0, [0.0, 2.0, np.nan]), "x ** 2 at 0": (lambda m, x: x**2, [0.0]),
    "a negative base": (lambda m, x: x**0.5, [-1.0, 0.0]), "x ** tensor": (lambda m, x: x ** (x * 0 + 0.5), [-1.0, 0.0, 2.0]), "0 ** 0": (lambda m, x: x**x, [0.0, 1.0, 2.0]),
    "0 ** x": (lambda m, x: 0.0**x, [0.0, 1.0, 2.0]), "maximum of equals": (lambda m, x: m.maximum(x, x * 1), [1.0, np.inf, -np.inf]),
    "amax of equals": (lambda m, x: x.max(-1) if m is ag else x.amax(-1), [3.0, 3.0, 1.0]), "max of equals": (lambda m, x: x.max(), [3.0, 3.0, 1.0]), "min of equals": (lambda m, x: x.min(), [1.0, 3.0, 1.0]),
    "variance of one": (lambda m, x: x.var(), [3.0]), "1 / 0": (lambda m, x: 1 / x, [0.0, 1.0]), "NaN": (lambda m, x: m.tanh(x) * 2 + m.softmax(x, -1), [np.nan, 1.0]), "exp overflows": (lambda m, x: m.exp(x), [1000.0, -1000.0]),
    "sigmoid far out": (lambda m, x: m.sigmoid(x), [1000.0, -1000.0, 0.0]), "max of NaN": (lambda m, x: x.max(-1) if m is ag else x.amax(-1), [np.nan, 1.0]), "where hides NaN": (lambda m, x: m.where(x > 0, x, x * 0), [1.0, -1.0]),
}


@pytest.mark.parametrize("name", POINTS)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_at_corners_gradients_are_those_of_torch(name):
    f, points = POINTS[name]
    x, t = leaf(points), torch.tensor(points, dtype=torch.float64, requires_grad=True)
    y, want = f(ag, x), f(torch, t)
    y.backward(np.ones(y.shape))
    want.backward(torch.ones_like(want))
    np.testing.assert_allclose(y.data, want.detach().numpy(), rtol=1e-12)
    np.testing.assert_allclose(x.grad, t.grad.numpy(), rtol=1e-12)


def test_going_back_through_infinities_warns_of_nothing(recwarn):
    leaf([0.0]).sqrt().sum().backward()
    assert not recwarn.list


def test_masks_from_comparisons_select_and_multiply():
    x = leaf([-1.0, 2.0])
    (x * (x > 0)).sum().backward()
    assert x.grad.tolist() == [0, 1]
    x.grad = None
    x[x > 0].sum().backward()
    assert x.grad.tolist() == [0, 1]


def test_rows_named_often_collect_often():
    w = leaf(np.zeros((5, 3)))
    rows = np.random.default_rng(0).integers(-5, 5, (40, 4))
    w[rows].sum().backward()
    np.testing.assert_array_equal(w.grad, np.bincount(rows.ravel() % 5, minlength=5)[:, None] * np.ones((1, 3)))
    w.grad = None
    w[((0, 0, 1), (1, 1, 2))].sum().backward()               # tuples are integer arrays, too
    assert w.grad[0, 1] == 2 and w.grad.sum() == 3


# --- errors for the reader

@pytest.mark.parametrize("call, error, words", [
    (lambda x: ag.linear(x, Tensor(np.ones((2, 5)))), ValueError, "n_in"), (lambda x: ag.embedding([0, 9], x), IndexError, "rows 0 to 2"), (lambda x: ag.embedding([0, -1], x), IndexError, "-1"),
    (lambda x: ag.embedding([0.5], x), TypeError, "integer"), (lambda x: ag.layer_norm(x, 7), ValueError, "layer_norm"), (lambda x: x.clip(), ValueError, "min"), (lambda x: ag.pad(x, [1]), ValueError, "widths"),
    (lambda x: ag.pad(x, [(-1, 0), (0, 0)]), ValueError, "none negative"), (lambda x: x.permute(0, 0), ValueError, "each"), (lambda x: x.unsqueeze(5), IndexError, "axis"), (lambda x: x.sum(axis=0, dim=0), TypeError, "two names"),
    (lambda x: ag.einsum("ij,jk", x), ValueError, "operands"), (lambda x: ag.cross_entropy(x, x), ValueError, "detach"), (lambda x: ag.cross_entropy(x, [0, 1, 4]), ValueError, "labels"),
])
def test_errors_say_what_was_expected(call, error, words):
    with pytest.raises(error, match=words):
        call(leaf(np.ones((3, 4))))


# --- other engines' own tests, in our names

def test_micrograd_sanity_check():
    def f(m, x):
        z = 2 * x + 2 + x
        q = m.relu(z) + z * x
        h = m.relu(z * z)
        return h + q + q * x
    x, t = leaf(-4.0), torch.tensor(-4.0, dtype=torch.float64, requires_grad=True)
    y, want = f(ag, x), f(torch, t)
    y.backward()
    want.backward()
    assert y.item() == want.item() and x.grad == t.grad.item()


def test_micrograd_more_operators():
    def f(m, a, b):
        c = a + b
        d = a * b + b**3
        c = c + c + 1
        c = c + 1 + c + (-a)
        d = d + d * 2 + m.relu(b + a)
        d = d + 3 * d + m.relu(b - a)
        e = c - d
        f = e**2
        return f / 2.0 + 10.0 / f
    a, b = leaf(-4.0), leaf(2.0)
    s, t = (torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in (-4.0, 2.0))
    y, want = f(ag, a, b), f(torch, s, t)
    y.backward()
    want.backward()
    np.testing.assert_allclose([y.item(), a.grad, b.grad], [want.item(), s.grad.item(), t.grad.item()], rtol=1e-14)


def test_hand_written_attention_agrees_with_torch():
    q, k, v = (np.random.default_rng(i).standard_normal((2, 3, 4, 5)) for i in range(3))
    ours, twins = [leaf(a) for a in (q, k, v)], [torch.tensor(a, requires_grad=True) for a in (q, k, v)]
    mask = np.tril(np.ones((4, 4), bool))
    scores = ours[0] @ ours[1].swapaxes(-1, -2) / np.sqrt(5)
    out = ag.where(mask, scores, -np.inf).softmax(-1) @ ours[2]
    want = F.scaled_dot_product_attention(*twins, is_causal=True)
    np.testing.assert_allclose(out.data, want.detach().numpy(), rtol=1e-12)
    (out * out).sum().backward()
    (want * want).sum().backward()
    for a, b in zip(ours, twins, strict=True):
        np.testing.assert_allclose(a.grad, b.grad.numpy(), rtol=1e-10, atol=1e-12)


def test_an_mlp_learns_what_no_line_can_separate():
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, (200, 2)).astype(np.float32)
    y = (x[:, 0] * x[:, 1] > 0).astype(int)
    params = [Tensor((rng.standard_normal(s) * 0.5).astype(np.float32), True) for s in ((16, 2), (16,), (2, 16), (2,))]
    for _ in range(400):
        loss = ag.cross_entropy(ag.linear(ag.tanh(ag.linear(x, *params[:2])), *params[2:]), y)
        loss.backward()
        for p in params:
            p.data -= 0.5 * p.grad
            p.grad = None
    assert loss.item() < 0.2


# --- drawing

def test_the_graph_puts_every_value_to_the_right_of_its_sources(monkeypatch):
    w, x = leaf(2.0), leaf([[1.0, 2.0]])
    h = ag.tanh(w * x)
    out = (h * h).sum() + h[0, 0]
    place = ag._layout(out)
    assert len(place) == 8 and len(set(place.values())) == 8
    assert all(place[p][0] < place[t][0] for t in place for p in t._parents)
    shown = []
    monkeypatch.setattr("nnbook.plots._display", shown.append)
    ag.graph(out, {"w": w, "x": x}, caption="A graph.", name="g")
    (bundle,) = shown
    assert 'id="fig-g"' in bundle["text/html"] and "tanh (1, 2) from mul (1, 2)" in bundle["text/html"] and "mul (1, 2) from w 2 and x (1, 2)" in bundle["text/html"]
    out.backward()
    assert len(ag._layout(out)) == 1, "backward has freed the graph"
    y = w
    for _ in range(100):
        y = y * 1.5
    with pytest.raises(ValueError, match="60"):
        ag.graph(y)
    ag.graph(leaf(1.0))


def test_operators_have_names_for_graphs_and_messages():
    x = leaf([[1.0, 2.0]])
    made = {"leaf": x, "mul": x * 2, "tanh": ag.tanh(x), "linear": ag.linear(x, x), "getitem": x[0], "sum": x.sum(), "pow": x**2, "reshape": x.reshape(2), "leaky_relu": ag.leaky_relu(x, 0.1), "matmul": x @ x.T}
    assert {name: ag.name_of(t) for name, t in made.items()} == {name: name for name in made}


LOSSES = {"mse": "mse_loss", "mae": "l1_loss", "huber": "huber_loss", "bce_with_logits": "binary_cross_entropy_with_logits"}


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_elementwise_losses_agree_with_torch(name, reduction, dtype):
    draw = np.random.default_rng(0)
    x, y, g = draw.normal(size=(5, 3)).astype(dtype), draw.random((5, 3)), draw.normal(size=(5, 3)).astype(dtype)
    ours, theirs = Tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
    a = getattr(ag, name)(ours, y, reduction=reduction)
    b = getattr(F, LOSSES[name])(theirs, torch.tensor(y.astype(dtype)), reduction=reduction)
    for loss, weight in ((a, g), (b, torch.tensor(g))):
        (loss * weight if reduction == "none" else loss).sum().backward()
    assert a.dtype == ours.grad.dtype == dtype and a.shape == tuple(b.shape)
    assert np.allclose(a.data, b.detach(), rtol=1e-5) and np.allclose(ours.grad, theirs.grad, rtol=1e-5, atol=1e-7)


def test_losses_refuse_what_would_broadcast_or_needs_a_gradient():
    column, row = Tensor(np.ones((4, 1)), requires_grad=True), np.ones(4)
    with pytest.raises(ValueError, match="broadcasting"): ag.mse(column, row)
    with pytest.raises(ValueError, match="pass target.detach"): ag.huber(row, column)
    assert ag.gradcheck(lambda x: ag.hinge(x, np.array([1.0, -1.0, 1.0])), Tensor([0.3, 0.2, -2.0], requires_grad=True))


def test_gradcheck_draws_none_of_its_readers_numbers():
    "Along the input itself x / |x| does not change, so a direction that equals it would let any factor pass."
    x = np.random.default_rng(0).standard_normal((3, 4))

    def half(x):
        size = np.sqrt((x.data**2).sum())
        y = x.data / size
        return Tensor.of(y, x, backward=lambda g: (0.5 * (g - y * (g * y).sum()) / size,))

    with pytest.raises(AssertionError, match="gradcheck: input 0"):
        ag.gradcheck(half, x)


# --- threads and copies


def test_no_grad_holds_for_its_own_thread_alone():
    "A prediction in one thread does not stop the recording of a training step in another, however they interleave."
    from threading import Barrier, Thread

    both, seen = Barrier(2), {}

    def predict():
        with ag.no_grad():
            both.wait()
            both.wait()
            seen["predicts"] = (Tensor(2.0, requires_grad=True) * 3.0).requires_grad

    def learn():
        both.wait()
        seen["learns"] = (Tensor(2.0, requires_grad=True) * 3.0).requires_grad
        both.wait()

    threads = [Thread(target=f) for f in (predict, learn)]
    for t in threads: t.start()
    for t in threads: t.join()
    assert seen == {"predicts": False, "learns": True}
    assert (Tensor(2.0, requires_grad=True) * 3.0).requires_grad


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_a_copy_keeps_kind_dtype_and_what_is_not_finite(duplicate):
    from nnbook.layers import Parameter

    weight = Parameter([1.0, 2.0], dtype=np.float64)
    weight.data[1] = np.nan
    twin = duplicate(weight)
    assert type(twin) is Parameter and twin.dtype == np.float64 and twin.requires_grad
    assert np.array_equal(twin.data, weight.data, equal_nan=True)


# ---------------------------------------------------------------- threads, copies, generators


def test_two_threads_walk_one_retained_graph_without_harm():
    "Both walks add up in every leaf, as if one thread had made both."
    rng = np.random.default_rng(0)
    leaves = [leaf(rng.standard_normal((20, 20)) / 5) for _ in range(6)]
    h = leaves[0]
    for w in leaves[1:] * 8: h = ag.tanh(h @ w)
    y = (h * h).sum()
    y.backward(retain_graph=True)
    once = [x.grad.copy() for x in leaves]
    for x in leaves: x.grad = None
    start = threading.Barrier(4)
    def walk():
        start.wait()
        for _ in range(10): y.backward(retain_graph=True)
    threads = [threading.Thread(target=walk) for _ in range(4)]
    for t in threads: t.start()
    for t in threads: t.join()
    for x, want in zip(leaves, once): np.testing.assert_allclose(x.grad, 40 * want, rtol=1e-9)


def test_threads_that_share_leaves_lose_no_gradient():
    w = leaf(np.ones(50))
    def work():
        for _ in range(200): (w * w).sum().backward()
    threads = [threading.Thread(target=work) for _ in range(4)]
    for t in threads: t.start()
    for t in threads: t.join()
    np.testing.assert_array_equal(w.grad, np.full(50, 2.0 * 800))


def test_a_decorated_generator_is_unrecorded_while_it_runs_and_its_caller_is_recorded():
    x = leaf([1.0, 2.0])
    @no_grad()
    def values():
        try: sent = yield x * 2
        except KeyError: sent = None
        sent = yield (x * 3, sent)
        return x * 4
    run = values()
    first = next(run)
    assert (x * 1).requires_grad and not first.requires_grad
    second, sent = run.send("sent")
    assert sent == "sent" and not second.requires_grad and (x * 1).requires_grad
    with pytest.raises(StopIteration) as end: next(run)
    assert not end.value.value.requires_grad and (x * 1).requires_grad
    run = values()
    next(run)
    assert run.throw(KeyError())[1] is None and (x * 1).requires_grad
    closed = []
    @no_grad()
    def closing():
        try: yield 1
        finally: closed.append((x * 1).requires_grad)
    run = closing()
    next(run)
    run.close()
    assert closed == [False] and (x * 1).requires_grad


def test_no_grad_decorates_without_parentheses_and_coroutines():
    x = leaf([1.0])
    @no_grad
    def plain(): return x * 2
    assert not plain().requires_grad and plain.__name__ == "plain"
    @no_grad()
    async def later():
        await asyncio.sleep(0)
        return x * 2
    async def both():
        task = asyncio.create_task(later())
        await asyncio.sleep(0)
        recorded = (x * 1).requires_grad
        return recorded, (await task).requires_grad
    assert asyncio.run(both()) == (True, False)
    with pytest.raises(TypeError, match="async generators"):
        @no_grad()
        async def stream(): yield 1


def test_a_kept_gradient_adds_up_over_walks_as_in_torch():
    x, t = leaf([1.0, 2.0]), torch.tensor([1.0, 2.0], dtype=torch.float64, requires_grad=True)
    y, u = x * x, t * t
    y.retain_grad()
    u.retain_grad()
    for factor in (1.0, 3.0):
        (y * factor).sum().backward(retain_graph=True)
        (u * factor).sum().backward(retain_graph=True)
    np.testing.assert_array_equal(y.grad, u.grad.numpy())
    np.testing.assert_array_equal(x.grad, t.grad.numpy())


# ---------------------------------------------------------------- NumPy's functions, narrow types, empty shapes, infinity


@pytest.mark.parametrize("name", ["sum", "mean", "max", "min", "prod", "var", "std"])
@pytest.mark.parametrize("axis", [None, 1])
def test_numpys_reductions_keep_the_gradient(name, axis):
    a = np.random.default_rng(0).standard_normal((3, 4))
    x, y = leaf(a), leaf(a)
    got = getattr(np, name)(x, axis=axis)
    ours = getattr(y, name)(axis=axis, **({"correction": 0} if name in ("var", "std") else {}))
    assert isinstance(got, Tensor)
    np.testing.assert_allclose(got.data, getattr(np, name)(a, axis=axis), rtol=1e-12)
    got.sum().backward()
    ours.sum().backward()
    np.testing.assert_allclose(x.grad, y.grad, rtol=1e-12)


def test_a_sum_in_another_dtype():
    x = leaf([1.0, 2.0], np.float32)
    y = x.sum(dtype=np.float64)
    y.backward()
    assert y.dtype == np.float64 and x.grad.dtype == np.float32 and x.grad.tolist() == [1, 1]
    with pytest.raises(TypeError, match="sum takes axis, keepdims, dtype, and no initial"): x.sum(initial=1)


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.uint16, np.int64])
@pytest.mark.parametrize("n", [5, 32, 100])
def test_narrow_indices_do_not_overflow(dtype, n):
    i = np.random.default_rng(n).integers(0, 100, n).astype(dtype)
    want = np.zeros((300, 2))
    np.add.at(want, i.astype(int), 1.0)
    for take in (lambda w: ag.embedding(i, w), lambda w: w[i]):
        w = leaf(np.zeros((300, 2)))
        take(w).sum().backward()
        np.testing.assert_array_equal(w.grad, want)


def test_gradcheck_fails_where_a_value_or_difference_is_not_finite():
    with pytest.raises(AssertionError, match="the value itself"), np.errstate(divide="ignore"): gradcheck(ag.log, np.array([0.0, 1.0]))
    with pytest.raises(AssertionError, match="entry \\(1,\\): beside it"), np.errstate(invalid="ignore"): gradcheck(ag.sqrt, np.array([1.0, 0.0]))
    with pytest.raises(TypeError, match="input of floats"): gradcheck(lambda i: ag.tanh(Tensor([1.0])), np.array([1, 2]))


@pytest.mark.parametrize("shapes", [((0, 3), (3, 4)), ((2, 0), (0, 4)), ((2, 3), (3, 0)), ((5, 2, 0), (0, 4)), ((5, 0, 3), (3, 4)), ((0, 2, 3), (3, 4)), ((0,), (0,))], ids=str)
def test_products_with_a_length_of_zero(shapes):
    a, b = (leaf(np.ones(s)) for s in shapes)
    (a @ b).sum().backward()
    ta, tb = (torch.ones(s, dtype=torch.float64, requires_grad=True) for s in shapes)
    (ta @ tb).sum().backward()
    np.testing.assert_array_equal(a.grad, ta.grad.numpy())
    np.testing.assert_array_equal(b.grad, tb.grad.numpy())
    if len(shapes[1]) == 2:
        x, w, bias = leaf(np.ones(shapes[0])), leaf(np.ones(shapes[1][::-1])), leaf(np.ones(shapes[1][1]))
        ag.linear(x, w, bias).sum().backward()
        np.testing.assert_array_equal(w.grad, tb.grad.numpy().T)
        assert bias.grad.shape == bias.shape


def test_empty_and_0d_shapes_as_in_torch():
    for shape in ((0,), (2, 0), (0, 3)):
        x = leaf(np.zeros(shape))
        y = ag.log_softmax(x) + ag.softmax(x)
        y.sum().backward()
        assert y.shape == x.grad.shape == shape
    x = leaf(np.array(3.0))
    assert ag.softmax(x).item() == 1 and ag.log_softmax(x).item() == 0 and x.transpose(0, 0).shape == x.swapaxes(-1, 0).shape == () and x.sum(0).item() == 3 == x.squeeze(0).item()


def zeros_like(m, x): return Tensor(np.zeros_like(x.data)) if m is ag else m.zeros_like(x)


INFINITE = {"relu": lambda m, x: m.relu(x), "maximum": lambda m, x: m.maximum(x, zeros_like(m, x)), "minimum": lambda m, x: m.minimum(x, zeros_like(m, x)), "clip": lambda m, x: m.clip(x, -0.5, 0.5),
            "where": lambda m, x: m.where(x > 0, x, x * 2)}


@pytest.mark.parametrize("name", INFINITE)
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_an_infinite_gradient_goes_one_way(name, dtype):
    points = np.array([-2.0, -0.3, 0.3, 2.0], dtype)
    x, t = leaf(points), torch.tensor(points, requires_grad=True)
    g = np.array([np.inf, np.inf, -np.inf, np.inf], dtype)
    f = INFINITE[name]
    f(ag, x).backward(g)
    f(torch, t).backward(torch.tensor(g))
    np.testing.assert_array_equal(x.grad, t.grad.numpy())


def test_numbers_that_do_not_fit_widen_the_result():
    y = ag.where([True, False], Tensor([1, 2]), 0.5)
    assert y.tolist() == [1, 0.5]
    assert ag.pad(Tensor([1, 2]), (1, 1), value=0.5).tolist() == [0.5, 1, 2, 0.5]
    assert ag.where([True], Tensor(np.ones(1, np.float32)), 0.5).dtype == np.float32 == ag.pad(Tensor(np.ones(1, np.float32)), (1, 1), 0.5).dtype


@pytest.mark.parametrize("call", [
    lambda x: x.squeeze(5), lambda x: x.permute(0, 1, 5), lambda x: x.flatten(9), lambda x: ag.maximum(x, [2.0]), lambda x: ag.add(x, None), lambda x: ag.power(x, None), lambda x: x * 1j,
    lambda x: x + np.ones(3, complex), lambda x: ag.layer_norm(x, ()), lambda x: ag.linear(x, x, Tensor(np.ones((2, 1)))), lambda x: ag.pad(x, (1, 1), value=None), lambda x: x.sum().backward(1j),
    lambda x: x @ 2, lambda x: x @ x, lambda x: x.swapaxes(0, 5), lambda x: Tensor(np.zeros((0, 3))).max(), lambda x: x.to(None), lambda x: x.reshape(5), lambda x: x + np.ones(4), lambda x: x.item(), lambda x: bool(x)])
def test_what_was_silent_or_bare_is_an_error_now(call):
    with pytest.raises((TypeError, ValueError, IndexError), match=".{20}"): call(leaf(np.ones((2, 3))))


def test_layer_norm_takes_numpys_integers_and_whole_numbers_convert():
    x = leaf(np.random.default_rng(0).standard_normal((2, 3)))
    np.testing.assert_array_equal(ag.layer_norm(x, np.int64(3)).data, ag.layer_norm(x, 3).data)
    assert Tensor([1, 2]).astype(np.float32).requires_grad_().dtype == np.float32


def test_means_and_variances_keep_their_digits():
    assert Tensor(np.ones(100_000, np.float16)).mean().item() == 1
    assert Tensor(np.ones(100_000, np.float16)).var().item() == 0
    row = Tensor(np.full((2, 1000), 123456.7, np.float32))
    assert not ag.layer_norm(row, 1000).data.any() and row.var(1).data.max() < 1e-9
    x = np.random.default_rng(0).standard_normal((4, 100)).astype(np.float32) + 1e4
    np.testing.assert_allclose(Tensor(x).var(1).data, x.astype(np.float64).var(1, ddof=1), rtol=1e-5)


def test_iterating_costs_one_array_and_not_one_for_each_row():
    x = leaf(np.arange(6.0).reshape(3, 2))
    a, b, c = x
    (a * 2 + c).sum().backward()
    assert x.grad.tolist() == [[2, 2], [0, 0], [1, 1]]
    assert a.op == b.op == "piece"                             # one gradient of x's size for all, not one for each
    with pytest.raises(TypeError, match="no length"): iter(Tensor(1.0))
