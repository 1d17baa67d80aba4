"""Bulk jobs: upload CSV files of less than 80 MB and poll their status (GS Bulk API connector).

The job, which an administrator creates, holds object, column mapping, lookups, operation and keys;
no call creates or reads one. The place of the status id and the names of the counts are not
documented, so all likely forms are read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO
from urllib.parse import quote

from target_gainsight.api.http.call import Call, form_content
from target_gainsight.api.http.json_codec import Json, Record, as_mapping, as_text
from target_gainsight.api.http.responses import Send

_PATH = "/v1.0/admin/connector/job/bulkimport"
_MIN_RESPONSE_SECONDS = 300.0
"""The response comes after the whole file is received."""

_ID_NAMES = ("statusid", "jobstatusid", "id")
_STATE_NAMES = ("status", "state", "jobstatus")
_ACCEPTED = ("succe", "accept")
_FAILED = ("fail", "error", "reject")


@dataclass(frozen=True)
class UploadResponse:
    """A file that a job accepted. `status_id` is None if the response names none."""

    status_id: str | None
    request_id: str | None


@dataclass(frozen=True)
class JobStatus:
    """The progress of a job with a file: `state` is INIT, IN_PROGRESS, COMPLETED or the like.

    `accepted` and `failed` count rows; None if the response does not give them.
    """

    state: str
    accepted: int | None
    failed: int | None


@dataclass(frozen=True)
class BulkApi:
    """Uploads files to bulk jobs and polls their status."""

    _send: Send

    def upload(
        self, job_id: str, filename: str, open_file: Callable[[], BinaryIO]
    ) -> UploadResponse:
        """Upload a CSV file to a job (GS Bulk API connector, upload).

        The job's id is in Gainsight's cURL command. `open_file` is called for every attempt, right
        before it is sent.

        Raises:
            PayloadTooLargeError: HTTP 413; send it in parts.
            RefusedError: The job refused it (also with HTTP 200).
            UnknownOutcomeError: It may have been accepted; do not simply send it again.
        """
        call = Call(
            "POST",
            _PATH,
            kind="upload",
            group="bulk",
            content=form_content({"jobId": job_id}, filename, open_file),
            repeatable=False,
            min_response_seconds=_MIN_RESPONSE_SECONDS,
        )
        response = self._send(call)
        status_id = (
            as_text(response.data)
            or _named(as_mapping(response.data), _ID_NAMES)
            or _named(response.body, _ID_NAMES[:2])
        )
        return UploadResponse(status_id, response.request_id)

    def status(self, status_id: str) -> JobStatus:
        """Return the status of a job (Bulk Status API). Counts as a synchronous call.

        Raises:
            RefusedError: The tenant does not know this status id.
            NotFoundError: The same, as HTTP 404.
        """
        path = f"{_PATH}/status/{quote(status_id, safe='')}"
        call = Call("GET", path, kind="job status", expects=lambda data: _state(data) is not None)
        data = self._send(call).data
        counts = dict(_counts(data))
        accepted, failed = (
            next((n for name, n in counts.items() if any(part in name for part in parts)), None)
            for parts in (_ACCEPTED, _FAILED)
        )
        return JobStatus(_state(data) or "", accepted, failed)


def _named(record: Record, names: tuple[str, ...]) -> str | None:
    plain = {name.lower().replace("_", ""): value for name, value in record.items()}
    for name in names:
        value = plain.get(name)
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        if text := as_text(value):
            return text
    return None


def _state(data: Json) -> str | None:
    state = as_text(data) or _named(as_mapping(data), _STATE_NAMES)
    return state.strip().upper().replace(" ", "_") if state else None


def _counts(data: Json) -> Iterator[tuple[str, int]]:
    """Yield every whole number of a response with its name, at any depth."""
    for name, value in as_mapping(data).items():
        if isinstance(value, int) and not isinstance(value, bool):
            yield name.lower(), value
        else:
            yield from _counts(value)
