"""A record against its object: the clean Gainsight record, or every reason why there is none.

All that can be decided before the first record is compiled when the mapper is made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from target_gainsight.mapping.errors import (
    FieldError,
    RecordRejectedError,
    ValueRejectedError,
)
from target_gainsight.mapping.planning.stream_checks import is_required_to_create
from target_gainsight.mapping.types.blanks import is_blank
from target_gainsight.mapping.types.converters import (
    converter_for,
    plain_comparable,
    plain_converter,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from target_gainsight.api.http.json_codec import Json
    from target_gainsight.api.resources.metadata import Field, ObjectSchema
    from target_gainsight.mapping.planning.field_plan import FieldPlan
    from target_gainsight.mapping.types.converters import Converter
    from target_gainsight.mapping.types.datetimes import DateFormat
    from target_gainsight.settings import SyncMode

NullValues = Literal["send", "omit"]

_ABSENT: Json = object()  # type: ignore[assignment]
_PLAIN = (plain_comparable, plain_comparable)
_REASONS = {
    "key_missing": ("a lookup key needs a value", "Without it the record cannot be found."),
    "required_missing": ("no record is created without it", "Send a value, or set a constant."),
    "null_not_allowed": (
        "the field must not be empty",
        "Send a value; null_values: omit leaves nulls out.",
    ),
}


class RecordMapper:
    """Turns the records of one stream into Gainsight records and compares them with rows.

    Args:
        plan: Which column goes to which field.
        schema: The object, or None when its metadata is unknown.
        sync_mode: Insert asks for the required fields of every record, upsert only of those that
            turn out to be new (`missing_for_create`).
        null_values: Whether null is sent, which clears the field, or left out.
        date_format: How DATE fields are written.
        html_fields: Rich text fields whose line breaks become `<br>`.
        well_known: Fields to go by when the metadata is unknown.

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
        self._plan = plan
        self._sync_mode: SyncMode = sync_mode
        self._null_values: NullValues = null_values
        self._described = schema.fields if schema else well_known
        self.converters: Mapping[str, Converter] = self._compile_converters(
            date_format, html_fields
        )
        self._comparables = {
            name: (each.written_comparable, each.read_comparable)
            for name, each in self.converters.items()
        }
        self._columns = tuple(
            (source, target, self.converters[target])
            for source, target in plan.column_to_field.items()
        )
        constants = (
            (name, self.converters[name].write(value)) for name, value in plan.constants.items()
        )
        self._constants = {
            name: value for name, value in constants if value is not None or null_values == "send"
        }
        self._needed_to_create = self._find_needed_to_create()
        self._needed = self._find_needed()
        self._never_null = self._find_never_null()
        self._never_empty = (*(name for name, _ in self._needed), *self._never_null)

    def map(self, record: Mapping[str, object]) -> dict[str, Json]:
        """The Gainsight record of a source's record; a column it does not carry is not sent.

        Raises:
            RecordRejectedError: It cannot be written; carries the errors of all its fields.
        """
        mapped: dict[str, Json] = {}
        try:
            for source, target, converter in self._columns:
                if source in record:
                    mapped[target] = converter.write(record[source])
        except ValueRejectedError:
            raise RecordRejectedError(self._errors(record)) from None
        if self._null_values == "omit":
            mapped = {name: value for name, value in mapped.items() if value is not None}
        mapped.update(self._constants)
        for name in self._never_empty:
            if is_blank(mapped.get(name)) and self._missing_values(mapped):
                raise RecordRejectedError(self._errors(record))
        return mapped

    def changed_fields(
        self, record: Mapping[str, Json], row: Mapping[str, Json]
    ) -> tuple[str, ...]:
        """The fields of a written record that the row does not already hold, or may not.

        Args:
            record: What `map` made, perhaps with fields that lookups filled.
            row: The current row as the query answers it; a field that is not in it has changed.
        """
        changed = []
        for name, value in record.items():
            held = row.get(name, _ABSENT)
            if held == value and held.__class__ is value.__class__ and held.__class__ is not list:
                continue
            if held is _ABSENT or self._differ(name, value, held):
                changed.append(name)
        return tuple(changed)

    def missing_for_create(self, record: Mapping[str, Json]) -> tuple[FieldError, ...]:
        """Why a written record cannot be created: each required field that it leaves empty."""
        return tuple(
            self._missing(name, record, "required_missing")
            for name in self._needed_to_create
            if is_blank(record.get(name))
        )

    def _compile_converters(
        self, date_format: DateFormat, html_fields: frozenset[str]
    ) -> dict[str, Converter]:
        planned = (*self._plan.column_to_field.values(), *self._plan.constants, *self._plan.keys)
        compiled = {name: plain_converter(name) for name in planned}
        for field in self._described:
            compiled[field.name] = converter_for(
                field, date_format=date_format, html=field.name in html_fields
            )
        return compiled

    def _find_needed_to_create(self) -> tuple[str, ...]:
        described = (field.name for field in self._described if is_required_to_create(field))
        return tuple(dict.fromkeys(described))

    def _find_needed(self) -> tuple[tuple[str, str], ...]:
        """Field and error code, for what every record needs; what lookups fill comes later."""
        planned = {*self._plan.column_to_field.values(), *self._plan.constants}
        if self._sync_mode == "insert":
            needed = dict.fromkeys(self._needed_to_create, "required_missing")
        else:
            needed = dict.fromkeys(self._plan.keys, "key_missing")
        return tuple((name, code) for name, code in needed.items() if name in planned)

    def _find_never_null(self) -> tuple[str, ...]:
        needed = {name for name, _ in self._needed}
        fields = (self.converters[name].field for name in self._plan.column_to_field.values())
        return tuple(
            field.name
            for field in fields
            if field and not field.nillable and field.name not in needed
        )

    def _missing_values(self, mapped: Mapping[str, Json]) -> list[FieldError]:
        empty = [(name, code) for name, code in self._needed if is_blank(mapped.get(name))]
        nulls = [name for name in self._never_null if name in mapped and is_blank(mapped[name])]
        refused = [*empty, *((name, "null_not_allowed") for name in nulls)]
        return [self._missing(name, mapped, code) for name, code in refused]

    def _errors(self, record: Mapping[str, object]) -> list[FieldError]:
        """Every error of a record that has at least one."""
        errors = []
        mapped = self._constants.copy()
        for source, target, converter in self._columns:
            try:
                if source in record:
                    mapped[target] = converter.write(record[source])
            except ValueRejectedError as refusal:
                errors.append(refusal.error)
        refused = {error.field for error in errors}
        missing = self._missing_values(mapped)
        return [*errors, *(error for error in missing if error.field not in refused)]

    def _missing(self, name: str, record: Mapping[str, Json], code: str) -> FieldError:
        field = self.converters[name].field if name in self.converters else None
        data_type = field.data_type if field else ""
        return FieldError(name, record.get(name), data_type, code, *_REASONS[code])

    def _differ(self, name: str, value: Json, held: Json) -> bool:
        written, read = self._comparables.get(name, _PLAIN)
        return written(value) != read(held)
