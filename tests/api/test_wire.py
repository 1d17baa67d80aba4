"""Values of a tap arrive unchanged."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from target_gainsight.api.http.json_codec import decode, encode


@pytest.mark.parametrize("number", ["0.1", "1.10", "12345678901234567.89", "-3"])
def test_numbers_keep_every_digit(number: str) -> None:
    assert encode([Decimal(number)]) == f"[{number}]".encode()
    assert str(decode(f"[{number}]".encode())[0]) == number


def test_any_text_can_be_sent() -> None:
    texts = ["Grüße, 世界 🚀", "line\nend", "\ud800 half of a pair"]
    assert decode(encode(texts)) == texts


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_nan_and_infinity_are_refused(number: float) -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        encode([number])


def test_value_without_json_form_is_refused() -> None:
    with pytest.raises(TypeError, match="not JSON serializable"):
        encode([date(2026, 1, 1)])  # type: ignore[list-item]
