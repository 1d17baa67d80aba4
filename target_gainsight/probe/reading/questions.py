"""The questions of a probe that only reads, in the order in which they are asked."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from target_gainsight.api import CallEvent
from target_gainsight.probe.reading import access, filters, metadata, objects, query_size, rows
from target_gainsight.probe.reading.facts import TenantFacts
from target_gainsight.probe.session import ProbeSession
from target_gainsight.probe.survey import Question

MAX_CALLS = 20
"""The calls of a probe that only reads, retries included and token requests not."""


def read_questions(
    session: ProbeSession, *, base_url: str, uses_oauth: bool, events: Sequence[CallEvent]
) -> tuple[Question, ...]:
    """Return the questions, the most important ones first, should the calls not suffice.

    Args:
        session: Makes the calls.
        base_url: The tenant's address.
        uses_oauth: Whether the credential is an M2M OAuth client.
        events: The attempts of calls, to which the session's client adds.
    """
    facts = TenantFacts(session)
    return (
        Question((access.CREDENTIAL,), partial(access.find_credential, facts)),
        Question(metadata.LISTS, partial(metadata.find_lists, facts)),
        Question(metadata.DESCRIPTIONS, partial(metadata.find_descriptions, facts)),
        Question(rows.ROWS, partial(rows.find_rows, facts)),
        Question(filters.FILTERS, partial(filters.find_filters, facts)),
        Question(objects.OBJECTS, partial(objects.find_objects, facts)),
        Question(query_size.SIZES, partial(query_size.find_sizes, facts)),
        Question((access.HOST,), partial(access.find_host, base_url, events)),
        Question((access.LIMIT_HEADERS,), partial(access.find_limit_headers, facts)),
        Question(access.TOKENS, partial(access.find_tokens, facts, events, uses_oauth=uses_oauth)),
    )
