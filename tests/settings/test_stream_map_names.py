"""Stream maps find their streams although Meltano splits names at dots."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_gainsight.settings.environment import join_stream_maps

MAP = {"Name": "name.upper()", "__key_properties__": ["Name"], "__else__": "__NULL__"}
PARTS = st.text("abc_-", min_size=1, max_size=4)
NAMES = st.lists(PARTS, min_size=1, max_size=3).map(".".join)


@pytest.mark.parametrize(
    ("split", "joined"),
    [
        ({"accounts": MAP}, {"accounts": MAP}),
        ({"crm": {"accounts": MAP}}, {"crm.accounts": MAP}),
        ({"crm": {"eu": {"accounts": MAP}}}, {"crm.eu.accounts": MAP}),
        (
            {"crm": {"accounts": MAP, "notes": "__NULL__"}, "__else__": "__NULL__"},
            {"crm.accounts": MAP, "crm.notes": "__NULL__", "__else__": "__NULL__"},
        ),
        ({"crm": {"accounts": "__NULL__"}}, {"crm": {"accounts": "__NULL__"}}),
        ({"accounts": None, "empty": {}}, {"accounts": None, "empty": {}}),
    ],
)
def test_names_are_joined_as_far_as_they_were_split(
    split: dict[str, Any], joined: dict[str, Any]
) -> None:
    assert join_stream_maps(split) == joined
    assert join_stream_maps(joined) == joined


@given(st.sets(NAMES, min_size=1, max_size=4))
def test_names_split_by_meltano_are_joined(names: set[str]) -> None:
    if any(other.startswith(f"{name}.") for name in names for other in names):
        return  # ambiguous: a name that begins with another name
    split: dict[str, Any] = {}
    for name in names:
        *outer, last = name.split(".")
        inner = split
        for part in outer:
            inner = inner.setdefault(part, {})
        inner[last] = MAP
    assert join_stream_maps(split) == dict.fromkeys(names, MAP)
