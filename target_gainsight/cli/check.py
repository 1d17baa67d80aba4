"""`gainsight check`: check the settings against the tenant before anything is loaded.

Reads metadata only. What needs a stream's schema is checked when the stream starts.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING, cast

import click

from target_gainsight.api import AccessDeniedError, CredentialError, GainsightError
from target_gainsight.cli.configuration import configured, read_settings
from target_gainsight.cli.output import examples, marks
from target_gainsight.cli.tenant import tenant_metadata
from target_gainsight.loading.lookups.plans import plan_lookups
from target_gainsight.loading.outcomes import RunStoppedError
from target_gainsight.mapping.errors import counted
from target_gainsight.mapping.escaping import one_line
from target_gainsight.mapping.planning.spec import MappingSpec
from target_gainsight.mapping.planning.static_schemas import unlisted_names
from target_gainsight.mapping.planning.stream_checks import find_problems
from target_gainsight.settings import OBJECT_NAMES, OAuthCredential
from target_gainsight.singer.connection import rate_limits

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from target_gainsight.api import Json, ObjectSchema, RateLimitGroup, RateLimits
    from target_gainsight.cli.tenant import TenantMetadata
    from target_gainsight.mapping.planning.mismatch import FieldProblem
    from target_gainsight.settings import Connection, Settings, StreamSettings

EVERY_STREAM = "streams without an entry"
A_DAY = date(2026, 1, 1)
"""Any day serves to check a date that is relative to the day of a run."""

OWN_KEYS = {"person": "Email", "timeline": "ExternalId"}
"""Object types that are always identified by the same field."""

HOUR_SECONDS = 3600

_SUGGEST_PROBE = (
    "run 'gainsight probe' once to see how the tenant behaves where the API is not documented"
)


@dataclass
class Checklist:
    """The findings: True if right, False if wrong, None for information; subject; finding."""

    lines: list[tuple[bool | None, str, str]] = field(default_factory=list)

    def right(self, subject: str, finding: str) -> None:
        """Add a line for what is right."""
        self.lines.append((True, subject, finding))

    def wrong(self, subject: str, finding: object) -> None:
        """Add a line for what is wrong, with what to do."""
        self.lines.append((False, subject, str(finding)))

    def inform(self, subject: str, finding: str) -> None:
        """Add an informational line."""
        self.lines.append((None, subject, finding))

    @property
    def failures(self) -> int:
        """The number of wrong lines."""
        return sum(each is False for each, _, _ in self.lines)

    def print(self) -> None:
        """Print every line and the number of failed checks."""
        right, wrong = marks()
        width = max(len(subject) for _, subject, _ in self.lines)
        for each, subject, finding in self.lines:
            mark = " " * len(right) if each is None else right if each else wrong
            colour = None if each is None else "green" if each else "red"
            click.echo(
                f"{click.style(f'{mark:2}', fg=colour)} {subject:{width}}  {one_line(finding)}"
            )
        failed = f"{counted(self.failures, 'check')} failed."
        click.echo(failed if self.failures else "Everything that can be checked is right.")


@click.command(epilog=examples("gainsight check --config config.json"))
@configured
def check(sources: tuple[str, ...]) -> None:
    """Check the settings against the tenant; writes nothing."""
    settings = read_settings(sources)
    checklist = Checklist()
    with tenant_metadata(settings) as metadata:
        if _check_access(checklist, settings, metadata):
            _check_streams(checklist, settings, metadata)
    _list_limits(checklist, settings)
    checklist.print()
    sys.exit(1 if checklist.failures else 0)


def _check_access(checklist: Checklist, settings: Settings, metadata: TenantMetadata) -> bool:
    """Return whether the tenant responds and accepts the credential."""
    connection = settings.connection
    where = connection.base_url or f"the embedded sandbox in {connection.sandbox_path}"
    try:
        count = len(metadata.objects)
    except (CredentialError, AccessDeniedError) as error:
        checklist.right("tenant", f"{where} responds")
        checklist.wrong("credential", error)
        return False
    except GainsightError as error:
        checklist.wrong("tenant", error)
        return False
    checklist.right("tenant", f"{where} responds")
    checklist.right(
        "credential", f"{_describe_credential(connection)}; {count} objects are visible"
    )
    if connection.sandbox_path is None:
        checklist.inform("probe", _SUGGEST_PROBE)
    return True


def _describe_credential(connection: Connection) -> str:
    if connection.sandbox_path is not None:
        return "none is needed"
    if isinstance(connection.credential, OAuthCredential):
        return "client_id and client_secret (M2M OAuth) are valid"
    return "access_key is valid"


def _check_streams(checklist: Checklist, settings: Settings, metadata: TenantMetadata) -> None:
    entries = {f"stream {name}": entry for name, entry in settings.streams.items()}
    if settings.default_stream is not None:
        entries[EVERY_STREAM] = settings.default_stream
    if not entries:
        checklist.wrong(
            "streams", "no setting routes a stream to an object: set object_type, or streams"
        )
    for name, entry in entries.items():
        if entry is None:
            checklist.wrong(name, "it names no object: set its object_type")
        elif entry.object_type == "survey_csv":
            checklist.right(name, f"a file for the survey import, in {settings.survey_path}")
        else:
            StreamCheck(name, entry, metadata, checklist).run()


@dataclass(frozen=True)
class StreamCheck:
    """Checks the settings of one stream, or of those that match a pattern.

    Attributes:
        name: The subject of its lines.
    """

    name: str
    stream: StreamSettings
    metadata: TenantMetadata
    checklist: Checklist

    def run(self) -> None:
        """Check what can be checked without the stream."""
        stream = self.stream
        named = (*stream.field_mapping.values(), *stream.constants, *stream.lookup_keys)
        named = (*named, *stream.lookups, *stream.field_rules)
        try:
            schema = self.metadata.describe(stream.object_name, named)
        except (GainsightError, RunStoppedError) as error:
            self.checklist.wrong(self.name, error)
            return
        if stream.transport == "bulk":
            self.checklist.right(self.name, f"CSV files for a bulk job that loads {schema.name}")
            finding = f"{stream.bulk_job_id}; not checked: no API call lists jobs or their columns"
            self.checklist.inform(f"{self.name}: bulk_job_id", finding)
            return
        finding = f"{stream.sync_mode} into {schema.name}, {len(schema.fields)} fields"
        self.checklist.right(self.name, finding)
        if schema.volume == "high":
            self.checklist.inform(
                self.name,
                "listed as a high-volume object; if its records are refused, load it by a bulk "
                "job (transport: bulk)",
            )
        if stream.deletes == "delete":
            finding = f"delete, at most {stream.max_deletes:,} rows in a run (max_deletes)"
            self.checklist.inform(f"{self.name}: deletes", finding)
        self._check_fields(schema)
        self._check_references()

    def _check_fields(self, schema: ObjectSchema) -> None:
        problems = find_problems(self._spec(schema))
        keys = ", ".join(self._own_keys or self.stream.lookup_keys)
        mapping = self.stream.field_mapping
        named = {
            "lookup_keys": keys,
            "field_mapping": counted(len(mapping), "column") if mapping else "",
            "constants": ", ".join(self.stream.constants),
            "fallback_keys": ", ".join(self.stream.fallback_keys),
            "field_rules": "; ".join(
                f"{name} is {rule}" for name, rule in self.stream.field_rules.items()
            ),
        }
        for setting, value in named.items():
            self._report(setting, value, [each for each in problems if each.setting == setting])
        for name in unlisted_names(schema) if schema.documented else ():
            if name in self.stream.constants:
                finding = f"{name} is not checked: the tenant does not list the names it accepts"
                self.checklist.inform(f"{self.name}: constants", finding)
        self._report("lookups", "", (each for each in problems if each.setting == "lookups"))
        if not keys:
            default = "the stream's key properties"
            if self.stream.object_type != "cta":
                default = f"Name if the stream has it, otherwise {default}"
            self.checklist.inform(f"{self.name}: lookup_keys", default)

    def _check_references(self) -> None:
        """Check the objects and match fields of each lookup, and of the company links."""
        for target, lookup in self.stream.lookups.items():
            value = f"{lookup.object_name} by {', '.join(lookup.fields.values())}"
            alone = replace(self.stream, lookups={target: lookup}, company_links=None)
            self._check_reference(f"lookups.{target}", value, alone)
        links = self.stream.company_links
        if links is not None:
            value = f"{OBJECT_NAMES['company']} by {', '.join(links.lookup.values())}"
            alone = replace(self.stream, lookups={})
            self._check_reference("company_links", value, alone)

    def _check_reference(self, setting: str, value: str, alone: StreamSettings) -> None:
        try:
            references = plan_lookups(alone, self.metadata.describe)
        except (GainsightError, RunStoppedError) as error:
            self.checklist.wrong(f"{self.name}: {setting}", str(error).removeprefix(f"{setting}: "))
        else:
            self._report(setting, value, references.problems)

    def _spec(self, schema: ObjectSchema) -> MappingSpec:
        """Return the mapping that the settings specify; the stream's columns are unknown."""
        return MappingSpec(
            columns=(),
            schema=schema,
            sync_mode=self.stream.sync_mode,
            named_keys=self.stream.lookup_keys or self._own_keys,
            field_mapping=self.stream.field_mapping,
            constants=cast("Mapping[str, Json]", self.stream.constants_on(A_DAY)),
            lookup_targets=frozenset(self.stream.lookups),
            keys_required=False,
            native_upsert=self.stream.object_type == "person",
            named_fallback_keys=self.stream.fallback_keys,
            field_rules=self.stream.field_rules,
        )

    @property
    def _own_keys(self) -> tuple[str, ...]:
        own = OWN_KEYS.get(self.stream.object_type)
        return (own,) if own else ()

    def _report(self, setting: str, value: str, problems: Iterable[FieldProblem]) -> None:
        found = list(problems)
        for problem in found:
            self.checklist.wrong(
                f"{self.name}: {setting}", str(problem).removeprefix(f"{setting}: ")
            )
        if value and not found:
            self.checklist.right(f"{self.name}: {setting}", value)


def _list_limits(checklist: Checklist, settings: Settings) -> None:
    """List the limits that hold for the calls of these streams."""
    streams = [each for each in (settings.default_stream, *settings.streams.values()) if each]
    used: list[RateLimitGroup] = ["synchronous"]
    if any(stream.object_type == "timeline" for stream in streams):
        used.append("timeline")
    if any(stream.transport == "bulk" for stream in streams):
        used.append("bulk")
    rates = rate_limits(settings.limits)
    for group in used:
        checklist.inform("limits", _format_limits(rates[group]))
    most = settings.limits.max_calls_per_run
    if most is not None:
        checklist.inform("limits", f"at most {counted(most, 'call')} in a run")


def _format_limits(rate: RateLimits) -> str:
    window = "an hour" if rate.window_seconds == HOUR_SECONDS else "a minute"
    limits, allowed = f"{rate.per_window:,} {rate.unit} {window}", f"{rate.allowed_per_window:,}"
    if rate.per_day is not None:
        limits += f" and {rate.per_day:,} a day"
        allowed += f" and {rate.allowed_per_day:,}"
    return f"{limits}; quota_percent {rate.quota_percent} allows {allowed}"
