"""Bulk jobs: upload CSV files of less than 80 MB and poll their status (GS Bulk API connector).

The job, which an administrator creates, holds object, column mapping, lookups, operation and keys;
no call creates or reads one. Status id and counts are not documented: all likely forms are read.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO
from urllib.parse import quote

from target_gainsight.api.http.call import Call, csv_form
from target_gainsight.api.http.json_codec import Json, Record, as_mapping, as_text
from target_gainsight.api.http.responses import Send

_PATH = "/v1.0/admin/connector/job/bulkimport"
_MIN_RESPONSE_SECONDS = 300.0
"""The response comes after the whole file is received."""


@dataclass(frozen=True)
class JobStatus:
    """The progress of a job, INIT, IN_PROGRESS, COMPLETED or the like, and its rows if counted."""

    state: str
    accepted: int | None
    failed: int | None


@dataclass(frozen=True)
class BulkApi:
    """Uploads files to bulk jobs and polls their status."""

    _send: Send

    def upload(self, job_id: str, filename: str, open_file: Callable[[], BinaryIO]) -> str | None:
        """Upload a CSV file, opened for every attempt; return the status id if there is one."""
        media_type, body = csv_form({"jobId": job_id}, filename, open_file)
        call = Call(
            "POST",
            _PATH,
            kind="upload",
            group="bulk",
            body=body,
            media_type=media_type,
            repeatable=False,
            min_response_seconds=_MIN_RESPONSE_SECONDS,
        )
        response = self._send(call)
        data = as_mapping(response.data)
        status_id = as_text(response.data) or _named(data, "statusid", "jobstatusid", "id")
        return status_id or _named(response.body, "statusid", "jobstatusid")

    def status(self, status_id: str) -> JobStatus:
        """Return the status of a job (Bulk Status API). Counts as a synchronous call."""
        path = f"{_PATH}/status/{quote(status_id, safe='')}"
        call = Call("GET", path, kind="job status", expects=lambda data: bool(_state(data)))
        data = self._send(call).data
        return JobStatus(
            _state(data), _count(data, "succe", "accept"), _count(data, "fail", "error", "reject")
        )


def _named(record: Record, *names: str) -> str | None:
    """Return the text or whole number under the first of the names, whatever their spelling."""
    plain = {name.lower().replace("_", ""): value for name, value in record.items()}
    values = (str(plain[name]) for name in names if isinstance(plain.get(name), str | int))
    return next(filter(None, values), None)


def _state(data: Json) -> str:
    state = as_text(data) or _named(as_mapping(data), "status", "state", "jobstatus") or ""
    return state.strip().upper().replace(" ", "_")


def _count(data: Json, *parts: str) -> int | None:
    for name, value in as_mapping(data).items():
        is_named = any(part in name.lower() for part in parts)
        if is_named and isinstance(value, int) and not isinstance(value, bool):
            return value
    return None
