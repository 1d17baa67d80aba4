"""Errors of values and records that cannot be written, and values formatted for messages."""

import reprlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, time
from decimal import Decimal, DecimalException

from target_gainsight.mapping.escaping import one_line

DISPLAY_LENGTH = 80
_MAX_ERROR_LENGTH = 2000

_SHORT_REPR = reprlib.Repr()
_SHORT_REPR.maxstring = _SHORT_REPR.maxother = _SHORT_REPR.maxlong = DISPLAY_LENGTH


@dataclass(frozen=True)
class FieldError:
    """Why one field of one record cannot be written: a clause, and a hint what to do."""

    field: str
    value: object
    data_type: str
    code: str
    message: str
    hint: str = ""

    def __str__(self) -> str:
        data_type = f" ({self.data_type})" if self.data_type else ""
        field = f"{one_line(self.field) or 'The field'}{data_type}"
        return f"{field} refuses {display(self.value)}: {self.message}. {self.hint}".rstrip()


@dataclass(eq=False)
class ConversionError(Exception):
    """A value does not convert; the field is not known here."""

    code: str
    message: str
    hint: str = ""


class RecordRejectedError(Exception):
    """A record, or one value, cannot be written; carries the errors of all fields concerned."""

    def __init__(self, errors: Iterable[FieldError]) -> None:
        self.errors = tuple(errors)
        super().__init__(" ".join(str(error) for error in self.errors))


def first_few(texts: Sequence[str], limit: int = 5) -> str:
    """Join texts for a message; beyond the limit, state how many more there are."""
    more = f" and {len(texts) - limit:,} more" if len(texts) > limit else ""
    return ", ".join(texts[:limit]) + more


def display(value: object) -> str:
    """Return a value on one line for a message, control characters escaped, shortened."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, str):
        return repr(value[:DISPLAY_LENGTH]) + ("…" if len(value) > DISPLAY_LENGTH else "")
    try:
        is_plain = isinstance(value, (Decimal, date, time))
        text = str(value) if is_plain else _SHORT_REPR.repr(value)
    except Exception:  # noqa: BLE001 - such as an integer too large for Python to format
        text = f"a value of type {type(value).__name__}"
    return one_line(str(json_value(text)))


def json_value(value: object) -> object:
    """Return a value for a JSON document: scalars as they are, long text and objects shortened."""
    if value is None or isinstance(value, (bool, int, float, Decimal)):
        return value
    if isinstance(value, (date, time)):
        return value.isoformat()
    if isinstance(value, str):
        return value if len(value) <= DISPLAY_LENGTH else f"{value[:DISPLAY_LENGTH]}…"
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return [json_value(each) for each in value[:DISPLAY_LENGTH]]
    return display(value)


def display_path(path: object) -> str:
    """Return a path or URL for a message: whole, on one line, control characters escaped."""
    return repr(one_line(str(path)))


def error_text(error: Exception) -> str:
    """Return a library's error for a message, whole: its advice comes at the end."""
    cause = error.__cause__ or error
    text = "" if isinstance(cause, DecimalException) else str(cause)  # a list of classes
    return f"{type(cause).__name__}: {one_line(text[:_MAX_ERROR_LENGTH])}".removesuffix(": ")


def counted(count: int, noun: str) -> str:
    """Return a number with a noun in singular or plural, such as `1 call` or `2,000 calls`."""
    return f"1 {noun}" if count == 1 else f"{count:,} {noun}s"
