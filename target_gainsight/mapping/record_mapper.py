"""Map a source's record to a Gainsight record, and compare it with the current row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from target_gainsight.api.http.json_codec import Json
from target_gainsight.api.resources.metadata import Field, ObjectSchema
from target_gainsight.mapping.errors import (
    ConversionError,
    FieldError,
    RecordRejectedError,
    ValueRejectedError,
)
from target_gainsight.mapping.planning.field_plan import FieldPlan
from target_gainsight.mapping.planning.stream_checks import is_required_to_create
from target_gainsight.mapping.types.converters import Converter, converter_for, plain_converter
from target_gainsight.mapping.types.datetimes import DateFormat
from target_gainsight.mapping.types.spellings import is_blank
from target_gainsight.settings.stream_settings import SyncMode

NullValues = Literal["send", "omit"]

_ABSENT: Json = object()  # type: ignore[assignment]
_UNPLANNED = plain_converter("")
_KEY_MISSING = ConversionError(
    "key_missing",
    "a lookup key needs a value",
    "Fill it in the source: without it the record cannot be found.",
)
_REQUIRED_MISSING = ConversionError(
    "required_missing", "no record is created without it", "Send a value, or set a constant."
)
_NULL_NOT_ALLOWED = ConversionError(
    "null_not_allowed",
    "the field must not be empty",
    "Send a value; null_values: omit leaves nulls out.",
)


class RecordMapper:
    """Maps the records of one stream to Gainsight records and compares them with rows.

    Everything that is the same for all records is computed when the mapper is made.

    Args:
        plan: The fields that are written.
        schema: The object, or None when its metadata is unknown.
        sync_mode: Insert requires the required fields of every record, upsert only of those that
            turn out to be new (`missing_for_create`).
        null_values: Whether null is sent, which clears the field, or left out.
        date_format: How DATE fields are written.
        html_fields: Rich text fields whose line breaks become `<br>`.
        well_known: Fields to use when the metadata is unknown.

    Attributes:
        converters: Field to its converter.

    Raises:
        ValueRejectedError: A constant does not convert.
    """

    def __init__(
        self,
        plan: FieldPlan,
        schema: ObjectSchema | None,
        *,
        sync_mode: SyncMode,
        null_values: NullValues = "send",
        date_format: DateFormat = "iso",
        html_fields: frozenset[str] = frozenset(),
        well_known: tuple[Field, ...] = (),
    ) -> None:
        described = schema.fields if schema else well_known
        planned = (*plan.column_to_field.values(), *plan.constants)
        self.converters: dict[str, Converter] = {
            name: plain_converter(name) for name in (*planned, *plan.keys, *plan.fallback_keys)
        }
        for field in described:
            self.converters[field.name] = converter_for(
                field, date_format=date_format, html=field.name in html_fields
            )
        self._keys = frozenset(plan.keys)
        self._omits_null = null_values == "omit"
        self._columns = tuple(
            (source, target, self.converters[target])
            for source, target in plan.column_to_field.items()
        )
        constants = {
            name: self.converters[name].write(value) for name, value in plan.constants.items()
        }
        self._constants = self._without_omitted(constants)
        self._required = tuple(
            dict.fromkeys(field.name for field in described if is_required_to_create(field))
        )
        inserts = sync_mode == "insert"
        # A field that only a lookup fills gets its value later.
        self._never_empty = {
            name: _REQUIRED_MISSING if inserts else _KEY_MISSING
            for name in (self._required if inserts else plan.keys)
            if name in planned
        }
        for _, target, converter in self._columns:
            if converter.field and not converter.field.nillable:
                self._never_empty.setdefault(target, _NULL_NOT_ALLOWED)

    def map(self, record: Mapping[str, object]) -> dict[str, Json]:
        """Return the Gainsight record of a source's record, without columns that it lacks.

        Raises:
            RecordRejectedError: It cannot be written; carries the errors of all its fields.
        """
        mapped: dict[str, Json] = {}
        errors: dict[str, FieldError] = {}
        for source, target, converter in self._columns:
            if source in record:
                try:
                    mapped[target] = converter.write(record[source])
                except ValueRejectedError as rejection:
                    errors[target] = rejection.error
        mapped = self._without_omitted(mapped)
        mapped.update(self._constants)
        for name, error in self._never_empty.items():
            is_expected = name in mapped or error is not _NULL_NOT_ALLOWED
            if is_expected and is_blank(mapped.get(name)) and name not in errors:
                errors[name] = self._error(name, error, mapped)
        if errors:
            raise RecordRejectedError(errors.values())
        return mapped

    def map_keys(self, record: Mapping[str, object]) -> dict[str, Json]:
        """Return the lookup keys of a source's record, to find its row.

        Raises:
            RecordRejectedError: A key is blank or does not convert.
        """
        mapped: dict[str, Json] = {}
        errors: list[FieldError] = []
        for source, target, converter in self._columns:
            if target not in self._keys:
                continue
            try:
                mapped[target] = converter.write(record.get(source))
            except ValueRejectedError as rejection:
                errors.append(rejection.error)
                continue
            if is_blank(mapped[target]):
                errors.append(self._error(target, _KEY_MISSING, mapped))
        if errors:
            raise RecordRejectedError(errors)
        constants = {n: value for n, value in self._constants.items() if n in self._keys}
        return {**mapped, **constants}

    def changed_fields(
        self, record: Mapping[str, Json], row: Mapping[str, Json]
    ) -> tuple[str, ...]:
        """Return the fields whose value the row does not hold for certain.

        Args:
            record: A mapped record, perhaps with fields that lookups filled.
            row: The current row as a query returns it; a field that it lacks has changed.
        """
        changed = []
        for name, value in record.items():
            held = row.get(name, _ABSENT)
            if held == value and held.__class__ is value.__class__ and held.__class__ is not list:
                continue
            converter = self.converters.get(name, _UNPLANNED)
            if held is _ABSENT or (
                converter.written_comparable(value) != converter.read_comparable(held)
            ):
                changed.append(name)
        return tuple(changed)

    def missing_for_create(self, record: Mapping[str, Json]) -> tuple[FieldError, ...]:
        """Return an error for each required field that a mapped record leaves empty."""
        return tuple(
            self.required_missing(name, record)
            for name in self._required
            if is_blank(record.get(name))
        )

    def required_missing(self, name: str, record: Mapping[str, Json]) -> FieldError:
        """Return the error of a field without which no record is created."""
        return self._error(name, _REQUIRED_MISSING, record)

    def _without_omitted(self, mapped: dict[str, Json]) -> dict[str, Json]:
        if not self._omits_null:
            return mapped
        return {name: value for name, value in mapped.items() if value is not None}

    def _error(self, name: str, error: ConversionError, record: Mapping[str, Json]) -> FieldError:
        converter = self.converters.get(name, _UNPLANNED)
        data_type = converter.field.data_type if converter.field else ""
        return error.for_field(name, data_type, record.get(name))
