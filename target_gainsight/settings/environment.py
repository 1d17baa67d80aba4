"""The settings as they are given: in files, in environment variables, and by Meltano."""

import os
from collections.abc import Mapping
from typing import Any

from dotenv import find_dotenv, load_dotenv

from target_gainsight.settings.kinds import OBJECT, read_object
from target_gainsight.settings.model import declared_settings
from target_gainsight.settings.setting import SDK_GROUP, join_names

PREFIX = "TARGET_GAINSIGHT_"
MELTANO_PREFIX = "MELTANO_LOAD_"
"""Prefix of the variables in which Meltano passes all settings to whatever loader it runs."""

MELTANO_RUNS_US = "MELTANO_LOADER_NAME"


def read_raw_settings(
    config: Mapping[str, Any], schema: Mapping[str, Any], *, parse_env: bool
) -> dict[str, Any]:
    """Return the settings of files and, if asked for, of the environment, which wins.

    Of an object that was given in a variable, Meltano drops the names with dots, such as the
    stream ``crm.accounts``, from the file that it writes, unless the plugin's definition asks for
    ``nest_object``; the Hub's bot does not keep that. Meltano's variables hold the objects whole.
    """
    given, passed = dict(config), _read_variables(schema, MELTANO_PREFIX)
    if parse_env:
        load_dotenv(find_dotenv(usecwd=True))
        given |= passed | _read_variables(schema, PREFIX)
    if MELTANO_RUNS_US in os.environ:
        objects = {name: passed[name] for name in given if isinstance(passed.get(name), dict)}
        given = _add_missing_names(given, objects)
    if isinstance(given.get("stream_maps"), dict):
        given["stream_maps"] = join_stream_maps(given["stream_maps"])
    return given


def _read_variables(schema: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    given: dict[str, Any] = {}
    for setting in declared_settings(schema):
        text = os.environ.get(f"{prefix}{setting.name.upper()}")
        if text:
            given[setting.name] = text
        found = read_object(text) if setting.kind is OBJECT else None
        if found is not None:
            is_flat = setting.group != SDK_GROUP or MELTANO_RUNS_US in os.environ
            given[setting.name] = _unflatten(found) if is_flat else found
    return given


def _unflatten(flat: Mapping[str, Any]) -> dict[str, Any]:
    """Undo Meltano's flattening, which makes ``{"a.b": c}`` of ``{"a": {"b": c}}``.

    Names that had dots themselves come apart as well; the parser joins them again.
    """
    nested: dict[str, Any] = {}
    for name in sorted(flat, key=lambda name: name.count(".")):
        *outer, last = [name] if isinstance(flat[name], dict) else name.split(".")
        inner: Any = nested
        for part in outer:
            inner = inner.setdefault(part, {}) if isinstance(inner, dict) else None
        if isinstance(inner, dict):
            inner[last] = flat[name]
        else:  # beside {"a": …}, "a.b" is a name of its own
            nested[name] = flat[name]
    return nested


def _add_missing_names(given: Mapping[str, Any], whole: Mapping[str, Any]) -> dict[str, Any]:
    completed = dict(given)
    for name, value in whole.items():
        if name not in given:
            completed[name] = value
        elif isinstance(given[name], dict) and isinstance(value, dict):
            completed[name] = _add_missing_names(given[name], value)
    return completed


def join_stream_maps(maps: Mapping[str, Any]) -> dict[str, Any]:
    """Join stream names: ``{crm: {accounts: {…}}}`` is ``crm.accounts``.

    A stream's own map holds text, lists and nulls, never an object: an object that holds one is a
    part of a name. ``{crm: {accounts: __NULL__}}`` may leave out the stream ``crm.accounts`` or the
    property ``accounts`` of ``crm``; it is left as it is.
    """
    return join_names(maps, lambda value: any(isinstance(each, dict) for each in value.values()))
