import torch

from nnbook.torch.rnn import GRU, CharLM, generate

output, state = GRU(8, 16, num_layers=2, rng=0)(torch.zeros(5, 20, 8), lengths=torch.tensor([20, 3, 7, 20, 1]))
assert output.shape == (5, 20, 16) and state.shape == (2, 5, 16)
assert generate(CharLM("to be or not", rng=0), "to", 10, temperature=0).startswith("to")
