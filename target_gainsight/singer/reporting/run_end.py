"""How a run ended: status, exit code and error; a run may fail although it was read whole."""

import logging
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from singer_sdk.exceptions import ConfigurationError, ConfigValidationError, SingerSDKError
from singer_sdk.singerlib.exceptions import SingerError

from target_gainsight import api
from target_gainsight.loading.outcomes import Outcome, RunStoppedError
from target_gainsight.loading.settling.ledger import RUN_AGAIN, Ledger
from target_gainsight.loading.settling.summary import Summary
from target_gainsight.mapping.errors import counted, display
from target_gainsight.mapping.planning.checks import StreamMismatchError
from target_gainsight.settings.model import Settings

logger = logging.getLogger(__name__)

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
    api.GainsightError: ("gainsight_error", "Look up the Gainsight error code in the message."),
    StreamMismatchError: ("stream_mismatch", "Correct the problems that the message lists."),
    ConfigurationError: ("invalid_settings", "Correct the settings that the message lists."),
    SingerSDKError: ("invalid_input", "Check the output of the tap, and the stream maps."),
    SingerError: ("invalid_input", "Check the output of the tap, and the stream maps."),
    sqlite3.Error: (
        "file_error",
        "Free disk space for temporary files, or set SQLITE_TMPDIR to another folder.",
    ),
    OSError: ("file_error", "Check the path, its permissions and the free disk space."),
}
"""Error class to code and suggestion; the first class that fits counts."""

EXPECTED_ERRORS: tuple[type[Exception], ...] = (RunStoppedError, *ERROR_KINDS)
"""Their messages are complete; any other error is a bug and is logged with its traceback."""


@dataclass(frozen=True)
class RunEnd:
    """How a run ended; without an error unless it failed or was interrupted.

    An `error` has a constant `code`, a `message`, perhaps of several lines, and a `suggestion`.
    """

    status: Literal["success", "failed", "interrupted"]
    exit_code: int
    error: Mapping[str, str] | None = None


def failed_run(error: Exception) -> RunEnd:
    """Return the end of a run that an error ended."""
    return RunEnd("failed", 1, describe_error(error))


def describe_error(error: Exception) -> dict[str, str]:
    """Describe the error that ended a run; the text of an unexpected one may hold values."""
    if isinstance(error, RunStoppedError):
        return {"code": error.code, "message": str(error), "suggestion": error.suggestion}
    kinds = (known for kind, known in ERROR_KINDS.items() if isinstance(error, kind))
    code, suggestion = next(kinds, ("unexpected", "Report it with the traceback in the log."))
    message = str(error)
    if isinstance(error, ConfigValidationError):
        message = "\n".join(["The settings have errors:", *(f"- {each}" for each in error.errors)])
    elif isinstance(error, sqlite3.Error):  # its text names neither the folder nor the purpose
        message = f"a temporary file cannot be used: {error}. {suggestion}"
    elif code == "unexpected":
        message = f"An unexpected error ended the run: {type(error).__name__}."
    return {"code": code, "message": message, "suggestion": suggestion}


def check_end(settings: Settings, ledger: Ledger, *, input_is_complete: bool) -> None:
    """Fail a run whose state is held back, that read too few records or had too many rejects."""
    summary, where = ledger.summary, ledger.location_of_reasons
    if ledger.held_back:
        message = (
            f"Gainsight was not available: {counted(ledger.held_back, 'record')} not written; the "
            "state stays before the first of them"
        )
        raise RunStoppedError(message, code="unavailable", suggestion=RUN_AGAIN)
    if input_is_complete:
        _check_min_records(settings, summary)
    rejected = sum(each.outcomes[Outcome.REJECTED] for each in summary.streams.values())
    if rejected and rejected == summary.read:
        message = f"every record was rejected ({rejected:,}); the reasons are in {where}"
        suggestion = "Fix the cause, and run again."
        raise RunStoppedError(message, code="all_rejected", suggestion=suggestion)
    not_written = rejected + summary.failed_by_file
    if not_written and settings.output.on_rejects == "fail":
        records = counted(not_written, "record")
        message = f"{records} not written (on_rejects: fail); the reasons are in {where}"
        suggestion = "Fix the cause."
        if ledger.rejects.exists:
            suggestion = (
                "The rest is written and covered by the state. Fix the cause, then replay the "
                f"rejects: gainsight rejects replay {summary.run}."
            )
        raise RunStoppedError(message, code="rejects", suggestion=suggestion)
    if rejected and not settings.dry_run:
        logger.warning("%s rejected and kept in %s", counted(rejected, "record"), where)


def _check_min_records(settings: Settings, summary: Summary) -> None:
    """Fail a run below ``min_records``; a pattern that no stream matched stands for itself."""
    too_few = []
    for pattern, stream in settings.streams.items():
        if stream is None or stream.min_records is None:
            continue
        read = {
            name: counts.read
            for name, counts in summary.streams.items()
            if settings.for_stream(name) is stream
        }
        too_few += [
            f"{count:,} of stream {display(name)} (min_records {stream.min_records:,})"
            for name, count in (read or {pattern: 0}).items()
            if count < stream.min_records
        ]
    if too_few:
        message = f"too few records were read: {'; '.join(too_few)}"
        suggestion = (
            "Check the source and the tap, or lower min_records if so few are expected. The state "
            "covers what was read; to read everything again, use meltano run --full-refresh."
        )
        raise RunStoppedError(message, code="too_few_records", suggestion=suggestion)
