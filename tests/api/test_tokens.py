"""Which token a call shows: one for all threads, replaced in time and after a refusal."""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from fake_clock import FakeClock
from hypothesis import given
from hypothesis import strategies as st

from target_gainsight.api import ClientCredentials, UnavailableError
from target_gainsight.api.auth import oauth as tokens_module
from target_gainsight.api.auth.headers import AuthHeaders
from target_gainsight.api.auth.oauth import TokenProvider, parse_token

if TYPE_CHECKING:
    from target_gainsight.api.http.json_codec import Record

DAY = 86_400


class Office:
    """Grants tokens that live for so many seconds, and remembers how often it was asked."""

    def __init__(self, expires_in: Any = DAY) -> None:
        self.expires_in = expires_in
        self.asked = 0
        self.shown: list[AuthHeaders] = []

    def __call__(self, proof: AuthHeaders) -> Record:
        self.asked += 1
        self.shown.append(proof)
        return {"access_token": f"token-{self.asked}", "expires_in": self.expires_in}


def tokens(office: Any, clock: FakeClock) -> TokenProvider:
    return TokenProvider(ClientCredentials("initech", "s3cret"), office, clock)


def shown(proof: AuthHeaders) -> str:
    return proof.headers["Authorization"]


def test_a_token_is_asked_for_once_with_the_clients_secret(clock: FakeClock) -> None:
    office = Office()
    held = tokens(office, clock)
    assert [shown(held.current()) for _ in range(3)] == ["Bearer token-1"] * 3
    assert [shown(proof) for proof in office.shown] == ["Basic aW5pdGVjaDpzM2NyZXQ="]


@pytest.mark.parametrize(
    ("life", "margin"),
    [(DAY, 60), (600, 60), (599, 59.9), (60, 6), (1, 0.1), ("3600", 60), (3600.0, 60)],
)
def test_a_token_is_replaced_a_tenth_of_its_life_before_its_end_and_at_most_a_minute(
    clock: FakeClock, life: Any, margin: float
) -> None:
    office = Office(life)
    held = tokens(office, clock)
    held.current()
    clock.advance(float(life) - margin - 0.01)
    assert shown(held.current()) == "Bearer token-1"
    clock.advance(0.02)
    assert shown(held.current()) == "Bearer token-2"


NO_LIFE = [None, 0, -5, "soon", "", [], {}, True, float("nan"), float("inf"), "1" * 400, 10**400]


@pytest.mark.parametrize("expires_in", NO_LIFE)
def test_a_token_whose_life_is_not_told_is_used_until_it_is_refused(
    clock: FakeClock, expires_in: Any
) -> None:
    held = tokens(Office(expires_in), clock)
    proof = held.current()
    clock.advance(10 * DAY)
    assert held.current() is proof
    assert held.refused(proof)
    assert shown(held.current()) == "Bearer token-2"


def test_a_token_that_was_taken_and_is_refused_is_replaced(clock: FakeClock) -> None:
    office = Office()
    held = tokens(office, clock)
    for _ in range(20):
        proof = held.current()
        held.accepted(proof)
        assert held.refused(proof)
    assert office.asked == 20


def test_a_call_that_was_refused_with_an_older_token_just_takes_the_new_one(
    clock: FakeClock,
) -> None:
    office = Office()
    held = tokens(office, clock)
    old = held.current()
    assert held.refused(old)
    new = held.current()
    assert held.refused(old)
    assert held.refused(old)
    assert held.current() is new
    assert office.asked == 2


def test_a_second_refusal_with_a_fresh_token_is_the_last(clock: FakeClock) -> None:
    office = Office()
    held = tokens(office, clock)
    assert held.refused(held.current())
    fresh = held.current()
    assert not held.refused(fresh)
    assert not held.refused(fresh)
    assert office.asked == 2


def test_the_same_token_granted_again_counts_as_a_fresh_one(clock: FakeClock) -> None:
    held = tokens(lambda _: {"access_token": "same", "expires_in": DAY}, clock)
    assert held.refused(held.current())
    assert not held.refused(held.current())


def test_a_call_that_is_taken_with_the_fresh_token_makes_it_good(clock: FakeClock) -> None:
    held = tokens(Office(), clock)
    assert held.refused(held.current())
    held.accepted(held.current())
    assert held.refused(held.current())


def test_a_refusal_heard_before_the_call_that_was_taken_first_is_not_the_last_word(
    clock: FakeClock,
) -> None:
    """A token may serve few calls: the second is refused, and has_responded of before the first."""
    office = Office()
    held = tokens(office, clock)
    assert held.refused(held.current())
    taken, refused = held.current(), held.current()
    assert held.refused(refused)
    held.ended(refused)
    held.accepted(taken)
    held.ended(taken)
    held.accepted(held.current())
    assert office.asked == 3


def test_a_fresh_token_that_is_refused_to_all_calls_under_way_is_the_last(
    clock: FakeClock,
) -> None:
    office = Office()
    held = tokens(office, clock)
    assert held.refused(held.current())
    shown_to = [held.current() for _ in range(4)]
    may_go_on = []
    for proof in shown_to:
        may_go_on.append(held.refused(proof))
        held.current()
        held.ended(proof)
    assert may_go_on == [True, True, True, False]
    assert office.asked == 3


def test_a_call_that_ends_without_a_word_on_its_token_leaves_the_last_word_to_the_others(
    clock: FakeClock,
) -> None:
    held = tokens(Office(), clock)
    assert held.refused(held.current())
    lost, refused = held.current(), held.current()
    held.ended(lost)
    assert not held.refused(refused)


def test_an_answer_to_an_older_token_says_nothing_of_the_new_one(clock: FakeClock) -> None:
    held = tokens(Office(), clock)
    old = held.current()
    assert held.refused(old)
    fresh = held.current()
    held.accepted(old)
    assert not held.refused(fresh)


class BusyOffice(Office):
    """Grants, or fails, once so many others wait for what it says."""

    def __init__(self, others: int, failure: Exception | None = None) -> None:
        super().__init__()
        self.failure = failure
        self.others = others
        self._waiting = threading.Semaphore(0)

    def __call__(self, proof: AuthHeaders) -> Record:
        granted = super().__call__(proof)
        for _ in range(self.others):
            assert self._waiting.acquire(timeout=10)
        if self.failure:
            raise self.failure
        return granted

    def waited_for(self) -> type[Future[AuthHeaders]]:
        """A future that tells this office of everybody who waits for it."""
        waiting = self._waiting

        class Awaited(Future[AuthHeaders]):
            def result(self, timeout: float | None = None) -> AuthHeaders:
                waiting.release()
                return super().result(timeout)

        return Awaited


def ask_together(held: TokenProvider, threads: int) -> list[str]:
    """What threads get that want a token at the same time."""

    def want(_: int) -> str:
        try:
            return shown(held.current())
        except UnavailableError as error:
            return error.message

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(want, range(threads)))


def test_threads_that_want_a_token_at_once_share_one(
    clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = BusyOffice(7)
    monkeypatch.setattr(tokens_module, "Future", office.waited_for())
    assert ask_together(tokens(office, clock), 8) == ["Bearer token-1"] * 8
    assert office.asked == 1


def test_threads_that_wait_for_a_token_share_its_failure_and_the_next_asks_again(
    clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = BusyOffice(7, UnavailableError("nobody there", attempts=3, waited=1))
    monkeypatch.setattr(tokens_module, "Future", office.waited_for())
    held = tokens(office, clock)
    assert ask_together(held, 8) == ["nobody there"] * 8
    assert office.asked == 1
    office.failure, office.others = None, 0
    assert shown(held.current()) == "Bearer token-2"


@pytest.mark.parametrize("part", ["plain", "enveloped"])
def test_a_grant_is_found_with_an_envelope_and_without(part: str) -> None:
    grant = {"access_token": "t", "expires_in": 5}
    assert parse_token(grant if part == "plain" else {"result": True, "data": grant}) == grant


BROKEN = [None, "", " ", 5, ["t"], {"t": 1}, "two words", "line\nend", "t\r\nX-More: yes", "töken"]


@pytest.mark.parametrize("token", BROKEN)
def test_what_cannot_be_sent_as_a_token_is_none(token: Any) -> None:
    assert parse_token({"access_token": token}) is None
    assert parse_token({"data": {"access_token": token}}) is None


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_no_life_breaks_a_token(expires_in: Any) -> None:
    held = tokens(Office(expires_in), FakeClock())
    assert shown(held.current()) == "Bearer token-1"


@pytest.mark.parametrize(
    ("client_id", "client_secret"),
    [("", "s3cret"), ("id", ""), ("i d", "s3cret"), ("i:d", "s3cret"), ("id", "s3cr\nt")],
)
def test_credentials_that_cannot_be_sent_are_refused_unseen(
    client_id: str, client_secret: str
) -> None:
    with pytest.raises(ValueError, match="client_id or client_secret") as caught:
        ClientCredentials(client_id, client_secret)
    assert "s3cr" not in str(caught.value)


def test_nothing_prints_what_is_secret(clock: FakeClock) -> None:
    credentials = ClientCredentials("initech", "s3cret")
    held = tokens(Office(), clock)
    for value in (credentials, held, held.current(), vars(held)):
        assert "s3cret" not in repr(value)
        assert "token-1" not in repr(value)


def test_what_a_proof_hides_is_hidden_wherever_it_is_quoted(clock: FakeClock) -> None:
    office = Office()
    held = tokens(office, clock)
    assert held.current().redact("bad token-1, 'Bearer token-1'") == "bad ***, 'Bearer ***'"
    assert office.shown[0].redact("Basic aW5pdGVjaDpzM2NyZXQ= s3cret") == "Basic *** ***"
    assert held.current().redact(None) is None
