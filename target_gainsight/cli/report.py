"""`gainsight report`: makes the HTML report of a run that has ended. Needs no tenant."""

from pathlib import Path

import click

from target_gainsight.cli.output import examples
from target_gainsight.cli.rejects import LATEST, find_run, folder_option
from target_gainsight.cli.tenant import config_option
from target_gainsight.loading.rejects.folder import REPORT, RUN_NAME
from target_gainsight.singer.reporting.publishing import HISTORY, read_history, write_document
from target_gainsight.singer.reporting.report_page import render_report


@click.command(epilog=examples("gainsight report", "gainsight report latest --output report.html"))
@click.argument("run", default=LATEST)
@config_option
@folder_option
@click.option(
    "--output",
    type=click.Path(path_type=Path, allow_dash=True),
    help="The file to write, or - for standard output; by default RUN.html beside the rejects.",
)
def report(run: str, folder: Path, output: Path | None) -> None:
    """Make the HTML report of a run that has ended.

    RUN is the name of a run, or 'latest', which is the default. It is looked up in the
    history beside the rejects, which has every run but dry runs.
    """
    documents = {str(each["run"]): each for each in read_history(folder)}
    name = find_run(run, list(filter(RUN_NAME.fullmatch, documents)), folder / HISTORY)
    if output == Path("-"):
        click.echo(render_report(documents[name]), nl=False)
        return
    path = output or folder / f"{name}{REPORT}"
    write_document(render_report, path, documents[name])
    click.echo(str(path))
