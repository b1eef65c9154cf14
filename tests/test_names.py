"What stands in the book is named, not numbered by hand; and what is claimed is not a matter of the clock."

import ast
import io
import re
import tokenize

import pytest
from conftest import ROOT, chapters, read

WORDS = ("one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen "
         "twenty twenty-one twenty-two twenty-three twenty-four twenty-five twenty-six twenty-seven twenty-eight twenty-nine thirty")
GAP = r"(?:\s|&nbsp;|~)+[(\[]*"
NUMBER = r"(?:[A-Z]\.)?\d+(?:\.\d+)?"
TYPED = re.compile(rf"\bchapters?{GAP}(?:\d+|(?<!\ba chapter )(?<!\bthe chapter )(?:{'|'.join(WORDS.split())})\b(?!-))|\bappendi(?:x|ces){GAP}(?-i:(?:[A-Z]|\d+)\b)"
                   rf"|\b(?:figures?|tables?|equations?){GAP}(?-i:{NUMBER})", re.I)
CITES = re.compile(r"99_references\.ipynb#|https?://")
AUTHOR = re.compile(r"\((?:1[89]|20)\d\d\),? $")
BLOCK = re.compile(r"\n\s*\n|\n(?=\s*(?:[-*|>#]|\d+\.)\s)|\n(?=\|)")
SENTENCE = re.compile(r"(?<!\bal\.)(?<!\bvs\.)(?<=[.?!:;])[)\"”*]*\s+(?=[\[(*_\"“]*[A-Z])")


def typed(text: str) -> list[str]:
    "The typed numbers of chapters, figures and the like in a text, but for those of another work: in a sentence with a link to it, or behind its year."
    sentences = [s for block in BLOCK.split(text) for s in SENTENCE.split(" ".join(block.split("\n")))]
    return [m[0] for s in sentences if not CITES.search(s) for m in TYPED.finditer(s) if not AUTHOR.search(s[: m.start()])]


def words_of(source: str) -> list[str]:
    "The strings (adjacent ones joined, docstrings too) and the comments of a code cell."
    source = "\n".join("pass" if re.match(r"\s*[%!]", line) else line for line in source.splitlines())
    strings = [n.value for n in ast.walk(ast.parse(source)) if isinstance(n, ast.Constant) and isinstance(n.value, str)]
    tokens = [t.string.lstrip("# ") for t in tokenize.generate_tokens(io.StringIO(source).readline) if t.type == tokenize.COMMENT]
    return [*strings, " ".join(tokens)]


def texts(nb) -> list[str]:
    "What a notebook says: its Markdown, and the strings and comments of its code."
    return [text for c in nb.cells if c.cell_type != "raw" for text in ([c.source] if c.cell_type == "markdown" else words_of(c.source))]


@pytest.mark.parametrize("path", [p for p in chapters() if p.id != "99_references"])
def test_no_number_of_a_chapter_figure_table_or_equation_is_typed(path):
    found = [f"{name!r} in {text[:200]!r}" for text in texts(read(path)) for name in typed(text)]
    assert not found, ("numbers are given when the site is built: write [chapter](05_layers.ipynb) or [Figure](05_layers.ipynb#fig-name) in Markdown, "
                       "and in code name the chapter by its subject.\n" + "\n".join(found))


def test_the_readme_types_none_either():
    assert typed((ROOT / "README.md").read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("text, found", [
    ("As chapter 5 shows.", ["chapter 5"]), ("In chapters 2 and 3.", ["chapters 2"]), ("[Chapter 1](01_neuron.ipynb) did.", ["Chapter 1"]),
    ("chapters [1](01_neuron.ipynb) to [4](04_autograd.ipynb)", ["chapters [1"]), ("what\nchapter\n12 says", ["chapter 12"]),
    ("in chapter five", ["chapter five"]), ("in chapter one (2017)", ["chapter one"]), ("Chapter Twenty-one is long", ["Chapter Twenty-one"]), ("chapter\u00a07", ["chapter\u00a07"]),
    ("See Appendix B.", ["Appendix B"]), ("the appendices A and C", ["appendices A"]),
    ("Figure 3.2 has it, Table 1.1 too.", ["Figure 3.2", "Table 1.1"]), ("Equation (2.3)", ["Equation (2.3"]), ("figure A.1", ["figure A.1"]),
    ("Nielsen cites [this](99_references.ipynb#nielsen2015). And chapter 5 does not.", ["chapter 5"]),
    ("- [Nielsen](https://a.org), chapter 1\n- chapter 2", ["chapter 2"]),
])
def test_typed_numbers_are_found(text, found):
    assert typed(text) == found


@pytest.mark.parametrize("text", [
    "In [chapter](05_layers.ipynb) and [Figure](03_losses.ipynb#fig-stall).", "The chapter on losses has two figures, and one chapter more.",
    "[Shalev-Shwartz and Ben-David (2014)](99_references.ipynb#shalev2014), chapter 9, set it beside others.",
    "- [Nielsen (2015), chapter 2](http://neuralnetworksanddeeplearning.com/chap2.html) derives the same.",
    "[Goodfellow et al. (2016)](99_references.ipynb#goodfellow2016), chapters 6 to 8; see", "Zhang and others (2017), table 1, without weight decay.", "the sections of the chapter one is in", "chapter oneself", "an appendix of its own", "table[:, 1]", "Part II",
])
def test_names_and_citations_pass(text):
    assert typed(text) == []


@pytest.mark.parametrize("code, found", [
    ('caption = ("as in chapter "\n           "5, but wider")', ["chapter 5"]), ("x = 1  # see Figure 2.1", ["Figure 2.1"]),
    ("# as chapter\n# 5 did\nx = 1", ["chapter 5"]), ('def f():\n    "Of appendix B."', ["appendix B"]), ('%time x\ny = f"in chapter 3, {1}"', ["chapter 3"]),
    ("chapter = 5\nfigure(2, name='x')\ntable [0]", []), ("# the chapter on losses\nx = 5", []),
])
def test_numbers_are_found_in_strings_and_comments_only(code, found):
    assert [name for text in words_of(code) for name in typed(text)] == found


# ---------------------------------------------------------------- claims and the clock

CLOCK = re.compile(r"^(perf_counter|process_time|monotonic|thread_time)(_ns)?$|^timeit$|^elapsed_time$")
UNITS = re.compile(r"\b(nano|micro|milli)?seconds\b|\b(minutes|hours|ms)\b|µs", re.I)
GROWS = {"append", "extend", "add", "insert", "update", "setdefault", "put"}


def root_of(node) -> str | None:
    "The name at the bottom of `a.b[0].c`."
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Starred | ast.Call):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else None


class Clock(ast.NodeVisitor):
    """Follows readings of the clock through a notebook's code, cell after cell, into the arguments of `claim`.

    A name is timed when it is assigned from an expression that reads the clock, calls a function that returns a reading, or uses a
    timed name; it is free again when something else is assigned to it. Attributes, entries and tuples count as the name they belong to.
    """

    def __init__(self, timed=()):
        self.timed, self.found, self.returns = set(timed), [], False

    def is_timed(self, node) -> bool:
        "Does the expression depend on the clock?"
        if node is None:
            return False
        for n in ast.walk(node):
            name = n.id if isinstance(n, ast.Name) else n.attr if isinstance(n, ast.Attribute) else ""
            if isinstance(n, ast.Name) and name in self.timed or CLOCK.match(name):
                return True
            if isinstance(n, ast.Attribute) and n.attr == "time" and root_of(n.value) == "time":
                return True
            if isinstance(n, ast.Subscript) and isinstance(n.slice, ast.Constant) and UNITS.search(str(n.slice.value)):
                return True
        return False

    def assign(self, target, value, keep=False):
        "Targets of a tuple take their own part of a tuple; a part of a thing marks the whole thing, and frees nothing."
        if isinstance(target, ast.Tuple | ast.List):
            parts = value.elts if isinstance(value, ast.Tuple | ast.List) and len(value.elts) == len(target.elts) else [value] * len(target.elts)
            for t, v in zip(target.elts, parts):
                self.assign(t, v, keep)
        elif self.is_timed(value):
            self.timed.add(root_of(target))
        elif isinstance(target, ast.Name) and not keep:
            self.timed.discard(target.id)

    def visit_Assign(self, node):
        self.generic_visit(node)
        for target in node.targets:
            self.assign(target, node.value)

    def visit_AnnAssign(self, node):
        self.generic_visit(node)
        self.assign(node.target, node.value)

    visit_NamedExpr = visit_AnnAssign

    def visit_AugAssign(self, node):
        self.generic_visit(node)
        self.assign(node.target, node.value, keep=True)

    def visit_For(self, node):
        self.assign(node.target, node.iter)
        for _ in range(2):  # a name timed at a loop's end is so at the beginning of the next round
            self.generic_visit(node)

    def visit_While(self, node):
        for _ in range(2):
            self.generic_visit(node)

    def visit_comprehension(self, node):
        self.assign(node.target, node.iter, keep=True)
        self.generic_visit(node)

    def visit_ListComp(self, node):
        before = set(self.timed)
        self.inside(node)
        self.timed -= {n.id for g in node.generators for n in ast.walk(g.target) if isinstance(n, ast.Name)} - before       # its names are its own

    def inside(self, node):
        for child in (*node.generators, *(getattr(node, part, None) for part in ("key", "elt", "value"))):
            if child is not None:
                self.visit(child)

    visit_SetComp = visit_GeneratorExp = visit_DictComp = visit_ListComp

    def visit_With(self, node):
        for item in node.items:
            if item.optional_vars is not None:
                self.assign(item.optional_vars, item.context_expr)
        self.generic_visit(node)

    def visit_FunctionDef(self, node):
        own = {a.arg for a in [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]}
        inside = Clock(self.timed - own)
        for part in node.body:
            inside.visit(part)
        self.found += inside.found
        (self.timed.add if inside.returns else self.timed.discard)(node.name)

    def visit_ClassDef(self, node):
        inside = Clock(self.timed)
        inside.generic_visit(node)
        self.found += inside.found

    def visit_Return(self, node):
        self.returns |= self.is_timed(node.value)
        self.generic_visit(node)

    visit_Yield = visit_Return

    def visit_Call(self, node):
        self.generic_visit(node)
        arguments = [*node.args, *(k.value for k in node.keywords)]
        if isinstance(node.func, ast.Name) and node.func.id == "claim":
            says = any(isinstance(n, ast.Constant) and isinstance(n.value, str) and UNITS.search(n.value) for n in ast.walk(node.args[0]))
            if says or any(map(self.is_timed, arguments)):
                self.found.append(ast.unparse(node))
        elif isinstance(node.func, ast.Attribute) and node.func.attr in GROWS and any(map(self.is_timed, arguments)) and root_of(node.func.value):
            self.timed.add(root_of(node.func.value))  # rows.append(seconds)


def of_the_clock(*cells: str) -> list[str]:
    "The claims of a notebook's code cells that depend on the clock."
    clock = Clock()
    for source in cells:
        clock.visit(ast.parse("\n".join("pass" if re.match(r"\s*[%!]", line) else line for line in source.splitlines())))
    return list(dict.fromkeys(clock.found))


@pytest.mark.parametrize("path", chapters())
def test_no_claim_concerns_the_time_that_something_took(path):
    found = of_the_clock(*(c.source for c in read(path).cells if c.cell_type == "code"))
    assert not found, "another machine may take another time; show it in a table, and claim what can be counted:\n" + "\n".join(found)


@pytest.mark.parametrize("cells", [
    ["claim('{}', time.perf_counter() - start, '<', 10)"],
    ["start = time.time()\nf()\ntook = time.time() - start", "claim('{}', took, '<', 10)"],
    ["from time import perf_counter\nt, n = perf_counter(), 3\nclaim('{}', n / t, '<', 10)"],
    ["def seconds(f):\n    start = time.process_time(); f()\n    return time.process_time() - start", "a, b = [seconds(f) for f in two]\nclaim('{}', a / b, '>', 2)"],
    ["def cost(f):\n    times = []\n    for _ in range(3): times.append(timeit.timeit(f))\n    return min(times)", "claim('{}', 1 / cost(f), '>', 2)"],
    ["rows = []\nrows.append({'took': time.time() - start})", "best = min(r['took'] for r in rows)\nclaim('{}', value=best, op='<', bound=1)"],
    ["total = 0\nfor f in work:\n    begin = time.time(); f(); total += time.time() - begin\nratio = total / 2\nclaim('{}', ratio, '<', 1)"],
    ["speed = lambda f: f() / time.perf_counter()\nclaim('{}', speed(f), '<', 1)"],
    ["for name, took in [(f, time.time()) for f in two]:\n    claim('{}', took, '<', 1)"],
    ["def check():\n    took = time.time()\n    claim('{}', took, '<', 1)"],
    ["box.took = time.time()\nclaim('{}', box.took, '<', 1)"],
    ["stored = json.loads(text)\nclaim('{}', stored['seconds a run'], '<', 1)"],
    ["claim('the run takes {} seconds', x, '<', 1)"],
])
def test_a_claim_of_the_clock_is_found(cells):
    assert of_the_clock(*cells)


@pytest.mark.parametrize("cells", [
    ["start, net = time.time(), fit()\ntook = time.time() - start\nclaim('{}', accuracy(net), '>', 0.9)"],
    ["start = time.time()\nprint(time.time() - start)", "start = 3\nclaim('{}', start, '<', 10)"],
    ["def fit(x):\n    start = time.time()\n    print(time.time() - start)\n    return x", "claim('{}', fit(2), '<', 10)"],
    ["def f(took):\n    claim('{}', took, '<', 1)", "took = time.time()"],
    ["claim('{} times as many time steps, the second time', steps, '<', 1)"],
    ["%matplotlib inline\nclaim('{}', x.time, '<', 1)"],
    ["curve = [(2, time.time())]\nkept = [step for step, took in curve]\nclaim('{}', [step for step in range(3)], '<', 1)"],
])
def test_other_claims_pass(cells):
    assert of_the_clock(*cells) == []
