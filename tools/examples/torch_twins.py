import tempfile
from pathlib import Path

import numpy as np

from nnbook import layers
from nnbook.torch.layers import MLP
from nnbook.torch.twins import assert_twins, load, save

built, twin = layers.MLP(3, 8, 2, rng=0), MLP(3, 8, 2)
assert_twins(built, twin, np.ones((4, 3)))                 # one output, one gradient, ten steps alike
file = Path(tempfile.mkdtemp()) / "model.safetensors"
save(built, file)
load(twin, file)
