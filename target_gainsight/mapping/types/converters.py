"""How the values of each Gainsight data type are written and compared.

Null stays null; empty text is null for every type but the text ones; nothing is rounded or cut,
except datetimes at milliseconds. Null and empty text compare as equal, because the tenant returns
either for an empty field.
"""

from collections.abc import Callable, Hashable
from functools import partial
from typing import NamedTuple

from target_gainsight.api import Field, Json
from target_gainsight.mapping.errors import ConversionError, FieldError, RecordRejectedError
from target_gainsight.mapping.types import datetimes, numeric, spellings, strings
from target_gainsight.mapping.types.picklists import Picklist
from target_gainsight.settings.stream_settings import DateFormat

RICH_TEXT = "RICHTEXTAREA"
REFERENCES = ("GSID", "LOOKUP", "WHOID", "WHATID")


class Converter:
    """Converts and compares the values of one field, of which only the name may be known.

    `convert` returns a value that is not null as a request carries it, or raises `ConversionError`;
    `forms` are the values to query for, to find whatever compares as equal to a written one;
    `is_free_text` if texts that differ in case, blanks or Unicode form may mean the same.
    """

    def __init__(
        self,
        name: str,
        field: Field | None = None,
        *,
        date_format: DateFormat = "iso",
        html: bool = False,
    ) -> None:
        self.name = name
        self.field = field
        self.data_type = field.data_type if field else ""
        self.length = field.length if field else None
        self.date_format = date_format
        self.picklist = Picklist(field)
        is_html = html and self.data_type == RICH_TEXT
        data_type = _TYPES.get("HTML" if is_html else self.data_type, _ANY)
        self.convert = data_type.write(self)
        self._comparable = data_type.comparable(self)
        self.forms = data_type.forms
        self.is_free_text = data_type.is_free_text

    def write(self, value: object) -> Json:
        """Return a source's value as a request carries it, or raise `RecordRejectedError`."""
        if value is None:
            return None
        try:
            return self.convert(value)
        except ConversionError as error:
            raise RecordRejectedError([self.field_error(error, value)]) from None

    def field_error(self, error: ConversionError, value: object) -> FieldError:
        """Return why this field cannot have a value."""
        return FieldError(self.name, value, self.data_type, error.code, error.message, error.hint)

    def comparable(self, value: Json) -> Hashable:
        """Return what a value compares as; an ambiguous one is a new NaN, which equals nothing."""
        if value is None or value == "":
            return None
        try:
            found = self._comparable(value)
        except ConversionError:
            found = None
        return float("nan") if found is None else found


class _DataType(NamedTuple):
    """How the values of one data type convert; the functions are made for each field.

    `comparable` makes what returns None for a value that is ambiguous.
    """

    accepts: frozenset[str]
    write: Callable[[Converter], Callable[[object], Json]]
    comparable: Callable[[Converter], Callable[[Json], Hashable]] = lambda _: _text
    forms: Callable[[Json], tuple[Json, ...]] = lambda value: (value,)
    is_free_text: bool = False


def may_convert(json_types: frozenset[str], data_type: str) -> bool:
    """Return whether a column of these JSON schema types can fit a field of this data type."""
    return not json_types or not _TYPES.get(data_type, _ANY).accepts.isdisjoint(json_types)


def _text(value: Json) -> Hashable:
    return value if isinstance(value, str) else None


def _any(value: Json) -> Hashable:
    """Compare a number as its text: only the tenant knows which of the two the field holds."""
    if isinstance(value, bool):
        return ("boolean", value)
    return numeric.number_text(value) if isinstance(value, numeric.NUMBERS) else _text(value)


def _email(value: Json) -> Hashable:
    return value.strip().lower() if isinstance(value, str) else None


def _shape_writer(shape: strings.Shape) -> Callable[[Converter], Callable[[object], Json]]:
    return lambda to: partial(strings.write_shaped, shape=shape, length=to.length)


_STRINGS = frozenset({"string"})
_NUMBERS = _STRINGS | {"integer", "number"}
_SCALARS = _NUMBERS | {"datetime"}
_ANYTHING = _SCALARS | {"boolean", "object", "array"}

_ANY = _DataType(_ANYTHING, lambda _: strings.write_json, lambda _: _any, is_free_text=True)
_TEXT = _DataType(
    _ANYTHING, lambda to: partial(strings.write_text, length=to.length), is_free_text=True
)
_NUMBER = _DataType(_NUMBERS, lambda _: numeric.write_number, lambda _: numeric.comparable_number)
_BOOLEAN = _DataType(
    _NUMBERS | {"boolean"}, lambda _: numeric.write_boolean, lambda _: numeric.write_boolean
)

_TYPES: dict[str, _DataType] = {
    **dict.fromkeys(("STRING", "JSON", "JSONSTRING", "IMAGE", RICH_TEXT), _TEXT),
    **dict.fromkeys(("NUMBER", "CURRENCY", "PERCENTAGE", "JSONNUMBER"), _NUMBER),
    **dict.fromkeys(("BOOLEAN", "JSONBOOLEAN"), _BOOLEAN),
    **dict.fromkeys(REFERENCES, _DataType(_STRINGS, _shape_writer(strings.GSID))),
    "HTML": _DataType(
        _ANYTHING,
        lambda to: partial(strings.write_html, length=to.length),
        lambda _: strings.comparable_html,
        is_free_text=True,
    ),
    "DATE": _DataType(
        _SCALARS,
        lambda to: partial(datetimes.write_date, date_format=to.date_format),
        lambda _: datetimes.comparable_date,
    ),
    "DATETIME": _DataType(
        _SCALARS, lambda _: datetimes.write_datetime, lambda _: datetimes.comparable_datetime
    ),
    "PICKLIST": _DataType(
        _SCALARS, lambda to: to.picklist.write_choice, lambda to: to.picklist.comparable_choice
    ),
    "MULTISELECTDROPDOWNLIST": _DataType(
        _NUMBERS | {"array"},
        lambda to: to.picklist.write_selection,
        lambda to: to.picklist.comparable_selection,
    ),
    "EMAIL": _DataType(_STRINGS, _shape_writer(strings.EMAIL), lambda _: _email, is_free_text=True),
    "URL": _DataType(_STRINGS, _shape_writer(strings.URL), is_free_text=True),
    "SFDCID": _DataType(
        _STRINGS,
        _shape_writer(strings.SALESFORCE_ID),
        lambda _: spellings.comparable_sfdc_id,
        spellings.sfdc_id_forms,
    ),
}
