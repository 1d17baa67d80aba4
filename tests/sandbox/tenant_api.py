"""A tenant for tests: what is in it, its clock, and a client as thin as can be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import requests

from target_gainsight.sandbox import RunningSandbox, Tenant

OBJECTS = "/v1/data/objects"
PEOPLE = "/v1/peoplemgmt/v1.0/people"

TENANT = {
    "objects": {
        "CG_NPS_Response__gc": {
            "label": "NPS Response",
            "fields": {
                "responseId__gc": {"type": "STRING", "length": 100, "required": True},
                "score__gc": {"type": "NUMBER"},
                "companyId__gc": {"type": "LOOKUP", "object": "company"},
                "channel__gc": {"type": "PICKLIST", "options": ["Email", "SMS"]},
            },
        },
        "Usage__gc": {"transactional": False, "fields": {"day__gc": {"type": "DATE"}}},
        "Types__gc": {
            "fields": {
                "text__gc": {"type": "STRING", "length": 10},
                "email__gc": {"type": "EMAIL"},
                "url__gc": {"type": "URL", "length": 30},
                "rich__gc": {"type": "RICHTEXTAREA"},
                "number__gc": {"type": "NUMBER"},
                "money__gc": {"type": "CURRENCY"},
                "share__gc": {"type": "PERCENTAGE"},
                "flag__gc": {"type": "BOOLEAN"},
                "day__gc": {"type": "DATE"},
                "moment__gc": {"type": "DATETIME"},
                "choice__gc": {
                    "type": "PICKLIST",
                    "options": ["Red", "Blue", {"label": "Old", "active": False}],
                },
                "choices__gc": {"type": "MULTISELECTDROPDOWNLIST", "options": ["A", "B", "C"]},
                "company__gc": {"type": "LOOKUP", "object": "company"},
                "gsid__gc": {"type": "GSID"},
                "json__gc": {"type": "JSON"},
                "needed__gc": {"type": "STRING", "nillable": False},
                "formula__gc": {"type": "NUMBER", "formula": True},
                "fixed__gc": {"type": "STRING", "updateable": False},
            }
        },
    }
}


class Clock:
    """The time, which advances on request."""

    def __init__(self, now: float = 1_780_000_020.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


class Api:
    """A client as thin as can be: it adds the access key and nothing else."""

    def __init__(self, running: RunningSandbox, clock: Clock) -> None:
        self.running = running
        self.tenant: Tenant = running.tenant
        self.clock = clock
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.headers["accesskey"] = running.access_key

    def close(self) -> None:
        self.session.close()
        self.running.stop()

    def call(self, method: str, path: str, body: Any = None, **more: Any) -> requests.Response:
        return self.session.request(
            method, self.running.base_url + path, json=body, timeout=60, **more
        )

    def insert(self, name: str, *records: dict[str, Any], lookups: Any = None) -> requests.Response:
        body = {"records": list(records), **({"lookups": lookups} if lookups else {})}
        return self.call("POST", f"{OBJECTS}/{name}", body)

    def inserted(self, name: str, *records: dict[str, Any]) -> list[str]:
        answer = self.insert(name, *records)
        assert answer.status_code == 200, answer.text
        return [record["Gsid"] for record in answer.json()["data"]["records"]]

    def update(
        self, name: str, keys: str, *records: dict[str, Any], lookups: Any = None
    ) -> requests.Response:
        body = {"records": list(records), **({"lookups": lookups} if lookups else {})}
        return self.call("PUT", f"{OBJECTS}/{name}?keys={keys}", body)

    def person(self, **fields: Any) -> requests.Response:
        return self.call("PUT", PEOPLE, fields)

    def query(self, name: str, **body: Any) -> requests.Response:
        return self.call("POST", f"{OBJECTS}/query/{name}", body)

    def found(
        self, name: str, select: list[str], *conditions: tuple[str, str, list[Any]], **more: Any
    ) -> list[dict[str, Any]]:
        """Records that a query returns; its conditions are AND-ed by default."""
        body: dict[str, Any] = {"select": select, **more}
        if conditions:
            aliases = "ABCDEFG"[: len(conditions)]
            body["where"] = {
                "conditions": [
                    {"name": field, "alias": alias, "value": value, "operator": operator}
                    for alias, (field, operator, value) in zip(aliases, conditions, strict=True)
                ],
                "expression": body.pop("expression", " AND ".join(aliases)),
            }
        answer = self.query(name, **body)
        assert answer.status_code == 200, answer.text
        data: Any = answer.json()["data"]
        records: list[dict[str, Any]] = data["records"] if isinstance(data, dict) else data
        return records


OpenTenant = Callable[..., Api]
