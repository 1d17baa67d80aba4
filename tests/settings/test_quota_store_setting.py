"""The store of call counts: memory, a file or Redis, and no password in a message."""

from __future__ import annotations

from pathlib import Path

import pytest
from given import only_error, read

EXPECTED = (
    "memory, the path of a file on this machine, or redis://[user@]host[:port][/number] "
    "(rediss:// for TLS)"
)


def test_calls_are_counted_in_memory_when_nothing_is_said() -> None:
    assert read().limits.quota_store is None


@pytest.mark.parametrize("given", ["memory", " Memory "])
def test_memory_is_not_a_path(given: str) -> None:
    assert read(quota_store=given).limits.quota_store is None


@pytest.mark.parametrize("given", ["quota.db", "/var/lib/quota.db", "C:\\quota.db", "a b/memory"])
def test_path_is_a_file_store(given: str) -> None:
    assert read(quota_store=given).limits.quota_store == Path(given)


@pytest.mark.parametrize(
    "given",
    [
        "redis://quota.example.com",
        "redis://quota.example.com:6380/2",
        "redis://:s3cret@localhost",
        "rediss://target:s3cret@[::1]:6379/0?ssl_ca_certs=ca.pem",
    ],
)
def test_redis_url_is_accepted(given: str) -> None:
    limits = read(quota_store=given).limits
    assert limits.quota_store == given
    assert "redis" not in repr(limits)


@pytest.mark.parametrize(
    "given",
    [
        "postgres://me:s3cret@host/db",
        "sqlite:///quota.db",
        "http://host",
        "redis+unix://s3cret@x",
        "a\0b",
        "redis:host",
        "redis://",
        "redis://:s3cret@",
        "redis://:s3/cret@host",
        "redis://:s3cret@host:port",
        "redis://:s3cret@host:0",
        "redis://:s3cret@host/first",
        "redis://:s3#cret@host",
        "redis://[s3cret",
    ],
)
def test_invalid_store_is_refused_and_hidden(given: str) -> None:
    error = only_error(quota_store=given)
    assert error == f"quota_store: got a hidden value, expected {EXPECTED}."


def test_misplaced_url_is_hidden() -> None:
    assert only_error(quota_store=["redis://:s3cret@host"]).startswith(
        "quota_store: got a hidden value"
    )


@pytest.mark.parametrize(
    ("store", "url"),
    [
        ("redis://quota.example.com", "redis://:p%40ss%2F@quota.example.com"),
        (
            "rediss://me@[::1]:6380/2?ssl_ca_certs=a",
            "rediss://me:p%40ss%2F@[::1]:6380/2?ssl_ca_certs=a",
        ),
    ],
)
def test_redis_password_is_a_separate_setting(store: str, url: str) -> None:
    limits = read(quota_store=store, quota_store_password="p@ss/").limits
    assert limits.quota_store == url
    assert "p@ss" not in repr(limits)


@pytest.mark.parametrize("store", ["memory", "quota.db"])
def test_password_without_redis_is_refused_and_hidden(store: str) -> None:
    error = only_error(quota_store=store, quota_store_password="s3cret")
    assert error.startswith("quota_store_password requires the URL of a Redis in quota_store.")
    assert "s3cret" not in error


def test_password_adds_no_error_to_that_of_a_wrong_store() -> None:
    error = only_error(quota_store="mysql://host", quota_store_password="s3cret")
    assert error.startswith("quota_store: got ")


def test_separate_password_wins_over_the_one_in_the_url() -> None:
    limits = read(quota_store="redis://:one@host", quota_store_password="two").limits
    assert limits.quota_store == "redis://:two@host"
