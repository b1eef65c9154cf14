"The package: lazy, light, one version, and torch only where it belongs."

import ast
import configparser
import os
import re
import subprocess
import sys

import pytest
from conftest import ROOT

import nnbook


def loaded_after(statement: str) -> set[str]:
    "Top-level modules that a fresh interpreter has after `statement` and not before."
    code = f"import sys; before = set(sys.modules); {statement}; print(*sorted({{m.partition('.')[0] for m in set(sys.modules) - before}}))"
    run = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True)
    return {m for m in run.stdout.split() if not m.lstrip("_").startswith("cython")}    # of numpy.random, where it is first used


def test_import_brings_in_only_the_standard_library_and_numpy():
    assert loaded_after("import nnbook") <= {*sys.stdlib_module_names, "numpy", "nnbook"}


def test_import_loads_no_submodule():
    code = "import nnbook, sys; print([m for m in sys.modules if m.startswith('nnbook.')])"
    assert subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"


@pytest.mark.parametrize("module", sorted(p.stem for p in (ROOT / "nnbook").glob("*.py") if not p.stem.startswith("_")))
def test_the_library_imports_with_numpy_alone(module):
    "The book's tools draw and display, and may bring matplotlib; nothing else may bring more than numpy, and nothing torch."
    drawing = {"plots", "explore", "diagrams"}
    new = loaded_after(f"import nnbook.{module}")
    assert "torch" not in new
    if module not in drawing:
        assert new <= {*sys.stdlib_module_names, "numpy", "nnbook"}, f"nnbook.{module} imports more than numpy"


def test_a_submodule_is_loaded_on_first_use():
    assert nnbook.claims.claim is sys.modules["nnbook.claims"].claim
    assert "claims" in dir(nnbook) and "torch" in dir(nnbook)


def test_an_unknown_submodule_is_an_attribute_error_that_lists_the_known():
    with pytest.raises(AttributeError, match="nonsense.*claims"):
        nnbook.nonsense  # noqa: B018


def test_the_version_stands_in_settings_and_init_alike():
    config = configparser.ConfigParser(interpolation=None)
    config.read(ROOT / "settings.ini")
    assert nnbook.__version__ == config["DEFAULT"]["version"]
    literal = re.search(r'^__version__ = "([^"]+)"$', (ROOT / "nnbook/__init__.py").read_text(), re.MULTILINE)
    assert literal and literal[1] == nnbook.__version__


def test_only_the_twins_import_torch():
    for path in (ROOT / "nnbook").rglob("*.py"):
        if "torch" in path.relative_to(ROOT / "nnbook").parts[:1]:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
            assert not any(n.partition(".")[0] == "torch" for n in names), f"{path} imports torch"


def test_without_torch_the_twins_say_what_to_install():
    code = "import sys; sys.modules['torch'] = None\ntry: import nnbook.torch\nexcept ModuleNotFoundError as e: print(e)"
    run = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True)
    assert 'pip install "nnbook[torch]"' in run.stdout


def test_public_names_have_docstrings():
    "Every exported function, class and public method says what it does."
    missing = []
    for path in (ROOT / "nnbook").rglob("*.py"):
        if path.name.startswith("_") or "checkers" in path.parts:
            continue
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_"):
                inner = [n for n in node.body if isinstance(n, ast.FunctionDef) and not n.name.startswith("_")] if isinstance(node, ast.ClassDef) else []
                missing += [f"{path.name}:{node.name}{'.' + n.name if n is not node else ''}" for n in [node, *inner] if not ast.get_docstring(n)]
    assert not missing


@pytest.mark.parametrize("version", ["3.11.0", "3.14.0"])
def test_the_pins_install_on_the_oldest_and_the_newest_python(version, tmp_path):
    "A pin may want a newer patch release than a stock system has. (PyTorch's build for the processor has an index of its own.)"
    pins = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if not line.startswith(("#", "torch=="))]
    pip = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "--no-deps", "--only-binary=:all:"]
    run = subprocess.run([*pip, "--dry-run", "--python-version", version, "--target", tmp_path, *pins], capture_output=True, text=True)
    if "Temporary failure in name resolution" in run.stderr or "Network is unreachable" in run.stderr:
        assert not os.environ.get("CI"), f"CI must ask the package index whether the pins install:\n{run.stderr}"
        pytest.skip("no network: whether the pins install on every Python has not been asked")
    assert run.returncode == 0, run.stderr
