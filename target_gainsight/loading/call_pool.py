"""Calls in flight: made in worker threads, their results taken in the main thread."""

from __future__ import annotations

from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, Any, TypeVar

from target_gainsight.loading.outcomes import RunStoppedError

if TYPE_CHECKING:
    from collections.abc import Callable

Landed = TypeVar("Landed")

SECONDS_BETWEEN_LOOKS = 0.5


class SendingPool:
    """The batches and reads in flight, of all streams together.

    Args:
        size: Most of them at a time.

    Attributes:
        on_wait: Called every now and then while this thread waits.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._executor = ThreadPoolExecutor(size, thread_name_prefix="gainsight-call")
        self._flying: dict[Future[Any], Callable[[Any], None]] = {}
        self._closing = False
        self.on_wait: Callable[[], None] = lambda: None

    def submit(self, send: Callable[[], Landed], landed: Callable[[Landed], None]) -> None:
        """Make calls as soon as there is room, landing others meanwhile.

        Args:
            send: Makes them, in a thread of its own.
            landed: Takes what it returned, in this thread.

        Raises:
            RunStoppedError: The run is stopping.
        """
        while len(self._flying) >= self._size:
            self.land(block=True)
        if self._closing:
            message = "the run is stopping; nothing more is sent"
            raise RunStoppedError(message)
        self._flying[self._executor.submit(send)] = landed

    def land(self, *, block: bool) -> None:
        """Hand over what has landed. What takes it may land others itself.

        Args:
            block: Wait for one at least.
        """
        if not self._flying:
            return
        done = self._landed(block=block)
        for future in done:
            landed = self._flying.pop(future, None)
            if landed is not None:
                landed(future.result())

    def _landed(self, *, block: bool) -> set[Future[Any]]:
        timeout = SECONDS_BETWEEN_LOOKS if block else 0
        while True:
            done, _ = wait(self._flying, timeout=timeout, return_when=FIRST_COMPLETED)
            if done or not block:
                return done
            self.on_wait()

    def send_no_more(self) -> None:
        """Refuse what is not in flight yet: the run is stopping."""
        self._closing = True

    @property
    def busy(self) -> bool:
        """Whether anything is in flight."""
        return bool(self._flying)

    def close(self) -> None:
        """Wait for the threads to end."""
        self._executor.shutdown(wait=True, cancel_futures=True)
