"""Write people: one per call, upserted by the People API itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from target_gainsight.api import PeopleApi, RefusedError
from target_gainsight.loading.keys import COMPANIES, COMPANY_ID
from target_gainsight.loading.lookups.resolver import LOAD_FIRST
from target_gainsight.loading.outcomes import Outcome, Settlement
from target_gainsight.loading.records import LoadRecord
from target_gainsight.loading.writing.isolation import refusal_reason
from target_gainsight.loading.writing.writer import Action, Writer, Written
from target_gainsight.settings.stream_settings import OnNoMatch

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
