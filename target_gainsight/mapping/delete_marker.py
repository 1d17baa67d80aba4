"""Decide by a record's `_sdc_deleted_at` whether the source has deleted it."""

from contextlib import suppress
from decimal import Decimal

from target_gainsight.mapping.errors import ConversionError, FieldError, RecordRejectedError
from target_gainsight.mapping.types.datetimes import write_datetime
from target_gainsight.mapping.types.numeric import write_boolean
from target_gainsight.mapping.types.spellings import strip_blanks

DELETED_AT = "_sdc_deleted_at"

_NO_VALUE = ("", "null", "none", "nil", "nan", "nat", "n/a", "na", "#n/a", "<na>", "\\n", "-")
"""How databases, CSV files and data frames write that there is no value, in lower case."""

_PLAUSIBLE_YEARS = range(1980, 2100)
"""Others stand for no value, or for a row that is never deleted: 0001, 1970, 9999."""


def is_deleted(marker: object) -> bool:
    """Return whether a marker is a time or means yes; reject a record for which it is not clear."""
    if isinstance(marker, (str, float, Decimal)):
        word = strip_blanks(str(marker)).lower()
        if word in _NO_VALUE or word.startswith("0000-00-00"):  # MySQL's date without a value
            return False
    with suppress(ConversionError):
        return bool(write_boolean(marker))
    with suppress(ConversionError):
        deleted_at = write_datetime(marker)
        if deleted_at and int(deleted_at[:4]) in _PLAUSIBLE_YEARS:
            return True
    message = "not clear whether the source has deleted the record"
    hint = "Send an ISO 8601 time or true if it has, and null or false if not."
    raise RecordRejectedError([FieldError(DELETED_AT, marker, "", "not_a_datetime", message, hint)])
