"""The probe names every position of every switch of the sandbox, or the docs say why it cannot."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

import pytest
from commands import Commands
from probed_tenant import EMAIL, OBJECT, PROBED, held

from target_gainsight.probe.reads import READ_QUESTIONS
from target_gainsight.probe.writes import PERSON_QUESTIONS, QUESTIONS
from target_gainsight.sandbox.config.switches import Switches

READ_SWITCHES = {
    topic.name for topics in READ_QUESTIONS.values() for topic in topics if topic.usual is not None
}
WRITE_SWITCHES = {
    topic.name
    for topics in (*QUESTIONS.values(), *PERSON_QUESTIONS.values())
    for topic in topics
    if topic.usual is not None
} - READ_SWITCHES
DOCS = Path(__file__).resolve().parents[2] / "docs" / "probe.md"
OTHER_VALUES: Mapping[str, tuple[Any, ...]] = {
    "describe_several": (400, 404, 405),
    "lookup_error_code": ("GSOBJ_9999",),
    "metadata_status": (403, 500),
    "put_missing_key_code": ("GSOBJ_9999",),
    "put_without_match_code": ("GSOBJ_9999",),
    "query_error_object": ("company", "relationship", "activity_timeline"),
    "query_max_bytes": (400, 60_000),
    "query_max_values": (3, 10, 1_000, 3_000),
    "too_many_keys_code": ("GSOBJ_9999",),
    "too_many_records_code": ("GSOBJ_9999",),
    "unreadable_field": ("RenewalDate", "Summary"),
}
"""Of switches that are neither one of a few words nor yes or no."""

AT_LEAST = {"query_max_bytes", "query_max_values"}
"""Limits whose position is the largest size that was accepted."""

TENANT: dict[str, Any] = {
    "rows": {
        "company": [
            {
                "Name": "Initech",
                "Industry": "Steel",
                "Status": "Active",
                "RenewalDate": "2027-02-28",
            },
            {"Name": "Globex", "Summary": "Oil"},
        ],
    },
}


def values_of(name: str, hint: Any) -> tuple[Any, ...]:
    if get_origin(hint) is Literal:
        return get_args(hint)
    return (True, False) if hint is bool else (getattr(Switches(), name), *OTHER_VALUES[name])


def positions() -> Iterator[Any]:
    """Every position of every switch that reads settle."""
    for name, hint in get_type_hints(Switches).items():
        for value in values_of(name, hint) if name in READ_SWITCHES else ():
            yield pytest.param(name, value, id=f"{name}-{value}")


def written_positions() -> Iterator[Any]:
    """Every unusual position of every switch that writes settle."""
    for name, hint in get_type_hints(Switches).items():
        for value in values_of(name, hint) if name in WRITE_SWITCHES else ():
            if value != getattr(Switches(), name):
                yield pytest.param(name, value, id=f"{name}-{value}")


def test_every_switch_is_read_written_or_explained() -> None:
    table = DOCS.read_text(encoding="utf-8").split("## What no probe finds out")[1]
    explained = set(re.findall(r"^\| `(\w+)` \| .+ \|$", table, re.MULTILINE))
    listed = [*READ_SWITCHES, *WRITE_SWITCHES, *explained]
    assert sorted(listed) == sorted(each.name for each in fields(Switches))


@pytest.mark.parametrize(("name", "value"), list(positions()))
def test_probe_names_the_position(
    start_probed: Callable[..., Commands],
    name: str,
    value: Any,
) -> None:
    commands = start_probed(**TENANT, switches={name: value})
    result = commands.run("probe", "--format", "json", "--config", commands.config())
    question = json.loads(result.output)["questions"][name]
    assert question["switch"] == name
    if name in AT_LEAST and value:
        assert 0 < question["position"] <= value
    else:
        assert question["position"] == value
    is_usual = value == getattr(Switches(), name)
    assert question["verdict"] == ("as assumed" if is_usual else "handled")
    assert len(reads(commands)) <= 20


def written_questions(commands: Commands, written: str) -> dict[str, Any]:
    """The questions of a probe that writes, in a profile."""
    options = ("--format", "json", "--write", written, "--yes")
    result = commands.run("probe", "--config", commands.config(), *options)
    questions: dict[str, Any] = json.loads(result.stdout)["questions"]
    return questions


def test_writing_probe_names_every_usual_position(start_probed: Callable[..., Commands]) -> None:
    commands = start_probed(**PROBED)
    questions = {
        **written_questions(commands, OBJECT),
        **written_questions(commands, f"person:{EMAIL}"),
    }
    for name in WRITE_SWITCHES:
        assert questions[name]["switch"] == name
        assert questions[name]["position"] == getattr(Switches(), name)
        assert questions[name]["verdict"] == "as assumed"


@pytest.mark.parametrize(("name", "value"), list(written_positions()))
def test_writing_probe_names_the_position(
    start_probed: Callable[..., Commands],
    name: str,
    value: Any,
) -> None:
    commands = start_probed(**PROBED, switches={name: value})
    before = held(commands.sandbox.tenant)[OBJECT]
    written = f"person:{EMAIL}" if name == "people_answer" else OBJECT
    question = written_questions(commands, written)[name]
    assert (question["switch"], question["position"]) == (name, value)
    assert question["verdict"] == "handled"
    assert held(commands.sandbox.tenant)[OBJECT] == before


def reads(commands: Commands) -> list[str]:
    """The calls that the tenant saw, without token requests."""
    calls = [call for call in commands.sandbox.tenant.calls() if call.kind != "token"]
    assert {call.kind for call in calls} <= {"list", "describe", "dropdown", "query", "cta names"}
    return [call.path for call in calls]
