"A user's code passes two type checkers, which know what the engine's operators return; and the stubs say what the modules do."

import ast
import importlib.util
import json
import os
import re
import subprocess
import sys

import pytest
from conftest import ROOT

from tools import stubs

PYRIGHT = {"typeCheckingMode": "standard", "enableTypeIgnoreComments": True, "reportUnnecessaryTypeIgnoreComment": "error"}
MYPY = """[mypy]
follow_imports = silent
warn_unused_ignores = True
[mypy-torch.*,matplotlib.*,sklearn.*,pandas.*,IPython.*,PIL.*]
follow_imports = skip
"""


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    "A folder with what users write: samples of all kinds, the examples of the reference, the README's ten lines; under names that are no module's."
    folder = tmp_path_factory.mktemp("typed")
    (readme,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    (folder / "user_readme.py").write_text(readme)
    for file in [*(ROOT / "tests/typed").glob("*.py"), *(ROOT / "tools/examples").glob("*.py")]:
        (folder / f"user_{file.stem}.py").write_text(file.read_text())
    (folder / "mypy.ini").write_text(MYPY)
    (folder / "pyrightconfig.json").write_text(json.dumps({**PYRIGHT, "extraPaths": [str(ROOT)]}))
    return folder


def checker(name: str, *arguments) -> str:
    "What a type checker says; '' when it finds nothing."
    if not importlib.util.find_spec(name):
        assert not os.environ.get("CI"), f"CI must have {name}"
        pytest.skip(f"{name} is not installed")
    run = subprocess.run([sys.executable, "-m", name, *map(str, arguments)], cwd=ROOT, capture_output=True, text=True)
    return run.stdout + run.stderr if run.returncode else ""


def test_mypy(sample):
    assert checker("mypy", "--config-file", sample / "mypy.ini", f"--cache-dir={ROOT / '.cache/mypy'}", sample) == ""


def test_pyright(sample):
    assert checker("basedpyright", "--project", sample, "--pythonpath", sys.executable) == ""


@pytest.mark.parametrize("name", stubs.MODULES)
def test_stubs_are_in_step_with_the_library(name):
    "The stub, but for its layout, which differs between versions of Python, is the one that the module gives."
    there = (ROOT / f"nnbook/{name}.pyi").read_text()
    assert ast.dump(ast.parse(there)) == ast.dump(ast.parse(stubs.stub(name))), "run `make export`"


def test_what_the_stub_of_the_engine_says():
    "Methods that were attached, properties, torch's names, the options of the functions that were lifted; and nothing private."
    tree = ast.parse((ROOT / "nnbook/autograd.pyi").read_text())
    tensor = next(n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == "Tensor")
    methods = {n.name: n for n in tensor.body if isinstance(n, ast.FunctionDef)}
    said = lambda name: f"({ast.unparse(methods[name].args)}) -> {ast.unparse(methods[name].returns)}"
    assert said("softmax") == "(self, axis: int=-1, *, dim: int=...) -> Tensor"
    assert said("leaky_relu") == "(self, negative_slope: float=0.01) -> Tensor"
    assert said("cumsum") == "(self, axis: int=..., *, dim: int=...) -> Tensor"
    assert said("__rsub__") == "(self, other: _Operand) -> Tensor"
    assert said("register_hook") == "(self, hook: Callable) -> HookHandle"
    assert ast.unparse(methods["shape"].decorator_list[0]) == "property" and said("T") == "(self) -> Tensor"
    assert ast.unparse(methods["of"].decorator_list[0]) == "staticmethod"
    assert not [n for n in methods if n.startswith("_") and not n.endswith("__")] and "__iadd__" not in methods
    assert all(n.returns for n in methods.values())


def test_every_public_function_of_the_engine_says_what_it_returns():
    for name in stubs.MODULES:
        for node in ast.parse((ROOT / f"nnbook/{name}.pyi").read_text()).body:
            assert not isinstance(node, ast.FunctionDef) or node.returns, f"{name}.{node.name}"
