"""Verdicts on the cells of the fault matrix, in a word or two; a cell without one fails."""

from __future__ import annotations

import re

from fault_cells import Cell, Played

AS_USUAL = "as usual"
MEANINGS = {
    AS_USUAL: "the response is in time, or what it lacks is not needed",
    "retried": "the call is repeated and succeeds",
    "unchecked": "the fields are unknown, so records are written unchecked",
    "looked up": "the records are looked up, found and not sent again",
    "looked up, resent": "the records are looked up, not found, and sent again",
    "resent": "the activities are sent again; existing ones are found by their ExternalId",
    "unknown": "rejected as `outcome_unknown`; a replay looks the records up",
    "unavailable": "rejected as `unavailable`; a replay sends them",
    "stops, unavailable": "the run ends with the state before these records; the next run "
    "sends them",
    "stops, throttled": "every call is refused for 65 minutes (3 hours for uploads), so the "
    "quota of the day seems to be used up; the next run continues",
    "stops, unreachable": "no response came before; the domain may be wrong, and nothing is sent",
    "stops, no token": "no token is returned; the credential may be wrong; nothing more is sent",
    "stops, not looked up": "the records cannot be looked up. In insert mode they are rejected "
    "as `outcome_unknown`; otherwise the next run reads the rows before it writes",
    "stops, asks": "only the job's log shows whether it has the file; the message "
    "names the next step",
}
ALL_REJECTED = "all rejected"
STOPS = (
    ("not available for 3 batches in a row", "stops, unavailable"),
    ("Gainsight was not available: ", "stops, unavailable"),
    ("looking them up failed, too", "stops, not looked up"),
    ("rate limit blocks all", "stops, throttled"),
    ("is not reachable", "stops, unreachable"),
    ("whether bulk job", "stops, asks"),
    ("grants no token", "stops, no token"),
    ("Gainsight did not serve this call", "stops, unavailable"),
    ("every record was rejected", ALL_REJECTED),
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
    if "are not checked before" in played.texts:
        return "unchecked"
    if cell.endpoint.lost is None and "looking up the records" in played.texts:
        return "looked up, resent" if more else "looked up"
    if cell.endpoint.lost is None and "sending the activities again" in played.texts:
        return "resent"
    return "retried" if more else AS_USUAL


def _of_codes(played: Played) -> str:
    [code] = set(played.run.codes)
    if code == "unavailable" and played.run.exit_code:
        return "stops, unavailable"
    return {"outcome_unknown": "unknown", "unavailable": "unavailable"}[code]
