"""Columns go to fields, and a stream that does not fit is refused with suggestions."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from tenant_fields import a_field, an_object, company

from target_gainsight.api import Field, ObjectSchema
from target_gainsight.mapping.columns import Column, columns_of
from target_gainsight.mapping.planning.checks import StreamMismatchError, check_fit, find_warnings
from target_gainsight.mapping.planning.proposal import propose_settings, referenced_objects
from target_gainsight.mapping.planning.spec import MappingSpec
from target_gainsight.settings.stream_settings import StreamSettings

COLUMNS = st.sampled_from(["Name", "a", "arr", "missing"])
SELECTION = "Check the selection in the tap (meltano select)."
TARGETS = st.sampled_from(["Name", "ARR", "arr", "Stage", "stage", "Renewal", "Country", "Score"])


def columns(*names: str) -> tuple[Column, ...]:
    return tuple(Column(name) for name in names)


def plan(*names: str, stream: str = "accounts", **settings: Any) -> MappingSpec:
    of_spec = {
        "columns": columns(*names),
        "schema": company(),
        "named_keys": settings.pop("keys", ("Name",)),
        "constants": {},
        "keys_required": True,
        "lookup_columns": frozenset(),
    }
    given = {name: settings.pop(name, default) for name, default in of_spec.items()}
    defaults = {"field_mapping": {}, "lookups": {}, "field_rules": {}, "lookup_keys": ("Name",)}
    spec = MappingSpec(**given, settings=StreamSettings(**{**defaults, **settings}))
    check_fit(spec, stream=stream)
    return spec


def mismatch(*names: str, **settings: Any) -> StreamMismatchError:
    with pytest.raises(StreamMismatchError) as refused:
        plan(*names, **settings)
    return refused.value


def problems_of(*names: str, **settings: Any) -> list[str]:
    return [str(problem) for problem in mismatch(*names, **settings).problems]


def proposal_of(error: StreamMismatchError) -> str:
    """The YAML that is proposed for a stream that does not fit; empty if nothing would change."""
    assert error.spec is not None
    proposal = propose_settings(error.spec, error.stream, {})
    return proposal.to_yaml() if proposal else ""


def suggestion(error: StreamMismatchError, stream: str = "accounts") -> dict[str, Any]:
    found = yaml.safe_load(proposal_of(error))["streams"]
    assert list(found) == [stream]
    settings: dict[str, Any] = found[stream]
    assert settings.pop("object_type") == "company"
    return settings


def test_columns_go_to_mapped_field_or_field_of_same_name() -> None:
    made = plan("Name", "renewal", field_mapping={"renewal": "RenewalDate"})
    assert made.column_to_field == {"Name": "Name", "renewal": "RenewalDate"}
    assert not made.unmapped
    assert made.keys == ("Name",)


def test_wrong_names_are_listed_with_suggested_settings() -> None:
    error = mismatch("Name", "renewal_date", "arr", "external_id")
    text = str(error)
    assert "Stream 'accounts' does not fit Company: 3 problems." in text
    assert "Company has no field renewal_date. Did you mean RenewalDate?" in text
    assert "Company has no field arr. ARR differs only in case." in text
    assert "Company has no field external_id. Did you mean ExternalId__gc?" in text
    assert suggestion(error) == {
        "field_mapping": {
            "Name": "Name",
            "renewal_date": "RenewalDate",
            "arr": "ARR",
            "external_id": "ExternalId__gc",
        }
    }


def test_suggested_settings_are_accepted() -> None:
    names = ("name", "renewal_date", "yes", "Stage", "Owner: Email")
    settings = {
        "constants": {"isactive": True},
        "keys": ("Stage", "nam"),
        "stream": "crm.accounts",
    }
    suggested = suggestion(mismatch(*names, **settings), "crm.accounts")
    keys = tuple(suggested.pop("lookup_keys"))
    made = plan(*names, **{**settings, **suggested, "keys": keys})
    assert made.column_to_field == {"name": "Name", "renewal_date": "RenewalDate", "Stage": "Stage"}
    assert [*made.unmapped] == ["yes", "Owner: Email"]


def test_dropping_is_suggested_for_columns_without_a_similar_field() -> None:
    error = mismatch("Name", "zzz")
    assert suggestion(error) == {"field_mapping": {"Name": "Name"}}
    assert "# zzz: no such field" in proposal_of(error)
    only = suggestion(mismatch("zzz", keys=(), keys_required=False))
    assert only == {"field_mapping": {}, "unknown_fields": "drop"}


@pytest.mark.parametrize("target", ["Country", "Score", "Renewal"])
def test_wrong_target_field_is_not_suggested_again(target: str) -> None:
    mapping = {"name": "Name", "country": target}
    error = mismatch("name", "country", "RenewalDate", field_mapping=mapping)
    assert suggestion(error)["field_mapping"] == {"name": "Name", "RenewalDate": "RenewalDate"}
    assert "# country: " in proposal_of(error)


def test_wrong_target_field_of_only_mapped_column_is_not_suggested() -> None:
    error = mismatch("Name", "country", field_mapping={"country": "Country"})
    suggested = suggestion(error)
    assert suggested == {"field_mapping": {"Name": "Name"}}
    assert plan("Name", "country", **suggested).column_to_field == {"Name": "Name"}


@given(st.dictionaries(COLUMNS, TARGETS), st.dictionaries(TARGETS, st.none(), max_size=3))
def test_suggested_fields_can_be_written(
    field_mapping: dict[str, str], constants: dict[str, None]
) -> None:
    try:
        plan("Name", "a", "arr", "zzz", field_mapping=field_mapping, constants=constants)
    except StreamMismatchError as error:
        suggested = suggestion(error) if proposal_of(error) else {}
        fields = {*suggested.get("field_mapping", {}).values(), *suggested.get("constants", {})}
        assert fields <= {"Name", "ARR", "Stage", "RenewalDate"}


def test_wrong_constant_or_lookup_key_is_not_suggested_again() -> None:
    settings = {"constants": {"Country": "NO", "stage": None}, "keys": ("Name", "Country")}
    suggested = suggestion(mismatch("Name", **settings))
    assert suggested == {"constants": {"Stage": None}, "lookup_keys": ["Name"]}


def test_column_is_suggested_for_one_mapping_only() -> None:
    mapping = {"crmid": "ARR", "crm_i": "Stage", "external": "ExternalId__gc"}
    columns = ("Name", "crm_id", "external")
    suggested = suggestion(mismatch(*columns, field_mapping=mapping))
    assert suggested["field_mapping"] == {
        "Name": "Name",
        "crm_id": "ARR",
        "crm_i": "Stage",
        "external": "ExternalId__gc",
    }


def test_field_is_suggested_for_one_column_only() -> None:
    error = mismatch("Name", "renewal_date", "renewaldate")
    assert [*suggestion(error)["field_mapping"].values()] == ["Name", "RenewalDate"]


def test_unknown_columns_can_be_dropped_or_sent() -> None:
    dropped = plan("Name", "zzz", unknown_fields="drop")
    assert dropped.column_to_field == {"Name": "Name"}
    assert [*dropped.unmapped] == ["zzz"]
    assert plan("Name", "zzz", unknown_fields="send").column_to_field == {
        "Name": "Name",
        "zzz": "zzz",
    }


def test_mapping_drops_unknown_columns_and_sends_known_ones() -> None:
    made = plan("id", "ARR", "zzz", "ModifiedDate", field_mapping={"id": "Name"})
    assert made.column_to_field == {"id": "Name", "ARR": "ARR"}
    assert [*made.unmapped] == ["zzz", "ModifiedDate"]


@pytest.mark.parametrize("unknown_fields", ["fail", "drop", "send"])
def test_wrong_name_in_setting_fails_for_any_unknown_fields(unknown_fields: str) -> None:
    problems = problems_of(
        "Name",
        "crm_id",
        unknown_fields=unknown_fields,
        field_mapping={"crm_id": "External_Id__gc", "crmid": "ARR"},
        constants={"stage": "Gold"},
        keys=("Nam",),
        lookups=dict.fromkeys({"CSM"}),
        lookup_columns=frozenset({"owner"}),
    )
    assert problems == [
        "field_mapping: Company has no field External_Id__gc. Did you mean ExternalId__gc?",
        "constants: Company has no field stage. Stage differs only in case.",
        "lookups: Company has no field CSM. Csm differs only in case.",
        "lookup_keys: Company has no field Nam. Did you mean Name?",
        "field_mapping: The stream has no column crmid. Did you mean crm_id?",
        "lookups: The stream has no column owner. " + SELECTION,
    ]


def test_missing_columns_are_one_line_with_a_hint_at_the_selection() -> None:
    targets = ("Employees", "ARR", "Stage")
    error = mismatch(
        "Name", field_mapping=dict(zip(("size", "arr", "stage"), targets, strict=True))
    )
    assert str(error).splitlines()[:2] == [
        "Stream 'accounts' does not fit Company: 1 problem.",
        ("  - field_mapping: The stream has no columns size, arr, stage. " + SELECTION),
    ]


def test_singer_metadata_columns_are_sent_only_when_mapped() -> None:
    assert plan("Name", "_sdc_batched_at").column_to_field == {"Name": "Name"}
    assert not plan("Name", "_sdc_batched_at").unmapped
    mapped = plan("Name", "_sdc_batched_at", field_mapping={"_sdc_batched_at": "RenewalDate"})
    assert mapped.column_to_field["_sdc_batched_at"] == "RenewalDate"


def test_lookup_column_is_neither_sent_nor_unknown() -> None:
    lookups = {"lookup_columns": frozenset({"owner", "Csm"}), "lookups": dict.fromkeys({"Csm"})}
    assert plan("Name", "owner", "Csm", **lookups).column_to_field == {"Name": "Name"}


def test_lookup_column_that_is_also_a_field_is_sent() -> None:
    lookups = {
        "lookup_columns": frozenset({"ExternalId__gc"}),
        "lookups": dict.fromkeys({"ParentCompany"}),
    }
    assert "ExternalId__gc" in plan("Name", "ExternalId__gc", **lookups).column_to_field


@pytest.mark.parametrize(
    ("settings", "sources"),
    [
        ({"field_mapping": {"a": "ARR", "b": "ARR"}}, "column a and column b"),
        ({"field_mapping": {"a": "Name"}}, "column Name and column a"),
        ({"constants": {"Name": "x"}}, "column Name and a constant"),
        ({"lookups": dict.fromkeys({"Name"})}, "column Name and a lookup"),
    ],
)
def test_two_sources_for_one_field_fail(settings: dict[str, Any], sources: str) -> None:
    problems = problems_of("Name", "a", "b", **{"unknown_fields": "drop", **settings})
    assert len(problems) == 1
    assert f"is filled by {sources}. Keep only one." in problems[0]


@pytest.mark.parametrize(
    ("sync_mode", "field", "reason"),
    [
        ("upsert", "Score", "it is a formula"),
        ("upsert", "ModifiedDate", "it is read-only"),
        ("upsert", "CurrencyIsoCode", "it cannot be changed once a record exists"),
        ("update", "CurrencyIsoCode", "it cannot be changed once a record exists"),
        ("insert", "UpdateOnly", "it cannot be set when a record is created"),
        ("upsert", "Gsid", "it can only be a lookup key"),
    ],
)
@pytest.mark.parametrize("place", ["column", "field_mapping", "constants"])
def test_field_not_writable_in_sync_mode_fails(
    sync_mode: str, field: str, reason: str, place: str
) -> None:
    named: dict[str, Any] = {
        "column": {},
        "field_mapping": {"field_mapping": {"source": field}},
        "constants": {"constants": {field: None}},
    }[place]
    extra = {"column": (field,), "field_mapping": ("source",), "constants": ()}[place]
    problems = problems_of(
        "Name",
        *extra,
        sync_mode=sync_mode,
        schema=company(a_field("UpdateOnly", insertable=False)),
        **named,
    )
    assert any(
        f"{field} cannot be written in sync mode {sync_mode}: {reason}." in p for p in problems
    )


def test_field_that_sync_mode_does_not_write_need_not_be_writable() -> None:
    assert plan("Name", "CurrencyIsoCode", sync_mode="insert").column_to_field["CurrencyIsoCode"]
    updated = plan("CurrencyIsoCode", "ARR", sync_mode="update", keys=("CurrencyIsoCode",))
    assert updated.keys == ("CurrencyIsoCode",)
    assert plan("Name", "Gsid", keys=("Gsid",)).column_to_field["Gsid"] == "Gsid"


def test_native_upsert_needs_createable_or_updateable() -> None:
    person = an_object(a_field("Email", "EMAIL", updatable=False), name="Person")
    assert plan("Email", schema=person, keys=("Email",), object_type="person").column_to_field
    closed = an_object(a_field("Email", "EMAIL", insertable=False, updatable=False), name="Person")
    assert problems_of("Email", schema=closed, keys=("Email",), object_type="person")


@pytest.mark.parametrize(
    ("types", "data_type", "fits"),
    [
        ({"string"}, "NUMBER", True),
        ({"integer", "object"}, "NUMBER", True),
        ({"object"}, "NUMBER", False),
        ({"array"}, "NUMBER", False),
        ({"boolean"}, "DATE", False),
        ({"boolean"}, "NUMBER", False),
        ({"datetime"}, "NUMBER", False),
        ({"datetime"}, "DATE", True),
        ({"integer"}, "BOOLEAN", True),
        ({"integer"}, "DATETIME", True),
        ({"array"}, "MULTISELECTDROPDOWNLIST", True),
        ({"array"}, "PICKLIST", False),
        ({"integer"}, "EMAIL", False),
        ({"integer"}, "LOOKUP", False),
        ({"object"}, "STRING", True),
        ({"array"}, "RICHTEXTAREA", True),
        ({"object"}, "SOMETHING_NEW", True),
        (set(), "NUMBER", True),
    ],
)
def test_column_of_inconvertible_type_fails(types: set[str], data_type: str, *, fits: bool) -> None:
    settings: dict[str, Any] = {
        "columns": (Column("Name"), Column("Value", frozenset(types))),
        "schema": company(a_field("Value", data_type)),
    }
    if fits:
        assert "Value" in plan(**settings).column_to_field
    else:
        assert f"cannot fit Value ({data_type})" in problems_of(**settings)[0]


@pytest.mark.parametrize("data_type", ["PICKLIST", "BOOLEAN", "DATE", "DATETIME", "RICHTEXTAREA"])
def test_key_of_unsuitable_type_fails(data_type: str) -> None:
    problems = problems_of("Name", "K", keys=("Name", "K"), schema=company(a_field("K", data_type)))
    assert problems == [
        f"lookup_keys: K is a {data_type}; a key is a String, GSID, Number or Email."
    ]


@pytest.mark.parametrize("data_type", ["STRING", "NUMBER", "EMAIL", "GSID", "LOOKUP", "SFDCID"])
def test_texts_numbers_and_ids_can_be_keys(data_type: str) -> None:
    schema = company(a_field("K", data_type))
    assert plan("Name", "K", keys=("Name", "K"), schema=schema).keys == ("Name", "K")


def test_unfilled_key_fails() -> None:
    settings: dict[str, Any] = {"keys": ("ExternalId__gc",)}
    assert problems_of("Name", **settings) == [
        "lookup_keys: No column, constant or lookup fills ExternalId__gc."
    ]
    assert plan("Name", **settings, constants={"ExternalId__gc": "1"})
    assert plan("Name", **settings, lookups=dict.fromkeys({"ExternalId__gc"}))
    assert plan("Name", **settings, keys_required=False)


def test_key_may_be_given_as_mapped_column() -> None:
    settings: dict[str, Any] = {"keys": ("id",), "field_mapping": {"id": "ExternalId__gc"}}
    assert plan("Name", "id", **settings).keys == ("ExternalId__gc",)
    assert plan("Name", "id", schema=None, **settings).keys == ("ExternalId__gc",)


def test_missing_key_fails_unless_every_record_is_new() -> None:
    assert "No lookup key is set" in problems_of("Name", keys=())[0]
    assert plan("Name", keys=(), sync_mode="insert")
    assert plan("Name", keys=(), keys_required=False)


@pytest.mark.parametrize("sync_mode", ["upsert", "insert"])
def test_unfilled_required_field_warns_where_records_are_created(sync_mode: str) -> None:
    settings: dict[str, Any] = {"keys": ("ExternalId__gc",), "sync_mode": sync_mode}
    [warning] = find_warnings(plan("ExternalId__gc", "NAME", **settings, unknown_fields="drop"))
    assert "Company needs Name to create a record" in warning
    assert not [*find_warnings(plan("ExternalId__gc", **{**settings, "sync_mode": "update"}))]
    assert not [*find_warnings(plan("ExternalId__gc", **settings, constants={"Name": "x"}))]


def test_constant_that_does_not_convert_fails() -> None:
    constants = {"Employees": "many", "Stage": "gold", "ExternalId__gc": "x" * 41}
    problems = problems_of("Name", constants=constants)
    assert len(problems) == 3
    assert all(problem.startswith("constants: ") for problem in problems)
    assert "must not be empty" in problems_of(constants={"Name": None})[0]


def test_without_metadata_columns_are_sent_unchecked() -> None:
    made = plan("Name", "zzz", "owner", schema=None, lookup_columns=frozenset({"owner"}))
    assert made.column_to_field == {"Name": "Name", "zzz": "zzz"}


def test_keys_columns_and_duplicates_are_checked_without_metadata() -> None:
    problems = problems_of(
        "a", "b", schema=None, keys=("Id",), field_mapping={"a": "X", "b": "X", "c": "Y"}
    )
    assert problems == [
        "field_mapping: The stream has no column c. " + SELECTION,
        "lookup_keys: No column, constant or lookup fills Id.",
        "field_mapping: X is filled by column a and column b. Keep only one.",
    ]


def test_stream_without_declared_columns_sends_mapped_columns() -> None:
    made = plan(field_mapping={"id": "Name"})
    assert made.column_to_field == {"id": "Name"}


def test_columns_are_read_from_usual_json_schemas() -> None:
    found = columns_of(
        {
            "properties": {
                "text": {"type": ["null", "string"]},
                "instant": {"anyOf": [{"type": "string", "format": "date-time"}, {"type": "null"}]},
                "either": {"oneOf": [{"type": "string", "format": "date"}, {"type": "string"}]},
                "whole": {"type": "integer"},
                "anything": {},
                "strange": None,
            }
        }
    )
    assert found == (
        Column("text", frozenset({"string"})),
        Column("instant", frozenset({"datetime"})),
        Column("either", frozenset({"string"})),
        Column("whole", frozenset({"integer"})),
        Column("anything"),
        Column("strange"),
    )
    assert columns_of({}) == ()


def test_object_that_several_fields_refer_to_is_described_for_each() -> None:
    fields = [
        Field(name, name, "LOOKUP", lookup_objects=("gsuser",)) for name in ("Csm", "Sponsor__gc")
    ]
    schema = ObjectSchema("company", "Company", "STANDARD", None, tuple(fields))
    assert referenced_objects(columns("csm_email"), schema) == ("gsuser",)
    assert referenced_objects(columns("sponsor_email"), schema) == ("gsuser",)
