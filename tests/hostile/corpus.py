"""Invalid and unusual input, with the result that each must have."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from singer_messages import TEXT, record, schema

MEGABYTE = 1_000_000
FORGERY = "\n2026-01-01 00:00:00,000 | ERROR    | root | FORGED\x1b[31m\r\x9b2J\u202e\u2028\x00"
"""Control characters that forge a log line, color or clear a terminal, or reverse text."""

PATHS = (
    "../escaped",
    "../../escaped",
    "/tmp/escaped",  # noqa: S108 - what a stream may be called
    "..",
    ".",
    "",
    "a/b/c",
    "..\\escaped",
    "C:\\escaped",
    "~/escaped",
    "$(touch escaped)",
    "nul",
    "a\x00b",
    "escaped/../../..",
    "%2e%2e%2fescaped",
    "x" * 300,
    "\ud800",
    FORGERY,
)
"""Names of streams that would lead out of a folder, or that no file can have."""


@dataclass(frozen=True)
class Line:
    """A line after a SCHEMA message and before a STATE.

    Attributes:
        data: The line, without its end.
        stops: How the error begins that ends the run; empty when the run goes on.
        rejects: The code of the reject that it becomes.
        lands: The name of the company that it becomes.
    """

    data: bytes
    stops: str = ""
    rejects: str = ""
    lands: str = ""


def _record(body: str | bytes) -> bytes:
    data = body.encode() if isinstance(body, str) else body
    return b'{"type": "RECORD", "stream": "accounts", "record": ' + data + b"}"


def _message(**message: Any) -> bytes:
    return json.dumps(message).encode()


def _nested(levels: int, opening: str = "[", end: str = "]") -> str:
    return opening * levels + end * levels


def _schema_of(column: Any) -> bytes:
    return _message(**schema("others", {"Name": TEXT, "Industry": column})) + b"\n"


_URL = "http://127.0.0.1:9/x.json"
_NO_MESSAGE = "line 2 of the input is not a Singer message: "


def _unchecked(declared: object) -> Line:
    """Return a column whose declaration is not checked, and a record."""
    return Line(_schema_of(declared) + _record('{"Name": "a", "Industry": "b"}'), lands="a")


LINES = {
    "invalid UTF-8": Line(_record(b'{"Name": "a\xffb"}'), f"{_NO_MESSAGE}not UTF-8: byte "),
    "UTF-8 cut in the middle": Line(_record(b'{"Name": "\xe2\x82"}'), f"{_NO_MESSAGE}not UTF-8"),
    "overlong UTF-8": Line(_record(b'{"Name": "\xc0\x80"}'), f"{_NO_MESSAGE}not UTF-8"),
    "encoded surrogate": Line(_record(b'{"Name": "\xed\xa0\x80"}'), rejects="not_text"),
    "UTF-16": Line(_record('{"Name": "a"}').decode().encode("utf-16"), lands="a"),
    "lone surrogate in a text": Line(_record(r'{"Name": "a\ud800b"}'), rejects="not_text"),
    "lone surrogate in a choice": Line(
        _record(r'{"Name": "a", "Status": "\udfff"}'), rejects="unknown_option"
    ),
    "lone surrogate in a column": Line(_record(r'{"Name": "a", "\ud800": 1}'), lands="a"),
    "pair of surrogates": Line(_record(r'{"Name": "\ud83d\ude00"}'), lands="\U0001f600"),
    "NUL in a text": Line(_record(r'{"Name": "a\u0000b"}'), lands="a\x00b"),
    "NUL in a line": Line(
        _record(b'{"Name": "a\x00b"}'), f"{_NO_MESSAGE}not JSON: Invalid control"
    ),
    "NUL after a line": Line(_record('{"Name": "a"}') + b"\x00", f"{_NO_MESSAGE}not JSON: Extra"),
    "byte order mark": Line(b"\xef\xbb\xbf" + _record('{"Name": "a"}'), lands="a"),
    "carriage return": Line(_record('{"Name": "a"}') + b"\r", lands="a"),
    "two messages in a line": Line(
        _record('{"Name": "a"}') * 2, f"{_NO_MESSAGE}not JSON: Extra data"
    ),
    "field of 10 MB": Line(
        _record(f'{{"Name": "a", "Industry": "{"x" * 10 * MEGABYTE}"}}'), rejects="too_long"
    ),
    "key of 10 MB": Line(_record(f'{{"Name": "{"x" * 10 * MEGABYTE}"}}'), rejects="too_long"),
    "column of 1 MB": Line(_record(f'{{"Name": "a", "{"x" * MEGABYTE}": 1}}'), lands="a"),
    "line of garbage": Line(b"\xfe" * MEGABYTE, f"{_NO_MESSAGE}not "),
    "number of 400 digits": Line(
        _record(f'{{"Name": "a", "Employees": {"9" * 400}}}'), rejects="number_out_of_range"
    ),
    "number of 5,000 digits": Line(
        _record(f'{{"Name": "a", "Employees": {"9" * 5_000}}}'), rejects="number_out_of_range"
    ),
    "number of a million digits": Line(
        _record(f'{{"Name": "a", "Employees": -{"9" * MEGABYTE}}}'), rejects="number_out_of_range"
    ),
    "huge exponent": Line(
        _record('{"Name": "a", "Employees": 1e999999999}'), rejects="number_out_of_range"
    ),
    "impossible exponent": Line(
        _record(f'{{"Name": "a", "Employees": 1e{"9" * 30}}}'), f"{_NO_MESSAGE}not readable as JSON"
    ),
    "tiny exponent": Line(
        _record('{"Name": "a", "Mrr": 1e-999999999}'), rejects="number_out_of_range"
    ),
    "NaN": Line(_record('{"Name": "a", "Employees": NaN}'), rejects="not_finite"),
    "Infinity": Line(_record('{"Name": "a", "Employees": -Infinity}'), rejects="not_finite"),
    "minus zero": Line(_record('{"Name": "a", "Employees": -0}'), lands="a"),
    "leading zero": Line(_record('{"Name": "a", "Employees": 007}'), f"{_NO_MESSAGE}not JSON"),
    "duplicate keys": Line(_record('{"Name": "a", "Name": "b"}'), lands="b"),
    "duplicate keys of the message": Line(
        b'{"type": "STATE", "value": 1, ' + _record('{"Name": "a"}')[1:], lands="a"
    ),
    "100 levels": Line(
        _record(f'{{"Name": "a", "Industry": {_nested(100)}}}'), rejects="schema_violation"
    ),
    "300 levels": Line(
        _record(f'{{"Name": "a", "Industry": {_nested(300)}}}'),
        f"{_NO_MESSAGE}nested more than 200 levels deep",
    ),
    "100,000 levels": Line(
        _record(f'{{"Name": {_nested(100_000)}}}'),
        f"{_NO_MESSAGE}nested more than 200 levels deep",
    ),
    "100,000 levels without an end": Line(
        _record(f'{{"Name": {"[" * 100_000}'), f"{_NO_MESSAGE}nested more than 200 levels deep"
    ),
    "schema of 100,000 levels": Line(
        b'{"type": "SCHEMA", "stream": "accounts", "schema": {"properties": '
        + _nested(100_000, '{"a": ', "}").encode().replace(b"}", b"1}", 1)
        + b"}}",
        f"{_NO_MESSAGE}nested more than 200 levels deep",
    ),
    "state of 1,000 levels": Line(
        f'{{"type": "STATE", "value": {_nested(1_000)}}}'.encode(),
        f"{_NO_MESSAGE}nested more than 200 levels deep",
    ),
    "wide but flat": Line(_record(f'{{"Name": "a", "x": [{"[]," * 100_000}[]]}}'), lands="a"),
    "record before its schema": Line(
        _message(**record("others", Name="a")),
        "a record of stream 'others' came before its SCHEMA message",
    ),
    "unknown message type": Line(_message(type="DELETE", stream="a"), f"{_NO_MESSAGE}unknown"),
    "unknown message type that forges": Line(_message(type=FORGERY), f"{_NO_MESSAGE}unknown"),
    "no type": Line(b"{}", f"{_NO_MESSAGE}unknown message type (none)"),
    "record that is null": Line(_record("null"), f"{_NO_MESSAGE}record must be an object"),
    "empty record": Line(_record("{}"), rejects="key_missing"),
    "key that is null": Line(_record('{"Name": null}'), rejects="key_missing"),
    "stream that is a number": Line(
        _message(type="RECORD", stream=5, record={}), f"{_NO_MESSAGE}stream must be text"
    ),
    "reject reason that is none": Line(
        _message(**record(Name="a"), gainsight_reject="x"), lands="a"
    ),
    "reject reason from elsewhere": Line(
        _message(**record(Name="a"), gainsight_reject={"id": "../../x-1", "sent_at": "soon"}),
        lands="a",
    ),
    "keys that are no names": Line(
        _message(**{**schema(), "key_properties": [["Name"]]}),
        f"{_NO_MESSAGE}key_properties must be a list of names",
    ),
    "keys that are no list": Line(
        _message(**{**schema(), "key_properties": 7}),
        f"{_NO_MESSAGE}key_properties must be a list of names",
    ),
    "schema whose column is none": _unchecked("x"),
    "schema that refers to itself": Line(
        _schema_of({"$ref": "#"}) + _record('{"Name": "a", "Industry": "b"}'), lands="a"
    ),
    "schema that refers to nothing": _unchecked({"$ref": "#/definitions/x"}),
    "schema that refers to another host": _unchecked({"$ref": _URL}),
    "schema that refers to a file": _unchecked({"$ref": "file:///etc/hostname"}),
    "schema with a pattern that is none": _unchecked({"type": "string", "pattern": "("}),
    "schema of another host's making": Line(
        _message(**{**schema(), "schema": {"$schema": _URL, "$id": _URL, **schema()["schema"]}})
        + b"\n"
        + _record('{"Name": "a"}'),
        lands="a",
    ),
}
