"""The People API: one person a call, upserted by email, linked to companies.

`PUT /v1/peoplemgmt/v1.0/people` (People API) [D]; the legacy path and `companies` are observed [O].
"""

from collections.abc import Mapping
from typing import Any

from target_gainsight.sandbox.answers import Answer, Incoming, refuse
from target_gainsight.sandbox.endpoints.per_record_writes import add_row, update_row
from target_gainsight.sandbox.storage.model import GSID_TYPES, Field, ObjectModel
from target_gainsight.sandbox.storage.values import Parse, ValueRefusedError
from target_gainsight.sandbox.tenant import Tenant

_ENTITY_ABSENT = "GSOBJ_PEOPLE1001"
_ROW_EMPTY = "GSOBJ_VCRUDR1001"
_UNKNOWN_FIELDS = "GSOBJ_VCRUDR1002"
_BAD_EMAIL = "GSOBJ_VDTEMAIL1001"
_BAD_TEXT = "GSOBJ_VDTBSTR1001"
_CODES = {
    "EMAIL": _BAD_EMAIL,
    "DATE": "GSOBJ_VDTDATIME1001",
    "DATETIME": "GSOBJ_VDTDATIME1001",
    "PICKLIST": "GSOBJ_VDTPKLST1001",
    "MULTISELECTDROPDOWNLIST": "GSOBJ_VDTPKLST1002",
    "NUMBER": "GSOBJ_VDTNUM1001",
    "CURRENCY": "GSOBJ_VDTCURREN1001",
    "PERCENTAGE": "GSOBJ_VDTPERCENT1001",
    "BOOLEAN": "GSOBJ_VDTBOOL1001",
    **dict.fromkeys(GSID_TYPES, "GSOBJ_VDTGSID1001"),
}

Stored = dict[str, Any]


def upsert_person(tenant: Tenant, call: Incoming) -> Answer:
    """Create or update the person with this email, and the links to the given companies.

    Raises:
        Refusal: HTTP 400 with a code of the People family; nothing is written.
    """
    sent = _sent_person(call.body)
    person = tenant.named_object("person")
    if tenant.config.auto_create:
        person = tenant.learn("person", [_without_links(sent)])
        sent = {
            name: each for name, each in sent.items() if each is not None or _is_known(person, name)
        }
    with tenant.store.transaction():
        stored = _stored(tenant, person, _without_links(sent))
        _apply_rules(tenant, sent)
        links = _links(tenant, sent.get("companies"))
        gsid = _save_person(tenant, person, stored)
        for link in links:
            _save_link(tenant, {"Person_ID": gsid, **link})
    return Answer(data=_response_data(tenant, sent, gsid), records=1)


def _is_known(person: ObjectModel, name: str) -> bool:
    return name in person.fields or name == "companies"


def _response_data(tenant: Tenant, sent: Stored, gsid: str) -> object:
    form = tenant.switches.people_answer
    if form == "empty":
        return None
    return {"Gsid": gsid} if form == "gsid" else {**sent, "Gsid": gsid}


def _sent_person(body: object) -> Stored:
    if not isinstance(body, dict) or not body:
        raise refuse(_ROW_EMPTY, "Row is empty.")
    if not isinstance(body.get("Email"), str):
        raise refuse(_BAD_EMAIL, f"Email is mandatory (Email = {body.get('Email')}).")
    return body


def _without_links(sent: Stored) -> Stored:
    return {name: value for name, value in sent.items() if name != "companies"}


def _stored(tenant: Tenant, model: ObjectModel, sent: Mapping[str, Any]) -> Stored:
    parsers = tenant.parsers(model, creating=True)
    unknown = [name for name in sent if name not in parsers]
    if unknown:
        raise refuse(_UNKNOWN_FIELDS, f"Unknown fields: {', '.join(unknown)}.")
    return {name: _parsed(model.fields[name], parsers[name], value) for name, value in sent.items()}


def _parsed(field: Field, parse: Parse, value: object) -> object:
    try:
        return parse(value)
    except ValueRefusedError as refused:
        code = _CODES.get(field.data_type, _BAD_TEXT)
        raise refuse(code, f"{refused.message} ({field.name} = {value}).") from refused


def _apply_rules(tenant: Tenant, sent: Stored) -> None:
    for rule in tenant.faults.rules:
        if rule.refuses("person", sent):
            raise refuse(rule.code, f"{rule.message} ({rule.field} = {rule.value}).")


def _links(tenant: Tenant, companies: object) -> list[Stored]:
    if companies is None:
        return []
    if not isinstance(companies, list) or not all(isinstance(each, dict) for each in companies):
        raise refuse(_UNKNOWN_FIELDS, "companies must be a list of objects.")
    model = tenant.named_object("company_person")
    links = [_stored(tenant, model, each) for each in companies]
    given = {str(each.get("Company_ID")) for each in links}
    absent = given - tenant.store.existing(tenant.named_object("company"), given)
    if absent:
        raise refuse(_ENTITY_ABSENT, f"Entity is absent (Company_ID = {', '.join(absent)}).")
    return links


def _save_person(tenant: Tenant, model: ObjectModel, stored: Stored) -> str:
    email = model.fields["Email"]
    by_email = tenant.switches_ignoring_email_case
    found = tenant.store.match(model, [email], [[stored["Email"]]], by_email)
    if found:
        gsid = found[0][0]
        changes = {name: value for name, value in stored.items() if name != "Email"}
        update_row(tenant, model, gsid, changes)
        return gsid
    if "Name" not in stored:
        parts = [stored.get("FirstName"), stored.get("LastName")]
        stored["Name"] = " ".join(part for part in parts if part) or None
    return add_row(tenant, model, stored)


def _save_link(tenant: Tenant, link: Stored) -> None:
    model = tenant.named_object("company_person")
    keys: list[Field] = [model.fields["Person_ID"], model.fields["Company_ID"]]
    wanted = [[link["Person_ID"], link["Company_ID"]]]
    found = tenant.store.match(model, keys, wanted, tenant.switches)
    if found:
        update_row(tenant, model, found[0][0], link)
    else:
        add_row(tenant, model, link)
