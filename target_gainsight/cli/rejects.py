"""`gainsight rejects`: lists, shows, replays and clears rejected records.

Only ``replay`` needs a tenant.
"""

import sys
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta, timezone
from functools import partial
from itertools import islice
from pathlib import Path
from typing import IO, Any, cast

import click

from target_gainsight.cli.output import examples, format_option, print_as, print_table
from target_gainsight.cli.tenant import config_option, raw_settings
from target_gainsight.loading.rejects.folder import (
    REJECTS,
    REPORT,
    RETIRED,
    SUFFIXES,
    FiledReject,
    list_runs,
    read_open_rejects,
)
from target_gainsight.loading.storage.private_file import lock
from target_gainsight.mapping.errors import counted, display
from target_gainsight.settings.model import SETTINGS
from target_gainsight.target import TargetGainsight

COLUMNS = {"key": "Key", "field": "Field", "value": "Value", "message": "Message", "hint": "To do"}
LATEST = "latest"


def _configured_folder(_ctx: click.Context, _param: click.Parameter, given: Path | None) -> Path:
    default = SETTINGS["rejects_path"].default
    return given or Path(str(raw_settings(may_be_none=True).get("rejects_path") or default))


folder_option = click.option(
    "--rejects-path",
    "folder",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    callback=_configured_folder,
    help="The folder of reject files; by default the setting rejects_path.",
)
_run_argument = click.argument("run", metavar="[RUN]", required=False)
_all_option = click.option("--all", "every", is_flag=True, help="The open rejects of all runs.")
_stream_option = click.option("--stream", help="Only rejects of this stream, as the list names it.")


def _read_rejects(
    folder: Path, runs: Iterable[str], stream: str | None = None
) -> Iterator[FiledReject]:
    for run in runs:
        for reject in read_open_rejects(folder, run):
            if stream in {None, reject.source.alias}:
                yield reject


def _choose_runs(folder: Path, run: str | None, *, every: bool) -> list[str]:
    if (run is not None) == every:
        message = "name a run (or latest), or give --all"
        raise click.UsageError(message)
    runs = list_runs(folder, REJECTS)
    return runs if run is None else [find_run(run, runs, folder)]


def find_run(run: str, runs: list[str], place: Path) -> str:
    """Return the name of one of the runs of a place, given by name or as ``latest``."""
    if run == LATEST and runs:
        return runs[-1]
    if run not in runs:
        known = f"; the latest one is {runs[-1]}" if runs else ""
        message = f"there is no run {display(run)} in {place}{known}"
        raise click.ClickException(message)
    return run


@click.group(epilog=examples("gainsight rejects list", "gainsight rejects replay latest"))
def rejects() -> None:
    """List, show, replay and clear the records that were rejected.

    RUN is the name of a run as the list shows it, or 'latest'.
    """


@rejects.command("list", epilog=examples("gainsight rejects list --rejects-path rejects"))
@config_option
@folder_option
@click.option("--fail", "fails", is_flag=True, help="Exit with 1 if there are open rejects.")
@format_option("table", "json")
def list_(folder: Path, form: str, *, fails: bool) -> None:
    """List the open rejects by run, stream and reason, with an example and what to do."""
    groups: dict[tuple[str, ...], dict[str, Any]] = {}
    for reject in map(_reject_to_dict, _read_rejects(folder, list_runs(folder, REJECTS))):
        labels = {name: str(reject[name] or "") for name in ("run", "stream", "outcome", "code")}
        new = {**labels, "count": 0, "example": reject}
        groups.setdefault(tuple(labels.values()), new)["count"] += 1
    if form == "json":
        print_as("json", list(groups.values()))
    elif groups:
        columns = {"run": "Run", "stream": "Stream", "reason": "Reason", "open": "Open", **COLUMNS}
        rows = [{**each["example"], "open": each["count"]} for each in groups.values()]
        _print_rejects(rows, columns)
    else:
        click.echo(f"There are no open rejects in {folder}.")
    if fails and groups:
        sys.exit(1)


def _print_rejects(rejects: list[dict[str, Any]], columns: Mapping[str, str]) -> None:
    for each in rejects:
        outcome = "" if each["outcome"] == "rejected" else f" ({each['outcome']})"
        each["reason"] = f"{each['code']}{outcome}"
        key = (f"{name} = {display(value)}" for name, value in each["key"].items())
        each["key"] = ", ".join(key) or "no key"
        each["value"] = None if each["value"] is None else display(each["value"])
    print_table(columns, rejects)


@rejects.command(epilog=examples("gainsight rejects show latest --code unknown_option"))
@_run_argument
@config_option
@folder_option
@_all_option
@_stream_option
@click.option("--code", help="Only rejects with this code, such as GSOBJ_1012.")
@click.option(
    "--limit", type=click.IntRange(min=1), default=100, show_default=True, help="Maximum shown."
)
@format_option("table", "json")
def show(
    run: str | None,
    folder: Path,
    stream: str | None,
    code: str | None,
    limit: int,
    form: str,
    *,
    every: bool,
) -> None:
    """Show the open rejects of a run, or of all runs, one per line."""
    selected = _read_rejects(folder, _choose_runs(folder, run, every=every), stream)
    found = (each for each in selected if code in {None, each.reason.get("code")})
    listed = [_reject_to_dict(reject) for reject in islice(found, limit)]
    if form == "json":
        print_as("json", listed)
    elif not listed:
        click.echo(f"There are no such open rejects in {folder}.")
    else:
        columns = {"run": "Run"} if every else {}
        columns |= {"stream": "Stream", "reason": "Reason", **COLUMNS, "request_id": "Request id"}
        _print_rejects(listed, columns)
        more = sum(1 for _ in found)
        if more:
            click.echo(f"{more:,} more; --limit shows them.")


@rejects.command(epilog=examples("gainsight rejects replay latest --stream accounts"))
@_run_argument
@config_option
@folder_option
@_all_option
@_stream_option
def replay(run: str | None, folder: Path, stream: str | None, *, every: bool) -> None:
    """Send the open rejects of a run, or of all runs, again, with the settings of the target.

    Records that are written are retired; those rejected again are listed under the new run. The
    exit code is that of the new run.
    """
    runs = _choose_runs(folder, run, every=every)
    read = partial(_read_rejects, folder, runs, stream)
    replayable = {reject.reason.get("replayable") is not False for reject in read()}
    if not replayable:
        click.echo(f"There are no such open rejects in {folder}.")
        return
    if False in replayable:
        message = (
            "these rejects were kept with reject_values: keys, so that their file has no complete "
            "records; send them from the source again"
        )
        raise click.ClickException(message)
    target = TargetGainsight(config={**raw_settings(), "rejects_path": str(folder)})
    exit_code = target.run_to_end(cast("IO[str]", _messages(read())))
    if not target.settings.dry_run:
        click.echo(str(target.summary))
    left = sum(1 for _ in read())
    if left:
        where = "earlier runs" if every else f"run {runs[0]}"
        click.echo(f"Still open in {where}: {counted(left, 'reject')}.")
    sys.exit(exit_code)


def _messages(rejects: Iterable[FiledReject]) -> Iterator[bytes]:
    schemas: dict[object, bytes] = {}
    for reject in rejects:
        stream = reject.source.stream
        if schemas.get(stream) != reject.schema_line:
            schemas[stream] = reject.schema_line
            yield reject.schema_line
        yield reject.line


def _reject_to_dict(reject: FiledReject) -> dict[str, Any]:
    names = ("outcome", "code", "field", "value", "message", "hint", "request_id", "time")
    return {
        "id": reject.id,
        "run": reject.run,
        "stream": reject.source.alias,
        "key": reject.source.key,
        **{name: reject.reason.get(name) for name in names},
    }


@rejects.command(
    epilog=examples(
        "gainsight rejects clear 20260201T020000Z-3f9a17c4",
        "gainsight rejects clear --retired --yes",
        "gainsight rejects clear --older-than 90 --yes",
    )
)
@_run_argument
@config_option
@folder_option
@click.option("--retired", is_flag=True, help="All runs whose rejects are all retired.")
@click.option("--all", "every", is_flag=True, help="All runs.")
@click.option(
    "--older-than",
    "days",
    metavar="DAYS",
    type=click.IntRange(min=1),
    help="All runs that started more than DAYS days ago and have no open rejects.",
)
@click.option("--yes", is_flag=True, help="Do not ask.")
def clear(
    run: str | None, folder: Path, days: int | None, *, retired: bool, every: bool, yes: bool
) -> None:
    """Delete the files of a run, or of several; their rejects can then no longer be replayed."""
    if (run is not None) + retired + every + (days is not None) != 1:
        message = "name a run, or --retired, or --all, or --older-than"
        raise click.UsageError(message)
    has_rejects = retired or run == LATEST
    runs = list_runs(folder, REJECTS) if has_rejects else list_runs(folder)
    if run is not None:
        runs = [find_run(run, runs, folder)]
    if days is not None:
        first_kept = f"{datetime.now(timezone.utc) - timedelta(days=days):%Y%m%dT%H%M%SZ}"
        runs = [each for each in runs if each < first_kept]  # a run's name begins with its time
    if retired or days is not None:
        runs = [each for each in runs if not any(True for _ in _read_rejects(folder, [each]))]
    suffixes = (REJECTS, RETIRED, REPORT) if retired else SUFFIXES
    paths = [folder / f"{each}{suffix}" for each in runs for suffix in suffixes]
    paths = [path for path in paths if path.exists()]
    if not paths:
        click.echo(f"There is nothing to clear in {folder}.")
        return
    click.echo("\n".join(map(str, paths)))
    files = counted(len(paths), "file")
    if not yes:
        lost = counted(sum(1 for _ in _read_rejects(folder, runs)), "open reject")
        click.confirm(f"Delete {files} with {lost}?", abort=True)
    for path in paths:
        _delete(path)
    click.echo(f"Deleted {files}.")


def _delete(path: Path) -> None:
    with path.open("rb") as file:
        if not lock(file):
            message = f"{path} is still being written; clear it when its run has ended"
            raise click.ClickException(message)
    path.unlink()
