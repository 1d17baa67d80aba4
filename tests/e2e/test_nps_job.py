"""The recipe of examples/nps/ by real `meltano run`s, and what its tenant holds after each."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from meltano_project import SUMMARY, MeltanoProject

pytestmark = pytest.mark.e2e

OBJECTS = (
    "company",
    "person",
    "company_person",
    "CG_NPS_Response__gc",
    "activity_timeline",
    "call_to_action",
)
ALL = dict(zip(OBJECTS, (108, 179, 179, 240, 240, 68), strict=True))
CHANGED = "NPS-01016"
READS = {"describe", "cta names", "query"}


@dataclass(frozen=True)
class Night:
    """Results of a run: the rows of each object, and its summary."""

    rows: dict[str, list[dict[str, Any]]]
    summary: dict[str, Any]

    @property
    def counts(self) -> dict[str, int]:
        return {name: len(rows) for name, rows in self.rows.items()}

    @property
    def writes(self) -> dict[str, int]:
        by_kind = self.summary["calls"]["by_kind"]
        return {kind: count for kind, count in by_kind.items() if kind not in READS}


@pytest.fixture(scope="module")
def project(checkout_copy: Path) -> MeltanoProject:
    project = MeltanoProject(checkout_copy, database="gainsight-nps.db")
    project.meltano("install")
    return project


def run(project: MeltanoProject, job: str, *options: str) -> Night:
    masked = job.endswith("masked")
    loader = "TARGET_GAINSIGHT_NPS_MASKED" if masked else "TARGET_GAINSIGHT_NPS"
    project.meltano(
        "run", *options, job, env={"NPS_SALT": "pepper", f"{loader}_SUMMARY_PATH": SUMMARY}
    )
    tenant = replace(project, database="gainsight-nps-masked.db") if masked else project
    return Night({name: tenant.rows(name) for name in OBJECTS}, project.summary)


@pytest.fixture(scope="module")
def nights(project: MeltanoProject) -> list[Night]:
    """The first run, the same again, and one after a respondent has changed a comment."""
    first, second = (run(project, "load-nps", "--full-refresh") for _ in range(2))
    path = project.folder / "examples" / "nps" / "survey_responses.jsonl"
    before = path.read_text("utf-8")
    responses = [json.loads(line) for line in before.splitlines()]
    for response in responses:
        if response["response_id"] == CHANGED:
            response["comment"] = "They called me. Better now."
    path.write_text("".join(json.dumps(each) + "\n" for each in responses), "utf-8")
    third = run(project, "load-nps", "--full-refresh")
    path.write_text(before, "utf-8")
    return [first, second, third]


def test_one_command_loads_five_objects(nights: list[Night]) -> None:
    assert nights[0].counts == ALL
    assert nights[0].summary["rejects"] == {}


def test_the_same_command_again_changes_nothing(nights: list[Night]) -> None:
    assert nights[1].rows == nights[0].rows
    assert nights[1].writes == {}


def test_a_changed_comment_changes_one_row_and_one_activity(nights: list[Night]) -> None:
    changed = [
        (name, row["Gsid"])
        for name in OBJECTS
        for row in nights[2].rows[name]
        if row not in nights[1].rows[name]
    ]
    assert [name for name, _ in changed] == ["CG_NPS_Response__gc", "activity_timeline"]
    assert nights[2].counts == ALL
    assert nights[2].writes == {"update": 1, "timeline": 1}


def test_the_masked_job_writes_no_comment_and_no_email(project: MeltanoProject) -> None:
    masked = run(project, "load-nps-masked", "--full-refresh")
    assert masked.counts == {**ALL, "person": 0, "company_person": 0}
    assert {row["comment__gc"] for row in masked.rows["CG_NPS_Response__gc"]} == {None}
    emails = {row["personEmail__gc"] for row in masked.rows["CG_NPS_Response__gc"]} - {None}
    assert len(emails) == ALL["person"]
    assert all(email.endswith("@masked.invalid") for email in emails)
    assert "tappade" not in json.dumps(masked.rows)


def test_the_backfill_writes_rows_by_a_bulk_job_and_raises_nothing(
    project: MeltanoProject, nights: list[Night]
) -> None:
    assert nights
    for path in project.folder.glob("gainsight-nps.db*"):
        path.unlink()
    project.meltano("run", "--full-refresh", "backfill-nps")
    counts = {name: len(project.rows(name)) for name in OBJECTS}
    assert counts == {**ALL, "activity_timeline": 0, "call_to_action": 0}
