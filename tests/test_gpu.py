"The GPU cells: each stands alone and can be rehearsed; the runner loses at most one cell; only what a GPU printed is stored."

import ast
import builtins
import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest
from conftest import NOTEBOOKS, ROOT, read
from test_notebooks import bound

from tools import gpu
from tools.cells import kind
from tools.run import clean, has_gpu, stale

SEES_A_GPU = '''
__version__ = "9.9"
class cuda:
    is_available = lambda: True
    is_initialized = lambda: False
    get_device_name = lambda: "NVIDIA H100"
class version:
    cuda = "13.0"
'''
NO_JUPYTER = "import sys\nsys.modules |= dict.fromkeys(['IPython', 'nbformat', 'nbclient', 'nbdev', 'fastcore'])\n"
SHOWN = """import sys
from nnbook.plots import figure, table
print("one")
table([{"n": 1}])
with figure(alt="A line.") as ax: ax.plot([1, 2])
print("two"); print("three")
print("warned", file=sys.stderr)
[1, 2]"""


# ---------------------------------------------------------------- the book's cells


def faults(source: str) -> list[str]:
    "What keeps a GPU cell from standing alone, or from being rehearsed on the processor."
    tree = ast.parse(source)
    used = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)}
    caught = {n.name for n in ast.walk(tree) if isinstance(n, ast.ExceptHandler)}
    strings = {n.value for n in ast.walk(tree) if isinstance(n, ast.Constant)}
    keys = [{getattr(k, "value", None) for k in n.keys} for n in ast.walk(tree) if isinstance(n, ast.Dict)]
    found = [f"{name} is bound in another cell" for name in sorted(used - bound(tree) - caught - set(dir(builtins)))]
    found += [] if "NNBOOK_GPU" in strings else ["the device does not come from NNBOOK_GPU"]
    return found + ([] if {"cuda", "cpu"} in keys else ['no table has the sizes for "cuda" and for "cpu"'])


GOOD = '''#| cuda
import os
device = os.environ.get("NNBOOK_GPU", "cuda")
n = {"cuda": 10**8, "cpu": 1000}[device]
def double(x, *, by=2): return [y * by for y in x]
print(len(double(range(n))))'''


@pytest.mark.parametrize(("old", "new", "fault"), [
    ("", "", None),
    ("import os", "try: import os\nexcept ImportError as error: print(error)", None),
    ("import os", "", "os is bound in another cell"),
    ('"NNBOOK_GPU"', '"DEVICE"', "the device does not come from NNBOOK_GPU"),
    ('"cpu": 1000', '"cuda:1": 1000', 'no table has the sizes for "cuda" and for "cpu"'),
])
def test_faults_of_a_gpu_cell_are_found(old, new, fault):
    assert faults(GOOD.replace(old, new)) == ([fault] if fault else [])


def gpu_cells():
    return [pytest.param(c.source, id=f"{p.stem}:{c.id}") for p in NOTEBOOKS for c in read(p).cells if c.cell_type == "code" and kind(c) == "cuda"]


@pytest.mark.parametrize("source", gpu_cells())
def test_a_gpu_cell_stands_alone_and_has_sizes_for_the_processor(source):
    assert faults(source) == []


def test_the_gpu_cells_run_in_small_on_the_processor(tmp_path):
    done = subprocess.run([sys.executable, "-m", "tools.gpu", "run", "--all", "--out", str(tmp_path / "gpu.json")], cwd=ROOT,
                          env=os.environ | {"NNBOOK_GPU": "cpu"}, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


# ---------------------------------------------------------------- the runner


@pytest.fixture
def project(tmp_path, monkeypatch):
    "A folder with a notebook of GPU cells, on a machine with a GPU (as a stand-in for PyTorch says) and without Jupyter."
    (tmp_path / "nbs").mkdir()
    (tmp_path / "site").mkdir()
    (tmp_path / "site/torch.py").write_text(SEES_A_GPU)
    (tmp_path / "site/sitecustomize.py").write_text(NO_JUPYTER)
    for name in ("pyproject.toml", "settings.ini"):
        shutil.copy(ROOT / name, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NNBOOK_GPU", raising=False)
    return tmp_path


def write(cells: dict[str, str], name: str = "05_t"):
    code = [nbformat.v4.new_code_cell(source, id=i) for i, source in cells.items()]
    nbformat.write(nbformat.v4.new_notebook(cells=code), f"nbs/{name}.ipynb")


def command(*arguments, jupyter: bool = False, **variables) -> dict:
    path = os.pathsep.join([str(ROOT)] if jupyter else [str(Path("site").absolute()), str(ROOT)])
    return {"args": [sys.executable, "-m", "tools.gpu", *arguments], "env": os.environ | {"PYTHONPATH": path} | variables, "text": True}


def tool(*arguments, **options):
    return subprocess.run(**command(*arguments, **options), capture_output=True)


def results() -> dict:
    return {r["cell"]: r for r in json.loads(Path("gpu.json").read_text()).values()}


def test_outputs_are_those_that_jupyter_would_store(project):
    write({"shown": f"#| cuda\n{SHOWN}", "quiet": "#| cuda\n3; # so\n", "nothing": "#| cuda\nprint", "ordinary": "print(0)"})
    done = tool("run", "--out", "gpu.json")
    assert done.returncode == 0 and "warned" in done.stdout, done.stdout + done.stderr
    shown = results()["shown"]
    first, table, figure, second, value = shown["outputs"]
    assert first == {"output_type": "stream", "name": "stdout", "text": "one\n"} and second["text"] == "two\nthree\n"
    assert table["output_type"] == "display_data" and "<table>" in table["data"]["text/html"] and "<img alt=" in figure["data"]["text/html"]
    assert value == {"output_type": "execute_result", "metadata": {}, "execution_count": None, "data": {"text/plain": "[1, 2]"}}
    assert shown["log"] == "warned\n" and shown["peak_mb"] > 10 and shown["device"] == "NVIDIA H100" and shown["versions"]["cuda"] == "13.0"
    assert results()["quiet"]["outputs"] == [] and results()["nothing"]["outputs"][0]["data"]["text/plain"] == "<built-in function print>"
    assert len(results()) == 3


def test_a_cell_has_main_for_its_module_and_its_source_at_hand(project):
    source = "#| cuda\nimport inspect, pickle\ndef f(): return 1\nprint(__name__, pickle.loads(pickle.dumps(f))(), inspect.getsource(f))\nprint(sorted(n for n in globals() if n[0] != '_'))"
    write({"main": source, "alone": "#| cuda\nsys"})
    tool("run", "--out", "gpu.json")
    assert results()["main"]["outputs"][0]["text"] == "__main__ 1 def f(): return 1\n\n['f', 'inspect', 'pickle']\n"
    assert "name 'sys' is not defined" in results()["alone"]["error"]


FATES = {
    "raises": ("1 / 0", "failed", "ZeroDivisionError: division by zero"),
    "exits": ("import sys\nsys.exit(0)", "failed", "SystemExit: 0"),
    "leaves": ("import os\nos._exit(0)", "failed", "the process ended with exit status 0 before the cell was done"),
    "dies": ("import os\nos.kill(os.getpid(), 9)", "failed", "the process ended with SIGKILL before the cell was done"),
    "asks": ("input()", "failed", "EOFError: EOF when reading a line"),
    "lingers": ("import threading, time\nthreading.Thread(target=time.sleep, args=[99]).start()", "ok", None),
    "works": ("print(1)", "ok", None),
}


def test_a_failure_costs_one_cell_and_is_recorded(project):
    write({name: f"#| cuda\n{source}" for name, (source, _, _) in FATES.items()})
    done = tool("run", "--out", "gpu.json")
    assert done.returncode == 1 and "2 ok, 5 failed" in done.stdout, done.stdout + done.stderr
    assert {name: (r["state"], r.get("error", "\n").splitlines()[-1] or None) for name, r in results().items()} == {name: fate[1:] for name, fate in FATES.items()}
    assert "05_t.ipynb:raises: failed" in done.stdout and "ZeroDivisionError" in done.stdout


def lives(pid: int) -> bool:
    "Whether a process runs; not one that has ended and waits to be fetched."
    status = Path(f"/proc/{pid}/stat")
    return status.exists() and status.read_text().rpartition(")")[2].split()[0] != "Z"


def soon(condition) -> bool:
    "Whether a condition comes true within half a minute."
    end = time.monotonic() + 30
    while not (met := condition()) and time.monotonic() < end:
        time.sleep(0.05)
    return bool(met)


HANGS = """import pathlib, subprocess, time
pathlib.Path("pid").write_text(str(subprocess.Popen(["sleep", "999"]).pid))
while not pathlib.Path("go").exists(): time.sleep(0.05)"""


def test_a_time_out_ends_the_cell_with_all_that_it_started(project):
    write({"hangs": f"#| cuda\n{HANGS}", "works": "#| cuda\nprint(1)"})
    done = tool("run", "--out", "gpu.json", "--limit", "12")
    assert done.returncode == 1 and (results()["hangs"]["state"], results()["works"]["state"]) == ("timeout", "ok"), done.stdout + done.stderr
    assert '"05_t.ipynb:hangs", line 4' in results()["hangs"]["log"], "says where it stood"
    assert not lives(int(Path("nbs/pid").read_text()))


def test_a_runner_that_is_killed_loses_one_cell_and_goes_on_where_it_stopped(project):
    write({"first": "#| cuda\nopen('count', 'a').write('x')", "second": f"#| cuda\n{HANGS}", "third": "#| cuda\nprint(3)"})
    runner = subprocess.Popen(**command("run", "--out", "gpu.json"), stdout=subprocess.DEVNULL)
    assert soon(lambda: Path("nbs/pid").exists() and Path("nbs/pid").read_text())
    runner.kill()
    runner.wait()
    assert list(results()) == ["first"]
    assert soon(lambda: not lives(int(Path("nbs/pid").read_text()))), "the cell in progress ends with its runner"
    Path("nbs/go").touch()
    done = tool("run", "--out", "gpu.json")
    assert done.returncode == 0 and [r["state"] for r in results().values()] == ["ok"] * 3, done.stdout + done.stderr
    assert Path("nbs/count").read_text() == "x"


def test_cells_that_never_ran_come_first_and_those_with_an_output_only_with_all(project):
    write({"same": "#| cuda\n1", "changed": "#| cuda\n2", "new": "#| cuda\n3"})
    nb = read("nbs/05_t.ipynb")
    nb.metadata["nnbook"] = {"cells": {"same": {"hash": f"{gpu.source_hash(nb.cells[0])}:0"}, "changed": {"hash": "0:0"}}}
    nbformat.write(nb, "nbs/05_t.ipynb")
    assert tool("run", "--out", "gpu.json").returncode == 0
    assert list(results()) == ["new", "changed"]
    assert tool("run", "--out", "gpu.json", "--all").returncode == 0
    assert list(results()) == ["new", "changed", "same"]


def test_the_time_for_all_is_kept(project):
    write({"a": "#| cuda\n1"})
    done = tool("run", "--out", "gpu.json", "--total", "0")
    assert done.returncode == 1 and "1 not run for want of time" in done.stdout and results() == {}


def test_what_stands_in_the_way_of_a_run_is_said_before_it(project):
    write({"a": "#| cuda\nprint(1)"})
    (project / "site/torch.py").write_text(SEES_A_GPU.replace("True", "False"))
    assert "PyTorch 9.9 sees no GPU here" in tool("run", "--out", "gpu.json").stderr
    assert 'NNBOOK_GPU is "cuda" (the default) or "cpu", got \'tpu\'' in tool("run", "--out", "gpu.json", NNBOOK_GPU="tpu").stderr
    Path("gpu.json").write_text('{"a": 1}')
    assert "gpu.json is not a file of results" in tool("run", "--out", "gpu.json", NNBOOK_GPU="cpu").stderr
    Path("gpu.json").write_text('{"05_t.ipynb:a": {"gpu": true, "state": "ok"}}')
    assert "name another file for the rehearsal" in tool("run", "--out", "gpu.json", NNBOOK_GPU="cpu").stderr


# ---------------------------------------------------------------- the notebooks


def test_outputs_are_stored_where_the_code_is_the_same(project):
    write({"kept": f"#| cuda\n{SHOWN}", "edited": "#| cuda\nprint(1)", "fails": "#| cuda\n1 / 0", "gone": "#| cuda\n1", "now_ordinary": "#| cuda\n1"})
    tool("run", "--out", "gpu.json")
    before = results()["kept"]
    write({"kept": f"#| cuda\n{SHOWN}", "edited": "#| cuda\nprint(2)", "fails": "#| cuda\n1 / 0", "now_ordinary": "1"})
    done = tool("store", "gpu.json", jupyter=True)
    assert done.returncode == 1
    assert dict(re.findall(r"05_t.ipynb:(\w+): (?:skipped: )?(.+)", done.stdout)) == {
        "kept": "stored", "edited": "its code has changed since it ran", "fails": "it has failed: ZeroDivisionError: division by zero",
        "gone": "the notebook has no such GPU cell", "now_ordinary": "the notebook has no such GPU cell"}, done.stdout + done.stderr
    nb = read("nbs/05_t.ipynb")
    assert [len(c.outputs) for c in nb.cells] == [5, 0, 0, 0]
    assert list(nb.metadata["nnbook"]["cells"]) == ["kept"]
    record = nb.metadata["nnbook"]["cells"]["kept"]
    assert {k: record[k] for k in ("device", "versions", "date")} == {k: before[k] for k in ("device", "versions", "date")} and record["kind"] == "cuda"


def test_a_notebook_with_stored_outputs_is_fresh_and_clean_and_its_cells_are_not_run_again(project):
    write({"a": f"#| cuda\n{SHOWN}", "b": "#| cuda\nobject()"})
    tool("run", "--out", "gpu.json")
    done = tool("store", "gpu.json", jupyter=True)
    assert done.returncode == 0, done.stdout + done.stderr
    stored = Path("nbs/05_t.ipynb").read_bytes()
    assert stale(read("nbs/05_t.ipynb")) == [] and b" at 0x" not in stored
    clean(Path("nbs/05_t.ipynb"))
    assert Path("nbs/05_t.ipynb").read_bytes() == stored
    assert "0 GPU cells to run" in tool("run", "--out", "other.json").stdout


def test_a_gpu_output_comes_from_a_gpu(project):
    write({"a": "#| cuda\nimport os\nos.environ['NNBOOK_GPU'] = 'cuda'\nprint(1)"})
    assert tool("run", "--out", "gpu.json", NNBOOK_GPU="cpu").returncode == 0
    before = Path("nbs/05_t.ipynb").read_bytes()
    done = tool("store", "gpu.json", jupyter=True)
    assert done.returncode == 1 and "it ran on cpu, and a GPU output comes from a GPU" in done.stdout, done.stdout + done.stderr
    assert Path("nbs/05_t.ipynb").read_bytes() == before


def test_store_says_when_there_is_nothing_to_store(project):
    done = tool("store", "gpu.json", jupyter=True)
    assert done.returncode == 1 and "there is no gpu.json" in done.stderr
    Path("gpu.json").write_text("{}")
    assert "gpu.json holds no results yet" in tool("store", "gpu.json", jupyter=True).stderr


def test_the_notebook_runner_stores_no_rehearsal_either(monkeypatch):
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.delenv("NNBOOK_GPU", raising=False)
    assert has_gpu()
    monkeypatch.setenv("NNBOOK_GPU", "cpu")
    assert not has_gpu()
