"What a user of the twins writes."

from typing import assert_type

import torch

from nnbook import layers
from nnbook.torch.layers import MLP
from nnbook.torch.training import fit
from nnbook.torch.twins import assert_twins
from nnbook.training import DataLoader, History

x = torch.ones(4, 3)
twin = MLP(3, 8, 2, rng=0)
optimizer = torch.optim.AdamW(twin.parameters(), lr=1e-2)
print(twin(x).sum().item())
assert_twins(layers.MLP(3, 8, 2, rng=0), twin, x.numpy())
assert_type(fit(twin, optimizer, DataLoader(x.numpy(), [0, 1, 0, 1]), epochs=1), History)
