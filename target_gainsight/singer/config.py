"""The configuration, ours and the SDK's, checked for all errors at once."""

import logging
import re
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

from jsonschema import Draft202012Validator
from singer_sdk.exceptions import ConfigValidationError

from target_gainsight.settings.errors import SettingsError
from target_gainsight.settings.model import Settings
from target_gainsight.settings.parsing import parse_settings, read_sdk_settings, unknown_settings

logger = logging.getLogger(__name__)

Schema = dict[str, Any]


def parse_config(given: Mapping[str, Any], schema: Schema) -> tuple[Settings, dict[str, Any]]:
    """Parse our settings, and return those of the SDK as it reads them; warn of unknown ones.

    Raises:
        ConfigValidationError: There are errors; all of them are listed.
    """
    for message in unknown_settings(given, schema["properties"]):
        logger.warning(message)
    settings, errors = None, list[str]()
    try:
        settings = parse_settings(given)
    except SettingsError as error:
        errors += error.errors
    of_sdk, wrong = read_sdk_settings(given, schema)
    errors += [*wrong, *_sdk_errors(of_sdk, schema)]
    if settings is None or errors:
        summary, errors = "Config validation failed", [*dict.fromkeys(errors)]
        raise ConfigValidationError(summary, errors=errors, schema=schema)
    return settings, of_sdk


def _sdk_errors(config: Mapping[str, Any], schema: Schema) -> list[str]:
    """Find the errors in the SDK's settings that would fail later, or for every record."""
    try:
        found = [*Draft202012Validator(schema).iter_errors(config)]
    except AttributeError:  # the SDK's schema of __else__ has a bare text among its choices
        return ["stream_maps: __else__ can only be __NULL__."]
    errors = [f"{'.'.join(map(str, each.absolute_path))}: {each.message}" for each in found]
    if re.search(r"\bfake\.", str(config.get("stream_maps"))) and not find_spec("faker"):
        install = "pip install 'target-gainsight[faker]'"
        errors.append(f"stream_maps: fake needs the faker extra. Install it: {install}")
    return errors
