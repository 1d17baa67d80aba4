"""How the values of each Gainsight data type are written and compared.

Rules that hold for every type (gainsight-api, section 6): null stays null; empty text is null
for every type but the text ones; nothing is rounded or cut, except datetimes at milliseconds;
what does not convert is refused with its reason. Null and empty text compare as equal, because
the tenant returns either for an empty field.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import cache

from target_gainsight.api.http.json_codec import Json
from target_gainsight.api.resources.metadata import Field
from target_gainsight.mapping.errors import ConversionError, ValueRejectedError
from target_gainsight.mapping.types.datetimes import (
    DateFormat,
    comparable_date,
    comparable_datetime,
    date_writer,
    written_datetime,
)
from target_gainsight.mapping.types.numeric import (
    boolean,
    comparable_number,
    number,
)
from target_gainsight.mapping.types.picklists import (
    Items,
    choice,
    comparable_choice,
    comparable_selection,
    index_items,
    selection,
)
from target_gainsight.mapping.types.salesforce_ids import (
    SFDC_ID,
    comparable_sfdc_id,
    sfdc_id_forms,
)
from target_gainsight.mapping.types.strings import (
    GSID,
    URL,
    comparable_html,
    email_writer,
    html_writer,
    plain_json,
    shaped_writer,
    text_writer,
)

Write = Callable[[object], Json]
Compare = Callable[[Json], Hashable]
Forms = Callable[[Json], tuple[Json, ...]]


class Incomparable:
    """The comparable of an ambiguous value, equal to nothing: such a value is always written.

    Each is a new object, because tuples treat identical members as equal without comparing them.
    """

    def __eq__(self, other: object) -> bool:
        return False

    def __hash__(self) -> int:
        return id(self)


RICH_TEXT = "RICHTEXTAREA"


@dataclass(frozen=True)
class Converter:
    """How the values of one field are written and compared; compiled once.

    Attributes:
        field: The field, or None where the object's metadata is unknown.
        write: A source's value to the value in a request; raises `ValueRejectedError` only.
        written_comparable: A written value to what it compares as; `Incomparable` in doubt.
        read_comparable: A value as a query returns it to what it compares as.
        forms: The values to query for, to find whatever compares as equal to a written one.
        is_free_text: Whether texts that differ in case, blanks or Unicode form may mean the same.
    """

    field: Field | None
    write: Write
    written_comparable: Compare
    read_comparable: Compare
    forms: Forms
    is_free_text: bool


@dataclass(frozen=True)
class _DataType:
    """One row of the table.

    Attributes:
        accepts: The types of JSON schema that may convert; `datetime` is text with a date format.
        write: From the field and the date format to the function that converts a value.
        compare: From the field to the function that makes a comparable; None where in doubt.
        forms: The values that compare as equal to a written one.
        is_free_text: Whether texts that differ in case, blanks or Unicode form may mean the same.
    """

    accepts: frozenset[str]
    write: Callable[[Field, DateFormat], Write]
    compare: Callable[[Field], Compare]
    forms: Forms = lambda value: (value,)
    is_free_text: bool = False


def converter_for(
    field: Field, *, date_format: DateFormat = "iso", html: bool = False
) -> Converter:
    """Compile the converter of a field.

    Args:
        field: The field as the tenant describes it.
        date_format: How a DATE is written.
        html: Whether line breaks of rich text become `<br>`.
    """
    row = _TABLE.get(field.data_type, _PLAIN)
    if html and field.data_type == RICH_TEXT:
        row = _HTML
    write = _with_field_error(field.name, field.data_type, row.write(field, date_format))
    compare = _comparable_or_ambiguous(row.compare(field))
    return Converter(field, write, compare, compare, row.forms, row.is_free_text)


def plain_converter(name: str) -> Converter:
    """Return the converter of a field of which only the name is known."""
    write = _with_field_error(name, "", plain_json)
    return Converter(
        None, write, plain_comparable, plain_comparable, _PLAIN.forms, _PLAIN.is_free_text
    )


def plain_value(value: object) -> Json:
    """Return a source value as it is written when nothing is known of the field.

    Raises:
        ValueRejectedError: NaN, infinity, or nothing that Singer knows.
    """
    return _PLAIN_WRITE(value)


def may_convert(json_types: frozenset[str], data_type: str) -> bool:
    """Return whether a column of these JSON schema types can fit a field of this data type."""
    return not json_types or not _TABLE.get(data_type, _PLAIN).accepts.isdisjoint(json_types)


def _with_field_error(name: str, data_type: str, convert: Write) -> Write:
    def write(value: object) -> Json:
        if value is None:
            return None
        try:
            return convert(value)
        except ConversionError as unfit:
            raise ValueRejectedError(unfit.for_field(name, data_type, value)) from None

    return write


def _comparable_or_ambiguous(compare: Compare) -> Compare:
    def comparable(value: Json) -> Hashable:
        if value is None or value == "":
            return None
        try:
            found = compare(value)
        except ConversionError:
            return Incomparable()
        return Incomparable() if found is None else found

    return comparable


def _text(value: Json) -> Hashable:
    return value if isinstance(value, str) else None


def _caseless(value: Json) -> Hashable:
    return value.strip().lower() if isinstance(value, str) else None


def _plain(value: Json) -> Hashable:
    """Tag booleans, because True equals 1 in Python."""
    if isinstance(value, bool):
        return ("boolean", value)
    return value if isinstance(value, str) else comparable_number(value)


def _untyped(value: Json) -> Hashable:
    """Compare a number as its text: only the tenant knows which of the two the field holds."""
    if isinstance(value, (bool, str)):
        return _plain(value)
    exact = comparable_number(value)
    return None if exact is None else format(exact, "f")


plain_comparable: Compare = _comparable_or_ambiguous(_plain)
"""The comparable of a value of a field of which nothing is known."""

_PLAIN_WRITE = _with_field_error("", "", plain_json)


def _always(write: Write) -> Callable[[Field, DateFormat], Write]:
    return lambda _field, _date_format: write


def _shaped(pattern: re.Pattern[str], kind: str, hint: str) -> Callable[[Field, DateFormat], Write]:
    return lambda field, _date_format: shaped_writer(pattern, kind, hint, field.length)


def _picklist(
    choose: Callable[..., Json], compare: Callable[..., Hashable]
) -> tuple[Callable[[Field, DateFormat], Write], Callable[[Field], Compare]]:
    """Bind a picklist's items to the functions that need them."""

    def write(field: Field, _date_format: DateFormat) -> Write:
        list_items = _lazy_items(field)
        return lambda value: choose(value, list_items)

    def comparing(field: Field) -> Compare:
        list_items = _lazy_items(field)
        return lambda value: compare(value, list_items)

    return write, comparing


def _lazy_items(field: Field) -> Callable[[], Items]:
    """Index a picklist's items when a value needs them first: describe may leave them out."""
    return cache(lambda: index_items(field.options or field.load_options()))


_ANYTHING = frozenset({"string", "datetime", "integer", "number", "boolean", "object", "array"})
_SCALARS = frozenset({"string", "datetime", "integer", "number"})
_NUMBERS = frozenset({"string", "integer", "number"})
_STRINGS = frozenset({"string"})


_PLAIN = _DataType(_ANYTHING, _always(plain_json), lambda _: _plain, is_free_text=True)
_UNTYPED = _DataType(_ANYTHING, _always(plain_json), lambda _: _untyped, is_free_text=True)
_TEXT = _DataType(
    _ANYTHING,
    lambda field, _date_format: text_writer(field.length),
    lambda _field: _text,
    is_free_text=True,
)
_HTML = _DataType(
    _ANYTHING,
    lambda field, _date_format: html_writer(field.length),
    lambda _field: comparable_html,
    is_free_text=True,
)
_NUMBER = _DataType(_NUMBERS, _always(number), lambda _field: comparable_number)
_BOOLEAN = _DataType(_NUMBERS | {"boolean"}, _always(boolean), lambda _field: boolean)
_GSID = _DataType(
    _STRINGS,
    _shaped(GSID, "a GSID", "A GSID has 36 digits and upper-case letters; or use a lookup."),
    lambda _field: _text,
)

_TABLE: dict[str, _DataType] = {
    "": _UNTYPED,
    **dict.fromkeys(("STRING", RICH_TEXT, "JSON", "JSONSTRING", "IMAGE"), _TEXT),
    **dict.fromkeys(("NUMBER", "CURRENCY", "PERCENTAGE", "JSONNUMBER"), _NUMBER),
    **dict.fromkeys(("BOOLEAN", "JSONBOOLEAN"), _BOOLEAN),
    **dict.fromkeys(("GSID", "LOOKUP", "WHOID", "WHATID"), _GSID),
    "DATE": _DataType(
        _SCALARS,
        lambda _field, date_format: date_writer(date_format),
        lambda _field: comparable_date,
    ),
    "DATETIME": _DataType(
        _SCALARS,
        _always(written_datetime),
        lambda _field: comparable_datetime,
    ),
    "PICKLIST": _DataType(_SCALARS, *_picklist(choice, comparable_choice)),
    "MULTISELECTDROPDOWNLIST": _DataType(
        _NUMBERS | {"array"},
        *_picklist(selection, comparable_selection),
    ),
    "EMAIL": _DataType(
        _STRINGS,
        lambda field, _date_format: email_writer(field.length),
        lambda _field: _caseless,
        is_free_text=True,
    ),
    "URL": _DataType(
        _STRINGS,
        _shaped(URL, "a URL", "Send an address without blanks, such as https://example.com."),
        lambda _field: _text,
        is_free_text=True,
    ),
    "SFDCID": _DataType(
        _STRINGS,
        _shaped(SFDC_ID, "a Salesforce id", "It has 15 or 18 letters and digits."),
        lambda _field: comparable_sfdc_id,
        sfdc_id_forms,
    ),
}
