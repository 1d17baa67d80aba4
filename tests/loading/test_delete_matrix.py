"""The delete matrix: each kind of object with each outcome of a delete."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from deleting import KINDS, TENANT, Kind, deleted_gsids
from late_calls import late_calls
from singer_messages import state
from singer_runs import Tenant

from target_gainsight.sandbox import Fault

COMMITTED = (
    Fault("reset_after_commit"),
    Fault("server_error", committed=True),
    Fault("html_body"),
    Fault("empty_body"),
)
NOT_COMMITTED = (
    Fault("reset_before_commit"),
    Fault("server_error"),
    Fault("bad_gateway"),
)

pytestmark = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.object_name)


@pytest.fixture
def tenant(start_tenant: Callable[..., Tenant]) -> Tenant:
    return start_tenant(**TENANT)


def test_row_is_deleted(tenant: Tenant, kind: Kind) -> None:
    gsid, _ = kind.seed(tenant, "A", "B")
    run = kind.load(tenant, kind.delete("A"), state(done=1))
    assert (run.exit_code, run.outcomes("rows"), run.states) == (0, {"deleted": 1}, [{"done": 1}])
    assert kind.keys(tenant) == ["B"]
    assert deleted_gsids(run) == [gsid]


def test_missing_row_is_skipped(tenant: Tenant, kind: Kind) -> None:
    kind.seed(tenant, "B")
    run = kind.load(tenant, kind.delete("A"), state(done=1))
    assert (run.exit_code, run.outcomes("rows"), run.states) == (0, {"skipped": 1}, [{"done": 1}])
    assert run.summary["streams"]["rows"]["skipped_because"] == {"no_match": 1}
    assert (run.reject_lines, run.summary["files"]) == ([], {})
    assert tenant.calls("delete") == []


@pytest.mark.parametrize("multi_match", ["reject", "first"])
def test_ambiguous_key_deletes_nothing(tenant: Tenant, kind: Kind, multi_match: str) -> None:
    kind.seed(tenant, "A", "A")
    run = kind.load(tenant, kind.delete("A"), kind.delete("B"), multi_match=multi_match)
    assert run.outcomes("rows") == {"skipped": 1, "rejected": 1}
    assert run.codes == ["multi_match"]
    assert (kind.keys(tenant), tenant.calls("delete")) == (["A", "A"], [])


@pytest.mark.parametrize("blank", [None, "", " "])
def test_blank_key_deletes_nothing(tenant: Tenant, kind: Kind, blank: str | None) -> None:
    kind.seed(tenant, "A")
    run = kind.load(tenant, kind.delete(blank), kind.delete("B"))
    assert run.outcomes("rows") == {"skipped": 1, "rejected": 1}
    assert run.codes == ["key_missing"]
    assert (kind.keys(tenant), tenant.calls("delete")) == (["A"], [])


def test_refused_delete_is_rejected(tenant: Tenant, kind: Kind) -> None:
    parent, _ = kind.seed(tenant, "A", "B")
    tenant.sandbox.tenant.seed("Visit__gc", [{kind.reference: parent}])
    run = kind.load(tenant, kind.delete("A"), kind.delete("B"), state(done=1))
    assert (run.exit_code, run.outcomes("rows")) == (0, {"deleted": 1, "rejected": 1})
    assert (run.codes, run.states) == (["GSOBJ_1003"], [{"done": 1}])
    assert kind.keys(tenant) == ["A"]
    assert tenant.count_calls()["delete"] == 3  # it is sent again once B is gone


@pytest.mark.parametrize("fault", COMMITTED, ids=lambda fault: fault.kind)
def test_lost_response_to_committed_delete_is_not_repeated(
    tenant: Tenant, kind: Kind, fault: Fault
) -> None:
    kind.seed(tenant, "A", "B")
    tenant.sandbox.tenant.faults.script([fault], method="DELETE")
    run = kind.load(tenant, kind.delete("A"), state(done=1))
    assert (run.exit_code, run.outcomes("rows"), run.states) == (0, {"deleted": 1}, [{"done": 1}])
    assert (kind.keys(tenant), len(tenant.calls("delete"))) == (["B"], 1)


@pytest.mark.parametrize("fault", NOT_COMMITTED, ids=lambda fault: fault.kind)
def test_lost_response_to_delete_without_effect_is_repeated(
    tenant: Tenant, kind: Kind, fault: Fault
) -> None:
    kind.seed(tenant, "A", "B")
    tenant.sandbox.tenant.faults.script([fault, fault], method="DELETE")
    run = kind.load(tenant, kind.delete("A"), state(done=1))
    assert (run.exit_code, run.outcomes("rows"), run.states) == (0, {"deleted": 1}, [{"done": 1}])
    assert kind.keys(tenant) == ["B"]


@pytest.mark.parametrize("seconds", [90, 3_600], ids=["soon", "much later"])
def test_delete_committed_after_a_timeout_counts_as_deleted(
    tenant: Tenant, kind: Kind, seconds: float
) -> None:
    kind.seed(tenant, "A", "B")
    late = Fault("late_commit", method="DELETE", seconds=seconds, times=1)
    target = tenant.target(
        http=late_calls(tenant.clock, late), **{**kind.settings, "deletes": "delete"}
    )
    run = tenant.run(target, kind.schema(), kind.delete("A"), state(done=1))
    assert (run.exit_code, run.outcomes("rows"), run.states) == (0, {"deleted": 1}, [{"done": 1}])
    assert kind.keys(tenant) == ["B"]


def test_delete_that_never_gets_a_response_is_held_back(tenant: Tenant, kind: Kind) -> None:
    kind.seed(tenant, "A")
    tenant.sandbox.tenant.faults.add(Fault("bad_gateway", method="DELETE"))
    run = kind.load(tenant, kind.delete("A"), state(done=1))
    assert (run.outcomes("rows"), run.codes, run.states) == ({"rejected": 1}, ["unavailable"], [])
    assert kind.keys(tenant) == ["A"]


def test_throttled_delete_waits_for_the_next_window(tenant: Tenant, kind: Kind) -> None:
    kind.seed(tenant, "A", "B")
    tenant.sandbox.tenant.faults.script(
        [Fault("throttle_429"), Fault("throttle_200")], method="DELETE"
    )
    run = kind.load(tenant, kind.delete("A"), kind.delete("B"))
    assert (run.exit_code, run.outcomes("rows")) == (0, {"deleted": 2})
    assert run.summary["calls"]["throttled"] == 2
    assert kind.keys(tenant) == []


def test_limit_stops_the_run_before_the_call_that_exceeds_it(tenant: Tenant, kind: Kind) -> None:
    kind.seed(tenant, "A", "B", "C")
    lines = [kind.delete("A"), state(read=1), kind.delete("B"), state(read=2), kind.delete("C")]
    run = kind.load(tenant, *lines, state(read=3), max_deletes=2)
    assert (run.exit_code, run.outcomes("rows")) == (1, {"deleted": 2})
    assert run.states[-1] == {"read": 2}
    assert (kind.keys(tenant), len(tenant.calls("delete"))) == (["C"], 2)
    assert "max_deletes (2)" in run.error
    assert "raise max_deletes" in run.error


def test_dry_run_deletes_nothing_and_plans_what_the_run_does(tenant: Tenant, kind: Kind) -> None:
    kind.seed(tenant, "A", "B", "B")
    lines = [kind.delete("A"), kind.delete("B"), kind.delete("C"), kind.write("A")]
    planned = kind.load(tenant, *lines, dry_run=True)
    assert tenant.calls("delete") == tenant.calls("insert") == []
    assert (planned.reject_lines, planned.summary["files"]) == ([], {})
    run = kind.load(tenant, *lines)
    assert planned.outcomes("rows") == run.outcomes("rows")
    assert run.outcomes("rows") == {"created": 1, "deleted": 1, "skipped": 1, "rejected": 1}


def test_deletes_are_off_by_default(tenant: Tenant, kind: Kind) -> None:
    kind.seed(tenant, "A")
    run = kind.load(tenant, kind.delete("A"), deletes=None)
    assert run.summary["streams"]["rows"]["skipped_because"] == {"deleted_in_source": 1}
    assert kind.keys(tenant) == ["A"]
    assert tenant.calls("query") == []
