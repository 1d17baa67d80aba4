"""The files of BATCH messages."""

import gzip
import zlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import unquote

from singer_sdk.singerlib.exceptions import InvalidInputLine
from upath import UPath

from target_gainsight.loading.outcomes import RunStoppedError
from target_gainsight.loading.storage.source_json import read_json
from target_gainsight.mapping.errors import display, display_path, error_text


def read_batch(message: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Read the records of a BATCH message's files, line by line."""
    encoding = message["encoding"]
    form, compression = encoding.get("format"), encoding.get("compression")
    if form != "jsonl" or compression not in (None, "none", "gzip"):
        stream, found = display(message["stream"]), display(f"{form}, compression {compression}")
        text = f"stream {stream}: a BATCH message in {found} cannot be read"
        suggestion = "Let the tap write jsonl, plain or with gzip."
        raise RunStoppedError(text, code="batch_file", suggestion=suggestion)
    for path in message["manifest"]:
        yield from _records_of(path, compressed=compression == "gzip")


def _records_of(path: str, *, compressed: bool) -> Iterator[dict[str, Any]]:
    name = f"the batch file {display_path(path)}"
    try:
        file = UPath(path)
        if path.startswith("file:") and not file.exists():  # taps write blanks as they are, or %20
            file = UPath(unquote(path))
        with file.open("rb") as packed, gzip.open(packed) if compressed else packed as lines:
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    yield _parse(line, f"line {number} of {name}")
    except ImportError as error:
        suggestion = f"Install it: {display(str(error))}."
        if path.startswith("s3:"):
            suggestion = "Install the s3 extra: pip install 'target-gainsight[s3]'."
        text = f"{name} needs a package that is missing"
        raise RunStoppedError(text, code="batch_file", suggestion=suggestion) from error
    except (OSError, EOFError, ValueError, zlib.error) as error:
        suggestion = "Let tap and target see the same folder, or turn BATCH messages off."
        text = f"{name} cannot be read: {error_text(error)}"
        raise RunStoppedError(text, code="batch_file", suggestion=suggestion) from error


def _parse(line: bytes, place: str) -> dict[str, Any]:
    with suppress(RecursionError, ValueError):
        record = read_json(line)
        if isinstance(record, dict):
            return record
    text = f"{place} is not a JSON object"
    raise InvalidInputLine(text)
