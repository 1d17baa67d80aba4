"""Receives survey responses by webhook and is their Singer tap, for as long as it runs.

    python examples/nps/webhook.py --journal responses.jsonl --state states.jsonl |
        meltano invoke target-gainsight-nps >>states.jsonl

A response is answered with 202 once it is on disk, in the journal, and goes to standard output from
there. The target writes down how far it has come; the next start goes on from that, so that neither
a crash here nor one there loses a response, and the recipe's upserts double none.
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
MOST_BYTES = 1_000_000
MOST_POINTS = 10
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
    """The responses that were accepted: a line of JSON each, in the order in which they came.

    Args:
        path: The file; it is made for its owner alone, because it holds personal data.
    """

    def __init__(self, path: Path) -> None:
        flags = os.O_APPEND | os.O_CREAT | os.O_RDWR
        self._file = os.fdopen(os.open(path, flags, 0o600), "r+b")
        self._changed = threading.Condition()
        self._closed = False
        self._end = self._mend()

    def append(self, responses: Sequence[Mapping[str, Any]]) -> None:
        """Put responses on disk, all or none."""
        data = "".join(json.dumps(each) + "\n" for each in responses).encode()
        with self._changed:
            self._file.seek(0, os.SEEK_END)
            self._file.write(data)
            self._file.flush()
            os.fsync(self._file.fileno())
            self._end += len(data)
            self._changed.notify_all()

    def close(self) -> None:
        """Let ``follow`` come to its end."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def follow(self, offset: int) -> Iterator[tuple[list[bytes], int]]:
        """Give out what was accepted since, and then what comes, until the journal is closed.

        Args:
            offset: Bytes that were given out before.

        Yields:
            Lines, and the offset behind the last of them.
        """
        if offset > self._end:
            message = "the state is ahead of the journal; move or remove both files together"
            raise SystemExit(message)
        while lines := self._next_lines(offset):
            offset += sum(len(line) for line in lines)
            yield lines, offset

    def _next_lines(self, offset: int) -> list[bytes]:
        """Wait for lines behind an offset; there are none once the journal is closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._end > offset)
            self._file.seek(offset)
            return self._file.readlines(MOST_BYTES)

    def _mend(self) -> int:
        """End the line that a power cut left half written; nobody was told that it is accepted."""
        end = self._file.seek(0, os.SEEK_END)
        if end:
            self._file.seek(end - 1)
            if self._file.read(1) != b"\n":
                end += self._file.write(b"\n")
                self._file.flush()
        return end


class Receiver(ThreadingHTTPServer):
    """Takes responses by `POST`, one as a JSON object or several as a list.

    Args:
        address: Where it listens.
        token: What the sender's `Authorization: Bearer …` has to hold.
        journal: Takes what is accepted.
    """

    def __init__(self, address: tuple[str, int], token: str, journal: Journal) -> None:
        super().__init__(address, Call)
        self.token = token
        self.journal = journal


class Call(BaseHTTPRequestHandler):
    """One call of the survey tool."""

    timeout = 10

    def do_POST(self) -> None:
        """Accept responses, or say what is wrong with them; none is accepted in part."""
        receiver = cast("Receiver", self.server)
        given = self.headers.get("Authorization", "").encode()
        if not hmac.compare_digest(given, f"Bearer {receiver.token}".encode()):
            self._answer(401, "unknown token")
            return
        length = self.headers.get("Content-Length", "")
        if not length.isdigit() or int(length) > MOST_BYTES:
            self._answer(413, f"send up to {MOST_BYTES} bytes, with a Content-Length")
            return
        try:
            responses = accepted(self.rfile.read(int(length)))
        except ValueError as error:
            self._answer(400, str(error))
            return
        receiver.journal.append(responses)
        self._answer(202, "accepted")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
        """Write no line for each call: standard error is read for what goes wrong."""

    def _answer(self, status: int, text: str) -> None:
        body = f"{text}\n".encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def accepted(body: bytes) -> list[dict[str, Any]]:
    """Read the body of a call.

    Raises:
        ValueError: It is no JSON, or a response lacks something; no value of it is shown.
    """
    try:
        parsed = json.loads(body)
    except (ValueError, RecursionError):
        message = "the body is no JSON"
        raise ValueError(message) from None
    responses = parsed if isinstance(parsed, list) else [parsed]
    for number, response in enumerate(responses, start=1):
        wrong = "it is no object" if not isinstance(response, dict) else first_mistake(response)
        if wrong:
            message = f"response {number}: {wrong}"
            raise ValueError(message)
    return responses


def first_mistake(response: Mapping[str, Any]) -> str | None:
    """Say what the target could not bear in a response, if anything."""
    for name in REQUIRED:
        if response.get(name) in (None, ""):
            return f"{name} is missing"
    for name, column in COLUMNS.items():
        if "string" in column["type"] and not isinstance(response.get(name) or "", str):
            return f"{name} is no text"
    score = response["score"]
    if type(score) is not int or not 0 <= score <= MOST_POINTS:
        return f"score is no whole number from 0 to {MOST_POINTS}"
    return None


def emit(message: Mapping[str, Any]) -> None:
    """Write a Singer message."""
    sys.stdout.write(json.dumps(message) + "\n")


def emit_responses(lines: Sequence[bytes], offset: int) -> None:
    """Write responses as records, and how far the target is once it has settled them."""
    for line in lines:
        try:
            response = json.loads(line)
        except ValueError:
            continue  # the half line of a power cut
        record = {name: response.get(name) for name in COLUMNS}
        emit({"type": "RECORD", "stream": STREAM, "record": record})
    emit({"type": "STATE", "value": {"journal": offset}})
    sys.stdout.flush()


def settled_offset(path: Path) -> int:
    """Read from the target's output how far the journal is loaded."""
    offset = 0
    if path.exists():
        for line in path.read_bytes().splitlines(keepends=True):
            if line.endswith(b"\n") and line.strip():
                offset = json.loads(line)["journal"]
    return offset


def follow_journal(journal: Journal, offset: int) -> None:
    """Be the tap of a journal until it is closed."""
    schema = {"type": "object", "properties": COLUMNS, "required": list(REQUIRED)}
    emit({"type": "SCHEMA", "stream": STREAM, "schema": schema, "key_properties": [KEY]})
    sys.stdout.flush()
    for lines, settled in journal.follow(offset):
        emit_responses(lines, settled)


def main() -> None:
    """Receive until a signal comes or the target goes away."""
    parser = argparse.ArgumentParser(description="Receive survey responses for target-gainsight.")
    parser.add_argument("--host", default="127.0.0.1", help="put a proxy with TLS before it")
    parser.add_argument("--port", type=int, default=8080)
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
        receiver.server_close()  # once the calls under way are answered


if __name__ == "__main__":
    main()
