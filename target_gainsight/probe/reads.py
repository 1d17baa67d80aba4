"""Questions that reads answer: about the credential, the tenant's objects, rows and filters."""

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from decimal import Decimal
from urllib.parse import urlsplit

from target_gainsight.api import Condition, Json, ObjectSchema, all_of, any_of, errors, is_in
from target_gainsight.api.http.json_codec import as_mapping, as_mappings, as_text
from target_gainsight.api.resources.per_record import CTA_NAMES_CALL
from target_gainsight.api.resources.records import rows_of
from target_gainsight.mapping.errors import counted
from target_gainsight.mapping.types.datetimes import comparable_date, comparable_datetime
from target_gainsight.probe.observations import (
    Observation,
    ProbeEndedError,
    Topic,
    Verdict,
    holds,
    open_question,
    require,
)
from target_gainsight.probe.tenant import BASIC_FIELDS, COMPANY, GSID, USER, ProbedTenant

MAX_CALLS = 20
"""The calls of a probe that only reads, with retries and without token requests."""

ACTIVITY = "activity_timeline"
_READS = {
    COMPANY: (GSID,),
    "person": (GSID, "Email"),
    "company_person": (GSID, "Person_ID", "Company_ID"),
    "relationship": (GSID, "Name", "CompanyId"),
    "call_to_action": (GSID, "Name"),
    "activity_type": (GSID, "Name"),
}
_SERVER_ERROR, _REDIRECTS = 500, range(300, 400)
_TIMELINE_REFUSALS: Mapping[type | None, str] = {
    errors.UnsuitableObjectError: "wrong_api",
    errors.AccessDeniedError: "forbidden",
    errors.NotFoundError: "unknown",
    errors.ObjectNotFoundError: "unknown",
}
_LIMIT_WORDS = (
    "x gs api rate limit ratelimit quota calls requests retry after remaining reset policy used "
    "per minute hour day"
)
"""The words of header names that are shown; others may hold a company's name."""
_TEXT_TYPES = ("STRING", "EMAIL", "URL", "RICHTEXTAREA", "SFDCID")
_KEY_POSITIONS = {GSID: "selected", "gsid": "lower", "GSID": "upper"}
_FORMS = {"iso": re.compile(r"\d{4}-\d\d-\d\d(T.*)?"), "spaced": re.compile(r"\d{4}-\d\d-\d\d .*")}
_SIZES = (4_999, 1_000, 100, 1)
"""Numbers of keys: that of a load at most and at first, and fewer."""
_NO_DATA = {200: "no_data", 400: "no_data_400"}


def _list_objects(tenant: ProbedTenant) -> Iterator[Observation]:
    listed = tenant.listed
    if listed.error is not None and tenant.users.rows is None:
        raise ProbeEndedError(str(listed.error))
    yield holds("credential", True, "it does")
    entries = as_mappings(listed.data)
    observed = f"{len(entries):,} objects, {listed.summary}"
    yield Observation("metadata_status", listed.status if listed.error else 0, observed)
    standard = [each for each in entries if str(each.get("objectType")).upper() == "STANDARD"]
    flags = [str(each.get("transactional")).lower() for each in standard]
    if flags:
        observed = f"{flags.count('true')} of {len(flags)} are"
        yield Observation("standard_transactional", "true" in flags, observed)


def _describe_objects(tenant: ProbedTenant) -> Iterator[Observation]:
    together, schemas = tenant.described
    observed = f"{len(schemas)} of 2 objects, {together.summary}"
    yield Observation("describe_several", together.status if together.error else 0, observed)
    activity: ObjectSchema | None = None
    with suppress(errors.GainsightError):
        activity = tenant.metadata.describe(ACTIVITY)
    alone = tenant.reply
    verdict: Verdict = "as assumed" if activity else "handled"
    yield Observation("describe_one", None, alone.summary, verdict)
    if activity:
        types = activity.field("TypeName")
        count = len(types.options) if types else 0
        yield Observation("activity_types_described", count > 0, f"{count} types are listed")
    flags = [each.get("transactional") for each in as_mappings(tenant.listed.data)]
    are_first = []
    for reply, names in ((together, (COMPANY, USER)), (alone, (ACTIVITY,))):
        entries = as_mappings(reply.data)
        are_first += [str(each.get("objectName")).lower() in names for each in entries[:1]]
        fields = (field for entry in entries for field in as_mappings(entry.get("fields")))
        flags += [as_mapping(field.get("meta")).get("nillable") for field in fields]
    texts = sum(isinstance(flag, str) for flag in flags)
    if any(flag is not None for flag in flags):
        yield Observation("flags_as_text", texts > 0, f"{texts} of {len(flags)} are text")
    if are_first:
        observed = f"{sum(are_first)} of {len(are_first)} responses do"
        yield Observation("describe_children_first", not all(are_first), observed)


def _find_unreadable(tenant: ProbedTenant) -> Iterator[Observation]:
    read = tenant.companies
    unreadable = [each.name for each in tenant.company_fields if each.name not in read.select]
    is_narrow = read.select == BASIC_FIELDS and bool(unreadable)
    require(read.rows is not None and not is_narrow, "a query for all fields is refused")
    names = sorted({"custom fields" if "__" in name else name for name in unreadable})
    standard = (name for name in unreadable if "__" not in name)
    position = next(standard, None) if unreadable else ""
    observed = f"of {len(tenant.company_fields)} fields, not: {', '.join(names) or 'none'}"
    consequence = f"writes without comparing: {', '.join(unreadable) or 'none'}"
    yield Observation("unreadable_field", position, observed, None, consequence)


def _find_form(tenant: ProbedTenant) -> Iterator[Observation]:
    read = tenant.companies if tenant.companies.rows else tenant.users
    rows = require(rows_of(read.data), "the tenant returns no row of company or gsuser")
    place = "list" if isinstance(read.data, list) else "records"
    yield Observation("query_answer", place, f"the form of `data` is: {place}")
    names = {name for row in rows for name in row}
    position = next((each for name, each in _KEY_POSITIONS.items() if name in names), None)
    verdict: Verdict | None = None if position else "not handled"
    yield Observation("row_keys", position, f"as selected, case: {position or 'other'}", verdict)
    missing = sum(len(row) < len(read.select) for row in rows)
    yield holds("row_fields", not missing, f"{missing} of {len(rows)} rows lack some")


def _read_values(tenant: ProbedTenant) -> Iterator[Observation]:
    values: dict[str, list[Json]] = {"DATETIME": tenant.users.values("CreatedDate")}
    for field in tenant.company_fields:
        kind = "text" if field.data_type in _TEXT_TYPES else field.data_type
        values.setdefault(kind, []).extend(tenant.companies.values(field.name))
    yield observe_dates(DATES, values.get("DATE", ()))
    yield observe_dates(DATETIMES, values["DATETIME"])
    empty = {"null": None, "blank": ""}
    found = [name for name, value in empty.items() if value in values.get("text", ())]
    require(found, "no company that was read has an empty text field")
    yield Observation("empty_text_read", found[0] if len(found) == 1 else None, " and ".join(found))


def observe_dates(topic: Topic, values: Iterable[Json]) -> Observation:
    """Settle the form of dates or datetimes that were read, without those that are empty."""
    filled = [each for each in values if each not in (None, "")]
    if not filled:
        return open_question(topic.name, "no row that was read has one")
    comparable = comparable_date if topic is DATES else comparable_datetime
    compared = sum(comparable(each) is not None for each in filled)
    forms = sorted({_form(each) for each in filled})
    observed = f"{' and '.join(forms)}; {compared} of {len(filled)} values can be compared"
    if not compared:
        return holds(topic.name, False, observed)
    positions = ("epoch_ms", "iso") if topic is DATES else ("epoch_ms", "iso", "spaced")
    position = next((each for each in positions if forms == [each]), None)
    return Observation(topic.name, position, observed)


def _form(value: Json) -> str:
    if isinstance(value, int | float | Decimal):
        return "epoch_ms"
    return next((name for name, each in _FORMS.items() if each.fullmatch(str(value))), "other")


def _compare_case(tenant: ProbedTenant) -> Iterator[Observation]:
    sought: list[Json] = []
    where = []
    for field in ("Email", "Name"):
        others = (user for user in tenant.users.rows or () if user.get(GSID) not in sought)
        found = next((each for each in others if _has_case(each.get(field))), None)
        user = require(found, "it takes two users with a name and an email")
        sought.append(user.get(GSID))
        where.append(Condition(field, "EQ", (str(user[field]).swapcase(),)))
    read = tenant.query(USER, (GSID,), any_of(*where))
    require(read.rows is not None, read.summary)
    email, name = (gsid in read.values(GSID) for gsid in sought)
    position = {(True, True): "all", (True, False): "email", (False, False): "none"}
    ignoring = [what for what, each in {"emails": email, "names": name}.items() if each]
    observed = f"{' and '.join(ignoring) or 'neither'} without case"
    yield Observation("query_ignores_case", position.get((email, name)), observed)


def _has_case(value: Json) -> bool:
    text = as_text(value) or ""
    return text != text.swapcase() and text.swapcase().swapcase() == text


def _filter_by_wrong_type(tenant: ProbedTenant) -> Iterator[Observation]:
    require(tenant.users.values("CreatedDate"), "no user that was read has a CreatedDate")
    where = Condition("CreatedDate", "EQ", ("no datetime",))
    read = tenant.query(USER, (GSID,), where, limit=1)
    position = False if read.rows is None else bool(read.rows) or None
    observed = f"{len(read.rows or ())} rows, {read.summary}"
    yield Observation("ignores_wrong_filter", position, observed)


def _read_picklists(tenant: ProbedTenant) -> Iterator[Observation]:
    picklists = [each for each in tenant.company_fields if each.data_type == "PICKLIST"]
    listed = sum(bool(each.options) for each in require(picklists, "company has no picklist"))
    position = "listed"
    if not listed:
        position = "by_category" if picklists[0].load_options() else "unlisted"
    yield Observation("picklist_options", position, f"{listed} of {len(picklists)} are: {position}")
    for field in picklists:
        for row in tenant.companies.rows or ():
            item = as_text(row.get(field.name)) or ""
            options = (field.options or field.load_options()) if item else ()
            labels = {each.gsid: each.label for each in options}
            if item in labels.values():
                yield holds("picklist_read", False, "the item's label")
                return
            if item in labels:
                yield holds("picklist_read", True, "the item's GSID")
                by_gsid = Condition(GSID, "EQ", (row[GSID],))
                where = all_of(by_gsid, Condition(field.name, "EQ", (labels[item],)))
                read = tenant.query(COMPANY, (GSID,), where)
                observed = f"a label finds {len(read.rows or ())} rows, {read.summary}"
                yield Observation("query_picklist_by_label", bool(read.rows), observed)
                return
    require(None, "no company that was read has one with known labels")


def _read_objects(tenant: ProbedTenant) -> Iterator[Observation]:
    reads = {COMPANY: tenant.companies, USER: tenant.users}
    for name, fields in _READS.items():
        reply = reads[name] = reads.get(name) or tenant.query(name, fields, limit=1)
        is_optional = name == "activity_type" or isinstance(reply.error, errors.NotFoundError)
        verdict: Verdict = "handled" if is_optional else "not handled"
        verdict = verdict if reply.rows is None else "as assumed"
        observed = reply.summary if reply.rows is None else counted(len(reply.rows), "row")
        yield Observation(f"reads_{name}", None, observed, verdict)
    reply = reads[ACTIVITY] = tenant.query(ACTIVITY, (GSID, "ExternalId"), limit=1)
    position = _TIMELINE_REFUSALS.get(type(reply.error), "refused")
    position = position if reply.rows is None else "answered"
    yield Observation("timeline_query", position, f"{position}, {reply.summary}")
    failing = [name for name, reply in reads.items() if reply.status == _SERVER_ERROR]
    observed = f"{', '.join(failing) or f'none of {len(reads)} objects'} answers HTTP 500"
    yield Observation("query_error_object", failing[0] if failing else "", observed)


def _list_cta_names(tenant: ProbedTenant) -> Iterator[Observation]:
    reply = tenant.send(CTA_NAMES_CALL)
    position = None
    if reply.error:
        is_unknown = isinstance(reply.error, errors.UnknownRouteError | errors.NotFoundError)
        position = "unknown" if is_unknown else "refused"
    elif as_mappings(reply.data):
        position = "flat"
    elif any(as_mappings(items) for items in as_mapping(reply.data).values()):
        position = "by_category"
    yield Observation("cta_names", position, f"{position or 'no names'}, {reply.summary}")


def _find_sizes(tenant: ProbedTenant) -> Iterator[Observation]:
    """Look for names that no company has: as many as a load does, or fewer if that is refused."""
    refused = None
    for size in _SIZES:
        # As long as a GSID, and longer than most keys.
        names = [f"tg-probe-{number:027}" for number in range(size)]
        read = tenant.query(COMPANY, (GSID, "Name"), is_in("Name", names))
        if not read.is_refused:
            break
        refused = read
    if read.is_refused:
        yield holds("query_max_values", False, f"not even one is accepted ({read.summary})")
    require(read.rows is not None, read.summary)
    rows = len(read.rows or ())
    yield holds("filters_hold", not rows, f"{rows} rows are found that do not exist")
    if refused is None:
        yield Observation("query_max_values", 0, f"{size:,} are accepted")
        yield Observation("query_max_bytes", 0, f"{read.sent_bytes:,} bytes are accepted")
        return
    # One long name, in a body about as large as the one that was refused.
    name = "tg-probe".ljust(refused.sent_bytes - 200, "-")
    by_bytes = tenant.query(COMPANY, (GSID, "Name"), is_in("Name", [name]))
    observed = f"{size:,} in {read.sent_bytes:,} bytes are accepted, {refused.sent_bytes:,} are not"
    if by_bytes.is_refused:
        yield open_question("query_max_values", "the size in bytes is refused first")
        yield Observation("query_max_bytes", read.sent_bytes, observed)
    else:
        yield Observation("query_max_values", size, observed)
        yield Observation("query_max_bytes", 0, "not limited below the number of values")


def _find_no_rows(tenant: ProbedTenant) -> Iterator[Observation]:
    reply = require(tenant.found_nothing, "no query found nothing")
    if reply.error is None:
        position: str | None = "records" if as_mapping(reply.data) else "list"
    else:
        no_data = _NO_DATA.get(reply.status or 0)
        position = "nothing_matches" if reply.code == "GSOBJ_1011" else no_data
    yield Observation("no_rows", position, f"{position or 'another form'}, {reply.summary}")


def _find_host(tenant: ProbedTenant) -> Iterator[Observation]:
    host = urlsplit(tenant.base_url).hostname or ""
    kind = "gainsightcloud.com" if host.endswith(".gainsightcloud.com") else "another domain"
    moved = sorted({each.call.kind for each in tenant.events if each.status in _REDIRECTS})
    observed = f"under {kind}; redirected calls: {', '.join(moved) or 'none'}"
    yield holds("host", not moved, observed)
    limits = [
        f"{name}: {value}" if value.isdecimal() else name
        for name, value in sorted(tenant.headers.items())
        if set(name.split("-")) <= set(_LIMIT_WORDS.split())
    ]
    verdict: Verdict = "handled" if limits else "as assumed"
    yield Observation("limit_headers", None, ", ".join(limits) or "none", verdict)


_CHECKED = "checks names and labels that are listed"
_EACH = "describes each object alone if that fails"
_DESCRIBED = "checks fields if the object is described"
_UNUSED = "does not depend on it"
_COMPARED = "compares the field"
_FILTER = "stops a stream if the filter was ignored"
_EVERY = "sends every activity if it cannot"
_LIMITED = "has settings for the limits"
_ALIKE = "treats empty text and null alike"
_GIVEN_UP = "gives such an object up after three tries"
_REWRITTEN = "writes records with such a field in every run"
_STOPS = "stops a stream before anything is written"
_NEAR = "compares keys exactly, and looks up near matches"
_HALVED = "halves a refused query, and keeps its size for the rest of the run"
_READ = "reads all forms"

DATES = Topic("date_read", "dates are epoch milliseconds", _READ, "epoch_ms", _REWRITTEN)
DATETIMES = Topic("datetime_read", "they are epoch milliseconds", _READ, "epoch_ms", _REWRITTEN)
EMPTY_TEXT = Topic("empty_text_read", "empty text is null", _ALIKE, "null")

READ_QUESTIONS = {
    _list_objects: (
        Topic("credential", "the tenant accepts the credential"),
        Topic("metadata_status", "objects are listed", _CHECKED, 0),
        Topic("standard_transactional", "standard ones are not transactional", _UNUSED, False),
    ),
    _describe_objects: (
        Topic("describe_several", "one call describes several objects", _EACH, 0),
        Topic("describe_one", "a GET describes one object", _DESCRIBED),
        Topic("activity_types_described", "activity types are items of TypeName", _CHECKED, True),
        Topic("flags_as_text", "flags are true and false", _READ, False),
        Topic("describe_children_first", "the objects asked for come first", _UNUSED, False),
    ),
    _find_unreadable: (
        Topic("unreadable_field", "every described field can be queried", _COMPARED, ""),
    ),
    _find_form: (
        Topic("query_answer", "rows are a list in `data`", _READ, "list"),
        Topic("row_keys", "fields are named as selected", "ignores the case", "selected", _STOPS),
        Topic("row_fields", "a row has every selected field", _COMPARED, otherwise=_STOPS),
    ),
    _read_values: (DATES, DATETIMES, EMPTY_TEXT),
    _compare_case: (Topic("query_ignores_case", "only emails ignore case", _NEAR, "email"),),
    _filter_by_wrong_type: (
        Topic("ignores_wrong_filter", "a value of the wrong type is refused", _FILTER, False),
    ),
    _read_picklists: (
        Topic("picklist_options", "picklists are described with items", _CHECKED, "listed"),
        Topic("picklist_read", "a picklist is read as a GSID", _COMPARED, otherwise=_REWRITTEN),
        Topic("query_picklist_by_label", "a filter accepts labels", "filters by GSIDs", True),
    ),
    _read_objects: (
        *(
            Topic(f"reads_{name}", f"{name} can be queried", "finds records", otherwise=_STOPS)
            for name in _READS
        ),
        Topic("timeline_query", "Timeline can be queried", _EVERY, "answered"),
        Topic("query_error_object", "no query of a standard object fails for good", _GIVEN_UP, ""),
    ),
    _list_cta_names: (Topic("cta_names", "CTA names come by category", _CHECKED, "by_category"),),
    _find_sizes: (
        Topic("query_max_values", "an IN takes 4,999 values", _HALVED, 0, _STOPS),
        Topic("query_max_bytes", "a query may have 200,000 bytes", _HALVED, 0),
        Topic("filters_hold", "a query returns only what its filter matches", otherwise=_STOPS),
    ),
    _find_no_rows: (
        Topic("no_rows", "no rows are an empty list in `data.records`", _READ, "records"),
    ),
    _find_host: (
        Topic("host", "one host serves every API", otherwise="fails redirected calls"),
        Topic("limit_headers", "no header has the number of calls left", _LIMITED),
    ),
}
"""The most important ones first, in case the calls run out."""
