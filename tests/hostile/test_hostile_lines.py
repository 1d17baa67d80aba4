"""Lines that no tap should write end the run with an explanation, are rejected, or loaded."""

from __future__ import annotations

import contextlib
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from corpus import LINES, Line
from fake_clock import FakeClock
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from singer_messages import TEXT, record, schema, state
from singer_runs import TargetRun, Tenant, embedded_tenant, lines_of

_START = lines_of([schema()]).encode()
_END = lines_of([state(at=1)]).encode()
_WHOLE = lines_of(
    [
        schema(),
        record(Name="A", Employees=5),
        state(at=1),
        record(Name="B", Status="x"),
        state(at=2),
    ]
).encode()
_FEW = settings(
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
_MEMBERS = (
    *("stream", "schema", "record", "value", "key_properties", "version", "encoding"),
    *("manifest", "time_extracted", "bookmark_properties", "gainsight_reject"),
)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=6,
)


def _check(tenant: Tenant, run: TargetRun) -> None:
    """Check what holds for every run: an error is one sentence, and no record is silently lost."""
    assert run.exit_code in {0, 1}
    assert bool(run.errors) == (run.exit_code == 1)
    assert all(line.isprintable() for each in run.errors for line in each.split("\n"))
    for each in run.reject_lines:
        assert each["type"] in {"SCHEMA", "RECORD"}
    if run.exit_code == 0:
        assert run.target.summary.read == run.target.summary.settled
        assert run.states[-1:] == [] or run.states[-1] is not None


@pytest.mark.parametrize("line", LINES.values(), ids=LINES)
def test_hostile_line_is_refused_rejected_or_loaded(
    tenant: Tenant, line: Line, caplog: pytest.LogCaptureFixture
) -> None:
    run = tenant.load_text(_START + line.data + b"\n" + _END)
    _check(tenant, run)
    assert "Traceback" not in caplog.text
    if line.stops:
        assert (run.exit_code, run.states) == (1, [])
        assert run.error.startswith(line.stops)
        assert len(run.error) < 400
    elif line.rejects:
        assert run.codes == [line.rejects]
        assert run.states == [{"at": 1}]
    else:
        assert (run.exit_code, tenant.names(), run.states) == (0, [line.lands], [{"at": 1}])


@pytest.mark.parametrize(
    "line", [each for each in LINES.values() if each.rejects], ids=lambda each: each.rejects
)
def test_hostile_reject_is_replayed_unchanged(tenant: Tenant, line: Line) -> None:
    first = tenant.load_text(_START + line.data + b"\n")
    again = tenant.load_text(first.reject_path.read_bytes())
    assert again.codes == first.codes == [line.rejects]
    assert again.rejects[0]["record"] == first.rejects[0]["record"]


@pytest.mark.parametrize(
    "settings",
    [
        {"dry_run": True},
        {"flattening_enabled": True, "flattening_max_depth": 9},
        {"validate_records": False},
        {"reject_values": "keys"},
    ],
)
def test_deepest_record_breaks_nothing(tenant: Tenant, settings: dict[str, Any]) -> None:
    deep: Any = []
    for _ in range(196):
        deep = [deep]
    run = tenant.load(
        schema(), record(Name="A", Industry=deep), record(Name="B"), state(at=1), **settings
    )
    _check(tenant, run)
    assert run.exit_code == 0
    assert sum(run.target.summary.streams["accounts"].outcomes.values()) == 2


def test_deepest_schema_is_explained(tenant: Tenant) -> None:
    column: Any = {"type": "string"}
    for _ in range(98):
        column = {"type": "object", "properties": {"a": column}}
    run = tenant.load(schema(columns={"Name": {"type": "string"}, "Industry": column}))
    _check(tenant, run)


def test_unusable_schema_is_explained(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    def too_deep(*_: object, **__: object) -> None:
        raise RecursionError

    target = tenant.target()
    monkeypatch.setattr("target_gainsight.singer.record_router.repair_schema", too_deep)
    with pytest.raises(Exception, match="nested too deeply"):
        target.router.route_schema(schema())


def test_schema_may_change_between_records(tenant: Tenant) -> None:
    lines = []
    for number in range(30):
        columns = {"Name": {"type": "string"}, "Employees": {"type": ["integer", "string"]}}
        if number % 3 == 0:
            columns["Industry"] = {"type": "string"}
        if number % 5 == 0:
            columns["Employees"] = {"type": "integer"}
        lines += [schema(columns=columns), record(Name=f"C{number}", Employees=number)]
    run = tenant.load(*lines, state(at=1))
    assert (run.exit_code, run.states) == (0, [{"at": 1}])
    assert len(tenant.names()) == 30


@pytest.mark.parametrize("unknown_fields", ["drop", pytest.param("fail", marks=pytest.mark.e2e)])
def test_five_thousand_columns_are_loaded_or_explained(tenant: Tenant, unknown_fields: str) -> None:
    names = [f"column_{number}" for number in range(5_000)]
    columns = {"Name": {"type": "string"}, **dict.fromkeys(names, TEXT)}
    line = record(Name="A", **dict.fromkeys(names, "x"))
    run = tenant.load(schema(columns=columns), line, state(at=1), unknown_fields=unknown_fields)
    if unknown_fields == "drop":
        assert (run.exit_code, tenant.names(), run.states) == (0, ["A"], [{"at": 1}])
    else:
        assert (run.exit_code, tenant.names(), run.states) == (1, [], [])
        assert "column_0" in run.error


@pytest.fixture(scope="module")
def shared_tenant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tenant]:
    """One tenant for many examples; what was logged is collected by hand."""
    with contextlib.closing(_Log()) as log:
        folder = tmp_path_factory.mktemp("tenant")
        with embedded_tenant(folder, FakeClock(), log) as tenant:  # type: ignore[arg-type]
            yield tenant


class _Log(logging.Handler):
    """As much of pytest's `caplog` as a run needs, for longer than one test."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []
        logging.getLogger().addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)

    def clear(self) -> None:
        self.records.clear()

    def set_level(self, level: int) -> None:
        logging.getLogger().setLevel(level)

    def close(self) -> None:
        logging.getLogger().removeHandler(self)
        super().close()


@_FEW
@given(st.integers(0, len(_WHOLE) - 1), st.binary(max_size=4), st.integers(0, 4), st.booleans())
def test_any_bytes_in_any_place_end_with_a_sentence_at_most(
    shared_tenant: Tenant, at: int, put: bytes, drop: int, cut: bool
) -> None:
    data = _WHOLE[:at] + put + (b"" if cut else _WHOLE[at + drop :])
    shared_tenant.clock.wait(1)
    _check(shared_tenant, shared_tenant.load_text(data))


@_FEW
@given(
    st.sampled_from(["SCHEMA", "RECORD", "STATE", "ACTIVATE_VERSION", "BATCH"]),
    st.dictionaries(
        st.sampled_from(_MEMBERS),
        _JSON | st.sampled_from(["accounts", ["Name"], {"properties": {"Name": {}}}]),
    ),
)
def test_any_members_of_a_message_end_with_a_sentence_at_most(
    shared_tenant: Tenant, kind: str, members: dict[str, Any]
) -> None:
    message = json.dumps({"type": kind, **members})
    shared_tenant.clock.wait(1)
    run = shared_tenant.load(schema(), message, record(Name="A"), state(at=1))
    _check(shared_tenant, run)


@_FEW
@given(st.dictionaries(st.sampled_from(["Industry", "Employees", "RenewalDate", "x"]), _JSON))
def test_any_values_of_a_record_land_or_are_rejected_and_kept(
    shared_tenant: Tenant, values: dict[str, Any]
) -> None:
    line = json.dumps(record(Name="A", **values))
    shared_tenant.clock.wait(1)
    run = shared_tenant.load(schema(), line, record(Name="B"), state(at=1))
    _check(shared_tenant, run)
    assert (run.exit_code, run.states) == (0, [{"at": 1}])
    for each in run.rejects:
        assert list(each["record"]) == list(json.loads(line)["record"])
