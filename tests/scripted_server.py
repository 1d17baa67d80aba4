"""A server on the loopback that treats each request as the test scripts it, in order.

For what a mocked transport cannot show: what a broken connection looks like from the other end.
"""

from __future__ import annotations

import socket
import ssl
import struct
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import TypeAlias

from typing_extensions import Self

Step: TypeAlias = Callable[[socket.socket], bool]
"""Deals with one request; true keeps the connection open for the next."""

BODY = b'{"result": true, "requestId": "r", "data": "done"}'


def _head(status: str, length: int, *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {length}", *headers, "", ""]
    return "\r\n".join(lines).encode()


def _read_request(connection: socket.socket) -> bool:
    """Read a complete request; return False if the client has disconnected."""
    received = b""
    while b"\r\n\r\n" not in received:
        chunk = connection.recv(65536)
        if not chunk:
            return False
        received += chunk
    head, _, body = received.partition(b"\r\n\r\n")
    length = 0
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    while len(body) < length:
        body += connection.recv(65536)
    return True


def answer(connection: socket.socket) -> bool:
    """Answer well and keep the connection."""
    if _read_request(connection):
        connection.sendall(_head("200 OK", len(BODY)) + BODY)
        return True
    return False


def reset_after_reading(connection: socket.socket) -> bool:
    """Reset the connection instead of answering."""
    _read_request(connection)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return False


def close_after_reading(connection: socket.socket) -> bool:
    """Close the connection instead of answering."""
    _read_request(connection)
    return False


def close_unread(connection: socket.socket) -> bool:
    """Wait for the request's first byte and close without reading it."""
    connection.recv(1, socket.MSG_PEEK)
    return False


def cut_short(connection: socket.socket) -> bool:
    """Announce a complete response and send half of it."""
    _read_request(connection)
    connection.sendall(_head("200 OK", len(BODY)) + BODY[:10])
    return False


def break_compression(connection: socket.socket) -> bool:
    """Announce a compressed response and send an uncompressed one."""
    _read_request(connection)
    connection.sendall(_head("200 OK", len(BODY), "Content-Encoding: gzip") + BODY)
    return False


def say_nonsense(connection: socket.socket) -> bool:
    """Answer with something that is not HTTP."""
    _read_request(connection)
    connection.sendall(b"250 smtp.example at your service\r\n\r\n")
    return False


def hang(connection: socket.socket) -> bool:
    """Send no response: wait until the client disconnects."""
    _read_request(connection)
    connection.recv(1)
    return False


def hang_in_the_middle(connection: socket.socket) -> bool:
    """Send half of the response."""
    _read_request(connection)
    connection.sendall(_head("200 OK", len(BODY)) + BODY[:10])
    connection.recv(1)
    return False


class ScriptedServer:
    """Serves the steps one after the other, over as many connections as it takes."""

    def __init__(self, steps: Sequence[Step], certificate: Path | None = None) -> None:
        self._steps = list(steps)
        self._context = None
        if certificate:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.load_cert_chain(certificate)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.done: list[str] = []
        self.connections = 0
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._steps.clear()
        # A last connection lets the waiting thread see that there is nothing left to do.
        socket.create_connection(("127.0.0.1", self.port)).close()
        self._thread.join(timeout=60)
        self._listener.close()
        assert not self._thread.is_alive(), "a client has left its connection open"

    def _serve(self) -> None:
        while self._steps:
            connection, _ = self._listener.accept()
            with connection:
                if self._steps:
                    self.connections += 1
                    self._serve_connection(connection)

    def _serve_connection(self, connection: socket.socket) -> None:
        try:
            if self._context:
                connection = self._context.wrap_socket(connection, server_side=True)
            with connection:
                self._serve_steps(connection)
        except OSError:
            return  # the client has gone, as some tests want

    def _serve_steps(self, connection: socket.socket) -> None:
        stays = True
        while stays and self._steps:
            step = self._steps[0]
            stays = step(connection)
            if self._steps:
                self._steps.pop(0)
                self.done.append(step.__name__)
