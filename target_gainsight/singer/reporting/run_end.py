"""How a run ended: status, exit code and error, as its summary shows them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from singer_sdk.exceptions import ConfigurationError, ConfigValidationError, SingerSDKError
from singer_sdk.singerlib.exceptions import SingerError

from target_gainsight import api
from target_gainsight.loading.outcomes import RunStoppedError
from target_gainsight.mapping.planning.checks import StreamMismatchError

RUN_AGAIN = "Run again later; the run continues where this one stopped."

ERROR_KINDS: dict[type[Exception], tuple[str, str]] = {
    api.CredentialError: (
        "credential_refused",
        "Set access_key (or client_id and client_secret) to the tenant's current credential.",
    ),
    api.AccessDeniedError: (
        "access_denied",
        "Give the credential's user the permission, or have this IP address allowed.",
    ),
    api.UnknownRouteError: ("unknown_route", "Check that domain is a Gainsight CS (NXT) tenant."),
    api.UnsuitableObjectError: ("unsuitable_object", "Load the object by a bulk job."),
    api.RedirectedError: ("redirected", "Set domain to the host that the tenant redirects to."),
    api.UnreachableError: ("unreachable", "Check the domain (or base_url), network and proxy."),
    api.QuotaExceededError: ("quota_exceeded", RUN_AGAIN),
    api.QuotaStoreError: ("quota_store_failed", "Check the file or Redis server of quota_store."),
    api.UnavailableError: ("unavailable", RUN_AGAIN),
    api.GainsightError: ("gainsight_error", "See the code of Gainsight in the message."),
    StreamMismatchError: ("stream_mismatch", "Correct the problems that the message lists."),
    ConfigurationError: ("invalid_settings", "Correct the settings that the message lists."),
    SingerSDKError: ("invalid_input", "Check the output of the tap, and the stream maps."),
    SingerError: ("invalid_input", "Check the output of the tap, and the stream maps."),
    OSError: ("file_error", "Check the path, its permissions and the free disk space."),
}
"""Error class to code and suggestion; the first class that fits counts."""


@dataclass(frozen=True)
class RunError:
    """Why a run failed, under a constant code; the message may have several lines."""

    code: str
    message: str
    suggestion: str


@dataclass(frozen=True)
class RunEnd:
    """How a run ended; without an error unless it failed or was interrupted."""

    status: Literal["success", "failed", "interrupted"]
    exit_code: int
    error: RunError | None = None


SUCCEEDED = RunEnd("success", 0)


def failed(error: Exception) -> RunEnd:
    """Return the end of a run that an error ended."""
    return RunEnd("failed", 1, describe_error(error))


def interrupted(signal_name: str, exit_code: int) -> RunEnd:
    """Return the end of a run that a signal ended."""
    error = RunError("interrupted", f"The run was stopped by {signal_name}.", RUN_AGAIN)
    return RunEnd("interrupted", exit_code, error)


def describe_error(error: Exception) -> RunError:
    """Return the code, message and suggestion of the error that ended a run.

    The text of an error that nobody expected may hold a record's values and is left out.
    """
    if isinstance(error, RunStoppedError):
        return RunError(error.code, str(error), error.suggestion)
    message = str(error)
    if isinstance(error, ConfigValidationError):
        message = "\n".join(["The settings have errors:", *(f"- {each}" for each in error.errors)])
    for kind, (code, suggestion) in ERROR_KINDS.items():
        if isinstance(error, kind):
            return RunError(code, message, suggestion)
    message = f"An unexpected error ended the run: {type(error).__name__}."
    return RunError("unexpected", message, "Report it with the traceback in the log.")
