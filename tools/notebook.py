"""What the tools read of a notebook, and the two forms in which they write text into one. The standard library is enough."""

import json
import re
from pathlib import Path

FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})", re.M)
CLAIM = "application/vnd.nnbook.claim+json"


def read(notebook: Path) -> dict:
    return json.loads(notebook.read_text(encoding="utf-8"))


def text_of(value) -> str:
    "A notebook stores text as a string or as a list of lines."
    return value if isinstance(value, str) else "".join(value or [])


def outside_code(source: str, change) -> str:
    "Apply `change` to the parts of Markdown that are not fenced code."
    parts, prose, closing = [], [], ""
    for line in source.splitlines(keepends=True):
        fence = FENCE.match(line)
        opens, closes = fence and not closing, closing and line.strip() == closing
        if opens:
            parts.append(change("".join(prose)))
            prose, closing = [], fence[1]
        (parts if closing else prose).append(line)
        if closes:
            closing = ""
    return "".join([*parts, change("".join(prose))])


def prose_of(cell) -> str:
    "The Markdown of a cell without its fenced code."
    found = []
    outside_code(text_of(cell["source"]), lambda prose: found.append(prose) or prose)
    return "".join(found)


def is_hidden(cell) -> bool:
    return cell["cell_type"] == "code" and bool(re.search(r"^#\| *hide\b", text_of(cell["source"]), re.M))


FOLD = re.compile(r"^#\| *code-(?:fold|summary):.*\n?", re.M)
SUMMARY = re.compile(r'^#\| *code-summary: *"?(.*?)"? *$', re.M)


def is_folded(cell) -> bool:
    "Whether a code cell stands closed on the page, under its summary, until it is opened."
    return cell["cell_type"] == "code" and bool(re.search(r"^#\| *code-fold: *true *$", text_of(cell["source"]), re.M))


def is_closed(cell) -> bool:
    "Whether JupyterLab shows a code cell closed: one that the page folds or does not show."
    code = re.sub(r"^#\|.*$", "", text_of(cell["source"]), flags=re.M)
    return cell["cell_type"] == "code" and (is_folded(cell) or is_hidden(cell) or not code.strip())


def summary_of(cell) -> str:
    "What a folded cell stands under."
    found = SUMMARY.search(text_of(cell["source"]))
    return found[1] if found else ""


def code_of(source: str) -> str:
    "A cell's source without the lines that fold it: they change how it looks, not what it does."
    return FOLD.sub("", source)


def lines_in_sight(cell) -> int:
    "How many lines of a cell's code a reader sees at once: none of a folded or hidden cell or a GPU cell that never ran; no directives, no empty lines."
    if cell["cell_type"] != "code" or is_folded(cell) or is_hidden(cell) or (not cell.get("outputs") and re.search(r"^#\| *cuda\b", text_of(cell["source"]), re.M)):
        return 0
    return sum(1 for line in text_of(cell["source"]).splitlines() if line.strip() and not line.startswith("#|"))


def words_in_sight(cell) -> int:
    "How many words of a Markdown cell a reader sees at once: hints and solutions are folded; [the figure](#fig-x) counts as one."
    if cell["cell_type"] != "markdown": return 0
    text = re.sub(r"<details>.*?</details>", "", text_of(cell["source"]), flags=re.S)
    return len(re.sub(r"\[the (equation|figure|table)\]\(", r"[\1](", text, flags=re.I).split())


def before_exercises(cells) -> list:
    "The cells of a chapter before its exercises."
    at = next((i for i, c in enumerate(cells) if c["cell_type"] == "markdown" and re.search(r"^## Exercises", text_of(c["source"]), re.M)), len(cells))
    return list(cells[:at]) + [{**c, "source": text_of(c["source"]).split("## Exercises")[0]} for c in cells[at : at + 1]]


def reading_minutes(cells) -> float:
    "Minutes to read what is in sight before the exercises: prose at 220 words a minute, code at 20 lines a minute."
    cells = before_exercises(cells)
    return sum(map(words_in_sight, cells)) / 220 + sum(map(lines_in_sight, cells)) / 20


def html_outputs(cell) -> list[str]:
    return [text_of(o["data"]["text/html"]) for o in cell.get("outputs", []) if "text/html" in o.get("data", {})]


def claims_of(notebook: Path) -> list[dict]:
    "The claims that a notebook shows, as its outputs hold them."
    return [o["data"][CLAIM] for c in read(notebook)["cells"] if not is_hidden(c) for o in c.get("outputs", []) if CLAIM in o.get("data", {})]


def raw(page: str) -> str:
    "HTML as a raw Markdown block."
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", page)), default=0))
    return f"{fence}{{=html}}\n{page}\n{fence}"


def curly(text: str) -> str:
    "Text with typographic apostrophes."
    return re.sub(r"(?<=\w)(?:'|&#x27;|&#39;)(?=\w)", "\u2019", text)
