"""A Redis server of the test's own: started and thrown away, on loopback, with a password."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PASSWORD = "s3cret-redis-password"
MISSING = "no redis-server here: apt-get install redis-server"


@dataclass(frozen=True)
class RedisServer:
    """A running server."""

    process: subprocess.Popen[bytes]
    port: int

    @property
    def url(self) -> str:
        return f"redis://:{PASSWORD}@127.0.0.1:{self.port}/0"

    def stop(self) -> None:
        self.process.terminate()
        self.process.communicate(timeout=60)


def is_installed() -> bool:
    return shutil.which("redis-server") is not None


@contextmanager
def running_redis(folder: Path) -> Iterator[RedisServer]:
    port = free_port()
    process = subprocess.Popen(
        [
            *("redis-server", "--bind", "127.0.0.1", "--port", str(port)),
            *("--requirepass", PASSWORD, "--save", "", "--appendonly", "no", "--dir", str(folder)),
        ],
        stdout=subprocess.PIPE,
    )
    server = RedisServer(process, port)
    try:
        _wait_until_ready(process)
        yield server
    finally:
        server.stop()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_until_ready(process: subprocess.Popen[bytes]) -> None:
    assert process.stdout is not None
    if not any(b"Ready to accept connections" in line for line in process.stdout):
        message = "redis-server ended before it was ready"
        raise RuntimeError(message)
