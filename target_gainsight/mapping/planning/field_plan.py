"""The fields that are written of a stream's records, decided once per stream."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from target_gainsight.api.http.json_codec import Json
from target_gainsight.mapping.planning.mismatch import FieldProblem, StreamMismatchError
from target_gainsight.mapping.planning.spec import MappingSpec
from target_gainsight.mapping.planning.stream_checks import find_problems, find_warnings


@dataclass(frozen=True)
class FieldPlan:
    """The fields that are written of a stream's records.

    Attributes:
        column_to_field: Source column to Gainsight field, in the order of the columns.
        constants: Gainsight field to the value in every record.
        keys: The Gainsight fields that identify a record.
        fallback_keys: The Gainsight fields by which a row without lookup keys is found.
        dropped: Declared columns that are not written.
        undeclared: Columns that only the records have, not the SCHEMA, and that are not written.
        warnings: Possible problems, as far as the metadata shows.
    """

    column_to_field: Mapping[str, str]
    constants: Mapping[str, Json]
    keys: tuple[str, ...]
    fallback_keys: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    undeclared: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def plan_fields(
    spec: MappingSpec, *, stream: str, further_problems: tuple[FieldProblem, ...] = ()
) -> FieldPlan:
    """Decide where each column goes.

    Args:
        spec: The mapping.
        stream: The stream's name, for messages.
        further_problems: Problems found elsewhere, to be reported in the same message.

    Raises:
        StreamMismatchError: The stream does not fit; carries all problems.
    """
    problems = (*find_problems(spec), *further_problems)
    if problems:
        raise StreamMismatchError(
            problems,
            stream=stream,
            object_name=spec.object_name,
            spec=spec,
        )
    unmapped, undeclared = spec.unmapped_columns, spec.undeclared
    return FieldPlan(
        column_to_field=spec.column_to_field,
        constants=spec.constants,
        keys=spec.keys,
        fallback_keys=spec.fallback_keys,
        dropped=tuple(name for name in unmapped if name not in undeclared),
        undeclared=tuple(name for name in unmapped if name in undeclared),
        warnings=find_warnings(spec),
    )
