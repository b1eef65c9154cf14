"Seeded random numbers: at equal seeds no two parts of the library draw the same ones, and none draws those of a reader's own `default_rng`."

import ast
import copy
import zlib
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
import torch

from nnbook import attention, autograd, cnn, data, evaluation, generalization, gnn, layers, neuron, rnn, tokenizer, training, transformer
from nnbook.checkers.project3 import river
from nnbook.exercises import check
from nnbook.layers import Parameter
from nnbook.torch import attention as attention_twins
from nnbook.torch import cnn as cnn_twins
from nnbook.torch import gnn as gnn_twins
from nnbook.torch import layers as twins
from nnbook.torch import rnn as rnn_twins
from nnbook.torch import tokenizer as tokenizer_twins
from nnbook.torch import transformer as transformer_twins
from nnbook.torch.twins import assert_twins

SIZES = transformer.GPTConfig(4, context_length=4, n_layers=1, n_heads=1, d_model=4, dropout=0.5)
ROWS, LABELS = np.arange(12.0)[:, None], np.arange(12) % 2
READY = layers.Linear(3, 2), twins.Linear(3, 2)                   # made beforehand, so that only the judge draws

EDGES = gnn.Graph([[1, 2, 3], [0, 0, 0]])


def weight():
    return Parameter(np.zeros((4, 4)))


def masks(seed):
    "The generators of an MLP's masks are spawned from the weights' one, which nobody sees being made."
    return [layer.rng for layer in layers.MLP(4, 4, 4, 2, dropout=0.5, rng=seed) if isinstance(layer, layers.Dropout)]


def orders(seed):
    loader = training.DataLoader(ROWS, seed=seed)
    for epoch in range(3): loader.order(epoch)


def transforms(seed):
    loader = training.DataLoader(ROWS, batch_size=4, shuffle=False, seed=seed, transform=lambda x, rng: (x,))
    for epoch in range(3): list(loader.batches(epoch))


# who draws, how many streams it takes, and a call at which it does; uses of one name may draw the same
USES = [
    ("a reader", 1, lambda seed: len([np.random.default_rng(words) for words in (seed, [seed, 0], [seed, 0, 0])])),
    ("the first chapters", 1, lambda seed: neuron.Perceptron().fit(ROWS, LABELS, epochs=2, seed=seed)),
    ("a loader's orders", 3, orders),
    ("a loader's transforms", 9, transforms),
    ("color digits", 2, lambda seed: data.color_digits(10, seed)),
    ("spoken digits", 6, lambda seed: data._clean_words.cache_clear() or len(data.spoken_digits(10, 0, seed))),
    ("block model", 1, lambda seed: data.stochastic_block_model((4, 4), np.full((2, 2), 0.5), seed)),
    ("folds", 1, lambda seed: len(evaluation.folds(6, 3, seed))),
    ("normal_", 1, lambda seed: layers.normal_(weight(), rng=seed)),
    ("uniform_", 1, lambda seed: layers.uniform_(weight(), rng=seed)),
    ("orthogonal_", 1, lambda seed: layers.orthogonal_(weight(), rng=seed)),
    ("Linear", 1, lambda seed: layers.Linear(4, 4, rng=seed)),
    ("Linear", 1, lambda seed: twins.Linear(4, 4, rng=seed)),
    ("Embedding", 1, lambda seed: layers.Embedding(4, 4, rng=seed)),
    ("Embedding", 1, lambda seed: twins.Embedding(4, 4, rng=seed)),
    ("MLP", 3, masks),
    ("MLP", 1, lambda seed: twins.MLP(4, 4, 2, rng=seed)),
    ("Dropout", 1, lambda seed: layers.Dropout(rng=seed)),
    ("Dropout", 1, lambda seed: twins.Dropout(rng=seed)(torch.ones(4))),
    ("random features", 1, lambda seed: generalization.random_features(2, 4, rng=seed)),
    ("a comparison", 1, lambda seed: autograd.gradcheck(autograd.tanh, np.ones(3))),
    ("a comparison", 1, lambda seed: assert_twins(*READY, np.ones((4, 3)))),
    *[(name, 1, lambda seed, module=module, name=name, sizes=sizes: getattr(module, name)(*sizes, rng=seed)) for module in (cnn, cnn_twins) for name, sizes in {
        "Conv2d": (1, 4, 3), "Conv1d": (1, 4, 3), "ConvTranspose2d": (1, 4, 3), "LocallyConnected2d": (1, 4, 3, 5), "LeNet": (), "ConvNet": ((4, "M", 4),),
        "PlainBlock": (2, 2), "ResNet": (8,)}.items()],
    *[(name, 1, lambda seed, module=module, make=make, sizes=sizes: getattr(module, make)(*sizes, rng=seed)) for module in (rnn, rnn_twins) for name, make, sizes in [
        *[("a recurrent layer", make, (2, 4)) for make in ("RNN", "LSTM", "GRU", "RNNCell", "LSTMCell", "GRUCell")], ("CharLM", "CharLM", ("ab", 4, 4)), ("SequenceClassifier", "SequenceClassifier", (2, 4, 2))]],
    *[(name, 1, lambda seed, module=module, name=name, sizes=sizes: getattr(module, name)(*sizes, rng=seed)) for module in (attention, attention_twins) for name, sizes in {
        "MultiHeadAttention": (4, 2), "LearnedPositions": (4, 4), "AdditiveAttention": (4, 4, 4)}.items()],
    *[(name, 1, lambda seed, module=module, make=make, sizes=sizes: getattr(module, make)(*sizes, rng=seed)) for module in (transformer, transformer_twins) for name, make, sizes in [
        ("a transformer", "GPT", (SIZES,)), ("a transformer", "MaskedEncoder", (SIZES,)), ("a transformer", "GPT", (replace(SIZES, tied=False),)), ("Block", "Block", (SIZES,)), ("DecoderBlock", "DecoderBlock", (SIZES,)), ("FeedForward", "FeedForward", (SIZES,)),
        ("EncoderDecoder", "EncoderDecoder", (4, 4, 4, 1))]],
    *[(name, 1, lambda seed, module=module, name=name, sizes=sizes: getattr(module, name)(*sizes, rng=seed)) for module in (gnn, gnn_twins) for name, sizes in {
        "GCNConv": (4, 4), "SAGEConv": (4, 4), "GATConv": (4, 4), "GATv2Conv": (4, 4), "RGCNConv": (4, 4, 4), "GNN": (gnn.GNNConfig(4, 4, 4),), "DistMult": (4, 4, 4), "ComplEx": (4, 4, 4)}.items()],
    *[("GINEConv", 1, lambda seed, module=module, inner=inner: module.GINEConv(inner, edge_dim=4, rng=seed)) for module, inner in zip((gnn, gnn_twins), READY)],
    ("sampled neighbors", 1, lambda seed: gnn.sample_neighbors(EDGES, [0], [1], seed)),
    ("batches of neighbors", 1, lambda seed: len(list(gnn.NeighborSampler(EDGES, [1], seed=seed)))),
    *[("SkipGram", 1, lambda seed, module=module: module.SkipGram(4, 4, rng=seed)) for module in (tokenizer, tokenizer_twins)],
    ("skip-gram pairs", 1, lambda seed: tokenizer.skip_gram_pairs([0, 1, 2], 2, seed, dynamic=True)),
    ("negative contexts", 1, lambda seed: tokenizer.draw_negatives([1, 2], 3, seed)),
    ("masked tokens", 1, lambda seed: transformer.mask_tokens([[0, 1]], 2, 3, rng=seed)),
    ("a text", 1, lambda seed: transformer.generate(transformer.GPT(SIZES, np.random.default_rng()), [1], 1, rng=seed)),
    ("a text", 1, lambda seed: rnn.generate(rnn.NGram(1, "ab").fit("ab"), "a", 2, rng=seed)),
    ("a river", 1, lambda seed: river(seed, 3, 5)),
    ("a judge", 1, lambda seed: check("training.1", lambda losses, sizes: np.average(losses, weights=sizes))),
]


@pytest.fixture
def drawn(monkeypatch, capsys):
    "What a use draws at seed 0: the first numbers of each of its generators, and the purposes that `stream` mixed in."
    def run(use):
        made, purposes, make = [], set(), np.random.default_rng

        def default_rng(given=None):
            rng, named = make(given), isinstance(given, np.random.SeedSequence)
            seeded = given.entropy == 0 if named else not (given is None or isinstance(given, np.random.Generator))
            if seeded: made.append(copy.deepcopy(rng))           # as it starts
            if named: purposes.add(given.spawn_key[0])
            return rng

        with monkeypatch.context() as patch:
            patch.setattr(np.random, "default_rng", default_rng)
            spawned = use(0)
        made += spawned if isinstance(spawned, list) else []
        return {rng.standard_normal(4).tobytes() for rng in made}, purposes
    return run


def test_no_two_parts_draw_the_same_numbers_at_one_seed(drawn):
    found = {}
    for name, n, use in USES:
        numbers, _ = drawn(use)
        assert len(numbers) == n, f"{name} draws {len(numbers)} different streams, not {n}"
        found.setdefault(name, set()).update(numbers)
    alike = [(a, b) for a, b in combinations(found, 2) if found[a] & found[b]]
    assert not alike, f"these draw the same numbers at one seed: {alike}"


def test_a_twins_masks_are_not_torchs_own_numbers_at_that_seed():
    twin = twins.Dropout(0.5, rng=0)
    assert not torch.equal(twin.draw(torch.ones(64)), torch.rand(64, generator=torch.Generator().manual_seed(0)) >= 0.5)


# --- the source: every generator from a seed is a stream, and each purpose is among the uses above

PLAIN = {"data.py",                     # its splits keep NumPy's plain generator: the results in print hold for them
         "checkers/activations.py"}     # an exercise names its inputs, default_rng(0).standard_normal(200), and its checker takes the same


def calls(root):
    "Module (relative path), function as written, and arguments of each call in the library."
    for path in sorted((root / "nnbook").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call): yield path.relative_to(root / "nnbook").as_posix(), ast.unparse(node.func), node.args


def test_only_streams_makes_generators_from_seeds(root):
    makers = {"default_rng", "PCG64", "RandomState", "SeedSequence", "Philox", "MT19937", "SFC64", "Generator", "seed"}
    found = [f"{module}: {f}" for module, f, arguments in calls(root) if module not in PLAIN | {"streams.py"}
             and f.rpartition(".")[2] in makers and "torch" not in f and [ast.unparse(a) for a in arguments] not in ([], ["None"])]
    assert not found, f"draw these through nnbook.streams.stream: {found}"


def test_every_purpose_is_tried_above(root, drawn):
    named = {(module, arguments[1].value) for module, f, arguments in calls(root) if f == "stream"}
    assert {purpose for module, purpose in named if module.startswith("checkers/")} <= {"judge", "order", "river"}
    tried = set().union(*(drawn(use)[1] for _, _, use in USES))
    assert {purpose for _, purpose in named if zlib.crc32(purpose.encode()) not in tried} == set()
