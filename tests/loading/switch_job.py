"""The main job for every switch of the tenant: all families, all types, all outcomes in one run."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from activities import BY_ACCOUNT, COLUMNS, CTA_COLUMNS, CTA_ENTRY, TIMELINE_ENTRY, activity, cta
from singer_messages import TEXT, Message, record, schema, state

from target_gainsight.sandbox import ServerRule, Tenant

WHOLE = {"type": ["integer", "string", "null"]}
MANAGER = "ada.park@ourcompany.example"
REFUSED = "refused by a rule of the tenant"
CLIENT = {"client_id": "switch-client", "client_secret": "switch-client-s3cret"}
LIMITS = dict.fromkeys(
    (
        "calls_per_minute",
        "calls_per_day",
        "timeline_calls_per_minute",
        "bulk_calls_per_hour",
        "bulk_calls_per_day",
    ),
    0,
)
TENANT: dict[str, Any] = {
    **CLIENT,
    "objects": {
        "Response__gc": {
            "fields": {
                "Code__gc": {"type": "STRING", "required": True},
                "Company__gc": {"type": "LOOKUP", "object": "company"},
                "AnsweredAt__gc": {"type": "DATETIME"},
                "Score__gc": {"type": "NUMBER"},
                "Topics__gc": {"type": "MULTISELECTDROPDOWNLIST", "options": ["Price", "Help"]},
                "Promoter__gc": {"type": "BOOLEAN"},
            }
        },
        "Contract__gc": {
            "fields": {"Number__gc": {"type": "STRING"}, "Amount__gc": {"type": "CURRENCY"}}
        },
        "call_to_action": {"fields": {"Response__gc": {"type": "STRING"}}},
    },
    "rows": {
        "company": [
            {
                "Name": "Initech",
                "Industry": "Steel",
                "Employees": 5,
                "Status": "Active",
                "Summary": "to be cleared",
            },
            {"Name": "Globex", "Industry": "Oil", "Employees": 7, "Status": "Active"},
            {"Name": "Vanishing", "Industry": "old"},
            {"Name": "Twin", "Industry": "one"},
            {"Name": "Twin", "Industry": "two"},
        ],
        "person": [{"Email": "ann@x.io", "FirstName": "old"}],
        "activity_type": [{"Name": "Survey Response"}],
        "activity_timeline": [{"ExternalId": "r0", "Subject": "NPS 0", "Notes": "old"}],
        "call_to_action": [{"Response__gc": "r0", "Name": "Low NPS", "Comments": "old"}],
        "Contract__gc": [{"Number__gc": "K0", "Amount__gc": 1}],
    },
    "bulk_jobs": {
        "contracts": {"object": "Contract__gc", "operation": "upsert", "keys": ["Number__gc"]}
    },
}
RULES = (
    ServerRule("company", "Industry", REFUSED),
    ServerRule("activity_timeline", "Notes", REFUSED),
    ServerRule("call_to_action", "Comments", REFUSED),
)
SETTINGS: dict[str, Any] = {
    "batch_size_rows": 2,
    "max_concurrency": 1,
    "streams": {
        "accounts": {
            "object_type": "company",
            "lookups": {
                "Csm": {"object_name": "gsuser", "fields": {"manager": "Email"}},
                "ParentCompany": {"object_name": "company", "fields": {"parent": "Name"}},
            },
        },
        "responses": {
            "object_type": "custom_object",
            "custom_object_name": "Response__gc",
            "lookup_keys": ["Code__gc"],
            "lookups": {"Company__gc": BY_ACCOUNT},
        },
        "people": {"object_type": "person", "company_links": {"lookup": {"account": "Name"}}},
        "activities": TIMELINE_ENTRY,
        "ctas": CTA_ENTRY,
        "contracts": {
            "object_type": "custom_object",
            "custom_object_name": "Contract__gc",
            "transport": "bulk",
            "bulk_job_id": "contracts",
        },
    },
}

ACCOUNT_COLUMNS: Message = {
    "Name": TEXT,
    "Industry": TEXT,
    "Employees": WHOLE,
    "Status": TEXT,
    "RenewalDate": {"type": ["string", "null"], "format": "date"},
    "Summary": TEXT,
    "Tags": {"type": ["array", "null"], "items": {"type": "string"}},
    "manager": TEXT,
    "parent": TEXT,
}
RESPONSE_COLUMNS: Message = {
    "Code__gc": TEXT,
    "account": TEXT,
    "AnsweredAt__gc": {"type": ["string", "null"], "format": "date-time"},
    "Score__gc": WHOLE,
    "Topics__gc": {"type": ["array", "null"], "items": {"type": "string"}},
    "Promoter__gc": {"type": ["boolean", "null"]},
}


def messages(*, with_refused: bool = True) -> Iterable[Message]:
    """The input of the job.

    Args:
        with_refused: Whether the records come, too, that no tenant takes.
    """
    yield schema("accounts", ACCOUNT_COLUMNS)
    yield record(
        Name="Initech",
        Industry="Software",
        Employees="12",
        Status="Churn",
        RenewalDate="2027-02-28",
        Summary=None,
        Tags=["Pilot", "Reference"],
        manager=MANAGER,
    )
    yield record(Name="Globex", Industry="Oil", Employees=7, Status="Active")
    yield record(Name="Vanishing", Industry="new")
    yield record(Name="Tricell", Employees=3, RenewalDate="2027-12-01", parent="Umbrella")
    yield record(Name="Umbrella", Status="Inactive", Summary="", RenewalDate=None)
    if with_refused:
        yield record(Name="Twin", Industry="three")
        yield record(Name="Refused", Industry=REFUSED)
    yield schema("responses", RESPONSE_COLUMNS, keys=["Code__gc"])
    yield record(
        "responses",
        Code__gc="a",
        account="Umbrella",
        AnsweredAt__gc="2026-03-01T09:30:00+01:00",
        Score__gc=9,
        Topics__gc=["Help", "Price"],
        Promoter__gc=True,
    )
    yield record("responses", Code__gc="b", account=None, AnsweredAt__gc=None, Score__gc=0)
    yield schema("people", {"Email": TEXT, "FirstName": TEXT, "account": TEXT}, keys=["Email"])
    yield record("people", Email="ann@x.io", FirstName="Ann", account="Initech")
    yield record("people", Email="bob@x.io", FirstName="Bob", account="Umbrella")
    yield schema("activities", COLUMNS, keys=["id"])
    yield activity(0)
    yield activity(1, account="Umbrella")
    if with_refused:
        yield activity("refused", Notes=REFUSED)
    yield schema("ctas", CTA_COLUMNS, keys=["Response__gc"])
    yield cta(0)
    yield cta(1, account="Umbrella")
    if with_refused:
        yield cta(2, Comments=REFUSED)
    yield schema("contracts", {"Number__gc": TEXT, "Amount__gc": WHOLE}, keys=["Number__gc"])
    yield record("contracts", Number__gc="K0", Amount__gc=10)
    yield record("contracts", Number__gc="K1", Amount__gc=20)
    yield state(read="all")


REJECTED = {"Twin", "Refused", "rrefused", "r2"}
"""The names of the records that every tenant rejects."""

HELD: dict[str, list[tuple[Any, ...]]] = {
    "company": [
        ("Globex", "Oil", 7, "Active", None, None, None, None, None),
        (
            "Initech",
            "Software",
            12,
            "Churn",
            "2027-02-28",
            None,
            ["Pilot", "Reference"],
            MANAGER,
            None,
        ),
        ("Tricell", None, 3, None, "2027-12-01", None, None, None, "Umbrella"),
        ("Twin", "one", None, None, None, None, None, None, None),
        ("Twin", "two", None, None, None, None, None, None, None),
        ("Umbrella", None, None, "Inactive", None, None, None, None, None),
        ("Vanishing", "new", None, None, None, None, None, None, None),
    ],
    "Response__gc": [
        ("a", "Umbrella", "2026-03-01T08:30:00.000Z", 9, ["Help", "Price"], True),
        ("b", None, None, 0, None, None),
    ],
    "person": [("ann@x.io", "Ann"), ("bob@x.io", "Bob")],
    "company_person": [("Initech", "ann@x.io"), ("Umbrella", "bob@x.io")],
    "activity_timeline": [("r0", "note 0", "Initech"), ("r1", "note 1", "Umbrella")],
    "call_to_action": [("r0", "comment 0", "Initech"), ("r1", "comment 1", "Umbrella")],
    "Contract__gc": [("K0", 10), ("K1", 20)],
}
FIELDS = {
    "company": (
        "Name",
        "Industry",
        "Employees",
        "Status",
        "RenewalDate",
        "Summary",
        "Tags",
        "Csm",
        "ParentCompany",
    ),
    "Response__gc": (
        "Code__gc",
        "Company__gc",
        "AnsweredAt__gc",
        "Score__gc",
        "Topics__gc",
        "Promoter__gc",
    ),
    "person": ("Email", "FirstName"),
    "company_person": ("Company_ID", "Person_ID"),
    "activity_timeline": ("ExternalId", "Notes", "GsCompanyId"),
    "call_to_action": ("Response__gc", "Comments", "CompanyId"),
    "Contract__gc": ("Number__gc", "Amount__gc"),
}


def held(tenant: Tenant) -> dict[str, list[tuple[Any, ...]]]:
    """Return the tenant's rows, lookups as the name or email of the row they point to."""
    named = {
        row["Gsid"]: row[name]
        for object_name, name in (("company", "Name"), ("person", "Email"), ("gsuser", "Email"))
        for row in tenant.rows(object_name)
    }

    def plain(value: Any) -> Any:
        if isinstance(value, list):
            return sorted(value)
        return named.get(value, value) or (None if value == "" else value)

    return {
        object_name: sorted(
            (tuple(plain(row[name]) for name in names) for row in tenant.rows(object_name)),
            key=str,
        )
        for object_name, names in FIELDS.items()
    }
