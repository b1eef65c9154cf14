import torch

from nnbook.gnn import Graph
from nnbook.torch.gnn import GNN, GNNConfig, segment_softmax

graph = Graph([[0, 1, 2], [1, 2, 3]]).symmetric()
model = GNN(GNNConfig(in_channels=8, hidden_channels=16, out_channels=3, conv="sage"), rng=0)
x = torch.randn(4, 8)
assert torch.allclose(model(x, graph), model(x, torch.tensor(graph.edge_index)), atol=1e-6)     # a Graph keeps its tensors
assert segment_softmax(torch.zeros(4), torch.tensor([0, 0, 0, 1])).tolist()[3] == 1
