"""The part of the target that reads, checks and shows its settings."""

from __future__ import annotations

import copy
import inspect
from dataclasses import replace
from functools import cached_property
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, ClassVar

import click
from singer_sdk import Target
from singer_sdk.exceptions import ConfigValidationError
from singer_sdk.helpers._classproperty import classproperty
from singer_sdk.helpers.capabilities import PluginCapabilities
from typing_extensions import override

from target_gainsight import settings as configuration
from target_gainsight.mapping.errors import shown
from target_gainsight.singer.about import as_markdown, as_text

if TYPE_CHECKING:
    from singer_sdk.about import AboutInfo
    from singer_sdk.plugin_base import _ConfigInput

    from target_gainsight.settings import Settings


class ConfiguredTarget(Target):
    """A target with our settings, which loads nothing yet."""

    name = "target-gainsight"
    package_name = "target-gainsight"
    config_jsonschema: ClassVar[dict[str, Any]] = copy.deepcopy(configuration.CONFIG_SCHEMA)
    capabilities: ClassVar[list[Any]] = [*Target.capabilities, PluginCapabilities.BATCH]

    @cached_property
    def settings(self) -> Settings:
        """The configuration, validated."""
        return configuration.parse_settings(self._raw_config)

    @override
    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        """Find every error in the configuration, ours and the SDK's, at once."""
        schema = self.config_jsonschema
        self._raw_config = configuration.restore_dropped_names(self._config, schema)
        maps = self._raw_config.get("stream_maps")
        if isinstance(maps, dict):
            self._raw_config["stream_maps"] = configuration.join_stream_maps(maps)
        errors: list[str] = []
        try:
            configuration.parse_settings(self._raw_config)
        except configuration.SettingsError as error:
            errors += error.errors
        self._config, wrong = configuration.read_sdk_settings(self._raw_config, schema)
        errors = list(dict.fromkeys([*errors, *wrong, *self._sdk_errors()]))
        errors += _missing_faker(self._config.get("stream_maps"))
        for message in configuration.unknown_settings(self._raw_config, schema["properties"]):
            self.logger.warning(message)
        if errors and raise_errors:
            summary = "Config validation failed"
            raise ConfigValidationError(summary, errors=errors, schema=schema)
        return errors

    def _sdk_errors(self) -> list[str]:
        """Let the SDK check its own settings; it may not show the values of ours."""
        whole = self._config
        self._config = {
            name: value for name, value in whole.items() if name not in configuration.SETTINGS
        }
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
        """Read the configuration files that the command line names.

        Args:
            ctx: Click's context.
            param: The option.
            value: Paths; ``ENV`` stands for the environment.

        Returns:
            The files' settings, later files first.

        Raises:
            click.ClickException: A file cannot be read; what is in it is not shown.
        """
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
        return configuration.read_environment(cls.config_jsonschema, cls._env_var_prefix)

    @classmethod
    @override
    def append_builtin_config(cls, config_jsonschema: dict[str, Any]) -> None:
        """Add the SDK's own settings, but for the one that is for taps only.

        Args:
            config_jsonschema: Takes them.
        """
        super().append_builtin_config(config_jsonschema)
        config_jsonschema["properties"].pop("batch_config", None)

    @classmethod
    @override
    def _get_about_info(cls) -> AboutInfo:
        """Describe the target; of a setting, only what survives the bot of Meltano Hub."""
        info = super()._get_about_info()
        settings = configuration.declared_settings(info.settings)
        shown = {"type": "object", "properties": {each.name: each.schema for each in settings}}
        return replace(info, description=inspect.getdoc(cls), settings=shown)

    @classmethod
    @override
    def print_about(cls, output_format: str | None = None) -> None:
        """Print the target's capabilities and settings.

        Args:
            output_format: ``json``, ``markdown`` or text.
        """
        if output_format == "json":
            super().print_about(output_format)
            return
        show = as_markdown if output_format == "markdown" else as_text
        click.echo(show(cls._get_about_info()))


def _missing_faker(maps: object) -> list[str]:
    """Report an expression that would fail for every record."""
    expression = configuration.faker_expression(maps) if isinstance(maps, dict) else None
    if expression is None or find_spec("faker"):
        return []
    install = "pip install 'target-gainsight[faker]'"
    return [f"stream_maps: {shown(expression)} needs the faker extra. Install it: {install}"]


ConfiguredTarget.append_builtin_config(ConfiguredTarget.config_jsonschema)
