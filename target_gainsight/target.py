"""The Singer SDK's entry point: settings, messages, sinks, and how a run ends."""

from __future__ import annotations

import copy
import gc
import inspect
import logging
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from types import FrameType
from typing import IO, Any, ClassVar, cast

import click
import requests
from singer_sdk import Target
from singer_sdk.about import AboutInfo
from singer_sdk.exceptions import ConfigValidationError
from singer_sdk.helpers._classproperty import classproperty
from singer_sdk.helpers.capabilities import PluginCapabilities
from singer_sdk.plugin_base import _ConfigInput
from singer_sdk.singerlib.json import serialize_json
from singer_sdk.sinks import Sink
from typing_extensions import override

from target_gainsight.api import CallBudgetExceededError, Clock
from target_gainsight.loading.context import RunContext, find_stream_settings
from target_gainsight.loading.rejects.folder import REASON_PROPERTY
from target_gainsight.settings.environment import read_environment, restore_dropped_names
from target_gainsight.settings.model import CONFIG_SCHEMA, SETTINGS, declared_settings
from target_gainsight.settings.parsing import parse_settings, unknown_settings
from target_gainsight.singer.batch_files import read_batch
from target_gainsight.singer.config import as_markdown, as_text, check_config
from target_gainsight.singer.log_format import install_log_format
from target_gainsight.singer.message_reader import ReadingStoppedError, ThreadedReader
from target_gainsight.singer.record_router import RecordRouter
from target_gainsight.singer.reporting import run_end
from target_gainsight.singer.reporting.publishing import publish_failed_start
from target_gainsight.singer.reporting.run_end import RunEnd
from target_gainsight.singer.reporting.verdict import check_availability, check_end
from target_gainsight.singer.session import EXPECTED_ERRORS, Session
from target_gainsight.singer.signals import Interruption
from target_gainsight.singer.sink_registry import SinkRegistry
from target_gainsight.singer.standard_output import discard_states
from target_gainsight.sinks import StreamSink, sink_class

logger = logging.getLogger(__name__)

MELTANO_TEST_STREAM = "meltano_test_stream"
"""The stream of the record that `meltano config test` sends; it is not loaded."""

GARBAGE_THRESHOLDS = (20_000, 50, 50)
"""A group of records in flight is some ten thousand objects, none of them garbage."""

POLL_EVERY = 1000
"""Records of a BATCH file after which signals and age limits are checked."""


class TargetGainsight(Target):
    """Singer target and Meltano loader for Gainsight CS."""

    name = "target-gainsight"
    package_name = "target-gainsight"
    config_jsonschema: ClassVar[dict[str, Any]] = copy.deepcopy(CONFIG_SCHEMA)
    capabilities: ClassVar[list[Any]] = [*Target.capabilities, PluginCapabilities.BATCH]
    default_sink_class = StreamSink

    STATE_INTERVAL_SECONDS: ClassVar[float] = 1.0

    def __init__(
        self,
        *,
        clock: Clock | None = None,
        http: requests.Session | None = None,
        **kwargs: Any,  # noqa: ANN401
    ) -> None:
        self._interruption = Interruption(self._stop, self._publish_forced_end)
        self.reader = ThreadedReader(self._tick)
        self._raw_config: dict[str, Any] = {}
        self._has_session = False  # a signal may come before
        super().__init__(message_reader=self.reader, **kwargs)
        if self.metrics_logger.level > logging.DEBUG and not self.metrics_logger.handlers:
            self.metrics_logger.setLevel(logging.WARNING)  # nobody asked for them
        self._max_parallelism = 1
        self.settings = parse_settings(self._raw_config)
        self._writes_states = not self.settings.dry_run
        self.session = Session(
            self.settings,
            clock or Clock(),
            self._write_covered_state,
            self.STATE_INTERVAL_SECONDS,
            self.metrics_logger,
            self.plugin_version,
            http,
        )
        self._has_session = True
        self.summary = self.session.summary
        self._loading = cast("Mapping[str, StreamSink]", self._sinks_active)
        self.router = RecordRouter(
            self.mapper,
            SinkRegistry(self.mapper, self._loading, self.get_sink),
            self.session.ledger,
            warns_of_masks=self.settings.output.reject_values != "keys",
        )
        self._budget_is_spent = False
        self._checks_min_records = True

    @property
    def context(self) -> RunContext:
        """The values that sinks are made of; the first sink connects to the tenant."""
        return self.session.context

    # Settings

    @override
    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        """Find every error in the configuration, ours and the SDK's, at once."""
        schema = self.config_jsonschema
        self._raw_config, self._config, found = check_config(self._config, schema)
        errors = list(dict.fromkeys([*found, *self._sdk_errors()]))
        for message in unknown_settings(self._raw_config, schema["properties"]):
            self.logger.warning(message)
        if errors and raise_errors:
            summary = "Config validation failed"
            raise ConfigValidationError(summary, errors=errors, schema=schema)
        return errors

    def _sdk_errors(self) -> list[str]:
        """Check the SDK's own settings; its messages must not show the values of ours."""
        whole = self._config
        self._config = {name: value for name, value in whole.items() if name not in SETTINGS}
        try:
            super()._validate_config(raise_errors=True)
        except ConfigValidationError as error:
            return error.errors
        except AttributeError:  # the SDK's schema of __else__ has a bare text among its choices
            return ["stream_maps: __else__ can only be __NULL__."]
        finally:
            self._config = {**self._config, **whole}
        return []

    @classmethod
    @override
    def cb_config(
        cls, ctx: click.Context, param: click.Option, value: tuple[str, ...]
    ) -> _ConfigInput:
        """Read the configuration files; errors do not show their content."""
        merged = super().cb_config(ctx, param, ())
        for path in value:
            try:
                part = super().cb_config(ctx, param, (path,))
            except (OSError, TypeError, ValueError) as error:
                message = f"the configuration file {path!r} cannot be used: {error}"
                raise click.ClickException(message) from None
            merged.config |= part.config
            merged.parse_env |= part.parse_env
        return merged

    @classproperty
    @override
    def _env_var_config(cls) -> dict[str, Any]:  # noqa: N805 - a class property
        return read_environment(cls.config_jsonschema, cls._env_var_prefix)

    @classmethod
    @override
    def append_builtin_config(cls, config_jsonschema: dict[str, Any]) -> None:
        """Add the SDK's own settings, except the one for taps."""
        super().append_builtin_config(config_jsonschema)
        config_jsonschema["properties"].pop("batch_config", None)

    @classmethod
    @override
    def _get_about_info(cls) -> AboutInfo:
        """Describe the target; settings in the form that Meltano Hub reads."""
        info = super()._get_about_info()
        settings = declared_settings(info.settings)
        described = {"type": "object", "properties": {each.name: each.schema for each in settings}}
        return replace(info, description=inspect.getdoc(cls), settings=described)

    @classmethod
    @override
    def print_about(cls, output_format: str | None = None) -> None:
        if output_format == "json":
            super().print_about(output_format)
            return
        show = as_markdown if output_format == "markdown" else as_text
        click.echo(show(cls._get_about_info()))

    # Sinks

    @override
    def get_sink_class(self, stream_name: str) -> type[Sink]:
        """Choose the sink by the settings."""
        return sink_class(find_stream_settings(self.settings, stream_name))

    # Messages

    @override
    def _process_schema_message(self, message_dict: dict[str, Any]) -> None:
        """Make the sinks of a stream; a repeated message is ignored."""
        with self._within_budget() as writes:
            if not writes:
                return
            if message_dict["stream"] == MELTANO_TEST_STREAM:
                self.session.check_connection()
                self.router.ignore_stream(MELTANO_TEST_STREAM)
                self._checks_min_records = False
            else:
                self.router.route_schema(message_dict)

    @override
    def _process_record_message(self, message_dict: dict[str, Any]) -> None:
        if self._budget_is_spent:
            self.summary.left_unread += 1
            return
        if REASON_PROPERTY in message_dict:  # a replay is not all that the source has
            self._checks_min_records = False
        try:
            for full in self.router.route_record(message_dict):
                self.drain_one(full)
        except CallBudgetExceededError:
            self._stop_writing()

    @override
    def _process_batch_message(self, message_dict: dict[str, Any]) -> None:
        stream = message_dict["stream"]
        for number, record in enumerate(read_batch(message_dict), start=1):
            self._process_record_message({"type": "RECORD", "stream": stream, "record": record})
            if number % POLL_EVERY == 0:
                self.reader.poll_events()

    @override
    def _process_activate_version_message(self, message_dict: dict[str, Any]) -> None:
        self.router.report_activate_version(message_dict["stream"])

    @override
    def _process_state_message(self, message_dict: dict[str, Any]) -> None:
        if not self._budget_is_spent:
            self.session.checkpoint.add(message_dict["value"])

    @contextmanager
    def _within_budget(self) -> Iterator[bool]:
        """Yield whether to write; once the calls of this run are spent, only read on."""
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
        """Send what is older than the age limit and process completed calls."""
        with self._within_budget() as writes:
            if writes and self.session.is_connected:
                for sink in self._loading.values():
                    sink.send_older_than(self.settings.limits.max_batch_age_seconds)
                self.context.pool.process_completed(wait=False)
                self.session.checkpoint.advance()
        self.session.tick()

    def _write_covered_state(self, state: Mapping[str, Any]) -> None:
        """Bring rejects and created rows to disk, then write the state that covers them."""
        self.session.ledger.flush()
        if self._writes_states:
            try:
                sys.stdout.write(f"{serialize_json(state)}\n")
                sys.stdout.flush()
            except (OSError, ValueError, AttributeError) as error:
                self._writes_states = False
                raise discard_states(error) from error

    # The end of a run

    @override
    def process_endofpipe(self) -> None:
        """Send and settle the rest, write the last state and the summary."""
        self.session.progress.input_ended = True
        with self._within_budget() as writes:
            if writes:
                self.router.finish()
                if self.session.is_connected:
                    self.context.streams.settle_all()
                super().process_endofpipe()
        self.session.settle_in_flight()
        self.session.conclude()
        check_availability(self.session.ledger)
        if self._budget_is_spent:
            logger.warning(
                "%d records have no outcome, because max_calls_per_run was reached; the next run "
                "goes on with them",
                self.summary.without_outcome,
            )
        else:
            for loading in self._loading.values():
                loading.forget_progress()
        is_whole = self._checks_min_records and not self._budget_is_spent
        check_end(self.settings, self.session.ledger, is_whole=is_whole)

    def run_to_end(self, file_input: IO[str] | None = None, *, show_plan: bool = True) -> int:
        """Read the input to its end and report the run.

        Returns:
            The exit code: 0, 1 when the run stopped, 128 + n after signal n.
        """
        self.session.shows_plan = show_plan
        try:
            return self.session.publish(self._read_to_end(file_input))
        finally:
            self.close()

    def _read_to_end(self, file_input: IO[str] | None) -> RunEnd:
        try:
            self.listen(file_input)
        except ReadingStoppedError:
            return self.session.end_early(None, self._interruption)
        except EXPECTED_ERRORS as error:
            return self.session.end_early(error, self._interruption)
        except Exception as error:
            self.session.publish(run_end.failed(error))
            raise
        return run_end.SUCCEEDED

    def close(self) -> None:
        """Delete incomplete files, end the calls and close the connection."""
        for sink in self._loading.values():
            sink.abandon()
        self.session.close()

    @override
    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:
        self._interruption.on_signal(signum)

    def _publish_forced_end(self) -> None:
        """Publish a run that is ended while its main thread is busy; no time to notify."""
        if self._has_session:
            signal_name, exit_code = self._interruption.signal_name, self._interruption.exit_code
            with suppress(OSError, RuntimeError):  # counts that change while they are read
                self.session.publish(run_end.interrupted(signal_name, exit_code), notifies=False)

    def _stop(self) -> None:
        self.reader.stop()
        if self._has_session:
            self.session.interrupt()

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
        """Run from the command line and exit."""
        if about:
            cls.print_about(about_format)
            return
        install_log_format()
        cls.print_version(print_fn=cls.logger.info)
        config = config or _ConfigInput()
        try:
            target = cls(config=config.config, parse_env_config=config.parse_env)
        except EXPECTED_ERRORS as error:
            given = {**config.config, **(cls._env_var_config if config.parse_env else {})}
            raw = restore_dropped_names(given, cls.config_jsonschema)
            publish_failed_start(raw, error, cls.plugin_version)
            if isinstance(error, ConfigValidationError):
                raise
            cls.logger.error("%s", error)  # noqa: TRY400 - the message is complete
            sys.exit(1)
        gc.collect()
        gc.freeze()
        gc.set_threshold(*GARBAGE_THRESHOLDS)
        sys.exit(target.run_to_end(file_input))


TargetGainsight.append_builtin_config(TargetGainsight.config_jsonschema)
