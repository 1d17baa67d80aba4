"""Responses sent to the webhook arrive in the tenant, even if a process dies."""

from __future__ import annotations

import copy
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from nps_recipe import NPS, RECIPE, responses, settings_of, tenant_description
from singer_runs import KEY, clean_environment, command_line
from watched_sandbox import WatchedSandbox, watched_sandbox

pytestmark = pytest.mark.e2e

TOKEN = "t0ken-of-the-survey-tool"
SECONDS = 60
PROMOTER, DETRACTOR, THIRD = responses()[:3]
CUSTOMERGAUGE = {  # as CustomerGauge documents the responses of its API
    "contact": {"first_name": "Ana", "last_name": "Silva"},
    "account": {"name": "ACME"},
    "number_customergauge": 3414,
    "number_customer": "123",
    "email": "ana.silva@acme.example",
    "phone": "1234567890",
    "nps": 3,
    "comment": "Too slow",
    "date_creation": "2022-03-30 12:34:56",
    "date_survey_response": "2022-03-31 08:00:00",
}


@dataclass(frozen=True)
class Pipeline:
    """A receiver piped into a target, which write to a tenant of the test."""

    receiver: subprocess.Popen[bytes]
    target: subprocess.Popen[bytes]
    url: str

    def post(
        self, body: Any, token: str = TOKEN, *, auth: tuple[str, str] | None = None
    ) -> requests.Response:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {} if auth else {"Authorization": f"Bearer {token}"}
        return requests.post(self.url, data=data, headers=headers, auth=auth, timeout=60)

    def stop(self) -> None:
        """Stop the receiver as a service manager does, and wait for the target."""
        self.receiver.terminate()
        assert self.receiver.wait(SECONDS) == 0
        assert self.target.wait(SECONDS) == 0


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[WatchedSandbox]:
    described = {**tenant_description(), "access_key": KEY}
    with watched_sandbox(tmp_path / "tenant.db", described) as running:
        yield running


@contextmanager
def pipeline(
    folder: Path, sandbox: WatchedSandbox, *options: Path | str, author: str | None = None
) -> Iterator[Pipeline]:
    states = folder / "states.jsonl"
    files = ["--journal", folder / "responses.jsonl", "--state", states]
    arguments = ["--port", "0", *files, *options]
    receiver = subprocess.Popen(
        [sys.executable, RECIPE / "webhook.py", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "SURVEY_WEBHOOK_TOKEN": TOKEN},
    )
    settings = {
        **copy.deepcopy(settings_of(NPS)),
        "base_url": sandbox.base_url,
        "access_key": KEY,
        "rejects_path": str(folder / "rejects"),
        "max_batch_age_seconds": 1,
    }
    if author:
        settings["streams"]["nps_activities"]["constants"]["Author"] = author
    with states.open("ab") as output, (folder / "log").open("ab") as log:
        target = subprocess.Popen(
            command_line(folder, settings),
            stdin=receiver.stdout,
            stdout=output,
            stderr=log,
            env=clean_environment(),
        )
    assert receiver.stdout
    assert receiver.stderr
    receiver.stdout.close()
    url = receiver.stderr.readline().decode().split()[-1]
    try:
        yield Pipeline(receiver, target, url)
    finally:
        for process in (receiver, target):
            process.kill()
            process.wait()
        receiver.stderr.close()


def until_there(sandbox: WatchedSandbox, **expected: int) -> None:
    """Wait until the tenant holds these numbers of rows."""
    sandbox.watch.until(lambda: {name: sandbox.tenant.count(name) for name in expected} == expected)


def rows(sandbox: WatchedSandbox) -> dict[str, int]:
    names = ("company", "CG_NPS_Response__gc", "activity_timeline", "call_to_action")
    return {name: sandbox.tenant.count(name) for name in names}


def test_response_arrives_while_the_receiver_is_running(
    tmp_path: Path, sandbox: WatchedSandbox
) -> None:
    with pipeline(tmp_path, sandbox) as running:
        assert running.post(DETRACTOR).status_code == 202
        until_there(sandbox, CG_NPS_Response__gc=1, activity_timeline=1, call_to_action=1)
        [row] = sandbox.tenant.rows("CG_NPS_Response__gc")
        [company] = sandbox.tenant.rows("company", Gsid=row["companyId__gc"])
        assert company["Name"] == DETRACTOR["account_name"]
        broken = {**PROMOTER, "response_id": "X-1", "comment": "half a pair: \ud83d"}
        assert running.post([broken, PROMOTER, THIRD]).status_code == 202
        until_there(sandbox, CG_NPS_Response__gc=3, activity_timeline=3, call_to_action=1)
        running.stop()
    size = (tmp_path / "responses.jsonl").stat().st_size
    lines = (tmp_path / "states.jsonl").read_text("utf-8").splitlines()
    assert json.loads(lines[-1]) == {"journal": size}
    [rejects] = (tmp_path / "rejects").glob("*.singer")
    assert "not_text" in rejects.read_text("utf-8")


def test_killed_target_loses_and_duplicates_nothing(
    tmp_path: Path, sandbox: WatchedSandbox
) -> None:
    with pipeline(tmp_path, sandbox) as running:
        running.post(DETRACTOR)
        until_there(sandbox, call_to_action=1)
        running.target.send_signal(signal.SIGKILL)
        running.target.wait(SECONDS)
        assert running.post(PROMOTER).status_code == 202
        assert running.receiver.wait(SECONDS) == 1
        assert running.receiver.stderr
        assert running.receiver.stderr.read() == b"the target has ended; start both again\n"
    assert rows(sandbox)["CG_NPS_Response__gc"] == 1
    with (tmp_path / "responses.jsonl").open("ab") as journal:
        journal.write(b'{"response_id": "half a li')  # as a power cut leaves it
    with pipeline(tmp_path, sandbox) as running:
        until_there(sandbox, CG_NPS_Response__gc=2, activity_timeline=2, call_to_action=1)
        running.post(THIRD)
        until_there(sandbox, CG_NPS_Response__gc=3, activity_timeline=3)
        running.stop()
    assert rows(sandbox)["call_to_action"] == 1


def test_invalid_requests_are_refused_and_not_stored(
    tmp_path: Path, sandbox: WatchedSandbox
) -> None:
    wrong = {**PROMOTER, "score": 11}
    nameless = {**PROMOTER, "account_name": None}
    mixed = {**PROMOTER, "comment": ["a", "list"]}
    vague = {**PROMOTER, "responded_at": "yesterday"}
    impossible = {**PROMOTER, "responded_at": "2026-02-30T10:00:00Z"}
    early = {**PROMOTER, "responded_at": "2999-01-01"}
    with pipeline(tmp_path, sandbox) as running:
        assert running.post(PROMOTER, token="another").status_code == 401
        rejected = (7, wrong, nameless, vague, impossible, early, [THIRD, mixed])
        bodies = (b"{", b"[" * 100_000, *rejected)
        answers = [running.post(body) for body in bodies]
        assert [answer.status_code for answer in answers] == [400] * len(bodies)
        assert [answer.text.strip() for answer in answers] == [
            "the body is not JSON",
            "the body is not JSON",
            "response 1: it is not an object",
            "response 1: score is not a whole number from 0 to 10",
            "response 1: account_name is missing",
            "response 1: responded_at is not a date and time such as 2026-02-28T09:30:00+01:00",
            "response 1: responded_at is not a date and time such as 2026-02-28T09:30:00+01:00",
            "response 1: responded_at is in the future",
            "response 2: comment is not text",
        ]
        assert running.post(b" " * 1_000_001).status_code == 413
        running.stop()
    assert (tmp_path / "responses.jsonl").read_bytes() == b""
    assert (tmp_path / "responses.jsonl").stat().st_mode & 0o777 == 0o600
    assert set(rows(sandbox).values()) == {0}


def test_customergauge_response_arrives(tmp_path: Path, sandbox: WatchedSandbox) -> None:
    fields, author = RECIPE / "customergauge.json", "ada.park@ourcompany.example"
    with pipeline(tmp_path, sandbox, "--fields", fields, author=author) as running:
        answer = running.post({**CUSTOMERGAUGE, "nps": None})
        assert answer.text == "response 1: nps (score) is missing\n"
        assert running.post(CUSTOMERGAUGE, auth=("survey", TOKEN)).status_code == 202
        assert running.post(CUSTOMERGAUGE, auth=("survey", "other")).status_code == 401
        until_there(sandbox, CG_NPS_Response__gc=1, activity_timeline=1, call_to_action=1)
        running.stop()
    [row] = sandbox.tenant.rows("CG_NPS_Response__gc")
    assert (row["responseId__gc"], row["score__gc"], row["comment__gc"]) == ("3414", 3, "Too slow")
    [company] = sandbox.tenant.rows("company", Gsid=row["companyId__gc"])
    assert (company["Name"], company["External_ID__gc"]) == ("ACME", "123")
    [person] = sandbox.tenant.rows("person")
    assert (person["FirstName"], person["LastName"]) == ("Ana", "Silva")


def test_health_check_needs_no_token(tmp_path: Path, sandbox: WatchedSandbox) -> None:
    with pipeline(tmp_path, sandbox) as running:
        health = requests.get(f"{running.url}/health", timeout=60)
        assert (health.status_code, health.text) == (200, "ok\n")
        assert requests.get(running.url, timeout=60).status_code == 404
        running.stop()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "cannot be read: No such file or directory"),
        ("{", "is not JSON"),
        ("[]", "is not an object that maps columns to fields"),
        ('{"score": 7}', "is not an object that maps columns to fields"),
        ('{"rating": "nps"}', "has columns that the recipe does not have: rating"),
        ('{"score": "nps", "response_id": "id"}', "has no field for account_id, account_name"),
    ],
)
def test_unusable_fields_file_is_refused(tmp_path: Path, content: str | None, reason: str) -> None:
    path = tmp_path / "fields.json"
    if content is not None:
        path.write_text(content)
    done = receiver("--fields", path, "--journal", "j", "--state", "s", cwd=tmp_path)
    assert done.returncode == 2
    assert f"{path} {reason}" in done.stderr


def test_default_ports_of_receiver_and_sandbox_differ() -> None:
    from target_gainsight.cli.sandbox import serve

    [port] = [each.default for each in serve.params if each.name == "port"]
    [line] = [line for line in (RECIPE / "webhook.py").read_text().splitlines() if "--port" in line]
    assert f"default={port}" not in line
    assert "default=8090" in line


def receiver(*arguments: Path | str, cwd: Path, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, RECIPE / "webhook.py", *arguments],
        cwd=cwd,
        env={"PATH": os.environ["PATH"], **env},
        capture_output=True,
        text=True,
        check=False,
    )


def test_receiver_needs_a_token(tmp_path: Path) -> None:
    done = receiver("--journal", "j", "--state", "s", cwd=tmp_path)
    assert done.returncode == 2
    assert "set SURVEY_WEBHOOK_TOKEN" in done.stderr
    assert list(tmp_path.iterdir()) == []
