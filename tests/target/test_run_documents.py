"""The summary document and the history of every run, however it ends."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests
from singer_messages import record, schema, state
from singer_runs import (
    Tenant,
    clean_environment,
    command_line,
    lines_of,
    run_command,
    settings_into,
)

from target_gainsight.loading.outcomes import Outcome
from target_gainsight.singer.reporting.publishing import append_to_history, read_history
from target_gainsight.singer.reporting.run_end import RunEnd

BAD = record(Name="Bad", Employees="a lot")


def summary_in(folder: Path) -> dict[str, Any]:
    """The only summary in a folder."""
    [path] = folder.iterdir()
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def history_of(tenant: Tenant) -> list[Mapping[str, Any]]:
    return list(read_history(tenant.folder / "rejects"))


def test_successful_run_has_a_summary(tenant: Tenant) -> None:
    path = tenant.folder / "out" / "{run}-{stream}.json"
    run = tenant.load(schema(), record(Name="A"), state(at=1), summary_path=str(path))
    document = summary_in(path.parent)
    name = document["run"]
    [file] = path.parent.iterdir()
    assert file.name == f"{name}-accounts.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert (document["status"], document["exit_code"], document["error"]) == ("success", 0, None)
    assert document["started_at"] == document["ended_at"] == "2026-01-01T12:00:00+00:00"
    assert document["duration_seconds"] == 0.0
    assert document["tenant"] == tenant.sandbox.base_url.removeprefix("http://")
    assert document["version"] == run.target.plugin_version
    assert document["calls"]["allowed_per_minute"] == {"synchronous": 90_000, "timeline": 180}
    assert document["calls"]["calls_per_minute"] == [
        {"minute": "2026-01-01T12:00+00:00", "synchronous": 4}
    ]
    assert tenant.settings["access_key"] not in json.dumps(document)


def test_refused_key_is_in_the_summary(tenant: Tenant) -> None:
    path = tenant.folder / "out" / "{stream}.json"
    tenant.load(schema(), record(Name="A"), summary_path=str(path), access_key="wr0ng")
    document = summary_in(path.parent)
    assert (document["status"], document["exit_code"]) == ("failed", 1)
    assert document["error"]["code"] == "credential_refused"
    assert document["error"]["suggestion"].startswith("Set access_key")
    assert "wr0ng" not in json.dumps(document)


def test_too_many_deletes_are_in_the_summary(tenant: Tenant) -> None:
    tenant.sandbox.tenant.seed("company", [{"Name": "A"}, {"Name": "B"}])
    path = tenant.folder / "out" / "summary.json"
    lines = [record(Name=name, _sdc_deleted_at="2026-01-01T00:00:00Z") for name in "AB"]
    tenant.load(schema(), *lines, deletes="delete", max_deletes=1, summary_path=str(path))
    error = summary_in(path.parent)["error"]
    assert error["code"] == "too_many_deletes"
    assert error["suggestion"].startswith("Check the records with _sdc_deleted_at")


def test_run_with_rejects_only_has_a_failed_summary(tenant: Tenant) -> None:
    path = tenant.folder / "out" / "summary.json"
    run = tenant.load(schema(), BAD, summary_path=str(path))
    document = summary_in(path.parent)
    assert (document["status"], document["exit_code"]) == ("failed", run.exit_code)
    assert (document["error"]["code"], document["error"]["message"]) == ("all_rejected", run.error)
    assert document["rejects"]["schema_violation"]["examples"] == [
        {
            "stream": "accounts",
            "key": {"Name": "Bad"},
            "field": "Employees",
            "value": "a lot",
            "message": "the record does not match the stream's schema: the value is not of types "
            '"null", "integer"',
            "suggestion": "correct it in the tap, or set validate_records: false",
        }
    ]


def test_unexpected_error_is_in_the_summary_without_its_text(tenant: Tenant) -> None:
    class BrokenSession(requests.Session):
        def send(self, *_: object, **__: object) -> requests.Response:
            message = "the value of a record"
            raise KeyError(message)

    path = tenant.folder / "summary.json"
    target = tenant.target(http=BrokenSession(), summary_path=str(path))
    with pytest.raises(KeyError):
        tenant.run(target, schema(), record(Name="A"))
    document = json.loads(path.read_text())
    assert (document["status"], document["error"]["code"]) == ("failed", "unexpected")
    assert "value of a record" not in json.dumps(document)


def test_wrong_settings_leave_a_summary(tenant: Tenant, tmp_path: Path) -> None:
    settings = {**tenant.settings, "multi_match": "frist", "summary_path": "{stream}.json"}
    run = run_command(folder=tmp_path, messages=[schema()], settings=settings)
    assert run.returncode == 1
    document = json.loads((tmp_path / "no-stream.json").read_text())
    assert (document["status"], document["exit_code"]) == ("failed", 1)
    assert document["error"]["code"] == "invalid_settings"
    assert (
        "multi_match: got 'frist', expected one of reject, first." in document["error"]["message"]
    )
    assert (document["tenant"], document["streams"]) == (None, {})
    assert [each["run"] for each in history_of(tenant)] == [document["run"]]


def test_interrupted_run_has_a_summary(tenant: Tenant, tmp_path: Path) -> None:
    settings = settings_into(tenant.sandbox, tmp_path) | {"summary_path": "summary.json"}
    with subprocess.Popen(
        command_line(tmp_path, settings),
        cwd=tmp_path,
        env=clean_environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(lines_of([schema(), state(at=1)]))
        process.stdin.flush()
        assert json.loads(process.stdout.readline()) == {"at": 1}
        process.send_signal(signal.SIGTERM)
        process.wait()
    document = json.loads((tmp_path / "summary.json").read_text())
    assert (document["status"], document["exit_code"]) == ("interrupted", 143)
    assert document["error"]["code"] == "interrupted"
    assert document["error"]["message"] == "The run was stopped by SIGTERM."


def test_run_that_is_ended_by_force_has_one_summary(tenant: Tenant) -> None:
    path = tenant.folder / "summary.json"
    target = tenant.target(summary_path=str(path))
    target.session.publish(RunEnd("interrupted", 143))
    assert json.loads(path.read_text())["status"] == "interrupted"
    tenant.run(target, schema(), record(Name="A"))
    assert [each["status"] for each in history_of(tenant)] == ["interrupted"]


def test_summary_is_written_into_a_named_pipe(tenant: Tenant) -> None:
    path = tenant.folder / "pipe"
    os.mkfifo(path)
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    run = tenant.load(schema(), record(Name="A"), summary_path=str(path))
    assert json.loads(os.read(descriptor, 65_536))["run"] == run.target.summary.run
    os.close(descriptor)
    assert path.is_fifo()


def test_summary_is_written_through_a_link(tenant: Tenant) -> None:
    link, path = tenant.folder / "link.json", tenant.folder / "summary.json"
    path.touch()
    link.symlink_to(path)
    tenant.load(schema(), record(Name="A"), summary_path=str(link))
    assert link.is_symlink()
    assert json.loads(path.read_text())["status"] == "success"


def test_summary_path_with_several_streams_names_them(tenant: Tenant) -> None:
    path = tenant.folder / "out" / "{stream}.json"
    tenant.load(schema("a/b"), schema("accounts"), summary_path=str(path))
    assert [each.name for each in path.parent.iterdir()] == ["a_b+accounts.json"]


def test_history_has_a_line_per_run(tenant: Tenant) -> None:
    tenant.load(schema(), record(Name="A"))
    tenant.load(schema(), record(Name="B"), access_key="wr0ng")
    tenant.load(schema(), record(Name="C"), dry_run=True)
    assert [each["status"] for each in history_of(tenant)] == ["success", "failed"]
    path = tenant.folder / "rejects" / "history.jsonl"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_unwritable_history_warns_and_does_not_fail_the_run(tenant: Tenant) -> None:
    (tenant.folder / "rejects" / "history.jsonl").mkdir(parents=True)
    run = tenant.load(schema(), record(Name="A"), state(at=1))
    assert (run.exit_code, run.states) == (0, [{"at": 1}])
    assert "the history cannot be written" in run.warnings[-1]


def test_history_of_concurrent_runs_does_not_mix_lines(tmp_path: Path) -> None:
    documents = [{"run": str(number), "text": "x" * 20_000} for number in range(64)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda each: append_to_history(tmp_path, each), documents))
    assert sorted(read_history(tmp_path), key=lambda each: int(each["run"])) == documents


def test_history_continues_after_half_a_line(tmp_path: Path) -> None:
    append_to_history(tmp_path, {"run": "1"})
    with (tmp_path / "history.jsonl").open("a") as file:
        file.write('{"run": "2", "str')
    append_to_history(tmp_path, {"run": "3"})
    assert [each["run"] for each in read_history(tmp_path)] == ["1", "3"]


def test_changed_fields_are_counted_by_updated_row(tenant: Tenant) -> None:
    rows = [{"Name": f"C{number}", "Industry": "old", "Employees": 1} for number in range(3)]
    tenant.sandbox.tenant.seed("company", rows)
    run = tenant.load(
        schema(),
        record(Name="C0", Industry="new", Employees=1),
        record(Name="C1", Industry="new", Employees=None),
        record(Name="C2", Industry="old", Employees=1),
        record(Name="C3", Industry="new"),
    )
    assert run.summary["streams"]["accounts"]["fields_changed"] == {"Industry": 2, "Employees": 1}


def test_outcomes_add_up_to_the_records_read(tenant: Tenant) -> None:
    tenant.sandbox.tenant.seed("company", [{"Name": "Old"}])
    lines = [record(Name=name) for name in ("New", "Old", "New", "New", "Old")]
    run = tenant.load(schema(), *lines, BAD)
    assert run.outcomes() == {"created": 1, "unchanged": 1, "rejected": 1, "merged": 3}
    counts = run.summary["streams"]["accounts"]
    assert counts["read"] == sum(counts[outcome.value] for outcome in Outcome)


def test_waits_of_several_threads_are_not_added_up(tenant: Tenant) -> None:
    lines = [record(Name=f"C{number}") for number in range(60)]
    path = tenant.folder / "summary.json"
    tenant.load(
        schema(),
        *lines,
        batch_size_rows=1,
        calls_per_minute=10,
        quota_percent=100,
        summary_path=str(path),
    )
    document = json.loads(path.read_text())
    assert 60 <= document["calls"]["seconds_waited"] <= document["duration_seconds"]
    assert 0 < document["calls"]["rate_used_percent"] <= 100
