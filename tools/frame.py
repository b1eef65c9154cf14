"""The page around the text: head, contents, title, the way on. One function for each part, read from the top."""

import html
import re
from pathlib import Path

from tools.contents import Chapter, Part, chapters, parts
from tools.notebook import curly
from tools.render import Page

REPOSITORY = "https://github.com/nnbook/nnbook"
COLAB = "https://colab.research.google.com/github/nnbook/nnbook/blob/main"
ICONS = {  # drawn for the book on a grid of 16
    "search": '<circle cx="7" cy="7" r="4.5"/><path d="M10.5 10.5 14 14"/>',
    "menu": '<path d="M2 4h12M2 8h12M2 12h12"/>',
    "light": '<circle cx="8" cy="8" r="5.5"/><path d="M8 2.5a5.5 5.5 0 0 1 0 11z" fill="currentColor"/>',
    "close": '<path d="m3.5 3.5 9 9m0-9-9 9"/>',
}
# Before anything is painted: the reader's choice of light or dark, or the system's.
SCHEME = ("(()=>{let s=null;try{s=localStorage.getItem('nnbook-scheme')}catch(e){}"
          "const d=s?s==='dark':matchMedia('(prefers-color-scheme: dark)').matches;"
          "document.documentElement.classList.add(d?'quarto-dark':'quarto-light')})()")


def icon(name: str) -> str:
    return f'<svg class="icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">{ICONS[name]}</svg>'


def relative(page: Page, target: str) -> str:
    return page.up + target


def head(page: Page, title: str, site_title: str, description: str) -> str:
    full = site_title if page.path == "index.html" else f"{title} · {site_title}"
    style = "".join(f'<link rel="stylesheet" href="{page.up}assets/{name}.css">' for name in ("fonts", "book", "frame"))
    return (f'<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>{html.escape(full)}</title>'
            f'<meta name="description" content="{html.escape(description)}"><meta name="color-scheme" content="light dark">'
            f'<meta property="og:title" content="{html.escape(full)}"><meta property="og:description" content="{html.escape(description)}">'
            f'<script>{SCHEME}</script><link rel="icon" href="{page.up}favicon.svg" type="image/svg+xml">{style}'
            f'<script src="{page.up}assets/book.js" defer></script><script src="{page.up}assets/search.js" defer></script>')


def entry(page: Page, chapter: Chapter) -> str:
    "A line of the contents; below the page one is on, its sections."
    here = chapter.page == page.path or (page.path.startswith("api/") and chapter.page == "api/index.html")
    current = ' aria-current="page"' if here else ""
    number = f'<span class="n">{chapter.number}</span> '
    sections = "".join(f'<li><a href="#{h["id"]}">{html.escape(h["text"])}</a></li>' for h in page.headings if h["level"] == 2) if here else ""
    below = f'<ol class="sections">{sections}</ol>' if sections else ""
    return f'<li><a href="{relative(page, chapter.page)}"{current}>{number}<span>{inline(chapter.name)}</span></a>{below}</li>'


def inline(text: str) -> str:
    "A title's text, with `code` and typographic apostrophes."
    return curly(re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(text, quote=False)))


def contents(page: Page, book: list[Part]) -> str:
    blocks = []
    for part in book:
        name = f'<p class="part">{html.escape(part.title)}</p>' if part.title else ""
        blocks.append(f'{name}<ol>{"".join(entry(page, c) for c in part.chapters)}</ol>' if part.chapters else "")
    return "".join(blocks)


def side(page: Page, book: list[Part], site_title: str) -> str:
    "The contents at the side, with the book's name, search and light and dark."
    return (f'<nav id="contents" aria-label="Contents"><p class="brand"><a href="{page.up}index.html">'
            f'<img src="{page.up}favicon.svg" alt="" width="26" height="26">{html.escape(site_title)}</a></p>'
            f'<p class="tools"><button type="button" data-search>{icon("search")} Search <kbd>/</kbd></button>'
            f'<button type="button" data-scheme aria-label="Light or dark" title="Light or dark">{icon("light")}</button></p>'
            f'{contents(page, book)}</nav>')


def bar(page: Page, site_title: str) -> str:
    "The bar on narrow screens."
    return (f'<header class="bar"><button type="button" data-menu aria-expanded="false" aria-controls="contents" aria-label="Contents">{icon("menu")}</button>'
            f'<a href="{page.up}index.html">{html.escape(site_title)}</a>'
            f'<button type="button" data-search aria-label="Search">{icon("search")}</button>'
            f'<button type="button" data-scheme aria-label="Light or dark">{icon("light")}</button></header>')


def title_block(page: Page, chapter: Chapter | None, part: str) -> str:
    label = " · ".join(filter(None, [part.partition(":")[0], chapter.label if chapter else ""]))
    label = chapter.label if chapter and chapter.label.startswith("Appendix") else label
    title = inline(chapter.title if chapter and chapter.source.endswith(".ipynb") else page.title)
    cover = f'<img class="cover" src="{page.up}cover.svg" alt="" width="960" height="300">' if page.path == "index.html" else ""
    sentence = chapter.description if chapter and chapter.description else page.description
    over = f'<p class="label">{html.escape(label)}</p>' if label else ""
    under = f'<p class="lede">{inline(sentence)}</p>' if sentence else ""
    return f'<header id="title-block-header">{cover}{over}<h1>{title}</h1>{under}{notebook_links(page)}</header>'


def notebook_links(page: Page) -> str:
    if not page.source.endswith(".ipynb"):
        return ""
    folds = '<button type="button" data-folds aria-pressed="false"><span>Open all code</span> <kbd>o</kbd></button>' if 'class="code-fold"' in page.body else ""
    return (f'<p class="run"><a href="{COLAB}/nbs/{page.source}">Open in Colab</a>'
            f'<a href="{page.up}notebooks/{page.source}" download>Download notebook</a>'
            f'<a href="{REPOSITORY}/blob/main/nbs/{page.source}">View source</a>{folds}</p>')


def way(page: Page, order: list[Chapter]) -> str:
    "Links to the previous and the next page."
    at = next((i for i, c in enumerate(order) if c.page == page.path), None)
    if at is None:
        return ""
    links = []
    for i, rel, word, keys in ((at - 1, "prev", "Previous", "p ArrowLeft"), (at + 1, "next", "Next", "n ArrowRight")):
        if 0 <= i < len(order):
            c = order[i]
            links.append(f'<a rel="{rel}" href="{relative(page, c.page)}" aria-keyshortcuts="{keys}"><small>{word} <kbd>{keys[0]}</kbd></small> {c.number} {inline(c.name)}</a>')
    return f'<nav class="way" aria-label="Previous and next">{"".join(links)}</nav>'


def foot() -> str:
    return f'<footer class="foot"><a href="{REPOSITORY}">Source on GitHub</a> · <a href="{REPOSITORY}/issues/new">Report a mistake</a></footer>'


SEARCH = (f'<dialog id="search" aria-label="Search"><form method="dialog"><label>{icon("search")}<span class="unseen">Search the book</span>'
          f'<input type="search" placeholder="Search the book" autocomplete="off" spellcheck="false"></label>'
          f'<button aria-label="Close">{icon("close")}</button></form><ol role="list"></ol><p class="hint" role="status"></p></dialog>')


LOST = "404.html"  # shown in place of a page that is not there, under whatever address was asked for
ROOT = f"/{REPOSITORY.split('/')[-1]}/"
# Where its links start, since the address that was asked for does not tell: at the site's root, which another server may have elsewhere.
BASE = (f"<base href='{ROOT}'><script>if(!location.pathname.startsWith('{ROOT}'))"
        "document.querySelector('base').href=location.protocol==='file:'?'./':'/'</script>")


def lost() -> Page:
    "The page in place of one that is not there."
    text = "<p>The page may have another name now. Search the book, or choose a chapter from its contents.</p>"
    return Page("", LOST, "There is no such page", "", f'{text}<p><button type="button" class="ask" data-search>{icon("search")} Search the book</button></p>')


def lay_out(page: Page, folder: Path, site_title: str) -> str:
    "The whole page."
    book, order = parts(folder), chapters(folder)
    chapter = next((c for c in order if c.page == page.path), None)
    part = next((p.title for p in book if chapter in p.chapters), "")
    description = (chapter.description if chapter else "") or page.description
    kind = Path(page.path).stem if page.path == "index.html" else "api" if page.path.startswith("api/") else "chapter"
    return (f'<!doctype html>\n<html lang="en" data-root="{page.up}" data-path="{page.path}"><head>{BASE if page.path == LOST else ""}{head(page, chapter.title if chapter else page.title, site_title, description)}</head>'
            f'<body class="{kind}"><a class="skip" href="#quarto-document-content">Skip to the text</a>{bar(page, site_title)}{side(page, book, site_title)}'
            f'<main id="quarto-document-content" class="content" tabindex="-1">{title_block(page, chapter, part)}\n{page.body}\n{way(page, order)}{foot()}</main>{SEARCH}</body></html>\n')
