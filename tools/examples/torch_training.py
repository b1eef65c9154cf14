import torch

from nnbook import data
from nnbook.torch.layers import MLP
from nnbook.torch.training import best_device, fit
from nnbook.training import DataLoader

digits = data.digits()
model = MLP(64, 64, 10, rng=0).to(best_device())
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
history = fit(model, optimizer, DataLoader(digits.train.x, digits.train.y), epochs=2)
print(history)
