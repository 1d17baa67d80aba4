"""Bulk jobs: a CSV is handed to a job that an administrator made, and its progress is asked for.

GS Bulk API connector. The job holds object, column mapping, lookups, operation and keys; no call
makes one or reads it. What the record leaves open is read in every form that is likely: where the
status id stands, what the counts are called.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import quote

from target_gainsight.api.http.json_codec import Json, Record, as_mapping, as_text
from target_gainsight.api.http.request_body import FormFile, form_content

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from target_gainsight.api.http.client import HttpClient

MAX_FILE_BYTES = 80_000_000
"""A file must be smaller (GS Bulk API connector); megabytes are taken for the smaller ones."""

_PATH = "/v1.0/admin/connector/job/bulkimport"
_MIN_RESPONSE_SECONDS = 300.0
"""An upload is answered once the whole file is taken in."""

_ID_NAMES = ("statusid", "jobstatusid", "id")
_STATE_NAMES = ("status", "state", "jobstatus")
_ACCEPTED = ("succe", "accept")
_FAILED = ("fail", "error", "reject")


@dataclass(frozen=True)
class UploadResponse:
    """A file that a job has taken. `status_id` is None where the answer names none."""

    status_id: str | None
    request_id: str | None


@dataclass(frozen=True)
class JobStatus:
    """How far a job is with a file.

    `state` is in capitals: INIT, IN_PROGRESS, COMPLETED. `accepted` and `failed` are counts of
    rows, None where the answer does not give them.
    """

    state: str
    accepted: int | None
    failed: int | None
    request_id: str | None


class BulkApi:
    """Uploads files to bulk jobs and asks how far they are."""

    def __init__(self, client: HttpClient) -> None:
        self._client = client

    def upload(
        self, job_id: str, filename: str, open_file: Callable[[], BinaryIO]
    ) -> UploadResponse:
        """Hand a CSV to a job (GS Bulk API connector, upload).

        Args:
            job_id: The job's id, from Gainsight's cURL command.
            filename: How the file is called.
            open_file: Opens the file; called right before it is sent, after any wait for the rate.

        Raises:
            PayloadTooLargeError: HTTP 413, whatever its body: send it in parts.
            RefusedError: the job did not take it (also with HTTP 200).
            UnknownOutcomeError: it may have been taken; it must not simply be sent again.
        """
        answer = self._client.call(
            "POST",
            _PATH,
            kind="upload",
            group="bulk",
            content=form_content({"jobId": job_id}, FormFile("file", filename, open_file)),
            repeatable=False,
            min_response_seconds=_MIN_RESPONSE_SECONDS,
        )
        status_id = _status_id(answer.data) or _named(answer.body, _ID_NAMES[:2])
        return UploadResponse(status_id, answer.request_id)

    def status(self, status_id: str) -> JobStatus:
        """Ask how far a job is (Bulk Status API). Counts as a synchronous call.

        Raises:
            RejectRecordsError: the tenant does not know this status id.
            NotFoundError: the same, told by HTTP 404.
        """
        answer = self._client.call(
            "GET",
            f"{_PATH}/status/{quote(status_id, safe='')}",
            kind="job status",
            expects=lambda data: _state(data) is not None,
        )
        counts = dict(_counts(answer.data))
        return JobStatus(
            state=_state(answer.data) or "",
            accepted=_first(counts, _ACCEPTED),
            failed=_first(counts, _FAILED),
            request_id=answer.request_id,
        )


def _status_id(data: Json) -> str | None:
    return as_text(data) or _named(as_mapping(data), _ID_NAMES)


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
    said = as_text(data) or _named(as_mapping(data), _STATE_NAMES)
    return said.strip().upper().replace(" ", "_") if said else None


def _counts(data: Json) -> Iterator[tuple[str, int]]:
    """Every whole number of the answer by its name, wherever it stands."""
    for name, value in as_mapping(data).items():
        if isinstance(value, int) and not isinstance(value, bool):
            yield name.lower(), value
        else:
            yield from _counts(value)


def _first(counts: Mapping[str, int], parts: tuple[str, ...]) -> int | None:
    return next((count for name, count in counts.items() if any(p in name for p in parts)), None)
