"""Decide on each record, once its rows have been read: create, update, skip or reject it.

Records of a group with the same key are merged first, and split again if the merge is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from target_gainsight.loading.dry_run.plan import Plan
from target_gainsight.loading.keys import Key, KeyReader
from target_gainsight.loading.near_matches import SeenKeys
from target_gainsight.loading.outcomes import BatchResult, Outcome, Reason, reason_of_fields
from target_gainsight.loading.reading.api_rows import Comparison, merged_fields
from target_gainsight.loading.reading.current_rows import GSID, Matches
from target_gainsight.loading.records import LoadRecord
from target_gainsight.loading.settling.summary import Summary
from target_gainsight.loading.writing.writer import Action
from target_gainsight.mapping.errors import display
from target_gainsight.mapping.write_rules import WriteRules
from target_gainsight.settings.stream_settings import StreamSettings

ExistingOnInsert = Literal["written", "skipped", "compared"]
"""What insert mode does with a record that the tenant has: it is written without a read; it is
skipped; or it is unchanged when it is equal, and skipped when not."""

RETRIED_CODES = ("unavailable", "outcome_unknown")
"""Rejects that do not depend on the values: a merge is not split for them."""

ONLY_IN_SPELLING = "differs in spelling only"


@dataclass(eq=False)
class Classification:
    """Classifies the records of one stream.

    Attributes:
        seen_keys: The keys that this run has found or created; None if near matches do not matter.
        plan: Records what would change, in a dry run.
    """

    settings: StreamSettings
    mapper: Comparison
    keys: KeyReader
    seen_keys: SeenKeys | None
    summary: Summary
    plan: Plan | None
    existing_on_insert: ExistingOnInsert
    rules: WriteRules | None

    def classify(self, record: LoadRecord, matches: Matches, result: BatchResult) -> Action | None:
        """Decide how a record is written and note its GSID.

        Returns:
            How it is to be written, or None when it has its outcome, which the result takes.
        """
        if None in record.key and self.settings.sync_mode != "insert":
            result.settle(record, Outcome.REJECTED, self._key_missing(record))
            return None
        if not matches.readable:  # the response to the write shows whether the record existed
            only_updates = self.settings.sync_mode == "update"
            incomplete = only_updates or bool(self.mapper.missing_for_create(record.fields))
            return "update" if incomplete else "create"
        found = matches.exact(record.key)
        if not found:
            return self._classify_unmatched(record, matches, result)
        record.claimed = None  # a row with its very key may have been created meanwhile
        self._remember(record)
        if len(found) > 1 and self.settings.multi_match == "reject":
            hint = "choose lookup_keys that are unique, or set multi_match to first"
            result.settle(record, Outcome.REJECTED, self._multi_match(found, hint))
            return None
        return self.classify_matched(record, found[0], result)

    def classify_unique(
        self, record: LoadRecord, near_matches: Matches, result: BatchResult
    ) -> Action | None:
        """Classify a record with a new key, once rows with other spellings of it have been read."""
        action = self.classify(record, near_matches, result)
        is_new_key = action == "create" or (action is not None and record.claimed is not None)
        if not is_new_key or self.seen_keys is None:
            return action
        normalized = self.keys.normalize(record.key)
        other = self.seen_keys.find_other_spelling(normalized, record.key)
        if other is None:
            self._remember(record)
            return action
        message = f"this run has a record with the key {display(other)}, which {ONLY_IN_SPELLING}"
        reason = _ambiguous(record, self.keys.names[0], message)
        result.settle(record, Outcome.REJECTED, reason)
        return None

    def classify_matched(
        self, record: LoadRecord, row: Mapping[str, Any], result: BatchResult
    ) -> Action | None:
        """Classify a record whose row is known, be it found by fallback keys."""
        counts = self.summary.streams[record.source.alias]
        counts.found_by_fallback += record.claimed is not None
        record.gsid = str(row.get(GSID))
        inserts = self.settings.sync_mode == "insert"
        compares = not inserts or self.existing_on_insert == "compared"
        keys = self.keys.names
        changed: tuple[str, ...] = ()
        if compares:
            changed = self.mapper.changed_fields(record.fields, row)
            if changed and record.claimed is None:
                changed = tuple(name for name in changed if name not in keys)
            if self.rules is not None:
                changed = self._apply_rules(self.rules, record, row, changed)
        if inserts and (changed or not compares):
            message = f"{self.settings.object_name} {record.gsid} has this key already"
            result.settle(record, Outcome.SKIPPED, exists_reason(message), record.gsid)
            return None
        skips = inserts or self.settings.skip_unchanged or record.fields.keys() <= set(keys)
        if not changed and skips:
            result.settle(record, Outcome.UNCHANGED, gsid=record.gsid)
            return None
        if self.plan is not None:
            self.plan.record_change(record, row, changed)
        record.changed = changed
        counts.cleared += sum(record.fields[name] is None for name in changed)
        return "update"

    def finds_row_to_delete(
        self, record: LoadRecord, matches: Matches, result: BatchResult
    ) -> bool:
        """Find the one row that a record deletes and note its GSID; settle it if there is none."""
        found = matches.exact(record.key)
        if None in record.key:
            result.settle(record, Outcome.REJECTED, self._key_missing(record))
        elif len(found) > 1:
            hint = "choose lookup_keys that are unique: a delete never chooses among several rows"
            result.settle(record, Outcome.REJECTED, self._multi_match(found, hint))
        elif found:
            record.gsid = str(found[0].get(GSID))
            return True
        elif reason := self._near_match(record, matches):
            result.settle(record, Outcome.REJECTED, reason)
        else:
            result.settle(record, Outcome.SKIPPED, no_row_reason(self.settings.object_name))
        return False

    def _remember(self, record: LoadRecord) -> None:
        """Remember the key of a record whose row exists, or will be created."""
        if self.seen_keys is not None:
            text = " | ".join([str(record.fields.get(name)) for name in self.keys.names])
            self.seen_keys.add(self.keys.normalize(record.key), record.key, text)

    def _classify_unmatched(
        self, record: LoadRecord, matches: Matches, result: BatchResult
    ) -> Action | None:
        reason = self._near_match(record, matches)
        if reason is None and matches.claim is not None:
            claim = matches.claim(record)
            if isinstance(claim, Reason):
                reason = claim
            else:
                record.claimed = claim
        if reason is not None:
            result.settle(record, Outcome.REJECTED, reason)
        elif record.claimed is not None:
            return "update"
        elif self.settings.sync_mode == "update":
            message = f"no {self.settings.object_name} has this key"
            hint = "load it with sync_mode upsert to create it"
            reason = Reason("no_match", message, hint=hint, is_listed=True)
            result.settle(record, Outcome.SKIPPED, reason)
        elif missing := self.mapper.missing_for_create(record.fields):
            result.settle(record, Outcome.REJECTED, reason_of_fields(missing))
        else:
            return "create"
        return None

    def _near_match(self, record: LoadRecord, matches: Matches) -> Reason | None:
        """Return the reason to reject a record whose key resembles that of a row."""
        near = matches.near(record.key) if self.seen_keys is not None else None
        if not near:
            return None
        row, names = near[0], self.keys.names
        name = next((n for n in names if record.fields.get(n) != row.get(n)), names[0])
        other, object_name = display(row.get(name)), self.settings.object_name
        message = f"{object_name} {row.get(GSID)} has {other}, which {ONLY_IN_SPELLING}"
        return _ambiguous(record, name, message)

    def _key_missing(self, record: LoadRecord) -> Reason:
        """Return why a record is rejected whose lookup left a key empty."""
        name = self.keys.names[record.key.index(None)]  # other records were rejected before
        hint = "set on_no_match of its lookup to reject, or choose other lookup_keys"
        return Reason("key_missing", "a lookup key needs a value", field=name, hint=hint)

    def _multi_match(self, found: Sequence[Mapping[str, Any]], hint: str) -> Reason:
        gsids = ", ".join(str(row.get(GSID)) for row in found)
        message = f"{len(found)} rows of {self.settings.object_name} have this key: {gsids}"
        return Reason("multi_match", message, hint=hint)

    def _apply_rules(
        self,
        rules: WriteRules,
        record: LoadRecord,
        row: Mapping[str, Any],
        changed: tuple[str, ...],
    ) -> tuple[str, ...]:
        """Leave out the fields whose values the row keeps.

        Returns:
            The changed fields that are written; none if only uncompared fields have changed.
        """
        kept = rules.kept(row).intersection((*record.fields, *record.waiting))
        if kept:
            record.fields = _without(record.fields, kept)
            record.waiting = _without(record.waiting, kept)
            if self.plan is not None:
                self.plan.streams[record.source.alias].kept.update(kept.intersection(changed))
            changed = tuple(name for name in changed if name not in kept)
        if self.settings.skip_unchanged and rules.uncompared.issuperset(changed):
            record.waiting = _without(record.waiting, rules.uncompared)
            return ()
        return changed


def _without(values: Mapping[str, Any], names: Container[str]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name not in names}


def _ambiguous(record: LoadRecord, name: str, message: str) -> Reason:
    hint = "make the two equal, or set near_matches to ignore if they are different records"
    return Reason("ambiguous_key", message, field=name, value=record.fields.get(name), hint=hint)


def no_row_reason(object_name: str) -> Reason:
    """Return why a record deletes nothing."""
    return Reason("no_match", f"no {object_name} has this key, so there is nothing to delete")


def exists_reason(message: str) -> Reason:
    """Return why insert mode skips a record that the tenant has."""
    return Reason("exists", message, hint="load it with sync_mode upsert to update it")


def merge_by_key(group: Sequence[LoadRecord], rules: WriteRules | None = None) -> list[LoadRecord]:
    """Merge records with the same key: later fields win, earlier ones stay.

    The write rules hold for the later records as if the earlier were a row.

    Returns:
        A record for each key, in the order in which the keys came first.
    """
    by_key: dict[Key, LoadRecord] = {}
    for record in group:
        earlier = by_key.setdefault(record.key, record)
        if earlier is record:
            continue
        fields, later = record.fields, record.waiting
        if rules is not None:
            decided = rules.kept(earlier.fields, earlier.waiting)
            fields, later = _without(fields, decided), _without(later, decided)
        by_key[record.key] = LoadRecord(
            record.source,
            merged_fields(earlier.fields, fields),
            key=record.key,
            parts=(*(earlier.parts or (earlier,)), record),
            waiting={**_without(earlier.waiting, fields), **later},
        )
    return list(by_key.values())


def split_repeats(group: Sequence[LoadRecord]) -> Iterator[list[LoadRecord]]:
    """Split a group so that no key occurs twice in a part."""
    part: dict[Key, LoadRecord] = {}
    for record in group:
        if record.key in part:
            yield list(part.values())
            part = {}
        part[record.key] = record
    yield list(part.values())


def split_at_deletes(
    group: Sequence[LoadRecord], normalize: Callable[[Key], Key]
) -> Iterator[list[LoadRecord]]:
    """Split a group so that a key that is deleted occurs once in a part, in any spelling."""
    part: list[LoadRecord] = []
    deletes: dict[Key, bool] = {}
    for record in group:
        key = normalize(record.key)
        if deletes.get(key) or (record.deletes and key in deletes):
            yield part
            part, deletes = [], {}
        part.append(record)
        deletes[key] = record.deletes
    yield part


def take_refused_merges(result: BatchResult) -> list[LoadRecord]:
    """Remove refused merges from a result; return the merged records, to be sent one by one."""
    unmerged: list[LoadRecord] = []
    kept = []
    for settlement in result.settlements:
        code = settlement.reason.code if settlement.reason else ""
        is_refused = settlement.outcome is Outcome.REJECTED and code not in RETRIED_CODES
        if is_refused and settlement.record.parts:
            unmerged.extend(settlement.record.parts)
        else:
            kept.append(settlement)
    result.settlements = kept
    return unmerged
