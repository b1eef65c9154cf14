"""The library's reference: a page for each module, written from its source without importing it.

`python -m tools.api` writes `nbs/api/*.qmd`, which both renderers turn into pages. Reading instead of importing means
that a module whose requirements are not installed (torch) gets its page all the same.
"""

import ast
import inspect
import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from smalldocs.markdown import pandoc_id

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

    def cell_of(self, line: int) -> tuple[str, str] | None:
        "The notebook cell that a line of the module comes from."
        before = [n for n in self.origin if n <= line]
        return self.origin[max(before)] if before else None


def page_name(module: str) -> str:
    "The page of a module, without its ending: a second dot would look like one."
    return module.replace(".", "_")


STATEMENT = re.compile(r"(?<!\n)\n(?=(?:Shapes?|Raises|Returns|Sources?|After|[a-z_, `]+(?: \([^)]*\))?:) ?)")


def doc_of(node) -> str:
    "A docstring as Markdown: a line that begins a statement of its own (Shapes: ..., Raises ...) begins a paragraph."
    text = inspect.cleandoc(ast.get_docstring(node) or "")
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


def functions_of(node: ast.ClassDef, classes: dict[str, ast.ClassDef]) -> dict[str, ast.FunctionDef]:
    "A class's functions by name, with those of its private bases in the same module, which have no entry of their own."
    found = {}
    for base in (classes.get(getattr(b, "id", "")) for b in node.bases):
        if base and not is_public(base.name):
            found |= functions_of(base, classes)
    return found | {n.name: n for n in node.body if isinstance(n, ast.FunctionDef)}


def class_entry(node: ast.ClassDef, classes: dict[str, ast.ClassDef]) -> Entry:
    "A class: its constructor's signature, or a dataclass's fields; its public methods."
    functions = functions_of(node, classes)
    fields = [ast.unparse(n) for n in node.body if isinstance(n, ast.AnnAssign)]
    bases = ", ".join(name for name in map(ast.unparse, node.bases) if is_public(name))
    if "__init__" in functions:
        head = f"class {signature(functions['__init__'], node.name, True)}"
    else:
        head = f"class {node.name}({', '.join(fields)})" if fields else f"class {node.name}"
    methods = [Entry(f"{node.name}.{name}", signature(f, name, True), doc_of(f), f.lineno) for name, f in functions.items()
               if name == "__call__" or is_public(name)]
    return Entry(node.name, head + (f"  # a kind of {bases}" if bases else ""), doc_of(node), node.lineno, methods)


def entry(node, source: str, classes: dict[str, ast.ClassDef]) -> Entry | None:
    "The entry of a top-level statement, if it defines a public name."
    if isinstance(node, ast.ClassDef) and is_public(node.name):
        return class_entry(node, classes)
    if isinstance(node, ast.FunctionDef) and is_public(node.name):
        return Entry(node.name, signature(node, node.name), doc_of(node), node.lineno)
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and is_public(node.targets[0].id):
        text = "\n".join(source.splitlines()[node.lineno - 1 : node.end_lineno])
        return Entry(node.targets[0].id, text if len(text) < 300 else text[:300].rsplit("\n", 1)[0] + " ...", "", node.lineno)
    return None


def exported_names(tree: ast.Module) -> set[str]:
    "The names in a module's `__all__`."
    for node in tree.body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "__all__":
            return set(ast.literal_eval(node.value))
    return set()


@cache
def read_module(path: Path, package: Path, modified: int) -> Module:
    "Read a module's public names from its source; `modified` is its time of change, so that an edit is seen."
    source = path.read_text(encoding="utf-8")
    tree = ast.parse(source)
    public = exported_names(tree)
    classes = {n.name: n for n in tree.body if isinstance(n, ast.ClassDef)}
    entries = [e for e in (entry(node, source, classes) for node in tree.body) if e and e.name in public]
    origin = {i: (m["notebook"], m["id"]) for i, line in enumerate(source.splitlines(), 1) if (m := CELL.match(line))}
    name = ".".join(path.relative_to(package).with_suffix("").parts)
    return Module(name, path, doc_of(tree), entries, origin)


def modules(package: Path = ROOT / "nnbook") -> list[Module]:
    "The library's modules, by name; the exercises' checkers are no part of the reference."
    files = [p for p in sorted(package.rglob("*.py")) if is_public(p.name) and "checkers" not in p.parts]
    return [m for m in (read_module(p, package, p.stat().st_mtime_ns) for p in files) if m.entries]


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


def module_page(m: Module, folder: Path, known: dict[str, Chapter]) -> str:
    "A module's page."
    notebook = next(iter(m.origin.values()), ("", ""))[0]
    c = known.get(notebook)
    made = f"From [{c.label + ', ' if c.label else ''}{c.title}](../{notebook})." if c else ""
    head = f"---\ntitle: nnbook.{m.name}\ndescription: {m.doc.splitlines()[0]!r}\n---" if m.doc else f"---\ntitle: nnbook.{m.name}\n---"
    use = f"```python\nfrom nnbook.{m.name} import {', '.join(e.name for e in m.entries[:3])}\n```"
    return "\n\n".join(filter(None, [head, made, use, *(entry_page(e, m, folder, known) for e in m.entries)])) + "\n"


def index_page(found: list[Module]) -> str:
    "The list of all modules."
    rows = "\n".join(f"| [`nnbook.{m.name}`]({m.page}.qmd) | {m.doc.splitlines()[0] if m.doc else ''} |" for m in found)
    text = "What the notebooks export, `pip install nnbook` gives. Each name links to its source and to the place in the book where it is built."
    return f"---\ntitle: The library\ndescription: Every module that the chapters build, with signatures and docstrings.\n---\n\n{text}\n\n| module | what it holds |\n|---|---|\n{rows}\n"


def save(file: Path, text: str) -> bool:
    "Write a file if that changes it; returns whether it did."
    if file.exists() and file.read_text(encoding="utf-8") == text:
        return False
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return True


def write(folder: Path = ROOT / "nbs") -> list[Path]:
    "Write the pages of the library into `nbs/api`; returns the files that changed."
    found = modules(folder.parent / "nnbook")
    pages = {folder / "api/index.qmd": index_page(found)}
    changed = [file for file, text in pages.items() if save(file, text)]  # first: the contents list it
    known = {c.source: c for c in chapters(folder)}
    pages |= {folder / f"api/{m.page}.qmd": module_page(m, folder, known) for m in found}
    changed += [file for file, text in pages.items() if save(file, text)]
    for stale in set((folder / "api").glob("*.qmd")) - set(pages):
        stale.unlink()
        changed.append(stale)
    return changed


if __name__ == "__main__":
    print(*write(), sep="\n")
