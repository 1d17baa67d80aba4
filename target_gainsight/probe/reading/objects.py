"""Questions about which objects and lists can be read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from target_gainsight.api import (
    AccessDeniedError,
    NotFoundError,
    UnknownRouteError,
    UnsuitableObjectError,
)
from target_gainsight.api.http.json_codec import as_mapping, as_mappings
from target_gainsight.api.resources.cockpit import NAMES_PARAMS, NAMES_PATH
from target_gainsight.probe.observations import Observation, Topic, Verdict
from target_gainsight.probe.reading.facts import ACTIVITY, COMPANY, USER, RowsRead, TenantFacts

TIMELINE = Topic("timeline_query", "Timeline activities can be queried", "answered")
CTA_NAMES = Topic(
    "cta_names", "names of CTA types and the like are listed by category", "by_category"
)
ERROR_OBJECT = Topic("query_error_object", "no query of a standard object fails for good", "")
READS: Mapping[str, tuple[Topic, tuple[str, ...], str]] = {
    "person": (
        Topic("reads_person", "people can be queried"),
        ("Gsid", "Email"),
        "streams into person stop before anything is written",
    ),
    "company_person": (
        Topic("reads_company_person", "links of people to companies can be queried"),
        ("Gsid", "Person_ID", "Company_ID"),
        "streams with company_links stop before anything is written",
    ),
    "relationship": (
        Topic("reads_relationship", "relationships can be queried"),
        ("Gsid", "Name", "CompanyId"),
        "streams into relationship stop before anything is written",
    ),
    "call_to_action": (
        Topic("reads_call_to_action", "CTAs can be queried"),
        ("Gsid", "Name"),
        "streams into CTAs stop before anything is written",
    ),
    "activity_type": (
        Topic("reads_activity_type", "activity types can be queried"),
        ("Gsid", "Name"),
        "names of types are taken from the description of activities",
    ),
}
OBJECTS = (*(topic for topic, _, _ in READS.values()), TIMELINE, CTA_NAMES, ERROR_OBJECT)

_SERVER_ERROR = 500


def find_objects(facts: TenantFacts) -> Iterator[Observation]:
    """Settle which objects can be read."""
    reads = {COMPANY: facts.company_rows, USER: facts.user_rows}
    for name, (topic, select, consequence) in READS.items():
        reads[name] = facts.query(name, select, limit=1)
        yield _readable(topic, reads[name], consequence)
    reads[ACTIVITY] = facts.query(ACTIVITY, ("Gsid", "ExternalId"), limit=1)
    yield _timeline(reads[ACTIVITY])
    yield _cta_names(facts)
    yield _error_object(reads)


def _readable(topic: Topic, read: RowsRead, consequence: str) -> Observation:
    if not read.reply.was_sent:
        return topic.not_settled(read.reply.summary)
    if read.were_read:
        observed = "they can" if read.rows else "they can; there are none"
        return topic.settled(observed, "existing ones are found", "as assumed")
    if isinstance(read.reply.error, NotFoundError):
        return topic.settled("the tenant has no such object", consequence, "handled")
    is_needed = topic.name != "reads_activity_type"
    verdict: Verdict = "not handled" if is_needed else "handled"
    return topic.settled(f"refused with {read.reply.summary}", consequence, verdict)


def _timeline(read: RowsRead) -> Observation:
    if not read.reply.was_sent:
        return TIMELINE.not_settled(read.reply.summary)
    if read.were_read:
        return TIMELINE.at("answered", "they can", "existing ones are looked up first")
    error = read.reply.error
    if isinstance(error, UnsuitableObjectError):
        position = "wrong_api"
    elif isinstance(error, AccessDeniedError):
        position = "forbidden"
    elif isinstance(error, NotFoundError):
        position = "unknown"
    else:
        position = "refused"
    consequence = "every activity is sent; the response shows which ones existed"
    return TIMELINE.at(position, f"refused with {read.reply.summary}", consequence)


def _cta_names(facts: TenantFacts) -> Observation:
    reply = facts.session.send("GET", NAMES_PATH, kind="cta names", params=NAMES_PARAMS)
    if not reply.was_sent:
        return CTA_NAMES.not_settled(reply.summary)
    if reply.error is not None:
        is_unknown = isinstance(reply.error, UnknownRouteError | NotFoundError)
        observed = f"refused with {reply.summary}"
        consequence = "names are left to Gainsight to check"
        return CTA_NAMES.at("unknown" if is_unknown else "refused", observed, consequence)
    if as_mappings(reply.data):
        return CTA_NAMES.at("flat", "in one list", "names are checked")
    if any(as_mappings(items) for items in as_mapping(reply.data).values()):
        return CTA_NAMES.at("by_category", "by category", "names are checked")
    observed = "the response lists no names"
    return CTA_NAMES.settled(observed, "names are left to Gainsight to check", "handled")


def _error_object(reads: Mapping[str, RowsRead]) -> Observation:
    failing = [name for name, read in reads.items() if read.reply.status == _SERVER_ERROR]
    if failing:
        consequence = "a load gives such an object up after three tries"
        return ERROR_OBJECT.at(failing[0], f"{', '.join(failing)} answer HTTP 500", consequence)
    unsent = [name for name, read in reads.items() if not read.reply.was_sent]
    if unsent:
        return ERROR_OBJECT.not_settled(f"not all objects were tried: {', '.join(unsent)}")
    return ERROR_OBJECT.at("", f"none of {len(reads)} objects does", "nothing to do")
