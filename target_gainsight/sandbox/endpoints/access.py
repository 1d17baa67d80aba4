"""Authentication: by the tenant's access key, or by a token of its M2M OAuth client.

Access keys do not expire, tokens do.
"""

from base64 import b64decode
from collections.abc import Mapping

from target_gainsight.sandbox.answers import (
    GENERIC,
    WRONG_HEADERS,
    Answer,
    Incoming,
    Refusal,
    refuse,
)
from target_gainsight.sandbox.tenant import Tenant

_GRANT = "client_credentials"


def check_credential(tenant: Tenant, headers: Mapping[str, str]) -> None:
    """Check that a call has either the access key or a token.

    Raises:
        Refusal: it has neither, both, or one that is not valid.
    """
    key, authorization = headers.get("accesskey"), headers.get("authorization")
    if key is not None and authorization is not None:
        raise refuse(WRONG_HEADERS, "Send either accesskey or Authorization, not both")
    token = _credentials("bearer", authorization)
    if not (tenant.tokens.use(token) if token else key == tenant.config.access_key):
        raise Refusal(_unauthorized())


def grant_token(tenant: Tenant, call: Incoming) -> Answer:
    """POST /v1/users/m2m/oauth/token: grant a token to the client of the Basic header.

    The form `grant_type=client_credentials` may be left out, as some working clients do [O].
    """
    _check_token_request(tenant, call)
    form = call.body if isinstance(call.body, Mapping) else {}
    if form.get("grant_type", _GRANT) != _GRANT:
        raise refuse(GENERIC, f"grant_type must be {_GRANT}")
    config, switches = tenant.config, tenant.switches
    if _basic_credentials(call.headers.get("authorization")) != (
        config.client_id,
        config.client_secret,
    ):
        raise Refusal(_refused_client(tenant))
    granted: dict[str, object] = {
        "access_token": tenant.tokens.grant(switches.token_seconds, switches.token_calls),
        "token_type": "Bearer",
        "expires_in": int(switches.token_seconds),
    }
    return Answer(data=granted) if switches.token_in_envelope else Answer(plain=granted)


def _check_token_request(tenant: Tenant, call: Incoming) -> None:
    """Refuse the form, or its absence, depending on the switch [I]."""
    accepted, _, status = tenant.switches.token_request.partition("_")
    if accepted == "form" and not call.body:
        raise refuse(GENERIC, "grant_type is missing")
    media_type = call.headers.get("content-type", "")
    if accepted == "bodiless" and (call.body or media_type != "application/json"):
        raise refuse(GENERIC, "The request must be JSON without a body", status=int(status))


def _refused_client(tenant: Tenant) -> Answer:
    """Return the refusal of a client: the gateway's of a key, or that of RFC 6749 (5.2) [I]."""
    if tenant.switches.client_refusal == "gateway":
        return _unauthorized()
    body = {"error": "invalid_client", "error_description": "Client authentication failed"}
    return Answer(401, code="invalid_client", plain=body)


def _unauthorized() -> Answer:
    return Answer(401, code="GS_APIG_2401", description="Unauthorized", with_data=False)


def _credentials(scheme: str, authorization: str | None) -> str:
    """Return the credentials of an Authorization header, if it has this scheme."""
    given, _, credentials = (authorization or "").partition(" ")
    return credentials.strip() if given.lower() == scheme else ""


def _basic_credentials(authorization: str | None) -> tuple[str, str]:
    """Return name and secret of a Basic header; both empty if it cannot be decoded."""
    try:
        text = b64decode(_credentials("basic", authorization), validate=True).decode()
    except ValueError:
        return "", ""
    name, _, secret = text.partition(":")
    return name, secret
