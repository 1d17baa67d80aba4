"""Describe and list, in the shapes of the metadata API.

`GET /v1/meta/services/objects/{object}/describe?ic=true&cl=2&idd=true` and
`GET /v1/meta/services/objects/list` [D/O].
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_gainsight.sandbox.answers import GENERIC, SERVER_ERROR, Answer, Incoming, refuse

if TYPE_CHECKING:
    from target_gainsight.sandbox.storage.model import Field, ObjectModel
    from target_gainsight.sandbox.tenant import Tenant

_FORBIDDEN = 403


_SERVER_FAULTS = 500
_NOT_ALLOWED = "GS_APIG_2403"
"""What a missing permission is called is not on record [I]."""


def list_objects(tenant: Tenant, _: Incoming) -> Answer:
    """Every object of the tenant, without its fields."""
    _refuse_by_switch(tenant)
    return Answer(data=[_described_object(model) for model in tenant.objects()])


def describe_object(tenant: Tenant, call: Incoming) -> Answer:
    """One object with its fields; an object made on first use cannot be described (403).

    Raises:
        Refusal: Unknown object, 404 with title OBJECT_NOT_FOUND [D/I].
    """
    _refuse_by_switch(tenant)
    model = tenant.find_object(call.params["object"])
    if (model is None and tenant.config.auto_create) or (model is not None and model.guessed):
        raise refuse(GENERIC, "The object's fields are not fixed.", status=_FORBIDDEN)
    if model is None:
        return Answer(
            404,
            description="Requested object not found.",
            with_data=False,
            extra={"result": False, "title": "OBJECT_NOT_FOUND"},
        )
    described = _described_object(model)
    described["fields"] = [_described_field(field) for field in model.fields.values()]
    return Answer(data=[described])


def _refuse_by_switch(tenant: Tenant) -> None:
    status = tenant.switches.metadata_status
    if status:
        code = SERVER_ERROR if status >= _SERVER_FAULTS else _NOT_ALLOWED
        raise refuse(code, "Metadata is not available.", status=status)


def _described_object(model: ObjectModel) -> dict[str, object]:
    return {
        "objectName": model.name,
        "label": model.label,
        "objectType": model.object_type,
        "transactional": model.transactional,
    }


def _described_field(field: Field) -> dict[str, object]:
    described: dict[str, object] = {
        "fieldName": field.name,
        "label": field.label or field.name,
        "dataType": field.data_type,
        "meta": _meta(field),
    }
    if field.options:
        described["options"] = [
            {
                "value": option.gsid,
                "label": option.label,
                "active": option.active,
                "systemName": option.label.upper().replace(" ", "_"),
                "displayOrder": order,
            }
            for order, option in enumerate(field.options, start=1)
        ]
    return described


def _meta(field: Field) -> dict[str, object]:
    meta: dict[str, object] = {
        "required": field.required,
        "nillable": field.nillable,
        "createable": field.createable,
        "updateable": field.updateable,
        "readOnly": field.read_only,
        "formulaField": field.formula,
        "hasLookup": field.lookup_object is not None,
        "length": field.length,
        "decimalPlaces": field.decimal_places,
        "fieldGroupType": "CUSTOM" if field.custom else "STANDARD",
    }
    if field.lookup_object is not None:
        meta["lookupDetail"] = {"lookupObjects": [{"objectName": field.lookup_object}]}
    return meta
