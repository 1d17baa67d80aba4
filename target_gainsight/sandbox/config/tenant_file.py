"""Reads counts and rows of a tenant's file without serving it."""

from pathlib import Path
from typing import Any

from typing_extensions import Self

from target_gainsight.sandbox.storage.model import Field, ObjectModel
from target_gainsight.sandbox.storage.rows import names_of, read_rows
from target_gainsight.sandbox.storage.store import Store


class TenantFile:
    """The objects and rows in a tenant's SQLite file, also while a server writes to it.

    Args:
        path: an existing file; nothing is made or changed.

    Raises:
        OSError: The file is no tenant's.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._store = Store(path, read_only=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._store.close()

    def counts(self) -> dict[str, int]:
        """Count the rows of each object."""
        return {model.name: self._store.count(model) for model in self._store.models()}

    def find(self, name: str) -> str | None:
        """Return the object's name in the tenant's spelling, whatever its case, or None."""
        model = self._model(name)
        return model.name if model else None

    def rows(self, name: str, limit: int, *, named_lookups: bool = False) -> list[dict[str, Any]]:
        """Return the oldest rows of an object in readable form.

        Args:
            name: an object that the tenant has, in any case.
            limit: rows at most.
            named_lookups: show what a lookup points to by its name instead of its GSID.
        """
        model = self._model(name)
        rows = read_rows(self._store, model, limit=limit) if model else []
        if model and named_lookups:
            for field in model.relations.values():
                self._name_lookup(field, rows)
        return rows

    def _model(self, name: str) -> ObjectModel | None:
        models = {model.name.lower(): model for model in self._store.models()}
        return models.get(name.lower())

    def _name_lookup(self, field: Field, rows: list[dict[str, Any]]) -> None:
        gsids = [row[field.name] for row in rows if row[field.name]]
        names = names_of(self._store, self._model(field.lookup_object or ""), gsids)
        for row in rows:
            row[field.name] = names.get(row[field.name], row[field.name])
