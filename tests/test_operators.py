"""Every operator of nnbook.operators against torch in float64 over random shapes, axes and layouts; hooks, grad and checkpoints; what is refused."""

import gc
import pickle
import subprocess
import sys
import weakref

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from test_autograd_properties import agree, compare, draw_array, laid_out, layouts, seeds, shapes

from nnbook import autograd as ag
from nnbook import operators as ops
from nnbook.autograd import Tensor, gradcheck, no_grad
from nnbook.layers import MLP, Dropout, GroupNorm, Linear, Module, ModuleList, ReLU
from nnbook.operators import checkpoint, grad

pytestmark = [pytest.mark.filterwarnings("ignore::RuntimeWarning"), pytest.mark.filterwarnings("ignore::UserWarning")]
rng = np.random.default_rng(0)


def leaf(data, dtype=np.float64):
    return Tensor(np.asarray(data, dtype), requires_grad=True)


@st.composite
def with_axis(draw, min_side=1, min_dims=1):
    shape = draw(hnp.array_shapes(min_dims=min_dims, max_dims=4, min_side=min_side, max_side=4))
    return shape, draw(st.integers(-len(shape), len(shape) - 1))


# --- there whenever the engine is

@pytest.mark.parametrize("statement", ["import nnbook.autograd", "import nnbook.operators", "import nnbook; nnbook.operators", "import nnbook; nnbook.autograd",
                                       "import nnbook.layers", "from nnbook.operators import grad, checkpoint"])
def test_the_methods_are_there_whichever_module_comes_first(statement):
    code = f"{statement}\nfrom nnbook.autograd import Tensor; print(Tensor([1.0, 2.0]).cumsum(0).tolist(), Tensor(2.0).to('float64').dtype)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[1.0, 3.0] float64\n"


def test_functions_take_arrays_and_methods_are_the_functions():
    a = rng.standard_normal((3, 3))
    for name in ("log1p", "expm1", "erf", "prod", "std", "logsumexp", "norm", "flip", "tril", "triu"):
        got = getattr(ops, name)(np.abs(a))
        agree(got.data, getattr(Tensor(np.abs(a)), name)().data, name)
        assert isinstance(got, Tensor) and not got.requires_grad


# --- functions of one tensor

UNARY = {"log1p": (lambda x: (x * x).log1p(), lambda x: (x * x).log1p()), "expm1": (Tensor.expm1, torch.expm1), "erf": (Tensor.erf, torch.erf),
         "flip": (Tensor.flip, lambda x: x.flip(tuple(range(x.ndim)))), "roll": (lambda x: x.roll(3), lambda x: x.roll(3)),
         "sort": (lambda x: x.reshape(-1).sort()[0], lambda x: x.reshape(-1).sort()[0])}


@pytest.mark.parametrize("name", UNARY)
@given(seed=seeds, shape=shapes, layout=layouts)
def test_functions_of_one_tensor(name, seed, shape, layout):
    compare(*UNARY[name], [draw_array(seed, shape, layout)], seed)


def test_functions_are_precise_where_their_plain_forms_are_not():
    x = np.array([-1e-12, 1e-300, 1e-12, -40, -5, -0.4, 0.3, 2, 3.5, 9])
    agree(Tensor(x).erf().data, [__import__("math").erf(v) for v in x], "erf", 2e-15)
    y = leaf([-40.0, 1e-20])
    y.expm1().sum().backward()
    agree(y.grad, np.exp([-40.0, 1e-20]), "expm1'", 1e-15)
    agree(Tensor([1e-20]).log1p().data, [1e-20], "log1p", 1e-6)


# --- reductions

@st.composite
def reductions(draw):
    shape, axis = draw(with_axis())
    axes = draw(st.none() | st.just(axis) | st.sets(st.integers(0, len(shape) - 1), min_size=1).map(tuple))
    return shape, axes, draw(st.booleans())


def torch_prod(x, axis, keep):
    axes = range(x.ndim) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    for a in sorted((a % x.ndim for a in axes), reverse=True):
        x = x.prod(a, keepdim=True)
    return x if keep else x.reshape([n for i, n in enumerate(x.shape) if i not in {a % x.ndim for a in axes}])


@pytest.mark.parametrize("torch_names", [False, True])
@pytest.mark.parametrize("name", ["std", "std0", "logsumexp", "norm", "norm1", "norm3", "norm.5", "norminf"])
@given(seed=seeds, case=reductions(), layout=layouts)
def test_reductions(name, torch_names, seed, case, layout):
    shape, axis, keep = case
    a = draw_array(seed, shape, layout)
    if name.startswith("std"):
        a = a + np.arange(a.size).reshape(shape)
    kwargs = {"dim" if torch_names else "axis": axis, "keepdim" if torch_names else "keepdims": keep}
    dims = tuple(range(len(shape))) if axis is None else axis
    method, extra = (name[:4], {"p": float(name[4:] or 2)}) if name[0] == "n" else (name.rstrip("0"), {"correction": 0} if name == "std0" else {})
    theirs = {"std": lambda x: x.std(dims, keepdim=keep, **extra), "norm": lambda x: torch.linalg.vector_norm(x, extra.get("p"), dims, keep),
              "logsumexp": lambda x: x.logsumexp(dims, keep)}[method]
    compare(lambda x: getattr(x, method)(**extra, **kwargs), theirs, [a], seed, 1e-9 if name == "norm.5" else 1e-10)


@given(seed=seeds, case=reductions(), layout=layouts, zeros=st.integers(0, 4))
def test_prod_with_zeros_among_its_factors(seed, case, layout, zeros):
    shape, axis, keep = case
    a = draw_array(seed, shape).copy()
    a.reshape(-1)[np.random.default_rng(seed).integers(0, a.size, zeros)] = 0
    compare(lambda x: x.prod(axis, keep), lambda x: torch_prod(x, axis, keep), [laid_out(a, layout)], seed)


@pytest.mark.parametrize("x, want", [([2, 0, 3], [0, 6, 0]), ([0, 0, 3], [0, 0, 0]), ([0.0], [1]), ([], [])])
def test_the_gradient_of_a_product_with_zeros_by_hand(x, want):
    x = leaf(x)
    x.prod().backward()
    assert x.grad.tolist() == want


@pytest.mark.parametrize("correction", [0, 1])
@pytest.mark.parametrize("shape", [(1,), (3,), (0,), (2, 1)])
def test_std_of_equal_entries_one_entry_and_none_is_torchs(shape, correction):
    compare(lambda x: x.std(-1, correction=correction), lambda x: x.std(-1, correction=correction), [np.ones(shape)])


@pytest.mark.parametrize("p", [0.5, 1, 2, 3, np.inf])
def test_norm_at_zero_has_gradient_zero_and_ties_share(p):
    compare(lambda x: x.norm(p), lambda x: x.norm(p), [np.zeros(3)])
    compare(lambda x: x.norm(p, 1), lambda x: x.norm(p, 1), [np.array([[0, 2, -2.0, 1], [0, 0, 0, 0]])])


@pytest.mark.parametrize("row", [[np.inf, 1.0], [-np.inf, -np.inf], [-np.inf, 0.0], [np.nan, 1.0], [800.0, 800.0], [-800.0, -801.0]])
def test_logsumexp_at_the_ends_is_torchs(row):
    compare(lambda x: x.logsumexp(0), lambda x: x.logsumexp(0), [np.array(row)])


@given(seed=seeds, case=with_axis(min_side=0), keep=st.booleans())
def test_argmin_and_empty_shapes(seed, case, keep):
    shape, axis = case
    a = np.round(draw_array(seed, shape))
    if a.shape[axis]:
        got = Tensor(a).argmin(axis, keep)
        assert type(got) in (np.ndarray, np.int64) and np.array_equal(got, np.argmin(a, axis, keepdims=keep))
    else:
        with pytest.raises(ValueError, match="argmin finds no entry"):
            Tensor(a).argmin(axis)
    for name in ("prod", "logsumexp", "norm"):
        theirs = {"prod": lambda x: x.prod(axis, keep), "logsumexp": lambda x: x.logsumexp(axis, keep), "norm": lambda x: torch.linalg.vector_norm(x, 2, axis, keep)}[name]
        compare(lambda x: getattr(x, name)(axis=axis, keepdims=keep), theirs, [a], seed)


# --- along an axis

@given(seed=seeds, case=with_axis(min_side=0), layout=layouts)
def test_cumsum(seed, case, layout):
    shape, axis = case
    compare(lambda x: x.cumsum(axis), lambda x: x.cumsum(axis), [draw_array(seed, shape, layout)], seed)


@given(seed=seeds, case=with_axis(min_side=0), layout=layouts, descending=st.booleans(), ties=st.booleans())
def test_sort_is_stable_and_topk_is_its_beginning(seed, case, layout, descending, ties):
    shape, axis = case
    a = np.round(draw_array(seed, shape)) if ties else draw_array(seed, shape)
    a = laid_out(a, layout)
    compare(lambda x: x.sort(axis, descending)[0], lambda x: torch.sort(x, dim=axis, descending=descending, stable=True)[0], [a], seed)
    values, order = Tensor(a).sort(dim=axis, descending=descending)
    assert np.array_equal(order, torch.sort(torch.tensor(a.copy()), dim=axis, descending=descending, stable=True)[1].numpy()) and type(order) is np.ndarray
    k = int(np.random.default_rng(seed).integers(0, shape[axis] + 1))
    top, where = Tensor(a).topk(k, axis, largest=descending)
    assert np.array_equal(top.data, np.take(values.data, range(k), axis)) and np.array_equal(where, np.take(order, range(k), axis))
    if not ties:
        compare(lambda x: x.topk(k, axis, descending)[0], lambda x: x.topk(k, axis, descending)[0], [a], seed)


def test_long_sorts_are_stable_too():
    x = np.random.default_rng(0).integers(0, 5, 1000).astype(float)
    for descending in (False, True):
        order = Tensor(x).sort(descending=descending)[1]
        assert all(i < j for i, j in zip(order, order[1:]) if x[i] == x[j])


def test_sort_puts_nan_with_the_largest():
    x = np.array([1, np.nan, -np.inf, np.inf])
    for descending in (False, True):
        agree(Tensor(x).sort(descending=descending)[0].data, torch.tensor(x).sort(descending=descending)[0].numpy(), "sorted")


@given(seed=seeds, case=with_axis(), layout=layouts, n=st.integers(0, 40), dtype=st.sampled_from([np.int64, np.int8, np.uint8, np.int32, np.uint64]))
def test_take_along_axis_and_index_add_with_repeated_and_narrow_indices(seed, case, layout, n, dtype):
    shape, axis = case
    draw, a = np.random.default_rng(seed), draw_array(seed, shape, layout)
    axis %= len(shape)
    many = (*shape[:axis], n, *shape[axis + 1 :])
    i = draw.integers(0, shape[axis], many).astype(dtype)
    compare(lambda x: x.take_along_axis(i, axis), lambda x: x.gather(axis, torch.tensor(i.astype(np.int64))), [a], seed)
    j = draw.integers(0, shape[axis], n).astype(dtype)
    source = draw_array(seed + 1, many, layout)
    for alpha in (1, -2.5):
        compare(lambda x, s: x.index_add(axis, j, s, alpha), lambda x, s: x.index_add(axis, torch.tensor(j.astype(np.int64)), s, alpha=alpha), [a, source], seed)


def test_narrow_indices_reach_every_place_and_negative_ones_count_from_the_end():
    x = leaf(np.arange(1000.0))
    i = np.arange(256).astype(np.uint8)
    (x.take_along_axis(i, 0) * 2).sum().backward()
    assert x.grad.sum() == 512 and x.grad[255] == 2
    assert Tensor(np.arange(5.0)).take_along_axis(np.array([-1, -5], np.int8)).tolist() == [4, 0]
    assert Tensor(np.zeros(3)).index_add(0, [-1, 2, 0], np.ones(3)).tolist() == [1, 0, 2]
    rows = leaf(np.zeros((300, 2)))
    rows.index_add(0, np.full(64, 200, np.uint8), leaf(np.ones((64, 2)))).sum().backward()
    assert rows.grad.tolist() == np.ones((300, 2)).tolist()


def test_take_along_axis_broadcasts_like_numpy():
    a, i = rng.standard_normal((3, 4)), np.array([[1, 1]])
    x = leaf(a)
    x.take_along_axis(i, 1).sum().backward()
    assert np.array_equal(x.grad, np.tile([0.0, 2, 0, 0], (3, 1)))
    x, j = leaf(a[:1]), np.array([[1, 2], [1, 1], [0, 3]])
    x.take_along_axis(j, 1).sum().backward()
    assert x.grad.tolist() == [[1, 3, 1, 1]] and np.array_equal(x.take_along_axis(j, 1).data, np.take_along_axis(a[:1], j, 1))


@given(seed=seeds, pair=hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=4, max_side=4), layout=layouts)
def test_masked_fill_with_a_mask_that_broadcasts(seed, pair, layout):
    shape, mask_shape = pair.input_shapes
    mask = np.random.default_rng(seed).random(mask_shape) < 0.5
    compare(lambda x: x.masked_fill(mask, -1.5) * 2, lambda x: x.masked_fill(torch.tensor(mask), -1.5) * 2, [draw_array(seed, shape, layout)], seed)
    assert Tensor(np.zeros(shape, np.float32)).masked_fill(mask, -np.inf).dtype == np.float32


# --- moving entries about

@given(seed=seeds, case=with_axis(min_side=0), layout=layouts, size=st.integers(1, 5), skip=st.integers(0, 3))
def test_split_chunk_and_unbind(seed, case, layout, size, skip):
    shape, axis = case
    a, weigh = draw_array(seed, shape, layout), lambda parts: sum(((k + 1.5) * p * p).sum() for k, p in enumerate(parts) if k != skip)
    assert [p.shape for p in Tensor(a).split(size, axis)] == [tuple(p.shape) for p in torch.tensor(a.copy()).split(size, axis)]
    assert [p.shape for p in Tensor(a).chunk(size, axis)] == [tuple(p.shape) for p in torch.tensor(a.copy()).chunk(size, axis)]
    sizes = [shape[axis] - shape[axis] // 2, 0, shape[axis] // 2]
    for name, arg in (("split", (size,)), ("split", (sizes,)), ("chunk", (size,)), ("unbind", ())):
        f = lambda x: weigh(getattr(x, name)(*arg, axis)) + (x * 3).sum()
        compare(f, f, [a], seed)


def test_pieces_meet_in_every_walk():
    "Through a retained graph twice, after a walk that failed half way, in grad, and with the pieces used several times and not at all."
    x = leaf(np.arange(6.0))
    a, b, c = x.split(2)
    y = (a * a).sum() + (c * a).sum()
    for _ in range(2):
        x.grad = None
        y.backward(retain_graph=True)
        assert x.grad.tolist() == [4, 7, 0, 0, 0, 1]
    fails = Tensor.of(a.data, a, backward=lambda g: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        (c.sum() + fails.sum()).backward(retain_graph=True)
    for _ in range(2):
        assert grad(y, x, retain_graph=True)[0].tolist() == [4, 7, 0, 0, 0, 1]
    x.grad = None
    y.backward()
    assert x.grad.tolist() == [4, 7, 0, 0, 0, 1]


def test_many_pieces_cost_one_pass_each_way(monkeypatch):
    "Backward makes one array of the whole shape, not one for each piece."
    x, zeros, made = leaf(np.zeros((200, 3))), np.zeros, []
    walks = {"backward": lambda y: y.backward(), "grad": lambda y: grad(y, x), "checkpoint": lambda y: y.backward()}
    for name, walk in walks.items():
        f = lambda t: ag.stack([p * 2 for p in t.unbind()]).sum()
        y = checkpoint(f, x) if name == "checkpoint" else f(x)
        made.clear()
        with monkeypatch.context() as patched:
            patched.setattr(np, "zeros", lambda shape, *args: made.append(shape) or zeros(shape, *args))
            walk(y)
        assert made.count((200, 3)) == 1, name


@given(seed=seeds, shape=hnp.array_shapes(min_dims=2, max_dims=4, min_side=0, max_side=4), layout=layouts, k=st.integers(-4, 4))
def test_triangles(seed, shape, layout, k):
    for name in ("tril", "triu"):
        compare(lambda x: getattr(x, name)(k), lambda x: getattr(x, name)(k), [draw_array(seed, shape, layout)], seed)


@given(seed=seeds, shape=hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3), layout=layouts, data=st.data())
def test_repeat(seed, shape, layout, data):
    sizes = data.draw(st.lists(st.integers(0, 3), min_size=max(len(shape), 1), max_size=len(shape) + 2).map(tuple))
    compare(lambda x: x.repeat(*sizes), lambda x: x.repeat(*sizes), [draw_array(seed, shape, layout)], seed)
    assert Tensor(draw_array(seed, shape)).repeat(sizes).shape == Tensor(draw_array(seed, shape)).repeat(list(sizes)).shape


@given(seed=seeds, case=with_axis(min_side=0), layout=layouts, shifts=st.tuples(st.integers(-9, 9), st.integers(-9, 9)))
def test_roll_and_flip(seed, case, layout, shifts):
    shape, axis = case
    a, both = draw_array(seed, shape, layout), (axis, (axis + 1) % len(shape))
    compare(lambda x: x.roll(shifts[0], axis), lambda x: x.roll(shifts[0], axis), [a], seed)
    compare(lambda x: x.roll(shifts, both), lambda x: x.roll(shifts, both), [a], seed)
    compare(lambda x: x.flip(axis), lambda x: x.flip(axis), [a], seed)
    if len(shape) > 1:
        compare(lambda x: x.flip(both), lambda x: x.flip(both), [a], seed)


@given(seed=seeds, n=st.integers(0, 5), m=st.integers(0, 5), layout=layouts)
def test_outer(seed, n, m, layout):
    compare(ops.outer, torch.outer, [draw_array(seed, (n,), layout), draw_array(seed + 1, (m,), layout)], seed)


def test_a_tensor_without_axes_is_taken_as_in_torch():
    one = np.array(1.5)
    for f in (lambda x: x.cumsum(0), lambda x: x.sort()[0], lambda x: x.topk(1)[0], lambda x: x.flip(()), lambda x: x.roll(1), lambda x: x.std(correction=0), lambda x: x.prod(), lambda x: x.norm()):
        compare(f, f, [one])
    compare(lambda x: x.take_along_axis(0), lambda x: x.gather(0, torch.tensor(0)), [one])
    compare(lambda x: x.index_add(0, [0], Tensor([2.0])), lambda x: x.index_add(0, torch.tensor([0]), torch.tensor(2.0, dtype=torch.float64)), [one])


CHECKED = {
    "prod": lambda x: x.prod(1), "std": lambda x: x.std(0), "logsumexp": lambda x: x.logsumexp(), "norm": lambda x: x.norm(3, -1), "cumsum": lambda x: x.cumsum(1), "erf": ops.erf,
    "sort": lambda x: x.sort(0)[0], "topk": lambda x: x.topk(2)[0], "take": lambda x: x.take_along_axis(np.array([[0, 0, 3], [1, 1, 1], [2, 0, 0]])), "fill": lambda x: x.masked_fill(np.eye(3, 4) > 0, 2.0),
    "index_add": lambda x: x.index_add(0, [0, 0, 2], x * 2, 0.5), "chunk": lambda x: ag.concatenate(x.chunk(3, 1)[::2], 1), "unbind": lambda x: x.unbind(1)[2] * x.unbind(1)[0], "tril": lambda x: x.tril(),
    "repeat": lambda x: x.repeat(2, 1, 3), "roll": lambda x: x.roll((1, 2), (0, 1)), "flip": lambda x: x.flip(0) * x, "outer": lambda x: ops.outer(x[0], x[1]), "checkpoint": lambda x: checkpoint(lambda t: (t * t).tanh(), x),
}


@pytest.mark.parametrize("name", CHECKED)
def test_gradcheck(name):
    assert gradcheck(CHECKED[name], np.random.default_rng(5).standard_normal((3, 4)))


@pytest.mark.parametrize("name", CHECKED)
@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_dtypes_stay(name, dtype):
    x = leaf(np.random.default_rng(5).standard_normal((3, 4)), dtype)
    y = CHECKED[name](x)
    y.backward(np.ones(y.shape))
    assert y.dtype == x.grad.dtype == dtype


# --- casts and dropout

def test_a_cast_is_differentiable_and_casts_the_gradient_back():
    x = leaf([1.5, 2.5], np.float32)
    y = x.to(np.float64)
    (y * np.array([1e-30, 2.0])).sum().backward()
    assert y.dtype == np.float64 and x.grad.dtype == np.float32 and x.grad.tolist() == [np.float32(1e-30), 2]
    assert x.astype(np.float32) is x and x.to("float16").requires_grad and x.to(int).tolist() == [1, 2] and not x.to(int).requires_grad
    assert Tensor([1, 2]).astype(float).dtype == np.float64 and x.to(bool).dtype == bool and x.to(y).dtype == np.float64
    for wrong in (None, complex, str, object, "nonsense"):
        with pytest.raises(TypeError, match="real numbers, of a dtype"):
            x.to(wrong)


def test_dropout_draws_from_its_generator_and_keeps_the_mean():
    x, draws = leaf(np.ones(20_000), np.float32), np.random.default_rng(3)
    first, second = ops.dropout(x, 0.25, draws), ops.dropout(x, 0.25, draws)
    assert not np.array_equal(first.data, second.data) and set(np.unique(first.data)) == {0, np.float32(1 / 0.75)} and abs(first.data.mean() - 1) < 0.02
    first.sum().backward()
    assert np.array_equal(x.grad, first.data) and first.dtype == np.float32
    assert np.array_equal(ops.dropout(x, 0.5, 7).data, ops.dropout(x, 0.5, 7).data)
    assert ops.dropout(x, 0.5, draws, training=False) is x and ops.dropout(x, 0, draws) is x and not ops.dropout(x, 1, draws).data.any()
    for p in (-0.1, 1.5, np.nan):
        with pytest.raises(ValueError, match="probability"):
            ops.dropout(x, p, draws)


# --- hooks, as in torch

def same_with_torch(program, *arrays):
    "What program(m, register, *leaves) returns in both engines; and the gradients of the leaves."
    ours, twins = [leaf(a) for a in arrays], [torch.tensor(np.array(a, np.float64), requires_grad=True) for a in arrays]
    plain = lambda v: np.asarray(v.detach().numpy() if isinstance(v, torch.Tensor) else v.data if isinstance(v, Tensor) else v)
    a, b = [[plain(v) for v in program(ag, *ours)], [plain(v) for v in program(torch, *twins)]]
    assert len(a) == len(b) > 0
    for k, (p, q) in enumerate(zip(a, b)):
        agree(p, q, f"result {k}")
    for x, t in zip(ours, twins):
        assert (x.grad is None) == (t.grad is None)
        if t.grad is not None:
            agree(x.grad, t.grad.numpy(), "gradient")


def test_a_hook_of_a_result_sees_its_whole_gradient_and_may_replace_it():
    def program(m, x):
        seen, y = [], x * x
        y.retain_grad()
        y.register_hook(lambda g: seen.append(g * 1))
        y.register_hook(lambda g: g * 3)
        y.register_hook(lambda g: seen.append(g + 0))
        (m.sin(y) + y * 2).sum().backward()
        return [*seen, y.grad]
    same_with_torch(program, [0.5, -1.0])


def test_a_hook_of_a_leaf_sees_what_one_walk_brings_and_no_more():
    def program(m, x):
        seen = []
        x.register_hook(lambda g: seen.append(g * 1))
        x.register_hook(lambda g: g * 10)
        for k in (1.0, 2.0):
            (m.sin(x) * k + x * x).sum().backward()
        return seen
    same_with_torch(program, [0.5, -1.0])


def test_handles_take_hooks_off():
    def program(m, x):
        seen = []
        y = x * 2
        handles = [t.register_hook(lambda g, k=k: seen.append(g * k)) for k, t in enumerate((x, y, x, y), 1)]
        handles[0].remove(), handles[3].remove(), handles[3].remove()
        y.sum().backward()
        handles[2].remove()
        (x * 3).sum().backward()
        return seen
    same_with_torch(program, [0.5, -1.0])
    x = leaf([1.0])
    with x.register_hook(lambda g: g * 0):
        (x * 2).sum().backward()
    assert x.grad.tolist() == [0]


def test_hooks_and_grad_work_together():
    def program(m, x):
        by = grad if m is ag else torch.autograd.grad
        y = x * x
        x.register_hook(lambda g: g + 1)
        y.register_hook(lambda g: g * 5)
        return [*by(m.sin(y).sum(), y, retain_graph=True), *by(m.sin(y).sum(), x)]
    same_with_torch(program, [0.5, -1.0])


def test_a_hook_on_the_result_itself_and_on_a_leaf_that_is_the_result():
    def program(m, x):
        y = (x * x).sum()
        y.register_hook(lambda g: g * 2)
        y.backward()
        return [y]
    same_with_torch(program, [0.5, -1.0])
    x = leaf(3.0)
    x.register_hook(lambda g: g * 4)
    x.backward()
    assert x.grad == 4


def test_a_hook_can_not_spoil_another_gradient_and_a_failure_changes_nothing():
    x, y = leaf([1.0, 2.0]), leaf([1.0, 2.0])
    def spoil(g): g[...] = 0
    handle = x.register_hook(spoil)
    z = (x + y).sum()
    with pytest.raises(ValueError, match="read-only"):
        z.backward(retain_graph=True)
    handle.remove()
    x.grad = np.array([5.0, 5.0])
    for wrong in (lambda g: np.ones(3), lambda g: "no", lambda g: g > 0):
        with x.register_hook(wrong), pytest.raises(ValueError, match=r"a hook returns a gradient of shape \(2,\)"):
            z.backward(retain_graph=True)
    with x.register_hook(lambda g: g), pytest.raises(RuntimeError, match="starts from one number"):
        (x * 2).backward()
    with pytest.raises(RuntimeError, match="requires_grad=False"):
        Tensor([1.0]).register_hook(print)
    with pytest.raises(TypeError, match="function of the gradient"):
        x.register_hook(3)
    (x * 2).sum().backward()


def test_hooks_keep_nothing_alive():
    gc.disable()
    try:
        x = leaf(np.zeros(3))
        y = x * 2
        y.register_hook(lambda g: g)
        ref = weakref.ref(y)
        y.sum().backward()
        del y
        assert ref() is None
        handle, ref, before = x.register_hook(lambda g: g), weakref.ref(x), len(ops._leaf_hooks)
        del x
        assert ref() is None and len(ops._leaf_hooks) == before - 1
        handle.remove()
    finally:
        gc.enable()


def test_a_hooked_leaf_can_still_be_saved():
    x = leaf([1.0], np.float32)
    x.register_hook(lambda g: g)
    assert pickle.loads(pickle.dumps(x)).tolist() == [1]


# --- grad

@given(seed=seeds)
def test_grad_agrees_with_torch_by_leaves_and_results(seed):
    def program(m, x, w):
        by = grad if m is ag else torch.autograd.grad
        h = m.tanh(x @ w / 9)
        y = (h * h).sum() + h.sum() * 2
        return [*by(y, (w, h, x), retain_graph=True), *by([y, h], [x], [None, h * 2], retain_graph=True), *by(h, h, h)]
    same_with_torch(program, draw_array(seed, (2, 3)), draw_array(seed + 1, (3, 2)))


def test_grad_touches_no_leaf_and_frees_the_graph():
    model, x = MLP(4, 8, 3, rng=0), leaf(rng.standard_normal((5, 4)), np.float32)
    for p in model.parameters():
        p.grad = np.ones(p.shape, np.float32)
    loss = (model(x)**2).sum()
    (gx,) = grad(loss, x)
    assert type(gx) is np.ndarray and gx.dtype == np.float32 and x.grad is None and all((p.grad == 1).all() for p in model.parameters())
    with pytest.raises(RuntimeError, match="retain_graph=True"):
        grad(loss, x)
    loss = (model(x)**2).sum()
    loss.backward()
    agree(gx, x.grad, "gradient", 1e-6)


def test_grad_walks_only_where_it_must():
    x, w, calls = leaf([1.0]), leaf([2.0]), []
    costly = Tensor.of(w.data * 2, w, backward=lambda g: calls.append(g) or (g * 2,))
    assert grad((x * costly).sum(), x, retain_graph=True)[0].tolist() == [4] and not calls
    h = Tensor.of(x.data * 3, x, backward=lambda g: calls.append(g) or (g * 3,))
    assert grad((h * h).sum(), h)[0].tolist() == [6] and not calls


def test_grad_gives_arrays_of_their_own_and_leaves_kept_gradients():
    x, y = leaf([1.0, 2.0]), leaf([3.0, 4.0])
    a, b = grad((x + y).sum(), (x, y))
    a[...] = 7
    assert b.tolist() == [1, 1]
    h = x * 2
    h.retain_grad()
    h.sum().backward(retain_graph=True)
    grad(h.sum(), x)
    assert h.grad.tolist() == [1, 1]


def test_what_grad_refuses():
    x, unused = leaf([1.0, 2.0]), leaf([1.0])
    y = (x * 2).sum()
    assert grad(y, [x, unused], allow_unused=True, retain_graph=True)[1] is None
    for error, match, call in [
        (RuntimeError, "input 1 led to none", lambda: grad(y, [x, unused], retain_graph=True)), (RuntimeError, "input 0 has requires_grad=False", lambda: grad(y, Tensor(1.0))),
        (RuntimeError, "nothing to go back", lambda: grad(Tensor(1.0), x)), (RuntimeError, "starts from one number", lambda: grad(x * 2, x)),
        (ValueError, "result's shape", lambda: grad(x * 2, x, np.ones(3))), (ValueError, "one entry for each of 1 outputs", lambda: grad(y, x, [None, None])),
        (TypeError, "a Tensor or a list of Tensors as inputs", lambda: grad(y, 3)), (TypeError, "as outputs", lambda: grad([], x)), (TypeError, "as inputs", lambda: grad(y, [x, None])),
    ]:
        with pytest.raises(error, match=match):
            call()


def test_deep_graphs_need_no_recursion():
    x = y = leaf(1.0)
    for _ in range(20_000):
        y = y * 1.0
    assert grad(y, x) == (1.0,)


# --- checkpoints

class Block(Module):
    def __init__(self, seed):
        self.inner, self.drop = MLP(4, 8, 4, rng=seed, activation="tanh"), Dropout(0.5, rng=seed)

    def forward(self, x):
        return x + self.drop(self.inner(x))


def test_a_checkpoint_gives_the_same_gradients_with_the_same_masks():
    def run(apply):
        blocks, x = [Block(k) for k in range(3)], leaf(rng_x, np.float32)
        y = x
        for b in blocks:
            y = apply(b, y)
        out = y * y
        out.sum().backward()
        after = [b.drop.rng.random() for b in blocks]
        return out.data, x.grad, *(p.grad for b in blocks for p in b.parameters()), *after
    rng_x = np.random.default_rng(1).standard_normal((5, 4))
    for got, want in zip(run(checkpoint), run(lambda b, x: b(x)), strict=True):
        assert np.array_equal(got, want)


def test_a_checkpoint_keeps_less_and_runs_twice():
    calls, sizes = [], []
    def f(x):
        calls.append(1)
        h = x.tanh()
        sizes.append(weakref.ref(h))
        return h * h
    x = leaf(np.ones(3))
    y = checkpoint(f, x)
    assert len(calls) == 1 and sizes[0]() is None and y._parents == (x,)
    y.sum().backward()
    assert len(calls) == 2
    agree(x.grad, 2 * np.tanh(1) * (1 - np.tanh(1)**2) * np.ones(3), "gradient")


@given(seed=seeds)
def test_checkpoints_nested_shared_and_with_tensors_from_outside(seed):
    def program(apply):
        x, w, c = leaf(draw_array(seed, (2, 3))), leaf(draw_array(seed + 1, (3, 3))), draw_array(seed + 2, (2, 3))
        h = (x @ w).tanh()                                                      # from outside, and made from w too
        inner = lambda t: (t @ w + h).tanh()
        y = apply(lambda a, b, k: apply(inner, a) * h + b * k, x * 2, h, c)
        z = apply(lambda: (y * w.sum()).tanh())
        z = (z * y + h).sum()
        found = grad(z, [x, w, h], retain_graph=True)
        z.backward()
        return [z.data, *found, x.grad, w.grad]
    for got, want in zip(program(checkpoint), program(lambda f, *inputs: f(*inputs))):
        agree(got, want, "checkpoint", 1e-12)


def test_a_checkpoint_of_raw_data_still_gives_the_weights_their_gradients():
    model, x = MLP(4, 8, 3, rng=0), rng.standard_normal((5, 4)).astype(np.float32)
    checkpoint(model, x).sum().backward()
    got = [p.grad for p in model.parameters()]
    model.zero_grad()
    model(x).sum().backward()
    for a, p in zip(got, model.parameters()):
        assert np.array_equal(a, p.grad)
    assert all(g.any() for g in grad(checkpoint(model, x).sum(), list(model.parameters())))


def test_a_checkpoint_of_the_identity_and_without_gradients():
    x = leaf([1.0, 2.0])
    checkpoint(lambda t: t, x).sum().backward()
    assert x.grad.tolist() == [1, 1]
    with no_grad():
        assert not checkpoint(lambda t: t * 2, x).requires_grad
    assert not checkpoint(lambda t: t * 2, Tensor([1.0])).requires_grad


def test_a_second_result_that_differs_is_an_error_and_a_named_generator_its_cure():
    x, draws = leaf(np.ones(100)), np.random.default_rng(0)
    f = lambda t: ops.dropout(t, 0.5, draws)
    with pytest.raises(RuntimeError, match="name the generators"):
        checkpoint(f, x).sum().backward()
    y = checkpoint(f, x, rng=draws)
    draws.random(3)
    behind = draws.bit_generator.state
    y.sum().backward()
    assert np.array_equal(x.grad, y.data) and draws.bit_generator.state == behind
    with pytest.raises(TypeError, match="NumPy Generators"):
        checkpoint(f, x, rng=3)
    with pytest.raises(TypeError, match="returns one Tensor, got tuple"):
        checkpoint(lambda t: (t, t), x)
    y = checkpoint(lambda t: t * 2, x).sum()
    with no_grad(), pytest.raises(RuntimeError, match="outside of no_grad"):
        y.backward()


# --- errors

X = Tensor(np.ones((2, 3)))


@pytest.mark.parametrize("error, match, call", [
    (IndexError, r"cumsum takes an axis from -2 to 1 here, got 2", lambda: X.cumsum(2)), (TypeError, "cumsum takes a whole number as axis, got 1.5", lambda: X.cumsum(1.5)),
    (IndexError, "sort takes an axis", lambda: X.sort(5)), (IndexError, "needs an axis", lambda: Tensor(1.0).split(1)), (IndexError, "unbind takes an axis", lambda: X.unbind(-3)),
    (ValueError, "topk takes k from 0 to 3, the length of axis 1, got 4", lambda: X.topk(4)), (ValueError, "topk takes k", lambda: X.topk(-1)), (ValueError, "topk takes k", lambda: X.topk(1.5)),
    (ValueError, r"split takes sizes that add up to 3.*got \[1, 1\], which is 2", lambda: X.split([1, 1], 1)), (ValueError, "size of at least 1, got 0", lambda: X.split(0)),
    (ValueError, "add up", lambda: X.split([4, -1], 1)), (ValueError, "from 1 on, got 0", lambda: X.chunk(0)), (ValueError, "from 1 on", lambda: X.chunk(1.5)),
    (IndexError, "take_along_axis has 3 places here, and got index 3", lambda: X.take_along_axis([[3]])), (IndexError, "got index -4", lambda: X.take_along_axis([[-4]])),
    (TypeError, "whole numbers as indices, got dtype float64", lambda: X.take_along_axis([[0.0]])), (TypeError, "dtype bool", lambda: X.take_along_axis([[True]])),
    (ValueError, r"fit shape \(2, 3\) but for axis 1, got shape \(3,\)", lambda: X.take_along_axis([0, 1, 2])), (ValueError, "fit shape", lambda: X.take_along_axis(np.zeros((3, 1), int))),
    (ValueError, r"takes a source of shape \(2, 2\), got \(2, 3\)", lambda: X.index_add(1, [0, 1], np.ones((2, 3)))), (IndexError, "index_add has 2 places", lambda: X.index_add(0, [2], np.ones((1, 3)))),
    (TypeError, "mask of booleans, got dtype int64", lambda: X.masked_fill(np.ones((2, 3), int), 0)), (ValueError, r"fits shape \(2, 3\), got shape \(2,\)", lambda: X.masked_fill([True, False], 0)),
    (ValueError, r"one number, got shape \(3,\)", lambda: X.masked_fill([True, False, True], np.ones(3))),
    (ValueError, "tril takes matrices", lambda: Tensor([1.0]).tril()), (ValueError, "triu takes matrices", lambda: Tensor(1.0).triu()),
    (ValueError, "at least 2 numbers from 0 on", lambda: X.repeat(2)), (ValueError, "from 0 on", lambda: X.repeat(2, -1)),
    (ValueError, "one shift for each axis", lambda: X.roll((1, 2), 0)), (ValueError, "one shift for each axis", lambda: X.roll((1, 2))), (IndexError, "roll takes an axis", lambda: X.roll(1, 2)),
    (ValueError, "flip takes each axis once", lambda: X.flip((0, -2))), (IndexError, "flip takes an axis", lambda: X.flip(2)), (ValueError, "two vectors", lambda: X.outer(X)),
    (ValueError, "number p > 0", lambda: X.norm(0)), (ValueError, "number p > 0", lambda: X.norm("fro")), (IndexError, "argmin takes an axis", lambda: X.argmin(4)),
    (TypeError, "dropout takes floats", lambda: ops.dropout(Tensor([1, 2]), 0.5, 0)),
])
def test_errors_say_what_was_expected_and_what_came(error, match, call):
    with pytest.raises(error, match=match):
        call()


# --- layers for the architectures

@given(seed=seeds, groups=st.integers(1, 3), width=st.integers(1, 3), places=hnp.array_shapes(min_dims=1, max_dims=2, min_side=3, max_side=4), affine=st.booleans())
def test_group_norm_is_torchs(seed, groups, width, places, affine):
    c = groups * width
    one, two = GroupNorm(groups, c, affine=affine).to(np.float64), torch.nn.GroupNorm(groups, c, affine=affine).double()
    for p, q in zip(one.parameters(), two.parameters(), strict=True):
        p.data[...] = draw_array(seed, p.shape)
        q.data = torch.tensor(p.data)
    compare(one, two, [draw_array(seed + 1, (2, c, *places))], seed, 1e-9)


def test_group_norm_and_module_list_keep_the_names_and_outline_of_torchs():
    for ours, theirs in ((GroupNorm(2, 4), torch.nn.GroupNorm(2, 4)), (ModuleList([Linear(2, 3), ReLU(), Linear(3, 1)]), torch.nn.ModuleList([torch.nn.Linear(2, 3), torch.nn.ReLU(), torch.nn.Linear(3, 1)]))):
        assert {n: v.shape for n, v in ours.state_dict().items()} == {n: tuple(v.shape) for n, v in theirs.state_dict().items()}
    assert "GroupNorm(2, 4)" in repr(GroupNorm(2, 4)) and GroupNorm(2, 4)(np.zeros((0, 4, 3))).shape == (0, 4, 3)


def test_a_module_list_is_a_list_that_training_finds():
    class Net(Module):
        def __init__(self): self.steps = ModuleList(Linear(2, 2, rng=k) for k in range(2)).append(ReLU())

    net = Net()
    assert [n for n, _ in net.named_parameters()] == ["steps.0.weight", "steps.0.bias", "steps.1.weight", "steps.1.bias"]
    last = Linear(2, 2)
    net.steps[-1] = last
    assert len(net.steps) == 3 and net.steps[2] is net.steps[-1] is last and type(net.steps[1:]) is ModuleList and list(net.steps[1:]) == list(net.steps)[1:]
    assert len(ModuleList()) == 0 and not net.eval().steps[0].training
    with pytest.raises(NotImplementedError):
        net.steps(np.zeros((1, 2)))


@pytest.mark.parametrize("error, match, call", [
    (TypeError, "ModuleList takes modules, such as ReLU.*number 1 is 3", lambda: ModuleList([ReLU(), 3])), (IndexError, "", lambda: ModuleList([ReLU()])[1]),
    (ValueError, "cannot make 3 equal groups of 4 channels", lambda: GroupNorm(3, 4)), (ValueError, "num_groups to be a whole number", lambda: GroupNorm(0, 4)),
    (ValueError, r"takes inputs of shape \(N, 4, ...\), got \(2, 3\)", lambda: GroupNorm(2, 4)(np.zeros((2, 3)))), (ValueError, r"got \(4,\)", lambda: GroupNorm(2, 4)(np.zeros(4))),
])
def test_what_the_layers_refuse(error, match, call):
    with pytest.raises(error, match=match):
        call()
