"""Dry runs: what a run would write and cost."""
