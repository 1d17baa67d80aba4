"""Questions about the host, the credential and the limits that responses name."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

from target_gainsight.api import CallEvent
from target_gainsight.api.http.call import TOKEN_CALL
from target_gainsight.probe.observations import Observation, Topic
from target_gainsight.probe.reading.facts import TenantFacts

CREDENTIAL = Topic("credential", "the tenant accepts the credential")
HOST = Topic("host", "one host serves every API")
LIMIT_HEADERS = Topic("limit_headers", "no header has the number of calls left")
TOKEN_REQUEST = Topic("token_request", "a token is requested with a form", "any")
TOKEN_SECONDS = Topic("token_seconds", "a token lives for a day", 86_400.0)
TOKEN_IN_ENVELOPE = Topic("token_in_envelope", "a token comes without the envelope", False)
TOKEN_CALLS = Topic("token_calls", "a token has no limit of calls", 0)
TOKENS = (TOKEN_REQUEST, TOKEN_SECONDS, TOKEN_IN_ENVELOPE, TOKEN_CALLS)

_LIMIT_HEADER = re.compile(r"retry-after|(x-)?.*(rate-?limit|quota|throttl|remaining)[\w-]*")
_KNOWN_NAME = re.compile(
    r"(x-)?(gs-)?(rate-?limit|quota|retry-after)(-(limit|remaining|reset|policy|used|minute|day))*"
)
"""Names of headers that are shown; others may hold a company's name."""
_REGION_HOST = re.compile(r"(sb-)?[^.]+(\.[^.]+)?\.gainsightcloud\.com")
_UNAUTHORIZED = 401


def find_credential(facts: TenantFacts) -> Iterator[Observation]:
    """Settle whether any call is accepted.

    Raises:
        GainsightError: None is.
    """
    error = facts.listed.error
    if error is not None and not facts.company_rows.were_read:
        raise error
    yield CREDENTIAL.settled("it does", "nothing to do", "as assumed")


def find_host(base_url: str, events: Sequence[CallEvent]) -> Iterator[Observation]:
    """Settle what kind of host the tenant has, and whether it redirects any call."""
    kind = _kind_of_host(urlsplit(base_url).hostname or "")
    moved = {event.kind for event in events if event.status and 300 <= event.status < 400}  # noqa: PLR2004
    if moved:
        observed = f"{kind}; it redirects calls ({', '.join(sorted(moved))})"
        consequence = "these calls fail, because credentials are never sent to another host"
        yield HOST.settled(observed, consequence, "not handled")
    else:
        yield HOST.settled(kind, "all calls go to it", "as assumed")


def _kind_of_host(host: str) -> str:
    if not host:
        return "the embedded sandbox"
    if host == "localhost" or host.replace(".", "").isdigit() or ":" in host:
        return "an IP address or localhost"
    found = _REGION_HOST.fullmatch(host.lower())
    if found is None:
        return "a custom domain"
    with_region = "with" if found[2] else "without"
    what = "a Gainsight sandbox" if found[1] else "a host"
    return f"{what} under gainsightcloud.com, {with_region} a region"


def find_limit_headers(facts: TenantFacts) -> Iterator[Observation]:
    """Settle which headers of responses name a limit; their numbers are no secret."""
    found = {k: v for k, v in facts.session.headers.items() if _LIMIT_HEADER.fullmatch(k)}
    if not found:
        yield LIMIT_HEADERS.settled("none", "limits are settings", "as assumed")
        return
    shown = {
        name if _KNOWN_NAME.fullmatch(name) else "one of another name": value
        for name, value in found.items()
    }
    numbers = (f"{k}: {v}" if v.isdecimal() else k for k, v in sorted(shown.items()))
    consequence = (
        "compare calls_per_minute and calls_per_day with it; the target honors Retry-After"
    )
    yield LIMIT_HEADERS.settled(", ".join(numbers), consequence, "handled")


def find_tokens(
    facts: TenantFacts, events: Sequence[CallEvent], *, uses_oauth: bool
) -> Iterator[Observation]:
    """Settle how tokens are requested and granted, and whether they expire by calls."""
    grant = facts.session.client.token_grant
    if not uses_oauth or grant is None:
        for topic in TOKENS:
            yield topic.not_settled("it takes an M2M OAuth client instead of an access key")
        return
    yield _token_request(events)
    if grant.seconds is None:
        observed = "no lifetime is stated"
        yield TOKEN_SECONDS.settled(observed, "a token is used until it is refused", "handled")
    else:
        observed = f"{grant.seconds:,.0f} seconds"
        yield TOKEN_SECONDS.at(grant.seconds, observed, "renewed shortly before it expires")
    observed = "with the envelope" if grant.in_envelope else "without the envelope"
    yield TOKEN_IN_ENVELOPE.at(grant.in_envelope, observed, "both forms are read")
    yield _token_calls(events)


def _token_request(events: Sequence[CallEvent]) -> Observation:
    refused = [e.status for e in events if e.kind == TOKEN_CALL.kind and e.outcome == "refused"]
    if not refused:
        observed = "the form is accepted; whether it may be left out is not tried"
        return TOKEN_REQUEST.settled(observed, "the form is sent", "as assumed")
    observed = f"the form is refused with HTTP {refused[0]}, JSON without a body is accepted"
    return TOKEN_REQUEST.at(f"bodiless_{refused[0]}", observed, "no body is sent from then on")


def _token_calls(events: Sequence[CallEvent]) -> Observation:
    """Count the calls between a token and its refusal."""
    served = 0
    for event in events:
        if event.kind == TOKEN_CALL.kind:
            served = 0
        elif event.status == _UNAUTHORIZED:
            observed = f"a token is refused after {served} calls"
            return TOKEN_CALLS.at(served, observed, "another one is requested")
        else:
            served += 1
    return TOKEN_CALLS.at(0, f"not refused within {served} calls", "nothing to do")
