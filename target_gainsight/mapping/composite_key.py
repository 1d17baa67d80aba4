"""One text out of several key values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_gainsight.mapping.errors import ConversionError
from target_gainsight.mapping.types.blanks import is_blank
from target_gainsight.mapping.types.strings import text_writer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_SEPARATOR = "|"
_ESCAPE = "\\"
_text_of = text_writer(None)


def join_keys(record: Mapping[str, object], names: Sequence[str]) -> str | None:
    """The values of some columns as one text, different for different values.

    Args:
        record: A record as it comes out of the stream maps.
        names: The columns.

    Returns:
        The values, separated by `|`, which a value of several is escaped for; None when one of
        them is null, blank or has no text.
    """
    values = [record.get(name) for name in names]
    if any(is_blank(value) for value in values):
        return None
    try:
        texts = [str(_text_of(value)) for value in values]
    except ConversionError:
        return None
    return texts[0] if len(texts) == 1 else _SEPARATOR.join(map(_escaped, texts))


def _escaped(text: str) -> str:
    doubled = text.replace(_ESCAPE, _ESCAPE * 2)
    return doubled.replace(_SEPARATOR, _ESCAPE + _SEPARATOR)
