"""Find the items that picklist and multi-select values name, and compare selections."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import NamedTuple

import simplejson

from target_gainsight.api.http.json_codec import Json
from target_gainsight.api.resources.metadata import PicklistOption
from target_gainsight.mapping.errors import ConversionError, display
from target_gainsight.mapping.near_names import suggest_names
from target_gainsight.mapping.types.numeric import number_text
from target_gainsight.mapping.types.spellings import is_blank, strip_blanks
from target_gainsight.mapping.types.strings import GSID, encodable

_MOST_LABELS_SHOWN = 8


class Items(NamedTuple):
    """A picklist's items, indexed once.

    Attributes:
        active: What may be written, labels and GSIDs, to the item's GSID; None when two active
            items bear the label and only the tenant knows which one it takes.
        inactive: Labels and GSIDs that are known and may not be written.
    """

    active: dict[str, str | None]
    inactive: frozenset[str]

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels that may be written."""
        return tuple(name for name, gsid in self.active.items() if name != gsid)


def index_items(options: Iterable[PicklistOption]) -> Items:
    """Index a picklist's items by label and GSID."""
    active: dict[str, str | None] = {}
    inactive: set[str] = set()
    for option in options:
        if not option.active:
            inactive.update((option.label, option.gsid))
            continue
        known = active.setdefault(option.label, option.gsid)
        active[option.label] = option.gsid if known == option.gsid else None
        active[option.gsid] = option.gsid
    return Items(active, frozenset(inactive.difference(active)))


def choice(value: object, list_items: Callable[[], Items]) -> Json:
    """Return the label or GSID to write; empty text is null.

    Blanks around a label are taken off, unless the item's own label has them. A picklist whose
    items the metadata does not list is written unchecked.

    Raises:
        ConversionError: No active item has this label or GSID.
    """
    name = _name_of(value)
    if not strip_blanks(name):
        return None
    items = list_items()
    if name in items.active:
        return name
    name = strip_blanks(name)
    if name in items.active:
        return name
    if items.active or items.inactive:
        raise _no_item(name, items)
    return encodable(name)


def selection(value: object, list_items: Callable[[], Items]) -> Json:
    """Return the labels or GSIDs to write, from a list or text; an empty one is null.

    Text that is itself an item stays one, also when its label has a comma. Other text is split
    at `;`, or at `,` where it has no `;`, or read as a JSON array.

    Raises:
        ConversionError: No active item has one of the labels or GSIDs.
    """
    names = value if isinstance(value, (list, tuple)) else _split(_name_of(value), list_items)
    chosen = [choice(name, list_items) for name in names]
    if None in chosen:
        code = "unknown_option"
        raise ConversionError(code, "one of its items is empty")
    return chosen or None


def comparable_choice(value: Json, list_items: Callable[[], Items]) -> str | None:
    """Return the GSID of an item as written or read; None when only the tenant knows it."""
    if not isinstance(value, str):
        return None
    return value if GSID.fullmatch(value) else list_items().active.get(value)


def comparable_selection(value: Json, list_items: Callable[[], Items]) -> tuple[str, ...] | None:
    """Return the distinct GSIDs of a selection in order, from a list or `"gsid1;gsid2;"`."""
    names = value.split(";") if isinstance(value, str) else value
    if not isinstance(names, list):
        return None
    gsids = {comparable_choice(name, list_items) for name in names if name != ""}
    known = sorted(gsid for gsid in gsids if gsid is not None)
    return tuple(known) if len(known) == len(gsids) else None


def label_of(value: object, options: Iterable[PicklistOption]) -> object:
    """Return a choice or selection by its labels: a list for several items, else one label.

    What is no item's GSID stays as it is.
    """
    labels = {option.gsid: option.label for option in options}
    if isinstance(value, str) and ";" in value and value not in labels:
        value = [each for each in value.split(";") if each]
    if isinstance(value, list):
        return [labels.get(each, each) if isinstance(each, str) else each for each in value]
    return labels.get(value, value) if isinstance(value, str) else value


def _name_of(value: object) -> str:
    if isinstance(value, str):
        return value
    code = "unknown_option"
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
        raise ConversionError(code, "neither a label nor an item's GSID")
    try:
        return number_text(value)
    except ConversionError:
        raise ConversionError(code, "no item has so long a label") from None


def _split(text: str, list_items: Callable[[], Items]) -> list[object]:
    if is_blank(text):
        return []
    items = list_items()
    if text in items.active or strip_blanks(text) in items.active:
        return [text]
    if text.lstrip().startswith("["):
        try:
            parsed = simplejson.loads(text)
        except (ValueError, RecursionError):
            parsed = None
        return parsed if isinstance(parsed, list) else [text]
    parts = text.split(";") if ";" in text else text.split(",")
    return [part for part in parts if not is_blank(part)]


def _no_item(name: str, items: Items) -> ConversionError:
    if name in items.inactive:
        message = f"{display(name)} is an inactive item"
        return ConversionError("inactive_option", message, "Activate it in Gainsight, or map it.")
    near = suggest_names(name, items.labels)
    if near and near[0].lower() == name.lower():
        message = f"{display(name)} differs only in case from the item {display(near[0])}"
        return ConversionError("unknown_option", message, "Send the label as Gainsight has it.")
    labels = ", ".join(display(label) for label in (near or items.labels[:_MOST_LABELS_SHOWN]))
    end = ", …" if len(items.labels) > _MOST_LABELS_SHOWN else "."
    hint = f"Did you mean {labels}?" if near else f"Its items are {labels}{end}"
    return ConversionError("unknown_option", f"the picklist has no item {display(name)}", hint)
