"""What the sinks of all streams share: how a record reaches one, and what the run asks of it."""

from __future__ import annotations

import copy
from abc import abstractmethod
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol, cast

from singer_sdk.sinks import BatchSink
from typing_extensions import override

from target_gainsight.loading.records import SourceRecord
from target_gainsight.mapping.escaping import one_line
from target_gainsight.sinks.schema_validator import CompiledValidator

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from singer_sdk import Target
    from singer_sdk.sinks.core import BaseJSONSchemaValidator

    from target_gainsight.loading.context import Run


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


class RunningTarget(Protocol):
    """What a sink needs of its target."""

    @property
    def run(self) -> Run:
        """The run."""


class StreamSink(BatchSink):
    """Loads one stream.

    Attributes:
        key_set: The stream's key properties.
        known_columns: The columns of its schema, and the SDK's metadata columns.
        knows_fields: Whether dates and times are parsed where a field's type is known.
    """

    knows_fields = True

    def __init__(
        self,
        target: Target,
        stream_name: str,
        schema: dict[str, Any],
        key_properties: list[str] | None,
    ) -> None:
        self.run = cast("RunningTarget", target).run
        self.stream = self.run.stream_settings(stream_name)
        mapped = any(column.startswith("_sdc_") for column in self.stream.field_mapping)
        self._adds_metadata = mapped or bool(target.config.get("add_record_metadata"))
        super().__init__(target, stream_name, schema, key_properties)
        self.key_set = frozenset(self.key_properties)
        self.known_columns = METADATA.union(self.original_schema["properties"])
        self.watermark = self.run.checkpoint.open()
        self.counts = self.run.summary.stream(self.stream_name)
        self._number = self.run.ledger.register
        self._reported = 0
        self._loading = False

    @property
    @override
    def include_sdc_metadata_properties(self) -> bool:
        """Whether the SDK adds its metadata columns: when asked for, or when one is mapped."""
        return self._adds_metadata

    @override
    def get_validator(self) -> BaseJSONSchemaValidator | None:
        """Compile what checks records against the stream's schema, if they are to be checked."""
        return CompiledValidator(self.schema) if self.validate_schema else None

    def adopt_schema(self, schema: dict[str, Any]) -> bool:
        """Go on with another schema of the stream, without settling what was taken so far.

        Args:
            schema: A schema that fits the earlier records, too.

        Returns:
            Whether it could; otherwise all stays as it was, and a new sink must take over.
        """
        before = self.original_schema
        self._use_schema(schema)
        if self.plan_again():
            return True
        self._use_schema(before)
        return False

    @abstractmethod
    def plan_again(self) -> bool:
        """Decide anew what becomes of the columns; return False where that needs a new sink."""

    def _use_schema(self, schema: dict[str, Any]) -> None:
        self.original_schema = schema
        self.schema = copy.deepcopy(schema)
        if self.include_sdc_metadata_properties:
            self._add_sdc_metadata_to_schema()
        else:
            self._remove_sdc_metadata_from_schema()
        self._validator = self.get_validator()
        self.known_columns = METADATA.union(schema["properties"])

    def report_columns(self, dropped: Iterable[str], undeclared: Iterable[str], where: str) -> None:
        """Warn of columns that are not sent, of each once in a run.

        Args:
            dropped: Declared columns.
            undeclared: Columns that records carry although the SCHEMA does not declare them.
            where: What does not have them.
        """
        reported = self.counts.columns_reported
        unsent = [name for name in dropped if name not in reported]
        if unsent:
            names = one_line(", ".join(unsent))
            self.logger.warning("columns that %s does not have are not sent: %s", where, names)
        surplus = [name for name in undeclared if name not in reported]
        if surplus:
            self.logger.warning(
                "columns that records carry and the SCHEMA does not declare are not sent, because "
                "%s has nothing to take them: %s",
                where,
                one_line(", ".join(surplus)),
            )
        reported.update(unsent, surplus)

    @property
    def forbids_undeclared(self) -> bool:
        """Whether the schema rejects records with columns that it does not declare."""
        return self.validate_schema and self.original_schema.get("additionalProperties") is False

    @property
    def object_name(self) -> str:
        """The object it loads into."""
        return self.stream.object_name

    @property
    def is_loading(self) -> bool:
        """Whether it is in the middle of a group or a file."""
        return self._loading

    def register(self, message: Mapping[str, Any], schema: Mapping[str, Any]) -> SourceRecord:
        """Take note of one more record.

        Args:
            message: The RECORD message as it came.
            schema: The SCHEMA message that holds for it.

        Returns:
            The source, which the ledger will want settled.
        """
        self.counts.read += 1
        watermark = self.watermark
        return SourceRecord(
            message["stream"],
            self.stream_name,
            message,
            schema,
            self._number(),
            watermark,
            watermark.register(),
        )

    @abstractmethod
    def take(self, record: Mapping[str, Any], source: SourceRecord) -> None:
        """Take a record on its way.

        Args:
            record: The record as it comes out of the stream maps, validated.
            source: Where it came from.
        """

    @abstractmethod
    def settle(self) -> None:
        """Load and settle everything taken so far, as far as that is possible before the end."""

    @abstractmethod
    def send_older_than(self, seconds: float) -> None:
        """Send what has waited too long.

        Args:
            seconds: How long something incomplete may wait.
        """

    def forget_progress(self) -> None:
        """Forget what a later run would have needed: this one has ended well."""

    def abandon(self) -> None:
        """Take away what will not be sent any more."""

    @override
    def process_record(self, record: dict[str, Any], context: dict[str, Any]) -> None:
        """Refuse: records reach a sink through ``take``, with their source beside them."""
        message = "records of this target are handed to take()"
        raise NotImplementedError(message)

    def written(self) -> int:
        """Count the records that have been written so far."""
        return 0

    @contextmanager
    def loading(self) -> Iterator[None]:
        """Mark the sink as loading."""
        self._loading = True
        try:
            yield
        finally:
            self._loading = False

    def report_written(self) -> None:
        """Count the written records for the SDK's ``record_count`` metric."""
        if self.run.plan is None:
            written = self.written()
            self.record_counter_metric.increment(written - self._reported)
            self._reported = written
