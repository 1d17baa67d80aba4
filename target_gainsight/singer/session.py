"""One run: its counts, state, rejects and, once a stream needs it, its connection."""

import logging
import os
import signal
import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import requests
from singer_sdk.exceptions import ConfigValidationError
from singer_sdk.metrics import get_metrics_logger

from target_gainsight.api import Clock
from target_gainsight.loading.call_pool import CallPool
from target_gainsight.loading.context import RunContext
from target_gainsight.loading.dry_run import Plan
from target_gainsight.loading.rejects.folder import new_run_name
from target_gainsight.loading.rejects.reject_file import RejectFile
from target_gainsight.loading.settling.checkpoint import Checkpoint
from target_gainsight.loading.settling.ledger import RUN_AGAIN, Ledger
from target_gainsight.loading.settling.progress import Progress
from target_gainsight.loading.settling.summary import Summary
from target_gainsight.mapping.planning.checks import StreamMismatchError
from target_gainsight.mapping.planning.proposal import Proposal
from target_gainsight.settings.model import Settings
from target_gainsight.singer.connection import connect, rate_limits
from target_gainsight.singer.output import write_state
from target_gainsight.singer.output_paths import find_unusable_paths
from target_gainsight.singer.proposals import propose, write_proposal
from target_gainsight.singer.reporting import run_end
from target_gainsight.singer.reporting.publishing import publish

logger = logging.getLogger(__name__)

SECONDS_TO_STOP = 25
"""Seconds that a run has after a signal; Kubernetes kills after 30."""


class Session:
    """One run, from its first message to its end.

    `proposal` is for a stream that does not fit, `interruption` is the end after a signal.

    Raises:
        ConfigValidationError: By the constructor: files of the run cannot be written.
    """

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        *,
        state_interval: float,
        version: str,
        http: requests.Session | None = None,
    ) -> None:
        if unusable := [*find_unusable_paths(settings)]:
            errors = [f"{name}: {problem}. {do}" for name, problem, do in unusable]
            summary = "Config validation failed"
            raise ConfigValidationError(summary, errors=errors)
        self.settings = settings
        self.clock = clock
        started_at, url = clock.now(), urlsplit(settings.connection.base_url)
        tenant = url.netloc.rpartition("@")[2].lower() or "sandbox"
        run, dry_run = new_run_name(started_at), settings.dry_run
        rates = rate_limits(settings.limits)
        self.summary = Summary(run, started_at, version, tenant, dry_run)
        self.summary.calls.allowed_per_minute = {
            group: rates[group].allowed_per_window for group in ("synchronous", "timeline")
        }
        self._writes_states = not dry_run
        self.checkpoint = Checkpoint(self._emit_state, clock.now, state_interval)
        self.ledger = self._make_ledger(run)
        self.progress = Progress(self.summary, clock.now)
        self.plan = Plan(rates) if dry_run else None
        self.proposal: Proposal | None = None
        self.interruption: run_end.RunEnd | None = None
        self._http = http
        self._is_concluded = False
        self._publishing = threading.Lock()  # taken once, by whoever publishes the run
        self._exit_stack = ExitStack()
        self._context: RunContext | None = None

    def _make_ledger(self, run: str) -> Ledger:
        output, keys_only = self.settings.output, self.settings.output.reject_values == "keys"
        rejects = RejectFile(output.rejects_path, run, self.clock.now, keys_only=keys_only)
        if not self.settings.dry_run:
            rejects.read_earlier_runs()
        return Ledger(self.checkpoint, rejects, self.summary, output)

    def _emit_state(self, state: Mapping[str, Any]) -> None:
        """Bring rejects and created rows to disk, then write the state that covers them."""
        self.ledger.flush()
        if self._writes_states:
            self._writes_states = False  # nothing follows a line that is missing or cut
            write_state(state)
            self._writes_states = True

    @property
    def context(self) -> RunContext:
        """The values that sinks are made of; the first stream that needs them connects."""
        if self._context is None:
            on_wait = partial(self.progress.tick, waiting=True)
            client = connect(self.settings, self.clock, self.summary.calls.count, self._http)
            self._context = RunContext(
                settings=self.settings,
                client=self._exit_stack.enter_context(client),
                clock=self.clock,
                ledger=self.ledger,
                pool=CallPool(self.settings.limits.max_concurrency, on_wait),
                plan=self.plan,
            )
            for each in (self._context.uploads, self._context.pool):
                self._exit_stack.callback(each.close)
        return self._context

    def tick(self) -> None:
        """Bring outcomes to disk, and log progress and rejects, if that is due."""
        self.ledger.flush()
        self.ledger.reject_log.tick(self.clock.now())
        self.progress.tick()

    def on_signal(
        self,
        signum: int,
        stop_reading: Callable[[], None],
        seconds: float = SECONDS_TO_STOP,
        exit_process: Callable[[int], object] = os._exit,
    ) -> None:
        """Stop the run cleanly; a second signal, or the end of these seconds, ends the process.

        The rest is done in a thread of its own, because a signal handler interrupts the main thread
        wherever it is, locks held included. A shell reports a signal as 128 and its number.
        """
        if self.interruption is not None:
            exit_process(128 + signum)
        name = signal.Signals(signum).name
        message = f"The run was stopped by {name}."
        error = {"code": "interrupted", "message": message, "suggestion": RUN_AGAIN}
        end = self.interruption = run_end.RunEnd("interrupted", 128 + signum, error)

        def stop_in_time() -> None:
            stop_reading()
            if self._context is not None:
                self._context.client.stop()
            text = "Received %s. Calls in flight have %s seconds; another signal ends the run now."
            logger.warning(text, name, seconds)
            threading.Event().wait(seconds)
            try:
                self.publish(end, notifies=False)
            finally:
                exit_process(end.exit_code)

        threading.Thread(target=stop_in_time, name="gainsight-stop", daemon=True).start()

    def conclude(self) -> None:
        """Process the calls in flight, write the last state, close the files and log the counts.

        All this is done once; errors of calls in flight are only consequences.
        """
        while self._context is not None and self._context.pool.busy:
            try:
                self._context.pool.process_completed(wait=True)
            except run_end.EXPECTED_ERRORS as error:
                logger.debug("while stopping: %s", error)
        if self._is_concluded:
            return
        self.progress.close()
        self.ledger.finish()
        self._is_concluded = True
        calls, seconds = self.summary.calls, self.clock.now() - self.summary.started_at
        minutes = int(seconds // 60)
        if self._context is not None and minutes:  # 61 s have two minutes' calls
            allowed = calls.allowed_per_minute["synchronous"] * (minutes + 1)
            calls.rate_used_percent = round(100 * calls.by_group["synchronous"] / allowed)
        calls.write_metrics(get_metrics_logger())
        if not self.settings.dry_run:
            logger.info("run %s\n%s", self.summary.run, self.summary)

    def end_early(self, error: Exception) -> run_end.RunEnd:
        """Conclude, and log what ended the run; after a signal, the error is a consequence."""
        failure = error if self.interruption is None else None
        if self._context is not None:
            self._context.pool.accepts_calls = False
        if isinstance(failure, StreamMismatchError) and failure.spec is not None:
            self.proposal = propose(failure.spec, failure.stream, self.context.schemas.get)
            if self.proposal is not None:
                folder = self.settings.output.rejects_path
                failure.proposal = write_proposal(self.proposal, folder)
        try:
            self.conclude()
        except run_end.EXPECTED_ERRORS as further:
            if failure is not None and str(further) != str(failure):  # a disk may fail twice
                message = run_end.describe_error(further)["message"]
                logger.error(message)  # noqa: TRY400 - it is complete
            failure = failure or further
        if failure is None and self.interruption is not None:
            logger.warning("The run was stopped. The state covers all settled records.")
            return self.interruption
        logger.error(run_end.describe_error(failure or error)["message"])
        return run_end.failed_run(failure or error)

    def publish(self, end: run_end.RunEnd, *, notifies: bool = True) -> int:
        """Publish the run, once; return its exit code. A webhook may take 15 s."""
        if not self._publishing.acquire(blocking=False):
            return end.exit_code
        output = self.settings.output
        output = output if notifies else replace(output, notify_url=None)
        return publish(self.summary, end, self.clock.now(), output)

    def close(self) -> None:
        """End the calls, the connection and the embedded tenant."""
        self._exit_stack.close()
