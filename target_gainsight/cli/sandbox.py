"""`gainsight sandbox`: serves a local tenant, or shows the content of one."""

import json
import signal
import threading
from pathlib import Path
from typing import Any

import click

from target_gainsight.api import Json
from target_gainsight.cli.output import examples, format_option, print_as, print_table
from target_gainsight.mapping.escaping import one_line
from target_gainsight.probe.observations import read_positions
from target_gainsight.sandbox import (
    SWITCH_NAMES,
    SandboxConfigError,
    SandboxUnavailableError,
    TenantFile,
    start_sandbox,
)
from target_gainsight.settings.model import SETTINGS

_CELL_CHARACTERS = 40
_SYSTEM_FIELDS = {"Gsid", "CreatedBy", "ModifiedBy", "CreatedDate", "ModifiedDate"}

INSTRUCTIONS = """\
Gainsight tenant in {database} at {running.base_url}
Access key: {running.access_key}

Settings to load into it:
  base_url: {running.base_url}
  access_key: {running.access_key}
or, for M2M OAuth, with these instead of access_key:
  client_id: {running.client_id}
  client_secret: {running.client_secret}

See the data in a browser: {running.base_url}/
or with: gainsight sandbox show --db {database}
Ctrl-C stops it; the data stays in the file."""

_PORT = "The port; 0 chooses a free one."
_database_option = click.option(
    "--db",
    "database",
    type=click.Path(path_type=Path),
    default=SETTINGS["sandbox_path"].default,
    show_default=True,
    help="The tenant's SQLite file.",
)


def _read_limits(_ctx: click.Context, _param: click.Parameter, text: str) -> dict[str, float]:
    pairs = (part.split("=") for part in text.split(",") if part.strip())
    try:
        return {name.strip(): json.loads(number) for name, number in pairs}
    except ValueError:
        message = f"--limits takes name=number, separated by commas, not {text!r}"
        raise click.ClickException(message) from None


def _read_switches(
    _ctx: click.Context, _param: click.Parameter, profile: Path | None
) -> dict[str, Json]:
    """Read the positions of a profile; switches that this version lacks are left out."""
    try:
        positions = read_positions(json.loads(profile.read_bytes())) if profile else {}
    except ValueError as error:
        message = f"{profile} is not a profile of 'gainsight probe --format json': {error}"
        raise click.ClickException(message) from error
    unknown = sorted(positions.keys() - SWITCH_NAMES)
    if unknown:
        names = ", ".join(map(one_line, unknown))
        click.echo(f"{profile}: this version has no switch {names}; skipped.", err=True)
    return {name: each for name, each in positions.items() if name in SWITCH_NAMES}


@click.group(epilog=examples("gainsight sandbox serve", "gainsight sandbox show Company"))
def sandbox() -> None:
    """Serve the embedded sandbox, or show its rows."""


@sandbox.command(
    epilog=examples(
        "gainsight sandbox serve --db sandbox.db --config sandbox.yml",
        "gainsight sandbox serve --limits calls_per_minute=100",
    )
)
@click.option("--port", type=click.IntRange(0, 65535), default=8080, show_default=True, help=_PORT)
@_database_option
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    help="YAML with the tenant's objects, users, limits and switches.",
)
@click.option(
    "--limits",
    default="",
    callback=_read_limits,
    help="Override limits, such as calls_per_minute=100,calls_per_day=50000.",
)
@click.option("--access-key", help="The key that calls must carry; from the config by default.")
@click.option(
    "--profile",
    "switches",
    callback=_read_switches,
    type=click.Path(path_type=Path),
    help="A profile of 'gainsight probe': behave as that tenant does.",
)
def serve(database: Path, port: int, **options: Any) -> None:  # noqa: ANN401 - as the options are
    """Serve the tenant on a loopback port until Ctrl-C."""
    try:
        running = start_sandbox(database, port=port, **options)
    except (SandboxConfigError, SandboxUnavailableError) as error:
        raise click.ClickException(str(error)) from error
    except OSError as error:
        message = f"cannot serve {database} on port {port}: {error}"
        raise click.ClickException(message) from error
    with running:
        click.echo(INSTRUCTIONS.format(database=database, running=running))
        stopped = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stopped.set())
        stopped.wait()
    click.echo("Stopped.")


@sandbox.command(
    epilog=examples("gainsight sandbox show", "gainsight sandbox show Company --limit 5")
)
@click.argument("object_name", metavar="[OBJECT]", required=False)
@_database_option
@click.option(
    "--limit", type=click.IntRange(min=1), default=20, show_default=True, help="Maximum rows."
)
@format_option("table", "json")
@click.option("--all", "every", is_flag=True, help="Include empty objects and columns.")
def show(object_name: str | None, database: Path, limit: int, form: str, *, every: bool) -> None:
    """Show what is in the tenant: its objects, or the rows of one."""
    if not database.is_file():
        message = f"there is no tenant in {database.resolve()}; give its file with --db"
        raise click.ClickException(message)
    with TenantFile(database) as tenant:
        if object_name is None:
            _show_objects(tenant, form, every=every)
        else:
            _show_rows(tenant, object_name, limit, form, every=every)


def _show_objects(tenant: TenantFile, form: str, *, every: bool) -> None:
    counts = sorted(tenant.counts().items(), key=lambda item: (item[1] == 0, item[0].lower()))
    shown = {name: count for name, count in counts if count or every}
    if form == "json":
        print_as("json", shown)
    else:
        click.echo(one_line(f"Tenant in {tenant.path}"))
        rows = [{"object": name, "rows": f"{count:,}"} for name, count in shown.items()]
        print_table({"object": "Object", "rows": "Rows"}, rows)


def _show_rows(tenant: TenantFile, object_name: str, limit: int, form: str, *, every: bool) -> None:
    name = tenant.find(object_name)
    if name is None:
        known = ", ".join(sorted(tenant.counts()))
        message = f"the tenant has no object {object_name!r}; it has {known}"
        raise click.ClickException(message)
    rows = tenant.rows(name, limit, named_lookups=form == "table")
    if form == "json":
        print_as("json", rows)
        return
    click.echo(f"{one_line(name)}: {len(rows):,} of {tenant.counts()[name]:,} rows")
    filled = {name for row in rows for name in row if row[name] is not None} - _SYSTEM_FIELDS
    shown = {name: name for name in (rows[0] if rows else ()) if every or name in filled}
    print_table(shown, ({name: _cell(row[name]) for name in shown} for row in rows))


def _cell(value: object) -> str | None:
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    cut = text if len(text) <= _CELL_CHARACTERS else f"{text[: _CELL_CHARACTERS - 1]}…"
    return None if value is None else cut
