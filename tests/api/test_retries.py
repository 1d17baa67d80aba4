"""Calls are retried only if they may succeed, and an insert is never sent twice."""

from __future__ import annotations

from collections.abc import Callable
from queue import SimpleQueue
from threading import Thread
from typing import Any

import pytest
import requests
from answering import TENANT, MakeClient, failure, success
from fake_clock import NOON, FakeClock

from target_gainsight.api import (
    AmbiguousResponseError,
    Call,
    CallEvent,
    Clock,
    GainsightClient,
    GainsightError,
    QuotaExceededError,
    RateLimiter,
    RateLimits,
    RetryCallError,
    StoppedError,
    UnavailableError,
    UnknownOutcomeError,
    UnreachableError,
)

URL = f"{TENANT}/v1/thing"
OK = {"json": success("done")}
REFUSED_CONNECTION = {"exc": requests.ConnectTimeout()}
RESET = {"exc": requests.ConnectionError(ConnectionResetError("reset by peer"))}
TIMEOUT = {"exc": requests.ReadTimeout()}
CUT_SHORT = {"exc": requests.exceptions.ChunkedEncodingError()}
MISFORMED = [
    {"text": "<html>a page</html>"},
    {"text": ""},
    {"text": '{"result": true, "data'},
    {"text": "[]"},
    {"text": "{}"},
]


def get(client: GainsightClient, **options: Any) -> Any:
    return client.send(Call("GET", "/v1/thing", kind="thing", **options)).data


@pytest.fixture(autouse=True)
def no_jitter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backoff.full_jitter", lambda value: value)


@pytest.mark.parametrize(
    "fault",
    [
        {"status_code": 500, "json": failure("GU_1101")},
        {"status_code": 200, "json": failure("GU_1101")},
        {"status_code": 502, "text": "<html>Bad gateway</html>"},
        {"status_code": 503},
        REFUSED_CONNECTION,
        RESET,
        TIMEOUT,
        CUT_SHORT,
        *MISFORMED,
    ],
)
def test_passing_fault_is_retried(
    acquainted: GainsightClient, requests_mock: Any, clock: FakeClock, fault: Any
) -> None:
    requests_mock.get(URL, [fault, fault, OK])
    assert get(acquainted) == "done"
    assert clock.waits == [0.5, 1.0]


def test_waits_double_up_to_max_wait(
    client: GainsightClient, requests_mock: Any, clock: FakeClock
) -> None:
    requests_mock.get(URL, [{"status_code": 500}] * 9 + [OK])
    get(client)
    assert clock.waits == [0.5, 1, 2, 4, 8, 16, 32, 60, 60]


def test_retrying_goes_on_for_days(
    make_client: MakeClient, requests_mock: Any, clock: FakeClock
) -> None:
    requests_mock.get(URL, [{"status_code": 500}] * 1100 + [OK])
    assert get(make_client(max_retry_seconds=100_000)) == "done"
    assert clock.waits[-1] == 60


def test_waits_have_full_jitter(
    acquainted: GainsightClient,
    requests_mock: Any,
    clock: FakeClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("backoff.full_jitter", lambda value: value / 10)
    requests_mock.get(URL, [{"status_code": 500}] * 2 + [OK])
    get(acquainted)
    assert clock.waits == [0.05, 0.1]


def test_retry_is_logged_with_wait_and_reason(
    acquainted: GainsightClient, requests_mock: Any, warnings: Callable[[], list[str]]
) -> None:
    requests_mock.get(URL, [{"status_code": 503, "json": failure(None, "Maintenance")}, OK])
    get(acquainted)
    assert warnings() == [
        (
            "Gainsight failed (GET /v1/thing, HTTP 503, Maintenance, request id request-2): "
            "trying again in 0.5 s"
        )
    ]


def test_attempts_and_waits_end_after_max_seconds(
    acquainted: GainsightClient, requests_mock: Any, clock: FakeClock
) -> None:
    def slow_failure(_request: Any, context: Any) -> Any:
        clock.advance(20)
        context.status_code = 500
        return failure("GU_1101", "Internal error")

    failing = requests_mock.get(URL, json=slow_failure)
    with pytest.raises(UnavailableError, match="did not serve this call in 5 tries") as caught:
        get(acquainted)
    error = caught.value
    assert clock.now() - NOON == pytest.approx(107.5)
    assert failing.call_count == 5
    assert (error.status, error.code) == (500, "GU_1101")
    assert isinstance(error.__cause__, AmbiguousResponseError)


def test_last_wait_is_cut_to_remaining_time(
    make_client: MakeClient, requests_mock: Any, clock: FakeClock
) -> None:
    requests_mock.get(URL, status_code=500)
    with pytest.raises(UnavailableError):
        get(make_client(max_retry_seconds=2))
    assert clock.waits == [0.5, 1, 0.5]


def test_retry_after_lengthens_wait(
    acquainted: GainsightClient, requests_mock: Any, clock: FakeClock
) -> None:
    requests_mock.get(URL, [{"status_code": 503, "headers": {"Retry-After": "30"}}, OK])
    get(acquainted)
    assert clock.waits == [30]


def test_retry_after_beyond_max_seconds_ends_retries(
    acquainted: GainsightClient, requests_mock: Any, clock: FakeClock
) -> None:
    requests_mock.get(URL, status_code=503, headers={"Retry-After": "101"})
    with pytest.raises(UnavailableError):
        get(acquainted)
    assert clock.waits == []


@pytest.mark.parametrize(
    "throttle",
    [
        {"status_code": 429, "json": failure("GU_2400", "Too many request")},
        {"status_code": 429, "text": "slow down"},
        {"status_code": 200, "json": failure("GU_2400")},
        {"status_code": 400, "json": failure("GS_APIG_2404")},
        {"status_code": 401, "json": failure("GU_2400")},
        {"status_code": 403, "json": failure("GS_APIG_2404")},
        {"status_code": 503, "json": failure("GS_APIG_2404")},
    ],
)
@pytest.mark.parametrize("repeatable", [True, False])
def test_throttled_call_waits_for_next_window_for_any_status(
    client: GainsightClient, requests_mock: Any, clock: FakeClock, throttle: Any, repeatable: bool
) -> None:
    clock.advance(15)
    requests_mock.get(URL, [throttle, OK])
    assert get(client, repeatable=repeatable) == "done"
    assert clock.waits == [pytest.approx(46)]


def test_waits_for_permits_do_not_count_as_retry_time(
    acquainted: GainsightClient, requests_mock: Any, clock: FakeClock
) -> None:
    requests_mock.get(URL, [{"status_code": 429}] * 20 + [{"status_code": 500}] * 3 + [OK])
    assert get(acquainted) == "done"
    assert clock.now() - NOON > 20 * 60


@pytest.mark.parametrize(
    ("retry_after", "waited"),
    [
        ("7", 7),
        ("Thu, 01 Jan 2026 09:00:09 GMT", 9),
        ("Thu, 01 Jan 2026 08:00:00 GMT", 1),
        ("soon", 61),
        ("inf", 61),
    ],
)
def test_throttled_call_waits_for_retry_after_in_seconds_or_as_date(
    client: GainsightClient, requests_mock: Any, clock: FakeClock, retry_after: str, waited: float
) -> None:
    headers = {"Date": "Thu, 01 Jan 2026 09:00:00 GMT", "Retry-After": retry_after}
    requests_mock.get(URL, [{"status_code": 429, "headers": headers}, OK])
    get(client)
    assert clock.waits == [pytest.approx(waited)]


def test_used_up_daily_quota_stops_run(
    make_client: MakeClient, requests_mock: Any, clock: FakeClock
) -> None:
    requests_mock.get(URL, **OK)
    client = make_client(
        rate_limiter=RateLimiter(
            {"synchronous": RateLimits(per_day=1, quota_percent=100)}, clock=clock
        )
    )
    get(client)
    with pytest.raises(QuotaExceededError):
        get(client)
    assert requests_mock.call_count == 1


def test_client_keeps_documented_limits_by_default(
    make_client: MakeClient, requests_mock: Any, clock: FakeClock
) -> None:
    requests_mock.get(URL, **OK)
    client = make_client(rate_limiter=None)
    for _ in range(91):
        get(client)
    assert clock.now() - NOON == pytest.approx(60, abs=0.1)


@pytest.mark.parametrize("fault", [REFUSED_CONNECTION, RESET])
def test_unreachable_after_three_attempts_before_first_response(
    client: GainsightClient, requests_mock: Any, fault: Any
) -> None:
    requests_mock.get(URL, **fault)
    with pytest.raises(UnreachableError, match=r"initech.gainsightcloud.com is not reachable: "):
        get(client)
    assert requests_mock.call_count == 3


def test_unreachable_after_twenty_seconds_before_first_response(
    client: GainsightClient, requests_mock: Any, clock: FakeClock
) -> None:
    def hang(request: Any, _context: Any) -> Any:
        connect, read = request.timeout
        assert connect <= 20 / 3
        clock.advance(read)
        raise requests.ReadTimeout

    requests_mock.get(URL, json=hang)
    with pytest.raises(UnreachableError, match="no response came in time"):
        get(client)
    assert clock.now() - NOON == 20


@pytest.mark.parametrize("answer", [{"status_code": 502}, {"status_code": 429}, {"json": {}}])
def test_any_response_counts_as_first_response(
    client: GainsightClient, requests_mock: Any, answer: Any
) -> None:
    requests_mock.get(URL, [answer] + [RESET] * 5 + [OK])
    assert get(client) == "done"


def test_full_timeout_applies_after_first_response(
    make_client: MakeClient, requests_mock: Any
) -> None:
    client = make_client(timeout=45)
    requests_mock.get(URL, **OK)
    get(client)
    get(client)
    assert [request.timeout for request in requests_mock.request_history] == [
        (pytest.approx(6.67, abs=0.01), 20),
        (45, 45),
    ]


def test_unrepeatable_first_call_has_full_response_timeout(
    make_client: MakeClient, requests_mock: Any
) -> None:
    requests_mock.get(URL, **OK)
    get(make_client(timeout=45), repeatable=False)
    assert requests_mock.last_request.timeout[1] == 45


@pytest.mark.parametrize(
    ("fault", "timed_out"),
    [
        (RESET, False),
        (TIMEOUT, True),
        (CUT_SHORT, False),
        ({"status_code": 500, "json": failure("GU_1101")}, False),
        ({"status_code": 502, "text": "<html>"}, False),
        *[(misformed, False) for misformed in MISFORMED],
    ],
)
def test_unrepeatable_call_has_unknown_outcome_after_sending(
    acquainted: GainsightClient,
    requests_mock: Any,
    clock: FakeClock,
    fault: Any,
    timed_out: bool,
) -> None:
    sent = requests_mock.get(URL, [fault, OK])
    clock.advance(5)
    with pytest.raises(UnknownOutcomeError, match="may have been committed") as caught:
        get(acquainted, repeatable=False)
    error = caught.value
    assert sent.call_count == 1
    assert clock.waits == []
    assert error.sent_at == NOON + 5
    assert isinstance(error.cause, AmbiguousResponseError)
    assert error.cause.timed_out is timed_out
    assert error.path == "/v1/thing"


def test_sent_at_is_on_tenant_clock(client: GainsightClient, requests_mock: Any) -> None:
    requests_mock.get(URL, status_code=500, headers={"Date": "Thu, 01 Jan 2026 12:03:20 GMT"})
    with pytest.raises(UnknownOutcomeError) as caught:
        get(client, repeatable=False)
    assert caught.value.sent_at == NOON + 200


def test_failed_connection_is_retried_even_if_unrepeatable(
    acquainted: GainsightClient, requests_mock: Any
) -> None:
    requests_mock.get(URL, [REFUSED_CONNECTION] * 5 + [OK])
    assert get(acquainted, repeatable=False) == "done"


def test_unsent_call_ends_as_unavailable(acquainted: GainsightClient, requests_mock: Any) -> None:
    requests_mock.get(URL, **REFUSED_CONNECTION)
    with pytest.raises(UnavailableError) as caught:
        get(acquainted, repeatable=False)
    assert type(caught.value.__cause__) is RetryCallError


def test_unexpected_response_shape_is_malformed(
    acquainted: GainsightClient, requests_mock: Any
) -> None:
    requests_mock.get(URL, [{"json": success([])}, OK])
    assert get(acquainted, expects=lambda data: isinstance(data, str)) == "done"
    requests_mock.get(URL, json=success([]))
    with pytest.raises(UnknownOutcomeError) as caught:
        get(acquainted, repeatable=False, expects=lambda data: isinstance(data, str))
    assert caught.value.request_id == "request-1"


def test_stop_ends_wait_for_retry(make_client: MakeClient, requests_mock: Any) -> None:
    events = SimpleQueue[CallEvent]()
    client = make_client(
        clock=Clock(),
        rate_limiter=RateLimiter(),
        observer=events.put,
    )
    requests_mock.get(URL, status_code=500, headers={"Retry-After": "600"})
    raised: list[Exception] = []

    def call() -> None:
        try:
            get(client)
        except GainsightError as error:
            raised.append(error)

    waiting = Thread(target=call)
    waiting.start()
    events.get(timeout=60)
    client.stop()
    waiting.join(timeout=60)
    assert [type(error) for error in raised] == [StoppedError]
    with pytest.raises(StoppedError):
        get(client)
    assert events.empty()
