"""Creates with an unknown outcome are looked up, not guessed: nothing is lost or duplicated."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from late_calls import late_calls
from singer_messages import NOTE_SETTINGS, NOTES, Message, companies, notes, record, schema, state
from singer_runs import TargetRun, Tenant
from wire import Call, wired

from target_gainsight.sandbox import Fault

INSERTS = "/v1/data/objects/company"
QUERIES = "/v1/data/objects/query/company"
MODES = ("insert", "upsert")
REQUEST_TIMEOUT = 60
ANSWER_LOST = (
    Fault("reset_before_commit"),
    Fault("reset_after_commit"),
    Fault("server_error"),
    Fault("server_error", committed=True),
    Fault("bad_gateway", committed=True),
    Fault("unavailable", committed=True),
    Fault("truncated_body"),
    Fault("cut_json"),
    Fault("empty_body"),
    Fault("html_body"),
    Fault("wrong_shape"),
)


def load(tenant: Tenant, lines: list[Message], **settings: Any) -> TargetRun:
    return tenant.load(schema(), *lines, state(done=1), **settings)


DURING_THE_WAIT = REQUEST_TIMEOUT + 30
AFTER_THE_WAIT = REQUEST_TIMEOUT + 3_600
"""A create that timed out is looked up a request timeout later: seconds before and after that."""


def load_late(tenant: Tenant, lines: list[Message], *faults: Fault, **settings: Any) -> TargetRun:
    target = tenant.target(http=late_calls(tenant.clock, *faults), **settings)
    return tenant.run(target, schema(), *lines, state(done=1))


@pytest.mark.parametrize("sync_mode", MODES)
@pytest.mark.parametrize("fault", ANSWER_LOST, ids=lambda f: f"{f.kind}-{f.committed}")
def test_lost_response_neither_loses_nor_duplicates_rows(
    tenant: Tenant, sync_mode: str, fault: Fault
) -> None:
    tenant.sandbox.tenant.faults.script([fault, fault, "pass", fault], method="POST", path=INSERTS)
    run = load(tenant, companies(range(150)), sync_mode=sync_mode, max_concurrency=1)
    assert run.outcomes() == {"created": 150}
    assert tenant.count_names() == {f"C{number}": 1 for number in range(150)}
    assert run.states == [{"done": 1}]


@pytest.mark.parametrize("fault", ANSWER_LOST, ids=lambda f: f"{f.kind}-{f.committed}")
def test_lost_response_to_an_update_is_retried(tenant: Tenant, fault: Fault) -> None:
    tenant.sandbox.tenant.seed("company", [{"Name": f"C{number}"} for number in range(50)])
    tenant.sandbox.tenant.faults.script([fault, fault], method="PUT")
    run = load(tenant, companies(range(50), Employees=1))
    assert run.outcomes() == {"updated": 50}
    assert tenant.count_calls() == {"describe": 1, "query": 1, "update": 3}


@pytest.mark.parametrize("kind", ["reset_before_commit", "reset_after_commit"])
@pytest.mark.parametrize("batch_size", [1, 2, 50])
def test_insert_matches_identical_rows_by_their_number(
    tenant: Tenant, kind: str, batch_size: int
) -> None:
    steps = ["pass", kind, kind, "pass", kind]
    tenant.sandbox.tenant.faults.script(steps, method="POST", path=INSERTS)
    lines = [record(Name="Same", Industry="one") for _ in range(7)]
    run = load(tenant, lines, sync_mode="insert", batch_size_rows=batch_size)
    assert run.outcomes() == {"created": 7}
    assert tenant.count_names() == {"Same": 7}


@pytest.mark.parametrize("kind", ["reset_before_commit", "reset_after_commit"])
def test_rows_with_one_key_and_different_values_match_their_own_records(
    tenant: Tenant, kind: str
) -> None:
    tenant.sandbox.tenant.faults.script(["pass", kind, kind], method="POST", path=INSERTS)
    lines = [record(Name="Same", Employees=number) for number in range(6)]
    run = load(tenant, lines, sync_mode="insert", batch_size_rows=2)
    assert run.outcomes() == {"created": 6}
    assert [row["Employees"] for row in tenant.rows("company")] == list(range(6))


@pytest.mark.parametrize("datetime_read", ["iso", "epoch_ms", "spaced"])
@pytest.mark.parametrize(("kind", "sends"), [("reset_before_commit", 2), ("reset_after_commit", 1)])
def test_insert_ignores_older_rows_in_recovery(
    start_tenant: Callable[..., Tenant], datetime_read: str, kind: str, sends: int
) -> None:
    tenant = start_tenant(switches={"datetime_read": datetime_read})
    tenant.sandbox.tenant.seed("company", [{"Name": "C0"}])
    tenant.clock.advance(60)
    tenant.sandbox.tenant.faults.script([kind], method="POST", path=INSERTS)
    run = load(tenant, companies([0]), sync_mode="insert")
    assert run.outcomes() == {"created": 1}
    assert tenant.count_names() == {"C0": 2}
    assert tenant.count_calls()["insert"] == sends


@pytest.mark.parametrize("sync_mode", MODES)
def test_row_with_other_values_leaves_outcome_unknown(tenant: Tenant, sync_mode: str) -> None:
    def another_integration_writes(call: Call) -> None:
        if call.matches("POST", INSERTS) and not tenant.sandbox.tenant.count("company"):
            tenant.sandbox.tenant.seed("company", [{"Name": "C1", "Industry": "theirs"}])

    tenant.sandbox.tenant.faults.script(["reset_before_commit"], method="POST", path=INSERTS)
    lines, http = companies(range(3), Industry="ours"), wired(another_integration_writes)
    run = load(tenant, lines, sync_mode=sync_mode, http=http)
    assert run.outcomes() == {"created": 2, "rejected": 1}
    assert run.codes == ["outcome_unknown"]
    assert run.rejects[0]["record"]["Name"] == "C1"
    assert tenant.count_names() == {"C0": 1, "C1": 1, "C2": 1}
    assert run.states == [{"done": 1}]


@pytest.mark.parametrize("kind", ["reset_before_commit", "reset_after_commit"])
def test_outcome_without_keys_stays_unknown(start_tenant: Callable[..., Tenant], kind: str) -> None:
    tenant = start_tenant(**NOTES)
    tenant.sandbox.tenant.faults.script([kind], method="POST", path="*/note__gc")
    run = tenant.load(*notes(range(60)), **NOTE_SETTINGS, max_concurrency=1)
    assert run.outcomes("notes") == {"created": 10, "rejected": 50}
    assert set(run.codes) == {"outcome_unknown"}
    assert "set lookup_keys" in run.rejects[0]["gainsight_reject"]["hint"]
    again = tenant.load(*run.reject_lines, **NOTE_SETTINGS)
    assert again.outcomes("notes") == {"rejected": 50}
    assert tenant.sandbox.tenant.count("Note__gc") == (60 if kind == "reset_after_commit" else 10)


@pytest.mark.parametrize("committed", [True, False])
def test_unknown_outcome_is_replayed_once_keys_are_given(
    start_tenant: Callable[..., Tenant], *, committed: bool
) -> None:
    tenant = start_tenant(**NOTES)
    kind = "reset_after_commit" if committed else "reset_before_commit"
    tenant.sandbox.tenant.faults.script([kind], method="POST", path="*/note__gc")
    run = tenant.load(*notes(range(50)), **NOTE_SETTINGS)
    tenant.clock.advance(3600)
    replay = tenant.load(*run.reject_lines, **NOTE_SETTINGS, lookup_keys="Text__gc")
    assert replay.outcomes("notes") == {"created": 50}
    assert tenant.sandbox.tenant.count("Note__gc") == 50
    assert tenant.count_calls()["query"] == 1


def test_blank_key_cannot_be_looked_up(tenant: Tenant) -> None:
    tenant.sandbox.tenant.faults.script(["reset_after_commit"], method="POST", path=INSERTS)
    lines = [
        record(Name="C0", TickerSymbol="T0"),
        record(Name="C1"),
        record(Name="C2", TickerSymbol=None),
    ]
    run = load(tenant, lines, sync_mode="insert", lookup_keys="TickerSymbol")
    assert run.outcomes() == {"created": 1, "rejected": 2}
    assert set(run.codes) == {"outcome_unknown"}
    assert tenant.sandbox.tenant.count("company") == 3


@pytest.mark.parametrize("sync_mode", MODES)
def test_commit_soon_after_timeout_is_found(tenant: Tenant, sync_mode: str) -> None:
    late = Fault("late_commit", method="POST", path=INSERTS, seconds=DURING_THE_WAIT)
    run = load_late(tenant, companies(range(50)), late, sync_mode=sync_mode)
    assert run.outcomes() == {"created": 50}
    assert tenant.clock.waits == [60]
    assert set(tenant.count_names().values()) == {1}


@pytest.mark.parametrize("sync_mode", MODES)
def test_commit_after_lookup_is_found_by_replay(tenant: Tenant, sync_mode: str) -> None:
    late = Fault("late_commit", method="POST", path=INSERTS, seconds=AFTER_THE_WAIT)
    run = load_late(tenant, companies(range(50)), late, sync_mode=sync_mode)
    assert run.outcomes() == {"rejected": 50}
    assert set(run.codes) == {"outcome_unknown"}
    assert run.states == [{"done": 1}]
    tenant.clock.advance(AFTER_THE_WAIT)
    assert tenant.sandbox.tenant.count("company") == 50
    tenant.count_calls()
    replay = tenant.load(*run.reject_lines, sync_mode=sync_mode)
    assert replay.outcomes() == {"unchanged" if sync_mode == "upsert" else "created": 50}
    assert tenant.count_calls()["query"] == 1
    assert set(tenant.count_names().values()) == {1}


@pytest.mark.parametrize("sync_mode", MODES)
def test_timeout_without_commit_is_created_by_replay(tenant: Tenant, sync_mode: str) -> None:
    slow = Fault("latency", method="POST", path=INSERTS, seconds=AFTER_THE_WAIT)
    lost = Fault("reset_before_commit", method="POST", path=INSERTS)
    run = load_late(tenant, companies(range(5)), slow, lost, sync_mode=sync_mode)
    assert set(run.codes) == {"outcome_unknown"}
    tenant.clock.advance(2 * AFTER_THE_WAIT)
    assert tenant.sandbox.tenant.count("company") == 0
    replay = tenant.load(*run.reject_lines, sync_mode=sync_mode)
    assert replay.outcomes() == {"created": 5}
    assert set(tenant.count_names().values()) == {1}


def test_identical_rows_of_unknown_outcome_are_counted_in_the_replay(tenant: Tenant) -> None:
    late = Fault("late_commit", method="POST", path=INSERTS, seconds=AFTER_THE_WAIT)
    lines = [record(Name="Same") for _ in range(4)]
    run = load_late(tenant, lines, late, sync_mode="insert")
    tenant.clock.advance(AFTER_THE_WAIT)
    gone = tenant.rows("company")[0]["Gsid"]
    tenant.sandbox.tenant.store.delete(tenant.sandbox.tenant.named_object("company"), gone)
    replay = tenant.load(*run.reject_lines, sync_mode="insert")
    assert replay.outcomes() == {"created": 4}
    assert tenant.count_names() == {"Same": 4}


def test_failed_lookup_stops_run_before_its_records(tenant: Tenant) -> None:
    tenant.sandbox.tenant.faults.script(["pass", "reset_after_commit"], method="POST", path=INSERTS)
    tenant.sandbox.tenant.faults.add(Fault("unavailable", path=QUERIES, after=2))
    lines = [*companies(range(50)), state(read=50), *companies(range(50, 100)), state(read=100)]
    settings = {"max_concurrency": 1, "read_group_size": 50, "near_matches": "ignore"}
    run = tenant.load(schema(), *lines, **settings)
    assert run.exit_code == 1
    assert run.states == [{"read": 50}]
    assert run.outcomes() == {"created": 50}
    assert "may or may not have been created" in run.log[-1]
    assert sum(tenant.clock.waits) >= 800
    tenant.sandbox.tenant.faults.clear()
    again = load(tenant, companies(range(50, 100)))
    assert again.outcomes() == {"unchanged": 50}


@pytest.mark.parametrize("kind", ["reset_before_commit", "reset_after_commit"])
def test_insert_leaves_failed_recovery_to_a_replay(tenant: Tenant, kind: str) -> None:
    tenant.sandbox.tenant.faults.script(["pass", kind], method="POST", path=INSERTS)
    tenant.sandbox.tenant.faults.add(Fault("unavailable", path=QUERIES))
    lines = [*companies(range(50)), state(read=50), *companies(range(50, 100)), state(read=100)]
    run = tenant.load(schema(), *lines, sync_mode="insert", max_concurrency=1)
    assert run.exit_code == 1
    assert run.states[-1] == {"read": 100}
    assert run.outcomes() == {"created": 50, "rejected": 50}
    assert set(run.codes) == {"outcome_unknown"}
    assert "replay them" in run.log[-1]
    tenant.sandbox.tenant.faults.clear()
    tenant.clock.advance(3600)
    replay = tenant.load(*run.reject_lines, sync_mode="insert")
    assert replay.outcomes() == {"created": 50}
    assert tenant.count_names() == {f"C{number}": 1 for number in range(100)}


def test_lost_create_is_logged_and_honors_retry_after(tenant: Tenant) -> None:
    tenant.sandbox.tenant.faults.script(
        [Fault("unavailable", retry_after=45)], method="POST", path=INSERTS
    )
    run = load(tenant, companies([0]), sync_mode="insert")
    assert run.outcomes() == {"created": 1}
    assert tenant.clock.waits == [45]
    calls = run.summary["calls"]
    assert (calls["retried"], calls["seconds_waited"]) == (1, 45)
    assert any(
        "Gainsight failed" in line and "looking up the records: 1 record" in line
        for line in run.log
    )


def test_creates_that_never_arrive_are_unavailable(tenant: Tenant) -> None:
    tenant.sandbox.tenant.faults.add(Fault("reset_before_commit", method="POST", path=INSERTS))
    run = load(tenant, companies(range(5)))
    assert run.codes == ["unavailable"] * 5
    assert run.states == []
    assert sum(tenant.clock.waits) >= 900


MIXED = [
    ("reset_before_commit", {}),
    ("reset_after_commit", {}),
    ("server_error", {}),
    ("server_error", {"committed": True}),
    ("bad_gateway", {"committed": True}),
    ("throttle_429", {}),
    ("throttle_200", {"code": "GS_APIG_2404"}),
    ("cut_json", {}),
    ("truncated_body", {}),
    ("html_body", {}),
]


@pytest.mark.parametrize("sync_mode", MODES)
@pytest.mark.parametrize("seed", range(2))
def test_two_thousand_rows_survive_mixed_faults(tenant: Tenant, sync_mode: str, seed: int) -> None:
    share = 0.15 / len(MIXED)
    tenant.sandbox.tenant.faults.seed(seed)
    tenant.sandbox.tenant.faults.add(
        *(Fault(kind, path="/v1/data/*", probability=share, **more) for kind, more in MIXED)
    )
    run = load(
        tenant,
        companies(range(2000), Industry="new"),
        sync_mode=sync_mode,
        lookup_keys="Name",
        batch_size_rows=10,
        read_group_size=100,
    )
    assert run.outcomes() == {"created": 2000}
    assert tenant.count_names() == {f"C{number}": 1 for number in range(2000)}
    assert len(tenant.sandbox.tenant.faults.fired) >= 8
    assert run.states == [{"done": 1}]
