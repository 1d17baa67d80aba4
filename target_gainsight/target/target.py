"""The Singer target: configuration in, sinks chosen per stream, state out, exit code, signals."""

from __future__ import annotations

import copy
import json
import logging
import os
import signal
import sys
import threading
from functools import cached_property
from typing import IO, TYPE_CHECKING, Any, ClassVar, cast

from singer_sdk import Target
from singer_sdk.exceptions import ConfigValidationError, SingerSDKError
from singer_sdk.helpers.capabilities import PluginCapabilities
from singer_sdk.mapper import RemoveRecordTransform
from singer_sdk.singerlib.exceptions import SingerError
from singer_sdk.singerlib.json import serialize_json
from typing_extensions import override

from target_gainsight import settings as configuration
from target_gainsight.api import (
    AccessKey,
    GainsightClient,
    GainsightError,
    Pacer,
    RateLimits,
    RetryPolicy,
    SystemClock,
)
from target_gainsight.target.calls import CallCounter
from target_gainsight.target.intake import Intake
from target_gainsight.loading.checkpoint import Checkpoint
from target_gainsight.loading.ledger import Ledger
from target_gainsight.loading.loader import SendingPool
from target_gainsight.loading.outcomes import Outcome, RunStoppedError
from target_gainsight.loading.rejects import PrivateFile, RejectFile, new_run_name
from target_gainsight.loading.run import Run
from target_gainsight.loading.summary import Summary
from target_gainsight.mapping.mismatch import StreamMismatchError
from target_gainsight.target.reading import ReadingStoppedError, ThreadedReader
from target_gainsight.sinks import (
    CompanySink,
    CustomObjectSink,
    DiscardingSink,
    GainsightSink,
    PersonSink,
    RelationshipSink,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from types import FrameType

    from singer_sdk.plugin_base import _ConfigInput
    from singer_sdk.sinks import Sink

    from target_gainsight.api import Clock
    from target_gainsight.sandbox import RunningSandbox
    from target_gainsight.settings import Settings

logger = logging.getLogger(__name__)

SINKS: Mapping[str, type[GainsightSink]] = {
    "company": CompanySink,
    "person": PersonSink,
    "relationship": RelationshipSink,
    "custom_object": CustomObjectSink,
}

EXPECTED_ERRORS = (
    RunStoppedError,
    StreamMismatchError,
    GainsightError,
    SingerSDKError,
    SingerError,
    OSError,
)
"""Errors that end a run with one message: what they say is all there is to know."""

SECONDS_TO_STOP = 25
"""What is left to a run after a signal: Kubernetes kills after 30."""

SIGNAL_EXIT = 128


class TargetGainsight(Target):
    """Singer target for Gainsight CS.

    Args:
        clock: Tells the time and waits.
        kwargs: What the SDK's Target takes.
    """

    name = "target-gainsight"
    package_name = "target-gainsight"
    config_jsonschema: ClassVar[dict[str, Any]] = configuration.CONFIG_SCHEMA
    capabilities: ClassVar[list[Any]] = [*Target.capabilities, PluginCapabilities.BATCH]
    default_sink_class = CompanySink
    message_reader_class = ThreadedReader

    STATE_INTERVAL_SECONDS: ClassVar[float] = 1.0

    def __init__(self, *, clock: Clock | None = None, **kwargs: Any) -> None:  # noqa: ANN401
        self.clock = clock or SystemClock()
        super().__init__(**kwargs)
        self._max_parallelism = 1
        self._sandbox: RunningSandbox | None = None
        self._signal: int | None = None
        self.checkpoint = Checkpoint(
            self._write_covered_state, self.clock.now, self.STATE_INTERVAL_SECONDS
        )
        self.summary = Summary(new_run_name(self.clock.now()))
        self.calls = CallCounter(self.summary.calls)
        self.intake = Intake(self)
        self._reader.on_tick = self.intake.tick

    @property
    def _reader(self) -> ThreadedReader:
        return cast("ThreadedReader", self.message_reader)

    @cached_property
    def settings(self) -> Settings:
        """The configuration, validated."""
        return configuration.parse_settings(self._raw_config)

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
        return Ledger(self.checkpoint, rejects, created, self.summary, self.settings.rejection)

    @cached_property
    def run(self) -> Run:
        """What all streams share; made, and the embedded tenant started, when first needed."""
        base_url, access_key = self._connect()
        limits = self.settings.limits
        rate = RateLimits(limits.calls_per_minute, limits.calls_per_day, limits.quota_percent)
        client = GainsightClient(
            base_url,
            AccessKey(access_key),
            pacer=Pacer(rate, clock=self.clock),
            retry=RetryPolicy(max_seconds=limits.max_retry_seconds),
            timeout=limits.request_timeout,
            clock=self.clock,
            observer=self.calls,
        )
        return Run(
            settings=self.settings,
            client=client,
            clock=self.clock,
            checkpoint=self.checkpoint,
            summary=self.summary,
            ledger=self.ledger,
            pool=SendingPool(self.settings.max_concurrency),
        )

    def _connect(self) -> tuple[str, str]:
        connection = self.settings.connection
        if connection.sandbox_path is None:
            return connection.base_url, connection.access_key
        from target_gainsight import sandbox  # noqa: PLC0415 - only where it is asked for

        try:
            self._sandbox = sandbox.start_sandbox(
                connection.sandbox_path, config=connection.sandbox_config
            )
        except (sandbox.SandboxUnavailableError, sandbox.SandboxConfigError) as error:
            raise RunStoppedError(str(error)) from error
        return self._sandbox.base_url, self._sandbox.access_key

    @override
    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        """Find every mistake in the configuration, ours and the SDK's, at once."""
        self._raw_config = dict(self._config)
        mistakes: list[str] = []
        try:
            configuration.parse_settings(self._raw_config)
        except configuration.SettingsError as error:
            mistakes += error.mistakes
        mistakes += self._builtin_mistakes()
        for sentence in configuration.unknown_settings(
            self._raw_config, self.config_jsonschema["properties"]
        ):
            self.logger.warning(sentence)
        if mistakes and raise_errors:
            summary = "Config validation failed"
            raise ConfigValidationError(summary, errors=mistakes, schema=self.config_jsonschema)
        return mistakes

    def _builtin_mistakes(self) -> list[str]:
        """Let the SDK check its own settings; it may not show the values of ours."""
        own = set(configuration.CONFIG_SCHEMA_NAMES)
        whole = self._config
        self._config = {name: value for name, value in whole.items() if name not in own}
        try:
            super()._validate_config(raise_errors=True)
        except ConfigValidationError as error:
            return error.errors
        finally:
            self._config = {**self._config, **whole}
        return []

    @override
    def get_sink_class(self, stream_name: str) -> type[Sink]:
        """Choose the sink of a stream by its settings.

        Args:
            stream_name: The stream's name as it comes out of the stream maps.

        Returns:
            The sink class; a discarding one for a stream that the maps exclude.

        Raises:
            RunStoppedError: No setting routes the stream.
        """
        if self._is_excluded(stream_name):
            return DiscardingSink
        return SINKS[self.run.stream_settings(stream_name).object_type]

    def _is_excluded(self, alias: str) -> bool:
        maps = [
            stream_map
            for stream_maps in self.mapper.stream_maps.values()
            for stream_map in stream_maps
            if stream_map.stream_alias == alias
        ]
        return bool(maps) and all(isinstance(each, RemoveRecordTransform) for each in maps)

    @override
    def get_sink(
        self,
        stream_name: str,
        *,
        record: dict[str, Any] | None = None,
        schema: dict[str, Any] | None = None,
        key_properties: Sequence[str] | None = None,
    ) -> Sink:
        """Return the sink of a stream; on a schema change the old one is settled first.

        Args:
            stream_name: The stream's name as it comes out of the stream maps.
            record: Not used.
            schema: The stream's schema, in a SCHEMA message.
            key_properties: Its key properties, in a SCHEMA message.

        Returns:
            The sink.
        """
        before = self._sinks_active.get(stream_name)
        if schema is not None and isinstance(before, GainsightSink):
            changed = before.original_schema != schema or before.key_properties != key_properties
            if changed:
                before.settle()
        return super().get_sink(
            stream_name, record=record, schema=schema, key_properties=key_properties
        )

    @property
    def active_sinks(self) -> tuple[GainsightSink, ...]:
        """The sinks that load; those that discard are left out."""
        return tuple(s for s in self._sinks_active.values() if isinstance(s, GainsightSink))

    @override
    def _process_schema_message(self, message_dict: dict[str, Any]) -> None:
        self.intake.remember_schema(copy.deepcopy(message_dict))
        super()._process_schema_message(message_dict)

    @override
    def _process_record_message(self, message_dict: dict[str, Any]) -> None:
        self._assert_line_requires(message_dict, requires={"stream", "record"})
        self.intake.take(message_dict)

    @override
    def _process_batch_message(self, message_dict: dict[str, Any]) -> None:
        self._assert_line_requires(message_dict, requires={"stream", "encoding", "manifest"})
        self.intake.take_batch(message_dict)

    @override
    def _process_activate_version_message(self, message_dict: dict[str, Any]) -> None:
        self._assert_line_requires(message_dict, requires={"stream"})
        self.intake.note_activate_version(message_dict["stream"])

    @override
    def _process_state_message(self, message_dict: dict[str, Any]) -> None:
        self._assert_line_requires(message_dict, requires={"value"})
        self.checkpoint.add(message_dict["value"])

    def _write_covered_state(self, state: Mapping[str, Any]) -> None:
        """Bring what the state covers to disk, then write the state."""
        self.ledger.flush()
        if not self.settings.dry_run:
            self._write_state_message(dict(state))

    @override
    def _write_state_message(self, state: dict[str, Any]) -> None:
        sys.stdout.write(f"{serialize_json(state)}\n")
        sys.stdout.flush()

    @override
    def process_endofpipe(self) -> None:
        """Send and settle what is left, write the last state and the summary.

        Raises:
            RunStoppedError: Every record was rejected.
        """
        super().process_endofpipe()
        self._conclude()
        rejected = self.summary.total(Outcome.REJECTED)
        if self.ledger.everything_rejected:
            message = (
                f"all {rejected} records were rejected; the reasons are in "
                f"{self.ledger.rejects.path}"
            )
            raise RunStoppedError(message)
        if rejected:
            logger.warning(
                "%d records were rejected and are kept in %s", rejected, self.ledger.rejects.path
            )

    def _conclude(self) -> None:
        """Write the last state, close the files and report."""
        self.ledger.finish()
        for name, file in (("rejects", self.ledger.rejects), ("created", self.ledger.created)):
            if file.exists:
                self.summary.files[name] = file.path
        self.calls.write_metrics(self.metrics_logger)
        logger.info("run %s\n%s", self.summary.run, self.summary.to_text())
        if self.settings.summary_path:
            _write_json(self.settings.summary_path, self.summary.to_json())

    def _settle_in_flight(self) -> None:
        """Settle the batches that are in flight; nothing more is sent."""
        if "run" not in self.__dict__:
            return
        while self.run.pool.busy:
            try:
                self.run.pool.land(block=True)
            except EXPECTED_ERRORS as error:
                logger.debug("while stopping: %s", error)

    def close(self) -> None:
        """End the connection and the embedded tenant."""
        if "run" in self.__dict__:
            self.run.pool.close()
            self.run.client.close()
        if self._sandbox is not None:
            self._sandbox.stop()
            self._sandbox = None

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
            if self._signal is not None:
                return self._end_by_signal()
            self._stop_because(error)
            return 1
        else:
            return 0
        finally:
            self.close()

    def _stop_because(self, error: Exception) -> None:
        self._settle_in_flight()
        try:
            self._conclude()
        except OSError as second:
            logger.error("the reject file or the summary cannot be written: %s", second)  # noqa: TRY400
        self.logger.error("%s", error)

    def _end_by_signal(self) -> int:
        number = self._signal or signal.SIGTERM
        self._settle_in_flight()
        self._conclude()
        logger.warning("stopped by signal %d; the state covers what is settled", number)
        return SIGNAL_EXIT + number

    @override
    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:
        """Stop reading; a second signal, or 25 s without an end, exits at once."""
        if self._signal is not None:
            os._exit(SIGNAL_EXIT + signum)
        self._signal = signum
        threading.Thread(target=self._stop_soon, args=(signum,), daemon=True).start()

    def _stop_soon(self, signum: int) -> None:
        """Runs beside the main thread, which a signal handler must not block."""
        self._reader.stop()
        if "run" in self.__dict__:
            self.run.client.stop()
        threading.Event().wait(SECONDS_TO_STOP)
        os._exit(SIGNAL_EXIT + signum)

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
        cls.print_version(print_fn=cls.logger.info)
        target = cls(
            config=config.config if config else {},
            parse_env_config=config.parse_env if config else False,
        )
        sys.exit(target.run_to_end(file_input))


def _write_json(path: Path, content: dict[str, Any]) -> None:
    """Replace a file for its owner only, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f"{path.name}.part")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(content, file, indent=2, default=str)
    beside.replace(path)
