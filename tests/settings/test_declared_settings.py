"""What is declared is what works and what is documented, in every form in which it is shown."""

from __future__ import annotations

import json
from typing import Any

import pytest

from target_gainsight.settings import CONFIG_SCHEMA
from target_gainsight.target import TargetGainsight

PUBLIC_NAMES = """
    domain access_key client_id client_secret base_url object_type custom_object_name sync_mode
    lookup_keys field_mapping constants unknown_fields lookups company_links multi_match
    skip_unchanged null_values date_format rich_text max_creates streams read_group_size
    calls_per_minute calls_per_day quota_percent max_calls_per_run timeline_calls_per_minute
    bulk_calls_per_hour
    bulk_calls_per_day quota_store max_concurrency request_timeout max_retry_seconds rejects_path
    reject_values max_rejects max_reject_percent summary_path dry_run max_batch_age_seconds
    sandbox_path sandbox_config survey_path survey_columns transport bulk_job_id
"""
"""Nothing else becomes a setting by accident."""

NAMES_OF_THE_SDK = """
    load_method add_record_metadata batch_size_rows validate_records stream_maps stream_map_config
    faker_config flattening_enabled flattening_max_depth flattening_max_key_length
    flattening_separator
"""

Properties = dict[str, dict[str, Any]]


@pytest.fixture
def declared() -> Properties:
    schema: dict[str, Any] = {"properties": dict(CONFIG_SCHEMA["properties"])}
    TargetGainsight.append_builtin_config(schema)
    properties: Properties = schema["properties"]
    return properties


def about(capsys: pytest.CaptureFixture[str], output_format: str | None) -> str:
    TargetGainsight.print_about(output_format)
    return capsys.readouterr().out


def test_nothing_is_declared_that_is_not_known(declared: Properties) -> None:
    assert set(declared) - {*PUBLIC_NAMES.split(), *NAMES_OF_THE_SDK.split()} == set()


def test_every_setting_of_ours_has_a_title_and_a_description_in_sentences() -> None:
    for name, schema in CONFIG_SCHEMA["properties"].items():
        assert schema["title"], name
        assert schema["description"].endswith("."), name


def test_settings_survive_the_environment_and_meltano() -> None:
    for name, schema in CONFIG_SCHEMA["properties"].items():
        assert "number" not in schema["type"], name
        assert "null" in schema["type"], name


def test_credentials_are_the_only_secrets() -> None:
    secret = {name for name, schema in CONFIG_SCHEMA["properties"].items() if schema.get("secret")}
    assert secret <= {"access_key", "client_secret", "quota_store"}  # a URL with a password
    assert "access_key" in secret


def test_no_setting_is_required_by_schema_because_all_mistakes_are_listed_at_once() -> None:
    assert not CONFIG_SCHEMA.get("required")


def test_about_shows_everything_about_a_setting_as_json(
    declared: Properties, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = json.loads(about(capsys, "json"))
    assert shown["description"] == "Singer target and Meltano loader for Gainsight CS."
    for name, schema in declared.items():
        found = shown["settings"]["properties"][name]
        for fact in ("title", "description", "default", "secret", "enum"):
            assert found.get(fact) == schema.get(fact), (name, fact)


def test_about_shows_everything_about_a_setting_as_text(
    declared: Properties, capsys: pytest.CaptureFixture[str]
) -> None:
    paragraphs = {
        each.split()[0]: " ".join(each.split()) for each in about(capsys, None).split("\n\n")
    }
    for name, schema in declared.items():
        assert facts_about(name, schema) - words_in(paragraphs[name]) == set()
        assert f"Environment: TARGET_GAINSIGHT_{name.upper()}" in paragraphs[name]


def test_about_shows_everything_about_a_setting_as_markdown(
    declared: Properties, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = about(capsys, "markdown").splitlines()
    rows = {line.split("`")[1]: line for line in lines if line.startswith("| `")}
    for name, schema in declared.items():
        assert facts_about(name, schema) - words_in(rows[name].replace("\\|", "|")) == set()


@pytest.mark.parametrize("output_format", [None, "markdown"])
def test_about_marks_secrets_and_nothing_else_as_such(
    output_format: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = about(capsys, output_format)
    lines = shown.replace("Secret\n", "Secret |\n").replace("Secret. ", "Secret | ").splitlines()
    secret = [name for name, schema in CONFIG_SCHEMA["properties"].items() if schema.get("secret")]
    assert len([line for line in lines if "Secret |" in line]) == len(secret)


def facts_about(name: str, schema: dict[str, Any]) -> set[str]:
    """The words that must be said of a setting."""
    default = schema.get("default")
    said = [name, schema.get("title", ""), schema.get("description", "")]
    if default is not None:
        said.append(f"Default: {str(default).lower() if default in (True, False) else default}")
    if schema.get("secret"):
        said.append("Secret")
    said += [str(choice) for choice in schema.get("enum", []) if choice is not None]
    return words_in(" ".join(said))


def words_in(text: str) -> set[str]:
    return {word.strip(".,`|()") for word in text.split()}
