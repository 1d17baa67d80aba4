"""Prepares the values of a summary document for the report.

A document of another version may lack keys, so none is taken for granted.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from target_gainsight.loading.outcomes import Outcome
from target_gainsight.mapping.errors import counted
from target_gainsight.mapping.escaping import one_line
from target_gainsight.singer.reporting.html.chart import Chart, draw_charts

MAX_FIELDS = 10
"""The fields of a stream that are listed as changed most."""

_DAY, _HOUR, _MINUTE = 86_400, 3600, 60


@dataclass(frozen=True)
class Status:
    """How the run ended, in words and as a CSS class: `good`, `warn` or `bad`."""

    text: str
    style: str


@dataclass(frozen=True)
class StreamRow:
    """The counts of one stream.

    Attributes:
        counts: Records by outcome, in the order of the table's columns.
        shares: Outcome and percentage of the records read, for the bar.
        notes: Further counts, as clauses.
    """

    name: str
    read: int
    counts: tuple[int, ...]
    shares: tuple[tuple[str, float], ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class ExampleRow:
    """One rejected record; without the field that its message names."""

    stream: str
    key: str
    field: str
    value: str
    message: str


@dataclass(frozen=True)
class RejectGroup:
    """The rejects with one code."""

    code: str
    count: int
    suggestion: str
    examples: tuple[ExampleRow, ...]


@dataclass(frozen=True)
class ChangedFields:
    """The fields of one stream that changed most.

    Attributes:
        fields: Name, number of rows and percentage of the largest number.
        more: The number of fields that are not listed.
    """

    stream: str
    fields: tuple[tuple[str, int, float], ...]
    more: int


@dataclass(frozen=True)
class ReportView:
    """All values of the report.

    Attributes:
        error_lines: The lines of the error; none without an error.
        outcomes: The outcomes that any record has.
        totals: Records by outcome, over all streams, the records read first.
        has_reject_file: Whether rejects can be replayed.
    """

    run: str
    status: Status
    facts: tuple[tuple[str, str], ...]
    error_lines: tuple[str, ...]
    suggestion: str
    outcomes: tuple[str, ...]
    totals: tuple[tuple[str, int], ...]
    streams: tuple[StreamRow, ...]
    rejects: tuple[RejectGroup, ...]
    charts: tuple[Chart, ...]
    call_facts: tuple[tuple[str, str], ...]
    changed: tuple[ChangedFields, ...]
    files: tuple[tuple[str, str], ...]
    has_reject_file: bool


def view_of(document: Mapping[str, Any]) -> ReportView:
    """Prepare the values of one summary document."""
    streams: Mapping[str, Any] = document.get("streams") or {}
    totals = _totals(streams)
    outcomes = tuple(name for name, count in totals.items() if count)
    error: Mapping[str, Any] = document.get("error") or {}
    calls: Mapping[str, Any] = document.get("calls") or {}
    return ReportView(
        run=one_line(str(document.get("run", ""))),
        status=_status(document, totals[Outcome.REJECTED.value]),
        facts=tuple(_facts(document).items()),
        error_lines=_lines(error.get("message")),
        suggestion=_suggestion(error),
        outcomes=outcomes,
        totals=(("read", _read(streams)), *((name, totals[name]) for name in outcomes)),
        streams=tuple(_stream_row(name, each, outcomes) for name, each in streams.items()),
        rejects=tuple(_reject_groups(document.get("rejects") or {})),
        charts=tuple(draw_charts(calls)),
        call_facts=tuple(_call_facts(calls).items()),
        changed=tuple(_changed_fields(streams)),
        files=tuple((name, one_line(str(path))) for name, path in _items(document.get("files"))),
        has_reject_file="rejects" in (document.get("files") or {}),
    )


def format_duration(seconds: float) -> str:
    """Return a duration such as `4.2 s`, `3 min`, `3 min 1 s`, `2 h 5 min` or `3 d 4 h`."""
    whole = round(seconds)
    if whole < _MINUTE:
        return f"{seconds:.1f} s"
    parts = (
        (whole // _DAY, "d"),
        (whole % _DAY // _HOUR, "h"),
        (whole % _HOUR // _MINUTE, "min"),
        (whole % _MINUTE, "s"),
    )
    first = next(position for position, (number, _) in enumerate(parts) if number)
    return " ".join(f"{number} {unit}" for number, unit in parts[first : first + 2] if number)


def _items(values: Mapping[str, Any] | None) -> list[tuple[str, Any]]:
    return list((values or {}).items())


def _lines(message: str | None) -> tuple[str, ...]:
    return tuple(map(one_line, message.split("\n"))) if message else ()


def _suggestion(error: Mapping[str, Any]) -> str:
    """Return the suggestion of an error, unless its message ends with it."""
    text = str(error.get("suggestion") or "")
    return "" if str(error.get("message") or "").endswith(text) else one_line(text)


def _read(streams: Mapping[str, Any]) -> int:
    return sum(each.get("read", 0) for each in streams.values())


def _totals(streams: Mapping[str, Any]) -> Counter[str]:
    """Count the records by outcome, in the order in which outcomes are declared."""
    totals = Counter({outcome.value: 0 for outcome in Outcome})
    for counts in streams.values():
        totals.update({outcome.value: counts.get(outcome.value, 0) for outcome in Outcome})
    return totals


def _status(document: Mapping[str, Any], rejected: int) -> Status:
    status = document.get("status")
    verb = "Planned" if document.get("dry_run") else "Succeeded"
    if status == "interrupted":
        return Status("Interrupted", "warn")
    if status != "success":
        return Status("Failed", "bad")
    if rejected:
        return Status(f"{verb} with {counted(rejected, 'reject')}", "warn")
    return Status(verb, "good")


def _facts(document: Mapping[str, Any]) -> dict[str, str]:
    facts = {
        "Tenant": document.get("tenant") or "unknown",
        "Started": _time(document.get("started_at")),
        "Ended": _time(document.get("ended_at")),
        "Duration": format_duration(document.get("duration_seconds") or 0),
        "Exit code": document.get("exit_code", ""),
        "Version": document.get("version", ""),
    }
    if document.get("dry_run"):
        facts["Dry run"] = "nothing was written"
    return {name: one_line(str(value)) for name, value in facts.items() if value != ""}


def _time(value: object) -> str:
    """Return a time of the document as `2026-02-01 02:00:00 UTC`."""
    try:
        return datetime.fromisoformat(str(value)).strftime("%Y-%m-%d %H:%M:%S %Z")
    except ValueError:
        return ""


def _stream_row(name: str, counts: Mapping[str, Any], outcomes: tuple[str, ...]) -> StreamRow:
    read = counts.get("read", 0)
    numbers = tuple(counts.get(outcome, 0) for outcome in outcomes)
    shares = tuple(
        (outcome, round(100 * number / read, 2))
        for outcome, number in zip(outcomes, numbers, strict=True)
        if number and read
    )
    return StreamRow(one_line(name), read, numbers, shares, tuple(_notes(counts)))


def _notes(counts: Mapping[str, Any]) -> list[str]:
    notes = [
        f"{number:,} skipped: {one_line(code)}"
        for code, number in _items(counts.get("skipped_because"))
    ]
    if counts.get("fields_cleared"):
        notes.append(f"{counted(counts['fields_cleared'], 'field')} cleared")
    by_file = counts.get("by_file") or {}
    notes += [
        f"{name} by file: {number:,}" for name, number in by_file.items() if _is_count(number)
    ]
    return notes


def _is_count(value: object) -> bool:
    return isinstance(value, int) and value > 0


def _reject_groups(rejects: Mapping[str, Any]) -> list[RejectGroup]:
    """Group the rejects by code, the most frequent first."""
    groups = [
        RejectGroup(
            one_line(code),
            group.get("count", 0),
            _sentence(str(group.get("suggestion") or "")),
            tuple(_example(each) for each in group.get("examples") or ()),
        )
        for code, group in rejects.items()
    ]
    return sorted(groups, key=lambda group: -group.count)


def _sentence(text: str) -> str:
    """Return a clause of a message on one line, with a capital letter."""
    return one_line(text[:1].upper() + text[1:])


def _example(example: Mapping[str, Any]) -> ExampleRow:
    message, suggestion = str(example.get("message", "")), str(example.get("suggestion") or "")
    key = (f"{name} = {_value_text(value)}" for name, value in _items(example.get("key")))
    field = str(example.get("field") or "")
    adds_to_message = bool(field) and field not in message
    return ExampleRow(
        one_line(str(example.get("stream", ""))),
        ", ".join(key),
        one_line(field) if adds_to_message else "",
        _value_text(example.get("value")),
        one_line(message.removesuffix(suggestion).rstrip()),
    )


def _value_text(value: object) -> str:
    """Return a value of the document for a reader, on one line."""
    if isinstance(value, str):
        return one_line(value) if value.strip() else json.dumps(value)
    if isinstance(value, float | Decimal):
        return str(value)
    return one_line(json.dumps(value, ensure_ascii=False, default=str))


def _call_facts(calls: Mapping[str, Any]) -> dict[str, str]:
    facts = {"All calls": f"{calls.get('total', 0):,}"}
    facts |= {
        one_line(kind): f"{count:,}"
        for kind, count in sorted(_items(calls.get("by_kind")), key=lambda pair: -pair[1])
    }
    facts |= {name: f"{calls[name]:,}" for name in ("throttled", "retried") if calls.get(name)}
    if calls.get("seconds_waited"):
        facts["waited"] = format_duration(calls["seconds_waited"])
    if calls.get("rate_used_percent") is not None:
        facts["of the allowed rate"] = f"{calls['rate_used_percent']}%"
    return facts


def _changed_fields(streams: Mapping[str, Any]) -> list[ChangedFields]:
    changed = []
    for stream, counts in streams.items():
        by_count = Counter(dict(_items(counts.get("fields_changed")))).most_common()
        if by_count:
            most = by_count[0][1]
            fields = tuple(
                (one_line(name), number, round(100 * number / most, 2))
                for name, number in by_count[:MAX_FIELDS]
            )
            changed.append(ChangedFields(one_line(stream), fields, len(by_count) - len(fields)))
    return changed
