"""Decide on each record, once its rows have been read: create, update, skip or reject it.

Records of a group with the same key are merged first, and split again if the merge is refused.
"""

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from target_gainsight.loading.dry_run import Plan
from target_gainsight.loading.keys import COMPANIES, COMPANY_ID, Key, KeyReader, SeenKeys
from target_gainsight.loading.outcomes import Outcome, Reason, Settlement, reason_of_fields
from target_gainsight.loading.reading.current_rows import GSID, Matches, Row, gsid_of
from target_gainsight.loading.records import LoadRecord, merge_fields
from target_gainsight.loading.settling.summary import Summary
from target_gainsight.loading.writing.writer import Action
from target_gainsight.mapping.errors import display, first_few
from target_gainsight.mapping.record_mapper import RecordMapper, WriteRules
from target_gainsight.mapping.types.converters import Converter
from target_gainsight.settings.stream_settings import StreamSettings

ExistingOnInsert = Literal["written", "skipped", "compared"]
"""What insert mode does with a record that the tenant has: it is written without a read; it is
skipped; or it is unchanged when it is equal, and skipped when not."""

Decision = Action | Literal["new"] | Settlement
"""How a record is written; "new" if its near matches are to be read before; or its outcome."""


@dataclass(frozen=True)
class Comparison:
    """Compares the records of one stream with rows, by the fields that can be read back."""

    mapper: RecordMapper
    compared: frozenset[str] | None = None
    link_fields: Mapping[str, Converter] = field(default_factory=dict)

    def changed_fields(self, record: Mapping[str, Any], row: Row) -> tuple[str, ...]:
        """Name the fields whose values differ; ``companies`` for new or changed links."""
        if self.compared is not None:
            record = {name: value for name, value in record.items() if name in self.compared}
        changed = self.mapper.changed_fields(record, row)
        if COMPANIES in changed:  # lists are never equal to the mapper
            links, existing = record[COMPANIES], row.get(COMPANIES) or ()
            if all(any(self._are_equal(each, link) for each in existing) for link in links):
                changed = tuple(name for name in changed if name != COMPANIES)
        return changed

    def _are_equal(self, existing: Row, link: Row) -> bool:
        return existing.get(COMPANY_ID) == link[COMPANY_ID] and all(
            converter.comparable(link[name]) == converter.comparable(existing.get(name))
            for name, converter in self.link_fields.items()
            if name in link
        )


@dataclass(eq=False)
class Classification:
    """Classifies the records of one stream.

    Attributes:
        keys: Reads lookup keys; without names for streams that are only inserted.
        seen_keys: The keys that this run has found or created; None if near matches do not matter.
    """

    settings: StreamSettings
    comparison: Comparison
    keys: KeyReader
    seen_keys: SeenKeys | None
    summary: Summary
    plan: Plan | None
    existing_on_insert: ExistingOnInsert
    rules: WriteRules = field(init=False)

    def __post_init__(self) -> None:
        self.rules = WriteRules(self.settings.field_rules)

    def split(self, group: Sequence[LoadRecord]) -> Iterator[list[LoadRecord]]:
        """Split a group into parts whose records with the same key can be merged.

        A delete, and in insert mode every record, is the only one with its key in its part.
        """
        merges = self.settings.sync_mode != "insert"
        if merges and not any(record.deletes for record in group):
            yield list(group)
            return
        part: list[LoadRecord] = []
        stands_alone: dict[Key, bool] = {}
        for record in group:
            key, alone = self.keys.normalize(record.key), record.deletes or not merges
            if key in stands_alone and (alone or stands_alone[key]):
                yield part
                part, stands_alone = [], {}
            part.append(record)
            stands_alone[key] = alone
        yield part

    def merge(self, group: Sequence[LoadRecord]) -> list[LoadRecord]:
        """Merge records with the same key as if the earlier were the row of the later."""
        by_key: dict[Key, LoadRecord] = {}
        for record in group:
            earlier = by_key.setdefault(record.key, record)
            if earlier is record:
                continue
            decided = self.rules.kept_fields(earlier.fields, earlier.waiting)
            fields, later = _without(record.fields, decided), _without(record.waiting, decided)
            by_key[record.key] = LoadRecord(
                record.source,
                merge_fields(earlier.fields, fields),
                key=record.key,
                parts=(*(earlier.parts or (earlier,)), record),
                waiting={**_without(earlier.waiting, fields), **later},
            )
        return list(by_key.values())

    def classify(self, record: LoadRecord, matches: Matches, *, near: bool) -> Decision:
        """Decide how a record is written and note its GSID, or settle it.

        If `near`, the matches are rows with other spellings of the keys of new records.
        """
        if None in record.key and self.settings.sync_mode != "insert":
            name = self.keys.names[record.key.index(None)]  # other records were rejected before
            hint = "set on_no_match of its lookup to reject, or choose other lookup_keys"
            reason = Reason("key_missing", "a lookup key must not be empty", field=name, hint=hint)
            return Settlement(record, Outcome.REJECTED, reason)
        if record.deletes:
            return self._classify_delete(record, matches)
        if not matches.readable:  # the response to the write shows whether the record existed
            incomplete = self.comparison.mapper.missing_for_create(record.fields)
            return "update" if incomplete or self.settings.sync_mode == "update" else "create"
        found = matches.exact(record.key)
        if not found:
            return self._classify_unmatched(record, matches, near=near)
        record.claimed = None  # a row with its very key may have been created meanwhile
        self._remember(record)
        if len(found) > 1 and self.settings.multi_match == "reject":
            hint = "choose lookup_keys that are unique, or set multi_match to first"
            return Settlement(record, Outcome.REJECTED, self._multi_match(found, hint))
        return self._classify_matched(record, found[0])

    def forget(self, key: Key) -> None:
        """Forget the key of a row that was deleted."""
        if self.seen_keys is not None:
            self.seen_keys.forget(self.keys.normalize(key), key)

    def _remember(self, record: LoadRecord) -> None:
        if self.seen_keys is not None:
            text = " | ".join([str(record.fields.get(name)) for name in self.keys.names])
            self.seen_keys.add(self.keys.normalize(record.key), record.key, text)

    def _classify_delete(self, record: LoadRecord, matches: Matches) -> Decision:
        found = matches.exact(record.key)
        if len(found) == 1:
            record.gsid = str(found[0].get(GSID))
            return "delete"
        if found:
            hint = "choose lookup_keys that are unique: a delete never chooses among several rows"
            return Settlement(record, Outcome.REJECTED, self._multi_match(found, hint))
        if reason := self._near_match(record, matches):
            return Settlement(record, Outcome.REJECTED, reason)
        return Settlement(record, Outcome.SKIPPED, no_row_reason(self.settings.object_name))

    def _classify_unmatched(self, record: LoadRecord, matches: Matches, *, near: bool) -> Decision:
        reason = self._near_match(record, matches)
        if reason is None and matches.claim is not None:
            claim = matches.claim(record)
            reason, record.claimed = (claim, None) if isinstance(claim, Reason) else (None, claim)
        if reason is None and near:
            reason = self._other_spelling(record)
        if reason is not None:
            return Settlement(record, Outcome.REJECTED, reason)
        if record.claimed is None and (refused := self._refuse_create(record)):
            return refused
        checks_near = self.seen_keys is not None and self.settings.sync_mode != "insert"
        if checks_near and not near and self.keys.near_values(record.fields):
            return "new"
        if near:
            self._remember(record)
        return self._classify_matched(record, record.claimed) if record.claimed else "create"

    def _refuse_create(self, record: LoadRecord) -> Settlement | None:
        if self.settings.sync_mode == "update":
            message = f"no {self.settings.object_name} has this key"
            hint = "load it with sync_mode upsert to create it"
            reason = Reason("no_match", message, hint=hint, is_listed=True)
            return Settlement(record, Outcome.SKIPPED, reason)
        if missing := self.comparison.mapper.missing_for_create(record.fields):
            return Settlement(record, Outcome.REJECTED, reason_of_fields(missing))
        return None

    def _classify_matched(self, record: LoadRecord, row: Row) -> Decision:
        counts = self.summary.streams[record.source.alias]
        counts.found_by_fallback += record.claimed is not None
        record.gsid = gsid_of(row)
        inserts = self.settings.sync_mode == "insert"
        compares = not inserts or self.existing_on_insert == "compared"
        keys = self.keys.names
        changed: tuple[str, ...] = ()
        if compares:
            changed = self.comparison.changed_fields(record.fields, row)
            if changed and record.claimed is None:
                changed = tuple(name for name in changed if name not in keys)
            if self.settings.field_rules:
                changed = self._apply_rules(record, row, changed)
        if inserts and (changed or not compares):
            message = f"{self.settings.object_name} {record.gsid or 'row'} has this key already"
            return Settlement(record, Outcome.SKIPPED, exists_reason(message), record.gsid)
        skips = inserts or self.settings.skip_unchanged or record.fields.keys() <= set(keys)
        if not changed and skips:
            return Settlement(record, Outcome.UNCHANGED, gsid=record.gsid)
        if self.plan is not None:
            self.plan.record_change(record, row, changed)
        record.changed = changed
        counts.cleared += sum(record.fields[name] is None for name in changed)
        return "update"

    def _near_match(self, record: LoadRecord, matches: Matches) -> Reason | None:
        near = matches.near(record.key) if self.seen_keys is not None else None
        if not near:
            return None
        row, names = near[0], self.keys.names
        name = next((n for n in names if record.fields.get(n) != row.get(n)), names[0])
        other, object_name = display(row.get(name)), self.settings.object_name
        return _ambiguous(record, name, f"{object_name} {row.get(GSID)} has {other}")

    def _other_spelling(self, record: LoadRecord) -> Reason | None:
        normalized = self.keys.normalize(record.key)
        other = self.seen_keys and self.seen_keys.find_other_spelling(normalized, record.key)
        if not other:
            return None
        message = f"this run has a record with the key {display(other)}"
        return _ambiguous(record, self.keys.names[0], message)

    def _multi_match(self, found: Sequence[Row], hint: str) -> Reason:
        gsids = first_few([str(row.get(GSID)) for row in found])
        message = f"{len(found)} rows of {self.settings.object_name} have this key: {gsids}"
        return Reason("multi_match", message, hint=hint)

    def _apply_rules(
        self, record: LoadRecord, row: Row, changed: tuple[str, ...]
    ) -> tuple[str, ...]:
        """Drop the fields that the row keeps; return the changed ones, if any is compared."""
        rules = self.rules
        kept = rules.kept_fields(row).intersection((*record.fields, *record.waiting))
        if kept:
            record.fields = _without(record.fields, kept)
            record.waiting = _without(record.waiting, kept)
            if self.plan is not None:
                field_rules = self.plan.streams[record.source.alias].field_rules
                for name in kept.intersection(changed):
                    field_rules[name]["rows_kept"] += 1
            changed = tuple(name for name in changed if name not in kept)
        if self.settings.skip_unchanged and rules.uncompared.issuperset(changed):
            record.waiting = _without(record.waiting, rules.uncompared)
            return ()
        return changed


def _without(values: Mapping[str, Any], names: Container[str]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name not in names}


def _ambiguous(record: LoadRecord, name: str, other: str) -> Reason:
    message = f"{other}, which differs in spelling only"
    hint = "make the two equal, or set near_matches to ignore if they are different records"
    return Reason("ambiguous_key", message, field=name, value=record.fields.get(name), hint=hint)


def no_row_reason(object_name: str) -> Reason:
    """Return why a record deletes nothing."""
    return Reason("no_match", f"no {object_name} has this key, so there is nothing to delete")


def exists_reason(message: str) -> Reason:
    """Return why insert mode skips a record that the tenant has."""
    return Reason("exists", message, hint="load it with sync_mode upsert to update it")
