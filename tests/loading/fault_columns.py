"""Faults of a call: the columns of the fault matrix."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from fault_jobs import Endpoint

from target_gainsight.sandbox import Fault

# In units of the client's timeout.
SLOW = 0.3
"""Arrives just in time, also as the first response of a run."""

TOO_SLOW = 1.5
"""A timeout; the call takes effect while the client waits as long again."""

FAR_TOO_SLOW = 50.0
"""A timeout; the call takes effect when the client has given up."""

THROTTLED = "is rate-limiting|too many calls"


@dataclass(frozen=True)
class Column:
    """One fault.

    Attributes:
        name: What the matrix calls it.
        faults: Faults of the call.
        cause: What whoever reads the log or the reject must find, as a regular expression.
        by_clock: Whether it is a matter of time, which passes by the fake clock only.
    """

    name: str
    faults: tuple[Fault, ...]
    cause: str
    by_clock: bool = False

    def on(self, endpoint: Endpoint, times: int | None) -> Sequence[Fault]:
        """Inject it into some calls of an endpoint, or all of them."""
        return [
            replace(
                each,
                method=endpoint.method,
                path=endpoint.path,
                after=endpoint.after,
                times=times,
                seconds=each.seconds * endpoint.timeout,  # type: ignore[operator]
            )
            for each in self.faults
        ]


def _column(name: str, kind: str, cause: str, **more: Any) -> Column:
    return Column(name, (Fault(kind, **more),), cause)


def _timeout(name: str, *faults: Fault) -> Column:
    return Column(name, faults, "no response came in time", by_clock=True)


COLUMNS = (
    _column("429", "throttle_429", THROTTLED),
    _column("429, Retry-After", "throttle_429", THROTTLED, retry_after=7),
    _column("200, throttle code", "throttle_200", THROTTLED, code="GS_APIG_2404"),
    _column("500", "server_error", "Gainsight failed"),
    _column("500 after commit", "server_error", "Gainsight failed", committed=True),
    _column("502 HTML", "bad_gateway", "Gainsight failed"),
    _column("503", "unavailable", "Gainsight failed", retry_after=5),
    _column("reset before commit", "reset_before_commit", "the connection broke"),
    _column("reset after commit", "reset_after_commit", "the connection broke"),
    _timeout("timeout, late commit", Fault("late_commit", seconds=TOO_SLOW)),
    _timeout("timeout, later commit", Fault("late_commit", seconds=FAR_TOO_SLOW)),
    _timeout(
        "timeout, no commit", Fault("latency", seconds=TOO_SLOW), Fault("reset_before_commit")
    ),
    _column("body cut off", "truncated_body", "the connection broke"),
    _column("half of the JSON", "cut_json", "cut short"),
    _column("empty body", "empty_body", "empty"),
    _column("web page", "html_body", "web page"),
    _column("wrong shape", "wrong_shape", "shape|has no status id|grants no token"),
    Column("slow", (Fault("latency", seconds=SLOW),), "", by_clock=True),
)
