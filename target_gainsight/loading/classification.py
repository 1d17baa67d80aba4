"""Create, update, or leave alone: what becomes of a record once its rows have been read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol

from target_gainsight.loading.outcomes import Outcome, Reason, reason_of_fields
from target_gainsight.loading.reading.current_rows import GSID
from target_gainsight.mapping.errors import display

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from target_gainsight.loading.dry_run.plan import Plan
    from target_gainsight.loading.outcomes import BatchResult
    from target_gainsight.loading.reading.current_rows import Matches
    from target_gainsight.loading.reading.keys import KeyReader
    from target_gainsight.loading.reading.seen_keys import SeenKeys
    from target_gainsight.loading.records import LoadRecord
    from target_gainsight.loading.settling.summary import Summary
    from target_gainsight.loading.writing.attempts import Action
    from target_gainsight.mapping.errors import FieldError
    from target_gainsight.settings import StreamSettings

ExistingOnInsert = Literal["written", "skipped", "compared"]
"""What insert mode makes of a record that the tenant has: it is written all the same, without a
look; it is skipped; or it is unchanged when it is equal, and skipped when not."""


ONLY_IN_SPELLING = "differs in case, blanks or Unicode form only"


class RecordMap(Protocol):
    """What the loader asks of the stream's record mapper."""

    def changed_fields(self, record: Mapping[str, Any], row: Mapping[str, Any]) -> tuple[str, ...]:
        """Name the fields whose written value a row does not hold already."""

    def missing_for_create(self, record: Mapping[str, Any]) -> tuple[FieldError, ...]:
        """Name the required fields that a new row would lack."""


class Classification:
    """Classifies the records of one stream.

    Args:
        settings: How the stream is loaded.
        mapper: Compares records with rows.
        keys: The lookup keys, which are equal in a record and its row.
        seen_keys: The keys that this run has found or created; None if near matches do not matter.
        summary: Counts the fields that a null empties.
        plan: Takes note of what would change, in a dry run.
        existing_on_insert: What insert mode makes of a record that the tenant has.
    """

    def __init__(
        self,
        settings: StreamSettings,
        mapper: RecordMap,
        keys: KeyReader,
        seen_keys: SeenKeys | None,
        summary: Summary,
        plan: Plan | None,
        existing_on_insert: ExistingOnInsert = "skipped",
    ) -> None:
        self._settings = settings
        self._mapper = mapper
        self._keys = frozenset(keys.names)
        self._key_names = keys.names
        self._normalize = keys.normalize
        self._seen_keys = seen_keys
        self._summary = summary
        self._plan = plan
        self._compares_on_insert = existing_on_insert == "compared"

    def classify(self, record: LoadRecord, matches: Matches, now: BatchResult) -> Action | None:
        """Decide what becomes of a record.

        Args:
            record: The record; it learns the GSID of its row.
            matches: The rows that it may meet.
            now: Takes its outcome, if it needs no write.

        Returns:
            How it is to be written, or None when it has its outcome.
        """
        if None in record.key and self._settings.sync_mode != "insert":
            now.settle(record, Outcome.REJECTED, self._key_missing(record))
            return None
        if not matches.told:
            return self._untold(record)
        found = matches.exact(record.key)
        if not found:
            return self._unmatched(record, matches, now)
        self._remember(record)
        if len(found) > 1 and self._settings.multi_match == "reject":
            now.settle(record, Outcome.REJECTED, self._several(found))
            return None
        return self._matched(record, found[0], now)

    def classify_unique(
        self, record: LoadRecord, near_matches: Matches, now: BatchResult
    ) -> Action | None:
        """Decide what becomes of a record to create, once rows with near keys have been read.

        Args:
            record: The record.
            near_matches: The rows whose keys are other spellings of its own.
            now: Takes its outcome, if it needs no write.

        Returns:
            How it is to be written, or None when it has its outcome.
        """
        action = self.classify(record, near_matches, now)
        if action != "create" or self._seen_keys is None:
            return action
        normalized = self._normalize(record.key)
        other = self._seen_keys.find_other_spelling(normalized, record.key)
        if other is not None:
            message = (
                f"this run has a record with the key {display(other)}, which {ONLY_IN_SPELLING}"
            )
            now.settle(
                record, Outcome.REJECTED, self._ambiguous(record, self._key_names[0], message)
            )
            return None
        self._remember(record)
        return "create"

    def _remember(self, record: LoadRecord) -> None:
        """Remember the key of a record whose row is there, or will be created."""
        if self._seen_keys is not None:
            text = " | ".join([str(record.fields.get(name)) for name in self._key_names])
            self._seen_keys.add(self._normalize(record.key), record.key, text)

    def _untold(self, record: LoadRecord) -> Action:
        """Choose a write that tells by its answer whether the record was there."""
        only_updates = self._settings.sync_mode == "update"
        incomplete = only_updates or bool(self._mapper.missing_for_create(record.fields))
        return "update" if incomplete else "create"

    def _unmatched(self, record: LoadRecord, matches: Matches, now: BatchResult) -> Action | None:
        near = matches.near(record.key) if self._seen_keys is not None else []
        if near:
            now.settle(record, Outcome.REJECTED, self._ambiguous_with(record, near[0]))
        elif self._settings.sync_mode == "update":
            message = f"no {self._settings.object_name} has this key"
            hint = "load it with sync_mode upsert to create it"
            now.settle(record, Outcome.SKIPPED, Reason("no_match", message, hint=hint))
        elif missing := self._mapper.missing_for_create(record.fields):
            now.settle(record, Outcome.REJECTED, reason_of_fields(missing))
        else:
            return "create"
        return None

    def _matched(
        self, record: LoadRecord, row: Mapping[str, Any], now: BatchResult
    ) -> Action | None:
        record.gsid = str(row.get(GSID))
        if self._settings.sync_mode == "insert":
            self._settle_known(record, row, now)
            return None
        changed = self._changed(record, row)
        if not changed and (self._settings.skip_unchanged or self._keys.issuperset(record.fields)):
            now.settle(record, Outcome.UNCHANGED, gsid=record.gsid)
            return None
        if self._plan is not None:
            self._plan.record_change(record, row, changed)
        counts = self._summary.stream(record.source.alias)
        counts.cleared += sum(record.fields[name] is None for name in changed)
        return "update"

    def _settle_known(self, record: LoadRecord, row: Mapping[str, Any], now: BatchResult) -> None:
        if self._compares_on_insert and not self._changed(record, row):
            now.settle(record, Outcome.UNCHANGED, gsid=record.gsid)
            return
        reason = already_there(f"{self._settings.object_name} {record.gsid} has this key already")
        now.settle(record, Outcome.SKIPPED, reason, record.gsid)

    def _changed(self, record: LoadRecord, row: Mapping[str, Any]) -> tuple[str, ...]:
        changed = self._mapper.changed_fields(record.fields, row)
        return tuple(name for name in changed if name not in self._keys)

    def _several(self, found: Sequence[Mapping[str, Any]]) -> Reason:
        gsids = ", ".join(str(row.get(GSID)) for row in found)
        return Reason(
            "multi_match",
            f"{len(found)} rows of {self._settings.object_name} have this key: {gsids}",
            hint="choose lookup_keys that are unique, or set multi_match to first",
        )

    def _key_missing(self, record: LoadRecord) -> Reason:
        """Reject a record whose key a lookup has left empty; others were rejected before."""
        name = self._key_names[record.key.index(None)]
        hint = "set on_no_match of its lookup to reject, or choose other lookup_keys"
        return Reason("key_missing", "a lookup key needs a value", field=name, hint=hint)

    def _ambiguous_with(self, record: LoadRecord, row: Mapping[str, Any]) -> Reason:
        names = self._key_names
        name = next((n for n in names if record.fields.get(n) != row.get(n)), names[0])
        other = display(row.get(name))
        message = (
            f"{self._settings.object_name} {row.get(GSID)} has {other}, which {ONLY_IN_SPELLING}"
        )
        return self._ambiguous(record, name, message)

    def _ambiguous(self, record: LoadRecord, name: str, message: str) -> Reason:
        return Reason(
            "ambiguous_key",
            message,
            field=name,
            value=record.fields.get(name),
            hint="make the two equal, or set near_matches to ignore if they are different records",
        )


def already_there(message: str) -> Reason:
    """Say why insert mode leaves out a record that the tenant has."""
    return Reason("exists", message, hint="load it with sync_mode upsert to update it")
