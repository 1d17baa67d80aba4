"""Survey files: one complete, validated file per run, safe to open in a spreadsheet."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from singer_messages import TEXT, Message, record, schema, state
from singer_runs import TargetRun, Tenant

from target_gainsight.mapping.csv_columns import FORMULA_STARTS, escape_formula

HEADER = [
    "Company",
    "Email",
    "Score",
    "Comment",
    "Survey Name",
    "Response Date",
    "Language",
    "Channel",
]
COLUMNS = {
    "company": TEXT,
    "email": TEXT,
    "score": {"type": ["integer", "string", "null"]},
    "comment": TEXT,
    "survey_name": TEXT,
    "response_date": {"type": ["string", "null"], "format": "date"},
    "language": TEXT,
    "channel": TEXT,
}
ENTRY: Message = {"object_type": "survey_csv"}
SCHEMA = schema("nps", COLUMNS, keys=[])


def response(**fields: Any) -> Message:
    given = {
        "company": "Initech",
        "email": "bill@initech.example",
        "score": 9,
        "comment": "fine",
        "survey_name": "NPS 2026",
        "response_date": "2026-02-01",
        "language": "en",
        "channel": "Email",
        **fields,
    }
    return record("nps", **given)


def load(
    tenant: Tenant, messages: Iterable[Message], entry: Message = ENTRY, **settings: Any
) -> TargetRun:
    settings = {"survey_path": str(tenant.folder / "surveys"), **settings}
    return tenant.load(*messages, object_type=None, streams={"nps": entry}, **settings)


def files(tenant: Tenant) -> list[Path]:
    return sorted((tenant.folder / "surveys").glob("*.csv*"))


def rows(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def test_responses_become_one_file_with_the_eight_columns(tenant: Tenant) -> None:
    messages = [SCHEMA, response(), state(read=1), response(score="0", comment=None)]
    run = load(tenant, [*messages, state(read=2)])
    assert (run.exit_code, run.states) == (0, [state(read=2)["value"]])
    [path] = files(tenant)
    common = ["NPS 2026", "2026-02-01", "en", "Email"]
    assert rows(path) == [
        HEADER,
        ["Initech", "bill@initech.example", "9", "fine", *common],
        ["Initech", "bill@initech.example", "0", "", *common],
    ]
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.name.startswith("nps-")
    assert run.summary["streams"]["nps"]["by_file"]["written"] == [str(path)]
    assert str(path) in str(run.target.summary)
    assert not tenant.count_calls()


def test_columns_are_configurable_and_a_constant_fills_one(tenant: Tenant) -> None:
    columns = {
        "account_id": TEXT,
        "person": TEXT,
        "nps": {"type": "integer"},
        "at": {"type": "string"},
    }
    entry = {
        **ENTRY,
        "survey_columns": {"Company": "account_id", "Person": "person", "Response Date": "at"},
        "constants": {"Survey ID": "S-1", "Region": "EMEA"},
        "date_format": "MM-DD-YYYY",
    }
    fields = {"account_id": "A1", "person": "P1", "nps": 3, "at": "2026-02-01T10:00:00Z"}
    run = load(tenant, [schema("nps", columns, keys=[]), record("nps", **fields)], entry)
    assert run.exit_code == 0
    assert rows(files(tenant)[0]) == [
        ["Company", "Person", "Score", "Survey ID", "Response Date", "Region"],
        ["A1", "P1", "3", "S-1", "02-01-2026", "EMEA"],
    ]


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"score": 11}, "score_out_of_range"),
        ({"score": -1}, "score_out_of_range"),
        ({"score": "7.5"}, "score_out_of_range"),
        ({"score": "very good"}, "not_a_number"),
        ({"score": None}, "required_missing"),
        ({"company": "  "}, "required_missing"),
        ({"survey_name": None}, "required_missing"),
        ({"email": "Bill Lumbergh"}, "not_an_email"),
        ({"response_date": "last week"}, "not_a_date"),
        ({"comment": "a\0b"}, "nul_in_text"),
    ],
)
def test_response_that_cannot_be_imported_is_rejected_alone(
    tenant: Tenant, fields: Message, code: str
) -> None:
    messages = [SCHEMA, response(), response(**fields), state(read=2)]
    run = load(tenant, messages, validate_records=False)
    assert (run.exit_code, run.codes) == (0, [code])
    assert run.states == [state(read=2)["value"]]
    assert len(rows(files(tenant)[0])) == 2


def test_no_cell_is_a_formula(tenant: Tenant) -> None:
    comment = '=HYPERLINK("https://evil.example","click")'
    load(tenant, [SCHEMA, response(comment=comment, company="@corp")])
    row = rows(files(tenant)[0])[1]
    assert (row[0], row[3]) == ("'@corp", f"'{comment}")


@given(st.text())
def test_harmless_text_is_kept(text: str) -> None:
    found = escape_formula(text)
    assert not found.startswith(FORMULA_STARTS)
    assert found in {text, f"'{text}"}


def test_missing_required_column_stops_stream_before_first_record(tenant: Tenant) -> None:
    columns = {name: TEXT for name in COLUMNS if name not in {"score", "company"}}
    columns["rating"] = TEXT
    entry = {**ENTRY, "survey_columns": {"Score": "ratin"}}
    run = load(tenant, [schema("nps", columns, keys=[]), record("nps", rating="9")], entry)
    assert run.exit_code == 1
    assert "The stream has no column ratin. Did you mean rating?" in run.log[-1]
    assert "A survey import needs Company" in run.log[-1]
    assert not files(tenant)


@pytest.mark.parametrize(
    ("constants", "problem"),
    [
        ({"a\0b": "x"}, "cannot be in a CSV: a NUL character"),
        ({"Channel": "a\0b"}, r"constants: Channel (STRING) refuses 'a\x00b': a NUL character"),
    ],
)
def test_constant_that_no_csv_can_hold_stops_the_stream(
    tenant: Tenant, constants: dict[str, str], problem: str
) -> None:
    run = load(tenant, [SCHEMA, response()], {**ENTRY, "constants": constants})
    assert (run.exit_code, files(tenant)) == (1, [])
    assert problem in run.log[-1]


def test_two_names_for_one_column_are_refused(tenant: Tenant) -> None:
    entry = {**ENTRY, "survey_columns": {"Survey Name": "survey_name", "Survey ID": "channel"}}
    run = load(tenant, [SCHEMA, response()], entry)
    assert "are the same column of the CSV" in run.log[-1]


def test_stopped_run_leaves_no_file(tenant: Tenant) -> None:
    stray = record("unknown", a=1)
    run = load(tenant, [SCHEMA, response(), state(read=1), stray])
    assert (run.exit_code, run.states) == (1, [])
    assert not files(tenant)


def test_leftovers_of_a_killed_run_are_deleted(tenant: Tenant) -> None:
    folder = tenant.folder / "surveys"
    folder.mkdir()
    (folder / "nps-20260101T000000Z-abcd.csv.part").write_text("half a fi", encoding="utf-8")
    load(tenant, [SCHEMA, response()])
    assert [path.suffix for path in files(tenant)] == [".csv"]


def test_full_disk_leaves_no_file_and_no_state(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("target_gainsight.loading.csv_files.os.fsync", full)
    run = load(tenant, [SCHEMA, response(), state(read=1)])
    assert (run.exit_code, run.states) == (1, [])
    assert "the records will be re-sent" in run.log[-1]
    assert not files(tenant)


def test_further_import_column_begins_second_file(tenant: Tenant) -> None:
    narrow = schema("nps", {name: COLUMNS[name] for name in COLUMNS if name != "channel"}, keys=[])
    first = response()
    del first["record"]["channel"]
    run = load(tenant, [narrow, first, SCHEMA, response(company="Globex"), state(read=2)])
    assert (run.exit_code, run.states) == (0, [state(read=2)["value"]])
    assert sorted(rows(path)[1][0] for path in files(tenant)) == ["Globex", "Initech"]
    assert sum("columns that the CSV lacks: Channel" in line for line in run.warnings) == 1
    assert not any("costs calls" in line for line in run.warnings)


def test_unrelated_schema_change_keeps_file(tenant: Tenant) -> None:
    wider = schema("nps", {**COLUMNS, "region": TEXT}, keys=[])
    lines = [SCHEMA, response(), wider, response(company="Globex"), SCHEMA, response(company="I")]
    assert load(tenant, lines).exit_code == 0
    [path] = files(tenant)
    assert [row[0] for row in rows(path)[1:]] == ["Initech", "Globex", "I"]


def test_dry_run_predicts_the_file_and_writes_none(tenant: Tenant) -> None:
    run = load(tenant, [SCHEMA, response(), state(read=1)], dry_run=True)
    assert (run.exit_code, run.states) == (0, [])
    assert not files(tenant)
    plan = run.target.session.plan
    assert plan
    assert "would fill 1 file for a survey import" in plan.to_text(run.target.summary)
    load(tenant, [SCHEMA, response()])
    assert files(tenant)[0].stat().st_size == plan.streams["nps"].files[0]["bytes"]


def test_stream_without_responses_has_no_file(tenant: Tenant) -> None:
    run = load(tenant, [SCHEMA, state(read=0)])
    assert (run.exit_code, run.states) == (0, [state(read=0)["value"]])
    assert not files(tenant)
