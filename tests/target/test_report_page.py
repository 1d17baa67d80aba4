"""`report_path`: what the report of a run shows, and what it never shows."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from report_document import HOSTILE, RUN, calls_per_minute, document, failed_document
from singer_messages import TEXT, record, schema
from singer_runs import KEY, Tenant

from target_gainsight.singer.reporting.report_page import render_report


class _Words(HTMLParser):
    """Collects the text of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def text_of(html: str) -> str:
    """The page as it reads, on one line."""
    words = _Words()
    words.feed(html)
    return re.sub(r"\s+", " ", " ".join(words.words))


def test_report_shows_counts_and_rejects_with_suggestion(tenant: Tenant, tmp_path: Path) -> None:
    messages = [schema(), record(Name="A"), record(Name="B"), record(Name="C", Employees="many")]
    run = tenant.load(*messages, report_path=str(tmp_path / "{run}.html"))
    [path] = tmp_path.glob("*.html")
    assert path.stem == run.target.summary.run
    assert path.stat().st_mode & 0o777 == 0o600
    text = text_of(path.read_text(encoding="utf-8"))
    assert "Succeeded with 1 reject" in text
    assert "read 3 created 2 rejected 1" in text
    assert "accounts Name = 'C'" in text
    assert "Employees = 'many'" in text
    assert f"gainsight rejects replay {path.stem}" in text


def test_failed_run_shows_its_error_and_what_to_do(tenant: Tenant, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    run = tenant.load(schema(), lookup_keys=["Nam"], report_path=str(path))
    assert run.exit_code == 1
    text = text_of(path.read_text(encoding="utf-8"))
    assert "Failed" in text
    assert "lookup_keys: company has no field Nam. Did you mean Name?" in text
    assert "What to do:" in text
    assert "No records were read." in text


def test_foreign_names_and_values_are_text(tenant: Tenant, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    columns = {"Name": TEXT, HOSTILE: TEXT}
    messages = [
        schema(HOSTILE, columns),
        record(HOSTILE, Name=HOSTILE * 9),
        record(HOSTILE, Name="A\u202eB", **{HOSTILE: "x"}),
    ]
    tenant.load(*messages, unknown_fields="drop", report_path=str(path))
    html = path.read_text(encoding="utf-8")
    assert "<script" not in html
    assert "<img" not in html
    assert "\u202e" not in html
    assert HOSTILE in text_of(html)


def test_secrets_are_in_no_report(tenant: Tenant, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    tenant.load(
        schema(),
        record(Name="C", Employees="very-private"),
        report_path=str(path),
        reject_values="keys",
    )
    html = path.read_text(encoding="utf-8")
    assert KEY not in html
    assert "very-private" not in html


def test_report_that_cannot_be_written_fails_no_run(tenant: Tenant, tmp_path: Path) -> None:
    (tmp_path / "accounts").write_text("a file, no folder", encoding="utf-8")
    path = tmp_path / "{stream}" / "report.html"
    run = tenant.load(schema(), record(Name="A"), report_path=str(path))
    assert run.exit_code == 0
    assert "the report cannot be written" in run.warnings[-1]


@pytest.mark.parametrize(
    ("rejected", "title"), [(0, "3 failed rows"), (1, "1 reject and 3 failed rows")]
)
def test_run_with_failed_rows_of_a_bulk_job_is_no_plain_success(rejected: int, title: str) -> None:
    counts = {"read": 9, "rejected": rejected, "by_file": {"rows": 8, "failed": 3, "kept": ["x"]}}
    html = render_report({"run": RUN, "status": "success", "streams": {"usage": counts}})
    assert f'<header class="head warn">\n<h1>Succeeded with {title}</h1>' in html


def test_dry_run_is_reported_as_a_plan(tenant: Tenant, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    tenant.load(schema(), record(Name="A"), dry_run=True, report_path=str(path))
    text = text_of(path.read_text(encoding="utf-8"))
    assert "Planned" in text
    assert "nothing was written" in text


def test_error_keeps_its_lines() -> None:
    assert "\n    accounts:\n      lookup_keys: [Name]" in render_report(failed_document())


def test_suggestion_that_the_message_contains_is_shown_once() -> None:
    error = {"code": "unavailable", "message": "Down. Run again.", "suggestion": "Run again."}
    html = render_report(document(status="failed", exit_code=1, error=error, rejects={}))
    assert html.count("Run again.") == 1


def test_rejects_are_listed_by_number() -> None:
    text = text_of(render_report(document()))
    assert text.index("lookup_rejected_parent 86 records") < text.index("unknown_option 42 records")


def test_fields_changed_most_come_first() -> None:
    counts = {f"F{number}": number for number in range(1, 13)}
    streams = {"accounts": {"read": 12, "updated": 12, "fields_changed": counts}}
    text = text_of(render_report(document(streams=streams)))
    assert "accounts F12 12 F11 11" in text
    assert "F3 3 and 2 more" in text


def test_calls_are_drawn_against_their_limit() -> None:
    calls = {
        "allowed_per_minute": {"synchronous": 90},
        "calls_per_minute": calls_per_minute(90, 45, 0, 9),
    }
    html = render_report(document(calls=calls))
    heights = [float(each) for each in re.findall(r'<rect [^>]*height="([\d.]+)"', html)]
    assert heights[0] == pytest.approx(2 * heights[1], abs=0.1)
    [limit_from_top] = re.findall(r'class="limit" style="top: ([\d.]+)%"', html)
    assert float(limit_from_top) == pytest.approx(100 - 100 / 1.1, abs=0.1)
    assert "At most 90 calls in a minute; 90 are allowed." in html
    assert "<title>02:03: 9</title>" in html


def test_long_runs_show_the_busiest_minutes() -> None:
    calls = {"calls_per_minute": calls_per_minute(*([1, 50, 2] * 300))}
    html = render_report(document(calls=calls))
    assert html.count("<rect ") == 90
    assert "Each bar is the busiest of 10 minutes." in html
    assert html.count(": 50</title>") == 90


def test_document_of_another_version_is_rendered() -> None:
    text = text_of(render_report({"run": RUN, "status": "success"}))
    assert "Succeeded" in text
