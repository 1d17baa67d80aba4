"""A PostgreSQL cluster of the test's own: made, started and thrown away, on loopback."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HOST = "127.0.0.1"
DEBIAN_ACCOUNT = "postgres"


@dataclass(frozen=True)
class Cluster:
    """A running server that trusts local clients."""

    programs: Path
    port: int
    user: str = "northwind"

    def psql(self, *arguments: str) -> None:
        subprocess.run(
            [
                *(self.programs / "psql", "--no-psqlrc", "--quiet", "--set", "ON_ERROR_STOP=1"),
                *("--host", HOST, "--port", str(self.port), "--username", self.user),
                *arguments,
            ],
            check=True,
            capture_output=True,
        )

    def tap(self, database: str, schema: str, **more: Any) -> dict[str, Any]:
        """The plugin definition of a tap that reads a schema.

        Args:
            database: The database.
            schema: The schema.
            more: What else belongs into the definition: `select`, `metadata`.
        """
        return {
            "name": "tap-postgres",
            "namespace": "tap_postgres",
            "pip_url": "meltanolabs-tap-postgres==0.10.0",
            "executable": "tap-postgres",
            "capabilities": ["catalog", "discover", "state"],
            "settings": [
                {"name": "port", "kind": "integer"},
                {"name": "filter_schemas", "kind": "array"},
            ],
            "config": {
                "host": HOST,
                "port": self.port,
                "user": self.user,
                "password": "trusted",
                "database": database,
                "filter_schemas": [schema],
            },
            **more,
        }


def find_programs() -> Path | None:
    """Find the folder of initdb and pg_ctl: Debian keeps them off the PATH."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: p.parent.name)
    on_path = shutil.which("initdb")
    folders = [*reversed(debian), *([Path(on_path).resolve().parent] if on_path else [])]
    return next((f for f in folders if (f / "initdb").exists()), None)


@contextmanager
def running_cluster(programs: Path) -> Iterator[Cluster]:
    folder = Path(tempfile.mkdtemp(prefix="northwind-"))
    cluster = Cluster(programs, _free_port())
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, DEBIAN_ACCOUNT, DEBIAN_ACCOUNT)
        data = folder / "data"
        _as_server(
            *(programs / "initdb", "--pgdata", data, "--auth", "trust", "--no-sync"),
            *("--username", cluster.user, "--encoding", "UTF8", "--locale", "C.UTF-8"),
        )
        options = f"-c listen_addresses={HOST} -p {cluster.port} -k {folder} -c fsync=off"
        log = folder / "log"
        _as_server(programs / "pg_ctl", "--pgdata", data, "-o", options, "-l", log, "-w", "start")
        try:
            yield cluster
        finally:
            _as_server(programs / "pg_ctl", "--pgdata", data, "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _as_server(*command: str | Path) -> None:
    """Run as the account Debian made for the server: PostgreSQL refuses to be run by root."""
    prefix = ["runuser", "-u", DEBIAN_ACCOUNT, "--"] if os.geteuid() == 0 else []
    subprocess.run([*prefix, *command], check=True, cwd="/", stdout=subprocess.DEVNULL)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port
