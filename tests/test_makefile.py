"What `make` does with an environment, asked with `make -n`, which runs nothing."

import os
import shutil
import subprocess

import pytest
from conftest import ROOT


@pytest.fixture
def asked(tmp_path):
    "What make would run in a clone whose environment holds the given files."
    if not shutil.which("make"):
        pytest.skip("no make on this machine")
    for name in ("Makefile", "settings.ini", "setup.py", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, tmp_path)

    def ask(*arguments: str, there: tuple[str, ...] = ()) -> str:
        for name in there:
            (tmp_path / ".venv" / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / ".venv" / name).touch()
        alone = {k: v for k, v in os.environ.items() if not k.startswith("MAKE") and k not in ("CPU_TORCH", "EDIT")}     # `make test` runs this, too
        return subprocess.run(["make", "-n", *arguments], cwd=tmp_path, env=alone, capture_output=True, text=True, check=True).stdout

    return ask


def test_an_environment_without_pip_is_made_anew(asked):
    "As an aborted one is."
    assert "venv --clear .venv" in asked("book", there=("bin/python",))
    assert "venv --clear" not in asked("book", there=("bin/python", "bin/pip"))


def test_pip_may_say_what_is_wrong(asked):
    assert "--quiet" not in asked("test") and " -q" not in asked("test")


def test_pytorch_comes_from_the_index_for_processors_unless_told_otherwise(asked):
    index = "--no-deps --index-url https://download.pytorch.org/whl/cpu torch"
    assert index in asked("lab") and index in asked("test") and index not in asked("book")
    assert "--index-url" not in asked("lab", "CPU_TORCH=")


def test_make_lab_opens_a_readers_copy_and_root_may_start_it(asked):
    said, edit = asked("lab"), asked("lab", "EDIT=1")
    assert "-m tools.lab" in said and said.rstrip().endswith(" lab")
    assert "tools.lab" not in edit and edit.rstrip().endswith(" nbs")
    assert ("--allow-root" in said) == (os.getuid() == 0)


def test_make_run_passes_a_pattern_for_slow_cells_on(asked):
    assert "-m tools.run --cell '10_depth|10_worth' 10" in asked("run", "CH=10", "CELL=10_depth|10_worth")
    assert "--cell" not in asked("run", "CH=10")
