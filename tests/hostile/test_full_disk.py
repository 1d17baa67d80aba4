"""A full disk: the run stops with an explanation, and no state covers unsaved records."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from singer_messages import TEXT, Message, record, schema, state
from singer_runs import TargetRun, Tenant, errors_in, run_command
from small_disk import small_disk

_FULL = ("No space left on device", "database or disk is full")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "small", 64) as folder:
        yield folder


def _fill(disk: Path, leave: int) -> Path:
    """Fill a disk up to some bytes."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        written = 1
        while written:
            try:
                written = file.write(b"x" * 4096)
            except OSError:
                written = 0
        file.truncate(max(0, file.tell() - leave))
    return filler


def _good(count: int) -> list[Message]:
    lines: list[Message] = []
    for number in range(count):
        lines += [record(Name=f"C{number}", Industry="x" * 60), state(read=number + 1)]
    return [schema(), *lines]


def _bad(count: int) -> list[Message]:
    lines: list[Message] = []
    for number in range(count):
        lines += [record(Name=f"C{number}", Employees="many"), state(read=number + 1)]
    return [schema(), *lines]


def _read(run: TargetRun) -> int:
    return int(run.states[-1]["read"]) if run.states else 0


def _assert_stopped(run: TargetRun) -> None:
    assert run.exit_code == 1
    assert any(each in error for error in run.errors for each in _FULL)
    assert all(each.isprintable() for each in run.errors)


def test_full_disk_keeps_covered_rejects(tenant: Tenant, disk: Path) -> None:
    run = tenant.load(*_bad(400), rejects_path=str(disk / "rejects"), read_group_size=10)
    _assert_stopped(run)
    text = run.reject_path.read_bytes()
    assert text.endswith(b"\n")
    kept = [line for line in map(json.loads, text.splitlines()) if line["type"] == "RECORD"]
    assert len(kept) >= _read(run)
    assert _read(run) < 400


def test_unsaved_records_are_re_sent_once_space_is_free(tenant: Tenant, disk: Path) -> None:
    first = tenant.load(*_bad(300), rejects_path=str(disk / "rejects"))
    _assert_stopped(first)
    kept = {line["record"]["Name"] for line in first.rejects}
    rest = [schema(), *_bad(300)[1 + 2 * _read(first) :]]
    second = tenant.load(*rest, rejects_path=str(tenant.folder / "elsewhere"))
    again = {line["record"]["Name"] for line in second.rejects}
    assert kept | again == {f"C{number}" for number in range(300)}


def test_full_disk_keeps_covered_created_rows(tenant: Tenant, disk: Path) -> None:
    rejects = disk / "rejects"
    run = tenant.load(*_good(1500), rejects_path=str(rejects), read_group_size=50)
    _assert_stopped(run)
    (created,) = rejects.glob("*.created.csv")
    assert len(created.read_text(encoding="utf-8").splitlines()) - 1 >= _read(run)
    again = tenant.load(*_good(1500))
    assert again.exit_code == 0
    assert len(tenant.names()) == len(set(tenant.names())) == 1500


def test_full_disk_of_quota_store_stops_before_uncounted_call(
    tenant: Tenant, tmp_path: Path
) -> None:
    with small_disk(tmp_path / "quota", 1024) as folder:
        filler = _fill(folder, 0)
        run = tenant.load(*_good(5), quota_store=str(folder / "quota.db"))
        assert (run.exit_code, run.states) == (1, [])
        assert "quota.db cannot be used" in run.error
        assert tenant.sandbox.tenant.calls() == []
        filler.unlink()
        assert tenant.load(*_good(5), quota_store=str(folder / "quota.db")).exit_code == 0


def test_disk_filled_by_quota_store_stops_run(tenant: Tenant, tmp_path: Path) -> None:
    with small_disk(tmp_path / "quota", 256) as folder:
        run = tenant.load(
            *_good(600), quota_store=str(folder / "quota.db"), read_group_size=5, batch_size_rows=1
        )
    assert run.exit_code == 1
    assert "quota.db cannot be used" in run.error
    assert {f"C{number}" for number in range(_read(run))} <= set(tenant.names())


def test_full_disk_of_summary_fails_run_and_keeps_state(tenant: Tenant, disk: Path) -> None:
    _fill(disk, 0)
    run = tenant.load(*_good(5), summary_path=str(disk / "summary.json"))
    _assert_stopped(run)
    assert run.states == [{"read": 5}]
    assert not (disk / "summary.json").exists()


_SURVEY = {
    "Company": TEXT,
    "Email": TEXT,
    "Score": TEXT,
    "Comment": TEXT,
    "Survey Name": TEXT,
    "Response Date": TEXT,
}


def test_full_disk_leaves_no_survey_file_or_state(tenant: Tenant, disk: Path) -> None:
    answer = {
        "Company": "A",
        "Email": "a@b.example",
        "Score": "9",
        "Comment": "x" * 200,
        "Survey Name": "NPS",
        "Response Date": "2026-01-01",
    }
    lines = [record("nps", **answer) for _ in range(2000)]
    run = tenant.load(
        schema("nps", _SURVEY, []),
        *lines,
        state(at=1),
        object_type="survey_csv",
        survey_path=str(disk / "surveys"),
    )
    _assert_stopped(run)
    assert run.states == []
    assert list((disk / "surveys").glob("*.csv")) == []


def test_full_disk_of_bulk_spool_covers_nothing(tenant: Tenant, disk: Path) -> None:
    run = tenant.load(
        *_good(2000),
        object_type=None,
        streams={"accounts": {"object_type": "company", "transport": "bulk", "bulk_job_id": "j"}},
        rejects_path=str(disk / "rejects"),
    )
    _assert_stopped(run)
    assert (run.states, tenant.names()) == ([], [])


@pytest.mark.e2e
def test_full_disk_under_temporary_files_stops_the_run_before_its_state(
    tenant: Tenant, tmp_path: Path, disk: Path
) -> None:
    """Records that wait for their parent outgrow SQLite's memory and spill."""
    children = [
        record(Name=f"C{number}", parent="nobody", Summary="x" * 1000) for number in range(6000)
    ]
    columns = {"Name": TEXT, "parent": TEXT, "Summary": TEXT}
    lookup = {"object_name": "Company", "fields": {"parent": "Name"}}
    run = run_command(
        folder=tmp_path,
        messages=[schema(columns=columns), *children, state(read=6000)],
        settings={
            **tenant.settings,
            "lookups": {"ParentCompany": lookup},
            "summary_path": "summary.json",
        },
        SQLITE_TMPDIR=str(disk),
    )
    assert run.returncode == 1
    summary = json.loads((tmp_path / "summary.json").read_text(encoding="utf-8"))
    assert summary["error"]["code"] == "file_error"
    assert "Traceback" not in run.stderr
    assert errors_in(run.stderr)[-1].startswith("a temporary file cannot be used: database or disk")
    assert run.stdout == ""
