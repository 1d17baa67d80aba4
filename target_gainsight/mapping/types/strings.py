"""Convert text, and types that are text of a certain shape: email, URL, GSID, Salesforce id."""

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime, time
from typing import NamedTuple

import simplejson

from target_gainsight.api import Json
from target_gainsight.mapping.errors import ConversionError
from target_gainsight.mapping.types.datetimes import iso_milliseconds
from target_gainsight.mapping.types.numeric import LARGE, NUMBERS, number_text, within_range
from target_gainsight.mapping.types.spellings import INVISIBLE, SFDC_ID, is_blank, strip_blanks

_LOCAL = r"[^@\s<>,;:\"()\[\]\\.]+"
_LABEL = r"[^\W_](?:[\w-]*[^\W_])?"
_LINE_BREAK = re.compile(r"\r\n|\r|\n")
_ANY_BREAK = re.compile(r"<br\s*/?>|\r\n|\r|\n", re.IGNORECASE)
_MARKUP = re.compile(r"<(?:br|p|div|ul|ol|li|table|h[1-6])\b", re.IGNORECASE)


class Shape(NamedTuple):
    """The form of a data type's text: a pattern whose group is written, its name, and a hint."""

    pattern: re.Pattern[str]
    name: str
    hint: str


EMAIL = Shape(
    re.compile(rf"(?i:mailto:)?({_LOCAL}(?:\.{_LOCAL})*@{_LABEL}(?:\.{_LABEL})+)"),
    "an email",
    "Send one bare address, such as ann@example.com.",
)
URL = Shape(
    re.compile(r"(\S*[^\s.]\.[^\s.]\S*|[A-Za-z][A-Za-z0-9+.-]*://[^\s/]\S*)"),
    "a URL",
    "Send an address without blanks, such as https://example.com.",
)
GSID = Shape(
    re.compile(r"([0-9A-Z]{36})"),
    "a GSID",
    "A GSID has 36 digits and upper-case letters; or use a lookup.",
)
SALESFORCE_ID = Shape(SFDC_ID, "a Salesforce id", "It has 15 or 18 letters and digits.")


def write_text(value: object, length: int | None = None) -> str:
    """Return a source value as text, which stays as it is, blanks too; nothing is cut."""
    text = value if isinstance(value, str) else _text_of(value)
    if length and len(text) > length:
        message = f"it has {len(text)} characters, and the field holds {length}"
        hint = "Shorten it in a stream map; this target truncates nothing."
        raise ConversionError(code="too_long", message=message, hint=hint)
    return text if text.isascii() else encodable(text)


def write_html(value: object, length: int | None) -> str:
    """Return rich text with `<br>` for line breaks, unless it has markup of its own."""
    text = write_text(value)
    return write_text(text if _MARKUP.search(text) else _LINE_BREAK.sub("<br>", text), length)


def comparable_html(value: Json) -> str | None:
    """Return comparable rich text: line breaks and all spellings of `<br>` are equal."""
    return _ANY_BREAK.sub("<br>", value) if isinstance(value, str) else None


def write_shaped(value: object, shape: Shape, length: int | None) -> str | None:
    """Return text of one shape, stripped of blanks and invisible characters.

    An invisible character inside is refused: in an email it would create another person.
    """
    text = strip_blanks(value) if isinstance(value, str) else None
    if text == "":
        return None
    match = shape.pattern.fullmatch(text) if text else None
    if match is None or not INVISIBLE.isdisjoint(match[1]):
        code = f"not_{shape.name.replace(' ', '_').lower()}"
        raise ConversionError(code, f"not {shape.name}", shape.hint)
    return write_text(match[1], length)


def write_json(value: object) -> Json:
    """Return a source value as JSON, for a field of which nothing is known: it may hold text."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, NUMBERS):
        number = within_range(value)
        return int(number) if -LARGE < number < LARGE and number == int(number) else number
    if isinstance(value, (list, tuple)) and not any(isinstance(each, dict) for each in value):
        return [write_json(each) for each in value]
    return write_text(value)


def join_keys(record: Mapping[str, object], names: Sequence[str]) -> str | None:
    """Return the values of some columns as one text, different for different values.

    None if one is null, blank or has no text.
    """
    values = [record.get(name) for name in names]
    if any(is_blank(value) for value in values):
        return None
    with suppress(ConversionError):
        texts = [write_text(value) for value in values]
        if len(texts) > 1:
            texts = [text.replace("\\", r"\\").replace("|", r"\|") for text in texts]
        return "|".join(texts)
    return None


def encodable(text: str) -> str:
    """Return the text if it can be encoded: half of a surrogate pair cannot."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        message = f"half of a surrogate pair at position {error.start}, which is no character"
        raise ConversionError(code="not_text", message=message) from None
    return text


def _text_of(value: object) -> str:
    if isinstance(value, datetime):
        return iso_milliseconds(value)
    if isinstance(value, (date, time)):
        return value.isoformat()
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, NUMBERS):
        return number_text(value)
    if isinstance(value, (dict, list, tuple)):
        try:
            return simplejson.dumps(
                value,
                ensure_ascii=False,
                use_decimal=True,
                allow_nan=False,
                encoding=None,
                default=_text_of,
            )
        except ValueError:
            message = "a number in it is NaN or infinite, or it contains itself"
            raise ConversionError(code="not_finite", message=message) from None
        except (TypeError, RecursionError):
            pass  # refused below
    message = f"a value of type {type(value).__name__} cannot be written as JSON"
    raise ConversionError(code="unsupported_value", message=message)
