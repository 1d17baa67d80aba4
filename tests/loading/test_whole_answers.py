"""An answer is read whole: what it does not confirm is not taken for written."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest
from singer_messages import NOTE_SETTINGS, NOTES, companies, notes, record, schema, state

from target_gainsight.sandbox import ServerRule
from target_gainsight.sandbox.answers import Answer, Refusal
from target_gainsight.sandbox.endpoints import records

if TYPE_CHECKING:
    from collections.abc import Callable

    from singer_messages import Message
    from singer_runs import Tenant


@pytest.fixture
def tenant(start_tenant: Callable[..., Tenant]) -> Tenant:
    return start_tenant(**NOTES)


@dataclass
class Forgetful:
    """A tenant that leaves records out of a call that it calls a success.

    Attributes:
        unwritten: Values of new rows that it does not write.
        untold: Values of rows that it leaves out of the answer's records.
        counted: What it says it counted, given the number of records told.
        errors: What it lists as errors beside the success.
    """

    unwritten: set[str] = field(default_factory=set)
    untold: set[str] = field(default_factory=set)
    counted: Callable[[int], int] = lambda told: told
    errors: list[Message] | None = None


@pytest.fixture
def forgetful(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> Forgetful:
    forgetful = Forgetful()
    insert = tenant.sandbox.tenant.store.insert

    def insert_some(model: Any, rows: Any) -> Any:
        kept = [row for row in rows if forgetful.unwritten.isdisjoint(row[1])]
        return insert(model, kept)

    def written(sent: Any, gsids: Any) -> Answer:
        pairs = zip(sent, gsids, strict=True)
        told = [
            {**each, "Gsid": gsid}
            for each, gsid in pairs
            if forgetful.untold.isdisjoint(each.values())
        ]
        count = forgetful.counted(len(told))
        return Answer(data={"count": count, "errors": forgetful.errors, "records": told})

    monkeypatch.setattr(tenant.sandbox.tenant.store, "insert", insert_some)
    monkeypatch.setattr(records, "_written", written)
    return forgetful


def test_a_failure_with_http_200_is_a_failure(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse_errors = records._refuse_errors

    def refuse_politely(*arguments: Any) -> None:
        try:
            refuse_errors(*arguments)
        except Refusal as refusal:
            raise Refusal(replace(refusal.answer, status=200)) from None

    monkeypatch.setattr(records, "_refuse_errors", refuse_politely)
    tenant.sandbox.tenant.faults.rules.append(ServerRule("company", "Industry", "bad"))
    lines = [record(Name=f"C{n}", Industry="bad" if n == 5 else "fine") for n in range(20)]
    run = tenant.load(schema(), *lines)
    assert run.outcomes() == {"created": 19, "rejected": 1}
    assert {call.status for call in tenant.sandbox.tenant.calls("POST")} == {200}


@pytest.mark.parametrize("sync_mode", ["upsert", "insert"])
def test_creates_missing_in_the_response_are_looked_up(
    tenant: Tenant, forgetful: Forgetful, sync_mode: str
) -> None:
    forgetful.unwritten, forgetful.untold = {"C7", "C8"}, {"C7", "C8", "C9"}
    run = tenant.load(
        schema(), *companies(range(50)), state(done=1), sync_mode=sync_mode, lookup_keys="Name"
    )
    assert run.outcomes() == {"created": 48, "rejected": 2}
    assert run.codes == ["not_confirmed", "not_confirmed"]
    assert [reject["record"]["Name"] for reject in run.rejects] == ["C7", "C8"]
    assert run.states == [{"done": 1}]
    forgetful.unwritten, forgetful.untold = set(), set()
    replay = tenant.load(*run.reject_lines, sync_mode=sync_mode, lookup_keys="Name")
    assert replay.outcomes() == {"created": 2}
    assert set(tenant.count_names().values()) == {1}


def test_new_rows_left_out_without_keys_to_look_them_up_are_unknown(
    tenant: Tenant, forgetful: Forgetful
) -> None:
    forgetful.untold = {"N7"}
    run = tenant.load(*notes(range(50)), **NOTE_SETTINGS)
    assert run.outcomes("notes") == {"created": 49, "rejected": 1}
    assert run.codes == ["outcome_unknown"]


def test_count_below_the_listed_rows_confirms_nothing(tenant: Tenant, forgetful: Forgetful) -> None:
    forgetful.unwritten, forgetful.counted = {"C3"}, lambda told: told - 1
    run = tenant.load(schema(), *companies(range(10)))
    assert run.outcomes() == {"created": 9, "rejected": 1}
    assert [reject["record"]["Name"] for reject in run.rejects] == ["C3"]


def test_errors_listed_beside_a_success_reject_the_records_they_name(
    tenant: Tenant, forgetful: Forgetful
) -> None:
    forgetful.unwritten = forgetful.untold = {"C4"}
    forgetful.errors = [
        {"errorMessage": "no", "errorCode": "GSOBJ_1008", "fieldName": "Name", "invalidValue": "C4"}
    ]
    run = tenant.load(schema(), *companies(range(10)))
    assert run.outcomes() == {"created": 9, "rejected": 1}
    assert run.codes == ["GSOBJ_1008"]


def test_updates_missing_in_the_response_are_rejected(
    start_tenant: Callable[..., Tenant], monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant = start_tenant(switches={"put_without_match": "ignore"})
    gsids = tenant.sandbox.tenant.seed("company", [{"Name": f"C{number}"} for number in range(10)])
    answer_query = records.answer_query

    def answer_and_delete(*arguments: Any) -> Any:
        answer = answer_query(*arguments)
        for gsid in gsids[3:5]:
            tenant.sandbox.tenant.store.delete(tenant.sandbox.tenant.named_object("company"), gsid)
        return answer

    monkeypatch.setattr(records, "answer_query", answer_and_delete)
    run = tenant.load(schema(), *companies(range(10), Employees=1))
    assert run.outcomes() == {"updated": 8, "rejected": 2}
    assert run.codes == ["not_confirmed", "not_confirmed"]
    assert [reject["record"]["Name"] for reject in run.rejects] == ["C3", "C4"]
