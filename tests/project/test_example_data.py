"""examples/: complete, consistent and fictional."""

from __future__ import annotations

import json
import re
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
STAGES = {"New Customer", "Kicked Off", "Launched", "Adopting", "Will Churn", "Churn"}
STATUSES = {"Active", "Inactive", "Churn"}


def records(name: str) -> list[dict[str, Any]]:
    lines = (EXAMPLES / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


@pytest.mark.parametrize(
    ("name", "key", "count"),
    [
        ("accounts", "account_id", 200),
        ("accounts", "name", 200),
        ("contacts", "contact_id", 600),
        ("contacts", "email", 600),
        ("nps_responses", "response_id", 1500),
        ("nps/survey_responses", "response_id", 240),
    ],
)
def test_keys_are_unique(name: str, key: str, count: int) -> None:
    keys = [record[key] for record in records(name)]
    assert len(keys) == len(set(keys)) == count


def test_contacts_and_responses_belong_to_accounts() -> None:
    names = {account["account_id"]: account["name"] for account in records("accounts")}
    for record in (*records("contacts"), *records("nps_responses")):
        assert names[record["account_id"]] == record["account_name"]


def test_accounts_have_contacts_and_responses_known_people() -> None:
    accounts = {account["account_id"] for account in records("accounts")}
    people = {contact["email"]: contact["account_id"] for contact in records("contacts")}
    assert set(people.values()) == accounts
    assert all(people[r["email"]] == r["account_id"] for r in records("nps_responses"))


def test_recipe_responses_have_the_same_accounts_and_people() -> None:
    accounts = {account["account_id"]: account for account in records("accounts")}
    people = {contact["email"]: contact for contact in records("contacts")}
    responses = records("nps/survey_responses")
    assert any(response["respondent_email"] is None for response in responses)
    for response in responses:
        account = accounts[response["account_id"]]
        named = (response["account_name"], response["account_owner_email"])
        assert named == (account["name"], account["csm_email"])
        if response["respondent_email"]:
            person = people[response["respondent_email"]]
            assert response["respondent_last_name"] == person["last_name"]


def test_picklist_values_exist_in_the_sandbox() -> None:
    accounts = records("accounts")
    assert {account["stage"] for account in accounts} == STAGES
    assert {account["status"] for account in accounts} == STATUSES


def test_dates_are_valid_and_datetimes_have_an_offset() -> None:
    for account in records("accounts"):
        assert account["renewal_date"] is None or date.fromisoformat(account["renewal_date"])
    for response in records("nps_responses"):
        assert datetime.fromisoformat(response["responded_at"]).utcoffset() is not None


def test_scores_are_promoter_scores() -> None:
    assert {response["score"] for response in records("nps_responses")} == set(range(11))


def test_addresses_are_reserved_for_examples() -> None:
    files = sorted(path for path in EXAMPLES.rglob("*") if path.suffix in {".jsonl", ".yml"})
    text = "".join(path.read_text(encoding="utf-8") for path in files)
    text = re.sub(r"uses: \S+@[0-9a-f]{40}", "", text)  # the actions of a workflow
    hosts = re.findall(r"(?:https?://|[\w.+-]@)([\w.-]+)", text)
    assert hosts
    assert {host.rsplit(".", 1)[-1] for host in hosts} == {"example"}
