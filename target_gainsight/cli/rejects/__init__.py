"""`gainsight rejects`: lists, shows, replays and clears rejected records."""

from target_gainsight.cli.rejects.commands import rejects

__all__ = ["rejects"]
