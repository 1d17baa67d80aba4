"""Write people, Timeline activities and CTAs: their APIs decide on each record by itself."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from target_gainsight.api import (
    CockpitApi,
    FieldFailure,
    PeopleApi,
    PerRecordResponse,
    RefusedError,
    TimelineApi,
    is_duplicate,
)
from target_gainsight.loading.classification import Comparison, exists_reason
from target_gainsight.loading.keys import COMPANIES, COMPANY_ID
from target_gainsight.loading.lookups.resolver import LOAD_FIRST
from target_gainsight.loading.outcomes import BatchResult, Outcome
from target_gainsight.loading.reading.current_rows import GSID, CurrentRows, Matches, gsid_of
from target_gainsight.loading.records import LoadRecord
from target_gainsight.loading.writing.create_recovery import (
    NOT_CONFIRMED,
    RecoveringWriter,
    not_confirmed,
)
from target_gainsight.loading.writing.delivery import refusal_reason
from target_gainsight.loading.writing.writer import WRITTEN, Action, Batch, Unresolved, Writer
from target_gainsight.mapping.planning.static_schemas import EXTERNAL_ID
from target_gainsight.mapping.record_mapper import WriteRules
from target_gainsight.settings.stream_settings import OnNoMatch

logger = logging.getLogger(__name__)

PAIR = 2
MISSING_FIELD = "GS_TL_10_0206"
PARENT_MISSING = "GSOBJ_PEOPLE1001"
"""The code of a person linked to a company that does not exist (Error Codes, People API)."""

PARENT_HINT = f"{LOAD_FIRST}, or set on_no_match of company_links to leave_empty"


@dataclass
class PeopleWriter(Writer):
    """Person: one record in one call, native upsert by Email."""

    people: PeopleApi
    on_no_match: OnNoMatch
    batch_size: int = 1

    def write(self, action: Action, batch: Batch, result: BatchResult) -> list[Unresolved]:
        """Upsert one person, if so configured without links to companies that do not exist."""
        (record,) = batch
        fields = {name: value for name, value in record.fields.items() if name != COMPANIES}
        links = record.fields.get(COMPANIES)
        while True:
            try:
                gsid = self.people.upsert({**fields, COMPANIES: links} if links else fields)
            except RefusedError as error:
                if error.code != PARENT_MISSING or not links:
                    raise
                text = error.description or ""
                kept = [link for link in links if str(link[COMPANY_ID]) not in text]
                if self.on_no_match == "reject" or len(kept) == len(links) > 1:
                    hint = PARENT_HINT if self.on_no_match == "reject" else LOAD_FIRST
                    reason = replace(refusal_reason(error), hint=hint)
                    result.settle(record, Outcome.REJECTED, reason)
                    return []
                links = kept if len(links) > 1 else []
            else:
                result.settle(record, WRITTEN[action], gsid=gsid or record.gsid)
                return []


@dataclass(kw_only=True)
class TimelineWriter(Writer):
    """Timeline activities.

    An ExternalId is unique for good, so an insert whose response was lost is simply sent again: an
    activity that had arrived is refused as a duplicate, and compared with what was sent.
    """

    timeline: TimelineApi
    rows: CurrentRows
    comparison: Comparison
    rules: WriteRules
    updates_existing: bool
    batch_size: int
    after_lost_response: ClassVar[str] = "sending the activities again"
    _one_per_call: bool = field(default=False, init=False)

    def write(self, action: Action, batch: Batch, result: BatchResult) -> list[Unresolved]:
        """Insert activities, or change them by their ExternalId.

        The maximum per call is not documented. If two are refused together and each is accepted
        alone, every call has one from then on.
        """
        if not self._one_per_call:
            try:
                return self._save(action, batch, result)
            except RefusedError:
                if len(batch) != PAIR:
                    raise
        unresolved: list[Unresolved] = []
        for record in batch:
            try:
                unresolved += self._save(action, [record], result)
            except RefusedError as error:
                result.settle(record, Outcome.REJECTED, refusal_reason(error))
        outcomes = {each.outcome for each in result.settlements if each.record in batch}
        if Outcome.REJECTED not in outcomes and not self._one_per_call:
            self._one_per_call = True
            logger.warning(
                "the tenant refuses several activities in one call and accepts each alone; "
                "sending one per call from now on"
            )
        return unresolved

    def _save(self, action: Action, batch: Batch, result: BatchResult) -> list[Unresolved]:
        bodies = [record.fields for record in batch]
        response = self.timeline.save(bodies, create=action == "create")
        by_reference = [(str(record.fields[EXTERNAL_ID]), record) for record in batch]
        return _read_outcomes(action, by_reference, response, result, is_duplicate)

    def recover(self, unresolved: Sequence[Unresolved], result: BatchResult) -> Batch:
        """Compare activities that exist already, or may exist, with what the tenant holds.

        Activities whose response was lost are not looked up: they are sent again.
        """
        existing = [each for each in unresolved if each.reason is not None]
        matches = self.rows.read([each.record for each in existing])
        return [each.record for each in existing if self._is_outdated(each, matches, result)]

    def _is_outdated(self, each: Unresolved, matches: Matches, result: BatchResult) -> bool:
        """Return whether an activity has other values and is to be updated; else settle it."""
        record = each.record
        is_unconfirmed = each.reason is not None and each.reason.code == NOT_CONFIRMED
        row = next(iter(matches.exact(record.key)), None)
        if row is None and (matches.readable or is_unconfirmed):
            return False
        if row is not None and not self.comparison.changed_fields(record.fields, row):
            is_ours = each.resent or is_unconfirmed
            outcome = Outcome.CREATED if is_ours else Outcome.UNCHANGED
            result.settle(record, outcome, gsid=gsid_of(row))
            return False
        if not self.updates_existing:
            message = f"an activity has the ExternalId {record.fields[EXTERNAL_ID]}"
            result.settle(record, Outcome.SKIPPED, exists_reason(message))
        elif row is not None:
            for name in self.rules.kept_fields(row).intersection(record.fields):
                del record.fields[name]
        return self.updates_existing


@dataclass(kw_only=True)
class CtaWriter(RecoveringWriter):
    """CTAs; updates do not write their keys, nor what only new CTAs get.

    The tenant accepts two identical CTAs, so a create whose response was lost is looked up by the
    lookup keys before it is sent again.
    """

    cockpit: CockpitApi
    not_changed: frozenset[str]

    def write(self, action: Action, batch: Batch, result: BatchResult) -> list[Unresolved]:
        """Create CTAs, or change them by their GSID."""
        by_reference = [(str(number), each) for number, each in enumerate(batch, start=1)]
        bodies = {reference: self.body(action, each) for reference, each in by_reference}
        response = self.cockpit.save(bodies, create=action == "create")
        return _read_outcomes(action, by_reference, response, result)

    def body(self, action: Action, record: LoadRecord) -> Mapping[str, Any]:
        """Return a CTA as it is sent: an update names its row and leaves fixed fields out."""
        if action == "create":
            return record.fields
        changed = {n: value for n, value in record.fields.items() if n not in self.not_changed}
        return {**changed, GSID: record.gsid}


def _read_outcomes(
    action: Action,
    by_reference: Sequence[tuple[str, LoadRecord]],
    response: PerRecordResponse,
    result: BatchResult,
    may_exist: Callable[[FieldFailure], bool] = lambda _: False,
) -> list[Unresolved]:
    """Settle each record as the response says; return those that may be there all the same."""
    missing = not_confirmed("the response does not mention this record", response.request_id)
    message = "the tenant refuses it without giving a reason"
    error = RefusedError(message, request_id=response.request_id)
    unresolved = []
    for reference, record in by_reference:
        if reference in response.written:
            gsid = response.written[reference] or record.gsid
            result.settle(record, WRITTEN[action], gsid=gsid)
            continue
        reason, failure = missing, response.refused.get(reference)
        if failure is not None:
            is_incomplete = failure.code == MISSING_FIELD
            hint = "map a column to that field, or set a constant" if is_incomplete else ""
            reason = replace(refusal_reason(error, failure), hint=hint)
        if failure is None or (action == "create" and may_exist(failure)):
            unresolved.append(Unresolved(record, reason.message, reason=reason))
        else:
            result.settle(record, Outcome.REJECTED, reason)
    return unresolved
