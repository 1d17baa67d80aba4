"""Writes one batch to the tenant and finds an outcome for each of its records.

Runs in worker threads: knows one batch at a time and keeps no counts.
"""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from target_gainsight.api import MAX_RECORDS, RefusedError
from target_gainsight.loading.outcomes import BatchResult, Outcome, Reason
from target_gainsight.loading.reading.current_rows import GSID
from target_gainsight.loading.writing.create_recovery import HINT, Sending
from target_gainsight.loading.writing.create_sender import Creates
from target_gainsight.loading.writing.isolation import Isolation, carries, reason_of
from target_gainsight.mapping.types.datetimes import reformat_date

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from target_gainsight.api import Clock, FieldFailure, RecordsApi, WriteAnswer
    from target_gainsight.loading.outcomes import LoadRecord
    from target_gainsight.loading.writing.create_recovery import UnclearCreates
    from target_gainsight.mapping.types.datetimes import DateFormat

    _Send = Callable[[list[dict[str, Any]]], WriteAnswer]

logger = logging.getLogger(__name__)

DATE_CODE = "GSOBJ_1006"
OTHER_DATE_FORMAT: Mapping[DateFormat, DateFormat] = {"iso": "MM-DD-YYYY", "MM-DD-YYYY": "iso"}


class Writer(ABC):
    """Writes the records of one stream.

    Attributes:
        batch_size: Most records of one call.
    """

    batch_size: int

    @abstractmethod
    def create(self, batch: Sequence[LoadRecord]) -> BatchResult:
        """Write records that the tenant does not have."""

    @abstractmethod
    def update(self, batch: Sequence[LoadRecord]) -> BatchResult:
        """Write records that the tenant has; each carries its row's GSID."""


@dataclass(frozen=True)
class _DateFormat:
    """How DATE fields are written, until the tenant shows that it wants them otherwise."""

    current: DateFormat
    confirmed: bool = False


@dataclass(frozen=True)
class _Sent:
    """Records as they were sent, the answer, and when it was, in seconds on the tenant's clock."""

    bodies: list[dict[str, Any]]
    answer: WriteAnswer
    sent_at: float


class RecordsWriter(Writer):
    """Company, Relationship and custom objects: up to 50 records in one call.

    Args:
        records: The records API.
        object_name: The object.
        keys: The lookup keys, which an update does not write again.
        date_fields: The fields of type DATE.
        date_format: How they are written at first.
        unclear: Finds out what became of creates.
        clock: Waits between two sendings of the same creates.
        max_retry_seconds: How long the same creates are sent again.
        batch_size: Most records of one call.
    """

    def __init__(  # noqa: PLR0913 - each is a different thing that writing needs
        self,
        records: RecordsApi,
        object_name: str,
        *,
        keys: tuple[str, ...],
        date_fields: frozenset[str],
        date_format: DateFormat,
        unclear: UnclearCreates,
        clock: Clock,
        max_retry_seconds: float,
        batch_size: int = MAX_RECORDS,
    ) -> None:
        self.batch_size = min(batch_size, MAX_RECORDS)
        self._records = records
        self._object_name = object_name
        self._keys = keys
        self._date_fields = date_fields
        self._dates = _DateFormat(date_format)
        self._written_format = date_format
        self._unclear = unclear
        self._clock = clock
        self._creates = Creates(unclear, clock, max_retry_seconds)
        self._update_by_gsid = True

    def create(self, batch: Sequence[LoadRecord]) -> BatchResult:
        """Insert records; a record sent by an earlier run is looked up first."""
        return Isolation(self._send_creates, self._sent_body).deliver(batch)

    def update(self, batch: Sequence[LoadRecord]) -> BatchResult:
        """Update rows by their GSID, or by the lookup keys where the tenant wants them."""
        return Isolation(self._send_updates, self._sent_body).deliver(batch)

    def _send_creates(self, part: Sequence[LoadRecord], result: BatchResult) -> None:
        self._creates.send(
            part,
            result,
            lambda waiting: self._in_a_date_format(waiting, self._insert),
            lambda waiting, sent: self._settle_created(waiting, sent, result),
        )

    def _insert(self, bodies: list[dict[str, Any]]) -> WriteAnswer:
        return self._records.insert(self._object_name, bodies)

    def _settle_created(self, part: Sequence[LoadRecord], sent: _Sent, result: BatchResult) -> None:
        """Settle what the answer confirms; the rest may be there nevertheless: look it up."""
        _settle_confirmed(part, sent, Outcome.CREATED, result)
        self._unclear.remember(result)
        left_out = _refused_by(result.open_of(part), part, sent, result)
        because = f"the answer confirms {sent.answer.count} of {len(part)} records"
        sending = Sending(sent.sent_at, may_still_commit=False, because=because)
        self._unclear.resolve([(record, sending) for record in left_out], result)
        for record in result.open_of(left_out):
            reason = _not_confirmed(part, sent, sent_at=sent.sent_at)
            result.settle(record, Outcome.REJECTED, reason)

    def _send_updates(self, part: Sequence[LoadRecord], result: BatchResult) -> None:
        by_gsid = self._update_by_gsid
        try:
            sent = self._in_a_date_format(part, self._put)
        except RefusedError as refusal:
            if not by_gsid or not _refuses_gsid_as_key(refusal) or not self._keys:
                raise
            self._update_by_keys(refusal)
            sent = self._in_a_date_format(part, self._put)
        _settle_confirmed(part, sent, Outcome.UPDATED, result)
        for record in _refused_by(result.open_of(part), part, sent, result):
            result.settle(record, Outcome.REJECTED, _not_confirmed(part, sent))

    def _update_by_keys(self, refusal: RefusedError) -> None:
        if self._update_by_gsid:
            logger.warning(
                "%s: the tenant refuses Gsid as a key (%s); updating by %s from now on",
                self._object_name,
                refusal,
                ", ".join(self._keys),
            )
        self._update_by_gsid = False

    def _put(self, bodies: list[dict[str, Any]]) -> WriteAnswer:
        keys = (GSID,) if GSID in bodies[0] else self._keys
        return self._records.update(self._object_name, bodies, keys=keys)

    def _body(
        self, record: LoadRecord, date_format: DateFormat, *, by_gsid: bool
    ) -> dict[str, Any]:
        """A record as it is sent: to its row by the GSID, which the keys need not repeat."""
        body = record.fields
        if record.gsid is not None and by_gsid:
            body = {name: value for name, value in body.items() if name not in self._keys}
            body[GSID] = record.gsid
        if date_format == self._written_format:
            return body
        dates = {
            name: reformat_date(body[name], date_format)
            for name in self._date_fields
            if isinstance(body.get(name), str)
        }
        return {**body, **dates}

    def _sent_body(self, record: LoadRecord) -> dict[str, Any]:
        return self._body(record, self._dates.current, by_gsid=self._update_by_gsid)

    def _in_a_date_format(self, part: Sequence[LoadRecord], send: _Send) -> _Sent:
        """Send in the known date format; on a date refused, once in the other."""
        dates = self._dates
        try:
            sent = self._send_dates_as(dates.current, part, send)
        except RefusedError as refusal:
            if dates.confirmed or not _refuses_a_date(refusal):
                raise
            return self._in_the_other_format(OTHER_DATE_FORMAT[dates.current], part, send, refusal)
        if not dates.confirmed and self._has_dates(part):
            self._dates = _DateFormat(dates.current, confirmed=True)
        return sent

    def _in_the_other_format(
        self, other: DateFormat, part: Sequence[LoadRecord], send: _Send, refusal: RefusedError
    ) -> _Sent:
        try:
            sent = self._send_dates_as(other, part, send)
        except RefusedError as second:
            if _refuses_a_date(second):
                raise _refused_in_both(part, refusal, second) from second
            self._write_dates_as(other, refusal)
            raise
        self._write_dates_as(other, refusal)
        return sent

    def _write_dates_as(self, other: DateFormat, refusal: RefusedError) -> None:
        if self._dates.current != other:
            logger.warning(
                "%s: the tenant refuses a date (%s) and takes it as %s; writing dates so from "
                "now on",
                self._object_name,
                refusal,
                other,
            )
        self._dates = _DateFormat(other, confirmed=True)

    def _send_dates_as(
        self, date_format: DateFormat, part: Sequence[LoadRecord], send: _Send
    ) -> _Sent:
        by_gsid = self._update_by_gsid
        bodies = [self._body(record, date_format, by_gsid=by_gsid) for record in part]
        began = self._clock.now()
        answer = send(bodies)
        took = self._clock.now() - began
        answered = answer.server_time.timestamp() if answer.server_time else began + took
        return _Sent(bodies, answer, sent_at=answered - took)

    def _has_dates(self, part: Sequence[LoadRecord]) -> bool:
        return any(
            record.fields.get(name) is not None for record in part for name in self._date_fields
        )


def _settle_confirmed(
    part: Sequence[LoadRecord], sent: _Sent, outcome: Outcome, result: BatchResult
) -> None:
    """Settle what an answer confirms."""
    for place, gsid in _confirmed(part, sent).items():
        result.settle(part[place], outcome, gsid=gsid or part[place].gsid)


def _confirmed(part: Sequence[LoadRecord], sent: _Sent) -> dict[int, str | None]:
    """Match an answer's rows to the records sent: in order, and by their values if some miss."""
    answer = sent.answer
    if len(answer.records) == len(part) == answer.count:
        return {place: _gsid(row) for place, row in enumerate(answer.records)}
    if not answer.records and answer.count == len(part) and not answer.failures:
        return dict.fromkeys(range(len(part)))
    confirmed: dict[int, str | None] = {}
    rows = iter(answer.records)
    row = next(rows, None)
    for place, body in enumerate(sent.bodies):
        if row is not None and _answers(row, body):
            confirmed[place] = _gsid(row)
            row = next(rows, None)
    return confirmed if len(confirmed) <= answer.count else {}


def _answers(row: Mapping[str, Any], body: Mapping[str, Any]) -> bool:
    if body.get(GSID) is not None and row.get(GSID) is not None:
        return bool(row[GSID] == body[GSID])
    shared = [name for name in body if name in row]
    return bool(shared) and all(row[name] == body[name] for name in shared)


def _gsid(row: Mapping[str, Any]) -> str | None:
    gsid = row.get(GSID)
    return gsid if isinstance(gsid, str) else None


def _refused_by(
    left_out: Sequence[LoadRecord], part: Sequence[LoadRecord], sent: _Sent, result: BatchResult
) -> list[LoadRecord]:
    """Reject the records whose values an otherwise successful answer refuses; list the others."""
    answer = sent.answer
    refusal = RefusedError("refused", failures=answer.failures, request_id=answer.request_id)
    bodies = {id(record): body for record, body in zip(part, sent.bodies, strict=True)}
    unexplained = []
    for record in left_out:
        body = bodies[id(record)]
        failure = next((f for group in answer.failures for f in group if carries(body, f)), None)
        if failure is None:
            unexplained.append(record)
        else:
            result.settle(record, Outcome.REJECTED, reason_of(refusal, failure))
    return unexplained


def _not_confirmed(part: Sequence[LoadRecord], sent: _Sent, sent_at: float | None = None) -> Reason:
    answer = sent.answer
    return Reason(
        "not_confirmed",
        f"the answer confirms {answer.count} of {len(part)} records, and not this one",
        hint="look the record up in Gainsight, or replay it" if sent_at is None else HINT,
        request_id=answer.request_id,
        sent_at=sent_at,
    )


def _refuses_a_date(refusal: RefusedError) -> bool:
    codes = {failure.code for group in refusal.failures for failure in group}
    return DATE_CODE in codes or refusal.code == DATE_CODE


def _refused_in_both(
    part: Sequence[LoadRecord], refusal: RefusedError, second: RefusedError
) -> RefusedError:
    """Keep of a refusal what does not depend on the date format.

    In the wrong format every date is refused: only one that is refused in both forms is bad.
    """
    if len(part) == 1:
        return refusal
    also = {_date_named(failure) for group in second.failures for failure in group}
    failures = (
        tuple(f for f in group if f.code != DATE_CODE or _date_named(f) in also)
        for group in refusal.failures
    )
    kept = tuple(group for group in failures if group)
    return RefusedError(refusal.message, failures=kept, **refusal.context)


def _date_named(failure: FieldFailure) -> tuple[str | None, str]:
    return failure.field, reformat_date(str(failure.value), "iso")


def _refuses_gsid_as_key(refusal: RefusedError) -> bool:
    named = {failure.field for group in refusal.failures for failure in group}
    about_keys = "key" in (refusal.description or "").lower()
    return (
        about_keys and GSID.lower() in (refusal.description or "").lower() and named <= {None, GSID}
    )
