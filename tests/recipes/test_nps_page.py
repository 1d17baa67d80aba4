"""docs/recipes/nps.md: the table of calls matches what the sandbox counts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nps_recipe import MASKED, NPS, load, responses
from singer_runs import Tenant

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "recipes" / "nps.md").read_text("utf-8")
RESPONSES = responses()
CHANGED = [{**RESPONSES[0], "comment": "Changed my mind."}, *RESPONSES[1:]]
NEW = {
    **RESPONSES[1],
    "response_id": "NPS-99999",
    "account_id": "ACC-9999",
    "account_name": "Nimbus & Daughters",
    "respondent_email": "ida.grove@nimbus-and-daughters.example",
}
KNOWN = {**RESPONSES[1], "response_id": "NPS-99998"}


def table() -> dict[str, dict[str, int]]:
    """Return the calls of each run by kind, and their sum under `Calls`."""
    text = PAGE.split("<!-- calls: begin -->")[1].split("<!-- calls: end -->")[0]
    head, _, *rows = [
        [cell.strip() for cell in line.strip("| ").split(" | ")]
        for line in text.split("\n")
        if line
    ]
    return {
        row[0]: {name: int(cell) for name, cell in zip(head[1:], row[1:], strict=True)}
        for row in rows
    }


def counted(
    tenant: Tenant, given: list[dict[str, Any]], loader: str, **more: Any
) -> dict[str, int]:
    """Return the calls of a run as the sandbox logged them, and their sum."""
    before = len(tenant.sandbox.tenant.calls())
    assert load(tenant, given, loader=loader, **more).exit_code == 0
    kinds = [call.kind for call in tenant.sandbox.tenant.calls()[before:]]
    names = list(table()["first"])[:-1]
    assert set(kinds) <= set(names)
    return {**{name: kinds.count(name) for name in names}, "Calls": len(kinds)}


def test_calls_of_full_and_single_runs(tenant: Tenant) -> None:
    expected = table()
    assert counted(tenant, RESPONSES, NPS) == expected["first"]
    assert counted(tenant, RESPONSES, NPS) == expected["the same again"]
    assert counted(tenant, CHANGED, NPS) == expected["one comment changed"]
    assert counted(tenant, [KNOWN], NPS) == expected["one response, company and person known"]
    assert counted(tenant, [NEW], NPS) == expected["one response, company and person new"]


def test_calls_of_a_masked_run(tenant: Tenant) -> None:
    salted = {"stream_map_config": {"salt": "pepper"}}
    assert counted(tenant, RESPONSES, MASKED, **salted) == table()["masked, first"]


def test_calls_of_a_backfill(tenant: Tenant) -> None:
    parents, rows = "target-gainsight-nps-parents", "target-gainsight-nps-history"
    assert counted(tenant, RESPONSES, parents) == table()["backfill: parents"]
    assert counted(tenant, RESPONSES, rows) == table()["backfill: rows"]
