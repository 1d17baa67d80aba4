"""Converts the cells of a CSV to the values of a call. What does not convert stays text."""

import json
from collections.abc import Callable

from target_gainsight.sandbox.storage.model import JSON_TYPES, NUMBER_TYPES, ObjectModel

Read = Callable[[str], object]

_BOOLEANS = {"true": True, "false": False}


def cell_readers(model: ObjectModel) -> dict[str, Read]:
    """Return the converters of cells by field name; an empty cell is a null."""
    return {field.name: _reader(field.data_type) for field in model.fields.values()}


def _reader(data_type: str) -> Read:
    read = _READERS.get(data_type)
    if read is None:
        return lambda text: text or None
    return lambda text: read(text) if text else None


def _number(text: str) -> object:
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return value if isinstance(value, (int, float)) else text


_READERS: dict[str, Read] = {
    **dict.fromkeys(NUMBER_TYPES, _number),
    **dict.fromkeys(JSON_TYPES, lambda text: text),
    "BOOLEAN": lambda text: _BOOLEANS.get(text.lower(), text),
    "MULTISELECTDROPDOWNLIST": lambda text: [each for each in text.split(";") if each],
}
