"""The plan of a dry run: what the run would write, and what that would cost.

Only the writers are replaced: everything before the write calls is the real thing.
"""

from __future__ import annotations

import math
import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from target_gainsight.api import ObjectSchema, RateLimitGroup, RateLimits
from target_gainsight.loading.dry_run.overlay import PlannedRows, RowNames
from target_gainsight.loading.keys import TO_BE_CREATED, Key
from target_gainsight.loading.lookups.index import LookupIndex
from target_gainsight.loading.outcomes import BatchResult, Outcome
from target_gainsight.loading.records import LoadRecord
from target_gainsight.loading.settling.summary import StreamCounts, Summary
from target_gainsight.loading.storage.temp_database import SpilledValues
from target_gainsight.loading.writing.writer import WRITTEN, Action, Batch, Unresolved, Writer
from target_gainsight.mapping.errors import counted, display, json_value
from target_gainsight.mapping.escaping import one_line

MAX_EXAMPLES = 5
MAX_FIELDS_SHOWN = 6
UPLOAD = "upload"
"""The kind of upload calls; as many as an hour allows are sent at once."""


@dataclass
class StreamPlan:
    """The writes of one stream.

    Attributes:
        updates: The keys of the first rows that would change, and for each changed field the
            tenant's value and the new value.
        creates: The keys of the first rows that would be created.
        deletes: The keys of the first rows that would be deleted.
        max_deletes: The number of rows that may be deleted; None if deletes are off.
        files: The files that would be sent or written: size in bytes, and destination.
        rules: The fields with a write rule, and the rule in words.
        kept: The number of rows that keep their value of a field because of its rule.
        fallback_keys: The fields that find rows without lookup keys.
        schema: The object, whose picklists are shown by labels; None where it is unknown.
    """

    write_calls: int = 0
    updates: list[tuple[Key, Mapping[str, tuple[object, object]]]] = field(default_factory=list)
    creates: list[Key] = field(default_factory=list)
    deletes: list[Key] = field(default_factory=list)
    max_deletes: int | None = None
    files: list[tuple[int, str]] = field(default_factory=list)
    rules: Mapping[str, str] = field(default_factory=dict)
    kept: Counter[str] = field(default_factory=Counter)
    fallback_keys: tuple[str, ...] = ()
    schema: ObjectSchema | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the plan as JSON values."""
        return {
            "write_calls": self.write_calls,
            "max_deletes": self.max_deletes,
            "files": [{"bytes": size, "for": destination} for size, destination in self.files],
            "fallback_keys": list(self.fallback_keys),
            "field_rules": {
                name: {"rule": rule, "rows_kept": self.kept[name]}
                for name, rule in self.rules.items()
            },
            "examples_created": [_key_json(key) for key in self.creates],
            "examples_deleted": [_key_json(key) for key in self.deletes],
            "examples_updated": [
                {
                    "key": _key_json(key),
                    "fields": {
                        name: {"before": before, "after": after}
                        for name, (before, after) in changes.items()
                    },
                }
                for key, changes in self.updates
            ],
        }

    def lines(self, name: str, counts: StreamCounts) -> list[str]:
        """Return the plan for a person to read."""
        outcomes, lines = counts.outcomes, []
        if self.creates and outcomes[Outcome.CREATED]:
            created = f"{outcomes[Outcome.CREATED]:,}, such as {_key_texts(self.creates)}"
            lines.append(f"{name}: would create {created}")
        if self.updates and outcomes[Outcome.UPDATED]:
            lines.append(f"{name}: would update {outcomes[Outcome.UPDATED]:,}, such as")
            lines += self._update_lines()
        if self.max_deletes is not None:
            limit = f"at most {self.max_deletes:,} in a run (max_deletes)"
            deleted = f"{outcomes[Outcome.DELETED]:,}, such as {_key_texts(self.deletes)}"
            line = f"would delete {deleted}; {limit}"
            if not self.deletes:
                line = f"deletes are on, {limit}; would delete nothing"
            lines.append(f"{name}: {line}")
        if self.fallback_keys:
            found = counted(counts.found_by_fallback, "row")
            keys = one_line(", ".join(self.fallback_keys))
            lines.append(f"{name}: would give the lookup keys to {found} found by {keys}")
        for field_name, rule in self.rules.items():
            rows = self.kept[field_name]
            kept = f"; {counted(rows, 'row')} would keep another value" if rows else ""
            lines.append(f"{name}: {one_line(field_name)} is {rule}{kept}")
        if self.files:
            sizes = ", ".join(f"{size:,}" for size, _ in self.files[:MAX_EXAMPLES])
            more = ", …" if len(self.files) > MAX_EXAMPLES else ""
            files = f"{counted(len(self.files), 'file')} for {self.files[0][1]}"
            lines.append(f"{name}: would fill {files}, of {sizes}{more} bytes")
        lines += [f"{name}: would skip {count:,}: {code}" for code, count in counts.skips.items()]
        return lines

    def _update_lines(self) -> Iterator[str]:
        """Yield a line for each row and changed field; readable without indentation, too."""
        for key, changes in self.updates:
            yield f"- {_key_texts([key])}"
            for name, (before, after) in islice(changes.items(), MAX_FIELDS_SHOWN):
                yield f"  · {one_line(name)}: {display(before)} → {display(after)}"
            more = len(changes) - MAX_FIELDS_SHOWN
            if more > 0:
                yield f"  · and {counted(more, 'more field')}"


@dataclass(frozen=True)
class CostEstimate:
    """A run's calls by kind, its minutes at the allowed rate, its share of a day's calls."""

    calls: Mapping[str, int]
    minutes: float
    percent_of_day: float


@dataclass
class Plan:
    """The plan of a run.

    Attributes:
        limits: The limits of each group of calls.
        deleted: The GSIDs of the rows that would be deleted.
        names: The names of rows that lookups have found.
        streams: The plan of each stream.
    """

    limits: Mapping[RateLimitGroup, RateLimits]
    deleted: set[str] = field(default_factory=set, init=False)
    names: RowNames = field(default_factory=RowNames, init=False)
    streams: dict[str, StreamPlan] = field(default_factory=dict, init=False)
    _unsent: Counter[str] = field(default_factory=Counter, init=False)
    _written: dict[tuple[str, tuple[str, ...]], SpilledValues] = field(
        default_factory=dict, init=False
    )
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)

    def stream(self, name: str) -> StreamPlan:
        """Return the plan of a stream."""
        return self.streams.setdefault(name, StreamPlan())

    def written(self, object_name: str, keys: tuple[str, ...]) -> SpilledValues:
        """Return the fields written to an object so far, by the values of these lookup keys.

        Shared by all streams that write the object by these keys.
        """
        return self._written.setdefault((object_name.lower(), keys), SpilledValues())

    def record_change(
        self, record: LoadRecord, row: Mapping[str, Any], changed: Sequence[str]
    ) -> None:
        """Record that some fields of a row would change."""
        plan = self.stream(record.source.alias)
        if len(plan.updates) < MAX_EXAMPLES:
            changes = {}
            for name in changed:
                described = plan.schema.field(name) if plan.schema is not None else None
                before, after = row.get(name), record.fields.get(name)
                shown = self.names.shown(before, described), self.names.shown(after, described)
                changes[name] = shown
            plan.updates.append((record.key, changes))

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
            self._unsent["query"] += 1

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
        separate = {UPLOAD, "timeline", "token"}
        together = sum(count for kind, count in calls.items() if kind not in separate)
        limit, timeline = self.limits["synchronous"], self.limits["timeline"]
        hours = max(0, calls[UPLOAD] - 1) // self.limits["bulk"].allowed_per_window
        minutes = (
            together / limit.allowed_per_window,
            calls["timeline"] / timeline.allowed_per_window,
            60 * hours,
        )
        percent = 100 * together / limit.allowed_per_day if limit.allowed_per_day else 0.0
        return CostEstimate(dict(calls), max(minutes), percent)

    def to_json(self, summary: Summary) -> dict[str, Any]:
        """Return the plan as JSON values."""
        cost = self.cost(summary)
        counted = summary.to_json()
        return {
            "streams": {
                name: {**counts, **self.stream(name).to_json()}
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
            lines += self.stream(name).lines(display(name), counts)
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


@dataclass(kw_only=True)
class PlanningWriter(Writer):
    """Writes nothing and records what the real writer would send.

    Attributes:
        kinds: The kinds of the real writer's calls: for creates, and for updates; a delete has
            its own.
        lookups: Finds the records that would be written; None if no lookup needs them.
        rows: The rows read later, into which the records are merged.
    """

    plan: Plan
    kinds: tuple[str, str]
    batch_size: int
    object_name: str
    lookups: LookupIndex | None
    rows: PlannedRows | None

    def write(self, action: Action, batch: Batch, result: BatchResult) -> list[Unresolved]:
        """Record a call and settle the records with the outcomes that it would have."""
        kind = "delete" if action == "delete" else self.kinds[action == "update"]
        self.plan.record_call(kind, batch, action)
        for record in batch:
            result.settle(record, WRITTEN[action], gsid=record.gsid or TO_BE_CREATED)
            if action == "delete":
                if self.rows is not None:
                    self.rows.record_delete(record)
                continue
            if self.lookups is not None:
                self.lookups.on_plan(self.object_name, record.fields)
            if self.rows is not None:
                self.rows.record_write(record)
        return []


def _key_texts(keys: Sequence[Key]) -> str:
    texts = (" | ".join(map(display, key)) for key in keys)
    return ", ".join(text or "a record without keys" for text in texts)


def _key_json(key: Key) -> object:
    """Return the value of one lookup key, or the list of several; null without keys."""
    values = [json_value(part) for part in key]
    return values if len(values) > 1 else next(iter(values), None)


def _at_least_a_tenth(number: float) -> str:
    """Format a number to a tenth, but a small one never as 0.0."""
    tenth = 0.1
    return f"less than {tenth}" if 0 < number < tenth else f"{number:.1f}"
