"""Records with the same key are applied in input order, however many calls are in flight."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest
from singer_messages import TEXT, Message, record, schema, state
from singer_runs import Tenant

from target_gainsight.sandbox import Fault, ServerRule

REFUSED = "refused"
FIELDS = ("Industry", "Employees", "TickerSymbol")


def random_records(chance: random.Random, count: int, keys: int) -> list[Message]:
    """Records of few keys, each with some fields, a few of them refused."""
    lines = []
    for number in range(count):
        values: dict[str, Any] = {
            "Industry": REFUSED if chance.random() < 0.05 else f"industry {number}",
            "Employees": number,
            "TickerSymbol": f"T{number}" if chance.random() < 0.8 else None,
        }
        carried = {name: values[name] for name in FIELDS if chance.random() < 0.6}
        lines.append(record(Name=f"C{chance.randrange(keys)}", **carried))
    return lines


def applied_in_order(lines: list[Message], sync_mode: str, rows: dict[str, Any]) -> int:
    """Apply records one by one, and count those that are refused."""
    refused = 0
    for line in lines:
        fields = dict(line["record"])
        name = fields.pop("Name")
        if sync_mode == "update" and name not in rows:
            continue
        if fields.get("Industry") == REFUSED:
            refused += 1
            continue
        rows.setdefault(name, dict.fromkeys(FIELDS)).update(fields)
    return refused


@pytest.mark.parametrize("sync_mode", ["upsert", "update"])
@pytest.mark.parametrize("seed", range(4))
def test_result_equals_sending_records_one_by_one(
    tenant: Tenant, sync_mode: str, seed: int
) -> None:
    chance = random.Random(seed)
    tenant.sandbox.tenant.faults.rules.append(ServerRule("company", "Industry", REFUSED))
    tenant.sandbox.tenant.faults.add(Fault("latency", path="/v1/data/*", seconds=(0.0, 0.005)))
    rows: dict[str, Any] = {f"C{n}": dict.fromkeys(FIELDS) for n in range(0, 30, 2)}
    tenant.sandbox.tenant.seed("company", [{"Name": name} for name in rows])
    lines = random_records(chance, count=300, keys=chance.choice([5, 30]))
    run = tenant.load(
        schema(),
        *lines,
        state(done=1),
        sync_mode=sync_mode,
        read_group_size=chance.choice([3, 10, 50]),
        batch_size_rows=chance.choice([2, 5, 50]),
    )
    refused = applied_in_order(lines, sync_mode, rows)
    held = {row["Name"]: {name: row[name] for name in FIELDS} for row in tenant.rows("company")}
    assert held == rows
    assert set(tenant.count_names().values()) <= {1}
    assert run.outcomes().get("rejected", 0) <= refused
    assert sum(run.outcomes().values()) == 300
    assert run.states == [{"done": 1}]


@pytest.mark.parametrize("seed", range(2))
def test_inserts_of_one_key_keep_order(tenant: Tenant, seed: int) -> None:
    chance = random.Random(seed)
    tenant.sandbox.tenant.faults.add(Fault("latency", path="/v1/data/*", seconds=(0.0, 0.005)))
    lines = [record(Name=f"C{chance.randrange(4)}", Employees=n) for n in range(200)]
    run = tenant.load(schema(), *lines, sync_mode="insert", batch_size_rows=3)
    assert run.outcomes() == {"created": 200}
    by_name: dict[str, list[int]] = {}
    for row in tenant.rows("company"):
        by_name.setdefault(row["Name"], []).append(row["Employees"])
    assert (
        Counter({name: len(numbers) for name, numbers in by_name.items()}) == tenant.count_names()
    )
    assert all(numbers == sorted(numbers) for numbers in by_name.values())


@pytest.mark.parametrize("order", ["ab", "ba", "aba", "bab", "abba", "aabb", "abaab"])
def test_input_order_holds_across_streams_of_one_object(tenant: Tenant, order: str) -> None:
    columns = {"Name": TEXT, "Industry": TEXT}
    lines = [schema(name, columns) for name in "ab"]
    lines += [record(name, Name="Acme", Industry=f"v{n}") for n, name in enumerate(order)]
    lines += [record("b", Name="Hooli", Industry="b"), record("a", Name="Hooli", Industry="a")]
    assert tenant.load(*lines).exit_code == 0
    by_name = {row["Name"]: row["Industry"] for row in tenant.rows("company")}
    assert by_name == {"Acme": f"v{len(order) - 1}", "Hooli": "a"}


def test_input_order_holds_where_the_second_stream_comes_late(tenant: Tenant) -> None:
    columns = {"Name": TEXT, "Industry": TEXT}
    lines = [schema("a", columns), record("a", Name="Acme", Industry="old")]
    lines += [schema("b", columns), record("b", Name="Acme", Industry="new")]
    assert tenant.load(*lines).exit_code == 0
    assert [row["Industry"] for row in tenant.rows("company")] == ["new"]


def test_two_streams_of_one_object_create_no_duplicates(tenant: Tenant) -> None:
    columns = {"Name": {"type": "string"}, "Industry": {"type": "string"}}
    lines = [schema("first", columns), schema("second", columns)]
    lines += [record("first", Name=f"C{n}", Industry="first") for n in range(30)]
    lines += [record("second", Name=f"C{n}", Industry="second") for n in range(20, 40)]
    lines += [record("first", Name="C39", Industry="third")]
    run = tenant.load(*lines, read_group_size=10)
    assert run.exit_code == 0
    assert set(tenant.count_names().values()) == {1}
    by_name = {row["Name"]: row["Industry"] for row in tenant.rows("company")}
    expected = {f"C{n}": "first" if n < 20 else "second" for n in range(39)}
    assert by_name == expected | {"C39": "third"}
