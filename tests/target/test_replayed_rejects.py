"""A reject file is a Singer file: piping it into the target again is the replay."""

from __future__ import annotations

from singer_messages import record, schema, state
from singer_runs import Tenant

from target_gainsight.sandbox import ServerRule


def refuse(tenant: Tenant, value: str) -> None:
    """Let the tenant refuse an industry for a reason that no metadata shows."""
    tenant.sandbox.tenant.faults.rules.append(ServerRule("Company", "Industry", value))


def test_exactly_the_rejects_are_loaded_after_fix(tenant: Tenant) -> None:
    refuse(tenant, "bad")
    names = [f"C{number:02}" for number in range(60)]
    first = tenant.load(
        schema(),
        *(record(Name=n, Industry="bad" if n in {"C07", "C33"} else "good") for n in names),
        state(at=60),
    )
    assert (first.exit_code, len(first.rejects), len(tenant.names())) == (0, 2, 58)
    tenant.sandbox.tenant.faults.clear()
    tenant.sandbox.tenant.reset_calls()
    replay = tenant.load_text(first.reject_path.read_bytes())
    assert (replay.exit_code, replay.rejects) == (0, [])
    assert tenant.names() == names
    assert [call.size for call in tenant.calls("insert")] == [2]
    assert replay.states == []


def test_schema_before_stream_maps_is_kept(tenant: Tenant) -> None:
    run = tenant.load(
        schema(),
        record(Name="Initech", Industry="x"),
        record(Name="C1"),
        stream_maps={"accounts": {"Industry": "Industry.upper()", "Summary": "Name"}},
    )
    assert run.reject_lines[0] == schema()


def test_map_runs_once_for_replayed_record(tenant: Tenant) -> None:
    refuse(tenant, "bad!")
    maps = {"stream_maps": {"accounts": {"Industry": "Industry + '!'"}}}
    first = tenant.load(
        schema(), record(Name="A", Industry="bad"), record(Name="B", Industry="ok"), **maps
    )
    tenant.sandbox.tenant.faults.clear()
    tenant.load_text(first.reject_path.read_bytes(), **maps)
    assert tenant.rows(Name="A")[0]["Industry"] == "bad!"


def test_record_rejected_again_is_filed_once(tenant: Tenant) -> None:
    first = tenant.load(schema(), record(Name="A", Employees="a lot"), record(Name="B"))
    second = tenant.load_text(first.reject_path.read_bytes())
    assert second.exit_code == 1
    [before], [after] = first.rejects, second.rejects
    assert after["record"] == before["record"]
    assert after["gainsight_reject"]["code"] == before["gainsight_reject"]["code"]


def test_text_of_every_kind_survives_the_file(tenant: Tenant) -> None:
    odd = 'a\u2028b\x85c\x00d \ud800 \U0001f600 \\ "'
    run = tenant.load(schema(), record(Name=odd, Employees="x"), record(Name="B"))
    assert run.reject_path.read_bytes().count(b"\n") == 2
    assert run.rejects[0]["record"]["Name"] == odd


def test_reject_of_a_stream_no_longer_mapped_causes_one_warning(tenant: Tenant) -> None:
    bad = [record(Name=name, Employees="a lot") for name in ("A", "B")]
    first = tenant.load(
        schema(), *bad, record(Name="C"), stream_maps={"accounts": {"__alias__": "old"}}
    )
    assert len(first.rejects) == 2
    text = first.reject_path.read_bytes()
    replay = tenant.load_text(text, stream_maps={"accounts": {"__alias__": "new"}})
    assert (replay.exit_code, replay.summary["streams"]["new"]["read"]) == (0, 0)
    [warning] = replay.warnings
    assert warning == (
        "stream 'accounts': rejects are not replayed, because the stream maps no longer make the "
        "stream they were rejected in. Restore the stream map, or send the records from their "
        "source again"
    )
