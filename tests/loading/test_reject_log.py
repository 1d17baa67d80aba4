"""Children of a rejected parent in the log of a run that may never end."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from singer_messages import record, schema

from target_gainsight.loading.outcomes import REJECTED_PARENT, Reason
from target_gainsight.loading.records import SourceRecord
from target_gainsight.loading.settling.ledger import RejectLog

REJECTS = Path("rejects.singer")


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    """The lines logged since the last time."""

    def taken() -> list[str]:
        messages = [each.getMessage() for each in caplog.records]
        caplog.clear()
        return messages

    return taken


def add_child(log: RejectLog, parent: str) -> None:
    source = SourceRecord("people", "people", record("people"), schema(), 1)
    log.add(source, Reason(REJECTED_PARENT, f"no row of company has Name = '{parent}'"))


def test_children_are_logged_after_ten_minutes(lines: Callable[[], list[str]]) -> None:
    log = RejectLog(REJECTS)
    for minute in range(10):
        add_child(log, "Acme")
        log.tick(60.0 * minute)
    assert lines() == []
    log.tick(600)
    [line] = lines()
    assert line.startswith("rejected: stream 'people', 10 records: lookup_rejected_parent: ")
    log.tick(1200)
    log.finish()
    assert lines() == []


def test_parents_beyond_the_limit_are_in_the_file_only(lines: Callable[[], list[str]]) -> None:
    log = RejectLog(REJECTS)
    for number in range(2003):
        add_child(log, f"C{number}")
    log.finish()
    logged = lines()
    assert len(logged) == 1001
    assert logged[-1] == "further rejects are listed in rejects.singer only"
