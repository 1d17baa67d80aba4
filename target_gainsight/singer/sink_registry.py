"""The sinks of a run's streams, made and changed as SCHEMA messages arrive."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from singer_sdk.exceptions import InvalidJSONSchema
from singer_sdk.mapper import PluginMapper, RemoveRecordTransform, StreamMap
from singer_sdk.sinks import Sink

from target_gainsight.loading.deletes.deleted_rows import DELETED_PROPERTY
from target_gainsight.loading.outcomes import RunStoppedError
from target_gainsight.mapping.errors import display, error_text
from target_gainsight.mapping.planning.mismatch import StreamMismatchError
from target_gainsight.singer.schemas import merge_schemas, repair_schema, with_undeclared
from target_gainsight.singer.stream_maps import prepare_for_flattening, schema_behind_map
from target_gainsight.sinks import StreamSink

logger = logging.getLogger(__name__)

Message = Mapping[str, Any]

CHANGES_BEFORE_WARNING = 3
HOW_TO_RESTORE = (
    "Load them with the object and the lookup_keys of their stream, without its field_mapping, "
    "lookups, constants and stream_maps: their columns are Gainsight fields already."
)


class SinkRegistry:
    """The sinks by stream, named as they come out of the stream maps; excluded ones have none.

    Args:
        make_sink: The SDK's function that makes the sink of a stream, or returns the one it has.

    Attributes:
        sinks: The sinks as the SDK keeps them.
    """

    def __init__(
        self,
        mapper: PluginMapper,
        sinks: Mapping[str, StreamSink],
        make_sink: Callable[..., Sink],
    ) -> None:
        self._mapper = mapper
        self.sinks = sinks
        self._make_sink = make_sink
        self._changes: Counter[str] = Counter()

    def open(self, message: Message, undeclared: Iterable[str]) -> list[StreamMap]:
        """Register the maps of a SCHEMA message's stream and make or change the sink of each.

        Args:
            message: The SCHEMA message.
            undeclared: Further columns of its records.

        Returns:
            The maps that let records pass.

        Raises:
            RunStoppedError: The schema or a stream map cannot be used, or the stream holds deleted
                rows and does not fit its object.
            StreamMismatchError: The stream does not fit its object.
        """
        stream = display(message["stream"])
        try:
            return self._open(message, undeclared)
        except InvalidJSONSchema as error:
            text = (
                f"stream {stream}: its schema is no JSON schema: {error}. Correct it in the tap "
                "(in Meltano by the extractor's schema extra), or set validate_records: false to "
                "load without it"
            )
            suggestion = "Correct the schema in the tap, or set validate_records: false."
            raise RunStoppedError(text, code="invalid_schema", suggestion=suggestion) from error
        except StreamMismatchError as error:
            if DELETED_PROPERTY not in message:
                raise
            problems = " ".join(map(str, error.problems))
            text = f"stream {stream}: these are deleted rows. {HOW_TO_RESTORE} {problems}"
            raise RunStoppedError(text, code="deleted_rows", suggestion=HOW_TO_RESTORE) from error
        except RecursionError as error:
            text = f"stream {stream}: its schema is nested too deeply to be followed"
            suggestion = "Flatten the schema in the tap."
            raise RunStoppedError(text, code="invalid_schema", suggestion=suggestion) from error

    def declare_columns(self, stream_name: str, columns: Iterable[str]) -> None:
        """Add columns that records carry and no SCHEMA message declares."""
        sink = self.sinks[stream_name]
        schema = with_undeclared(sink.original_schema, columns)
        self._open_sink(stream_name, schema, sink.key_properties)

    def _open(self, message: Message, undeclared: Iterable[str]) -> list[StreamMap]:
        mapper, stream, keys = self._mapper, message["stream"], message.get("key_properties")
        schema = with_undeclared(repair_schema(message["schema"]), [*(keys or ()), *undeclared])
        options = mapper.flattening_options
        if options.enabled and options.max_level > 0:
            schema = prepare_for_flattening(schema, options.max_level)
        try:
            mapper.register_raw_stream_schema(stream, schema, keys)
        except Exception as error:
            text = f"stream {display(stream)}: its stream map cannot be used: {error_text(error)}"
            suggestion = "Correct the stream map under stream_maps."
            raise RunStoppedError(text, code="invalid_stream_map", suggestion=suggestion) from error
        maps = mapper.stream_maps[stream]
        maps = [each for each in maps if not isinstance(each, RemoveRecordTransform)]
        for each in maps:
            mapped = schema_behind_map(each, schema, mapper.stream_maps_dict, stream)
            self._open_sink(each.stream_alias, mapped, each.transformed_key_properties)
        return maps

    def _open_sink(
        self, stream_name: str, schema: dict[str, Any], key_properties: Sequence[str] | None
    ) -> None:
        """Make the sink of a stream, or change the one it has.

        A changed schema is merged into that of the sink. Only where that cannot be done, the sink
        is settled and a new one made.
        """
        keys = list(key_properties or ())
        before = self.sinks.get(stream_name)
        if before is not None:
            schema = merge_schemas(before.original_schema, schema)
            if before.adopt_schema(schema, keys):
                return
            self._changes[stream_name] += 1
            if self._changes[stream_name] == CHANGES_BEFORE_WARNING:
                logger.warning(
                    "stream %s: its schema changes again and again in ways that cannot be merged; "
                    "at each change everything before it is written first, which costs calls. Let "
                    "the tap send one SCHEMA message for all records",
                    display(stream_name),
                )
            before.settle()
        self._make_sink(stream_name, schema=schema, key_properties=keys)
