"""The `gainsight` command."""

from target_gainsight.cli.main import main as main
