"""`gainsight probe`: find out how the tenant behaves where the record of the API is silent.

The part that writes shows what it is going to do, asks, and reports what it leaves behind.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timezone
from importlib.metadata import version

import click

from target_gainsight.api import CallEvent
from target_gainsight.cli.configuration import configured, read_settings
from target_gainsight.cli.output import examples, format_option, marks, print_as, print_table
from target_gainsight.cli.tenant import tenant_connection
from target_gainsight.mapping.errors import counted
from target_gainsight.mapping.escaping import one_line
from target_gainsight.probe.observations import Observation, ask, merge
from target_gainsight.probe.profile import make_profile
from target_gainsight.probe.reading import MAX_CALLS, READ_QUESTIONS
from target_gainsight.probe.reading.facts import TenantFacts
from target_gainsight.probe.session import ProbeSession
from target_gainsight.probe.writing import person as people
from target_gainsight.probe.writing import run_writes
from target_gainsight.probe.writing.plan import UnsuitableForProbeError, plan_writes
from target_gainsight.probe.writing.trial import MAX_CREATED, USUALLY_CREATED, Trial
from target_gainsight.settings.model import Settings

INTERRUPTED = 130
"""The exit status after Ctrl-C."""

PERSON = "person:"
WRITING_KINDS = frozenset({"insert", "update", "delete", "person"})


@click.command(
    epilog=examples(
        "gainsight probe",
        "gainsight probe --format json > profile.json",
        "gainsight probe --write Probe__gc",
    )
)
@configured
@format_option("table", "json")
@click.option(
    "--write",
    "written",
    metavar="OBJECT",
    help=(
        "Create and delete at most 60 marked records in this low-volume custom object, to find out "
        "how it is written; person:EMAIL sends an existing person its own values again."
    ),
)
@click.option("--yes", is_flag=True, help="Start --write without asking.")
def probe(form: str, written: str | None, *, yes: bool) -> None:
    """Find out how the tenant behaves, and what that means for loads.

    Without --write, it makes at most 20 calls, all of them reads. Exit status 1 means that the
    target relies on something that the tenant does otherwise, that no call is accepted, or that
    records which the probe has created could not be deleted.
    """
    if written is not None:
        _check_request(written, yes=yes)
    settings = read_settings()
    events: list[CallEvent] = []
    try:
        by_writing: tuple[Observation, ...] = ()
        is_clean = True
        if written is not None:
            by_writing, is_clean = _ask_by_writing(settings, written, events, yes=yes)
        with tenant_connection(settings, events.append, max_calls=MAX_CALLS) as client:
            session = ProbeSession(client)
            base_url = settings.connection.base_url
            facts = TenantFacts(session, base_url=base_url, events=events)
            observations = merge(ask(READ_QUESTIONS.items(), facts), by_writing)
    except KeyboardInterrupt:
        click.echo("Stopped." if written else "Stopped; nothing was written.", err=True)
        sys.exit(INTERRUPTED)
    _print(form, observations, events)
    is_right = is_clean and all(each.verdict != "not handled" for each in observations)
    sys.exit(0 if is_right else 1)


def _check_request(written: str, *, yes: bool) -> None:
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


def _ask_by_writing(
    settings: Settings, written: str, events: list[CallEvent], *, yes: bool
) -> tuple[tuple[Observation, ...], bool]:
    """Probe an object or a person of the tenant.

    Returns:
        What was found out, and whether all records that were created are deleted.
    """
    with tenant_connection(settings, events.append) as client:
        session = ProbeSession(client)
        try:
            if written.lower().startswith(PERSON):
                return _probe_person(session, written[len(PERSON) :], yes=yes), True
            return _probe_object(session, written, yes=yes)
        except UnsuitableForProbeError as error:
            raise click.ClickException(one_line(str(error))) from error


def _probe_person(session: ProbeSession, email: str, *, yes: bool) -> tuple[Observation, ...]:
    person = people.find_person(session, email)
    fields = ", ".join(person.values)
    _note(f"This person is sent its own values again, so that nothing changes: {fields}.")
    _note(
        f"It takes at most {people.MAX_CALLS + MAX_CALLS} calls, retries apart. Gainsight may note "
        "the time of the modification."
    )
    _confirm(yes=yes)
    return ask(people.QUESTIONS.items(), person)


def _probe_object(
    session: ProbeSession, name: str, *, yes: bool
) -> tuple[tuple[Observation, ...], bool]:
    """Write to an object; report records that are left, also if the probe ends early."""
    trial = plan_writes(session, name)
    rows = trial.rows
    _describe(trial)
    _confirm(yes=yes)
    try:
        with session.stop_on_signals():
            observations = run_writes(trial)
    except SystemExit:
        state = "Some records are left" if rows.left else "Its records are deleted"
        _note(f"The probe was interrupted. {state}.")
        raise
    finally:
        if rows.may_appear:
            _note(
                "A create had no clear response, so its records may appear later. Run the probe "
                "again to delete them."
            )
        if rows.left:
            _note(
                "These records are not deleted, or may not be. Delete them, or run the probe again:"
            )
        for gsid in rows.left:
            _note(f"  {gsid}")
    return observations, not rows.left


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


def _print(form: str, observations: Sequence[Observation], events: Iterable[CallEvent]) -> None:
    if form == "json":
        today = datetime.now(tz=timezone.utc).date()
        released = version("target-gainsight")
        print_as("json", make_profile(observations, version=released, day=today))
        return
    right, wrong = marks()
    signs = {"as assumed": right, "handled": right, "not handled": wrong, "not settled": "?"}
    rows = [
        (signs[each.verdict], each.topic.name, each.topic.assumed, each.observed, each.consequence)
        for each in observations
    ]
    print_table(("", "Question", "Assumed", "Observed", "The target"), rows)
    numbers = Counter(each.verdict for each in observations)
    click.echo(
        f"{counted(len(observations), 'question')}: {numbers['as assumed']} as assumed, "
        f"{numbers['handled']} otherwise, which the target handles, "
        f"{numbers['not handled']} otherwise, which it does not handle, "
        f"{numbers['not settled']} not settled."
    )
    calls = [event.call.kind for event in events if event.call.group is not None]
    writes = sum(kind in WRITING_KINDS for kind in calls)
    written = f"{writes:,} of them writes" if writes else "all of them reads; nothing was written"
    click.echo(f"{counted(len(calls), 'call')}, {written}.")
    click.echo("'gainsight probe --format json' prints a profile that can be attached to an issue.")
