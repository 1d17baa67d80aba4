"""Records the outcome of every record in counts, log, files and state; main thread only."""

import logging
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from target_gainsight.loading.outcomes import (
    DATA_INDEPENDENT_CODES,
    REJECTED_PARENT,
    BatchResult,
    Outcome,
    Reason,
    RunStoppedError,
    Settlement,
)
from target_gainsight.loading.records import SourceRecord
from target_gainsight.loading.rejects.folder import CREATED, REASON_PROPERTY
from target_gainsight.loading.rejects.reject_file import RejectFile
from target_gainsight.loading.settling.checkpoint import Checkpoint
from target_gainsight.loading.settling.summary import FileCounts, Summary
from target_gainsight.loading.storage.private_file import PrivateFile, fill_path
from target_gainsight.loading.storage.source_json import utc_time, write_json
from target_gainsight.mapping.errors import counted, display
from target_gainsight.mapping.escaping import csv_text, one_line
from target_gainsight.settings.model import Output

logger = logging.getLogger(__name__)

MIN_RECORDS_FOR_PERCENT = 100
RUN_AGAIN = "Run again later; the run continues where this one stopped."
MAX_UNAVAILABLE_IN_A_ROW = 3

MAX_LINES = MAX_PARENTS = 1000
MAX_SECONDS_HELD = 600.0
"""After this, the children of a rejected parent are logged: the input may never end."""


@dataclass
class RejectLog:
    """Logs the rejects of one run, which are all in the file at a path."""

    path: Path
    _logged: int = 0
    _children: Counter[tuple[str, str]] = field(default_factory=Counter)
    _held_since: float = math.inf

    def add(self, source: SourceRecord, reason: Reason) -> None:
        """Log one reject; the children of a rejected parent are counted first."""
        stream = display(source.alias)
        if reason.code != REJECTED_PARENT:
            keys = [f"{one_line(name)} = {display(value)}" for name, value in source.key.items()]
            identity = ", ".join(keys) or f"record {source.sequence:,} of the input"
            self._log(f"stream {stream}, {identity}: {reason}")
            return
        self._children[stream, reason.message] += 1
        if len(self._children) > MAX_PARENTS:
            self.finish()

    def tick(self, now: float) -> None:
        """Log the rejected parents whose children have been counted for some minutes."""
        self._held_since = min(self._held_since, now) if self._children else math.inf
        if now - self._held_since >= MAX_SECONDS_HELD:
            self.finish()

    def finish(self) -> None:
        """Log the rejected parents with the number of their children."""
        for (stream, message), count in self._children.items():
            self._log(
                f"stream {stream}, {counted(count, 'record')}: {REJECTED_PARENT}: {message}, "
                "because that record was rejected, too. Fix it first, then replay"
            )
        self._children.clear()

    def _log(self, text: str) -> None:
        self._logged += 1
        if self._logged <= MAX_LINES:
            logger.warning("rejected: %s", text)
        elif self._logged == MAX_LINES + 1:
            logger.warning("further rejects are listed in %s only", self.path)


@dataclass(eq=False)
class Ledger:
    """The outcomes of one run; a dry run files none.

    ``held_back`` records were unavailable to the end; no state covers them.

    Raises:
        RunStoppedError: Too many records were rejected, or three batches in a row unavailable.
        OSError: A file cannot be written; the state is not advanced.
    """

    checkpoint: Checkpoint
    rejects: RejectFile
    summary: Summary
    output: Output
    reject_log: RejectLog = field(init=False)
    held_back: int = field(default=0, init=False)
    _created: PrivateFile = field(init=False)
    _outcomes: dict[Path, PrivateFile] = field(default_factory=dict, init=False)
    _deferred: list[BatchResult] = field(default_factory=list, init=False)
    _counted_rejects: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self.reject_log = RejectLog(self.rejects.path)
        self._created = PrivateFile(self.rejects.folder / f"{self.summary.run}{CREATED}")

    def record_source(self, source: SourceRecord, outcome: Outcome, reason: Reason) -> None:
        """Record the outcome of a record that was not converted to Gainsight's fields."""
        self._record(source, outcome, reason, source.sequence)
        self._check_limits()

    def record_batch(self, result: BatchResult) -> None:
        """Record the outcomes of one batch and write the state they cover.

        Records that were unavailable are deferred until another batch succeeds.
        """
        if result.pauses:
            self.summary.calls.count_resends(result.pauses)
        if result.unavailable:
            self._deferred.append(result)
            logger.warning(
                "stream %s: %s held back: %s",
                display(result.unavailable[0].source.alias),
                counted(len(result.unavailable), "record"),
                result.unavailable_reason,
            )
        elif result.settlements and not result.is_local:
            self._reject_deferred(settled=True)
        for settlement in result.settlements:
            self._record_all(settlement)
        self.checkpoint.advance()
        self._check_limits()
        if len(self._deferred) >= MAX_UNAVAILABLE_IN_A_ROW:
            reason = result.unavailable_reason
            because = reason.message if reason else "no response"
            message = (
                f"Gainsight was not available for {MAX_UNAVAILABLE_IN_A_ROW} batches in a row "
                f"({because}); the run stops and the state stays before the first of them"
            )
            raise RunStoppedError(message, code="unavailable", suggestion=RUN_AGAIN)

    def record_file(
        self, counts: FileCounts, sequences: Sequence[int], retires: Iterable[str], failed: int = 0
    ) -> None:
        """Settle the records of one file, by their numbers in the input.

        Which ones failed is unknown, so that no reject is retired if any did.
        """
        for sequence in sequences:
            self.checkpoint.settle(sequence)
        counts.settled += len(sequences)
        if not failed and not self.summary.dry_run:
            self.rejects.retire(retires, "settled by file")
        self._counted_rejects += failed
        self.checkpoint.advance()
        self._check_limits()

    def finish(self) -> None:
        """File deferred records, without covering them by the state, and write the last state."""
        self._reject_deferred(settled=False)
        self.reject_log.finish()
        self.rejects.close()
        for file in (self._created, *self._outcomes.values()):
            file.close()
        self.checkpoint.advance(final=True)
        files = self.summary.files
        if self.rejects.exists:
            files["rejects"] = self.rejects.path
        if self._created.exists:
            files["created"] = self._created.path
        for path in self._outcomes:
            files["outcomes" if len(self._outcomes) == 1 else f"outcomes {path.name}"] = path

    def flush(self) -> None:
        """Bring rejects, created rows and outcomes to disk, so that a state may cover them."""
        for file in (self._created, *self._outcomes.values()):
            file.flush()
        self.rejects.flush(self.checkpoint.settled)

    def _record_all(self, settlement: Settlement, *, settled: bool = True) -> None:
        """Record the outcome of a record, and of those that were merged into it; list new rows.

        Merged records share the reason why none was written; otherwise only the last one counts as
        written. They do not retire each other's rejects.
        """
        record, outcome, reason, gsid, was_created = settlement
        if (outcome is Outcome.CREATED or was_created) and not self.summary.dry_run:
            if not self._created.exists:
                self._created.add("stream,key,gsid")
            key = " | ".join([str(part) for part in record.key])
            self._created.add(csv_text((record.source.alias, key, gsid or "")))
        parts = record.parts or (record,)
        for part in parts:
            is_merged = part is not parts[-1] and reason is None
            own, since = Outcome.MERGED if is_merged else outcome, parts[0].source.sequence
            self._record(part.source, own, reason, since, gsid=gsid, settled=settled)
        if outcome is Outcome.UPDATED:
            self.summary.streams[record.source.alias].changed.update(record.changed)

    def _record(
        self,
        source: SourceRecord,
        outcome: Outcome,
        reason: Reason | None,
        since: int,
        *,
        gsid: str | None = None,
        settled: bool = True,
    ) -> None:
        """Count and file one outcome; it is settled only after that, so that no state loses it.

        Rejects of records before ``since`` in the input are retired.
        """
        self.summary.streams[source.alias].outcomes[outcome] += 1
        if reason is not None:
            if self.output.reject_values == "keys":
                values = f"{reason.field}: the value is" if reason.field else "the values are"
                message = f"{values} not kept (reject_values: keys)"
                reason = replace(reason, value=None, message=message)
            self._count_reason(source, outcome, reason)
        if not self.summary.dry_run:
            self._list_outcome(source, outcome, reason, gsid)
            may_retire = self.rejects.open_rejects or REASON_PROPERTY in source.message
            retires = self.rejects.take_retired(source, since) if may_retire else []
            if reason is not None and (reason.is_listed or outcome is Outcome.REJECTED):
                self.rejects.add(source, outcome, reason, retires)
            elif retires:
                self.rejects.retire(retires, outcome.value)
        if settled:
            self.checkpoint.settle(source.sequence)
        else:
            self.held_back += 1

    def _list_outcome(
        self, source: SourceRecord, outcome: Outcome, reason: Reason | None, gsid: str | None
    ) -> None:
        if self.output.outcomes_path is None:
            return
        line = {
            "run": self.summary.run,
            "stream": source.alias,
            "key": source.key,
            "outcome": outcome.value,
            "gsid": gsid,
            "reason": reason.code if reason else None,
            "field": reason.field if reason else None,
            "message": str(reason) if reason else None,
            "time": utc_time(self.rejects.now()),
        }
        path = fill_path(self.output.outcomes_path, self.summary.run, [source.alias])
        if path not in self._outcomes:
            self._outcomes[path] = PrivateFile(path, hides_folder=False)
        self._outcomes[path].add(write_json(line))

    def _count_reason(self, source: SourceRecord, outcome: Outcome, reason: Reason) -> None:
        if outcome is Outcome.SKIPPED:
            self.summary.streams[source.alias].skips[reason.code] += 1
        elif outcome is Outcome.REJECTED:
            self.summary.count_reject(source, reason)
            self._counted_rejects += reason.code not in DATA_INDEPENDENT_CODES
            self.reject_log.add(source, reason)

    def _reject_deferred(self, *, settled: bool) -> None:
        deferred, self._deferred = self._deferred, []
        for result in deferred:
            reason = result.unavailable_reason or Reason("unavailable", "no response")
            for record in result.unavailable:
                self._record_all(Settlement(record, Outcome.REJECTED, reason), settled=settled)

    def _check_limits(self) -> None:
        rejected, most = self._counted_rejects, self.output.max_rejects
        read, percent = self.summary.read, self.output.max_reject_percent
        too_many = most is not None and rejected > most
        if not too_many and (read <= MIN_RECORDS_FOR_PERCENT or rejected * 100 <= percent * read):
            return
        name = "max_rejects" if too_many else "max_reject_percent"
        limit = most if too_many else f"{percent}% after {MIN_RECORDS_FOR_PERCENT} records"
        message = (
            f"{rejected:,} of {read:,} records were rejected, more than {name} ({limit}) allows; "
            f"the run stops. The reasons are in {self.location_of_reasons}"
        )
        suggestion = f"Fix the cause, or raise {name}, and run again."
        raise RunStoppedError(message, code="too_many_rejects", suggestion=suggestion)

    @property
    def location_of_reasons(self) -> str:
        """The location of the reasons of rejects and of rows that failed in bulk jobs."""
        if self.summary.dry_run:
            return "the plan"
        by_job = self.summary.failed_by_file
        files = [str(self.rejects.path)] if self.rejects.exists or not by_job else []
        return " and ".join([*files, *(["the bulk job's log in Gainsight"] if by_job else [])])
