"""Calls in flight: made in worker threads, their results processed in the main thread."""

from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor
from concurrent.futures import wait as wait_for
from typing import Any, TypeVar

from target_gainsight.loading.outcomes import RunStoppedError

Result = TypeVar("Result")

WAIT_SECONDS = 0.5


class CallPool:
    """The calls in flight, of all streams; `on_wait` is called for each half second of waiting."""

    def __init__(self, size: int, on_wait: Callable[[], None]) -> None:
        self._size = size
        self._executor = ThreadPoolExecutor(size, thread_name_prefix="gainsight-call")
        self._in_flight: dict[Future[Any], Callable[[Future[Any]], object]] = {}
        self.accepts_calls = True
        self._on_wait = on_wait

    def submit(
        self, send: Callable[[], Result], on_done: Callable[[Future[Result]], object]
    ) -> None:
        """Run ``send`` in a worker thread, and ``on_done`` with its result in this one."""
        while len(self._in_flight) >= self._size:
            self.process_completed(wait=True)
        if not self.accepts_calls:
            message = "the run is stopping; nothing more is sent"
            raise RunStoppedError(message)
        self._in_flight[self._executor.submit(send)] = on_done

    def process_completed(self, *, wait: bool) -> None:
        """Pass on the results of completed calls; a receiver may call this itself."""
        timeout = WAIT_SECONDS if wait else 0
        done, _ = wait_for(self._in_flight, timeout, FIRST_COMPLETED)
        if wait and not done:
            self._on_wait()
        for future in done:
            on_done = self._in_flight.pop(future, None)
            if on_done is not None:
                on_done(future)

    @property
    def busy(self) -> bool:
        """Return whether anything is in flight."""
        return bool(self._in_flight)

    def close(self) -> None:
        """Wait for the threads to end."""
        self._executor.shutdown(wait=True, cancel_futures=True)
