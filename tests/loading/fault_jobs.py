"""The jobs of the fault matrix: one for each operation, and the endpoints that it calls.

Each job writes new records, known ones or both, in several calls, so that a fault of one call
could cost neighbors, which it must not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from activities import ACTIVITIES, COLUMNS, CTA_COLUMNS, CTA_ENTRY, CTAS, TENANT, TIMELINE_ENTRY
from activities import activity as activity_record
from activities import cta as cta_record
from singer_messages import TEXT, Message, record, schema, state

from target_gainsight.sandbox import Tenant

UNLIMITED = dict.fromkeys(
    ("calls_per_minute", "calls_per_day", "bulk_calls_per_hour", "bulk_calls_per_day"), 0
)
OURS = "ourcompany.example"
MANAGER = f"ada.park@{OURS}"
COMPANY = "/v1/data/objects/company"
PEOPLE = "/v1/peoplemgmt/v1.0/people"
UPLOADS = "*/job/bulkimport"


@dataclass(frozen=True)
class Endpoint:
    """An endpoint that a job calls.

    Attributes:
        name: How the matrix names it.
        method: HTTP method.
        path: Glob over the path.
        after: Calls of this kind that go before the ones meant.
        lost: Glob over the POST whose response is lost, where only that leads to this call.
        timeout: Seconds that the client waits for a response.
    """

    name: str
    method: str
    path: str
    after: int = 0
    lost: str | None = None
    timeout: float = 60.0


DESCRIBE = Endpoint("describe", "*", "/v1/meta/services/objects/*describe")


def query(object_name: str, what: str, *, after: int = 0, lost: str | None = None) -> Endpoint:
    path = f"/v1/data/objects/query/{object_name}"
    return Endpoint(f"query {object_name}: {what}", "POST", path, after, lost)


@dataclass(frozen=True, eq=False)
class Job:
    """One operation.

    Attributes:
        operation: What the matrix calls it.
        schema: The SCHEMA message of its stream.
        records: The RECORD messages; a STATE with their number follows each.
        settings: The target's.
        object_name: Where the records land.
        key: Column and field that name a record.
        values: Further columns, and the fields that hold them.
        endpoints: What it calls.
        described: The tenant, beside its limits.
        known: The rows that are there already.
    """

    operation: str
    schema: Message
    records: tuple[Message, ...]
    settings: Mapping[str, Any]
    object_name: str
    key: tuple[str, str]
    values: Mapping[str, str]
    endpoints: tuple[Endpoint, ...]
    described: Mapping[str, Any] = field(default_factory=dict)
    known: tuple[Mapping[str, Any], ...] = ()

    def messages(self, start: int = 0) -> Iterator[Message]:
        """The input from some record on, a state after each."""
        yield self.schema
        read = enumerate(self.records[start:], start=start + 1)
        yield from chain.from_iterable((each, state(read=number)) for number, each in read)

    def wanted(self, source: Message) -> tuple[Any, ...]:
        """A record's key and values."""
        return tuple(source[column] for column in (self.key[0], *self.values))

    def held(self, tenant: Tenant) -> Counter[tuple[Any, ...]]:
        """Key and values of every row of the tenant's."""
        names = (self.key[1], *self.values.values())
        rows = tenant.rows(self.object_name)
        return Counter(tuple(row[name] for name in names) for row in rows)


def _companies(numbers: Iterable[int]) -> tuple[Message, ...]:
    return tuple(
        record(Name=f"C{number}", Industry=f"new {number}", manager=MANAGER) for number in numbers
    )


def _of_a_family(object_name: str, noun: str, path: str) -> tuple[Endpoint, ...]:
    """Return the endpoints of an object whose API family has a path of its own."""
    return (
        DESCRIBE,
        query("company", "lookup"),
        query(object_name, "current rows"),
        Endpoint(f"POST {noun}", "POST", path),
        Endpoint(f"PUT {noun}", "PUT", path),
        query(object_name, "near matches", after=1),
        query(object_name, "after a lost response", after=2, lost=path),
    )


ACCOUNTS = schema(columns={"Name": TEXT, "Industry": TEXT, "manager": TEXT})
LOOKUPS = {"Csm": {"object_name": "gsuser", "fields": {"manager": "Email"}}}
IN_TWOS: Message = {"lookups": LOOKUPS, "batch_size_rows": 2}
COMPANIES: dict[str, Any] = {
    "schema": ACCOUNTS,
    "object_name": "company",
    "key": ("Name", "Name"),
    "values": {"Industry": "Industry"},
}
OLD = tuple({"Name": f"C{number}", "Industry": "old"} for number in range(6))

INSERT = Job(
    "insert",
    records=_companies(range(6)),
    settings={"sync_mode": "insert", **IN_TWOS},
    endpoints=(
        DESCRIBE,
        query("gsuser", "lookup"),
        Endpoint("POST company", "POST", COMPANY),
        query("company", "after a lost response", lost=COMPANY),
    ),
    **COMPANIES,
)
UPSERT = Job(
    "upsert",
    records=_companies(range(12)),
    known=OLD,
    settings={"sync_mode": "upsert", **IN_TWOS},
    endpoints=(
        DESCRIBE,
        query("gsuser", "lookup"),
        query("company", "current rows"),
        Endpoint("POST company", "POST", COMPANY),
        Endpoint("PUT company", "PUT", COMPANY),
        query("company", "near matches", after=1),
        query("company", "after a lost response", after=2, lost=COMPANY),
    ),
    **COMPANIES,
)
UPDATE = Job(
    "update",
    records=_companies(range(6)),
    known=OLD,
    settings={"sync_mode": "update", **IN_TWOS},
    endpoints=(
        DESCRIBE,
        query("gsuser", "lookup"),
        query("company", "current rows"),
        Endpoint("PUT company", "PUT", COMPANY),
    ),
    **COMPANIES,
)
PERSON = Job(
    "person",
    schema=schema("people", {"Email": TEXT, "FirstName": TEXT, "company": TEXT}, keys=["Email"]),
    records=tuple(
        record("people", Email=f"p{number}@x.io", FirstName=f"new {number}", company="Initech")
        for number in range(6)
    ),
    known=tuple({"Email": f"p{number}@x.io", "FirstName": "old"} for number in range(3)),
    described={"rows": {"company": [{"Name": "Initech"}]}},
    settings={"object_type": "person", "company_links": {"lookup": {"company": "Name"}}},
    object_name="person",
    key=("Email", "Email"),
    values={"FirstName": "FirstName"},
    endpoints=(
        DESCRIBE,
        query("company", "lookup"),
        query("person", "current rows"),
        query("company_person", "current links"),
        Endpoint("PUT people", "PUT", PEOPLE),
    ),
)
TIMELINE = Job(
    "timeline",
    schema=schema("activities", COLUMNS, keys=["id"]),
    records=tuple(activity_record(number, Notes=f"new {number}") for number in range(12)),
    known=tuple(
        {"ExternalId": f"r{number}", "Subject": f"NPS {number}", "Notes": "old"}
        for number in range(6)
    ),
    described=TENANT,
    settings={"streams": {"activities": TIMELINE_ENTRY}, "batch_size_rows": 2},
    object_name="activity_timeline",
    key=("id", "ExternalId"),
    values={"Notes": "Notes"},
    endpoints=_of_a_family("activity_timeline", "activity", ACTIVITIES),
)
CTA = Job(
    "cta",
    schema=schema("ctas", CTA_COLUMNS, keys=["Response__gc"]),
    records=tuple(cta_record(number, Comments=f"new {number}") for number in range(12)),
    known=tuple(
        {"Response__gc": f"r{number}", "Name": "Low NPS", "Comments": "old"} for number in range(6)
    ),
    described=TENANT,
    settings={"streams": {"ctas": CTA_ENTRY}, "batch_size_rows": 2},
    object_name="call_to_action",
    key=("Response__gc", "Response__gc"),
    values={"Comments": "Comments"},
    endpoints=_of_a_family("call_to_action", "cta", CTAS),
)
BULK = Job(
    "bulk",
    schema=schema(columns={"Name": TEXT, "Industry": TEXT}),
    records=tuple(record(Name=f"C{number}", Industry=f"new {number}") for number in range(6)),
    known=OLD[:3],
    described={
        "bulk_jobs": {"nightly": {"object": "company", "operation": "upsert", "keys": ["Name"]}},
    },
    settings={"streams": {"accounts": {"transport": "bulk", "bulk_job_id": "nightly"}}},
    object_name="company",
    key=("Name", "Name"),
    values={"Industry": "Industry"},
    endpoints=(
        DESCRIBE,
        Endpoint("POST bulk file", "POST", UPLOADS, timeout=300.0),
        Endpoint("GET job status", "GET", f"{UPLOADS}/status/*"),
    ),
)
CLIENT = {"client_id": "matrix-client", "client_secret": "matrix-client-s3cret"}
TOKEN = "/v1/users/m2m/oauth/token"
OAUTH = Job(
    "update by OAuth",
    records=_companies(range(6)),
    known=OLD,
    described={**CLIENT, "switches": {"token_calls": 3}},
    settings={"access_key": None, **CLIENT, "sync_mode": "update", **IN_TWOS},
    endpoints=(
        Endpoint("POST token: the first", "POST", TOKEN),
        Endpoint("POST token: a later one", "POST", TOKEN, after=1),
    ),
    **COMPANIES,
)
JOBS = (INSERT, UPSERT, UPDATE, PERSON, TIMELINE, CTA, BULK, OAUTH)
