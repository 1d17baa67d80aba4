"""Paths that a run cannot write to are reported before it loads anything."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from singer_messages import record, schema, state
from singer_runs import Tenant, errors_in, run_command
from singer_sdk.exceptions import ConfigValidationError


@pytest.fixture
def taken(tmp_path: Path) -> Path:
    """A file where a folder is needed."""
    path = tmp_path / "taken"
    path.write_text("a file, no folder", encoding="utf-8")
    return path


def refused(tenant: Tenant, **settings: Any) -> list[str]:
    with pytest.raises(ConfigValidationError) as error:
        tenant.target(**settings)
    return list(error.value.errors)


def test_all_unusable_paths_are_reported_at_once(tenant: Tenant, taken: Path) -> None:
    errors = refused(
        tenant,
        rejects_path=str(taken),
        outcomes_path=str(tenant.folder),
        summary_path=str(taken / "runs" / "{run}.json"),
        report_path=str(taken / "{run}.html"),
    )
    no_folder = f"'{taken}' is not a folder. Set it to a"
    assert sorted(errors) == [
        f"{name}: '{path}' cannot be used: {problem} that can be written to."
        for name, path, problem in [
            ("outcomes_path", tenant.folder, "it is a folder. Set it to a file"),
            ("rejects_path", taken, f"{no_folder} folder"),
            ("report_path", taken / "{run}.html", f"{no_folder} file"),
            ("summary_path", taken / "runs" / "{run}.json", f"{no_folder} file"),
        ]
    ]


@pytest.mark.parametrize("settings", [{}, {"dry_run": True}, {"object_type": "company"}])
def test_survey_path_matters_to_runs_that_write_surveys(
    tenant: Tenant, taken: Path, settings: dict[str, Any]
) -> None:
    given = {"object_type": "survey_csv", "survey_path": str(taken), **settings}
    if settings:
        tenant.target(**given)
    else:
        [error] = refused(tenant, **given)
        assert error.startswith("survey_path: ")


def test_dry_run_needs_no_folder_for_files(tenant: Tenant, taken: Path) -> None:
    paths = {"rejects_path": str(taken), "report_path": str(taken / "report.html")}
    run = tenant.load(schema(), record(Name="A"), **paths, dry_run=True)
    assert run.exit_code == 0


def test_nothing_is_written_if_rejects_could_not_be_kept(tenant: Tenant, taken: Path) -> None:
    messages = [schema(), record(Name="A"), state(at=1)]
    settings = {**tenant.settings, "sync_mode": "insert", "rejects_path": str(taken)}
    run = run_command(folder=tenant.folder, messages=messages, settings=settings)
    assert (run.returncode, run.stdout, tenant.names()) == (1, "", [])
    assert errors_in(run.stderr)[0].startswith(f"rejects_path: '{taken}' cannot be used: ")


def test_missing_folders_are_made_by_the_run(tenant: Tenant) -> None:
    path = tenant.folder / "new" / "{run}" / "outcomes.jsonl"
    assert tenant.load(schema(), record(Name="A"), outcomes_path=str(path)).exit_code == 0
    assert len([*tenant.folder.glob("new/*/outcomes.jsonl")]) == 1
