from nnbook.exercises import check, checker, expect, grade


@checker("mine.1")
def _(double):
    expect(double(3), 6, "three, doubled")


check("mine.1", lambda x: 2 * x)
assert grade("mine.1", lambda x: x + 2).status == "failed"
assert grade("mine.1", ...).status == "untouched"
