"""Side notes: beside the paragraph that cites a work for the first time, who wrote it and what it is called, on pages with a margin."""

import re

from tools.render import Page

ENTRY = re.compile(r'<a id="(?P<name>[^"]+)"></a>(?P<said>.*?)</p>', re.S)
PARAGRAPH = re.compile(r"<p>(?:(?!</p>).)*?</p>", re.S)
CITED = re.compile(r'href="references\.html#([^"]+)"')
LINE_OF_TEXT, LINE_OF_NOTE = 72, 42  # characters


def bare(text: str) -> str:
    "Text without tags and formulas."
    return " ".join(re.sub(r"<[^>]+>", "", re.sub(r"<math.*?</math>", "", text, flags=re.S)).split())


def works(references: str) -> dict[str, str]:
    "Author, year and title of each work on the page of references, by its anchor."
    return {m["name"]: titled(m["said"]) for m in ENTRY.finditer(references)}


def titled(said: str) -> str:
    "An entry up to its title: what is linked, or what stands before the journal."
    before = said.partition("<em>")[0]
    return bare(said.partition("</a>")[0] if "<a " in before else before)


def put(page: Page, known: dict[str, str]) -> str:
    "The page's body with side notes as high as the paragraph they stand beside, at most; none in the exercises and after them."
    noted: set[str] = set()

    def note(found: re.Match) -> str:
        new = [name for name in dict.fromkeys(CITED.findall(found[0])) if name in known and name not in noted]
        height = sum(1 + len(known[name]) // LINE_OF_NOTE for name in new)
        if not new or height > 1.3 * (1 + len(bare(found[0])) // LINE_OF_TEXT):  # a line of a note is lower than one of the text
            return found[0]
        noted.update(new)
        return f'<aside class="nn-note" aria-hidden="true">{"".join(f"<span>{known[name]}</span>" for name in new)}</aside>{found[0]}'

    text, heading, rest = page.body.partition('<section id="exercises"')
    return PARAGRAPH.sub(note, text) + heading + rest
