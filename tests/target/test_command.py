"""The installed command: what it prints, how it exits, and what it never shows."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest
from singer_messages import TEXT, record, schema, state
from singer_runs import Tenant, clean_environment, errors_in, lines_of, run_command
from singer_sdk.exceptions import ConfigValidationError
from singer_sdk.plugin_base import _ConfigInput

from target_gainsight.target import TargetGainsight

KEY = "s3cret-k3y-of-the-tenant"
NOT_JSON = "Text must be JSON, with double quotes around names and texts."
WITHOUT_EXTRA = """
import sys
sys.modules["starlette"] = None
from target_gainsight.target import TargetGainsight
TargetGainsight.cli()
"""


def test_run_prints_only_state(tmp_path: Path) -> None:
    settings = {"domain": "sandbox", "object_type": "company", "max_reject_percent": 100}
    messages = [
        schema(),
        record(Name="Initech", Industry="Ünïted"),
        record(Name="Hooli", Employees="a lot"),
        state(at=1.5),
    ]
    run = run_command(folder=tmp_path, messages=messages, settings=settings)
    assert (run.returncode, run.stdout) == (0, '{"at":1.5}\n')
    assert "1 record rejected and kept in gainsight-rejects" in run.stderr
    assert (tmp_path / "gainsight-sandbox.db").exists()
    assert len(list((tmp_path / "gainsight-rejects").glob("*.singer"))) == 1


def test_wrong_settings_are_listed_before_anything_else(tmp_path: Path) -> None:
    settings = {
        "domain": "nowhere",
        "access_key": 5,
        "sync_mode": "mirror",
        "streams": {"a": {"object_tipe": "person"}},
        "call_per_minute": 3,
    }
    run = run_command(folder=tmp_path, settings=settings, LOGLEVEL="DEBUG")
    assert (run.returncode, run.stdout) == (1, "")
    assert "Traceback" not in run.stderr
    listed = errors_in(run.stderr)
    assert [each.split()[0].rstrip(":") for each in listed[:-1]] == [
        "domain",
        "access_key",
        "sync_mode",
        "streams.a.object_tipe",
    ]
    assert listed[-1].startswith("Config validation failed")
    assert "Did you mean 'calls_per_minute'?" in run.stderr


def test_wrong_environment_is_listed_without_traceback(tmp_path: Path) -> None:
    run = run_command(
        "--config=ENV",
        folder=tmp_path,
        TARGET_GAINSIGHT_DOMAIN="initech.gainsightcloud.com",
        TARGET_GAINSIGHT_ACCESS_KEY=KEY,
        TARGET_GAINSIGHT_MAX_CONCURRENCY="eight",
        TARGET_GAINSIGHT_STREAMS="{a: b}",
    )
    assert (run.returncode, run.stdout) == (1, "")
    assert "Traceback" not in run.stderr
    assert sorted(errors_in(run.stderr)[:-1]) == [
        "max_concurrency: got 'eight', expected a whole number of at least 1.",
        f"streams: got '{{a: b}}', expected an object. {NOT_JSON}",
    ]
    assert KEY not in run.stderr


def test_logged_settings_for_a_stream_can_be_copied(tmp_path: Path) -> None:
    columns = {"Name": TEXT, "Shoe": TEXT}
    settings = {"domain": "sandbox", "object_type": "company"}
    run = run_command(folder=tmp_path, messages=[schema(columns=columns)], settings=settings)
    expected = """Stream 'accounts' does not fit company: 1 problem.
  - company has no field Shoe.
Settings to begin with, also in 'gainsight-rejects/gainsight-accounts.mapping.yml':
In meltano.yml, under the loader's config:
streams:
  accounts:
    object_type: company
    lookup_keys: [Name]
    field_mapping:
      Name: Name
      # Shoe: no such field
"""
    assert (run.returncode, run.stderr[-len(expected) :]) == (1, expected)


def test_missing_configuration_file_is_named_without_traceback(tmp_path: Path) -> None:
    run = run_command("--config", "given.json", folder=tmp_path)
    assert (run.returncode, run.stdout) == (1, "")
    assert run.stderr == (
        "Error: the configuration file 'given.json' cannot be used: "
        "File at 'given.json' was not found.\n"
    )


@pytest.mark.parametrize("content", ['{"access_key": "s3cret", oops', '["s3cret"]', "\xff"])
def test_unreadable_configuration_file_is_named_unquoted(tmp_path: Path, content: str) -> None:
    path = tmp_path / "given.json"
    path.write_text(content, encoding="latin-1")
    with pytest.raises(click.ClickException) as refused:
        read_configurations(path)
    assert refused.value.exit_code == 1
    assert refused.value.message.startswith(f"the configuration file '{path}' cannot be used: ")
    assert "s3cret" not in refused.value.message


@pytest.mark.parametrize("content", ['["secret"]', '"secret"', "5", "null"])
def test_configuration_file_must_hold_an_object(tmp_path: Path, content: str) -> None:
    path = tmp_path / "given.json"
    path.write_text(content)
    with pytest.raises(click.ClickException, match="cannot be used: it is not a JSON object"):
        read_configurations(path)


def test_last_of_several_configuration_files_wins(tmp_path: Path) -> None:
    first, second = tmp_path / "a.json", tmp_path / "b.json"
    first.write_text('{"domain": "sandbox", "object_type": "person"}', encoding="utf-8")
    second.write_text('{"object_type": "company"}', encoding="utf-8")
    given = read_configurations(first, "ENV", second)
    assert given.config == {"domain": "sandbox", "object_type": "company"}
    assert given.parse_env is True


def read_configurations(*paths: Path | str) -> Any:
    command = TargetGainsight.get_singer_command()
    [option] = [each for each in command.params if each.name == "config"]
    assert isinstance(option, click.Option)
    context = click.Context(command)
    return TargetGainsight.cb_config(context, option, tuple(str(path) for path in paths))


@pytest.mark.parametrize(
    "maps",
    [
        {"accounts": {"email": "fake.email()"}},
        {"accounts": {"email": "fake.email() if email else None"}},
    ],
)
def test_expression_with_fake_names_the_missing_extra(
    maps: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "faker", None)
    with pytest.raises(ConfigValidationError) as refused:
        TargetGainsight(config={"domain": "sandbox", "stream_maps": maps})
    assert refused.value.errors == [
        "stream_maps: fake needs the faker extra. Install it: pip install 'target-gainsight[faker]'"
    ]


def test_expression_that_only_resembles_fake_needs_no_extra(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "faker", None)
    maps = {"accounts": {"email": "is_fake.lower()"}}
    assert TargetGainsight(config={"domain": "sandbox", "stream_maps": maps}).settings


def test_stream_maps_default_must_be_null() -> None:
    with pytest.raises(ConfigValidationError) as refused:
        TargetGainsight(config={"domain": "sandbox", "stream_maps": {"__else__": "keep"}})
    assert refused.value.errors == ["stream_maps: __else__ can only be __NULL__."]


@pytest.mark.parametrize(
    ("name", "expression"),
    [("ARR", "mrr *** 12"), ("__filter__", "Name ==="), ("__alias__", "b c"), ("Status", "a = 1")],
)
def test_expression_that_python_cannot_read_is_named(name: str, expression: str) -> None:
    maps = {"accounts": {name: expression, "Name": "name.strip()", "__else__": "__NULL__"}}
    with pytest.raises(ConfigValidationError) as refused:
        TargetGainsight(config={"domain": "sandbox", "stream_maps": maps})
    [error] = refused.value.errors
    assert error.startswith(
        f"stream_maps.accounts.{name}: got {expression!r}, expected a Python expression. Text "
    )


def test_misspelled_option_of_a_stream_map_is_named() -> None:
    columns = {"__v": "__v + 1", "__source_ts_ms": "__NULL__", "Name": " Name"}
    maps = {"accounts": {"__elsee__": "__NULL__", **columns, "__source__": "crm.all"}}
    with pytest.raises(ConfigValidationError) as refused:
        TargetGainsight(config={"domain": "sandbox", "stream_maps": maps})
    assert refused.value.errors == [
        "stream_maps.accounts: there is no option __elsee__. Did you mean '__else__'?"
    ]


def test_unusable_stream_maps_are_explained(
    caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = {"domain": "sandbox", "stream_maps": {"__oops__": {}}}
    with pytest.raises(SystemExit) as ended:
        TargetGainsight.invoke(config=_ConfigInput(settings))
    assert ended.value.code == 1
    [error] = [each for each in caplog.records if each.levelname == "ERROR"]
    assert "__oops__" in error.getMessage()
    assert error.exc_info is None
    assert capsys.readouterr().out == ""


def run_on_sandbox(caplog: pytest.LogCaptureFixture, **settings: str) -> tuple[int, str]:
    """Run a target on an embedded sandbox of its own; its exit code and last error."""
    target = TargetGainsight(config={"domain": "sandbox", "object_type": "company", **settings})
    exit_code = target.run_to_end(io.StringIO(lines_of([schema()])))
    errors = [each.getMessage() for each in caplog.records if each.levelname == "ERROR"]
    return exit_code, errors[-1]


@pytest.mark.parametrize("where", ["no-such-folder/tenant.db", "notes.txt", "."])
def test_invalid_sandbox_file_is_explained(
    tmp_path: Path, where: str, caplog: pytest.LogCaptureFixture
) -> None:
    notes, path = tmp_path / "notes.txt", str(tmp_path / where)
    notes.write_text("notes " * 200, encoding="utf-8")
    exit_code, error = run_on_sandbox(caplog, sandbox_path=path)
    assert exit_code == 1
    assert error.startswith("the embedded sandbox cannot be started on ")
    assert error.endswith(". Set sandbox_path to a file in a writable folder.")
    assert notes.read_text(encoding="utf-8") == "notes " * 200


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("limitz: {}\n", "did you mean limits?"),
        ("limits: {\n", "expected the node content, but found '<stream end>' in"),
    ],
)
def test_wrong_sandbox_description_is_explained(
    tmp_path: Path, content: str, problem: str, caplog: pytest.LogCaptureFixture
) -> None:
    described = tmp_path / "tenant.yml"
    described.write_text(content, encoding="utf-8")
    exit_code, error = run_on_sandbox(
        caplog, sandbox_path=str(tmp_path / "t.db"), sandbox_config=str(described)
    )
    assert exit_code == 1
    assert problem in error
    assert "\\n" not in error
    assert error.endswith(" Correct sandbox_config.")
    assert "?." not in error


def test_sandbox_without_extra_names_install_command(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(
        json.dumps({"domain": "sandbox", "object_type": "company"}), encoding="utf-8"
    )
    run = subprocess.run(
        [sys.executable, "-c", WITHOUT_EXTRA, "--config", "config.json"],
        input=lines_of([schema()]),
        cwd=tmp_path,
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.returncode, run.stdout) == (1, "")
    assert "pip install 'target-gainsight[sandbox]'" in errors_in(run.stderr)[-1]
    assert "Traceback" not in run.stderr


def test_refused_key_is_in_no_log_or_file(tmp_path: Path, tenant: Tenant) -> None:
    """Everything that a run writes is searched."""
    settings = tenant.settings | {"access_key": KEY, "summary_path": "summary.json"}
    run = run_command(
        folder=tmp_path,
        messages=[schema(), record(Name="Initech")],
        settings=settings,
        LOGLEVEL="DEBUG",
        TARGET_GAINSIGHT_LOGLEVEL="DEBUG",
    )
    assert run.returncode == 1
    assert "GS_APIG_2401" in run.stderr
    assert "| DEBUG" in run.stderr
    (tmp_path / "config.json").unlink()
    assert (tmp_path / "summary.json").exists()
    assert files_with(KEY, tmp_path) == []
    assert KEY not in run.stdout + run.stderr


def test_accepted_key_is_in_no_log_or_file(tmp_path: Path, tenant: Tenant) -> None:
    messages = [schema(), record(Name="Initech"), record(Name="Hooli", Employees="a lot")]
    settings = tenant.settings | {"summary_path": "summary.json"}
    run = run_command(folder=tmp_path, messages=messages, settings=settings, LOGLEVEL="DEBUG")
    assert run.returncode == 0
    (tmp_path / "config.json").unlink()
    assert tenant.settings["access_key"] not in run.stdout + run.stderr
    assert files_with(tenant.settings["access_key"], tmp_path) == []


def files_with(text: str, folder: Path) -> list[str]:
    files = [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".db"]
    return [path.name for path in files if text.encode() in path.read_bytes()]


def test_record_is_in_no_log_at_default_level(
    tenant: Tenant, caplog: pytest.LogCaptureFixture
) -> None:
    columns = {"Name": TEXT, "Summary": TEXT}
    run = tenant.load(schema(columns=columns), record(Name="Initech", Summary="private matter"))
    assert run.exit_code == 0
    assert "private matter" not in caplog.text


def test_about_needs_no_settings(tmp_path: Path) -> None:
    run = run_command("--about", folder=tmp_path)
    assert run.returncode == 0
    assert run.stdout.startswith("Name: target-gainsight")
