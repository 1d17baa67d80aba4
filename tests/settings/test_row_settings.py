"""Write rules, fallback keys and deletes as they are configured."""

from __future__ import annotations

from typing import Any

import pytest
from given import errors, only_error, stream

from target_gainsight.settings.stream_settings import FieldRule

COMPANY = {"object_type": "company"}
RULES = {"Stage": {"write": "empty"}}
INSERT = "cannot be combined with sync_mode: insert"


def test_rules_are_read_with_their_defaults() -> None:
    given = {"A": {"write": "empty"}, "B": {"compare": "false"}, "C": {"write": "create"}}
    assert stream("accounts", **COMPANY, field_rules=given).field_rules == {
        "A": FieldRule("empty"),
        "B": FieldRule(compare=False),
        "C": FieldRule("create"),
    }


@pytest.mark.parametrize("given", ["Name,Region", ["Name", "Region"], '["Name", "Region"]'])
def test_fallback_keys_are_read_like_lookup_keys(given: object) -> None:
    found = stream("accounts", **COMPANY, fallback_keys=given)
    assert found.fallback_keys == ("Name", "Region")


def test_entry_with_its_own_object_inherits_no_rules_or_fallback_keys() -> None:
    top = {**COMPANY, "field_rules": RULES, "fallback_keys": ["Name"]}
    found = stream("people", **top, streams={"people": {"object_type": "person"}})
    assert (found.field_rules, found.fallback_keys) == ({}, ())


@pytest.mark.parametrize("raw", ["create", None, ["empty"], 1])
def test_rule_that_is_no_object_is_refused(raw: object) -> None:
    error = only_error(**COMPANY, field_rules={"Stage": raw})
    assert error.startswith(
        f"field_rules.Stage: got {raw!r}, expected an object of write, compare."
    )


def test_every_wrong_rule_is_reported_at_once() -> None:
    rules = {"A": {"write": "no"}, "B": {"compare": "perhaps"}, "C": {"wirte": "empty"}}
    found = errors(**COMPANY, field_rules=rules)
    assert found == [
        "field_rules.A.write: got 'no', expected one of always, empty, create.",
        "field_rules.B.compare: got 'perhaps', expected true or false.",
        "field_rules.C.wirte is unknown. Did you mean 'write'?",
    ]


def test_more_than_three_fallback_keys_are_refused() -> None:
    error = only_error(**COMPANY, fallback_keys="A,B,C,D")
    assert error == (
        "fallback_keys: got 'A,B,C,D', expected a list of names or comma-separated text, at most 3."
    )


@pytest.mark.parametrize("setting", [{"field_rules": RULES}, {"fallback_keys": ["Name"]}])
@pytest.mark.parametrize("mode", [{"sync_mode": "insert"}, {"load_method": "append-only"}])
def test_rules_and_fallback_keys_are_refused_under_insert(
    setting: dict[str, Any], mode: dict[str, Any]
) -> None:
    [name] = setting
    assert only_error(**COMPANY, **setting, **mode).startswith(f"{name} {INSERT}; ")


@pytest.mark.parametrize("setting", [{"field_rules": RULES}, {"fallback_keys": ["Name"]}])
@pytest.mark.parametrize(
    "kind",
    [
        {"object_type": "survey_csv"},
        {**COMPANY, "transport": "bulk", "bulk_job_id": "j", "field_mapping": {"a": "Name"}},
    ],
)
def test_rules_and_fallback_keys_are_refused_for_files(
    setting: dict[str, Any], kind: dict[str, Any]
) -> None:
    [name] = setting
    [error] = errors(streams={"accounts": {**kind, **setting}})
    assert error.startswith(f"streams.accounts.{name} cannot be combined with ")


@pytest.mark.parametrize("object_type", ["person", "timeline", "cta"])
def test_fallback_keys_of_another_object_are_refused(object_type: str) -> None:
    error = only_error(object_type=object_type, fallback_keys=["Name"])
    assert error == (
        f"fallback_keys cannot be combined with object_type: {object_type}; it is for companies, "
        "relationships and custom objects. Remove it."
    )


DELETES = {"deletes": "delete"}


def test_deletes_are_off_by_default() -> None:
    found = stream("accounts", **COMPANY)
    assert (found.deletes, found.max_deletes) == ("skip", 100)


@pytest.mark.parametrize("object_type", ["company", "relationship", "custom_object"])
def test_deletes_are_read_with_their_limit(object_type: str) -> None:
    named = {"custom_object_name": "Plan__gc"} if object_type == "custom_object" else {}
    entry = {"object_type": object_type, **named, **DELETES, "max_deletes": "7"}
    found = stream("rows", streams={"rows": entry})
    assert (found.deletes, found.max_deletes) == ("delete", 7)


@pytest.mark.parametrize(
    ("entry", "kind"),
    [
        ({"object_type": "person"}, "object_type: person; it is for"),
        ({"object_type": "timeline"}, "object_type: timeline; it is for"),
        ({"object_type": "cta"}, "object_type: cta; it is for"),
        ({"object_type": "survey_csv"}, "object_type: survey_csv; an administrator"),
        ({**COMPANY, "sync_mode": "insert"}, "sync_mode: insert; insert reads no"),
        ({**COMPANY, "transport": "bulk", "bulk_job_id": "j"}, "transport: bulk; a CSV file"),
    ],
    ids=lambda given: given if isinstance(given, str) else None,
)
def test_deletes_where_no_row_can_be_deleted_are_refused(entry: dict[str, Any], kind: str) -> None:
    error = only_error(streams={"rows": {**entry, **DELETES}})
    assert error.startswith(f"streams.rows.deletes cannot be combined with {kind}")
    assert error.endswith("Remove it.")
    inherited = stream("rows", **DELETES, streams={"rows": entry})
    assert inherited.deletes == "skip"


@pytest.mark.parametrize("object_type", ["person", "survey_csv"])
def test_deletes_for_every_stream_are_refused_with_its_object(object_type: str) -> None:
    error = only_error(object_type=object_type, **DELETES)
    assert error.startswith(f"deletes cannot be combined with object_type: {object_type}; ")


@pytest.mark.parametrize("given", ["yes", True, "DELETE "])
def test_other_ways_to_ask_for_deletes_are_refused(given: object) -> None:
    assert only_error(**COMPANY, deletes=given).startswith("deletes: got ")


@pytest.mark.parametrize("given", [0, -1, "many"])
def test_limit_of_deletes_is_at_least_one(given: object) -> None:
    assert only_error(**COMPANY, max_deletes=given).startswith(f"max_deletes: got {given!r}")


def test_delete_as_a_sync_mode_leads_to_deletes() -> None:
    assert "set deletes: delete" in only_error(**COMPANY, sync_mode="delete")
