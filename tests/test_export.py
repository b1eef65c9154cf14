"The library is what the notebooks export: exporting again changes nothing, second modules included."

import shutil
import subprocess
import sys

import pytest
from conftest import ROOT


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    "A copy of the project in which every notebook has been exported twice."
    copy = tmp_path_factory.mktemp("project")
    for name in ("nbs", "nnbook", "tools"):
        shutil.copytree(ROOT / name, copy / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "settings.ini", "setup.py", "README.md", "_quarto.yml"):
        shutil.copy(ROOT / name, copy / name)
    for command in (["-c", "from nbdev.doclinks import nbdev_export; nbdev_export()"], ["-m", "tools.export"]):
        subprocess.run([sys.executable, *command], cwd=copy, check=True, capture_output=True)
    return copy


def sources(project):
    return {p.relative_to(project): p.read_text() for p in sorted((project / "nnbook").rglob("*.py"))}


def test_exporting_changes_nothing(exported):
    before, after = sources(ROOT), sources(exported)
    assert set(before) == set(after), "modules without a notebook, or notebooks without a module"
    assert [str(p) for p in before if before[p] != after[p]] == [], "run `make export`"


def test_notebooks_are_clean(exported):
    subprocess.run([sys.executable, "-c", "from nbdev.clean import nbdev_clean; nbdev_clean('nbs')"], cwd=exported, check=True, capture_output=True)
    dirty = [p.name for p in (exported / "nbs").glob("*.ipynb") if p.read_text() != (ROOT / "nbs" / p.name).read_text()]
    assert dirty == [], "run nbdev-clean"


def test_a_second_module_is_written_once(tmp_path, exported):
    "nbdev alone would append its cells at every export."
    for module in (exported / "nnbook").glob("*/*.py"):
        cells = [line for line in module.read_text().splitlines() if line.startswith("# %% ..")]
        assert len(cells) == len(set(cells)), module
