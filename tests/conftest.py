"What several tests need: where the repository is, and its notebooks."

import os
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = sorted((ROOT / "nbs").glob("*.ipynb"))
os.environ.setdefault("MPLBACKEND", "agg")


def chapters():
    "The notebooks as pytest parameters, by name."
    return [pytest.param(p, id=p.stem) for p in NOTEBOOKS]


def read(path):
    return nbformat.read(path, as_version=4)


@pytest.fixture
def root():
    return ROOT
