"Figures: described, transparent, in the book's colors, and cheap."

import re

import numpy as np
import pytest

from nnbook import plots


@pytest.fixture
def shown(monkeypatch):
    bundles = []
    monkeypatch.setattr(plots, "_display", bundles.append)
    return bundles


KINDS = {
    "lines": lambda **k: plots.lines({"a": np.arange(4.0)}, xlabel="x", ylabel="y", **k),
    "scatter": lambda **k: plots.scatter(np.eye(2), xlabel="x", ylabel="y", **k),
    "hist": lambda **k: plots.hist(np.arange(9.0), xlabel="x", **k),
    "bars": lambda **k: plots.bars({"a": 1.0, "b": 2.0}, errors={"a": 0.1}, ylabel="y", **k),
    "heatmap": lambda **k: plots.heatmap(np.eye(3), values=True, **k),
    "images": lambda **k: plots.images(np.ones((2, 4, 4)), **k),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_figure_has_alt_caption_name_and_no_background(kind, shown):
    KINDS[kind](alt="what one <sees>", caption="the message", name="here")
    page = shown[0]["text/html"]
    assert 'alt="what one &lt;sees&gt;"' in page and 'id="fig-here"' in page and "<figcaption>the message</figcaption>" in page
    assert "data:image/svg+xml;base64," in page


@pytest.mark.parametrize("kind", KINDS)
def test_a_figure_without_alt_is_refused(kind, shown):
    with pytest.raises(ValueError, match="alt="):
        KINDS[kind]()
    assert not shown


def test_the_drawing_has_only_ink_and_palette(shown):
    plots.lines({"a": np.arange(3), "b": np.arange(3) * 2}, xlabel="x (m)", ylabel="y (m)", alt="two lines")
    import base64
    drawing = base64.b64decode(re.search(r"base64,([^\"]+)", shown[0]["text/html"])[1]).decode()
    colors = set(re.findall(r"#[0-9a-f]{6}", drawing))
    assert plots.INK in colors and colors <= {plots.INK, *plots.COLORS.values()}
    assert "<text" in drawing and "x (m)" in drawing, "text stays text"


def test_a_hook_gets_figures_and_tables_without_ipython(monkeypatch):
    bundles = []
    monkeypatch.setattr(plots, "_show_hook", bundles.append)
    plots.lines([1, 2], alt="a line")
    plots.table([{"a": 1}])
    assert ["<figure" in b["text/html"] for b in bundles] == [True, True] and bundles[0]["text/plain"] == "[Figure: a line]"


def drawings(page):
    "The wide drawing and the one for a phone, each as its SVG and its width in pixels."
    import base64
    return [(base64.b64decode(data).decode(), int(width)) for data, width in re.findall(r'svg\+xml;base64,([^"]+)" width="(\d+)"', page)]


def test_a_wide_figure_has_a_second_drawing_for_a_phone(shown):
    with plots.figure(3, alt="three panels", sharey=True) as panels:
        for i, a in enumerate(panels):
            a.plot([0, 1], [0, 100 * i])
        panels[0].set_ylabel("steps")
    page = shown[0]["text/html"]
    (wide, w), (narrow, n) = drawings(page)
    assert (w, n) == (640, 100 * plots.NARROW) and page.count('alt="three panels"') == 2 and page.count('<span class="nn-narrow" hidden>') == 1
    assert wide.count(">steps<") == 1 and narrow.count(">steps<") == 3, "each of the stacked panels has its axis"
    left = {re.search(r'd="M ([\d.]+)', panel)[1] for panel in re.findall(r'<g id="axes_\d">.*?</path>|<g id="axes_\d">.*?/>', narrow, re.S)}
    assert len(left) == 1, "panels stand below each other"


def test_a_narrow_figure_is_drawn_once(shown):
    plots.lines([1, 2], alt="a line", width=4)
    assert len(drawings(shown[0]["text/html"])) == 1


@pytest.mark.parametrize(("n", "ncols", "rows"), [(10, 10, 2), (4, 4, 1), (20, 10, 2)])
def test_a_row_of_many_pictures_becomes_two_for_a_phone(n, ncols, rows, shown, monkeypatch):
    figures = []
    monkeypatch.setattr(plots, "_data_uri", lambda fig, *_: figures.append([a.get_position() for a in fig.axes]) or "data:")
    plots.images(np.ones((n, 4, 4)), ncols=ncols, alt="squares")
    wide, narrow = figures
    assert len({round(p.y0, 3) for p in narrow}) == rows and len({round(p.y0, 3) for p in wide}) == n // ncols


def test_words_keep_apart_on_a_phone(shown, monkeypatch):
    figures = []
    monkeypatch.setattr(plots, "_data_uri", lambda fig, *_: figures.append(fig) or "data:")
    with plots.figure(alt="bars") as a:
        plots.bars({f"a long label {i}": i for i in range(7)}, ylabel="y", ax=a)
        for i in range(6):
            a.plot([0, 1], label=f"the curve {i}")
        a.legend(ncols=6, loc="lower center", bbox_to_anchor=(0.5, 1))
    fig = figures[-1]
    fig.draw_without_rendering()
    labels = fig.axes[0].get_xticklabels()
    assert all(label.get_rotation() == 30 for label in labels)
    assert fig.axes[0].get_legend().get_window_extent().width < fig.bbox.width < 1.3 * fig.axes[0].bbox.width


def test_a_heavy_drawing_is_stored_as_pixels(shown):
    plots.scatter(np.random.default_rng(0).normal(size=(3000, 2)), alt="a cloud")
    assert "data:image/webp" in shown[0]["text/html"]


def test_axes_of_a_figure_are_shown_once_at_its_end(shown):
    with plots.figure(2, alt="two panels") as (left, right):
        plots.lines([1, 2], ax=left)
        plots.hist(np.arange(5), ax=right)
        assert not shown
    assert len(shown) == 1


def test_an_error_while_drawing_shows_nothing(shown):
    with pytest.raises(ZeroDivisionError), plots.figure(alt="x"):
        1 / 0  # noqa: B018
    assert not shown


def test_images_refuses_what_is_not_a_stack(shown):
    with pytest.raises(ValueError, match=r"\(4, 4\); one image is image\[None\]"):
        plots.images(np.ones((4, 4)), alt="x")


def test_tables_round_and_escape(shown):
    plots.table([{"name": "<b>", "value": 1 / 3, "n": 12345, "ok": True}], caption="c", name="t")
    page = shown[0]["text/html"]
    assert "&lt;b&gt;" in page and "0.333" in page and "12,345" in page and ">yes<" in page and 'id="tbl-t"' in page


@pytest.mark.parametrize("rows", [[], [{"a": 1}, {"b": 2}]])
def test_a_table_needs_rows_of_one_kind(rows, shown):
    with pytest.raises(ValueError, match="same columns"):
        plots.table(rows)


def test_contrast_of_black_on_white_is_21():
    assert plots.contrast("#000000", "#ffffff") == pytest.approx(21)
    assert plots.contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
