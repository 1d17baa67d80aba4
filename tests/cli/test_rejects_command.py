"""`gainsight rejects`: what did not land, why, and how it is sent again."""

from __future__ import annotations

import contextlib
import io
import json
import os
import stat
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from commands import Commands

from target_gainsight.cli import rejects as rejects_module
from target_gainsight.loading.storage.private_file import PrivateFile
from target_gainsight.sandbox import ServerRule
from target_gainsight.target import TargetGainsight

Message = dict[str, Any]

UNLIMITED = {"calls_per_minute": 0, "calls_per_day": 0}
TEXT = {"type": ["string", "null"]}
BAD = ServerRule("company", "Industry", "bad")
FOLDER = "gainsight-rejects"


def schema(stream: str = "accounts", **columns: Message) -> Message:
    properties = columns or {"Name": TEXT, "Industry": TEXT, "Employees": {"type": "integer"}}
    wrapped = {"type": "object", "properties": properties}
    return {"type": "SCHEMA", "stream": stream, "schema": wrapped, "key_properties": ["Name"]}


def record(stream: str = "accounts", /, **fields: Any) -> Message:
    return {"type": "RECORD", "stream": stream, "record": fields}


class Project:
    """A project whose loads leave rejects behind.

    Args:
        commands: Runs the commands.
    """

    def __init__(self, commands: Commands) -> None:
        self.commands = commands
        self.tenant = commands.sandbox.tenant
        self.tenant.faults.rules.append(BAD)
        self.settings: Message = {
            "base_url": commands.sandbox.base_url,
            "access_key": commands.sandbox.access_key,
            "object_type": "company",
            "calls_per_minute": 100_000,
            "calls_per_day": 1_000_000,
            "max_reject_percent": 100,
        }

    @property
    def folder(self) -> Path:
        return self.commands.folder / FOLDER

    def load(self, messages: Iterable[Message], **settings: Any) -> str:
        """Run the target; return the run's name."""
        target = TargetGainsight(config={**self.settings, **settings})
        text = "".join(json.dumps(message) + "\n" for message in messages)
        with contextlib.redirect_stdout(io.StringIO()):
            target.run_to_end(io.StringIO(text))
        return target.summary.run

    def run(self, *arguments: str) -> Result:
        return self.commands.run("rejects", *arguments)

    def replay(self, run: str, *arguments: str, **settings: Any) -> Result:
        config = self.commands.config(**{**self.settings, **settings})
        return self.run("replay", run, "--config", config, *arguments)

    def listed(self, *arguments: str) -> list[Message]:
        return json.loads(self.run("list", "--format", "json", *arguments).stdout)

    def open_names(self, run: str) -> list[str]:
        shown = self.run("show", run, "--format", "json", "--limit", "10000")
        return [each["key"]["Name"] for each in json.loads(shown.stdout)]


@pytest.fixture
def project(start_commands: Callable[..., Commands]) -> Project:
    return Project(start_commands(limits=UNLIMITED))


def mixed(stream: str = "accounts") -> list[Message]:
    return [
        schema(stream),
        record(stream, Name="A", Industry="bad"),
        record(stream, Name="B", Industry="bad"),
        record(stream, Name="C", Employees="many"),
        record(stream, Name="D", Industry="good"),
    ]


def one_bad(stream: str, name: str) -> list[Message]:
    good = record(stream, Name=f"good {name}")
    return [schema(stream), record(stream, Name=name, Industry="bad"), good]


def test_list_groups_by_run_stream_and_reason_with_example_and_suggestion(
    project: Project,
) -> None:
    first = project.load(mixed())
    second = project.load([*mixed("others"), schema(), record(Name="E", Industry="bad")])
    groups = project.listed()
    assert [(g["run"], g["stream"], g["code"], g["count"]) for g in groups] == [
        (first, "accounts", "GSOBJ_1008", 2),
        (first, "accounts", "schema_violation", 1),
        (second, "others", "GSOBJ_1008", 2),
        (second, "others", "schema_violation", 1),
        (second, "accounts", "GSOBJ_1008", 1),
    ]
    example = groups[1]["example"]
    assert example["id"].startswith(f"{first}-")
    assert example["key"] == {"Name": "C"}
    assert (example["field"], example["value"]) == ("Employees", "many")
    table = project.run("list").stdout
    for expected in (first, second, "others", "GSOBJ_1008", "Name = 'A'", "Employees", "'many'"):
        assert expected in table


def test_list_shows_the_suggestion_once(project: Project) -> None:
    project.load([schema(Name=TEXT, RenewalDate=TEXT), record(Name="A", RenewalDate="soon")])
    table = project.run("list").stdout
    assert table.count("Send an ISO 8601 date") == 1


def test_retired_rejects_are_not_listed(project: Project) -> None:
    run = project.load(mixed())
    project.load([schema(), record(Name="A", Industry="good"), record(Name="C")])
    assert [group["count"] for group in project.listed()] == [1]
    assert project.open_names(run) == ["B"]


def test_records_without_match_are_listed_under_their_reason(project: Project) -> None:
    project.load([schema(), record(Name="A"), record(Name="B", Industry="bad")], sync_mode="update")
    [group] = project.listed()
    assert (group["code"], group["outcome"], group["count"]) == ("no_match", "skipped", 2)
    assert "no_match (skipped)" in project.run("list").stdout


def test_empty_folder_has_nothing_to_list(project: Project) -> None:
    assert project.listed() == []
    assert f"There are no open rejects in {FOLDER}." in project.run("list").stdout
    assert not project.folder.exists()


def test_folder_comes_from_settings_or_option(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = str(project.commands.folder / "elsewhere")
    project.load(mixed(), rejects_path=elsewhere)
    assert project.listed() == []
    assert len(project.listed("--rejects-path", elsewhere)) == 2
    only = project.commands.config(base_url=None, access_key=None, rejects_path=elsewhere)
    assert len(project.listed("--config", only)) == 2
    monkeypatch.setenv("TARGET_GAINSIGHT_REJECTS_PATH", elsewhere)
    assert len(project.listed()) == 2


def test_list_show_and_clear_need_no_tenant(project: Project) -> None:
    run = project.load(mixed())
    project.tenant.reset_calls()
    assert project.run("list").exit_code == 0
    assert project.run("show", run).exit_code == 0
    assert project.run("clear", run, "--yes").exit_code == 0
    assert project.tenant.calls() == []


def test_show_has_a_line_for_each_reject(project: Project) -> None:
    run = project.load(mixed())
    lines = project.run("show", "latest").stdout.splitlines()
    assert len([line for line in lines if "Name = " in line]) == 3
    [line] = [line for line in lines if "Name = 'B'" in line]
    [listed] = [
        each
        for each in json.loads(project.run("show", run, "--format", "json").stdout)
        if each["key"] == {"Name": "B"}
    ]
    assert listed["request_id"]
    for expected in ("GSOBJ_1008", "Industry", "'bad'", listed["message"], listed["request_id"]):
        assert expected in line


def test_show_narrows_by_stream_code_and_limit(project: Project) -> None:
    run = project.load([*mixed(), *mixed("others")])

    def shown(*arguments: str) -> list[str]:
        listed = project.run("show", run, "--format", "json", *arguments)
        return [f"{each['stream']}.{each['key']['Name']}" for each in json.loads(listed.stdout)]

    assert shown("--stream", "others") == ["others.A", "others.B", "others.C"]
    assert shown("--code", "schema_violation") == ["accounts.C", "others.C"]
    assert shown("--stream", "accounts", "--code", "GSOBJ_1008", "--limit", "1") == ["accounts.A"]
    assert "4 more; --limit shows them." in project.run("show", run, "--limit", "2").stdout
    assert "no such open rejects" in project.run("show", run, "--code", "x").stdout


def test_control_characters_and_markup_are_escaped(project: Project) -> None:
    name = "[red]A\x1b[2J\x07[/red]"
    run = project.load([schema(), record(Name=name, Industry="bad"), record(Name="B")])
    for shown in (project.run("list").stdout, project.run("show", run).stdout):
        assert "\x1b[2J" not in shown
        assert "\x07" not in shown
        assert "[red]A\\x1b[2J\\x07[/red]" in shown


@pytest.mark.parametrize(
    "run", ["../x", "/etc/passwd", "a/b", "20260101T000000Z-0000.singer", "..", ""]
)
@pytest.mark.parametrize("command", ["show", "replay", "clear"])
def test_run_is_a_name_and_no_path(project: Project, command: str, run: str) -> None:
    project.load(mixed())
    files = sorted(project.commands.folder.rglob("*"))
    result = project.run(command, run, *(["--yes"] if command == "clear" else []))
    assert result.exit_code == 1
    assert f"there is no run {run!r} in " in result.stderr
    assert sorted(project.commands.folder.rglob("*")) == files


@pytest.mark.parametrize("run", ["latest", "20260101T000000Z-0000"])
def test_unknown_run_is_reported(project: Project, run: str) -> None:
    result = project.run("show", run)
    assert result.exit_code == 1
    assert f"there is no run '{run}' in {FOLDER}" in result.stderr


def test_latest_is_the_newest_run_with_rejects(project: Project) -> None:
    project.load([schema(), record(Name="old", Industry="bad")])
    older = project.folder / "20200101T000000Z-0000.singer"
    older.write_text("")
    project.load([schema(), record(Name="fine")])
    assert project.open_names("latest") == ["old"]


def test_one_bad_record_in_a_thousand_costs_two_calls_and_replays(
    project: Project,
) -> None:
    lines = [record(Name=f"C{n}", Industry="bad" if n == 617 else "good") for n in range(1000)]
    project.tenant.reset_calls()
    run = project.load([schema(), *lines])
    assert len(project.tenant.calls("POST", "/v1/data/objects/company")) <= 22
    assert project.open_names(run) == ["C617"]
    project.tenant.faults.clear()
    result = project.replay(run)
    assert result.exit_code == 0, result.output
    assert project.tenant.count("company") == 1000
    assert project.tenant.rows("company", Name="C617")[0]["Industry"] == "bad"
    assert project.listed() == []


def test_replay_prints_the_summary_and_retires_written_records(project: Project) -> None:
    run = project.load(mixed())
    project.tenant.faults.clear()
    result = project.replay("latest")
    assert result.exit_code == 0, result.output
    assert "calls: 4 (1 describe, 1 insert, 2 query)" in result.stdout
    assert "rejects schema_violation: 1" in result.stdout
    again = project.listed()
    assert [(g["code"], g["count"]) for g in again] == [("schema_violation", 1)]
    assert again[0]["run"] != run
    assert project.open_names(run) == []


def test_replay_has_the_exit_code_of_its_run(project: Project) -> None:
    run = project.load([schema(), record(Name="A", Industry="bad"), record(Name="B")])
    result = project.replay(run)
    assert result.exit_code == 1
    assert project.open_names("latest") == ["A"]


def test_replay_that_cannot_begin_retires_nothing(project: Project) -> None:
    run = project.load(mixed())
    result = project.replay(run, access_key="wrong")
    assert result.exit_code == 1
    assert f"Still open in run {run}: 3 rejects." in result.stdout
    assert project.open_names(run) == ["A", "B", "C"]
    result = project.replay(run, object_type="nonsense")
    assert result.exit_code == 1
    assert "The settings have errors:" in result.stderr
    result = project.run("replay", run)
    assert result.exit_code == 1
    assert "no settings found" in result.stderr


def test_replay_of_one_stream_leaves_the_others_open(project: Project) -> None:
    run = project.load([*mixed(), *mixed("others")])
    project.tenant.faults.clear()
    assert project.replay(run, "--stream", "others").exit_code == 0
    assert project.open_names(run) == ["A", "B", "C"]
    nothing = project.replay(run, "--stream", "others")
    assert nothing.exit_code == 0
    assert "no such open rejects" in nothing.stdout


def test_replay_sends_open_rejects_only(project: Project) -> None:
    """A record that was corrected at the source must not be overwritten with older values."""
    run = project.load(mixed())
    project.load([schema(), record(Name="A", Industry="newer")])
    project.tenant.faults.clear()
    project.replay(run)
    assert project.tenant.rows("company", Name="A")[0]["Industry"] == "newer"
    assert project.tenant.rows("company", Name="B")[0]["Industry"] == "bad"


def test_replay_applies_only_the_stream_map_of_the_reject(project: Project) -> None:
    maps = {
        "accounts": {"__alias__": "as_is"},
        "accounts_2": {"__source__": "accounts", "Name": "Name + '-copy'", "Industry": "'fine'"},
    }
    run = project.load(mixed(), stream_maps=maps)
    project.tenant.faults.clear()
    before = project.tenant.count("company")
    result = project.replay(run, "--stream", "as_is", stream_maps=maps)
    assert result.exit_code == 0, result.output
    assert project.tenant.count("company") == before + 2


def test_replay_repeats_the_original_schema_lines(project: Project) -> None:
    first, second = schema(), schema(Name=TEXT, Industry=TEXT, Summary=TEXT)
    lines = [first, record(Name="A", Industry="bad"), second]
    lines += [record(Name="B", Industry="bad", Summary="s"), record(Name="C")]
    run = project.load(lines)
    project.tenant.faults.clear()
    assert project.replay(run).exit_code == 0
    assert project.tenant.rows("company", Name="B")[0]["Summary"] == "s"


def test_keys_only_file_is_not_replayed(project: Project) -> None:
    run = project.load(mixed(), reject_values="keys")
    result = project.replay(run)
    assert result.exit_code == 1
    assert "kept with reject_values: keys" in result.stderr
    assert project.open_names(run) == ["A", "B", "C"]


def test_dry_run_of_a_replay_shows_its_plan(
    project: Project, capfd: pytest.CaptureFixture[str]
) -> None:
    run = project.load(mixed())
    result = project.replay(run, dry_run=True)
    assert "plan: nothing was written" in result.output
    assert project.open_names(run) == ["A", "B", "C"]


def test_clear_asks_and_deletes_the_files_of_a_run(project: Project) -> None:
    run = project.load(mixed())
    other = project.load(mixed("others"))
    declined = project.commands.run("rejects", "clear", run)
    assert declined.exit_code == 1
    assert "Delete 2 files with 3 open rejects?" in declined.output
    assert project.open_names(run) == ["A", "B", "C"]
    cleared = project.run("clear", run, "--yes")
    assert cleared.exit_code == 0
    assert [path.name for path in sorted(project.folder.glob("2*"))] == [f"{other}.singer"]


def test_clear_retired_keeps_open_rejects_and_created_records(project: Project) -> None:
    done = project.load(mixed())
    project.tenant.faults.clear()
    project.load([schema(), *(record(Name=name, Industry="x") for name in "ABC")])
    project.tenant.faults.rules.append(BAD)
    still = project.load([schema(), record(Name="Z", Industry="bad"), record(Name="Y")])
    result = project.run("clear", "--retired", "--yes")
    assert result.exit_code == 0
    assert {path.name for path in project.folder.glob("*.singer")} == {f"{still}.singer"}
    assert not (project.folder / f"{done}.retired").exists()
    assert (project.folder / f"{done}.created.csv").exists()


def test_clear_by_age_keeps_new_runs_and_open_rejects(project: Project) -> None:
    new = project.load([schema(), record(Name="Y")])
    opened = project.load(one_bad("accounts", "A"))
    names = ("20200101T000000Z-aaaa.created.csv", "20200101T000000Z-aaaa.retired")
    for name in names:
        (project.folder / name).touch()
    old = opened.replace(opened[:16], "20200102T000000Z")
    (project.folder / f"{opened}.singer").rename(project.folder / f"{old}.singer")
    result = project.run("clear", "--older-than", "30", "--yes")
    assert (result.exit_code, "Deleted 2 files." in result.stdout) == (0, True)
    left = {path.name for path in project.folder.glob("2*")}
    assert left == {f"{new}.created.csv", f"{opened}.created.csv", f"{old}.singer"}


def test_clear_all_leaves_no_run(project: Project) -> None:
    project.load(mixed())
    stranger = project.folder / "notes.txt"
    stranger.write_text("mine")
    assert project.run("clear", "--all", "--yes").exit_code == 0
    assert {path.name for path in project.folder.iterdir()} == {
        ".gitignore",
        "history.jsonl",
        "notes.txt",
    }
    assert "There is nothing to clear" in project.run("clear", "--all").stdout


def test_latest_is_the_same_run_for_clear_as_for_show(project: Project) -> None:
    project.load([schema(), record(Name="old", Industry="bad")])
    later = project.folder / "29990101T000000Z-0000.created.csv"
    later.write_text("stream,key,gsid\n", encoding="utf-8")
    assert project.open_names("latest") == ["old"]
    assert project.run("clear", "latest", "--yes").exit_code == 0
    assert later.exists()
    assert project.listed() == []


@pytest.mark.parametrize("arguments", [(), ("latest", "--all"), ("--all", "--retired")])
def test_clear_needs_exactly_one_choice(project: Project, arguments: tuple[str, ...]) -> None:
    result = project.run("clear", *arguments, "--yes")
    assert result.exit_code == 2
    assert "name a run, or --retired, or --all" in result.stderr


@pytest.mark.skipif(os.name != "posix", reason="files of a run are locked on POSIX only")
def test_active_run_is_not_cleared(project: Project) -> None:
    run = project.load(mixed())
    writing = PrivateFile(project.folder / f"{run}.singer")
    writing.add("{}")
    writing.flush()
    result = project.run("clear", run, "--yes")
    assert result.exit_code == 1
    assert "is still being written" in result.stderr
    writing.close()
    assert project.run("clear", run, "--yes").exit_code == 0


def test_unreadable_file_is_named(project: Project) -> None:
    run = "20260101T000000Z-0000"
    (project.folder / f"{run}.singer").mkdir(parents=True)
    result = project.run("show", run)
    assert result.exit_code == 1
    assert f"{run}.singer cannot be used" in result.stderr
    result = project.run("clear", run, "--yes")
    assert result.exit_code == 1


def test_files_are_readable_by_their_owner_only(project: Project) -> None:
    project.load(mixed())
    project.tenant.faults.clear()
    project.replay("latest")
    modes = {stat.S_IMODE(path.stat().st_mode) for path in project.folder.glob("2*")}
    assert modes == {0o600}


def test_help_explains_run_names() -> None:
    from click.testing import CliRunner

    result = CliRunner().invoke(rejects_module.rejects, ["--help"])
    assert "'latest'" in result.output
    for command in ("list", "show", "replay", "clear"):
        assert command in result.output


def test_missing_folder_is_not_taken_for_one_without_rejects(project: Project) -> None:
    failed = project.run("list", "--fail", "--rejects-path", "no-such-folder")
    assert failed.exit_code == 2
    assert "'no-such-folder' does not exist" in failed.output


def test_list_fails_on_request_while_rejects_are_open(project: Project) -> None:
    assert project.run("list", "--fail").exit_code == 0
    project.load(mixed())
    assert project.run("list").exit_code == 0
    failed = project.run("list", "--fail")
    assert (failed.exit_code, "GSOBJ_1008" in failed.stdout) == (1, True)
    assert project.run("list", "--fail", "--format", "json").exit_code == 1


def test_show_all_names_the_runs(project: Project) -> None:
    runs = [project.load(mixed(stream)) for stream in ("accounts", "others")]
    shown = json.loads(project.run("show", "--all", "--format", "json").stdout)
    assert Counter(each["run"] for each in shown) == dict.fromkeys(runs, 3)
    table = project.run("show", "--all", "--stream", "others").stdout
    assert (runs[0] in table, runs[1] in table) == (False, True)


def test_replay_all_sends_the_rejects_of_every_run(project: Project) -> None:
    runs = [project.load(one_bad(stream, stream)) for stream in ("accounts", "others")]
    project.tenant.faults.clear()
    result = project.replay("--all")
    assert result.exit_code == 0
    assert "Still open in earlier runs" not in result.stdout
    assert [project.open_names(run) for run in runs] == [[], []]


def test_replay_is_not_held_to_min_records(project: Project) -> None:
    run = project.load(one_bad("accounts", "A"))
    project.tenant.faults.clear()
    result = project.replay(run, "--stream", "accounts", streams={"accounts": {"min_records": 50}})
    assert (result.exit_code, project.open_names(run)) == (0, [])


@pytest.mark.parametrize("command", ["show", "replay"])
@pytest.mark.parametrize("arguments", [(), ("latest", "--all")])
def test_show_and_replay_need_exactly_one_choice(
    project: Project, command: str, arguments: tuple[str, ...]
) -> None:
    result = project.run(command, *arguments)
    assert result.exit_code == 2
    assert "name a run (or latest), or give --all" in result.stderr
