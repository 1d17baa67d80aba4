"""Reads Singer messages in a thread of its own, so that age limits and signals work in silence.

Knows nothing of what the messages mean. Never shows a line: lines hold other people's data.
"""

from __future__ import annotations

import itertools
import queue
import sys
import threading
from collections import Counter
from decimal import Decimal
from json import JSONDecodeError
from typing import IO, TYPE_CHECKING, Any

import msgspec
from singer_sdk.singerlib.encoding.simple import SimpleSingerReader
from singer_sdk.singerlib.exceptions import InvalidInputLine
from typing_extensions import override

from target_gainsight.loading.storage.source_json import read_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

CHUNK_BYTES = 65_536
CHUNK_LINES = 200
MOST_CHUNKS_WAITING = 16
MOST_LEVELS = 200
"""How deep a message may be nested: what follows it takes several steps a level and gives up at a
thousand."""
TICK_SECONDS = 0.5

SHAPES: dict[str, dict[str, type]] = {
    "SCHEMA": {"stream": str, "schema": dict},
    "RECORD": {"stream": str, "record": dict},
    "STATE": {"value": object},
    "ACTIVATE_VERSION": {"stream": str},
    "BATCH": {"stream": str, "encoding": dict, "manifest": list},
}
"""What each type of message must hold (Singer specification)."""

RIGHT = {"str": "text", "dict": "an object", "list": "a list"}

_decode = msgspec.json.Decoder(float_hook=Decimal).decode
"""Six times as fast as the SDK's; numbers with a fraction are Decimals all the same."""


class ReadingStoppedError(Exception):
    """Reading was asked to stop before the end of the input."""


class ThreadedReader(SimpleSingerReader):
    """Hands each message to its callback in the main thread.

    Args:
        on_tick: Called every now and then, also while the input is silent.

    Attributes:
        on_tick: The same.
        line_number: The line at hand, from 1.
    """

    def __init__(self, on_tick: Callable[[], None]) -> None:
        super().__init__()
        self.on_tick = on_tick
        self.line_number = 0
        self._stopped = threading.Event()

    def stop(self) -> None:
        """Stop before the next message; may be called from any thread."""
        self._stopped.set()

    def poll_events(self) -> None:
        """Let the rest of the run have its turn, in the middle of a long message.

        Raises:
            ReadingStoppedError: ``stop`` was called.
        """
        if self._stopped.is_set():
            raise ReadingStoppedError
        self.on_tick()

    @override
    def process_lines(
        self,
        file_input: IO[str] | None,
        callbacks: dict[str, Callable[[dict[str, Any]], None]],
    ) -> Counter[str]:
        """Hand the messages of an input to the callbacks.

        Returns:
            How many messages of each type there were.

        Raises:
            InvalidInputLine: A line is no Singer message.
            ReadingStoppedError: ``stop`` was called.
        """
        counts: Counter[str] = Counter()
        for line in self._lines(file_input or sys.stdin):
            self.line_number += 1
            if not line or line.isspace():
                continue
            message = self.deserialize_json(line)
            kind = message.get("type")
            if not isinstance(kind, str) or kind not in callbacks:
                raise InvalidInputLine(self._about(f"unknown message type {_type_of(kind)}"))
            self._check_shape(message, SHAPES.get(kind, {}))
            callbacks[kind](message)
            counts[kind] += 1
        return counts

    @override
    def deserialize_json(self, line: str | bytes) -> dict[str, Any]:
        """Read one line.

        Returns:
            The message.

        Raises:
            InvalidInputLine: It is no JSON object; the line itself is not shown.
        """
        try:
            message = _decode(line)
        except (msgspec.DecodeError, ArithmeticError, ValueError, RecursionError):
            message = self._decode_with_stdlib(line)
        if not isinstance(message, dict):
            raise InvalidInputLine(self._about("not a JSON object"))
        if _may_be_deep(line) and _levels(message) > MOST_LEVELS:
            raise InvalidInputLine(self._about(f"nested more than {MOST_LEVELS} levels deep"))
        return message

    def _decode_with_stdlib(self, line: str | bytes) -> object:
        """Read what the fast decoder refuses as the SDK would, or say what is wrong with it."""
        try:
            return read_json(line)
        except JSONDecodeError as error:
            problem = f"not JSON: {error.msg} at column {error.colno}"
        except UnicodeDecodeError as error:
            problem = f"not UTF-8: byte {error.start + 1} cannot be read"
        except RecursionError:
            problem = f"nested more than {MOST_LEVELS} levels deep"
        except ValueError as error:
            problem = f"not readable as JSON: {error}"
        raise InvalidInputLine(self._about(problem))

    @override
    def assert_line_requires(  # type: ignore[override]
        self, line_dict: dict[str, Any], requires: set[str]
    ) -> None:
        """Refuse a message that lacks what its type needs, without showing it.

        Raises:
            InvalidInputLine: It lacks one.
        """
        missing = sorted(requires.difference(line_dict))
        if missing:
            raise InvalidInputLine(self._about(f"the message lacks {', '.join(missing)}"))

    def _check_shape(self, message: dict[str, Any], shape: dict[str, type]) -> None:
        for name, kind in shape.items():
            if name not in message or not isinstance(message[name], kind):
                self.assert_line_requires(message, set(shape))
                raise InvalidInputLine(self._about(f"{name} is not {RIGHT[kind.__name__]}"))

    def _about(self, problem: str) -> str:
        return (
            f"line {self.line_number} of the input is no Singer message: {problem}. Check what "
            "the tap writes to standard output"
        )

    def _lines(self, source: IO[str]) -> Iterator[str | bytes]:
        chunks: queue.Queue[list[str] | list[bytes] | BaseException | None] = queue.Queue(
            MOST_CHUNKS_WAITING
        )
        thread = threading.Thread(
            target=_read, args=(source, chunks, self._stopped), name="gainsight-read", daemon=True
        )
        thread.start()
        while True:
            chunk = self._next(chunks)
            if chunk is None:
                return
            if isinstance(chunk, BaseException):
                raise chunk
            for line in chunk:
                if self._stopped.is_set():
                    raise ReadingStoppedError
                yield line
            self.on_tick()

    def _next(
        self, chunks: queue.Queue[list[str] | list[bytes] | BaseException | None]
    ) -> list[str] | list[bytes] | BaseException | None:
        while True:
            if self._stopped.is_set():
                raise ReadingStoppedError
            try:
                return chunks.get(timeout=TICK_SECONDS)
            except queue.Empty:
                self.on_tick()


def _read(
    source: IO[str],
    chunks: queue.Queue[list[str] | list[bytes] | BaseException | None],
    stopped: threading.Event,
) -> None:
    """Read the input in chunks of whole lines until its end; runs in a thread of its own."""
    try:
        for chunk in _chunks(source):
            chunks.put(chunk)
            if stopped.is_set():
                return
        chunks.put(None)
    except BaseException as error:  # noqa: BLE001 - handed to the main thread, which raises it
        chunks.put(error)


def _chunks(source: IO[str]) -> Iterable[list[str] | list[bytes]]:
    raw = getattr(source, "buffer", None)
    if raw is None or not hasattr(raw, "read1"):
        lines = iter(source)
        return iter(lambda: list(itertools.islice(lines, CHUNK_LINES)), [])
    return _lines_as_they_come(raw)


def _lines_as_they_come(raw: Any) -> Iterator[list[bytes]]:  # noqa: ANN401 - io.BufferedReader
    """Split what can be read without waiting into lines; the last may lack its end."""
    parts: list[bytes] = []
    while data := raw.read1(CHUNK_BYTES):
        *lines, rest = data.split(b"\n")
        if lines:
            lines[0] = b"".join([*parts, lines[0]])
            parts = []
            yield lines
        if rest:
            parts.append(rest)
    if parts:
        yield [b"".join(parts)]


def _may_be_deep(line: str | bytes) -> bool:
    """Tell in a moment, for most lines, that they are not nested too deeply."""
    if len(line) < 2 * MOST_LEVELS:  # a level opens and closes
        return False
    if isinstance(line, bytes):
        return line.count(b"[") + line.count(b"{") > MOST_LEVELS
    return line.count("[") + line.count("{") > MOST_LEVELS


def _levels(message: dict[str, Any]) -> int:
    """Count how deep a message is nested, without recursion, and no further than needed."""
    level = 0
    containers: list[dict[str, Any] | list[Any]] = [message]
    while containers and level <= MOST_LEVELS:
        level += 1
        containers = [
            each
            for container in containers
            for each in (container.values() if isinstance(container, dict) else container)
            if isinstance(each, (dict, list))
        ]
    return level


def _type_of(kind: object) -> str:
    return repr(kind)[:40] if isinstance(kind, str) else "(none)"
