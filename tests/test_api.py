"The library's reference: what its pages say, that what they show works, and that both renderers get them."

import ast
import re
import shutil
import subprocess
import sys
from operator import attrgetter

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from conftest import ROOT

from nnbook import autograd, operators
from nnbook.autograd import Tensor
from tools import api, torch_names
from tools.api import read_module

PACKAGE = ROOT / "nnbook"
EXAMPLES = sorted(api.EXAMPLES.glob("*.py"))


def test_the_api_reads_a_module_that_cannot_be_imported(tmp_path):
    file = tmp_path / "t.py"
    file.write_text('"Twins."\n__all__ = ["Linear", "SIZE"]\nimport no_such_package\n# %% ../nbs/05_layers.ipynb #abc\nSIZE = 3\n'
                    'class Linear(no_such_package.M):\n    "A layer."\n    def __init__(self, n: int, bias: bool = True): ...\n    def _hidden(self): ...\n')
    m = read_module(file, tmp_path, 0)
    assert [e.signature for e in m.entries] == ["SIZE = 3", "class Linear(n: int, bias: bool=True)  # a kind of no_such_package.M"]
    assert m.cell_of(5) == ("05_layers.ipynb", "abc") and m.entries[1].methods == []


def test_the_api_lists_what_a_private_base_gives(tmp_path):
    file = tmp_path / "t.py"
    file.write_text('__all__ = ["B"]\nclass _A:\n    def fit(self, X): "Learn.\\n\\nShapes: X (N, n)\\nand more\\nRaises ValueError"\nclass B(_A):\n    "A unit."\n')
    (b,) = read_module(file, tmp_path, 1).entries
    assert b.signature == "class B" and b.names() == ["B", "B.fit"]
    assert b.methods[0].doc == "Learn.\n\nShapes: X (N, n)\nand more\n\nRaises ValueError"


def test_the_api_lists_methods_that_were_attached_and_what_is_no_call(tmp_path):
    file = tmp_path / "t.py"
    file.write_text('__all__ = ["Run"]\nclass Run:\n    @property\n    def best(self) -> "int": "The best epoch."\n    @classmethod\n    def of(cls, x): "Made."\n'
                    '    @staticmethod\n    def rows(self, n): "Rows."\n    def to(self, dtype): "Convert."\n    astype = to\n'
                    'def _save(self, path: str) -> None: "Write it."\ndef _load(self): "Read it."\nRun.save, Run.load, Run._hidden = _save, _load, _load\nRun.text = str\n')
    (run,) = read_module(file, tmp_path, 2).entries
    assert [m.signature for m in run.methods] == ["property best: int", "classmethod of(x)", "staticmethod rows(self, n)", "to(dtype)", "save(path: str) -> None", "load()", "astype(dtype)"]
    assert run.names()[-3:] == ["Run.save", "Run.load", "Run.astype"] and run.methods[4].doc == "Write it."


@pytest.mark.parametrize(("docstring", "expected"), [
    ("op: one of \"<\", '<='. It's the classes' own.", "op: one of `\"<\"`, `'<='`. It's the classes' own."),
    ("Groups {'params': ..., option: value}.", "Groups `{'params': ..., option: value}`."),
    ("such as check('neuron.1', f), or `x[\"a\"]`", "such as `check('neuron.1', f)`, or `x[\"a\"]`"),
    ("as in ('0.weight', parameter); f(x) (a, b)", "as in `('0.weight', parameter)`; f(x) (a, b)"),
    ("Φ'(x) and |f''|, the loops' ends", "Φ'(x) and |f''|, the loops' ends"),
])
def test_strings_of_a_docstring_are_code(docstring, expected):
    "Else the renderers would curl their quotes."
    assert api.doc_of(ast.parse(f"def f(): {docstring!r}").body[0]) == expected


def test_no_quote_of_the_reference_is_left_to_be_curled():
    "Apostrophes may be."
    for name, text in api.pages(ROOT / "nbs").items():
        prose = re.sub(r"```.*?```|`[^`]*`|^---.*?^---|\]\([^)]*\)", "", text, flags=re.S | re.M)
        assert '"' not in prose, name


def test_every_module_has_a_summary_the_command_that_installs_it_and_an_example():
    pages = api.pages(ROOT / "nbs")
    assert {f.stem for f in EXAMPLES} == {m.page for m in api.modules()}
    for m in api.modules():
        assert m.summary and m.summary in pages["index.qmd"], m.name
        assert "pip install" in pages[f"{m.page}.qmd"] and api.example(m) in pages[f"{m.page}.qmd"], m.name
    assert 'pip install "nnbook[torch]"' in pages["torch_layers.qmd"] and "birds = data.penguins()" in pages["index.qmd"]


def test_examples_work():
    "All in one process, each with names of its own."
    code = "import runpy, sys\nfor file in sys.argv[1:]: print(file, flush=True); runpy.run_path(file)"
    run = subprocess.run([sys.executable, "-c", code, *EXAMPLES], cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout[-300:] + run.stderr


# ---------------------------------------------------------------- the engine


def test_the_page_of_the_engine_has_what_its_code_makes():
    m = next(m for m in api.modules() if m.name == "autograd")
    entries = {e.name: e for e in m.entries}
    tensor = {method.name: method for method in entries["Tensor"].methods}
    assert entries["gelu"].signature == "gelu(x: Tensor, approximate: str='none') -> Tensor"
    assert tensor["Tensor.shape"].signature == "property shape: tuple[int, ...]" and "Tensor.exp" not in tensor and "Tensor.cumsum" not in tensor
    line = lambda e: m.path.read_text().splitlines()[e.line - 1]
    assert line(entries["gelu"]).startswith("gelu = parametric") and line(tensor["Tensor.item"]).startswith('_method("item"')
    assert line(tensor["Tensor.backward"]).startswith("Tensor.backward =") and line(tensor["Tensor.max"]).startswith("Tensor.max =")


def of_torch(name: str):
    root, _, path = name.partition(".")
    return attrgetter(path)({"torch": torch, "F": F}[root])


def test_every_operator_is_in_the_table_beside_a_name_that_torch_has():
    rows = torch_names.rows(PACKAGE)
    public = {n for m in (autograd, operators) for n in m.__all__ if not isinstance(getattr(m, n), type)}
    assert {row[0] for row in rows if row[0]} == public - torch_names.HELPERS and public >= torch_names.HELPERS
    assert {row[1] for row in rows if row[1]} == {n for n in vars(Tensor) if not n.startswith("_")} - set(Tensor.__annotations__)
    for *_, name in rows:
        assert not name or of_torch(name) is not None


def test_the_names_mean_the_same():
    "Functions and methods that need one argument, and operators of two, give what torch's give."
    x, compared = np.random.default_rng(0).uniform(0.5, 2, (3, 3)), []
    for function, method, sign, name in torch_names.rows(PACKAGE):
        ours = getattr(autograd, function, None) or getattr(operators, function, None) or getattr(Tensor, method)
        inputs = [x, x] if sign.startswith("a ") else [x]
        try:
            got, want = ours(*map(Tensor, inputs)), of_torch(name)(*map(torch.tensor, inputs))
        except (TypeError, RuntimeError, ValueError, AttributeError):
            continue                                               # it wants other arguments, or is a property
        if isinstance(got, Tensor) and isinstance(want, torch.Tensor) and function != "dropout":
            assert np.allclose(got.data, want.detach().numpy()), function or method
            compared.append(function or method)
    assert {"exp", "matmul", "max", "var", "gelu", "prod", "norm"} <= set(compared) and len(compared) > 35


def test_the_table_shows_functions_methods_and_signs():
    table = torch_names.table(PACKAGE)
    assert "| [`exp`](autograd.qmd#exp) | `torch.exp` | `x.exp()` |" in table
    assert "| [`matmul`](autograd.qmd#matmul) | `torch.matmul` | `x.matmul()`, `a @ b` |" in table
    assert "| [`x.shape`](autograd.qmd#Tensor.shape) | `torch.Tensor.shape` |  |" in table
    assert "| [`cumsum`](operators.qmd#cumsum) | `torch.cumsum` | `x.cumsum()` |" in table


# ---------------------------------------------------------------- who writes the pages


def test_quarto_gets_the_pages_too(tmp_path):
    "nbdev's own command, on a project without them, finds them among the processed notebooks; a change of the library reaches them."
    for name in ("nbs", "nnbook", "tools"):
        shutil.copytree(ROOT / name, tmp_path / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__", "api"))
    for name in ("pyproject.toml", "settings.ini", "README.md", "_quarto.yml"):
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / "nnbook/streams.py").write_text((tmp_path / "nnbook/streams.py").read_text().replace("A generator for one purpose", "A fresh generator"))
    code = "from nbdev.serve import proc_nbs\nif __name__ == '__main__': proc_nbs(n_workers=1, file_re='^(90a_streams|index)')"
    run = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert {p.name for p in (tmp_path / "_proc/api").glob("*.qmd")} == set(api.pages(ROOT / "nbs"))
    assert "A fresh generator" in (tmp_path / "_proc/api/streams.qmd").read_text()
