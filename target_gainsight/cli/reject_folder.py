"""The folder of reject files, for the commands that read it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from target_gainsight.cli.configuration import read_raw_settings
from target_gainsight.cli.output import file_errors
from target_gainsight.loading.rejects.folder import REJECTS, RUN_NAME, FiledReject, RejectFolder
from target_gainsight.mapping.errors import display
from target_gainsight.settings.table import SETTINGS

LATEST = "latest"

folder_option = click.option(
    "--rejects-path",
    "folder",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="The folder of reject files; by default the setting rejects_path.",
)


def open_folder(sources: tuple[str, ...], given: Path | None) -> RejectFolder:
    """Return the folder of reject files: as given, or by the setting rejects_path."""
    if given is None:
        default = SETTINGS["rejects_path"].default
        given = Path(str(read_raw_settings(sources).get("rejects_path") or default))
    return RejectFolder(given)


def named_run(rejects_folder: RejectFolder, run: str, suffix: str | None = REJECTS) -> str:
    """Return the name of a run given by name or as ``latest``, if it has the file (None: any)."""
    runs = [
        each
        for each in rejects_folder.runs()
        if suffix is None or rejects_folder.file(each, suffix).exists()
    ]
    if run == LATEST and runs:
        return runs[-1]
    if run != LATEST and not RUN_NAME.fullmatch(run):
        message = (
            f"{display(run)} is not the name of a run: give one that 'gainsight rejects list' "
            "shows, such as 20260201T020000Z-3f9a17c4, or latest; --rejects-path gives the folder"
        )
        raise click.ClickException(message)
    if run not in runs:
        known = f"; the latest one is {runs[-1]}" if runs else ""
        message = f"there is no reject file of run {run} in {rejects_folder.path}{known}"
        raise click.ClickException(message)
    return run


def open_rejects(rejects_folder: RejectFolder, run: str) -> Iterator[FiledReject]:
    """Read the rejects of a run that are not retired."""
    with file_errors(rejects_folder.file(run), "read"):
        yield from rejects_folder.open(run)
