"""What the process writes: states to standard output, and the log, with foreign text escaped."""

import copy
import io
import logging
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, TextIO

from singer_sdk.logging import ConsoleFormatter
from singer_sdk.singerlib.json import serialize_json
from typing_extensions import override

from target_gainsight.mapping.escaping import one_line


class EscapingFormatter(logging.Formatter):
    """Escapes the arguments of log records, and the names that the SDK gives loggers of streams.

    Our own messages may have several lines. Each is an event of its own, because Meltano prints
    time and plugin before the first line of an event only; but not in a console, where people copy
    suggested settings as they stand.
    """

    def __init__(self, inner: logging.Formatter) -> None:
        super().__init__()
        self._inner = inner

    @override
    def format(self, record: logging.LogRecord) -> str:
        event = copy.copy(record)
        event.name = one_line(record.name)
        if isinstance(record.args, tuple):
            event.args = tuple(one_line(x) if isinstance(x, str) else x for x in record.args)
        lines = event.getMessage().split("\n")
        if len(lines) == 1 or isinstance(self._inner, ConsoleFormatter):
            return self._inner.format(event)
        events = []
        for line in lines:
            event.msg, event.args = line, ()
            events.append(self._inner.format(event))
        return "\n".join(events)


def install_log_format() -> None:
    """Escape what the root logger writes."""
    for handler in logging.getLogger().handlers:
        if handler.formatter is not None and not isinstance(handler.formatter, EscapingFormatter):
            handler.setFormatter(EscapingFormatter(handler.formatter))


def write_state(state: Mapping[str, Any]) -> None:
    """Write a state; nothing follows a line that is missing or cut."""
    try:
        sys.stdout.write(f"{serialize_json(state)}\n")
        sys.stdout.flush()
    except (OSError, ValueError, AttributeError) as error:
        _discard_unwritten(sys.stdout)
        reason = getattr(error, "strerror", None) or "it is closed"
        message = (
            f"The state cannot be written to standard output: {reason}. Fix the problem and run "
            "again; records after the last written state will be re-sent."
        )
        raise OSError(message) from error


@contextmanager
def output_errors_reported() -> Iterator[None]:
    """End the process with one line and exit code 1 if its output cannot be written.

    Characters that a terminal lacks are escaped; a log that cannot be written is ignored.
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
        what, reason = error.filename or "the output", error.strerror or "it is closed"
        with suppress(OSError):
            sys.stderr.write(f"Error: {what} cannot be written: {reason}.\n")
        sys.exit(1)
    finally:
        try:
            if sys.stderr is not None:
                sys.stderr.flush()
        except OSError:
            _discard_unwritten(sys.stderr)


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
