import torch

from nnbook.torch.layers import MLP

model = MLP(784, 64, 10, rng=0)
assert model(torch.zeros(5, 784)).shape == (5, 10)
