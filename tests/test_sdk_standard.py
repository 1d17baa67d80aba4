"""The Singer SDK's standard tests, with checks of the rows and the calls."""

from __future__ import annotations

import contextlib
import importlib.resources
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
from fake_clock import FakeClock
from singer_runs import KEY
from singer_sdk.testing import get_target_test_class, target_test_streams
from singer_sdk.testing.runners import TargetTestRunner
from singer_sdk.testing.suites import SingerTestSuite, target_tests
from singer_sdk.testing.target_tests import (
    TargetInvalidSchemaTest,
    TargetMultipleStateMessages,
    TargetRecordMissingKeyProperty,
    TargetRecordMissingRequiredProperty,
)
from typing_extensions import override

from target_gainsight.sandbox import RunningSandbox, start_sandbox
from target_gainsight.target import TargetGainsight

Row = dict[str, Any]

MOCKED = "https://initech.gainsightcloud.com"
OBJECTS = {
    "*": "Record__gc",
    "test_strings_in_objects": "InObjects__gc",
    "test_strings_in_arrays": "InArrays__gc",
    "test_object_schema_no_properties": "NoProperties__gc",
    "test_multiple_state_messages_b": "StateB__gc",
    "TestCamelcase": "Camel__gc",
    "ForecastingTypeToCategory": "Camel__gc",
}
INSERTED = (
    "test_no_pk",
    "example_stream",
    "test_object_schema_with_properties",
    "test_object_schema_no_properties",
    "test_record_missing_required_property",
    "string_formats",
)
"""Streams without key properties: there is nothing to upsert by."""

NUMBERS = ("id", "metric", "a1", "a6")
TEXTS = ("fruits", "info", "strings", "optional", "fullName", "email", "a2", "a4", "a5", "_id", "d")
FORMATS = (
    "simple_string",
    "date_time",
    "date",
    "time",
    "duration",
    "hostname",
    "ipv4",
    "uri",
    "uuid",
)
FIELDS: Row = {
    **{name: {"type": "NUMBER"} for name in NUMBERS},
    **{name: {"type": "STRING"} for name in (*TEXTS, *FORMATS, "object_store")},
    "a3": {"type": "BOOLEAN"},
}
CAMEL_FIELDS = {"Id": {"type": "STRING"}, "clientName": {"type": "STRING"}}
DESCRIBED = {
    "limits": {"calls_per_minute": 0, "calls_per_day": 0},
    "objects": {
        **{target: {"fields": FIELDS} for target in OBJECTS.values()},
        "Camel__gc": {"fields": CAMEL_FIELDS},
    },
}

ARRIVING: dict[str, dict[str, list[Row]]] = {
    "cli_prints": {},
    "invalid_schema": {},
    "record_before_schema": {},
    "record_missing_key_property": {},
    "camelcase_complex_schema": {},
    "duplicate_records": {"Record__gc": [{"id": 1, "metric": 100}, {"id": 2, "metric": 20}]},
    "pk_updates": {
        "Record__gc": [
            {"id": 1, "fullName": "Alice", "email": "alice@example.com"},
            {"id": 2, "fullName": "Bob", "email": "bob@example.com"},
        ]
    },
}
"""The rows that differ from the records of a test's stream, by object."""

ON_THE_WIRE: dict[str, Row] = {"string_formats": {"date_time": "2026-01-01T12:00:00.000+00:00"}}
"""Values sent in another notation, because only the format in the schema is known of the field."""


def arriving(name: str) -> dict[str, list[Row]]:
    if name in ARRIVING:
        return ARRIVING[name]
    rows: dict[str, list[Row]] = {}
    text = (importlib.resources.files(target_test_streams) / f"{name}.singer").read_text("utf-8")
    for message in map(json.loads, filter(None, text.splitlines())):
        if message["type"] == "RECORD":
            target = OBJECTS.get(message["stream"], OBJECTS["*"])
            rows.setdefault(target, []).append(message["record"])
    return rows


class GainsightRunner(TargetTestRunner):
    """Runs targets and ends their connections afterwards."""

    settings: ClassVar[Row] = {"calls_per_minute": 100_000, "max_concurrency": 1}

    def __init__(self, folder: Path, clock: FakeClock, **settings: Any) -> None:
        streams: dict[str, Row] = {
            name: {"custom_object_name": target, "unknown_fields": "drop"}
            for name, target in OBJECTS.items()
        }
        for name in INSERTED:
            streams[name] = {**streams.get(name, streams["*"]), "sync_mode": "insert"}
        streams["example_stream"]["field_mapping"] = {"name": "fullName"}
        config = {"streams": streams, "rejects_path": str(folder / "rejects"), **self.settings}
        super().__init__(TargetGainsight, config=config | settings, clock=clock)
        self._closing = contextlib.ExitStack()

    @override
    def new_target(self) -> TargetGainsight:
        target = TargetGainsight(config=dict(self.config), **self.default_kwargs)
        target.session.checkpoint.interval = 0.0
        self._closing.callback(target.close)
        return target

    def close(self) -> None:
        self._closing.close()
        if self._input is not None:
            self._input.close()


class InTheTenant:
    """After a test, the tenant holds the rows of its stream and no others."""

    name: str
    resource: RunningSandbox

    def validate(self) -> None:
        expected = arriving(self.name)
        for target in DESCRIBED["objects"]:
            assert held(self.resource, target) == expected.get(target, [])


class OverTheWire:
    """A test's stream makes documented calls, and no others."""

    name: str
    resource: RequestLog

    def validate(self) -> None:
        sent = ON_THE_WIRE.get(self.name, {})
        rows = {
            target: [row | sent for row in rows] for target, rows in arriving(self.name).items()
        }
        assert self.resource.rows == rows
        assert set(self.resource.routes) <= {
            route for target in OBJECTS.values() for route in allowed_routes(target)
        }
        for target, written in rows.items():
            assert self.resource.asked_for(target) <= {row["id"] for row in written if "id" in row}


class RequestLog:
    """A tenant of which only the requests exist: nothing is known and every write succeeds."""

    def __init__(self, mock: Any) -> None:
        self.routes: list[tuple[str, str]] = []
        self.rows: dict[str, list[Row]] = {}
        self._asked: dict[str, set[Any]] = {}
        mock.get(re.compile("/describe"), json=self._describe, status_code=403)
        mock.post(re.compile("/describe$"), json=self._describe, status_code=403)
        mock.post(re.compile("/v1/data/objects/query/[^/]+$"), json=self._query)
        mock.post(re.compile("/v1/data/objects/[^/]+$"), json=self._insert)

    def asked_for(self, target: str) -> set[Any]:
        """The ids that were looked for in an object."""
        return self._asked.get(target, set())

    def _note(self, request: Any) -> str:
        assert request.headers["accesskey"] == KEY
        assert request.headers["User-Agent"].startswith("target-gainsight/")
        assert request.timeout
        assert request.verify
        path = request.url.removeprefix(MOCKED)
        self.routes.append((request.method, path))
        return str(path.partition("?")[0].rsplit("/", 1)[1])

    def _describe(self, request: Any, _: Any) -> Row:
        self._note(request)
        return {"result": False, "errorCode": "GSOBJ_1008", "errorDesc": "Not for this key."}

    def _query(self, request: Any, _: Any) -> Row:
        target, body = self._note(request), request.json()
        assert "Gsid" in body["select"]
        for condition in body["where"]["conditions"]:
            assert condition["operator"] == "IN"
            assert body["limit"] <= 5_000
            if condition["name"] == "id":
                self._asked.setdefault(target, set()).update(condition["value"])
        return {"result": True, "data": {"records": []}}

    def _insert(self, request: Any, _: Any) -> Row:
        target, records = self._note(request), request.json()["records"]
        assert 1 <= len(records) <= 50
        self.rows.setdefault(target, []).extend(decoded(record) for record in records)
        answered = [
            {**record, "Gsid": f"1P02{number:032}"} for number, record in enumerate(records)
        ]
        data = {"count": len(records), "errors": None, "records": answered}
        return {"result": True, "errorCode": None, "requestId": "r-1", "data": data}


def allowed_routes(target: str) -> list[tuple[str, str]]:
    describe = f"/v1/meta/services/objects/{target}/describe"
    full, brief = f"{describe}?ic=true&cl=2&idd=true", f"{describe}?ic=false&cl=0&idd=true"
    query, insert = f"/v1/data/objects/query/{target}", f"/v1/data/objects/{target}"
    together = "/v1/meta/services/objects/describe"
    asked = [("GET", full), ("GET", brief), ("POST", together)]
    return [*asked, ("POST", query), ("POST", insert)]


def held(sandbox: RunningSandbox, target: str) -> list[Row]:
    """The rows of an object, without what the server adds."""
    declared = DESCRIBED["objects"][target]["fields"]
    return [
        decoded({name: row[name] for name in declared if row[name] is not None})
        for row in sandbox.tenant.rows(target)
    ]


def decoded(row: Row) -> Row:
    """Lists and objects, which are written as text, as they were."""
    return {
        name: json.loads(value) if isinstance(value, str) and value[:1] in {"[", "{"} else value
        for name, value in row.items()
    }


def suite_with(look: type) -> SingerTestSuite[Any]:
    """The SDK's tests, each with a look at what came of it."""
    tests = [
        type(test.__name__, (look, test), {})
        for test in target_tests.tests
        if test not in {TargetInvalidSchemaTest, TargetRecordMissingKeyProperty}
    ]
    return SingerTestSuite(kind="target", tests=tests)


def standard_tests(look: type) -> type:
    return get_target_test_class(
        TargetGainsight, custom_suites=[suite_with(look)], include_target_tests=False
    )


@pytest.fixture
def sandbox(tmp_path: Path, clock: FakeClock) -> Iterator[RunningSandbox]:
    path = tmp_path / "tenant.db"
    with start_sandbox(path, config=DESCRIBED, access_key=KEY, clock=clock.now) as running:
        yield running


@pytest.fixture
def make_runner(tmp_path: Path, clock: FakeClock) -> Iterator[Callable[..., GainsightRunner]]:
    with contextlib.ExitStack() as closing:

        def make(base_url: str, **settings: Any) -> GainsightRunner:
            runner = GainsightRunner(tmp_path, clock, base_url=base_url, access_key=KEY, **settings)
            closing.callback(runner.close)
            return runner

        yield make


class TestInTheTenant(standard_tests(InTheTenant)):
    """Every standard test, against the embedded tenant."""

    @pytest.fixture
    def resource(self, sandbox: RunningSandbox) -> RunningSandbox:
        return sandbox

    @pytest.fixture
    def runner(
        self, sandbox: RunningSandbox, make_runner: Callable[..., GainsightRunner]
    ) -> GainsightRunner:
        return make_runner(sandbox.base_url)


class TestOverTheWire(standard_tests(OverTheWire)):
    """Every standard test, against endpoints that store nothing."""

    @pytest.fixture
    def resource(self, requests_mock: Any) -> RequestLog:
        return RequestLog(requests_mock)

    @pytest.fixture
    def runner(self, make_runner: Callable[..., GainsightRunner]) -> GainsightRunner:
        return make_runner(MOCKED)


class MultipleStateMessages(InTheTenant, TargetMultipleStateMessages):
    """The test that the SDK leaves out: it compares the lines' text where it has read them."""

    @override
    def test(self) -> None:
        self.runner.sync_all()
        assert self.runner.state_messages == [
            {"test_multiple_state_messages_a": 1, "test_multiple_state_messages_b": 0},
            {"test_multiple_state_messages_a": 3, "test_multiple_state_messages_b": 2},
            {"test_multiple_state_messages_a": 5, "test_multiple_state_messages_b": 6},
        ]


class MissingRequiredProperty(InTheTenant, TargetRecordMissingRequiredProperty):
    """The other one: the record is rejected, and as there was no other, the run has failed."""

    @override
    def test(self) -> None:
        target = self.runner.new_target()
        assert target.run_to_end(self.runner.target_input) == 1
        lines = target.session.ledger.rejects.path.read_text(encoding="utf-8").splitlines()
        schema, reject = (json.loads(line) for line in lines)
        assert (schema["type"], reject["record"]) == ("SCHEMA", {"metric": 3215})
        assert reject["gainsight_reject"]["code"] == "schema_violation"

    @override
    def validate(self) -> None:
        assert held(self.resource, "Record__gc") == []


class InvalidSchema(InTheTenant, TargetInvalidSchemaTest):
    """A schema without properties takes its columns from the records; here there are none."""

    @override
    def test(self) -> None:
        assert self.runner.new_target().run_to_end(self.runner.target_input) == 0


class MissingKeyProperty(InTheTenant, TargetRecordMissingKeyProperty):
    """The record is rejected instead of ending the run; as there was no other, it has failed."""

    @override
    def test(self) -> None:
        target = self.runner.new_target()
        assert target.run_to_end(self.runner.target_input) == 1
        reject = json.loads(target.session.ledger.rejects.path.read_text("utf-8").splitlines()[-1])
        assert reject["gainsight_reject"]["code"] == "key_missing"


@pytest.mark.parametrize("test", [InvalidSchema, MissingKeyProperty])
def test_stream_refused_by_sdk_is_loaded_as_far_as_possible(
    sandbox: RunningSandbox,
    make_runner: Callable[..., GainsightRunner],
    test: type[InvalidSchema | MissingKeyProperty],
) -> None:
    runner = make_runner(sandbox.base_url)
    test().run(runner.suite_config, sandbox, runner)


def test_covered_states_are_relayed(
    sandbox: RunningSandbox, make_runner: Callable[..., GainsightRunner]
) -> None:
    runner = make_runner(sandbox.base_url, read_group_size=3, batch_size_rows=3)
    MultipleStateMessages().run(runner.suite_config, sandbox, runner)


def test_record_without_required_property_is_rejected(
    sandbox: RunningSandbox, make_runner: Callable[..., GainsightRunner]
) -> None:
    runner = make_runner(sandbox.base_url)
    MissingRequiredProperty().run(runner.suite_config, sandbox, runner)
