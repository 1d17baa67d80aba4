"""A response that lacks what was asked for is never read as "nothing there"."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from fake_clock import FakeClock
from responses import RESPONSES, by_name, load_responses, response
from singer_messages import TEXT, record, schema
from singer_runs import Tenant, lines_of

from target_gainsight.target import TargetGainsight

HOST = "https://initech.gainsightcloud.com"
OBJECTS = f"{HOST}/v1/data/objects"
GSID = "1P02" + "A" * 32
COLUMNS = {"Name": TEXT, "Industry": TEXT, "RenewalDate": {"type": "string", "format": "date"}}


def envelope(data: Any = None, code: str | None = None, text: str | None = None) -> dict[str, Any]:
    return {"result": code is None, "errorCode": code, "errorDesc": text, "data": data}


class ScriptedRead:
    """Load companies into a tenant whose responses to queries are given."""

    def __init__(self, requests_mock: Any, clock: FakeClock, folder: Path) -> None:
        self._mock = requests_mock
        self._clock = clock
        self._folder = folder
        forbidden = {"status_code": 403, "json": envelope(code="GS_APIG_2403")}
        requests_mock.register_uri("POST", f"{HOST}/v1/meta/services/objects/describe", **forbidden)
        for name in ("Company", "gsuser"):
            path = f"{HOST}/v1/meta/services/objects/{name}/describe"
            requests_mock.register_uri("GET", path, **forbidden)
        written = {"count": 1, "errors": None, "records": [{"Gsid": GSID}]}
        self._writes = [
            requests_mock.register_uri(method, f"{OBJECTS}/Company", json=envelope(written))
            for method in ("POST", "PUT")
        ]

    def answer(self, object_name: str, *answers: Mapping[str, Any]) -> Any:
        """Answer the queries of an object one after the other."""
        return self._mock.register_uri("POST", f"{OBJECTS}/query/{object_name}", list(answers))

    def run(self, columns: Mapping[str, Any], *lines: Any, **settings: Any) -> int:
        """Load companies; returns the exit code."""
        config = {
            "base_url": HOST,
            "access_key": "k3y",
            "object_type": "company",
            "rejects_path": str(self._folder / "rejects"),
            **settings,
        }
        target = TargetGainsight(config=config, clock=self._clock)
        return target.run_to_end(lines_of([schema(columns=columns), *lines]).splitlines(True))

    @property
    def written(self) -> list[dict[str, Any]]:
        requests = [each for write in self._writes for each in write.request_history]
        return [each for request in requests for each in request.json()["records"]]


@pytest.fixture
def scripted(requests_mock: Any, clock: FakeClock, tmp_path: Path) -> ScriptedRead:
    return ScriptedRead(requests_mock, clock, tmp_path)


ONE = record(Name="Initech", Industry="IT")
PLAIN = {"Name": TEXT, "Industry": TEXT}


@pytest.mark.parametrize(
    "row", [{"Gsid": GSID, "Industry": "IT"}, {"Name": "Initech", "Industry": "IT"}]
)
def test_row_without_needed_column_stops_stream(
    scripted: ScriptedRead, row: Any, caplog: pytest.LogCaptureFixture
) -> None:
    scripted.answer("Company", {"json": envelope([row])})
    assert scripted.run(PLAIN, ONE) == 1
    assert scripted.written == []
    assert "the tenant returns rows of Company without" in caplog.text


@pytest.mark.parametrize("key", ["initech", " INITECH "])
def test_near_match_rejects_only_its_record(scripted: ScriptedRead, key: str) -> None:
    row = {"Gsid": GSID, "Name": key, "Industry": "IT"}
    scripted.answer("Company", {"json": envelope([row])}, {"json": envelope([])})
    another = record(Name="Umbrella", Industry="Drugs")
    assert scripted.run(PLAIN, ONE, another, max_reject_percent=100) == 0
    assert [each["Name"] for each in scripted.written] == ["Umbrella"]


def test_unrequested_rows_stop_stream(
    scripted: ScriptedRead, caplog: pytest.LogCaptureFixture
) -> None:
    rows = [{"Gsid": f"1P02{n:032}", "Name": f"C{n}", "Industry": None} for n in range(5000)]
    queries = scripted.answer("Company", {"json": envelope(rows)})
    assert scripted.run(PLAIN, ONE) == 1
    assert scripted.written == []
    assert len(queries.request_history) == 1
    assert "rows of Company that were not asked for" in caplog.text


def test_unrequested_lookup_rows_stop_stream(
    scripted: ScriptedRead, caplog: pytest.LogCaptureFixture
) -> None:
    scripted.answer("gsuser", {"json": envelope([{"Gsid": "1P01", "Email": "bob@x.io"}])})
    lookups = {"Csm": {"object_name": "gsuser", "fields": {"csm": "Email"}}}
    line = record(Name="Initech", csm="ann@x.io")
    assert scripted.run({"Name": TEXT, "csm": TEXT}, line, lookups=lookups) == 1
    assert scripted.written == []
    assert "rows of gsuser" in caplog.text


@pytest.mark.parametrize("spelling", ["lower", "upper"])
def test_rows_are_found_in_any_case_of_response_keys(
    start_tenant: Callable[..., Tenant], spelling: str
) -> None:
    tenant = start_tenant(switches={"row_keys": spelling}, **RESPONSES)
    columns = {"Name": TEXT, "Industry": TEXT}
    tenant.load(schema(columns=columns), record(Name="Initech", Industry="IT"))
    for outcome in ({"created": 1}, {"unchanged": 1}):
        run = load_responses(tenant, [response("a", "Initech")])
        assert (run.exit_code, run.outcomes("responses")) == (0, outcome)
    again = tenant.load(schema(columns=columns), record(Name="Initech", Industry="IT"))
    assert again.outcomes() == {"unchanged": 1}


def test_unreadable_field_is_left_out_of_reads(start_tenant: Callable[..., Tenant]) -> None:
    tenant = start_tenant(switches={"unreadable_field": "RenewalDate"})
    with_date = [record(Name=f"C{n}", Industry="IT", RenewalDate="2027-02-28") for n in range(20)]
    without = [record(Name=f"D{n}", Industry="IT") for n in range(20)]
    messages = [schema(columns=COLUMNS), *with_date, *without]
    assert tenant.load(*messages, read_group_size=10).outcomes() == {"created": 40}
    tenant.count_calls()
    run = tenant.load(*messages, read_group_size=10)
    assert run.outcomes() == {"updated": 20, "unchanged": 20}
    [warning] = [line for line in run.log if "cannot read" in line]
    assert "Company: the tenant cannot read RenewalDate" in warning
    assert tenant.count_calls()["query"] == 5


def test_unreadable_lookup_key_stops_stream(start_tenant: Callable[..., Tenant]) -> None:
    tenant = start_tenant(switches={"unreadable_field": "Name"})
    run = tenant.load(schema(), record(Name="Initech"), record(Name="Umbrella"))
    assert run.exit_code == 1
    assert "cannot read Name of Company" in "\n".join(run.log)
    assert tenant.count_calls()["query"] == 1
    assert tenant.rows("company") == []


def test_unreadable_match_field_stops_the_stream(start_tenant: Callable[..., Tenant]) -> None:
    tenant = start_tenant(switches={"unreadable_field": "Name"}, **RESPONSES)
    lines = [response(code, code) for code in "abc"]
    run = load_responses(tenant, lines, {"Company__gc": by_name()})
    assert run.exit_code == 1
    assert "refuses to look up company by Name" in "\n".join(run.log)
    assert tenant.count_calls()["query"] == 1


def test_object_that_never_responded_fails_after_three_server_errors(
    start_tenant: Callable[..., Tenant],
) -> None:
    tenant = start_tenant(switches={"query_error_object": "company"}, **RESPONSES)
    run = load_responses(tenant, [response("a", "Initech")], {"Company__gc": by_name()})
    assert run.codes == ["unavailable"]
    assert "company has answered every query with a server error" in str(run.reject_lines)
    assert tenant.count_calls()["query"] == 3


@pytest.mark.parametrize(
    "no_rows", ["records", "list", "nothing_matches", "no_data", "no_data_400"]
)
def test_every_form_of_empty_result_creates_records(
    start_tenant: Callable[..., Tenant], no_rows: str
) -> None:
    tenant = start_tenant(switches={"no_rows": no_rows})
    for outcome in ({"created": 2}, {"unchanged": 2}):
        run = tenant.load(schema(), record(Name="Initech"), record(Name="Umbrella"))
        assert run.outcomes() == outcome


def test_metadata_of_other_object_stops_stream(
    scripted: ScriptedRead, requests_mock: Any, caplog: pytest.LogCaptureFixture
) -> None:
    other = {"objectName": "gsuser", "fields": [{"fieldName": "Name"}]}
    meta = f"{HOST}/v1/meta/services/objects"
    requests_mock.post(f"{meta}/describe", json=envelope([other]))
    requests_mock.get(f"{meta}/Company/describe", json=envelope([other]))
    assert scripted.run(PLAIN, ONE) == 1
    assert scripted.written == []
    assert "asked to describe Company, the tenant describes gsuser" in caplog.text
