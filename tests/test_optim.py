"What the chapter on optimizers promises and a notebook can't test: torch's trajectories, exact resumption, no temporaries, and errors a reader can act on."

import tracemalloc

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from nnbook import optim
from nnbook.autograd import Tensor, cross_entropy, linear, relu
from nnbook.optim import SGD, Adagrad, Adam, AdamW, Lion, Muon, RMSprop, Schedule

SHAPES = [(3, 4), (5,), (), (2, 3, 2), (6, 2)]
RULES = [SGD, Adagrad, RMSprop, Adam, AdamW, Lion]
few = settings(max_examples=8, deadline=None)
decay = st.sampled_from([0.0, 0.03])
moment = st.sampled_from([0.0, 0.5, 0.9])


def tensors(shapes=SHAPES, seed=0, dtype=np.float64):
    rng = np.random.default_rng(seed)
    return [Tensor(rng.standard_normal(s).astype(dtype), requires_grad=True) for s in shapes]


def gradients(shapes, seed, steps=100):
    "A fixed sequence of random gradients of very different sizes, some of them exactly zero."
    rng = np.random.default_rng(seed)
    scales = 10.0 ** rng.uniform(-4, 2, len(shapes))
    return [[np.asarray(rng.standard_normal(s) * c * (rng.random(s) > 0.1)) for s, c in zip(shapes, scales)] for _ in range(steps)]


def distance(a, b):
    return max(np.linalg.norm(x - y) / max(np.linalg.norm(y), 1) for x, y in zip(a, b))


def same_path(ours, theirs, seed, shapes=SHAPES, steps=100, tol=1e-10):
    "100 steps with the same gradients from the same start; the worst distance on the way."
    mine = tensors(shapes, seed)
    yours = [torch.tensor(p.data.copy(), requires_grad=True) for p in mine]
    a, b = ours(mine), theirs(yours)
    for step in gradients(shapes, seed, steps):
        for p, q, g in zip(mine, yours, step):
            p.grad, q.grad = g.copy(), torch.tensor(g)
        a.step(), b.step()
        assert distance([p.data for p in mine], [q.detach().numpy() for q in yours]) < tol
    return a, b


# --- the same trajectories as torch.optim

@few
@given(st.integers(0, 99), moment, decay, st.sampled_from([0.0, 0.3]), st.booleans())
def test_sgd_goes_torchs_way(seed, momentum, weight_decay, dampening, nesterov):
    o = dict(lr=0.01, momentum=momentum, weight_decay=weight_decay, dampening=dampening, nesterov=nesterov)
    if nesterov: o |= dict(dampening=0.0, momentum=momentum or 0.7)
    same_path(lambda p: SGD(p, **o), lambda p: torch.optim.SGD(p, **o), seed)


@few
@given(st.integers(0, 99), decay, st.sampled_from([0.0, 0.1]), st.sampled_from([0.0, 0.5]))
def test_adagrad_goes_torchs_way(seed, weight_decay, lr_decay, start):
    o = dict(lr=0.05, weight_decay=weight_decay, lr_decay=lr_decay, initial_accumulator_value=start)
    same_path(lambda p: Adagrad(p, **o), lambda p: torch.optim.Adagrad(p, **o), seed)


@few
@given(st.integers(0, 99), moment, decay, st.booleans(), st.sampled_from([0.9, 0.99]))
def test_rmsprop_goes_torchs_way(seed, momentum, weight_decay, centered, alpha):
    o = dict(lr=0.01, momentum=momentum, weight_decay=weight_decay, centered=centered, alpha=alpha)
    same_path(lambda p: RMSprop(p, **o), lambda p: torch.optim.RMSprop(p, **o), seed)


@few
@given(st.integers(0, 99), st.booleans(), decay, st.sampled_from([(0.9, 0.999), (0.0, 0.9), (0.95, 0.95)]), st.booleans())
def test_adam_and_adamw_go_torchs_way(seed, amsgrad, weight_decay, betas, decoupled):
    o = dict(lr=0.02, betas=betas, weight_decay=weight_decay, amsgrad=amsgrad)
    ours, theirs = (AdamW, torch.optim.AdamW) if decoupled else (Adam, torch.optim.Adam)
    same_path(lambda p: ours(p, **o), lambda p: theirs(p, **o), seed)


@few
@given(st.integers(0, 99), decay, st.booleans(), st.sampled_from([None, "original", "match_rms_adamw"]))
def test_muon_goes_torchs_way_in_float64(seed, weight_decay, nesterov, scale):
    "torch casts to bfloat16 inside its iteration, which has 8 bits; with that cast undone, all the rest must agree."
    o = dict(lr=0.02, weight_decay=weight_decay, nesterov=nesterov, adjust_lr_fn=scale, momentum=0.9)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.Tensor, "bfloat16", lambda self: self.clone())
        same_path(lambda p: Muon(p, **o), lambda p: torch.optim.Muon(p, **o), seed, shapes=[(3, 4), (6, 2), (5, 5)])


def test_muon_is_near_torchs_own_in_bfloat16():
    same_path(lambda p: Muon(p, lr=0.01), lambda p: torch.optim.Muon(p, lr=0.01), 0, shapes=[(8, 16), (16, 4)], steps=10, tol=0.02)


def test_default_options_are_torchs():
    for ours in (SGD, Adagrad, RMSprop, Adam, AdamW, Muon):
        theirs = getattr(torch.optim, ours.__name__)([torch.zeros(2, 2, requires_grad=True)]).defaults
        for option, value in ours(tensors([(2, 2)])).defaults.items():
            assert value == theirs[option], (ours.__name__, option)


def test_training_a_network_goes_torchs_way():
    "Gradients from the two engines this time."
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((40, 5)), rng.integers(0, 3, 40)
    mine = tensors([(7, 5), (7,), (3, 7), (3,)])
    yours = [torch.tensor(p.data.copy(), requires_grad=True) for p in mine]
    a, b = AdamW(mine, lr=0.01), torch.optim.AdamW(yours, lr=0.01)
    for _ in range(100):
        a.zero_grad(), b.zero_grad()
        cross_entropy(linear(relu(linear(Tensor(x), *mine[:2])), *mine[2:]), y).backward()
        h = torch.relu(torch.nn.functional.linear(torch.tensor(x), *yours[:2]))
        torch.nn.functional.cross_entropy(torch.nn.functional.linear(h, *yours[2:]), torch.tensor(y)).backward()
        a.step(), b.step()
    assert distance([p.data for p in mine], [q.detach().numpy() for q in yours]) < 1e-10


def test_lion_follows_the_published_rule():
    p, o = tensors([(4, 3)])[0], dict(lr=0.03, betas=(0.9, 0.99), weight_decay=0.1)
    x, m = p.data.copy(), np.zeros((4, 3))
    opt = Lion([p], **o)
    for (g,) in gradients([(4, 3)], 1):
        p.grad = g
        opt.step()
        x = x - 0.03 * (np.sign(0.9 * m + 0.1 * g) + 0.1 * x)      # Chen et al., program 1
        m = 0.99 * m + 0.01 * g
        assert np.allclose(p.data, x, atol=1e-12)


@few
@given(st.integers(0, 99), st.tuples(st.integers(1, 12), st.integers(1, 12)))
def test_orthogonalize_brings_singular_values_near_one(seed, shape):
    G = np.random.default_rng(seed).standard_normal(shape)
    G *= 10.0 ** (seed % 7 - 3)
    u, s, vt = np.linalg.svd(G, full_matrices=False)
    got = optim.orthogonalize(G, steps=12)
    turned = u.T @ got @ vt.T
    assert np.allclose(turned, np.diag(np.diag(turned)), atol=1e-6)           # same singular vectors
    if s[-1] > 0.01 * np.linalg.norm(G): assert np.all((np.diag(turned) > 0.6) & (np.diag(turned) < 1.3))


# --- groups, blocks, memory

def test_groups_have_their_own_options():
    a, b, c = tensors([(3,), (3,), (3,)])
    opt = SGD([{"params": [a]}, {"params": b, "lr": 1.0}], lr=0.1)
    opt.add_param_group({"params": [c], "lr": 0.0})
    before = [p.data.copy() for p in (a, b, c)]
    for p in (a, b, c): p.grad = np.ones(3)
    opt.step()
    assert [round(float((x - p.data)[0]), 12) for x, p in zip(before, (a, b, c))] == [0.1, 1.0, 0.0]


@pytest.mark.parametrize("rule", RULES)
def test_blocks_and_layout_do_not_matter(rule, monkeypatch):
    "One block, many blocks, and a transposed array take the same steps; the arrays stay the same objects."
    ends = []
    for block, order in ((1 << 14, "C"), (7, "C"), (7, "F")):
        monkeypatch.setattr(optim, "BLOCK", block)
        p = Tensor(np.array(np.random.default_rng(0).standard_normal((6, 5)), order=order), requires_grad=True)
        array, opt = p.data, rule([p], lr=0.01)
        for (g,) in gradients([(6, 5)], 3, 5):
            p.grad = np.array(g, order="F")
            opt.step()
        assert p.data is array
        ends.append(array.copy())
    assert np.array_equal(ends[0], ends[1]) and np.allclose(ends[0], ends[2], rtol=1e-14)


@pytest.mark.parametrize("rule", [*RULES, Muon])
def test_a_step_makes_no_temporaries(rule):
    p = Tensor(np.zeros((512, 512), np.float32), requires_grad=True)          # 1 MiB
    p.grad = np.ones_like(p.data)
    options = {SGD: dict(momentum=0.9, nesterov=True, weight_decay=0.1), RMSprop: dict(centered=True, momentum=0.9, weight_decay=0.1),
               Adam: dict(amsgrad=True, weight_decay=0.1), Adagrad: dict(weight_decay=0.1)}.get(rule, {})
    opt = rule([p], **options)
    opt.step()
    tracemalloc.start()
    try:
        opt.step()
        peak = tracemalloc.get_traced_memory()[1]
    finally: tracemalloc.stop()
    assert peak < 16_000, f"{rule.__name__} allocated {peak:,} bytes in a step"


@pytest.mark.parametrize("rule", [*RULES, Muon])
def test_a_step_of_a_small_parameter_makes_no_arrays(rule):
    p = Tensor(np.zeros((64, 128), np.float32), requires_grad=True)            # 32 KiB
    p.grad = np.ones_like(p.data)
    opt = rule([p])
    opt.step()
    tracemalloc.start()
    try:
        opt.step()
        peak = tracemalloc.get_traced_memory()[1]
    finally: tracemalloc.stop()
    assert peak < 4_000, f"{rule.__name__} allocated {peak:,} bytes in a step"


def test_parameters_may_get_other_arrays():
    "Scratch follows the parameter's shape and dtype."
    p = tensors([(3, 4)], dtype=np.float32)[0]
    opt = SGD([p], lr=0.1)
    for dtype, shape in ((np.float32, (3, 4)), (np.float64, (3, 4)), (np.float64, (5,))):
        p.data, p.grad = np.ones(shape, dtype), np.ones(shape, dtype)
        opt.step()
        assert np.allclose(p.data, 0.9) and p.data.dtype == dtype


def test_a_rule_must_change_its_memory_in_place():
    class Rebinding(optim.Optimizer):
        def _slots(self, group): return ("m",)

        def _update(self, p, g, memory, o, t, a, b):
            memory["m"] = memory["m"] + g
            p -= o["lr"] * memory["m"]

    p = Tensor(np.zeros(optim.BLOCK + 1), requires_grad=True)
    p.grad = np.ones(optim.BLOCK + 1)
    bad("Rebinding has put a new array into its memory", Rebinding([p], lr=0.1).step)


def test_float32_stays_float32():
    for rule in (*RULES, Muon):
        p = tensors([(4, 4)], dtype=np.float32)[0]
        opt = rule([p], lr=np.float64(0.1))
        p.grad = np.ones((4, 4), np.float32)
        opt.step()
        assert p.dtype == np.float32 and all(v.dtype == np.float32 for k, v in opt.state[p].items() if k != "step")


def test_a_parameter_without_gradient_stays_as_in_torch():
    a, b = tensors([(3,), (3,)])
    before = b.data.copy()
    opt = AdamW([a, b], lr=0.1)
    a.grad = np.ones(3)
    opt.step()
    assert np.array_equal(b.data, before) and b not in opt.state


# --- resuming

@pytest.mark.parametrize("rule", [*RULES, Muon])
def test_resuming_is_exact(rule):
    shapes = [(3, 4), (6, 2)]
    steps = gradients(shapes, 5, 20)
    def run(opt, params, some):
        for step in some:
            for p, g in zip(params, step): p.grad = g
            opt.step()
    whole = tensors(shapes)
    run(rule(whole, lr=0.02), whole, steps)
    half = tensors(shapes)
    first = rule(half, lr=0.02)
    run(first, half, steps[:9])
    saved, resumed = first.state_dict(), [Tensor(p.data.copy(), requires_grad=True) for p in half]
    run(first, half, steps[9:12])                                              # must not change what was saved
    second = rule(resumed, lr=0.5)
    second.load_state_dict(saved)
    run(second, resumed, steps[9:])
    assert all(np.array_equal(p.data, q.data) for p, q in zip(whole, resumed))


@pytest.mark.parametrize("name, options", [("SGD", dict(momentum=0.9)), ("AdamW", dict(amsgrad=True)), ("RMSprop", {}), ("Adagrad", {})])
def test_torchs_state_goes_on_in_ours(name, options):
    mine = tensors()
    yours = [torch.tensor(p.data.copy(), requires_grad=True) for p in mine]
    theirs = getattr(torch.optim, name)(yours, **options)
    steps = gradients(SHAPES, 2, 20)
    for i, step in enumerate(steps):
        if i == 10:
            ours = getattr(optim, name)(mine)
            ours.load_state_dict(theirs.state_dict())
            for p, q in zip(mine, yours): p.data[...] = q.detach().numpy()
        for p, q, g in zip(mine, yours, step): p.grad, q.grad = g.copy(), torch.tensor(g)
        theirs.step()
        if i >= 10: ours.step()
    assert distance([p.data for p in mine], [q.detach().numpy() for q in yours]) < 1e-12


# --- schedules

def torch_rates(make, steps, **options):
    opt = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.3, **options)
    schedule, rates = make(opt), []
    for _ in range(steps):
        rates.append(opt.param_groups[0]["lr"])
        opt.step(), schedule.step()
    return rates


L = torch.optim.lr_scheduler
PAIRS = {
    "constant": (optim.constant(0.5), lambda o: L.ConstantLR(o, 0.5, total_iters=1000)),
    "step": (optim.step_decay(7, 0.3), lambda o: L.StepLR(o, 7, 0.3)),
    "cosine": (optim.cosine(40, floor=0.1), lambda o: L.CosineAnnealingLR(o, 40, eta_min=0.03)),
    "warm-up": (optim.linear_warmup(10, 0.05), lambda o: L.LinearLR(o, 0.05, total_iters=10)),
    "one-cycle": (optim.one_cycle(41), lambda o: L.OneCycleLR(o, 0.3, 41, cycle_momentum=False)),
    "one-cycle, short rise": (optim.one_cycle(41, 0.1, 10.0, 100.0), lambda o: L.OneCycleLR(o, 0.3, 41, pct_start=0.1, div_factor=10.0, final_div_factor=100.0, cycle_momentum=False)),
    "sequence": (optim.sequential([optim.linear_warmup(5, 0.2), optim.cosine(30)], [5]),
                 lambda o: L.SequentialLR(o, [L.LinearLR(o, 0.2, total_iters=5), L.CosineAnnealingLR(o, 30)], [5])),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", PAIRS)
def test_schedules_are_torchs(name):
    ours, theirs = PAIRS[name]
    steps = 35 if name == "sequence" else 40
    opt = SGD(tensors([(1,)]), lr=0.3)
    schedule, rates = Schedule(opt, ours), []
    for _ in range(steps):
        rates.append(opt.param_groups[0]["lr"])
        schedule.step()
    assert np.allclose(rates, torch_rates(theirs, steps), rtol=1e-12, atol=1e-15)


def test_wsd_warms_stays_and_decays():
    f = optim.wsd(100, warmup=10, decay=20)
    values = np.array([f(t) for t in range(101)])
    assert values[0] == 0.01 and np.all(values[10:81] == 1) and values[100] == 0 and np.allclose(np.diff(values[80:]), -0.05)


def test_schedule_resumes_and_keeps_the_groups_apart():
    a, b = tensors([(1,), (1,)])
    opt = SGD([{"params": [a], "lr": 1.0}, {"params": [b], "lr": 0.1}])
    schedule = Schedule(opt, optim.cosine(10))
    for _ in range(4): schedule.step()
    rates = [g["lr"] for g in opt.param_groups]
    other = Schedule(SGD([{"params": [a]}, {"params": [b]}], lr=7.0), optim.cosine(10))
    other.load_state_dict(schedule.state_dict())
    assert [g["lr"] for g in other.optimizer.param_groups] == rates and np.isclose(rates[0] / rates[1], 10)


# --- clipping, range test

@few
@given(st.integers(0, 99), st.sampled_from([0.1, 3.0, 1e6, float("inf")]), st.sampled_from([1.0, 2.0, float("inf")]))
def test_clipping_is_torchs(seed, max_norm, norm_type):
    mine = tensors()
    yours = [torch.tensor(p.data.copy(), requires_grad=True) for p in mine]
    for p, q, g in zip(mine, yours, gradients(SHAPES, seed, 1)[0]): p.grad, q.grad = g.copy(), torch.tensor(g)
    got = optim.clip_grad_norm_(mine, max_norm, norm_type)
    assert np.isclose(got, float(torch.nn.utils.clip_grad_norm_(yours, max_norm, norm_type)), rtol=1e-12)
    assert distance([p.grad for p in mine], [q.grad.numpy() for q in yours]) < 1e-12
    optim.clip_grad_value_(mine, 0.05), torch.nn.utils.clip_grad_value_(yours, 0.05)
    assert distance([p.grad for p in mine], [q.grad.numpy() for q in yours]) < 1e-12


def test_huge_float32_gradients_are_clipped_not_erased():
    p = tensors([(4,)], dtype=np.float32)[0]
    p.grad = np.full(4, 1e25, np.float32)                                      # its square is infinite in float32
    assert np.isclose(optim.clip_grad_norm_([p], 1.0), 2e25) and np.allclose(p.grad, 0.5)


def test_range_test_puts_everything_back():
    p = tensors([(3,)])[0]
    opt = Adam([p], lr=0.123)
    def closure():
        opt.zero_grad()
        loss = (p * p).sum()
        loss.backward()
        return loss
    closure(), opt.step()
    before, memory = p.data.copy(), opt.state_dict()
    rates, losses = optim.lr_range_test(opt, closure, 1e-3, 1e3, 40)
    assert len(rates) == len(losses) < 40 and losses[-1] > 4 * losses.min()
    assert np.array_equal(p.data, before) and opt.param_groups[0]["lr"] == 0.123
    assert np.array_equal(opt.state[p]["exp_avg"], memory["state"][0]["exp_avg"]) and opt.state[p]["step"] == 1


# --- errors

def bad(match, call, kind=ValueError):
    with pytest.raises(kind, match=match): call()


def test_bad_parameters_are_named():
    w, b = tensors([(2, 2), (2,)])
    for rule in (*RULES, Muon):
        bad("no parameters", lambda: rule([]))
        bad("no parameters", lambda: rule(p for p in ()))
        bad("write \\[x\\]", lambda: rule(w), TypeError)
        bad("no Tensor but ndarray", lambda: rule([np.zeros(3)]), TypeError)
        bad("order", lambda: rule({w, b}), TypeError)
        bad("twice", lambda: rule([w, w]))
        bad("int64", lambda: rule([Tensor(np.arange(4).reshape(2, 2))]), TypeError)
        bad("not a leaf", lambda: rule([w * 2]))
        bad("lr must be a number in \\[0, inf\\), got -1", lambda: rule([w], lr=-1))
        bad("lr must be", lambda: rule([w], lr=float("nan")))
        bad("lr must be", lambda: rule([w], lr="fast"))
        bad("has no option 'rate'; its options are lr", lambda: rule([{"params": [w], "rate": 1}]))
    bad("first is no Tensor", lambda: SGD([("first", 3.0)]), TypeError)
    bad("the last is in this optimizer already, as the first", lambda: SGD([("the first", w), ("the last", w)]))
    bad("read-only", lambda: SGD([Tensor(np.broadcast_to(np.zeros(1), (3,)), requires_grad=True)]))
    bad("Muon moves matrices, parameter 1", lambda: Muon([w, b]))
    bad("matrix", lambda: optim.orthogonalize(np.zeros(3)))


def test_bad_options_are_named():
    w = tensors([(2, 2)])
    bad("betas must be two numbers", lambda: Adam(w, betas=(0.9, 1.0)))
    bad("betas must be two numbers", lambda: Adam(w, betas=0.9))
    bad("nesterov needs momentum", lambda: SGD(w, nesterov=True))
    bad("momentum must be", lambda: SGD(w, momentum=1.5))
    bad("adjust_lr_fn", lambda: Muon(w, adjust_lr_fn="mine"))
    bad("total must be a number in \\(0, inf\\), got 0", lambda: optim.cosine(0))
    bad("milestones", lambda: optim.sequential([optim.constant()], [3]))
    bad("the factor of the rate at step 0 must be a number in \\[0, inf\\), got -1.0", lambda: Schedule(SGD(w), lambda t: -1.0))
    opt = SGD(w)
    bad("has no option 'beta'", lambda: opt.add_param_group({"params": tensors([(2,)]), "beta": 1}))


WRONG = [None, "fast", float("nan"), -1, [], (1, 2), np.ones(3), object(), 1j]


def with_gradient(gradient):
    p = tensors([(2, 2)])[0]
    p.grad = gradient
    return p


def wrong_calls():
    "Every public name with what it doesn't take: (label, call)."
    w = lambda: with_gradient(np.ones((2, 2)))
    for rule in (*RULES, Muon, optim.Optimizer):
        for params in (None, "ab", 3, [], [None], [np.ones(3)], {}, {"params": None}, [{"params": []}], [{"lr": 1}], [w(), {"params": [w()]}]):
            yield f"{rule.__name__}({params!r:.30})", lambda rule=rule, params=params: rule(params)
        yield f"{rule.__name__} twice", lambda rule=rule: rule([w()] * 2)
        if rule is optim.Optimizer: continue
        for option in rule([w()]).defaults:
            for x in WRONG:
                if option == "adjust_lr_fn" and x is None or option == "ns_coefficients" and isinstance(x, np.ndarray): continue
                yield f"{rule.__name__} {option}={x!r:.20}", lambda rule=rule, option=option, x=x: rule([w()], **{option: [2.0, x] if option == "betas" else x})
        for g in (1.0, [[1, 1], [1, 1]], w(), np.ones((3, 3)), np.ones((2, 2), complex)):
            yield f"{rule.__name__} step {type(g).__name__}", lambda rule=rule, g=g: rule([with_gradient(g)]).step()
        for saved in (None, 3, [], {}, {"state": {}, "param_groups": None}, {"state": {}, "param_groups": [3]}, rule([w(), w()]).state_dict(), rule([w()]).state_dict() | {"state": {0: 3}}):
            yield f"{rule.__name__} load {saved!r:.30}", lambda rule=rule, saved=saved: rule([w()]).load_state_dict(saved)
        for group in (None, 3, [w()], {}, {"params": None}, {"params": []}, {"params": [w()], "lr": None}, {"params": [w()], 3: 4}):
            yield f"{rule.__name__} add {group!r:.30}", lambda rule=rule, group=group: rule([w()]).add_param_group(group)
    half = optim.constant(0.5)
    for x in WRONG:
        for name, call in {"constant": lambda x: optim.constant(x), "every": lambda x: optim.step_decay(x), "gamma": lambda x: optim.step_decay(3, x), "cosine": lambda x: optim.cosine(x),
                           "floor": lambda x: optim.cosine(3, x), "warm-up": lambda x: optim.linear_warmup(x), "start": lambda x: optim.linear_warmup(3, x), "one-cycle": lambda x: optim.one_cycle(x),
                           "share": lambda x: optim.one_cycle(9, x), "div": lambda x: optim.one_cycle(9, 0.3, x), "final": lambda x: optim.one_cycle(9, 0.3, 25.0, x), "wsd": lambda x: optim.wsd(x, 2, 2),
                           "wsd up": lambda x: optim.wsd(9, x, 2), "wsd down": lambda x: optim.wsd(9, 2, x), "schedules": lambda x: optim.sequential(x, [1]), "milestones": lambda x: optim.sequential([half, half], x),
                           "milestone": lambda x: optim.sequential([half, half], [x]), "orthogonalize": lambda x: optim.orthogonalize(x), "rounds": lambda x: optim.orthogonalize(np.eye(2), x),
                           "Schedule": lambda x: Schedule(x, half), "factor": lambda x: Schedule(SGD([w()]), x), "its value": lambda x: Schedule(SGD([w()]), lambda t: x),
                           "its state": lambda x: Schedule(SGD([w()]), half).load_state_dict(x), "its rates": lambda x: Schedule(SGD([w()]), half).load_state_dict({"t": 1, "base": x}),
                           "clip": lambda x: optim.clip_grad_norm_(x, 1.0), "max_norm": lambda x: optim.clip_grad_norm_([w()], x), "norm_type": lambda x: optim.clip_grad_norm_([w()], 1.0, x),
                           "clip value": lambda x: optim.clip_grad_value_(x, 1.0), "value": lambda x: optim.clip_grad_value_([w()], x), "range test": lambda x: optim.lr_range_test(x, lambda: 1.0),
                           "closure": lambda x: optim.lr_range_test(SGD([w()]), x), **{k: lambda x, k=k: optim.lr_range_test(SGD([w()]), lambda: 1.0, **{k: x}) for k in ("low", "high", "n", "stop")}}.items():
            yield f"{name} {x!r:.20}", lambda call=call, x=x: call(x)


def test_a_wrong_call_of_any_public_name_says_what_was_expected():
    "The message is raised by the module itself, not by NumPy or Python somewhere inside it."
    count = 0
    for label, call in wrong_calls():
        with pytest.raises((ValueError, TypeError)) as caught:
            call()
            pytest.fail(f"{label} passes")
        last = caught.traceback[-1]
        assert str(last.path).endswith("nnbook/optim.py") and "raise" in str(last.statement), f"{label}: {caught.value}"
        count += 1
    assert count > 800


def test_bounds_of_clipping_are_checked():
    "A negative bound would turn all gradients round, NaN would spoil them, and a parameter given twice would be clipped twice."
    p = with_gradient(np.full((2, 2), 3.0))
    for bound in (-1, -0.5, float("nan")):
        bad("max_norm must be a number in \\[0, inf\\]", lambda: optim.clip_grad_norm_([p], bound))
        bad("clip_value must be a number in \\[0, inf\\]", lambda: optim.clip_grad_value_([p], bound))
    bad("parameter 1 is parameter 0 once more", lambda: optim.clip_grad_norm_([p, p], 1.0))
    bad("parameter 1 is parameter 0 once more", lambda: optim.clip_grad_value_([p, p], 1.0))
    assert np.all(p.grad == 3.0)
    assert optim.clip_grad_norm_([p], 0.0) == 6.0 and np.all(p.grad == 0)


def test_a_rejected_group_leaves_the_optimizer_as_it_was():
    a, b = tensors([(2,), (3,)])
    opt = SGD([a])
    bad("no Tensor", lambda: opt.add_param_group({"params": [b, None]}), TypeError)
    opt.add_param_group({"params": [b]})
    assert opt.state_dict()["param_groups"][1]["params"] == [1]


def test_a_schedule_older_than_a_group_is_refused():
    opt = SGD(tensors([(2,)]))
    schedule = Schedule(opt, optim.cosine(10))
    opt.add_param_group({"params": tensors([(2,)])})
    bad("has 2 groups, this schedule was made for 1", schedule.step)
    assert schedule.t == 0


def test_missing_and_broken_gradients_are_named():
    a, b = tensors([(3,), (2, 2)])
    opt = SGD([a, b])
    bad("call loss.backward\\(\\) before step", opt.step)
    bad("no parameter has a gradient", lambda: optim.clip_grad_norm_([a, b], 1.0))
    a.grad, b.grad = np.ones(3), np.ones((3, 2))
    before = a.data.copy()
    bad("parameter 1 has shape \\(2, 2\\), its gradient has \\(3, 2\\)", opt.step)
    assert np.array_equal(a.data, before)
    b.grad = np.array([[1.0, np.nan], [np.inf, 0.0]])
    bad("gradient of parameter 1, shape \\(2, 2\\), holds NaN or infinity in 2 of 4", lambda: optim.clip_grad_norm_([a, b], 1.0, error_if_nonfinite=True))
    bad("gradient of b, shape", lambda: optim.clip_grad_norm_([("a", a), ("b", b)], 1.0, error_if_nonfinite=True))
    assert np.isnan(optim.clip_grad_norm_([a, b], 1.0))


def test_states_of_others_are_refused_whole():
    def used(rule, shapes, **options):
        params = tensors(shapes)
        opt = rule(params, **options)
        for p in params: p.grad = np.ones(p.shape)
        opt.step()
        return opt
    opt = used(Adam, [(3,), (2, 2)])
    before = opt.state_dict()
    bad("state of AdamW, not of Adam", lambda: opt.load_state_dict(used(AdamW, [(3,), (2, 2)]).state_dict()))
    bad("groups of \\[3\\] parameters, Adam has \\[2\\]", lambda: opt.load_state_dict(used(Adam, [(3,)] * 3).state_dict()))
    bad("parameter 1 has shape \\(2, 2\\), this state \\(5,\\): it belongs to another model", lambda: opt.load_state_dict(used(Adam, [(3,), (5,)]).state_dict()))
    theirs = torch.optim.SGD([torch.zeros(3), torch.zeros(2, 2)]).state_dict()
    bad("this is not a state of Adam", lambda: opt.load_state_dict(theirs))
    assert np.array_equal(opt.state_dict()["state"][1]["exp_avg"], before["state"][1]["exp_avg"])
