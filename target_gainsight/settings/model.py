"""What the settings mean, as frozen values. Knows nothing of raw configuration."""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Literal, TypeAlias

from target_gainsight.settings.relative_dates import DUE_DATE, days_ahead

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date
    from pathlib import Path

SyncMode = Literal["upsert", "insert", "update"]
ObjectType = Literal[
    "company", "person", "relationship", "custom_object", "timeline", "cta", "survey_csv"
]

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
    """Where the tenant is and how we prove who we are.

    Attributes:
        base_url: Scheme and host, without a trailing slash; empty for the embedded sandbox.
        credential: Who we are.
        sandbox_path: The embedded tenant's SQLite file, or None for a real tenant.
        sandbox_config: A YAML with the embedded tenant's custom objects and limits.
    """

    base_url: str
    credential: Credential
    sandbox_path: Path | None = None
    sandbox_config: Path | None = None


@dataclass(frozen=True)
class Limits:
    """How fast and how long we may call.

    Attributes:
        calls_per_minute: The tenant's limit of synchronous calls in one minute.
        calls_per_day: The tenant's limit of synchronous calls in one UTC day.
        timeline_calls_per_minute: The tenant's limit of Timeline calls in one minute.
        bulk_calls_per_hour: The tenant's limit of bulk uploads in one hour.
        bulk_calls_per_day: The tenant's limit of bulk uploads in one UTC day.
        quota_percent: The share of each that is ours, 1 to 100.
        max_calls_per_run: Calls after which a run reads on without writing, or None.
        request_timeout: Seconds that one call may take.
        max_retry_seconds: Seconds that one call may take with its retries.
        quota_store: Where calls are counted: a SQLite file, the URL of a Redis (never printed: it
            may hold a password), or None for this process alone.
    """

    calls_per_minute: int
    calls_per_day: int
    timeline_calls_per_minute: int
    bulk_calls_per_hour: int
    bulk_calls_per_day: int
    quota_percent: int
    max_calls_per_run: int | None
    request_timeout: int
    max_retry_seconds: int
    quota_store: Path | str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Rejection:
    """What happens to records that are not written.

    Attributes:
        path: Folder of the reject files.
        keys_only: Keep identifying fields only, not the whole source record.
        max_rejects: Rejects after which the run stops, or None.
        max_reject_percent: Percentage of the records read after which the run stops.
    """

    path: Path
    keys_only: bool
    max_rejects: int | None
    max_reject_percent: int


@dataclass(frozen=True)
class Lookup:
    """A foreign key resolved by the fields of another object.

    Attributes:
        object_name: The object that is looked into.
        fields: Source column to match field of that object.
        on_no_match: What happens to a record whose parent is not found.
        multi_match: What happens when several parents match.
    """

    object_name: str
    fields: Mapping[str, str]
    on_no_match: Literal["reject", "leave_empty"] = "reject"
    multi_match: Literal["reject", "first"] = "reject"


@dataclass(frozen=True)
class CompanyLinks:
    """How a person is linked to its companies.

    Attributes:
        lookup: Source column to match field of Company.
        fields: Field of the link (Title, Role, IsPrimaryCompany) to source column.
        on_no_match: What happens to a person whose company is not found.
    """

    lookup: Mapping[str, str]
    fields: Mapping[str, str]
    on_no_match: Literal["reject", "leave_empty"] = "reject"


@dataclass(frozen=True)
class StreamSettings:
    """How one stream is loaded.

    Attributes:
        object_type: The kind of object.
        object_name: Its API name; empty for a survey file.
        sync_mode: upsert, insert or update.
        lookup_keys: Fields that identify a record; empty means "choose by the stream".
        field_mapping: Source column to Gainsight field.
        constants: Gainsight field to the value put into every record.
        unknown_fields: What to do with columns the object does not have.
        lookups: Target field to how it is resolved.
        company_links: How persons are linked, or None.
        multi_match: What to do when the keys match several rows.
        skip_unchanged: Do not write rows that already hold these values.
        null_values: Whether null clears a field or is left out.
        date_format: How DATE fields are written.
        rich_text: How rich text fields are written, or None for the default of the object.
        max_creates: Creates after which the run stops, or None.
        transport: Whether records are written by calls, or handed to a bulk job as CSV.
        bulk_job_id: The job.
        survey_columns: Column of a survey import to source column.
    """

    object_type: ObjectType
    object_name: str
    sync_mode: SyncMode = "upsert"
    lookup_keys: tuple[str, ...] = ()
    field_mapping: Mapping[str, str] = field(default_factory=dict)
    constants: Mapping[str, object] = field(default_factory=dict)
    unknown_fields: Literal["fail", "drop", "send"] = "fail"
    lookups: Mapping[str, Lookup] = field(default_factory=dict)
    company_links: CompanyLinks | None = None
    multi_match: Literal["reject", "first"] = "reject"
    skip_unchanged: bool = True
    null_values: Literal["send", "omit"] = "send"
    date_format: Literal["iso", "MM-DD-YYYY"] = "iso"
    rich_text: Literal["html", "as_is"] | None = None
    max_creates: int | None = None
    transport: Literal["rest", "bulk"] = "rest"
    bulk_job_id: str = ""
    survey_columns: Mapping[str, str] = field(default_factory=dict)

    @property
    def days_until_due(self) -> int | None:
        """How many days after the run that creates it a CTA is due, where that is a constant."""
        return days_ahead(self.constants.get(DUE_DATE)) if self.object_type == "cta" else None

    def constants_on(self, day: date) -> Mapping[str, object]:
        """The constants with a date where they count from the day of the run.

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
        connection: Where the tenant is.
        limits: How fast and how long we may call.
        rejection: What happens to records that are not written.
        default_stream: For streams without an entry of their own; None routes nothing.
        streams: Stream name or glob to its settings; None for an entry that names no object.
        batch_size_rows: Records per write call, or None for the API's limit.
        read_group_size: Records per current-rows query.
        max_concurrency: Calls in flight at most.
        max_batch_age_seconds: How long a partial batch may wait.
        survey_path: Folder of the survey files.
        summary_path: Where the run summary goes as JSON, or None.
        dry_run: Read and classify, but write nothing.
    """

    connection: Connection
    limits: Limits
    rejection: Rejection
    default_stream: StreamSettings | None
    streams: Mapping[str, StreamSettings | None]
    batch_size_rows: int | None
    read_group_size: int
    max_concurrency: int
    max_batch_age_seconds: int
    survey_path: Path
    summary_path: Path | None
    dry_run: bool

    def for_stream(self, name: str) -> StreamSettings | None:
        """Find how a stream is loaded: its exact name wins, else the longest pattern.

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
