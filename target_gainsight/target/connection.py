"""Opens the way to the tenant: the client, and the embedded tenant where that is asked for."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from target_gainsight.api import (
    AccessKey,
    GainsightClient,
    Pacer,
    RateLimits,
    RetryPolicy,
    buckets_in,
)
from target_gainsight.loading.outcomes import RunStoppedError
from target_gainsight.mapping.field_errors import shown_path

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from target_gainsight.api import CallEvent, Clock
    from target_gainsight.sandbox import RunningSandbox
    from target_gainsight.settings import Connection, Settings


class TenantConnection:
    """A client of the tenant that the settings name.

    Args:
        settings: Where the tenant is and how fast it may be called.
        clock: Tells the time and waits.
        observer: Is told of every try of every call.

    Attributes:
        client: Calls the tenant.
        rate: How fast.

    Raises:
        RunStoppedError: The embedded tenant cannot be started.
        QuotaStoreError: The calls cannot be counted where the settings say.
    """

    def __init__(
        self, settings: Settings, clock: Clock, observer: Callable[[CallEvent], None]
    ) -> None:
        limits = settings.limits
        self.rate = RateLimits(limits.calls_per_minute, limits.calls_per_day, limits.quota_percent)
        self._sandbox: RunningSandbox | None = None
        self._pacer = _pacer(settings, self.rate, clock)
        try:
            base_url, access_key = self._address(settings.connection)
            self.client = GainsightClient(
                base_url,
                AccessKey(access_key),
                pacer=self._pacer,
                retry=RetryPolicy(max_seconds=limits.max_retry_seconds),
                timeout=limits.request_timeout,
                clock=clock,
                observer=observer,
            )
        except BaseException:
            self._release()
            raise

    def close(self) -> None:
        """End the client, the count of its calls and the embedded tenant."""
        self.client.close()
        self._release()

    def _address(self, connection: Connection) -> tuple[str, str]:
        """The tenant's base URL and access key; the embedded one is started."""
        if connection.sandbox_path is None:
            return connection.base_url, connection.access_key
        self._sandbox = _start_sandbox(connection.sandbox_path, connection.sandbox_config)
        return self._sandbox.base_url, self._sandbox.access_key

    def _release(self) -> None:
        self._pacer.close()
        if self._sandbox is not None:
            self._sandbox.stop()


def _pacer(settings: Settings, rate: RateLimits, clock: Clock) -> Pacer:
    store, tenant = settings.limits.quota_store, _tenant(settings.connection)
    return Pacer(
        rate,
        clock=clock,
        max_calls=settings.limits.max_calls_per_run,
        buckets=buckets_in(store, tenant=tenant, clock=clock),
    )


def _tenant(connection: Connection) -> str:
    """Name the tenant whose limits are shared: by its host, or the embedded tenant's file."""
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
            f"the embedded tenant cannot be started on {shown_path(path)}: {error}. Set "
            "sandbox_path to a file of its own in a folder that may be written to"
        )
        raise RunStoppedError(message) from error
