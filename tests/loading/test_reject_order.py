"""Rejects are filed in input order; waiting ones use bounded memory."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from target_gainsight.loading.outcomes import Outcome, Reason
from target_gainsight.loading.records import SourceRecord
from target_gainsight.loading.rejects.reject_file import RejectFile

RUN = "20260101T000000Z-00000000"
BAD = Reason("bad", "it is bad")


class Input:
    """Rejects of one stream, and the file that they go to."""

    def __init__(self, folder: Path) -> None:
        self.file = RejectFile(folder, RUN, lambda: 0.0, max_pending=10)
        self.sequence = 0

    def register(self) -> SourceRecord:
        self.sequence += 1
        message = {"type": "RECORD", "stream": "rows", "record": {"n": self.sequence}}
        schema = {"type": "SCHEMA", "stream": "rows", "schema": {"properties": {"n": {}}}}
        schema["key_properties"] = ["n"]
        return SourceRecord("rows", "rows", message, schema, self.sequence)

    def reject(self, source: SourceRecord) -> None:
        self.file.add(source, Outcome.REJECTED, BAD, ())

    def filed(self) -> list[int]:
        if not self.file.path.exists():
            return []
        lines = map(json.loads, self.file.path.read_text(encoding="utf-8").splitlines())
        return [line["record"]["n"] for line in lines if line["type"] == "RECORD"]


@pytest.fixture
def given(tmp_path: Path) -> Input:
    return Input(tmp_path)


def test_rejects_are_filed_in_input_order(given: Input) -> None:
    first, second, third = (given.register() for _ in range(3))
    given.reject(third)
    given.reject(second)
    given.file.flush(0)
    assert given.filed() == []
    given.reject(first)
    given.file.flush(2)
    assert given.filed() == [1, 2]
    given.file.flush(3)
    assert given.filed() == [1, 2, 3]


def test_waiting_rejects_beyond_limit_are_filed_once(given: Input) -> None:
    waits = given.register()
    for _ in range(10):
        given.reject(given.register())
    given.file.flush(0)
    assert given.filed() == []
    given.reject(given.register())
    given.file.flush(0)
    assert given.filed() == list(range(2, 13))
    given.reject(waits)
    given.file.flush(12)
    assert given.filed() == [*range(2, 13), 1]


def test_end_of_run_files_all_rejects(given: Input) -> None:
    given.register()
    later = given.register()
    given.reject(later)
    given.file.close()
    given.file.close()
    assert given.filed() == [2]
