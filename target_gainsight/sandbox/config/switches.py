"""What may be set about a tenant: its limits, and a switch for each fact the record leaves open.

Every default is the guess that gainsight-api marks as likeliest; clients must bear every value.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Limits:
    """The tenant's limits (Company API, Timeline APIs and Bulk API, Limits) [D]; 0 is unlimited.

    Each family of calls is counted apart. `minute_seconds`, `hour_seconds` and `day_seconds` are
    the lengths of the windows, so that tests need not wait for real ones.
    """

    calls_per_minute: int = 100
    calls_per_day: int = 50_000
    timeline_calls_per_minute: int = 200
    bulk_calls_per_hour: int = 10
    bulk_calls_per_day: int = 100
    minute_seconds: float = 60.0
    hour_seconds: float = 3_600.0
    day_seconds: float = 86_400.0
    records_per_write: int = 50
    rows_per_read: int = 5_000
    default_rows: int = 100
    keys: int = 3
    bulk_file_bytes: int = 80_000_000


@dataclass(frozen=True)
class Switches:
    """One switch for each fact on which the public record is silent or divided.

    Attributes:
        error_listing: how a refused write lists its errors in `data.errors`.
        error_tail: how the description of a refusal names field and value: `(Field = value).` or
            `(Field= value)`.
        put_without_match: an update whose keys match nothing refuses the call, or is left out.
        put_multi_match: an update whose keys match several rows updates them all, or refuses.
        keys_gsid_refused: whether `keys=Gsid` is refused.
        numeric_strings: whether a number may be sent as text.
        date_formats: the date formats that a DATE field accepts.
        datetime_milliseconds_required: whether a DATETIME without milliseconds is refused.
        picklist_ignores_case: whether a picklist label matches whatever its case.
        lookup_must_exist: whether a GSID written into a lookup must name a record.
        lookup_error_code: the code when `lookups` in a write body find nothing or too much.
        date_read, datetime_read: how dates are read; `spaced` is `yyyy-MM-dd HH:mm:ss.S`.
        empty_text_read: how an empty text field is read.
        no_rows: the answer to a query that finds nothing: `data.records` an empty list, `data` an
            empty list, HTTP 400 GSOBJ_1011, or `result: false` with HTTP 200 or 400.
        query_answer: rows in `data` as a bare list, or under `data.records`.
        row_keys: how the keys of rows are spelt: as the select spells them, or in one case.
        unreadable_field: a described field that no query can read (`P_5005`), of whatever object.
        query_error_object: an object every query of which is answered with HTTP 500.
        ignores_wrong_filter: whether a filter value of another type than the field's is ignored,
            so that every row is returned, instead of being refused.
        query_ignores_case: the text fields that queries and keys compare without case.
        query_picklist_by_label: whether a condition on a picklist takes labels beside GSIDs.
        query_max_values: values in one query's conditions above which it is refused; 0 is none.
        query_max_bytes: bytes of a query's body above which it is refused; 0 is none.
        people_answer: the `data` of a successful people call.
        timeline_query: whether a query of `activity_timeline` is answered, or how it is refused.
        timeline_author: whether a new activity needs Author, Author or AuthorId, or neither.
        timeline_texts_required: whether a new activity needs Subject and Notes.
        timeline_records: whether a call saves many activities, or is refused with more than one.
        timeline_answers, cta_answers: what is told of each record, as an object by its reference
            or as a list of such objects.
        activity_types_described: whether the description of `activity_timeline` lists the activity
            types as items of its TypeName.
        cta_names: whether the names of CTA types, reasons, statuses and priorities are listed by
            category or in one list, or how that is refused.
        timeline_duplicate_code: the code of an activity whose ExternalId is taken.
        failed_records_answer: `result` and HTTP status of a call some of whose records failed.
        bulk_questions: how often a job is asked for before it is done.
        bulk_seconds: how long a job takes at least.
        bulk_too_large: the body of the answer (HTTP 413) to a file that is too large.
        bulk_status_id: where the answer to an upload has the status id: under `data.statusId`, as
            the text that `data` is, or in the envelope.
        bulk_counts: what the counts of a job are called, if there are any.
        bulk_status_family: whose limits bound the question how far a job is.
        standard_transactional: whether standard objects are listed as transactional, too.
        flags_as_text: whether describe and list show flags as `"true"` and `"false"`.
        describe_several: an HTTP status that describing several objects answers with instead; 0 is
            none.
        describe_children_first: whether describe lists the objects that lookups point to before
            those asked for, unasked.
        picklist_options: whether describe lists the items of a picklist, names the category that
            does, or neither.
        metadata_status: an HTTP status that describe and list answer with instead; 0 is none.
        throttle_answer: code and HTTP status of a call over the limit.
        throttle_retry_after: whether a call over the limit is answered with `Retry-After`.
        token_request: how a token must be asked for: by a form or without a body, by a form, or as
            JSON without a body; then with which HTTP status a form is refused.
        token_seconds: how long a token of M2M OAuth lives.
        token_calls: calls after which a token ends, too; 0 is none.
        token_in_envelope: whether a token comes in the envelope of other answers.
        client_refusal: how a client that is not known is refused a token.
    """

    error_listing: Literal["nested", "flat", "missing", "first_only"] = "nested"
    error_tail: Literal["spaced", "tight"] = "spaced"
    put_without_match: Literal["error", "ignore"] = "error"
    put_multi_match: Literal["update_all", "error"] = "update_all"
    keys_gsid_refused: bool = False
    numeric_strings: bool = False
    date_formats: Literal["both", "iso", "mdy"] = "both"
    datetime_milliseconds_required: bool = False
    picklist_ignores_case: bool = False
    lookup_must_exist: bool = True
    lookup_error_code: str = "GSOBJ_1008"
    date_read: Literal["epoch_ms", "iso"] = "epoch_ms"
    datetime_read: Literal["epoch_ms", "iso", "spaced"] = "epoch_ms"
    empty_text_read: Literal["null", "blank"] = "null"
    no_rows: Literal["records", "list", "nothing_matches", "no_data", "no_data_400"] = "records"
    query_answer: Literal["list", "records"] = "list"
    row_keys: Literal["selected", "lower", "upper"] = "selected"
    unreadable_field: str = ""
    query_error_object: str = ""
    ignores_wrong_filter: bool = False
    query_ignores_case: Literal["email", "all", "none"] = "email"
    query_picklist_by_label: bool = True
    query_max_values: int = 0
    query_max_bytes: int = 0
    people_answer: Literal["gsid", "empty", "echo"] = "gsid"
    timeline_query: Literal["answered", "refused", "wrong_api", "forbidden", "unknown"] = "answered"
    timeline_author: Literal["required", "author_or_id", "optional"] = "required"
    timeline_texts_required: bool = False
    timeline_records: Literal["many", "one"] = "many"
    timeline_answers: Literal["map", "list"] = "map"
    cta_answers: Literal["list", "map"] = "list"
    activity_types_described: bool = True
    cta_names: Literal["by_category", "flat", "refused", "unknown"] = "by_category"
    timeline_duplicate_code: str = "GS_TL_10_0207"
    failed_records_answer: Literal["true_200", "false_200", "false_400"] = "true_200"
    bulk_questions: int = 2
    bulk_seconds: float = 0.0
    bulk_too_large: Literal["page", "envelope"] = "page"
    bulk_status_id: Literal["data", "text", "envelope"] = "data"
    bulk_counts: Literal["success_count", "records_succeeded", "missing"] = "success_count"
    bulk_status_family: Literal["synchronous", "bulk"] = "synchronous"
    standard_transactional: bool = False
    flags_as_text: bool = False
    describe_several: int = 0
    describe_children_first: bool = False
    picklist_options: Literal["listed", "by_category", "unlisted"] = "listed"
    metadata_status: int = 0
    throttle_answer: Literal["gu_429", "apig_429", "gu_200", "apig_200"] = "gu_429"
    throttle_retry_after: bool = False
    token_request: Literal[
        "any", "form", "bodiless_400", "bodiless_406", "bodiless_411", "bodiless_415"
    ] = "any"  # noqa: S105 - no password
    token_seconds: float = 86_400.0
    token_calls: int = 0
    token_in_envelope: bool = False
    client_refusal: Literal["gateway", "oauth"] = "gateway"
