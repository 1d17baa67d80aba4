"""The configuration as frozen values. Knows nothing of its raw form.

A field has the name of its setting, which ``table`` describes, unless its class says otherwise.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Literal, TypeAlias

from target_gainsight.settings.relative_dates import DUE_DATE, days_ahead

SyncMode = Literal["upsert", "insert", "update"]
ObjectType = Literal[
    "company", "person", "relationship", "custom_object", "timeline", "cta", "survey_csv"
]
UnknownFields = Literal["fail", "drop", "send"]
OnNoMatch = Literal["reject", "leave_empty"]
MultiMatch = Literal["reject", "first"]
NearMatches = Literal["reject", "ignore"]
NullValues = Literal["send", "omit"]
DateFormat = Literal["iso", "MM-DD-YYYY"]
RichText = Literal["html", "as_is"]
RejectValues = Literal["full", "keys"]
OnRejects = Literal["warn", "fail"]
NotifyOn = Literal["failure", "rejects", "always"]
Transport = Literal["rest", "bulk"]
WriteRule = Literal["always", "empty", "create"]
Deletes = Literal["skip", "delete"]

MAX_LOOKUP_KEYS = 3
"""Most fields that may identify a record (Company API, Update)."""

OBJECT_NAMES: Mapping[str, str] = {
    "company": "Company",
    "person": "Person",
    "relationship": "Relationship",
    "timeline": "activity_timeline",
    "cta": "call_to_action",
}
"""API name of each standard object type; a custom object brings its own."""


@dataclass(frozen=True)
class KeyCredential:
    """The tenant's access key; never printed. Empty for the embedded sandbox."""

    access_key: str = field(repr=False)


@dataclass(frozen=True)
class OAuthCredential:
    """An M2M OAuth client; its secret is never printed."""

    client_id: str
    client_secret: str = field(repr=False)


Credential: TypeAlias = KeyCredential | OAuthCredential


@dataclass(frozen=True)
class Connection:
    """Where the tenant is and how to authenticate.

    Attributes:
        base_url: Scheme and host, without a trailing slash; empty for the embedded sandbox.
        credential: An access key or an OAuth client.
        sandbox_path: The embedded sandbox's SQLite file, or None for a real tenant.
        sandbox_config: The embedded sandbox's YAML file, or None.
    """

    base_url: str
    credential: Credential
    sandbox_path: Path | None = None
    sandbox_config: Path | None = None


@dataclass(frozen=True)
class Limits:
    """How fast and how long to call.

    Attributes:
        quota_store: A SQLite file, the URL of a Redis with its password (never printed), or None
            for this process alone.
    """

    calls_per_minute: int
    calls_per_day: int
    timeline_calls_per_minute: int
    bulk_calls_per_hour: int
    bulk_calls_per_day: int
    bulk_max_file_bytes: int
    quota_percent: int
    max_calls_per_run: int | None
    request_timeout: int
    max_retry_seconds: int
    quota_store: Path | str | None = field(repr=False)


@dataclass(frozen=True)
class Rejection:
    """What happens to records that are not written.

    Attributes:
        path: Folder of the reject files.
        keys_only: Keep identifying fields only, not the whole source record.
    """

    path: Path
    keys_only: bool
    max_rejects: int | None
    max_reject_percent: int
    on_rejects: OnRejects


@dataclass(frozen=True)
class Reporting:
    """What is written about a run when it has ended.

    Attributes:
        folder: Folder of the reject files, and of the history beside them.
        summary_path: File of the summary; may have placeholders.
        report_path: File of the HTML report; may have placeholders.
        outcomes_path: File of every record's outcome; may have placeholders.
        notify_url: Where to post how the run ended (never printed), or None.
    """

    folder: Path
    summary_path: Path | None
    report_path: Path | None
    outcomes_path: Path | None
    notify_on: NotifyOn
    notify_url: str | None = field(repr=False)


@dataclass(frozen=True)
class Lookup:
    """A foreign key that is resolved by fields (source column to match field) of an object."""

    object_name: str
    fields: Mapping[str, str]
    on_no_match: OnNoMatch
    multi_match: MultiMatch


@dataclass(frozen=True)
class CompanyLinks:
    """How a person is linked to its companies.

    Attributes:
        lookup: Source column to match field of Company.
        fields: Field of the link (Title, Role, IsPrimaryCompany) to source column.
    """

    lookup: Mapping[str, str]
    fields: Mapping[str, str]
    on_no_match: OnNoMatch


@dataclass(frozen=True)
class FieldRule:
    """When a field of an existing row is written.

    Attributes:
        write: Always, only where the row has no value, or never (it is written on create only).
        compare: Whether a difference in the field causes a write.
    """

    write: WriteRule = "always"
    compare: bool = True

    def __str__(self) -> str:
        parts = {"create": ["written on create only"], "empty": ["written only where empty"]}
        compared = [] if self.compare else ["not compared"]
        return ", ".join([*parts.get(self.write, []), *compared]) or "always written"


@dataclass(frozen=True)
class StreamSettings:
    """How one stream is loaded.

    Attributes:
        object_name: API name of the object; empty for a survey file.
        lookup_keys: Fields that identify a record; empty means "choose by the stream".
        fallback_keys: Fields by which a row without lookup keys is found.
        field_rules: Field to when it is written to an existing row.
    """

    object_type: ObjectType
    object_name: str
    sync_mode: SyncMode
    lookup_keys: tuple[str, ...]
    fallback_keys: tuple[str, ...]
    field_rules: Mapping[str, FieldRule]
    field_mapping: Mapping[str, str]
    constants: Mapping[str, object]
    unknown_fields: UnknownFields
    lookups: Mapping[str, Lookup]
    company_links: CompanyLinks | None
    multi_match: MultiMatch
    near_matches: NearMatches
    skip_unchanged: bool
    null_values: NullValues
    date_format: DateFormat
    rich_text: RichText | None
    max_creates: int | None
    deletes: Deletes
    max_deletes: int
    transport: Transport
    bulk_job_id: str
    survey_columns: Mapping[str, str]
    min_records: int | None

    @property
    def days_until_due(self) -> int | None:
        """Days from the run that creates a CTA to its due date, where the constant is relative."""
        return days_ahead(self.constants.get(DUE_DATE)) if self.object_type == "cta" else None

    def constants_on(self, day: date) -> Mapping[str, object]:
        """Return the constants, with a date in place of a relative due date.

        Args:
            day: The run's day, by UTC.
        """
        days = self.days_until_due
        if days is None:
            return self.constants
        return {**self.constants, DUE_DATE: (day + timedelta(days=days)).isoformat()}


@dataclass(frozen=True)
class Settings:
    """The whole configuration.

    Attributes:
        default_stream: For streams without an entry of their own; None routes nothing.
        streams: Stream name or glob to its settings; None for an entry that names no object.
    """

    connection: Connection
    limits: Limits
    rejection: Rejection
    reporting: Reporting
    default_stream: StreamSettings | None
    streams: Mapping[str, StreamSettings | None]
    batch_size_rows: int | None
    read_group_size: int
    max_concurrency: int
    max_batch_age_seconds: int
    survey_path: Path
    dry_run: bool

    def for_stream(self, name: str) -> StreamSettings | None:
        """Return how a stream is loaded: its exact name wins, else the longest pattern.

        Args:
            name: The stream's name as it comes out of the stream maps.

        Returns:
            The stream's settings, or None when nothing routes it.

        Raises:
            AmbiguousPatternError: Two patterns of the same length match.
        """
        if name in self.streams:
            return self.streams[name]
        matching = sorted(
            (pattern for pattern in self.streams if fnmatch.fnmatchcase(name, pattern)),
            key=len,
            reverse=True,
        )
        if not matching:
            return self.default_stream
        if len(matching) > 1 and len(matching[0]) == len(matching[1]):
            raise AmbiguousPatternError(name, matching[0], matching[1])
        return self.streams[matching[0]]


class AmbiguousPatternError(Exception):
    """Two patterns of ``streams`` match a stream equally well."""

    def __init__(self, stream: str, first: str, second: str) -> None:
        super().__init__(
            f"stream '{stream}': the patterns '{first}' and '{second}' under 'streams' match it "
            f"equally well; add an entry named '{stream}'"
        )
