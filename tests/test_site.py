"""The site in a real browser, with all network off but its own server."""

import re
import socket
import subprocess

import pytest
from browser import CONTRAST, OTHERS, Watch, axe, chromium, contrast, served

from tools import api, contents, frame, notes, site
from tools.render import Page

pytestmark = pytest.mark.browser
PAGE_BYTES, SHARED_BYTES = 1_500_000, 1_000_000


def pages() -> list[str]:
    "Every page of the site, by its address."
    return [c.page for c in contents.chapters()] + [f"api/{m.page}.html" for m in api.modules()]


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    "The whole site, built once."
    return site.build(out=tmp_path_factory.mktemp("site"))


@pytest.fixture(scope="session")
def base(built):
    with served(built.out) as address:
        yield address


@pytest.fixture(scope="session")
def browser():
    with chromium() as running:
        yield running


@pytest.fixture(scope="session")
def watched(browser, base):
    context = browser.new_context(viewport={"width": 1440, "height": 900}, color_scheme="light")
    watch = Watch(context, base)
    yield context.new_page(), watch
    context.close()


@pytest.mark.parametrize("path", pages())
def test_page(path, built, base, watched):
    "A page loads without a complaint or a request elsewhere, is accessible in light and dark, and fits a phone."
    page, watch = watched
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto(base + path)
    page.evaluate("document.fonts.ready")
    assert watch.take() == []
    assert page.evaluate("document.documentElement.className") == "quarto-light"
    assert axe(page, OTHERS, CONTRAST) == [], "light"
    page.evaluate("document.documentElement.className = 'quarto-dark'")
    assert axe(page, CONTRAST) == [], "dark"
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.wait_for_function("[...document.querySelectorAll('main pre, .nn-scroll, .sd-table')].every(e => e.scrollWidth <= e.clientWidth + 1 || e.tabIndex >= 0)", timeout=5000)
    assert (built.out / path).stat().st_size < PAGE_BYTES
    assert watch.take() == []


@pytest.mark.parametrize("scheme", ["quarto-light", "quarto-dark"])
def test_every_color_of_code_stands_out(scheme, base, watched):
    page, _ = watched
    page.goto(base + "neuron.html")
    page.evaluate("scheme => document.documentElement.className = scheme", scheme)
    classes = page.evaluate("[...new Set([...document.querySelectorAll('pre.code span[class]:not(.line)')].map(e => e.className))]")
    assert len(classes) > 5
    assert {c: ratio for c in classes if (ratio := contrast(page, f"pre.code span.{c}")) < 4.5} == {}
    assert contrast(page, ".cell-output pre code") >= 4.5


def test_every_page_is_tested(built):
    assert {p.relative_to(built.out).as_posix() for p in built.out.rglob("*.html")} == {*pages(), frame.LOST}


def test_shared_files_are_light(built):
    shared = {p.name: p.stat().st_size for p in (built.out / "assets").iterdir()}
    assert sum(shared.values()) < SHARED_BYTES, shared


def test_nothing_unused_is_shipped(built):
    used = "".join(p.read_text(encoding="utf-8") for p in [*built.out.rglob("*.html"), *built.out.rglob("*.css"), *(built.out / "assets").glob("*.js")])
    assert [p.name for p in (built.out / "assets").iterdir() if p.name not in used] == []


def test_no_page_names_another_host_but_in_links(built):
    "Scripts, styles, fonts and pictures come from the site itself."
    for file in built.out.rglob("*.html"):
        text = re.sub(r"<a\b[^>]*>", "", file.read_text(encoding="utf-8"))
        assert not re.search(r"""(?:src|href)=["'](?:https?:)?//""", text), file.name


def test_sliders_move_by_keyboard_and_the_picture_changes(built, base, watched):
    page, watch = watched
    page.set_viewport_size({"width": 1440, "height": 900})
    with_sliders = [p for p in pages() if 'class="nn-explore"' in (built.out / p).read_text(encoding="utf-8")]
    assert with_sliders
    for path in with_sliders:
        page.goto(base + path)
        for figure in page.query_selector_all(".nn-explore"):
            slider, picture = figure.query_selector("input[type=range]"), figure.query_selector("img")
            before = picture.get_attribute("src"), picture.get_attribute("alt"), slider.get_attribute("aria-valuetext")
            slider.focus()
            page.keyboard.press("ArrowLeft" if slider.input_value() == slider.get_attribute("max") else "ArrowRight")
            after = picture.get_attribute("src"), picture.get_attribute("alt"), slider.get_attribute("aria-valuetext")
            assert after[0] != before[0] and after[2] != before[2] and after[1], path
    assert watch.take() == []


def search(page, word: str) -> list[str]:
    "The addresses that search finds, asked by keyboard."
    page.keyboard.press("/")
    page.keyboard.type(word)
    page.wait_for_selector("#search li a")
    return page.eval_on_selector_all("#search li a", "links => links.map(a => a.href)")


def test_search_finds_a_word(base, watched):
    page, watch = watched
    page.goto(base + "api/index.html")
    found = search(page, "gradient")
    assert any("mathematics.html#" in link for link in found)
    page.keyboard.press("Enter")
    page.wait_for_url(found[0])
    assert watch.take() == []


def test_opened_as_files_the_pages_read_and_search_works(browser, built):
    context = browser.new_context()
    watch = Watch(context, "file://")
    page = context.new_page()
    page.goto((built.out / "mathematics.html").as_uri())
    assert any("mathematics.html#" in link for link in search(page, "gradient"))
    assert page.evaluate("getComputedStyle(document.body).fontFamily").startswith('"Source Serif 4"')
    page.goto((built.out / "api/index.html").as_uri())
    page.click("#contents a >> nth=1")
    assert page.title()
    assert watch.take() == []
    context.close()


def test_mathematics_is_mathml_in_its_own_font(built, base, watched):
    page, _ = watched
    page.goto(base + "mathematics.html")
    assert page.evaluate("document.fonts.ready.then(() => [...document.fonts].some(f => f.family.includes('STIX Two Math') && f.status === 'loaded'))")
    assert page.evaluate("document.querySelectorAll('main math').length") > 20
    for file in built.out.rglob("*.html"):
        assert not re.search(r'class="math|katex|mathjax', file.read_text(encoding="utf-8"), re.I), file.name


def test_brackets_and_roots_stretch(base, watched):
    "The font's stretchy glyphs survived the cut: a tall fence is taller than a line."
    page, _ = watched
    page.goto(base + "index.html")
    height = page.evaluate("""async () => {
        document.querySelector('main').insertAdjacentHTML('beforeend', '<math id=probe display=block><mo form=prefix stretchy=true>(</mo><mfrac><mfrac><mn>1</mn><mn>2</mn></mfrac><mfrac><mn>1</mn><mn>2</mn></mfrac></mfrac></math>');
        await document.fonts.load('16px "STIX Two Math"');
        const box = s => document.querySelector(s).getBoundingClientRect().height;
        return box('#probe mo') / box('#probe mfrac');
    }""")
    assert height > 0.8


def test_light_and_dark_is_a_choice_that_stays(browser, base):
    context = browser.new_context(viewport={"width": 1440, "height": 900}, color_scheme="dark")
    page = context.new_page()
    page.goto(base + "index.html")
    background = "getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(background)
    page.click("#contents [data-scheme]")
    light = page.evaluate(background)
    assert dark != light
    page.goto(base + "api/index.html")
    assert page.evaluate(background) == light
    context.close()


def test_a_narrow_screen_has_the_contents_behind_a_button(browser, base):
    context = browser.new_context(viewport={"width": 390, "height": 844})
    page = context.new_page()
    page.goto(base + "index.html")
    assert not page.is_visible("#contents")
    page.click("[data-menu]")
    assert page.is_visible("#contents") and page.get_attribute("[data-menu]", "aria-expanded") == "true"
    context.close()


def test_copy_button_copies_the_code_as_written(browser, base):
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.goto(base + "claims.html")
    block = page.locator(".codebox", has_text="def claim(").first
    block.hover()
    block.locator(".copy").click()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert "def claim(" in copied and "\n    " in copied
    compile(copied, "copied", "exec")
    context.close()


def opened(page) -> list[bool]:
    return page.eval_on_selector_all("details.code-fold", "folds => folds.map(f => f.open)")


def test_folded_code_opens_by_a_click_by_one_key_and_by_one_control(base, watched):
    page, watch = watched
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto(base + "claims.html")
    assert opened(page) and not any(opened(page))
    page.click("details.code-fold summary >> nth=0")
    assert opened(page).count(True) == 1
    page.keyboard.press("o")
    assert all(opened(page)) and page.get_attribute("[data-folds]", "aria-pressed") == "true"
    page.click("[data-folds]")
    assert not any(opened(page))
    page.keyboard.press("/")
    page.keyboard.type("o")
    assert not any(opened(page)), "a letter typed into the search opens nothing"
    assert watch.take() == []


def test_a_link_and_a_search_hit_into_a_fold_open_it(base, watched):
    page, _ = watched
    page.goto(base + "claims.html")
    fold = page.get_attribute("details.code-fold >> nth=-1", "id")
    page.goto(base + "index.html")
    page.goto(f"{base}claims.html#{fold}")
    assert opened(page)[-1] and opened(page).count(True) == 1
    found = search(page, "is_stub")
    into = next(link for link in found if "exercises.html#code-" in link)
    page.click(f"#search li a[href$='{into.removeprefix(base)}']")
    page.wait_for_url(into)
    assert page.evaluate("document.querySelector(location.hash).open")


def test_printing_opens_no_fold(base, watched):
    page, _ = watched
    page.goto(base + "claims.html")
    page.emulate_media(media="print")
    assert page.evaluate("[...document.querySelectorAll('details.code-fold pre')].map(e => e.checkVisibility())") == [False] * len(opened(page))
    page.emulate_media(media="screen")


def test_previous_and_next_follow_the_contents(built):
    order = [c.page for c in contents.chapters()]
    for before, after in zip(order, order[1:], strict=False):
        assert re.search(rf'rel="next" href="(\.\./)*{re.escape(after)}"', (built.out / before).read_text(encoding="utf-8"))


def test_notebook_links(built):
    text = (built.out / "claims.html").read_text(encoding="utf-8")
    assert 'href="notebooks/96_claims.ipynb" download' in text and (built.out / "notebooks/96_claims.ipynb").is_file()
    assert "colab.research.google.com/github/nnbook/nnbook/blob/main/nbs/96_claims.ipynb" in text
    assert "blob/main/nbs/96_claims.ipynb" in text


def test_an_unchanged_book_renders_nothing_again(built):
    site.build(out=built.out)
    again = site.build(out=built.out)
    assert again.fresh == 0 and again.pages == built.pages


def test_a_busy_port_gets_the_next_one(tmp_path, capsys):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with site.listen(tmp_path, port) as server:
            assert server.server_address[1] > port
    assert f"port {port} is busy" in capsys.readouterr().out


def test_links_that_lead_nowhere_are_errors():
    documents = {"a.html": '<p id="x"></p><a href="b.html#y">', "b.html": '<a href="a.html#x"><a href="c.html"><p id="z"><p id="z">'}
    assert sorted(site.broken_links(documents, set())) == [
        "a.html: the link b.html#y leads nowhere; b.html has no #y",
        "b.html: the id z stands twice",
        "b.html: the link c.html leads nowhere; there is no c.html",
    ]


def test_the_build_writes_the_api_pages_and_git_ignores_them(built):
    listed = subprocess.run(["git", "ls-files", "nbs/api"], cwd=contents.ROOT, capture_output=True, text=True)
    assert listed.stdout == "" and (contents.ROOT / "nbs/api/autograd.qmd").read_text() == api.pages(contents.ROOT / "nbs")["autograd.qmd"]


# ---------------------------------------------------------------- the folder that a build writes


def test_a_folder_that_no_build_made_is_left_alone(tmp_path):
    "Somebody's files are not the site's: the build says so and touches nothing."
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(site.BookError, match="not empty"):
        site.build(out=tmp_path)
    with pytest.raises(site.BookError, match="is a file"):
        site.build(out=tmp_path / "thesis.tex")
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.tex"] and (tmp_path / "thesis.tex").read_text() == "years of work"


def test_a_build_removes_only_what_a_build_wrote(tmp_path):
    site.write(tmp_path, {"index.html": b"1", "gone/page.html": b"2"})
    (tmp_path / "CNAME").write_text("example.org")
    site.write(tmp_path, {"index.html": b"3"})
    assert sorted(p.name for p in tmp_path.rglob("*") if p.is_file()) == [site.LIST, "CNAME", "index.html"]
    assert (tmp_path / "index.html").read_bytes() == b"3"


# ---------------------------------------------------------------- side notes

ENTRIES = """<li><p><a id="doe1999"></a>Doe, J. (1999). <a href="x">On tapes (genus <em>T.</em>)</a>. <em>Journal</em>.</p></li>
<li><p><a id="roe2001"></a>Roe, R. (2001). Tape again. <em>Other</em>. Much more.</p></li>"""
CITES = f'<p>{"Long text. " * 20}<a href="references.html#doe1999">Doe</a></p>'


def test_a_side_note_names_author_year_and_title():
    assert notes.works(ENTRIES) == {"doe1999": "Doe, J. (1999). On tapes (genus T.)", "roe2001": "Roe, R. (2001). Tape again."}


@pytest.mark.parametrize(("body", "n"), [
    (CITES, 1), (CITES + CITES, 1), (CITES + CITES.replace("doe1999", "roe2001"), 2), (CITES.replace("doe1999", "poe"), 0),
    (CITES.replace("Long text. ", ""), 1), (CITES.replace("Long text. ", "").replace("Doe<", 'D<a href="references.html#roe2001">R<'), 0), (f'<section id="exercises">{CITES}', 0),
])
def test_a_work_is_noted_once_beside_a_paragraph_that_is_high_enough_and_not_in_the_exercises(body, n):
    put = notes.put(Page("a.ipynb", "a.html", "A", "", body), notes.works(ENTRIES))
    assert put.count("<span>") == n and re.sub("<aside.*?</aside>", "", put) == body


OVERLAPS = """what => [...document.querySelectorAll(what)].flatMap(note => {
    const a = note.getBoundingClientRect(), others = document.querySelectorAll('main :is(.codebox, figcaption, table, .cell-output pre, .nn-equation, svg, h2)');
    return [...others].filter(e => !note.contains(e) && e.checkVisibility() && (b => b.left < a.right && b.right > a.left && b.top < a.bottom && b.bottom > a.top)(e.getBoundingClientRect())).map(e => note.textContent);
})"""


@pytest.mark.parametrize("width", [1240, 1440, 1920])
def test_side_notes_stand_in_the_margin_and_cover_nothing(width, base, built, watched):
    page, _ = watched
    page.set_viewport_size({"width": width, "height": 900})
    noted = [p for p in pages() if 'class="nn-note"' in (built.out / p).read_text(encoding="utf-8")]
    assert len(noted) > 5
    for path in noted:
        page.goto(base + path)
        page.evaluate("document.fonts.ready")
        assert page.evaluate(OVERLAPS, ".nn-note") == [], path
        left = page.evaluate("document.querySelector('.nn-note').getBoundingClientRect().left - document.querySelector('main > section p, main section p').getBoundingClientRect().right")
        assert left > 0 and page.evaluate("document.documentElement.scrollWidth") <= width, path


CELL = ('<div id="cell-9" class="cell">\n<div class="cell-output cell-output-display">\n<figure class="nn-figure" data-kind="diagram"><svg width="{}" height="{}"><path/></svg>'
        '<figcaption>Two boxes.</figcaption>\n</figure>\n</div>\n</div>\n')


@pytest.mark.parametrize(("paragraphs", "width", "height", "beside"), [(2, 200, 150, 1), (5, 200, 150, 1), (5, 200, 500, 4), (1, 200, 500, 0), (5, 351, 150, 0), (0, 200, 20, 0)])
def test_a_small_drawing_stands_beside_the_paragraphs_before_it_if_they_are_high_enough(paragraphs, width, height, beside):
    body = "<p>Before.</p>\n<ol></ol>\n" + f"<p>{'Long text. ' * 20}</p>\n" * paragraphs + CELL.format(width, height)
    put = notes.put(Page("a.ipynb", "a.html", "A", "", body), {})
    wrapped = re.search(r'<div class="nn-beside"><div>\n(.*?)</div>', put, re.S)
    assert (wrapped[1].count("<p>") if wrapped else 0) == beside
    assert re.sub(r'<div class="nn-beside"><div>\n(.*?)</div>\n(.*)</div>\n', r"\1\2", put, flags=re.S) == body


@pytest.mark.parametrize(("height", "notes_kept"), [(60, 0), (500, 1)])
def test_no_side_note_stands_where_a_drawing_does(height, notes_kept):
    put = notes.put(Page("a.ipynb", "a.html", "A", "", CITES + "\n" + CELL.format(200, height)), notes.works(ENTRIES))
    assert ("nn-beside" in put, put.count("<aside")) == (not notes_kept, notes_kept)


@pytest.mark.parametrize("width", [390, 1240, 1440])
def test_small_drawings_use_the_margin_of_a_wide_page(width, base, built, watched):
    page, _ = watched
    page.set_viewport_size({"width": width, "height": 900})
    found = [p for p in pages() if 'class="nn-beside"' in (built.out / p).read_text(encoding="utf-8")]
    assert len(found) > 2
    for path in found:
        page.goto(base + path)
        page.evaluate("document.fonts.ready")
        text, figure = (page.locator(f".nn-beside {part}").first.bounding_box() for part in ("> div > p", "figure"))
        assert (figure["x"] > text["x"] + text["width"]) == (width > 1239) and page.evaluate("document.documentElement.scrollWidth") <= width, path
        assert page.evaluate(OVERLAPS, ".nn-beside figure") == [], path


# ---------------------------------------------------------------- keys, where one was, the lost page, paper


def test_keys_lead_to_the_pages_before_and_after_but_not_while_one_types_or_moves_a_slider(base, watched):
    page, watch = watched
    page.set_viewport_size({"width": 1440, "height": 900})
    for keys in (("ArrowRight", "ArrowLeft"), ("n", "p")):
        page.goto(base + "neuron.html")
        page.keyboard.press(keys[0])
        page.wait_for_url(base + "activations.html")
        page.keyboard.press(keys[1])
        page.wait_for_url(base + "neuron.html")
    page.set_viewport_size({"width": 390, "height": 844})  # where blocks scroll
    for busy in ("input[type=range]", "main [tabindex='0']"):
        page.locator(busy).first.focus()
        page.keyboard.press("ArrowRight")
    page.set_viewport_size({"width": 1440, "height": 900})
    page.keyboard.press("/")
    page.keyboard.type("pn")
    page.keyboard.press("ArrowLeft")
    page.wait_for_timeout(200)
    assert page.url == base + "neuron.html"
    watch.take()


def test_a_page_offers_to_go_on_where_one_was_and_does_not_jump(browser, base):
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.goto(base + "neuron.html")
    assert page.locator(".resume").count() == 0
    page.evaluate("scrollTo(0, document.getElementById('will-it-ever-stop').getBoundingClientRect().top + scrollY + 400)")
    at = page.evaluate("scrollY")
    page.goto(base + "index.html")
    assert page.get_attribute(".resume", "href").endswith("neuron.html#will-it-ever-stop")
    page.goto(base + "neuron.html")
    assert page.evaluate("scrollY") == 0
    page.click(".resume")
    page.wait_for_function(f"Math.abs(scrollY - {at}) < 40")
    context.close()


def test_a_browser_that_keeps_nothing_shows_the_page_all_the_same(browser, base):
    context = browser.new_context()
    context.add_init_script("Object.defineProperty(window, 'localStorage', {get() { throw new DOMException('no', 'SecurityError') }})")
    watch, page = Watch(context, base), context.new_page()
    page.goto(base + "neuron.html")
    page.goto(base + "index.html")
    assert search(page, "gradient") and watch.take() == []
    context.close()


def test_a_lost_page_has_contents_and_search_at_any_depth(browser, base, built):
    page = browser.new_page()
    for address in (base + "no.html", base + "api/no/such/page.html", (built.out / frame.LOST).as_uri()):
        assert page.goto(address).status in (404, 200)
        assert page.evaluate("getComputedStyle(document.body).fontFamily").startswith('"Source Serif 4"')
        assert any("autograd.html#the-tape" in link for link in search(page, "tape"))
        page.keyboard.press("Escape")
        assert page.eval_on_selector(".skip", "a => a.href") == f"{address}#quarto-document-content"
        page.click("#contents a[href='neuron.html']")
        page.wait_for_selector("h1:has-text('A neuron learns')")
    page.close()


def test_the_lost_page_finds_the_site_below_its_repository_s_name(browser, built):
    page = browser.new_page()
    page.route("**/*", lambda route: route.fulfill(path=built.out / frame.LOST))
    page.goto("http://example.org/nnbook/api/no.html")
    assert page.eval_on_selector("#contents a[href='neuron.html']", "a => a.href") == "http://example.org/nnbook/neuron.html"
    page.close()


def test_a_claim_and_its_line_among_all_claims_lead_to_each_other(base, watched):
    page, _ = watched
    page.goto(base + "neuron.html")
    claim = page.locator(".nn-claim").first
    text, name = claim.locator("b").inner_text(), claim.get_attribute("id")
    claim.locator(".nn-claim-mark").click()
    page.wait_for_url(f"{base}claims.html#neuron-{name}")
    line = page.locator("tr:target")
    assert text in line.inner_text()
    line.locator("a").click()
    page.wait_for_url(f"{base}neuron.html#{name}")


def test_paper_has_page_numbers_and_the_slider_s_value_and_no_closed_cell(browser, base, tmp_path):
    import pypdf

    context = browser.new_context(viewport={"width": 1440, "height": 900}, color_scheme="dark")
    page = context.new_page()
    page.goto(base + "neuron.html")
    page.locator(".nn-explore input").first.focus()
    page.keyboard.press("ArrowRight")
    said = page.locator(".nn-explore output").first.inner_text()
    page.pdf(path=tmp_path / "p.pdf", prefer_css_page_size=True)
    texts = [p.extract_text() for p in pypdf.PdfReader(tmp_path / "p.pdf").pages]
    assert [t.split()[0] for t in texts] == [str(i + 1) for i in range(len(texts))]
    whole = " ".join(" ".join(texts).split())
    assert f"angle {said}" in whole and "the figure that moves" not in whole
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(36, 38, 43)", "ink, though the screen is dark"
    context.close()
