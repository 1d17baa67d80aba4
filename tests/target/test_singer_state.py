"""Written state covers all settled records, and no others."""

from __future__ import annotations

from collections.abc import Iterator

from fake_clock import FakeClock
from singer_messages import COMPANY_COLUMNS, TEXT, Message, record, schema, state
from singer_runs import LineByLine, Tenant, advance_with_input

from target_gainsight.sandbox import Fault, ServerRule

PEOPLE = {"object_type": "person"}
PERSON_COLUMNS = {"Email": TEXT, "LastName": TEXT}


def companies_with_states(count: int) -> Iterator[Message]:
    for number in range(1, count + 1):
        yield record(Name=f"C{number}")
        yield state(accounts=number)


def test_only_first_and_last_state_within_a_second(tenant: Tenant) -> None:
    run = tenant.load(
        schema(), state(accounts=0), *companies_with_states(9), read_group_size=1, batch_size_rows=1
    )
    assert run.states == [{"accounts": 0}, {"accounts": 9}]


def test_newest_covered_state_is_written_after_a_second(tenant: Tenant, clock: FakeClock) -> None:
    target = tenant.target()
    advance_with_input(target, clock, seconds=0.25)
    run = tenant.run_over(target, LineByLine(state(at=number) for number in range(50)))
    assert [each["at"] for each in run.states] == [*range(0, 50, 4), 49]


def test_states_follow_groups_without_interval(tenant: Tenant) -> None:
    target = tenant.target(read_group_size=3, batch_size_rows=3, max_concurrency=1)
    target.session.checkpoint.interval = 0.0
    run = tenant.run(target, schema(), *companies_with_states(9))
    covered = [each["accounts"] for each in run.states]
    assert covered == sorted(covered)
    assert set(covered) <= {3, 6, 9}
    assert covered[-1] == 9


def test_state_without_records_is_written(tenant: Tenant) -> None:
    assert tenant.load(state(at=1)).states == [{"at": 1}]


def test_nothing_is_written_without_state(tenant: Tenant) -> None:
    assert tenant.load(schema(), record(Name="Initech")).output == ""


def test_numbers_in_state_survive(tenant: Tenant) -> None:
    given = '{"type": "STATE", "value": {"a": 1.5, "b": 12345678901234567890.25, "c": 1E+2}}'
    run = tenant.load(given)
    assert run.output == '{"a":1.5,"b":12345678901234567890.25,"c":1E+2}\n'


def test_text_in_state_survives(tenant: Tenant) -> None:
    value = {"a": "Ünïcode \u2028 \ud800", "b": [None, True, {"c": []}]}
    assert tenant.load(state(**value)).states == [value]


def test_state_that_is_no_object_is_passed_on(tenant: Tenant) -> None:
    assert tenant.load('{"type": "STATE", "value": "2026-01-01"}').output == '"2026-01-01"\n'


def test_rejected_record_is_settled_once_filed(tenant: Tenant) -> None:
    tenant.sandbox.tenant.faults.rules.append(ServerRule("Company", "Industry", "bad"))
    run = tenant.load(
        schema(),
        record(Name="C1"),
        record(Name="C2", Industry="bad"),
        record(Name="C3", Employees="a lot"),
        state(at=3),
    )
    assert (run.states, len(run.rejects)) == ([{"at": 3}], 2)


def test_state_waits_for_every_stream_before_it(tenant: Tenant) -> None:
    """The people's calls fail; the companies are settled long before."""
    tenant.sandbox.tenant.faults.add(Fault("server_error", path="*people*"))
    run = tenant.load(
        schema(),
        schema("people", PERSON_COLUMNS, ["Email"]),
        record(Name="C1"),
        state(accounts=1, people=0),
        record("people", Email="ann@example.com", LastName="Lee"),
        record(Name="C2"),
        state(accounts=2, people=1),
        streams={"people": PEOPLE},
        max_retry_seconds=5,
    )
    assert tenant.names() == ["C1", "C2"]
    assert run.states == [{"accounts": 1, "people": 0}]


def test_alternating_streams_end_with_last_state(tenant: Tenant) -> None:
    turns = [
        (
            record(Name=f"C{number}"),
            record("people", Email=f"p{number}@example.com", LastName="Lee"),
            state(at=number),
        )
        for number in range(30)
    ]
    run = tenant.load(
        schema(),
        schema("people", PERSON_COLUMNS, ["Email"]),
        *(message for turn in turns for message in turn),
        streams={"people": PEOPLE},
        read_group_size=7,
    )
    assert run.exit_code == 0
    assert run.states[-1] == {"at": 29}
    assert len(tenant.rows("Person")) == len(tenant.names()) == 30


def test_filtered_records_do_not_hold_back_state(tenant: Tenant) -> None:
    run = tenant.load(
        schema(),
        *companies_with_states(6),
        stream_maps={"accounts": {"__filter__": "Name in ('C1', 'C2')"}},
    )
    assert (tenant.names(), run.states[-1]) == (["C1", "C2"], {"accounts": 6})


def test_state_waits_for_all_mapped_records(tenant: Tenant) -> None:
    tenant.sandbox.tenant.faults.add(Fault("server_error", path="*people*"))
    run = tenant.load(
        schema(),
        record(Name="C1"),
        state(accounts=1),
        streams={"people": PEOPLE},
        stream_maps={
            "people": {
                "__source__": "accounts",
                "Email": "Name + '@example.com'",
                "LastName": "Name",
                "__key_properties__": ["Email"],
                "__else__": "__NULL__",
            }
        },
        max_retry_seconds=5,
    )
    assert tenant.names() == ["C1"]
    assert run.states == []


def test_state_waits_for_records_before_schema_change(tenant: Tenant) -> None:
    wider = {**COMPANY_COLUMNS, "Summary": TEXT}
    run = tenant.load(
        schema(),
        record(Name="C1"),
        state(at=1),
        schema(columns=wider),
        record(Name="C2", Summary="wide"),
        state(at=2),
    )
    assert (tenant.names(), run.states[-1]) == (["C1", "C2"], {"at": 2})


def test_stopped_run_writes_covered_state(tenant: Tenant) -> None:
    run = tenant.load(
        schema(),
        *companies_with_states(5),
        "no message",
        *companies_with_states(9),
        sync_mode="insert",
        read_group_size=1,
        batch_size_rows=1,
    )
    assert run.exit_code == 1
    assert tenant.names() == ["C1", "C2", "C3", "C4", "C5"]
    assert run.states[-1] == {"accounts": 5}


def test_old_partial_group_is_written_without_input(tenant: Tenant, clock: FakeClock) -> None:
    target = tenant.target(max_batch_age_seconds=300)
    on_tick, source = target.reader.on_tick, LineByLine([schema(), record(Name="Initech")])
    source.may_end.clear()
    began = clock.now()

    def tick() -> None:
        on_tick()
        if tenant.names():
            source.may_end.set()
        elif target.reader.line_number == 2:
            clock.advance(100)

    target.reader.on_tick = tick
    tenant.run_over(target, source)
    assert tenant.names() == ["Initech"]
    assert clock.now() - began >= 300
