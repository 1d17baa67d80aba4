"""Declared settings work and are documented, in every form in which they are shown."""

from __future__ import annotations

import json
from typing import Any

import pytest
from documented.declared import ESSENTIAL, GROUPS

from target_gainsight.settings.model import CONFIG_SCHEMA, SETTINGS, declared_settings
from target_gainsight.target import TargetGainsight

PUBLIC_NAMES = """
    domain access_key client_id client_secret base_url object_type custom_object_name sync_mode
    lookup_keys fallback_keys field_rules field_mapping constants unknown_fields lookups
    company_links multi_match
    near_matches skip_unchanged null_values date_format rich_text max_creates deletes max_deletes
    streams
    read_group_size
    calls_per_minute calls_per_day quota_percent max_calls_per_run timeline_calls_per_minute
    bulk_calls_per_hour bulk_calls_per_day bulk_max_file_bytes quota_store
    quota_store_password max_concurrency
    request_timeout max_retry_seconds rejects_path reject_values on_rejects max_rejects
    max_reject_percent min_records
    summary_path report_path outcomes_path notify_url notify_on
    dry_run max_batch_age_seconds sandbox_path sandbox_config survey_path
    survey_columns transport bulk_job_id
"""
"""Nothing else becomes a setting by accident."""

NAMES_OF_THE_SDK = """
    load_method add_record_metadata batch_size_rows validate_records stream_maps stream_map_config
    faker_config flattening_enabled flattening_max_depth flattening_max_key_length
    flattening_separator
"""


@pytest.fixture
def schema() -> dict[str, Any]:
    """The configuration's schema with the settings of the SDK."""
    schema: dict[str, Any] = {"properties": dict(CONFIG_SCHEMA["properties"])}
    TargetGainsight.append_builtin_config(schema)
    return schema


def about(capsys: pytest.CaptureFixture[str], output_format: str | None) -> str:
    TargetGainsight.print_about(output_format)
    return capsys.readouterr().out


def test_every_declared_setting_is_known(schema: dict[str, Any]) -> None:
    assert {*schema["properties"], *SETTINGS} == {*PUBLIC_NAMES.split(), *NAMES_OF_THE_SDK.split()}


def test_descriptions_are_sentences() -> None:
    for name, setting in SETTINGS.items():
        assert setting.description.endswith("."), name
        assert setting.title, name


def test_defaults_and_choices_are_valid() -> None:
    for setting in SETTINGS.values():
        for value in setting.choices:
            assert setting.read(value) == value
        if setting.shown_default:
            assert setting.read(setting.shown_default) == setting.default


def test_eight_settings_are_essential() -> None:
    assert len(ESSENTIAL) == 8
    assert set(ESSENTIAL) <= set(SETTINGS)


def test_every_setting_is_documented_in_a_group() -> None:
    assert {setting.group for setting in SETTINGS.values()} == set(GROUPS)


def test_credentials_are_the_only_secrets() -> None:
    assert {name for name, setting in SETTINGS.items() if setting.secret} == {
        *("access_key", "client_secret", "quota_store_password"),
        "quota_store",  # its URL may hold the password
        "notify_url",  # whoever has it can post
    }


def test_schema_requires_no_setting() -> None:
    assert not CONFIG_SCHEMA.get("required")


def test_about_shows_every_setting_as_json(
    schema: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    shown = json.loads(about(capsys, "json"))
    assert shown["description"] == "Singer target and Meltano loader for Gainsight CS."
    properties = shown["settings"]["properties"]
    assert properties == {each.name: each.schema for each in declared_settings(schema)}
    assert properties["sync_mode"]["description"].endswith(
        "One of `upsert`, `insert`, `update`. Default: `upsert`."
    )


def test_about_names_the_environment_variable_of_every_setting(
    schema: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    lines = about(capsys, None).splitlines()
    for name in schema["properties"]:
        assert f"    Environment Variable: TARGET_GAINSIGHT_{name.upper()}" in lines
