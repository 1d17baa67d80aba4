"""Questions about the list of objects, their descriptions and picklists."""

from __future__ import annotations

from collections.abc import Iterator

from target_gainsight.api.http.json_codec import as_mapping, as_mappings
from target_gainsight.probe.observations import Observation, Topic
from target_gainsight.probe.reading.facts import (
    ACTIVITY,
    COMPANY,
    PICKLIST_TYPES,
    USER,
    TenantFacts,
    entries_of,
    fields_of,
    name_of,
)

_UNCHECKED = "streams are loaded without a check of their fields"
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
ONE = Topic("describe_one", "a GET describes one object", _UNCHECKED)
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


def _find_list(facts: TenantFacts) -> Iterator[Observation]:
    listed = facts.listed
    if listed.error is None:
        yield METADATA.at(0, f"{len(as_mappings(listed.data)):,} objects are listed")
    elif listed.status:
        yield METADATA.at(listed.status, listed.summary, _UNCHECKED)
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
        consequence = "names are left to Gainsight to check"
        yield ACTIVITY_TYPES.at(False, "no types are listed", consequence)


QUESTIONS = {
    _find_list: (METADATA,),
    _find_standard_objects: (STANDARD,),
    _find_flags: (FLAGS,),
    _describe_several: (SEVERAL,),
    _describe_one: (ONE,),
    _find_children: (CHILDREN,),
    _find_options: (OPTIONS,),
    _find_activity_types: (ACTIVITY_TYPES,),
}
