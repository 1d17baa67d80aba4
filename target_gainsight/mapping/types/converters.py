"""How the values of each Gainsight data type are written and compared.

Rules that hold for every type (gainsight-api, section 6): null stays null; empty text is null
for every type but the text ones; nothing is rounded or cut, except datetimes at milliseconds;
what does not convert is refused with its reason. Null and empty text compare as equal, because
the tenant returns either for an empty field.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass

from target_gainsight.api.http.json_codec import Json
from target_gainsight.api.resources.metadata import Field
from target_gainsight.mapping.errors import ConversionError, ValueRejectedError
from target_gainsight.mapping.types import datetimes, numeric, spellings, strings
from target_gainsight.mapping.types.picklists import Picklist
from target_gainsight.settings.stream_settings import DateFormat

RICH_TEXT = "RICHTEXTAREA"
REFERENCES = ("GSID", "LOOKUP", "WHOID", "WHATID")


class Incomparable:
    """The comparable of an ambiguous value, equal to nothing: such a value is always written.

    Each is a new object, because tuples treat identical members as equal without comparing them.
    """

    def __eq__(self, other: object) -> bool:
        return False

    def __hash__(self) -> int:
        return id(self)


class Converter:
    """Converts and compares the values of one field.

    Args:
        field: As the tenant describes it, or None where only the name is known.
        date_format: How a DATE is written.
        html: Whether line breaks of rich text become `<br>`.

    Attributes:
        data_type: Its Gainsight data type; empty when unknown.
        forms: The values to query for, to find whatever compares as equal to a written one.
        is_free_text: Whether texts that differ in case, blanks or Unicode form may mean the same.
    """

    def __init__(
        self,
        name: str,
        field: Field | None = None,
        *,
        date_format: DateFormat = "iso",
        html: bool = False,
    ) -> None:
        self.field = field
        self.name = name
        self.data_type = field.data_type if field else ""
        self.length = field.length if field else None
        self.date_format = date_format
        self.html = html and self.data_type == RICH_TEXT
        self._type = _TYPES.get(self.data_type, _PLAIN) if field else _PLAIN
        self.picklist: Picklist = Picklist(field)
        self.forms = self._type.forms
        self.is_free_text = self._type.is_free_text

    def write(self, value: object) -> Json:
        """Return a source's value as a request carries it; null stays null.

        Raises:
            ValueRejectedError: The value cannot be one of the field's.
        """
        if value is None:
            return None
        try:
            return self._type.write(value, self)
        except ConversionError as unfit:
            raise ValueRejectedError(unfit.for_field(self.name, self.data_type, value)) from None

    def comparable(self, value: Json) -> Hashable:
        """Return what a value compares as, as written or as a query returns it."""
        if value is None or value == "":
            return None
        try:
            found = self._type.comparable(value, self)
        except ConversionError:
            found = None
        return Incomparable() if found is None else found


def _text(value: Json, _: Converter) -> Hashable:
    return value if isinstance(value, str) else None


@dataclass(frozen=True)
class _DataType:
    """How the values of one data type convert.

    Attributes:
        accepts: The types of JSON schema that may convert; `datetime` is text with a date format.
        write: From a source's value and the field's converter to the value of a request.
        comparable: From a written or read value to what it compares as; None where in doubt.
    """

    accepts: frozenset[str]
    write: Callable[[object, Converter], Json]
    comparable: Callable[[Json, Converter], Hashable] = _text
    forms: Callable[[Json], tuple[Json, ...]] = lambda value: (value,)
    is_free_text: bool = False


def may_convert(json_types: frozenset[str], data_type: str) -> bool:
    """Return whether a column of these JSON schema types can fit a field of this data type."""
    return not json_types or not _TYPES.get(data_type, _PLAIN).accepts.isdisjoint(json_types)


def _plain(value: Json, _: Converter) -> Hashable:
    """Tag booleans, because True equals 1 in Python."""
    if isinstance(value, bool):
        return ("boolean", value)
    return value if isinstance(value, str) else numeric.comparable_number(value)


def _untyped(value: Json, _: Converter) -> Hashable:
    """Compare a number as its text: only the tenant knows which of the two the field holds."""
    plain = _plain(value, _)
    return plain if plain is None or isinstance(value, (bool, str)) else format(plain, "f")


_STRINGS = frozenset({"string"})
_NUMBERS = _STRINGS | {"integer", "number"}
_SCALARS = _NUMBERS | {"datetime"}
_ANYTHING = _SCALARS | {"boolean", "object", "array"}

_PLAIN = _DataType(_ANYTHING, lambda value, _: strings.write_json(value), _plain, is_free_text=True)
_TEXT = _DataType(
    _ANYTHING, lambda value, to: strings.write_text(value, to.length), is_free_text=True
)
_GSID = _DataType(_STRINGS, lambda value, to: strings.write_shaped(value, strings.GSID, to.length))
_NUMBER = _DataType(
    _NUMBERS,
    lambda value, _: numeric.write_number(value),
    lambda value, _: numeric.comparable_number(value),
)
_BOOLEAN = _DataType(
    _NUMBERS | {"boolean"},
    lambda value, _: numeric.write_boolean(value),
    lambda value, _: numeric.write_boolean(value),
)

_TYPES: dict[str, _DataType] = {
    "": _DataType(_ANYTHING, _PLAIN.write, _untyped, is_free_text=True),
    **dict.fromkeys(("STRING", "JSON", "JSONSTRING", "IMAGE"), _TEXT),
    **dict.fromkeys(("NUMBER", "CURRENCY", "PERCENTAGE", "JSONNUMBER"), _NUMBER),
    **dict.fromkeys(("BOOLEAN", "JSONBOOLEAN"), _BOOLEAN),
    **dict.fromkeys(REFERENCES, _GSID),
    RICH_TEXT: _DataType(
        _ANYTHING,
        lambda value, to: (strings.write_html if to.html else strings.write_text)(value, to.length),
        lambda value, to: strings.comparable_html(value) if to.html else _text(value, to),
        is_free_text=True,
    ),
    "DATE": _DataType(
        _SCALARS,
        lambda value, to: datetimes.write_date(value, to.date_format),
        lambda value, _: datetimes.comparable_date(value),
    ),
    "DATETIME": _DataType(
        _SCALARS,
        lambda value, _: datetimes.write_datetime(value),
        lambda value, _: datetimes.comparable_datetime(value),
    ),
    "PICKLIST": _DataType(
        _SCALARS,
        lambda value, to: to.picklist.write_choice(value),
        lambda value, to: to.picklist.comparable_choice(value),
    ),
    "MULTISELECTDROPDOWNLIST": _DataType(
        _NUMBERS | {"array"},
        lambda value, to: to.picklist.write_selection(value),
        lambda value, to: to.picklist.comparable_selection(value),
    ),
    "EMAIL": _DataType(
        _STRINGS,
        lambda value, to: strings.write_email(value, to.length),
        lambda value, _: value.strip().lower() if isinstance(value, str) else None,
        is_free_text=True,
    ),
    "URL": _DataType(
        _STRINGS,
        lambda value, to: strings.write_shaped(value, strings.URL, to.length),
        is_free_text=True,
    ),
    "SFDCID": _DataType(
        _STRINGS,
        lambda value, to: strings.write_shaped(value, strings.SALESFORCE_ID, to.length),
        lambda value, _: spellings.comparable_sfdc_id(value),
        spellings.sfdc_id_forms,
    ),
}
