"""Creates with an unclear outcome are looked up before anything is sent again.

A reset or a server error after sending leaves open whether the records were written. They are
looked up by their lookup keys; what cannot be told for sure is never guessed.
"""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from target_gainsight.api import GainsightError, StopRunError
from target_gainsight.loading.outcomes import (
    BatchResult,
    LoadRecord,
    Outcome,
    Reason,
    RunStoppedError,
)
from target_gainsight.loading.reading.current_rows import GSID
from target_gainsight.mapping.types.datetimes import comparable_datetime

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from target_gainsight.api import Clock
    from target_gainsight.loading.classification import RecordMap
    from target_gainsight.loading.reading.current_rows import CurrentRows, Matches

logger = logging.getLogger(__name__)

CREATED_DATE = "CreatedDate"
CLOCK_TOLERANCE = 2.0
"""Seconds by which a row may seem older than its sending: server clocks tell whole seconds."""

MOST_OWN_ROWS = 20_000
"""Rows remembered as this run's own: those of the last seconds at any rate a tenant allows."""

HINT = "look the record up in Gainsight, or replay it: it is looked up before it is sent again"
HINT_WITHOUT_KEYS = (
    "look the record up in Gainsight; set lookup_keys, and a replay looks it up by itself"
)


@dataclass(frozen=True)
class Sending:
    """A write whose outcome is not known.

    Attributes:
        sent_at: When, in epoch seconds on the tenant's clock.
        may_still_commit: The call timed out, so that it may yet take effect.
        because: What happened.
    """

    sent_at: float
    may_still_commit: bool
    because: str


Unclear = tuple[LoadRecord, Sending]


@dataclass
class _Rows:
    """Rows by key, each of which may answer for one record only."""

    matches: Matches
    only_new: bool
    taken: set[str]

    def equal(self, record: LoadRecord, sending: Sending, mapper: RecordMap) -> str | None:
        """Find and take a row that holds what was sent."""
        for row in self._free(self.matches.exact(record.key), sending):
            surely_new = not self.only_new or _created(row) is not None
            if surely_new and not mapper.changed_fields(record.fields, row):
                gsid = str(row.get(GSID))
                self.taken.add(gsid)
                return gsid
        return None

    def resembling(self, record: LoadRecord, sending: Sending) -> bool:
        """Tell whether a row that is left may be the record, changed or with its key blurred."""
        return any(self._free(self.matches.near(record.key), sending))

    def _free(
        self, rows: Iterable[Mapping[str, Any]], sending: Sending
    ) -> Iterable[Mapping[str, Any]]:
        for row in rows:
            if row.get(GSID) in self.taken:
                continue
            if not self.only_new or _may_be_created_since(row, sending.sent_at):
                yield row


class UnclearCreates:
    """Finds out what became of creates.

    Args:
        rows: Reads rows by the lookup keys, or None for a stream without keys.
        mapper: Tells whether a row holds what was sent.
        clock: Waits for calls that may still commit.
        timeout: Seconds after which a call timed out.
        only_new: Insert mode: a row counts only if it was created since the sending.
    """

    def __init__(
        self,
        rows: CurrentRows | None,
        mapper: RecordMap,
        clock: Clock,
        timeout: float,
        *,
        only_new: bool,
    ) -> None:
        self._rows = rows
        self._mapper = mapper
        self._clock = clock
        self._timeout = timeout
        self._only_new = only_new
        self._own: OrderedDict[str, None] = OrderedDict()
        self._lock = threading.Lock()

    def remember(self, result: BatchResult) -> None:
        """Note rows that answer for records already, so that none answers for another.

        Args:
            result: Settled creates.
        """
        if not self._only_new:
            return
        gsids = (each.gsid for each in result.settlements if each.outcome is Outcome.CREATED)
        with self._lock:
            self._own.update(dict.fromkeys(gsid for gsid in gsids if gsid is not None))
            while len(self._own) > MOST_OWN_ROWS:
                self._own.popitem(last=False)

    def resolve(self, unclear: Sequence[Unclear], result: BatchResult) -> None:
        """Settle the records whose outcome can be told; the others may be sent again.

        Args:
            unclear: What was sent, and when.
            result: Takes the outcomes.

        Raises:
            RunStoppedError: The look-up itself failed until the retries were spent.
            GainsightError: It failed for good.
        """
        findable: list[Unclear] = []
        for record, sending in unclear:
            if self._rows is None or not record.key or None in record.key:
                reason = _unknown(sending, "it has no lookup keys", HINT_WITHOUT_KEYS)
                result.settle(record, Outcome.REJECTED, reason)
            else:
                findable.append((record, sending))
        if self._rows is None or not findable:
            return
        try:
            self._wait_for_late_commits(sending for _, sending in findable)
            matches = self._look_up(self._rows, [record for record, _ in findable])
        except (GainsightError, RunStoppedError):
            self._leave_to_the_replay(findable, result)
            raise
        with self._lock:
            rows = _Rows(matches, self._only_new, set(self._own))
        missing = [each for each in findable if not self._claim(*each, rows, result)]
        for record, sending in missing:
            if rows.resembling(record, sending):
                why = "a row with its key holds other values"
            elif sending.may_still_commit:
                why = "it was not found, but may still come"
            else:
                continue
            result.settle(record, Outcome.REJECTED, _unknown(sending, why))
        self.remember(result)

    def _leave_to_the_replay(self, unclear: Sequence[Unclear], result: BatchResult) -> None:
        """Reject what cannot be looked up now, where a run that starts again would double it."""
        if not self._only_new:
            return
        for record, sending in unclear:
            reason = _unknown(sending, "looking it up failed, too")
            result.settle(record, Outcome.REJECTED, reason)

    def _claim(
        self, record: LoadRecord, sending: Sending, rows: _Rows, result: BatchResult
    ) -> bool:
        gsid = rows.equal(record, sending, self._mapper)
        if gsid is None:
            return False
        result.settle(record, Outcome.CREATED, gsid=gsid)
        return True

    def _wait_for_late_commits(self, sendings: Iterable[Sending]) -> None:
        timed_out = next((sending for sending in sendings if sending.may_still_commit), None)
        if timed_out is not None:
            logger.warning("the call may yet be committed: waiting %.0f s more", self._timeout)
            self._clock.wait(self._timeout)

    def _look_up(self, rows: CurrentRows, records: Sequence[LoadRecord]) -> Matches:
        try:
            return rows.read(records, extra=(CREATED_DATE,) if self._only_new else ())
        except StopRunError:
            raise
        except GainsightError as error:
            raise RunStoppedError(self._not_looked_up(len(records), error)) from error

    def _not_looked_up(self, count: int, error: GainsightError) -> str:
        what_next = (
            "they are kept as rejects: replay them, which looks them up first, and run again"
            if self._only_new
            else "the run stops before they are counted: run again"
        )
        return (
            f"{count} records may or may not have been created, and looking them up failed too "
            f"({error}); {what_next} when Gainsight answers"
        )


def _unknown(sending: Sending, why: str, hint: str = HINT) -> Reason:
    return Reason(
        "outcome_unknown",
        f"whether it was created is not known ({sending.because}) and {why}",
        hint=hint,
        sent_at=sending.sent_at,
    )


def _may_be_created_since(row: Mapping[str, Any], sent_at: float) -> bool:
    """Tell whether a row is not surely older; a server time that cannot be read leaves doubt."""
    created = _created(row)
    return created is None or created >= sent_at - CLOCK_TOLERANCE


def _created(row: Mapping[str, Any]) -> float | None:
    milliseconds = comparable_datetime(row.get(CREATED_DATE))
    return None if milliseconds is None else milliseconds / 1000
