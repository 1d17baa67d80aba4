"""Questions about host, credential, limits and the tenant's description of its objects."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from urllib.parse import urlsplit

from target_gainsight.api import (
    AccessDeniedError,
    GainsightError,
    NotFoundError,
    ObjectNotFoundError,
    ObjectSchema,
    UnknownRouteError,
    UnsuitableObjectError,
)
from target_gainsight.api.http.json_codec import as_mapping, as_mappings
from target_gainsight.api.resources.per_record import CTA_NAMES_CALL
from target_gainsight.mapping.errors import counted
from target_gainsight.probe.observations import (
    Observation,
    ProbeEndedError,
    Topic,
    Verdict,
    holds,
    require,
)
from target_gainsight.probe.tenant import COMPANY, GSID, USER, ProbedTenant

_CHECKED = "checks names and labels that are listed"
_BOTH = "reads both forms"
_STOPS = "stops streams that read it before anything is written"
_GIVEN_UP = "gives such an object up after three tries"
ACTIVITY = "activity_timeline"
_READS = {
    COMPANY: (GSID,),
    "person": (GSID, "Email"),
    "company_person": (GSID, "Person_ID", "Company_ID"),
    "relationship": (GSID, "Name", "CompanyId"),
    "call_to_action": (GSID, "Name"),
    "activity_type": (GSID, "Name"),
}
"""The fields to read, by object."""
_SERVER_ERROR = 500
_TIMELINE_REFUSALS: Mapping[type | None, str] = {
    UnsuitableObjectError: "wrong_api",
    AccessDeniedError: "forbidden",
    NotFoundError: "unknown",
    ObjectNotFoundError: "unknown",
}
_LIMIT_WORDS = (
    "x gs api rate limit ratelimit quota calls requests retry after remaining reset policy used "
    "per minute hour day"
)
"""The words of header names that are shown; others may hold a company's name."""
_REDIRECTS = range(300, 400)


def _list_objects(tenant: ProbedTenant) -> Iterator[Observation]:
    listed = tenant.listed
    if listed.error is not None and tenant.users.rows is None:
        raise ProbeEndedError(str(listed.error))
    yield holds("credential", True, "it does")
    entries = as_mappings(listed.data)
    observed = f"{len(entries):,} objects, {listed.summary}"
    yield Observation("metadata_status", listed.status if listed.error else 0, observed)
    standard = [each for each in entries if str(each.get("objectType")).upper() == "STANDARD"]
    flags = [str(each.get("transactional")).lower() for each in standard]
    if flags:
        observed = f"{flags.count('true')} of {len(flags)} are"
        yield Observation("standard_transactional", "true" in flags, observed)


def _describe_objects(tenant: ProbedTenant) -> Iterator[Observation]:
    together, schemas = tenant.described
    observed = f"{len(schemas)} of 2 objects, {together.summary}"
    yield Observation("describe_several", together.status if together.error else 0, observed)
    activity: ObjectSchema | None = None
    with suppress(GainsightError):
        activity = tenant.metadata.describe(ACTIVITY)
    alone = tenant.reply
    verdict: Verdict = "as assumed" if activity else "handled"
    yield Observation("describe_one", None, alone.summary, verdict)
    if activity:
        types = activity.field("TypeName")
        count = len(types.options) if types else 0
        yield Observation("activity_types_described", count > 0, f"{count} types are listed")
    flags = [each.get("transactional") for each in as_mappings(tenant.listed.data)]
    are_first = []
    for reply, names in ((together, (COMPANY, USER)), (alone, (ACTIVITY,))):
        entries = as_mappings(reply.data)
        are_first += [str(each.get("objectName")).lower() in names for each in entries[:1]]
        fields = (field for entry in entries for field in as_mappings(entry.get("fields")))
        flags += [as_mapping(field.get("meta")).get("nillable") for field in fields]
    texts = sum(isinstance(flag, str) for flag in flags)
    if any(flag is not None for flag in flags):
        yield Observation("flags_as_text", texts > 0, f"{texts} of {len(flags)} are text")
    if are_first:
        observed = f"{sum(are_first)} of {len(are_first)} responses do"
        yield Observation("describe_children_first", not all(are_first), observed)


def _find_options(tenant: ProbedTenant) -> Iterator[Observation]:
    picklists = [each for each in tenant.company_fields if each.data_type == "PICKLIST"]
    listed = sum(bool(each.options) for each in require(picklists, "company has no picklist"))
    position = "listed"
    if not listed:
        position = "by_category" if picklists[0].load_options() else "unlisted"
    yield Observation("picklist_options", position, f"{listed} of {len(picklists)} are: {position}")


def _read_objects(tenant: ProbedTenant) -> Iterator[Observation]:
    reads = {COMPANY: tenant.companies, USER: tenant.users}
    for name, fields in _READS.items():
        reply = reads[name] = reads.get(name) or tenant.query(name, fields, limit=1)
        is_optional = name == "activity_type" or isinstance(reply.error, NotFoundError)
        verdict: Verdict = "handled" if is_optional else "not handled"
        verdict = verdict if reply.rows is None else "as assumed"
        observed = reply.summary if reply.rows is None else counted(len(reply.rows), "row")
        yield Observation(f"reads_{name}", None, observed, verdict)
    reply = reads[ACTIVITY] = tenant.query(ACTIVITY, (GSID, "ExternalId"), limit=1)
    position = _TIMELINE_REFUSALS.get(type(reply.error), "refused")
    position = position if reply.rows is None else "answered"
    yield Observation("timeline_query", position, f"{position}, {reply.summary}")
    failing = [name for name, reply in reads.items() if reply.status == _SERVER_ERROR]
    observed = f"{', '.join(failing) or f'none of {len(reads)} objects'} answers HTTP 500"
    yield Observation("query_error_object", failing[0] if failing else "", observed)


def _list_cta_names(tenant: ProbedTenant) -> Iterator[Observation]:
    reply = tenant.send(CTA_NAMES_CALL)
    position = None
    if reply.error:
        is_unknown = isinstance(reply.error, UnknownRouteError | NotFoundError)
        position = "unknown" if is_unknown else "refused"
    elif as_mappings(reply.data):
        position = "flat"
    elif any(as_mappings(items) for items in as_mapping(reply.data).values()):
        position = "by_category"
    yield Observation("cta_names", position, f"{position or 'no names'}, {reply.summary}")


def _find_host(tenant: ProbedTenant) -> Iterator[Observation]:
    host = urlsplit(tenant.base_url).hostname or ""
    kind = "gainsightcloud.com" if host.endswith(".gainsightcloud.com") else "another domain"
    moved = sorted({each.call.kind for each in tenant.events if each.status in _REDIRECTS})
    observed = f"under {kind}; redirected calls: {', '.join(moved) or 'none'}"
    yield holds("host", not moved, observed)
    limits = [
        f"{name}: {value}" if value.isdecimal() else name
        for name, value in sorted(tenant.headers.items())
        if set(name.split("-")) <= set(_LIMIT_WORDS.split())
    ]
    verdict: Verdict = "handled" if limits else "as assumed"
    yield Observation("limit_headers", None, ", ".join(limits) or "none", verdict)


FIRST_QUESTIONS = {
    _list_objects: (
        Topic("credential", "the tenant accepts the credential"),
        Topic("metadata_status", "objects are listed", _CHECKED, 0),
        Topic("standard_transactional", "standard ones are not transactional", "ignores it", False),
    ),
    _describe_objects: (
        Topic("describe_several", "one call describes several objects", "or describes each", 0),
        Topic("describe_one", "a GET describes one object", "checks fields if it does"),
        Topic("activity_types_described", "activity types are items of TypeName", _CHECKED, True),
        Topic("flags_as_text", "flags are true and false", _BOTH, False),
        Topic("describe_children_first", "the objects asked for come first", "ignores it", False),
    ),
    _find_options: (
        Topic("picklist_options", "picklists are described with items", _CHECKED, "listed"),
    ),
}
READ_QUESTIONS = {
    _read_objects: (
        *(
            Topic(f"reads_{name}", f"{name} can be queried", "finds records", otherwise=_STOPS)
            for name in _READS
        ),
        Topic("timeline_query", "Timeline can be queried", "or sends every one", "answered"),
        Topic("query_error_object", "no query of a standard object fails for good", _GIVEN_UP, ""),
    ),
    _list_cta_names: (
        Topic("cta_names", "CTA names are listed by category", _CHECKED, "by_category"),
    ),
}
LAST_QUESTIONS = {
    _find_host: (
        Topic("host", "one host serves every API", otherwise="fails redirected calls"),
        Topic("limit_headers", "no header has the number of calls left", "has settings for that"),
    ),
}
