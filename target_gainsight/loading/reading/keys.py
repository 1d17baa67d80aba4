"""The lookup keys of records and rows, in a form in which they compare as Gainsight stores them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping

    from target_gainsight.mapping.record_mapper import RecordMapper

Key = tuple[Any, ...]


class KeyReader:
    """Reads the key of a record that is written, and of a row that was read.

    Args:
        names: The 1 to 3 lookup keys; empty for streams that are only inserted.
        mapper: Knows how each field's values compare.
    """

    def __init__(self, names: tuple[str, ...], mapper: RecordMapper) -> None:
        self.names = names
        converters = [mapper.converters[name] for name in names]
        self._written = [
            (name, converter.written_comparable)
            for name, converter in zip(names, converters, strict=True)
        ]
        self._read = [
            (name, converter.read_comparable)
            for name, converter in zip(names, converters, strict=True)
        ]

    def of_record(self, fields: Mapping[str, Any]) -> Key:
        """Read the key of a record's written fields."""
        return tuple([comparable(fields.get(name)) for name, comparable in self._written])

    def of_row(self, row: Mapping[str, Any]) -> Key:
        """Read the key of a row as a query returns it."""
        return tuple([comparable(row.get(name)) for name, comparable in self._read])


class AskedKeys:
    """The keys that a query asks for, column by column, as a query joins its conditions.

    Args:
        keys: The keys.
    """

    def __init__(self, keys: Iterable[Key]) -> None:
        columns = zip(*(folded(key) for key in keys), strict=True)
        self._columns = tuple(frozenset(column) for column in columns)

    def may_include(self, key: Key) -> bool:
        """Whether a row's key was asked for, whatever its case and surrounding blanks."""
        parts = zip(folded(key), self._columns, strict=True)
        return all(part in asked for part, asked in parts)


def folded(key: Key) -> tuple[Hashable, ...]:
    """Blur a key, so that keys that differ in case or surrounding blanks only become equal."""
    return tuple([part.strip().casefold() if isinstance(part, str) else part for part in key])
