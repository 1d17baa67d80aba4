"""Schemas as real taps write them are loaded; what cannot be checked is named."""

from __future__ import annotations

from typing import Any

import pytest
from singer_messages import TEXT, Message, record, schema
from singer_runs import Tenant

RESULTS = {"object_type": "custom_object", "custom_object_name": "Result__gc"}


def with_root(columns: Message, **root: Any) -> Message:
    message = schema(columns=columns)
    message["schema"] |= root
    return message


UNDERSTOOD: dict[str, tuple[Message, object]] = {
    "draft 4 bounds": (
        {"type": "integer", "exclusiveMaximum": True, "maximum": 9, "exclusiveMinimum": False},
        7,
    ),
    "type listed twice": ({"type": ["null", "integer", "null"]}, 7),
    "null keywords": ({"type": "integer", "maximum": None, "format": None, "enum": [7, None]}, 7),
    "required in a property": ({"type": "integer", "required": True}, 7),
    "format as a type": ({"type": "date-time"}, 7),
    "any": ({"type": "any"}, 7),
    "type in another language": ({"type": ["NoneType", "Int"]}, 7),
    "column as true": (True, 7),
    "column as null": (None, 7),
    "draft 3 union": ({"type": ["string", {"type": "integer"}]}, 7),
    "no type": ({}, 7),
    "nullable": ({"type": "integer", "nullable": True}, None),
    "null instead of a list": ({"type": "integer", "enum": None, "examples": None}, 7),
    "choice of nothing": ({"type": "integer", "enum": []}, 7),
    "null beside a choice": ({"type": ["integer", "null"], "enum": [7]}, None),
    "scale of a decimal": ({"type": "number", "multipleOf": 1e-38}, 7),
    "alternatives that overlap": ({"oneOf": [{"type": "number"}, {"type": "integer"}]}, 7),
    "unknown type": ({"anyOf": [{"type": "txet"}, {"type": 5}]}, 7),
}


@pytest.mark.parametrize(("declared", "value"), UNDERSTOOD.values(), ids=UNDERSTOOD)
def test_tap_schema_variant_is_accepted(tenant: Tenant, declared: object, value: object) -> None:
    columns = {"Name": TEXT, "Employees": declared}
    run = tenant.load(schema(columns=columns), record(Name="Acme", Employees=value))
    assert (run.exit_code, run.errors) == (0, [])
    assert [row["Employees"] for row in tenant.rows()] == [value]


@pytest.mark.parametrize("stream_maps", [None, {"accounts": {"Summary": "Name"}}])
@pytest.mark.parametrize(
    "root",
    [
        {"type": "date-time"},
        {"type": ["null", "object", "null"]},
        {"type": None},
        {"required": ["Name", "Employees", "Name"]},
        {"required": None},
        {"required": "Name"},
        {"additionalProperties": None},
        {"$schema": "http://json-schema.org/draft-03/schema#"},
    ],
    ids=str,
)
def test_tap_schema_variant_at_root_is_accepted(
    tenant: Tenant, root: Message, stream_maps: Message | None
) -> None:
    message = with_root({"Name": TEXT, "Industry": TEXT}, **root)
    run = tenant.load(message, record(Name="Acme", Industry="IT"), stream_maps=stream_maps)
    assert (run.exit_code, run.errors) == (0, [])
    assert [(row["Name"], row["Industry"]) for row in tenant.rows()] == [("Acme", "IT")]


@pytest.mark.parametrize(
    ("pattern", "fits", "breaks"),
    [
        (r"^\p{L}+$", "Ärzte", "R2"),
        (r"^(?<year>\d{4})\/x$", "2026/x", "26/x"),
        ("^[a-z]+$", "a", "1"),
    ],
)
def test_ecma_pattern_is_kept(tenant: Tenant, pattern: str, fits: str, breaks: str) -> None:
    columns = {"Name": TEXT, "Industry": {"type": "string", "pattern": pattern}}
    run = tenant.load(
        schema(columns=columns), record(Name="A", Industry=fits), record(Name="B", Industry=breaks)
    )
    assert (run.codes, tenant.names()) == (["schema_violation"], ["A"])
    assert run.rejects[0]["gainsight_reject"]["field"] == "Industry"


@pytest.mark.parametrize(
    ("declared", "keyword"),
    [
        ({"type": "string", "pattern": "("}, "column Industry: pattern is '('"),
        ({"maxLength": "long"}, "column Industry: maxLength is 'long'"),
        ({"maxLength": -1}, "column Industry: maxLength is -1"),
        ({"anyOf": [{"enum": "x"}]}, "column Industry: enum is 'x'"),
        ({"anyOf": [3]}, "column Industry: anyOf is [3]"),
        ({"$ref": "#/definitions/none"}, "column Industry: $ref is '#/definitions/none'"),
        ({"$ref": "#/required/none"}, "column Industry: $ref is '#/required/none'"),
        ({"$ref": "other.json"}, "column Industry: $ref is 'other.json'"),
        ({"type": "text"}, "column Industry: type is 'text'"),
        ({"properties": {"City": {"enum": 3}}}, "column Industry.City: enum is 3"),
    ],
    ids=str,
)
def test_keyword_that_cannot_be_checked_is_named(
    tenant: Tenant, declared: object, keyword: str
) -> None:
    message = schema(columns={"Name": TEXT, "Industry": declared})
    run = tenant.load(message, record(Name="Acme", Industry="IT"), message)
    assert run.exit_code == 0
    [warning] = [each for each in run.warnings if "are not checked" in each]
    assert f"not checked: {keyword}." in warning
    assert "validate_records: false" in warning
    assert [row["Industry"] for row in tenant.rows()] == ["IT"]


TAGS = {"tags": {"type": ["null", "array"], "items": {"$ref": "#/definitions/text"}}}
DEFINED: dict[str, tuple[Message, Message]] = {
    "definitions": (TAGS, {"definitions": {"text": {"type": ["null", "string"]}}}),
    "$defs": (
        {"tags": {"$ref": "#/$defs/tags"}},
        {"$defs": {"tags": {"type": "array", "items": {"$ref": "#/$defs/text"}}, "text": TEXT}},
    ),
    "another column": (
        {
            "other": {"type": "array", "items": {"$ref": "#/properties/word"}},
            "word": TEXT,
            "tags": {"$ref": "#/properties/other"},
        },
        {},
    ),
}


@pytest.mark.parametrize(
    "further",
    [
        {"__else__": "__NULL__"},
        {"__else__": "__NULL__", "__source__": "raw"},
        {"__source__": "raw"},
        {"__alias__": "accounts"},
        {},
    ],
    ids=str,
)
@pytest.mark.parametrize(("columns", "root"), DEFINED.values(), ids=DEFINED)
def test_reference_survives_a_stream_map(
    tenant: Tenant, columns: Message, root: Message, further: Message
) -> None:
    stream = "raw" if further.keys() & {"__source__", "__alias__"} else "accounts"
    key = "raw" if "__alias__" in further else "accounts"
    message = schema(stream, {"title": TEXT, **columns}, ["title"])
    message["schema"] |= root
    maps: Message = {
        key: {
            "Name": "title.strip()",
            "Industry": "tags",
            "__key_properties__": ["Name"],
            **further,
        }
    }
    if "__source__" in further:
        maps["raw"] = "__NULL__"
    run = tenant.load(
        message,
        record(stream, title=" Acme ", tags=["a", "b"]),
        record(stream, title="Hooli", tags=[5]),
        stream_maps=maps,
        unknown_fields="drop",
    )
    assert (run.exit_code, run.codes) == (0, ["schema_violation"])
    assert [(row["Name"], row["Industry"]) for row in tenant.rows()] == [("Acme", '["a", "b"]')]


@pytest.mark.parametrize(
    ("expression", "field", "expected"),
    [
        ("record['mrr'] * 12", "number__gc", 126),
        ("int(mrr) if mrr else None", "number__gc", 10),
        ("float(mrr) > 3", "flag__gc", True),
        ("mrr > 5", "flag__gc", True),
        ("datetime.datetime.fromisoformat(at)", "at__gc", "2026-05-01T10:00:00.000Z"),
        ("datetime.date.fromisoformat(at[:10])", "day__gc", "2026-05-01"),
        ("datetime.datetime.fromisoformat(at).date()", "day__gc", "2026-05-01"),
        ("mrr * 2", "text__gc", "21"),
        ("[mrr, at]", "text__gc", '[10.5, "2026-05-01T10:00:00+00:00"]'),
        ("{'m': mrr}", "text__gc", '{"m": 10.5}'),
    ],
)
def test_result_of_a_stream_map_is_checked_against_the_gainsight_field(
    tenant: Tenant, expression: str, field: str, expected: object
) -> None:
    columns = {"id__gc": TEXT, "mrr": {"type": ["null", "number"]}, "at": TEXT}
    run = tenant.load(
        schema("results", columns, ["id__gc"]),
        record("results", id__gc="1", mrr=10.5, at="2026-05-01T10:00:00+00:00"),
        stream_maps={"results": {field: expression, "mrr": "__NULL__", "at": "__NULL__"}},
        **RESULTS,
    )
    assert (run.exit_code, run.errors) == (0, [])
    assert [row[field] for row in tenant.rows("Result__gc")] == [expected]


def test_stream_map_over_a_column_may_change_its_type(tenant: Tenant) -> None:
    columns = {"id__gc": TEXT, "number__gc": {"type": ["null", "integer"]}}
    run = tenant.load(
        schema("results", columns, ["id__gc"]),
        record("results", id__gc="1", number__gc=3),
        stream_maps={"results": {"number__gc": "number__gc * 1.5"}},
        **RESULTS,
    )
    assert (run.exit_code, run.errors) == (0, [])
    assert [row["number__gc"] for row in tenant.rows("Result__gc")] == [4.5]


def test_renamed_column_keeps_the_rules_of_its_schema(tenant: Tenant) -> None:
    columns = {"Name": TEXT, "staff": {"type": "integer", "maximum": 9}}
    run = tenant.load(
        schema(columns=columns),
        record(Name="A", staff=10),
        record(Name="B", staff=9),
        stream_maps={"accounts": {"Employees": "staff", "staff": "__NULL__"}},
    )
    assert (run.codes, tenant.names()) == (["schema_violation"], ["B"])


def test_error_of_the_sdk_keeps_its_advice(tenant: Tenant) -> None:
    run = tenant.load(schema(), stream_maps={"accounts": {"Name": "__NULL__"}})
    assert "to replicate with no key properties in the stream." in run.error
