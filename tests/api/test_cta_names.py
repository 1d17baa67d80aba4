"""CTA names are read in every form in which a tenant may list them."""

from __future__ import annotations

from typing import Any

import pytest
from answering import TENANT, success

from target_gainsight.api import GainsightClient

URL = f"{TENANT}/v2/cockpit/admin/picklist/lite"
RISK: dict[str, Any] = {"name": "Risk", "gsid": "1I00A", "active": True, "typeName": "ALL"}
OLD: dict[str, Any] = {"name": "Old", "gsid": "1I00B", "active": False}


def names_in(client: GainsightClient, requests_mock: Any, data: Any) -> dict[str, list[Any]]:
    requests_mock.get(URL, json=success(data))
    listed = client.cockpit.list_names()
    return {
        kind: [(each.label, each.gsid, each.active) for each in options]
        for kind, options in listed.items()
    }


@pytest.mark.parametrize(
    "data",
    [
        {"CTA_TYPE": [RISK, OLD], "CTA_STATUS": []},
        {"type": [{"label": "Risk", "gsid": "1I00A"}, OLD]},
        [{**RISK, "picklistCategory": "CTA_TYPE"}, {**OLD, "picklistCategory": "CTA_TYPE"}],
    ],
)
def test_names_are_read_by_kind_whatever_the_form(
    client: GainsightClient, requests_mock: Any, data: Any
) -> None:
    listed = names_in(client, requests_mock, data)
    assert listed == {"type": [("Risk", "1I00A", True), ("Old", "1I00B", False)]}
    assert requests_mock.last_request.qs == {
        "category": ["cta_type,cta_reason,cta_status,cta_priority"],
        "et": ["company"],
    }


def test_name_without_gsid_is_its_own_id(client: GainsightClient, requests_mock: Any) -> None:
    data = {"CTA_PRIORITY": [{"name": "High"}, {"name": "Low"}]}
    listed = names_in(client, requests_mock, data)
    assert listed == {"priority": [("High", "High", True), ("Low", "Low", True)]}


@pytest.mark.parametrize("data", [None, [], {}, "x", {"CTA_TYPE": "Risk"}, [{"name": "Risk"}]])
def test_unreadable_names_are_left_out(
    client: GainsightClient, requests_mock: Any, data: Any
) -> None:
    assert names_in(client, requests_mock, data) == {}
