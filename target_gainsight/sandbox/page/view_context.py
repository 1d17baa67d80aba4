"""One look at the tenant: its file, opened so that it cannot be written, and what is configured."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from target_gainsight.sandbox.storage.model import ObjectModel
from target_gainsight.sandbox.storage.store import Store
from target_gainsight.sandbox.tenant import Tenant


class NotFoundError(LookupError):
    """The tenant does not have what a page was requested for; the message is shown."""


@dataclass(frozen=True)
class ViewContext:
    """The data of a view.

    Attributes:
        tenant: for its clock, limits and switches; its rows are read from `store`.
        store: the tenant's file.
        objects: the objects in it, by lower-case name.
        families: the limits' family of every kind of call; None where no limit holds.
    """

    tenant: Tenant
    store: Store
    objects: Mapping[str, ObjectModel]
    families: Mapping[str, str | None]

    def object_named(self, name: str) -> ObjectModel:
        """The object of this name, in any case.

        Raises:
            NotFoundError: The tenant has none.
        """
        model = self.objects.get(name.lower())
        if model is None:
            message = f"The tenant has no object {name!r}."
            raise NotFoundError(message)
        return model


@contextmanager
def open_view(tenant: Tenant, families: Mapping[str, str | None]) -> Iterator[ViewContext]:
    """Open the tenant's file for one view.

    Raises:
        OSError: The file cannot be opened any more.
    """
    store = Store(tenant.store.path, read_only=True)
    try:
        objects = {model.name.lower(): model for model in store.models()}
        yield ViewContext(tenant, store, objects, families)
    finally:
        store.close()
