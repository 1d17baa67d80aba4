"""Bulk jobs: accept a CSV file, and load it by the job's rules later.

GS Bulk API connector: upload by multipart form, refusals with HTTP 200 and `result: false` [D/O];
INIT → IN_PROGRESS → COMPLETED and counts [D], while their names and the place of the status id are
unknown [I]. Rows are independent: one that is not valid is counted as failed [D].
"""

import csv
import io
import uuid
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from target_gainsight.sandbox.answers import GENERIC, Answer, Incoming, Refusal, refuse
from target_gainsight.sandbox.endpoints.lookups import resolve_lookups
from target_gainsight.sandbox.endpoints.records import Errors, Record, checked_rows, key_values
from target_gainsight.sandbox.storage.cells import cell_readers
from target_gainsight.sandbox.storage.identifiers import new_gsids
from target_gainsight.sandbox.storage.model import BulkJob, ObjectModel
from target_gainsight.sandbox.tenant import Tenant

NO_DATA = "GS_7571"
_REFUSED = "GS_7500"
"""Stands for the unknown codes of other refusals [I]."""

_CHUNK_ROWS = 1_000
_COUNT_NAMES = {
    "success_count": ("successCount", "failureCount"),
    "records_succeeded": ("recordsSucceeded", "recordsFailed"),
    "missing": (),
}


def accept_file(tenant: Tenant, call: Incoming) -> Answer:
    """`POST /v1.0/admin/connector/job/bulkimport`: accept a CSV for a job.

    Raises:
        Refusal: There is no such job, or it cannot load the file; with HTTP 200.
    """
    form = call.body if isinstance(call.body, Mapping) else {}
    name, content = _text(form.get("jobId")), form.get("file")
    job = tenant.config.bulk_jobs.get(name)
    if job is None:
        raise _refused(_REFUSED, f"Job {name} is not found")
    if not isinstance(content, bytes):
        raise _refused(_REFUSED, "file is mandatory")
    most = tenant.config.limits.bulk_file_bytes
    if most and len(content) >= most:
        raise Refusal(_too_large(tenant, most))
    _check_file(tenant, job, content)
    status_id = str(uuid.uuid4())
    tenant.store.execute(
        'INSERT INTO "_bulk_files" (id, job, content, taken_at) VALUES (?, ?, ?, ?)',
        (status_id, name, content, tenant.clock()),
    )
    return _accepted(tenant, status_id)


def report_status(tenant: Tenant, call: Incoming) -> Answer:
    """`GET …/bulkimport/status/{statusId}`: report the progress of a job with a file.

    A job completes after a number of these calls, and not before its seconds are over.
    """
    status_id = call.params["status"]
    found = tenant.store.rows(
        'SELECT job, taken_at, asked, succeeded, failed FROM "_bulk_files" WHERE id = ?',
        (status_id,),
    )
    if not found:
        raise refuse(GENERIC, f"Status {status_id} is not found")
    name, taken_at, asked, succeeded, failed = found[0]
    asked += 1
    tenant.store.execute('UPDATE "_bulk_files" SET asked = ? WHERE id = ?', (asked, status_id))
    is_due = asked > tenant.switches.bulk_questions
    if is_due and tenant.clock() - taken_at >= tenant.switches.bulk_seconds:
        if succeeded is None:
            succeeded, failed = _load(tenant, tenant.config.bulk_jobs[name], status_id)
        return Answer(data={"status": "COMPLETED", **_counts(tenant, succeeded, failed)})
    state = "INIT" if asked == 1 else "IN_PROGRESS"
    return Answer(data={"status": state, **_counts(tenant, 0, 0)})


def _text(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value or "")


def _refused(code: str, description: str) -> Refusal:
    return refuse(code, description, status=200)


def _too_large(tenant: Tenant, most: int) -> Answer:
    """HTTP 413, probably a web page from a proxy [D]."""
    if tenant.switches.bulk_too_large == "page":
        return Answer(413, page="413 Request Entity Too Large")
    return Answer(413, code=_REFUSED, description=f"The file must be smaller than {most} bytes")


def _accepted(tenant: Tenant, status_id: str) -> Answer:
    where = tenant.switches.bulk_status_id
    if where == "envelope":
        return Answer(data=None, extra={"statusId": status_id})
    return Answer(data=status_id if where == "text" else {"statusId": status_id})


def _counts(tenant: Tenant, succeeded: int, failed: int) -> dict[str, int]:
    names = _COUNT_NAMES[tenant.switches.bulk_counts]
    return dict(zip(names, (succeeded, failed), strict=False))


def _check_file(tenant: Tenant, job: BulkJob, content: bytes) -> None:
    """Refuse a file without rows, or with columns that the job does not have."""
    if b"\0" in content:
        raise _refused(_REFUSED, "The file is not a CSV in UTF-8: it contains NUL")
    try:
        lines = csv.reader(_lines(content), strict=True)
        header = next(lines, None)
        first = next(lines, None)
    except (csv.Error, UnicodeDecodeError) as error:
        raise _refused(_REFUSED, f"The file is not a CSV in UTF-8: {error}") from None
    if not header or first is None:
        raise _refused(NO_DATA, "No data found in the file")
    known = {*_columns(tenant, job), *_lookup_columns(job)}
    unknown = [name for name in header if name not in known]
    if unknown or len(set(header)) < len(header):
        raise _refused(_REFUSED, f"The header does not match the job: {', '.join(unknown)}")


def _columns(tenant: Tenant, job: BulkJob) -> Mapping[str, str]:
    """Return the job's mapping of columns to fields; by default, each field has its own name."""
    model = tenant.named_object(job.object_name)
    return job.columns or {name: name for name in model.fields}


def _lookup_columns(job: BulkJob) -> set[str]:
    return {column for each in job.lookups.values() for column in each.get("fields", {})}


def _lines(content: bytes) -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(content), encoding="utf-8-sig", newline="")


def _load(tenant: Tenant, job: BulkJob, status_id: str) -> tuple[int, int]:
    """Load a file's rows and delete the file."""
    model = tenant.named_object(job.object_name)
    found = tenant.store.rows('SELECT content FROM "_bulk_files" WHERE id = ?', (status_id,))
    total = failed = 0
    with tenant.store.transaction():
        for chunk in _chunks(_records(tenant, job, model, found[0][0])):
            total += len(chunk)
            failed += _load_chunk(tenant, job, model, chunk)
        tenant.store.execute(
            'UPDATE "_bulk_files" SET content = NULL, succeeded = ?, failed = ? WHERE id = ?',
            (total - failed, failed, status_id),
        )
    return total - failed, failed


def _records(tenant: Tenant, job: BulkJob, model: ObjectModel, content: bytes) -> Iterator[Record]:
    """Yield the rows as records of the object, with the columns of the job's lookups."""
    columns = _columns(tenant, job)
    readers = cell_readers(model)
    lines = csv.reader(_lines(content), strict=True)
    header = next(lines)
    fields = [columns.get(name, name) for name in header]
    for cells in lines:
        yield {
            field: readers.get(field, _plain)(text)
            for field, text in zip(fields, cells, strict=False)
        }


def _plain(text: str) -> object:
    return text or None


def _chunks(records: Iterator[Record]) -> Iterator[list[Record]]:
    while chunk := list(islice(records, _CHUNK_ROWS)):
        yield chunk


def _load_chunk(tenant: Tenant, job: BulkJob, model: ObjectModel, chunk: list[Record]) -> int:
    """Write the valid rows in order, and return the number of the others."""
    body = {"lookups": {name: dict(each) for name, each in job.lookups.items()}}
    records, errors = resolve_lookups(tenant, chunk, body)
    valid = [record for index, record in enumerate(records) if index not in errors]
    failed = len(errors)
    for group in _without_repeated_keys(valid, job.keys):
        failed += _write_group(tenant, job, model, group)
    return failed


def _without_repeated_keys(
    records: Sequence[Record], keys: Sequence[str]
) -> Iterator[list[Record]]:
    """Split rows into groups without repeated keys, so that a later row finds the earlier one."""
    group: list[Record] = []
    seen: set[tuple[Any, ...]] = set()
    for record in records:
        key = tuple(record.get(name) for name in keys)
        if keys and key in seen:
            yield group
            group, seen = [], set()
        group.append(record)
        seen.add(key)
    if group:
        yield group


def _write_group(tenant: Tenant, job: BulkJob, model: ObjectModel, group: Sequence[Record]) -> int:
    errors: Errors = {}
    found = _matches(tenant, job, model, group, errors)
    new = [r for i, r in enumerate(group) if i not in errors and i not in found]
    known = [(r, found[i]) for i, r in enumerate(group) if i not in errors and i in found]
    failed = len(errors)
    if job.operation == "update":
        failed += len(new)
    else:
        failed += _insert(tenant, model, new)
    return failed + _update(tenant, job, model, known)


def _matches(
    tenant: Tenant, job: BulkJob, model: ObjectModel, group: Sequence[Record], errors: Errors
) -> dict[int, list[str]]:
    """Return the GSIDs of the matching rows by record position."""
    if job.operation == "insert":
        return {}
    keys = [model.fields[name] for name in job.keys]
    wanted = key_values(tenant, keys, group, errors)
    complete = [row if len(row) == len(keys) else [None] * len(keys) for row in wanted]
    return tenant.store.match(model, keys, complete, tenant.switches)


def _insert(tenant: Tenant, model: ObjectModel, records: Sequence[Record]) -> int:
    errors: Errors = {}
    rows = checked_rows(tenant, model, records, errors, creating=True)
    required = model.required_fields
    valid = [
        row
        for index, (record, row) in enumerate(zip(records, rows, strict=True))
        if index not in errors and all(record.get(name) is not None for name in required)
    ]
    stamp = tenant.creation_stamp()
    stamped, values = (*stamp, "Gsid"), list(stamp.values())
    gsids = new_gsids(model.prefix, len(valid))
    tenant.store.insert(
        model,
        [
            ((*names, *stamped), [*given, *values, gsid])
            for (names, given), gsid in zip(valid, gsids, strict=True)
        ],
    )
    return len(records) - len(valid)


def _update(
    tenant: Tenant,
    job: BulkJob,
    model: ObjectModel,
    known: Sequence[tuple[Record, list[str]]],
) -> int:
    errors: Errors = {}
    records = [record for record, _ in known]
    rows = checked_rows(tenant, model, records, errors, creating=False, keys=set(job.keys))
    stamp = tenant.change_stamp()
    stamped, values = tuple(stamp), list(stamp.values())
    changes = [
        (gsid, ((*names, *stamped), [*given, *values]))
        for index, ((names, given), (_, gsids)) in enumerate(zip(rows, known, strict=True))
        if index not in errors
        for gsid in gsids
    ]
    tenant.store.update(model, changes)
    return len(errors)
