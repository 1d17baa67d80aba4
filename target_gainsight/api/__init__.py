"""The Gainsight CS REST API as Python calls and types.

A small library of its own: it knows nothing of Singer, of settings or of the sandbox.

    with GainsightClient("https://mycompany.gainsightcloud.com", AccessKey(key)) as client:
        schema = client.metadata.describe("Company")
        client.records.insert("Company", [{"Name": "Initech"}])
"""

from target_gainsight.api.auth import AccessKey as AccessKey
from target_gainsight.api.auth import ClientCredentials as ClientCredentials
from target_gainsight.api.client import GainsightClient as GainsightClient
from target_gainsight.api.clock import Clock as Clock
from target_gainsight.api.errors import *  # noqa: F403 - all errors are public
from target_gainsight.api.http.call import Call as Call
from target_gainsight.api.http.call import CallEvent as CallEvent
from target_gainsight.api.http.json_codec import Json as Json
from target_gainsight.api.http.json_codec import Record as Record
from target_gainsight.api.http.json_codec import encode as encode
from target_gainsight.api.http.responses import Response as Response
from target_gainsight.api.rate_limits.groups import DOCUMENTED_LIMITS as DOCUMENTED_LIMITS
from target_gainsight.api.rate_limits.groups import RateLimitGroup as RateLimitGroup
from target_gainsight.api.rate_limits.groups import RateLimits as RateLimits
from target_gainsight.api.rate_limits.limiter import RateLimiter as RateLimiter
from target_gainsight.api.rate_limits.store import open_store as open_store
from target_gainsight.api.resources.bulk import JobStatus as JobStatus
from target_gainsight.api.resources.metadata import Field as Field
from target_gainsight.api.resources.metadata import MetadataApi as MetadataApi
from target_gainsight.api.resources.metadata import ObjectSchema as ObjectSchema
from target_gainsight.api.resources.metadata import PicklistOption as PicklistOption
from target_gainsight.api.resources.per_record import CockpitApi as CockpitApi
from target_gainsight.api.resources.per_record import PerRecordResponse as PerRecordResponse
from target_gainsight.api.resources.per_record import TimelineApi as TimelineApi
from target_gainsight.api.resources.per_record import is_duplicate as is_duplicate
from target_gainsight.api.resources.records import MAX_KEYS as MAX_KEYS
from target_gainsight.api.resources.records import MAX_PAGE as MAX_PAGE
from target_gainsight.api.resources.records import MAX_RECORDS as MAX_RECORDS
from target_gainsight.api.resources.records import Condition as Condition
from target_gainsight.api.resources.records import PeopleApi as PeopleApi
from target_gainsight.api.resources.records import RecordsApi as RecordsApi
from target_gainsight.api.resources.records import Where as Where
from target_gainsight.api.resources.records import WriteResponse as WriteResponse
from target_gainsight.api.resources.records import all_of as all_of
from target_gainsight.api.resources.records import any_of as any_of
from target_gainsight.api.resources.records import is_in as is_in
