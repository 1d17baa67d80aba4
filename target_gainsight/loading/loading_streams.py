"""The streams that load, and the order in which they settle each other."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator


class LoadingStream(Protocol):
    """One stream that loads, as other streams see it."""

    @property
    def object_name(self) -> str:
        """The object it loads into."""

    def settle(self) -> None:
        """Load and settle everything taken so far, but for records that wait for a parent."""


class LoadingStreams:
    """The streams of a run that load, in the order of their SCHEMA messages.

    **Re-entrancy.** Two promises make one stream settle another in the middle of its own work:
    records of one object are applied in input order, also if they come from several streams, and
    a lookup finds the rows that other streams still hold. So before stream A loads a group, and
    before it looks up an object, it calls `settle_object`, which settles every other stream of
    that object. Such a stream B may look up an object of its own and settle further streams; but
    a stream that is loading (it is inside `loading`) is never settled: its group is half done,
    and settling it would come back to where the chain began. If A and B look each other up, B
    therefore does not find the rows of the group that A is loading.

    This is the only place where one stream calls another.
    """

    def __init__(self) -> None:
        self._streams: list[LoadingStream] = []
        self._loading: list[LoadingStream] = []

    def add(self, stream: LoadingStream) -> None:
        """Add a stream."""
        self._streams.append(stream)

    def remove(self, stream: LoadingStream) -> None:
        """Remove a stream, which has settled everything."""
        self._streams.remove(stream)

    @contextmanager
    def loading(self, stream: LoadingStream) -> Iterator[None]:
        """Mark a stream as loading: nothing settles it meanwhile."""
        self._loading.append(stream)
        try:
            yield
        finally:
            self._loading.remove(stream)

    def settle_object(self, object_name: str) -> None:
        """Settle what the streams of an object hold, except those that are loading."""
        name = object_name.lower()
        for stream in tuple(self._streams):
            if stream.object_name.lower() == name and stream not in self._loading:
                stream.settle()

    def settle_all(self) -> None:
        """Settle what all streams hold."""
        for stream in tuple(self._streams):
            stream.settle()
