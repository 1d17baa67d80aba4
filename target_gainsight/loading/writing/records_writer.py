"""Write companies, relationships and custom objects: up to 50 records in one call."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from target_gainsight.api import (
    MAX_RECORDS,
    Clock,
    FieldFailure,
    Json,
    RecordsApi,
    RefusedError,
    WriteResponse,
)
from target_gainsight.loading.outcomes import Outcome, Reason, Settlement
from target_gainsight.loading.reading.current_rows import GSID
from target_gainsight.loading.records import LoadRecord
from target_gainsight.loading.writing.create_recovery import HINT, CreateRecovery
from target_gainsight.loading.writing.isolation import carries, refusal_reason
from target_gainsight.loading.writing.writer import (
    Action,
    Body,
    Recovered,
    SentCreate,
    Unresolved,
    Writer,
    Written,
)
from target_gainsight.mapping.types.datetimes import DateFormat, reformat_date

logger = logging.getLogger(__name__)

DATE_CODE = "GSOBJ_1006"
OTHER_DATE_FORMAT: Mapping[DateFormat, DateFormat] = {"iso": "MM-DD-YYYY", "MM-DD-YYYY": "iso"}


@dataclass(frozen=True)
class _DateFormat:
    """The format of DATE fields, which changes if the tenant refuses it."""

    current: DateFormat
    is_confirmed: bool = False


@dataclass(frozen=True)
class _Sent:
    """Records as they were sent, the response, and when, in epoch seconds of the tenant's clock."""

    bodies: list[dict[str, Any]]
    response: WriteResponse
    at: float


class RecordsWriter(Writer):
    """Company, Relationship and custom objects.

    Args:
        records: The records API.
        object_name: The object.
        keys: The lookup keys, which an update does not write again.
        date_fields: The fields of type DATE.
        date_format: How they are written at first.
        recovery: Looks up creates with an unknown outcome.
        clock: Measures how long a call took.
        batch_size: Records of one call at most.
    """

    def __init__(  # noqa: PLR0913 - each is a different thing that writing needs
        self,
        records: RecordsApi,
        object_name: str,
        *,
        keys: tuple[str, ...],
        date_fields: frozenset[str],
        date_format: DateFormat,
        recovery: CreateRecovery,
        clock: Clock,
        batch_size: int = MAX_RECORDS,
    ) -> None:
        self.batch_size = min(batch_size, MAX_RECORDS)
        self._records = records
        self._object_name = object_name
        self._keys = keys
        self._date_fields = date_fields
        self._dates = _DateFormat(date_format)
        self._written_format = date_format
        self._recovery = recovery
        self._clock = clock
        self._update_by_gsid = True

    def write(self, action: Action, records: Sequence[LoadRecord]) -> Written:
        """Insert records, or update rows by GSID, or by the lookup keys where the tenant asks."""
        try:
            sent = self._send(action, records)
        except RefusedError as error:
            by_gsid = action == "update" and self._update_by_gsid
            if not (by_gsid and self._keys and _refuses_gsid_as_key(error)):
                raise
            self._update_by_gsid = False
            logger.warning(
                "%s: the tenant refuses Gsid as a key (%s); updating by %s from now on",
                self._object_name,
                error,
                ", ".join(self._keys),
            )
            sent = self._send(action, records)
        return self._read_outcomes(action, records, sent)

    def body(self, action: Action, record: LoadRecord) -> Body:
        """Return a record as it is sent now."""
        return self._body(action, record, self._dates.current)

    def recover(self, unresolved: Sequence[Unresolved]) -> Recovered:
        """Look up records by their lookup keys."""
        return self._recovery.recover(unresolved)

    def _read_outcomes(self, action: Action, records: Sequence[LoadRecord], sent: _Sent) -> Written:
        """Read the outcomes of a call; creates that it does not confirm may have been committed."""
        creates = action == "create"
        outcome = Outcome.CREATED if creates else Outcome.UPDATED
        settled = {}
        for number, row in _match_rows(sent.bodies, sent.response).items():
            record, gsid = records[number], row.get(GSID)
            gsid = gsid if gsid and isinstance(gsid, str) else record.gsid
            settled[record] = Settlement(record, outcome, gsid=gsid)
        if creates and self._recovery.only_new:
            self._recovery.claim_rows(settled.values())
        if len(settled) == len(records):
            return Written(tuple(settled.values()))
        return _read_partial_success(records, sent, settled, creates=creates)

    def _send(self, action: Action, records: Sequence[LoadRecord]) -> _Sent:
        """Send records; if a date is refused before the format is confirmed, in the other one."""
        dates = self._dates
        try:
            sent = self._send_once(action, records, dates.current)
        except RefusedError as error:
            if dates.is_confirmed or not _refuses_a_date(error):
                raise
            return self._send_in_other_format(action, records, dates.current, error)
        if not dates.is_confirmed and any(
            each.fields.get(name) is not None for each in records for name in self._date_fields
        ):
            self._dates = _DateFormat(dates.current, is_confirmed=True)
        return sent

    def _send_in_other_format(
        self,
        action: Action,
        records: Sequence[LoadRecord],
        refused_format: DateFormat,
        error: RefusedError,
    ) -> _Sent:
        other = OTHER_DATE_FORMAT[refused_format]
        try:
            sent = self._send_once(action, records, other)
        except RefusedError as second:
            if _refuses_a_date(second):
                raise _refusal_of_both_formats(records, error, second) from second
            self._switch_date_format(other, error)
            raise
        self._switch_date_format(other, error)
        return sent

    def _send_once(
        self, action: Action, records: Sequence[LoadRecord], date_format: DateFormat
    ) -> _Sent:
        bodies = [self._body(action, record, date_format) for record in records]
        began = self._clock.now()
        if action == "create":
            response = self._records.insert(self._object_name, bodies)
        else:
            keys = (GSID,) if GSID in bodies[0] else self._keys
            response = self._records.update(self._object_name, bodies, keys=keys)
        took = self._clock.now() - began
        server_time = response.server_time
        responded = server_time.timestamp() if server_time else began + took
        return _Sent(bodies, response, at=responded - took)

    def _body(self, action: Action, record: LoadRecord, date_format: DateFormat) -> dict[str, Any]:
        """Return a record as it is sent; an update by GSID leaves out the keys that the row has."""
        body = record.fields
        if action == "update" and record.gsid is not None and self._update_by_gsid:
            fixed = self._keys if record.claimed is None else ()
            body = {name: value for name, value in body.items() if name not in fixed}
            body[GSID] = record.gsid
        if date_format == self._written_format:
            return body
        dates = {
            name: reformat_date(body[name], date_format)
            for name in self._date_fields
            if isinstance(body.get(name), str)
        }
        return {**body, **dates}

    def _switch_date_format(self, date_format: DateFormat, error: RefusedError) -> None:
        if self._dates.current != date_format:
            logger.warning(
                "%s: the tenant refuses a date (%s) and accepts it as %s; "
                "dates are written in that format from now on",
                self._object_name,
                error,
                date_format,
            )
        self._dates = _DateFormat(date_format, is_confirmed=True)


def _match_rows(
    bodies: Sequence[Body], response: WriteResponse
) -> Mapping[int, Mapping[str, Json]]:
    """Match records that a response confirms, by their position, with its rows.

    Rows come in the order of the records (observed; no index is documented). If some are missing,
    the others are recognized by their values. Rows are empty if the response has only a count.
    """
    rows = response.records
    if len(rows) == len(bodies) == response.count:
        return dict(enumerate(rows))
    if not rows and response.count == len(bodies) and not response.failures:
        return {number: {} for number in range(len(bodies))}
    confirmed: dict[int, Mapping[str, Json]] = {}
    remaining = iter(rows)
    row = next(remaining, None)
    for number, body in enumerate(bodies):
        if row is not None and _is_row_of(row, body):
            confirmed[number] = row
            row = next(remaining, None)
    return confirmed if len(confirmed) <= response.count else {}


def _is_row_of(row: Mapping[str, Json], body: Body) -> bool:
    if body.get(GSID) is not None and row.get(GSID) is not None:
        return bool(row[GSID] == body[GSID])
    shared = [name for name in body if name in row]
    return bool(shared) and all(row[name] == body[name] for name in shared)


def _read_partial_success(
    records: Sequence[LoadRecord],
    sent: _Sent,
    settled: dict[LoadRecord, Settlement],
    *,
    creates: bool,
) -> Written:
    """Find outcomes for the records that a successful response does not confirm, too."""
    missing = _without_outcome(records, sent, settled)
    cause = f"the response confirms {sent.response.count} of {len(records)} records"
    reason = Reason(
        "not_confirmed",
        f"{cause}, not this one",
        hint=HINT if creates else "look the record up in Gainsight, or replay it",
        request_id=sent.response.request_id,
        sent_at=sent.at if creates else None,
    )
    if creates:
        create = SentCreate(sent.at, may_still_commit=False, cause=cause)
        unresolved = tuple(Unresolved(each, create, reason) for each in missing)
        return Written(tuple(settled.values()), unresolved)
    rejected = [Settlement(each, Outcome.REJECTED, reason) for each in missing]
    return Written((*settled.values(), *rejected))


def _without_outcome(
    records: Sequence[LoadRecord], sent: _Sent, settled: dict[LoadRecord, Settlement]
) -> list[LoadRecord]:
    """Reject the records that a successful response refuses; return those it does not mention."""
    response, missing = sent.response, []
    error = RefusedError("refused", failures=response.failures, request_id=response.request_id)
    failures = [failure for group in response.failures for failure in group]
    for record, body in zip(records, sent.bodies, strict=True):
        if record in settled:
            continue
        failure = next((each for each in failures if carries(body, each)), None)
        if failure is None:
            missing.append(record)
        else:
            reason = refusal_reason(error, failure)
            settled[record] = Settlement(record, Outcome.REJECTED, reason)
    return missing


def _refuses_a_date(error: RefusedError) -> bool:
    codes = {failure.code for group in error.failures for failure in group}
    return DATE_CODE in codes or error.code == DATE_CODE


def _refusal_of_both_formats(
    records: Sequence[LoadRecord], first: RefusedError, second: RefusedError
) -> RefusedError:
    """Keep the failures that do not depend on the date format.

    In the wrong format every date is refused: only one that is refused in both is bad.
    """
    if len(records) == 1:
        return first
    refused_again = {_named_date(failure) for group in second.failures for failure in group}
    failures = (
        tuple(
            each for each in group if each.code != DATE_CODE or _named_date(each) in refused_again
        )
        for group in first.failures
    )
    return RefusedError(first.message, failures=tuple(filter(None, failures)), **first.context)


def _named_date(failure: FieldFailure) -> tuple[str | None, str]:
    return failure.field, reformat_date(str(failure.value), "iso")


def _refuses_gsid_as_key(error: RefusedError) -> bool:
    description = (error.description or "").lower()
    named = {failure.field for group in error.failures for failure in group}
    return "key" in description and GSID.lower() in description and named <= {None, GSID}
