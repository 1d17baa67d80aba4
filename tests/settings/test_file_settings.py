"""Streams that are written to files: accepted and refused settings of their entries."""

from __future__ import annotations

from typing import Any

import pytest
from given import errors, stream

from target_gainsight.settings.model import SETTINGS

BULK = {"object_type": "company", "transport": "bulk", "bulk_job_id": "7"}
JOB = "the Gainsight job defines its operation, keys and columns"


def entry_errors(entry: dict[str, Any], **top: Any) -> list[str]:
    return errors(streams={"a": entry}, **top)


def test_bulk_stream_has_job_and_columns() -> None:
    found = stream("a", streams={"a": {**BULK, "field_mapping": {"name": "Account"}}})
    assert (found.transport, found.bulk_job_id) == ("bulk", "7")
    assert found.field_mapping == {"name": "Account"}


def test_transport_is_rest_by_default() -> None:
    assert stream("a", streams={"a": {"object_type": "company"}}).transport == "rest"


@pytest.mark.parametrize(
    ("setting", "value", "why"),
    [
        ("sync_mode", "upsert", JOB),
        ("lookup_keys", ["Name"], JOB),
        ("lookups", {"Csm": {"object_name": "gsuser", "fields": {"a": "Email"}}}, JOB),
        ("unknown_fields", "drop", JOB),
        ("skip_unchanged", True, "current rows are not read"),
        ("skip_unchanged", False, "current rows are not read"),
        ("multi_match", "first", "current rows are not read"),
        ("max_creates", 5, "current rows are not read"),
        ("null_values", "omit", "a CSV file has neither nulls nor deletes"),
    ],
)
def test_settings_of_the_job_are_refused_in_entry_and_ignored_globally(
    setting: str, value: Any, why: str
) -> None:
    [error] = entry_errors({**BULK, setting: value})
    name = f"streams.a.{setting}"
    assert error == f"{name} cannot be combined with transport: bulk; {why}. Remove it."
    assert stream("a", streams={"a": BULK}, **{setting: value}).transport == "bulk"


@pytest.mark.parametrize("object_type", ["person", "timeline", "cta"])
def test_object_that_jobs_cannot_load_is_refused(object_type: str) -> None:
    [error] = entry_errors({**BULK, "object_type": object_type})
    assert error.startswith(
        f"streams.a.transport cannot be combined with object_type: {object_type}; it is for "
    )


def test_job_id_and_transport_need_each_other() -> None:
    [missing] = entry_errors({"object_type": "company", "transport": "bulk"})
    assert "from its cURL command" in missing
    [alone] = entry_errors({"object_type": "company", "bulk_job_id": "7"})
    assert alone == "streams.a.bulk_job_id requires transport: bulk."


def test_transport_is_one_of_two() -> None:
    error = entry_errors({**BULK, "transport": "ftp"})[0]
    assert "one of rest, bulk" in error


def test_survey_file_accepts_only_its_own_mapping() -> None:
    columns = {"Score": "nps", "Response Date": "answered.at"}
    entry = {"object_type": "survey_csv", "survey_columns": columns}
    assert stream("a", streams={"a": entry}).survey_columns == columns
    [error] = entry_errors({**entry, "field_mapping": {"nps": "Score"}})
    assert "survey_columns" in error
    [keys] = entry_errors({**entry, "lookup_keys": ["Name"]})
    assert "an administrator imports" in keys


def test_survey_columns_say_nothing_for_other_streams() -> None:
    [error] = entry_errors({"object_type": "company", "survey_columns": {"Score": "s"}})
    assert error == "streams.a.survey_columns requires object_type: survey_csv."


def test_survey_column_name_must_be_text() -> None:
    entry = {"object_type": "survey_csv", "survey_columns": {"Score": 7}}
    [error] = entry_errors(entry)
    assert error == "streams.a.survey_columns.Score: got 7, expected a name."


@pytest.mark.parametrize("name", ["sync_mode", "skip_unchanged", "null_values", "multi_match"])
def test_default_sent_by_meltano_is_not_a_choice(name: str) -> None:
    default = {name: SETTINGS[name].default}
    assert stream("a", object_type="survey_csv", **default).object_type == "survey_csv"
