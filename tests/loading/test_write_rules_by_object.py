"""Write rules for people, activities, CTAs and lookups, and the rules that a stream refuses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from activities import (
    CTA_ENTRY,
    TENANT,
    activity,
    comments_of,
    cta,
    load_activities,
    load_ctas,
    notes_of,
)
from responses import RESPONSES, by_name, companies_of, load_responses, response
from singer_messages import TEXT, Message, record, schema
from singer_runs import TargetRun, Tenant

from target_gainsight.sandbox import Fault

CREATE, EMPTY, STAMP = {"write": "create"}, {"write": "empty"}, {"compare": False}
PERSON = {"Email": TEXT, "FirstName": TEXT, "LastName": TEXT}
COMPANY = {"Name": TEXT, "Industry": TEXT, "Summary": TEXT}


def load_people(tenant: Tenant, rules: Message, **fields: Any) -> TargetRun:
    lines = [schema("people", PERSON, keys=["Email"]), record("people", Email="a@x.io", **fields)]
    return tenant.load(*lines, object_type="person", field_rules=rules)


def load_company(tenant: Tenant, rules: Message, **settings: Any) -> TargetRun:
    lines = [schema(columns=COMPANY), record(Name="Acme", Industry="new", Summary="new")]
    return tenant.load(*lines, field_rules=rules, **settings)


def test_rules_hold_for_people(tenant: Tenant) -> None:
    held = {"Email": "a@x.io", "FirstName": "By hand", "LastName": "Old"}
    tenant.sandbox.tenant.seed("person", [held])
    run = load_people(tenant, {"FirstName": EMPTY}, FirstName="New", LastName="New")
    assert run.outcomes("people") == {"updated": 1}
    [row] = tenant.rows("person")
    assert (row["FirstName"], row["LastName"]) == ("By hand", "New")


@pytest.mark.parametrize("rule", [CREATE, EMPTY, STAMP])
def test_rules_hold_for_activities(start_tenant: Callable[..., Tenant], rule: Message) -> None:
    tenant = start_tenant(**TENANT)
    load_activities(tenant, [activity(1)])
    run = load_activities(
        tenant, [activity(1, Notes="new")], entry={"field_rules": {"Notes": rule}}
    )
    assert run.outcomes("activities") == {"unchanged": 1}
    assert notes_of(tenant) == {"r1": "note 1"}


@pytest.mark.parametrize("rule", [CREATE, EMPTY, STAMP])
def test_rules_hold_for_ctas(start_tenant: Callable[..., Tenant], rule: Message) -> None:
    tenant = start_tenant(**TENANT)
    load_ctas(tenant, [cta(1)])
    run = load_ctas(tenant, [cta(1, Comments="new")], entry={"field_rules": {"Comments": rule}})
    assert run.outcomes("ctas") == {"unchanged": 1}
    assert comments_of(tenant) == {"r1": "comment 1"}


def test_rule_holds_for_a_name_that_is_read_under_another_path(
    start_tenant: Callable[..., Tenant],
) -> None:
    tenant = start_tenant(**TENANT)
    load_ctas(tenant, [cta(1)])
    entry = {"constants": {**CTA_ENTRY["constants"], "status": "Closed Success"}}
    rules = {"field_rules": {"status": EMPTY}}
    run = load_ctas(tenant, [cta(1)], entry={**entry, **rules})
    assert run.outcomes("ctas") == {"unchanged": 1}


@pytest.mark.parametrize("rule", [CREATE, EMPTY])
def test_rule_holds_for_a_lookup(start_tenant: Callable[..., Tenant], rule: Message) -> None:
    tenant = start_tenant(**RESPONSES)
    tenant.sandbox.tenant.seed("company", [{"Name": "Acme"}, {"Name": "Hooli"}])
    entry = {"field_rules": {"Company__gc": rule}}
    lookups = {"Company__gc": by_name()}
    for account in ("Acme", "Hooli"):
        load_responses(tenant, [response("r1", account)], lookups, entry=entry)
    assert companies_of(tenant) == {"r1": "Acme"}


@pytest.mark.parametrize(
    ("rule", "held", "expected"),
    [(CREATE, None, None), (EMPTY, None, "Late"), (EMPTY, "First", "First"), ({}, None, "Late")],
)
def test_rule_holds_for_a_parent_that_comes_later(
    tenant: Tenant, rule: Message, held: str | None, expected: str | None
) -> None:
    [first, _] = tenant.sandbox.tenant.seed("company", [{"Name": "First"}, {"Name": "Child"}])
    if held:
        [child] = tenant.rows(Name="Child")
        tenant.delete("company", Name="Child")
        tenant.sandbox.tenant.seed("company", [{"Name": "Child", "ParentCompany": first}])
        assert child
    lookup = {"ParentCompany": {"object_name": "Company", "fields": {"parent": "Name"}}}
    lines = [schema(columns={"Name": TEXT, "parent": TEXT})]
    lines += [record(Name="Child", parent="Late"), record(Name="Late", parent=None)]
    rules = {"field_rules": {"ParentCompany": rule}} if rule else {}
    run = tenant.load(*lines, lookups=lookup, read_group_size=1, **rules)
    assert run.exit_code == 0
    names = {row["Gsid"]: row["Name"] for row in tenant.rows()}
    [child] = tenant.rows(Name="Child")
    assert names.get(child["ParentCompany"]) == expected


def test_create_rule_holds_for_a_parent_that_a_later_record_changes(tenant: Tenant) -> None:
    lookup = {"ParentCompany": {"object_name": "Company", "fields": {"parent": "Name"}}}
    tenant.sandbox.tenant.seed("company", [{"Name": "Other"}])
    lines = [schema(columns={"Name": TEXT, "parent": TEXT}), record(Name="Child", parent="Late")]
    lines += [record(Name="Child", parent="Other"), record(Name="Late", parent=None)]
    rules = {"ParentCompany": CREATE}
    tenant.load(*lines, lookups=lookup, read_group_size=1, field_rules=rules)
    names = {row["Gsid"]: row["Name"] for row in tenant.rows()}
    [child] = tenant.rows(Name="Child")
    assert names[child["ParentCompany"]] == "Late"


def test_misspelt_field_of_a_rule_is_refused_with_a_suggestion(tenant: Tenant) -> None:
    run = load_company(tenant, {"Industri": EMPTY, "Name": CREATE})
    assert run.exit_code == 1
    assert "2 problems" in run.error
    assert "field_rules: company has no field Industri. Did you mean Industry?" in run.error
    assert "field_rules: Name is a lookup key, which is never changed" in run.error
    assert tenant.count_calls() == {"describe": 1}


def test_rule_for_the_email_of_a_person_is_refused(tenant: Tenant) -> None:
    run = load_people(tenant, {"Email": CREATE}, FirstName="Ann")
    assert "field_rules: Email is a lookup key" in run.error


def test_rule_for_a_field_that_is_never_read_is_refused(
    start_tenant: Callable[..., Tenant],
) -> None:
    tenant = start_tenant(**TENANT)
    run = load_activities(tenant, [activity(1)], entry={"field_rules": {"Author": CREATE}})
    assert "field_rules: Author cannot be read, so no rule can be applied to it" in run.error
    assert notes_of(tenant) == {}


@pytest.mark.parametrize("rule", [CREATE, EMPTY, STAMP])
def test_rule_for_unreadable_field_stops_stream(
    start_tenant: Callable[..., Tenant], rule: Message
) -> None:
    tenant = start_tenant(switches={"unreadable_field": "Industry"})
    tenant.sandbox.tenant.seed("company", [{"Name": "Acme", "Industry": "by hand"}])
    run = load_company(tenant, {"Industry": rule})
    assert run.exit_code == 1
    assert (
        "cannot read Industry of Company, which lookup_keys, fallback_keys or field_rules need"
        in run.error
    )
    assert tenant.count_calls()["update"] == 0


@pytest.mark.parametrize("query", ["refused", "wrong_api", "forbidden", "unknown"])
def test_activities_that_cannot_be_read_are_not_written_under_a_rule(
    start_tenant: Callable[..., Tenant], query: str
) -> None:
    tenant = start_tenant(**TENANT, switches={"timeline_query": query})
    run = load_activities(tenant, [activity(1)], entry={"field_rules": {"Notes": CREATE}})
    assert run.exit_code == 1
    assert notes_of(tenant) == {}


def test_field_that_only_a_create_can_set_is_loaded_under_a_create_rule(
    start_tenant: Callable[..., Tenant],
) -> None:
    origin = {"type": "STRING", "updateable": False}
    tenant = start_tenant(objects={"company": {"fields": {"Origin__gc": origin}}})
    lines = [schema(columns={"Name": TEXT, "Origin__gc": TEXT})]
    lines += [record(Name="Acme", Origin__gc="web")]
    assert (
        "cannot be changed once a record exists"
        in tenant.load(
            *lines,
            unknown_fields="fail",
            field_mapping={"Name": "Name", "Origin__gc": "Origin__gc"},
        ).error
    )
    rules = {"Origin__gc": CREATE}
    assert tenant.load(*lines, field_rules=rules).outcomes() == {"created": 1}
    assert tenant.load(*lines, field_rules=rules).outcomes() == {"unchanged": 1}
    assert tenant.rows()[0]["Origin__gc"] == "web"


@pytest.mark.parametrize("kind", ["reset_after_commit", "reset_before_commit", "server_error"])
@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_rules_hold_when_responses_are_lost(tenant: Tenant, kind: str, method: str) -> None:
    if method == "PUT":
        tenant.sandbox.tenant.seed("company", [{"Name": "Acme", "Industry": "by hand"}])
    fault = Fault(kind, method=method, path="/v1/data/objects/company", times=1)
    tenant.sandbox.tenant.faults.add(fault)
    load_company(tenant, {"Industry": EMPTY})
    [row] = tenant.rows()
    expected = "by hand" if method == "PUT" else "new"
    assert (row["Industry"], row["Summary"]) == (expected, "new")
