"""A local Gainsight tenant that enforces the real rules, to load into without an account.

Imports nothing of the rest of the package. Starting it needs the `sandbox` extra; importing this
package does not.
"""

from __future__ import annotations

from target_gainsight.sandbox.calls import Call
from target_gainsight.sandbox.config import TenantConfig
from target_gainsight.sandbox.description import SandboxConfigError
from target_gainsight.sandbox.faults import Fault, FaultPlan, ServerRule
from target_gainsight.sandbox.start import RunningSandbox, SandboxUnavailableError, start_sandbox
from target_gainsight.sandbox.switches import Limits, Switches
from target_gainsight.sandbox.tenant import Tenant
from target_gainsight.sandbox.tenant_file import TenantFile

__all__ = [
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
