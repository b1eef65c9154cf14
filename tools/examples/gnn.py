import numpy as np

from nnbook.gnn import (
    GNN,
    GATConv,
    GNNConfig,
    Graph,
    NeighborSampler,
    SparseFeatures,
    filtered_ranks,
    label_propagation,
    ranking_metrics,
    sample_neighbors,
    segment_sum,
    wl_colors,
)

path = Graph([[0, 1, 2, 3], [1, 2, 3, 4]]).symmetric()                           # five nodes in a row
x = np.eye(5, dtype=np.float32)
source, target = path.edge_index
assert np.array_equal(segment_sum(x[source], target).data, np.eye(5, k=1) + np.eye(5, k=-1))

model = GNN(GNNConfig(in_channels=5, hidden_channels=16, out_channels=2, conv="gat", heads=4), rng=0)
assert model(x, path).shape == (5, 2)                                             # an output for each node
out, (edges, weights) = GATConv(5, 8, rng=0)(x, path, return_attention_weights=True)
assert np.allclose(segment_sum(weights, edges[1]).data, 1)

assert np.allclose(model(SparseFeatures(x), path).data, model(x, path).data, atol=1e-6)             # of features that are mostly 0

several = Graph.batch([path, path.permuted([4, 3, 2, 1, 0]), Graph([[0], [1]])])   # one graph of three
pooled = GNN(GNNConfig(1, 16, 3, conv="gin", pool="sum"), rng=0)
y = pooled(np.ones((several.num_nodes, 1)), several)
assert y.shape == (3, 3) and np.allclose(y.data[0], y.data[1], atol=1e-5)         # the numbering does not matter
assert wl_colors(path).tolist() == wl_colors(path)[::-1].tolist()                  # the ends have one color

print(label_propagation(path, labels=[0, 0, 0, 0, 1], known=[0, 4]).round(2))
piece = sample_neighbors(path, nodes=[2], sizes=[2, 2], rng=0)
print(piece.n_id, [len(batch.n_id) for batch in NeighborSampler(path, [2, 2], batch_size=2, seed=0)])
print(ranking_metrics(filtered_ranks(np.eye(5), target=[0, 1, 2, 3, 3]), ks=(1, 3)))
