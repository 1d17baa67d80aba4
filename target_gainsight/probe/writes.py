"""Questions about writes to an object, their keys, limits, refusals and values, and to a person."""

import re
import secrets
from collections.abc import Iterator, Mapping

from target_gainsight.api import Call, Json, Record, is_in
from target_gainsight.api.http.json_codec import as_mapping
from target_gainsight.mapping.types.datetimes import comparable_date
from target_gainsight.probe.observations import Observation, ProbeEndedError, Topic, holds, require
from target_gainsight.probe.reads import DATES, DATETIMES, EMPTY_TEXT, observe_dates
from target_gainsight.probe.tenant import BASIC_FIELDS, GSID, ProbedTenant, Reply
from target_gainsight.probe.trial import DAY, Trial, labels_with_case

_BY_GSID = "reads rows, and updates them by GSID"
_NO_SUCH_CALL = "sends no such call"
_NARROWED = "narrows a refused batch by the listed fields, otherwise by halving"
_RESOLVED = "resolves lookups by reading, and sends GSIDs"
_LOOKED_UP = "looks rows up before it deletes them"
_FORMAT = "sends date_format, and tries the other format once"
_SENT = "sends milliseconds and offset"
_REPORT = "does not support that; please report this profile"

FIRST, SECOND, TWIN, UNTOUCHED, ABSENT = 3, 1, 4, 2, 5
"""Numbers of the rows, in the order in which they are created, not that of their keys; the last is
that of a key that no row has."""
TOO_MANY = range(10, 61)
"""The numbers of one more record than a call may have."""
_GENERIC = "GSOBJ_1008"
_TAIL = re.compile(r"\(\s*\w[\w.]*(?P<blank>\s*)=")
_DELETE_POSITIONS = {
    (400, "GSOBJ_1011"): "nothing_matches",
    (404, "GSOBJ_1011"): "not_found",
    (500, "GSOBJ_1003"): "delete_failed",
}
_PERSON_FIELDS = (GSID, "Email", "Name", "FirstName", "MiddleName", "LastName")
_DAYS: Mapping[str, tuple[int, Json]] = {
    "iso": (FIRST, DAY),
    "mdy": (SECOND, "01-27-2026"),
    "MM/DD/YYYY": (UNTOUCHED, "01/27/2026"),
    "ISO datetime": (UNTOUCHED, f"{DAY}T00:00:00.000Z"),
    "epoch milliseconds": (UNTOUCHED, 1_769_472_000_000),
}
"""The same day in several formats, each with the row that it is written to."""


def _observe_write(name: str, reply: Reply, accepted: Json, refused: Json) -> Observation:
    """Return the position for a write that is accepted, or that for one that is refused."""
    if reply.accepts():
        return Observation(name, accepted, "accepted")
    return Observation(name, refused, f"refused with {reply.summary}")


def _create(trial: Trial) -> Iterator[Observation]:
    numbers = (FIRST, SECOND, TWIN, UNTOUCHED)
    reply = trial.create(numbers)
    if reply.error:
        message = f"{trial.object_name} does not take the probe's records: {reply.error}"
        raise ProbeEndedError(message)
    listed, rows = list(trial.created), trial.read()
    sent = [str(row[GSID]) for number in numbers for row in rows[number]]
    require(sorted(listed) == sorted(sent), "the response does not list the records by GSID")
    yield holds("row_order", listed == sent, "it does" if listed == sent else "in another order")


def _update_without_match(trial: Trial) -> Iterator[Observation]:
    """Update two rows, and between them a key that no row has."""
    change = trial.change(2)
    reply = trial.update({FIRST: change, ABSENT: change, SECOND: change})
    rows = trial.read(*change)
    changed = sum(change.items() <= row.items() for row in [*rows[FIRST], *rows[SECOND]])
    positions = {(False, 0): "error", (False, 2): "error_others_written", (True, 2): "ignore"}
    position = positions.get((reply.accepts(), changed)) if not rows[ABSENT] else None
    observed = f"{reply.summary}; {changed} of 2 others written, {len(rows[ABSENT])} created"
    yield Observation("put_without_match", position, observed)
    yield _observe_write("put_without_match_code", reply, None, reply.code)


def _update_twins(trial: Trial) -> Iterator[Observation]:
    """Give a second row the key of another one, and update by that key."""
    change = trial.change(3)
    require(trial.create([TWIN]).accepts(), "a second record with the same key is refused")
    reply = trial.update({TWIN: change})
    changed = sum(change.items() <= row.items() for row in trial.read(*change)[TWIN])
    position = {1: "update_first", 2: "update_all"}.get(changed)
    observed = f"{reply.summary}; {changed} of 2 rows are updated"
    yield Observation("put_multi_match", position if reply.accepts() else "error", observed)


def _update_by_keys(trial: Trial) -> Iterator[Observation]:
    """Update by GSID, by four keys, and a record that lacks the second of two keys."""
    reply = trial.update_by_gsid(FIRST, trial.change(1))
    yield _observe_write("keys_gsid_refused", reply, False, True)
    change = trial.change(4)
    trial.update({FIRST: change})
    reply = trial.update({FIRST: change}, [*change, trial.key, *change])
    yield _observe_write("too_many_keys_code", reply, None, reply.code)
    reply = trial.update({FIRST: {}}, list(change))
    yield _observe_write("put_missing_key", reply, "ignore", "error")
    yield _observe_write("put_missing_key_code", reply, None, reply.code)


def _send_too_many_records(trial: Trial) -> Iterator[Observation]:
    reply = trial.create(TOO_MANY)
    yield _observe_write("too_many_records_code", reply, None, reply.code)


def _send_bad_records(trial: Trial) -> Iterator[Observation]:
    roles = ("number", "date", "datetime", "boolean", "picklist")
    typed = [field.name for role in roles if (field := trial.fields[role])][:2]
    bad = dict.fromkeys(typed, "not valid for probe")
    reply = trial.update({FIRST: bad, SECOND: dict.fromkeys(typed[:1], "not valid for probe")})
    require(not reply.accepts(), "the tenant accepts values of the wrong type")
    errors = as_mapping(reply.data).get("errors")
    listed = errors if isinstance(errors, list) else []
    groups = [len(each) if isinstance(each, list) else 0 for each in listed]
    nested, flat = [len(bad), 1], [0] * (len(bad) + 1)
    shapes = {"missing": [], "first_only": [1], "nested": nested, "flat": flat}
    position = next((each for each, shape in shapes.items() if groups == shape), None)
    observed = f"{position}, {len(listed)} entries for 2 bad records with {len(bad) + 1} bad fields"
    yield Observation("error_listing", position, observed)
    tail = _TAIL.search((reply.error and reply.error.description) or "")
    form = None if tail is None else "spaced" if tail["blank"] else "tight"
    yield Observation("error_tail", form, f"{form or 'another'} form")


def _link_to_nothing(trial: Trial) -> Iterator[Observation]:
    """Let the tenant look up a name that no row has, and write a GSID that no row has."""
    field, column = trial.field("lookup"), "tg_probe_match"
    lookup: Json = {
        "fields": {column: "Name"},
        "lookupField": GSID,
        "objectName": field.lookup_objects[0],
        "multiMatchOption": "FIRSTMATCH",
        "onNoMatch": "ERROR",
    }
    record = {column: f"tg-probe-{secrets.token_hex(16)}"}
    reply = trial.update({FIRST: record}, lookups={field.name: lookup})
    yield _observe_write("lookup_error_code", reply, None, reply.code)
    gsids = trial.tenant.query(field.lookup_objects[0], BASIC_FIELDS, limit=1).values(GSID)
    gsid = str(require(gsids, "no row of the lookup's object can be read")[0])
    reply = trial.write("lookup", gsid[:4] + secrets.token_hex(16).upper(), FIRST)
    yield _observe_write("lookup_must_exist", reply, False, True)


def _write_dates(trial: Trial) -> Iterator[Observation]:
    name = trial.field("date").name
    replies = {form: trial.write("date", day, row) for form, (row, day) in _DAYS.items()}
    accepted = [form for form, reply in replies.items() if reply.accepts()]
    formats = [form for form in accepted if form in {"iso", "mdy"}]
    others = [form for form in accepted if form not in formats]
    yield Observation("other_date_forms", None, ", ".join(others) or "none is accepted")
    if not formats:
        yield holds("date_formats", False, f"both are refused with {replies['iso'].summary}")
    position = "both" if formats[1:] else require(formats, "no date is accepted")[0]
    yield Observation("date_formats", position, f"accepted: {', '.join(formats)}")
    rows = trial.read(name)
    values = [row.get(name) for form in formats for row in rows[_DAYS[form][0]]]
    yield observe_dates(DATES, values)
    is_same = {comparable_date(each) for each in values} == {DAY}
    yield holds("date_written", is_same, "the same day" if is_same else "another day or time")


def _write_datetimes(trial: Trial) -> Iterator[Observation]:
    name = trial.field("datetime").name
    if trial.write("datetime", f"{DAY}T10:20:30.000Z", FIRST).accepts():
        reply = trial.write("datetime", f"{DAY}T10:20:30Z", FIRST)
        yield _observe_write("datetime_milliseconds_required", reply, False, True)
    else:
        yield holds("datetime_milliseconds_required", False, "refused with milliseconds")
    yield observe_dates(DATETIMES, [row.get(name) for row in trial.read(name)[FIRST]])


def _write_number(trial: Trial) -> Iterator[Observation]:
    reply = trial.write("number", "5", FIRST)
    yield _observe_write("numeric_strings", reply, True, False)


def _write_labels(trial: Trial) -> Iterator[Observation]:
    label = labels_with_case(trial.field("picklist"))[0]
    if trial.write("picklist", label, FIRST).accepts():
        reply = trial.write("picklist", label.swapcase(), FIRST)
        yield _observe_write("picklist_ignores_case", reply, True, False)
    else:
        yield holds("picklist_ignores_case", False, "an active label is refused")


def _clear_text(trial: Trial) -> Iterator[Observation]:
    """Write empty text and null to filled fields; compare with a row that was never filled."""
    name = trial.field("nullable text").name
    trial.update({number: {name: "filled"} for number in (FIRST, SECOND)})
    empty = trial.write("nullable text", "", FIRST)
    null = trial.write("nullable text", None, SECOND)
    rows = trial.read(name)
    emptied, cleared, unfilled = (rows[each][0].get(name) for each in (FIRST, SECOND, UNTOUCHED))
    if unfilled in {None, ""}:
        form = "null" if unfilled is None else "blank"
        yield Observation("empty_text_read", form, form)
    if not empty.accepts():
        yield holds("empty_text_written", False, empty.summary)
    elif emptied in {None, ""}:
        position = "cleared" if emptied is None else "kept"
        yield Observation("empty_text_written", None if unfilled == "" else position, position)
    is_cleared = null.accepts() and cleared == unfilled
    yield holds("null_clears", is_cleared, f"cleared: {is_cleared}, {null.summary}")


def _delete_twice(trial: Trial) -> Iterator[Observation]:
    gsid = str(trial.read()[UNTOUCHED][0][GSID])
    trial.delete(gsid)
    reply = trial.delete(gsid)
    position = _DELETE_POSITIONS.get((reply.status or 0, reply.code or ""))
    yield Observation("delete_missing", position, reply.summary)


def find_people(tenant: ProbedTenant, email: str) -> list[Record]:
    """Read the people with this email, in any case."""
    wanted = email.strip().casefold()
    where = is_in("Email", [email.strip(), wanted, wanted.upper(), wanted.title()])
    rows = tenant.records.query("person", select=_PERSON_FIELDS, where=where, limit=100)
    found = [row for row in rows if str(row.get("Email")).casefold() == wanted]
    return [{name: row.get(name) for name in _PERSON_FIELDS} for row in found]


def _send_person_again(facts: tuple[ProbedTenant, Record]) -> Iterator[Observation]:
    """Send an existing person its own values again, to see the shape of the response."""
    tenant, person = facts
    values = {name: value for name, value in person.items() if value and name != GSID}
    reply = tenant.send(Call("PUT", "/v1/peoplemgmt/v1.0/people", kind="person", json=values))
    is_same = find_people(tenant, str(person["Email"])) == [person]
    observed = "it does not" if is_same else "the names or the email have changed"
    yield holds("person_unchanged", is_same, observed)
    require(reply.error is None, reply.summary)
    shapes: Mapping[str, set[str]] = {"empty": set(), "gsid": {GSID}, "echo": {GSID, *values}}
    names = set(as_mapping(reply.data))
    position = next((each for each, shape in shapes.items() if names == shape), None)
    yield Observation("people_answer", position, f"data has this shape: {position or 'another'}")


QUESTIONS = {
    _create: (Topic("row_order", "created rows are listed in the order sent", otherwise=_REPORT),),
    _update_without_match: (
        Topic("put_without_match", "one key without a match refuses all", _BY_GSID, "error"),
        Topic("put_without_match_code", "that refusal has GSOBJ_1011", _BY_GSID, "GSOBJ_1011"),
    ),
    _update_twins: (Topic("put_multi_match", "a key updates every row", _BY_GSID, "update_all"),),
    _update_by_keys: (
        Topic("keys_gsid_refused", "an update by keys=Gsid is accepted", _BY_GSID, False),
        Topic("too_many_keys_code", "4 keys are refused with GSOBJ_1008", _NO_SUCH_CALL, _GENERIC),
        Topic("put_missing_key", "a record without a key is refused", _NO_SUCH_CALL, "error"),
        Topic("put_missing_key_code", "that refusal has GSOBJ_1007", _NO_SUCH_CALL, "GSOBJ_1007"),
    ),
    _send_too_many_records: (
        Topic("too_many_records_code", "51 records are refused", _NO_SUCH_CALL, _GENERIC),
    ),
    _send_bad_records: (
        Topic("error_listing", "a refusal lists bad fields by record", _NARROWED, "nested"),
        Topic("error_tail", "a refusal ends in (Field = value)", "reads both", "spaced"),
    ),
    _write_dates: (
        Topic("other_date_forms", "no other date format is needed", _FORMAT),
        Topic("date_formats", "YYYY-MM-DD and MM-DD-YYYY are accepted", _FORMAT, "both", _REPORT),
        Topic("date_written", "the same day is read back", otherwise=_REPORT),
        DATES,
    ),
    _write_datetimes: (
        Topic("datetime_milliseconds_required", "they may be left out", _SENT, False, _REPORT),
        DATETIMES,
    ),
    _write_number: (Topic("numeric_strings", "text is no number", "sends numbers", False),),
    _write_labels: (
        Topic("picklist_ignores_case", "another case is refused", "checks labels", False, _REPORT),
    ),
    _clear_text: (
        Topic("empty_text_written", "empty text is kept", "sends it", "kept", _REPORT),
        Topic("null_clears", "null clears a field", otherwise=_REPORT),
        EMPTY_TEXT,
    ),
    _link_to_nothing: (
        Topic("lookup_must_exist", "a link to no row is refused", _RESOLVED, True),
        Topic("lookup_error_code", "a failed lookup is GSOBJ_1008", _RESOLVED, _GENERIC),
    ),
    _delete_twice: (
        Topic("delete_missing", "a missing row is GSOBJ_1011", _LOOKED_UP, "nothing_matches"),
    ),
}
PERSON_QUESTIONS = {
    _send_person_again: (
        Topic("people_answer", "the response has the GSID", "reads nothing else", "gsid"),
        Topic("person_unchanged", "the person does not change", otherwise="has changed it"),
    ),
}
