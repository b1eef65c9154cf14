"Wrong calls of the library: each argument in turn replaced by junk. What comes is a result, or one error in the library's own words."

import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

JUNK = {"None": None, "text": "a", "object": object(), "complex": 1j, "texts": np.array(["a", "b"]), "objects": np.array([None, None]), "list of None": [None], "fraction": 1.5, "negative": -3,
        "NaN": float("nan"), "infinite": float("inf"), "huge": 2**70, "empty list": [], "pair": (0, 0), "dict": {}, "type": int, "shape (5, 7)": np.ones((5, 7), np.float32), "no axes": np.float32(2),
        "length 0": np.ones((0, 3), np.float32), "integers": np.ones((4, 3), int), "ragged": [[1, 2], [3]]}


def in_our_words(error: Exception) -> bool:
    "Whether the error was raised by a `raise` of the library, and not by NumPy or Python on its way through."
    last = traceback.extract_tb(error.__traceback__)[-1]
    return Path(last.filename).parent.name == "nnbook" and "raise" in last.line and len(str(error)) > 20


def foreign(call: Callable, *args) -> str:
    "What came, when it was an error in other words than ours."
    try: call(*args)
    except Exception as error: return "" if in_our_words(error) else f"{type(error).__name__}: {error}"
    return ""


def replaced(args: tuple, junk: dict) -> Iterator[tuple[str, tuple]]:
    for i in range(len(args)):
        for name, value in junk.items(): yield f"argument {i}: {name}", (*args[:i], value, *args[i + 1:])


def complaints(make: Callable, args: Callable, inputs: Callable | None, junk: dict) -> dict[str, str]:
    "Errors in other words than ours from make(*args()) with junk in it, and, if it makes a layer of `inputs()`, from calling that one."
    found = {what: foreign(make, *wrong) for what, wrong in replaced(args(), junk)}
    if inputs:
        make(*args())(inputs())                                          # the right call passes
        found |= {f"called with {what}": foreign(make(*args()), *wrong) for what, wrong in replaced((inputs(),), junk)}
        found |= {f"called, after {what}": foreign(lambda wrong=wrong: make(*wrong)(inputs())) for what, wrong in replaced(args(), junk)}
    else:
        make(*args())
    return {what: error for what, error in found.items() if error}
