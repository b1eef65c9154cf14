# %%
#| hide
#| export checkers.transformer
import numpy as np

from nnbook.exercises import Mismatch, checker, expect, own_work
from nnbook.streams import stream

_READY, _PAGE = ("nnbook.transformer", "nnbook.attention", "nnbook.layers", "nnbook.kernels", "nnbook.torch", "torch"), {"plain_norm", "plain_block", "plain_gpt", "influence", "n_parameters", "flops_per_token", "fresh", "small"}

def _called(function, *given):
    "What the reader's function makes of copies of arrays; they must stay as they were."
    own = [{k: v.copy() for k, v in a.items()} if isinstance(a, dict) else a.copy() if isinstance(a, np.ndarray) else a for a in given]
    got = function(*own)
    if got is None: raise Mismatch("your function gives back None; is a `return` missing?")
    for a, b in zip(given, own):
        same = all(np.array_equal(a[k], b.get(k)) for k in a) if isinstance(a, dict) else not isinstance(a, np.ndarray) or np.array_equal(a, b)
        expect(same, True, "your function changed an array that it was given to read")
    return got

def _slip(got, want, mistakes: dict, where: str) -> None:
    "Raise Mismatch, naming the mistake whose result this is, or the first difference."
    array = np.asarray(got) if isinstance(got, (np.ndarray, np.generic, list, tuple, int, float)) else getattr(got, "data", got)
    same = lambda a, b: np.shape(a) == np.shape(b) and np.allclose(a, b, rtol=1e-6, atol=1e-7, equal_nan=True)
    if isinstance(array, np.ndarray) and array.dtype.kind in "biuf" and not same(array, want):
        for mistake, wrong in mistakes.items():
            if same(array, wrong) and not same(wrong, want): raise Mismatch(f"{where}: {mistake}")
    expect(array, want, where)

def _size(V, T, L, d, tables=1, positions=True, biases=True, norms=True, last=True, looked_up=0, lost=0, six=6, pairs=12, head=True, inside=4) -> tuple:
    matrices, vectors = 4 * d * d + 2 * inside * d * d, biases * (5 + inside) * d + norms * 4 * d
    n = L * (matrices + vectors) + (tables * V + positions * T) * d + last * 2 * d
    return n - lost, six * (L * matrices + (head + looked_up) * V * d) + pairs * L * d * T

@checker("transformer.1")
def _(gpt_size):
    own_work(gpt_size, _READY, _PAGE)
    for sizes in ((11, 8, 2, 4), (65, 64, 1, 8), (300, 32, 3, 48), (50257, 1024, 12, 768), (50257, 1024, 48, 1600)):
        got, want, where = _called(gpt_size, *sizes), _size(*sizes), f"gpt_size{sizes}"
        if not isinstance(got, (tuple, list, np.ndarray)) or len(got) != 2: raise Mismatch("return two numbers: the parameters, and the operations a token")
        if tuple(got) == want[::-1]: raise Mismatch(f"{where}: the two numbers have changed places")
        V, T, L, d = sizes
        _slip(got[0], want[0], {"embedding and head are one table, and count once": _size(*sizes, tables=2)[0], "where is the table of positions?": _size(*sizes, positions=False)[0], "the biases are missing": _size(*sizes, biases=False)[0],
                                "the norms of the blocks are missing": _size(*sizes, norms=False)[0], "there is one more norm, behind the last block": _size(*sizes, last=False)[0], "a norm has a gain *and* a shift": want[0] - (2 * L + 1) * d,
                                "all norms are missing": _size(*sizes, norms=False, last=False)[0], "this is the rule of thumb; every bias and norm counts here": 12 * L * d * d + V * d,
                                "how many layers are there?": _size(V, T, 1, d)[0], "how wide is the MLP inside?": _size(*sizes, inside=1)[0], "the table of tokens is missing": want[0] - V * d}, f"{where}, parameters")
        _slip(got[1], want[1], {"a token is looked up in a table without a multiplication": 6 * (want[0]) + 12 * L * d * T, "looking a token up is no product": _size(*sizes, looked_up=1)[1], "these are the operations of the pass forward": want[1] / 3,
                                "multiplications *and* additions count": want[1] / 2, "the head is a product, too": _size(*sizes, head=False)[1], "tokens are compared, too": _size(*sizes, pairs=0)[1], "comparing tokens: scores *and* the mean of the values": _size(*sizes, pairs=6)[1],
                                "comparing tokens, too, has a way back": _size(*sizes, pairs=4)[1], "one token takes so many; this is for a whole context": want[1] * T, "biases and norms are no matrix products": 6 * (want[0] - T * d) + 12 * L * d * T}, f"{where}, operations")


# %%
#| hide
#| export checkers.transformer
def _logits(tokens, w, h, causal=True, scale=None, norm_first=True, eps=1e-5, positions=True, last=True, residual=(True, True), act="erf", order="heads", biases=True, layers=None, second=True) -> np.ndarray:
    "A GPT's logits, or what a usual mistake makes of them."
    from math import erf
    def norm(x, name):
        x = x - x.mean(-1, keepdims=True)
        return x / np.sqrt((x * x).mean(-1, keepdims=True) + eps) * w[name + ".weight"] + w[name + ".bias"]
    def gelu(x):
        if act == "relu": return np.maximum(x, 0)
        return x * (0.5 * (1 + np.vectorize(erf)(x / 2**0.5)) if act == "erf" else 0.5 * (1 + np.tanh((2 / np.pi)**0.5 * (x + 0.044715 * x**3))))
    def attention(x, name):
        T, d = x.shape
        rows = x @ w[name + ".in_proj_weight"].T + biases * w[name + ".in_proj_bias"]
        if order == "interleaved": q, k, v = (a.swapaxes(0, 1) for a in np.split(rows.reshape(T, h, -1), 3, axis=2))
        else: q, k, v = ((a.reshape(T, h, -1).swapaxes(0, 1) if order == "heads" else a.reshape(h, T, -1)) for a in np.split(rows, 3, axis=1))
        z = q @ k.swapaxes(1, 2) * (scale(d, h) if scale else (d // h)**-0.5)
        z = np.where(np.tri(T, dtype=bool), z, -np.inf) if causal else z
        p = np.exp(z - z.max(-1, keepdims=True))
        y = p / p.sum(-1, keepdims=True) @ v
        y = y.swapaxes(0, 1).reshape(T, d) if order != "reshaped" else y.reshape(T, d)
        return y @ w[name + ".out_proj.weight"].T + biases * w[name + ".out_proj.bias"]
    x, i = w["embedding.weight"][tokens], 0
    if positions: x = x + w["positions.weight"][: len(tokens)]
    while f"blocks.{i}.norm1.weight" in w and i < (layers or 99):
        b = f"blocks.{i}."
        mlp = lambda x: gelu(x @ w[b + "mlp.up.weight"].T + biases * w[b + "mlp.up.bias"]) @ w[b + "mlp.down.weight"].T + biases * w[b + "mlp.down.bias"]
        if norm_first:
            x = residual[0] * x + attention(norm(x, b + "norm1"), b + "attention")
            x = residual[1] * x + mlp(norm(x, b + "norm2") if second else x)
        else:
            x = norm(x + attention(x, b + "attention"), b + "norm1")
            x = norm(x + mlp(x), b + "norm2")
        i += 1
    return (norm(x, "norm") if last else x) @ w["embedding.weight"].T

_FORWARD = {"it looks ahead: earlier logits depend on later tokens": dict(causal=False), "by what are scores divided? How wide is a head?": dict(scale=lambda d, h: d**-0.5), "are the scores divided by the root of a head's width?": dict(scale=lambda d, h: 1.0),
            "scores are divided by the *root* of a head's width": dict(scale=lambda d, h: h / d), "the norms stand before the branches": dict(norm_first=False), "where are the positions?": dict(positions=False), "there is a norm behind the last block": dict(last=False),
            "what attention returns is *added* to the stream": dict(residual=(False, True)), "what the MLP returns is *added* to the stream": dict(residual=(True, False)), "both branches *add* to the stream": dict(residual=(False, False)),
            "this GELU is the one with tanh; the model has the exact one": dict(act="tanh"), "the nonlinearity is a GELU": dict(act="relu"), "in_proj_weight holds all queries first, then all keys, then all values": dict(order="interleaved"),
            "heads: reshape to (T, h, d_h), and swap axes": dict(order="reshaped"), "the linear layers have biases": dict(biases=False), "there is more than one block": dict(layers=1), "the MLP reads what the second norm returns": dict(second=False)}

def _weights(rng, V, T, L, d, inside) -> dict:
    shapes = {"embedding.weight": (V, d), "positions.weight": (T, d)}
    for i in range(L):
        b = f"blocks.{i}."
        shapes |= {b + "norm1.weight": (d,), b + "norm1.bias": (d,), b + "attention.in_proj_weight": (3 * d, d), b + "attention.in_proj_bias": (3 * d,), b + "attention.out_proj.weight": (d, d), b + "attention.out_proj.bias": (d,),
                   b + "norm2.weight": (d,), b + "norm2.bias": (d,), b + "mlp.up.weight": (inside, d), b + "mlp.up.bias": (inside,), b + "mlp.down.weight": (d, inside), b + "mlp.down.bias": (d,)}
    shapes |= {"norm.weight": (d,), "norm.bias": (d,)}
    w = {name: rng.normal(0, 0.6, shape) for name, shape in shapes.items()}
    return w | {"head.weight": w["embedding.weight"]}

@checker("transformer.2")
def _(gpt_logits):
    own_work(gpt_logits, _READY, _PAGE)
    rng = stream(0, "judge")
    for V, T, L, d, h, n, inside in ((5, 4, 1, 4, 1, 1, 16), (5, 4, 1, 4, 1, 4, 16), (7, 6, 2, 8, 2, 6, 32), (7, 9, 3, 12, 4, 5, 48), (7, 9, 2, 12, 3, 9, 20), (7, 6, 11, 4, 2, 4, 16)):
        w, tokens = _weights(rng, V, T, L, d, inside), rng.integers(0, V, n)
        where = f"{n} tokens, {L} block{'s' * (L > 1)} of width {d} with {h} head{'s' * (h > 1)}" + ("; the MLP is not 4 d wide here" if inside != 4 * d else "")
        _slip(_called(gpt_logits, tokens, w, h), _logits(tokens, w, h), {mistake: _logits(tokens, w, h, **slip) for mistake, slip in _FORWARD.items()}, where)


# %%
#| hide
#| export checkers.transformer
def _back(x, Wq, Wk, Wv, axis=1, ahead=0, top="seen", norm=True, root=True, shift=True) -> np.ndarray:
    T, d = x.shape
    if norm: x = (x - shift * x.mean(axis=axis, keepdims=True)) / np.sqrt(x.var(axis=axis, keepdims=True) + 1e-5)
    z, seen = (x @ Wq) @ (x @ Wk).T / (np.sqrt(d) if root else 1), np.tri(T, k=ahead, dtype=bool)
    if top == "seen": z = np.where(seen, z, -np.inf)
    p = np.exp(z - (z.max(axis=1, keepdims=True) if top else 0)) * seen
    return p / p.sum(axis=1, keepdims=True) @ (x @ Wv)

@checker("transformer.3")
def _(look_back):
    own_work(look_back, _READY, _PAGE)
    rng = stream(3, "judge")
    for what, T, d, size in (("one token", 1, 4, 1.0), ("five tokens", 5, 4, 1.0), ("nine tokens", 9, 6, 1.0), ("large scores", 9, 6, 40.0)):
        x, W = rng.normal(1, 2, (T, d)), rng.normal(0, size, (3, d, d)) / d**0.5
        got, want = _called(look_back, x, *W), _back(x, *W)
        if getattr(got, "shape", None) != want.shape: raise Mismatch(f"{what}: expected an array of shape {want.shape}")
        if np.isnan(got).any(): raise Mismatch(f"{what}: what comes back holds numbers that are none. Of which scores is the maximum taken, and what is left of the others?")
        slips = {"the norm still tells each token of all others": dict(axis=0), "it still sees one token ahead": dict(ahead=1), "the norm tells each token of all others, and it sees one token ahead": dict(axis=0, ahead=1), "a token may look at itself": dict(ahead=-1),
                 "where is the norm?": dict(norm=False), "are the scores divided by the root of d?": dict(root=False), "the norm makes the mean 0, too": dict(shift=False)}
        _slip(got, want, {mistake: _back(x, *W, **slip) for mistake, slip in slips.items()} | {"the softmax is over the keys that a query may see": _all_weights(x, *W)}, what)
        changed = x.copy()
        changed[-1] += rng.normal(0, 3, d)
        if T > 1: expect(np.allclose(_called(look_back, changed, *W)[:-1], got[:-1]), True, f"{what}: earlier rows change when the last token does")

def _all_weights(x, Wq, Wk, Wv) -> np.ndarray:
    "A softmax over all keys, masked behind it."
    x = (x - x.mean(axis=1, keepdims=True)) / np.sqrt(x.var(axis=1, keepdims=True) + 1e-5)
    z = (x @ Wq) @ (x @ Wk).T / np.sqrt(x.shape[1])
    p = np.exp(z - z.max(axis=1, keepdims=True))
    return p / p.sum(axis=1, keepdims=True) * np.tri(len(x)) @ (x @ Wv)


# %%
#| hide
#| export checkers.transformer
def _sees(places, weights=None, kinds=None):
    "A model whose logits at each position depend on the tokens `places` before it; kinds: what of a token it sees."
    def logits_of(ids):
        ids = np.asarray(ids)
        if ids.ndim != 2: raise Mismatch(f"logits_of takes whole numbers of shape (1, length), and was called with shape {ids.shape}")
        if ids.dtype.kind not in "iu": raise Mismatch(f"logits_of takes whole numbers, and was called with {ids.dtype}")
        if ids.min(initial=0) < 0 or ids.max(initial=0) >= 6: raise Mismatch(f"this model has the tokens 0 to 5, and was asked about {ids.min()} to {ids.max()}")
        seen = ids.astype(float) if kinds is None else np.asarray(kinds, float)[ids]
        out = np.zeros((*ids.shape, 6))
        for place, weight in zip(places, weights or [1.0] * len(places)):
            if place < ids.shape[1]: out[:, place:] += (weight * seen[:, : ids.shape[1] - place])[..., None] * np.arange(1, 7)
        return out
    return logits_of

_REACHES = (("sees itself and three before", _sees([0, 1, 2, 3]), 12, 4), ("sees itself alone", _sees([0]), 5, 1), ("sees all", _sees(range(9)), 9, 9), ("sees itself and the sixth before, and nothing between", _sees([0, 6]), 12, 7),
            ("does not see itself, but the token before", _sees([1]), 7, 2), ("takes very little from afar", _sees([0, 5], [1.0, 1e-9]), 9, 6), ("tells no token but 5 from the others", _sees([0, 4], kinds=[0, 0, 0, 0, 0, 1]), 10, 5), ("tells no token but 3 from the others", _sees([0, 4], kinds=[0, 0, 0, 1, 0, 0]), 10, 5),
            ("tells odd tokens from even ones", _sees([0, 3], kinds=[0, 1, 0, 1, 0, 1]), 8, 4), ("sees nothing", _sees([]), 6, 0), ("has one token to see", _sees([0, 1]), 1, 1))

@checker("transformer.4")
def _(reach):
    for what, logits_of, length, want in _REACHES:
        got, where = _called(reach, logits_of, 6, length), f"a model that {what}, {length} tokens"
        if isinstance(got, (tuple, list, np.ndarray)) and np.ndim(got): raise Mismatch("return one number: how many tokens from the earliest that counts to the last")
        if got == want: continue
        if got == want - 1: raise Mismatch(f"{where}: {got} is one too few; is the last token counted?")
        if what.startswith("sees itself and the sixth") and got == 2: raise Mismatch(f"{where}: count from the earliest token that matters to the last, what lies between as well")
        if what.startswith("takes very little") and got == 1: raise Mismatch(f"{where}: the logits change by very little, and they do change")
        if "tells" in what: raise Mismatch(f"{where}: {got}, expected {want}. You may have changed a token into one that it takes for the same")
        if got == length != want: raise Mismatch(f"{where}: you get {got}. Which position's logits should change? Only the last one's")
        expect(got, want, where)


# %%
#| hide
#| export checkers.transformer
@checker("transformer.5")
def _(prefix_mask):
    own_work(prefix_mask, _READY, {"influence"})
    for prefix, length in (([2], 4), ([0], 3), ([3], 3), ([0, 1, 4, 2], 5), ([1], 1), ([5, 3], 6)):
        got, where = _called(prefix_mask, np.array(prefix), length), f"prefix_mask(np.array({prefix}), {length})"
        prompt, tri = np.arange(length) < np.array(prefix)[:, None], np.tri(length, dtype=bool)
        keys, queries, want = prompt[:, None, None, :], prompt[:, None, :, None], tri | prompt[:, None, None, :]
        if not isinstance(got, np.ndarray): raise Mismatch(f"{where}: return an array, got {type(got).__name__}")
        if got.shape != want.shape: raise Mismatch(f"{where}: expected shape {want.shape}, (B, 1, length, length), got {got.shape}")
        if got.dtype != bool: raise Mismatch(f"{where}: the mask should be of true and false (bool), yours is {got.dtype}")
        _slip(got, want, {"rows are queries, columns are keys": np.broadcast_to(want.swapaxes(2, 3), want.shape), "true is where a query *may* look": ~want, "this is a decoder's mask: the prompt is read one way": np.broadcast_to(tri, want.shape),
                          "this is an encoder's mask": np.ones_like(want), "what is behind the prompt can't look at itself and those before": np.broadcast_to(keys, want.shape), "the prompt looks ahead, beyond itself": tri | queries,
                          "what is written should look at the prompt, too": (tri & ~keys) | keys & queries, "a mask that holds for all rows of the batch": np.broadcast_to(want[:1], want.shape), "the prompt is one token longer or shorter than yours": tri | (np.arange(length) < np.array(prefix)[:, None] - 1)[:, None, None, :],
                          "the prompt ends before token number `prefix`": tri | (np.arange(length) <= np.array(prefix)[:, None])[:, None, None, :], "a token may look at itself": np.tri(length, k=-1, dtype=bool) | keys,
                          "each position should see the prompt *or* what came before": tri & keys}, where)
