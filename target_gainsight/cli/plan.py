"""`gainsight plan`: shows what a run would write and cost. Writes nothing."""

import sys
from contextlib import nullcontext
from pathlib import Path

import click

from target_gainsight.cli.output import examples, format_option, print_as
from target_gainsight.cli.tenant import config_option, raw_settings
from target_gainsight.target import TargetGainsight


@click.command(
    epilog=examples(
        "tap-accounts | gainsight plan --config config.json",
        "gainsight plan --input accounts.singer --format json",
    )
)
@config_option
@click.option(
    "--input",
    "source",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file of Singer messages; standard input by default: tap-… | gainsight plan.",
)
@format_option("text", "json")
def plan(source: Path | None, form: str) -> None:
    """Show what a run would write and cost, without writing.

    Everything but the writes is done: records are mapped and checked, lookups are resolved, and
    what would be written is compared with what the tenant holds. No state is emitted. The exit
    code is 1 when the run would stop.
    """
    if source is None and sys.stdin.isatty():
        message = "there is nothing to plan: pipe a tap's output in, or name a file with --input"
        raise click.UsageError(message)
    target = TargetGainsight(config={**raw_settings(), "dry_run": True})
    with source.open(encoding="utf-8") if source else nullcontext() as messages:
        exit_code = target.run_to_end(messages, show_plan=False)
    planned, summary = target.session.plan, target.summary
    if planned is not None and form == "json":
        proposal = target.session.proposal
        proposed = {"proposal": proposal.to_json()} if proposal else {}
        print_as("json", {**planned.to_json(summary), **proposed})
    elif planned is not None:
        click.echo(planned.to_text(summary))
    sys.exit(exit_code)
