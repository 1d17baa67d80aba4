"""Under combined faults, each activity or CTA is written once, or rejected."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from activities import (
    ACTIVITIES,
    CTAS,
    TENANT,
    activities,
    comments_of,
    ctas,
    load_activities,
    load_ctas,
    notes_of,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from singer_runs import TargetRun, Tenant

from target_gainsight.sandbox import ServerRule

NUMBERS = range(40)
FAULTS = (
    "pass",
    "reset_before_commit",
    "reset_after_commit",
    "server_error",
    "throttle_429",
    "unavailable",
    "cut_json",
    "empty_body",
    "wrong_shape",
)
FORMS: dict[str, tuple[str, ...]] = {
    "timeline_query": ("answered", "refused"),
    "timeline_answers": ("map", "list"),
    "timeline_records": ("many", "one"),
    "cta_answers": ("map", "list"),
    "failed_records_answer": ("true_200", "false_200", "false_400"),
}
KINDS: dict[str, Any] = {
    "activities": (activities, load_activities, notes_of, "Notes", "activity_timeline"),
    "ctas": (ctas, load_ctas, comments_of, "Comments", "call_to_action"),
}


@pytest.mark.parametrize("kind", KINDS)
@given(chance=st.randoms(use_true_random=False))
@settings(
    max_examples=5,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_each_record_is_written_once_or_rejected(
    start_tenant: Callable[..., Tenant], kind: str, chance: Random
) -> None:
    make, load, texts_of, field, object_name = KINDS[kind]
    switches = {name: chance.choice(forms) for name, forms in FORMS.items()}
    tenant = start_tenant(**TENANT, switches=switches)
    known, bad = (set(chance.sample(NUMBERS, count)) for count in (12, 4))
    sync_mode = chance.choice(["upsert", "insert"])
    load(tenant, make(sorted(known), **{field: "old"}))
    wanted = [each["record"][field] for each in make(NUMBERS)]
    tenant.sandbox.tenant.faults.rules += [ServerRule(object_name, field, wanted[n]) for n in bad]
    faults = [chance.choice(FAULTS) for _ in range(8)]
    tenant.sandbox.tenant.faults.script(faults, path=ACTIVITIES if kind == "activities" else CTAS)

    size = chance.choice([7, 50])
    run = load(tenant, make(NUMBERS), sync_mode=sync_mode, batch_size_rows=size)

    kept = known if sync_mode == "insert" else known & bad
    expected = {f"r{n}": "old" if n in kept else wanted[n] for n in {*NUMBERS} - (bad - known)}
    assert texts_of(tenant) == expected
    assert tenant.sandbox.tenant.count(object_name) == len(expected)
    assert sum(run.outcomes(kind).values()) == len(NUMBERS)
    assert_only_known_ones_are_skipped(run, known if sync_mode == "insert" else set(), switches)
    rejected = Counter(each["record"][field] for each in run.rejects)
    refused = bad - known if sync_mode == "insert" else bad
    assert rejected == Counter(wanted[n] for n in refused)


def assert_only_known_ones_are_skipped(
    run: TargetRun, known: set[int], switches: dict[str, str]
) -> None:
    """Without a query, insert mode cannot distinguish them from those whose response was lost."""
    skipped = run.outcomes("activities").get("skipped", 0) + run.outcomes("ctas").get("skipped", 0)
    if known and switches["timeline_query"] == "refused":
        assert skipped >= len(known)
    else:
        assert skipped == len(known)


@pytest.mark.parametrize("kind", KINDS)
def test_refused_call_is_narrowed_down(start_tenant: Callable[..., Tenant], kind: str) -> None:
    make, load, texts_of, *_ = KINDS[kind]
    unlimited = {"calls_per_minute": 0, "calls_per_day": 0, "timeline_calls_per_minute": 0}
    tenant = start_tenant(**TENANT, limits={**unlimited, "records_per_write": 10})
    run = load(tenant, make(NUMBERS))
    assert run.outcomes(kind) == {"created": 40}
    assert len(texts_of(tenant)) == 40


@pytest.mark.parametrize("kind", KINDS)
def test_state_waits_for_every_earlier_record(
    start_tenant: Callable[..., Tenant], kind: str
) -> None:
    make, load, texts_of, *_ = KINDS[kind]
    tenant = start_tenant(**TENANT)
    path = ACTIVITIES if kind == "activities" else CTAS
    tenant.sandbox.tenant.faults.script(["pass", *["server_error"] * 200], method="POST", path=path)
    lines = [
        message for n in NUMBERS for message in (*make([n]), {"type": "STATE", "value": {"n": n}})
    ]
    run = load(tenant, lines, batch_size_rows=10, max_concurrency=1, max_retry_seconds=30)
    assert run.exit_code == 1
    assert run.states[-1] == {"n": 9}
    assert set(texts_of(tenant)) == {f"r{n}" for n in range(10)}
