"""Responses of Timeline and Cockpit as Gainsight documents them are read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from answering import TENANT

from target_gainsight.api import GainsightClient, RefusedError, is_in
from target_gainsight.mapping.planning.static_schemas import CTA, READ_AS, static_schema
from target_gainsight.mapping.types.converters import Converter

SAMPLES = Path(__file__).resolve().parents[3] / "shared" / "data" / "gainsight-samples"
QUERY = f"{TENANT}/v1/data/objects/query/activity_timeline"

pytestmark = pytest.mark.skipif(not SAMPLES.is_dir(), reason="the samples are not here")


def sample(name: str) -> Any:
    return json.loads((SAMPLES / f"{name}.json").read_text(encoding="utf-8"))


def test_activities_are_queried_and_read_as_the_page_shows(
    client: GainsightClient, requests_mock: Any
) -> None:
    request, response = sample("query_timeline_request"), sample("query_timeline_response")
    requests_mock.post(QUERY, json=response)
    [condition] = request["where"]["conditions"]
    select = tuple(request["select"])
    where = is_in(condition["name"], condition["value"])
    rows = list(client.records.query("activity_timeline", select=select, where=where))
    for row, printed in zip(rows, response["data"]["records"], strict=True):
        assert printed.items() <= row.items()
    sent = requests_mock.last_request.json()
    assert sent["select"] == request["select"]
    assert sent["where"]["conditions"][0]["value"] == condition["value"]
    assert set(sent) <= set(request)


def test_row_of_a_cta_compares_with_what_was_written() -> None:
    row = sample("cta_list_row")
    schema = static_schema(CTA)
    written = {"type": "Risk", "reason": "Other", "status": "New", "priority": "Medium"}
    for name, value in {**written, "DueDate": "2020-04-14", "Name": "Today"}.items():
        field = schema.field(name)
        assert field is not None
        converter = Converter(field.name, field)
        held = row[READ_AS[CTA].get(name, name)]
        assert converter.comparable(value) == converter.comparable(held), name


@pytest.mark.parametrize("status", [200, 400])
def test_unknown_field_of_a_cta_is_a_refusal_with_its_code(
    client: GainsightClient, requests_mock: Any, status: int
) -> None:
    requests_mock.post(QUERY, json=sample("cta_list_invalid_select"), status_code=status)
    with pytest.raises(RefusedError) as caught:
        list(client.records.query("activity_timeline", select=("gsidasdf",)))
    assert caught.value.code == "COCKPIT_5101"
    assert caught.value.description == "Invalid fields in select clause - gsidasdf"
