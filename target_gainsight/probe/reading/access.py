"""Questions about the host, the credential and the limits that responses name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from target_gainsight.api.auth import TOKEN_CALL
from target_gainsight.probe.observations import NotSettledError, Observation, Topic
from target_gainsight.probe.reading.facts import TenantFacts

CREDENTIAL = Topic("credential", "the tenant accepts the credential", "nothing to do")
HOST = Topic("host", "one host serves every API", "all calls go to it")
LIMIT_HEADERS = Topic(
    "limit_headers", "no header has the number of calls left", "limits are settings"
)
TOKEN_REQUEST = Topic(
    "token_request", "a token is requested with a form", "the form is sent", "any"
)
TOKEN_SECONDS = Topic(
    "token_seconds", "a token lives for a day", "renewed shortly before it expires", 86_400.0
)
TOKEN_IN_ENVELOPE = Topic(
    "token_in_envelope", "a token comes without the envelope", "both forms are read", False
)
TOKEN_CALLS = Topic("token_calls", "a token has no limit of calls", "nothing to do", 0)

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
    yield CREDENTIAL.settled("as assumed", "it does")


def _find_host(facts: TenantFacts) -> Iterator[Observation]:
    """Settle what kind of host the tenant has, and whether it redirects any call."""
    kind = _kind_of_host(urlsplit(facts.base_url).hostname or "")
    moved = {each.call.kind for each in facts.events if each.status and 300 <= each.status < 400}  # noqa: PLR2004
    if moved:
        observed = f"{kind}; it redirects calls ({', '.join(sorted(moved))})"
        consequence = "these calls fail, because credentials are never sent to another host"
        yield HOST.settled("not handled", observed, consequence)
    else:
        yield HOST.settled("as assumed", kind)


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


def _find_limit_headers(facts: TenantFacts) -> Iterator[Observation]:
    """Settle which headers of responses name a limit; their numbers are no secret."""
    shown = {
        name if _KNOWN_NAME.fullmatch(name) else "one of another name": value
        for name, value in facts.session.headers.items()
        if _LIMIT_HEADER.fullmatch(name)
    }
    if not shown:
        yield LIMIT_HEADERS.settled("as assumed", "none")
        return
    numbers = (f"{k}: {v}" if v.isdecimal() else k for k, v in sorted(shown.items()))
    consequence = (
        "compare calls_per_minute and calls_per_day with it; the target honors Retry-After"
    )
    yield LIMIT_HEADERS.settled("handled", ", ".join(numbers), consequence)


def _find_tokens(facts: TenantFacts) -> Iterator[Observation]:
    """Settle how tokens are requested and granted, and whether they expire by calls."""
    grant = facts.session.client.token_grant
    if grant is None:
        message = "it takes an M2M OAuth client instead of an access key"
        raise NotSettledError(message)
    tokens = [each for each in facts.events if each.call.kind == TOKEN_CALL.kind]
    refused = next((each.status for each in tokens if each.outcome == "refused"), None)
    if refused is None:
        observed = "the form is accepted; whether it may be left out is not tried"
        yield TOKEN_REQUEST.settled("as assumed", observed)
    else:
        observed = f"the form is refused with HTTP {refused}, JSON without a body is accepted"
        yield TOKEN_REQUEST.at(f"bodiless_{refused}", observed, "no body is sent from then on")
    if grant.seconds is None:
        consequence = "a token is used until it is refused"
        yield TOKEN_SECONDS.settled("handled", "no lifetime is stated", consequence)
    else:
        yield TOKEN_SECONDS.at(grant.seconds, f"{grant.seconds:,.0f} seconds")
    observed = "with the envelope" if grant.in_envelope else "without the envelope"
    yield TOKEN_IN_ENVELOPE.at(grant.in_envelope, observed)
    yield _count_token_calls(facts)


def _count_token_calls(facts: TenantFacts) -> Observation:
    """Count the calls between a token and its refusal."""
    served = 0
    for event in facts.events:
        if event.call.kind == TOKEN_CALL.kind:
            served = 0
        elif event.status == _UNAUTHORIZED:
            observed = f"a token is refused after {served} calls"
            return TOKEN_CALLS.at(served, observed, "another one is requested")
        else:
            served += 1
    return TOKEN_CALLS.at(0, f"not refused within {served} calls")


FIRST_QUESTION = {find_credential: (CREDENTIAL,)}
LAST_QUESTIONS = {
    _find_host: (HOST,),
    _find_limit_headers: (LIMIT_HEADERS,),
    _find_tokens: (TOKEN_REQUEST, TOKEN_SECONDS, TOKEN_IN_ENVELOPE, TOKEN_CALLS),
}
