"""Checks of a stream's mapping against its object, and the error that lists every problem."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from target_gainsight.api import Field
from target_gainsight.mapping.columns import Column
from target_gainsight.mapping.errors import RecordRejectedError, counted, display
from target_gainsight.mapping.escaping import one_line
from target_gainsight.mapping.near_names import did_you_mean, suggest_names
from target_gainsight.mapping.planning.spec import MappingSpec, is_required_to_create
from target_gainsight.mapping.planning.static_schemas import ACTIVITY, EXPECTED_FIELDS, UNCOMPARED
from target_gainsight.mapping.types.converters import Converter, may_convert

KEY_TYPES = frozenset({"", "STRING", "NUMBER", "EMAIL", "GSID", "LOOKUP", "SFDCID"})
"""String, Number, Email and GSID (Company API, Update); a lookup holds a GSID, a Salesforce id is
a string, and a field of an unknown type may be any of them."""


@dataclass(frozen=True)
class FieldProblem:
    """One thing that must be corrected before the stream can be loaded.

    The `setting` has the name; it is `column` for a column of the stream, and `required` for a
    field that nothing fills. `columns` of the records, which the SCHEMA lacks, would solve it:
    these, some whose names are not known (empty), or none (None).
    """

    setting: str
    name: str
    message: str
    suggestions: tuple[str, ...] = ()
    columns: tuple[str, ...] | None = None

    def __str__(self) -> str:
        prefix = "" if self.setting == "column" else f"{self.setting}: "
        question = did_you_mean(self.name, self.suggestions)
        return one_line(f"{prefix}{self.message} {question}".rstrip())


class StreamMismatchError(Exception):
    """A stream does not fit its object; nothing of it was written.

    Attributes:
        proposal: Settings to paste into meltano.yml, with what precedes them; may be empty.
        needs_columns_only: Whether columns that only the records have would solve every problem.
        named_columns: Those columns, if settings name all of them.
    """

    def __init__(
        self,
        problems: Iterable[FieldProblem],
        *,
        stream: str,
        object_name: str,
        spec: MappingSpec | None = None,
    ) -> None:
        self.problems = tuple(problems)
        self.stream = stream
        self.spec = spec
        self.proposal = ""
        self.needs_columns_only = all(each.columns is not None for each in self.problems)
        are_named = all(each.columns for each in self.problems)
        named = (column for each in self.problems for column in each.columns or ())
        self.named_columns = tuple(named) if are_named else ()
        count = counted(len(self.problems), "problem")
        title = f"Stream {display(stream)} does not fit {one_line(object_name)}: {count}."
        super().__init__("\n  - ".join([title, *map(str, self.problems)]))

    def __str__(self) -> str:
        return "\n".join(filter(None, (super().__str__(), self.proposal)))


def check_fit(spec: MappingSpec, *, stream: str, further: Iterable[FieldProblem] = ()) -> None:
    """Raise `StreamMismatchError` with the problems and further ones, if there are any."""
    problems = [*find_problems(spec), *further]
    if problems:
        raise StreamMismatchError(problems, stream=stream, object_name=spec.object_name, spec=spec)


def find_problems(spec: MappingSpec) -> list[FieldProblem]:
    """Return everything that is wrong, columns first."""
    settings = spec.settings
    checks_columns = settings.unknown_fields != "drop" and not settings.field_mapping
    by_name = [each.name for each in spec.unmapped.values() if each.declared and checks_columns]
    named = {
        "column": by_name,
        "field_mapping": settings.field_mapping.values(),
        "constants": spec.constants,
        "lookups": settings.lookups,
        "lookup_keys": spec.keys,
        "fallback_keys": spec.fallback_keys,
        "field_rules": settings.field_rules,
    }
    problems: list[FieldProblem] = []
    for setting, names in named.items():
        for name in names:
            if spec.is_unknown_field(name):
                message = f"{spec.object_name} has no field {name}."
                problems.append(FieldProblem(setting, name, message, spec.suggest(name)))
            elif reason := _find_reason(spec, setting, name):
                problems.append(FieldProblem(setting, name, reason))
    for column in spec.columns:
        problems += check_column_type(column, spec.field(spec.column_to_field.get(column.name, "")))
    own = [column.name for column in spec.columns]
    columns = {"field_mapping": settings.field_mapping, "lookups": sorted(spec.lookup_columns)}
    for setting, sources in columns.items():
        problems += missing_columns(setting, sources, own, spec.unmapped)
    problems += _find_wrong_sources(spec)
    return [*problems, *_find_unfilled_fields(spec, documented=True)]


def find_warnings(spec: MappingSpec) -> Iterator[str]:
    """Name what may be refused: new records without a field, or all of a high-volume object."""
    for each in _find_unfilled_fields(spec, documented=False):
        yield f"{each.message} Records that do not exist yet are rejected."
    if spec.schema is not None and spec.schema.volume == "high":
        yield (
            f"{spec.schema.name} is listed as a high-volume object, which the REST API may not "
            "write; if its records are refused, load it by a bulk job (transport: bulk)"
        )
    is_new_activity = spec.object_name == ACTIVITY and spec.settings.sync_mode != "update"
    missing = [n for n in EXPECTED_FIELDS if is_new_activity and not spec.sources_of(n)]
    if missing:
        yield (
            f"nothing fills {' and '.join(missing)}; Gainsight probably refuses to save an "
            "activity without it. Map a column to it, or set a constant"
        )


def missing_columns(
    setting: str, named: Iterable[str], columns: Collection[str], spare: Collection[str]
) -> Iterator[FieldProblem]:
    """Find the columns that a setting names and the stream lacks, with similar unmapped columns."""
    missing = [name for name in named if columns and name not in columns]
    similar = {name: suggest_names(name, columns) for name in missing}
    for name, near in similar.items():
        if near:
            message = f"The stream has no column {name}."
            columns_needed = (name,) if set(near).isdisjoint(spare) else None
            yield FieldProblem(setting, name, message, near, columns_needed)
    if others := tuple(name for name, near in similar.items() if not near):
        what = f"column{'s' if others[1:] else ''} {', '.join(others)}"
        message = f"The stream has no {what}. Check the selection in the tap (meltano select)."
        yield FieldProblem(setting, "", message, columns=others)


def check_column_type(column: Column, field: Field | None) -> Iterator[FieldProblem]:
    """Check that a column's values may convert to those of the field it goes to."""
    if field and not may_convert(column.json_types, field.data_type):
        found = " or ".join(sorted(column.json_types))
        message = f"Column {column.name} ({found}) cannot fit {field.name} ({field.data_type})."
        yield FieldProblem("column", column.name, f"{message} Convert it in a stream map.")


def _find_wrong_sources(spec: MappingSpec) -> Iterator[FieldProblem]:
    """Find keys that nothing fills, and fields that are filled twice."""
    keys = {"lookup_keys": spec.keys, "fallback_keys": spec.fallback_keys}
    if spec.keys_required and not spec.keys and spec.settings.sync_mode != "insert":
        message = (
            "No lookup key is set, so that existing records cannot be found: set lookup_keys to "
            f"the 1 to 3 fields that identify a record of {spec.object_name}."
        )
        yield FieldProblem("lookup_keys", "", message)
    for setting, names in keys.items() if spec.keys_required else ():
        for name in names:
            if not spec.is_unknown_field(name) and not spec.sources_of(name):
                message = f"No column, constant or lookup fills {name}."
                yield FieldProblem(setting, name, message, columns=())
    for name in dict.fromkeys([*spec.column_to_field.values(), *spec.constants]):
        sources = spec.sources_of(name)
        if len(sources) > 1:
            message = f"{name} is filled by {' and '.join(sources)}. Keep only one."
            yield FieldProblem("field_mapping", name, message)


def _find_unfilled_fields(spec: MappingSpec, *, documented: bool) -> Iterator[FieldProblem]:
    """Find required fields that nothing fills; only documented ones are certain to be required."""
    is_asked_for = spec.schema is not None and spec.schema.documented == documented
    for field in spec.schema.fields if spec.schema and is_asked_for else ():
        is_needed = is_required_to_create(field) and spec.settings.sync_mode != "update"
        if is_needed and not spec.sources_of(field.name):
            message = (
                f"{spec.object_name} needs {field.name} to create a record, and no column, "
                "constant or lookup fills it."
            )
            yield FieldProblem("required", field.name, message, columns=())


def _find_reason(spec: MappingSpec, setting: str, name: str) -> str:
    if setting in {"lookup_keys", "fallback_keys"}:
        return _find_key_reason(spec, setting, name)
    if setting == "field_rules" and name in spec.keys:
        return f"{name} is a lookup key, which is never changed. Remove its rule."
    if setting == "field_rules":
        is_unread = name in UNCOMPARED.get(spec.object_name, ())
        reason = f"{name} cannot be read, so no rule can be applied to it. Remove its rule."
        return reason if is_unread else ""
    field = spec.field(name)
    if setting == "constants":
        try:
            written = Converter(name, field).write(spec.constants[name])
        except RecordRejectedError as error:
            return str(error)
        if field and written is None and not field.nillable:
            return f"{name} must not be empty."
    reason = spec.not_writable_reason(field) if field else ""
    return reason and f"{name} cannot be written in sync mode {spec.settings.sync_mode}: {reason}."


def _find_key_reason(spec: MappingSpec, setting: str, name: str) -> str:
    field = spec.field(name)
    if setting == "fallback_keys" and name in spec.keys:
        return f"{name} is a lookup key already. Remove it."
    if field and field.data_type not in KEY_TYPES:
        return f"{name} is a {field.data_type}; a key is a String, GSID, Number or Email."
    if field and name in spec.keys and spec.fallback_keys and not field.updatable:
        reason = f"No row can be given its lookup key, because {name} cannot be changed once a"
        return f"{reason} record exists. Remove fallback_keys."
    return ""
