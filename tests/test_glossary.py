"The glossary: terms come from the chapters' bold, the kept table's links arrive, and no term stands twice."

import json
import re
from pathlib import Path

import pytest
from conftest import ROOT
from smalldocs.markdown import pandoc_id

from tools import contents, glossary
from tools.notebook import text_of

FOLDER = ROOT / "nbs"
PAGE = "\n".join(text_of(c["source"]) for c in json.loads((FOLDER / "95a_glossary.ipynb").read_text())["cells"])


@pytest.fixture(scope="module")
def entries():
    return glossary.entries(FOLDER, PAGE)


@pytest.fixture
def book(tmp_path):
    "`book(text, ...)` writes chapters of one section each and gives {term: [sentences]}."
    def write(*texts: str) -> dict[str, list[str]]:
        names = [f"0{i + 1}_c.ipynb" for i in range(len(texts))]
        (tmp_path / "_quarto.yml").write_text(json.dumps({"website": {"sidebar": {"contents": names}}}))
        for name, text in zip(names, texts):
            cells = [{"cell_type": "markdown", "id": "a", "metadata": {}, "source": f"# Title\n> S.\n\n## A section\n\n{text}"}]
            (tmp_path / name).write_text(json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
        contents.parts.cache_clear()
        return {e.term: [m.sentence for m in e.meanings] for e in glossary.entries(tmp_path)}
    yield write
    contents.parts.cache_clear()


# ---------------------------------------------------------------- the page of the book


def test_the_glossary_is_long_and_no_term_stands_twice(entries):
    assert len(entries) > 60
    for names in ([e.title.casefold() for e in entries], [e.anchor for e in entries], [glossary.identity(e.term) for e in entries]):
        assert len(names) == len(set(names)), {n for n in names if names.count(n) > 1}
    assert [glossary.identity(e.term) for e in entries] == sorted(glossary.identity(e.term) for e in entries)


def test_every_entry_says_something_and_links_to_a_section_that_exists(entries):
    headings = {path.name: {pandoc_id(h) for h, _ in glossary.sections(path)} for path in FOLDER.glob("*.ipynb")}
    for e in entries:
        assert 1 <= len(e.meanings) <= 3
        for m in e.meanings:
            notebook, _, anchor = re.search(r"\]\(([^)]+)\)", m.link)[1].partition("#")
            assert notebook in headings and (not anchor or anchor in headings[notebook]), f"{e.term}: there is no section {notebook}#{anchor}"
            assert m.sentence.endswith((".", "?", ".)")) and len(m.sentence.split()) > 4 and "**" not in m.sentence and "](" not in m.sentence, m.sentence


def test_every_row_of_the_kept_table_is_read_and_named_as_its_section():
    rows = [line for line in PAGE.splitlines() if line.startswith("| ") and not line.startswith(("| term", "| ---"))]
    kept = list(glossary.kept(PAGE, FOLDER))
    assert len(kept) == len(rows) > 20
    for term, meaning in kept:
        title, notebook, anchor = re.fullmatch(r"\[([^\]]+)\]\(([^)#]+)#([^)]+)\), .+", meaning.link).groups()
        assert anchor == pandoc_id(title), f"{term}: {title} is not the title of {notebook}#{anchor}"


# ---------------------------------------------------------------- collecting


def test_a_bold_term_is_collected_with_its_sentence_without_links(book):
    found = book("First. The **frobnicator** ([Doe, 1999](99_references.ipynb#doe1999)) turns $a.b$ around, e.g. here. Last.")
    assert found == {"frobnicator": ["The frobnicator (Doe, 1999) turns $a.b$ around, e.g. here."]}


@pytest.mark.parametrize("text", ["**You need** nothing.", "Now **Predict** it.", "1. **A page** of text.", "- **Rows** are examples.", "**Data.** Repeat it.", "<a id=\"tbl-x\"></a>**Table.** Things.",
                                  "| **Head** | x |", "It is **much too long to be a term** here.", "(10, **784**) fits.", "```\n**code**\n```"])
def test_labels_and_emphasis_are_no_terms(book, text):
    assert book(text) == {}


@pytest.mark.parametrize(("text", "sentence"), [
    ("A long list of things that happened to be there is kept. It is called the **tape**, and all who come later read it.", "A long list of things that happened to be there is kept. It is called the tape, and all who come later read it."),
    ("The trap is **tape**. It sticks to what touches it.", "The trap is tape. It sticks to what touches it."),
    ("Everything that was done before it is on the **tape**:\n\n$$\nx = 1,\n$$", "Everything that was done before it is on the tape: $x = 1$."),
    ("Everything that was done before it is on the **tape**:\n\n| a |", "Everything that was done before it is on the tape."),
    ("Some. (Everything that was done before it is on the **tape**.) More.", "Everything that was done before it is on the tape."),
    ("Everything that was done is on the **tape\nmachine**, which **St. Peter** keeps.", None),
    ("The **reel** holds all of it; the **tape** holds what was done before.", "The tape holds what was done before."),
    ("The **reel** and (see [A](a.ipynb); [B](b.ipynb)) the **tape** hold it.", "The reel and (see A; B) the tape hold it."),
])
def test_the_sentence_can_be_read_by_itself(book, text, sentence):
    found = book(text)
    assert found["tape"] == [sentence] if sentence else set(found) == {"tape machine", "St. Peter"}


def test_chapters_and_their_second_pages_teach_terms_and_other_pages_do_not():
    names = ["04_autograd", "18a_graph_depth", "00a_part1", "04a_part1_project", "90a_streams", "index"]
    assert [name for name in names if contents.Chapter(f"{name}.ipynb", "", "Title").teaches] == ["04_autograd", "18a_graph_depth"]


def test_one_entry_for_all_spellings_and_the_standard_name(book):
    found = book("A **weight** is a number of the model that learns.", "All **Weights** are numbers of the model that learn.", "It may **overfit**, which is what it learns too much of.")
    assert {k: len(v) for k, v in found.items()} == {"weight": 2, "overfitting": 1}


def test_the_preview_gives_way_to_the_chapter_that_teaches(tmp_path):
    folder = Path(tmp_path)
    (folder / "_quarto.yml").write_text(json.dumps({"website": {"sidebar": {"contents": ["00_a.ipynb", "01_b.ipynb"]}}}))
    for name, text in (("00_a", "The **tape** is only named here for now."), ("01_b", "The **tape** is what this chapter builds.")):
        (folder / f"{name}.ipynb").write_text(json.dumps({"cells": [{"cell_type": "markdown", "metadata": {}, "source": f"# T\n## S\n{text}"}]}))
    contents.parts.cache_clear()
    (entry,) = glossary.entries(folder, "| tape | A record of all that was done. | [S](01_b.ipynb#s) |")
    assert [m.sentence for m in entry.meanings] == ["A record of all that was done.", "The tape is what this chapter builds."]
    contents.parts.cache_clear()

