import math

from nnbook.exercises import borrowed, check, checker, expect, grade


@checker("mine.1")
def _(double):
    expect(double(3), 6, "three, doubled")


check("mine.1", lambda x: 2 * x)
assert grade("mine.1", lambda x: x + 2).status == "failed"
assert grade("mine.1", ...).status == "untouched"
assert borrowed(lambda x: math.sqrt(x), modules=["math"]) == {"math"}
