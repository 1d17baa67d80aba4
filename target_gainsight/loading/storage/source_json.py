"""JSON as sources write it, read and written without changing a value.

NaN and infinity, which JSON does not know and Python's taps write, stay what they are: a reject
that was written with null in their place would clear a field when it is replayed. Whole numbers
of any length are read: Python refuses to make an int of a very long one.
"""

import json
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import simplejson


def read_json(text: str | bytes) -> Any:  # noqa: ANN401 - whatever the source wrote
    """Read one JSON value, or raise ValueError or RecursionError; fractions become Decimals."""
    return json.loads(text, parse_float=_decimal, parse_int=_integer)


def read_json_lines(path: Path) -> Iterator[tuple[bytes, dict[str, Any]]]:
    """Read the whole lines of a file that are JSON objects; a missing file has none.

    An incomplete last line, of a file that is still being written, is left out.
    """
    with suppress(FileNotFoundError), path.open("rb") as file:
        for line in file:
            try:
                value = read_json(line) if line.endswith(b"\n") else None
            except (RecursionError, ValueError):
                continue
            if isinstance(value, dict):
                yield line, value


def write_json(value: object) -> str:
    """Write one value on one line of ASCII."""
    separators = (",", ":")
    return str(simplejson.dumps(value, default=str, separators=separators, allow_nan=True))


def utc_time(seconds: float, precision: str = "auto") -> str:
    """Return a time in epoch seconds as ISO text, down to such as `minutes` or `seconds`."""
    return datetime.fromtimestamp(seconds, tz=timezone.utc).isoformat(timespec=precision)


def _decimal(text: str) -> Decimal:
    try:
        return Decimal(text)
    except ArithmeticError:
        message = "a number is out of range"
        raise ValueError(message) from None


def _integer(text: str) -> int | Decimal:
    try:
        return int(text)
    except ValueError:
        return Decimal(text)
