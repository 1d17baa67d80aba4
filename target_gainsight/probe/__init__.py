"""Find out how a tenant behaves where the public record of the API is silent.

Start at `observations.py`, which asks questions. `objects.py` and `queries.py` have those that
reads answer, `writes.py` those that take writes.
"""

from target_gainsight.probe import objects, queries

MAX_CALLS = 20
"""The calls of a probe that only reads, retries included and token requests not."""

READ_QUESTIONS = {
    **objects.FIRST_QUESTIONS,
    **queries.QUESTIONS,
    **objects.READ_QUESTIONS,
    **queries.SIZE_QUESTIONS,
    **objects.LAST_QUESTIONS,
}
"""The most important ones first, should the calls not suffice."""
