"""Opens the way to the tenant: the client, and the embedded tenant where that is asked for."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

from target_gainsight.api import AccessKey, GainsightClient, Pacer, RateLimits, RetryPolicy
from target_gainsight.loading.outcomes import RunStoppedError
from target_gainsight.mapping.field_errors import shown

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from target_gainsight.api import CallEvent, Clock
    from target_gainsight.sandbox import RunningSandbox
    from target_gainsight.settings import Settings


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
    """

    def __init__(
        self, settings: Settings, clock: Clock, observer: Callable[[CallEvent], None]
    ) -> None:
        base_url, access_key = settings.connection.base_url, settings.connection.access_key
        self._sandbox: RunningSandbox | None = None
        if settings.connection.sandbox_path is not None:
            self._sandbox = _start_sandbox(
                settings.connection.sandbox_path, settings.connection.sandbox_config
            )
            base_url, access_key = self._sandbox.base_url, self._sandbox.access_key
        limits = settings.limits
        rate = RateLimits(limits.calls_per_minute, limits.calls_per_day, limits.quota_percent)
        self.rate = rate
        self.client = GainsightClient(
            base_url,
            AccessKey(access_key),
            pacer=Pacer(rate, clock=clock, max_calls=limits.max_calls_per_run),
            retry=RetryPolicy(max_seconds=limits.max_retry_seconds),
            timeout=limits.request_timeout,
            clock=clock,
            observer=observer,
        )

    def close(self) -> None:
        """End the client and the embedded tenant."""
        self.client.close()
        if self._sandbox is not None:
            self._sandbox.stop()


def _start_sandbox(path: Path, config: Path | None) -> RunningSandbox:
    from target_gainsight import sandbox  # noqa: PLC0415 - only where it is asked for

    try:
        return sandbox.start_sandbox(path, config=config)
    except (sandbox.SandboxUnavailableError, ValueError) as error:
        raise RunStoppedError(str(error)) from error
    except (OSError, sqlite3.Error) as error:
        message = (
            f"the embedded tenant cannot be started on {shown(str(path))}: {error}. Set "
            "sandbox_path to a file of its own in a folder that may be written to"
        )
        raise RunStoppedError(message) from error
