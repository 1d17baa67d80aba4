"""The routes of the API: endpoint and group of limits of each call, a tuple per API family."""

from collections.abc import Callable
from dataclasses import dataclass

from target_gainsight.sandbox.answers import Answer, Incoming
from target_gainsight.sandbox.config.limits import Family
from target_gainsight.sandbox.endpoints import (
    access,
    bulk,
    cockpit,
    metadata,
    people,
    records,
    single_records,
    timeline,
)
from target_gainsight.sandbox.tenant import Tenant

Endpoint = Callable[["Tenant", Incoming], Answer]


@dataclass(frozen=True)
class ServedCall:
    """A route: method, path, the kind in the call log, and the family whose limits it counts for.

    A call without a family has no limits and needs no access key or token, and its response is
    left out of the call log.
    """

    method: str
    path: str
    kind: str
    endpoint: Endpoint
    family: Family | None = "synchronous"


ACCESS = (
    ServedCall("POST", "/v1/users/m2m/oauth/token", "token", access.grant_token, family=None),
)
_OBJECTS = "/v1/data/objects"
RECORDS = (
    ServedCall("POST", f"{_OBJECTS}/query/{{object}}", "query", records.query_records),
    ServedCall("POST", f"{_OBJECTS}/{{object}}", "insert", records.insert_records),
    ServedCall("PUT", f"{_OBJECTS}/{{object}}", "update", records.update_records),
    ServedCall("GET", f"{_OBJECTS}/{{object}}/{{gsid}}", "read", single_records.read_record),
    ServedCall("DELETE", f"{_OBJECTS}/{{object}}/{{gsid}}", "delete", single_records.delete_record),
)
PEOPLE = (
    ServedCall("PUT", "/v1/peoplemgmt/v1.0/people", "person", people.upsert_person),
    ServedCall("PUT", "/v1.0/api/people", "person", people.upsert_person),
)
METADATA = (
    ServedCall("GET", "/v1/meta/services/objects/list", "list", metadata.list_objects),
    ServedCall("GET", "/v1/meta/services/dropdowns/{category}", "dropdown", metadata.list_category),
    ServedCall("POST", "/v1/meta/services/objects/describe", "describe", metadata.describe_objects),
    ServedCall(
        "GET", "/v1/meta/services/objects/{object}/describe", "describe", metadata.describe_object
    ),
)
_ACTIVITY = "/v1/ant/es/activity"
TIMELINE_CALLS = (
    ServedCall("POST", _ACTIVITY, "timeline", timeline.insert_activities, "timeline"),
    ServedCall("PUT", _ACTIVITY, "timeline", timeline.update_activities, "timeline"),
)
COCKPIT = tuple(
    ServedCall(method, path, "cta", endpoint)
    for method, endpoint in (("POST", cockpit.insert_ctas), ("PUT", cockpit.update_ctas))
    for path in ("/v2/cockpit/cta/", "/v2/cockpit/cta")
)

COCKPIT += (ServedCall("GET", "/v2/cockpit/admin/picklist/lite", "cta names", cockpit.list_names),)
_BULK = "/v1.0/admin/connector/job/bulkimport"
JOB_STATUS = "job status"
BULK = (
    ServedCall("POST", _BULK, "upload", bulk.accept_file, family="bulk"),
    ServedCall("GET", f"{_BULK}/status/{{status}}", JOB_STATUS, bulk.report_status),
)

EVERY_FAMILY = (*ACCESS, *RECORDS, *PEOPLE, *METADATA, *TIMELINE_CALLS, *COCKPIT, *BULK)
