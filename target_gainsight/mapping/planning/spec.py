"""Specification of a mapping: a stream's settings and columns, and its object."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from target_gainsight.api.http.json_codec import Json
from target_gainsight.api.resources.metadata import Field, ObjectSchema
from target_gainsight.mapping.columns import METADATA_PREFIX, Column
from target_gainsight.mapping.near_names import suggest
from target_gainsight.settings.stream_settings import FieldRule, SyncMode, UnknownFields

GSID_FIELD = "Gsid"


@dataclass(frozen=True)
class MappingSpec:
    """Where the columns of a stream should go.

    A mapped column goes to the field that the mapping names, an unmapped one to the field of its
    own name. Without metadata no column is unknown, and every column is sent.

    Attributes:
        columns: The stream's columns; empty when its SCHEMA declares none.
        schema: The object, or None when its metadata cannot be read.
        sync_mode: Decides which fields must be writable and which are required.
        named_keys: The lookup keys, as fields or as mapped columns.
        field_mapping: Column to field.
        constants: Field to value.
        unknown_fields: Whether unmapped columns without a field fail the stream, are dropped or
            sent.
        lookup_columns: Columns that feed lookups or links.
        lookup_targets: Fields that lookups fill.
        keys_required: Whether records must be identifiable outside insert mode.
        native_upsert: Whether the API upserts by itself (Person), so that a field needs to be
            createable or updateable, not both.
        named_fallback_keys: The fallback keys, as fields or as mapped columns.
        field_rules: Field to when it is written to an existing row.
        key_properties: The columns that identify a record in the source.
        default_keys: Whether the settings name no lookup keys.
    """

    columns: tuple[Column, ...]
    schema: ObjectSchema | None
    sync_mode: SyncMode
    named_keys: tuple[str, ...]
    field_mapping: Mapping[str, str]
    constants: Mapping[str, Json]
    unknown_fields: UnknownFields = "fail"
    lookup_columns: frozenset[str] = frozenset()
    lookup_targets: frozenset[str] = frozenset()
    keys_required: bool = True
    native_upsert: bool = False
    named_fallback_keys: tuple[str, ...] = ()
    field_rules: Mapping[str, FieldRule] = field(default_factory=dict)
    key_properties: tuple[str, ...] = ()
    default_keys: bool = False

    def field(self, name: str) -> Field | None:
        """Return the object's field of this name."""
        return None if self.schema is None else self.schema.field(name)

    def suggest(self, name: str) -> tuple[str, ...]:
        """Return the fields with similar names, best first."""
        return () if self.schema is None else suggest(name, self.schema.fields)

    def is_unknown_field(self, name: str) -> bool:
        """Return whether the object is described and has no field of this name."""
        return self.schema is not None and self.schema.field(name) is None

    @property
    def object_name(self) -> str:
        """The object's name for messages."""
        return "its object" if self.schema is None else self.schema.name

    @cached_property
    def column_names(self) -> tuple[str, ...]:
        """The names of the columns."""
        return tuple(column.name for column in self.columns)

    @property
    def required_fields(self) -> tuple[Field, ...]:
        """The fields without which no record is created; none if none are to be created."""
        if self.schema is None or self.sync_mode == "update":
            return ()
        return tuple(filter(is_required_to_create, self.schema.fields))

    @cached_property
    def keys(self) -> tuple[str, ...]:
        """The lookup keys as fields."""
        return self._as_fields(self.named_keys)

    @cached_property
    def fallback_keys(self) -> tuple[str, ...]:
        """The fallback keys as fields."""
        return self._as_fields(self.named_fallback_keys)

    def _as_fields(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """Return names of fields, or of mapped columns, as fields."""
        fields = {*self.field_mapping.values()}
        return tuple(
            name if name in fields or self.field(name) else self.field_mapping.get(name, name)
            for name in names
        )

    @cached_property
    def column_to_field(self) -> dict[str, str]:
        """The columns that are written, in their order, to their fields."""
        if not self.columns:
            return {**self.field_mapping}
        filled = {*self.field_mapping.values(), *self.constants, *self.lookup_targets}
        return {
            column.name: self.field_mapping.get(column.name, column.name)
            for column in self.columns
            if column.name in self.field_mapping
            or ((column.declared or column.name not in filled) and self._goes_by_name(column.name))
        }

    @cached_property
    def unmapped(self) -> dict[str, Column]:
        """Columns that the object has no field for, or none that can be written, by name."""
        return {
            column.name: column
            for column in self.columns
            if self.schema is not None
            and column.name not in self.column_to_field
            and not column.name.startswith(METADATA_PREFIX)
            and not self._feeds_only_lookups(column.name)
        }

    @property
    def dropped(self) -> tuple[str, ...]:
        """The unmapped columns that the SCHEMA declares."""
        return tuple(name for name, column in self.unmapped.items() if column.declared)

    @property
    def undeclared(self) -> tuple[str, ...]:
        """The unmapped columns that only the records have."""
        return tuple(name for name, column in self.unmapped.items() if not column.declared)

    def sources_of(self, field_name: str) -> tuple[str, ...]:
        """Describe everything that fills a field."""
        columns = [
            f"column {name}" for name, to in self.column_to_field.items() if to == field_name
        ]
        constant = ["a constant"] if field_name in self.constants else []
        lookup = ["a lookup"] if field_name in self.lookup_targets else []
        return (*columns, *constant, *lookup)

    def not_writable_reason(self, field: Field) -> str:
        """Explain why the field cannot be written in this sync mode; empty when it can."""
        is_key = field.name in self.keys
        creates = self.sync_mode != "update"
        rule = self.field_rules.get(field.name)
        is_create_only = rule and rule.write == "create" and self.sync_mode == "upsert"
        updates = self.sync_mode != "insert" and not is_create_only
        if field.name == GSID_FIELD:
            return "" if is_key and updates else "it can only be a lookup key"
        if self.native_upsert:
            return "" if field.insertable or field.updatable else "it is read-only"
        if not field.insertable and not field.updatable and (creates or not is_key):
            return "it is a formula" if field.formula else "it is read-only"
        if creates and not field.insertable:
            return "it cannot be set when a record is created"
        if updates and not is_key and not field.updatable:
            return "it cannot be changed once a record exists"
        return ""

    def _feeds_only_lookups(self, name: str) -> bool:
        if name not in self.lookup_columns:
            return False
        field = self.field(name)
        return field is None or name in self.lookup_targets or bool(self.not_writable_reason(field))

    def _goes_by_name(self, name: str) -> bool:
        """Return whether an unmapped column is written to the field of its own name."""
        if name.startswith(METADATA_PREFIX) or self._feeds_only_lookups(name):
            return False
        if self.schema is None:
            return True
        field = self.field(name)
        if field is None:
            return self.unknown_fields == "send"
        return not self.not_writable_reason(field)


def is_required_to_create(field: Field) -> bool:
    """Return whether a record cannot be created without a value for the field."""
    return field.required and field.insertable and not field.nillable
