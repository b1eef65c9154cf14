import numpy as np

from nnbook import optim
from nnbook.autograd import Tensor

x = Tensor(np.array([4.0, -3.0]), requires_grad=True)
optimizer = optim.SGD([x], lr=0.1, momentum=0.9)
schedule = optim.Schedule(optimizer, optim.cosine(200))
for _ in range(200):
    optimizer.zero_grad()
    (x * x).sum().backward()
    optimizer.step()
    schedule.step()
assert np.abs(x.data).max() < 1e-3
