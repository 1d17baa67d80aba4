"""Standard output: Singer states, and errors in writing them."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, TextIO

from singer_sdk.singerlib.json import serialize_json


def write_state(state: Mapping[str, Any]) -> None:
    """Write a state; nothing follows a line that is missing or cut.

    Raises:
        OSError: It cannot be written.
    """
    try:
        sys.stdout.write(f"{serialize_json(state)}\n")
        sys.stdout.flush()
    except (OSError, ValueError, AttributeError) as error:
        _discard_unwritten(sys.stdout)
        message = (
            f"The state cannot be written to standard output: {_reason(error)}. Fix the problem "
            "and run again; records after the last written state will be re-sent."
        )
        raise OSError(message) from error


@contextmanager
def output_errors_reported() -> Iterator[None]:
    """End the process with one line and exit code 1 if its output cannot be written.

    A character that the terminal's encoding lacks is escaped, and a log that cannot be written
    is ignored.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        try:
            yield
        finally:
            if sys.stdout is not None:
                sys.stdout.flush()
    except OSError as error:
        _discard_unwritten(sys.stdout)
        with suppress(OSError):
            sys.stderr.write(
                f"Error: {error.filename or 'the output'} cannot be written: {_reason(error)}.\n"
            )
        sys.exit(1)
    finally:
        try:
            if sys.stderr is not None:
                sys.stderr.flush()
        except OSError:
            _discard_unwritten(sys.stderr)


def _reason(error: Exception) -> str:
    """Return the system's message; ``sys.stdout`` is None if Python starts without one."""
    return (isinstance(error, OSError) and error.strerror) or "it is closed"


def _discard_unwritten(stream: TextIO) -> None:
    """Redirect a standard stream to the null device, with what Python still buffers.

    At exit the interpreter flushes the standard streams once more; failing again, it would print
    "Exception ignored" and exit with 120.
    """
    with suppress(AttributeError, OSError, ValueError):  # closed, or an object that is not a file
        descriptor = stream.fileno()
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, descriptor)
        os.close(null)
