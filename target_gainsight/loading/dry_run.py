"""Dry runs: the plan of what a run would write and cost, and the stand-ins that fill it.

Only a stream's writer and its current rows are replaced: everything else is the real thing.
"""

import math
import threading
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from target_gainsight.api import Field, ObjectSchema, RateLimitGroup, RateLimits
from target_gainsight.loading.keys import TO_BE_CREATED, Key
from target_gainsight.loading.lookups.index import Cache
from target_gainsight.loading.outcomes import BatchResult, Outcome
from target_gainsight.loading.reading.current_rows import GSID, CurrentRows, Matches
from target_gainsight.loading.records import LoadRecord, merge_fields
from target_gainsight.loading.settling.summary import StreamCounts, Summary
from target_gainsight.loading.storage.temp_database import SpilledValues
from target_gainsight.loading.writing.writer import WRITTEN, Action, Batch, Unresolved, Writer
from target_gainsight.mapping.errors import counted, display, json_value
from target_gainsight.mapping.escaping import one_line
from target_gainsight.mapping.types.picklists import label_of

MAX_EXAMPLES = 5
MAX_FIELDS_SHOWN = 6
PICKLISTS = ("PICKLIST", "MULTISELECTDROPDOWNLIST")
UPLOAD = "upload"
"""The kind of upload calls; as many as an hour allows are sent at once."""
WHOLE_DAY = 100.0
"""The calls of a day, in percent."""


@dataclass
class StreamPlan:
    """The writes of one stream, as they are in the JSON of a plan.

    Attributes:
        max_deletes: None if deletes are off.
        files: The files that would be sent or written: size in `bytes`, and what they are `for`.
        field_rules: The fields with a write rule: the `rule` in words, and `rows_kept`, the number
            of rows that keep their value because of it.
        examples_updated: For each changed field of a row, the tenant's value and the new value.
    """

    write_calls: int = 0
    max_deletes: int | None = None
    files: list[dict[str, Any]] = field(default_factory=list)
    fallback_keys: Sequence[str] = ()
    field_rules: dict[str, dict[str, Any]] = field(default_factory=dict)
    examples_created: list[object] = field(default_factory=list)
    examples_deleted: list[object] = field(default_factory=list)
    examples_updated: list[dict[str, Any]] = field(default_factory=list)

    def lines(self, counts: StreamCounts) -> Iterator[str]:
        """Yield the plan for a person to read; each change is on lines of its own."""
        outcomes = counts.outcomes
        if created := outcomes[Outcome.CREATED]:
            yield f"would create {created:,}, such as {_key_texts(self.examples_created)}"
        if self.examples_updated and outcomes[Outcome.UPDATED]:
            changes = "\n".join(self._change_lines())
            yield f"would update {outcomes[Outcome.UPDATED]:,}, such as\n{changes}"
        if self.max_deletes is not None:
            keys = _key_texts(self.examples_deleted)
            examples = f", such as {keys}" if self.examples_deleted else ""
            limit = f"at most {self.max_deletes:,} in a run (max_deletes)"
            yield f"would delete {outcomes[Outcome.DELETED]:,}{examples}; {limit}"
        if self.fallback_keys:
            found = counted(counts.found_by_fallback, "row")
            keys = one_line(", ".join(self.fallback_keys))
            yield f"would give the lookup keys to {found} found by {keys}"
        for name, rule in self.field_rules.items():
            rows = rule["rows_kept"]
            kept = f"; {counted(rows, 'row')} would keep another value" if rows else ""
            yield f"{one_line(name)} is {rule['rule']}{kept}"
        if self.files:
            files = f"{counted(len(self.files), 'file')} for {self.files[0]['for']}"
            yield f"would fill {files}, {sum(each['bytes'] for each in self.files):,} bytes in all"
        for code, count in counts.skips.items():
            yield f"would skip {count:,}: {code}"

    def _change_lines(self) -> Iterator[str]:
        """Yield a line for each row and changed field; readable without indentation, too."""
        for update in self.examples_updated:
            yield f"- {_key_texts([update['key']])}"
            changes = list(update["fields"].items())
            for name, each in changes[:MAX_FIELDS_SHOWN]:
                yield f"  · {one_line(name)}: {display(each['before'])} → {display(each['after'])}"
            if more := changes[MAX_FIELDS_SHOWN:]:
                yield f"  · and {counted(len(more), 'more field')}"


@dataclass
class Plan:
    """The plan of a run.

    Attributes:
        schemas: The objects, whose picklists are shown by labels, by stream.
        names: The values by which lookups found rows, by GSID.
        written: By lower-case object and lookup keys, the rows that would have been written.
    """

    limits: Mapping[RateLimitGroup, RateLimits]
    deleted: set[str] = field(default_factory=set, init=False)
    schemas: dict[str, ObjectSchema] = field(default_factory=dict, init=False)
    names: Cache[str, str] = field(default_factory=Cache, init=False)
    streams: defaultdict[str, StreamPlan] = field(default_factory=lambda: defaultdict(StreamPlan))
    written: defaultdict[tuple[str, tuple[str, ...]], SpilledValues] = field(
        default_factory=lambda: defaultdict(SpilledValues), init=False
    )
    _unsent: Counter[str] = field(default_factory=Counter, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)

    def record_change(
        self, record: LoadRecord, row: Mapping[str, Any], changed: Sequence[str]
    ) -> None:
        """Record that some fields of a row would change."""
        stream = record.source.alias
        examples, schema = self.streams[stream].examples_updated, self.schemas.get(stream)
        if len(examples) < MAX_EXAMPLES:
            fields = {}
            for name in changed:
                described = schema.field(name) if schema is not None else None
                before = self._named(row.get(name), described)
                after = self._named(record.fields.get(name), described)
                fields[name] = {"before": before, "after": after}
            examples.append({"key": _key_json(record.key), "fields": fields})

    def record_call(self, kind: str, batch: Sequence[LoadRecord], action: Action) -> None:
        """Record a write call."""
        with self._lock:
            plan = self.streams[batch[0].source.alias]
            plan.write_calls += 1
            self._unsent[kind] += 1
            if action != "update":
                creates = action == "create"
                examples = plan.examples_created if creates else plan.examples_deleted
                examples += [_key_json(each.key) for each in batch[: MAX_EXAMPLES - len(examples)]]

    def record_read(self) -> None:
        """Record a query that is made only to save rows before they are deleted."""
        with self._lock:
            self._unsent["query"] += 1

    def record_file(
        self, stream: str, size: int, destination: str, *, is_upload: bool = False
    ) -> None:
        """Record a file that would be written, or uploaded by a call."""
        self.streams[stream].files.append({"bytes": size, "for": destination})
        if is_upload:
            self._unsent[UPLOAD] += 1

    def cost(self, summary: Summary) -> dict[str, Any]:
        """Estimate the cost of the run as JSON: of the calls made, and of those that were not."""
        calls = summary.calls.by_kind + self._unsent
        separate = {UPLOAD, "timeline", "token"}
        together = sum(count for kind, count in calls.items() if kind not in separate)
        limit, timeline = self.limits["synchronous"], self.limits["timeline"]
        hours = max(0, calls[UPLOAD] - 1) // self.limits["bulk"].allowed_per_window
        minutes = max(
            together / limit.allowed_per_window,
            calls["timeline"] / timeline.allowed_per_window,
            60 * hours,
        )
        percent = max(
            WHOLE_DAY * count / each.allowed_per_day if each.allowed_per_day else 0.0
            for count, each in ((together, limit), (calls[UPLOAD], self.limits["bulk"]))
        )
        return {
            "calls": calls.total(),
            "by_kind": dict(calls),
            "minutes": _up_to_tenth(minutes),
            "percent_of_day": _up_to_tenth(percent),
            "fits_into_a_day": percent <= WHOLE_DAY,
        }

    def to_json(self, summary: Summary) -> dict[str, Any]:
        """Return the plan as JSON values."""
        return {
            "streams": {
                name: {**counts.to_json(), **asdict(self.streams[name])}
                for name, counts in summary.streams.items()
            },
            "rejects": {code: asdict(counts) for code, counts in summary.rejects.items()},
            "cost": self.cost(summary),
        }

    def to_text(self, summary: Summary) -> str:
        """Return the plan for a person to read."""
        lines = ["plan: nothing was written", summary.table(), *summary.file_lines()]
        for name, counts in summary.streams.items():
            lines += [f"{display(name)}: {line}" for line in self.streams[name].lines(counts)]
        lines += summary.reject_lines()
        cost = self.cost(summary)
        kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(cost["by_kind"].items()))
        lines.append(
            f"cost: {counted(cost['calls'], 'call')} ({kinds or 'none'}), {cost['minutes']} "
            f"minutes at the allowed rate, {cost['percent_of_day']}% of a day's quota"
        )
        if not cost["fits_into_a_day"]:
            days = math.ceil(cost["percent_of_day"] / WHOLE_DAY)
            lines.append(
                f"warning: this does not fit into a day; it takes {days} days, and each run "
                "continues where the last one stopped"
            )
        return "\n".join(lines)

    def _named(self, value: object, described: Field | None) -> object:
        """Return a value with labels and names instead of the GSIDs that are known already."""
        if described is not None and described.data_type in PICKLISTS:
            return label_of(value, described.options or described.load_options())
        if isinstance(value, str):
            return self.names.get(value, value)
        if isinstance(value, list):
            return [self._named(each, None) for each in value]
        if isinstance(value, dict):
            return {name: self._named(each, None) for name, each in value.items()}
        return value


@dataclass
class PlannedRows:
    """The current rows of one object, with what the run would have written so far.

    Attributes:
        written: By the lookup key, the fields that would have been written to the row, None if it
            would have been deleted; and whether the row would be a new one.
    """

    rows: CurrentRows
    written: SpilledValues

    def record_write(self, record: LoadRecord) -> None:
        """Record what would be written; a row that is found by fallback keys is kept with it."""
        earlier = self.written.find([record.key])
        before, is_new = earlier[0][1] if earlier else ({}, False)
        fields = merge_fields({**(before or {}), **(record.claimed or {})}, record.fields)
        self.written.put(record.key, (fields, is_new or before is None))

    def read(self, records: Sequence[LoadRecord], *, near: bool = False) -> Matches:
        """Read the rows of some records, as they would be by now; see ``CurrentRows.read``."""
        matches = self.rows.read(records, near=near)
        empty = dict.fromkeys(name for record in records for name in record.fields)
        keys = dict.fromkeys(record.key for record in records)
        for key, (fields, is_new) in self.written.find(keys):
            rows = [] if is_new or fields is None else matches.exact(key)
            if fields is not None:
                rows = rows or [{**empty, GSID: TO_BE_CREATED}]
                rows = [merge_fields(rows[0], fields), *rows[1:]]
            matches.replace(key, rows)
        return matches


@dataclass
class PlanningWriter(Writer):
    """Writes nothing and records what the real writer would send; ``kinds`` are of its calls."""

    plan: Plan
    kinds: tuple[str, str]
    batch_size: int
    rows: PlannedRows

    def write(self, action: Action, batch: Batch, result: BatchResult) -> list[Unresolved]:
        """Record a call and settle the records with the outcomes that it would have."""
        kind = "delete" if action == "delete" else self.kinds[action == "update"]
        self.plan.record_call(kind, batch, action)
        for record in batch:
            result.settle(record, WRITTEN[action], gsid=record.gsid or TO_BE_CREATED)
            if action == "delete":
                self.plan.deleted.add(str(record.gsid))
                self.rows.written.put(record.key, (None, False))
            elif record.key:
                self.rows.record_write(record)
        return []


def _key_json(key: Key) -> object:
    """Return the value of one lookup key, or the list of several; null without keys."""
    values = [json_value(part) for part in key]
    return values if len(values) > 1 else next(iter(values), None)


def _key_texts(keys: Sequence[object]) -> str:
    parts = (key if isinstance(key, list) else [key] for key in keys)
    texts = (" | ".join(map(display, each)) for each in parts if each != [None])
    return ", ".join(texts) or "a record without keys"


def _up_to_tenth(number: float) -> float:
    """Round up to a tenth, so that a small number is never 0."""
    return math.ceil(10 * number) / 10
