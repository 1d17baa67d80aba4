"""A webhook receiver for survey responses that is also their Singer tap.

    python examples/nps/webhook.py --journal responses.jsonl --state states.jsonl |
        meltano invoke target-gainsight-nps >>states.jsonl

A response is accepted (202) when it is on disk in the journal, and written to standard output from
there. The target records its progress in the state file, and the next start continues from it: a
crash of either process loses no response, and the recipe's upserts create no duplicates.

A response has the columns of the recipe. If the survey tool names its fields otherwise, `--fields`
takes a JSON file with the field of each column; `customergauge.json` is one.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import hmac
import json
import os
import re
import signal
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast

STREAM = "survey_responses"
KEY = "response_id"
MAX_BYTES = 1_000_000
MAX_SCORE = 10
TOKEN = "SURVEY_WEBHOOK_TOKEN"  # noqa: S105 - the name of the variable that holds it
TEXT = {"type": ["string", "null"]}
COLUMNS: Mapping[str, Any] = {
    KEY: {"type": "string"},
    "survey_id": TEXT,
    "account_id": {"type": "string"},
    "account_name": {"type": "string"},
    "account_owner_email": TEXT,
    "respondent_email": TEXT,
    "respondent_first_name": TEXT,
    "respondent_last_name": TEXT,
    "score": {"type": "integer"},
    "comment": TEXT,
    "channel": TEXT,
    "touchpoint": TEXT,
    "responded_at": {"type": "string"},
    "country": TEXT,
    "product": TEXT,
    "segment": TEXT,
    "case_url": TEXT,
}
REQUIRED = tuple(name for name, column in COLUMNS.items() if column is not TEXT)
OWN_FIELDS: Mapping[str, str] = {name: name for name in COLUMNS}
"""The field of each column if the survey tool sends the columns themselves."""


class Journal:
    """The accepted responses, one line of JSON each, in the order of their arrival.

    Args:
        path: The file. It holds personal data and is created with mode 0600.
    """

    def __init__(self, path: Path) -> None:
        flags = os.O_APPEND | os.O_CREAT | os.O_RDWR
        self._file = os.fdopen(os.open(path, flags, 0o600), "r+b")
        self._changed = threading.Condition()
        self._closed = False
        self._end = self._end_partial_line()

    def append(self, responses: Sequence[Mapping[str, Any]]) -> None:
        """Write responses to disk, all or none."""
        data = "".join(json.dumps(each) + "\n" for each in responses).encode()
        with self._changed:
            self._file.seek(0, os.SEEK_END)
            self._file.write(data)
            self._file.flush()
            os.fsync(self._file.fileno())
            self._end += len(data)
            self._changed.notify_all()

    def close(self) -> None:
        """Let ``follow`` end."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def follow(self, offset: int) -> Iterator[tuple[list[bytes], int]]:
        """Yield accepted lines, and wait for more until the journal is closed.

        Args:
            offset: Where to start, in bytes.

        Yields:
            Lines, and the offset after the last of them.
        """
        if offset > self._end:
            message = "the state is ahead of the journal; move or remove both files together"
            raise SystemExit(message)
        while lines := self._next_lines(offset):
            offset += sum(len(line) for line in lines)
            yield lines, offset

    def _next_lines(self, offset: int) -> list[bytes]:
        """Wait for lines after an offset. Return none when the journal is closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._end > offset)
            self._file.seek(offset)
            return self._file.readlines(MAX_BYTES)

    def _end_partial_line(self) -> int:
        """End a line that a power cut left half written. Its response was never accepted."""
        end = self._file.seek(0, os.SEEK_END)
        if end:
            self._file.seek(end - 1)
            if self._file.read(1) != b"\n":
                end += self._file.write(b"\n")
                self._file.flush()
        return end


class Receiver(ThreadingHTTPServer):
    """Accepts responses by `POST`: one as a JSON object, or several as a list.

    Args:
        address: Host and port to listen on.
        token: The token that callers send as `Authorization: Bearer …`, or as the password of
            `Authorization: Basic …`.
        journal: Where accepted responses are written.
        fields: Column to the field that holds it, with dots into nested objects.
    """

    def __init__(
        self,
        address: tuple[str, int],
        token: str,
        journal: Journal,
        fields: Mapping[str, str] = OWN_FIELDS,
    ) -> None:
        super().__init__(address, Call)
        self.token = token
        self.journal = journal
        self.fields = fields


class Call(BaseHTTPRequestHandler):
    """One request of the survey tool."""

    timeout = 10

    def do_GET(self) -> None:
        """Respond to health checks, which need no token."""
        if self.path == "/health":
            self._answer(200, "ok")
        else:
            self._answer(404, "POST responses, or GET /health")

    def do_POST(self) -> None:
        """Accept all responses of a request, or none and respond with the reason."""
        receiver = cast("Receiver", self.server)
        given = sent_token(self.headers.get("Authorization", ""))
        if not hmac.compare_digest(given, receiver.token.encode()):
            self._answer(401, "unknown token")
            return
        length = self.headers.get("Content-Length", "")
        if not length.isdigit() or int(length) > MAX_BYTES:
            self._answer(413, f"send up to {MAX_BYTES} bytes, with a Content-Length")
            return
        try:
            responses = accepted(self.rfile.read(int(length)), receiver.fields)
        except ValueError as error:
            self._answer(400, str(error))
            return
        receiver.journal.append(responses)
        self._answer(202, "accepted")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
        """Do not log each request: standard error is for errors."""

    def _answer(self, status: int, text: str) -> None:
        body = f"{text}\n".encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def sent_token(authorization: str) -> bytes:
    """Return the token of an `Authorization` header, empty if it has none."""
    scheme, _, value = authorization.partition(" ")
    if scheme.lower() == "bearer":
        return value.encode()
    basic = value if scheme.lower() == "basic" else ""
    try:
        return base64.b64decode(basic, validate=True).partition(b":")[2]
    except binascii.Error:
        return b""


def accepted(body: bytes, fields: Mapping[str, str] = OWN_FIELDS) -> list[dict[str, Any]]:
    """Parse the body of a request.

    Args:
        body: A response as a JSON object, or a list of them.
        fields: Column to the field that holds it.

    Returns:
        The responses, with the recipe's columns.

    Raises:
        ValueError: It is not JSON, or a response is invalid. The message contains no values.
    """
    try:
        parsed = json.loads(body)
    except (ValueError, RecursionError):
        message = "the body is not JSON"
        raise ValueError(message) from None
    responses = []
    for number, payload in enumerate(parsed if isinstance(parsed, list) else [parsed], start=1):
        try:
            responses.append(read_response(payload, fields))
        except ValueError as error:
            message = f"response {number}: {error}"
            raise ValueError(message) from None
    return responses


def read_response(payload: object, fields: Mapping[str, str]) -> dict[str, Any]:
    """Return a response with the recipe's columns.

    Raises:
        ValueError: The target could not load it. The message contains no values.
    """
    if not isinstance(payload, dict):
        message = "it is not an object"
        raise ValueError(message)  # noqa: TRY004 - the sender's mistake, not a bug
    response = {column: value_at(payload, path) for column, path in fields.items()}
    if fields is not OWN_FIELDS:
        response = {column: converted(column, value) for column, value in response.items()}
    wrong = first_mistake(response)
    if wrong:
        column, problem = wrong
        name = column if fields[column] == column else f"{fields[column]} ({column})"
        message = f"{name} {problem}"
        raise ValueError(message)
    return response


def value_at(payload: Mapping[str, Any], path: str) -> Any:  # noqa: ANN401 - JSON of any shape
    """Return the value of a field, or None; dots lead into nested objects."""
    value: Any = payload
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def converted(column: str, value: Any) -> Any:  # noqa: ANN401 - JSON of any shape
    """Convert a number that the survey tool sends as text, or text that it sends as a number."""
    if column == "score" and isinstance(value, str) and value.strip().isdecimal():
        return int(value)
    if column != "score" and type(value) is int:
        return str(value)
    return value


def first_mistake(response: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return the column for which the target could not load a response and why, or None."""
    for name in REQUIRED:
        if response.get(name) in (None, ""):
            return name, "is missing"
    for name, column in COLUMNS.items():
        if "string" in column["type"] and not isinstance(response.get(name) or "", str):
            return name, "is not text"
    score = response["score"]
    if type(score) is not int or not 0 <= score <= MAX_SCORE:
        return "score", f"is not a whole number from 0 to {MAX_SCORE}"
    return date_mistake(response["responded_at"])


def date_mistake(text: str) -> tuple[str, str] | None:
    """Return what is wrong with the time of a response, or None."""
    # Python 3.10 parses neither Z nor all fractions of a second.
    plain = re.sub(r"\.[0-9]+", "", text.strip()).replace("Z", "+00:00")
    try:
        responded = datetime.fromisoformat(plain)
    except ValueError:
        return "responded_at", "is not a date and time such as 2026-02-28T09:30:00+01:00"
    if responded > datetime.now(responded.tzinfo) + timedelta(days=1):
        return "responded_at", "is in the future"
    return None


def read_fields(path: str) -> Mapping[str, str]:
    """Read a file that maps the recipe's columns to the survey tool's fields.

    Raises:
        argparse.ArgumentTypeError: It cannot be used.
    """
    fields: Any = None
    try:
        fields = json.loads(Path(path).read_text(encoding="utf-8"))
        mistake = fields_mistake(fields)
    except OSError as error:
        mistake = f"cannot be read: {error.strerror}"
    except ValueError:
        mistake = "is not JSON"
    if mistake:
        message = f"{path} {mistake}"
        raise argparse.ArgumentTypeError(message)
    return cast("Mapping[str, str]", fields)


def fields_mistake(fields: object) -> str | None:
    """Return what is wrong with the content of a file of fields, or None."""
    if not isinstance(fields, dict) or not all(isinstance(each, str) for each in fields.values()):
        return "is not an object that maps columns to fields"
    if unknown := ", ".join(sorted(set(fields) - set(COLUMNS))):
        return f"has columns that the recipe does not have: {unknown}"
    if missing := ", ".join(name for name in REQUIRED if name not in fields):
        return f"has no field for {missing}"
    return None


def emit(message: Mapping[str, Any]) -> None:
    """Write a Singer message."""
    sys.stdout.write(json.dumps(message) + "\n")


def emit_responses(lines: Sequence[bytes], offset: int) -> None:
    """Write responses as records, and the state that covers them."""
    for line in lines:
        try:
            response = json.loads(line)
        except ValueError:
            continue  # a line that a power cut left half written
        record = {name: response.get(name) for name in COLUMNS}
        emit({"type": "RECORD", "stream": STREAM, "record": record})
    emit({"type": "STATE", "value": {"journal": offset}})
    sys.stdout.flush()


def settled_offset(path: Path) -> int:
    """Read from the target's output up to where the journal is loaded."""
    offset = 0
    if path.exists():
        for line in path.read_bytes().splitlines(keepends=True):
            if line.endswith(b"\n") and line.strip():
                offset = json.loads(line)["journal"]
    return offset


def follow_journal(journal: Journal, offset: int) -> None:
    """Write the journal as Singer messages until it is closed."""
    schema = {"type": "object", "properties": COLUMNS, "required": list(REQUIRED)}
    emit({"type": "SCHEMA", "stream": STREAM, "schema": schema, "key_properties": [KEY]})
    sys.stdout.flush()
    for lines, settled in journal.follow(offset):
        emit_responses(lines, settled)


def main() -> None:
    """Receive until a signal arrives or the target ends."""
    parser = argparse.ArgumentParser(description="Receive survey responses for target-gainsight.")
    help_text = "address to listen on; put a TLS proxy in front of it"
    parser.add_argument("--host", default="127.0.0.1", help=help_text)
    parser.add_argument("--port", type=int, default=8090, help="port to listen on")
    parser.add_argument("--journal", type=Path, required=True)
    parser.add_argument("--state", type=Path, required=True, help="where the target's output goes")
    help_text = "JSON: the survey tool's field of each column"
    parser.add_argument("--fields", type=read_fields, default=OWN_FIELDS, help=help_text)
    arguments = parser.parse_args()
    token = os.environ.get(TOKEN)
    if not token:
        parser.error(f"set {TOKEN} to the token that the survey tool sends")
    journal = Journal(arguments.journal)
    receiver = Receiver((arguments.host, arguments.port), token, journal, arguments.fields)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: threading.Thread(target=journal.close).start())
    threading.Thread(target=receiver.serve_forever, daemon=True).start()
    host, port = receiver.server_address[:2]
    print(f"listening on http://{host!s}:{port}", file=sys.stderr, flush=True)
    try:
        follow_journal(journal, settled_offset(arguments.state))
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit("the target has ended; start both again")
    finally:
        receiver.shutdown()
        receiver.server_close()  # after open requests are answered


if __name__ == "__main__":
    main()
