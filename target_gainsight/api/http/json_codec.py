"""JSON as it goes over the wire, and the types it has on our side.

Numbers with a fraction are `Decimal` both ways: what a tap read as `0.1` arrives as `0.1`.
Knows nothing of what the JSON means.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TypeAlias, cast

import msgspec
import simplejson

Json: TypeAlias = "bool | int | float | Decimal | str | Sequence[Json] | Mapping[str, Json] | None"
Record: TypeAlias = Mapping[str, Json]

_decode = msgspec.json.Decoder(float_hook=Decimal).decode
"""Several times as fast as simplejson, which is asked about what this refuses."""


def encode(value: Json) -> bytes:
    """A request body.

    Raises:
        ValueError: not a number (NaN, Infinity), which JSON does not have.
        TypeError: a value of a type that JSON does not have, such as a date.
    """
    text: str = simplejson.dumps(
        value, use_decimal=True, allow_nan=False, default=_plain, separators=(",", ":")
    )
    return text.encode("ascii")


def decode(body: bytes) -> Json:
    """What an answer's body says.

    Raises:
        ValueError: the body is not JSON.
    """
    try:
        return cast("Json", _decode(body))
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return cast("Json", simplejson.loads(body, use_decimal=True))


def as_mapping(value: Json) -> Record:
    """The value if it is a JSON object, else an empty one."""
    return value if isinstance(value, Mapping) else {}


def as_mappings(value: Json) -> tuple[Record, ...]:
    """The JSON objects of a list; anything else in it is left out."""
    if not isinstance(value, list):
        return ()
    return tuple([item for item in value if item.__class__ is dict or isinstance(item, Mapping)])


def is_list_of_mappings(value: Json) -> bool:
    """Whether it is null, or a list of nothing but JSON objects."""
    if value is None:
        return True
    return isinstance(value, list) and all(isinstance(item, dict) for item in value)


def as_text(value: Json) -> str | None:
    """The value if it is text that says something."""
    return value if isinstance(value, str) and value else None


def _plain(value: object) -> dict[str, Json]:
    if isinstance(value, Mapping):
        return dict(value)
    message = f"a value of type {type(value).__name__} has no form in JSON"
    raise TypeError(message)
