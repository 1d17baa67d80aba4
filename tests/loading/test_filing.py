"""Rejects are filed in input order; one that waits for long holds up no memory without bound."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from target_gainsight.loading.outcomes import Arrival, Outcome, Reason
from target_gainsight.loading.rejects import ordered_writer as filing_module
from target_gainsight.loading.rejects.folder import RejectFolder
from target_gainsight.loading.rejects.open_index import OpenRejects
from target_gainsight.loading.rejects.ordered_writer import RejectFiling
from target_gainsight.loading.rejects.reject_file import RejectFile
from target_gainsight.loading.settling.checkpoint import Watermark

if TYPE_CHECKING:
    from pathlib import Path

RUN = "20260101T000000Z-00000000"
BAD = Reason("bad", "it is bad")


class Input:
    """Rejects of two streams, and the file that they go to."""

    def __init__(self, folder: Path) -> None:
        self.file = RejectFile(folder / f"{RUN}.singer", lambda: 0.0, keys_only=False)
        self.filing = RejectFiling(self.file, OpenRejects(RejectFolder(folder), RUN, lambda: 0.0))
        self.watermarks = {"slow": Watermark(), "quick": Watermark()}
        self.sequence = 0

    def arrive(self, stream: str) -> Arrival:
        self.sequence += 1
        message = {"type": "RECORD", "stream": stream, "record": {"n": self.sequence}}
        schema = {"type": "SCHEMA", "stream": stream, "schema": {"properties": {"n": {}}}}
        schema["key_properties"] = ["n"]
        mark = self.watermarks[stream]
        return Arrival(stream, stream, message, schema, self.sequence, mark, mark.arrive())

    def reject(self, arrival: Arrival) -> None:
        self.filing.hold(arrival, Outcome.REJECTED, BAD, ())
        arrival.watermark.settle(arrival.position)

    def filed(self) -> list[int]:
        self.filing.flush()
        if not self.file.exists:
            return []
        lines = map(json.loads, self.file.path.read_text(encoding="utf-8").splitlines())
        return [line["record"]["n"] for line in lines if line["type"] == "RECORD"]


@pytest.fixture
def given(tmp_path: Path) -> Input:
    return Input(tmp_path)


def test_rejects_that_came_out_of_order_are_filed_in_the_order_of_the_input(given: Input) -> None:
    first, second, third = (given.arrive("slow") for _ in range(3))
    given.reject(third)
    given.reject(second)
    given.filing.file_up_to(0)
    assert given.filed() == []
    given.reject(first)
    given.filing.file_up_to(2)
    assert given.filed() == [1, 2]
    given.filing.file_up_to(3)
    assert given.filed() == [1, 2, 3]


def test_too_many_that_wait_for_another_stream_are_filed_before_it_and_each_once(
    given: Input, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those of their own stream that are not covered yet go on waiting: no state may pass them."""
    monkeypatch.setattr(filing_module, "MOST_HELD", 10)
    waits = given.arrive("slow")
    for _ in range(10):
        given.reject(given.arrive("quick"))
    given.filing.file_up_to(0)
    assert given.filed() == []
    open_one = given.arrive("quick")
    given.reject(given.arrive("quick"))
    given.filing.file_up_to(0)
    assert given.filed() == list(range(2, 12))
    given.reject(open_one)
    given.reject(waits)
    given.filing.file_up_to(13)
    assert given.filed() == [*range(2, 12), 1, 12, 13]


def test_at_the_end_everything_is_filed(given: Input) -> None:
    given.arrive("slow")
    later = given.arrive("slow")
    given.reject(later)
    given.filing.file_all()
    given.filing.file_all()
    assert given.filed() == [2]
