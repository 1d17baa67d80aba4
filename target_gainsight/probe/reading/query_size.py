"""Questions about the size of queries: how many values an IN takes, and how many bytes a body."""

from __future__ import annotations

from collections.abc import Iterator

from target_gainsight.api import is_in
from target_gainsight.probe.observations import Observation, Topic
from target_gainsight.probe.reading.facts import COMPANY, RowsRead, TenantFacts
from target_gainsight.probe.reading.filters import NO_ROWS, form_of_no_rows
from target_gainsight.probe.session import Reply

VALUES = Topic("query_max_values", "an IN takes 4,999 values", 0)
BYTES = Topic("query_max_bytes", "a query may have 200,000 bytes", 0)
FILTERED = Topic("filters_hold", "a query returns only what its filter matches")
SIZES = (VALUES, BYTES, NO_ROWS, FILTERED)

GROUP, LARGEST = 1_000, 4_999
"""The keys that a load reads in one query: by default, and at most."""
SMALLER = (100, 10, 1)
_CHARACTERS = 36
"""The length of a GSID, and more than most keys have."""


def find_sizes(facts: TenantFacts) -> Iterator[Observation]:
    """Look for names that no company has: 1,000, then 4,999, or fewer if that is refused."""
    tries = [(GROUP, _read(facts, GROUP))]
    if tries[0][1].were_read:
        tries.append((LARGEST, _read(facts, LARGEST)))
    refused = next((read for _, read in tries if read.is_refused), None)
    by_bytes = refused and _read_bytes(facts, refused.reply.sent_bytes)
    for size in SMALLER if tries[0][1].is_refused else ():
        tries.append((size, _read(facts, size)))
        if tries[-1][1].were_read:
            break
    yield from _limits(tries, by_bytes)
    yield form_of_no_rows(facts.found_nothing)
    yield _filtered(next((read for _, read in tries if read.were_read), None))


def _read(facts: TenantFacts, size: int) -> RowsRead:
    values = [f"tg-probe-{number:0{_CHARACTERS - 9}}" for number in range(size)]
    return facts.query(COMPANY, ("Gsid", "Name"), is_in("Name", values))


def _read_bytes(facts: TenantFacts, size: int) -> RowsRead:
    """Look for one long name, in a body about as large as the one that was refused."""
    return facts.query(
        COMPANY, ("Gsid", "Name"), is_in("Name", ["tg-probe".ljust(size - 200, "-")])
    )


def _limits(tries: list[tuple[int, RowsRead]], by_bytes: RowsRead | None) -> Iterator[Observation]:
    accepted = [(size, read) for size, read in tries if read.were_read]
    refused = [(size, read) for size, read in tries if read.is_refused]
    if not accepted:
        yield from _none_accepted(tries[-1][0], tries[-1][1].reply)
        return
    size, read = max(accepted, key=lambda each: each[0])
    sent = read.reply.sent_bytes
    if not refused:
        consequence = "a group grows up to 4,999 keys while nearly all rows are unchanged"
        tried_all = size == LARGEST
        yield (
            VALUES.at(0, f"{size:,} are accepted", consequence)
            if tried_all
            else VALUES.not_settled(f"{size:,} are accepted; {tries[-1][1].reply.summary}")
        )
        yield BYTES.at(0, f"{sent:,} bytes are accepted", consequence)
        return
    least, too_large = min(refused, key=lambda each: each[0])
    consequence = "a refused query is halved, and its size is kept for the rest of the run"
    in_bytes = f"{sent:,} bytes are accepted, {too_large.reply.sent_bytes:,} are not"
    if by_bytes is not None and by_bytes.is_refused:
        yield VALUES.not_settled("the size in bytes is refused first")
        yield BYTES.at(sent, in_bytes, consequence)
    else:
        yield VALUES.at(size, f"{size:,} are accepted, {least:,} are not", consequence)
        if by_bytes is None or not by_bytes.reply.was_sent:
            yield BYTES.not_settled("whether the number or the size is the reason was not tried")
        else:
            yield BYTES.at(0, "not limited below the number of values", consequence)


def _none_accepted(least: int, reply: Reply) -> Iterator[Observation]:
    if reply.was_sent and least == SMALLER[-1]:
        consequence = "existing records are not found; streams stop before anything is written"
        observed = f"not even one is accepted ({reply.summary})"
        yield VALUES.settled(observed, consequence, "not handled")
    else:
        yield VALUES.not_settled(reply.summary)
    yield BYTES.not_settled(reply.summary)


def _filtered(accepted: RowsRead | None) -> Observation:
    if accepted is None:
        return FILTERED.not_settled("no query was accepted")
    if accepted.rows:
        observed = "rows are returned that do not match"
        consequence = "a stream stops if none of the rows that it reads was asked for"
        return FILTERED.settled(observed, consequence, "not handled")
    return FILTERED.settled(
        "nothing is found that does not exist", "rows are trusted", "as assumed"
    )
