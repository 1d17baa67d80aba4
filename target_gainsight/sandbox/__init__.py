"""A local Gainsight tenant that enforces the real rules, to load into without an account.

Imports nothing of the rest of the package. Starting it needs the `sandbox` extra; importing this
package does not.
"""

from target_gainsight.sandbox.config.config import TenantConfig
from target_gainsight.sandbox.config.description import SandboxConfigError
from target_gainsight.sandbox.config.faults import Fault, FaultPlan, ServerRule
from target_gainsight.sandbox.config.switches import SWITCH_NAMES, Limits, Switches
from target_gainsight.sandbox.config.tenant_file import TenantFile
from target_gainsight.sandbox.server.start import (
    RunningSandbox,
    SandboxUnavailableError,
    start_sandbox,
)
from target_gainsight.sandbox.storage.calls import Call
from target_gainsight.sandbox.tenant import Tenant

__all__ = [
    "SWITCH_NAMES",
    "Call",
    "Fault",
    "FaultPlan",
    "Limits",
    "RunningSandbox",
    "SandboxConfigError",
    "SandboxUnavailableError",
    "ServerRule",
    "Switches",
    "Tenant",
    "TenantConfig",
    "TenantFile",
    "start_sandbox",
]
