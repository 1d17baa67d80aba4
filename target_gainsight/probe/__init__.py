"""Find out how a tenant behaves where the API's documentation is silent.

Start at `observations.py`, which asks questions: those of `reads.py`, then those of `writes.py`.
"""
