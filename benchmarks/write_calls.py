"""Sends prepared writes as fast as a tenant takes them: ``write_calls.py URL KEY CALLS``."""

from __future__ import annotations

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

from inputs import company  # type: ignore[import-not-found]  # it stands beside this script

CONNECTIONS = 4
BATCH = 50


def body(number: int) -> bytes:
    """The body of one call."""
    first = number * BATCH
    return json.dumps({"records": [company(first + place) for place in range(BATCH)]}).encode()


def send(host: str, key: str, bodies: list[bytes]) -> None:
    """Send some calls over a connection of their own."""
    connection = HTTPConnection(host)
    headers = {"accesskey": key, "content-type": "application/json"}
    for each in bodies:
        connection.request("POST", "/v1/data/objects/company", each, headers)
        answer = connection.getresponse()
        answer.read()
        if answer.status != 200:  # noqa: PLR2004
            raise SystemExit(answer.status)
    connection.close()


def main(url: str, key: str, calls: str) -> None:
    """Send and write down how long it took."""
    bodies = [body(number) for number in range(int(calls))]
    parts = [bodies[start::CONNECTIONS] for start in range(CONNECTIONS)]
    host = urlsplit(url).netloc
    began = time.perf_counter()
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        for sent in [pool.submit(send, host, key, part) for part in parts]:
            sent.result()
    Path("seconds.txt").write_text(str(time.perf_counter() - began), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
