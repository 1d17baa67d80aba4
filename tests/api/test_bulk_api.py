"""Bulk uploads and job status, in every form of response."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import requests_mock as mocking
from answering import TENANT

from target_gainsight.api import (
    GainsightClient,
    PayloadTooLargeError,
    RefusedError,
    UnavailableError,
    UnknownOutcomeError,
)
from target_gainsight.api.http.call import csv_form

UPLOAD = f"{TENANT}/v1.0/admin/connector/job/bulkimport"
STATUS = f"{UPLOAD}/status/S%2F1"


def rows_file(folder: Path, content: bytes = b"Name\r\nInitech\r\n") -> Path:
    path = folder / "rows.csv"
    path.write_bytes(content)
    return path


def test_upload_sends_form_of_job_and_file(
    client: GainsightClient, requests_mock: mocking.Mocker, tmp_path: Path
) -> None:
    sent: list[bytes] = []

    def answer(request: Any, _context: Any) -> dict[str, Any]:
        sent.append(b"".join(request.body))
        return {"result": True, "data": {"statusId": "S"}, "requestId": "r"}

    requests_mock.post(UPLOAD, json=answer)
    path = rows_file(tmp_path)
    assert client.bulk.upload("job-1", "rows.csv", lambda: path.open("rb")) == "S"
    request = requests_mock.last_request
    assert request
    assert int(request.headers["Content-Length"]) == len(sent[0])
    found_boundary = re.fullmatch(
        r"multipart/form-data; boundary=(\w+)", request.headers["Content-Type"]
    )
    assert found_boundary
    boundary = found_boundary[1]
    assert sent[0].decode() == (
        f'--{boundary}\r\nContent-Disposition: form-data; name="jobId"\r\n\r\njob-1\r\n'
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="rows.csv"\r\n'
        f"Content-Type: text/csv; charset=utf-8\r\n\r\nName\r\nInitech\r\n\r\n--{boundary}--\r\n"
    )


def test_form_is_streamed_and_opened_for_every_attempt(tmp_path: Path) -> None:
    path = rows_file(tmp_path, b"x" * 1_000_000)
    _, open_body = csv_form({}, 'a"b.csv', lambda: path.open("rb"))
    for _ in range(2):
        body = open_body()
        assert not isinstance(body, bytes)
        pieces = list(body)
        assert sum(map(len, pieces)) == len(body)
        body.file.close()
        assert max(map(len, pieces)) <= 1 << 16
        assert b'filename="a%22b.csv"' in pieces[0]


@pytest.mark.parametrize(
    ("body", "status_id"),
    [
        ({"data": {"statusId": "S"}}, "S"),
        ({"data": {"status_id": 17}}, "17"),
        ({"data": {"id": "S"}}, "S"),
        ({"data": "S"}, "S"),
        ({"data": None, "statusId": "S"}, "S"),
        ({"data": {"something": 1}}, None),
    ],
)
def test_status_id_is_found_anywhere(
    client: GainsightClient,
    requests_mock: mocking.Mocker,
    tmp_path: Path,
    body: dict[str, Any],
    status_id: str | None,
) -> None:
    requests_mock.post(UPLOAD, json={"result": True, **body})
    path = rows_file(tmp_path)
    assert client.bulk.upload("j", "f", lambda: path.open("rb")) == status_id


def test_upload_refused_with_http_200_is_refused(
    client: GainsightClient, requests_mock: mocking.Mocker, tmp_path: Path
) -> None:
    refusal = {"result": False, "errorCode": "GS_7571", "errorDesc": "No data found"}
    requests_mock.post(UPLOAD, json=refusal)
    path = rows_file(tmp_path)
    with pytest.raises(RefusedError, match="No data found"):
        client.bulk.upload("j", "f", lambda: path.open("rb"))


@pytest.mark.parametrize(
    "answer",
    [
        {"text": "<html>413</html>", "headers": {"Content-Type": "text/html"}},
        {"text": ""},
        {"json": {"result": False, "errorCode": "GU_1101", "errorDesc": "Too large"}},
        {"json": {"result": True, "data": {"statusId": "S"}}},
        {"json": ["too large"]},
    ],
)
def test_status_413_means_nothing_was_taken_whatever_the_body(
    client: GainsightClient,
    requests_mock: mocking.Mocker,
    tmp_path: Path,
    answer: dict[str, Any],
) -> None:
    requests_mock.post(UPLOAD, status_code=413, **answer)
    path = rows_file(tmp_path)
    with pytest.raises(PayloadTooLargeError):
        client.bulk.upload("j", "f", lambda: path.open("rb"))
    assert requests_mock.call_count == 1


def test_upload_of_unknown_outcome_is_not_repeated(
    client: GainsightClient, requests_mock: mocking.Mocker, tmp_path: Path
) -> None:
    requests_mock.post(UPLOAD, status_code=502)
    path = rows_file(tmp_path)
    with pytest.raises(UnknownOutcomeError):
        client.bulk.upload("j", "f", lambda: path.open("rb"))
    assert requests_mock.call_count == 1


def test_missing_file_sends_nothing(
    client: GainsightClient, requests_mock: mocking.Mocker, tmp_path: Path
) -> None:
    requests_mock.post(UPLOAD, json={"result": True})
    with pytest.raises(FileNotFoundError):
        client.bulk.upload("j", "f", lambda: (tmp_path / "none").open("rb"))
    assert not requests_mock.called


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (
            {"status": "COMPLETED", "successCount": 3, "failureCount": 1},
            ("COMPLETED", 3, 1),
        ),
        ({"state": "in progress"}, ("IN_PROGRESS", None, None)),
        (
            {"jobStatus": "completed", "hasErrors": False, "recordsSucceeded": 3, "failed": 0},
            ("COMPLETED", 3, 0),
        ),
        ("INIT", ("INIT", None, None)),
    ],
)
def test_progress_is_read_in_every_form(
    client: GainsightClient, requests_mock: mocking.Mocker, data: Any, found: tuple[Any, ...]
) -> None:
    requests_mock.get(STATUS, json={"result": True, "data": data})
    status = client.bulk.status("S/1")
    assert (status.state, status.accepted, status.failed) == found


def test_status_without_state_is_polled_again(
    acquainted: GainsightClient, requests_mock: mocking.Mocker
) -> None:
    requests_mock.get(STATUS, json={"result": True, "data": {"successCount": 1}})
    with pytest.raises(UnavailableError):
        acquainted.bulk.status("S/1")
    assert requests_mock.call_count > 1
