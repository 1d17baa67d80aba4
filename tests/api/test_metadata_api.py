"""Metadata is read as given; what it leaves out is left for the tenant to refuse."""

from __future__ import annotations

from typing import Any

import pytest
from answering import TENANT, failure, success

from target_gainsight.api import (
    CredentialError,
    Field,
    GainsightClient,
    NotFoundError,
    ObjectNotFoundError,
    ObjectSchema,
    PicklistOption,
)

OBJECTS = f"{TENANT}/v1/meta/services/objects"
DESCRIBE = f"{OBJECTS}/Company/describe"
INDUSTRY = {
    "fieldName": "Industry",
    "label": "Industry sector",
    "dataType": "PICKLIST",
    "options": [
        {
            "value": "1I00A",
            "label": "Software",
            "active": True,
            "systemName": "SW",
            "displayOrder": 1,
        },
        {"value": "1I00B", "label": "Retail", "active": False},
    ],
    "meta": {"required": True, "nillable": False, "createable": True, "updateable": True},
    "newKey": 1,
}
CSM = {
    "fieldName": "Csm",
    "dataType": "LOOKUP",
    "meta": {
        "hasLookup": True,
        "lookupDetail": {"lookupObjects": [{"objectName": "gsuser"}, {"label": "nameless"}]},
    },
}
NAME = {"fieldName": "Name", "dataType": "string", "meta": {"length": 250, "decimalPlaces": 0}}


def test_describe_returns_fields(client: GainsightClient, requests_mock: Any) -> None:
    described = {
        "objectName": "company",
        "label": "Company",
        "objectType": "STANDARD",
        "transactional": True,
        "fields": [INDUSTRY, CSM, NAME],
    }
    requests_mock.get(DESCRIBE, json=success([described]))
    schema = client.metadata.describe("Company")
    assert requests_mock.last_request.query == "ic=false&cl=0&idd=true"
    assert (schema.name, schema.label) == ("company", "Company")
    assert (schema.object_type, schema.volume) == ("STANDARD", None)
    assert schema.field("Industry") == Field(
        name="Industry",
        label="Industry sector",
        data_type="PICKLIST",
        required=True,
        nillable=False,
        insertable=True,
        updatable=True,
        formula=False,
        length=None,
        decimal_places=None,
        lookup_objects=(),
        options=(
            PicklistOption("1I00A", "Software", active=True),
            PicklistOption("1I00B", "Retail", active=False),
        ),
    )
    csm, name = schema.field("Csm"), schema.field("Name")
    assert csm
    assert csm.lookup_objects == ("gsuser",)
    assert name
    assert (name.data_type, name.length, name.decimal_places) == ("STRING", 250, 0)
    assert schema.field("name") is None


def test_bare_description_is_read(client: GainsightClient, requests_mock: Any) -> None:
    requests_mock.get(DESCRIBE, json=success({"objectName": "Company", "fields": [NAME]}))
    assert client.metadata.describe("Company").field("Name")


def test_missing_properties_are_assumed_to_allow(
    client: GainsightClient, requests_mock: Any
) -> None:
    requests_mock.get(DESCRIBE, json=success([{"fields": [{"fieldName": "Stage"}]}]))
    schema = client.metadata.describe("Company")
    assert (schema.name, schema.label, schema.volume) == ("Company", "Company", None)
    stage = schema.field("Stage")
    assert stage
    assert (stage.label, stage.data_type) == ("Stage", "")
    assert stage.insertable
    assert stage.updatable
    assert stage.nillable
    assert not stage.required


@pytest.mark.parametrize(
    ("meta", "insertable", "updatable"),
    [
        ({}, True, True),
        ({"createable": False}, False, True),
        ({"updateable": False}, True, False),
        ({"formulaField": True}, False, False),
        ({"readOnly": True}, False, False),
    ],
)
def test_formulas_and_read_only_fields_are_never_written(
    client: GainsightClient, requests_mock: Any, meta: Any, insertable: bool, updatable: bool
) -> None:
    requests_mock.get(DESCRIBE, json=success([{"fields": [{"fieldName": "Score", "meta": meta}]}]))
    score = client.metadata.describe("Company").field("Score")
    assert score
    assert (score.insertable, score.updatable) == (insertable, updatable)


@pytest.mark.parametrize("status", [200, 400, 404])
def test_unknown_object_is_not_found(
    client: GainsightClient, requests_mock: Any, status: int
) -> None:
    answer = {
        "requestId": "request-3",
        "result": False,
        "title": "OBJECT_NOT_FOUND",
        "errorDesc": "Requested object not found.",
    }
    requests_mock.get(DESCRIBE, status_code=status, json=answer)
    with pytest.raises(ObjectNotFoundError) as caught:
        client.metadata.describe("Company")
    assert caught.value.request_id == "request-3"


@pytest.mark.parametrize("answer", [{"json": success([])}, {"json": success(None)}])
def test_empty_description_is_not_found(
    client: GainsightClient, requests_mock: Any, answer: Any
) -> None:
    requests_mock.get(DESCRIBE, **answer)
    with pytest.raises(ObjectNotFoundError):
        client.metadata.describe("Company")


def test_any_404_to_a_description_is_not_found(client: GainsightClient, requests_mock: Any) -> None:
    requests_mock.get(DESCRIBE, status_code=404, json=failure(None, "gone"))
    with pytest.raises(NotFoundError):
        client.metadata.describe("Company")


def test_objects_are_listed(client: GainsightClient, requests_mock: Any) -> None:
    requests_mock.get(
        f"{OBJECTS}/list",
        json=success(
            [
                {"objectName": "company", "label": "Company", "objectType": "STANDARD"},
                {"objectName": "Nps__gc", "transactional": False},
                "not an object",
            ]
        ),
    )
    assert client.metadata.list_objects() == (
        ObjectSchema("company", "Company", "STANDARD", volume=None),
        ObjectSchema("Nps__gc", "Nps__gc", "", volume=None),
    )


def test_malformed_description_is_requested_again(
    acquainted: GainsightClient, requests_mock: Any
) -> None:
    whole = success([{"objectName": "Company", "fields": [{"fieldName": "Name"}]}])
    asked = requests_mock.get(DESCRIBE, [{"json": success(["unexpected"])}, {"json": whole}])
    assert acquainted.metadata.describe("Company").field("Name") is not None
    assert asked.call_count == 2


SEVERAL = f"{OBJECTS}/describe"
GSUSER = {"objectName": "gsuser", "fields": [{"fieldName": "Email"}]}
COMPANY = {"objectName": "company", "fields": [{"fieldName": "Name"}]}


def test_requested_object_is_found_at_any_place_and_case(
    client: GainsightClient, requests_mock: Any
) -> None:
    requests_mock.get(DESCRIBE, json=success([GSUSER, COMPANY]))
    assert client.metadata.describe("Company").field("Name")


@pytest.mark.parametrize(
    ("described", "named"),
    [
        ([GSUSER, {"objectName": "company_person", "fields": []}], "gsuser, company_person"),
        ([{"objectName": "company"}], "company instead"),
    ],
)
def test_description_of_another_object_is_refused(
    client: GainsightClient, requests_mock: Any, described: Any, named: str
) -> None:
    requests_mock.get(DESCRIBE, json=success(described))
    with pytest.raises(NotFoundError) as caught:
        client.metadata.describe("Company")
    assert not isinstance(caught.value, ObjectNotFoundError)
    assert f"asked to describe Company, the tenant describes {named}" in str(caught.value)


def test_several_objects_are_described_in_one_call_per_25(
    client: GainsightClient, requests_mock: Any
) -> None:
    names = [f"Object{number}__gc" for number in range(26)]
    entries = [{"objectName": name.lower(), "fields": []} for name in reversed(names)]
    asked = requests_mock.post(
        SEVERAL, [{"json": success(entries[1:])}, {"json": success(entries[:1])}]
    )
    schemas = client.metadata.describe_several(names)
    assert set(schemas) == {name.lower() for name in names}
    bodies = [request.json() for request in asked.request_history]
    assert [len(body["objectNames"]) for body in bodies] == [25, 1]
    assert {(body["includeChilds"], body["childLevels"]) for body in bodies} == {("false", "0")}


def test_objects_that_the_description_lacks_are_left_out(
    client: GainsightClient, requests_mock: Any
) -> None:
    requests_mock.post(SEVERAL, json=success([GSUSER, {"objectName": "company"}]))
    assert set(client.metadata.describe_several(["Company", "gsuser"])) == {"gsuser"}


@pytest.mark.parametrize("status", [400, 404, 405])
def test_unsupported_describe_of_several_describes_none(
    client: GainsightClient, requests_mock: Any, status: int
) -> None:
    requests_mock.post(SEVERAL, status_code=status, json=failure("GS_APIG_1000", "?"))
    assert client.metadata.describe_several(["Company", "gsuser"]) == {}


def test_unknown_object_among_several_describes_none(
    client: GainsightClient, requests_mock: Any
) -> None:
    unknown = {"result": False, "title": "OBJECT_NOT_FOUND", "errorDesc": "not found"}
    asked = requests_mock.post(
        SEVERAL, [{"status_code": 404, "json": unknown}, {"json": success([GSUSER])}]
    )
    assert client.metadata.describe_several(["Compny", "gsuser"]) == {}
    assert set(client.metadata.describe_several(["gsuser"])) == {"gsuser"}
    assert asked.call_count == 2


def test_bad_credential_ends_describe_of_several(
    client: GainsightClient, requests_mock: Any
) -> None:
    requests_mock.post(SEVERAL, status_code=401, json=failure("GS_APIG_2401", "Unauthorized"))
    with pytest.raises(CredentialError):
        client.metadata.describe_several(["Company"])


def test_flags_and_numbers_may_come_as_text(client: GainsightClient, requests_mock: Any) -> None:
    meta = {"required": "true", "nillable": "False", "createable": "false", "length": "40"}
    described = {
        "objectName": "Company",
        "objectType": "custom",
        "transactional": "false",
        "fields": [{"fieldName": "Name", "meta": meta}],
    }
    requests_mock.get(DESCRIBE, json=success([described]))
    schema = client.metadata.describe("Company")
    assert schema.volume == "high"
    name = schema.field("Name")
    assert name
    assert (name.required, name.nillable, name.insertable, name.length) == (True, False, False, 40)


def test_deleted_fields_and_lookups_are_not_there(
    client: GainsightClient, requests_mock: Any
) -> None:
    fields = [
        {"fieldName": "Old", "deleted": True},
        {"fieldName": "Older", "meta": {"deleted": "true"}},
        {
            "fieldName": "Csm",
            "meta": {
                "lookupDetail": {
                    "lookupObjects": [
                        {"objectName": "olduser", "deleted": True},
                        {"objectName": "gsuser", "deleted": False},
                    ]
                }
            },
        },
    ]
    requests_mock.get(DESCRIBE, json=success([{"objectName": "company", "fields": fields}]))
    [csm] = client.metadata.describe("Company").fields
    assert (csm.name, csm.lookup_objects) == ("Csm", ("gsuser",))


@pytest.mark.parametrize(
    ("object_type", "transactional", "volume"),
    [
        ("STANDARD", False, None),
        ("SYSTEM", False, None),
        ("CUSTOM", False, "high"),
        ("CUSTOM", True, "low"),
        ("CUSTOM", None, None),
    ],
)
def test_only_custom_objects_have_a_volume(
    client: GainsightClient, requests_mock: Any, object_type: str, transactional: Any, volume: Any
) -> None:
    listed = {"objectName": "x", "objectType": object_type, "transactional": transactional}
    requests_mock.get(f"{OBJECTS}/list", json=success([listed]))
    assert [each.volume for each in client.metadata.list_objects()] == [volume]


CATEGORY = "1I00CATEGORY"
DROPDOWN = f"{TENANT}/v1/meta/services/dropdowns/{CATEGORY}"
TAGS = {
    "fieldName": "Tags",
    "dataType": "MULTISELECTDROPDOWNLIST",
    "options": [],
    "meta": {"properties": {"PICKLIST_CATEGORY_ID": CATEGORY}},
}
ITEMS = [
    {"gsid": "1I00A", "name": "Pilot", "active": True, "systemName": "PILOT"},
    {"gsid": "1I00B", "name": "Old", "active": "false"},
    {"gsid": "1I00C", "name": "Gone", "active": True, "deleted": True},
]


def test_picklist_options_are_loaded_from_category_once(
    client: GainsightClient, requests_mock: Any
) -> None:
    again = {**TAGS, "fieldName": "MoreTags"}
    requests_mock.get(DESCRIBE, json=success([{"objectName": "company", "fields": [TAGS, again]}]))
    asked = requests_mock.get(DROPDOWN, json=success({"childItems": ITEMS}))
    fields = client.metadata.describe("Company").fields
    assert asked.call_count == 0
    for each in fields:
        assert each.options == ()
        assert each.load_options() == (
            PicklistOption("1I00A", "Pilot", active=True),
            PicklistOption("1I00B", "Old", active=False),
        )
    assert asked.call_count == 1


@pytest.mark.parametrize(
    "answer",
    [
        {"status_code": 404, "json": failure("GS_APIG_1000")},
        {"status_code": 403, "json": failure("GS_APIG_2403")},
        {"status_code": 400, "json": failure("GSOBJ_1008")},
        {"json": success({"childItems": []})},
        {"json": success({"childItems": ITEMS, "categoryDetails": {"count": 500}})},
    ],
)
def test_incomplete_category_has_no_options(
    client: GainsightClient, requests_mock: Any, answer: Any
) -> None:
    requests_mock.get(DESCRIBE, json=success([{"objectName": "company", "fields": [TAGS]}]))
    asked = requests_mock.get(DROPDOWN, **answer)
    [tags] = client.metadata.describe("Company").fields
    assert [tags.load_options(), tags.load_options()] == [(), ()]
    assert asked.call_count == 1


def test_picklist_without_category_has_no_options(
    client: GainsightClient, requests_mock: Any
) -> None:
    nameless = {**TAGS, "meta": {}}
    requests_mock.get(DESCRIBE, json=success([{"objectName": "company", "fields": [nameless]}]))
    [tags] = client.metadata.describe("Company").fields
    assert tags.load_options() == ()
