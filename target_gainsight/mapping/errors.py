"""Why a value or a record cannot be written. Knows no data type and no stream."""

from __future__ import annotations

import reprlib
from dataclasses import dataclass
from datetime import date, time
from decimal import Decimal
from typing import TYPE_CHECKING

from target_gainsight.mapping.escaping import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable

SHOWN_CHARACTERS = 80
_MOST_ERROR_CHARACTERS = 2000
_MOST_BITS_SHOWN = 256
_SHOWN_AS_TEXT = (Decimal, date, time)


@dataclass(frozen=True)
class FieldError:
    """Why one field of one record cannot be written.

    Attributes:
        field: The Gainsight field.
        value: The value as the source sent it.
        data_type: The field's Gainsight data type; empty when the object's metadata is unknown.
        code: A short constant, such as `not_a_number` or `too_long`.
        message: What is wrong, as a clause that does not repeat field and value.
        hint: What to do, as a sentence; may be empty.
    """

    field: str
    value: object
    data_type: str
    code: str
    message: str
    hint: str = ""

    def __str__(self) -> str:
        name = one_line(self.field)
        field = f"{name} ({self.data_type})" if self.data_type else name
        line = f"{field or 'The field'} refuses {display(self.value)}: {self.message}."
        return f"{line} {self.hint}" if self.hint else line


class ConversionError(ValueError):
    """A value does not convert; it becomes a `FieldError` where the field is known."""

    def __init__(self, code: str, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint

    def for_field(self, field: str, data_type: str, value: object) -> FieldError:
        """Name the field and the value that this is about."""
        return FieldError(field, value, data_type, self.code, self.message, self.hint)


class ValueRejectedError(Exception):
    """A value cannot be written to its field; the only error that conversion raises."""

    def __init__(self, error: FieldError) -> None:
        super().__init__(str(error))
        self.error = error


class RecordRejectedError(Exception):
    """A record cannot be written; carries the errors of all its fields."""

    def __init__(self, errors: Iterable[FieldError]) -> None:
        self.errors = tuple(errors)
        super().__init__(" ".join(str(error) for error in self.errors))


class _Abbreviation(reprlib.Repr):
    """Shows the beginning of a value, and a huge integer by its size: Python refuses its text."""

    def __init__(self) -> None:
        super().__init__()
        self.maxstring = self.maxother = SHOWN_CHARACTERS

    def repr_int(self, x: int, level: int) -> str:
        if x.bit_length() > _MOST_BITS_SHOWN:
            return f"<an integer of {x.bit_length()} bits>"
        return super().repr_int(x, level)


_ABBREVIATION = _Abbreviation()


def display(value: object) -> str:
    """A value for a message: one line, control characters escaped, at most about 80 characters."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return repr(value) if len(value) <= SHOWN_CHARACTERS else f"{value[:SHOWN_CHARACTERS]!r}…"
    text = _text_of(value)
    return one_line(text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}…")


def error_text(error: Exception) -> str:
    """An error of a library for a message, whole: its advice comes at the end."""
    cause = error.__cause__ or error
    return f"{type(cause).__name__}: {one_line(str(cause)[:_MOST_ERROR_CHARACTERS])}"


def display_path(path: object) -> str:
    """A path or URL for a message, whole: one line, control characters escaped."""
    return repr(one_line(str(path)))


def counted(count: int, noun: str) -> str:
    """Return a number with a noun in singular or plural, such as `1 call` or `2,000 calls`."""
    return f"1 {noun}" if count == 1 else f"{count:,} {noun}s"


def _text_of(value: object) -> str:
    try:
        return str(value) if isinstance(value, _SHOWN_AS_TEXT) else _ABBREVIATION.repr(value)
    except Exception:  # noqa: BLE001 - a value that cannot show itself must not hide the reject
        return f"a value of type {type(value).__name__}"
