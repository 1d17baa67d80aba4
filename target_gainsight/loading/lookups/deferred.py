"""Completes records that refer to a later record of their own object, such as ParentCompany.

Such a record is written without its parent, kept, and settled by a later pass that looks the
parents up: whenever many records wait or the oldest has waited long, and at the end of the stream.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from target_gainsight.api import GainsightError
from target_gainsight.loading.keys import LookupKey
from target_gainsight.loading.lookups.resolver import Resolver
from target_gainsight.loading.outcomes import BatchResult, Outcome, Settlement
from target_gainsight.loading.records import LoadRecord
from target_gainsight.loading.storage.temp_database import SpilledValues

RECORDS_PER_LOOKUP = 1000

FollowUp = tuple[BatchResult, list[LoadRecord]]
"""Outcomes of records that need no further write, and the updates that complete others."""


@dataclass(eq=False)
class DeferredParents:
    """The records of one stream that wait for their parents.

    A pass looks up the parents of every waiting record, so passes become rarer as more wait: one
    lookup per ``max_age_seconds`` on average, or when twice as many wait as after the last pass.

    Attributes:
        keys: The lookup keys, for tenants that want rows updated by them.
        create_only: Fields that later records with the same key do not write.
    """

    resolver: Resolver
    keys: tuple[str, ...]
    now: Callable[[], float]
    max_age_seconds: float
    create_only: frozenset[str]
    _waiting: SpilledValues = field(default_factory=SpilledValues, init=False)
    _due_count: int = field(default=RECORDS_PER_LOOKUP, init=False)
    _due_at: float | None = field(default=None, init=False)
    _following_up: dict[LoadRecord, Settlement] = field(default_factory=dict, init=False)

    @property
    def is_due(self) -> bool:
        """True if a pass is due."""
        are_many = len(self._waiting) >= self._due_count
        return self._due_at is not None and (are_many or self.now() >= self._due_at)

    def keep(self, settlements: Sequence[Settlement]) -> list[Settlement]:
        """Keep the records that were written without a parent; return the other outcomes."""
        final = []
        for settlement in settlements:
            if settlement.record.waiting and settlement.reason is None:
                self._add(settlement)
            else:
                final.append(settlement)
        if self._due_at is None:
            self._schedule()
        return final

    def override(self, records: Iterable[LoadRecord]) -> None:
        """Drop parents that later records with the same keys set or clear, or delete."""
        later = {record.key: record for record in records if record.key}
        for key, settlement in self._waiting.find(later, remove=True):
            record, by = settlement.record, later[key]
            overridden = {*by.fields, *by.waiting} - self.create_only
            if by.deletes:  # its row is not there any more
                overridden = set(record.waiting)
            waiting = record.waiting.items()
            record.waiting = {name: each for name, each in waiting if name not in overridden}
            self._waiting.add(key, settlement)

    def follow_up(self, *, final: bool) -> Iterator[FollowUp]:
        """Look up the parents of all waiting records, some at a time.

        If it is final, no parent can arrive later: records without one are rejected, or the field
        is left empty.
        """
        before, self._waiting = self._waiting, SpilledValues()
        while waiting := before.take(RECORDS_PER_LOOKUP):
            try:
                yield self._look_up(waiting, final=final)
            except GainsightError as error:
                result = BatchResult().hold_back([each.record for each in waiting], error)
                if final:
                    yield result, []
                else:
                    for each in waiting:
                        self._add(each)
        self._schedule()

    def settle(self, result: BatchResult) -> None:
        """Replace each follow-up update in a result by the original record it completes."""
        originals = self._following_up
        for index, written in enumerate(result.settlements):
            original = originals.pop(written.record, None)
            if original is None:
                continue
            outcome = original.outcome
            if outcome is Outcome.UNCHANGED or written.outcome is Outcome.REJECTED:
                outcome = written.outcome
            result.settlements[index] = original._replace(
                outcome=outcome,
                reason=written.reason,
                was_created=original.outcome is Outcome.CREATED,
            )
        result.unavailable = [
            originals.pop(each).record if each in originals else each for each in result.unavailable
        ]

    def _add(self, settlement: Settlement) -> None:
        record = settlement.record
        for part in (record, *record.parts):
            part.references = {}  # they are resolved, except for those waited for
            self._waiting.share(part.source.schema)
        parents = (each for parents in record.waiting.values() for each in parents)
        self._waiting.share(*(each.match for each in parents if isinstance(each, LookupKey)))
        self._waiting.add(record.key, settlement)

    def _schedule(self) -> None:
        count = len(self._waiting)
        self._due_count = max(RECORDS_PER_LOOKUP, 2 * count)
        lookups = max(1.0, count / RECORDS_PER_LOOKUP)
        self._due_at = self.now() + self.max_age_seconds * lookups if count else None

    def _look_up(self, waiting: Sequence[Settlement], *, final: bool) -> FollowUp:
        """Resolve updates with nothing but the keys and the missing parents of some records."""
        updates = {}
        for settlement in waiting:
            record, parents = settlement.record, settlement.record.waiting
            keys = {name: record.fields[name] for name in self.keys if name in record.fields}
            update = LoadRecord(record.source, keys, record.key, references=parents)
            update.gsid = settlement.gsid or record.gsid
            updates[update] = settlement
        refused, result = BatchResult(), BatchResult()
        to_write = []
        for update in self.resolver.resolve(list(updates), refused, final=final):
            original = updates[update]
            if update.waiting:
                self._add(original)
                continue
            original.record.waiting = {}
            if update.fields.keys() <= set(self.keys):
                result.settle(original.record, original.outcome, gsid=original.gsid)
            else:
                self._following_up[update] = original
                to_write.append(update)
        for update, _, reason, *_ in refused.settlements:
            original = updates[update]
            original.record.waiting = {}
            message = f"{reason.message if reason else ''}; its own row was written without it"
            rejected = original._replace(
                outcome=Outcome.REJECTED,
                reason=reason and replace(reason, message=message),
                was_created=original.outcome is Outcome.CREATED,
            )
            result.settlements.append(rejected)
        return result, to_write
