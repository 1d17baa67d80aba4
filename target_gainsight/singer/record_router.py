"""Routes records to their sinks: one path for RECORD messages and for BATCH files.

The SDK's path ends the run on the first bad record; this one rejects that record alone.
"""

from __future__ import annotations

import copy
import logging
from collections.abc import Iterable, Mapping
from typing import Any

import jsonschema_rs
from singer_sdk.exceptions import InvalidRecord, RecordsWithoutSchemaException
from singer_sdk.mapper import PluginMapper, SameRecordTransform
from singer_sdk.singerlib.exceptions import InvalidInputLine

from target_gainsight.loading.outcomes import Outcome, Reason, RunStoppedError
from target_gainsight.loading.records import SourceRecord
from target_gainsight.loading.rejects.folder import REASON_PROPERTY
from target_gainsight.loading.settling.ledger import Ledger
from target_gainsight.mapping.errors import display, error_text
from target_gainsight.mapping.escaping import one_line
from target_gainsight.mapping.planning.mismatch import StreamMismatchError
from target_gainsight.singer.sink_registry import SinkRegistry
from target_gainsight.singer.stream_maps import (
    Transform,
    flattening_transform,
    warn_of_unmasked_rejects,
)
from target_gainsight.sinks import StreamSink
from target_gainsight.sinks.stream import DELETED_AT, METADATA

logger = logging.getLogger(__name__)

Message = Mapping[str, Any]
Record = dict[str, Any]

MAX_COLUMNS = 5000
"""Columns of one stream; the names of further ones are data, not columns."""


Route = tuple[str, Transform | None]
"""One of a stream's maps: the stream that comes out, and what it does unless it changes nothing."""


class RecordRouter:
    """Routes the records of a run to their sinks.

    Args:
        warns_of_masks: Warn of columns that stream maps mask and that rejects show.
    """

    def __init__(
        self, mapper: PluginMapper, registry: SinkRegistry, ledger: Ledger, *, warns_of_masks: bool
    ) -> None:
        self._mapper = mapper
        self._registry = registry
        self._sinks = registry.sinks
        self._ledger = ledger
        self._warns_of_masks = warns_of_masks
        self._schemas: dict[str, Message] = {}
        self._routes: dict[str, list[Route]] = {}
        self._postponed: dict[str, StreamMismatchError | None] = {}
        self._crowded: set[str] = set()
        self._versioned: set[str] = set()

    def route_schema(self, message: Message) -> None:
        """Register the maps of a SCHEMA message's stream and make their sinks.

        A message that repeats the last one is ignored, so that a tap may send it before every
        page without cutting groups short.

        Raises:
            RunStoppedError: The schema or a stream map cannot be used, or nothing routes the
                stream.
            GainsightError: The tenant does not respond or refuses the credential.
        """
        stream = message["stream"]
        before = self._schemas.get(stream)
        keys = message.get("key_properties")
        parts = (message["schema"], keys)
        if before is not None and (before["schema"], before.get("key_properties")) == parts:
            return
        is_list = isinstance(keys, list)
        if keys is not None and not (is_list and all(isinstance(key, str) for key in keys)):
            name = display(stream)
            text = f"stream {name}: key_properties of its SCHEMA message is no list of names"
            raise InvalidInputLine(text)
        self._schemas[stream] = copy.deepcopy(message)
        self._postponed.pop(stream, None)
        if stream not in self._routes and not message["schema"].get("properties"):
            self._postponed[stream] = None
        else:
            try:
                self._open(stream)
            except StreamMismatchError as mismatch:
                if stream in self._routes or not mismatch.needs_columns_only:
                    raise
                self._postponed[stream] = mismatch
        if before is None and self._warns_of_masks:
            warn_of_unmasked_rejects(stream, self._mapper.stream_maps_dict)

    def ignore_stream(self, stream: str) -> None:
        """Drop the records of a stream."""
        self._routes[stream] = []

    def finish(self) -> None:
        """Raise the error of a stream that could not be loaded and had no record to correct it.

        Raises:
            StreamMismatchError: There is one.
        """
        for mismatch in self._postponed.values():
            if mismatch is not None:
                raise mismatch

    def report_activate_version(self, stream: str) -> None:
        """Log once per stream that versions are not activated: no rows are deleted for them."""
        if stream not in self._versioned:
            self._versioned.add(stream)
            logger.info(
                "stream %s: ACTIVATE_VERSION is ignored; rows that the source lacks stay",
                display(stream),
            )

    def _open(self, stream: str, undeclared: Iterable[str] = ()) -> None:
        """Register a stream's maps and make their sinks, or merge its schema into theirs."""
        routes = []
        for each in self._registry.open(self._schemas[stream], undeclared):
            transform: Transform | None = each.transform
            if each.flattening_enabled:
                transform = flattening_transform(each)
            elif isinstance(each, SameRecordTransform):
                transform = None
            routes.append((each.stream_alias, transform))
        self._routes[stream] = routes

    def _open_with(self, message: Message) -> None:
        """Open a stream whose SCHEMA lacks columns by the columns of its first record.

        Settings may name further ones, which later records carry.
        """
        stream = message["stream"]
        if stream not in self._postponed:
            text = f"a record of stream {display(stream)} came before its SCHEMA message"
            raise RecordsWithoutSchemaException(text)
        flattens = self._mapper.flattening_options.enabled
        columns = tuple(
            name
            for name, value in message["record"].items()
            if not (flattens and isinstance(value, dict))  # its columns are found behind the map
        )
        try:
            self._open(stream, columns)
        except StreamMismatchError as mismatch:
            if not mismatch.named_columns:
                raise
            self._open(stream, (*columns, *mismatch.named_columns))
            logger.warning(
                "stream %s: the settings name columns that neither its SCHEMA nor its first record "
                "has, and they are loaded from the records that carry them: %s",
                display(stream),
                one_line(", ".join(mismatch.named_columns)),
            )
        del self._postponed[stream]

    def route_record(self, message: Message) -> list[StreamSink]:
        """Send one record through all maps of its stream.

        Returns:
            The sinks that are full. They are to be drained only now, when all maps have had the
            record: a child may find a parent of the same record.

        Raises:
            RecordsWithoutSchemaException: There was no SCHEMA message for its stream.
            StreamMismatchError: The stream does not fit, also with the columns of this record.
        """
        if message["stream"] not in self._routes:
            self._open_with(message)
        routes = self._routes[message["stream"]]
        if REASON_PROPERTY in message:
            routes = _replayed(message, routes)
        for alias, transform in routes:
            record, failure = message["record"], None
            if transform is not None:
                record, failure = _transform(record, transform)
            if record is not None:
                self._hand_over(message, record, alias, failure)
        return [self._sinks[alias] for alias, _ in routes if self._sinks[alias].is_full]

    def _hand_over(
        self, message: Message, record: Record, alias: str, failure: Reason | None
    ) -> None:
        """Hand a record to its sink, unless it could not be mapped or is invalid."""
        if not record.keys() <= self._sinks[alias].known_columns:
            self._declare(alias, record)
        sink = self._sinks[alias]
        sink.counts.read += 1
        source = SourceRecord(
            message["stream"],
            alias,
            message,
            self._schemas[message["stream"]],
            self._ledger.register(),
        )
        if failure is None and message["record"].get(DELETED_AT) is not None:
            sink.take_deleted(record, source)
            return
        has_metadata = sink.include_sdc_metadata_properties or not METADATA.isdisjoint(record)
        if has_metadata or not sink.knows_fields:
            record = _with_metadata(record, message, sink)
        failure = failure or _validate(record, sink)
        if failure is None:
            sink.take(record, source)
        else:
            self._ledger.record_source(source, Outcome.REJECTED, failure)

    def _declare(self, alias: str, record: Record) -> None:
        """Add the columns of a record that its SCHEMA does not declare."""
        sink = self._sinks[alias]
        columns = [name for name in record if name not in sink.known_columns]
        if sink.validate_schema and sink.original_schema.get("additionalProperties") is False:
            return
        if len(sink.known_columns) + len(columns) <= MAX_COLUMNS:
            self._registry.declare_columns(alias, columns)
        elif alias not in self._crowded:
            self._crowded.add(alias)
            logger.warning(
                "stream %s: its records carry more than %d different columns; those that its "
                "SCHEMA does not declare and that come from now on are not sent",
                display(alias),
                MAX_COLUMNS,
            )


def _replayed(message: Message, routes: list[Route]) -> list[Route]:
    """Return the routes of a reject that is replayed: the one that it was rejected on."""
    reason = message[REASON_PROPERTY]
    if not isinstance(reason, dict):
        return routes
    if reason.get("replayable") is False:
        text = (
            f"stream {display(message['stream'])}: this reject file was written with "
            "reject_values: keys and holds no whole records, so that it cannot be replayed; "
            "send the records from their source again"
        )
        suggestion = "Send the records from their source again."
        raise RunStoppedError(text, code="not_replayable", suggestion=suggestion)
    stream = reason.get("stream")
    return [each for each in routes if not isinstance(stream, str) or each[0] == stream]


def _transform(
    record: dict[str, Any], transform: Transform
) -> tuple[dict[str, Any] | None, Reason | None]:
    """Apply a stream map to a copy of a record.

    Returns:
        What comes out, None for a record that is filtered; and why it cannot be mapped.
    """
    try:
        return transform(record.copy()), None
    except Exception as error:  # noqa: BLE001 - expressions raise whatever they like
        return {}, Reason("map_failed", f"a stream map expression failed: {error_text(error)}")


def _with_metadata(record: Record, message: Message, sink: StreamSink) -> dict[str, Any]:
    """Copy a record with the SDK's metadata columns, or without them, as the sink wants it."""
    copied = dict(record)
    if sink.include_sdc_metadata_properties:
        sink._add_sdc_metadata_to_record(copied, dict(message), {})  # noqa: SLF001
    else:
        sink._remove_sdc_metadata_from_record(copied)  # noqa: SLF001
    return copied


def _validate(record: dict[str, Any], sink: StreamSink) -> Reason | None:
    """Check a record against its keys and schema; parse its dates if no field's type does it."""
    if not sink.key_set <= record.keys():
        missing = ", ".join(key for key in sink.key_properties if key not in record)
        return Reason(
            "key_missing",
            f"the record lacks its key property {missing}",
            field=missing,
            hint="let the tap or a stream map supply it",
        )
    validator = sink._validator  # noqa: SLF001 - as the SDK does
    try:
        if validator is not None:
            validator.validate(record)
        if not sink.knows_fields:
            sink._parse_timestamps_in_record(  # noqa: SLF001
                record=record, schema=sink.schema, treatment=sink.datetime_error_treatment
            )
    except InvalidRecord as error:
        return _violation(error)
    except RecursionError:
        return Reason("nested_too_deeply", "it is nested too deeply to be checked")
    except (ValueError, TypeError) as error:
        return Reason("invalid_date", f"a date or time cannot be read: {error_text(error)}")
    return None


def _violation(error: InvalidRecord) -> Reason:
    """Name the column, and the rule of the schema that it breaks."""
    cause, field, value = error.__cause__, None, None
    message = f"it does not fit its schema: {display(error.error_message)}"
    if isinstance(cause, jsonschema_rs.ValidationError):
        path, value = [*map(str, cause.instance_path)], cause.instance
        message = f"its schema refuses it: {cause.message}"
        if cause.kind.name == "required":
            path, value = [*path, cause.kind.value], None
            message = "its schema requires the column, which the record lacks"
        field = ".".join(path)
    hint = "correct it in the tap, or set validate_records: false"
    return Reason("schema_violation", message, field=field, value=value, hint=hint)
