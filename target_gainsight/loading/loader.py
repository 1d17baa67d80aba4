"""Group → read → classify → pack → send → settle: the way of one stream's records.

Order lives here: records with the same key are applied in the order they came. Everything but the
sending happens in the main thread; up to ``max_concurrency`` batches are in flight.
"""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import replace
from typing import TYPE_CHECKING

from target_gainsight.api import GainsightError, StopRunError
from target_gainsight.loading.classification import Classification
from target_gainsight.loading.merging import merged_by_key, refused_merges, without_repeats
from target_gainsight.loading.near_match_check import NearMatchCheck
from target_gainsight.loading.outcomes import BatchResult, Outcome, Reason, RunStoppedError
from target_gainsight.loading.reading.current_rows import Matches, read_or_error
from target_gainsight.loading.reading.group_size import GroupSize
from target_gainsight.loading.writing.delivery import deliver

if TYPE_CHECKING:
    from collections.abc import Sequence

    from target_gainsight.loading.call_pool import CallPool
    from target_gainsight.loading.classification import ExistingOnInsert, RecordMap
    from target_gainsight.loading.dry_run.plan import Plan
    from target_gainsight.loading.lookups.deferred import DeferredParents
    from target_gainsight.loading.lookups.index import LookupIndex
    from target_gainsight.loading.lookups.resolver import Resolver
    from target_gainsight.loading.reading.current_rows import CurrentRows, ReadResult
    from target_gainsight.loading.reading.keys import KeyReader
    from target_gainsight.loading.reading.seen_keys import SeenKeys
    from target_gainsight.loading.records import LoadRecord
    from target_gainsight.loading.references import Key
    from target_gainsight.loading.settling.ledger import Ledger
    from target_gainsight.loading.writing.attempts import Action
    from target_gainsight.loading.writing.delivery import ResendPolicy
    from target_gainsight.loading.writing.writer import Writer
    from target_gainsight.settings import StreamSettings


class RecordLoader:
    """Loads one stream into one object.

    Args:
        settings: How the stream is loaded.
        group_size: Records of the first group.
        mapper: Compares records with rows.
        keys: Reads lookup keys; without names for streams that are only inserted.
        rows: Reads current rows; None when nothing is read.
        seen_keys: The keys of this run; None if near matches do not matter.
        writer: Writes batches.
        ledger: Takes the outcomes.
        pool: The batches in flight.
        resends: How long creates whose response was lost are sent again.
        deferred: Keeps records that wait for a parent; None without lookups into their object.
        resolver: Fills foreign keys; None for a stream without lookups and links.
        lookup_index: Remembers created and rejected records; None if no lookup needs them.
        plan: Takes note of what would change, in a dry run.
        existing_on_insert: What insert mode makes of a record that the tenant has.

    Attributes:
        group_size: How many records make a group.
    """

    def __init__(  # noqa: PLR0913 - the parts of the pipeline it holds together
        self,
        *,
        settings: StreamSettings,
        group_size: int,
        mapper: RecordMap,
        keys: KeyReader,
        rows: CurrentRows | None,
        seen_keys: SeenKeys | None,
        writer: Writer,
        ledger: Ledger,
        pool: CallPool,
        resends: ResendPolicy,
        deferred: DeferredParents | None = None,
        resolver: Resolver | None = None,
        lookup_index: LookupIndex | None = None,
        plan: Plan | None = None,
        existing_on_insert: ExistingOnInsert = "written",
    ) -> None:
        self.group_size = GroupSize(group_size)
        self._settings = settings
        self._keys = keys
        self._rows = rows
        self._writer = writer
        self._ledger = ledger
        self._pool = pool
        self._resends = resends
        self._now = resends.clock.now
        self._resolver = resolver
        self._lookup_index = lookup_index
        self._classification = Classification(
            settings, mapper, keys, seen_keys, ledger.summary, plan, existing_on_insert
        )
        self._check: NearMatchCheck | None = None
        if rows is not None and seen_keys is not None and settings.sync_mode == "upsert":
            self._check = NearMatchCheck(rows, keys, pool, self._classify_creates)
        self._inserts = settings.sync_mode == "insert"
        self._reads_before_insert = existing_on_insert != "written"
        self._deferred = deferred
        self._packed: dict[Action, list[LoadRecord]] = {"update": [], "create": []}
        self._keys_in_flight: Counter[Key] = Counter()
        self._unmerged: deque[LoadRecord] = deque()
        self._in_flight = 0
        self._reading: frozenset[Key] = frozenset()
        self._created = 0
        self._packed_since: float | None = None

    def load(self, group: Sequence[LoadRecord]) -> None:
        """Load one group; what does not fill a batch waits for the next group.

        Args:
            group: Records in the order they came.

        Raises:
            GainsightError: The run must stop.
            RunStoppedError: The run must stop.
        """
        if self._resolver is not None:
            group = self._resolve(group, self._resolver)
        for record in group if self._rows is not None else ():
            record.key = self._keys.of_record(record.fields)
        if self._rows is None or (self._inserts and not self._reads_before_insert):
            self._insert(group)
        elif self._inserts:
            for part in without_repeats(group):
                self._load_in_order(part)
        elif group:
            self._load_in_order(group)
        self._send_packed(partial=False)
        if self._deferred is not None and self._deferred.is_due:
            self._follow_up(self._deferred, final=False)
        self._pool.process_completed(wait=False)

    def flush(self) -> None:
        """Settle everything of this stream but the records that wait for their parent."""
        while self._is_busy():
            self._finish_read()
            self._send_packed(partial=True)
            self._finish_batches()
            self._retry_unmerged()

    def _load_in_order(self, group: Sequence[LoadRecord]) -> None:
        """Load a group by its keys, after earlier records with the same keys."""
        self._wait_for_conflicting_keys(group)
        while self._unmerged:
            self._retry_unmerged()
            self._wait_for_conflicting_keys(group)
        self._load_by_key(group)

    def _is_busy(self) -> bool:
        underway = self._reading or self._in_flight or self._unmerged or self._is_packing
        return bool(underway)

    @property
    def _is_packing(self) -> bool:
        return bool(self._check or any(self._packed.values()))

    def finish(self) -> None:
        """Settle everything of this stream, also records whose parents have not come."""
        self.flush()
        if self._deferred is not None:
            self._follow_up(self._deferred, final=True)
            self.flush()

    def send_older_than(self, seconds: float) -> None:
        """Send a partial batch that has waited too long.

        Args:
            seconds: How long it may wait.
        """
        if self._deferred is not None and self._deferred.is_due:
            self._follow_up(self._deferred, final=False)
        if self._packed_since is not None and self._now() - self._packed_since >= seconds:
            self._send_packed(partial=True)

    def _resolve(self, group: Sequence[LoadRecord], resolver: Resolver) -> Sequence[LoadRecord]:
        """Fill the foreign keys of a group; return the records that are not rejected for them."""
        while resolver.has_self_lookup and (self._reading or self._in_flight):
            self._pool.process_completed(wait=True)
        refused = BatchResult()
        try:
            resolved = resolver.resolve(group, refused, final=False)
        except StopRunError:
            raise
        except GainsightError as error:
            self._unavailable(group, error)
            return ()
        self._settle(refused)
        return resolved

    def _settle(self, result: BatchResult) -> None:
        """Record outcomes, except for records that wait for their parent."""
        if self._lookup_index is not None:
            for settlement in result.settlements:
                if settlement.outcome is Outcome.REJECTED:
                    self._lookup_index.on_reject(
                        self._settings.object_name, settlement.record.fields
                    )
        if self._deferred is not None:
            result = replace(result, settlements=self._deferred.keep(result.settlements))
        self._ledger.record_batch(result)

    def _follow_up(self, deferred: DeferredParents, *, final: bool) -> None:
        """Complete records whose parents have come since, as far as their rows are written."""
        self._finish_read()
        self._finish_batches()
        for result, updates in deferred.follow_up(final=final):
            if result.settlements or result.unavailable:
                self._settle(result)
            for record in updates:
                self._pack("update", record)
            self._send_packed(partial=False)

    def _insert(self, group: Sequence[LoadRecord]) -> None:
        """Pack records in order; one with the key of a batch in flight waits for that batch."""
        for record in group:
            while record.key in self._keys_in_flight:
                self._pool.process_completed(wait=True)
            self._pack("create", record)
            if len(self._packed["create"]) >= self._writer.batch_size:
                self._send_packed(partial=False)

    def _wait_for_conflicting_keys(self, group: Sequence[LoadRecord]) -> None:
        """Settle the earlier records that have keys of this group."""
        keys = {record.key for record in group}
        if not keys.isdisjoint(self._reading) or self._has_packed(keys):
            self._finish_read()
        if self._has_packed(keys):
            self._send_packed(partial=True)
        while not keys.isdisjoint(self._keys_in_flight):
            self._pool.process_completed(wait=True)

    def _has_packed(self, keys: set[Key]) -> bool:
        packed = (self._check or (), *self._packed.values())
        return any(record.key in keys for records in packed for record in records)

    def _finish_batches(self) -> None:
        while self._in_flight:
            self._pool.process_completed(wait=True)

    def _finish_read(self) -> None:
        """Classify the group that is being read, if one is."""
        while self._reading:
            self._pool.process_completed(wait=True)

    def _retry_unmerged(self) -> None:
        """Load the records of refused merges one by one, in the order they came."""
        while self._unmerged:
            part = self._unmerged.popleft()
            self._wait_for_conflicting_keys([part])
            self._load_by_key([part], is_retry=True)

    def _load_by_key(self, group: Sequence[LoadRecord], *, is_retry: bool = False) -> None:
        if self._rows is None:
            message = "a stream without lookup keys cannot be read"
            raise RunStoppedError(message)
        rows, merged = self._rows, self._merge(group)
        if self._deferred is not None:
            self._deferred.override(merged)
        self._finish_read()
        self._reading = frozenset(record.key for record in merged)
        if not is_retry:
            self.group_size.advance()
        self._pool.submit(
            lambda: read_or_error(rows.read, merged),
            lambda found: self._classify_group(merged, found, is_retry=is_retry),
        )

    def _classify_group(
        self, group: Sequence[LoadRecord], found: ReadResult, *, is_retry: bool
    ) -> None:
        """Decide what to write for a group whose current rows have been read."""
        self._reading = frozenset()
        now = BatchResult()
        if isinstance(found, (StopRunError, RunStoppedError)):
            raise found
        if isinstance(found, Matches):
            check = self._check if found.told else None
            for record in group:
                action = self._classification.classify(record, found, now)
                if action == "create" and check is not None and check.add(record):
                    self._start_packing()
                elif action is not None:
                    self._pack(action, record)
        if not is_retry:
            unchanged = sum(each.outcome is Outcome.UNCHANGED for each in now.settlements)
            self.group_size.record_group(len(group), unchanged)
        if isinstance(found, GainsightError):
            self._unavailable(group, found)
            return
        self._settle(now)
        self._send_packed(partial=False)

    def _unavailable(self, records: Sequence[LoadRecord], error: GainsightError) -> None:
        reason = Reason("unavailable", str(error), hint="replay it when Gainsight responds again")
        self._ledger.record_batch(
            BatchResult(unavailable=list(records), unavailable_because=reason)
        )

    def _merge(self, group: Sequence[LoadRecord]) -> Sequence[LoadRecord]:
        merged = merged_by_key(group)
        if len(merged) < len(group):
            alias = group[0].source.alias
            self._ledger.summary.stream(alias).merged += len(group) - len(merged)
        return merged

    def _classify_creates(self, records: list[LoadRecord], found: ReadResult) -> None:
        """Decide what to write for new records whose near matches have been read."""
        if isinstance(found, (StopRunError, RunStoppedError)):
            raise found
        if isinstance(found, GainsightError):
            self._unavailable(records, found)
            return
        now = BatchResult()
        for record in records:
            action = self._classification.classify_unique(record, found, now)
            if action is not None:
                self._pack(action, record)
        self._settle(now)
        self._send_packed(partial=False)

    def _start_packing(self) -> None:
        if self._packed_since is None:
            self._packed_since = self._now()

    def _pack(self, action: Action, record: LoadRecord) -> None:
        self._start_packing()
        self._packed[action].append(record)

    def _send_packed(self, *, partial: bool) -> None:
        for action in self._packed:
            self._send_action(action, partial=partial)

    def _send_action(self, action: Action, *, partial: bool) -> None:
        if self._check and action == "create":
            if partial:
                self._check.read_all()
            else:
                self._check.read_full()
        packed = self._packed[action]
        while len(packed) >= self._writer.batch_size or (partial and packed):
            batch = packed[: self._writer.batch_size]
            if action == "create":
                self._count_creates(batch)
            del packed[: len(batch)]
            self._submit(action, batch)
        if not self._is_packing:
            self._packed_since = None

    def _count_creates(self, batch: Sequence[LoadRecord]) -> None:
        most = self._settings.max_creates
        if most is not None and self._created + len(batch) > most:
            message = (
                f"stream {batch[0].source.alias}: the next batch would create more than "
                f"max_creates ({most}) new rows of {self._settings.object_name}; {self._created} "
                "were created. Check lookup_keys, or raise max_creates, and run again"
            )
            raise RunStoppedError(message)
        self._created += len(batch)

    def _submit(self, action: Action, batch: list[LoadRecord]) -> None:
        self._in_flight += 1
        self._keys_in_flight.update(record.key for record in batch if record.key)
        self._pool.submit(
            lambda: deliver(self._writer, action, batch, self._resends),
            lambda result: self._on_batch_done(batch, result),
        )

    def _on_batch_done(self, batch: Sequence[LoadRecord], result: BatchResult) -> None:
        self._in_flight -= 1
        self._keys_in_flight -= Counter(record.key for record in batch if record.key)
        self._unmerged.extend(refused_merges(result))
        created = any(each.outcome is Outcome.CREATED for each in result.settlements)
        if created and self._lookup_index is not None:
            self._lookup_index.on_create(self._settings.object_name)
        self._settle(self._deferred.settle(result) if self._deferred is not None else result)
        if result.stopped is not None:
            raise result.stopped
