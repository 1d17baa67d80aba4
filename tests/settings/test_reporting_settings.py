"""Settings of what is reported about a run."""

from __future__ import annotations

from pathlib import Path

import pytest
from given import only_error, read

from target_gainsight.settings.parsing import parse_output

HOOK = "https://hooks.example.com/services/s3cr3t"


def test_nothing_is_reported_by_default() -> None:
    output = read().output
    assert (output.summary_path, output.report_path, output.outcomes_path) == (None, None, None)
    assert (output.notify_url, output.notify_on) == (None, "failure")


@pytest.mark.parametrize("name", ["summary_path", "report_path", "outcomes_path"])
def test_unknown_placeholder_is_refused(name: str) -> None:
    assert read(**{name: "{run}/{stream}.json"})
    assert only_error(**{name: "{run}-{date}.json"}) == (
        f"{name}: got '{{run}}-{{date}}.json', expected a path on this machine, with no "
        "placeholders but {run} and {stream}."
    )


@pytest.mark.parametrize(
    "url", ["http://hooks.example.com/s3cr3t", "s3cr3t", "https://", "https://[s3cr3t"]
)
def test_notify_url_must_be_safe_and_is_not_shown(url: str) -> None:
    expected = "notify_url: got a hidden value, expected a URL that begins with https://."
    assert only_error(notify_url=url) == expected


def test_notify_url_is_hidden_in_the_settings() -> None:
    settings = read(notify_url=f" {HOOK} ")
    assert settings.output.notify_url == HOOK
    assert "s3cr3t" not in repr(settings)


def test_reporting_is_read_beside_other_errors() -> None:
    raw = {"multi_match": "frist", "notify_url": HOOK, "notify_on": "x", "summary_path": "s.json"}
    output = parse_output(raw)
    assert output.summary_path == Path("s.json")
    assert (output.notify_url, output.notify_on) == (HOOK, "failure")
    assert parse_output({"summary_path": 5, "notify_url": "x"}).notify_url is None
