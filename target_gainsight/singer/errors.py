"""Errors at the edge: which ones end a run with one message, and how they are worded."""

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
"""Their messages say all there is to know; any other error is a bug and shows its traceback."""


def user_facing_error(error: Exception) -> Exception:
    """What ended the run; of SQLite's temporary files the error names neither folder nor use.

    It goes to the log as an error, not as text: text is kept on one line, and what ends a run may
    have several, such as the settings that would mend it.
    """
    if isinstance(error, sqlite3.Error):
        message = (
            f"a temporary file cannot be used: {error}. Make room where temporary files go, or "
            "set SQLITE_TMPDIR to another folder"
        )
        return RunStoppedError(message)
    return error
