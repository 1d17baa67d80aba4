"""The Singer target itself: what it overrides of the SDK, and the order of a run."""

from __future__ import annotations

import gc
import logging
import math
import sqlite3
import sys
from contextlib import contextmanager
from functools import cached_property
from typing import IO, TYPE_CHECKING, Any, ClassVar, cast

import click
from singer_sdk.exceptions import ConfigValidationError, SingerSDKError
from singer_sdk.singerlib.exceptions import SingerError
from singer_sdk.singerlib.json import serialize_json
from typing_extensions import override

from target_gainsight.api import CallBudgetExceededError, GainsightError, SystemClock
from target_gainsight.loading.call_pool import CallPool
from target_gainsight.loading.context import Run
from target_gainsight.loading.dry_run.plan import Plan
from target_gainsight.loading.outcomes import RunStoppedError
from target_gainsight.loading.rejects.folder import RejectFolder
from target_gainsight.loading.rejects.open_index import OpenRejects
from target_gainsight.loading.rejects.reject_file import RejectFile
from target_gainsight.loading.rejects.reject_id import new_run_name
from target_gainsight.loading.settling.checkpoint import Checkpoint
from target_gainsight.loading.settling.ledger import Ledger
from target_gainsight.loading.settling.progress import Progress
from target_gainsight.loading.settling.summary import Summary
from target_gainsight.loading.storage.private_file import PrivateFile
from target_gainsight.mapping.planning.mismatch import StreamMismatchError
from target_gainsight.singer.call_metrics import CallCounter
from target_gainsight.singer.connection import TenantConnection, rate_limits
from target_gainsight.singer.log_escaping import install_log_escaping
from target_gainsight.singer.message_reader import ReadingStoppedError, ThreadedReader
from target_gainsight.singer.record_router import RecordRouter
from target_gainsight.singer.report import log_reject_summary, report
from target_gainsight.singer.signals import Interruption
from target_gainsight.singer.sink_registry import RoutedTarget
from target_gainsight.singer.standard_output import StateOutput

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from types import FrameType

    from singer_sdk.plugin_base import _ConfigInput

    from target_gainsight.api import Clock

logger = logging.getLogger(__name__)

EXPECTED_ERRORS = (
    RunStoppedError,
    StreamMismatchError,
    GainsightError,
    SingerSDKError,
    SingerError,
    OSError,
    sqlite3.Error,
)
"""Errors that end a run with one message: what they say is all there is to know."""


GARBAGE_THRESHOLDS = (20_000, 50, 50)
"""A group of records in flight is some ten thousand objects, none of them garbage."""


class TargetGainsight(RoutedTarget):
    """Singer target and Meltano loader for Gainsight CS."""

    message_reader_class = ThreadedReader

    STATE_INTERVAL_SECONDS: ClassVar[float] = 1.0

    def __init__(self, *, clock: Clock | None = None, **kwargs: Any) -> None:  # noqa: ANN401
        self.clock = clock or SystemClock()
        self._interruption = Interruption(self._stop)
        super().__init__(**kwargs)
        self._max_parallelism = 1
        self._state_output = StateOutput()
        self.checkpoint = Checkpoint(
            self._write_covered_state, self.clock.now, self.STATE_INTERVAL_SECONDS
        )
        self.summary = Summary(new_run_name(self.clock.now()))
        self.calls = CallCounter(self.summary.calls)
        self.router = RecordRouter(self)
        self.progress = Progress(self.summary, self.clock.now)
        self.show_plan: Callable[[Plan], None] = self._print_plan
        self.reader.on_tick = self._tick
        self._began = self.clock.now()
        self._left_unread = 0
        self._budget_is_spent = False

    @property
    def reader(self) -> ThreadedReader:
        """What reads the input."""
        return cast("ThreadedReader", self.message_reader)

    @cached_property
    def ledger(self) -> Ledger:
        """Where every record's outcome is entered."""
        folder = self.settings.rejection.path
        rejects = RejectFile(
            folder / f"{self.summary.run}.singer",
            self.clock.now,
            keys_only=self.settings.rejection.keys_only,
        )
        created = PrivateFile(folder / f"{self.summary.run}.created.csv")
        return Ledger(
            self.checkpoint,
            rejects,
            created,
            self.summary,
            self.settings.rejection,
            OpenRejects(RejectFolder(folder), self.summary.run, self.clock.now),
            keep_files=not self.settings.dry_run,
        )

    @cached_property
    def _connection(self) -> TenantConnection:
        return TenantConnection(self.settings, self.clock, self.calls)

    @override
    @cached_property
    def run(self) -> Run:
        """What all streams share; made, and the tenant connected, when first needed."""
        pool = CallPool(self.settings.max_concurrency)
        pool.on_wait = lambda: self.progress.tick(waiting=True)
        return Run(
            settings=self.settings,
            client=self._connection.client,
            clock=self.clock,
            checkpoint=self.checkpoint,
            summary=self.summary,
            ledger=self.ledger,
            pool=pool,
            plan=self.plan,
        )

    @cached_property
    def plan(self) -> Plan | None:
        """What would be written, in a dry run."""
        if not self.settings.dry_run:
            return None
        rates = rate_limits(self.settings.limits)
        rate, timeline = rates["synchronous"], rates["timeline"].allowed_per_window
        apart = {"timeline": timeline, "token": math.inf}
        return Plan(
            rate.allowed_per_window,
            rate.allowed_per_day,
            apart,
            uploads_per_hour=rates["bulk"].allowed_per_window,
        )

    @property
    def is_connected(self) -> bool:
        """Whether a stream has made the target connect to the tenant."""
        return "run" in self.__dict__

    @override
    def _process_schema_message(self, message_dict: dict[str, Any]) -> None:
        with self._within_budget() as reading:
            if reading:
                self.router.take_schema(message_dict)

    @override
    def _process_record_message(self, message_dict: dict[str, Any]) -> None:
        if self._budget_is_spent:
            self._left_unread += 1
            return
        try:
            self.router.route_record(message_dict)
        except CallBudgetExceededError:
            self._stop_writing()

    @override
    def _process_batch_message(self, message_dict: dict[str, Any]) -> None:
        with self._within_budget() as reading:
            if reading:
                self.router.take_batch(message_dict)

    @override
    def _process_activate_version_message(self, message_dict: dict[str, Any]) -> None:
        self.router.note_activate_version(message_dict["stream"])

    @override
    def _process_state_message(self, message_dict: dict[str, Any]) -> None:
        if not self._budget_is_spent:
            self.checkpoint.add(message_dict["value"])

    def check_connection(self) -> None:
        """Respond to `meltano config test`: read the list of objects and write nothing.

        Raises:
            GainsightError: The tenant does not respond or refuses the credential.
        """
        objects = self.run.client.metadata.list_objects()
        logger.info(
            "The tenant responds and accepts the credential; %d objects are visible. This was a "
            "connection test: nothing is written.",
            len(objects),
        )

    @contextmanager
    def _within_budget(self) -> Iterator[bool]:
        """Read on without writing once the calls of this run are spent."""
        try:
            yield not self._budget_is_spent
        except CallBudgetExceededError:
            self._stop_writing()

    def _stop_writing(self) -> None:
        self._budget_is_spent = True
        logger.warning(
            "max_calls_per_run (%s) is reached: the rest is read without being written, and "
            "the state stays before it",
            self.settings.limits.max_calls_per_run,
        )

    def _tick(self) -> None:
        with self._within_budget() as reading:
            if reading:
                self.router.tick()
        self.progress.tick()

    def _write_covered_state(self, state: Mapping[str, Any]) -> None:
        """Bring what the state covers to disk, then write the state."""
        self.ledger.flush()
        if not self.settings.dry_run:
            self._write_state_message(cast("dict[str, Any]", state))

    @override
    def _write_state_message(self, state: dict[str, Any]) -> None:
        self._state_output.write(serialize_json(state))

    @override
    def process_endofpipe(self) -> None:
        """Send and settle what is left, write the last state and the summary.

        Raises:
            RunStoppedError: Every record was rejected.
        """
        with self._within_budget() as reading:
            if reading:
                self.router.finish()
                for sink in self.run.sinks if self.is_connected else ():
                    sink.settle()
                super().process_endofpipe()
        self._settle_in_flight()
        self._conclude()
        if not self._budget_is_spent:
            for sink in self.active_sinks:
                sink.forget_progress()
        if self._budget_is_spent:
            without = self._left_unread + self.summary.read - self.summary.settled
            logger.warning(
                "%d records have no outcome, because max_calls_per_run was reached; the next run "
                "goes on with them",
                without,
            )
        log_reject_summary(self.summary, self.ledger, dry_run=self.plan is not None)

    def _conclude(self) -> None:
        """Write the last state, close the files and report."""
        self.progress.close()
        self.ledger.finish()
        self.summary.rate_used_percent = self._rate_used()
        if self.plan is not None:
            self.show_plan(self.plan)
        report(
            self.summary,
            self.ledger,
            self.calls,
            metrics_logger=self.metrics_logger,
            summary_path=self.settings.summary_path,
            dry_run=self.settings.dry_run,
        )

    def _print_plan(self, plan: Plan) -> None:
        click.echo(plan.to_text(self.summary), err=True)

    def _rate_used(self) -> int | None:
        """Say how much of the allowed rate a run of more than a minute has used, in percent."""
        minutes = (self.clock.now() - self._began) / 60
        if not self.is_connected or minutes < 1:
            return None
        allowed = self._connection.rates["synchronous"].allowed_per_window
        return round(100 * self.calls.by_group["synchronous"] / (allowed * minutes))

    def _settle_in_flight(self) -> None:
        """Settle what is in flight."""
        while self.is_connected and self.run.pool.busy:
            try:
                self.run.pool.process_completed(wait=True)
            except EXPECTED_ERRORS as error:
                logger.debug("while stopping: %s", error)

    def close(self) -> None:
        """End the calls, the connection and the embedded tenant; take away what is half done."""
        for sink in self.active_sinks:
            sink.abandon()
        if self.is_connected:
            self.run.pool.close()
            self.run.close()
        if "_connection" in self.__dict__:
            self._connection.close()

    def run_to_end(self, file_input: IO[str] | None = None) -> int:
        """Read the input to its end and say how it went.

        Args:
            file_input: The input; standard input when not given.

        Returns:
            The exit code: 0, 1 when the run stopped, 128 + n after signal n.
        """
        try:
            self.listen(file_input)
        except ReadingStoppedError:
            return self._end_by_signal()
        except EXPECTED_ERRORS as error:
            if self._interruption.signal is not None:
                return self._end_by_signal()
            self._stop_because(error)
            return 1
        else:
            return 0
        finally:
            self.close()

    def _stop_because(self, error: Exception) -> None:
        bad_input = isinstance(error, (SingerSDKError, SingerError))
        if self.is_connected and not bad_input:
            self.run.pool.stop_accepting()
        self._settle_in_flight()
        try:
            self._conclude()
        except EXPECTED_ERRORS as second:
            self.logger.error("%s", _user_facing_error(second))  # noqa: TRY400 - the message is all there is to know
        self.logger.error("%s", _user_facing_error(error))

    def _end_by_signal(self) -> int:
        if self.is_connected:
            self.run.pool.stop_accepting()
        self._settle_in_flight()
        try:
            self._conclude()
        except EXPECTED_ERRORS as error:
            self.logger.error("%s", _user_facing_error(error))  # noqa: TRY400 - the message is all there is to know
            return 1
        logger.warning(
            "stopped by signal %s; the state covers what is settled", self._interruption.signal
        )
        return self._interruption.exit_code

    @override
    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:
        self._interruption.take(signum)

    def _stop(self) -> None:
        self.reader.stop()
        if self.is_connected:
            self.run.client.stop()

    @classmethod
    @override
    def invoke(  # type: ignore[override]
        cls,
        *,
        about: bool = False,
        about_format: str | None = None,
        config: _ConfigInput | None = None,
        file_input: IO[str] | None = None,
    ) -> None:
        """Run from the command line.

        Args:
            about: Show the settings instead.
            about_format: How.
            config: The configuration and whether the environment adds to it.
            file_input: Read this instead of standard input.
        """
        if about:
            cls.print_about(about_format)
            return
        install_log_escaping()
        cls.print_version(print_fn=cls.logger.info)
        try:
            target = cls(
                config=config.config if config else {},
                parse_env_config=config.parse_env if config else False,
            )
        except ConfigValidationError:
            raise
        except EXPECTED_ERRORS as error:
            cls.logger.error("%s", error)  # noqa: TRY400 - the message is all there is to know
            sys.exit(1)
        _tune_gc()
        sys.exit(target.run_to_end(file_input))


def _tune_gc() -> None:
    """Spare records the visits of the garbage collector, which finds next to nothing among them.

    Of a process of our own only: a library has no say in this.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GARBAGE_THRESHOLDS)


def _user_facing_error(error: Exception) -> Exception:
    """What ended the run; of SQLite's temporary files the error names neither folder nor use.

    It goes to the log as an error, not as text: text is kept on one line, and what ends a run may
    have several, such as the settings that would mend it.
    """
    if isinstance(error, sqlite3.Error):
        message = (
            f"a temporary file cannot be used: {error}. Make room where temporary files go, or "
            "set SQLITE_TMPDIR to another folder"
        )
        return RunStoppedError(message)
    return error
