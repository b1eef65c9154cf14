"""Search: an index of the book's words, and the text of each page, which the excerpts are cut from.

Both are scripts, since a page opened as a file may load a script and nothing else. `theme/search.js` reads them.
"""

import base64
import html
import json
import re
import zlib
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path

from tools.contents import chapters
from tools.render import Page

FORMULA = re.compile(r"(<math\b.*?</math>)", re.S)
SECTION = re.compile(r'<section id="([^"]+)"[^>]*>\s*<h\d[^>]*>(.*?)</h\d>', re.S)
FOLD = re.compile(r'<details class="code-fold" id="([^"]+)"><summary>(.*?)</summary>(.*?)</details>', re.S)
TAUGHT = re.compile(r'<section id="term-[^"]+"[^>]*>\s*<h3[^>]*>(?P<term>.*?)</h3>.*?<em>In</em> <a href="(?P<place>[^"]+)">', re.S)
SMALL = ("a about all an and any are as at be both but by can do does each every for from has have how if in into is it its more most no not of on one only or other out over same so than "
         "that the their them then there they this to two was what when where which who why will with without you")  # words that say nothing of what a section is about
WORD = re.compile(r"[^\W_]+")


@dataclass
class Section:
    "What search finds: a section of a page, or a folded cell that defines something."

    id: str  # its address on the page; none for what stands before the first heading
    title: str
    text: str  # HTML in which formulas are the only tags


def plain(page: str) -> str:
    "A piece of HTML without its tags but for the formulas, which are set in a line."
    page = re.sub(r'<(script|style|svg)\b.*?</\1>|<span class="nn-number">.*?</span>', " ", page, flags=re.S)
    page = re.sub(r"<math\b[^>]*>(?:(?!</math>).)*<mtable.*?</math>", " … ", page, flags=re.S)
    page = re.sub(r"</?(?:a|b|code|em|small|span|strong)\b[^>]*>", "", page)
    page = "".join(piece if piece.startswith("<math") else re.sub(r"<[^>]+>", " ", piece) for piece in FORMULA.split(page))
    return re.sub(r"\s+", " ", page.replace('display="block"', 'display="inline"')).strip()


def unmarked(text: str) -> str:
    "Text without formulas and entities."
    return re.sub(r"\s+", " ", html.unescape(FORMULA.sub(" ", text))).strip()


def folded(body: str) -> list[Section]:
    "The folded cells that define something: the summary, and the names."
    found = ((i, plain(summary), re.findall(r"^(?:def|class) +([^\W_]\w*)", re.sub(r"<[^>]+>", "", code), re.M)) for i, summary, code in FOLD.findall(body))
    return [Section(i, summary, " ".join(names)) for i, summary, names in found if names]


def sections(page: Page) -> list[Section]:
    "The sections of a page. Of a chapter's code only the names that a fold defines are seen."
    body, folds = page.body, folded(page.body)
    if not page.path.startswith("api/"):
        body = re.sub(r'<details class="code-fold".*?</details>|<pre class="code.*?</pre>', " ", body, flags=re.S)
    first, *rest = SECTION.split(body)
    return [Section("", "", plain(first)), *(Section(i, plain(title), plain(text)) for i, title, text in zip(rest[::3], rest[1::3], rest[2::3], strict=True)), *folds]


def taught(pages: list[Page]) -> dict[str, list[str]]:
    "The terms of the glossary by the place that teaches them: {'neuron.html#a-sum-and-a-threshold': ['Bias', 'Neuron']}."
    places = defaultdict(list)
    for page in pages:
        for found in TAUGHT.finditer(page.body):
            places[found["place"]].append(unmarked(plain(found["term"])))
    return places


def postings(texts: list[str]) -> dict[str, list[int]]:
    "For each word the sections that have it, as steps from one to the next, doubled; one more where the section has it three times."
    found, small = defaultdict(list), set(SMALL.split())
    for i, text in enumerate(texts):
        for word, n in sorted(Counter(WORD.findall(text.casefold())).items()):
            if word not in small and len(word) > 1 and not word.isdigit():
                found[word].append((i, n > 2))
    return {w: [2 * (i - before) + often for (i, often), before in zip(at, [0] + [i for i, _ in at], strict=False)] for w, at in sorted(found.items())}


def index(pages: list[Page], found: list[list[Section]], folder: Path) -> dict:
    "What search looks through: pages [address, title], sections [page, id, title, terms taught there], words, and where each stands."
    titles, places = {c.page: f"{c.number} {c.name}".strip() for c in chapters(folder)}, taught(pages)
    names = [[n, s.id, unmarked(s.title), *places.get(p.path + (s.id and "#" + s.id), [])] for n, p in enumerate(pages) for s in found[n]]
    words = postings([unmarked(s.text) for page in found for s in page])
    return {"pages": [[p.path, titles.get(p.path, p.title)] for p in pages], "sections": names, "small": SMALL, "words": " ".join(words), "at": list(words.values())}


def script(name: str, content: object) -> bytes:
    "A script that hands over some content, deflated."
    packed = zlib.compress(json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode(), 9)
    return f'nnbookSearch("{name}","{base64.b64encode(packed).decode()}");\n'.encode()


def files(pages: list[Page], folder: Path) -> dict[str, bytes]:
    "The index, and the text of each page by its number."
    found = [sections(p) for p in pages]
    texts = {f"search/{n}.js": script(str(n), [s.text for s in page]) for n, page in enumerate(found)}
    return {"search/index.js": script("index", index(pages, found, folder))} | texts
