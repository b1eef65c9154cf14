"What the chapter on graph networks promises and a notebook can't test: agreement with PyTorch Geometric, independence of numbering, exact gradients, errors a reader can act on."

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from nnbook.autograd import Tensor
from nnbook.gnn import (
    GNN,
    AttentionalAggregation,
    ComplEx,
    DistMult,
    GATConv,
    GATv2Conv,
    GCNConv,
    GINConv,
    GINEConv,
    GNNConfig,
    Graph,
    JumpingKnowledge,
    NeighborSampler,
    RGCNConv,
    SAGEConv,
    aggregate,
    filtered_ranks,
    gather,
    global_add_pool,
    global_max_pool,
    global_mean_pool,
    known_answers,
    label_propagation,
    ranking_metrics,
    sample_neighbors,
    segment_max,
    segment_mean,
    segment_softmax,
    segment_sum,
    wl_colors,
)
from nnbook.layers import MLP, Linear, Module, Sequential, Tanh

pyg = pytest.importorskip("torch_geometric")
import torch_geometric.nn as theirs  # noqa: E402

few = settings(max_examples=25, deadline=None)
precisions = pytest.mark.parametrize("dtype", [np.float64, np.float32], ids=["float64", "float32"])
TOLERANCE = {np.float64: 1e-10, np.float32: 1e-5}


def random_graph(seed=0, N=9, E=24, F=5, loops=True, **more) -> Graph:
    "Directed, with edges that are there twice, loops, none twice, and an isolated node where there are enough."
    rng = np.random.default_rng(seed)
    M = N - 1 if N > 2 else N                                   # the last node is isolated
    edges = rng.integers(0, max(M, 1), (2, E if M else 0))
    if E > 3 and M > 1: edges[:, 1] = edges[:, 0]
    if loops and E > 3 and M: edges[:, 2] = edges[0, 2]
    loop = edges[0] == edges[1]
    first = np.isin(np.arange(edges.shape[1]), np.unique(edges[0], return_index=True)[1]) if loops else np.zeros_like(loop)
    edges = edges[:, ~loop | first]
    return Graph(edges, x=rng.standard_normal((N, F)), **more)


def mlp(n_in=5, n_out=4): return Sequential(Linear(n_in, 6), Tanh(), Linear(6, n_out))


def their_mlp(n_in=5, n_out=4): return torch.nn.Sequential(torch.nn.Linear(n_in, 6), torch.nn.Tanh(), torch.nn.Linear(6, n_out))


# name: (ours, PyG's, what of the edges both get)
LAYERS = {
    "GCN": (lambda: GCNConv(5, 4), lambda: theirs.GCNConv(5, 4), ()),
    "GCN, weights": (lambda: GCNConv(5, 4), lambda: theirs.GCNConv(5, 4), ("edge_weight",)),
    "GCN, weights, no loops": (lambda: GCNConv(5, 4, add_self_loops=False), lambda: theirs.GCNConv(5, 4, add_self_loops=False), ("edge_weight",)),
    "GCN, no loops": (lambda: GCNConv(5, 4, add_self_loops=False), lambda: theirs.GCNConv(5, 4, add_self_loops=False), ()),
    "GCN, not normalized": (lambda: GCNConv(5, 4, normalize=False), lambda: theirs.GCNConv(5, 4, normalize=False), ("edge_weight",)),
    "GCN, not normalized, no weights": (lambda: GCNConv(5, 4, bias=False, normalize=False), lambda: theirs.GCNConv(5, 4, normalize=False, bias=False), ()),
    **{f"SAGE, {aggr}": (lambda aggr=aggr: SAGEConv(5, 4, aggr), lambda aggr=aggr: theirs.SAGEConv(5, 4, aggr), ()) for aggr in ("mean", "max", "sum")},
    "SAGE, no root": (lambda: SAGEConv(5, 4, root_weight=False, bias=False), lambda: theirs.SAGEConv(5, 4, root_weight=False, bias=False), ()),
    "GAT": (lambda: GATConv(5, 4, 3), lambda: theirs.GATConv(5, 4, 3), ()),
    "GAT, mean of heads, no loops": (lambda: GATConv(5, 4, 3, concat=False, add_self_loops=False, negative_slope=0.5), lambda: theirs.GATConv(5, 4, 3, concat=False, add_self_loops=False, negative_slope=0.5), ()),
    "GAT, edges": (lambda: GATConv(5, 4, 3, edge_dim=2), lambda: theirs.GATConv(5, 4, 3, edge_dim=2), ("edge_attr",)),
    "GAT, edges, no loops": (lambda: GATConv(5, 4, edge_dim=2, add_self_loops=False, bias=False), lambda: theirs.GATConv(5, 4, edge_dim=2, add_self_loops=False, bias=False), ("edge_attr",)),
    "GATv2": (lambda: GATv2Conv(5, 4, 3), lambda: theirs.GATv2Conv(5, 4, 3), ()),
    "GATv2, mean of heads, no bias": (lambda: GATv2Conv(5, 4, 3, concat=False, bias=False), lambda: theirs.GATv2Conv(5, 4, 3, concat=False, bias=False), ()),
    "GATv2, edges": (lambda: GATv2Conv(5, 4, 3, edge_dim=2), lambda: theirs.GATv2Conv(5, 4, 3, edge_dim=2), ("edge_attr",)),
    "GIN": (lambda: GINConv(mlp(), 0.3), lambda: theirs.GINConv(their_mlp(), 0.3), ()),
    "GIN, eps trained": (lambda: GINConv(mlp(), 0.3, train_eps=True), lambda: theirs.GINConv(their_mlp(), 0.3, train_eps=True), ()),
    "GINE": (lambda: GINEConv(mlp(), 0.3, edge_dim=2), lambda: theirs.GINEConv(their_mlp(), 0.3, edge_dim=2), ("edge_attr",)),
    "GINE, eps trained": (lambda: GINEConv(mlp(2), train_eps=True), lambda: theirs.GINEConv(their_mlp(2), train_eps=True), ("edge_attr",)),
    **{f"RGCN, {aggr}": (lambda aggr=aggr: RGCNConv(5, 4, 3, aggr=aggr), lambda aggr=aggr: theirs.RGCNConv(5, 4, 3, aggr=aggr), ("edge_type",)) for aggr in ("mean", "max", "sum")},
    "RGCN, bases": (lambda: RGCNConv(5, 4, 3, num_bases=2), lambda: theirs.RGCNConv(5, 4, 3, num_bases=2), ("edge_type",)),
    "RGCN, no root": (lambda: RGCNConv(5, 4, 3, root_weight=False, bias=False), lambda: theirs.RGCNConv(5, 4, 3, root_weight=False, bias=False), ("edge_type",)),
}
layers = pytest.mark.parametrize("name", LAYERS)


def width(layer) -> int: return 2 if isinstance(layer, GINEConv) and layer.lin is None else 5


def edges_of(graph: Graph, names, dtype=np.float64, seed=0) -> dict:
    rng, E = np.random.default_rng(seed), graph.num_edges
    values = {"edge_weight": rng.uniform(0.1, 2, E).astype(dtype), "edge_attr": rng.standard_normal((E, 2)).astype(dtype), "edge_type": rng.integers(0, 3, E)}
    return {name: values[name] for name in names}


def scramble(layer, dtype=np.float64, seed=0):
    rng, layer = np.random.default_rng(seed), layer.to(dtype)
    for p in layer.parameters(): p.data[...] = rng.uniform(-0.8, 0.8, p.shape)
    return layer


def close(a, b, tol=1e-10):
    a, b = np.asarray(a), np.asarray(b)
    assert a.shape == b.shape and np.abs(a - b).max(initial=0) <= tol * max(1, np.abs(b).max(initial=0)), np.abs(a - b).max(initial=0)


# --- beside PyTorch Geometric


def compared(ours, other, graph: Graph, names: tuple, dtype) -> None:
    "Outputs, and gradients of parameters, of x and of float attributes of edges."
    ours, tol = scramble(ours, dtype), TOLERANCE[dtype]
    other = other.to(torch.float64 if dtype == np.float64 else torch.float32)
    other.load_state_dict({name: torch.tensor(value) for name, value in ours.state_dict().items()})
    given, x = edges_of(graph, names, dtype), graph.x.astype(dtype)[:, : width(ours)]
    mine = [Tensor(x, requires_grad=True), *(Tensor(v, requires_grad=True) if v.dtype.kind == "f" else v for v in given.values())]
    other_given = [torch.tensor(v, requires_grad=v.dtype.kind == "f") for v in (x, *given.values())]
    y, z = ours(mine[0], graph.edge_index, *mine[1:]), other(other_given[0], torch.tensor(graph.edge_index), *other_given[1:])
    assert y.dtype == dtype
    close(y.data, z.detach(), tol)
    ray = np.random.default_rng(1).standard_normal(y.shape).astype(dtype)
    if not y.requires_grad: return                               # no edge, no root, no bias
    (y * ray).sum().backward()
    (z * torch.tensor(ray)).sum().backward()
    zero = lambda p: np.zeros(tuple(p.shape)) if p.grad is None else p.grad
    parameters = dict(other.named_parameters())
    assert set(parameters) == {name for name, _ in ours.named_parameters()}
    for name, p in ours.named_parameters(): close(zero(p), zero(parameters[name]), 10 * tol)
    for a, b in zip(mine, other_given):
        if isinstance(a, Tensor): close(zero(a), zero(b), 10 * tol)


@precisions
@layers
def test_layers_compute_what_those_of_pytorch_geometric_do(name, dtype):
    ours, other, names = LAYERS[name]
    for graph in (random_graph(), random_graph(1, E=0), random_graph(2, N=1, E=0), random_graph(3, N=40, E=200), random_graph(4, loops=False)):
        compared(ours(), other(), graph, names, dtype)
