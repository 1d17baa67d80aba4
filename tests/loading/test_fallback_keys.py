"""Fallback keys: a row without lookup keys is found by other fields and given its lookup keys."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from singer_messages import TEXT, Message, record, schema
from singer_runs import TargetRun, Tenant

from target_gainsight.sandbox import Fault, ServerRule

MODES = ["upsert", "update"]
UPDATES = "/v1/data/objects/company"
BY_ID = schema(
    columns={"TickerSymbol": TEXT, "Name": TEXT, "Industry": TEXT}, keys=["TickerSymbol"]
)
KEYS = {"lookup_keys": ["TickerSymbol"], "fallback_keys": ["Name"]}


def account(key: str | None, name: str | None = "Acme", **fields: Any) -> Message:
    return record(TickerSymbol=key, Name=name, **fields)


def load(tenant: Tenant, *lines: Message, **settings: Any) -> TargetRun:
    return tenant.load(BY_ID, *lines, **{**KEYS, **settings})


def held(tenant: Tenant) -> Counter[tuple[str | None, str]]:
    """The lookup key and name of every company."""
    return Counter((row["TickerSymbol"], row["Name"]) for row in tenant.rows("company"))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("empty", [None, "", " "])
def test_row_without_lookup_key_is_given_it(tenant: Tenant, mode: str, empty: str | None) -> None:
    tenant.sandbox.tenant.seed("company", [{"Name": "Acme", "TickerSymbol": empty}])
    run = load(tenant, account("k1", Industry="new"), sync_mode=mode)
    assert run.outcomes() == {"updated": 1}
    assert run.summary["streams"]["accounts"]["found_by_fallback"] == 1
    assert "'accounts': 1 row found by fallback_keys" in str(run.target.summary)
    [row] = tenant.rows("company")
    assert (row["TickerSymbol"], row["Industry"]) == ("k1", "new")


@pytest.mark.parametrize(("mode", "outcome"), [("upsert", "created"), ("update", "skipped")])
def test_row_with_another_lookup_key_is_not_touched(
    tenant: Tenant, mode: str, outcome: str
) -> None:
    tenant.sandbox.tenant.seed(
        "company", [{"Name": "Acme", "TickerSymbol": "k0", "Industry": "old"}]
    )
    run = load(tenant, account("k1", Industry="new"), sync_mode=mode)
    assert run.outcomes() == {outcome: 1}
    [row] = tenant.rows("company", TickerSymbol="k0")
    assert row["Industry"] == "old"


@pytest.mark.parametrize("mode", MODES)
def test_several_rows_without_lookup_keys_are_ambiguous(tenant: Tenant, mode: str) -> None:
    gsids = tenant.sandbox.tenant.seed("company", [{"Name": "Acme"}, {"Name": "Acme"}])
    run = load(tenant, account("k1"), sync_mode=mode)
    assert run.codes == ["ambiguous_key"]
    assert all(gsid in run.rejects[0]["gainsight_reject"]["message"] for gsid in gsids)
    assert held(tenant) == {(None, "Acme"): 2}


def test_row_that_matches_by_lookup_key_comes_first(tenant: Tenant) -> None:
    tenant.sandbox.tenant.seed(
        "company", [{"Name": "Acme"}, {"Name": "Acme", "TickerSymbol": "k1"}]
    )
    assert load(tenant, account("k1")).outcomes() == {"unchanged": 1}
    assert tenant.count_calls()["query"] == 1


@pytest.mark.parametrize("name", [None, "", "  "])
def test_blank_fallback_key_finds_nothing(
    start_tenant: Callable[..., Tenant], name: str | None
) -> None:
    tenant = start_tenant()
    tenant.sandbox.tenant.seed("company", [{"Name": "Acme", "Industry": None}])
    run = load(tenant, account("k1", "Acme", Industry=name), fallback_keys=["Industry"])
    assert run.outcomes() == {"created": 1}


@pytest.mark.parametrize("group", [1, 10])
def test_second_record_for_one_row_is_ambiguous(tenant: Tenant, group: int) -> None:
    tenant.sandbox.tenant.seed("company", [{"Name": "Acme"}])
    lines = [account("k1"), account("k2")]
    run = load(tenant, *lines, read_group_size=group)
    assert run.outcomes() == {"updated": 1, "rejected": 1}
    assert run.codes == ["ambiguous_key"]
    assert held(tenant) == {("k1", "Acme"): 1}
    assert load(tenant, *lines).outcomes() == {"unchanged": 1, "created": 1}


@pytest.mark.parametrize("group", [1, 2])
def test_later_record_finds_the_row_by_its_new_key(tenant: Tenant, group: int) -> None:
    tenant.sandbox.tenant.seed("company", [{"Name": "Acme"}])
    lines = [account("k1", Industry="a"), account("k9", "Else"), account("k1", Industry="b")]
    run = load(tenant, *lines, read_group_size=group)
    assert run.outcomes() == {"updated": 2, "created": 1}
    assert held(tenant) == {("k1", "Acme"): 1, ("k9", "Else"): 1}


@pytest.mark.parametrize("mode", MODES)
def test_near_match_of_the_lookup_key_is_rejected(tenant: Tenant, mode: str) -> None:
    rows = [{"Name": "Acme"}, {"Name": "Other", "TickerSymbol": "KEY"}]
    tenant.sandbox.tenant.seed("company", rows)
    run = load(tenant, account("key"), sync_mode=mode)
    assert run.codes == ["ambiguous_key"]
    assert held(tenant) == {(None, "Acme"): 1, ("KEY", "Other"): 1}


def test_given_key_counts_among_the_near_matches_of_later_records(tenant: Tenant) -> None:
    tenant.sandbox.tenant.seed("company", [{"Name": "Acme"}])
    run = load(tenant, account("McKey"), account("MCKEY", "Else"))
    assert run.outcomes() == {"updated": 1, "rejected": 1}
    assert held(tenant) == {("McKey", "Acme"): 1}


def test_two_fallback_keys_must_both_be_equal(tenant: Tenant) -> None:
    rows = [{"Name": "Acme", "Industry": each} for each in ("a", "b")]
    tenant.sandbox.tenant.seed("company", rows)
    run = load(tenant, account("k1", Industry="b"), fallback_keys=["Name", "Industry"])
    assert run.outcomes() == {"updated": 1}
    [row] = tenant.rows("company", TickerSymbol="k1")
    assert row["Industry"] == "b"


def test_row_with_one_of_two_lookup_keys_is_another_record(tenant: Tenant) -> None:
    tenant.sandbox.tenant.seed("company", [{"Name": "Acme", "Industry": "b"}])
    run = load(tenant, account("k1", Industry="b"), lookup_keys=["TickerSymbol", "Industry"])
    assert run.outcomes() == {"created": 1}


def test_thousand_manual_rows_are_claimed_in_three_extra_calls(
    start_tenant: Callable[..., Tenant],
) -> None:
    lines = [account(f"Key {n:04}", f"C{n}", Industry="new") for n in range(1000)]
    plain, tenant = start_tenant(), start_tenant()
    load(plain, *lines, fallback_keys=None)
    tenant.sandbox.tenant.seed("company", [{"Name": f"C{n}"} for n in range(1000)])
    run = load(tenant, *lines)
    assert run.outcomes() == {"updated": 1000}
    assert set(tenant.count_names().values()) == {1}
    assert tenant.count_calls().total() <= plain.count_calls().total() + 3


def test_only_records_without_a_match_are_looked_up_again(tenant: Tenant) -> None:
    rows = [{"Name": f"C{n}", "TickerSymbol": f"k{n}"} for n in range(10)]
    tenant.sandbox.tenant.seed("company", rows)
    load(tenant, *(account(f"k{n}", f"C{n}") for n in range(10)))
    assert tenant.count_calls() == {"describe": 1, "query": 1}


@pytest.mark.parametrize("switch", [{"query_ignores_case": "all"}, {"empty_text_read": "blank"}])
def test_rows_returned_are_compared_exactly(
    start_tenant: Callable[..., Tenant], switch: Message
) -> None:
    tenant = start_tenant(switches=switch)
    tenant.sandbox.tenant.seed("company", [{"Name": "ACME"}, {"Name": "Acme", "TickerSymbol": ""}])
    assert load(tenant, account("k1")).outcomes() == {"updated": 1}
    assert held(tenant)["k1", "Acme"] == 1


def test_tenant_that_refuses_gsid_as_key_gets_no_twin(start_tenant: Callable[..., Tenant]) -> None:
    tenant = start_tenant(switches={"keys_gsid_refused": True})
    rows = [{"Name": "Acme"}, {"Name": "Hooli", "TickerSymbol": "k2"}]
    tenant.sandbox.tenant.seed("company", rows)
    run = load(tenant, account("k1"), account("k2", "Hooli", Industry="new"))
    assert run.outcomes() == {"updated": 1, "rejected": 1}
    assert held(tenant) == {(None, "Acme"): 1, ("k2", "Hooli"): 1}


@pytest.mark.parametrize("kind", ["reset_after_commit", "reset_before_commit", "server_error"])
def test_update_with_unknown_outcome_makes_no_twin(tenant: Tenant, kind: str) -> None:
    tenant.sandbox.tenant.seed("company", [{"Name": "Acme"}])
    tenant.sandbox.tenant.faults.add(Fault(kind, method="PUT", path=UPDATES, times=1))
    assert load(tenant, account("k1")).outcomes() == {"updated": 1}
    assert held(tenant) == {("k1", "Acme"): 1}


def test_refused_update_is_rejected_and_the_row_stays_free(tenant: Tenant) -> None:
    tenant.sandbox.tenant.seed("company", [{"Name": "Acme"}])
    tenant.sandbox.tenant.faults.rules.append(ServerRule("company", "Industry", "poison"))
    run = load(tenant, account("k1", Industry="poison"))
    assert run.outcomes() == {"rejected": 1}
    assert load(tenant, account("k1", Industry="good")).outcomes() == {"updated": 1}
    assert held(tenant) == {("k1", "Acme"): 1}


def test_write_rules_hold_for_a_row_found_by_fallback_keys(tenant: Tenant) -> None:
    tenant.sandbox.tenant.seed("company", [{"Name": "Acme", "Industry": "by hand"}])
    rules = {"Industry": {"write": "empty"}, "Name": {"write": "create"}}
    load(tenant, account("k1", Industry="new"), field_rules=rules)
    [row] = tenant.rows("company")
    assert (row["TickerSymbol"], row["Industry"]) == ("k1", "by hand")


@pytest.mark.parametrize("group", [1, 10])
@pytest.mark.parametrize("mode", MODES)
def test_dry_run_predicts_the_run(tenant: Tenant, group: int, mode: str) -> None:
    tenant.sandbox.tenant.seed("company", [{"Name": f"C{n}", "Industry": "a"} for n in range(4)])
    tenant.sandbox.tenant.seed("company", [{"Name": "C3"}, {"Name": "C4", "TickerSymbol": "k0"}])
    lines = [account(f"k{n}", f"C{n}", Industry="a") for n in range(1, 6)]
    lines += [account("k1", "C1", Industry="a"), account("k7", "C2"), account("k2", "C2")]
    settings = {"sync_mode": mode, "read_group_size": group}
    before = held(tenant)
    planned = load(tenant, *lines, dry_run=True, **settings)
    assert held(tenant) == before
    assert load(tenant, *lines, **settings).outcomes() == planned.outcomes()


def test_dry_run_keeps_what_a_claimed_row_holds(tenant: Tenant) -> None:
    tenant.sandbox.tenant.seed("company", [{"Name": "Acme", "Industry": "by hand"}])
    lines = [account("k1", Industry="a"), account("k1", Industry="b")]
    settings = {"field_rules": {"Industry": {"write": "empty"}}, "read_group_size": 1}
    expected = {"updated": 1, "unchanged": 1}
    assert load(tenant, *lines, dry_run=True, **settings).outcomes() == expected
    assert load(tenant, *lines, **settings).outcomes() == expected


def test_lookup_finds_the_row_by_its_new_key(start_tenant: Callable[..., Tenant]) -> None:
    fields = {
        "Code__gc": {"type": "STRING"},
        "Company__gc": {"type": "LOOKUP", "object": "company"},
    }
    tenant = start_tenant(objects={"Visit__gc": {"fields": fields}})
    [gsid] = tenant.sandbox.tenant.seed("company", [{"Name": "Acme"}])
    lookup = {"object_name": "company", "fields": {"account": "TickerSymbol"}}
    visits = {
        "custom_object_name": "Visit__gc",
        "lookup_keys": ["Code__gc"],
        "lookups": {"Company__gc": {**lookup, "on_no_match": "leave_empty"}},
    }
    columns = {"Code__gc": TEXT, "account": TEXT}
    lines = [schema("visits", columns, keys=["Code__gc"])]
    lines += [record("visits", Code__gc="v1", account="k1"), BY_ID, account("k1")]
    lines += [record("visits", Code__gc="v2", account="k1")]
    streams = {"accounts": {"object_type": "company", **KEYS}, "visits": visits}
    tenant.load(*lines, streams=streams, object_type=None, read_group_size=1)
    [row] = tenant.rows("Visit__gc", Code__gc="v2")
    assert row["Company__gc"] == gsid


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({"fallback_keys": ["Nam"]}, "company has no field Nam. Did you mean Name?"),
        ({"fallback_keys": ["TickerSymbol"]}, "TickerSymbol is a lookup key already"),
        ({"fallback_keys": ["RenewalDate"]}, "RenewalDate is a DATE; a key is a String"),
        ({"fallback_keys": ["Summary"]}, "Summary is a RICHTEXTAREA; a key is a String"),
        ({"fallback_keys": ["SfdcAccountId"]}, "No column, constant or lookup fills SfdcAccountId"),
    ],
)
def test_wrong_fallback_key_stops_the_stream(tenant: Tenant, keys: Message, expected: str) -> None:
    run = load(tenant, account("k1"), **keys)
    assert run.exit_code == 1
    assert f"fallback_keys: {expected}" in run.error
    assert tenant.count_calls() == {"describe": 1}


def test_lookup_key_that_cannot_be_written_to_a_row_stops_the_stream(
    start_tenant: Callable[..., Tenant],
) -> None:
    fixed = {"type": "STRING", "updateable": False}
    fields = {"Code__gc": fixed, "Name": {"type": "STRING"}}
    tenant = start_tenant(objects={"Site__gc": {"fields": fields}})
    lines = [schema("sites", {"Code__gc": TEXT, "Name": TEXT}, keys=["Code__gc"])]
    entry = {"custom_object_name": "Site__gc", "lookup_keys": ["Code__gc"]}
    settings = {"streams": {"sites": {**entry, "fallback_keys": ["Name"]}}}
    run = tenant.load(*lines, record("sites", Code__gc="c", Name="n"), **settings)
    assert "No row can be given its lookup key, because Code__gc cannot be changed" in run.error


def test_tenant_that_cannot_read_the_lookup_key_gets_no_twin(
    start_tenant: Callable[..., Tenant],
) -> None:
    tenant = start_tenant(switches={"unreadable_field": "TickerSymbol"})
    tenant.sandbox.tenant.seed("company", [{"Name": "Acme"}])
    assert load(tenant, account("k1")).exit_code == 1
    assert tenant.count_names() == {"Acme": 1}


def test_delete_never_finds_a_row_by_fallback_keys(tenant: Tenant) -> None:
    tenant.sandbox.tenant.seed("company", [{"Name": "Acme"}])
    run = load(tenant, account("k1", _sdc_deleted_at="2026-01-01T00:00:00Z"), deletes="delete")
    assert run.outcomes() == {"skipped": 1}
    assert held(tenant) == {(None, "Acme"): 1}


@pytest.mark.parametrize("group", [1, 10])
def test_row_that_was_given_its_key_can_be_deleted(tenant: Tenant, group: int) -> None:
    tenant.sandbox.tenant.seed("company", [{"Name": "Acme"}])
    lines = [account("k1"), account("k1", _sdc_deleted_at="2026-01-01T00:00:00Z")]
    run = load(tenant, *lines, deletes="delete", read_group_size=group)
    assert run.outcomes() == {"updated": 1, "deleted": 1}
    assert held(tenant) == {}


@pytest.mark.parametrize("group", [1, 10])
def test_dry_run_predicts_a_claim_after_the_row_of_the_key_was_deleted(
    tenant: Tenant, group: int
) -> None:
    rows = [{"Name": "Old", "TickerSymbol": "k1"}, {"Name": "Acme", "Industry": "a"}]
    tenant.sandbox.tenant.seed("company", rows)
    lines = [account("k1", "Old", _sdc_deleted_at="2026-01-01T00:00:00Z")]
    lines += [account("k1", Industry="a"), account("k9", "Else"), account("k1", Industry="a")]
    settings = {"deletes": "delete", "read_group_size": group}
    planned = load(tenant, *lines, account("k2"), dry_run=True, **settings)
    run = load(tenant, *lines, account("k2"), **settings)
    assert planned.outcomes() == run.outcomes()
    assert run.outcomes()["deleted"] == run.outcomes()["rejected"] == 1
    assert planned.summary["streams"] == run.summary["streams"]
    assert held(tenant) == {("k1", "Acme"): 1, ("k9", "Else"): 1}


@pytest.mark.parametrize(
    ("group", "key", "last"),
    [
        (1, "k1", "created"),
        (10, "k1", "created"),
        (1, "k2", "created"),
        (10, "k2", "rejected"),  # read together with the delete, when k1 still had the row
    ],
)
def test_dry_run_predicts_a_record_after_its_row_was_deleted(
    tenant: Tenant, group: int, key: str, last: str
) -> None:
    tenant.sandbox.tenant.seed("company", [{"Name": "Acme"}])
    lines = [account("k1"), account("k1", _sdc_deleted_at="2026-01-01T00:00:00Z"), account(key)]
    settings = {"deletes": "delete", "read_group_size": group}
    expected = {"updated": 1, "deleted": 1, last: 1}
    assert load(tenant, *lines, dry_run=True, **settings).outcomes() == expected
    assert load(tenant, *lines, **settings).outcomes() == expected
    assert held(tenant) == ({(key, "Acme"): 1} if last == "created" else {})


def test_two_streams_of_one_object_do_not_share_a_row(tenant: Tenant) -> None:
    tenant.sandbox.tenant.seed("company", [{"Name": "Acme"}])
    columns = BY_ID["schema"]["properties"]
    lines = [schema(name, columns, keys=["TickerSymbol"]) for name in ("a", "b")]
    lines += [record("a", TickerSymbol="k1", Name="Acme")]
    lines += [record("b", TickerSymbol="k2", Name="Acme")]
    run = tenant.load(*lines, **KEYS)
    [reject] = run.rejects
    [(given, name)] = held(tenant)
    assert (name, {given, reject["record"]["TickerSymbol"]}) == ("Acme", {"k1", "k2"})
    assert reject["gainsight_reject"]["code"] == "ambiguous_key"
    assert f"the key '{given}'" in reject["gainsight_reject"]["message"]
