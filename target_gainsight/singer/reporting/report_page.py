"""Renders the summary document of a run as one HTML page.

A document of another version may lack keys, so none is taken for granted.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime, timezone
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any

from target_gainsight.loading.outcomes import Outcome
from target_gainsight.mapping.errors import counted
from target_gainsight.mapping.escaping import one_line

if TYPE_CHECKING:
    import jinja2

MAX_BARS = 90
MIN_BARS = 4
MAX_BAR_REM = 3.5
"""The chart of a short run is narrow: with two bars in the whole width they would be walls."""

BAR_SHARE = 0.8
HEADROOM = 1.1
MIN_HEIGHT = 1.0
TICKS = 4
MINUTES_PER_DAY = 24 * 60


def render_report(document: Mapping[str, Any]) -> str:
    """Render a summary document as one HTML page, which loads nothing and runs no script."""
    streams: Mapping[str, Any] = document.get("streams") or {}
    rejects: Mapping[str, Any] = document.get("rejects") or {}
    calls: Mapping[str, Any] = document.get("calls") or {}
    totals = {
        outcome.value: sum(counts.get(outcome.value, 0) for counts in streams.values())
        for outcome in Outcome
    }
    return (
        _templates()
        .get_template("report.html")
        .render(
            document=document,
            status=_status(document, totals[Outcome.REJECTED.value]),
            facts=_facts(document),
            streams=streams,
            read=sum(counts.get("read", 0) for counts in streams.values()),
            totals={name: count for name, count in totals.items() if count},
            rejects=sorted(rejects.items(), key=lambda pair: -pair[1].get("count", 0)),
            call_facts=_call_facts(calls),
            charts=draw_charts(calls),
        )
    )


def format_duration(seconds: float) -> str:
    """Return a duration such as `4.2 s`, `3 min`, `3 min 1 s`, `2 h 5 min` or `3 d 4 h`."""
    minutes, rest = divmod(round(seconds), 60)
    if not minutes:
        return f"{seconds:.1f} s"
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = ((days, "d"), (hours, "h"), (minutes, "min"), (rest, "s"))
    first = next(position for position, (number, _) in enumerate(parts) if number)
    return " ".join(f"{number} {unit}" for number, unit in parts[first : first + 2] if number)


def draw_charts(calls: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Draw the calls per minute of each group as bars against its limit, on one time axis.

    Positions and sizes are percentages of the chart's width and height. In a long run, a bar
    shows the busiest of several minutes.
    """
    by_group: defaultdict[str, dict[int, int]] = defaultdict(dict)
    for entry in calls.get("calls_per_minute") or ():
        minute = int(datetime.fromisoformat(entry["minute"]).timestamp()) // 60
        for group, count in entry.items():
            if group != "minute":
                by_group[group][minute] = count
    minutes = {minute for counts in by_group.values() for minute in counts}
    if not minutes:
        return []
    first, span = min(minutes), max(minutes) - min(minutes) + 1
    per_bar = -(-span // MAX_BARS)
    form = "%H:%M" if span < MINUTES_PER_DAY else "%d %b %H:%M"
    labels = [
        datetime.fromtimestamp(60 * (first + per_bar * slot), tz=timezone.utc).strftime(form)
        for slot in range(max(MIN_BARS, -(-span // per_bar)))
    ]
    limits = calls.get("allowed_per_minute") or {}
    charts = []
    for group, counts in by_group.items():
        peaks: defaultdict[int, int] = defaultdict(int)
        for minute, count in sorted(counts.items()):
            slot = (minute - first) // per_bar
            peaks[slot] = max(peaks[slot], count)
        chart = _draw(peaks, labels, limits.get(group))
        charts.append({"group": group, "minutes_per_bar": per_bar, **chart})
    return charts


def _draw(peaks: Mapping[int, int], labels: list[str], limit: int | None) -> dict[str, Any]:
    """Draw one chart: its bars, the line of its limit, and the labels of its axis."""
    slots, peak = len(labels), max(peaks.values())
    top = HEADROOM * max(peak, limit or 0)
    ticks = [tick * slots // TICKS for tick in range(TICKS)]
    caption = f"At most {counted(peak, 'call')} in a minute"
    return {
        "caption": f"{caption}; {limit:,} are allowed." if limit else f"{caption}.",
        "limit": limit,
        "limit_y": round(100 - 100 * limit / top, 2) if limit else None,
        "max_width_rem": MAX_BAR_REM * slots,
        "width": round(100 / slots * BAR_SHARE, 3),
        "bars": [
            {
                "label": labels[slot],
                "calls": count,
                "x": round(100 / slots * slot, 3),
                "height": round(max(MIN_HEIGHT, 100 * count / top), 2),
            }
            for slot, count in peaks.items()
        ],
        "ticks": [(round(100 * tick / slots, 2), labels[tick]) for tick in ticks],
    }


def _status(document: Mapping[str, Any], rejected: int) -> tuple[str, str]:
    """Return how the run ended, in words and as a CSS class."""
    status = document.get("status")
    verb = "Planned" if document.get("dry_run") else "Succeeded"
    if status == "interrupted":
        return "Interrupted", "warn"
    if status != "success":
        return "Failed", "bad"
    if rejected:
        return f"{verb} with {counted(rejected, 'reject')}", "warn"
    return verb, "good"


def _facts(document: Mapping[str, Any]) -> dict[str, object]:
    facts = {
        "Tenant": document.get("tenant") or "unknown",
        "Started": _time(document.get("started_at")),
        "Ended": _time(document.get("ended_at")),
        "Duration": format_duration(document.get("duration_seconds") or 0),
        "Exit code": document.get("exit_code", ""),
        "Version": document.get("version", ""),
        "Dry run": "nothing was written" if document.get("dry_run") else "",
    }
    return {name: value for name, value in facts.items() if value != ""}


def _time(value: object) -> str:
    """Return a time of the document as `2026-02-01 02:00:00 UTC`."""
    try:
        return datetime.fromisoformat(str(value)).strftime("%Y-%m-%d %H:%M:%S %Z")
    except ValueError:
        return ""


def _call_facts(calls: Mapping[str, Any]) -> dict[str, str]:
    by_kind = sorted((calls.get("by_kind") or {}).items(), key=lambda pair: -pair[1])
    facts = {"All calls": calls.get("total", 0), **dict(by_kind)}
    facts |= {name: calls[name] for name in ("throttled", "retried") if calls.get(name)}
    texts = {name: f"{count:,}" for name, count in facts.items()}
    if calls.get("seconds_waited"):
        texts["waited"] = format_duration(calls["seconds_waited"])
    if calls.get("rate_used_percent") is not None:
        texts["of the allowed rate"] = f"{calls['rate_used_percent']}%"
    return texts


def _value_text(value: object) -> str:
    """Return a value of the document for a reader."""
    if isinstance(value, str):
        return value if value.strip() else json.dumps(value)
    if isinstance(value, float | Decimal):
        return str(value)
    return json.dumps(value, ensure_ascii=False, default=str)


@cache
def _templates() -> jinja2.Environment:
    import jinja2  # noqa: PLC0415 - a tenth of a second for those who want a report

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader(__package__),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: one_line(value) if isinstance(value, str) else value,
    )
    environment.filters |= {"counted": counted, "number": "{:,}".format, "value": _value_text}
    return environment
