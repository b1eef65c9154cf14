"""What stands in the margin of a wide page: small drawings, beside the paragraphs that lead to them, and side notes.

A side note says, beside the paragraph that cites a work for the first time, who wrote it and what it is called.
"""

import re

from tools.render import Page

ENTRY = re.compile(r'<a id="(?P<name>[^"]+)"></a>(?P<said>.*?)</p>', re.S)
PARAGRAPH = re.compile(r"<p>(?:(?!</p>).)*?</p>", re.S)
CITED = re.compile(r'href="references\.html#([^"]+)"')
LINE_OF_TEXT, LINE_OF_NOTE = 72, 42  # characters
DRAWING = re.compile(r'(?P<notes><aside class="nn-note"(?:(?!</aside>).)*</aside>)?(?:<p>(?:(?!</p>).)*</p>\n)+'
                     r'<div id="cell-\d+" class="cell">\n(?:<details class="code-fold"(?:(?!</details>).)*</details>\n)?'
                     r'<div class="cell-output[^>]*>\n<figure class="nn-figure"[^>]*data-kind="diagram"><svg (?P<size>[^>]*)>(?:(?!</figure>).)*</figure>\n</div>\n</div>\n', re.S)
MARGIN, LINE, NOTE, FOLD, SPACE = 350, 28, 20, 40, 90  # px: the widest drawing, a line of text, of a caption, a closed fold; what may stay blank


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
    return DRAWING.sub(beside, PARAGRAPH.sub(note, text)) + heading + rest


def beside(found: re.Match) -> str:
    """Paragraphs and the small drawing after them, to stand side by side, if the nearest paragraphs are as high as the drawing with its caption.

    Side notes of the first of these paragraphs would stand where the drawing does, and are left out.
    """
    width, height = (int(re.search(rf'\b{side}="(\d+)', found["size"])[1]) for side in ("width", "height"))
    needed = height + NOTE * (1 + len(bare(found[0].partition("<figcaption>")[2])) // LINE_OF_NOTE) - FOLD
    paragraphs, cell = PARAGRAPH.findall(found[0].partition('<div id="cell-')[0]), found[0][found[0].index('<div id="cell-') :]
    heights = [LINE * (1 + len(bare(p)) // LINE_OF_TEXT) + LINE // 2 for p in paragraphs]
    taken = next((n for n in range(1, len(heights) + 1) if sum(heights[-n:]) + SPACE >= needed), 0)
    if width > MARGIN or not taken:
        return found[0]
    lines = [p + "\n" for p in paragraphs]
    notes = (found["notes"] or "") if taken < len(paragraphs) else ""
    return notes + "".join(lines[:-taken]) + f'<div class="nn-beside"><div>\n{"".join(lines[-taken:])}</div>\n{cell}</div>\n'
