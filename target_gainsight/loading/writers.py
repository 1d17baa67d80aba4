"""Writes one batch to the tenant and finds an outcome for each of its records.

Runs in worker threads: knows one batch at a time and keeps no counts.
"""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import backoff

from target_gainsight.api import MAX_RECORDS, OutcomeUnclearError, RefusedError, UnavailableError
from target_gainsight.loading.current_rows import GSID
from target_gainsight.loading.isolation import Isolation, reason_of
from target_gainsight.loading.outcomes import BatchResult, Outcome, Reason
from target_gainsight.loading.unclear import HINT, Sending
from target_gainsight.mapping.moments import reformat_date

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from target_gainsight.api import Clock, PeopleApi, RecordsApi, WriteAnswer
    from target_gainsight.loading.outcomes import LoadRecord
    from target_gainsight.loading.unclear import UnclearCreates
    from target_gainsight.mapping.moments import DateFormat

logger = logging.getLogger(__name__)

DATE_CODE = "GSOBJ_1006"
OTHER_DATE_FORMAT: Mapping[DateFormat, DateFormat] = {"iso": "MM-DD-YYYY", "MM-DD-YYYY": "iso"}
MOST_PAUSE = 60.0


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


@dataclass
class _DateFormat:
    """How DATE fields are written, until the tenant shows that it wants them otherwise."""

    current: DateFormat
    confirmed: bool = False


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
        self._max_retry_seconds = max_retry_seconds
        self._update_by_gsid = True

    def create(self, batch: Sequence[LoadRecord]) -> BatchResult:
        """Insert records; a record sent by an earlier run is looked up first."""
        return Isolation(self._send_creates, lambda record: record.fields).deliver(batch)

    def update(self, batch: Sequence[LoadRecord]) -> BatchResult:
        """Update rows by their GSID, or by the lookup keys where the tenant wants them."""
        return Isolation(self._send_updates, self._update_body).deliver(batch)

    def _send_creates(self, part: Sequence[LoadRecord], result: BatchResult) -> None:
        waiting = self._look_up_sent_before(part, result)
        began, pauses = self._clock.now(), _pauses()
        while waiting:
            try:
                answer = self._in_a_date_format(waiting, self._insert)
            except OutcomeUnclearError as error:
                sending = Sending(error.sent_at, error.timed_out, str(error))
                self._unclear.resolve(waiting, sending, result)
                waiting = result.open_of(waiting)
                self._pause(waiting, began, pauses, error)
            else:
                _settle_answered(waiting, answer, Outcome.CREATED, result)
                waiting = []

    def _look_up_sent_before(
        self, part: Sequence[LoadRecord], result: BatchResult
    ) -> list[LoadRecord]:
        for record in part:
            if record.sent_before is not None:
                sending = Sending(record.sent_before, may_still_commit=False, because="replayed")
                self._unclear.resolve([record], sending, result)
        return result.open_of(part)

    def _pause(
        self,
        waiting: Sequence[LoadRecord],
        began: float,
        pauses: Iterator[float],
        error: OutcomeUnclearError,
    ) -> None:
        """Wait before the same creates are sent again, or give up."""
        if not waiting:
            return
        spent = self._clock.now() - began
        if spent >= self._max_retry_seconds:
            message = "the records were sent again and again and never arrived"
            raise UnavailableError(message, attempts=0, waited=spent, **error.context) from error
        self._clock.wait(next(pauses))

    def _insert(self, bodies: list[dict[str, Any]]) -> WriteAnswer:
        return self._records.insert(self._object_name, bodies)

    def _send_updates(self, part: Sequence[LoadRecord], result: BatchResult) -> None:
        try:
            answer = self._in_a_date_format(part, self._put)
        except RefusedError as refusal:
            if not self._update_by_gsid or not _refuses_gsid_as_key(refusal) or not self._keys:
                raise
            logger.warning(
                "%s: the tenant refuses Gsid as a key (%s); updating by %s from now on",
                self._object_name,
                refusal,
                ", ".join(self._keys),
            )
            self._update_by_gsid = False
            answer = self._in_a_date_format(part, self._put)
        _settle_answered(part, answer, Outcome.UPDATED, result)

    def _put(self, bodies: list[dict[str, Any]]) -> WriteAnswer:
        keys = (GSID,) if self._update_by_gsid else self._keys
        return self._records.update(self._object_name, bodies, keys=keys)

    def _body(self, record: LoadRecord) -> dict[str, Any]:
        return record.fields if record.gsid is None else self._update_body(record)

    def _update_body(self, record: LoadRecord) -> dict[str, Any]:
        if not self._update_by_gsid:
            return record.fields
        fields = {name: value for name, value in record.fields.items() if name not in self._keys}
        return {**fields, GSID: record.gsid}

    def _in_a_date_format(
        self,
        part: Sequence[LoadRecord],
        send: Callable[[list[dict[str, Any]]], WriteAnswer],
    ) -> WriteAnswer:
        """Send in the known date format; on a date refused, once in the other."""
        dates = replace(self._dates)
        try:
            answer = send(self._bodies(part, dates.current))
        except RefusedError as refusal:
            if dates.confirmed or not _refuses_a_date(refusal):
                raise
            answer = self._in_the_other_format(part, send, refusal)
        else:
            if self._has_dates(part):
                self._dates = _DateFormat(dates.current, confirmed=True)
        return answer

    def _in_the_other_format(
        self,
        part: Sequence[LoadRecord],
        send: Callable[[list[dict[str, Any]]], WriteAnswer],
        refusal: RefusedError,
    ) -> WriteAnswer:
        other = OTHER_DATE_FORMAT[self._dates.current]
        try:
            answer = send(self._bodies(part, other))
        except RefusedError:
            raise refusal from None
        logger.warning(
            "%s: the tenant refused a date (%s) and takes it as %s; writing dates so from now on",
            self._object_name,
            refusal,
            other,
        )
        self._dates = _DateFormat(other, confirmed=True)
        return answer

    def _bodies(self, part: Sequence[LoadRecord], date_format: DateFormat) -> list[dict[str, Any]]:
        bodies = [self._body(record) for record in part]
        if date_format == self._written_format:
            return bodies
        return [self._with_dates(body, date_format) for body in bodies]

    def _with_dates(self, body: dict[str, Any], date_format: DateFormat) -> dict[str, Any]:
        dates = {
            name: reformat_date(body[name], date_format)
            for name in self._date_fields
            if isinstance(body.get(name), str)
        }
        return {**body, **dates}

    def _has_dates(self, part: Sequence[LoadRecord]) -> bool:
        return any(
            record.fields.get(name) is not None for record in part for name in self._date_fields
        )


class PeopleWriter(Writer):
    """Person: one record in one call, native upsert by Email.

    Args:
        people: The People API.
    """

    batch_size = 1

    def __init__(self, people: PeopleApi) -> None:
        self._people = people

    def create(self, batch: Sequence[LoadRecord]) -> BatchResult:
        """Write a person whose email the tenant does not know."""
        return self._deliver(batch, Outcome.CREATED)

    def update(self, batch: Sequence[LoadRecord]) -> BatchResult:
        """Write a person whose email the tenant knows."""
        return self._deliver(batch, Outcome.UPDATED)

    def _deliver(self, batch: Sequence[LoadRecord], outcome: Outcome) -> BatchResult:
        def send(part: Sequence[LoadRecord], result: BatchResult) -> None:
            for record in part:
                answer = self._people.upsert(record.fields)
                result.settle(record, outcome, gsid=answer.gsid or record.gsid)

        return Isolation(send, lambda record: record.fields).deliver(batch)


def _settle_answered(
    part: Sequence[LoadRecord], answer: WriteAnswer, outcome: Outcome, result: BatchResult
) -> None:
    """Settle what an answer confirms; what it leaves out was not written as far as it says."""
    confirmed = _confirmed(part, answer)
    for place, record in enumerate(part):
        if place in confirmed:
            result.settle(record, outcome, gsid=confirmed[place] or record.gsid)
        else:
            result.settle(record, Outcome.REJECTED, _not_confirmed(part, answer))


def _confirmed(part: Sequence[LoadRecord], answer: WriteAnswer) -> dict[int, str | None]:
    """Match an answer's rows to the records sent: in order, and by their values if some miss."""
    if len(answer.records) == len(part) == answer.count:
        return {place: _gsid(row) for place, row in enumerate(answer.records)}
    if not answer.records and answer.count == len(part) and not answer.failures:
        return dict.fromkeys(range(len(part)))
    confirmed: dict[int, str | None] = {}
    rows = iter(answer.records)
    row = next(rows, None)
    for place, record in enumerate(part):
        if row is not None and _answers(row, record):
            confirmed[place] = _gsid(row)
            row = next(rows, None)
    return confirmed


def _answers(row: Mapping[str, Any], record: LoadRecord) -> bool:
    if record.gsid is not None and row.get(GSID) is not None:
        return bool(row[GSID] == record.gsid)
    shared = [name for name in record.fields if name in row]
    return bool(shared) and all(row[name] == record.fields[name] for name in shared)


def _gsid(row: Mapping[str, Any]) -> str | None:
    gsid = row.get(GSID)
    return gsid if isinstance(gsid, str) else None


def _not_confirmed(part: Sequence[LoadRecord], answer: WriteAnswer) -> Reason:
    if answer.failures:
        failure = answer.failures[0][0]
        return reason_of(
            RefusedError(failure.message, failures=answer.failures, request_id=answer.request_id)
        )
    message = f"the answer confirms {answer.count} of {len(part)} records, and not this one"
    return Reason("not_confirmed", message, hint=HINT, request_id=answer.request_id)


def _refuses_a_date(refusal: RefusedError) -> bool:
    codes = {failure.code for group in refusal.failures for failure in group}
    return DATE_CODE in codes or refusal.code == DATE_CODE


def _refuses_gsid_as_key(refusal: RefusedError) -> bool:
    named = {failure.field for group in refusal.failures for failure in group}
    about_keys = "key" in (refusal.description or "").lower()
    return (
        about_keys and GSID.lower() in (refusal.description or "").lower() and named <= {None, GSID}
    )


def _pauses() -> Iterator[float]:
    waits = backoff.expo(factor=0.5, max_value=MOST_PAUSE)
    next(waits)
    while True:
        yield backoff.full_jitter(next(waits))
