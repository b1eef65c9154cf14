"""Build the site and serve it: `python -m tools.site [--serve] [--out _site] [--force]`.

    notebooks ── nbdev's processors ──> _proc ── smalldocs ──> text ── pandoc ──> MathML ── frame ──> _site

Everything comes from pip packages and nothing from the network. The steps before the frame keep what did not change
in `.cache`; the frame is cheap and put around every page.
"""

import argparse
import contextlib
import hashlib
import html
import http.server
import json
import os
import re
import shutil
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import unquote

from tools import contents, fonts, frame, mathml, notes, search
from tools.contents import ROOT
from tools.render import Page, render

THEME = Path(__file__).parent / "theme"
CACHE, TITLE = ".cache/site", "nnbook"


class BookError(Exception):
    "The book cannot be built as it stands; the message says where and why."


@dataclass
class Built:
    "What a build did."

    out: Path
    pages: int
    fresh: int
    seconds: float


def process(root: Path, draft: bool = False) -> Path:
    "nbdev's processors, and ours in pyproject's `doc_procs`, on a copy in `_proc` of the notebooks that the contents list."
    from nbdev.serve import proc_nbs

    os.environ["NNBOOK_DRAFT"] = "1" if draft else ""
    listed = "|".join(re.escape(c.source) for c in contents.chapters(root / "nbs"))
    with contextlib.chdir(root):
        return proc_nbs(n_workers=0, force=True, file_re=f"^({listed})$")  # takes a second; nbdev's own cache would miss changed processors


def set_mathematics(pages: list[Page], cache: Path) -> None:
    "Replace the TeX of all pages by MathML; formulas seen before come from the cache."
    code = hashlib.sha256(Path(mathml.__file__).read_bytes()).hexdigest()[:12]
    file = cache / f"mathml-{code}.json"
    known = {tuple(json.loads(k)): v for k, v in json.loads(file.read_text()).items()} if file.exists() else {}
    wanted = {f for p in pages for f in mathml.formulas(p.body)}
    known |= mathml.convert(sorted(wanted - known.keys()))
    file.write_text(json.dumps({json.dumps(k): v for k, v in known.items() if k in wanted}))
    for p in pages:
        p.body = mathml.put(p.body, known)


def characters(documents: list[str]) -> tuple[str, str]:
    "The characters of the pages' text, and those of their mathematics."
    everything = "".join(documents)
    mathematics = "".join(re.findall(r"<math.*?</math>", everything, re.S))
    entities = "".join(set(re.findall(r"&[#\w]+;", everything)))
    text = {c for c in everything + html.unescape(entities) if c.isprintable()}
    return "".join(sorted(text)), html.unescape(re.sub(r"<[^>]+>", "", mathematics))


ID = re.compile(r'(?<=\s)id="([^"]+)"')
HREF = re.compile(r'<a\b[^>]*?\bhref="([^"]*)"')


def broken_links(documents: dict[str, str], files: set[str]) -> list[str]:
    "Links of pages to pages or anchors that don't exist; and ids that stand twice."
    anchors = {path: ID.findall(text) for path, text in documents.items()}
    problems = [f"{path}: the id {i} stands twice" for path, ids in anchors.items() for i in {x for x in ids if ids.count(x) > 1}]
    for path, text in documents.items():
        for href in sorted(set(HREF.findall(text))):
            if re.match(r"[a-z]+:", href):
                continue
            target, _, anchor = href.partition("#")
            page = os.path.normpath(os.path.join(os.path.dirname(path), unquote(target))) if target else path
            if page not in documents and page not in files:
                problems.append(f"{path}: the link {href} leads nowhere; there is no {page}")
            elif anchor and page in documents and unquote(anchor) not in anchors[page]:
                problems.append(f"{path}: the link {href} leads nowhere; {page} has no #{anchor}")
    return problems


def assets(documents: dict[str, str], pages: list[Page], folder: Path, cache: Path) -> dict[str, bytes]:
    "Every file beside the pages, {path: bytes}."
    text, mathematics = characters(list(documents.values()))
    web_fonts = fonts.fonts(text, mathematics, cache / "fonts")
    files = {f"assets/{name}": data for name, data in web_fonts.items()}
    files["assets/fonts.css"] = fonts.css().encode()
    for name in ("book.css", "frame.css", "book.js", "search.js"):
        files[f"assets/{name}"] = (THEME / name).read_bytes()
    files |= search.files(pages, folder)
    for image in folder.glob("*.svg"):
        files[image.name] = image.read_bytes()
    for notebook in (p.source for p in pages if p.source.endswith(".ipynb")):
        files[f"notebooks/{notebook}"] = (folder / notebook).read_bytes()
    return files


LIST = ".nnbook-site"  # in the folder of a site: the names of the files that a build wrote there


def ours(out: Path) -> list[str]:
    "The files that an earlier build left in the folder; BookError when the folder holds anything and no build made it."
    if out.exists() and not out.is_dir():
        raise BookError(f"{out} is a file; name a folder for the site")
    if (out / LIST).is_file():
        return (out / LIST).read_text(encoding="utf-8").splitlines()
    if out.exists() and any(out.iterdir()):
        raise BookError(f"{out} is not empty, and no build of this book made it: name a new or an empty folder, or empty this one yourself")
    return []


def write(out: Path, files: dict[str, bytes]) -> None:
    "Write the files that differ, and remove those of an earlier build that the site has no more; what else lies there stays."
    old = ours(out)
    files = files | {LIST: "".join(f"{name}\n" for name in sorted(files)).encode()}
    for name in set(old) - set(files):
        (out / name).unlink(missing_ok=True)
    for name, data in files.items():
        file = out / name
        if not file.exists() or file.read_bytes() != data:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)


def prepare(root: Path, out: Path, force: bool) -> None:
    "What has to be so before the work: a folder that may be written, contents as they stand now."
    ours(out)
    if force:
        shutil.rmtree(root / CACHE, ignore_errors=True)
    contents.parts.cache_clear()


def check(documents: dict[str, str], files: set[str]) -> None:
    "BookError, which lists them, when links lead nowhere."
    if problems := broken_links(documents, files):
        raise BookError("\n".join([*problems[:30], *(["..."] if len(problems) > 30 else [])]))


def build(root: Path = ROOT, out: Path | None = None, force: bool = False, draft: bool = False) -> Built:
    "Build the whole site from the notebooks of a project; a draft may have links that lead nowhere, say to figures of a notebook that has not run."
    start, out, folder, cache = time.perf_counter(), out or root / "_site", root / "nbs", root / CACHE
    prepare(root, out, force)
    processed = process(root, draft)
    pages, fresh = render(processed, cache / "pages")
    set_mathematics(pages, cache)
    works = notes.works(next((p.body for p in pages if p.path == "references.html"), ""))
    documents = {p.path: frame.lay_out(replace(p, body=notes.put(p, works)), folder, TITLE) for p in [*pages, frame.lost()]}
    files = assets(documents, pages, folder, cache)
    if not draft:
        check(documents, set(files))
    write(out, files | {path: text.encode() for path, text in documents.items()})
    return Built(out, len(pages), fresh, time.perf_counter() - start)


# ---------------------------------------------------------------- serving


class Handler(http.server.SimpleHTTPRequestHandler):
    "Serve files that the browser asks for anew each time, and print nothing."

    def end_headers(self):
        self.send_header("Cache-Control", "no-cache")
        super().end_headers()

    def log_message(self, *args):
        pass

    def send_error(self, code, message=None, explain=None):
        "The book's own page in place of one that is not there."
        page = Path(self.directory) / frame.LOST
        if code == 404 and page.is_file():
            self.error_message_format = page.read_text(encoding="utf-8").replace("%", "%%")
        super().send_error(code, message, explain)


class Server(http.server.ThreadingHTTPServer):
    allow_reuse_address = True
    daemon_threads = True


def listen(folder: Path, port: int = 8000, tries: int = 20) -> Server:
    "A server on 127.0.0.1 at the first free port from `port` on."
    for p in range(port, port + tries):
        try:
            return Server(("127.0.0.1", p), lambda *a: Handler(*a, directory=str(folder)))
        except OSError:
            print(f"port {p} is busy; trying {p + 1}", flush=True)
    raise BookError(f"no free port from {port} to {port + tries - 1}; stop one of the programs that use them, or serve the folder {folder} yourself")


def serve(folder: Path, port: int) -> None:
    "Serve the site until interrupted."
    with listen(folder, port) as server:
        print(f"the book is at http://127.0.0.1:{server.server_address[1]}  (Ctrl+C stops)", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            server.serve_forever()


def main() -> None:
    parser = argparse.ArgumentParser(description="Build the site of the book, and serve it.")
    parser.add_argument("--serve", action="store_true", help="serve it on 127.0.0.1 afterwards")
    parser.add_argument("--port", type=int, default=8000, help="the first port to try (default: 8000)")
    parser.add_argument("--out", type=Path, default=ROOT / "_site", help="the folder to write (default: _site)")
    parser.add_argument("--force", action="store_true", help="render everything again")
    parser.add_argument("--draft", action="store_true", help="build although links lead nowhere")
    args = parser.parse_args()
    if not 0 <= args.port <= 65535:
        sys.exit(f"--port is a number from 0 to 65535, got {args.port}")
    try:
        built = build(ROOT, args.out, args.force, args.draft)
        print(f"{built.pages} pages in {built.out}, {built.fresh} of them rendered now, in {built.seconds:.1f} s", flush=True)
        if args.serve:
            serve(args.out, args.port)
    except (BookError, FileNotFoundError, ValueError) as problem:
        sys.exit(f"the book was not built:\n{problem}")


if __name__ == "__main__":
    main()
