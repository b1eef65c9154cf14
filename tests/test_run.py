"The runner: fresh kernel, stored outputs, skipped cells keep theirs, a failing cell is named, `--check` writes nothing."

import shutil
import subprocess
import sys

import nbformat
import pytest
from conftest import ROOT, read

from tools.cells import begins
from tools.run import stale

CELLS = ["x = 1\nprint(x)", "#| slow\nprint('slow ran')", "#| cuda\nprint('cuda ran')"]


@pytest.fixture
def project(tmp_path):
    "A project of one notebook."
    for name in ("tools", "nnbook"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "settings.ini"):
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / "nbs").mkdir()
    (tmp_path / "_quarto.yml").write_text("website: {title: t, sidebar: {contents: [05_t.ipynb]}}\n")
    (tmp_path / "nbs/_quarto.yml").symlink_to("../_quarto.yml")
    write(tmp_path, CELLS)
    return tmp_path


def write(project, sources):
    cells = [nbformat.v4.new_markdown_cell("# T\n> t"), *[nbformat.v4.new_code_cell(s, id=f"cell{i}") for i, s in enumerate(sources)]]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), project / "nbs/05_t.ipynb")


def run(project, *arguments):
    return subprocess.run([sys.executable, "-m", "tools.run", *arguments], cwd=project, capture_output=True, text=True)


def printed(project):
    return {c.id: "".join(o.text for o in c.outputs) for c in read(project / "nbs/05_t.ipynb").cells if c.cell_type == "code"}


def test_a_run_stores_outputs_budget_and_records(project):
    done = run(project, "05")
    assert done.returncode == 0, done.stderr
    nb = read(project / "nbs/05_t.ipynb")
    assert printed(project) == {"cell0": "1\n", "cell1": "slow ran\n", "cell2": ""}
    assert stale(nb) == []
    record = nb.metadata["nnbook"]
    assert record["cells"]["cell1"]["kind"] == "slow" and record["cells"]["cell1"]["date"]
    assert "cell2" not in record["cells"], "a cuda cell without a GPU has no record"
    assert record["budget"]["peak_mb"] > 10 and record["budget"]["versions"]["numpy"]


def test_without_slow_the_stored_output_and_its_record_stay(project):
    run(project, "05")
    before = read(project / "nbs/05_t.ipynb").metadata["nnbook"]["cells"]
    assert run(project, "05", "--no-slow").returncode == 0
    assert printed(project)["cell1"] == "slow ran\n"
    assert read(project / "nbs/05_t.ipynb").metadata["nnbook"]["cells"] == before


def test_slow_cells_run_one_by_one_and_the_others_keep_their_records(project):
    write(project, ["#| slow\nprint('one')", "#| slow\nprint('other')", "print('ordinary')"])
    run(project, "05")
    before = read(project / "nbs/05_t.ipynb").metadata["nnbook"]["cells"]
    write(project, ["#| slow\nprint('one')", "#| slow\nprint('other', 2)", "print('ordinary')"])
    nb = read(project / "nbs/05_t.ipynb")
    nb.metadata["nnbook"] = {"cells": before}
    nbformat.write(nb, project / "nbs/05_t.ipynb")
    assert run(project, "05", "--cell", "oth.r").returncode == 0
    assert printed(project) == {"cell0": "", "cell1": "other 2\n", "cell2": "ordinary\n"}
    after = read(project / "nbs/05_t.ipynb").metadata["nnbook"]["cells"]
    assert after["cell0"] == before["cell0"] and after["cell1"]["hash"] != before["cell1"]["hash"]
    refused = run(project, "05", "--cell", "ordinary")
    assert refused.returncode == 2 and "'ordinary' is found in no slow cell" in refused.stderr


def test_a_slow_cell_that_ran_is_recorded_though_a_later_cell_fails(project):
    write(project, ["print('before')", "#| slow\nprint('an hour later')", "1 / 0", "#| slow\nprint('never')"])
    assert run(project, "05").returncode == 1
    assert printed(project) == {"cell0": "", "cell1": "an hour later\n", "cell2": "", "cell3": ""}
    nb = read(project / "nbs/05_t.ipynb")
    assert list(nb.metadata["nnbook"]["cells"]) == ["cell1"]
    nb.cells[3].source = "1"
    nbformat.write(nb, project / "nbs/05_t.ipynb")
    assert run(project, "05", "--no-slow").returncode == 0
    assert stale(read(project / "nbs/05_t.ipynb")) == []


FOLDS = '#| code-summary: "more"\n#| code-fold: true\n'


def test_jupyterlab_folds_what_the_page_folds_and_nothing_else(project):
    "The reader's own folding, which JupyterLab saves, does not stay; and fold lines are no part of what was run."
    write(project, [FOLDS + "x = 1", "y = 2", "#| hide\nz = 3"])
    file = project / "nbs/05_t.ipynb"
    nb = read(file)
    nb.cells[2].metadata["jupyter"] = {"source_hidden": True}
    nbformat.write(nb, file)
    assert run(project, "05").returncode == 0
    hidden = lambda: [c.metadata.get("jupyter", {}).get("source_hidden", False) for c in read(file).cells if c.cell_type == "code"]
    assert hidden() == [True, False, True]
    nb = read(file)
    nb.cells[1].source, nb.cells[2].source = "x = 1", FOLDS + "y = 2"
    assert stale(nb) == []
    nbformat.write(nb, file)
    assert run(project, "05", "--fold").returncode == 0
    assert hidden() == [False, True, True] and stale(read(file)) == []


CHECKER = "#| hide\n#| export checkers.t\n"


def test_checkers_run_alone_and_nothing_else_is_taken_for_run(project):
    write(project, ["#| default_exp t", "print('long')", CHECKER + "a = 1"])
    assert run(project, "05").returncode == 0
    file = project / "nbs/05_t.ipynb"
    before = read(file).metadata["nnbook"]
    edited = read(file)
    edited.cells[-1].source = CHECKER + "a = 2\nprint(a)"
    nbformat.write(edited, file)
    assert "has changed" in stale(read(file))[0]
    done = run(project, "05", "--checkers")
    assert done.returncode == 0 and "1 cells of checkers" in done.stdout, done.stderr
    after = read(file)
    assert stale(after) == [] and printed(project) == {"cell0": "", "cell1": "long\n", "cell2": "2\n"}
    assert after.metadata["nnbook"]["budget"] == before["budget"] and "a = 2" in (project / "nnbook/checkers/t.py").read_text()
    edited.cells[2].source = "print('longer')"                        # not run by it, and stays stale
    nbformat.write(edited, file)
    assert run(project, "05", "--checkers").returncode == 0
    assert ["'longer'" in line and "has changed" in line for line in stale(read(file))] == [True]
    edited.cells[-1].source = CHECKER + "print(long)"                 # needs the chapter, which a module of its own can't
    nbformat.write(edited, file)
    assert run(project, "05", "--checkers").returncode != 0


def test_check_writes_nothing_and_fails_on_a_false_claim(project):
    write(project, ["from nnbook.claims import claim", "claim('{} is less than one', 2, '<', 1)"])
    before = (project / "nbs/05_t.ipynb").read_bytes()
    done = run(project, "--check")
    assert done.returncode == 1 and "05_t.ipynb failed" in done.stdout and "{} is less than one" in done.stdout
    assert (project / "nbs/05_t.ipynb").read_bytes() == before


def test_a_number_means_the_chapter_without_the_pages_behind_it():
    assert [begins("04_autograd.ipynb", s) for s in ("04", "0", "04_auto", "04a")] == [True, True, True, False]
    assert [begins("04a_part1_project.ipynb", s) for s in ("04", "04a", "04a_part1")] == [False, True, True]


def test_a_chapter_that_does_not_exist_is_named(project):
    done = run(project, "77")
    assert done.returncode != 0 and "77" in done.stderr and "05_t" in done.stderr
