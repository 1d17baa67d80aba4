"""Write people: one per call, upserted by the People API itself."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from target_gainsight.api import RefusedError
from target_gainsight.loading.lookups.resolver import COMPANIES, COMPANY_ID
from target_gainsight.loading.outcomes import BatchResult, Outcome
from target_gainsight.loading.writing.isolation import Isolation, reason_of
from target_gainsight.loading.writing.records_writer import Writer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from target_gainsight.api import PeopleApi, PersonAnswer
    from target_gainsight.loading.outcomes import LoadRecord

PARENT_MISSING = "GSOBJ_PEOPLE1001"
"""The code of a person linked to a company that does not exist (Error Codes, People API)."""

PARENT_HINT = "load the parent first, or set on_no_match of company_links to leave_empty"


class PeopleWriter(Writer):
    """Person: one record in one call, native upsert by Email.

    Args:
        people: The People API.
        on_no_match: What happens to a person whose company the tenant does not have.
    """

    batch_size = 1

    def __init__(
        self, people: PeopleApi, *, on_no_match: Literal["reject", "leave_empty"] = "reject"
    ) -> None:
        self._people = people
        self._leaves_empty = on_no_match == "leave_empty"

    def create(self, batch: Sequence[LoadRecord]) -> BatchResult:
        """Write a person whose email the tenant does not know."""
        return self._deliver(batch, Outcome.CREATED)

    def update(self, batch: Sequence[LoadRecord]) -> BatchResult:
        """Write a person whose email the tenant knows."""
        return self._deliver(batch, Outcome.UPDATED)

    def _deliver(self, batch: Sequence[LoadRecord], outcome: Outcome) -> BatchResult:
        def send(part: Sequence[LoadRecord], result: BatchResult) -> None:
            for record in part:
                try:
                    answer = self._upsert(record.fields)
                except RefusedError as refusal:
                    if refusal.code != PARENT_MISSING:
                        raise
                    reason = replace(reason_of(refusal), hint=PARENT_HINT)
                    result.settle(record, Outcome.REJECTED, reason)
                else:
                    result.settle(record, outcome, gsid=answer.gsid or record.gsid)

        return Isolation(send, lambda record: record.fields).deliver(batch)

    def _upsert(self, fields: dict[str, Any]) -> PersonAnswer:
        """Write a person, if so configured without links to companies that do not exist."""
        while True:
            try:
                return self._people.upsert(fields)
            except RefusedError as refusal:
                links = fields.get(COMPANIES, [])
                kept = _without_missing(links, refusal)
                if not self._leaves_empty or len(kept) == len(links):
                    raise
                fields = {name: value for name, value in fields.items() if name != COMPANIES}
                if kept:
                    fields[COMPANIES] = kept


def _without_missing(links: list[dict[str, Any]], refusal: RefusedError) -> list[dict[str, Any]]:
    """Leave out the links that a refusal is about; all of them stay where that is not known."""
    if refusal.code != PARENT_MISSING:
        return links
    if len(links) == 1:
        return []
    text = refusal.description or ""
    return [link for link in links if str(link[COMPANY_ID]) not in text]
