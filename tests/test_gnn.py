"What the chapter on graph networks promises and a notebook can't test: agreement with PyTorch Geometric, independence of numbering, exact gradients, errors a reader can act on."

import copy
import inspect
import pickle
import threading
from dataclasses import replace

import networkx as nx
import numpy as np
import pytest
import torch
import wrong_calls
from hypothesis import given, settings
from hypothesis import strategies as st
from wrong_calls import complaints, foreign, replaced

from nnbook import gnn
from nnbook.autograd import Tensor, cross_entropy, gradcheck, no_grad
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
from nnbook.layers import Linear, Sequential, Tanh
from nnbook.optim import Adam
from nnbook.torch import gnn as twins
from nnbook.torch.twins import copy_weights, load, save

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


@few
@given(seed=st.integers(0, 999), N=st.integers(1, 12), E=st.integers(0, 40), name=st.sampled_from([*LAYERS]), dtype=st.sampled_from([np.float64, np.float32]))
def test_they_agree_on_any_graph(seed, N, E, name, dtype):
    ours, other, names = LAYERS[name]
    compared(ours(), other(), random_graph(seed, N, E), names, dtype)


@precisions
@pytest.mark.parametrize("pool", ["add", "mean", "max"])
def test_pooling_is_theirs(pool, dtype):
    ours = {"add": global_add_pool, "mean": global_mean_pool, "max": global_max_pool}[pool]
    other, rng = getattr(theirs, f"global_{pool}_pool"), np.random.default_rng(0)
    for N, batch, size in ((9, rng.integers(0, 3, 9), 5), (9, rng.integers(0, 3, 9), None), (9, None, None), (9, np.repeat([0, 2], [4, 5]), None)):
        x = rng.integers(-3, 3, (N, 4)).astype(dtype)                # with ties
        mine, their_x = Tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
        y, z = ours(mine, batch, size), other(their_x, None if batch is None else torch.tensor(batch), size)
        close(y.data, z.detach(), TOLERANCE[dtype])
        if batch is None and pool == "max": continue                    # there theirs gives one of equal entries the gradient
        (y * y).sum().backward()
        (z * z).sum().backward()
        close(mine.grad, their_x.grad, TOLERANCE[dtype])


@precisions
def test_attentional_aggregation_is_theirs(dtype):
    for inner in (None, 3):
        ours = scramble(AttentionalAggregation(Linear(5, 1), inner and Linear(5, inner)), dtype)
        other = theirs.AttentionalAggregation(torch.nn.Linear(5, 1), inner and torch.nn.Linear(5, inner)).to(torch.float64 if dtype == np.float64 else torch.float32)
        other.load_state_dict({name: torch.tensor(value) for name, value in ours.state_dict().items()})
        x, batch = random_graph(0).x.astype(dtype), np.sort(np.random.default_rng(0).integers(0, 3, 9))
        mine, their_x = Tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
        y, z = ours(mine, batch, 4), other(their_x, torch.tensor(batch), dim_size=4)
        close(y.data, z.detach(), TOLERANCE[dtype])
        (y * y).sum().backward()
        (z * z).sum().backward()
        close(mine.grad, their_x.grad, 10 * TOLERANCE[dtype])
        for name, p in ours.named_parameters(): close(p.grad, dict(other.named_parameters())[name].grad, 10 * TOLERANCE[dtype])


@pytest.mark.parametrize("mode", ["cat", "max"])
def test_jumping_knowledge_is_theirs(mode):
    xs = [np.random.default_rng(i).standard_normal((6, 4)) for i in range(3)]
    close(JumpingKnowledge(mode)([Tensor(x) for x in xs]).data, theirs.JumpingKnowledge(mode)([torch.tensor(x) for x in xs]))


@pytest.mark.parametrize(("conv", "kind"), [("gcn", theirs.GCN), ("sage", theirs.GraphSAGE)])
def test_a_gnn_is_theirs(conv, kind):
    "Their BasicGNN has the same layers, and ReLU between them."
    graph = random_graph(3, N=30, E=100)
    ours, other = scramble(GNN(GNNConfig(5, 8, 3, num_layers=3, conv=conv))), kind(5, 8, 3, 3).double()
    other.load_state_dict({name: torch.tensor(value) for name, value in ours.state_dict().items()})
    close(ours(graph.x, graph).data, other(torch.tensor(graph.x), torch.tensor(graph.edge_index)).detach())


@pytest.mark.parametrize("kind", [DistMult, ComplEx])
def test_scorers_are_theirs(kind):
    ours, rng = scramble(kind(7, 3, 4)), np.random.default_rng(0)
    other = getattr(theirs, kind.__name__)(7, 3, 4).double()
    other.load_state_dict({name: torch.tensor(value) for name, value in ours.state_dict().items()})
    h, r, t = rng.integers(0, 7, 20), rng.integers(0, 3, 20), rng.integers(0, 7, 20)
    close(ours(h, r, t).data, other(*map(torch.tensor, (h, r, t))).detach())
    close(ours.tails(h, r).data[np.arange(20), t], ours(h, r, t).data)
    close(ours.heads(r, t).data[np.arange(20), h], ours(h, r, t).data)
    rows = ours._entities().data
    close(kind(None, 3, 4).to(np.float64).tails(h, r, x=rows).shape, (20, 7))
    close(ours(h, r, t, x=Tensor(rows)).data, ours(h, r, t).data)


def test_distmult_scores_both_ways_alike_and_complex_does_not():
    h, r, t = np.array([0, 1, 2]), np.array([0, 1, 2]), np.array([3, 4, 5])
    for kind, alike in ((DistMult, True), (ComplEx, False)):
        model = scramble(kind(7, 3, 4))
        assert np.allclose(model(h, r, t).data, model(t, r, h).data) == alike


# --- independence of numbering


def call(layer, graph: Graph, x=None, given=None, **more):
    return layer(graph.x[:, : width(layer)] if x is None else x, graph.edge_index, *(given or {}).values(), **more).data


@few
@given(seed=st.integers(0, 999), N=st.integers(0, 12), E=st.integers(0, 40), name=st.sampled_from([*LAYERS]))
def test_layers_are_equivariant(seed, N, E, name):
    "Nodes numbered anew and edges shuffled: the outputs are the same rows in the new order."
    make, _, names = LAYERS[name]
    layer, graph, rng = scramble(make()), random_graph(seed, N, E), np.random.default_rng(seed)
    given = edges_of(graph, names)
    moved, shuffle = rng.permutation(N), rng.permutation(graph.num_edges)
    new = np.argsort(moved)                                              # the old node i is the new node new[i]
    edges = new[graph.edge_index][:, shuffle] if N else graph.edge_index
    out = call(layer, graph, given=given)
    again = layer(graph.x[moved][:, : width(layer)], edges, *(v[shuffle] for v in given.values())).data
    close(again, out[moved])


def gnn_of(conv="gcn", **more) -> GNN:
    extra = {"gat": {"heads": 2}, "gatv2": {"heads": 2}, "gine": {"edge_dim": 2}, "rgcn": {"num_relations": 3}}.get(conv, {})
    return scramble(GNN(GNNConfig(5, 8, 3, conv=conv, **extra | more), rng=0))


def whole_graph(seed=0, N=9, E=24, **more) -> Graph:
    graph = random_graph(seed, N, E, **more)
    return replace(graph, **edges_of(graph, ("edge_weight", "edge_attr", "edge_type"), seed=seed))


CONVS = ["gcn", "sage", "gat", "gatv2", "gin", "gine", "rgcn", "mlp"]


@pytest.mark.parametrize("conv", CONVS)
@pytest.mark.parametrize("pool", ["sum", "mean", "max", "attention"])
def test_what_a_graph_gets_does_not_depend_on_numbers(conv, pool):
    model, graph = gnn_of(conv, pool=pool, jumping="cat", norm="layer", num_layers=3, residual=True), whole_graph()
    moved = graph.permuted(np.random.default_rng(0).permutation(9))
    close(model(moved.x, moved).data, model(graph.x, graph).data)
    assert np.abs(model(graph.x[::-1], graph).data - model(graph.x, graph).data).max() > 1e-6 or conv == "mlp"


@pytest.mark.parametrize("conv", CONVS)
@pytest.mark.parametrize("pool", [None, "sum", "mean", "max", "attention"])
def test_a_batch_of_graphs_gets_what_each_gets_alone(conv, pool):
    graphs = [whole_graph(i, N=N, E=E) for i, (N, E) in enumerate([(9, 24), (1, 0), (5, 0), (4, 11)])]
    model, batch = gnn_of(conv, pool=pool), Graph.batch(graphs)
    assert batch.num_graphs == 4 and batch.num_edges == sum(g.num_edges for g in graphs)
    alone = np.concatenate([model(g.x, g).data for g in graphs])
    close(model(batch.x, batch).data, alone)
    shuffled = batch.permuted(np.random.default_rng(0).permutation(batch.num_nodes))        # graphs' nodes mixed
    close(model(shuffled.x, shuffled).data, alone[shuffled.n_id] if pool is None else alone)


def test_an_empty_graph_in_a_batch_keeps_its_place():
    batch = Graph.batch([random_graph(0), Graph([], x=np.zeros((0, 5))), random_graph(1), Graph([], x=np.zeros((0, 5)))])
    assert batch.num_graphs == 4
    for pool in (global_add_pool, global_mean_pool, global_max_pool):
        y = pool(batch.x, batch).data
        assert y.shape == (4, 5) and not y[[1, 3]].any() and y[[0, 2]].all()
    again = Graph.batch([batch, batch])
    assert again.num_graphs == 8 and np.array_equal(np.unique(again.batch), [0, 2, 4, 6])


@pytest.mark.parametrize("conv", CONVS)
def test_without_nodes_or_edges(conv):
    for pool in (None, "sum", "mean", "max", "attention"):
        model = gnn_of(conv, pool=pool)
        for N in (0, 1, 3):
            graph = whole_graph(N=N, E=0)
            y = model(graph.x, graph)
            assert y.shape == (N if pool is None else 1, 3) and np.isfinite(y.data).all()
            y.sum().backward()


@pytest.mark.parametrize("name", LAYERS)
def test_plain_lines_and_fused_nodes_agree(name):
    make, _, names = LAYERS[name]
    for dtype, tol in ((np.float64, 1e-12), (np.float32, 1e-5)):
        layer, graph = scramble(make(), dtype), random_graph(3, N=40, E=200)
        given, results = edges_of(graph, names, dtype), []
        for plain in (False, True):
            for p in layer.parameters(): p.grad = None
            x = Tensor(graph.x.astype(dtype)[:, : width(layer)], requires_grad=True)
            y = layer(x, graph, *given.values(), plain=plain)
            (y * np.sin(np.arange(y.data.size)).reshape(y.shape).astype(dtype)).sum().backward()
            results.append([y.data, x.grad, *(p.grad for p in layer.parameters())])
        for a, b in zip(*results): close(a, b, tol)


@pytest.mark.parametrize("name", LAYERS)
def test_a_graph_is_its_edges_and_what_they_carry(name):
    make, _, names = LAYERS[name]
    layer, graph = scramble(make()), random_graph()
    given = edges_of(graph, names)
    carrying = replace(graph, **given)
    wanted = call(layer, graph, given=given)
    for _ in range(2): close(layer(graph.x[:, : width(layer)], carrying).data, wanted)      # the second time from what was kept
    close(layer.to(np.float32)(graph.x[:, : width(layer)].astype(np.float32), carrying).data, wanted, 1e-5)


def test_weights_of_a_gcn_that_are_given_count_more_than_the_graphs():
    layer, graph = scramble(GCNConv(5, 4)), whole_graph()
    layer(graph.x, graph)
    ones = np.ones(graph.num_edges)
    close(layer(graph.x, graph, ones).data, layer(graph.x, graph.edge_index, ones).data)
    assert np.abs(layer(graph.x, graph).data - layer(graph.x, graph.edge_index).data).max() > 1e-3


def test_of_two_loops_the_last_one_counts():
    layer, x = scramble(GCNConv(5, 4)), np.random.default_rng(0).standard_normal((3, 5))
    twice = layer(x, [[0, 1, 1, 2], [1, 1, 1, 1]], [1.0, 7.0, 2.0, 3.0]).data
    close(twice, layer(x, [[0, 1, 2], [1, 1, 1]], [1.0, 2.0, 3.0]).data)
    twin = twins.GCNConv(5, 4).double()
    copy_weights(layer, twin)
    edges, weights = np.array([[0, 1, 1, 2], [1, 1, 1, 1]]), np.array([1.0, 7.0, 2.0, 3.0])
    for how in ((torch.tensor(edges), torch.tensor(weights)), (Graph(edges, num_nodes=3, edge_weight=weights),)): close(twin(torch.tensor(x), *how).detach(), twice)


@pytest.mark.parametrize("twin", [False, True], ids=["built", "twin"])
def test_kinds_that_are_given_count_more_than_the_graphs(twin):
    graph, other = whole_graph(), np.arange(random_graph().num_edges) % 3
    layer = twins.RGCNConv(5, 4, 3, rng=0).double() if twin else RGCNConv(5, 4, 3, rng=0).to(np.float64)
    value = lambda *given: np.asarray(layer(torch.tensor(graph.x), *map(lambda v: v if isinstance(v, Graph) else torch.tensor(v), given)).detach() if twin else layer(graph.x, *given).data)
    for _ in range(2):                                                    # before and after the graph's own are kept
        close(value(graph, other), value(graph.edge_index, other))
        close(value(graph), value(graph.edge_index, graph.edge_type))
    assert np.abs(value(graph) - value(graph, other)).max() > 1e-3


@pytest.mark.parametrize("name", LAYERS)
def test_nan_reaches_the_nodes_that_hear_of_it_and_no_other(name):
    make, _, names = LAYERS[name]
    layer, graph = scramble(make()), random_graph(3, N=30, E=40)
    for node in (0, 3, 29):
        x = graph.x[:, : width(layer)].copy()
        x[node, 1] = np.nan
        hit = np.zeros(30, bool)
        hit[graph.edge_index[1, graph.edge_index[0] == node]] = True
        if "not normalized" not in name and "no loops" not in name and "no root" not in name: hit[node] = True
        # who attends to it, or shares a softmax with it, hears of it all the same
        assert np.array_equal(np.isnan(call(layer, graph, x, edges_of(graph, names))).any(1), hit | attended(name, graph, node)), node


def attended(name, graph, node):
    "Scores of a node's own edges read its own features: without loops, NaN of the one who asks shows if anybody is asked."
    own = np.zeros(graph.num_nodes, bool)
    if name.startswith("GAT"): own[node] = graph.degrees[node] > 0
    return own


# --- segments


@precisions
@few
@given(seed=st.integers(0, 999), n=st.integers(0, 30), segments=st.integers(1, 8), tail=st.sampled_from([(), (3,), (2, 2)]), ordered=st.booleans())
def test_segments_are_loops(dtype, seed, n, segments, tail, ordered):
    rng = np.random.default_rng(seed)
    x, index = rng.integers(-4, 4, (n, *tail)).astype(dtype), rng.integers(0, segments, n)
    if ordered: index = np.sort(index)
    for function, loop in ((segment_sum, lambda rows: rows.sum(0)), (segment_mean, lambda rows: rows.mean(0)), (segment_max, lambda rows: rows.max(0))):
        y = function(x, index, segments)
        assert y.dtype == dtype and y.shape == (segments, *tail)
        for i in range(segments): close(y.data[i], loop(x[index == i]) if (index == i).any() else np.zeros(tail), 1e-6)
    soft = segment_softmax(x, index, segments).data
    for i in np.unique(index): close(soft[index == i], np.exp(x[index == i]) / np.exp(x[index == i]).sum(0), 1e-6)
    close(gather(x, index[index < n]).data, x[index[index < n]])


@pytest.mark.parametrize("tail", [(), (3,), (2, 2)])
def test_gradients_of_segments(tail):
    rng = np.random.default_rng(0)
    x, index = rng.standard_normal((12, *tail)), rng.permutation([0, 0, 0, 1, 3, 3, 3, 3, 3, 5, 5, 5])
    for function in (segment_sum, segment_mean, segment_max, segment_softmax):
        assert gradcheck(lambda x, function=function: function(x, index, 7), x)
        assert gradcheck(lambda x, function=function: function(x, np.sort(index), 7), x)
    assert gradcheck(lambda x: gather(x, index), x)
    graph = Graph(rng.integers(0, 12, (2, 30)), num_nodes=12)
    for aggr in ("sum", "mean", "max"):
        for plain in (False, True): assert gradcheck(lambda x, w, aggr=aggr, plain=plain: aggregate(x, graph, w, aggr, plain), x, rng.uniform(0.5, 2, 30))
    if tail: assert gradcheck(lambda x, w: aggregate(x, graph, w), x, rng.uniform(0.5, 2, (30, tail[0])))


def test_equal_maxima_share_the_gradient_and_an_empty_segment_has_none():
    x = Tensor(np.array([2.0, 2.0, 1.0, -5.0]), requires_grad=True)
    y = segment_max(x, [0, 0, 0, 2], 4)
    assert np.array_equal(y.data, [2, 0, -5, 0])
    y.sum().backward()
    assert np.array_equal(x.grad, [0.5, 0.5, 0, 1])


def test_a_softmax_of_large_scores_is_finite():
    y = segment_softmax(np.array([1e4, 1e4, -1e4, 3e4], np.float32), [0, 0, 0, 1]).data
    assert np.array_equal(y, [0.5, 0.5, 0, 1])


# --- Graph


@few
@given(seed=st.integers(0, 999), N=st.integers(0, 9), E=st.integers(0, 30))
def test_the_csr_lists_each_nodes_edges(seed, N, E):
    graph = random_graph(seed, N, E)
    for csr, end, other in ((graph.csr, 1, 0), (graph.csc, 0, 1)):
        assert csr.indptr[0] == 0 and csr.indptr[-1] == graph.num_edges and len(csr.indptr) == N + 1
        for i in range(N):
            edges = csr.order[csr.indptr[i] : csr.indptr[i + 1]]
            assert np.array_equal(edges, np.flatnonzero(graph.edge_index[end] == i))          # in their order
            assert np.array_equal(csr.indices[csr.indptr[i] : csr.indptr[i + 1]], graph.edge_index[other, edges])
    assert graph.csr is graph.csr and np.array_equal(graph.degrees, np.diff(graph.csr.indptr))


@few
@given(seed=st.integers(0, 999), N=st.integers(0, 9), E=st.integers(0, 30), typed=st.booleans())
def test_symmetric_graphs(seed, N, E, typed):
    graph = random_graph(seed, N, E)
    graph = replace(graph, **edges_of(graph, ("edge_weight", "edge_attr") + ("edge_type",) * typed))
    both = graph.symmetric()
    rows = lambda g: {(*map(int, e),) for e in (np.vstack([g.edge_index, g.edge_type]) if typed else g.edge_index).T}
    assert rows(both) == rows(graph) | {(b, a, *r) for a, b, *r in rows(graph)} and len(rows(both)) == both.num_edges
    again = both.symmetric()
    assert np.array_equal(again.edge_index, both.edge_index) and np.array_equal(again.edge_weight, both.edge_weight)
    kinds = lambda g: np.zeros(g.num_edges, int) if g.edge_type is None else g.edge_type
    for (a, b), r, w, f in zip(both.edge_index.T, kinds(both), both.edge_weight, both.edge_attr):
        same = np.flatnonzero((np.sort(graph.edge_index, axis=0) == np.sort([a, b])[:, None]).all(0) & (kinds(graph) == r))
        assert w == graph.edge_weight[same[0]] and np.array_equal(f, graph.edge_attr[same[0]])


def test_loops_and_duplicates():
    graph = Graph([[0, 1, 0, 2], [1, 1, 1, 0]], num_nodes=4, edge_weight=[1.0, 2, 3, 4], edge_attr=np.arange(8).reshape(4, 2))
    looped = graph.with_self_loops()
    assert looped.edge_index.T.tolist() == [[0, 1], [1, 1], [0, 1], [2, 0], [0, 0], [2, 2], [3, 3]]
    assert looped.edge_weight.tolist() == [1, 2, 3, 4, 1, 1, 1] and looped.edge_attr[4:].tolist() == [[0, 0]] * 3
    assert np.array_equal(looped.with_self_loops().edge_index, looped.edge_index)
    once = graph.without_duplicates()
    assert once.edge_index.T.tolist() == [[0, 1], [1, 1], [2, 0]] and once.edge_weight.tolist() == [1, 2, 4]
    assert Graph([[0, 0], [1, 1]], edge_type=[0, 1]).without_duplicates().num_edges == 2
    with pytest.raises(ValueError, match="type"): Graph([[0], [1]], edge_type=[0]).with_self_loops()


def test_subgraphs_and_new_numbers():
    graph = whole_graph(3, N=12, E=50, y=np.arange(12))
    nodes = np.array([7, 2, 5, 0])
    part = graph.subgraph(nodes)
    assert np.array_equal(part.n_id, nodes) and np.array_equal(part.y, nodes) and np.array_equal(part.x, graph.x[nodes])
    kept = [e for e in range(graph.num_edges) if np.isin(graph.edge_index[:, e], nodes).all()]
    assert len(kept) > 3 and np.array_equal(nodes[part.edge_index], graph.edge_index[:, kept])
    for name in ("edge_weight", "edge_attr", "edge_type"): assert np.array_equal(getattr(part, name), getattr(graph, name)[kept])
    assert np.array_equal(graph.subgraph(np.arange(12) % 2 == 1).n_id, [1, 3, 5, 7, 9, 11])
    assert np.array_equal(part.subgraph([2, 0]).n_id, [5, 7])            # numbers in the first graph
    order = np.random.default_rng(0).permutation(12)
    back = graph.permuted(order).permuted(np.argsort(order))
    assert np.array_equal(back.edge_index, graph.edge_index) and np.array_equal(back.x, graph.x)
    labelled = Graph([[0], [1]], x=np.zeros((3, 2)), y=np.array([4.0]))  # of the graph, not of nodes
    assert np.array_equal(labelled.subgraph([0]).y, [4.0])


def test_from_and_to_networkx():
    karate = nx.karate_club_graph()
    graph = Graph.from_networkx(karate)
    assert graph.num_nodes == 34 and graph.num_edges == 156 and np.array_equal(graph.degrees, [d for _, d in karate.degree])
    back = graph.to_networkx()
    assert nx.is_isomorphic(back.to_undirected(), karate) and back[0][1]["weight"] == karate[0][1]["weight"] and nx.utils.graphs_equal(Graph.from_networkx(back).to_networkx(), back)
    named = nx.DiGraph([("b", "a"), ("b", "b")])
    assert Graph.from_networkx(named).edge_index.tolist() == [[0, 0], [1, 0]] and Graph.from_networkx(named).edge_weight is None
    assert Graph.from_networkx(nx.Graph([(0, 0), (0, 1)])).num_edges == 3                    # a loop once
    double = Graph([[0, 0], [1, 1]]).to_networkx()
    assert double.number_of_edges() == 2 and Graph.from_networkx(double).num_edges == 2
    assert Graph.from_networkx(nx.empty_graph(4)).num_nodes == 4


def test_from_and_to_pyg():
    graph = whole_graph(y=np.arange(9))
    batch = Graph.batch([graph, graph])
    for g in (graph, batch):
        data = g.to_pyg()
        assert data.num_nodes == g.num_nodes and data.validate()
        back = Graph.from_pyg(data)
        for name in ("edge_index", "x", "y", "edge_attr", "edge_type", "edge_weight"): assert np.array_equal(getattr(back, name), getattr(g, name))
        assert back.num_graphs == g.num_graphs
    from torch_geometric.data import Batch
    theirs_batch = Batch.from_data_list([graph.to_pyg(), graph.to_pyg()])
    assert np.array_equal(Graph.from_pyg(theirs_batch).edge_index, batch.edge_index) and Graph.from_pyg(theirs_batch).num_graphs == 2


def test_a_graph_does_not_change():
    edges = np.array([[0, 1], [1, 2]])
    graph = Graph(edges)
    edges[0, 0] = 2
    assert graph.edge_index[0, 0] == 0 and graph.batch is None and callable(Graph.batch)
    with pytest.raises(ValueError, match="read-only"): graph.edge_index[0, 0] = 1
    with pytest.raises(AttributeError): graph.x = 1


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda g: pickle.loads(pickle.dumps(g))], ids=["deepcopy", "pickle"])
def test_copies(copied):
    graph, model = whole_graph(), gnn_of("gat", pool="attention", jumping="max", norm="batch").eval()
    wanted = model(graph.x, graph).data
    other = copied(graph)
    assert not other.edge_index.flags.writeable and not other._kept and other.csr is not graph.csr
    close(copied(model)(other.x, other).data, wanted)


def test_graphs_joined_have_the_same_parts():
    scalars = Graph.batch([Graph([], num_nodes=2, y=1.5, graph_attr=[[1, 2]]), Graph([], num_nodes=1, y=2.5, graph_attr=[[3, 4]])])
    assert scalars.y.tolist() == [1.5, 2.5] and scalars.graph_attr.tolist() == [[1, 2], [3, 4]] and scalars.batch.tolist() == [0, 0, 1]
    with pytest.raises(ValueError, match="graph 1 has none"): Graph.batch([random_graph(), Graph([])])
    with pytest.raises(ValueError, match="can't join x"): Graph.batch([random_graph(), random_graph(F=2)])
    with pytest.raises(TypeError, match="list of graphs"): Graph.batch([random_graph(), 3])
    with pytest.raises(TypeError, match="list of graphs"): Graph.batch(3)
    assert Graph.batch([]).num_nodes == 0


@pytest.mark.parametrize(("call", "error", "words"), [
    (lambda: Graph([[0, 1], [1, 3]], x=np.zeros((3, 2))), ValueError, "edge 1 leads from node 1 to node 3, and there are 3"),
    (lambda: Graph([[0], [5]], num_nodes=3), ValueError, "leads from node 0 to node 5"),
    (lambda: Graph([[0.0], [1.0]]), TypeError, "astype"),
    (lambda: Graph(np.array([[0.0], [1.0]])), TypeError, "whole numbers"),
    (lambda: Graph([[0], [-1]]), ValueError, "from 0 on, got -1"),
    (lambda: Graph(np.zeros((5, 2), int)), ValueError, "edge_index.T"),
    (lambda: Graph([0, 1]), ValueError, "axes"),
    (lambda: Graph([[0, 1], [1]]), ValueError, "unequal"),
    (lambda: Graph(np.zeros((3, 4), int)), ValueError, r"\(2, E\)"),
    (lambda: Graph([[0], [1]], x=np.zeros((3, 2)), num_nodes=2), ValueError, "each of 2 nodes"),
    (lambda: Graph([[0], [1]], edge_attr=np.zeros((3, 2))), ValueError, "each of 1 edges"),
    (lambda: Graph([[0], [1]], edge_weight=[[1.0]]), ValueError, "one number"),
    (lambda: Graph([[0], [1]], edge_type=[0.5]), TypeError, "whole numbers"),
    (lambda: Graph([[0], [1]], edge_type=[0, 1]), ValueError, "each of 1 edges"),
    (lambda: Graph([[0], [1]], batch=[0]), ValueError, "missing|nodes"),
    (lambda: Graph([[0], [1]], batch=[0, 1], num_graphs=1), ValueError, "num_graphs"),
    (lambda: Graph([[0], [1]], num_nodes=2.5), ValueError, "num_nodes"),
    (lambda: random_graph().permuted([0, 1]), ValueError, "each number from 0 to 8"),
    (lambda: random_graph().subgraph([0, 0]), ValueError, "twice"),
    (lambda: random_graph().subgraph([9]), ValueError, "no node 9"),
    (lambda: GCNConv(5, 4)(np.zeros((3, 5)), [[0], [3]]), ValueError, "GCNConv: edge 0 leads from node 0 to node 3"),
    (lambda: GCNConv(5, 4)(np.zeros((3, 4)), [[0], [1]]), ValueError, r"\(N, 5\)"),
    (lambda: GCNConv(1, 4)(np.zeros(3), [[0], [1]]), ValueError, r"x\[:, None\]"),
    (lambda: GCNConv(5, 4)(np.zeros((3, 5)), random_graph()), ValueError, "each of 9 nodes, got 3"),
    (lambda: GCNConv(5, 4)(np.zeros((3, 5)), [[0], [1]], [1.0, 2.0]), ValueError, "each of 1 edges"),
    (lambda: GCNConv(5, 4)(np.zeros((3, 5)), [[0], [1]], [[1.0]]), ValueError, r"\(E,\)"),
    (lambda: GCNConv(5, 4)(np.zeros((3, 5)), [[0], [1]], [-3.0]), ValueError, "node 1 sum to -2"),
    (lambda: GATConv(5, 4)(np.zeros((3, 5)), [[0], [1]], np.zeros((1, 2))), ValueError, "edge_dim"),
    (lambda: GATConv(5, 4, edge_dim=2)(np.zeros((3, 5)), [[0], [1]]), ValueError, "got None"),
    (lambda: GATv2Conv(5, 4, edge_dim=2)(np.zeros((3, 5)), [[0], [1]], np.zeros((1, 3))), ValueError, r"\(E, 2\)"),
    (lambda: GINConv(3), TypeError, "MLP"),
    (lambda: GINEConv(mlp())(np.zeros((3, 5)), [[0], [1]], np.zeros((1, 2))), ValueError, "give edge_dim"),
    (lambda: GINEConv(mlp())(np.zeros((3, 5)), [[0], [1]]), ValueError, "GINConv goes without"),
    (lambda: GINEConv(Tanh(), edge_dim=2), ValueError, "begins with a Linear"),
    (lambda: RGCNConv(5, 4, 2)(np.zeros((3, 5)), [[0], [1]]), ValueError, "edge_type"),
    (lambda: RGCNConv(5, 4, 2)(np.zeros((3, 5)), [[0], [1]], [2]), ValueError, "relations 0 to 1"),
    (lambda: RGCNConv(5, 4, 2)(np.zeros((3, 5)), Graph([[0], [1]], num_nodes=3, edge_type=[2])), ValueError, "relations 0 to 1"),
    (lambda: SAGEConv(5, 4, "median"), ValueError, "'mean'"),
    (lambda: segment_sum(np.zeros((3, 2)), [0, 1]), ValueError, "each row"),
    (lambda: segment_sum(np.zeros((3, 2)), [0, 1, 5], 3), ValueError, "segment 5"),
    (lambda: segment_sum(Tensor(np.zeros(3, int)), [0, 1, 2]), TypeError, "floats"),
    (lambda: gather(np.zeros((3, 2)), [3]), IndexError, "no row 3"),
    (lambda: global_add_pool(np.zeros((3, 2)), [0, 1]), ValueError, "each row"),
    (lambda: GNNConfig(5, 8, 3, conv="gat", heads=3), ValueError, "multiple of 3"),
    (lambda: GNNConfig(5, 8, 3, conv="rgcn"), ValueError, "num_relations"),
    (lambda: GNNConfig(5, 8, 3, edge_dim=3), ValueError, "reads no edge_dim"),
    (lambda: GNN(5), TypeError, "GNNConfig"),
    (lambda: gnn_of()(np.zeros((3, 5)), [[0], [1]], edge_attr=np.zeros((1, 2))), ValueError, "reads no edge_attr"),
    (lambda: JumpingKnowledge("max")([np.zeros((3, 2)), np.zeros((3, 4))]), ValueError, "one shape"),
    (lambda: sample_neighbors(random_graph(), [0], 3), TypeError, "list"),
    (lambda: sample_neighbors(random_graph(), [0, 0], [3]), ValueError, "twice"),
    (lambda: sample_neighbors(random_graph(), [0], [0]), ValueError, "from 1 on"),
    (lambda: label_propagation(random_graph(), np.zeros(9, int), [9]), ValueError, "no node 9"),
    (lambda: label_propagation(random_graph(), np.zeros(3, int), [0]), ValueError, "each of 9"),
    (lambda: wl_colors(random_graph(), -1), ValueError, "rounds"),
    (lambda: wl_colors([[0], [1]]), TypeError, "Graph"),
    (lambda: filtered_ranks([[np.nan, 1.0]], [0]), ValueError, "diverged"),
    (lambda: filtered_ranks(np.zeros((2, 3)), [0]), ValueError, "one target"),
    (lambda: filtered_ranks(np.zeros((1, 3)), [3]), ValueError, "target is 3"),
    (lambda: known_answers([[0, 1]], [[0, 1, 2]], 3), ValueError, "head, relation and tail"),
    (lambda: DistMult(5, 2, 4)([5], [0], [0]), IndexError, "0 to 4, got 5"),
    (lambda: ComplEx(None, 2, 4)([1], [0], [0]), ValueError, "give their rows as x"),
])
def test_errors_a_reader_can_act_on(call, error, words):
    with pytest.raises(error, match=words): call()


# --- training and prediction


def test_dropout_is_for_training_alone_and_its_seed_counts():
    graph = whole_graph()
    model = GNN(GNNConfig(5, 8, 3, conv="gat", heads=2, dropout=0.5), rng=0)
    twins_ = [GNN(GNNConfig(5, 8, 3, conv="gat", heads=2, dropout=0.5), rng=0) for _ in range(2)]
    close(*(m(graph.x, graph).data for m in twins_))
    assert np.abs(model(graph.x, graph).data - model(graph.x, graph).data).max() > 1e-3
    model.eval()
    close(model(graph.x, graph).data, model(graph.x, graph).data)
    layer = GATConv(5, 4, 2, dropout=0.5, rng=0)
    _, (edges, alpha) = layer(graph.x, graph, return_attention_weights=True)
    close(segment_sum(alpha, edges[1]).data, np.ones((9, 2)), 1e-6)      # the weights before dropout


def test_attention_weights_are_theirs():
    for ours, other in ((GATConv(5, 4, 3), theirs.GATConv(5, 4, 3)), (GATv2Conv(5, 4, 3), theirs.GATv2Conv(5, 4, 3))):
        ours, other, graph = scramble(ours), other.double(), random_graph()
        other.load_state_dict({name: torch.tensor(value) for name, value in ours.state_dict().items()})
        _, (edges, alpha) = ours(graph.x, graph, return_attention_weights=True)
        _, (their_edges, their_alpha) = other(torch.tensor(graph.x), torch.tensor(graph.edge_index), return_attention_weights=True)
        assert np.array_equal(edges, their_edges)
        close(alpha.data, their_alpha.detach())


@pytest.mark.parametrize("conv", CONVS)
def test_no_grad_records_nothing_and_threads_get_what_one_gets(conv):
    model, graph = gnn_of(conv, pool="mean"), whole_graph(3, N=40, E=200)
    with no_grad(): assert not model(graph.x, graph).requires_grad
    wanted, found = model(graph.x, graph).data, {}
    fresh = whole_graph(3, N=40, E=200)                                  # nothing kept on it yet
    threads = [threading.Thread(target=lambda i=i: found.update({i: model(fresh.x, fresh).data})) for i in range(8)]
    for t in threads: t.start()
    for t in threads: t.join()
    for i in range(8): close(found[i], wanted)


def test_no_gradient_goes_to_inputs_that_want_none_and_all_parameters_get_one():
    for conv in CONVS:
        model, graph = gnn_of(conv, pool="attention", jumping="cat", norm="layer"), whole_graph()
        x = Tensor(graph.x)
        (model(x, graph) ** 2).sum().backward()
        assert x.grad is None
        for name, p in model.named_parameters(): assert p.grad is not None and np.isfinite(p.grad).all(), (conv, name)


def test_it_learns_what_only_edges_tell():
    "Which of two groups a node is in, by one labelled node of each; an MLP can't."
    karate = nx.karate_club_graph()
    graph = Graph(np.array(karate.edges).T, num_nodes=34).symmetric()
    y = np.array([karate.nodes[i]["club"] != "Mr. Hi" for i in range(34)]).astype(int)
    shares = {}
    for conv in ("gcn", "mlp"):
        model = GNN(GNNConfig(34, 16, 2, conv=conv), rng=0)
        adam = Adam(model.parameters(), lr=0.01)
        for _ in range(100):
            adam.zero_grad()
            cross_entropy(model(np.eye(34), graph)[np.array([0, 33])], y[[0, 33]]).backward()
            adam.step()
        shares[conv] = (model(np.eye(34), graph).data.argmax(1) == y).mean()
    assert shares["gcn"] > 0.9 > shares["mlp"]


def test_the_config_is_built_as_it_says():
    c = GNNConfig(5, 8, 3, num_layers=3, conv="gat", heads=4, norm="layer", residual=True)
    model = GNN(c)
    assert [type(m).__name__ for m in model.convs] == ["GATConv"] * 3 and [m.heads for m in model.convs] == [4, 4, 4]
    assert [m.bias.shape for m in model.convs] == [(8,), (8,), (3,)] and [m.concat for m in model.convs] == [True, True, False]
    assert len(model.norms) == 2 and model.head is None and model.pool is None and model.jump is None
    joined = GNN(replace(c, jumping="cat", pool="attention"))
    assert joined.head.weight.shape == (3, 24) and joined.pool.gate_nn.weight.shape == (1, 24) and len(joined.norms) == 3
    assert "conv='gat'" in repr(model) and "dropout" not in repr(model).partition("\n")[0]
    wide = scramble(GNN(GNNConfig(5, 5, 3, conv="mlp", residual=True, activation="tanh")))
    x = np.random.default_rng(0).standard_normal((4, 5))
    first, second = ((conv.weight.data, conv.bias.data) for conv in wide.convs)
    close(wide(x, []).data, (x + np.tanh(x @ first[0].T + first[1])) @ second[0].T + second[1])


# --- samples, labels, colors


@pytest.mark.parametrize("conv", CONVS)
def test_with_all_neighbours_a_sample_gets_what_the_whole_graph_does(conv):
    graph, nodes = whole_graph(3, N=60, E=150), np.array([3, 40, 7, 59])
    model = gnn_of(conv)
    hops = 2 + (conv == "gcn")                                            # which divides by the degrees of the last ones' too
    for sizes in ([None] * hops, [-1] * hops, [graph.degrees.max()] * hops):
        part = sample_neighbors(graph, nodes, sizes, rng=0)
        assert np.array_equal(part.n_id[:4], nodes) and part.num_nodes < 60
        close(model(part.x, part).data[:4], model(graph.x, graph).data[nodes])


@few
@given(seed=st.integers(0, 999), k=st.integers(1, 4))
def test_samples_are_edges_of_the_graph_as_many_as_asked(seed, k):
    graph = replace(whole_graph(seed, N=30, E=200, loops=False), edge_type=None).without_duplicates()
    nodes = np.random.default_rng(seed).permutation(30)[:5]
    part = sample_neighbors(graph, nodes, [k], rng=seed)
    counts = part.degrees
    assert np.array_equal(counts[:5], np.minimum(graph.degrees[nodes], k)) and not counts[5:].any()
    pairs = part.n_id[part.edge_index]
    assert len(np.unique(pairs, axis=1).T) == part.num_edges              # none drawn twice
    weights = {(*map(int, e),): w for e, w in zip(graph.edge_index.T, graph.edge_weight)}
    assert all(weights[(*map(int, e),)] == w for e, w in zip(pairs.T, part.edge_weight))
    deeper = sample_neighbors(graph, nodes, [k, k], rng=seed)
    assert len(np.unique(deeper.n_id)) == deeper.num_nodes and np.array_equal(deeper.degrees <= k, np.ones(deeper.num_nodes, bool))
    assert np.array_equal(deeper.x, graph.x[deeper.n_id])


def test_each_neighbour_is_drawn_as_often():
    graph = Graph(np.stack([np.arange(1, 6), np.zeros(5, int)]))
    drawn = np.concatenate([sample_neighbors(graph, [0], [2], rng=seed).n_id[1:] for seed in range(600)])
    counts = np.bincount(drawn, minlength=6)[1:]
    assert counts.sum() == 1200 and np.abs(counts - 240).max() < 60


def test_a_sampler_goes_through_all_nodes_once_an_epoch():
    graph = whole_graph(3, N=60, E=150)
    sampler = NeighborSampler(graph, [2, 2], batch_size=16, seed=0)
    epochs = [[part.n_id[: min(16, 60 - 16 * i)] for i, part in enumerate(sampler)] for _ in range(2)]
    assert len(sampler) == 4 and all(np.array_equal(np.sort(np.concatenate(e)), np.arange(60)) for e in epochs)
    assert not np.array_equal(epochs[0][0], epochs[1][0])
    again = NeighborSampler(graph, [2, 2], batch_size=16, seed=0)
    assert all(np.array_equal(a.n_id[:12], b[:12]) for a, b in zip(again, epochs[0]))
    mask = np.arange(60) < 10
    assert [p.n_id[:5].tolist() for p in NeighborSampler(graph, [1], mask, 5, shuffle=False)] == [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9]]


def test_labels_spread_to_the_harmonic_solution():
    "Zhu, Ghahramani & Lafferty (2003): the fixed point solves a linear system."
    for seed in range(5):
        graph = random_graph(seed, N=20, E=80)
        graph = replace(graph, edge_weight=edges_of(graph, ("edge_weight",))["edge_weight"]).symmetric()
        graph = graph.subgraph(np.arange(19))                             # without the isolated node
        known, labels = np.array([0, 1, 2, 3]), np.arange(19) % 3
        A = np.zeros((19, 19))
        A[graph.edge_index[1], graph.edge_index[0]] = graph.edge_weight
        if (A.sum(1) == 0).any(): continue
        P, u = A / A.sum(1, keepdims=True), np.arange(4, 19)
        exact = np.linalg.solve(np.eye(15) - P[np.ix_(u, u)], P[np.ix_(u, known)] @ np.eye(3)[labels[known]])
        found = label_propagation(graph, labels, known, steps=10000, tol=1e-13)
        close(found[u], exact, 1e-9)
        close(found[known], np.eye(3)[labels[known]])
        close(label_propagation(graph, np.where(np.isin(np.arange(19), known), labels, -1), np.isin(np.arange(19), known), steps=10000, tol=1e-13), found)


def test_nodes_that_no_label_reaches_stay_undecided():
    found = label_propagation(Graph([[0, 1, 3, 4], [1, 0, 4, 3]], num_nodes=6), np.arange(6), [0, 2], num_classes=4)
    close(found[[1, 2]], np.eye(4)[[0, 2]], 1e-5)
    close(found[[3, 4, 5]], np.full((3, 4), 0.25))
    one_step = label_propagation(Graph([[0, 1], [1, 2]], num_nodes=3), [0, 0, 0], [0], num_classes=2, steps=1)
    assert one_step.tolist() == [[1, 0], [1, 0], [0.5, 0.5]]              # edges are followed from source to target, a step at a time


def partition(colors) -> set: return {frozenset(np.flatnonzero(colors == c)) for c in np.unique(colors)}


def test_colors_are_those_of_networkx():
    "Its hashes after each round part the nodes of two graphs alike."
    for seed in range(5):
        pair = nx.disjoint_union(nx.gnm_random_graph(9, 11, seed), nx.gnm_random_graph(9, 11, seed + 50))
        graph = Graph.from_networkx(pair)
        hashes = nx.weisfeiler_lehman_subgraph_hashes(pair, iterations=4)
        for rounds in range(1, 5):
            theirs_colors = np.unique([hashes[i][rounds - 1] for i in range(18)], return_inverse=True)[1]
            assert partition(wl_colors(graph, rounds)) == partition(theirs_colors)
        stable = wl_colors(graph)
        assert partition(wl_colors(graph, 30)) == partition(stable) and not wl_colors(graph, 0).any()


@few
@given(seed=st.integers(0, 999), N=st.integers(0, 12), E=st.integers(0, 30))
def test_colors_do_not_depend_on_numbers(seed, N, E):
    graph = random_graph(seed, N, E)
    order, given = np.random.default_rng(seed).permutation(N), np.arange(N) % 3 == 0
    assert np.array_equal(wl_colors(graph.permuted(order)), wl_colors(graph)[order])
    assert np.array_equal(wl_colors(graph.permuted(order), colors=given[order]), wl_colors(graph, colors=given)[order])
    kinds, shuffle = np.arange(graph.num_edges) % 3, np.random.default_rng(seed).permutation(graph.num_edges)
    again = wl_colors(replace(graph, edge_index=graph.edge_index[:, shuffle]), edge_colors=kinds[shuffle])
    assert np.array_equal(again, wl_colors(graph, edge_colors=kinds))


def test_what_colors_tell_apart():
    cycle, triangles = nx.cycle_graph(6), nx.disjoint_union(nx.cycle_graph(3), nx.cycle_graph(3))
    both = Graph.batch([Graph.from_networkx(g) for g in (cycle, triangles)])
    assert len(np.unique(wl_colors(both))) == 1
    other = Graph.batch([Graph.from_networkx(g) for g in (cycle, nx.complete_bipartite_graph(3, 3))])
    assert set(wl_colors(other)[:6]).isdisjoint(wl_colors(other)[6:])
    square = Graph([[0, 1, 2, 3], [1, 2, 3, 0]]).symmetric()
    assert len(np.unique(wl_colors(square))) == 1
    bonds = np.where(np.isin(square.edge_index, [0, 1]).all(0), 2, 1)    # one double bond
    assert partition(wl_colors(square, edge_colors=bonds)) == {frozenset([0, 1]), frozenset([2, 3])}
    assert partition(wl_colors(square, colors=[1.5, 0, 0, 0])) == {frozenset([0]), frozenset([1, 3]), frozenset([2])}
    assert np.array_equal(wl_colors(square, 0, colors=[[2, 1], [1, 9], [2, 1], [1, 3]]), [2, 1, 2, 0])


# --- ranks


@few
@given(seed=st.integers(0, 999), B=st.integers(0, 6), n=st.integers(1, 7))
def test_ranks_are_counted(seed, B, n):
    rng = np.random.default_rng(seed)
    scores, target, known = rng.integers(0, 4, (B, n)).astype(float), rng.integers(0, n, B), rng.random((B, n)) < 0.3
    ranks = filtered_ranks(scores, target, known)
    for i in range(B):
        rivals = [scores[i, j] for j in range(n) if j != target[i] and not known[i, j]]
        own = scores[i, target[i]]
        assert ranks[i] == 1 + sum(s > own for s in rivals) + sum(s == own for s in rivals) / 2
    if B:
        found = ranking_metrics(ranks, (1, 3))
        assert found["mrr"] == pytest.approx(np.mean(1 / ranks)) and found["hits@3"] == np.mean(ranks <= 3) and set(found) == {"mrr", "hits@1", "hits@3"}


def test_a_model_that_scores_all_alike_has_the_mean_rank():
    assert filtered_ranks(np.zeros((2, 11)), [0, 10]).tolist() == [6, 6]


def test_known_answers_of_both_sides():
    triples = np.array([[0, 0, 1], [0, 0, 2], [3, 0, 1], [0, 1, 4], [0, 0, 1]])
    tails, heads = known_answers(triples, [[0, 0, 4], [5, 0, 1]], 6), known_answers(triples, [[0, 0, 1]], 6, side="head")
    assert [np.flatnonzero(row).tolist() for row in tails] == [[1, 2], []] and np.flatnonzero(heads[0]).tolist() == [0, 3]
    assert known_answers(triples, [], 6).shape == (0, 6) and not known_answers([], [[0, 0, 1]], 6).any()


# --- the twin in torch's world

@st.composite
def configs(draw) -> GNNConfig:
    pick = lambda *of: draw(st.sampled_from(of))
    conv = pick(*CONVS)
    extra = {"gat": {"heads": pick(1, 2), "edge_dim": pick(None, 2)}, "gatv2": {"heads": pick(1, 4), "edge_dim": pick(None, 2)}, "gine": {"edge_dim": 2}, "rgcn": {"num_relations": 3, "num_bases": pick(None, 2)}}.get(conv, {})
    return GNNConfig(5, 8, 3, num_layers=pick(1, 2, 3), conv=conv, aggr=pick("mean", "sum", "max"), norm=pick(None, "layer", "batch"), activation=pick("relu", "elu"), residual=pick(True, False),
                     jumping=pick(None, "cat", "max"), pool=pick(None, "sum", "mean", "max", "attention"), **extra)


def reads(c: GNNConfig) -> str | None: return {"gcn": "edge_weight", "rgcn": "edge_type", "gine": "edge_attr"}.get(c.conv, "edge_attr" if c.edge_dim else None)


@few
@given(c=configs(), seed=st.integers(0, 99))
def test_twins_of_one_seed_have_the_same_weights_and_results(c, seed):
    one, two, graph = GNN(c, seed), twins.GNN(c, seed), Graph.batch([whole_graph(seed), whole_graph(seed + 1)])
    assert list(one.state_dict()) == list(two.state_dict()) and [n for n, _ in one.named_parameters()] == [n for n, _ in two.named_parameters()]
    for name, value in two.state_dict().items(): np.testing.assert_array_equal(value.numpy(), one.state_dict()[name])
    scramble(one, seed=seed)
    copy_weights(one, two.double())
    x = torch.tensor(graph.x)
    one(graph.x, graph)
    wanted = one(graph.x, graph).data                                     # twice, as the twin: a norm over the batch moves on alike
    close(two(x, graph).detach(), wanted, 1e-9)
    given = {reads(c): torch.tensor(getattr(graph, reads(c)))} if reads(c) else {}
    close(two(x, torch.tensor(graph.edge_index), torch.tensor(graph.batch), **given).detach(), wanted, 1e-9)
    one.eval(), two.eval()
    close(two(x, graph).detach(), one(graph.x, graph).data, 1e-9)


@precisions
def test_segments_of_the_twin_are_the_same(dtype):
    rng = np.random.default_rng(0)
    x, index = rng.integers(-3, 3, (20, 2, 3)).astype(dtype), rng.integers(0, 5, 20)
    for name in ("segment_sum", "segment_mean", "segment_max", "segment_softmax", "gather"):
        for more in ((), (7,)) if name != "gather" else ((),):
            mine, other = Tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
            y, z = globals()[name](mine, index, *more), getattr(twins, name)(other, torch.tensor(index), *more)
            close(y.data, z.detach(), TOLERANCE[dtype])
            (y * y).sum().backward()
            (z * z).sum().backward()
            close(mine.grad, other.grad, TOLERANCE[dtype])
    graph, w = Graph(rng.integers(0, 20, (2, 50)), num_nodes=20), rng.uniform(0.5, 2, (50, 2)).astype(dtype)
    for aggr in ("sum", "mean", "max"):
        for edges in (graph, torch.tensor(graph.edge_index)):
            close(aggregate(x, graph, w, aggr).data, twins.aggregate(torch.tensor(x), edges, torch.tensor(w), aggr), TOLERANCE[dtype])


@pytest.mark.parametrize("kind", [DistMult, ComplEx])
def test_other_twins_of_one_seed_have_the_same_weights(kind):
    one, two = kind(7, 3, 4, rng=3), getattr(twins, kind.__name__)(7, 3, 4, rng=3)
    assert list(one.state_dict()) == list(two.state_dict())
    for name, value in two.state_dict().items(): np.testing.assert_array_equal(value.numpy(), one.state_dict()[name])
    h, r, t = (np.arange(3),) * 3
    for call in ("tails", "heads"): close(getattr(two, call)(torch.tensor(h), torch.tensor(r)).detach(), getattr(one, call)(h, r).data, 1e-6)


def test_weights_go_both_ways_and_through_a_file(tmp_path):
    c, graph = GNNConfig(5, 8, 3, conv="gat", heads=2, norm="batch", pool="attention"), whole_graph()
    one, two = GNN(c, 0), twins.GNN(c, 1)
    save(one, tmp_path / "a.safetensors")
    load(two, tmp_path / "a.safetensors")
    x = graph.x.astype(np.float32)
    close(two(torch.tensor(x), graph).detach(), one(x, graph).data, 1e-5)
    with torch.no_grad(): two.head.weight.mul_(2)
    save(two, tmp_path / "b.safetensors")
    load(one, tmp_path / "b.safetensors")
    close(two(torch.tensor(x), graph).detach(), one(x, graph).data, 1e-5)


@pytest.mark.parametrize("conv", CONVS)
def test_the_twin_compiles_and_trains_as_without(conv):
    graph = whole_graph()
    models = [twins.GNN(gnn_of(conv, pool="mean").config, rng=0) for _ in range(2)]
    run = torch.compile(models[1], backend="aot_eager", fullgraph=conv in ("sage", "gin", "gine", "mlp"))
    x, edges = torch.tensor(graph.x, dtype=torch.float32), torch.tensor(graph.edge_index)
    given, losses = {name: torch.tensor(v) for name, v in edges_of(graph, [reads(models[0].config)] if reads(models[0].config) else [], np.float32).items()}, []
    for model, call in zip(models, (models[0], run)):
        sgd = torch.optim.SGD(model.parameters(), 0.01)
        for _ in range(3):
            sgd.zero_grad()
            loss = (call(x, edges, **given) ** 2).sum()
            loss.backward()
            sgd.step()
        losses.append(loss.item())
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)
    torch._dynamo.reset()


@pytest.mark.parametrize("conv", CONVS)
def test_the_twin_runs_in_bfloat16(conv):
    graph = whole_graph()
    model = twins.GNN(gnn_of(conv, pool="attention", jumping="cat", norm="layer").config, rng=0)
    x = torch.tensor(graph.x, dtype=torch.float32)
    full = model(x, graph)
    with torch.autocast("cpu", torch.bfloat16): half = model(x, graph)
    assert (half.float() - full).abs().max() < 0.1 * full.abs().max() + 0.05
    half.float().sum().backward()
    assert all(p.grad.dtype == torch.float32 and p.grad.isfinite().all() for p in model.parameters())


def test_the_twin_moves_to_another_device():
    assert all(v.is_meta for v in twins.GNN(GNNConfig(5, 8, 3, conv="gin", pool="attention"), device="meta").state_dict().values())
    assert all(v.dtype == torch.float64 for v in twins.GNN(GNNConfig(5, 8, 3, conv="gatv2", norm="layer"), dtype=torch.float64).state_dict().values())
    model = twins.GNN(GNNConfig(5, 8, 3, conv="sage", pool="sum"), device="meta")
    assert model(torch.zeros(4, 5, device="meta"), torch.zeros(2, 6, dtype=torch.long, device="meta")).shape == (1, 3)


@pytest.mark.parametrize(("call", "error", "words"), [
    (lambda: twins.GCNConv(5, 4)(torch.zeros(3, 5), torch.tensor([[0], [3]])), ValueError, "edge 0 leads from node 0 to node 3"),
    (lambda: twins.GCNConv(5, 4)(torch.zeros(3, 4), torch.tensor([[0], [1]])), ValueError, r"\(N, 5\)"),
    (lambda: twins.GCNConv(5, 4)(torch.zeros(3, 5), torch.tensor([[0.0], [1.0]])), ValueError, "whole numbers"),
    (lambda: twins.GCNConv(5, 4)(torch.zeros(3, 5), random_graph()), ValueError, "each of 9 nodes, got 3"),
    (lambda: twins.GCNConv(5, 4)(torch.zeros(3, 5), torch.tensor([[0], [1]]), torch.tensor([-3.0])), ValueError, "normalize=False"),
    (lambda: twins.GATConv(5, 4)(torch.zeros(3, 5), torch.tensor([[0], [1]]), torch.zeros(1, 2)), ValueError, "edge_dim"),
    (lambda: twins.GATConv(5, 4, edge_dim=2)(torch.zeros(3, 5), torch.tensor([[0], [1]])), ValueError, "got None"),
    (lambda: twins.GINConv(mlp()), TypeError, "torch module"),
    (lambda: twins.GINEConv(their_mlp())(torch.zeros(3, 5), torch.tensor([[0], [1]])), ValueError, "GINConv goes without"),
    (lambda: twins.RGCNConv(5, 4, 2)(torch.zeros(3, 5), torch.tensor([[0], [1]])), ValueError, "edge_type"),
    (lambda: twins.RGCNConv(5, 4, 2)(torch.zeros(3, 5), torch.tensor([[0], [1]]), torch.tensor([2])), ValueError, "relations 0 to 1"),
    (lambda: twins.RGCNConv(5, 4, 2)(torch.zeros(3, 5), Graph([[0], [1]], num_nodes=3, edge_type=[2])), ValueError, "relations 0 to 1"),
    (lambda: twins.segment_sum(torch.zeros(3), torch.tensor([0, 1])), ValueError, "each row"),
    (lambda: twins.segment_sum(torch.zeros(3), torch.tensor([0, 1, 5]), 3), ValueError, "goes from 0 to 5"),
    (lambda: twins.SAGEConv(0, 4), ValueError, "in_channels"),
    (lambda: twins.SAGEConv(5, 4, "median"), ValueError, "'mean'"),
    (lambda: twins.GNN(3), TypeError, "GNNConfig"),
    (lambda: twins.DistMult(None, 2, 4)(torch.tensor([1]), torch.tensor([0]), torch.tensor([0])), ValueError, "give their rows as x"),
])
def test_errors_of_the_twin(call, error, words):
    with pytest.raises(error, match=words): call()


# --- wrong calls: each public name, with each argument in turn replaced by junk, works or ends in one message of ours

JUNK = wrong_calls.JUNK | {"module": Linear(2, 2), "torch": torch.ones(2, 2), "Tensor of float64": Tensor(np.ones((4, 5))), "graph": Graph([[0], [1]]), "networkx": nx.path_graph(3)}
SMALL = replace(random_graph(0, N=4, E=6), edge_attr=None)
SMALL = replace(SMALL, edge_weight=np.ones(SMALL.num_edges), edge_attr=np.ones((SMALL.num_edges, 2)), edge_type=np.zeros(SMALL.num_edges, int))


def x5(): return np.ones((4, 5), np.float32)


def applied(layer): return lambda *args: layer(*args)


EDGES, INDEX = SMALL.edge_index, np.array([0, 1, 1, 3])
CALLS = {
    "CSR": (lambda: (INDEX, INDEX, INDEX), None), "Graph": (lambda: (EDGES, x5(), SMALL.edge_attr, INDEX, 4, SMALL.edge_type, SMALL.edge_weight, INDEX, 4, np.ones((4, 2)), INDEX), None),
    "gather": (lambda: (x5(), INDEX), None), **{f"segment_{name}": (lambda: (x5(), INDEX, 5), None) for name in ("sum", "mean", "max", "softmax")},
    "aggregate": (lambda: (x5(), SMALL, SMALL.edge_weight, "mean", True), None), "GCNConv": (lambda: (5, 4, True, True, True, 0), (x5, EDGES)), "SAGEConv": (lambda: (5, 4, "max", True, True, 0), (x5, EDGES)),
    "GATConv": (lambda: (5, 4, 2, True, 0.2, 0.1, True, 2, True, 0), (x5, EDGES, SMALL.edge_attr)), "GATv2Conv": (lambda: (5, 4, 2, True, 0.2, 0.1, True, 2, True, 0), (x5, EDGES, SMALL.edge_attr)),
    "GINConv": (lambda: (mlp(), 0.1, True), (x5, EDGES)), "GINEConv": (lambda: (mlp(), 0.1, True, 2, 0), (x5, EDGES, SMALL.edge_attr)), "RGCNConv": (lambda: (5, 4, 3, 2, "mean", True, True, 0), (x5, EDGES, SMALL.edge_type)),
    **{f"global_{name}_pool": (lambda: (x5(), INDEX, 5), None) for name in ("add", "mean", "max")}, "AttentionalAggregation": (lambda: (Linear(5, 1), Linear(5, 2)), (x5, INDEX)), "JumpingKnowledge": (lambda: ("max",), None),
    "GNNConfig": (lambda: (5, 8, 3, 2, "gat", 2, "mean", 0.1, "layer", "elu", True, "cat", "mean", 2, None, None), None), "GNN": (lambda: (GNNConfig(5, 8, 3), 0), (x5, EDGES)),
    "sample_neighbors": (lambda: (SMALL, [1, 0], [2, 1], 0), None), "NeighborSampler": (lambda: (SMALL, [2], [1, 0], 2, True, 0), None), "label_propagation": (lambda: (SMALL, INDEX, [0, 1], 4, 10, 1e-3), None),
    "wl_colors": (lambda: (SMALL, 2, INDEX, SMALL.edge_type), None), "DistMult": (lambda: (5, 3, 4, 0), None), "ComplEx": (lambda: (5, 3, 4, 0), None), "known_answers": (lambda: ([[0, 1, 2]], [[0, 1, 2]], 4, "head"), None),
    "SparseFeatures": (lambda: (x5(),), None), "filtered_ranks": (lambda: (np.ones((2, 3)), [0, 1], np.zeros((2, 3), bool)), None), "ranking_metrics": (lambda: ([1.0, 2.5], (1, 3)), None)}
METHODS = {
    "GCN": (applied(GCNConv(5, 4)), lambda: (x5(), EDGES, SMALL.edge_weight, True)), "SAGE": (applied(SAGEConv(5, 4)), lambda: (x5(), EDGES, True)), "GAT": (applied(GATConv(5, 4, edge_dim=2)), lambda: (x5(), EDGES, SMALL.edge_attr, True, True)),
    "GATv2": (applied(GATv2Conv(5, 4, edge_dim=2)), lambda: (x5(), EDGES, SMALL.edge_attr, True, True)), "GIN": (applied(GINConv(mlp())), lambda: (x5(), EDGES, True)), "GINE": (applied(GINEConv(mlp(), edge_dim=2)), lambda: (x5(), EDGES, SMALL.edge_attr, True)),
    "RGCN": (applied(RGCNConv(5, 4, 3)), lambda: (x5(), EDGES, SMALL.edge_type, True)), "GNN": (applied(GNN(GNNConfig(5, 8, 3, pool="sum"))), lambda: (x5(), EDGES, INDEX, SMALL.edge_weight, None, None, True)), "GNN, attention": (applied(GNN(GNNConfig(5, 8, 3, 2, "gine", edge_dim=2, pool="attention"))), lambda: (x5(), EDGES, INDEX, None, SMALL.edge_attr, None, True)),
    "pool": (applied(AttentionalAggregation(Linear(5, 1))), lambda: (x5(), INDEX, 5)), "jump": (applied(JumpingKnowledge("cat")), lambda: ([x5(), x5()],)), "jump, one": (lambda x: JumpingKnowledge("max")([x, x5()]), lambda: (x5(),)),
    "scores": (applied(ComplEx(5, 3, 4)), lambda: ([0, 1], [0, 1], [0, 1], np.ones((5, 8)))), "tails": (ComplEx(5, 3, 4).tails, lambda: ([0, 1], [0, 1], np.ones((5, 8)))), "heads": (DistMult(5, 3, 4).heads, lambda: ([0, 1], [0, 1], np.ones((5, 4)))),
    "sparse": (gnn.SparseFeatures.of, lambda: ([0, 1], [2, 0], [1.0, 2.0], (3, 4))), "sparse rows": (lambda i: gnn.SparseFeatures(x5())[i], lambda: ([0, 2],)), "permuted": (SMALL.permuted, lambda: ([3, 2, 1, 0],)), "subgraph": (SMALL.subgraph, lambda: ([3, 2],)), "batch": (Graph.batch, lambda: ([SMALL],)), "batch, one": (lambda g: Graph.batch([g]), lambda: (SMALL,)), "from_networkx": (Graph.from_networkx, lambda: (nx.path_graph(2),)), "from_pyg": (Graph.from_pyg, lambda: (SMALL.to_pyg(),))}


def test_every_public_name_is_in_the_table():
    assert set(gnn.__all__) == set(CALLS)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", CALLS)
def test_a_wrong_call_ends_in_one_message_of_ours(name):
    args, inputs = CALLS[name]
    make = getattr(gnn, name)
    assert len(args()) == len(inspect.signature(make).parameters), "each argument has its turn"
    found = complaints((lambda *a: make(*a)) if inputs is None else (lambda *a: Called(make(*a), inputs[1:])), args, inputs and inputs[0], JUNK)
    assert found == {}


class Called:
    "A layer with all inputs but the first."
    def __init__(self, layer, rest): self.layer, self.rest = layer, rest

    def __call__(self, x): return self.layer(x, *self.rest)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", METHODS)
def test_a_wrong_call_of_a_layer_ends_in_one_message_of_ours(name):
    call, args = METHODS[name]
    call(*args())
    found = {what: foreign(call, *wrong) for what, wrong in replaced(args(), JUNK)}
    assert {what: error for what, error in found.items() if error} == {}


@pytest.mark.parametrize("kind", [GATConv, GATv2Conv, twins.GATConv, twins.GATv2Conv])
def test_attention_weights_drop_out_in_training_alone(kind):
    graph = random_graph()
    make = lambda p: kind(5, 4, 2, dropout=p, rng=0)
    x = graph.x.astype(np.float32) if kind.__module__ == "nnbook.gnn" else torch.tensor(graph.x, dtype=torch.float32)
    value = lambda layer: np.asarray(y.detach() if isinstance(y := layer(x, graph), torch.Tensor) else y.data)
    layer = make(0.5)
    assert np.abs(value(layer) - value(layer)).max() > 1e-3 and not value(make(1.0)).any()       # every weight gone, and a bias of 0
    layer.eval()
    close(value(layer), value(make(0.0)), 1e-6)
