"""The form of the log of a process that loads.

The SDK names loggers after streams and logs names as they come. Our own messages escape what they
show and may have several lines.
"""

from __future__ import annotations

import copy
import logging

from singer_sdk.logging import ConsoleFormatter
from typing_extensions import override

from target_gainsight.mapping.escaping import one_line


class OneLineFilter(logging.Filter):
    """Escapes the logger's name and the arguments of log records; keeps none back."""

    @override
    def filter(self, record: logging.LogRecord) -> bool:
        record.name = one_line(record.name)
        if isinstance(record.args, tuple):
            record.args = tuple(map(_escaped, record.args))
        elif record.args:
            record.args = {name: _escaped(value) for name, value in record.args.items()}
        return True


def _escaped(value: object) -> object:
    return one_line(value) if isinstance(value, str) else value


class LinewiseFormatter(logging.Formatter):
    """Formats each line of a message as an event of its own, with its time and logger.

    Meltano prints a structured event of several lines with time and plugin before the first only.
    """

    def __init__(self, inner: logging.Formatter) -> None:
        super().__init__()
        self._inner = inner

    @override
    def format(self, record: logging.LogRecord) -> str:
        lines = record.getMessage().split("\n")
        if len(lines) == 1:  # a metric is in the arguments
            return self._inner.format(record)
        events = []
        for line in lines:
            event = copy.copy(record)
            event.msg, event.args = line, ()
            events.append(self._inner.format(event))
        return "\n".join(events)


def install_log_format() -> None:
    """Escape what the root logger writes, and write it by lines where a program reads it.

    The SDK's console format is for people, who copy suggested settings from it as they stand.
    """
    for handler in logging.getLogger().handlers:
        if not any(isinstance(each, OneLineFilter) for each in handler.filters):
            handler.addFilter(OneLineFilter())
        formatter = handler.formatter
        if formatter and not isinstance(formatter, (ConsoleFormatter, LinewiseFormatter)):
            handler.setFormatter(LinewiseFormatter(formatter))
