import numpy as np

from nnbook.layers import Linear, Module, ReLU, Sequential

model: Module = Sequential(Linear(3, 8, rng=0), ReLU(), Linear(8, 2, rng=1))
assert model(np.ones((5, 3))).shape == (5, 2)
assert sum(p.numel() for p in model.parameters()) == 50
model.load_state_dict(model.state_dict())
