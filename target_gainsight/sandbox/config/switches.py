"""The sandbox's limits, and a switch for each fact about Gainsight that no public source has.

Every default is the most likely guess of gainsight-api; clients must accept every value.
"""

from dataclasses import dataclass, fields
from typing import Literal


@dataclass(frozen=True)
class Limits:
    """The tenant's limits (Company API, Timeline APIs and Bulk API, Limits) [D]; 0 is unlimited.

    Each kind of call is counted separately. `minute_seconds`, `hour_seconds` and `day_seconds` are
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
    """A switch for each fact on which public sources are silent or contradictory.

    Attributes:
        error_listing: how a refused write lists its errors in `data.errors`.
        error_tail: how the description of a refusal names field and value: `(Field = value).` or
            `(Field= value)`.
        put_without_match: whether an update whose keys match nothing refuses the call, refuses it
            although the other records are written, or is ignored.
        put_without_match_code: the error code of that refusal.
        put_multi_match: whether an update whose keys match several rows updates them all, updates
            the first one or is refused.
        put_missing_key: whether an update with a record that lacks one of several keys is refused
            or matches by the others.
        put_missing_key_code: the error code of that refusal.
        too_many_keys_code: the error code of an update with more keys than allowed.
        too_many_records_code: the error code of a write with more records than allowed.
        keys_gsid_refused: whether `keys=Gsid` is refused.
        delete_referenced: whether a row that others refer to can be deleted, or is refused with
            GSOBJ_1003.
        delete_missing: how the delete of a row that does not exist is refused: HTTP 400 with
            GSOBJ_1011, HTTP 500 with GSOBJ_1003, or HTTP 404.
        numeric_strings: whether numbers can be sent as text.
        date_formats: the date formats that a DATE field accepts.
        datetime_milliseconds_required: whether a DATETIME without milliseconds is refused.
        empty_text_written: whether empty text is kept as such or clears the field.
        picklist_ignores_case: whether picklist labels are compared without case.
        lookup_must_exist: whether a GSID written to a lookup must belong to a record.
        lookup_error_code: the error code when `lookups` in a write body match no row, or several.
        date_read: how a DATE is read: as epoch milliseconds or as ISO text.
        datetime_read: how a DATETIME is read: as epoch milliseconds, as ISO text or (`spaced`) as
            `yyyy-MM-dd HH:mm:ss.S`.
        empty_text_read: how an empty text field is read.
        no_rows: the response to a query that finds nothing: an empty list in `data.records` or in
            `data`, HTTP 400 with GSOBJ_1011, or `result: false` with HTTP 200 or 400.
        query_answer: whether `data` is a list of rows or holds them in `data.records`.
        row_keys: whether rows name their fields as the select does, or in lower or upper case.
        unreadable_field: a field of any object that is described but cannot be queried (`P_5005`).
        query_error_object: an object whose queries all fail with HTTP 500.
        ignores_wrong_filter: whether a filter value of the wrong type is ignored, which returns
            every row, instead of being refused.
        query_ignores_case: the text fields that queries and keys compare without case.
        query_picklist_by_label: whether a condition on a picklist accepts labels as well as GSIDs.
        query_max_values: the number of values in a query above which it is refused; 0 for no
            limit.
        query_max_bytes: the size of a query's body above which it is refused; 0 for no limit.
        people_answer: the `data` of a successful people call.
        timeline_query: whether `activity_timeline` can be queried, or how a query is refused.
        timeline_author: whether a new activity needs Author, one of Author and AuthorId, or
            neither.
        timeline_texts_required: whether a new activity needs Subject and Notes.
        timeline_records: whether a call can save several activities.
        timeline_answers, cta_answers: whether the response lists results by reference in an object
            (`map`) or as a list of objects.
        activity_types_described: whether the description of `activity_timeline` lists the activity
            types as items of TypeName.
        cta_names: whether the names of CTA types, reasons, statuses and priorities are listed by
            category or in one list, or how the request for them is refused.
        timeline_duplicate_code: the error code for an ExternalId that is taken.
        failed_records_answer: `result` and HTTP status of a call in which some records failed.
        bulk_questions: how often a job reports that it is in progress before it is completed.
        bulk_seconds: the minimum duration of a job.
        bulk_too_large: the body of the response (HTTP 413) to a file that is too large.
        bulk_status_id: where the response to an upload has the status id: in `data.statusId`, in
            `data` as text, or in the envelope.
        bulk_counts: the names of a job's counts, if it reports any.
        bulk_status_family: the limit that polling a job counts towards.
        standard_transactional: whether standard objects are listed as transactional as well.
        flags_as_text: whether describe and list return flags as `"true"` and `"false"`.
        describe_several: the HTTP status with which describing several objects at once fails; 0
            if it works.
        describe_children_first: whether describe also returns the objects that lookups refer to,
            before the requested ones.
        picklist_options: whether describe lists the items of a picklist, names the category that
            does, or neither.
        metadata_status: the HTTP status with which describe and list fail; 0 if they work.
        throttle_answer: error code and HTTP status of a call above the limit.
        throttle_retry_after: whether the response to a call above the limit has `Retry-After`.
        token_request: which token requests are accepted: both forms, only a form body, or only
            JSON without a body; in the last case, the HTTP status with which a form is refused.
        token_seconds: the lifetime of an M2M OAuth token.
        token_calls: the number of calls after which a token expires as well; 0 for no limit.
        token_in_envelope: whether a token is returned in the usual envelope.
        client_refusal: how a token is refused to an unknown client.
    """

    error_listing: Literal["nested", "flat", "missing", "first_only"] = "nested"
    error_tail: Literal["spaced", "tight"] = "spaced"
    put_without_match: Literal["error", "error_others_written", "ignore"] = "error"
    put_without_match_code: str = "GSOBJ_1011"
    put_multi_match: Literal["update_all", "update_first", "error"] = "update_all"
    put_missing_key: Literal["error", "ignore"] = "error"
    put_missing_key_code: str = "GSOBJ_1007"
    too_many_keys_code: str = "GSOBJ_1008"
    too_many_records_code: str = "GSOBJ_1008"
    keys_gsid_refused: bool = False
    delete_referenced: Literal["refused", "deleted"] = "refused"
    delete_missing: Literal["nothing_matches", "delete_failed", "not_found"] = "nothing_matches"
    numeric_strings: bool = False
    date_formats: Literal["both", "iso", "mdy"] = "both"
    datetime_milliseconds_required: bool = False
    empty_text_written: Literal["kept", "cleared"] = "kept"
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


SWITCH_NAMES = frozenset(each.name for each in fields(Switches))
