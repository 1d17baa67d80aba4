"""Progress: a line every 10 seconds, or every minute when idle."""

from __future__ import annotations

import logging
import sys

import pytest
from fake_clock import FakeClock

from target_gainsight.loading.outcomes import Outcome
from target_gainsight.loading.settling.progress import Progress
from target_gainsight.loading.settling.summary import Summary


class Watched:
    """A run's counts, its progress and the lines that were logged."""

    def __init__(self, clock: FakeClock, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.INFO)
        self.clock = clock
        self.summary = Summary("run")
        self.progress = Progress(self.summary, clock.now)
        self._caplog = caplog

    def count(self, *, read: int = 0, settled: int = 0, calls: int = 0) -> None:
        stream = self.summary.streams["accounts"]
        stream.read += read
        stream.outcomes[Outcome.CREATED] += settled
        self.summary.calls.by_kind["insert"] += calls

    def lines(self) -> list[str]:
        listed = [each.getMessage() for each in self._caplog.records]
        self._caplog.clear()
        return listed


@pytest.fixture
def watched(clock: FakeClock, caplog: pytest.LogCaptureFixture) -> Watched:
    return Watched(clock, caplog)


def test_active_run_logs_every_ten_seconds(watched: Watched) -> None:
    for _ in range(100):
        watched.clock.advance(0.5)
        watched.count(read=1)
        watched.progress.tick()
    assert len(watched.lines()) == 5


def test_idle_run_logs_every_minute(watched: Watched) -> None:
    watched.count(read=30, settled=30, calls=19)
    for _ in range(600):
        watched.clock.advance(0.5)
        watched.progress.tick()
    first, *idle = watched.lines()
    assert first.startswith("30 of 30 records read are settled, 0 are waiting; ")
    assert len(idle) == 4
    assert idle[-1] == (
        "30 of 30 records read are settled, 0 are waiting; in the last minute 0 settled, 0 calls; "
        "elapsed 0:04:10, nothing new for 0:04:00"
    )


def test_rates_cover_last_minute(watched: Watched) -> None:
    watched.count(read=1200, settled=1000, calls=15)
    watched.clock.advance(10)
    watched.progress.tick()
    [line] = watched.lines()
    assert line == (
        "1,000 of 1,200 records read are settled, 200 are waiting; in the last minute 1,000 "
        "settled, 15 calls; elapsed 0:00:10, reading"
    )
    watched.count(settled=100, calls=10)
    watched.clock.advance(60)
    watched.progress.tick(waiting=True)
    [line] = watched.lines()
    assert line == (
        "1,100 of 1,200 records read are settled, 100 are waiting; in the last minute 100 "
        "settled, 10 calls; elapsed 0:01:10, waiting for calls"
    )


def test_end_is_estimated_after_input_ends(watched: Watched) -> None:
    watched.count(read=1200, settled=400)
    watched.clock.advance(120)
    watched.progress.tick()
    assert "left" not in watched.lines()[0]
    watched.progress.input_ended = True
    watched.count(settled=100)
    watched.clock.advance(60)
    watched.progress.tick()
    assert watched.lines()[0].endswith("elapsed 0:03:00, all read, about 0:07:00 left")


def test_no_estimate_in_first_minute(watched: Watched) -> None:
    watched.progress.input_ended = True
    watched.count(read=300, settled=168)
    watched.clock.advance(59)
    watched.progress.tick()
    assert watched.lines()[0].endswith("elapsed 0:00:59, all read")


def test_no_estimate_without_settled_records(watched: Watched) -> None:
    watched.count(read=10)
    watched.progress.input_ended = True
    watched.clock.advance(60)
    watched.progress.tick()
    assert watched.lines()[0].endswith("elapsed 0:01:00, all read")


def test_nothing_is_logged_in_first_ten_seconds(watched: Watched) -> None:
    watched.clock.advance(9.9)
    watched.progress.tick()
    watched.progress.close()
    assert watched.lines() == []


def test_live_line_is_drawn_and_removed_on_terminal(
    clock: FakeClock,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    progress = Progress(Summary("run"), clock.now)
    clock.advance(1)
    progress.tick()
    sys.stdout.write("{}\n")  # a state is no part of the line
    progress.close()
    printed = capsys.readouterr()
    assert "0 of 0 records read are settled" in printed.err
    assert "reading" in printed.err  # the end of the line, which is folded
    assert printed.out == "{}\n"
    assert caplog.records == []
