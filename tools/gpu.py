"""The book's GPU cells: `python -m tools.gpu run --out gpu.json` runs them, `python -m tools.gpu store gpu.json` puts their outputs into the notebooks.

`run` needs a GPU, PyTorch, NumPy and Matplotlib, and no Jupyter. Each `#| cuda` cell gets a process of its own, so that a
failure or a time-out costs one cell, and the file is written after each, so that the same command goes on where it was
stopped. With NNBOOK_GPU=cpu the cells run in small on the processor: a rehearsal, whose outputs are never stored.

The file holds {"NOTEBOOK:CELL": result}; a result has

    notebook, cell, hash      which cell, and the short hash of its source
    gpu, device, versions     whether it ran on a GPU, on which, with which libraries
    state, seconds, date      "ok", "failed" or "timeout"; seconds of the whole process
    log                       what else the process wrote, warnings above all
    outputs, peak_mb, error   as a notebook has them; peak memory; the traceback, or how the process ended
"""

import argparse
import ast
import contextlib
import faulthandler
import importlib
import io
import json
import linecache
import os
import resource
import signal
import subprocess
import sys
import threading
import time
import traceback
from dataclasses import dataclass
from datetime import date
from importlib import metadata
from pathlib import Path
from tempfile import TemporaryDirectory

from tools.cells import ENVIRONMENT, NBS, entry, find, kind, source_hash, source_of

ROOT = Path(__file__).resolve().parent.parent
CHILD = "__import__('tools.gpu').gpu.child()"                # binds no name in `__main__`, where the cell runs
PROBE = "__import__('tools.gpu').gpu.probe()"


def write(path: Path, data: dict) -> None:
    "Write JSON so that the file is whole at any time."
    partial = path.with_name(f"{path.name}.partial")
    partial.write_text(json.dumps(data, ensure_ascii=False, indent=1), encoding="utf-8")
    os.replace(partial, path)


def read(path: Path) -> dict:
    "The results of a file; exits when it holds anything else."
    try:
        results = json.loads(path.read_text(encoding="utf-8"))
        if all("state" in r and "gpu" in r for r in results.values()):
            return results
    except FileNotFoundError:
        sys.exit(f"there is no {path}; `python -m tools.gpu run --out {path}` writes it on a machine with a GPU")
    except (ValueError, AttributeError, TypeError):
        pass
    sys.exit(f"{path} is not a file of results; name another, or move it away")


# ---------------------------------------------------------------- the process of one cell


class Stream(io.TextIOBase):
    "Standard output as a notebook keeps it, in order with what is displayed."

    def __init__(self, outputs: list):
        self.outputs = outputs

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        if text and (not self.outputs or self.outputs[-1]["output_type"] != "stream"):
            self.outputs.append({"output_type": "stream", "name": "stdout", "text": ""})
        if text:
            self.outputs[-1]["text"] += text
        return len(text)


def show_in(outputs: list) -> None:
    "Let what the library would display in Jupyter go to `outputs`."
    for name in ("plots", "claims"):
        module = importlib.import_module(f"nnbook.{name}")
        module._show_hook = lambda data: outputs.append({"output_type": "display_data", "metadata": {}, "data": data})


def execute(source: str, name: str, outputs: list) -> None:
    "Execute a cell in `__main__`; the value of an expression at its end is an output, unless it is None or a semicolon follows."
    linecache.cache[name] = len(source), None, source.splitlines(keepends=True), name       # for tracebacks and inspect.getsource
    tree, main = ast.parse(source, name), vars(sys.modules["__main__"])
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, name, "exec"), main)
    if last is None:
        return
    value = eval(compile(ast.Expression(last.value), name, "eval"), main)
    rest = source.split("\n")[last.end_lineno - 1].encode()[last.end_col_offset :]
    if value is not None and not rest.lstrip().startswith(b";"):
        outputs.append({"output_type": "execute_result", "metadata": {}, "execution_count": None, "data": {"text/plain": repr(value)}})


def peak_mb() -> int:
    "Peak memory in MB: the GPU's where the cell used one, else the process's. Errors of the GPU's pending work show here."
    torch = sys.modules.get("torch")
    if torch and torch.cuda.is_initialized():
        torch.cuda.synchronize()
        return round(torch.cuda.max_memory_allocated() / 2**20)
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10)


def perform(source: str, name: str) -> dict:
    "Run a cell and return what became of it."
    outputs = []
    try:
        show_in(outputs)
        with contextlib.redirect_stdout(Stream(outputs)):
            execute(source, name, outputs)
        return {"state": "ok", "outputs": outputs, "peak_mb": peak_mb()}
    except BaseException:                                    # SystemExit as well: a cell does not end its own process
        return {"state": "failed", "outputs": outputs, "error": traceback.format_exc()}


def child() -> None:
    "The process of one cell, which comes as a line of JSON on standard input. When that closes, the runner has died, and the cell dies too."
    order = json.loads(sys.stdin.readline())
    runner = os.dup(0)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    threading.Thread(target=lambda: os.read(runner, 1) or os.killpg(0, signal.SIGKILL), daemon=True).start()
    faulthandler.enable()
    faulthandler.register(signal.SIGTERM, chain=True)       # on a time-out the log says where the cell stood
    write(Path(order["result"]), perform(order["source"], order["name"]))
    sys.stderr.flush()
    os._exit(0)                                              # whatever the cell has left running


def probe() -> None:
    "Print as JSON where this machine runs the cells, or exit with what is missing."
    try:
        import torch
    except ModuleNotFoundError as error:
        sys.exit(f"the GPU cells need PyTorch: {error}")
    gpu = os.environ.get("NNBOOK_GPU", "cuda") == "cuda"
    if gpu and not torch.cuda.is_available():
        sys.exit(f"PyTorch {torch.__version__} sees no GPU here; run this where it sees one, or set NNBOOK_GPU=cpu to rehearse the cells on the processor")
    versions = {}
    for package in ("numpy", "matplotlib", "torch"):
        with contextlib.suppress(metadata.PackageNotFoundError):
            versions[package] = metadata.version(package)
    if gpu:
        versions["cuda"] = torch.version.cuda
    print(json.dumps({"gpu": gpu, "device": torch.cuda.get_device_name() if gpu else "cpu", "versions": versions}))


# ---------------------------------------------------------------- the runner


@dataclass(frozen=True)
class Cell:
    "A GPU cell of the book, and the hash of the source that its stored output belongs to ('' when it has never run)."

    notebook: str
    id: str
    source: str
    hash: str
    recorded: str

    @property
    def name(self) -> str:
        return f"{self.notebook}:{self.id}"


def cells(paths: list[Path]) -> list[Cell]:
    "The GPU cells of notebooks: first those that never ran, then those that changed since, then the others."
    found = []
    for path in paths:
        nb = json.loads(path.read_text(encoding="utf-8"))
        record = nb["metadata"].get("nnbook", {}).get("cells", {})
        for c in nb["cells"]:
            if c["cell_type"] == "code" and kind(c) == "cuda":
                recorded = record.get(c["id"], {}).get("hash", "").partition(":")[0]
                found.append(Cell(path.name, c["id"], source_of(c), source_hash(c), recorded))
    return sorted(found, key=lambda c: (c.recorded != "", c.recorded == c.hash))


def environment() -> dict[str, str]:
    "That of the notebook runner, with the library and the tools of this checkout."
    return os.environ | ENVIRONMENT | {"PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))}


def machine() -> dict:
    "Whether a GPU runs the cells, its name, and the versions of libraries; asked in a process of its own. Exits when there is none."
    if os.environ.get("NNBOOK_GPU", "cuda") not in ("cuda", "cpu"):
        sys.exit(f'NNBOOK_GPU is "cuda" (the default) or "cpu", got {os.environ["NNBOOK_GPU"]!r}')
    asked = subprocess.run([sys.executable, "-c", PROBE], env=environment(), capture_output=True, text=True)
    if asked.returncode:
        sys.exit(asked.stderr.strip())
    return json.loads(asked.stdout.splitlines()[-1])


def end(process: subprocess.Popen) -> None:
    "End a cell's process and all that it started."
    for sign in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, sign)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=3)


def outcome(process: subprocess.Popen, limit: float) -> dict:
    "What became of a cell that left no result."
    if process.returncode is None:
        return {"state": "timeout", "outputs": [], "error": f"stopped after {limit:.0f} s"}
    status = process.returncode
    how = signal.Signals(-status).name if status < 0 else f"exit status {status}"
    return {"state": "failed", "outputs": [], "error": f"the process ended with {how} before the cell was done"}


def attempt(cell: Cell, limit: float) -> dict:
    "Run a cell in a process of its own, within `limit` seconds."
    with TemporaryDirectory() as folder:
        result, log, start = Path(folder, "result.json"), Path(folder, "log"), time.monotonic()
        order = json.dumps({"source": cell.source, "name": cell.name, "result": str(result)}) + "\n"
        with log.open("wb") as stream:
            process = subprocess.Popen([sys.executable, "-c", CHILD], cwd=NBS, env=environment(), stdin=subprocess.PIPE, stdout=stream, stderr=stream, start_new_session=True)
        try:
            with contextlib.suppress(BrokenPipeError):
                process.stdin.write(order.encode())
                process.stdin.flush()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=limit)
            done = None if result.exists() else outcome(process, limit)
        finally:
            end(process)
            with contextlib.suppress(BrokenPipeError):
                process.stdin.close()
        return (done or json.loads(result.read_text(encoding="utf-8"))) | {"seconds": round(time.monotonic() - start, 1), "log": log.read_text(errors="replace")[-10_000:]}


def line(cell: Cell, result: dict) -> str:
    "What became of a cell, for the run's log: one line, and the end of what else the process wrote."
    memory = f", {result['peak_mb']:,} MB" if "peak_mb" in result else ""
    why = f": {result['error'].strip().splitlines()[-1]}" if "error" in result else ""
    return "\n    ".join([f"{cell.name}: {result['state']}, {result['seconds']} s{memory}{why}", *result["log"].splitlines()[-20:]])


def run(out: Path, chapters: list[str], limit: float, total: float, every: bool) -> bool:
    "Run cells and write their results to `out`; whether all of them are there."
    begun, paths, here = time.monotonic(), find(chapters), machine()
    results = read(out) if out.exists() else {}
    if not here["gpu"] and any(r["gpu"] for r in results.values()):
        sys.exit(f"{out} holds outputs from a GPU; name another file for the rehearsal")
    write(out, results)                                      # fails now rather than after the first cell
    wanted = [c for c in cells(paths) if every or c.recorded != c.hash]
    have = lambda c: (r := results.get(c.name)) is not None and (r["state"], r["hash"], r["device"]) == ("ok", c.hash, here["device"])
    todo, ran = [c for c in wanted if not have(c)], 0
    print(f"{len(todo)} GPU cells to run on {here['device']}; {len(wanted) - len(todo)} are in {out}", flush=True)
    for cell in todo:
        left = total - (time.monotonic() - begun)
        if left <= 0:
            break
        done = attempt(cell, min(limit, left))
        results[cell.name] = {"notebook": cell.notebook, "cell": cell.id, "hash": cell.hash, "date": date.today().isoformat(), **here, **done}
        write(out, results)
        print(line(cell, done), flush=True)
        ran += 1
    good = sum(map(have, todo))
    print(f"{good} ok, {ran - good} failed, {len(todo) - ran} not run for want of time; {time.monotonic() - begun:.0f} s; the results are in {out}")
    return good == len(todo)


# ---------------------------------------------------------------- the notebooks


def objection(result: dict, cell) -> str:
    "Why a result does not belong into the notebook whose cell is given (None for no such cell); '' when it does."
    if not result["gpu"]:
        return f"it ran on {result['device']}, and a GPU output comes from a GPU"
    if result["state"] != "ok":
        return f"it has failed: {result['error'].strip().splitlines()[-1]}"
    if cell is None or kind(cell) != "cuda":
        return "the notebook has no such GPU cell"
    return "" if source_hash(cell) == result["hash"] else "its code has changed since it ran"


def store_in(path: Path, results: list[dict]) -> bool:
    "Store the outputs of one notebook's cells; whether all of them."
    import nbformat

    from tools.run import save

    nb = nbformat.read(path, as_version=4) if path.is_file() else nbformat.v4.new_notebook()
    code, stored = {c.id: c for c in nb.cells if c.cell_type == "code"}, []
    for result in results:
        why = objection(result, code.get(result["cell"]))
        print(f"{path.name}:{result['cell']}: {f'skipped: {why}' if why else 'stored'}")
        if not why:
            code[result["cell"]].outputs = [nbformat.from_dict(o) for o in result["outputs"]]
            stored.append(result)

    def note(nb) -> None:
        code, record = {c.id: c for c in nb.cells}, nb.metadata.setdefault("nnbook", {}).setdefault("cells", {})
        record.update({r["cell"]: entry(code[r["cell"]], r["device"], r["versions"], r["date"]) for r in stored})

    if stored:
        save(nb, path, note)
    return len(stored) == len(results)


def store(file: Path) -> bool:
    "Store a file's outputs in the notebooks; whether all of them."
    results = list(read(file).values())
    if not results:
        sys.exit(f"{file} holds no results yet")
    notebooks = sorted({r["notebook"] for r in results})
    return all([store_in(NBS / name, [r for r in results if r["notebook"] == name]) for name in notebooks])


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tools.gpu", description="Run the book's GPU cells, and store their outputs.")
    commands = parser.add_subparsers(dest="command", required=True)
    runs = commands.add_parser("run", help="run the cells that have no output of their code, where PyTorch sees a GPU")
    runs.add_argument("chapters", nargs="*", help="numbers such as 05; all notebooks when none is given")
    runs.add_argument("--out", type=Path, required=True, help="the file of results; the same file goes on where it stopped")
    runs.add_argument("--limit", type=float, default=60, help="seconds for a cell (default 60)")
    runs.add_argument("--total", type=float, default=600, help="seconds for all (default 600)")
    runs.add_argument("--all", action="store_true", help="the cells that have an output, too")
    stores = commands.add_parser("store", help="put the outputs into the notebooks whose cells still have the same code")
    stores.add_argument("file", type=Path, help="what `run` has written")
    return parser.parse_args()


def main() -> None:
    args = arguments()
    try:
        done = store(args.file) if args.command == "store" else run(args.out, args.chapters, args.limit, args.total, args.all)
    except KeyboardInterrupt:
        sys.exit("interrupted; the same command goes on")
    sys.exit(0 if done else 1)


if __name__ == "__main__":
    main()
