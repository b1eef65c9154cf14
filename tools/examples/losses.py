import numpy as np

from nnbook.losses import cross_entropy, mse

logits = np.array([[2.0, 0.0, 0.0], [0.0, 0.0, 5.0]])
print(cross_entropy(logits, np.array([0, 2])))
assert cross_entropy(logits, np.array([0, 2]), reduction="none").shape == (2,)
assert mse(np.array([1.0, 3.0]), np.array([1.0, 1.0])) == 2
