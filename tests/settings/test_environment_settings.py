"""Settings from environment variables are those from a file, and refused as plainly."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from given import EITHER
from singer_sdk.exceptions import ConfigValidationError

from target_gainsight.settings import (
    CONFIG_SCHEMA,
    KeyCredential,
    OAuthCredential,
    read_environment,
)
from target_gainsight.target import TargetGainsight

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def only_what_a_test_sets(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in CONFIG_SCHEMA["properties"]:
        monkeypatch.delenv(f"TARGET_GAINSIGHT_{name.upper()}", raising=False)


def given(monkeypatch: pytest.MonkeyPatch, **variables: str) -> dict[str, Any]:
    for name, text in variables.items():
        monkeypatch.setenv(f"TARGET_GAINSIGHT_{name.upper()}", text)
    return read_environment(CONFIG_SCHEMA, "TARGET_GAINSIGHT_")


def test_nothing_set_is_nothing_given(monkeypatch: pytest.MonkeyPatch) -> None:
    assert given(monkeypatch) == {}


def test_every_type_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    assert given(
        monkeypatch,
        domain="initech.gainsightcloud.com",
        calls_per_minute="250",
        lookup_keys="SfdcAccountId,Name",
        streams='{"accounts": {"object_type": "company"}}',
        constants='{"Status": null}',
    ) == {
        "domain": "initech.gainsightcloud.com",
        "calls_per_minute": 250,
        "lookup_keys": "SfdcAccountId,Name",
        "streams": {"accounts": {"object_type": "company"}},
        "constants": {"Status": None},
    }


@pytest.mark.parametrize(
    ("text", "value"),
    [("true", True), ("1", True), (" Yes", True), ("false", False), ("0", False), ("OFF", False)],
)
def test_a_switch_is_read(monkeypatch: pytest.MonkeyPatch, text: str, value: bool) -> None:
    assert given(monkeypatch, dry_run=text) == {"dry_run": value}


@pytest.mark.parametrize("key", ["12345678", "true", "null", '{"a": 1}', "[1]"])
def test_a_key_that_looks_like_something_else_stays_text(
    monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    assert given(monkeypatch, access_key=key) == {"access_key": key}


def test_what_cannot_be_read_is_refused_with_everything_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given(
        monkeypatch,
        calls_per_minute="a hundred",
        max_rejects="",
        quota_percent="12.5",
        dry_run="tru",
        streams="{accounts: company}",
        field_mapping="[1]",
        batch_size_rows="many",
    )
    with pytest.raises(ConfigValidationError) as refused:
        TargetGainsight(config={}, parse_env_config=True)
    assert sorted(refused.value.errors) == [
        "'many' is not of type 'integer', 'null' in config['batch_size_rows']",
        f"access_key: given nothing; right: {EITHER}",
        "calls_per_minute: given 'a hundred'; right: a whole number",
        (
            "domain: given nothing; right: a host name such as mycompany.gainsightcloud.com, "
            "or sandbox"
        ),
        "dry_run: given 'tru'; right: true or false",
        "field_mapping: given [1]; right: an object",
        "max_rejects: given ''; right: a whole number",
        "quota_percent: given 12.5; right: a whole number",
        "streams: given '{accounts: company}'; right: an object",
    ]


def test_an_oauth_client_is_told_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, client_id="initech", client_secret="s3cret", access_key="")
    target = TargetGainsight(config={"domain": "initech.gainsightcloud.com"}, parse_env_config=True)
    assert target.settings.connection.credential == OAuthCredential("initech", "s3cret")


def test_a_file_is_added_to_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, access_key="k3y", object_type="person")
    target = TargetGainsight(
        config={"domain": "initech.gainsightcloud.com", "object_type": "company"},
        parse_env_config=True,
    )
    assert target.settings.connection.credential == KeyCredential("k3y")
    found = target.settings.for_stream("people")
    assert found is not None
    assert found.object_type == "person"
