"""The README's picture: `python -m tools.screenshot [PAGE] [ID]`, after `make book`, takes a page in light and in dark.

It needs Chromium, which the tests need as well.
"""

import io
import shutil
import sys

from PIL import Image
from playwright.sync_api import sync_playwright

from tools.contents import ROOT


def picture(page: str, anchor: str, scheme: str) -> Image.Image:
    "A built page around the element with id `anchor`, in the `light` or the `dark` scheme."
    with sync_playwright() as p:
        browser = p.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"])
        tab = browser.new_page(viewport={"width": 1000, "height": 1050}, color_scheme=scheme, device_scale_factor=1)
        tab.goto((ROOT / "_site" / page).as_uri())
        tab.evaluate("document.fonts.ready")
        tab.locator(f"#{anchor}").evaluate("e => window.scrollTo(0, e.getBoundingClientRect().top + scrollY - 260)")
        tab.wait_for_timeout(300)
        shot = Image.open(io.BytesIO(tab.screenshot())).convert("RGB")
        browser.close()
    return shot


def main() -> None:
    page, anchor = (sys.argv[1:] + ["neuron.html", "fig-boundary"][len(sys.argv) - 1 :])[:2]
    halves = [picture(page, anchor, scheme) for scheme in ("light", "dark")]
    both = Image.new("RGB", (2 * halves[0].width, halves[0].height))
    for i, half in enumerate(halves):
        both.paste(half, (i * half.width, 0))
    (ROOT / "assets").mkdir(exist_ok=True)
    both.save(ROOT / "assets/screenshot.png", optimize=True)


if __name__ == "__main__":
    main()
