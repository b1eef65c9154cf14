import numpy as np

from nnbook.autograd import Tensor
from nnbook.operators import grad

x = Tensor(np.array([3.0, 1.0, 2.0]), requires_grad=True)
values, indices = x.sort(descending=True)
assert indices.tolist() == [0, 2, 1]

(g,) = grad(x.cumsum(0)[-1] * x.prod(), x)                 # no `.grad` is touched
assert g.tolist() == [18, 42, 24] and x.grad is None
