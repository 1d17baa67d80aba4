"""One POST at the end of a run, as Slack's incoming webhooks accept it."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from singer_messages import record, schema
from singer_runs import Tenant, run_command, settings_into

from target_gainsight.singer.reporting.run_end import RunEnd

SECRET = "/services/T0/B0/s3cr3t"
SLACK_KEYS = {"text", "attachments"}
BAD = record(Name="Bad", Employees="a lot")
GOOD = record(Name="Good")


class Receiver:
    """A webhook that keeps the bodies it receives.

    Attributes:
        status: The HTTP status of its responses.
    """

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}{SECRET}"
        self.status = 200
        self.bodies: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []


@contextmanager
def receiving() -> Iterator[Receiver]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            receiver.bodies.append(json.loads(self.rfile.read(length)))
            receiver.headers.append(dict(self.headers))
            self.send_response(receiver.status)
            self.send_header("Location", "/elsewhere")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        receiver = Receiver(server.server_port)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield receiver
        server.shutdown()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.mark.parametrize(
    ("notify_on", "record_", "settings", "posts"),
    [
        ("failure", GOOD, {}, 0),
        ("failure", GOOD, {"access_key": "wr0ng"}, 1),
        ("failure", BAD, {}, 0),
        ("rejects", BAD, {}, 1),
        ("rejects", GOOD, {}, 0),
        ("rejects", GOOD, {"access_key": "wr0ng"}, 1),
        ("always", GOOD, {}, 1),
        ("always", GOOD, {"dry_run": True}, 0),
    ],
)
def test_notification_is_sent_when_it_is_due(
    tenant: Tenant,
    receiver: Receiver,
    notify_on: str,
    record_: dict[str, Any],
    settings: dict[str, Any],
    posts: int,
) -> None:
    messages = [schema(), record_, record(Name="Other")]
    tenant.load(*messages, notify_url=receiver.url, notify_on=notify_on, **settings)
    assert len(receiver.bodies) == posts


def test_body_has_text_and_the_summary_for_slack(tenant: Tenant, receiver: Receiver) -> None:
    run = tenant.load(schema("<!channel>"), BAD | {"stream": "<!channel>"}, notify_url=receiver.url)
    [body] = receiver.bodies
    assert body.keys() == SLACK_KEYS
    host = tenant.sandbox.base_url.removeprefix("http://")
    assert body["text"].splitlines() == [
        f"Gainsight load into {host}: run {run.summary['run']} failed (exit code 1)",
        run.error,
        "&lt;!channel&gt;: 1 read, 1 rejected",
        "rejects schema_violation: 1",
    ]
    [attachment] = body["attachments"]
    text = attachment["text"].removeprefix("```").removesuffix("```")
    summary = json.loads(text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))
    assert summary["error"]["code"] == "all_rejected"
    assert summary["streams"]["<!channel>"]["rejected"] == 1
    assert "<!channel>" not in json.dumps(body)
    assert "a lot" not in json.dumps(body)


@pytest.mark.parametrize(
    ("record_", "status", "color"),
    [(BAD, "succeeded with rejects", "warning"), (GOOD, "succeeded", "good")],
)
def test_success_with_rejects_is_shown_as_a_warning(
    tenant: Tenant, receiver: Receiver, record_: dict[str, Any], status: str, color: str
) -> None:
    messages = [schema(), record_, record(Name="Other")]
    run = tenant.load(*messages, notify_url=receiver.url, notify_on="always")
    [body] = receiver.bodies
    assert body["text"].splitlines()[0].endswith(f"run {run.summary['run']} {status}")
    assert body["attachments"][0]["color"] == color


def test_large_summary_is_shortened(tenant: Tenant, receiver: Receiver) -> None:
    schemas = [schema(f"stream-{number}" * 5) for number in range(90)]
    tenant.load(*schemas, notify_url=receiver.url, notify_on="always")
    [body] = receiver.bodies
    assert len(body["attachments"][0]["text"]) < 3000
    assert len(body["text"]) == 3000


@pytest.mark.parametrize("status", [302, 400, 404, 500])
def test_refused_notification_warns_and_does_not_fail_the_run(
    tenant: Tenant, receiver: Receiver, status: int
) -> None:
    receiver.status = status
    run = tenant.load(schema(), GOOD, notify_url=receiver.url, notify_on="always")
    assert run.exit_code == 0
    assert len(receiver.bodies) == 1
    [warning] = run.warnings
    assert warning == (
        f"the notification could not be sent (HTTP {status}). Check notify_url; the run is not "
        "affected"
    )


def test_unreachable_url_is_not_shown(
    tenant: Tenant, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    tenant.load(schema(), GOOD, notify_url=receiver.url, notify_on="always")
    run = tenant.load(schema(), GOOD, notify_url=f"http://127.0.0.1:9{SECRET}", notify_on="always")
    assert (run.exit_code, len(run.warnings)) == (0, 1)
    assert "(ConnectionError)" in run.warnings[0]
    assert "s3cr3t" not in caplog.text


def test_wrong_settings_are_notified_of(tenant: Tenant, receiver: Receiver, tmp_path: Path) -> None:
    settings = settings_into(tenant.sandbox, tmp_path)
    settings |= {"multi_match": "frist", "notify_url": receiver.url}
    run = run_command(folder=tmp_path, settings=settings, LOGLEVEL="DEBUG")
    assert run.returncode == 1
    assert "multi_match: got 'frist'" in receiver.bodies[0]["text"]
    assert "s3cr3t" not in run.stdout + run.stderr + json.dumps(receiver.bodies)


def test_netrc_is_not_sent(
    tenant: Tenant, receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "netrc"
    path.write_text("machine 127.0.0.1 login me password s3cr3t\n", encoding="utf-8")
    monkeypatch.setenv("NETRC", str(path))
    tenant.load(schema(), GOOD, notify_url=receiver.url, notify_on="always")
    assert "Authorization" not in receiver.headers[0]


def test_run_that_is_ended_by_force_does_not_wait_for_the_webhook(
    receiver: Receiver, tenant: Tenant
) -> None:
    target = tenant.target(notify_url=receiver.url)
    assert target.session.publish(RunEnd("interrupted", 143), notifies=False) == 143
    assert receiver.bodies == []
