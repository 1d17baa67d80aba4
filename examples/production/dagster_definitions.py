"""Dagster definitions that load a Meltano project into Gainsight every night."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import dagster as dg

PROJECT = Path("/opt/meltano/my-project")
FILES = Path("/mnt/gainsight")  # a volume that outlives the run
SUMMARY = FILES / "summary.json"
SETTINGS = {  # TARGET_GAINSIGHT_ACCESS_KEY comes from the deployment's secrets
    "MELTANO_ENVIRONMENT": "prod",
    "MELTANO_STATE_BACKEND_URI": "s3://my-bucket/meltano-state",
    "TARGET_GAINSIGHT_REJECTS_PATH": str(FILES / "rejects"),
    "TARGET_GAINSIGHT_SUMMARY_PATH": str(SUMMARY),
}


@dg.asset(
    pool="gainsight",  # with a limit of 1: two runs would read the same state
    retry_policy=dg.RetryPolicy(max_retries=2, delay=900),
)
def gainsight() -> dg.MaterializeResult:
    """The objects in Gainsight that the Meltano project loads."""
    subprocess.run(
        ["meltano", "run", "tap-warehouse", "target-gainsight"],
        cwd=PROJECT,
        env={**os.environ, **SETTINGS},
        check=True,
    )
    summary = json.loads(SUMMARY.read_text(encoding="utf-8"))
    return dg.MaterializeResult(
        metadata={
            "streams": dg.MetadataValue.json(summary["streams"]),
            "rejects": dg.MetadataValue.json(summary["rejects"]),
        }
    )


definitions = dg.Definitions(
    assets=[gainsight],
    schedules=[
        dg.ScheduleDefinition(
            name="gainsight_nightly",
            target=[gainsight],
            cron_schedule="17 2 * * *",
            default_status=dg.DefaultScheduleStatus.RUNNING,
        )
    ],
)
