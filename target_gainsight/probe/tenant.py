"""The calls of a probe, until a signal ends it. A refusal is a reply, as informative as a success.

A signal acts between two calls, so that no create is cut off half done.
"""

import re
import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import cached_property
from types import FrameType

from target_gainsight.api import (
    Call,
    CallEvent,
    Field,
    GainsightClient,
    Json,
    MetadataApi,
    ObjectSchema,
    Record,
    RecordsApi,
    Response,
    Where,
    encode,
    errors,
)
from target_gainsight.api.http.json_codec import as_mapping
from target_gainsight.api.resources.metadata import LIST_CALL
from target_gainsight.api.resources.records import rows_of
from target_gainsight.probe.observations import OpenQuestionError, ProbeEndedError

GSID = "Gsid"
BASIC_FIELDS = (GSID, "Name")
COMPANY, USER = "company", "gsuser"
_CODE = re.compile(r"[A-Z][A-Z0-9_]{2,30}")
_FINAL = (
    errors.CredentialError,
    errors.QuotaExceededError,
    errors.QuotaStoreError,
    errors.StoppedError,
    errors.UnreachableError,
)
"""After these, no further call can succeed."""
_SIGNALS = [each for each in signal.Signals if each.name in {"SIGINT", "SIGTERM", "SIGHUP"}]
"""SIGHUP, which Windows lacks, comes when the terminal is closed."""
_SIGNAL_EXIT = 128
_MAX_UNREADABLE = 3


@dataclass(frozen=True)
class Reply:
    """The response to one call, or why there is none; `data` is there for a refusal, too.

    The `rows` of a query are under the selected names; None if it failed.
    """

    status: int | None = None
    data: Json = None
    error: errors.GainsightError | None = None
    sent_bytes: int = 0
    select: tuple[str, ...] = ()
    rows: Sequence[Record] | None = None

    @property
    def code(self) -> str | None:
        """Gainsight's error code, if there is one; no other text."""
        code = (self.error.code if self.error else None) or ""
        return code if _CODE.fullmatch(code) else None

    @property
    def summary(self) -> str:
        """HTTP status and error code, without any text of the tenant."""
        status = f"HTTP {self.status}" if self.status else "no response"
        return f"{status} {self.code or ''}".rstrip()

    @property
    def is_refused(self) -> bool:
        """Whether the tenant refuses the call, other than because no row matches."""
        return isinstance(self.error, errors.RefusedError) and self.rows is None

    def accepts(self) -> bool:
        """Return whether a write is accepted; raise `OpenQuestionError` if that is not clear."""
        if not self.is_refused and (self.error or as_mapping(self.data).get("errors")):
            raise OpenQuestionError(self.summary)
        return not self.is_refused

    def values(self, field: str) -> list[Json]:
        """List the values of a field in the rows that have it."""
        return [row[field] for row in self.rows or () if field in row]


class ProbedTenant:
    """Makes the calls of one probe; those that several questions need are made once.

    The rate limiter of the client bounds their number, retries included.

    Attributes:
        events: The attempts of calls, to which the client adds.
        reply: The reply to the last call, which those of `records` and `metadata` leave, too.
        found_nothing: The reply to the last query that worked and returned no row.
        headers: The latest value of every header of a successful response, by name in lower case.
    """

    def __init__(self, client: GainsightClient, base_url: str, events: Sequence[CallEvent]) -> None:
        self.client = client
        self.base_url = base_url
        self.events = events
        self.records = RecordsApi(self._send)
        self.metadata = MetadataApi(self._send)
        self.reply = Reply()
        self.found_nothing: Reply | None = None
        self.headers: dict[str, str] = {}
        self._signal: int | None = None

    @contextmanager
    def stop_on_signals(self) -> Iterator[None]:
        """Note the first signal in the block, on which the next call raises a SystemExit.

        The same signal again ends the process. A different one changes nothing, because a terminal
        and a parent process may signal both.
        """

        def note(signum: int, _: FrameType | None) -> None:
            if self._signal == signum:
                raise SystemExit(_SIGNAL_EXIT + signum)
            self._signal = self._signal or signum

        previous = {each: signal.signal(each, note) for each in _SIGNALS}
        try:
            yield
        finally:
            for each, handler in previous.items():
                signal.signal(each, handler)

    def send(self, call: Call) -> Reply:
        """Make a call and return what came back, a refusal as well as a success."""
        with suppress(errors.GainsightError):
            self._send(call)
        return self.reply

    def query(
        self, object_name: str, select: Sequence[str], where: Where | None = None, limit: int = 100
    ) -> Reply:
        """Query once, as a load does."""
        rows: Sequence[Record] | None = None
        try:
            rows = list(self.records.query(object_name, select=select, where=where, limit=limit))
            error = self.reply.error
        except errors.GainsightError as failure:
            error = failure
        if error is None and rows_of(self.reply.data) is None:
            rows = None
        reply = replace(self.reply, error=error, select=tuple(select), rows=rows)
        if rows is not None and not rows:
            self.found_nothing = reply
        return reply

    @cached_property
    def listed(self) -> Reply:
        """The list of objects."""
        return self.send(LIST_CALL)

    @cached_property
    def described(self) -> tuple[Reply, Mapping[str, ObjectSchema]]:
        """The description of companies and users in one call, and what it holds by object."""
        schemas: Mapping[str, ObjectSchema] = {}
        with suppress(errors.GainsightError):
            schemas = self.metadata.describe_several([COMPANY, USER])
        return self.reply, schemas

    @cached_property
    def company_fields(self) -> tuple[Field, ...]:
        """The fields of companies; two if they are not described."""
        _, schemas = self.described
        with suppress(errors.GainsightError):
            return (schemas.get(COMPANY) or self.metadata.describe(COMPANY)).fields
        return tuple(Field(name, name, "STRING") for name in BASIC_FIELDS)

    @cached_property
    def companies(self) -> Reply:
        """Companies with every field that can be read; with two if such a query is refused."""
        reply = self.query(COMPANY, [field.name for field in self.company_fields])
        for _ in range(_MAX_UNREADABLE):
            if isinstance(reply.error, errors.UnreadableFieldError) and reply.error.fields:
                left = [name for name in reply.select if name not in reply.error.fields]
                reply = self.query(COMPANY, left)
        return self.query(COMPANY, BASIC_FIELDS) if reply.is_refused else reply

    @cached_property
    def users(self) -> Reply:
        """Users, of whom every tenant has some."""
        return self.query(USER, (*BASIC_FIELDS, "Email", "CreatedDate"))

    def _send(self, call: Call) -> Response:
        if self._signal is not None:
            raise SystemExit(_SIGNAL_EXIT + self._signal)
        sent_bytes = 0 if call.json is None else len(encode(call.json))
        # Little: each attempt is one of the calls that the probe may make.
        call = replace(call, max_seconds=1.0, server_error_tries=2, expects=lambda _: True)
        try:
            response = self.client.send(call)
        except errors.CallBudgetExceededError as error:
            message = "the calls that the probe may make are used up"
            raise OpenQuestionError(message) from error
        except _FINAL as error:
            raise ProbeEndedError(str(error)) from error
        except errors.GainsightError as error:
            data = error.data if isinstance(error, errors.RefusedError) else None
            self.reply = Reply(error.status, data, error, sent_bytes)
            raise
        self.reply = Reply(response.status, response.data, None, sent_bytes)
        self.headers.update(response.headers)
        return response
