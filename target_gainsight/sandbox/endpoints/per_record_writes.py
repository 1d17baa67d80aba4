"""Calls that write the valid records and list the others, as those of Timeline and Cockpit.

Records are identified by a reference. This has what both families share: the values of one record,
the tenant's hidden rules, and the forms of the response.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from target_gainsight.sandbox.answers import GENERIC, INVALID_VALUE, Answer, FieldError
from target_gainsight.sandbox.storage.identifiers import new_gsids
from target_gainsight.sandbox.storage.model import ObjectModel
from target_gainsight.sandbox.storage.values import ValueRefusedError
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


@dataclass(frozen=True)
class RecordResults:
    """The results of the records of a call, by reference.

    Attributes:
        written: the response's entry for each written record.
        refused: the error of each other record.
    """

    written: dict[str, object] = field(default_factory=dict)
    refused: dict[str, RecordRefusedError] = field(default_factory=dict)


def stored_record(
    tenant: Tenant, model: ObjectModel, record: Mapping[str, Any], *, creating: bool
) -> Record:
    """Return the record's fields in stored form.

    Raises:
        RecordRefusedError: The object does not have a field, or a value is not valid.
    """
    parsers = tenant.parsers(model, creating=creating)
    stored = {}
    for name, value in record.items():
        if name not in parsers:
            if value is None and tenant.config.auto_create:
                continue
            raise RecordRefusedError(INVALID_VALUE, f"Invalid field {name}")
        try:
            stored[name] = parsers[name](value)
        except ValueRefusedError as refused:
            message = f"{refused.message} ({name} = {value})."
            raise RecordRefusedError(refused.code, message) from refused
    _apply_rules(tenant, model, record)
    _check_lookups(tenant, model, stored)
    return stored


def _apply_rules(tenant: Tenant, model: ObjectModel, record: Mapping[str, Any]) -> None:
    for rule in tenant.faults.rules:
        if rule.refuses(model.name, record):
            raise RecordRefusedError(rule.code, f"{rule.message} ({rule.field} = {rule.value}).")


def _check_lookups(tenant: Tenant, model: ObjectModel, stored: Mapping[str, Any]) -> None:
    if not tenant.switches.lookup_must_exist:
        return
    for lookup in model.relations.values():
        gsid = stored.get(lookup.name)
        if gsid is None:
            continue
        target = tenant.named_object(lookup.lookup_object or "")
        if not tenant.store.existing(target, [gsid]):
            raise RecordRefusedError(INVALID_VALUE, f"Invalid GSID ({lookup.name} = {gsid}).")


def save_each(
    records: Iterable[tuple[str, Record]],
    errors: Mapping[int, Sequence[FieldError]],
    save: Callable[[str, Record], object],
    *,
    lookup_code: str | None = None,
) -> RecordResults:
    """Save records one by one, each independent of the others.

    Args:
        records: references and records, with their lookups resolved.
        errors: failed lookups by position; their records are not saved.
        save: writes a record and returns the response's entry, or raises `RecordRefusedError`.
        lookup_code: replaces the code of a failed lookup.
    """
    results = RecordResults()
    for index, (reference, record) in enumerate(records):
        try:
            _refuse_failed_lookups(errors.get(index, ()), lookup_code)
            results.written[reference] = save(reference, record)
        except RecordRefusedError as error:
            results.refused[reference] = error
    return results


def _refuse_failed_lookups(errors: Sequence[FieldError], code: str | None) -> None:
    for error in errors:
        message = f"{error.message} ({error.field} = {error.value})."
        raise RecordRefusedError(code or error.code, message)


def add_row(tenant: Tenant, model: ObjectModel, stored: Record) -> str:
    """Add one row and return its new GSID."""
    gsid = new_gsids(model.prefix, 1)[0]
    insert_row(tenant, model, gsid, stored)
    return gsid


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
    results: RecordResults,
    *,
    refused_as: str,
    describe: Callable[[RecordRefusedError], object],
) -> Answer:
    """Return the response with the results by reference.

    Args:
        tenant: its switches decide the status.
        form: an object by reference, or a list of such objects.
        results: the results.
        refused_as: the key of the refused records.
        describe: returns the response's entry for an error.
    """
    written = results.written
    refused = {reference: describe(error) for reference, error in results.refused.items()}
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


def _formed(form: Form, entries: Mapping[str, object]) -> object:
    if form == "map":
        return dict(entries)
    return [{reference: entry} for reference, entry in entries.items()]
