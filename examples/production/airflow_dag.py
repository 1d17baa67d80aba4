"""A DAG for Airflow 3 that loads a Meltano project into Gainsight every night."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import dag

PROJECT = "/opt/meltano/my-project"
FILES = "/mnt/gainsight"  # a volume that all workers mount
SETTINGS = {
    "MELTANO_ENVIRONMENT": "prod",
    "MELTANO_STATE_BACKEND_URI": "s3://my-bucket/meltano-state",
    "TARGET_GAINSIGHT_ACCESS_KEY": "{{ conn.gainsight.password }}",
    "TARGET_GAINSIGHT_REJECTS_PATH": f"{FILES}/rejects",
}


@dag(
    schedule="17 2 * * *",
    start_date=datetime(2026, 1, 1, tzinfo=timezone.utc),
    catchup=False,
    max_active_runs=1,  # two runs would read the same state
    default_args={
        "retries": 2,  # a repeated upsert writes only what is missing
        "retry_delay": timedelta(minutes=15),
        "execution_timeout": timedelta(hours=6),
    },
    tags=["gainsight"],
)
def load_gainsight() -> None:
    """Check the settings, then load."""
    check = BashOperator(
        task_id="check",
        bash_command="meltano invoke target-gainsight:check",
        cwd=PROJECT,
        env=SETTINGS,
        append_env=True,
    )
    load = BashOperator(
        task_id="load",
        bash_command="meltano run tap-warehouse target-gainsight",
        cwd=PROJECT,
        env=SETTINGS,
        append_env=True,
    )
    check >> load


load_gainsight()
