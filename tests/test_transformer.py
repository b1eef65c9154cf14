"What the chapter on transformers promises and a notebook can't test: agreement with code from torch's own parts for any config, causality, counts by formula, bits a byte, errors a reader can act on."

import copy
import inspect
import itertools
import json
import pickle
import threading
from dataclasses import asdict, replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
import wrong_calls
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode
from wrong_calls import complaints, foreign, replaced

from nnbook import optim, transformer
from nnbook.autograd import Tensor, cross_entropy, no_grad
from nnbook.layers import Linear, Module
from nnbook.rnn import CharLM, Vocabulary
from nnbook.torch import transformer as twins
from nnbook.torch.twins import copy_weights, load, save
from nnbook.transformer import (
    GPT,
    Block,
    DecoderBlock,
    EncoderDecoder,
    FeedForward,
    GPTConfig,
    MaskedEncoder,
    bits_per_byte,
    flops_per_token,
    generate,
    mask_tokens,
    n_parameters,
)

few = settings(max_examples=25, deadline=None)
both_forms = pytest.mark.parametrize("plain", [False, True], ids=["fast", "plain"])
precisions = pytest.mark.parametrize("dtype", [np.float64, np.float32], ids=["float64", "float32"])
kinds = pytest.mark.parametrize("kind", [GPT, twins.GPT], ids=["built", "twin"])
SMALL = GPTConfig(11, context_length=8, n_layers=2, n_heads=2, d_model=8)
MODERN = replace(SMALL, n_heads=4, d_model=16, n_kv_heads=2, norm="rms", qk_norm=True, positions="rope", mlp="swiglu", tied=False, bias=False, window=3)


@st.composite
def configs(draw) -> GPTConfig:
    heads, width = draw(st.sampled_from([1, 2, 4])), draw(st.sampled_from([2, 4]))
    pick = lambda *of: draw(st.sampled_from(of))
    return GPTConfig(vocab_size=pick(1, 7), context_length=pick(1, 4, 6), n_layers=pick(1, 2), n_heads=heads, d_model=heads * width, n_kv_heads=pick(*{None, 1, heads}), d_ff=pick(None, 5), norm=pick("layer", "rms"),
                     norm_position=pick("pre", "post"), qk_norm=pick(False, True), positions=pick("learned", "rope", None), mlp=pick("gelu", "relu", "relu2", "swiglu"), tied=pick(True, False),
                     bias=pick(True, False), window=pick(None, None, 1, 3), rope_base=pick(10000.0, 7.0))


def tokens_of(*shape, seed=0, n=11) -> np.ndarray: return np.random.default_rng(seed).integers(0, n, shape)


def scramble(model, seed=0, dtype=np.float64):
    "All its parameters, biases too, at random."
    model, rng = model.to(dtype), np.random.default_rng(seed)
    for p in model.parameters(): p.data[...] = rng.uniform(-0.8, 0.8, p.shape) + 0.7 * (p.ndim == 1)
    return model


def gradients(model, logits, ray) -> dict[str, np.ndarray]:
    "Of each parameter, when this ray arrives at the logits."
    for p in model.parameters(): p.grad = None
    (logits * (ray if isinstance(model, Module) else torch.tensor(ray))).sum().backward()
    return {name: np.zeros(tuple(p.shape)) if p.grad is None else np.asarray(p.grad) for name, p in model.named_parameters()}


def close(a, b, tol=1e-10): assert np.abs(np.asarray(a) - np.asarray(b)).max(initial=0) <= tol * max(1, np.abs(np.asarray(b)).max(initial=0))


# --- the formulas once more, from torch's functions alone

def normed(x, weights, name, kind):
    if kind == "rms": return F.rms_norm(x, x.shape[-1:], weights[f"{name}.weight"], 1e-5)
    return F.layer_norm(x, x.shape[-1:], weights[f"{name}.weight"], weights.get(f"{name}.bias"), 1e-5)


def turned(x, base):
    "Rotary positions by complex numbers: features i and i + d/2 are one."
    T, d = x.shape[-2:]
    angles = torch.arange(T)[:, None] / base ** (torch.arange(d // 2) * 2.0 / d).double()
    z = torch.complex(x[..., : d // 2].contiguous(), x[..., d // 2 :].contiguous()) * torch.polar(torch.ones_like(angles), angles)
    return torch.cat([z.real, z.imag], -1)


def attended(x, weights, name, c, causal=True):
    q, k, v = F.linear(x, weights[f"{name}.in_proj_weight"], weights.get(f"{name}.in_proj_bias")).split([c.d_model, *[(c.n_kv_heads or c.n_heads) * c.head_dim] * 2], -1)
    q, k, v = (a.unflatten(-1, (-1, c.head_dim)).transpose(1, 2) for a in (q, k, v))
    if c.qk_norm: q, k = (normed(a, weights, f"{name}.{n}_norm", "rms") for a, n in ((q, "q"), (k, "k")))
    if c.positions == "rope": q, k = turned(q, c.rope_base), turned(k, c.rope_base)
    k, v = (a.repeat_interleave(c.n_heads // a.shape[1], 1) for a in (k, v))
    T = x.shape[1]
    back = torch.arange(T)[:, None] - torch.arange(T)
    seen = (back >= 0) & (back < (c.window or T)) if causal else torch.ones(T, T, dtype=torch.bool)
    scores = (q @ k.mT / c.head_dim**0.5).masked_fill(~seen, -torch.inf)
    y = (scores.softmax(-1) @ v).transpose(1, 2).flatten(2)
    return F.linear(y, weights[f"{name}.out_proj.weight"], weights.get(f"{name}.out_proj.bias"))


def thought(x, weights, name, c):
    layer = lambda which, x: F.linear(x, weights[f"{name}.{which}.weight"], weights.get(f"{name}.{which}.bias"))
    up = layer("up", x)
    inner = {"gelu": lambda: 0.5 * up * (1 + torch.erf(up / 2**0.5)), "relu": lambda: up.clamp(min=0), "relu2": lambda: up.clamp(min=0) ** 2, "swiglu": lambda: up * (g := layer("gate", x)) * torch.sigmoid(g)}
    return layer("down", inner[c.mlp]())


def reference(c: GPTConfig, weights: dict, tokens, causal=True):
    x = weights["embedding.weight"][tokens]
    if c.positions == "learned": x = x + weights["positions.weight"][: x.shape[1]]
    for i in range(c.n_layers):
        for n, branch in ((1, lambda x, at=f"blocks.{i}.attention": attended(x, weights, at, c, causal)), (2, lambda x, at=f"blocks.{i}.mlp": thought(x, weights, at, c))):
            name = f"blocks.{i}.norm{n}"
            x = x + branch(normed(x, weights, name, c.norm)) if c.norm_position == "pre" else normed(x + branch(x), weights, name, c.norm)
    if c.norm_position == "pre": x = normed(x, weights, "norm", c.norm)
    return x @ weights["embedding.weight" if c.tied else "head.weight"].T


def leaves(model) -> dict[str, torch.Tensor]: return {name: torch.tensor(p.data, requires_grad=True) for name, p in model.named_parameters()}


@few
@given(c=configs(), B=st.integers(0, 3), plain=st.booleans(), seed=st.integers(0, 99), T=st.integers(1, 6), masked=st.booleans())
def test_any_config_computes_the_formulas(c, B, plain, seed, T, masked):
    T, causal = min(T, c.context_length), not masked or c.window is not None
    model, tokens = scramble((GPT if causal else MaskedEncoder)(c), seed), tokens_of(B, T, seed=seed, n=c.vocab_size)
    weights = leaves(model)
    logits, theirs = model(tokens, plain=plain), reference(c, weights, torch.tensor(tokens), causal)
    assert logits.shape == (B, T, c.vocab_size) and logits.dtype == np.float64
    close(logits.data, theirs.detach())
    ray = np.random.default_rng(seed).standard_normal(logits.shape)
    found = gradients(model, logits, ray)
    (theirs * torch.tensor(ray)).sum().backward()
    assert set(found) == set(weights)
    for name, grad in found.items(): close(grad, 0 if weights[name].grad is None else weights[name].grad, 1e-9)


@both_forms
@pytest.mark.parametrize("mlp", ["gelu", "relu", "relu2", "swiglu"])
def test_every_choice_of_a_config_is_tried_with_every_other(mlp, plain):
    tokens = tokens_of(2, 5)
    for norm, norm_position, positions, qk_norm, kv in itertools.product(["layer", "rms"], ["pre", "post"], ["learned", "rope", None], [False, True], [None, 1]):
        c = replace(SMALL, n_layers=1, mlp=mlp, norm=norm, norm_position=norm_position, positions=positions, qk_norm=qk_norm, n_kv_heads=kv, bias=kv is None, window=None if qk_norm else 3)
        model = scramble(GPT(c))
        weights = leaves(model)
        logits, theirs = model(tokens, plain=plain), reference(c, weights, torch.tensor(tokens))
        close(logits.data, theirs.detach())
        ray = np.random.default_rng(1).standard_normal(logits.shape)
        found = gradients(model, logits, ray)
        (theirs * torch.tensor(ray)).sum().backward()
        for name, grad in found.items(): close(grad, 0 if weights[name].grad is None else weights[name].grad, 1e-9)


@few
@given(c=configs(), seed=st.integers(0, 99))
def test_twins_of_one_seed_have_the_same_weights_and_results(c, seed):
    one, two = GPT(c, seed), twins.GPT(c, seed)
    assert list(one.state_dict()) == list(two.state_dict()) and [n for n, _ in one.named_parameters()] == [n for n, _ in two.named_parameters()]
    for name, value in two.state_dict().items(): np.testing.assert_array_equal(value.numpy(), one.state_dict()[name])
    tokens = tokens_of(2, c.context_length, n=c.vocab_size)
    close(two(torch.tensor(tokens)).detach(), one(tokens).data, 1e-4)
    scramble(one, seed)
    copy_weights(one, two.double())
    close(two(torch.tensor(tokens)).detach(), one(tokens).data)


@pytest.mark.parametrize(("norm_position", "mlp"), [("pre", "gelu"), ("post", "relu"), ("pre", "relu"), ("post", "gelu")])
@kinds
def test_torchs_own_layers_give_the_same_logits_and_gradients(kind, norm_position, mlp):
    c = replace(SMALL, norm_position=norm_position, mlp=mlp)
    model = scramble(GPT(c))
    layer = lambda: nn.TransformerEncoderLayer(8, 2, 32, 0.0, getattr(F, mlp), batch_first=True, norm_first=norm_position == "pre", dtype=torch.float64)
    theirs = nn.ModuleDict({"embedding": nn.Embedding(11, 8, dtype=torch.float64), "positions": nn.Embedding(8, 8, dtype=torch.float64), "blocks": nn.ModuleList(layer() for _ in range(2)), "norm": nn.LayerNorm(8, dtype=torch.float64)})
    rename = lambda name: name.replace("attention", "self_attn").replace("mlp.up", "linear1").replace("mlp.down", "linear2")
    theirs.load_state_dict({rename(n): torch.tensor(v) for n, v in model.state_dict().items() if n != "head.weight"} | ({} if norm_position == "pre" else theirs["norm"].state_dict(prefix="norm.")))
    tokens = tokens_of(3, 8)
    x = theirs["embedding"](torch.tensor(tokens)) + theirs["positions"].weight
    for block in theirs["blocks"]: x = block(x, nn.Transformer.generate_square_subsequent_mask(8, dtype=torch.float64), is_causal=True)
    if norm_position == "pre": x = theirs["norm"](x)
    expected = x @ theirs["embedding"].weight.T
    if kind is twins.GPT:
        built, model = model, twins.GPT(c).double()
        copy_weights(built, model)
    logits = model(tokens if kind is GPT else torch.tensor(tokens))
    close(logits.data if kind is GPT else logits.detach(), expected.detach())
    ray = np.random.default_rng(3).standard_normal(expected.shape)
    found = gradients(model, logits, ray)
    (expected * torch.tensor(ray)).sum().backward()
    grads = {n: p.grad for n, p in theirs.named_parameters()}
    for name, grad in found.items(): close(grad, grads[rename(name)], 1e-9)


@kinds
@pytest.mark.parametrize("lengths", [None, [6, 1, 4]])
def test_an_encoder_decoder_is_torchs_transformer_with_post_norm(kind, lengths):
    model = scramble(EncoderDecoder(9, 7, 8, 2, 2, 12), seed=1)
    theirs = nn.Transformer(8, 2, 2, 2, 12, 0.0, batch_first=True, dtype=torch.float64)
    theirs.encoder.norm = theirs.decoder.norm = None
    def rename(name):
        side, _, rest = name.partition(".")
        norms = {"encoder": {}, "decoder": {}}[side]
        number, _, rest = rest.partition(".")
        rest = rest.replace("cross_attention", "multihead_attn").replace("attention", "self_attn").replace("mlp.up", "linear1").replace("mlp.down", "linear2")
        return f"{side}.layers.{number}.{norms.get(rest, rest)}"
    theirs.load_state_dict({rename(n): torch.tensor(v) for n, v in model.state_dict().items() if n.startswith(("encoder", "decoder"))})
    weights = leaves(model)
    source, target = tokens_of(3, 6, n=9), tokens_of(3, 5, seed=1, n=7)
    t = np.arange(6)[:, None] / 10000 ** (np.arange(0, 8, 2) / 8)
    table = torch.tensor(np.stack([np.sin(t), np.cos(t)], -1).reshape(6, 8))
    src, tgt = (weights[f"{w}_embedding.weight"][torch.tensor(ids)] * 8**0.5 + table[: ids.shape[1]] for w, ids in (("src", source), ("tgt", target)))
    padding = None if lengths is None else torch.arange(6) >= torch.tensor(lengths)[:, None]
    expected = theirs(src, tgt, tgt_mask=nn.Transformer.generate_square_subsequent_mask(5, dtype=torch.bool), src_key_padding_mask=padding, memory_key_padding_mask=padding, tgt_is_causal=True) @ weights["tgt_embedding.weight"].T
    if kind is GPT: close(model(source, target, lengths).data, expected.detach())
    else:
        built, model = model, twins.EncoderDecoder(9, 7, 8, 2, 2, 12).double()
        copy_weights(built, model)
        close(model(torch.tensor(source), torch.tensor(target), None if lengths is None else torch.tensor(lengths)).detach(), expected.detach())
    logits = model(source, target, lengths) if kind is GPT else model(torch.tensor(source), torch.tensor(target), None if lengths is None else torch.tensor(lengths))
    ray = np.random.default_rng(3).standard_normal(expected.shape)
    found = gradients(model, logits, ray)
    (expected * torch.tensor(ray)).sum().backward()
    grads = {n: p.grad for n, p in theirs.named_parameters()} | {n: w.grad for n, w in weights.items() if "embedding" in n}
    for name, grad in found.items(): close(grad, grads[name if "embedding" in name else rename(name)], 1e-9)


# --- who sees whom

@few
@given(c=configs(), seed=st.integers(0, 99), plain=st.booleans(), at=st.integers(0, 5))
def test_a_later_token_changes_no_earlier_logit_and_a_gpt_sees_the_rest(c, seed, plain, at):
    at, model = min(at, c.context_length - 1), scramble(GPT(c), seed)
    tokens = tokens_of(2, c.context_length, seed=seed, n=c.vocab_size)
    other = tokens.copy()
    other[0, at] = (tokens[0, at] + 1) % c.vocab_size
    logits = model(tokens, plain=plain).data
    moved = np.abs(model(other, plain=plain).data - logits).max(-1) / max(1, np.abs(logits).max())
    assert moved[0, :at].max(initial=0) < 1e-12 and moved[1].max() < 1e-12
    if c.vocab_size > 1 and c.d_model > 2: assert moved[0, at] > 1e-9     # a layer norm of width 2 leaves two signs


@both_forms
def test_a_gpt_looks_at_each_earlier_token_a_window_at_as_many_and_an_encoder_at_all(plain):
    reach = lambda model, i: np.abs(model(changed(i), plain=plain).data - model(tokens, plain=plain).data).max(-1)[0] > 1e-9
    tokens = tokens_of(1, 8)
    def changed(i):
        other = tokens.copy()
        other[0, i] = (other[0, i] + 1) % 11
        return other
    one = replace(SMALL, n_layers=1)
    for i in range(8):
        assert reach(scramble(GPT(one)), i).tolist() == [j >= i for j in range(8)]
        assert reach(scramble(GPT(replace(one, window=3))), i).tolist() == [i <= j < i + 3 for j in range(8)]
        assert reach(scramble(GPT(replace(SMALL, window=3))), i).tolist() == [i <= j < i + 5 for j in range(8)], "two layers of a window look back twice as far"
        assert reach(scramble(MaskedEncoder(one)), i).all()


@both_forms
def test_padding_is_not_looked_at(plain):
    encoder, tokens = scramble(MaskedEncoder(SMALL)), tokens_of(2, 8)
    other = tokens.copy()
    other[0, 5:] = (other[0, 5:] + 1) % 11
    a, b = (encoder(t, [5, 8], plain=plain).data for t in (tokens, other))
    close(a[0, :5], b[0, :5], 1e-13)
    close(a[0, :5], encoder(tokens[:1, :5], plain=plain).data[0])
    both = scramble(EncoderDecoder(11, 11, 8, 2, 2))
    a, b = (both(t, tokens_of(2, 6), [5, 8], plain=plain).data for t in (tokens, other))
    close(a, b, 1e-13)
    assert np.abs(both(tokens, tokens_of(2, 6), [6, 8]).data - a).max() > 1e-3


def test_a_decoder_is_causal_and_reads_the_memory():
    both, source, target = scramble(EncoderDecoder(11, 11, 8, 2, 2)), tokens_of(1, 5), tokens_of(1, 6, seed=1)
    base, later, others = both(source, target).data, target.copy(), source.copy()
    later[0, 3], others[0, 4] = (later[0, 3] + 1) % 11, (others[0, 4] + 1) % 11
    moved = np.abs(both(source, later).data - base).max(-1)[0]
    assert moved[:3].max() < 1e-12 and moved[3:].min() > 1e-9
    assert np.abs(both(others, target).data - base).max(-1).min() > 1e-9
    close(both.decode(target, both.encode(source)).data, base)


@pytest.mark.parametrize("c", [SMALL, MODERN], ids=["small", "modern"])
@kinds
def test_sequences_of_a_batch_do_not_meet(kind, c):
    model, tokens = kind(c, 0), tokens_of(5, 8)
    run = lambda t: np.asarray(model(t).data if kind is GPT else model(torch.tensor(t)).detach())
    order = np.random.default_rng(0).permutation(5)
    np.testing.assert_allclose(run(tokens[order]), run(tokens)[order], atol=1e-6)
    np.testing.assert_allclose(run(tokens[2:3]), run(tokens)[2:3], atol=1e-6)
    assert run(tokens[:0]).shape == (0, 8, 11) and run(tokens[:, :0]).shape == (5, 0, 11)
    np.testing.assert_allclose(run(tokens[:, :3]), run(tokens)[:, :3], atol=1e-6)


def test_positions_tell_the_order():
    "Without them the last token of a one-layer model can't tell in which order those before it came."
    tokens = np.array([[3, 1, 4, 5, 9], [5, 1, 3, 4, 9]])
    apart = lambda **what: np.ptp(scramble(GPT(replace(SMALL, n_layers=1, **what)))(tokens).data[:, -1], axis=0).max()
    assert apart(positions=None) < 1e-12 and apart(positions="learned") > 1e-3 and apart(positions="rope") > 1e-3
    assert apart(positions="rope", rope_base=1e12) > 1e-3


# --- initialization

def test_weights_start_with_the_deviations_that_are_promised():
    c = GPTConfig(500, context_length=200, n_layers=8, n_heads=4, d_model=64, mlp="swiglu", tied=False)
    for name, p in GPT(c, 0).named_parameters():
        std = 0.02 / 16**0.5 if name.endswith(("out_proj.weight", "down.weight")) else 0.02
        if p.ndim == 2: assert abs(p.data.std() / std - 1) < 0.04 and abs(p.data.mean()) < 4 * std / p.data.size**0.5, name
        else: assert (p.data == ("norm" in name and name.endswith("weight"))).all(), name


def test_seeds_say_which_weights_and_no_two_parts_share_any():
    a, b, other = (np.concatenate([p.data.ravel() for p in GPT(MODERN, seed).parameters() if p.ndim == 2]) for seed in (0, 0, 1))
    np.testing.assert_array_equal(a, b)
    assert len(np.unique(a)) > 0.999 * len(a) and np.isin(a, other).mean() < 0.01
    for make in (lambda rng: Block(SMALL, rng), lambda rng: FeedForward(SMALL, rng), lambda rng: DecoderBlock(SMALL, rng), lambda rng: EncoderDecoder(9, 9, 8, 2, rng=rng), lambda rng: MaskedEncoder(SMALL, rng)):
        states = [make(seed).state_dict() for seed in (0, 0, 1)]
        assert all(np.array_equal(states[0][n], states[1][n]) for n in states[0]) and any(not np.array_equal(states[0][n], states[2][n]) for n in states[0])


def test_the_first_logits_are_small_and_the_first_loss_is_that_of_chance():
    c, tokens = GPTConfig(65, n_layers=6), tokens_of(4, 128, n=65)
    for change in ({}, {"tied": False}, {"norm": "rms", "mlp": "swiglu", "positions": "rope", "qk_norm": True}, {"mlp": "relu2"}):
        loss = cross_entropy(GPT(replace(c, **change), 0)(tokens[:, :-1]).reshape(-1, 65), tokens[:, 1:].ravel())
        assert abs(loss.item() - np.log(65)) < 0.1


@pytest.mark.parametrize("kind", ["EncoderDecoder", "Block", "DecoderBlock", "FeedForward", "MaskedEncoder"])
def test_other_twins_of_one_seed_have_the_same_weights(kind):
    args = (9, 7, 8, 2, 2) if kind == "EncoderDecoder" else (replace(MODERN, window=None),)
    one, two = (getattr(place, kind)(*args, rng=3) for place in (transformer, twins))
    assert list(one.state_dict()) == list(two.state_dict())
    for name, value in two.state_dict().items(): np.testing.assert_array_equal(value.numpy(), one.state_dict()[name], name)


# --- counts

@few
@given(c=configs())
def test_parameters_by_formula_are_those_that_are_there(c):
    count = sum(p.data.size for p in GPT(c).parameters())
    assert n_parameters(c) == count == sum(p.numel() for p in twins.GPT(c, device="meta").parameters())
    assert type(n_parameters(c)) is int


def test_published_sizes_come_out():
    "GPT-2: 124M, 355M (Radford et al., 2019; counts as published with the weights). LLaMA 7B: 6,738,415,616 (Touvron et al., 2023)."
    gpt2 = GPTConfig(50257, 1024, 12, 12, 768)
    assert n_parameters(gpt2) == 124_439_808 and n_parameters(replace(gpt2, n_layers=24, n_heads=16, d_model=1024)) == 354_823_168
    assert n_parameters(GPTConfig(32000, 2048, 32, 32, 4096, d_ff=11008, norm="rms", positions="rope", mlp="swiglu", tied=False, bias=False)) == 6_738_415_616


@few
@given(c=configs(), B=st.integers(1, 2))
def test_operations_by_formula_are_those_that_are_counted(c, B):
    c = replace(c, window=None)
    model, tokens = twins.GPT(c), torch.tensor(tokens_of(B, c.context_length, n=c.vocab_size))
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter: model(tokens).sum().backward()
    assert counter.get_total_flops() == B * c.context_length * flops_per_token(c)


def test_operations_by_hand():
    c = GPTConfig(50257, 1024, 12, 12, 768)
    matrices = 12 * 12 * 768**2 + 50257 * 768
    assert flops_per_token(c) == 6 * matrices + 12 * 12 * 768 * 1024 and flops_per_token(c, 10) == 6 * matrices + 12 * 12 * 768 * 10
    assert flops_per_token(replace(c, window=16)) == flops_per_token(c, 16) == flops_per_token(replace(c, window=16), 2000) and flops_per_token(replace(c, window=16), 3) == flops_per_token(c, 3)
    assert flops_per_token(replace(c, tied=False, bias=False, norm="rms", positions="rope")) == flops_per_token(c)


# --- writing

@pytest.fixture(scope="module")
def pair():
    one = scramble(GPT(SMALL), 2)
    two = twins.GPT(SMALL).double()
    copy_weights(one, two)
    return one, two


@pytest.mark.parametrize("top_k", [None, 1, 3, 50])
def test_built_and_twin_write_the_same_and_the_seed_says_what(pair, top_k):
    one, two = pair
    text = generate(one, [1, 2, 3], 30, 0.8, top_k, rng=5)
    assert text.shape == (33,) and text.dtype == np.int64 and text[:3].tolist() == [1, 2, 3] and text.min() >= 0 and text.max() < 11
    np.testing.assert_array_equal(twins.generate(two, [1, 2, 3], 30, 0.8, top_k, rng=5), text)
    np.testing.assert_array_equal(generate(one, [1, 2, 3], 30, 0.8, top_k, rng=5), text)
    if top_k != 1: assert not np.array_equal(generate(one, [1, 2, 3], 30, 0.8, top_k, rng=6), text)
    several = generate(one, [[1, 2, 3]] * 4, 30, 0.8, top_k, rng=5)
    assert several.shape == (4, 33) and (top_k == 1 or not np.array_equal(several[0], several[1]))


def test_the_likeliest_token_follows_from_the_last_ones_alone(pair):
    one, found = pair[0], [1, 2, 3]
    for _ in range(20): found.append(int(one(np.array([found[-8:]])).data[0, -1].argmax()))
    assert generate(one, [1, 2, 3], 20, temperature=0).tolist() == found == generate(one, [1, 2, 3], 20, top_k=1, rng=0).tolist()
    long = tokens_of(40)
    assert generate(one, long, 5, temperature=0).tolist()[40:] == generate(one, long[-8:], 5, temperature=0).tolist()[8:]


@pytest.mark.parametrize("temperature, top_k", [(1.0, None), (0.5, None), (2.0, 4), (1.0, 11)])
def test_tokens_are_drawn_as_often_as_the_model_says(pair, temperature, top_k):
    one, n = pair[0], 4000
    logits = one(np.array([[1, 2, 3]])).data[0, -1] / temperature
    if top_k: logits[np.argsort(logits)[:-top_k]] = -np.inf
    p = np.exp(logits - logits.max()) / np.exp(logits - logits.max()).sum()
    drawn = np.bincount(generate(one, np.tile([1, 2, 3], (n, 1)), 1, temperature, top_k, rng=0)[:, -1], minlength=11) / n
    assert np.abs(drawn - p).max() < 4 * (0.25 / n) ** 0.5 and (drawn[p == 0] == 0).all()


def test_writing_leaves_the_model_as_it_was_and_without_dropout():
    model = GPT(replace(SMALL, dropout=0.5), 0)
    model.blocks[0].eval()
    a, b = (generate(model, [1], 9, temperature=0) for _ in range(2))
    np.testing.assert_array_equal(a, b)
    assert model.training and not model.blocks[0].training and model.blocks[1].training and all(p.grad is None for p in model.parameters())


# --- bits

class Pairs:
    "A tokenizer whose tokens are byte 0xC3, byte 0xA9 (together é), 'ab', and the letters a to f."
    pieces = [b"\xc3", b"\xa9", b"ab", *(bytes([c]) for c in b"abcdef")]

    def __len__(self): return len(self.pieces)

    def encode(self, text):
        raw, ids = text.encode(), []
        while raw:
            i = next(i for i, piece in enumerate(self.pieces) if raw.startswith(piece))
            ids, raw = [*ids, i], raw[len(self.pieces[i]) :]
        return np.array(ids, np.int64)

    def decode_bytes(self, ids): return b"".join(self.pieces[i] for i in ids)

    def decode(self, ids): return self.decode_bytes(ids).decode(errors="replace")


def brute(model, ids, stride) -> float:
    "Bits of all tokens but the first, token by token: each in the first window of those at 0, stride, 2 stride, ... that holds it, the last one moved back to end with the text."
    C, n, bits = model.config.context_length, len(ids) - 1, 0.0
    for t in range(n):                                                    # token t + 1 is predicted from those up to t
        start = 0
        while t >= start + C: start += stride
        start = max(0, min(start, n - C))
        logits = model(np.array([ids[start : t + 1]])).data[0, -1].astype(float)
        bits -= (logits[ids[t + 1]] - np.log(np.exp(logits).sum())) / np.log(2)
    return bits


TEXT = "abéfacdeébabcéadféedcba" * 2


@pytest.mark.parametrize("stride", [None, 1, 3, 8])
@pytest.mark.parametrize("text", [TEXT, TEXT[:5], "ab" * 4 + "c", "éa"], ids=["long", "short", "as long as a window", "éa"])
def test_bits_per_byte_is_the_sum_over_tokens_by_bytes(pair, text, stride):
    one, two = pair
    ids, raw = Pairs().encode(text), len(text.encode())
    want = brute(one, ids.tolist(), stride or 4) / (raw - len(Pairs.pieces[ids[0]]))
    assert bits_per_byte(one, Pairs(), text, stride) == pytest.approx(want, rel=1e-10) == twins.bits_per_byte(two, Pairs(), text, stride)


def test_bits_per_byte_counts_every_text_and_every_byte_the_same(pair):
    one, known = pair[0], Vocabulary("abcdefé")
    texts = [TEXT, "abcdefé", "éé"]
    size = lambda text: len(text.encode()) - len(text[0].encode())
    each = [bits_per_byte(one, known, text) for text in texts]
    mean = np.average(each, weights=[size(t) for t in texts])
    assert bits_per_byte(one, known, texts) == pytest.approx(mean) == bits_per_byte(one, known, dict(zip("xyz", texts)))
    assert each[1] == pytest.approx(brute(one, known.encode(texts[1]).tolist(), 4) / size(texts[1]))


def test_a_model_that_knows_nothing_needs_log2_of_the_vocabulary_a_token_at_any_stride():
    model = GPT(SMALL)
    for p in model.parameters(): p.data[...] = 0
    for stride in (None, 1, 5, 8):
        assert bits_per_byte(model, Vocabulary("abcdef"), "abcdef" * 9, stride) == pytest.approx(np.log2(11))
        ids = Pairs().encode(TEXT)
        assert bits_per_byte(model, Pairs(), TEXT, stride) == pytest.approx(np.log2(11) * (len(ids) - 1) / (len(TEXT.encode()) - 2))


def test_many_windows_are_read_in_batches(pair, monkeypatch):
    one, known = pair[0], Vocabulary("abcdefé")
    sizes, run = [], GPT.forward
    monkeypatch.setattr(GPT, "forward", lambda self, tokens, plain=False: sizes.append(tokens.shape) or run(self, tokens, plain))
    found = bits_per_byte(one, known, TEXT * 12)
    assert max(sizes) == (64, 8) and len(sizes) == 3 and found == pytest.approx(brute(one, known.encode(TEXT * 12).tolist(), 4) / (len((TEXT * 12).encode()) - 1))


def test_bits_are_measured_without_dropout_and_the_model_stays_as_it_was():
    model, known = GPT(replace(SMALL, dropout=0.5), 0), Vocabulary("abcdefé")
    assert bits_per_byte(model, known, TEXT) == bits_per_byte(model, known, TEXT) and model.training and all(p.grad is None for p in model.parameters())
    twin = twins.GPT(replace(SMALL, dropout=0.5), 0)
    assert bits_per_byte(model, known, TEXT) == pytest.approx(twins.bits_per_byte(twin, known, TEXT), rel=1e-5) and twin.training


# --- masks for training an encoder

def test_masked_tokens_are_as_many_and_as_mixed_as_promised():
    tokens = tokens_of(400, 100, n=50)
    inputs, targets = mask_tokens(tokens, 50, 51, rng=0)
    chosen = targets != -100
    n = chosen.sum()
    assert np.array_equal(targets[chosen], tokens[chosen]) and np.array_equal(inputs[~chosen], tokens[~chosen])
    assert abs(n / 40000 - 0.15) < 0.008 and abs((inputs[chosen] == 50).sum() / n - 0.8 - 0.1 / 51) < 0.02 and abs((inputs == tokens)[chosen].sum() / n - 0.1 - 0.1 / 51) < 0.02
    again, other = (mask_tokens(tokens, 50, 51, rng=seed)[0] for seed in (0, 1))
    assert np.array_equal(inputs, again) and not np.array_equal(inputs, other)
    assert np.array_equal(mask_tokens(tokens, 50, 51, 0.0, 0)[0], tokens) and (mask_tokens(tokens, 50, 51, 1.0, 0, -1)[1] == tokens).all()
    assert cross_entropy(MaskedEncoder(GPTConfig(51), 0)(inputs[:2]).reshape(-1, 51), targets[:2].ravel(), ignore_index=-100).item() == pytest.approx(np.log(51), abs=0.2)


def test_each_model_learns_what_its_mask_lets_it():
    "A token that is the one before, again: a GPT learns the second of each two, an encoder each that is hidden, an encoder and decoder to copy."
    rng = np.random.default_rng(0)
    def fit(model, loss, steps=150):
        rule = optim.AdamW(model.parameters(), lr=0.01)
        for _ in range(steps):
            rule.zero_grad()
            value = loss()
            value.backward()
            rule.step()
        return value.item()
    def doubled(): return rng.integers(0, 8, (16, 4)).repeat(2, axis=1)   # (16, 8)
    c = GPTConfig(9, context_length=8, n_layers=1, n_heads=2, d_model=16)
    gpt, encoder, both = GPT(c, 0), MaskedEncoder(c, 0), EncoderDecoder(9, 9, 16, 2, 1, rng=0)
    def gpt_loss():
        x = doubled()
        return cross_entropy(gpt(x[:, :-1])[:, ::2].reshape(-1, 9), x[:, 1::2].ravel())
    def encoder_loss():
        x = doubled()
        hidden = x.copy()
        hidden[:, ::2] = 8
        return cross_entropy(encoder(hidden)[:, ::2].reshape(-1, 9), x[:, ::2].ravel())
    def copy_loss():
        x = rng.integers(0, 8, (16, 4))
        return cross_entropy(both(x, np.insert(x[:, :-1], 0, 8, axis=1)).reshape(-1, 9), x.ravel())
    assert fit(gpt, gpt_loss) < 0.3 and fit(encoder, encoder_loss) < 0.3 and fit(both, copy_loss, 300) < 0.3


# --- models as objects

@both_forms
def test_models_convert_copy_pickle_and_run_unrecorded_and_in_threads(plain):
    model, tokens = GPT(SMALL, 0), tokens_of(2, 8)
    y = model(tokens, plain=plain)
    assert y.dtype == np.float32 and y.requires_grad
    with no_grad(): assert not model(tokens, plain=plain).requires_grad
    for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert other.head.weight is other.embedding.weight and other.config == SMALL
        np.testing.assert_array_equal(other(tokens, plain=plain).data, y.data)
        other = other.to(np.float64)
        assert other.head.weight.data is other.embedding.weight.data
        np.testing.assert_allclose(other(tokens, plain=plain).data, y.data, atol=1e-5)
        other.embedding.weight.data[...] = 0
        np.testing.assert_array_equal(model(tokens, plain=plain).data, y.data)
    found = []
    threads = [threading.Thread(target=lambda: found.append(model(tokens, plain=plain).data)) for _ in range(3)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
    for value in found: np.testing.assert_array_equal(value, y.data)


def test_dropout_acts_in_training_on_embeddings_weights_and_branches():
    c, tokens = replace(SMALL, dropout=0.4), tokens_of(2, 8)
    model, same = GPT(c, 0), GPT(replace(c, dropout=0.0), 0)
    a = model(tokens).data
    assert not np.array_equal(a, model(tokens).data) and np.array_equal(GPT(c, 0)(tokens).data, a)
    np.testing.assert_array_equal(model.eval()(tokens).data, same(tokens).data)
    for part in ("dropout", "blocks.0.dropout", "blocks.1.dropout", "blocks.1.attention"):
        one, still = scramble(GPT(c, 0)).eval(), scramble(GPT(c, 0)).eval()
        dict(one.named_modules())[part].training = True
        assert np.abs(one(tokens).data - still(tokens).data).max() > 1e-3, part     # a rounding would not do
    rates = {name: m.dropout if hasattr(m, "num_heads") else m.p for name, m in twins.GPT(c).named_modules() if isinstance(m, nn.Dropout) or hasattr(m, "num_heads")}
    assert set(rates.values()) == {0.4} and len(rates) == 5
    masks = [m.rng for name, m in model.named_modules() if name.endswith("dropout")] + [block.attention._rng for block in model.blocks]
    assert len({tuple(rng.random(3)) for rng in masks}) == 5, "no two share a mask"
    assert not np.array_equal(EncoderDecoder(9, 9, 8, 2, dropout=0.5, rng=0)(tokens % 9, tokens % 9).data, EncoderDecoder(9, 9, 8, 2, rng=0)(tokens % 9, tokens % 9).data)


@pytest.mark.parametrize("model", [lambda: GPT(SMALL, 0), lambda: GPT(replace(MODERN, dropout=0.1), 0), lambda: GPT(replace(SMALL, norm="rms", mlp="relu2", tied=False), 0), lambda: MaskedEncoder(SMALL, 0)])
def test_every_module_is_heard_by_a_hook_which_can_change_what_it_gives(model):
    tokens, tried = tokens_of(2, 8), 0
    for name, _ in model().named_modules():
        one, heard = model().eval(), []
        plain, module = one(tokens, plain=True).data, dict(one.named_modules())[name]
        if type(module).__name__ == "ModuleList": continue
        handle = module.register_forward_hook(lambda m, x, y: heard.append(np.abs(y.data).max()) or y * 1.1)
        changed = one(tokens).data
        assert len(heard) == (2 if name.startswith("blocks") and name.endswith("dropout") else 1), name
        np.testing.assert_allclose(changed, one(tokens, plain=True).data, rtol=1e-4, atol=1e-5)
        if "norm" not in name or "attention" not in name: assert not np.allclose(changed, plain, rtol=1e-5, atol=1e-9), name
        handle.remove()
        np.testing.assert_allclose(one(tokens).data, plain, rtol=1e-4, atol=1e-5)
        tried += 1
    assert tried >= 18


def test_parts_that_were_replaced_are_used():
    class Louder(Linear):
        def forward(self, x): return 2 * super().forward(x)
    for place in ("attention.out_proj", "mlp.up", "mlp.down"):
        model, tokens = GPT(SMALL, 0), tokens_of(2, 8)
        owner, _, name = f"blocks.1.{place}".rpartition(".")
        owner, old = dict(model.named_modules())[owner], model(tokens).data
        other = Louder(*reversed(getattr(owner, name).weight.shape))
        other.load_state_dict(getattr(owner, name).state_dict())
        setattr(owner, name, other)
        assert not np.allclose(model(tokens).data, old, rtol=1e-5), place
        np.testing.assert_allclose(model(tokens).data, model(tokens, plain=True).data, rtol=1e-4, atol=1e-5)


def test_nan_shows():
    "A table row of NaN, as of a token that training broke: it shows where it stands, and other sequences don't suffer."
    for c in (SMALL, MODERN, replace(SMALL, window=2)):
        model = GPT(replace(c, tied=False), 0)
        model.embedding.weight.data[10] = np.nan
        tokens = np.array([[1, 2, 3, 10, 4, 5, 6, 7], [1, 2, 3, 4, 4, 5, 6, 7]])
        assert np.isnan(model(tokens).data[0, 3]).all() and np.isfinite(model(tokens).data[1]).all()
    with pytest.raises(ValueError, match="NaN: the model's training has diverged"): generate(model, [10], 2)


@pytest.mark.parametrize("c", [SMALL, MODERN], ids=["tied", "untied"])
def test_weights_go_both_ways_and_through_a_file(tmp_path, c):
    one, two = GPT(c, 0), twins.GPT(c, 1)
    save(one, tmp_path / "a.safetensors")
    load(two, tmp_path / "a.safetensors")
    tokens = tokens_of(2, 8)
    close(two(torch.tensor(tokens)).detach(), one(tokens).data, 1e-5)
    assert (two.head.weight is two.embedding.weight) == c.tied
    with torch.no_grad(): two.embedding.weight.mul_(2)
    save(two, tmp_path / "b.safetensors")
    load(one, tmp_path / "b.safetensors")
    close(two(torch.tensor(tokens)).detach(), one(tokens).data, 1e-5)
    assert (one.head.weight is one.embedding.weight) == c.tied
    assert sum(p.numel() for p in two.parameters()) == n_parameters(c)


def test_a_step_of_training_keeps_head_and_embedding_one():
    model, tokens = GPT(SMALL, 0), tokens_of(2, 8)
    rule = optim.AdamW(model.parameters(), lr=0.01)
    cross_entropy(model(tokens).reshape(-1, 11), tokens.ravel()).backward()
    rule.step()
    assert model.head.weight is model.embedding.weight and np.array_equal(model.state_dict()["head.weight"], model.state_dict()["embedding.weight"])


def test_configs_are_values():
    assert GPTConfig(**asdict(MODERN)) == MODERN and GPTConfig(**json.loads(json.dumps(asdict(MODERN)))) == MODERN and pickle.loads(pickle.dumps(MODERN)) == MODERN and hash(MODERN) == hash(replace(MODERN))
    with pytest.raises(AttributeError): MODERN.d_model = 3
    assert [GPTConfig(1, d_model=d, n_heads=1, mlp="swiglu").hidden_dim for d in (3, 4, 12, 128, 768)] == [8, 16, 32, 344, 2048] and GPTConfig(1).hidden_dim == 512 and GPTConfig(1, d_ff=7, mlp="swiglu").hidden_dim == 7
    assert repr(GPT(SMALL)).startswith("GPT(vocab_size=11, context_length=8") and "FeedForward('gelu')" in repr(GPT(SMALL))


# --- the twin in torch's world

def trained(model, c, steps=3, **how):
    rule = torch.optim.AdamW(model.parameters(), 0.01, **how)
    tokens = torch.tensor(tokens_of(4, c.context_length, n=c.vocab_size))
    for _ in range(steps):
        rule.zero_grad()
        loss = F.cross_entropy(model(tokens[:, :-1]).flatten(0, 1), tokens[:, 1:].flatten())
        loss.backward()
        rule.step()
    return loss.item()


@pytest.mark.parametrize("c", [SMALL, MODERN, replace(SMALL, norm_position="post", mlp="relu2")], ids=["small", "modern", "post"])
def test_the_twin_compiles_whole_and_trains_as_without(c):
    plain, compiled = twins.GPT(c, 0), twins.GPT(c, 0)
    run = torch.compile(compiled, backend="aot_eager", fullgraph=True)
    assert trained(plain, c) == pytest.approx(trained(run, c), rel=1e-4)
    for p, q in zip(plain.parameters(), compiled.parameters()): torch.testing.assert_close(p, q, rtol=1e-3, atol=1e-4)
    torch._dynamo.reset()


@pytest.mark.parametrize("c", [SMALL, MODERN], ids=["small", "modern"])
def test_the_twin_runs_in_bfloat16(c):
    model, tokens = twins.GPT(c, 0), torch.tensor(tokens_of(2, 8))
    full = model(tokens)
    with torch.autocast("cpu", torch.bfloat16): half = model(tokens)
    assert half.dtype == torch.bfloat16 and (half.float() - full).abs().max() < 0.03 * full.abs().max() + 0.003
    half.float().sum().backward()
    assert all(p.grad.dtype == torch.float32 and p.grad.isfinite().all() for p in model.parameters())
    assert (twins.GPT(c, 0, dtype=torch.bfloat16)(tokens).float() - full).abs().max() < 0.06 * full.abs().max() + 0.006
    assert np.isfinite(twins.bits_per_byte(model.bfloat16(), Vocabulary("abcdef"), "abcdef" * 5)) and twins.generate(model, [1, 2], 3, rng=0).shape == (5,)


def test_torchs_utilities_know_a_tied_head_as_one():
    model = twins.GPT(SMALL, 0)
    flat = nn.utils.parameters_to_vector(model.parameters())
    assert flat.numel() == n_parameters(SMALL)
    nn.utils.vector_to_parameters(flat * 0.5, model.parameters())
    assert model.head.weight is model.embedding.weight
    again = copy.deepcopy(model)
    assert again.head.weight is again.embedding.weight and again.double().head.weight is again.embedding.weight
    trained(model, SMALL, 1)
    norm = nn.utils.clip_grad_norm_(model.parameters(), 1e9)
    assert norm.item() == pytest.approx(sum((p.grad**2).sum().item() for p in {id(p): p for p in model.parameters()}.values()) ** 0.5, rel=1e-5)
    assert model.head.out_features == 11 and model.head.in_features == 8 and twins.GPT(SMALL, device="meta").head.weight.is_meta


# --- errors

MODEL, TWO, ENCODER, BOTH, KNOWN = GPT(SMALL, 0), twins.GPT(SMALL, 0), MaskedEncoder(SMALL, 0), EncoderDecoder(9, 7, 8, 2, 1, rng=0), Vocabulary("abcdef")


@pytest.mark.parametrize(("make", "error", "words"), [
    (lambda: GPTConfig(0), ValueError, "GPTConfig needs vocab_size to be a whole number from 1 on, got 0"), (lambda: GPTConfig(5, window=0), ValueError, "window to be a whole number from 1 on, got 0"), (lambda: GPTConfig(5, n_layers=0), ValueError, "n_layers"),
    (lambda: GPTConfig(5, context_length=1.5), ValueError, "context_length"), (lambda: GPTConfig(5, d_ff=0), ValueError, "d_ff"), (lambda: GPTConfig(5, n_kv_heads=0), ValueError, "n_kv_heads to be a whole number from 1"), (lambda: GPTConfig(5, dropout=1.1), ValueError, "dropout to be a real number from 0 to 1"),
    (lambda: GPTConfig(5, d_model=130), ValueError, "cuts d_model=130 into n_heads=4 equal heads, which does not go; take a multiple of 4, such as 132"), (lambda: GPTConfig(5, n_kv_heads=3), ValueError, "n_kv_heads=3 heads of keys among n_heads=4 heads, which does not go; take a divisor of 4"),
    (lambda: GPTConfig(5, d_model=12, positions="rope"), ValueError, "d_model=12 in 4 heads gives 3, which is odd"), (lambda: GPTConfig(5, norm="batch"), ValueError, "unknown norm 'batch'; choose from 'layer', 'rms'"), (lambda: GPTConfig(5, norm_position="sandwich"), ValueError, "unknown norm_position 'sandwich'; choose from 'pre', 'post'"),
    (lambda: GPTConfig(5, positions="sine"), ValueError, "unknown positions 'sine'; choose from 'learned', 'rope', None"), (lambda: GPTConfig(5, mlp="swish"), ValueError, "unknown mlp 'swish'; choose from 'gelu', 'relu', 'relu2', 'swiglu'"), (lambda: GPTConfig(5, tied=1), TypeError, "tied to be True or False"),
    (lambda: GPTConfig(5, bias=None), TypeError, "bias to be True or False"), (lambda: GPTConfig(5, qk_norm="yes"), TypeError, "qk_norm"), (lambda: GPTConfig(5, rope_base=0), ValueError, "base"), (lambda: GPT(5), TypeError, r"GPT takes a GPTConfig, such as GPTConfig\(vocab_size=65\), got 5"), (lambda: twins.GPT({"vocab_size": 5}), TypeError, "GPT takes a GPTConfig"),
    (lambda: Block(3), TypeError, "Block takes a GPTConfig"), (lambda: FeedForward(None), TypeError, "FeedForward takes a GPTConfig"), (lambda: DecoderBlock(3), TypeError, "DecoderBlock takes a GPTConfig"), (lambda: MaskedEncoder(replace(SMALL, window=2)), ValueError, "looks both ways, and a window only back; got window=2, take None"),
    (lambda: twins.MaskedEncoder(replace(SMALL, window=2)), ValueError, "looks both ways"), (lambda: MODEL(tokens_of(1, 9)), ValueError, r"this GPT reads context_length=8 tokens at once, and got 9; keep the last ones: tokens\[:, -8:\]"), (lambda: TWO(torch.tensor(tokens_of(1, 9))), ValueError, "context_length=8 tokens at once, and got 9"),
    (lambda: MODEL([[3, 11]]), ValueError, "GPT knows the numbers 0 to 10, got 11"), (lambda: MODEL([[3, -1]]), ValueError, "got -1"), (lambda: MODEL([[3.0, 1.0]]), TypeError, "GPT takes whole numbers"), (lambda: MODEL([[True, False]]), TypeError, "whole numbers"), (lambda: MODEL([1, 2]), ValueError, r"add the batch axis: tokens\[None\]"),
    (lambda: MODEL("to be"), TypeError, "encode it first"), (lambda: MODEL([[1]], plain=1), TypeError, "plain to be True or False"), (lambda: ENCODER([[1, 2]], [3]), ValueError, "lengths from 0 to 2"), (lambda: ENCODER(tokens_of(1, 9)), ValueError, "this MaskedEncoder reads context_length=8"),
    (lambda: BOTH([[9]], [[0]]), ValueError, "EncoderDecoder knows the numbers 0 to 8, got 9"), (lambda: BOTH([[0]], [[7]]), ValueError, "knows the numbers 0 to 6, got 7"), (lambda: BOTH([[0]], [[0], [0]]), ValueError, "of one shape"), (lambda: EncoderDecoder(0, 5), ValueError, "src_vocab"), (lambda: EncoderDecoder(5, 5, 10, 4), ValueError, "does not go"),
    (lambda: flops_per_token(SMALL, 0), ValueError, "length"), (lambda: n_parameters(12), TypeError, "n_parameters takes a GPTConfig"), (lambda: generate(MODEL, [], 3), ValueError, "a prompt of one token at least"), (lambda: generate(MODEL, [1], 0), ValueError, "n to be a whole number from 1"), (lambda: generate(MODEL, [1], 3, -1), ValueError, "temperature"),
    (lambda: generate(MODEL, [1], 3, top_k=0), ValueError, "top_k to be a whole number from 1"), (lambda: generate(MODEL, [11], 3), ValueError, "knows the numbers 0 to 10"), (lambda: generate(MODEL, "to be", 3), TypeError, "encode it first"), (lambda: generate(MODEL, [[[1]]], 3), ValueError, r"shape \(B, T\)"),
    (lambda: generate(TWO, [1], 3), TypeError, "takes a GPT, got .*; for a twin there is nnbook.torch.transformer.generate"), (lambda: bits_per_byte(TWO, KNOWN, "abc"), TypeError, "nnbook.torch.transformer.bits_per_byte"), (lambda: twins.generate(MODEL, [1], 3), TypeError, "takes a GPT"), (lambda: generate(CharLM("abc"), [1], 3), TypeError, "takes a GPT, got 'CharLM'"),
    (lambda: bits_per_byte(MODEL, KNOWN, ""), ValueError, "a text of two tokens at least"), (lambda: bits_per_byte(MODEL, KNOWN, "a"), ValueError, "a text of two tokens at least"), (lambda: bits_per_byte(MODEL, KNOWN, []), ValueError, "needs a text, got none"), (lambda: bits_per_byte(MODEL, KNOWN, ["abc", 3]), TypeError, "takes a text, or several, got 3"),
    (lambda: bits_per_byte(MODEL, KNOWN, "abcabc", 0), ValueError, "stride to be a whole number"), (lambda: bits_per_byte(MODEL, KNOWN, "abcabc", 9), ValueError, "stride=9 would pass over tokens; take up to context_length=8"), (lambda: bits_per_byte(MODEL, KNOWN, "abcx"), ValueError, "'x' at place 3"),
    (lambda: bits_per_byte(MODEL, Vocabulary("abcdefghijklm"), "abc"), ValueError, "has 13 tokens, more than the model's vocab_size=11"), (lambda: bits_per_byte(MODEL, "abc", "abc"), TypeError, "a tokenizer"), (lambda: mask_tokens([[1, 2]], 9, 9), ValueError, "mask_token to be a whole number from 0 to 8, got 9"), (lambda: mask_tokens([[1, 2]], 3, 9, ignore_index=2), ValueError, "ignore_index to be a whole number from .* to -1, got 2"), (lambda: mask_tokens([[1, 2]], 3, 9, 1.5), ValueError, "rate"),
])
def test_a_bad_input_is_an_error_for_the_reader(make, error, words):
    with pytest.raises(error, match=words):
        make()


# --- wrong calls: each public name, with each argument in turn replaced by junk, works or ends in one message of ours

def x3(): return np.ones((2, 3, 8), np.float32)


CALLS = {
    "GPTConfig": (lambda: (7, 6, 2, 2, 8, 1, 9, "rms", "post", True, "rope", "swiglu", False, False, 0.1, 2, 100.0),), "FeedForward": (lambda: (SMALL, 0), x3), "Block": (lambda: (SMALL, 0), x3), "GPT": (lambda: (SMALL, 0), lambda: np.ones((2, 3), int)), "MaskedEncoder": (lambda: (SMALL, 0), lambda: np.ones((2, 3), int)),
    "DecoderBlock": (lambda: (SMALL, 0),), "EncoderDecoder": (lambda: (5, 6, 8, 2, 1, 9, 0.1, 0),), "n_parameters": (lambda: (SMALL,),), "flops_per_token": (lambda: (SMALL, 9),), "mask_tokens": (lambda: (np.ones((2, 3), int), 3, 9, 0.2, 0, -1),),
    "generate": (lambda: (MODEL, [1, 2], 3, 0.5, 2, 0),), "bits_per_byte": (lambda: (MODEL, KNOWN, "abc", 3),)}
JUNK = wrong_calls.JUNK | {"module": Linear(2, 2), "torch": torch.ones(2, 2), "Tensor of float64": Tensor(np.ones((2, 3, 8))), "integers of no rows": np.ones((0, 3), int)}
METHODS = {"GPT": (lambda *args: GPT(SMALL, 0)(*args), lambda: (np.ones((2, 3), int), True)), "encoder": (lambda *args: MaskedEncoder(SMALL, 0)(*args), lambda: (np.ones((2, 3), int), [3, 1], False)),
           "block": (lambda *args: Block(SMALL, 0)(*args), lambda: (x3(), [3, 1], True, False)), "decoder block": (lambda *args: DecoderBlock(SMALL, 0)(*args), lambda: (x3(), x3(), [3, 1], False)),
           "both": (lambda *args: EncoderDecoder(9, 9, 8, 2, 1, rng=0)(*args), lambda: (np.ones((2, 3), int), np.ones((2, 4), int), [3, 0], False))}


def test_every_public_name_is_in_the_table():
    assert set(transformer.__all__) == set(CALLS)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", CALLS)
def test_a_wrong_call_ends_in_one_message_of_ours(name):
    args, inputs = (*CALLS[name], None)[:2]
    make = getattr(transformer, name)
    assert len(args()) == len(inspect.signature(make).parameters), "each argument has its turn"
    assert complaints(make, args, inputs, JUNK) == {}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", METHODS)
def test_a_wrong_call_of_a_layer_ends_in_one_message_of_ours(name):
    call, args = METHODS[name]
    call(*args())
    found = {what: foreign(call, *wrong) for what, wrong in replaced(args(), JUNK)}
    assert {what: error for what, error in found.items() if error} == {}
