"""Runs the recipe of examples/nps/ with its own responses or with changed ones."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml
from singer_messages import TEXT, Message, record, schema, state
from singer_runs import TargetRun, Tenant

RECIPE = Path(__file__).resolve().parents[2] / "examples" / "nps"
PROJECT: dict[str, Any] = yaml.safe_load((RECIPE / "nps.meltano.yml").read_text("utf-8"))
LOADERS = {loader["name"]: loader for loader in PROJECT["plugins"]["loaders"]}
NPS = "target-gainsight-nps"
MASKED = "target-gainsight-nps-masked"
OBJECTS = (
    "company",
    "person",
    "company_person",
    "CG_NPS_Response__gc",
    "activity_timeline",
    "call_to_action",
)
COLUMNS: Message = {
    "response_id": {"type": "string"},
    "survey_id": TEXT,
    "account_id": TEXT,
    "account_name": TEXT,
    "account_owner_email": TEXT,
    "respondent_email": TEXT,
    "respondent_first_name": TEXT,
    "respondent_last_name": TEXT,
    "score": {"type": ["integer", "null"]},
    "comment": TEXT,
    "channel": TEXT,
    "touchpoint": TEXT,
    "responded_at": TEXT,
    "country": TEXT,
    "product": TEXT,
    "segment": TEXT,
    "case_url": TEXT,
}
WRITES = ("insert", "update", "person", "timeline", "cta", "upload")


def tenant_description() -> dict[str, Any]:
    """The recipe's tenant, without limits."""
    described = yaml.safe_load((RECIPE / "sandbox.yml").read_text("utf-8"))
    limits = {"calls_per_minute": 0, "calls_per_day": 0, "timeline_calls_per_minute": 0}
    return {**described, "limits": limits}


def settings_of(loader: str) -> dict[str, Any]:
    """A loader's settings with those it inherits inside the recipe, as Meltano merges them."""
    plugin = LOADERS[loader]
    parent = plugin["inherit_from"]
    inherited = settings_of(parent) if parent in LOADERS else {}
    merged = _merged(inherited, plugin["config"])
    return {name: value for name, value in merged.items() if not name.startswith("sandbox_")}


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    both = {
        name: _merged(below[name], value) if isinstance(value, dict) and name in below else value
        for name, value in above.items()
    }
    return {**below, **both}


def responses() -> list[dict[str, Any]]:
    lines = (RECIPE / "survey_responses.jsonl").read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines]


def load(
    tenant: Tenant,
    given: Iterable[Mapping[str, Any]],
    *,
    loader: str = NPS,
    columns: Message | None = None,
    **settings: Any,
) -> TargetRun:
    """Run the recipe over some responses."""
    start = schema("survey_responses", {**COLUMNS, **(columns or {})}, keys=["response_id"])
    lines = [record("survey_responses", **each) for each in given]
    config = {**settings_of(loader), "object_type": None, **settings}
    return tenant.load(start, *lines, state(read=len(lines)), **config)


def counts(tenant: Tenant) -> dict[str, int]:
    return {name: tenant.sandbox.tenant.count(name) for name in OBJECTS}


def outcomes(run: TargetRun) -> dict[str, dict[str, int]]:
    """By stream, how many records ended as what; what never happened is left out."""
    streams: dict[str, dict[str, Any]] = run.target.summary.document({}, 0.0)["streams"]
    names = ("created", "updated", "unchanged", "skipped", "rejected", "merged")
    return {
        stream: {name: counts[name] for name in names if counts[name]}
        for stream, counts in streams.items()
    }


def calls(run: TargetRun) -> dict[str, int]:
    """The calls of a run by kind."""
    return dict(run.target.summary.calls.by_kind)


def snapshot(tenant: Tenant) -> dict[str, dict[str, Any]]:
    """Every row of the tenant by its GSID, with all its fields."""
    return {row["Gsid"]: row for name in OBJECTS for row in tenant.rows(name)}


def changed(before: dict[str, Any], after: dict[str, Any]) -> list[tuple[str, set[str]]]:
    """Compare two snapshots: return the prefix of the GSID and the changed fields of each row."""
    return sorted(
        (gsid[:4], {name for name in row if row[name] != before.get(gsid, {}).get(name)})
        for gsid, row in after.items()
        if row != before.get(gsid)
    )
