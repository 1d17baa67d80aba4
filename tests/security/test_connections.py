"""Connections: certificates of the tenant, callers of the sandbox."""

from __future__ import annotations

import shutil
import socket
import subprocess
from pathlib import Path

import pytest
from scripted_server import ScriptedServer, hang
from singer_messages import record, schema, state
from singer_runs import Tenant, errors_in, run_command

_KEY = "k3y-for-nobody"


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    if not shutil.which("openssl"):
        pytest.skip("makes a certificate with openssl")
    path = tmp_path / "certificate.pem"
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1 -addext"
    subprocess.run(
        [*command.split(), "subjectAltName=IP:127.0.0.1", "-keyout", path, "-out", path],
        check=True,
        capture_output=True,
    )
    return path


def _run_against(server: ScriptedServer, folder: Path, **environment: str) -> tuple[int, str, str]:
    settings = {
        "base_url": f"https://127.0.0.1:{server.port}",
        "access_key": _KEY,
        "object_type": "company",
    }
    messages = [schema(), record(Name="A"), state(at=1)]
    run = run_command(folder=folder, messages=messages, settings=settings, **environment)
    assert "Traceback" not in run.stderr
    return run.returncode, run.stdout, errors_in(run.stderr)[-1]


def test_untrusted_certificate_ends_run_with_advice(tmp_path: Path, certificate: Path) -> None:
    with ScriptedServer([hang] * 9, certificate) as server:
        code, output, error = _run_against(server, tmp_path)
        assert server.done == []
    assert (code, output) == (1, "")
    assert "CERTIFICATE_VERIFY_FAILED" in error
    assert "self-signed certificate" in error.replace("self signed", "self-signed")
    assert "REQUESTS_CA_BUNDLE" in error


def test_trusted_certificate_of_other_host_ends_run(tmp_path: Path, certificate: Path) -> None:
    with ScriptedServer([hang] * 9, certificate) as server:
        settings = {
            "base_url": f"https://localhost:{server.port}",
            "access_key": _KEY,
            "object_type": "company",
        }
        run = run_command(
            folder=tmp_path,
            messages=[schema()],
            settings=settings,
            REQUESTS_CA_BUNDLE=str(certificate),
        )
        assert server.done == []
    assert run.returncode == 1
    assert "CERTIFICATE_VERIFY_FAILED" in errors_in(run.stderr)[-1]


def _own_address() -> str | None:
    """An address of this machine that others reach; nothing is sent to find it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return None
        address = str(probe.getsockname()[0])
    return None if address.startswith(("127.", "0.")) else address


def test_sandbox_is_unreachable_from_other_machines(tenant: Tenant) -> None:
    port = int(tenant.sandbox.base_url.rpartition(":")[2])
    socket.create_connection(("127.0.0.1", port), timeout=60).close()
    address = _own_address()
    if address is None:
        pytest.skip("this machine has no address but loopback")
    with pytest.raises(OSError, match="refused"):
        socket.create_connection((address, port), timeout=60)


def test_sandbox_file_is_private(tenant: Tenant) -> None:
    tenant.load(schema(), record(Name="A"))
    files = list(tenant.folder.glob("tenant.db*"))
    assert len(files) == 3
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
