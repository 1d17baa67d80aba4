"""The request and the response of an endpoint, and its refusals, without a web framework."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

INVALID_VALUE = "GSOBJ_1002"
DELETE_FAILED = "GSOBJ_1003"
NULL_VALUE = "GSOBJ_1007"
GENERIC = "GSOBJ_1008"
NOTHING_MATCHES = "GSOBJ_1011"
WRONG_API = "GSOBJ_1023"
UNREADABLE_FIELD = "P_5005"
WRONG_HEADERS = "GSOBJ_1024"
OBJECT_NOT_FOUND = "OBJECT_NOT_FOUND"
SERVER_ERROR = "GU_1101"
UNKNOWN_ROUTE = "GS_APIG_1000"
NOT_ALLOWED = "GS_APIG_2402"


@dataclass(frozen=True)
class Incoming:
    """A request: parameters of the path, body as parsed JSON or form, headers in lower case."""

    method: str
    params: Mapping[str, str]
    query: Mapping[str, str]
    body: object
    size: int
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Answer:
    """A response, without its envelope.

    Attributes:
        status: HTTP status.
        data: the envelope's `data`; the key is left out unless `with_data`.
        records: records sent or rows read, for the call log.
        extra: further keys of the envelope.
        plain: the whole body instead of an envelope.
        page: the title of a web page that is sent instead of an envelope.
    """

    status: int = 200
    data: object = None
    code: str | None = None
    description: str | None = None
    with_data: bool = True
    records: int = 0
    extra: Mapping[str, object] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    plain: Mapping[str, object] | None = None
    page: str | None = None

    def envelope(self, request_id: str) -> Mapping[str, object]:
        """Return the JSON body: result, errorCode, errorDesc, requestId, data, message [O]."""
        if self.plain is not None:
            return self.plain
        body: dict[str, object] = {
            "result": self.code is None,
            "errorCode": self.code,
            "errorDesc": self.description,
            "requestId": request_id,
        }
        if self.with_data:
            body["data"] = self.data
            body["message"] = None
        return {**body, **self.extra}


class Refusal(Exception):  # noqa: N818 - an ordinary response here
    """Ends a call with a failure; `answer` is the response."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.description)
        self.answer = answer


class FieldError(NamedTuple):
    """A refused field of a record."""

    field: str
    value: Any
    code: str
    message: str


def refuse(code: str, description: str, *, status: int = 400, data: object = None) -> Refusal:
    """Return a refusal of the whole call."""
    return Refusal(Answer(status, data, code, description))
