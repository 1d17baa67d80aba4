"""What the settings ask of a stream, set beside what the stream carries and the object offers.

Says for each column what becomes of it; what is wrong with that is judged in `checks`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from target_gainsight.mapping.near_names import suggest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from target_gainsight.api.http.json_codec import Json
    from target_gainsight.api.resources.metadata import Field, ObjectSchema
    from target_gainsight.mapping.columns import Column
    from target_gainsight.settings import SyncMode

UnknownFields = Literal["fail", "drop", "send"]

METADATA_PREFIX = "_sdc_"
GSID_FIELD = "Gsid"


@dataclass(frozen=True)
class MappingSpec:
    """The arguments of `plan_fields`, and what follows from them column by column."""

    columns: tuple[Column, ...]
    schema: ObjectSchema | None
    sync_mode: SyncMode
    named_keys: tuple[str, ...]
    field_mapping: Mapping[str, str]
    constants: Mapping[str, Json]
    unknown_fields: UnknownFields
    lookup_columns: frozenset[str]
    lookup_targets: frozenset[str]
    keys_required: bool
    native_upsert: bool

    def field(self, name: str) -> Field | None:
        """The object's field of this name."""
        return None if self.schema is None else self.schema.field(name)

    def suggest(self, name: str) -> tuple[str, ...]:
        """The fields that `name` resembles."""
        return () if self.schema is None else suggest(name, self.schema.fields)

    def is_unknown_field(self, name: str) -> bool:
        """Whether the object is known and has no field of this name."""
        return self.schema is not None and self.schema.field(name) is None

    @property
    def object_name(self) -> str:
        """The object's name for messages."""
        return "its object" if self.schema is None else self.schema.name

    @cached_property
    def column_names(self) -> tuple[str, ...]:
        """What the stream carries; empty when its schema declares no columns."""
        return tuple(column.name for column in self.columns)

    @cached_property
    def undeclared(self) -> frozenset[str]:
        """The columns that the SCHEMA does not declare."""
        return frozenset(column.name for column in self.columns if not column.declared)

    @cached_property
    def keys(self) -> tuple[str, ...]:
        """The lookup keys; one that names a mapped column means the field it is mapped to."""
        fields = {*self.field_mapping.values()}
        return tuple(
            key if key in fields or self.field(key) else self.field_mapping.get(key, key)
            for key in self.named_keys
        )

    @cached_property
    def column_to_field(self) -> dict[str, str]:
        """Column to field, for all that is to be written."""
        named = {name: name for name in self._unmapped if self._is_sent_by_name(name)}
        if not self.columns:
            return {**self.field_mapping}
        return {
            name: self.field_mapping.get(name, name)
            for name in self.column_names
            if name in self.field_mapping or name in named
        }

    @cached_property
    def unmapped_columns(self) -> tuple[str, ...]:
        """Unmapped columns that the object has no field for, or none that may be written."""
        if self.schema is None:
            return ()
        return tuple(
            name
            for name in self._unmapped
            if name not in self.column_to_field and not self._is_held(name)
        )

    @property
    def drops_unmapped(self) -> bool:
        """Whether unknown columns are dropped rather than refused."""
        return self.unknown_fields == "drop" or bool(self.field_mapping)

    @property
    def creates(self) -> bool:
        """Whether the sync mode can create records."""
        return self.sync_mode != "update"

    def sources_of(self, field_name: str) -> tuple[str, ...]:
        """Everything that fills a field, in words."""
        columns = [
            f"column {name}" for name, sent in self.column_to_field.items() if sent == field_name
        ]
        constant = ["a constant"] if field_name in self.constants else []
        lookup = ["a lookup"] if field_name in self.lookup_targets else []
        return (*columns, *constant, *lookup)

    def not_writable_reason(self, field: Field) -> str:
        """Why the field cannot be written in this sync mode; empty when it can."""
        is_key = field.name in self.keys
        if field.name == GSID_FIELD:
            return "" if is_key and self.sync_mode != "insert" else "it can only be a lookup key"
        if self.native_upsert:
            return "" if field.insertable or field.updatable else "it is read-only"
        if not field.insertable and not field.updatable and not (is_key and not self.creates):
            return "it is a formula" if field.formula else "it is read-only"
        if self.creates and not field.insertable:
            return "it cannot be set when a record is created"
        if self.sync_mode != "insert" and not is_key and not field.updatable:
            return "it cannot be changed once a record exists"
        return ""

    @cached_property
    def _filled_by_settings(self) -> frozenset[str]:
        return frozenset((*self.field_mapping.values(), *self.constants, *self.lookup_targets))

    @cached_property
    def _unmapped(self) -> tuple[str, ...]:
        return tuple(
            name
            for name in self.column_names
            if name not in self.field_mapping and not name.startswith(METADATA_PREFIX)
        )

    def _is_held(self, name: str) -> bool:
        if name not in self.lookup_columns:
            return False
        field = self.field(name)
        return field is None or name in self.lookup_targets or bool(self.not_writable_reason(field))

    def _is_sent_by_name(self, name: str) -> bool:
        if self._is_held(name):
            return False
        if name in self.undeclared and name in self._filled_by_settings:
            return False
        if self.schema is None:
            return True
        field = self.field(name)
        if field is None:
            return self.unknown_fields == "send"
        return not self.not_writable_reason(field)
