"Plausible wrong answers to the exercises of the chapter on attention; every checker must refuse its own."

SIZES = """def sizes(embed_dim, num_heads, num_kv_heads, length):
    d_head = {d_head}
    rows = {rows}
    parameters = {parameters}
    return parameters, {cache}"""
COUNTED = {"d_head": "embed_dim // num_heads", "rows": "(num_heads + 2 * num_kv_heads) * d_head", "parameters": "rows * (embed_dim + 1) + embed_dim * (embed_dim + 1)",
           "cache": "2 * num_kv_heads * d_head * length"}

ATTENTION = """def attend(q, k, v, mask):
    group = q.shape[1] // k.shape[1]
    k, v = {share}
    scores = {scores}
    scores = {masked}
    top = {top}
    weights = {weights}
    total = {total}
    return {answer}"""
BUILT = {"share": "np.repeat(k, group, axis=1), np.repeat(v, group, axis=1)", "scores": "q @ k.swapaxes(2, 3) / np.sqrt(q.shape[-1])", "masked": "np.where(mask, scores, -np.inf)",
         "top": "scores.max(axis=-1, keepdims=True)", "weights": "np.exp(scores - np.where(np.isfinite(top), top, 0))", "total": "weights.sum(axis=-1, keepdims=True)",
         "answer": "weights @ v / np.where(total == 0, 1, total)"}

HEADS = """def causal_heads(x, W, h):
    B, T, d = x.shape
    q, k, v = np.split(x @ W.T, 3, axis=2)
    q, k, v = ({cut} for a in (q, k, v))
    scores = {scores}
    p = np.exp(scores - scores.max(axis=3, keepdims=True))
    p = {weights}
    return {join}"""
CAUSAL = {"cut": "a.reshape(B, T, h, d // h).swapaxes(1, 2)", "scores": "np.where(np.tri(T, dtype=bool), q @ k.swapaxes(2, 3) / np.sqrt(d // h), -np.inf)",
          "weights": "p / p.sum(axis=3, keepdims=True)", "join": "(p @ v).swapaxes(1, 2).reshape(B, T, d)"}
LATE = {"scores": "q @ k.swapaxes(2, 3) / np.sqrt(d // h)", "weights": "p / p.sum(axis=3, keepdims=True) * np.tri(T)"}

MERGE = """def merge(a, b):
    m = np.maximum(a[0], b[0])
    finite = np.where(np.isfinite(m), m, 0)
    s_a, s_b = {sums}
    s = {s}
    o = {o}
    return {answer}"""
JOINED = {"sums": "(s * np.exp(m_half - finite) for m_half, s, _ in (a, b))", "s": "s_a + s_b", "o": "(s_a[:, None] * a[2] + s_b[:, None] * b[2]) / np.where(s == 0, 1, s)[:, None]", "answer": "m, s, o"}

WRONG = {
    "attention.1": [
        SIZES.format(**COUNTED | {"parameters": "rows * embed_dim + embed_dim * embed_dim"}),                # no biases
        SIZES.format(**COUNTED | {"parameters": "rows * (embed_dim + 1)"}),                                  # no last projection
        SIZES.format(**COUNTED | {"rows": "3 * num_heads * d_head"}),                                        # nothing shared
        SIZES.format(**COUNTED | {"rows": "3 * num_kv_heads * d_head"}),                                     # queries share, too
        SIZES.format(**COUNTED | {"rows": "(num_heads + num_kv_heads) * d_head"}),                           # keys alone
        SIZES.format(**COUNTED | {"rows": "(2 * num_heads + num_kv_heads) * d_head"}),
        SIZES.format(**COUNTED | {"d_head": "embed_dim"}),
        SIZES.format(**COUNTED | {"cache": "num_kv_heads * d_head * length"}),                               # keys without values
        SIZES.format(**COUNTED | {"cache": "2 * num_heads * d_head * length"}),
        SIZES.format(**COUNTED | {"cache": "2 * num_kv_heads * embed_dim * length"}),
        SIZES.format(**COUNTED | {"cache": "2 * num_kv_heads * d_head"}),                                    # of one token
        SIZES.format(**COUNTED | {"cache": "2 * num_kv_heads * length"}),
        SIZES.format(**COUNTED).replace("return parameters, 2 * num_kv_heads * d_head * length", "return 2 * num_kv_heads * d_head * length, parameters"),
        SIZES.format(**COUNTED).replace(", 2 * num_kv_heads * d_head * length", ""),                         # one number
        SIZES.format(**COUNTED).replace("return", "print("). rstrip() + ")",
    ],
    "attention.2": [
        ATTENTION.format(**BUILT | {"scores": "q @ k.swapaxes(2, 3)"}),
        ATTENTION.format(**BUILT | {"scores": "q @ k.swapaxes(2, 3) / q.shape[-1]"}),
        ATTENTION.format(**BUILT | {"scores": "q @ k.swapaxes(2, 3) / np.sqrt(q.shape[-1] * q.shape[1])"}),  # the width of all heads
        ATTENTION.format(**BUILT | {"scores": "q @ k.swapaxes(2, 3) * np.sqrt(q.shape[-1])"}),
        ATTENTION.format(**BUILT | {"share": "np.tile(k, (1, group, 1, 1)), np.tile(v, (1, group, 1, 1))"}),
        ATTENTION.format(**BUILT | {"share": "k, v"}),                                                       # no groups
        ATTENTION.format(**BUILT | {"masked": "np.where(mask, -np.inf, scores)"}),                           # the other meaning
        ATTENTION.format(**BUILT | {"masked": "scores"}),
        ATTENTION.format(**BUILT | {"masked": "scores * mask"}),
        ATTENTION.format(**BUILT | {"masked": "scores", "answer": "(weights / total * np.broadcast_to(mask, scores.shape)) @ v"}),   # masked after the softmax
        ATTENTION.format(**BUILT | {"masked": "np.where(mask, scores, -1e9)"}),                              # a row of nothing gets a mean
        ATTENTION.format(**BUILT | {"masked": "np.where(mask, scores, -100.0)"}),                            # not far enough down
        ATTENTION.format(**BUILT | {"top": "scores.max(axis=-2, keepdims=True)", "total": "weights.sum(axis=-2, keepdims=True)", "answer": "weights / np.where(total == 0, 1, total) @ v"}),
        ATTENTION.format(**BUILT | {"top": "scores.max(axis=1, keepdims=True)", "total": "weights.sum(axis=1, keepdims=True)", "answer": "weights / np.where(total == 0, 1, total) @ v"}),
        ATTENTION.format(**BUILT | {"weights": "np.exp(scores)"}),                                           # overflows
        ATTENTION.format(**BUILT | {"weights": "np.exp(scores - top)", "answer": "weights @ v / total"}),    # NaN for a row of nothing
        ATTENTION.format(**BUILT | {"top": "scores.max()"}),                                                 # one maximum for all: underflows
        ATTENTION.format(**BUILT | {"answer": "weights @ v"}),
        ATTENTION.format(**BUILT | {"answer": "weights / np.where(total == 0, 1, total)"}),                  # the weights
        ATTENTION.format(**BUILT | {"answer": "(weights @ v / np.where(total == 0, 1, total)).swapaxes(1, 2)"}),
        ATTENTION.format(**BUILT).replace("    scores = q", "    q *= 1.0; q += 1e-3\n    scores = q"),      # writes into its argument
        ATTENTION.format(**BUILT).replace("return", "result ="),
        "from nnbook.attention import scaled_dot_product_attention as ready\ndef attend(q, k, v, mask): return ready(q, k, v, mask, enable_gqa=True).data",
        "import torch\ndef attend(q, k, v, mask): return torch.nn.functional.scaled_dot_product_attention(*map(torch.from_numpy, (q, k, v, mask)), enable_gqa=True).numpy()",
        "import nnbook.kernels as fast\ndef helper(*a): return fast.attention(*a)\ndef attend(*a): return helper(*a).data",
        "import nnbook\ndef attend(q, k, v, mask): return nnbook.attention.scaled_dot_product_attention(q, k, v, mask, enable_gqa=True).data",
    ],
    "attention.3": [
        HEADS.format(**CAUSAL | LATE | {"cut": "a.reshape(B, h, T, d // h)", "join": "(p @ v).reshape(B, T, d)"}),   # the one shown
        HEADS.format(**CAUSAL | {"cut": "a.reshape(B, h, T, d // h)", "join": "(p @ v).reshape(B, T, d)"}),
        HEADS.format(**CAUSAL | LATE),
        HEADS.format(**CAUSAL | LATE | {"weights": "p * np.tri(T) / p.sum(axis=3, keepdims=True)"}),         # moved about, not mended
        HEADS.format(**CAUSAL | {"join": "(p @ v).reshape(B, T, d)"}),                                       # cut rightly, joined wrongly
        HEADS.format(**CAUSAL | {"cut": "a.reshape(B, h, T, d // h)"}),
        HEADS.format(**CAUSAL | {"cut": "a.reshape(B, T, d // h, h).transpose(0, 3, 1, 2)"}),                # interleaved heads
        HEADS.format(**CAUSAL | {"scores": "np.where(np.tri(T, dtype=bool).T, q @ k.swapaxes(2, 3) / np.sqrt(d // h), -np.inf)"}),   # the future alone
        HEADS.format(**CAUSAL | {"scores": "np.where(np.tri(T, k=-1, dtype=bool), q @ k.swapaxes(2, 3) / np.sqrt(d // h), -1e9)"}),  # not itself
        HEADS.format(**CAUSAL | {"scores": "np.where(np.tri(T, dtype=bool), q @ k.swapaxes(2, 3) / np.sqrt(d), -np.inf)"}),
        HEADS.format(**CAUSAL | {"scores": "np.where(np.tri(T, dtype=bool), q @ k.swapaxes(2, 3), -np.inf)"}),
        HEADS.format(**CAUSAL | {"scores": "q @ k.swapaxes(2, 3) / np.sqrt(d // h) * np.tri(T)"}),           # scores of 0, not -inf
        HEADS.format(**CAUSAL | {"weights": "p / p.sum(axis=2, keepdims=True)"}),                            # over the queries
        HEADS.format(**CAUSAL | {"join": "p @ v"}),                                                          # not joined
        HEADS.format(**CAUSAL).replace("return", "result ="),
        "from nnbook.attention import scaled_dot_product_attention as ready\ndef causal_heads(x, W, h):\n    B, T, d = x.shape\n    q, k, v = (a.reshape(B, T, h, d // h).swapaxes(1, 2) for a in np.split(x @ W.T, 3, axis=2))\n    return ready(q, k, v, is_causal=True).data.swapaxes(1, 2).reshape(B, T, d)",
    ],
    "attention.4": [
        "def margin(n, share=0.5): return np.log(n * share / (1 - share))",
        "def margin(n, share=0.5): return (n - 1) * share / (1 - share)",
        "def margin(n, share=0.5): return -np.log((n - 1) * share / (1 - share))",
        "def margin(n, share=0.5): return np.log2((n - 1) * share / (1 - share))",
        "def margin(n, share=0.5): return np.log10((n - 1) * share / (1 - share))",
        "def margin(n, share=0.5): return np.log(n - 1)",                                                    # right for a half alone
        "def margin(n, share=0.5): return np.log(share / (1 - share))",
        "def margin(n, share=0.5): return np.log((n - 1) * share)",
        "def margin(n, share=0.5): return np.log((n - 1) * (1 - share) / share)",
        "def margin(n, share=0.5): return share * np.log(n - 1)",
        "def margin(n, share=0.5): return np.log((n - 1) * share / (1 - share)) + 0.5",                      # the answer to what comes next
        "def margin(n, share): return np.log((n - 1) * share / (1 - share))",                                # no default
        "def margin(n, share=0.5): print(np.log((n - 1) * share / (1 - share)))",
    ],
    "attention.5": [
        MERGE.format(**JOINED | {"o": "(a[2] + b[2]) / 2"}),
        MERGE.format(**JOINED | {"o": "(np.exp(a[0] - finite)[:, None] * a[2] + np.exp(b[0] - finite)[:, None] * b[2]) / np.where(s == 0, 1, s)[:, None]"}),   # as if not divided yet
        MERGE.format(**JOINED | {"o": "s_a[:, None] * a[2] + s_b[:, None] * b[2]"}),                        # not divided again
        MERGE.format(**JOINED | {"sums": "a[1], b[1]"}),                                                    # sums of different largest scores
        MERGE.format(**JOINED | {"s": "a[1] + b[1]"}),
        MERGE.format(**JOINED | {"sums": "(s * np.exp(finite - m_half) for m_half, s, _ in (a, b))"}),      # the wrong way round
        MERGE.format(**JOINED | {"sums": "(s * np.exp(m_half) for m_half, s, _ in (a, b))"}),               # overflows
        MERGE.format(**JOINED | {"sums": "(s * np.exp(m_half - m) for m_half, s, _ in (a, b))"}),           # -inf - -inf
        MERGE.format(**JOINED | {"o": "(s_a[:, None] * a[2] + s_b[:, None] * b[2]) / s[:, None]"}),         # 0 / 0
        MERGE.format(**JOINED | {"sums": "(np.exp(m_half - finite) for m_half, s, _ in (a, b))"}),          # how many keys had each?
        MERGE.format(**JOINED | {"answer": "s, m, o"}),
        MERGE.format(**JOINED | {"answer": "o"}),
        MERGE.format(**JOINED).replace("m = np.maximum(a[0], b[0])", "m = a[0] + b[0]"),
        MERGE.format(**JOINED).replace("m = np.maximum(a[0], b[0])", "m = max(a[0].max(), b[0].max()) + 0 * a[0]"),   # one largest score for all queries
        MERGE.format(**JOINED).replace("return", "result ="),
        MERGE.format(**JOINED).replace("    return", "    a[1][:] = s\n    return"),                        # writes into its argument
    ],
}
