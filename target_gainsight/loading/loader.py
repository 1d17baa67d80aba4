"""Load the records of one stream: group → read → classify → pack → send → settle.

This module keeps the order: records with the same key are applied in input order. Only the calls
run in worker threads, up to ``max_concurrency`` at a time.
"""

from collections import Counter, deque
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from functools import partial

from target_gainsight.api import MAX_PAGE, Clock, GainsightError
from target_gainsight.loading.call_pool import CallPool
from target_gainsight.loading.classification import Classification
from target_gainsight.loading.deletes import RowDeleter
from target_gainsight.loading.dry_run import PlannedRows
from target_gainsight.loading.keys import Key
from target_gainsight.loading.lookups.deferred import DeferredParents
from target_gainsight.loading.lookups.index import LookupIndex
from target_gainsight.loading.lookups.resolver import Resolver
from target_gainsight.loading.outcomes import BatchResult, Outcome, RunStoppedError, Settlement
from target_gainsight.loading.reading.current_rows import CurrentRows, Matches
from target_gainsight.loading.records import LoadRecord
from target_gainsight.loading.settling.ledger import Ledger
from target_gainsight.loading.writing.delivery import Delivery
from target_gainsight.loading.writing.writer import Action, Writer
from target_gainsight.mapping.errors import display
from target_gainsight.settings.model import Limits

MAX_VALUES = MAX_PAGE - 1
"""The keys, or spellings of new keys, that one call reads: a page that is not full is the last."""

MOSTLY_UNCHANGED = 0.9
"""Groups double while this share of their records is unchanged: most calls are then reads."""


@dataclass(kw_only=True, eq=False)
class RecordLoader:
    """Loads one stream into one object.

    Attributes:
        lookup_index: None if no lookup of the run looks into its object.
        deferred: Keeps records that wait for a parent; None without lookups into their object.
        group_size: How many records make a group.
    """

    limits: Limits
    classification: Classification
    rows: CurrentRows | PlannedRows
    writer: Writer
    ledger: Ledger
    pool: CallPool
    clock: Clock
    resolver: Resolver | None
    lookup_index: LookupIndex | None
    deleter: RowDeleter | None = None
    deferred: DeferredParents | None = field(default=None, init=False)
    group_size: int = field(init=False)
    _reads_rows: bool = field(init=False)
    _next_group_size: int = field(init=False)
    _is_reading: bool = field(default=False, init=False)
    _new: list[LoadRecord] = field(default_factory=list, init=False)
    """Records with new keys, whose near matches are read together."""
    _near_values: int = field(default=0, init=False)
    _packed: dict[Action, list[LoadRecord]] = field(
        default_factory=lambda: {"update": [], "create": []}, init=False
    )
    _packed_since: float | None = field(default=None, init=False)
    _keys_in_flight: Counter[Key] = field(default_factory=Counter, init=False)
    _unmerged: deque[LoadRecord] = field(default_factory=deque, init=False)
    _created: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self.group_size = self._next_group_size = self.limits.read_group_size
        inserts = self.classification.settings.sync_mode == "insert"
        writes_unread = inserts and self.classification.existing_on_insert == "written"
        self._reads_rows = bool(self.classification.keys.names) and not writes_unread
        if self.resolver is not None and self.resolver.lookups.has_self_lookup:
            self.deferred = DeferredParents(
                self.resolver,
                self.classification.keys.names,
                self.clock.now,
                self.limits.max_batch_age_seconds,
                self.classification.rules.create_only,
            )

    def load(self, group: Sequence[LoadRecord]) -> None:
        """Load one group, in input order; what does not fill a batch waits for the next group."""
        if self.resolver is not None:
            group = self._resolve(self.resolver, group)
        for record in group:
            record.key = self.classification.keys.read_key(record.fields)
        if not self._reads_rows:
            self._insert(group)
        elif group:
            for part in self.classification.split(group):
                self._load_by_key(part)
        self._send_packed(partial=False)
        self._follow_up(final=False)
        self.pool.process_completed(wait=False)

    def flush(self) -> None:
        """Settle everything of this stream but the records that wait for their parent."""
        while True:
            self._finish_calls(writes=False)
            self._send_packed(partial=True)
            self._finish_calls()
            if not self._unmerged:
                return
            while self._unmerged:
                self._load_by_key([self._unmerged.popleft()], is_retry=True)

    def finish(self) -> None:
        """Settle everything of this stream, also records whose parents are missing."""
        self.flush()
        self._follow_up(final=True)
        self.flush()

    def send_older_than(self, seconds: float) -> None:
        """Send partial batches in which a record has waited for ``seconds``."""
        self._follow_up(final=False)
        since, now = self._packed_since, self.clock.now()
        if since is not None and now - since >= seconds:
            self._send_packed(partial=True)

    def _resolve(self, resolver: Resolver, group: Sequence[LoadRecord]) -> Sequence[LoadRecord]:
        if self.deferred is not None:
            self._finish_calls()
        refused = BatchResult(is_local=True)
        try:
            resolved = resolver.resolve(group, refused, final=False)
        except GainsightError as error:
            self.ledger.record_batch(BatchResult().hold_back(group, error))
            return ()
        self._settle(refused)
        return resolved

    def _settle(self, result: BatchResult) -> None:
        if self.lookup_index is not None:
            self.lookup_index.on_settled(
                self.classification.settings.object_name, result.settlements
            )
        if self.deferred is not None:
            result = replace(result, settlements=self.deferred.keep(result.settlements))
        for settlement in result.settlements:
            if settlement.outcome is Outcome.DELETED:
                self.classification.forget(settlement.record.key)
        self.ledger.record_batch(result)
        if result.stopped is not None:
            raise result.stopped

    def _follow_up(self, *, final: bool) -> None:
        """Complete records whose parents exist by now, once their own rows are written."""
        if self.deferred is None or not (final or self.deferred.is_due):
            return
        self._finish_calls()
        for result, updates in self.deferred.follow_up(final=final):
            self._settle(result)
            self._packed["update"] += updates
            self._send_packed(partial=False)

    def _insert(self, group: Sequence[LoadRecord]) -> None:
        """Pack records in order; one with the key of a batch in flight waits for that batch."""
        for record in group:
            while record.key and record.key in self._keys_in_flight:
                self.pool.process_completed(wait=True)
            self._packed["create"].append(record)
            if len(self._packed["create"]) >= self.writer.batch_size:
                self._send_packed(partial=False)

    def _wait_for_conflicting_keys(self, group: Sequence[LoadRecord]) -> None:
        self._finish_calls(writes=False)
        keys = {record.key for record in group}
        waiting = (self._new, *self._packed.values())
        if not keys.isdisjoint(record.key for records in waiting for record in records):
            self._send_packed(partial=True)
        while not keys.isdisjoint(self._keys_in_flight):
            self.pool.process_completed(wait=True)

    def _finish_calls(self, *, writes: bool = True) -> None:
        """Wait for the read in flight and, unless only the read matters, for all writes."""
        while self._is_reading or (writes and self._keys_in_flight):
            self.pool.process_completed(wait=True)

    def _load_by_key(self, group: Sequence[LoadRecord], *, is_retry: bool = False) -> None:
        """Read the current rows of a group, once the group before it has been classified.

        How many of its records are unchanged decides on the size of the group after the next,
        however quickly the tenant responds: so the sizes follow from the records alone.
        """
        self._wait_for_conflicting_keys(group)
        while self._unmerged and not is_retry:
            self._load_by_key([self._unmerged.popleft()], is_retry=True)
            self._wait_for_conflicting_keys(group)
        merged = self.classification.merge(group)
        if self.deferred is not None:
            self.deferred.override(merged)
        if not is_retry:
            self.group_size = self._next_group_size
        self._read(merged, resizes_group=not is_retry)

    def _read_near_matches(self) -> None:
        """Read the rows with other spellings of the new keys: one query serves many groups."""
        self._finish_calls(writes=False)
        records, self._new, self._near_values = self._new, [], 0
        if records:
            self._read(records, near=True)

    def _read(
        self, records: Sequence[LoadRecord], *, near: bool = False, resizes_group: bool = False
    ) -> None:
        def on_read(done: Future[Matches]) -> None:
            unchanged = self._classify(records, done, near=near)
            if resizes_group:
                grows = unchanged >= MOSTLY_UNCHANGED * len(records)
                grown = min(2 * self.group_size, MAX_VALUES) if grows else 0
                self._next_group_size = max(self.limits.read_group_size, grown)

        self._is_reading = True
        self.pool.submit(partial(self.rows.read, records, near=near), on_read)

    def _classify(self, records: Sequence[LoadRecord], done: Future[Matches], *, near: bool) -> int:
        """Decide what to write for records that were looked up; return how many are unchanged."""
        self._is_reading = False
        try:
            found = done.result()
        except GainsightError as error:
            self.ledger.record_batch(BatchResult().hold_back(records, error))
            return 0
        result = BatchResult()
        to_delete = []
        for record in records:
            decision = self.classification.classify(record, found, near=near)
            if isinstance(decision, Settlement):
                result.settlements.append(decision)
            elif decision == "new":
                self._hold_new(record)
            elif decision == "delete":
                to_delete.append(record)
            else:
                self._packed[decision].append(record)
        self._settle(result)
        self._send_packed(partial=False)
        if self.deleter is not None:
            self.deleter.delete(to_delete, self._settle)
        return sum(each.outcome is Outcome.UNCHANGED for each in result.settlements)

    def _hold_new(self, record: LoadRecord) -> None:
        values = len(self.classification.keys.near_values(record.fields))
        if self._near_values + values > MAX_VALUES:
            self._read_near_matches()
        self._new.append(record)
        self._near_values += values

    def _send_packed(self, *, partial: bool) -> None:
        while partial and self._new:
            self._read_near_matches()
            self._finish_calls(writes=False)
        for action, packed in self._packed.items():
            while len(packed) >= self.writer.batch_size or (partial and packed):
                self._send_batch(action, packed[: self.writer.batch_size])
        if not self._new and not any(self._packed.values()):
            self._packed_since = None
        elif self._packed_since is None:
            self._packed_since = self.clock.now()

    def _send_batch(self, action: Action, batch: list[LoadRecord]) -> None:
        if action == "create":
            settings, most = self.classification.settings, self.classification.settings.max_creates
            if most is not None and self._created + len(batch) > most:
                suggestion = "Check lookup_keys, or raise max_creates, and run again."
                stream = display(batch[0].source.alias)
                message = (
                    f"stream {stream}: the next batch would create more than "
                    f"max_creates ({most}) new rows of {settings.object_name}; "
                    f"{self._created:,} were already sent to be created"
                )
                raise RunStoppedError(message, code="too_many_creates", suggestion=suggestion)
            self._created += len(batch)
        del self._packed[action][: len(batch)]
        self._keys_in_flight.update(record.key for record in batch)
        delivery = Delivery(self.writer, self.clock, self.limits.max_retry_seconds)
        send = partial(delivery.deliver, action, batch)
        self.pool.submit(send, partial(self._on_batch_done, batch))

    def _on_batch_done(self, batch: Sequence[LoadRecord], done: Future[BatchResult]) -> None:
        result = done.result()
        self._keys_in_flight -= Counter(record.key for record in batch)
        if any(record.parts for record in batch):
            self._unmerged.extend(result.take_refused_merges())
        if self.deferred is not None:
            self.deferred.settle(result)
        self._settle(result)
