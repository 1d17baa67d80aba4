"""`meltano config test target-gainsight`: a connection check that writes nothing."""

from __future__ import annotations

import pytest
from singer_messages import TEXT, record, schema, state
from singer_runs import Tenant

from target_gainsight.sandbox import Fault

STREAM = "meltano_test_stream"
MESSAGES = [
    schema(STREAM, {"id": {"type": "integer"}, "name": TEXT}, ["id"]),
    record(STREAM, id=1, name="Meltano Test Record"),
    state(bookmarks={STREAM: {"last_record": 1}}),
    {"type": "ACTIVATE_VERSION", "stream": STREAM, "version": 1},
]
SETTINGS = {"field_mapping": {"name": "Name"}, "lookup_keys": "Name"}


def test_test_stream_checks_the_connection_and_is_not_written(
    tenant: Tenant, caplog: pytest.LogCaptureFixture
) -> None:
    run = tenant.load(*MESSAGES, **SETTINGS)
    assert (run.exit_code, run.errors, tenant.rows()) == (0, [], [])
    assert [call.kind for call in tenant.sandbox.tenant.calls()] == ["list"]
    assert not any(
        "error" in line.lower() for line in caplog.text.splitlines()
    )  # Meltano takes it for a failure


def test_test_stream_needs_no_route(tenant: Tenant) -> None:
    run = tenant.load(*MESSAGES, object_type=None, streams={"a": {"object_type": "company"}})
    assert (run.exit_code, run.errors) == (0, [])


def test_refused_credential_fails_the_test(tenant: Tenant) -> None:
    run = tenant.load(*MESSAGES, access_key="wrong")
    assert run.exit_code == 1
    assert "access_key" in run.error
    assert tenant.rows() == []


def test_tenant_that_does_not_respond_fails_the_test(tenant: Tenant) -> None:
    tenant.sandbox.tenant.faults.add(Fault("server_error"))
    run = tenant.load(*MESSAGES, max_retry_seconds=1)
    assert (run.exit_code, tenant.rows()) == (1, [])
