"""Whether a record and a row surely hold the same, told from their bytes.

Most rows of a full refresh are unchanged. Equal bytes prove it at a fraction of the cost of
comparing field by field; other bytes prove nothing, and then the fields are compared.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import simplejson

from target_gainsight.mapping.inlining import Inline, compile_values

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from target_gainsight.api.http.json_codec import Json
    from target_gainsight.mapping.types.converters import Converter

_AS_IT_IS = Inline("v", {})
_NOT_ENCODED = (msgspec.MsgspecError, ValueError, TypeError, OverflowError)
_encode = msgspec.json.Encoder(decimal_format="number").encode


class Likeness:
    """Makes the bytes of records and of rows for some fields.

    Args:
        names: The fields.
        converters: Field to its one normal form; values of one that is not among them, such as
            those of a lookup, are taken as they are.
    """

    def __init__(self, names: Sequence[str], converters: Mapping[str, Converter]) -> None:
        self.names = tuple(dict.fromkeys(names))
        self._nothing: Mapping[str, Json] = dict.fromkeys(self.names)
        self._normal = compile_values(
            [
                (name, converters[name].normal if name in converters else _AS_IT_IS)
                for name in self.names
            ]
        )

    def of_row(self, row: Mapping[str, Json]) -> bytes:
        """The bytes of a row as a query answers it: a JSON list in the fields' order."""
        try:
            return self._bytes(row)
        except KeyError:
            return self.of_row({**self._nothing, **row})
        except _NOT_ENCODED:
            values = [row[name] for name in self.names]
            text: str = simplejson.dumps(values, use_decimal=True, allow_nan=True)
            return text.encode("ascii")

    def of_record(self, record: Mapping[str, Json]) -> bytes | None:
        """The bytes of the row that would hold a written record; None where they are in doubt."""
        try:
            return self._bytes(record)
        except (KeyError, *_NOT_ENCODED):
            return None

    def _bytes(self, values: Mapping[str, Json]) -> bytes:
        normal = self._normal(values)
        made = _encode(normal)
        if b'""' in made:  # a tenant may hold null or empty text for the same
            made = _encode([None if value == "" else value for value in normal])
        return made
