"""A client of a tenant whose responses each test defines."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis
import redis_server
from answering import KEY, PLENTY, TENANT, MakeClient, success
from fake_clock import FakeClock
from redis_server import RedisServer

from target_gainsight.api import (
    AccessKey,
    Call,
    CallEvent,
    GainsightClient,
    RateLimiter,
)


@pytest.fixture
def events() -> list[CallEvent]:
    """The events that the observer got."""
    return []


@pytest.fixture
def make_client(clock: FakeClock, events: list[CallEvent]) -> Iterator[MakeClient]:
    made: list[GainsightClient] = []

    def make(base_url: str = TENANT, **options: Any) -> GainsightClient:
        options.setdefault("clock", clock)
        options.setdefault("rate_limiter", RateLimiter({"synchronous": PLENTY}, clock=clock))
        options.setdefault("authentication", AccessKey(KEY))
        options.setdefault("observer", events.append)
        client = GainsightClient(base_url, **options)
        made.append(client)
        return client

    yield make
    for client in made:
        client.close()


@pytest.fixture
def client(make_client: MakeClient) -> GainsightClient:
    """A client that has had no response yet."""
    return make_client()


@pytest.fixture
def acquainted(make_client: MakeClient, requests_mock: Any) -> GainsightClient:
    """A client that has had a response."""
    client = make_client(max_retry_seconds=100)
    requests_mock.get(f"{TENANT}/hello", json=success())
    client.send(Call("GET", "/hello", kind="hello"))
    return client


@pytest.fixture(scope="session")
def _redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    if not redis_server.is_installed():
        pytest.skip(redis_server.MISSING)
    with redis_server.running_redis(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def redis_here(_redis: RedisServer) -> RedisServer:
    """A Redis with nothing in it."""
    with redis.Redis.from_url(_redis.url) as client:
        client.flushall()
    return _redis


@pytest.fixture
def warnings(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    """The warnings so far."""
    caplog.set_level(logging.DEBUG)
    return lambda: [
        record.getMessage() for record in caplog.records if record.levelno == logging.WARNING
    ]


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port that refuses connections; it is bound, so that nobody else can open it."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]
