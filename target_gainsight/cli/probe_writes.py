"""The part of `gainsight probe` that writes: shows what it is going to do, asks, and reports."""

from __future__ import annotations

import sys

import click

from target_gainsight.api import CallEvent
from target_gainsight.cli.tenant import tenant_connection
from target_gainsight.mapping.errors import counted
from target_gainsight.mapping.escaping import one_line
from target_gainsight.probe.observations import Observation, ask
from target_gainsight.probe.reading import MAX_CALLS
from target_gainsight.probe.session import ProbeSession
from target_gainsight.probe.writing import person as people
from target_gainsight.probe.writing.fields import UnsuitableForProbeError
from target_gainsight.probe.writing.interruption import InterruptedProbeError, Interruption
from target_gainsight.probe.writing.run import WriteReport, run_writes
from target_gainsight.probe.writing.trial import (
    MAX_CREATED,
    USUALLY_CREATED,
    Trial,
    plan_writes,
)
from target_gainsight.settings.model import Settings

PERSON = "person:"
WRITING_KINDS = frozenset({"insert", "update", "delete", "person"})


def check_request(written: str, *, yes: bool) -> None:
    """Check what `--write` names, and that the user can be asked."""
    if not written.removeprefix(PERSON).strip():
        message = "--write takes the name of a custom object, or person:EMAIL."
        raise click.UsageError(message)
    if not yes and not sys.stdin.isatty():
        message = (
            "--write asks before it starts, and standard input is not a terminal. Add --yes to "
            "start without being asked."
        )
        raise click.UsageError(message)


def ask_by_writing(
    settings: Settings, written: str, events: list[CallEvent], *, yes: bool
) -> tuple[tuple[Observation, ...], bool]:
    """Probe an object or a person of the tenant.

    Args:
        settings: The settings.
        written: The name of an object, or `person:` and an email.
        events: Receives the attempts of calls.
        yes: Whether to start without asking.

    Returns:
        What was found out, and whether all records that were created are deleted.

    Raises:
        click.ClickException: The probe does not start, or ends early.
        SystemExit: A signal ends it.
        click.Abort: The user does not want it to start.
        GainsightError: The tenant cannot be used.
    """
    with tenant_connection(settings, events.append) as tenant:
        session = ProbeSession(tenant.client)
        try:
            if written.lower().startswith(PERSON):
                return _probe_person(session, written[len(PERSON) :], yes=yes), True
            report = _probe_object(session, written, yes=yes)
        except UnsuitableForProbeError as error:
            raise click.ClickException(one_line(str(error))) from error
    return report.observations, not report.left


def _probe_person(session: ProbeSession, email: str, *, yes: bool) -> tuple[Observation, ...]:
    person = people.find_person(session, email)
    fields = ", ".join(person.values)
    _note(f"This person is sent its own values again, so that nothing changes: {fields}.")
    _note(
        f"It takes at most {people.MAX_CALLS + MAX_CALLS} calls, retries apart. Gainsight may note "
        "the time of the modification."
    )
    _confirm(yes=yes)
    return ask(people.QUESTIONS, person)


def _probe_object(session: ProbeSession, name: str, *, yes: bool) -> WriteReport:
    """Write to an object; report records that are left, and end if the probe was stopped."""
    interruption = Interruption()
    trial = plan_writes(session, name, interruption)
    _describe(trial)
    _confirm(yes=yes)
    with interruption.handle_signals():
        report = run_writes(trial)
    if trial.rows.may_appear:
        _note(
            "A create had no clear response, so its records may appear later. Run the probe again "
            "to delete them."
        )
    if report.left:
        _note("These records are not deleted, or may not be. Delete them, or run the probe again:")
        for gsid in report.left:
            _note(f"  {gsid}")
    if isinstance(report.stopped, InterruptedProbeError):
        state = "Some records are left" if report.left else "Its records are deleted"
        _note(f"The probe was interrupted. {state}.")
        raise SystemExit(interruption.exit_code)
    if report.stopped:
        raise click.ClickException(one_line(str(report.stopped))) from report.stopped
    return report


def _describe(trial: Trial) -> None:
    """Show the field mapping, the records and the calls."""
    _note(f"The probe writes to these fields of {trial.rows.object_name}:")
    width = max(map(len, trial.fields))
    for role, field in trial.fields.items():
        shown = f"{field.name} ({field.data_type})" if field else "none: its questions stay open"
        _note(f"  {role:{width}}  {shown}")
    for field_name in trial.required:
        _note(f"  {'required':{width}}  {field_name}")
    _note(
        f"It creates {USUALLY_CREATED} records, and at most {MAX_CREATED} if the tenant accepts "
        f"calls that are too large. Their {trial.rows.key} begins with {trial.rows.prefix}. It "
        "changes and deletes no other rows, and deletes these at the end."
    )
    if trial.leftovers:
        _note(f"{counted(trial.leftovers, 'record')} of an earlier probe will be deleted first.")
    most, usual = trial.count_calls(MAX_CREATED), trial.count_calls(USUALLY_CREATED)
    _note(
        f"It makes at most {most + MAX_CALLS} calls, retries apart, and usually fewer than "
        f"{usual + MAX_CALLS}, at the rate that the settings allow. Rules and reports on "
        "this object may notice the records."
    )


def _confirm(*, yes: bool) -> None:
    """Ask; the question ends no line, and Meltano shows whole lines only."""
    if not yes:
        _note("Nothing is written yet. Type y and press Enter to start.")
        click.confirm("Start?", abort=True, err=True)


def _note(text: str) -> None:
    """Print a line beside the output, which may be a profile."""
    click.echo(one_line(text), err=True)
