"""Whether a record and a row surely hold the same, told from their bytes.

Most rows of a full refresh are unchanged. Equal bytes prove it at a fraction of the cost of
comparing field by field; other bytes prove nothing, and then the fields are compared.
"""

from __future__ import annotations

import math
from decimal import MAX_EMAX, MAX_PREC, MIN_EMIN, Context, Decimal
from functools import lru_cache
from operator import itemgetter
from typing import TYPE_CHECKING, cast

import msgspec
import simplejson

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from target_gainsight.api.wire import Json
    from target_gainsight.mapping.values import Converter

_EXACT = Context(prec=MAX_PREC, Emax=MAX_EMAX, Emin=MIN_EMIN)
_LONGEST_WHOLE = 18
_MOST_NUMBERS_REMEMBERED = 4096
_NOT_ENCODED = (msgspec.MsgspecError, ValueError, TypeError, OverflowError)
_encode = msgspec.json.Encoder(decimal_format="number").encode


class Likeness:
    """Makes the bytes of records and of rows for some fields.

    Args:
        names: The fields.
        converters: Field to how its values are written and read; the values of one that is not
            among them are read as they are written.
    """

    def __init__(self, names: Sequence[str], converters: Mapping[str, Converter]) -> None:
        self.names = tuple(dict.fromkeys(names))
        self._values = _getter(self.names)
        known = ((place, converters.get(name)) for place, name in enumerate(self.names))
        as_read = ((place, converter.as_read) for place, converter in known if converter)
        self._as_read = tuple((place, read) for place, read in as_read if read is not None)

    def of_row(self, row: Mapping[str, Json]) -> bytes:
        """The bytes of a row as a query answers it: a JSON list in the fields' order."""
        try:
            values = self._values(row)
        except KeyError:
            values = [row.get(name) for name in self.names]
        try:
            return _encode(_all_normal(values))
        except _NOT_ENCODED:
            text: str = simplejson.dumps(values, use_decimal=True, allow_nan=True)
            return text.encode("ascii")

    def of_record(self, record: Mapping[str, Json]) -> bytes | None:
        """The bytes of the row that would hold a written record; None where they are in doubt."""
        try:
            values = list(self._values(record))
            for place, read in self._as_read:
                values[place] = read(values[place])
            return _encode(_all_normal(values))
        except (KeyError, *_NOT_ENCODED):
            return None


def _getter(names: tuple[str, ...]) -> Callable[[Mapping[str, Json]], Sequence[Json]]:
    if len(names) == 1:
        return lambda values: (values[names[0]],)
    return cast("Callable[[Mapping[str, Json]], Sequence[Json]]", itemgetter(*names))


def _all_normal(values: Sequence[Json]) -> list[Json]:
    return [
        value
        if value is None or value.__class__ is int or (value.__class__ is str and value)
        else _normal(value)
        for value in values
    ]


def _normal(value: Json) -> Json:
    """One form for what a tenant holds for the same: null and empty text, 5 and 5.0."""
    if value.__class__ is Decimal:
        return _normal_number(value)
    if value == "":
        return None
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(value)  # it would be written as null
    return value


@lru_cache(_MOST_NUMBERS_REMEMBERED)
def _normal_number(value: Decimal) -> int | Decimal:
    if not value.is_finite():
        raise ValueError(value)
    exact = value.normalize(_EXACT)
    whole = exact == exact.to_integral_value() and exact.adjusted() < _LONGEST_WHOLE
    return int(exact) if whole else exact
