"""Settings from environment variables equal those from a file, errors included."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from given import NO_CREDENTIAL, NO_DOMAIN, NOT_JSON
from singer_sdk.exceptions import ConfigValidationError

from target_gainsight.settings.environment import read_raw_settings
from target_gainsight.settings.model import CONFIG_SCHEMA
from target_gainsight.settings.parsing import parse_settings
from target_gainsight.target import TargetGainsight


@pytest.fixture(autouse=True)
def without_dotenv(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


def given(monkeypatch: pytest.MonkeyPatch, **variables: str) -> dict[str, Any]:
    for name, text in variables.items():
        monkeypatch.setenv(f"TARGET_GAINSIGHT_{name.upper()}", text)
    return read_raw_settings({}, CONFIG_SCHEMA, parse_env=True)


def test_empty_environment_gives_no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    assert given(monkeypatch) == {}


def test_every_type_is_read_from_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    read = given(
        monkeypatch,
        domain="sandbox",
        object_type="company",
        calls_per_minute=" 250 ",
        lookup_keys="SfdcAccountId,Name",
        streams='{"accounts": {"object_type": "company"}}',
        constants='{"Status": null}',
        rejects_path="r",
    )
    settings = parse_settings(read)
    assert settings.limits.calls_per_minute == 250
    assert settings.output.rejects_path == Path("r")
    assert set(settings.streams) == {"accounts"}
    assert settings.default_stream is not None
    assert settings.default_stream.lookup_keys == ("SfdcAccountId", "Name")
    assert settings.default_stream.constants == {"Status": None}


def test_list_is_read_as_meltano_writes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    read = given(monkeypatch, domain="sandbox", object_type="company", lookup_keys="['A', 'B c']")
    stream = parse_settings(read).default_stream
    assert stream is not None
    assert stream.lookup_keys == ("A", "B c")


@pytest.mark.parametrize(
    ("text", "value"),
    [("true", True), ("1", True), (" Yes", True), ("false", False), ("0", False), ("OFF", False)],
)
def test_boolean_is_read(monkeypatch: pytest.MonkeyPatch, text: str, value: bool) -> None:
    assert parse_settings(given(monkeypatch, domain="sandbox", dry_run=text)).dry_run is value


def test_settings_of_the_sdk_are_read_from_text(monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, domain="sandbox", batch_size_rows="7", validate_records="off")
    target = TargetGainsight(config={}, parse_env_config=True)
    assert (target.config["batch_size_rows"], target.config["validate_records"]) == (7, False)
    assert target.settings.batch_size_rows == 7


@pytest.mark.parametrize("mapping", [{"a": "A", "a.b": "B"}, {"a.b": "B", "a": "A"}])
def test_dotted_name_is_distinct_from_its_prefix(
    monkeypatch: pytest.MonkeyPatch, mapping: dict[str, str]
) -> None:
    read = given(
        monkeypatch, domain="sandbox", object_type="company", field_mapping=json.dumps(mapping)
    )
    stream = parse_settings(read).default_stream
    assert stream is not None
    assert stream.field_mapping == mapping


@pytest.mark.parametrize("key", ["12345678", "true", "null", '{"a": 1}', "[1]"])
def test_key_that_looks_like_other_types_stays_text(
    monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    assert given(monkeypatch, access_key=key) == {"access_key": key}


def test_unreadable_variable_is_reported_with_other_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    given(
        monkeypatch,
        calls_per_minute="a hundred",
        max_rejects="",
        quota_percent="12.5",
        dry_run="tru",
        streams="{accounts: company}",
        field_mapping="[1]",
        batch_size_rows="many",
        validate_records="maybe",
    )
    with pytest.raises(ConfigValidationError) as refused:
        TargetGainsight(config={}, parse_env_config=True)
    assert sorted(refused.value.errors) == [
        NO_CREDENTIAL,
        "batch_size_rows: got 'many', expected a whole number of at least 1.",
        "calls_per_minute: got 'a hundred', expected a whole number of at least 1.",
        NO_DOMAIN,
        "dry_run: got 'tru', expected true or false.",
        f"field_mapping: got '[1]', expected an object. {NOT_JSON}",
        "quota_percent: got '12.5', expected a whole number from 1 to 100.",
        f"streams: got '{{accounts: company}}', expected an object. {NOT_JSON}",
        "validate_records: got 'maybe', expected true or false.",
    ]


def test_oauth_client_is_read_from_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, client_id="initech", client_secret="s3cret", access_key="")
    target = TargetGainsight(config={"domain": "initech.gainsightcloud.com"}, parse_env_config=True)
    assert target.settings.connection.client_id == "initech"
    assert target.settings.connection.client_secret == "s3cret"


def test_dotenv_file_of_the_folder_is_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(os, "environ", dict(os.environ))
    (tmp_path / ".env").write_text("TARGET_GAINSIGHT_DOMAIN=sandbox\n")
    assert read_raw_settings({}, CONFIG_SCHEMA, parse_env=False) == {}
    assert given(monkeypatch, dry_run="yes") == {"domain": "sandbox", "dry_run": "yes"}


def test_blank_variable_is_not_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TARGET_GAINSIGHT_DOMAIN", "")
    config = {"domain": "sandbox"}
    assert read_raw_settings(config, CONFIG_SCHEMA, parse_env=True) == config


def test_environment_adds_to_file(monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, access_key="k3y", object_type="person")
    target = TargetGainsight(
        config={"domain": "initech.gainsightcloud.com", "object_type": "company"},
        parse_env_config=True,
    )
    assert target.settings.connection.access_key == "k3y"
    found = target.settings.for_stream("people")
    assert found is not None
    assert found.object_type == "person"
