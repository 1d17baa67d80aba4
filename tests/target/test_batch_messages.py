"""Lines of a BATCH message's files are processed like records."""

from __future__ import annotations

import gzip
import io
import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from singer_messages import Message, record, schema, state
from singer_runs import Tenant, lines_of

from target_gainsight.loading.outcomes import Outcome

SECRET = "do-not-show-me"


def lines(records: Iterable[Any]) -> bytes:
    return "".join(f"{json.dumps(each)}\n" for each in records).encode()


def batch(*paths: Path | str, compression: str | None = "gzip", form: str = "jsonl") -> Message:
    return {
        "type": "BATCH",
        "stream": "accounts",
        "encoding": {"format": form, "compression": compression},
        "manifest": [str(path) for path in paths],
    }


@pytest.fixture
def gzipped(tmp_path: Path) -> Path:
    path = tmp_path / "records.jsonl.gz"
    path.write_bytes(gzip.compress(lines({"Name": f"C{number}"} for number in range(120))))
    return path


def test_files_are_loaded_in_full_calls_and_kept(tenant: Tenant, gzipped: Path) -> None:
    run = tenant.load(schema(), batch(gzipped), state(at=1), sync_mode="insert")
    assert (run.exit_code, run.states) == (0, [{"at": 1}])
    assert len(tenant.names()) == 120
    assert len(tenant.calls("insert")) == 3
    assert gzipped.exists()


def test_records_beyond_the_call_budget_are_counted(tenant: Tenant, gzipped: Path) -> None:
    limits = {"max_calls_per_run": 2, "max_concurrency": 1, "read_group_size": 50}
    run = tenant.load(schema(), batch(gzipped), sync_mode="insert", **limits)
    held = tenant.sandbox.tenant.count("company")
    assert (run.exit_code, held) == (0, 50)
    assert any(f": {120 - held} records not written." in line for line in run.log)


@pytest.mark.parametrize("compression", ["none", None])
def test_file_may_be_plain_and_named_by_url(
    tenant: Tenant, tmp_path: Path, compression: str | None
) -> None:
    path = tmp_path / "records.jsonl"
    path.write_bytes(lines([{"Name": "Initech"}]) + b"\n" + lines([{"Name": "Hooli"}]))
    message = batch(path.as_uri(), compression=compression)
    if compression is None:
        del message["encoding"]["compression"]
    assert tenant.load(schema(), message).exit_code == 0
    assert tenant.names() == ["Hooli", "Initech"]


@pytest.mark.parametrize("name", ["two words", "100%25 sure", "ünder"])
@pytest.mark.parametrize("encoded", [True, False])
def test_folder_url_may_be_percent_encoded(
    tenant: Tenant, tmp_path: Path, name: str, *, encoded: bool
) -> None:
    path = tmp_path / name / "records.jsonl"
    path.parent.mkdir()
    path.write_bytes(lines([{"Name": "Initech"}]))
    url = path.as_uri() if encoded else f"file://{path}"
    assert tenant.load(schema(), batch(url, compression="none")).exit_code == 0
    assert tenant.names() == ["Initech"]


def test_batches_and_records_keep_order(tenant: Tenant, tmp_path: Path) -> None:
    path = tmp_path / "records.jsonl"
    path.write_bytes(lines([{"Name": "Initech", "Industry": "second"}]))
    run = tenant.load(
        schema(),
        record(Name="Initech", Industry="first", Employees=1),
        batch(path, compression="none"),
        record(Name="Initech", Industry="third"),
    )
    assert run.exit_code == 0
    [row] = tenant.rows()
    assert (row["Industry"], row["Employees"]) == ("third", 1)


def test_maps_filters_validation_and_rejects_apply_to_batches(
    tenant: Tenant, tmp_path: Path
) -> None:
    path = tmp_path / "records.jsonl"
    records = [
        {"Name": "Initech", "Industry": "software"},
        {"Name": "Test Ltd", "Industry": "software"},
        {"Name": "Hooli", "Industry": None},
        {"Name": "Globex", "Industry": "energy", "Employees": "a lot"},
        {"Name": "Gone", "Industry": "x", "_sdc_deleted_at": "2026-01-01"},
        {"Name": "Umbrella", "Industry": "health", "RenewalDate": "2026-12-31"},
    ]
    path.write_bytes(lines(records))
    run = tenant.load(
        schema(),
        batch(path, compression="none"),
        state(at=1),
        stream_maps={
            "accounts": {"Industry": "Industry.upper()", "__filter__": "'Test' not in Name"}
        },
    )
    assert (run.exit_code, run.states) == (0, [{"at": 1}])
    found = {row["Name"]: row["Industry"] for row in tenant.rows()}
    assert found == {"Initech": "SOFTWARE", "Umbrella": "HEALTH"}
    assert tenant.rows(Name="Umbrella")[0]["RenewalDate"] == "2026-12-31"
    assert run.codes == ["map_failed", "schema_violation"]
    assert [each["record"] for each in run.rejects] == [records[2], records[3]]


def test_stream_excluded_by_maps_is_excluded_from_batches(tenant: Tenant, gzipped: Path) -> None:
    run = tenant.load(schema(), batch(gzipped), stream_maps={"accounts": "__NULL__"})
    assert (run.exit_code, run.warnings, tenant.names()) == (0, [], [])


def test_batch_before_its_schema_ends_run(tenant: Tenant, gzipped: Path) -> None:
    run = tenant.load(batch(gzipped))
    assert run.exit_code == 1
    assert "came before its SCHEMA message" in run.error


@pytest.mark.parametrize(
    ("form", "compression"), [("parquet", None), ("csv", "gzip"), ("jsonl", "zstd")]
)
def test_unknown_encoding_ends_run_before_loss(
    tenant: Tenant, gzipped: Path, form: str, compression: str | None
) -> None:
    run = tenant.load(schema(), batch(gzipped, form=form, compression=compression), state(at=1))
    assert (run.exit_code, run.states) == (1, [])
    assert run.error == (
        f"stream 'accounts': a BATCH message in '{form}, compression {compression}' cannot be "
        "read. Let the tap write jsonl, plain or with gzip."
    )


def test_missing_encoding_ends_run(tenant: Tenant, gzipped: Path) -> None:
    run = tenant.load(schema(), {**batch(gzipped), "encoding": {}})
    assert run.exit_code == 1
    assert "cannot be read. Let the tap write jsonl" in run.error


def garbled(data: bytes) -> bytes:
    """A gzip header, followed by what deflate never begins with."""
    return data[:10] + b"\x07" + data[11:]


@pytest.mark.parametrize(
    "damage",
    [
        lambda _: None,
        lambda data: data[: len(data) // 2],
        garbled,
        lambda _: lines([{"Name": SECRET}]),
    ],
    ids=["missing", "cut off", "garbled", "no gzip"],
)
def test_unreadable_file_ends_run_before_its_state(
    tenant: Tenant, gzipped: Path, damage: Any
) -> None:
    left = damage(gzipped.read_bytes())
    gzipped.write_bytes(left) if left is not None else gzipped.unlink()
    run = tenant.load(schema(), state(at=1), batch(gzipped), state(at=2))
    assert run.exit_code == 1
    assert run.error.startswith("the batch file ")
    assert "records.jsonl" in run.error
    assert "\n" not in run.error
    assert SECRET not in run.error
    assert {"at": 2} not in run.states


@pytest.mark.parametrize("line", [f'["{SECRET}"]', f'"{SECRET}"', f"{{{SECRET}", "[" * 100_000])
def test_line_that_is_no_object_ends_run_unquoted(
    tenant: Tenant, tmp_path: Path, line: str
) -> None:
    path = tmp_path / "records.jsonl"
    path.write_bytes(lines([{"Name": "Initech"}]) + line.encode())
    run = tenant.load(schema(), batch(path, compression="none"), state(at=2))
    assert (run.exit_code, run.states) == (1, [])
    assert run.error.startswith("line 2 of the batch file ")
    assert run.error.endswith("is not a JSON object")
    assert SECRET not in run.error


def test_missing_storage_package_names_extra(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "s3fs", None)
    run = tenant.load(schema(), batch("s3://bucket/records.jsonl"))
    assert run.exit_code == 1
    assert run.error == (
        "the batch file 's3://bucket/records.jsonl' needs a package that is missing. Install the "
        "s3 extra: pip install 'target-gainsight[s3]'."
    )


def test_signal_stops_long_batch(tenant: Tenant, tmp_path: Path) -> None:
    path = tmp_path / "records.jsonl"
    path.write_bytes(lines({"Name": f"C{number}"} for number in range(3000)))
    target = tenant.target(sync_mode="insert")
    target.reader.on_tick = target.reader.stop
    messages = io.StringIO(lines_of([schema(), batch(path, compression="none"), state(at=1)]))
    assert target.run_to_end(messages) != 0
    assert target.summary.read < 3000
    assert len(tenant.names()) == target.summary.streams["accounts"].outcomes[Outcome.CREATED]
