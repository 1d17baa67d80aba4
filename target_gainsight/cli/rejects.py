"""`gainsight rejects`: lists, shows, replays and clears rejected records.

Only ``replay`` needs a tenant.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta, timezone
from itertools import islice
from pathlib import Path
from typing import IO, Any, cast

import click

from target_gainsight.cli.configuration import configured, make_target, read_raw_settings
from target_gainsight.cli.output import (
    examples,
    file_errors,
    format_option,
    print_as,
    print_table,
)
from target_gainsight.loading.rejects.folder import (
    REJECTS,
    REPORT,
    RETIRED,
    RUN_NAME,
    SUFFIXES,
    FiledReject,
    RejectFolder,
)
from target_gainsight.loading.storage.private_file import lock
from target_gainsight.mapping.errors import counted, display
from target_gainsight.settings.model import SETTINGS

COLUMNS = {
    "run": "Run",
    "stream": "Stream",
    "key": "Key",
    "code": "Reason",
    "field": "Field",
    "value": "Value",
    "message": "Message",
    "hint": "What to do",
    "request_id": "Request id",
}

LATEST = "latest"

folder_option = click.option(
    "--rejects-path",
    "folder",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="The folder of reject files; by default the setting rejects_path.",
)
_run_argument = click.argument("run", metavar="[RUN]", required=False)
_all_option = click.option("--all", "every", is_flag=True, help="The open rejects of all runs.")
_stream_option = click.option("--stream", help="Only this stream's, as it is named in the list.")


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


@click.group(epilog=examples("gainsight rejects list", "gainsight rejects replay latest"))
def rejects() -> None:
    """List, show, replay and clear the records that were rejected.

    RUN is the name of a run as the list shows it, or 'latest'.
    """


@rejects.command("list", epilog=examples("gainsight rejects list --rejects-path rejects"))
@configured
@folder_option
@click.option("--fail", "fails", is_flag=True, help="Exit with 1 if there are open rejects.")
@format_option("table", "json")
def list_(sources: tuple[str, ...], folder: Path | None, form: str, *, fails: bool) -> None:
    """List the open rejects by run, stream and reason, with an example and what to do."""
    rejects_folder = open_folder(sources, folder)
    groups = _groups(rejects_folder)
    if form == "json":
        print_as("json", groups)
    elif groups:
        headings = ("Run", "Stream", "Reason", "Open", "Such as", "What to do")
        print_table(headings, map(_group_row, groups), numbers="Open")
    else:
        click.echo(f"There are no open rejects in {rejects_folder.path}.")
    if fails and groups:
        sys.exit(1)


def _groups(rejects_folder: RejectFolder) -> list[dict[str, Any]]:
    groups: dict[tuple[str, ...], dict[str, Any]] = {}
    for run in rejects_folder.runs():
        for reject in open_rejects(rejects_folder, run):
            outcome, code = (str(reject.reason.get(name) or "") for name in ("outcome", "code"))
            labels = {"run": run, "stream": reject.stream, "outcome": outcome, "code": code}
            names = tuple(labels.values())
            if names not in groups:
                groups[names] = {**labels, "count": 0, "example": _described(reject)}
            groups[names]["count"] += 1
    return list(groups.values())


def _group_row(group: dict[str, Any]) -> tuple[str, ...]:
    example = group["example"]
    outcome = "" if group["outcome"] == "rejected" else f" ({group['outcome']})"
    problem = str(example["message"]).removesuffix(example["hint"] or "").rstrip()
    if example["field"] and example["field"] not in problem:
        problem = f"{example['field']} = {display(example['value'])}: {problem}"
    return (
        group["run"],
        group["stream"],
        group["code"] + outcome,
        f"{group['count']:,}",
        f"{_key_text(example['key'])}: {problem}",
        example["hint"],
    )


@rejects.command(epilog=examples("gainsight rejects show latest --code unknown_option"))
@_run_argument
@configured
@folder_option
@_all_option
@_stream_option
@click.option("--code", help="Only those with this reason, such as GSOBJ_1012.")
@click.option(
    "--limit", type=click.IntRange(min=1), default=100, show_default=True, help="At most so many."
)
@format_option("table", "json")
def show(  # noqa: PLR0913 - a parameter per option
    run: str | None,
    sources: tuple[str, ...],
    folder: Path | None,
    stream: str | None,
    code: str | None,
    limit: int,
    form: str,
    *,
    every: bool,
) -> None:
    """Show the open rejects of a run, or of all runs, one per line."""
    rejects_folder = open_folder(sources, folder)
    runs = _chosen_runs(rejects_folder, run, every=every)
    found = (
        reject
        for reject in _chosen(rejects_folder, runs, stream)
        if code in {None, reject.reason.get("code")}
    )
    listed = [_described(reject) for reject in islice(found, limit)]
    if form == "json":
        print_as("json", listed)
        return
    if not listed:
        click.echo(_no_rejects(rejects_folder, runs, every=every))
        return
    for each in listed:
        each["key"] = _key_text(each["key"])
        each["value"] = None if each["value"] is None else display(each["value"])
    columns = COLUMNS if every else {name: COLUMNS[name] for name in COLUMNS if name != "run"}
    print_table(columns.values(), ([row[name] for name in columns] for row in listed))
    more = sum(1 for _ in found)
    if more:
        click.echo(f"{more:,} more; --limit shows them.")


@rejects.command(epilog=examples("gainsight rejects replay latest --stream accounts"))
@_run_argument
@configured
@folder_option
@_all_option
@_stream_option
def replay(
    run: str | None,
    sources: tuple[str, ...],
    folder: Path | None,
    stream: str | None,
    *,
    every: bool,
) -> None:
    """Send the open rejects of a run, or of all runs, again, with the settings of the target.

    Records that are written are retired; those rejected again are listed under the new run. The
    exit code is that of the new run.
    """
    rejects_folder = open_folder(sources, folder)
    runs = _chosen_runs(rejects_folder, run, every=every)
    is_empty = True
    for reject in _chosen(rejects_folder, runs, stream):
        is_empty = False
        if reject.reason.get("replayable") is False:
            message = (
                f"run {reject.id.run} was made with reject_values: keys, so its file has no "
                "complete records; send them from the source again"
            )
            raise click.ClickException(message)
    if is_empty:
        click.echo(_no_rejects(rejects_folder, runs, every=every))
        return
    target = make_target(sources, rejects_path=str(rejects_folder.path))
    messages = _messages(_chosen(rejects_folder, runs, stream))
    exit_code = target.run_to_end(cast("IO[str]", messages))
    if not target.settings.dry_run:
        click.echo(str(target.summary))
    left = sum(1 for _ in _chosen(rejects_folder, runs, stream))
    if left:
        where = "earlier runs" if every else f"run {runs[0]}"
        click.echo(f"Still open in {where}: {counted(left, 'reject')}.")
    sys.exit(exit_code)


def _messages(chosen: Iterable[FiledReject]) -> Iterator[bytes]:
    """Yield each record after its SCHEMA message, as lines of a Singer file."""
    schemas: dict[object, bytes] = {}
    for reject in chosen:
        stream = reject.message["stream"]
        if schemas.get(stream) != reject.schema_line:
            schemas[stream] = reject.schema_line
            yield reject.schema_line
        yield reject.line


def _chosen_runs(rejects_folder: RejectFolder, run: str | None, *, every: bool) -> list[str]:
    """Return the runs that a command is for: the one named, or all."""
    if (run is not None) == every:
        message = "name a run (or latest), or give --all"
        raise click.UsageError(message)
    return rejects_folder.runs() if run is None else [named_run(rejects_folder, run)]


def _chosen(
    rejects_folder: RejectFolder, runs: Iterable[str], stream: str | None
) -> Iterator[FiledReject]:
    """Read the open rejects of some runs and one stream, or all streams, oldest first."""
    for run in runs:
        for reject in open_rejects(rejects_folder, run):
            if stream in {None, reject.stream}:
                yield reject


def _no_rejects(rejects_folder: RejectFolder, runs: list[str], *, every: bool) -> str:
    if every:
        return f"There are no such open rejects in {rejects_folder.path}."
    return f"Run {runs[0]} has no such open rejects."


def _described(reject: FiledReject) -> dict[str, Any]:
    names = ("outcome", "code", "field", "value", "message", "hint", "request_id", "time")
    return {
        "id": str(reject.id),
        "run": reject.id.run,
        "stream": reject.stream,
        "key": reject.key,
        **{name: reject.reason.get(name) for name in names},
    }


def _key_text(key: dict[str, Any]) -> str:
    return ", ".join(f"{name} = {display(value)}" for name, value in key.items()) or "no key"


@rejects.command(
    epilog=examples(
        "gainsight rejects clear 20260201T020000Z-3f9a17c4",
        "gainsight rejects clear --retired --yes",
        "gainsight rejects clear --older-than 90 --yes",
    )
)
@_run_argument
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
        runs = [named_run(rejects_folder, run, suffix=None)]
    elif every:
        runs = rejects_folder.runs()
    else:
        runs = [each for each in rejects_folder.runs() if _is_done(rejects_folder, each, days)]
    suffixes = (REJECTS, RETIRED, REPORT) if retired else SUFFIXES
    paths = [rejects_folder.file(each, suffix) for each in runs for suffix in suffixes]
    paths = [path for path in paths if path.exists()]
    if not paths:
        click.echo(f"There is nothing to clear in {rejects_folder.path}.")
        return
    for path in paths:
        click.echo(str(path))
    files = counted(len(paths), "file")
    if not yes:
        lost = sum(1 for _ in _chosen(rejects_folder, runs, None))
        rejects_lost = f" with {counted(lost, 'open reject')}" if lost else ""
        click.confirm(f"Delete {files}{rejects_lost}?", abort=True)
    for path in paths:
        _delete(path)
    click.echo(f"Deleted {files}.")


def _is_done(rejects_folder: RejectFolder, run: str, days: int | None) -> bool:
    """Return whether a run has no open rejects, and began before some days or had any."""
    if days is None:
        is_meant = rejects_folder.file(run).exists()
    else:
        first_kept = datetime.now(timezone.utc) - timedelta(days=days)
        is_meant = run < f"{first_kept:%Y%m%dT%H%M%SZ}"  # a run's name begins with its time
    return is_meant and next(open_rejects(rejects_folder, run), None) is None


def _delete(path: Path) -> None:
    """Delete a file, unless a run is writing it."""
    with file_errors(path, "deleted"):
        with path.open("rb") as file:
            free = lock(file.fileno())
        if free:
            path.unlink()
    if not free:
        message = f"{path} is still being written; clear it when its run has ended"
        raise click.ClickException(message)
