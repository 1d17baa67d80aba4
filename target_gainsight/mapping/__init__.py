"""A Singer record becomes a Gainsight record. Pure functions and frozen values, no I/O.

`plan_fields` decides once per stream which column goes where, `RecordMapper` converts and compares
record by record, `converter_for` knows each Gainsight data type.
"""

from __future__ import annotations

from target_gainsight.mapping.columns import Column, columns_of
from target_gainsight.mapping.field_errors import (
    FieldError,
    RecordRejectedError,
    ValueRejectedError,
)
from target_gainsight.mapping.fields import FieldPlan, plan_fields
from target_gainsight.mapping.mismatch import FieldProblem, StreamMismatchError
from target_gainsight.mapping.moments import DateFormat, reformat_date
from target_gainsight.mapping.suggestions import suggest, suggest_names
from target_gainsight.mapping.validation import RecordMapper
from target_gainsight.mapping.values import (
    UNKNOWN,
    Converter,
    converter_for,
    plain_comparable,
    plain_value,
)

__all__ = [
    "UNKNOWN",
    "Column",
    "Converter",
    "DateFormat",
    "FieldError",
    "FieldPlan",
    "FieldProblem",
    "RecordMapper",
    "RecordRejectedError",
    "StreamMismatchError",
    "ValueRejectedError",
    "columns_of",
    "converter_for",
    "plain_comparable",
    "plain_value",
    "plan_fields",
    "reformat_date",
    "suggest",
    "suggest_names",
]
