"""Processed notebooks to the HTML of their text, by smalldocs; pages that did not change come from a cache."""

import hashlib
import html
import pickle
import re
from dataclasses import dataclass, field
from pathlib import Path

import smalldocs
from smalldocs.config import load
from smalldocs.markdown import pandoc_id
from smalldocs.site import Page as SourcePage
from smalldocs.site import Site

CODE = re.compile(r'<div class="code-copy-outer-scaffold"><div class="sourceCode"[^>]*><pre class="sourceCode (?P<lang>\w*)[^"]*"><code[^>]*>(?P<code>.*?)</code></pre></div><button[^>]*>.*?</button></div>', re.S)
EMPTY = re.compile(r'<div id="cell-\d+" class="cell">\s*</div>\n?')
SPAN = re.compile(r'<span class="(\w+)">([^<]*)</span>')


@dataclass
class Page:
    "A page of the site, as far as its text goes."

    source: str  # "01_neuron.ipynb"
    path: str  # "neuron.html", "api/neuron.html"
    title: str
    description: str
    body: str
    headings: list[dict] = field(default_factory=list)  # level, id, text

    @property
    def up(self) -> str:
        "The way from the page to the site's root."
        return "../" * self.path.count("/")


class Book(Site):
    "A smalldocs site whose pages are named as nbdev names them, through `output-file`."

    def read(self, src) -> SourcePage:
        page = super().read(src)
        if name := page.front.get("output-file"):
            page.out = src.with_name(name)
        return page


def merged(code: str) -> str:
    "Highlighted code with neighboring spans of one class joined."
    while True:
        joined = re.sub(r'<span class="(\w+)">([^<]*)</span><span class="\1">', r'<span class="\1">\2', code)
        if joined == code:
            return code
        code = joined


def lines(code: str) -> str:
    "Each line of highlighted code in an element of its own that knows its indentation, so that long ones wrap in step."
    out, still_open = [], ""
    for line in merged(code).split("\n"):
        indent = len(line) - len(line.lstrip(" "))
        line = still_open + line
        last = [t for t in re.findall(r'<span class="\w+">|</span>', line)][-1:]
        still_open = last[0] if last and last[0] != "</span>" else ""
        out.append(f'<span class="line" style="--indent:{indent}">{line}{"</span>" if still_open else ""}\n</span>')
    return "".join(out)


FOLD = re.compile(r'<details class="code-fold">\s*<summary>(.*?)</summary>', re.S)


def name_folds(page: str) -> str:
    "Give each folded cell an address of its own, from what it stands under."
    seen: dict[str, int] = {}

    def name(found: re.Match) -> str:
        slug = "code-" + pandoc_id(html.unescape(found[1]))
        seen[slug] = seen.get(slug, 0) + 1
        return f'<details class="code-fold" id="{slug}{f"-{seen[slug]}" if seen[slug] > 1 else ""}"><summary>{found[1]}</summary>'

    return FOLD.sub(name, page)


def tidy(page: str) -> str:
    "Code blocks in a plain form, without the buttons that the page's script adds; folds with addresses; no empty cells."
    page = CODE.sub(lambda m: f'<pre class="code {m["lang"]}"><code>{lines(m["code"])}</code></pre>', page)
    return EMPTY.sub("", name_folds(page))


def make(site: Book, source: SourcePage) -> Page:
    "Render one page."
    site.render_page(source)
    body = tidy(source.html)
    return Page(str(source.src), str(source.out), source.title, str(source.front.get("description") or ""), body, source.env.get("headings", []))


def stamp(*files: Path) -> str:
    "A hash of the code that renders: a page rendered by other code is rendered again."
    digest = hashlib.sha256(smalldocs.__version__.encode())
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()


def render(staged: Path, cache: Path, force: bool = False) -> tuple[list[Page], int]:
    "All pages of the processed copy, and how many of them were rendered now."
    site = Book(load(staged))
    for src in site.discover():
        site.pages[src] = site.read(src)
    code = stamp(Path(__file__)) + repr(sorted(map(str, site.pages)))
    cache.mkdir(parents=True, exist_ok=True)
    pages, fresh = [], 0
    for src, source in site.pages.items():
        key = hashlib.sha256((code + str(src) + source.body + repr(source.front)).encode()).hexdigest()[:20]
        file = cache / f"{key}.page"
        if force or not file.exists():
            file.write_bytes(pickle.dumps(make(site, source)))
            fresh += 1
        pages.append(pickle.loads(file.read_bytes()))
    return pages, fresh
