"""Stream maps as they were written, after Meltano has split the names of streams at their dots.

What the maps mean is the SDK's business.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


def join_stream_names(maps: Mapping[str, Any]) -> dict[str, Any]:
    """Join the names of streams that were split: ``{crm: {accounts: {…}}}`` is ``crm.accounts``.

    A stream's own map holds texts, lists and nulls, never an object: so an object that holds one
    is a part of a name. Of ``{crm: {accounts: __NULL__}}`` it cannot be told whether it leaves out
    the stream ``crm.accounts`` or the property ``accounts`` of ``crm``; it is left as it is.

    Args:
        maps: The setting ``stream_maps``.

    Returns:
        The same maps by full stream names.
    """
    joined: dict[str, Any] = {}
    for name, value in maps.items():
        if _is_part_of_a_name(value):
            joined |= {f"{name}.{rest}": each for rest, each in join_stream_names(value).items()}
        else:
            joined[name] = value
    return joined


def _is_part_of_a_name(value: object) -> bool:
    return isinstance(value, dict) and any(isinstance(each, dict) for each in value.values())
