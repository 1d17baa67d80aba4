"""Where every record's outcome is entered: counted, filed, and made part of the state.

Entries are made in the main thread only. Knows how outcomes are kept, not how they come about.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from target_gainsight.loading.outcomes import Outcome, Reason, RunStoppedError
from target_gainsight.loading.rejects.ordered_writer import OrderedRejectWriter
from target_gainsight.loading.watermark import Watermark
from target_gainsight.mapping.errors import counted, display
from target_gainsight.mapping.escaping import csv_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from target_gainsight.loading.outcomes import BatchResult, Settlement
    from target_gainsight.loading.records import LoadRecord, SourceRecord
    from target_gainsight.loading.rejects.open_index import OpenRejects
    from target_gainsight.loading.rejects.reject_file import RejectFile
    from target_gainsight.loading.rejects.reject_id import RejectId
    from target_gainsight.loading.settling.checkpoint import Checkpoint
    from target_gainsight.loading.settling.file_contents import FileContents
    from target_gainsight.loading.settling.summary import Summary
    from target_gainsight.loading.storage.private_file import PrivateFile
    from target_gainsight.settings import Rejection

logger = logging.getLogger(__name__)

NOT_COUNTED = ("unavailable", "outcome_unknown")
"""Rejects that say nothing about the data and never trip a guard."""

LISTED_SKIPS = ("no_match",)
"""Skips that are listed beside the rejects."""

PERCENT_COUNTS_FROM = 100
MOST_LOGGED_REJECTS = 1000
UNAVAILABLE_IN_A_ROW = 3
SETTLED_BY_FILE = "settled by file"
"""What became of a record that went into a file."""


class Ledger:
    """The outcomes of one run.

    Args:
        checkpoint: Learns how far each stream is settled.
        rejects: Takes the rejects.
        created: Takes a line for each created row.
        summary: Takes the counts.
        rejection: When there are too many rejects.
        open_rejects: Knows which rejects a settled record retires.
        keep_files: Whether rejects and created rows are filed; not in a dry run.

    Attributes:
        register: Takes note of one more record, and returns its number: its place in the input.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        rejects: RejectFile,
        created: PrivateFile,
        summary: Summary,
        rejection: Rejection,
        open_rejects: OpenRejects,
        *,
        keep_files: bool = True,
    ) -> None:
        self.checkpoint = checkpoint
        self.summary = summary
        self.rejects = rejects
        self.created = created
        self._rejection = rejection
        self._open_rejects = open_rejects
        self._keep_files = keep_files
        self._input = Watermark()
        self.register = self._input.register
        self._reject_writer = OrderedRejectWriter(rejects, open_rejects)
        self._deferred: list[BatchResult] = []
        self._unavailable_in_a_row = 0
        self._rejects_that_count = 0
        self._logged = 0

    def record_outcomes(self, settlements: Iterable[Settlement]) -> None:
        """Enter the outcomes of one or more batches and write the state they cover.

        Args:
            settlements: The outcomes.

        Raises:
            RunStoppedError: Too many records were rejected.
            OSError: The reject file cannot be written; the state is not advanced.
        """
        for settlement in settlements:
            if settlement.outcome is Outcome.CREATED and self._keep_files:
                self._list_created(settlement)
            self._record_sources(settlement.record, settlement.outcome, settlement.reason)
        self._advance()
        self._check_guards()

    def record_source(self, source: SourceRecord, outcome: Outcome, reason: Reason) -> None:
        """Enter the outcome of a record that never became one of Gainsight's.

        Args:
            source: The record as it came.
            outcome: skipped or rejected.
            reason: Why.

        Raises:
            RunStoppedError: Too many records were rejected.
        """
        self._record_one(source, outcome, reason, source.sequence)
        self._check_guards()

    def record_batch(self, result: BatchResult) -> None:
        """Enter what became of one batch; hold back what only was unavailable.

        Args:
            result: The batch's outcome.

        Raises:
            RunStoppedError: Three batches in a row were unavailable, or too many rejects.
        """
        if result.unavailable:
            self._unavailable_in_a_row += 1
            self._deferred.append(result)
            logger.warning(
                "holding back %s of %s: %s",
                counted(len(result.unavailable), "record"),
                display(result.unavailable[0].source.alias),
                result.unavailable_because,
            )
        elif result.settlements:
            self._unavailable_in_a_row = 0
            self._release_deferred()
        self.record_outcomes(result.settlements)
        if self._unavailable_in_a_row >= UNAVAILABLE_IN_A_ROW:
            message = (
                f"Gainsight was not available for {UNAVAILABLE_IN_A_ROW} batches in a row "
                f"({result.unavailable_because}); the run stops and the state stays before the "
                "first of them: run again later and it goes on from there"
            )
            raise RunStoppedError(message)

    def retired_by(self, source: SourceRecord) -> list[RejectId]:
        """Find the rejects that a record retires once its file is settled.

        Args:
            source: The record as it came.
        """
        if not self._keep_files:
            return []
        return self._open_rejects.retired_by(source, source.sequence)

    def record_repeated(self, source: SourceRecord, retires: Iterable[RejectId]) -> None:
        """Settle a record that an earlier run has sent in a file whose job is done.

        Args:
            source: The record as it came.
            retires: The older rejects that it stands for.
        """
        source.watermark.settle(source.position)
        self._input.settle(source.sequence)
        self._open_rejects.retire(retires, SETTLED_BY_FILE)
        self._count_filed(source.alias, 1)

    def record_file(self, records: FileContents, failed: int) -> None:
        """Settle the records of one file and write the state they cover.

        Args:
            records: Which they are.
            failed: How many of them were not written; they count as rejects do, and as nobody
                says which they are, no reject is retired then.

        Raises:
            RunStoppedError: Too many records were rejected, or failed.
            OSError: The reject file cannot be written; the state is not advanced.
        """
        settled = 0
        for position in records.positions:
            records.watermark.settle(position)
            settled += 1
        for sequence in records.sequences:
            self._input.settle(sequence)
        self._count_filed(records.stream, settled)
        if not failed:
            self._open_rejects.retire(records.retires, SETTLED_BY_FILE)
        self._rejects_that_count += failed
        self._advance()
        self._check_guards()

    def finish(self) -> None:
        """File what was held back, without covering it by the state, and write the last state."""
        self._write_deferred()
        self._advance()
        self.created.close()
        self.rejects.close()
        self._open_rejects.flush()
        self.checkpoint.finish()

    def flush(self) -> None:
        """Bring rejects and created rows to disk, so that a state may cover them."""
        self._reject_writer.flush_through(self._input.settled)
        self.created.flush()
        self._reject_writer.flush()

    @property
    def everything_rejected(self) -> bool:
        """Whether there were records and none had another outcome than rejected."""
        rejected = self.summary.total(Outcome.REJECTED)
        return rejected > 0 and rejected == self.summary.read

    def _record_sources(self, record: LoadRecord, outcome: Outcome, reason: Reason | None) -> None:
        """Enter the outcome of a record's sources; merged ones do not retire each other."""
        if not record.parts:
            source = record.source
            self._record_one(source, outcome, reason, source.sequence)
            return
        sources = record.sources()
        for source in sources:
            self._record_one(source, outcome, reason, sources[0].sequence)

    def _record_one(
        self, source: SourceRecord, outcome: Outcome, reason: Reason | None, since: int
    ) -> None:
        # What cannot be kept is not settled: no state may cover it.
        self._count(source, outcome, reason, since)
        source.watermark.settle(source.position)
        self._input.settle(source.sequence)

    def _count(
        self, source: SourceRecord, outcome: Outcome, reason: Reason | None, since: int
    ) -> None:
        if reason is not None and self._rejection.keys_only:
            reason = reason.without_values()
        self.summary.count(source.alias, outcome, reason)
        if reason is not None and outcome is Outcome.REJECTED:
            self._rejects_that_count += reason.code not in NOT_COUNTED
            self._log(source, reason)
        if not self._keep_files:
            return
        retires = self._open_rejects.retired_by(source, since)
        if reason is not None and (outcome is Outcome.REJECTED or reason.code in LISTED_SKIPS):
            self._reject_writer.add(source, outcome, reason, retires)
        else:
            self._open_rejects.retire(retires, outcome.value)

    def _count_filed(self, stream: str, count: int) -> None:
        by_file = self.summary.stream(stream).by_file
        if by_file is not None:
            by_file.settled += count

    def _log(self, source: SourceRecord, reason: Reason) -> None:
        self._logged += 1
        if self._logged <= MOST_LOGGED_REJECTS:
            logger.warning(
                "rejected: stream %s, key %s: %s",
                display(source.alias),
                display(_key_of(source)),
                reason,
            )
        elif self._logged == MOST_LOGGED_REJECTS + 1:
            logger.warning("further rejects are listed in %s only", self.rejects.path)

    def _advance(self) -> None:
        self._reject_writer.flush_through(self._input.settled)
        self._reject_writer.flush()
        self.checkpoint.advance()

    def _release_deferred(self) -> None:
        for result in self._deferred:
            for record in result.unavailable:
                self._record_sources(record, Outcome.REJECTED, result.unavailable_because)
        self._deferred = []

    def _write_deferred(self) -> None:
        for result in self._deferred:
            reason = result.unavailable_because or Reason("unavailable", "no answer")
            for record in result.unavailable:
                sources = record.sources()
                for source in sources:
                    self._count(source, Outcome.REJECTED, reason, sources[0].sequence)
        self._deferred = []
        self._reject_writer.flush_all()

    def _list_created(self, settlement: Settlement) -> None:
        if not self.created.exists:
            self.created.add(csv_text(("stream", "key", "gsid")))
        record = settlement.record
        key = " | ".join(str(part) for part in record.key)
        self.created.add(csv_text((record.source.alias, key, settlement.gsid or "")))

    def _failed_in_files(self) -> int:
        streams = self.summary.streams.values()
        return sum(counts.by_file.failed for counts in streams if counts.by_file)

    def _reject_location(self) -> str:
        if not self._keep_files:
            return "the plan"
        rejected = str(self.rejects.path)
        if not self._failed_in_files():
            return rejected
        log = "the bulk job's log in Gainsight"
        return f"{rejected} and {log}" if self.rejects.exists else log

    def _check_guards(self) -> None:
        rejected, read = self._rejects_that_count, self.summary.read
        most, percent = self._rejection.max_rejects, self._rejection.max_reject_percent
        too_many = most is not None and rejected > most
        share = read > PERCENT_COUNTS_FROM and rejected * 100 > percent * read
        if not too_many and not share:
            return
        name = "max_rejects" if too_many else "max_reject_percent"
        limit = str(most) if too_many else f"{percent}% after {PERCENT_COUNTS_FROM} records"
        where = self._reject_location()
        befell = "rejected, or failed in a bulk job" if self._failed_in_files() else "rejected"
        message = (
            f"{rejected} of {read} records were {befell}, more than {name} ({limit}) "
            f"allows; the run stops. The reasons are in {where}: mend the cause, or raise {name}, "
            "and run again"
        )
        raise RunStoppedError(message)


def _key_of(source: SourceRecord) -> dict[str, Any]:
    record = source.message["record"]
    keys = source.schema.get("key_properties") or ()
    return {key: record.get(key) for key in keys}
