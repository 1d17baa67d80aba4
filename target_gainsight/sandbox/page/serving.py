"""The page's routes: access and response headers. views.py decides what is shown."""

import logging
from collections.abc import Callable, Mapping
from functools import cache
from http import HTTPStatus
from importlib.resources import files
from typing import Any

import jinja2
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from target_gainsight.sandbox.loopback import names_this_machine
from target_gainsight.sandbox.page import views
from target_gainsight.sandbox.page.texts import escaped
from target_gainsight.sandbox.page.view_context import NotFoundError, ViewContext, open_view
from target_gainsight.sandbox.page.views import Page
from target_gainsight.sandbox.tenant import Tenant

_logger = logging.getLogger(__name__)

View = Callable[[ViewContext, "QueryParams"], Page]

_VIEWS: Mapping[str, View] = {
    "/": views.overview,
    "/rows": views.rows,
    "/record": views.record,
    "/calls": views.calls,
    "/call": views.call,
}
_LIVE = frozenset({"/", "/rows", "/calls"})
"""The views that can reload themselves: those that change while a target is loading."""

REFRESH_SECONDS = 5

_ASSETS = {
    "/page/style.css": ("style.css", "text/css"),
    "/page/icon.svg": ("icon.svg", "image/svg+xml"),
    "/favicon.ico": ("icon.svg", "image/svg+xml"),
}
_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self';"
        " base-uri 'none'; frame-ancestors 'none'"
    ),
    "cache-control": "no-store",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}


def page_routes(tenant: Tenant, families: Mapping[str, str | None]) -> list[Route]:
    """The routes of the page, which answer GET only and need no access key.

    Args:
        tenant: the one that is looked at.
        families: the limits' family of every kind of call that the tenant serves, if any.
    """
    shown = [
        Route(path, _Viewed(tenant, families, view).respond, methods=["GET"])
        for path, view in _VIEWS.items()
    ]
    return [*shown, *(Route(path, _asset, methods=["GET"]) for path in _ASSETS)]


class _Viewed:
    """One address of the page."""

    def __init__(self, tenant: Tenant, families: Mapping[str, str | None], view: View) -> None:
        self._tenant = tenant
        self._families = families
        self._view = view

    # Not async: the server gives it a thread, and goes on answering calls meanwhile.
    def respond(self, request: Request) -> Response:
        if not names_this_machine(request.headers.get("host", "")):
            return _plain("Host is not allowed", HTTPStatus.FORBIDDEN)
        try:
            shown = self._shown(request.query_params)
            refreshing = {"refresh": _refresh(request)}
            html = _templates().get_template(shown.template).render({**shown.values, **refreshing})
        except Exception:
            _logger.exception("the page %s failed", request.url.path)
            return _plain("The page failed", HTTPStatus.INTERNAL_SERVER_ERROR)
        return _response(html.encode("utf-8", "backslashreplace"), "text/html", shown.status)

    def _shown(self, query: QueryParams) -> Page:
        with open_view(self._tenant, self._families) as view:
            try:
                return self._view(view, query)
            except NotFoundError as error:
                values = {"message": str(error)}
                return Page("not_found.html", values, HTTPStatus.NOT_FOUND)


def _refresh(request: Request) -> dict[str, Any]:
    """Return whether a page reloads itself, and the address that turns this on or off, if any."""
    path, query = request.url.path, request.query_params
    is_on = path in _LIVE and query.get("live") == "1"
    toggled = views.address_with(path, query, live=None if is_on else 1) if path in _LIVE else None
    return {"seconds": REFRESH_SECONDS if is_on else None, "address": toggled}


def _asset(request: Request) -> Response:
    if not names_this_machine(request.headers.get("host", "")):
        return _plain("Host is not allowed", HTTPStatus.FORBIDDEN)
    name, media_type = _ASSETS[request.url.path]
    return _response((files(__package__) / "templates" / name).read_bytes(), media_type)


def _plain(text: str, status: int) -> Response:
    return _response(text.encode(), "text/plain", status)


def _response(content: bytes, media_type: str, status: int = HTTPStatus.OK) -> Response:
    return Response(content, status, dict(_HEADERS), media_type=f"{media_type}; charset=utf-8")


@cache
def _templates() -> jinja2.Environment:
    import jinja2  # noqa: PLC0415 - a tenth of a second that only who looks should pay

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader(__package__),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["escaped"] = escaped
    return environment
