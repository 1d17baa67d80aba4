"""Request bodies: JSON, or a form, optionally with a file that is read while it is sent."""

from __future__ import annotations

import io
import os
import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO, TypeAlias

_LINE_END = b"\r\n"
_CHUNK_BYTES = 1 << 16


class FormStream:
    """A form with a file, as a stream that is never whole in memory. It can be read once."""

    def __init__(self, head: bytes, file: BinaryIO, tail: bytes) -> None:
        self._parts = [io.BytesIO(head), file, io.BytesIO(tail)]
        self._length = len(head) + os.fstat(file.fileno()).st_size + len(tail)
        self._file = file

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[bytes]:
        while chunk := self.read(_CHUNK_BYTES):
            yield chunk

    def read(self, size: int = -1) -> bytes:
        """Read at most `size` bytes, or everything if it is negative; empty at the end."""
        if size < 0:
            return b"".join(self)
        while self._parts:
            if chunk := self._parts[0].read(size):
                return chunk
            del self._parts[0]
        return b""

    def close(self) -> None:
        """Close the file."""
        self._file.close()


Body: TypeAlias = "bytes | FormStream"


@dataclass(frozen=True)
class Content:
    """A request's body and its media type; `open` is called for every attempt."""

    media_type: str
    open: Callable[[], Body]


def form_content(
    fields: Mapping[str, str], filename: str, open_file: Callable[[], BinaryIO]
) -> Content:
    """Return a multipart form of text fields followed by a CSV file in `file` (RFC 7578).

    `open_file` is called for every attempt, right before it is sent.
    """
    boundary = secrets.token_hex(16)
    mark = b"--" + boundary.encode()
    head = b"".join(
        mark + _disposition(f'name="{_quotable(name)}"') + value.encode() + _LINE_END
        for name, value in fields.items()
    )
    described = f'name="file"; filename="{_quotable(filename)}"'
    head += mark + _disposition(described, "text/csv; charset=utf-8")
    tail = _LINE_END + mark + b"--" + _LINE_END
    media_type = f"multipart/form-data; boundary={boundary}"
    return Content(media_type, lambda: FormStream(head, open_file(), tail))


def _disposition(described: str, media_type: str = "") -> bytes:
    lines = ["", f"Content-Disposition: form-data; {described}"]
    if media_type:
        lines.append(f"Content-Type: {media_type}")
    return "\r\n".join([*lines, "", ""]).encode()


def _quotable(text: str) -> str:
    """Escape a text for the quotes of a header (RFC 7578, 4.2)."""
    return text.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
