"""The standard objects of the local tenant, with the fields that Gainsight ships.

Company's and People's field names are those seen in use (gainsight-api, sections 3 and 4) [O], as
are Timeline's and those of CTAs (sections 7 and 8) [O]; labels, lengths and picklist items are
believable and no more. `activity_type` and `cta_item` are the sandbox's own: the names that an
administrator has set up beside those shipped.
"""

from target_gainsight.sandbox.storage.identifiers import PICKLIST_ITEM_PREFIX
from target_gainsight.sandbox.storage.model import (
    DEFAULT_LENGTHS,
    Field,
    ObjectModel,
    make_options,
    system_fields,
)


def _field(name: str, data_type: str, label: str = "", **flags: object) -> Field:
    length = DEFAULT_LENGTHS.get(data_type)
    return Field(name, data_type, label or name, **{"length": length, **flags})  # type: ignore[arg-type]


def _picklist(owner: str, name: str, *labels: str, inactive: tuple[str, ...] = ()) -> Field:
    options = make_options(owner, name, labels, inactive=inactive)
    return Field(name, "PICKLIST", name, options=options)


def _lookup(name: str, target: str, *, required: bool = False) -> Field:
    return Field(
        name, "LOOKUP", name, required=required, nillable=not required, lookup_object=target
    )


def _object(
    name: str, label: str, prefix: str, *fields: Field, writable: bool = True
) -> ObjectModel:
    every = {each.name: each for each in (*system_fields(), *fields)}
    return ObjectModel(name, label, prefix, every, writable=writable)


def _score(name: str) -> Field:
    return Field(name, "NUMBER", name, createable=False, updateable=False, read_only=True)


def _company() -> ObjectModel:
    tags = make_options("company", "Tags", ("Strategic", "Reference", "At Risk", "Pilot"))
    return _object(
        "company",
        "Company",
        "1P02",
        _field("Name", "STRING", required=True, nillable=False),
        _field("Industry", "STRING"),
        _picklist("company", "IndustryNew", "Software", "Manufacturing", "Healthcare", "Retail"),
        _field("ARR", "CURRENCY", decimal_places=2),
        _field("Mrr", "CURRENCY", "MRR", decimal_places=2),
        _field("Employees", "NUMBER", decimal_places=0),
        _field("Users", "NUMBER", decimal_places=0),
        _picklist(
            "company",
            "Stage",
            "New Customer",
            "Kicked Off",
            "Launched",
            "Adopting",
            "Will Churn",
            "Churn",
            inactive=("Trial",),
        ),
        _picklist("company", "Status", "Active", "Inactive", "Churn"),
        _field("RenewalDate", "DATE", "Renewal Date"),
        _field("OriginalContractDate", "DATE", "Original Contract Date"),
        _lookup("Csm", "gsuser"),
        _lookup("ParentCompany", "company"),
        Field("Tags", "MULTISELECTDROPDOWNLIST", "Tags", options=tags),
        _field("Summary", "RICHTEXTAREA"),
        _field("BillingAddress", "STRING", "Billing Address", length=1024),
        _picklist("company", "CompanyType", "Customer", "Partner", "Vendor"),
        _picklist("company", "ManagedAs", "High Touch", "Low Touch", "Digital"),
        _field("TickerSymbol", "STRING", "Ticker Symbol", length=20),
        _field("LifecycleInWeeks", "NUMBER", decimal_places=0),
        _field("CustomerlifetimeInMonths", "NUMBER", decimal_places=0),
        _field("SfdcAccountId", "SFDCID"),
        _picklist("company", "CurrencyIsoCode", "USD", "EUR", "GBP"),
        _score("CurrentScore"),
        _score("Nps"),
        _score("Csat"),
    )


def _person() -> ObjectModel:
    return _object(
        "person",
        "Person",
        "1P04",
        _field("Email", "EMAIL", required=True, nillable=False),
        _field("Name", "STRING"),
        _field("FirstName", "STRING", "First Name"),
        _field("MiddleName", "STRING", "Middle Name"),
        _field("LastName", "STRING", "Last Name"),
        _field("LinkedinUrl", "URL", "LinkedIn URL"),
        _field("Location", "STRING"),
        _field("Timezone", "STRING"),
        _field("Comments", "RICHTEXTAREA"),
        _field("EmailOptOut", "BOOLEAN", "Email Opt Out"),
        _field("ExternalRecordID__gc", "STRING", "External Record ID", custom=True),
        writable=False,
    )


def _company_person() -> ObjectModel:
    return _object(
        "company_person",
        "Company Person",
        "1C01",
        _lookup("Person_ID", "person", required=True),
        _lookup("Company_ID", "company", required=True),
        _field("Title", "STRING"),
        _field("Role", "STRING"),
        _field("IsPrimaryCompany", "BOOLEAN", "Is Primary Company"),
        writable=False,
    )


def _relationship_person() -> ObjectModel:
    return _object(
        "relationship_person",
        "Relationship Person",
        "1R01",
        _lookup("Person_ID", "person", required=True),
        _lookup("Relationship_ID", "relationship", required=True),
        _lookup("Company_ID", "company"),
        _field("Title", "STRING"),
        _field("Role", "STRING"),
        writable=False,
    )


def _relationship() -> ObjectModel:
    return _object(
        "relationship",
        "Relationship",
        "1P05",
        _field("Name", "STRING", required=True, nillable=False),
        _lookup("CompanyId", "company", required=True),
        _lookup("TypeId", "relationship_type"),
        _lookup("Csm", "gsuser"),
        _picklist("relationship", "Stage", "New Customer", "Launched", "Adopting", "Churn"),
        _picklist("relationship", "Status", "Active", "Inactive"),
        _field("ARR", "CURRENCY", decimal_places=2),
        _field("RenewalDate", "DATE", "Renewal Date"),
    )


def _relationship_type() -> ObjectModel:
    name = _field("Name", "STRING", required=True, nillable=False)
    return _object(
        "relationship_type", "Relationship Type", "1P06", name, _field("Description", "STRING")
    )


def _user() -> ObjectModel:
    return _object(
        "gsuser",
        "User",
        "1P01",
        _field("Name", "STRING", required=True, nillable=False),
        _field("Email", "EMAIL", required=True, nillable=False),
        _field("FirstName", "STRING", "First Name"),
        _field("LastName", "STRING", "Last Name"),
        _field("Title", "STRING"),
        _lookup("Manager", "gsuser"),
        _field("IsActiveUser", "BOOLEAN", "Is Active User"),
        writable=False,
    )


def _activity_type() -> ObjectModel:
    name = _field("Name", "STRING", required=True, nillable=False)
    return _object("activity_type", "Activity Type", "1A02", name)


def _activity_timeline() -> ObjectModel:
    return _object(
        "activity_timeline",
        "Activity Timeline",
        "1A01",
        _field("ExternalId", "STRING", "External ID", required=True, nillable=False),
        _field("ContextName", "STRING", "Context Name", required=True, nillable=False),
        _field("ContextId", "GSID", "Context ID"),
        _field("TypeName", "STRING", "Type Name", required=True, nillable=False),
        _field("Subject", "STRING", length=255),
        _field("Notes", "RICHTEXTAREA"),
        _field("ActivityDate", "DATETIME", "Activity Date", required=True, nillable=False),
        _field("DurationInMins", "NUMBER", "Duration (Mins)"),
        _lookup("AuthorId", "gsuser"),
        _lookup("GsCompanyId", "company"),
        _lookup("GsRelationshipId", "relationship"),
        _field("InternalAttendees", "JSON", "Internal Attendees"),
        _field("ExternalAttendees", "JSON", "External Attendees"),
        Field("LastModifiedDate", "DATETIME", createable=False, updateable=False, read_only=True),
        writable=False,
    )


def _cta_item() -> ObjectModel:
    return _object(
        "cta_item",
        "CTA Item",
        PICKLIST_ITEM_PREFIX,
        _field("Kind", "STRING", required=True, nillable=False),
        _field("Name", "STRING", required=True, nillable=False),
    )


def _call_to_action() -> ObjectModel:
    return _object(
        "call_to_action",
        "Call To Action",
        "1S01",
        _field("Name", "STRING", required=True, nillable=False),
        _lookup("CompanyId", "company", required=True),
        _lookup("OwnerId", "gsuser"),
        _lookup("TypeId", "cta_item", required=True),
        _lookup("ReasonId", "cta_item"),
        _lookup("StatusId", "cta_item"),
        _lookup("PriorityId", "cta_item"),
        _field("DueDate", "DATE", "Due Date"),
        _field("Comments", "RICHTEXTAREA"),
        writable=False,
    )


def standard_objects() -> list[ObjectModel]:
    """Return the objects of a tenant without custom objects."""
    return [
        _user(),
        _company(),
        _person(),
        _company_person(),
        _relationship_type(),
        _relationship(),
        _relationship_person(),
        _activity_type(),
        _activity_timeline(),
        _cta_item(),
        _call_to_action(),
    ]
