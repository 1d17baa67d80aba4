"""Write companies, relationships and custom objects: up to 50 records in one call."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from target_gainsight.api import FieldFailure, Json, WriteResponse, errors
from target_gainsight.loading.outcomes import BatchResult, Outcome, Settlement
from target_gainsight.loading.reading.current_rows import GSID, Row
from target_gainsight.loading.records import LoadRecord
from target_gainsight.loading.writing.create_recovery import RecoveringWriter, not_confirmed
from target_gainsight.loading.writing.delivery import carries, refusal_reason
from target_gainsight.loading.writing.writer import WRITTEN, Action, Batch, Unresolved
from target_gainsight.mapping.types.datetimes import reformat_date
from target_gainsight.settings.stream_settings import DateFormat

logger = logging.getLogger(__name__)

DATE_CODE = "GSOBJ_1006"
OTHER_DATE_FORMAT: Mapping[DateFormat, DateFormat] = {"iso": "MM-DD-YYYY", "MM-DD-YYYY": "iso"}


@dataclass(kw_only=True)
class RecordsWriter(RecoveringWriter):
    """Company, Relationship and custom objects; an update does not write the keys again."""

    date_fields: frozenset[str]
    date_format: DateFormat
    _update_by_gsid: bool = field(default=True, init=False)
    _dates: tuple[DateFormat, bool] = field(init=False)
    """The current format, and whether the tenant has accepted a date in it."""

    def __post_init__(self) -> None:
        self._dates = self.date_format, False

    def write(self, action: Action, batch: Batch, result: BatchResult) -> list[Unresolved]:
        """Insert records, or update rows by GSID, or by the lookup keys where the tenant asks.

        If a date is refused before any was accepted, the other date format is tried.
        """
        (date_format, is_confirmed), by_gsid = self._dates, self._update_by_gsid
        keys = self.rows.keys.names
        try:
            unresolved = self._send(action, batch, date_format, result)
        except errors.RefusedError as error:
            if action == "update" and by_gsid and keys and _refuses_gsid_as_key(error):
                self._update_by_gsid = False
                logger.warning(
                    "%s: the tenant refuses Gsid as a key (%s); updating by %s from now on",
                    self.rows.reader.object_name,
                    error,
                    ", ".join(keys),
                )
                return self.write(action, batch, result)
            if is_confirmed or not _refuses_a_date(error):
                raise
            return self._send_in_other_format(action, batch, date_format, error, result)
        if not is_confirmed and any(
            each.fields.get(name) is not None for each in batch for name in self.date_fields
        ):
            self._dates = date_format, True
        return unresolved

    def body(
        self, action: Action, record: LoadRecord, date_format: DateFormat | None = None
    ) -> dict[str, Any]:
        """Return a record as it is sent; an update by GSID leaves out the keys that the row has."""
        body, date_format = record.fields, date_format or self._dates[0]
        if action == "update" and record.gsid is not None and self._update_by_gsid:
            fixed = self.rows.keys.names if record.claimed is None else ()
            body = {name: value for name, value in body.items() if name not in fixed}
            body[GSID] = record.gsid
        if date_format == self.date_format:
            return body
        dates = {
            name: reformat_date(body[name], date_format)
            for name in self.date_fields
            if isinstance(body.get(name), str)
        }
        return {**body, **dates}

    def _send_in_other_format(
        self,
        action: Action,
        batch: Batch,
        refused_format: DateFormat,
        error: errors.RefusedError,
        result: BatchResult,
    ) -> list[Unresolved]:
        other, second = OTHER_DATE_FORMAT[refused_format], None
        unresolved: list[Unresolved] = []
        try:
            unresolved = self._send(action, batch, other, result)
        except errors.RefusedError as refusal:
            second = refusal
        if second is not None and _refuses_a_date(second):
            again = {_named_date(each) for each in second.failures}
            failures = [  # in the wrong format every date is refused
                each
                for each in error.failures
                if each.code != DATE_CODE or _named_date(each) in again
            ]
            raise replace(error, failures=tuple(failures)) from second
        if self._dates[0] != other:
            logger.warning(
                "%s: the tenant refuses a date (%s) and accepts it as %s; "
                "dates are written in that format from now on",
                self.rows.reader.object_name,
                error,
                other,
            )
        self._dates = other, True
        if second is not None:
            raise second
        return unresolved

    def _send(
        self, action: Action, batch: Batch, date_format: DateFormat, result: BatchResult
    ) -> list[Unresolved]:
        bodies = [self.body(action, record, date_format) for record in batch]
        records, object_name = self.rows.reader.records, self.rows.reader.object_name
        began = sent_at = self.clock.now()
        if action == "create":
            response = records.insert(object_name, bodies)
        else:
            keys = (GSID,) if GSID in bodies[0] else self.rows.keys.names
            response = records.update(object_name, bodies, keys=keys)
        if response.server_time is not None:
            sent_at = response.server_time.timestamp() - (self.clock.now() - began)
        unresolved = []
        rows = self._in_order_sent(bodies, _match_rows(bodies, response))
        for record, body, row in zip(batch, bodies, rows, strict=True):
            failure = next((each for each in response.failures if carries(body, each)), None)
            if row is not None:
                gsid = row.get(GSID)
                gsid = gsid if gsid and isinstance(gsid, str) else record.gsid
                if self.only_new:
                    self.claim_row(gsid)
                result.settlements.append(Settlement(record, WRITTEN[action], gsid=gsid))
            elif failure is not None:
                error = errors.RefusedError("refused", request_id=response.request_id)
                result.settle(record, Outcome.REJECTED, refusal_reason(error, failure))
            else:
                cause = f"the response confirms {response.count} of {len(batch)} records"
                reason = not_confirmed(f"{cause}, not this one", response.request_id)
                unresolved.append(Unresolved(record, cause, sent_at, reason=reason))
        return unresolved

    def _in_order_sent(
        self, bodies: Sequence[Row], rows: Sequence[Row | None]
    ) -> Sequence[Row | None]:
        """Return the rows in the order of the records, if their keys show that they have another.

        That they come in that order was observed, but is not documented.
        """

        def key_of(row: Row | None) -> str:
            names_gsid = GSID in bodies[0]
            return str(row and (row.get(GSID) if names_gsid else self.rows.keys.read_key(row)))

        sent, by_key = [key_of(body) for body in bodies], {key_of(row): row for row in rows}
        if len(by_key) < len(rows) or by_key.keys() != set(sent):
            return rows
        return [by_key[key] for key in sent]


def _match_rows(
    bodies: Sequence[Mapping[str, Any]], response: WriteResponse
) -> Sequence[Mapping[str, Json] | None]:
    """Return the row of each record as the response confirms it, or None.

    Rows come in the order of the records (observed; no index is documented). If some are missing,
    the others are recognized by their values. Rows are empty if the response has only a count.
    """
    rows, count = response.records, len(bodies)
    if len(rows) == count == response.count:
        return rows
    if not rows and response.count == count and not response.failures:
        return [{}] * count
    confirmed: list[Row | None] = []
    remaining = list(rows)
    for body in bodies:
        is_next = bool(remaining) and _is_row_of(remaining[0], body)
        confirmed.append(remaining.pop(0) if is_next else None)
    return confirmed if len(rows) - len(remaining) <= response.count else [None] * count


def _is_row_of(row: Row, body: Mapping[str, Any]) -> bool:
    if body.get(GSID) is not None and row.get(GSID) is not None:
        return bool(row[GSID] == body[GSID])
    shared = [name for name in body if name in row]
    return bool(shared) and all(row[name] == body[name] for name in shared)


def _refuses_a_date(error: errors.RefusedError) -> bool:
    return DATE_CODE in {error.code, *(failure.code for failure in error.failures)}


def _named_date(failure: FieldFailure) -> tuple[str | None, str]:
    return failure.field, reformat_date(str(failure.value), "iso")


def _refuses_gsid_as_key(error: errors.RefusedError) -> bool:
    description = (error.description or "").lower()
    named = {failure.field for failure in error.failures}
    return "key" in description and GSID.lower() in description and named <= {None, GSID}
