"""From a SCHEMA message to the stream maps and sinks of its stream."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from typing import Any

from singer_sdk.exceptions import InvalidJSONSchema
from singer_sdk.mapper import PluginMapper, StreamMap

from target_gainsight.loading.deletes.deleted_rows import DELETED_PROPERTY
from target_gainsight.loading.outcomes import RunStoppedError
from target_gainsight.mapping.errors import display, error_text
from target_gainsight.mapping.planning.mismatch import StreamMismatchError
from target_gainsight.singer.schemas.flattening import prepare_for_flattening
from target_gainsight.singer.schemas.merge import with_undeclared
from target_gainsight.singer.schemas.repair import repair_schema
from target_gainsight.singer.sink_registry import SinkRegistry
from target_gainsight.singer.stream_maps import schema_behind_map

HOW_TO_RESTORE = (
    "Load them with the object and the lookup_keys of their stream, without its field_mapping, "
    "lookups, constants and stream_maps: their columns are Gainsight fields already."
)


def open_streams(
    mapper: PluginMapper,
    sinks: SinkRegistry,
    message: Mapping[str, Any],
    undeclared: Iterable[str],
) -> None:
    """Register a stream's maps and make the sink of each, or merge its schema into the sink's.

    Raises:
        RunStoppedError: The schema or a stream map cannot be used, or the stream holds deleted rows
            and does not fit its object.
        StreamMismatchError: The stream does not fit its object.
    """
    stream = display(message["stream"])
    try:
        source = _source_schema(mapper, message, undeclared)
        for stream_map in _register(mapper, message, source):
            sinks.open(
                stream_map.stream_alias,
                schema_behind_map(stream_map, source, mapper.stream_maps_dict, message["stream"]),
                stream_map.transformed_key_properties,
            )
    except InvalidJSONSchema as error:
        text = (
            f"stream {stream}: its schema is no JSON schema: {error}. Correct it in the tap (in "
            "Meltano by the extractor's schema extra), or set validate_records: false to load "
            "without it"
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


class _SourceSchema(dict[str, Any]):
    """A stream's schema that every map copies whole.

    The SDK's maps copy its top level only: the columns of one map would appear in all others.
    """

    def __copy__(self) -> dict[str, Any]:
        return copy.deepcopy(dict(self))


def _source_schema(
    mapper: PluginMapper, message: Mapping[str, Any], undeclared: Iterable[str]
) -> dict[str, Any]:
    schema = repair_schema(message["schema"], message.get("key_properties") or ())
    if not isinstance(schema["properties"], dict):
        text = f"the schema: keyword properties is {display(schema['properties'])}"
        raise InvalidJSONSchema(text)
    schema = with_undeclared(schema, undeclared)
    options = mapper.flattening_options
    if options.enabled and options.max_level > 0:
        return prepare_for_flattening(schema, options.max_level)
    return schema


def _register(
    mapper: PluginMapper, message: Mapping[str, Any], schema: dict[str, Any]
) -> list[StreamMap]:
    stream = message["stream"]
    try:
        mapper.register_raw_stream_schema(
            stream, _SourceSchema(schema), message.get("key_properties")
        )
    except Exception as error:
        text = f"stream {display(stream)}: its stream map cannot be used: {error_text(error)}"
        suggestion = "Correct the stream map under stream_maps."
        raise RunStoppedError(text, code="invalid_stream_map", suggestion=suggestion) from error
    maps: list[StreamMap] = mapper.stream_maps[stream]
    return maps
