"Search: what its index holds, how large it grows, and, in a real browser, what it finds first."

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import unquote

import pytest
from browser import chromium, served
from conftest import ROOT

from tools import contents, glossary, search, site
from tools.notebook import prose_of, read
from tools.render import Page, render

FOLDER = ROOT / "nbs"
X = '<math display="inline"><mi>x</mi></math>'


def page(body: str, path: str = "a.html") -> Page:
    return Page("a.ipynb", path, "A", "", body)


# ---------------------------------------------------------------- the index


def test_sections_keep_formulas_and_lose_code():
    body = f'<p>First</p><section id="s" class="level2"><h2 class="a">Two &amp; <em>three</em></h2><p>a &lt; <a href="b">b</a>, {X}.</p><svg>drawn</svg><pre class="code python"><code>secret</code></pre></section>'
    assert search.sections(page(body)) == [search.Section("", "", "First"), search.Section("s", "Two &amp; three", f"a &lt; b, {X}.")]
    assert "secret" in str(search.sections(page(body, "api/a.html")))


def test_a_displayed_formula_is_set_in_a_line_and_a_table_of_formulas_left_out():
    assert search.plain(X.replace("inline", "block") + '<span class="nn-number">(1.2)</span>') == X
    assert search.plain(f'{X} is <math display="block"><mtable><mi>y</mi></mtable></math>') == f"{X} is …"


def test_of_a_fold_only_the_names_it_defines_are_seen():
    code = "def paint(a):\n    secret = 1\ndef _hidden(): ..."
    body = f'<details class="code-fold" id="code-x"><summary>The <b>drawing</b></summary><pre class="code python"><code>{code}</code></pre></details>'
    assert search.sections(page(body)) == [search.Section("", "", ""), search.Section("code-x", "The drawing", "paint")]


def test_the_index_says_where_each_word_stands():
    assert search.postings(["The tape, a tape", "", "tape tape Tape 12"]) == {"tape": [0, 5]}


def test_a_place_teaches_the_terms_that_the_glossary_sends_to_it():
    entry = '<section id="term-tape" class="level3">\n<h3>Tape</h3>\n<p>A list.\n<em>In</em> <a href="autograd.html#the-tape">The tape</a>, chapter 4.</p>\n<p>More.\n<em>In</em> <a href="b.html">B</a></p></section>'
    assert search.taught([page(entry)]) == {"autograd.html#the-tape": ["Tape"]}


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    return site.build(out=tmp_path_factory.mktemp("site")).out


def test_the_index_of_the_whole_book_will_weigh_less_than_300_kb(built):
    "As if the chapters that are not written yet took as much as those that are, with their terms and their library."
    pages, _ = render(ROOT / "_proc", ROOT / site.CACHE / "pages")

    def size(kept: list[Page]) -> int:
        return len(search.script("index", search.index(kept, [search.sections(p) for p in kept], FOLDER)))

    written = {c.page for c in contents.chapters() if c.number.isdigit()}
    fixed = size([p for p in pages if not (p.path in written or p.path.startswith(("api/", "glossary.")))])
    whole = (built / "search/index.js").stat().st_size
    assert fixed + (whole - fixed) * 32 / len(written) < 300_000


# ---------------------------------------------------------------- what it finds

TAUGHT = {
    "perceptron convergence": "neuron.html#will-it-ever-stop", "vanishing gradient": "activations.html#thirty-in-a-row", "backprop": "autograd.html#is-it-just-the-chain-rule",
    "learning rate": "optim.html#a-valley", "what is a perceptron": "neuron.html#a-rule-that-learns-from-mistakes", "exploding gradients": "layers.html#thirty-layers",
    "overfitting": "training.html#a-first-run", "log-odds": "neuron.html#a-neuron-that-says-how-sure-it-is", "log odds": "neuron.html#a-neuron-that-says-how-sure-it-is",
    "k-fold": "evaluation.html#every-row-gets-its-turn", "dropout": "layers.html#dropout", "chain rule": "mathematics.html#the-chain-rule", "penguins": "data.html#penguins-not-irises",
    "universal approximation": "generalization.html#can-and-does", "is a softmax output a probability": "activations.html#is-a-softmax-output-a-probability",
}
SPELLINGS = {
    "softmx": "softmax", "sofmtax": "softmax", "regularisation": "regularization", "overfiting": "overfitting", "gradeint": "gradient", "optimiser": "optimizer", "logits": "logit",
    "initialisation": "initialization", "percpetron": "perceptron", "colour": "color",
}


def ask(folder: Path, questions: list[str]) -> dict[str, list[str]]:
    "For each question, the addresses that the page's search lists, in their order."
    with chromium() as browser, served(folder) as address:
        page, found = browser.new_page(), {}
        page.goto(address + "index.html")
        page.keyboard.press("/")
        for question in questions:
            page.fill("#search input", "")
            page.wait_for_function("!document.querySelector('#search li')")
            page.fill("#search input", question)
            page.wait_for_function("document.querySelector('#search li a, #search .hint:not(:empty)')")
            found[question] = [unquote(h.removeprefix(address)) for h in page.eval_on_selector_all("#search li a", "links => links.map(a => a.href)")]
    return found


@pytest.fixture(scope="module")
def entries():
    return glossary.entries(FOLDER, "\n".join(prose_of(c) for c in read(FOLDER / "95a_glossary.ipynb")["cells"] if c["cell_type"] == "markdown"))


@pytest.fixture(scope="module")
def found(built, entries):
    "What search finds; asked in a thread of its own, since Playwright runs once in a thread and the site's tests may be running it."
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(ask, built, [*TAUGHT, *SPELLINGS, *SPELLINGS.values(), "xyzzyq", *(e.term for e in entries)]).result()


@pytest.mark.browser
@pytest.mark.parametrize("words", TAUGHT)
def test_the_section_that_teaches_is_found_first(found, words):
    assert found[words][:1] == [TAUGHT[words]]


@pytest.mark.browser
@pytest.mark.parametrize("typed", SPELLINGS)
def test_another_spelling_finds_the_same(found, typed):
    assert found[typed][:1] == found[SPELLINGS[typed]][:1] != []


@pytest.mark.browser
def test_what_the_book_does_not_know_is_not_found(found):
    assert found["xyzzyq"] == []


@pytest.mark.browser
def test_search_finds_every_term(found, entries):
    assert {e.term: found[e.term][:3] for e in entries if f"glossary.html#{e.anchor}" not in found[e.term][:3]} == {}


@pytest.mark.browser
def test_what_teaches_comes_before_lists_and_the_library(found):
    assert min(i for i, h in enumerate(found["dropout"]) if h.startswith(("api/", "references.", "claims."))) > 1


def excerpts(built: Path, question: str) -> list[str]:
    with chromium() as browser:
        page = browser.new_page()
        page.goto((built / "neuron.html").as_uri())
        page.keyboard.press("/")
        page.keyboard.type(question)
        page.wait_for_function("document.querySelector('#search li') && [...document.querySelectorAll('#search li span')].every(e => e.textContent)")
        return page.eval_on_selector_all("#search li span", "spans => spans.map(s => s.innerHTML)")


@pytest.mark.browser
def test_excerpts_mark_the_words_and_keep_mathematics(built):
    with ThreadPoolExecutor(1) as thread:
        shown = thread.submit(excerpts, built, "sigmoid").result()
    assert all("<mark>" in s for s in shown[:3]) and any("<math" in s for s in shown)
    assert all(s.count("<math") == s.count("</math>") and len(re.findall(r"\S+", mathml_free(s))) < 40 for s in shown), shown


def mathml_free(text: str) -> str:
    return search.FORMULA.sub("x", text)
