"""Runs that read everything and fail all the same, so that the orchestrator notices."""

from __future__ import annotations

from typing import Any

import pytest
from singer_messages import record, schema, state
from singer_runs import Tenant

from target_gainsight.sandbox import Fault

BAD = record(Name="Bad", Employees="a lot")


def test_records_that_were_unavailable_at_the_end_fail_the_run(tenant: Tenant) -> None:
    lines = [record(Name=f"C{number}") for number in range(5)]
    tenant.sandbox.tenant.seed("company", [{"Name": "Old", "Industry": "a"}])
    fault = Fault("unavailable", method="POST", path="/v1/data/objects/company")
    tenant.sandbox.tenant.faults.add(fault)
    messages = [schema(), record(Name="Old", Industry="a"), state(at=1), *lines, state(at=2)]
    run = tenant.load(*messages, max_retry_seconds=5)
    assert (run.exit_code, run.states) == (1, [{"at": 1}])
    assert run.error == (
        "Gainsight was not available: 5 records not written; the state stays before the first of "
        "them. Run again later; the run continues where this one stopped."
    )
    tenant.sandbox.tenant.faults.clear()
    again = tenant.load(*messages)
    assert (again.exit_code, again.states[-1]) == (0, {"at": 2})
    assert tenant.names() == ["C0", "C1", "C2", "C3", "C4", "Old"]


def test_spent_call_budget_does_not_fail_the_run(tenant: Tenant) -> None:
    lines = [record(Name=f"C{number}") for number in range(100)]
    run = tenant.load(schema(), *lines, state(at=1), max_calls_per_run=4)
    assert (run.exit_code, run.states) == (0, [])
    assert "max_calls_per_run (4) is reached: " in run.warnings[-1]
    counts = run.summary["streams"]["accounts"]
    assert run.summary["without_outcome"] == 100 - counts["created"] > 0


def test_rejects_fail_a_run_on_request_after_its_end(tenant: Tenant) -> None:
    run = tenant.load(schema(), BAD, record(Name="A"), state(at=2), on_rejects="fail")
    assert (run.exit_code, run.states, tenant.names()) == (1, [{"at": 2}], ["A"])
    assert run.error == (
        f"1 record not written (on_rejects: fail); the reasons are in {run.reject_path}. The rest "
        "is written and covered by the state. Fix the cause, then replay the rejects: gainsight "
        f"rejects replay {run.summary['run']}."
    )


def test_plan_with_rejects_claims_no_writes(tenant: Tenant) -> None:
    run = tenant.load(schema(), BAD, record(Name="A"), on_rejects="fail", dry_run=True)
    assert (run.exit_code, tenant.names()) == (1, [])
    assert run.error == (
        "1 record not written (on_rejects: fail); the reasons are in the plan. Fix the cause."
    )


def test_run_without_rejects_succeeds_with_on_rejects_fail(tenant: Tenant) -> None:
    run = tenant.load(schema(), record(Name="A"), state(at=1), on_rejects="fail")
    assert (run.exit_code, run.errors) == (0, [])


def test_first_reject_stops_a_run_that_allows_none(tenant: Tenant) -> None:
    run = tenant.load(schema(), BAD, record(Name="A"), state(at=2), max_rejects=0)
    assert (run.exit_code, run.states, tenant.names()) == (1, [], [])
    assert "1 of 1 records were rejected, more than max_rejects (0) allows" in run.error


@pytest.mark.parametrize(
    ("streams", "problem"),
    [
        ({"accounts": {"min_records": 3}}, "2 of stream 'accounts' (min_records 3)"),
        ({"acc*": {"min_records": 3}}, "2 of stream 'accounts' (min_records 3)"),
        ({"contacts": {"min_records": 1}}, "0 of stream 'contacts' (min_records 1)"),
        ({"con*": {"min_records": 1}}, "0 of stream 'con*' (min_records 1)"),
    ],
)
def test_too_few_records_fail_the_run_with_its_state(
    tenant: Tenant, streams: dict[str, Any], problem: str
) -> None:
    lines = [record(Name="A"), record(Name="B"), state(at=1)]
    run = tenant.load(schema(), *lines, streams=streams)
    assert (run.exit_code, run.states, tenant.names()) == (1, [{"at": 1}], ["A", "B"])
    assert run.error.startswith(f"too few records were read: {problem}. Check the source")


def test_enough_records_do_not_fail_the_run(tenant: Tenant) -> None:
    lines = [record(Name="A"), BAD]
    run = tenant.load(schema(), *lines, streams={"accounts": {"min_records": 2}})
    assert run.exit_code == 0


def test_min_records_is_not_for_connection_tests(tenant: Tenant) -> None:
    test_stream = schema("meltano_test_stream")
    run = tenant.load(test_stream, streams={"accounts": {"min_records": 2}})
    assert run.exit_code == 0
