"""What all streams of one run share: the client, the ledger, the batches in flight, the objects."""

from __future__ import annotations

import difflib
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from target_gainsight.api import (
    AccessDeniedError,
    GainsightError,
    ObjectNotFoundError,
    UnavailableError,
)
from target_gainsight.loading.outcomes import RunStoppedError
from target_gainsight.mapping.field_errors import shown
from target_gainsight.settings import AmbiguousPatternError

if TYPE_CHECKING:
    from target_gainsight.api import Clock, GainsightClient, ObjectSchema
    from target_gainsight.loading.checkpoint import Checkpoint
    from target_gainsight.loading.ledger import Ledger
    from target_gainsight.loading.loader import SendingPool
    from target_gainsight.loading.summary import Summary
    from target_gainsight.settings import Settings, StreamSettings

logger = logging.getLogger(__name__)

MOST_NAMES_SUGGESTED = 3
CUSTOM_SUFFIX = "__gc"


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
    """

    settings: Settings
    client: GainsightClient
    clock: Clock
    checkpoint: Checkpoint
    summary: Summary
    ledger: Ledger
    pool: SendingPool
    _schemas: dict[str, ObjectSchema | None] = field(default_factory=dict)

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
            name = shown(stream)
            message = (
                f"stream {name}: no setting says which object it is loaded into. Route it with "
                f"object_type, or with an entry under streams ({name}: {{object_type: company}}); "
                f"exclude it with stream_maps ({name}: __NULL__)"
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
        if name not in self._schemas:
            self._schemas[name] = self._read_schema(object_name)
        return self._schemas[name]

    def _read_schema(self, object_name: str) -> ObjectSchema | None:
        try:
            return self.client.metadata.describe(object_name)
        except ObjectNotFoundError as error:
            raise RunStoppedError(self._unknown_object(object_name)) from error
        except (AccessDeniedError, UnavailableError) as error:
            logger.warning(
                "the metadata of %s cannot be read (%s); its fields and values are not checked "
                "before they are written",
                object_name,
                error,
            )
            return None

    def _unknown_object(self, object_name: str) -> str:
        """Say that an object does not exist, and which one may have been meant."""
        message = f"the tenant has no object named {shown(object_name)}"
        try:
            names = [summary.name for summary in self.client.metadata.list_objects()]
        except GainsightError:
            return f"{message}; check object_type and custom_object_name"
        near = suggest_objects(object_name, names)
        meant = f"; did you mean {' or '.join(near)}?" if near else ""
        return f"{message}{meant} Check custom_object_name" if near else message


def suggest_objects(name: str, names: list[str]) -> list[str]:
    """Find the objects that a wrong name may have meant.

    Args:
        name: The wrong name.
        names: What the tenant has.

    Returns:
        At most three names: the one with the forgotten ``__gc`` first, then near misses.
    """
    by_lower = {known.lower(): known for known in names}
    wanted = name.lower()
    exact = [by_lower[each] for each in (wanted, wanted + CUSTOM_SUFFIX) if each in by_lower]
    close = difflib.get_close_matches(wanted, by_lower, n=MOST_NAMES_SUGGESTED)
    return list(dict.fromkeys([*exact, *(by_lower[each] for each in close)]))[:MOST_NAMES_SUGGESTED]
