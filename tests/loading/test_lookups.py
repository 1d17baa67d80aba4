"""Foreign keys are resolved in bulk; a missed lookup rejects its record alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, cast

import pytest
from responses import (
    RESPONSES,
    TEXT,
    WHOLE,
    by_name,
    companies_of,
    load_responses,
    queries,
    response,
    responses_schema,
    routed,
)
from singer_messages import record, schema, state
from singer_runs import Tenant

from target_gainsight.loading.keys import LookupKey, MatchFields
from target_gainsight.loading.loading_streams import LoadingStreams
from target_gainsight.loading.lookups.index import Cache, LookupIndex
from target_gainsight.sandbox import Fault


@pytest.fixture
def tenant(start_tenant: Callable[..., Tenant]) -> Tenant:
    """A tenant with an object of survey responses."""
    return start_tenant(**RESPONSES)


def seed_companies(tenant: Tenant, *names: str, **fields: Any) -> list[str]:
    return tenant.sandbox.tenant.seed("company", [{"Name": name, **fields} for name in names])


def test_hundred_responses_of_twenty_five_accounts(tenant: Tenant) -> None:
    seed_companies(tenant, *(f"C{number}" for number in range(20)))
    lines = [response(f"r{n}", f"C{n % 25}", Score__gc=n % 11) for n in range(100)]
    run = load_responses(tenant, [*lines, state(done=1)], max_reject_percent=100)
    calls = tenant.count_calls()
    assert run.exit_code == 0
    assert run.outcomes("responses") == {"created": 80, "rejected": 20}
    assert set(run.codes) == {"lookup_no_match"}
    assert run.states == [{"done": 1}]
    assert calls.total() <= 12
    assert calls == {"describe": 1, "query": 2 + 1 + 1, "insert": 2}  # one for near matches
    pointed = companies_of(tenant)
    assert pointed == {f"r{n}": f"C{n % 25}" for n in range(100) if n % 25 < 20}


def test_missing_parent_rejects_child_alone(tenant: Tenant) -> None:
    seed_companies(tenant, "Initech")
    run = load_responses(tenant, [response("r1", "Initech"), response("r2", "Hooli")])
    assert run.outcomes("responses") == {"created": 1, "rejected": 1}
    reject = run.rejects[0]["gainsight_reject"]
    assert reject["code"] == "lookup_no_match"
    assert reject["field"] == "Company__gc"
    assert reject["value"] == "Hooli"
    assert reject["message"] == "no row of company has Name = 'Hooli'"
    assert "load the parent first" in reject["hint"]
    assert run.rejects[0]["record"]["account"] == "Hooli"


@pytest.mark.parametrize("several", [["Initech"], ["Initech", "Hooli"], {"name": "Initech"}])
def test_list_or_object_as_lookup_value_is_named(tenant: Tenant, several: object) -> None:
    seed_companies(tenant, "Initech")
    run = load_responses(tenant, [response("r1", several)], columns={"account": {}})
    assert run.codes == ["unsupported_value"]
    assert "a lookup needs a single value. Choose one in a stream map." in run.log[0]


def test_distinct_values_are_queried_once_across_groups(tenant: Tenant) -> None:
    seed_companies(tenant, "C0", "C1", "C2")
    lines = [response(f"r{n}", f"C{n % 3}") for n in range(90)]
    run = load_responses(tenant, lines, read_group_size=30)
    assert run.outcomes("responses") == {"created": 90}
    assert queries(tenant, "company") == 1
    assert queries(tenant, "Response__gc") == 3 + 1


def test_later_group_queries_only_new_values(tenant: Tenant) -> None:
    seed_companies(tenant, "C0", "C1")
    load_responses(tenant, [response("r0", "C0"), response("r1", "C0")], read_group_size=1)
    assert queries(tenant, "company") == 1
    tenant.count_calls()
    lines = [response("r0", "C0"), response("r1", "C1"), response("r2", "C0")]
    load_responses(tenant, lines, read_group_size=1)
    asked = [call.request or "" for call in tenant.sandbox.tenant.calls("POST", "/query/company")]
    assert ["C0" in each for each in asked] == [True, False]


def test_missing_value_is_queried_once(tenant: Tenant) -> None:
    lines = [response(f"r{n}", "Nowhere") for n in range(4)]
    run = load_responses(tenant, lines, read_group_size=1)
    assert run.outcomes("responses") == {"rejected": 4}
    assert queries(tenant, "company") == 2  # for the value, and for its other spellings


def test_two_lookups_into_one_object_share_a_query(tenant: Tenant) -> None:
    seed_companies(tenant, "Initech", TickerSymbol="INI")
    seed_companies(tenant, "Globex", TickerSymbol="GLX")
    both = {
        "Company__gc": by_name(),
        "Partner__gc": {"object_name": "Company", "fields": {"symbol": "TickerSymbol"}},
    }
    run = load_responses(
        tenant, [response("r1", "Initech", symbol="GLX")], both, columns={"symbol": TEXT}
    )
    assert run.outcomes("responses") == {"created": 1}
    assert companies_of(tenant) == {"r1": "Initech"}
    assert companies_of(tenant, "Partner__gc") == {"r1": "Globex"}
    assert queries(tenant, "company") == 1


def test_lookups_into_two_objects_take_a_query_each(tenant: Tenant) -> None:
    seed_companies(tenant, "Initech")
    both = {
        "Company__gc": by_name(),
        "Manager__gc": {"object_name": "gsuser", "fields": {"csm": "Email"}},
    }
    lines = [response(f"r{n}", "Initech", csm=" ADA.park@ourcompany.example ") for n in range(5)]
    run = load_responses(tenant, lines, both, columns={"csm": TEXT})
    assert run.outcomes("responses") == {"created": 5}
    ada = tenant.rows("gsuser", Email="ada.park@ourcompany.example")[0]["Gsid"]
    assert {row["Manager__gc"] for row in tenant.rows("Response__gc")} == {ada}
    assert (queries(tenant, "company"), queries(tenant, "gsuser")) == (1, 1)


SIX_FIELDS = {
    "account": "Name",
    "industry": "Industry",
    "ticker": "TickerSymbol",
    "employees": "Employees",
    "status": "Status",
    "summary": "Summary",
}
SIX_VALUES: dict[str, Any] = {
    "account": "Initech",
    "industry": "Software",
    "ticker": "INI",
    "employees": 7,
    "status": "Active",
    "summary": "a",
}


@pytest.mark.parametrize("differing", [None, *SIX_FIELDS])
def test_up_to_six_match_fields_must_all_match(tenant: Tenant, differing: str | None) -> None:
    row = {SIX_FIELDS[column]: value for column, value in SIX_VALUES.items()}
    twin = {**row, "Industry": "Retail", "Status": "Churn", "Employees": 8}
    right, _ = tenant.sandbox.tenant.seed("company", [row, twin])
    sent = dict(SIX_VALUES)
    if differing:
        sent[differing] = {"employees": 9, "status": "Inactive"}.get(differing, "another")
    run = load_responses(
        tenant,
        [response("r1", sent.pop("account"), **sent)],
        {"Company__gc": {"object_name": "company", "fields": SIX_FIELDS}},
        columns=dict.fromkeys(SIX_FIELDS, TEXT) | {"employees": WHOLE},
    )
    if differing:
        assert run.codes == ["lookup_no_match"]
    else:
        assert run.outcomes("responses") == {"created": 1}
        assert tenant.rows("Response__gc")[0]["Company__gc"] == right


def test_leave_empty_writes_record_without_parent(tenant: Tenant) -> None:
    lines = [response("r1", "Hooli", Score__gc=9)]
    run = load_responses(tenant, lines, {"Company__gc": by_name(on_no_match="leave_empty")})
    [warning] = [line for line in run.warnings if "leave_empty" in line]
    assert "Company__gc is left empty where no row of company matches" in warning
    assert run.outcomes("responses") == {"created": 1}
    assert companies_of(tenant) == {"r1": None}


@pytest.mark.parametrize("on_no_match", ["reject", "leave_empty"])
def test_several_parents_reject_child_with_their_gsids(tenant: Tenant, on_no_match: str) -> None:
    twins = seed_companies(tenant, "Initech", "Initech")
    lookup = {"Company__gc": by_name(on_no_match=on_no_match)}
    run = load_responses(tenant, [response("r1", "Initech")], lookup)
    assert run.codes == ["lookup_multi_match"]
    message = run.rejects[0]["gainsight_reject"]["message"]
    assert all(gsid in message for gsid in twins)
    assert "multi_match" in run.rejects[0]["gainsight_reject"]["hint"]


def test_multi_match_first_takes_one_of_several_parents(tenant: Tenant) -> None:
    twins = seed_companies(tenant, "Initech", "Initech")
    lines = [response("r1", "Initech")]
    run = load_responses(tenant, lines, {"Company__gc": by_name(multi_match="first")})
    assert run.outcomes("responses") == {"created": 1}
    assert tenant.rows("Response__gc")[0]["Company__gc"] in twins


@pytest.mark.parametrize("nothing", [None, ""])
def test_null_source_clears_field(tenant: Tenant, nothing: object) -> None:
    seed_companies(tenant, "Initech")
    load_responses(tenant, [response("r1", "Initech"), response("r2", nothing)])
    assert companies_of(tenant) == {"r1": "Initech", "r2": None}
    run = load_responses(tenant, [response("r1", nothing)])
    assert run.outcomes("responses") == {"updated": 1}
    assert companies_of(tenant)["r1"] is None


def test_null_source_keeps_field_if_nulls_are_omitted(tenant: Tenant) -> None:
    seed_companies(tenant, "Initech")
    load_responses(tenant, [response("r1", "Initech")])
    run = load_responses(tenant, [response("r1", Score__gc=1)], null_values="omit")
    assert run.outcomes("responses") == {"updated": 1}
    assert companies_of(tenant) == {"r1": "Initech"}


def test_lookup_only_column_is_not_sent_or_reported(tenant: Tenant) -> None:
    seed_companies(tenant, "Initech")
    run = load_responses(tenant, [response("r1", "Initech")])
    assert run.log == []
    assert "account" not in (tenant.sandbox.tenant.calls("POST", "/Response__gc")[-1].request or "")


def test_column_may_be_field_and_lookup_source(tenant: Tenant) -> None:
    seed_companies(tenant, "r1")
    lookup = {"Company__gc": {"object_name": "company", "fields": {"Code__gc": "Name"}}}
    run = load_responses(tenant, [response("r1")], lookup, entry={"unknown_fields": "drop"})
    assert run.outcomes("responses") == {"created": 1}
    assert companies_of(tenant) == {"r1": "r1"}


def test_picklist_is_matched_by_label(tenant: Tenant) -> None:
    seed_companies(tenant, "Initech", Stage="Launched")
    seed_companies(tenant, "Globex", Stage="Adopting")
    lookup = {"Company__gc": {"object_name": "company", "fields": {"account": "Stage"}}}
    run = load_responses(tenant, [response("r1", "Adopting")], lookup)
    assert run.outcomes("responses") == {"created": 1}
    assert companies_of(tenant) == {"r1": "Globex"}


def test_email_is_matched_trimmed_and_without_case(tenant: Tenant) -> None:
    lookup = {"Manager__gc": {"object_name": "gsuser", "fields": {"account": "Email"}}}
    run = load_responses(tenant, [response("r1", " Ben.Okafor@OurCompany.example ")], lookup)
    assert run.outcomes("responses") == {"created": 1}
    ben = tenant.rows("gsuser", Name="Ben Okafor")[0]["Gsid"]
    assert tenant.rows("Response__gc")[0]["Manager__gc"] == ben


def test_number_matches_in_any_notation(tenant: Tenant) -> None:
    seed_companies(tenant, "Initech", Employees=7)
    lookup = {"Company__gc": {"object_name": "company", "fields": {"size": "Employees"}}}
    lines = [response("r1", size="7"), response("r2", size=7.0)]
    run = load_responses(
        tenant,
        lines,
        lookup,
        columns={"size": {}, "account": {}},
        entry={"unknown_fields": "drop"},
    )
    assert run.outcomes("responses") == {"created": 2}
    assert companies_of(tenant) == {"r1": "Initech", "r2": "Initech"}


def test_value_that_match_field_cannot_hold_rejects_record_alone(tenant: Tenant) -> None:
    seed_companies(tenant, "Initech", Employees=7)
    lookup = {"Company__gc": {"object_name": "company", "fields": {"size": "Employees"}}}
    lines = [response("r1", size="many"), response("r2", size="7")]
    run = load_responses(
        tenant, lines, lookup, columns={"size": TEXT}, entry={"unknown_fields": "drop"}
    )
    assert run.outcomes("responses") == {"created": 1, "rejected": 1}
    reject = run.rejects[0]["gainsight_reject"]
    assert reject["code"] == "not_a_number"
    assert "Employees" in reject["message"]
    assert "'many'" in reject["message"]


def test_parent_that_differs_in_case_is_named(start_tenant: Callable[..., Tenant]) -> None:
    tenant = start_tenant(**RESPONSES, switches={"query_ignores_case": "all"})
    gsid = seed_companies(tenant, "INITECH")[0]
    run = load_responses(tenant, [response("r1", "Initech")])
    assert run.codes == ["lookup_no_match"]
    message = run.rejects[0]["gainsight_reject"]["message"]
    assert gsid in message
    assert "differs in spelling only" in message


@pytest.mark.parametrize(
    ("held", "sent"),
    [
        ("Initech", "initech"),
        ("Initech", "INITECH"),
        ("Initech", " Initech"),
        ("Initech", "Initech\u00a0"),
        ("Initech", "\ufeffInitech"),
        ("initech ", "Initech"),
        ("Caf\u00e9", "Cafe\u0301"),
        ("McDonald", "MCDONALD"),
        (" Initech", "Initech"),
        ("Initech  ", "initech"),
        ("7000123456", "7000123456.0"),
        ("0015000000Gv7qA", "0015000000Gv7qAAAR"),
        ("0015000000Gv7qAAAR", "0015000000Gv7qA"),
        (" 7000123456", "7000123456.0"),
        ("M\u00fcller GmbH", "M\u00dcLLER GMBH"),
        ("\u00a0 McDonald  ", "MCDONALD"),
        ("iBm", "IBM"),
        (" ibm ", "IBM"),
        ("\u041e\u041e\u041e", "\u043e\u043e\u041e"),
    ],
)
def test_missed_lookup_names_near_match(tenant: Tenant, held: str, sent: str) -> None:
    [gsid] = seed_companies(tenant, held)
    run = load_responses(tenant, [response("r1", sent), response("r2", sent)])
    assert run.codes == ["lookup_no_match", "lookup_no_match"]
    for reject in run.rejects:
        assert gsid in reject["gainsight_reject"]["message"]
        assert f"(Name = {held!r}) differs in spelling" in reject["gainsight_reject"]["message"]
    assert queries(tenant, "company") == 2


@pytest.mark.parametrize("switches", [{}, {"query_max_values": 1000}])
def test_every_missed_lookup_of_many_names_its_row(
    start_tenant: Callable[..., Tenant], switches: dict[str, Any]
) -> None:
    tenant = start_tenant(**RESPONSES, switches=switches)
    numbers = [f"{number:03}" for number in range(600)]
    seed_companies(tenant, *(f"McDonald's {number}" for number in numbers))
    run = load_responses(tenant, [response(each, f"MCDONALD'S {each}") for each in numbers])
    messages = [each["gainsight_reject"]["message"] for each in run.rejects]
    assert all("differs in spelling only" in message for message in messages)
    for number, message in zip(numbers, messages, strict=True):
        assert f"McDonald's {number}" in message
    assert queries(tenant, "company") <= (2 if not switches else 12)


def test_unreadable_near_match_keeps_lookup_missed(tenant: Tenant) -> None:
    seed_companies(tenant, "McDonald")
    fault = Fault("server_error", method="POST", path="/v1/data/objects/query/company", after=1)
    tenant.sandbox.tenant.faults.add(fault)
    run = load_responses(tenant, [response("r1", "MCDONALD")])
    assert run.codes == ["lookup_no_match"]
    assert sum("are no longer suggested" in line for line in run.warnings) == 1


def test_missed_two_field_lookup_names_near_match(tenant: Tenant) -> None:
    seed_companies(tenant, "McDonald", Industry="EU")
    lookup = {"object_name": "company", "fields": {"account": "Name", "sector": "Industry"}}
    run = load_responses(
        tenant,
        [response("r1", "MCDONALD", sector="eU")],
        {"Company__gc": lookup},
        columns={"sector": TEXT},
    )
    assert "(Name = 'McDonald', Industry = 'EU')" in run.rejects[0]["gainsight_reject"]["message"]


def test_similar_value_is_not_kept_if_values_are_not(tenant: Tenant) -> None:
    seed_companies(tenant, "initech secret")
    run = load_responses(tenant, [response("r1", "Initech Secret")], reject_values="keys")
    reject = run.rejects[0]["gainsight_reject"]
    assert reject["message"] == "Company__gc: the value is not kept (reject_values: keys)"
    shown = [*map(str, run.log), json.dumps(reject), json.dumps(run.summary["rejects"])]
    assert "secret" not in "".join(shown).lower()
    assert all("null" not in line for line in run.log if "rejected: " in line)


def test_lookup_of_an_object_that_the_tenant_lacks_stops_the_run(
    start_tenant: Callable[..., Tenant],
) -> None:
    unreadable = {"kind": "server_error", "method": "GET", "path": "/v1/meta/*"}
    tenant = start_tenant(**RESPONSES, faults=[unreadable])
    lookups = {"Company__gc": {"object_name": "Nothing__gc", "fields": {"account": "Name"}}}
    run = load_responses(tenant, [response("r1", "Initech")], lookups)
    assert run.exit_code == 1
    assert "the tenant refuses to look up nothing__gc" in run.error
    assert tenant.rows("Response__gc") == []


def test_only_a_few_of_many_matches_are_listed(tenant: Tenant) -> None:
    gsids = seed_companies(tenant, *["Twin"] * 300)
    run = load_responses(tenant, [response("r1", "Twin")])
    message = run.rejects[0]["gainsight_reject"]["message"]
    assert message.startswith("300 rows of company match: ")
    assert message.endswith(" and 295 more")
    assert sum(gsid in message for gsid in gsids) == 5


def test_optional_lookup_reads_no_near_matches(tenant: Tenant) -> None:
    seed_companies(tenant, "Initech")
    lookups = {"Company__gc": {**by_name(), "on_no_match": "leave_empty"}}
    run = load_responses(tenant, [response("r1", "initech")], lookups)
    assert run.outcomes("responses") == {"created": 1}
    assert queries(tenant, "company") == 1


def test_parents_of_same_run_precede_their_children(tenant: Tenant) -> None:
    lines = [schema("accounts"), responses_schema()]
    for number in range(30):
        lines += [record("accounts", Name=f"C{number}"), response(f"r{number}", f"C{number}")]
    streams = {"accounts": {"object_type": "company"}, "responses": routed()}
    run = tenant.load(*lines, streams=streams)
    assert run.outcomes("accounts") == {"created": 30}
    assert run.outcomes("responses") == {"created": 30}
    assert companies_of(tenant) == {f"r{n}": f"C{n}" for n in range(30)}


def test_parent_loaded_after_a_miss_is_found(tenant: Tenant) -> None:
    lines = [schema("accounts"), responses_schema()]
    lines += [response("r0", "Late"), record("accounts", Name="Late"), response("r1", "Late")]
    streams = {"accounts": {"object_type": "company"}, "responses": routed()}
    run = tenant.load(*lines, streams=streams, read_group_size=1)
    assert run.outcomes("responses") == {"created": 1, "rejected": 1}
    assert companies_of(tenant) == {"r1": "Late"}


def test_child_names_parent_refused_by_tenant(start_tenant: Callable[..., Tenant]) -> None:
    rule = {"object": "company", "field": "Name", "value": "Bad"}
    tenant = start_tenant(**RESPONSES, rules=[rule])
    lines = [schema("accounts"), responses_schema()]
    lines += [record("accounts", Name="Bad"), record("accounts", Name="Good")]
    lines += [response("r1", "Bad"), response("r2", "Good"), response("r3", "Unheard of")]
    streams = {"accounts": {"object_type": "company"}, "responses": routed()}
    run = tenant.load(*lines, streams=streams)
    assert run.outcomes("responses") == {"created": 1, "rejected": 2}
    hints = {
        line["record"]["Code__gc"]: line["gainsight_reject"]["hint"]
        for line in run.rejects
        if line["stream"] == "responses"
    }
    assert "its parent was rejected in this run" in hints["r1"]
    assert "rejected" not in hints["r3"]


def test_children_of_a_rejected_parent_are_logged_in_one_line(tenant: Tenant) -> None:
    columns = {"Name": TEXT, "Employees": TEXT}
    lines = [schema("accounts", columns), responses_schema()]
    lines += [record("accounts", Name=name, Employees="many") for name in ("Bad", "Worse")]
    lines += [response(f"r{number}", "Bad") for number in range(3)]
    lines += [response("r3", "Worse"), response("r4", "Unheard of")]
    streams = {"accounts": {"object_type": "company"}, "responses": routed()}
    run = tenant.load(*lines, streams=streams)
    assert run.codes.count("lookup_rejected_parent") == 4
    of_responses = [line for line in run.warnings if "rejected: stream 'responses'" in line]
    _, *of_parents = of_responses
    assert [line.partition(",")[2].partition(", because")[0] for line in of_parents] == [
        " 3 records: lookup_rejected_parent: no row of company has Name = 'Bad'",
        " 1 record: lookup_rejected_parent: no row of company has Name = 'Worse'",
    ]


def test_child_names_parent_rejected_before_any_call(tenant: Tenant) -> None:
    columns = {"Name": TEXT, "Employees": TEXT}
    lines = [schema("accounts", columns), responses_schema()]
    lines += [record("accounts", Name="Bad", Employees="many"), response("r1", "Bad")]
    streams = {"accounts": {"object_type": "company"}, "responses": routed()}
    run = tenant.load(*lines, streams=streams)
    assert run.outcomes("accounts") == {"rejected": 1}
    assert "its parent was rejected in this run" in run.rejects[1]["gainsight_reject"]["hint"]


def test_child_names_rejected_parent_in_another_spelling(tenant: Tenant) -> None:
    lines = [schema("accounts", {"Name": TEXT, "Employees": TEXT}), responses_schema()]
    lines += [record("accounts", Name=" Bad", Employees="many")]
    lines += [response("r1", "bad"), response("r2", "Worse")]
    streams = {"accounts": {"object_type": "company"}, "responses": routed()}
    run = tenant.load(*lines, streams=streams, max_reject_percent=100)
    assert run.codes == ["not_a_number", "lookup_rejected_parent", "lookup_no_match"]


def test_plan_forgets_only_the_parent_that_would_be_deleted(tenant: Tenant) -> None:
    columns = {"Name": TEXT, "_sdc_deleted_at": TEXT}
    lines = [schema("accounts", columns), responses_schema()]
    lines += [record("accounts", Name="Initech"), record("accounts", Name="Hooli")]
    lines += [response("r1", "Initech"), response("r2", "Hooli")]
    lines += [record("accounts", Name="Hooli", _sdc_deleted_at="2026-01-01T00:00:00Z")]
    lines += [response("r3", "Initech"), response("r4", "Hooli")]
    streams = {"accounts": {"object_type": "company", "deletes": "delete"}, "responses": routed()}
    run = tenant.load(*lines, streams=streams, read_group_size=1, dry_run=True)
    assert run.outcomes("responses") == {"created": 3, "rejected": 1}


def test_lookup_may_fill_lookup_key(tenant: Tenant) -> None:
    seed_companies(tenant, "Initech", "Globex")
    entry = {"lookup_keys": ["Company__gc", "Month__gc"]}
    columns = {"Month__gc": WHOLE}
    lines = [
        response(f"{name}-{month}", name, Month__gc=month, Score__gc=1)
        for name in ("Initech", "Globex")
        for month in (1, 2)
    ]
    run = load_responses(tenant, lines, columns=columns, entry=entry)
    assert run.outcomes("responses") == {"created": 4}
    again = [response("new", "Globex", Month__gc=2, Score__gc=7)]
    run = load_responses(tenant, again, columns=columns, entry=entry)
    assert run.outcomes("responses") == {"updated": 1}
    assert tenant.sandbox.tenant.count("Response__gc") == 4
    assert companies_of(tenant)["new"] == "Globex"


def test_second_run_writes_nothing(tenant: Tenant) -> None:
    seed_companies(tenant, "Initech")
    lines = [response("r1", "Initech"), response("r2", None)]
    load_responses(tenant, lines)
    tenant.count_calls()
    run = load_responses(tenant, lines)
    assert run.outcomes("responses") == {"unchanged": 2}
    assert tenant.count_calls() == {"describe": 1, "query": 2}


@pytest.mark.parametrize("mode", ["insert", "update"])
def test_lookups_work_in_every_sync_mode(tenant: Tenant, mode: str) -> None:
    seed_companies(tenant, "Initech")
    tenant.sandbox.tenant.seed("Response__gc", [{"Code__gc": "r1"}])
    run = load_responses(tenant, [response("r1", "Initech")], sync_mode=mode)
    assert run.outcomes("responses") == {"created" if mode == "insert" else "updated": 1}
    assert "Initech" in [row and name for row, name in companies_of(tenant).items()]


def test_people_have_lookups(start_tenant: Callable[..., Tenant]) -> None:
    fields = {"Owner__gc": {"type": "LOOKUP", "object": "gsuser"}}
    tenant = start_tenant(objects={"person": {"fields": fields}})
    lines = [
        schema("people", {"Email": TEXT, "csm": TEXT}, keys=["Email"]),
        record("people", Email="p1@x.io", csm="ada.park@ourcompany.example"),
        record("people", Email="p2@x.io", csm="nobody@ourcompany.example"),
        record("people", Email="p3@x.io", csm=None),
    ]
    lookup = {"object_name": "gsuser", "fields": {"csm": "Email"}}
    run = tenant.load(*lines, object_type="person", lookups={"Owner__gc": lookup})
    assert run.outcomes("people") == {"created": 2, "rejected": 1}
    ada = tenant.rows("gsuser", Name="Ada Park")[0]["Gsid"]
    owners = {row["Email"]: row["Owner__gc"] for row in tenant.rows("person")}
    assert owners == {"p1@x.io": ada, "p3@x.io": None}


def test_too_large_query_is_halved(start_tenant: Callable[..., Tenant]) -> None:
    tenant = start_tenant(**RESPONSES, switches={"query_max_values": 10})
    names = [f"C{number}" for number in range(40)]
    seed_companies(tenant, *names)
    run = load_responses(tenant, [response(name, name) for name in names])
    assert run.outcomes("responses") == {"created": 40}
    assert companies_of(tenant) == {name: name for name in names}


def test_cache_keeps_newest_rows_and_re_reads_others(tenant: Tenant) -> None:
    names = [f"C{number}" for number in range(6)]
    seeded = dict(zip(names, seed_companies(tenant, *names), strict=True))
    match = MatchFields.of("company", ("Name",), None)
    target = tenant.target()
    index = LookupIndex(target.session.context.client.records, LoadingStreams(), [], found=Cache(2))
    for name in [*names, names[0]]:
        wanted = cast("LookupKey", match.reference([name]))
        assert index.gsids(wanted) == ()
        index.find([wanted])
        assert index.gsids(wanted) == (seeded[name],)
    target.close()


def test_unreadable_parents_make_group_unavailable(start_tenant: Callable[..., Tenant]) -> None:
    tenant = start_tenant(**RESPONSES, faults=[{"kind": "server_error", "path": "*/query/company"}])
    run = load_responses(tenant, [response("r1", "Initech"), state(done=1)])
    assert run.codes == ["unavailable"]
    assert run.states == []
