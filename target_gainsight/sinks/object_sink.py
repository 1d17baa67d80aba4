"""Base of the sinks of all kinds of objects: the stream's plan, its mapper and its loader."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from decimal import Decimal
from typing import Any

from typing_extensions import override

from target_gainsight.api import MAX_KEYS, MAX_RECORDS, ObjectSchema
from target_gainsight.loading.classification import Classification, Comparison, ExistingOnInsert
from target_gainsight.loading.dry_run import PlannedRows, PlanningWriter
from target_gainsight.loading.keys import KeyReader
from target_gainsight.loading.loader import RecordLoader
from target_gainsight.loading.loading_streams import LoadingStream
from target_gainsight.loading.lookups.plans import StreamLookups
from target_gainsight.loading.lookups.resolver import Resolver
from target_gainsight.loading.outcomes import RunStoppedError
from target_gainsight.loading.reading.current_rows import CurrentRows, ObjectReader
from target_gainsight.loading.records import LoadRecord, SourceRecord
from target_gainsight.loading.rejects.folder import REASON_PROPERTY
from target_gainsight.loading.writing.writer import Writer
from target_gainsight.mapping.columns import Column, columns_of
from target_gainsight.mapping.errors import RecordRejectedError, display
from target_gainsight.mapping.planning.checks import check_fit, find_warnings
from target_gainsight.mapping.planning.spec import MappingSpec
from target_gainsight.mapping.planning.static_schemas import LIST_TYPE
from target_gainsight.mapping.record_mapper import RecordMapper
from target_gainsight.mapping.types.strings import join_keys
from target_gainsight.sinks.stream import StreamSink

NAME = "Name"


class ObjectSink(StreamSink):
    """Loads one stream into one object, which it is checked against when the sink is made.

    Raises:
        StreamMismatchError: The stream does not fit the object.
        RunStoppedError: The object is unknown or cannot be loaded this way.

    Attributes:
        call_kinds: The kinds of its calls: for creates, and for updates.
        existing_on_insert: What insert mode does with a record that the tenant has.
    """

    call_kinds = ("insert", "update")
    existing_on_insert: ExistingOnInsert = "written"

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - the SDK's
        super().__init__(*args, **kwargs)
        self.clock = self.context.clock
        self.client = self.context.client
        self.batch_size = min(self.batch_size_rows or MAX_RECORDS, MAX_RECORDS)
        self._pending: list[LoadRecord] = []
        self._pending_since = 0.0
        self._same_object: Sequence[LoadingStream] = ()
        schema = self._object_schema = self._describe()
        self.knows_fields = schema is not None
        self._static_fields = schema.fields if schema is not None and schema.documented else ()
        lists = frozenset(
            field.name for field in self._static_fields if field.data_type == LIST_TYPE
        )
        self.lookups = StreamLookups(self.stream, self.context.schemas.get_if_readable, lists)
        self._derived = self._derive()
        self.plan, self.mapper = self._map_columns(self._choose_keys())
        self._keys = self._reader_of(self.plan.keys)
        self.loader = self._make_loader()

    @property
    @override
    def current_size(self) -> int:
        return len(self._pending)

    @property
    @override
    def is_full(self) -> bool:
        return len(self._pending) >= self.loader.group_size

    @override
    def setup(self) -> None:
        """Warn of what will not be loaded, and let other streams settle this one."""
        super().setup()
        self._report_unmapped()
        for warning in find_warnings(self.plan):
            self.logger.warning("stream %s: %s", display(self.stream_name), warning)
        if self.context.plan is not None:
            planned = self.context.plan.streams[self.stream_name]
            planned.fallback_keys = self.plan.fallback_keys
            for name, rule in self.stream.field_rules.items():
                planned.field_rules.setdefault(name, {"rule": str(rule), "rows_kept": 0})
            if self._object_schema is not None:
                self.context.plan.schemas[self.stream_name] = self._object_schema
        self._same_object = self.streams.add(self)

    @override
    def plan_again(self, *, keys_changed: bool) -> bool:
        has_same_keys = not keys_changed or set(self._choose_keys()) == set(self.plan.keys)
        if self._derive() != self._derived or not has_same_keys:
            return False
        self.plan, self.mapper = self._map_columns(self.plan.keys)
        self._report_unmapped()
        return True

    def _report_unmapped(self) -> None:
        reason = f"{self.object_name} has no writable field for them"
        self.report_columns(self.plan.unmapped.values(), reason)

    @override
    def needs_key(self, name: str) -> bool:
        # A tap may have deselected a column that goes nowhere.
        column = self.plan.unmapped.get(name)
        return column is None or column.declared

    @override
    def take(self, record: Mapping[str, Any], source: SourceRecord) -> None:
        """Convert a record to Gainsight's fields and add it to its group."""
        if self._derived:
            derived = {name: join_keys(record, each) for name, each in self._derived.items()}
            record = {**record, **{name: value for name, value in derived.items() if value}}
        try:
            loaded = LoadRecord(source, self.mapper.map(record))
            if self.lookups.plans:
                loaded.references = self.lookups.references_of(record)
                loaded.links = self.lookups.links_of(record)
        except RecordRejectedError:
            fields = {
                field: record.get(column) for column, field in self.plan.column_to_field.items()
            }
            self.context.lookups.on_reject(self.object_name, fields)
            raise
        reason = source.message.get(REASON_PROPERTY)
        sent_at = reason.get("sent_at") if isinstance(reason, dict) else None
        if isinstance(sent_at, (float, Decimal)):
            loaded.sent_before = float(sent_at)
        self._append(loaded)

    def _append(self, loaded: LoadRecord) -> None:
        """Add a record to the group that is being filled."""
        if not self._pending:
            self._pending_since = self.clock.now()
        if len(self._same_object) > 1:
            self.streams.hold(self, self._keys.names, self._keys.read_key(loaded.fields))
        self._pending.append(loaded)

    @override
    def process_batch(self, context: dict[str, Any]) -> None:
        group, self._pending = self._pending, []
        if group:
            with self.streams.loading(self):
                self.streams.settle_object(self.object_name)
                self.loader.load(group)

    @override
    def send_older_than(self, seconds: float) -> None:
        if self._pending and self.clock.now() - self._pending_since >= seconds:
            self.settle()
        self.loader.send_older_than(seconds)

    @override
    def settle(self) -> None:
        self.process_batch({})
        with self.streams.loading(self):
            self.loader.flush()

    @override
    def clean_up(self) -> None:
        self.settle()
        with self.streams.loading(self):
            self.loader.finish()
        super().clean_up()

    @abstractmethod
    def _make_parts(self) -> tuple[CurrentRows, Writer, Comparison]:
        """Return the reader of current rows, the writer, and how records compare with rows."""

    def _current_rows(self, kind: type[CurrentRows] = CurrentRows, **how: Any) -> CurrentRows:  # noqa: ANN401
        usual = {
            "reader": ObjectReader(self.client.records, self.object_name),
            "keys": self._keys,
            "rule_fields": tuple(self.stream.field_rules),
            "deleted": self.context.plan.deleted if self.context.plan else (),
        }
        return kind(**{**usual, **how})

    def _make_loader(self) -> RecordLoader:
        context, stream, keys = self.context, self.stream, self._keys
        plan, name = context.plan, self.object_name.lower()
        current, writer, comparison = self._make_parts()
        rows: CurrentRows | PlannedRows = current
        if plan is not None:
            rows = planned = PlannedRows(current, plan.written[name, keys.names])
            writer = PlanningWriter(plan, self.call_kinds, writer.batch_size, planned)
        resolver = None
        if self.lookups.plans:
            omit_null = stream.null_values == "omit"
            resolver = Resolver(self.lookups, context.lookups, omit_null=omit_null)
        checks_near = keys.names and stream.near_matches != "ignore"
        seen_keys = context.seen_keys[name, keys.names] if checks_near else None
        return RecordLoader(
            limits=context.settings.limits,
            classification=Classification(
                stream, comparison, keys, seen_keys, context.summary, plan, self.existing_on_insert
            ),
            rows=rows,
            writer=writer,
            ledger=self.ledger,
            pool=context.pool,
            clock=self.clock,
            resolver=resolver,
            lookup_index=context.lookups if name in dict(context.lookups.targets) else None,
        )

    def _describe(self) -> ObjectSchema | None:
        return self.context.schemas.get_if_readable(self.object_name)

    def _filled_fields(self) -> set[str]:
        """List the fields that columns, lookups and constants fill."""
        mapping = self.stream.field_mapping
        columns = {mapping.get(each.name, each.name) for each in columns_of(self.schema)}
        return columns.union(self.stream.lookups, self.stream.constants)

    def _choose_keys(self) -> tuple[str, ...]:
        stream, schema = self.stream, self._object_schema
        if stream.named_keys:
            return stream.named_keys
        if stream.object_type != "cta" and NAME in self._filled_fields():
            return (NAME,)
        keys = tuple(stream.field_mapping.get(key, key) for key in self.key_properties)
        known = schema is not None and all(schema.field(key) for key in keys)
        return keys if len(keys) <= MAX_KEYS and (known or stream.sync_mode != "insert") else ()

    def _reader_of(self, names: tuple[str, ...]) -> KeyReader:
        return KeyReader(names, tuple(self.mapper.converters[name] for name in names))

    def _derive(self) -> dict[str, Sequence[str]]:
        """Return fields whose values are joined from other columns, with those columns."""
        return {}

    def _map_columns(self, keys: tuple[str, ...]) -> tuple[MappingSpec, RecordMapper]:
        """Map columns to fields, and check that the stream fits the object."""
        stream = self.stream
        today = datetime.fromtimestamp(self.clock.now(), tz=timezone.utc).date()
        derived = [Column(name, frozenset({"string"})) for name in self._derived]
        sources = self.key_properties if derived else ()
        spec = MappingSpec(
            columns=(*columns_of(self.schema), *derived),
            schema=self._object_schema,
            settings=stream,
            named_keys=keys,
            constants=stream.constants_on(today),
            lookup_columns=self.lookups.columns.union(sources),
            keys_required=stream.sync_mode != "insert" or stream.object_type == "person",
            key_properties=tuple(self.key_properties),
        )
        check_fit(spec, stream=self.stream_name, further=self.lookups.problems)
        try:
            return spec, RecordMapper(spec)
        except RecordRejectedError as error:
            name, suggestion = display(self.stream_name), "Correct it under constants."
            message = f"stream {name}: a constant cannot be written: {error}"
            raise RunStoppedError(message, code="stream_mismatch", suggestion=suggestion) from error
