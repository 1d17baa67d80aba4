"""The exact calls of a run, by kind: describe, reads, writes and recovery, and no others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from responses import RESPONSES, TEXT, by_name, response, responses_schema, routed
from singer_messages import NOTE_SETTINGS, NOTES, Message, companies, notes, record, schema, state
from singer_runs import Tenant

from target_gainsight.sandbox import Fault, ServerRule

WRITES = "/v1/data/objects/company"
POISON = ServerRule("company", "Industry", "poison", code="GSOBJ_1002")
PEOPLE = schema("people", {"Email": TEXT, "FirstName": TEXT, "company": TEXT}, keys=["Email"])
LINKS = {"lookup": {"company": "Name"}}
PARENT = {"ParentCompany": {"object_name": "Company", "fields": {"parent": "Name"}}}
CHILDREN = schema(columns={"Name": TEXT, "Industry": TEXT, "TickerSymbol": TEXT, "parent": TEXT})
C1999 = record(Name="C1999")
TICKER = "TickerSymbol"
WITH_TICKER = record(Name="P", TickerSymbol="T")


@dataclass(frozen=True)
class Situation:
    """A run, and the calls that it takes.

    Attributes:
        name: What the run is.
        calls: How many calls of each kind; no other call is made.
        messages: The input.
        settings: The target's.
        described: The tenant.
        held: Rows of the tenant before the run, by object.
        faults: What goes wrong with the calls that write companies, in their order.
        rules: What the tenant refuses.
    """

    name: str
    calls: Mapping[str, int]
    messages: Iterable[Message]
    settings: Mapping[str, Any] = field(default_factory=dict)
    described: Mapping[str, Any] = field(default_factory=dict)
    held: Mapping[str, Iterable[Message]] = field(default_factory=dict)
    faults: tuple[Fault | str, ...] = ()
    rules: tuple[ServerRule, ...] = ()


def held_companies(count: int, **fields: Any) -> dict[str, list[Message]]:
    return {"company": [{"Name": f"C{number}", **fields} for number in range(count)]}


def held_people(count: int, **fields: Any) -> list[Message]:
    return [{"Email": f"p{number}@x.io", **fields} for number in range(count)]


def people(numbers: Iterable[int], **fields: Any) -> list[Message]:
    return [record("people", Email=f"p{number}@x.io", **fields) for number in numbers]


def changed_ones(count: int, every: int) -> list[Message]:
    """Companies of which every n-th has another industry than the tenant's row."""
    return [
        record(Name=f"C{number}", Industry="new" if number % every == 0 else "old")
        for number in range(count)
    ]


def responses(count: int, accounts: int) -> list[Message]:
    lines = [response(f"r{number}", f"C{number % accounts}") for number in range(count)]
    return [responses_schema(), *lines]


def interleaved(count: int, parents: int) -> list[Message]:
    """Changed companies, each followed by a response that refers to one of the first ones."""
    lines = [responses_schema()]
    for number in range(count):
        lines.append(record("accounts", Name=f"C{number}", Industry="new"))
        lines.append(response(f"r{number}", f"C{number % parents}"))
    return lines


SITUATIONS = (
    Situation(
        "a stream without a record",
        {"describe": 1},
        [schema(), state(done=1)],
    ),
    Situation(
        "an empty input",
        {},
        [],
    ),
    Situation(
        "one record: described, read, near matches read, written",
        {"describe": 1, "query": 1 + 1, "insert": 1},
        [schema(), *companies([0])],
    ),
    Situation(
        "upsert, all new: a read per thousand, near matches for 1,250, a write per fifty",
        {"describe": 1, "query": 2 + 2, "insert": 40},
        [schema(), *companies(range(2000))],
    ),
    Situation(
        "insert: nothing is read",
        {"describe": 1, "insert": 20},
        [schema(), *companies(range(1000))],
        {"sync_mode": "insert"},
    ),
    Situation(
        "insert into an object without keys",
        {"describe": 1, "insert": 3},
        notes(range(120)),
        NOTE_SETTINGS,
        NOTES,
    ),
    Situation(
        "upsert, half new",
        {"describe": 1, "query": 1 + 1, "insert": 10, "update": 10},
        [schema(), *companies(range(1000), Industry="new")],
        held=held_companies(500),
    ),
    Situation(
        "upsert, half new, near matches ignored",
        {"describe": 1, "query": 1, "insert": 10, "update": 10},
        [schema(), *companies(range(1000), Industry="new")],
        {"near_matches": "ignore"},
        held=held_companies(500),
    ),
    Situation(
        "upsert, one in a hundred changed: packed over the groups",
        {"describe": 1, "query": 2, "update": 1},
        [schema(), *changed_ones(4000, every=100)],
        {"read_group_size": 2000},
        held=held_companies(4000, Industry="old"),
    ),
    Situation(
        "everything unchanged",
        {"describe": 1, "query": 2},
        [schema(), *companies(range(2000), Industry="old")],
        held=held_companies(2000, Industry="old"),
    ),
    Situation(
        "10,000 unchanged: groups grow to 5,000",
        {"describe": 1, "query": 5},
        [schema(), *companies(range(10_000), Industry="old")],
        held=held_companies(10_000, Industry="old"),
    ),
    Situation(
        "20,000, one in a hundred changed",
        {"describe": 1, "query": 7, "update": 4},
        [schema(), *changed_ones(20_000, every=100)],
        held=held_companies(20_000, Industry="old"),
    ),
    Situation(
        "a larger group is one read",
        {"describe": 1, "query": 1},
        [schema(), *companies(range(4000), Industry="old")],
        {"read_group_size": 4999},
        held=held_companies(4000, Industry="old"),
    ),
    Situation(
        "unchanged rows written all the same",
        {"describe": 1, "query": 1, "update": 3},
        [schema(), *companies(range(120), Industry="old")],
        {"skip_unchanged": False},
        held=held_companies(120, Industry="old"),
    ),
    Situation(
        "update: what no row matches costs nothing more",
        {"describe": 1, "query": 1, "update": 2},
        [schema(), *companies(range(1000), Industry="new")],
        {"sync_mode": "update"},
        held=held_companies(99),
    ),
    Situation(
        "small groups share their writes",
        {"describe": 1, "query": 20 + 1, "insert": 4},
        [schema(), *companies(range(200))],
        {"read_group_size": 10},
    ),
    Situation(
        "a key that comes twenty times in a group is written once",
        {"describe": 1, "query": 1 + 1, "insert": 1},
        [schema(), *(record(Name=f"C{n % 50}", Employees=n) for n in range(1000))],
    ),
    Situation(
        "a state after every record ends no group and no batch",
        {"describe": 1, "query": 1 + 1, "insert": 4},
        [
            schema(),
            *(line for n in range(200) for line in (*companies([n]), state(read=n))),
        ],
    ),
    Situation(
        "a repeated SCHEMA message ends no group and no batch",
        {"describe": 1, "query": 1 + 1, "insert": 4},
        [line for n in range(200) for line in (schema(), *companies([n]))],
    ),
    Situation(
        "two interleaved streams into one object: one describe, a read each",
        {"describe": 1, "query": 2 + 2, "insert": 4},
        [
            schema("a"),
            schema("b"),
            *(record("ab"[n % 2], Name=f"C{n}") for n in range(200)),
        ],
    ),
    Situation(
        "people, all new: a write each, one read a group, one for near matches",
        {"describe": 1, "query": 1 + 1, "person": 100},
        [PEOPLE, *people(range(100), FirstName="Ann")],
        {"object_type": "person", "unknown_fields": "drop"},
    ),
    Situation(
        "people, three changed: a write for each of these",
        {"describe": 1, "query": 1, "person": 3},
        [
            PEOPLE,
            *people(range(3), FirstName="Ann"),
            *people(range(3, 99), FirstName="Bob"),
        ],
        {"object_type": "person", "unknown_fields": "drop"},
        held={"person": held_people(99, FirstName="Bob")},
    ),
    Situation(
        "people with links: one look-up of companies, one read of people, one of their links",
        {"describe": 1, "query": 3 + 1, "person": 60},
        [PEOPLE, *(line for n in range(60) for line in people([n], company=f"C{n % 20}"))],
        {"object_type": "person", "company_links": LINKS},
        held={**held_companies(20), "person": held_people(30)},
    ),
    Situation(
        "lookups: one query for the distinct new values of a group",
        {"describe": 1, "query": 2 + 1, "insert": 2},
        responses(100, accounts=25),
        routed({"Company__gc": by_name()}),
        RESPONSES,
        held=held_companies(25),
    ),
    Situation(
        "lookups: a later group asks for nothing that is known",
        {"describe": 1, "query": 1 + 4 + 1, "insert": 2},
        responses(100, accounts=25),
        {**routed({"Company__gc": by_name()}), "read_group_size": 25},
        RESPONSES,
        held=held_companies(25),
    ),
    Situation(
        "a parent after its children: looked up before and after, one update",
        {"describe": 1, "query": 3 + 1, "insert": 2, "update": 1},
        [CHILDREN, *(record(Name=f"C{n}", parent="P") for n in range(50)), record(Name="P")],
        {"lookups": PARENT},
    ),
    Situation(
        "each child before its parent, for thousands: two lookups per thousand",
        {"describe": 1, "query": 2 * 3 + 2, "insert": 40, "update": 40},
        [CHILDREN, *(record(Name=f"C{n}", parent=f"C{n + 1}") for n in range(1999)), C1999],
        {"lookups": PARENT},
    ),
    Situation(
        "parents that are not found by the lookup keys are looked up again at the end",
        {"describe": 1, "query": 3 + 1, "insert": 2, "update": 1},
        [CHILDREN, *(record(Name=f"C{n}", parent="T") for n in range(50)), WITH_TICKER],
        {"lookups": {"ParentCompany": {"object_name": "Company", "fields": {"parent": TICKER}}}},
    ),
    Situation(
        "children of known parents cut no batch of the interleaved parents short",
        {"describe": 1, "query": 10 + 1 + 10 + 1, "update": 3, "insert": 2},
        [schema("accounts"), *interleaved(100, parents=10)],
        {
            "streams": {"accounts": {"object_type": "company"}, "responses": routed()},
            "read_group_size": 10,
        },
        held=held_companies(100),
        described=RESPONSES,
    ),
    Situation(
        "one poison record that the answer names: its batch is sent once more",
        {"describe": 1, "query": 1 + 1, "insert": 20 + 1},
        [
            schema(),
            *(record(Name=f"C{n}", Industry="poison" if n == 17 else "good") for n in range(1000)),
        ],
        rules=(POISON,),
    ),
    Situation(
        "an update whose answer is lost is sent again without a look-up",
        {"describe": 1, "query": 1, "update": 1 + 1},
        [schema(), *companies(range(50), Employees=1)],
        held=held_companies(50),
        faults=(Fault("reset_after_commit"),),
    ),
    Situation(
        "a create that was committed, its answer lost: one look-up, nothing sent again",
        {"describe": 1, "query": 1 + 1 + 1, "insert": 2},
        [schema(), *companies(range(100))],
        faults=(Fault("reset_after_commit"),),
    ),
    Situation(
        "a create that never was committed: one look-up, sent again",
        {"describe": 1, "query": 1 + 1 + 1, "insert": 2 + 1},
        [schema(), *companies(range(100))],
        faults=(Fault("reset_before_commit"),),
    ),
    Situation(
        "a throttled call is sent again and nothing else",
        {"describe": 1, "query": 1 + 1, "insert": 2 + 1},
        [schema(), *companies(range(100))],
        faults=(Fault("throttle_429"),),
    ),
)


@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda situation: situation.name)
def test_run_makes_exactly_these_calls(
    start_tenant: Callable[..., Tenant], situation: Situation
) -> None:
    tenant = start_tenant(**situation.described)
    for object_name, rows in situation.held.items():
        tenant.sandbox.tenant.seed(object_name, rows)
    tenant.sandbox.tenant.faults.rules.extend(situation.rules)
    if situation.faults:
        tenant.sandbox.tenant.faults.script(situation.faults, path=WRITES)
    tenant.load(*situation.messages, **situation.settings)
    assert tenant.count_calls() == situation.calls


@pytest.mark.e2e
def test_100_000_companies_with_one_percent_changed_take_44_calls(tenant: Tenant) -> None:
    tenant.sandbox.tenant.seed("company", held_companies(100_000, Industry="old")["company"])
    run = tenant.load(schema(), *changed_ones(100_000, every=100))
    assert run.outcomes() == {"unchanged": 99_000, "updated": 1_000}
    assert tenant.count_calls() == {"describe": 1, "query": 23, "update": 20}
