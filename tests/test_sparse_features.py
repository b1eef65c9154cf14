"""Features of which most are 0, handed to layers as SparseFeatures: the same outputs and gradients as the array, in NumPy and in torch; dropout of
the entries alone; rows; and what is refused. And the order of the product and the sum over edges, which makes no difference."""

import copy
import pickle

import numpy as np
import pytest
import torch

from nnbook import gnn, kernels
from nnbook.autograd import Tensor
from nnbook.gnn import GNN, GATConv, GCNConv, GINConv, GNNConfig, Graph, SAGEConv, SparseFeatures
from nnbook.layers import MLP
from nnbook.torch import gnn as twins
from nnbook.torch.twins import copy_weights

N, F, E = 30, 12, 90
CONVS = {"GCNConv": ((F, 5), {}), "GCNConv, wider": ((F, 20), {}), "SAGEConv, mean": ((F, 5), {"aggr": "mean"}), "SAGEConv, sum, wider": ((F, 20), {"aggr": "sum"}),
         "SAGEConv, no root": ((F, 5), {"root_weight": False, "bias": False}), "GATConv": ((F, 3), {"heads": 2}), "GATv2Conv": ((F, 3), {"heads": 2})}


def features(dtype=np.float64, seed=0):
    rng = np.random.default_rng(seed)
    return (rng.standard_normal((N, F)) * (rng.random((N, F)) < 0.2)).astype(dtype)


def graph(seed=0): return Graph(np.random.default_rng(seed).integers(0, N - 2, (2, E)), num_nodes=N)


def layer(name, module=gnn):
    sizes, options = CONVS[name]
    return getattr(module, name.partition(",")[0])(*sizes, **options, rng=0)


@pytest.fixture(params=["numpy", "scipy"])
def library(request, monkeypatch):
    found = pytest.importorskip("scipy.sparse") if request.param == "scipy" else None
    monkeypatch.setattr(kernels, "_LARGE", 0)
    monkeypatch.setattr(kernels, "_scipy", lambda: found)


@pytest.mark.parametrize("name", CONVS)
def test_a_layer_gives_what_it_gives_for_the_array(library, name):
    x, g, results = features(), graph(), []
    for given, options in ((x, {"plain": True}), (x, {}), (SparseFeatures(x), {})):
        conv = layer(name).to(np.float64)
        y = conv(given, g, **options)
        y.backward(np.random.default_rng(1).standard_normal(y.shape))
        results.append([y.data, *(p.grad for p in conv.parameters())])
    for result in results[1:]:
        for a, b in zip(result, results[0], strict=True): np.testing.assert_allclose(a, b, rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", CONVS)
def test_a_twin_gives_what_it_gives_for_the_array(name):
    x, g, results = features(), graph(), []
    for given in (torch.tensor(x), SparseFeatures(x)):
        for edges in (g, torch.tensor(g.edge_index)):
            conv = layer(name, twins).double()
            y = conv(given, edges)
            y.backward(torch.tensor(np.random.default_rng(1).standard_normal(tuple(y.shape))))
            results.append([y.detach().numpy(), *(p.grad.numpy() for p in conv.parameters())])
    for result in results[1:]:
        for a, b in zip(result, results[0], strict=True): np.testing.assert_allclose(a, b, rtol=0, atol=1e-12)


@pytest.mark.parametrize("conv", ["gcn", "sage", "gat", "gatv2", "mlp"])
def test_a_gnn_and_its_twin(conv):
    x, g, config = features(), graph(), GNNConfig(F, 8, 3, conv=conv, heads=2 if conv.startswith("gat") else 1)
    model, other = GNN(config, rng=0).to(np.float64), twins.GNN(config, rng=0).double()
    copy_weights(model, other)
    want = model(x, g).data
    np.testing.assert_allclose(model(SparseFeatures(x), g).data, want, rtol=0, atol=1e-12)
    np.testing.assert_allclose(other(SparseFeatures(x), g).detach().numpy(), want, rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", ["GCNConv, wider", "SAGEConv, sum, wider"])
def test_what_a_wider_layer_passes_back(name):
    "There the sum over edges comes first."
    g, results = graph(), []
    for plain in (True, False):
        conv, x = layer(name).to(np.float64), Tensor(features(), requires_grad=True)
        y = conv(x, g, plain=plain)
        y.backward(np.random.default_rng(1).standard_normal(y.shape))
        results.append([x.grad, *(p.grad for p in conv.parameters())])
    for a, b in zip(*results, strict=True): np.testing.assert_allclose(a, b, rtol=0, atol=1e-12)


@pytest.mark.parametrize("twin", [False, True])
def test_dropout_falls_on_entries_alone(twin):
    "A model that adds nothing: its output is the dropped features times the weights."
    x = SparseFeatures.of(np.repeat(np.arange(400), 5), np.tile(np.arange(5), 400), shape=(400, 7))
    config = GNNConfig(7, 7, 7, num_layers=1, conv="mlp", dropout=0.3)
    model = twins.GNN(config) if twin else GNN(config, rng=0)
    weight = model.convs[0].weight
    with torch.no_grad():
        if twin: weight.copy_(torch.eye(7))
        else: weight.data[...] = np.eye(7)
    torch.manual_seed(0)
    seen = model(x, Graph(np.zeros((2, 0), np.int64), num_nodes=400))
    seen = seen.detach().numpy() if twin else seen.data
    assert not seen[:, 5:].any() and abs((seen[:, :5] == 0).mean() - 0.3) < 0.05
    np.testing.assert_allclose(seen[seen != 0], 1 / 0.7, rtol=1e-4)
    model.eval()
    seen = model(x, Graph(np.zeros((2, 0), np.int64), num_nodes=400))
    assert np.array_equal(seen.detach().numpy() if twin else seen.data, x.to_dense()) and (x.values == 1).all()


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_the_twins_dropout_of_16_bits(p):
    torch.manual_seed(0)
    dropout, x = torch.nn.Dropout(p), torch.full((400, 501), 3.0, requires_grad=True)
    y = twins._dropped(dropout, x, x)
    kept = (y != 0).numpy()
    assert abs(kept.mean() - (1 - p)) < 5 * (p * (1 - p) / kept.size) ** 0.5
    np.testing.assert_allclose(y.detach().numpy()[kept], 3 / (1 - p), rtol=1e-3)
    y.sum().backward()
    assert np.array_equal((x.grad != 0).numpy(), kept)
    assert twins._dropped(dropout.eval(), x, x) is x


def test_rows_and_the_array_again():
    x = features(np.float32)
    s = SparseFeatures(x)
    assert s.shape == x.shape and s.dtype == x.dtype and len(s) == N and np.array_equal(s.to_dense(), x)
    nodes = np.array([4, 4, 29, 0])
    assert np.array_equal(s[nodes].to_dense(), x[nodes]) and s[[]].shape == (0, F)
    assert np.array_equal(s.astype(np.float64).to_dense(), x.astype(np.float64)) and s.astype(np.float32) is s
    rows, columns = np.nonzero(x)
    at = np.random.default_rng(0).permutation(len(rows))
    again = SparseFeatures.of(rows[at], columns[at], x[rows, columns][at], shape=x.shape)
    assert np.array_equal(again.to_dense(), x) and np.array_equal(again[nodes].to_dense(), x[nodes])
    for other in (copy.deepcopy(s), pickle.loads(pickle.dumps(s))): assert np.array_equal(other.to_dense(), x)
    assert SparseFeatures.of([0, 2], [1, 0]).to_dense().tolist() == [[0, 1], [0, 0], [1, 0]]
    assert np.isnan(SparseFeatures(np.array([[0, np.nan]])).to_dense()[0, 1])
    assert repr(s) == f"SparseFeatures(30 rows of 12, {np.count_nonzero(x)} entries, float32)"


def test_a_largest_zero_passes_all_of_its_gradient_on():
    "In torch the 0 that an empty segment gets would share it."
    for values in ([0.0], [0.0, 0.0], [-1.0, 0.0]):
        x, index = torch.tensor(values, requires_grad=True), np.zeros(len(values), int)
        twins.segment_max(x, index, 2).sum().backward()
        mine = Tensor(np.array(values), requires_grad=True)
        gnn.segment_max(mine, index, 2).sum().backward()
        assert x.grad.tolist() == mine.grad.tolist() and sum(x.grad.tolist()) == 1


MLP_LAYER = lambda: GINConv(MLP(F, 4, 4, rng=0))

@pytest.mark.parametrize("call, error, says", [
    (lambda: MLP_LAYER()(SparseFeatures(features()), graph()), TypeError, r"GINConv takes features as an array, got SparseFeatures; give it x.to_dense\(\)"),
    (lambda: SAGEConv(F, 4, aggr="max")(SparseFeatures(features()), graph()), TypeError, "SAGEConv takes features as an array"),
    (lambda: GNN(GNNConfig(F, F, 3, residual=True))(SparseFeatures(features()), graph()), TypeError, "GNN takes features as an array"),
    (lambda: GNN(GNNConfig(F, 4, 3, conv="gin"))(SparseFeatures(features()), graph()), TypeError, "GINConv takes features as an array"),
    (lambda: twins.SAGEConv(F, 4, aggr="max")(SparseFeatures(features()), graph()), TypeError, "SAGEConv takes features as a tensor, got SparseFeatures"),
    (lambda: GCNConv(F + 1, 4)(SparseFeatures(features()), graph()), ValueError, r"GCNConv takes features x of shape \(N, 13\), a row for each node, got \(30, 12\)"),
    (lambda: twins.GCNConv(F + 1, 4)(SparseFeatures(features()), graph()), ValueError, r"x of shape \(N, 13\), a row for each node, got \(30, 12\)"),
    (lambda: GATConv(F, 4)(SparseFeatures(features()), Graph([[0], [1]])), ValueError, "a row of x for each of 2 nodes, got 30 rows"),
    (lambda: SparseFeatures(np.ones(3)), ValueError, r"features x \(N, n\), a row for each node, got ndarray of float64 and shape \(3,\)"),
    (lambda: SparseFeatures(np.array([["a"]])), ValueError, r"features x \(N, n\)"),
    (lambda: SparseFeatures(Tensor(np.ones((2, 2)), requires_grad=True)), ValueError, "SparseFeatures are constants; pass x.detach()"),
    (lambda: SparseFeatures.of([0, 0], [1, 1]), ValueError, "takes each place once, and some were named twice"),
    (lambda: SparseFeatures.of([0, 0], [1]), ValueError, "a row, column and value an entry, got 2, 1"),
    (lambda: SparseFeatures.of([0, 5], [1, 0], shape=(5, 2)), ValueError, "has no entry in row 5"),
    (lambda: SparseFeatures.of([0.5], [1]), TypeError, "takes rows as whole numbers"),
    (lambda: SparseFeatures(features())[[N]], IndexError, "has rows 0 to 29, there is no row 30"),
])
def test_what_does_not_fit_is_said(call, error, says):
    with pytest.raises(error, match=says): call()
