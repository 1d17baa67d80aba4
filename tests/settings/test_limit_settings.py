"""Numbers, booleans and choices: defaults and refusals."""

from __future__ import annotations

from pathlib import Path

import pytest
from given import errors, only_error, read

from target_gainsight.settings.kinds import PATH
from target_gainsight.settings.model import SETTINGS, Limits

POSITIVE = (
    "calls_per_minute",
    "calls_per_day",
    "timeline_calls_per_minute",
    "bulk_calls_per_hour",
    "bulk_calls_per_day",
    "bulk_max_file_bytes",
    "max_calls_per_run",
    "max_concurrency",
    "request_timeout",
    "max_retry_seconds",
    "max_batch_age_seconds",
    "max_creates",
)


def test_limits_have_documented_defaults() -> None:
    settings = read()
    assert settings.limits == Limits(
        calls_per_minute=100,
        calls_per_day=50_000,
        timeline_calls_per_minute=200,
        bulk_calls_per_hour=10,
        bulk_calls_per_day=100,
        bulk_max_file_bytes=80_000_000,
        quota_percent=90,
        max_calls_per_run=None,
        request_timeout=60,
        max_retry_seconds=900,
        quota_store=None,
        quota_store_password=None,
        max_concurrency=8,
        read_group_size=1000,
        max_batch_age_seconds=300,
    )
    assert settings.output.rejects_path == Path("gainsight-rejects")
    assert settings.output.reject_values == "full"
    assert settings.output.max_rejects is None
    assert settings.output.max_reject_percent == 10
    assert settings.output.on_rejects == "warn"
    assert settings.batch_size_rows is None
    assert settings.dry_run is False


@pytest.mark.parametrize("name", POSITIVE)
@pytest.mark.parametrize("value", [0, -1])
def test_limits_below_one_are_refused(name: str, value: int) -> None:
    assert (
        only_error(**{name: value})
        == f"{name}: got {value}, expected a whole number of at least 1."
    )


@pytest.mark.parametrize(
    ("name", "value", "most"),
    [
        ("quota_percent", 0, 100),
        ("quota_percent", 101, 100),
        ("max_reject_percent", 0, 100),
        ("max_reject_percent", 101, 100),
        ("read_group_size", 0, 4999),
        ("read_group_size", 5000, 4999),
    ],
)
def test_value_above_maximum_names_maximum(name: str, value: int, most: int) -> None:
    expected = f"{name}: got {value}, expected a whole number from 1 to {most}."
    assert only_error(**{name: value}) == expected


@pytest.mark.parametrize("value", ["ninety", "1.5", 1.5, True, [90]])
def test_limit_is_a_whole_number(value: object) -> None:
    assert only_error(calls_per_minute=value).endswith("expected a whole number of at least 1.")


@pytest.mark.parametrize("value", [0, -5])
def test_batch_has_at_least_one_record(value: int) -> None:
    expected = f"batch_size_rows: got {value}, expected a whole number of at least 1."
    assert only_error(batch_size_rows=value) == expected


@pytest.mark.parametrize("value", ["maybe", 1])
def test_boolean_is_true_or_false(value: object) -> None:
    assert only_error(skip_unchanged=value).endswith("expected true or false.")


@pytest.mark.parametrize(
    ("name", "given", "meant"),
    [
        ("unknown_fields", "droop", "drop"),
        ("null_values", "ommit", "omit"),
        ("reject_values", "key", "keys"),
        ("date_format", "ISO", "iso"),
        ("object_type", "companies", "company"),
        ("object_type", "Custom Object", "custom_object"),
        ("sync_mode", "upserts", "upsert"),
        ("load_method", "append", "append-only"),
    ],
)
def test_wrong_choice_lists_all_with_suggestion(name: str, given: str, meant: str) -> None:
    error = only_error(**{name: given})
    assert error.startswith(f"{name}: got '{given}', expected one of ")
    assert error.endswith(f"Did you mean '{meant}'?")


@pytest.mark.parametrize(
    "name",
    [name for name, each in SETTINGS.items() if each.choices and each.scope != "entry"],
)
def test_unknown_choice_is_refused(name: str) -> None:
    assert errors(**{name: "zzz"})[0].startswith(f"{name}: got 'zzz', expected ")


def test_rejects_and_summary_go_where_the_settings_say() -> None:
    settings = read(rejects_path="r", reject_values="keys", summary_path="s.json")
    assert settings.output.rejects_path == Path("r")
    assert settings.output.reject_values == "keys"
    assert settings.output.summary_path == Path("s.json")


@pytest.mark.parametrize("name", [name for name, each in SETTINGS.items() if each.kind is PATH])
@pytest.mark.parametrize("path", ["s3://bucket/folder", "https://host/x", "a\0b"])
def test_path_must_be_local(name: str, path: str) -> None:
    expected = "expected a path on this machine; URLs are not supported."
    assert only_error(**{name: path}) == f"{name}: got {path!r}, {expected}"
