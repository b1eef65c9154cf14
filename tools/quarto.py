"""Finish the site that Quarto rendered: `nbdev-docs && python -m tools.quarto`.

Quarto renders the same processed notebooks, with the theme in `tools/theme`. What `tools.site` does after rendering is done
here to Quarto's pages: mathematics set as TeX would set it, fonts cut to the characters that the book uses, the title with
its links, the notebooks to download. Pages that are finished stay as they are, so it may run twice.
"""

import argparse
import re
import sys
from pathlib import Path

from tools import contents, fonts, frame, mathml
from tools.contents import ROOT, Chapter
from tools.render import Page
from tools.site import CACHE, characters

FORMULA = re.compile(r"<math\b.*?</math>", re.S)
HEADER = re.compile(r'<header id="title-block-header".*?</header>', re.S)
LINE = re.compile(r'(<span id="cb[\d-]+")(><a [^>]*></a>(?:<span class="\w+">)?)( *)')


def finish(page: str, up: str, title: str) -> str:
    "A page of Quarto's as the book has it; `up` leads to the site's root, and `title` is the title block, where the book has one."
    page = mathml.keep_together(FORMULA.sub(lambda m: mathml.clean(m[0].replace("&nbsp;", "\u00a0")), page))
    page = LINE.sub(lambda m: f'{m[1]} style="--indent:{len(m[3])}"{m[2]}{m[3]}', page)
    page = HEADER.sub(lambda m: title or m[0], page)
    return page.replace("</head>", f'<link rel="stylesheet" href="{up}assets/fonts.css">\n</head>', 1)


def title_of(chapter: Chapter, folder: Path) -> str:
    "The title block that the book's own frame gives a chapter."
    part = next(p.title for p in contents.parts(folder) if chapter in p.chapters)
    return frame.title_block(Page(chapter.source, chapter.page, chapter.title, chapter.description, ""), chapter, part)


def finish_all(out: Path, root: Path = ROOT) -> int:
    "Finish every page in the folder and write what the pages need; the number of pages that were not finished yet."
    folder = root / "nbs"
    chapters = {c.page: c for c in contents.chapters(folder) if c.source.endswith(".ipynb")}
    documents = {f: f.read_text(encoding="utf-8") for f in out.rglob("*.html") if f.relative_to(out).parts[0] != "site_libs"}
    unfinished = [f for f, page in documents.items() if "assets/fonts.css" not in page]
    for file in unfinished:
        path = file.relative_to(out)
        chapter = chapters.get(path.as_posix())
        documents[file] = finish(documents[file], "../" * (len(path.parts) - 1), title_of(chapter, folder) if chapter else "")
        file.write_text(documents[file], encoding="utf-8")
    files = {f"assets/{name}": data for name, data in fonts.fonts(*characters(list(documents.values())), root / CACHE / "fonts").items()}
    files |= {"assets/fonts.css": fonts.css().encode(), "cover.svg": (folder / "cover.svg").read_bytes()}
    files |= {f"notebooks/{c.source}": (folder / c.source).read_bytes() for c in chapters.values()}
    for name, data in files.items():
        (out / name).parent.mkdir(exist_ok=True)
        (out / name).write_bytes(data)
    return len(unfinished)


def main() -> None:
    parser = argparse.ArgumentParser(description="Finish the site that Quarto rendered.")
    parser.add_argument("out", type=Path, nargs="?", default=ROOT / "_docs", help="where nbdev-docs put it (default: _docs)")
    out = parser.parse_args().out
    if not (out / "index.html").is_file():
        sys.exit(f"{out} holds no site; render it first, with Quarto installed: nbdev-docs")
    print(f"{finish_all(out)} pages finished in {out}")


if __name__ == "__main__":
    main()
