"A claim prints its sentence with the value, and raises when it is false."

import numpy as np
import pytest

from nnbook.claims import ClaimError, claim


def test_a_true_claim_prints_sentence_value_and_bound(capsys):
    claim("the ratio is large", 12.34567, ">", 10)
    assert capsys.readouterr().out == "✓ the ratio is large: 12.35 (> 10)\n"


@pytest.mark.parametrize(("value", "op", "bound"), [(1, ">", 1), (1, "<", 1), (2, "<=", 1), (0, ">=", 1), (1, "!=", 1), (1, "==", 2), (float("nan"), "<", 1), (1, ">", float("nan")), (float("nan"), "!=", 1)])
def test_a_false_claim_raises_and_prints_nothing(value, op, bound, capsys):
    with pytest.raises(ClaimError, match="not so: it is"):
        claim("it is", value, op, bound)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("value", [np.float32(0.5), np.array([0.5]), np.int64(0), True, 0.5])
def test_numbers_of_any_kind_count(value):
    claim("it is below two", value, "<", 2)


@pytest.mark.parametrize("value", [np.arange(3), "0.5", None, 1j, [0.5]])
def test_what_is_not_one_number_is_a_type_error(value):
    with pytest.raises(TypeError, match="one real number"):
        claim("it is below two", value, "<", 2)


def test_an_unknown_comparison_is_a_value_error():
    with pytest.raises(ValueError, match="one of <, <="):
        claim("it is about two", 2, "~", 2)
