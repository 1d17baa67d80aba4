"""Undeclared columns, changing schemas and flattened objects."""

from __future__ import annotations

import csv
import io
import logging
from pathlib import Path
from typing import Any

import pytest
from fake_clock import FakeClock
from singer_messages import TEXT, Message, record, schema, state
from singer_runs import Tenant, lines_of

from target_gainsight.target import TargetGainsight

NUMBER = {"type": ["null", "number"]}
WHOLE = {"type": ["null", "integer"]}
NAME_ONLY = schema(columns={"Name": TEXT})


def undeclared_warnings(run: Any) -> list[str]:
    return [line for line in run.warnings if "these columns are not sent" in line]


def test_undeclared_column_is_loaded_when_the_object_has_the_field(tenant: Tenant) -> None:
    run = tenant.load(
        NAME_ONLY,
        record(Name="A"),
        record(Name="B", Employees=7, Industry="IT"),
        record(Name="C", RenewalDate="2026-05-01"),
    )
    assert (run.exit_code, run.errors, undeclared_warnings(run)) == (0, [], [])
    held = [
        (row["Name"], row["Employees"], row["Industry"], row["RenewalDate"])
        for row in tenant.rows()
    ]
    assert held == [("A", None, None, None), ("B", 7, "IT", None), ("C", None, None, "2026-05-01")]
    assert len(tenant.calls("insert")) == 1


def test_undeclared_column_without_a_field_is_reported_once(tenant: Tenant) -> None:
    run = tenant.load(
        NAME_ONLY,
        record(Name="A", extra=1),
        record(Name="B", extra=2, Gsid="x"),
        NAME_ONLY,
        record(Name="C", extra=3, more=4),
    )
    assert (run.exit_code, tenant.names()) == (0, ["A", "B", "C"])
    listed = [line.rpartition(": ")[2] for line in undeclared_warnings(run)]
    assert listed == ["extra", "Gsid", "more"]


def test_undeclared_column_is_converted_like_any_other(tenant: Tenant) -> None:
    run = tenant.load(
        NAME_ONLY, record(Name="A", Employees="many"), record(Name="B", Employees="1,200")
    )
    assert run.codes == ["not_a_number"]
    assert [(row["Name"], row["Employees"]) for row in tenant.rows()] == [("B", 1200)]


def test_undeclared_column_does_not_displace_settings(tenant: Tenant) -> None:
    run = tenant.load(
        schema(columns={"Name": TEXT, "sector": TEXT}),
        record(Name="A", sector="IT", Industry="no", Summary="no"),
        field_mapping={"sector": "Industry"},
        constants={"Summary": "yes"},
    )
    assert run.exit_code == 0
    assert [(row["Industry"], row["Summary"]) for row in tenant.rows()] == [("IT", "yes")]
    assert len(undeclared_warnings(run)) == 1


@pytest.mark.parametrize("first", [{"staff": 5}, {}], ids=["at once", "later"])
def test_mapping_may_name_an_undeclared_column(tenant: Tenant, first: Message) -> None:
    run = tenant.load(
        NAME_ONLY,
        record(Name="A", **first),
        record(Name="B", staff=7),
        field_mapping={"staff": "Employees"},
    )
    assert (run.exit_code, run.errors) == (0, [])
    held = [(row["Name"], row["Employees"]) for row in tenant.rows()]
    assert held == [("A", first.get("staff")), ("B", 7)]
    assert any("neither its SCHEMA nor its first record" in line for line in run.warnings) is (
        not first
    )


def test_misspelt_declared_column_still_stops_stream(tenant: Tenant) -> None:
    run = tenant.load(
        schema(columns={"Name": TEXT, "sector": TEXT}),
        record(Name="A", sector="IT"),
        field_mapping={"sectors": "Industry"},
    )
    assert (run.exit_code, tenant.names()) == (1, [])
    assert "The stream has no column sectors. Did you mean sector?" in run.error


def test_stream_without_records_still_reports_what_its_schema_lacks(tenant: Tenant) -> None:
    run = tenant.load(schema(columns={"Industry": TEXT}, keys=["Industry"]), lookup_keys=["Name"])
    assert run.exit_code == 1
    assert "No column, constant or lookup fills Name." in run.error


def test_required_and_key_columns_may_be_undeclared(tenant: Tenant) -> None:
    run = tenant.load(
        schema(columns={"Industry": TEXT}, keys=[]),
        record(Name="A", Industry="IT"),
        lookup_keys=["Name"],
    )
    assert (run.exit_code, tenant.names()) == (0, ["A"])


@pytest.mark.parametrize(
    "declared", [{"type": "object"}, {}, {"properties": {}}, {"type": "object", "properties": None}]
)
@pytest.mark.parametrize("keys", [["Name"], []])
def test_schema_without_properties_takes_its_columns_from_the_records(
    tenant: Tenant, declared: Message, keys: list[str]
) -> None:
    run = tenant.load(
        {**schema(keys=keys), "schema": declared},
        record(Name="A", Industry="IT", _id="x"),
        record(Name="B", Employees=7),
        state(read=2),
    )
    assert (run.exit_code, run.states) == (0, [{"read": 2}])
    held = [(row["Name"], row["Industry"], row["Employees"]) for row in tenant.rows()]
    assert held == [("A", "IT", None), ("B", None, 7)]
    assert [line.rpartition(": ")[2] for line in undeclared_warnings(run)] == ["_id"]


def test_schema_that_forbids_other_columns_still_rejects_them(tenant: Tenant) -> None:
    strict = schema(columns={"Name": TEXT})
    strict["schema"]["additionalProperties"] = False
    run = tenant.load(strict, record(Name="A", Industry="IT"), record(Name="B"))
    assert (run.codes, tenant.names()) == (["schema_violation"], ["B"])
    reject = run.rejects[0]["gainsight_reject"]
    assert (reject["field"], reject["value"]) == (None, None)


def test_undeclared_columns_of_people_and_their_links_are_loaded(tenant: Tenant) -> None:
    tenant.load(schema(), record(Name="Initech"))
    run = tenant.load(
        schema("people", {"Email": TEXT}, ["Email"]),
        record("people", Email="ann@initech.example", LastName="Lee", firm="Initech"),
        object_type="person",
        company_links={"lookup": {"firm": "Name"}},
    )
    assert run.exit_code == 0
    assert [row["LastName"] for row in tenant.rows("Person")] == ["Lee"]
    assert len(tenant.rows("company_person")) == 1


def test_undeclared_columns_are_seen_in_a_dry_run(tenant: Tenant) -> None:
    run = tenant.load(NAME_ONLY, record(Name="A", extra=1), dry_run=True)
    assert (run.exit_code, tenant.names()) == (0, [])
    assert len(undeclared_warnings(run)) == 1


def test_undeclared_columns_of_a_survey_file_are_written(tenant: Tenant, tmp_path: Path) -> None:
    run = tenant.load(
        schema("nps", {"company": TEXT, "score": WHOLE}, []),
        record(
            "nps",
            company="Initech",
            score=9,
            email="a@b.example",
            survey_name="NPS",
            response_date=20260131,
            region="EU",
        ),
        object_type=None,
        streams={"nps": {"object_type": "survey_csv"}},
        survey_path=str(tmp_path / "surveys"),
    )
    assert run.exit_code == 0
    [path] = (tmp_path / "surveys").glob("*.csv")
    with path.open(encoding="utf-8", newline="") as file:
        assert list(csv.reader(file))[1] == ["Initech", "a@b.example", "9", "NPS", "2026-01-31"]
    assert len(undeclared_warnings(run)) == 1


def test_alternating_schemas_cost_no_calls(tenant: Tenant) -> None:
    schemas = [
        schema(columns={"Name": TEXT, "Industry": TEXT}),
        schema(columns={"Name": TEXT, "Employees": WHOLE}),
        schema(columns={"Name": TEXT, "Industry": TEXT, "Employees": TEXT}),
    ]
    values = [{"Industry": "IT"}, {"Employees": 7}, {"Industry": "IT", "Employees": "7"}]
    messages = [
        message
        for number in range(60)
        for message in (schemas[number % 3], record(Name=f"C{number}", **values[number % 3]))
    ]
    before = len(tenant.sandbox.tenant.calls())
    run = tenant.load(*messages)
    assert (run.exit_code, len(tenant.names())) == (0, 60)
    assert len(tenant.sandbox.tenant.calls()) - before <= 10
    held = {row["Name"]: (row["Industry"], row["Employees"]) for row in tenant.rows()}
    assert (held["C0"], held["C1"], held["C2"]) == (("IT", None), (None, 7), ("IT", 7))


def test_narrower_schema_leaves_the_fields_of_its_records_alone(tenant: Tenant) -> None:
    tenant.load(schema(), record(Name="A", Industry="IT"))
    narrow = schema(columns={"Name": TEXT, "Employees": WHOLE})
    run = tenant.load(
        schema(), record(Name="B", Industry="X"), narrow, record(Name="A", Employees=1)
    )
    assert run.exit_code == 0
    assert [row["Industry"] for row in tenant.rows(Name="A")] == ["IT"]


def test_column_that_schemas_declare_differently_is_checked_by_its_field(tenant: Tenant) -> None:
    run = tenant.load(
        schema(columns={"Name": TEXT, "Employees": WHOLE}),
        record(Name="A", Employees=1),
        schema(columns={"Name": TEXT, "Employees": {"type": "string", "maxLength": 2}}),
        record(Name="B", Employees="222"),
        record(Name="C", Employees="many"),
    )
    assert (run.codes, tenant.names()) == (["not_a_number"], ["A", "B"])


@pytest.mark.parametrize("lookup_keys", [["Name"], None])
def test_alternating_key_properties_cost_no_calls(
    tenant: Tenant, lookup_keys: list[str] | None
) -> None:
    keys = (["Name"], ["Industry"], [])
    messages = [
        message
        for number in range(60)
        for message in (schema(keys=keys[number % 3]), record(Name=f"C{number}", Industry="x"))
    ]
    before = len(tenant.sandbox.tenant.calls())
    run = tenant.load(*messages, lookup_keys=lookup_keys)
    assert (run.exit_code, len(tenant.names()), run.warnings) == (0, 60, [])
    assert len(tenant.sandbox.tenant.calls()) - before <= 10


def test_record_needs_the_key_properties_of_its_own_schema(tenant: Tenant) -> None:
    run = tenant.load(
        schema(keys=["Name"]),
        record(Name="A"),
        schema(keys=["Industry"]),
        record(Name="B"),
        record(Name="C", Industry="IT"),
    )
    assert (run.codes, tenant.names()) == (["key_missing"], ["A", "C"])


@pytest.mark.parametrize("keyword", ["definitions", "$defs"])
@pytest.mark.parametrize("variants", [2, 60])
def test_alternating_definitions_cost_no_calls(tenant: Tenant, keyword: str, variants: int) -> None:
    def defining(length: int) -> Message:
        message = schema(columns={"Name": TEXT, "Industry": {"$ref": f"#/{keyword}/a~1b"}})
        inner = {"$ref": f"#/{keyword}/t"}
        message["schema"][keyword] = {"a/b": inner, "t": {"type": "string", "maxLength": length}}
        return message

    messages = [
        message
        for number in range(60)
        for message in (
            defining(1 + number % variants),
            record(Name=f"C{number}", Industry="x" * (1 + number % variants)),
        )
    ]
    before = len(tenant.sandbox.tenant.calls())
    run = tenant.load(*messages)
    assert (run.exit_code, run.codes, len(tenant.names())) == (0, [], 60)
    assert len(tenant.sandbox.tenant.calls()) - before <= 10
    assert not any("cannot be merged" in line for line in run.warnings)


def test_changes_that_cannot_be_merged_are_warned_of_once(tenant: Tenant) -> None:
    columns = {"id__gc": TEXT, "text__gc": TEXT}
    keys = (["id__gc"], ["text__gc"])
    messages = [
        message
        for number in range(12)
        for message in (
            schema(columns=columns, keys=keys[number % 2]),
            record(id__gc=f"R{number}", text__gc=f"T{number}"),
        )
    ]
    run = tenant.load(*messages, object_type="custom_object", custom_object_name="Result__gc")
    assert (run.exit_code, len(tenant.rows("Result__gc"))) == (0, 12)
    assert sum("cannot be merged" in line for line in run.warnings) == 1


FLAT = {"flattening_enabled": True, "flattening_max_depth": 2}


@pytest.mark.parametrize(
    ("declared", "sent", "cleared"),
    [
        (
            {"type": ["null", "object"], "properties": {"a": TEXT, "b": WHOLE}},
            None,
            ["f__a", "f__b"],
        ),
        (
            {
                "type": ["null", "object"],
                "properties": {"g": {"type": "object", "properties": {"a": {"type": "string"}}}},
            },
            None,
            ["f__g__a"],
        ),
        (
            {
                "type": "object",
                "properties": {"g": {"type": ["object", "null"], "properties": {"a": TEXT}}},
            },
            {"g": None},
            ["f__g__a"],
        ),
        (
            {"anyOf": [{"type": "null"}, {"type": "object", "properties": {"a": TEXT}}]},
            None,
            ["f__a"],
        ),
        ({"$ref": "#/definitions/f"}, None, ["f__a"]),
    ],
)
def test_flattened_object_that_is_null_clears_its_fields(
    tenant: Tenant, declared: Message, sent: object, cleared: list[str]
) -> None:
    fields = dict(zip(("Industry", "Employees"), cleared, strict=False))
    tenant.load(schema(), record(Name="A", Industry="IT", Employees=7))
    message = schema(columns={"Name": TEXT, "f": declared})
    message["schema"]["definitions"] = {
        "f": {"type": ["object", "null"], "properties": {"a": TEXT}}
    }
    run = tenant.load(
        message,
        record(Name="A", f=sent),
        field_mapping={column: field for field, column in fields.items()},
        **FLAT,
    )
    assert (run.exit_code, run.errors) == (0, [])
    [row] = tenant.rows()
    assert [row[field] for field in fields] == [None] * len(fields)


def test_undeclared_null_clears_no_column_that_begins_like_it(tenant: Tenant) -> None:
    tenant.load(schema(), record(Name="A", Industry="IT"))
    message = schema(columns={"Name": TEXT, "f__a": TEXT})
    run = tenant.load(message, record(Name="A", f=None), field_mapping={"f__a": "Industry"}, **FLAT)
    assert run.exit_code == 0
    assert [row["Industry"] for row in tenant.rows()] == ["IT"]


@pytest.mark.parametrize("first", [{"a": "IT"}, None])
@pytest.mark.parametrize("properties", [{}, ["Name"]])
def test_undeclared_object_that_is_null_clears_its_fields(
    tenant: Tenant, properties: object, first: object
) -> None:
    tenant.load(schema(), record(Name="A", Industry="IT"))
    message = {**schema(), "schema": {"type": "object", "properties": properties}}
    records = (record(Name="B", f=first), record(Name="A", f=None))
    run = tenant.load(message, *records, field_mapping={"f__a": "Industry"}, **FLAT)
    assert run.exit_code == 0
    assert {row["Name"]: row["Industry"] for row in tenant.rows()}["A"] is None


def test_object_that_is_null_is_flattened_after_the_stream_map(tenant: Tenant) -> None:
    tenant.load(schema(), record(Name="A", Industry="IT", Employees=7))
    inner = {"type": ["null", "object"], "properties": {"a": TEXT, "b": WHOLE}}
    sent = record(Name="A", f=None)
    run = tenant.load(
        schema(columns={"Name": TEXT, "f": inner}),
        sent,
        stream_maps={"accounts": {"Summary": "'none' if f is None else 'some'"}},
        field_mapping={"f__a": "Industry", "f__b": "Employees"},
        **FLAT,
    )
    assert (run.exit_code, run.errors) == (0, [])
    [row] = tenant.rows()
    assert (row["Industry"], row["Employees"], row["Summary"]) == (None, None, "none")


@pytest.mark.parametrize("sent", [{}, {"f": {}}, {"f": {"b": 7}}])
def test_flattened_object_that_lacks_a_column_leaves_its_field(
    tenant: Tenant, sent: Message
) -> None:
    tenant.load(schema(), record(Name="A", Industry="IT"))
    inner = {"type": ["null", "object"], "properties": {"a": TEXT, "b": WHOLE}}
    mapping = {"f__a": "Industry", "f__b": "Employees"}
    columns = {"Name": TEXT, "f": inner}
    run = tenant.load(
        schema(columns=columns), record(Name="A", **sent), field_mapping=mapping, **FLAT
    )
    assert run.exit_code == 0
    assert [row["Industry"] for row in tenant.rows()] == ["IT"]


@pytest.mark.parametrize(
    ("declared", "value", "text"),
    [
        ({}, 7, "7"),
        ({}, {"a": 1}, '{"a":1}'),
        ({}, None, None),
        ({"anyOf": [{"type": "null"}, {"type": "integer"}]}, 7, "7"),
        ({"oneOf": [{"type": "string"}, {"type": "array"}]}, ["a"], '["a"]'),
        ({"type": ["integer", "array"]}, 7, "7"),
        ({"$ref": "#/definitions/n"}, 7, "7"),
        ({"allOf": [{"$ref": "#/definitions/n"}]}, 7, "7"),
        (True, 7, "7"),
    ],
)
def test_flattening_keeps_columns_without_a_plain_type(
    tenant: Tenant, declared: object, value: object, text: str | None
) -> None:
    message = schema(columns={"Name": TEXT, "Industry": declared})
    message["schema"]["definitions"] = {"n": {"type": ["integer", "null"]}}
    run = tenant.load(message, record(Name="A", Industry=value), **FLAT)
    assert (run.exit_code, run.errors) == (0, [])
    assert [row["Industry"] for row in tenant.rows()] == [text]


@pytest.mark.parametrize("mapping", [{"f__a": "Industry"}, {"Name": "Name"}])
def test_first_record_of_a_stream_without_properties_is_flattened(
    tenant: Tenant, mapping: Message
) -> None:
    run = tenant.load(
        {**schema(), "schema": {"type": "object"}},
        record(Name="A", f={"a": "IT"}),
        field_mapping=mapping,
        **FLAT,
    )
    assert run.exit_code == 0
    assert [row["Industry"] for row in tenant.rows()] == ["IT" if "f__a" in mapping else None]


def test_undeclared_object_is_flattened_like_a_declared_one(tenant: Tenant) -> None:
    run = tenant.load(
        NAME_ONLY,
        record(Name="A"),
        record(Name="B", f={"a": "IT"}),
        field_mapping={"f__a": "Industry"},
        **FLAT,
    )
    assert run.exit_code == 0
    assert [row["Industry"] for row in tenant.rows()] == [None, "IT"]


def test_first_look_accepts_lists_without_administrator_hint(
    tmp_path: Path, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    activity = {"ContextName": "Company", "TypeName": "Update", "Author": "a@b.example"}
    by_name = {"object_name": "company", "fields": {"firm": "Name"}}
    streams = {
        "carts": {"object_type": "custom_object", "custom_object_name": "Cart__gc"},
        "firms": {"object_type": "company"},
        "notes": {
            "object_type": "timeline",
            "constants": activity,
            "lookups": {"GsCompanyId": by_name},
        },
        "ctas": {
            "object_type": "cta",
            "lookup_keys": ["Name"],
            "constants": {"type": "New kind"},
            "lookups": {"CompanyId": by_name},
        },
    }
    (tmp_path / "sandbox.yml").write_text("auto_create: true\nlimits: {calls_per_minute: 0}")
    target = TargetGainsight(
        config={
            "domain": "sandbox",
            "sandbox_config": str(tmp_path / "sandbox.yml"),
            "sandbox_path": str(tmp_path / "tenant.db"),
            "rejects_path": str(tmp_path / "rejects"),
            "streams": streams,
        },
        clock=clock,
    )
    open_schema = {"type": "object"}
    messages = [
        {**schema("firms"), "schema": open_schema},
        record("firms", Name="Initech"),
        {**schema("carts", keys=["id"]), "schema": open_schema},
        record("carts", id=1, fruits=None),
        record("carts", id=2, fruits=["apple", "pear"], more={"a": [1]}),
        {**schema("notes", keys=["id"]), "schema": open_schema},
        record("notes", id=1, firm="Initech", Subject="S", ActivityDate="2026-05-01"),
        {**schema("ctas", keys=["Name"]), "schema": open_schema},
        record("ctas", Name="Call", firm="Initech", tags=["x"]),
    ]
    assert target.run_to_end(io.StringIO(lines_of(messages))) == 0
    assert "administrator" not in caplog.text
    assert "IP address" not in caplog.text
    assert "rejected:" not in caplog.text
