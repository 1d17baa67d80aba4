"""The second pass for records whose parent is in their own stream (ParentCompany).

A record is completed as soon as its parents have come, where that is certain without asking the
tenant, and at the stream's end otherwise. Makes the records that write the parents; does not send.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from target_gainsight.api import GainsightError, StopRunError
from target_gainsight.loading.lookups.pending_children import WaitingRecords
from target_gainsight.loading.outcomes import (
    BatchResult,
    LoadRecord,
    Outcome,
    Reason,
    Settlement,
)
from target_gainsight.loading.reading.current_rows import GSID

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from target_gainsight.loading.lookups.index import Wanted
    from target_gainsight.loading.lookups.resolver import LookupPlan, Resolver
    from target_gainsight.loading.reading.current_rows import CurrentRows

NOT_WRITTEN = (Outcome.REJECTED, Outcome.SKIPPED)

Completable = tuple[BatchResult, list[LoadRecord]]
"""Outcomes of records that need no write any more, and what is to be written for others."""


class Completion:
    """Fills in the parents that were not there when their children were written.

    Args:
        resolver: Looks the parents up; None for a stream without lookups.
        rows: Finds the child's own row where the answer to its creation did not name it.
        keys: The lookup keys, for tenants that want rows updated by them.
        unique: Whether no two rows that this run writes or finds have the same lookup keys.
    """

    def __init__(
        self,
        resolver: Resolver | None,
        rows: CurrentRows | None,
        keys: tuple[str, ...],
        *,
        unique: bool,
    ) -> None:
        self._resolver = resolver
        self._rows = rows
        self._keys = keys
        plans = resolver.into_self if resolver is not None else ()
        early = [plan for plan in plans if _is_certain(plan, keys if unique else ())]
        self._matches = {plan.match for plan in early}
        self._waiting = WaitingRecords({plan.target for plan in early})
        self._completing: dict[LoadRecord, Settlement] = {}

    @property
    def expects(self) -> bool:
        """Whether what is written may complete records that wait, or will."""
        return self._waiting.expects

    @property
    def is_due(self) -> bool:
        """Whether there are records that can be completed."""
        return self._waiting.ready

    def expect(self, records: Iterable[LoadRecord]) -> None:
        """Look out for the parents that some records lack.

        Args:
            records: The records, resolved as far as possible.
        """
        for record in records:
            if record.waiting:
                self._waiting.expect(record)

    def supersede(self, records: Iterable[LoadRecord]) -> None:
        """Note that later records with the same keys bring their own parents.

        Args:
            records: The later records.
        """
        self._waiting.supersede(records)

    def keep_waiting(self, settlements: Sequence[Settlement]) -> list[Settlement]:
        """Keep the records that were written without a parent, and see who has come for others.

        Args:
            settlements: Outcomes of this stream's records.

        Returns:
            Those that hold.
        """
        if self._waiting.expects:
            self._waiting.come(self._parents_among(settlements))
        settled = []
        for settlement in settlements:
            if settlement.record.waiting and settlement.outcome not in NOT_WRITTEN:
                self._waiting.add(settlement)
            else:
                settled.append(settlement)
        return settled

    def _parents_among(self, settlements: Iterable[Settlement]) -> dict[Wanted, str]:
        """List the rows that are there now; where several are alike, the first one counts."""
        parents: dict[Wanted, str] = {}
        for settlement in settlements:
            gsid = settlement.gsid or settlement.record.gsid
            if gsid is None or settlement.outcome in NOT_WRITTEN:
                continue
            for match in self._matches:
                parent = match.of_written(settlement.record.fields)
                if parent is not None:
                    parents.setdefault(parent, gsid)
        return parents

    def due(self, size: int) -> Completable:
        """Complete some of the records whose parents have come.

        Args:
            size: How many at most.
        """
        result, probes = BatchResult(), []
        for settlement, parents in self._waiting.take_ready(size):
            probe = self._probe(settlement)
            probe.fields.update(parents)
            probes += self._begin(settlement, probe, result)
        return result, probes

    def rest(self, size: int) -> Iterator[Completable]:
        """Complete all records that wait: parents that have not come are not waited for.

        Args:
            size: How many at a time at most.
        """
        for waiting in self._waiting.take(size):
            try:
                yield self._look_up(waiting)
            except StopRunError:
                raise
            except GainsightError as error:
                records = [settlement.record for settlement in waiting]
                for record in records:
                    record.waiting = {}
                reason = Reason("unavailable", str(error), hint="replay it when Gainsight answers")
                yield BatchResult(unavailable=records, unavailable_because=reason), []

    def _look_up(self, waiting: Sequence[Settlement]) -> Completable:
        """Look the parents up; a record whose parent never came is settled without it."""
        if self._resolver is None:  # pragma: no cover - nothing waits then
            return BatchResult(), []
        self._find_own_rows(waiting)
        result, refused, probes = BatchResult(), BatchResult(), []
        looked_up = [self._probe(settlement) for settlement in waiting]
        self._resolver.resolve_finally(looked_up, refused)
        reasons = {each.record: each.reason for each in refused.settlements}
        for settlement, probe in zip(waiting, looked_up, strict=True):
            reason = reasons.get(probe)
            if reason is None:
                probes += self._begin(settlement, probe, result)
                continue
            settlement.record.waiting = {}
            message = f"{reason.message}; its own row was written without it"
            reason = replace(reason, message=message)
            result.settle(settlement.record, Outcome.REJECTED, reason)
        return result, probes

    def _probe(self, settlement: Settlement) -> LoadRecord:
        """Make a record of nothing but the missing parents."""
        record = settlement.record
        return LoadRecord(
            record.arrival,
            {name: record.fields[name] for name in self._keys if name in record.fields},
            key=record.key,
            gsid=settlement.gsid or record.gsid,
            references=dict(record.waiting),
        )

    def _find_own_rows(self, waiting: Sequence[Settlement]) -> None:
        unnamed = [each.record for each in waiting if not (each.gsid or each.record.gsid)]
        if not unnamed or self._rows is None:
            return
        matches = self._rows.read(unnamed)
        for record in unnamed:
            exact = matches.exact(record.key)
            record.gsid = str(exact[0].get(GSID)) if len(exact) == 1 else None

    def _begin(
        self, settlement: Settlement, probe: LoadRecord, result: BatchResult
    ) -> list[LoadRecord]:
        """Settle a record that needs no write; remember whom the others are written for."""
        record = settlement.record
        record.waiting = {}
        if set(probe.fields).issubset(self._keys):
            result.settle(record, settlement.outcome, gsid=settlement.gsid)
            return []
        self._completing[probe] = settlement
        return [probe]

    def settle_completed(self, result: BatchResult) -> BatchResult:
        """Put the records that were completed in the place of what was written for them.

        Args:
            result: What became of a batch.
        """
        if not self._completing:
            return result
        return replace(
            result,
            settlements=[self._completed(each) for each in result.settlements],
            unavailable=[self._waited(record) for record in result.unavailable],
        )

    def _completed(self, written: Settlement) -> Settlement:
        settlement = self._completing.pop(written.record, None)
        if settlement is None:
            return written
        outcome = settlement.outcome
        if written.outcome is Outcome.REJECTED:
            outcome = Outcome.REJECTED
        elif outcome is Outcome.UNCHANGED:
            outcome = Outcome.UPDATED
        return Settlement(settlement.record, outcome, written.reason, settlement.gsid)

    def _waited(self, record: LoadRecord) -> LoadRecord:
        settlement = self._completing.pop(record, None)
        return record if settlement is None else settlement.record


def _is_certain(plan: LookupPlan, keys: Sequence[str]) -> bool:
    """Whether a row that was written is surely the one that a lookup would find.

    Args:
        plan: The lookup.
        keys: The fields of which no two rows have the same values; empty when there are none.
    """
    one_at_most = bool(keys) and set(keys) <= set(plan.match.names)
    return one_at_most or plan.multi_match == "first"
