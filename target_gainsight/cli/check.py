"""`gainsight check`: check the settings against the tenant before anything is loaded.

Reads metadata only. What needs a stream's schema is checked when the stream starts.
"""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import Literal

import click

from target_gainsight.api import GainsightClient, ObjectSchema, errors
from target_gainsight.cli.output import examples, format_option, marks, print_as
from target_gainsight.cli.tenant import (
    config_option,
    connect_to_tenant,
    read_settings,
)
from target_gainsight.loading.lookups.plans import StreamLookups
from target_gainsight.loading.object_schemas import ObjectSchemas
from target_gainsight.loading.outcomes import RunStoppedError
from target_gainsight.mapping.errors import counted
from target_gainsight.mapping.escaping import one_line
from target_gainsight.mapping.near_names import did_you_mean
from target_gainsight.mapping.planning.checks import FieldProblem, find_problems
from target_gainsight.mapping.planning.spec import MappingSpec
from target_gainsight.mapping.planning.static_schemas import unlisted_names
from target_gainsight.settings.model import Settings
from target_gainsight.settings.stream_settings import OBJECT_NAMES, Lookup, StreamSettings
from target_gainsight.singer.connection import rate_limits
from target_gainsight.singer.output_paths import find_unusable_paths
from target_gainsight.singer.reporting.run_end import describe_error

ANY_STREAM = "*"
OBJECT = "object"
"""The check whether a stream can be loaded into its object at all."""


@dataclass(frozen=True)
class Finding:
    """The result of one check, with what to do.

    `check` names what is checked: `tenant`, `credential`, `limits`, … or, of a stream, `object` or
    the setting. `stream` is a name or pattern under `streams`, or `*` for those without an entry.
    """

    check: str
    text: str
    status: Literal["ok", "warning", "error"] = "ok"
    suggestion: str | None = None
    stream: str | None = None

    @property
    def subject(self) -> str:
        """What the text is about."""
        if self.stream is None:
            return self.check
        name = "streams without an entry" if self.stream == ANY_STREAM else f"stream {self.stream}"
        return name if self.check == OBJECT else f"{name}: {self.check}"


@click.command(
    epilog=examples(
        "gainsight check --config config.json",
        "gainsight check --format json | jq '.checks[] | select(.status != \"ok\")'",
    )
)
@config_option
@format_option("text", "json")
def check(form: str) -> None:
    """Check the settings against the tenant; writes nothing. Exits with 1 if a check failed."""
    settings = read_settings()
    with connect_to_tenant(settings) as client:
        findings = [*_check_tenant(settings, client)]
    findings += (
        Finding(name, f"{problem}. {do}", "error", do)
        for name, problem, do in find_unusable_paths(settings)
    )
    findings += _list_limits(settings)
    failed = sum(each.status == "error" for each in findings)
    if form == "json":
        checks = [asdict(each) for each in findings]
        print_as("json", {"ok": not failed, "failed": failed, "checks": checks})
    else:
        right, wrong = marks()
        shown = {"ok": (right, "green"), "warning": ("!", "yellow"), "error": (wrong, "red")}
        width = max(len(each.subject) for each in findings)
        for each in findings:
            mark, colour = shown[each.status]
            mark = click.style(f"{mark:2}", fg=colour)
            click.echo(f"{mark} {each.subject:{width}}  {one_line(each.text)}")
        summary = f"{counted(failed, 'check')} failed."
        click.echo(summary if failed else "All checks passed.")
    sys.exit(1 if failed else 0)


def _check_tenant(settings: Settings, client: GainsightClient) -> Iterator[Finding]:
    connection = settings.connection
    where = connection.base_url or f"the embedded sandbox in {connection.sandbox_path}"
    responds = Finding("tenant", f"{where} responds")
    try:
        count = len(client.metadata.list_objects())
    except (errors.CredentialError, errors.AccessDeniedError) as error:
        what = "credential" if isinstance(error, errors.CredentialError) else "metadata"
        yield from (responds, _error_finding(what, error))
        return
    except errors.GainsightError as error:
        yield _error_finding("tenant", error)
        return
    credential, is_sandbox = "access_key is valid", connection.sandbox_path is not None
    if is_sandbox or connection.client_id:
        m2m = "client_id and client_secret (M2M OAuth) are valid"
        credential = "none is needed" if is_sandbox else m2m
    yield from (responds, Finding("credential", f"{credential}; {count} objects are visible"))
    if not is_sandbox:
        text = "run 'gainsight probe' once to see how the tenant behaves beyond the documentation"
        yield Finding("probe", text)
    yield from _check_streams(settings, ObjectSchemas(client, settings))


def _check_streams(settings: Settings, schemas: ObjectSchemas) -> Iterator[Finding]:
    entries = dict(settings.streams)
    if settings.default_stream is not None:
        entries[ANY_STREAM] = settings.default_stream
    if not entries:
        text = "no stream is routed to an object: set object_type, or add entries under streams"
        yield Finding("streams", text, "error")
    for name, entry in entries.items():
        if entry is None:
            text = "the entry names no object: set its object_type"
            yield Finding(OBJECT, text, "error", stream=name)
        elif entry.object_type == "survey_csv":
            text = f"a file for the survey import, in {settings.survey_path}"
            yield Finding(OBJECT, text, stream=name)
        else:
            yield from (replace(each, stream=name) for each in _check_stream(entry, schemas))


def _check_stream(stream: StreamSettings, schemas: ObjectSchemas) -> Iterator[Finding]:
    named = (*stream.field_mapping.values(), *stream.constants, *stream.lookup_keys)
    named = (*named, *stream.lookups, *stream.field_rules)
    try:
        schema = schemas.describe(stream.object_name, named)
    except (errors.GainsightError, RunStoppedError) as error:
        yield _error_finding(OBJECT, error)
        return
    if stream.transport == "bulk":
        yield Finding(OBJECT, f"CSV files for a bulk job that loads {schema.name}")
        text = f"{stream.bulk_job_id}; not checked: the API lists neither jobs nor their columns"
        yield Finding("bulk_job_id", text, "warning")
        return
    yield Finding(OBJECT, f"{stream.sync_mode} into {schema.name}, {len(schema.fields)} fields")
    if schema.volume == "high":
        text = "listed as high-volume; if its records are refused, load it by a bulk job"
        yield Finding(OBJECT, f"{text} (transport: bulk)", "warning")
    if stream.deletes == "delete":
        text = f"delete, at most {stream.max_deletes:,} rows in a run (max_deletes)"
        yield Finding("deletes", text)
    yield from _check_fields(stream, schema)
    yield from _check_references(stream, schemas)


def _check_fields(stream: StreamSettings, schema: ObjectSchema) -> Iterator[Finding]:
    keys = stream.named_keys
    spec = MappingSpec(
        columns=(),  # they are not known yet
        schema=schema,
        settings=stream,
        named_keys=keys,
        constants=stream.constants_on(date(2026, 1, 1)),  # any day serves
        keys_required=False,
    )
    problems = find_problems(spec)
    mapping = stream.field_mapping
    named = {
        "lookup_keys": ", ".join(keys),
        "field_mapping": counted(len(mapping), "column") if mapping else "",
        "constants": ", ".join(stream.constants),
        "fallback_keys": ", ".join(stream.fallback_keys),
        "field_rules": "; ".join(f"{name} is {rule}" for name, rule in stream.field_rules.items()),
        "lookups": "",
    }
    for setting, text in named.items():
        yield from _setting_findings(
            setting, text, [each for each in problems if each.setting == setting]
        )
    for name in unlisted_names(schema) if schema.documented else ():
        if name in stream.constants:
            text = f"{name} is not checked: the tenant does not list the names it accepts"
            yield Finding("constants", text, "warning")
    if not keys:
        default = "the stream's key properties"
        if stream.object_type != "cta":
            default = f"Name if the stream has it, otherwise {default}"
        yield Finding("lookup_keys", default)


def _check_references(stream: StreamSettings, schemas: ObjectSchemas) -> Iterator[Finding]:
    """Check each lookup by itself: the first object that does not exist would hide the others."""
    references = {
        f"lookups.{target}": (lookup, replace(stream, lookups={target: lookup}, company_links=None))
        for target, lookup in stream.lookups.items()
    }
    if stream.company_links is not None:
        companies = Lookup(OBJECT_NAMES["company"], stream.company_links.lookup)
        references["company_links"] = companies, replace(stream, lookups={})
    for setting, (lookup, alone) in references.items():
        text = f"{lookup.object_name} by {', '.join(lookup.fields.values())}"
        try:
            yield from _setting_findings(
                setting, text, StreamLookups(alone, schemas.describe).problems
            )
        except (errors.GainsightError, RunStoppedError) as error:
            yield _error_finding(setting, error)


def _setting_findings(
    setting: str, text: str, problems: Sequence[FieldProblem]
) -> Iterator[Finding]:
    for problem in problems:
        suggestion = did_you_mean(problem.name, problem.suggestions) or None
        wrong = str(problem).removeprefix(f"{problem.setting}: ")
        yield Finding(setting, wrong, "error", suggestion)
    if text and not problems:
        yield Finding(setting, text)


def _error_finding(check: str, error: Exception) -> Finding:
    text = str(error).removeprefix(f"{check}: ")
    return Finding(check, text, "error", describe_error(error)["suggestion"])


def _list_limits(settings: Settings) -> Iterator[Finding]:
    streams = [each for each in (settings.default_stream, *settings.streams.values()) if each]
    in_use = {"synchronous", *(each.object_type for each in streams)}
    in_use.update(each.transport for each in streams)
    for group, rate in rate_limits(settings.limits).items():
        if group in in_use:
            window = "an hour" if group == "bulk" else "a minute"
            limits = f"{rate.per_window:,} {rate.unit} {window}"
            allowed = f"{rate.allowed_per_window:,}"
            if rate.per_day is not None:
                limits += f" and {rate.per_day:,} a day"
                allowed += f" and {rate.allowed_per_day:,}"
            limits += f"; quota_percent {rate.quota_percent} allows {allowed}"
            yield Finding("limits", limits)
    most = settings.limits.max_calls_per_run
    if most is not None:
        yield Finding("limits", f"at most {counted(most, 'call')} in a run")
