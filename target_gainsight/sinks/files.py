"""The sinks of streams that go into CSV files: for a bulk job, and for the import of Surveys.

Files settle, not records: what becomes of a single row only the job's log tells.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, cast

from typing_extensions import override

from target_gainsight.loading.bulk.bulk_loader import BulkLoader
from target_gainsight.loading.bulk.csv_file import LineWriter
from target_gainsight.loading.bulk.survey_file import SurveyFile
from target_gainsight.loading.outcomes import Outcome, reason_of_fields
from target_gainsight.loading.settling.summary import FileCounts
from target_gainsight.mapping.columns import columns_of
from target_gainsight.mapping.csv.bulk_columns import plan_job_columns
from target_gainsight.mapping.csv.survey_columns import plan_survey
from target_gainsight.mapping.errors import RecordRejectedError
from target_gainsight.sinks.stream import StreamSink

if TYPE_CHECKING:
    from collections.abc import Mapping

    from singer_sdk import Target

    from target_gainsight.api import Json
    from target_gainsight.loading.records import SourceRecord
    from target_gainsight.mapping.csv.cells import CsvPlan

SECONDS_PER_HOUR = 3600
SECONDS_PER_DAY = 86_400
PERCENT = 100


class FileSink(StreamSink):
    """Turns the records of one stream into the rows of CSV files."""

    def __init__(
        self,
        target: Target,
        stream_name: str,
        schema: dict[str, Any],
        key_properties: list[str] | None,
    ) -> None:
        super().__init__(target, stream_name, schema, key_properties)
        self.counts.by_file = self.counts.by_file or FileCounts()
        self._writer = LineWriter()
        self.plan = self._plan()

    @override
    def setup(self) -> None:
        """Report the columns that are not sent."""
        super().setup()
        self.report_columns(self.plan.dropped, self.plan.undeclared, "the CSV")

    @override
    def plan_again(self) -> bool:
        plan = self._plan()
        if plan.header != self.plan.header:
            return False
        self.plan = plan
        self.report_columns(plan.dropped, plan.undeclared, "the CSV")
        return True

    @property
    def file_counts(self) -> FileCounts:
        """The counts of the stream's files."""
        return self.counts.by_file or FileCounts()

    @abstractmethod
    def _plan(self) -> CsvPlan:
        """Decide which columns the CSV has."""

    @abstractmethod
    def add(self, line: bytes, source: SourceRecord) -> None:
        """Take one row.

        Args:
            line: The row as a line of CSV.
            source: The record that it was.
        """

    @override
    def take(self, record: Mapping[str, Any], source: SourceRecord) -> None:
        try:
            cells = self.plan.row(record)
        except RecordRejectedError as error:
            self.run.ledger.record_source(source, Outcome.REJECTED, reason_of_fields(error.errors))
            return
        with self.loading():
            self.add(self._writer.line(cells), source)

    @override
    def process_batch(self, context: dict[str, Any]) -> None:
        """Do nothing: rows are written as they come."""

    @property
    def _constants(self) -> Mapping[str, Json]:
        return cast("Mapping[str, Json]", self.stream.constants)


class BulkCsvSink(FileSink):
    """Hands the records of one stream to a bulk job."""

    def __init__(
        self,
        target: Target,
        stream_name: str,
        schema: dict[str, Any],
        key_properties: list[str] | None,
    ) -> None:
        super().__init__(target, stream_name, schema, key_properties)
        run = self.run
        self._loader = BulkLoader(
            stream=self.stream_name,
            job_id=self.stream.bulk_job_id,
            header=self._writer.line(self.plan.header),
            api=run.client.bulk,
            journal=run.uploads,
            watermark=self.watermark,
            ledger=run.ledger,
            counts=self.file_counts,
            clock=run.clock,
            settle_others=lambda: run.settle_others(self),
            wrote=lambda: run.lookups.object_written(self.object_name),
            plan=run.plan,
        )

    @override
    def setup(self) -> None:
        """Wait for what an earlier run has left in progress."""
        super().setup()
        self._loader.begin()
        self.run.add_sink(self)

    @override
    def _plan(self) -> CsvPlan:
        schema = self.run.describe(self.stream.object_name)
        self.knows_fields = schema is not None
        return plan_job_columns(
            columns_of(self.schema),
            schema,
            stream=self.stream_name,
            field_mapping=self.stream.field_mapping,
            constants=self._constants,
            date_format=self.stream.date_format,
            html=self.stream.rich_text == "html",
        )

    @override
    def add(self, line: bytes, source: SourceRecord) -> None:
        self._loader.add(line, source)

    @override
    def send_older_than(self, seconds: float) -> None:
        with self.loading():
            self._loader.send_older_than(max(seconds, self._seconds_between_uploads()))
        self.report_written()

    @override
    def settle(self) -> None:
        with self.loading():
            self._loader.send()
            self._loader.finish()
        self.report_written()

    @override
    def clean_up(self) -> None:
        """Send what is left and wait for the job."""
        self.settle()
        self.run.sinks.remove(self)
        super().clean_up()

    @override
    def forget_progress(self) -> None:
        self._loader.remove_notes()

    @override
    def abandon(self) -> None:
        self._loader.abandon()

    @override
    def written(self) -> int:
        return self.file_counts.accepted

    def _seconds_between_uploads(self) -> float:
        """How long a file grows at least: as often as that, files may be sent all day long."""
        limits = self.run.settings.limits
        share = limits.quota_percent / PERCENT
        hourly = SECONDS_PER_HOUR / max(1.0, limits.bulk_calls_per_hour * share)
        return max(hourly, SECONDS_PER_DAY / max(1.0, limits.bulk_calls_per_day * share))


class SurveyCsvSink(FileSink):
    """Writes the records of one stream into a file that an administrator imports into Surveys."""

    def __init__(
        self,
        target: Target,
        stream_name: str,
        schema: dict[str, Any],
        key_properties: list[str] | None,
    ) -> None:
        super().__init__(target, stream_name, schema, key_properties)
        self._file = SurveyFile(
            stream=self.stream_name,
            header=self._writer.line(self.plan.header),
            folder=self.run.settings.survey_path,
            run=self.run.summary.run,
            watermark=self.watermark,
            ledger=self.run.ledger,
            counts=self.file_counts,
            plan=self.run.plan,
        )

    @override
    def _plan(self) -> CsvPlan:
        return plan_survey(
            columns_of(self.schema),
            stream=self.stream_name,
            survey_columns=self.stream.survey_columns,
            constants=self._constants,
            date_format=self.stream.date_format,
        )

    @override
    def add(self, line: bytes, source: SourceRecord) -> None:
        self._file.add(line, source)

    @override
    def send_older_than(self, seconds: float) -> None:
        """Do nothing: there is one file in a run."""

    @override
    def settle(self) -> None:
        """Give the file its name."""
        self._file.publish()
        self.report_written()

    @override
    def clean_up(self) -> None:
        """Give the file its name."""
        self.settle()
        super().clean_up()

    @override
    def abandon(self) -> None:
        self._file.abandon()

    @override
    def written(self) -> int:
        return self.file_counts.rows
