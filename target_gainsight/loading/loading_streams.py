"""The streams that load, and the order in which they settle each other."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from target_gainsight.loading.keys import Key
from target_gainsight.settings.stream_settings import StreamSettings


class LoadingStream(Protocol):
    """One stream that loads, as other streams see it."""

    object_name: str
    stream: StreamSettings

    def settle(self) -> None:
        """Load and settle everything taken so far, but for records that wait for a parent."""


class LoadingStreams:
    """The streams of a run that load, by object.

    Before stream A loads a group, and before it looks up an object, it settles every other stream
    of that object, which may settle further ones: loading is re-entrant. A stream that is loading
    (it is inside `loading`) is never settled: its group is half done. This is the only place where
    one stream calls another; docs/architecture.md says why.
    """

    def __init__(self) -> None:
        self._of_object: defaultdict[str, list[LoadingStream]] = defaultdict(list)
        self._loading: list[LoadingStream] = []
        self._held: dict[LoadingStream, set[tuple[tuple[str, ...], Key]]] = defaultdict(set)

    def add(self, stream: LoadingStream) -> Sequence[LoadingStream]:
        """Settle the other streams of an object, and return them with the new one from now on."""
        self.settle_object(stream.object_name)
        streams = self._of_object[stream.object_name.lower()]
        streams.append(stream)
        return streams

    def remove(self, stream: LoadingStream) -> None:
        """Remove a stream, which has settled everything."""
        streams = self._of_object[stream.object_name.lower()]
        streams[:] = [each for each in streams if each is not stream]

    def hold(self, stream: LoadingStream, names: tuple[str, ...], key: Key) -> None:
        """Settle another stream that holds a record with this key, before this one holds one."""
        if key and None not in key:
            for other in tuple(self._of_object[stream.object_name.lower()]):
                if other is not stream and (names, key) in self._held[other]:
                    other.settle()
            self._held[stream].add((names, key))

    @contextmanager
    def loading(self, stream: LoadingStream) -> Iterator[None]:
        """Mark a stream as loading the records it holds: nothing settles it meanwhile."""
        self._held.pop(stream, None)
        self._loading.append(stream)
        try:
            yield
        finally:
            self._loading.remove(stream)

    def settle_object(self, object_name: str, *, only_deletes: bool = False) -> None:
        """Settle what the streams of an object hold, or only those that may delete rows."""
        for stream in tuple(self._of_object[object_name.lower()]):
            is_concerned = stream.stream.deletes == "delete" or not only_deletes
            if is_concerned and stream not in self._loading:
                stream.settle()

    def settle_all(self) -> None:
        """Settle what all streams hold."""
        for stream in [each for streams in self._of_object.values() for each in streams]:
            stream.settle()
