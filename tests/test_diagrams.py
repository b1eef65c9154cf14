"Diagrams: what is written is drawn, nothing lies over anything else, and all of it is legible on a phone."

import base64
import itertools
import re
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nnbook import diagrams, plots
from nnbook.diagrams import backward, diagram, network, neuron

HEAD = "q (d) -> dot; K (m, d) -> dot; dot -> scores (m); scores -> softmax; softmax -> p (m); V (m) -> mix; p -> mix; mix -> output"
BLOCK = "tokens (n) -> embed -> h (n, d) -> norm#1 -> attention -> +#1 -> norm#2 -> MLP -> +#2 -> logits (n, V); h -> +#1; +#1 -> +#2"
LINE = "a = 2 -> ×; b = 3 -> ×; × -> c = 6 -> +; a -> +; + -> d = 8"
EXAMPLES = {
    "head": lambda **k: diagram(HEAD, **k),
    "block": lambda **k: diagram(BLOCK, **k),
    "brief": lambda **k: diagram("x (784,) -> W1, b1 (64, 784); W1, b1 -> ReLU & co -> y (10)", **k),
    "branches": lambda **k: diagram("x (n, d) -> W_q -> dot; x -> W_k -> dot; x -> W_v -> v (n, d) -> mix; dot -> softmax -> mix -> y (n, d)", **k),
    "fan": lambda **k: diagram("a -> b; a -> c; a -> d; b -> e; c -> e; d -> e; a -> e", **k),
    "line back": lambda **k: backward(LINE, {"d": 1, "c": 1, "a": "3 + 1", "b": 2}, **k),
    "head back": lambda **k: backward(HEAD, {"scores": "∂L/∂s (m)", "p": "∂L/∂p (m)", "q": 0.123456}, **k),
    "neuron": lambda **k: neuron(**k),
    "five inputs": lambda **k: neuron(["x₁", "x₂", "x₃", "⋮", "xₙ"], ["w₁ = 0.5", "w₂ = −1", "w₃ = 2", "", "wₙ = 4"], activation="ReLU", **k),
    "one input": lambda **k: neuron(["x"], ["w"], **k),
    "network": lambda **k: network([784, 64, 10], ["input", "hidden", "logits"], **k),
    "small network": lambda **k: network([4, 3, 3, 3, 2], weights="WUVZ", **k),
}


def drawn(draw) -> "Drawing":
    "What a function shows, read from its SVG."
    bundles = []
    plots._show_hook = bundles.append
    try:
        draw()
    finally:
        plots._show_hook = None
    return Drawing(bundles[0]["text/html"])


class Drawing:
    "The boxes, texts, arrows' tips and lines of a drawing; an area is (left, top, right, bottom)."

    def __init__(self, page: str):
        self.page = page
        svg = ElementTree.fromstring(base64.b64decode(re.search(r"base64,([^\"]+)", page)[1]).replace(b"xmlns=", b"from="))
        self.width, self.height = map(float, svg.get("viewBox").split()[2:])
        self.boxes, self.tips, self.lines, self.texts, self.sizes = [], [], [], {}, set()
        for path in svg.iter("path"):
            points = np.array(re.findall(r"-?[\d.]+", path.get("d")), float).reshape(-1, 2)
            if "Q" in path.get("d"):
                self.boxes.append((*points.min(0), *points.max(0)))
            elif path.get("d").endswith("Z"):
                self.tips.append(points[0])
            else:
                self.lines.append(sampled(path.get("d")))
        for text in svg.iter("text"):
            lines = ["".join(part.itertext()) for part in text]
            size, x, y = (float(text.get(k)) for k in ("font-size", "x", "y"))
            width, height = diagrams._width("\n".join(lines)), 0.8 * size + size * (len(lines) - 1)
            left = x - width * {"start": 0, "middle": 0.5, "end": 1}[text.get("text-anchor")]
            middle = y + size * (len(lines) + 1) / 2
            self.sizes.add(size)
            self.texts[" ".join(lines), x, y] = (left, middle - height / 2, left + width, middle + height / 2)


def sampled(d: str) -> np.ndarray:
    "Points of a path of lines and cubic curves."
    parts, at, found = re.findall(r"([MLC])([^MLC]+)", d), None, []
    for letter, numbers in parts:
        p = np.array(numbers.split() if "," not in numbers else re.findall(r"-?[\d.]+", numbers), float).reshape(-1, 2)
        t = np.linspace(0, 1, 25)[:, None]
        if letter == "L":
            found.append(at + t * (p[0] - at))
        elif letter == "C":
            found.append((1 - t) ** 3 * at + 3 * (1 - t) ** 2 * t * p[0] + 3 * (1 - t) * t**2 * p[1] + t**3 * p[2])
        at = p[-1]
    return np.concatenate(found)


def overlap(a, b) -> float:
    "By how much two areas overlap in the direction where they do least."
    return min(min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1]))


def inside(a, b) -> bool:
    return a[0] >= b[0] and a[1] >= b[1] and a[2] <= b[2] and a[3] <= b[3]


def check_geometry(drawing: Drawing) -> None:
    texts, boxes = list(drawing.texts.values()), drawing.boxes
    assert all(overlap(a, b) <= 0 for a, b in itertools.combinations(boxes, 2)), "boxes overlap"
    assert all(overlap(a, b) <= 0.5 for a, b in itertools.combinations(texts, 2)), f"texts overlap: {drawing.texts}"
    for text, box in itertools.product(texts, boxes):
        assert overlap(text, box) <= 0 or inside(text, box), f"a text sticks out of a box: {drawing.texts}"
    assert all(sum(inside(text, box) for text in texts) == 1 for box in boxes), "each box holds its text"
    page = (-0.1, -0.1, drawing.width + 0.1, drawing.height + 0.1)
    assert all(inside(area, page) for area in texts + boxes), "all of it lies on the canvas"
    for line in drawing.lines:
        assert np.all((line >= -1) & (line <= [drawing.width + 1, drawing.height + 1])), "a line leaves the canvas"


def check_arrows(drawing: Drawing) -> None:
    "Arrows touch what they point at, and pass through nothing."
    bare = [t for t in drawing.texts.values() if not any(inside(t, b) for b in drawing.boxes)]
    areas = drawing.boxes + bare
    away = lambda tip, area: max(area[0] - tip[0], tip[0] - area[2], area[1] - tip[1], tip[1] - area[3])
    for tip in drawing.tips:
        assert any(abs(away(tip, b)) < 1.5 for b in drawing.boxes) or any(0 < away(tip, t) < 12 for t in bare), f"the arrow's tip {tip} is at no border"
    for line, (left, top, right, bottom) in itertools.product(drawing.lines, areas):
        depth = np.minimum.reduce([line[:, 0] - left, right - line[:, 0], line[:, 1] - top, bottom - line[:, 1]]).max()
        assert depth < 1.5, f"a line passes through the area {left, top, right, bottom}"


@pytest.mark.parametrize("kind", EXAMPLES)
def test_nothing_lies_over_anything_else(kind):
    drawing = drawn(lambda: EXAMPLES[kind](alt="x"))
    check_geometry(drawing)
    if "input" not in kind and "neuron" not in kind:
        check_arrows(drawing)


@pytest.mark.parametrize("kind", EXAMPLES)
def test_text_on_a_phone_measures_11_pixels(kind):
    drawing = drawn(lambda: EXAMPLES[kind](alt="x"))
    shown = int(re.search(r'width="(\d+)"', drawing.page)[1])
    assert abs(shown - drawing.width) <= 1
    assert min(drawing.sizes) * min(1, diagrams.PHONE / shown) >= 11


@pytest.mark.parametrize("kind", EXAMPLES)
def test_a_diagram_is_a_figure_like_any_other(kind):
    page = drawn(lambda: EXAMPLES[kind](alt="a <b>", caption="the message", name="here")).page
    assert page.startswith('<figure class="nn-figure" id="fig-here" data-kind="diagram"><img alt="a &lt;b&gt;" src="data:image/svg+xml;base64,')
    assert "<figcaption>the message</figcaption>" in page
    drawing = base64.b64decode(re.search(r"base64,([^\"]+)", page)[1]).decode()
    assert not re.search(r"\bid=|black|white", drawing) and set(re.findall(r"#[0-9a-f]{6}", drawing)) <= {plots.INK, plots.COLORS["orange"]}


@pytest.mark.parametrize("kind", EXAMPLES)
def test_a_diagram_without_alt_is_refused(kind):
    with pytest.raises(ValueError, match="alt="):
        EXAMPLES[kind]()


WORD = st.text("abcdefgWMi ×+", min_size=1, max_size=14).map(lambda w: w.strip() or "o")


@st.composite
def graphs(draw):
    "The text of a random graph without circles, and gradients for some of its values."
    n = draw(st.integers(2, 9))
    names = [f"{draw(WORD)}#{i}" for i in range(n)]
    shapes = [draw(st.sampled_from(["", "", " (n, d)", " (64, 784)", " = 3.5"])) for _ in range(n)]
    arrows = [(draw(st.integers(max(0, j - 4), j - 1)), j) for j in range(1, n)]
    arrows += draw(st.lists(st.tuples(st.integers(0, n - 2), st.integers(1, n - 1)).map(sorted).filter(lambda p: p[0] < p[1]), max_size=4))
    gradients = {name: draw(st.sampled_from([1, "∂L/∂W (4, 3)"])) for name, shape in zip(names, shapes) if shape and draw(st.booleans())}
    return "; ".join(f"{names[i]}{shapes[i]} -> {names[j]}{shapes[j]}" for i, j in arrows), gradients


@settings(max_examples=60, deadline=None)
@given(graphs())
def test_nothing_lies_over_anything_else_in_any_graph(graph):
    text, gradients = graph
    try:
        drawing = drawn(lambda: backward(text, gradients, alt="x") if gradients else diagram(text, alt="x"))
    except ValueError as error:
        assert "pixels wide" in str(error)
        return
    check_geometry(drawing)
    check_arrows(drawing)


@settings(max_examples=25, deadline=None)
@given(st.lists(WORD, min_size=2, max_size=12))
def test_a_chain_is_a_straight_line(words):
    drawing = drawn(lambda: diagram(" -> ".join(f"{w}#{i}" for i, w in enumerate(words)), alt="x"))
    check_geometry(drawing)
    assert len(drawing.boxes) == len(words) and len(drawing.tips) == len(words) - 1
    assert np.ptp(np.array(drawing.tips), axis=0).min() < 1e-6


def test_every_box_and_every_arrow_is_there():
    drawing = drawn(lambda: diagram(HEAD, alt="x"))
    assert {text for text, *_ in drawing.texts} == {"q (d)", "K (m, d)", "dot", "scores (m)", "softmax", "p (m)", "V (m)", "mix", "output"}
    assert len(drawing.boxes) == 4 and len(drawing.tips) == 6, "values between two operations lie on their arrow"


def test_a_long_arrow_goes_around_the_boxes_between():
    drawing = drawn(lambda: diagram("x (n) -> norm -> attention -> add -> y (n); x -> add", alt="x"))
    middle = np.mean([box[:2] + box[2:] for box in drawing.boxes], axis=0)
    far = max(np.abs(line[:, 0] - (middle[0] + middle[2]) / 2).max() for line in drawing.lines)
    assert far > max(box[2] - box[0] for box in drawing.boxes) / 2
    check_arrows(drawing)


def test_gradients_return_beside_what_has_one():
    drawing = drawn(lambda: backward("x (3) -> mul; y (3) -> mul; mul -> L = 2", {"L": 1, "x": 0.123456}, alt="x"))
    page = base64.b64decode(re.search(r"base64,([^\"]+)", drawing.page)[1]).decode()
    assert page.count("stroke-dasharray") == 2, "from L and to x; y is a constant"
    assert len(drawing.tips) == 5 and {"1", "0.123"} <= {text for text, *_ in drawing.texts}


def test_text_is_measured_wider_than_the_page_sets_it():
    from font_source_sans_pro import SourceSansPro
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    for text in ("scores (m)", "softmax", "W1, b1 (64, 784)", "∂L/∂W (4, 3)", "mmmm", "MLP"):
        on_page = text_to_path.get_text_width_height_descent(text.replace("∂", "d"), FontProperties(fname=SourceSansPro, size=diagrams.SIZE), False)[0]
        assert on_page * 1.08 < diagrams._width(text)


@pytest.mark.parametrize(("text", "message"), [
    ("", "an empty one"),
    (" ; ", "an empty one"),
    ("x", "cannot read 'x'"),
    ("x -> -> y", "cannot read 'x -> -> y'"),
    ("a -> b; x (3 -> y", r"cannot read 'x \(3 -> y'"),
    ("x → y", "cannot read 'x → y'"),
    ("x (3) -> f -> y; x (4) -> g", r"'x \(3\)' and 'x \(4\)'"),
    ("a -> b -> a", "'a', 'b' lie on or behind a circle"),
    ("a -> a", "'a' lie on or behind a circle"),
    ("a" * 60 + " -> b", "pixels wide, and 430 are legible"),
])
def test_a_text_that_cannot_be_drawn_says_why(text, message):
    with pytest.raises(ValueError, match=message):
        diagram(text, alt="x")


def test_other_errors_say_what_was_expected():
    with pytest.raises(ValueError, match="'z'.*its names are .*'x', 'f', 'y'"):
        backward("x (3) -> f -> y (3)", {"z": 1}, alt="x")
    with pytest.raises(ValueError, match="draw a diagram"):
        backward("x (3) -> f -> y (3)", {}, alt="x")
    with pytest.raises(ValueError, match="2 inputs and 1 weights"):
        neuron(["a", "b"], ["w"], alt="x")
    with pytest.raises(ValueError, match="at least two sizes"):
        network([3], alt="x")
    with pytest.raises(ValueError, match="pixels wide"):
        network([1000] * 8, alt="x")
