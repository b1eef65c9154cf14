# %% [markdown]
# ### Exercise 5 (20 minutes)
# Skip-gram without the engine: write `step(W, C, center, context, drawn, lr)`, one step of gradient descent on the loss of one pair. `W` (V, d) holds the words' vectors as centers, `C` (V, d) as contexts; `center` and `context` are the numbers of two words that stand near each other, and `drawn` (k,) those of the contexts drawn. The step changes `W` and `C` in place, and returns the loss before it.
#
# A word may be drawn twice, and the true context may be drawn, too. **Predict** what the step does to a context that is the true one and drawn once, when its score is 0.

# %%
def step(W: np.ndarray, C: np.ndarray, center: int, context: int, drawn: np.ndarray, lr: float) -> float: ...
check("tokenizer.5", step)


# %% [markdown]
# <details><summary>Hint</summary>
#
# The derivative of $-\log\sigma(s)$ by $s$ is $\sigma(s)-1$, that of $-\log\sigma(-s)$ is $\sigma(s)$. Both vectors of a pair move by the *old* other one. And what does `C[rows] += ...` do when a row is named twice?
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def step(W, C, center, context, drawn, lr):
#     rows = np.concatenate([[context], drawn])                   # (1 + k,)
#     true = np.arange(len(rows)) == 0
#     scores = C[rows] @ W[center]                                # (1 + k,)
#     loss = np.logaddexp(0, np.where(true, -scores, scores)).sum()
#     slope = 1 / (1 + np.exp(-scores)) - true                    # of the loss, by score
#     for_center = slope @ C[rows]                                # (d,), before C moves
#     np.add.at(C, rows, -lr * slope[:, None] * W[center])        # C[rows] -= ... would count a row once
#     W[center] -= lr * for_center
#     return loss
# ```
# A context that is true and drawn once, at a score of 0, stays where it is: its two slopes are $-\tfrac12$ and $\tfrac12$. With $n$ true sightings and $m$ draws the pulls cancel where $n(1-\sigma(s))=m\,\sigma(s)$, at $s=\log(n/m)$: its PMI less $\log k$, when as many were drawn as the text has them.
# </details>

# %% jupyter={"source_hidden": true}
#| hide
#| export checkers.tokenizer
def _stepped(W, C, center, context, drawn, lr, usual: str = "") -> tuple:
    "Tables after one step and the loss before it, or what a usual mistake makes of them."
    W, C, rows = W.copy(), C.copy(), np.concatenate([[context], drawn]).astype(int)
    true = np.arange(len(rows)) == 0
    scores = C[rows] @ W[center]
    sigma = 1 / (1 + np.exp(-scores))
    loss = np.logaddexp(0, np.where(true, -scores, scores)).sum()
    slope = {"labels": sigma - ~true, "ascent": true - sigma, "no sigmoid": scores - true, "no label": sigma, "true alone": (sigma - true) * true,
             "mean of the draws": (sigma - true) * np.where(true, 1, 1 / max(len(drawn), 1)), "mean": (sigma - true) / len(rows)}.get(usual, sigma - true)
    old, moved = W[center].copy(), -lr * slope[:, None] * W[center]
    for_center = slope @ C[rows]
    if usual == "center first": moved = -lr * slope[:, None] * (old - lr * for_center)
    if usual == "once": C[rows] += moved
    else: np.add.at(C, rows, moved)
    if usual == "context first": for_center = slope @ C[rows]
    if usual != "center stays": W[center] -= lr * for_center
    return W, C, loss

_USUAL = {"once": "a row named twice has moved only once", "labels": "the true context is pushed away and the drawn ones are pulled near; which is which?", "ascent": "the loss rises; which way does descent go?",
          "no sigmoid": "is the derivative of log σ(s) by s really so simple? Where did σ go?", "no label": "every context is pushed away, the true one, too", "true alone": "the drawn contexts have not moved",
          "mean of the draws": "the drawn contexts' terms are summed, not averaged", "mean": "the terms are summed, not averaged", "center first": "the contexts have moved by the center's *new* vector; use the old one",
          "context first": "the center has moved by the contexts' *new* vectors; use the old ones", "center stays": "the center has not moved"}

@checker("tokenizer.5")
def _(step):
    _own_work(step)
    def ask(W, C, center, context, drawn, lr, where):
        new_W, new_C, words = W.copy(), C.copy(), drawn.copy()
        loss = step(new_W, new_C, center, context, words, lr)
        expect(np.array_equal(words, drawn), True, "your function changed `drawn`")
        want_W, want_C, want = _stepped(W, C, center, context, drawn, lr)
        if np.array_equal(new_W, W) and np.array_equal(new_C, C) and not (np.allclose(want_W, W) and np.allclose(want_C, C)):
            raise Mismatch(f"{where}: W and C are as they were; change them in place, `W[center] -= ...`, rather than a copy")
        for name, mistake in _USUAL.items():
            wrong = _stepped(W, C, center, context, drawn, lr, name)
            if np.allclose(new_W, wrong[0]) and np.allclose(new_C, wrong[1]) and not (np.allclose(want_W, wrong[0]) and np.allclose(want_C, wrong[1])): raise Mismatch(f"{where}: {mistake}")
        expect(new_C, want_C, f"{where}: C after the step")
        expect(new_W, want_W, f"{where}: W after the step")
        if loss is None: raise Mismatch("the step is right; it also returns the loss before it")
        after = _stepped(want_W, want_C, center, context, drawn, 0.0)[2]
        if np.size(loss) == 1 and np.isclose(loss, after) and not np.isclose(after, want): raise Mismatch(f"{where}: this is the loss *after* the step")
        if np.size(loss) == 1 and np.isclose(loss, want / (1 + len(drawn))): raise Mismatch(f"{where}: the loss is a sum of {1 + len(drawn)} terms, not their mean")
        expect(loss, want, f"{where}: the loss before the step")
    for seed, (V, d, drawn) in enumerate(((6, 3, [3]), (6, 4, [3, 4, 5]), (7, 2, [4, 4, 0]), (6, 3, [2, 5, 2]), (5, 3, [1, 1, 1, 1]))):
        rng = stream(seed, "judge")
        W, C = rng.standard_normal((2, V, d))
        center, context = (1, 2) if seed != 4 else (0, 1)
        again = " (one of them twice)" if seed == 2 else " (the true one among them)" if seed == 3 else " (the true one, again and again)" if seed == 4 else ""
        ask(W, C, center, context, np.array(drawn), 0.3, f"{len(drawn)} drawn{again}")
    W, C = rng.standard_normal((2, 5, 3))
    ask(W, C, 2, 2, np.array([0, 4]), 0.5, "a word near itself")
    big = np.full((3, 2), 30.0)
    W, C = big.copy(), np.array([[30.0, 30], [-30, -30], [1, -1]])
    loss = step(W, C, 0, 1, np.array([0]), 0.0)
    expect(bool(np.isfinite(loss)), True, "the loss of a score of 1,800 should be finite; take log(1 + e^x) by np.logaddexp(0, x)")
    expect(loss, 3600.0, "the loss of a score of 1,800")
    return "the pulls of true and drawn contexts balance where the score is PMI - log k"


# %% jupyter={"source_hidden": true}
#| hide
# For tests/wrong_answers/tokenizer.py: plausible wrong answers; the checker must refuse each.
STEP = """def step(W, C, center, context, drawn, lr):
    rows = np.concatenate([[context], drawn])
    true = np.arange(len(rows)) == 0
    scores = C[rows] @ W[center]
    loss = {loss}
    slope = {slope}
    {moves}
    return loss"""
RIGHT = {"loss": "np.logaddexp(0, np.where(true, -scores, scores)).sum()", "slope": "1 / (1 + np.exp(-scores)) - true",
         "moves": "for_center = slope @ C[rows]\n    np.add.at(C, rows, -lr * slope[:, None] * W[center])\n    W[center] -= lr * for_center"}
WRONG_STEPS = [
    STEP.format(**RIGHT | {"moves": RIGHT["moves"].replace("np.add.at(C, rows, -lr * slope[:, None] * W[center])", "C[rows] -= lr * slope[:, None] * W[center]")}),   # a row named twice moves once
    STEP.format(**RIGHT | {"moves": "W[center] -= lr * slope @ C[rows]\n    np.add.at(C, rows, -lr * slope[:, None] * W[center])"}),     # by the center's new vector
    STEP.format(**RIGHT | {"moves": "np.add.at(C, rows, -lr * slope[:, None] * W[center])\n    W[center] -= lr * slope @ C[rows]"}),     # by the contexts' new vectors
    STEP.format(**RIGHT | {"slope": "1 / (1 + np.exp(-scores)) - ~true"}),                                                               # labels exchanged
    STEP.format(**RIGHT | {"slope": "true - 1 / (1 + np.exp(-scores))"}),                                                                # ascent
    STEP.format(**RIGHT | {"slope": "1 / (1 + np.exp(-scores))"}),                                                                       # no true one
    STEP.format(**RIGHT | {"slope": "scores - true"}),                                                                                   # squared error's
    STEP.format(**RIGHT | {"slope": "(1 / (1 + np.exp(-scores)) - true) / len(rows)"}),                                                  # a mean
    STEP.format(**RIGHT | {"slope": "(1 / (1 + np.exp(-scores)) - true) * np.where(true, 1, 1 / len(drawn))"}),
    STEP.format(**RIGHT | {"slope": "(1 / (1 + np.exp(-scores)) - true) * true"}),                                                       # nothing drawn moves
    STEP.format(**RIGHT | {"moves": "np.add.at(C, rows, -lr * slope[:, None] * W[center])"}),                                            # the center stays
    STEP.format(**RIGHT | {"moves": "W = W.copy()\n    C = C.copy()\n    " + RIGHT["moves"]}),                                            # copies
    STEP.format(**RIGHT | {"loss": "np.logaddexp(0, np.where(true, -scores, scores)).mean()"}),
    STEP.format(**RIGHT | {"loss": "-np.log(1 / (1 + np.exp(-np.where(true, scores, -scores)))).sum()"}),                                # infinite far out
    STEP.format(**RIGHT | {"loss": "np.logaddexp(0, scores).sum()"}),
    STEP.format(**RIGHT).replace("return loss", "return np.logaddexp(0, np.where(true, -(C[rows] @ W[center]), C[rows] @ W[center])).sum()"),  # after the step
    STEP.format(**RIGHT).replace("return loss", "loss"),
    STEP.format(**RIGHT).replace("    rows =", "    drawn[:] = drawn[drawn != context].tolist() + [0] * (drawn == context).sum()\n    rows ="),   # changes what it was given
    STEP.format(**RIGHT).replace("np.concatenate([[context], drawn])", "np.concatenate([[context], drawn[drawn != context]])"),          # leaves the true one out of the draws
    STEP.format(**RIGHT).replace("np.concatenate([[context], drawn])", "np.unique(np.concatenate([[context], drawn]))"),
    "from nnbook.tokenizer import SkipGram, negative_sampling_loss\ndef step(W, C, center, context, drawn, lr):\n    m = SkipGram(*W.shape)\n    m.embedding.weight.data[...], m.context.weight.data[...] = W, C\n    loss = negative_sampling_loss(m(np.array([center]), np.concatenate([[context], drawn])[None]))\n    loss.backward()\n    W -= lr * m.embedding.weight.grad\n    C -= lr * m.context.weight.grad\n    return loss.item()",
]
