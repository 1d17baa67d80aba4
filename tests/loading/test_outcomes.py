"""Every record has exactly one outcome, in every sync mode and for every object."""

from __future__ import annotations

import csv
import itertools
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from singer_messages import Message, companies, record, schema, state
from singer_runs import Tenant
from wire import Call, wired

from target_gainsight.loading.outcomes import Reason

TEXT = {"type": ["string", "null"]}
WHOLE = {"type": ["integer", "null"]}
PEOPLE = schema("people", {"Email": TEXT, "FirstName": TEXT}, keys=["Email"])
USAGE = {
    "objects": {
        "Usage__gc": {
            "fields": {
                "Account__gc": {"type": "STRING"},
                "Month__gc": {"type": "NUMBER"},
                "Logins__gc": {"type": "NUMBER"},
            }
        }
    }
}
USAGE_COLUMNS = {"Account__gc": TEXT, "Month__gc": WHOLE, "Logins__gc": WHOLE}
USAGE_SETTINGS = {
    "object_type": "custom_object",
    "custom_object_name": "Usage__gc",
    "lookup_keys": ["Account__gc", "Month__gc"],
}


def usage(account: str, month: int, logins: int) -> Message:
    return record("usage", Account__gc=account, Month__gc=month, Logins__gc=logins)


def test_upsert_creates_updates_and_skips_unchanged(tenant: Tenant) -> None:
    tenant.sandbox.tenant.seed(
        "company", [{"Name": "C1", "Industry": "old"}, {"Name": "C2", "Industry": "new"}]
    )
    run = tenant.load(schema(), *companies(range(3), Industry="new"), state(done=1))
    assert run.exit_code == 0
    assert run.outcomes() == {"created": 1, "updated": 1, "unchanged": 1}
    assert tenant.count_names() == {"C0": 1, "C1": 1, "C2": 1}
    assert {row["Industry"] for row in tenant.rows("company")} == {"new"}
    assert run.states == [{"done": 1}]


def test_update_skips_and_lists_missing_rows(tenant: Tenant) -> None:
    tenant.sandbox.tenant.seed("company", [{"Name": "C0", "Industry": "old"}])
    run = tenant.load(schema(), *companies(range(2), Industry="new"), sync_mode="update")
    assert run.exit_code == 0
    assert run.outcomes() == {"updated": 1, "skipped": 1}
    assert run.summary["streams"]["accounts"]["skipped_because"] == {"no_match": 1}
    assert run.codes == ["no_match"]
    assert run.rejects[0]["record"] == {"Name": "C1", "Industry": "new"}
    assert run.rejects[0]["gainsight_reject"]["outcome"] == "skipped"
    assert tenant.count_names() == {"C0": 1}


def test_insert_creates_existing_records_too(tenant: Tenant) -> None:
    tenant.sandbox.tenant.seed("company", [{"Name": "C0"}])
    run = tenant.load(schema(), *companies([0, 1]), sync_mode="insert")
    assert run.outcomes() == {"created": 2}
    assert tenant.count_names() == {"C0": 2, "C1": 1}
    assert tenant.count_calls() == {"describe": 1, "insert": 1}


def test_insert_never_merges_and_keeps_order(tenant: Tenant) -> None:
    lines = [record(Name="Same", Employees=number) for number in range(120)]
    run = tenant.load(schema(), *lines, sync_mode="insert")
    assert run.outcomes() == {"created": 120}
    assert run.summary["streams"]["accounts"]["merged"] == 0
    assert [row["Employees"] for row in tenant.rows("company")] == list(range(120))


def test_people_are_created_updated_or_unchanged(tenant: Tenant) -> None:
    first = [PEOPLE, *(record("people", Email=f"p{n}@x.io", FirstName="Ann") for n in range(3))]
    assert tenant.load(*first, object_type="person").outcomes("people") == {"created": 3}
    again = [PEOPLE, record("people", Email="P0@x.io", FirstName="Ann")]
    again.append(record("people", Email="p1@x.io", FirstName="Bob"))
    assert tenant.load(*again, object_type="person").outcomes("people") == {
        "unchanged": 1,
        "updated": 1,
    }
    assert {row["Email"]: row["FirstName"] for row in tenant.rows("person")} == {
        "p0@x.io": "Ann",
        "p1@x.io": "Bob",
        "p2@x.io": "Ann",
    }


def test_person_with_errors_in_a_success_is_rejected(tenant: Tenant) -> None:
    errors = [{"errorCode": "GSOBJ_VDTEMAIL1001", "fieldName": "Email", "invalidValue": "a@x"}]

    def report_errors(call: Call, status: int, envelope: Message) -> tuple[int, Message]:
        return status, {
            **envelope,
            "data": {"errors": errors},
        } if call.method == "PUT" else envelope

    lines = [PEOPLE, record("people", Email="a@x.example")]
    run = tenant.load(*lines, object_type="person", http=wired(after=report_errors))
    assert run.codes == ["GSOBJ_VDTEMAIL1001"]


def test_update_skips_unknown_people(tenant: Tenant) -> None:
    tenant.load(PEOPLE, record("people", Email="known@x.io"), object_type="person")
    lines = [PEOPLE, record("people", Email="known@x.io", FirstName="Ann")]
    lines.append(record("people", Email="new@x.io", FirstName="Bob"))
    run = tenant.load(*lines, object_type="person", sync_mode="update")
    assert run.outcomes("people") == {"updated": 1, "skipped": 1}
    assert tenant.sandbox.tenant.count("person") == 1


def test_relationships_are_loaded_like_companies(tenant: Tenant) -> None:
    company = tenant.sandbox.tenant.seed("company", [{"Name": "Initech"}])[0]
    lines = [schema("links", {"Name": TEXT, "CompanyId": TEXT})]
    lines.append(record("links", Name="Support", CompanyId=company))
    first = tenant.load(*lines, object_type="relationship")
    second = tenant.load(*lines, object_type="relationship")
    assert (first.outcomes("links"), second.outcomes("links")) == ({"created": 1}, {"unchanged": 1})


def test_composite_keys_match_by_value_and_type(start_tenant: Callable[..., Tenant]) -> None:
    tenant = start_tenant(**USAGE)
    tenant.sandbox.tenant.seed(
        "Usage__gc",
        [
            {"Account__gc": "a", "Month__gc": 1, "Logins__gc": 10},
            {"Account__gc": "b", "Month__gc": 2, "Logins__gc": 20},
        ],
    )
    lines = [schema("usage", USAGE_COLUMNS, keys=["Account__gc", "Month__gc"])]
    lines += [usage("a", 1, 11), usage("a", 2, 12), usage("b", 1, 21), usage("b", 2, 20)]
    run = tenant.load(*lines, **USAGE_SETTINGS)
    assert run.outcomes("usage") == {"created": 2, "updated": 1, "unchanged": 1}
    held = {
        (row["Account__gc"], row["Month__gc"]): row["Logins__gc"]
        for row in tenant.rows("Usage__gc")
    }
    assert held == {("a", 1): 11, ("a", 2): 12, ("b", 1): 21, ("b", 2): 20}


@pytest.mark.parametrize("number_sent", [7, 7.0, "7"])
def test_number_key_matches_in_any_notation(
    start_tenant: Callable[..., Tenant], number_sent: object
) -> None:
    tenant = start_tenant(**USAGE)
    tenant.sandbox.tenant.seed("Usage__gc", [{"Account__gc": "a", "Month__gc": 7, "Logins__gc": 1}])
    lines = [
        schema("usage", {**USAGE_COLUMNS, "Month__gc": {}}, keys=["Account__gc"]),
        record("usage", Account__gc="a", Month__gc=number_sent, Logins__gc=2),
    ]
    assert tenant.load(*lines, **USAGE_SETTINGS).outcomes("usage") == {"updated": 1}


@pytest.mark.parametrize(
    ("sent", "held"),
    [("Initech", "INITECH"), ("INITECH", "initech"), (" Initech ", "Initech"), (" i", "I")],
)
def test_near_match_is_ambiguous_and_never_duplicated(
    start_tenant: Callable[..., Tenant], sent: str, held: str
) -> None:
    tenant = start_tenant(switches={"query_ignores_case": "all"})
    tenant.sandbox.tenant.seed("company", [{"Name": held}, {"Name": "Globex"}])
    run = tenant.load(schema(), record(Name=sent), record(Name="Globex", Employees=1))
    assert run.outcomes() == {"updated": 1, "rejected": 1}
    assert run.codes == ["ambiguous_key"]
    assert held in run.rejects[0]["gainsight_reject"]["message"]
    assert tenant.count_names() == {held: 1, "Globex": 1}


def test_blanks_around_key_do_not_hide_row(start_tenant: Callable[..., Tenant]) -> None:
    tenant = start_tenant(switches={"query_ignores_case": "none"})
    tenant.sandbox.tenant.seed("company", [{"Name": "Initech"}])
    assert tenant.load(schema(), record(Name="Initech ")).codes == ["ambiguous_key"]
    assert tenant.count_names() == {"Initech": 1}


def test_several_matching_rows_reject_record_with_their_gsids(tenant: Tenant) -> None:
    gsids = tenant.sandbox.tenant.seed(
        "company", [{"Name": "Twin"}, {"Name": "Twin"}, {"Name": "One"}]
    )
    run = tenant.load(schema(), record(Name="Twin", Employees=1), record(Name="One", Employees=1))
    assert run.outcomes() == {"updated": 1, "rejected": 1}
    assert run.codes == ["multi_match"]
    message = run.rejects[0]["gainsight_reject"]["message"]
    assert all(gsid in message for gsid in gsids[:2])


def test_only_a_few_of_many_matching_rows_are_listed(tenant: Tenant) -> None:
    tenant.sandbox.tenant.seed("company", [{"Name": "Twin"}] * 40)
    run = tenant.load(schema(), record(Name="Twin", Employees=1))
    message = run.rejects[0]["gainsight_reject"]["message"]
    assert message.startswith("40 rows of Company have this key: ")
    assert message.endswith(" and 35 more")


def test_row_that_a_response_repeats_is_one_row(tenant: Tenant) -> None:
    def repeat(call: Call, status: int, envelope: Message) -> tuple[int, Message]:
        if call.kind == "query":
            envelope["data"] *= 2
        return status, envelope

    tenant.sandbox.tenant.seed("company", [{"Name": "Acme"}])
    run = tenant.load(schema(), record(Name="Acme", Employees=1), http=wired(after=repeat))
    assert run.outcomes() == {"updated": 1}


def test_row_without_a_gsid_stops_the_run(tenant: Tenant) -> None:
    def clear_gsids(call: Call, status: int, envelope: Message) -> tuple[int, Message]:
        if call.kind == "query":
            envelope["data"] = [{**row, "Gsid": None} for row in envelope["data"]]
        return status, envelope

    tenant.sandbox.tenant.seed("company", [{"Name": "Acme"}])
    run = tenant.load(schema(), record(Name="Acme", Employees=1), http=wired(after=clear_gsids))
    assert run.exit_code == 1
    assert "returns rows of Company without Gsid" in run.error


@pytest.mark.parametrize("sync_mode", ["insert", "upsert"])
def test_rows_in_another_order_keep_their_gsids(tenant: Tenant, sync_mode: str) -> None:
    def turn_round(call: Call, status: int, envelope: Message) -> tuple[int, Message]:
        if call.kind in {"insert", "update"}:
            envelope["data"]["records"].reverse()
        return status, envelope

    lines = [schema(), *companies(range(10))]
    run = tenant.load(*lines, sync_mode=sync_mode, http=wired(after=turn_round))
    assert run.outcomes() == {"created": 10}
    with Path(run.summary["files"]["created"]).open(encoding="utf-8", newline="") as file:
        listed = {row["key"]: row["gsid"] for row in csv.DictReader(file)}
    assert listed == {row["Name"]: row["Gsid"] for row in tenant.rows("company")}


def test_reason_names_its_field_although_the_message_contains_the_word() -> None:
    reason = Reason("GSOBJ_1002", "This value is bad", field="value", value=7)
    assert str(reason) == "GSOBJ_1002: value = 7: This value is bad"


def test_multi_match_first_updates_one_row_only(tenant: Tenant) -> None:
    tenant.sandbox.tenant.seed("company", [{"Name": "Twin"}, {"Name": "Twin"}])
    run = tenant.load(schema(), record(Name="Twin", Employees=5), multi_match="first")
    assert run.outcomes() == {"updated": 1}
    assert sorted(str(row["Employees"]) for row in tenant.rows("company")) == ["5", "None"]


def test_read_refused_for_size_is_halved_for_good(start_tenant: Callable[..., Tenant]) -> None:
    tenant = start_tenant(switches={"query_max_values": 30})
    lines = [schema(), *companies(range(200))]
    run = tenant.load(*lines, read_group_size=100, near_matches="ignore")
    assert run.outcomes() == {"created": 200}
    sizes = [call.records for call in tenant.sandbox.tenant.calls(path_contains="query")]
    refused = [call for call in tenant.sandbox.tenant.calls(path_contains="query") if call.code]
    assert len(refused) == 2  # 100 and 50
    assert len(sizes) == 2 + 4 + 4
    assert tenant.load(*lines).outcomes() == {"unchanged": 200}


def test_refused_reads_stop_run(start_tenant: Callable[..., Tenant]) -> None:
    tenant = start_tenant(switches={"query_max_bytes": 10})
    run = tenant.load(schema(), *companies(range(8)), state(done=1))
    assert (run.exit_code, run.states) == (1, [])
    assert "cannot read Name of Company" in run.log[-1]


def test_repeated_key_in_group_is_merged_in_order(tenant: Tenant) -> None:
    lines = [
        record(Name="Initech", Industry="first", Employees=1),
        record(Name="Other"),
        record(Name="Initech", Employees=2, TickerSymbol="INI"),
        record(Name="Initech", Employees=3),
    ]
    run = tenant.load(schema(), *lines, state(done=1))
    assert run.outcomes() == {"created": 2, "merged": 2}
    row = tenant.rows("company", Name="Initech")[0]
    assert (row["Industry"], row["Employees"], row["TickerSymbol"]) == ("first", 3, "INI")
    assert tenant.count_names() == {"Initech": 1, "Other": 1}
    assert run.states == [{"done": 1}]


def test_later_record_waits_for_earlier_across_groups(tenant: Tenant) -> None:
    lines = [record(Name=f"C{number % 3}", Employees=number) for number in range(30)]
    run = tenant.load(schema(), *lines, read_group_size=2)
    assert tenant.count_names() == {"C0": 1, "C1": 1, "C2": 1}
    assert [row["Employees"] for row in tenant.rows("company")] == [27, 28, 29]
    assert run.outcomes() == {"created": 3, "updated": 27}


def test_refused_merge_is_sent_in_order(tenant: Tenant) -> None:
    from target_gainsight.sandbox import ServerRule

    tenant.sandbox.tenant.faults.rules.append(ServerRule("company", "Industry", "forbidden"))
    lines = [
        record(Name="Initech", Employees=1, Industry="fine"),
        record(Name="Initech", Employees=2, Industry="forbidden"),
        record(Name="Initech", Employees=3),
    ]
    run = tenant.load(schema(), *lines, state(done=1))
    assert run.outcomes() == {"created": 1, "updated": 1, "rejected": 1}
    row = tenant.rows("company", Name="Initech")[0]
    assert (row["Industry"], row["Employees"]) == ("fine", 3)
    assert [reject["record"]["Employees"] for reject in run.rejects] == [2]
    assert run.states == [{"done": 1}]


def test_unchanged_rows_are_written_if_skipping_is_off(tenant: Tenant) -> None:
    tenant.load(schema(), *companies(range(3)))
    tenant.count_calls()
    run = tenant.load(schema(), *companies(range(3), Employees=None), skip_unchanged=False)
    assert run.outcomes() == {"updated": 3}
    assert tenant.count_calls() == {"describe": 1, "query": 1, "update": 1}


def test_null_clears_field_and_is_counted(tenant: Tenant) -> None:
    tenant.sandbox.tenant.seed("company", [{"Name": "C0", "Industry": "old"}, {"Name": "C1"}])
    run = tenant.load(schema(), *companies(range(2), Industry=None))
    assert run.outcomes() == {"updated": 1, "unchanged": 1}
    assert run.summary["streams"]["accounts"]["fields_cleared"] == 1
    assert tenant.rows("company", Name="C0")[0]["Industry"] is None


def test_null_is_omitted_on_request(tenant: Tenant) -> None:
    tenant.sandbox.tenant.seed("company", [{"Name": "C0", "Industry": "old"}])
    run = tenant.load(schema(), *companies([0], Industry=None), null_values="omit")
    assert run.outcomes() == {"unchanged": 1}
    assert tenant.rows("company", Name="C0")[0]["Industry"] == "old"


def test_absent_field_is_kept(tenant: Tenant) -> None:
    tenant.sandbox.tenant.seed("company", [{"Name": "C0", "Industry": "old", "Employees": 1}])
    run = tenant.load(schema(), *companies([0], Employees=2))
    assert run.outcomes() == {"updated": 1}
    assert tenant.rows("company", Name="C0")[0]["Industry"] == "old"


def test_refused_gsid_key_switches_to_lookup_keys(start_tenant: Callable[..., Tenant]) -> None:
    tenant = start_tenant(switches={"keys_gsid_refused": True})
    tenant.sandbox.tenant.seed("company", [{"Name": f"C{number}"} for number in range(120)])
    run = tenant.load(schema(), *companies(range(120), Employees=1), max_concurrency=1)
    assert run.outcomes() == {"updated": 120}
    assert tenant.count_calls()["update"] == 4


def test_update_refused_after_the_switch_is_sent_by_lookup_keys(
    start_tenant: Callable[..., Tenant],
) -> None:
    tenant = start_tenant(switches={"keys_gsid_refused": True})
    tenant.sandbox.tenant.seed("company", [{"Name": "C0"}, {"Name": "C1"}])
    both_sent, switched, refused = threading.Barrier(2), threading.Event(), itertools.count()

    def is_by_gsid(call: Call) -> bool:
        return call.kind == "update" and "Gsid" in call.body["records"][0]

    def before(call: Call) -> None:
        if is_by_gsid(call):
            both_sent.wait(60)
        elif call.kind == "update":
            switched.set()

    def after(call: Call, status: int, envelope: Message) -> tuple[int, Message]:
        if is_by_gsid(call) and next(refused):
            switched.wait(60)
        return status, envelope

    lines = [schema(), *companies(range(2), Employees=1)]
    run = tenant.load(*lines, batch_size_rows=1, max_concurrency=2, http=wired(before, after))
    assert run.outcomes() == {"updated": 2}


@pytest.mark.parametrize(
    "switches",
    [
        {"no_rows": "no_data"},
        {"query_answer": "list"},
        {"date_read": "epoch_ms", "datetime_read": "epoch_ms"},
        {"datetime_read": "spaced", "empty_text_read": "blank"},
    ],
)
def test_second_run_writes_nothing_for_any_form_of_response(
    start_tenant: Callable[..., Tenant], switches: Message
) -> None:
    tenant = start_tenant(switches=switches)
    lines = [schema(), *companies(range(60), RenewalDate="2026-03-01", Status="Active")]
    lines += companies(range(60, 80), RenewalDate=None, Industry=None)
    assert tenant.load(*lines).outcomes() == {"created": 80}
    tenant.count_calls()
    assert tenant.load(*lines).outcomes() == {"unchanged": 80}
    assert tenant.count_calls() == {"describe": 1, "query": 1}
