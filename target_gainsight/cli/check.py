"""`gainsight check`: check the settings against the tenant before anything is loaded.

Reads metadata only. What needs a stream's schema is checked when the stream starts.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Literal, cast

import click

from target_gainsight.api import (
    AccessDeniedError,
    CredentialError,
    GainsightError,
    Json,
    ObjectSchema,
    RateLimitGroup,
    RateLimits,
)
from target_gainsight.cli.configuration import configured, read_settings
from target_gainsight.cli.output import examples, format_option, marks, print_as
from target_gainsight.cli.tenant import TenantMetadata, tenant_metadata
from target_gainsight.loading.lookups.plans import plan_lookups
from target_gainsight.loading.outcomes import RunStoppedError
from target_gainsight.mapping.errors import counted
from target_gainsight.mapping.escaping import one_line
from target_gainsight.mapping.near_names import did_you_mean
from target_gainsight.mapping.planning.mismatch import FieldProblem
from target_gainsight.mapping.planning.spec import MappingSpec
from target_gainsight.mapping.planning.static_schemas import unlisted_names
from target_gainsight.mapping.planning.stream_checks import find_problems
from target_gainsight.settings.model import Connection, OAuthCredential, Settings
from target_gainsight.settings.stream_settings import OBJECT_NAMES, StreamSettings
from target_gainsight.singer.connection import rate_limits
from target_gainsight.singer.reporting.run_end import describe_error

ANY_STREAM, EVERY_STREAM = "*", "streams without an entry"
OBJECT = "object"
"""The check whether a stream can be loaded into its object at all."""

A_DAY = date(2026, 1, 1)
"""Any day serves to check a date that is relative to the day of a run."""

OWN_KEYS = {"person": "Email", "timeline": "ExternalId"}
"""Object types that are always identified by the same field."""

HOUR_SECONDS = 3600

_SUGGEST_PROBE = (
    "run 'gainsight probe' once to see how the tenant behaves where the API is not documented"
)


Status = Literal["ok", "warning", "error"]


@dataclass(frozen=True)
class Finding:
    """The result of one check.

    Attributes:
        check: What is checked: `tenant`, `credential`, `limits`, … or, of a stream, `object` or
            the setting.
        text: The result on one line, with what to do.
        stream: The name or pattern under `streams`; `*` for the streams without an entry; None
            if no stream is concerned.
        suggestion: What to do alone, where that is known.
        informs: The check cannot fail; the text is for information.
    """

    check: str
    status: Status
    text: str
    stream: str | None = None
    suggestion: str = ""
    informs: bool = False

    @property
    def subject(self) -> str:
        """What the text is about."""
        if self.stream is None:
            return self.check
        name = EVERY_STREAM if self.stream == ANY_STREAM else f"stream {self.stream}"
        return name if self.check == OBJECT else f"{name}: {self.check}"

    def to_json(self) -> dict[str, str | None]:
        """Return the finding as JSON shows it."""
        return {
            "stream": self.stream,
            "check": self.check,
            "status": self.status,
            "text": one_line(self.text),
            "suggestion": one_line(self.suggestion) or None,
        }


@dataclass
class Checklist:
    """The findings so far, in the order of the checks."""

    findings: list[Finding] = field(default_factory=list)

    def right(self, check: str, text: str, stream: str | None = None) -> None:
        """Add what is right."""
        self.findings.append(Finding(check, "ok", text, stream))

    def inform(self, check: str, text: str, stream: str | None = None) -> None:
        """Add information."""
        self.findings.append(Finding(check, "ok", text, stream, informs=True))

    def warn(self, check: str, text: str, stream: str | None = None) -> None:
        """Add what may go wrong and cannot be checked."""
        self.findings.append(Finding(check, "warning", text, stream))

    def wrong(
        self, check: str, text: str, stream: str | None = None, *, suggestion: str = ""
    ) -> None:
        """Add what is wrong; the text includes what to do."""
        self.findings.append(Finding(check, "error", text, stream, suggestion))

    def refused(self, check: str, error: Exception, stream: str | None = None) -> None:
        """Add what the tenant refuses."""
        text = str(error).removeprefix(f"{check}: ")
        suggestion = describe_error(error).suggestion
        self.findings.append(Finding(check, "error", text, stream, suggestion))

    @property
    def failures(self) -> int:
        """The number of failed checks."""
        return sum(each.status == "error" for each in self.findings)

    def to_json(self) -> dict[str, object]:
        """Return the findings as JSON shows them."""
        return {
            "ok": not self.failures,
            "failed": self.failures,
            "checks": [each.to_json() for each in self.findings],
        }

    def print(self) -> None:
        """Print every finding and the number of failed checks."""
        right, wrong = marks()
        shown = {"ok": (right, "green"), "warning": ("!", "yellow"), "error": (wrong, "red")}
        width = max(len(each.subject) for each in self.findings)
        for each in self.findings:
            mark, colour = ("", None) if each.informs else shown[each.status]
            subject = f"{each.subject:{width}}"
            click.echo(f"{click.style(f'{mark:2}', fg=colour)} {subject}  {one_line(each.text)}")
        failed = f"{counted(self.failures, 'check')} failed."
        click.echo(failed if self.failures else "Everything that can be checked is right.")


@click.command(
    epilog=examples(
        "gainsight check --config config.json",
        "gainsight check --format json | jq '.checks[] | select(.status != \"ok\")'",
    )
)
@configured
@format_option("text", "json")
def check(sources: tuple[str, ...], form: str) -> None:
    """Check the settings against the tenant; writes nothing. Exits with 1 if a check failed."""
    settings = read_settings(sources)
    checklist = Checklist()
    with tenant_metadata(settings) as metadata:
        if _check_access(checklist, settings, metadata):
            _check_streams(checklist, settings, metadata)
    _list_limits(checklist, settings)
    if form == "json":
        print_as("json", checklist.to_json())
    else:
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
        checklist.refused("credential", error)
        return False
    except GainsightError as error:
        checklist.refused("tenant", error)
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
    entries = dict(settings.streams.items())
    if settings.default_stream is not None:
        entries[ANY_STREAM] = settings.default_stream
    if not entries:
        text = "no setting routes a stream to an object: set object_type, or streams"
        checklist.wrong("streams", text, suggestion="Set object_type, or streams.")
    for name, entry in entries.items():
        if entry is None:
            text = "it names no object: set its object_type"
            checklist.wrong(OBJECT, text, name, suggestion="Set its object_type.")
        elif entry.object_type == "survey_csv":
            text = f"a file for the survey import, in {settings.survey_path}"
            checklist.right(OBJECT, text, name)
        else:
            StreamCheck(name, entry, metadata, checklist).run()


@dataclass(frozen=True)
class StreamCheck:
    """Checks the settings of one stream, or of those that match a pattern.

    Attributes:
        name: Its name, or the pattern.
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
            self.checklist.refused(OBJECT, error, self.name)
            return
        if stream.transport == "bulk":
            text = f"CSV files for a bulk job that loads {schema.name}"
            self.checklist.right(OBJECT, text, self.name)
            finding = f"{stream.bulk_job_id}; not checked: no API call lists jobs or their columns"
            self.checklist.warn("bulk_job_id", finding, self.name)
            return
        finding = f"{stream.sync_mode} into {schema.name}, {len(schema.fields)} fields"
        self.checklist.right(OBJECT, finding, self.name)
        if schema.volume == "high":
            self.checklist.warn(
                OBJECT,
                "listed as a high-volume object; if its records are refused, load it by a bulk "
                "job (transport: bulk)",
                self.name,
            )
        if stream.deletes == "delete":
            finding = f"delete, at most {stream.max_deletes:,} rows in a run (max_deletes)"
            self.checklist.inform("deletes", finding, self.name)
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
                self.checklist.warn("constants", finding, self.name)
        self._report("lookups", "", (each for each in problems if each.setting == "lookups"))
        if not keys:
            default = "the stream's key properties"
            if self.stream.object_type != "cta":
                default = f"Name if the stream has it, otherwise {default}"
            self.checklist.inform("lookup_keys", default, self.name)

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
            self.checklist.refused(setting, error, self.name)
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
            text = str(problem).removeprefix(f"{problem.setting}: ")
            suggestion = did_you_mean(problem.name, problem.suggestions)
            self.checklist.wrong(setting, text, self.name, suggestion=suggestion)
        if value and not found:
            self.checklist.right(setting, value, self.name)


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
