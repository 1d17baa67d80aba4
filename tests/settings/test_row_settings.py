"""Write rules and fallback keys as they are configured."""

from __future__ import annotations

from typing import Any

import pytest
from given import errors, only_error, stream

from target_gainsight.settings import FieldRule

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


def test_entry_with_its_own_object_inherits_neither() -> None:
    top = {**COMPANY, "field_rules": RULES, "fallback_keys": ["Name"]}
    found = stream("people", **top, streams={"people": {"object_type": "person"}})
    assert (found.field_rules, found.fallback_keys) == ({}, ())


@pytest.mark.parametrize("raw", ["create", {}, None, ["empty"], 1])
def test_rule_that_is_no_object_is_refused(raw: object) -> None:
    error = only_error(**COMPANY, field_rules={"Stage": raw})
    assert error.startswith(f"field_rules.Stage: got {raw!r}, expected {{write: always|empty|")


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
    assert error == "fallback_keys: got ['A', 'B', 'C', 'D'], expected at most 3 fields."


@pytest.mark.parametrize("setting", [{"field_rules": RULES}, {"fallback_keys": ["Name"]}])
@pytest.mark.parametrize("mode", [{"sync_mode": "insert"}, {"load_method": "append-only"}])
def test_neither_is_allowed_under_insert(setting: dict[str, Any], mode: dict[str, Any]) -> None:
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
def test_neither_is_allowed_for_files(setting: dict[str, Any], kind: dict[str, Any]) -> None:
    [name] = setting
    [error] = errors(streams={"accounts": {**kind, **setting}})
    assert error.startswith(f"streams.accounts.{name} cannot be combined with ")


@pytest.mark.parametrize(
    ("object_type", "reason"),
    [
        ("person", "people are always identified by Email"),
        ("timeline", "activities are always identified by ExternalId"),
        ("cta", "the lookup keys of an existing CTA cannot be written"),
    ],
)
def test_fallback_keys_of_another_object_are_refused(object_type: str, reason: str) -> None:
    error = only_error(object_type=object_type, fallback_keys=["Name"])
    assert error == f"Remove fallback_keys: {reason}."


def test_rule_for_a_relative_due_date_is_refused() -> None:
    error = only_error(
        object_type="cta",
        constants={"DueDate": "+14d"},
        field_rules={"DueDate": {"write": "empty"}},
    )
    assert error == "Remove field_rules.DueDate: a relative DueDate is written on create only."
