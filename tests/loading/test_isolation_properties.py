"""Only the bad records of a refused call are rejected, whatever its errors name.

The tenant here is a function: all or nothing, with errors of the form that each example picks.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, cast

from fake_clock import FakeClock
from hypothesis import given, settings
from hypothesis import strategies as st

from target_gainsight.api import FieldFailure, RefusedError, UnavailableError
from target_gainsight.loading.outcomes import BatchResult, Outcome
from target_gainsight.loading.records import LoadRecord, SourceRecord
from target_gainsight.loading.writing.delivery import NULL_CODE, SINGLE_FIELD_CODES, Delivery
from target_gainsight.loading.writing.writer import Action, Unresolved, Writer

FIELDS = ("Name", "Stage", "Score")
VALUES = (None, "", "a", "b", "1", 1, 1.0, True, "true", "True", ("x", "y"))
LISTINGS = ("all", "first", "none")
REPORTED_FORMS = ("as it was", "as text", "in a list", "not")


@dataclass
class Tenant(Writer):
    """Refuses a call that holds a bad record.

    Attributes:
        blames: Failures reported for a bad record, by its position.
        listing: Whether an answer lists all bad records, the first or none.
        calls_left: Calls after which it answers no more.
    """

    blames: dict[int, tuple[FieldFailure, ...]]
    listing: str
    calls_left: float = math.inf
    written: list[int] = field(default_factory=list)
    calls: int = 0

    batch_size = 50

    def write(
        self, action: Action, batch: Sequence[LoadRecord], result: BatchResult
    ) -> list[Unresolved]:
        self.calls += 1
        if self.calls > self.calls_left:
            message = "no answer"
            raise UnavailableError(message)
        places = [record.fields["place"] for record in batch]
        groups = tuple(self.blames[place] for place in places if place in self.blames)
        if groups:
            listed = {"all": groups, "first": groups[:1], "none": ()}[self.listing]
            failures = tuple(failure for group in listed for failure in group)
            message = "refused"
            raise RefusedError(message, code=groups[0][0].code, failures=failures)
        self.written += places
        for record in batch:
            result.settle(record, Outcome.CREATED)
        return []


def a_batch(chance: Random) -> list[LoadRecord]:
    return [
        LoadRecord(
            cast("SourceRecord", None),
            {"place": place, **{name: chance.choice(VALUES) for name in FIELDS}},
        )
        for place in range(chance.randint(1, 50))
    ]


def a_tenant(chance: Random, batch: list[LoadRecord], calls_left: float = math.inf) -> Tenant:
    """Some values are bad wherever they stand, and some records for hidden reasons."""
    bad_values = {
        (chance.choice(FIELDS), as_known(chance.choice(VALUES)))
        for _ in range(chance.randint(0, 3))
    }
    hidden = chance.sample(range(len(batch)), chance.randint(0, min(5, len(batch))))
    form = chance.choice(REPORTED_FORMS)
    blames: dict[int, tuple[FieldFailure, ...]] = {}
    for place, record in enumerate(batch):
        found = [
            FieldFailure(name, as_reported(value, form), code_about(value, chance), "bad")
            for name, value in record.fields.items()
            if (name, as_known(value)) in bad_values
        ]
        if place in hidden:
            name = chance.choice([*FIELDS, "Elsewhere", None])
            value = as_reported(record.fields.get(name or ""), form)
            code = chance.choice(["GSOBJ_1008", "GSOBJ_1011", ""])
            found.append(FieldFailure(name, value, code, "hidden"))
        if found:
            blames[place] = tuple(found)
    return Tenant(blames, chance.choice(LISTINGS), calls_left)


def as_known(value: object) -> str:
    """Return a value as the tenant stores it: untyped, with null for empty text."""
    return "" if value is None else str(value).lower()


def code_about(value: object, chance: Random) -> str:
    if value in (None, ""):
        return NULL_CODE
    return chance.choice(sorted(SINGLE_FIELD_CODES - {NULL_CODE}))


def as_reported(value: Any, form: str) -> Any:
    if form == "as text":
        return None if value is None else str(value)
    return {"as it was": value, "in a list": [value], "not": None}[form]


def deliver_all(batch: list[LoadRecord], tenant: Tenant) -> BatchResult:
    return Delivery(tenant, FakeClock(), max_retry_seconds=0).deliver("create", batch)


@given(st.randoms(use_true_random=False))
@settings(max_examples=200)
def test_good_records_are_written_once_and_bad_ones_rejected(chance: Random) -> None:
    batch = a_batch(chance)
    tenant = a_tenant(chance, batch)
    result = deliver_all(batch, tenant)
    good = [place for place in range(len(batch)) if place not in tenant.blames]
    assert Counter(tenant.written) == Counter(good)
    outcomes = {each.record.fields["place"]: each.outcome for each in result.settlements}
    assert len(result.settlements) == len(batch)
    assert outcomes == {
        place: Outcome.REJECTED if place in tenant.blames else Outcome.CREATED
        for place in range(len(batch))
    }
    assert not result.unavailable


@given(st.randoms(use_true_random=False), st.integers(0, 30))
@settings(max_examples=200)
def test_outage_during_isolation_settles_correctly(chance: Random, calls: int) -> None:
    batch = a_batch(chance)
    tenant = a_tenant(chance, batch, calls)
    result = deliver_all(batch, tenant)
    created = [e.record.fields["place"] for e in result.settlements if e.outcome is Outcome.CREATED]
    rejected = {e.record.fields["place"] for e in result.settlements} - set(created)
    unavailable = {record.fields["place"] for record in result.unavailable}
    assert Counter(created) == Counter(tenant.written)
    assert rejected <= set(tenant.blames)
    assert sorted([*created, *rejected, *unavailable]) == list(range(len(batch)))


def test_unnamed_bad_record_costs_two_calls_per_halving() -> None:
    for size in range(1, 51):
        for bad in range(size):
            batch = [
                LoadRecord(cast("SourceRecord", None), {"place": place}) for place in range(size)
            ]
            tenant = Tenant({bad: (FieldFailure(None, None, "GSOBJ_1008", "no"),)}, "none")
            deliver_all(batch, tenant)
            assert len(tenant.written) == size - 1
            assert tenant.calls - 1 <= 2 * math.ceil(math.log2(size))
