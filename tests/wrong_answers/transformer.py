"Plausible wrong answers to the exercises of the chapter on transformers; every checker must refuse its own."

SIZE = """def gpt_size(V, T, L, d):
    matrices = {matrices}
    vectors = {vectors}
    n = {n}
    return n, {flops}"""
COUNTED = {"matrices": "12 * d * d", "vectors": "13 * d", "n": "(V + T) * d + L * (matrices + vectors) + 2 * d", "flops": "6 * (L * matrices + V * d) + 12 * L * d * T"}

FORWARD = """from nnbook.activations import gelu
def gpt_logits(tokens, w, n_heads):
    def norm(x, name):
        x = x - x.mean(-1, keepdims=True)
        return x / np.sqrt({variance}) * w[name + ".weight"] + w[name + ".bias"]
    def linear(x, name): return x @ w[name + ".weight"].T + w[name + ".bias"]
    def attention(x, name):
        T, d = x.shape
        rows = x @ w[name + ".in_proj_weight"].T + w[name + ".in_proj_bias"]
        q, k, v = ({heads} for a in np.split(rows, 3, axis=1))
        scores = q @ k.swapaxes(1, 2) / {root}
        scores = {masked}
        p = np.exp(scores - scores.max(axis=-1, keepdims=True))
        p = p / p.sum(axis=-1, keepdims=True)
        return {joined}
    x = {start}
    i = 0
    while f"blocks.{{i}}.norm1.weight" in w:
        b = f"blocks.{{i}}."
        {first}
        {second}
        i += 1
    return {answer}"""
BUILT = {"variance": "(x * x).mean(-1, keepdims=True) + 1e-5", "heads": "a.reshape(T, n_heads, -1).swapaxes(0, 1)", "root": "np.sqrt(d // n_heads)", "masked": "np.where(np.tri(T, dtype=bool), scores, -np.inf)",
         "joined": "linear((p @ v).swapaxes(0, 1).reshape(T, d), name + '.out_proj')", "start": "w['embedding.weight'][tokens] + w['positions.weight'][: len(tokens)]",
         "first": "x = x + attention(norm(x, b + 'norm1'), b + 'attention')", "second": "x = x + linear(gelu(linear(norm(x, b + 'norm2'), b + 'mlp.up')), b + 'mlp.down')", "answer": "norm(x, 'norm') @ w['embedding.weight'].T"}

BACK = """def look_back(x, Wq, Wk, Wv):
    T, d = x.shape
    x = {norm}
    q, k, v = x @ Wq, x @ Wk, x @ Wv
    scores = {scores}
    weights = {weights}
    return {answer}"""
RIGHT = {"norm": "(x - x.mean(axis=1, keepdims=True)) / np.sqrt(x.var(axis=1, keepdims=True) + 1e-5)", "scores": "np.where(np.tri(T, dtype=bool), q @ k.T / np.sqrt(d), -np.inf)",
         "weights": "np.exp(scores - scores.max(axis=1, keepdims=True))", "answer": "weights / weights.sum(axis=1, keepdims=True) @ v"}
OVER_TOKENS = "(x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + 1e-5)"
PLAIN, LATE = "q @ k.T / np.sqrt(d)", "np.exp(scores - scores.max(axis=1, keepdims=True)) * np.tri(T{k})"

REACH = """def reach(logits_of, vocab_size, length):
    ids = {start}
    before = logits_of(ids){at}
    for j in {order}:
        for other in {others}:
            changed = ids.copy()
            changed[0, j] = other
            if {differs}: return {answer}
    return 0"""
FOUND = {"start": "np.arange(length)[None] % vocab_size", "at": "[0, -1]", "order": "range(length)", "others": "range(vocab_size)", "differs": "not np.array_equal(logits_of(changed)[0, -1], before)", "answer": "length - j"}

MASK = """def prefix_mask(prefix, length):
    prompt = {prompt}
    return {answer}"""
UNION = {"prompt": "np.arange(length) < np.asarray(prefix)[:, None]", "answer": "np.tri(length, dtype=bool) | prompt[:, None, None, :]"}

FILL = """from collections import Counter, defaultdict
def fill_in(learned, text):
    between, behind, alone = defaultdict(Counter), defaultdict(Counter), Counter({alone})
    for i, letter in enumerate(learned):
        if i > 0: behind[learned[i - 1]][letter] += 1
        if {inner}: between[{pair}][letter] += 1
    def guess(i):
        counts = {counts}
        return {best}
    return {answer}"""
BETWEEN = {"alone": "learned", "inner": "0 < i < len(learned) - 1", "pair": "learned[i - 1], learned[i + 1]", "counts": "between.get((text[i - 1], text[i + 1])) or behind.get(text[i - 1]) or alone",
           "best": "min(counts, key=lambda letter: (-counts[letter], letter))", "answer": "''.join(guess(i) if letter == '_' else letter for i, letter in enumerate(text))"}

WRONG = {
    "transformer.1": [
        SIZE.format(**COUNTED | {"n": "(2 * V + T) * d + L * (matrices + vectors) + 2 * d"}),                # the table twice
        SIZE.format(**COUNTED | {"n": "V * d + L * (matrices + vectors) + 2 * d"}),                          # no positions
        SIZE.format(**COUNTED | {"n": "(V + T) * d + L * (matrices + vectors)"}),                            # no last norm
        SIZE.format(**COUNTED | {"vectors": "4 * d"}),                                                       # no biases
        SIZE.format(**COUNTED | {"vectors": "9 * d"}),                                                       # no norms
        SIZE.format(**COUNTED | {"vectors": "11 * d", "n": "(V + T) * d + L * (matrices + vectors) + d"}),   # gains alone
        SIZE.format(**COUNTED | {"matrices": "6 * d * d"}),                                                  # an MLP as wide as the stream
        SIZE.format(**COUNTED | {"n": "V * d + L * matrices"}),
        SIZE.format(**COUNTED | {"flops": "6 * n + 12 * L * d * T"}),                                        # looking up costs
        SIZE.format(**COUNTED | {"flops": "2 * (L * matrices + V * d) + 4 * L * d * T"}),                    # forward alone
        SIZE.format(**COUNTED | {"flops": "3 * (L * matrices + V * d) + 6 * L * d * T"}),                    # multiplications alone
        SIZE.format(**COUNTED | {"flops": "6 * L * matrices + 12 * L * d * T"}),                             # no head
        SIZE.format(**COUNTED | {"flops": "6 * (L * matrices + V * d)"}),                                    # nothing compared
        SIZE.format(**COUNTED | {"flops": "6 * (L * matrices + V * d) + 6 * L * d * T"}),
        SIZE.format(**COUNTED | {"flops": "T * (6 * (L * matrices + V * d) + 12 * L * d * T)"}),
        SIZE.format(**COUNTED).replace("return n, 6", "return 6").replace("d * T", "d * T, n"),
        SIZE.format(**COUNTED).replace("return n", "answer = n"),
        "from nnbook.transformer import GPTConfig, n_parameters, flops_per_token\ndef gpt_size(V, T, L, d):\n    c = GPTConfig(V, T, L, 1, d)\n    return n_parameters(c), flops_per_token(c)",
    ],
    "transformer.2": [
        FORWARD.format(**BUILT | {"masked": "scores"}),
        FORWARD.format(**BUILT | {"masked": "np.where(np.tri(T, k=1, dtype=bool), scores, -np.inf)"}),
        FORWARD.format(**BUILT | {"masked": "np.where(np.tri(T, k=-1, dtype=bool), scores, -1e9)"}),
        FORWARD.format(**BUILT | {"root": "np.sqrt(d)"}),
        FORWARD.format(**BUILT | {"root": "1"}),
        FORWARD.format(**BUILT | {"root": "(d // n_heads)"}),
        FORWARD.format(**BUILT | {"variance": "(x * x).sum(-1, keepdims=True) + 1e-5"}),
        FORWARD.format(**BUILT | {"variance": "(x * x).mean(0, keepdims=True) + 1e-5"}),                     # over the tokens
        FORWARD.format(**BUILT | {"heads": "a.reshape(n_heads, T, -1)"}),
        FORWARD.format(**BUILT | {"joined": "linear((p @ v).reshape(T, d), name + '.out_proj')"}),
        FORWARD.format(**BUILT | {"joined": "(p @ v).swapaxes(0, 1).reshape(T, d)"}),                        # heads not mixed
        FORWARD.format(**BUILT | {"start": "w['embedding.weight'][tokens]"}),
        FORWARD.format(**BUILT | {"first": "x = attention(norm(x, b + 'norm1'), b + 'attention')"}),
        FORWARD.format(**BUILT | {"second": "x = linear(gelu(linear(norm(x, b + 'norm2'), b + 'mlp.up')), b + 'mlp.down')"}),
        FORWARD.format(**BUILT | {"first": "x = norm(x + attention(x, b + 'attention'), b + 'norm1')", "second": "x = norm(x + linear(gelu(linear(x, b + 'mlp.up')), b + 'mlp.down'), b + 'norm2')"}),
        FORWARD.format(**BUILT | {"second": "x = x + linear(np.maximum(linear(norm(x, b + 'norm2'), b + 'mlp.up'), 0), b + 'mlp.down')"}),
        FORWARD.format(**BUILT | {"second": "x = x + linear(gelu(linear(x, b + 'mlp.up')), b + 'mlp.down')"}),
        FORWARD.format(**BUILT | {"answer": "x @ w['embedding.weight'].T"}),
        FORWARD.format(**BUILT | {"answer": "(norm(x, 'norm') @ w['embedding.weight'].T)[-1]"}),
        FORWARD.format(**BUILT).replace("i += 1", "i += 1\n        if i == 2: break"),                      # two blocks at most
        "from nnbook.transformer import GPT, GPTConfig\ndef gpt_logits(tokens, w, n_heads):\n    V, d = w['embedding.weight'].shape\n    model = GPT(GPTConfig(V, 8, 1, n_heads, d))\n    return model(tokens[None]).data[0]",
    ],
    "transformer.3": [
        BACK.format(norm=OVER_TOKENS, scores=PLAIN, weights=LATE.format(k=", k=1"), answer=RIGHT["answer"]),    # as it was
        BACK.format(**RIGHT | {"norm": OVER_TOKENS}),
        BACK.format(**RIGHT | {"scores": "np.where(np.tri(T, k=1, dtype=bool), q @ k.T / np.sqrt(d), -np.inf)"}),
        BACK.format(**RIGHT | {"scores": PLAIN, "weights": LATE.format(k="")}),                              # the maximum of all
        BACK.format(**RIGHT | {"scores": PLAIN, "weights": "np.exp(scores) * np.tri(T)"}),                   # overflows
        BACK.format(**RIGHT | {"norm": "x"}),
        BACK.format(**RIGHT | {"norm": "x / np.sqrt(x.var(axis=1, keepdims=True) + 1e-5)"}),
        BACK.format(**RIGHT | {"norm": "(x - x.mean()) / np.sqrt(x.var() + 1e-5)"}),                         # one mean for all
        BACK.format(**RIGHT | {"scores": "np.where(np.tri(T, dtype=bool), q @ k.T, -np.inf)"}),
        BACK.format(**RIGHT | {"scores": "np.where(np.tri(T, k=-1, dtype=bool), q @ k.T / np.sqrt(d), -1e9)"}),
        BACK.format(**RIGHT | {"scores": "np.where(np.tri(T, dtype=bool).T, q @ k.T / np.sqrt(d), -np.inf)"}),
        BACK.format(**RIGHT | {"scores": PLAIN, "answer": "(weights / weights.sum(axis=1, keepdims=True) * np.tri(T)) @ v"}),
        BACK.format(**RIGHT | {"weights": "np.exp(scores - scores.max())"}),                                 # one maximum
        BACK.format(**RIGHT | {"answer": "weights @ v"}),
    ],
    "transformer.4": [
        REACH.format(**FOUND | {"answer": "length - 1 - j"}),
        REACH.format(**FOUND | {"answer": "j"}),
        REACH.format(**FOUND | {"order": "reversed(range(length))"}),                                        # the latest that counts
        REACH.format(**FOUND | {"at": "[0]", "differs": "not np.array_equal(logits_of(changed)[0], before)"}),   # any position
        REACH.format(**FOUND | {"at": "[0, 0]", "differs": "not np.array_equal(logits_of(changed)[0, 0], before)"}),
        REACH.format(**FOUND | {"differs": "not np.allclose(logits_of(changed)[0, -1], before)"}),           # too rough
        REACH.format(**FOUND | {"others": "[(ids[0, j] + 1) % vocab_size]"}),                                # one other token
        REACH.format(**FOUND | {"others": "[(ids[0, j] + 2) % vocab_size]"}),
        REACH.format(**FOUND | {"others": "range(2)"}),
        REACH.format(**FOUND | {"others": "range(vocab_size + 1)"}),                                         # a token too many
        "def reach(logits_of, vocab_size, length):\n    ids = np.arange(length)[None] % vocab_size\n    before = logits_of(ids)[0, -1]\n    return sum(any(not np.array_equal(logits_of(np.where(np.arange(length) == j, o, ids))[0, -1], before)"
        " for o in range(vocab_size)) for j in range(length))",                                              # how many, not how far
        "def reach(logits_of, vocab_size, length): return length",
    ],
    "transformer.5": [
        MASK.format(**UNION | {"answer": "np.tri(length, dtype=bool) | prompt[:, None, :, None]"}),          # rows of the prompt
        MASK.format(**UNION | {"answer": "~(np.tri(length, dtype=bool) | prompt[:, None, None, :])"}),
        MASK.format(**UNION | {"answer": "np.tri(length, dtype=bool) & prompt[:, None, None, :]"}),
        MASK.format(**UNION | {"answer": "np.tri(length, dtype=bool) | prompt[:, None, :]"}),                # no axis for the heads
        MASK.format(**UNION | {"answer": "(np.tri(length, dtype=bool) | prompt[:, None, None, :]).swapaxes(2, 3)"}),
        MASK.format(**UNION | {"answer": "(np.tri(length, dtype=bool) | prompt[:, None, None, :]).astype(float)"}),
        MASK.format(**UNION | {"answer": "np.broadcast_to(np.tri(length, dtype=bool), (len(prefix), 1, length, length))"}),
        MASK.format(**UNION | {"answer": "np.broadcast_to(prompt[:, None, None, :], (len(prefix), 1, length, length))"}),
        MASK.format(**UNION | {"answer": "np.ones((len(prefix), 1, length, length), bool)"}),
        MASK.format(**UNION | {"answer": "np.tri(length, dtype=bool) | (prompt[:, None, None, :] & prompt[:, None, :, None])"}).replace("np.tri(length, dtype=bool) |", "np.tri(length, k=-1, dtype=bool) |"),
        MASK.format(**UNION | {"prompt": "np.arange(length) <= np.asarray(prefix)[:, None]"}),
        MASK.format(**UNION | {"prompt": "np.arange(length) < np.asarray(prefix)[:, None] - 1"}),
        MASK.format(**UNION | {"answer": "(np.tri(length, dtype=bool) | prompt[:, None, None, :])[:1].repeat(len(prefix), 0)"}),
    ],
    "transformer.6": [
        FILL.format(**BETWEEN | {"counts": "behind.get(text[i - 1]) or alone"}),                             # looks back alone
        FILL.format(**BETWEEN | {"pair": "learned[i + 1], learned[i - 1]"}),                                 # the pair the wrong way round
        FILL.format(**BETWEEN | {"counts": "between.get((text[i - 1], text[i + 1])) or alone"}),
        FILL.format(**BETWEEN | {"counts": "between[text[i - 1], text[i + 1]] + behind[text[i - 1]] or alone"}),   # both together
        FILL.format(**BETWEEN | {"counts": "between.get((text[i - 1], text[i + 1])) or behind.get(text[i - 1]) or Counter('e')"}),
        FILL.format(**BETWEEN | {"best": "max(counts, key=lambda letter: (counts[letter], letter))"}),       # of equals the last
        FILL.format(**BETWEEN | {"best": "min(counts)"}),
        FILL.format(**BETWEEN | {"best": "min(counts, key=lambda letter: (counts[letter], letter))"}),       # the rarest
        FILL.format(**BETWEEN | {"answer": "''.join(guess(i) for i, letter in enumerate(text) if letter == '_')"}),   # the letters alone
        FILL.format(**BETWEEN | {"answer": "[guess(i) if letter == '_' else letter for i, letter in enumerate(text)]"}),
        FILL.format(**BETWEEN | {"answer": "''.join(guess(i) if 0 < i < len(text) - 1 else letter for i, letter in enumerate(text))"}),   # changes all
        "def fill_in(learned, text): return text.replace('_', max(set(learned), key=learned.count))",
        "def fill_in(learned, text): return text",
    ],
}
