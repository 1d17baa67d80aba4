"""A call whose records are judged one by one: what is right is written, the rest is listed.

Timeline and Cockpit answer so; a record goes by its reference. What the families have in common is
here: the values of one record, the tenant's hidden rules, and the forms of the answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from target_gainsight.sandbox.answers import GENERIC, INVALID_GSID, INVALID_VALUE, Answer
from target_gainsight.sandbox.values import ValueRefusedError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from target_gainsight.sandbox.model import ObjectModel
    from target_gainsight.sandbox.tenant import Tenant

Record = dict[str, Any]
Form = Literal["map", "list"]

_STATUSES = {"true_200": 200, "false_200": 200, "false_400": 400}


class RecordRefusedError(Exception):
    """One record is not written; the others of its call are."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def stored_record(
    tenant: Tenant, model: ObjectModel, record: Mapping[str, Any], *, creating: bool
) -> Record:
    """The record's fields in stored form.

    Raises:
        RecordRefusedError: A field that the object lacks, or a value that it does not take.
    """
    acceptors = tenant.acceptors(model, creating=creating)
    stored = {}
    for name, value in record.items():
        if name not in acceptors:
            if value is None and tenant.config.auto_create:
                continue
            raise RecordRefusedError(INVALID_VALUE, f"Invalid field {name}")
        try:
            stored[name] = acceptors[name](value)
        except ValueRefusedError as refused:
            message = f"{refused.message} ({name} = {value})."
            raise RecordRefusedError(refused.code, message) from refused
    _apply_rules(tenant, model, record)
    _check_lookups(tenant, model, stored)
    return stored


def _apply_rules(tenant: Tenant, model: ObjectModel, record: Mapping[str, Any]) -> None:
    for rule in tenant.faults.rules:
        concerned = rule.object_name.lower() == model.name and rule.field in record
        if concerned and record[rule.field] == rule.value:
            raise RecordRefusedError(rule.code, f"{rule.message} ({rule.field} = {rule.value}).")


def _check_lookups(tenant: Tenant, model: ObjectModel, stored: Mapping[str, Any]) -> None:
    if not tenant.switches.lookup_must_exist:
        return
    for field in model.relations.values():
        gsid = stored.get(field.name)
        if gsid is None:
            continue
        target = tenant.named_object(field.lookup_object or "")
        if not tenant.store.existing(target, [gsid]):
            raise RecordRefusedError(INVALID_GSID, f"Invalid GSID ({field.name} = {gsid}).")


def insert_row(tenant: Tenant, model: ObjectModel, gsid: str, stored: Record) -> None:
    """Add one row."""
    row = {**stored, **tenant.creation_stamp(), "Gsid": gsid}
    tenant.store.insert(model, [(tuple(row), list(row.values()))])


def update_row(tenant: Tenant, model: ObjectModel, gsid: str, stored: Record) -> None:
    """Change one row."""
    row = {**stored, **tenant.change_stamp()}
    tenant.store.update(model, [(gsid, (tuple(row), list(row.values())))])


def answer_per_record(
    tenant: Tenant,
    form: Form,
    written: Mapping[str, object],
    refused: Mapping[str, object],
    *,
    refused_as: str,
) -> Answer:
    """What became of each record, by its reference.

    Args:
        tenant: whose switches decide the form.
        form: an object by reference, or a list of such objects.
        written: what is told of each record that was written.
        refused: what is told of each that was not.
        refused_as: the key of the refused ones.
    """
    data = {"success": _formed(form, written), refused_as: _formed(form, refused)}
    answer = tenant.switches.failed_records_answer
    if not refused or answer == "true_200":
        return Answer(data=data, records=len(written) + len(refused))
    return Answer(
        _STATUSES[answer],
        data,
        GENERIC,
        "Some records have failed",
        records=len(written) + len(refused),
    )


def _formed(form: Form, told: Mapping[str, object]) -> object:
    if form == "map":
        return dict(told)
    return [{reference: what} for reference, what in told.items()]
