"""Parses the raw configuration into settings and reports every error at once.

An error names the setting, shows what was given (never a secret) and says what to do.
"""

from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from typing import Any, TypeVar
from urllib.parse import quote

from target_gainsight.settings.addresses import MEMORY, SANDBOX, split_url
from target_gainsight.settings.errors import ConfigErrors, SettingsError, did_you_mean, display
from target_gainsight.settings.model import (
    ENTRY_SETTINGS,
    SETTINGS,
    STREAM_SETTINGS,
    Connection,
    Limits,
    Output,
    Settings,
    declared_settings,
)
from target_gainsight.settings.setting import (
    SDK_GROUP,
    check_names,
    join_names,
    read_values,
    settings_of,
)
from target_gainsight.settings.stream_settings import StreamSettings

_Form = TypeVar("_Form")

CREDENTIALS = ("access_key", "client_id", "client_secret")
ONE_CREDENTIAL = (
    "either access_key (the tenant's REST API access key), or client_id and client_secret (M2M "
    "OAuth)"
)
OBJECT = ("object_type", "custom_object_name")
SETTINGS_OF_AN_OBJECT = (
    *OBJECT,
    *("lookup_keys", "fallback_keys", "field_rules", "field_mapping"),
    *("constants", "lookups", "company_links"),
)
"""What an entry that names an object does not inherit."""

_BULK = {
    **dict.fromkeys(
        ("sync_mode", "lookup_keys", "fallback_keys", "lookups", "company_links", "unknown_fields"),
        "the Gainsight job defines its operation, keys and columns",
    ),
    **dict.fromkeys(
        ("field_rules", "multi_match", "near_matches", "skip_unchanged", "max_creates"),
        "current rows are not read",
    ),
    **dict.fromkeys(("null_values", "deletes"), "a CSV file has neither nulls nor deletes"),
}
_RECORDS_ONLY = dict.fromkeys(
    ("transport", "deletes", "fallback_keys"),
    "it is for companies, relationships and custom objects",
)

INAPPLICABLE: Mapping[tuple[str, str], Mapping[str, str]] = {
    ("object_type", "survey_csv"): dict.fromkeys(
        (*_BULK, "field_mapping", "rich_text", "transport", "bulk_job_id"),
        "an administrator imports its file, whose columns survey_columns assigns",
    ),
    ("object_type", "person"): {
        "lookup_keys": "people are always identified by Email",
        **_RECORDS_ONLY,
    },
    ("object_type", "timeline"): {
        "lookup_keys": "activities are always identified by ExternalId",
        **_RECORDS_ONLY,
    },
    ("object_type", "cta"): _RECORDS_ONLY,
    ("transport", "bulk"): _BULK,
    ("sync_mode", "insert"): dict.fromkeys(
        ("field_rules", "fallback_keys", "deletes"), "insert reads no existing rows"
    ),
}
"""The settings that do not apply with a value of another setting, and why."""

REQUIRES = {
    "custom_object_name": ("object_type", "custom_object"),
    "company_links": ("object_type", "person"),
    "survey_columns": ("object_type", "survey_csv"),
    "bulk_job_id": ("transport", "bulk"),
}
"""The settings that apply only with a value of another setting, which may require them."""

WITHOUT_EFFECT: tuple[object, ...] = (None, "", (), {}, "skip", "rest")
"""Values that have no effect, so that they conflict with nothing."""


def parse_settings(raw: Mapping[str, Any]) -> Settings:
    """Parse the configuration as it was given: JSON values or text, without defaults.

    Raises:
        SettingsError: There are errors; all of them are listed.
    """
    errors = ConfigErrors()
    given = read_values(raw, SETTINGS.values(), errors)
    _apply_load_method(given, errors)
    top = {name: given[name] for name in STREAM_SETTINGS if name in given}
    settings = _build(
        Settings,
        given,
        connection=_parse_connection(_build(Connection, given), errors),
        limits=_parse_limits(_build(Limits, given), errors),
        output=_build(Output, given),
        default_stream=_parse_stream(top, {}, "", errors),
        streams={
            name: _parse_entry(name, entry, top, errors)
            for name, entry in join_names(given.get("streams", {}), _is_part).items()
        },
    )
    if errors:
        raise SettingsError(errors)
    return settings


def parse_output(raw: Mapping[str, Any]) -> Output:
    """Parse what is written about a run, from settings that may have errors elsewhere."""
    return Output(**read_values(raw, settings_of(Output), ConfigErrors()))


def read_sdk_settings(
    raw: Mapping[str, Any], schema: Mapping[str, Any]
) -> tuple[dict[str, Any], list[str]]:
    """Read the settings of the Singer SDK; return them and the errors in them."""
    errors = ConfigErrors()
    declared = [each for each in declared_settings(schema) if each.group == SDK_GROUP]
    return read_values(raw, declared, errors), errors


def unknown_settings(raw: Mapping[str, Any], known: Mapping[str, Any]) -> tuple[str, ...]:
    """Report settings at the top that nothing reads, with the likely intention."""
    in_entries = "Set it for each stream, in its entry under streams."
    return tuple(
        f"setting '{name}' has no effect here. "
        f"{in_entries if name in SETTINGS else did_you_mean(name, known)}".rstrip()
        for name in raw
        if name not in known
    )


def _build(form: type[_Form], given: Mapping[str, Any], **parsed: Any) -> _Form:  # noqa: ANN401
    """Fill the fields of a dataclass with the settings of the same names."""
    values = {each.name: given[each.name] for each in fields(form) if each.name in given}  # type: ignore[arg-type]
    return form(**{**values, **parsed})


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
    elif password:
        errors.append("quota_store_password requires the URL of a Redis in quota_store.")
    return replace(given, quota_store=None if store == MEMORY else store)


def _apply_load_method(given: dict[str, Any], errors: ConfigErrors) -> None:
    """Set the sync mode that the SDK's load_method means; it wins over the default."""
    method, mode = given.get("load_method"), given.get("sync_mode")
    if method is None:
        return
    given["sync_mode"] = "insert" if method == "append-only" else "upsert"
    if mode not in {None, SETTINGS["sync_mode"].default, given["sync_mode"]}:
        errors.append(
            f"load_method: {method} cannot be combined with sync_mode: {mode}. Remove either."
        )


def _parse_entry(
    name: str, raw: object, top: Mapping[str, Any], errors: ConfigErrors
) -> StreamSettings | None:
    prefix = f"streams.{name}."
    if not isinstance(raw, dict):
        expected = "an object of settings, such as {object_type: company}"
        errors.add(f"streams.{name}", display(raw), expected)
        return None
    check_names(raw, ENTRY_SETTINGS, errors, prefix)
    own = read_values(raw, (SETTINGS[each] for each in ENTRY_SETTINGS), errors, prefix)
    left = SETTINGS_OF_AN_OBJECT if own.keys() & OBJECT else ()
    inherited = {name: value for name, value in top.items() if name not in left}
    return _parse_stream(own, inherited, prefix, errors)


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
    dropped = dict(_inapplicable(given))
    meant = own if prefix else (*SETTINGS_OF_AN_OBJECT, "deletes")
    errors.extend(
        f"{prefix}{name} {why}."
        for name, why in dropped.items()
        if name in own and name in meant and given[name] not in WITHOUT_EFFECT
    )
    for name in ("custom_object_name", "bulk_job_id"):
        setting, value = REQUIRES[name]
        if given.get(setting) == value and not given.get(name):
            errors.append(f"{prefix}{name} is missing: {SETTINGS[name].description}")
    return StreamSettings(**{name: given[name] for name in given if name not in dropped})


def _inapplicable(given: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, (setting, value) in REQUIRES.items():
        if name in given and given.get(setting) != value:
            yield name, f"requires {setting}: {value}"
    for (setting, value), reasons in INAPPLICABLE.items():
        if given.get(setting) == value:
            for name, reason in reasons.items():
                if given.get(name) not in WITHOUT_EFFECT:
                    why = f"cannot be combined with {setting}: {value}; {reason}"
                    yield name, f"{why}. Remove it"


def _is_part(value: Mapping[str, Any]) -> bool:
    """Return whether an object under ``streams`` holds entries, and so is a part of their names."""
    return all(isinstance(each, dict) for each in value.values()) and any(
        set(each).intersection(ENTRY_SETTINGS) or _is_part(each) for each in value.values()
    )
