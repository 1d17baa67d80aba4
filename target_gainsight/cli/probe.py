"""`gainsight probe`: find out how the tenant behaves where the record of the API is silent."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timezone
from importlib.metadata import version

import click

from target_gainsight.api import CallEvent, GainsightError
from target_gainsight.cli.configuration import configured, read_settings
from target_gainsight.cli.output import examples, format_option, marks, print_as, print_table
from target_gainsight.cli.probe_writes import WRITING_KINDS, ask_by_writing, check_request
from target_gainsight.cli.tenant import tenant_connection
from target_gainsight.mapping.errors import counted
from target_gainsight.probe.observations import Observation, ask, merge
from target_gainsight.probe.profile import make_profile
from target_gainsight.probe.reading import MAX_CALLS, READ_QUESTIONS
from target_gainsight.probe.reading.facts import TenantFacts
from target_gainsight.probe.session import ProbeSession
from target_gainsight.settings.model import Settings

INTERRUPTED = 130
"""The exit status after Ctrl-C."""


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
def probe(sources: tuple[str, ...], form: str, written: str | None, *, yes: bool) -> None:
    """Find out how the tenant behaves, and what that means for loads.

    Without --write, it makes at most 20 calls, all of them reads. Exit status 1 means that the
    target relies on something that the tenant does otherwise, that no call is accepted, or that
    records which the probe has created could not be deleted.
    """
    if written is not None:
        check_request(written, yes=yes)
    settings = read_settings(sources)
    events: list[CallEvent] = []
    try:
        by_writing: tuple[Observation, ...] = ()
        is_clean = True
        if written is not None:
            by_writing, is_clean = ask_by_writing(settings, written, events, yes=yes)
        observations = merge(_ask(settings, events), by_writing)
    except GainsightError as error:
        raise click.ClickException(str(error)) from error
    except KeyboardInterrupt:
        click.echo("Stopped." if written else "Stopped; nothing was written.", err=True)
        sys.exit(INTERRUPTED)
    _print(form, observations, events)
    is_right = is_clean and all(each.verdict != "not handled" for each in observations)
    sys.exit(0 if is_right else 1)


def _ask(settings: Settings, events: list[CallEvent]) -> tuple[Observation, ...]:
    with tenant_connection(settings, events.append, max_calls=MAX_CALLS) as tenant:
        session = ProbeSession(tenant.client)
        base_url = settings.connection.base_url
        return ask(READ_QUESTIONS, TenantFacts(session, base_url=base_url, events=events))


def _print(form: str, observations: Sequence[Observation], events: Iterable[CallEvent]) -> None:
    if form == "json":
        today = datetime.now(tz=timezone.utc).date()
        released = version("target-gainsight")
        print_as("json", make_profile(observations, version=released, day=today))
        return
    right, wrong = marks()
    signs = {"as assumed": right, "handled": right, "not handled": wrong, "not settled": "?"}
    rows = [
        (signs[each.verdict], each.question, each.assumed, each.observed, each.consequence)
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
    calls = [event.kind for event in events if event.group is not None]
    writes = sum(kind in WRITING_KINDS for kind in calls)
    written = f"{writes:,} of them writes" if writes else "all of them reads; nothing was written"
    click.echo(f"{counted(len(calls), 'call')}, {written}.")
    click.echo("'gainsight probe --format json' prints a profile that can be attached to an issue.")
