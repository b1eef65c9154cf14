import numpy as np

from nnbook.autograd import Tensor
from nnbook.cnn import Conv2d
from nnbook.kernels import (
    Pattern,
    attention,
    conv2d,
    dropout,
    lstm,
    max_pool2d,
    pattern_add,
    pattern_max,
    pattern_softmax,
    pattern_sum,
    spmm,
)

layer = Conv2d(3, 8, kernel_size=3, padding=1, rng=0)      # calls kernels.conv2d, after it has checked its arguments
x = Tensor(np.ones((16, 3, 32, 32), np.float32))
y = conv2d(x, layer.weight, layer.bias, padding=(1, 1))
assert y.shape == (16, 8, 32, 32) and np.array_equal(y.data, layer(x).data)
assert max_pool2d(y, (2, 2), (2, 2)).shape == (16, 8, 16, 16)
assert y.data.transpose(1, 2, 3, 0).flags.c_contiguous     # in memory the batch is the innermost axis

sequences, state = Tensor(np.ones((16, 10, 3), np.float32)), Tensor(np.zeros((16, 5), np.float32))
weight_ih, weight_hh = Tensor(np.full((20, 3), 0.1, np.float32), requires_grad=True), Tensor(np.full((20, 5), 0.1, np.float32), requires_grad=True)
output, h, c = lstm(sequences, state, state, weight_ih, weight_hh, lengths=np.array([10] * 15 + [4]))
assert output.shape == (16, 10, 5) and not output.data[15, 4:].any() and np.array_equal(h.data[15], output.data[15, 3])

q, k, v = Tensor(np.ones((2, 4, 5, 8), np.float32)), Tensor(np.ones((2, 2, 5, 8), np.float32)), Tensor(np.arange(20.0).reshape(2, 2, 5, 1))
means = attention(q, k, v, is_causal=True)                 # of equal scores; heads 0 and 1 read the first head of keys and values
assert means.shape == (2, 4, 5, 1) and np.allclose(means.data[0, 1, :, 0], [0, 0.5, 1, 1.5, 2])

path = Pattern(rows=np.array([1, 0, 2, 1]), columns=np.array([0, 1, 1, 2]), shape=(3, 3))      # three nodes in a row: who hears, and whom
x = Tensor(np.array([[1.0], [2.0], [4.0]]))
assert spmm(path, x).data.ravel().tolist() == [2, 5, 2] and pattern_max(path, x).data.ravel().tolist() == [2, 4, 2]
scores = pattern_add(path, rows=x, columns=x)                                  # of the pairs, as attention computes them
assert scores.data.ravel().tolist() == [3, 3, 6, 6] and np.allclose(pattern_sum(path, pattern_softmax(path, scores)).data, 1)
assert set(np.unique(dropout(Tensor(np.ones((100, 100))), 0.5, np.random.default_rng(0)).data)) == {0, 2}
