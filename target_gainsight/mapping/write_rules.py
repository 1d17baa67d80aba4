"""The rules by which fields of an existing row are written, applied to a record and its row."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from target_gainsight.mapping.types.spellings import is_blank
from target_gainsight.settings.stream_settings import FieldRule


@dataclass(frozen=True)
class WriteRules:
    """The rules of one stream.

    Attributes:
        create_only: Fields that are written on create only.
        if_empty: Fields that are written only where the row has no value.
        uncompared: Fields whose differences do not cause a write.
    """

    create_only: frozenset[str]
    if_empty: frozenset[str]
    uncompared: frozenset[str]

    @classmethod
    def of(cls, rules: Mapping[str, FieldRule]) -> WriteRules | None:
        """Compile the rules of a stream; None if it has none."""
        if not rules:
            return None
        return cls(
            create_only=frozenset(name for name, each in rules.items() if each.write == "create"),
            if_empty=frozenset(name for name, each in rules.items() if each.write == "empty"),
            uncompared=frozenset(name for name, each in rules.items() if not each.compare),
        )

    def kept(self, names: Iterable[str], row: Mapping[str, Any]) -> frozenset[str]:
        """Return the fields, out of some, whose values the row keeps."""
        return frozenset(
            name
            for name in names
            if name in self.create_only or (name in self.if_empty and not is_empty(row.get(name)))
        )

    def writable(self, fields: Mapping[str, Any], row: Mapping[str, Any]) -> dict[str, Any]:
        """Return a record without the fields whose values the row keeps."""
        kept = self.kept(fields, row)
        return {name: value for name, value in fields.items() if name not in kept}

    def decided(self, fields: Mapping[str, Any], waiting: Collection[str]) -> frozenset[str]:
        """Return the fields that a later record with the same key does not change.

        Args:
            fields: The earlier record.
            waiting: Its fields that are filled later.
        """
        filled = (
            name for name in self.if_empty if name in waiting or not is_empty(fields.get(name))
        )
        return self.create_only.union(filled)


def is_empty(value: object) -> bool:
    """Return whether a field with the value counts as empty: null, blank text or an empty list."""
    return is_blank(value) or value == []
