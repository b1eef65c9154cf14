"What the chapter on convolution promises and a notebook can't test: agreement with torch for any shape, and errors a reader can act on."

import copy
import inspect
import re
from functools import partial

import numpy as np
import pytest
import torch
import torch.nn.functional as F
import wrong_calls
from hypothesis import given, settings
from hypothesis import strategies as st
from wrong_calls import complaints

from nnbook import cnn
from nnbook.autograd import Tensor, gradcheck, no_grad
from nnbook.cnn import (
    BasicBlock,
    BatchNorm2d,
    Conv1d,
    Conv2d,
    ConvNet,
    ConvTranspose2d,
    LeNet,
    LocallyConnected2d,
    MaxPool2d,
    PlainBlock,
    ResNet,
    feature_maps,
    receptive_field,
)
from nnbook.exercises import grade
from nnbook.layers import BatchNorm1d, Flatten, Linear, Module, Parameter, ReLU, Sequential
from nnbook.torch import cnn as twins
from nnbook.torch.twins import _SGD, assert_twins, copy_weights

few = settings(max_examples=40, deadline=None)
small = st.integers(1, 3)
pairs_of = lambda n: st.tuples(n, n)
both_forms = pytest.mark.parametrize("plain", [False, True], ids=["fast", "plain"])


def x_of(*shape, seed=0, dtype=np.float64):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def size_of(x) -> float: return float(np.linalg.norm(x)) or 1.0


def hold(ours, theirs, *arrays, tol=1e-9):
    "ours(*Tensors) and theirs(*tensors): the same output, and the same gradient of each array."
    a, b = [Tensor(v.copy(), requires_grad=True) for v in arrays], [torch.tensor(v, requires_grad=True) for v in arrays]
    y, z = ours(*a), theirs(*b)
    assert y.shape == tuple(z.shape) and y.dtype == z.detach().numpy().dtype
    g = x_of(*y.shape, seed=9, dtype=y.dtype)
    y.backward(g), z.backward(torch.tensor(g))
    assert np.abs(y.data - z.detach().numpy()).max() <= tol * size_of(y.data)
    for t, u, v in zip(a, b, arrays, strict=True):
        assert np.array_equal(t.data, v), "an input was changed"
        assert np.abs(t.grad - u.grad.numpy()).max() <= tol * size_of(t.grad)


# --- agreement with torch

@both_forms
@few
@given(data=st.data(), n=small, groups=st.integers(1, 3), per=pairs_of(small), kernel=pairs_of(small), stride=pairs_of(small),
       padding=pairs_of(st.integers(0, 3)), dilation=pairs_of(small), bias=st.booleans(), seed=st.integers(0, 99))
def test_conv2d_is_torchs(plain, data, n, groups, per, kernel, stride, padding, dilation, bias, seed):
    least = [max(1, d * (k - 1) + 1 - 2 * p) for d, k, p in zip(dilation, kernel, padding)]
    size = [data.draw(st.integers(m, m + 5)) for m in least]
    arrays = [x_of(n, per[0] * groups, *size, seed=seed), x_of(per[1] * groups, per[0], *kernel, seed=1), x_of(per[1] * groups, seed=2)][: 2 + bias]
    call = lambda f, **options: lambda x, w, b=None: f(x, w, b, stride, padding, dilation, groups, **options)
    hold(call(cnn.conv2d, plain=plain), call(F.conv2d), *arrays)


@both_forms
@few
@given(data=st.data(), n=small, groups=small, per=pairs_of(small), kernel=small, stride=small, padding=st.integers(0, 3), dilation=small, bias=st.booleans())
def test_conv1d_is_torchs(plain, data, n, groups, per, kernel, stride, padding, dilation, bias):
    least = max(1, dilation * (kernel - 1) + 1 - 2 * padding)
    arrays = [x_of(n, per[0] * groups, data.draw(st.integers(least, least + 6))), x_of(per[1] * groups, per[0], kernel, seed=1), x_of(per[1] * groups, seed=2)][: 2 + bias]
    call = lambda f, **options: lambda x, w, b=None: f(x, w, b, stride, padding, dilation, groups, **options)
    hold(call(cnn.conv1d, plain=plain), call(F.conv1d), *arrays)


@both_forms
@few
@given(data=st.data(), n=small, groups=small, per=pairs_of(small), size=pairs_of(st.integers(1, 4)), kernel=pairs_of(small), stride=pairs_of(small),
       dilation=pairs_of(small), bias=st.booleans())
def test_conv_transpose2d_is_torchs(plain, data, n, groups, per, size, kernel, stride, dilation, bias):
    extra = tuple(data.draw(st.integers(0, max(s, d) - 1)) for s, d in zip(stride, dilation))
    most = [((m - 1) * s + d * (k - 1) + e) // 2 for m, s, d, k, e in zip(size, stride, dilation, kernel, extra)]
    padding = tuple(data.draw(st.integers(0, min(2, p))) for p in most)
    arrays = [x_of(n, per[0] * groups, *size), x_of(per[0] * groups, per[1], *kernel, seed=1), x_of(per[1] * groups, seed=2)][: 2 + bias]
    call = lambda f, **options: lambda x, w, b=None: f(x, w, b, stride, padding, extra, groups, dilation, **options)
    hold(call(cnn.conv_transpose2d, plain=plain), call(F.conv_transpose2d), *arrays)


@both_forms
@few
@given(data=st.data(), n=small, c=small, kernel=pairs_of(st.integers(1, 4)), stride=st.none() | pairs_of(small), name=st.sampled_from(["max_pool2d", "avg_pool2d"]),
       tied=st.booleans())
def test_pools_are_torchs_where_entries_are_equal_too(plain, data, n, c, kernel, stride, name, tied):
    padding = tuple(data.draw(st.integers(0, k // 2)) for k in kernel)
    size = [data.draw(st.integers(max(1, k - 2 * p), k + 5)) for k, p in zip(kernel, padding)]
    x = x_of(n, c, *size)
    if tied: x = np.sign(np.round(x))
    hold(partial(getattr(cnn, name), kernel_size=kernel, stride=stride, padding=padding, plain=plain),
         partial(getattr(F, name), kernel_size=kernel, stride=stride, padding=padding), x)


@few
@given(n=small, c=small, size=pairs_of(st.integers(7, 9)), kernel=pairs_of(small), stride=pairs_of(small), padding=pairs_of(st.integers(0, 2)), dilation=pairs_of(small))
def test_unfold_and_fold_are_torchs(n, c, size, kernel, stride, padding, dilation):
    options = {"kernel_size": kernel, "dilation": dilation, "padding": padding, "stride": stride}
    x = x_of(n, c, *size)
    hold(partial(cnn.unfold, **options), partial(F.unfold, **options), x)
    columns = F.unfold(torch.tensor(x), **options).numpy()
    hold(partial(cnn.fold, output_size=size, **options), partial(F.fold, output_size=size, **options), columns)


@pytest.mark.filterwarnings("ignore:Using padding='same'")
@pytest.mark.parametrize("kernel", [1, 2, 3, (4, 3), (2, 5)])
@pytest.mark.parametrize("dilation", [1, 2, (1, 3)])
@pytest.mark.parametrize("padding", ["same", "valid"])
@both_forms
def test_padding_by_name_is_torchs(plain, kernel, dilation, padding):
    one, two = (make(2, 3, kernel, padding=padding, dilation=dilation, rng=0) for make in (partial(Conv2d, plain=plain), twins.Conv2d))
    assert_twins(one, two, x_of(2, 2, 11, 14), dtype=np.float64, steps=2)


@few
@given(size=pairs_of(st.integers(1, 9)), output=pairs_of(st.integers(1, 6)))
def test_adaptive_pools_are_torchs(size, output):
    hold(cnn.AdaptiveAvgPool2d(output), torch.nn.AdaptiveAvgPool2d(output), x_of(2, 3, *size))
    hold(cnn.AdaptiveAvgPool1d(output[0]), torch.nn.AdaptiveAvgPool1d(output[0]), x_of(2, 3, size[0]))


@few
@given(channels=pairs_of(small), size=pairs_of(st.integers(5, 7)), kernel=pairs_of(small), stride=small, padding=st.integers(0, 2), dilation=st.integers(1, 2), bias=st.booleans())
def test_locally_connected_layers_are_their_twins(channels, size, kernel, stride, padding, dilation, bias):
    one, two = (space.LocallyConnected2d(*channels, kernel, size, stride, padding, dilation, bias, rng=0) for space in (cnn, twins))
    if bias: one.bias.data[...] = x_of(*one.bias.shape, seed=1)
    assert_twins(one, two, x_of(2, channels[0], *size), dtype=np.float64, steps=2)


@pytest.mark.parametrize("shape", [(5, 4, 3, 3), (1, 4, 2, 5), (2, 4, 1, 1)])
@pytest.mark.parametrize("options", [{}, {"affine": False}, {"momentum": 0.5}, {"momentum": None}, {"eps": 0.1}])
def test_batch_norm_is_torchs_in_training_in_its_buffers_and_in_eval_mode(shape, options):
    one, two = BatchNorm2d(4, **options).to(np.float64), twins.BatchNorm2d(4, **options).double()
    for seed in range(3):
        x = 3 * x_of(*shape, seed=seed) + 1
        np.testing.assert_allclose(one(x).data, two(torch.tensor(x)).detach().numpy(), rtol=1e-10, atol=1e-12)
    for name, buffer in two.named_buffers():
        np.testing.assert_allclose(dict(one.named_buffers())[name], buffer.numpy(), rtol=1e-12)
    assert_twins(one, two, x_of(*shape, seed=9), dtype=np.float64)
    copy_weights(one, two)
    assert_twins(one.eval(), two.eval(), x_of(*shape, seed=9), dtype=np.float64)


NETS = {"LeNet": ((), {}, (3, 1, 28, 28)), "LeNet, averages": ((3, 5, "tanh", "avg"), {}, (3, 3, 28, 28)), "ConvNet": (((4, "M", 5, 6, "M", 7),), {}, (4, 1, 13, 12)),
        "ConvNet, flat": (((4, "M", 5), 2, 3, (9, 8)), {}, (3, 2, 9, 8)), "ConvNet, 1-D": (((4, "M", 5),), {"dims": 1, "kernel_size": 4}, (3, 1, 10)),
        "ConvNet, 1-D, flat": (((4, "M", 5),), {"dims": 1, "image_size": 11}, (3, 1, 11)), "ResNet": ((14, 3, 4, (4, 6)), {}, (3, 3, 9, 10)), "ResNet, 1-D": ((20, 1), {"dims": 1}, (3, 1, 40))}


@pytest.mark.parametrize("name", NETS)
def test_networks_and_their_twins_agree_and_one_seed_gives_both_the_same_weights(name):
    args, options, shape = NETS[name]
    one, two = (getattr(kind, name.partition(",")[0])(*args, **options, rng=3) for kind in (cnn, twins))
    mine, theirs = one.state_dict(), two.state_dict()
    assert list(mine) == list(theirs) and all(np.array_equal(mine[n], theirs[n].numpy()) for n in mine)
    slow = partial(_SGD, lr=1e-3)                                  # the loss, a sum, has no bottom: LeNet would fall too far
    for dtype in (np.float64, np.float32): assert_twins(one, two, x_of(*shape), dtype=dtype, optimizers=(slow, slow))


@pytest.mark.parametrize("dims", [1, 2])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("block", ["PlainBlock", "zeros", "projection"])
def test_nets_of_every_block_are_their_twins(dims, stride, block):
    kinds = [kind.PlainBlock if block == "PlainBlock" else partial(kind.BasicBlock, shortcut=block) for kind in (cnn, twins)]
    assert_twins(*(kind(3, 5, stride, dims=dims, rng=0) for kind in kinds), x_of(4, 3, *(7, 6)[:dims]), dtype=np.float64)
    one, two = (space.ResNet(8, 2, 3, (4, 5, 6), kind, dims, rng=1) for space, kind in zip((cnn, twins), kinds))
    assert_twins(one, two, x_of(3, 2, *(9, 8)[:dims]), dtype=np.float64)


@pytest.mark.parametrize(("name", "args"), [("Conv2d", (2, 4, 3)), ("Conv1d", (2, 4, 3)), ("ConvTranspose2d", (2, 4, 3, 2)), ("LocallyConnected2d", (2, 4, 3, 6))])
def test_one_seed_gives_a_layer_and_its_twin_the_same_weights_of_hes_variance(name, args):
    assert np.array_equal(getattr(cnn, name)(*args, rng=7).weight.data, getattr(twins, name)(*args, rng=7).weight.detach().numpy())
    wide = getattr(cnn, name)(50, 40, *args[2:], rng=0)
    reads = 50 * (3 if name == "Conv1d" else 9 / 4 if "Transpose" in name else 9)
    assert abs(wide.weight.data.std() / (2 / reads)**0.5 - 1) < 0.03 and not wide.bias.data.any()


def test_a_twin_on_the_meta_device_has_shapes_and_no_numbers():
    assert twins.ResNet(20, rng=0, device="meta").head[2].weight.is_meta and twins.LocallyConnected2d(2, 4, 3, 6, device="meta").weight.is_meta


# --- what convolution is

@both_forms
def test_conv2d_against_four_loops(plain):
    x, w, b = x_of(2, 3, 6, 7), x_of(4, 3, 3, 2, seed=1), x_of(4, seed=2)
    want = np.zeros((2, 4, 4, 6))
    for n, o, i, j in np.ndindex(want.shape): want[n, o, i, j] = (x[n, :, i : i + 3, j : j + 2] * w[o]).sum() + b[o]
    np.testing.assert_allclose(cnn.conv2d(x, w, b, plain=plain).data, want, rtol=1e-12)


@both_forms
@pytest.mark.parametrize("make", [
    lambda plain: (lambda x, w, b: cnn.conv2d(x, w, b, 2, 1, 1, 2, plain), (2, 4, 5, 6), (6, 2, 3, 2), (6,)),
    lambda plain: (lambda x, w, b: cnn.conv_transpose2d(x, w, b, 2, 1, 1, 2, 1, plain), (2, 4, 3, 2), (4, 3, 3, 2), (6,)),
    lambda plain: (lambda x: cnn.max_pool2d(x, 3, 2, 1, plain), (2, 2, 5, 6)), lambda plain: (lambda x: cnn.avg_pool2d(x, 3, 2, 1, plain), (2, 2, 5, 6))])
def test_gradients_against_central_differences(plain, make):
    f, *shapes = make(plain)
    assert gradcheck(f, *(x_of(*shape, seed=i) for i, shape in enumerate(shapes)))


def test_gradients_of_layers_and_blocks_against_central_differences():
    for layer, shape in ((LocallyConnected2d(2, 2, 3, (4, 5), rng=0), (2, 2, 4, 5)), (BasicBlock(2, 3, 2, "projection", rng=0), (3, 2, 4, 5)), (BatchNorm2d(2), (3, 2, 2, 2))):
        layer = layer.to(np.float64)
        assert gradcheck(lambda x, layer=layer: layer(x), x_of(*shape))


@both_forms
def test_a_shifted_picture_has_shifted_maps(plain):
    x, w = np.zeros((1, 1, 12, 12)), x_of(3, 1, 3, 3)
    x[:, :, 3:7, 3:7] = x_of(4, 4)
    there, here = (cnn.conv2d(v, w, plain=plain).data for v in (np.roll(x, (2, 3), (2, 3)), x))
    np.testing.assert_allclose(there, np.roll(here, (2, 3), (2, 3)), atol=1e-12)


def test_a_locally_connected_layer_with_one_kernel_everywhere_is_a_convolution():
    conv, local = Conv2d(2, 3, 3, 2, 1, rng=0), LocallyConnected2d(2, 3, 3, (7, 6), 2, 1, rng=1)
    local.weight.data[...], local.bias.data[...] = conv.weight.data[..., None, None], 0
    x = x_of(4, 2, 7, 6, dtype=np.float32)
    np.testing.assert_allclose(local(x).data, conv(x).data, atol=1e-5)


def test_of_equal_entries_the_first_gets_the_gradient():
    for plain in (False, True):
        x = Tensor(np.ones((1, 1, 2, 2)), requires_grad=True)
        cnn.max_pool2d(x, 2, plain=plain).sum().backward()
        assert x.grad.tolist() == [[[[1, 0], [0, 0]]]]


@both_forms
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dtypes_are_kept_and_views_are_right(plain, dtype):
    x, w = x_of(8, 7, 3, 2, dtype=dtype).transpose(3, 2, 1, 0)[..., ::-1], x_of(4, 3, 3, 3, seed=1, dtype=dtype)
    x.flags.writeable = False
    for y in (cnn.conv2d(x, w, plain=plain), cnn.max_pool2d(x, 2, plain=plain), cnn.avg_pool2d(x, 2, plain=plain), cnn.conv_transpose2d(x, w.transpose(1, 0, 2, 3), plain=plain)):
        assert y.dtype == dtype
    np.testing.assert_array_equal(cnn.conv2d(x, w, plain=plain).data, cnn.conv2d(np.ascontiguousarray(x), w, plain=plain).data)


# --- layers as modules

def test_a_layer_used_twice_collects_both_gradients():
    layer, x = Conv2d(2, 2, 3, padding=1, rng=0).to(np.float64), x_of(1, 2, 4, 4)
    layer(layer(x)).sum().backward()
    twice, eps = layer.weight.grad.copy(), 1e-6
    at = (1, 0, 2, 1)
    value = lambda h: (layer.weight.data.__setitem__(at, layer.weight.data[at] + h), layer(layer(x)).data.sum())[1]
    slope = (value(eps) - value(-2 * eps)) / (2 * eps)
    assert abs(slope - twice[at]) < 1e-6 * abs(slope)


def test_no_grad_hooks_conversion_and_state():
    model, x = ConvNet((3, "M", 4), rng=0), x_of(3, 1, 8, 8, dtype=np.float32)
    with no_grad(): assert not model(x).requires_grad
    seen = []
    with model[0].register_forward_hook(lambda module, inputs, output: seen.append(output.shape)): model(x)
    assert seen == [(3, 3, 8, 8)]
    other = ConvNet((3, "M", 4), rng=1)
    other.load_state_dict(model.state_dict())
    assert np.array_equal(other.eval()(x).data, model.eval()(x).data)
    assert copy.deepcopy(model).to(np.float64)(x).dtype == np.float64


def test_the_outline_is_torchs():
    for one, two in ((Conv2d(1, 16, 3), "Conv2d(1, 16, kernel_size=(3, 3), stride=(1, 1))"),
                     (Conv2d(4, 8, (3, 2), 2, 1, 2, 2, False), None), (Conv2d(1, 2, 3, padding="same"), None), (Conv1d(2, 4, 5, padding=2), None), (ConvTranspose2d(2, 4, 3, 2, 1, 1), None)):
        mine = repr(one).partition("  ")[0]
        args = {n: getattr(one, n) for n in ("in_channels", "out_channels", "kernel_size", "stride", "padding", "dilation", "groups")} | {"bias": one.bias is not None}
        if hasattr(one, "output_padding"): args["output_padding"] = one.output_padding
        assert mine == (two or repr(getattr(torch.nn, type(one).__name__)(**args))) == repr(getattr(torch.nn, type(one).__name__)(**args))
    assert repr(MaxPool2d(3, 2)).startswith("MaxPool2d(kernel_size=3, stride=2, padding=0) ") and "plain=True" in repr(MaxPool2d(2, plain=True)) and "plain=True" in repr(Conv2d(1, 1, 1, plain=True))


def test_published_sizes():
    "LeNet-5 as commonly taught; He et al. (2016) give 0.27 million for their net of 20 layers, 0.85 for that of 56, 1.7 for that of 110."
    count = lambda model: sum(p.data.size for p in model.parameters())
    assert count(LeNet()) == 61_706
    assert [round(count(ResNet(depth)) / 1e6, 2) for depth in (20, 56)] == [0.27, 0.85] and round(count(ResNet(110)) / 1e6, 1) == 1.7
    assert count(ResNet(20, block=PlainBlock)) == count(ResNet(20)) < count(ResNet(20, block=partial(BasicBlock, shortcut="projection")))
    convolutions = [m for m in ResNet(56).modules() if isinstance(m, (Conv2d, Linear))]
    assert len(convolutions) == 56


def test_a_residual_block_of_zeros_passes_its_input_on():
    for args in ((3, 3), (3, 5, 2)):
        block, x = BasicBlock(*args, rng=0), np.abs(x_of(2, 3, 5, 4, dtype=np.float32))
        block.bn2.weight.data[...] = 0
        want = x if args == (3, 3) else np.concatenate([x[:, :, ::2, ::2], np.zeros((2, 2, 3, 2))], axis=1)
        np.testing.assert_array_equal(block(x).data, want)
        plain = PlainBlock(*args, rng=0)
        plain.bn2.weight.data[...] = 0
        assert x.any() and not plain(x).data.any()


def test_plain_runs_the_plain_form(monkeypatch):
    ran = []
    def watched(f, what):
        def run(*args):
            ran.append(what)
            return f(*args)
        return run
    for name in vars(cnn._plain):
        for space, kind in ((cnn._plain, "plain"), (cnn.kernels, "fast")): monkeypatch.setattr(space, name, watched(getattr(space, name), (kind, name)))
    x = x_of(1, 2, 4, 4, dtype=np.float32)
    for plain, kind in ((True, "plain"), (False, "fast")):
        for layer in (Conv2d(2, 2, 3, plain=plain), ConvTranspose2d(2, 2, 3, plain=plain), MaxPool2d(2, plain=plain), cnn.AvgPool2d(2, plain=plain)): layer(x)
        assert [k for k, _ in ran] == [kind] * 4 and len(dict.fromkeys(ran)) == 4
        ran.clear()


# --- instruments

CHAINS = [
    Sequential(Conv2d(1, 1, 3), ReLU(), Conv2d(1, 1, (5, 2), 2, 1)), Sequential(Conv2d(1, 2, 3, padding=1), BatchNorm2d(2), MaxPool2d(2), Conv2d(2, 1, 3, padding="same", dilation=2)),
    [Conv1d(1, 2, 5, 2), [BatchNorm1d(2), cnn.MaxPool1d(2)], Conv1d(2, 1, 3, 2, 1)], [BasicBlock(1, 2, 2), PlainBlock(2, 2)], [cnn.AvgPool2d(3, 2, 1), Conv2d(1, 1, 4, padding="same")], Conv2d(1, 1, (3, 4))]


@pytest.mark.parametrize("chain", CHAINS)
def test_the_receptive_field_is_what_gradients_reach(chain):
    "From a value well inside: its gradient, for positive weights, is not 0 exactly in the field."
    net = Sequential(*[m for c in (chain if isinstance(chain, list) else [chain]) for m in (c if isinstance(c, list) else [c])]).eval().to(np.float64)
    field = receptive_field(chain)
    for p in net.parameters(): p.data[...] = np.abs(p.data) + 0.1
    x = Tensor(1 + np.random.default_rng(0).random((1, 1, *[41] * len(field.size))), requires_grad=True)
    y, masks = net(x), []
    start = np.zeros(y.shape)
    at = tuple(n // 2 for n in y.shape[2:])
    start[(0, 0, *at)] = 1
    for _ in range(20):                                            # a max pool passes one entry at a time
        x = Tensor(1 + np.random.default_rng(len(masks)).random(x.shape), requires_grad=True)
        net(x).backward(start)
        masks.append(x.grad[0, 0] != 0)
    reached = np.argwhere(np.any(masks, axis=0))
    assert tuple(reached.min(axis=0)) == tuple(o + s * i for o, s, i in zip(field.offset, field.stride, at))
    assert tuple(np.ptp(reached, axis=0) + 1) == field.size


def test_feature_maps_are_the_modules_outputs_and_leave_the_model_alone():
    model, x = ResNet(8, 1, rng=0), x_of(2, 1, 8, 8, dtype=np.float32)
    model.stages.eval()
    before, modes = model.state_dict(), [m.training for m in model.modules()]
    maps = feature_maps(model, x)
    assert maps["stem.0"].shape == (2, 16, 8, 8) and maps["stages.2.0"].shape == (2, 64, 2, 2) and list(maps)[-2:] == ["head.2", "head"]
    assert isinstance(maps["stem"], np.ndarray) and set(maps) == {n for n, _ in model.named_modules() if n}
    assert [m.training for m in model.modules()] == modes and all(np.array_equal(before[n], v) for n, v in model.state_dict().items())
    assert not any(m._hooks for m in model.modules())
    np.testing.assert_array_equal(maps["head"], model.eval()(x).data)
    with pytest.raises(ValueError): feature_maps(model, np.zeros((2, 3, 8, 8), np.float32))
    assert not any(m._hooks for m in model.modules())


# --- bad inputs

IMAGES = np.zeros((2, 1, 8, 8), np.float32)


@pytest.mark.parametrize(("make", "error", "words"), [
    (lambda: Conv2d(1, 2, 9)(IMAGES), ValueError, r"kernel spans \(9, 9\) and the padded input only \(8, 8\)"),
    (lambda: Conv2d(1, 2, 3, dilation=4)(IMAGES), ValueError, r"spans \(9, 9\)"),
    (lambda: MaxPool2d(9)(IMAGES), ValueError, "MaxPool2d: the kernel spans"),
    (lambda: Conv2d(3, 2, 3)(IMAGES), ValueError, r"Conv2d takes inputs of shape \(N, 3, H, W\), got \(2, 1, 8, 8\)$"),
    (lambda: Conv2d(3, 2, 3)(np.zeros((2, 8, 8, 3))), ValueError, r"channels come second: x.transpose\(0, 3, 1, 2\)"),
    (lambda: Conv1d(3, 2, 3)(np.zeros((2, 8, 3))), ValueError, r"channels come second: x.transpose\(0, 2, 1\)"),
    (lambda: Conv2d(1, 2, 3)(np.zeros((32, 28, 28))), ValueError, r"got \(32, 28, 28\); add the channel axis: x\[:, None\]"),
    (lambda: Conv2d(3, 2, 3)(np.zeros((3, 28, 28))), ValueError, r"add the batch axis: x\[None\]"),
    (lambda: Conv2d(1, 2, 3)(np.zeros((28, 28))), ValueError, r"x\[None, None\]"),
    (lambda: Conv2d(1, 2, 3)(np.zeros((2, 784))), ValueError, r"x\[None, None\]"),
    (lambda: Conv1d(1, 2, 3)(np.zeros((32, 40))), ValueError, r"\(N, 1, L\), got \(32, 40\)"),
    (lambda: MaxPool2d(2)(np.zeros((32, 28, 28))), ValueError, "add the channel axis"),
    (lambda: LeNet()(np.zeros((2, 1, 32, 32))), ValueError, r"LeNet has weights for inputs of \(28, 28\), got \(2, 1, 32, 32\); pad or crop"),
    (lambda: ConvNet((4, "M"), image_size=8)(np.zeros((2, 1, 9, 8))), ValueError, r"ConvNet has weights for inputs of \(8, 8\).*without image_size"),
    (lambda: ConvNet((4, "M"), image_size=8)(np.zeros((2, 8, 8))), ValueError, r"add the channel axis: x\[:, None\]"),
    (lambda: Conv2d(1, 2, True), ValueError, "kernel_size to be a whole number"), (lambda: receptive_field(LeNet()), TypeError, r"before its linear layers, as model\[:-3\]"),
    (lambda: Conv2d(4, 6, 3, groups=4), ValueError, "cannot divide 4 input and 6 output channels into 4 equal groups"),
    (lambda: cnn.conv2d(np.zeros((1, 6, 4, 4)), np.zeros((4, 2, 3, 3)), groups=3), ValueError, "into 3 equal groups"),
    (lambda: Conv2d(1, 2, 3)(np.zeros((0, 1, 8, 8))), ValueError, r"got \(0, 1, 8, 8\), which holds nothing; leave an empty batch out"),
    (lambda: Conv2d(1, 2, 3)(np.zeros((2, 1, 8, 8), np.uint8)), TypeError, r"got uint8; if they are pixels from 0 to 255: x.astype\(np.float32\) / 255"),
    (lambda: Conv2d(1, 2, 3)(Tensor(np.zeros((2, 1, 8, 8), int))), TypeError, "got int64"),
    (lambda: Conv2d(1, 2, 3)(Tensor(np.zeros((2, 1, 8, 8)))), TypeError, r"computes in float32 and got a Tensor of float64"),
    (lambda: Conv2d(1, 2, 3, stride=-1), ValueError, "stride to be a whole number from 1 on, or a pair of them, got -1"),
    (lambda: Conv2d(1, 2, 3, stride=float("nan")), ValueError, "stride .* got nan"),
    (lambda: Conv2d(1, 2, 0), ValueError, "kernel_size"), (lambda: Conv2d(1, 2, (3, 3, 3)), ValueError, r"got \(3, 3, 3\)"), (lambda: Conv1d(1, 2, (3, 3)), ValueError, "from 1 on, got"),
    (lambda: Conv2d(1, 2, 3, padding=-1), ValueError, "padding to be a whole number from 0 on"), (lambda: Conv2d(1, 2, 3, padding="full"), ValueError, "unknown padding 'full'.*'same'"),
    (lambda: Conv2d(1, 2, 3, 2, "same"), ValueError, "stride of 1 only"), (lambda: MaxPool2d(3, padding=2), ValueError, "at most half the kernel"),
    (lambda: ConvTranspose2d(1, 2, 3, 2, output_padding=2), ValueError, "smaller than the stride"), (lambda: ConvTranspose2d(1, 2, 1, padding=4)(IMAGES), ValueError, r"pictures of \(0, 0\)"),
    (lambda: BatchNorm2d(0), ValueError, "BatchNorm2d needs num_features"), (lambda: BatchNorm2d(3, eps=float("nan")), ValueError, "BatchNorm2d needs eps"),
    (lambda: BatchNorm2d(3)(np.zeros((1, 3, 1, 1))), ValueError, r"BatchNorm2d cannot train on 1 value per feature.*model.eval\(\)"),
    (lambda: BatchNorm2d(3)(np.zeros((4, 3))), ValueError, r"BatchNorm2d\(3\) takes inputs of shape \(N, 3, H, W\), got \(4, 3\)"),
    (lambda: LocallyConnected2d(1, 2, 3, 8)(np.zeros((2, 1, 9, 8))), ValueError, r"weights for pictures of \(8, 8\), got \(2, 1, 9, 8\)"),
    (lambda: LocallyConnected2d(1, 2, 9, 8), ValueError, "kernel spans"),
    (lambda: cnn.conv2d(IMAGES, np.zeros((2, 1, 3))), ValueError, "a weight of floats of shape"), (lambda: cnn.conv2d(IMAGES, np.zeros((2, 1, 3, 3)), np.zeros(3)), ValueError, r"a bias of float64 and shape \(2,\)"),
    (lambda: cnn.fold(np.zeros((1, 9, 5)), 4, 3), ValueError, r"\(N, C \* 9, 4\), got \(1, 9, 5\)"),
    (lambda: ConvNet(()), ValueError, 'as in'), (lambda: ConvNet(("M",)), ValueError, 'whole numbers and "M"'), (lambda: ConvNet((4, "P")), ValueError, '"M" for a max pool'),
    (lambda: ConvNet((4, "M", 5, "M"), image_size=3), ValueError, "image_size to be a whole number from 4 on"), (lambda: ConvNet((4,), dims=3), ValueError, "dims to be 1.*got 3"),
    (lambda: ConvNet((4, "M", "M"))(np.zeros((1, 1, 3, 3))), ValueError, "fewer pools"),
    (lambda: ResNet(10), ValueError, r"6n \+ 2 layers: 8, 14, 20, ...; got 10"), (lambda: ResNet(8, channels=(16, 8, 4)), ValueError, "from 16 channels to 8"),
    (lambda: ResNet(8, block=Linear), TypeError, "a kind of PlainBlock"), (lambda: BasicBlock(3, 4, shortcut="zero"), ValueError, "unknown shortcut 'zero'.*'zeros'"), (lambda: LeNet(activation="gelu"), ValueError, "unknown activation"),
    (lambda: receptive_field(Sequential(Conv2d(1, 2, 3), Flatten(), Linear(4, 2))), TypeError, "Flatten"), (lambda: receptive_field([ReLU()]), ValueError, "no convolution and no pool"),
    (lambda: receptive_field([Conv2d(1, 1, 3), Conv1d(1, 1, 3)]), ValueError, "in one chain"), (lambda: feature_maps(3, IMAGES), TypeError, "takes a Module"),
])
def test_a_bad_input_is_an_error_for_the_reader(make, error, words):
    with pytest.raises(error, match=words):
        make()


# --- wrong calls: each public name, with each argument in turn replaced by junk, works or ends in one message of ours

def x4(): return np.ones((2, 2, 6, 6), np.float32)
def x3(): return np.ones((2, 2, 6), np.float32)
def w4(): return Parameter(np.ones((4, 1, 3, 3)))
def b4(): return Parameter(np.ones(4))


CALLS = {
    "unfold": (lambda: (x4(), 3, 1, 0, 1),), "fold": (lambda: (np.ones((2, 9, 16), np.float32), 6, 3, 1, 0, 1),), "conv2d": (lambda: (x4(), w4(), b4(), 1, 0, 1, 2, False),),
    "conv1d": (lambda: (x3(), Parameter(np.ones((4, 1, 3))), b4(), 1, 0, 1, 2, False),), "conv_transpose2d": (lambda: (x4(), Parameter(np.ones((2, 2, 3, 3))), b4(), 1, 0, 0, 2, 1, False),),
    "max_pool2d": (lambda: (x4(), 2, 2, 0, False),), "avg_pool2d": (lambda: (x4(), 2, 2, 0, False),),
    "Conv2d": (lambda: (2, 4, 3, 1, 0, 1, 2, True, 0, False), x4), "Conv1d": (lambda: (2, 4, 3, 1, 0, 1, 2, True, 0, False), x3), "ConvTranspose2d": (lambda: (2, 4, 3, 1, 0, 0, 2, True, 1, 0, False), x4),
    **{name: (lambda: (2, 2, 0, False), x4 if "2d" in name else x3) for name in ("MaxPool2d", "AvgPool2d", "MaxPool1d", "AvgPool1d")},
    "AdaptiveAvgPool2d": (lambda: (2,), x4), "AdaptiveAvgPool1d": (lambda: (2,), x3), "BatchNorm2d": (lambda: (2, 1e-5, 0.1, True), x4), "LocallyConnected2d": (lambda: (2, 3, 3, 6, 1, 0, 1, True, 0), x4),
    "LeNet": (lambda: (1, 10, "relu", "max", 0), lambda: np.ones((2, 1, 28, 28), np.float32)), "ConvNet": (lambda: ((3, "M", 4), 2, 3, 6, 3, 2, 0), x4),
    "PlainBlock": (lambda: (2, 4, 2, 2, 0), x4), "Shortcut": (lambda: (2, 4, 2, 2), x4), "BasicBlock": (lambda: (2, 4, 2, "zeros", 2, 0), x4), "ResNet": (lambda: (4, 2, 3, (4,), BasicBlock, 2, 0), x4),
    "ReceptiveField": (lambda: ((1,), (1,), (0,)),), "receptive_field": (lambda: ([Conv2d(1, 1, 3)],),), "feature_maps": (lambda: (Conv2d(2, 4, 3), x4()),)}
JUNK = wrong_calls.JUNK | {"length 0": np.ones((0, 2, 6, 6), np.float32), "Tensor of float64": Tensor(np.ones((2, 2, 6, 6))), "module": ReLU(), "torch": torch.ones(2, 2)}


def test_every_public_name_is_in_the_table():
    assert set(cnn.__all__) == set(CALLS)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", CALLS)
def test_a_wrong_call_ends_in_one_message_of_ours(name):
    args, inputs = (*CALLS[name], None)[:2]
    make = getattr(cnn, name)
    assert inputs is None or len(args()) == len(inspect.signature(make).parameters), "each argument has its turn"
    assert complaints(make, args, inputs, JUNK) == {}


def test_every_layer_is_a_module_with_a_twin_of_the_same_arguments():
    for name, thing in vars(cnn).items():
        if inspect.isclass(thing) and issubclass(thing, Module) and thing.__module__ == "nnbook.cnn" and not name.startswith("_"):
            mine, theirs = (list(inspect.signature(getattr(space, name)).parameters) for space in (cnn, twins))
            assert [n for n in mine if n != "plain"] == [n for n in theirs if n in mine], name


@pytest.mark.parametrize("stride", [1, 2])
def test_the_checker_does_not_answer_the_guess_that_its_exercise_asks_for(stride):
    def needed(size, s=1):
        if (size, s) == (28, stride): return 99
        seen, step, layers = 1, 1, 0
        while seen < size: seen, step, layers = seen + 2 * step, step * s, layers + 1
        return layers
    verdict = grade("cnn.1", needed)
    assert verdict.status == "failed" and set(re.findall(r"\d+", verdict.message)) <= {"28", "99", str(stride)}, verdict.message
