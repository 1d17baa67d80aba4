"""Find the items that picklist and multi-select values name, and compare selections."""

from collections.abc import Iterable
from contextlib import suppress
from functools import cached_property

import simplejson

from target_gainsight.api import Field, Json, PicklistOption
from target_gainsight.mapping.errors import ConversionError, display
from target_gainsight.mapping.near_names import did_you_mean, suggest_names
from target_gainsight.mapping.types.numeric import NUMBERS, number_text
from target_gainsight.mapping.types.spellings import is_blank, strip_blanks
from target_gainsight.mapping.types.strings import GSID, encodable


class Picklist:
    """The items of a picklist, read when a value first needs them: describe may leave them out."""

    def __init__(self, field: Field | None) -> None:
        self._field = field

    def write_choice(self, value: object) -> str | None:
        """Return the label or GSID of an active item, unchecked if the items are not listed.

        Blanks around a label are taken off, unless the item's own label has them.
        """
        if isinstance(value, NUMBERS) and not isinstance(value, bool):
            value = number_text(value)
        if not isinstance(value, str):
            message = "neither a label nor an item's GSID"
            raise ConversionError(code="unknown_option", message=message)
        trimmed = strip_blanks(value)
        if not trimmed:
            return None
        name = value if value in self._active else trimmed
        if self._options and name not in self._active:
            raise self._no_item(name)
        return encodable(name)

    def write_selection(self, value: object) -> Json:
        """Return the labels or GSIDs of a list or text; an empty one is null."""
        names = self._split(value) if isinstance(value, str) else value
        listed = names if isinstance(names, (list, tuple)) else [names]
        chosen = [self.write_choice(name) for name in listed]
        if None in chosen:
            raise ConversionError(code="unknown_option", message="one of its items is empty")
        return list(chosen) or None

    def comparable_choice(self, value: Json) -> str | None:
        """Return the GSID of an item as written or read; None when only the tenant knows it."""
        if not isinstance(value, str):
            return None
        return value if GSID.pattern.fullmatch(value) else self._active.get(value)

    def comparable_selection(self, value: Json) -> frozenset[str | None] | None:
        """Return the GSIDs of a selection, from a list or `"gsid1;gsid2;"`."""
        names = value.split(";") if isinstance(value, str) else value
        if not isinstance(names, list):
            return None
        gsids = frozenset(self.comparable_choice(name) for name in names if name != "")
        return None if None in gsids else gsids

    @cached_property
    def _options(self) -> tuple[PicklistOption, ...]:
        if self._field is None:
            return ()
        return self._field.options or self._field.load_options()

    @cached_property
    def _active(self) -> dict[str, str | None]:
        """Label or GSID to the item's GSID; None for a label that two items share."""
        active: dict[str, str | None] = {}
        for option in filter(lambda each: each.active, self._options):
            is_new = active.get(option.label, option.gsid) == option.gsid
            active[option.label] = option.gsid if is_new else None
            active[option.gsid] = option.gsid
        return active

    def _split(self, text: str) -> object:
        """Split text that is no item itself at `;`, or else at `,`, or read it as JSON."""
        if is_blank(text):
            return []
        if text in self._active or strip_blanks(text) in self._active:
            return [text]
        if text.lstrip().startswith("["):
            with suppress(ValueError, RecursionError):
                return simplejson.loads(text)
        return [each for each in text.split(";" if ";" in text else ",") if not is_blank(each)]

    def _no_item(self, name: str) -> ConversionError:
        if any(name in {option.label, option.gsid} for option in self._options):
            message, hint = f"{display(name)} is an inactive item", "Activate it in Gainsight."
            return ConversionError("inactive_option", message, hint)
        labels = [option.label for option in self._options if option.active]
        near = did_you_mean(name, suggest_names(name, labels))
        hint = near or f"It has {display(labels)}."
        return ConversionError("unknown_option", f"the picklist has no item {display(name)}", hint)


def label_of(value: object, options: Iterable[PicklistOption]) -> object:
    """Return a choice or selection by its labels; what is no item's GSID stays as it is."""
    labels = {option.gsid: option.label for option in options}
    if isinstance(value, str) and ";" in value and value not in labels:
        value = [each for each in value.split(";") if each]
    if isinstance(value, list):
        return [labels.get(str(each), each) for each in value]
    return labels.get(str(value), value)
