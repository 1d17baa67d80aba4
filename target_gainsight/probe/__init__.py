"""Find out how a tenant behaves where the public record of the API is silent.

Start at `observations.py`, which asks questions; the folders have the questions that reads and
writes answer. `profile.py` turns observations into a file without values of the tenant.
"""
