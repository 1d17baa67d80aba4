"""The calls that the questions of a reading probe share, each made when it is first needed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from target_gainsight.api import Call, CallEvent, Json, Record, RefusedError, Where
from target_gainsight.api.http.json_codec import as_mapping, as_mappings, as_text
from target_gainsight.api.resources.metadata import (
    LIST_CALL,
    category_call,
    describe_call,
    describe_several_call,
)
from target_gainsight.api.resources.query_filter import to_wire
from target_gainsight.api.resources.records import (
    UNREADABLE_CODES,
    fields_in,
    means_no_rows,
    objects_path,
    rows_of,
)
from target_gainsight.probe.session import ProbeSession, Reply

COMPANY, USER, ACTIVITY = "company", "gsuser", "activity_timeline"
TEXT_TYPES = frozenset({"STRING", "EMAIL", "URL", "RICHTEXTAREA", "SFDCID"})
PICKLIST_TYPES = frozenset({"PICKLIST", "MULTISELECTDROPDOWNLIST"})
_NARROW = ("Gsid", "Name")
_USER_FIELDS = (*_NARROW, "Email", "CreatedDate")
_FIELDS_PER_TYPE = 2
_MAX_UNREADABLE = 3
_KNOWN_COMPANY_FIELDS = {
    "Gsid": "GSID",
    "Name": "STRING",
    "Industry": "STRING",
    "Summary": "RICHTEXTAREA",
    "Stage": "PICKLIST",
    "Status": "PICKLIST",
    "RenewalDate": "DATE",
    "CreatedDate": "DATETIME",
}
"""Read where the tenant does not describe companies."""


@dataclass(frozen=True)
class DescribedField:
    """A field as the tenant describes it.

    Attributes:
        items: The labels of a picklist's items by GSID.
        category: The id of the category that lists the items.
    """

    name: str
    data_type: str
    items: Mapping[str, str]
    category: str | None


@dataclass(frozen=True)
class RowsRead:
    """Rows, and how they were asked for.

    Attributes:
        select: The selected fields.
        reply: The response.
        unreadable: Fields that had to be left out of the select.
        refused: The query for all fields, if it was refused; the select then has a few.
    """

    select: tuple[str, ...]
    reply: Reply
    unreadable: tuple[str, ...] = ()
    refused: RowsRead | None = None

    @property
    def rows(self) -> tuple[Record, ...]:
        """The rows, their keys spelt as in the response."""
        return (rows_of(self.reply.data) or ()) if self.reply.error is None else ()

    @property
    def were_read(self) -> bool:
        """Whether the query worked, with rows or without."""
        return self.reply.error is None or means_no_rows(self.reply.error)

    @property
    def is_refused(self) -> bool:
        """Whether the tenant refused what was asked for, and may answer something smaller."""
        return isinstance(self.reply.error, RefusedError) and not self.were_read

    def values(self, field: str) -> list[Json]:
        """List the values of a field in rows that have it, in any case."""
        lowered = ({name.lower(): value for name, value in row.items()} for row in self.rows)
        return [row[field.lower()] for row in lowered if field.lower() in row]


class TenantFacts:
    """What the tenant responds to the calls that several questions need.

    Args:
        events: The attempts of calls, to which the session's client adds.

    Attributes:
        found_nothing: The latest query that worked and returned no row.
        missing_names: The first query that worked for names which no company has.
    """

    def __init__(
        self, session: ProbeSession, *, base_url: str, events: Sequence[CallEvent]
    ) -> None:
        self.session = session
        self.base_url = base_url
        self.events = events
        self.found_nothing: RowsRead | None = None
        self.missing_names: RowsRead | None = None

    def query(
        self,
        object_name: str,
        select: Sequence[str],
        where: Where | None = None,
        *,
        limit: int = 100,
    ) -> RowsRead:
        """Query once, as a load does."""
        body: dict[str, Json] = {
            "select": list(select),
            "orderBy": {"Gsid": "asc"},
            "limit": limit,
            "offset": 0,
        }
        if where is not None:
            body["where"] = to_wire(where)
        call = Call("POST", objects_path("query", object_name), kind="query", json=body)
        reply = self.session.send(call)
        read = RowsRead(tuple(select), reply)
        if read.were_read and not read.rows:
            self.found_nothing = read
        return read

    @cached_property
    def listed(self) -> Reply:
        """The list of objects."""
        return self.session.send(LIST_CALL)

    @cached_property
    def described_together(self) -> Reply:
        """The description of companies and users in one call."""
        return self.session.send(describe_several_call([COMPANY, USER]))

    @cached_property
    def described_activities(self) -> Reply | None:
        """The description of Timeline activities; None where no metadata is served."""
        return self._describe(ACTIVITY)

    @cached_property
    def described_company(self) -> Reply | None:
        """The description of companies, alone only where it does not come with users."""
        together = self.described_together
        return together if together.error is None else self._describe(COMPANY)

    def _describe(self, object_name: str) -> Reply | None:
        if self.listed.error and self.described_together.error:
            return None
        return self.session.send(describe_call(object_name))

    @cached_property
    def company_fields(self) -> tuple[DescribedField, ...]:
        """The fields of companies; empty if they are not described."""
        return fields_of(self.described_company, COMPANY)

    @cached_property
    def company_types(self) -> Mapping[str, str]:
        """The data types of the fields of companies, in part if they are not described."""
        described = {each.name: each.data_type for each in self.company_fields}
        return described or _KNOWN_COMPANY_FIELDS

    @cached_property
    def company_rows(self) -> RowsRead:
        """Companies with every field that can be read; with fewer if such a query is refused."""
        sample = list(_NARROW)
        for kinds in ({"DATE"}, {"DATETIME"}, TEXT_TYPES, PICKLIST_TYPES):
            names = [name for name, each in self.company_types.items() if each in kinds]
            sample += names[:_FIELDS_PER_TYPE]
        read = self._without_unreadable(tuple(self.company_types))
        for select in (tuple(dict.fromkeys(sample)), _NARROW):
            if read.is_refused:
                fewer = self.query(COMPANY, select)
                read = replace(fewer, unreadable=read.unreadable, refused=read.refused or read)
        return read

    def _without_unreadable(self, select: tuple[str, ...]) -> RowsRead:
        """Query companies, leaving out a few fields that the tenant cannot read."""
        unreadable: tuple[str, ...] = ()
        while True:
            read = replace(self.query(COMPANY, select), unreadable=unreadable)
            error = read.reply.error
            if error is None or error.code not in UNREADABLE_CODES:
                return read
            named = fields_in(error.description or "", select)
            unreadable += named
            select = tuple(name for name in select if name not in named)
            if not named or not select or len(unreadable) > _MAX_UNREADABLE:
                return replace(read, unreadable=unreadable)

    def company_values(self, *data_types: str) -> list[Json]:
        """List the values that companies have in fields of some types, null and blank included."""
        read = self.company_rows
        names = [name for name in read.select if self.company_types.get(name) in data_types]
        return [value for name in names for value in read.values(name)]

    @cached_property
    def user_rows(self) -> RowsRead:
        """Users, of whom every tenant has some."""
        described = {each.name for each in fields_of(self.described_together, USER)}
        select = [name for name in _USER_FIELDS if name in described or not described]
        return self.query(USER, select)

    @cached_property
    def category_items(self) -> Reply | None:
        """The items of the first picklist of companies that names a category only."""
        category = self._unlisted_category
        if category is None:
            return None
        return self.session.send(category_call(category))

    @property
    def _unlisted_category(self) -> str | None:
        unlisted = (f.category for f in self.company_fields if f.category and not f.items)
        return next(unlisted, None)

    def labels(self, field: DescribedField) -> Mapping[str, str]:
        """Return the labels of a picklist's items by GSID; empty if they are not known."""
        if field.items or not self.category_items or field.category != self._unlisted_category:
            return field.items
        listed = as_mappings(as_mapping(self.category_items.data).get("childItems"))
        return _labels(listed, gsid="gsid", label="name")


def entries_of(reply: Reply | None) -> tuple[Record, ...]:
    """Return the described objects in a response."""
    if reply is None or reply.error is not None:
        return ()
    return as_mappings(reply.data) or ((as_mapping(reply.data),) if reply.data else ())


def name_of(entry: Record) -> str:
    """Return the name of a described object, in lower case."""
    return (as_text(entry.get("objectName")) or "").lower()


def fields_of(reply: Reply | None, object_name: str) -> tuple[DescribedField, ...]:
    """Return the fields of one described object, without deleted ones."""
    entry = next((each for each in entries_of(reply) if name_of(each) == object_name), {})
    fields = []
    for each in as_mappings(entry.get("fields")):
        meta, name = as_mapping(each.get("meta")), as_text(each.get("fieldName"))
        is_deleted = str(meta.get("deleted", each.get("deleted"))).lower() == "true"
        if name is not None and not is_deleted:
            data_type = (as_text(each.get("dataType")) or "").upper()
            items = _labels(as_mappings(each.get("options")), gsid="value", label="label")
            category = as_text(as_mapping(meta.get("properties")).get("PICKLIST_CATEGORY_ID"))
            fields.append(DescribedField(name, data_type, items, category))
    return tuple(fields)


def _labels(items: Sequence[Record], *, gsid: str, label: str) -> dict[str, str]:
    return {str(item.get(gsid)): str(item.get(label)) for item in items}
