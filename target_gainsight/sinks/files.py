"""Streams that go into CSV files, and the sink of those for the import of Surveys.

Files are settled, not single records: only the job's log has the outcome of a row.
"""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

from typing_extensions import override

from target_gainsight.loading.csv_files import CsvFile, file_name
from target_gainsight.loading.records import SourceRecord
from target_gainsight.loading.settling.summary import FileCounts
from target_gainsight.loading.storage.private_file import PART, remove_leftovers
from target_gainsight.mapping.columns import columns_of
from target_gainsight.mapping.csv_columns import CsvPlan, plan_survey
from target_gainsight.mapping.errors import display
from target_gainsight.mapping.escaping import csv_text, one_line
from target_gainsight.sinks.stream import StreamSink

LINE_END = b"\r\n"
"""The end of a line of CSV (RFC 4180)."""


class FileSink(StreamSink):
    """Turns the records of one stream into the rows of CSV files."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - the SDK's
        super().__init__(*args, **kwargs)
        self.file_counts = self.counts.by_file = self.counts.by_file or FileCounts()
        self.files: list[CsvFile] = []
        self.plan = self._plan()
        self.header = csv_text(self.plan.header).encode() + LINE_END
        self.report_columns(self.plan.unmapped, "the CSV")

    @override
    def plan_again(self, *, keys_changed: bool) -> bool:
        plan = self._plan()
        further = [name for name in plan.header if name not in self.plan.header]
        if further:
            self.logger.warning(
                "stream %s: later records bring further columns of the CSV, and a further file "
                "begins with them: %s. Let the tap declare them in its first SCHEMA message to "
                "have one file",
                display(self.stream_name),
                one_line(", ".join(further)),
            )
        if plan.header != self.plan.header:
            return False
        self.plan = plan
        self.report_columns(plan.unmapped, "the CSV")
        return True

    @abstractmethod
    def _plan(self) -> CsvPlan: ...

    @abstractmethod
    def _add_row(self, line: bytes, sequence: int, retires: list[str]) -> None: ...

    @override
    def take(self, record: Mapping[str, Any], source: SourceRecord) -> None:
        line = csv_text(self.plan.row(record)).encode() + LINE_END
        retires = self.ledger.rejects.retired_by(source, source.sequence)
        with self.streams.loading(self):
            self._add_row(line, source.sequence, retires)

    @override
    def process_batch(self, context: dict[str, Any]) -> None:
        """Do nothing: rows are written as they arrive."""

    def count_file(self, file: CsvFile, destination: str, *, is_upload: bool = False) -> None:
        """Count a complete file; in a dry run, add it to the plan."""
        self.file_counts.files += 1
        self.file_counts.rows += file.rows
        if self.context.plan is not None:
            plan, name = self.context.plan, self.stream_name
            plan.record_file(name, file.size, destination, is_upload=is_upload)

    @override
    def abandon(self) -> None:
        """Delete rows that will not be sent; the note of a job in progress stays."""
        for file in self.files:
            file.discard()
        self.files = []


class SurveyCsvSink(FileSink):
    """Writes the records of one stream into a file that an administrator imports into Surveys.

    There is one per run, complete or not there at all; a dry run writes none.
    """

    @override
    def _plan(self) -> CsvPlan:
        return plan_survey(columns_of(self.schema), self.stream, stream=self.stream_name)

    @override
    def _add_row(self, line: bytes, sequence: int, retires: list[str]) -> None:
        if not self.files:
            folder, name = self.context.settings.survey_path, file_name(self.stream_name)
            dry_run = self.context.plan is not None
            if not dry_run:
                remove_leftovers(folder, f"{name}-*.csv{PART}")
            # A stream whose columns change during a run gets a further file.
            further = f"-{self.file_counts.files + 1}" if self.file_counts.files else ""
            path = folder / f"{name}-{self.context.summary.run}{further}.csv"
            self.files = [CsvFile(path, self.header, dry_run=dry_run)]
        self.files[0].add(line, sequence, retires)

    @override
    def settle(self) -> None:
        """Give the file its name and settle its records."""
        for file in self.files:
            file.complete()
            self.count_file(file, "a survey import")
            if self.context.plan is None:
                self.file_counts.written.append(str(file.path))
                self.logger.info("%s responses are in %s", f"{file.rows:,}", file.path)
            self.ledger.record_file(self.file_counts, file.sequences, file.retires)
        self.files = []
