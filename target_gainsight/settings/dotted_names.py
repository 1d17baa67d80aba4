"""Names with dots, which Meltano splits into objects within objects, joined again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any


def join_columns(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Join column names: in ``{address: {city: City__gc}}`` every object is a part of a name."""
    return join_names(raw, lambda _: True)


def join_stream_maps(maps: Mapping[str, Any]) -> dict[str, Any]:
    """Join stream names: ``{crm: {accounts: {…}}}`` is ``crm.accounts``.

    A stream's own map holds text, lists and nulls, never an object: an object that holds one is a
    part of a name. ``{crm: {accounts: __NULL__}}`` may leave out the stream ``crm.accounts`` or the
    property ``accounts`` of ``crm``; it is left as it is.
    """
    return join_names(maps, lambda value: any(isinstance(each, dict) for each in value.values()))


def join_names(
    raw: Mapping[str, Any], is_part: Callable[[Mapping[str, Any]], bool]
) -> dict[str, Any]:
    """Join each name with those in its object, if that object is a part of a name."""
    joined: dict[str, Any] = {}
    for name, value in raw.items():
        if isinstance(value, dict) and is_part(value):
            joined |= {f"{name}.{rest}": each for rest, each in join_names(value, is_part).items()}
        else:
            joined[name] = value
    return joined
