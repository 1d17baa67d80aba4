"""Convert text, and types that are text of a certain format: email, URL, GSID, Salesforce id.

`plain_json` converts values for a field of which nothing is known.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime, time
from decimal import Decimal

import simplejson

from target_gainsight.api.http.json_codec import Json
from target_gainsight.mapping.errors import ConversionError
from target_gainsight.mapping.types.datetimes import iso_milliseconds
from target_gainsight.mapping.types.numeric import number_text, whole_as_integer
from target_gainsight.mapping.types.spellings import first_invisible, strip_blanks

_LOCAL = r"[^@\s<>,;:\"()\[\]\\.]+"
_LABEL = r"[^\W_](?:[\w-]*[^\W_])?"
EMAIL = re.compile(rf"{_LOCAL}(?:\.{_LOCAL})*@{_LABEL}(?:\.{_LABEL})+")
URL = re.compile(r"\S*[^\s.]\.[^\s.]\S*|[A-Za-z][A-Za-z0-9+.-]*://[^\s/]\S*")
GSID = re.compile(r"[0-9A-Z]{36}")
_LINE_BREAK = re.compile(r"\r\n|\r|\n")
_ANY_BREAK = re.compile(r"<br\s*/?>|\r\n|\r|\n", re.IGNORECASE)
_MARKUP = re.compile(r"<(?:br|p|div|ul|ol|li|table|h[1-6])\b", re.IGNORECASE)
_MAILTO = re.compile(r"\Amailto:", re.IGNORECASE)
_EMAIL_HINT = "Send one bare address, such as ann@example.com."


def text_writer(length: int | None) -> Callable[[object], Json]:
    """Return a function that converts a source value to the text of a field of this length.

    Text stays as it is, blanks too. Numbers become their digits, of a whole one without `.0`;
    booleans, dates and times become their plain text, objects and arrays JSON text. What is too
    long is refused, never cut.
    """

    def write(value: object) -> Json:
        text = value if isinstance(value, str) else _text_of(value)
        if length and len(text) > length:
            raise _too_long(text, length)
        return text if text.isascii() else encodable(text)

    return write


def html_writer(length: int | None) -> Callable[[object], Json]:
    """Like `text_writer`, for rich text: line breaks become `<br>`, so that they are displayed.

    Text that has markup of its own stays as it is.
    """
    write_text = text_writer(None)

    def write(value: object) -> Json:
        text = write_text(value)
        if not isinstance(text, str):
            return text
        html = text if _MARKUP.search(text) else _LINE_BREAK.sub("<br>", text)
        if length and len(html) > length:
            raise _too_long(html, length)
        return html

    return write


def comparable_html(value: Json) -> str | None:
    """Return comparable rich text: line breaks and all spellings of `<br>` are equal."""
    return _ANY_BREAK.sub("<br>", value) if isinstance(value, str) else None


def shaped_writer(
    pattern: re.Pattern[str], kind: str, hint: str, length: int | None
) -> Callable[[object], Json]:
    """Like `text_writer`, for text that must match a pattern.

    Blanks and invisible characters around it are taken off.

    Args:
        pattern: Matches the whole text.
        kind: The name of the format with its article, as in `an email`.
        hint: What to send instead.
        length: The field's length, or None.
    """

    def write(value: object) -> Json:
        text = strip_blanks(value) if isinstance(value, str) else None
        if text == "":
            return None
        if text is None or not pattern.fullmatch(text):
            code = f"not_{kind}".replace(" ", "_").lower()
            raise ConversionError(code, f"not {kind}", hint)
        if length and len(text) > length:
            raise _too_long(text, length)
        return encodable(text)

    return write


def email_writer(length: int | None) -> Callable[[object], Json]:
    """Return a function that converts a source value to a bare address.

    Blanks and invisible characters around it and a leading `mailto:` are taken off. Invisible
    characters inside it are refused: they would create another person.
    """
    write_shaped = shaped_writer(EMAIL, "an email", _EMAIL_HINT, length)

    def write(value: object) -> Json:
        address = _MAILTO.sub("", strip_blanks(value)) if isinstance(value, str) else value
        written = write_shaped(address)
        hidden = first_invisible(written) if isinstance(written, str) else None
        if hidden is not None:
            code = "not_an_email"
            raise ConversionError(code, f"it holds the invisible character {hidden}", _EMAIL_HINT)
        return written

    return write


def plain_json(value: object) -> Json:
    """Return a source value as JSON: text, numbers, booleans and null stay, objects become text.

    A whole number is written without a fraction, because the field may hold text. A datetime
    carries milliseconds and an offset (none = UTC); a list stays a list, unless it
    holds objects.

    Raises:
        ConversionError: NaN, infinity, or nothing that Singer knows.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return encodable(value)
    if isinstance(value, (int, float, Decimal)):
        return whole_as_integer(value)
    if isinstance(value, (list, tuple)) and not any(isinstance(each, dict) for each in value):
        try:
            return [plain_json(each) for each in value]
        except RecursionError:
            raise _no_singer_value(value) from None
    return encodable(_text_of(value))


def encodable(text: str) -> str:
    """Return the text if it can be encoded.

    Raises:
        ConversionError: It holds half of a surrogate pair.
    """
    try:
        text.encode()
    except UnicodeEncodeError as error:
        code = "not_text"
        message = f"half of a surrogate pair at position {error.start}, which is no character"
        raise ConversionError(code, message) from None
    return text


def _text_of(value: object) -> str:
    if isinstance(value, datetime):
        try:
            return iso_milliseconds(value)
        except OverflowError:
            raise _no_singer_value(value) from None
    if isinstance(value, (date, time)):
        return value.isoformat()
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float, Decimal)):
        return number_text(value)
    return _json_text(value)


def _json_text(value: object) -> str:
    if not isinstance(value, (dict, list, tuple)):
        raise _no_singer_value(value)
    try:
        return simplejson.dumps(
            value,
            ensure_ascii=False,
            use_decimal=True,
            allow_nan=False,
            encoding=None,
            default=_text_of,
        )
    except ConversionError:
        raise
    except ValueError:
        code = "not_finite"
        message = "a number in it is NaN or infinite, or it contains itself"
        raise ConversionError(code, message) from None
    except (TypeError, RecursionError):
        raise _no_singer_value(value) from None


def _no_singer_value(value: object) -> ConversionError:
    return ConversionError("unsupported_value", f"no Singer value: {type(value).__name__}")


def _too_long(text: str, length: int) -> ConversionError:
    message = f"{len(text)} characters, and the field holds {length}"
    return ConversionError("too_long", message, "Shorten it in a stream map: nothing is cut here.")
