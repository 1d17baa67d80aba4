"""Parses multipart forms (RFC 7578)."""

from collections.abc import Iterator
from email.message import Message

_HEAD_END = b"\r\n\r\n"


def is_form(content_type: str) -> bool:
    """Return whether a body of this content type is a multipart form."""
    return content_type.lower().startswith("multipart/form-data")


def parse_form(body: bytes, content_type: str) -> dict[str, bytes]:
    """Return the parts of a form by their names; of two with the same name, the last one.

    Raises:
        ValueError: It is not a form.
    """
    boundary = _parameter("content-type", content_type, "boundary")
    if not boundary:
        message = "the content type has no boundary"
        raise ValueError(message)
    return dict(_parts(body, b"--" + boundary.encode("latin-1")))


def _parts(body: bytes, mark: bytes) -> Iterator[tuple[str, bytes]]:
    start = body.find(mark)
    if start != 0:
        message = "the form does not begin with its boundary"
        raise ValueError(message)
    while not body.startswith(mark + b"--", start):
        head_end = body.find(_HEAD_END, start)
        end = body.find(b"\r\n" + mark, start + len(mark))
        if not start < head_end < end:
            message = "a part of the form has no end"
            raise ValueError(message)
        head = body[start + len(mark) : head_end].decode("utf-8", "replace")
        yield _name(head), body[head_end + len(_HEAD_END) : end]
        start = end + 2


def _name(head: str) -> str:
    for line in head.split("\r\n"):
        key, _, value = line.partition(":")
        if key.strip().lower() == "content-disposition":
            return _parameter("content-disposition", value.strip(), "name")
    return ""


def _parameter(header: str, value: str, name: str) -> str:
    message = Message()
    message[header] = value
    return str(message.get_param(name, "", header))
