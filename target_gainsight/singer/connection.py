"""Opens the way to the tenant: the client, and the embedded sandbox where that is asked for."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from target_gainsight.api import (
    DOCUMENTED_LIMITS,
    AccessKey,
    ClientCredentials,
    GainsightClient,
    RateLimiter,
    RetryPolicy,
    open_store,
)
from target_gainsight.loading.outcomes import RunStoppedError
from target_gainsight.mapping.errors import display_path
from target_gainsight.settings import KeyCredential

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from target_gainsight.api import CallEvent, Clock, RateLimitGroup, RateLimits
    from target_gainsight.sandbox import RunningSandbox
    from target_gainsight.settings import Connection, Credential, Limits, Settings


class TenantConnection:
    """A client of the tenant that the settings name.

    Args:
        settings: Where the tenant is and how fast it may be called.
        clock: Tells the time and waits.
        observer: Is told of every try of every call.

    Attributes:
        client: Calls the tenant.
        rates: The limits of each group of calls.

    Raises:
        RunStoppedError: The embedded sandbox cannot be started.
        QuotaStoreError: The calls cannot be counted where the settings say.
    """

    def __init__(
        self, settings: Settings, clock: Clock, observer: Callable[[CallEvent], None]
    ) -> None:
        limits = settings.limits
        self.rates = rate_limits(limits)
        self._sandbox: RunningSandbox | None = None
        self._rate_limiter = _rate_limiter(settings, self.rates, clock)
        try:
            base_url, authentication = self._address(settings.connection)
            self.client = GainsightClient(
                base_url,
                authentication,
                rate_limiter=self._rate_limiter,
                retry=RetryPolicy(max_seconds=limits.max_retry_seconds),
                timeout=limits.request_timeout,
                clock=clock,
                observer=observer,
            )
        except BaseException:
            self._release()
            raise

    def close(self) -> None:
        """End the client, the count of its calls and the embedded sandbox."""
        self.client.close()
        self._release()

    def _address(self, connection: Connection) -> tuple[str, AccessKey | ClientCredentials]:
        """The tenant's base URL and who we are to it; the embedded one is started."""
        if connection.sandbox_path is None:
            return connection.base_url, _authentication(connection.credential)
        self._sandbox = _start_sandbox(connection.sandbox_path, connection.sandbox_config)
        return self._sandbox.base_url, AccessKey(self._sandbox.access_key)

    def _release(self) -> None:
        self._rate_limiter.close()
        if self._sandbox is not None:
            self._sandbox.stop()


def _authentication(credential: Credential) -> AccessKey | ClientCredentials:
    if isinstance(credential, KeyCredential):
        return AccessKey(credential.access_key)
    return ClientCredentials(credential.client_id, credential.client_secret)


def rate_limits(limits: Limits) -> Mapping[RateLimitGroup, RateLimits]:
    """Return the limits of each group of calls, as the settings give them."""
    given: dict[RateLimitGroup, tuple[int, int | None]] = {
        "synchronous": (limits.calls_per_minute, limits.calls_per_day),
        "timeline": (limits.timeline_calls_per_minute, None),
        "bulk": (limits.bulk_calls_per_hour, limits.bulk_calls_per_day),
    }
    return {
        group: replace(
            DOCUMENTED_LIMITS[group],
            per_window=per_window,
            per_day=per_day,
            quota_percent=limits.quota_percent,
        )
        for group, (per_window, per_day) in given.items()
    }


def _rate_limiter(
    settings: Settings, rates: Mapping[RateLimitGroup, RateLimits], clock: Clock
) -> RateLimiter:
    tenant = _tenant(settings.connection)
    return RateLimiter(
        rates,
        clock=clock,
        max_calls=settings.limits.max_calls_per_run,
        store=open_store(settings.limits.quota_store, tenant=tenant, clock=clock),
    )


def _tenant(connection: Connection) -> str:
    """Name the tenant whose limits are shared: by its host, or the embedded sandbox's file."""
    if connection.sandbox_path is not None:
        return f"sandbox:{connection.sandbox_path.absolute()}"
    parts = urlsplit(connection.base_url)
    return f"{parts.netloc.lower()}{parts.path}"


def _start_sandbox(path: Path, config: Path | None) -> RunningSandbox:
    from target_gainsight import sandbox  # noqa: PLC0415 - only where it is asked for

    try:
        return sandbox.start_sandbox(path, config=config)
    except (sandbox.SandboxUnavailableError, ValueError) as error:
        raise RunStoppedError(str(error)) from error
    except (OSError, sqlite3.Error) as error:
        message = (
            f"the embedded sandbox cannot be started on {display_path(path)}: {error}. Set "
            "sandbox_path to a file of its own in a folder that may be written to"
        )
        raise RunStoppedError(message) from error
