"""The command group `gainsight`: its subcommands, and how their errors are reported."""

import os
import sys
from typing import Any

import click
from typing_extensions import override

from target_gainsight.cli.check import check
from target_gainsight.cli.describe import describe
from target_gainsight.cli.plan import plan
from target_gainsight.cli.probe import probe
from target_gainsight.cli.rejects import rejects
from target_gainsight.cli.report import report
from target_gainsight.cli.sandbox import sandbox
from target_gainsight.singer.output import output_errors_reported
from target_gainsight.singer.reporting.run_end import EXPECTED_ERRORS, describe_error

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


class ReportingGroup(click.Group):
    """A group whose commands end with one message for any error that is not a bug."""

    @override
    def main(self, *args: Any, **kwargs: Any) -> Any:
        if os.environ.get("NO_COLOR"):  # https://no-color.org
            kwargs["color"] = False
        with output_errors_reported():
            if sys.stdout is None:  # Python starts so where it is closed
                raise OSError
            return super().main(*args, **kwargs)

    @override
    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except EXPECTED_ERRORS as error:
            message = describe_error(error)["message"]
            if isinstance(error, OSError) and error.errno is not None:
                if error.filename is None:
                    raise  # the output cannot be written
                message = f"{error.filename} cannot be used: {error.strerror}"
            raise click.ClickException(message) from error


@click.group(
    cls=ReportingGroup,
    commands=[check, describe, plan, probe, rejects, report, sandbox],
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=_HELP,
)
@click.version_option(package_name="target-gainsight", prog_name="gainsight")
def main() -> None:
    """Work with Gainsight CS from the command line."""
