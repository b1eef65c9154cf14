from nnbook import data, optim
from nnbook.layers import MLP
from nnbook.training import DataLoader, accuracy, fit

digits = data.digits()
train = DataLoader(digits.train.x, digits.train.y, batch_size=32)
model = MLP(64, 64, 10, rng=0)
optimizer = optim.AdamW(model.parameters(), lr=1e-3)
history = fit(model, optimizer, train, (digits.test.x, digits.test.y), epochs=10, metrics={"accuracy": accuracy})
assert history.last()["valid accuracy"] > 0.9
