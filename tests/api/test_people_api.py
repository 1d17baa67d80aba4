"""People are upserted one a call."""

from __future__ import annotations

from typing import Any

import pytest
from answering import TENANT, failure, success

from target_gainsight.api import GainsightClient, RefusedError

PEOPLE = f"{TENANT}/v1/peoplemgmt/v1.0/people"
PERSON = {"Email": "peter@initech.example", "companies": [{"Company_ID": "1P02A"}]}


@pytest.mark.parametrize(
    ("data", "gsid"),
    [({"Gsid": "1P03A"}, "1P03A"), ({"gsid": "1P03A"}, "1P03A"), ({}, None), (None, None)],
)
def test_upsert_puts_person_and_returns_gsid(
    client: GainsightClient, requests_mock: Any, data: Any, gsid: str | None
) -> None:
    requests_mock.put(PEOPLE, json=success(data))
    assert client.people.upsert(PERSON) == gsid
    assert requests_mock.last_request.json() == PERSON


def test_upsert_is_retried(acquainted: GainsightClient, requests_mock: Any) -> None:
    requests_mock.put(PEOPLE, [{"status_code": 500}, {"json": success()}])
    acquainted.people.upsert(PERSON)


def test_refused_person_has_reason(client: GainsightClient, requests_mock: Any) -> None:
    requests_mock.put(PEOPLE, status_code=400, json=failure("GSOBJ_VDTEMAIL1001", "Bad email"))
    with pytest.raises(RefusedError) as caught:
        client.people.upsert({"Email": "peter"})
    assert caught.value.code == "GSOBJ_VDTEMAIL1001"
