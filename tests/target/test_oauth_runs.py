"""Runs as an M2M OAuth client: tokens may expire at any time."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fake_clock import FakeClock
from singer_messages import TEXT, record, schema, state
from singer_runs import DESCRIBED, Tenant, run_command

from target_gainsight.sandbox import Fault, start_sandbox

CLIENT = "initech-client"
SECRET = "s3cret-of-the-client"
WHEN = "2026-01-01T10:00:00Z"
OpenTenant = "Callable[..., OAuthTenant]"


class OAuthTenant(Tenant):
    """A tenant that is reached as an M2M OAuth client."""

    @property
    def settings(self) -> dict[str, Any]:
        return super().settings | {
            "access_key": None,
            "client_id": CLIENT,
            "client_secret": SECRET,
        }

    @property
    def token_calls(self) -> int:
        return len(self.calls("token"))


@pytest.fixture
def open_tenant(
    tmp_path: Path, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> Iterator[OpenTenant]:
    """Serve a tenant by a clock that jumps; keywords are its switches."""
    caplog.set_level("INFO")
    opened = []

    def start(**switches: Any) -> OAuthTenant:
        described = {
            **DESCRIBED,
            "client_id": CLIENT,
            "client_secret": SECRET,
            "switches": switches,
            "bulk_jobs": {"job": {"object": "company", "operation": "upsert", "keys": ["Name"]}},
        }
        opened.append(start_sandbox(tmp_path / "tenant.db", config=described, clock=clock.now))
        return OAuthTenant(opened[-1], clock, tmp_path, caplog)

    yield start
    for sandbox in opened:
        sandbox.stop()


def companies(count: int) -> list[dict[str, Any]]:
    return [record(Name=f"Company {number}") for number in range(count)]


def refused(tenant: OAuthTenant) -> int:
    """Calls that the tenant refused for their credential."""
    return sum(call.status == 401 for call in tenant.sandbox.tenant.calls())


def test_four_thousand_inserts_with_tokens_of_ten_calls(open_tenant: OpenTenant) -> None:
    tenant = open_tenant(token_calls=10)
    run = tenant.load(schema(), *companies(4_000), state(at=4_000), sync_mode="insert")
    assert (run.exit_code, run.states[-1], run.rejects) == (0, {"at": 4_000}, [])
    assert tenant.names() == sorted(f"Company {number}" for number in range(4_000))
    assert tenant.token_calls <= 9
    assert refused(tenant) > 0


def test_run_takes_one_token_counted_separately(open_tenant: OpenTenant) -> None:
    tenant = open_tenant()
    run = tenant.load(schema(), *companies(500), state(at=500), sync_mode="insert")
    assert run.exit_code == 0
    assert run.target.summary.calls.by_kind == {"token": 1, "describe": 1, "insert": 10}
    assert refused(tenant) == 0


def test_token_call_counts_for_no_budget(open_tenant: OpenTenant) -> None:
    """Every limit allows three calls: one reads metadata, two write."""
    tenant = open_tenant()
    run = tenant.load(
        schema(),
        *companies(2),
        sync_mode="insert",
        batch_size_rows=1,
        max_calls_per_run=3,
        calls_per_minute=3,
        calls_per_day=3,
        quota_percent=100,
    )
    assert (run.exit_code, len(tenant.names())) == (0, 2)
    assert (run.target.summary.calls.total, tenant.clock.waits) == (4, [])


def test_token_call_is_not_in_cost_of_plan(open_tenant: OpenTenant) -> None:
    tenant = open_tenant()
    run = tenant.load(
        schema(), *companies(100), sync_mode="insert", dry_run=True, calls_per_day=300
    )
    assert run.target.session.plan
    cost = run.target.session.plan.cost(run.target.summary)
    assert cost["by_kind"] == {"token": 1, "describe": 1, "insert": 2}
    assert cost["percent_of_day"] == 1.2


def test_every_endpoint_works_with_single_use_tokens(open_tenant: OpenTenant) -> None:
    """Each call but the first finds its token ended, the upload of a file as well."""
    tenant = open_tenant(token_calls=1)
    contact = {"Email": TEXT, "Name": TEXT}
    activity = {"id": TEXT, "account": TEXT, "ActivityDate": TEXT}
    by_name = {"object_name": "company", "fields": {"account": "Name"}}
    streams = {
        "accounts": {"object_type": "company"},
        "contacts": {"object_type": "person"},
        "activities": {
            "object_type": "timeline",
            "constants": {"ContextName": "Company", "TypeName": "Update", "Author": "ann@x.io"},
            "lookups": {"GsCompanyId": by_name},
        },
        "prospects": {"object_type": "company", "transport": "bulk", "bulk_job_id": "job"},
    }
    run = tenant.load(
        schema(),
        *companies(60),
        schema("contacts", contact, keys=["Email"]),
        *(record("contacts", Email=f"c{each}@initech.example", Name="C") for each in range(3)),
        schema("activities", activity, keys=["id"]),
        record("activities", id="a1", account="Company 1", ActivityDate=WHEN),
        schema("prospects", {"Name": TEXT}),
        *(record("prospects", Name=f"Prospect {each}") for each in range(500)),
        state(at="end"),
        object_type=None,
        streams=streams,
        max_concurrency=1,
    )
    assert (run.exit_code, run.states[-1], run.rejects) == (0, {"at": "end"}, [])
    assert len(tenant.names()) == 560
    assert len(tenant.rows("person")) == 3
    assert len(tenant.rows("activity_timeline")) == 1
    kinds = run.target.summary.calls.by_kind
    assert {"insert", "person", "timeline", "upload"} <= set(kinds)
    assert refused(tenant) == tenant.token_calls - 1


def test_expiring_tokens_are_replaced_in_time(open_tenant: OpenTenant) -> None:
    tenant = open_tenant(token_seconds=100)
    run = tenant.load(
        schema(),
        *companies(1_000),
        sync_mode="insert",
        calls_per_minute=5,
        quota_percent=100,
        max_concurrency=1,
    )
    assert (run.exit_code, len(tenant.names())) == (0, 1_000)
    assert refused(tenant) == 0
    assert 3 <= tenant.token_calls <= 5


class Revoking:
    """Changes the tenant at its n-th write."""

    def __init__(self, tenant: OAuthTenant, write: int, act: Callable[[], None]) -> None:
        self._left = write
        self._act = act
        self._pick = tenant.sandbox.tenant.faults.pick
        tenant.sandbox.tenant.faults.pick = self  # type: ignore[method-assign]

    def __call__(self, method: str, path: str) -> Any:
        if path.endswith("/Company"):
            self._left -= 1
            if self._left == 0:
                self._act()
        return self._pick(method, path)


def test_revoked_token_is_replaced(open_tenant: OpenTenant) -> None:
    tenant = open_tenant()
    Revoking(tenant, 5, tenant.sandbox.tenant.tokens.end_all)
    run = tenant.load(schema(), *companies(1_000), state(at=1_000), sync_mode="insert")
    assert (run.exit_code, run.states[-1], run.rejects) == (0, {"at": 1_000}, [])
    assert tenant.names() == sorted(f"Company {number}" for number in range(1_000))
    assert (tenant.token_calls, refused(tenant) > 0) == (2, True)


def test_revoked_client_stops_run_without_loss(open_tenant: OpenTenant) -> None:
    tenant = open_tenant()

    def revoke() -> None:
        sandbox = tenant.sandbox.tenant
        sandbox.config = replace(sandbox.config, client_secret="another")
        sandbox.tokens.end_all()

    Revoking(tenant, 5, revoke)
    numbered = [each for at, row in enumerate(companies(1_000)) for each in (row, state(at=at))]
    run = tenant.load(schema(), *numbered, sync_mode="insert", max_concurrency=1)
    assert run.exit_code == 1
    assert "Administration > Connectors 2.0" in run.error
    assert run.rejects == []
    landed = len(tenant.names())
    assert run.states[-1] == {"at": landed - 1}
    assert 0 < landed < 1_000


def test_failing_token_refresh_stops_run_without_loss(open_tenant: OpenTenant) -> None:
    tenant = open_tenant(token_calls=5)
    tenant.sandbox.tenant.faults.add(Fault("server_error", path="*/oauth/token", after=1))
    numbered = [each for at, row in enumerate(companies(1_000)) for each in (row, state(at=at))]
    run = tenant.load(
        schema(), *numbered, sync_mode="insert", max_retry_seconds=5, max_concurrency=1
    )
    landed = len(tenant.names())
    assert run.exit_code == 1
    assert "was not available for 3 batches in a row" in run.error
    assert (landed, run.states[-1]) == (4 * 50, {"at": landed - 1})
    assert set(run.codes) == {"unavailable"}
    tenant.sandbox.tenant.faults.clear()
    again = tenant.load(schema(), *numbered[2 * landed :], state(at=1_000), sync_mode="insert")
    assert (again.exit_code, again.states[-1]) == (0, {"at": 1_000})
    assert tenant.names() == sorted(f"Company {number}" for number in range(1_000))


def test_wrong_credentials_stop_run_first(open_tenant: OpenTenant) -> None:
    tenant = open_tenant()
    run = tenant.load(schema(), record(Name="A"), state(at=1), client_secret="wr0ng-s3cret")
    assert (run.exit_code, run.states) == (1, [])
    assert "OAuth API Key and OAuth API Secret" in run.error
    assert "wr0ng-s3cret" not in " ".join([*run.errors, *run.warnings])
    assert [call.kind for call in tenant.sandbox.tenant.calls()] == ["token"]


@pytest.mark.parametrize("switches", [{"token_in_envelope": True}, {"client_refusal": "oauth"}])
def test_undocumented_responses_are_tolerated(
    open_tenant: OpenTenant, switches: dict[str, Any]
) -> None:
    tenant = open_tenant(**switches)
    assert tenant.load(schema(), record(Name="A")).exit_code == 0
    wrong = tenant.load(schema(), record(Name="B"), client_id="somebody-else")
    assert "Administration > Connectors 2.0" in wrong.error
    assert tenant.names() == ["A"]


@pytest.mark.parametrize("kind", ["server_error", "throttle_429", "reset_after_commit", "cut_json"])
def test_passing_fault_of_token_call_is_survived(open_tenant: OpenTenant, kind: str) -> None:
    tenant = open_tenant()
    tenant.sandbox.tenant.faults.script([kind, kind], path="*/oauth/token")
    run = tenant.load(schema(), *companies(60), sync_mode="insert")
    assert (run.exit_code, len(tenant.names()), tenant.token_calls) == (0, 60, 3)


def test_secret_and_token_are_in_no_log_or_file(tmp_path: Path, open_tenant: OpenTenant) -> None:
    """Tokens are refused, calls for them broken, records rejected; all that is left is searched."""
    tenant = open_tenant(token_calls=2)
    faults = tenant.sandbox.tenant.faults
    faults.script(["server_error", "reset_after_commit"], path="*/oauth/token")
    tokens = remembered_tokens(tenant)
    run = run_command(
        folder=tmp_path,
        messages=[schema(), *companies(300), record(Name="Hooli", Employees="a lot")],
        settings=given(tenant) | {"summary_path": "summary.json", "max_concurrency": 1},
        LOGLEVEL="DEBUG",
        TARGET_GAINSIGHT_LOGLEVEL="DEBUG",
    )
    assert run.returncode == 0
    assert "| DEBUG" in run.stderr
    (tmp_path / "config.json").unlink()
    secrets = [SECRET, b64encode(f"{CLIENT}:{SECRET}".encode()).decode(), *tokens]
    assert len(tokens) > 2
    for secret in secrets:
        assert secret not in run.stdout + run.stderr
        assert files_with(secret, tmp_path) == []


def remembered_tokens(tenant: OAuthTenant) -> list[str]:
    """The tokens that the tenant grants from now on."""
    granted: list[str] = []
    grant = tenant.sandbox.tenant.tokens.grant

    def remember(seconds: float, calls: int) -> str:
        granted.append(grant(seconds, calls))
        return granted[-1]

    tenant.sandbox.tenant.tokens.grant = remember  # type: ignore[method-assign]
    return granted


def given(tenant: OAuthTenant) -> dict[str, Any]:
    return {name: value for name, value in tenant.settings.items() if value is not None}


def files_with(text: str, folder: Path) -> list[str]:
    """The files that hold a text; the tenant's own, which keeps no token, among them."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    found = [path.name for path in files if text.encode() in path.read_bytes()]
    return [name for name in found if text != SECRET or not name.startswith("tenant.db")]
