"""The library's reference: a page for each module, written from its source, or its stub, without importing it.

Both renderers turn `nbs/api/*.qmd` into pages; `tools.site`, and the processor `library` for Quarto, write them first.
Reading instead of importing means that a module whose requirements are not installed (torch) gets its page all the same.
"""

import ast
import inspect
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from smalldocs.markdown import pandoc_id

from tools import torch_names
from tools.contents import ROOT, Chapter, chapters
from tools.notebook import prose_of, read

SOURCE = "https://github.com/nnbook/nnbook/blob/main"
CELL = re.compile(r"^# %% (?:\.\./)*nbs/(?P<notebook>\S+\.ipynb) #(?P<id>\w+)")


@dataclass
class Entry:
    "A public name of a module: a function, a class with its methods, or a value."

    name: str
    signature: str
    doc: str
    line: int
    methods: list["Entry"] = field(default_factory=list)

    def names(self) -> list[str]:
        return [self.name, *(m.name for m in self.methods)]


@dataclass
class Module:
    "A module of the library, as its source says."

    name: str  # "neuron", "torch.neuron"
    path: Path
    doc: str
    entries: list[Entry]
    origin: dict[int, tuple[str, str]]  # line -> (notebook, cell id), for the first line of each exported cell

    @property
    def page(self) -> str:
        return page_name(self.name)

    @property
    def summary(self) -> str:
        return self.doc.partition("\n")[0]

    def cell_of(self, line: int) -> tuple[str, str] | None:
        "The notebook cell that a line of the module comes from."
        before = [n for n in self.origin if n <= line]
        return self.origin[max(before)] if before else None


def page_name(module: str) -> str:
    "The page of a module, without its ending: a second dot would look like one."
    return module.replace(".", "_")


STATEMENT = re.compile(r"(?<!\n)\n(?=(?:Shapes?|Raises|Returns|Sources?|After|[a-z_, `]+(?: \([^)]*\))?:) ?)")


STRING = r"""(?<![\w`"'])(?:"[^"`\n]*"|'[^'`\n]*')(?!\w)"""
LITERAL = re.compile(rf"""`[^`]*`|(?P<code>\b[\w.]+\((?=[^()`]*{STRING})[^()`]*\)|\{{[^{{}}`]*{STRING}[^{{}}`]*\}}|\((?=[^()`]*{STRING},)[^()`\n]*\)|{STRING})""")


def doc_of(node) -> str:
    "A docstring as Markdown: a statement of its own (Shapes: ..., Raises ...) begins a paragraph; strings, and calls and dictionaries with strings, are code."
    text = LITERAL.sub(lambda m: f"`{m['code']}`" if m["code"] else m[0], inspect.cleandoc(ast.get_docstring(node) or ""))
    return STATEMENT.sub("\n\n", text).replace(" -> ", " → ")


def signature(node: ast.FunctionDef, name: str, skip_self: bool = False) -> str:
    "`name(arguments) -> result`, as the source writes it, over several lines when it is long."
    arguments = ast.unparse(node.args)
    if skip_self:
        arguments = re.sub(r"^(self|cls)(, )?", "", arguments)
    result = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    one_line = f"{name}({arguments}){result}"
    if len(one_line) <= 72:
        return one_line
    pieces, depth, start = [], 0, 0
    for i, c in enumerate(arguments):
        depth += (c in "([{") - (c in ")]}")
        if c == "," and not depth:
            pieces.append(arguments[start : i + 1].strip())
            start = i + 1
    body = "\n".join(f"    {piece}" for piece in [*pieces, arguments[start:].strip() + ","])
    return f"{name}(\n{body}\n){result}"


def is_public(name: str) -> bool:
    return not name.startswith("_")


def bound(node: ast.Assign) -> Iterator[tuple[str, ast.expr]]:
    "What an assignment binds, (name, value): `Run.save, Run.load = _save, _load` binds two."
    for target in node.targets:
        names = target.elts if isinstance(target, ast.Tuple) else [target]
        values = node.value.elts if isinstance(node.value, ast.Tuple) and len(names) > 1 else [node.value] * len(names)
        yield from zip(map(ast.unparse, names), values, strict=True)


class Source:
    "A module's source: its classes and functions, and what it assigns, {'Run.save': the function}."

    def __init__(self, file: Path):
        self.text = file.read_text(encoding="utf-8")
        self.tree = ast.parse(self.text)
        self.classes = {n.name: n for n in self.tree.body if isinstance(n, ast.ClassDef)}
        self.functions = {n.name: n for n in self.tree.body if isinstance(n, ast.FunctionDef)}
        self.assigned = {name: value for n in self.tree.body if isinstance(n, ast.Assign) for name, value in bound(n)}

    def attached(self, cls: str) -> dict[str, ast.FunctionDef]:
        "The functions that became methods of a class after its body."
        names = {name.removeprefix(f"{cls}."): getattr(value, "id", "") for name, value in self.assigned.items() if name.startswith(f"{cls}.")}
        return {name: self.functions[f] for name, f in names.items() if f in self.functions}

    def methods(self, node: ast.ClassDef) -> dict[str, ast.FunctionDef]:
        "A class's functions by name, with those of its private bases in the same module, which have no entry of their own."
        found = {}
        for base in (self.classes.get(getattr(b, "id", "")) for b in node.bases):
            if base and not is_public(base.name):
                found |= self.methods(base)
        found |= {n.name: n for n in node.body if isinstance(n, ast.FunctionDef)} | self.attached(node.name)
        aliases = {name: getattr(value, "id", "") for n in node.body if isinstance(n, ast.Assign) for name, value in bound(n)}
        return found | {name: found[f] for name, f in aliases.items() if f in found}

    def lines(self) -> dict[str, int]:
        "Where each name is bound; `_method('item', ...)` binds one as well."
        calls = ((n.value.args[0].value, n.lineno) for n in self.tree.body if isinstance(n, ast.Expr) and isinstance(n.value, ast.Call)
                 and n.value.args and isinstance(n.value.args[0], ast.Constant))
        inside = {f"{c.name}.{n.name}": n.lineno for c in self.classes.values() for n in c.body if isinstance(n, ast.FunctionDef)}
        return {name: n.lineno for n in self.tree.body if isinstance(n, ast.Assign) for name, _ in bound(n)} | dict(calls) | {
            name: n.lineno for name, n in (self.classes | self.functions).items()} | inside


QUOTES = "\"'"


def method_entry(cls: str, name: str, f: ast.FunctionDef) -> Entry:
    "A method; or a property, which is not called."
    kinds = set(map(ast.unparse, f.decorator_list))
    if kinds & {"property", "cached_property", "functools.cached_property"}:
        head = f"property {name}" + (f": {ast.unparse(f.returns).strip(QUOTES)}" if f.returns else "")
    else:
        head = "".join(f"{k} " for k in ("staticmethod", "classmethod") if k in kinds) + signature(f, name, skip_self="staticmethod" not in kinds)
    return Entry(f"{cls}.{name}", head, doc_of(f), f.lineno)


def class_entry(node: ast.ClassDef, source: Source) -> Entry:
    "A class: its constructor's signature, or a dataclass's fields; its public methods."
    functions = source.methods(node)
    fields = [ast.unparse(n) for n in node.body if isinstance(n, ast.AnnAssign)]
    bases = ", ".join(name for name in map(ast.unparse, node.bases) if is_public(name))
    if "__init__" in functions:
        head = f"class {signature(functions['__init__'], node.name, True).removesuffix(' -> None')}"
    else:
        head = f"class {node.name}({', '.join(fields)})" if fields else f"class {node.name}"
    methods = [method_entry(node.name, name, f) for name, f in functions.items() if name == "__call__" or is_public(name)]
    return Entry(node.name, head + (f"  # a kind of {bases}" if bases else ""), doc_of(node), node.lineno, methods)


def entry(node, source: Source) -> Entry | None:
    "The entry of a top-level statement, if it defines a public name."
    if isinstance(node, ast.ClassDef) and is_public(node.name):
        return class_entry(node, source)
    if isinstance(node, ast.FunctionDef) and is_public(node.name):
        return Entry(node.name, signature(node, node.name), doc_of(node), node.lineno)
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and is_public(node.targets[0].id):
        text = "\n".join(source.text.splitlines()[node.lineno - 1 : node.end_lineno])
        return Entry(node.targets[0].id, text if len(text) < 300 else text[:300].rsplit("\n", 1)[0] + " ...", "", node.lineno)
    return None


def exported_names(tree: ast.Module) -> set[str]:
    "The names in a module's `__all__`."
    for node in tree.body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "__all__":
            return set(ast.literal_eval(node.value))
    return set()


@cache
def read_module(path: Path, package: Path, modified: float) -> Module:
    "Read a module's public names from its source; `modified` is its time of change, so that an edit is seen."
    source = Source(path)
    public = exported_names(source.tree)
    entries = entries_of_stub(source, path) if path.with_suffix(".pyi").exists() else [entry(node, source) for node in source.tree.body]
    origin = {i: (m["notebook"], m["id"]) for i, line in enumerate(source.text.splitlines(), 1) if (m := CELL.match(line))}
    name = ".".join(path.relative_to(package).with_suffix("").parts)
    return Module(name, path, doc_of(source.tree) or twins_of(name, package), [e for e in entries if e and e.name in public], origin)


def twins_of(name: str, package: Path) -> str:
    "What a second module, whose source begins without a docstring, is about."
    if name == "torch.twins":
        return "A model and its PyTorch twin: weights that go both ways, and a check that both compute and learn the same."
    built = package / f"{name.removeprefix('torch.')}.py"
    return f"The PyTorch twins of `nnbook.{built.stem}`." if name.startswith("torch.") and built.exists() else ""


def entries_of_stub(source: Source, path: Path) -> list[Entry]:
    "The entries of a module whose stub says what its code makes, in the order of the code; what is a function of the engine is no entry as a method again."
    stub, lines = Source(path.with_suffix(".pyi")), source.lines()
    functions = {name for file in path.parent.glob("*.pyi") for name in Source(file).functions}
    entries = list(filter(None, (entry(node, stub) for node in stub.tree.body)))
    for e in entries:
        e.line = lines[e.name]
        e.methods = [m for m in e.methods if m.name.rpartition(".")[2] not in functions]
        for m in e.methods:
            m.line = lines.get(m.name) or lines.get(m.name.rpartition(".")[2]) or e.line
    return sorted(entries, key=lambda e: e.line)


def modules(package: Path = ROOT / "nnbook") -> list[Module]:
    "The library's modules, by name; the exercises' checkers are no part of the reference."
    files = [p for p in sorted(package.rglob("*.py")) if is_public(p.name) and "checkers" not in p.parts]
    changed = {p: max(f.stat().st_mtime for f in (p, p.with_suffix(".pyi")) if f.exists()) for p in files}
    return [m for m in (read_module(p, package, changed[p]) for p in files) if m.entries]


def names_of_library(package: Path) -> dict[str, str]:
    "Where each public name is documented, {'Perceptron': 'api/neuron.qmd#Perceptron'}; a name of two modules is left out."
    found: dict[str, list[str]] = {}
    for m in modules(package):
        found[f"nnbook.{m.name}"] = [f"api/{m.page}.qmd"]
        if not m.name.startswith("torch."):
            for name in (n for e in m.entries for n in e.names()):
                found.setdefault(name, []).append(f"api/{m.page}.qmd#{name}")
    return {name: where[0] for name, where in found.items() if len(where) == 1}


# ---------------------------------------------------------------- writing


def headings(notebook: Path) -> dict[str, str]:
    "For each cell id of a notebook, the anchor of the heading it stands under."
    out, slug = {}, ""
    for cell in read(notebook)["cells"]:
        if cell["cell_type"] == "markdown":
            titles = re.findall(r"^#{2,3} +(.+)$", prose_of(cell), re.M)
            slug = pandoc_id(titles[-1]) if titles else slug
        out[cell.get("id", "")] = slug
    return out


def links(line: int, m: Module, folder: Path, known: dict[str, Chapter]) -> str:
    "Links from an entry to its source and to the place in the chapter where it is built."
    source = f"[source]({SOURCE}/{m.path.relative_to(folder.parent).as_posix()}#L{line})"
    notebook, cell = m.cell_of(line) or ("", "")
    if notebook not in known:
        return source
    anchor = headings(folder / notebook).get(cell, "")
    return f"{source} · [in the chapter](../{notebook}{'#' + anchor if anchor else ''})"


def entry_page(e: Entry, m: Module, folder: Path, known: dict[str, Chapter], level: int = 2) -> str:
    "An entry's section."
    title = e.name.rpartition(".")[2]
    parts = [f"{'#' * level} `{title}` {{#{e.name}}}", f"```python\n{e.signature}\n```", e.doc, links(e.line, m, folder, known)]
    return "\n\n".join([*filter(None, parts), *(entry_page(x, m, folder, known, level + 1) for x in e.methods)])


EXTRAS = {"data": "data", "plots": "notebooks", "explore": "notebooks", "diagrams": "notebooks", "torch": "torch"}  # what more a module needs
EXAMPLES = Path(__file__).parent / "examples"
ENGINE = """## The operators, beside PyTorch's {#operators}

Functions of `nnbook.autograd` and `nnbook.operators`, and methods and properties of `Tensor`. Arguments have the order and the defaults of PyTorch's, or NumPy's; `dim` and `keepdim` are taken wherever `axis` and `keepdims` are. `max` and `min` return values alone. `F` is `torch.nn.functional`.
"""


def block(code: str, language: str = "python") -> str:
    return f"```{language}\n{code.strip()}\n```"


def install(module: str = "") -> str:
    "The command that installs what a module needs."
    extra = EXTRAS.get(module.partition(".")[0])
    return block(f'pip install "nnbook[{extra}]"' if extra else "pip install nnbook", "bash")


def example(m: Module) -> str:
    "The module's example, which the tests run."
    file = EXAMPLES / f"{m.page}.py"
    return block(file.read_text(encoding="utf-8")) if file.exists() else ""


def operators(m: Module) -> str:
    "What the page of the engine has beside its entries."
    if m.name == "operators":
        return "All operators of the engine stand [beside PyTorch's](autograd.qmd#operators)."
    return f"{ENGINE}\n{torch_names.table(m.path.parent)}" if m.name == "autograd" else ""


def front(title: str, description: str) -> str:
    return f"---\ntitle: {title}\ndescription: {description!r}\n---"


def module_page(m: Module, folder: Path, known: dict[str, Chapter]) -> str:
    "A module's page."
    c = known.get(next(iter(m.origin.values()), ("", ""))[0])
    made = f"From [{c.label + ', ' if c.label else ''}{c.title}](../{c.source})." if c else ""
    parts = [front(f"nnbook.{m.name}", m.summary), made, install(m.name), example(m), operators(m)]
    return "\n\n".join(filter(None, [*parts, *(entry_page(e, m, folder, known) for e in m.entries)])) + "\n"


def index_page(found: list[Module], readme: str) -> str:
    "How to install and use the library, as the README has it, and the list of all modules."
    ten_lines = re.search(r"(?<=## The library in ten lines\n\n).*?(?=\n## )", readme, re.S)
    text = "What the notebooks export, pip installs. Each name links to its source and to the place in the book where it is built."
    rows = "\n".join(f"| [`nnbook.{m.name}`]({m.page}.qmd) | {m.summary} |" for m in found)
    parts = [front("The library", "Every module that the chapters build, with signatures and docstrings."), text, install(), ten_lines[0].strip() if ten_lines else "",
             f"## Modules\n\n| module | what it holds |\n|---|---|\n{rows}"]
    return "\n\n".join(filter(None, parts)) + "\n"


def pages(folder: Path) -> dict[str, str]:
    "The pages of the library, {'neuron.qmd': Markdown}, of the project whose notebooks are in `folder`."
    found, readme = modules(folder.parent / "nnbook"), folder.parent / "README.md"
    known = {c.source: c for c in chapters(folder)}
    index = index_page(found, readme.read_text(encoding="utf-8") if readme.exists() else "")
    return {"index.qmd": index} | {f"{m.page}.qmd": module_page(m, folder, known) for m in found}


def save(file: Path, text: str) -> None:
    "Write a file if that changes it, whole: several processes may write the same one."
    if not file.exists() or file.read_text(encoding="utf-8") != text:
        part = file.with_suffix(f".{os.getpid()}.part")
        part.write_text(text, encoding="utf-8")
        part.replace(file)


def write(folder: Path = ROOT / "nbs", *copies: Path) -> list[Path]:
    "Write the pages of the library into `nbs/api`, which git ignores, and into the folders `copies`; returns the files in the first."
    found = pages(folder)
    for place in (folder / "api", *copies):
        place.mkdir(parents=True, exist_ok=True)
        for name, text in found.items():
            save(place / name, text)
        for stale in {p.name for p in place.glob("*.qmd")} - set(found):
            (place / stale).unlink(missing_ok=True)
    return [folder / "api" / name for name in found]


if __name__ == "__main__":
    print(*write(), sep="\n")
