"""The rules by which fields of an existing row are written, applied to a record and its row."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from target_gainsight.mapping.types.spellings import is_blank
from target_gainsight.settings.stream_settings import FieldRule


class WriteRules:
    """The rules of one stream, by field.

    Attributes:
        create_only: Fields that are written on create only.
        uncompared: Fields whose differences do not cause a write.
    """

    def __init__(self, rules: Mapping[str, FieldRule]) -> None:
        self.create_only = frozenset(n for n, each in rules.items() if each.write == "create")
        self._if_empty = {name for name, each in rules.items() if each.write == "empty"}
        self.uncompared = frozenset(name for name, each in rules.items() if not each.compare)

    def kept(self, row: Mapping[str, Any], waiting: Collection[str] = ()) -> frozenset[str]:
        """Return the fields that no record with the key of a row, or earlier record, changes.

        Of an earlier record, some fields may be waiting to be filled.
        """
        return self.create_only.union(
            name
            for name in self._if_empty
            if name in waiting or not (is_blank(row.get(name)) or row[name] == [])
        )
