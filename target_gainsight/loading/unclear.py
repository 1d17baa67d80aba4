"""Creates with an unclear outcome are looked up before anything is sent again.

A reset or a server error after sending leaves open whether the records were written. They are
looked up by their lookup keys; what cannot be told for sure is never guessed.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from target_gainsight.api import GainsightError, StopRunError
from target_gainsight.loading.current_rows import GSID
from target_gainsight.loading.outcomes import (
    BatchResult,
    LoadRecord,
    Outcome,
    Reason,
    RunStoppedError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from target_gainsight.api import Clock
    from target_gainsight.loading.current_rows import CurrentRows, Matches
    from target_gainsight.loading.keys import Key
    from target_gainsight.mapping.validation import RecordMapper

logger = logging.getLogger(__name__)

CREATED_DATE = "CreatedDate"
CLOCK_TOLERANCE = 2.0
"""Seconds by which a row may seem older than its sending: server clocks tell whole seconds."""

HINT = "look the record up in Gainsight, or replay it: it is looked up before it is sent again"


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


@dataclass
class _Rows:
    """Rows by key, each of which may answer for one record only."""

    matches: Matches
    taken: dict[Key, set[str]] = field(default_factory=lambda: defaultdict(set))

    def free(self, key: Key) -> list[Mapping[str, Any]]:
        return [row for row in self.matches.exact(key) if row.get(GSID) not in self.taken[key]]


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
        mapper: RecordMapper,
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

    def resolve(self, records: Sequence[LoadRecord], sending: Sending, result: BatchResult) -> None:
        """Settle the records whose outcome can be told; the others may be sent again.

        Args:
            records: What was sent.
            sending: When, and what happened.
            result: Takes the outcomes.

        Raises:
            RunStoppedError: The look-up itself failed until the retries were spent.
        """
        if self._rows is None:
            for record in records:
                result.settle(record, Outcome.REJECTED, _unknown(sending, "it has no lookup keys"))
            return
        if sending.may_still_commit:
            logger.warning(
                "%s; waiting %.0f s more before looking up", sending.because, self._timeout
            )
            self._clock.wait(self._timeout)
        rows = _Rows(self._look_up(self._rows, records))
        for record in records:
            self._resolve_one(record, rows, sending, result)

    def _look_up(self, rows: CurrentRows, records: Sequence[LoadRecord]) -> Matches:
        try:
            return rows.read(records, extra=(CREATED_DATE,) if self._only_new else ())
        except StopRunError:
            raise
        except GainsightError as error:
            message = (
                f"{len(records)} records may or may not have been created, and looking them up "
                f"failed too ({error}); the run stops before they are counted: run again when "
                "Gainsight answers"
            )
            raise RunStoppedError(message) from error

    def _resolve_one(
        self, record: LoadRecord, rows: _Rows, sending: Sending, result: BatchResult
    ) -> None:
        found = rows.free(record.key)
        if self._only_new:
            found = [row for row in found if _created_since(row, sending.sent_at)]
        equal = [row for row in found if not self._mapper.changed_fields(record.fields, row)]
        if equal:
            gsid = str(equal[0].get(GSID))
            rows.taken[record.key].add(gsid)
            result.settle(record, Outcome.CREATED, gsid=gsid)
        elif found and not self._only_new:
            result.settle(
                record, Outcome.REJECTED, _unknown(sending, "a row with its key holds other values")
            )
        elif sending.may_still_commit:
            result.settle(
                record, Outcome.REJECTED, _unknown(sending, "it was not found, but may still come")
            )


def _unknown(sending: Sending, why: str) -> Reason:
    return Reason(
        "outcome_unknown",
        f"whether it was created is not known ({sending.because}) and {why}",
        hint=HINT,
        sent_at=sending.sent_at,
    )


def _created_since(row: Mapping[str, Any], sent_at: float) -> bool:
    created = _moment(row.get(CREATED_DATE))
    return created is not None and created >= sent_at - CLOCK_TOLERANCE


def _moment(value: object) -> float | None:
    """Read a server time: epoch milliseconds or ISO text."""
    if isinstance(value, int):
        return value / 1000
    try:
        moment = datetime.fromisoformat(str(value).replace("Z", "+00:00"))
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).timestamp()
