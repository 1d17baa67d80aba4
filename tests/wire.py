"""A wire to the tenant on which a test acts between two calls, or edits a response."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from singer_messages import Message

Before = Callable[["Call"], "tuple[int, Message] | None"]
After = Callable[["Call", int, Message], "tuple[int, Message]"]


class Call:
    """A call on its way: method, lower-case path and JSON body."""

    def __init__(self, request: requests.PreparedRequest) -> None:
        self.method = str(request.method)
        self.path = urlsplit(str(request.url)).path.lower()
        self.body: Any = json.loads(request.body) if self._is_json(request) else None

    @staticmethod
    def _is_json(request: requests.PreparedRequest) -> bool:
        return isinstance(request.body, bytes) and request.body[:1] == b"{"

    @property
    def kind(self) -> str:
        """`query`, `insert` or `update` of records; empty for others."""
        if not self.path.startswith("/v1/data/objects/"):
            return ""
        is_query = self.path.startswith("/v1/data/objects/query/")
        return "query" if is_query else {"POST": "insert", "PUT": "update"}.get(self.method, "")

    def matches(self, method: str, path: str) -> bool:
        return (self.method, self.path) == (method, path.lower())


class Wire(HTTPAdapter):
    """Carries calls to the tenant.

    Args:
        before: Acts before each call; returns status and envelope to respond without the tenant.
        after: Returns status and envelope in place of those of the tenant.
    """

    def __init__(self, before: Before | None = None, after: After | None = None) -> None:
        super().__init__()
        self._before = before
        self._after = after

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:  # type: ignore[override]
        call = Call(request)
        if self._before and (response := self._before(call)):
            return json_response(request, *response)
        received = super().send(request, **options)
        if self._after:
            edited = self._after(call, received.status_code, received.json())
            return json_response(request, *edited)
        return received


def wired(before: Before | None = None, after: After | None = None) -> requests.Session:
    """Return a session whose calls go over such a wire."""
    session = requests.Session()
    session.mount("http://", Wire(before, after))
    return session


def refusal(code: str, text: str, *, status: int = 400) -> tuple[int, Message]:
    """Return status and envelope of a refusal."""
    return status, {"result": False, "errorCode": code, "errorDesc": text, "data": None}


def json_response(
    request: requests.PreparedRequest, status: int, envelope: Message
) -> requests.Response:
    """Return a response with an envelope as its body."""
    response = requests.Response()
    response.status_code = status
    response.request = request
    response.url = str(request.url)
    response.headers["Content-Type"] = "application/json"
    response.raw = io.BytesIO(json.dumps(envelope).encode())
    return response
