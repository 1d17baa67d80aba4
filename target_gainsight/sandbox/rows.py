"""Stored rows as a person reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from target_gainsight.sandbox.store import Store, quoted
from target_gainsight.sandbox.values import readable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from target_gainsight.sandbox.model import ObjectModel


def read_rows(
    store: Store,
    model: ObjectModel,
    conditions: Iterable[tuple[str, object]] = (),
    limit: int = -1,
) -> list[dict[str, Any]]:
    """Rows as a person reads them; `conditions` are fields and stored values, -1 is no limit."""
    listed = list(conditions)
    where = "".join(f" AND {store.column(model, name)} IS ?" for name, _ in listed)
    columns = ", ".join(store.column(model, name) for name in model.fields)
    found = store.rows(
        f"SELECT {columns} FROM {quoted(model.name)} "  # noqa: S608
        f"WHERE 1{where} ORDER BY rowid LIMIT ?",
        [*(value for _, value in listed), limit],
    )
    fields = list(model.fields.values())
    return [
        {field.name: readable(field, value) for field, value in zip(fields, row, strict=True)}
        for row in found
    ]
