"""From a notebook to a page: nbdev's `doc_procs`, the same for both renderers (our `tools.site`, and Quarto).

Each processor changes one thing in a copy of the notebook. HTML outputs leave here as raw `{=html}` blocks, the only
form that neither renderer touches. What is numbered and what is measured is never typed: numbers come from the order
of things, measurements from the notebook's metadata and its stored outputs.
"""

import base64
import html
import os
import re
from functools import cache, lru_cache
from pathlib import Path

import yaml
from fastcore.nbio import mk_cell
from nbdev.process import Processor
from smalldocs.markdown import pandoc_id

from tools import api
from tools.api import names_of_library, page_name
from tools.contents import chapters, number_of, page_of
from tools.notebook import (
    CLAIM,
    claims_of,
    code_of,
    curly,
    html_outputs,
    is_folded,
    is_hidden,
    outside_code,
    prose_of,
    raw,
    read,
    reading_minutes,
    summary_of,
    text_of,
)

INK = "#7d7f82"
KINDS = {"fig": "Figure", "tbl": "Table", "eq": "Equation"}
EQUATION = re.compile(r'(?:^<a id="(?P<name>eq-[^"]+)"></a>\n)?^\$\$(?P<tex>.+?)\$\$$', re.M | re.S)
CAPTION = re.compile(r'^<a id="(?P<name>tbl-[^"]+)"></a>\*\*Table\.?\*\*', re.M)
FIGURE = re.compile(r'<figure class="nn-(?P<kind>figure|explore|table)"(?: id="(?P<name>[^"]+)")?.*?</figure>', re.S)
CHAPTER = re.compile(r"\[(?P<word>[Cc]hapter|[Aa]ppendix)\]\((?P<notebook>[\w.-]+\.ipynb)(?P<anchor>#[^)\s]+)?\)")
LINK = re.compile(r"\[(?P<text>[^\]\n]*)\]\((?P<notebook>[\w.-]+\.ipynb)?#(?P<name>(?:fig|tbl|eq)-[^)\s]+)\)")


# ---------------------------------------------------------------- numbers of figures, tables and equations


def numbered_things(cells):
    "Every figure, table and display equation in order: (kind, name or None)."
    for cell in cells:
        if is_hidden(cell):
            continue
        if cell["cell_type"] == "markdown":
            prose = prose_of(cell)
            matches = [m for p in (EQUATION, CAPTION) for m in p.finditer(prose)]
            yield from (("eq" if m.re is EQUATION else "tbl", m["name"]) for m in matches)
        for page in html_outputs(cell):
            yield from (("tbl" if m["kind"] == "table" else "fig", m["name"]) for m in FIGURE.finditer(page))


def numbering(cells, chapter: str, notebook: str) -> dict[str, str]:
    "The number of each named thing of a notebook: {'fig-boundary': 'Figure 1.3'}."
    counts, names = dict.fromkeys(KINDS, 0), {}
    for kind, name in numbered_things(cells):
        counts[kind] += 1
        if name in names:
            raise ValueError(f"{notebook}: two things are named {name}; a name belongs to one figure, table or equation")
        if name:
            names[name] = f"{KINDS[kind]} {numbered(chapter, counts[kind])}"
    return names


def numbered(chapter: str, n: int) -> str:
    return f"{chapter}.{n}" if chapter else str(n)


@lru_cache
def names_in(notebook: Path, modified: float) -> dict[str, str]:
    "The numbering of another notebook; `modified` is its time of change, so that an edit is seen."
    return numbering(read(notebook)["cells"], number_of(notebook.name, notebook.parent), notebook.name)


class number(Processor):
    "Number figures, tables and display equations, and let links to them, and to chapters, say the number."

    def begin(self):
        self.path = Path(self.nb.path_)
        self.chapter = number_of(self.path.name, self.path.parent)
        self.names = numbering(self.nb.cells, self.chapter, self.path.name)
        self.counts = dict.fromkeys(KINDS, 0)

    def next(self, kind: str) -> str:
        self.counts[kind] += 1
        return numbered(self.chapter, self.counts[kind])

    def cell(self, cell):
        if cell.cell_type == "markdown":
            cell.source = outside_code(cell.source, self.markdown)
        for out in cell.get("outputs", []):
            if "text/html" in out.get("data", {}):
                out["data"]["text/html"] = FIGURE.sub(self.figure, text_of(out["data"]["text/html"]))

    def markdown(self, prose: str) -> str:
        prose = EQUATION.sub(self.equation, prose)
        prose = CAPTION.sub(lambda m: f'<a id="{m["name"]}"></a>**Table {self.next("tbl")}.**', prose)
        return LINK.sub(self.link, CHAPTER.sub(self.chapter_link, prose))

    def chapter_link(self, found: re.Match) -> str:
        "`[chapter](05_layers.ipynb)` with the chapter's number behind the word."
        number = number_of(found["notebook"], self.path.parent)
        if not number or number.isalpha() != (found["word"].lower() == "appendix"):
            raise ValueError(f"{self.path.name}: the link {found[0]} names no {found['word'].lower()} of the contents; a chapter that is not written yet is named by its title")
        return f"[{found['word']}\u00a0{number}]({found['notebook']}{found['anchor'] or ''})"

    def equation(self, found: re.Match) -> str:
        number = self.next("eq")
        name = found["name"] or f"eq-{number}"
        opening, closing = raw(f'<div class="nn-equation" id="{name}">'), raw(f'<span class="nn-number">({number})</span></div>')
        return f"\n{opening}\n\n$$\n{found['tex'].strip()}\n$$\n\n{closing}\n"

    def figure(self, found: re.Match) -> str:
        kind = "tbl" if found["kind"] == "table" else "fig"
        label = f'<b class="nn-label">{KINDS[kind]} {self.next(kind)}.</b>'
        if "<figcaption>" in found[0]:
            return found[0].replace("<figcaption>", f"<figcaption>{label} ", 1)
        return found[0].replace("</figure>", f"<figcaption>{label}</figcaption></figure>")

    def link(self, found: re.Match) -> str:
        if found["notebook"]:
            other = self.path.with_name(found["notebook"])
            names = names_in(other, other.stat().st_mtime) if other.is_file() else {}
        else:
            names = self.names
        if found["name"] not in names:
            if os.environ.get("NNBOOK_DRAFT"):
                return found["text"]
            raise ValueError(f"{self.path.name}: the link {found[0]} leads nowhere; {found['notebook'] or 'the notebook'} has no {found['name']}")
        text = names[found["name"]] if found["text"].lower().removeprefix("the ") in map(str.lower, KINDS.values()) else found["text"]
        return f"[{text}]({found['notebook'] or ''}#{found['name']})"


# ---------------------------------------------------------------- code cells


class code(Processor):
    "Show cells without their directives, but for those that fold; leave out cells that hold nothing else."

    def cell(self, cell):
        if cell.cell_type != "code":
            return
        fold = [f'#| code-fold: true\n#| code-summary: "{summary_of(cell) or "Code"}"'] if is_folded(cell) else []
        body = re.sub(r"^#\|.*\n?", "", cell.source, flags=re.M).strip("\n")
        cell.source = "\n".join([*fold, body])
        if not body.strip() and not cell.get("outputs"):
            cell.source = None


class exported(Processor):
    "Say above an exported cell in sight which module it belongs to, with a link to that module's page."

    def begin(self):
        cells = [c for c in self.nb.cells if c.cell_type == "code"]
        default = next((c.directives_["default_exp"] for c in cells if "default_exp" in c.directives_), None)
        for cell in reversed(cells):
            module = cell.directives_.get("export", None if "export" not in cell.directives_ else default)
            module = module or (default if "export" in cell.directives_ else None)
            if module and cell.source and cell.source.strip() and not is_folded(cell):
                at = next(i for i, c in enumerate(self.nb.cells) if c is cell)
                self.nb.cells.insert(at, mk_cell(raw(f'<p class="nn-export"><a href="{api_page(module)}">nnbook.{module}</a></p>'), "markdown"))


def api_page(module: str) -> str:
    "The page of a module, from a chapter's page."
    return f"api/{page_name(module)}.html"


# ---------------------------------------------------------------- outputs


class outputs(Processor):
    "Hand HTML outputs on as raw blocks: drawings inlined, claims set as statements."

    def begin(self):
        self.drawings, self.claims = 0, set()
        self.chapter = page_of(Path(self.nb.path_).name)

    def cell(self, cell):
        for out in cell.get("outputs", []):
            data = out.get("data", {})
            if CLAIM in data:
                out["data"] = {"text/markdown": raw(claim_html(data[CLAIM], claim_name(data[CLAIM], self.claims), self.chapter))}
            elif "text/html" in data:
                out["data"] = {"text/markdown": raw(self.page(text_of(data["text/html"])))}

    def page(self, page: str) -> str:
        page = re.sub(r"<table>(.*?)</table>", r'<div class="nn-scroll"><table data-quarto-disable-processing="true">\1</table></div>', page, flags=re.S)
        page = re.sub(r"<figcaption>.*?</figcaption>", lambda m: curly(m[0]), page, flags=re.S)
        return DRAWING.sub(self.drawing, page)

    def drawing(self, found: re.Match) -> str:
        "An SVG image as SVG elements, which take the colors and the fonts of the page."
        self.drawings += 1
        svg = base64.b64decode(found["data"]).decode()
        return inline_svg(svg, html.unescape(found["alt"]), f"d{self.drawings}-", found["width"], found["height"])


DRAWING = re.compile(r'<img alt="(?P<alt>[^"]*)" src="data:image/svg\+xml;base64,(?P<data>[^"]+)" width="(?P<width>\d+)" height="(?P<height>\d+)">')


def inline_svg(svg: str, alt: str, prefix: str, width: str, height: str) -> str:
    "The <svg> element of a document: its ids prefixed, its ink the page's, named by its alternative text."
    svg = svg[svg.index("<svg"):]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.S)
    svg = re.sub(r'\bid="([^"]+)"', rf'id="{prefix}\1"', svg)
    svg = re.sub(r"url\(#([^)]+)\)", rf"url(#{prefix}\1)", svg)
    svg = re.sub(r'href="#([^"]+)"', rf'href="#{prefix}\1"', svg)
    view = re.search(r'viewBox="[^"]+"', svg)[0]
    opening = f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" {view} width="{width}" height="{height}" role="img" aria-label="{html.escape(alt)}">'
    body = svg[svg.index(">") + 1 :].replace(INK, "currentColor")
    return opening + re.sub(r"\n\s*", "\n", body).strip()


def claim_name(claim: dict, taken: set[str]) -> str:
    "The address of a claim on its page, from its first words; the second one that begins so gets a 2."
    words = f"{claim['before']} {claim['after']}".split()[:7]
    name = first = pandoc_id("claim " + " ".join(words))
    while name in taken:
        name = f"{first}-{int(name.removeprefix(first)[1:] or 1) + 1}"
    taken.add(name)
    return name


def claim_html(claim: dict, name: str, page: str) -> str:
    "A claim as a statement: a mark that leads to its line among all claims, the sentence with the measured value in its place, and its bound, small."
    before, measured, after, limit = (html.escape(claim[k]) for k in ("before", "measured", "after", "limit"))
    return (f'<p class="nn-claim" id="{name}"><a class="nn-claim-mark" href="claims.html#{page.removesuffix(".html")}-{name}" aria-label="Among all claims" title="Among all claims">✓</a> '
            f'<span>{curly(f"{before}<b>{measured}</b>{after}")} <small title="the bound that the claim sets">{limit}</small></span></p>')


class recorded(Processor):
    """Say above the output of a slow or GPU cell where and when it was recorded; fold a GPU cell that has never run,
    and what a long run printed on its way.

    It reads and writes directives, so it comes before `code`.
    """

    def cell(self, cell):
        kind = next((k for k in ("cuda", "slow") if k in getattr(cell, "directives_", {})), None)
        if cell.cell_type != "code" or not kind:
            return
        entry = self.nb.metadata.get("nnbook", {}).get("cells", {}).get(cell.get("id"))
        if not entry and kind == "cuda":
            cell.source = folded(cell)
            return
        line = (f"Recorded on {entry['device']}, {date_text(entry['date'])}; {versions_text(entry.get('versions', {}))}." if entry
                else "This long run has not been recorded yet.")
        note = {"output_type": "display_data", "metadata": {}, "data": {"text/markdown": raw(f'<p class="nn-recorded">{html.escape(line)}</p>')}}
        cell["outputs"] = [note, *map(printed, cell.get("outputs", []))]


def printed(output, most: int = 1):
    "What a long run printed on its way: closed when it has more than `most` lines."
    lines = text_of(output.get("text", "")).splitlines() if output.get("output_type") == "stream" else []
    if len(lines) <= most: return output
    closed = f'<details class="code-fold"><summary>what it printed, {len(lines)} lines</summary><pre>{html.escape(chr(10).join(lines))}</pre></details>'
    return {"output_type": "display_data", "metadata": {}, "data": {"text/markdown": raw(closed)}}


def folded(cell) -> str:
    "The source of a GPU cell, folded under its summary, which says that the cell has not run."
    return f'#| code-fold: true\n#| code-summary: "{summary_of(cell) or "GPU cell"} (not run on a GPU yet)"\n{code_of(cell.source)}'


# ---------------------------------------------------------------- the head and the foot of a page


MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"]


def date_text(date: str) -> str:
    "2026-11-22 as 22 November 2026."
    year, month, day = (int(part) for part in date[:10].split("-"))
    return f"{day} {MONTHS[month - 1]} {year}"


def versions_text(versions: dict) -> str:
    return ", ".join(f"{package} {version}" for package, version in versions.items())


def duration_text(seconds: float) -> str:
    if seconds < 10:
        return f"{seconds:.1f} s"
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


class budget(Processor):
    "The budget card in the page's foot, from what the runner measured when the chapter ran."

    def end(self):
        measured = self.nb.metadata.get("nnbook", {}).get("budget")
        if not measured:
            return
        software = {"Python": measured.get("python", ""), **measured.get("versions", {})}
        facts = {"Time": duration_text(measured["seconds"]), "Peak memory": f"{measured['peak_mb']:,.0f} MB", "Device": measured["device"],
                 "Software": versions_text(software), "Date": date_text(measured["date"])}
        rows = "".join(f"<div><dt>{name}</dt><dd>{html.escape(str(fact))}</dd></div>" for name, fact in facts.items())
        card = f'<section class="nn-budget" aria-label="Budget"><p>Measured when this page ran</p><dl>{rows}</dl></section>'
        self.nb.cells.append(mk_cell(raw(card), "markdown"))


def rounded(minutes: float) -> int:
    "Minutes as one says them: above ten, to the nearest five."
    return max(1, round(minutes)) if minutes < 10 else 5 * round(minutes / 5)


class reading_time(Processor):
    "Add the reading time to the paragraph that says what the reader needs."

    def cell(self, cell):
        if cell.cell_type == "markdown" and cell.source.startswith("**You need**"):
            first, *rest = cell.source.split("\n\n", 1)
            minutes = rounded(reading_minutes(self.nb.cells))
            exercises = any(re.search(r"^## Exercises", text_of(c.source), re.M) for c in self.nb.cells)
            time = f'<span class="nn-time">Reading time: about {minutes} minute{"s" if minutes > 1 else ""}{", without the exercises" if exercises else ""}.</span>'
            cell.source = "\n\n".join([f"{first.rstrip()} {time}", *rest])


class front(Processor):
    "The page's number, before the title in the front matter."

    def begin(self):
        path = Path(self.nb.path_)
        cell = self.nb.cells[0] if self.nb.cells else None
        number = number_of(path.name, path.parent)
        if cell is None or cell.cell_type != "raw" or not number:
            return
        meta = yaml.safe_load(cell.source.strip().strip("-"))
        meta["title"] = f"{number}\u2002{meta['title']}"
        cell.source = f"---\n{yaml.safe_dump(meta, allow_unicode=True, sort_keys=False)}---\n"


# ---------------------------------------------------------------- pages made of other pages


class library(Processor):
    "Write the pages of the library, which are not committed, beside the notebooks and beside nbdev's processed copies of them, for Quarto."

    def begin(self):
        folder = Path(self.nb.path_).parent
        if changes := [p.stat().st_mtime for p in (folder.parent / "nnbook").rglob("*.py*")]:
            write_library(folder, max(changes))


@cache
def write_library(folder: Path, modified: float) -> None:
    "Write them once; nbdev has listed what it copies already, so they are put there too."
    processed = folder.parent / "_proc"
    api.write(folder, *([processed / "api"] if processed.is_dir() else []))


class claims_page(Processor):
    "Replace the marker `<!-- nnbook:claims -->` by a table of every claim of the book, from the stored outputs."

    def cell(self, cell):
        if cell.cell_type == "markdown" and "<!-- nnbook:claims -->" in cell.source:
            table = claims_table(Path(self.nb.path_).parent)
            cell.source = cell.source.replace("<!-- nnbook:claims -->", f"\n{raw(table)}\n")


def claims_table(folder: Path) -> str:
    rows = []
    for c in chapters(folder):
        taken = set()
        for claim in claims_of(folder / c.source) if c.source.endswith(".ipynb") else []:
            name = claim_name(claim, taken)
            chapter = f'<a href="{c.page}#{name}" title="{html.escape(c.title)}">{c.number or html.escape(c.title)}</a>'
            before, measured, after, limit = (html.escape(claim[k]) for k in ("before", "measured", "after", "limit"))
            rows.append(f'<tr id="{c.page.removesuffix(".html")}-{name}"><td>{chapter}</td><td>{curly(f"{before}<b>{measured}</b>{after}")}</td><td class=num>{limit}</td></tr>')
    head = "<tr><th>Chapter</th><th>Claim</th><th class=num>Bound</th></tr>"
    return f'<figure class="nn-table nn-claims"><div class="nn-scroll"><table data-quarto-disable-processing="true"><thead>{head}</thead><tbody>{"".join(rows)}</tbody></table></div></figure>'


MENTION = re.compile(r"\[[^\]]*\]\([^)]*\)|(?<!`)`(?P<name>[A-Za-z_][\w.]*)(?P<call>\(\))?`(?!`)")


class api_links(Processor):
    "Link the first mention of a name of the library in each Markdown cell to its entry in the API pages."

    def begin(self):
        self.names = names_of_library(Path(self.nb.path_).parent.parent / "nnbook")

    def cell(self, cell):
        if cell.cell_type == "markdown":
            self.seen = set()
            cell.source = outside_code(cell.source, lambda prose: "\n".join(map(self.line, prose.split("\n"))))

    def line(self, line: str) -> str:
        return line if line.startswith(("#", "<")) else MENTION.sub(self.link, line)

    def link(self, found: re.Match) -> str:
        name = found["name"]
        if name not in self.names or name in self.seen:
            return found[0]
        self.seen.add(name)
        return f"[{found[0]}]({self.names[name]})"
