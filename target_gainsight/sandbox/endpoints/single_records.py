"""Reads and deletes one record by its GSID (Company API and Custom Object API)."""

from typing import Any

from target_gainsight.sandbox.answers import (
    DELETE_FAILED,
    NOTHING_MATCHES,
    Answer,
    Incoming,
    refuse,
)
from target_gainsight.sandbox.endpoints.records import writable_object, written
from target_gainsight.sandbox.storage.identifiers import is_gsid
from target_gainsight.sandbox.storage.values import renderer
from target_gainsight.sandbox.tenant import Tenant

_MISSING_ROW = {
    "nothing_matches": (NOTHING_MATCHES, 400),
    "delete_failed": (DELETE_FAILED, 500),
    "not_found": (NOTHING_MATCHES, 404),
}


def read_record(tenant: Tenant, call: Incoming) -> Answer:
    """`GET /v1/data/objects/{Object}/{GSID}`: read one record with every field [O]."""
    model = tenant.named_object(call.params["object"])
    gsid = call.params["gsid"]
    columns = ", ".join(tenant.store.column(model, name) for name in model.fields)
    found = tenant.store.rows(
        f'SELECT {columns} FROM "{model.name}" WHERE "Gsid" = ?',  # noqa: S608
        (gsid,),
    )
    if not found:
        raise refuse(NOTHING_MATCHES, f"No record found (Gsid = {gsid}).")
    record: dict[str, Any] = dict(zip(model.fields, found[0], strict=True))
    for field in model.fields.values():
        render = renderer(field, tenant.switches)
        if render:
            record[field.name] = render(record[field.name])
    return Answer(data=record, records=1)


def delete_record(tenant: Tenant, call: Incoming) -> Answer:
    """`DELETE /v1/data/objects/{Object}/{GSID}`: remove one record [D].

    Raises:
        Refusal: There is none, or others refer to it [I].
    """
    model = writable_object(tenant, call, [])
    gsid = call.params["gsid"]
    with tenant.store.transaction():
        if tenant.switches.delete_referenced == "refused":
            referring = tenant.referring_object(model, gsid)
            if referring is not None:
                message = f"Delete failed: {referring} refers to this record (Gsid = {gsid})."
                raise refuse(DELETE_FAILED, message, status=500)
        if not is_gsid(gsid) or not tenant.store.delete(model, gsid):
            code, status = _MISSING_ROW[tenant.switches.delete_missing]
            raise refuse(code, f"No record found (Gsid = {gsid}).", status=status)
    return written([{}], [gsid])
