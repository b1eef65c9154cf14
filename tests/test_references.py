"The references: every citation of the book arrives, and the list is in order and without dead wood."

import json
import re
import unicodedata

import pytest
from conftest import ROOT, read

REFERENCES = "99_references.ipynb"
CITATION = re.compile(r"99_references\.ipynb#([\w-]+)")
ENTRY = re.compile(r'^- <a id="(?P<anchor>[\w-]+)"></a>(?P<text>.+)$', re.MULTILINE)
UNCITED_ALLOWED = ("Books", "Landmarks")  # the first words of the sections for general reading


def sections(text: str) -> dict[str, list[tuple[str, str]]]:
    "The entries under each `##` heading: {heading: [(anchor, text)]}."
    parts = re.split(r"^## +(.+)$", text, flags=re.MULTILINE)
    found = {"": parts[0]} | dict(zip(parts[1::2], parts[2::2], strict=True))
    return {h: [(m["anchor"], m["text"]) for m in ENTRY.finditer(body)] for h, body in found.items() if ENTRY.search(body)}


def sort_key(text: str) -> tuple[str, str]:
    "Authors without accents and case, then what follows them: the year and the title."
    plain = unicodedata.normalize("NFKD", text.replace("Ł", "L").replace("ł", "l")).encode("ascii", "ignore").decode().casefold()
    authors, _, rest = plain.partition("(")
    return re.sub(r"[^a-z ]", "", authors).strip(), rest


def disorder(entries: list[tuple[str, str]]) -> list[str]:
    "The anchors that stand before an entry they should follow."
    return [a for (a, first), (_, second) in zip(entries, entries[1:], strict=False) if sort_key(first) > sort_key(second)]


def repeated(names: list[str]) -> list[str]:
    return sorted({n for n in names if names.count(n) > 1})


def citations() -> dict[str, set[str]]:
    "Which notebooks cite which anchor."
    found: dict[str, set[str]] = {}
    for path in sorted((ROOT / "nbs").glob("*.ipynb")):
        for anchor in CITATION.findall(path.read_text(encoding="utf-8")):
            found.setdefault(anchor, set()).add(path.name)
    return found


@pytest.fixture(scope="module")
def listed() -> dict[str, list[tuple[str, str]]]:
    return sections("\n\n".join(c.source for c in read(ROOT / "nbs" / REFERENCES).cells if c.cell_type == "markdown"))


def test_every_citation_has_an_entry(listed):
    anchors = {a for entries in listed.values() for a, _ in entries}
    assert {a: sorted(where) for a, where in citations().items() if a not in anchors} == {}


def test_every_anchor_is_an_entry_and_unique(listed):
    text = "\n".join(json.loads(json.dumps(c.source)) for c in read(ROOT / "nbs" / REFERENCES).cells if c.cell_type == "markdown")
    anchors = re.findall(r'<a id="([^"]+)"', text)
    assert repeated(anchors) == []
    assert sorted(anchors) == sorted(a for entries in listed.values() for a, _ in entries), "an anchor outside `- <a id=...></a>Authors (year). ...`"


def test_entries_are_alphabetical(listed):
    assert {heading: wrong for heading, entries in listed.items() if (wrong := disorder(entries))} == {}


def test_every_entry_is_cited_or_general_reading(listed):
    cited = citations()
    assert [a for heading, entries in listed.items() if not heading.startswith(UNCITED_ALLOWED) for a, _ in entries if a not in cited] == []


def test_entries_are_complete(listed):
    "Authors, a year that agrees with the anchor, and a title in a link or in italics."
    for entries in listed.values():
        for anchor, text in entries:
            found = re.match(r"(?P<authors>[^(\[]+)\((?P<year>\d{4})\)\. (?P<title>\[.+?\]\(https?://[^\s)]+(?:\([^\s)]*\)[^\s)]*)?\)|\*.+?\*|\w.+?\. \*)", text)
            assert found, f"{anchor}: {text}"
            year = re.search(r"\d{4}", anchor)
            assert year is None or year[0] == found["year"], f"{anchor}: {text}"
            assert text.rstrip().endswith((".", ")")), f"{anchor} does not end its sentence"


def test_the_checks_see_what_they_should():
    text = '## Works\n- <a id="b1990"></a>B, C. (1990). [T](https://x.org).\n- <a id="a1991"></a>Á, C. (1991). [T](https://x.org).\n- <a id="a1989"></a>A, C. (1989). [T](https://x.org).\n'
    assert [a for a, _ in sections(text)["Works"]] == ["b1990", "a1991", "a1989"]
    assert disorder(sections(text)["Works"]) == ["b1990", "a1991"]
    assert repeated(["a", "b", "a"]) == ["a"]
    assert CITATION.findall("see [A (1991)](99_references.ipynb#a1991).") == ["a1991"]
