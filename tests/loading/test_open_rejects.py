"""A reject is open until a later record of its stream and key is settled, or its replay is."""

from __future__ import annotations

import errno
import json
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from singer_messages import NOTE_SETTINGS, NOTES, Message, notes, record, schema, state
from singer_runs import TargetRun, Tenant, WatchedOutput

from target_gainsight.loading.records import SourceRecord
from target_gainsight.loading.rejects.folder import list_runs, read_open_rejects
from target_gainsight.loading.rejects.reject_file import RejectFile
from target_gainsight.sandbox import Fault, ServerRule

BAD = ServerRule("company", "Industry", "bad")


@pytest.fixture
def folder(tenant: Tenant) -> Path:
    tenant.sandbox.tenant.faults.rules.append(BAD)
    return tenant.folder / "rejects"


def bad(name: str | None, stream: str = "accounts", **fields: Any) -> Message:
    return record(stream, Name=name, Industry="bad", **fields)


def good(name: str | None, stream: str = "accounts", **fields: Any) -> Message:
    return record(stream, Name=name, Industry="good", **fields)


def is_open(folder: Path, run: TargetRun) -> list[str]:
    """The names of a run's open rejects."""
    rejects = read_open_rejects(folder, run.target.summary.run)
    return [reject.source.message["record"]["Name"] for reject in rejects]


def retired_lines(folder: Path, run: TargetRun) -> list[Message]:
    path = folder / f"{run.target.summary.run}.retired"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def test_reject_id_has_run_and_number(tenant: Tenant, folder: Path) -> None:
    run = tenant.load(schema(), bad("A"), bad("B"), good("C"))
    name = run.target.summary.run
    assert [r["gainsight_reject"]["id"] for r in run.rejects] == [f"{name}-1", f"{name}-2"]
    assert [reject.id for reject in read_open_rejects(folder, name)] == [
        f"{name}-1",
        f"{name}-2",
    ]
    assert not (folder / f"{name}.retired").exists()


@pytest.mark.parametrize("size", [1, 1000])
def test_later_record_of_same_run_retires(tenant: Tenant, folder: Path, size: int) -> None:
    lines = [record(Name="A", Employees="x"), record(Name="B", Employees="x"), good("A")]
    run = tenant.load(schema(), *lines, read_group_size=size)
    assert run.outcomes() == {"created": 1, "rejected": 2}
    assert is_open(folder, run) == ["B"]


def test_record_of_later_run_retires(tenant: Tenant, folder: Path) -> None:
    first = tenant.load(schema(), bad("A"), bad("B"), bad("C"))
    second = tenant.load(schema(), good("A"), good("X"))
    third = tenant.load(schema(), good("C"))
    assert is_open(folder, first) == ["B"]
    noted = retired_lines(folder, first)
    assert [line["id"][-2:] for line in noted] == ["-1", "-3"]
    assert [line["run"] for line in noted] == [r.target.summary.run for r in (second, third)]
    assert {line["outcome"] for line in noted} == {"created"}


def test_every_outcome_retires_the_reject(tenant: Tenant, folder: Path) -> None:
    tenant.sandbox.tenant.seed("company", [{"Name": "same", "Industry": "good"}, {"Name": "new"}])
    names = ["same", "new", "gone", "missing"]
    first = tenant.load(schema(), *map(bad, names))
    assert is_open(folder, first) == names
    gone = good("gone", _sdc_deleted_at="2026-01-01T00:00:00Z")
    lines = [good("same"), good("new"), gone, good("missing")]
    second = tenant.load(schema(), *lines, sync_mode="update")
    assert is_open(folder, first) == []
    assert {line["outcome"] for line in retired_lines(folder, first)} == {
        "unchanged",
        "updated",
        "skipped",
    }
    assert is_open(folder, second) == ["missing"]


def test_later_reject_replaces_older(tenant: Tenant, folder: Path) -> None:
    runs = [tenant.load(schema(), bad("A"), good("B")) for _ in range(3)]
    assert [is_open(folder, run) for run in runs] == [[], [], ["A"]]


def test_other_key_stream_or_alias_retires_nothing(tenant: Tenant, folder: Path) -> None:
    first = tenant.load(schema(), bad("A"))
    tenant.load(schema("others"), good("A", "others"), good("B", "others"))
    maps = {"accounts": {"__alias__": "renamed"}}
    tenant.load(schema(), good("A"), stream_maps=maps)
    assert is_open(folder, first) == ["A"]


def test_fan_out_retires_only_rejects_of_same_map(tenant: Tenant, folder: Path) -> None:
    maps = {
        "accounts": {"__alias__": "as_is"},
        "accounts_2": {"__source__": "accounts", "Name": "Name + '-copy'", "Industry": "'fine'"},
    }
    first = tenant.load(schema(), bad("A"), stream_maps=maps)
    assert is_open(folder, first) == ["A"]
    second = tenant.load(schema(), bad("A"), stream_maps=maps)
    assert (is_open(folder, first), is_open(folder, second)) == ([], ["A"])


def test_null_key_retires_nothing(tenant: Tenant, folder: Path) -> None:
    columns = {"Name": {"type": "string"}, "Id": {"type": ["string", "null"]}}
    columns["Industry"] = {"type": "string"}
    came = schema(columns=columns, keys=["Id"])
    settings = {"lookup_keys": "Name", "unknown_fields": "drop"}
    first = tenant.load(came, bad("A", Id=None), bad("B", Id="1"), **settings)
    tenant.load(came, good("C", Id=None), good("D", Id="1"), **settings)
    assert is_open(folder, first) == ["A"]


def test_only_replay_retires_without_key_properties(start_tenant: Callable[..., Tenant]) -> None:
    rule = {"object": "Note__gc", "field": "Text__gc", "value": "N1"}
    tenant = start_tenant(**NOTES, rules=[rule])
    folder = tenant.folder / "rejects"
    first = tenant.load(*notes([0, 1]), **NOTE_SETTINGS)
    second = tenant.load(*notes([1, 2]), **NOTE_SETTINGS)
    name = first.target.summary.run
    assert len(list(read_open_rejects(folder, name))) == 1
    tenant.sandbox.tenant.faults.clear()
    tenant.load(*first.reject_lines, **NOTE_SETTINGS)
    assert len(list(read_open_rejects(folder, name))) == 0
    assert len(list(read_open_rejects(folder, second.target.summary.run))) == 1


def test_merged_records_do_not_retire_each_other(tenant: Tenant, folder: Path) -> None:
    """Each brought fields of its own: only together are they what was to be written."""
    tenant.sandbox.tenant.seed("company", [{"Name": "A"}, {"Name": "A"}])
    lines = [record(Name="A", Industry="x"), record(Name="A", Employees=5)]
    first = tenant.load(schema(), *lines)
    assert is_open(folder, first) == ["A", "A"]
    second = tenant.load(schema(), *lines)
    assert (is_open(folder, first), is_open(folder, second)) == ([], ["A", "A"])


def test_replay_retires_exactly_what_it_replays(tenant: Tenant, folder: Path) -> None:
    first = tenant.load(schema(), bad("A"), bad("B"), bad("C"))
    tenant.sandbox.tenant.faults.clear()
    only = [line for line in first.reject_lines if line.get("record", {}).get("Name") != "B"]
    replay = tenant.load(*only)
    assert replay.outcomes() == {"created": 2}
    assert is_open(folder, first) == ["B"]
    assert replay.rejects == []


def test_rejects_of_replay_are_in_its_own_file(tenant: Tenant, folder: Path) -> None:
    first = tenant.load(schema(), bad("A"), bad("B"))
    replay = tenant.load(*first.reject_lines)
    assert is_open(folder, first) == []
    assert is_open(folder, replay) == ["A", "B"]
    assert replay.rejects[0]["gainsight_reject"]["id"] == f"{replay.target.summary.run}-1"


def test_replay_keeps_concurrently_appended_rejects(tenant: Tenant, folder: Path) -> None:
    first = tenant.load(schema(), bad("A"))
    path = first.target.session.ledger.rejects.path
    appended = dict(first.rejects[0], record={"Name": "Z", "Industry": "good"})
    number = f"{first.target.summary.run}-2"
    appended["gainsight_reject"] = {**appended["gainsight_reject"], "id": number}
    tenant.sandbox.tenant.faults.clear()
    with path.open("a") as file:
        file.write(json.dumps(appended) + "\n")
        file.write('{"type": "RECORD", "half')
    tenant.load(*first.reject_lines)
    assert is_open(folder, first) == ["Z"]


def test_dry_run_retires_nothing(tenant: Tenant, folder: Path) -> None:
    first = tenant.load(schema(), bad("A"), bad("B"))
    tenant.load(schema(), good("A"), dry_run=True)
    tenant.load(*first.reject_lines, dry_run=True)
    assert is_open(folder, first) == ["A", "B"]
    assert not (folder / f"{first.target.summary.run}.retired").exists()


def test_unmatched_reject_is_listed_but_not_counted(tenant: Tenant, folder: Path) -> None:
    lines = [schema(), good("A"), good("B")]
    first = tenant.load(*lines, sync_mode="update", max_rejects=1)
    assert first.exit_code == 0
    assert first.outcomes() == {"skipped": 2}
    assert first.summary["rejects"] == {}
    assert first.codes == ["no_match", "no_match"]
    assert is_open(folder, first) == ["A", "B"]
    tenant.load(schema(), good("A"))
    assert is_open(folder, first) == ["B"]


def test_unavailable_records_stay_open_until_settled(tenant: Tenant, folder: Path) -> None:
    first = tenant.load(schema(), bad("A"))
    tenant.sandbox.tenant.seed("company", [{"Name": "A"}])
    tenant.sandbox.tenant.faults.add(Fault("unavailable", method="PUT"))
    lost = tenant.load(schema(), good("A"), state(done=1), max_retry_seconds=5)
    assert (lost.codes, lost.states) == (["unavailable"], [])
    assert is_open(folder, lost) == ["A"]
    tenant.sandbox.tenant.faults.clear()
    tenant.load(schema(), good("A"))
    assert is_open(folder, first) == []
    assert is_open(folder, lost) == []


def test_retirement_is_on_disk_before_state(tenant: Tenant, folder: Path) -> None:
    first = tenant.load(schema(), bad("A"))
    seen: list[list[str]] = []
    output = WatchedOutput(lambda _: seen.append(is_open(folder, first)))
    tenant.run(tenant.target(), schema(), good("A"), state(done=1), output=output)
    assert seen == [[]]


def test_reject_is_retired_after_its_successor_is_on_disk(
    tenant: Tenant, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = tenant.load(schema(), bad("A"))

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", full)
        second = tenant.load(schema(), bad("A"), good("B"), state(done=1))
    assert second.exit_code == 1
    assert second.states == []
    assert is_open(folder, first) == ["A"]


def test_sidecar_file_is_private(tenant: Tenant, folder: Path) -> None:
    first = tenant.load(schema(), bad("A"))
    tenant.load(schema(), good("A"))
    path = folder / f"{first.target.summary.run}.retired"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_partial_line_after_crash_loses_only_itself(tenant: Tenant, folder: Path) -> None:
    first = tenant.load(schema(), bad("A"), bad("B"), bad("C"))
    path = folder / f"{first.target.summary.run}.retired"
    path.write_text(f'{{"id":"{first.target.summary.run}-1"}}\nnonsense\n[1]\n{{"id":"20')
    assert is_open(folder, first) == ["B", "C"]
    tenant.load(schema(), good("C"))
    assert is_open(folder, first) == ["B"]


def test_unreadable_reject_file_does_not_end_run(
    tenant: Tenant, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    first = tenant.load(schema(), bad("A"))
    (folder / "20260101T000000Z-0000.singer").mkdir()
    target = tenant.target()
    assert "the rejects of run 20260101T000000Z-0000 cannot be read" in caplog.text
    run = tenant.run(target, schema(), good("A"))
    assert run.exit_code == 0
    assert is_open(folder, first) == []


def test_concurrently_cleared_run_is_not_written_to(tenant: Tenant, folder: Path) -> None:
    first = tenant.load(schema(), bad("A"))
    rejects = RejectFile(folder, "20260102T000000Z-0000", lambda: 0.0)
    rejects.read_earlier_runs()
    ids = rejects.take_retired(source_record(good("A")), since=1)
    (folder / f"{first.target.summary.run}.singer").unlink()
    rejects.retire(ids, "created")
    rejects.flush(0)
    assert first.target.summary.run not in list_runs(folder)


@pytest.mark.parametrize("id_", ["../../x-1", "20260101T000000Z-0000-1", 7, None, "", "a-1"])
def test_foreign_id_matches_nothing(tenant: Tenant, folder: Path, id_: object) -> None:
    message = {**good("A"), "gainsight_reject": {"id": id_, "stream": "accounts"}}
    run = tenant.load(schema(), message)
    assert run.outcomes() == {"created": 1}
    assert not list(tenant.folder.rglob("*.retired"))


def test_foreign_files_are_not_listed_as_runs(tmp_path: Path) -> None:
    for name in (".gitignore", "notes.singer", "20260101T120000Z-3f9a.retired.bak"):
        (tmp_path / name).touch()
    assert list_runs(tmp_path) == []
    assert list_runs(tmp_path / "nowhere") == []


def test_only_replay_retires_beyond_limit(
    tenant: Tenant, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    first = tenant.load(schema(), *(bad(name) for name in "ABC"))
    rejects = RejectFile(folder, "20260102T000000Z-0000", lambda: 0.0, max_indexed=2)
    rejects.read_earlier_runs()
    assert rejects.take_retired(source_record(good("A")), since=1) == []
    replayed = source_record(first.rejects[0])
    assert [id_[-2:] for id_ in rejects.take_retired(replayed, since=1)] == ["-1"]
    assert "more than 2 rejects are open" in caplog.text


def source_record(message: Message) -> SourceRecord:
    return SourceRecord("accounts", "accounts", message, schema(), 1)
