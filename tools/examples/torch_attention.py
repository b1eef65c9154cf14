import torch

from nnbook.torch.attention import MultiHeadAttention, rotate

layer = MultiHeadAttention(32, num_heads=4, num_kv_heads=2, positions="rope", rng=0)
output, weights = layer(torch.zeros(5, 20, 32), lengths=torch.tensor([20, 0, 7, 20, 1]), need_weights=True)
assert output.shape == (5, 20, 32) and weights.shape == (5, 4, 20, 20) and not weights[1].any()
assert rotate(torch.ones(2, 20, 8)).shape == (2, 20, 8)
