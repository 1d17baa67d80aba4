"""Base of all sinks that load: records in, and their order and outcomes."""

import copy
from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from functools import cached_property
from typing import Any, cast

import jsonschema_rs
from singer_sdk import Target
from singer_sdk.sinks import BatchSink
from typing_extensions import override

from target_gainsight.loading.context import RunContext, find_stream_settings
from target_gainsight.loading.outcomes import Outcome, Reason, reason_of_fields
from target_gainsight.loading.records import SourceRecord
from target_gainsight.mapping.columns import Column
from target_gainsight.mapping.delete_marker import DELETED_AT, is_deleted
from target_gainsight.mapping.errors import RecordRejectedError, display, error_text
from target_gainsight.mapping.escaping import one_line
from target_gainsight.mapping.types.converters import Converter

METADATA = frozenset(
    {
        *("_sdc_extracted_at", "_sdc_received_at", "_sdc_batched_at", DELETED_AT),
        *("_sdc_sequence", "_sdc_table_version", "_sdc_sync_started_at"),
    }
)
"""The SDK's metadata columns."""


class StreamSink(BatchSink):
    """Loads one stream.

    If it `knows_fields`, dates and times are parsed by the type of their field, not by the schema.
    """

    def __init__(
        self,
        target: Target,
        stream_name: str,
        schema: dict[str, Any],
        key_properties: list[str] | None,
    ) -> None:
        context = self.context = cast("RunContext", cast("Any", target).session.context)
        self.ledger = context.ledger
        self.streams = context.streams
        self.stream = find_stream_settings(context.settings, stream_name)
        self.object_name = self.stream.object_name
        self.knows_fields = True
        super().__init__(target, stream_name, schema, key_properties)
        self._check = self._compile()
        self.known_columns = METADATA.union(schema["properties"])
        self.counts = context.summary.streams[stream_name]

    @cached_property
    @override
    def include_sdc_metadata_properties(self) -> bool:
        """True if the SDK's metadata columns are asked for, or one is mapped."""
        mapped = any(column.startswith("_sdc_") for column in self.stream.field_mapping)
        return mapped or bool(self.config.get("add_record_metadata"))

    @override
    def get_validator(self) -> None:
        """Return None: the SDK's validator takes most of a run's time, so `_check` replaces it."""

    def _compile(self) -> Callable[[dict[str, Any]], None] | None:
        """Compile the schema, which is valid and refers to nothing, if records are to be checked.

        The result raises a `jsonschema_rs.ValidationError` for a record that does not fit.
        """
        if not self.validate_schema:
            return None
        schema = {
            name: each for name, each in self.schema.items() if name not in {"$schema", "$id"}
        }
        try:
            return jsonschema_rs.Draft202012Validator(schema, mask="the value").validate
        except (ValueError, TypeError, OverflowError):  # such as a column whose name is no text
            return None

    def adopt_schema(self, schema: dict[str, Any], key_properties: list[str]) -> bool:
        """Adopt another schema for later records; return False if that needs a new sink.

        Then this one can only settle what it has.
        """
        before = self.original_schema, list(self.key_properties)
        if (schema, key_properties) == before:
            return True
        self.original_schema, self._key_properties = schema, key_properties
        self.schema = copy.deepcopy(schema)
        if self.include_sdc_metadata_properties:
            self._add_sdc_metadata_to_schema()
        else:
            self._remove_sdc_metadata_from_schema()
        self._check = self._compile()
        self.known_columns = METADATA.union(schema["properties"])
        fits = self.plan_again(keys_changed=key_properties != before[1])
        if not fits:  # the SDK makes a new sink where these differ
            self.original_schema, self._key_properties = before
        return fits

    @abstractmethod
    def plan_again(self, *, keys_changed: bool) -> bool:
        """Map the columns anew, perhaps by other keys; return False if that needs a new sink."""

    def report_columns(self, unmapped: Iterable[Column], reason: str) -> None:
        """Warn of columns that are not sent, of each once in a run."""
        reported = self.counts.columns_reported
        names = [column.name for column in unmapped if column.name not in reported]
        reported.update(names)
        if names:
            warning = "stream %s: these columns are not sent, because %s: %s"
            columns = one_line(", ".join(names))
            self.logger.warning(warning, display(self.stream_name), reason, columns)

    def receive(self, record: dict[str, Any], source: SourceRecord) -> None:
        """Take a record as it comes out of the stream maps, or reject it."""
        try:
            deleted_at = source.message["record"].get(DELETED_AT)
            if deleted_at is not None and is_deleted(deleted_at):
                self.take_deleted(record, source)
                return
            if self.include_sdc_metadata_properties:
                record = dict(record)
                self._add_sdc_metadata_to_record(record, dict(source.message), {})
            elif not (self.knows_fields and METADATA.isdisjoint(record)):
                record = {name: value for name, value in record.items() if name not in METADATA}
            failure = self._find_failure(record)
            if failure is None:
                self.take(record, source)
        except RecordRejectedError as error:
            failure = reason_of_fields(error.errors)
        if failure is not None:
            self.ledger.record_source(source, Outcome.REJECTED, failure)

    def _find_failure(self, record: dict[str, Any]) -> Reason | None:
        """Check a record against keys and schema; parse its dates if no field's type does it."""
        lacking = [key for key in self._key_properties if key not in record and self.needs_key(key)]
        if lacking:
            names = ", ".join(lacking)
            message = f"{names}: the record has no value for its key"
            hint = "let the tap or a stream map supply it"
            return Reason("key_missing", message, field=names, hint=hint)
        try:
            if self._check is not None:
                self._check(record)
            if not self.knows_fields:
                treatment = self.datetime_error_treatment
                self._parse_timestamps_in_record(record, self.schema, treatment)
        except jsonschema_rs.ValidationError as error:
            path = [*map(str, error.instance_path)]
            value = error.instance if path else None
            if path and isinstance(record.get(path[0]), (float, Decimal)):
                Converter(path[0]).write(record[path[0]])  # NaN, which the schema takes for null
            message = f"the record does not match the stream's schema: {error.message}"
            if error.kind.name == "required":
                path, value = [*path, error.kind.value], None
                message = (
                    "the stream's schema requires this column, and the record does not have it"
                )
            hint, field = "correct it in the tap, or set validate_records: false", ".".join(path)
            return Reason("schema_violation", message, field=field or None, value=value, hint=hint)
        except (ValueError, TypeError) as error:
            return Reason("invalid_date", f"a date or time cannot be read: {error_text(error)}")
        return None

    def needs_key(self, name: str) -> bool:  # noqa: ARG002
        """Return whether each record must have this key property."""
        return True

    @abstractmethod
    def take(self, record: Mapping[str, Any], source: SourceRecord) -> None:
        """Take a valid record, or raise a RecordRejectedError."""

    def take_deleted(self, record: Mapping[str, Any], source: SourceRecord) -> None:  # noqa: ARG002
        """Take a record that the source has deleted: skip it, unless the sink deletes rows."""
        reason = Reason("deleted_in_source", "the source has deleted this record")
        self.ledger.record_source(source, Outcome.SKIPPED, reason)

    @abstractmethod
    def settle(self) -> None:
        """Load and settle everything taken so far, as far as that is possible before the end."""

    def send_older_than(self, seconds: float) -> None:
        """Send what has been incomplete for some seconds, if this sink sends before the end."""

    def forget_progress(self) -> None:
        """Delete notes for a later run: this one has ended well."""

    def abandon(self) -> None:
        """Delete what will not be sent any more."""

    def report_written(self) -> None:
        """Count what was written since the last report for the SDK's ``record_count`` metric."""
        counts = self.counts
        written = counts.outcomes[Outcome.CREATED] + counts.outcomes[Outcome.UPDATED]
        if counts.by_file is not None:
            is_bulk = self.stream.transport == "bulk"
            written = counts.by_file.accepted if is_bulk else counts.by_file.rows
        if self.context.plan is None:
            self.record_counter_metric.increment(written - counts.written_reported)
            counts.written_reported = written

    @override
    def clean_up(self) -> None:
        self.settle()
        self.streams.remove(self)
        self.report_written()
        super().clean_up()
