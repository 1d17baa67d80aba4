"""Convert and compare numbers and booleans."""

from __future__ import annotations

import re
from decimal import MAX_EMAX, MAX_PREC, MIN_EMIN, Context, Decimal

from target_gainsight.api.http.json_codec import Json
from target_gainsight.mapping.errors import ConversionError
from target_gainsight.mapping.types.spellings import strip_blanks

GREATEST_EXPONENT = 307
"""Beyond it most JSON readers, which use doubles, return infinity or zero."""

_NUMBER = re.compile(
    r"[+-]?(?:(?:[0-9]+|[0-9]{1,3}(?:,[0-9]{3})+)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?"
)
_CURRENCY_SIGN = re.compile(r"[$¢£¤¥₠-⃏]|^[A-Z]{3}\s?[0-9]|[0-9]\s?[A-Z]{3}$")
_DECIMAL_COMMA = re.compile(r"[+-]?[0-9]{1,3}(?:[. ][0-9]{3})*,[0-9]+")
_EXACT = Context(prec=MAX_PREC, Emax=MAX_EMAX, Emin=MIN_EMIN)

LONGEST_WHOLE = 18
_LARGE = 10**LONGEST_WHOLE

_WORDS = {
    **dict.fromkeys(("true", "t", "yes", "y", "on"), True),
    **dict.fromkeys(("false", "f", "no", "n", "off"), False),
}
_ONE_OR_ZERO = re.compile(r"[01](?:\.0*)?")


def write_number(value: object) -> Json:
    """Return the number to write: exactly what the source sent, text parsed as a number.

    Text may group its thousands with commas (`1,234,567.89`), empty text is null. A boolean is
    not a number.

    Raises:
        ConversionError: It is not a number, or too large for one.
    """
    if isinstance(value, str):
        return _parse(strip_blanks(value))
    if isinstance(value, (int, Decimal, float)) and not isinstance(value, bool):
        return within_range(value)
    raise _not_a_number("a boolean is not a number" if isinstance(value, bool) else "")


def within_range(value: float | Decimal) -> int | float | Decimal:
    """Return the number if it is finite and within the range of a double.

    Raises:
        ConversionError: NaN, infinite or beyond the exponent of a double.
    """
    if isinstance(value, int) and -_LARGE < value < _LARGE:
        return value
    exact = value if isinstance(value, Decimal) else exact_decimal(value)
    if not exact.is_finite():
        message, hint = "JSON has no such number", "Send null or a finite number."
        raise ConversionError(code="not_finite", message=message, hint=hint)
    if not -GREATEST_EXPONENT <= exact.adjusted() <= GREATEST_EXPONENT:
        message = f"its exponent is beyond {GREATEST_EXPONENT}"
        raise ConversionError(code="number_out_of_range", message=message)
    return value


def number_text(value: float | Decimal) -> str:
    """Return the digits of a number without an exponent, of a whole one without a fraction.

    Raises:
        ConversionError: It is not finite, or has too many digits.
    """
    text = format(exact_decimal(within_range(value)), "f")
    whole, _, fraction = text.partition(".")
    if fraction.strip("0"):
        return text
    return "0" if whole == "-0" else whole


def write_boolean(value: object) -> Json:
    """Return the boolean to write, from a boolean, 1 or 0 (also `1.0`), or a word in any case.

    Blank text is null.

    Raises:
        ConversionError: It is none of these.
    """
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        word = strip_blanks(value).lower()
        if not word:
            return None
        if word in _WORDS:
            return _WORDS[word]
        if _ONE_OR_ZERO.fullmatch(word):
            return word.startswith("1")
    elif (
        isinstance(value, (int, float, Decimal))
        and exact_decimal(value).is_finite()
        and value in {0, 1}
    ):
        return bool(value)
    hint = "Send true or false, t or f, yes or no, y or n, on or off, 1 or 0."
    raise ConversionError(code="not_a_boolean", message="not a boolean", hint=hint)


def comparable_number(value: Json) -> Decimal | None:
    """Return a number, or text that is one, in normal form, exactly; None for anything else.

    Raises:
        ConversionError: The text is not a number.
    """
    exact = _parse(value.strip()) if isinstance(value, str) else value
    if isinstance(exact, bool) or not isinstance(exact, (int, float, Decimal)):
        return None
    return exact_decimal(within_range(exact)).normalize(_EXACT) or Decimal(0)


def _parse(text: str) -> int | float | Decimal | None:
    if not text:
        return None
    if _NUMBER.fullmatch(text):
        return within_range(Decimal(text.replace(",", "")))
    reason = "its thousands are not in groups of three" if "," in text else ""
    if _CURRENCY_SIGN.search(text):
        reason = "it carries a currency, which the field would lose"
    elif "%" in text:
        reason = "whether 12% means 12 or 0.12 is not for us to guess"
    elif _DECIMAL_COMMA.fullmatch(text):
        reason = "it has a decimal comma"
    raise _not_a_number(reason)


def _not_a_number(reason: str) -> ConversionError:
    message = f"not a number: {reason}" if reason else "not a number"
    hint = "Send digits with a decimal point, such as 1234.5 or 1,234.5."
    return ConversionError("not_a_number", message, hint)


def exact_decimal(value: float | Decimal) -> Decimal:
    """Convert a float by its shortest decimal form, the one that JSON writes."""
    return Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
