"""Run notebooks in fresh kernels: `python -m tools.run 02` runs a chapter for the book, `python -m tools.run --check` tests them all.

A run for the book exports the notebook, executes it, stores its outputs and cleans it. It also writes, under the
notebook's `nnbook` metadata, what the page shows and the tests check:

    code    ["ID:SOURCE:OUTPUT", ...]   each ordinary code cell in order, with short hashes of it and of its outputs
    cells   {cell id: {kind, hash, device, versions, date}}   for each `#| slow` or `#| cuda` cell that has been run
    budget  {seconds, peak_mb, device, python, versions, date}   of the ordinary cells, on one core

`stale` compares them with the notebook as it stands. Cells marked `#| cuda` run only where PyTorch sees a GPU, and keep
the outputs recorded on one otherwise.
"""

import argparse
import os
import platform
import re
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from datetime import date
from importlib import metadata
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from tools.cells import ENVIRONMENT, NBS, cell_hash, entry, find, kind, source_hash
from tools.notebook import is_closed

REPORTED = ("numpy", "matplotlib", "torch", "scikit-learn")


# --- whether outputs belong to their code

def stale(nb) -> list[str]:
    "One line for each code cell whose outputs don't belong to its code; empty when all do."
    record = nb.metadata.get("nnbook", {})
    code = dict(line.split(":", 1) for line in record.get("code", []))
    found, seen = [], []
    for cell in (c for c in nb.cells if c.cell_type == "code"):
        title = next((line for line in cell.source.splitlines() if not line.startswith("#|")), "")[:60]
        ran = record.get("cells", {}).get(cell.id, {}).get("hash") if kind(cell) else code.get(cell.id)
        seen += [] if kind(cell) else [cell.id]
        if kind(cell) and ran is None and not cell.outputs:
            continue                                          # never run, and says so on the page
        if ran is None:
            found.append(f"cell {cell.id} ({title!r}) has not been run")
        elif ran.partition(":")[0] != source_hash(cell):
            found.append(f"cell {cell.id} ({title!r}) has changed since it ran")
        elif ran != cell_hash(cell):
            found.append(f"cell {cell.id} ({title!r}): its stored output is not what the run printed")
    if not found and seen != list(code):
        found.append("cells have been removed or moved since the notebook ran")
    return found


# --- running

def device(gpu: bool) -> str:
    "The processor's name, or the GPU's."
    if gpu:
        import torch
        return torch.cuda.get_device_name()
    info = Path("/proc/cpuinfo")
    model = re.search(r"model name\s*:\s*(.+)", info.read_text()) if info.exists() else None
    return (model[1].strip() if model else platform.processor() or platform.machine()) + ", one core"


def versions(nb) -> dict[str, str]:
    "Versions of the libraries that the notebook's code, or the book's figures, use."
    source = "\n".join(c.source for c in nb.cells if c.cell_type == "code")
    used = [p for p in REPORTED if p in ("numpy", "matplotlib") or re.search(rf"\b(import|from) {p.replace('scikit-learn', 'sklearn')}\b", source)]
    return {p: metadata.version(p) for p in used}


def has_gpu() -> bool:
    "Whether cuda cells run here: PyTorch sees a GPU, and NNBOOK_GPU does not send them to the processor (see `tools.gpu`)."
    if os.environ.get("NNBOOK_GPU", "cuda") != "cuda":
        return False
    try:
        import torch
    except ModuleNotFoundError:
        return False
    return torch.cuda.is_available()


def wanted(cell, slow: str | None, gpu: bool) -> bool:
    "Whether a cell runs: slow ones in whose code the pattern `slow` is found (none when it is None), cuda ones on a GPU."
    return {"": True, "slow": slow is not None and bool(re.search(slow, cell.source)), "cuda": gpu}.get(kind(cell), False)


PEAK = """
import re, resource, sys
try:                                     # Linux: ru_maxrss would include the process that started the kernel
    peak = int(re.search(r"VmHWM:\\s*(\\d+)", open("/proc/self/status").read())[1]) / 2**10
except OSError:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
print(peak)
"""


def execute(nb, slow: str | None, gpu: bool, done: list) -> dict:
    "Run a notebook's cells in a fresh kernel, outputs in place, slow and cuda ones into `done`; return the budget (seconds of ordinary cells, peak memory)."
    client = NotebookClient(nb, kernel_name="python3", resources={"metadata": {"path": str(NBS)}}, record_timing=False, coalesce_streams=True,
                            extra_arguments=["--log-level=ERROR"])
    seconds = 0.0
    with client.setup_kernel(env=os.environ | ENVIRONMENT):
        for i, cell in enumerate(nb.cells):
            if cell.cell_type == "code" and wanted(cell, slow, gpu):
                start = time.perf_counter()
                client.timeout = None if kind(cell) == "slow" else 1800      # seconds
                client.execute_cell(cell, i)
                seconds += 0 if kind(cell) else time.perf_counter() - start
                if kind(cell): done.append(cell)
        probe = nbformat.v4.new_code_cell(PEAK)
        nb.cells.append(probe)
        client.execute_cell(probe, len(nb.cells) - 1)
        nb.cells.pop()
    return {"seconds": round(seconds, 1), "peak_mb": round(float(probe.outputs[0].text))}


def record(nb, budget: dict, slow: str | None, gpu: bool) -> None:
    "Write the notebook's `nnbook` metadata after a run."
    old = nb.metadata.get("nnbook", {}).get("cells", {})
    here = {"versions": versions(nb), "date": date.today().isoformat()}
    code, cells = [], {}
    for cell in (c for c in nb.cells if c.cell_type == "code"):
        if not kind(cell):
            code.append(f"{cell.id}:{cell_hash(cell)}")
        elif wanted(cell, slow, gpu):
            cells[cell.id] = entry(cell, device(kind(cell) == "cuda"), **here)
        elif cell.id in old:
            cells[cell.id] = old[cell.id]
    nb.metadata["nnbook"] = {"code": code, "cells": cells, "budget": {**budget, "device": device(False), "python": platform.python_version(), **here}}


def collapse(nb) -> None:
    "Close in JupyterLab the cells that the page folds or does not show, and open all others."
    for cell in (c for c in nb.cells if c.cell_type == "code"):
        cell.metadata.pop("jupyter", None)
        if is_closed(cell):
            cell.metadata["jupyter"] = {"source_hidden": True}


def clean(path: Path) -> None:
    "Remove what differs from run to run, as nbdev-clean does."
    from nbdev.clean import nbdev_clean
    nbdev_clean(str(path))


def save(nb, path: Path, note) -> None:
    "Write a notebook, cleaned, and then what `note(nb)` adds to its metadata: hashes are those of cleaned outputs."
    for cell in (c for c in nb.cells if c.cell_type == "code"):
        cell.execution_count = None
    nbformat.write(nb, path)
    clean(path)
    nb = nbformat.read(path, as_version=4)
    note(nb)
    collapse(nb)
    nbformat.write(nb, path)
    clean(path)


def keep(path: Path, done: list) -> None:
    "Store what the slow and cuda cells of a run that failed later have printed, with their records: an hour's work stands in results already."
    nb, ran = nbformat.read(path, as_version=4), {cell.id: cell for cell in done}
    for cell in (c for c in nb.cells if c.id in ran):
        cell.outputs = ran[cell.id].outputs
    def note(cleaned):
        here = {"versions": versions(cleaned), "date": date.today().isoformat()}
        cells = cleaned.metadata.setdefault("nnbook", {}).setdefault("cells", {})
        cells.update({c.id: entry(c, device(kind(c) == "cuda"), **here) for c in cleaned.cells if c.id in ran})
    save(nb, path, note)


def run(path: Path, store: bool, slow: str | None) -> str:
    "Run one notebook and return a line about it. Raises CellExecutionError when a cell fails."
    nb, gpu, done = nbformat.read(path, as_version=4), has_gpu(), []
    try:
        budget = execute(nb, slow, gpu, done)
    except CellExecutionError:
        if store and done:
            keep(path, done)
        raise
    if store:
        save(nb, path, lambda cleaned: record(cleaned, budget, slow, gpu))
    return f"{path.name}: {budget['seconds']} s, {budget['peak_mb']} MB"


def run_checkers(path: Path) -> str:
    "Run a notebook's cells of exercises' checkers, a module that needs nothing of the chapter, and store that; all else stays as it was."
    nb = nbformat.read(path, as_version=4)
    cells = [c for c in nb.cells if c.cell_type == "code" and re.search(r"^#\|\s*export\s+checkers\.", c.source, re.MULTILINE)]
    execute(nbformat.v4.new_notebook(cells=list(cells)), None, False, [])
    def note(cleaned):
        ran = {c.id: f"{c.id}:{cell_hash(c)}" for c in cleaned.cells if c.id in {cell.id for cell in cells}}
        lines = cleaned.metadata["nnbook"]["code"]
        cleaned.metadata["nnbook"]["code"] = [ran.get(line.partition(":")[0], line) for line in lines]
    save(nb, path, note)
    return f"{path.name}: {len(cells)} cells of checkers"


def attempt(path: Path, store: bool, slow: str | None) -> tuple[bool, str]:
    "`run`, with a failure as text that names the notebook."
    try:
        return True, run(path, store, slow)
    except CellExecutionError as error:
        return False, f"{path.name} failed:\n{error}"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.run", description="Run notebooks in fresh kernels.")
    parser.add_argument("chapters", nargs="*", help="numbers such as 02; all notebooks when none is given")
    parser.add_argument("--check", action="store_true", help="run without storing anything")
    parser.add_argument("--no-slow", action="store_true", help="keep the stored outputs of slow cells (always so with --check unless SLOW=1)")
    parser.add_argument("--cell", default="", metavar="PATTERN", help="of the slow cells run only those in whose code the regular expression is found, such as 10_depth")
    parser.add_argument("--checkers", action="store_true", help="run only the cells of the exercises' checkers, and keep all other outputs")
    parser.add_argument("--jobs", type=int, default=2, help="notebooks at a time (default 2)")
    parser.add_argument("--fold", action="store_true", help="run nothing; only let JupyterLab fold the cells that the page folds")
    args = parser.parse_args()
    paths, store = find(args.chapters), not args.check
    if args.checkers and args.check: parser.error("--checkers stores what it ran, and --check stores nothing; choose one")
    if args.fold:
        for path in paths:
            nb = nbformat.read(path, as_version=4)
            collapse(nb)
            nbformat.write(nb, path)
        return
    if args.cell and not any(kind(c) == "slow" and re.search(args.cell, c.source) for path in paths for c in nbformat.read(path, as_version=4).cells):
        parser.error(f"{args.cell!r} is found in no slow cell of the given notebooks")
    slow = args.cell if not args.no_slow and (store or os.environ.get("SLOW") == "1") else None
    if store:
        from tools.export import export
        export([])                                             # all: the index of names must be in step as well
    if args.checkers:
        for path in paths: print(run_checkers(path))
        return
    with ProcessPoolExecutor(min(args.jobs, len(paths))) as pool:
        results = []
        for ok, line in pool.map(attempt, paths, [store] * len(paths), [slow] * len(paths)):
            print(line, flush=True)
            results.append(ok)
    sys.exit(0 if all(results) else 1)


if __name__ == "__main__":
    main()
