"""A stream that covers most of its object costs a call for 5,000 rows, not for a group."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from singer_messages import COMPANY_COLUMNS, record, schema, state
from tenant_runs import companies

from target_gainsight.loading.rejects.folder import RejectFolder
from target_gainsight.loading.settling.ledger import Ledger
from target_gainsight.sandbox import ServerRule

if TYPE_CHECKING:
    from collections.abc import Sequence

    from singer_messages import Message
    from tenant_runs import Loading

    from target_gainsight.loading.outcomes import LoadRecord

ROWS = 6_000
TWO_COLUMNS = {name: COMPANY_COLUMNS[name] for name in ("Name", "Industry")}


@pytest.fixture(params=["told by bytes", "compared"])
def accounts(request: pytest.FixtureRequest) -> Message:
    """A stream whose records carry all its columns, or two of six: those are always compared."""
    return schema(columns=TWO_COLUMNS if request.param == "told by bytes" else None)


@pytest.fixture
def full(loading: Loading) -> Loading:
    loading.tenant.seed("company", [{"Name": f"C{n}", "Industry": "old"} for n in range(ROWS)])
    return loading


def test_a_full_refresh_reads_three_groups_and_then_the_whole_object(
    full: Loading, accounts: Message
) -> None:
    run = full.load([accounts, *companies(range(ROWS), Industry="old")], read_group_size=500)
    assert run.outcomes() == {"unchanged": ROWS}
    pages = 2  # 5,000 rows and the rest
    assert full.calls() == {"describe": 1, "query": 3 + 1 + pages}


def test_whole_records_are_told_from_their_bytes_and_others_are_compared(
    full: Loading, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three groups are read by keys first, and theirs are compared."""
    told: list[int] = []
    enter = Ledger.enter_unchanged

    def count(ledger: Ledger, records: Sequence[LoadRecord]) -> None:
        told.append(len(records))
        enter(ledger, records)

    monkeypatch.setattr(Ledger, "enter_unchanged", count)
    lines = companies(range(ROWS), Industry="old")
    for columns, by_bytes in ((TWO_COLUMNS, ROWS - 1_500), (COMPANY_COLUMNS, 0)):
        told.clear()
        run = full.load([schema(columns=columns), *lines], read_group_size=500)
        assert run.outcomes() == {"unchanged": ROWS}
        assert sum(told) == by_bytes


def test_the_changed_rows_of_a_full_refresh_are_written_and_no_others(
    full: Loading, accounts: Message
) -> None:
    changed = range(0, ROWS, 100)
    lines = [record(Name=f"C{n}", Industry="new" if n in changed else "old") for n in range(ROWS)]
    run = full.load([accounts, *lines], read_group_size=500)
    assert run.outcomes() == {"unchanged": ROWS - 60, "updated": 60}
    assert full.calls()["update"] == 2
    assert {row["Name"] for row in full.tenant.rows("company", Industry="new")} == {
        f"C{n}" for n in changed
    }


def test_new_rows_among_the_known_ones_are_created_once(full: Loading, accounts: Message) -> None:
    numbers = [*range(ROWS), *range(ROWS, ROWS + 30)]
    run = full.load([accounts, *companies(numbers, Industry="old")], read_group_size=500)
    assert run.outcomes() == {"unchanged": ROWS, "created": 30}
    assert set(full.names().values()) == {1}


def test_a_key_that_comes_again_is_read_anew(full: Loading, accounts: Message) -> None:
    """What was kept of a row is not true any more once the run has written it."""
    again = [*companies([9_001, 5_000], Industry="new"), *companies([9_001, 5_000], Industry="old")]
    fillers = companies(range(2_000, 2_500), Industry="old")
    lines = [accounts, *companies(range(2_000), Industry="old"), *again[:2], *fillers, *again[2:]]
    run = full.load(lines, read_group_size=500)
    assert run.outcomes() == {"unchanged": 2_500, "created": 1, "updated": 3}
    assert set(full.names().values()) == {1}
    assert full.tenant.rows("company", Name="C5000")[0]["Industry"] == "old"


def test_a_row_that_differs_in_case_only_is_still_ambiguous(
    full: Loading, accounts: Message
) -> None:
    lines = [accounts, *companies(range(2_000), Industry="old"), record(Name="c5999")]
    assert full.load(lines, read_group_size=500).codes == ["ambiguous_key"]


def test_of_several_rows_with_one_key_the_first_by_gsid_counts_however_they_are_read(
    full: Loading, accounts: Message
) -> None:
    """The twins differ, so that nothing but their order says which one is updated."""
    twins = [{"Name": f"T{n}", "Industry": f"held {place}"} for n in range(20) for place in "abc"]
    full.tenant.seed("company", twins)
    lines = companies(range(2_000), Industry="old")
    lines += [record(Name=f"T{n}", Industry="new") for n in range(20)]
    run = full.load([accounts, *lines], read_group_size=500, multi_match="first")
    assert run.outcomes() == {"unchanged": 2_000, "updated": 20}
    for n in range(20):
        rows = full.tenant.rows("company", Name=f"T{n}")
        by_gsid = sorted(rows, key=lambda row: row["Gsid"])
        assert [row["Industry"] == "new" for row in by_gsid] == [True, False, False]


def test_rows_that_mostly_change_are_read_by_keys(full: Loading, accounts: Message) -> None:
    run = full.load([accounts, *companies(range(3_000), Industry="new")], read_group_size=500)
    assert run.outcomes() == {"updated": 3_000}
    assert full.calls()["query"] == 6


def test_an_object_out_of_proportion_is_read_by_keys(full: Loading, accounts: Message) -> None:
    """30 records are no evidence that a stream covers 6,000 rows, nor are 110."""
    run = full.load([accounts, *companies(range(110), Industry="old")], read_group_size=10)
    assert run.outcomes() == {"unchanged": 110}
    assert full.calls()["query"] == 11 + 1


def test_a_large_object_is_read_whole_when_far_more_records_have_come(
    full: Loading, accounts: Message
) -> None:
    run = full.load([accounts, *companies(range(400), Industry="old")], read_group_size=10)
    assert run.outcomes() == {"unchanged": 400}
    groups_until_120_records, looks, pages = 12, 2, 2
    assert full.calls()["query"] == groups_until_120_records + looks + pages


def test_a_second_look_counts_only_what_came_of_late(full: Loading, accounts: Message) -> None:
    """Rows that begin to change are no reason to read those that may be unchanged."""
    lines = [*companies(range(110), Industry="old"), *companies(range(110, 400), Industry="new")]
    run = full.load([accounts, *lines], read_group_size=10)
    assert run.outcomes() == {"unchanged": 110, "updated": 290}
    assert full.calls()["query"] == 40 + 1


@pytest.mark.e2e
def test_a_hundred_thousand_companies_with_one_percent_changed(
    loading: Loading, accounts: Message
) -> None:
    rows = 100_000
    loading.tenant.seed("company", [{"Name": f"C{n}", "Industry": "old"} for n in range(rows)])
    lines = (record(Name=f"C{n}", Industry="old" if n % 100 else "new") for n in range(rows))
    run = loading.load([accounts, *lines])
    assert run.outcomes() == {"unchanged": 99_000, "updated": 1_000}
    assert loading.calls() == {"describe": 1, "query": 3 + 1 + 21, "update": 20}


def test_a_key_that_was_written_before_the_object_was_read_is_read_anew(
    loading: Loading, accounts: Message
) -> None:
    """Its row may have been read whole while the write was still on its way."""
    loading.tenant.seed("company", [{"Name": f"C{n}", "Industry": "old"} for n in range(100)])
    lines = companies(range(100), Industry="old")
    lines[0], lines[80] = record(Name="C0", Industry="new"), record(Name="C0", Industry="old")
    run = loading.load([accounts, *lines], read_group_size=10)
    assert run.outcomes() == {"updated": 2, "unchanged": 98}
    assert loading.tenant.rows("company", Name="C0")[0]["Industry"] == "old"


def test_an_unchanged_record_of_an_object_read_whole_retires_its_reject(
    full: Loading, accounts: Message
) -> None:
    full.tenant.faults.rules.append(ServerRule("company", "Industry", "bad"))
    rejected = full.load([accounts, record(Name="C5000", Industry="bad"), record(Name="C5")])
    folder, name = RejectFolder(full.folder / "rejects"), rejected.target.summary.run
    assert [each.message["record"]["Name"] for each in folder.open(name)] == ["C5000"]
    run = full.load([accounts, *companies(range(ROWS), Industry="old")], read_group_size=500)
    assert run.outcomes() == {"unchanged": ROWS}
    assert list(folder.open(name)) == []


def test_merged_records_of_an_object_read_whole_are_counted_each(
    full: Loading, accounts: Message
) -> None:
    twice = [each for each in companies(range(2_000, ROWS), Industry="old") for _ in range(2)]
    lines = [accounts, *companies(range(2_000), Industry="old"), *twice, state(at=1)]
    run = full.load(lines, read_group_size=500)
    assert run.outcomes() == {"unchanged": 2_000 + 2 * (ROWS - 2_000)}
    assert run.states == [{"at": 1}]
