"""Filters and sorting of the rows of an object, by what the page shows and not by what is stored.

A filter on a picklist goes by labels, one on a lookup by the name of the record it points to.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from target_gainsight.sandbox.page.view_context import ViewContext
from target_gainsight.sandbox.storage.filter_expression import Condition
from target_gainsight.sandbox.storage.model import NUMBER_TYPES, PICKLIST_TYPES, Field, ObjectModel
from target_gainsight.sandbox.storage.rows import naming_fields
from target_gainsight.sandbox.storage.store import quoted

OPERATORS = {
    "contains": "contains",
    "is": "is",
    "is_not": "is not",
    "at_least": "is at least",
    "at_most": "is at most",
    "empty": "is empty",
    "filled": "is not empty",
}
"""The operators of filters, with their labels on the page. Case is ignored."""

MOST_FILTERS = 8
_NEED_NO_VALUE = frozenset({"empty", "filled"})
_BOUNDS = {"at_least": ">=", "at_most": "<="}


class FilterError(ValueError):
    """A filter that makes no sense; the message is for whoever typed it."""


@dataclass(frozen=True)
class Filter:
    """One line of the form: a field, what is asked of it, and the text to compare with."""

    field: str
    operator: str
    text: str

    @property
    def is_blank(self) -> bool:
        """True if the line is not filled in yet."""
        return not self.field or (not self.text and self.operator not in _NEED_NO_VALUE)


def filters_from(
    fields: Sequence[str], operators: Sequence[str], texts: Sequence[str]
) -> list[Filter]:
    """The lines that a form sent and that ask something, as many as are allowed."""
    lines = (Filter(*line) for line in zip(fields, operators, texts, strict=False))
    return [line for line in lines if not line.is_blank][:MOST_FILTERS]


def condition_of(view: ViewContext, model: ObjectModel, filters: Iterable[Filter]) -> Condition:
    """All of the filters as one SQL condition over the object's table, called `t`.

    Raises:
        FilterError: A field or an operator that does not exist, or text that is no number.
    """
    parts = ["1"]
    values: list[object] = []
    for each in filters:
        if each.operator not in OPERATORS:
            message = f"There is no filter {each.operator!r}."
            raise FilterError(message)
        if each.field not in model.fields:
            message = f"{model.name} has no field {each.field!r}."
            raise FilterError(message)
        sql, given = _condition(view, model, each)
        parts.append(f"({sql})")
        values.extend(given)
    return " AND ".join(parts), values


def order_of(
    view: ViewContext, model: ObjectModel, field: str, *, descending: bool
) -> Condition | None:
    """Return SQL that sorts the object's table `t` by a field, empty values last.

    Returns:
        None without a field.

    Raises:
        FilterError: The object has no such field.
    """
    if not field:
        return None
    if field not in model.fields:
        message = f"{model.name} has no field {field!r}."
        raise FilterError(message)
    column = f"t.{view.store.column(model, field)}"
    by_number = model.fields[field].data_type in NUMBER_TYPES
    sql, values = (column, []) if by_number else _shown(view, model.fields[field], column)
    direction = "DESC" if descending else "ASC"
    empty_last = f"coalesce({column}, '') = ''"
    return f"{empty_last}, {sql} COLLATE NOCASE {direction}", values


def _condition(view: ViewContext, model: ObjectModel, wanted: Filter) -> Condition:
    field = model.fields[wanted.field]
    column = f"t.{view.store.column(model, wanted.field)}"
    if wanted.operator in _NEED_NO_VALUE:
        sql = f"{column} IS NULL OR {column} = ''"
        return (sql if wanted.operator == "empty" else f"NOT ({sql})"), []
    if field.data_type in NUMBER_TYPES and wanted.operator != "contains":
        return _compared_number(column, wanted)
    shown, values = _shown(view, field, column)
    if wanted.operator == "contains":
        return f"instr(lower({shown}), lower(?)) > 0", [*values, wanted.text]
    comparison = {"is": "IS", "is_not": "IS NOT", **_BOUNDS}[wanted.operator]
    return f"lower({shown}) {comparison} lower(?)", [*values, wanted.text]


def _compared_number(column: str, wanted: Filter) -> Condition:
    try:
        number = float(wanted.text.replace(",", ""))
    except ValueError:
        message = f"{wanted.field} holds numbers, and {wanted.text!r} is none."
        raise FilterError(message) from None
    comparison = {"is": "=", "is_not": "IS NOT", **_BOUNDS}[wanted.operator]
    return f"{column} {comparison} ?", [number]


def _shown(view: ViewContext, field: Field, column: str) -> Condition:
    """The SQL of a field's value as the page shows it, as text."""
    if field.data_type in PICKLIST_TYPES:
        return _labels(field, column)
    if field.data_type == "DATETIME":
        return f"strftime('%Y-%m-%dT%H:%M:%fZ', {column} / 1000.0, 'unixepoch')", []
    if field.data_type == "BOOLEAN":
        return f"CASE {column} WHEN 1 THEN 'true' WHEN 0 THEN 'false' END", []
    target = view.objects.get((field.lookup_object or "").lower())
    naming = naming_fields(target) if target else []
    if target and naming:
        names = ", ".join(f"named.{view.store.column(target, name)}" for name in naming)
        return (
            f'coalesce((SELECT coalesce({names}, named."Gsid") FROM {quoted(target.name)} '  # noqa: S608
            f'AS named WHERE named."Gsid" = {column}), {column})'
        ), []
    return f"CAST({column} AS TEXT)", []


def _labels(field: Field, column: str) -> Condition:
    labels = json.dumps([[option.gsid, option.label] for option in field.options])
    chosen = f"""json_each('["' || replace(trim({column}, ';'), ';', '","') || '"]')"""
    return (
        "(SELECT group_concat(coalesce(json_extract(item.value, '$[1]'), chosen.value), ', ')"  # noqa: S608
        f" FROM {chosen} AS chosen LEFT JOIN json_each(?) AS item"
        " ON json_extract(item.value, '$[0]') = chosen.value)"
    ), [labels]
