"""Inserts, updates and queries records through the records API; writes all or nothing.

Company API and Custom Object API, Insert / Update [D]; the shape of failures is observed
in connectors that were tested live [O].
"""

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from target_gainsight.sandbox.answers import (
    GENERIC,
    INVALID_VALUE,
    NULL_VALUE,
    OBJECT_NOT_FOUND,
    WRONG_API,
    Answer,
    FieldError,
    Incoming,
    Refusal,
    refuse,
)
from target_gainsight.sandbox.endpoints.lookups import resolve_lookups
from target_gainsight.sandbox.endpoints.query import answer_query
from target_gainsight.sandbox.storage.identifiers import new_gsids
from target_gainsight.sandbox.storage.model import KEY_TYPES, PICKLIST_TYPES, Field, ObjectModel
from target_gainsight.sandbox.storage.store import Changes
from target_gainsight.sandbox.storage.values import ValueRefusedError, condition_parser
from target_gainsight.sandbox.tenant import Tenant

Record = dict[str, Any]
Errors = dict[int, list[FieldError]]
"""Refused fields by the position of their record."""

_TAILS = {"spaced": "({} = {}).", "tight": "({}= {})"}
_TIMELINE_REFUSALS = {
    "refused": (GENERIC, 400),
    "wrong_api": (WRONG_API, 400),
    "forbidden": ("GS_APIG_2403", 403),
    "unknown": (OBJECT_NOT_FOUND, 404),
}


def insert_records(tenant: Tenant, call: Incoming) -> Answer:
    """`POST /v1/data/objects/{Object}`: add up to 50 records.

    Raises:
        Refusal: A record is not valid; none is written.
    """
    sent = sent_records(tenant, call.body)
    model = writable_object(tenant, call, sent)
    with tenant.store.transaction():
        records, errors = resolve_lookups(tenant, sent, call.body)
        rows = checked_rows(tenant, model, records, errors, creating=True)
        required = model.required_fields
        for index, record in enumerate(records):
            for name in required:
                if name not in record:
                    error = FieldError(name, None, NULL_VALUE, f"{name} is mandatory")
                    errors.setdefault(index, []).append(error)
        _refuse_errors(tenant, model, errors)
        gsids = new_gsids(model.prefix, len(rows))
        stamp = tenant.creation_stamp()
        stamped = (*stamp, "Gsid")
        values = list(stamp.values())
        tenant.store.insert(
            model,
            [
                ((*names, *stamped), [*given, *values, gsid])
                for (names, given), gsid in zip(rows, gsids, strict=True)
            ],
        )
    return written(records, gsids)


def update_records(tenant: Tenant, call: Incoming) -> Answer:
    """`PUT /v1/data/objects/{Object}?keys=F1,F2,F3`: update the rows that the keys match.

    Never inserts: a key without a match refuses the call with GSOBJ_1011 [I]. By a switch, the
    other records are written nevertheless.

    Raises:
        Refusal: The keys or a record are not valid, or match nothing; nothing is written.
    """
    sent = sent_records(tenant, call.body)
    model = writable_object(tenant, call, sent)
    keys = _keys(tenant, model, call.query.get("keys", ""))
    with tenant.store.transaction():
        records, errors = resolve_lookups(tenant, sent, call.body)
        names = {field.name for field in keys}
        rows = checked_rows(tenant, model, records, errors, creating=False, keys=names)
        ignored = tenant.switches.put_missing_key == "ignore" and len(keys) > 1
        wanted = key_values(tenant, keys, records, errors, may_be_missing=ignored)
        _refuse_errors(tenant, model, errors)
        found = _matches(tenant, model, keys, wanted)
        unmatched = _unmatched_errors(tenant, keys, records, found)
        if tenant.switches.put_without_match != "error_others_written":
            _refuse_errors(tenant, model, unmatched)
        stamp = tenant.change_stamp()
        stamped, values = tuple(stamp), list(stamp.values())
        tenant.store.update(
            model,
            [
                (gsid, ((*names, *stamped), [*given, *values]))
                for index, (names, given) in enumerate(rows)
                if index not in unmatched
                for gsid in found.get(index, ())
            ],
        )
    _refuse_errors(tenant, model, unmatched)
    matched = sorted(found)
    return written([records[index] for index in matched], [found[index][0] for index in matched])


def query_records(tenant: Tenant, call: Incoming) -> Answer:
    """`POST /v1/data/objects/query/{Object}`: read the rows that a query selects."""
    name = call.params["object"]
    model = tenant.find_object(name)
    if model is None and not tenant.config.auto_create:
        model = tenant.named_object(name)
    refusal = _TIMELINE_REFUSALS.get(tenant.switches.timeline_query)
    if refusal and model and model.name == "activity_timeline":
        raise refuse(refusal[0], f"{model.name} is not read", status=refusal[1])
    return answer_query(tenant, model, call.body, call.size)


def written(records: Sequence[Record], gsids: Sequence[str]) -> Answer:
    """Return the response to a write: each record as it was sent, with its GSID."""
    answered = [{**record, "Gsid": gsid} for record, gsid in zip(records, gsids, strict=True)]
    data = {"count": len(answered), "errors": None, "records": answered}
    return Answer(data=data, records=len(answered))


def sent_records(tenant: Tenant, body: object) -> list[Record]:
    """Return the records of a write's body.

    Raises:
        Refusal: There are none or too many, or one is not an object.
    """
    listed = listed_in(tenant, body, "records")
    if not all(isinstance(record, dict) and record for record in listed):
        raise refuse(GENERIC, "every record must be an object with at least one field")
    return listed


def listed_in(tenant: Tenant, body: object, name: str) -> list[Any]:
    """Return the list that a write's body has under a name such as `records`.

    Raises:
        Refusal: It is missing, empty or too long.
    """
    listed = body.get(name) if isinstance(body, Mapping) else None
    if not isinstance(listed, list) or not listed:
        one = name.removesuffix("s")
        raise refuse(GENERIC, f"{name} must be a list of at least one {one}")
    most = tenant.config.limits.records_per_write
    if most and len(listed) > most:
        code = tenant.switches.too_many_records_code
        raise refuse(code, f"Only {most} {name} are allowed in a call, not {len(listed)}")
    return listed


def writable_object(tenant: Tenant, call: Incoming, sent: Sequence[Record]) -> ObjectModel:
    """Return the object that a call writes.

    Raises:
        Refusal: The tenant has no such object, or another API writes it.
    """
    name = call.params["object"]
    model = tenant.find_object(name)
    if tenant.config.auto_create and sent:
        model = tenant.learn(name, sent, _lookup_columns(call.body))
    if model is None:
        raise refuse(OBJECT_NOT_FOUND, "Requested object not found.", status=404)
    if not model.transactional:
        raise refuse(WRONG_API, f"{model.name} is a high-volume object: use the bulk API")
    if not model.writable:
        raise refuse(WRONG_API, f"{model.name} is not written through this API")
    return model


def _lookup_columns(body: object) -> set[str]:
    lookups = body.get("lookups") if isinstance(body, Mapping) else None
    return {column for each in (lookups or {}).values() for column in each.get("fields", ())}


def checked_rows(
    tenant: Tenant,
    model: ObjectModel,
    records: Sequence[Record],
    errors: Errors,
    *,
    creating: bool,
    keys: Collection[str] = (),
) -> list[Changes]:
    """Return the records' fields in stored form, without the keys; add refusals to `errors`."""
    parsers = tenant.parsers(model, creating=creating)
    rows: list[Changes] = []
    for index, record in enumerate(records):
        names, values = [], []
        for name, value in record.items():
            if name in keys:
                continue
            try:
                parse = parsers[name]
                values.append(parse(value))
                names.append(name)
            except KeyError:
                if value is None and tenant.config.auto_create:
                    continue
                error = FieldError(name, value, INVALID_VALUE, "Invalid field")
                errors.setdefault(index, []).append(error)
            except ValueRefusedError as refused:
                error = FieldError(name, value, refused.code, refused.message)
                errors.setdefault(index, []).append(error)
        rows.append((tuple(names), values))
    _check_lookups(tenant, model, rows, errors)
    _apply_rules(tenant, model, records, errors)
    return rows


def _check_lookups(
    tenant: Tenant, model: ObjectModel, rows: Sequence[Changes], errors: Errors
) -> None:
    if not tenant.switches.lookup_must_exist:
        return
    sent = {name for names in {names for names, _ in rows} for name in names}
    for field in model.relations.values():
        if field.name in sent:
            _check_lookup(tenant, field, rows, errors)


def _check_lookup(tenant: Tenant, field: Field, rows: Sequence[Changes], errors: Errors) -> None:
    sent = {
        index: values[names.index(field.name)]
        for index, (names, values) in enumerate(rows)
        if field.name in names
    }
    wanted = {gsid for gsid in sent.values() if gsid is not None}
    target = tenant.named_object(field.lookup_object or "")
    missing = wanted - tenant.store.existing(target, wanted)
    for index, gsid in sent.items():
        if gsid in missing:
            error = FieldError(field.name, gsid, INVALID_VALUE, "Invalid GSID")
            errors.setdefault(index, []).append(error)


def _apply_rules(
    tenant: Tenant, model: ObjectModel, records: Sequence[Record], errors: Errors
) -> None:
    for rule in tenant.faults.rules:
        for index, record in enumerate(records):
            if rule.refuses(model.name, record):
                error = FieldError(rule.field, rule.value, rule.code, rule.message)
                errors.setdefault(index, []).append(error)


def _keys(tenant: Tenant, model: ObjectModel, text: str) -> list[Field]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names:
        raise refuse(GENERIC, "keys are mandatory")
    most = tenant.config.limits.keys
    if most and len(names) > most:
        code = tenant.switches.too_many_keys_code
        raise refuse(code, f"Only {most} keys are allowed, not {len(names)}")
    return [_key(tenant, model, name) for name in names]


def _key(tenant: Tenant, model: ObjectModel, name: str) -> Field:
    field = model.fields.get(name)
    if field is None:
        raise refuse(INVALID_VALUE, f"Invalid key field {name}")
    refused_gsid = name == "Gsid" and tenant.switches.keys_gsid_refused
    if field.data_type not in KEY_TYPES or refused_gsid:
        raise refuse(INVALID_VALUE, f"Field {name} of type {field.data_type} cannot be a key")
    return field


def key_values(
    tenant: Tenant,
    keys: Sequence[Field],
    records: Sequence[Record],
    errors: Errors,
    *,
    may_be_missing: bool = False,
) -> list[list[object]]:
    """Return the stored values of each record's keys; add refusals to `errors`."""
    parsers = [(key.name, condition_parser(key, tenant.switches)) for key in keys]
    wanted = []
    for index, record in enumerate(records):
        values: list[object] = []
        for name, parse in parsers:
            error = None
            try:
                values.append(parse(record.get(name)))
            except ValueRefusedError as refused:
                error = FieldError(name, record.get(name), refused.code, refused.message)
            if record.get(name) is None and not may_be_missing:
                code = tenant.switches.put_missing_key_code
                error = FieldError(name, None, code, f"Key field {name} is mandatory")
            if error:
                errors.setdefault(index, []).append(error)
        wanted.append(values)
    return wanted


def _matches(
    tenant: Tenant, model: ObjectModel, keys: Sequence[Field], wanted: Sequence[Sequence[object]]
) -> dict[int, list[str]]:
    """Return the GSIDs of the rows that each record matches, by the keys that it has."""
    switches = tenant.switches
    found = tenant.store.match(model, keys, wanted, switches)
    for index, values in enumerate(wanted):
        given = [number for number, value in enumerate(values) if value is not None]
        if 0 < len(given) < len(keys):
            some, known = [keys[n] for n in given], [[values[n] for n in given]]
            if matched := tenant.store.match(model, some, known, switches):
                found[index] = matched[0]
    if switches.put_multi_match == "update_first":
        return {index: gsids[:1] for index, gsids in found.items()}
    return found


def _unmatched_errors(
    tenant: Tenant,
    keys: Sequence[Field],
    records: Sequence[Record],
    found: Mapping[int, list[str]],
) -> Errors:
    switches, errors = tenant.switches, Errors()
    for index, record in enumerate(records):
        matches = len(found.get(index, ()))
        if not matches and switches.put_without_match != "ignore":
            code, message = switches.put_without_match_code, "No record matches the keys"
        elif matches > 1 and switches.put_multi_match == "error":
            code, message = GENERIC, "Several records match the keys"
        else:
            continue
        errors[index] = [FieldError(key.name, record.get(key.name), code, message) for key in keys]
    return errors


def _refuse_errors(tenant: Tenant, model: ObjectModel, errors: Errors) -> None:
    if not errors:
        return
    records = [errors[index] for index in sorted(errors)]
    first = records[0][0]
    data = {
        "count": 0,
        "records": None,
        "errors": _error_listing(tenant.switches.error_listing, model, records),
    }
    tail = _TAILS[tenant.switches.error_tail].format(first.field, _shown(first.value))
    description = f"{first.message} {tail}"
    raise Refusal(Answer(400, data, first.code, description))


def _error_listing(form: str, model: ObjectModel, records: list[list[FieldError]]) -> object:
    if form == "missing":
        return None
    if form == "first_only":
        return [[_listed(model, records[0][0])]]
    if form == "flat":
        return [_listed(model, error) for record in records for error in record]
    return [[_listed(model, error) for error in record] for record in records]


def _listed(model: ObjectModel, error: FieldError) -> dict[str, object]:
    field = model.fields.get(error.field)
    invalid = error.value
    if field and field.data_type in PICKLIST_TYPES and not isinstance(invalid, list):
        invalid = [invalid]
    detail = {
        "errorMessage": error.message,
        "errorCode": error.code,
        "fieldName": error.field,
        "invalidValue": invalid,
    }
    return {"success": False, "parsedValue": error.value, "errors": [detail]}


def _shown(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
