"""The Gainsight CS REST API as Python calls and types.

A small library of its own: it knows nothing of Singer, of settings or of the sandbox.

    with GainsightClient("https://mycompany.gainsightcloud.com", AccessKey(key)) as client:
        schema = client.metadata.describe("Company")
        client.records.insert("Company", [{"Name": "Initech"}])
"""

from target_gainsight.api.auth import AccessKey, ClientCredentials
from target_gainsight.api.client import GainsightClient
from target_gainsight.api.clock import Clock
from target_gainsight.api.errors import (
    AccessDeniedError,
    AmbiguousResponseError,
    CallBudgetExceededError,
    ConnectError,
    ConnectionLostError,
    CredentialError,
    FieldFailure,
    GainsightError,
    MalformedResponseError,
    NotFoundError,
    ObjectNotFoundError,
    PayloadTooLargeError,
    QuotaExceededError,
    QuotaStoreError,
    RedirectedError,
    RefusedError,
    ResponseTimeoutError,
    RetryCallError,
    ServerError,
    StoppedError,
    StopRunError,
    ThrottledError,
    TokenExpiredError,
    UnavailableError,
    UnknownOutcomeError,
    UnknownRouteError,
    UnreachableError,
    UnreadableFieldError,
    UnsuitableObjectError,
    WrongMetadataError,
)
from target_gainsight.api.http.call import MAX_RECORDS, Call, CallEvent
from target_gainsight.api.http.json_codec import Json, Record, encode
from target_gainsight.api.http.responses import Response
from target_gainsight.api.http.retry import RetryPolicy
from target_gainsight.api.rate_limits.groups import DOCUMENTED_LIMITS, RateLimitGroup, RateLimits
from target_gainsight.api.rate_limits.limiter import RateLimiter
from target_gainsight.api.rate_limits.store import open_store
from target_gainsight.api.resources.bulk import MAX_FILE_BYTES, BulkApi, JobStatus, UploadResponse
from target_gainsight.api.resources.cockpit import CockpitApi
from target_gainsight.api.resources.metadata import (
    Field,
    MetadataApi,
    ObjectSchema,
    ObjectSummary,
    PicklistOption,
)
from target_gainsight.api.resources.people import PeopleApi, PersonResponse
from target_gainsight.api.resources.per_record_results import PerRecordResponse, RecordFailure
from target_gainsight.api.resources.query_filter import (
    Condition,
    Operator,
    Where,
    all_of,
    any_of,
    is_in,
)
from target_gainsight.api.resources.records import (
    MAX_KEYS,
    MAX_PAGE,
    RecordsApi,
    WriteResponse,
)
from target_gainsight.api.resources.timeline import TimelineApi, is_duplicate

__all__ = [
    "DOCUMENTED_LIMITS",
    "MAX_FILE_BYTES",
    "MAX_KEYS",
    "MAX_PAGE",
    "MAX_RECORDS",
    "AccessDeniedError",
    "AccessKey",
    "AmbiguousResponseError",
    "BulkApi",
    "Call",
    "CallBudgetExceededError",
    "CallEvent",
    "ClientCredentials",
    "Clock",
    "CockpitApi",
    "Condition",
    "ConnectError",
    "ConnectionLostError",
    "CredentialError",
    "Field",
    "FieldFailure",
    "GainsightClient",
    "GainsightError",
    "JobStatus",
    "Json",
    "MalformedResponseError",
    "MetadataApi",
    "NotFoundError",
    "ObjectNotFoundError",
    "ObjectSchema",
    "ObjectSummary",
    "Operator",
    "PayloadTooLargeError",
    "PeopleApi",
    "PerRecordResponse",
    "PersonResponse",
    "PicklistOption",
    "QuotaExceededError",
    "QuotaStoreError",
    "RateLimitGroup",
    "RateLimiter",
    "RateLimits",
    "Record",
    "RecordFailure",
    "RecordsApi",
    "RedirectedError",
    "RefusedError",
    "Response",
    "ResponseTimeoutError",
    "RetryCallError",
    "RetryPolicy",
    "ServerError",
    "StopRunError",
    "StoppedError",
    "ThrottledError",
    "TimelineApi",
    "TokenExpiredError",
    "UnavailableError",
    "UnknownOutcomeError",
    "UnknownRouteError",
    "UnreachableError",
    "UnreadableFieldError",
    "UnsuitableObjectError",
    "UploadResponse",
    "Where",
    "WriteResponse",
    "WrongMetadataError",
    "all_of",
    "any_of",
    "encode",
    "is_duplicate",
    "is_in",
    "open_store",
]
