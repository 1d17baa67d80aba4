"""The JSON schema of the configuration: names, types, titles, descriptions and defaults.

A setting is declared when it works: here what holds for the whole run, in ``stream_schema`` what
may differ from stream to stream. What values mean is decided in ``parsing``.
"""

from __future__ import annotations

from typing import Any

from singer_sdk import typing as th

from target_gainsight.settings.stream_schema import (
    NAME_TO_NAME,
    ONLY_ENTRIES,
    STREAM,
    SURVEY_COLUMNS,
)

LOCAL_PATH = r"^(?![A-Za-z][A-Za-z0-9+.\-]+://)[^\x00]*$"
"""A path of this machine: URLs would be taken for folders called ``s3:``."""

CONNECTION = (
    th.Property(
        "domain",
        th.StringType(),
        title="Domain",
        description=(
            "The tenant's host, such as mycompany.gainsightcloud.com. "
            "'sandbox' loads into the embedded local tenant and needs no account."
        ),
    ),
    th.Property(
        "access_key",
        th.StringType(),
        secret=True,
        title="Access key",
        description=(
            "The tenant's REST API access key; or give client_id and client_secret. Neither is "
            "needed for the sandbox."
        ),
    ),
    th.Property(
        "client_id",
        th.StringType(),
        title="Client id",
        description="For M2M OAuth instead of an access key: the OAuth API Key.",
    ),
    th.Property(
        "client_secret",
        th.StringType(),
        secret=True,
        title="Client secret",
        description="For M2M OAuth instead of an access key: the OAuth API Secret.",
    ),
    th.Property(
        "base_url",
        th.StringType(),
        title="Base URL",
        description=(
            "For proxies and tests: wins over domain. "
            "Plain http is allowed to a loopback address only."
        ),
    ),
)

STREAMS = (
    th.Property(
        "streams",
        NAME_TO_NAME,
        title="Streams",
        description=(
            "Stream name or glob to any setting from object_type to max_creates, to "
            "survey_columns, and to transport: bulk with bulk_job_id, the id of a bulk job that "
            "loads the stream's rows as CSV. The exact name wins, else the longest pattern."
        ),
    ),
)

SURVEY_FILES = (
    th.Property(
        "survey_path",
        th.StringType(pattern=LOCAL_PATH),
        default="gainsight-surveys",
        title="Survey path",
        description="Folder of the files that streams of object_type survey_csv become.",
    ),
)

LIMITS = (
    th.Property(
        "read_group_size",
        th.IntegerType(minimum=1, maximum=4_999),
        default=1000,
        title="Read group size",
        description=(
            "Records per query of current rows, at most 4999. While nine in ten rows are "
            "unchanged, queries grow to 4999 records."
        ),
    ),
    th.Property(
        "calls_per_minute",
        th.IntegerType(minimum=1),
        default=100,
        title="Calls per minute",
        description="The tenant's limit of synchronous calls in one minute.",
    ),
    th.Property(
        "calls_per_day",
        th.IntegerType(minimum=1),
        default=50_000,
        title="Calls per day",
        description="The tenant's limit of synchronous calls in one UTC day.",
    ),
    th.Property(
        "timeline_calls_per_minute",
        th.IntegerType(minimum=1),
        default=200,
        title="Timeline calls per minute",
        description="The tenant's limit of Timeline calls in one minute.",
    ),
    th.Property(
        "bulk_calls_per_hour",
        th.IntegerType(minimum=1),
        default=10,
        title="Bulk calls per hour",
        description=(
            "The tenant's limit of bulk uploads in one hour. A run waits for the next hour; to "
            "count the uploads of successive runs together, set quota_store."
        ),
    ),
    th.Property(
        "bulk_calls_per_day",
        th.IntegerType(minimum=1),
        default=100,
        title="Bulk calls per day",
        description="The tenant's limit of bulk uploads in one UTC day.",
    ),
    th.Property(
        "quota_percent",
        th.IntegerType(minimum=1, maximum=100),
        default=90,
        title="Quota percent",
        description="The share of each limit that this target may use; the rest is left free.",
    ),
    th.Property(
        "quota_store",
        th.StringType(),
        default="memory",
        secret=True,
        title="Quota store",
        description=(
            "Where calls are counted: memory for this run alone; the path of a file, shared by "
            "the processes of one machine and by successive runs, so that the day's count "
            "survives; or redis://[user:password@]host[:port][/number], shared by several "
            "machines (rediss:// with TLS; needs the redis extra)."
        ),
    ),
    th.Property(
        "max_calls_per_run",
        th.IntegerType(minimum=1),
        title="Most calls per run",
        description="Calls after which a run reads on without writing and holds the state.",
    ),
    th.Property(
        "max_concurrency",
        th.IntegerType(minimum=1),
        default=8,
        title="Most calls in flight",
        description="Calls that may be in flight at a time.",
    ),
    th.Property(
        "request_timeout",
        th.IntegerType(minimum=1),
        default=60,
        title="Request timeout",
        description="Seconds that one call may take.",
    ),
    th.Property(
        "max_retry_seconds",
        th.IntegerType(minimum=1),
        default=900,
        title="Most retry seconds",
        description="Seconds that one call may take with its retries, quota waits not counted.",
    ),
    th.Property(
        "max_batch_age_seconds",
        th.IntegerType(minimum=1),
        default=300,
        title="Most batch age",
        description="Seconds that a partial batch may wait, also while standard input is silent.",
    ),
)

REJECTS = (
    th.Property(
        "rejects_path",
        th.StringType(pattern=LOCAL_PATH),
        default="gainsight-rejects",
        title="Rejects path",
        description="Folder of the reject files.",
    ),
    th.Property(
        "reject_values",
        th.StringType(),
        default="full",
        allowed_values=["full", "keys"],
        title="Reject values",
        description=(
            "full keeps the whole source record, so that a reject file can be replayed; "
            "keys keeps identifying fields only."
        ),
    ),
    th.Property(
        "max_rejects",
        th.IntegerType(minimum=1),
        title="Most rejects",
        description="Rejects after which the run stops.",
    ),
    th.Property(
        "max_reject_percent",
        th.IntegerType(minimum=1, maximum=100),
        default=10,
        title="Most rejects in percent",
        description="Percentage of the records read, counted after 100, past which the run stops.",
    ),
    th.Property(
        "summary_path",
        th.StringType(pattern=LOCAL_PATH),
        title="Summary path",
        description="Where the run summary is written as JSON.",
    ),
    th.Property(
        "dry_run",
        th.BooleanType(),
        default=False,
        title="Dry run",
        description="Do everything but the writes, print the plan to stderr, emit no state.",
    ),
)

SANDBOX = (
    th.Property(
        "sandbox_path",
        th.StringType(pattern=LOCAL_PATH),
        default="gainsight-sandbox.db",
        title="Sandbox path",
        description="The embedded tenant's SQLite file.",
    ),
    th.Property(
        "sandbox_config",
        th.StringType(pattern=LOCAL_PATH),
        title="Sandbox configuration",
        description="A YAML with the embedded tenant's custom objects, users, limits and switches.",
    ),
)

SDK = (
    th.Property(
        "load_method",
        th.StringType(),
        allowed_values=["append-only", "upsert", "overwrite"],
        title="Load method",
        description=(
            "The SDK's name for the sync mode, honoured when sync_mode is not given: "
            "append-only means insert; overwrite is refused."
        ),
    ),
)

CONFIG_SCHEMA: dict[str, Any] = th.PropertiesList(
    *CONNECTION,
    *STREAM,
    *STREAMS,
    *LIMITS,
    *REJECTS,
    *SURVEY_FILES,
    *SURVEY_COLUMNS,
    *SANDBOX,
    *SDK,
).to_dict()
"""The configuration as a JSON schema, in the order of the documentation."""

ENTRY_PROPERTIES: dict[str, Any] = {
    **CONFIG_SCHEMA["properties"],
    **th.PropertiesList(*ONLY_ENTRIES).to_dict()["properties"],
}
"""The JSON schema of each setting, those of entries alone, too."""

CONFIG_SCHEMA_NAMES: tuple[str, ...] = tuple(CONFIG_SCHEMA["properties"])
"""Names of our own settings; the SDK adds its own to the schema."""
