"""Unsent calls are distinguished from calls that may have had an effect, on real sockets."""

from __future__ import annotations

import shutil
import subprocess
import traceback
from pathlib import Path
from typing import Any

import pytest
from answering import MakeClient
from scripted_server import (
    ScriptedServer,
    Step,
    answer,
    break_compression,
    close_after_reading,
    close_unread,
    cut_short,
    hang,
    hang_in_the_middle,
    reset_after_reading,
    say_nonsense,
)

from target_gainsight.api import (
    AccessKey,
    AmbiguousResponseError,
    Call,
    GainsightClient,
    RetryCallError,
    UnavailableError,
    UnknownOutcomeError,
    UnreachableError,
)
from target_gainsight.api.auth import AuthHeader


def call(client: GainsightClient, *, repeatable: bool = False) -> Any:
    answered = client.send(Call("POST", "/v1/x", kind="x", json={"a": 1}, repeatable=repeatable))
    return answered.data


@pytest.mark.parametrize(
    ("fault", "timed_out"),
    [
        (reset_after_reading, False),
        (close_after_reading, False),
        (close_unread, False),
        (say_nonsense, False),
        (cut_short, False),
        (break_compression, False),
        (hang, True),
        (hang_in_the_middle, True),
    ],
)
def test_outcome_is_unknown_once_connected(
    make_client: MakeClient, fault: Step, timed_out: bool
) -> None:
    with ScriptedServer([fault, answer]) as server:
        timeout = 0.5 if timed_out else 60
        client = make_client(f"http://127.0.0.1:{server.port}", timeout=timeout)
        with pytest.raises(UnknownOutcomeError) as caught:
            call(client)
        assert isinstance(caught.value.cause, AmbiguousResponseError)
        assert caught.value.cause.timed_out is timed_out
        client.close()
    assert answer.__name__ not in server.done


@pytest.mark.parametrize("fault", [reset_after_reading, close_after_reading, close_unread])
def test_outcome_is_unknown_on_closed_kept_connection(make_client: MakeClient, fault: Step) -> None:
    with ScriptedServer([answer, fault, answer]) as server:
        client = make_client(f"http://127.0.0.1:{server.port}")
        assert call(client) == "done"
        with pytest.raises(UnknownOutcomeError) as caught:
            call(client)
        assert isinstance(caught.value.cause, AmbiguousResponseError)
        assert server.connections == 1
        client.close()


def test_repeatable_call_survives_every_fault(make_client: MakeClient) -> None:
    faults = [reset_after_reading, close_unread, cut_short, break_compression]
    with ScriptedServer([answer, *faults, answer]) as server:
        client = make_client(f"http://127.0.0.1:{server.port}")
        call(client)
        assert call(client, repeatable=True) == "done"
        client.close()


def test_repeatable_call_survives_a_timeout(make_client: MakeClient) -> None:
    with ScriptedServer([hang, answer]) as server:
        # Long enough for a busy machine to answer in time.
        client = make_client(f"http://127.0.0.1:{server.port}", timeout=3)
        assert call(client, repeatable=True) == "done"
        client.close()


def test_connections_are_kept(make_client: MakeClient) -> None:
    with ScriptedServer([answer] * 3) as server:
        client = make_client(f"http://127.0.0.1:{server.port}")
        for _ in range(3):
            call(client)
        assert server.connections == 1
        client.close()


@pytest.mark.parametrize(
    ("base_url", "reason"),
    [
        ("http://127.0.0.1:{port}", "Connection refused"),
        ("https://127.0.0.1:{port}", "Connection refused"),
        ("https://no-such-tenant.invalid", "no connection can be made"),
    ],
)
def test_unreachable_domain_stops_run_with_reason(
    make_client: MakeClient, closed_port: int, base_url: str, reason: str
) -> None:
    client = make_client(base_url.format(port=closed_port))
    with pytest.raises(UnreachableError, match=reason) as caught:
        call(client)
    assert type(caught.value.__cause__) is RetryCallError


def test_refusing_proxy_means_nothing_was_sent(
    make_client: MakeClient, closed_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://someone:passw0rd@127.0.0.1:{closed_port}")
    with pytest.raises(UnreachableError, match="no connection can be made") as caught:
        call(make_client("https://initech.example"))
    assert type(caught.value.__cause__) is RetryCallError
    assert "passw0rd" not in str(caught.value)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_loopback_address_bypasses_proxy(
    host: str, make_client: MakeClient, closed_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{closed_port}")
    with ScriptedServer([answer]) as server:
        assert call(make_client(f"http://{host}:{server.port}")) is not None


def test_tenant_that_goes_away_means_nothing_was_sent(make_client: MakeClient) -> None:
    with ScriptedServer([answer]) as server:
        client = make_client(f"http://127.0.0.1:{server.port}", max_retry_seconds=30)
        call(client)
        client.close()
    with pytest.raises(UnavailableError) as caught:
        call(client)
    assert type(caught.value.__cause__) is RetryCallError


def test_fault_is_classified_inside_except_block(make_client: MakeClient, closed_port: int) -> None:
    unreachable = make_client(f"http://127.0.0.1:{closed_port}")
    with ScriptedServer([reset_after_reading]) as server:
        client = make_client(f"http://127.0.0.1:{server.port}")
        try:
            call(unreachable)
        except UnreachableError:
            with pytest.raises(UnknownOutcomeError):
                call(client)
        client.close()


def test_tls_to_server_without_tls_is_explained(make_client: MakeClient) -> None:
    with ScriptedServer([close_unread] * 3) as server:
        client = make_client(f"https://127.0.0.1:{server.port}")
        with pytest.raises(UnreachableError, match="the connection broke"):
            call(client, repeatable=True)
        client.close()


@pytest.mark.skipif(not shutil.which("openssl"), reason="makes a certificate with openssl")
def test_untrusted_certificate_is_explained_and_nothing_is_sent(
    make_client: MakeClient, tmp_path: Path
) -> None:
    certificate = tmp_path / "certificate.pem"
    command = "openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=localhost -keyout -out"
    *command, out = command.split()
    subprocess.run(
        [*command, certificate, out, tmp_path / "public.pem"], check=True, capture_output=True
    )
    with certificate.open("a") as file:
        file.write((tmp_path / "public.pem").read_text())
    with ScriptedServer([answer], certificate) as server:
        client = make_client(f"https://localhost:{server.port}")
        with pytest.raises(UnreachableError, match="REQUESTS_CA_BUNDLE") as caught:
            call(client)
        client.close()
    assert type(caught.value.__cause__) is RetryCallError
    assert "self" in str(caught.value)
    assert server.done == []


def test_missing_ca_bundle_stops_run(
    make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/no/such/bundle.pem")
    with pytest.raises(UnreachableError, match=r"/no/such/bundle\.pem"):
        call(make_client("https://initech.example"))


class Careless(AccessKey):
    def current(self) -> AuthHeader:
        return AuthHeader("Authorization", "Bearer s3cret\r\nX-More: yes")


def test_invalid_header_is_not_shown() -> None:
    with ScriptedServer([answer]) as server:
        client = GainsightClient(f"http://127.0.0.1:{server.port}", Careless("k3y"))
        with pytest.raises(UnreachableError, match="cannot be sent") as caught:
            call(client)
        client.close()
    shown = "".join(traceback.format_exception(caught.value))
    assert "s3cret" not in shown
