"""Routes streams and their records to sinks: one path for RECORD messages and for BATCH files.

The SDK's path ends the run on the first bad record; this one rejects that record alone.
"""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, cast

from singer_sdk.exceptions import RecordsWithoutSchemaException
from singer_sdk.sinks import Sink

from target_gainsight.loading.outcomes import Outcome, Reason, RunStoppedError
from target_gainsight.loading.records import SourceRecord
from target_gainsight.loading.rejects.folder import REASON_PROPERTY
from target_gainsight.loading.settling.ledger import Ledger
from target_gainsight.mapping.errors import display, error_text
from target_gainsight.mapping.escaping import one_line
from target_gainsight.mapping.planning.checks import StreamMismatchError
from target_gainsight.singer.schemas import merge_schemas, repair_schema, with_undeclared
from target_gainsight.singer.stream_maps import Route, StreamMaps
from target_gainsight.sinks.files import FileSink
from target_gainsight.sinks.stream import StreamSink

logger = logging.getLogger(__name__)

Record = dict[str, Any]

MAX_KEYWORDS = 10
MAX_COLUMNS = 5000
"""Columns of one stream; the names of further ones are data, not columns."""


@dataclass(eq=False)
class RecordRouter:
    """Routes the streams of a run to their sinks.

    `make_sink` is the SDK's `get_sink`. `sinks` are keyed by the stream's name after the stream
    maps. `input_is_complete` is False for the input of a replay or a connection test.
    """

    maps: StreamMaps
    make_sink: Callable[..., Sink]
    ledger: Ledger
    sinks: dict[str, StreamSink] = field(default_factory=dict)
    input_is_complete: bool = True
    _schemas: dict[str, Record] = field(default_factory=dict)
    _routes: dict[str, list[Route]] = field(default_factory=dict)
    _postponed: dict[str, StreamMismatchError | None] = field(default_factory=dict)
    _reported: set[tuple[str, str]] = field(default_factory=set)

    def route_schema(self, message: Record) -> None:
        """Make the sinks of a stream; if its schema lacks columns, with its first record.

        A repeated message has no effect: some taps send one before every page.
        """
        stream, schema, keys = message["stream"], message["schema"], message.get("key_properties")
        before = self._schemas.get(stream)
        if before and (before["schema"], before.get("key_properties")) == (schema, keys):
            return
        self._schemas[stream] = message
        self._postponed.pop(stream, None)
        if stream not in self._routes and not schema.get("properties"):
            self._postponed[stream] = None
            return
        try:
            self._open(stream)
        except StreamMismatchError as mismatch:
            if stream in self._routes or not mismatch.needs_columns_only:
                raise
            self._postponed[stream] = mismatch

    def ignore_stream(self, stream: str) -> None:
        """Drop the records of a stream that tests the connection."""
        self._routes[stream], self.input_is_complete = [], False

    def report_activate_version(self, stream: str) -> None:
        """Log once per stream that versions are not activated: no rows are deleted for them."""
        if self._is_first("ACTIVATE_VERSION", stream):
            text = "stream %s: ACTIVATE_VERSION is ignored; rows the source lacks are not deleted"
            logger.info(text, display(stream))

    def finish(self) -> None:
        """Raise the error of a stream that could not be loaded and had no record to correct it."""
        for mismatch in filter(None, self._postponed.values()):
            raise mismatch

    def route_record(self, message: Record) -> list[StreamSink]:
        """Send one record through all maps of its stream; return the sinks that are full.

        Drain them only after this: a child that one map makes may refer to the parent that another
        map makes of the same record.
        """
        if message["stream"] not in self._routes:
            self._open_by_first_record(message)
        routes = self._routes[message["stream"]]
        if REASON_PROPERTY in message:
            routes, self.input_is_complete = _routes_of_reject(message, routes), False
            if not routes and self._is_first("reject", message["stream"]):
                text = (
                    "stream %s: rejects are not replayed, because the stream maps no longer make "
                    "the stream they were rejected in. Restore the stream map, or send the records "
                    "from their source again"
                )
                logger.warning(text, display(message["stream"]))
        for route in routes:
            record, failure = message["record"], None
            try:
                if route.transform is not None:
                    record = route.transform(record.copy())
            except Exception as error:  # noqa: BLE001 - expressions raise whatever they like
                record, text = {}, f"a stream map expression failed: {error_text(error)}"
                hint = "make the expressions of its stream map handle such records"
                failure = Reason("map_failed", text, hint=hint)
            if record is not None:
                self._send_to_sink(message, record, route.alias, failure)
        return [sink for route in routes if (sink := self.sinks[route.alias]).is_full]

    def _send_to_sink(
        self, message: Record, record: Record, alias: str, failure: Reason | None
    ) -> None:
        if self.maps.flattens:
            self._clear_undeclared_objects(message["stream"], record, alias)
        if not record.keys() <= self.sinks[alias].known_columns:
            self._add_undeclared_columns(alias, record)
        sink, stream = self.sinks[alias], message["stream"]
        sink.counts.read += 1
        number = self.ledger.checkpoint.register()
        source = SourceRecord(stream, alias, message, self._schemas[stream], number)
        if failure is not None:
            self.ledger.record_source(source, Outcome.REJECTED, failure)
        else:
            sink.receive(record, source)

    def _clear_undeclared_objects(self, stream: str, record: Record, alias: str) -> None:
        """Replace an undeclared object that is null by nulls in the columns of its parts."""
        properties = self._schemas[stream]["schema"].get("properties")
        declared = properties.keys() if isinstance(properties, dict) else set()
        for name in [each for each, value in record.items() if value is None]:
            if name not in declared and self.maps.separator not in name:
                columns = self.sinks[alias].known_columns - declared
                start = f"{name}{self.maps.separator}"
                parts = [each for each in columns if each.startswith(start)]
                record.update(dict.fromkeys(parts))
                if parts:
                    del record[name]

    def _open(self, stream: str, undeclared: Iterable[str] = ()) -> None:
        """Register the maps of a stream, and make or change the sink of each."""
        keys = self._schemas[stream].get("key_properties") or []
        try:
            schema, unchecked = repair_schema(self._schemas[stream]["schema"])
            if unchecked and self._is_first("unchecked", stream):
                logger.warning(
                    "stream %s: parts of its schema cannot be understood and are not checked: %s. "
                    "Correct it in the tap (in Meltano by the extractor's schema extra), or set "
                    "validate_records: false to check no schema",
                    display(stream),
                    "; ".join(unchecked[:MAX_KEYWORDS]),
                )
            schema = with_undeclared(schema, [*keys, *undeclared])
            routes = self.maps.route(stream, schema, keys)
        except RecursionError as error:
            text = f"stream {display(stream)}: its schema is nested too deeply"
            suggestion = "Flatten it in the tap."
            raise RunStoppedError(text, code="invalid_schema", suggestion=suggestion) from error
        for route in routes:
            self._open_sink(route.alias, route.schema, route.key_properties)
        self._routes[stream] = routes

    def _open_sink(self, alias: str, schema: Record, keys: list[str]) -> None:
        """Make a sink, or merge the schema into that of the sink that the stream has."""
        before = self.sinks.get(alias)
        if before is not None:
            schema = merge_schemas(before.original_schema, schema)
            if before.adopt_schema(schema, keys):
                return
            if not isinstance(before, FileSink) and self._is_first("schema change", alias):
                logger.warning(
                    "stream %s: its schema changes in a way that cannot be merged. At each such "
                    "change everything before it is written first, which costs calls. Let the tap "
                    "send one SCHEMA message for all records",
                    display(alias),
                )
            before.settle()
        sink = self.make_sink(alias, schema=schema, key_properties=keys)
        self.sinks[alias] = cast("StreamSink", sink)

    def _open_by_first_record(self, message: Record) -> None:
        """Open a stream whose SCHEMA lacks columns by the columns of its first record."""
        stream = message["stream"]
        if stream not in self._postponed:
            text = f"a record of stream {display(stream)} came before its SCHEMA message"
            raise RecordsWithoutSchemaException(text)
        columns = [  # those of an object that is flattened are found behind the map
            name
            for name, value in message["record"].items()
            if not (self.maps.flattens and isinstance(value, dict))
        ]
        try:
            self._open(stream, columns)
        except StreamMismatchError as mismatch:
            named = mismatch.named_columns
            if not named:
                raise
            self._open(stream, [*columns, *named])
            logger.warning(
                "stream %s: the settings name columns that neither its SCHEMA nor its first record "
                "has, and they are loaded from the records that carry them: %s",
                display(stream),
                one_line(", ".join(named)),
            )
        del self._postponed[stream]

    def _add_undeclared_columns(self, alias: str, record: Record) -> None:
        """Add the columns of a record that its SCHEMA does not declare."""
        sink, schema = self.sinks[alias], self.sinks[alias].original_schema
        if not (sink.validate_schema and schema.get("additionalProperties") is False):
            columns = [name for name in record if name not in sink.known_columns]
            if len(sink.known_columns) + len(columns) <= MAX_COLUMNS:
                self._open_sink(alias, with_undeclared(schema, columns), [*sink.key_properties])
            elif self._is_first("many columns", alias):
                text = "stream %s: columns beyond %d that its SCHEMA does not declare are not sent"
                logger.warning(text, display(alias), MAX_COLUMNS)

    def _is_first(self, event: str, stream: str) -> bool:
        count = len(self._reported)
        self._reported.add((event, stream))
        return len(self._reported) > count


def _routes_of_reject(message: Record, routes: list[Route]) -> list[Route]:
    """Return the route that a replayed reject was rejected on."""
    reason = message[REASON_PROPERTY]
    if isinstance(reason, dict) and reason.get("replayable") is False:
        suggestion = "Send the records from their source again."
        text = f"stream {display(message['stream'])}: this reject file was written with "
        text += "reject_values: keys and holds no whole records"
        raise RunStoppedError(text, code="not_replayable", suggestion=suggestion)
    stream = reason.get("stream") if isinstance(reason, dict) else None
    return [each for each in routes if not isinstance(stream, str) or each.alias == stream]
