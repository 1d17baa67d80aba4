"""Batches: sending, narrowing of refused batches, recovery of creates with an unknown outcome."""
