"""Describe and list, in the shapes of the metadata API.

`POST /v1/meta/services/objects/describe` for several objects,
`GET /v1/meta/services/objects/{object}/describe?ic=true&cl=2&idd=true` for one and
`GET /v1/meta/services/objects/list` [D/O].
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from target_gainsight.sandbox.answers import (
    GENERIC,
    SERVER_ERROR,
    UNKNOWN_ROUTE,
    Answer,
    Incoming,
    Refusal,
    refuse,
)
from target_gainsight.sandbox.endpoints.timeline import ACTIVITY, TYPE_NAME, activity_types
from target_gainsight.sandbox.storage.identifiers import PICKLIST_ITEM_PREFIX, derived_gsid
from target_gainsight.sandbox.storage.model import Field, ObjectModel, make_options
from target_gainsight.sandbox.tenant import Tenant

_NOT_FOUND = 404
_SERVER_FAULTS = 500
_NOT_ALLOWED = "GS_APIG_2403"
"""The code of a missing permission is unknown [I]."""


def list_objects(tenant: Tenant, _: Incoming) -> Answer:
    """List the tenant's objects, without their fields."""
    _refuse_by_switch(tenant)
    return Answer(data=[_described_object(tenant, model) for model in tenant.objects()])


def describe_object(tenant: Tenant, call: Incoming) -> Answer:
    """Describe one object with its fields; one created on first use cannot be described (400).

    Raises:
        Refusal: Unknown object, 404 with title OBJECT_NOT_FOUND [D/I].
    """
    _refuse_by_switch(tenant)
    with_children = call.query.get("ic") == "true"
    return _description(tenant, [call.params["object"]], with_children=with_children)


def describe_objects(tenant: Tenant, call: Incoming) -> Answer:
    """Describe the objects of `objectNames` with their fields (Post Describe) [D].

    Raises:
        Refusal: Unknown object, 404 with title OBJECT_NOT_FOUND [D/I]; or this call is not served.
    """
    _refuse_by_switch(tenant)
    status = tenant.switches.describe_several
    if status:
        code = UNKNOWN_ROUTE if status == _NOT_FOUND else GENERIC
        raise refuse(code, "Describing several objects is not served.", status=status)
    body = call.body if isinstance(call.body, Mapping) else {}
    names = body.get("objectNames")
    if not isinstance(names, list) or not names or not all(isinstance(n, str) for n in names):
        raise refuse(GENERIC, "objectNames must be a list of object names")
    with_children = body.get("includeChilds") == "true" and body.get("childLevels") != "0"
    return _description(tenant, names, with_children=with_children)


def _description(tenant: Tenant, names: Iterable[str], *, with_children: bool) -> Answer:
    models = {model.name: model for model in (_named(tenant, name) for name in names)}
    if with_children or tenant.switches.describe_children_first:
        models = {**_children(tenant, models.values()), **models}
    data = []
    for model in models.values():
        fields = [_described_field(tenant, field) for field in _fields(tenant, model)]
        data.append({**_described_object(tenant, model), "fields": fields})
    return Answer(data=data)


def _fields(tenant: Tenant, model: ObjectModel) -> Iterable[Field]:
    """Return the fields; TypeName of activities as a picklist of types, by a switch [I]."""
    if model.name != ACTIVITY or not tenant.switches.activity_types_described:
        return model.fields.values()
    options = make_options(model.name, TYPE_NAME, activity_types(tenant))
    types = replace(model.fields[TYPE_NAME], data_type="PICKLIST", options=options)
    return {**model.fields, TYPE_NAME: types}.values()


def _named(tenant: Tenant, name: str) -> ObjectModel:
    model = tenant.find_object(name)
    if (model is None and tenant.config.auto_create) or (model is not None and model.guessed):
        raise refuse(GENERIC, "auto_create makes this object's fields when they are written.")
    if model is None:
        extra = {
            "result": False,
            "title": "OBJECT_NOT_FOUND",
            "detail": "Requested object not found.",
        }
        description = "Requested object not found."
        raise Refusal(Answer(_NOT_FOUND, description=description, with_data=False, extra=extra))
    return model


def _children(tenant: Tenant, models: Iterable[ObjectModel]) -> dict[str, ObjectModel]:
    """Return the objects that the lookups of some objects refer to, without those objects."""
    known = {model.name for model in models}
    targets = (
        tenant.named_object(field.lookup_object)
        for model in models
        for field in model.fields.values()
        if field.lookup_object
    )
    return {target.name: target for target in targets if target.name not in known}


def _refuse_by_switch(tenant: Tenant) -> None:
    status = tenant.switches.metadata_status
    if status:
        code = SERVER_ERROR if status >= _SERVER_FAULTS else _NOT_ALLOWED
        raise refuse(code, "Metadata is not available.", status=status)


def _described_object(tenant: Tenant, model: ObjectModel) -> dict[str, object]:
    """Describe an object without fields; only custom ones are listed as transactional [D]."""
    is_custom = model.object_type == "CUSTOM"
    listed = model.transactional and (is_custom or tenant.switches.standard_transactional)
    return {
        "objectName": model.name,
        "label": model.label,
        "objectType": model.object_type,
        "transactional": _flag(tenant, flag=listed),
    }


def _described_field(tenant: Tenant, field: Field) -> dict[str, object]:
    described: dict[str, object] = {
        "fieldName": field.name,
        "label": field.label or field.name,
        "dataType": field.data_type,
        "meta": {**_meta(tenant, field), **_category_of(tenant, field)},
    }
    if field.options and tenant.switches.picklist_options != "listed":
        described["options"] = []
    elif field.options:
        described["options"] = [
            {
                "value": option.gsid,
                "label": option.label,
                "active": _flag(tenant, flag=option.active),
                "systemName": option.label.upper().replace(" ", "_"),
                "displayOrder": order,
            }
            for order, option in enumerate(field.options, start=1)
        ]
    return described


def category_id(field: Field) -> str:
    """Return the category that lists a picklist's items, derived from them."""
    return derived_gsid(PICKLIST_ITEM_PREFIX, "category", *(each.gsid for each in field.options))


def _category_of(tenant: Tenant, field: Field) -> dict[str, object]:
    if not field.options or tenant.switches.picklist_options == "unlisted":
        return {}
    return {"properties": {"PICKLIST_CATEGORY_ID": category_id(field)}}


def list_category(tenant: Tenant, call: Incoming) -> Answer:
    """List the items of a picklist's category (Get API - categoryID) [D].

    Raises:
        Refusal: There is no such category.
    """
    _refuse_by_switch(tenant)
    wanted = call.params["category"]
    picklists = (each for model in tenant.objects() for each in model.fields.values())
    field = next((each for each in picklists if each.options and category_id(each) == wanted), None)
    if field is None:
        raise refuse(GENERIC, f"No category {wanted}", status=_NOT_FOUND)
    items = [
        {
            "gsid": option.gsid,
            "name": option.label,
            "active": _flag(tenant, flag=option.active),
            "deleted": False,
            "systemName": option.label.upper().replace(" ", "_"),
            "displayOrder": order,
        }
        for order, option in enumerate(field.options, start=1)
    ]
    details = {"name": field.label or field.name, "count": len(items), "gsid": wanted}
    return Answer(data={"categoryDetails": details, "childItems": items})


def _meta(tenant: Tenant, field: Field) -> dict[str, object]:
    flags = {
        "required": field.required,
        "nillable": field.nillable,
        "createable": field.createable,
        "updateable": field.updateable,
        "readOnly": field.read_only,
        "formulaField": field.formula,
        "hasLookup": field.lookup_object is not None,
    }
    meta: dict[str, object] = {name: _flag(tenant, flag=flag) for name, flag in flags.items()}
    if field.length is not None:
        meta["length"] = field.length
    meta["decimalPlaces"] = field.decimal_places or 0
    meta["fieldGroupType"] = "CUSTOM" if field.custom else "STANDARD"
    if field.lookup_object is not None:
        meta["lookupDetail"] = {"lookupObjects": [{"objectName": field.lookup_object}]}
    return meta


def _flag(tenant: Tenant, *, flag: bool) -> object:
    if tenant.switches.flags_as_text:
        return "true" if flag else "false"
    return flag
