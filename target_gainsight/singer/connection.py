"""Connects to the tenant: the client, and the embedded sandbox if the settings ask for it."""

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import requests

from target_gainsight import api
from target_gainsight.loading.outcomes import RunStoppedError
from target_gainsight.mapping.errors import display_path
from target_gainsight.settings.model import Limits, Settings


@contextmanager
def connect(
    settings: Settings,
    clock: api.Clock,
    observer: Callable[[api.CallEvent], None],
    http: requests.Session | None = None,
) -> Iterator[api.GainsightClient]:
    """Connect to the tenant; the observer is called with every attempt of a call, in any thread."""
    limits, connection = settings.limits, settings.connection
    path, base_url = connection.sandbox_path, connection.base_url
    url = urlsplit(base_url)
    tenant = f"{url.netloc.lower()}{url.path}" if path is None else f"sandbox:{path.absolute()}"
    authentication: api.AccessKey | api.ClientCredentials
    with ExitStack() as opened:
        store = api.open_store(limits.quota_store, tenant=tenant, clock=clock)
        rate_limiter = api.RateLimiter(
            rate_limits(limits), clock=clock, max_calls=limits.max_calls_per_run, store=store
        )
        opened.callback(rate_limiter.close)
        if path is not None:
            base_url, authentication = _start_sandbox(path, connection.sandbox_config, opened)
        elif connection.access_key:
            authentication = api.AccessKey(connection.access_key)
        else:
            authentication = api.ClientCredentials(connection.client_id, connection.client_secret)
        yield opened.enter_context(
            api.GainsightClient(
                base_url,
                authentication,
                rate_limiter=rate_limiter,
                max_retry_seconds=limits.max_retry_seconds,
                timeout=limits.request_timeout,
                clock=clock,
                observer=observer,
                session=http,
            )
        )


def rate_limits(limits: Limits) -> Mapping[api.RateLimitGroup, api.RateLimits]:
    """Return the limits of each group of calls according to the settings."""
    given: dict[api.RateLimitGroup, tuple[int, int | None]] = {
        "synchronous": (limits.calls_per_minute, limits.calls_per_day),
        "timeline": (limits.timeline_calls_per_minute, None),
        "bulk": (limits.bulk_calls_per_hour, limits.bulk_calls_per_day),
    }
    percent = limits.quota_percent
    return {
        group: replace(
            api.DOCUMENTED_LIMITS[group], per_window=window, per_day=day, quota_percent=percent
        )
        for group, (window, day) in given.items()
    }


def _start_sandbox(path: Path, config: Path | None, opened: ExitStack) -> tuple[str, api.AccessKey]:
    """Start the embedded sandbox until the end of the run; return its URL and its access key."""
    from target_gainsight import sandbox  # noqa: PLC0415 - only where it is asked for

    try:
        running = sandbox.start_sandbox(path, config=config)
    except (sandbox.SandboxUnavailableError, ValueError, OSError, sqlite3.Error) as error:
        message, suggestion = str(error), ""  # names the command that installs the extra
        if isinstance(error, sandbox.SandboxConfigError):
            suggestion = "Correct sandbox_config."
        elif not isinstance(error, sandbox.SandboxUnavailableError):
            message = f"the embedded sandbox cannot be started on {display_path(path)}: {error}"
            suggestion = "Set sandbox_path to a file in a writable folder."
        raise RunStoppedError(message, code="sandbox_failed", suggestion=suggestion) from error
    opened.callback(running.stop)
    return running.base_url, api.AccessKey(running.access_key)
