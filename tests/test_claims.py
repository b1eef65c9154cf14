"A claim prints its sentence with the value, and raises when it is false."

import numpy as np
import pytest

from nnbook.claims import ClaimError, claim


@pytest.mark.parametrize(("sentence", "value", "op", "bound", "printed"), [
    ("the ratio is {}, large", 12.34567, ">", 10, "the ratio is 12.35, large (> 10)"),
    ("{:.1%} of {{them}} are read", 0.9512, ">", 0.95, "95.1% of {them} are read (> 95.0%)"),
    ("it has {} weights", 50890, "==", 50890, "it has 50,890 weights (= 50,890)"),
    ("it falls by {}", -0.5, "<", -0.25, "it falls by \u22120.5 (< \u22120.25)"),
    ("rate {}", 512441.0, ">=", 1e-9, "rate 512,400 (≥ 1e-09)"),
])
def test_a_true_claim_prints_the_sentence_with_the_value_in_its_place_and_the_bound(sentence, value, op, bound, printed, capsys):
    claim(sentence, value, op, bound)
    assert capsys.readouterr().out == f"✓ {printed}\n"


@pytest.mark.parametrize("sentence", ["no place for a number", "two {} places {}", "a {name}", "{0}"])
def test_a_sentence_has_one_place_for_its_number(sentence):
    with pytest.raises(ValueError, match="one {}"):
        claim(sentence, 2, ">", 1)


@pytest.mark.parametrize(("value", "op", "bound"), [(1, ">", 1), (1, "<", 1), (2, "<=", 1), (0, ">=", 1), (1, "!=", 1), (1, "==", 2), (float("nan"), "<", 1), (1, ">", float("nan")), (float("nan"), "!=", 1)])
def test_a_false_claim_raises_and_prints_nothing(value, op, bound, capsys):
    with pytest.raises(ClaimError, match="not so: it is .* big"):
        claim("it is {} big", value, op, bound)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("value", [np.float32(0.5), np.array([0.5]), np.int64(0), True, 0.5])
def test_numbers_of_any_kind_count(value):
    claim("{} is below two", value, "<", 2)


@pytest.mark.parametrize("value", [np.arange(3), "0.5", None, 1j, [0.5]])
def test_what_is_not_one_number_is_a_type_error(value):
    with pytest.raises(TypeError, match="one real number"):
        claim("{} is below two", value, "<", 2)


def test_an_unknown_comparison_is_a_value_error():
    with pytest.raises(ValueError, match="one of <, <="):
        claim("{} is about two", 2, "~", 2)
