"""What all streams of one run share: the client, the ledger, the batches in flight, the objects."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from target_gainsight.api import (
    AccessDeniedError,
    RefusedError,
    UnavailableError,
)
from target_gainsight.loading.dry_run.overlay import PlannedParents
from target_gainsight.loading.lookups.index import LookupIndex, SeenParents
from target_gainsight.loading.object_schemas import ObjectSchemas
from target_gainsight.loading.outcomes import RunStoppedError
from target_gainsight.loading.reading.seen_keys import SeenKeys
from target_gainsight.loading.references import WatchedFields
from target_gainsight.mapping.errors import display
from target_gainsight.settings import OBJECT_NAMES, AmbiguousPatternError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from target_gainsight.api import Clock, GainsightClient, ObjectSchema
    from target_gainsight.loading.bulk.upload_journal import UploadJournal
    from target_gainsight.loading.call_pool import CallPool
    from target_gainsight.loading.dry_run.plan import Plan
    from target_gainsight.loading.settling.checkpoint import Checkpoint
    from target_gainsight.loading.settling.ledger import Ledger
    from target_gainsight.loading.settling.summary import Summary
    from target_gainsight.settings import Settings, StreamSettings

logger = logging.getLogger(__name__)

UPLOADS = "bulk"
"""The folder of bulk files and notes, in that of the rejects: it must outlive the run, too."""


class LoadingSink(Protocol):
    """What a run asks of the sinks that load."""

    @property
    def object_name(self) -> str:
        """The object it loads into."""

    @property
    def is_loading(self) -> bool:
        """Whether it is in the middle of a group."""

    def settle(self) -> None:
        """Load and settle everything taken so far, but for records that wait for their parent."""


@dataclass
class Run:
    """One run.

    Attributes:
        settings: The configuration.
        client: Calls the tenant.
        clock: Tells the time and waits.
        checkpoint: Knows which state is covered.
        summary: Counts.
        ledger: Takes the outcomes.
        pool: The batches in flight.
        plan: What would be written, in a dry run.
        sinks: Those that load, in the order of their SCHEMA messages.
    """

    settings: Settings
    client: GainsightClient
    clock: Clock
    checkpoint: Checkpoint
    summary: Summary
    ledger: Ledger
    pool: CallPool
    plan: Plan | None = None
    sinks: list[LoadingSink] = field(default_factory=list)
    _uploads: UploadJournal | None = None
    _undescribed: set[str] = field(default_factory=set)
    _seen_keys: dict[tuple[str, tuple[str, ...]], SeenKeys] = field(default_factory=dict)

    @cached_property
    def schemas(self) -> ObjectSchemas:
        """The metadata of objects."""
        return ObjectSchemas(self.client.metadata, self.settings)

    @cached_property
    def lookups(self) -> LookupIndex:
        """What is known of other objects' rows."""
        planned = self.planned_parents if self.plan is not None else None
        return LookupIndex(self.client.records, self._settle_object, planned)

    @cached_property
    def rejected_parents(self) -> SeenParents:
        """The rejected records that others of this run may refer to."""
        return SeenParents(self._watched())

    @cached_property
    def planned_parents(self) -> PlannedParents:
        """In a dry run, the records that would be written and others may refer to."""
        return PlannedParents(self._watched())

    @property
    def uploads(self) -> UploadJournal:
        """The journal of uploads, made for the first stream that needs it."""
        from target_gainsight.loading.bulk.upload_journal import UploadJournal  # noqa: PLC0415 - few upload

        if self._uploads is None:
            folder = self.settings.rejection.path / UPLOADS
            self._uploads = UploadJournal(folder, _tenant_name(self.settings), self.summary.run)
        return self._uploads

    def _watched(self) -> WatchedFields:
        """List the objects and match fields that lookups of this run use."""
        streams = (self.settings.default_stream, *self.settings.streams.values())
        return WatchedFields(each for stream in streams if stream for each in _looked_up(stream))

    def close(self) -> None:
        """Let other runs have what this one has reserved."""
        if self._uploads is not None:
            self._uploads.close()

    def settle_others(self, sink: LoadingSink) -> None:
        """Settle what other streams hold for a sink's object, so that the order is the input's.

        Args:
            sink: The sink that is about to load a group.
        """
        for other in self._others(sink):
            if not other.is_loading:
                other.settle()

    def seen_keys(self, object_name: str, names: tuple[str, ...]) -> SeenKeys:
        """Return the keys of an object that this run has found or created so far.

        Args:
            object_name: The object.
            names: The lookup keys.
        """
        key = (object_name.lower(), names)
        if key not in self._seen_keys:
            self._seen_keys[key] = SeenKeys()
        return self._seen_keys[key]

    def add_sink(self, sink: LoadingSink) -> None:
        """Take note of one more sink that loads.

        Args:
            sink: The sink.
        """
        self.sinks.append(sink)

    def _others(self, sink: LoadingSink) -> list[LoadingSink]:
        name = sink.object_name.lower()
        return [
            each for each in self.sinks if each is not sink and each.object_name.lower() == name
        ]

    def _settle_object(self, object_name: str) -> None:
        """Settle everything buffered or in flight for an object."""
        for sink in tuple(self.sinks):
            if sink.object_name.lower() == object_name.lower() and not sink.is_loading:
                sink.settle()

    def stream_settings(self, stream: str) -> StreamSettings:
        """Find how a stream is loaded.

        Args:
            stream: Its name as it comes out of the stream maps.

        Returns:
            The stream's settings.

        Raises:
            RunStoppedError: No setting routes it, or two patterns do.
        """
        try:
            settings = self.settings.for_stream(stream)
        except AmbiguousPatternError as error:
            raise RunStoppedError(str(error)) from error
        if settings is None:
            name = display(stream)
            message = (
                f"stream {name} is not routed to an object. Set object_type for all streams, or "
                f"add an entry under streams ({name}: {{object_type: company}}). To leave the "
                f"stream out, add it to stream_maps ({name}: __NULL__)."
            )
            raise RunStoppedError(message)
        return settings

    def describe(self, object_name: str) -> ObjectSchema | None:
        """Read an object's metadata, once per object and run.

        Args:
            object_name: The object's API name.

        Returns:
            The object, or None when its metadata cannot be read: then nothing is checked.

        Raises:
            RunStoppedError: The tenant has no such object.
            GainsightError: The credential is not valid or the tenant cannot be reached.
        """
        name = object_name.lower()
        if name in self._undescribed:
            return None
        try:
            return self.schemas.get(object_name)
        except (AccessDeniedError, RefusedError, UnavailableError) as error:
            self._undescribed.add(name)
            logger.warning(
                "the metadata of %s cannot be read (%s); its fields and values are not checked "
                "before they are written",
                object_name,
                error,
            )
            return None


def _tenant_name(settings: Settings) -> str:
    """Name the tenant that uploads go to: by its address, or the embedded tenant's file."""
    connection = settings.connection
    path = connection.sandbox_path
    return connection.base_url if path is None else f"sandbox:{path.absolute()}"


def _looked_up(stream: StreamSettings) -> Iterator[tuple[str, tuple[str, ...]]]:
    for lookup in stream.lookups.values():
        yield lookup.object_name, tuple(lookup.fields.values())
    if stream.company_links is not None:
        yield OBJECT_NAMES["company"], tuple(stream.company_links.lookup.values())
