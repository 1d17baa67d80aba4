"""One HTTP exchange: send a request, return the response or raise a classified error.

Only a connection that was never made shows that a failed request has not reached the tenant.
"""

import ssl
from collections.abc import Iterator
from http.cookiejar import DefaultCookiePolicy
from importlib.metadata import version
from urllib.parse import urlencode, urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import NewConnectionError, ReadTimeoutError

from target_gainsight.api import errors
from target_gainsight.api.auth import AuthHeader
from target_gainsight.api.http.call import Call, FormStream
from target_gainsight.api.http.json_codec import encode

_CONNECTIONS = 64
_NEVER_CONNECTED = (
    NewConnectionError,
    requests.ConnectTimeout,
    requests.exceptions.ProxyError,
    ssl.SSLCertVerificationError,
)
_TIMEOUTS = (TimeoutError, requests.ReadTimeout, ReadTimeoutError)


class Transport:
    """Sends requests to one tenant over kept-alive connections.

    TLS is always verified, redirects are never followed, cookies are not kept and `.netrc` is not
    read; a loopback address is never reached through a proxy.
    """

    def __init__(self, base_url: str, session: requests.Session | None) -> None:
        parts = urlsplit(base_url)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username:
            message = "the base URL must look like https://mycompany.gainsightcloud.com"
            raise ValueError(message)
        self.host = parts.hostname
        self._base_url = base_url.rstrip("/")
        self._user_agent = f"target-gainsight/{version('target-gainsight')}"
        is_loopback = self.host in {"localhost", "::1"} or self.host.startswith("127.")
        self._proxies = {"no_proxy": self.host} if is_loopback else None
        self._owns_session = session is None
        self._session = session or requests.Session()
        if self._session.verify is False:
            message = "TLS verification must stay on"
            raise ValueError(message)
        if self._owns_session:
            self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
            for scheme in ("https://", "http://"):
                self._session.mount(scheme, HTTPAdapter(pool_maxsize=_CONNECTIONS))

    def send(self, call: Call, auth: AuthHeader, timeout: tuple[float, float]) -> requests.Response:
        """Send a request; `timeout` is in seconds, for the connection and between bytes."""
        headers = {"User-Agent": self._user_agent, "Accept": "application/json"}
        body: bytes | FormStream | None = None
        if call.body:
            body = call.body()
        elif call.json is not None:
            body = encode(call.json)
        if body is not None:
            headers["Content-Type"] = call.media_type
        try:
            return self._session.request(
                call.method,
                f"{self._base_url}{call.path}",
                params=urlencode(call.params, safe=",") or None,
                data=body,
                headers=headers,
                auth=auth,
                timeout=timeout,
                proxies=self._proxies,
                allow_redirects=False,
            )
        except ValueError as error:
            # Its text may quote a header, so it is not shown.
            message = f"the request cannot be sent ({type(error).__name__})"
            raise errors.UnreachableError(message) from None
        except OSError as error:
            raise _fault(error) from error
        finally:
            if isinstance(body, FormStream):
                body.file.close()

    def close(self) -> None:
        """Close the connections, unless the session was handed in."""
        if self._owns_session:
            self._session.close()


def _fault(error: OSError) -> errors.GainsightError:
    if not isinstance(error, requests.RequestException):
        return errors.UnreachableError(f"the request cannot be sent: {error}")
    causes = tuple(_causes(error))
    if any(isinstance(cause, _NEVER_CONNECTED) for cause in causes):
        return errors.RetryCallError(f"no connection can be made ({causes[-1]})")
    if any(isinstance(cause, _TIMEOUTS) for cause in causes):
        return errors.AmbiguousResponseError("no response came in time", timed_out=True)
    return errors.AmbiguousResponseError(f"the connection broke: {causes[-1]}")


def _causes(error: BaseException) -> Iterator[BaseException]:
    yield error
    for inner in (error.__cause__, getattr(error, "reason", None), *reversed(error.args)):
        if isinstance(inner, BaseException):
            yield from _causes(inner)
            return
