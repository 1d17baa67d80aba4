"""The second pass for records whose parent is in their own stream (ParentCompany)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from target_gainsight.api import GainsightError, StopRunError
from target_gainsight.loading.current_rows import GSID
from target_gainsight.loading.outcomes import (
    BatchResult,
    LoadRecord,
    Outcome,
    Reason,
    Settlement,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from target_gainsight.loading.current_rows import CurrentRows
    from target_gainsight.loading.resolving import Resolver
    from target_gainsight.loading.writers import Writer


@dataclass(frozen=True)
class Completion:
    """Fills in the parents that were not there when their children were written.

    Attributes:
        resolver: Looks the parents up.
        rows: Finds the child's own row where the answer to its creation did not name it.
        writer: Writes the parents.
        keys: The lookup keys, for tenants that want rows updated by them.
    """

    resolver: Resolver
    rows: CurrentRows | None
    writer: Writer
    keys: tuple[str, ...]

    def complete(self, waiting: Sequence[Settlement], enter: Callable[[BatchResult], None]) -> None:
        """Settle some records that waited.

        Args:
            waiting: The records, with the outcome they would have.
            enter: Takes their outcomes.
        """
        result = BatchResult()
        try:
            parents = self._parents(waiting, result)
        except StopRunError:
            raise
        except GainsightError as error:
            for settlement in waiting:
                settlement.record.waiting = {}
            reason = Reason("unavailable", str(error), hint="replay it when Gainsight answers")
            records = [settlement.record for settlement in waiting]
            enter(BatchResult(unavailable=records, unavailable_because=reason))
            return
        enter(result)
        size = self.writer.batch_size
        for start in range(0, len(parents), size):
            self._write(parents[start : start + size], enter)

    def _parents(
        self, waiting: Sequence[Settlement], result: BatchResult
    ) -> list[tuple[Settlement, LoadRecord]]:
        """Look the parents up; a record whose parent never came is settled without it."""
        self._find_own_rows(waiting)
        probes = [self._probe(settlement) for settlement in waiting]
        refused = BatchResult()
        found = self.resolver.resolve_finally(probes, refused)
        reasons = {id(each.record): each.reason for each in refused.settlements}
        parents = []
        for settlement, probe in zip(waiting, probes, strict=True):
            settlement.record.waiting = {}
            reason = reasons.get(id(probe))
            if reason is not None:
                message = f"{reason.message}; its own row was written without it"
                reason = replace(reason, message=message)
                result.settle(settlement.record, Outcome.REJECTED, reason)
            elif probe in found and not set(probe.fields).issubset(self.keys):
                parents.append((settlement, probe))
            else:
                result.settle(settlement.record, settlement.outcome, gsid=settlement.gsid)
        return parents

    def _probe(self, settlement: Settlement) -> LoadRecord:
        """Make a record of nothing but the missing parents."""
        record = settlement.record
        return LoadRecord(
            record.arrival,
            {name: record.fields[name] for name in self.keys if name in record.fields},
            key=record.key,
            gsid=settlement.gsid or record.gsid,
            references=dict(record.waiting),
        )

    def _find_own_rows(self, waiting: Sequence[Settlement]) -> None:
        unnamed = [each.record for each in waiting if not (each.gsid or each.record.gsid)]
        if not unnamed or self.rows is None:
            return
        matches = self.rows.read(unnamed)
        for record in unnamed:
            exact = matches.exact(record.key)
            record.gsid = str(exact[0].get(GSID)) if len(exact) == 1 else None

    def _write(
        self,
        parents: Sequence[tuple[Settlement, LoadRecord]],
        enter: Callable[[BatchResult], None],
    ) -> None:
        before = {id(probe): settlement for settlement, probe in parents}
        probes = [probe for _, probe in parents]
        if self.rows is not None:
            self.rows.about_to_write(probes)
        written = self.writer.update(probes)
        result = BatchResult(
            unavailable=[before[id(probe)].record for probe in written.unavailable],
            unavailable_because=written.unavailable_because,
        )
        for each in written.settlements:
            settlement = before[id(each.record)]
            outcome = settlement.outcome
            if each.outcome is Outcome.REJECTED:
                outcome = Outcome.REJECTED
            elif outcome is Outcome.UNCHANGED:
                outcome = Outcome.UPDATED
            result.settle(settlement.record, outcome, each.reason, settlement.gsid)
        enter(result)
        if written.stopped is not None:
            raise written.stopped
