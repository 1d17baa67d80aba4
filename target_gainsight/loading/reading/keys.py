"""The lookup keys of records and rows, in a form in which they compare as Gainsight stores them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from target_gainsight.loading.references import Key, KeyFields
from target_gainsight.mapping.record_mapper import RecordMapper
from target_gainsight.mapping.types.spellings import is_blank, usual_spellings

KeyValues = tuple[Any, ...]
"""A value of each lookup key, as a query carries it."""


@dataclass(frozen=True)
class KeyReader(KeyFields):
    """Reads the key of a record that is written, and of a row that was read.

    Its names are the 1 to 3 lookup keys; there are none for streams that are only inserted.
    """

    @classmethod
    def of(cls, names: tuple[str, ...], mapper: RecordMapper) -> KeyReader:
        """Take the converters of the fields from the stream's mapper."""
        return cls(names, tuple(mapper.converters[name] for name in names))

    def of_record(self, fields: Mapping[str, Any]) -> Key:
        """Read the key of a record's written fields."""
        columns = zip(self.names, self.converters, strict=True)
        return tuple([each.comparable(fields.get(name)) for name, each in columns])

    def equal_values(self, fields: Mapping[str, Any]) -> list[KeyValues]:
        """List the values that find the rows with a record's key.

        Text is queried without its blanks, too: a tenant may strip them.

        Returns:
            The values; none if one of the keys is missing.
        """
        columns = []
        for name, converter in zip(self.names, self.converters, strict=True):
            value = fields.get(name)
            if is_blank(value):
                return []
            trimmed = value.strip() if isinstance(value, str) else value
            columns.append(tuple(dict.fromkeys((*converter.forms(value), trimmed))))
        return _combine(columns)

    def near_values(self, fields: Mapping[str, Any]) -> list[KeyValues]:
        """List the values that find rows whose keys are usual spellings of a record's.

        Returns:
            The values; none if no key has another spelling.
        """
        columns: list[tuple[Any, ...]] = []
        for name, converter in zip(self.names, self.converters, strict=True):
            value = fields.get(name)
            is_typed = converter.field is not None and bool(converter.field.data_type)
            if (
                isinstance(value, str)
                and converter.is_free_text
                and (is_typed or any(map(str.isalpha, value)))  # untyped digits may be a number
            ):
                columns.append(usual_spellings(value))
            else:
                columns.append((value,))
        return _combine(columns) if any(len(column) > 1 for column in columns) else []


class AskedKeys:
    """The keys of a query, column by column, as it joins its conditions; in any spelling."""

    def __init__(self, fields: KeyFields, keys: Iterable[Key]) -> None:
        self._fields = fields
        self._columns = tuple(map(frozenset, zip(*map(fields.normalize, keys), strict=True)))

    def may_include(self, row: Mapping[str, Any]) -> bool:
        """Return whether a row's key was asked for."""
        key = self._fields.normalize(self._fields.of_row(row))
        return all(part in asked for part, asked in zip(key, self._columns, strict=True))


def _combine(columns: Sequence[Sequence[Any]]) -> list[KeyValues]:
    """Combine the values of several fields into rows; a query finds every combination of them."""
    longest = max(map(len, columns), default=0)
    return [
        tuple(column[min(place, len(column) - 1)] for column in columns) for place in range(longest)
    ]
