"""Foreign names and values cannot forge a line, control a terminal or escape a folder."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner
from corpus import FORGERY, PATHS
from singer_messages import TEXT, Message, record, schema, state
from singer_runs import Tenant, lines_of, run_command
from singer_sdk.logging import ConsoleFormatter

from target_gainsight.cli import main
from target_gainsight.settings.model import SETTINGS
from target_gainsight.singer.output import install_log_format

_OTHER = {**schema(FORGERY, {"Name": TEXT, "Industry": TEXT}), "stream": FORGERY}
_COLUMN = {"Name": TEXT, FORGERY: {"type": ["integer", "null"]}}
_INPUTS: dict[str, tuple[list[Message], Message]] = {
    "a stream's name": ([schema(FORGERY), record(FORGERY, Name="A", Employees="x")], {}),
    "a stream without keys": ([schema(FORGERY, {"x": TEXT}, keys=[])], {}),
    "a stream before its schema": ([record(FORGERY, Name="A")], {}),
    "a stream without properties": ([{**schema(FORGERY), "schema": {"properties": [FORGERY]}}], {}),
    "a stream of another route": ([schema(FORGERY)], {"object_type": None, "streams": {"a": {}}}),
    "a column that is unknown": ([schema(columns=_COLUMN)], {}),
    "a column that is dropped": (
        [schema(columns=_COLUMN), record(Name="A")],
        {"unknown_fields": "drop"},
    ),
    "a column that is sent": (
        [schema(columns=_COLUMN), record(Name="A", **{FORGERY: 1}), record(Name="B")],
        {"unknown_fields": "send"},
    ),
    "a column that does not fit": (
        [schema(columns=_COLUMN), record(Name="A", **{FORGERY: "x"})],
        {"unknown_fields": "drop"},
    ),
    "a key property": (
        [schema(columns=_COLUMN, keys=[FORGERY]), record(Name="A")],
        {"unknown_fields": "drop", "lookup_keys": "Name"},
    ),
    "a key": ([schema(), record(Name=FORGERY, Employees="x")], {}),
    "a value": ([schema(), record(Name="A", Status=FORGERY)], {}),
    "a value that is too long": ([schema(), record(Name="A", Industry=FORGERY * 99)], {}),
    "a date": ([schema(), record(Name="A", RenewalDate=FORGERY)], {"validate_records": False}),
    "a value that lands": ([schema(), record(Name=FORGERY, Industry=FORGERY)], {}),
    "a keyword in the schema": (
        [schema(columns={"Name": TEXT, "Industry": {"enum": FORGERY}})],
        {},
    ),
    "a rule of the schema": (
        [
            schema(columns={"Name": TEXT, "Industry": {"const": FORGERY}}),
            record(Name="A", Industry="x"),
        ],
        {},
    ),
    "a version": ([schema(), {"type": "ACTIVATE_VERSION", "stream": FORGERY, "version": 1}], {}),
    "a batch file": (
        [
            schema(),
            {
                "type": "BATCH",
                "stream": "accounts",
                "encoding": {"format": "jsonl"},
                "manifest": [FORGERY],
            },
        ],
        {},
    ),
    "a batch format": (
        [
            schema(),
            {
                "type": "BATCH",
                "stream": "accounts",
                "encoding": {"format": FORGERY},
                "manifest": [],
            },
        ],
        {},
    ),
    "a message type": ([{"type": FORGERY}], {}),
    "a lookup that finds nothing": (
        [schema("r", {"Name": TEXT, "c": TEXT}), record("r", Name="A", c=FORGERY)],
        {"lookups": {"ParentCompany": {"object_name": "company", "fields": {"c": "Name"}}}},
    ),
    "a map that fails": (
        [schema(), record(Name=FORGERY)],
        {"stream_maps": {"accounts": {"Industry": "int(Name)"}}},
    ),
}


@contextmanager
def _console() -> Iterator[io.StringIO]:
    """Return what the command would write to standard error, at every level."""
    written, root = io.StringIO(), logging.getLogger()
    handler, level = logging.StreamHandler(written), root.level
    before = {each: each.formatter for each in root.handlers}
    handler.setFormatter(ConsoleFormatter())
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    install_log_format()
    try:
        yield written
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
        for each, formatter in before.items():
            each.setFormatter(formatter)


def _assert_harmless(text: str) -> None:
    assert [line for line in text.splitlines() if line.startswith("2026-01-01 00:00:00,000")] == []
    assert [each for each in text if not each.isprintable() and each not in "\n\t"] == []


@pytest.mark.parametrize(("messages", "given"), _INPUTS.values(), ids=_INPUTS)
def test_input_cannot_forge_lines_or_control_terminal(
    tenant: Tenant, messages: list[Message], given: Message, capsys: pytest.CaptureFixture[str]
) -> None:
    with _console() as written:
        planned = tenant.load(*messages, state(at=1), dry_run=True, **given)
        run = tenant.load(*messages, state(at=1), **given)
    shown = written.getvalue() + capsys.readouterr().err
    assert str(run.target.summary) in shown
    assert planned.exit_code == run.exit_code
    assert "FORGED" in shown or "message type" in shown
    _assert_harmless(shown)
    assert "Traceback" not in shown


@pytest.fixture
def project(tmp_path: Path, tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder whose configuration names the tenant, with a reject of everything hostile in it."""
    monkeypatch.chdir(tmp_path)
    settings = tenant.settings | {"unknown_fields": "drop"}
    (tmp_path / "config.json").write_text(json.dumps(settings), encoding="utf-8")
    columns = {"Name": TEXT, "Industry": TEXT, FORGERY: {"type": "integer"}}
    tenant.load(
        schema(FORGERY, columns, [FORGERY]),
        record(FORGERY, Name=FORGERY, **{FORGERY: FORGERY}),
        unknown_fields="drop",
    )
    tenant.sandbox.tenant.seed("company", [{"Name": FORGERY, "Summary": "\x9b2J\u202e"}])
    return tmp_path


def _command(*arguments: str) -> str:
    result = CliRunner().invoke(main, arguments)
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result.output


@pytest.mark.parametrize(
    "arguments",
    [
        ["rejects", "list"],
        ["rejects", "show", "latest"],
        ["rejects", "list", "--format", "json"],
        ["rejects", "show", "latest", "--format", "json"],
        ["rejects", "replay", "latest"],
        ["sandbox", "show", "company", "--all", "--db", "tenant.db"],
        ["sandbox", "show", "company", "--format", "json", "--db", "tenant.db"],
        ["sandbox", "show", FORGERY, "--db", "tenant.db"],
        ["rejects", "show", FORGERY],
        ["describe", FORGERY],
    ],
    ids=lambda each: " ".join(each).replace(FORGERY, "FORGERY"),
)
def test_commands_print_no_control_characters(project: Path, arguments: list[str]) -> None:
    configured = [] if arguments[0] == "sandbox" else ["--config", "config.json"]
    _assert_harmless(_command(*arguments, *configured))


def test_plan_keeps_names_on_their_lines(project: Path) -> None:
    (project / "in.singer").write_text(
        lines_of([schema(FORGERY), record(FORGERY, Name=f"B{FORGERY}", Industry=FORGERY)]),
        encoding="utf-8",
    )
    arguments = ["plan", "--config", "config.json", "--input", "in.singer"]
    shown = _command(*arguments)
    assert "would create 1" in shown
    _assert_harmless(shown)


def test_installed_command_escapes_its_log(tmp_path: Path, tenant: Tenant) -> None:
    run = run_command(
        folder=tmp_path,
        messages=[schema(FORGERY), record(FORGERY, Name=FORGERY, Employees="x")],
        settings=tenant.settings,
        LOGLEVEL="DEBUG",
    )
    assert run.returncode == 1
    assert "FORGED" in run.stderr
    _assert_harmless(run.stderr)


def _object_types() -> list[str]:
    return list(SETTINGS["object_type"].choices)


_WRITTEN = {"rejects", "summary.json", "gainsight-surveys"}
_BY_NAME: Message = {"lookup_keys": "Name", "unknown_fields": "drop"}
_BULK: Message = {"transport": "bulk", "bulk_job_id": "job", "object_type": "company"}
_ENTRIES: dict[str, Message] = {
    "company": _BY_NAME,
    "relationship": _BY_NAME,
    "custom_object": {
        "custom_object_name": "Order__gc",
        "field_mapping": {"Name": "buyer__gc"},
        "lookup_keys": "buyer__gc",
        "unknown_fields": "drop",
    },
    "survey_csv": {},
    "person": {"unknown_fields": "drop", "field_mapping": {"Name": "Name", "Email": "Email"}},
    "bulk": _BULK,
}


@pytest.mark.parametrize("kind", [*_object_types(), "bulk"])
def test_stream_names_cannot_leave_folders(
    tenant: Tenant, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every kind of sink, whatever it writes: rejects, created rows, spooled and finished files."""
    outer = tenant.folder / "outer"
    inside = outer / "a" / "b"
    inside.mkdir(parents=True)
    monkeypatch.chdir(inside)
    entry = {"object_type": kind, **_ENTRIES.get(kind, {"unknown_fields": "drop"})}
    given = {
        "object_type": None,
        "streams": {"*": entry},
        "rejects_path": "rejects",
        "summary_path": "summary.json",
    }
    values = {
        "Email": "a@b.example",
        "Company": "A",
        "Score": "9",
        "Survey Name": "NPS",
        "Response Date": "2026-01-01",
    }
    columns = dict.fromkeys(["Name", *values], TEXT)
    for stream in PATHS:
        good, bad = record(stream, Name="A", **values), record(stream, Name=["x"], **values)
        run = tenant.load(schema(stream, columns), good, bad, state(at=1), **given)
        assert run.exit_code in {0, 1}
        assert run.rejects or run.exit_code
    files = [path.relative_to(outer) for path in outer.rglob("*")]
    assert [path for path in files if path.parts[:2] != ("a", "b") and path.parts != ("a",)] == []
    assert {path.parts[2] for path in files if len(path.parts) > 2} <= _WRITTEN
    assert [path for path in tenant.folder.rglob("*escaped*") if outer not in path.parents] == []
    assert not Path("/tmp/escaped").exists()  # noqa: S108 - what a stream was called
    if kind == "survey_csv":
        assert len(list((inside / "gainsight-surveys").glob("*.csv"))) > len(PATHS) / 2
    private = [path for path in outer.rglob("*") if path.is_file() and path.name != ".gitignore"]
    assert private
    assert [path for path in private if path.stat().st_mode & 0o077] == []
