"""The Singer SDK's entry point: settings, messages, sinks, and how a run ends."""

import copy
import gc
import logging
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from types import FrameType
from typing import IO, Any, ClassVar

import click
import requests
from singer_sdk import Target
from singer_sdk.about import AboutInfo
from singer_sdk.exceptions import ConfigValidationError
from singer_sdk.helpers.capabilities import PluginCapabilities
from singer_sdk.plugin_base import _ConfigInput
from singer_sdk.sinks import Sink
from typing_extensions import override

from target_gainsight.api import CallBudgetExceededError, Clock
from target_gainsight.loading.context import find_stream_settings
from target_gainsight.mapping.errors import counted
from target_gainsight.settings.environment import read_raw_settings
from target_gainsight.settings.model import CONFIG_SCHEMA, declared_settings
from target_gainsight.settings.parsing import parse_settings
from target_gainsight.singer.message_reader import ThreadedReader, read_batch
from target_gainsight.singer.output import install_log_format
from target_gainsight.singer.record_router import RecordRouter
from target_gainsight.singer.reporting.publishing import publish_failed_start
from target_gainsight.singer.reporting.run_end import EXPECTED_ERRORS, RunEnd, check_end, failed_run
from target_gainsight.singer.session import Session
from target_gainsight.singer.stream_maps import StreamMaps, warn_of_unmasked_rejects
from target_gainsight.sinks import sink_class

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
    config_jsonschema: ClassVar[dict[str, Any]] = copy.deepcopy(CONFIG_SCHEMA)
    capabilities: ClassVar[list[Any]] = [*Target.capabilities, PluginCapabilities.BATCH]
    STATE_INTERVAL_SECONDS: ClassVar[float] = 1.0

    _env_var_config: ClassVar[dict[str, Any]] = {}
    """The environment is read in ``__init__``."""

    def __init__(
        self,
        *,
        config: dict[str, Any] | None = None,
        parse_env_config: bool = False,
        clock: Clock | None = None,
        http: requests.Session | None = None,
        **kwargs: Any,  # noqa: ANN401
    ) -> None:
        given = read_raw_settings(config or {}, self.config_jsonschema, parse_env=parse_env_config)
        self.settings = parse_settings(given, self.config_jsonschema)
        self.reader = ThreadedReader(self._tick)
        self.session = Session(
            self.settings,
            clock or Clock(),
            state_interval=self.STATE_INTERVAL_SECONDS,
            version=self.plugin_version,
            http=http,
        )
        self.summary = self.session.summary
        super().__init__(
            config=dict(self.settings.of_sdk),
            parse_env_config=parse_env_config,
            message_reader=self.reader,
            **kwargs,
        )
        if self.metrics_logger.level > logging.DEBUG and not self.metrics_logger.handlers:
            self.metrics_logger.setLevel(logging.WARNING)  # nobody asked for them
        self.max_parallelism = 1
        self.router = RecordRouter(StreamMaps(self.mapper), self.get_sink, self.session.ledger)
        self._budget_is_spent = False
        if self.settings.output.reject_values != "keys":
            warn_of_unmasked_rejects(self.mapper.stream_maps_dict)

    # Command line

    @classmethod
    @override
    def cb_config(
        cls, ctx: click.Context, param: click.Option, value: tuple[str, ...]
    ) -> _ConfigInput:
        """Read the configuration files; errors do not show their content."""
        try:
            return super().cb_config(ctx, param, value)
        except (OSError, TypeError, ValueError) as error:
            names = " or ".join(map(repr, value))
            is_no_object = type(error) in {TypeError, ValueError}  # of a list or text as a dict
            reason = "it is not a JSON object" if is_no_object else error
            message = f"the configuration file {names} cannot be used: {reason}"
            raise click.ClickException(message) from None

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
        return replace(info, settings=described)

    @classmethod
    @override
    def invoke(  # type: ignore[override]
        cls,
        *,
        about: bool = False,
        about_format: str | None = None,
        config: _ConfigInput,
        file_input: IO[str] | None = None,
    ) -> None:
        if about:
            cls.print_about(about_format)
            return
        install_log_format()
        cls.print_version(print_fn=cls.logger.info)
        try:
            target = cls(config=config.config, parse_env_config=config.parse_env)
        except EXPECTED_ERRORS as error:
            given = read_raw_settings(
                config.config, cls.config_jsonschema, parse_env=config.parse_env
            )
            publish_failed_start(given, error, cls.plugin_version)
            if isinstance(error, ConfigValidationError):
                raise
            cls.logger.error("%s", error)  # noqa: TRY400 - the message is complete
            sys.exit(1)
        gc.collect()
        gc.freeze()
        gc.set_threshold(*GARBAGE_THRESHOLDS)
        sys.exit(target.run_to_end(file_input))

    # Messages

    @override
    def get_sink_class(self, stream_name: str) -> type[Sink]:
        return sink_class(find_stream_settings(self.settings, stream_name))

    @override
    def _process_schema_message(self, message_dict: dict[str, Any]) -> None:
        with self._within_budget() as writes:
            if writes and message_dict["stream"] == MELTANO_TEST_STREAM:
                self.session.context.client.metadata.list_objects()
                logger.info("The tenant responds and accepts the credential. Nothing is written.")
                self.router.ignore_stream(MELTANO_TEST_STREAM)
            elif writes:
                self.router.route_schema(message_dict)

    @override
    def _process_record_message(self, message_dict: dict[str, Any]) -> None:
        if self._budget_is_spent:
            self.summary.left_unread += 1
            return
        try:
            for full in self.router.route_record(message_dict):
                self.drain_one(full)
        except CallBudgetExceededError:
            self._budget_is_spent = True

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
            self._budget_is_spent = True

    def _tick(self) -> None:
        """Send what is older than the age limit and process completed calls."""
        with self._within_budget() as writes:
            if writes and self.router.sinks:
                for sink in self.router.sinks.values():
                    sink.send_older_than(self.settings.limits.max_batch_age_seconds)
                self.session.context.pool.process_completed(wait=False)
                self.session.checkpoint.advance()
        self.session.tick()

    # The end of a run

    @override
    def process_endofpipe(self) -> None:
        self.session.progress.input_ended = True
        with self._within_budget() as writes:
            if writes:
                self.router.finish()
                if self.router.sinks:
                    self.session.context.streams.settle_all()
                for sink in self.router.sinks.values():  # SDK 0.55 ends its metric before clean_up
                    sink.report_written()
                super().process_endofpipe()
        self.session.conclude()
        if self._budget_is_spent:
            logger.warning(
                "max_calls_per_run (%s) is reached: %s not written. The state stays before them, "
                "and the next run sends them again",
                self.settings.limits.max_calls_per_run,
                counted(self.summary.without_outcome, "record"),
            )
        elif not self.session.ledger.held_back:
            for sink in self.router.sinks.values():
                sink.forget_progress()
        input_is_complete = self.router.input_is_complete and not self._budget_is_spent
        check_end(self.settings, self.session.ledger, input_is_complete=input_is_complete)

    def run_to_end(self, file_input: IO[str] | None = None, *, show_plan: bool = True) -> int:
        """Read the input to its end, report the run and return its exit code."""
        end, plan = RunEnd("success", 0), self.session.plan
        with closing(self):
            try:
                self.listen(file_input)
            except EXPECTED_ERRORS as error:
                end = self.session.end_early(error)
            except Exception as error:
                self.session.publish(failed_run(error))
                raise
            if plan is not None and show_plan:
                click.echo(plan.to_text(self.summary), err=True)
            return self.session.publish(end)

    def close(self) -> None:
        """Delete incomplete files, end the calls and close the connection."""
        for sink in self.router.sinks.values():
            sink.abandon()
        self.session.close()

    @override
    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:
        self.session.on_signal(signum, self.reader.stop)


TargetGainsight.append_builtin_config(TargetGainsight.config_jsonschema)
