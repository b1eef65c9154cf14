"""The book's pictures, drawn by code: `python -m tools.cover` writes the cover and the favicon.

Both print the decision of a small network as a halftone: a dot for each point of the plane, in the color of the class
the network gives it, as large as the network is sure. Where it cannot decide the paper shows: the boundary.
"""

import math
from collections import defaultdict
from pathlib import Path

THEME = Path(__file__).parent / "theme"
BLUE, ORANGE = "#3f88c5", "#d9731a"
UNITS = [(1.8, 0.9, 1.6, 1.1), (1.8, -0.7, 0.1, -1.3), (1.6, 1.1, -1.7, 1.2), (0.2, 1.5, 0.0, 0.5)]  # two weights and a bias; the weight of the output


def network(x: float, y: float) -> float:
    "Two inputs, four tanh units, one output from -1 to 1."
    return math.tanh(sum(v * math.tanh(w1 * x + w2 * y + b) for w1, w2, b, v in UNITS))


def halftone(width: int, height: int, step: float, decide, scale: float, levels: int = 12) -> str:
    "An SVG of dots on a hexagonal grid; `decide(x, y)` in [-1, 1] gives their color and size. One path for each color and size."
    paths = defaultdict(list)
    row = step * math.sqrt(0.75)
    for j in range(round(height / row)):
        for i in range(round(width / step)):
            x, y = step * (i + 0.25 + 0.5 * (j % 2)), row * (j + 0.5)
            out = decide((x - width / 2) / scale, (y - height / 2) / scale)
            if size := round(levels * abs(out) ** 0.8):
                paths[BLUE if out > 0 else ORANGE, size].append(f"M{x:.0f} {y:.0f}h0" if step > 10 else f"M{x:.1f} {y:.1f}h0")
    drawn = "".join(f'<path stroke="{color}" stroke-width="{0.84 * step * size / levels:.1f}" d="{"".join(d)}"/>' for (color, size), d in sorted(paths.items()))
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" fill="none" stroke-linecap="round">{drawn}</svg>\n'


if __name__ == "__main__":
    (THEME / "cover.svg").write_text(halftone(960, 300, 18, network, 210), encoding="utf-8")
    (THEME / "favicon.svg").write_text(halftone(32, 32, 8, lambda x, y: math.tanh(1.3 * (x + 0.5 * y + 0.2)), 9, 6), encoding="utf-8")
