"""The names behind GSIDs in a plan: labels of picklist items, and what rows were looked up by."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping

from target_gainsight.api import Field
from target_gainsight.mapping.types.picklists import label_of

MAX_NAMES = 200_000


class RowNames:
    """The rows that lookups of a run have found, by GSID; no call is made for a name.

    Args:
        max_names: The number of rows that are kept; the oldest are dropped.
    """

    def __init__(self, max_names: int = MAX_NAMES) -> None:
        self._names: OrderedDict[str, str] = OrderedDict()
        self._max_names = max_names

    def add(self, gsid: str, values: Iterable[object]) -> None:
        """Keep the values by which a row was found."""
        self._names[gsid] = ", ".join(map(str, values))
        if len(self._names) > self._max_names:
            self._names.popitem(last=False)

    def shown(self, value: object, field: Field | None) -> object:
        """Return a value with labels and names instead of the GSIDs that are known.

        Args:
            value: As it is written, or as a query returns it.
            field: The picklist that it belongs to; None for other fields.
        """
        if field is not None:
            return label_of(value, field.options or field.load_options())
        return self._named(value)

    def _named(self, value: object) -> object:
        if isinstance(value, str):
            return self._names.get(value, value)
        if isinstance(value, list):
            return [self._named(each) for each in value]
        if isinstance(value, dict):
            return {name: self._named(each) for name, each in value.items()}
        return value


def picklists(fields: Iterable[Field]) -> Mapping[str, Field]:
    """Return the fields that hold items of a picklist, by their names."""
    types = ("PICKLIST", "MULTISELECTDROPDOWNLIST")
    return {each.name: each for each in fields if each.data_type in types}
