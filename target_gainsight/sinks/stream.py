"""Base of all sinks that load: records in, and their order and outcomes."""

from __future__ import annotations

import copy
from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast

import jsonschema_rs
from singer_sdk import Target
from singer_sdk.sinks import BatchSink
from typing_extensions import override

from target_gainsight.loading.context import RunContext, find_stream_settings
from target_gainsight.loading.outcomes import Outcome, Reason
from target_gainsight.loading.records import SourceRecord
from target_gainsight.mapping.columns import Column
from target_gainsight.mapping.escaping import one_line

Check = Callable[[dict[str, Any]], None]

DELETED_AT = "_sdc_deleted_at"
METADATA = frozenset(
    {
        *("_sdc_extracted_at", "_sdc_received_at", "_sdc_batched_at", DELETED_AT),
        *("_sdc_sequence", "_sdc_table_version", "_sdc_sync_started_at"),
    }
)
"""The SDK's metadata columns."""

NOT_SENT = {
    True: "columns that %s does not have are not sent: %s",
    False: "columns that the SCHEMA does not declare and %s does not have are not sent: %s",
}
"""The warning of columns, by whether they are declared."""


class StreamSink(BatchSink):
    """Loads one stream.

    Attributes:
        check: Raises a `jsonschema_rs.ValidationError` for a record that does not fit the schema;
            None if records are not checked.
        key_set: The stream's key properties.
        known_columns: The columns of its schema, and the SDK's metadata columns.
        knows_fields: Dates and times are parsed by the type of their field, not by the schema.
    """

    def __init__(
        self,
        target: Target,
        stream_name: str,
        schema: dict[str, Any],
        key_properties: list[str] | None,
    ) -> None:
        context = self.context = cast("RunContext", cast("Any", target).context)
        self.ledger = context.ledger
        self.streams = context.streams
        self.stream = find_stream_settings(context.settings, stream_name)
        self.object_name = self.stream.object_name
        self.knows_fields = True
        mapped = any(column.startswith("_sdc_") for column in self.stream.field_mapping)
        self._adds_metadata = mapped or bool(target.config.get("add_record_metadata"))
        super().__init__(target, stream_name, schema, key_properties)
        self.check = self._compile()
        self.key_set = frozenset(self.key_properties)
        self.known_columns = METADATA.union(self.original_schema["properties"])
        self.counts = context.summary.streams[self.stream_name]

    @property
    @override
    def include_sdc_metadata_properties(self) -> bool:
        """Whether the SDK adds its metadata columns: when asked for, or when one is mapped."""
        return self._adds_metadata

    @override
    def get_validator(self) -> None:
        """Return none: the SDK's own takes most of a run's time; `check` is used instead."""

    def _compile(self) -> Check | None:
        """Compile the schema, if records are to be checked. It is valid and refers to nothing."""
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
        """Go on with another schema that fits the earlier records, too.

        Returns:
            False if that needs a new sink; then this one can only settle what it has.
        """
        before = self.original_schema, list(self.key_properties)
        if (schema, key_properties) == before:
            return True
        self.original_schema, self._key_properties = schema, key_properties
        self.key_set = frozenset(key_properties)
        self.schema = copy.deepcopy(schema)
        if self.include_sdc_metadata_properties:
            self._add_sdc_metadata_to_schema()
        else:
            self._remove_sdc_metadata_from_schema()
        self.check = self._compile()
        self.known_columns = METADATA.union(schema["properties"])
        fits = self.plan_again(keys_changed=key_properties != before[1])
        if not fits:  # the SDK makes a new sink where these differ
            self.original_schema, self._key_properties = before
        return fits

    @abstractmethod
    def plan_again(self, *, keys_changed: bool) -> bool:
        """Map the columns anew, perhaps by other key properties; False if a new sink must."""

    def report_columns(self, unmapped: Iterable[Column], where: str) -> None:
        """Warn of columns that are not sent, of each once in a run."""
        reported = self.counts.columns_reported
        new = [column for column in unmapped if column.name not in reported]
        for declared, warning in NOT_SENT.items():
            names = [column.name for column in new if column.declared is declared]
            reported.update(names)
            if names:
                self.logger.warning(warning, where, one_line(", ".join(names)))

    @abstractmethod
    def take(self, record: Mapping[str, Any], source: SourceRecord) -> None:
        """Take a record as it comes out of the stream maps, validated."""

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

    @override
    def clean_up(self) -> None:
        """Settle everything, and count what was written for the SDK's ``record_count`` metric."""
        self.settle()
        self.streams.remove(self)
        if self.context.plan is None:
            outcomes, files = self.counts.outcomes, self.counts.by_file
            written = outcomes[Outcome.CREATED] + outcomes[Outcome.UPDATED]
            if files is not None:
                written = files.accepted if self.stream.transport == "bulk" else files.rows
            self.record_counter_metric.increment(written)
        super().clean_up()
