import numpy as np

from nnbook.activations import relu, sigmoid, softmax

x = np.array([-1.0, 0.0, 2.0])
assert relu(x).tolist() == [0, 0, 2]
assert sigmoid(x)[1] == 0.5
assert np.isclose(softmax(x).sum(), 1)
