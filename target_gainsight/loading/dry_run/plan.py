"""What a run would write, without writing it, and what that would cost.

Takes the place of the writer in a dry run: everything before the sending is the real thing.
"""

from __future__ import annotations

import math
import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from target_gainsight.loading.outcomes import Outcome, Settlement
from target_gainsight.loading.references import TO_BE_CREATED
from target_gainsight.loading.storage.temp_database import SpilledValues
from target_gainsight.loading.writing.attempts import Written
from target_gainsight.loading.writing.writer import Writer
from target_gainsight.mapping.errors import shown
from target_gainsight.mapping.escaping import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from target_gainsight.loading.records import LoadRecord
    from target_gainsight.loading.settling.summary import StreamCounts, Summary
    from target_gainsight.loading.writing.attempts import Action

MOST_EXAMPLES = 5
MINUTES_PER_HOUR = 60
UPLOAD = "upload"
"""How uploads are counted; as many as an hour allows go at once."""

MOST_FIELDS_SHOWN = 6


@dataclass(frozen=True)
class Difference:
    """One field that an update would change.

    Attributes:
        name: The field.
        before: What the tenant holds, as it reads it.
        after: What would be written.
    """

    name: str
    before: object
    after: object


@dataclass(frozen=True)
class PlannedUpdate:
    """One row that would change.

    Attributes:
        key: The record's lookup keys.
        differences: Its first differences.
    """

    key: str
    differences: tuple[Difference, ...]


@dataclass
class StreamPlan:
    """What would be written of one stream.

    Attributes:
        write_calls: Calls that the writes would take.
        updates: The first rows that would change.
        creates: The keys of the first rows that would be created.
        files: Bytes of the files that would be sent or written, and where each would go.
    """

    write_calls: int = 0
    updates: list[PlannedUpdate] = field(default_factory=list)
    creates: list[str] = field(default_factory=list)
    files: list[tuple[int, str]] = field(default_factory=list)


@dataclass(frozen=True)
class CostEstimate:
    """What a run would cost.

    Attributes:
        calls: Its calls, by kind.
        minutes: At the allowed rate.
        percent_of_day: Of the allowed calls of a day.
    """

    calls: Mapping[str, int]
    minutes: float
    percent_of_day: float

    @property
    def total(self) -> int:
        """All calls."""
        return sum(self.calls.values())


class Plan:
    """What a run would do.

    Args:
        allowed_per_minute: Calls that we may make in a minute.
        allowed_per_day: Calls that we may make in a day; None where days have no limit.
        apart: Kinds of calls that the tenant counts apart, to those that we may make in a minute.
        uploads_per_hour: Bulk uploads that we may make in an hour.
    """

    def __init__(
        self,
        allowed_per_minute: int,
        allowed_per_day: int | None,
        apart: Mapping[str, float] | None = None,
        *,
        uploads_per_hour: int = 1,
    ) -> None:
        self._per_minute = allowed_per_minute
        self._per_day = allowed_per_day
        self._apart = dict(apart or {})
        self._uploads_per_hour = uploads_per_hour
        self._lock = threading.Lock()
        self._writes: Counter[str] = Counter()
        self._written: dict[tuple[str, tuple[str, ...]], SpilledValues] = {}
        self.streams: dict[str, StreamPlan] = {}

    def stream(self, name: str) -> StreamPlan:
        """Return the plan of a stream, beginning it if need be."""
        return self.streams.setdefault(name, StreamPlan())

    def note_change(
        self, record: LoadRecord, row: Mapping[str, Any], changed: Sequence[str]
    ) -> None:
        """Take note of a row that would change.

        Args:
            record: The record.
            row: The row it would change.
            changed: The fields that differ.
        """
        updates = self.stream(record.source.alias).updates
        if len(updates) < MOST_EXAMPLES:
            differences = tuple(
                Difference(name, row.get(name), record.fields.get(name)) for name in changed
            )
            updates.append(PlannedUpdate(_key(record), differences))

    def written(self, object_name: str, keys: tuple[str, ...]) -> SpilledValues:
        """Return what would have been written to an object by now.

        Args:
            object_name: The object.
            keys: The lookup keys by which it is written.

        Returns:
            The fields by the values of the keys, shared by all streams that write so.
        """
        return self._written.setdefault((object_name.lower(), keys), SpilledValues())

    def note_call(self, kind: str, batch: Sequence[LoadRecord], *, creates: bool) -> None:
        """Take note of a call that would be made.

        Args:
            kind: How such calls are counted.
            batch: What it would write.
            creates: Whether it would create rows.
        """
        with self._lock:
            plan = self.stream(batch[0].source.alias)
            plan.write_calls += 1
            self._writes[kind] += 1
            if creates:
                room = MOST_EXAMPLES - len(plan.creates)
                plan.creates += [_key(record) for record in batch[:room]]

    def note_file(self, stream: str, size: int, where: str, *, upload: bool = False) -> None:
        """Take note of a file that would be sent, or written.

        Args:
            stream: The stream.
            size: Its bytes.
            where: Where it would go.
            upload: Whether it would cost a call.
        """
        self.stream(stream).files.append((size, where))
        if upload:
            self._writes[UPLOAD] += 1

    def cost(self, summary: Summary) -> CostEstimate:
        """Say what the run would cost: the calls that were made, and the writes that were not.

        Args:
            summary: What was counted.
        """
        calls = summary.calls.by_kind + self._writes
        apart = {UPLOAD, *self._apart}
        together = sum(count for kind, count in calls.items() if kind not in apart)
        alone = [calls[kind] / rate for kind, rate in self._apart.items()]
        hours = max(0, calls[UPLOAD] - 1) // self._uploads_per_hour
        return CostEstimate(
            calls=dict(calls),
            minutes=max([together / self._per_minute, *alone, hours * MINUTES_PER_HOUR]),
            percent_of_day=100 * together / self._per_day if self._per_day else 0.0,
        )

    def to_json(self, summary: Summary) -> dict[str, Any]:
        """Return the plan as JSON values.

        Args:
            summary: What was counted.
        """
        cost = self.cost(summary)
        counted = summary.to_json()
        return {
            "streams": {
                name: {**counts, **self._stream_json(name)}
                for name, counts in counted["streams"].items()
            },
            "rejects": counted["rejects"],
            "cost": {
                "calls": cost.total,
                "by_kind": dict(cost.calls),
                "minutes": round(cost.minutes, 1),
                "percent_of_day": round(cost.percent_of_day, 1),
                "fits_into_a_day": cost.percent_of_day <= 100,  # noqa: PLR2004 - percent
            },
        }

    def to_text(self, summary: Summary) -> str:
        """Return the plan for a person to read.

        Args:
            summary: What was counted.
        """
        lines = ["plan: nothing was written", summary.table(), *summary.file_lines()]
        for name, counts in summary.streams.items():
            lines += self._stream_lines(shown(name), self.stream(name), counts)
        lines += summary.reject_lines()
        cost = self.cost(summary)
        kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(cost.calls.items()))
        lines.append(
            f"cost: {cost.total} calls ({kinds or 'none'}), {_least(cost.minutes)} minutes at "
            f"the allowed rate, {_least(cost.percent_of_day)}% of a day's quota"
        )
        if cost.percent_of_day > 100:  # noqa: PLR2004 - percent
            days = math.ceil(cost.percent_of_day / 100)
            lines.append(
                f"warning: this does not fit into a day; it takes {days} days, each run going on "
                "where the last one stopped"
            )
        return "\n".join(lines)

    def _stream_lines(self, name: str, plan: StreamPlan, counts: StreamCounts) -> list[str]:
        lines = []
        if plan.creates:
            created = counts.outcomes[Outcome.CREATED]
            lines.append(f"{name}: would create {created:,}, such as {', '.join(plan.creates)}")
        if plan.updates:
            lines.append(f"{name}: would update {counts.outcomes[Outcome.UPDATED]:,}, such as")
            for update in plan.updates:
                lines += [f"  {update.key}", *_differences(update)]
        if plan.files:
            lines.append(_files_line(name, plan.files))
        lines += [f"{name}: would skip {count:,}: {code}" for code, count in counts.skips.items()]
        return lines

    def _stream_json(self, name: str) -> dict[str, Any]:
        plan = self.stream(name)
        return {
            "write_calls": plan.write_calls,
            "files": [{"bytes": size, "for": where} for size, where in plan.files],
            "examples_created": plan.creates,
            "examples_updated": [
                {
                    "key": update.key,
                    "fields": {
                        each.name: {"before": each.before, "after": each.after}
                        for each in update.differences
                    },
                }
                for update in plan.updates
            ],
        }


class PlanningWriter(Writer):
    """Writes nothing and takes note of what the real writer would send.

    Args:
        plan: Takes the notes.
        kinds: How the real writer's calls are named, for creates and for updates.
        batch_size: Its records per call.
        would_write: Is told of each record that would be written.
    """

    def __init__(
        self,
        plan: Plan,
        kinds: tuple[str, str],
        batch_size: int,
        would_write: Callable[[LoadRecord], None],
    ) -> None:
        self.batch_size = batch_size
        self._would_write = would_write
        self._plan = plan
        self._kinds = kinds

    def write(self, action: Action, records: Sequence[LoadRecord]) -> Written:
        """Note a call and return the outcomes that it would have."""
        creates = action == "create"
        self._plan.note_call(self._kinds[0 if creates else 1], records, creates=creates)
        for record in records:
            self._would_write(record)
        outcome = Outcome.CREATED if creates else Outcome.UPDATED
        return Written(
            tuple(
                Settlement(record, outcome, gsid=record.gsid or TO_BE_CREATED) for record in records
            )
        )


def _files_line(name: str, files: Sequence[tuple[int, str]]) -> str:
    sizes = ", ".join(f"{size:,}" for size, _ in files[:MOST_EXAMPLES])
    more = ", …" if len(files) > MOST_EXAMPLES else ""
    count = "1 file" if len(files) == 1 else f"{len(files)} files"
    return f"{name}: would fill {count} for {files[0][1]}, of {sizes}{more} bytes"


def _key(record: LoadRecord) -> str:
    return " | ".join(shown(part) for part in record.key) or "a record without keys"


def _differences(update: PlannedUpdate) -> list[str]:
    shown_ones = update.differences[:MOST_FIELDS_SHOWN]
    lines = [
        f"    {one_line(each.name)}: {shown(each.before)} → {shown(each.after)}"
        for each in shown_ones
    ]
    more = len(update.differences) - len(shown_ones)
    return [*lines, f"    and {more} more fields"] if more else lines


def _least(number: float) -> str:
    """Write a number to a tenth, but never as nothing."""
    tenth = 0.1
    return f"less than {tenth}" if 0 < number < tenth else f"{number:.1f}"
