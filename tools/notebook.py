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
