"""Source records map to Gainsight records or are rejected with every error."""

from __future__ import annotations

from typing import Any

import pytest
from tenant_fields import GOLD, OLD, a_field, company

from target_gainsight.api import ObjectSchema
from target_gainsight.mapping.columns import Column
from target_gainsight.mapping.errors import RecordRejectedError
from target_gainsight.mapping.planning.spec import MappingSpec
from target_gainsight.mapping.record_mapper import RecordMapper
from target_gainsight.settings.stream_settings import StreamSettings

COLUMNS = {
    "name": "Name",
    "renewal": "RenewalDate",
    "arr": "ARR",
    "stage": "Stage",
    "active": "IsActive",
}
RECORD = {"name": "Acme", "renewal": "2026-02-01", "arr": "1,000", "stage": "Gold", "active": "no"}
ROW = {
    "Gsid": "1P02" + "X" * 32,
    "Name": "Acme",
    "RenewalDate": 1769904000000,
    "ARR": 1000,
    "Stage": GOLD,
    "IsActive": False,
}
SCHEMA = company(a_field("Code", nillable=False))


def a_mapper(
    *,
    sent: dict[str, str] = COLUMNS,
    schema: ObjectSchema | None = SCHEMA,
    constants: dict[str, Any] | None = None,
    keys: tuple[str, ...] = ("Name",),
    **settings: Any,
) -> RecordMapper:
    spec = MappingSpec(
        columns=tuple(map(Column, sent)),
        schema=schema,
        settings=StreamSettings(field_mapping=sent, lookups={}, field_rules={}, **settings),
        named_keys=keys,
        constants=constants or {},
    )
    return RecordMapper(spec)


def codes(mapper: RecordMapper, record: dict[str, object]) -> dict[str, str]:
    with pytest.raises(RecordRejectedError) as rejected:
        mapper.map(record)
    return {error.field: error.code for error in rejected.value.errors}


def test_record_is_renamed_converted_and_completed() -> None:
    mapper = a_mapper(constants={"Employees": "5"})
    assert mapper.map({**RECORD, "ignored": 1}) == {
        "Name": "Acme",
        "RenewalDate": "2026-02-01",
        "ARR": 1000,
        "Stage": "Gold",
        "IsActive": False,
        "Employees": 5,
    }


def test_column_missing_from_record_is_not_sent() -> None:
    assert a_mapper().map({"name": "Acme"}) == {"Name": "Acme"}


def test_rejected_record_lists_every_wrong_field() -> None:
    record = {"name": "x" * 21, "renewal": "soon", "arr": "$5", "stage": "gold", "active": "maybe"}
    assert codes(a_mapper(), record) == {
        "Name": "too_long",
        "RenewalDate": "not_a_date",
        "ARR": "not_a_number",
        "Stage": "unknown_option",
        "IsActive": "not_a_boolean",
    }


def test_rejection_names_field_and_source_value() -> None:
    with pytest.raises(RecordRejectedError, match=r"ARR \(CURRENCY\) refuses '\$5'") as rejected:
        a_mapper().map({**RECORD, "arr": "$5"})
    assert rejected.value.errors[0].value == "$5"


def test_null_clears_a_field_or_is_left_out() -> None:
    record = {**RECORD, "arr": None, "renewal": ""}
    assert a_mapper().map(record)["ARR"] is None
    assert a_mapper().map(record)["RenewalDate"] is None
    left_out = a_mapper(null_values="omit").map(record)
    assert set(left_out) == {"Name", "Stage", "IsActive"}


def test_null_in_required_field_is_rejected_or_left_out() -> None:
    sent = {**COLUMNS, "code": "Code"}
    record = {**RECORD, "code": None}
    assert codes(a_mapper(sent=sent), record) == {"Code": "null_not_allowed"}
    omitting = a_mapper(sent=sent, null_values="omit")
    assert "Code" not in omitting.map(record)
    assert codes(omitting, {**record, "arr": "$5"}) == {"ARR": "not_a_number"}
    assert "Code" not in a_mapper(sent=sent).map(RECORD)


@pytest.mark.parametrize("null_values", ["send", "omit"])
@pytest.mark.parametrize("name", [None, ""])
def test_record_without_key_is_rejected(null_values: str, name: str | None) -> None:
    mapper = a_mapper(null_values=null_values)
    assert codes(mapper, {**RECORD, "name": name}) == {"Name": "key_missing"}
    assert codes(mapper, {"arr": 1}) == {"Name": "key_missing"}


def test_missing_key_and_wrong_value_are_reported_together() -> None:
    assert codes(a_mapper(), {"arr": "$5"}) == {"ARR": "not_a_number", "Name": "key_missing"}


def test_key_filled_by_lookup_is_not_missing() -> None:
    keys = ("Name", "ParentCompany")
    assert a_mapper(keys=keys).map(RECORD)["Name"] == "Acme"
    assert a_mapper(keys=keys, schema=None).converters["ParentCompany"].field is None


def test_false_and_zero_are_not_empty() -> None:
    mapper = a_mapper(keys=("ARR",), schema=company(a_field("Flag", "BOOLEAN", nillable=False)))
    assert mapper.map({**RECORD, "arr": 0})["ARR"] == 0


def test_insert_requires_required_fields_of_every_record() -> None:
    mapper = a_mapper(sync_mode="insert", keys=())
    assert codes(mapper, {"arr": 1}) == {"Name": "required_missing"}
    assert codes(mapper, {"name": ""}) == {"Name": "required_missing"}


def test_upsert_requires_required_fields_of_new_records_only() -> None:
    mapper = a_mapper(keys=("ARR",))
    record = mapper.map({"arr": 5})
    assert [error.code for error in mapper.missing_for_create(record)] == ["required_missing"]
    assert mapper.missing_for_create({**record, "Name": "Acme"}) == ()


def test_well_known_fields_are_required_without_metadata() -> None:
    mapper = a_mapper(schema=None, object_type="person")
    missing = mapper.missing_for_create(mapper.map(RECORD))
    expected = "Email (EMAIL) refuses null: the field is required to create a record."
    assert str(missing[0]).startswith(expected)


def test_well_known_fields_are_converted_without_metadata() -> None:
    mapper = a_mapper(schema=None, object_type="company")
    assert mapper.map(RECORD)["ARR"] == 1000
    assert codes(mapper, {**RECORD, "arr": "much"}) == {"ARR": "not_a_number"}


def test_values_are_sent_unchanged_without_metadata() -> None:
    mapper = a_mapper(schema=None, constants={"TypeName": "Meeting"})
    written = mapper.map(RECORD)
    assert written["ARR"] == "1,000"
    assert written["TypeName"] == "Meeting"
    assert mapper.changed_fields(written, dict(written)) == ()
    assert codes(mapper, {**RECORD, "arr": float("nan")}) == {"ARR": "not_finite"}


def test_row_with_equal_values_in_other_forms_is_unchanged() -> None:
    mapper = a_mapper()
    assert mapper.changed_fields(mapper.map(RECORD), ROW) == ()


@pytest.mark.parametrize(
    ("field", "held"),
    [
        ("Name", "ACME"),
        ("ARR", 1001),
        ("ARR", None),
        ("Stage", OLD),
        ("IsActive", ""),
        ("RenewalDate", "2026-02-02"),
        ("RenewalDate", "unreadable"),
    ],
)
def test_different_or_unreadable_field_has_changed(field: str, held: Any) -> None:
    mapper = a_mapper()
    assert mapper.changed_fields(mapper.map(RECORD), {**ROW, field: held}) == (field,)


def test_field_missing_from_row_has_changed() -> None:
    mapper = a_mapper()
    row = {name: value for name, value in ROW.items() if name != "ARR"}
    assert mapper.changed_fields(mapper.map(RECORD), row) == ("ARR",)
    assert mapper.changed_fields({"Unknown": None}, {}) == ("Unknown",)


def test_null_equals_empty_field() -> None:
    mapper = a_mapper()
    cleared = mapper.map({**RECORD, "arr": None, "renewal": None, "stage": None})
    row = {**ROW, "ARR": None, "RenewalDate": "", "Stage": None}
    assert mapper.changed_fields(cleared, row) == ()


def test_lookup_fields_are_compared_by_their_type() -> None:
    mapper = a_mapper()
    owner = "1P01" + "Y" * 32
    record = {**mapper.map(RECORD), "Csm": owner}
    assert mapper.changed_fields(record, {**ROW, "Csm": owner}) == ()
    assert mapper.changed_fields(record, {**ROW, "Csm": ""}) == ("Csm",)


def test_date_format_applies_to_written_dates_only() -> None:
    american = a_mapper(null_values="omit", date_format="MM-DD-YYYY")
    written = american.map({**RECORD, "arr": None})
    assert written["RenewalDate"] == "02-01-2026"
    assert "ARR" not in written
    assert american.changed_fields(american.map(RECORD), ROW) == ()
    undescribed = a_mapper(constants={"OriginalDate": "2026-02-01"}, schema=None)
    assert undescribed.map(RECORD)["OriginalDate"] == "2026-02-01"


def test_invalid_constant_fails_before_first_record() -> None:
    with pytest.raises(RecordRejectedError, match="Employees"):
        a_mapper(constants={"Employees": "many"})
