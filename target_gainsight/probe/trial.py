"""The records that probes create in an object: created, changed, read and deleted by their mark.

Every write of a probe to an object passes here, so that no other row can be touched: a create
carries the mark of the run, an update finds its row by a key with that mark or by the GSID of a row
that was read with it, and only rows that were read with a mark are deleted.
"""

import hashlib
import re
import secrets
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress

from target_gainsight.api import Condition, Field, Json, ObjectSchema, Record, errors
from target_gainsight.api.http.json_codec import as_mapping, as_mappings
from target_gainsight.probe.observations import ProbeEndedError, require
from target_gainsight.probe.tenant import GSID, ProbedTenant, Reply

DAY = "2026-01-27"
_MARK = "tg-probe-"
_KEY_LENGTH = len(_MARK) + 15
_MARKED = re.compile(
    rf"{_MARK}(?P<token>[0-9a-f]{{8}})(?P<check>[0-9a-f]{{4}})-(?P<number>[0-9]{{1,2}})"
)
_ROLES = {
    "nullable text": ("STRING",),
    "number": ("NUMBER", "CURRENCY", "PERCENTAGE"),
    "date": ("DATE",),
    "datetime": ("DATETIME",),
    "picklist": ("PICKLIST",),
    "boolean": ("BOOLEAN",),
    "lookup": ("LOOKUP",),
}
"""The roles of the fields that are written, and the data types that suit each."""
_NEEDED: Mapping[str, Json] = {
    **dict.fromkeys(("STRING", "RICHTEXTAREA"), "probe"),
    **dict.fromkeys(("NUMBER", "CURRENCY", "PERCENTAGE"), 1),
    "EMAIL": "probe@example.invalid",
    "URL": "https://example.invalid",
    "BOOLEAN": False,
    "DATE": DAY,
    "DATETIME": f"{DAY}T10:20:30.000Z",
}
"""Values of fields that every record needs, by data type."""


class Trial:
    """The marked records of one object, each with a number from 0 to 99 in its key.

    Attributes:
        prefix: The beginning of the keys of this run. The run's id in it ends in a checksum, so
            that no typed key passes for it.
        fields: The fields that are written, by role; None for those that the object lacks.
        needed: Values of further fields that every record needs.
        left: The GSIDs of records that are not deleted, or may not be.
        may_appear: Whether a create has an unknown outcome and may be committed later.
    """

    def __init__(self, tenant: ProbedTenant, schema: ObjectSchema, key: Field) -> None:
        token = secrets.token_hex(4)
        self.tenant = tenant
        self.object_name = schema.name
        self.key = key.name
        self.prefix = f"{_MARK}{token}{_checksum(token)}-"
        others = [each for each in schema.fields if each is not key and each.updatable]
        self.fields: dict[str, Field | None] = {"key": key}
        for role, types in _ROLES.items():
            usable = (each for each in others if each.data_type in types and _is_usable(each))
            self.fields[role] = next(usable, None)
        needed = [each for each in schema.fields if each is not key and _is_mandatory(each)]
        values = {each.name: _needed_value(each) for each in needed}
        self.needed = {name: value for name, value in values.items() if value is not None}
        self.created: list[str] = []
        self.left: set[str] = set()
        self.may_appear = False

    def field(self, role: str) -> Field:
        """Return the field with a role; without it, the question stays open."""
        return require(self.fields[role], f"the object has no {role}")

    def change(self, step: int) -> dict[str, Json]:
        """Return a harmless change that no other step makes; raises as `field`."""
        text = self.fields["nullable text"]
        return {text.name: f"probe {step}"} if text else {self.field("number").name: step}

    def create(self, numbers: Sequence[int]) -> Reply:
        """Create records with these numbers."""
        keys = [f"{self.prefix}{each}" for each in numbers]
        reply = self._write([{**self.needed, self.key: key} for key in keys])
        self.may_appear = self.may_appear or isinstance(reply.error, errors.UnknownOutcomeError)
        listed = as_mappings(as_mapping(reply.data).get("records"))
        self.created += [str(row[GSID]) for row in listed if row.get(GSID)]
        return reply

    def write(self, role: str, value: Json, number: int) -> Reply:
        """Write a value to the field with a role, in one row."""
        return self.update({number: {self.field(role).name: value}})

    def update(
        self, records: Mapping[int, Record], keys: Sequence[str] = (), **options: Json
    ) -> Reply:
        """Update records, by number, through their mark and further keys."""
        marked = [{**each, self.key: f"{self.prefix}{number}"} for number, each in records.items()]
        return self._write(marked, (self.key, *keys), **options)

    def update_by_gsid(self, number: int, fields: Record) -> Reply:
        """Read a record, and update it by its GSID."""
        return self._write([{**fields, GSID: self.read()[number][0][GSID]}], (GSID,))

    def read(self, *fields: str) -> Mapping[int, list[Record]]:
        """Read this run's rows, by number."""
        rows: dict[int, list[Record]] = defaultdict(list)
        for mark, row in self._find(self.prefix, fields):
            rows[int(mark["number"])].append(row)
        return rows

    def find(self) -> set[str]:
        """Return the GSIDs of the rows that this and earlier probes have left."""
        return {str(row[GSID]) for _, row in self._find(_MARK, ())}

    def _find(self, prefix: str, fields: Sequence[str]) -> Iterator[tuple[re.Match[str], Record]]:
        where = Condition(self.key, "STARTS_WITH", (prefix,))
        query = self.tenant.client.records.query
        select = (GSID, self.key, *fields)
        for row in query(self.object_name, select=select, where=where, limit=1000):
            mark = _MARKED.fullmatch(str(row.get(self.key)))
            if mark and mark["check"] == _checksum(mark["token"]) and row.get(GSID):
                yield mark, row

    def delete(self, gsid: str) -> Reply:
        """Delete a record that was read, by its GSID."""
        with suppress(errors.GainsightError):
            self.tenant.records.delete(self.object_name, gsid, repeatable=False)
        return self.tenant.reply

    def delete_all(self) -> None:
        """Delete the rows of this and earlier probes, read them again, and note what is `left`."""
        self.left = set(self.created)
        with suppress(errors.GainsightError):  # each further call would be retried as long
            found = self.find()
            self.left |= found
            for gsid in sorted(found):
                with suppress(errors.RefusedError, errors.NotFoundError):
                    self.tenant.client.records.delete(self.object_name, gsid)
            self.left = self.find()

    def _write(self, records: Sequence[Record], keys: Sequence[str] = (), **options: Json) -> Reply:
        with suppress(errors.GainsightError):
            self.tenant.records.write(self.object_name, list(records), keys, **options)
        return self.tenant.reply


def plan_writes(tenant: ProbedTenant, object_name: str) -> Trial:
    """Choose the fields to write, and read what earlier probes have left in the object."""
    try:
        schema = tenant.metadata.describe(object_name)
    except errors.ObjectNotFoundError as error:
        message = f"the tenant has no object {object_name}; 'gainsight describe' lists its objects"
        raise ProbeEndedError(message) from error
    keys = [each for each in schema.fields if _holds_mark(each)]
    if schema.object_type != "CUSTOM" or not keys:
        message = (
            f"{schema.name} is not a custom object with a writable text field (String) of "
            f"{_KEY_LENGTH} or more characters. Name a low-volume object, preferably one for tests"
        )
        raise ProbeEndedError(message)
    # Best one that a record needs anyway.
    trial = Trial(tenant, schema, next(filter(_is_mandatory, keys), keys[0]))
    trial.left = trial.find()
    return trial


def _needed_value(field: Field) -> Json:
    options = [each.label for each in field.options if each.active]
    if options and field.data_type == "MULTISELECTDROPDOWNLIST":
        return options[:1]
    value = _NEEDED.get(field.data_type, options[0] if options else None)
    return value[: field.length] if isinstance(value, str) else value


def labels_with_case(field: Field) -> list[str]:
    """Return the labels that a picklist accepts, and not in another case as well."""
    labels = [each.label for each in field.options or field.load_options() if each.active]
    return [each for each in labels if each.swapcase() not in labels]


def _is_usable(field: Field) -> bool:
    if field.data_type == "STRING":
        return _holds_mark(field) and not _is_mandatory(field)
    if field.data_type == "PICKLIST":
        return bool(labels_with_case(field))
    return field.data_type != "LOOKUP" or bool(field.lookup_objects)


def _is_mandatory(field: Field) -> bool:
    return field.required or not field.nillable


def _holds_mark(field: Field) -> bool:
    is_long = (field.length or _KEY_LENGTH) >= _KEY_LENGTH
    return field.data_type == "STRING" and is_long and field.insertable and field.updatable


def _checksum(token: str) -> str:
    return hashlib.sha256(f"{_MARK}{token}".encode()).hexdigest()[:4]
