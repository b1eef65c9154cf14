"""A real Chromium for the tests, with every address but the tests' own server cut off."""

import contextlib
import os
import re
import shutil
import threading
from pathlib import Path

import pytest

ARGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
]


def chromium_path() -> str:
    "Where Chromium is. Without one, tests fail where everything must be there (CI), and are skipped elsewhere."
    path = next((p for name in ("chromium", "chromium-browser", "google-chrome") if (p := shutil.which(name))), None)
    if path is None and os.environ.get("CI"):
        pytest.fail("the browser tests need Chromium, and this is CI: install the package chromium")
    if path is None:
        pytest.skip("no Chromium on this machine; install the package chromium to run the browser tests")
    return path


@contextlib.contextmanager
def chromium():
    "A running browser."
    path = chromium_path()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGS)
        try:
            yield browser
        finally:
            browser.close()


@contextlib.contextmanager
def served(folder: Path):
    "The address of a local server for a folder."
    from tools.site import listen

    server = listen(folder, port=0, tries=1)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/"
    finally:
        server.shutdown()
        server.server_close()


class Watch:
    "What went wrong or out on a page: messages on the console, requests that failed or left the server."

    def __init__(self, context, base: str):
        self.problems: list[str] = []
        self.loaded: dict[str, int] = {}
        context.route("**/*", lambda route: route.continue_() if route.request.url.startswith(base) else self.refuse(route))
        context.on("console", lambda m: self.problems.append(f"console: {m.text}") if m.type in ("error", "warning") else None)
        context.on("weberror", lambda e: self.problems.append(f"error: {e.error}"))
        context.on("response", lambda r: self.problems.append(f"{r.status}: {r.url}") if r.status >= 400 else None)
        context.on("requestfailed", lambda r: self.problems.append(f"failed: {r.url}") if r.failure != "net::ERR_ABORTED" else None)     # the page was left

    def refuse(self, route) -> None:
        self.problems.append(f"a request left the site: {route.request.url}")
        route.abort()

    def take(self) -> list[str]:
        "The problems since the last call."
        found, self.problems = self.problems, []
        return found


# Code is thousands of small elements in ten colors, which axe needs minutes to look through: a test of its own checks
# those colors, and here it is taken off the page meanwhile. Formulas have the color of the text around them, and drawings
# none that axe can judge.
WITHOUT_CODE = """(async () => {
    const taken = [...document.querySelectorAll('pre')].map(e => [e, [...e.childNodes]]);
    taken.forEach(([e]) => e.replaceChildren());
    try { return await axe.run(%s); }
    finally { taken.forEach(([e, nodes]) => e.append(...nodes)); }
})()"""
CONTRAST = WITHOUT_CODE % "{exclude: [['pre'], ['math'], ['svg']]}, {resultTypes: ['violations'], runOnly: ['color-contrast']}"
OTHERS = WITHOUT_CODE % "document, {resultTypes: ['violations'], rules: {'color-contrast': {enabled: false}}}"


def axe(page, *runs: str) -> list[str]:
    "axe-core's serious and critical findings on a page as it is now."
    import axe_playwright_python

    script = next(Path(axe_playwright_python.__file__).parent.glob("**/axe.min.js"))
    if not page.evaluate("typeof axe === 'object'"):
        page.evaluate(script.read_text(encoding="utf-8"))
    found = [v for run in runs for v in page.evaluate(f"async () => (await {run}).violations")]
    return [
        f"{v['impact']}: {v['id']}: {v['help']} {[n['target'] for n in v['nodes'][:4]]} ({len(v['nodes'])})"
        for v in found
        if v["impact"] in ("serious", "critical")
    ]


def contrast(page, selector: str) -> float:
    "The contrast of an element's text and the background behind it, as the browser computes both."
    colors = page.evaluate("""selector => {
        const element = document.querySelector(selector), opaque = c => !/rgba\\(.*, 0\\)|transparent/.test(c);
        let behind = element;
        while (!opaque(getComputedStyle(behind).backgroundColor)) behind = behind.parentElement;
        return [getComputedStyle(element).color, getComputedStyle(behind).backgroundColor];
    }""", selector)
    from nnbook.plots import contrast

    return contrast(*("#" + "".join(f"{int(n):02x}" for n in re.findall(r"\d+", color)[:3]) for color in colors))
