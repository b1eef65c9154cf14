import torch

from nnbook.torch.transformer import GPT, GPTConfig, generate

model = GPT(GPTConfig(vocab_size=65, context_length=64, n_layers=2, n_kv_heads=2, window=16), rng=0)
logits = model(torch.zeros(5, 64, dtype=torch.long))
assert logits.shape == (5, 64, 65) and model.head.weight is model.embedding.weight
assert generate(model, [1, 2, 3], 10, rng=0).shape == (13,)
