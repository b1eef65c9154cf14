"""Stubs, from which type checkers and editors know what running code makes: `python -m tools.stubs` writes `nnbook/NAME.pyi`.

The operators of the engine are made by functions (`exp = elementwise(...)`) and given to `Tensor` as methods, `Tensor.exp = exp`.
A type checker runs no code and sees none of this. So the module is imported here, and each of its functions and methods
is written down with the signature that its `def` has in the source, and its docstring.
"""

import ast
import builtins
import copy
import importlib
import inspect
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import FunctionType

from tools.contents import ROOT

MODULES = ("autograd", "operators")  # those that make functions, or methods of classes that exist already
HEAD = '"""The interface of nnbook.{}, for type checkers and editors."""\n\n# Written by `python -m tools.stubs` from the module itself. Don\'t edit it.\n'


@cache
def tree_of(file: str) -> ast.Module:
    return ast.parse(Path(file).read_text(encoding="utf-8"))


@cache
def definitions(file: str) -> dict[tuple[int, str], ast.FunctionDef]:
    "Every function of a file by what its code object knows: the first line, decorators included, and the name."
    return {(min(n.lineno for n in (node, *node.decorator_list)), node.name): node
            for node in ast.walk(tree_of(file)) if isinstance(node, ast.FunctionDef)}


def definition(f: FunctionType) -> ast.FunctionDef:
    "A copy of the `def` of a function; of a lambda, one with its arguments."
    code = inspect.unwrap(f).__code__
    if node := definitions(code.co_filename).get((code.co_firstlineno, code.co_name)):
        return copy.deepcopy(node)
    return ast.parse(f"def f{inspect.signature(f).replace(return_annotation=inspect.Signature.empty)}: ...").body[0]


def with_options(f: FunctionType, given: ast.arguments) -> None:
    "Where one function was made from another, `gelu` of tensors from that of arrays, name the arguments that it passes on."
    source = inspect.getclosurevars(f).nonlocals.get("f")
    if given.kwarg and isinstance(source, FunctionType):
        theirs = definition(source).args
        given.args += theirs.args[len(given.args):]
        given.defaults, given.kwonlyargs, given.kw_defaults = theirs.defaults, theirs.kwonlyargs, theirs.kw_defaults
        given.vararg = given.kwarg = None


def with_torch_names(f: FunctionType, given: ast.arguments) -> None:
    "Add the names that `torch_names` lets a function take as well: dim for axis."
    arguments = {a.arg: a for a in [*given.args, *given.kwonlyargs]}
    for theirs, ours in f.__globals__["_OURS"].items():
        if ours in arguments and theirs not in arguments and (theirs != "dims" or "tuple" in ast.unparse(arguments[ours])):
            given.kwonlyargs.append(ast.arg(theirs, arguments[ours].annotation))
            given.kw_defaults.append(ast.Constant(...))
    optional = len(given.args) - next((i for i, a in enumerate(given.args) if a.arg == "axis"), len(given.args))
    given.defaults = [ast.Constant(...)] * (optional - len(given.defaults)) + given.defaults


def body_of(thing, depth: int) -> list[ast.stmt]:
    "The docstring, or dots."
    text = inspect.getdoc(thing)
    return [ast.Expr(ast.Constant(text.replace("\n", "\n" + "    " * depth) + ("\n" + "    " * depth if "\n" in text else "") if text else ...))]


def result_of(f: FunctionType, node: ast.FunctionDef) -> ast.expr | None:
    "The annotation of what a function returns."
    result = f.__annotations__.get("return")
    return ast.parse(result, mode="eval").body if isinstance(result, str) else node.returns


def function(name: str, f: FunctionType, depth: int = 1) -> ast.FunctionDef:
    "A function in a stub."
    node = definition(f)
    if f.__code__.co_name != "renamed":
        with_options(f, node.args)
    elif not node.args.kwarg:
        with_torch_names(f, node.args)
    node.name, node.returns, node.body, node.decorator_list = name, result_of(f, node), body_of(f, depth), []
    return node


def member(name: str, value) -> ast.FunctionDef | None:
    "What a stub says of an attribute of a class; nothing of private ones, and of methods that only raise."
    if name == "__hash__" and value is object.__hash__:
        return ast.parse("def __hash__(self) -> int: ...").body[0]
    f = value.fget if isinstance(value, property) else getattr(value, "__wrapped__", None) if isinstance(value, staticmethod) else value
    private = name.startswith("_") and not name.endswith("__")
    if private or name == "__new__" or not isinstance(f, FunctionType):
        return None
    node = function(name, f, 2)
    if isinstance(value, staticmethod):
        node.decorator_list = [ast.Name("staticmethod")]
    else:
        node.args.args[0] = ast.arg("self")
    if isinstance(value, property):
        node.args, node.body, node.decorator_list = ast.parse("lambda self: ...").body[0].value.args, body_of(value, 2), [ast.Name("property")]
    return None if getattr(node.returns, "id", "") == "NoReturn" else node


def class_of(cls: type) -> ast.ClassDef:
    "A class in a stub: its declared attributes, its methods and those it was given later."
    node = next(n for n in tree_of(inspect.getfile(cls)).body if isinstance(n, ast.ClassDef) and n.name == cls.__name__)
    declared = [n for n in node.body if isinstance(n, ast.AnnAssign)]
    members = filter(None, (member(name, value) for name, value in vars(cls).items()))
    return ast.ClassDef(cls.__name__, node.bases, [], [*body_of(cls, 1), *declared, *members], [])


def bindings(file: str) -> Iterator[tuple[str, str]]:
    "What the names at the top of a file stand for: (name, the statement that a stub needs for it)."
    for node in tree_of(file).body:
        if isinstance(node, ast.ImportFrom):
            yield from ((a.asname or a.name, f"from {'.' * node.level}{node.module or ''} import {a.name}" + (f" as {a.asname}" if a.asname else "")) for a in node.names)
        elif isinstance(node, ast.Import):
            yield from ((a.asname or a.name, f"import {a.name}" + (f" as {a.asname}" if a.asname else "")) for a in node.names)
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            yield node.targets[0].id, ast.unparse(node)
        elif isinstance(node, (ast.ClassDef, ast.FunctionDef)):
            yield node.name, f"from .{Path(file).stem} import {node.name}"


def preamble(body: list[ast.stmt], files: list[str]) -> list[str]:
    "The statements that give a stub's annotations their names, found in the files that the signatures come from."
    meaning = {name: statement for file in reversed(files) for name, statement in bindings(file)}
    defined, found, trees = {n.name for n in body} | set(dir(builtins)), {}, [*body]
    for tree in trees:  # the list grows: an assignment needs names too
        targets = [n.target for n in ast.walk(tree) if isinstance(n, ast.AnnAssign)]
        names = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and n not in targets}
        new = {name: meaning[name] for name in sorted(names & meaning.keys() - defined - found.keys())}
        found |= new
        trees += map(ast.parse, new.values())
    return sorted(found.values(), key=lambda statement: ("import" not in statement, statement))


def stub(name: str) -> str:
    "The stub of a module of the library."
    module = importlib.import_module(f"nnbook.{name}")
    public = {n: getattr(module, n) for n in module.__all__}
    functions = (f for x in public.values() for f in (vars(x).values() if isinstance(x, type) else [x]) if isinstance(f, FunctionType))
    others = {inspect.unwrap(f).__code__.co_filename for f in functions} - {module.__file__}
    body = [class_of(x) if isinstance(x, type) else function(n, x) for n, x in public.items()]
    parts = [HEAD.format(name), *preamble(body, [module.__file__, *sorted(others)]), f"\n__all__ = {module.__all__}\n"]
    text = "\n".join([*parts, ast.unparse(ast.fix_missing_locations(ast.Module(body, [])))])
    text = re.sub(r"(def __(eq|ne)__.*:)$", r"\1  # type: ignore[override]", text, flags=re.M)  # arrays, where an object has bool
    return re.sub(r" +$", "", text, flags=re.M) + "\n"


def write(package: Path = ROOT / "nnbook") -> list[Path]:
    "Write the stubs; returns those that changed."
    texts = {package / f"{name}.pyi": stub(name) for name in MODULES}
    changed = [file for file, text in texts.items() if not file.exists() or file.read_text(encoding="utf-8") != text]
    for file in changed:
        file.write_text(texts[file], encoding="utf-8")
    return changed


if __name__ == "__main__":
    print(*write(), sep="\n")
