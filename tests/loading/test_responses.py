"""Outcomes come from the whole response: what it does not confirm does not count as written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from singer_messages import NOTE_SETTINGS, NOTES, Message, companies, notes, record, schema, state
from singer_runs import TargetRun, Tenant
from wire import Call, wired

from target_gainsight.sandbox import ServerRule


@pytest.fixture
def tenant(start_tenant: Callable[..., Tenant]) -> Tenant:
    return start_tenant(**NOTES)


@dataclass
class Forgetful:
    """A tenant that leaves records out of a call that it calls a success.

    Attributes:
        unwritten: Names of new rows that it does not write.
        unlisted: Values of rows that it leaves out of the response's records.
        uncounted: How many more it leaves out of the response's count.
        errors: The errors that it lists beside the success.
    """

    tenant: Tenant
    unwritten: set[str] = field(default_factory=set)
    unlisted: set[str] = field(default_factory=set)
    uncounted: int = 0
    errors: list[Message] | None = None

    def load(self, *messages: Message, **settings: Any) -> TargetRun:
        return self.tenant.load(*messages, http=wired(after=self._forget), **settings)

    def _forget(self, call: Call, status: int, envelope: Message) -> tuple[int, Message]:
        if call.kind != "insert":
            return status, envelope
        for name in self.unwritten:
            self.tenant.delete("company", Name=name)
        rows = envelope["data"]["records"]
        listed = [row for row in rows if self.unlisted.isdisjoint(row.values())]
        count = len(listed) - self.uncounted
        data = {"count": count, "errors": self.errors, "records": listed}
        return status, {**envelope, "data": data}


@pytest.fixture
def forgetful(tenant: Tenant) -> Forgetful:
    return Forgetful(tenant)


def succeed_in_status(call: Call, status: int, envelope: Message) -> tuple[int, Message]:
    return 200, envelope


def test_failure_with_http_200_is_rejected(tenant: Tenant) -> None:
    tenant.sandbox.tenant.faults.rules.append(ServerRule("company", "Industry", "bad"))
    lines = [record(Name=f"C{n}", Industry="bad" if n == 5 else "fine") for n in range(20)]
    run = tenant.load(schema(), *lines, http=wired(after=succeed_in_status))
    assert run.outcomes() == {"created": 19, "rejected": 1}


@pytest.mark.parametrize("sync_mode", ["upsert", "insert"])
def test_creates_missing_in_the_response_are_looked_up(
    tenant: Tenant, forgetful: Forgetful, sync_mode: str
) -> None:
    forgetful.unwritten, forgetful.unlisted = {"C7", "C8"}, {"C7", "C8", "C9"}
    run = forgetful.load(
        schema(), *companies(range(50)), state(done=1), sync_mode=sync_mode, lookup_keys="Name"
    )
    assert run.outcomes() == {"created": 48, "rejected": 2}
    assert run.codes == ["not_confirmed", "not_confirmed"]
    assert [reject["record"]["Name"] for reject in run.rejects] == ["C7", "C8"]
    assert run.states == [{"done": 1}]
    forgetful.unwritten, forgetful.unlisted = set(), set()
    replay = tenant.load(*run.reject_lines, sync_mode=sync_mode, lookup_keys="Name")
    assert replay.outcomes() == {"created": 2}
    assert set(tenant.count_names().values()) == {1}


def test_omitted_creates_without_keys_are_unknown(tenant: Tenant, forgetful: Forgetful) -> None:
    forgetful.unlisted = {"N7"}
    run = forgetful.load(*notes(range(50)), **NOTE_SETTINGS)
    assert run.outcomes("notes") == {"created": 49, "rejected": 1}
    assert run.codes == ["outcome_unknown"]


def test_count_below_the_listed_rows_confirms_nothing(tenant: Tenant, forgetful: Forgetful) -> None:
    forgetful.unwritten, forgetful.uncounted = {"C3"}, 1
    run = forgetful.load(schema(), *companies(range(10)))
    assert run.outcomes() == {"created": 9, "rejected": 1}
    assert [reject["record"]["Name"] for reject in run.rejects] == ["C3"]


def test_errors_beside_success_reject_named_records(tenant: Tenant, forgetful: Forgetful) -> None:
    forgetful.unwritten = forgetful.unlisted = {"C4"}
    forgetful.errors = [
        {"errorMessage": "no", "errorCode": "GSOBJ_1008", "fieldName": "Name", "invalidValue": "C4"}
    ]
    run = forgetful.load(schema(), *companies(range(10)))
    assert run.outcomes() == {"created": 9, "rejected": 1}
    assert run.codes == ["GSOBJ_1008"]


def test_updates_missing_in_the_response_are_rejected(start_tenant: Callable[..., Tenant]) -> None:
    tenant = start_tenant(switches={"put_without_match": "ignore"})
    tenant.sandbox.tenant.seed("company", [{"Name": f"C{number}"} for number in range(10)])

    def delete_after_read(call: Call, status: int, envelope: Message) -> tuple[int, Message]:
        if call.kind == "query":
            tenant.delete("company", Name="C3")
            tenant.delete("company", Name="C4")
        return status, envelope

    run = tenant.load(
        schema(), *companies(range(10), Employees=1), http=wired(after=delete_after_read)
    )
    assert run.outcomes() == {"updated": 8, "rejected": 2}
    assert run.codes == ["not_confirmed", "not_confirmed"]
    assert [reject["record"]["Name"] for reject in run.rejects] == ["C3", "C4"]
