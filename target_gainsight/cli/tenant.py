"""Connects the commands to the tenant of their settings, and describes its objects."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import click

from target_gainsight.api import CallEvent, Clock, GainsightClient, GainsightError, ObjectSchema
from target_gainsight.loading.object_schemas import ObjectSchemas, read_static_schema
from target_gainsight.loading.outcomes import RunStoppedError
from target_gainsight.mapping.planning.static_schemas import ACTIVITY, CTA
from target_gainsight.settings.model import Settings
from target_gainsight.settings.stream_settings import OBJECT_NAMES
from target_gainsight.singer.connection import connect

MAX_RETRY_SECONDS = 30
"""Less than a load's: someone waits at the terminal."""


class TenantSchemas(ObjectSchemas):
    """The schemas of objects, each read once; those of Timeline and CTAs are documented."""

    def __init__(self, client: GainsightClient, settings: Settings) -> None:
        super().__init__(client.metadata, settings)
        self._cockpit = client.cockpit

    def describe(self, object_name: str, mentioned: Iterable[str] = ()) -> ObjectSchema:
        """Read an object with its fields.

        Args:
            object_name: Its API name, or ``timeline`` or ``cta``.
            mentioned: The fields that a stream's settings name.

        Raises:
            RunStoppedError: The tenant has no such object; the message names near misses.
        """
        name = OBJECT_NAMES.get(object_name.lower(), object_name.lower())
        if name not in {ACTIVITY, CTA}:
            return self.get(object_name)
        return read_static_schema(name, mentioned, describe=self.get, cockpit=self._cockpit)


@contextmanager
def tenant_connection(
    settings: Settings,
    observer: Callable[[CallEvent], None] = lambda _: None,
    *,
    max_calls: int | None = None,
) -> Iterator[GainsightClient]:
    """Connect to the tenant of the settings; its errors end the command.

    Args:
        settings: Their `max_calls_per_run` is for loads, and not kept to.
        observer: Called with every attempt of every call.
        max_calls: The number of calls that may be made, retries included; unlimited by default.
    """
    limits = replace(
        settings.limits,
        max_calls_per_run=max_calls,
        max_retry_seconds=min(MAX_RETRY_SECONDS, settings.limits.max_retry_seconds),
    )
    try:
        with connect(replace(settings, limits=limits), Clock(), observer) as client:
            yield client
    except (GainsightError, RunStoppedError) as error:
        raise click.ClickException(str(error)) from error
