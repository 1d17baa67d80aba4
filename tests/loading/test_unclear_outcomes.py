"""Creates with an unclear outcome are looked up, not guessed: nothing lost, nothing doubled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from late_calls import put_late_calls
from singer_messages import record, schema, state
from tenant_runs import NOTE_SETTINGS, NOTES, companies, notes

from target_gainsight.sandbox import Fault

if TYPE_CHECKING:
    from collections.abc import Callable

    from singer_messages import Message
    from tenant_runs import Loading, LoadRun

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


def load(loading: Loading, lines: list[Message], **settings: Any) -> LoadRun:
    return loading.load([schema(), *lines, state(done=1)], **settings)


DURING_THE_WAIT = REQUEST_TIMEOUT + 30
AFTER_THE_WAIT = REQUEST_TIMEOUT + 3_600
"""A create that timed out is looked up a request timeout later: seconds before and after that."""


def load_late(loading: Loading, lines: list[Message], *faults: Fault, **settings: Any) -> LoadRun:
    target = loading.target(**settings)
    put_late_calls(target, *faults)
    return loading.run(target, [schema(), *lines, state(done=1)])


@pytest.mark.parametrize("sync_mode", MODES)
@pytest.mark.parametrize("fault", ANSWER_LOST, ids=lambda f: f"{f.kind}-{f.committed}")
def test_lost_response_neither_loses_nor_duplicates_rows(
    loading: Loading, sync_mode: str, fault: Fault
) -> None:
    loading.tenant.faults.script([fault, fault, "pass", fault], method="POST", path=INSERTS)
    run = load(loading, companies(range(150)), sync_mode=sync_mode, max_concurrency=1)
    assert run.outcomes() == {"created": 150}
    assert loading.names() == {f"C{number}": 1 for number in range(150)}
    assert run.states == [{"done": 1}]


@pytest.mark.parametrize("fault", ANSWER_LOST, ids=lambda f: f"{f.kind}-{f.committed}")
def test_lost_response_to_an_update_is_retried(loading: Loading, fault: Fault) -> None:
    loading.tenant.seed("company", [{"Name": f"C{number}"} for number in range(50)])
    loading.tenant.faults.script([fault, fault], method="PUT")
    run = load(loading, companies(range(50), Employees=1))
    assert run.outcomes() == {"updated": 50}
    assert loading.calls() == {"describe": 1, "query": 1, "update": 3}


@pytest.mark.parametrize("kind", ["reset_before_commit", "reset_after_commit"])
@pytest.mark.parametrize("batch_size", [1, 2, 50])
def test_identical_rows_in_insert_mode_are_matched_by_their_number(
    loading: Loading, kind: str, batch_size: int
) -> None:
    steps = ["pass", kind, kind, "pass", kind]
    loading.tenant.faults.script(steps, method="POST", path=INSERTS)
    lines = [record(Name="Same", Industry="one") for _ in range(7)]
    run = load(loading, lines, sync_mode="insert", batch_size_rows=batch_size)
    assert run.outcomes() == {"created": 7}
    assert loading.names() == {"Same": 7}


@pytest.mark.parametrize("kind", ["reset_before_commit", "reset_after_commit"])
def test_rows_with_one_key_and_different_values_match_their_own_records(
    loading: Loading, kind: str
) -> None:
    loading.tenant.faults.script(["pass", kind, kind], method="POST", path=INSERTS)
    lines = [record(Name="Same", Employees=number) for number in range(6)]
    run = load(loading, lines, sync_mode="insert", batch_size_rows=2)
    assert run.outcomes() == {"created": 6}
    assert [row["Employees"] for row in loading.tenant.rows("company")] == list(range(6))


@pytest.mark.parametrize("datetime_read", ["iso", "epoch_ms", "spaced"])
@pytest.mark.parametrize(("kind", "sends"), [("reset_before_commit", 2), ("reset_after_commit", 1)])
def test_in_insert_mode_an_older_row_does_not_count(
    start_loading: Callable[..., Loading], datetime_read: str, kind: str, sends: int
) -> None:
    loading = start_loading(switches={"datetime_read": datetime_read})
    loading.tenant.seed("company", [{"Name": "C0"}])
    loading.clock.advance(60)
    loading.tenant.faults.script([kind], method="POST", path=INSERTS)
    run = load(loading, companies([0]), sync_mode="insert")
    assert run.outcomes() == {"created": 1}
    assert loading.names() == {"C0": 2}
    assert loading.calls()["insert"] == sends


@pytest.mark.parametrize("sync_mode", MODES)
def test_a_row_found_with_other_values_leaves_the_outcome_unknown(
    loading: Loading, monkeypatch: pytest.MonkeyPatch, sync_mode: str
) -> None:
    pick = loading.tenant.faults.pick

    def another_integration_writes(method: str, path: str) -> Any:
        if method == "POST" and path.lower() == INSERTS and not loading.tenant.count("company"):
            loading.tenant.seed("company", [{"Name": "C1", "Industry": "theirs"}])
        return pick(method, path)

    monkeypatch.setattr(loading.tenant.faults, "pick", another_integration_writes)
    loading.tenant.faults.script(["reset_before_commit"], method="POST", path=INSERTS)
    run = load(loading, companies(range(3), Industry="ours"), sync_mode=sync_mode)
    assert run.outcomes() == {"created": 2, "rejected": 1}
    assert run.codes == ["outcome_unknown"]
    assert run.rejects[0]["record"]["Name"] == "C1"
    assert loading.names() == {"C0": 1, "C1": 1, "C2": 1}
    assert run.states == [{"done": 1}]


@pytest.mark.parametrize("kind", ["reset_before_commit", "reset_after_commit"])
def test_without_keys_the_outcome_stays_unknown_and_nothing_is_doubled(
    start_loading: Callable[..., Loading], kind: str
) -> None:
    loading = start_loading(**NOTES)
    loading.tenant.faults.script([kind], method="POST", path="*/note__gc")
    run = loading.load(notes(range(60)), **NOTE_SETTINGS, max_concurrency=1)
    assert run.outcomes("notes") == {"created": 10, "rejected": 50}
    assert set(run.codes) == {"outcome_unknown"}
    assert "set lookup_keys" in run.rejects[0]["gainsight_reject"]["hint"]
    again = loading.load(run.reject_lines, **NOTE_SETTINGS)
    assert again.outcomes("notes") == {"rejected": 50}
    assert loading.tenant.count("Note__gc") == (60 if kind == "reset_after_commit" else 10)


@pytest.mark.parametrize("committed", [True, False])
def test_an_unknown_outcome_is_replayed_once_keys_are_given(
    start_loading: Callable[..., Loading], *, committed: bool
) -> None:
    loading = start_loading(**NOTES)
    kind = "reset_after_commit" if committed else "reset_before_commit"
    loading.tenant.faults.script([kind], method="POST", path="*/note__gc")
    run = loading.load(notes(range(50)), **NOTE_SETTINGS)
    loading.clock.advance(3600)
    replay = loading.load(run.reject_lines, **NOTE_SETTINGS, lookup_keys="Text__gc")
    assert replay.outcomes("notes") == {"created": 50}
    assert loading.tenant.count("Note__gc") == 50
    assert loading.calls()["query"] == 1


def test_a_record_without_a_value_in_its_keys_cannot_be_looked_up(loading: Loading) -> None:
    loading.tenant.faults.script(["reset_after_commit"], method="POST", path=INSERTS)
    lines = [
        record(Name="C0", TickerSymbol="T0"),
        record(Name="C1"),
        record(Name="C2", TickerSymbol=None),
    ]
    run = load(loading, lines, sync_mode="insert", lookup_keys="TickerSymbol")
    assert run.outcomes() == {"created": 1, "rejected": 2}
    assert set(run.codes) == {"outcome_unknown"}
    assert loading.tenant.count("company") == 3


@pytest.mark.parametrize("sync_mode", MODES)
def test_a_commit_that_comes_while_we_wait_after_a_timeout_is_found(
    loading: Loading, sync_mode: str
) -> None:
    late = Fault("late_commit", method="POST", path=INSERTS, seconds=DURING_THE_WAIT)
    run = load_late(loading, companies(range(50)), late, sync_mode=sync_mode)
    assert run.outcomes() == {"created": 50}
    assert loading.clock.waits == [60]
    assert set(loading.names().values()) == {1}


@pytest.mark.parametrize("sync_mode", MODES)
def test_a_commit_that_comes_after_the_look_up_is_found_by_the_replay(
    loading: Loading, sync_mode: str
) -> None:
    late = Fault("late_commit", method="POST", path=INSERTS, seconds=AFTER_THE_WAIT)
    run = load_late(loading, companies(range(50)), late, sync_mode=sync_mode)
    assert run.outcomes() == {"rejected": 50}
    assert set(run.codes) == {"outcome_unknown"}
    assert run.states == [{"done": 1}]
    loading.clock.advance(AFTER_THE_WAIT)
    assert loading.tenant.count("company") == 50
    loading.calls()
    replay = loading.load(run.reject_lines, sync_mode=sync_mode)
    assert replay.outcomes() == {"unchanged" if sync_mode == "upsert" else "created": 50}
    assert loading.calls()["query"] == 1
    assert set(loading.names().values()) == {1}


@pytest.mark.parametrize("sync_mode", MODES)
def test_a_timeout_without_a_commit_is_unknown_and_its_replay_creates(
    loading: Loading, sync_mode: str
) -> None:
    slow = Fault("latency", method="POST", path=INSERTS, seconds=AFTER_THE_WAIT)
    lost = Fault("reset_before_commit", method="POST", path=INSERTS)
    run = load_late(loading, companies(range(5)), slow, lost, sync_mode=sync_mode)
    assert set(run.codes) == {"outcome_unknown"}
    loading.clock.advance(2 * AFTER_THE_WAIT)
    assert loading.tenant.count("company") == 0
    replay = loading.load(run.reject_lines, sync_mode=sync_mode)
    assert replay.outcomes() == {"created": 5}
    assert set(loading.names().values()) == {1}


def test_identical_rows_of_unknown_outcome_are_counted_in_the_replay(loading: Loading) -> None:
    late = Fault("late_commit", method="POST", path=INSERTS, seconds=AFTER_THE_WAIT)
    lines = [record(Name="Same") for _ in range(4)]
    run = load_late(loading, lines, late, sync_mode="insert")
    loading.clock.advance(AFTER_THE_WAIT)
    gone = loading.tenant.rows("company")[0]["Gsid"]
    loading.tenant.store.delete(loading.tenant.named_object("company"), gone)
    replay = loading.load(run.reject_lines, sync_mode="insert")
    assert replay.outcomes() == {"created": 4}
    assert loading.names() == {"Same": 4}


def test_when_the_look_up_fails_too_the_run_stops_before_the_records(loading: Loading) -> None:
    loading.tenant.faults.script(["pass", "reset_after_commit"], method="POST", path=INSERTS)
    loading.tenant.faults.add(Fault("unavailable", path=QUERIES, after=2))
    lines = [*companies(range(50)), state(read=50), *companies(range(50, 100)), state(read=100)]
    settings = {"max_concurrency": 1, "read_group_size": 50, "near_matches": "ignore"}
    run = loading.load([schema(), *lines], **settings)
    assert run.exit_code == 1
    assert run.states == [{"read": 50}]
    assert run.outcomes() == {"created": 50}
    assert "may or may not have been created" in run.log[-1]
    assert sum(loading.clock.waits) >= 800
    loading.tenant.faults.clear()
    again = load(loading, companies(range(50, 100)))
    assert again.outcomes() == {"unchanged": 50}


@pytest.mark.parametrize("kind", ["reset_before_commit", "reset_after_commit"])
def test_insert_leaves_failed_recovery_to_a_replay(loading: Loading, kind: str) -> None:
    loading.tenant.faults.script(["pass", kind], method="POST", path=INSERTS)
    loading.tenant.faults.add(Fault("unavailable", path=QUERIES))
    lines = [*companies(range(50)), state(read=50), *companies(range(50, 100)), state(read=100)]
    run = loading.load([schema(), *lines], sync_mode="insert", max_concurrency=1)
    assert run.exit_code == 1
    assert run.states[-1] == {"read": 100}
    assert run.outcomes() == {"created": 50, "rejected": 50}
    assert set(run.codes) == {"outcome_unknown"}
    assert "replay them" in run.log[-1]
    loading.tenant.faults.clear()
    loading.clock.advance(3600)
    replay = loading.load(run.reject_lines, sync_mode="insert")
    assert replay.outcomes() == {"created": 50}
    assert loading.names() == {f"C{number}": 1 for number in range(100)}


def test_lost_create_is_logged_and_honours_retry_after(
    loading: Loading,
) -> None:
    loading.tenant.faults.script(
        [Fault("unavailable", retry_after=45)], method="POST", path=INSERTS
    )
    run = load(loading, companies([0]), sync_mode="insert")
    assert run.outcomes() == {"created": 1}
    assert loading.clock.waits == [45]
    assert any(
        "Gainsight failed" in line and "looking up the records (1)" in line for line in run.log
    )


def test_creates_that_never_arrive_are_unavailable_in_the_end(loading: Loading) -> None:
    loading.tenant.faults.add(Fault("reset_before_commit", method="POST", path=INSERTS))
    run = load(loading, companies(range(5)))
    assert run.codes == ["unavailable"] * 5
    assert run.states == []
    assert sum(loading.clock.waits) >= 900


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
def test_two_thousand_rows_come_through_fifteen_percent_of_mixed_faults(
    loading: Loading, sync_mode: str, seed: int
) -> None:
    share = 0.15 / len(MIXED)
    loading.tenant.faults.seed(seed)
    loading.tenant.faults.add(
        *(Fault(kind, path="/v1/data/*", probability=share, **more) for kind, more in MIXED)
    )
    run = load(
        loading,
        companies(range(2000), Industry="new"),
        sync_mode=sync_mode,
        lookup_keys="Name",
        batch_size_rows=10,
        read_group_size=100,
    )
    assert run.outcomes() == {"created": 2000}
    assert loading.names() == {f"C{number}": 1 for number in range(2000)}
    assert len(loading.tenant.faults.fired) >= 8
    assert run.states == [{"done": 1}]
