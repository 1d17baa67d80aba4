"""Records are written 50 a call and read in pages of 5,000, and responses are read completely."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from answering import TENANT, failure, success, written

from target_gainsight.api import (
    FieldFailure,
    GainsightClient,
    NotFoundError,
    RecordsApi,
    RefusedError,
    UnavailableError,
    UnknownOutcomeError,
    UnreadableFieldError,
    is_in,
)

COMPANY = f"{TENANT}/v1/data/objects/Company"
QUERY = f"{TENANT}/v1/data/objects/query/Company"


@pytest.fixture
def records(acquainted: GainsightClient) -> RecordsApi:
    return acquainted.records


def rows(first: int, last: int) -> list[dict[str, str]]:
    return [{"Gsid": f"1P02{number:032}"} for number in range(first, last)]


def test_insert_posts_records(records: RecordsApi, requests_mock: Any) -> None:
    requests_mock.post(
        COMPANY,
        json=written({"Name": "Initech", "Gsid": "1P02A"}, {"Name": "Umbrella", "Gsid": "1P02B"}),
        headers={"Date": "Thu, 01 Jan 2026 12:00:05 GMT"},
    )
    answer = records.insert("Company", [{"Name": "Initech"}, {"Name": "Umbrella"}])
    assert requests_mock.last_request.json() == {
        "records": [{"Name": "Initech"}, {"Name": "Umbrella"}]
    }
    assert answer.count == 2
    assert [record["Gsid"] for record in answer.records] == ["1P02A", "1P02B"]
    assert answer.failures == ()
    assert answer.request_id == "request-1"
    assert answer.server_time is not None


def test_insert_of_unknown_outcome_is_not_repeated(records: RecordsApi, requests_mock: Any) -> None:
    sent = requests_mock.post(COMPANY, status_code=500)
    with pytest.raises(UnknownOutcomeError):
        records.insert("Company", [{"Name": "Initech"}])
    assert sent.call_count == 1


def test_update_puts_records_with_keys(records: RecordsApi, requests_mock: Any) -> None:
    requests_mock.put(COMPANY, [{"status_code": 500}, {"json": written({"Gsid": "1P02A"})}])
    records.update("Company", [{"Name": "Initech", "Arr": 5}], keys=["Name", "Region__gc"])
    assert requests_mock.last_request.url == f"{COMPANY}?keys=Name,Region__gc"
    assert requests_mock.last_request.json() == {"records": [{"Name": "Initech", "Arr": 5}]}


def test_object_names_are_quoted(records: RecordsApi, requests_mock: Any) -> None:
    requests_mock.post(f"{TENANT}/v1/data/objects/a%2F..%3Fb", json=written({"Gsid": "1"}))
    records.insert("a/..?b", [{"Name": "Initech"}])
    assert requests_mock.last_request.path == "/v1/data/objects/a%2f..%3fb"


@pytest.mark.parametrize("number", [0, 51])
def test_write_takes_one_to_fifty_records(
    records: RecordsApi, requests_mock: Any, number: int
) -> None:
    with pytest.raises(ValueError, match="1 to 50 records"):
        records.insert("Company", [{"Name": "x"}] * number)
    with pytest.raises(ValueError, match="1 to 50 records"):
        records.update("Company", [{"Name": "x"}] * number, keys=["Name"])


@pytest.mark.parametrize("keys", [[], ["A", "B", "C", "D"]])
def test_update_takes_one_to_three_keys(records: RecordsApi, keys: list[str]) -> None:
    with pytest.raises(ValueError, match="1 to 3 keys"):
        records.update("Company", [{"Name": "x"}], keys=keys)


def test_partial_success_shows_count_and_failures(records: RecordsApi, requests_mock: Any) -> None:
    error = {"errorMessage": "Too long", "errorCode": "GSOBJ_1001", "fieldName": "Name"}
    data = {"count": 1, "records": [{"Gsid": "1P02A"}], "errors": [[{"errors": [error]}]]}
    requests_mock.post(COMPANY, json=success(data))
    answer = records.insert("Company", [{"Name": "Initech"}, {"Name": "Umbrella"}])
    assert answer.count == 1
    assert len(answer.records) == 1
    assert answer.failures == (FieldFailure("Name", None, "GSOBJ_1001", "Too long"),)


@pytest.mark.parametrize(
    ("data", "count", "listed"),
    [
        ({"count": 2, "records": None, "errors": None}, 2, 0),
        ({"records": [{"Gsid": "1"}, {"Gsid": "2"}]}, 2, 2),
    ],
)
def test_count_is_read_from_count_or_records(
    records: RecordsApi, requests_mock: Any, data: Any, count: int, listed: int
) -> None:
    requests_mock.post(COMPANY, json=success(data))
    answer = records.insert("Company", [{"Name": "Initech"}, {"Name": "Umbrella"}])
    assert (answer.count, len(answer.records)) == (count, listed)


@pytest.mark.parametrize("data", [None, [], {}, {"count": True}, "ok"])
def test_success_without_count_or_records_is_malformed(
    records: RecordsApi, requests_mock: Any, data: Any
) -> None:
    requests_mock.post(COMPANY, json=success(data))
    with pytest.raises(UnknownOutcomeError):
        records.insert("Company", [{"Name": "Initech"}])
    requests_mock.put(COMPANY, json=success(data))
    with pytest.raises(UnavailableError):
        records.update("Company", [{"Name": "Initech"}], keys=["Name"])


def test_query_sends_fields_filter_order_and_page(records: RecordsApi, requests_mock: Any) -> None:
    requests_mock.post(QUERY, json=success({"records": [{"Name": "Initech"}]}))
    found = list(
        records.query(
            "Company",
            select=["Gsid", "Name"],
            where=is_in("Name", ["Initech", "Umbrella"]),
            limit=10,
        )
    )
    assert found == [{"Name": "Initech"}]
    assert requests_mock.last_request.json() == {
        "select": ["Gsid", "Name"],
        "where": {
            "conditions": [
                {
                    "name": "Name",
                    "alias": "A",
                    "value": ["Initech", "Umbrella"],
                    "operator": "IN",
                }
            ],
            "expression": "A",
        },
        "orderBy": {"Gsid": "asc"},
        "limit": 10,
        "offset": 0,
    }


def test_query_reads_full_pages_without_filter_by_default(
    records: RecordsApi, requests_mock: Any
) -> None:
    requests_mock.post(QUERY, json=success([]))
    assert list(records.query("Company", select=["Name"])) == []
    assert requests_mock.last_request.json() == {
        "select": ["Name"],
        "orderBy": {"Gsid": "asc"},
        "limit": 5000,
        "offset": 0,
    }


def pages(requests_mock: Any, *sizes: int) -> Any:
    starts = [sum(sizes[:index]) for index in range(len(sizes))]
    return requests_mock.post(
        QUERY,
        [
            {"json": success({"records": rows(start, start + size)})}
            for start, size in zip(starts, sizes, strict=True)
        ],
    )


def test_query_ends_at_short_page(records: RecordsApi, requests_mock: Any) -> None:
    asked = pages(requests_mock, 5000, 5000, 2)
    found = list(records.query("Company", select=["Gsid"]))
    assert found == rows(0, 10_002)
    assert [request.json()["offset"] for request in asked.request_history] == [0, 5000, 10_000]


def test_full_last_page_costs_one_more_call(records: RecordsApi, requests_mock: Any) -> None:
    asked = pages(requests_mock, 5000, 0)
    assert list(records.query("Company", select=["Gsid"])) == rows(0, 5000)
    assert asked.call_count == 2


def test_limit_needs_no_further_call(records: RecordsApi, requests_mock: Any) -> None:
    asked = pages(requests_mock, 5000, 1)
    assert len(list(records.query("Company", select=["Gsid"], limit=5001))) == 5001
    assert [request.json()["limit"] for request in asked.request_history] == [5000, 1]


def test_pages_are_read_lazily(records: RecordsApi, requests_mock: Any) -> None:
    asked = pages(requests_mock, 5000, 2)
    reading = records.query("Company", select=["Gsid"])
    assert asked.call_count == 0
    next(reading)
    assert asked.call_count == 1


@pytest.mark.parametrize("data", [[{"Gsid": "1"}], {"records": [{"Gsid": "1"}]}])
def test_rows_are_read_bare_or_under_records(
    records: RecordsApi, requests_mock: Any, data: Any
) -> None:
    requests_mock.post(QUERY, json=success(data))
    assert list(records.query("Company", select=["Gsid"])) == [{"Gsid": "1"}]


NO_DATA = failure("GSOBJ_1XXX", "No data found for given criteria")
NOTHING_MATCHES = failure("GSOBJ_1011", "No entity matches the given criteria")


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        (200, success([])),
        (200, success({"records": []})),
        (200, NO_DATA),
        (400, NO_DATA),
        (404, NO_DATA),
        (400, failure("GSOBJ_1099", "no data")),
        (400, NOTHING_MATCHES),
    ],
)
def test_every_form_of_no_rows_is_read(
    records: RecordsApi, requests_mock: Any, status: int, answer: Any
) -> None:
    requests_mock.post(QUERY, status_code=status, json=answer)
    assert list(records.query("Company", select=["Gsid"])) == []


def test_page_of_a_hundred_rows_is_not_taken_for_the_last(
    records: RecordsApi, requests_mock: Any
) -> None:
    pages = [[{"Gsid": f"{page}-{n}"} for n in range(count)] for page, count in enumerate((100, 7))]
    asked = requests_mock.post(QUERY, [{"json": success(page)} for page in pages])
    assert len(list(records.query("Company", select=["Gsid"]))) == 107
    assert [request.json()["offset"] for request in asked.request_history] == [0, 100]


def test_page_that_repeats_for_another_offset_is_a_refusal(
    records: RecordsApi, requests_mock: Any
) -> None:
    page = requests_mock.post(QUERY, json=success([{"Gsid": str(n)} for n in range(100)]))
    with pytest.raises(RefusedError, match="the same rows of Company for another offset"):
        list(records.query("Company", select=["Gsid"]))
    assert page.call_count == 2


@pytest.mark.parametrize("data", [None, {}, {"records": None}])
def test_response_without_a_list_of_rows_is_not_read_as_empty(
    records: RecordsApi, requests_mock: Any, data: Any
) -> None:
    requests_mock.post(QUERY, json=success(data))
    with pytest.raises(UnavailableError, match="does not have the shape"):
        list(records.query("Company", select=["Gsid"]))


@pytest.mark.parametrize(
    "description", ["Invalid field Nmae", "No data type fits the field Nmae", "Nothing found"]
)
def test_refused_query_does_not_pass_for_no_rows(
    records: RecordsApi, requests_mock: Any, description: str
) -> None:
    requests_mock.post(QUERY, status_code=400, json=failure("GSOBJ_1002", description))
    with pytest.raises(RefusedError):
        list(records.query("Company", select=["Nmae"]))


def test_update_without_match_is_refused(records: RecordsApi, requests_mock: Any) -> None:
    requests_mock.put(COMPANY, status_code=400, json=NOTHING_MATCHES)
    with pytest.raises(RefusedError):
        records.update("Company", [{"Name": "Initech"}], keys=["Name"])


def test_row_keys_are_spelled_as_selected(records: RecordsApi, requests_mock: Any) -> None:
    row = {"gsid": "1P02A", "NAME": "Initech", "Csm__GR.email": "a@x.io", "Stage_PicklistLabel": 1}
    requests_mock.post(QUERY, json=success([row]))
    [found] = records.query("Company", select=["Gsid", "Name", "Csm__gr.Email", "Stage"])
    assert (found["Gsid"], found["Name"], found["Csm__gr.Email"]) == ("1P02A", "Initech", "a@x.io")
    assert "Stage" not in found


def test_exact_row_key_precedes_other_spellings(records: RecordsApi, requests_mock: Any) -> None:
    requests_mock.post(QUERY, json=success([{"name": "lower", "Name": "exact"}]))
    [found] = records.query("Company", select=["Name"])
    assert found["Name"] == "exact"


@pytest.mark.parametrize(
    ("code", "description", "named"),
    [
        ("P_5005", "Column t1.Renewal_Date does not exist", ("Renewal_Date",)),
        ("P_5026", "Invalid column RENEWAL_DATE.", ("Renewal_Date",)),
        ("GSOBJ_1002", "Invalid field Renewal_Date in object company", ("Renewal_Date",)),
        ("P_5068", "Stage__gr is not a lookup", ("Stage__gr.Name",)),
        ("P_5005", "Column t1.c_4711 does not exist", ()),
        ("GSOBJ_1002", "Invalid field name: Renewal_Date", ("Renewal_Date",)),
        ("GSOBJ_1002", "Invalid field Name", ("Name",)),
    ],
)
def test_unreadable_field_is_named(
    records: RecordsApi, requests_mock: Any, code: str, description: str, named: Any
) -> None:
    requests_mock.post(QUERY, status_code=400, json=failure(code, description))
    with pytest.raises(UnreadableFieldError) as caught:
        list(records.query("Company", select=["Gsid", "Name", "Renewal_Date", "Stage__gr.Name"]))
    assert caught.value.fields == named


def test_unreadable_object_is_given_up_after_three_server_errors(
    records: RecordsApi, requests_mock: Any
) -> None:
    asked = requests_mock.post(QUERY, status_code=500, json=failure("GU_1101"))
    with pytest.raises(UnavailableError, match="Company has answered every query with"):
        list(records.query("Company", select=["Gsid"]))
    assert asked.call_count == 3


@pytest.mark.parametrize(
    "first", [{"json": success([])}, {"status_code": 400, "json": failure("x")}]
)
def test_readable_object_is_retried_on_server_errors(
    records: RecordsApi, requests_mock: Any, first: Any
) -> None:
    failed = {"status_code": 500, "json": failure("GU_1101")}
    requests_mock.post(QUERY, [first, *[failed] * 4, {"json": success([{"Gsid": "1"}])}])
    with suppress(RefusedError):
        list(records.query("Company", select=["Gsid"]))
    assert list(records.query("Company", select=["Gsid"])) == [{"Gsid": "1"}]


def test_other_server_errors_of_unread_object_are_retried(
    records: RecordsApi, requests_mock: Any
) -> None:
    busy = {"status_code": 503, "json": failure("x")}
    requests_mock.post(QUERY, [*[busy] * 4, {"json": success([])}])
    assert list(records.query("Company", select=["Gsid"])) == []


@pytest.mark.parametrize("data", [{"Gsid": "1P02A"}, {"records": [{"Gsid": "1P02A"}]}])
def test_get_reads_record_by_gsid(records: RecordsApi, requests_mock: Any, data: Any) -> None:
    requests_mock.get(f"{COMPANY}/1P02A", json=success(data))
    assert records.get("Company", "1P02A") == {"Gsid": "1P02A"}


@pytest.mark.parametrize(
    "answer",
    [
        {"json": success(None)},
        {"status_code": 404, "json": failure("GSOBJ_1011")},
        {"status_code": 400, "json": failure("GSOBJ_1011")},
    ],
)
def test_get_of_missing_record_is_not_found(
    records: RecordsApi, requests_mock: Any, answer: Any
) -> None:
    requests_mock.get(f"{COMPANY}/1P02A", **answer)
    with pytest.raises(NotFoundError):
        records.get("Company", "1P02A")


def test_delete_removes_record_by_gsid(records: RecordsApi, requests_mock: Any) -> None:
    deleted = requests_mock.delete(f"{COMPANY}/1P02A", json=success())
    records.delete("Company", "1P02A")
    assert deleted.call_count == 1


@pytest.mark.parametrize("status", [400, 500])
def test_refused_delete_is_not_repeated(
    records: RecordsApi, requests_mock: Any, status: int
) -> None:
    refusal = failure("GSOBJ_1003", "Delete failed")
    deleted = requests_mock.delete(f"{COMPANY}/1P02A", status_code=status, json=refusal)
    with pytest.raises(RefusedError, match="does not delete") as refused:
        records.delete("Company", "1P02A")
    assert (refused.value.code, deleted.call_count) == ("GSOBJ_1003", 1)


def test_delete_without_a_response_has_an_unknown_outcome(
    records: RecordsApi, requests_mock: Any
) -> None:
    deleted = requests_mock.delete(f"{COMPANY}/1P02A", status_code=502)
    with pytest.raises(UnknownOutcomeError):
        records.delete("Company", "1P02A", repeatable=False)
    assert deleted.call_count == 1


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"count": 0},
        "none",
        {"records": "none"},
        ["unexpected"],
        {"records": ["unexpected"]},
        {"records": [{"Gsid": "1"}, None]},
        7,
    ],
)
def test_malformed_rows_do_not_pass_for_no_rows(
    records: RecordsApi, requests_mock: Any, data: Any
) -> None:
    broken, whole = {"json": success(data)}, {"json": success({"records": []})}
    asked = requests_mock.post(QUERY, [broken, broken, whole])
    assert list(records.query("Company", select=["Gsid"])) == []
    assert asked.call_count == 3


FAILED = {"errorMessage": "Invalid date", "errorCode": "GSOBJ_1006", "fieldName": "RenewalDate"}
NAMED = FieldFailure("RenewalDate", "2026-13-01", "GSOBJ_1006", "Invalid date")


@pytest.mark.parametrize(
    "description",
    [
        "Invalid date (RenewalDate = 2026-13-01).",
        "Invalid date (RenewalDate= 2026-13-01)",
        "Invalid date (RenewalDate=2026-13-01)",
        "Invalid date ( RenewalDate = 2026-13-01 ).",
    ],
)
@pytest.mark.parametrize(
    "listed",
    [
        None,
        [],
        [{"errors": [FAILED]}],
        [[{"success": False, "errors": [FAILED]}]],
        [{"fieldName": "RenewalDate"}],
    ],
)
def test_field_and_value_are_read_from_list_or_description(
    records: RecordsApi, requests_mock: Any, description: str, listed: Any
) -> None:
    answer = failure("GSOBJ_1006", description, {"count": 0, "records": None, "errors": listed})
    requests_mock.post(COMPANY, status_code=400, json=answer)
    with pytest.raises(RefusedError) as caught:
        records.insert("Company", [{"Name": "Initech"}])
    assert caught.value.failures == (NAMED,)


def test_null_in_description_is_not_text(records: RecordsApi, requests_mock: Any) -> None:
    answer = failure("GSOBJ_1007", "Name must not be null (Name = null).")
    requests_mock.post(COMPANY, status_code=400, json=answer)
    with pytest.raises(RefusedError) as caught:
        records.insert("Company", [{"Industry": "IT"}])
    [named] = caught.value.failures
    assert (named.field, named.value) == ("Name", None)
