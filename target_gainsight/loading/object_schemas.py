"""Metadata of the objects that a configuration names, each read once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_gainsight.api import GainsightError, ObjectNotFoundError
from target_gainsight.loading.outcomes import RunStoppedError
from target_gainsight.mapping.errors import display
from target_gainsight.mapping.near_names import did_you_mean, suggest_names
from target_gainsight.settings import OBJECT_NAMES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from target_gainsight.api import MetadataApi, ObjectSchema
    from target_gainsight.settings import Settings, StreamSettings

COMPANY_PERSON = "company_person"
LIST_OBJECTS = "'gainsight describe' lists its objects."


class ObjectSchemas:
    """Describes objects: all that the configuration names in one call, others when they come.

    Args:
        metadata: The metadata API.
        settings: The configuration.
    """

    def __init__(self, metadata: MetadataApi, settings: Settings) -> None:
        self._metadata = metadata
        self._configured = tuple(_configured_objects(settings))
        self._has_read_configured = False
        self._schemas: dict[str, ObjectSchema] = {}

    def get(self, object_name: str) -> ObjectSchema:
        """Return an object's schema.

        Args:
            object_name: The object's API name, in any case.

        Raises:
            RunStoppedError: The tenant has no such object; the message names similar ones.
            GainsightError: The object cannot be described.
        """
        name = object_name.lower()
        if name not in self._schemas and not self._has_read_configured:
            self._has_read_configured = True
            wanted = {each.lower(): each for each in (*self._configured, object_name)}
            self._schemas.update(self._metadata.describe_several(tuple(wanted.values())))
        if name not in self._schemas:
            try:
                self._schemas[name] = self._metadata.describe(object_name)
            except ObjectNotFoundError as error:
                raise RunStoppedError(self._unknown_object(object_name)) from error
        return self._schemas[name]

    def _unknown_object(self, object_name: str) -> str:
        message = f"the tenant has no object named {display(object_name)}"
        try:
            names = [summary.name for summary in self._metadata.list_objects()]
        except GainsightError:
            names = []
        similar = did_you_mean(object_name, suggest_names(object_name, names))
        return f"{message}. {similar or LIST_OBJECTS}"


def _configured_objects(settings: Settings) -> Iterator[str]:
    """Name every object that streams are loaded into or looked up in."""
    for stream in (settings.default_stream, *settings.streams.values()):
        if stream is not None:
            yield from (name for name in _objects_of(stream) if name)


def _objects_of(stream: StreamSettings) -> Iterator[str]:
    yield stream.object_name
    yield from (lookup.object_name for lookup in stream.lookups.values())
    if stream.company_links is not None:
        yield OBJECT_NAMES["company"]
    if stream.company_links is not None and stream.company_links.fields:
        yield COMPANY_PERSON
