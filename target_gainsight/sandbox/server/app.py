"""The tenant as a web application: routes, credentials, limits, faults, envelope, call log.

The API's calls are implemented in endpoints/, the pages for a browser in page/.
"""

import asyncio
import json
import logging
import math
import socket
import time
import uuid
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from email.utils import formatdate
from http import HTTPStatus
from typing import Any, NoReturn
from urllib.parse import parse_qsl

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from target_gainsight.sandbox.answers import (
    GENERIC,
    NOT_ALLOWED,
    SERVER_ERROR,
    UNKNOWN_ROUTE,
    Answer,
    Incoming,
    Refusal,
    refuse,
)
from target_gainsight.sandbox.config.faults import Fault
from target_gainsight.sandbox.config.limits import Family
from target_gainsight.sandbox.endpoints.access import check_credential
from target_gainsight.sandbox.loopback import names_this_machine
from target_gainsight.sandbox.page import page_routes
from target_gainsight.sandbox.server.multipart import is_form, parse_form
from target_gainsight.sandbox.server.routes import EVERY_FAMILY, JOB_STATUS, ServedCall
from target_gainsight.sandbox.storage.calls import BODY_CHARACTERS, Call
from target_gainsight.sandbox.tenant import Tenant

_logger = logging.getLogger(__name__)

_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
_HTML = "<!DOCTYPE html><html><head><title>{0}</title></head><body><h1>{0}</h1></body></html>"


def make_app(
    tenant: Tenant,
    served: Iterable[ServedCall] = EVERY_FAMILY,
    pause: Callable[[float], Awaitable[object]] = asyncio.sleep,
) -> Starlette:
    """Return the ASGI application that serves the tenant's API and page.

    Args:
        tenant: The tenant.
        served: The calls of its API.
        pause: Waits for the seconds of a fault.
    """
    unknown = ServedCall("*", "/{path:path}", "unknown", _unknown_route)
    calls = [*served, unknown]
    routes = [
        Route(
            each.path,
            _Served(tenant, each, pause).respond,
            methods=list(_METHODS) if each is unknown else [each.method],
        )
        for each in calls
    ]
    page = page_routes(tenant, {each.kind: each.family for each in calls})
    return Starlette(routes=[*page, *routes])


def _unknown_route(_: Tenant, call: Incoming) -> Answer:
    raise refuse(UNKNOWN_ROUTE, f"No route for {call.method}", status=HTTPStatus.NOT_FOUND)


class _Served:
    """One route of one tenant."""

    def __init__(
        self, tenant: Tenant, served: ServedCall, pause: Callable[[float], Awaitable[object]]
    ) -> None:
        self._pause = pause
        self._tenant = tenant
        self._served = served

    async def respond(self, request: Request) -> Response:
        started = time.perf_counter()
        sent = await request.body()
        decision = self._tenant.faults.pick(request.method, request.scope["path"])
        if decision.before_commit:
            await self._pause(decision.before_commit)
        fault = decision.fault
        answer = (
            self._answer(request, sent)
            if fault is None or fault.takes_effect
            else Answer(with_data=False)
        )
        if decision.before_answer:
            await self._pause(decision.before_answer)
        response, answer = self._response(answer, fault)
        self._log(request, sent, response, answer, started)
        return response

    def _answer(self, request: Request, sent: bytes) -> Answer:
        try:
            self._admit(request)
            call = Incoming(
                request.method,
                request.path_params,
                request.query_params,
                _parsed(sent, request.headers.get("content-type", "")),
                len(sent),
                request.headers,
            )
            return self._served.endpoint(self._tenant, call)
        except Refusal as refusal:
            return refusal.answer
        except Exception:
            _logger.exception("%s %s failed", request.method, request.url.path)
            return Answer(500, code=SERVER_ERROR, description="Internal server error")

    def _admit(self, request: Request) -> None:
        if not names_this_machine(request.headers.get("host", "")):
            raise refuse(NOT_ALLOWED, "Host is not allowed", status=HTTPStatus.FORBIDDEN)
        family = self._family
        if family is None:
            return
        check_credential(self._tenant, request.headers)
        wait = self._tenant.counter.admit(family, self._tenant.clock())
        if wait is not None:
            raise Refusal(_throttled(self._tenant, wait))

    @property
    def _family(self) -> Family | None:
        """The group of limits that the call counts for; that of a job status is unknown [I]."""
        if self._served.kind == JOB_STATUS:
            return self._tenant.switches.bulk_status_family
        return self._served.family

    def _response(self, answer: Answer, fault: Fault | None) -> tuple[Response, Answer]:
        request_id = str(uuid.uuid4())
        if fault is not None:
            answer = _faulty_answer(answer, fault)
        content = _encoded(answer.envelope(request_id))
        media_type = "application/json"
        if answer.page is not None:
            content, media_type = _HTML.format(answer.page).encode(), "text/html"
        headers = {
            "content-type": media_type,
            "date": formatdate(self._tenant.clock(), usegmt=True),
            "x-gs-request-id": request_id,
            **answer.headers,
        }
        if fault is not None:
            return _broken_response(content, answer.status, headers, fault), answer
        return Response(content, answer.status, headers), answer

    def _log(
        self, request: Request, sent: bytes, response: Response, answer: Answer, started: float
    ) -> None:
        query = request.scope["query_string"].decode("latin-1")
        reset = isinstance(response, _Reset)
        self._tenant.record(
            Call(
                at=self._tenant.clock(),
                method=request.method,
                path=request.scope["path"] + (f"?{query}" if query else ""),
                kind=self._served.kind,
                records=answer.records,
                status=None if reset else response.status_code,
                code=answer.code,
                milliseconds=(time.perf_counter() - started) * 1000,
                request=_shortened(sent),
                answer=_shortened(bytes(response.body)) if self._served.family else None,
            )
        )


def _parsed(sent: bytes, content_type: str) -> object:
    if not sent:
        return None
    if is_form(content_type):
        return _parsed_form(sent, content_type)
    if content_type.startswith("application/x-www-form-urlencoded"):
        return dict(parse_qsl(sent.decode(errors="replace")))
    with suppress(msgspec.MsgspecError, ValueError, RecursionError):
        return msgspec.json.decode(sent)
    try:
        return json.loads(sent, parse_float=_finite, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise refuse(GENERIC, "Request body is not valid JSON") from None


def _parsed_form(sent: bytes, content_type: str) -> object:
    try:
        return parse_form(sent, content_type)
    except ValueError as error:
        raise refuse(GENERIC, f"Request body is not a valid form: {error}") from None


def _encoded(envelope: Mapping[str, object]) -> bytes:
    """Encode an envelope; the standard library encodes what the fast encoder refuses."""
    try:
        return msgspec.json.encode(envelope)
    except (msgspec.MsgspecError, ValueError, TypeError, OverflowError):
        text = json.dumps(
            envelope, ensure_ascii=False, separators=(",", ":"), default=msgspec.to_builtins
        )
        return text.encode("utf-8", "backslashreplace")


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(text)
    return number


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _shortened(body: bytes) -> str:
    return body[: BODY_CHARACTERS * 4].decode(errors="replace")[:BODY_CHARACTERS]


def _throttled(tenant: Tenant, wait: float) -> Answer:
    """Return the response above the limit: by default 429 GU_2400 "Too many request" [O]."""
    family, _, status = tenant.switches.throttle_answer.partition("_")
    code = "GU_2400" if family == "gu" else "GS_APIG_2404"
    after = {"retry-after": str(max(1, round(wait + 0.5)))}
    headers = after if tenant.switches.throttle_retry_after else {}
    return Answer(int(status), code=code, description="Too many request", headers=headers)


def _faulty_answer(answer: Answer, fault: Fault) -> Answer:
    after = {} if fault.retry_after is None else {"retry-after": f"{fault.retry_after:g}"}
    failed = replace(answer, data=None, plain=None)
    throttled = replace(failed, code=fault.code, description="Too many request", headers=after)
    broken = replace(failed, code=SERVER_ERROR, description="Internal server error")
    answers = {
        "throttle_429": replace(throttled, status=429),
        "throttle_200": replace(throttled, status=200),
        "server_error": replace(broken, status=500),
        "unavailable": replace(broken, status=503, headers=after),
        "bad_gateway": replace(broken, status=502, code=None),
        "wrong_shape": replace(answer, data=["unexpected"], plain=None),
    }
    return answers.get(fault.kind, answer)


def _broken_response(
    content: bytes, status: int, headers: Mapping[str, str], fault: Fault
) -> Response:
    if fault.kind.startswith("reset_"):
        return _Reset()
    if fault.kind == "truncated_body":
        return _Truncated(content, status, dict(headers))
    if fault.kind == "cut_json":
        return Response(content[: len(content) // 2], status, dict(headers))
    if fault.kind == "empty_body":
        return Response(b"", status, dict(headers))
    if fault.kind in {"bad_gateway", "html_body"}:
        title = "502 Bad Gateway" if fault.kind == "bad_gateway" else "Welcome"
        html = {**headers, "content-type": "text/html"}
        return Response(_HTML.format(title), status, html)
    return Response(content, status, dict(headers))


class _Reset(Response):
    """Ends the connection with a TCP reset instead of a response."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        del send
        transport: Any = scope["state"]["connection"].transport
        linger = b"\x01\x00\x00\x00\x00\x00\x00\x00"
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        transport.abort()
        await receive()


class _Truncated(Response):
    """Announces the whole body, sends half of it and closes the connection."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        start = {
            "type": "http.response.start",
            "status": self.status_code,
            "headers": self.raw_headers,
        }
        await send(start)
        half = bytes(self.body)[: len(self.body) // 2]
        await send({"type": "http.response.body", "body": half, "more_body": True})
        scope["state"]["connection"].transport.close()
        await receive()
