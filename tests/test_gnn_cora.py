"The cell that waits for Cora runs when the data are there: tried on a made-up set of the same form."

import json
import re

import numpy as np
import pytest

from nnbook.data import Graph, Source, stochastic_block_model
from nnbook.streams import stream

torch = pytest.importorskip("torch")


@pytest.fixture
def cell(root):
    "Names that the cell makes, without what it does at its end."
    notebook = [("".join(c["source"])) for c in json.loads((root / "nbs" / "18_gnn.ipynb").read_text())["cells"] if c["cell_type"] == "code"]
    drafts = [part for path in root.glob("nbs_cells/18_social.py") for part in re.split(r"^# %%.*\n", path.read_text(), flags=re.M)]
    (source,) = [s for s in notebook or drafts if "def on_cora" in s] or [s for s in drafts if "def on_cora" in s]
    names = {"np": np}
    exec(source.split("\ntry:")[0], names)
    return names


def made_papers() -> Graph:
    "Four subjects, 240 papers: those of a subject share some of their words, and cite each other more."
    rng, n = stream(0, "made papers"), 240
    g = stochastic_block_model([60] * 4, np.full((4, 4), 0.01) + 0.07 * np.eye(4), 0)
    order = rng.permutation(n)
    y = g.y[order]                                                            # so that numbers don't tell the subject
    number = np.argsort(order)
    x = (rng.random((n, 120)) < np.where(np.arange(120) % 4 == y[:, None], 0.06, 0.03)).astype(np.float32)
    train = np.concatenate([np.flatnonzero(y == c)[:8] for c in range(4)])
    rest = np.setdiff1d(np.arange(n), train)
    return Graph(Source("papers", "made for a test"), number[g.edge_index], x, y, train=train, validation=rest[:60], test=rest[60:])


def test_both_networks_learn_from_a_set_of_coras_form(cell):
    papers = made_papers()
    rows = cell["cora_table"](papers, seeds=2, steps=60)
    assert [row["network"] for row in rows] == ["GCN", "GAT"] and [row["published"] for row in rows] == ["81.5%", "83.0 ± 0.7%"]
    for row in rows:
        assert float(row["test accuracy"].split("%")[0]) > 60, rows           # chance is 25
    assert cell["on_cora"](papers, "gcn", 0, 20) == cell["on_cora"](papers, "gcn", 0, 20)
