"""The questions of a probe that only reads."""

from target_gainsight.probe.reading import access, filters, objects, rows

MAX_CALLS = 20
"""The calls of a probe that only reads, retries included and token requests not."""

READ_QUESTIONS = {
    **access.FIRST_QUESTION,
    **objects.METADATA_QUESTIONS,
    **rows.QUESTIONS,
    **filters.FILTERS,
    **objects.READ_QUESTIONS,
    **filters.SIZES,
    **access.LAST_QUESTIONS,
}
"""The most important ones first, should the calls not suffice."""
