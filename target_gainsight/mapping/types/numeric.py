"""Convert and compare numbers and booleans."""

import re
from contextlib import suppress
from decimal import Decimal

from target_gainsight.api import Json
from target_gainsight.mapping.errors import ConversionError
from target_gainsight.mapping.types.spellings import strip_blanks

NUMBERS = (int, float, Decimal)
"""Check for `bool` as well, which is a subclass of `int` in Python."""

GREATEST_EXPONENT = 307
"""Beyond it most JSON readers, which use doubles, return infinity or zero."""

LARGE = 10**18
_NUMBER = re.compile(
    r"[+-]?(?:(?:[0-9]+|[0-9]{1,3}(?:,[0-9]{3})+)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?"
)
_WORDS = {
    **dict.fromkeys(("true", "t", "yes", "y", "on"), True),
    **dict.fromkeys(("false", "f", "no", "n", "off"), False),
}


def write_number(value: object) -> int | float | Decimal | None:
    """Return the number that was sent, or that a text is, thousands grouped or not."""
    if isinstance(value, str):
        text = strip_blanks(value)
        if not text:
            return None
        value = Decimal(text.replace(",", "")) if _NUMBER.fullmatch(text) else text
    if isinstance(value, NUMBERS) and not isinstance(value, bool):
        return within_range(value)
    message = "not a number, or one with a currency, a percent sign or a decimal comma"
    hint = "Send digits with a decimal point, such as 1234.5 or 1,234.5."
    raise ConversionError(code="not_a_number", message=message, hint=hint)


def within_range(value: float | Decimal) -> int | float | Decimal:
    """Return the number if it is finite and within the range of a double."""
    if isinstance(value, int) and -LARGE < value < LARGE:
        return value
    exact = exact_decimal(value)
    if not exact.is_finite():
        message, hint = "NaN and infinity cannot be sent", "Send null or a finite number."
        raise ConversionError(code="not_finite", message=message, hint=hint)
    if not -GREATEST_EXPONENT <= exact.adjusted() <= GREATEST_EXPONENT:
        message = f"its exponent is beyond {GREATEST_EXPONENT}"
        raise ConversionError(code="number_out_of_range", message=message)
    return value


def number_text(value: float | Decimal) -> str:
    """Return the digits of a number without an exponent, of a whole one without a fraction."""
    text = format(exact_decimal(within_range(value)), "f")
    whole, _, fraction = text.partition(".")
    if fraction.strip("0"):
        return text
    return "0" if whole == "-0" else whole


def write_boolean(value: object) -> bool | None:
    """Return the boolean of a boolean, 1 or 0 (also `1.0`), or a word in any case."""
    if isinstance(value, bool):
        return value
    word = strip_blanks(value).lower() if isinstance(value, str) else None
    if word in _WORDS:
        return _WORDS[word]
    with suppress(ConversionError):
        number = write_number(value)
        if number is None or number in {0, 1}:
            return None if number is None else bool(number)
    hint = "Send true or false, t or f, yes or no, y or n, on or off, 1 or 0."
    raise ConversionError(code="not_a_boolean", message="not a boolean", hint=hint)


def comparable_number(value: Json) -> Decimal | None:
    """Return the exact value of a number, or of text that is one."""
    number = write_number(value)
    return None if number is None else exact_decimal(number)


def exact_decimal(value: float | Decimal) -> Decimal:
    """Convert a float by its shortest decimal form, the one that JSON writes."""
    return Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
