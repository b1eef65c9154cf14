"""`make test`: lint, every notebook and every test file, each again only when something it depends on has changed since it passed.

    python -m tools.check [WORD ...]     only the tasks whose names hold one of the words

A task's key is a hash of all that it depends on: files, installed packages, the environment. `.cache/check.json` keeps
the key under which each task last passed, and what it took. When in doubt a task depends on more: a test that reads the
project's files depends on all of them. `CI=true` and `FORCE=1` run everything; so does a project without git, which
cannot list its files. The last line counts tests, and notebooks and lint as one each.
"""

import ast
import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import asdict, dataclass
from functools import cache
from importlib import metadata
from pathlib import Path
from xml.etree import ElementTree

from tools.notebook import read, text_of

ROOT = Path(__file__).parent.parent
ONE_CORE = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
LIMITS = {"nbs": 45, "tests": 30}  # CPU seconds that a notebook or a test file should take at most
ALWAYS = ("settings.ini", "pyproject.toml", "constraints.txt", "tools/check.py")  # every task depends on them
OUTSIDE = ("chromium", "chromium-browser", "google-chrome", "quarto", "g++", "clang++", "nvidia-smi")  # tests skip without them


@dataclass(frozen=True)
class Task:
    "Something that passes or fails: 'lint', 'nbs/01_neuron.ipynb' or 'tests/test_data.py'."

    name: str
    root: Path

    @property
    def kind(self) -> str:
        return self.name.partition("/")[0]

    @property
    def file(self) -> Path:
        return self.root / self.name

    def command(self, report: Path) -> list[str]:
        "What runs it; pytest writes its counts to `report`."
        arguments = {"lint": ["ruff", "check", "."], "nbs": ["tools.run", "--check", "--jobs=1", self.file.name],
                     "tests": ["pytest", "-p", "no:cacheprovider", f"--junitxml={report}", self.name]}
        return [sys.executable, "-m", *arguments[self.kind]]


@dataclass
class Result:
    "How a run of a task ended, and what it took in seconds."

    passed: int
    failed: int
    skipped: int
    cpu: float
    wall: float
    key: str = ""  # under which it passed
    output: str = ""


def tasks(root: Path) -> list[Task]:
    "All there is to check."
    files = [*sorted(root.glob("nbs/*.ipynb")), *sorted(root.glob("tests/test_*.py"))]
    return [Task(name, root) for name in ["lint", *(f.relative_to(root).as_posix() for f in files)]]


# ---------------------------------------------------------------- what a task depends on

DOTTED = re.compile(r"\b(?:nnbook|tools)(?:\.\w+)+")
STORED = re.compile(r"""(?:\bstored\(["']|results/)([\w-]+)""")          # results of a long run
WALKS = re.compile(r"\b(?:iter_modules|walk_packages)\b")
READS_PROJECT = {"tests": re.compile(r"\b(?:ROOT|NOTEBOOKS|tools|__file__)\b"), "nbs": re.compile(r"\btools\b|\.\./|_quarto|\.ipynb")}
BUILDS = re.compile(r"\bsite\.build|\btools\.(?:site|export)\b|\bnbdev_export\b|\bproc_nbs\b")


def imported(node: ast.AST, package: str) -> set[str]:
    "The dotted names that a statement imports; a module of `package` may import from '.'."
    if isinstance(node, ast.Import):
        return {f"{a.name}.*" if a.asname else a.name for a in node.names}
    if isinstance(node, ast.ImportFrom):
        parts = package.split(".")
        base = ".".join([*(parts[: len(parts) - node.level + 1] if node.level else []), *filter(None, [node.module])])
        return {base, *(f"{base}.{a.name}" for a in node.names)}
    return set()


def mentioned(node: ast.AST) -> set[str]:
    "The names in a string, which may be code for another process; the checkers that `check(\"neuron.1\", f)` will import."
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and re.search(r"nnbook|tools", node.value):
        return names_in(node.value) | set(DOTTED.findall(node.value))
    if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("check", "grade") and isinstance(node.args[0], ast.Constant):
        return {f"nnbook.checkers.{str(node.args[0].value).partition('.')[0]}"}
    return set()


@cache
def names_in(source: str, package: str = "", lazy: bool = True) -> frozenset[str]:
    "The modules that Python source needs: imported (lazy: also inside functions), named in strings other than docstrings, or graded with."
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):  # no code; a cell with a line for IPython; a file in the middle of an edit
        return frozenset(DOTTED.findall(source))
    if not lazy:
        return frozenset(name for node in tree.body for name in imported(node, package))
    nodes = list(ast.walk(tree))
    docstrings = {n.value for n in nodes if isinstance(n, ast.Expr)} & {n for n in nodes if isinstance(n, ast.Constant)}
    found = {name for node in nodes if node not in docstrings for name in imported(node, package) | mentioned(node)}
    if "nnbook" in found:  # `import nnbook`, and then nnbook.layers.MLP
        found |= set(DOTTED.findall(source))
    return frozenset(found | ({f"{name}.*" for name in found if name.startswith("nnbook.")} if WALKS.search(source) else set()))


def modules(names: Iterable[str], root: Path) -> Iterator[Path]:
    "The files of the project behind dotted names, and of the packages they are in; helper modules of the tests too."
    for name in names:
        parts = name.split(".")
        for n in range(1, len(parts) + 1):
            place = root.joinpath(*parts[:n])
            found = [place.with_suffix(".py"), place / "__init__.py", root / "tests" / f"{parts[0]}.py"]
            if parts[n - 1] == "*":
                found = sorted(place.parent.glob("*.py"))
            yield from (f for f in found if f.is_file())


def closure(files: set[Path], root: Path) -> set[Path]:
    "These files, and the modules that they import, and so on; with nnbook.zoo, its models."
    found, waiting = set(), list(files)
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            package = ".".join(path.relative_to(root).parent.parts)
            waiting += modules(names_in(path.read_text(encoding="utf-8"), package), root)
    return found | (set(root.glob("nnbook/_results/zoo_*")) if root / "nnbook/zoo.py" in found else set())


def runner(root: Path) -> set[Path]:
    "The runner of notebooks with what it imports when it starts; what it imports later is for storing outputs."
    found, waiting = set(), [root / "tools/run.py"]
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            waiting += modules(names_in(path.read_text(encoding="utf-8"), "tools", lazy=False), root)
    return found


def tracked(root: Path) -> set[Path] | None:
    "The files of the project that git does not ignore; None where there is no git to ask."
    try:
        listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=root, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return {root / name for name in listed.stdout.split("\0") if name and (root / name).is_file()}


def code_of(notebook: Path) -> list[str]:
    "The code cells of a notebook: all that running it depends on. Of a file that is no notebook, its text."
    try:
        return [text_of(c["source"]) for c in read(notebook)["cells"] if c["cell_type"] == "code"]
    except (ValueError, KeyError, TypeError):
        return [notebook.read_text(encoding="utf-8")]


def files_of(task: Task) -> set[Path] | None:
    "The files that a task depends on, but for a notebook its own; None when they cannot be known."
    root, always = task.root, {task.root / name for name in ALWAYS if (task.root / name).is_file()}
    code = {"nbs": code_of, "tests": lambda file: [file.read_text(encoding="utf-8")], "lint": lambda _: []}[task.kind](task.file)
    if task.kind == "lint" or any(READS_PROJECT[task.kind].search(c) for c in code):
        every = tracked(root)
        return None if every is None else every | always
    if task.kind == "tests":
        return always | closure({task.file, root / "tests/conftest.py"} & set(root.glob("tests/*.py")), root)
    results = {root / f"nnbook/_results/{name}.json" for name in STORED.findall("\n".join(code))}
    used = closure({path for cell in code for path in modules(names_in(cell), root)}, root)
    return always | runner(root) | used | {r for r in results if r.is_file()}


@cache
def surroundings() -> str:
    "Python, the installed packages, the programs that some tests need, and the variables that tests and notebooks read."
    packages = sorted({f"{d.metadata['Name']} {d.version}" for d in metadata.distributions()})
    variables = sorted(f"{k}={v}" for k, v in os.environ.items() if v and (k in ("SLOW", "CI") or k.startswith("NNBOOK_")))
    return repr([platform.python_version(), packages, [bool(shutil.which(p)) for p in OUTSIDE], variables])


def key_of(task: Task) -> str:
    "The hash of all that a task depends on; empty when that cannot be known."
    files = files_of(task)
    if files is None:
        return ""
    digest = hashlib.sha256(surroundings().encode())
    for path in sorted(files):
        digest.update(f"\0{path.relative_to(task.root)}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    if task.kind == "nbs":
        digest.update(json.dumps(code_of(task.file)).encode())
    return digest.hexdigest()


# ---------------------------------------------------------------- what passed before


def load(store: Path) -> dict[str, dict]:
    "What is known of each task from earlier checks; nothing when the file cannot be read."
    try:
        return json.loads(store.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def remember(store: Path, task: Task, result: Result) -> None:
    "Write a result down, in one step, so that a check that is killed leaves a whole file; a failed task has no key."
    known = load(store) | {task.name: {k: v for k, v in asdict(result).items() if k != "output"}}
    store.parent.mkdir(parents=True, exist_ok=True)
    part = store.with_suffix(f".{os.getpid()}.part")
    part.write_text(json.dumps(known, indent=1), encoding="utf-8")
    part.replace(store)


def expected(task: Task, known: dict[str, dict]) -> tuple[float, int]:
    "For the order, longest first: the time that it took last, or what the notebook says; a test file never seen comes first, by its size."
    if task.name in known:
        return known[task.name]["wall"], 0
    try:
        return read(task.file)["metadata"]["nnbook"]["budget"]["seconds"], 0
    except (OSError, ValueError, KeyError):
        return float("inf"), task.file.stat().st_size if task.file.is_file() else 0


# ---------------------------------------------------------------- running


def counts(report: Path, code: int) -> tuple[int, int, int]:
    "Passed, failed and skipped, as pytest reports them; a run that fails without saying of what counts as one failure."
    if not report.is_file() or not report.stat().st_size:
        return int(code == 0), int(code != 0), 0
    suite = next(ElementTree.parse(report).iter("testsuite"))
    total, failed, skipped = int(suite.get("tests")), int(suite.get("failures")) + int(suite.get("errors")), int(suite.get("skipped"))
    nothing_ran = code == 5 and skipped  # pytest's code where a whole file skips itself
    return max(0, total - failed - skipped), failed or int(code != 0 and not nothing_ran), skipped


def run(task: Task) -> Result:
    "Run a task in a process of its own. Its pass has a key if nothing that it depends on changed meanwhile."
    before, start = key_of(task), time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        report, log = Path(folder, "report.xml"), Path(folder, "output")
        with log.open("wb") as file:
            process = subprocess.Popen(task.command(report), cwd=task.root, env=os.environ | ONE_CORE, stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT)
            _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        passed, failed, skipped = counts(report, process.returncode)
        output = log.read_text(encoding="utf-8", errors="replace")
    wall, cpu = time.perf_counter() - start, usage.ru_utime + usage.ru_stime
    key = before if not failed and before == key_of(task) else ""
    return Result(passed, failed, skipped, round(cpu, 1), round(wall, 1), key, output)


def builds(task: Task) -> bool:
    "Whether a task writes into the project's own folders (`_proc`, `nbs/api`, `.cache/site`) or copies them: one at a time."
    return task.kind != "lint" and bool(BUILDS.search("\n".join(code_of(task.file)) if task.kind == "nbs" else task.file.read_text(encoding="utf-8")))


def run_all(waiting: list[Task], jobs: int) -> Iterator[tuple[Task, Result]]:
    "Run tasks in their order, `jobs` at a time, and yield each as it ends."
    waiting, running = list(waiting), {}
    alone = {task for task in waiting if builds(task)}
    with ThreadPoolExecutor(jobs) as pool:
        while waiting or running:
            busy = bool(alone & set(running.values()))
            task = next((t for t in waiting if not (busy and t in alone)), None) if len(running) < jobs else None
            if task:
                waiting.remove(task)
                running[pool.submit(run, task)] = task
                continue
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                yield running.pop(future), future.result()


# ---------------------------------------------------------------- telling


def line(task: Task, r: Result) -> str:
    tests = f"  {r.passed} passed, {r.failed} failed, {r.skipped} skipped" if task.kind == "tests" else ""
    return f"{'FAILED' if r.failed else 'passed'}  {r.cpu:6.1f} s CPU  {r.wall:6.1f} s  {task.name}{tests}"


def summary(ran: dict[Task, Result], earlier: list[dict]) -> str:
    "What each task took, slowest first, warnings, what was taken from earlier passes, and the counts in the last line."
    slowest = sorted(ran, key=lambda t: -ran[t].cpu)
    told = ["", "What ran, slowest first:", *(line(t, ran[t]) for t in slowest)] if ran else []
    told += [f"warning: {t.name} takes {ran[t].cpu:.0f} CPU seconds; {LIMITS[t.kind]} are the limit" for t in slowest
             if ran[t].cpu > LIMITS.get(t.kind, float("inf")) and not (t.kind == "nbs" and os.environ.get("SLOW") == "1")]
    total = {n: sum(getattr(r, n) for r in ran.values()) + sum(e[n] for e in earlier) for n in ("passed", "failed", "skipped")}
    if earlier:
        told.append(f"{len(earlier)} of {len(ran) + len(earlier)} passed before, and nothing they depend on has changed since (FORCE=1 runs them too).")
    told += [f"FAILED: {', '.join(failed)}"] if (failed := [t.name for t in slowest if ran[t].failed]) else []
    return "\n".join([*told, ", ".join(f"{total[n]} {n}" for n in ("passed", "failed", "skipped") if total[n] or n != "skipped")])


def chosen(root: Path, words: list[str]) -> list[Task]:
    "The tasks whose names hold one of the words; all for none."
    every = tasks(root)
    found = [t for t in every if not words or any(w in t.name for w in words)]
    return found or sys.exit(f"no notebook or test file is named like {' or '.join(words)}; there are {', '.join(t.name for t in every)}")


def due(wanted: list[Task], known: dict[str, dict]) -> list[Task]:
    "The tasks that did not pass with all that they depend on as it is now, longest first."
    changed = [t for t in wanted if not (key := known.get(t.name, {}).get("key")) or key != key_of(t)]
    return sorted(changed, key=lambda t: expected(t, known), reverse=True)


def check(root: Path = ROOT, words: list[str] = (), force: bool = False, jobs: int = os.cpu_count() or 1) -> bool:
    "Run what has to run and tell about it; returns whether all passed."
    store, wanted = root / ".cache/check.json", chosen(root, words)
    known = load(store)
    order = due(wanted, {name: k | {"key": ""} for name, k in known.items()} if force else known)
    print(f"{len(order)} of {len(wanted)} to run, {jobs} at a time", flush=True)
    ran = {}
    for task, result in run_all(order, jobs):
        ran[task] = result
        remember(store, task, result)
        print((f"\n{result.output}\n" if result.failed else "") + line(task, result), flush=True)
    print(summary(ran, [known[t.name] for t in wanted if t not in ran]), flush=True)
    return not any(r.failed for r in ran.values())


def main() -> None:
    force = os.environ.get("CI", "").lower() in ("true", "1") or os.environ.get("FORCE") == "1"
    sys.exit(0 if check(words=sys.argv[1:], force=force) else 1)


if __name__ == "__main__":
    main()
