"""Lookup keys of records and rows, and references to rows of other objects.

Keys are read in a form in which they compare as Gainsight stores them.
"""

import weakref
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from target_gainsight.api import ObjectSchema
from target_gainsight.loading.storage.temp_database import temp_database
from target_gainsight.mapping.errors import FieldError, RecordRejectedError, display
from target_gainsight.mapping.types.converters import Converter
from target_gainsight.mapping.types.spellings import is_blank, normalize_spelling, usual_spellings

Key = tuple[Any, ...]
"""The comparable values of the lookup keys."""

KeyValues = tuple[Any, ...]
"""A value of each lookup key, as a query carries it."""

TO_BE_CREATED = "(to be created)"

_CREATE_INDEX = "CREATE INDEX IF NOT EXISTS by_spelling ON seen (spelling)"


@dataclass(frozen=True)
class KeyReader:
    """Reads the lookup keys of rows, and of records that are written, of one object."""

    names: tuple[str, ...]
    converters: tuple[Converter, ...] = field(compare=False)

    def read_key(self, row: Mapping[str, Any]) -> Key:
        """Read the key of a row as a query returns it, or of a record's written fields."""
        columns = zip(self.names, self.converters, strict=True)
        return tuple([each.comparable(row.get(name)) for name, each in columns])

    def normalize(self, key: Key) -> Key:
        """Return a key with free texts normalized for case, surrounding blanks, Unicode form."""
        parts = zip(key, self.converters, strict=True)
        return tuple(
            [
                normalize_spelling(part)
                if converter.is_free_text and isinstance(part, str)
                else part
                for part, converter in parts
            ]
        )

    def matcher(self, keys: Sequence[Key]) -> Callable[[Mapping[str, Any]], bool]:
        """Return a function that tells whether a query for these keys may return a row.

        A query combines the values of all fields, so that it may return rows of other keys.
        """
        asked = [frozenset(values) for values in zip(*keys, strict=True)]

        @cache
        def normalized() -> list[frozenset[Any]]:
            return [frozenset(values) for values in zip(*map(self.normalize, keys), strict=True)]

        def may_be_asked_for(row: Mapping[str, Any]) -> bool:
            key = self.read_key(row)
            return _are_in(key, asked) or _are_in(self.normalize(key), normalized())

        return may_be_asked_for

    def equal_values(self, fields: Mapping[str, Any]) -> list[KeyValues]:
        """List the values that find the rows with a record's key; none if one of them is missing.

        Text is queried without its blanks, too: a tenant may strip them.
        """
        columns = []
        for name, converter in zip(self.names, self.converters, strict=True):
            value = fields.get(name)
            if is_blank(value):
                return []
            forms = converter.forms(value)
            trimmed = value.strip() if isinstance(value, str) else value
            columns.append(forms if trimmed in forms else (*forms, trimmed))
        return _combine(columns)

    def near_values(self, fields: Mapping[str, Any]) -> list[KeyValues]:
        """List the usual spellings of a record's key, if it has any."""
        columns: list[tuple[Any, ...]] = []
        for name, converter in zip(self.names, self.converters, strict=True):
            value = fields.get(name)
            is_text = isinstance(value, str) and converter.is_free_text
            is_typed = converter.field is not None and bool(converter.field.data_type)
            # Digits in a field of unknown type may be a number.
            has_spellings = is_text and (is_typed or any(map(str.isalpha, value or "")))
            columns.append(usual_spellings(str(value)) if has_spellings else (value,))
        return _combine(columns) if any(len(column) > 1 for column in columns) else []


def _are_in(key: Key, columns: Iterable[frozenset[Any]]) -> bool:
    return all(part in values for part, values in zip(key, columns, strict=True))


def _combine(columns: Sequence[Sequence[Any]]) -> list[KeyValues]:
    """Combine the values of several fields into rows; a query finds every combination of them."""
    longest = max(map(len, columns), default=0)
    return [
        tuple([column[min(index, len(column) - 1)] for column in columns])
        for index in range(longest)
    ]


@dataclass(frozen=True)
class MatchFields(KeyReader):
    """The fields of one object by which lookups find its rows."""

    object_name: str

    @classmethod
    def of(
        cls, object_name: str, names: tuple[str, ...], schema: ObjectSchema | None
    ) -> "MatchFields":
        """Compile the match fields of an object."""
        fields = [schema.field(name) if schema else None for name in names]
        return cls(names, tuple(map(Converter, names, fields)), object_name.lower())

    def reference(self, values: Sequence[object]) -> "Reference | None":
        """Return the reference of source values; None if one is blank."""
        if any(map(is_blank, values)):
            return None
        pairs = list(zip(self.names, self.converters, values, strict=True))
        for name, _, value in pairs:
            if isinstance(value, (list, dict)):
                message, hint = "a lookup needs a single value", "Choose one in a stream map."
                return FieldError(name, value, "", "unsupported_value", message, hint)
        try:
            written = {name: converter.write(value) for name, converter, value in pairs}
        except RecordRejectedError as error:
            return error.errors[0]
        return LookupKey(self, self.read_key(written), tuple(written.values()))


@dataclass(frozen=True)
class LookupKey:
    """The key of a row that a record refers to, as it compares and as a query carries it."""

    match: MatchFields
    key: Key
    written: tuple[Any, ...] = field(compare=False)

    def __str__(self) -> str:
        pairs = zip(self.match.names, self.written, strict=True)
        return ", ".join(f"{name} = {display(value)}" for name, value in pairs)


class SeenKeys:
    """The keys of one object, as fingerprints of 64 bits, in a temporary database.

    It is indexed when the first key is searched or removed: other runs only add.
    """

    def __init__(self) -> None:
        self._rows = temp_database()
        weakref.finalize(self, self._rows.close)
        self._rows.execute("CREATE TABLE seen (spelling INTEGER, key INTEGER, text TEXT)")
        self._rows.execute("BEGIN")

    def add(self, normalized: Key, key: Key, text: str) -> None:
        """Add a key, its normalized form, and its text for messages."""
        row = (hash(normalized), hash(key), text)
        self._rows.execute("INSERT INTO seen VALUES (?, ?, ?)", row)

    def find_other_spelling(self, normalized: Key, key: Key) -> str | None:
        """Return the text of a key that differs in spelling only, unless the key was added."""
        self._rows.execute(_CREATE_INDEX)
        query = "SELECT key, text FROM seen WHERE spelling = ?"
        found = dict(self._rows.execute(query, (hash(normalized),)).fetchall())
        return None if hash(key) in found else next(iter(found.values()), None)

    def forget(self, normalized: Key, key: Key) -> None:
        """Remove a key whose row was deleted."""
        self._rows.execute(_CREATE_INDEX)
        delete = "DELETE FROM seen WHERE spelling = ? AND key = ?"
        self._rows.execute(delete, (hash(normalized), hash(key)))


Reference = LookupKey | FieldError
"""One row of another object, or why a value cannot name one."""

COMPANIES = "companies"
LINK_OBJECT = "company_person"
"""The object whose rows are the links of people to companies."""
COMPANY_ID = "Company_ID"
