"""The form of a chapter: the idea in sight, the library folded; nothing that only draws in the reader's way.

All chapters keep it.
"""

import ast
import re
import types

import pytest
from conftest import chapters, read

from tools.notebook import before_exercises, is_closed, is_folded, is_hidden, lines_in_sight, reading_minutes, summary_of, words_in_sight
from tools.run import kind

CHAPTERS = [p for p in chapters() if re.match(r"\d\d[a-z]?_(?!part)", p.id) and int(p.id[:2]) < 90]   # a second page of a chapter, 18a, too

# What each chapter builds: the name in sight, and the library's name that it is compared with; the same object when the cell in sight is the library's.
SHORT = {
    "00_first": {"forward": "forward", "random_network": "random_network", "learn": "learn"},
    "01_neuron": {"fires": "McCullochPitts", "perceptron": "Perceptron", "adaline": "Adaline", "logistic": "LogisticNeuron", "novikoff": "mistake_bound"},
    "02_activations": {"plain_step": "step", "plain_relu": "relu", "plain_sigmoid": "sigmoid", "plain_sigmoid_grad": "sigmoid_grad", "plain_tanh": "tanh", "plain_tanh_grad": "tanh_grad",
                       "plain_softplus": "softplus", "plain_softplus_grad": "softplus_grad", "plain_silu": "silu", "plain_silu_grad": "silu_grad", "plain_gelu": "gelu", "plain_gelu_grad": "gelu_grad",
                       "plain_leaky_relu": "leaky_relu", "plain_leaky_relu_grad": "leaky_relu_grad", "plain_elu": "elu", "plain_elu_grad": "elu_grad",
                       "plain_softmax": "softmax", "plain_softmax_vjp": "softmax_vjp"},
    "03_losses": {"plain_mse": "mse", "plain_mse_grad": "mse_grad", "plain_mae": "mae", "plain_mae_grad": "mae_grad", "plain_huber": "huber", "plain_huber_grad": "huber_grad",
                  "simple_cross_entropy": "cross_entropy", "plain_logsumexp": "logsumexp", "plain_log_softmax": "log_softmax", "plain_cross_entropy": "cross_entropy", "plain_cross_entropy_grad": "cross_entropy_grad",
                  "plain_bce": "bce_with_logits", "plain_bce_grad": "bce_with_logits_grad", "plain_hinge": "hinge", "plain_hinge_grad": "hinge_grad", "plain_entropy": "entropy", "plain_kl": "kl_div"},
    "06_optim": {"descent": "SGD", "momentum": "SGD", "nesterov": "SGD", "adagrad": "Adagrad", "rmsprop": "RMSprop", "adam": "Adam", "adamw": "AdamW", "adam_l2": "Adam",
                 "lion": "Lion", "muon": "Muon", "newton_schulz": "orthogonalize", "plain_cosine": "cosine", "plain_warmup": "linear_warmup", "clipped": "clip_grad_norm_"},
    "04_autograd": {"Value": "Tensor", "lift": "elementwise", "plain_linear": "linear", "plain_unbroadcast": "unbroadcast"},
    "05_layers": {"PlainModule": "Module", "PlainLinear": "Linear", "plain_mlp": "MLP", "he": "kaiming_normal_", "plain_layer_norm": "LayerNorm", "plain_rms_norm": "RMSNorm",
                  "plain_batch_norm": "BatchNorm1d", "plain_dropout": "Dropout", "plain_embedding": "Embedding"},
    "07_training": {"batches": "DataLoader", "train": "fit", "save": "save_checkpoint", "first_bad": "find_nonfinite"},
    "08_evaluation": {"learn": "TableEncoder", "scaled": "TableEncoder", "one_hot": "TableEncoder", "counts_of": "confusion_matrix", "rates": "precision_recall_f1",
                      "roc": "roc_curve", "wilson": "wilson_interval"},
    "09_generalization": {"waves": "random_features", "shortest": "min_norm_fit", "parts": "bias_variance", "hinges": "hinge_network", "shift": "shift_images"},
    "10_cnn": {"convolve": "conv2d", "plain_conv": "conv2d", "plain_max_pool": "max_pool2d", "plain_avg_pool": "avg_pool2d", "plain_global_pool": "AdaptiveAvgPool2d", "field": "receptive_field",
               "full_layer": "Linear", "local_layer": "LocallyConnected2d", "conv_layer": "conv2d", "plain_batch_norm": "BatchNorm2d", "plain_block": "BasicBlock"},
    "12_rnn": {"witten_bell": "NGram", "plain_rnn": "RNN", "through_time": "RNN", "jacobians": "RNN", "plain_lstm": "LSTM", "plain_gru": "GRU", "plain_stft": "stft"},
    "13_attention": {"soft_lookup": "kernel_regression", "plain_additive": "AdditiveAttention", "plain_attention": "scaled_dot_product_attention", "plain_causal": "causal_mask",
                     "plain_window": "sliding_window_mask", "plain_padding": "padding_mask", "plain_heads": "MultiHeadAttention", "plain_sinusoidal": "sinusoidal", "plain_rotate": "rotate",
                     "online": "online_attention"},
    "14_tokenizer": {"plain_pretokenize": "pretokenize", "plain_train": "BPETokenizer", "plain_encode": "BPETokenizer", "plain_pairs": "skip_gram_pairs", "plain_pmi": "pmi", "plain_loss": "negative_sampling_loss"},
    "15_transformer": {"plain_norm": "LayerNorm", "plain_block": "Block", "plain_gpt": "GPT"},
    "18_gnn": {"by_edges": "segment_sum", "by_segments": "aggregate", "plain_gcn": "GCNConv", "plain_gin": "GINConv", "plain_gat": "GATConv"},
    "18a_graph_depth": {"smoothed": "GCNConv"},
}


def excess(nb) -> list[str]:
    "In what a chapter exceeds the limits of what stands in sight before its exercises."
    cells = before_exercises(nb.cells)
    measured = {"words": (sum(map(words_in_sight, cells)), 4000), "lines of code": (sum(map(lines_in_sight, cells)), 300),
                "lines in a cell": (max(map(lines_in_sight, cells)), 25), "minutes": (reading_minutes(nb.cells), 45)}
    return [f"{got:.0f} {what} in sight, at most {most}" for what, (got, most) in measured.items() if got > most]


@pytest.mark.parametrize("path", CHAPTERS)
def test_what_is_in_sight_is_short(path):
    assert excess(read(path)) == []


@pytest.mark.parametrize("path", chapters())
def test_folds_are_marked_alike_for_page_and_lab(path):
    "The summary is the first line, which is what JupyterLab shows of a closed cell; it says something; and JupyterLab closes what the page folds."
    for cell in (c for c in read(path).cells if c.cell_type == "code"):
        assert cell.metadata.get("jupyter", {}).get("source_hidden", False) == is_closed(cell), f"run `python -m tools.run --fold`: {cell.source[:60]!r}"
        if is_folded(cell):
            assert re.match(r'#\| code-summary: "[^"]{4,}"\n#\| code-fold: true\n', cell.source), cell.source[:80]
            assert len(summary_of(cell)) <= 70, summary_of(cell)


# ---------------------------------------------------------------- what folds only draws, formats, loads, claims


DRAWS = {"figure", "lines", "scatter", "hist", "bars", "images", "heatmap", "table", "explore", "claim", "diagram", "network", "neuron"}


def calls(source: str) -> set[str]:
    return {n.func.id for n in ast.walk(ast.parse(source)) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)}


@pytest.mark.parametrize("path", CHAPTERS)
def test_cells_that_draw_or_claim_are_folded(path):
    "A caption or a claim in sight would stand above the result, and give it away."
    cells = before_exercises(read(path).cells)
    shown = [c.source for c in cells if c["cell_type"] == "code" and lines_in_sight(c) and calls(c["source"]) & DRAWS]
    assert shown == []


# ---------------------------------------------------------------- no fig leaf: the short version in sight works


def bound(node: ast.stmt) -> set[str]:
    "The names that a statement binds."
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)): return {node.name}
    if isinstance(node, (ast.Import, ast.ImportFrom)): return {(a.asname or a.name).partition(".")[0] for a in node.names}
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}


def defined(cell) -> set[str]:
    "The names that a cell binds at its top level."
    return set().union(*map(bound, ast.parse(cell.source).body))


def is_library(cell) -> bool:
    return bool(re.search(r"^#\| *export\b", cell.source, re.M))


def names_of(statement: ast.stmt) -> set[str]:
    "Every name that a statement looks up: as a global or an attribute, or in a function or class within it."
    codes, found = [compile(ast.Module([statement], []), "<statement>", "exec")], set()
    for code in codes:
        found |= set(code.co_names)
        codes += [c for c in code.co_consts if isinstance(c, types.CodeType)]
    return found


def in_sight(nb, last):
    """What a chapter's ordinary cells up to `last` define, {name: [functions, classes, lambdas, other names for them]}, without the folded cells of the library; and the names
    that all folded cells of the library define. No cell is run: a chapter takes minutes, and running it is the notebook's own test."""
    ordinary = [c for c in nb.cells if c.cell_type == "code" and not kind(c) and not is_hidden(c)]
    library = [c for c in ordinary if is_folded(c) and is_library(c)]
    statements = {}
    for cell in (c for c in ordinary[: ordinary.index(last) + 1] if c not in library):
        for statement in ast.parse(cell.source).body:
            if isinstance(statement, (ast.FunctionDef, ast.ClassDef)) or isinstance(statement, ast.Assign) and isinstance(statement.value, (ast.Lambda, ast.Name)):
                for name in bound(statement):
                    statements.setdefault(name, []).append(statement)
    return statements, set().union(*map(defined, library))


def names_used(name: str, statements: dict) -> set[str]:
    "Every name that something built in a chapter looks up, and that what it uses of the chapter looks up in turn."
    seen, ahead = set(), [name]
    while ahead:
        for statement in statements.get(ahead.pop(), []):
            new = names_of(statement) - seen
            seen |= new
            ahead += new
    return seen


@pytest.mark.parametrize("path", CHAPTERS)
def test_what_a_chapter_builds_works_in_sight(path):
    "No fig leaf: the short versions are in sight, use nothing of the folded library, and a claim or a test holds them to it."
    nb, short = read(path), SHORT[path.stem]
    seen = {name: cell for cell in nb.cells if lines_in_sight(cell) for name in defined(cell)}
    assert set(short) <= set(seen), "built in sight"
    statements, left_out = in_sight(nb, max((seen[name] for name in short), key=nb.cells.index))
    for name, twin in short.items():
        assert name in statements, f"{name} is not built in sight"
        assert not names_used(name, statements) & left_out, f"{name} leans on the folded library"
        compared = [c for c in nb.cells if c.cell_type == "code" and re.search(rf"\b{name}\b", c.source) and re.search(rf"\b{twin}\b", c.source) and "claim(" in c.source]
        assert is_library(seen[name]) or compared, f"no claim compares {name} with {twin}"


SAMPLE = ['#| code-summary: "library"\n#| code-fold: true\n#| export\ndef pairs(): return 2', "def honest(): return helper()\ndef helper(): return 2"]


@pytest.mark.parametrize("use", ["def leaf(): return pairs()", "leaf = lambda: pairs()", "def leaf(): return [more() for i in range(3)]\ndef more(): return pairs()",
                                 "class leaf:\n    def run(self): return pairs()", "find = pairs\ndef leaf(): return find()"])
def test_a_fig_leaf_is_seen(use):
    import nbformat

    nb = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(s) for s in [SAMPLE[0], use, *SAMPLE[1:]]])
    statements, left_out = in_sight(nb, nb.cells[-1])
    assert names_used("leaf", statements) & left_out == {"pairs"}
    assert not names_used("honest", statements) & left_out


def test_long_chapters_and_long_cells_are_seen():
    import nbformat

    cell, text = nbformat.v4.new_code_cell("x = 1\n" * 26), nbformat.v4.new_markdown_cell("word " * 4001)
    assert len(excess(nbformat.v4.new_notebook(cells=[cell, text]))) == 2
    text.source = "## Exercises\n" + text.source
    assert len(excess(nbformat.v4.new_notebook(cells=[cell, text]))) == 1
    cell.source = '#| code-summary: "long"\n#| code-fold: true\n' + cell.source
    assert excess(nbformat.v4.new_notebook(cells=[cell, text])) == []
