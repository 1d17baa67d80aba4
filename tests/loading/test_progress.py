"""How a run is going: a line every 10 seconds, by the clock that is passed in."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from target_gainsight.loading.outcomes import Outcome
from target_gainsight.loading.settling.progress import Progress
from target_gainsight.loading.settling.summary import Summary

if TYPE_CHECKING:
    from fake_clock import FakeClock


class Watched:
    """A run's counts, its progress and the lines that were logged."""

    def __init__(self, clock: FakeClock, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.INFO)
        self.clock = clock
        self.summary = Summary("run")
        self.progress = Progress(self.summary, clock.now, live=False)
        self._caplog = caplog

    def count(self, *, read: int = 0, settled: int = 0, calls: int = 0) -> None:
        stream = self.summary.stream("accounts")
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


def test_a_line_every_ten_seconds_however_often_it_is_asked_for(watched: Watched) -> None:
    for _ in range(100):
        watched.clock.advance(0.5)
        watched.progress.tick()
    assert len(watched.lines()) == 5


def test_a_line_tells_what_is_settled_the_calls_and_their_rate(watched: Watched) -> None:
    watched.count(read=1200, settled=1000, calls=15)
    watched.clock.advance(10)
    watched.progress.tick()
    assert watched.lines() == [
        "1000 of 1200 records read are settled, 15 calls, 90 calls a minute, reading"
    ]
    watched.count(settled=100, calls=10)
    watched.clock.advance(20)
    watched.progress.tick(waiting=True)
    assert watched.lines() == [
        "1100 of 1200 records read are settled, 25 calls, 30 calls a minute, waiting"
    ]


def test_silence_before_the_first_ten_seconds_are_over(watched: Watched) -> None:
    watched.clock.advance(9.9)
    watched.progress.tick()
    watched.progress.close()
    assert watched.lines() == []


def test_on_a_terminal_a_live_line_is_drawn_and_taken_away(
    clock: FakeClock,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    caplog.set_level(logging.INFO)
    progress = Progress(Summary("run"), clock.now, live=True)
    clock.advance(1)
    progress.tick()
    progress.close()
    printed = capsys.readouterr()
    assert "0 of 0 records read are settled" in printed.err
    assert printed.out == ""
    assert caplog.records == []
