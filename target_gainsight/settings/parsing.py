"""Parses the raw configuration into settings and reports every error at once."""

import ast
import logging
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from importlib.util import find_spec
from typing import Any, TypeVar
from urllib.parse import quote

from jsonschema import Draft202012Validator
from singer_sdk.exceptions import ConfigValidationError

from target_gainsight.settings.kinds import MEMORY, SANDBOX, split_url
from target_gainsight.settings.model import (
    CONFIG_SCHEMA,
    ENTRY_SETTINGS,
    SETTINGS,
    Connection,
    Limits,
    Output,
    Settings,
    declared_settings,
)
from target_gainsight.settings.setting import (
    SDK_GROUP,
    ConfigErrors,
    did_you_mean,
    display,
    join_names,
    read_object_of,
    read_values,
    settings_of,
)
from target_gainsight.settings.stream_settings import StreamSettings

logger = logging.getLogger(__name__)

_SettingsClass = TypeVar("_SettingsClass")

CREDENTIALS = ("access_key", "client_id", "client_secret")
ONE_CREDENTIAL = (
    "either access_key (the tenant's REST API access key), or client_id and client_secret (M2M "
    "OAuth)"
)
OBJECT_SETTINGS = ("object_type", "custom_object_name")
OBJECT_SPECIFIC = (
    *OBJECT_SETTINGS,
    *("lookup_keys", "fallback_keys", "field_rules", "field_mapping"),
    *("constants", "lookups", "company_links"),
)
"""What an entry that names an object does not inherit."""

_SET_BY_JOB = (
    *("sync_mode", "lookup_keys", "fallback_keys"),
    *("lookups", "company_links", "unknown_fields"),
)
_NEED_CURRENT_ROWS = ("field_rules", "multi_match", "near_matches", "skip_unchanged", "max_creates")
_NOT_IN_CSV = ("null_values", "deletes")
_NOT_IN_SURVEYS = ("field_mapping", "rich_text", "transport", "bulk_job_id")
_RECORDS_ONLY = ("transport", "deletes", "fallback_keys")
_MAP_OPTIONS = ("__alias__", "__else__", "__filter__", "__key_properties__", "__source__")
_UPDATE_ONLY = ("field_rules", "fallback_keys", "deletes")
_FOR_RECORDS = "it is for companies, relationships and custom objects"

CONFLICTS = (
    (
        "object_type: survey_csv",
        (*_SET_BY_JOB, *_NEED_CURRENT_ROWS, *_NOT_IN_CSV, *_NOT_IN_SURVEYS),
        "an administrator imports its file, whose columns survey_columns assigns",
    ),
    ("object_type: person", ("lookup_keys",), "people are always identified by Email"),
    ("object_type: person", _RECORDS_ONLY, _FOR_RECORDS),
    ("object_type: timeline", ("lookup_keys",), "activities are always identified by ExternalId"),
    ("object_type: timeline", _RECORDS_ONLY, _FOR_RECORDS),
    ("object_type: cta", _RECORDS_ONLY, _FOR_RECORDS),
    ("transport: bulk", _SET_BY_JOB, "the Gainsight job defines its operation, keys and columns"),
    ("transport: bulk", _NEED_CURRENT_ROWS, "current rows are not read"),
    ("transport: bulk", _NOT_IN_CSV, "a CSV file has neither nulls nor deletes"),
    ("sync_mode: insert", _UPDATE_ONLY, "insert reads no existing rows"),
)
"""A value, the settings that cannot be combined with it, and why."""

REQUIRES = {
    "custom_object_name": "object_type: custom_object",
    "company_links": "object_type: person",
    "survey_columns": "object_type: survey_csv",
    "bulk_job_id": "transport: bulk",
}
"""The settings that apply only with a value of another setting, which may require them."""

WITHOUT_EFFECT: tuple[object, ...] = (None, "", (), {}, "skip", "rest")
"""Values that have no effect, so that they conflict with nothing."""


def parse_settings(raw: Mapping[str, Any], schema: Mapping[str, Any] = CONFIG_SCHEMA) -> Settings:
    """Parse what was given, without defaults; a ConfigValidationError lists all errors.

    The schema has the settings that may be given at the top, those of the Singer SDK included.
    """
    errors = ConfigErrors()
    _warn_of_unknown_settings(raw, schema["properties"])
    given = read_values(raw, SETTINGS, errors)
    _apply_load_method(given, errors)
    top = {name: given[name] for name in given if SETTINGS[name].scope == "stream"}
    settings = _build(
        Settings,
        given,
        connection=_parse_connection(_build(Connection, given), errors),
        limits=_parse_limits(_build(Limits, given), errors),
        output=_build(Output, given),
        of_sdk=_read_sdk_settings(raw, schema, errors),
        default_stream=_parse_stream(top, {}, "", errors),
        streams={
            name: _parse_entry(name, entry, top, errors)
            for name, entry in join_names(given.get("streams", {}), _is_part).items()
        },
    )
    if errors:
        summary, listed = "Config validation failed", [*dict.fromkeys(errors)]
        raise ConfigValidationError(summary, errors=listed)
    return settings


def parse_output(raw: Mapping[str, Any]) -> Output:
    """Parse what is written about a run, from settings that may have errors elsewhere."""
    return Output(**read_values(raw, settings_of(Output), ConfigErrors()))


def _warn_of_unknown_settings(raw: Mapping[str, Any], known: Mapping[str, Any]) -> None:
    for name in raw:
        if name not in known:
            hint = did_you_mean(name, known)
            if name in SETTINGS:
                hint = "Set it for each stream, in its entry under streams."
            logger.warning(f"setting {display(name)} has no effect here. {hint}".rstrip())


def _read_sdk_settings(
    raw: Mapping[str, Any], schema: Mapping[str, Any], errors: ConfigErrors
) -> dict[str, Any]:
    """Read the settings of the Singer SDK; also find what would fail later, or every record."""
    declared = {each.name: each for each in declared_settings(schema) if each.group == SDK_GROUP}
    given = read_values(raw, declared, errors)
    try:
        for error in Draft202012Validator(schema).iter_errors(given):
            errors.append(f"{'.'.join(map(str, error.absolute_path))}: {error.message}")
    except AttributeError:  # the SDK's schema of __else__ has a bare text among its choices
        errors.append("stream_maps: __else__ can only be __NULL__.")
    if re.search(r"\bfake\.", str(given.get("stream_maps"))) and not find_spec("faker"):
        install = "pip install 'target-gainsight[faker]'"
        errors.append(f"stream_maps: fake needs the faker extra. Install it: {install}")
    maps = given.get("stream_maps")
    for stream, definition in maps.items() if isinstance(maps, dict) else ():
        if isinstance(definition, dict):
            _check_stream_map(f"stream_maps.{stream}", definition, errors)
    return given


def _check_stream_map(place: str, definition: Mapping[str, Any], errors: ConfigErrors) -> None:
    """Check names of options and the syntax of expressions, which the SDK does not locate."""
    for name, expression in definition.items():
        if name.startswith("__") and name not in _MAP_OPTIONS:
            hint = did_you_mean(name, _MAP_OPTIONS)
            if hint and name.endswith("__"):  # others are columns, such as Debezium's __source_lsn
                errors.append(f"{place}: there is no option {name}. {hint}")
        elif isinstance(expression, str) and name not in {"__source__", "__else__"}:
            try:
                ast.parse(expression.strip(), mode="eval")
            except (SyntaxError, ValueError, RecursionError, MemoryError):
                hint = "Text needs quotes of its own: \"'text'\"."
                errors.add(f"{place}.{name}", display(expression), "a Python expression", hint)


def _build(
    settings_class: type[_SettingsClass],
    given: Mapping[str, Any],
    **parsed: Any,  # noqa: ANN401
) -> _SettingsClass:
    """Fill the fields of a dataclass with the settings of the same names."""
    names = settings_of(settings_class).keys() & given.keys()
    return settings_class(**{name: given[name] for name in names} | parsed)


def _parse_connection(given: Connection, errors: ConfigErrors) -> Connection:
    """Check that there is an address and one credential, complete."""
    if not given.base_url and given.domain == SANDBOX:
        return Connection(sandbox_path=given.sandbox_path, sandbox_config=given.sandbox_config)
    named = [name for name in CREDENTIALS if getattr(given, name) or errors.has(name)]
    if named not in (["access_key"], ["client_id", "client_secret"]):
        errors.add(", ".join(CREDENTIALS), " and ".join(named) or "none", ONE_CREDENTIAL)
    if not (given.base_url or given.domain or errors.has("domain") or errors.has("base_url")):
        errors.append(f"domain is missing: {SETTINGS['domain'].description}")
    base_url = given.base_url or f"https://{given.domain}"
    return replace(given, base_url=base_url, sandbox_path=None)


def _parse_limits(given: Limits, errors: ConfigErrors) -> Limits:
    """Put the password of a Redis into its URL."""
    store, password = given.quota_store, given.quota_store_password
    if password and isinstance(store, str) and store != MEMORY:
        parts = split_url(store)
        host = parts.netloc.rpartition("@")[2]
        netloc = f"{parts.username or ''}:{quote(password, safe='')}@{host}"
        store = parts._replace(netloc=netloc).geturl()
    elif password and not errors.has("quota_store"):
        errors.append("quota_store_password requires the URL of a Redis in quota_store.")
    return replace(given, quota_store=None if store == MEMORY else store)


def _apply_load_method(given: dict[str, Any], errors: ConfigErrors) -> None:
    method, mode = given.get("load_method"), given.get("sync_mode")
    if method is None:
        return
    given["sync_mode"] = "insert" if method == "append-only" else "upsert"
    if mode not in {None, SETTINGS["sync_mode"].default, given["sync_mode"]}:
        both = f"load_method: {method} cannot be combined with sync_mode: {mode}"
        errors.append(f"{both}. Remove either.")


def _parse_entry(
    name: str, raw: object, top: Mapping[str, Any], errors: ConfigErrors
) -> StreamSettings | None:
    expected = "an object of settings, such as {object_type: company}"
    own = read_object_of(ENTRY_SETTINGS, raw, f"streams.{name}", expected, errors)
    if own is None:
        return None
    left = OBJECT_SPECIFIC if own.keys() & OBJECT_SETTINGS else ()
    inherited = {name: value for name, value in top.items() if name not in left}
    return _parse_stream(own, inherited, f"streams.{name}.", errors)


def _parse_stream(
    own: Mapping[str, Any], inherited: Mapping[str, Any], prefix: str, errors: ConfigErrors
) -> StreamSettings | None:
    """Decide how one stream is loaded; None if no setting names its object.

    A setting that does not apply is an error where it is set for this object: in the stream's own
    entry or, without a prefix, at the top. One that is inherited is meant for other streams.
    """
    given = {**inherited, **own}
    if given.get("custom_object_name"):
        given.setdefault("object_type", "custom_object")
    if "object_type" not in given:
        return None
    values = {f"{name}: {value}" for name, value in given.items()}
    dropped = dict(_find_inapplicable(given, values))
    meant = own if prefix else (*OBJECT_SPECIFIC, "deletes")
    errors.extend(
        f"{prefix}{name} {why}." for name, why in dropped.items() if name in own and name in meant
    )
    for name in ("custom_object_name", "bulk_job_id"):
        if REQUIRES[name] in values and not given.get(name):
            errors.append(f"{prefix}{name} is missing: {SETTINGS[name].description}")
    return StreamSettings(**{name: given[name] for name in given if name not in dropped})


def _find_inapplicable(
    given: Mapping[str, Any], values: Collection[str]
) -> Iterator[tuple[str, str]]:
    used = [name for name in given if given[name] not in WITHOUT_EFFECT]
    for name, value in REQUIRES.items():
        if name in used and value not in values:
            yield name, f"requires {value}"
    for value, names, reason in CONFLICTS:
        for name in names if value in values else ():
            if name in used:
                yield name, f"cannot be combined with {value}; {reason}. Remove it"


def _is_part(value: Mapping[str, Any]) -> bool:
    """Return whether an object under ``streams`` holds entries, and so is a part of their names."""
    return all(isinstance(each, dict) for each in value.values()) and any(
        set(each).intersection(ENTRY_SETTINGS) or _is_part(each) for each in value.values()
    )
