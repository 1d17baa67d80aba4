"""Masked runs transfer no comment, name or email of a respondent."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest
from nps_recipe import MASKED, NPS, OBJECTS, calls, load, outcomes, responses
from singer_runs import Tenant

MARK = "zzsecretzz"
SALT = {"stream_map_config": {"salt": "a-long-random-text"}}
EMAILS = ("ann", "ann", "bob", None)
ANY: dict[str, Any] = {}


def marked_responses() -> list[dict[str, Any]]:
    """Responses whose personal data bears a mark, some of which cannot be loaded."""
    given = [
        {
            **each,
            "respondent_email": f"{name}.{MARK}@customer.example" if name else None,
            "respondent_first_name": f"First{MARK}",
            "respondent_last_name": f"Last{MARK}",
            "comment": f"Call me: {MARK}",
            "score": 3,
        }
        for name, each in zip(EMAILS, responses(), strict=False)
    ]
    without_company = {**given[0], "response_id": "X-1", "account_id": None}
    no_moment = {**given[0], "response_id": "X-2", "responded_at": "soon"}
    no_email = {**given[0], "response_id": "X-3", "respondent_email": [f"{MARK}@x.example"]}
    no_comment = {**given[0], "response_id": "X-4", "comment": {"text": MARK}}
    return [*given, without_company, no_moment, no_email, no_comment]


def places(tenant: Tenant, folder: Path, logged: str) -> dict[str, str]:
    """Everything a value could get to, as text."""
    held = tenant.sandbox.tenant
    requests = [str(call.request) for call in held.calls()]
    return {
        "tenant": json.dumps([held.rows(name) for name in OBJECTS], ensure_ascii=False),
        "requests": "".join(requests),
        "log": logged,
        "files": "".join(
            path.read_text("utf-8")
            for path in folder.rglob("*")
            if path.is_file() and "tenant.db" not in path.name
        ),
    }


def run_marked(
    tenant: Tenant, caplog: pytest.LogCaptureFixture, loader: str, **settings: Any
) -> dict[str, str]:
    caplog.set_level(logging.DEBUG)
    for library in ("urllib3", "faker"):
        caplog.set_level(logging.INFO, library)
    run = load(
        tenant,
        marked_responses(),
        loader=loader,
        columns={"comment": ANY, "respondent_email": ANY},
        summary_path=str(tenant.folder / "summary.json"),
        max_batch_age_seconds=1,
        **settings,
    )
    assert run.exit_code == 0
    assert run.rejects
    found = places(tenant, tenant.folder, caplog.text + run.output)
    assert all(found.values())
    return found


def test_no_comment_email_or_name_leaves_the_source(
    tenant: Tenant, caplog: pytest.LogCaptureFixture
) -> None:
    found = run_marked(tenant, caplog, MASKED, **SALT)
    assert [place for place, text in found.items() if MARK in text.lower()] == []
    assert tenant.sandbox.tenant.count("CG_NPS_Response__gc") >= len(EMAILS)


def test_unmasked_run_shows_personal_data_in_every_place(
    tenant: Tenant, caplog: pytest.LogCaptureFixture
) -> None:
    found = run_marked(tenant, caplog, NPS)
    assert {place for place, text in found.items() if MARK in text.lower()} == set(found)


def test_hash_is_stable_per_person_and_depends_on_the_salt(tenant: Tenant) -> None:
    given = marked_responses()[:4]
    load(tenant, given, loader=MASKED, **SALT)
    ann, again, bob, nobody = (
        row["personEmail__gc"]
        for each in given
        for row in tenant.rows("CG_NPS_Response__gc", responseId__gc=each["response_id"])
    )
    assert ann == again != bob
    assert ann.endswith("@masked.invalid")
    assert nobody is None
    load(tenant, given, loader=MASKED, stream_map_config={"salt": "another"})
    hashes = {row["personEmail__gc"] for row in tenant.rows("CG_NPS_Response__gc")}
    assert {ann, bob} & hashes == set()


def test_without_a_salt_nothing_is_written(tenant: Tenant) -> None:
    run = load(tenant, marked_responses()[:3], loader=MASKED, stream_map_config={"salt": {}})
    assert tenant.rows("CG_NPS_Response__gc") == []
    assert outcomes(run)["nps_rows"] == {"rejected": 3}


def test_second_masked_run_writes_nothing(tenant: Tenant) -> None:
    given = responses()[:40]
    load(tenant, given, loader=MASKED, **SALT)
    assert tenant.rows("person") == []
    run = load(tenant, given, loader=MASKED, **SALT)
    assert set(calls(run)) == {"describe", "query", "cta names"}
    assert outcomes(run)["nps_activities"] == {"unchanged": 40}
