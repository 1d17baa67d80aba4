"""The calls of a probe, until a signal ends it. A refusal is a reply, as informative as a success.

A signal acts between two calls, so that no create is cut off half done.
"""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from types import FrameType

from target_gainsight.api import (
    Call,
    CallBudgetExceededError,
    CredentialError,
    GainsightClient,
    GainsightError,
    Json,
    QuotaExceededError,
    QuotaStoreError,
    Record,
    RefusedError,
    StoppedError,
    UnreachableError,
    UnreadableFieldError,
    Where,
    encode,
)
from target_gainsight.api.http.json_codec import as_mapping
from target_gainsight.probe.observations import NotSettledError

_CODE = re.compile(r"[A-Z][A-Z0-9_]{2,30}")
_MAX_ROWS = 1000
_FINAL = (CredentialError, QuotaExceededError, QuotaStoreError, StoppedError, UnreachableError)
"""After these, no further call can succeed."""
_SIGNALS = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)
"""SIGHUP, which Windows lacks, comes when the terminal is closed."""
_SIGNAL_EXIT = 128


@dataclass(frozen=True)
class Reply:
    """The response to one call, or why there is none.

    Attributes:
        status: The HTTP status; None without a response.
        data: The payload, also of a refusal.
        error: Why the call did not succeed; None if it did.
        sent_bytes: The size of the request's body.
    """

    status: int | None
    data: Json
    error: GainsightError | None
    sent_bytes: int

    @property
    def code(self) -> str | None:
        """Gainsight's error code, if the call was refused with one; no other text."""
        code = (self.error.code if self.error else None) or ""
        return code if _CODE.fullmatch(code) else None

    @property
    def is_accepted(self) -> bool:
        """Whether the tenant calls a write a success and lists no error."""
        return self.error is None and not as_mapping(self.data).get("errors")

    @property
    def is_refused(self) -> bool:
        """Whether the tenant refuses the call; otherwise its outcome may be unknown."""
        return isinstance(self.error, RefusedError)

    def accepts(self) -> bool:
        """Return whether the tenant accepts a write.

        Raises:
            NotSettledError: It neither accepts nor refuses it.
        """
        if not self.is_accepted and not self.is_refused:
            raise NotSettledError(self.summary)
        return self.is_accepted

    @property
    def summary(self) -> str:
        """HTTP status and error code, without any text of the tenant."""
        status = f"HTTP {self.status}" if self.status else "no response"
        return f"{status} {self.code or ''}".rstrip()


class ProbeSession:
    """Makes the calls of one probe, paced and counted by the client's rate limiter.

    Attributes:
        client: The client; its rate limiter bounds the number of calls, retries included.
        headers: The latest value of every header of a successful response, by name in lower case.
    """

    def __init__(self, client: GainsightClient) -> None:
        self.client = client
        self.headers: dict[str, str] = {}
        self._signal: int | None = None

    @contextmanager
    def stop_on_signals(self) -> Iterator[None]:
        """Note the first signal in the block, on which the next call raises.

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

    def check_signals(self) -> None:
        """Raise a SystemExit with the exit code of the signal that was noted, if one was."""
        if self._signal is not None:
            raise SystemExit(_SIGNAL_EXIT + self._signal)

    def send(self, call: Call) -> Reply:
        """Make a call and return what came back, a refusal as well as a success.

        Raises:
            NotSettledError: The calls that the probe may make are used up.
            StopRunError: No further call can succeed: the credential is not accepted, the tenant
                cannot be reached, or the quota of the day is used up.
            SystemExit: A signal ends the probe.
        """
        self.check_signals()
        sent_bytes = 0 if call.json is None else len(encode(call.json))
        # Little: each attempt is one of the calls that the probe may make.
        call = replace(call, max_seconds=1.0, server_error_tries=2, expects=lambda _: True)
        try:
            response = self.client.send(call)
        except CallBudgetExceededError as error:
            message = "the calls that the probe may make are used up"
            raise NotSettledError(message) from error
        except _FINAL:
            raise
        except GainsightError as error:
            data = error.data if isinstance(error, RefusedError) else None
            return Reply(error.status, data, error, sent_bytes)
        self.headers.update(response.headers)
        return Reply(response.status, response.data, None, sent_bytes)

    def query(self, object_name: str, select: Sequence[str], where: Where) -> list[Record]:
        """Read up to 1,000 rows, without the fields that no query can read.

        Raises:
            GainsightError: They cannot be read.
        """
        query = self.client.records.query
        try:
            return list(query(object_name, select=select, where=where, limit=1000))
        except UnreadableFieldError as error:
            readable = [name for name in select if name not in error.fields]
            return list(query(object_name, select=readable, where=where, limit=1000))
