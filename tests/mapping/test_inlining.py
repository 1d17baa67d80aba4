"""What is compiled does what the functions do that it stands for, whatever the names are."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tenant_fields import a_field
from test_value_properties import DATA_TYPES, anything

from target_gainsight.mapping.errors import ValueRejectedError
from target_gainsight.mapping.inlining import Inline, compile_mapping, compile_values
from target_gainsight.mapping.types.converters import converter_for, plain_converter

if TYPE_CHECKING:
    from collections.abc import Callable

AS_IT_IS = Inline("v", {})
names = st.text(st.characters(codec=None), max_size=12) | st.sampled_from(
    ['"]; raise SystemExit  # ', "given", "v", "made", "b0", "$write", "\\", "\n", "import os"]
)
near_limits = st.sampled_from(
    [
        "a" * 50,
        "a" * 51,
        "é" * 50,
        "é" * 51,
        2**63,
        -(2**63),
        True,
        1,
        Decimal(1),
        Decimal("1E+307"),
        Decimal("1E+308"),
        "2026-02-01",
        " ",
        "",
    ]
)


def outcome(write: Callable[[object], object], value: object) -> tuple[object, object]:
    """What is written and its type, or why nothing is."""
    try:
        written = write(value)
    except ValueRejectedError as refused:
        return "refused", refused.error.code
    return written.__class__, written


@settings(max_examples=600)
@given(
    data_type=st.sampled_from([*DATA_TYPES, ""]),
    date_format=st.sampled_from(["iso", "MM-DD-YYYY"]),
    values=st.lists(anything | near_limits, min_size=1, max_size=3),
)
def test_what_is_compiled_writes_as_the_converter_does(
    data_type: str, date_format: str, values: list[object]
) -> None:
    field = a_field("Field", data_type, length=50)
    converter = converter_for(field, date_format=date_format)  # type: ignore[arg-type]
    mapped = compile_mapping([("column", "Field", converter.inline)])
    for value in values:
        made = outcome(lambda value: mapped({"column": value})["Field"], value)
        assert made == outcome(converter.write, value)


@given(columns=st.dictionaries(names, names, max_size=6))
def test_any_text_may_be_a_name_and_none_is_run(columns: dict[str, str]) -> None:
    planned = {target: source for source, target in columns.items()}
    record: dict[str, object] = {source: number for number, source in enumerate(columns)}
    mapped = compile_mapping([(s, t, plain_converter(t).inline) for t, s in planned.items()])
    assert mapped(record) == {target: record[source] for target, source in planned.items()}
    taken = compile_values([(source, AS_IT_IS) for source in columns])
    assert taken(record) == list(record.values())  # type: ignore[arg-type]


def test_a_column_that_a_record_lacks_is_no_field_of_it() -> None:
    mapped = compile_mapping([("one", "One", AS_IT_IS), ("two", "Two", AS_IT_IS)])
    assert mapped({"two": None}) == {"Two": None}
    assert mapped({}) == {}


def test_what_becomes_null_is_left_out_where_it_shall_be() -> None:
    field = a_field("Two", "NUMBER")
    columns = [("one", "One", AS_IT_IS), ("two", "Two", converter_for(field).inline)]
    mapped = compile_mapping(columns, omit_null=True)
    assert mapped({"one": None, "two": "  "}) == {}
    assert mapped({"one": 0, "two": "5"}) == {"One": 0, "Two": 5}


def test_values_are_taken_of_whole_records_only() -> None:
    taken = compile_values(
        [("One", AS_IT_IS), ("Two", Inline("$twice(v)", {"twice": lambda v: 2 * v}))]
    )
    assert taken({"Two": 3, "One": "a", "Three": 1}) == ["a", 6]
    with pytest.raises(KeyError):
        taken({"One": "a"})
