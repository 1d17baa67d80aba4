"""A new record whose key differs from another in spelling only never becomes a twin."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Any

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
from singer_messages import record, schema
from tenant_runs import companies

from target_gainsight.mapping.types.spellings import normalize_spelling, usual_spellings

if TYPE_CHECKING:
    from collections.abc import Callable

    from tenant_runs import Loading, LoadRun

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


def load_by_id(loading: Loading, *lines: Any, **settings: Any) -> LoadRun:
    return loading.load([BY_ID, *lines], lookup_keys=["SfdcAccountId"], **settings)


@pytest.mark.parametrize(("sent", "held"), SPELLINGS)
def test_spelling_of_a_row_is_ambiguous(loading: Loading, sent: str, held: str) -> None:
    gsids = loading.tenant.seed("company", [{"Name": held}])
    run = loading.load([NAMED, record(Name=sent), record(Name="Initech")])
    assert run.outcomes() == {"created": 1, "rejected": 1}
    assert run.codes == ["ambiguous_key"]
    assert loading.names() == {held: 1, "Initech": 1}
    reject = run.rejects[0]["gainsight_reject"]
    assert gsids[0] in reject["message"]
    assert "near_matches to ignore" in reject["hint"]


@pytest.mark.parametrize(("sent", "held"), SPELLINGS)
@pytest.mark.parametrize("group", [1, 10])
def test_two_spellings_of_one_run_make_one_row(
    loading: Loading, sent: str, held: str, group: int
) -> None:
    run = loading.load([NAMED, record(Name=held), record(Name=sent)], read_group_size=group)
    assert run.outcomes() == {"created": 1, "rejected": 1}
    assert run.codes == ["ambiguous_key"]
    assert loading.names() == {held: 1}
    assert "this run has a record with the key" in run.rejects[0]["gainsight_reject"]["message"]


def test_unusual_spelling_is_found_if_the_run_has_seen_its_row(loading: Loading) -> None:
    loading.tenant.seed("company", [{"Name": "McDonald"}])
    lines = [record(Name="McDonald", Industry="food"), record(Name="MCDONALD")]
    run = loading.load([NAMED, *lines], read_group_size=1)
    assert run.outcomes() == {"updated": 1, "rejected": 1}
    assert loading.names() == {"McDonald": 1}


def test_spellings_of_two_streams_into_one_object_make_one_row(loading: Loading) -> None:
    columns = {"Name": TEXT}
    lines = [schema("a", columns), schema("b", columns)]
    lines += [record("a", Name="McDonald"), record("b", Name="MCDONALD")]
    run = loading.load(lines)
    assert run.codes == ["ambiguous_key"]
    assert loading.tenant.count("company") == 1


def test_rows_that_the_tenant_has_in_two_spellings_are_both_updated(loading: Loading) -> None:
    loading.tenant.seed("company", [{"Name": "Acme"}, {"Name": "ACME"}])
    lines = [record(Name="Acme", Industry="a"), record(Name="ACME", Industry="b")]
    assert loading.load([NAMED, *lines]).outcomes() == {"updated": 2}


def test_near_matches_can_be_ignored(loading: Loading) -> None:
    loading.tenant.seed("company", [{"Name": "Acme"}])
    lines = [record(Name="ACME"), record(Name="acme")]
    run = loading.load([NAMED, *lines], near_matches="ignore")
    assert run.outcomes() == {"created": 2}
    assert loading.calls() == {"describe": 1, "query": 1, "insert": 1}


def test_new_key_of_several_fields_is_compared_as_a_whole(
    start_loading: Callable[..., Loading],
) -> None:
    fields = {"Code__gc": {"type": "STRING"}, "Region__gc": {"type": "STRING"}}
    loading = start_loading(objects={"Site__gc": {"fields": fields}})
    loading.tenant.seed("Site__gc", [{"Code__gc": "Alpha", "Region__gc": "EU"}])
    columns = {"Code__gc": TEXT, "Region__gc": TEXT}
    lines = [schema("sites", columns, keys=list(columns))]
    lines += [record("sites", Code__gc="ALPHA", Region__gc="eu")]
    lines += [record("sites", Code__gc="ALPHA", Region__gc="us")]
    settings = {"object_type": "custom_object", "custom_object_name": "Site__gc"}
    run = loading.load(lines, lookup_keys=list(columns), **settings)
    assert run.outcomes("sites") == {"created": 1, "rejected": 1}
    assert run.codes == ["ambiguous_key"]


def test_person_is_found_by_its_email_in_another_case(loading: Loading) -> None:
    loading.tenant.seed("person", [{"Email": "ANN@X.IO", "FirstName": "Ann"}])
    columns = {"Email": TEXT, "FirstName": TEXT}
    lines = [schema("people", columns, keys=["Email"])]
    lines += [record("people", Email="ann@x.io", FirstName="Ann")]
    assert loading.load(lines, object_type="person").outcomes("people") == {"unchanged": 1}


def test_dry_run_predicts_near_matches(loading: Loading) -> None:
    loading.tenant.seed("company", [{"Name": "Acme"}])
    names = ("ACME", "Initech", "INITECH", "Hooli")
    lines = [NAMED, *(record(Name=name) for name in names)]
    expected = {"created": 2, "rejected": 2}
    assert loading.load(lines, dry_run=True).outcomes() == expected
    assert loading.names() == {"Acme": 1}
    assert loading.load(lines).outcomes() == expected


def test_query_for_near_matches_that_is_refused_for_its_size_is_halved(
    start_loading: Callable[..., Loading],
) -> None:
    loading = start_loading(switches={"query_max_values": 60})
    loading.tenant.seed("company", [{"Name": "c7"}])
    run = loading.load([schema(), *companies(range(50))])
    assert run.outcomes() == {"created": 49, "rejected": 1}


def test_a_thousand_companies_half_new_take_at_most_24_calls(loading: Loading) -> None:
    names = [f"Company {chr(97 + n % 26)}{n:04}" for n in range(1000)]
    loading.tenant.seed("company", [{"Name": name} for name in names[::2]])
    run = loading.load([schema(), *(record(Name=name, Industry="new") for name in names)])
    assert run.outcomes() == {"created": 500, "updated": 500}
    assert loading.calls().total() <= 24


@given(st.text(min_size=1))
def test_every_usual_spelling_counts_as_the_same(text: str) -> None:
    for each in usual_spellings(text):
        assert normalize_spelling(each) == normalize_spelling(text)


@pytest.mark.parametrize(
    ("sent", "held"), [(LONG, SHORT), (SHORT, LONG), (LONG.upper(), SHORT), (LONG.lower(), LONG)]
)
def test_salesforce_id_finds_the_row_with_its_other_form(
    loading: Loading, sent: str, held: str
) -> None:
    loading.tenant.seed("company", [{"SfdcAccountId": held, "Name": "Acme"}])
    run = load_by_id(loading, record(SfdcAccountId=sent, Name="Acme Inc"))
    assert run.outcomes() == {"updated": 1}
    assert loading.names() == {"Acme Inc": 1}


def test_both_forms_of_a_salesforce_id_are_one_record(loading: Loading) -> None:
    lines = [record(SfdcAccountId=LONG, Name="Old"), record(SfdcAccountId=SHORT, Name="New")]
    load_by_id(loading, *lines)
    assert loading.names() == {"New": 1}


def test_short_salesforce_ids_that_differ_in_case_are_two_records(loading: Loading) -> None:
    lines = [record(SfdcAccountId="0015000000Gv7qA", Name="A")]
    lines += [record(SfdcAccountId="0015000000Gv7qa", Name="B")]
    assert load_by_id(loading, *lines).outcomes() == {"created": 2}
    assert loading.calls()["query"] == 1


@pytest.mark.parametrize(("sent", "held"), [(LONG, SHORT), (SHORT, LONG)])
def test_lookup_finds_either_form_of_a_salesforce_id(
    start_loading: Callable[..., Loading], sent: str, held: str
) -> None:
    loading = start_loading(**RESPONSES)
    loading.tenant.seed("company", [{"Name": "Acme", "SfdcAccountId": held}])
    by_id = {"Company__gc": {"object_name": "company", "fields": {"account": "SfdcAccountId"}}}
    run = load_responses(loading, [response("r1", sent)], by_id)
    assert run.outcomes("responses") == {"created": 1}
    assert companies_of(loading) == {"r1": "Acme"}


@pytest.mark.parametrize(("sent", "held"), [(LONG, SHORT), (SHORT, LONG)])
def test_company_link_finds_either_form_of_a_salesforce_id(
    loading: Loading, sent: str, held: str
) -> None:
    loading.tenant.seed("company", [{"Name": "Acme", "SfdcAccountId": held}])
    lines = [schema("people", {"Email": TEXT, "account": TEXT}, keys=["Email"])]
    lines += [record("people", Email="ann@x.io", account=sent)]
    links = {"lookup": {"account": "SfdcAccountId"}}
    run = loading.load(lines, object_type="person", company_links=links)
    assert run.outcomes("people") == {"created": 1}
    assert loading.tenant.count("company_person") == 1


def test_key_that_a_lookup_leaves_empty_is_missing(start_loading: Callable[..., Loading]) -> None:
    loading = start_loading(**RESPONSES)
    lookups = {"Company__gc": by_name(on_no_match="leave_empty")}
    lines = [response("r1", "nowhere")]
    run = load_responses(loading, lines, lookups, entry={"lookup_keys": ["Company__gc"]})
    assert run.codes == ["key_missing"]
    assert loading.tenant.count("Response__gc") == 0


@pytest.mark.parametrize(("sent", "held"), [(LONG, SHORT), (SHORT, LONG)])
def test_dry_run_finds_a_parent_by_either_form_of_its_salesforce_id(
    start_loading: Callable[..., Loading], sent: str, held: str
) -> None:
    loading = start_loading(**RESPONSES)
    lookup = {"object_name": "company", "fields": {"account": "SfdcAccountId"}}
    streams = {"accounts": {"object_type": "company"}, "responses": routed({"Company__gc": lookup})}
    lines = [BY_ID, record(SfdcAccountId=held, Name="Acme")]
    lines += [responses_schema(), response("r1", sent)]
    for is_dry in (True, False):
        run = loading.load(lines, streams=streams, dry_run=is_dry)
        assert run.outcomes("responses") == {"created": 1}
