"""Base of the sinks of all kinds of objects: the stream's plan, its mapper and its loader."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from datetime import datetime, timezone
from decimal import Decimal
from typing import Any, ClassVar, cast

from singer_sdk import Target
from typing_extensions import override

from target_gainsight.api import MAX_KEYS, Json, ObjectSchema
from target_gainsight.loading.classification import Classification, ExistingOnInsert, RecordMap
from target_gainsight.loading.deletes.row_deleter import RowDeleter
from target_gainsight.loading.dry_run.overlay import PlannedRows
from target_gainsight.loading.dry_run.plan import PlanningWriter
from target_gainsight.loading.loader import RecordLoader
from target_gainsight.loading.lookups.deferred import DeferredParents
from target_gainsight.loading.lookups.plans import plan_lookups
from target_gainsight.loading.lookups.resolver import Resolver
from target_gainsight.loading.outcomes import Outcome, RunStoppedError, reason_of_fields
from target_gainsight.loading.reading.current_rows import CurrentRows, RowReader
from target_gainsight.loading.reading.keys import KeyReader
from target_gainsight.loading.records import LoadRecord, SourceRecord
from target_gainsight.loading.rejects.reject_id import REASON_PROPERTY
from target_gainsight.loading.writing.delivery import ResendPolicy
from target_gainsight.loading.writing.writer import Writer
from target_gainsight.mapping.columns import Column, columns_of
from target_gainsight.mapping.errors import RecordRejectedError, ValueRejectedError
from target_gainsight.mapping.escaping import one_line
from target_gainsight.mapping.planning.field_plan import FieldPlan, plan_fields
from target_gainsight.mapping.planning.spec import MappingSpec
from target_gainsight.mapping.planning.static_schemas import well_known_fields
from target_gainsight.mapping.record_mapper import RecordMapper
from target_gainsight.mapping.types.converters import RICH_TEXT
from target_gainsight.sinks.stream import StreamSink

_LATEST = 253_402_300_800.0
"""The end of the year 9999, in epoch seconds."""

NAME = "Name"


class ObjectSink(StreamSink):
    """Loads one stream into one object, which it is checked against when the sink is made.

    Raises:
        StreamMismatchError: The stream does not fit the object.
        RunStoppedError: The object is unknown or cannot be loaded this way.

    Attributes:
        call_kinds: The kinds of its calls: for creates, and for updates.
        html_by_default: Rich text fields that are written as HTML unless `rich_text` is set.
        existing_on_insert: What insert mode does with a record that the tenant has.
        name_identifies: Records are identified by Name unless the settings say otherwise.
        lookups: The stream's lookups.
        plan: The stream's field mapping.
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
        self.clock = self.context.clock
        self.client = self.context.client
        self._limits = self.context.settings.limits
        self._pending: list[LoadRecord] = []
        self._pending_since = 0.0
        self._object_schema = self._describe()
        self.knows_fields = self._object_schema is not None
        self.lookups = plan_lookups(
            self.stream, self.context.schemas.get_if_readable, self._list_fields()
        )
        self.plan = self._plan(None)
        self.mapper = self._make_mapper()
        index = self.context.lookups
        self._lookup_index = index if index.is_target(self.object_name) else None
        self.loader = self._make_loader()

    @property
    @override
    def current_size(self) -> int:
        """The records of the group that is being filled."""
        return len(self._pending)

    @property
    @override
    def is_full(self) -> bool:
        """Whether the group that is being filled is complete."""
        return len(self._pending) >= self.loader.group_size

    @override
    def setup(self) -> None:
        """Warn of what will not be loaded, and let other streams settle this one."""
        super().setup()
        schema = self._object_schema
        if schema is not None and schema.volume == "high":
            self.logger.warning(
                "stream %s: %s is listed as a high-volume object, which the REST API may not "
                "write; if its records are refused, load it by a bulk job (transport: bulk)",
                self.stream_name,
                schema.name,
            )
        self.report_columns(self.plan.dropped, self.plan.undeclared, self.object_name)
        for warning in self.plan.warnings:
            self.logger.warning("stream %s: %s", self.stream_name, warning)
        self._report_rules()
        self.streams.add(self)

    @override
    def identifies_as_before(self) -> bool:
        provided = self._provided_fields() | set(self.stream.constants)
        return set(self._choose_keys(provided, self._object_schema)) == set(self.plan.keys)

    @override
    def plan_again(self) -> bool:
        """Map the columns anew; a record is identified as before."""
        self.plan = self._plan(self.plan.keys)
        self.mapper = self._make_mapper()
        self.report_columns(self.plan.dropped, self.plan.undeclared, self.object_name)
        return True

    @abstractmethod
    def rows(self, keys: KeyReader) -> CurrentRows:
        """Return the reader of the tenant's current rows."""

    @abstractmethod
    def writer(self, keys: KeyReader, rows: CurrentRows | None) -> Writer:
        """Return the writer of batches."""

    def with_fallback(self, rows: RowReader, keys: KeyReader) -> RowReader:  # noqa: ARG002
        """Return a reader that finds rows by fallback keys, too, where the object has them."""
        return rows

    def make_deleter(
        self,
        planning: PlanningWriter | None,  # noqa: ARG002 - for sinks that delete
        resends: ResendPolicy,  # noqa: ARG002
    ) -> RowDeleter | None:
        """Return what deletes rows, or plans to; None if the stream deletes none."""
        return None

    def comparison(self) -> RecordMap:
        """Return what compares records with rows."""
        return self.mapper

    def _describe(self) -> ObjectSchema | None:
        return self.context.schemas.get_if_readable(self.object_name)

    def _list_fields(self) -> frozenset[str]:
        """List the fields that hold a list of GSIDs."""
        return frozenset()

    @override
    def take(self, record: Mapping[str, Any], source: SourceRecord) -> None:
        """Convert a record to Gainsight's fields and add it to its group."""
        try:
            loaded = LoadRecord(source, self.mapper.map(record))
            if self.lookups.lookups:
                loaded.references = {
                    plan.target: plan.reference_of(record) for plan in self.lookups.lookups
                }
            if self.lookups.links is not None:
                loaded.links = self.lookups.links_of(record)
        except RecordRejectedError as error:
            if self._lookup_index is not None:
                fields = {
                    field: record.get(column) for column, field in self.plan.column_to_field.items()
                }
                self._lookup_index.on_reject(self.object_name, fields)
            self.ledger.record_source(source, Outcome.REJECTED, reason_of_fields(error.errors))
            return
        if REASON_PROPERTY in source.message:
            loaded.sent_before = _sent_before(source.message[REASON_PROPERTY])
        self._append(loaded)

    def _append(self, loaded: LoadRecord) -> None:
        """Add a record to the group that is being filled."""
        if not self._pending:
            self._pending_since = self.clock.now()
        if self.object_name.lower() in self.streams.shared:
            self.streams.hold(self, self._keys.names, self._keys.of_record(loaded.fields))
        self._pending.append(loaded)

    @override
    def process_batch(self, context: dict[str, Any]) -> None:
        """Load the group that has been filled."""
        group, self._pending = self._pending, []
        if group:
            self.streams.release(self)
            with self.streams.loading(self):
                self.streams.settle_object(self.object_name)
                self.loader.load(group)
        self.report_written()

    @override
    def send_older_than(self, seconds: float) -> None:
        """Send a group or batch that has been incomplete for some seconds."""
        if self._pending and self.clock.now() - self._pending_since >= seconds:
            self.settle()
        self.loader.send_older_than(seconds)

    @override
    def settle(self) -> None:
        """Load and settle everything taken so far, but for records that wait for a parent."""
        self.process_batch({})
        with self.streams.loading(self):
            self.loader.flush()
        self.report_written()

    @override
    def clean_up(self) -> None:
        """Send what is left and settle everything."""
        self.settle()
        with self.streams.loading(self):
            self.loader.finish()
        self.report_written()
        self.streams.remove(self)
        super().clean_up()

    @override
    def written(self) -> int:
        outcomes = self.counts.outcomes
        return outcomes[Outcome.CREATED] + outcomes[Outcome.UPDATED]

    def _report_rules(self) -> None:
        """Name the fields that are not always written."""
        rules = {name: str(rule) for name, rule in self.stream.field_rules.items()}
        for name, rule in rules.items():
            self.logger.info("stream %s: %s is %s", self.stream_name, one_line(name), rule)
        if self.context.plan is not None:
            planned = self.context.plan.stream(self.stream_name)
            planned.rules, planned.fallback_keys = rules, self.plan.fallback_keys
            planned.schema = self._object_schema

    def _make_loader(self) -> RecordLoader:
        context = self.context
        self._keys = keys = KeyReader.of(self.plan.keys, self.mapper)
        current = self.rows(keys) if keys.names else None
        writer, planning = self.writer(keys, current), None
        rows = None if current is None else self.with_fallback(current, keys)
        if context.plan is not None:
            if rows is not None:
                written = context.plan.written(self.object_name, keys.names)
                has_fallback = bool(self.plan.fallback_keys)
                claimed = context.claimed_rows[self.object_name.lower()] if has_fallback else None
                rows = PlannedRows(rows, written, context.plan.deleted, claimed)
            writer = planning = PlanningWriter(
                context.plan,
                self.call_kinds,
                writer.batch_size,
                object_name=self.object_name,
                lookups=self._lookup_index,
                rows=rows,
            )
        resends = ResendPolicy(self.clock, self._limits.max_retry_seconds)
        resolver, deferred = None, None
        if self.lookups.any:
            omit_null = self.stream.null_values == "omit"
            resolver = Resolver(
                self.lookups.lookups, self.lookups.links, context.lookups, omit_null=omit_null
            )
            if resolver.has_self_lookup:
                deferred = DeferredParents(
                    resolver,
                    rows,
                    keys.names,
                    now=self.clock.now,
                    max_age_seconds=context.settings.limits.max_batch_age_seconds,
                    create_only=frozenset(
                        name
                        for name, rule in self.stream.field_rules.items()
                        if rule.write == "create"
                    ),
                )
        compares_keys = rows is not None and self.stream.near_matches != "ignore"
        sync_mode = self.stream.sync_mode
        classification = Classification(
            self.stream,
            self.comparison(),
            keys,
            context.seen_keys[self.object_name.lower(), keys.names] if compares_keys else None,
            context.summary,
            context.plan,
            self.existing_on_insert,
        )
        return RecordLoader(
            settings=self.stream,
            group_size=context.settings.limits.read_group_size,
            classification=classification,
            keys=keys,
            rows=None if sync_mode == "insert" and self.existing_on_insert == "written" else rows,
            checks_near=compares_keys
            and (sync_mode == "upsert" or bool(self.stream.fallback_keys)),
            writer=writer,
            ledger=self.ledger,
            pool=context.pool,
            resends=resends,
            deleter=self.make_deleter(planning, resends),
            deferred=deferred,
            resolver=resolver,
            lookup_index=self._lookup_index,
        )

    def _plan(self, keys: tuple[str, ...] | None) -> FieldPlan:
        """Map columns to fields; ``keys`` are those of an earlier plan."""
        schema = self._object_schema
        today = datetime.fromtimestamp(self.clock.now(), tz=timezone.utc).date()
        constants = cast("Mapping[str, Json]", self.stream.constants_on(today))
        if keys is None:
            keys = self._choose_keys(self._provided_fields() | set(constants), schema)
        spec = MappingSpec(
            columns=self._columns(),
            schema=schema,
            sync_mode=self.stream.sync_mode,
            named_keys=keys,
            field_mapping=self.stream.field_mapping,
            constants=constants,
            unknown_fields=self.stream.unknown_fields,
            keys_required=self.stream.sync_mode != "insert" or self.stream.object_type == "person",
            native_upsert=self.stream.object_type == "person",
            lookup_columns=self._lookup_only_columns(),
            lookup_targets=frozenset(self.stream.lookups),
            named_fallback_keys=self.stream.fallback_keys,
            field_rules=self.stream.field_rules,
            key_properties=tuple(self.key_properties),
            default_keys=not self.stream.lookup_keys,
        )
        return plan_fields(spec, stream=self.stream_name, further_problems=self.lookups.problems)

    def _columns(self) -> tuple[Column, ...]:
        return columns_of(self.schema)

    def _provided_fields(self) -> set[str]:
        """List the fields that columns and lookups fill."""
        mapping = self.stream.field_mapping
        columns = columns_of(self.schema)
        return {mapping.get(each.name, each.name) for each in columns}.union(self.stream.lookups)

    def _lookup_only_columns(self) -> frozenset[str]:
        """List the columns that need not be sent."""
        return self.lookups.columns

    def _choose_keys(self, provided: set[str], schema: ObjectSchema | None) -> tuple[str, ...]:
        if self.stream.lookup_keys:
            return self.stream.lookup_keys
        if NAME in provided and self.name_identifies:
            return (NAME,)
        keys = tuple(self.stream.field_mapping.get(key, key) for key in self.key_properties)
        if self.stream.sync_mode == "insert":
            known = schema is not None and all(schema.field(key) for key in keys)
            return keys if known and len(keys) <= MAX_KEYS else ()
        return keys if len(keys) <= MAX_KEYS else ()

    def _make_mapper(self) -> RecordMapper:
        schema, html_fields = self._object_schema, self.html_by_default
        if self.stream.rich_text is not None:
            fields = schema.fields if schema and self.stream.rich_text == "html" else ()
            html_fields = frozenset(each.name for each in fields if each.data_type == RICH_TEXT)
        try:
            return RecordMapper(
                self.plan,
                schema,
                sync_mode=self.stream.sync_mode,
                null_values=self.stream.null_values,
                date_format=self.stream.date_format,
                html_fields=html_fields,
                well_known=well_known_fields(self.object_name),
            )
        except ValueRejectedError as error:
            message = f"stream {self.stream_name}: a constant cannot be written: {error}"
            raise RunStoppedError(message) from error


def _sent_before(reason: object) -> float | None:
    """Return when an earlier run sent a replayed record, in epoch seconds."""
    sent_at = reason.get("sent_at") if isinstance(reason, dict) else None
    if isinstance(sent_at, bool) or not isinstance(sent_at, (int, float, Decimal)):
        return None
    return float(sent_at) if 0 < sent_at < _LATEST else None
