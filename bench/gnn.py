"""Graph networks beside PyTorch Geometric: CPU time of one epoch of a GCN at Cora's size, on one core, as ratios; and time over the edges.

    python bench/gnn.py                 # the tables, as text
    python bench/gnn.py --markdown      # as Markdown, for the README
    python bench/gnn.py --processes 1   # shorter and noisier (default 5)

The epoch: a GCN of two layers, 1,433 features to 16 to 7, forward, the cross-entropy of 140 nodes, backward, and Adam, on a random graph with
as many nodes and edges as Cora and a few hubs, and features of which 1.3% are not 0; with dropout of 0.5 before each layer, as Kipf & Welling
(2017) have it, and without. Rounds and processes as in bench/rounds.py. All start from the same weights, and without dropout the gradients of
the first five epochs are compared. PyTorch Geometric runs GCNConv as its examples do, which computes the edges' weights each time; with
cached=True, which keeps them; and so with the graph as a sparse tensor in compressed rows, its fastest way without further packages. "PyTorch,
index_add" is the layer written by hand, with weights that are kept. The rows of nnbook are the library's model, with NumPy alone or with SciPy;
with plain=True, which runs the chapter's lines; and with its SparseFeatures. Another row hands PyTorch Geometric a sparse tensor of features.
The last table is one layer, 16 numbers to 16, forward and back, by the number of edges, four for each node.
"""

import statistics
from functools import cache

from rounds import LESS, main, measure, prepare, rows_of_engines, show

# isort: split
import numpy as np  # after rounds, which keeps every library to one thread

NODES, LINKS, FEATURES, WORDS, HIDDEN, CLASSES, TRAINED = 2708, 5278, 1433, 18, 16, 7, 140
LR, DECAY, WIDTH = 0.01, 5e-4, 16
DROPOUT = {"one epoch of a GCN at Cora's size, dropout 0.5": 0.5, "the same without dropout": 0.0}
EDGES = (1_000, 10_000, 100_000, 1_000_000)


def citations(nodes, links, rng):
    "(2, 2 links): random undirected edges, none twice, between any node and one that is the likelier the lower its number."
    found = np.zeros((0, 2), np.int64)
    share = np.arange(1, nodes + 1) ** -0.5
    while len(found) < links:
        more = np.stack([rng.integers(0, nodes, links), rng.choice(nodes, links, p=share / share.sum())], 1)
        found = np.unique(np.sort(np.concatenate([found, more[more[:, 0] != more[:, 1]]]), 1), axis=0)
    found = rng.permutation(found)[:links]
    return rng.permutation(nodes)[np.concatenate([found, found[:, ::-1]])].T.copy()


@cache
def problem():
    "Features (N, F), each row's sum 1, edges (2, E), classes (N,), the nodes whose classes are known, and both layers' weights, float32."
    rng = np.random.default_rng(0)
    share = np.arange(1, FEATURES + 1) ** -0.6
    x = (rng.random((NODES, FEATURES)) < WORDS * share / share.sum()).astype(np.float32)
    x /= np.maximum(x.sum(1, keepdims=True), 1)
    weights = [rng.uniform(-1, 1, (n, m)).astype(np.float32) * (6 / (n + m)) ** 0.5 for m, n in ((FEATURES, HIDDEN), (HIDDEN, CLASSES))]
    return x, citations(NODES, LINKS, rng), rng.integers(0, CLASSES, NODES), rng.permutation(NODES)[:TRAINED], weights


@cache
def layer_problem(edges):
    "Rows (N, 16), edges (2, E), the gradient of the result, and the weights."
    rng = np.random.default_rng(0)
    n = edges // 4
    draw = lambda *shape: rng.standard_normal(shape).astype(np.float32)
    return draw(n, WIDTH), citations(n, edges // 2, rng), draw(n, WIDTH), draw(WIDTH, WIDTH)


def judged(loss, gradient):
    "What is compared: the loss, and the gradient of the first layer's weights, times 1000, as its entries are small."
    return np.append(1e3 * np.asarray(gradient, np.float64).ravel(), float(loss))


# Each engine: epoch(dropout) returns a function that runs an epoch, and one that returns what is compared; layer(edges) returns a function
# that goes forward and back through one layer and returns the gradient of its input.

class nnbook:
    "nnbook.gnn, NumPy alone."
    scipy, sparse, options = False, False, {}

    @classmethod
    def choose(cls):
        "Before each call: whether SciPy is there."
        from nnbook import kernels
        nnbook.library = nnbook.library or kernels._scipy
        return lambda: setattr(kernels, "_scipy", nnbook.library if cls.scipy else lambda: None)

    library = None

    @classmethod
    def epoch(cls, dropout):
        from nnbook.autograd import cross_entropy
        from nnbook.gnn import GNN, GNNConfig, Graph, SparseFeatures
        from nnbook.optim import Adam
        x, edges, y, known, weights = problem()
        model, graph, choose = GNN(GNNConfig(FEATURES, HIDDEN, CLASSES, dropout=dropout), rng=0), Graph(edges, num_nodes=NODES), cls.choose()
        if cls.scipy: __import__("scipy.sparse")
        for conv, w in zip(model.convs, weights): conv.lin.weight.data[...] = w
        optimizer, last, x = Adam(model.parameters(), lr=LR, weight_decay=DECAY), [], SparseFeatures(x) if cls.sparse else x
        def run():
            choose()
            loss = cross_entropy(model(x, graph, **cls.options)[known], y[known])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            last[:] = [loss]
        return run, lambda: judged(last[0].data, model.convs[0].lin.weight.grad)

    @classmethod
    def layer(cls, edges):
        from nnbook.autograd import Tensor
        from nnbook.gnn import GCNConv, Graph
        x, edges, g, weight = layer_problem(edges)
        conv, x, graph, choose = GCNConv(WIDTH, WIDTH, rng=0), Tensor(x, requires_grad=True), Graph(edges, num_nodes=len(x)), cls.choose()
        conv.lin.weight.data[...] = weight
        def run():
            choose()
            for p in (x, *conv.parameters()): p.grad = None
            conv(x, graph, **cls.options).backward(g)
            return x.grad
        return run


class nnbook_scipy(nnbook):
    scipy = True

class nnbook_plain(nnbook):
    options = {"plain": True}

class nnbook_sparse(nnbook):
    sparse = True

class nnbook_sparse_scipy(nnbook):
    scipy = sparse = True


class Torch:
    "What the engines on torch share; model(dropout) returns a module called with features and edges."
    @classmethod
    def epoch(cls, dropout):
        import torch
        torch.set_num_threads(1)
        x, edges, y, known, weights = problem()
        y, known = map(torch.from_numpy, (y, known))
        model, layers = cls.model(dropout)
        for layer, w in zip(layers, weights): layer.lin.weight.data = torch.from_numpy(w.copy())
        optimizer, last, x, edges = torch.optim.Adam(model.parameters(), lr=LR, weight_decay=DECAY), [], cls.features(x), cls.edges(edges, NODES)
        def run():
            loss = torch.nn.functional.cross_entropy(model(x, edges)[known], y[known])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            last[:] = [loss]
        return run, lambda: judged(last[0].detach(), layers[0].lin.weight.grad)

    @classmethod
    def layer(cls, edges):
        import torch
        torch.set_num_threads(1)
        x, edges, g, weight = layer_problem(edges)                 # kept, and not changed by a way forward and back
        conv, x, g, edges = cls.conv(WIDTH, WIDTH), torch.from_numpy(x).requires_grad_(), torch.from_numpy(g), cls.edges(edges, len(x))
        conv.lin.weight.data = torch.from_numpy(weight)
        def run():
            for p in (x, *conv.parameters()): p.grad = None
            conv(x, edges).backward(g)
            return x.grad
        return run

    @staticmethod
    def features(x):
        import torch
        return torch.from_numpy(x)

    @staticmethod
    def edges(edges, nodes):
        import torch
        return torch.from_numpy(edges)

    @classmethod
    def model(cls, dropout):
        import torch
        import torch.nn.functional as F
        class Model(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.first, self.second = cls.conv(FEATURES, HIDDEN), cls.conv(HIDDEN, CLASSES)

            def forward(self, x, edges):
                x = F.relu(self.first(cls.drop(x, dropout), edges))
                return self.second(F.dropout(x, dropout), edges)
        model = Model()
        return model, (model.first, model.second)

    @staticmethod
    def drop(x, p):
        import torch
        return torch.nn.functional.dropout(x, p)


class pyg(Torch):
    "torch_geometric.nn.GCNConv."
    cached = False

    @classmethod
    def conv(cls, n, m):
        from torch_geometric.nn import GCNConv
        return GCNConv(n, m, cached=cls.cached)


class pyg_cached(pyg):
    cached = True


class pyg_csr(pyg_cached):
    "The transposed adjacency matrix as torch.sparse_csr."
    @staticmethod
    def edges(edges, nodes):
        import torch
        return torch.sparse_coo_tensor(torch.from_numpy(edges[::-1].copy()), torch.ones(edges.shape[1]), (nodes, nodes)).coalesce().to_sparse_csr()


class pyg_sparse(pyg_csr):
    "Features as torch.sparse_csr too, dropout of their values."
    @staticmethod
    def features(x):
        import torch
        return torch.from_numpy(x).to_sparse_csr()

    @staticmethod
    def drop(x, p):
        import torch
        if not p: return x
        return torch.sparse_csr_tensor(x.crow_indices(), x.col_indices(), torch.nn.functional.dropout(x.values(), p), x.shape)

    layer = lambda edges: None


class by_hand(Torch):
    "index_add, with weights that are kept."
    @staticmethod
    def edges(edges, nodes):
        import torch
        source, target = (torch.from_numpy(np.concatenate([end, np.arange(nodes)])) for end in edges)
        root = torch.bincount(target, minlength=nodes).float().rsqrt()
        return source, target, (root[source] * root[target])[:, None]

    @staticmethod
    def conv(n, m):
        import torch
        class Conv(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.lin, self.bias = torch.nn.Linear(n, m, bias=False), torch.nn.Parameter(torch.zeros(m))

            def forward(self, x, edges):
                source, target, weight = edges
                x = self.lin(x)
                return torch.zeros_like(x).index_add_(0, target, x[source] * weight) + self.bias
        return Conv()


class twin(Torch):
    "nnbook.torch.gnn."
    @staticmethod
    def edges(edges, nodes):
        from nnbook.gnn import Graph
        return Graph(edges, num_nodes=nodes)

    @staticmethod
    def conv(n, m):
        from nnbook.torch.gnn import GCNConv
        return GCNConv(n, m, rng=0)

    @staticmethod
    def model(dropout):
        from nnbook.torch.gnn import GNN, GNNConfig
        model = GNN(GNNConfig(FEATURES, HIDDEN, CLASSES, dropout=dropout), rng=0)
        return model, model.convs


class twin_sparse(twin):
    @staticmethod
    def features(x):
        from nnbook.gnn import SparseFeatures
        return SparseFeatures(x)


ENGINES = {  # what the table says: the class, and the package whose version is printed
    "**nnbook**": (nnbook, "nnbook"), "**nnbook**, with SciPy": (nnbook_scipy, "scipy"), "nnbook, plain": (nnbook_plain, "nnbook"),
    "**nnbook**, sparse features": (nnbook_sparse, "nnbook"), "**nnbook**, sparse features, with SciPy": (nnbook_sparse_scipy, "scipy"),
    "**the twin**": (twin, "torch"), "**the twin**, sparse features": (twin_sparse, "torch"),
    "PyTorch Geometric": (pyg, "torch-geometric"), "PyTorch Geometric, cached": (pyg_cached, "torch-geometric"),
    "PyTorch Geometric, cached, sparse tensor": (pyg_csr, "torch-geometric"),
    "PyTorch Geometric, cached, sparse tensor, sparse features": (pyg_sparse, "torch-geometric"), "PyTorch, index_add": (by_hand, "torch"),
}
BY_EDGES = ("PyTorch Geometric, cached", "PyTorch Geometric, cached, sparse tensor", "PyTorch, index_add", "**the twin**", "nnbook, plain",
            "**nnbook**", "**nnbook**, with SciPy")


def compared(engine):
    run, result = engine.epoch(0.0)
    return lambda: (run(), result())[1]


def timed(edges: int, rounds: int) -> dict:
    "CPU microseconds of a layer, by engine."
    engines = {name: ENGINES[name] for name in BY_EDGES}
    ready, _ = prepare(engines, lambda engine: engine.layer(edges), reference="**nnbook**")
    return measure(ready, rounds if edges < 10**6 else max(3, rounds // 3))


def worker(case: str, rounds: int):
    "What one process measures: all engines at Cora's size, or a layer of some of them over the number of edges."
    if case == "edges": return {str(edges): timed(edges, rounds) for edges in EDGES}
    ready, missing = prepare(ENGINES, compared, reference="**nnbook**")
    return measure({name: ENGINES[name][0].epoch(DROPOUT[case])[0] for name in ready}, rounds), missing


def by_edges(runs: list[dict], markdown: bool) -> None:
    "A row for each number of edges: nanoseconds for each edge, medians over processes."
    names = [name for name in BY_EDGES if name in runs[0][str(EDGES[0])]]
    head, rows = ["ns for each edge", *(name if markdown else name.replace("*", "") for name in names)], []
    for edges in EDGES:
        each = [statistics.median(run[str(edges)][name] for run in runs) * 1000 / edges for name in names]
        rows.append([f"{edges:,}", *(f"{t:,.0f}" for t in each)])
    if markdown:
        for cells in (head, ["---", *["---:"] * len(names)], *rows): print("| " + " | ".join(cells) + " |")
    else:
        widths = [max(len(r[i]) for r in (head, *rows)) for i in range(len(head))]
        for cells in (head, *rows): print("  ".join(c.rjust(w) for c, w in zip(cells, widths)))
    print()


def tables(found: dict, markdown: bool) -> None:
    for case in DROPOUT:
        show(case, rows_of_engines([micros for micros, _ in found[case]], ENGINES, "PyTorch Geometric"), found[case][0][1], markdown, "PyTorch Geometric")
    by_edges(found["edges"], markdown)
    print(LESS)


if __name__ == "__main__":
    main(__doc__, [*DROPOUT, "edges"], worker, tables, rounds=9)
