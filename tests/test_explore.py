"Interactive figures: frames from the library, within limits, live in a kernel and whole without one."

import base64
import io
import json
import re

import nbformat
import numpy as np
import pytest
from matplotlib.figure import Figure
from nbclient import NotebookClient
from PIL import Image

from nnbook import plots
from nnbook.explore import explore


@pytest.fixture
def shown(monkeypatch):
    "What is displayed, as a list of mime bundles."
    bundles = []
    monkeypatch.setattr(plots, "_display", bundles.append)
    return bundles


def line(w=1, b=0):
    plots.lines(w * np.arange(5) + b, xlabel="x", ylabel="y")


def data_of(page):
    return json.loads(re.search(r'<script type="application/json">(.*?)</script>', page, re.DOTALL)[1])


def test_one_frame_and_alt_for_each_setting(shown):
    explore(line, w=[1, 2, 3], b=[0, 5], alt=lambda w, b: f"slope {w} from {b}", caption="A line.", name="line")
    page = shown[0]["text/html"]
    data = data_of(page)
    assert len(data["frames"]) == 6 and len(set(data["frames"])) > 1
    assert data["alts"] == [f"slope {w} from {b}" for w in (1, 2, 3) for b in (0, 5)]
    assert data["labels"] == [["1", "2", "3"], ["0", "5"]]
    assert 'id="fig-line"' in page and "<figcaption>A line.</figcaption>" in page
    assert page.count('</output></label> <label style="margin-right: 2em">') == 1, "labels apart where no style sheet sets them so"
    assert page.count('type="range"') == 2 and page.count("aria-label") == 2


def test_frames_are_transparent_and_of_one_size(shown):
    explore(line, w=[1, 2], alt="a line")
    pictures = [Image.open(io.BytesIO(base64.b64decode(f.partition(",")[2]))) for f in data_of(shown[0]["text/html"])["frames"]]
    assert len({p.size for p in pictures}) == 1
    assert all(p.convert("RGBA").getpixel((2, 2))[3] == 0 for p in pictures)


def test_it_starts_where_told(shown):
    explore(line, w=[1, 2, 3], alt=lambda w: f"slope {w}", start={"w": 2})
    assert 'alt="slope 2"' in shown[0]["text/html"] and 'value="1"' in shown[0]["text/html"]


def test_a_returned_figure_is_a_frame(shown):
    explore(lambda w: Figure(figsize=(2, 1)), w=[1, 2], alt="nothing")
    assert len(shown) == 1 and 'width="200" height="100"' in shown[0]["text/html"]


def test_text_cannot_break_out_of_the_page(shown):
    explore(line, w=["</script><b>"], b=[0], alt="a </script> & <b>") if False else explore(lambda s: line(), s=["</script>"], alt='a "</script>" & <b>')
    page = shown[0]["text/html"]
    assert page.count("</script>") == 2 and "<b>" not in page.replace("&lt;b&gt;", "").partition("<script")[0]


@pytest.mark.parametrize(("arguments", "words"), [
    (dict(w=range(61), alt="x"), "at most 60"),
    (dict(w=range(10), b=range(7), alt="x"), "10 × 7 = 70"),
    (dict(w=[], alt="x"), "'w' needs a list of values"),
    (dict(w=3, alt="x"), "'w' needs a list of values"),
    (dict(w="abc", alt="x"), "'w' needs a list of values"),
    (dict(alt="x"), "at least one control"),
    (dict(w=[1], alt=""), "alt="),
    (dict(w=[1, 2], alt=lambda w: "" if w == 2 else "x"), "alt="),
    (dict(w=[1], alt="x", start={"w": 9}), "not among the values"),
])
def test_what_cannot_work_is_a_value_error_before_anything_is_drawn(arguments, words, shown):
    drawn = []
    with pytest.raises(ValueError, match=re.escape(words)):
        explore(lambda **_: drawn.append(1), **arguments)
    assert not shown and not drawn


def test_alt_is_required():
    with pytest.raises(TypeError, match="alt"):
        explore(line, w=[1])


def test_a_draw_that_makes_no_figure_is_named():
    with pytest.raises(ValueError, match=r"draw\(w=1\) made 0 figures"):
        explore(lambda w: None, w=[1], alt="x")


def test_a_figure_too_heavy_is_refused(shown):
    noise = np.random.default_rng(0).random((40, 300, 300, 3))
    with pytest.raises(ValueError, match="over 400,000"):
        explore(lambda i: plots.images(noise[i][None]), i=range(40), alt="noise")


CODE = "from nnbook import plots\nfrom nnbook.explore import explore\nexplore(lambda w: plots.lines([0, w]), w=[1, 2], alt='a line')"


def kernel_output(monkeypatch, static):
    monkeypatch.setenv("NNBOOK_STATIC", static)
    nb = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CODE)])
    NotebookClient(nb, timeout=120, extra_arguments=["--log-level=ERROR"]).execute()
    (output,) = nb.cells[0].outputs
    return output.data


def test_in_a_kernel_widgets_and_page_share_one_bundle_and_a_run_for_the_book_stores_the_page_only(monkeypatch):
    live = kernel_output(monkeypatch, "")
    assert {"text/html", "application/vnd.jupyter.widget-view+json"} <= set(live)
    assert set(kernel_output(monkeypatch, "1")) == {"text/html", "text/plain"}
