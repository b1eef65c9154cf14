"Every exercise of the book: the page's solution passes, the untouched stub is untouched, wrong answers fail."

import ast
import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from conftest import NOTEBOOKS, ROOT, read

import nnbook
from nnbook.exercises import Mismatch, borrowed, check, checker, expect, grade, is_stub, own_work


def module_of(nb) -> str | None:
    "The module that a notebook exports to."
    for cell in nb.cells:
        if cell.cell_type == "code" and (found := re.match(r"#\|\s*default_exp\s+(\S+)", cell.source)):
            return found[1]


def exercises_of(path) -> list[tuple]:
    "For each `check(...)` of a notebook: (exercise, name checked, stub source, solution source, module)."
    nb, found, current = read(path), [], None
    for cell in nb.cells:
        if cell.cell_type == "code":
            call = re.search(r'^check\("([\w.]+)",\s*(\w+)\)', cell.source, re.MULTILINE)
            if call and not call[1].startswith("demo."):
                current = [call[1], call[2], cell.source[: call.start()], None, module_of(nb)]
                found.append(current)
        elif current is not None and (details := re.search(r"<summary>Solution.*?</summary>(.*?)</details>", cell.source, re.DOTALL)):
            fences = re.findall(r"```python\n(.*?)```", details[1], re.DOTALL)
            current[3] = "\n".join(fences)
            current = None
    return [tuple(e) for e in found]


EXERCISES = [e for path in NOTEBOOKS for e in exercises_of(path)]
BY_NAME = {e[0]: e for e in EXERCISES}


def wrong_answers() -> list:
    found = []
    for path in sorted((ROOT / "tests/wrong_answers").glob("*.py")):
        spec = importlib.util.spec_from_file_location(path.stem, path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        found += [pytest.param(name, code, id=f"{name}-{i}") for name, codes in module.WRONG.items() for i, code in enumerate(codes)]
    return found


def defined(source: str, exercise: str) -> object:
    "What a reader's cell defines under the name that is checked."
    _, name, _, _, module = BY_NAME[exercise]
    space = {"np": np}
    exec("import numpy as np" + (f"\nfrom nnbook.{module} import *" if module else ""), space)
    exec(source, space)
    return space[name]


@pytest.mark.parametrize("exercise", [e[0] for e in EXERCISES])
def test_the_solution_on_the_page_passes(exercise):
    solution = BY_NAME[exercise][3]
    assert solution, "no ```python fence in a <details> with the summary Solution"
    verdict = grade(exercise, defined(solution, exercise))
    assert verdict.status == "passed", verdict.message


@pytest.mark.parametrize("exercise", [e[0] for e in EXERCISES])
def test_the_stub_is_not_attempted_yet(exercise, capsys):
    check(exercise, defined(BY_NAME[exercise][2], exercise))
    assert "not attempted yet" in capsys.readouterr().out


@pytest.mark.parametrize(("exercise", "code"), wrong_answers())
def test_a_plausible_wrong_answer_fails_with_a_reason(exercise, code):
    verdict = grade(exercise, defined(code, exercise))
    assert verdict.status == "failed" and len(verdict.message) > 10, verdict
    assert "NameError" not in verdict.message, "it fails by a name that is not there, not by its mistake"


def test_every_exercise_has_a_wrong_answer():
    assert {e[0] for e in EXERCISES} == {p.values[0] for p in wrong_answers()}


def test_every_exercise_on_a_page_is_checked():
    for path in NOTEBOOKS:
        text = "\n".join(c.source for c in read(path).cells if c.cell_type == "markdown")
        headings = 1 if re.match(r"\d\d[a-z]_part", path.name) else len(re.findall(r"^### Exercise \d", text, re.MULTILINE))   # a part's opening and its project have one, without a heading
        assert headings == len(exercises_of(path)), path.name


@pytest.mark.parametrize("source", ["def f(x): ...", "def f(x):\n    'doc'\n    ...", "class f:\n    def a(self): ...\n    def b(self): ...", "f = ...", "def f(x: int) -> int: ..."])
def test_stubs_are_recognized(source):
    space = {}
    exec(source, space)
    assert is_stub(space["f"])


@pytest.mark.parametrize("source", ["def f(x): return 0", "def f(x): pass; x += 1", "class f:\n    def a(self): ...\n    def b(self): return 1", "f = None", "f = 3", "class f: pass"])
def test_attempts_are_not_taken_for_stubs(source):
    space = {}
    exec(source, space)
    assert not is_stub(space["f"])


@checker("testing.1")
def _(f):
    expect(f(2), 4.0, "twice two")


@pytest.mark.parametrize(("attempt", "status", "words"), [
    (lambda x: 2.0 * x, "passed", "correct"),
    (lambda x: np.float32(4), "passed", "correct"),
    (lambda x: x + 1, "failed", "got 3, expected 4"),
    (lambda x: print(end=""), "failed", "is a `return` missing"),
    (lambda x: np.ones(3), "failed", "shape (3,)"),
    (lambda x: float("nan"), "failed", "nan"),
    (lambda x: "four", "failed", "four"),
    (lambda x: 1 / 0, "failed", "ZeroDivisionError"),
    (lambda x: [][x], "failed", "IndexError"),
    (lambda: 4, "failed", "TypeError"),
    (lambda x: exit(), "failed", "SystemExit"),
    (3, "failed", "not callable"),
])
def test_check_grades_the_object_and_never_raises(attempt, status, words):
    verdict = grade("testing.1", attempt)
    assert verdict.status == status and words in verdict.message


def test_what_a_checker_says_stands_under_the_praise():
    @checker("testing.2")
    def _(f):
        return f"it is off by {f()}"
    assert grade("testing.2", lambda: 3).message == "correct\n  it is off by 3"


def test_an_unknown_exercise_lists_those_there_are(capsys):
    check("first.99", lambda: 0)
    assert "first.1" in capsys.readouterr().out


@pytest.mark.parametrize(("got", "want"), [(1.0, 2.0), ([1, 2], [1, 3]), (np.zeros((2, 1)), np.zeros(2)), (None, 0), ("a", "b"), (True, False), (1.0, float("nan"))])
def test_expect_raises_when_values_differ(got, want):
    with pytest.raises(Mismatch):
        expect(got, want)


def test_checkers_hold_no_solution_by_name():
    "A checker that called the chapter's own function instead of the reader's would pass anything."
    for path in (ROOT / "nnbook/checkers").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef) and any(isinstance(d, ast.Call) and getattr(d.func, "id", "") == "checker" for d in node.decorator_list):
                argument = node.args.args[0].arg
                assert argument in {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and n is not node}, f"{path.name}: the checker of {node.decorator_list[0].args[0].value} ignores the reader's object"


def test_a_condition_that_fails_says_only_what_is_wrong():
    with pytest.raises(Mismatch) as wrong:
        expect(np.bool_(False), True, "no pixel may change by more than 0.25")
    assert str(wrong.value) == "no pixel may change by more than 0.25"
    with pytest.raises(Mismatch, match="got False, expected True"):
        expect(False, True)


BORROWED = {
    "a module": "import json\ndef f(x): return json.dumps(x)",
    "a part of it": "from json import dumps\ndef f(x): return dumps(x)",
    "under another name": "from json import dumps as mine\ndef f(x): return mine(x)",
    "a module below it": "import json.decoder as d\ndef f(x): return d.JSONDecoder()",
    "imported inside": "def f(x):\n    from json import dumps\n    return dumps(x)",
    "the thing itself": "from json import dumps as f",
    "through a helper": "import json\ndef helper(x): return json.dumps(x)\ndef f(x): return helper(x)",
    "through two, which call each other": "import json\ndef g(x): return h(x) or json.dumps(x)\ndef h(x): return g(x)\ndef f(x): return h(x)",
    "in a lambda, in a comprehension": "import json\ndef f(x): return [(lambda y: json.dumps(y))(y) for y in x]",
    "in a closure": "from json import dumps\ndef made(g): return lambda x: g(x)\nf = made(dumps)",
    "as a default argument": "from json import dumps\ndef f(x, g=dumps): return g(x)",
    "as a default by keyword": "from json import dumps\ndef f(x, *, g=dumps): return g(x)",
    "in a partial": "from functools import partial\nfrom json import dumps\nf = partial(dumps, indent=1)",
    "behind a cache": "from functools import lru_cache\nimport json\n@lru_cache\ndef f(x): return json.dumps(x)",
    "behind a decorator": "from functools import wraps\nimport json\ndef quiet(g):\n    @wraps(g)\n    def inner(x): return 1\n    return inner\n@quiet\ndef f(x): return json.dumps(x)",
    "vectorized": "import json\n@np.vectorize\ndef f(x): return json.dumps(x)",
    "in a method": "import json\nclass f:\n    def a(self, x): return json.dumps(x)",
    "in a static method": "import json\nclass f:\n    @staticmethod\n    def a(x): return json.dumps(x)",
    "in a property": "import json\nclass f:\n    @property\n    def a(self): return json.dumps(1)",
    "as a base": "from json import JSONEncoder\nclass f(JSONEncoder):\n    def a(self): return 1",
    "in an object that is called": "import json\nclass Made:\n    def __call__(self, x): return json.dumps(x)\nmade = Made()\ndef f(x): return made(x)",
    "in a bound method": "import json\nclass Made:\n    def g(self, x): return json.dumps(x)\nf = Made().g",
    "a function of the page": "def shown(x): return x\ndef f(x): return shown(x)",
    "a function of the page, renamed": "def shown(x): return x\nmine = shown\ndef f(x): return mine(x)",
}


@pytest.mark.parametrize("source", BORROWED.values(), ids=BORROWED)
def test_what_is_borrowed_is_found(source):
    space = {"np": np}
    exec(source, space)
    assert borrowed(space["f"], ["json"], {"shown"})
    with pytest.raises(Mismatch, match=r"uses \S.* building it yourself"):
        own_work(space["f"], ["json"], {"shown"})


OWN = {
    "its own arithmetic": "def f(x): return 2 * np.abs(x).T",
    "an attribute of a borrowed name": "from json import dumps as T\nimport json as shape\ndef f(x): return x.T, x.shape",
    "a local of a page's name": "def f(shown):\n    json = 2\n    return json * shown",
    "a helper": "def helper(x): return x\ndef f(x): return helper(x)",
    "a helper that is there already, and uses json inside": "from nnbook.streams import stream\nfrom tools_like import g\ndef f(x): return g(x)",
    "itself": "def f(x): return f(x - 1) if x else 0",
    "a name not there yet": "def outer():\n    def f(x): return later(x)\n    if 0: later = 1\n    return f\nf = outer()",
    "a class": "class f:\n    def __init__(self): self.x = np.zeros(3)",
    "a module of a longer name": "import jsonlike\ndef f(x): return jsonlike.dumps(x)",
    "nothing that has code": "f = 3",
}


@pytest.mark.parametrize("source", OWN.values(), ids=OWN)
def test_ones_own_work_is_left_in_peace(source, monkeypatch):
    longer = ModuleType("jsonlike")
    longer.dumps = lambda x: x
    longer.dumps.__module__ = "jsonlike"
    monkeypatch.setitem(sys.modules, "jsonlike", longer)
    installed, code = ModuleType("tools_like"), compile("import json\ndef g(x): return json.dumps(x)", str(Path(nnbook.__file__).parent / "tools_like.py"), "exec")
    exec(code, vars(installed))
    monkeypatch.setitem(sys.modules, "tools_like", installed)
    space = {"np": np}
    exec(source, space)
    assert borrowed(space["f"], ["json"], {"shown"}) == set()
    own_work(space["f"], ["json"], {"shown"})


def test_a_package_is_searched_for_the_modules_in_it():
    space = {}
    exec("import xml\nimport xml.dom.minidom\ndef f(x): return xml.dom.minidom.parseString(x)\ndef g(x): return xml.sax\n"
         "def inside(x):\n    from xml import dom\n    return dom", space)
    assert borrowed(space["f"], ["xml.dom"]) and borrowed(space["inside"], ["xml.dom"]) and not borrowed(space["g"], ["xml.dom"])


def test_what_is_borrowed_is_named_as_the_reader_names_it():
    space = {}
    exec("import json as j\nfrom json import loads\ndef helper(x): return loads(x)\ndef f(x): return j.dumps(helper(x))\nclass C(j.JSONEncoder): ...", space)
    assert borrowed(space["f"], ["json"]) == {"j", "loads"}
    with pytest.raises(Mismatch, match="your class uses JSONEncoder;"):
        own_work(space["C"], ["json"])


@pytest.mark.parametrize(("modules", "names"), [("json", ()), (["json"], "shown")])
def test_a_single_module_as_text_is_no_list_of_letters(modules, names):
    with pytest.raises(TypeError, match="in brackets"):
        borrowed(lambda x: x, modules, names)
