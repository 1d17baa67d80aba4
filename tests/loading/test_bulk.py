"""Streams that go through a bulk job: what lands in the tenant, what is counted, what is kept."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, cast

import pytest
from fake_clock import FakeClock
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from singer_messages import TEXT, Message, companies, record, schema, state
from singer_runs import LineByLine, TargetRun, Tenant, WatchedOutput, advance_with_input, lines_of

from target_gainsight.mapping.escaping import csv_text
from target_gainsight.sandbox import Fault

COLUMNS = {"Account": "Name", "Sector": "Industry", "Staff": "Employees", "Renews": "RenewalDate"}
JOBS = {
    "job-1": {"object": "company", "operation": "upsert", "keys": ["Name"], "columns": COLUMNS},
    "plain": {"object": "company", "operation": "upsert", "keys": ["Name"]},
    "insert": {"object": "company", "operation": "insert"},
}
MAPPING = {
    "Name": "Account",
    "Industry": "Sector",
    "Employees": "Staff",
    "RenewalDate": "Renews",
}
ENTRY: Message = {"object_type": "company", "transport": "bulk", "bulk_job_id": "job-1"}
MAPPED: Message = {**ENTRY, "field_mapping": MAPPING}
PLAIN: Message = {**ENTRY, "bulk_job_id": "plain"}
BULK_LIMITS = {
    "calls_per_minute": 0,
    "calls_per_day": 0,
    "bulk_calls_per_hour": 0,
    "bulk_calls_per_day": 0,
}


@pytest.fixture
def bulk_tenant(start_tenant: Callable[..., Tenant]) -> Tenant:
    return start_tenant(bulk_jobs=JOBS, limits=BULK_LIMITS)


def load(
    tenant: Tenant, messages: Iterable[Message], entry: Message = PLAIN, **settings: Any
) -> TargetRun:
    streams = {"accounts": entry}
    return tenant.load(*messages, object_type=None, streams=streams, **settings)


def by_file(run: TargetRun) -> Message:
    counts: Message = run.summary["streams"]["accounts"]["by_file"]
    return counts


def folder(tenant: Tenant) -> Path:
    return tenant.folder / "rejects" / "bulk"


def kept(tenant: Tenant, pattern: str = "*.csv") -> list[Path]:
    return sorted(folder(tenant).glob(pattern))


def uploaded(tenant: Tenant) -> int:
    return tenant.count_calls()["upload"]


def test_rows_land_by_columns_and_operation_of_the_job(bulk_tenant: Tenant) -> None:
    bulk_tenant.sandbox.tenant.seed("company", [{"Name": "C0", "Employees": 1}])
    messages = [
        schema(),
        *companies([0, 1], Industry="Steel", Employees=7, RenewalDate="2027-01-31"),
        state(read=2),
    ]
    run = load(bulk_tenant, messages, MAPPED)
    assert run.exit_code == 0
    assert run.states == [state(read=2)["value"]]
    rows = bulk_tenant.rows("company")
    landed = [(r["Name"], r["Industry"], r["Employees"], r["RenewalDate"]) for r in rows]
    assert landed == [
        ("C0", "Steel", 7, "2027-01-31"),
        ("C1", "Steel", 7, "2027-01-31"),
    ]
    assert by_file(run) == {
        "files": 1,
        "rows": 2,
        "accepted": 2,
        "failed": 0,
        "unknown": 0,
        "repeated": 0,
        "settled": 2,
        "kept": [],
        "written": [],
    }
    assert not list(folder(bulk_tenant).glob("*.csv*"))
    assert not list(folder(bulk_tenant).glob("*.json"))


def test_bulk_file_keeps_source_values(bulk_tenant: Tenant) -> None:
    columns = {"Name": {}, "RenewalDate": {}, "Employees": {}}
    run = load(
        bulk_tenant,
        [
            schema(columns=columns),
            record(Name=7000123456.0, RenewalDate=20270131, Employees="1,200"),
            record(Name="late", RenewalDate=46418),
            record(Name="B", RenewalDate="1628720868248", Industry="IT", extra=1),
            record(Name="C", extra=2),
        ],
        max_reject_percent=100,
    )
    assert (run.exit_code, len(run.rejects)) == (0, 1)
    assert run.rejects[0]["gainsight_reject"]["code"] == "not_a_date"
    rows = bulk_tenant.rows("company")
    held = [(r["Name"], r["RenewalDate"], r["Employees"], r["Industry"]) for r in rows]
    assert held == [
        ("7000123456", "2027-01-31", 1200, None),
        ("B", "2021-08-11", None, "IT"),
        ("C", None, None, None),
    ]
    assert sum("these columns are not sent" in line for line in run.log) == 1


@pytest.mark.parametrize("blank", [None, "", "   ", "\ufeff", "\u00a0"])
@pytest.mark.parametrize("dry_run", [False, True])
def test_blank_key_of_bulk_file_is_rejected(
    bulk_tenant: Tenant, blank: str | None, dry_run: bool
) -> None:
    columns = {"TickerSymbol": TEXT, "Name": TEXT}
    run = load(
        bulk_tenant,
        [
            schema(columns=columns, keys=["TickerSymbol"]),
            record(TickerSymbol=blank, Name="A"),
            record(TickerSymbol=blank, Name="B"),
            record(TickerSymbol="C", Name="C"),
        ],
        max_reject_percent=100,
        dry_run=dry_run,
    )
    rejected = [each["gainsight_reject"]["code"] for each in run.rejects]
    assert rejected == ([] if dry_run else ["key_missing"] * 2)
    assert run.outcomes("accounts")["rejected"] == 2
    assert [row["Name"] for row in bulk_tenant.rows("company")] == ([] if dry_run else ["C"])


def test_blank_in_required_field_of_bulk_file_is_rejected(bulk_tenant: Tenant) -> None:
    columns = {"TickerSymbol": TEXT, "Name": TEXT}
    lines = [record(TickerSymbol="A", Name=" \u200b"), record(TickerSymbol="B", Name="B")]
    messages = [schema(columns=columns, keys=["TickerSymbol"]), *lines]
    run = load(bulk_tenant, messages, max_reject_percent=100)
    reject = run.rejects[0]["gainsight_reject"]
    assert (reject["code"], reject["field"]) == ("null_not_allowed", "Name")
    assert [row["Name"] for row in bulk_tenant.rows("company")] == ["B"]


def test_mapping_of_a_bulk_file_may_name_an_undeclared_column(bulk_tenant: Tenant) -> None:
    mapped = {**ENTRY, "field_mapping": {"Name": "Account", "sector": "Sector"}}
    columns = {"Name": TEXT}
    lines = [record(Name="A"), record(Name="B", sector="IT", Staff=1)]
    run = load(bulk_tenant, [schema(columns=columns), *lines], mapped)
    assert run.exit_code == 0
    rows = bulk_tenant.rows("company")
    assert [(row["Name"], row["Industry"]) for row in rows] == [("A", None), ("B", "IT")]
    assert by_file(run)["files"] == 1


def test_no_state_is_written_before_the_job_is_completed(
    start_tenant: Callable[..., Tenant],
) -> None:
    tenant = start_tenant(bulk_jobs=JOBS, limits=BULK_LIMITS, switches={"bulk_questions": 5})
    target = tenant.target(object_type=None, streams={"accounts": PLAIN})
    rows: list[int] = []
    output = WatchedOutput(lambda _: rows.append(tenant.sandbox.tenant.count("company")))
    messages = [schema(), *companies(range(3)), state(read=3)]
    run = tenant.run(target, *messages, output=output)
    assert (run.exit_code, run.states, rows) == (0, [{"read": 3}], [3])
    calls = tenant.count_calls()
    assert (calls["upload"], calls["job status"]) == (1, 6)


def test_pauses_between_polls_grow_to_a_minute(start_tenant: Callable[..., Tenant]) -> None:
    tenant = start_tenant(bulk_jobs=JOBS, limits=BULK_LIMITS, switches={"bulk_seconds": 300.0})
    before = len(tenant.clock.waits)
    assert load(tenant, [schema(), *companies([1])]).exit_code == 0
    waits = [round(wait) for wait in tenant.clock.waits[before:]]
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60, 60]


def test_files_stay_below_the_limit_and_are_sent_in_turn(bulk_tenant: Tenant) -> None:
    run = load(
        bulk_tenant,
        [schema(), *companies(range(100), Industry="Steel and iron")],
        bulk_max_file_bytes=1_000,
    )
    assert run.exit_code == 0
    assert by_file(run)["files"] == 3
    assert by_file(run)["accepted"] == 100
    assert bulk_tenant.sandbox.tenant.count("company") == 100
    sizes = [call for call in bulk_tenant.sandbox.tenant.calls() if call.kind == "upload"]
    kinds = [
        c.kind for c in bulk_tenant.sandbox.tenant.calls() if c.kind in {"upload", "job status"}
    ]
    assert len(sizes) == 3
    assert kinds == ["upload", *["job status"] * 3] * 3


def test_later_row_of_a_key_wins_across_files(bulk_tenant: Tenant) -> None:
    lines = [record(Name="C", Employees=number) for number in range(20)]
    assert load(bulk_tenant, [schema(), *lines], bulk_max_file_bytes=150).exit_code == 0
    assert [row["Employees"] for row in bulk_tenant.rows("company")] == [19]


@pytest.mark.parametrize("switch", ["page", "envelope"])
def test_file_too_large_is_sent_in_parts(start_tenant: Callable[..., Tenant], switch: str) -> None:
    tenant = start_tenant(
        bulk_jobs=JOBS,
        limits={**BULK_LIMITS, "bulk_file_bytes": 600},
        switches={"bulk_too_large": switch},
    )
    lines = companies(range(100), Industry='Steel,\r\n"iron"\n')
    run = load(tenant, [schema(), *lines, state(read=100)], {**ENTRY, "bulk_job_id": "insert"})
    assert (run.exit_code, run.states) == (0, [{"read": 100}])
    assert tenant.count_names() == {f"C{number}": 1 for number in range(100)}
    assert {row["Industry"] for row in tenant.rows("company")} == {'Steel,\r\n"iron"\n'}
    counts = by_file(run)
    assert (counts["rows"], counts["accepted"], counts["settled"]) == (100, 100, 100)
    statuses = [call.status for call in tenant.sandbox.tenant.calls() if call.kind == "upload"]
    assert statuses == [413, 413, 413, *[200] * counts["files"]]
    assert not kept(tenant, "*.csv*")


def test_files_after_a_refused_one_stay_below_its_size(start_tenant: Callable[..., Tenant]) -> None:
    tenant = start_tenant(bulk_jobs=JOBS, limits={**BULK_LIMITS, "bulk_file_bytes": 900})
    lines = [record(Name="C", Employees=number) for number in range(500)]
    assert load(tenant, [schema(), *lines], bulk_max_file_bytes=1_000).exit_code == 0
    assert [row["Employees"] for row in tenant.rows("company")] == [499]
    statuses = [call.status for call in tenant.sandbox.tenant.calls() if call.kind == "upload"]
    assert statuses.count(413) == 1


def test_single_row_too_large_stops_the_run_before_its_state(
    start_tenant: Callable[..., Tenant],
) -> None:
    tenant = start_tenant(bulk_jobs=JOBS, limits={**BULK_LIMITS, "bulk_file_bytes": 150})
    lines = [*companies([1]), state(read=1), *companies([2], Industry="x" * 150), state(read=2)]
    run = load(tenant, [schema(), *lines])
    assert run.exit_code == 1
    assert run.states == [{"read": 1}]
    assert tenant.count_names() == {"C1": 1}
    assert "one row of 216 bytes is too large for bulk job" in run.log[-1]


def test_row_that_does_not_convert_is_rejected_alone(bulk_tenant: Tenant) -> None:
    bad = record(Name="Bad", Employees="many")
    columns = {"Name": {"type": "string"}, "Employees": {"type": ["string", "integer"]}}
    run = load(bulk_tenant, [schema("accounts", columns), bad, *companies([1], Employees=2)])
    assert run.exit_code == 0
    assert run.codes == ["not_a_number"]
    assert list(bulk_tenant.count_names()) == ["C1"]
    assert (by_file(run)["rows"], run.outcomes()) == (1, {"rejected": 1})


def test_file_with_failed_rows_is_kept_and_they_are_counted(bulk_tenant: Tenant) -> None:
    messages = [
        schema(keys=()),
        *companies(range(30)),
        record(Name="", Industry="x"),
        state(read=31),
    ]
    run = load(bulk_tenant, messages, MAPPED)
    assert run.exit_code == 0
    assert run.states == [state(read=31)["value"]]
    counts = by_file(run)
    assert (counts["accepted"], counts["failed"], counts["settled"]) == (30, 1, 31)
    [path] = kept(bulk_tenant)
    assert counts["kept"] == [str(path)]
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert path.parent.parent.stat().st_mode & 0o777 == 0o700
    with path.open(encoding="utf-8", newline="") as file:
        assert len(list(csv.reader(file))) == 32
    assert any("30 are accepted and 1 failed" in line and str(path) in line for line in run.log)
    assert "30 accepted, 1 failed" in str(run.target.summary)


def test_failed_rows_are_warned_of_although_their_file_is_gone(bulk_tenant: Tenant) -> None:
    faults = bulk_tenant.sandbox.tenant.faults
    faults.add(Fault("server_error", method="GET", path="*bulkimport*"))
    messages = [schema(keys=()), *companies(range(30)), record(Name="", Industry="x")]
    assert load(bulk_tenant, messages, MAPPED, max_retry_seconds=5).exit_code == 1
    [path] = kept(bulk_tenant)
    path.unlink()
    faults.clear()
    run = load(bulk_tenant, messages, MAPPED)
    assert (by_file(run)["failed"], by_file(run)["kept"]) == (1, [])
    assert run.log[-1].endswith(
        "30 are accepted and 1 failed. Only its log in Gainsight lists the failed ones"
    )


def test_file_without_written_rows_stops_the_run_before_its_state(bulk_tenant: Tenant) -> None:
    messages = [schema(keys=()), record(Name=""), record(Name=""), state(read=2)]
    run = load(bulk_tenant, messages, MAPPED)
    assert (run.exit_code, run.states) == (1, [])
    assert "wrote none of the 2 rows" in run.log[-1]
    assert len(kept(bulk_tenant)) == 1
    again = load(bulk_tenant, [schema(), *companies([1]), state(read=1)], MAPPED)
    assert (again.exit_code, again.states) == (0, [state(read=1)["value"]])


def test_failed_rows_count_for_max_reject_percent(bulk_tenant: Tenant) -> None:
    messages = [schema(keys=()), *companies(range(120)), *[record(Name="")] * 40, state(read=160)]
    run = load(bulk_tenant, messages, MAPPED, max_reject_percent=20)
    assert run.exit_code == 1
    assert run.states == [state(read=160)["value"]]
    assert "the bulk job's log in Gainsight" in run.log[-1]


@pytest.mark.parametrize(
    ("job", "message"),
    [("nobody's", "Job nobody's is not found"), ("job-1", "The header does not match the job")],
)
def test_refusal_with_status_200_stops_the_run_and_loses_nothing(
    bulk_tenant: Tenant, job: str, message: str
) -> None:
    messages = [schema(), *companies([1, 2]), state(read=2)]
    run = load(bulk_tenant, messages, {**ENTRY, "bulk_job_id": job})
    assert (run.exit_code, run.states) == (1, [])
    assert message in run.log[-1]
    assert "Check bulk_job_id" in run.log[-1]
    assert bulk_tenant.sandbox.tenant.count("company") == 0
    assert not kept(bulk_tenant, "*.json")


@pytest.mark.parametrize(
    "switches",
    [
        {"bulk_status_id": "text"},
        {"bulk_status_id": "envelope"},
        {"bulk_counts": "records_succeeded"},
        {"bulk_status_family": "bulk"},
    ],
)
def test_every_form_of_response_is_understood(
    start_tenant: Callable[..., Tenant], switches: Message
) -> None:
    limits = {**BULK_LIMITS, "bulk_calls_per_hour": 2}
    tenant = start_tenant(bulk_jobs=JOBS, limits=limits, switches=switches)
    run = load(tenant, [schema(), *companies(range(3)), state(read=3)])
    assert (run.exit_code, run.states) == (0, [state(read=3)["value"]])
    assert (by_file(run)["accepted"], by_file(run)["failed"]) == (3, 0)


def test_file_is_kept_when_the_job_gives_no_counts(start_tenant: Callable[..., Tenant]) -> None:
    tenant = start_tenant(bulk_jobs=JOBS, limits=BULK_LIMITS, switches={"bulk_counts": "missing"})
    run = load(tenant, [schema(), *companies([1, 2])])
    assert run.exit_code == 0
    assert by_file(run)["unknown"] == 2
    assert len(kept(tenant)) == 1


def test_uploads_stay_within_the_hourly_limit(start_tenant: Callable[..., Tenant]) -> None:
    tenant = start_tenant(bulk_jobs=JOBS, limits={"calls_per_minute": 0})
    began = tenant.clock.now()
    run = load(tenant, [schema(), *companies(range(40), Industry="Steel")], bulk_max_file_bytes=100)
    assert run.exit_code == 0
    assert by_file(run)["accepted"] == 40
    assert by_file(run)["files"] > 9
    assert tenant.clock.now() - began > 3_600
    assert run.summary["calls"]["throttled"] == 0


def test_partial_file_is_sent_as_soon_as_the_upload_limits_allow(bulk_tenant: Tenant) -> None:
    target = bulk_tenant.target(object_type=None, streams={"accounts": PLAIN})
    advance_with_input(target, bulk_tenant.clock, seconds=300)
    blocks = [[schema(), *companies([number])] for number in range(4)]
    bulk_tenant.run_over(target, LineByLine(line for block in blocks for line in block))
    assert bulk_tenant.sandbox.tenant.count("company") == 4
    assert uploaded(bulk_tenant) == 2


def test_dry_run_predicts_files_and_sends_nothing(bulk_tenant: Tenant) -> None:
    run = load(
        bulk_tenant,
        [schema(), *companies(range(100)), state(read=100)],
        dry_run=True,
        bulk_max_file_bytes=1_000,
    )
    assert (run.exit_code, run.states) == (0, [])
    plan = run.target.session.plan
    assert plan
    sizes = [each["bytes"] for each in plan.streams["accounts"].files]
    assert len(sizes) == 2
    assert uploaded(bulk_tenant) == 0
    assert not kept(bulk_tenant, "*.csv*")
    assert "would fill 2 files for bulk job plain" in plan.to_text(run.target.summary)
    cost = plan.cost(run.target.summary)
    assert (cost["by_kind"]["upload"], cost["minutes"] < 1) == (2, True)
    real = load(bulk_tenant, [schema(), *companies(range(100))], bulk_max_file_bytes=1_000)
    assert by_file(real)["files"] == 2


def test_plan_counts_the_uploads_that_a_day_allows(bulk_tenant: Tenant) -> None:
    messages = [schema(), *companies(range(300), Industry="Steel")]
    run = load(bulk_tenant, messages, dry_run=True, bulk_max_file_bytes=100)
    plan = run.target.session.plan
    assert plan
    assert len(plan.streams["accounts"].files) > 90
    assert not plan.cost(run.target.summary)["fits_into_a_day"]


def test_plan_counts_the_hours_of_many_uploads(bulk_tenant: Tenant) -> None:
    messages = [schema(), *companies(range(40), Industry="Steel")]
    run = load(bulk_tenant, messages, dry_run=True, bulk_max_file_bytes=100)
    plan = run.target.session.plan
    assert plan
    files = len(plan.streams["accounts"].files)
    assert 18 < files <= 27
    assert plan.cost(run.target.summary)["minutes"] == 120


def test_high_volume_object_is_loaded_by_a_job(start_tenant: Callable[..., Tenant]) -> None:
    described = {
        "objects": {"Usage__gc": {"transactional": False, "fields": {"day__gc": {"type": "DATE"}}}},
        "bulk_jobs": {"usage": {"object": "Usage__gc", "operation": "insert"}},
    }
    tenant = start_tenant(limits=BULK_LIMITS, **described)
    columns = {"day__gc": {"type": "string", "format": "date"}}
    entry = {
        "object_type": "custom_object",
        "custom_object_name": "Usage__gc",
        "transport": "bulk",
        "bulk_job_id": "usage",
        "date_format": "MM-DD-YYYY",
    }
    run = load(tenant, [schema("accounts", columns, keys=[]), record(day__gc="2026-02-01")], entry)
    assert run.exit_code == 0
    assert [row["day__gc"] for row in tenant.rows("Usage__gc")] == ["2026-02-01"]


@pytest.mark.parametrize("fault", ["reset_after_commit", "server_error"])
def test_upload_with_lost_response_stops_this_run_and_the_next(
    bulk_tenant: Tenant, fault: str
) -> None:
    bulk_tenant.sandbox.tenant.faults.add(Fault(fault, path="*bulkimport", times=1))
    messages = [schema(), *companies([1, 2]), state(read=2)]
    first = load(bulk_tenant, messages)
    assert (first.exit_code, first.states) == (1, [])
    for run in (first, load(bulk_tenant, messages)):
        assert run.exit_code == 1
        assert "is not known" in run.log[-1]
        assert "delete that note" in run.log[-1]
        assert not any("Error initializing" in line for line in run.log)
    assert uploaded(bulk_tenant) == 1


def test_rows_of_a_note_set_to_completed_are_not_sent_again(bulk_tenant: Tenant) -> None:
    bulk_tenant.sandbox.tenant.faults.add(Fault("reset_after_commit", path="*bulkimport", times=1))
    messages = [schema(), *companies([1, 2]), state(read=2)]
    load(bulk_tenant, messages)
    [note] = kept(bulk_tenant, "*.upload.json")
    note.write_text(note.read_text(encoding="utf-8").replace('"sending"', '"completed"'))
    run = load(bulk_tenant, [*messages, *companies([3]), state(read=3)])
    assert (run.exit_code, run.states[-1]) == (0, state(read=3)["value"])
    assert (by_file(run)["repeated"], by_file(run)["rows"]) == (2, 1)
    assert list(bulk_tenant.count_names()) == ["C3"]


@pytest.mark.parametrize(
    ("again", "repeated"),
    [([2, 3, 2], 3), ([1, 9, 2], 1), ([9, 1], 0), ([3, 1], 1)],
)
def test_uploaded_rows_are_recognized_in_order_until_one_is_new(
    bulk_tenant: Tenant, again: list[int], repeated: int
) -> None:
    bulk_tenant.sandbox.tenant.faults.add(Fault("reset_after_commit", path="*bulkimport", times=1))
    load(bulk_tenant, [schema(), *companies([1, 2, 3, 2])])
    [note] = kept(bulk_tenant, "*.upload.json")
    note.write_text(note.read_text(encoding="utf-8").replace('"sending"', '"completed"'))
    run = load(bulk_tenant, [schema(), *companies(again)])
    assert (by_file(run)["repeated"], by_file(run)["rows"]) == (repeated, len(again) - repeated)


def test_rows_of_a_deleted_note_are_sent_again(bulk_tenant: Tenant) -> None:
    bulk_tenant.sandbox.tenant.faults.add(Fault("server_error", path="*bulkimport", times=1))
    messages = [schema(), *companies([1, 2]), state(read=2)]
    load(bulk_tenant, messages)
    kept(bulk_tenant, "*.upload.json")[0].unlink()
    assert load(bulk_tenant, messages).exit_code == 0
    assert sorted(bulk_tenant.count_names()) == ["C1", "C2"]


def test_full_disk_stops_the_run_before_its_state(
    bulk_tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("target_gainsight.loading.csv_files.os.fsync", full)
    run = load(bulk_tenant, [schema(), *companies([1]), state(read=1)])
    assert (run.exit_code, run.states) == (1, [])
    assert "No space left on device" in run.log[-1]
    assert "Free some space" in run.log[-1]
    assert uploaded(bulk_tenant) == 0
    assert not kept(bulk_tenant, "*.csv*")


def test_text_with_nul_is_rejected_alone_and_kept(bulk_tenant: Tenant) -> None:
    messages = [schema(), record(Name="A\0b"), *companies([1]), state(read=2)]
    run = load(bulk_tenant, messages)
    assert (run.exit_code, run.codes) == (0, ["nul_in_text"])
    assert run.states == [state(read=2)["value"]]
    assert run.rejects[0]["record"]["Name"] == "A\0b"
    assert list(bulk_tenant.count_names()) == ["C1"]


@pytest.mark.parametrize(("name", "shown"), [("a\0b", "NUL"), ("a\ud800b", "surrogate pair")])
@pytest.mark.parametrize("place", ["column", "constant"])
def test_column_name_that_no_csv_can_hold_stops_the_stream(
    bulk_tenant: Tenant, name: str, shown: str, place: str
) -> None:
    columns = {"Name": TEXT} | ({name: TEXT} if place == "column" else {})
    entry = PLAIN if place == "column" else {**PLAIN, "constants": {name: "x"}}
    run = load(bulk_tenant, [schema(columns=columns), record(Name="A"), state(read=1)], entry)
    assert (run.exit_code, run.states) == (1, [])
    assert "cannot be in a CSV" in run.log[-1]
    assert shown in run.log[-1]
    assert run.log[-1].replace("\n", "").isprintable()
    assert uploaded(bulk_tenant) == 0


@given(st.lists(st.text(), min_size=1, max_size=4))
@example([""])
def test_csv_line_of_any_text_equals_that_of_python(cells: list[str]) -> None:
    expected = io.StringIO(newline="")
    if sys.version_info < (3, 11) and any("\0" in each for each in cells):
        cells = [each.replace("\0", "?") for each in cells]
    csv.writer(expected, lineterminator="\r\n").writerow(cells)
    assert csv_text(cells) + "\r\n" == expected.getvalue()


class Killed(BaseException):
    """Ends a run as a kill does: nothing of it is finished."""


class KillingClock:
    """A clock that kills the run after some waits for its job."""

    def __init__(self, clock: FakeClock, waits: int) -> None:
        self._clock = clock
        self._left = waits
        self.now = clock.now
        self.wake = clock.wake
        self.woken = clock.woken

    def wait(self, seconds: float) -> bool:
        if seconds and not self._left:
            raise Killed
        self._left -= seconds > 0
        return self._clock.wait(seconds)


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    kills=st.lists(st.integers(1, 12), max_size=3),
    file_bytes=st.integers(200, 900),
    state_every=st.integers(1, 40),
)
def test_every_row_lands_once_whenever_runs_are_killed(
    start_tenant: Callable[..., Tenant], kills: list[int], file_bytes: int, state_every: int
) -> None:
    limits = {**BULK_LIMITS, "bulk_file_bytes": file_bytes}
    tenant = start_tenant(bulk_jobs=JOBS, limits=limits)
    streams = {"accounts": {**ENTRY, "bulk_job_id": "insert"}}
    read = 0
    for waits in [*kills, 10_000]:
        clock = cast("FakeClock", KillingClock(tenant.clock, waits))
        runs = Tenant(tenant.sandbox, clock, tenant.folder, list)
        target = runs.target(object_type=None, streams=streams)
        output = io.StringIO()
        with contextlib.redirect_stdout(output), contextlib.suppress(Killed):
            assert target.run_to_end(io.StringIO(_rest(read, state_every))) == 0
        states = [json.loads(line)["read"] for line in output.getvalue().splitlines()]
        read = states[-1] if states else read
    assert read == 60
    assert tenant.count_names() == {f"C{number}": 1 for number in range(60)}
    tenant.sandbox.stop()


def _rest(read: int, state_every: int) -> str:
    """The messages that the source sends after its last state."""
    lines = [schema()]
    for number in range(read, 60):
        lines += companies([number], Industry="Steel")
        if (number + 1) % state_every == 0:
            lines.append(state(read=number + 1))
    return lines_of([*lines, state(read=60)])


def test_further_column_begins_a_further_file_and_is_reported_once(bulk_tenant: Tenant) -> None:
    lines = [record("accounts", Name=name) for name in "ABCD"]
    lines[1]["record"]["Industry"] = lines[3]["record"]["Industry"] = "IT"
    run = load(bulk_tenant, [schema("accounts", {"Name": TEXT}), *lines])
    assert (run.exit_code, by_file(run)["files"]) == (0, 2)
    [warning] = [line for line in run.warnings if "A new file is started" in line]
    assert "Industry" in warning
    held = {row["Name"]: row["Industry"] for row in bulk_tenant.rows()}
    assert held == {"A": None, "B": "IT", "C": None, "D": "IT"}
