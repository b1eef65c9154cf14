"""What holds a built model and its PyTorch twin together: the comparison, the weight files, the registry of pairs."""

import os
import types

import numpy as np
import pytest
import torch
from torch import nn

from nnbook import autograd as ag
from nnbook.autograd import Tensor
from nnbook.torch import twins
from nnbook.torch.twins import assert_twins, built_classes, copy_weights, load, pairs, save


class MLP:
    "A built model with nothing but `named_parameters`."

    def __init__(self, *sizes, dtype=np.float32, seed=0):
        rng = np.random.default_rng(seed)
        self.params = {}
        for i, (n, m) in enumerate(zip(sizes, sizes[1:])):
            self.params[f"{2 * i}.weight"] = Tensor((rng.standard_normal((m, n)) / n**0.5).astype(dtype), True)
            self.params[f"{2 * i}.bias"] = Tensor(rng.standard_normal(m).astype(dtype), True)

    def named_parameters(self):
        return self.params.items()

    def __call__(self, x):
        p = list(self.params.values())
        for i in range(0, len(p) - 2, 2):
            x = ag.tanh(ag.linear(x, *p[i : i + 2]))
        return ag.linear(x, *p[-2:])


def twin_of(*sizes):
    return nn.Sequential(*[m for n, k in zip(sizes, sizes[1:]) for m in (nn.Linear(n, k), nn.Tanh())][:-1])


SIZES, X = (4, 8, 8, 3), np.random.default_rng(1).standard_normal((5, 4))


# --- the comparison

@twins.pair("test.MLP")
def _mlp():
    return MLP(*SIZES), twin_of(*SIZES), (X,)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", pairs())
def test_every_pair_holds(name, dtype):
    built, twin, inputs = pairs()[name]()
    worst = assert_twins(built, twin, *inputs, dtype=dtype)
    assert set(worst) >= {"outputs", "gradients", "input gradients", "after 10 steps"}
    assert max(worst.values()) <= (1e-9 if dtype == np.float64 else 1e-4)


def test_it_compares_copies_and_leaves_both_models_alone():
    built, twin = MLP(*SIZES), twin_of(*SIZES)
    before = {n: p.data.copy() for n, p in built.named_parameters()}, {n: p.detach().clone() for n, p in twin.named_parameters()}
    assert_twins(built, twin, X)
    for n, p in built.named_parameters():
        assert (p.data == before[0][n]).all() and p.grad is None
    for n, p in twin.named_parameters():
        assert (p == before[1][n]).all() and p.grad is None


def test_the_dtype_is_that_of_the_parameters_unless_said():
    assert max(assert_twins(MLP(*SIZES, dtype=np.float64), twin_of(*SIZES), X).values()) < 1e-12
    assert max(assert_twins(MLP(*SIZES), twin_of(*SIZES), X).values()) > 1e-12


class Wrong(MLP):
    "Right values, but one gradient is off."

    def __call__(self, x):
        p = self.params["2.bias"]
        self.params["2.bias"] = Tensor.of(p.data, p, backward=lambda g: (g * 1.001,))
        try:
            return super().__call__(x)
        finally:
            self.params["2.bias"] = p


def test_a_difference_names_the_first_parameter_that_differs():
    with pytest.raises(AssertionError, match=r"gradient of 2\.bias differs"):
        assert_twins(Wrong(*SIZES), twin_of(*SIZES), X)
    with pytest.raises(AssertionError, match="output 0 differs"):
        assert_twins(MLP(*SIZES), nn.Sequential(*[m if isinstance(m, nn.Linear) else nn.Sigmoid() for m in twin_of(*SIZES)]), X)
    slower = lambda ps: torch.optim.SGD(ps, lr=0.005)
    with pytest.raises(AssertionError, match=r"after 10 steps, 0\.weight differs"):
        assert_twins(MLP(*SIZES), twin_of(*SIZES), X, optimizers=(twins._SGD, slower))
    assert assert_twins(MLP(*SIZES), twin_of(*SIZES), X, optimizers=(twins._SGD, lambda ps: torch.optim.SGD(ps, lr=0.01)))


def test_nan_on_one_side_is_a_difference():
    class Broken(MLP):
        def __call__(self, x):
            return super().__call__(x) * np.nan
    with pytest.raises(AssertionError, match="output"):
        assert_twins(Broken(*SIZES), twin_of(*SIZES), X)


def test_outputs_of_several_parts_and_inputs_without_gradients():
    class Built:
        def __init__(self): self.weight = Tensor(np.random.default_rng(0).standard_normal((7, 3)), True)
        def named_parameters(self): return [("weight", self.weight)]
        def __call__(self, rows, scale): return {"rows": ag.embedding(rows, self.weight) * scale, "more": (self.weight.sum(), [self.weight * 2])}

    class Twin(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.zeros(7, 3))
        def forward(self, rows, scale): return {"rows": self.weight[rows] * scale, "more": (self.weight.sum(), [self.weight * 2])}

    assert max(assert_twins(Built(), Twin(), np.array([[1, 1], [6, 0]]), np.array(1.5)).values()) < 1e-12


def test_a_gradient_that_is_zero_in_exact_arithmetic_does_not_fail():
    class Built:                                             # a softmax does not feel a shift of all its inputs
        def __init__(self): self.weight, self.shift = (Tensor(np.random.default_rng(i).standard_normal(s), True) for i, s in enumerate([(3, 4), ()]))
        def named_parameters(self): return [("weight", self.weight), ("shift", self.shift)]
        def __call__(self, x): return ag.softmax(ag.linear(x, self.weight) + self.shift)

    class Twin(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight, self.shift = nn.Parameter(torch.zeros(3, 4)), nn.Parameter(torch.zeros(()))
        def forward(self, x): return torch.softmax(x @ self.weight.T + self.shift, -1)

    assert max(assert_twins(Built(), Twin(), X).values()) < 1e-9
    assert_twins(Built(), Twin(), X, dtype=np.float32)


def test_names_and_shapes_must_agree():
    with pytest.raises(ValueError, match=r"(?s)unchanged.*4\.weight: shape \(3, 8\) where Sequential has \(2, 8\).*4\.bias"):
        assert_twins(MLP(*SIZES), twin_of(4, 8, 8, 2), X)
    with pytest.raises(ValueError, match="(?s)missing: 4.weight"):
        assert_twins(MLP(4, 8, 3), twin_of(*SIZES), X)


# --- weight files

@pytest.mark.parametrize("there, back", [("built", "torch"), ("torch", "built"), ("built", "built"), ("torch", "torch")])
def test_weights_travel_both_ways(tmp_path, there, back):
    make = {"built": lambda seed: MLP(*SIZES, seed=seed), "torch": lambda seed: twin_of(*SIZES)}
    a, b = make[there](1), make[back](2)
    save(a, tmp_path / "model.safetensors")
    load(b, tmp_path / "model.safetensors")
    values = lambda m: {n: np.array(twins._to_numpy(v)) for n, v in twins._state(m).items()}
    assert values(a).keys() == values(b).keys()
    for n, v in values(a).items():
        np.testing.assert_array_equal(v, values(b)[n])
    assert os.listdir(tmp_path) == ["model.safetensors"]


def test_a_loaded_model_keeps_its_dtype(tmp_path):
    save(MLP(*SIZES, dtype=np.float64), tmp_path / "w")
    small, half = MLP(*SIZES), twin_of(*SIZES).bfloat16()
    load(small, str(tmp_path / "w"))
    load(half, tmp_path / "w")
    assert {p.dtype for _, p in small.named_parameters()} == {np.dtype(np.float32)} and half[0].weight.dtype == torch.bfloat16
    save(half, tmp_path / "half")
    load(small, tmp_path / "half")                                         # NumPy has no bfloat16: converted
    np.testing.assert_array_equal(small.params["0.weight"].data, half[0].weight.detach().float().numpy())


def test_tied_weights_and_buffers_are_saved(tmp_path):
    class Tied(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b, self.norm = nn.Linear(3, 3), nn.Linear(3, 3), nn.BatchNorm1d(3)
            self.b.weight = self.a.weight
    first, second = Tied(), Tied()
    first.norm.running_mean += 2
    save(first, tmp_path / "w")
    load(second, tmp_path / "w")
    assert second.norm.running_mean[0] == 2 and (second.b.weight == first.a.weight).all()


@pytest.mark.parametrize("make", [lambda: MLP(4, 8, 8, 2), lambda: twin_of(4, 8, 8, 2), lambda: MLP(4, 8, 3), lambda: twin_of(4, 8, 8, 8, 3)])
def test_weights_that_do_not_fit_are_listed_and_change_nothing(tmp_path, make):
    save(MLP(*SIZES), tmp_path / "w")
    model = make()
    before = {n: np.array(twins._to_numpy(v)) for n, v in twins._state(model).items()}
    with pytest.raises(ValueError) as error:
        load(model, tmp_path / "w")
    ours, theirs = {n: p.data.shape for n, p in MLP(*SIZES).named_parameters()}, {n: v.shape for n, v in before.items()}
    wrong = [n for n in ours.keys() | theirs.keys() if ours.get(n) != theirs.get(n)]
    assert wrong and all(n in str(error.value) for n in wrong) and "unchanged" in str(error.value)
    for n, v in twins._state(model).items():
        np.testing.assert_array_equal(twins._to_numpy(v), before[n])


@pytest.mark.parametrize("content", [b"", b"not a file of weights", b"\x00" * 100, b"PK\x03\x04" + b"x" * 50])
def test_a_file_of_another_kind_is_refused(tmp_path, content):
    (tmp_path / "w").write_bytes(content)
    with pytest.raises(ValueError, match="not a safetensors file"):
        load(MLP(*SIZES), tmp_path / "w")
    save(MLP(*SIZES), tmp_path / "whole")
    (tmp_path / "w").write_bytes((tmp_path / "whole").read_bytes()[:-10])
    with pytest.raises(ValueError, match="not a safetensors file"):
        load(MLP(*SIZES), tmp_path / "w")
    with pytest.raises(FileNotFoundError, match="save"):
        load(MLP(*SIZES), tmp_path / "nothing")


def test_a_failed_save_leaves_the_old_file_whole(tmp_path, monkeypatch):
    path = tmp_path / "w"
    save(MLP(*SIZES, seed=1), path)
    old = path.read_bytes()
    monkeypatch.setattr(os, "fsync", lambda handle: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        save(MLP(*SIZES, seed=2), path)
    assert path.read_bytes() == old and os.listdir(tmp_path) == ["w"]


def test_copying_weights_does_not_tie_them():
    a, b = MLP(*SIZES, seed=1), MLP(*SIZES, seed=2)
    copy_weights(a, b)
    a.params["0.bias"].data += 1
    assert (a.params["0.bias"].data == b.params["0.bias"].data + 1).all()


# --- the registry

def base_class():
    "The book's Module, once the chapter on layers is there."
    try:
        from nnbook.layers import Module
    except ModuleNotFoundError:
        return None
    return Module


def test_every_module_that_a_chapter_exports_has_a_twin():
    base = base_class()
    built = built_classes(base) if base else []
    assert set(built) <= set(pairs()), f"without a twin: {sorted(set(built) - set(pairs()))}"


def test_the_search_for_classes_without_twins_finds_them():
    base = type("Module", (), {})
    chapter = types.ModuleType("nnbook.shapes")
    for name, parents in {"Cube": (base,), "_Private": (base,), "Other": (), "Sphere": (base,)}.items():
        setattr(chapter, name, type(name, parents, {"__module__": "nnbook.shapes"}))
    chapter.Module = base
    chapter.Imported = type("Imported", (base,), {"__module__": "nnbook.elsewhere"})
    assert built_classes(base, [chapter]) == ["shapes.Cube", "shapes.Sphere"]


def test_a_name_is_registered_once():
    with pytest.raises(ValueError, match="twice"):
        exec("from nnbook.torch.twins import pair\n@pair('test.MLP')\ndef f(): ...", {"__name__": "elsewhere"})
