"""A webhook receiver for survey responses that is also their Singer tap.

    python examples/nps/webhook.py --journal responses.jsonl --state states.jsonl |
        meltano invoke target-gainsight-nps >>states.jsonl

A response is accepted (202) when it is on disk in the journal, and written to standard output from
there. The target records its progress in the state file, and the next start continues from it: a
crash of either process loses no response, and the recipe's upserts create no duplicates.
"""

from __future__ import annotations

import argparse
import hmac
import json
import os
import signal
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

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
        token: The token that callers send as `Authorization: Bearer …`.
        journal: Where accepted responses are written.
    """

    def __init__(self, address: tuple[str, int], token: str, journal: Journal) -> None:
        super().__init__(address, Call)
        self.token = token
        self.journal = journal


class Call(BaseHTTPRequestHandler):
    """One request of the survey tool."""

    timeout = 10

    def do_POST(self) -> None:
        """Accept all responses of a request, or none and respond with the reason."""
        receiver = cast("Receiver", self.server)
        given = self.headers.get("Authorization", "").encode()
        if not hmac.compare_digest(given, f"Bearer {receiver.token}".encode()):
            self._answer(401, "unknown token")
            return
        length = self.headers.get("Content-Length", "")
        if not length.isdigit() or int(length) > MAX_BYTES:
            self._answer(413, f"send up to {MAX_BYTES} bytes, with a Content-Length")
            return
        try:
            responses = accepted(self.rfile.read(int(length)))
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


def accepted(body: bytes) -> list[dict[str, Any]]:
    """Parse the body of a request.

    Raises:
        ValueError: It is not JSON, or a response is invalid. The message contains no values.
    """
    try:
        parsed = json.loads(body)
    except (ValueError, RecursionError):
        message = "the body is not JSON"
        raise ValueError(message) from None
    responses = parsed if isinstance(parsed, list) else [parsed]
    for number, response in enumerate(responses, start=1):
        wrong = "it is not an object" if not isinstance(response, dict) else first_mistake(response)
        if wrong:
            message = f"response {number}: {wrong}"
            raise ValueError(message)
    return responses


def first_mistake(response: Mapping[str, Any]) -> str | None:
    """Return why the target could not load a response, or None."""
    for name in REQUIRED:
        if response.get(name) in (None, ""):
            return f"{name} is missing"
    for name, column in COLUMNS.items():
        if "string" in column["type"] and not isinstance(response.get(name) or "", str):
            return f"{name} is not text"
    score = response["score"]
    if type(score) is not int or not 0 <= score <= MAX_SCORE:
        return f"score is not a whole number from 0 to {MAX_SCORE}"
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
    parser.add_argument("--host", default="127.0.0.1", help="use a TLS proxy in front of it")
    parser.add_argument("--port", type=int, default=8090)
    parser.add_argument("--journal", type=Path, required=True)
    parser.add_argument("--state", type=Path, required=True, help="where the target's output goes")
    arguments = parser.parse_args()
    token = os.environ.get(TOKEN)
    if not token:
        parser.error(f"set {TOKEN} to the token that the survey tool sends")
    journal = Journal(arguments.journal)
    receiver = Receiver((arguments.host, arguments.port), token, journal)
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
