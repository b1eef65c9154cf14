"""Wrong calls of the engine end in the engine's own words: each public function, with each argument in turn replaced by junk."""


import numpy as np
import pytest
from wrong_calls import in_our_words

import nnbook.autograd as ag
import nnbook.operators as ops
from nnbook.autograd import Tensor

X = np.arange(1.0, 7.0, dtype=np.float32).reshape(2, 3)


def x() -> Tensor: return Tensor(X.copy(), requires_grad=True)
def w() -> Tensor: return Tensor(np.ones((4, 3), np.float32), requires_grad=True)
def v() -> Tensor: return Tensor(np.arange(3.0, dtype=np.float32), requires_grad=True)


UNARY = ["exp", "log", "sqrt", "sin", "cos", "relu", "sigmoid", "tanh", "silu", "gelu", "leaky_relu", "elu", "softplus", "log1p", "expm1", "erf"]
# A right call of each public function: positional arguments, made anew for each call.
RIGHT = {name: lambda: (x(),) for name in UNARY} | {
    **{name: lambda: (x(), x()) for name in ("add", "sub", "mul", "div", "maximum", "minimum", "power")},
    **{name: lambda: (x(), X) for name in ("mse", "mae", "huber")}, "hinge": lambda: (x(), np.sign(X - 2.5)),
    "bce_with_logits": lambda: (x(), (X > 2).astype(np.float32)), "cross_entropy": lambda: (x(), np.array([0, 2])), "matmul": lambda: (x(), w().T),
    "linear": lambda: (x(), w(), Tensor(np.zeros(4, np.float32))), "softmax": lambda: (x(), 1), "log_softmax": lambda: (x(), 1), "layer_norm": lambda: (x(), 3, v(), v()),
    "getitem": lambda: (x(), 1), "embedding": lambda: ([0, 1], w()), "reshape": lambda: (x(), 3, 2), "broadcast_to": lambda: (x(), 4, 2, 3), "permute": lambda: (x(), 1, 0),
    "swapaxes": lambda: (x(), 0, 1), "transpose": lambda: (x(), 0, 1), "squeeze": lambda: (x(), 1), "unsqueeze": lambda: (x(), 1), "flatten": lambda: (x(), 0, 1),
    "where": lambda: (X > 2, x(), x()), "clip": lambda: (x(), 1.0, 2.0), "concatenate": lambda: ([x(), x()], 1), "stack": lambda: ([x(), x()], 1),
    "pad": lambda: (x(), ((1, 0), (0, 1)), 0.5), "einsum": lambda: ("ij,kj->ik", x(), w()), "name_of": lambda: (x(),), "gradcheck": lambda: (ag.tanh, X),
    "cumsum": lambda: (x(), 1), "prod": lambda: (x(), 1), "std": lambda: (x(), 1), "logsumexp": lambda: (x(), 1), "norm": lambda: (x(), 2, 1), "argmin": lambda: (x(), 1),
    "take_along_axis": lambda: (x(), np.zeros((2, 1), int), 1), "sort": lambda: (x(), 1), "topk": lambda: (x(), 2, 1), "index_add": lambda: (x(), 0, [0, 1], x(), 1.0),
    "masked_fill": lambda: (x(), X > 2, 0.0), "split": lambda: (x(), 2, 1), "chunk": lambda: (x(), 2, 1), "unbind": lambda: (x(), 1), "tril": lambda: (x(), 1), "triu": lambda: (x(), 1),
    "repeat": lambda: (x(), 2, 2), "roll": lambda: (x(), 1, 1), "flip": lambda: (x(), 1), "outer": lambda: (v(), v()), "astype": lambda: (x(), np.float64), "dropout": lambda: (x(), 0.5, 0),
    "register_hook": lambda: (x(), lambda g: None), "grad": lambda: ((y := x()).sum(), y), "checkpoint": lambda: (ag.tanh, x()),
    **{f"Tensor.{name}": lambda: (x(), 1) for name in ("sum", "mean", "var", "max", "min", "argmax")},
    "Tensor": lambda: (X,), "Tensor.backward": lambda: (x().sum(), 1.0), "Tensor.requires_grad_": lambda: (x(),), "Tensor.item": lambda: (x().sum(),), "Tensor.__getitem__": lambda: (x(), 1)}
BUILDERS = {"elementwise", "parametric", "binary", "unbroadcast", "torch_names", "add_at", "graph", "no_grad", "HookHandle"}     # these take functions, plain arrays, or nothing

JUNK = {"None": None, "text": "a", "object": object(), "complex": 1j, "complex array": np.ones((2, 3), complex), "texts": np.array(["a", "b"]), "objects": np.array([None, None]),
        "list of None": [None], "fraction": 1.5, "NaN": float("nan"), "far": 7, "far back": -9, "huge": 2**70, "empty list": [], "twice": (0, 0), "dict": {}, "type": int, "shape (5, 7)": np.ones((5, 7), np.float32),
        "no axes": np.float32(2), "length 0": np.ones((0, 3), np.float32), "ragged": [[1, 2], [3]], "set": {1}}


def function(name: str):
    if name.startswith("Tensor."): return getattr(Tensor, name.removeprefix("Tensor."))
    return getattr(ag, name, None) or getattr(ops, name)


def calls(name: str):
    "Each argument in turn, but for a method's own Tensor, replaced by each piece of junk."
    for k in range(name.startswith("Tensor."), len(RIGHT[name]())):
        for junk, value in JUNK.items():
            args = list(RIGHT[name]())
            args[k] = value
            yield f"argument {k}: {junk}", args


def outcome(name: str, args: list):
    try: return function(name)(*args)
    except Exception as error: return error


def test_every_public_function_is_in_the_table():
    assert {*ag.__all__, *ops.__all__} - BUILDERS == {n for n in RIGHT if "." not in n}


@pytest.mark.parametrize("name", RIGHT)
def test_the_right_call_passes(name):
    assert not isinstance(outcome(name, RIGHT[name]()), Exception)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", RIGHT)
def test_a_wrong_call_ends_in_our_words(name):
    foreign = [f"{what}: {type(y).__name__}: {y}" for what, args in calls(name) if isinstance(y := outcome(name, args), Exception) and not in_our_words(y)]
    assert foreign == []
