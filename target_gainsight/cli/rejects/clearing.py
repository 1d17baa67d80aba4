"""`gainsight rejects clear`: deletes the files of runs."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path

import click

from target_gainsight.cli.configuration import configured
from target_gainsight.cli.output import examples
from target_gainsight.cli.rejects.folder import (
    folder_option,
    named_run,
    open_folder,
    open_rejects,
)
from target_gainsight.loading.rejects.folder import REJECTS, REPORT, RETIRED, SUFFIXES, RejectFolder
from target_gainsight.loading.storage.private_file import lock
from target_gainsight.mapping.errors import counted


@click.command(
    epilog=examples(
        "gainsight rejects clear 20260201T020000Z-3f9a17c4",
        "gainsight rejects clear --retired --yes",
        "gainsight rejects clear --older-than 90 --yes",
    )
)
@click.argument("run", metavar="[RUN]", required=False)
@configured
@folder_option
@click.option("--retired", is_flag=True, help="All runs whose rejects are all retired.")
@click.option("--all", "every", is_flag=True, help="All runs.")
@click.option(
    "--older-than",
    "days",
    metavar="DAYS",
    type=click.IntRange(min=1),
    help="All runs that began more than so many days ago and have no open rejects.",
)
@click.option("--yes", is_flag=True, help="Do not ask.")
def clear(
    run: str | None,
    sources: tuple[str, ...],
    folder: Path | None,
    *,
    retired: bool,
    every: bool,
    days: int | None,
    yes: bool,
) -> None:
    """Delete the files of a run, or of several; their rejects can then no longer be replayed."""
    if (run is not None) + retired + every + (days is not None) != 1:
        message = "name a run, or --retired, or --all, or --older-than"
        raise click.UsageError(message)
    rejects_folder = open_folder(sources, folder)
    if run is not None:
        names = [named_run(rejects_folder, run, suffix=None)]
    else:
        names = [
            name
            for name in rejects_folder.runs()
            if every or _may_be_cleared(rejects_folder, name, days)
        ]
    suffixes = (REJECTS, RETIRED, REPORT) if retired else SUFFIXES
    paths = [rejects_folder.file(name, suffix) for name in names for suffix in suffixes]
    paths = [path for path in paths if path.exists()]
    if not paths:
        click.echo(f"There is nothing to clear in {rejects_folder.path}.")
        return
    for path in paths:
        click.echo(str(path))
    lost = sum(1 for name in names for _ in open_rejects(rejects_folder, name))
    files = counted(len(paths), "file")
    if not yes:
        rejects_lost = f" with {counted(lost, 'open reject')}" if lost else ""
        click.confirm(f"Delete {files}{rejects_lost}?", abort=True)
    for path in paths:
        _delete(path)
    click.echo(f"Deleted {files}.")


def _may_be_cleared(rejects_folder: RejectFolder, run: str, days: int | None) -> bool:
    """Return whether a run has no open rejects, and began before some days or had any."""
    if days is None:
        is_meant = rejects_folder.file(run).exists()
    else:
        first_kept = datetime.now(timezone.utc) - timedelta(days=days)
        is_meant = run < f"{first_kept:%Y%m%dT%H%M%SZ}"  # a run's name begins with its time
    return is_meant and next(open_rejects(rejects_folder, run), None) is None


def _delete(path: Path) -> None:
    """Delete a file, unless a run is writing it."""
    try:
        with path.open("rb") as file:
            free = lock(file.fileno())
        if free:
            path.unlink()
    except OSError as error:
        message = f"{path} cannot be deleted: {error.strerror}"
        raise click.ClickException(message) from error
    if not free:
        message = f"{path} is still being written; clear it when its run has ended"
        raise click.ClickException(message)
