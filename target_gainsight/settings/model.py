"""The settings of a run, as they are declared and as they are read, and all settings by name.

The parser, ``--about``, meltano.yml, hub/, .env.example and the tables of the documentation are
all derived from the declarations here and in ``stream_settings``. What the values mean together
is decided in ``parsing`` and ``connection``.

Each sentence of a description begins with a capital letter, and names with dots stand in
backticks: Meltano Hub's bot edits a description that is written otherwise.
"""

import fnmatch
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

from target_gainsight.settings import kinds
from target_gainsight.settings.setting import (
    SDK_GROUP,
    Setting,
    declare,
    sdk_setting,
    settings_of,
)
from target_gainsight.settings.stream_settings import StreamSettings

NotifyOn = Literal["failure", "rejects", "always"]

_connection = partial(declare, group="Connection")
_credential = partial(_connection, default="", kind=kinds.CREDENTIAL)
_limit = partial(declare, group="Limits")
_output = partial(declare, group="Rejects and output")
_output_path = partial(_output, kind=kinds.OUTPUT_PATH)
_sandbox = partial(declare, group="Sandbox")


@dataclass(frozen=True)
class Connection:
    """Where the tenant is, and the credential: an access key, or an OAuth client.

    Attributes:
        base_url: Scheme and host, without a trailing slash; empty for the embedded sandbox.
        sandbox_path: The embedded sandbox's SQLite file, or None for a real tenant.
    """

    domain: str | None = _connection(
        "The tenant's host, such as mycompany.gainsightcloud.com. Use `sandbox` to load into the "
        "embedded sandbox, which needs no account.",
        kind=kinds.DOMAIN,
    )
    access_key: str = _credential(
        "The tenant's REST API access key. Not needed for the embedded sandbox.", secret=True
    )
    client_id: str = _credential("The OAuth API Key, for M2M OAuth instead of an access key.")
    client_secret: str = _credential("The OAuth API Secret.", secret=True)
    base_url: str = _connection(
        "Replaces domain, for proxies and tests. Plain http is allowed to a loopback address only.",
        "",
        kind=kinds.BASE_URL,
    )
    sandbox_path: Path | None = _sandbox(
        "SQLite file of the sandbox.", Path("gainsight-sandbox.db")
    )
    sandbox_config: Path | None = _sandbox(
        "YAML file with custom objects, users, limits and switches of the embedded sandbox."
    )


@dataclass(frozen=True)
class Limits:
    """How fast and how long to call.

    Attributes:
        quota_store: A SQLite file, the URL of a Redis with its password, or None for this process
            alone.
    """

    calls_per_minute: int = _limit("The tenant's limit of synchronous calls in one minute.", 100)
    calls_per_day: int = _limit("The tenant's limit of synchronous calls in one UTC day.", 50_000)
    timeline_calls_per_minute: int = _limit("The tenant's limit of Timeline calls a minute.", 200)
    bulk_calls_per_hour: int = _limit(
        "The tenant's limit of bulk uploads in one hour. A run waits for the next hour.", 10
    )
    bulk_calls_per_day: int = _limit("The tenant's limit of bulk uploads in one UTC day.", 100)
    bulk_max_file_bytes: int = _limit(
        "Bytes of the largest file of a bulk upload. Lower it for a proxy's limit.", 80_000_000
    )
    quota_percent: int = _limit("The share of each limit that may be used.", 90, maximum=100)
    quota_store: str | Path | None = _limit(
        "Where to count calls: `memory` for this run alone; the path of a file, shared by the "
        "processes of one machine and by successive runs; or "
        "`redis://[user@]host[:port][/number]`, shared by several machines (`rediss://` for TLS; "
        "needs the extra redis).",
        kinds.MEMORY,
        kind=kinds.STORE,
        secret=True,
    )
    quota_store_password: str | None = _limit("Password of quota_store's Redis.", secret=True)
    max_calls_per_run: int | None = _limit(
        "Number of calls after which a run reads on without writing and holds the state."
    )
    max_concurrency: int = _limit("Number of calls that may be in flight at a time.", 8)
    request_timeout: int = _limit("Seconds that one call may take.", 60)
    max_retry_seconds: int = _limit(
        "Seconds that one call may take with its retries, not counting waits for the quota.", 900
    )
    read_group_size: int = _limit(
        "Records whose current rows are read with one query. While nine in ten are unchanged, it "
        "grows to 4999.",
        1000,
        maximum=4_999,
    )
    max_batch_age_seconds: int = _limit(
        "Seconds that an incomplete batch may wait for more records.", 300
    )


@dataclass(frozen=True)
class Output:
    """What a run writes apart from the tenant's rows."""

    rejects_path: Path = _output("Folder of the reject files.", Path("gainsight-rejects"))
    reject_values: Literal["full", "keys"] = _output(
        "Whether reject files keep whole records, for a replay, or identifying fields.", "full"
    )
    on_rejects: Literal["warn", "fail"] = _output(
        "Exit code of a run that completes with rejects: 0 (warn) or 1 (fail).", "warn"
    )
    max_rejects: int | None = _output("Number of rejects above which the run stops.", minimum=0)
    max_reject_percent: int = _output(
        "Percentage of rejects above which the run stops, checked after 100 records.",
        10,
        maximum=100,
    )
    summary_path: Path | None = _output_path(
        "File for the run summary as JSON, also written when the run fails. `{run}` is replaced by "
        "the run's name and `{stream}` by the names of its streams."
    )
    report_path: Path | None = _output_path(
        "File for the report of a run as one HTML page, with `{run}` and `{stream}` as in "
        "summary_path."
    )
    outcomes_path: Path | None = _output_path(
        "File to which the outcome of every record is appended as a line of JSON: run, stream, "
        "key, outcome, GSID, reason and time. With `{stream}` in it, every stream has a file of "
        "its own; `{run}` stands for the run's name."
    )
    notify_url: str | None = _output(
        "URL to which the end of a run is posted, such as a Slack incoming webhook. Values of "
        "records are not sent.",
        kind=kinds.SECURE_URL,
        secret=True,
    )
    notify_on: NotifyOn = _output(
        "When to post to notify_url: after a run that failed or was interrupted, also after one "
        "with rejects, or after every run.",
        "failure",
    )


@dataclass(frozen=True)
class Settings:
    """The whole configuration.

    Attributes:
        default_stream: For streams without an entry of their own; None routes nothing.
        streams: Stream name or glob to its settings; None for an entry that names no object.
    """

    connection: Connection
    limits: Limits
    output: Output
    of_sdk: Mapping[str, Any]
    default_stream: StreamSettings | None
    streams: Mapping[str, StreamSettings | None] = declare(
        "Settings per stream: maps a stream name or glob, such as `nps_*`, to the settings of its "
        "streams. An exact name wins, then the longest pattern; of equally long ones, the first. "
        "An entry inherits the settings at the top, but one that sets its own object does not "
        "inherit lookup_keys, fallback_keys, field_rules, field_mapping, constants, lookups or "
        "company_links.",
        group="Streams",
    )
    dry_run: bool = _output(
        "Do everything but the writes, print the plan to stderr and emit no state.", False
    )
    survey_path: Path = declare(
        "Folder for the files of streams with object_type survey_csv.",
        Path("gainsight-surveys"),
        group="Bulk jobs and survey files",
    )
    load_method: Literal["append-only", "upsert"] | None = declare(
        "The SDK's name for the sync mode: append-only means insert. It wins over the default of "
        "sync_mode.",
        otherwise="Rows in Gainsight are never deleted to be loaded again.",
        group=SDK_GROUP,
    )
    batch_size_rows: int | None = declare(
        "Maximum number of records in one write call. The API's limit applies as well.",
        group=SDK_GROUP,
    )

    def for_stream(self, name: str) -> StreamSettings | None:
        """Return how a stream is loaded, by its name as it comes out of the stream maps.

        Its exact name wins, else the longest pattern, of several the first.
        """
        if name in self.streams:
            return self.streams[name]
        matching = [each for each in self.streams if fnmatch.fnmatchcase(name, each)]
        return self.streams[max(matching, key=len)] if matching else self.default_stream


SETTINGS: Mapping[str, Setting] = {
    name: each
    for settings_class in (Connection, StreamSettings, Settings, Limits, Output)
    for name, each in settings_of(settings_class).items()
}

ENTRY_SETTINGS = {name: each for name, each in SETTINGS.items() if each.scope != "run"}
"""The settings that an entry of ``streams`` may have."""

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
