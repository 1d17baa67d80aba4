"""An embedded tenant whose calls wake those who wait for them, and wait for those who hold them."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from target_gainsight.sandbox import RunningSandbox, Tenant
from target_gainsight.sandbox.config.config import load_config
from target_gainsight.sandbox.server.app import make_app
from target_gainsight.sandbox.server.server import ServerThread

SECONDS = 60
"""Longer than anything takes: reached only by a test that fails."""


class Watch:
    """ASGI middleware between a tenant and its clients.

    Args:
        app: The tenant.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._held_path: str | None = None
        self._released = threading.Event()
        self._answered = threading.Condition()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_when_released(message: Any) -> None:
            if message["type"] == "http.response.start":
                self._announce()
                if scope["path"].lower() == self._held_path:
                    await asyncio.to_thread(self._released.wait)
            await send(message)

        try:
            await self._app(scope, receive, send_when_released)
        finally:
            self._announce()

    def until(self, happened: Callable[[], object]) -> None:
        """Wait for something in the tenant; only a call changes what is in it."""
        with self._answered:
            assert self._answered.wait_for(happened, SECONDS)

    def hold(self, path: str) -> None:
        """Carry out calls to this path, in small letters, and hold back their responses."""
        self._held_path = path

    def release(self) -> None:
        """Send the responses that are held back, and hold no more."""
        self._held_path = None
        self._released.set()

    def _announce(self) -> None:
        with self._answered:
            self._answered.notify_all()


@dataclass(frozen=True)
class WatchedSandbox(RunningSandbox):
    """A tenant that is being served and watched."""

    watch: Watch


@contextmanager
def watched_sandbox(
    path: Path, config: Mapping[str, Any], clock: Callable[[], float] = time.time
) -> Iterator[WatchedSandbox]:
    """Serve a tenant whose calls are watched."""
    described = load_config(config)
    tenant = Tenant(path, described, clock)
    watch = Watch(make_app(tenant))
    server = ServerThread(watch, 0)
    try:
        base_url = f"http://127.0.0.1:{server.port}"
        yield WatchedSandbox(base_url, described.access_key, tenant, server, watch)
    finally:
        watch.release()
        server.stop()
        tenant.close()
