"""Measured comparisons: ``python -m benchmarks`` runs them and writes docs/benchmarks.md.

The process that measures imports nothing beyond the standard library: a child is never reported
with less memory than its parent had.
"""
