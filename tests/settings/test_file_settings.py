"""Streams that go into files: what their entries may say, and what means nothing there."""

from __future__ import annotations

from typing import Any

import pytest
from given import mistakes, stream

BULK = {"object_type": "company", "transport": "bulk", "bulk_job_id": "7"}


def entry_mistakes(entry: dict[str, Any], **top: Any) -> list[str]:
    return mistakes(streams={"a": entry}, **top)


def test_a_bulk_stream_knows_its_job_and_its_columns() -> None:
    found = stream("a", streams={"a": {**BULK, "field_mapping": {"name": "Account"}}})
    assert (found.transport, found.bulk_job_id) == ("bulk", "7")
    assert found.field_mapping == {"name": "Account"}


def test_streams_go_by_calls_unless_told_otherwise() -> None:
    assert stream("a", streams={"a": {"object_type": "company"}}).transport == "rest"


@pytest.mark.parametrize(
    ("setting", "value", "why"),
    [
        ("sync_mode", "upsert", "the job in Gainsight holds the operation"),
        ("lookup_keys", ["Name"], "the job in Gainsight holds the keys"),
        ("lookups", {"Csm": {"object_name": "gsuser"}}, "the job in Gainsight holds the lookups"),
        ("skip_unchanged", True, "no row is read, so none can be compared"),
        ("multi_match", "first", "no row is read, so none can be compared"),
        ("max_creates", 5, "no row is read, so none can be told to be new"),
        ("null_values", "omit", "a CSV has no other null than an empty cell"),
        ("unknown_fields", "drop", "field_mapping names the ones to send"),
        ("survey_columns", {"Score": "s"}, "it is for survey_csv"),
    ],
)
def test_what_the_job_decides_is_refused_beside_it_and_ignored_from_above(
    setting: str, value: Any, why: str
) -> None:
    [mistake] = entry_mistakes({**BULK, setting: value})
    assert mistake.startswith(f"streams.a.{setting}: ")
    assert why in mistake
    if setting != "lookups":
        assert stream("a", streams={"a": BULK}, **{setting: value}).transport == "bulk"


@pytest.mark.parametrize("object_type", ["person", "timeline", "cta", "survey_csv"])
def test_a_job_loads_no_such_object(object_type: str) -> None:
    [mistake, *_] = entry_mistakes({**BULK, "object_type": object_type})
    assert mistake.startswith("streams.a.transport: given 'bulk'")


def test_a_job_needs_its_id_and_an_id_its_transport() -> None:
    [missing] = entry_mistakes({"object_type": "company", "transport": "bulk"})
    assert "the job's cURL command" in missing
    [alone] = entry_mistakes({"object_type": "company", "bulk_job_id": "7"})
    assert "transport bulk beside it" in alone


def test_transport_is_one_of_two() -> None:
    mistake = entry_mistakes({**BULK, "transport": "ftp"})[0]
    assert "one of rest, bulk" in mistake


def test_a_survey_file_takes_its_own_mapping_and_no_other() -> None:
    columns = {"Score": "nps", "Response Date": "answered.at"}
    entry = {"object_type": "survey_csv", "survey_columns": columns}
    assert stream("a", streams={"a": entry}).survey_columns == columns
    [mistake] = entry_mistakes({**entry, "field_mapping": {"nps": "Score"}})
    assert "survey_columns" in mistake
    [keys] = entry_mistakes({**entry, "lookup_keys": ["Name"]})
    assert "imported by an administrator" in keys


def test_survey_columns_say_nothing_for_other_streams() -> None:
    [mistake] = entry_mistakes({"object_type": "company", "survey_columns": {"Score": "s"}})
    assert "it is for survey_csv" in mistake


def test_a_column_of_a_survey_is_named_by_text() -> None:
    entry = {"object_type": "survey_csv", "survey_columns": {"Score": 7}}
    [mistake] = entry_mistakes(entry)
    assert mistake == "streams.a.survey_columns.Score: given 7; right: the name of a source column"
