"""The Singer target: settings in, one sink per stream, state out, exit code, signals."""

from __future__ import annotations

from target_gainsight.target.target import TargetGainsight

__all__ = ["TargetGainsight"]
