"""Filters have the form that Gainsight expects: conditions, aliases, an expression."""

from __future__ import annotations

from target_gainsight.api import Condition, all_of, any_of, is_in
from target_gainsight.api.resources.records import to_wire


def test_one_condition() -> None:
    assert to_wire(is_in("Name", ["a", None])) == {
        "conditions": [{"name": "Name", "alias": "A", "value": ["a", None], "operator": "IN"}],
        "expression": "A",
    }


def test_conditions_without_values_have_an_empty_list() -> None:
    wire = to_wire(Condition("Stage", "IS_NULL"))
    assert wire["conditions"] == [
        {"name": "Stage", "alias": "A", "value": [], "operator": "IS_NULL"}
    ]


def test_parts_are_joined_and_bracketed() -> None:
    where = all_of(
        is_in("Name", ["a"]),
        any_of(Condition("Arr", "GT", (5,)), Condition("Stage", "IS_NULL")),
        Condition("Gsid", "GT", ("1P02",)),
    )
    assert to_wire(where)["expression"] == "A AND (B OR C) AND D"


def test_single_part_is_not_joined() -> None:
    assert any_of(all_of(is_in("Name", ["a"]))) == is_in("Name", ["a"])


def test_aliases_go_on_after_z() -> None:
    wire = to_wire(any_of(*(is_in("Name", [number]) for number in range(54))))
    aliases = [condition["alias"] for condition in wire["conditions"]]
    assert (aliases[0], aliases[25], aliases[26], aliases[53]) == ("A", "Z", "AA", "BBB")
    assert wire["expression"] == " OR ".join(aliases)
