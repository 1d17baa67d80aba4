"""`gainsight rejects`: lists, shows, replays and clears rejected records.

Only ``replay`` needs a tenant.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import IO, Any, cast

import click

from target_gainsight.cli.configuration import configured
from target_gainsight.cli.output import examples, format_option, print_as, print_table
from target_gainsight.cli.rejects.clearing import clear
from target_gainsight.cli.rejects.folder import (
    folder_option,
    named_run,
    open_folder,
    open_rejects,
)
from target_gainsight.cli.run_target import make_target
from target_gainsight.loading.rejects.folder import FiledReject, RejectFolder
from target_gainsight.mapping.errors import counted, display

_run_argument = click.argument("run", metavar="[RUN]", required=False)
_all_option = click.option("--all", "every", is_flag=True, help="The open rejects of all runs.")
_stream_option = click.option("--stream", help="Only this stream's, as it is named in the list.")


@click.group(epilog=examples("gainsight rejects list", "gainsight rejects replay latest"))
def rejects() -> None:
    """List, show, replay and clear the records that were rejected.

    RUN is the name of a run as the list shows it, or 'latest'.
    """


rejects.add_command(clear)


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
        _print_groups(groups)
    else:
        click.echo(f"There are no open rejects in {rejects_folder.path}.")
    if fails and groups:
        sys.exit(1)


def _print_groups(groups: list[dict[str, Any]]) -> None:
    rows = []
    for group in groups:
        example = group["example"]
        outcome = "" if group["outcome"] == "rejected" else f" ({group['outcome']})"
        rows.append(
            (
                group["run"],
                group["stream"],
                group["code"] + outcome,
                f"{group['count']:,}",
                f"{_key_text(example['key'])}: {_problem(example)}",
                example["hint"],
            )
        )
    headings = ("Run", "Stream", "Reason", "Open", "Such as", "What to do")
    print_table(headings, rows, numbers="Open")


def _groups(rejects_folder: RejectFolder) -> list[dict[str, Any]]:
    groups: dict[tuple[str, ...], dict[str, Any]] = {}
    counts: Counter[tuple[str, ...]] = Counter()
    for run in rejects_folder.runs():
        for reject in open_rejects(rejects_folder, run):
            reason = reject.reason
            outcome, code = (str(reason.get(name) or "") for name in ("outcome", "code"))
            names = (run, reject.stream, outcome, code)
            counts[names] += 1
            if names not in groups:
                labels = dict(zip(("run", "stream", "outcome", "code"), names, strict=True))
                groups[names] = {**labels, "count": 0, "example": _described(reject)}
    return [{**group, "count": counts[names]} for names, group in groups.items()]


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
        for name in runs
        for reject in open_rejects(rejects_folder, name)
        if stream in {None, reject.stream} and code in {None, reject.reason.get("code")}
    )
    listed = [_described(reject) for reject in islice(found, limit)]
    if form == "json":
        print_as("json", listed)
        return
    if not listed:
        click.echo(_no_rejects(rejects_folder, runs, every=every))
        return
    names: tuple[str, ...] = (
        "stream",
        "key",
        "code",
        "field",
        "value",
        "message",
        "hint",
        "request_id",
    )
    headings: tuple[str, ...] = (
        *("Stream", "Key", "Reason", "Field", "Value", "Message", "What to do", "Request id"),
    )
    rows = [
        {**each, "key": _key_text(each["key"]), "value": _value_text(each["value"])}
        for each in listed
    ]
    if every:
        names, headings = ("run", *names), ("Run", *headings)
    print_table(headings, ([row[name] for name in names] for row in rows))
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
    chosen = _Replay(rejects_folder, runs, stream)
    if not chosen.count():
        click.echo(_no_rejects(rejects_folder, runs, every=every))
        return
    target = make_target(sources, rejects_path=str(rejects_folder.path))
    exit_code = target.run_to_end(cast("IO[str]", chosen))
    if not target.settings.dry_run:
        click.echo(target.summary.to_text())
    left = chosen.count()
    if left:
        where = "earlier runs" if every else f"run {runs[0]}"
        click.echo(f"Still open in {where}: {counted(left, 'reject')}.")
    sys.exit(exit_code)


class _Replay:
    """The open rejects of some runs, oldest first, as a Singer file that is read line by line."""

    def __init__(self, rejects_folder: RejectFolder, runs: list[str], stream: str | None) -> None:
        self._folder = rejects_folder
        self._runs = runs
        self._stream = stream

    def __iter__(self) -> Iterator[bytes]:
        """Yield each record after its SCHEMA message."""
        schemas: dict[object, bytes] = {}
        for reject in self._chosen():
            stream = reject.message["stream"]
            if schemas.get(stream) != reject.schema_line:
                schemas[stream] = reject.schema_line
                yield reject.schema_line
            yield reject.line

    def count(self) -> int:
        """Count the records.

        Raises:
            click.ClickException: The file has keys only.
        """
        return sum(1 for _ in self._chosen())

    def _chosen(self) -> Iterator[FiledReject]:
        everything = ((run, each) for run in self._runs for each in open_rejects(self._folder, run))
        for run, reject in everything:
            if self._stream not in {None, reject.stream}:
                continue
            if reject.reason.get("replayable") is False:
                message = (
                    f"run {run} was made with reject_values: keys, so its file has no "
                    "complete records; send them from the source again"
                )
                raise click.ClickException(message)
            yield reject


def _chosen_runs(rejects_folder: RejectFolder, run: str | None, *, every: bool) -> list[str]:
    """Return the runs that a command is for: the one named, or all."""
    if (run is not None) == every:
        message = "name a run (or latest), or give --all"
        raise click.UsageError(message)
    return rejects_folder.runs() if run is None else [named_run(rejects_folder, run)]


def _no_rejects(rejects_folder: RejectFolder, runs: list[str], *, every: bool) -> str:
    if every:
        return f"There are no such open rejects in {rejects_folder.path}."
    return f"Run {runs[0]} has no such open rejects."


def _described(reject: FiledReject) -> dict[str, Any]:
    reason = reject.reason
    names = ("outcome", "code", "field", "value", "message", "hint", "request_id", "time")
    return {
        "id": str(reject.id),
        "run": reject.id.run,
        "stream": reject.stream,
        "key": reject.key,
        **{name: reason.get(name) for name in names},
    }


def _problem(example: dict[str, Any]) -> str:
    """Return field, value and message, each once and without the hint."""
    message = str(example["message"]).removesuffix(example["hint"] or "").rstrip()
    if not example["field"] or example["field"] in message:
        return message
    return f"{example['field']} = {display(example['value'])}: {message}"


def _value_text(value: object) -> str | None:
    return None if value is None else display(value)


def _key_text(key: dict[str, Any]) -> str:
    return ", ".join(f"{name} = {display(value)}" for name, value in key.items()) or "no key"
