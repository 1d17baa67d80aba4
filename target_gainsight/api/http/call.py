"""A call of the API with its body, and the event that reports an attempt."""

import math
import os
import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import BinaryIO, TypeAlias

from urllib3.filepost import encode_multipart_formdata

from target_gainsight.api.errors import GainsightError
from target_gainsight.api.http.json_codec import Json
from target_gainsight.api.rate_limits.groups import RateLimitGroup

_CHUNK_BYTES = 1 << 16


@dataclass(frozen=True)
class FormStream:
    """A form that ends with a file, read while it is sent and never whole in memory."""

    head: bytes
    file: BinaryIO
    tail: bytes

    def __len__(self) -> int:
        return len(self.head) + os.fstat(self.file.fileno()).st_size + len(self.tail)

    def __iter__(self) -> Iterator[bytes]:
        yield self.head
        while chunk := self.file.read(_CHUNK_BYTES):
            yield chunk
        yield self.tail


OpenBody: TypeAlias = Callable[[], bytes | FormStream]
"""Returns a request's body; called for every attempt."""


def csv_form(
    fields: Mapping[str, str], filename: str, open_file: Callable[[], BinaryIO]
) -> tuple[str, OpenBody]:
    """Return media type and body of a form of text fields, followed by a CSV file in `file`."""
    placeholder = secrets.token_hex(16)
    file = (filename, placeholder, "text/csv; charset=utf-8")
    form, media_type = encode_multipart_formdata([*fields.items(), ("file", file)])
    head, tail = form.split(placeholder.encode())
    return media_type, lambda: FormStream(head, open_file(), tail)


@dataclass(frozen=True)
class Call:
    """A call of the API, with a `json` body, or a `body` of another media type.

    Attributes:
        kind: The purpose of the call, for summaries and metrics.
        group: The rate limit group; None for a token request, which needs no permit.
        repeatable: Whether sending the call twice has the effect of sending it once.
        partial: Whether a refused call may have written some of its records; a refusal that
            cannot be read then leaves the outcome unknown.
        expects: Returns whether the response's data has the shape of this call's responses.
        max_seconds: How long to retry, if less than the policy allows.
        server_error_tries: The number of attempts after which HTTP 500 is final.
    """

    method: str
    path: str
    _: KW_ONLY
    kind: str
    group: RateLimitGroup | None = "synchronous"
    params: Mapping[str, str] = field(default_factory=dict)
    json: Json = field(default=None, repr=False)
    body: OpenBody | None = None
    media_type: str = "application/json"
    repeatable: bool = True
    partial: bool = False
    expects: Callable[[Json], bool] = lambda _: True
    max_seconds: float = math.inf
    server_error_tries: float = math.inf
    min_response_seconds: float = 0.0


@dataclass(frozen=True)
class CallEvent:
    """An attempt, numbered from 1: it `waited`, was sent at an epoch time, and took `seconds`."""

    call: Call
    status: int | None
    error: GainsightError | None
    attempt: int
    sent_at: float
    seconds: float
    waited: float
