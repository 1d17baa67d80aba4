"""What is kept of a whole object proves a record unchanged only where the rows themselves do."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tenant_fields import a_field

from target_gainsight.loading.outcomes import Arrival, LoadRecord
from target_gainsight.loading.reading.current_rows import GSID
from target_gainsight.loading.reading.kept_rows import KeptRows
from target_gainsight.loading.reading.keys import KeyReader
from target_gainsight.loading.settling.checkpoint import Watermark
from target_gainsight.mapping.likeness import Likeness
from target_gainsight.mapping.planning.field_plan import FieldPlan
from target_gainsight.mapping.record_mapper import RecordMapper

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from target_gainsight.loading.reading.kept_rows import KeptMatches

TYPES = {"Name": "STRING", "ARR": "CURRENCY", "Seen": "DATETIME", "Industry": "STRING"}


MAPPER = RecordMapper(
    FieldPlan({name: name for name in TYPES}, {}, (), ("Name",)),
    None,
    sync_mode="upsert",
    well_known=tuple(a_field(name, data_type) for name, data_type in TYPES.items()),
)
KEYS = KeyReader(("Name",), MAPPER)
WATERMARK = Watermark()


def a_record(**fields: Any) -> LoadRecord:
    arrival = Arrival("accounts", "accounts", {}, {}, 1, WATERMARK, 1)
    return LoadRecord(arrival, fields, key=KEYS.of_record(fields))


def found(rows: Sequence[Mapping[str, Any]], records: Sequence[LoadRecord]) -> KeptMatches:
    kept = KeptRows(KEYS, Likeness(("Name", *TYPES), MAPPER.converters))
    assert kept.take(rows) == len(rows)
    return kept.find(records)


def a_row(number: int = 1, **fields: Any) -> dict[str, Any]:
    return {GSID: f"G{number}", "Name": "Acme", "ARR": 5, "Seen": "", "Industry": None, **fields}


ACME = {"Name": "Acme", "ARR": 5, "Seen": None, "Industry": None}


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"ARR": Decimal("5.00")},
        {"Industry": ""},
        {"Seen": "2026-01-02T08:30:00.000+02:00"},
    ],
)
def test_a_row_that_holds_the_record_proves_it_unchanged(changed: dict[str, Any]) -> None:
    row = a_row(**({"Seen": 1767335400000} if "Seen" in changed else {}))
    record = a_record(**{**ACME, **changed})
    assert found([row], [record]).unchanged(record)


@pytest.mark.parametrize(
    ("rows", "fields"),
    [
        ([], ACME),
        ([a_row()], {**ACME, "ARR": 6}),
        ([a_row()], {"Name": "Acme", "ARR": 5}),
        ([a_row()], {**ACME, "Name": "acme"}),
        ([a_row(Name=" Acme ")], ACME),
        ([a_row(1), a_row(2)], ACME),
        ([a_row(1), a_row(2, Name="ACME")], ACME),
    ],
)
def test_whatever_else_is_there_proves_nothing(
    rows: list[dict[str, Any]], fields: dict[str, Any]
) -> None:
    """No row, another value, a field not sent, other case or blanks, twins: all are looked at."""
    record = a_record(**fields)
    matches = found(rows, [record])
    assert not matches.unchanged(record)
    same = [row for row in rows if row["Name"] == record.fields["Name"]]
    assert [row[GSID] for row in matches.exact(record.key)] == [row[GSID] for row in same]
    assert len(matches.near(record.key)) == len(rows)


def test_a_record_whose_rows_were_read_anew_is_not_told_from_what_was_kept() -> None:
    record = a_record(**ACME)
    matches = found([a_row()], [record])
    matches.replace(record.key, [a_row(ARR=7)])
    assert not matches.unchanged(record)
    assert matches.exact(record.key) == [a_row(ARR=7)]


NAMES = st.sampled_from(["Acme", "acme", " Acme", "Globex", "Initech", "é", "\ud800"])
VALUES = {
    "ARR": st.sampled_from([None, 0, 5, Decimal("5.0"), Decimal("0.1"), 2**70, "5"]),
    "Seen": st.sampled_from([None, "", 0, "1970-01-01T00:00:00.000+00:00", "1970-01-01 00:00:00"]),
    "Industry": st.sampled_from([None, "", "x", "x ", '"', 5]),
}
HELD = st.fixed_dictionaries({"Name": NAMES, **VALUES})
SENT = st.fixed_dictionaries({"Name": NAMES}, optional=VALUES)


@settings(max_examples=300, deadline=None)
@given(rows=st.lists(HELD, max_size=6), sent=st.lists(SENT, max_size=6))
def test_what_is_proved_unchanged_has_exactly_one_row_that_compares_as_the_same(
    rows: list[dict[str, Any]], sent: list[dict[str, Any]]
) -> None:
    records = [a_record(**fields) for fields in sent]
    held = [{GSID: f"G{number}", **row} for number, row in enumerate(rows)]
    matches = found(held, records)
    for record in records:
        exact = [row for row in held if KEYS.of_row(row) == record.key]
        if matches.unchanged(record):
            assert len(matches.near(record.key)) <= len(exact) == 1
            assert MAPPER.changed_fields(record.fields, exact[0]) == ()
        else:
            assert [row[GSID] for row in matches.exact(record.key)] == [r[GSID] for r in exact]
