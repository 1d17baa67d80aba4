"""Says in a word or two what became of a cell of the fault matrix; one without a word fails."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fault_cells import Cell, Played

AS_USUAL = "as usual"
MEANINGS = {
    AS_USUAL: "the call is answered in time, or what its answer lacks is not needed",
    "retried": "the call is made again, and all is well",
    "unchecked": "the fields are not known, so that nothing is checked before it is written",
    "looked up": "the records are looked up and found: they are not sent again",
    "looked up, resent": "the records are looked up, not found, and sent again",
    "resent": "the activities are sent again; those that had arrived are found by their ExternalId",
    "unknown": "rejected as `outcome_unknown`; the replay looks the records up",
    "unavailable": "rejected as `unavailable`; the replay sends them",
    "stops, unavailable": "the run ends with the state before these records; the next one sends "
    "them",
    "stops, throttled": "nothing but refusals for 65 minutes (3 hours of uploads): the quota "
    "of the day seems to be spent; the next run goes on",
    "stops, unreachable": "before any other answer: the domain may be wrong; nothing is sent",
    "stops, no token": "the answer grants none: the credential may be wrong; nothing more is sent",
    "stops, not looked up": "what was sent cannot be looked up. In insert mode the records are "
    "rejected as `outcome_unknown`, else the next run reads the rows before it writes",
    "stops, asks": "whether the job has the file is for its log to say; the message says how",
}
ALL_REJECTED = "all rejected"
STOPS = (
    ("not available for 3 batches in a row", "stops, unavailable"),
    ("looking them up failed, too", "stops, not looked up"),
    ("rate limit blocks all", "stops, throttled"),
    ("is not reachable", "stops, unreachable"),
    ("does not seem to be a Gainsight tenant", "stops, unreachable"),
    ("whether bulk job", "stops, asks"),
    ("grants no token", "stops, no token"),
    ("Gainsight did not serve this call", "stops, unavailable"),
    ("(all [0-9]+ records were|the only record was) rejected", ALL_REJECTED),
)


def verdict(cell: Cell, played: Played, usual: Played) -> str:
    """Name what became of a cell.

    Args:
        cell: The cell.
        played: What happened in it.
        usual: What happens without the fault.
    """
    if played.run.exit_code:
        stop = next(label for text, label in STOPS if re.search(text, played.run.log[-1]))
        return _of_codes(played) if stop == ALL_REJECTED else stop
    if played.run.codes:
        return _of_codes(played)
    more = played.tries_at(cell.endpoint) > usual.tries_at(cell.endpoint)
    if "are not checked before" in played.told:
        return "unchecked"
    if cell.endpoint.lost is None and "looking up the records" in played.told:
        return "looked up, resent" if more else "looked up"
    if cell.endpoint.lost is None and "sending the activities again" in played.told:
        return "resent"
    return "retried" if more else AS_USUAL


def _of_codes(played: Played) -> str:
    [code] = set(played.run.codes)
    if code == "unavailable" and played.run.exit_code:
        return "stops, unavailable"
    return {"outcome_unknown": "unknown", "unavailable": "unavailable"}[code]
