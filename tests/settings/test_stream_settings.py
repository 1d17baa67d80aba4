"""The object of a stream, and how it is loaded."""

from __future__ import annotations

from typing import Any

import pytest
from given import errors, only_error, read, stream

from target_gainsight.settings.stream_settings import CompanyLinks, Lookup

CONTACTS = {"object_type": "person"}
LOOKUP = {"object_name": "Company", "fields": {"company": "Name"}}


def test_without_settings_nothing_is_routed() -> None:
    assert read().for_stream("accounts") is None


@pytest.mark.parametrize(
    ("object_type", "name"),
    [
        ("company", "Company"),
        ("person", "Person"),
        ("relationship", "Relationship"),
        ("timeline", "activity_timeline"),
        ("cta", "call_to_action"),
    ],
)
def test_object_type_applies_to_every_stream(object_type: str, name: str) -> None:
    found = stream("whatever", object_type=object_type)
    assert (found.object_type, found.object_name) == (object_type, name)


@pytest.mark.parametrize("given", [{"object_type": "custom_object"}, {}])
def test_custom_object_name_implies_object_type(given: dict[str, str]) -> None:
    found = stream("orders", custom_object_name=" Order__lv ", **given)
    assert (found.object_type, found.object_name) == ("custom_object", "Order__lv")


@pytest.mark.parametrize("name", [None, "", "  "])
def test_custom_object_without_name_is_refused(name: str | None) -> None:
    error = only_error(object_type="custom_object", custom_object_name=name)
    expected = "custom_object_name is missing: API name of the custom object, such as MyObject__gc."
    assert error == expected


def test_custom_object_name_beside_other_object_is_refused() -> None:
    error = only_error(object_type="company", custom_object_name="Order__gc")
    assert error == ("custom_object_name requires object_type: custom_object.")


def test_entry_with_custom_object_ignores_default_object() -> None:
    found = stream(
        "orders", object_type="company", streams={"orders": {"custom_object_name": "Order__gc"}}
    )
    assert (found.object_type, found.object_name) == ("custom_object", "Order__gc")


def test_exact_name_wins_over_patterns() -> None:
    streams = {
        "nps_*": {"object_type": "company"},
        "nps_answers_2024": {"object_type": "person"},
        "nps_answers_202?": {"object_type": "relationship"},
    }
    assert stream("nps_answers_2024", streams=streams).object_type == "person"


def test_longest_pattern_wins() -> None:
    streams = {
        "*": {"object_type": "person"},
        "nps_*": {"object_type": "company"},
        "nps_answers_*": {"object_type": "relationship"},
    }
    assert stream("nps_answers_2024", streams=streams).object_type == "relationship"
    assert stream("nps_questions", streams=streams).object_type == "company"
    assert stream("contacts", streams=streams).object_type == "person"


def test_patterns_are_case_sensitive() -> None:
    assert read(streams={"NPS_*": CONTACTS}).for_stream("nps_1") is None


def test_first_of_equally_long_patterns_wins() -> None:
    streams = {"nps_*": CONTACTS, "*_raw": {"object_type": "company"}}
    assert stream("nps_raw", streams=streams).object_type == "person"


def test_longer_pattern_settles_a_tie() -> None:
    streams = {"nps_*": CONTACTS, "*_raw": CONTACTS, "nps_ra*": {"object_type": "company"}}
    assert stream("nps_raw", streams=streams).object_type == "company"


def test_names_with_dots_that_meltano_split_are_joined_again() -> None:
    streams = {
        "public": {
            "accounts": {"object_type": "company", "lookup_keys": ["SfdcAccountId"]},
            "crm": {"contacts": CONTACTS, "*": {"field_mapping": {"a": "Name"}}},
        },
        "crm.orders": {"object_type": "relationship"},
    }
    settings = read(streams=streams)
    assert list(settings.streams) == [
        "public.accounts",
        "public.crm.contacts",
        "public.crm.*",
        "crm.orders",
    ]
    assert stream("public.accounts", streams=streams).lookup_keys == ("SfdcAccountId",)


def test_part_of_name_may_equal_a_setting() -> None:
    streams = {"public": {"lookups": CONTACTS}}
    assert stream("public.lookups", streams=streams).object_type == "person"


def test_columns_with_dots_that_meltano_split_are_joined_again() -> None:
    found = stream(
        "a",
        object_type="company",
        field_mapping={"address": {"city": "City__gc", "geo": {"lat": "Lat__gc"}}, "n": "Name"},
    )
    assert found.field_mapping == {
        "address.city": "City__gc",
        "address.geo.lat": "Lat__gc",
        "n": "Name",
    }


def test_entry_inherits_global_settings() -> None:
    found = stream(
        "accounts",
        object_type="company",
        lookup_keys=["SfdcAccountId"],
        field_mapping={"name": "Name"},
        null_values="omit",
        streams={"accounts": {"sync_mode": "update"}},
    )
    assert found.sync_mode == "update"
    assert found.null_values == "omit"
    assert found.lookup_keys == ("SfdcAccountId",)
    assert found.field_mapping == {"name": "Name"}


def test_entry_with_own_object_inherits_no_object_settings() -> None:
    found = stream(
        "orders",
        object_type="company",
        lookup_keys=["SfdcAccountId"],
        field_mapping={"name": "Name"},
        constants={"Status": "Active"},
        lookups={"ParentCompany": LOOKUP},
        null_values="omit",
        streams={
            "orders": {"object_type": "custom_object", "custom_object_name": "Order__gc"},
        },
    )
    assert found.lookup_keys == ()
    assert found.field_mapping == {}
    assert found.constants == {}
    assert found.lookups == {}
    assert found.null_values == "omit"


def test_person_does_not_inherit_lookup_keys() -> None:
    given = {"object_type": "company", "lookup_keys": ["Name"], "streams": {"people": CONTACTS}}
    assert stream("people", **given).lookup_keys == ()


def test_entry_without_object_routes_nothing() -> None:
    assert read(streams={"accounts": {"sync_mode": "insert"}}).for_stream("accounts") is None


@pytest.mark.parametrize(
    "given",
    [
        ["SfdcAccountId", "Name"],
        "SfdcAccountId,Name",
        " SfdcAccountId , Name , ",
        '["SfdcAccountId", "Name"]',
        ["SfdcAccountId", "Name", "Name"],
    ],
)
def test_lookup_keys_may_be_list_text_or_json(given: object) -> None:
    assert stream("a", object_type="company", lookup_keys=given).lookup_keys == (
        "SfdcAccountId",
        "Name",
    )


@pytest.mark.parametrize("given", [["A", "B", "C", "D"], "A,B,C,D", '["A","B","C","D"]'])
def test_more_than_three_lookup_keys_are_refused(given: object) -> None:
    error = only_error(streams={"a": {"object_type": "company", "lookup_keys": given}})
    assert error.startswith("streams.a.lookup_keys: got ")
    assert error.endswith("expected a list of names or comma-separated text, at most 3.")


def test_lookup_keys_for_a_person_are_refused() -> None:
    expected = (
        "lookup_keys cannot be combined with object_type: person; people are always identified by "
        "Email. Remove it."
    )
    assert only_error(object_type="person", lookup_keys="Name") == expected
    streams = {"people": {"object_type": "person", "lookup_keys": ["Name"]}}
    assert only_error(streams=streams) == f"streams.people.{expected}"


def test_mirror_is_refused_with_alternative() -> None:
    error = only_error(sync_mode="mirror")
    assert error.startswith(
        "sync_mode: got 'mirror', expected one of upsert, insert, update. This target never "
    )
    assert "use upsert and load a status or flag field" in error


@pytest.mark.parametrize("mode", ["audience", "add", "remove", "audience_add", "segment", "ADD"])
def test_audience_modes_are_refused_with_alternative(mode: str) -> None:
    error = only_error(streams={"a": {"object_type": "company", "sync_mode": mode}})
    assert error.startswith(f"streams.a.sync_mode: got '{mode}', expected one of upsert, ")
    assert "use upsert and load a status or flag field" in error


@pytest.mark.parametrize(("method", "mode"), [("append-only", "insert"), ("upsert", "upsert")])
def test_sdk_load_method_is_honored(method: str, mode: str) -> None:
    assert stream("a", object_type="company", load_method=method).sync_mode == mode
    entry = {"a": {"object_type": "company"}}
    assert stream("a", streams=entry, load_method=method).sync_mode == mode


@pytest.mark.parametrize("mode", ["insert", "upsert"])
def test_load_method_wins_over_equal_or_default_sync_mode(mode: str) -> None:
    found = stream("a", object_type="company", load_method="append-only", sync_mode=mode)
    assert found.sync_mode == "insert"


def test_sync_mode_of_entry_wins_over_global_load_method() -> None:
    entry = {"a": {"object_type": "company", "sync_mode": "update"}}
    assert stream("a", streams=entry, load_method="append-only").sync_mode == "update"


@pytest.mark.parametrize(
    ("method", "mode"), [("append-only", "update"), ("upsert", "update"), ("upsert", "insert")]
)
def test_load_method_and_sync_mode_that_differ_are_refused(method: str, mode: str) -> None:
    assert only_error(load_method=method, sync_mode=mode) == (
        f"load_method: {method} cannot be combined with sync_mode: {mode}. Remove either."
    )


def test_overwriting_is_refused() -> None:
    error = only_error(load_method="overwrite")
    assert error.startswith("load_method: got 'overwrite', expected one of append-only, upsert.")
    assert "never deleted" in error


def test_unknown_load_method_does_not_suggest_overwrite() -> None:
    assert "overwrite" not in only_error(load_method="replace")


@pytest.mark.parametrize(
    ("key", "meant"),
    [
        ("feild_mapping", "field_mapping"),
        ("lookup_key", "lookup_keys"),
        ("objecttype", "object_type"),
    ],
)
def test_unknown_key_in_entry_gets_suggestion(key: str, meant: str) -> None:
    error = only_error(streams={"a": {"object_type": "company", key: {"x": "Name"}}})
    assert error == f"streams.a.{key} is unknown. Did you mean '{meant}'?"


def test_misspelt_key_is_not_part_of_a_name() -> None:
    error = only_error(object_type="company", streams={"a": {"feild_mapping": {"x": "Name"}}})
    assert error.startswith("streams.a.feild_mapping is unknown.")


def test_unknown_key_without_suggestion_lists_keys() -> None:
    error = only_error(streams={"a": {"object_type": "company", "zzz": 1}})
    assert "Known are object_type, custom_object_name, field_mapping" in error


@pytest.mark.parametrize("name", ["access_key", "domain", "calls_per_day", "rejects_path"])
def test_run_settings_are_refused_in_entries(name: str) -> None:
    error = only_error(streams={"a": {"object_type": "company", name: "s3cret"}})
    assert error.startswith(f"streams.a.{name} is unknown.")
    assert "s3cret" not in error


@pytest.mark.parametrize("entry", ["company", 5, ["company"], None])
def test_entry_must_be_an_object(entry: object) -> None:
    error = only_error(streams={"a": entry})
    assert error.startswith("streams.a: got ")
    assert "an object of settings, such as {object_type: company}" in error


def test_values_in_an_entry_are_checked_like_those_at_the_top() -> None:
    found = errors(streams={"a": {"object_type": "companee", "max_creates": 0}})
    assert found == [
        (
            "streams.a.object_type: got 'companee', expected one of company, person, "
            "relationship, custom_object, timeline, cta, survey_csv. Did you mean 'company'?"
        ),
        "streams.a.max_creates: got 0, expected a whole number of at least 1.",
    ]


def test_mapping_values_are_field_names() -> None:
    error = only_error(object_type="company", field_mapping={"a": "Name", "b": 7})
    assert error == "field_mapping.b: got 7, expected a name."


def test_empty_object_is_no_field_name() -> None:
    error = only_error(object_type="company", field_mapping={"a": {}})
    assert error == "field_mapping.a: got {}, expected a name."


def test_lookup_is_parsed() -> None:
    lookups = {"Csm": {**LOOKUP, "on_no_match": "leave_empty", "multi_match": "first"}}
    assert stream("a", object_type="company", lookups=lookups).lookups == {
        "Csm": Lookup("Company", {"company": "Name"}, "leave_empty", "first")
    }


def test_lookup_rejects_by_default() -> None:
    found = stream("a", object_type="company", lookups={"Csm": LOOKUP}).lookups["Csm"]
    assert (found.on_no_match, found.multi_match) == ("reject", "reject")


@pytest.mark.parametrize(
    ("lookup", "setting"),
    [
        ("Company", "lookups.Csm"),
        ({"fields": {"a": "Name"}}, "lookups.Csm"),
        ({"object_name": " ", "fields": {"a": "Name"}}, "lookups.Csm"),
        ({"object_name": "Company"}, "lookups.Csm.fields"),
        ({"object_name": "Company", "fields": {}}, "lookups.Csm.fields"),
        ({"object_name": "Company", "fields": "Name"}, "lookups.Csm.fields"),
        ({"object_name": "Company", "fields": {"a": 7}}, "lookups.Csm.fields"),
        ({**LOOKUP, "fields": {f"c{n}": "Name" for n in range(7)}}, "lookups.Csm.fields"),
        ({**LOOKUP, "on_no_match": "drop"}, "lookups.Csm.on_no_match"),
        ({**LOOKUP, "multi_match": "all"}, "lookups.Csm.multi_match"),
        ({**LOOKUP, "onNoMatch": "ERROR"}, "lookups.Csm.onNoMatch"),
    ],
)
def test_invalid_lookup_is_refused_by_path(lookup: object, setting: str) -> None:
    error = only_error(object_type="company", lookups={"Csm": lookup})
    assert error.startswith(f"{setting}")
    entry = {"object_type": "company", "lookups": {"Csm": lookup}}
    assert only_error(streams={"a": entry}).startswith(f"streams.a.{setting}")


def test_empty_company_links_are_not_set() -> None:
    assert stream("a", object_type="person", company_links={}).company_links is None


def test_company_links_are_read() -> None:
    links = {"lookup": {"account": "Name"}, "fields": {"Title": "title"}}
    found = stream("a", object_type="person", company_links=links)
    assert found.company_links == CompanyLinks({"account": "Name"}, {"Title": "title"}, "reject")


@pytest.mark.parametrize(
    ("links", "setting"),
    [
        ({"fields": {"Title": "title"}}, "company_links.lookup"),
        ({"lookup": {"a": 5}}, "company_links.lookup"),
        ({"lookup": {"a": "Name"}, "fields": {"Title": 5}}, "company_links.fields"),
        ({"lookup": {"a": "Name"}, "fields": "Title"}, "company_links.fields"),
        ({"lookup": {"a": "Name"}, "on_no_match": "drop"}, "company_links.on_no_match"),
        ({"lookup": {"a": "Name"}, "object_name": "X"}, "company_links.object_name"),
    ],
)
def test_invalid_company_links_are_refused_by_path(links: dict[str, Any], setting: str) -> None:
    error = only_error(object_type="person", company_links=links)
    assert error.startswith(f"{setting}")


def test_only_persons_are_linked_to_companies() -> None:
    error = only_error(object_type="company", company_links={"lookup": {"a": "Name"}})
    assert error == "company_links requires object_type: person."


def test_activity_key_is_external_id_only() -> None:
    error = only_error(object_type="timeline", lookup_keys=["Subject"])
    assert error.startswith("lookup_keys cannot be combined with object_type: timeline; ")


@pytest.mark.parametrize("due", ["+0d", "+14d", "+9999d", "2026-02-01", "02-01-2026", None])
def test_due_date_is_a_date_or_days_ahead(due: str | None) -> None:
    found = stream("a", object_type="cta", constants={"DueDate": due})
    assert found.constants == {"DueDate": due}
