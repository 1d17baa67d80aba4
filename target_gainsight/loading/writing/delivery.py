"""Deliver one batch: call after call until every record has an outcome.

A write is all or nothing, and one refusal never costs its neighbours: a refused batch is narrowed
by the field and value that the refusal names, otherwise by halving; the good records are sent
again without the bad ones.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import backoff

from target_gainsight.api import Clock, FieldFailure, errors
from target_gainsight.loading.outcomes import BatchResult, Outcome, Reason, RunStoppedError
from target_gainsight.loading.records import LoadRecord
from target_gainsight.loading.writing.writer import Action, Unresolved, Writer
from target_gainsight.mapping.errors import counted

logger = logging.getLogger(__name__)

MAX_PAUSE = 60.0
"""Seconds between two calls with the same creates at most."""

SINGLE_FIELD_CODES = frozenset(f"GSOBJ_{number}" for number in (1001, 1002, 1005, 1006, 1007, 1012))
"""Codes that concern one field's value alone, whatever else the record holds."""

NULL_CODE = "GSOBJ_1007"


class Part(NamedTuple):
    """Records to send in one call."""

    action: Action
    records: list[LoadRecord]


@dataclass
class Delivery:
    """The delivery of one batch: its outcomes so far, and the parts that are still to send.

    Runs in a worker thread and shares nothing but the writer. Creates whose response was lost are
    sent again for ``max_retry_seconds``.
    """

    writer: Writer
    clock: Clock
    max_retry_seconds: float
    result: BatchResult = field(default_factory=BatchResult, init=False)
    parts: list[Part] = field(default_factory=list, init=False)
    first_lost: tuple[errors.UnknownOutcomeError, float] | None = field(default=None, init=False)
    lost: set[LoadRecord] = field(default_factory=set, init=False)

    def deliver(self, action: Action, batch: Sequence[LoadRecord]) -> BatchResult:
        """Write a batch, at most as many records as one call takes, and find all outcomes.

        Records are left without one only if the run stops or retries are exhausted.
        """
        try:
            self._send_all(action, batch)
        except (errors.StopRunError, RunStoppedError) as error:
            self.result.stopped = error
        except errors.UnavailableError as error:
            self.result.hold_back(self.result.unsettled(batch), error)
        return self.result

    def _send_all(self, action: Action, batch: Sequence[LoadRecord]) -> None:
        """Look up the creates of an earlier run that did not learn their outcome; send the rest."""
        replayed = [
            Unresolved(record, "an earlier run lost the response", record.sent_before)
            for record in batch
            if action == "create" and record.sent_before is not None
        ]
        to_send = batch
        if replayed:
            self._recover(replayed)
            to_send = self.result.unsettled(batch)
        for has_gsid in (False, True):  # one call has one kind of key
            same = [each for each in to_send if (each.gsid is not None) == has_gsid]
            self.parts.append(Part(action, same))
        while self.parts:
            part = self.parts.pop()
            if part.records:
                self._send(part)

    def _send(self, part: Part) -> None:
        began = self.clock.now()
        try:
            unresolved = self.writer.write(part.action, part.records, self.result)
        except errors.RefusedError as error:
            self._narrow(part, error)
        except errors.UnknownOutcomeError as error:
            self._recover_lost(part, error)
        else:
            if unresolved:
                sent = [
                    replace(each, sent_at=each.sent_at or began, resent=each.record in self.lost)
                    for each in unresolved
                ]
                self._recover(sent, part.action)

    def _narrow(self, part: Part, error: errors.RefusedError) -> None:
        """Reject the certainly bad records of a refused part; send the rest in two parts."""
        records = part.records
        certain: dict[LoadRecord, FieldFailure | None] = {}
        suspected: set[LoadRecord] = set()
        bodies = {record: self.writer.body(part.action, record) for record in records}
        for failure in error.failures:
            carriers = [record for record, sent in bodies.items() if carries(sent, failure)]
            codes = {NULL_CODE} if failure.value is None else SINGLE_FIELD_CODES
            if len(carriers) == 1 and failure.code in codes:
                certain.setdefault(carriers[0], failure)
            else:
                suspected.update(carriers)
        if len(records) == 1:
            certain = {records[0]: None}
        for record, named in certain.items():
            self.result.settle(record, Outcome.REJECTED, refusal_reason(error, named))
        left = [each for each in records if each not in certain]
        doubtful = [each for each in left if each in suspected]
        others = [each for each in left if each not in suspected]
        if not certain and not (others and doubtful):
            middle = (len(left) + 1) // 2
            others, doubtful = left[:middle], left[middle:]
        self.parts += [Part(part.action, each) for each in (doubtful, others)]  # the last is next

    def _recover_lost(self, part: Part, error: errors.UnknownOutcomeError) -> None:
        """Look up the records of a call whose response was lost; send the missing ones again."""
        self.lost.update(part.records)
        count = counted(len(part.records), "record")
        logger.warning("%s; %s: %s", error, self.writer.after_lost_response, count)
        clock, pauses = self.clock, self.result.pauses
        self.first_lost = self.first_lost or (error, clock.now())
        first, since = self.first_lost
        lost = (str(error), first.sent_at, error.cause.timed_out)
        self._recover([Unresolved(each, *lost) for each in part.records])
        missing = self.result.unsettled(part.records)
        if not missing:
            return
        began = clock.now()
        if began - since >= self.max_retry_seconds:
            message = "every response was lost, and the calls had no effect"
            raise errors.UnavailableError(message).with_call_of(error) from error
        longest = min(MAX_PAUSE, 0.5 * 2 ** min(len(pauses), 10))
        clock.wait(max(backoff.full_jitter(longest), error.cause.retry_after or 0.0))
        pauses.append((began, clock.now()))
        self.parts.append(Part(part.action, missing))

    def _recover(self, unresolved: Sequence[Unresolved], action: Action = "create") -> None:
        """Settle what the tenant holds; reject what it lacks and is not to be sent again."""
        to_update = () if action == "update" else self.writer.recover(unresolved, self.result)
        self.parts.append(Part("update", list(to_update)))
        missing = set(self.result.unsettled([each.record for each in unresolved]))
        for each in unresolved:
            if each.reason is not None and each.record in missing.difference(to_update):
                sent_at = each.sent_at if action == "create" else None
                reason = replace(each.reason, sent_at=sent_at)
                self.result.settle(each.record, Outcome.REJECTED, reason)


def carries(body: Mapping[str, Any], failure: FieldFailure) -> bool:
    """Return whether a record as it was sent holds the value that a failure names.

    That may be one of a list, or have become text. The field's name may be spelled otherwise.
    """
    if failure.field is None:
        return False
    spelled, named = failure.field.lower(), failure.value
    sent = next((value for name, value in body.items() if name.lower() == spelled), None)
    values = (named, *named) if isinstance(named, list) else (named,)
    return any(sent == value or _as_text(sent) == _as_text(value) for value in values)


def refusal_reason(
    error: errors.RefusedError | errors.NotFoundError, failure: FieldFailure | None = None
) -> Reason:
    """Return why a record was refused: for the failed field, or for the first one named."""
    failures = error.failures if isinstance(error, errors.RefusedError) else ()
    failure = failure or next(iter(failures), FieldFailure(None, None, "", ""))
    return Reason(
        failure.code or error.code or "refused",
        failure.message or error.description or error.message,
        field=failure.field,
        value=failure.value,
        request_id=error.request_id,
    )


def _as_text(value: object) -> str:
    """Return a value as descriptions print it; null and empty text are the same to a tenant."""
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_as_text, value))
    text = "" if value is None else str(value)
    text = text.lower() if isinstance(value, bool) else text
    return text.strip().strip("[]\"'").strip()
