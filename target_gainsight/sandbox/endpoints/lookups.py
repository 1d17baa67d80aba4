"""The `lookups` of a write body: foreign keys resolved by the fields of another object.

"Import lookup" (Custom Object API, Timeline APIs) [D]; the code of a failed one is unknown, so it
is a switch.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from target_gainsight.sandbox.answers import GENERIC, INVALID_VALUE, FieldError, refuse
from target_gainsight.sandbox.storage.model import Field, ObjectModel
from target_gainsight.sandbox.storage.values import ValueRefusedError, condition_parser
from target_gainsight.sandbox.tenant import Tenant

Record = dict[str, Any]

_ON_NO_MATCH = ("NULLABLE", "DEFAULTVALUE", "ERROR")
_ON_MULTI_MATCH = ("FIRSTMATCH", "MARKASERROR")


def resolve_lookups(
    tenant: Tenant, records: list[Record], body: object
) -> tuple[list[Record], dict[int, list[FieldError]]]:
    """Fill in looked-up fields and remove the columns that are only matched by.

    Args:
        tenant: the tenant with the looked-up rows.
        records: the records as sent; they are not changed.
        body: the write's body, whose `lookups` apply to every record.

    Returns:
        The records to write, and the failed lookups by position.

    Raises:
        Refusal: A lookup is not described correctly.
    """
    lookups = body.get("lookups") if isinstance(body, Mapping) else None
    errors: dict[int, list[FieldError]] = {}
    if not lookups:
        return records, errors
    if not isinstance(lookups, Mapping):
        raise refuse(GENERIC, "lookups must be an object")
    described = [_Lookup(tenant, name, plain) for name, plain in lookups.items()]
    columns = {column for each in described for column in each.columns}
    targets = {each.target for each in described}
    resolved = [
        {name: value for name, value in record.items() if name not in columns - targets}
        for record in records
    ]
    for lookup in described:
        _resolve(lookup, records, resolved, errors)
    return resolved, errors


class _Lookup:
    """An entry of `lookups`: fills the field `target` by matching the values of `columns`."""

    def __init__(self, tenant: Tenant, target: str, plain: object) -> None:
        given = plain if isinstance(plain, Mapping) else {}
        fields = given.get("fields")
        if not isinstance(fields, Mapping) or not fields:
            raise refuse(GENERIC, f"lookup {target} needs fields")
        self.target = target
        self.columns = list(fields)
        self.on_no_match = _choice(given, "onNoMatch", _ON_NO_MATCH, target)
        self.on_multi_match = _choice(given, "multiMatchOption", _ON_MULTI_MATCH, target)
        self.code = tenant.switches.lookup_error_code
        self._tenant = tenant
        self._model = tenant.named_object(str(given.get("objectName")))
        self._fields = [_field(self._model, name) for name in fields.values()]
        self._result_field = _field(self._model, given.get("lookupField", "Gsid"))

    def found(self, records: Sequence[Record]) -> dict[int, list[object]]:
        """Return the values of the matching rows by record position."""
        wanted = [self._match_values(record) for record in records]
        matches = self._tenant.store.match(self._model, self._fields, wanted, self._tenant.switches)
        if self._result_field.name == "Gsid":
            return {index: list(gsids) for index, gsids in matches.items()}
        return {index: self._values(gsids) for index, gsids in matches.items()}

    def _match_values(self, record: Record) -> list[object]:
        return [
            self._match_value(field, record.get(column))
            for column, field in zip(self.columns, self._fields, strict=True)
        ]

    def _match_value(self, field: Field, value: object) -> object:
        try:
            return condition_parser(field, self._tenant.switches)(value)
        except ValueRefusedError:
            return None

    def _values(self, gsids: list[str]) -> list[object]:
        column = self._tenant.store.column(self._model, self._result_field.name)
        statement = f'SELECT {column} FROM "{self._model.name}" WHERE "Gsid" = ?'  # noqa: S608
        return [self._tenant.store.rows(statement, (gsid,))[0][0] for gsid in gsids]


def _resolve(
    lookup: _Lookup,
    records: Sequence[Record],
    resolved: Sequence[Record],
    errors: dict[int, list[FieldError]],
) -> None:
    found = lookup.found(records)
    for index, record in enumerate(records):
        if not any(column in record for column in lookup.columns):
            continue
        matches = found.get(index, [])
        message = None
        if len(matches) > 1 and lookup.on_multi_match == "MARKASERROR":
            message = f"Several records match the lookup of {lookup.target}"
        elif not matches and lookup.on_no_match == "ERROR":
            message = f"No record matches the lookup of {lookup.target}"
        if message:
            value = record.get(lookup.columns[0])
            error = FieldError(lookup.target, value, lookup.code, message)
            errors.setdefault(index, []).append(error)
        elif matches or lookup.on_no_match == "NULLABLE":
            resolved[index][lookup.target] = matches[0] if matches else None


def _choice(given: Mapping[str, Any], key: str, allowed: tuple[str, ...], target: str) -> str:
    value = given.get(key, allowed[0])
    if value not in allowed:
        raise refuse(GENERIC, f"{key} of lookup {target} must be one of {', '.join(allowed)}")
    return str(value)


def _field(model: ObjectModel, name: object) -> Field:
    field = model.fields.get(str(name))
    if field is None:
        raise refuse(INVALID_VALUE, f"Invalid field {name} in object {model.name}")
    return field
