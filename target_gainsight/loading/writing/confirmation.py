"""Match the rows of a write's response to the records that were sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_gainsight.loading.reading.current_rows import GSID

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from target_gainsight.api import Json, WriteResponse
    from target_gainsight.loading.writing.attempts import Body


def match_rows(bodies: Sequence[Body], response: WriteResponse) -> dict[int, str | None]:
    """Return which records a response confirms, and their GSIDs.

    Rows come in the order of the records (observed; no index is documented). If some are missing,
    the others are recognized by their values.

    Args:
        bodies: The records as they were sent.
        response: The response.

    Returns:
        Position of a confirmed record to its GSID, or None where the response does not name it.
    """
    rows = response.records
    if len(rows) == len(bodies) == response.count:
        return {number: _gsid(row) for number, row in enumerate(rows)}
    if not rows and response.count == len(bodies) and not response.failures:
        return dict.fromkeys(range(len(bodies)))
    confirmed: dict[int, str | None] = {}
    remaining = iter(rows)
    row = next(remaining, None)
    for number, body in enumerate(bodies):
        if row is not None and _is_row_of(row, body):
            confirmed[number] = _gsid(row)
            row = next(remaining, None)
    return confirmed if len(confirmed) <= response.count else {}


def _is_row_of(row: Mapping[str, Json], body: Body) -> bool:
    if body.get(GSID) is not None and row.get(GSID) is not None:
        return bool(row[GSID] == body[GSID])
    shared = [name for name in body if name in row]
    return bool(shared) and all(row[name] == body[name] for name in shared)


def _gsid(row: Mapping[str, Json]) -> str | None:
    gsid = row.get(GSID)
    return gsid if isinstance(gsid, str) else None
