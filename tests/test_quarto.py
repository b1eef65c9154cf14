"""Quarto's rendering, as far as it can be tested without Quarto: its theme, and what is done to its pages.

The pages here have Quarto's elements, under Bootstrap and the rules of Quarto's that speak against the book's.
"""

import re
import subprocess
from pathlib import Path

import pypandoc
import pytest
import sass
import smalldocs
import yaml
from browser import chromium
from conftest import ROOT

from tools import contents, quarto

THEME = ROOT / "tools/theme"
CONFIG = yaml.safe_load((ROOT / "_quarto.yml").read_text())["format"]["html"]


def html_of(markdown: str) -> str:
    "Markdown as the pandoc inside Quarto renders it."
    command = [pypandoc.get_pandoc_path(), "--from=markdown", "--to=html", "--mathml", "--wrap=none"]
    return subprocess.run(command, input=markdown, capture_output=True, text=True, check=True).stdout


def page(body: str, title: str = "T") -> str:
    header = f'<header id="title-block-header" class="quarto-title-block default"><h1 class="title">{title}</h1></header>'
    return f'<html><head><title>x</title>\n</head><body class="floating quarto-light"><div id="quarto-content"><main class="content">{header}\n{body}</main></div></body></html>'


# ---------------------------------------------------------------- the theme


def variables(scheme: str) -> list[tuple[str, str, str]]:
    "The variables of a scheme's SCSS: name, value, and the name of the color in book.css that it repeats."
    return re.findall(r"^\$([\w-]+): (.+?);(?: // --(\w+))?$", (THEME / f"{scheme}.scss").read_text(), re.M)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_theme_compiles_to_the_colors_of_the_book(scheme):
    blocks = re.findall(r"^(?::root|\.quarto-dark) \{(.*?)\n\}", (THEME / "book.css").read_text(), re.M | re.S)
    colors = dict(re.findall(r"--(\w+): (#\w{6})", blocks[scheme == "dark"]))
    source = (THEME / f"{scheme}.scss").read_text()
    probe = "".join(f"\n.{name} {{ color: rgba(${name}, 0.5); --whole: #{{${name}}}; }}" for name, _, color in variables(scheme) if color)
    compiled = dict(re.findall(r"\.([\w-]+) \{\s*color: rgba[^}]*--whole: (#\w+);", sass.compile(string=source + probe)))
    assert source.startswith("/*-- scss:defaults --*/\n")
    assert compiled == {name: colors[color] for name, _, color in variables(scheme) if color}
    assert {"body-bg", "body-color", "link-color", "sidebar-bg", "code-block-bg"} <= compiled.keys()


def test_light_and_dark_differ_in_colors_alone():
    light, dark = ([(name, color or value) for name, value, color in variables(scheme)] for scheme in ("light", "dark"))
    assert light == dark and ("font-size-root", "16px") in light


def test_quarto_finds_what_its_configuration_names():
    website = yaml.safe_load((ROOT / "_quarto.yml").read_text())["website"]
    for name in [*CONFIG["theme"].values(), *CONFIG["css"], website["favicon"], website["sidebar"]["logo"]]:
        assert (ROOT / "nbs" / name).is_file(), name
    assert CONFIG["respect-user-color-scheme"] and CONFIG["tbl-colwidths"] is False
    text = re.search(r"--text: ([\d.]+)rem", (THEME / "book.css").read_text())[1]
    assert int(CONFIG["grid"]["body-width"].removesuffix("px")) - 3 * 18 == float(text) * 16


def test_what_is_published_is_built_by_pip_alone():
    steps = yaml.safe_load((ROOT / ".github/workflows/site.yml").read_text())["jobs"]["site"]["steps"]
    assert [s["run"] for s in steps if "run" in s] == ["make book SERVE=0"]
    assert [s["with"]["path"] for s in steps if "upload" in s.get("uses", "")] == ["_site"]


# ---------------------------------------------------------------- finishing


def test_mathematics_is_set_as_on_the_pip_built_site():
    body = html_of(r"So $\log 2$, and $\text{a b}$.").replace("a b<", "a&nbsp;b<")
    assert "<annotation" in body and "&nbsp;" in body
    done = quarto.finish(page(body), "", "")
    assert "annotation" not in done and '<mspace width="0.167em">' in done
    assert re.search(r'<span class="nowrap"><math(?:(?!<math).)*</math>,</span>', done)


def test_a_line_of_code_knows_its_indentation():
    done = quarto.finish(page(html_of('```python\ndef f():\n    """One\n      two."""\n    return 1\n```')), "", "")
    assert re.findall(r'id="cb1-\d" style="--indent:(\d+)"', done) == ["0", "4", "6", "4"]


@pytest.fixture
def rendered(tmp_path):
    "A site as Quarto leaves it, finished once."
    for name in ("index", "neuron", "api/layers"):
        file = tmp_path / f"{name}.html"
        file.parent.mkdir(exist_ok=True)
        file.write_text(page(html_of(r"$|a| - \log b$ ü"), name))
    assert quarto.finish_all(tmp_path) == 3
    return tmp_path


def test_finishing_twice_changes_nothing(rendered):
    before = {f: f.read_bytes() for f in rendered.rglob("*") if f.is_file()}
    assert quarto.finish_all(rendered) == 0
    assert {f: f.read_bytes() for f in rendered.rglob("*") if f.is_file()} == before


def test_a_finished_page_has_the_books_title_fonts_and_notebook(rendered):
    index, neuron, api = ((rendered / f"{name}.html").read_text() for name in ("index", "neuron", "api/layers"))
    chapter = next(c for c in contents.chapters() if c.page == "neuron.html")
    assert '<img class="cover" src="cover.svg"' in index and (rendered / "cover.svg").is_file() and "cover" not in neuron
    assert f'<p class="label">Part I · Chapter {chapter.number}</p><h1>{chapter.title}</h1><p class="lede">' in neuron
    assert f'href="notebooks/{chapter.source}" download' in neuron
    assert (rendered / "notebooks" / chapter.source).read_bytes() == (ROOT / "nbs" / chapter.source).read_bytes()
    assert '<h1 class="title">api/layers</h1>' in api, "a page that the contents do not list keeps Quarto's title"
    assert 'href="assets/fonts.css"' in neuron and 'href="../assets/fonts.css"' in api
    named = re.findall(r'url\("(.+?)"\)', (rendered / "assets/fonts.css").read_text())
    assert "math.woff2" in named and all((rendered / "assets" / name).stat().st_size > 1000 for name in named)


def test_a_folder_without_a_site_says_what_to_run(tmp_path, monkeypatch):
    monkeypatch.setattr("sys.argv", ["quarto", str(tmp_path)])
    with pytest.raises(SystemExit, match="nbdev-docs"):
        quarto.main()


# ---------------------------------------------------------------- the look

# What Quarto 1.9 and pandoc say of the elements that the book styles.
QUARTO = """
code { white-space: pre; } pre > code { display: block; } pre > code.sourceCode { white-space: pre-wrap; }
div.sourceCode { margin: 1em 0; border: 1px solid gray; overflow: auto; } pre.sourceCode { font-size: 0.875em; padding: 0.4em; overflow: visible !important; }
p code:not(.sourceCode), li code:not(.sourceCode), td code:not(.sourceCode) { background-color: silver; padding: 0.2em; }
td code:not(.sourceCode) { white-space: pre-wrap; } table, table.table { margin-top: 0.5rem; margin-bottom: 0.5rem; } .cell { margin-bottom: 1rem; }
main.content > section:first-of-type > h2:first-child { margin-top: 0; } h2 { border-bottom: 1px solid gray; padding-bottom: 0.5rem; }
h1, h2 { font-weight: 600; } .code-copy-outer-scaffold { position: relative; display: flow-root; }
.table > thead { border-top: 1px solid gray; border-bottom: 1px solid gray; }
.sidebar-navigation .sidebar-section .sidebar-item { font-size: 0.875rem; } .sidebar-section { padding-left: 0.5em; } .sidebar-logo { max-width: 90%; }
.sidebar-title { margin-top: 0.25rem; padding-bottom: 0.5rem; font-size: 1.3rem; } div.sidebar-item-container { color: black; }
.sidebar-navigation a { color: inherit; } div.sidebar-item-container .active { color: blue; } .nav-page .nav-page-text { font-size: 0.875rem; } .nav-page a { color: gray; display: flex; }
"""
CODE = '<div class="code-copy-outer-scaffold">{}</div>'
LONG = "    result = " + " + ".join(f"number_{i}" for i in range(12))
TABLE = '<a id="tbl-x"></a>**Table 1.** Caption.\n\n|a long heading|another long heading|one more heading|the last heading|\n|--|--|--|--|\n|`some_name(of, a_function)`|word word|`other(call)`|word|'
ITEM = '<li class="sidebar-item"><div class="sidebar-item-container"><a class="sidebar-link {}"><span class="menu-text">x</span></a></div></li>'
AROUND = f"""<nav id="quarto-sidebar" class="sidebar-navigation"><div class="sidebar-header"><a><img class="sidebar-logo" src="{(THEME / "favicon.svg").as_uri()}"></a>
<div class="sidebar-title"><a>nnbook</a></div></div><ul><li class="sidebar-item sidebar-item-section"><div class="sidebar-item-container"><a><span class="menu-text">P</span></a></div>
<ul class="sidebar-section">{ITEM.format("")}{ITEM.format("active")}</ul></li></ul></nav>
<nav class="page-navigation"><div class="nav-page"><a class="pagination-link"><span class="nav-page-text">next</span></a></div></nav>"""
REST = """<p id="p1">An <code>inline name</code>.</p>{}<p>Text.</p><ul><li><p><a id="r1"></a>Author. Title.</p></li></ul>
<figure class="nn-figure"><svg id="wide" viewBox="0 0 9 9"></svg><span class="nn-narrow" hidden><svg viewBox="0 0 9 9"></svg></span></figure>"""


def sample() -> str:
    "A page with one of everything that looked wrong."
    table = html_of(TABLE).replace("<table>", '<table class="caption-top table">')
    short, long = (CODE.format(html_of(f"```python\n{source}\n```")) for source in ("x = 1", LONG))
    made = page(f'<section><h2>Heading</h2>{table}<div class="cell">{short}</div><div class="cell">{long}</div>{REST.format(short)}</section>')
    return made.replace("<main", f"{AROUND}<main").replace('<h1 class="title">', '<nav class="quarto-title-breadcrumbs">x</nav><h1 class="title">')


@pytest.fixture(scope="module")
def look(tmp_path_factory):
    "The sample in Chromium: `look(width, expression)`."
    bootstrap = Path(smalldocs.__file__).parent / "assets/vendor/bootstrap/bootstrap.min.css"
    styles = [bootstrap.read_text(encoding="utf-8"), QUARTO, *((THEME / name).read_text() for name in CONFIG["css"])]
    file = tmp_path_factory.mktemp("quarto") / "page.html"
    file.write_text(quarto.finish(sample(), "", "").replace("</head>", "".join(f"<style>{s}</style>" for s in styles) + "</head>"), encoding="utf-8")
    with chromium() as browser:
        tab = browser.new_page()

        def ask(width: int, expression: str):
            tab.set_viewport_size({"width": width, "height": 900})
            tab.goto(file.as_uri())
            return tab.evaluate("() => { const one = s => document.querySelector(s), box = s => one(s).getBoundingClientRect(), css = s => getComputedStyle(one(s));"
                                f" return {expression}; }}")

        yield ask


@pytest.mark.browser
@pytest.mark.parametrize(("promise", "expression"), [
    ("code is as large as on the pip-built site", "css('pre.sourceCode').fontSize === '13.44px' && css('pre code').fontSize === '13.44px'"),
    ("cells stand close", "box('.cell + .cell').top - box('.cell').bottom < 24"),
    ("a cell has no margins inside", "box('.cell').height - box('.cell pre').height < 2"),
    ("a wrapped line hangs behind its indentation", "parseFloat(css('.cell + .cell code > span').paddingLeft) > 60 && parseFloat(css('.cell + .cell code > span').textIndent) < -60"),
    ("a table's caption stands above its rule", "box('table').top - box('p:has(> #tbl-x)').bottom > 4"),
    ("cells of a table begin at its edge", "css('td').paddingLeft === '0px' && css('td:last-child').paddingRight === '0px'"),
    ("code in a table's first column does not break", "css('td code').whiteSpace === 'nowrap' && css('td:nth-child(3) code').whiteSpace === 'normal'"),
    ("inline code has no box", "css('p code').backgroundColor === 'rgba(0, 0, 0, 0)'"),
    ("references have no bullets", "css('ul:has(#r1)').listStyleType === 'none'"),
    ("the first heading keeps its distance", "css('section > h2').marginTop === '54.4px' && css('section > h2').borderBottomWidth === '0px'"),
    ("code in the text keeps its distance", "box('#p1 + div').top - box('#p1').bottom > 20"),
    ("an item of a list is as high as its lines", "css('li > p').marginBottom === '0px'"),
    ("no second rule stands above a table", "css('thead').borderTopWidth === '0px'"),
    ("the title is light, and no crumbs stand above it", "css('h1').fontWeight === '420' && css('.quarto-title-breadcrumbs').display === 'none'"),
    ("the title keeps its distance", "css('#title-block-header').marginBottom === '35.2px'"),
    ("the contents are in the sans, as large as the frame's", "css('.sidebar-section .sidebar-item').fontSize === '15.2px' && css('.menu-text').fontFamily.startsWith('\"Source Sans 3')"),
    ("the brand is a line of mark and name", "css('.sidebar-header').display === 'flex' && box('.sidebar-logo').width === 26 && css('.sidebar-title').paddingBottom === '0px'"),
    ("the brand is in the display face", "css('.sidebar-title a').fontSize === '24px' && css('.sidebar-title a').fontFamily.includes('Display')"),
    ("a part has a bold name and room above it", "css('.menu-text').fontWeight === '600' && css('.sidebar-item-section').marginTop === '19.2px'"),
    ("its chapters stand below its name", "css('.sidebar-section').paddingLeft === '0px'"),
    ("the contents are soft, the page one is on is marked", "css('.sidebar-section .sidebar-link').color === css('nav').color && css('.active').color === 'rgb(170, 79, 8)' && css('.active').fontWeight === '600'"),
    ("the way on is in the display face, and a link", "css('.nav-page-text').fontSize === '20px' && css('.nav-page a').color === 'rgb(34, 95, 148)'"),
])
def test_a_page_looks_like_the_book(look, promise, expression):
    assert look(1200, expression), promise


@pytest.mark.browser
def test_on_a_phone_a_wide_table_scrolls_in_itself_and_the_narrow_drawing_shows(look):
    assert look(390, "document.documentElement.scrollWidth") <= 390
    assert look(390, "one('table').scrollWidth > one('table').clientWidth")
    assert look(390, "[css('#wide').display, css('.nn-narrow').display]") == ["none", "block"]
    assert look(1200, "[css('#wide').display, css('.nn-narrow').display]") == ["block", "none"]
