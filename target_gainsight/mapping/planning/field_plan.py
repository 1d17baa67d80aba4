"""Which column of a stream goes to which field of an object, decided once per stream."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from target_gainsight.mapping.planning.mismatch import FieldProblem, StreamMismatchError
from target_gainsight.mapping.planning.spec import MappingSpec, UnknownFields
from target_gainsight.mapping.planning.stream_checks import find_problems, warnings_of
from target_gainsight.mapping.planning.suggested_settings import suggest_settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from target_gainsight.api.http.json_codec import Json
    from target_gainsight.api.resources.metadata import ObjectSchema
    from target_gainsight.mapping.columns import Column
    from target_gainsight.settings import SyncMode


@dataclass(frozen=True)
class FieldPlan:
    """What is written of a stream's records.

    Attributes:
        column_to_field: Source column to Gainsight field, in the order of the columns.
        constants: Gainsight field to the value put into every record.
        dropped: Columns that are not written, to be listed once.
        undeclared: Those that the SCHEMA does not declare and records carry, not written either.
        keys: The Gainsight fields that identify a record.
        warnings: What may be wrong, as far as flags can tell.
    """

    column_to_field: Mapping[str, str]
    constants: Mapping[str, Json]
    dropped: tuple[str, ...]
    keys: tuple[str, ...]
    warnings: tuple[str, ...] = ()
    undeclared: tuple[str, ...] = ()


def plan_fields(  # noqa: PLR0913 - each is a setting of the stream or a fact about it
    columns: tuple[Column, ...],
    schema: ObjectSchema | None,
    *,
    stream: str,
    sync_mode: SyncMode,
    keys: tuple[str, ...],
    field_mapping: Mapping[str, str],
    constants: Mapping[str, Json],
    unknown_fields: UnknownFields = "fail",
    lookup_columns: frozenset[str] = frozenset(),
    lookup_targets: frozenset[str] = frozenset(),
    keys_required: bool = True,
    native_upsert: bool = False,
    further_problems: tuple[FieldProblem, ...] = (),
) -> FieldPlan:
    """Decide what becomes of each column, or say everything that is wrong.

    Mapped columns go where the mapping says; an unmapped column goes to the field of its own
    name. Without metadata every column is sent, because none can be told to be unknown.

    Args:
        columns: What the stream carries.
        schema: What the object offers, or None when its metadata cannot be read.
        stream: The stream's name, for messages.
        sync_mode: Decides which fields must be writable and which are required.
        keys: The lookup keys, as fields or as mapped columns.
        field_mapping: Column to field.
        constants: Field to value.
        unknown_fields: What becomes of unmapped columns without a field.
        lookup_columns: Columns that feed lookups or links.
        lookup_targets: Fields that lookups fill.
        keys_required: Whether records must be identifiable outside insert mode.
        native_upsert: Whether the API upserts by itself (Person), so that one of createable and
            updateable is enough.
        further_problems: What is known to be wrong already, to be said in the same message.

    Raises:
        StreamMismatchError: The stream does not fit; carries all problems.
    """
    spec = MappingSpec(
        columns=columns,
        schema=schema,
        sync_mode=sync_mode,
        named_keys=keys,
        field_mapping=field_mapping,
        constants=constants,
        unknown_fields=unknown_fields,
        lookup_columns=lookup_columns,
        lookup_targets=lookup_targets,
        keys_required=keys_required,
        native_upsert=native_upsert,
    )
    problems = (*find_problems(spec), *further_problems)
    if problems:
        raise StreamMismatchError(
            problems, stream=stream, object_name=spec.object_name, suggested=suggest_settings(spec)
        )
    undeclared = {column.name for column in columns if not column.declared}
    return FieldPlan(
        spec.column_to_field,
        constants,
        tuple(name for name in spec.unmapped_columns if name not in undeclared),
        spec.keys,
        warnings_of(spec),
        tuple(name for name in spec.unmapped_columns if name in undeclared),
    )
