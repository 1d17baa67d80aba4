"""The command group `gainsight`. Imports a subcommand only when it runs."""

from importlib import import_module
from typing import Any

import click
from typing_extensions import override

from target_gainsight.cli.output import no_color
from target_gainsight.singer.output import output_errors_reported

_SUBCOMMANDS = {
    "check": "Check the settings against the tenant.",
    "describe": "Show the tenant's objects, or one's fields.",
    "plan": "Show what a run would write and cost, without writing.",
    "probe": "Find out how the tenant behaves; only reads by default.",
    "rejects": "List, show, replay and clear rejected records.",
    "report": "Make the HTML report of a run.",
    "sandbox": "Serve the embedded sandbox, or show its rows.",
}
"""The line that the help shows for each click command, which the module of its name defines."""


class LazyGroup(click.Group):
    """A group that imports a subcommand when it runs, so that `--help` stays quick."""

    @override
    def main(self, *args: Any, **kwargs: Any) -> Any:
        if no_color():
            kwargs["color"] = False
        with output_errors_reported():
            return super().main(*args, **kwargs)

    @override
    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(_SUBCOMMANDS)

    @override
    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _SUBCOMMANDS:
            return None
        module = import_module(f"target_gainsight.cli.{cmd_name}")
        command: click.Command = getattr(module, cmd_name)
        return command

    @override
    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(sorted(_SUBCOMMANDS.items()))


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
    cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]}, epilog=_HELP
)
@click.version_option(package_name="target-gainsight", prog_name="gainsight")
def main() -> None:
    """Work with Gainsight CS from the command line."""
