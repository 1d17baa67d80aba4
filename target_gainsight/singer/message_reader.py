"""Reads Singer messages, and the files of BATCH messages.

Standard input is read in a thread, so that age limits and signals work while it is silent. Errors
never show a line, which holds other people's data.
"""

import gzip
import itertools
import queue
import sys
import threading
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from decimal import Decimal
from json import JSONDecodeError
from typing import IO, Any, cast
from urllib.parse import unquote

import msgspec
from singer_sdk.singerlib.encoding.simple import SimpleSingerReader
from singer_sdk.singerlib.exceptions import InvalidInputLine
from typing_extensions import override
from upath import UPath

from target_gainsight.loading.outcomes import RunStoppedError
from target_gainsight.loading.storage.source_json import read_json
from target_gainsight.mapping.errors import display, display_path, error_text

Chunks = queue.Queue[list[bytes] | BaseException | None]

CHUNK_BYTES = 65_536
CHUNK_LINES = 200
MAX_WAITING_CHUNKS = 16
MAX_LEVELS = 200
"""Levels of nesting of a message; later steps recurse several times per level, up to 1,000."""
TOO_DEEP = f"nested more than {MAX_LEVELS} levels deep"
TICK_SECONDS = 0.5

REQUIRED_PROPERTIES: dict[str, dict[str, type]] = {
    "SCHEMA": {"stream": str, "schema": dict},
    "RECORD": {"stream": str, "record": dict},
    "STATE": {"value": object},
    "ACTIVATE_VERSION": {"stream": str},
    "BATCH": {"stream": str, "encoding": dict, "manifest": list},
}
"""Required properties of each type of message (Singer specification)."""

TYPE_NAMES = {str: "text", dict: "an object", list: "a list", object: "given"}

_decode = msgspec.json.Decoder(float_hook=Decimal).decode
"""Six times as fast as the SDK's; numbers with a fraction are Decimals all the same."""


class ThreadedReader(SimpleSingerReader):
    """Hands messages to callbacks in the main thread, and ticks even while no input arrives."""

    def __init__(self, on_tick: Callable[[], None]) -> None:
        super().__init__()
        self.on_tick = on_tick
        self.line_number = 0
        self._stopped = threading.Event()

    def stop(self) -> None:
        """Raise `InterruptedError` before the next message; may be called from any thread."""
        self._stopped.set()

    def poll_events(self) -> None:
        """Handle ticks and signals in the middle of a long message."""
        if self._stopped.is_set():
            raise InterruptedError
        self.on_tick()

    @override
    def process_lines(
        self, file_input: IO[str] | None, callbacks: dict[str, Callable[[dict[str, Any]], None]]
    ) -> Counter[str]:
        return super().process_lines(cast("Any", self._lines(file_input or sys.stdin)), callbacks)

    @override
    def deserialize_json(self, line: bytes) -> dict[str, Any]:  # type: ignore[override]
        """Read a message; the error for an invalid line does not show the line."""
        try:
            try:
                message = _decode(line)
            except (msgspec.DecodeError, ArithmeticError, ValueError, RecursionError):
                message = read_json(line)
            problem = _find_problem(message)
            if line.count(b"{") + line.count(b"[") > MAX_LEVELS and _is_deeper(message):
                problem = TOO_DEEP
        except RecursionError:
            problem = TOO_DEEP
        except JSONDecodeError as error:
            problem = f"not JSON: {error.msg} at column {error.colno}"
        except UnicodeDecodeError as error:
            problem = f"not UTF-8: byte {error.start + 1} cannot be read"
        except ValueError as error:
            problem = f"not readable as JSON: {error}"
        if problem:
            text = f"line {self.line_number} of the input is not a Singer message: {problem}"
            text = f"{text}. Check what the tap writes to standard output"
            raise InvalidInputLine(text)
        return cast("dict[str, Any]", message)

    def _lines(self, source: IO[str]) -> Iterator[bytes]:
        chunks: Chunks = queue.Queue(MAX_WAITING_CHUNKS)
        threading.Thread(
            target=_read, args=(source, chunks), name="gainsight-read", daemon=True
        ).start()
        chunk: list[bytes] | BaseException | None = []
        while chunk is not None:
            try:
                chunk = chunks.get(timeout=TICK_SECONDS)
            except queue.Empty:
                chunk = []
            if isinstance(chunk, BaseException):
                raise chunk
            for line in chunk or ():
                if self._stopped.is_set():
                    raise InterruptedError
                self.line_number += 1
                if line and not line.isspace():
                    yield line
            self.poll_events()


def _find_problem(message: object) -> str | None:
    if not isinstance(message, dict):
        return "not a JSON object"
    kind = message.get("type")
    if not isinstance(kind, str) or kind not in REQUIRED_PROPERTIES:
        return f"unknown message type {repr(kind)[:40] if isinstance(kind, str) else '(none)'}"
    for name, type_ in REQUIRED_PROPERTIES[kind].items():
        if name not in message or not isinstance(message[name], type_):
            return f"{name} must be {TYPE_NAMES[type_]}"
    keys = message.get("key_properties") if kind == "SCHEMA" else None
    if keys and not (isinstance(keys, list) and all(isinstance(each, str) for each in keys)):
        return "key_properties must be a list of names"
    return None


def _is_deeper(value: dict[str, Any] | list[Any], levels: int = MAX_LEVELS) -> bool:
    inner = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(
        _is_deeper(each, levels - 1) for each in inner if isinstance(each, (dict, list))
    )


def _read(source: IO[str], chunks: Chunks) -> None:
    """Read the input in chunks of whole lines until its end; runs in a thread."""
    try:
        for chunk in _chunks(source):
            chunks.put(chunk)
        chunks.put(None)
    except BaseException as error:  # noqa: BLE001 - handed to the main thread, which raises it
        chunks.put(error)


def _chunks(source: IO[str]) -> Iterator[list[bytes]]:
    """Split available input into chunks of lines; the last line may lack its end."""
    raw = getattr(source, "buffer", None)
    if raw is None:
        given = cast("Iterable[str | bytes]", source)
        lines = (x if isinstance(x, bytes) else x.encode("utf-8", "surrogatepass") for x in given)
        yield from iter(lambda: [*itertools.islice(lines, CHUNK_LINES)], [])
        return
    parts: list[bytes] = []  # of one line, joined once, however long it is
    while data := raw.read1(CHUNK_BYTES):
        first, *others = data.split(b"\n")
        parts.append(first)
        if others:
            yield [b"".join(parts), *others[:-1]]
            parts = [others[-1]]
    yield [b"".join(parts)]


def read_batch(message: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Read the records of a BATCH message's files, line by line."""
    encoding = message["encoding"]
    form, compression = encoding.get("format"), encoding.get("compression")
    if form != "jsonl" or compression not in (None, "none", "gzip"):
        stream, found = display(message["stream"]), display(f"{form}, compression {compression}")
        text = f"stream {stream}: a BATCH message in {found} cannot be read"
        suggestion = "Let the tap write jsonl, plain or with gzip."
        raise RunStoppedError(text, code="batch_file", suggestion=suggestion)
    for path in message["manifest"]:
        yield from _read_file(path, compressed=compression == "gzip")


def _read_file(path: str, *, compressed: bool) -> Iterator[dict[str, Any]]:
    name = f"the batch file {display_path(path)}"
    try:
        file = UPath(path)
        if path.startswith("file:") and not file.exists():  # taps write blanks as they are, or %20
            file = UPath(unquote(path))
        with file.open("rb") as packed, gzip.open(packed) if compressed else packed as lines:
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    yield _parse(line, f"line {number} of {name}")
    except ImportError as error:
        suggestion = f"Install it: {display(str(error))}."
        if path.startswith("s3:"):
            suggestion = "Install the s3 extra: pip install 'target-gainsight[s3]'."
        text = f"{name} needs a package that is missing"
        raise RunStoppedError(text, code="batch_file", suggestion=suggestion) from error
    except (OSError, EOFError, ValueError, zlib.error) as error:
        suggestion = "Let tap and target see the same folder, or turn BATCH messages off."
        text = f"{name} cannot be read: {error_text(error)}"
        raise RunStoppedError(text, code="batch_file", suggestion=suggestion) from error


def _parse(line: bytes, place: str) -> dict[str, Any]:
    with suppress(RecursionError, ValueError):
        record = read_json(line)
        if isinstance(record, dict):
            return record
    text = f"{place} is not a JSON object"
    raise InvalidInputLine(text)
