"""Questions about objects: how they are listed and described, and which can be read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from target_gainsight.api import (
    AccessDeniedError,
    NotFoundError,
    UnknownRouteError,
    UnsuitableObjectError,
)
from target_gainsight.api.http.json_codec import as_mapping, as_mappings
from target_gainsight.api.resources.per_record import CTA_NAMES_CALL
from target_gainsight.probe.observations import Observation, Topic, Verdict
from target_gainsight.probe.reading.facts import (
    ACTIVITY,
    COMPANY,
    PICKLIST_TYPES,
    USER,
    RowsRead,
    TenantFacts,
    entries_of,
    fields_of,
    name_of,
)

_FIELDS_UNCHECKED = "streams are loaded without a check of their fields"
_LABELS_UNCHECKED = "labels are left to Gainsight to check"

METADATA = Topic("metadata_status", "objects are listed", "names are checked", 0)
STANDARD = Topic(
    "standard_transactional",
    "standard objects are not listed as transactional",
    "ignored: standard objects are written",
    False,
)
FLAGS = Topic("flags_as_text", "flags are true and false", "both are read", False)
SEVERAL = Topic(
    "describe_several",
    "one call describes several objects",
    "objects that are missing are described alone",
    0,
)
ONE = Topic("describe_one", "a GET describes one object", _FIELDS_UNCHECKED)
CHILDREN = Topic(
    "describe_children_first",
    "the objects asked for are described first",
    "an object is found by its name",
    False,
)
OPTIONS = Topic(
    "picklist_options", "picklists are described with their items", _LABELS_UNCHECKED, "listed"
)
ACTIVITY_TYPES = Topic(
    "activity_types_described",
    "activity types are items of TypeName",
    "names of types are checked",
    True,
)
_FLAGS = ("required", "nillable", "createable", "updateable", "readOnly", "formulaField")
_STOP = "stop before anything is written"
_READS: Mapping[str, tuple[str, str, tuple[str, ...]]] = {
    "person": ("people", f"streams into person {_STOP}", ("Gsid", "Email")),
    "company_person": (
        "links of people to companies",
        f"streams with company_links {_STOP}",
        ("Gsid", "Person_ID", "Company_ID"),
    ),
    "relationship": (
        "relationships",
        f"streams into relationship {_STOP}",
        ("Gsid", "Name", "CompanyId"),
    ),
    "call_to_action": ("CTAs", f"streams into CTAs {_STOP}", ("Gsid", "Name")),
    "activity_type": (
        "activity types",
        "names of types are taken from the description of activities",
        ("Gsid", "Name"),
    ),
}
"""By object: what it holds, what follows if that cannot be read, and the fields to read."""
READS = {
    name: Topic(f"reads_{name}", f"{what} can be queried", consequence)
    for name, (what, consequence, _) in _READS.items()
}
_NAMES_UNCHECKED = "names are left to Gainsight to check"

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
_SERVER_ERROR = 500


def _find_list(facts: TenantFacts) -> Iterator[Observation]:
    listed = facts.listed
    if listed.error is None:
        yield METADATA.at(0, f"{len(as_mappings(listed.data)):,} objects are listed")
    elif listed.status:
        yield METADATA.at(listed.status, listed.summary, _FIELDS_UNCHECKED)
    else:
        yield METADATA.not_settled(listed.summary)


def _find_standard_objects(facts: TenantFacts) -> Iterator[Observation]:
    standard = [
        each
        for each in entries_of(facts.listed)
        if str(each.get("objectType")).upper() == "STANDARD"
    ]
    transactional = [each for each in standard if str(each.get("transactional")).lower() == "true"]
    if standard:
        yield STANDARD.at(bool(transactional), f"{len(transactional)} of {len(standard)} are")
    else:
        yield STANDARD.not_settled("no standard object is listed")


def _find_flags(facts: TenantFacts) -> Iterator[Observation]:
    described = entries_of(facts.described_company)
    fields = [field for entry in described for field in as_mappings(entry.get("fields"))]
    metas = [as_mapping(field.get("meta")) for field in fields]
    values = [each.get("transactional") for each in entries_of(facts.listed)]
    values += [meta[name] for meta in metas for name in _FLAGS if name in meta]
    texts, flags = (sum(isinstance(each, kind) for each in values) for kind in (str, bool))
    if texts:
        yield FLAGS.at(True, "some are text, some are not" if flags else "text")
    elif flags:
        yield FLAGS.at(False, "as JSON")
    else:
        yield FLAGS.not_settled("no flag is returned")


def _describe_several(facts: TenantFacts) -> Iterator[Observation]:
    together = facts.described_together
    if together.error is None:
        found = {name_of(each) for each in entries_of(together)} & {COMPANY, USER}
        yield SEVERAL.at(0, f"{len(found)} of the 2 objects asked for are described")
    elif together.status:
        observed = f"refused with {together.summary}"
        yield SEVERAL.at(together.status, observed, "each object is described alone")
    else:
        yield SEVERAL.not_settled(together.summary)


def _describe_one(facts: TenantFacts) -> Iterator[Observation]:
    reply = facts.described_activities
    if reply is None:
        yield ONE.not_settled("no metadata is served")
    elif fields_of(reply, ACTIVITY):
        yield ONE.settled("as assumed", f"{ACTIVITY} is described", "fields are checked")
    elif reply.error:
        yield ONE.settled("handled", f"refused with {reply.summary}")
    else:
        yield ONE.settled("handled", "another object is described")


def _find_children(facts: TenantFacts) -> Iterator[Observation]:
    asked = ((facts.described_together, {COMPANY, USER}), (facts.described_activities, {ACTIVITY}))
    firsts = [(entries[0], names) for reply, names in asked if (entries := entries_of(reply))]
    if not firsts:
        yield CHILDREN.not_settled("no object is described")
    elif any(name_of(entry) not in names for entry, names in firsts):
        yield CHILDREN.at(True, "others come first")
    else:
        yield CHILDREN.at(False, "they come first")


def _find_options(facts: TenantFacts) -> Iterator[Observation]:
    picklists = [each for each in facts.company_fields if each.data_type in PICKLIST_TYPES]
    listed = sum(bool(each.items) for each in picklists)
    category = None if listed else facts.category_items
    if not picklists:
        yield OPTIONS.not_settled("company is not described, or has no picklist")
    elif listed:
        observed = f"{listed} of {len(picklists)} picklists of company are"
        yield OPTIONS.at("listed", observed, "labels are checked, of the others where they can be")
    elif category is None:
        yield OPTIONS.at("unlisted", "neither items nor a category are named")
    elif category.error is not None:
        observed = f"a category is named and cannot be read ({category.summary})"
        yield OPTIONS.settled("handled", observed)
    else:
        observed = "a category is named, and lists them"
        yield OPTIONS.at("by_category", observed, "a category is read when a value needs it")


def _find_activity_types(facts: TenantFacts) -> Iterator[Observation]:
    fields = fields_of(facts.described_activities, ACTIVITY)
    types = next((each.items for each in fields if each.name == "TypeName"), {})
    if not fields:
        yield ACTIVITY_TYPES.not_settled(f"{ACTIVITY} is not described")
    elif types:
        yield ACTIVITY_TYPES.at(True, f"{len(types)} types are listed")
    else:
        yield ACTIVITY_TYPES.at(False, "no types are listed", _NAMES_UNCHECKED)


def _find_objects(facts: TenantFacts) -> Iterator[Observation]:
    reads = {COMPANY: facts.company_rows, USER: facts.user_rows}
    for name, topic in READS.items():
        _, _, select = _READS[name]
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
        return CTA_NAMES.at("unknown" if is_unknown else "refused", observed, _NAMES_UNCHECKED)
    if as_mappings(reply.data):
        return CTA_NAMES.at("flat", "in one list")
    if any(as_mappings(items) for items in as_mapping(reply.data).values()):
        return CTA_NAMES.at("by_category", "by category")
    return CTA_NAMES.settled("handled", "the response lists no names", _NAMES_UNCHECKED)


METADATA_QUESTIONS = {
    _find_list: (METADATA,),
    _find_standard_objects: (STANDARD,),
    _find_flags: (FLAGS,),
    _describe_several: (SEVERAL,),
    _describe_one: (ONE,),
    _find_children: (CHILDREN,),
    _find_options: (OPTIONS,),
    _find_activity_types: (ACTIVITY_TYPES,),
}
READ_QUESTIONS = {_find_objects: (*READS.values(), TIMELINE, CTA_NAMES, ERROR_OBJECT)}
