"""Map a source's record to a Gainsight record, and compare it with the current row."""

from collections.abc import Collection, Mapping
from typing import Any

from target_gainsight.api import Json, Record
from target_gainsight.mapping.errors import ConversionError, FieldError, RecordRejectedError
from target_gainsight.mapping.planning.spec import MappingSpec, is_required_to_create
from target_gainsight.mapping.planning.static_schemas import (
    CONTEXT_FIELDS,
    HTML_BY_DEFAULT,
    well_known_fields,
)
from target_gainsight.mapping.types.converters import Converter
from target_gainsight.mapping.types.spellings import is_blank
from target_gainsight.settings.stream_settings import FieldRule

_ABSENT: Json = object()  # type: ignore[assignment]
_UNPLANNED = Converter("")
KEY_MISSING = ConversionError(
    "key_missing",
    "a lookup key must not be empty",
    "Fill it in the source: without it, the record cannot be matched.",
)
REQUIRED_MISSING = ConversionError(
    "required_missing",
    "the field is required to create a record",
    "Send a value, or set a constant.",
)
NULL_NOT_ALLOWED = ConversionError(
    "null_not_allowed",
    "the field must not be empty",
    "Send a value; null_values: omit leaves nulls out.",
)


class RecordMapper:
    """Maps the records of one stream to Gainsight records and compares them with rows.

    Upsert requires the required fields only of records that are new (`missing_for_create`).
    """

    def __init__(self, spec: MappingSpec) -> None:
        settings, schema = spec.settings, spec.schema
        described = schema.fields if schema else well_known_fields(settings.object_name)
        fields = {each.name: each for each in described}
        in_html = HTML_BY_DEFAULT if schema and schema.documented else ()
        is_html = {None: in_html, "html": fields, "as_is": ()}[settings.rich_text]
        filled = (*spec.column_to_field.values(), *spec.constants)
        self.converters = {
            name: Converter(
                name, fields.get(name), date_format=settings.date_format, html=name in is_html
            )
            for name in (*filled, *spec.keys, *spec.fallback_keys, *fields)
        }
        columns = spec.column_to_field.items()
        self._columns = [(source, self.converters[target]) for source, target in columns]
        constants = spec.constants.items()
        self._constants = {name: self.converters[name].write(value) for name, value in constants}
        self._omits_null = settings.null_values == "omit"
        self._keys = spec.keys
        self._required = [name for name, each in fields.items() if is_required_to_create(each)]
        # A key that only a lookup fills gets its value later.
        needed = dict.fromkeys(spec.keys, KEY_MISSING)
        if settings.sync_mode == "insert":
            needed = dict.fromkeys(self._required, REQUIRED_MISSING)
        self._needed = {name: error for name, error in needed.items() if name in filled}
        for _, converter in self._columns:
            if converter.field and not converter.field.nillable:
                self._needed.setdefault(converter.name, NULL_NOT_ALLOWED)

    def map(self, record: Mapping[str, object]) -> dict[str, Json]:
        """Return the Gainsight record of a source's record, or raise the errors of all fields."""
        mapped: dict[str, Json] = {}
        errors: dict[str, FieldError] = {}
        for source, converter in self._columns:
            if source in record:
                value = record[source]
                try:
                    mapped[converter.name] = None if value is None else converter.convert(value)
                except ConversionError as refused:
                    errors[converter.name] = converter.field_error(refused, value)
        mapped.update(self._constants)
        if self._omits_null:
            mapped = {name: value for name, value in mapped.items() if value is not None}
        for name, error in self._needed.items():
            is_sent = name in mapped or error is not NULL_NOT_ALLOWED
            if is_sent and name not in errors and is_blank(mapped.get(name)):
                errors[name] = self._error(name, error, mapped)
        if errors:
            raise RecordRejectedError(errors.values())
        return mapped

    def map_keys(self, record: Mapping[str, object]) -> dict[str, Json]:
        """Return the lookup keys of a source's record, to find its row."""
        columns = (source for source, each in self._columns if each.name in self._keys)
        mapped = self.map({source: record.get(source) for source in columns})
        return {name: mapped[name] for name in self._keys if name in mapped}

    def changed_fields(self, record: Record, row: Record) -> tuple[str, ...]:
        """Return the fields of a mapped record whose value a row of a query may not hold."""
        changed = []
        for name, value in record.items():
            held = row.get(name, _ABSENT)
            if held == value and held.__class__ is value.__class__ and held.__class__ is not list:
                continue
            comparable = self.converters.get(name, _UNPLANNED).comparable
            if held is _ABSENT or comparable(value) != comparable(held):
                changed.append(name)
        return tuple(changed)

    def missing_for_create(self, record: Record) -> tuple[FieldError, ...]:
        """Return an error for each required field that a mapped record leaves empty.

        An activity also needs the field that names its context, unless it has a ContextId.
        """
        missing = [name for name in self._required if is_blank(record.get(name))]
        context = CONTEXT_FIELDS.get(str(record.get("ContextName")), "")
        if context in record and is_blank(record[context]) and is_blank(record.get("ContextId")):
            missing.append(context)
        return tuple([self._error(name, REQUIRED_MISSING, record) for name in missing])

    def _error(self, name: str, error: ConversionError, record: Record) -> FieldError:
        converter = self.converters.get(name) or Converter(name)
        return converter.field_error(error, record.get(name))


class WriteRules:
    """The rules of one stream by which fields of an existing row are written and compared."""

    def __init__(self, rules: Mapping[str, FieldRule]) -> None:
        self.create_only = frozenset(n for n, each in rules.items() if each.write == "create")
        self._if_empty = {name for name, each in rules.items() if each.write == "empty"}
        self.uncompared = frozenset(name for name, each in rules.items() if not each.compare)

    def kept_fields(self, row: Mapping[str, Any], waiting: Collection[str] = ()) -> frozenset[str]:
        """Return the fields that a row keeps; in an earlier record, some may be waiting."""
        return self.create_only.union(
            name
            for name in self._if_empty
            if name in waiting or not (is_blank(row.get(name)) or row[name] == [])
        )
