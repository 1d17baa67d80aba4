"""Every setting, declared once.

The parser, ``--about``, meltano.yml, hub/, .env.example and the tables of the documentation are
all derived from here. What the values mean together is decided in ``parsing`` and ``streams``.

Each sentence of a description begins with a capital letter, and names with dots stand in
backticks: Meltano Hub's bot edits a description that is written otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any, get_args

from target_gainsight.settings import model
from target_gainsight.settings.setting import SDK_GROUP, Kind, Scope, Setting, sdk_setting

ESSENTIAL = (
    *("domain", "access_key", "streams", "object_type"),
    *("field_mapping", "lookups", "sync_mode", "lookup_keys"),
)
"""The settings that everyone needs. The README explains them."""


_text, _path, _integer, _boolean, _object = (
    partial(Setting, kind)
    for kind in (Kind.TEXT, Kind.PATH, Kind.INTEGER, Kind.BOOLEAN, Kind.OBJECT)
)

_CONNECTION = {
    "domain": _text(
        "The tenant's host, such as mycompany.gainsightcloud.com. Use `sandbox` to load into the "
        "embedded sandbox, which needs no account."
    ),
    "access_key": _text(
        "The tenant's REST API access key. Not needed with client_id and client_secret, nor for "
        "the embedded sandbox.",
        secret=True,
    ),
    "client_id": _text("The OAuth API Key, for M2M OAuth instead of an access key."),
    "client_secret": _text(
        "The OAuth API Secret, for M2M OAuth instead of an access key.", secret=True
    ),
    "base_url": _text(
        "Replaces domain, for proxies and tests. Plain http is allowed to a loopback address only."
    ),
}

_STREAMS = {
    "streams": _object(
        "Settings by stream: a stream name or glob, such as `nps_*`, to settings that hold for it. "
        "The exact name wins, else the longest pattern. An entry inherits the settings at the top; "
        "if it names its object, all but lookup_keys, fallback_keys, field_rules, field_mapping, "
        "constants, lookups and company_links."
    ),
}

_OBJECT = {
    "object_type": _text(
        "The kind of object to load into. At the top, it is for all streams without an entry in "
        "streams.",
        choices=get_args(model.ObjectType),
    ),
    "custom_object_name": _text("API name of the custom object, such as MyObject__gc."),
    "field_mapping": _object("Source column to Gainsight field, applied after the stream maps."),
    "constants": _object(
        "Gainsight field to a value that is set on every record. The DueDate of a CTA may be "
        "relative, such as +14d: that many days after the run that creates it."
    ),
    "lookups": _object(
        "Foreign keys to resolve by fields of another object. Gainsight field to "
        "{object_name, fields: {source column: match field}, on_no_match: reject|leave_empty, "
        "multi_match: reject|first}. Source columns are named as they come out of the stream maps."
    ),
    "company_links": _object(
        "The companies of a person: {lookup: {source column: match field of Company}, "
        "fields: {Title: source column}, on_no_match: reject|leave_empty}."
    ),
    "unknown_fields": _text(
        "What to do with a column that the object does not have: fail before the first write "
        "with suggestions, drop it with one warning, or send it unchecked. With a field_mapping, "
        "unknown columns that it does not name are dropped and listed once.",
        "fail",
        choices=get_args(model.UnknownFields),
    ),
    "date_format": _text(
        "How to write DATE fields. A date that the tenant refuses is tried once in the other "
        "format.",
        "iso",
        choices=get_args(model.DateFormat),
    ),
    "rich_text": _text(
        "How to write rich text fields. With html, line breaks become <br>, because Gainsight "
        "shows no others, and text that has HTML already stays as it is. With as_is, every text "
        "stays as it is. When not set: html for the Notes of activities and the Comments of CTAs, "
        "as_is for other fields.",
        choices=get_args(model.RichText),
    ),
}

_MODES = {
    "sync_mode": _text(
        "Whether to create and update records (upsert), only create (insert) or only update.",
        "upsert",
        refused={
            "mirror": (
                "A mirror deletes rows that the source lacks, and this target never deletes those: "
                "use upsert and retire rows with a status field, or deletes: delete if the source "
                "marks them with _sdc_deleted_at."
            ),
            "delete": "Use deletes: delete, which deletes the rows that the source has deleted.",
            "append": "Use insert, which creates a row for every record.",
            **dict.fromkeys(
                ("add", "remove", "audience", "audience_add", "audience_remove", "segment"),
                "Audience modes change the members of a list, which Gainsight does not have: load "
                "a flag field with upsert.",
            ),
        },
        choices=get_args(model.SyncMode),
    ),
    "lookup_keys": Setting(
        Kind.NAMES,
        "The 1 to 3 Gainsight fields that identify an existing record, as a list or "
        "comma-separated text. When not set: Name if the stream has it, else the stream's key "
        "properties. People are always identified by Email, Timeline activities by ExternalId "
        "(by default the stream's key properties, joined), CTAs by Name only if it is set here.",
        default=(),
    ),
    "fallback_keys": Setting(
        Kind.NAMES,
        "The 1 to 3 Gainsight fields that find a row without lookup keys, such as a company that "
        "was created by hand. A record that no row matches by its lookup keys updates the one row "
        "that has its fallback keys and whose lookup keys are empty, and gives it its lookup keys. "
        "For companies, relationships and custom objects, under upsert and update.",
        default=(),
    ),
    "multi_match": _text(
        "What to do when the lookup keys match several rows: reject the record, or update the "
        "first row.",
        "reject",
        choices=get_args(model.MultiMatch),
    ),
    "near_matches": _text(
        "What to do with a new record under upsert whose key differs from an existing one only in "
        "spelling, such as case or surrounding blanks: reject it as ambiguous_key, or ignore the "
        "resemblance and create it.",
        "reject",
        choices=get_args(model.NearMatches),
    ),
    "skip_unchanged": _boolean(
        "Do not write a row whose fields already have the values to be sent.", default=True
    ),
    "field_rules": _object(
        "When fields of existing rows are written: Gainsight field to {write: always|empty|create, "
        "compare: true|false}. With empty, a value is written only where the row has none. With "
        "create, it is written on create only. With `compare: false`, a difference in the field "
        "does not cause a write, and the value is written along when another field has changed."
    ),
    "null_values": _text(
        "Whether a null clears the field (send) or leaves it as it is (omit).",
        "send",
        choices=get_args(model.NullValues),
    ),
    "max_creates": _integer(
        "Stop a stream before the batch that would create more records than this."
    ),
    "deletes": _text(
        "What to do with a record that has `_sdc_deleted_at`: skip it, or delete the row with its "
        "lookup keys, for companies, relationships and custom objects. Each row is first written "
        "whole to a file beside the rejects, from which it can be loaded again.",
        "skip",
        choices=get_args(model.Deletes),
    ),
    "max_deletes": _integer(
        "Stop a run before it would delete more rows of a stream than this.", 100
    ),
}

_LIMITS = {
    "calls_per_minute": _integer("The tenant's limit of synchronous calls in one minute.", 100),
    "calls_per_day": _integer("The tenant's limit of synchronous calls in one UTC day.", 50_000),
    "timeline_calls_per_minute": _integer(
        "The tenant's limit of Timeline calls in one minute.", 200
    ),
    "bulk_calls_per_hour": _integer(
        "The tenant's limit of bulk uploads in one hour. A run waits for the next hour. To count "
        "the uploads of successive runs together, set quota_store.",
        10,
    ),
    "bulk_calls_per_day": _integer("The tenant's limit of bulk uploads in one UTC day.", 100),
    "bulk_max_file_bytes": _integer(
        "The largest CSV file of a bulk upload in bytes. Lower it if a proxy refuses large files.",
        80_000_000,
    ),
    "quota_percent": _integer(
        "The share of each limit that this target may use. The rest is left to others.",
        90,
        maximum=100,
    ),
    "quota_store": _text(
        "Where to count calls: `memory` for this run alone; the path of a file, shared by the "
        "processes of one machine and by successive runs, so that the day's count survives; or "
        "`redis://[user@]host[:port][/number]`, shared by several machines (`rediss://` for TLS; "
        "needs the extra redis).",
        "memory",
        secret=True,
    ),
    "quota_store_password": _text("The password of the Redis server in quota_store.", secret=True),
    "max_calls_per_run": _integer(
        "Number of calls after which a run reads on without writing and holds the state."
    ),
    "max_concurrency": _integer("Number of calls that may be in flight at a time.", 8),
    "request_timeout": _integer("Seconds that one call may take.", 60),
    "max_retry_seconds": _integer(
        "Seconds that one call may take with its retries, not counting waits for the quota.", 900
    ),
    "read_group_size": _integer(
        "Number of records whose current rows are read with one query. While nine in ten rows are "
        "unchanged, queries grow to 4999 records.",
        1000,
        maximum=4_999,
    ),
    "max_batch_age_seconds": _integer(
        "Seconds that an incomplete batch may wait for more records, also while standard input is "
        "silent.",
        300,
    ),
}

_OUTPUT = {
    "dry_run": _boolean(
        "Do everything but the writes, print the plan to stderr and emit no state.", default=False
    ),
    "rejects_path": _path("Folder of the reject files.", "gainsight-rejects"),
    "reject_values": _text(
        "Whether a reject file keeps the whole source record, so that it can be replayed (full), "
        "or identifying fields only (keys).",
        "full",
        choices=get_args(model.RejectValues),
    ),
    "on_rejects": _text(
        "What to do with a run that goes to its end and has rejects: warn and exit with 0, or fail "
        "and exit with 1. Either way its state is emitted.",
        "warn",
        choices=get_args(model.OnRejects),
    ),
    "max_rejects": _integer("Number of rejects above which the run stops.", minimum=0),
    "max_reject_percent": _integer(
        "Percentage of rejects among the records read above which the run stops, checked after "
        "100 records.",
        10,
        maximum=100,
    ),
    "min_records": _integer(
        "Number of records of the stream below which the run fails at its end, for sources that "
        "must not be empty. A stream that does not come at all has none.",
        scope="entry",
    ),
    "summary_path": _path(
        "File for the run summary as JSON, written by failed runs, too. `{run}` in it stands for "
        "the run's name and `{stream}` for the names of its streams, so that several runs do not "
        "overwrite each other's."
    ),
    "report_path": _path(
        "File for the report of a run as one HTML page, written by failed runs, too. `{run}` and "
        "`{stream}` in it stand for the same as in summary_path."
    ),
    "outcomes_path": _path(
        "File to which the outcome of every record is appended as a line of JSON: run, stream, "
        "key, outcome, GSID, reason and time. With `{stream}` in it, every stream has a file of "
        "its own; `{run}` stands for the run's name."
    ),
    "notify_url": _text(
        "URL to which the end of a run is posted, such as a Slack incoming webhook. Values of "
        "records are not sent.",
        secret=True,
    ),
    "notify_on": _text(
        "When to post to notify_url: after a run that failed or was interrupted, also after one "
        "with rejects, or after every run.",
        "failure",
        choices=get_args(model.NotifyOn),
    ),
}

_FILES = {
    "transport": _text(
        "Whether to write records by calls (rest) or to hand CSV files to a bulk job (bulk).",
        "rest",
        scope="entry",
        choices=get_args(model.Transport),
    ),
    "bulk_job_id": _text(
        "The ID of the bulk job, from its cURL command in Gainsight.", "", scope="entry"
    ),
    "survey_columns": _object(
        "For object_type survey_csv: column of the survey import (Company, Email, Score, Comment, "
        "Survey Name, Response Date, Language, Channel, or others) to source column. A column that "
        "is not named here is filled from the source column of the same name, whatever its case "
        "and separators.",
        scope="stream",
    ),
    "survey_path": _path(
        "Folder for the files of streams with object_type survey_csv.", "gainsight-surveys"
    ),
}

_SANDBOX = {
    "sandbox_path": _path("SQLite file of the embedded sandbox.", "gainsight-sandbox.db"),
    "sandbox_config": _path(
        "YAML file with custom objects, users, limits and switches of the embedded sandbox."
    ),
}

_SDK = {
    "load_method": Setting(
        Kind.TEXT,
        "The SDK's name for the sync mode: append-only means insert. It wins over the default of "
        "sync_mode.",
        choices=("append-only", "upsert"),
        refused={"overwrite": "Rows in Gainsight are never deleted to be loaded again."},
    ),
    "batch_size_rows": _integer(
        "Maximum number of records in one write call. The API's limit applies as well."
    ),
}

_GROUPS: Mapping[str, tuple[Scope, Mapping[str, Setting]]] = {
    "Connection": ("run", _CONNECTION),
    "Streams": ("run", _STREAMS),
    "Object and mapping": ("stream", _OBJECT),
    "Modes and keys": ("stream", _MODES),
    "Limits": ("run", _LIMITS),
    "Rejects and output": ("run", _OUTPUT),
    "Bulk jobs and survey files": ("run", _FILES),
    "Sandbox": ("run", _SANDBOX),
    SDK_GROUP: ("run", _SDK),
}

SETTINGS: Mapping[str, Setting] = {
    name: replace(setting, name=name, group=group, scope=setting.scope or scope)
    for group, (scope, settings) in _GROUPS.items()
    for name, setting in settings.items()
}
"""Every setting of ours, in the order of the documentation."""

STREAM_SETTINGS = tuple(name for name, each in SETTINGS.items() if each.scope == "stream")
"""Names of the settings that hold for a stream, given at the top or in its entry."""

ENTRY_SETTINGS = tuple(name for name, each in SETTINGS.items() if each.scope != "run")
"""Names of the settings that an entry of ``streams`` may have."""

CONFIG_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {name: each.schema for name, each in SETTINGS.items() if each.scope != "entry"},
}
"""The configuration as a JSON schema; the Singer SDK adds its own settings."""


def declared_settings(schema: Mapping[str, Any]) -> tuple[Setting, ...]:
    """Return the declaration of each setting in a configuration schema, the SDK's included."""
    return tuple(
        SETTINGS[name] if name in SETTINGS else sdk_setting(name, declared)
        for name, declared in schema["properties"].items()
    )
