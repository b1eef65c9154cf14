"Each notebook as a document: its outputs are those of its code, it is light, and it has the parts of a chapter."

import ast
import copy
import json
import re

import nbformat
import pytest
from conftest import ROOT, chapters, read

from tools.cells import cell_hash, kind
from tools.run import stale

CHAPTERS = [p for p in chapters() if re.match(r"\d\d_", p.id) and int(p.id[:2]) < 90]
PARTS = [p for p in chapters() if re.match(r"\d\d[a-z]_part\d+$", p.id)]
PROJECTS = [p for p in chapters() if re.match(r"\d\d[a-z]_part\d+_project$", p.id)]


@pytest.mark.parametrize("path", chapters())
def test_outputs_belong_to_their_code(path):
    assert stale(read(path)) == [], f"{path.name}: run `make run CH={path.stem[:2]}`"


@pytest.mark.parametrize("path", chapters())
def test_no_stored_errors_warnings_or_dead_widgets(path):
    for cell in read(path).cells:
        for output in cell.get("outputs", []):
            assert output.output_type != "error", cell.source
            assert "application/vnd.jupyter.widget-view+json" not in output.get("data", {}), cell.source
            assert not (output.output_type == "stream" and output.name == "stderr"), output.text


@pytest.mark.parametrize("path", chapters())
def test_weight(path):
    assert path.stat().st_size < 1_500_000


@pytest.mark.parametrize("path", CHAPTERS)
def test_a_chapter_has_its_parts(path):
    nb = read(path)
    text = "\n".join(c.source for c in nb.cells if c.cell_type == "markdown")
    first = nb.cells[0].source
    assert re.match(r"# .+\n+> .+", first), "begins with a title and one sentence"
    assert "**You need** " in text
    assert re.search(r"^## Recap", text, re.MULTILINE) and re.search(r"^## Exercises", text, re.MULTILINE)
    exercises = re.findall(r"^### Exercise (\d+)", text, re.MULTILINE)
    assert 3 <= len(exercises) <= 6 and exercises == [str(i + 1) for i in range(len(exercises))]
    claims = [o for c in nb.cells for o in c.get("outputs", []) if "application/vnd.nnbook.claim+json" in o.get("data", {})]
    assert 1 <= len(claims) <= 8, f"{len(claims)} claims"
    assert nb.metadata["nnbook"]["budget"]["seconds"] > 0


def prose(nb) -> str:
    return "\n".join(c.source for c in nb.cells if c.cell_type == "markdown")


@pytest.mark.parametrize("path", PARTS)
def test_a_part_opens_with_what_its_reader_will_be_able_to_do(path):
    text = prose(read(path))
    assert re.match(r"# .+\n+> .+", text), "begins with a title and one sentence"
    abilities = re.findall(r"^\d\. \*\*.+", text, re.MULTILINE)
    assert len(abilities) == 5
    assert all(re.search(r"\]\(\d\d_\w+\.ipynb#[\w-]+\)", a) for a in abilities), "each links to the section that teaches it"
    assert len(text.split()) < 700, "half a page"


@pytest.mark.parametrize("path", PROJECTS)
def test_a_project_has_its_parts(path):
    text = prose(read(path))
    assert re.match(r"# .+\n+> .+", text), "begins with a title and one sentence"
    assert "**You need** " in text
    first, *others = re.findall(r"^## (.+)", text, re.MULTILINE)
    assert first.startswith("The ") and others == ["Hand in", "What is not allowed", "Rubric"], "what is given, then the same for all"
    points = [int(n) for n in re.findall(r"^\|.*\| *(\d+) *\|$", text, re.MULTILINE)]
    assert sum(points) == 20 and len(points) >= 8
    assert "### " not in text, "no steps given"


def test_every_part_has_an_opening_and_a_finished_one_a_project():
    assert {p.id[4:] for p in PARTS} >= {p.id[4:].removesuffix("_project") for p in PROJECTS} > set()


def sample():
    "A notebook as the runner leaves it: one ordinary cell, one slow cell."
    ordinary = nbformat.v4.new_code_cell("print(1)", outputs=[nbformat.v4.new_output("stream", name="stdout", text="1\n")])
    slow = nbformat.v4.new_code_cell("#| slow\nprint(2)", outputs=[nbformat.v4.new_output("stream", name="stdout", text="2\n")])
    nb = nbformat.v4.new_notebook(cells=[ordinary, slow])
    nb.metadata["nnbook"] = {"code": [f"{ordinary.id}:{cell_hash(ordinary)}"], "cells": {slow.id: {"kind": "slow", "hash": cell_hash(slow)}}}
    return nb


def test_freshness_accepts_what_the_runner_wrote():
    assert stale(sample()) == []


@pytest.mark.parametrize(("which", "edit", "complaint"), [
    (0, lambda c: c.update(source="print(3)"), "has changed since it ran"),
    (1, lambda c: c.update(source="#| slow\nprint(3)"), "has changed since it ran"),
    (0, lambda c: c.outputs[0].update(text="7\n"), "not what the run printed"),
    (1, lambda c: c.update(outputs=[]), "not what the run printed"),
])
def test_freshness_names_the_cell_that_does_not_fit(which, edit, complaint):
    nb = copy.deepcopy(sample())
    edit(nb.cells[which])
    (line,) = stale(nb)
    assert nb.cells[which].id in line and complaint in line


def test_freshness_sees_a_new_a_removed_and_a_moved_cell():
    nb = sample()
    nb.cells.append(nbformat.v4.new_code_cell("print(4)"))
    assert "has not been run" in stale(nb)[0]
    nb = sample()
    del nb.cells[0]
    assert "removed or moved" in stale(nb)[0]


def test_a_cuda_cell_that_never_ran_is_not_stale_but_one_with_typed_output_is():
    nb = sample()
    nb.cells.append(nbformat.v4.new_code_cell("#| cuda\ntorch.cuda.synchronize()"))
    assert stale(nb) == []
    nb.cells[-1].outputs = [nbformat.v4.new_output("stream", name="stdout", text="fast\n")]
    assert "has not been run" in stale(nb)[0]


def test_directives_are_read():
    assert [kind(nbformat.v4.new_code_cell(s)) for s in ("#| slow\nx", "#| export\n#| cuda\nx", "x", "#| eval: false\nx")] == ["slow", "cuda", "", "eval: false"]


def bound(tree) -> set[str]:
    "Every name that a cell binds: assigned, imported, defined, or a parameter."
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            found.add(node.name)
        elif isinstance(node, ast.arg):
            found.add(node.arg)
        elif isinstance(node, ast.alias):
            found.add((node.asname or node.name).partition(".")[0])
    return found


@pytest.mark.parametrize("path", chapters())
def test_no_ordinary_cell_uses_what_only_a_slow_or_cuda_cell_binds(path):
    ordinary, special = set(), set()
    for cell in (c for c in read(path).cells if c.cell_type == "code"):
        tree = ast.parse(cell.source)
        if kind(cell) in ("slow", "cuda"):
            special |= bound(tree)
            continue
        ordinary |= bound(tree)
        used = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)}
        assert not (used - ordinary) & special, f"{cell.source[:60]!r} uses {(used - ordinary) & special}"


@pytest.mark.parametrize("path", chapters())
def test_a_reference_reads_as_a_sentence_where_nothing_has_a_number(path):
    "In JupyterLab `[Equation](#eq-x)` would read: nothing in Equation needs ..."
    found = [m for c in read(path).cells if c.cell_type == "markdown" for m in re.findall(r"\[(?:Equation|Figure|Table)\]\([^)]*\)", c.source)]
    assert found == []


def test_notebooks_are_valid_and_end_with_a_newline():
    for path in (ROOT / "nbs").glob("*.ipynb"):
        nbformat.validate(json.loads(path.read_text()))
        assert path.read_text().endswith("\n")
