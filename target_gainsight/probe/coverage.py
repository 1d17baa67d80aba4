"""Which questions settle which switch of the sandbox, and what no probe can find out.

The tests hold this table and the table of switches together.
"""

from __future__ import annotations

from collections.abc import Mapping

READ_SWITCHES = frozenset(
    {
        "activity_types_described",
        "cta_names",
        "date_read",
        "datetime_read",
        "describe_children_first",
        "describe_several",
        "empty_text_read",
        "flags_as_text",
        "ignores_wrong_filter",
        "metadata_status",
        "no_rows",
        "picklist_options",
        "query_answer",
        "query_error_object",
        "query_ignores_case",
        "query_max_bytes",
        "query_max_values",
        "query_picklist_by_label",
        "row_keys",
        "standard_transactional",
        "timeline_query",
        "token_calls",
        "token_in_envelope",
        "token_request",
        "token_seconds",
        "unreadable_field",
    }
)
"""Settled by reads."""

WRITE_SWITCHES = frozenset(
    {
        "date_formats",
        "datetime_milliseconds_required",
        "delete_missing",
        "empty_text_written",
        "error_listing",
        "error_tail",
        "keys_gsid_refused",
        "lookup_error_code",
        "lookup_must_exist",
        "numeric_strings",
        "people_answer",
        "picklist_ignores_case",
        "put_missing_key",
        "put_missing_key_code",
        "put_multi_match",
        "put_without_match",
        "put_without_match_code",
        "too_many_keys_code",
        "too_many_records_code",
    }
)
"""Settled by `--write`."""

_TIMELINE = "it would take a Timeline activity, and an ExternalId is never free again"
_CTA = "it would take a CTA, which notifies its owner and cannot be removed through the API"
_BULK = "an admin makes bulk jobs in Gainsight, and each upload costs one of ten an hour"
_THROTTLE = "the probe stays below the limit, which other integrations share"

NOT_DETERMINED: Mapping[str, str] = {
    "bulk_counts": _BULK,
    "bulk_questions": _BULK,
    "bulk_seconds": _BULK,
    "bulk_status_family": _BULK,
    "bulk_status_id": _BULK,
    "bulk_too_large": _BULK,
    "client_refusal": "a wrong client secret is not sent on purpose",
    "cta_answers": _CTA,
    "delete_referenced": "the records of the probe do not refer to each other",
    "failed_records_answer": _TIMELINE,
    "throttle_answer": _THROTTLE,
    "throttle_retry_after": _THROTTLE,
    "timeline_answers": _TIMELINE,
    "timeline_author": _TIMELINE,
    "timeline_duplicate_code": _TIMELINE,
    "timeline_records": _TIMELINE,
    "timeline_texts_required": _TIMELINE,
}
"""Switches that the probe leaves open, with the reason that docs/probe.md gives."""
