"""Fill a stream's foreign keys: references in, GSIDs out, or the reason why there is none."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from target_gainsight.loading.keys import COMPANIES, COMPANY_ID, LookupKey, Reference
from target_gainsight.loading.lookups.index import LookupIndex
from target_gainsight.loading.lookups.plans import (
    COMPANY_LINKS,
    UNALIGNED,
    LookupPlan,
    StreamLookups,
)
from target_gainsight.loading.outcomes import REJECTED_PARENT, BatchResult, Outcome, Reason
from target_gainsight.loading.records import LoadRecord
from target_gainsight.mapping.errors import FieldError, display, first_few

logger = logging.getLogger(__name__)

NO_MATCH = "lookup_no_match"
MULTI_MATCH = "lookup_multi_match"
USER = "gsuser"
LOAD_FIRST = "load the parent first"
ADD_USER = "add the user in Gainsight, or correct the value: this target does not load users"


@dataclass(eq=False)
class _MissedLookupError(Exception):
    """A lookup did not find what its record needs."""

    reason: Reason


@dataclass(frozen=True)
class Resolver:
    """Resolves the lookups and company links of one stream; nulls are sent or omitted."""

    lookups: StreamLookups
    index: LookupIndex
    omit_null: bool
    _left_empty: set[str] = field(default_factory=set, init=False)

    def resolve(
        self, group: Sequence[LoadRecord], result: BatchResult, *, final: bool
    ) -> list[LoadRecord]:
        """Fill the foreign keys of a group; reject records, or return those that go on.

        Unless ``final``, a parent of the stream's own object may arrive later: if it is not there,
        it is kept in ``waiting``, and the field left out.
        """
        references = [
            (self.lookups.plans[target], each)
            for record in group
            for target, listed in record.references.items()
            for each in listed
            if isinstance(each, LookupKey)
        ]
        self.index.find([key for _, key in references])
        self.index.find_near(
            key
            for plan, key in references
            if plan.lookup.on_no_match == "reject"
            and (final or not plan.is_self_lookup)
            and not self.index.gsids(key)
        )
        resolved = []
        for record in group:
            try:
                self._fill(record, final=final)
            except _MissedLookupError as missed:
                result.settle(record, Outcome.REJECTED, missed.reason)
            else:
                resolved.append(record)
        return resolved

    def _fill(self, record: LoadRecord, *, final: bool) -> None:
        for target, references in record.references.items():
            plan = self.lookups.plans[target]
            keys = [each for each in references if isinstance(each, LookupKey)]
            if plan.is_self_lookup and not final and not all(map(self.index.gsids, keys)):
                record.waiting = {**record.waiting, target: references}
                continue
            gsids = [self._find_gsid(plan, each, record.source.alias) for each in references]
            found = list(dict.fromkeys(filter(None, gsids)))
            if target != COMPANY_LINKS:
                value = found if plan.is_list else next(iter(found), None)
                if value or not self.omit_null:
                    record.fields[target] = value or None
            elif found:
                pairs = list(zip(gsids, record.links, strict=True))
                links = dict(pairs)
                for reference, (gsid, link) in zip(references, pairs, strict=True):
                    if gsid and links[gsid] != link:
                        message = f"{target} lists {reference} twice, with different values"
                        reason = Reason(UNALIGNED, message, field=target, hint="list it once")
                        raise _MissedLookupError(reason)
                record.fields[COMPANIES] = [{COMPANY_ID: gsid, **links[gsid]} for gsid in found]

    def _find_gsid(self, plan: LookupPlan, reference: Reference, stream: str) -> str | None:
        """Return the GSID that a reference leads to; None if the field is to be left empty."""
        gsids = self.index.gsids(reference) if isinstance(reference, LookupKey) else ()
        if len(gsids) == 1 or (gsids and plan.lookup.multi_match == "first"):
            return gsids[0]
        if gsids or plan.lookup.on_no_match == "reject":
            raise _MissedLookupError(self._reason(plan, reference, gsids))
        if plan.target not in self._left_empty:
            self._left_empty.add(plan.target)
            text = (
                "stream %s: %s is left empty where no row of %s matches (on_no_match: leave_empty)"
            )
            logger.warning(text, display(stream), plan.target, plan.match.object_name)
        return None

    def _reason(self, plan: LookupPlan, reference: Reference, gsids: Sequence[str]) -> Reason:
        hint = f"{LOAD_FIRST}, or set on_no_match to leave_empty"
        if isinstance(reference, FieldError):
            message, hint = str(replace(reference, hint="")), reference.hint or hint
            if plan.is_list and isinstance(reference.value, str):
                hint += " Separate several by semicolons."
            return Reason(
                reference.code, message, field=plan.target, value=reference.value, hint=hint
            )
        name, near = plan.match.object_name, self.index.near.get(reference, "")
        code, message = NO_MATCH, f"no row of {name} has {reference}"
        if gsids:
            code, message = MULTI_MATCH, f"{len(gsids)} rows of {name} match: {first_few(gsids)}"
        if self.index.is_rejected(reference):
            code = REJECTED_PARENT
            hint = "its parent was rejected in this run: fix that one first, then replay"
        elif gsids:
            hint = "choose match fields that are unique, or set multi_match to first"
        elif near:
            message += f"; {near} differs in spelling only"
            hint = "make the two equal"
        elif name == USER:
            hint = ADD_USER
        value = reference.written[0] if len(reference.written) == 1 else list(reference.written)
        return Reason(code, message, field=plan.target, value=value, hint=hint)
