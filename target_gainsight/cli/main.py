"""The command group `gainsight`. Imports a subcommand only when it runs."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import click
from typing_extensions import override

from target_gainsight.cli.output import no_color
from target_gainsight.singer.standard_output import output_errors_reported

_SUBCOMMANDS = {
    "check": ("target_gainsight.cli.check", "Check the settings against the tenant."),
    "describe": ("target_gainsight.cli.describe", "Show the tenant's objects, or one's fields."),
    "plan": ("target_gainsight.cli.plan", "Show what a run would write and cost, without writing."),
    "probe": (
        "target_gainsight.cli.probe",
        "Find out how the tenant behaves; only reads by default.",
    ),
    "rejects": ("target_gainsight.cli.rejects", "List, show, replay and clear rejected records."),
    "report": ("target_gainsight.cli.report", "Make the HTML report of a run."),
    "sandbox": (
        "target_gainsight.cli.sandbox",
        "Serve the embedded sandbox, or show its rows.",
    ),
}
"""Name → module that defines a click command of that name, and the line shown in the help."""


class LazyGroup(click.Group):
    """A group that imports a subcommand when it runs, so that `--help` stays quick."""

    @override
    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run the command line; output that cannot be written ends it with one line."""
        if no_color():
            kwargs["color"] = False
        with output_errors_reported():
            return super().main(*args, **kwargs)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the names of the subcommands, sorted."""
        return sorted(_SUBCOMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Return the subcommand of this name, or None."""
        if cmd_name not in _SUBCOMMANDS:
            return None
        module, _ = _SUBCOMMANDS[cmd_name]
        command = getattr(import_module(module), cmd_name)
        return command if isinstance(command, click.Command) else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the subcommands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, _SUBCOMMANDS[name][1]) for name in self.list_commands(ctx)])


_HELP = """\
Settings: --config FILE names a file with the target's settings as JSON. It can be repeated; later
files win. ENV stands for the environment (TARGET_GAINSIGHT_…), which is the default and which
Meltano sets.

\b
Examples:
  gainsight check --config config.json
  gainsight check --config config.json --config ENV
  meltano invoke target-gainsight:check
"""


@click.command(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=_HELP,
)
@click.version_option(package_name="target-gainsight", prog_name="gainsight")
def main() -> None:
    """Work with Gainsight CS from the command line."""
