"""JSON with `Decimal` for fractions both ways: what a tap read as `0.1` arrives as `0.1`."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TypeAlias, cast

import msgspec
import simplejson

Json: TypeAlias = "bool | int | float | Decimal | str | Sequence[Json] | Mapping[str, Json] | None"
Record: TypeAlias = Mapping[str, Json]

_decode = msgspec.json.Decoder(float_hook=Decimal).decode
"""Several times as fast as simplejson, which decodes what this one refuses."""


def encode(value: Json) -> bytes:
    """Encode a request body; ValueError for NaN, TypeError for what JSON lacks."""
    text: str = simplejson.dumps(value, use_decimal=True, allow_nan=False, separators=(",", ":"))
    return text.encode("ascii")


def decode(body: bytes) -> Json:
    """Decode a response body; ValueError if it is not JSON."""
    try:
        return cast("Json", _decode(body))
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return cast("Json", simplejson.loads(body, use_decimal=True))


def as_mapping(value: Json) -> Record:
    """Return the value if it is a JSON object, else an empty one."""
    return value if isinstance(value, Mapping) else {}


def as_mappings(value: Json) -> tuple[Record, ...]:
    """Return the JSON objects in a list, without anything else in it."""
    items = value if isinstance(value, list) else ()
    return tuple([item for item in items if isinstance(item, dict)])


def object_list(value: Json) -> tuple[Record, ...] | None:
    """Return a list that holds only JSON objects, an empty one for null, else None."""
    mappings = as_mappings(value)
    is_whole = value is None or (isinstance(value, list) and len(mappings) == len(value))
    return mappings if is_whole else None


def as_text(value: Json) -> str | None:
    """Return the value if it is a text that is not empty."""
    return value if isinstance(value, str) and value else None
