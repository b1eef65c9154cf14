"""Training: loader, loop, metrics, checkpoints that survive SIGKILL, diagnoses, and the twin's loop."""
import copy
import math
import os
import random
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nnbook import training
from nnbook.autograd import Tensor, cross_entropy, exp, mse, softmax
from nnbook.data import breast_cancer, diabetes, digits, mnist1d, wine
from nnbook.evaluation import TableEncoder, r2
from nnbook.layers import MLP, Dropout, Linear, Module, ReLU, Sequential
from nnbook.optim import SGD, Adam, AdamW, Muon, Schedule, cosine
from nnbook.training import (
    DataLoader,
    History,
    NonFiniteError,
    accuracy,
    checkup,
    evaluate,
    fit,
    load_checkpoint,
    predict,
    save_checkpoint,
)

torch = pytest.importorskip("torch")
rng = np.random.default_rng(0)
X, Y = rng.normal(size=(90, 6)), rng.integers(0, 3, 90)


def small(seed=0, **options):
    model = MLP(6, 8, 3, rng=seed, **options)
    return model, Adam(model.parameters(), lr=0.01)


# -- the loader

@given(n=st.integers(1, 40), size=st.integers(1, 45), epoch=st.integers(0, 5), drop=st.booleans())
def test_an_epoch_holds_every_example_once(n, size, epoch, drop):
    if drop and n < size:
        with pytest.raises(ValueError, match="no batch"): DataLoader(np.arange(n), batch_size=size, drop_last=True)
        return
    loader = DataLoader(np.arange(n), -np.arange(n), batch_size=size, drop_last=drop, seed=3)
    batches = list(loader.batches(epoch))
    rows = np.concatenate([a for a, _ in batches])
    assert len(batches) == len(loader) and len(np.unique(rows)) == len(rows) == (n // size * size if drop else n)
    assert all((a == -b).all() for a, b in batches)
    assert all(len(a) == size for a, _ in batches[:-1])


def test_the_order_follows_from_seed_and_epoch():
    loader = DataLoader(np.arange(100), batch_size=7, seed=5)
    first, second = list(loader), list(loader)
    assert any((a != b).any() for (a,), (b,) in zip(first, second))
    again = DataLoader(np.arange(100), batch_size=7, seed=5)
    for start in (0, 4, 14):
        assert all((a == b).all() for (a,), (b,) in zip(second[start:], again.batches(1, start), strict=True))
    assert (DataLoader(np.arange(100), seed=6).order(0) != loader.order(0)).any()
    assert (DataLoader(np.arange(9), shuffle=False).order(3) == np.arange(9)).all()


def test_augmentation_is_repeatable_in_the_middle_of_an_epoch():
    noisy = lambda x, y, rng: (x + rng.normal(size=x.shape), y)
    loader = DataLoader(X, Y, batch_size=20, transform=noisy)
    whole = list(loader.batches(2))
    assert all((a == b).all() for (a, _), (b, _) in zip(whole[3:], loader.batches(2, start=3), strict=True))
    assert (whole[0][0] != next(loader.batches(3))[0]).all() and (loader.arrays[0] == X).all()


def test_batches_are_copies():
    x = np.zeros((10, 2))
    for (b,) in DataLoader(x, batch_size=3, shuffle=False): b += 1
    assert not x.any()


@pytest.mark.parametrize("arrays, options, says", [
    ((np.zeros(3), np.zeros(4)), {}, "lengths"), ((), {}, "got none"), ((np.zeros(()),), {}, "one example a row; argument 0"),
    ((np.zeros((0, 4)),), {}, "0 examples"), ((np.zeros(3),), {"batch_size": 0}, "batch_size"),
    ((np.zeros(3),), {"batch_size": 2.5}, "batch_size")])
def test_a_loader_refuses(arrays, options, says):
    with pytest.raises(ValueError, match=says): DataLoader(*arrays, **options)


# -- the loop

def test_fit_does_what_the_five_lines_do():
    (a, optimizer), (b, by_hand) = small(), small()
    fit(a, optimizer, DataLoader(X, Y, batch_size=16, seed=1), epochs=4)
    loader = DataLoader(X, Y, batch_size=16, seed=1)
    for _ in range(4):
        for x, y in loader:
            loss = cross_entropy(b(x), y)
            loss.backward()
            by_hand.step()
            by_hand.zero_grad()
    assert all((p.data == q.data).all() for p, q in zip(a.parameters(), b.parameters()))


def test_history_says_what_happened():
    model, optimizer = small()
    history = fit(model, optimizer, DataLoader(X, Y, batch_size=40), (X, Y), epochs=3, clip=0.1,
                  metrics={"accuracy": accuracy}, schedule=Schedule(optimizer, cosine(9)))
    assert set(history.epochs) == {"train loss", "valid loss", "valid accuracy"}
    assert [len(v) for v in history.epochs.values()] == [3] * 3 and len(history.steps["loss"]) == 9
    losses = np.array(history.steps["loss"]).reshape(3, 3)
    assert np.allclose(history.epochs["train loss"], losses @ [40, 40, 10] / 90)     # the last batch has 10
    assert np.allclose(history.steps["lr"], [0.01 * cosine(9)(t) for t in range(9)])
    assert history.last() == {"train loss": history.epochs["train loss"][-1],
                              **{f"valid {k}": v for k, v in
                                 evaluate(model, (X, Y), metrics={"accuracy": accuracy}).items()}}
    assert "valid accuracy goes from" in repr(history) and repr(History()) == "History: No epoch has ended yet."


def test_predict_is_the_same_in_any_batches_and_leaves_the_mode():
    model = MLP(6, 8, 3, dropout=0.5, norm="batch", rng=0)
    model[1].eval()
    modes = [m.training for m in model.modules()]
    out = predict(model, X, batch_size=7)
    assert [m.training for m in model.modules()] == modes and out.shape == (90, 3)
    assert np.allclose(out, predict(model, X), atol=1e-6)


def test_the_mode_is_put_back_after_an_error():
    model, _ = small(dropout=0.5)
    with pytest.raises(ValueError): predict(model, X[:, :5])
    assert all(m.training for m in model.modules())


def test_early_stopping_puts_the_best_weights_back():
    x, y = rng.normal(size=(20, 6)), rng.integers(0, 3, 20)               # nothing to learn: overfits at once
    model, optimizer = small()
    optimizer.param_groups[0]["lr"] = 0.05
    history = fit(model, optimizer, DataLoader(x, y, batch_size=5), (X, Y), epochs=200, patience=4)
    assert len(history.epochs["valid loss"]) == history.best + 5 < 200
    assert evaluate(model, (X, Y))["loss"] == pytest.approx(min(history.epochs["valid loss"]))


def test_monitor_watches_a_metric():
    model, optimizer = small()
    wrong = lambda o, y: 1 - accuracy(o, y)
    history = fit(model, optimizer, DataLoader(X, Y), (X, Y), epochs=30, metrics={"error": wrong},
                  patience=3, monitor="error")
    assert history.best == int(np.argmin(history.epochs["valid error"]))
    with pytest.raises(ValueError, match="nothing"):
        fit(*small(), DataLoader(X, Y), (X, Y), epochs=1, patience=1, monitor="nothing")
    with pytest.raises(ValueError, match="no validation data"): fit(*small(), DataLoader(X, Y), epochs=1, patience=1)


def test_a_regression_with_two_inputs():
    class Two(Module):
        def __init__(self): self.a, self.b = Linear(6, 1, rng=0), Linear(2, 1, rng=1)
        def forward(self, x, z): return self.a(x) + self.b(z)
    z = rng.normal(size=(90, 2))
    y = (X @ np.arange(6) + z @ [1, -1])[:, None]
    model = Two()
    history = fit(model, Adam(model.parameters(), lr=0.1), DataLoader(X, z, y), (X, z, y), epochs=80,
                  loss=mse, metrics={"r2": r2})
    assert history.last()["valid r2"] > 0.99


def test_the_bar_goes_to_stdout_when_asked(capsys):
    fit(*small(), DataLoader(X, Y), (X, Y), epochs=2, progress=True)
    out = capsys.readouterr()
    assert "2/2 epochs" in out.out and "valid loss" in out.out and not out.err
    fit(*small(), DataLoader(X, Y), epochs=2)
    assert capsys.readouterr().out == ""


# -- checkpoints

trees = st.recursive(
    st.none() | st.booleans() | st.integers(-2**70, 2**70) | st.text(max_size=5)
    | st.floats(allow_nan=False) | st.sampled_from([np.arange(6.0).reshape(2, 3), np.array(3), np.zeros((0, 2), "f4")]),
    lambda t: st.lists(t, max_size=3) | st.dictionaries(st.text(max_size=4) | st.integers(0, 9), t, max_size=3), max_leaves=12)


def same(a, b):
    if isinstance(a, np.ndarray):
        return isinstance(b, np.ndarray) and a.dtype == b.dtype and a.shape == b.shape and (a == b).all()
    if isinstance(a, dict): return list(a) == list(b) and all(same(a[k], b[k]) for k in a)
    if isinstance(a, (list, tuple)): return len(a) == len(b) and all(map(same, a, b))
    return type(a) is type(b) and a == b


@given(st.dictionaries(st.text(max_size=4), trees, max_size=4))
@settings(max_examples=60)
def test_a_checkpoint_gives_back_what_was_saved(tmp_path_factory, state):
    path = tmp_path_factory.mktemp("tree") / "c.npz"
    save_checkpoint(path, state)
    assert same(load_checkpoint(path), state)
    assert [p.name for p in path.parent.iterdir()] == ["c.npz"]


def test_a_checkpoint_refuses_code_and_says_where(tmp_path):
    with pytest.raises(TypeError, match="model/f is a function"):
        save_checkpoint(tmp_path / "c.npz", {"model": {"f": lambda: 0}})
    with pytest.raises(FileNotFoundError, match="no checkpoint"): load_checkpoint(tmp_path / "c.npz")
    np.savez(tmp_path / "evil.npz", x=np.array([print], object))
    with pytest.raises(ValueError, match="not a whole checkpoint"): load_checkpoint(tmp_path / "evil.npz")


def test_damage_is_noticed(tmp_path):
    path, draw = tmp_path / "c.npz", random.Random(0)
    state = {"model": {"w": np.arange(400.0)}, "step": 7, "text": "x" * 100}
    save_checkpoint(path, state)
    whole = path.read_bytes()
    for cut in [0, 1, 100, *(draw.randrange(len(whole)) for _ in range(60))]:
        path.write_bytes(whole[:cut])
        with pytest.raises(ValueError, match="not a whole checkpoint"): load_checkpoint(path)
    for _ in range(200):
        i = draw.randrange(len(whole))
        path.write_bytes(whole[:i] + bytes([whole[i] ^ 1 << draw.randrange(8)]) + whole[i + 1:])
        try: assert same(load_checkpoint(path), state)            # some bytes, such as dates, mean nothing
        except ValueError as error: assert "not a whole checkpoint" in str(error)


@pytest.mark.parametrize("fails", ["fsync", "replace"])
def test_a_failed_write_keeps_the_old_checkpoint(tmp_path, monkeypatch, fails):
    path = tmp_path / "c.npz"
    save_checkpoint(path, {"step": 1})
    def no(*_): raise OSError("disk full")
    monkeypatch.setattr(os, fails, no)
    with pytest.raises(OSError, match="disk full"): save_checkpoint(path, {"step": 2})
    assert load_checkpoint(path) == {"step": 1} and [p.name for p in tmp_path.iterdir()] == ["c.npz"]


def everything(checkpoint=None, stop_at=None, save_every=1, epochs=4, optimizer=AdamW):
    "A run that has something of everything to forget; its final weights, buffers and history."
    model = MLP(6, 8, 8, 3, norm="batch", dropout=0.3, rng=0)
    opt = optimizer(model.parameters(), lr=0.01)
    count = 0
    def loss(output, y):
        nonlocal count
        count += 1
        if count == stop_at: raise KeyboardInterrupt
        return cross_entropy(output, y)
    noisy = lambda x, y, rng: (x + 0.1 * rng.normal(size=x.shape), y)
    history = fit(model, opt, DataLoader(X, Y, batch_size=20, transform=noisy), (X[:30], Y[:30]), epochs=epochs,
                  loss=loss, schedule=Schedule(opt, cosine(20)), clip=0.5, patience=3, metrics={"accuracy": accuracy},
                  checkpoint=checkpoint, save_every=save_every)
    return model.state_dict(), vars(history)


@pytest.mark.parametrize("optimizer", [AdamW, lambda p, lr: SGD(p, lr, momentum=0.9),
                                       lambda p, lr: Muon([q for q in p if q.ndim == 2], lr)])
def test_an_interrupted_run_ends_as_if_nothing_had_happened(tmp_path, optimizer):
    whole = everything(optimizer=optimizer)
    for stop_at in range(1, 21, 3):                          # the count includes the validation's calls
        for save_every in (1, 3, None):
            path = tmp_path / f"{stop_at}-{save_every}.npz"
            with pytest.raises(KeyboardInterrupt): everything(path, stop_at, save_every, optimizer=optimizer)
            assert same(everything(path, save_every=save_every, optimizer=optimizer), whole)
            assert same(everything(path, save_every=save_every, optimizer=optimizer), whole)    # finished: once more


def test_a_run_can_be_made_longer(tmp_path):
    everything(tmp_path / "c.npz", epochs=2)
    assert same(everything(tmp_path / "c.npz"), everything())


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_fifty_kills_leave_no_trace(tmp_path):
    "SIGKILL at fifty random moments: no torn checkpoint, and the resumed run ends bit for bit the same."
    begin, whole = time.monotonic(), everything(tmp_path / "whole.npz", epochs=12)
    lasts, draw, steps = time.monotonic() - begin, random.Random(0), []
    for trial in range(400):
        path = tmp_path / str(trial) / "run.npz"
        path.parent.mkdir()
        child = os.fork()
        if not child:
            try: everything(path, epochs=12)
            finally: os._exit(0)
        time.sleep(draw.uniform(0, lasts))
        os.kill(child, signal.SIGKILL)
        if not os.WIFSIGNALED(os.waitpid(child, 0)[1]): continue             # it was faster
        steps.append(load_checkpoint(path)["step"] if path.exists() else 0)
        assert same(everything(path, epochs=12), whole), f"killed after update {steps[-1]}"
        if len(steps) == 50: break
    assert len(steps) == 50 and len(set(steps)) > 10, steps


def test_a_checkpoint_of_another_run_is_refused_and_changes_nothing(tmp_path):
    path = tmp_path / "c.npz"
    fit(*small(), DataLoader(X, Y), epochs=1, checkpoint=path)
    def refuses(says, model, optimizer, train):
        before = copy.deepcopy((model.state_dict(), optimizer.state_dict()))
        with pytest.raises(ValueError, match=says): fit(model, optimizer, train, epochs=2, checkpoint=path)
        assert same(list(before), [model.state_dict(), optimizer.state_dict()])
    refuses("batch_size 32, not 7", *small(), DataLoader(X, Y, batch_size=7))
    refuses("seed 0, not 1", *small(), DataLoader(X, Y, seed=1))
    refuses("data", *small(), DataLoader(X, 2 - Y))
    other = MLP(6, 9, 3, rng=0)
    refuses("misshapen", other, Adam(other.parameters(), lr=0.01), DataLoader(X, Y))
    model, _ = small()
    refuses("made with optimizer Adam, not SGD", model, SGD(model.parameters(), lr=0.1), DataLoader(X, Y))
    path.write_bytes(b"garbage")
    refuses("not a whole checkpoint", *small(), DataLoader(X, Y))


def made(side: str, **changed):
    "A model, its optimizer and schedule, of the book's or of PyTorch's, and `fit`; `changed` is what differs from the run of the tests below."
    options = {"lr": 0.01, "betas": (0.9, 0.999), "weight_decay": 0.01, "dropout": 0.2, "activation": "relu", "steps": 100} | changed
    shape = {k: options[k] for k in ("dropout", "activation")}
    rule = {k: options[k] for k in ("lr", "betas", "weight_decay")}
    if side == "built":
        model = MLP(6, 8, 3, rng=0, **shape).to(np.float64)
        optimizer = AdamW(model.parameters(), **rule)
    else:
        from nnbook.torch import layers
        model = layers.MLP(6, 8, 3, rng=0, **shape).double()
        optimizer = torch.optim.AdamW(model.parameters(), **rule)
    schedule = Schedule(optimizer, cosine(options["steps"]))

    def run(epochs: int, path):
        from nnbook.torch import training as twin
        more = {"device": "cpu"} if side == "twin" else {}
        return (training if side == "built" else twin).fit(model, optimizer, DataLoader(X, Y, batch_size=30), epochs=epochs, schedule=schedule, checkpoint=path, progress=False, **more)

    return run


@pytest.mark.parametrize("second", ["built", "twin"])
@pytest.mark.parametrize("first", ["built", "twin"])
@pytest.mark.parametrize(("changed", "says"), [
    ({"lr": 3.0}, "lr 0.01, not 3.0"), ({"betas": (0.5, 0.999)}, r"betas \[0.9, 0.999\], not \[0.5, 0.999\]"), ({"weight_decay": 0}, "weight_decay 0.01, not 0.0"),
    ({"dropout": 0.5}, r"p of module '\d' 0.2, not 0.5"), ({"activation": "gelu"}, r"kind of module '\d' ReLU, not GELU"), ({"steps": 50}, "factors of the rate")])
def test_a_checkpoint_made_with_other_options_is_refused(tmp_path, first, second, changed, says):
    "Also after the run's end, where it would return the old result; and it says how to go on."
    made(first)(3, tmp_path / "c.npz")
    for epochs in (3, 5):
        with pytest.raises(ValueError, match=f"{says}.*To go on with that run.*to begin anew"):
            made(second, **changed)(epochs, tmp_path / "c.npz")
    assert len(made(second)(5, tmp_path / "c.npz").epochs["train loss"]) == 5


def test_fewer_epochs_than_done_are_refused(tmp_path):
    made("built")(3, tmp_path / "c.npz")
    assert len(made("built")(3, tmp_path / "c.npz").epochs["train loss"]) == 3
    with pytest.raises(ValueError, match="3 epochs behind it, more than the 2 asked for"): made("built")(2, tmp_path / "c.npz")


def test_a_run_goes_on_with_the_very_objects_that_began_it(tmp_path):
    "Their rate has moved with the schedule, which is no change of options."
    run = made("built")
    run(2, tmp_path / "c.npz")
    assert len(run(4, tmp_path / "c.npz").epochs["train loss"]) == 4


@pytest.mark.parametrize("name", ["acc", "valid f1", "top-1 accuracy", "roc_auc", "mine"])
def test_a_monitor_that_should_rise_is_refused(name):
    "By its own name or that of its function."
    def metric(outputs, y): return 0.5
    if name == "mine": metric = accuracy
    with pytest.raises(ValueError, match="a monitor should fall"):
        fit(*small(), DataLoader(X, Y), (X, Y), epochs=1, metrics={name: metric}, monitor=name, patience=2)


def test_a_monitor_that_falls_is_taken():
    for name in ("1 - accuracy", "error", "score loss", "negative r2"):
        fit(*small(), DataLoader(X, Y), (X, Y), epochs=1, metrics={name: lambda outputs, y: 0.5}, monitor=name, patience=2)


def test_the_twin_names_the_loader_it_got():
    from nnbook.torch import layers
    from nnbook.torch import training as twin
    model = layers.MLP(6, 8, 3, rng=0)
    theirs = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(torch.tensor(X), torch.tensor(Y)))
    with pytest.raises(TypeError, match="a DataLoader of nnbook.training.*got one of torch.utils.data"):
        twin.fit(model, torch.optim.SGD(model.parameters(), lr=0.1), theirs, epochs=1)


# -- not a number

class Exp(Module):
    def forward(self, x): return exp(x)


def broken(says, x=X, y=Y, model=None, lr=0.01, loss=cross_entropy):
    model = model or small()[0]
    with pytest.raises(NonFiniteError, match=says) as caught, np.errstate(all="ignore"):
        fit(model, Adam(model.parameters(), lr=lr), DataLoader(x, y, batch_size=20), epochs=3, loss=loss)
    assert all(np.isfinite(v).all() for v in model.state_dict().values())        # nothing was harmed
    return str(caught.value)


def test_nan_in_the_data_names_row_and_update():
    x = X.copy()
    x[17, 4] = np.nan
    where = int(np.flatnonzero(DataLoader(x, batch_size=20).order(0) == 17)[0])
    said = broken("in row 17 of the training set", x=x, model=small(norm="batch")[0])
    assert said.startswith(f"update {where // 20 + 1} (epoch 0, batch {where // 20})") and f"[{where % 20}, 4]" in said


def test_infinity_in_the_targets_names_the_row():
    y = X[:, :1].copy()
    y[3] = np.inf
    broken("the targets.*in row 3 of", y=y, model=MLP(6, 1, rng=0), loss=mse)


def test_where_a_nan_began():
    broken(r"update 1 .*module '1' \(Exp\), whose inputs are finite", x=1000 * X, model=Sequential(Linear(6, 3, rng=0), Exp()))
    broken(r"update 2 .*began in module", lr=1e30)
    broken("began in the loss: the model's outputs are finite", lr=50.0,
           loss=lambda z, y: -(softmax(z)[np.arange(len(y)), y]).log().mean())
    broken("on the way back, at or after 2.bias", loss=lambda z, y: cross_entropy(z, y) + (z - z).sum()**0.5)
    model, _ = small()
    next(model.parameters()).data[2, 1] = np.nan
    with pytest.raises(NonFiniteError, match=r"began in the weights: 0.weight: 1 of 48 .* at \[2, 1\]"):
        fit(model, Adam(model.parameters()), DataLoader(X, Y), epochs=1)


def test_nan_in_the_validation_data_is_an_error_too():
    x = X.copy()
    x[5, 1] = np.nan
    with pytest.raises(ArithmeticError, match="row 5 of the validation"):
        fit(*small(), DataLoader(X, Y), (x, Y), epochs=1, patience=1)


def test_huge_but_finite_data_are_not_called_nan():
    assert training._is_finite(np.full(100, 1e308)) and not training._is_finite(np.array([1.0, np.inf, -np.inf]))


# -- the checkup

def bad(*arguments, **options): return [s.name for s in checkup(*arguments, **options) if not s.healthy]


def test_the_checkup_changes_nothing():
    model = MLP(6, 8, 3, norm="batch", dropout=0.5, rng=0)
    optimizer, loader = Adam(model.parameters()), DataLoader(X, Y)
    before = copy.deepcopy((model.state_dict(), optimizer.state_dict(), model[3].rng.bit_generator.state))
    checkup(model, optimizer, loader, (X, Y))
    assert same(list(before), [model.state_dict(), optimizer.state_dict(), model[3].rng.bit_generator.state])
    assert loader.epoch == 0 and all(p.grad is None for p in model.parameters())


@pytest.mark.parametrize("load", [breast_cancer, wine, diabetes, digits, mnist1d])
def test_the_checkup_is_quiet_about_healthy_runs(load):
    data = load()
    columns = {str(i): c for i, c in enumerate(data.x.T)}
    n = len(data.train.x)
    x = TableEncoder(list(columns)).fit({k: v[:n] for k, v in columns.items()}).transform(columns) if load is not digits else data.x
    real = data.y.dtype.kind == "f"
    y = ((data.y - data.y.mean()) / data.y.std())[:, None] if real else data.y
    model = MLP(x.shape[1], 64, 64, 1 if real else int(y.max()) + 1, rng=0)
    assert bad(model, Adam(model.parameters(), lr=3e-3), DataLoader(x[:n], y[:n]), (x[n:], y[n:]),
               loss=mse if real else cross_entropy) == []


def test_the_checkup_finds_frozen_and_forgotten_weights():
    model = MLP(6, 8, 3, rng=0)
    model[0].weight.requires_grad = False
    signs = {s.name: s for s in checkup(model, Adam([p for p in model.parameters() if p.requires_grad]), DataLoader(X, Y))}
    assert signs["frozen"].value == pytest.approx(48 / 83) and "gradient" in repr(signs["frozen"])
    dead = Sequential(Linear(6, 8, rng=0), ReLU(), Linear(8, 3, rng=0))
    dead[0].bias.data[...] = -100
    assert "frozen" in bad(dead, Adam(dead.parameters()), DataLoader(X, Y))


@pytest.mark.parametrize("smoothing", [0.1, 0.2, 0.4, 0.6])
def test_the_floor_of_smoothed_labels_is_no_complaint(smoothing):
    signals = mnist1d()
    model = MLP(40, 64, 10, rng=0)
    loss = lambda z, y: cross_entropy(z, y, label_smoothing=smoothing)
    assert bad(model, Adam(model.parameters(), lr=3e-3), DataLoader(signals.train.x, signals.train.y, batch_size=100), loss=loss) == []
    twice = lambda z, y: loss(softmax(z), y)                 # a floor too, which no finite outputs attain
    assert bad(model, Adam(model.parameters(), lr=3e-3), DataLoader(signals.train.x, signals.train.y, batch_size=100), loss=twice) == ["one batch"]


def test_the_checkup_sees_where_the_loss_starts():
    signals = mnist1d()
    def first(scale):
        model = MLP(40, 100, 100, 10, rng=0)
        for p in model.parameters(): p.data *= scale
        signs = checkup(model, Adam(model.parameters(), lr=3e-3), DataLoader(signals.train.x, signals.train.y, batch_size=100))
        return next(s.value for s in signs if s.name == "first loss"), [s.name for s in signs if not s.healthy]
    start = cross_entropy(MLP(40, 100, 100, 10, rng=0)(signals.train.x), signals.train.y).item()
    assert first(1)[0] == pytest.approx(start / math.log(10), rel=0.05) and first(1)[1] == []
    assert first(20)[0] > 1000 and first(20)[1] == ["first loss"] and first(0) == (pytest.approx(1, abs=0.01), ["one batch", "frozen"])


@pytest.mark.parametrize("change", [lambda x: x / 255, lambda x: 255 * x, lambda x: x + 10])
def test_the_checkup_sees_validation_data_of_another_scale(change):
    signals = mnist1d()
    model = MLP(40, 64, 10, rng=0)
    train, held = DataLoader(signals.train.x, signals.train.y, batch_size=100), signals.test
    assert bad(model, Adam(model.parameters(), lr=3e-3), train, (change(held.x), held.y)) == ["validation scale"]
    assert bad(model, Adam(model.parameters(), lr=3e-3), train, (held.x, held.y)) == []


@pytest.mark.parametrize("noise, found", [(0, True), (0.001, True), (0.02, True), (0.5, False)])
def test_the_checkup_sees_near_duplicates_across_a_split(noise, found):
    "Copies with a little noise, of which some went to each side."
    x, y = mnist1d().train.x, mnist1d().train.y
    copies = x[:400] + np.random.default_rng(0).normal(0, noise, x[:400].shape)
    model = MLP(40, 64, 10, rng=0)
    names = bad(model, Adam(model.parameters(), lr=3e-3), DataLoader(x, y, batch_size=100), (copies.astype(np.float32), y[:400]))
    assert names == (["shared rows"] if found else [])


@pytest.mark.parametrize("columns", [1, 2, 3, 4, 8])
def test_dense_rows_of_few_columns_are_no_near_duplicates(columns):
    draw = np.random.default_rng(0)
    x = draw.normal(size=(3000, columns))
    y = (x[:, 0] > 0).astype(int)
    model = MLP(columns, 16, 2, rng=0)
    assert bad(model, Adam(model.parameters(), lr=3e-3), DataLoader(x[:2500], y[:2500]), (x[2500:], y[2500:])) == []


# -- wrong calls: one message of ours, and it names what came

def calls():
    model, optimizer = small()
    loader, net = DataLoader(X, Y), MLP(6, 8, 3, rng=0)
    def fitted(**change):
        call = {"model": model, "optimizer": optimizer, "train": loader, "valid": (X, Y), "epochs": 1} | change
        return lambda: fit(call.pop("model"), call.pop("optimizer"), call.pop("train"), call.pop("valid"), **call)
    nan, inf = float("nan"), float("inf")
    yield from ((f"fit {k} {v!r:.30}", fitted(**{k: v})) for k, v in [
        ("epochs", nan), ("epochs", inf), ("epochs", -1), ("epochs", 2.5), ("epochs", "3"), ("epochs", None), ("epochs", True), ("model", None), ("model", "MLP"),
        ("model", MLP), ("optimizer", None), ("optimizer", Adam), ("optimizer", 0.1), ("train", None), ("train", [X, Y]), ("valid", X), ("valid", (X,)), ("valid", "data"),
        ("valid", (X, Y[:5])), ("valid", (None, None)), ("loss", None), ("loss", "mse"), ("metrics", accuracy), ("metrics", {"a": 1}), ("schedule", 0.1), ("clip", "1"),
        ("patience", 0), ("patience", -2), ("patience", nan), ("patience", 1.5), ("patience", "3"), ("save_every", 0), ("save_every", nan), ("save_every", -1)])
    yield from ((f"DataLoader {a!r:.30} {o}", lambda a=a, o=o: DataLoader(*a, **o)) for a, o in [
        ((None,), {}), ((X, None), {}), ((5,), {}), (([[1, 2], [3]],), {}), ((X,), {"batch_size": nan}), ((X,), {"batch_size": None}), ((X,), {"batch_size": "8"}),
        ((X,), {"seed": -1}), ((X,), {"seed": nan}), ((X,), {"seed": "a"}), ((X,), {"transform": 3})])
    yield from ((f"order {e!r}", lambda e=e: loader.order(e)) for e in (-1, nan, None, "1"))
    yield from ((f"predict {a!r:.40}", lambda a=a: predict(*a)) for a in [(None,), (None, X), (X,), (net,), (net, None), (net, 3.0), (net, X[0, 0]), (net, []), (net, X[:0])])
    yield from ((f"evaluate {a!r:.40}", lambda a=a: evaluate(*a)) for a in [(net, None), (net, X), (net, (X,)), (net, ()), (None, (X, Y)), (net, (X, Y), None), (net, (X, Y), mse, accuracy)])
    yield from ((f"labels {a!r:.40}", lambda a=a: training.labels(a)) for a in [None, "ab", 3, nan, [nan], np.zeros((2, 0)), np.zeros((2, 2, 2)), [[1, 2], [3]], np.array([None])])
    yield from ((f"accuracy {a!r:.40}", lambda a=a: accuracy(*a)) for a in [(None, Y), (Y, None), ("a", "b"), (Y, Y[:3]), ([], []), (Y, np.full(90, nan)), (Y, ["a"] * 90)])
    yield from ((f"checkpoint {a!r:.40}", lambda a=a: save_checkpoint(*a)) for a in [(None, {}), ("x.npz", None), (3, {}), ("x.npz", [1])])
    yield from ((f"load {a!r:.40}", lambda a=a: load_checkpoint(a)) for a in [None, 3, "no-such-file.npz", __file__])
    yield from ((f"find_nonfinite {a!r:.40}", lambda a=a: training.find_nonfinite(*a)) for a in [(None, mse, [X], Y), (net, None, [X], Y), (net, mse, X, Y), (net, mse, None, Y)])
    yield from ((f"checkup {a!r:.40}", lambda a=a: checkup(*a)) for a in [(None, optimizer, loader), (net, None, loader), (net, optimizer, None), (net, optimizer, loader, X),
                                                                       (net, optimizer, loader, "v"), (net, optimizer, loader, None, None), (net, optimizer, DataLoader(X))])
    yield from ((f"History {a!r:.40}", lambda a=a: History().append(*a)) for a in [("step", {}), ("steps", None), (None, {})])
    yield "plot", lambda: History().plot()


@pytest.mark.parametrize("call", [pytest.param(call, id=name) for name, call in calls()])
def test_a_wrong_call_ends_in_a_message_of_ours(call):
    "Raised here and not by NumPy or Python further down."
    with pytest.raises((ValueError, TypeError, FileNotFoundError)) as caught: call()
    last = caught.traceback[-1]
    assert str(last.path).endswith("nnbook/training.py"), (last.path, str(caught.value))
    assert len(str(caught.value)) > 15


def test_no_epochs_are_fine():
    model, optimizer = small()
    assert fit(model, optimizer, DataLoader(X, Y), epochs=0).epochs == {}


# -- the twin

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"     # where the twin trains here


def relay(side, epochs, checkpoint=None, dropout=0.0, **options):
    from nnbook.torch import layers
    from nnbook.torch import training as twin
    built = side == "built"
    model = MLP(6, 8, 3, rng=0, norm="layer", dropout=dropout).to(np.float64) if built else (
        layers.MLP(6, 8, 3, rng=0, norm="layer", dropout=dropout).double())
    optimizer = (AdamW if built else torch.optim.AdamW)(model.parameters(), lr=0.01)
    history = (training if built else twin).fit(
        model, optimizer, DataLoader(X, Y, batch_size=20), (X[:30], Y[:30]), epochs=epochs, clip=0.5,
        schedule=Schedule(optimizer, cosine(30)), metrics={"accuracy": accuracy}, checkpoint=checkpoint, patience=20,
        **options if built else {"device": DEVICE, **options})
    return np.concatenate([np.asarray(p.detach().cpu() if side == "twin" else p.data).ravel() for p in model.parameters()]), history


def close(one, other, tol=1e-10):
    assert np.abs(one[0] - other[0]).max() < tol
    for kind in ("steps", "epochs"):
        for name, values in getattr(one[1], kind).items():
            assert np.allclose(values, getattr(other[1], kind)[name], rtol=0, atol=tol), name


def test_the_twin_trains_alike():
    close(relay("built", 5), relay("twin", 5))


@pytest.mark.parametrize("first", ["built", "twin"])
@pytest.mark.parametrize("second", ["built", "twin"])
def test_one_side_goes_on_where_the_other_stopped(tmp_path, first, second):
    relay(first, 2, tmp_path / "c.npz")
    close(relay(second, 5, tmp_path / "c.npz"), relay("built", 5))


@pytest.mark.parametrize("accumulate", [2, 3, 100])
def test_accumulation_takes_the_step_of_the_whole_batch(accumulate):
    close(relay("twin", 3, accumulate=accumulate), relay("twin", 3))


def test_the_twin_resumes_dropout_bit_for_bit(tmp_path):
    def run(epochs, path=None):
        torch.manual_seed(0)
        return relay("twin", epochs, path, dropout=0.5)[0]
    run(2, tmp_path / "c.npz")
    assert (run(5, tmp_path / "c.npz") == run(5)).all()


def test_mixed_precision_learns():
    history = relay("twin", 10, amp=torch.bfloat16)[1]
    assert history.epochs["train loss"][-1] < 0.95 * history.epochs["train loss"][0]


@pytest.mark.skipif(not (shutil.which("g++") or shutil.which("clang++")), reason="torch.compile needs a compiler")
def test_compiled_or_not():
    close(relay("twin", 2, compile=True), relay("twin", 2))


def test_the_twin_says_where_a_nan_began():
    from nnbook.torch import layers
    from nnbook.torch import training as twin
    model = layers.MLP(6, 8, 3, rng=0)
    run = lambda x, lr: twin.fit(model, torch.optim.SGD(model.parameters(), lr=lr), DataLoader(x, Y, batch_size=20),
                                 epochs=3, device=DEVICE)
    x = X.copy()
    x[9, 0] = np.nan
    with pytest.raises(NonFiniteError, match="in row 9 of the training set"): run(x, 0.01)
    with pytest.raises(NonFiniteError, match=r"update \d .*It began in module '2' \(Linear\)"): run(X, 1e15)


def test_predict_and_evaluate_agree_with_the_built_ones():
    from nnbook.torch import layers
    from nnbook.torch import training as twin
    one, two = MLP(6, 8, 3, rng=0), layers.MLP(6, 8, 3, rng=0)
    assert np.allclose(predict(one, X), twin.predict(two, X), atol=1e-5)
    a, b = (s.evaluate(m, (X, Y), metrics={"accuracy": accuracy}) for s, m in ((training, one), (twin, two)))
    assert a == pytest.approx(b, abs=1e-5)
    assert twin.best_device().type in ("cpu", "cuda", "mps", "xpu")


def test_training_asks_for_nothing_but_numpy():
    code = ("import sys, numpy as np; from nnbook.training import *; from nnbook.layers import MLP; from nnbook.optim import Adam;"
            "m = MLP(2, 2, rng=0); fit(m, Adam(m.parameters()), DataLoader(np.ones((4, 2)), np.zeros(4, int)), epochs=1);"
            "print(sorted({'torch', 'matplotlib', 'tqdm', 'scipy', 'sklearn', 'pandas'} & set(sys.modules)))")
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"


def test_dropout_generators_are_parts_of_a_run():
    model = Sequential(Linear(6, 3, rng=0), Dropout(0.5, rng=1))
    part = training._Generators(model)
    before = part.state_dict()
    first = model[1].draw((5,))
    part.load_state_dict(before)
    assert (model[1].draw((5,)) == first).all() and math.isfinite(first.sum())


@pytest.mark.parametrize("change, error, says", [
    ({"train": (X, Y)}, TypeError, "DataLoader"), ({"patience": 0, "valid": (X, Y)}, ValueError, "patience, in epochs, must be a whole number, 1 or more"),
    ({"patience": 3}, ValueError, "no validation data"), ({"valid": (X[:, :5], Y)}, ValueError, "6 features")])
def test_fit_says_what_is_wrong(change, error, says):
    model, optimizer = small()
    with pytest.raises(error, match=says): fit(model, optimizer, **{"train": DataLoader(X, Y), "epochs": 1, **change})


def test_a_checkpoint_may_go_to_a_folder_that_is_not_there_yet(tmp_path):
    fit(*small(), DataLoader(X, Y), epochs=1, checkpoint=tmp_path / "a" / "b" / "run.npz", save_every=1)
    assert load_checkpoint(tmp_path / "a" / "b" / "run.npz")["epoch"] == 1


def test_an_overflow_on_validation_data_is_an_error():
    with pytest.raises(NonFiniteError, match="after epoch 0 the validation loss is"), np.errstate(all="ignore"):
        fit(*small(), DataLoader(X, Y), (1e38 * X, Y), epochs=1)


def test_a_loader_without_a_seed_has_one_of_its_own():
    a, b = DataLoader(X, seed=None), DataLoader(X, seed=None)
    assert a.seed != b.seed and (a.order(3) == DataLoader(X, seed=a.seed).order(3)).all()


# -- what attacks found

def test_gradients_from_before_do_not_enter_the_first_update():
    (a, one), (b, two) = small(), small()
    cross_entropy(b(X), Y).backward()
    for model, optimizer in ((a, one), (b, two)): fit(model, optimizer, DataLoader(X, Y), epochs=1)
    assert same(a.state_dict(), b.state_dict())


def test_an_optimizer_of_other_parameters_is_refused():
    model, _ = small()
    stranger = Tensor(np.zeros(3), requires_grad=True)
    with pytest.raises(ValueError, match="not in the model"):
        fit(model, Adam([*model.parameters(), stranger]), DataLoader(X, Y), epochs=1)


@pytest.mark.parametrize("clip", [-1, float("nan")])
def test_a_clip_that_is_no_norm_is_refused(clip):
    with pytest.raises(ValueError, match="largest norm"): fit(*small(), DataLoader(X, Y), epochs=1, clip=clip)


@pytest.mark.parametrize("first, second", [({"patience": 5, "valid": (X, Y)}, {}), ({}, {"patience": 5, "valid": (X, Y)}),
                                           ({}, {"valid": (X, Y)})])
def test_a_run_watches_the_same_thing_to_its_end(tmp_path, first, second):
    fit(*small(), DataLoader(X, Y), epochs=1, checkpoint=tmp_path / "c.npz", **first)
    with pytest.raises(ValueError, match="watched|validation"):
        fit(*small(), DataLoader(X, Y), epochs=3, checkpoint=tmp_path / "c.npz", **second)


def test_a_metric_that_is_not_finite_stops_the_run():
    with pytest.raises(NonFiniteError, match="validation q is nan"):
        fit(*small(), DataLoader(X, Y), (X, Y), epochs=2, metrics={"q": lambda o, y: np.nan})
    with pytest.raises(ValueError, match="should fall, and accuracy should rise"):
        fit(*small(), DataLoader(X, Y), (X, Y), epochs=2, metrics={"accuracy": accuracy}, monitor="accuracy", patience=1)


def test_one_logit_models_have_an_accuracy():
    assert accuracy(np.array([[1.0], [-1.0]]), np.array([[1], [0]])) == 1.0
    with pytest.raises(ValueError, match="not whole"): accuracy([0, 1], [0.5, 1.0])


def test_the_checkup_meets_nan_and_zero_losses():
    model, optimizer = small()
    hurt = X.copy()
    hurt[3, 2] = np.nan
    with pytest.raises(NonFiniteError, match="training data"): checkup(model, optimizer, DataLoader(hurt, Y))
    signs = {s.name: s for s in checkup(model, optimizer, DataLoader(X, Y), loss=lambda z, y: cross_entropy(z, y) * np.nan)}
    assert not signs["one batch"].healthy
    signs = {s.name: s for s in checkup(model, optimizer, DataLoader(X, Y), loss=lambda z, y: (z * 0.0).sum())}
    assert signs["one batch"].value == 0
    assert checkup(MLP(6, 4, rng=0), SGD(MLP(6, 4, rng=0).parameters(), lr=0.1), DataLoader(X, np.eye(4)[Y]))


def test_a_diagnosis_that_fails_does_not_hide_the_error():
    class Keeps(Module):
        def __init__(self): self.a = Linear(6, 3, rng=0)
        def forward(self, x):
            self.seen = self.a(x)
            return exp(1000 * self.seen)
    model = Keeps()
    with pytest.raises(NonFiniteError, match="update 1"), np.errstate(all="ignore"):
        fit(model, Adam(model.parameters()), DataLoader(X, Y), epochs=1)


def test_a_mask_of_infinity_is_saved_and_resumed(tmp_path):
    class Masked(Module):
        def __init__(self):
            self.a = Linear(6, 3, rng=0)
            self.register_buffer("mask", np.array([0, 0, -np.inf], "f4"))
        def forward(self, x): return self.a(x)
    for epochs in (1, 3):
        model = Masked()
        fit(model, Adam(model.parameters()), DataLoader(X, Y), (X, Y), epochs=epochs, patience=2, checkpoint=tmp_path / "c.npz")


def test_ruined_weights_do_not_replace_a_good_checkpoint(tmp_path):
    class Ruins(Adam):
        def step(self):
            super().step()
            self.param_groups[0]["params"][0].data[0, 0] = np.nan
    model, good = small()
    fit(model, good, DataLoader(X, Y), epochs=1, checkpoint=tmp_path / "c.npz")
    bad = Ruins(model.parameters(), lr=0.01)
    bad.state_dict = good.state_dict
    bad.load_state_dict = lambda state: None
    with pytest.raises(NonFiniteError, match="checkpoint before it is kept"):
        fit(model, bad, DataLoader(X, Y, batch_size=90, seed=0), epochs=2, checkpoint=tmp_path / "d.npz")
    assert load_checkpoint(tmp_path / "c.npz")["epoch"] == 1 and not (tmp_path / "d.npz").exists()


def test_nan_from_a_transform_is_not_blamed_on_the_data():
    log = lambda x, y, rng: (np.log(np.abs(x) - 0.5), y)
    with pytest.raises(NonFiniteError, match="It began in the transform"), np.errstate(all="ignore"):
        fit(*small(), DataLoader(X, Y, transform=log), epochs=1)


@pytest.mark.parametrize("state, says", [({"a": np.array([1, None], object)}, "a is a ndarray"), ({(1, 2): 3}, "is a dict")])
def test_what_could_not_be_read_is_not_written(tmp_path, state, says):
    save_checkpoint(tmp_path / "c.npz", {"good": 1})
    with pytest.raises(TypeError, match=says): save_checkpoint(tmp_path / "c.npz", state)
    assert load_checkpoint(tmp_path / "c.npz") == {"good": 1}


def test_leftovers_of_killed_processes_go_after_an_hour(tmp_path):
    old, new, other = (tmp_path / n for n in ("c.npz.1-1.part", "c.npz.2-2.part", "d.npz.1-1.part"))
    for part in (old, new, other): part.write_bytes(b"x")
    for part in (old, other): os.utime(part, (0, 0))
    fit(*small(), DataLoader(X, Y), epochs=1, checkpoint=tmp_path / "c.npz")
    assert not old.exists() and new.exists() and other.exists()


def test_the_twin_refuses_another_optimizers_checkpoint(tmp_path):
    from nnbook.torch import layers
    from nnbook.torch import training as twin
    def run(kind):
        model = layers.MLP(6, 8, 3, rng=0)
        twin.fit(model, kind(model.parameters(), lr=0.01), DataLoader(X, Y), epochs=2, device=DEVICE, checkpoint=tmp_path / "c.npz")
    run(torch.optim.Adam)
    with pytest.raises(ValueError, match="made with optimizer Adam, not SGD"): run(torch.optim.SGD)


def test_the_twin_takes_bfloat16_models_and_reversed_arrays(tmp_path):
    from nnbook.torch import layers
    from nnbook.torch import training as twin
    for epochs in (1, 2):
        model = layers.MLP(6, 8, 3, rng=0).bfloat16()
        twin.fit(model, torch.optim.SGD(model.parameters(), lr=0.01), DataLoader(X, Y), (X[::-1], Y[::-1]), epochs=epochs,
                 patience=3, device=DEVICE, checkpoint=tmp_path / "c.npz")


def test_float16_does_not_retry_for_ever():
    from nnbook.torch import layers
    from nnbook.torch import training as twin
    model = layers.MLP(6, 8, 3, rng=0)
    bad = lambda z, y: torch.nn.functional.cross_entropy(z, y) + torch.sqrt((z - z).sum())
    with pytest.raises(NonFiniteError, match="gradient's norm is nan"):
        twin.fit(model, torch.optim.SGD(model.parameters(), lr=0.01), DataLoader(X, Y, batch_size=5), epochs=9, device=DEVICE,
                 loss=bad, amp=torch.float16)


def test_the_twin_says_so_too():
    from nnbook.torch import layers
    from nnbook.torch import training as twin
    model = layers.MLP(6, 8, 3, rng=0)
    run = lambda **change: twin.fit(model, torch.optim.SGD(model.parameters(), lr=0.1), DataLoader(X, Y), device=DEVICE, **change)
    for epochs in (float("nan"), float("inf"), -1, None):
        with pytest.raises(ValueError, match="epochs must be a whole number"): run(epochs=epochs)
    with pytest.raises(TypeError, match="takes a torch.nn.Module first, got NoneType"): twin.predict(None, X)
    with pytest.raises(TypeError, match="loss is a function"): run(epochs=1, loss=None)


# -- exercises

def test_right_answers_in_other_clothes_pass():
    from nnbook.exercises import grade
    def early_stop(losses, patience):
        best = 0
        for epoch, loss in enumerate(losses):
            if loss < losses[best]: best = epoch
            if epoch - best >= patience: break
        return np.array([epoch + 1, best])
    assert grade("training.2", early_stop).status == "passed"
    assert grade("training.7", {"A": "Shrunk", "B": " codes", "C": "APART"}).status == "passed"


def test_a_share_for_points_is_named():
    from nnbook.exercises import grade
    def optimism(right, n):
        draw, found = np.random.default_rng(0), []
        for _ in range(200):
            rows = draw.permutation(right.shape[1])
            chose, judge = (right[:, r].mean(axis=1) for r in (rows[:n], rows[n:]))
            found.append(chose.max() - judge[chose.argmax()])
        return np.mean(found)
    assert "a share" in grade("training.8", ({25: 1.0, 400: 0.1}, optimism)).message


def test_a_nan_between_modules_is_not_laid_on_the_next_one():
    class Between(Module):
        def __init__(self, last):
            self.a, self.b, self.last = Linear(6, 4, rng=0), Linear(4, 3, rng=0), last

        def forward(self, x):
            return exp(1000 * self.b(self.a(x))) if self.last else self.b((0 * self.a(x)).log())

    from nnbook.training import find_nonfinite
    assert "before module 'b' (Linear) and outside any other" in find_nonfinite(Between(False), cross_entropy, [X], Y)
    assert "in module '' (Between), whose inputs are finite" in find_nonfinite(Between(True), cross_entropy, [X], Y)
    holed = X.copy()
    holed[3, 1] = np.nan
    assert "before module 'a' (Linear)" in find_nonfinite(Between(True), cross_entropy, [holed], Y)
