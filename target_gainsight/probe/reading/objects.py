"""Questions about which objects and lists can be read."""

from __future__ import annotations

from collections.abc import Iterator

from target_gainsight.api import (
    AccessDeniedError,
    NotFoundError,
    UnknownRouteError,
    UnsuitableObjectError,
)
from target_gainsight.api.http.json_codec import as_mapping, as_mappings
from target_gainsight.api.resources.per_record import CTA_NAMES_CALL
from target_gainsight.probe.observations import Observation, Topic, Verdict
from target_gainsight.probe.reading.facts import ACTIVITY, COMPANY, USER, RowsRead, TenantFacts

_STOP = "stop before anything is written"
_UNCHECKED = "names are left to Gainsight to check"

TIMELINE = Topic(
    "timeline_query",
    "Timeline activities can be queried",
    "every activity is sent; the response shows which ones existed",
    "answered",
)
CTA_NAMES = Topic(
    "cta_names",
    "names of CTA types and the like are listed by category",
    "names are checked",
    "by_category",
)
ERROR_OBJECT = Topic(
    "query_error_object", "no query of a standard object fails for good", "nothing to do", ""
)
_READS = {
    Topic("reads_person", "people can be queried", f"streams into person {_STOP}"): (
        "Gsid",
        "Email",
    ),
    Topic(
        "reads_company_person",
        "links of people to companies can be queried",
        f"streams with company_links {_STOP}",
    ): ("Gsid", "Person_ID", "Company_ID"),
    Topic(
        "reads_relationship", "relationships can be queried", f"streams into relationship {_STOP}"
    ): ("Gsid", "Name", "CompanyId"),
    Topic("reads_call_to_action", "CTAs can be queried", f"streams into CTAs {_STOP}"): (
        "Gsid",
        "Name",
    ),
    Topic(
        "reads_activity_type",
        "activity types can be queried",
        "names of types are taken from the description of activities",
    ): ("Gsid", "Name"),
}
_SERVER_ERROR = 500


def _find_objects(facts: TenantFacts) -> Iterator[Observation]:
    reads = {COMPANY: facts.company_rows, USER: facts.user_rows}
    for topic, select in _READS.items():
        name = topic.name.removeprefix("reads_")
        reads[name] = facts.query(name, select, limit=1)
        yield _readable(topic, reads[name])
    reads[ACTIVITY] = facts.query(ACTIVITY, ("Gsid", "ExternalId"), limit=1)
    yield _timeline(reads[ACTIVITY])
    failing = [name for name, read in reads.items() if read.reply.status == _SERVER_ERROR]
    if failing:
        consequence = "a load gives such an object up after three tries"
        yield ERROR_OBJECT.at(failing[0], f"{', '.join(failing)} answer HTTP 500", consequence)
    else:
        yield ERROR_OBJECT.at("", f"none of {len(reads)} objects does")
    yield _cta_names(facts)


def _readable(topic: Topic, read: RowsRead) -> Observation:
    if read.were_read:
        observed = "they can" if read.rows else "they can; there are none"
        return topic.settled("as assumed", observed, "existing ones are found")
    if isinstance(read.reply.error, NotFoundError):
        return topic.settled("handled", "the tenant has no such object")
    verdict: Verdict = "handled" if topic.name == "reads_activity_type" else "not handled"
    return topic.settled(verdict, f"refused with {read.reply.summary}")


def _timeline(read: RowsRead) -> Observation:
    error = read.reply.error
    if read.were_read:
        return TIMELINE.at("answered", "they can", "existing ones are looked up first")
    if isinstance(error, UnsuitableObjectError):
        position = "wrong_api"
    elif isinstance(error, AccessDeniedError):
        position = "forbidden"
    else:
        position = "unknown" if isinstance(error, NotFoundError) else "refused"
    return TIMELINE.at(position, f"refused with {read.reply.summary}")


def _cta_names(facts: TenantFacts) -> Observation:
    reply = facts.session.send(CTA_NAMES_CALL)
    if reply.error is not None:
        is_unknown = isinstance(reply.error, UnknownRouteError | NotFoundError)
        observed = f"refused with {reply.summary}"
        return CTA_NAMES.at("unknown" if is_unknown else "refused", observed, _UNCHECKED)
    if as_mappings(reply.data):
        return CTA_NAMES.at("flat", "in one list")
    if any(as_mappings(items) for items in as_mapping(reply.data).values()):
        return CTA_NAMES.at("by_category", "by category")
    return CTA_NAMES.settled("handled", "the response lists no names", _UNCHECKED)


QUESTIONS = {_find_objects: (*_READS, TIMELINE, CTA_NAMES, ERROR_OBJECT)}
