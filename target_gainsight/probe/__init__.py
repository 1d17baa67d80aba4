"""Find out how a tenant behaves where the public record of the API is silent.

Start at `survey.py`, which asks the questions; each returns observations. `profile.py` turns them
into a file without values of the tenant.
"""
