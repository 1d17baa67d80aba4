"""Look up creates with an unknown outcome by their lookup keys before anything is sent again.

A reset or a server error after sending leaves open whether the records were committed. What
cannot be decided is never guessed: such a record is rejected and looked up when it is replayed.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from target_gainsight.api import Clock, GainsightError, StopRunError
from target_gainsight.loading.outcomes import Outcome, Reason, RunStoppedError, Settlement
from target_gainsight.loading.reading.api_rows import RecordMap
from target_gainsight.loading.reading.current_rows import GSID, CurrentRows, Matches
from target_gainsight.loading.records import LoadRecord
from target_gainsight.loading.writing.writer import Recovered, Unresolved
from target_gainsight.mapping.types.datetimes import comparable_datetime

logger = logging.getLogger(__name__)

CREATED_DATE = "CreatedDate"
CLOCK_TOLERANCE = 2.0
"""Seconds by which a row may seem older than its call: servers report whole seconds."""

MAX_CLAIMED_ROWS = 20_000
"""Rows remembered as claimed: those of the last seconds at any rate a tenant allows."""

HINT = "look the record up in Gainsight, or replay it: it is looked up before it is sent again"
HINT_WITHOUT_KEYS = "look the record up in Gainsight; set lookup_keys, and a replay looks it up"


@dataclass
class CreateRecovery:
    """Looks up creates with an unknown outcome. Used by several worker threads.

    Attributes:
        rows: Reads rows by the lookup keys; None for a stream without keys.
        timeout: Seconds after which a call timed out.
        only_new: Insert mode: a row counts only if it was created since the call.
    """

    rows: CurrentRows | None
    mapper: RecordMap
    clock: Clock
    timeout: float
    only_new: bool
    _claimed: deque[str] = field(default_factory=lambda: deque(maxlen=MAX_CLAIMED_ROWS), init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)

    def claim_rows(self, settlements: Iterable[Settlement]) -> None:
        """Remember the rows of created records: in insert mode none may match another record."""
        gsids = [each.gsid for each in settlements if each.outcome is Outcome.CREATED]
        with self._lock:
            self._claimed.extend(gsid for gsid in gsids if gsid is not None)

    def recover(self, unresolved: Sequence[Unresolved]) -> Recovered:
        """Look records up and settle those whose outcome is certain.

        Returns:
            The records found, and the rejected ones whose outcome stays unknown. The tenant does
            not have the others. ``stopped`` is set if the lookup itself failed.
        """
        findable, rejected = [], []
        for each in unresolved:
            if self.rows is not None and each.record.key and None not in each.record.key:
                findable.append(each)
            else:
                why = "it has no lookup keys"
                rejected.append(_unknown_outcome(each, why, HINT_WITHOUT_KEYS))
        if self.rows is None or not findable:
            return Recovered(rejected)
        try:
            if any(each.may_still_commit for each in findable):
                wait = "the call may still be committed: waiting %.0f more seconds"
                logger.warning(wait, self.timeout)
                self.clock.wait(self.timeout)
            matches = self._read(self.rows, [each.record for each in findable])
        except (GainsightError, RunStoppedError) as error:
            if self.only_new:  # a run that starts again would insert them again
                why = "looking it up failed, too"
                rejected += [_unknown_outcome(each, why) for each in findable]
            return Recovered(rejected, stopped=error)
        found = self._match(findable, matches)
        if self.only_new:
            self.claim_rows(found)
        return Recovered([*rejected, *found])

    def _read(self, rows: CurrentRows, records: Sequence[LoadRecord]) -> Matches:
        try:
            return rows.read(records, extra=(CREATED_DATE,) if self.only_new else ())
        except StopRunError:
            raise
        except GainsightError as error:
            next_step = (
                "they are kept as rejects: replay them, which looks them up first, and run again"
                if self.only_new
                else "no state covers them: run again"
            )
            message = (
                f"{len(records)} records may or may not have been created, and looking them up "
                f"failed, too ({error}); {next_step} when Gainsight responds"
            )
            raise RunStoppedError(message) from error

    def _match(self, unresolved: Sequence[Unresolved], matches: Matches) -> list[Settlement]:
        """Match records with rows that hold what was sent; each row stands for one record."""
        with self._lock:
            taken = set(self._claimed)
        settlements, missing = [], []
        for each in unresolved:
            record = each.record
            rows = (row for row in matches.exact(record.key) if self._may_be(row, each, taken))
            gsid = next((str(row.get(GSID)) for row in rows if self._is_equal(row, record)), None)
            if gsid is None:
                missing.append(each)
            else:
                taken.add(gsid)
                settlements.append(Settlement(record, Outcome.CREATED, gsid=gsid))
        for each in missing:
            similar = matches.near(each.record.key)
            if any(self._may_be(row, each, taken) for row in similar):
                why = "a row with its key holds other values"
                settlements.append(_unknown_outcome(each, why))
            elif each.may_still_commit:
                why = "it was not found, but may still be committed"
                settlements.append(_unknown_outcome(each, why))
        return settlements

    def _may_be(self, row: Mapping[str, Any], each: Unresolved, taken: set[str]) -> bool:
        """Return whether a row may be the record's: no other record's and no older than it."""
        if row.get(GSID) in taken:
            return False
        created = _created_at(row)
        return not self.only_new or created is None or created >= each.sent_at - CLOCK_TOLERANCE

    def _is_equal(self, row: Mapping[str, Any], record: LoadRecord) -> bool:
        is_dated = not self.only_new or _created_at(row) is not None
        return is_dated and not self.mapper.changed_fields(record.fields, row)


def not_confirmed(message: str, request_id: str | None, created_at: float | None) -> Reason:
    """Return why a record is rejected that a response does not mention.

    Args:
        created_at: When it was sent if it is new, so that a replay looks it up first.
    """
    hint = "look the record up in Gainsight, or replay it" if created_at is None else HINT
    return Reason("not_confirmed", message, hint=hint, request_id=request_id, sent_at=created_at)


def _unknown_outcome(each: Unresolved, why: str, hint: str = HINT) -> Settlement:
    message = f"it is not known whether the record was created ({each.cause}): {why}"
    reason = Reason("outcome_unknown", message, hint=hint, sent_at=each.sent_at)
    return Settlement(each.record, Outcome.REJECTED, reason)


def _created_at(row: Mapping[str, Any]) -> float | None:
    """Return when a row was created, in epoch seconds; None if that cannot be read."""
    milliseconds = comparable_datetime(row.get(CREATED_DATE))
    return None if milliseconds is None else milliseconds / 1000
