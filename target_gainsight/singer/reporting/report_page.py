"""Renders the summary document of a run as one HTML page."""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from typing import Any

from target_gainsight.loading.outcomes import Outcome
from target_gainsight.loading.settling.progress import format_duration
from target_gainsight.mapping.errors import counted, display
from target_gainsight.mapping.escaping import one_line

MAX_BARS = 90
TICKS = 4
HEADROOM = 1.1
MINUTES_PER_DAY = 24 * 60


def render_report(document: Mapping[str, Any]) -> str:
    """Render a document, perhaps of another version, as one HTML page without scripts."""
    import jinja2  # noqa: PLC0415 - a tenth of a second for those who want a report

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader(__package__),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: one_line(value) if isinstance(value, str) else value,
    )
    environment.filters |= {"counted": counted, "number": "{:,}".format, "display": display}
    streams, rejects, calls = (document.get(each, {}) for each in ("streams", "rejects", "calls"))
    totals, failed = Counter[str](), 0
    for counts in streams.values():
        failed += (counts.get("by_file") or {}).get("failed", 0)
        totals.update({each.value: counts.get(each.value, 0) for each in Outcome})
    return environment.get_template("report.html").render(
        document=document,
        status=_status(document, totals[Outcome.REJECTED.value], failed),
        facts=_facts(document),
        streams=streams,
        read=sum(counts.get("read", 0) for counts in streams.values()),
        totals=+totals,
        rejects=sorted(rejects.items(), key=lambda pair: -pair[1].get("count", 0)),
        call_facts=_call_facts(calls),
        charts=list(_charts(calls)),
    )


def _charts(calls: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield a chart of calls for each group; a bar shows the busiest of its minutes."""
    entries = {
        int(datetime.fromisoformat(entry["minute"]).timestamp()) // 60: entry
        for entry in calls.get("calls_per_minute", ())
    }
    first, last = min(entries, default=0), max(entries, default=0)
    per_bar = -(-(last - first + 1) // MAX_BARS)
    slots = (last - first) // per_bar + 1
    form = "%H:%M" if last - first < MINUTES_PER_DAY else "%d %b %H:%M"
    labels = [
        datetime.fromtimestamp(60 * (first + per_bar * slot), tz=timezone.utc).strftime(form)
        for slot in range(slots)
    ]
    for group in dict.fromkeys(name for entry in entries.values() for name in entry):
        if group == "minute":
            continue
        bars: Counter[int] = Counter()
        for minute, entry in entries.items():
            slot = (minute - first) // per_bar
            bars[slot] = max(bars[slot], entry.get(group, 0))
        peak, limit = max(bars.values()), calls.get("allowed_per_minute", {}).get(group)
        yield {
            "group": group,
            "minutes_per_bar": per_bar,
            "peak": peak,
            "limit": limit,
            "top": HEADROOM * max(peak, limit or 0),
            "labels": labels,
            "bars": +bars,
            "ticks": sorted({tick * slots // TICKS for tick in range(TICKS)}),
        }


def _status(document: Mapping[str, Any], rejected: int, failed: int) -> tuple[str, str]:
    status = document.get("status")
    if status != "success":
        return ("Interrupted", "warn") if status == "interrupted" else ("Failed", "bad")
    verb = "Planned" if document.get("dry_run") else "Succeeded"
    counts = {"reject": rejected, "failed row": failed}
    lost = " and ".join(counted(count, name) for name, count in counts.items() if count)
    return (f"{verb} with {lost}", "warn") if lost else (verb, "good")


def _facts(document: Mapping[str, Any]) -> dict[str, object]:
    times = (str(document.get(name, "")) for name in ("started_at", "ended_at"))
    started, ended = (each.replace("T", " ").replace("+00:00", " UTC") for each in times)
    facts = {
        "Tenant": document.get("tenant") or "unknown",
        "Started": started,
        "Ended": ended,
        "Duration": format_duration(document.get("duration_seconds", 0)),
        "Exit code": document.get("exit_code", ""),
        "Version": document.get("version", ""),
        "Dry run": "nothing was written" if document.get("dry_run") else "",
    }
    return {name: value for name, value in facts.items() if value != ""}


def _call_facts(calls: Mapping[str, Any]) -> dict[str, str]:
    kinds = dict(Counter(calls.get("by_kind", {})).most_common())
    numbers = {"All calls": calls.get("total", 0), **kinds}
    numbers |= {name: calls[name] for name in ("throttled", "retried") if calls.get(name)}
    facts = {name: f"{count:,}" for name, count in numbers.items()}
    if calls.get("seconds_waited"):
        facts["waited"] = format_duration(calls["seconds_waited"])
    if calls.get("rate_used_percent") is not None:
        facts["of the allowed rate"] = f"{calls['rate_used_percent']}%"
    return facts
