"""One refusal never costs its neighbors, whatever its errors name."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
from singer_messages import TEXT, Message, companies, record, schema, state
from singer_runs import Tenant
from wire import Call, refusal, wired

from target_gainsight.sandbox import ServerRule

LISTINGS = ("nested", "flat", "missing", "first_only")
FORBIDDEN = ServerRule("company", "Industry", "forbidden")
NAMED_ALONE = ServerRule("company", "Industry", "forbidden", code="GSOBJ_1002")


def batch_with_bad(count: int, bad: dict[int, str]) -> list[Message]:
    """Companies C0, C1, …, some with an industry that the tenant refuses."""
    return [
        record(Name=f"C{number}", Industry=bad.get(number, f"industry {number}"))
        for number in range(count)
    ]


def writes(tenant: Tenant) -> int:
    calls = tenant.count_calls()
    return calls["insert"] + calls["update"]


@pytest.mark.parametrize("tail", ["spaced", "tight"])
@pytest.mark.parametrize("listing", LISTINGS)
@pytest.mark.parametrize(
    ("field", "value", "good"),
    [
        ("Industry", "forbidden", "allowed"),
        ("Employees", 13, 7),
        ("ARR", 1234.5, 10.25),
        ("RenewalDate", "2026-02-03", "2026-03-01"),
        ("Tags", ["Pilot"], ["Reference"]),
        ("Summary", "a (b = c) d", "fine"),
        ("Industry", "gold", "Gold"),
    ],
)
def test_one_bad_record_in_fifty_is_found_in_three_writes(
    start_tenant: Callable[..., Tenant], listing: str, tail: str, field: str, value: Any, good: Any
) -> None:
    tenant = start_tenant(switches={"error_listing": listing, "error_tail": tail})
    refused = [value, "02-03-2026"] if field == "RenewalDate" else [value]
    code = "GSOBJ_1006" if field == "RenewalDate" else "GSOBJ_1012"
    tenant.sandbox.tenant.faults.rules.extend(
        ServerRule("company", field, each, code=code) for each in refused
    )
    columns = {"Name": TEXT, field: {"type": ["string", "number", "array", "null"]}}
    lines = [record(Name=f"C{n}", **{field: value if n == 31 else good}) for n in range(50)]
    run = tenant.load(schema(columns=columns), *lines)
    assert run.outcomes() == {"created": 49, "rejected": 1}
    assert writes(tenant) <= 3
    assert run.rejects[0]["record"]["Name"] == "C31"


@pytest.mark.parametrize(
    ("listing", "place"), [("nested", 0), ("nested", 17), *((each, 977) for each in LISTINGS)]
)
@pytest.mark.parametrize("rule", [FORBIDDEN, NAMED_ALONE])
def test_one_bad_record_in_a_thousand_costs_at_most_two_extra_calls(
    start_tenant: Callable[..., Tenant], listing: str, rule: ServerRule, place: int
) -> None:
    tenant = start_tenant(switches={"error_listing": listing})
    tenant.sandbox.tenant.faults.rules.append(rule)
    lines = batch_with_bad(1000, {place: "forbidden"})
    run = tenant.load(schema(), *lines, state(done=1))
    assert run.outcomes() == {"created": 999, "rejected": 1}
    assert writes(tenant) <= 20 + 2
    assert [reject["record"]["Name"] for reject in run.rejects] == [f"C{place}"]
    reason = run.rejects[0]["gainsight_reject"]
    assert (reason["code"], reason["field"]) == (rule.code, "Industry")
    assert reason["request_id"]
    assert f"C{place}" not in tenant.count_names()
    assert run.states == [{"done": 1}]


@pytest.mark.parametrize("place", [0, 1, 24, 25, 49])
def test_refusal_without_details_costs_two_calls_per_halving(tenant: Tenant, place: int) -> None:
    tenant.sandbox.tenant.faults.rules.append(FORBIDDEN)
    http = wired(after=name_nothing)
    run = tenant.load(schema(), *batch_with_bad(50, {place: "forbidden"}), http=http)
    assert run.outcomes() == {"created": 49, "rejected": 1}
    assert writes(tenant) - 1 <= 2 * math.ceil(math.log2(50))
    assert run.rejects[0]["record"]["Name"] == f"C{place}"


def name_nothing(call: Call, status: int, envelope: Message) -> tuple[int, Message]:
    """Let the tenant refuse without naming field or value."""
    if envelope["result"]:
        return status, envelope
    return refusal(FORBIDDEN.code, "Something is wrong")


@pytest.mark.parametrize("listing", LISTINGS)
@pytest.mark.parametrize("count", [2, 5, 50])
def test_exactly_the_bad_records_are_rejected(
    start_tenant: Callable[..., Tenant], listing: str, count: int
) -> None:
    tenant = start_tenant(switches={"error_listing": listing})
    tenant.sandbox.tenant.faults.rules.extend(
        ServerRule("company", "Industry", f"bad {number}", code="GSOBJ_1012")
        for number in range(count)
    )
    bad = {number * 50 // count: f"bad {number}" for number in range(count)}
    run = tenant.load(schema(), *batch_with_bad(50, bad))
    expected = {"created": 50 - count, "rejected": count}
    assert run.outcomes() == {name: number for name, number in expected.items() if number}
    assert [int(reject["record"]["Name"][1:]) for reject in run.rejects] == sorted(bad)


@pytest.mark.parametrize("listing", LISTINGS)
def test_good_record_with_refused_value_is_loaded(
    start_tenant: Callable[..., Tenant], listing: str
) -> None:
    """The rule concerns two fields together; the response names a value that others hold, too."""
    tenant = start_tenant(switches={"error_listing": listing})
    rule = ServerRule(
        "company", "Industry", "shared", code="GSOBJ_1012", where=(("Employees", 13),)
    )
    tenant.sandbox.tenant.faults.rules.append(rule)
    lines = [
        record(Name=f"C{number}", Industry="shared", Employees=13 if number in (7, 31) else number)
        for number in (*range(13), *range(14, 51))
    ]
    run = tenant.load(schema(), *lines)
    assert run.outcomes() == {"created": 48, "rejected": 2}
    assert [reject["record"]["Name"] for reject in run.rejects] == ["C7", "C31"]


@pytest.mark.parametrize("listing", LISTINGS)
def test_refused_updates_are_isolated_like_inserts(
    start_tenant: Callable[..., Tenant], listing: str
) -> None:
    tenant = start_tenant(switches={"error_listing": listing})
    tenant.sandbox.tenant.seed("company", [{"Name": f"C{number}"} for number in range(50)])
    tenant.sandbox.tenant.faults.rules.append(FORBIDDEN)
    run = tenant.load(schema(), *batch_with_bad(50, {3: "forbidden"}))
    assert run.outcomes() == {"updated": 49, "rejected": 1}
    assert writes(tenant) <= 1 + 2


def test_concurrently_deleted_row_rejects_record_alone(tenant: Tenant) -> None:
    tenant.sandbox.tenant.seed("company", [{"Name": f"C{number}"} for number in range(50)])

    def delete_after_read(call: Call, status: int, envelope: Message) -> tuple[int, Message]:
        if call.path.endswith("/query/company"):
            tenant.delete("company", Name="C9")
        return status, envelope

    run = tenant.load(
        schema(), *companies(range(50), Industry="new"), http=wired(after=delete_after_read)
    )
    assert run.outcomes() == {"updated": 49, "rejected": 1}
    assert run.codes == ["GSOBJ_1011"]
    assert run.rejects[0]["record"]["Name"] == "C9"


@pytest.mark.parametrize("listing", LISTINGS)
@pytest.mark.parametrize("wanted", ["iso", "mdy"])
@pytest.mark.parametrize("written", ["iso", "MM-DD-YYYY"])
def test_other_date_format_is_tried_once_and_kept(
    start_tenant: Callable[..., Tenant], listing: str, wanted: str, written: str
) -> None:
    tenant = start_tenant(switches={"error_listing": listing, "date_formats": wanted})
    lines = [record(Name=f"C{n}", RenewalDate=f"2026-03-{n % 28 + 1:02}") for n in range(200)]
    run = tenant.load(schema(), *lines, date_format=written, max_concurrency=1)
    assert run.outcomes() == {"created": 200}
    right = (wanted == "iso") == (written == "iso")
    assert writes(tenant) == (4 if right else 5)
    assert sum("dates are written in that format from now on" in line for line in run.log) == (
        0 if right else 1
    )
    assert tenant.rows("company", Name="C1")[0]["RenewalDate"] == "2026-03-02"


def test_concurrent_batches_agree_on_date_format(start_tenant: Callable[..., Tenant]) -> None:
    tenant = start_tenant(switches={"date_formats": "mdy"})
    lines = [record(Name=f"C{n}", RenewalDate="2026-03-01") for n in range(1000)]
    assert tenant.load(schema(), *lines).outcomes() == {"created": 1000}


@pytest.mark.parametrize("listing", LISTINGS)
@pytest.mark.parametrize("wanted", ["both", "iso", "mdy"])
def test_date_bad_in_both_formats_rejects_record_alone(
    start_tenant: Callable[..., Tenant], listing: str, wanted: str
) -> None:
    tenant = start_tenant(switches={"error_listing": listing, "date_formats": wanted})
    for bad in ("2026-02-03", "02-03-2026"):
        tenant.sandbox.tenant.faults.rules.append(
            ServerRule("company", "RenewalDate", bad, code="GSOBJ_1006")
        )
    days = {n: "2026-02-03" if n == 7 else f"2026-03-{n % 28 + 1:02}" for n in range(50)}
    run = tenant.load(schema(), *(record(Name=f"C{n}", RenewalDate=days[n]) for n in days))
    assert run.outcomes() == {"created": 49, "rejected": 1}
    assert run.codes == ["GSOBJ_1006"]
    assert run.rejects[0]["record"]["Name"] == "C7"
    if wanted == "both":
        assert writes(tenant) <= 1 + 2


@pytest.mark.parametrize("listing", LISTINGS)
def test_date_format_changes_despite_other_errors(
    start_tenant: Callable[..., Tenant], listing: str
) -> None:
    tenant = start_tenant(switches={"error_listing": listing, "date_formats": "mdy"})
    tenant.sandbox.tenant.faults.rules.append(FORBIDDEN)
    lines = batch_with_bad(50, {20: "forbidden"})
    for line in lines:
        line["record"]["RenewalDate"] = f"2026-03-{int(line['record']['Name'][1:]) % 28 + 1:02}"
    run = tenant.load(schema(), *lines)
    assert run.outcomes() == {"created": 49, "rejected": 1}
    assert run.codes == ["GSOBJ_1008"]
    assert writes(tenant) <= 1 + 1 + 2


def test_successful_insert_is_never_re_sent(tenant: Tenant) -> None:
    tenant.sandbox.tenant.faults.rules.append(FORBIDDEN)
    bad = dict.fromkeys((3, 4, 30, 61, 99), "forbidden")
    run = tenant.load(schema(), *batch_with_bad(100, bad), sync_mode="insert")
    assert run.outcomes() == {"created": 95, "rejected": 5}
    assert set(tenant.count_names().values()) == {1}


def test_refused_person_is_rejected_alone(tenant: Tenant) -> None:
    tenant.sandbox.tenant.faults.rules.append(ServerRule("person", "FirstName", "bad"))
    text = {"type": ["string", "null"]}
    lines = [schema("people", {"Email": text, "FirstName": text}, keys=["Email"])]
    lines += [
        record("people", Email=f"p{n}@x.io", FirstName="bad" if n == 2 else "Ann") for n in range(5)
    ]
    run = tenant.load(*lines, object_type="person")
    assert run.outcomes("people") == {"created": 4, "rejected": 1}
