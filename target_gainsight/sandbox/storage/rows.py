"""Stored rows as a person reads them."""

from collections.abc import Collection, Iterable
from typing import Any

from target_gainsight.sandbox.storage.filter_expression import Condition
from target_gainsight.sandbox.storage.model import ObjectModel
from target_gainsight.sandbox.storage.store import Store, quoted
from target_gainsight.sandbox.storage.values import readable

_NAMING_FIELDS = ("Name", "Email")


def read_rows(
    store: Store,
    model: ObjectModel,
    conditions: Iterable[tuple[str, object]] = (),
    limit: int = -1,
) -> list[dict[str, Any]]:
    """Return rows in readable form; `conditions` are fields and stored values, -1 is no limit."""
    listed = list(conditions)
    where = "".join(f" AND {store.column(model, name)} IS ?" for name, _ in listed)
    return select_rows(store, model, (f"1{where}", [value for _, value in listed]), limit=limit)


def select_rows(
    store: Store,
    model: ObjectModel,
    condition: Condition,
    *,
    newest_first: bool = False,
    order: Condition | None = None,
    limit: int = -1,
    offset: int = 0,
) -> list[dict[str, Any]]:
    """Return the rows that match an SQL condition, in readable form.

    Args:
        store: where they are.
        model: their object; `condition` is over its table.
        condition: SQL, and the values of its marks.
        newest_first: the other order than the one they were made in.
        order: SQL to sort by first, and the values of its marks.
        limit: rows at most; -1 is no limit.
        offset: rows left out before them.
    """
    where, values = condition
    columns = ", ".join(store.column(model, name) for name in model.fields)
    age = f"t.rowid {'DESC' if newest_first else 'ASC'}"
    sorting, sorted_by = order or ("", [])
    found = store.rows(
        f"SELECT {columns} FROM {quoted(model.name)} AS t "  # noqa: S608
        f"WHERE {where} ORDER BY {', '.join(filter(None, (sorting, age)))} LIMIT ? OFFSET ?",
        [*values, *sorted_by, limit, offset],
    )
    fields = list(model.fields.values())
    return [
        {field.name: readable(field, value) for field, value in zip(fields, row, strict=True)}
        for row in found
    ]


def naming_fields(model: ObjectModel) -> list[str]:
    """Return the fields that name a row, the best one first."""
    return [name for name in _NAMING_FIELDS if name in model.fields]


def names_of(store: Store, model: ObjectModel | None, gsids: Collection[str]) -> dict[str, str]:
    """Return the names of these rows of an object by GSID; empty for rows without a name."""
    naming = naming_fields(model) if model else []
    return store.texts(model, naming, gsids) if model and naming else {}
