"""Section 6: what each type accepts, and what a read returns for it."""

from __future__ import annotations

from typing import Any

import pytest
import requests
from tenant_api import Api, OpenTenant

TYPES = "Types__gc"


def _write(api: Api, field: str, value: Any) -> requests.Response:
    return api.insert(TYPES, {"needed__gc": "n", field: value})


def _written(api: Api, field: str, value: Any) -> Any:
    answer = _write(api, field, value)
    assert answer.status_code == 200, answer.text
    return api.tenant.rows(TYPES)[-1][field]


def _read(api: Api, field: str) -> Any:
    return api.found(TYPES, [field], orderBy={"CreatedDate": "desc"})[0][field]


def _code(api: Api, field: str, value: Any) -> str:
    answer = _write(api, field, value)
    assert answer.status_code == 400, answer.text
    return answer.json()["errorCode"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("text__gc", "x" * 10),
        ("text__gc", ""),
        ("text__gc", "Ünï😀'\";--"),
        ("email__gc", "ada@x.example"),
        ("url__gc", "https://x.example"),
        ("rich__gc", "<p>" + "x" * 100_000),
        ("number__gc", 0),
        ("number__gc", -12.5),
        ("number__gc", 9007199254740993),
        ("money__gc", 1234567.89),
        ("share__gc", 99.5),
        ("flag__gc", True),
        ("flag__gc", False),
        ("json__gc", {"a": [1, None]}),
    ],
)
def test_text_numbers_and_booleans_are_read_as_written(api: Api, field: str, value: Any) -> None:
    assert _written(api, field, value) == value
    assert _read(api, field) == value
    assert type(_read(api, field)) is type(value)


def test_number_beyond_64_bits_is_kept_as_decimal(api: Api) -> None:
    assert _written(api, "number__gc", 10**20) == 1e20


@pytest.mark.parametrize("number", ["1e999", "-1e999", "1" + "0" * 400])
def test_infinite_number_is_refused(api: Api, number: str) -> None:
    answer = api.session.post(
        f"{api.running.base_url}/v1/data/objects/{TYPES}",
        data=f'{{"records": [{{"needed__gc": "n", "number__gc": {number}}}]}}',
        timeout=60,
    )
    assert answer.status_code == 400
    assert answer.json()["result"] is False


def test_half_a_surrogate_pair_is_refused(api: Api) -> None:
    assert _code(api, "text__gc", "\ud800") == "GSOBJ_1002"


@pytest.mark.parametrize("field", ["text__gc", "url__gc", "email__gc"])
def test_text_over_its_length_is_1001(api: Api, field: str) -> None:
    assert _code(api, field, "a@" + "x" * 300 + ".example") == "GSOBJ_1001"


@pytest.mark.parametrize("value", [1, 1.5, True, ["x"], {"a": 1}])
def test_text_must_be_text(api: Api, value: Any) -> None:
    assert _code(api, "text__gc", value) == "GSOBJ_1002"


@pytest.mark.parametrize("value", ["ada", "ada@x", "ada park@x.example", "@x.example"])
def test_email_format_is_checked(api: Api, value: Any) -> None:
    assert _code(api, "email__gc", value) == "GSOBJ_1002"


@pytest.mark.parametrize("field", ["number__gc", "money__gc", "share__gc"])
@pytest.mark.parametrize("value", ["12", "1,234", "x", True, [1]])
def test_numbers_must_be_json_numbers(api: Api, field: str, value: Any) -> None:
    assert _code(api, field, value) == "GSOBJ_1002"


def test_numbers_as_text_are_a_switch(open_tenant: OpenTenant) -> None:
    api = open_tenant(switches={"numeric_strings": True})
    assert _written(api, "number__gc", "-12.5") == -12.5
    assert _written(api, "number__gc", "+7") == 7
    assert _code(api, "number__gc", "1,234") == "GSOBJ_1002"


@pytest.mark.parametrize("value", ["true", 1, 0, "yes"])
def test_booleans_are_true_and_false_alone(api: Api, value: Any) -> None:
    assert _code(api, "flag__gc", value) == "GSOBJ_1008"


@pytest.mark.parametrize(
    ("formats", "accepted", "refused"),
    [
        ("both", ["2026-01-31", "01-31-2026"], ["31.01.2026", "2026-1-31", "2026-02-30", "", 0]),
        ("iso", ["2026-01-31"], ["01-31-2026", "2026-01-31T00:00:00Z"]),
        ("mdy", ["01-31-2026"], ["2026-01-31", "13-01-2026"]),
    ],
)
def test_date_formats_are_a_switch(
    open_tenant: OpenTenant, formats: str, accepted: Any, refused: Any
) -> None:
    api = open_tenant(switches={"date_formats": formats})
    for value in accepted:
        assert _written(api, "day__gc", value) == "2026-01-31"
    for value in refused:
        assert _code(api, "day__gc", value) == "GSOBJ_1006"


def test_date_is_returned_as_iso_or_epoch_milliseconds(open_tenant: OpenTenant) -> None:
    api = open_tenant(switches={"date_read": "iso"})
    _write(api, "day__gc", "2026-01-31")
    assert _read(api, "day__gc") == "2026-01-31"
    api = open_tenant(path="other.db")
    _write(api, "day__gc", "1969-12-31")
    assert _read(api, "day__gc") == -86_400_000


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        ("2026-01-31T10:00:00.123Z", "2026-01-31T10:00:00.123Z"),
        ("2026-01-31T10:00:00Z", "2026-01-31T10:00:00.000Z"),
        ("2026-01-31T10:00:00.5+02:00", "2026-01-31T08:00:00.500Z"),
        ("2026-01-31T10:00:00.123456-0530", "2026-01-31T15:30:00.123Z"),
    ],
)
def test_datetime_is_iso_with_t_and_offset(api: Api, value: Any, stored: Any) -> None:
    assert _written(api, "moment__gc", value) == stored


@pytest.mark.parametrize(
    "value",
    [
        "2026-01-31",
        "2026-01-31 10:00:00Z",
        "2026-01-31T10:00:00",
        "2026-02-31T10:00:00Z",
        "2026-01-31T10:00:00+99:00",
        "9999-12-31T23:59:59-12:00",
        "",
        1_780_000_000_000,
    ],
)
def test_any_other_datetime_is_1005(api: Api, value: Any) -> None:
    assert _code(api, "moment__gc", value) == "GSOBJ_1005"


def test_requiring_milliseconds_is_a_switch(open_tenant: OpenTenant) -> None:
    api = open_tenant(switches={"datetime_milliseconds_required": True})
    assert _code(api, "moment__gc", "2026-01-31T10:00:00Z") == "GSOBJ_1005"
    assert _write(api, "moment__gc", "2026-01-31T10:00:00.000Z").status_code == 200


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ("iso", "2026-01-31T10:00:00.120Z"),
        ("epoch_ms", 1_769_853_600_120),
        ("spaced", "2026-01-31 10:00:00.1"),
    ],
)
def test_datetime_is_returned_in_one_of_three_forms(
    open_tenant: OpenTenant, form: str, expected: Any
) -> None:
    api = open_tenant(switches={"datetime_read": form})
    _write(api, "moment__gc", "2026-01-31T10:00:00.120Z")
    assert _read(api, "moment__gc") == expected


def test_picklist_accepts_label_or_item_and_returns_item(api: Api) -> None:
    assert _written(api, "choice__gc", "Red") == "Red"
    item = _read(api, "choice__gc")
    assert item.startswith("1I00")
    assert len(item) == 36
    assert _written(api, "choice__gc", item) == "Red"


@pytest.mark.parametrize("value", ["Green", "red", "Old", "", 1, ["Red"], "1I00" + "A" * 32])
def test_any_other_picklist_value_is_1012(api: Api, value: Any) -> None:
    assert _code(api, "choice__gc", value) == "GSOBJ_1012"


def test_inactive_item_is_refused_by_gsid(api: Api) -> None:
    described = api.call("GET", "/v1/meta/services/objects/Types__gc/describe").json()["data"][0]
    options = next(f for f in described["fields"] if f["fieldName"] == "choice__gc")["options"]
    old = next(option for option in options if not option["active"])
    assert _code(api, "choice__gc", old["value"]) == "GSOBJ_1012"


def test_labels_without_case_are_a_switch(open_tenant: OpenTenant) -> None:
    api = open_tenant(switches={"picklist_ignores_case": True})
    assert _written(api, "choice__gc", "rED") == "Red"


def test_multi_select_accepts_list_and_returns_joined_text(api: Api) -> None:
    assert _written(api, "choices__gc", ["B", "A", "B"]) == ["B", "A"]
    first, second, rest = _read(api, "choices__gc").split(";")
    assert rest == ""
    assert {first[:4], second[:4]} == {"1I00"}
    assert _written(api, "choices__gc", [first]) == ["B"]


def test_empty_multi_select_is_null(api: Api) -> None:
    assert _written(api, "choices__gc", []) is None
    assert _read(api, "choices__gc") is None


@pytest.mark.parametrize("value", ["A", "A;B", ["D"], [1], {"A": 1}])
def test_any_other_multi_select_value_is_1012(api: Api, value: Any) -> None:
    assert _code(api, "choices__gc", value) == "GSOBJ_1012"


def test_invalid_value_of_picklist_is_a_list(api: Api) -> None:
    for field, value in (("choice__gc", "Green"), ("choices__gc", ["D"])):
        error = _write(api, field, value).json()["data"]["errors"][0][0]["errors"][0]
        assert error["invalidValue"] == (value if isinstance(value, list) else [value])


def test_lookup_accepts_gsid_of_record(api: Api) -> None:
    gsid = api.inserted("Company", {"Name": "Acme"})[0]
    assert _written(api, "company__gc", gsid) == gsid
    assert _read(api, "company__gc") == gsid


@pytest.mark.parametrize("value", ["Acme", "1P02", "1p02" + "a" * 32, 5, "1P02" + "A" * 32])
def test_any_other_lookup_value_is_1002(api: Api, value: Any) -> None:
    assert _code(api, "company__gc", value) == "GSOBJ_1002"


def test_that_a_lookups_record_exists_is_a_switch(open_tenant: OpenTenant) -> None:
    api = open_tenant(switches={"lookup_must_exist": False})
    assert _write(api, "company__gc", "1P02" + "A" * 32).status_code == 200
    assert _code(api, "company__gc", "1P02") == "GSOBJ_1002"


_FILLED = {
    "text__gc": "x",
    "number__gc": 1,
    "flag__gc": True,
    "day__gc": "2026-01-31",
    "moment__gc": "2026-01-31T10:00:00Z",
    "choice__gc": "Red",
    "choices__gc": ["A"],
    "json__gc": {"a": 1},
}


def test_null_clears_and_an_omitted_field_stays(api: Api) -> None:
    gsid = api.inserted(TYPES, {"needed__gc": "n", **_FILLED})[0]
    api.update(TYPES, "Gsid", {"Gsid": gsid, **dict.fromkeys(list(_FILLED)[:4])})
    row = api.tenant.rows(TYPES)[0]
    assert [row[name] for name in list(_FILLED)[:4]] == [None] * 4
    assert row["choice__gc"] == "Red"
    assert row["choices__gc"] == ["A"]


def test_null_in_a_field_that_is_not_nillable_is_1007(api: Api) -> None:
    assert _code(api, "needed__gc", None) == "GSOBJ_1007"
    gsid = api.inserted("Company", {"Name": "A"})[0]
    answer = api.update("Company", "Gsid", {"Gsid": gsid, "Name": None})
    assert answer.json()["errorCode"] == "GSOBJ_1007"


def test_empty_dates_are_returned_as_empty_text(api: Api) -> None:
    api.inserted(TYPES, {"needed__gc": "n"})
    row = api.found(TYPES, list(_FILLED))[0]
    empty = {"day__gc": "", "moment__gc": ""}
    assert row == {**dict.fromkeys(_FILLED), **empty}


def test_reading_empty_text_as_blank_is_a_switch(open_tenant: OpenTenant) -> None:
    api = open_tenant(switches={"empty_text_read": "blank"})
    api.inserted(TYPES, {"needed__gc": "n"})
    assert api.found(TYPES, ["text__gc", "number__gc"]) == [{"text__gc": "", "number__gc": None}]
