"What several tests need: where the repository is, and its notebooks."

import os
from pathlib import Path

for threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):  # before NumPy: two threads of BLAS on a busy machine are far slower than one
    os.environ.setdefault(threads, "1")

import nbformat  # noqa: E402
import pytest  # noqa: E402
from hypothesis import settings  # noqa: E402

settings.register_profile("book", deadline=None)  # nothing is timed in a test
settings.load_profile("book")

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = sorted((ROOT / "nbs").glob("*.ipynb"))
os.environ.setdefault("MPLBACKEND", "agg")


def chapters():
    "The notebooks as pytest parameters, by name."
    return [pytest.param(p, id=p.stem) for p in NOTEBOOKS]


def read(path):
    return nbformat.read(path, as_version=4)


def changed(answer: str, *faults: tuple[str, str]) -> str:
    "A right answer with faults put into it, each (what stands there, what stands instead), at its last place."
    for right, wrong in faults:
        before, found, after = answer.rpartition(right)
        assert found, f"{right!r} is not in the answer"
        answer = before + wrong + after
    return answer


@pytest.fixture
def root():
    return ROOT
