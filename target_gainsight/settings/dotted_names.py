"""Names with dots, which Meltano splits into nested objects, joined again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from target_gainsight.settings.table import ENTRY_SETTINGS


def join_columns(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Join column names: in ``{address: {city: City__gc}}`` every object is a part of a name."""
    return _join(raw, lambda _: True)


def join_stream_maps(maps: Mapping[str, Any]) -> dict[str, Any]:
    """Join stream names: ``{crm: {accounts: {…}}}`` is ``crm.accounts``.

    A stream's own map holds text, lists and nulls, never an object: an object that holds one is a
    part of a name. ``{crm: {accounts: __NULL__}}`` may leave out the stream ``crm.accounts`` or the
    property ``accounts`` of ``crm``; it is left as it is.
    """
    return _join(maps, lambda value: any(isinstance(each, dict) for each in value.values()))


def join_streams(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Join the stream names in ``streams``."""
    return _join(raw, _holds_entries)


def _holds_entries(value: Mapping[str, Any]) -> bool:
    inner = list(value.values())
    if not inner or not all(isinstance(each, dict) for each in inner):
        return False
    if set(value).intersection(ENTRY_SETTINGS):
        return any(each and _is_entry(each) for each in inner)
    return all(_is_entry(each) or _holds_entries(each) for each in inner)


def _is_entry(value: Mapping[str, Any]) -> bool:
    return not value or bool(set(value).intersection(ENTRY_SETTINGS))


def _join(raw: Mapping[str, Any], is_part: Callable[[Mapping[str, Any]], bool]) -> dict[str, Any]:
    joined: dict[str, Any] = {}
    for name, value in raw.items():
        if isinstance(value, dict) and is_part(value):
            joined |= {f"{name}.{rest}": each for rest, each in _join(value, is_part).items()}
        else:
            joined[name] = value
    return joined
