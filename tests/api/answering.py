"""The tenant of these tests, and its responses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from target_gainsight.api import GainsightClient, RateLimits

TENANT = "https://initech.gainsightcloud.com"
KEY = "s3cret-access-key"
PLENTY = RateLimits(per_window=100_000, per_day=1_000_000)

MakeClient: TypeAlias = Callable[..., GainsightClient]


def success(data: Any = None, **envelope: Any) -> dict[str, Any]:
    """Response of success."""
    return {
        "result": True,
        "errorCode": None,
        "errorDesc": None,
        "requestId": "request-1",
        "data": data,
        **envelope,
    }


def failure(code: str | None, description: str | None = None, data: Any = None) -> dict[str, Any]:
    """Response of failure."""
    return {
        "result": False,
        "errorCode": code,
        "errorDesc": description,
        "requestId": "request-2",
        "data": data,
    }


def written(*records: dict[str, Any]) -> dict[str, Any]:
    """Response to a write."""
    return success({"count": len(records), "errors": None, "records": list(records)})
