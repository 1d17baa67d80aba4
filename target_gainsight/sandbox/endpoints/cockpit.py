"""Cockpit: calls to action, created and changed by requests that carry a reference.

`POST` and `PUT /v2/cockpit/cta/` (Cockpit API) [O]. Records succeed or fail one by one;
type, reason, status and priority are given by name.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from target_gainsight.sandbox.answers import (
    GENERIC,
    NOT_ALLOWED,
    UNKNOWN_ROUTE,
    Answer,
    Incoming,
    refuse,
)
from target_gainsight.sandbox.endpoints.lookups import resolve_lookups
from target_gainsight.sandbox.endpoints.per_record_writes import (
    Record,
    RecordRefusedError,
    add_row,
    answer_per_record,
    insert_row,
    save_each,
    stored_record,
    update_row,
)
from target_gainsight.sandbox.endpoints.records import listed_in
from target_gainsight.sandbox.storage.identifiers import PICKLIST_ITEM_PREFIX, derived_gsid
from target_gainsight.sandbox.storage.model import ObjectModel
from target_gainsight.sandbox.tenant import Tenant

REFERENCE = "referenceId"
SHIPPED_ITEMS: Mapping[str, tuple[str, ...]] = {
    "type": ("Risk", "Opportunity", "Lifecycle", "Activity", "Objective"),
    "reason": ("Low NPS", "Usage Risk", "Support Risk", "Bugs Risk", "Renewal", "Other"),
    "status": ("New", "Work In Progress", "Closed Success", "Closed Lost", "Closed Invalid"),
    "priority": ("High", "Medium", "Low"),
}
"""Items that an administrator has added are rows of `cta_item`, with `Kind` in lower case."""

_FIELDS = {"type": "TypeId", "reason": "ReasonId", "status": "StatusId", "priority": "PriorityId"}
_REQUIRED = ("Name", "CompanyId", "TypeId")


def insert_ctas(tenant: Tenant, call: Incoming) -> Answer:
    """Create CTAs; two equal ones become two CTAs.

    Raises:
        Refusal: The body is not valid; nothing is written.
    """
    return _save(tenant, call, _insert)


def update_ctas(tenant: Tenant, call: Incoming) -> Answer:
    """Update the CTAs with these GSIDs.

    Raises:
        Refusal: The body is not valid; nothing is written.
    """
    return _save(tenant, call, _update)


def list_names(tenant: Tenant, call: Incoming) -> Answer:
    """`GET /v2/cockpit/admin/picklist/lite`: the items of some categories [O, shape I].

    Raises:
        Refusal: Names are not listed, or are created on first use.
    """
    shape = tenant.switches.cta_names
    if shape == "unknown":
        raise refuse(UNKNOWN_ROUTE, "No route for GET", status=404)
    if tenant.config.auto_create:
        raise refuse(GENERIC, "auto_create makes these names when they are written.")
    if shape == "refused":
        raise refuse(NOT_ALLOWED, "Not allowed", status=403)
    wanted = [each.strip().upper() for each in call.query.get("category", "").split(",")]
    listed = {
        category: [_described_item(tenant, kind, name) for name in _names(tenant, kind)]
        for kind, category in ((kind, f"CTA_{kind.upper()}") for kind in SHIPPED_ITEMS)
        if category in wanted
    }
    if shape == "flat":
        return Answer(data=[item for items in listed.values() for item in items])
    return Answer(data=listed)


def _names(tenant: Tenant, kind: str) -> list[str]:
    own = (str(row["Name"]) for row in tenant.rows("cta_item", Kind=kind))
    return list(dict.fromkeys((*SHIPPED_ITEMS[kind], *own)))


def _described_item(tenant: Tenant, kind: str, name: str) -> dict[str, object]:
    known = tenant.rows("cta_item", Kind=kind, Name=name)
    gsid = known[0]["Gsid"] if known else _item_gsid(kind, name)
    category = f"CTA_{kind.upper()}"
    return {"name": name, "gsid": gsid, "active": True, "picklistCategory": category}


def _save(
    tenant: Tenant, call: Incoming, save: Callable[[Tenant, ObjectModel, Record], str]
) -> Answer:
    sent = _sent_records(tenant, call.body)
    with tenant.store.transaction():
        records, errors = resolve_lookups(tenant, sent, call.body)
        model = _model(tenant, records)
        referred = [
            (str(record.pop(REFERENCE, number)), record)
            for number, record in enumerate(records, start=1)
        ]
        results = save_each(
            referred, errors, lambda _, record: save(tenant, model, _with_items(tenant, record))
        )
    return answer_per_record(
        tenant,
        tenant.switches.cta_answers,
        results,
        refused_as="failure",
        describe=lambda error: error.message,
    )


def _insert(tenant: Tenant, model: ObjectModel, record: Record) -> str:
    missing = [name for name in _REQUIRED if record.get(name) is None]
    if missing:
        raise RecordRefusedError(GENERIC, f"Mandatory fields are missing: {', '.join(missing)}")
    stored = stored_record(tenant, model, record, creating=True)
    return add_row(tenant, model, stored)


def _update(tenant: Tenant, model: ObjectModel, record: Record) -> str:
    gsid = str(record.pop("Gsid", None))
    if not tenant.store.existing(model, [gsid]):
        raise RecordRefusedError(GENERIC, f"No CTA found (Gsid = {gsid}).")
    update_row(tenant, model, gsid, stored_record(tenant, model, record, creating=False))
    return gsid


def _with_items(tenant: Tenant, record: Record) -> Record:
    """Replace the names of items by their GSIDs."""
    items = {
        field: _item(tenant, kind, record[kind])
        for kind, field in _FIELDS.items()
        if record.get(kind) is not None
    }
    return {**{name: value for name, value in record.items() if name not in _FIELDS}, **items}


def _item(tenant: Tenant, kind: str, name: Any) -> str:  # noqa: ANN401 - as it was sent
    known = tenant.rows("cta_item", Kind=kind, Name=name) if isinstance(name, str) else []
    if known:
        return str(known[0]["Gsid"])
    if name not in SHIPPED_ITEMS[kind] and not tenant.config.auto_create:
        raise RecordRefusedError(GENERIC, f"Invalid {kind} ({kind} = {name}).")
    gsid = _item_gsid(kind, str(name))
    insert_row(tenant, tenant.named_object("cta_item"), gsid, {"Kind": kind, "Name": name})
    return gsid


def _item_gsid(kind: str, name: str) -> str:
    return derived_gsid(PICKLIST_ITEM_PREFIX, "cta", kind, name)


def _sent_records(tenant: Tenant, body: object) -> list[Record]:
    listed = listed_in(tenant, body, "requests")
    records = [each.get("record") if isinstance(each, Mapping) else None for each in listed]
    found = [dict(record) for record in records if isinstance(record, Mapping)]
    if len(found) < len(listed):
        raise refuse(GENERIC, "every request must have a record")
    return found


def _model(tenant: Tenant, records: Sequence[Record]) -> ObjectModel:
    if tenant.config.auto_create:
        return tenant.learn("call_to_action", records, {REFERENCE, *_FIELDS})
    return tenant.named_object("call_to_action")
