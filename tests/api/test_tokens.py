"""One token for all threads, replaced before it expires and after a 401."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest
from fake_clock import FakeClock
from hypothesis import given
from hypothesis import strategies as st

from target_gainsight.api import Call, ClientCredentials, UnavailableError
from target_gainsight.api.auth import AuthHeader, Tokens, parse_token

DAY = 86_400


class Issuer:
    """Grants tokens with a lifetime in seconds, and keeps the headers of the requests."""

    def __init__(self, expires_in: Any = DAY) -> None:
        self.expires_in = expires_in
        self.failure: Exception | None = None
        self.requests: list[AuthHeader] = []

    def __call__(self, call: Call, headers: AuthHeader) -> Any:
        self.requests.append(headers)
        if self.failure:
            raise self.failure
        token = f"token-{len(self.requests)}"
        return SimpleNamespace(body={"access_token": token, "expires_in": self.expires_in})


def provider_of(issuer: Any, clock: FakeClock) -> Tokens:
    return Tokens(ClientCredentials("initech", "s3cret"), issuer, clock)


def shown(headers: AuthHeader) -> str:
    return headers.value


@pytest.mark.parametrize(
    ("lifetime", "margin"),
    [(DAY, 60), (600, 60), (599, 59.9), (60, 6), (1, 0.1), ("3600", 60), (3600.0, 60)],
)
def test_token_is_replaced_shortly_before_it_expires(
    clock: FakeClock, lifetime: Any, margin: float
) -> None:
    provider = provider_of(Issuer(lifetime), clock)
    provider.current()
    clock.advance(float(lifetime) - margin - 0.01)
    assert shown(provider.current()) == "Bearer token-1"
    clock.advance(0.02)
    assert shown(provider.current()) == "Bearer token-2"


NO_LIFETIME = [None, 0, -5, "soon", "", [], {}, True, float("nan"), float("inf"), "1" * 400]


@pytest.mark.parametrize("expires_in", [*NO_LIFETIME, 10**400], ids=lambda each: str(each)[:9])
def test_token_without_a_lifetime_is_used_until_it_is_refused(
    clock: FakeClock, expires_in: Any
) -> None:
    provider = provider_of(Issuer(expires_in), clock)
    token = provider.current()
    clock.advance(10 * DAY)
    assert provider.current() is token
    provider.drop(token)
    assert shown(provider.current()) == "Bearer token-2"


def test_call_refused_with_an_older_token_uses_the_new_one(clock: FakeClock) -> None:
    issuer = Issuer()
    provider = provider_of(issuer, clock)
    old = provider.current()
    provider.drop(old)
    new = provider.current()
    provider.drop(old)
    assert provider.current() is new
    assert len(issuer.requests) == 2


def test_threads_that_need_a_token_at_once_share_one(clock: FakeClock) -> None:
    issuer = Issuer()
    provider = provider_of(issuer, clock)
    with ThreadPoolExecutor(8) as pool:
        tokens = set(pool.map(lambda _: shown(provider.current()), range(64)))
    assert tokens == {"Bearer token-1"}
    assert len(issuer.requests) == 1


def test_token_is_requested_again_after_a_failure(clock: FakeClock) -> None:
    issuer = Issuer()
    issuer.failure = UnavailableError("nobody there")
    provider = provider_of(issuer, clock)
    for _ in range(2):
        with pytest.raises(UnavailableError, match="nobody there"):
            provider.current()
    issuer.failure = None
    assert shown(provider.current()) == "Bearer token-3"


@pytest.mark.parametrize("in_envelope", [False, True])
def test_token_is_found_with_and_without_an_envelope(in_envelope: bool) -> None:
    grant = {"access_token": "t", "expires_in": 5}
    body = {"result": True, "data": grant} if in_envelope else grant
    assert parse_token(body) == ("t", 5)


BROKEN = [None, "", " ", 5, ["t"], {"t": 1}, "two words", "line\nend", "t\r\nX-More: yes", "töken"]


@pytest.mark.parametrize("token", BROKEN)
def test_token_that_no_header_can_carry_is_not_accepted(token: Any) -> None:
    for body in ({"access_token": token}, {"data": {"access_token": token}}):
        assert parse_token(body) is None


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_any_lifetime_is_tolerated(expires_in: Any) -> None:
    assert shown(provider_of(Issuer(expires_in), FakeClock()).current()) == "Bearer token-1"


@pytest.mark.parametrize(
    ("client_id", "client_secret"),
    [("", "s3cret"), ("id", ""), ("i d", "s3cret"), ("i:d", "s3cret"), ("id", "s3cr\nt")],
)
def test_unsendable_credentials_are_refused_and_hidden(client_id: str, client_secret: str) -> None:
    with pytest.raises(ValueError, match="client_id or client_secret") as caught:
        ClientCredentials(client_id, client_secret)
    assert "s3cr" not in str(caught.value)


def test_secrets_are_in_no_repr(clock: FakeClock) -> None:
    credentials = ClientCredentials("initech", "s3cret")
    provider = provider_of(Issuer(), clock)
    for value in (credentials, provider, provider.current(), vars(provider)):
        assert "s3cret" not in repr(value)
        assert "token-1" not in repr(value)


def test_quoted_secrets_are_redacted(clock: FakeClock) -> None:
    issuer = Issuer()
    bearer = provider_of(issuer, clock).current()
    assert bearer.redact("bad token-1, 'Bearer token-1'") == "bad ***, 'Bearer ***'"
    assert issuer.requests[0].redact("bad: Basic aW5pdGVjaDpzM2NyZXQ=") == "bad: Basic ***"
    assert bearer.redact(None) is None
