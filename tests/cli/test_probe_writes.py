"""`gainsight probe --write`: what it creates is deleted, and no other row is touched."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
from collections.abc import Callable
from typing import Any

import pytest
import requests
from click.testing import Result
from commands import GAINSIGHT, Commands
from probed_tenant import EMAIL, OBJECT, PROBED, held, sent_kinds
from singer_runs import clean_environment
from wire import json_response

from target_gainsight.probe.reads import MAX_CALLS
from target_gainsight.sandbox import Tenant
from target_gainsight.sandbox.config.faults import Fault, ServerRule

WRITES = {"insert", "update", "delete", "person"}
SECONDS = 60


class KilledError(BaseException):
    """Ends the process: nothing handles it, and no call after it gets out."""


@pytest.fixture
def probed(start_probed: Callable[..., Commands]) -> Commands:
    """A tenant with an object to probe."""
    return start_probed(**PROBED)


def probe(commands: Commands, written: str = OBJECT, *options: str) -> Result:
    config = commands.config()
    return commands.run("probe", "--config", config, "--write", written, "--yes", *options)


def kill_after(calls: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """End the process once this many calls have taken effect."""
    request = requests.Session.request
    made = iter(range(calls))

    def request_or_die(*arguments: Any, **options: Any) -> requests.Response:
        number = next(made, None)
        if number is not None:
            response = request(*arguments, **options)
            if number < calls - 1:
                return response
        raise KilledError

    monkeypatch.setattr(requests.Session, "request", request_or_die)


def test_write_probe_leaves_the_tenant_unchanged(probed: Commands) -> None:
    tenant = probed.sandbox.tenant
    before = held(tenant)
    result = probe(probed)
    assert result.exit_code == 0, result.output
    assert held(tenant) == before
    assert sent_kinds(tenant).count("delete") == 6


def test_calls_and_records_stay_within_what_is_announced(probed: Commands) -> None:
    result = probe(probed)
    announced = re.search(r"at most (\d+) more calls, .* usually half as many", result.output)
    assert announced is not None
    kinds = sent_kinds(probed.sandbox.tenant)
    assert len(kinds) - MAX_CALLS <= int(announced[1]) / 2
    assert "at most 60 records" in result.output
    assert "usually 5, and touches no others" in result.output


def test_tolerant_tenant_gets_at_most_60_records(start_probed: Callable[..., Commands]) -> None:
    limits = {**PROBED["limits"], "records_per_write": 0, "keys": 0}
    switches = {"put_without_match": "ignore", "numeric_strings": True, "lookup_must_exist": False}
    commands = start_probed(**{**PROBED, "limits": limits, "switches": switches})
    tenant = commands.sandbox.tenant
    before = held(tenant)
    result = probe(commands)
    assert re.search(r"too_many_records_code .* accepted ", result.output)
    assert re.search(r"too_many_keys_code .* accepted ", result.output)
    assert held(tenant) == before
    assert sum(call.records for call in tenant.calls() if call.kind == "insert") <= 60
    assert sent_kinds(tenant).count("delete") <= 60
    announced = re.search(r"at most (\d+) more calls", result.output)
    assert announced is not None
    assert len(tenant.calls()) <= int(announced[1])


@pytest.mark.parametrize("every", [7, pytest.param(1, marks=pytest.mark.e2e)])
def test_probe_killed_after_any_call_is_cleaned_up_by_the_next(
    probed: Commands, monkeypatch: pytest.MonkeyPatch, every: int
) -> None:
    tenant = probed.sandbox.tenant
    before = held(tenant)
    probe(probed)
    kinds = sent_kinds(tenant)
    last = len(kinds) - kinds[::-1].index("delete")
    for calls in range(1, last + 1, every):
        with monkeypatch.context() as patched:
            kill_after(calls, patched)
            with pytest.raises(KilledError):
                probe(probed)
        others = {row for row in held(tenant)[OBJECT] if row in before[OBJECT]}
        assert others == set(before[OBJECT])
        if held(tenant) != before:
            assert probe(probed).exit_code == 0
        assert held(tenant) == before, f"killed after call {calls}"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
@pytest.mark.parametrize("kind", ["reset_after_commit", "server_error", "cut_json"])
def test_lost_responses_leave_nothing(probed: Commands, method: str, kind: str) -> None:
    tenant = probed.sandbox.tenant
    before = held(tenant)
    tenant.faults.add(Fault(kind, method=method, path=f"/v1/data/objects/{OBJECT}*", times=2))
    probe(probed)
    tenant.faults.clear()
    assert held(tenant) == before


def test_records_that_cannot_be_deleted_are_listed(probed: Commands) -> None:
    tenant = probed.sandbox.tenant
    before = held(tenant)
    tenant.faults.add(Fault("bad_gateway", method="DELETE"))
    result = probe(probed)
    assert result.exit_code == 1
    left = {row["Gsid"] for row in tenant.rows(OBJECT)} - {row[0] for row in before[OBJECT]}
    assert len(left) == 5
    assert set(re.findall(r"^  (\w{36})$", result.output, re.MULTILINE)) == left
    tenant.faults.clear()
    again = probe(probed)
    assert "5 records of an earlier probe will be deleted first" in again.output
    assert held(tenant) == before


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("company", "company is not a custom object"),
        (
            "Usage__gc",
            "Usage__gc does not take the probe's records: .* is a high-volume object",
        ),
        ("Trial", "the tenant has no object Trial"),
        ("Numbers__gc", "Numbers__gc is not a custom object with a writable text field"),
        ("Needs__gc", "does not take the probe's records: .* Blob__gc is mandatory"),
        ("person:", "no person with the email"),
    ],
)
def test_unsuitable_object_is_refused(
    start_commands: Callable[..., Commands], written: str, reason: str
) -> None:
    commands = start_commands(
        objects={
            "Usage__gc": {"transactional": False, "fields": {"Code__gc": {"type": "STRING"}}},
            "Numbers__gc": {
                "fields": {
                    "Name": {"type": "STRING", "length": 20},
                    "N__gc": {"type": "NUMBER"},
                }
            },
            "Needs__gc": {
                "fields": {
                    "Code__gc": {"type": "STRING"},
                    "Blob__gc": {"type": "JSON", "required": True},
                }
            },
        }
    )
    result = probe(commands, written)
    assert result.exit_code == 1
    assert re.search(reason, result.output), result.output
    tenant = commands.sandbox.tenant
    assert not any(
        tenant.rows(name) for name in ("company", "Usage__gc", "Numbers__gc", "Needs__gc")
    )


def test_object_with_required_fields_is_probed(start_probed: Callable[..., Commands]) -> None:
    types: dict[str, dict[str, Any]] = {
        "Code__gc": {"type": "STRING"},
        "Short__gc": {"type": "STRING", "length": 3},
        "Mail__gc": {"type": "EMAIL"},
        "Day__gc": {"type": "DATE"},
        "At__gc": {"type": "DATETIME"},
        "Kinds__gc": {"type": "MULTISELECTDROPDOWNLIST", "options": ["A", "B"]},
        "Kind__gc": {"type": "PICKLIST", "options": ["A", "B"]},
        "Share__gc": {"type": "PERCENTAGE"},
    }
    fields = {name: {**each, "required": True} for name, each in types.items()}
    commands = start_probed(objects={"Full__gc": {"fields": fields}})
    result = probe(commands, "Full__gc", "--format", "json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["questions"]["date_formats"]["position"] == "both"
    assert commands.sandbox.tenant.rows("Full__gc") == []


def test_object_with_a_key_only_leaves_questions_open(
    start_probed: Callable[..., Commands],
) -> None:
    fields = {"Name": {"type": "STRING", "required": True}}
    commands = start_probed(objects={"Bare__gc": {"fields": fields}})
    result = probe(commands, "Bare__gc", "--format", "json")
    assert result.exit_code == 0, result.output
    questions = json.loads(result.stdout)["questions"]
    for name in ("put_without_match", "date_formats", "numeric_strings", "lookup_must_exist"):
        assert questions[name]["verdict"] == "open"
    assert questions["too_many_records_code"]["position"] == "GSOBJ_1008"
    assert commands.sandbox.tenant.rows("Bare__gc") == []


def test_failed_lookup_is_settled_without_rows_to_look_up(
    start_probed: Callable[..., Commands],
) -> None:
    commands = start_probed(**{**PROBED, "rows": {}})
    result = probe(commands, OBJECT, "--format", "json")
    assert result.exit_code == 0, result.output
    questions = json.loads(result.stdout)["questions"]
    assert questions["lookup_error_code"]["position"] == "GSOBJ_1008"
    assert questions["lookup_must_exist"]["verdict"] == "open"


def test_unconfirmed_create_is_reported(probed: Commands) -> None:
    tenant = probed.sandbox.tenant
    before = held(tenant)
    tenant.faults.add(Fault("unavailable", method="POST", path=f"/v1/data/objects/{OBJECT}"))
    result = probe(probed)
    assert result.exit_code == 1
    assert f"{OBJECT} does not take the probe's records" in result.output
    assert "A create had no clear response. Run the probe again" in result.output
    assert held(tenant) == before


@pytest.mark.parametrize(
    ("field", "values", "question"),
    [
        ("Day__gc", ["2026-01-27", "01-27-2026"], "date_formats"),
        ("At__gc", ["2026-01-27T10:20:30.000Z"], "datetime_milliseconds_required"),
        ("Kind__gc", ["Red"], "picklist_ignores_case"),
        ("Name", [""], "empty_text_written"),
        ("Name", [None], "null_clears"),
    ],
)
def test_refused_value_that_loads_need_is_not_handled(
    probed: Commands, field: str, values: list[object], question: str
) -> None:
    rules = [ServerRule(OBJECT, field, value) for value in values]
    probed.sandbox.tenant.faults.rules.extend(rules)
    result = probe(probed, OBJECT, "--format", "json")
    assert result.exit_code == 1
    observed = json.loads(result.stdout)["questions"]
    assert [name for name in observed if observed[name]["verdict"] == "not handled"] == [question]


def test_rows_in_another_order_are_not_handled(
    probed: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = requests.Session.request

    def request_reversed(*arguments: Any, **options: Any) -> requests.Response:
        response = request(*arguments, **options)
        body = response.json()
        if arguments[1:3] == ("POST", f"{probed.sandbox.base_url}/v1/data/objects/{OBJECT}"):
            if body["data"] and body["data"]["records"]:
                body["data"]["records"].reverse()
            response = json_response(response.request, response.status_code, body)
        return response

    monkeypatch.setattr(requests.Session, "request", request_reversed)
    result = probe(probed, OBJECT, "--format", "json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["questions"]["row_order"]["verdict"] == "not handled"
    assert len(probed.sandbox.tenant.rows(OBJECT)) == len(PROBED["rows"][OBJECT])


@pytest.mark.parametrize("form", ["epoch_ms", "iso"])
def test_written_date_settles_what_no_company_shows(
    start_probed: Callable[..., Commands], form: str
) -> None:
    commands = start_probed(**PROBED, switches={"date_read": form})
    result = probe(commands, OBJECT, "--format", "json")
    assert json.loads(result.stdout)["questions"]["date_read"]["position"] == form


def test_profile_names_no_object_field_or_row(probed: Commands) -> None:
    result = probe(probed, OBJECT, "--format", "json")
    profile = result.stdout
    json.loads(profile)
    names = [OBJECT, "__gc", "Initech", "ann@", "tg-probe-", probed.sandbox.base_url, "Red"]
    assert [name for name in names if name in profile] == []
    assert not re.search(r"[0-9A-Z]{36}", profile)


def test_nothing_is_sent_without_terminal_or_yes(probed: Commands) -> None:
    result = probed.run("probe", "--config", probed.config(), "--write", OBJECT)
    assert result.exit_code == 2
    assert "standard input is not a terminal. Add --yes" in result.output
    assert probed.sandbox.tenant.calls() == []


@pytest.mark.parametrize(
    ("typed", "exit_code", "writes"),
    [("n", 1, False), pytest.param("y", 0, True, marks=pytest.mark.e2e)],
)
def test_terminal_is_asked_before_the_first_write(
    probed: Commands, typed: str, exit_code: int, *, writes: bool
) -> None:
    tenant = probed.sandbox.tenant
    before = held(tenant)
    master, slave = pty.openpty()
    os.write(master, f"{typed}\n".encode())
    done = subprocess.run(
        [GAINSIGHT, "probe", "--config", probed.config(), "--write", OBJECT],
        stdin=slave,
        capture_output=True,
        env=clean_environment(),
        timeout=SECONDS,
        check=False,
    )
    os.close(master)
    os.close(slave)
    assert b"Start? [y/N]" in done.stderr
    assert done.returncode == exit_code, done.stderr
    assert bool(WRITES & set(sent_kinds(tenant))) is writes
    assert held(tenant) == before


def send_signal_at_third_update(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch, send: Callable[[], object]
) -> None:
    updates, pick = iter(range(3)), tenant.faults.pick

    def pick_and_send(method: str, path: str) -> Any:
        if method == "PUT" and next(updates, None) == 2:
            send()
        return pick(method, path)

    monkeypatch.setattr(tenant.faults, "pick", pick_and_send)


@pytest.mark.parametrize(
    ("signals", "exit_code"),
    [
        ([signal.SIGINT], 130),
        ([signal.SIGTERM], 143),
        ([signal.SIGHUP], 129),
        ([signal.SIGINT, signal.SIGTERM], 130),
    ],
)
def test_interrupted_probe_cleans_up(
    probed: Commands, monkeypatch: pytest.MonkeyPatch, signals: list[int], exit_code: int
) -> None:
    tenant = probed.sandbox.tenant
    before = held(tenant)

    def send() -> None:
        for signum in signals:
            os.kill(os.getpid(), signum)

    send_signal_at_third_update(tenant, monkeypatch, send)
    result = probe(probed)
    assert result.exit_code == exit_code
    assert "The records of the probe are deleted." in result.output
    assert held(tenant) == before
    assert sent_kinds(tenant).count("update") == 3


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("signum", "exit_code", "is_clean"), [(signal.SIGINT, 130, True), (signal.SIGKILL, -9, False)]
)
def test_signal_to_the_installed_command(
    probed: Commands,
    monkeypatch: pytest.MonkeyPatch,
    signum: int,
    exit_code: int,
    *,
    is_clean: bool,
) -> None:
    tenant = probed.sandbox.tenant
    before = held(tenant)
    command = [GAINSIGHT, "probe", "--config", probed.config(), "--write", OBJECT, "--yes"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=clean_environment()
    ) as process:
        send_signal_at_third_update(tenant, monkeypatch, lambda: process.send_signal(signum))
        _, errors = process.communicate(timeout=SECONDS)
    assert process.returncode == exit_code, errors
    assert (held(tenant) == before) is is_clean
    assert probe(probed).exit_code == 0
    assert held(tenant) == before


def test_person_is_sent_its_own_values(probed: Commands) -> None:
    tenant = probed.sandbox.tenant
    before = [{**row, "ModifiedDate": None} for row in tenant.rows("person")]
    result = probe(probed, f"person:{EMAIL.upper()}")
    assert result.exit_code == 0, result.output
    assert sent_kinds(tenant).count("person") == 1
    assert [{**row, "ModifiedDate": None} for row in tenant.rows("person")] == before


def test_changed_person_is_not_handled(probed: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    tenant, pick = probed.sandbox.tenant, probed.sandbox.tenant.faults.pick

    def rename_and_pick(method: str, path: str) -> Any:
        if method == "PUT":
            tenant.store.execute("UPDATE person SET MiddleName = 'X'")
        return pick(method, path)

    monkeypatch.setattr(tenant.faults, "pick", rename_and_pick)
    result = probe(probed, f"person:{EMAIL}")
    assert result.exit_code == 1
    assert "the names or the email have changed" in result.output


def test_unknown_person_is_not_created(probed: Commands) -> None:
    before = held(probed.sandbox.tenant)
    result = probe(probed, "person:nobody@initech.example")
    assert result.exit_code == 1
    assert "no person with the email nobody@initech.example" in result.output
    assert held(probed.sandbox.tenant) == before


def test_person_with_an_ambiguous_email_is_refused(probed: Commands) -> None:
    tenant = probed.sandbox.tenant
    tenant.seed("person", [{"Email": EMAIL.upper(), "FirstName": "Other"}])
    before = held(tenant)
    result = probe(probed, f"person:{EMAIL}")
    assert result.exit_code == 1
    assert f"2 people have the email {EMAIL}" in result.output
    assert held(tenant) == before
