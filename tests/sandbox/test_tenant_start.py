"""Start, stop and description of a tenant."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
import requests
from singer_runs import COMMAND_SECONDS

from target_gainsight.sandbox import (
    SandboxConfigError,
    SandboxUnavailableError,
    start_sandbox,
)
from target_gainsight.sandbox.config.config import load_config
from target_gainsight.sandbox.server import start as start_module


def test_server_listens_on_loopback_only_and_stops(tmp_path: Path) -> None:
    with start_sandbox(tmp_path / "t.db") as running:
        assert running.base_url.startswith("http://127.0.0.1:")
        port = int(running.base_url.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port)):
            pass
    assert not any(each.name == "gainsight-sandbox" for each in threading.enumerate())


def test_its_thread_does_not_keep_the_process_alive(tmp_path: Path) -> None:
    script = (
        "import sys; from target_gainsight.sandbox import start_sandbox\n"
        "running = start_sandbox(sys.argv[1])\n"
        "print('ended')"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "t.db")],
        capture_output=True,
        text=True,
        timeout=COMMAND_SECONDS,
        check=True,
    )
    assert done.stdout == "ended\n"
    assert done.stderr == ""


def test_start_prints_nothing_and_sets_no_signal_handler(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    import signal

    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    with start_sandbox(tmp_path / "t.db") as running:
        requests.get(running.base_url, timeout=60)
        assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before
    assert capfd.readouterr() == ("", "")


def test_importing_it_loads_neither_server_nor_yaml() -> None:
    script = (
        "import sys, target_gainsight.sandbox\n"
        "print([name for name in ('starlette', 'uvicorn', 'yaml') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        timeout=COMMAND_SECONDS,
        check=True,
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("missing", ["starlette", "uvicorn", "yaml"])
def test_without_the_extra_it_says_how_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    found = start_module.find_spec
    monkeypatch.setattr(
        start_module, "find_spec", lambda name: None if name == missing else found(name)
    )
    with pytest.raises(SandboxUnavailableError) as caught:
        start_sandbox(tmp_path / "t.db")
    assert "pip install 'target-gainsight[sandbox]'" in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_taken_port_is_an_os_error(tmp_path: Path) -> None:
    with start_sandbox(tmp_path / "t.db") as running:
        port = int(running.base_url.rpartition(":")[2])
        with pytest.raises(OSError, match="in use"):
            start_sandbox(tmp_path / "u.db", port=port)


def test_file_that_is_no_tenant_is_an_os_error(tmp_path: Path) -> None:
    path = tmp_path / "text.db"
    path.write_text("no database " * 100)
    for unusable in (path, tmp_path, tmp_path / "nowhere" / "t.db"):
        with pytest.raises(OSError, match="cannot be used as a tenant's file"):
            start_sandbox(unusable)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"rows": {"compny": [{}]}}, "rows.compny: the tenant has no object 'compny'"),
        ({"rows": {"company": [{"Nam": "A"}]}}, "rows.company: no field Nam"),
        ({"rows": {"company": [{"Stage": "x"}]}}, "rows.company: Invalid or inactive picklist"),
        ({"users": [{"Name": "A", "Email": "b", "x": 1}]}, "users: Invalid email address"),
    ],
)
def test_unfit_described_row_is_named(tmp_path: Path, config: dict[str, Any], message: str) -> None:
    with pytest.raises(SandboxConfigError, match=message):
        start_sandbox(tmp_path / "t.db", config=config)


def test_limits_and_key_may_be_overridden(tmp_path: Path) -> None:
    config = {"limits": {"calls_per_minute": 5, "keys": 2}, "access_key": "a"}
    with start_sandbox(
        tmp_path / "t.db", config=config, limits={"calls_per_minute": 7}, access_key="b"
    ) as running:
        limits = running.tenant.config.limits
        assert (limits.calls_per_minute, limits.keys) == (7, 2)
        assert running.access_key == "b"


_YAML = """
access_key: secret
auto_create: false
limits: {calls_per_minute: 10, minute_seconds: 2}
switches: {error_listing: flat, metadata_status: 403}
users: [{Name: Ada Park, Email: ada@ourcompany.example}]
objects:
  CG_NPS_Response__gc:
    label: NPS Response
    transactional: true
    fields:
      responseId__gc: {type: STRING, length: 100, required: true}
      score__gc: {type: NUMBER, decimal_places: 0}
      companyId__gc: {type: LOOKUP, object: company}
      channel__gc: {type: PICKLIST, options: [Email, {label: SMS, active: false}]}
rows:
  company: [{Name: Acme}]
"""


def test_tenant_described_in_yaml(tmp_path: Path) -> None:
    path = tmp_path / "tenant.yml"
    path.write_text(_YAML)
    config = load_config(path)
    assert config.access_key == "secret"
    assert (config.limits.calls_per_minute, config.limits.minute_seconds) == (10, 2.0)
    assert config.switches.error_listing == "flat"
    model = next(each for each in config.objects if each.name == "CG_NPS_Response__gc")
    assert model.label == "NPS Response"
    assert model.fields["score__gc"].decimal_places == 0
    assert not model.fields["responseId__gc"].nillable
    labels = [(each.label, each.active) for each in model.fields["channel__gc"].options]
    assert labels == [("Email", True), ("SMS", False)]
    assert config.rows["company"] == ({"Name": "Acme"},)


def test_empty_file_is_default_tenant(tmp_path: Path) -> None:
    path = tmp_path / "tenant.yml"
    path.write_text("")
    assert load_config(path) == load_config(None) == load_config({})


_FIELD = "objects.X__gc.fields.y__gc"


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"acces_key": "x"}, "unknown key 'acces_key'; did you mean access_key?"),
        ({"zzz": 1}, "unknown key 'zzz'; known: access_key, auto_create"),
        ({"access_key": 5}, "access_key: text is wanted, not 5"),
        ({"auto_create": "yes"}, "auto_create: true or false is wanted, not 'yes'"),
        ({"limits": {"calls_per_minut": 1}}, "limits: unknown key 'calls_per_minut'; did you mean"),
        ({"limits": {"keys": "3"}}, "limits.keys: a whole number is wanted, not '3'"),
        ({"limits": {"keys": True}}, "limits.keys: a whole number is wanted, not True"),
        ({"limits": {"minute_seconds": "x"}}, "limits.minute_seconds: a number is wanted"),
        ({"limits": [1]}, "limits: a mapping is wanted, not [1]"),
        ({"switches": {"error_listing": "nestd"}}, "unknown value 'nestd'; did you mean nested?"),
        ({"switches": {"numeric_string": True}}, "did you mean numeric_strings?"),
        ({"users": [{"Name": "Ada"}]}, "users[0]: a user needs Email"),
        ({"users": {"Name": "Ada"}}, "users: a list is wanted"),
        ({"rows": {"company": [1]}}, "rows.company[0]: a mapping is wanted, not 1"),
        ({"objects": {"X__gc": {"field": {}}}}, "unknown key 'field'; did you mean fields?"),
        ({"objects": {"X__gc": {"prefix": "abc"}}}, "'abc' is not four upper-case letters"),
        ({"faults": [{"kind": "server_eror"}]}, "faults[0].kind: unknown value 'server_eror'"),
        ({"faults": [{"kind": "latency", "second": 1}]}, "did you mean seconds"),
        ({"rules": [{"object": "company"}]}, "rules[0]: a rule needs field, value"),
    ],
)
def test_wrong_description_names_key(config: Any, message: str) -> None:
    with pytest.raises(SandboxConfigError) as caught:
        load_config(config)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("field", "message"),
    [
        ({"type": "STRNG"}, f"{_FIELD}.type: unknown value 'STRNG'; did you mean STRING"),
        ({"typ": "STRING"}, f"{_FIELD}: unknown key 'typ'; did you mean type?"),
        ({"type": "LOOKUP"}, f"{_FIELD}.object: a LOOKUP names the object it points to"),
        ({"type": "LOOKUP", "object": "compny"}, "unknown object 'compny'; did you mean company"),
        ({"type": "PICKLIST"}, f"{_FIELD}.options: a PICKLIST needs a list of labels"),
        ({"options": ["a"]}, f"{_FIELD}.options: only picklists have options, not STRING"),
        ({"type": "PICKLIST", "options": [{"lable": "a"}]}, "did you mean label?"),
        ({"length": "10"}, f"{_FIELD}.length: a whole number is wanted, not '10'"),
        ({"required": "yes"}, f"{_FIELD}.required: true or false is wanted"),
    ],
)
def test_wrong_field_names_key(field: dict[str, Any], message: str) -> None:
    with pytest.raises(SandboxConfigError) as caught:
        load_config({"objects": {"X__gc": {"fields": {"y__gc": field}}}})
    assert message in str(caught.value)


@pytest.mark.parametrize("text", ["a: [", "- 1", "text"])
def test_file_that_is_no_description_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "tenant.yml"
    path.write_text(text)
    with pytest.raises(SandboxConfigError, match=r"tenant\.yml"):
        load_config(path)


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SandboxConfigError, match=r"nowhere\.yml cannot be read"):
        load_config(tmp_path / "nowhere.yml")
