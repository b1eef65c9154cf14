"""The processors: what they promise, on small notebooks; and the same promises' breaking."""

import base64
import json
import re
from importlib import import_module
from pathlib import Path

import pytest
from fastcore.nbio import read_nb
from nbdev.process import NBProcessor
from nbdev.processors import FrontmatterProc, hide_

from tools import contents, mathml, processors
from tools.render import lines, merged, name_folds

CONTENTS = """
website:
  sidebar:
    contents:
      - index.ipynb
      - 00_first.ipynb
      - section: "Part I: One"
        contents: [01_neuron.ipynb]
      - section: Appendices
        contents: [94_mathematics.ipynb, 96_claims.ipynb]
"""
SVG = '<svg viewBox="0 0 10 10"><defs><clipPath id="p1"><rect/></clipPath></defs><g clip-path="url(#p1)" style="fill: #7d7f82"/></svg>'


def figure(name: str = "", caption: str = "A caption.") -> str:
    data = base64.b64encode(SVG.encode()).decode()
    target = f' id="fig-{name}"' if name else ""
    return (f'<figure class="nn-figure"{target}><img alt="A &quot;line&quot;." src="data:image/svg+xml;base64,{data}" width="640" height="280">'
            f'{f"<figcaption>{caption}</figcaption>" if caption else ""}</figure>')


def md(source: str) -> dict:
    return {"cell_type": "markdown", "id": "m", "metadata": {}, "source": source}


def code(source: str, *outputs, id: str = "c") -> dict:
    return {"cell_type": "code", "id": id, "metadata": {}, "execution_count": None, "source": source, "outputs": list(outputs)}


def shown(page: str, **more) -> dict:
    return {"output_type": "display_data", "metadata": {}, "data": {"text/html": page, **more}}


def claim(before: str, measured: str, after: str, limit: str) -> dict:
    return shown("<p>x</p>", **{"application/vnd.nnbook.claim+json": {"before": before, "measured": measured, "after": after, "limit": limit}})


@pytest.fixture
def book(tmp_path):
    "A folder of notebooks with contents; `book(name, *cells)` writes one and `book.run(name)` processes it."
    folder = tmp_path / "nbs"
    folder.mkdir()
    (tmp_path / "nnbook").mkdir()
    (folder / "_quarto.yml").write_text(CONTENTS)

    def write(name: str, *cells, meta=None) -> None:
        nb = {"nbformat": 4, "nbformat_minor": 5, "metadata": {"kernelspec": {"name": "python3", "language": "python", "display_name": "P"}, "nnbook": meta or {}},
              "cells": [md(f"# Title of {name}\n> A sentence."), *cells]}
        (folder / f"{name}.ipynb").write_text(json.dumps(nb))

    def run(name: str) -> str:
        nb = read_nb(folder / f"{name}.ipynb")
        ours = ["number", "api_links", "exported", "recorded", "code", "outputs", "claims_page", "reading_time", "budget", "front"]
        NBProcessor(nb=nb, procs=[FrontmatterProc, hide_, *(getattr(processors, p) for p in ours)], rm_directives="quarto").process()
        write.nb = nb
        return "\n\n".join(c.source + "".join(str(o.get("data", o).get("text/markdown", o)) for o in c.get("outputs", [])) for c in nb.cells)

    for name in ("index", "00_first", "01_neuron", "94_mathematics", "96_claims"):
        write(name)
    write.run, write.folder = run, folder
    contents.parts.cache_clear()
    yield write
    contents.parts.cache_clear()


def test_figures_tables_and_equations_are_numbered_by_chapter(book):
    table = '<figure class="nn-table" id="tbl-a"><figcaption>T</figcaption><table><tr><td>1</td></tr></table></figure>'
    book("01_neuron", md("$$\na\n$$\n\nText.\n\n$$\nb\n$$"), code("plot()", shown(figure("one")), shown(figure()), shown(table)), code("plot()", shown(figure("two", ""))))
    page = book.run("01_neuron")
    assert re.findall(r"Figure \d\.\d", page) == ["Figure 1.1", "Figure 1.2", "Figure 1.3"]
    assert "Table 1.1." in page and "(1.1)" in page and "(1.2)" in page
    assert '<b class="nn-label">Figure 1.1.</b> A caption.' in page


def test_an_appendix_counts_in_letters_and_the_first_chapter_is_zero(book):
    for name, number in (("94_mathematics", "A.1"), ("96_claims", "B.1"), ("00_first", "0.1")):
        book(name, code("plot()", shown(figure("x"))))
        assert f"Figure {number}." in book.run(name)


def test_a_page_between_chapters_has_no_number_and_takes_none(book):
    (book.folder / "_quarto.yml").write_text(CONTENTS.replace("[01_neuron.ipynb]", "[00a_part1.ipynb, 01_neuron.ipynb, 01a_part1_project.ipynb]"))
    contents.parts.cache_clear()
    pages = ("00a_part1", "01a_part1_project")
    for name in pages:
        book(name, code("plot()", shown(figure("x"))))
    assert all("Figure 1." in book.run(name) for name in pages)
    found = {c.source: (c.number, c.label, c.page) for c in contents.chapters(book.folder)}
    assert found["00a_part1.ipynb"] == ("", "", "part1.html") and found["01a_part1_project.ipynb"] == ("", "", "part1_project.html")
    assert found["01_neuron.ipynb"][0] == "1" and found["94_mathematics.ipynb"][0] == "A"


def test_links_say_the_number_within_a_notebook_and_across(book):
    book("01_neuron", md("See [Figure](#fig-one), [the curve](#fig-one), [the equation](#eq-e) and Wilson's [table](#tbl-t). [The equation](#eq-e), or [the equation of x](#eq-e)."), code("plot()", shown(figure("one"))),
         md('<a id="eq-e"></a>\n$$\nx\n$$\n\n<a id="tbl-t"></a>**Table.** Caption.\n\n| a |\n|---|\n| 1 |'))
    page = book.run("01_neuron")
    assert "[Figure 1.1](#fig-one), [the curve](#fig-one), [Equation 1.1](#eq-e) and Wilson's [Table 1.1](#tbl-t). [Equation 1.1](#eq-e), or [the equation of x](#eq-e)." in page
    assert '<div class="nn-equation" id="eq-e">' in page and '<a id="tbl-t"></a>**Table 1.1.** Caption.' in page
    book("00_first", md("As [Figure](01_neuron.ipynb#fig-one) shows."))
    assert "[Figure 1.1](01_neuron.ipynb#fig-one)" in book.run("00_first")


def test_a_link_to_a_chapter_says_its_number(book):
    book("00_first", md("In [chapter](01_neuron.ipynb) and [Appendix](94_mathematics.ipynb#sums), not [the neuron](01_neuron.ipynb).\n\n```\n[chapter](01_neuron.ipynb)\n```"))
    page = book.run("00_first")
    assert "[chapter\u00a01](01_neuron.ipynb)" in page and "[Appendix\u00a0A](94_mathematics.ipynb#sums)" in page
    assert "[the neuron](01_neuron.ipynb)" in page and "\n[chapter](01_neuron.ipynb)" in page


@pytest.mark.parametrize("link", ["[chapter](77_gone.ipynb)", "[chapter](94_mathematics.ipynb)", "[Appendix](01_neuron.ipynb)", "[chapter](index.ipynb)"])
def test_a_link_that_names_no_chapter_is_an_error(book, link):
    book("00_first", md(f"In {link}."))
    with pytest.raises(ValueError, match=re.escape(f"00_first.ipynb: the link {link} names no")):
        book.run("00_first")


@pytest.mark.parametrize("link", ["[Figure](#fig-gone)", "[see](#eq-gone)", "[Table](94_mathematics.ipynb#tbl-gone)", "[Figure](05_layers.ipynb#fig-x)"])
def test_a_link_to_a_missing_name_is_an_error_that_names_notebook_and_link(book, link, monkeypatch):
    monkeypatch.delenv("NNBOOK_DRAFT", raising=False)
    book("01_neuron", md(f"See {link}."))
    with pytest.raises(ValueError, match=re.escape(f"01_neuron.ipynb: the link {link}")):
        book.run("01_neuron")


def test_two_things_of_one_name_are_an_error(book):
    book("01_neuron", code("plot()", shown(figure("one"))), code("plot()", shown(figure("one"))))
    with pytest.raises(ValueError, match="01_neuron.ipynb: two things are named fig-one"):
        book.run("01_neuron")


def test_hidden_cells_are_neither_shown_nor_counted(book):
    book("01_neuron", code("#| hide\nplot()", shown(figure("zero"))), code("plot()", shown(figure("one"))), md("[Figure](#fig-one)"))
    page = book.run("01_neuron")
    assert "[Figure 1.1](#fig-one)" in page and "fig-zero" not in page
    book("00_first", md("[Figure](01_neuron.ipynb#fig-one)"))
    assert "[Figure 1.1]" in book.run("00_first")


def test_code_is_no_mathematics_and_no_link(book):
    book("01_neuron", md("```python\n$$\nx\n$$\n[Figure](#fig-gone)\n```\n\n$$\ny\n$$"))
    page = book.run("01_neuron")
    assert "[Figure](#fig-gone)" in page and page.count("nn-number") == 1


def test_exported_cells_are_shown_without_directives_under_their_module(book):
    book("01_neuron", code("#| default_exp neuron"), code("#| export\nx = 1"), code("#| export torch.neuron\ny = 1"), code("#| slow\nz = 1"))
    page = book.run("01_neuron")
    assert "#|" not in page and "x = 1" in page
    assert '<a href="api/neuron.html">nnbook.neuron</a>' in page and '<a href="api/torch_neuron.html">nnbook.torch.neuron</a>' in page
    assert page.count("nn-export") == 2


def test_a_folded_cell_keeps_the_lines_that_fold_it_first_and_stands_under_its_summary_alone(book):
    book("01_neuron", code("#| default_exp neuron"), code('#| export\n#| code-summary: "dtypes, errors"\n#| code-fold: true\nx = 1'), code("#| code-fold: false\ny = 1"))
    page = book.run("01_neuron")
    assert '#| code-fold: true\n#| code-summary: "dtypes, errors"\nx = 1' in page
    assert "nn-export" not in page and page.count("#|") == 2


def test_a_fold_has_an_address():
    cell = '<details class="code-fold">\n<summary>The drawing</summary>\n<pre class="code python"><code>x</code></pre></details>'
    assert re.findall(r'id="([^"]+)"', name_folds(cell + cell)) == ["code-the-drawing", "code-the-drawing-2"]


def test_html_leaves_as_raw_blocks_with_the_drawing_inlined(book):
    book("01_neuron", code("plot()", shown(figure("one")), shown(figure("two"))))
    page = book.run("01_neuron")
    assert all("text/html" not in o.get("data", {}) for c in book.nb.cells for o in c.get("outputs", []))
    assert "```{=html}" in page and "data:image/svg" not in page
    assert 'role="img" aria-label="A &quot;line&quot;."' in page and "currentColor" in page and "#7d7f82" not in page
    assert 'id="d1-p1"' in page and "url(#d1-p1)" in page and 'id="d2-p1"' in page


def test_a_raw_block_outlasts_backticks_in_it():
    assert processors.raw("a ```` b").startswith("`````{=html}\n")


def test_a_claim_is_a_statement_and_stands_on_the_claims_page(book):
    book("01_neuron", code("claim()", claim("it's ", "512,400", " times, & more than half", "≥ 0.5")))
    book("96_claims", md("All:\n\n<!-- nnbook:claims -->"))
    name = "claim-its-times-more-than-half"
    assert f'<p class="nn-claim" id="{name}"><a class="nn-claim-mark" href="claims.html#neuron-{name}"' in book.run("01_neuron")
    page = book.run("96_claims")
    assert f'<tr id="neuron-{name}"><td><a href="neuron.html#{name}"' in page and "it\u2019s <b>512,400</b> times, &amp; more than half" in page and "≥ 0.5" in page


def test_claims_that_begin_alike_have_addresses_of_their_own():
    taken = set()
    names = [processors.claim_name({"before": "so it is", "after": ""}, taken) for _ in range(3)]
    assert names == ["claim-so-it-is", "claim-so-it-is-2", "claim-so-it-is-3"]


def test_hidden_claims_are_not_listed(book):
    book("01_neuron", code("#| hide\nclaim()", claim("secret ", "1", "", "> 0.5")))
    book("96_claims", md("<!-- nnbook:claims -->"))
    assert "secret" not in book.run("96_claims")


def test_a_slow_or_gpu_cell_says_where_and_when_it_was_recorded(book):
    meta = {"cells": {"g": {"kind": "cuda", "hash": "x", "device": "NVIDIA H100", "versions": {"torch": "2.13.0"}, "date": "2026-11-20"}}}
    book("01_neuron", code("#| cuda\nrun()", id="g"), code("#| slow\nother()", id="h"), meta=meta)
    page = book.run("01_neuron")
    assert page.index("run()") < page.index("Recorded on NVIDIA H100, 20 November 2026; torch 2.13.0.")
    assert "This long run has not been recorded yet." in page


def test_what_a_long_run_printed_on_its_way_is_closed(book):
    stream = lambda n: dict(output_type="stream", name="stdout", text="".join(f"step {i} <b>\n" for i in range(n)))
    book("01_neuron", code("#| slow\nrun()", stream(2)), code("#| slow\nfew()", stream(1)), code("quick()", stream(30)))
    page = book.run("01_neuron")
    assert page.count("what it printed") == page.count("what it printed, 2 lines") == 1 and "step 1 &lt;b&gt;</pre></details>" in page and "step 0 <b>" in page


@pytest.mark.parametrize(("lines", "summary"), [
    ("", "GPU cell"),
    ('#| code-fold: false\n#| code-summary: "Adam: 100 million weights"\n', "Adam: 100 million weights"),
    ("#| code-summary: The reader's GPU\n", "The reader's GPU"),
])
def test_a_gpu_cell_that_never_ran_is_folded_under_a_summary_that_says_so(book, lines, summary):
    book("01_neuron", code(f"{lines}#| cuda\nrun()  # here", id="h"))
    nb = read_nb(book.folder / "01_neuron.ipynb")
    NBProcessor(nb=nb, procs=[processors.recorded], rm_directives="quarto").process()
    source = [line for line in nb.cells[1].source.splitlines() if "cuda" not in line]
    assert source == ["#| code-fold: true", f'#| code-summary: "{summary} (not run on a GPU yet)"', "run()  # here"]
    assert nb.cells[1].outputs == []


def test_the_budget_card_is_made_from_what_was_measured(book):
    budget = {"seconds": 41.3, "peak_mb": 1212.4, "device": "one core", "python": "3.11.7", "versions": {"numpy": "2.4.6"}, "date": "2026-11-22"}
    book("01_neuron", meta={"budget": budget})
    page = book.run("01_neuron")
    assert '<section class="nn-budget"' in page, "an <aside> would be moved into Quarto's margin"
    assert all(fact in page for fact in ("41 s", "1,212 MB", "one core", "Python 3.11.7, numpy 2.4.6", "22 November 2026"))
    book("00_first")
    assert "nn-budget" not in book.run("00_first")


def test_reading_time_counts_what_is_in_sight_before_the_exercises(book):
    folded = code('#| code-summary: "more"\n#| code-fold: true\n' + "x = 1\n" * 500)
    shown = [md("**You need** nothing.\n\n" + "word " * 2200), code("x = 1\n" * 100), folded]
    book("01_neuron", *shown)
    assert '**You need** nothing. <span class="nn-time">Reading time: about 15 minutes.</span>' in book.run("01_neuron")
    book("01_neuron", *shown, md("<details><summary>Aside</summary>\n" + "word " * 3000 + "</details>\n\n## Exercises\n" + "word " * 3000), code("x = 1\n" * 300))
    assert "Reading time: about 15 minutes, without the exercises." in book.run("01_neuron")


def test_front_matter_has_the_number(book):
    page = book.run("94_mathematics")
    assert "title: A\u2002Title of 94_mathematics" in page and "output-file: mathematics.html" in page


def test_names_of_the_library_link_to_their_entry_once_a_cell(book):
    (book.folder.parent / "nnbook/neuron.py").write_text('__all__ = ["Perceptron"]\nclass Perceptron:\n    "A unit."\n    def fit(self): "Learn."\n')
    book("01_neuron", md("A `Perceptron`, a `Perceptron`, `Perceptron.fit()`, a `weight`; [the `Perceptron`](x.html).\n\n```python\n`Perceptron`\n```"))
    page = book.run("01_neuron")
    assert page.count("[`Perceptron`](api/neuron.qmd#Perceptron)") == 1
    assert "[`Perceptron.fit()`](api/neuron.qmd#Perceptron.fit)" in page and "[the `Perceptron`](x.html)" in page


# ---------------------------------------------------------------- contents, API, mathematics, code


def test_a_missing_notebook_in_the_contents_is_an_error(book):
    (book.folder / "01_neuron.ipynb").unlink()
    contents.parts.cache_clear()
    with pytest.raises(FileNotFoundError, match="_quarto.yml lists 01_neuron.ipynb"):
        contents.parts(book.folder)


def test_pages_are_named_as_nbdev_names_them(book):
    from nbdev.config import nbpath2html

    for c in contents.chapters(book.folder):
        assert c.page == nbpath2html(Path(c.source)).name


def test_every_notebook_is_in_the_contents():
    assert {c.source for c in contents.chapters() if c.source.endswith(".ipynb")} == {p.name for p in (contents.ROOT / "nbs").glob("*.ipynb")}


def test_the_configuration_is_one_file():
    link = contents.ROOT / "nbs/_quarto.yml"
    assert link.is_symlink() and link.readlink() == Path("../_quarto.yml")


def test_mathematics_becomes_mathml_in_one_call():
    formulas = [("inline", r"\mathbf{x}_i"), ("display", r"\begin{aligned} a &= b < c \\ d &= e \end{aligned}")]
    made = mathml.convert(formulas)
    assert "𝐱" in made[formulas[0]] and "<mtable" in made[formulas[1]] and "annotation" not in "".join(made.values())
    page = mathml.put(r'<span class="math inline">\(\mathbf{x}_i\)</span>', made)
    assert page.startswith("<math") and "\\" not in page
    assert mathml.put(r'x <span class="math inline">\(\mathbf{x}_i\)</span>. Then', made).startswith('x <span class="nowrap"><math')


def test_a_formula_that_pandoc_cannot_read_is_an_error():
    with pytest.raises(ValueError, match="nosuchcommand"):
        mathml.convert([("inline", r"\nosuchcommand{x}")])


@pytest.mark.parametrize(("tex", "expected"), [
    (r"\lVert x \rVert", 'stretchy="false"'), (r"\left\lVert x \right\rVert", 'stretchy="true"'),
    (r"\sum_{i=1} x", 'lspace="0"'), (r"y \log p", "<mspace"), (r"|a| - b", 'form="postfix"'), (r"\hat{p}", "\u02c6"),
])
def test_formulas_are_set_as_tex_sets_them(tex, expected):
    assert expected in mathml.convert([("inline", tex)])["inline", tex]


def test_highlighted_code_keeps_its_text_line_by_line():
    code = '<span class="st">"""A\n  b</span><span class="st">"""</span>\n    x <span class="op">=</span> 1'
    page = lines(code)
    assert re.sub(r"<[^>]+>", "", page) == re.sub(r"<[^>]+>", "", code) + "\n"
    assert page.count("<span") == page.count("</span>") and 'style="--indent:4"' in page
    assert merged('<span class="st">a</span><span class="st">b</span>') == '<span class="st">ab</span>'


def test_every_processor_is_configured():
    import tomllib

    names = tomllib.loads((contents.ROOT / "pyproject.toml").read_text())["tool"]["nbdev"]["doc_procs"]
    assert all(callable(getattr(import_module(m), n)) for m, n in (name.split(":") for name in names))
