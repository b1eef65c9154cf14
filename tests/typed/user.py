"What a user of the library writes. Both type checkers know every type that is asserted here, and refuse every line that is marked."

from collections.abc import Iterator
from typing import Any, assert_type

import numpy as np

from nnbook import layers, losses, optim
from nnbook.autograd import Tensor, concatenate, exp, gelu, no_grad, stack, where
from nnbook.operators import HookHandle, cumsum, log1p
from nnbook.training import DataLoader, History, Run, accuracy, evaluate, fit, predict

# the engine
x = Tensor(np.ones((2, 3)), requires_grad=True)
array = np.ones((2, 3), np.float32)
assert_type(x * 2, Tensor)
assert_type(2 - x / array + x**2, Tensor)
assert_type(-x + np.float32(1), Tensor)
assert_type(x @ x.T, Tensor)
assert_type(x.exp().log1p().gelu(approximate="tanh"), Tensor)
assert_type(x.sum(axis=0, keepdims=True), Tensor)
assert_type(x.mean(dim=(0, 1), keepdim=True), Tensor)
assert_type(x.softmax(dim=-1).cumsum(dim=0), Tensor)
assert_type(x[0], Tensor)
assert_type(x[:, [0, 1]].reshape(2, -1), Tensor)
assert_type(x > 0, np.ndarray)
assert_type(x.argmax(axis=1), np.ndarray)
assert_type(x.topk(2), tuple[Tensor, np.ndarray])
assert_type(x.shape, tuple[int, ...])
assert_type(x.item(), float)
assert_type(x.grad, np.ndarray | None)
assert_type(x.register_hook(print), HookHandle)
assert_type(iter(x), Iterator[Tensor])
assert_type(where(x > 0, exp(x), gelu(x)), Tensor)
assert_type(log1p(stack((x, x))) + concatenate([x, x], dim=0) + cumsum(x, 1), Tensor)
assert_type({x: "a Tensor is a key"}, dict[Tensor, str])

x.expp()  # type: ignore
x.sum() @ "text"  # type: ignore
x.softmax(axes=0)  # type: ignore
x[0] = 1.0  # type: ignore
x.shape()  # type: ignore


# a model, and a loop by hand
class Net(layers.Module):
    def __init__(self, width: int) -> None:
        self.first = layers.Linear(3, width)
        self.last = layers.MLP(width, 8, 2, rng=0)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.first(x).relu())


@no_grad()
def score(model: layers.Module, inputs: Tensor) -> float:
    return model(inputs).mean().item()


model = Net(4)
optimizer = optim.AdamW(model.parameters(), lr=1e-2)
for _ in range(2):
    loss = (model(x) ** 2).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
with no_grad():
    total = sum(p.numel() for p in model.parameters())
assert_type(total, int)
assert_type(score(model, x), float)
assert_type(optim.clip_grad_norm_(model.parameters(), 1.0), float)

# `fit`
labels = np.array([0, 1])
data = DataLoader(array, labels, batch_size=1)
history = fit(model, optimizer, data, (array, labels), epochs=1, metrics={"accuracy": accuracy})
assert_type(history, History)
assert_type(history.last(), dict[str, float])
assert_type(predict(model, array), np.ndarray)
result: dict[str, Any] = evaluate(model, (array, labels))
print(losses.mse(array, array))

# What a checkpoint is made of
state: dict = optimizer.state_dict()
optimizer.load_state_dict(state)
model.load_state_dict(model.state_dict())
run = Run(model, optimizer, data, checkpoint="run.npz")
run.save()
run.load_state_dict(run.state_dict())
assert_type(run.finish(), History)
