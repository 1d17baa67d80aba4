"""What the sinks of all kinds of objects share: the stream's plan, its mapper and its loader."""

from __future__ import annotations

from abc import abstractmethod
from datetime import datetime, timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar, cast

from typing_extensions import override

from target_gainsight.loading.dry_run.overlay import PlannedRows
from target_gainsight.loading.dry_run.plan import PlanningWriter
from target_gainsight.loading.loader import RecordLoader
from target_gainsight.loading.lookups.deferred import DeferredParents
from target_gainsight.loading.lookups.plans import References
from target_gainsight.loading.lookups.resolver import Resolver
from target_gainsight.loading.outcomes import Outcome, RunStoppedError, reason_of_fields
from target_gainsight.loading.reading.keys import KeyReader
from target_gainsight.loading.records import LoadRecord
from target_gainsight.loading.rejects.reject_id import REASON_PROPERTY
from target_gainsight.loading.writing.delivery import ResendPolicy
from target_gainsight.mapping.columns import columns_of
from target_gainsight.mapping.errors import RecordRejectedError, ValueRejectedError
from target_gainsight.mapping.planning.field_plan import plan_fields
from target_gainsight.mapping.planning.static_schemas import well_known_fields
from target_gainsight.mapping.record_mapper import RecordMapper
from target_gainsight.mapping.types.converters import RICH_TEXT
from target_gainsight.sinks.stream import StreamSink

if TYPE_CHECKING:
    from collections.abc import Mapping

    from singer_sdk import Target

    from target_gainsight.api import Json, ObjectSchema
    from target_gainsight.loading.classification import ExistingOnInsert, RecordMap
    from target_gainsight.loading.reading.current_rows import CurrentRows
    from target_gainsight.loading.reading.seen_keys import SeenKeys
    from target_gainsight.loading.records import SourceRecord
    from target_gainsight.loading.writing.writer import Writer
    from target_gainsight.mapping.columns import Column
    from target_gainsight.mapping.planning.field_plan import FieldPlan

_LATEST = 253_402_300_800.0
"""The end of the year 9999, in epoch seconds."""

NAME = "Name"
MOST_KEYS = 3


class ObjectSink(StreamSink):
    """Loads one stream into one object, which it is checked against when the sink is made.

    Raises:
        StreamMismatchError: The stream does not fit the object.
        RunStoppedError: The object is unknown or cannot be loaded this way.

    Attributes:
        existing_on_insert: What insert mode makes of a record that the tenant has.
        name_identifies: Whether records go by their Name unless told otherwise.
        call_kinds: How its calls are named that create, and that update.
        html_by_default: Rich text fields that are written as HTML unless `rich_text` is set.
    """

    call_kinds: ClassVar[tuple[str, str]] = ("insert", "update")
    html_by_default: ClassVar[frozenset[str]] = frozenset()
    existing_on_insert: ClassVar[ExistingOnInsert] = "written"
    name_identifies: ClassVar[bool] = True

    def __init__(
        self,
        target: Target,
        stream_name: str,
        schema: dict[str, Any],
        key_properties: list[str] | None,
    ) -> None:
        super().__init__(target, stream_name, schema, key_properties)
        self._pending: list[LoadRecord] = []
        self._pending_since = 0.0
        self._object_schema = self._describe()
        self._warn_of_high_volume(self._object_schema)
        self.knows_fields = self._object_schema is not None
        self._references = References.of(self.stream, self.run.describe, self._list_fields())
        self.plan = self._plan(None)
        self.mapper = self._make_mapper()

    @property
    @override
    def current_size(self) -> int:
        """The records of the group that comes together."""
        return len(self._pending)

    @property
    @override
    def is_full(self) -> bool:
        """Whether the group that comes together is whole."""
        return self.current_size >= self.loader.group_size.current

    @override
    def setup(self) -> None:
        """Compile the way of the stream's records."""
        super().setup()
        self._report_columns()
        for warning in self.plan.warnings:
            self.logger.warning("stream %s: %s", self.stream_name, warning)
        references = self._references
        keys = KeyReader(self.plan.keys, self.mapper)
        rows = self._rows(keys, references)
        resolver = self._resolver(references)
        self.loader = RecordLoader(
            settings=self.stream,
            group_size=self.run.settings.read_group_size,
            mapper=self.comparison(references),
            keys=keys,
            rows=rows,
            seen_keys=self._seen_keys(rows),
            writer=self._writer(self.writer(keys, rows), rows),
            plan=self.run.plan,
            ledger=self.run.ledger,
            pool=self.run.pool,
            resends=ResendPolicy(self.run.clock, self.run.settings.limits.max_retry_seconds),
            deferred=DeferredParents(
                resolver,
                rows,
                keys.names,
                now=self.run.clock.now,
                max_age_seconds=self.run.settings.max_batch_age_seconds,
            ),
            resolver=resolver,
            wrote=lambda: self.run.lookups.object_written(self.object_name),
            rejected=self._note_rejected,
            existing_on_insert=self.existing_on_insert,
        )
        self.run.add_sink(self)

    @override
    def plan_again(self) -> bool:
        """Decide anew what becomes of the columns; a record is identified as before."""
        self.plan = self._plan(self.plan.keys)
        self.mapper = self._make_mapper()
        self._report_columns()
        return True

    @abstractmethod
    def rows(self, keys: KeyReader, references: References) -> CurrentRows:
        """Make what reads the tenant's current rows."""

    @abstractmethod
    def writer(self, keys: KeyReader, rows: CurrentRows | None) -> Writer:
        """Make what writes batches."""

    def comparison(self, references: References) -> RecordMap:  # noqa: ARG002 - for people's links
        """Make what compares records with rows."""
        return self.mapper

    def _describe(self) -> ObjectSchema | None:
        """Learn the fields of the object."""
        return self.run.describe(self.object_name)

    def _list_fields(self) -> frozenset[str]:
        """Name the fields that hold a list of GSIDs."""
        return frozenset()

    @override
    def take(self, record: Mapping[str, Any], source: SourceRecord) -> None:
        """Turn a record of the stream into one of Gainsight's and queue it for its group.

        Args:
            record: The record as it comes out of the stream maps, validated.
            source: Where it came from.
        """
        try:
            loaded = LoadRecord(source, self.mapper.map(record))
            if self._references.any:
                loaded.references = self._references.refer(record)
                loaded.links = self._references.link(record)
        except RecordRejectedError as error:
            self._note_rejected(
                {field: record.get(column) for column, field in self.plan.column_to_field.items()}
            )
            self.run.ledger.record_source(source, Outcome.REJECTED, reason_of_fields(error.errors))
            return
        if not self._references.any:
            self.loader.identify(loaded)
        reason = source.message.get(REASON_PROPERTY)
        if reason is not None:
            loaded.sent_before = _sent_before(reason)
        if not self._pending:
            self._pending_since = self.run.clock.now()
        self._pending.append(loaded)

    @override
    def process_batch(self, context: dict[str, Any]) -> None:
        """Load the group that has come together."""
        group, self._pending = self._pending, []
        if group:
            with self.loading():
                self.run.settle_others(self)
                self.loader.load(group)
        self.report_written()

    @override
    def send_older_than(self, seconds: float) -> None:
        """Send what has waited too long.

        Args:
            seconds: How long a partial group or batch may wait.
        """
        waited = self.run.clock.now() - self._pending_since
        if self._pending and waited >= seconds:
            self.settle()
        self.loader.send_older_than(seconds)

    @override
    def settle(self) -> None:
        """Load and settle everything taken so far, but for records that wait for their parent."""
        self.process_batch({})
        with self.loading():
            self.loader.flush()
        self.report_written()

    @override
    def clean_up(self) -> None:
        """Send what is left and settle everything."""
        self.settle()
        with self.loading():
            self.loader.finish()
        self.report_written()
        self.run.sinks.remove(self)
        super().clean_up()

    @override
    def written(self) -> int:
        outcomes = self.counts.outcomes
        return outcomes[Outcome.CREATED] + outcomes[Outcome.UPDATED]

    def _warn_of_high_volume(self, schema: ObjectSchema | None) -> None:
        if schema is not None and schema.volume == "high":
            self.logger.warning(
                "stream %s: %s is listed as a high-volume object, which the REST API may not "
                "write; if its records are refused, load it by a bulk job (transport: bulk)",
                self.stream_name,
                schema.name,
            )

    def _resolver(self, references: References) -> Resolver | None:
        if not references.any:
            return None
        return Resolver(
            references.lookups,
            references.links,
            self.run.lookups,
            self.run.rejected_parents,
            omit_null=self.stream.null_values == "omit",
        )

    def _rows(self, keys: KeyReader, references: References) -> CurrentRows | None:
        if not keys.names:
            return None
        rows = self.rows(keys, references)
        if self.run.plan is None:
            return rows
        return PlannedRows(rows, self.run.plan.written(self.object_name, keys.names))

    def _seen_keys(self, rows: CurrentRows | None) -> SeenKeys | None:
        if rows is None or self.stream.near_matches == "ignore":
            return None
        return self.run.seen_keys(self.object_name, self.plan.keys)

    def _writer(self, writer: Writer, rows: CurrentRows | None) -> Writer:
        if self.run.plan is None:
            return writer
        parents = self.run.planned_parents

        def note(record: LoadRecord) -> None:
            parents.record_write(self.object_name, record.fields)
            if isinstance(rows, PlannedRows):
                rows.record_write(record)

        return PlanningWriter(self.run.plan, self.call_kinds, writer.batch_size, note)

    def _note_rejected(self, fields: Mapping[str, Any]) -> None:
        self.run.rejected_parents.note(self.object_name, fields)

    def _plan(self, keys: tuple[str, ...] | None) -> FieldPlan:
        schema, references = self._object_schema, self._references
        today = datetime.fromtimestamp(self.run.clock.now(), tz=timezone.utc).date()
        constants = cast("Mapping[str, Json]", self.stream.constants_on(today))
        return plan_fields(
            self._columns(),
            schema,
            stream=self.stream_name,
            sync_mode=self.stream.sync_mode,
            keys=self._choose_keys(self._provided_fields() | set(constants), schema)
            if keys is None
            else keys,
            field_mapping=self.stream.field_mapping,
            constants=constants,
            unknown_fields=self.stream.unknown_fields,
            keys_required=self.stream.sync_mode != "insert" or self.stream.object_type == "person",
            native_upsert=self.stream.object_type == "person",
            lookup_columns=self._lookup_only_columns(references),
            lookup_targets=frozenset(self.stream.lookups),
            further_problems=references.problems,
        )

    def _columns(self) -> tuple[Column, ...]:
        """What the stream carries."""
        return columns_of(self.schema)

    def _provided_fields(self) -> set[str]:
        """Name the fields that columns and lookups fill."""
        mapping = self.stream.field_mapping
        columns = columns_of(self.schema)
        return {mapping.get(each.name, each.name) for each in columns}.union(self.stream.lookups)

    def _lookup_only_columns(self, references: References) -> frozenset[str]:
        """Name the columns that need not be sent."""
        return references.columns

    def _choose_keys(self, carried: set[str], schema: ObjectSchema | None) -> tuple[str, ...]:
        if self.stream.lookup_keys:
            return self.stream.lookup_keys
        if NAME in carried and self.name_identifies:
            return (NAME,)
        keys = tuple(self.stream.field_mapping.get(key, key) for key in self.key_properties)
        if self.stream.sync_mode == "insert":
            known = schema is not None and all(schema.field(key) for key in keys)
            return keys if known and len(keys) <= MOST_KEYS else ()
        if not keys or len(keys) > MOST_KEYS:
            no_name = "carries no Name and " if self.name_identifies else ""
            message = (
                f"stream {self.stream_name}: set lookup_keys to the 1 to {MOST_KEYS} fields that "
                f"identify a record of {self.stream.object_name}; the stream {no_name}has "
                f"{len(keys)} key properties"
            )
            raise RunStoppedError(message)
        return keys

    def _report_columns(self) -> None:
        self.report_columns(self.plan.dropped, self.plan.undeclared, self.stream.object_name)

    def _html_fields(self) -> frozenset[str]:
        """Name the rich text fields whose line breaks become `<br>`."""
        if self.stream.rich_text is None:
            return self.html_by_default
        schema = self._object_schema
        fields = schema.fields if schema and self.stream.rich_text == "html" else ()
        return frozenset(field.name for field in fields if field.data_type == RICH_TEXT)

    def _make_mapper(self) -> RecordMapper:
        try:
            return RecordMapper(
                self.plan,
                self._object_schema,
                sync_mode=self.stream.sync_mode,
                null_values=self.stream.null_values,
                date_format=self.stream.date_format,
                html_fields=self._html_fields(),
                well_known=well_known_fields(self.object_name),
            )
        except ValueRejectedError as error:
            message = f"stream {self.stream_name}: a constant cannot be written: {error}"
            raise RunStoppedError(message) from error


def _sent_before(reason: object) -> float | None:
    """When an earlier run sent a record that is replayed, in epoch seconds; from outside."""
    sent_at = reason.get("sent_at") if isinstance(reason, dict) else None
    if isinstance(sent_at, bool) or not isinstance(sent_at, (int, float, Decimal)):
        return None
    return float(sent_at) if 0 < sent_at < _LATEST else None
