"""Timeline: activities, identified by an ExternalId that is never reused in the tenant.

`POST /v1/ant/es/activity` adds, `PUT …?identifier=externalid` updates (Timeline APIs) [D]. Records
succeed or fail one by one; the codes are secondary knowledge (gainsight-api, section 7).
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from target_gainsight.sandbox.answers import GENERIC, Answer, FieldError, Incoming, refuse
from target_gainsight.sandbox.endpoints.lookups import resolve_lookups
from target_gainsight.sandbox.endpoints.per_record_writes import (
    Record,
    RecordRefusedError,
    add_row,
    answer_per_record,
    save_each,
    stored_record,
    update_row,
)
from target_gainsight.sandbox.endpoints.records import sent_records
from target_gainsight.sandbox.storage.model import ObjectModel
from target_gainsight.sandbox.tenant import Tenant

MISSING_FIELD = "GS_TL_10_0206"
LOOKUP_FAILED = "GS_TL_10_0213"
_UNKNOWN_NAME = "GS_TL_10_0208"
_NOTHING_MATCHES = "GS_TL_10_0209"
_BAD_DATETIME = "GS_TL_10_0210"
"""The last three codes are invented: no public source has them [I]."""

ACTIVITY = "activity_timeline"
TYPE_NAME = "TypeName"
EXTERNAL_ID = "ExternalId"
ATTENDEES = ("InternalAttendees", "ExternalAttendees")
CONTEXTS = (
    "Company",
    "Relationship",
    "CTA",
    "SuccessPlan",
    "Scorecard",
    "ScorecardMeasure",
    "Milestone",
)
SHIPPED_TYPES = ("Update", "Call", "Meeting", "In-Person Meeting", "Email", "Milestone")
"""Types that an administrator has added are rows of `activity_type`."""

_REQUIRED = ("ContextName", "TypeName", "ActivityDate")
_EMPTY = (None, "")
_REQUIRED_BY_CONTEXT = {"Company": "GsCompanyId", "Relationship": "GsRelationshipId"}
_DATETIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}(?:Z|[+-]\d\d:\d\d)")


def insert_activities(tenant: Tenant, call: Incoming) -> Answer:
    """Add activities; one whose ExternalId exists fails as a duplicate.

    Raises:
        Refusal: The body is not valid; nothing is written.
    """
    return _save(tenant, call, _insert)


def update_activities(tenant: Tenant, call: Incoming) -> Answer:
    """Update the activities with these ExternalIds.

    Raises:
        Refusal: The body or the identifier is not valid; nothing is written.
    """
    identifier = call.query.get("identifier", "")
    if identifier.lower() != "externalid":
        raise refuse(GENERIC, f"identifier {identifier!r} is not served; externalid is")
    return _save(tenant, call, _update)


def _save(
    tenant: Tenant, call: Incoming, save: Callable[[Tenant, ObjectModel, Record, str | None], str]
) -> Answer:
    sent = sent_records(tenant, call.body)
    if tenant.switches.timeline_records == "one" and len(sent) > 1:
        raise refuse(GENERIC, "Only one activity can be saved per call")
    with tenant.store.transaction():
        records, errors = _resolved(tenant, sent, call.body)
        records = [_with_author(record, each) for record, each in zip(records, sent, strict=True)]
        model = _model(tenant, records)
        existing = _existing(tenant, model, records)

        def save_one(external_id: str, record: Record) -> object:
            existing[external_id] = save(tenant, model, record, existing.get(external_id))
            return [{"activityId": existing[external_id]}]

        referred = [(str(record.get(EXTERNAL_ID)), record) for record in records]
        results = save_each(referred, errors, save_one, lookup_code=LOOKUP_FAILED)
    return answer_per_record(
        tenant,
        tenant.switches.timeline_answers,
        results,
        refused_as="failures",
        describe=lambda error: [{"errorCode": error.code, "message": error.message}],
    )


def _with_author(record: Record, sent: Record) -> Record:
    """Keep Author, which the lookup of AuthorId has removed."""
    return {**record, "Author": sent["Author"]} if "Author" in sent else record


def _insert(tenant: Tenant, model: ObjectModel, record: Record, existing: str | None) -> str:
    _require(record, (EXTERNAL_ID, *_required_fields(tenant, record)))
    if existing is not None:
        code = tenant.switches.timeline_duplicate_code
        message = f"An activity with this ExternalId exists ({EXTERNAL_ID} = {record[EXTERNAL_ID]})"
        raise RecordRefusedError(code, message)
    stored = _stored(tenant, model, record, creating=True)
    needed = _REQUIRED_BY_CONTEXT.get(record["ContextName"])
    if needed:
        _require(record, (needed,))
    return add_row(tenant, model, stored)


def _update(tenant: Tenant, model: ObjectModel, record: Record, existing: str | None) -> str:
    _require(record, (EXTERNAL_ID,))
    if existing is None:
        message = f"No activity has this ExternalId ({EXTERNAL_ID} = {record[EXTERNAL_ID]})"
        raise RecordRefusedError(_NOTHING_MATCHES, message)
    update_row(tenant, model, existing, _stored(tenant, model, record, creating=False))
    return existing


def _stored(tenant: Tenant, model: ObjectModel, record: Record, *, creating: bool) -> Record:
    _check_names(tenant, record)
    when = record.get("ActivityDate")
    if "ActivityDate" in record and not (isinstance(when, str) and _DATETIME.fullmatch(when)):
        message = f"Invalid date, milliseconds and offset are mandatory (ActivityDate = {when})"
        raise RecordRefusedError(_BAD_DATETIME, message)
    known = {name: value for name, value in record.items() if name != "Author"}
    stored = stored_record(tenant, model, known, creating=creating)
    return {**stored, "LastModifiedDate": int(tenant.clock() * 1000)}


def _check_names(tenant: Tenant, record: Record) -> None:
    context, kind = record.get("ContextName"), record.get("TypeName")
    if context is not None and context not in CONTEXTS:
        raise RecordRefusedError(_UNKNOWN_NAME, f"Unknown context (ContextName = {context})")
    known = tenant.config.auto_create or kind in activity_types(tenant)
    if kind is not None and not known:
        raise RecordRefusedError(_UNKNOWN_NAME, f"Unknown activity type (TypeName = {kind})")


def activity_types(tenant: Tenant) -> list[str]:
    """Return the tenant's activity types, added ones last."""
    own = (str(row["Name"]) for row in tenant.rows("activity_type"))
    return list(dict.fromkeys((*SHIPPED_TYPES, *own)))


def _required_fields(tenant: Tenant, record: Record) -> Sequence[str]:
    """Return the required fields: Author [D], Subject and Notes very probably [O]."""
    switches = tenant.switches
    has_id = record.get("AuthorId") not in _EMPTY
    needs_author = switches.timeline_author == "required" or (
        switches.timeline_author == "author_or_id" and not has_id
    )
    author = ("Author",) if needs_author else ()
    texts = ("Subject", "Notes") if switches.timeline_texts_required else ()
    return (*_REQUIRED, *author, *texts)


def _require(record: Mapping[str, Any], names: Sequence[str]) -> None:
    missing = [name for name in names if record.get(name) in _EMPTY]
    if missing:
        raise RecordRefusedError(MISSING_FIELD, f"Missing field: {', '.join(missing)}")


def _model(tenant: Tenant, records: Sequence[Record]) -> ObjectModel:
    if tenant.config.auto_create:
        return tenant.learn("activity_timeline", records, {"Author"})
    return tenant.named_object("activity_timeline")


def _existing(tenant: Tenant, model: ObjectModel, records: Sequence[Record]) -> dict[str, str]:
    """Return the GSIDs of existing activities by ExternalId."""
    wanted = [[str(record.get(EXTERNAL_ID))] for record in records]
    found = tenant.store.match(model, [model.fields[EXTERNAL_ID]], wanted, tenant.switches)
    return {wanted[index][0]: gsids[0] for index, gsids in found.items()}


def _resolved(
    tenant: Tenant, records: list[Record], body: object
) -> tuple[list[Record], dict[int, list[FieldError]]]:
    """Resolve the lookups of records; those of attendees one attendee at a time."""
    lookups = body.get("lookups") if isinstance(body, Mapping) else None
    if not isinstance(lookups, Mapping):
        return resolve_lookups(tenant, records, body)
    single = {name: each for name, each in lookups.items() if name not in ATTENDEES}
    resolved, errors = resolve_lookups(tenant, records, {"lookups": single})
    for name in lookups.keys() - single.keys():
        for index, record in enumerate(records):
            found, failed = _attendees(tenant, record, name, lookups[name])
            resolved[index] = {**_without(resolved[index], lookups[name]), **found}
            errors.setdefault(index, []).extend(failed)
    return resolved, errors


def _attendees(
    tenant: Tenant, record: Record, name: str, lookup: Mapping[str, Any]
) -> tuple[Record, list[FieldError]]:
    column = next(iter(lookup.get("fields") or {"": ""}))
    if column not in record:
        return {}, []
    listed = record[column] if isinstance(record[column], list) else [record[column]]
    each = [{column: one} for one in listed]
    found, errors = resolve_lookups(tenant, each, {"lookups": {name: lookup}})
    failed = [error for errors_of_one in errors.values() for error in errors_of_one]
    return {name: [one[name] for one in found if one.get(name)]}, failed


def _without(record: Record, lookup: Mapping[str, Any]) -> Record:
    columns = lookup.get("fields") or {}
    return {name: value for name, value in record.items() if name not in columns}
