"""Questions about the list of objects, their descriptions and picklists."""

from __future__ import annotations

from collections.abc import Iterator

from target_gainsight.api import Json, Record
from target_gainsight.api.http.json_codec import as_mapping, as_mappings, as_text
from target_gainsight.probe.observations import Observation, Topic
from target_gainsight.probe.reading.facts import (
    ACTIVITY,
    COMPANY,
    PICKLIST_TYPES,
    USER,
    TenantFacts,
    entries_of,
    fields_of,
)
from target_gainsight.probe.session import Reply

METADATA = Topic("metadata_status", "objects are listed", 0)
STANDARD = Topic(
    "standard_transactional", "standard objects are not listed as transactional", False
)
FLAGS = Topic("flags_as_text", "flags are true and false", False)
SEVERAL = Topic("describe_several", "one call describes several objects", 0)
ONE = Topic("describe_one", "a GET describes one object")
CHILDREN = Topic("describe_children_first", "the objects asked for are described first", False)
OPTIONS = Topic("picklist_options", "picklists are described with their items", "listed")
ACTIVITY_TYPES = Topic("activity_types_described", "activity types are items of TypeName", True)
LISTS = (METADATA, STANDARD, FLAGS)
DESCRIPTIONS = (SEVERAL, ONE, CHILDREN, OPTIONS, ACTIVITY_TYPES)

_UNCHECKED = "streams are loaded without a check of their fields"
_FLAGS = ("required", "nillable", "createable", "updateable", "readOnly", "formulaField")


def find_lists(facts: TenantFacts) -> Iterator[Observation]:
    """Settle whether and how objects are listed."""
    listed = facts.listed
    entries = as_mappings(listed.data) if listed.error is None else ()
    if listed.error is not None:
        if listed.was_sent and listed.status:
            yield METADATA.at(listed.status, listed.summary, _UNCHECKED)
        else:
            yield METADATA.not_settled(listed.summary)
    else:
        yield METADATA.at(0, f"{len(entries):,} objects are listed", "names are checked")
    yield _standard_objects(entries)
    listed_flags = [each.get("transactional") for each in entries]
    described = entries_of(facts.described_company)
    fields = [field for entry in described for field in as_mappings(entry.get("fields"))]
    yield _flags(listed_flags, fields)


def _standard_objects(entries: tuple[Record, ...]) -> Observation:
    standard = [each for each in entries if str(each.get("objectType")).upper() == "STANDARD"]
    if not standard:
        return STANDARD.not_settled("no standard object is listed")
    transactional = [each for each in standard if str(each.get("transactional")).lower() == "true"]
    observed = f"{len(transactional)} of {len(standard)} are"
    return STANDARD.at(bool(transactional), observed, "ignored: standard objects are written")


def _flags(listed: list[Json], described: list[Record]) -> Observation:
    metas = [as_mapping(field.get("meta")) for field in described]
    values = [*listed, *(meta[name] for meta in metas for name in _FLAGS if name in meta)]
    texts, flags = (sum(isinstance(each, kind) for each in values) for kind in (str, bool))
    if not texts and not flags:
        return FLAGS.not_settled("no flag is returned")
    observed = "some are text, some are not" if texts and flags else "text" if texts else "as JSON"
    return FLAGS.at(bool(texts), observed, "both are read")


def find_descriptions(facts: TenantFacts) -> Iterator[Observation]:
    """Settle how objects are described."""
    together = facts.described_together
    if together.error is None:
        names = {as_text(each.get("objectName")) for each in entries_of(together)}
        found = len({str(name).lower() for name in names} & {COMPANY, USER})
        observed = f"{found} of the 2 objects asked for are described"
        yield SEVERAL.at(0, observed, "objects that are missing are described alone")
    elif together.was_sent and together.status:
        observed = f"refused with {together.summary}"
        yield SEVERAL.at(together.status, observed, "each object is described alone")
    else:
        yield SEVERAL.not_settled(together.summary)
    yield _describe_one(facts.described_activities)
    yield _children(facts)
    yield _options(facts)
    yield _activity_types(facts)


def _describe_one(reply: Reply | None) -> Observation:
    if reply is None or not reply.was_sent:
        return ONE.not_settled("no metadata is served" if reply is None else reply.summary)
    if fields_of(reply, ACTIVITY):
        return ONE.settled(f"{ACTIVITY} is described", "fields are checked", "as assumed")
    observed = f"refused with {reply.summary}" if reply.error else "another object is described"
    return ONE.settled(observed, _UNCHECKED, "handled")


def _children(facts: TenantFacts) -> Observation:
    asked = ((facts.described_together, {COMPANY, USER}), (facts.described_activities, {ACTIVITY}))
    firsts = [(entries[0], names) for reply, names in asked if (entries := entries_of(reply))]
    if not firsts:
        return CHILDREN.not_settled("no object is described")
    others = [e for e, names in firsts if (as_text(e.get("objectName")) or "").lower() not in names]
    observed = "others come first" if others else "they come first"
    return CHILDREN.at(bool(others), observed, "an object is found by its name")


def _options(facts: TenantFacts) -> Observation:
    picklists = [each for each in facts.company_fields if each.data_type in PICKLIST_TYPES]
    if not picklists:
        return OPTIONS.not_settled("company is not described, or has no picklist")
    listed = sum(bool(each.items) for each in picklists)
    if listed:
        observed = f"{listed} of {len(picklists)} picklists of company are"
        return OPTIONS.at("listed", observed, "labels are checked, of the others where they can be")
    category = facts.category_items
    if category is None:
        observed = "neither items nor a category are named"
        return OPTIONS.at("unlisted", observed, "labels are left to Gainsight to check")
    if not category.was_sent:
        return OPTIONS.not_settled(category.summary)
    if category.error is not None:
        observed = f"a category is named and cannot be read ({category.summary})"
        return OPTIONS.settled(observed, "labels are left to Gainsight to check", "handled")
    observed = "a category is named, and lists them"
    return OPTIONS.at("by_category", observed, "a category is read when a value needs it")


def _activity_types(facts: TenantFacts) -> Observation:
    fields = fields_of(facts.described_activities, ACTIVITY)
    if not fields:
        return ACTIVITY_TYPES.not_settled(f"{ACTIVITY} is not described")
    types = next((each for each in fields if each.name == "TypeName"), None)
    if types is not None and types.items:
        observed = f"{len(types.items)} types are listed"
        return ACTIVITY_TYPES.at(True, observed, "names of types are checked")
    return ACTIVITY_TYPES.at(False, "no types are listed", "names are left to Gainsight to check")
