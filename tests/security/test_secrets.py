"""Secrets of failing runs: in no log at any level, no file, no error, no process argument."""

from __future__ import annotations

import json
import subprocess
import traceback
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from singer_messages import record, schema, state
from singer_runs import Tenant, clean_environment, command_line, lines_of, run_command

from target_gainsight.settings.parsing import parse_settings

SECRETS = ("k3y-n0b0dy-may-see", "cl1ent-s3cret-n0b0dy-may-see", "passw0rd-n0b0dy-may-see")
_KEY, _CLIENT, _PASSWORD = SECRETS
_CREDENTIALS: dict[str, dict[str, Any]] = {
    "access key": {"access_key": _KEY},
    "client": {"access_key": None, "client_id": "mine", "client_secret": _CLIENT},
}
_SLOW = pytest.mark.e2e
_REDIS = f"redis://someone:{_PASSWORD}@127.0.0.1:9/0"
_FAILURES: dict[str, dict[str, Any]] = {
    "the credential is refused": {},
    "nothing listens": {"base_url": "http://127.0.0.1:9"},
    "the name is unknown": {"base_url": "https://initech.invalid"},
    "the quota store is down": {"quota_store": _REDIS},
    "the settings are wrong": {"sync_mode": "mirror", "domain": "no where", "base_url": None},
    "the secret has a wrong type": {"access_key": [_KEY], "client_secret": {"a": _CLIENT}},
    "the address carries a password": {"base_url": f"https://me:{_PASSWORD}@initech.example"},
    "the secret cannot be sent": {"access_key": f"{_KEY}\n\u20ac"},
    "the folder of rejects is a file": {"rejects_path": "taken"},
}


def _settings(tenant: Tenant, *given: dict[str, Any]) -> dict[str, Any]:
    merged: dict[str, Any] = tenant.settings | {"summary_path": "summary.json"}
    for each in given:
        merged |= each
    return {name: value for name, value in merged.items() if value is not None}


def _shown_in(text: str) -> list[str]:
    return [each for each in SECRETS if each in text]


def _files(folder: Path) -> Iterable[Path]:
    return (each for each in folder.rglob("*") if each.is_file() and each.name != "config.json")


def _failing_runs() -> list[Any]:
    """Every credential with every failure; the quick suite has a run of each kind."""
    return [
        pytest.param(
            credential,
            failure,
            id=f"{name}, {what}",
            marks=() if number == 0 or (name == "access key" and number % 2 == 0) else _SLOW,
        )
        for name, credential in _CREDENTIALS.items()
        for number, (what, failure) in enumerate(_FAILURES.items())
    ]


@pytest.mark.parametrize(("credential", "failure"), _failing_runs())
def test_failed_run_shows_no_secret(
    tmp_path: Path, tenant: Tenant, credential: dict[str, Any], failure: dict[str, Any]
) -> None:
    (tmp_path / "taken").write_text("no folder", encoding="utf-8")
    run = run_command(
        folder=tmp_path,
        messages=[schema(), record(Name="A", Employees="many"), record(Name="B"), state(at=1)],
        settings=_settings(tenant, credential, failure),
        LOGLEVEL="DEBUG",
        TARGET_GAINSIGHT_LOGLEVEL="DEBUG",
    )
    assert run.returncode == 1
    assert "Traceback" not in run.stderr
    assert _shown_in(run.stdout + run.stderr) == []
    for path in _files(tmp_path):
        assert _shown_in(path.read_bytes().decode("utf-8", "replace")) == [], path.name


def test_secrets_are_in_no_arguments_of_a_process(tmp_path: Path, tenant: Tenant) -> None:
    settings = _settings(tenant, {"access_key": _KEY, "quota_store": "memory"})
    with subprocess.Popen(
        command_line(tmp_path, settings),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=tmp_path,
        env=clean_environment() | {"TARGET_GAINSIGHT_CLIENT_SECRET": _CLIENT},
        text=True,
    ) as process:
        assert process.stderr is not None
        process.stderr.readline()
        if not Path("/proc/self/cmdline").exists():
            pytest.skip("no /proc: a process's arguments cannot be read")
        threads = Path(f"/proc/{process.pid}/task").iterdir()
        children = [each for task in threads for each in (task / "children").read_text().split()]
        shown = [
            Path(f"/proc/{each}/cmdline").read_text(encoding="utf-8")
            for each in [process.pid, *children]
        ]
        process.communicate(lines_of([schema()]), timeout=60)
    assert "--config" in shown[0]
    assert _shown_in("".join(shown)) == []


def test_unexpected_error_shows_no_secret(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")

    def fail(*_: object) -> None:
        message = "unexpected"
        raise RuntimeError(message)

    monkeypatch.setattr("target_gainsight.loading.loader.RecordLoader.load", fail)
    key = tenant.settings["access_key"]
    with pytest.raises(RuntimeError) as raised:
        tenant.load(schema(), record(Name="A"))
    shown = traceback.TracebackException.from_exception(raised.value, capture_locals=False)
    assert key not in "".join(shown.format()) + caplog.text


def test_settings_do_not_show_their_secrets() -> None:
    for credential in ({"access_key": _KEY}, {"client_id": "mine", "client_secret": _CLIENT}):
        given = {"domain": "initech.gainsightcloud.com", "quota_store": _REDIS, **credential}
        settings = parse_settings({**given, "object_type": "company"})
        assert _shown_in(f"{settings} {settings!r} {settings.connection!r}") == []


def test_summary_and_plan_have_no_secret(tenant: Tenant, tmp_path: Path) -> None:
    key = tenant.settings["access_key"]
    path = tmp_path / "summary.json"
    for dry_run in (False, True):
        run = tenant.load(
            schema(), record(Name="A"), summary_path=str(path), dry_run=dry_run, access_key=key
        )
        assert run.exit_code == 0
        plan = (
            json.dumps(run.target.session.plan.to_json(run.target.summary))
            if run.target.session.plan
            else ""
        )
        assert key not in path.read_text(encoding="utf-8") + plan
