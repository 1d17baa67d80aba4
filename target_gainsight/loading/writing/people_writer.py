"""Write people: one per call, upserted by the People API itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

from target_gainsight.api import PeopleApi, PersonResponse, RefusedError
from target_gainsight.loading.lookups.resolver import LOAD_FIRST
from target_gainsight.loading.outcomes import Outcome, Settlement
from target_gainsight.loading.records import LoadRecord
from target_gainsight.loading.references import COMPANIES, COMPANY_ID
from target_gainsight.loading.writing.isolation import refusal_reason
from target_gainsight.loading.writing.writer import Action, Writer, Written

PARENT_MISSING = "GSOBJ_PEOPLE1001"
"""The code of a person linked to a company that does not exist (Error Codes, People API)."""

PARENT_HINT = f"{LOAD_FIRST}, or set on_no_match of company_links to leave_empty"


class PeopleWriter(Writer):
    """Person: one record in one call, native upsert by Email.

    Args:
        on_no_match: What happens to a person whose company the tenant does not have.
    """

    batch_size = 1

    def __init__(
        self, people: PeopleApi, *, on_no_match: Literal["reject", "leave_empty"] = "reject"
    ) -> None:
        self._people = people
        self._leaves_empty = on_no_match == "leave_empty"

    def write(self, action: Action, records: Sequence[LoadRecord]) -> Written:
        """Upsert one person, whether the tenant knows the email or not."""
        (record,) = records
        try:
            response = self._upsert(record.fields)
        except RefusedError as error:
            if error.code != PARENT_MISSING:
                raise
            reason = replace(refusal_reason(error), hint=PARENT_HINT)
            return Written((Settlement(record, Outcome.REJECTED, reason),))
        outcome = Outcome.CREATED if action == "create" else Outcome.UPDATED
        return Written((Settlement(record, outcome, gsid=response.gsid or record.gsid),))

    def _upsert(self, fields: dict[str, Any]) -> PersonResponse:
        """Write a person, if so configured without links to companies that do not exist."""
        while True:
            try:
                return self._people.upsert(fields)
            except RefusedError as error:
                links = fields.get(COMPANIES, [])
                kept = _without_missing(links, error)
                if not self._leaves_empty or len(kept) == len(links):
                    raise
                fields = {name: value for name, value in fields.items() if name != COMPANIES}
                if kept:
                    fields[COMPANIES] = kept


def _without_missing(links: list[dict[str, Any]], error: RefusedError) -> list[dict[str, Any]]:
    """Leave out the links that a refusal is about; all of them stay where that is not known."""
    if error.code != PARENT_MISSING:
        return links
    if len(links) == 1:
        return []
    text = error.description or ""
    return [link for link in links if str(link[COMPANY_ID]) not in text]
