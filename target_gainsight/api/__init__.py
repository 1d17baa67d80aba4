"""The Gainsight CS REST API as Python calls and types.

A small library of its own: it knows nothing of Singer, of settings or of the sandbox.

    with GainsightClient("https://mycompany.gainsightcloud.com", AccessKey(key)) as client:
        schema = client.metadata.describe("Company")
        client.records.insert("Company", [{"Name": "Initech"}])
"""

from target_gainsight.api.auth.headers import AccessKey, Authentication
from target_gainsight.api.auth.oauth import ClientCredentials
from target_gainsight.api.client import GainsightClient
from target_gainsight.api.clock import Clock, SystemClock
from target_gainsight.api.errors import (
    AccessDeniedError,
    AnswerTimeoutError,
    BrokenAnswerError,
    CallBudgetExceededError,
    ConnectionLostError,
    CredentialError,
    FieldFailure,
    GainsightError,
    NotFoundError,
    NotSentError,
    ObjectNotFoundError,
    OutcomeUnclearError,
    PayloadTooLargeError,
    QuotaExceededError,
    QuotaStoreError,
    RedirectedError,
    RefusedError,
    RejectRecordsError,
    RetryCallError,
    ServerError,
    StoppedError,
    StopRunError,
    ThrottledError,
    TokenEndedError,
    UnavailableError,
    UnclearAnswerError,
    UnknownRouteError,
    UnreachableError,
    UnsuitableObjectError,
    WrongMetadataError,
)
from target_gainsight.api.http.call import CallEvent
from target_gainsight.api.http.json_codec import Json, Record
from target_gainsight.api.http.responses import Answer
from target_gainsight.api.http.retry import RetryPolicy
from target_gainsight.api.rate_limits.groups import DOCUMENTED_LIMITS, RateLimitGroup, RateLimits
from target_gainsight.api.rate_limits.limiter import RateLimiter
from target_gainsight.api.rate_limits.store import open_store
from target_gainsight.api.resources.bulk import MAX_FILE_BYTES, BulkApi, JobStatus, UploadAnswer
from target_gainsight.api.resources.cockpit import MAX_CTAS, CockpitApi
from target_gainsight.api.resources.metadata import (
    Field,
    MetadataApi,
    ObjectSchema,
    ObjectSummary,
    PicklistOption,
)
from target_gainsight.api.resources.people import PeopleApi, PersonAnswer
from target_gainsight.api.resources.per_record_results import AnswerByReference, RecordFailure
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
    MAX_RECORDS,
    RecordsApi,
    WriteAnswer,
)
from target_gainsight.api.resources.timeline import MAX_ACTIVITIES, TimelineApi, is_duplicate

__all__ = [
    "DOCUMENTED_LIMITS",
    "MAX_ACTIVITIES",
    "MAX_CTAS",
    "MAX_FILE_BYTES",
    "MAX_KEYS",
    "MAX_PAGE",
    "MAX_RECORDS",
    "AccessDeniedError",
    "AccessKey",
    "Answer",
    "AnswerByReference",
    "AnswerTimeoutError",
    "Authentication",
    "BrokenAnswerError",
    "BulkApi",
    "CallBudgetExceededError",
    "CallEvent",
    "ClientCredentials",
    "Clock",
    "CockpitApi",
    "Condition",
    "ConnectionLostError",
    "CredentialError",
    "Field",
    "FieldFailure",
    "GainsightClient",
    "GainsightError",
    "JobStatus",
    "Json",
    "MetadataApi",
    "NotFoundError",
    "NotSentError",
    "ObjectNotFoundError",
    "ObjectSchema",
    "ObjectSummary",
    "Operator",
    "OutcomeUnclearError",
    "PayloadTooLargeError",
    "PeopleApi",
    "PersonAnswer",
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
    "RejectRecordsError",
    "RetryCallError",
    "RetryPolicy",
    "ServerError",
    "StopRunError",
    "StoppedError",
    "SystemClock",
    "ThrottledError",
    "TimelineApi",
    "TokenEndedError",
    "UnavailableError",
    "UnclearAnswerError",
    "UnknownRouteError",
    "UnreachableError",
    "UnsuitableObjectError",
    "UploadAnswer",
    "Where",
    "WriteAnswer",
    "WrongMetadataError",
    "all_of",
    "any_of",
    "is_duplicate",
    "is_in",
    "open_store",
]
