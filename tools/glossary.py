"""The glossary, made of the book: every term set in bold at its definition, with the sentence that defines it and a link to its section.

The page `nbs/95a_glossary.ipynb` holds a table of further terms, which a reader may look for under a name that no
chapter sets in bold. The processor `glossary_page` puts both in one alphabetical list, each term under a heading of its
own, so that search and links find it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from nbdev.process import Processor
from smalldocs.markdown import pandoc_id

from tools.contents import Chapter, chapters
from tools.notebook import prose_of, read

MARKER = "<!-- nnbook:glossary -->"
# Bold words that are no terms of the field, beside what `is_term` sees by its form.
STOP = {"you need", "predict", "table", "mean", "median", "users", "weight scale"}
# The field's name for what a chapter sets in bold in another form.
STANDARD = {
    "augmentation": "data augmentation", "byte-pair encoding": "byte-pair encoding (BPE)", "clipping": "gradient clipping", "context": "context vector", "divergence": "Kullback–Leibler divergence", "f1": "F1 score",
    "grouped-query": "grouped-query attention", "heads": "attention head", "hidden": "hidden layer", "hinge": "hinge loss",
    "hyperbolic tangent": "hyperbolic tangent (tanh)", "keys": "key", "logits": "logit", "multi-query": "multi-query attention", "one-hot": "one-hot encoding", "overfit": "overfitting", "overfits": "overfitting",
    "pocket": "pocket algorithm", "pointwise mutual information": "pointwise mutual information (PMI)", "power": "statistical power", "proper": "proper scoring rule", "range test": "learning rate range test",
    "rectified linear unit": "rectified linear unit (ReLU)", "relu": "rectified linear unit (ReLU)", "ridge": "ridge regression",
    "rotary positions": "rotary position embedding (RoPE)", "saddle": "saddle point", "saturate": "saturation", "saturates": "saturation",
    "schedule": "learning rate schedule", "scores": "attention score", "standardize": "standardization", "step": "step function", "underfit": "underfitting", "underfits": "underfitting",
}
BOLD = re.compile(r"\*\*(?P<term>[^*\n]+(?:\n[^*\n]+)?)\*\*")
LINK = re.compile(r"!?\[(?P<text>[^\]]*)\]\([^()\s]*(?:\([^()\s]*\)[^()\s]*)*\)")
SAFE = re.compile(r"\$[^$]+\$|`[^`]+`|\[[^\]]*\]\([^)]*\)")  # a full stop in these ends no sentence
CLAUSE = re.compile(r"(?:\((?:[^()]|\([^()]*\))*\)|[^;]|;(?! ))+")     # a semicolon in parentheses ends no clause
LEANS = re.compile(r"(?:It|Its|This|That|These|Those|They|Their|Such|Here|Hence|So|The same|Both|Call|Solved)\b")
ROW = re.compile(r"^\| *(?P<term>[^|]+?) *\| *(?P<sentence>[^|]+?) *\| *\[(?P<heading>[^\]]+)\]\((?P<notebook>[^)#]+)(?P<anchor>#[^)]+)\) *\|$", re.M)


@dataclass
class Meaning:
    "What one section says that a term means: Markdown without links, and a link to the section."

    sentence: str
    link: str


@dataclass
class Entry:
    "A term with its meanings."

    term: str
    meanings: list[Meaning] = field(default_factory=list)

    @property
    def title(self) -> str:
        "With a capital, unless the term begins with a letter that stands for itself, as in k-fold."
        return self.term if self.term[1:2] == "-" else self.term[0].upper() + self.term[1:]

    @property
    def anchor(self) -> str:
        return "term-" + pandoc_id(self.term)


# ---------------------------------------------------------------- the sentence around a term


def plain(text: str) -> str:
    "Markdown without links, anchors and bold, on one line."
    text = re.sub(r"<[^>]+>", "", LINK.sub(lambda m: m["text"], text)).replace("**", "")
    return re.sub(r"\s+", " ", text).strip()


def sentences(paragraph: str) -> list[str]:
    "The sentences of a paragraph; what stands in formulas, code and links is left whole."
    whole = []
    hidden = SAFE.sub(lambda m: whole.append(m[0]) or f"\x02{len(whole) - 1}\x03", paragraph.strip())
    parts = re.split(r"(?<=[.!?])(?<!e\.g\.)(?<!i\.e\.)(?<!\bal\.)(?<!vs\.)\s+(?=[\"“(*_]*[A-Z\x02])|(?<=[.!?][)\"”])\s+", hidden)
    return [re.sub(r"\x02(\d+)\x03", lambda m: whole[int(m[1])], part) for part in parts]


def clause(sentence: str, term: str) -> str:
    "Of a sentence that defines several terms, the part between semicolons that holds this one, where it can stand alone."
    part = next((p.strip() for p in CLAUSE.findall(sentence) if f"**{term}**" in p), sentence)
    alone = sentence.count("**") > 2 and len(part.split()) > 4 and not re.match(r"(?:and|but|or|which|that|how|to)\b", part)
    return (part if part[-1] in ".?!:" else part + ".") if alone else sentence


def balanced(text: str) -> str:
    "A sentence without a parenthesis that belongs to the text around it, and with a capital."
    if text.startswith("(") and text.endswith(")") or text.count("(") > text.count(")"):
        text = text.removeprefix("(").removesuffix(")")
    if text.count(")") > text.count("("):
        text = text.removesuffix(")")
    return text[:1].upper() + text[1:]


def with_formula(sentence: str, rest: list[str]) -> str:
    "A sentence that ends in a colon, with the short formula that follows it."
    if not sentence.endswith(":"):
        return sentence
    shown = re.match(r'(?:<a id="[^"]*"></a>\s*)?\$\$\s*(?P<tex>.+?)[\s.,;]*\$\$', rest[0].strip(), re.S) if rest else None
    short = shown and len(shown["tex"]) < 100 and "\\begin" not in shown["tex"]
    return f"{sentence} ${' '.join(shown['tex'].split())}$." if short else f"{sentence[:-1]}."


def definition(paragraphs: list[str], term: str) -> str:
    "The sentence that sets a term in bold, with the one before it where it leans on that, the next where it is short, and its formula."
    said = sentences(paragraphs[0])
    at = next((i for i, s in enumerate(said) if f"**{term}**" in s), 0)
    first = at - 1 if at and LEANS.match(plain(said[at])) else at
    more = len(plain(said[at])) < 50 and first == at < len(said) - 1 and "**" not in said[at + 1]
    last = at + more
    text = " ".join([*said[first:at], clause(said[at], term), *said[at + 1 : last + 1]])
    return balanced(with_formula(plain(text), paragraphs[1:] if last == len(said) - 1 else []))


# ---------------------------------------------------------------- collecting


def is_term(found: re.Match, paragraph: str) -> bool:
    "Whether a bold run is a term: a few words, no sentence, no label before a list item, a table or a paragraph."
    term = " ".join(found["term"].split())
    label = bool(re.match(r"\s*(?:\d+\.|[-*+]|\|)\s", paragraph[paragraph.rfind("\n", 0, found.start()) + 1 : found.start() + 2]))
    return not (label or term.casefold().rstrip(".:") in STOP or re.search(r"[.:?!,;]$", term) or not re.search(r"[^\W\d]", term) or len(term.split()) > 4)


def sections(notebook: Path) -> Iterator[tuple[str, list[str]]]:
    "The prose under each heading of a notebook, as (heading, paragraphs)."
    text = "\n\n".join(prose_of(c) for c in read(notebook)["cells"] if c["cell_type"] == "markdown")
    title, *parts = re.split(r"^#{1,3} +(.+)$", text, flags=re.M)
    for heading, body in zip(parts[::2], parts[1::2], strict=True):
        yield heading.strip(), [p for p in re.split(r"\n\s*\n", body) if p.strip()]


def reference(chapter: Chapter, heading: str, anchor: str) -> str:
    "A link to a section, and the chapter's number."
    place = chapter.label.lower() if chapter.number.isdigit() else chapter.label
    return f"[{heading}]({chapter.source}{anchor}){', ' + place if place else ''}"


def collected(folder: Path) -> Iterator[tuple[str, Meaning]]:
    "Every term that the chapters, and the mathematics refresher, set in bold, with its meaning there."
    for chapter in chapters(folder):
        if not (chapter.teaches or chapter.source.startswith("94_")):
            continue
        for heading, paragraphs in sections(folder / chapter.source):
            anchor = "" if heading == chapter.title else f"#{pandoc_id(heading)}"
            for i, paragraph in enumerate(paragraphs):
                for found in (m for m in BOLD.finditer(paragraph) if is_term(m, paragraph)):
                    term = " ".join(found["term"].split())
                    yield STANDARD.get(term.casefold(), term), Meaning(definition(paragraphs[i:], found["term"]), reference(chapter, plain(heading), anchor))


def kept(page: str, folder: Path) -> Iterator[tuple[str, Meaning]]:
    "The terms of the table in the notebook: | term | sentence | [section](notebook.ipynb#anchor) |."
    by_source = {c.source: c for c in chapters(folder)}
    for row in ROW.finditer(page):
        if row["notebook"] not in by_source:
            raise ValueError(f"the glossary's row {row['term']!r} links to {row['notebook']}, which the contents don't list; link to a section of the book")
        yield row["term"], Meaning(row["sentence"], reference(by_source[row["notebook"]], row["heading"], row["anchor"]))


def identity(term: str) -> str:
    "What makes two spellings one term: case, hyphens and a plural's s don't count."
    words = term.casefold().replace("-", " ")
    return words[:-1] if re.search(r"[^aius]s$", words) else words


def entries(folder: Path, page: str = "") -> list[Entry]:
    "The glossary in alphabetical order. A chapter's preview (chapter 0) gives way to the chapter that teaches the term; three meanings are the most."
    found: dict[str, Entry] = {}
    for term, meaning in [*kept(page, folder), *collected(folder)]:
        e = found.setdefault(identity(term), Entry(term))
        e.term = min(e.term, term, key=len)
        e.meanings.append(meaning)
    for e in found.values():
        e.meanings = ([m for m in e.meanings if not m.link.endswith(", chapter 0")] or e.meanings)[:3]
    return sorted(found.values(), key=lambda e: identity(e.term))


# ---------------------------------------------------------------- the page


def letter(e: Entry) -> str:
    return e.title[0].upper()


def markdown(glossary: list[Entry]) -> str:
    "The list as Markdown: a heading for each letter, a smaller one for each term."
    lines, last = [], ""
    for e in glossary:
        if letter(e) != last:
            last = letter(e)
            lines.append(f"## {last} {{#letter-{last.lower()}}}")
        lines.append(f"### {e.title} {{#{e.anchor}}}")
        lines += [f"{m.sentence}\n*In* {m.link}." for m in e.meanings]
    return "\n\n".join(lines)


class glossary_page(Processor):
    "Replace the cell with the marker and the table of further terms by the glossary."

    def cell(self, cell):
        if cell.cell_type == "markdown" and MARKER in cell.source:
            cell.source = markdown(entries(Path(self.nb.path_).parent, cell.source))
