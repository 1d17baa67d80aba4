"""Salesforce ids: 15 characters, or the same 15 and a checksum of their case."""

from __future__ import annotations

import re

from target_gainsight.api.http.json_codec import Json

SFDC_ID = re.compile(r"[0-9A-Za-z]{15}(?:[0-9A-Za-z]{3})?")
_SHORT_SFDC_ID = 15
_SFDC_CHECKSUM = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
"""Each of the last three characters encodes which of five are upper case, as five bits."""


def comparable_sfdc_id(value: Json) -> str | None:
    """Return the 15-character form of a Salesforce id, whose case counts.

    An id of 18 characters is the same id in any case: its last three restore the case of the
    others.
    """
    if not isinstance(value, str):
        return None
    checksum = value[_SHORT_SFDC_ID:].upper()
    is_long = bool(checksum and SFDC_ID.fullmatch(value))
    if not is_long or any(each not in _SFDC_CHECKSUM for each in checksum):
        return value
    upper = [bool(_SFDC_CHECKSUM.index(each) >> bit & 1) for each in checksum for bit in range(5)]
    short = "".join(
        each.upper() if is_upper else each.lower()
        for each, is_upper in zip(value, upper, strict=False)
    )
    return short if _sfdc_checksum(short) == checksum else value


def sfdc_id_forms(value: Json) -> tuple[Json, ...]:
    """Return the forms in which a tenant may hold a Salesforce id: as given, short, and long."""
    short = comparable_sfdc_id(value)
    if short is None or len(short) != _SHORT_SFDC_ID or not SFDC_ID.fullmatch(short):
        return (value,)
    return tuple(dict.fromkeys((value, short, short + _sfdc_checksum(short))))


def _sfdc_checksum(short: str) -> str:
    parts = (short[start : start + 5] for start in range(0, len(short), 5))
    return "".join(
        _SFDC_CHECKSUM[sum(each.isupper() << place for place, each in enumerate(part))]
        for part in parts
    )
