"""The one way to start the embedded sandbox."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from typing_extensions import Self

from target_gainsight.sandbox.config.config import load_config, override_limits, override_switches
from target_gainsight.sandbox.tenant import Tenant

if TYPE_CHECKING:  # comes with the extra
    from target_gainsight.sandbox.server.server import ServerThread

_NEEDED = ("jinja2", "starlette", "uvicorn", "yaml")


class SandboxUnavailableError(RuntimeError):
    """The packages of the `sandbox` extra are missing; the message has the command for it."""

    def __init__(self) -> None:
        super().__init__(
            "the embedded sandbox needs the sandbox extra: pip install 'target-gainsight[sandbox]'"
        )


@dataclass(frozen=True)
class RunningSandbox:
    """A tenant that is being served.

    Attributes:
        base_url: such as `http://127.0.0.1:49152`.
        access_key: the key that its calls carry, unless they carry a token.
        tenant: to read it, to seed it and to inject faults.
    """

    base_url: str
    access_key: str
    tenant: Tenant
    _server: "ServerThread"

    @property
    def client_id(self) -> str:
        """The M2M OAuth client that gets tokens."""
        return self.tenant.config.client_id

    @property
    def client_secret(self) -> str:
        """The secret of that client."""
        return self.tenant.config.client_secret

    def stop(self) -> None:
        """End the server and close the file; calls in progress get a second to finish."""
        self._server.stop()
        self.tenant.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def start_sandbox(
    path: str | Path,
    *,
    config: str | Path | Mapping[str, Any] | None = None,
    port: int = 0,
    limits: Mapping[str, float] | None = None,
    switches: Mapping[str, Any] | None = None,
    access_key: str | None = None,
    clock: Callable[[], float] = time.time,
) -> RunningSandbox:
    """Serve a local Gainsight tenant from a daemon thread, on a loopback port only.

    Args:
        path: the tenant's SQLite file; created if missing.
        config: YAML file or mapping that describes the tenant; None for the default.
        port: 0 lets the system choose.
        limits: overrides of the described limits, by name; 0 is unlimited.
        switches: overrides of the described switches, by name.
        access_key: override of the described key.
        clock: returns seconds since the epoch, for quota windows and dates.

    Raises:
        SandboxUnavailableError: The `sandbox` extra is not installed.
        SandboxConfigError: The description is wrong.
        OSError: The file or the port cannot be used.
    """
    if not all(find_spec(name) for name in _NEEDED):
        raise SandboxUnavailableError
    from target_gainsight.sandbox.server.app import make_app  # noqa: PLC0415 - comes with the extra
    from target_gainsight.sandbox.server.server import ServerThread  # noqa: PLC0415

    described = override_switches(override_limits(load_config(config), limits), switches)
    if access_key is not None:
        described = replace(described, access_key=access_key)
    tenant = Tenant(path, described, clock)
    try:
        server = ServerThread(make_app(tenant), port)
    except BaseException:
        tenant.close()
        raise
    return RunningSandbox(f"http://127.0.0.1:{server.port}", described.access_key, tenant, server)
