"""Metadata of the objects that a configuration names, each read once."""

import logging
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress

from target_gainsight.api import GainsightClient, ObjectSchema, PicklistOption, errors
from target_gainsight.api.resources.metadata import METADATA_ERRORS
from target_gainsight.loading.keys import LINK_OBJECT
from target_gainsight.loading.outcomes import RunStoppedError
from target_gainsight.mapping.errors import display
from target_gainsight.mapping.near_names import did_you_mean, suggest_names
from target_gainsight.mapping.planning.static_schemas import ACTIVITY, CTA, TYPE_NAME, static_schema
from target_gainsight.settings.model import Settings
from target_gainsight.settings.stream_settings import OBJECT_NAMES

logger = logging.getLogger(__name__)

_DESCRIBE_ERRORS = (errors.AccessDeniedError, errors.RefusedError, errors.UnavailableError)
_LIST_ERRORS = (*METADATA_ERRORS, RunStoppedError)


class ObjectSchemas:
    """The schemas of objects. One call reads all that the configuration names."""

    def __init__(self, client: GainsightClient, settings: Settings) -> None:
        self._metadata, self._cockpit = client.metadata, client.cockpit
        self._unread: Iterable[str] | None = _configured_objects(settings)
        self._schemas: dict[str, ObjectSchema | None] = {}

    def get(self, object_name: str) -> ObjectSchema:
        """Return an object's schema, by its API name in any case; the run stops without it."""
        name = object_name.lower()
        if name not in self._schemas and self._unread is not None:
            names = {each.lower(): each for each in (*self._unread, object_name)}
            self._unread = None
            self._schemas.update(self._metadata.describe_several(tuple(names.values())))
        schema = self._schemas.get(name)
        if schema is None:
            try:
                schema = self._schemas[name] = self._metadata.describe(object_name)
            except errors.ObjectNotFoundError as error:
                raise self._unknown_object(object_name) from error
        return schema

    def get_if_readable(self, object_name: str) -> ObjectSchema | None:
        """Return an object's schema; None, with a warning, if its metadata cannot be read."""
        name = object_name.lower()
        if name in self._schemas:
            return self._schemas[name]
        try:
            return self.get(object_name)
        except _DESCRIBE_ERRORS as error:
            self._schemas[name] = None
            logger.warning(
                "the metadata of %s cannot be read (%s); its fields and values are not checked "
                "before they are written",
                object_name,
                error,
            )
            return None

    def get_static(self, object_name: str, mentioned: Iterable[str]) -> ObjectSchema:
        """Return the documented schema of activities or CTAs, with the custom fields mentioned."""
        described: ObjectSchema | None = None
        options: Mapping[str, tuple[PicklistOption, ...]] = {}
        try:
            described = self.get_if_readable(object_name)
            if object_name == CTA:
                options = self._cockpit.list_names()
            elif described is not None and (field := described.field(TYPE_NAME)):
                options = {TYPE_NAME: field.options}
        except _LIST_ERRORS as error:
            logger.info("%s: not all fields and names are checked (%s)", object_name, error)
        return static_schema(object_name, mentioned, described=described, options=options)

    def describe(self, object_name: str, mentioned: Iterable[str] = ()) -> ObjectSchema:
        """Return an object's schema, by its API name, ``timeline`` or ``cta``."""
        name = OBJECT_NAMES.get(object_name.lower(), object_name.lower())
        if name in {ACTIVITY, CTA}:
            return self.get_static(name, mentioned)
        return self.get(object_name)

    def _unknown_object(self, object_name: str) -> RunStoppedError:
        names: list[str] = []
        with suppress(errors.GainsightError):
            names = [summary.name for summary in self._metadata.list_objects()]
        similar = did_you_mean(object_name, suggest_names(object_name, names))
        suggestion = similar or "'gainsight describe' lists its objects."
        message = f"the tenant has no object named {display(object_name)}"
        return RunStoppedError(message, code="object_not_found", suggestion=suggestion)


def lookup_targets(settings: Settings) -> Iterator[tuple[str, tuple[str, ...]]]:
    """List the objects and match fields of all lookups."""
    for stream in filter(None, (settings.default_stream, *settings.streams.values())):
        for lookup in stream.lookups.values():
            yield lookup.object_name, tuple(lookup.fields.values())
        if stream.company_links is not None:
            yield OBJECT_NAMES["company"], tuple(stream.company_links.lookup.values())


def _configured_objects(settings: Settings) -> Iterator[str]:
    yield from (name for name, _ in lookup_targets(settings))
    for stream in filter(None, (settings.default_stream, *settings.streams.values())):
        if stream.object_name:
            yield stream.object_name
        if stream.company_links is not None and stream.company_links.fields:
            yield LINK_OBJECT
