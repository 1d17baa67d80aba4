"""Join several key values into one text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from target_gainsight.mapping.errors import ConversionError
from target_gainsight.mapping.types.spellings import is_blank
from target_gainsight.mapping.types.strings import text_writer

_text_of = text_writer(None)


def join_keys(record: Mapping[str, object], names: Sequence[str]) -> str | None:
    r"""Return the values of some columns as one text, different for different values.

    Several values are separated by `|`, and `|` and `\` in them are escaped. None if a value is
    null, blank or has no text.
    """
    values = [record.get(name) for name in names]
    if any(is_blank(value) for value in values):
        return None
    try:
        texts = [str(_text_of(value)) for value in values]
    except ConversionError:
        return None
    if len(texts) == 1:
        return texts[0]
    return "|".join(text.replace("\\", r"\\").replace("|", r"\|") for text in texts)
