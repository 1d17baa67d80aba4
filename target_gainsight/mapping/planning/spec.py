"""Specification of a mapping: a stream's settings and columns, and its object."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from target_gainsight.api import Field, ObjectSchema
from target_gainsight.mapping.columns import METADATA_PREFIX, Column
from target_gainsight.mapping.near_names import suggest_names
from target_gainsight.settings.stream_settings import StreamSettings


@dataclass(frozen=True)
class MappingSpec:
    """Where the columns of a stream should go: as mapped, or to the field of their name.

    Without a `schema`, because the metadata cannot be read, every column is sent. `named_keys` are
    fields or mapped columns. If `keys_required`, records must be identifiable outside insert mode.
    """

    columns: tuple[Column, ...]
    schema: ObjectSchema | None
    settings: StreamSettings
    named_keys: tuple[str, ...]
    constants: Mapping[str, object]
    lookup_columns: frozenset[str] = frozenset()
    keys_required: bool = True
    key_properties: tuple[str, ...] = ()

    def field(self, name: str) -> Field | None:
        """Return the field of this name."""
        return None if self.schema is None else self.schema.field(name)

    def suggest(self, name: str) -> tuple[str, ...]:
        """Return the fields with similar names, best first."""
        return () if self.schema is None else suggest_names(name, self.schema.fields)

    def is_unknown_field(self, name: str) -> bool:
        """Return whether the object is described and has no field of this name."""
        return self.schema is not None and self.schema.field(name) is None

    @property
    def object_name(self) -> str:
        """The object's name for messages."""
        return "its object" if self.schema is None else self.schema.name

    @cached_property
    def keys(self) -> tuple[str, ...]:
        """The lookup keys as fields."""
        return self._as_fields(self.named_keys)

    @property
    def fallback_keys(self) -> tuple[str, ...]:
        """The fallback keys as fields."""
        return self._as_fields(self.settings.fallback_keys)

    def _as_fields(self, names: tuple[str, ...]) -> tuple[str, ...]:
        mapping = self.settings.field_mapping
        return tuple(
            name if name in mapping.values() or self.field(name) else mapping.get(name, name)
            for name in names
        )

    @cached_property
    def column_to_field(self) -> dict[str, str]:
        """The columns that are written, to their fields."""
        mapping = self.settings.field_mapping
        if not self.columns:
            return {**mapping}
        filled = {*mapping.values(), *self.constants, *self.settings.lookups}
        return {
            column.name: mapping.get(column.name, column.name)
            for column in self.columns
            if column.name in mapping
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

    def sources_of(self, field: str) -> tuple[str, ...]:
        """Describe everything that fills a field."""
        columns = [f"column {name}" for name, to in self.column_to_field.items() if to == field]
        others = {"a constant": self.constants, "a lookup": self.settings.lookups}
        return (*columns, *(source for source, names in others.items() if field in names))

    def not_writable_reason(self, field: Field) -> str:
        """Explain why the field cannot be written in this sync mode; empty when it can."""
        is_key, mode = field.name in self.keys, self.settings.sync_mode
        rule = self.settings.field_rules.get(field.name)
        is_create_only = rule and rule.write == "create" and mode == "upsert"
        creates, updates = mode != "update", mode != "insert" and not is_create_only
        if field.name == "Gsid":
            return "" if is_key and updates else "it can only be a lookup key"
        if self.settings.object_type == "person":
            return "" if field.insertable or field.updatable else "it is read-only"
        if not field.insertable and not field.updatable and (creates or not is_key):
            return "it is a formula" if field.formula else "it is read-only"
        if creates and not field.insertable:
            return "it cannot be set when a record is created"
        if updates and not is_key and not field.updatable:
            return "it cannot be changed once a record exists"
        return ""

    def is_writable(self, name: str) -> bool:
        """Return whether the object has the field and this sync mode can write it."""
        field = self.field(name)
        return field is not None and not self.not_writable_reason(field)

    def _feeds_only_lookups(self, name: str) -> bool:
        is_no_field = name in self.settings.lookups or not self.is_writable(name)
        return is_no_field and name in self.lookup_columns

    def _goes_by_name(self, name: str) -> bool:
        if name.startswith(METADATA_PREFIX) or self._feeds_only_lookups(name):
            return False
        is_sent = self.is_unknown_field(name) and self.settings.unknown_fields == "send"
        return self.schema is None or is_sent or self.is_writable(name)


def is_required_to_create(field: Field) -> bool:
    """Return whether a record cannot be created without a value for the field."""
    return field.required and field.insertable and not field.nillable
