"""The log of a run: what is in it, what is not, and how a collector reads it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from singer_messages import TEXT, record, schema
from singer_runs import errors_in, run_command

SETTINGS = {"domain": "sandbox", "object_type": "company", "max_reject_percent": 100}
MESSAGES = [schema(), record(Name="A"), record(Name="B", Employees="a lot")]
UNKNOWN_KEY = {**SETTINGS, "lookup_keys": ["Nam"]}


def log_config(folder: Path, **loggers: object) -> str:
    """Write a logging configuration such as Meltano's, and return its path."""
    config = {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"structured": {"()": "singer_sdk.logging.StructuredFormatter"}},
        "handlers": {
            "console": {
                "class": "logging.StreamHandler",
                "formatter": "structured",
                "stream": "ext://sys.stderr",
            }
        },
        "root": {"level": "INFO", "handlers": ["console"]},
        "loggers": loggers,
    }
    path = folder / "log.json"
    path.write_text(json.dumps(config), encoding="utf-8")
    return str(path)


def test_metrics_are_silent_by_default(tmp_path: Path) -> None:
    run = run_command(folder=tmp_path, messages=MESSAGES, settings=SETTINGS)
    assert "METRIC" not in run.stderr


def test_metrics_are_logged_at_level_debug(tmp_path: Path) -> None:
    level = {"TARGET_GAINSIGHT_LOGLEVEL": "debug"}
    run = run_command(folder=tmp_path, messages=MESSAGES, settings=SETTINGS, **level)
    assert '"metric":"http_request_count"' in run.stderr


def test_metrics_are_logged_where_their_logger_has_a_handler(tmp_path: Path) -> None:
    metrics = {"singer_sdk.metrics": {"handlers": ["console"], "propagate": False}}
    path = log_config(tmp_path, **metrics)
    run = run_command(
        folder=tmp_path, messages=MESSAGES, settings=SETTINGS, SINGER_SDK_LOG_CONFIG=path
    )
    assert '"metric":"http_request_count"' in run.stderr


def test_structured_log_has_an_event_per_line(tmp_path: Path) -> None:
    path = log_config(tmp_path)
    columns = {"Name": TEXT, "Shoe": TEXT}
    run = run_command(
        folder=tmp_path,
        messages=[schema(columns=columns)],
        settings=SETTINGS,
        SINGER_SDK_LOG_CONFIG=path,
    )
    events = [json.loads(line) for line in run.stderr.splitlines() if line.startswith("{")]
    assert [each["message"] for each in events if each["level"] == "error"] == [
        "Stream 'accounts' does not fit company: 1 problem.",
        "  - company has no field Shoe.",
        "Settings to begin with, also in 'gainsight-rejects/gainsight-accounts.mapping.yml':",
        "In meltano.yml, under the loader's config:",
        "streams:",
        "  accounts:",
        "    object_type: company",
        "    lookup_keys: [Name]",
        "    field_mapping:",
        "      Name: Name",
        "      # Shoe: no such field",
    ]


@pytest.mark.parametrize("settings", [SETTINGS, UNKNOWN_KEY], ids=["empty source", "wrong key"])
def test_no_table_without_records(tmp_path: Path, settings: dict[str, object]) -> None:
    run = run_command(folder=tmp_path, messages=[schema()], settings=settings)
    assert "no records were read" in run.stderr
    assert "unchanged" not in run.stderr


def test_nothing_is_logged_twice(tmp_path: Path) -> None:
    messages = [schema(), record(Name="A", Employees="x"), record(Name="B", Employees="y")]
    run = run_command(folder=tmp_path, messages=messages, settings=SETTINGS)
    [error] = errors_in(run.stderr)
    assert error.startswith("every record was rejected (2)")
    texts = [line.split("|", 3)[-1] for line in run.stderr.splitlines()]
    assert sorted(texts) == sorted(set(texts))
