"""`gainsight probe`: find out how the tenant behaves where the API's documentation is silent.

The part that writes shows what it is going to do, asks, and reports what it leaves behind.
"""

import sys
from collections.abc import Iterable, Mapping
from dataclasses import asdict

import click

from target_gainsight.api import CallEvent
from target_gainsight.cli.output import examples, format_option, marks, print_as, print_table
from target_gainsight.cli.tenant import config_option, connect_to_tenant, read_settings
from target_gainsight.mapping.errors import counted
from target_gainsight.mapping.escaping import one_line
from target_gainsight.probe import writes
from target_gainsight.probe.observations import (
    Observation,
    ProbeEndedError,
    Topic,
    ask,
    make_profile,
)
from target_gainsight.probe.reads import MAX_CALLS, READ_QUESTIONS
from target_gainsight.probe.tenant import ProbedTenant
from target_gainsight.probe.trial import Trial, plan_writes

MAX_WRITE_CALLS = 120
INTERRUPTED = 130
PERSON = "person:"
WRITING_KINDS = frozenset({"insert", "update", "delete", "person"})


@click.command(
    epilog=examples(
        "gainsight probe",
        "gainsight probe --format json > profile.json",
        "gainsight probe --write Probe__gc",
    )
)
@config_option
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
    tenant contradicts an assumption the target relies on, that no call is accepted, or that records
    created by the probe could not be deleted.
    """
    if written and not yes and not sys.stdin.isatty():
        message = "--write asks, and standard input is not a terminal. Add --yes to start at once."
        raise click.UsageError(message)
    settings = read_settings()
    events: list[CallEvent] = []
    known: dict[Topic, Observation] = {}
    max_calls = None if written else MAX_CALLS
    try:
        with connect_to_tenant(settings, events.append, max_calls=max_calls) as client:
            tenant = ProbedTenant(client, settings.connection.base_url, events)
            ask(READ_QUESTIONS.items(), tenant, known)
            is_clean = not written or _probe_by_writing(tenant, written, known, yes=yes)
    except ProbeEndedError as error:
        raise click.ClickException(one_line(str(error))) from error
    except KeyboardInterrupt:
        click.echo("Stopped." if written else "Stopped; nothing was written.", err=True)
        sys.exit(INTERRUPTED)
    if form == "json":
        print_as("json", make_profile(known))
    else:
        _print_table(known, events)
    is_right = all(each.verdict != "not handled" for each in known.values())
    sys.exit(0 if is_right and is_clean else 1)


def _probe_by_writing(
    tenant: ProbedTenant, written: str, known: dict[Topic, Observation], *, yes: bool
) -> bool:
    """Probe an object or a person; return whether all records that were created are deleted."""
    if not written.lower().startswith(PERSON):
        trial = plan_writes(tenant, written)
        _describe(trial)
        _confirm(yes=yes)
        return _write(trial, known)
    email = written[len(PERSON) :]
    found = writes.find_people(tenant, email)
    if len(found) != 1:
        number = f"{len(found)} people have" if found else "the tenant has no person with"
        message = f"{number} the email {email}. Name an existing person with a unique email."
        raise click.ClickException(one_line(message))
    _note("This person is sent its own email and names again, so that nothing changes.")
    _note("Gainsight may note the time of the modification.")
    _confirm(yes=yes)
    ask(writes.PERSON_QUESTIONS.items(), (tenant, found[0]), known)
    return True


def _describe(trial: Trial) -> None:
    _note(f"The probe writes to these fields of {trial.object_name}:")
    for role, field in trial.fields.items():
        shown = f"{field.name} ({field.data_type})" if field else "none: its questions stay open"
        _note(f"  {role:13}  {shown}")
    _note(
        f"It creates and deletes at most 60 records whose {trial.key} begins with {trial.prefix}, "
        "usually 5, and touches no others. Rules and reports on this object may notice them."
    )
    if trial.left:
        _note(f"{counted(len(trial.left), 'record')} of an earlier probe will be deleted first.")
    calls = MAX_WRITE_CALLS + len(trial.left)
    _note(f"It makes at most {calls} more calls, retries apart, and usually half as many.")


def _confirm(*, yes: bool) -> None:
    """Ask; the question ends no line, and Meltano shows whole lines only."""
    if not yes:
        _note("Nothing is written yet. Type y and press Enter to start.")
        click.confirm("Start?", abort=True, err=True)


def _write(trial: Trial, known: dict[Topic, Observation]) -> bool:
    """Write to an object; delete the records, and report those that are left, in any case."""
    with trial.tenant.stop_on_signals():
        try:
            if trial.left:
                trial.delete_all()
            ask(writes.QUESTIONS.items(), trial, known)
        finally:
            trial.delete_all()
            if trial.may_appear:
                _note("A create had no clear response. Run the probe again to delete its records.")
            state = "not deleted, or may not be; run it again" if trial.left else "deleted"
            _note(f"The records of the probe are {state}.")
            for gsid in sorted(trial.left):
                _note(f"  {gsid}")
    return not trial.left


def _note(text: str) -> None:
    """Print a line beside the output, which may be a profile."""
    click.echo(one_line(text), err=True)


def _print_table(known: Mapping[Topic, Observation], events: Iterable[CallEvent]) -> None:
    right, wrong = marks()
    signs: dict[str | None, str] = {"not handled": wrong, "open": "?"}
    columns = {"sign": "", "name": "Question", "assumed": "Assumed"}
    columns |= {"observed": "Observed", "consequence": "The target"}
    rows = [
        {"sign": signs.get(each.verdict, right), "assumed": topic.assumed, **asdict(each)}
        for topic, each in known.items()
    ]
    print_table(columns, rows)
    calls = [event.call.kind for event in events if event.call.group is not None]
    count = sum(kind in WRITING_KINDS for kind in calls)
    written = f"{count:,} of them writes" if count else "all of them reads; nothing was written"
    click.echo(f"{counted(len(calls), 'call')}, {written}.")
    click.echo("'gainsight probe --format json' prints a profile that can be attached to an issue.")
