"`make test` runs again what depends on a change, and nothing else; a failure is not remembered, a killed check is no harm."

import json
import os
import signal
import subprocess
import sys

import pytest

from tools import check

RUNNER = '''"Runs the code of a notebook, as tools/run.py does, without a kernel."
import json
import sys
from pathlib import Path

for cell in json.loads(Path("nbs", sys.argv[-1]).read_text())["cells"]:
    if cell["cell_type"] == "code":
        exec("".join(cell["source"]))


def store():
    from tools import later  # noqa
'''
FILES = {
    "pyproject.toml": "", "settings.ini": "[DEFAULT]", ".gitignore": "ignored/\n.cache/\n", "README.md": "",
    "nnbook/__init__.py": '"See `nnbook.a`."\n', "nnbook/a.py": "A = 1\n", "nnbook/b.py": '"Unlike nnbook.c."\nfrom .a import A\n\nB = A + 1\n', "nnbook/c.py": "C = 0\n",
    "nnbook/lazy.py": "def f():\n    from nnbook import c\n\n    return c.C\n", "nnbook/checkers/one.py": "WORD = 'one'\n",
    "nnbook/checkers/__init__.py": "", "tools/__init__.py": "", "tools/run.py": RUNNER, "tools/later.py": "",
    "tests/conftest.py": "ROOT = 3\n", "tests/helper.py": "from nnbook import b\n\nVALUE = b.B\n",
    "tests/test_a.py": "from nnbook.a import A\n\n\ndef test_a():\n    assert A == 1\n",
    "tests/test_b.py": "from helper import VALUE\n\n\ndef test_b():\n    assert VALUE == 2\n\n\ndef test_more():\n    assert VALUE\n",
    "tests/test_lazy.py": "from nnbook.lazy import f\n\n\ndef test_lazy():\n    assert f() == 0\n",
    "tests/test_process.py": "CODE = 'from nnbook import c\\nprint(c.C)'\n\n\ndef test_code():\n    assert CODE\n",
    "nnbook/zoo.py": "", "tests/test_models.py": "from nnbook import zoo\n\n\ndef test_models():\n    assert zoo\n",
    "tests/test_readme.py": "from conftest import ROOT\n\n\ndef test_root():\n    assert ROOT\n",
}
NOTEBOOK = ["#| export\nfrom nnbook import b", "def check(*_): pass\ncheck('one.1', b)", "stored = 'results/01_x.json'"]


def cell(kind: str, source: str, **more) -> dict:
    return {"cell_type": kind, "id": "x", "metadata": {}, "source": source, **more}


def write_notebook(root, code, text="Words."):
    cells = [cell("markdown", text), *(cell("code", c, outputs=[], execution_count=None) for c in code)]
    (root / "nbs/01_one.ipynb").write_text(json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))


@pytest.fixture
def project(tmp_path, monkeypatch):
    "A small project in which everything is known to have passed."
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    for name in ("nbs", "nnbook/_results"):
        (tmp_path / name).mkdir()
    (tmp_path / "nnbook/_results/01_x.json").write_text("1")
    (tmp_path / "nnbook/_results/zoo_x.safetensors").write_text("1")
    write_notebook(tmp_path, NOTEBOOK)
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    everything_passed(tmp_path)
    return tmp_path


ALL = {"lint", "nbs/01_one.ipynb", *(name for name in FILES if name.startswith("tests/test_"))}
EVERY_FILE = {"lint", "tests/test_readme.py"}  # they depend on all the project's files


def everything_passed(root) -> None:
    for task in check.tasks(root):
        check.remember(root / ".cache/check.json", task, check.Result(2, 0, 0, 0.1, 0.1, check.key_of(task)))


def due(root) -> set[str]:
    "What would run."
    return {t.name for t in check.due(check.tasks(root), check.load(root / ".cache/check.json"))}


def edit(root, name: str, text: str = "\n# changed\n") -> None:
    with (root / name).open("a") as file:
        file.write(text)


# ---------------------------------------------------------------- what depends on what


@pytest.mark.parametrize(("file", "dependents"), [
    ("nnbook/a.py", {"nbs/01_one.ipynb", "tests/test_a.py", "tests/test_b.py"}),
    ("nnbook/b.py", {"nbs/01_one.ipynb", "tests/test_b.py"}),
    ("nnbook/c.py", {"tests/test_lazy.py", "tests/test_process.py"}),
    ("nnbook/checkers/one.py", {"nbs/01_one.ipynb"}),
    ("nnbook/_results/01_x.json", {"nbs/01_one.ipynb"}),
    ("nnbook/_results/zoo_x.safetensors", {"tests/test_models.py"}),
    ("tools/run.py", {"nbs/01_one.ipynb"}),
    ("tools/later.py", set()),
    ("tests/helper.py", {"tests/test_b.py"}),
    ("tests/test_a.py", {"tests/test_a.py"}),
    ("README.md", set()),
    ("settings.ini", ALL),
])
def test_a_change_reruns_exactly_what_depends_on_it(project, file, dependents):
    assert due(project) == set()
    edit(project, file)
    assert due(project) == dependents | EVERY_FILE


def test_a_new_file_concerns_those_that_read_the_project_unless_git_ignores_it(project):
    (project / "ignored").mkdir()
    (project / "ignored/x").write_text("x")
    assert due(project) == set()
    (project / "nbs/new.txt").write_text("x")
    assert due(project) == EVERY_FILE


def test_a_notebook_runs_again_for_its_code_and_not_for_its_text(project):
    write_notebook(project, NOTEBOOK, "Other words.")
    assert due(project) == EVERY_FILE
    write_notebook(project, [*NOTEBOOK, "x = 1"])
    assert due(project) == EVERY_FILE | {"nbs/01_one.ipynb"}


@pytest.mark.parametrize("name", ["SLOW", "CI", "NNBOOK_DATA"])
def test_the_environment_counts(project, monkeypatch, name):
    monkeypatch.setenv(name, "other")
    check.surroundings.cache_clear()
    assert due(project) == ALL
    check.surroundings.cache_clear()


def test_without_git_what_reads_the_project_runs_each_time(project):
    (project / ".git").rename(project / "no_git")
    everything_passed(project)
    assert due(project) == EVERY_FILE


@pytest.mark.parametrize(("source", "names"), [
    ("from nnbook import layers", {"nnbook", "nnbook.layers"}),
    ("import nnbook\nnnbook.layers.MLP", {"nnbook", "nnbook.layers.MLP"}),
    ("import nnbook as nn", {"nnbook.*"}),
    ("def f(): import nnbook.optim", {"nnbook.optim"}),
    ("run('import nnbook.data')", {"nnbook.data"}),
    ("f'nnbook.torch.{x}'", {"nnbook.torch"}),
    ("'See nnbook.layers.'", set()),
    ("# nnbook.layers", set()),
    ("grade('neuron.1', f)", {"nnbook.checkers.neuron"}),
    ("import pkgutil\npkgutil.iter_modules(m('nnbook.torch'))", {"pkgutil", "nnbook.torch", "nnbook.torch.*"}),
    ("%magic\nfrom nnbook.optim import SGD", {"nnbook.optim"}),
])
def test_the_modules_that_code_needs_are_found(source, names):
    assert check.names_in(source) - {"run"} == names


def test_relative_imports_are_those_of_the_package():
    assert check.names_in("from ..layers import MLP\nfrom . import twins", "nnbook.torch") == {"nnbook.layers", "nnbook.layers.MLP", "nnbook.torch", "nnbook.torch.twins"}


# ---------------------------------------------------------------- running


def test_what_passed_is_not_run_again_and_is_counted(project, capsys):
    assert check.check(project)
    told = capsys.readouterr().out.splitlines()
    assert told[0].startswith("0 of 8 to run") and "8 of 8 passed before" in told[-2] and told[-1] == "16 passed, 0 failed"


def test_a_failure_is_shown_in_full_and_not_remembered(project, capsys):
    (project / "tests/test_a.py").write_text("import pytest\n\n\ndef test_a():\n    assert 7 == int('1')\n\n\ndef test_b():\n    pytest.skip('no tool')\n\n\ndef test_c():\n    print('quiet')\n")
    write_notebook(project, ["1 / 0"])
    assert not check.check(project, words=["test_a", "one"])
    told = capsys.readouterr().out
    assert "assert 7 == 1" in told and "def test_a()" in told and "ZeroDivisionError" in told
    assert "FAILED: tests/test_a.py, nbs/01_one.ipynb" in told and told.splitlines()[-1] == "1 passed, 2 failed, 1 skipped"
    assert due(project) == EVERY_FILE | {"tests/test_a.py", "nbs/01_one.ipynb"}
    write_notebook(project, ["x = 1"])
    assert check.check(project, words=["one"])
    assert "ZeroDivisionError" not in capsys.readouterr().out and "nbs/01_one.ipynb" not in due(project)


@pytest.mark.parametrize(("text", "verdict"), [("def broken(:\n", False), ("import os\n\nos._exit(3)\n", False), ("x = 1\n", False),
                                              ("import pytest\n\npytest.importorskip('no_such_package')\n", True)])
def test_a_test_file_without_a_test_that_ran_has_failed_unless_it_skips_itself(project, text, verdict):
    (project / "tests/test_a.py").write_text(text)
    result = check.run(check.Task("tests/test_a.py", project))
    assert (result.failed == 0) is verdict and bool(result.key) is verdict
    assert result.passed == 0 and result.skipped == int(verdict)


def test_a_file_that_is_no_notebook_fails_by_its_name(project, capsys):
    (project / "nbs/01_one.ipynb").write_text("<<<<<<< ours")
    assert not check.check(project, words=["one"])
    assert "FAILED: nbs/01_one.ipynb" in capsys.readouterr().out


def test_a_pass_of_what_changed_meanwhile_is_not_remembered(project):
    write_notebook(project, ["from nnbook import a\nwith open('nnbook/a.py', 'a') as file: file.write('#')"])
    assert check.check(project, words=["one"])
    assert "nbs/01_one.ipynb" in due(project)
    (project / "nnbook/a.py").write_text(FILES["nnbook/a.py"])
    assert "nbs/01_one.ipynb" in due(project), "it may have run with the change, so that it never ran with this"


def test_force_runs_what_passed_and_words_choose(project, capsys):
    assert check.check(project, words=["one", "no such"], force=True)
    assert "1 of 1 to run" in capsys.readouterr().out
    with pytest.raises(SystemExit, match="named like zebra; there are lint, nbs/01_one.ipynb"):
        check.check(project, words=["zebra"])


@pytest.mark.parametrize(("name", "value", "forced"), [("CI", "true", True), ("FORCE", "1", True), ("FORCE", "", False), ("CI", "", False)])
def test_ci_and_force_run_all(monkeypatch, name, value, forced):
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.delenv("FORCE", raising=False)
    monkeypatch.setenv(name, value)
    asked = {}
    monkeypatch.setattr(check, "check", lambda words, force: asked.update(force=force) or True)
    monkeypatch.setattr(sys, "argv", ["check"])
    with pytest.raises(SystemExit):
        check.main()
    assert asked == {"force": forced}


def test_a_killed_check_leaves_what_passed_before(project):
    notebook = (project / "nbs/01_one.ipynb").read_text()
    for name in ("02_quick", "03_waits"):
        (project / f"nbs/{name}.ipynb").write_text(notebook.replace("stored =", "import time; time.sleep(30) #" if "waits" in name else "other ="))
    code = f"from pathlib import Path; from tools import check; check.check(Path({str(project)!r}), ['quick', 'waits'], jobs=2)"
    process = subprocess.Popen([sys.executable, "-c", code], cwd=check.ROOT, stdout=subprocess.PIPE, text=True, start_new_session=True)
    assert any("02_quick" in line for line in process.stdout)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert set(json.loads((project / ".cache/check.json").read_text())) == ALL | {"nbs/02_quick.ipynb"}
    assert due(project) == EVERY_FILE | {"nbs/03_waits.ipynb"}


def test_a_spoiled_memory_is_no_memory(project):
    (project / ".cache/check.json").write_text("{")
    assert due(project) == ALL


def test_those_that_use_the_projects_folders_run_one_at_a_time(project):
    source = "import time\n{}\nfor mark in '()':\n    open('.cache/log', 'a').write(mark)\n    time.sleep(0.3)"
    notebook = (project / "nbs/01_one.ipynb").read_text()
    for i in range(3):
        write_notebook(project, [source.format("'site" + ".build'")])
        (project / "nbs/01_one.ipynb").rename(project / f"nbs/0{i + 2}_x.ipynb")
    (project / "nbs/01_one.ipynb").write_text(notebook)
    assert check.check(project, words=["_x"], jobs=3)
    assert (project / ".cache/log").read_text() == "()()()"


def test_the_longest_come_first():
    known = {"lint": {"wall": 1.0}, "tests/test_check.py": {"wall": 20.0}}
    order = sorted([check.Task(name, check.ROOT) for name in [*known, "nbs/96_claims.ipynb", "tests/test_site.py"]], key=lambda t: check.expected(t, known))
    assert [t.name for t in order] == ["nbs/96_claims.ipynb", "lint", "tests/test_check.py", "tests/test_site.py"]


def test_the_summary_warns_of_what_takes_long_and_ends_with_the_counts():
    slow, quick = check.Task("nbs/08_x.ipynb", check.ROOT), check.Task("tests/test_x.py", check.ROOT)
    told = check.summary({quick: check.Result(5, 0, 1, 29, 40), slow: check.Result(1, 0, 0, 46, 50)}, [{"passed": 3, "failed": 0, "skipped": 1}])
    assert told.index("nbs/08_x.ipynb") < told.index("tests/test_x.py")
    assert [line for line in told.splitlines() if line.startswith("warning")] == ["warning: nbs/08_x.ipynb takes 46 CPU seconds; 45 are the limit"]
    assert told.splitlines()[-1] == "9 passed, 0 failed, 2 skipped"
