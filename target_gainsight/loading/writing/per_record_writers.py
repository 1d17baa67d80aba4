"""Write people, Timeline activities and CTAs: their APIs decide on each record by itself."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from target_gainsight.api import (
    Clock,
    CockpitApi,
    PayloadTooLargeError,
    PeopleApi,
    PerRecordResponse,
    RefusedError,
    TimelineApi,
    is_duplicate,
)
from target_gainsight.loading.classification import exists_reason
from target_gainsight.loading.keys import COMPANIES, COMPANY_ID
from target_gainsight.loading.lookups.resolver import LOAD_FIRST
from target_gainsight.loading.outcomes import Outcome, Reason, Settlement
from target_gainsight.loading.reading.api_rows import RecordMap
from target_gainsight.loading.reading.current_rows import GSID, RowReader
from target_gainsight.loading.records import LoadRecord
from target_gainsight.loading.writing.create_recovery import CreateRecovery, not_confirmed
from target_gainsight.loading.writing.isolation import refusal_reason
from target_gainsight.loading.writing.writer import Action, Recovered, Unresolved, Writer, Written
from target_gainsight.mapping.planning.static_schemas import EXTERNAL_ID
from target_gainsight.mapping.write_rules import WriteRules
from target_gainsight.settings.stream_settings import OnNoMatch

logger = logging.getLogger(__name__)

PAIR = 2
NOT_CONFIRMED = "not_confirmed"
MISSING_FIELD = "GS_TL_10_0206"
PARENT_MISSING = "GSOBJ_PEOPLE1001"
"""The code of a person linked to a company that does not exist (Error Codes, People API)."""

PARENT_HINT = f"{LOAD_FIRST}, or set on_no_match of company_links to leave_empty"


@dataclass
class PeopleWriter(Writer):
    """Person: one record in one call, native upsert by Email.

    Attributes:
        on_no_match: What happens to a person whose company the tenant does not have.
    """

    people: PeopleApi
    on_no_match: OnNoMatch
    batch_size: int = 1

    def write(self, action: Action, records: Sequence[LoadRecord]) -> Written:
        """Upsert one person, if so configured without links to companies that do not exist."""
        (record,) = records
        fields = record.fields
        while True:
            try:
                gsid = self.people.upsert(fields) or record.gsid
            except RefusedError as error:
                if error.code != PARENT_MISSING:
                    raise
                links, text = fields.get(COMPANIES, []), error.description or ""
                named = [link for link in links if str(link[COMPANY_ID]) in text]
                missing = named if len(links) > 1 else links
                if self.on_no_match == "reject" or not missing:
                    reason = replace(refusal_reason(error), hint=PARENT_HINT)
                    return Written([Settlement(record, Outcome.REJECTED, reason)])
                kept = [link for link in links if link not in missing]
                fields = {name: value for name, value in fields.items() if name != COMPANIES}
                if kept:
                    fields[COMPANIES] = kept
            else:
                outcome = Outcome.CREATED if action == "create" else Outcome.UPDATED
                return Written([Settlement(record, outcome, gsid=gsid)])


@dataclass(kw_only=True)
class TimelineWriter(Writer):
    """Timeline activities.

    An ExternalId is unique for good, so an insert whose response was lost is simply sent again: an
    activity that had arrived is refused as a duplicate, and compared with what was sent.

    Attributes:
        rules: Decide which fields of an activity that is there are written.
        updates_known: Whether an activity that is there is changed, or left as it is.
    """

    timeline: TimelineApi
    rows: RowReader
    comparison: RecordMap
    rules: WriteRules | None
    updates_known: bool
    clock: Clock
    batch_size: int
    after_lost_response: ClassVar[str] = "sending the activities again"
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)
    _refused_pairs: dict[LoadRecord, set[LoadRecord]] = field(default_factory=dict, init=False)
    _one_per_call: bool = field(default=False, init=False)

    def write(self, action: Action, records: Sequence[LoadRecord]) -> Written:
        """Insert activities, or change them by their ExternalId.

        The maximum per call is not documented. If two are refused together and each is accepted
        alone, every call has one from then on.

        Raises:
            RefusedError: The call is refused, or would be.
        """
        if len(records) > 1 and self._one_per_call:
            message = "the tenant accepts one activity per call"
            raise RefusedError(message)
        bodies = [record.fields for record in records]
        sent_at = self.clock.now()
        try:
            save = self.timeline.insert if action == "create" else self.timeline.update
            response = save(bodies)
        except RefusedError as error:
            with self._lock:
                if len(records) == PAIR and not isinstance(error, PayloadTooLargeError):
                    pair = set(records)
                    self._refused_pairs.update((record, pair) for record in records)
                elif len(records) == 1:
                    self._refused_pairs.pop(records[0], None)
            raise
        if len(records) == 1:
            with self._lock:
                self._note_accepted(records[0])
        missing = Reason(
            NOT_CONFIRMED,
            "the response does not mention this activity",
            hint="replay it: an activity is never duplicated",
            request_id=response.request_id,
        )
        by_reference = [(str(record.fields[EXTERNAL_ID]), record) for record in records]
        return _read_outcomes(action, by_reference, response, sent_at, missing, unique=True)

    def _note_accepted(self, record: LoadRecord) -> None:
        """Send one activity per call if both of a refused pair have been accepted alone."""
        pair = self._refused_pairs.pop(record, None)
        if pair is None:
            return
        pair.discard(record)
        if not pair and not self._one_per_call:
            self._one_per_call = True
            logger.warning(
                "the tenant refuses several activities in one call and accepts each alone; "
                "sending one per call from now on"
            )

    def recover(self, unresolved: Sequence[Unresolved]) -> Recovered:
        """Compare activities that exist already, or may exist, with what the tenant holds.

        Activities whose response was lost are not looked up: they are sent again.
        """
        existing = [each for each in unresolved if each.reason is not None]
        if not existing:
            return Recovered()
        matches = self.rows.read([each.record for each in existing])
        settlements, to_update = [], []
        for each in existing:
            record = each.record
            is_unconfirmed = each.reason is not None and each.reason.code == NOT_CONFIRMED
            row = next(iter(matches.exact(record.key)), None)
            if row is not None and not self.comparison.changed_fields(record.fields, row):
                is_ours = each.resent or is_unconfirmed
                outcome = Outcome.CREATED if is_ours else Outcome.UNCHANGED
                settlements.append(Settlement(record, outcome, gsid=str(row.get(GSID))))
            elif row is None and (matches.readable or is_unconfirmed):
                continue
            elif self.updates_known:
                if row is not None and self.rules is not None:
                    kept = self.rules.kept(row)
                    fields = record.fields.items()
                    record.fields = {name: value for name, value in fields if name not in kept}
                to_update.append(record)
            else:
                message = f"an activity has the ExternalId {record.fields[EXTERNAL_ID]}"
                if each.resent:
                    message += ", perhaps from a call of this run whose response was lost"
                reason = exists_reason(message)
                settlements.append(Settlement(record, Outcome.SKIPPED, reason))
        return Recovered(settlements, to_update)


@dataclass(kw_only=True)
class CtaWriter(Writer):
    """CTAs.

    The tenant accepts two identical CTAs, so a create whose response was lost is looked up by the
    lookup keys before it is sent again.

    Attributes:
        not_changed: Fields that an update does not write: the lookup keys, and those of new CTAs.
    """

    cockpit: CockpitApi
    not_changed: frozenset[str]
    recovery: CreateRecovery
    clock: Clock
    batch_size: int

    def write(self, action: Action, records: Sequence[LoadRecord]) -> Written:
        """Create CTAs, or change them by their GSID."""
        by_reference = [(str(number), each) for number, each in enumerate(records, start=1)]
        bodies = {reference: self.body(action, each) for reference, each in by_reference}
        sent_at = self.clock.now()
        is_create = action == "create"
        response = self.cockpit.insert(bodies) if is_create else self.cockpit.update(bodies)
        message = "the response does not mention this record"
        missing = not_confirmed(message, response.request_id, sent_at if is_create else None)
        return _read_outcomes(action, by_reference, response, sent_at, missing)

    def body(self, action: Action, record: LoadRecord) -> Mapping[str, Any]:
        """Return a CTA as it is sent: an update names its row and leaves fixed fields out."""
        if action == "create":
            return record.fields
        changed = {n: value for n, value in record.fields.items() if n not in self.not_changed}
        return {**changed, GSID: record.gsid}

    def recover(self, unresolved: Sequence[Unresolved]) -> Recovered:
        """Look up CTAs by their lookup keys."""
        return self.recovery.recover(unresolved)


def _read_outcomes(
    action: Action,
    by_reference: Sequence[tuple[str, LoadRecord]],
    response: PerRecordResponse,
    sent_at: float,
    missing: Reason,
    *,
    unique: bool = False,
) -> Written:
    """Read the outcome of each record.

    Args:
        missing: The reason of records that the response does not mention: new ones may be there.
        unique: References are unique for good: a new record refused as a duplicate is there.
    """
    outcome = Outcome.CREATED if action == "create" else Outcome.UPDATED
    settled, unresolved = [], []
    for reference, record in by_reference:
        failure = response.refused.get(reference)
        reason = missing
        if reference in response.written:
            gsid = response.written[reference] or record.gsid
            settled.append(Settlement(record, outcome, gsid=gsid))
            continue
        if failure is not None:
            message = failure.message or "the tenant refuses it without giving a reason"
            is_incomplete = failure.code == MISSING_FIELD
            hint = "map a column to that field, or set a constant" if is_incomplete else ""
            code, request_id = failure.code or "refused", response.request_id
            reason = Reason(code, message, hint=hint, request_id=request_id)
        may_exist = failure is None or (unique and is_duplicate(failure))
        if action == "create" and may_exist:
            unresolved.append(Unresolved(record, sent_at, reason.message, reason=reason))
        else:
            settled.append(Settlement(record, Outcome.REJECTED, reason))
    return Written(settled, unresolved)
