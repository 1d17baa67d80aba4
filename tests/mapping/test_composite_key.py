"""Several key values become one identifier."""

from __future__ import annotations

from datetime import datetime, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_gainsight.mapping.types.strings import join_keys

texts = st.text(st.sampled_from("ab|\\"), min_size=1)


@pytest.mark.parametrize(
    ("values", "joined"),
    [
        (["r-1"], "r-1"),
        (["a|b"], "a|b"),
        ([7], "7"),
        ([Decimal("1.50")], "1.50"),
        (["a", "b"], "a|b"),
        (["a|", "b\\"], "a\\||b\\\\"),
        ([datetime(2026, 2, 1, tzinfo=timezone.utc)], "2026-02-01T00:00:00.000+00:00"),
        (["a", None], None),
        (["", "b"], None),
        (["\ud800"], None),
    ],
)
def test_key_values_are_joined(values: list[Any], joined: str | None) -> None:
    names = [f"k{number}" for number in range(len(values))]
    assert join_keys(dict(zip(names, values, strict=True)), names) == joined


@given(st.tuples(texts, texts), st.tuples(texts, texts))
def test_different_keys_have_different_identifiers(
    one: tuple[str, str], other: tuple[str, str]
) -> None:
    names = ("x", "y")
    joined = [join_keys(dict(zip(names, each, strict=True)), names) for each in (one, other)]
    assert (joined[0] == joined[1]) == (one == other)
