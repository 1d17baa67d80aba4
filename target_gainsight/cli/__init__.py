"""The `gainsight` command."""

from __future__ import annotations

from target_gainsight.cli.main import main

__all__ = ["main"]
