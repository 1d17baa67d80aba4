"""The route of a message to its sinks: one path for RECORD messages and for BATCH files.

What the SDK does here ends the run on the first bad record; this rejects the record alone.
"""

from __future__ import annotations

import copy
import gzip
import logging
import zlib
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote

from jsonschema import SchemaError, ValidationError
from singer_sdk.exceptions import (
    InvalidJSONSchema,
    InvalidRecord,
    MissingKeyPropertiesError,
    RecordsWithoutSchemaException,
)
from singer_sdk.mapper import SameRecordTransform
from singer_sdk.singerlib.exceptions import InvalidInputLine
from upath import UPath

from target_gainsight.loading.outcomes import Outcome, Reason, RunStoppedError
from target_gainsight.loading.rejects.reject_id import REASON_PROPERTY
from target_gainsight.loading.storage.source_json import read_json
from target_gainsight.mapping.errors import shown, shown_path
from target_gainsight.mapping.escaping import one_line
from target_gainsight.singer.masking import warn_of_unmasked_rejects
from target_gainsight.sinks import StreamSink

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from singer_sdk.mapper import StreamMap

    from target_gainsight.loading.records import SourceRecord
    from target_gainsight.target import TargetGainsight

logger = logging.getLogger(__name__)

DELETED_AT = "_sdc_deleted_at"
METADATA = frozenset(
    {
        "_sdc_extracted_at",
        "_sdc_received_at",
        "_sdc_batched_at",
        DELETED_AT,
        "_sdc_sequence",
        "_sdc_table_version",
        "_sdc_sync_started_at",
    }
)
"""The SDK's metadata columns."""

MELTANO_TEST_STREAM = "meltano_test_stream"
"""What `meltano config test` sends to a loader: one record, which nobody wants in a tenant."""

BATCH_FORMAT = "jsonl"
COMPRESSIONS = (None, "none", "gzip")
POLL_EVERY = 1000
SAME = ("schema", "key_properties")
"""What of a SCHEMA message makes a difference."""


class Route(NamedTuple):
    """One of the routes of a stream's records.

    Attributes:
        alias: The stream's name as it comes out of the stream map.
        transform: What becomes of a copy of a record; None when all of it stays as it is.
        sink: Where the record goes.
        schema: The SCHEMA message that holds for it.
    """

    alias: str
    transform: Callable[[dict[str, Any]], dict[str, Any] | None] | None
    sink: StreamSink
    schema: Mapping[str, Any]


class RecordRouter:
    """Takes the records of a run.

    Args:
        target: Holds the stream maps and the sinks.
    """

    def __init__(self, target: TargetGainsight) -> None:
        self._target = target
        self._schemas: dict[str, Mapping[str, Any]] = {}
        self._ways: dict[str, list[Route]] = {}
        self._noted_versions: set[str] = set()

    def take_schema(self, message: Mapping[str, Any]) -> None:
        """Take a SCHEMA message: register its stream's maps and make their sinks.

        One that says nothing new is ignored, so that a tap may repeat it before every page
        without cutting groups short.

        Args:
            message: The message as it came.

        Raises:
            RunStoppedError: The schema or a stream map cannot be used, or nothing routes the
                stream.
            GainsightError: It is the stream of `meltano config test`, and the tenant does not
                respond or refuses the credential.
        """
        stream = message["stream"]
        if stream == MELTANO_TEST_STREAM:
            self._target.check_connection()
            self._ways[stream] = []
            return
        before = self._schemas.get(stream)
        if before is not None and all(before.get(name) == message.get(name) for name in SAME):
            return
        _check_schema(message)
        self._schemas[stream] = copy.deepcopy(message)
        try:
            for stream_map in self._register(message):
                self._target.get_sink(
                    stream_map.stream_alias,
                    schema=copy.deepcopy(stream_map.transformed_schema),
                    key_properties=stream_map.transformed_key_properties,
                )
        except InvalidJSONSchema as error:
            text = f"stream {shown(stream)}: its schema is no JSON schema: {_told(error)}"
            raise RunStoppedError(text) from error
        except RecursionError as error:
            text = f"stream {shown(stream)}: its schema is nested too deeply to be followed"
            raise RunStoppedError(text) from error
        for name in self._schemas:
            self._ways[name] = list(self._ways_of(name))
        if before is None and not self._target.settings.rejection.keys_only:
            warn_of_unmasked_rejects(stream, self._target.config.get("stream_maps") or {})

    def _ways_of(self, stream: str) -> Iterator[Route]:
        """List the maps of a stream that lead to a sink which loads."""
        for stream_map in self._target.mapper.stream_maps[stream]:
            alias = stream_map.stream_alias
            sink = self._target.get_sink(alias)
            if isinstance(sink, StreamSink):
                same = isinstance(stream_map, SameRecordTransform) and sink.knows_fields
                changes = not same or stream_map.flattening_enabled
                transform = stream_map.transform if changes else None
                yield Route(alias, transform, sink, self._schemas[stream])

    def _register(self, message: Mapping[str, Any]) -> list[StreamMap]:
        stream, mapper = message["stream"], self._target.mapper
        try:
            mapper.register_raw_stream_schema(
                stream, _SourceSchema(message["schema"]), message.get("key_properties")
            )
        except Exception as error:
            text = f"stream {shown(stream)}: its stream map cannot be used: {_told(error)}"
            raise RunStoppedError(text) from error
        maps: list[StreamMap] = mapper.stream_maps[stream]
        return maps

    def note_activate_version(self, stream: str) -> None:
        """Say once per stream that versions are not activated: nothing is ever deleted.

        Args:
            stream: The stream's name as the tap gives it.
        """
        if stream not in self._noted_versions:
            self._noted_versions.add(stream)
            logger.info(
                "stream %s: ACTIVATE_VERSION is ignored; nothing in Gainsight is ever deleted",
                shown(stream),
            )

    def tick(self) -> None:
        """Do what is due by time: send what waits too long, settle what has landed."""
        if not self._target.is_connected:
            return
        run = self._target.run
        for sink in self._target.active_sinks:
            sink.send_older_than(run.settings.max_batch_age_seconds)
        run.pool.process_completed(wait=False)
        self._target.checkpoint.advance()

    def take_batch(self, message: Mapping[str, Any]) -> None:
        """Take the records of a BATCH message's files, line by line.

        Args:
            message: The message.

        Raises:
            RunStoppedError: The encoding is not known or a file cannot be read.
        """
        encoding = message["encoding"]
        known = encoding.get("format") == BATCH_FORMAT
        if not known or encoding.get("compression") not in COMPRESSIONS:
            said = f"{encoding.get('format')}, compression {encoding.get('compression')}"
            text = (
                f"stream {shown(message['stream'])}: a BATCH message in {shown(said)} cannot be "
                "read; let the tap write jsonl, plain or with gzip"
            )
            raise RunStoppedError(text)
        compressed = encoding.get("compression") == "gzip"
        for path in message["manifest"]:
            for number, record in enumerate(_records_of(path, compressed=compressed), start=1):
                self.route_record({"type": "RECORD", "stream": message["stream"], "record": record})
                if number % POLL_EVERY == 0:
                    self._target.reader.poll_events()

    def route_record(self, message: Mapping[str, Any]) -> None:
        """Take one record through all maps of its stream.

        Args:
            message: The RECORD message as it came.

        Raises:
            RecordsWithoutSchemaException: There was no SCHEMA message for its stream.
            MissingKeyPropertiesError: It lacks a key property.
        """
        stream = message["stream"]
        routes = self._ways.get(stream)
        if routes is None:
            text = f"a record of stream {shown(stream)} came before its SCHEMA message"
            raise RecordsWithoutSchemaException(text)
        only = _only_alias(message) if REASON_PROPERTY in message else None
        for route in routes:
            if only is None or only == route.alias:
                self._take_mapped(message, route)
        for route in routes:  # after all of them: a child may find a parent of the same record
            if route.sink.is_full:
                self._target.drain_one(route.sink)

    def _take_mapped(self, message: Mapping[str, Any], route: Route) -> None:
        record = original = message["record"]
        sink = route.sink
        if route.transform is not None:
            try:
                record = route.transform(original.copy())
            except Exception as error:  # noqa: BLE001 - expressions raise whatever they like
                reason = Reason("map_failed", f"a stream map expression failed: {_told(error)}")
                self._enter(sink.register(message, route.schema), Outcome.REJECTED, reason)
                return
            if record is None:
                return
        source = sink.register(message, route.schema)
        if original.get(DELETED_AT) is not None:
            reason = Reason("deleted_in_source", "the source has deleted this record")
            self._enter(source, Outcome.SKIPPED, reason)
            return
        if sink.include_sdc_metadata_properties or not METADATA.isdisjoint(record):
            record = _completed(record, message, sink)
        if not sink.key_set <= record.keys():
            raise _lacks_keys(record, sink)
        refused = _refused(record, sink)
        if refused is not None:
            self._enter(source, Outcome.REJECTED, refused)
            return
        sink.take(record, source)

    def _enter(self, source: SourceRecord, outcome: Outcome, reason: Reason) -> None:
        self._target.ledger.record_source(source, outcome, reason)


def _check_schema(message: Mapping[str, Any]) -> None:
    """Refuse a SCHEMA message that says nothing of its columns, or whose keys are no names."""
    stream, keys = shown(message["stream"]), message.get("key_properties")
    if not isinstance(message["schema"].get("properties"), dict):
        text = f"stream {stream}: the schema of its SCHEMA message has no properties"
        raise InvalidInputLine(text)
    if keys is not None and not (isinstance(keys, list) and all(isinstance(k, str) for k in keys)):
        text = f"stream {stream}: key_properties of its SCHEMA message is no list of names"
        raise InvalidInputLine(text)


class _SourceSchema(dict[str, Any]):
    """A stream's schema that every map copies whole.

    The SDK's maps copy its top level only: the columns of one map would appear in all others.
    """

    def __copy__(self) -> dict[str, Any]:
        return copy.deepcopy(dict(self))


def _only_alias(message: Mapping[str, Any]) -> str | None:
    """Name the one stream that a reject is replayed for."""
    reason = message[REASON_PROPERTY]
    if not isinstance(reason, dict):
        return None
    if reason.get("replayable") is False:
        text = (
            f"stream {shown(message['stream'])}: this reject file was written with reject_values: "
            "keys and holds no whole records, so that it cannot be replayed; send the records "
            "from their source again"
        )
        raise RunStoppedError(text)
    stream = reason.get("stream")
    return stream if isinstance(stream, str) else None


def _completed(
    record: Mapping[str, Any], message: Mapping[str, Any], sink: StreamSink
) -> dict[str, Any]:
    """Add the SDK's metadata columns, or take them off; the source's record stays as it came."""
    completed = dict(record)
    if sink.include_sdc_metadata_properties:
        sink._add_sdc_metadata_to_record(completed, dict(message), {})  # noqa: SLF001
    else:
        sink._remove_sdc_metadata_from_record(completed)  # noqa: SLF001
    return completed


def _lacks_keys(record: Mapping[str, Any], sink: StreamSink) -> MissingKeyPropertiesError:
    """Say which key property is missing, without which Singer allows no record."""
    missing = [key for key in sink.key_properties if key not in record]
    text = (
        f"stream {shown(sink.stream_name)}: a record lacks its key property "
        f"{one_line(', '.join(missing))}; the tap or a stream map must supply it"
    )
    return MissingKeyPropertiesError(text)


def _refused(record: dict[str, Any], sink: StreamSink) -> Reason | None:
    """Check a record against its schema; parse its dates where no field's type does it."""
    validator = sink._validator  # noqa: SLF001 - the SDK's own path of a record
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
        return Reason("invalid_date", f"a date or time cannot be read: {_told(error)}")
    return None


def _violation(error: InvalidRecord) -> Reason:
    """Say which column breaks which rule of the schema."""
    cause = error.__cause__
    if not isinstance(cause, ValidationError):
        return Reason("schema_violation", f"the record {shown(error.error_message)}")
    if not cause.absolute_path:
        return Reason("schema_violation", f"the record {shown(cause.message)}")
    return Reason(
        "schema_violation",
        f"its schema asks for {cause.validator} {shown(cause.validator_value)}",
        field=".".join(str(part) for part in cause.absolute_path),
        value=cause.instance,
    )


def _told(error: Exception) -> str:
    cause = error.__cause__ or error
    text = cause.message if isinstance(cause, (SchemaError, ValidationError)) else str(cause)
    return f"{type(cause).__name__}: {shown(text)}"


def _records_of(path: str, *, compressed: bool) -> Iterator[dict[str, Any]]:
    """Read the records of one batch file, a line each."""
    try:
        with _batch_file(path).open("rb") as file:
            if not compressed:
                yield from _parsed(file, path)
                return
            with gzip.open(file) as unpacked:
                yield from _parsed(unpacked, path)
    except ImportError as error:
        hint = (
            "install the s3 extra: pip install 'target-gainsight[s3]'"
            if path.startswith("s3:")
            else shown(str(error))
        )
        text = f"the batch file {shown_path(path)} needs a package that is missing: {hint}"
        raise RunStoppedError(text) from error
    except (OSError, EOFError, ValueError, zlib.error) as error:
        text = f"the batch file {shown_path(path)} cannot be read: {_told(error)}"
        raise RunStoppedError(text) from error


def _batch_file(path: str) -> UPath:
    """Find a batch file: taps write blanks in a file's URL as they are, or percent-encoded."""
    file = UPath(path)
    if path.startswith("file:") and not file.exists():
        return UPath(unquote(path))
    return file


def _parsed(lines: Iterable[bytes], path: str) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            record = read_json(line)
        except (RecursionError, ValueError):
            record = None
        if not isinstance(record, dict):
            text = f"line {number} of the batch file {shown_path(path)} is not a JSON object"
            raise InvalidInputLine(text)
        yield record
