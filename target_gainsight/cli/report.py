"""`gainsight report`: makes the HTML report of a run that has ended. Needs no tenant."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from target_gainsight.cli.configuration import configured
from target_gainsight.cli.output import examples, file_errors
from target_gainsight.cli.rejects import LATEST, folder_option, open_folder
from target_gainsight.loading.rejects.folder import REPORT, RUN_NAME, RejectFolder
from target_gainsight.mapping.errors import display
from target_gainsight.singer.reporting.publishing import HISTORY, read_history, write_report
from target_gainsight.singer.reporting.report_page import render_report


@click.command(epilog=examples("gainsight report", "gainsight report latest --output report.html"))
@click.argument("run", default=LATEST)
@configured
@folder_option
@click.option(
    "--output",
    type=click.Path(path_type=Path, allow_dash=True),
    help="The file to write, or - for standard output; by default RUN.html beside the rejects.",
)
def report(run: str, sources: tuple[str, ...], folder: Path | None, output: Path | None) -> None:
    """Make the HTML report of a run that has ended, the latest one by default.

    RUN is the name of a run, or 'latest'. It is looked up in the history beside the rejects, which
    has every run but dry runs.
    """
    rejects_folder = open_folder(sources, folder)
    document = _find(rejects_folder, run)
    if output == Path("-"):
        click.echo(render_report(document), nl=False)
        return
    path = output or rejects_folder.file(document["run"], REPORT)
    with file_errors(path, "written"):
        write_report(path, document)
    click.echo(str(path))


def _find(rejects_folder: RejectFolder, run: str) -> dict[str, Any]:
    """Return the document of a run given by name or as ``latest``."""
    latest, history = None, rejects_folder.path / HISTORY
    with file_errors(history, "read"):
        for document in read_history(rejects_folder.path):
            if RUN_NAME.fullmatch(str(document["run"])):
                latest = document
                if document["run"] == run:
                    return document
    if run == LATEST and latest is not None:
        return latest
    known = f"; the latest one is {latest['run']}" if latest else ""
    what = "no run" if run == LATEST else f"no run {display(run)}"
    message = f"there is {what} in {history}{known}"
    raise click.ClickException(message)
