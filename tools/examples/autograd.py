import numpy as np

from nnbook.autograd import Tensor, gradcheck

w = Tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
loss = (w @ w.T).sum()
loss.backward()
assert w.grad is not None and w.grad.tolist() == [[8, 12], [8, 12]]

assert gradcheck(lambda x: x.softmax(dim=0) * x, np.array([0.3, -1.2]))
