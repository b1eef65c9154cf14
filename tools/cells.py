"""What both runners know of cells: their kind, their hashes, what is recorded of a run, and where they run.

The standard library is enough, so that `tools.gpu` runs on a machine without Jupyter. A cell is nbformat's, or a
dictionary as JSON gives it.
"""

import hashlib
import json
import re
import sys
from pathlib import Path

from tools.notebook import code_of

NBS = Path("nbs")
DIRECTIVE = re.compile(r"^#\|\s*(slow|cuda|eval:\s*false)\b", re.MULTILINE)
ENVIRONMENT = {"NNBOOK_STATIC": "1", "NNBOOK_CELLS": "all", "MPLBACKEND": "agg", "TQDM_DISABLE": "1", "PYTHONHASHSEED": "0", "PYTHONWARNINGS": "default",
               "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


def source_of(cell) -> str:
    "A cell's source; JSON has it as a list of lines."
    return "".join(cell["source"])


def kind(cell) -> str:
    "'slow', 'cuda', 'eval: false', or '' for an ordinary code cell."
    found = DIRECTIVE.search(source_of(cell))
    return re.sub(r"\s+", " ", found[1]) if found else ""


def short_hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def source_hash(cell) -> str:
    "Short hash of a cell's source, the lines that fold it apart."
    return short_hash(code_of(source_of(cell)))


def cell_hash(cell) -> str:
    "Short hashes of a code cell's source and of its outputs, these as nbformat reads them."
    return f"{source_hash(cell)}:{short_hash(json.dumps(cell['outputs'], sort_keys=True, ensure_ascii=False))}"


def entry(cell, device: str, versions: dict, date: str) -> dict:
    "What a notebook's metadata says of a slow or cuda cell that has been run."
    return {"kind": kind(cell), "hash": cell_hash(cell), "device": device, "versions": versions, "date": date}


def begins(name: str, start: str) -> bool:
    "Whether a notebook's name begins so; after a number comes no letter."
    return name.startswith(start) and not (start.isdigit() and name[len(start)].isalpha())


def find(chapters: list[str]) -> list[Path]:
    "The notebooks whose names begin so; all of them for none. A number means the chapter alone: 04, not 04a."
    every = sorted(p for p in NBS.glob("*.ipynb") if not p.name.startswith("_"))
    for chapter in chapters:
        if not any(begins(p.name, chapter) for p in every):
            sys.exit(f"no notebook begins with {chapter!r}; there are {', '.join(p.stem for p in every)}")
    return [p for p in every if not chapters or any(begins(p.name, c) for c in chapters)]
