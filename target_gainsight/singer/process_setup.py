"""Set-up of a process that loads: log lines that cannot be broken, and rarer garbage collection.

The SDK names loggers after streams and logs names as they come. Our own messages escape what they
show and may have several lines.
"""

from __future__ import annotations

import gc
import logging

from typing_extensions import override

from target_gainsight.mapping.escaping import one_line


class OneLineFilter(logging.Filter):
    """Escapes the logger's name and the arguments of a log record."""

    @override
    def filter(self, record: logging.LogRecord) -> bool:
        """Escape; no record is ever kept back."""
        record.name = one_line(record.name)
        if isinstance(record.args, tuple):
            record.args = tuple(map(_escaped, record.args))
        elif record.args:
            record.args = {name: _escaped(value) for name, value in record.args.items()}
        return True


def install_log_escaping() -> None:
    """Put the filter before everything that the root logger writes to."""
    for handler in logging.getLogger().handlers:
        if not any(isinstance(each, OneLineFilter) for each in handler.filters):
            handler.addFilter(OneLineFilter())


def _escaped(value: object) -> object:
    return one_line(value) if isinstance(value, str) else value


GARBAGE_THRESHOLDS = (20_000, 50, 50)
"""A group of records in flight is some ten thousand objects, none of them garbage."""


def tune_gc() -> None:
    """Collect less often: the collector finds next to nothing among records.

    For a process of our own only; a library must not change its host's thresholds.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GARBAGE_THRESHOLDS)
