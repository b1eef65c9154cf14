"""The book's structure: parts, chapters and their numbers, read from `_quarto.yml`, the only place that has them."""

import re
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import yaml

from tools.notebook import read, text_of

ROOT = Path(__file__).parent.parent


def page_of(source: str) -> str:
    "The page of a notebook, given as `01_neuron.ipynb`."
    return re.sub(r"^\d+[a-z]?_", "", source).rsplit(".", 1)[0] + ".html"


@dataclass(frozen=True)
class Chapter:
    "A notebook of the book, or a page written otherwise (the API), as the contents list it."

    source: str  # as in _quarto.yml: "01_neuron.ipynb"
    number: str  # "1"; a letter for an appendix; empty for a page without a number, such as a part's opening or project
    title: str
    description: str = ""
    text: str = ""  # what the contents say, where that is not the title

    @property
    def name(self) -> str:
        return self.text or self.title

    @property
    def page(self) -> str:
        "Where it is on the site: nbdev drops the number from a notebook's name."
        return page_of(self.source)

    @property
    def teaches(self) -> bool:
        "Whether it is a chapter or a chapter's second page (18a): no part's opening or project, and no appendix."
        return bool(re.match(r"[0-8]\d[a-z]?_(?!part)", self.source))

    @property
    def label(self) -> str:
        "How it is called: Chapter 1, Appendix A, or nothing."
        return f"{'Appendix' if self.number.isalpha() else 'Chapter'} {self.number}" if self.number else ""


@dataclass
class Part:
    "A part of the book; the first has no title."

    title: str
    chapters: list[Chapter] = field(default_factory=list)


def heading(notebook: Path) -> tuple[str, str]:
    "A notebook's title and the sentence below it: `# Title`, `> sentence`."
    cells = read(notebook)["cells"]
    text = text_of(cells[0]["source"]) if cells else ""
    title = re.search(r"^# +(.+)$", text, re.M)
    sentence = re.search(r"^> *(.+)$", text, re.M)
    if not title:
        raise ValueError(f"{notebook.name}: the first cell must begin with '# Title', as the contents need it")
    return title[1].strip(), sentence[1].strip() if sentence else ""


def letters():
    "A, B, ..., Z: the numbers of the appendices."
    return iter("ABCDEFGHIJKLMNOPQRSTUVWXYZ")


def chapter(entry, folder: Path, appendix) -> Chapter:
    "One entry of the contents; an appendix (90 and up, 90a too) takes the next letter, and a page between chapters (04a) has no number."
    source = entry if isinstance(entry, str) else entry["href"]
    if source.endswith(".ipynb") and not (folder / source).is_file():
        raise FileNotFoundError(f"_quarto.yml lists {source}, and {folder / source} does not exist; list it when it does")
    found = re.match(r"(\d+)([a-z]?)_", source)
    number = "" if not found else next(appendix) if int(found[1]) >= 90 else "" if found[2] else str(int(found[1]))
    if source.endswith(".ipynb"):
        title, sentence = heading(folder / source)
    else:
        title, sentence = Path(source).stem, ""
    return Chapter(source, number, title, sentence, "" if isinstance(entry, str) else entry.get("text", ""))


@lru_cache
def parts(folder: Path = ROOT / "nbs") -> list[Part]:
    "The parts of the book in reading order; pages before and between the parts stand in parts without a title."
    config = yaml.safe_load((folder / "_quarto.yml").read_text(encoding="utf-8"))
    out, appendix = [Part("")], letters()
    for entry in config["website"]["sidebar"]["contents"]:
        if isinstance(entry, dict) and "section" in entry:
            out.append(Part(entry["section"], [chapter(e, folder, appendix) for e in entry["contents"]]))
            continue
        if out[-1].title:
            out.append(Part(""))
        out[-1].chapters.append(chapter(entry, folder, appendix))
    return out


def chapters(folder: Path = ROOT / "nbs") -> list[Chapter]:
    "All chapters in reading order."
    return [c for part in parts(folder) for c in part.chapters]


def number_of(notebook: str, folder: Path = ROOT / "nbs") -> str:
    "The number of a notebook, given as `01_neuron.ipynb`; empty when the contents don't list it."
    return next((c.number for c in chapters(folder) if c.source == notebook), "")
