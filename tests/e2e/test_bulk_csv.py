"""120,000 rows through a bulk job, by the installed command and in the sandbox it brings along."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
import yaml
from singer_messages import record, schema, state
from singer_runs import clean_environment, command_line

from target_gainsight.sandbox import start_sandbox

pytestmark = pytest.mark.e2e

ROWS = 120_000
STATE_EVERY = 10_000
COLUMNS = {
    "Id__gc": {"type": "string"},
    "Text__gc": {"type": "string"},
    "Score__gc": {"type": "integer"},
}
DESCRIBED = {
    "objects": {
        "Usage__gc": {
            "transactional": False,
            "fields": {
                "Id__gc": {"type": "STRING"},
                "Text__gc": {"type": "STRING", "length": 2_000},
                "Score__gc": {"type": "NUMBER"},
            },
        }
    },
    "bulk_jobs": {"usage": {"object": "Usage__gc", "operation": "insert"}},
    "switches": {"bulk_questions": 2},
}
TEXT = 'a "quoted" line, and\nanother ' + "x" * 950


def write_messages(path: Path) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.write(json.dumps(schema("usage", COLUMNS, keys=["Id__gc"])) + "\n")
        for number in range(ROWS):
            fields = {"Id__gc": f"U{number}", "Text__gc": TEXT, "Score__gc": number % 11}
            file.write(json.dumps(record("usage", **fields)) + "\n")
            if (number + 1) % STATE_EVERY == 0:
                file.write(json.dumps(state(read=number + 1)) + "\n")


def test_120000_rows_of_a_kilobyte_go_in_two_files(tmp_path: Path) -> None:
    messages, config = tmp_path / "messages", tmp_path / "sandbox.yml"
    write_messages(messages)
    config.write_text(yaml.safe_dump(DESCRIBED), encoding="utf-8")
    settings = {
        "domain": "sandbox",
        "sandbox_path": str(tmp_path / "tenant.db"),
        "sandbox_config": str(config),
        "summary_path": str(tmp_path / "summary.json"),
        "streams": {
            "usage": {
                "object_type": "custom_object",
                "custom_object_name": "Usage__gc",
                "transport": "bulk",
                "bulk_job_id": "usage",
            }
        },
    }
    with messages.open("rb") as source:
        run = subprocess.run(
            command_line(tmp_path, settings),
            stdin=source,
            cwd=tmp_path,
            env=clean_environment(),
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
    assert run.returncode == 0, run.stderr[-2_000:]
    states = [json.loads(line)["read"] for line in run.stdout.splitlines()]
    assert states[-1] == ROWS
    summary = json.loads((tmp_path / "summary.json").read_text(encoding="utf-8"))
    counts = summary["streams"]["usage"]["by_file"]
    numbers = [counts[name] for name in ("files", "rows", "accepted", "failed", "settled")]
    assert numbers == [2, ROWS, ROWS, 0, ROWS]
    assert summary["calls"]["by_kind"]["upload"] == 2
    with start_sandbox(tmp_path / "tenant.db", config=DESCRIBED) as sandbox:
        tenant = sandbox.tenant
        assert tenant.count("Usage__gc") == ROWS
        row = tenant.rows("Usage__gc", Id__gc="U119999")[0]
        assert (row["Text__gc"], row["Score__gc"]) == (TEXT, 119_999 % 11)
    # The first state could be written only once the first file was done.
    assert len(states) <= 3
    assert states[0] < ROWS
