"What the chapter on layers promises and a notebook can't test: agreement with torch in every setting, state dicts, and errors a reader can act on."

import copy
import pickle
from fractions import Fraction

import numpy as np
import pytest
import torch
import wrong_calls
from hypothesis import given, settings
from hypothesis import strategies as st
from wrong_calls import complaints, foreign, replaced

from nnbook import layers
from nnbook.autograd import Tensor, gradcheck
from nnbook.exercises import grade
from nnbook.layers import MLP, BatchNorm1d, Dropout, Embedding, Flatten, LayerNorm, Linear, Module, Parameter, ReLU, RMSNorm, Sequential
from nnbook.torch import layers as twins
from nnbook.torch.twins import assert_twins, copy_weights

few = settings(max_examples=15, deadline=None)
sizes = st.integers(1, 6)
seeds = st.integers(0, 2**32 - 1)


def x_of(*shape, seed=0, dtype=np.float64):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


# --- agreement with torch

@few
@given(leading=st.lists(sizes, max_size=3), n_in=sizes, n_out=sizes, bias=st.booleans(), seed=seeds)
def test_linear_is_torchs_for_any_leading_axes(leading, n_in, n_out, bias, seed):
    assert_twins(Linear(n_in, n_out, bias, rng=seed), twins.Linear(n_in, n_out, bias), x_of(*leading, n_in, seed=seed), dtype=np.float64, steps=2)


@few
@given(leading=st.lists(sizes, min_size=1, max_size=2), shape=st.lists(st.integers(2, 5), min_size=1, max_size=2), affine=st.booleans(), seed=seeds)
@pytest.mark.parametrize("name", ["LayerNorm", "RMSNorm"])
def test_norms_over_any_last_axes_are_torchs(name, leading, shape, affine, seed):
    one, two = (getattr(kind, name)(tuple(shape), elementwise_affine=affine, eps=1e-3) for kind in (layers, twins))
    assert_twins(one, two, x_of(*leading, *shape, seed=seed), dtype=np.float64, steps=2)


@pytest.mark.parametrize("shape", [(5, 4), (3, 4, 6), (2, 4), (1, 4, 2)])
@pytest.mark.parametrize("options", [{}, {"affine": False}, {"momentum": 0.5}, {"momentum": None}, {"eps": 0.1}])
def test_batch_norm_is_torchs_in_training_in_its_buffers_and_in_eval_mode(shape, options):
    one, two = BatchNorm1d(4, **options).to(np.float64), twins.BatchNorm1d(4, **options).double()
    for seed in range(3):
        x = 3 * x_of(*shape, seed=seed) + 1
        np.testing.assert_allclose(one(x).data, two(torch.tensor(x)).detach().numpy(), rtol=1e-10, atol=1e-12)
    for name, buffer in two.named_buffers():
        np.testing.assert_allclose(dict(one.named_buffers())[name], buffer.numpy(), rtol=1e-12)
    assert_twins(one, two, x_of(*shape, seed=9), dtype=np.float64)
    copy_weights(one, two)
    assert_twins(one.eval(), two.eval(), x_of(*shape, seed=9), dtype=np.float64)
    assert one.state_dict()["num_batches_tracked"] == 3 and "4" in repr(one)


@pytest.mark.parametrize("padding_idx", [None, 0, 3, -1])
def test_embedding_is_torchs_with_and_without_padding(padding_idx):
    indices = np.array([[0, 3, 3], [4, 0, 2]])
    assert_twins(Embedding(5, 3, padding_idx, rng=0), twins.Embedding(5, 3, padding_idx), indices, dtype=np.float64)
    table = Embedding(5, 3, padding_idx, rng=0)
    table(indices).sum().backward()
    if padding_idx is not None:
        assert not table.weight.data[padding_idx].any() and not table.weight.grad[padding_idx].any()
    assert np.array_equal(np.eye(5)[indices] @ table.weight.data, table(indices).data)


@pytest.mark.parametrize("activation", sorted(layers._ACTIVATIONS))
@pytest.mark.parametrize("norm", [None, "batch", "layer", "rms"])
def test_an_mlp_and_its_twin_agree_and_one_seed_gives_both_the_same_weights(activation, norm):
    one, two = (kind.MLP(6, 5, 4, 3, activation=activation, norm=norm, rng=3) for kind in (layers, twins))
    mine, theirs = one.state_dict(), two.state_dict()
    assert list(mine) == list(theirs) and all(np.array_equal(mine[n], theirs[n].numpy()) for n in mine)
    assert_twins(one, two, x_of(7, 6), dtype=np.float64)
    assert_twins(one, two, x_of(7, 6), dtype=np.float32)


def test_one_seed_gives_linear_embedding_and_their_twins_the_same_weights():
    for name, args in (("Linear", (5, 4)), ("Embedding", (5, 4, 2))):
        assert np.array_equal(getattr(layers, name)(*args, rng=7).weight.data, getattr(twins, name)(*args, rng=7).weight.detach().numpy())


def test_a_twin_on_the_meta_device_has_shapes_and_no_numbers():
    assert twins.MLP(10_000, 50_000, 10, rng=0, device="meta")[0].weight.is_meta


@pytest.mark.parametrize(("ours", "theirs"), [("Flatten", {}), ("Flatten", {"start_dim": 0, "end_dim": 1}), ("LeakyReLU", {"negative_slope": 0.3}), ("ELU", {"alpha": 2.0}), ("GELU", {"approximate": "tanh"})])
def test_options_mean_what_they_mean_in_torch(ours, theirs):
    x = x_of(2, 3, 4)
    got, want = getattr(layers, ours)(**theirs)(x), getattr(twins, ours)(**theirs)(torch.tensor(x))
    np.testing.assert_allclose(got.data, want.numpy(), rtol=1e-6, atol=1e-7)


def test_gradients_of_a_network_with_every_norm_against_central_differences():
    x = x_of(5, 4)
    for norm in ("batch", "layer", "rms"):
        model = MLP(4, 5, 2, norm=norm, activation="tanh", rng=0).to(np.float64)
        gradcheck(lambda x, model=model: model(x).sum(), Tensor(x, requires_grad=True))


# --- initialization

@pytest.mark.parametrize("shape", [(300, 200), (40, 20, 3, 3)])
@pytest.mark.parametrize(("name", "options"), [
    ("xavier_normal_", {}), ("xavier_uniform_", {"gain": 2.0}), ("kaiming_normal_", {}), ("kaiming_uniform_", {"a": 5**0.5}),
    ("kaiming_normal_", {"mode": "fan_out", "nonlinearity": "relu"}), ("kaiming_uniform_", {"nonlinearity": "tanh"}), ("kaiming_normal_", {"a": 0.3})])
def test_initializations_have_torchs_variance_and_range(shape, name, options):
    torch.manual_seed(0)
    ours = getattr(layers, name)(Parameter(np.zeros(shape)), rng=0, **options).data
    theirs = getattr(torch.nn.init, name)(torch.empty(shape), **options).numpy()
    assert abs(ours.std() / theirs.std() - 1) < 0.03 and abs(ours.mean()) < 0.05 * ours.std()
    assert abs(np.abs(ours).max() / np.abs(theirs).max() - 1) < (0.01 if "uniform" in name else 0.3)


@pytest.mark.parametrize("name", ["linear", "sigmoid", "tanh", "relu", "leaky_relu", "selu"])
def test_gains_are_torchs(name):
    assert layers.calculate_gain(name) == pytest.approx(torch.nn.init.calculate_gain(name))
    assert layers.calculate_gain("leaky_relu", 0.2) == pytest.approx(torch.nn.init.calculate_gain("leaky_relu", 0.2))


@pytest.mark.parametrize("shape", [(5, 5), (3, 7), (7, 3), (4, 2, 3)])
def test_orthogonal_rows_or_columns_are_orthogonal(shape):
    w = layers.orthogonal_(Parameter(np.zeros(shape), dtype=np.float64), gain=2.0, rng=0).data.reshape(shape[0], -1)
    gram = w @ w.T if w.shape[0] <= w.shape[1] else w.T @ w
    np.testing.assert_allclose(gram, 4 * np.eye(len(gram)), atol=1e-12)


def test_a_linear_starts_as_he_normal_with_zero_bias_and_torchs_own_starts_at_a_third():
    ours = Linear(500, 400, rng=0)
    assert ours.weight.data.var() * 500 == pytest.approx(2, rel=0.02) and not ours.bias.data.any()
    assert float(torch.nn.Linear(500, 400).weight.detach().var()) * 500 == pytest.approx(1 / 3, rel=0.02)     # what the chapter says of it


def test_seeds_repeat_and_a_generator_goes_on():
    assert np.array_equal(Linear(3, 4, rng=5).weight.data, Linear(3, 4, rng=5).weight.data)
    rng = np.random.default_rng(5)
    assert not np.array_equal(Linear(3, 4, rng=rng).weight.data, Linear(3, 4, rng=rng).weight.data)
    assert not np.array_equal(Linear(3, 4).weight.data, Linear(3, 4).weight.data)
    one, two = (MLP(8, 8, 8, dropout=0.5, rng=1) for _ in range(2))
    assert np.array_equal(one(x_of(4, 8)).data, two(x_of(4, 8)).data)


# --- dropout

@few
@given(p=st.floats(0, 0.9), seed=seeds)
def test_dropout_keeps_the_expectation_and_scales_the_survivors(p, seed):
    x, layer = np.ones((200, 100), np.float32), Dropout(p, rng=seed)
    y = layer(x).data
    assert y.dtype == np.float32 and set(np.unique(y)) <= {np.float32(0), np.float32(1 / (1 - p))}
    assert abs(y.mean() - 1) < 6 * (p / (1 - p) / y.size)**0.5 + 1e-6
    assert np.array_equal(layer.eval()(x).data, x)


def test_dropout_at_its_ends_and_its_twins_seed():
    x = x_of(50, 40, dtype=np.float32)
    assert not Dropout(1.0)(x).data.any() and np.array_equal(Dropout(0.0)(x).data, x)
    a, b = (twins.Dropout(0.4, rng=3)(torch.ones(30, 20)) for _ in range(2))
    assert torch.equal(a, b) and a.unique().tolist() == pytest.approx([0.0, 1 / 0.6])
    with pytest.raises(ValueError, match="from 0 to 1"):
        twins.Dropout(1.5)


def test_dropouts_gradient_is_its_mask():
    x = Tensor(np.ones((20, 10), np.float32), requires_grad=True)
    y = Dropout(0.5, rng=0)(x)
    y.sum().backward()
    assert np.array_equal(x.grad, y.data)


# --- the tree

class Net(Module):
    def __init__(self, rng=0):
        self.scale = Parameter([1.0, 2.0])
        self.body = MLP(3, 4, 2, norm="batch", rng=rng)
        self.head = Linear(2, 2, bias=False, rng=rng)
        self.register_buffer("mask", np.ones((2, 2)), persistent=False)

    def forward(self, x):
        return self.head(self.body(x)) * self.scale


NAMES = ["scale", "body.0.weight", "body.0.bias", "body.1.weight", "body.1.bias", "body.3.weight", "body.3.bias", "head.weight"]


def test_the_walk_finds_everything_under_torchs_names():
    net = Net()
    assert [n for n, _ in net.named_parameters()] == NAMES
    assert [n for n, _ in net.named_modules()] == ["", "body", "body.0", "body.1", "body.2", "body.3", "head"]
    assert [n for n, _ in net.named_buffers()] == ["mask", "body.1.running_mean", "body.1.running_var", "body.1.num_batches_tracked"]
    assert "mask" not in net.state_dict() and "body.1.running_var" in net.state_dict()


def test_what_is_shared_is_found_once_and_saved_under_every_name():
    shared = Linear(2, 2, rng=0)
    twice, theirs = Sequential(shared, shared), torch.nn.Sequential(*[torch.nn.Linear(2, 2)] * 2)
    assert len(list(twice.parameters())) == 2 and len(list(twice.modules())) == 2
    assert list(twice.state_dict()) == list(theirs.state_dict())
    assert "6  parameters" in repr(twice)


@pytest.mark.parametrize("container", [list, tuple, lambda v: dict(enumerate(v))])
@pytest.mark.parametrize("inside", [[Linear(2, 2), ReLU()], [Parameter([1.0])], [[Linear(2, 2)], [ReLU()]], [{"deep": (1, [Linear(2, 2)])}]])
def test_layers_hidden_in_a_container_are_an_error_that_says_where(container, inside):
    net = Net()
    net.extra = container(inside)
    with pytest.raises(TypeError, match=r"Net\.extra.*ModuleList.*Sequential"):
        list(net.parameters())


def test_other_lists_are_left_alone():
    net = Net()
    net.history, net.names, net.options = [1.0], ("a",), {"k": [2]}
    assert [n for n, _ in net.named_parameters()] == NAMES


def test_a_parameter_cannot_be_replaced_by_an_array_unnoticed():
    layer = Linear(2, 3)
    with pytest.raises(TypeError, match=r"Linear\.weight is a Parameter.*data\[\.\.\.\]"):
        layer.weight = np.zeros((3, 2))
    layer.weight = Parameter(np.ones((3, 2)))
    layer.bias = None
    assert layer([[1.0, 1.0]]).data.tolist() == [[2.0, 2.0, 2.0]]


def test_train_eval_zero_grad_and_to_reach_all():
    net = Net()
    net(x_of(4, 3)).sum().backward()
    assert all(p.grad is not None for p in net.parameters())
    net.zero_grad()
    assert all(p.grad is None for p in net.parameters())
    assert net.eval() is net and not any(m.training for m in net.modules())
    assert net.train() is net and all(m.training for m in net.modules())
    before = list(net.parameters())
    assert net.to(np.float64) is net and all(a is b for a, b in zip(before, net.parameters(), strict=True))
    arrays = {**{n: p.data for n, p in net.named_parameters()}, **dict(net.named_buffers())}
    assert {n for n, a in arrays.items() if a.dtype != np.float64} == {"body.1.num_batches_tracked"}
    assert net(x_of(4, 3)).dtype == np.float64 and net.astype("float32")(x_of(4, 3)).dtype == np.float32
    with pytest.raises(TypeError, match="floats, not None"): net.to(None)
    with pytest.raises(TypeError, match="floats, not int64"):
        net.to(int)


def test_a_copy_and_a_pickle_are_equal_and_apart():
    net = Net()
    for other in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        assert np.array_equal(other.eval()(x_of(4, 3)).data, net.eval()(x_of(4, 3)).data)
        next(other.parameters()).data[...] = 9
        assert next(net.parameters()).data[0] == 1


def test_hooks_see_replace_and_go():
    net, seen = Net(), []
    handle = net.head.register_forward_hook(lambda module, inputs, output: seen.append((module, inputs[0].shape, output.shape)))
    with net.head.register_forward_hook(lambda module, inputs, output: output * 0):
        assert not net(x_of(4, 3)).data.any()
    assert net(x_of(4, 3)).data.any() and seen == [(net.head, (4, 2), (4, 2))] * 2
    handle.remove()
    handle.remove()
    net(x_of(4, 3))
    assert len(seen) == 2


def test_the_outline_counts_and_shows_shapes():
    text = repr(MLP(784, 64, 10))
    assert "50,890  parameters" in text and "0  Linear(784, 64)  50,240  weight (64, 784), bias (64,)" in text and "ReLU()" in text
    assert repr(Linear(2, 3, bias=False)).startswith("Linear(2, 3, bias=False)  6")
    for layer in (LayerNorm(3), RMSNorm((2, 3)), Dropout(0.1), Embedding(4, 2, 0), Flatten(), Sequential(), Net()):
        assert type(layer).__name__ in repr(layer)


def test_sequential_is_a_list_of_layers():
    model = MLP(3, 4, 5, 2, rng=0)
    assert len(model) == 5 and isinstance(model[-1], Linear) and model[1:3][0] is model[1] and [type(m) for m in model][1] is ReLU
    assert np.array_equal(Sequential()(Tensor([1.0])).data, [1.0])


# --- state dicts

def test_a_state_dict_is_a_copy_that_restores():
    net = Net()
    saved = net.state_dict()
    want = net.eval()(x_of(4, 3)).data
    net.train()(x_of(4, 3))
    for p in net.parameters(): p.data += 1
    assert not np.array_equal(net.eval()(x_of(4, 3)).data, want)
    arrays = [p.data for p in net.parameters()]
    net.load_state_dict(saved)
    assert np.array_equal(net(x_of(4, 3)).data, want)
    assert all(a is p.data for a, p in zip(arrays, net.parameters(), strict=True)), "loads in place: an optimizer keeps its hold"


def test_a_wrong_state_dict_lists_every_fault_and_changes_nothing():
    net = Net()
    before, bad = net.state_dict(), net.state_dict()
    del bad["head.weight"]
    bad["tail.weight"] = np.zeros(3)
    bad["scale"] = np.zeros(5)
    bad["body.0.bias"] = np.array([0.0, np.nan, np.inf, 0.0])
    bad["body.3.bias"] = np.array([1, 2])
    bad["body.1.num_batches_tracked"] = np.array(1.5)
    with pytest.raises(ValueError) as error:
        net.load_state_dict(bad)
    text = str(error.value)
    for fault in ("missing: head.weight (2, 2)", "unexpected: tail.weight (3,)", "misshapen: scale is (5,) in the state dict and (2,) in the model", "not finite: body.0.bias has 2",
                  "of another kind: body.3.bias is int64", "of another kind: body.1.num_batches_tracked is float64"):
        assert fault in text
    assert len(text.splitlines()) == 7 and all(np.array_equal(before[n], a) for n, a in net.state_dict().items())


def test_the_state_of_another_model_and_what_is_no_state():
    with pytest.raises(ValueError, match="not of this MLP, which is unchanged"):
        MLP(3, 4, 2).load_state_dict(MLP(3, 5, 2).state_dict())
    for wrong in (None, [np.zeros(2)], MLP(3, 4, 2)):
        with pytest.raises(TypeError, match="dictionary of arrays"):
            MLP(3, 4, 2).load_state_dict(wrong)


def test_torchs_state_loads():
    one, two = MLP(3, 4, 2, norm="batch", rng=0), twins.MLP(3, 4, 2, norm="batch", rng=1)
    one.load_state_dict(two.state_dict())
    np.testing.assert_allclose(one.eval()(x_of(5, 3, dtype=np.float32)).data, two.eval()(torch.tensor(x_of(5, 3, dtype=np.float32))).detach().numpy(), atol=1e-6)


def test_loading_keeps_the_models_dtype():
    model = Linear(2, 2).to(np.float64)
    model.load_state_dict(Linear(2, 2, rng=0).state_dict())
    assert model.weight.dtype == np.float64


# --- bad inputs

@pytest.mark.parametrize(("make", "error", "words"), [
    (lambda: Linear(0, 3), ValueError, "in_features to be a whole number from 1 on, got 0"),
    (lambda: Linear(3, 2.5), ValueError, "out_features"),
    (lambda: MLP(3), ValueError, r"MLP\(784, 64, 10\)"),
    (lambda: MLP(), ValueError, "at least"),
    (lambda: MLP(3, 0, 2), ValueError, "out_features"),
    (lambda: MLP(3, 4, 2, activation="rellu"), ValueError, "unknown activation 'rellu'.*'relu'"),
    (lambda: MLP(3, 4, 2, norm="bach"), ValueError, "unknown norm 'bach'.*'batch'"),
    (lambda: MLP(3, 4, 2, dropout=2), ValueError, "from 0 to 1"),
    (lambda: Dropout(-0.1), ValueError, "from 0 to 1"),
    (lambda: LayerNorm(0), ValueError, "normalized_shape"),
    (lambda: LayerNorm(()), ValueError, "normalized_shape"),
    (lambda: BatchNorm1d(0), ValueError, "num_features"),
    (lambda: Embedding(0, 3), ValueError, "num_embeddings"),
    (lambda: Embedding(3, 2, padding_idx=3), ValueError, "padding_idx must be a row from 0 to 2"),
    (lambda: Sequential(Linear(2, 2), np.tanh), TypeError, "number 1 is"),
    (lambda: Parameter([1.0, float("nan")]), ValueError, "NaN or infinity"),
    (lambda: Parameter(["a"]), TypeError, "real numbers"),
    (lambda: layers.fans(Parameter([1.0])), ValueError, "two or more axes"),
    (lambda: layers.kaiming_normal_(Parameter(np.zeros((2, 2))), mode="fan_avg"), ValueError, "unknown mode 'fan_avg'"),
    (lambda: layers.kaiming_normal_(Parameter(np.zeros((2, 2))), nonlinearity="gelu"), ValueError, "unknown nonlinearity"),
    (lambda: Module()(1), NotImplementedError, "define forward"),
    (lambda: Linear(784, 10)(np.zeros((32, 28, 28))), ValueError, r"ending in 784 features, got shape \(32, 28, 28\); flatten each example first: x.reshape\(32, -1\)"),
    (lambda: Linear(3, 2)(np.zeros((4, 5))), ValueError, r"ending in 3 features, got shape \(4, 5\)$"),
    (lambda: Linear(3, 2)(np.float32(1)), ValueError, r"got shape \(\)"),
    (lambda: Linear(3, 2)(np.array(["a"])), TypeError, "dtype <U1"),
    (lambda: Linear(3, 2)(Tensor(np.zeros((4, 3)))), TypeError, r"computes in float32 and got a Tensor of float64.*model.to\(np.float64\)"),
    (lambda: Linear(3, 2)(Tensor(np.zeros((4, 3), int))), TypeError, r"Tensor\(x.data.astype\(np.float32\)\)"),
    (lambda: LayerNorm(3)(np.zeros((2, 4))), ValueError, r"got shape \(2, 4\)"),
    (lambda: RMSNorm(3)(np.zeros((2, 4))), ValueError, r"RMSNorm over \(3,\).*got shape \(2, 4\)"),
    (lambda: RMSNorm((2, 3))(np.zeros(3)), ValueError, r"got shape \(3,\)"),
    (lambda: BatchNorm1d(3)(np.zeros((2, 4))), ValueError, r"\(N, 3\) or \(N, 3, L\), got \(2, 4\)"),
    (lambda: BatchNorm1d(3)(np.zeros(3)), ValueError, r"got \(3,\)"),
    (lambda: BatchNorm1d(3)(np.zeros((1, 3))), ValueError, r"1 value per feature.*model.eval\(\)"),
    (lambda: BatchNorm1d(3)(np.zeros((0, 3))), ValueError, "0 value"),
    (lambda: Embedding(3, 2)(np.array([0, 3])), IndexError, "rows 0 to 2, got 3"),
    (lambda: Embedding(3, 2)(np.array([0.5])), TypeError, "integer"),
])
def test_a_bad_input_is_an_error_for_the_reader(make, error, words):
    with pytest.raises(error, match=words):
        make()


def test_an_empty_batch_goes_through_in_eval_mode():
    model = MLP(3, 4, 2, norm="batch", dropout=0.5, rng=0).eval()
    assert model(np.zeros((0, 3))).shape == (0, 2)
    assert Embedding(3, 2)(np.zeros((0, 4), int)).shape == (0, 4, 2)


def test_arrays_are_converted_and_tensors_are_not():
    layer = Linear(3, 2, rng=0)
    for dtype in (np.float64, np.float32, np.int64, bool):
        assert layer(np.ones((4, 3), dtype)).dtype == np.float32
    x = Tensor(x_of(4, 3, dtype=np.float32), requires_grad=True)
    layer(x).sum().backward()
    assert x.grad.shape == (4, 3)


def test_a_parameter_owns_its_memory_and_is_float32():
    array = np.ones((2, 3))
    parameter = Parameter(array)
    array[...] = 7
    assert parameter.data.max() == 1 and parameter.dtype == np.float32 and parameter.requires_grad
    assert Parameter(array, dtype=np.float64).dtype == np.float64


# --- the chapter's claims, once more and elsewhere

def test_batch_norm_does_not_notice_the_scale_of_its_input_and_the_gradient_is_at_right_angles_to_the_weights():
    x = x_of(50, 6)
    model = Sequential(Linear(6, 5, rng=0), BatchNorm1d(5, eps=0.0), ReLU(), Linear(5, 3, rng=1)).to(np.float64)
    y = model(x)
    (y * y).sum().backward()
    weight, gradient = model[0].weight.data, model[0].weight.grad
    assert np.abs((weight * gradient).sum(axis=1)).max() < 1e-10 * np.linalg.norm(gradient)
    np.testing.assert_allclose(model(255 * x).data, y.data, rtol=1e-9)


def test_the_bias_of_a_layer_before_a_batch_norm_is_superfluous():
    model = Sequential(Linear(6, 5, rng=0), BatchNorm1d(5)).to(np.float64)
    (model(x_of(50, 6))**2).sum().backward()
    assert np.abs(model[0].bias.grad).max() < 1e-10


# --- wrong calls: each public name, with each argument in turn replaced by junk, works or ends in one message of ours

def x2() -> np.ndarray: return x_of(4, 3, dtype=np.float32)
def p2(): return Parameter(np.ones((3, 4)))


# A right call of each public name: positional arguments, made anew for each call, and then the inputs of the layer that comes out.
CALLS = {
    "Parameter": (lambda: (x2(), True, np.float32),), "Module": (lambda: (),), "Handle": (lambda: (ReLU(), print),),
    "Linear": (lambda: (3, 2, True, 0), x2), "Sequential": (lambda: (ReLU(), ReLU()), x2), "ModuleList": (lambda: ([ReLU()],),), "Flatten": (lambda: (1, -1), x2),
    **{name: (lambda: (), x2) for name in ("Identity", "ReLU", "Tanh", "Sigmoid", "SiLU")}, "LeakyReLU": (lambda: (0.1,), x2), "ELU": (lambda: (1.0,), x2), "GELU": (lambda: ("none",), x2),
    "MLP": (lambda: (3, 4, 2), x2), "LayerNorm": (lambda: (3, 1e-5, True, True), x2), "RMSNorm": (lambda: (3, 1e-5, True), x2), "BatchNorm1d": (lambda: (3, 1e-5, 0.1, True), x2),
    "GroupNorm": (lambda: (1, 3, 1e-5, True), x2), "Dropout": (lambda: (0.5, 0), x2), "Embedding": (lambda: (5, 3, 0, 0), lambda: np.array([[0, 4]])),
    "normal_": (lambda: (p2(), 0.0, 1.0, 0),), "uniform_": (lambda: (p2(), 0.0, 1.0, 0),), "zeros_": (lambda: (p2(),),), "fans": (lambda: (p2(),),), "calculate_gain": (lambda: ("leaky_relu", 0.1),),
    "xavier_normal_": (lambda: (p2(), 1.0, 0),), "xavier_uniform_": (lambda: (p2(), 1.0, 0),), "orthogonal_": (lambda: (p2(), 1.0, 0),),
    "kaiming_normal_": (lambda: (p2(), 0.0, "fan_in", "relu", 0),), "kaiming_uniform_": (lambda: (p2(), 0.0, "fan_in", "relu", 0),)}
# Methods, by a right call: the module, the method, its arguments.
METHODS = [(lambda: MLP(3, 4, 2), name, args) for name, args in {
    "train": (True,), "to": (np.float64,), "load_state_dict": ({},), "register_buffer": ("kept", np.ones(3)), "register_forward_hook": (print,), "__getitem__": (0,)}.items()] + [
    (lambda: layers.ModuleList([ReLU()]), name, args) for name, args in {"append": (ReLU(),), "extend": ([ReLU()],), "__getitem__": (0,), "__setitem__": (0, ReLU())}.items()]
JUNK = wrong_calls.JUNK | {"Tensor of float64": Tensor(np.ones((4, 3)))}


def test_every_public_name_is_in_the_table():
    assert set(layers.__all__) == set(CALLS)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", CALLS)
def test_a_wrong_call_ends_in_one_message_of_ours(name):
    args, inputs = (*CALLS[name], None)[:2]
    assert complaints(getattr(layers, name), args, inputs, JUNK) == {}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("make", "name", "args"), METHODS, ids=[name for _, name, _ in METHODS])
def test_a_method_called_wrongly_ends_in_one_message_of_ours(make, name, args):
    found = {what: foreign(getattr(make(), name), *junk) for what, junk in replaced(args, JUNK)}
    assert {what: error for what, error in found.items() if error} == {}


@pytest.mark.filterwarnings("ignore")
def test_a_state_dict_with_a_wrong_entry_ends_in_one_message_of_ours():
    model = MLP(3, 4, 2)
    found = {what: foreign(model.load_state_dict, model.state_dict() | {"0.weight": value}) for what, value in JUNK.items()}
    assert {what: error for what, error in found.items() if error} == {}


def test_answers_as_fractions_are_right():
    "Exact fractions are right answers to the first two exercises."
    answers = {"layers.1": lambda depth: Fraction(1, 6**depth), "layers.2": lambda widths: Fraction(widths[-1], widths[1])}
    assert {grade(name, answer).status for name, answer in answers.items()} == {"passed"}
