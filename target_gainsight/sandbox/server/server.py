"""Serves an ASGI application on a loopback port from a thread of its own."""

import asyncio
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

LOOPBACK = "127.0.0.1"
_GRACE_SECONDS = 1.0
_ACCEPTING_ROUNDS = 10


class _Protocol(H11Protocol):
    """Gives responses access to their connection, so that they can reset it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - uvicorn's own
        super().__init__(*args, **kwargs)
        self.app_state = {**self.app_state, "connection": self}


class _Server(uvicorn.Server):
    """A server that starts and stops at once instead of polling a flag."""

    def __init__(self, config: uvicorn.Config, started: Callable[[], None]) -> None:
        super().__init__(config)
        self._announce = started
        self._stopping = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    async def main_loop(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._announce()
        await self._stopping.wait()

    def stop(self) -> None:
        if self._loop is not None:
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._stopping.set)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await self._stop_listening()
        for each in sockets or ():
            each.close()
        await self._end_calls()
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        await asyncio.sleep(0)

    async def _stop_listening(self) -> None:
        # asyncio leaks a connection that is being accepted, over some rounds of the loop, when its
        # server is closed: stop accepting first, then close.
        loop = asyncio.get_running_loop()
        for listener in (each for server in self.servers for each in server.sockets):
            with suppress(NotImplementedError):
                loop.remove_reader(listener.fileno())
        for _ in range(_ACCEPTING_ROUNDS):
            await asyncio.sleep(0)
        for server in self.servers:
            server.close()

    async def _end_calls(self) -> None:
        tasks = list(self.server_state.tasks)
        if not tasks:
            return
        _, late = await asyncio.wait(tasks, timeout=_GRACE_SECONDS)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)


class ServerThread:
    """A running server; it listens on `port`.

    Args:
        app: the application.
        port: 0 lets the system choose.

    Raises:
        OSError: The port is taken.
    """

    def __init__(self, app: ASGIApp, port: int) -> None:
        listener = _listener(port)
        self.port: int = listener.getsockname()[1]
        config = uvicorn.Config(
            app,
            http=_Protocol,
            ws="none",
            loop="asyncio",
            lifespan="off",
            log_config=None,
            log_level="critical",
            access_log=False,
            server_header=False,
            date_header=False,
        )
        ready = threading.Event()
        self._server = _Server(config, ready.set)
        self._thread = threading.Thread(
            target=self._server.run, args=([listener],), name="gainsight-sandbox", daemon=True
        )
        self._thread.start()
        ready.wait()

    def stop(self) -> None:
        """End the server; calls in progress get a second to finish."""
        self._server.stop()
        self._thread.join()


def _listener(port: int) -> socket.socket:
    # asyncio turns Nagle's algorithm off only if the protocol is given; with it on, every response
    # waits 40 ms for an acknowledgement.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((LOOPBACK, port))
        listener.listen(128)
    except BaseException:
        listener.close()
        raise
    return listener
