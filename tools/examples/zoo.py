import tempfile
from pathlib import Path

import numpy as np

from nnbook import zoo
from nnbook.layers import Linear

print(zoo.names())                                         # for zoo.load("digits") and zoo.card("digits")

file, layer = Path(tempfile.mkdtemp()) / "layer.safetensors", Linear(3, 2, rng=0)
zoo.save_safetensors(layer.state_dict(), file, {"by": "an example"})
state = zoo.load_safetensors(file)
assert np.array_equal(state["weight"], layer.weight.data)
