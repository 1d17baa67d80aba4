"""The plan of a dry run: what the run would write, and what that would cost.

Only the writers are replaced: everything before the write calls is the real thing.
"""

from __future__ import annotations

import math
import threading
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from target_gainsight.api import Field
from target_gainsight.loading.dry_run.overlay import PlannedRows
from target_gainsight.loading.dry_run.row_names import RowNames
from target_gainsight.loading.lookups.index import LookupIndex
from target_gainsight.loading.outcomes import Outcome, Settlement
from target_gainsight.loading.records import LoadRecord
from target_gainsight.loading.references import TO_BE_CREATED
from target_gainsight.loading.settling.summary import StreamCounts, Summary
from target_gainsight.loading.storage.temp_database import SpilledValues
from target_gainsight.loading.writing.writer import Action, Writer, Written
from target_gainsight.mapping.errors import counted, display, json_value
from target_gainsight.mapping.escaping import one_line

MAX_EXAMPLES = 5
MINUTES_PER_HOUR = 60
QUERY = "query"
UPLOAD = "upload"
"""The kind of upload calls; as many as an hour allows are sent at once."""

MAX_FIELDS_SHOWN = 6

_OUTCOMES: Mapping[Action, Outcome] = {
    "create": Outcome.CREATED,
    "update": Outcome.UPDATED,
    "delete": Outcome.DELETED,
}


@dataclass(frozen=True)
class PlannedUpdate:
    """A row that would change.

    Attributes:
        key: The record's lookup keys.
        changes: The tenant's value and the new value of each changed field.
    """

    key: tuple[object, ...]
    changes: Mapping[str, tuple[object, object]]


@dataclass
class StreamPlan:
    """The writes of one stream.

    Attributes:
        write_calls: The number of write calls.
        updates: The first rows that would change.
        creates: The keys of the first rows that would be created.
        deletes: The keys of the first rows that would be deleted.
        max_deletes: The number of rows that may be deleted; None if deletes are off.
        files: The files that would be sent or written: size in bytes, and destination.
        rules: The fields with a write rule, and the rule in words.
        kept: The number of rows that keep their value of a field because of its rule.
        fallback_keys: The fields that find rows without lookup keys.
        picklists: The fields whose GSIDs are shown as labels.
    """

    write_calls: int = 0
    updates: list[PlannedUpdate] = field(default_factory=list)
    creates: list[tuple[object, ...]] = field(default_factory=list)
    deletes: list[tuple[object, ...]] = field(default_factory=list)
    max_deletes: int | None = None
    files: list[tuple[int, str]] = field(default_factory=list)
    rules: Mapping[str, str] = field(default_factory=dict)
    kept: Counter[str] = field(default_factory=Counter)
    fallback_keys: tuple[str, ...] = ()
    picklists: Mapping[str, Field] = field(default_factory=dict)


@dataclass(frozen=True)
class CostEstimate:
    """A run's calls by kind, its minutes at the allowed rate, its share of a day's calls."""

    calls: Mapping[str, int]
    minutes: float
    percent_of_day: float


class Plan:
    """The plan of a run.

    Args:
        allowed_per_minute: Allowed calls a minute.
        allowed_per_day: Allowed calls a day; None where days have no limit.
        separate_limits: Kind of calls that the tenant counts separately → allowed calls a minute.
        uploads_per_hour: Allowed bulk uploads an hour.

    Attributes:
        deleted: The GSIDs of the rows that would be deleted.
        names: What the rows were found by that lookups have found.
        streams: The plan of each stream.
    """

    def __init__(
        self,
        allowed_per_minute: int,
        allowed_per_day: int | None,
        separate_limits: Mapping[str, float],
        uploads_per_hour: int,
    ) -> None:
        self._per_minute = allowed_per_minute
        self._per_day = allowed_per_day
        self._separate_limits = separate_limits
        self._uploads_per_hour = uploads_per_hour
        self._lock = threading.Lock()
        self._unsent: Counter[str] = Counter()
        self._written: dict[tuple[str, tuple[str, ...]], SpilledValues] = {}
        self.deleted: set[str] = set()
        self.names = RowNames()
        self.streams: dict[str, StreamPlan] = {}

    def stream(self, name: str) -> StreamPlan:
        """Return the plan of a stream."""
        return self.streams.setdefault(name, StreamPlan())

    def record_change(
        self, record: LoadRecord, row: Mapping[str, Any], changed: Sequence[str]
    ) -> None:
        """Record that some fields of a row would change."""
        plan = self.stream(record.source.alias)
        if len(plan.updates) < MAX_EXAMPLES:
            shown, lists = self.names.shown, plan.picklists
            changes = {
                name: (
                    shown(row.get(name), lists.get(name)),
                    shown(record.fields.get(name), lists.get(name)),
                )
                for name in changed
            }
            plan.updates.append(PlannedUpdate(record.key, changes))

    def record_kept(self, record: LoadRecord, names: Iterable[str]) -> None:
        """Record that a row keeps its values of some fields because of their rules."""
        self.stream(record.source.alias).kept.update(names)

    def written(self, object_name: str, keys: tuple[str, ...]) -> SpilledValues:
        """Return the fields written to an object so far, by the values of these lookup keys.

        Shared by all streams that write the object by these keys.
        """
        return self._written.setdefault((object_name.lower(), keys), SpilledValues())

    def record_call(self, kind: str, batch: Sequence[LoadRecord], action: Action) -> None:
        """Record a write call."""
        with self._lock:
            plan = self.stream(batch[0].source.alias)
            plan.write_calls += 1
            self._unsent[kind] += 1
            if action != "update":
                examples = plan.creates if action == "create" else plan.deletes
                missing = MAX_EXAMPLES - len(examples)
                examples += [record.key for record in batch[:missing]]

    def record_read(self) -> None:
        """Record a query that is made only to save rows before they are deleted."""
        with self._lock:
            self._unsent[QUERY] += 1

    def record_file(
        self, stream: str, size: int, destination: str, *, is_upload: bool = False
    ) -> None:
        """Record a file that would be written, or uploaded by a call."""
        self.stream(stream).files.append((size, destination))
        if is_upload:
            self._unsent[UPLOAD] += 1

    def cost(self, summary: Summary) -> CostEstimate:
        """Estimate the cost of the run: the calls that were made, and those that were not."""
        calls = summary.calls.by_kind + self._unsent
        separate = {UPLOAD, *self._separate_limits}
        together = sum(count for kind, count in calls.items() if kind not in separate)
        alone = [calls[kind] / rate for kind, rate in self._separate_limits.items()]
        hours = max(0, calls[UPLOAD] - 1) // self._uploads_per_hour
        return CostEstimate(
            calls=dict(calls),
            minutes=max([together / self._per_minute, *alone, hours * MINUTES_PER_HOUR]),
            percent_of_day=100 * together / self._per_day if self._per_day else 0.0,
        )

    def to_json(self, summary: Summary) -> dict[str, Any]:
        """Return the plan as JSON values."""
        cost = self.cost(summary)
        counted = summary.to_json()
        return {
            "streams": {
                name: {**counts, **self._stream_json(name)}
                for name, counts in counted["streams"].items()
            },
            "rejects": counted["rejects"],
            "cost": {
                "calls": sum(cost.calls.values()),
                "by_kind": dict(cost.calls),
                "minutes": round(cost.minutes, 1),
                "percent_of_day": round(cost.percent_of_day, 1),
                "fits_into_a_day": cost.percent_of_day <= 100,  # noqa: PLR2004 - percent
            },
        }

    def to_text(self, summary: Summary) -> str:
        """Return the plan for a person to read."""
        lines = ["plan: nothing was written", summary.table(), *summary.file_lines()]
        for name, counts in summary.streams.items():
            lines += self._stream_lines(display(name), self.stream(name), counts)
        lines += summary.reject_lines()
        cost = self.cost(summary)
        kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(cost.calls.items()))
        lines.append(
            f"cost: {counted(sum(cost.calls.values()), 'call')} ({kinds or 'none'}), "
            f"{_at_least_a_tenth(cost.minutes)} minutes at the allowed rate, "
            f"{_at_least_a_tenth(cost.percent_of_day)}% of a day's quota"
        )
        if cost.percent_of_day > 100:  # noqa: PLR2004 - percent
            days = math.ceil(cost.percent_of_day / 100)
            lines.append(
                f"warning: this does not fit into a day; it takes {days} days, and each run "
                "continues where the last one stopped"
            )
        return "\n".join(lines)

    def _stream_lines(self, name: str, plan: StreamPlan, counts: StreamCounts) -> list[str]:
        lines = []
        created, updated = counts.outcomes[Outcome.CREATED], counts.outcomes[Outcome.UPDATED]
        if plan.creates and created:
            examples = ", ".join(map(_key_text, plan.creates))
            lines.append(f"{name}: would create {created:,}, such as {examples}")
        if plan.updates and updated:
            lines.append(f"{name}: would update {updated:,}, such as")
            for update in plan.updates:
                lines += [f"- {_key_text(update.key)}", *_change_lines(update.changes)]
        lines += _delete_lines(name, plan, counts)
        if plan.fallback_keys:
            found = counted(counts.found_by_fallback, "row")
            keys = one_line(", ".join(plan.fallback_keys))
            lines.append(f"{name}: would give the lookup keys to {found} found by {keys}")
        lines += [
            f"{name}: {one_line(field)} is {rule}{_kept_in(plan.kept[field])}"
            for field, rule in plan.rules.items()
        ]
        if plan.files:
            sizes = ", ".join(f"{size:,}" for size, _ in plan.files[:MAX_EXAMPLES])
            more = ", …" if len(plan.files) > MAX_EXAMPLES else ""
            files = f"{counted(len(plan.files), 'file')} for {plan.files[0][1]}"
            lines.append(f"{name}: would fill {files}, of {sizes}{more} bytes")
        lines += [f"{name}: would skip {count:,}: {code}" for code, count in counts.skips.items()]
        return lines

    def _stream_json(self, name: str) -> dict[str, Any]:
        plan = self.stream(name)
        return {
            "write_calls": plan.write_calls,
            "max_deletes": plan.max_deletes,
            "files": [{"bytes": size, "for": destination} for size, destination in plan.files],
            "fallback_keys": list(plan.fallback_keys),
            "field_rules": {
                field: {"rule": rule, "rows_kept": plan.kept[field]}
                for field, rule in plan.rules.items()
            },
            "examples_created": [_key_json(key) for key in plan.creates],
            "examples_deleted": [_key_json(key) for key in plan.deletes],
            "examples_updated": [
                {
                    "key": _key_json(update.key),
                    "fields": {
                        name: {"before": before, "after": after}
                        for name, (before, after) in update.changes.items()
                    },
                }
                for update in plan.updates
            ],
        }


class PlanningWriter(Writer):
    """Writes nothing and records what the real writer would send.

    Args:
        kinds: The kinds of the real writer's calls: for creates, and for updates; a delete has
            its own.
        batch_size: Records per call.
        lookups: Finds the records that would be written; None if no lookup needs them.
        rows: The rows read later, into which the records are merged.
    """

    def __init__(
        self,
        plan: Plan,
        kinds: tuple[str, str],
        batch_size: int,
        *,
        object_name: str,
        lookups: LookupIndex | None,
        rows: PlannedRows | None,
    ) -> None:
        self.batch_size = batch_size
        self._object_name = object_name
        self._lookups = lookups
        self._rows = rows
        self._plan = plan
        self._kinds = {"create": kinds[0], "update": kinds[1], "delete": "delete"}

    def write(self, action: Action, records: Sequence[LoadRecord]) -> Written:
        """Record a call and return the outcomes that it would have."""
        self._plan.record_call(self._kinds[action], records, action)
        for record in records:
            if action == "delete":
                if self._rows is not None:
                    self._rows.record_delete(record)
                continue
            if self._lookups is not None:
                self._lookups.on_plan(self._object_name, record.fields)
            if self._rows is not None:
                self._rows.record_write(record)
        outcome = _OUTCOMES[action]
        return Written(
            tuple(
                Settlement(record, outcome, gsid=record.gsid or TO_BE_CREATED) for record in records
            )
        )


def _key_text(key: tuple[object, ...]) -> str:
    return " | ".join(map(display, key)) or "a record without keys"


def _key_json(key: tuple[object, ...]) -> object:
    """Return the value of one lookup key, or the list of several; null without keys."""
    values = [json_value(part) for part in key]
    return values if len(values) > 1 else next(iter(values), None)


def _kept_in(rows: int) -> str:
    return f"; {counted(rows, 'row')} would keep another value" if rows else ""


def _delete_lines(name: str, plan: StreamPlan, counts: StreamCounts) -> list[str]:
    """Return that deletes are on, and what would be deleted."""
    if plan.max_deletes is None:
        return []
    limit = f"at most {plan.max_deletes:,} in a run (max_deletes)"
    if not plan.deletes:
        return [f"{name}: deletes are on, {limit}; would delete nothing"]
    deleted = counts.outcomes[Outcome.DELETED]
    examples = ", ".join(map(_key_text, plan.deletes))
    return [f"{name}: would delete {deleted:,}, such as {examples}; {limit}"]


def _change_lines(changes: Mapping[str, tuple[object, object]]) -> list[str]:
    """Return a line for each changed field; readable without its indentation, too."""
    lines = [
        f"  · {one_line(name)}: {display(before)} → {display(after)}"
        for name, (before, after) in islice(changes.items(), MAX_FIELDS_SHOWN)
    ]
    more = len(changes) - len(lines)
    if more:
        lines.append(f"  · and {counted(more, 'more field')}")
    return lines


def _at_least_a_tenth(number: float) -> str:
    """Format a number to a tenth, but a small one never as 0.0."""
    tenth = 0.1
    return f"less than {tenth}" if 0 < number < tenth else f"{number:.1f}"
