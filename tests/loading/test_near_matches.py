"""A new record whose key differs from another only in spelling never becomes a duplicate."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from responses import (
    RESPONSES,
    TEXT,
    by_name,
    companies_of,
    load_responses,
    response,
    responses_schema,
    routed,
)
from singer_messages import companies, record, schema
from singer_runs import TargetRun, Tenant

from target_gainsight.mapping.types.spellings import normalize_spelling, usual_spellings

NFC, NFD = (unicodedata.normalize(form, "Café") for form in ("NFC", "NFD"))
LONG, SHORT = "0015000000Gv7qAAAR", "0015000000Gv7qA"
SPELLINGS = [
    ("ACME", "Acme"),
    ("acme", "Acme"),
    ("Acme", "ACME"),
    ("Acme", "acme"),
    ("acme inc", "Acme Inc"),
    ("MACY'S", "Macy's"),
    ("Globex", "Globex "),
    ("Globex ", "Globex"),
    (" Globex", "Globex"),
    ("GLOBEX", "Globex "),
    (NFC, NFD),
    (NFD, NFC),
    (NFD.upper(), NFC),
    ("7000123456.0", "7000123456"),
    (LONG, SHORT),
    (SHORT, LONG),
    (LONG.lower(), SHORT),
]
NAMED = schema(columns={"Name": TEXT, "Industry": TEXT})
BY_ID = schema(columns={"SfdcAccountId": TEXT, "Name": TEXT}, keys=["SfdcAccountId"])


def load_by_id(tenant: Tenant, *lines: Any, **settings: Any) -> TargetRun:
    return tenant.load(BY_ID, *lines, lookup_keys=["SfdcAccountId"], **settings)


@pytest.mark.parametrize(("sent", "held"), SPELLINGS)
def test_spelling_of_a_row_is_ambiguous(tenant: Tenant, sent: str, held: str) -> None:
    gsids = tenant.sandbox.tenant.seed("company", [{"Name": held}])
    run = tenant.load(NAMED, record(Name=sent), record(Name="Initech"))
    assert run.outcomes() == {"created": 1, "rejected": 1}
    assert run.codes == ["ambiguous_key"]
    assert tenant.count_names() == {held: 1, "Initech": 1}
    reject = run.rejects[0]["gainsight_reject"]
    assert gsids[0] in reject["message"]
    assert "near_matches to ignore" in reject["hint"]


@pytest.mark.parametrize(("sent", "held"), SPELLINGS)
@pytest.mark.parametrize("group", [1, 10])
def test_two_spellings_of_one_run_make_one_row(
    tenant: Tenant, sent: str, held: str, group: int
) -> None:
    run = tenant.load(NAMED, record(Name=held), record(Name=sent), read_group_size=group)
    assert run.outcomes() == {"created": 1, "rejected": 1}
    assert run.codes == ["ambiguous_key"]
    assert tenant.count_names() == {held: 1}
    assert "this run has a record with the key" in run.rejects[0]["gainsight_reject"]["message"]


def test_unusual_spelling_is_found_if_the_run_has_seen_its_row(tenant: Tenant) -> None:
    tenant.sandbox.tenant.seed("company", [{"Name": "McDonald"}])
    lines = [record(Name="McDonald", Industry="food"), record(Name="MCDONALD")]
    run = tenant.load(NAMED, *lines, read_group_size=1)
    assert run.outcomes() == {"updated": 1, "rejected": 1}
    assert tenant.count_names() == {"McDonald": 1}


def test_spellings_of_two_streams_into_one_object_make_one_row(tenant: Tenant) -> None:
    columns = {"Name": TEXT}
    lines = [schema("a", columns), schema("b", columns)]
    lines += [record("a", Name="McDonald"), record("b", Name="MCDONALD")]
    run = tenant.load(*lines)
    assert run.codes == ["ambiguous_key"]
    assert tenant.sandbox.tenant.count("company") == 1


def test_rows_that_the_tenant_has_in_two_spellings_are_both_updated(tenant: Tenant) -> None:
    tenant.sandbox.tenant.seed("company", [{"Name": "Acme"}, {"Name": "ACME"}])
    lines = [record(Name="Acme", Industry="a"), record(Name="ACME", Industry="b")]
    assert tenant.load(NAMED, *lines).outcomes() == {"updated": 2}


def test_near_matches_can_be_ignored(tenant: Tenant) -> None:
    tenant.sandbox.tenant.seed("company", [{"Name": "Acme"}])
    lines = [record(Name="ACME"), record(Name="acme")]
    run = tenant.load(NAMED, *lines, near_matches="ignore")
    assert run.outcomes() == {"created": 2}
    assert tenant.count_calls() == {"describe": 1, "query": 1, "insert": 1}


def test_new_key_of_several_fields_is_compared_as_a_whole(
    start_tenant: Callable[..., Tenant],
) -> None:
    fields = {"Code__gc": {"type": "STRING"}, "Region__gc": {"type": "STRING"}}
    tenant = start_tenant(objects={"Site__gc": {"fields": fields}})
    tenant.sandbox.tenant.seed("Site__gc", [{"Code__gc": "Alpha", "Region__gc": "EU"}])
    columns = {"Code__gc": TEXT, "Region__gc": TEXT}
    lines = [schema("sites", columns, keys=list(columns))]
    lines += [record("sites", Code__gc="ALPHA", Region__gc="eu")]
    lines += [record("sites", Code__gc="ALPHA", Region__gc="us")]
    settings = {"object_type": "custom_object", "custom_object_name": "Site__gc"}
    run = tenant.load(*lines, lookup_keys=list(columns), **settings)
    assert run.outcomes("sites") == {"created": 1, "rejected": 1}
    assert run.codes == ["ambiguous_key"]


def test_person_is_found_by_its_email_in_another_case(tenant: Tenant) -> None:
    tenant.sandbox.tenant.seed("person", [{"Email": "ANN@X.IO", "FirstName": "Ann"}])
    columns = {"Email": TEXT, "FirstName": TEXT}
    lines = [schema("people", columns, keys=["Email"])]
    lines += [record("people", Email="ann@x.io", FirstName="Ann")]
    assert tenant.load(*lines, object_type="person").outcomes("people") == {"unchanged": 1}


def test_dry_run_predicts_near_matches(tenant: Tenant) -> None:
    tenant.sandbox.tenant.seed("company", [{"Name": "Acme"}])
    names = ("ACME", "Initech", "INITECH", "Hooli")
    lines = [NAMED, *(record(Name=name) for name in names)]
    expected = {"created": 2, "rejected": 2}
    assert tenant.load(*lines, dry_run=True).outcomes() == expected
    assert tenant.count_names() == {"Acme": 1}
    assert tenant.load(*lines).outcomes() == expected


def test_query_for_near_matches_that_is_refused_for_its_size_is_halved(
    start_tenant: Callable[..., Tenant],
) -> None:
    tenant = start_tenant(switches={"query_max_values": 60})
    tenant.sandbox.tenant.seed("company", [{"Name": "c7"}])
    run = tenant.load(schema(), *companies(range(50)))
    assert run.outcomes() == {"created": 49, "rejected": 1}


def test_thousand_companies_half_new_take_at_most_24_calls(tenant: Tenant) -> None:
    names = [f"Company {chr(97 + n % 26)}{n:04}" for n in range(1000)]
    tenant.sandbox.tenant.seed("company", [{"Name": name} for name in names[::2]])
    run = tenant.load(schema(), *(record(Name=name, Industry="new") for name in names))
    assert run.outcomes() == {"created": 500, "updated": 500}
    assert tenant.count_calls().total() <= 24


@given(st.text(min_size=1))
def test_every_usual_spelling_counts_as_the_same(text: str) -> None:
    for each in usual_spellings(text):
        assert normalize_spelling(each) == normalize_spelling(text)


@pytest.mark.parametrize(
    ("sent", "held"), [(LONG, SHORT), (SHORT, LONG), (LONG.upper(), SHORT), (LONG.lower(), LONG)]
)
def test_salesforce_id_finds_the_row_with_its_other_form(
    tenant: Tenant, sent: str, held: str
) -> None:
    tenant.sandbox.tenant.seed("company", [{"SfdcAccountId": held, "Name": "Acme"}])
    run = load_by_id(tenant, record(SfdcAccountId=sent, Name="Acme Inc"))
    assert run.outcomes() == {"updated": 1}
    assert tenant.count_names() == {"Acme Inc": 1}


def test_both_forms_of_a_salesforce_id_are_one_record(tenant: Tenant) -> None:
    lines = [record(SfdcAccountId=LONG, Name="Old"), record(SfdcAccountId=SHORT, Name="New")]
    load_by_id(tenant, *lines)
    assert tenant.count_names() == {"New": 1}


def test_short_salesforce_ids_that_differ_in_case_are_two_records(tenant: Tenant) -> None:
    lines = [record(SfdcAccountId="0015000000Gv7qA", Name="A")]
    lines += [record(SfdcAccountId="0015000000Gv7qa", Name="B")]
    assert load_by_id(tenant, *lines).outcomes() == {"created": 2}
    assert tenant.count_calls()["query"] == 1


@pytest.mark.parametrize(("sent", "held"), [(LONG, SHORT), (SHORT, LONG)])
def test_lookup_finds_either_form_of_a_salesforce_id(
    start_tenant: Callable[..., Tenant], sent: str, held: str
) -> None:
    tenant = start_tenant(**RESPONSES)
    tenant.sandbox.tenant.seed("company", [{"Name": "Acme", "SfdcAccountId": held}])
    by_id = {"Company__gc": {"object_name": "company", "fields": {"account": "SfdcAccountId"}}}
    run = load_responses(tenant, [response("r1", sent)], by_id)
    assert run.outcomes("responses") == {"created": 1}
    assert companies_of(tenant) == {"r1": "Acme"}


@pytest.mark.parametrize(("sent", "held"), [(LONG, SHORT), (SHORT, LONG)])
def test_company_link_finds_either_form_of_a_salesforce_id(
    tenant: Tenant, sent: str, held: str
) -> None:
    tenant.sandbox.tenant.seed("company", [{"Name": "Acme", "SfdcAccountId": held}])
    lines = [schema("people", {"Email": TEXT, "account": TEXT}, keys=["Email"])]
    lines += [record("people", Email="ann@x.io", account=sent)]
    links = {"lookup": {"account": "SfdcAccountId"}}
    run = tenant.load(*lines, object_type="person", company_links=links)
    assert run.outcomes("people") == {"created": 1}
    assert tenant.sandbox.tenant.count("company_person") == 1


def test_key_that_a_lookup_leaves_empty_is_missing(start_tenant: Callable[..., Tenant]) -> None:
    tenant = start_tenant(**RESPONSES)
    lookups = {"Company__gc": by_name(on_no_match="leave_empty")}
    lines = [response("r1", "nowhere")]
    run = load_responses(tenant, lines, lookups, entry={"lookup_keys": ["Company__gc"]})
    assert run.codes == ["key_missing"]
    assert tenant.sandbox.tenant.count("Response__gc") == 0


@pytest.mark.parametrize(("sent", "held"), [(LONG, SHORT), (SHORT, LONG)])
def test_dry_run_finds_a_parent_by_either_form_of_its_salesforce_id(
    start_tenant: Callable[..., Tenant], sent: str, held: str
) -> None:
    tenant = start_tenant(**RESPONSES)
    lookup = {"object_name": "company", "fields": {"account": "SfdcAccountId"}}
    streams = {"accounts": {"object_type": "company"}, "responses": routed({"Company__gc": lookup})}
    lines = [BY_ID, record(SfdcAccountId=held, Name="Acme")]
    lines += [responses_schema(), response("r1", sent)]
    for is_dry in (True, False):
        run = tenant.load(*lines, streams=streams, dry_run=is_dry)
        assert run.outcomes("responses") == {"created": 1}
