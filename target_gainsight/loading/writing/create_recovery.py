"""Writers that look up creates with an unknown outcome before they send anything again.

A reset or a server error after sending leaves open whether the records were committed. What
cannot be decided is never guessed: such a record is rejected and looked up when it is replayed.
"""

import logging
import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from target_gainsight.api import Clock, GainsightError, StopRunError
from target_gainsight.loading.classification import Comparison
from target_gainsight.loading.outcomes import BatchResult, Outcome, Reason, RunStoppedError
from target_gainsight.loading.reading.current_rows import GSID, CurrentRows, Matches, Row
from target_gainsight.loading.writing.writer import Batch, Unresolved, Writer
from target_gainsight.mapping.types.datetimes import comparable_datetime

logger = logging.getLogger(__name__)

CREATED_DATE = "CreatedDate"
CLOCK_TOLERANCE = 2.0
"""Seconds by which a row may seem older than its call: servers report whole seconds."""

MAX_CLAIMED_ROWS = 20_000
"""Rows remembered as claimed: those of the last seconds at any rate a tenant allows."""

NOT_CONFIRMED = "not_confirmed"
HINT = "look the record up in Gainsight, or replay it: it is looked up before it is sent again"
HINT_WITHOUT_KEYS = "look the record up in Gainsight; set lookup_keys, and a replay looks it up"


@dataclass(kw_only=True)
class RecoveringWriter(Writer):
    """Looks up creates with an unknown outcome by their lookup keys.

    Attributes:
        timeout: Seconds after which a call timed out.
        only_new: Insert mode: a row counts only if it was created since the call.
    """

    rows: CurrentRows
    comparison: Comparison
    clock: Clock
    timeout: float
    only_new: bool = False
    batch_size: int
    _claimed: deque[str] = field(default_factory=lambda: deque(maxlen=MAX_CLAIMED_ROWS), init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)

    def claim_row(self, gsid: str | None) -> None:
        """Remember the row of a created record: in insert mode it may not match another record."""
        if gsid is not None:
            with self._lock:
                self._claimed.append(gsid)

    def recover(self, unresolved: Sequence[Unresolved], result: BatchResult) -> Batch:
        """Settle the records found, or whose outcome stays unknown; the tenant lacks the rest."""
        findable = []
        for each in unresolved:
            if each.record.key and None not in each.record.key:
                findable.append(each)
            else:
                _reject(each, "it has no lookup keys", result, HINT_WITHOUT_KEYS)
        if findable:
            self._match(findable, self._look_up(findable, result), result)
        return ()

    def _look_up(self, findable: Sequence[Unresolved], result: BatchResult) -> Matches:
        try:
            if any(each.may_still_commit for each in findable):
                logger.warning(
                    "%s: a call that timed out may still be committed; waiting %.0f s before its "
                    "records are looked up",
                    self.rows.reader.object_name,
                    self.timeout,
                )
                self.clock.wait(self.timeout)
            extra = (CREATED_DATE,) if self.only_new else ()
            return self.rows.read([each.record for each in findable], extra=extra)
        except (GainsightError, RunStoppedError) as error:
            if self.only_new:  # a run that starts again would insert them again
                for each in findable:
                    _reject(each, "looking it up failed, too", result)
            if isinstance(error, (StopRunError, RunStoppedError)):
                raise
            message = (
                f"{len(findable)} records may or may not have been created, and looking them up "
                f"failed, too ({error}). When Gainsight responds, run again; if they are in the "
                "reject file, replay them, which looks them up first"
            )
            raise RunStoppedError(message) from error

    def _match(
        self, unresolved: Sequence[Unresolved], matches: Matches, result: BatchResult
    ) -> None:
        """Match records with rows that hold what was sent; each row stands for one record."""
        with self._lock:
            taken = set(self._claimed)
        missing = []
        for each in unresolved:
            record = each.record
            gsids = (
                str(row.get(GSID))
                for row in matches.exact(record.key)
                if self._may_be(row, each, taken)
                and not (self.only_new and comparable_datetime(row.get(CREATED_DATE)) is None)
                and not self.comparison.changed_fields(record.fields, row)
            )
            gsid = next(gsids, None)
            if gsid is None:
                missing.append(each)
            else:
                taken.add(gsid)
                if self.only_new:
                    self.claim_row(gsid)
                result.settle(record, Outcome.CREATED, gsid=gsid)
        for each in missing:
            similar = matches.near(each.record.key)
            if any(self._may_be(row, each, taken) for row in similar):
                _reject(each, "a row with its key holds other values", result)
            elif each.may_still_commit:
                _reject(each, "it was not found, but may still be committed", result)

    def _may_be(self, row: Row, each: Unresolved, taken: set[str]) -> bool:
        """Return whether a row may be the record's: no other record's and no older than it."""
        created = comparable_datetime(row.get(CREATED_DATE)) if self.only_new else None
        is_older = created is not None and created / 1000 < each.sent_at - CLOCK_TOLERANCE
        return row.get(GSID) not in taken and not is_older


def not_confirmed(message: str, request_id: str | None) -> Reason:
    """Return why a record is rejected that a response does not mention."""
    return Reason(NOT_CONFIRMED, message, hint=HINT, request_id=request_id)


def _reject(each: Unresolved, why: str, result: BatchResult, hint: str = HINT) -> None:
    message = f"it is not known whether the record was created ({each.cause}): {why}"
    reason = Reason("outcome_unknown", message, hint=hint, sent_at=each.sent_at)
    result.settle(each.record, Outcome.REJECTED, reason)
