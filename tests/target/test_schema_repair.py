"""Any combination of schema variants of taps becomes a schema that the validator accepts."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema_rs import Draft202012Validator

from target_gainsight.singer.schemas import merge_schemas, repair_schema

names = st.sampled_from(["id", "default", "type", "$ref", "required", "properties", "a.b", "é"])
types = st.sampled_from(
    ["null", "String", "integer", "number", "object", "array", "date-time", "any", "bool", "str"]
)
keywords: dict[str, st.SearchStrategy[Any]] = {
    "type": types | st.lists(types, max_size=4) | st.none(),
    "required": st.booleans() | st.none() | st.lists(names, max_size=3) | names,
    "maximum": st.none() | st.integers(0, 9),
    "exclusiveMaximum": st.booleans() | st.none() | st.integers(0, 9),
    "maxLength": st.none() | st.integers(0, 9),
    "multipleOf": st.sampled_from([0, 1e-38, 0.01, None]),
    "format": st.none() | st.just("date-time"),
    "nullable": st.booleans(),
    "enum": st.lists(st.integers() | st.none(), min_size=1, max_size=2, unique=True),
    "pattern": st.sampled_from([r"^\p{L}+$", r"^\d+$", r"(?<y>\d)"]),
    "default": st.none() | st.just({"$ref": "#/properties/none"}),
}
columns = st.recursive(
    st.none() | st.booleans() | st.fixed_dictionaries({}, optional=keywords),
    lambda inner: st.fixed_dictionaries(
        {},
        optional={
            "type": types,
            "properties": st.none() | st.dictionaries(names, inner, max_size=3),
            "items": inner | st.lists(inner, max_size=2),
            "anyOf": st.lists(inner.filter(lambda each: each is not None), min_size=1, max_size=2),
            "additionalProperties": st.booleans() | st.none() | inner,
            "required": st.booleans() | st.lists(names, max_size=3),
        },
    ),
    max_leaves=3,
)
schemas = st.fixed_dictionaries(
    {},
    optional={
        "type": types | st.lists(types, max_size=3) | st.none(),
        "properties": st.none() | st.dictionaries(names, columns, max_size=2),
        "required": st.none() | st.lists(names, max_size=4),
    },
)


@settings(deadline=None, max_examples=50)
@given(schemas)
def test_repaired_schema_compiles_and_stays_as_it_is(schema: Any) -> None:
    sent = copy.deepcopy(schema)
    repaired, _ = repair_schema(schema)
    assert schema == sent
    Draft202012Validator(repaired)
    assert repair_schema(repaired) == (repaired, [])


@settings(deadline=None, max_examples=50)
@given(schemas, schemas)
def test_merged_schema_fits_both_and_does_not_change_again(first: Any, second: Any) -> None:
    (held, _), (new, _) = repair_schema(first), repair_schema(second)
    merged = merge_schemas(held, new)
    assert merged is not None
    Draft202012Validator(merged)
    assert merged["properties"].keys() == held["properties"].keys() | new["properties"].keys()
    assert merge_schemas(merged, held) == merged
    assert merge_schemas(merged, new) == merged
