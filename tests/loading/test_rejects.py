"""The reject file: a Singer file of source records, whole lines, never behind the state."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import pytest
from singer_messages import Message, companies, record, schema, state
from singer_runs import Tenant, WatchedOutput

from target_gainsight.loading.storage.private_file import MAX_PENDING, PrivateFile
from target_gainsight.sandbox import ServerRule

BAD = ServerRule("company", "Industry", "bad")


def every_tenth_bad(count: int) -> list[Message]:
    return [
        record(Name=f"C{n}", Industry="bad" if n % 10 == 0 else f"industry {n}")
        for n in range(count)
    ]


def test_rejects_are_in_input_order(tenant: Tenant) -> None:
    tenant.sandbox.tenant.faults.rules.append(BAD)
    tenant.sandbox.tenant.seed("company", [{"Name": f"C{n}"} for n in range(0, 400, 20)])
    tenant.sandbox.tenant.seed("company", [{"Name": "Twin"}, {"Name": "Twin"}])
    lines = every_tenth_bad(400)
    lines[200:200] = [record(Name="Twin"), record(Name=7), record(Name=None), record(Name="Twin")]
    run = tenant.load(schema(), *lines, state(done=1), read_group_size=100)
    wanted = [f"C{n}" for n in range(0, 200, 10)] + ["Twin", 7, None, "Twin"]
    wanted += [f"C{n}" for n in range(200, 400, 10)]
    assert [reject["record"]["Name"] for reject in run.rejects] == wanted
    assert run.states == [{"done": 1}]


def test_reject_has_source_record_and_all_reasons(tenant: Tenant) -> None:
    tenant.sandbox.tenant.faults.rules.append(BAD)
    source = {"name": "Initech", "kind": "bad", "note": {"deep": [1.50, None]}, "unused": "ü\u2028"}
    columns = {"name": {"type": "string"}, "kind": {"type": "string"}}
    came = schema("crm", columns, keys=["name"])
    message = {**record("crm", **source), "time_extracted": "2026-01-01T00:00:00Z", "version": 3}
    run = tenant.load(came, message, field_mapping={"name": "Name", "kind": "Industry"})
    assert run.reject_lines[0] == came
    reject = dict(run.reject_lines[1])
    reason = reject.pop("gainsight_reject")
    assert reject == message
    assert (reason["code"], reason["field"]) == ("GSOBJ_1008", "Industry")
    assert reason["value"] == "bad"
    assert (reason["outcome"], reason["stream"]) == ("rejected", "crm")
    assert reason["message"]
    assert reason["request_id"]
    assert reason["time"].startswith("2026-01-01T12:00")


def test_fan_out_replays_only_refused_map(tenant: Tenant) -> None:
    tenant.sandbox.tenant.faults.rules.append(BAD)
    maps = {
        "accounts": {"__alias__": "as_is"},
        "accounts_2": {"__source__": "accounts", "Name": "Name + '-copy'", "Industry": "'fine'"},
    }
    lines = [schema(), record(Name="C0", Industry="bad")]
    run = tenant.load(*lines, stream_maps=maps)
    assert (run.outcomes("as_is"), run.outcomes("accounts_2")) == ({"rejected": 1}, {"created": 1})
    assert run.rejects[0]["stream"] == "accounts"
    assert run.rejects[0]["gainsight_reject"]["stream"] == "as_is"
    tenant.sandbox.tenant.faults.clear()
    replay = tenant.load(*run.reject_lines, stream_maps=maps)
    assert (replay.outcomes("as_is"), replay.outcomes("accounts_2")) == ({"created": 1}, {})


def test_changed_schema_is_repeated(tenant: Tenant) -> None:
    tenant.sandbox.tenant.faults.rules.append(BAD)
    first = {**schema(), "bookmark_properties": ["Name"], "extra": {"kept": 1.5}}
    second = schema(columns={"Name": {"type": "string"}, "Industry": {}})
    other = schema("others")
    bad = {"Industry": "bad"}
    lines = [
        first,
        *companies([0, 1], **bad),
        other,
        record("others", Name="O", **bad),
        *companies([2], **bad),
        second,
        *companies([3, 4], **bad),
        record("others", Name="P", **bad),
    ]
    run = tenant.load(*lines, record("others", Name="good"))
    accounts = [line for line in run.reject_lines if line["stream"] == "accounts"]
    assert [line if line["type"] == "SCHEMA" else line["record"]["Name"] for line in accounts] == [
        first,
        "C0",
        "C1",
        "C2",
        second,
        "C3",
        "C4",
    ]
    others = [line for line in run.reject_lines if line["stream"] == "others"]
    assert [line if line["type"] == "SCHEMA" else line["record"]["Name"] for line in others] == [
        other,
        "O",
        "P",
    ]


@pytest.mark.parametrize(("max_concurrency", "least_states"), [(1, 6), (8, 1)])
def test_reject_is_on_disk_before_covering_state(
    tenant: Tenant, max_concurrency: int, least_states: int
) -> None:
    """The number of intermediate states is certain only without concurrency."""
    tenant.sandbox.tenant.faults.rules.append(BAD)
    lines = [schema()]
    for number, line in enumerate(every_tenth_bad(500), start=1):
        lines += [line, state(read=number)]
    target = tenant.target(read_group_size=30, max_concurrency=max_concurrency)
    target.session.checkpoint.interval = 0.0
    on_disk: list[tuple[int, int]] = []

    def look(value: Message) -> None:
        path = target.session.ledger.rejects.path
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        kinds = [json.loads(line)["type"] for line in text.splitlines()]
        on_disk.append((value["read"], kinds.count("RECORD")))

    tenant.run(target, *lines, output=WatchedOutput(look))
    assert on_disk[-1] == (500, 50)
    assert len(on_disk) >= least_states
    assert all(filed >= (read + 9) // 10 for read, filed in on_disk)


def test_full_disk_leaves_no_partial_line_or_early_state(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant.sandbox.tenant.faults.rules.append(BAD)
    fill_disk_after(monkeypatch, 3000)
    lines = [schema()]
    for number, line in enumerate(every_tenth_bad(1000), start=1):
        lines += [line, state(read=number)]
    target = tenant.target(read_group_size=50)
    target.session.checkpoint.interval = 0.0
    run = tenant.run(target, *lines)
    assert run.exit_code == 1
    assert any("No space left" in line for line in run.log)
    covered = run.states[-1]["read"] if run.states else 0
    assert covered < 1000
    assert len(run.rejects) >= (covered + 9) // 10


def fill_disk_after(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    """Let files take a number of bytes, the last write in part."""
    write = os.write

    def write_until_full(descriptor: int, data: bytes) -> int:
        left = size - os.lseek(descriptor, 0, os.SEEK_END)
        if left <= 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(descriptor, data[:left])

    monkeypatch.setattr("target_gainsight.loading.storage.private_file.os.write", write_until_full)


def test_failed_line_is_written_once_space_is_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = PrivateFile(tmp_path / "folder" / "file")
    file.add("one")
    file.flush()
    with monkeypatch.context() as patch:
        fill_disk_after(patch, 6)
        file.add("two")
        with pytest.raises(OSError, match="No space left"):
            file.flush()
    assert file.path.read_text() == "one\n"
    file.close()
    assert file.path.read_text() == "one\ntwo\n"


def test_waiting_lines_are_bounded(tmp_path: Path) -> None:
    file = PrivateFile(tmp_path / "file")
    for number in range(MAX_PENDING + 1):
        file.add(str(number))
    assert len(file.path.read_text().split()) == MAX_PENDING
    file.close()
    assert len(file.path.read_text().split()) == MAX_PENDING + 1


def test_reject_files_are_private_and_ignored_by_git(tenant: Tenant) -> None:
    tenant.sandbox.tenant.faults.rules.append(BAD)
    run = tenant.load(schema(), *companies([0], Industry="bad"))
    path = run.target.session.ledger.rejects.path
    assert path.name == f"{run.summary['run']}.singer"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o077 == 0
    assert (path.parent / ".gitignore").read_text() == "*\n"
    assert run.summary["files"] == {"rejects": str(path)}


def test_run_without_rejects_makes_no_file(tenant: Tenant) -> None:
    tenant.load(schema(), *companies([0]))
    tenant.load(schema(), *companies([0]))
    assert [path.suffix for path in (tenant.folder / "rejects").glob("*.singer")] == []


def test_keys_only_keeps_key_fields_and_disables_replay(tenant: Tenant) -> None:
    tenant.sandbox.tenant.faults.rules.append(BAD)
    lines = [schema(), *companies([0], Industry="bad", TickerSymbol="SECRET")]
    lines += [*companies([1], Employees="s3cret"), *companies([2])]
    run = tenant.load(*lines, reject_values="keys")
    assert [reject["record"] for reject in run.rejects] == [{"Name": "C0"}, {"Name": "C1"}]
    assert [reject["gainsight_reject"]["replayable"] for reject in run.rejects] == [False, False]
    text = run.target.session.ledger.rejects.path.read_text()
    assert "SECRET" not in text
    assert "s3cret" not in text
    assert "bad" not in text.replace(run.summary["run"], "")  # it ends in random letters
