"""Create, update, or leave alone: what becomes of a record once its rows have been read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol

from target_gainsight.loading.outcomes import Outcome, Reason, reason_of_fields
from target_gainsight.loading.reading.current_rows import GSID

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from target_gainsight.loading.dry_run.plan import Plan
    from target_gainsight.loading.outcomes import BatchResult
    from target_gainsight.loading.reading.current_rows import Matches
    from target_gainsight.loading.reading.keys import KeyReader
    from target_gainsight.loading.records import LoadRecord
    from target_gainsight.loading.settling.summary import Summary
    from target_gainsight.loading.writing.attempts import Action
    from target_gainsight.mapping.errors import FieldError
    from target_gainsight.settings import StreamSettings

ExistingOnInsert = Literal["written", "skipped", "compared"]
"""What insert mode makes of a record that the tenant has: it is written all the same, without a
look; it is skipped; or it is unchanged when it is equal, and skipped when not."""


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
        summary: Counts the fields that a null empties.
        plan: Takes note of what would change, in a dry run.
        existing_on_insert: What insert mode makes of a record that the tenant has.
    """

    def __init__(
        self,
        settings: StreamSettings,
        mapper: RecordMap,
        keys: KeyReader,
        summary: Summary,
        plan: Plan | None,
        existing_on_insert: ExistingOnInsert = "skipped",
    ) -> None:
        self._settings = settings
        self._mapper = mapper
        self._keys = frozenset(keys.names)
        self._key_names = keys.names
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
        if not matches.told:
            return self._untold(record)
        found = matches.exact(record.key)
        if not found:
            return self._unmatched(record, matches, now)
        if len(found) > 1 and self._settings.multi_match == "reject":
            now.settle(record, Outcome.REJECTED, self._several(found))
            return None
        return self._matched(record, found[0], now)

    def _untold(self, record: LoadRecord) -> Action:
        """Choose a write that tells by its answer whether the record was there."""
        only_updates = self._settings.sync_mode == "update"
        incomplete = only_updates or bool(self._mapper.missing_for_create(record.fields))
        return "update" if incomplete else "create"

    def _unmatched(self, record: LoadRecord, matches: Matches, now: BatchResult) -> Action | None:
        near = matches.near(record.key)
        if near:
            now.settle(record, Outcome.REJECTED, self._ambiguous(record, near[0]))
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
            self._plan.note_change(record, row, changed)
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

    def _ambiguous(self, record: LoadRecord, row: Mapping[str, Any]) -> Reason:
        names = self._key_names
        name = next((n for n in names if record.fields.get(n) != row.get(n)), names[0])
        return Reason(
            "ambiguous_key",
            f"{self._settings.object_name} {row.get(GSID)} differs in case or blanks only: "
            f"{row.get(name)!r}",
            field=name,
            value=record.fields.get(name),
            hint="make the two equal, so that no twin is created",
        )


def already_there(message: str) -> Reason:
    """Say why insert mode leaves out a record that the tenant has."""
    return Reason("exists", message, hint="load it with sync_mode upsert to update it")
