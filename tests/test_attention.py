"What the chapter on attention promises and a notebook can't test: agreement with torch for any shape and mask, rows that look at nothing, and errors a reader can act on."

import copy
import inspect
import threading
import warnings

import numpy as np
import pytest
import torch
import torch.nn.functional as F
import wrong_calls
from hypothesis import given, settings
from hypothesis import strategies as st
from wrong_calls import complaints, foreign, replaced

from nnbook import attention, kernels
from nnbook.attention import (
    AdditiveAttention,
    LearnedPositions,
    MultiHeadAttention,
    alibi_bias,
    alibi_slopes,
    attention_weights,
    causal_mask,
    kernel_regression,
    online_attention,
    padding_mask,
    rotate,
    scaled_dot_product_attention,
    sinusoidal,
    sliding_window_mask,
)
from nnbook.autograd import Tensor, gradcheck, no_grad
from nnbook.layers import Module, ReLU
from nnbook.torch import attention as twins
from nnbook.torch.twins import assert_twins, copy_weights

few = settings(max_examples=25, deadline=None)
small = st.integers(1, 3)
both_forms = pytest.mark.parametrize("plain", [False, True], ids=["fast", "plain"])
precisions = pytest.mark.parametrize("dtype", [np.float64, np.float32], ids=["float64", "float32"])


def x_of(*shape, seed=0, dtype=np.float64): return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def tolerance(dtype) -> float: return 1e-10 if dtype == np.float64 else 2e-4


def scramble(module: Module, seed=0, dtype=np.float64) -> Module:
    "All its parameters, biases too, at random."
    module, rng = module.to(dtype), np.random.default_rng(seed)
    for p in module.parameters(): p.data[...] = rng.uniform(-0.8, 0.8, p.shape)
    return module


def run(make, call, arrays, ray, parameters=()):
    "The output of call(*leaves), and the gradients of leaves and parameters when it arrives with this ray."
    leaves = [make(a.copy(), requires_grad=True) for a in arrays]
    for p in parameters: p.grad = None
    out = call(*leaves)
    (out * (ray if make is Tensor else torch.tensor(ray))).sum().backward()
    grads = [np.zeros(tuple(t.shape)) if t.grad is None else np.asarray(t.grad) for t in [*leaves, *parameters]]
    return out.data if make is Tensor else out.detach().numpy(), grads


def hold(ours, theirs, *arrays, tol=1e-10, parameters=((), ())):
    "Equal outputs, and equal gradients of inputs and parameters."
    y = ours(*map(Tensor, arrays)).data
    ray = x_of(*y.shape, seed=9, dtype=y.dtype)
    (a, da), (b, db) = run(Tensor, ours, arrays, ray, parameters[0]), run(torch.tensor, theirs, arrays, ray, parameters[1])
    assert a.dtype == arrays[0].dtype and len(da) == len(db)
    for u, v in zip([a, *da], [b, *db]):
        assert u.shape == v.shape and np.abs(u - v).max(initial=0) <= tol * max(1, np.abs(v).max(initial=0))


def mask_of(kind: str, rng, shape: tuple) -> np.ndarray | None:
    "A mask of a kind, in which every row may look at something."
    if "none" in kind: return None
    mask = rng.random(shape) < 0.6
    mask[..., 0] = True                                                    # under a causal mask, too
    if "bool" in kind: return mask
    return np.where(mask, rng.standard_normal(shape), -np.inf)


def combined(mask, is_causal: bool, T: int, S: int):
    "What torch takes for both together, which it refuses."
    if mask is None or not is_causal: return {"attn_mask": None if mask is None else torch.tensor(mask), "is_causal": is_causal}
    causal = np.arange(S) <= np.arange(T)[:, None]
    return {"attn_mask": torch.tensor(mask & causal if mask.dtype == bool else np.where(causal, mask, -np.inf).astype(mask.dtype))}


# --- scaled dot products

@both_forms
@precisions
@few
@given(data=st.data(), lead=st.sampled_from([(), (2,), (3, 2)]), sizes=st.tuples(st.integers(1, 6), st.integers(1, 6), st.integers(1, 5), st.integers(1, 4)), h_kv=small, share=small,
       kind=st.sampled_from(["none", "bool", "float"]), is_causal=st.booleans(), scale=st.sampled_from([None, 0.3]))
def test_scaled_dot_products_are_torchs(plain, dtype, data, lead, sizes, h_kv, share, kind, is_causal, scale):
    (T, S, d, e), h = sizes, h_kv * share
    q, k, v = x_of(*lead, h, T, d, dtype=dtype), x_of(*lead, h_kv, S, d, seed=1, dtype=dtype), x_of(*lead, h_kv, S, e, seed=2, dtype=dtype)
    full = (*lead, h, T, S)
    cut = data.draw(st.integers(0, len(full) - 2)) if len(full) > 2 else 0
    shape = [n if data.draw(st.booleans()) or i >= len(full) - 1 else 1 for i, n in enumerate(full)][cut:]
    mask = mask_of(kind, np.random.default_rng(3), shape)
    if kind == "float": mask = mask.astype(dtype)
    options = {"scale": scale, "enable_gqa": share > 1}
    hold(lambda *qkv: scaled_dot_product_attention(*qkv, mask, is_causal=is_causal, plain=plain, **options),
         lambda *qkv: F.scaled_dot_product_attention(*qkv, **combined(mask, is_causal, T, S), **options), q, k, v, tol=tolerance(dtype))


@both_forms
def test_the_axes_in_front_broadcast(plain):
    for shapes in [((4, 5), (6, 5), (6, 3)), ((2, 1, 4, 5), (3, 6, 5), (6, 3)), ((4, 5), (2, 3, 6, 5), (2, 1, 6, 3)), ((2, 3, 4, 5), (2, 1, 6, 5), (2, 3, 6, 3)), ((3, 4, 5), (3, 6, 5), (2, 3, 6, 3))]:
        hold(lambda *qkv: scaled_dot_product_attention(*qkv, plain=plain), F.scaled_dot_product_attention, *(x_of(*s, seed=i) for i, s in enumerate(shapes)))
    mask = np.random.default_rng(1).random((2, 4, 3, 5)) < 0.5              # one for each of the inner batch
    mask[..., 0] = True
    hold(lambda *qkv: scaled_dot_product_attention(*qkv, mask, plain=plain), lambda *qkv: F.scaled_dot_product_attention(*qkv, torch.tensor(mask)), x_of(3, 2, 4, 3, 5), x_of(3, 2, 4, 5, 5, seed=1), x_of(3, 2, 4, 5, 2, seed=2))
    for lead in [(2,), (4, 2)]:                                           # grouped heads, too
        mask = np.random.default_rng(0).random((*lead, 4, 3, 5)) < 0.5
        mask[..., 0] = True
        hold(lambda *qkv, mask=mask: scaled_dot_product_attention(*qkv, mask, enable_gqa=True, plain=plain),
             lambda *qkv, mask=mask: F.scaled_dot_product_attention(qkv[0], *(x.repeat_interleave(2, -3) for x in qkv[1:]), torch.tensor(mask)), x_of(*lead, 4, 3, 5), x_of(2, 5, 5, seed=1), x_of(*lead, 2, 5, 5, seed=2))


@both_forms
def test_a_row_that_may_look_at_nothing_is_zero_and_has_no_gradient(plain):
    seen = np.random.default_rng(0).random((2, 4, 5, 6)) < 0.5
    seen[..., 0] = True
    seen[0, :, 2], seen[1, 1], seen[1, 2, 4] = False, False, False
    blind = ~seen.any(-1)
    for mask in (seen, np.where(seen, x_of(*seen.shape, seed=5), -np.inf)):
        for is_causal in (False, True):
            arrays = [x_of(2, 4, 5, 3), x_of(2, 2, 6, 3, seed=1), x_of(2, 2, 6, 3, seed=2)]
            y, grads = run(Tensor, lambda *qkv, m=mask, c=is_causal: scaled_dot_product_attention(*qkv, m, is_causal=c, enable_gqa=True, plain=plain), arrays, ray := x_of(2, 4, 5, 3, seed=3))
            assert np.isfinite(y).all() and all(np.isfinite(g).all() for g in grads)
            assert not y[blind].any() and y[~blind].any(-1).all() and not grads[0][blind].any()
            opened = torch.tensor(np.where(blind[..., None], mask.dtype.type(1), mask))
            ray[blind] = 0                                                # by torch, where those rows see all but nobody asks for what they found
            z, theirs = run(torch.tensor, lambda *qkv, m=opened, c=is_causal: F.scaled_dot_product_attention(*qkv, combined(m.numpy(), c, 5, 6)["attn_mask"], enable_gqa=True), arrays, ray)
            np.testing.assert_allclose(y[~blind], z[~blind], atol=1e-12)
            for a, b in zip(grads, theirs): np.testing.assert_allclose(a, b, atol=1e-12)
            w = attention_weights(*map(Tensor, arrays[:2]), mask, is_causal=is_causal).data
            np.testing.assert_allclose(w.sum(-1), ~blind, atol=1e-12)


@pytest.mark.parametrize("kind", ["bool", "float"])
@pytest.mark.parametrize("is_causal", [False, True])
@pytest.mark.parametrize("grouped", [False, True])
def test_the_twin_gives_zeros_too(kind, is_causal, grouped):
    seen = np.random.default_rng(0).random((3, 4, 5, 6)) < 0.5
    seen[1], seen[0, :, :, 0] = False, False
    mask = seen if kind == "bool" else np.where(seen, x_of(*seen.shape, seed=5), -np.inf)
    arrays = [x_of(3, 4, 5, 8), *(x_of(3, 2 if grouped else 4, 6, 8, seed=i) for i in (1, 2))]
    options = {"is_causal": is_causal, "enable_gqa": grouped}
    hold(lambda *qkv: scaled_dot_product_attention(*qkv, mask, **options), lambda *qkv: twins.scaled_dot_product_attention(*qkv, torch.tensor(mask), **options), *arrays)
    weights = (lambda space, m: lambda q, k: space.attention_weights(q, k, m, is_causal))
    hold(weights(attention, mask), weights(twins, torch.tensor(mask)), *arrays[:2])


@pytest.mark.parametrize("kind", ["bool", "float"])
def test_the_twin_hands_torch_no_row_that_looks_at_nothing(kind, monkeypatch):
    "Some of torch's backends make NaN of one; not the one that this machine happens to take."
    real, handed = F.scaled_dot_product_attention, []
    monkeypatch.setattr(F, "scaled_dot_product_attention", lambda q, k, v, mask=None, **how: handed.append(mask) or real(q, k, v, mask, **how))
    seen = torch.rand(2, 1, 5, 6, generator=torch.Generator().manual_seed(0)) < 0.5
    seen[0, 0, 1], seen[1, 0, 3, :4] = False, False
    q, k, v = (torch.tensor(x_of(2, 3, n, 4, seed=i)) for i, n in enumerate([5, 6, 6]))
    twins.scaled_dot_product_attention(q, k, v, seen if kind == "bool" else torch.where(seen, 0.0, -torch.inf), is_causal=True)
    assert (handed[0] if kind == "bool" else handed[0] > -torch.inf).any(-1).all()


@both_forms
def test_no_keys_no_queries_no_batch(plain):
    for q, k, v in [((2, 4, 3, 5), (2, 2, 0, 5), (2, 2, 0, 6)), ((2, 4, 0, 5), (2, 2, 3, 5), (2, 2, 3, 6)), ((0, 4, 3, 5), (0, 2, 3, 5), (0, 2, 3, 6)), ((2, 4, 3, 5), (2, 2, 3, 5), (2, 2, 3, 0))]:
        arrays = [x_of(*s) for s in (q, k, v)]
        for is_causal in (False, True):
            y, grads = run(Tensor, lambda *qkv, c=is_causal: scaled_dot_product_attention(*qkv, is_causal=c, enable_gqa=True, plain=plain), arrays, np.ones((*q[:3], v[3])))
            assert y.shape == (*q[:3], v[3]) and (k[2] or not y.any()) and (k[2] or not any(g.any() for g in grads))
            z, theirs = run(torch.tensor, lambda *qkv, c=is_causal: twins.scaled_dot_product_attention(*qkv, is_causal=c, enable_gqa=True), arrays, np.ones((*q[:3], v[3])))
            assert np.allclose(y, z) and all(np.allclose(a, b) for a, b in zip(grads, theirs))
        shape = (q[0], 1, 1, k[2])
        assert scaled_dot_product_attention(*arrays, np.ones(shape, bool), enable_gqa=True, plain=plain).shape == (*q[:3], v[3])
    assert online_attention(x_of(3, 5), x_of(0, 5), x_of(0, 2)).tolist() == [[0, 0]] * 3


@both_forms
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_no_query_may_look_at_may_be_nan(plain, bad):
    q, k, v = x_of(2, 4, 3, 5), x_of(2, 2, 6, 5, seed=1), x_of(2, 2, 6, 4, seed=2)
    heads = np.ones((1, 4, 1, 6), bool)
    heads[0, 2:, :, 4] = False                                            # the second head of keys is not looked at there; the first is,
    heads[0, 0, :, 1] = False                                             # and where one head of a group does not look, the other does
    beyond = padding_mask([6, 2], 6)
    lost = {"lengths": (beyond, np.broadcast_to(~beyond[:, 0], (2, 2, 6))), "heads": (heads, np.broadcast_to([[[False] * 6, [i == 4 for i in range(6)]]], (2, 2, 6)))}
    lost["float"] = (np.where(beyond, 0.5, -np.inf), lost["lengths"][1])
    lost["causal"] = (None, np.broadcast_to(np.arange(6) >= 3, (2, 2, 6)))
    for name, (mask, where) in lost.items():
        call = lambda *qkv, m=mask, n=name: scaled_dot_product_attention(*qkv, m, is_causal=n == "causal", enable_gqa=True, plain=plain)
        ray = x_of(2, 4, 3, 4, seed=3)
        clean = run(Tensor, call, [q, k, v], ray)
        dirty = run(Tensor, call, [q, *(np.where(where[..., None], bad, x) for x in (k, v))], ray)
        np.testing.assert_allclose(dirty[0], clean[0], atol=1e-14, err_msg=name)
        for a, b in zip(dirty[1], clean[1]): np.testing.assert_allclose(a, b, atol=1e-14, err_msg=name)


@both_forms
def test_nan_that_is_looked_at_shows(plain):
    for i in range(3):
        arrays = [x_of(1, 1, 2, 3), x_of(1, 1, 4, 3), x_of(1, 1, 4, 3)]
        arrays[i][0, 0, 1] = np.nan
        assert np.isnan(scaled_dot_product_attention(*arrays, np.array([[True, False, True, True], [True, True, False, False]]), plain=plain).data[0, 0, 1]).all()


def test_the_default_is_one_node_and_plain_the_chapters_lines(monkeypatch):
    ran, kernel = [], kernels.attention
    monkeypatch.setattr(kernels, "attention", lambda *args: ran.append(1) or kernel(*args))
    layer, qkv = MultiHeadAttention(8, 4, num_kv_heads=2, positions="alibi"), [x_of(2, 4, 5, 8, seed=i) for i in range(3)]
    calls = [lambda **how: scaled_dot_product_attention(*qkv, **how), lambda **how: layer(x_of(2, 5, 8), lengths=[5, 2], **how), lambda **how: scaled_dot_product_attention(*[x[0, 0] for x in qkv], **how)]
    for call in calls:
        call(plain=True)
        assert not ran
        call()
        assert ran.pop() and not ran
    scaled_dot_product_attention(*qkv, dropout_p=0.1)
    assert not ran, "dropout needs the weights"


@both_forms
def test_large_scores_do_no_harm_and_precision_is_kept(plain):
    q, k, v = (300 * x_of(2, 2, 5, 8, seed=i, dtype=np.float32) for i in range(3))
    y = scaled_dot_product_attention(q, k, v, plain=plain)
    assert y.dtype == np.float32
    np.testing.assert_allclose(y.data, F.scaled_dot_product_attention(*(torch.tensor(x).double() for x in (q, k, v))).numpy(), rtol=2e-3, atol=1e-2)
    assert scaled_dot_product_attention(q, k, v, np.zeros((5, 5)), plain=plain).dtype == np.float32, "a mask of float64 changes nothing"
    assert scaled_dot_product_attention(q, k, v, np.full((5, 5), -1e300), plain=plain).data.tolist() == np.zeros_like(q).tolist(), "beyond float32 it is -inf"
    q, k, v = (x_of(2, 2, 5, 8, seed=i) for i in range(3))
    np.testing.assert_allclose(scaled_dot_product_attention(q, k, v, np.full((5, 5), -1e10), plain=plain).data, scaled_dot_product_attention(q, k, v).data, atol=1e-4, err_msg="all lowered alike, however far")


@both_forms
def test_gradients_against_central_differences(plain):
    mask = np.random.default_rng(0).random((2, 1, 3, 4)) < 0.6
    mask[0, 0, 1] = False
    f = lambda q, k, v: scaled_dot_product_attention(q, k, v, mask, enable_gqa=True, plain=plain)
    assert gradcheck(f, x_of(2, 4, 3, 2), x_of(2, 2, 4, 2, seed=1), x_of(2, 2, 4, 3, seed=2))
    assert gradcheck(lambda q, k: attention_weights(q, k, mask), x_of(2, 4, 3, 2), x_of(2, 2, 4, 2, seed=1))


@both_forms
def test_graphs_can_be_kept_cut_and_are_of_their_thread(plain):
    q, k, v = (Tensor(x_of(2, 3, 4, 5, seed=i), requires_grad=True) for i in range(3))
    y = scaled_dot_product_attention(q, k, v, is_causal=True, plain=plain)
    y.sum().backward(retain_graph=True)
    once = [t.grad.copy() for t in (q, k, v)]
    y.sum().backward()
    for t, g in zip((q, k, v), once): np.testing.assert_allclose(t.grad, 2 * g)
    with no_grad(): assert not scaled_dot_product_attention(q, k, v, plain=plain).requires_grad
    only = scaled_dot_product_attention(q.detach(), k, v.detach(), plain=plain)
    k.grad = None
    only.sum().backward()
    assert k.grad is not None
    shared, found = Tensor(x_of(2, 3, 4, 5), requires_grad=True), []
    same = scaled_dot_product_attention(shared, shared, shared, plain=plain)
    theirs = torch.tensor(x_of(2, 3, 4, 5), requires_grad=True)
    F.scaled_dot_product_attention(theirs, theirs, theirs).sum().backward()
    worker = threading.Thread(target=lambda: found.append((same.sum().backward(), shared.grad)))
    with no_grad():
        worker.start()
        worker.join()
    np.testing.assert_allclose(found[0][1], theirs.grad.numpy(), atol=1e-12)


def test_inputs_are_not_changed_and_may_lie_anyhow_in_memory():
    q, k, v = (np.asfortranarray(x_of(2, 3, 4, 5, seed=i)[..., ::-1]) for i in range(3))
    mask = x_of(4, 4)
    kept = [a.copy() for a in (q, k, v, mask)]
    for a in (q, k, v, mask): a.flags.writeable = False
    outs = [scaled_dot_product_attention(*(Tensor(a, requires_grad=True) for a in (q, k, v)), mask, is_causal=True, plain=plain) for plain in (False, True)]
    for out in outs: out.sum().backward()
    np.testing.assert_allclose(outs[0].data, outs[1].data, atol=1e-12)
    assert all(np.array_equal(a, b) for a, b in zip((q, k, v, mask), kept))


def test_dropout_takes_weights_out():
    q, k, v = x_of(1, 1, 200, 4), x_of(1, 1, 50, 4, seed=1), np.eye(50)[None, None]
    full, some = (scaled_dot_product_attention(q, k, v, dropout_p=p, rng=0).data for p in (0.0, 0.25))
    kept = some > 0
    assert abs(kept.mean() - 0.75) < 0.02
    np.testing.assert_allclose(some[kept], full[kept] / 0.75)
    assert np.array_equal(some, scaled_dot_product_attention(q, k, v, dropout_p=0.25, rng=0).data) and not np.array_equal(some, scaled_dot_product_attention(q, k, v, dropout_p=0.25, rng=1).data)
    assert not scaled_dot_product_attention(q, k, v, dropout_p=1.0).data.any()


@few
@given(T=st.integers(1, 7), S=st.integers(1, 7), window=st.integers(1, 9), data=st.data())
def test_masks_say_what_they_say(T, S, window, data):
    lengths = data.draw(st.lists(st.integers(0, S), max_size=3))
    assert causal_mask(T, S).tolist() == [[j <= i for j in range(S)] for i in range(T)]
    assert sliding_window_mask(T, window, S).tolist() == [[i - window < j <= i for j in range(S)] for i in range(T)]
    assert padding_mask(lengths, S).tolist() == [[[[j < n for j in range(S)]]] for n in lengths]
    assert padding_mask(np.array(lengths, np.uint8), S).shape == (len(lengths), 1, 1, S)
    assert np.array_equal(causal_mask(T), causal_mask(T, T)) and np.array_equal(sliding_window_mask(T, window), sliding_window_mask(T, window, T))
    for name, args in {"causal_mask": (T, S), "sliding_window_mask": (T, window, S), "padding_mask": (lengths or [0], S), "alibi_bias": (3, T, S), "alibi_slopes": (T,), "sinusoidal": (T, S)}.items():
        ours, theirs = (getattr(space, name)(*args) for space in (attention, twins))
        assert ours.shape == tuple(theirs.shape) and np.allclose(ours, theirs.numpy(), atol=1e-6) and (ours.dtype == bool) == (theirs.dtype == torch.bool)


# --- the online form

@few
@given(lead=st.sampled_from([(), (2,), (2, 3)]), sizes=st.tuples(*[st.integers(1, 9)] * 2, small, small), is_causal=st.booleans(), block=st.integers(1, 12), scale=st.sampled_from([None, 3.0]), single=st.booleans())
def test_block_by_block_is_exact(lead, sizes, is_causal, block, scale, single):
    (T, S, d, e), dtype = sizes, np.float32 if single else np.float64
    q, k, v = x_of(*lead, T, d, dtype=dtype), x_of(*lead, S, d, seed=1, dtype=dtype), x_of(*lead, S, e, seed=2, dtype=dtype)
    want = F.scaled_dot_product_attention(*map(torch.tensor, (q, k, v)), is_causal=is_causal, scale=scale).numpy()
    got = online_attention(q, k, v, is_causal, scale, block)
    assert got.dtype == dtype and type(got) is np.ndarray
    np.testing.assert_allclose(got, want, atol=1e-5 if single else 1e-12)


def test_online_attention_passes_blocks_whose_scores_are_all_minus_infinity():
    q, k, v = np.abs(x_of(5, 8)), x_of(300, 8, seed=1), x_of(300, 3, seed=2)
    k[:150] = -np.inf
    with np.errstate(all="ignore"):
        np.testing.assert_allclose(online_attention(q, k, v, block=64), online_attention(q, k[150:], v[150:]), atol=1e-12)
        assert not online_attention(q, k[:150], v[:150], block=64).any()



def test_block_by_block_survives_scores_that_grow_and_fall():
    q, v = np.ones((1, 1)), x_of(9, 2)
    for scores in (np.arange(9.0) * 300, -np.arange(9.0) * 300, np.full(9, -1e4), np.array([0.0, 800, -800] * 3)):
        want = torch.softmax(torch.tensor(scores), -1).numpy() @ v
        np.testing.assert_allclose(online_attention(q, scores[:, None], v, block=2)[0], want, atol=1e-12)


def test_no_more_scores_than_a_block_are_held():
    import tracemalloc
    q, k, v = (x_of(1, 1500, 4, seed=i) for i in range(3))
    tracemalloc.start()
    online_attention(q, k, v, block=25)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 5 * 1500 * 25 * 8 < 1500 * 1500 * 8 / 10


# --- kernel regression, additive attention

def test_kernel_regression_is_a_weighted_mean():
    x, a, b = x_of(5), x_of(7, seed=1), x_of(7, 2, seed=2)
    weight = [[np.exp(-(x[i] - a[j])**2 / (2 * 0.3**2)) for j in range(7)] for i in range(5)]
    want = [[sum(weight[i][j] * b[j, c] for j in range(7)) / sum(weight[i]) for c in range(2)] for i in range(5)]
    np.testing.assert_allclose(kernel_regression(x, a, b, 0.3), want)
    np.testing.assert_allclose(kernel_regression(x, a, b[:, 0], 0.3), np.array(want)[:, 0])
    nearest = np.abs(x[:, None] - a).argmin(1)
    np.testing.assert_allclose(kernel_regression(x, a, b, 1e-4), b[nearest])
    np.testing.assert_allclose(kernel_regression(x, a, b, 1e4), np.broadcast_to(b.mean(0), (5, 2)), rtol=1e-6)


@few
@given(sizes=st.tuples(small, st.integers(0, 5), small, small, small), data=st.data(), padded=st.booleans())
def test_additive_attention_is_its_formula(sizes, data, padded):
    B, S, Q, K, H = sizes
    lengths = data.draw(st.lists(st.integers(0, S), min_size=B, max_size=B)) if padded else None
    layer = scramble(AdditiveAttention(Q, K, H))
    W, U, v = (torch.tensor(p.data, requires_grad=True) for p in layer.parameters())

    def theirs(query, keys, weights=False):
        scores = torch.stack([torch.stack([(v[0] * torch.tanh(W @ query[b] + U @ keys[b, s])).sum() for s in range(S)]) if S else torch.zeros(0) for b in range(B)])
        rows = [torch.cat([torch.softmax(scores[b, :n], 0), torch.zeros(S - n)]) for b, n in enumerate(lengths or [S] * B)]
        p = torch.stack(rows).double()
        return p if weights else torch.stack([p[b] @ keys[b] for b in range(B)]) + 0 * (query.sum() + W.sum() + U.sum() + v.sum())
    for i in range(2):
        hold(lambda q, k, i=i: layer(q, k, lengths)[i] + 0 * q.sum(), lambda q, k, i=i: theirs(q, k, bool(i)) + 0 * (q.sum() + k.sum() + W.sum() + U.sum() + v.sum()), x_of(B, Q), x_of(B, S, K, seed=1), parameters=(list(layer.parameters()), [W, U, v]))


def test_keys_beyond_a_length_may_be_nan_in_additive_attention():
    layer, query, keys = scramble(AdditiveAttention(3, 4, 5)), x_of(3, 3), x_of(3, 6, 4, seed=1)
    found = []
    for fill in (0.0, np.nan):
        keys[0, 4:], keys[2] = fill, fill
        found.append(run(Tensor, lambda q, k: layer(q, k, [4, 6, 0])[0], [query, keys], np.ones((3, 4)), list(layer.parameters())))
    for a, b in zip([found[0][0], *found[0][1]], [found[1][0], *found[1][1]]): np.testing.assert_allclose(a, b, atol=1e-14)
    assert not found[0][0][2].any()
    twin = twins.AdditiveAttention(3, 4, 5).double()
    copy_weights(layer, twin)
    np.testing.assert_allclose(twin(torch.tensor(query), torch.tensor(keys), [4, 6, 0])[0].detach().numpy(), found[1][0], atol=1e-12)


# --- several heads

def torchs(layer: MultiHeadAttention):
    "torch's own layer, not the twin, with the same weights."
    theirs = torch.nn.MultiheadAttention(layer.embed_dim, layer.num_heads, bias=layer.in_proj_bias is not None, batch_first=True).double()
    theirs.load_state_dict({n: torch.tensor(v) for n, v in layer.state_dict().items()})
    return theirs


@both_forms
@few
@given(data=st.data(), h=small, d=small, B=small, T=st.integers(1, 5), S=st.integers(1, 5), bias=st.booleans(), way=st.sampled_from(["self", "keys", "keys and values"]),
       kind=st.sampled_from(["none", "bool", "float", "bool heads", "float batch"]), padded=st.booleans(), weights=st.booleans())
def test_layers_are_torchs(plain, data, h, d, B, T, S, bias, way, kind, padded, weights):
    S = T if way == "self" else S
    lengths = data.draw(st.lists(st.integers(1, S), min_size=B, max_size=B)) if padded else None
    layer, rng = scramble(MultiHeadAttention(h * d, h, bias=bias)), np.random.default_rng(7)
    mask = mask_of(kind, rng, (1, h, T, S) if "heads" in kind else (B, 1, T, S) if "batch" in kind else (T, S))
    theirs, arrays = torchs(layer), [x_of(B, n, h * d, seed=i) for i, n in enumerate([T, S, S][: ["self", "keys", "keys and values"].index(way) + 1])]
    given_mask, padding = None, None
    if mask is not None:                                                  # torch's own has the opposite meaning
        given_mask = torch.tensor(np.broadcast_to(mask, (B, h, T, S)).reshape(B * h, T, S) if mask.ndim > 2 else mask)
        given_mask = ~given_mask if mask.dtype == bool else given_mask
    if padded:
        padding = torch.arange(S) >= torch.tensor(lengths)[:, None]
        if given_mask is not None and given_mask.dtype != torch.bool: padding = torch.zeros(B, S).double().masked_fill(padding, -torch.inf)
    ours = lambda *x: layer(*x, attn_mask=mask, lengths=lengths, need_weights=weights, plain=plain)
    other = lambda *x: theirs(x[0], x[1] if len(x) > 1 else x[0], x[-1], key_padding_mask=padding, attn_mask=given_mask, average_attn_weights=False)
    for i in range(1 + weights):
        hold(lambda *x, i=i: ours(*x)[i] if weights else ours(*x), lambda *x, i=i: other(*x)[i] + 0 * sum(t.sum() for t in x), *arrays, parameters=(list(layer.parameters()), list(theirs.parameters())))


@both_forms
def test_values_may_be_others_where_queries_are_the_keys(plain):
    layer, x, other = scramble(MultiHeadAttention(8, 2)), x_of(2, 5, 8), x_of(2, 5, 8, seed=1)
    theirs, twin = torchs(layer), twins.MultiHeadAttention(8, 2).double()
    copy_weights(layer, twin)
    hold(lambda x, v: layer(x, x, v, plain=plain), lambda x, v: theirs(x, x, v)[0], x, other, parameters=(list(layer.parameters()), list(theirs.parameters())))
    hold(lambda x, v: layer(v, x, x, plain=plain), lambda x, v: twin(v, x, x), x, other, parameters=(list(layer.parameters()), list(twin.parameters())))
    hold(lambda x, v: layer(x, x, v, plain=plain), lambda x, v: twin(x, x, v), x, other, parameters=(list(layer.parameters()), list(twin.parameters())))


def test_state_dicts_load_both_ways_unchanged():
    for bias in (True, False):
        ours, theirs = MultiHeadAttention(12, 3, bias=bias, rng=0), torch.nn.MultiheadAttention(12, 3, bias=bias, batch_first=True)
        ours.load_state_dict(theirs.state_dict())
        assert list(ours.state_dict()) == list(theirs.state_dict()) and all(np.array_equal(v, theirs.state_dict()[n].numpy()) for n, v in ours.state_dict().items())
        x = x_of(2, 5, 12, dtype=np.float32)
        np.testing.assert_allclose(ours(x).data, theirs(*[torch.tensor(x)] * 3)[0].detach().numpy(), atol=1e-5)
        twin = twins.MultiHeadAttention(12, 3, bias=bias)
        twin.load_state_dict(theirs.state_dict())
        theirs.load_state_dict(twin.state_dict())


def by_hand(layer: MultiHeadAttention, query, key, mask=None):
    "The layer in torch, head by head: (B, T, E)."
    W, d, h, n = torch.tensor(layer.in_proj_weight.data), layer.head_dim, layer.num_heads, layer.num_kv_heads
    bias = torch.zeros(len(W)).double() if layer.in_proj_bias is None else torch.tensor(layer.in_proj_bias.data)
    rows, heads = lambda i: slice(i * d, (i + 1) * d), []
    for i in range(h):
        q, k, v = (x @ W[r].T + bias[r] for x, r in [(query, rows(i)), (key, rows(h + i // (h // n))), (key, rows(h + n + i // (h // n)))])
        if layer.positions == "rope": q, k = (torch.tensor(rotated(x.numpy(), base=layer.base)) for x in (q, k))
        scores, (T, S) = q @ k.transpose(1, 2) / d**0.5, (q.shape[1], k.shape[1])
        far = torch.arange(T)[:, None] - torch.arange(S)
        if layer.positions == "alibi": scores = scores - published_slopes(h)[i] * far.double().abs()
        if layer.window: scores = scores.masked_fill((far < 0) | (far >= layer.window), -torch.inf)
        if mask is not None: scores = scores.masked_fill(~mask[:, i], -torch.inf)
        heads.append(torch.nan_to_num(torch.softmax(scores, -1)) @ v)
    out = torch.cat(heads, -1) @ torch.tensor(layer.out_proj.weight.data).T
    return (out if layer.out_proj.bias is None else out + torch.tensor(layer.out_proj.bias.data)).numpy()


@both_forms
@few
@given(n=small, share=small, d=st.sampled_from([2, 4]), B=small, T=st.integers(1, 6), S=st.integers(1, 6), positions=st.sampled_from([None, "rope", "alibi"]), window=st.sampled_from([None, 1, 3, 100]), bias=st.booleans(), across=st.booleans(), masked=st.booleans(),
       base=st.sampled_from([10000.0, 50.0]))
def test_grouped_heads_positions_and_windows_are_their_formulas(plain, n, share, d, B, T, S, positions, window, bias, across, masked, base):
    h = n * share
    layer = scramble(MultiHeadAttention(h * d, h, 0.0, bias, n, positions, window, base))
    query, key = x_of(B, T, h * d), x_of(B, S, h * d, seed=1)
    mask = np.random.default_rng(1).random((B, h, T, S if across else T)) < 0.6 if masked else None
    got = layer(query, key if across else None, attn_mask=mask, plain=plain).data
    np.testing.assert_allclose(got, by_hand(layer, torch.tensor(query), torch.tensor(key if across else query), None if mask is None else torch.tensor(mask)), atol=1e-10)
    twin = twins.MultiHeadAttention(h * d, h, 0.0, bias, n, positions, window, base).double()
    copy_weights(layer, twin)
    with torch.no_grad(): other = twin(torch.tensor(query), torch.tensor(key) if across else None, attn_mask=None if mask is None else torch.tensor(mask))
    np.testing.assert_allclose(got, other.numpy(), atol=1e-10)


OPTIONS = [{}, {"num_kv_heads": 1}, {"num_kv_heads": 2, "positions": "rope", "base": 100.0}, {"positions": "alibi", "window": 3}, {"bias": False, "positions": "rope", "window": 2}]


@both_forms
@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_each_sequence_is_what_it_is_alone_whatever_lies_beyond(plain, options):
    layer, x, lengths = scramble(MultiHeadAttention(16, 4, **options)), x_of(4, 6, 16), np.array([2, 6, 0, 4], np.int32)
    beyond = np.arange(6) >= lengths[:, None]
    for is_causal in (False, True):
        clean = layer(x, lengths=lengths, is_causal=is_causal, plain=plain).data
        broken = layer(np.where(beyond[..., None], np.nan, x), lengths=lengths, is_causal=is_causal, plain=plain).data
        for row, n in enumerate(lengths):
            alone = layer(x[row : row + 1, :n], is_causal=is_causal, plain=plain).data
            np.testing.assert_allclose(clean[row, :n], alone[0], atol=1e-12)
            np.testing.assert_allclose(broken[row, :n], alone[0], atol=1e-12)
        bias = 0 if layer.out_proj.bias is None else layer.out_proj.bias.data
        assert np.abs(clean[2] - bias).max() == 0, "of no keys the weighted mean is 0"


@both_forms
@pytest.mark.parametrize("fill", [np.nan, np.inf])
def test_memory_beyond_a_length_reaches_no_gradient(plain, fill):
    layer, query, memory, lengths, found = scramble(MultiHeadAttention(8, 2)), x_of(3, 4, 8), x_of(3, 6, 8, seed=1), [4, 6, 0], []
    twin = twins.MultiHeadAttention(8, 2).double()
    copy_weights(layer, twin)
    for beyond in (0.5, fill):
        memory[0, 4:], memory[2] = beyond, beyond
        for given_value in (False, True):
            call = lambda q, k, g=given_value, **options: layer(q, k, k * 1.0 if g else None, lengths=lengths, plain=plain, **options)
            found.append(run(Tensor, call, [query, memory], x_of(3, 4, 8, seed=2), list(layer.parameters())))
            assert np.isfinite(call(Tensor(query), Tensor(memory), need_weights=True)[1].data).all()
        found.append(run(torch.tensor, lambda q, k: twin(q, k, lengths=lengths), [query, memory], x_of(3, 4, 8, seed=2), list(twin.parameters())))
    for other in found[1:]:
        for a, b in zip([found[0][0], *found[0][1]], [other[0], *other[1]], strict=True): np.testing.assert_allclose(a, b, atol=1e-10)


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("kind", ["none", "bool", "float", "batch"])
def test_layers_are_their_twins(options, kind):
    rng = np.random.default_rng(0)
    mask = None if kind == "none" else rng.random((4, 5, 5) if kind != "batch" else (3, 1, 5, 5)) < 0.4
    if kind == "float": mask = np.where(mask, rng.standard_normal(mask.shape), -np.inf)
    both = [space.MultiHeadAttention(16, 4, rng=1, **options) for space in (attention, twins)]
    for lengths in (None, np.array([5, 0, 3])):
        inputs = x_of(3, 5, 16), None, None, mask, lengths, True, True
        if kind != "float": assert_twins(*both, *inputs, dtype=np.float64, steps=2)
        else:                                                             # a float input would be a leaf
            ours, theirs = scramble(both[0]), copy.deepcopy(both[1]).double()
            copy_weights(ours, theirs)
            for i in range(2): hold(lambda x, i=i: ours(x, *inputs[1:])[i], lambda x, i=i: theirs(x, None, None, torch.tensor(mask), *inputs[4:])[i], inputs[0])


MADE = {"MultiHeadAttention": [(8, 2), (8, 4, 0.1, True, 2, "rope"), (8, 2, 0.0, False, 1)], "LearnedPositions": [(5, 8)], "AdditiveAttention": [(3, 4, 5)]}


@pytest.mark.parametrize("name", MADE)
def test_one_seed_gives_a_module_and_its_twin_the_same_weights(name):
    for args in MADE[name]:
        one, two, other = *(getattr(space, name)(*args, rng=3) for space in (attention, twins)), getattr(attention, name)(*args, rng=4)
        mine, theirs = one.state_dict(), two.state_dict()
        assert list(mine) == list(theirs) and all(np.array_equal(mine[n], theirs[n].numpy()) for n in mine)
        assert not all(np.array_equal(mine[n], v) for n, v in other.state_dict().items())


def test_weights_start_as_the_docstring_says():
    layer = MultiHeadAttention(60, 4, num_kv_heads=2, rng=0)
    state = layer.state_dict()
    bound = (6 / (60 + 120))**0.5
    assert {n: v.shape for n, v in state.items()} == {"in_proj_weight": (120, 60), "in_proj_bias": (120,), "out_proj.weight": (60, 60), "out_proj.bias": (60,)}
    assert 0.99 * bound < np.abs(state["in_proj_weight"]).max() <= bound and abs(state["in_proj_weight"].std() - bound / 3**0.5) < 0.03 * bound
    assert not state["in_proj_bias"].any() and not state["out_proj.bias"].any() and abs(state["out_proj.weight"].std() - (2 / 60)**0.5) < 0.01
    assert abs(LearnedPositions(100, 50, rng=0).weight.data.std() - 0.02) < 0.001


def test_dropout_acts_in_training_on_the_weights_alone():
    layer, x = MultiHeadAttention(8, 2, dropout=0.5, rng=0), x_of(2, 6, 8, dtype=np.float32)
    a, (b, weights) = layer(x).data, layer(x, need_weights=True)
    assert not np.array_equal(a, b.data)
    np.testing.assert_allclose(weights.data.sum(-1), 1, rtol=1e-6)
    assert np.array_equal(MultiHeadAttention(8, 2, dropout=0.5, rng=0)(x).data, a), "the seed says which"
    layer.eval()
    same = MultiHeadAttention(8, 2)
    same.load_state_dict(layer.state_dict())
    np.testing.assert_array_equal(layer(x).data, same(x).data)
    twin = twins.MultiHeadAttention(8, 2, dropout=0.5, rng=0)
    assert not torch.equal(twin(torch.tensor(x)), twin(torch.tensor(x))) and torch.equal(twin.eval()(torch.tensor(x)), twin(torch.tensor(x)))


@both_forms
def test_layers_convert_copy_and_run_unrecorded_and_in_threads(plain):
    layer, x = MultiHeadAttention(8, 4, num_kv_heads=2, positions="rope", rng=0), x_of(2, 5, 8, dtype=np.float32)
    y = layer(x, plain=plain)
    assert y.dtype == np.float32
    with no_grad(): assert not layer(x, plain=plain).requires_grad
    other = copy.deepcopy(layer).to(np.float64)
    np.testing.assert_allclose(other(x.astype(np.float64), plain=plain).data, y.data, atol=1e-5)
    other.in_proj_weight.data[...] = 0
    np.testing.assert_array_equal(layer(x, plain=plain).data, y.data)
    found = []
    worker = threading.Thread(target=lambda: found.append(layer(x, plain=plain).sum().backward()))
    worker.start()
    worker.join()
    grads = [p.grad.copy() for p in layer.parameters()]
    layer.zero_grad()
    loss = y.sum()
    loss.backward(retain_graph=True)
    for p, g in zip(layer.parameters(), grads): np.testing.assert_allclose(p.grad, g, atol=1e-6)
    loss.backward()
    for p, g in zip(layer.parameters(), grads): np.testing.assert_allclose(p.grad, 2 * g, atol=1e-5)
    assert layer(x[:0], plain=plain).shape == (0, 5, 8) and layer(x[:, :0], plain=plain).shape == (2, 0, 8)
    np.testing.assert_array_equal(layer(x, x[:, :0], plain=plain).data, 0)
    assert layer(x[:0], lengths=[], plain=plain).shape == (0, 5, 8)


def test_a_shuffled_sentence_gives_the_shuffled_answer_unless_a_mask_or_positions_say_the_order():
    x, order = x_of(1, 6, 8), np.random.default_rng(0).permutation(6)
    moved = lambda layer, **how: np.abs(layer(x[:, order], **how).data - layer(x, **how).data[:, order]).max()
    assert moved(scramble(MultiHeadAttention(8, 2))) < 1e-12
    for layer, how in [({}, {"is_causal": True}), ({"positions": "rope"}, {}), ({"positions": "alibi"}, {}), ({"window": 2}, {})]: assert moved(scramble(MultiHeadAttention(8, 2, **layer)), **how) > 1e-3


def test_the_outline_names_what_differs_from_torchs():
    assert repr(MultiHeadAttention(8, 4, 0.1, False, 2, "rope", 3)).startswith("MultiHeadAttention(8, 4, dropout=0.1, bias=False, num_kv_heads=2, positions='rope', window=3)")
    assert repr(MultiHeadAttention(8, 4, qk_norm=True)).startswith("MultiHeadAttention(8, 4, qk_norm=True)")
    assert repr(MultiHeadAttention(8, 4)).startswith("MultiHeadAttention(8, 4)") and repr(LearnedPositions(5, 3)).startswith("LearnedPositions(5, 3)")


@both_forms
@pytest.mark.parametrize("positions", [None, "rope"])
def test_normalized_queries_and_keys_are_as_if_they_had_been_scaled_before(plain, positions):
    "Each head's query and key, divided by its root mean square and multiplied by a weight a feature, then turned; values are as they were."
    layer, x = scramble(MultiHeadAttention(8, 2, positions=positions, qk_norm=True)), x_of(2, 5, 8)
    assert layer.q_norm.weight.shape == layer.k_norm.weight.shape == (4,) and not np.array_equal(layer.q_norm.weight.data, layer.k_norm.weight.data)
    q, k, v = (a.reshape(2, 5, 2, 4).swapaxes(1, 2) for a in np.split(x @ layer.in_proj_weight.data.T + layer.in_proj_bias.data, 3, axis=-1))
    q, k = (a / np.sqrt((a**2).mean(-1, keepdims=True) + 1e-5) * norm.weight.data for a, norm in ((q, layer.q_norm), (k, layer.k_norm)))
    if positions: q, k = rotated(q), rotated(k)
    y = sdpa(q, k, v, is_causal=True).data.swapaxes(1, 2).reshape(2, 5, 8)
    np.testing.assert_allclose(layer(x, is_causal=True, plain=plain).data, layer.out_proj(y).data, atol=1e-12)
    louder = copy.deepcopy(layer)
    for p in (louder.in_proj_weight, louder.in_proj_bias): p.data[:16] *= 1000
    np.testing.assert_allclose(louder(x, is_causal=True, plain=plain).data, layer(x, is_causal=True, plain=plain).data, atol=1e-3)


# --- positions

def rotated(x: np.ndarray, t=None, base=10000.0, interleaved=False) -> np.ndarray:
    "By complex numbers: pair i times e^(i t base^(-2i / d))."
    T, d = x.shape[-2:]
    z = x[..., 0::2] + 1j * x[..., 1::2] if interleaved else x[..., : d // 2] + 1j * x[..., d // 2 :]
    z = z * np.exp(1j * np.outer(np.arange(T) if t is None else t, [base**(-2 * i / d) for i in range(d // 2)]))
    return np.stack([z.real, z.imag], -1).reshape(x.shape) if interleaved else np.concatenate([z.real, z.imag], -1)


def rotate_half(x: torch.Tensor, base: float) -> torch.Tensor:
    "As in the code that reads open weights: x cos + (-x2, x1) sin, each angle twice."
    T, d = x.shape[-2:]
    angles = torch.outer(torch.arange(T).double(), 1 / base**(torch.arange(0, d, 2).double() / d))
    angles = torch.cat([angles, angles], -1)
    return x * angles.cos() + torch.cat([-x[..., d // 2 :], x[..., : d // 2]], -1) * angles.sin()


@few
@given(lead=st.sampled_from([(), (2,), (2, 3)]), T=st.integers(0, 6), half=st.integers(1, 4), interleaved=st.booleans(), base=st.sampled_from([10000.0, 7.0, 0.5]), where=st.sampled_from(["none", "shifted", "real"]))
def test_rotation_is_a_product_with_a_complex_number(lead, T, half, interleaved, base, where):
    x, t = x_of(*lead, T, 2 * half), {"none": None, "shifted": np.arange(T) + 1000, "real": x_of(T, seed=1)}[where]
    np.testing.assert_allclose(rotate(x, t, base, interleaved).data, rotated(x, t, base, interleaved), atol=1e-9)
    hold(lambda x: rotate(x, t, base, interleaved), lambda x: twins.rotate(x, t, base, interleaved), x)
    np.testing.assert_allclose(np.linalg.norm(rotate(x, t, base, interleaved).data, axis=-1), np.linalg.norm(x, axis=-1))
    if t is None and not interleaved: hold(lambda x: rotate(x, base=base), lambda x: rotate_half(x, base), x)
    if T: assert gradcheck(lambda x: rotate(x, t, base, interleaved), x)


def test_rotation_at_position_zero_and_by_hand():
    np.testing.assert_array_equal(rotate(x_of(1, 4)).data, x_of(1, 4))
    np.testing.assert_allclose(rotate(np.array([[1.0, 0.0]]), [np.pi / 2]).data, [[0, 1]], atol=1e-15)
    np.testing.assert_allclose(rotate(np.array([[1.0, 2, 3, 4]]), [np.pi / 2], base=1.0).data, [[-3, -4, 1, 2]], atol=1e-14)
    np.testing.assert_allclose(rotate(np.array([[1.0, 2, 3, 4]]), [np.pi / 2], base=1.0, interleaved=True).data, [[-2, 1, -4, 3]], atol=1e-14)
    assert rotate(x_of(3, 4, dtype=np.float32)).dtype == np.float32


@pytest.mark.parametrize("interleaved", [False, True])
def test_scores_depend_on_distances_alone(interleaved):
    q, k, t = x_of(5, 8), x_of(5, 8, seed=1), np.arange(5)
    scores = lambda shift: rotate(q, t + shift, interleaved=interleaved).data @ rotate(k, t + shift, interleaved=interleaved).data.T
    for shift in (1, 17, 1000, -3.5): np.testing.assert_allclose(scores(shift), scores(0), atol=1e-10)
    assert np.abs(rotate(q, t + 1).data @ rotate(k, t).data.T - scores(0)).max() > 0.1
    one = np.broadcast_to(q[:1], (5, 8))                                  # equal vectors: a Toeplitz matrix
    s = rotate(one, interleaved=interleaved).data @ rotate(one, interleaved=interleaved).data.T
    for i in range(1, 5): np.testing.assert_allclose(np.diagonal(s, i), s[0, i])


@few
@given(n=st.integers(1, 9), dim=st.integers(1, 9), base=st.sampled_from([10000.0, 20.0]))
def test_sines_and_cosines_stand_where_the_paper_puts_them(n, dim, base):
    import math
    want = [[(math.cos if c % 2 else math.sin)(t / base**((c - c % 2) / dim)) for c in range(dim)] for t in range(n)]
    np.testing.assert_allclose(sinusoidal(n, dim, base, np.float64), want, atol=1e-12)
    assert sinusoidal(n, dim, base).dtype == np.float32 and np.allclose(sinusoidal(n, dim, base), want, atol=1e-6)


def test_products_of_sinusoidal_positions_depend_on_distances_alone():
    p = sinusoidal(40, 16, dtype=np.float64)
    products = p @ p.T
    for i in range(40): np.testing.assert_allclose(np.diagonal(products, i), products[0, i])
    assert products[0, 0] == pytest.approx(8) and products[0, 1] < 8


def published_slopes(n: int) -> list:
    "As the authors of ALiBi wrote it."
    import math
    def power(n): return [(start := 2**(-(2**-(math.log2(n) - 3)))) * start**i for i in range(n)]
    if math.log2(n).is_integer(): return power(n)
    closest = 2**math.floor(math.log2(n))
    return power(closest) + published_slopes(2 * closest)[0::2][: n - closest]


def test_slopes_are_the_published_ones():
    for h in range(1, 40): np.testing.assert_allclose(alibi_slopes(h), published_slopes(h))
    assert alibi_slopes(8).tolist() == [2.0**-i for i in range(1, 9)]
    np.testing.assert_allclose(alibi_bias(3, 2, 4), [[[-s * abs(i - j) for j in range(4)] for i in range(2)] for s in published_slopes(3)])
    assert alibi_bias(2, 3).shape == (2, 3, 3)


def test_learned_positions_add_rows_of_a_table():
    layer, x = scramble(LearnedPositions(6, 3)), x_of(2, 4, 3)
    table = torch.tensor(layer.weight.data, requires_grad=True)
    hold(layer, lambda x: x + table[:4], x, parameters=([layer.weight], [table]))
    assert layer(x_of(2, 6, 3)).shape == (2, 6, 3)


# --- errors

X, Q = np.zeros((2, 5, 8)), np.zeros((2, 4, 5, 8))
LAYER, ADDITIVE, TABLE = MultiHeadAttention(8, 2, rng=0), AdditiveAttention(3, 4, 5, rng=0), LearnedPositions(4, 8, rng=0)
sdpa = scaled_dot_product_attention


@pytest.mark.parametrize(("make", "error", "words"), [
    (lambda: MultiHeadAttention(10, 4), ValueError, r"cuts embed_dim=10 into num_heads=4 equal heads, which does not go; take a multiple of 4, such as 12"),
    (lambda: MultiHeadAttention(8, 4, num_kv_heads=3), ValueError, "num_kv_heads=3 heads of keys among num_heads=4 heads, which does not go; take a divisor of 4"),
    (lambda: MultiHeadAttention(8, 4, num_kv_heads=8), ValueError, "take a divisor of 4"), (lambda: MultiHeadAttention(8, 4, num_kv_heads=0), ValueError, "num_kv_heads to be a whole number from 1 on"),
    (lambda: MultiHeadAttention(6, 2, positions="rope"), ValueError, "gives 3, which is odd; take heads of an even width"), (lambda: MultiHeadAttention(8, 2, positions="sine"), ValueError, "unknown positions 'sine'; choose from None, 'rope', 'alibi'"),
    (lambda: MultiHeadAttention(8, 2, window=0), ValueError, "window to be a whole number from 1 on, got 0"), (lambda: MultiHeadAttention(8, 2, window=2.0), ValueError, "window"), (lambda: MultiHeadAttention(8, 2, dropout=1.5), ValueError, "dropout to be a real number from 0 to 1"),
    (lambda: MultiHeadAttention(8, 2, base=0), ValueError, "base"), (lambda: MultiHeadAttention(8, 2, bias=1), TypeError, "bias to be True or False"), (lambda: twins.MultiHeadAttention(10, 4), ValueError, "does not go"),
    (lambda: LAYER(X[..., :7]), ValueError, r"MultiHeadAttention takes a query of shape \(batch, length, 8\), got \(2, 5, 7\)"), (lambda: LAYER(X, X[..., :7]), ValueError, "takes a key of shape"), (lambda: LAYER(X[0]), ValueError, r"add the batch axis: x\[None\]"),
    (lambda: LAYER(X, X, X[:, :4]), ValueError, r"key and value of one shape \(B, S, 8\), got \(2, 5, 8\), \(2, 5, 8\) and \(2, 4, 8\)"), (lambda: LAYER(X, X[:1]), ValueError, "of one shape"), (lambda: LAYER(X, None, X), ValueError, "values and no keys; give both, or the keys alone"),
    (lambda: twins.MultiHeadAttention(8, 2)(torch.zeros(1, 2, 8), None, torch.zeros(1, 2, 8)), ValueError, "values and no keys"), (lambda: LAYER(X.astype(int)), TypeError, "takes floats, got a query of int64; numbers that stand for words go through an Embedding"),
    (lambda: LAYER(Tensor(X)), TypeError, "computes in float32 and got a Tensor of float64"), (lambda: LAYER(X, attn_mask=np.ones((5, 5), int)), TypeError, r"booleans, True where a query may look, .* got ndarray of int64 .*write mask.astype\(bool\)"),
    (lambda: LAYER(X, attn_mask=np.ones((4, 5), bool)), ValueError, r"broadcasts to \(2, 2, 5, 5\), \(batch, heads, queries, keys\), got shape \(4, 5\)"), (lambda: LAYER(X, attn_mask=np.ones((2, 5, 5), bool)), ValueError, r"insert an axis: mask\[:, None\] is one a sequence, mask\[None\] one a head"),
    (lambda: LAYER(np.zeros((3, 5, 8)), attn_mask=np.ones((3, 5, 5), bool)), ValueError, r"insert the axis of heads: mask\[:, None\]"), (lambda: LAYER(X, X[:, :4], attn_mask=np.ones((4, 5), bool)), ValueError, "transpose it"),
    (lambda: LAYER(X, attn_mask=np.ones((2, 5), bool)), ValueError, r"of lengths, padding_mask\(lengths, S\) makes one"), (lambda: LAYER(X, attn_mask="causal"), TypeError, "got 'causal'"), (lambda: LAYER(X, attn_mask=Tensor(np.zeros((5, 5)), requires_grad=True)), ValueError, "no gradient to its attn_mask"),
    (lambda: LAYER(X, lengths=[5, 6]), ValueError, "lengths from 0 to 5, the number of keys, got 6"), (lambda: LAYER(X, lengths=[5, -1]), ValueError, "got -1"), (lambda: LAYER(X, lengths=[5.0, 4.0]), ValueError, "2 whole numbers, one for each sequence"),
    (lambda: LAYER(X, lengths=[5]), ValueError, r"2 whole numbers, one for each sequence, got \[5\]"), (lambda: LAYER(X, lengths=5), ValueError, "2 whole numbers"), (lambda: LAYER(X, lengths=[True, True]), ValueError, "2 whole numbers"), (lambda: LAYER(X, is_causal=1), TypeError, "is_causal to be True or False"),
    (lambda: sdpa(Q, Q[..., :7], Q), ValueError, "need one width, from 1 on: got 8 and 7"), (lambda: sdpa(Q, Q, Q[:, :, :4]), ValueError, "one value for each key, got 5 keys and 4 values"), (lambda: sdpa(Q, Q[:, :3], Q[:, :3], enable_gqa=True), ValueError, "got 4 heads, and 3, 3 of keys and values"),
    (lambda: sdpa(Q, Q[:, :2], Q[:, :4], enable_gqa=True), ValueError, "got 4 heads, and 2, 4 of keys"), (lambda: sdpa(Q, Q[:, :2], Q[:, :2]), ValueError, "enable_gqa=True shares heads"), (lambda: sdpa(Q, Q[:, :3], Q[:, :3]), ValueError, "broadcast, got shapes .*2, 3, 5, 8.*$"),
    (lambda: sdpa(Q[0, 0, 0], Q, Q), ValueError, r"takes a query \(..., heads, T, d\)"), (lambda: sdpa(Q, Q.astype(np.float32), Q), TypeError, "floats of one dtype, got float64, float32, float64"), (lambda: sdpa(Q[..., :0], Q[..., :0], Q), ValueError, "from 1 on: got 0 and 0"),
    (lambda: sdpa(Q, Q, Q, np.ones((5, 5), np.uint8)), TypeError, "booleans"), (lambda: sdpa(Q, Q, Q, np.ones((3, 5, 5), bool)), ValueError, "an attn_mask that broadcasts to"), (lambda: sdpa(Q, Q, Q, dropout_p=2), ValueError, "dropout_p"), (lambda: sdpa(Q, Q, Q, scale=float("nan")), ValueError, "scale"),
    (lambda: sdpa(Tensor(Q.astype(int)), Tensor(Q.astype(int)), Tensor(Q.astype(int))), TypeError, "takes floats"), (lambda: sdpa(Q, Q, Q, is_causal=None), TypeError, "is_causal"),
    (lambda: padding_mask([3, 4], 3), ValueError, "padding_mask takes lengths from 0 to 3, the number of keys, got 4"), (lambda: padding_mask([0.5], 3), ValueError, "whole numbers"), (lambda: padding_mask([1], -1), ValueError, "S, the number of keys"), (lambda: sliding_window_mask(3, 0), ValueError, "window to be a whole number"),
    (lambda: causal_mask(0), ValueError, "T to be a whole number"), (lambda: TABLE(X), ValueError, "has a table of 4 positions, and got a sequence of length 5; cut it, or make a longer table"), (lambda: TABLE(X[..., :3]), ValueError, r"\(batch, length, 8\)"), (lambda: twins.LearnedPositions(4, 8)(torch.zeros(2, 5, 8)), ValueError, "a table of 4 positions"),
    (lambda: rotate(X[..., :7]), ValueError, r"an even d, since features turn in pairs; got \(2, 5, 7\)"), (lambda: rotate(X, np.arange(4)), ValueError, r"positions of shape \(5,\), one a row, got \(4,\)"), (lambda: rotate(X, base=-1), ValueError, "base"), (lambda: rotate(Tensor(np.zeros((2, 2), int))), TypeError, "rotate takes floats"),
    (lambda: rotate(X, interleaved=1), TypeError, "interleaved"), (lambda: sinusoidal(0, 4), ValueError, "n to be a whole number"), (lambda: alibi_slopes(0), ValueError, "h to be a whole number"), (lambda: alibi_bias(2, 0), ValueError, "T to be"),
    (lambda: ADDITIVE(np.zeros((2, 3)), np.zeros((2, 5, 3))), ValueError, r"takes a query \(B, 3\) and keys \(B, S, 4\) of one batch"), (lambda: ADDITIVE(np.zeros((1, 3)), np.zeros((2, 5, 4))), ValueError, "of one batch"), (lambda: ADDITIVE(np.zeros((2, 3)), np.zeros((2, 5, 4)), [6, 1]), ValueError, "from 0 to 5"),
    (lambda: kernel_regression([0.0], [0.0, 1.0], [1.0], 1), ValueError, r"y_train \(m,\) or \(m, k\)"), (lambda: kernel_regression([0.0], [0.0], [1.0], 0), ValueError, "a width above 0"), (lambda: kernel_regression([0.0], [], [], 1.0), ValueError, "m from 1 on"), (lambda: online_attention(Q, Q, Q, block=0), ValueError, "block to be"),
    (lambda: online_attention(Q, Q, Q[:, :, :4]), ValueError, "online_attention takes one value for each key"), (lambda: attention_weights(Q, Q[:, :3]), ValueError, "got 4 heads, and 3 of keys"),
])
def test_a_bad_input_is_an_error_for_the_reader(make, error, words):
    with pytest.raises(error, match=words):
        make()


# --- wrong calls: each public name, with each argument in turn replaced by junk, works or ends in one message of ours

def x3(): return np.ones((2, 3, 8), np.float32)
def x4(heads=4): return np.ones((2, heads, 3, 8), np.float32)


CALLS = {
    "kernel_regression": (lambda: (np.ones(3), np.ones(4), np.ones(4), 0.5),), "causal_mask": (lambda: (3, 4),), "sliding_window_mask": (lambda: (3, 2, 4),), "padding_mask": (lambda: ([1, 2], 3),),
    "AdditiveAttention": (lambda: (3, 4, 5, 0),), "scaled_dot_product_attention": (lambda: (x4(), x4(2), x4(2), np.ones((3, 3), bool), 0.5, True, 0.3, True, False, 0),), "attention_weights": (lambda: (x4(), x4(), None, False, 0.3),),
    "MultiHeadAttention": (lambda: (8, 4, 0.1, True, 2, "rope", 3, 100.0, 0, True), x3), "sinusoidal": (lambda: (3, 4, 100.0),), "rotate": (lambda: (x3(), [0, 1, 2], 100.0, True),), "alibi_slopes": (lambda: (3,),), "alibi_bias": (lambda: (3, 4, 5),),
    "LearnedPositions": (lambda: (5, 8, 0), x3), "online_attention": (lambda: (x4(), x4(), x4(), True, 0.5, 2),)}
JUNK = wrong_calls.JUNK | {"length 0": np.ones((0, 2, 3), np.float32), "no steps": np.ones((2, 0, 8), np.float32), "Tensor of float64": Tensor(np.ones((2, 3, 8))), "module": ReLU(), "torch": torch.ones(2, 2), "ragged text": [["a"], [1, 2]]}
METHODS = {"layer": (lambda *args: MultiHeadAttention(8, 2, rng=0)(*args), lambda: (x3(), x3(), x3(), np.ones((3, 3), bool), [3, 0], True, True, False)), "self-attention": (lambda *args: MultiHeadAttention(8, 2, positions="alibi", rng=0)(*args), lambda: (x3(), None, None, np.zeros((3, 3)), [3, 0])),
           "additive": (lambda *args: AdditiveAttention(3, 8, 4, rng=0)(*args), lambda: (np.ones((2, 3), np.float32), x3(), [3, 0]))}


def test_every_public_name_is_in_the_table():
    assert set(attention.__all__) == set(CALLS)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", CALLS)
def test_a_wrong_call_ends_in_one_message_of_ours(name):
    args, inputs = (*CALLS[name], None)[:2]
    make = getattr(attention, name)
    assert inputs is None or len(args()) == len(inspect.signature(make).parameters), "each argument has its turn"
    assert complaints(make, args, inputs, JUNK) == {}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", METHODS)
def test_a_wrong_call_of_what_was_made_ends_in_one_message_of_ours(name):
    call, args = METHODS[name]
    call(*args())
    found = {what: foreign(call, *wrong) for what, wrong in replaced(args(), JUNK)}
    assert {what: error for what, error in found.items() if error} == {}


def test_every_public_thing_has_a_twin_of_the_same_arguments():
    ours = {name for name in attention.__all__ if name not in ("kernel_regression", "online_attention")}
    assert ours == set(twins.__all__)
    for name in ours:
        mine, theirs = ([n for n in inspect.signature(getattr(space, name)).parameters if n not in ("plain", "device", "dtype")] for space in (attention, twins))
        assert [n for n in mine if n != "rng" or inspect.isclass(getattr(attention, name))] == theirs, name


def test_nothing_warns_where_rows_look_at_nothing():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        LAYER(np.full((2, 3, 8), np.nan), lengths=[0, 1], is_causal=True)
        online_attention(x_of(3, 2), x_of(5, 2), x_of(5, 2), is_causal=True, block=2)


# ---------------------------------------------------------------- what a second pair of eyes found


def test_a_nan_in_a_float_mask_shows_itself():
    q, mask = np.ones((2, 3)), np.array([[0.0, np.nan], [0.0, 0.0]])
    assert np.isnan(attention.scaled_dot_product_attention(q, q, q, mask).data[0]).all()
    assert torch.isnan(twins.scaled_dot_product_attention(*[torch.from_numpy(q)] * 3, torch.from_numpy(mask))[0]).all()


@pytest.mark.parametrize("space", [attention, twins])
def test_nan_in_padding_of_self_attention_reaches_no_gradient(space):
    x = np.ones((2, 4, 8), np.float32)
    x[1, 2:] = np.nan
    layer = space.MultiHeadAttention(8, 2, rng=0)
    x = Tensor(x, requires_grad=True) if space is attention else torch.tensor(x, requires_grad=True)
    y = layer(x, lengths=[4, 2])
    (y[0].sum() + y[1, :2].sum()).backward()
    assert all(np.isfinite(np.asarray(p.grad)).all() for p in [x, *layer.parameters()])


def test_positions_beyond_float32_are_exact():
    x = np.ones((1, 4))
    want = twins.rotate(torch.from_numpy(x), torch.tensor([2**24 + 1]))
    np.testing.assert_allclose(attention.rotate(x, [2**24 + 1]).data, want, atol=1e-12)
    np.testing.assert_allclose(twins.rotate(torch.from_numpy(x), [1e5 + 0.1]), attention.rotate(x, [1e5 + 0.1]).data, atol=1e-12)


@pytest.mark.parametrize("dtype", [torch.int64, torch.uint8])
def test_the_twin_refuses_masks_of_whole_numbers(dtype):
    x, mask = torch.ones(1, 2, 3, 4), torch.ones(3, 3, dtype=dtype)
    for call in (lambda: twins.scaled_dot_product_attention(x, x, x, mask), lambda: twins.attention_weights(x, x, mask),
                 lambda: twins.MultiHeadAttention(4, 2)(x[0], attn_mask=mask, lengths=[3, 3])):
        with pytest.raises(TypeError, match="mask.bool"): call()


def test_no_hint_names_an_argument_that_is_not_there():
    q, k = np.ones((4, 2, 3)), np.ones((2, 5, 3))
    with pytest.raises(ValueError, match=r"np.repeat\(key, 2, axis=-3\)"): attention.online_attention(q, k, k)
    assert attention.attention_weights(q.tolist(), k.tolist()).shape == (4, 2, 5)


def test_a_float16_mask_of_very_small_numbers_bans_in_both():
    x, mask = np.ones((2, 4), np.float16), np.full((2, 2), -1e9)
    assert not attention.scaled_dot_product_attention(x, x, x, mask).data.any()
    assert not twins.scaled_dot_product_attention(*[torch.from_numpy(x)] * 3, torch.from_numpy(mask)).any()
