"""The errors that end a run with one message."""

from __future__ import annotations

import sqlite3

from singer_sdk.exceptions import SingerSDKError
from singer_sdk.singerlib.exceptions import SingerError

from target_gainsight.api import GainsightError
from target_gainsight.loading.outcomes import RunStoppedError
from target_gainsight.mapping.planning.mismatch import StreamMismatchError

EXPECTED_ERRORS = (
    RunStoppedError,
    StreamMismatchError,
    GainsightError,
    SingerSDKError,
    SingerError,
    OSError,
    sqlite3.Error,
)
"""Their messages are complete; any other error is a bug and is logged with its traceback."""


def user_facing_error(error: Exception) -> Exception:
    """Return the error to log; SQLite's own messages name neither the folder nor the purpose.

    It is logged as an error, not as text: texts are kept on one line, but a message may have
    several, such as suggested settings.
    """
    if isinstance(error, sqlite3.Error):
        advice = "Free disk space for temporary files, or set SQLITE_TMPDIR to another folder"
        message = f"a temporary file cannot be used: {error}. {advice}"
        return RunStoppedError(message, code="file_error", suggestion=f"{advice}.")
    return error
