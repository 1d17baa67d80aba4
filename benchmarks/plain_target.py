"""A plain target for Gainsight, as one writes it from the SDK's documentation in an afternoon.

Batches of 50, a session, retries with backoff. It upserts by asking for the keys of each batch and
sending what is there with PUT and what is not with POST; in insert mode it only sends.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any, ClassVar

import backoff
import requests
from singer_sdk import BatchSink, Target
from singer_sdk import typing as th

TIMEOUT = 60


class ThrottledError(Exception):
    """The tenant is rate-limiting."""


RETRIED = (ThrottledError, requests.ConnectionError, requests.Timeout)


def plain(value: object) -> object:
    """A value as JSON knows it."""
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, datetime):
        return value.isoformat()
    return value.strftime("%Y-%m-%d") if isinstance(value, date) else value


class PlainSink(BatchSink):
    """Writes companies or people."""

    max_size = 50

    def setup(self) -> None:
        """Open the session."""
        super().setup()
        self.session = requests.Session()
        self.session.headers["accesskey"] = self.config["access_key"]

    @backoff.on_exception(backoff.expo, RETRIED, max_tries=5)
    def call(self, method: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Make a call, again where that may help."""
        url = f"{self.config['base_url']}{path}"
        response = self.session.request(method, url, json=body, timeout=TIMEOUT)
        if response.status_code == requests.codes.too_many or response.status_code >= 500:  # noqa: PLR2004
            raise ThrottledError(response.text[:200])
        response.raise_for_status()
        answer: dict[str, Any] = response.json()
        return answer

    def process_batch(self, context: dict[str, Any]) -> None:
        """Write one batch."""
        records = [
            {name: plain(value) for name, value in record.items()} for record in context["records"]
        ]
        if self.config["object"] == "person":
            self.write_people(records)
        elif self.config["sync_mode"] == "insert":
            self.write("POST", records)
        else:
            self.upsert(records)

    def write_people(self, records: list[dict[str, Any]]) -> None:
        """People go one by one; the call upserts."""
        for record in records:
            self.call("PUT", "/v1/peoplemgmt/v1.0/people", record)

    def upsert(self, records: list[dict[str, Any]]) -> None:
        """Ask which are there, then send both kinds."""
        latest = {record["Name"]: record for record in records}
        where = {
            "conditions": [
                {"name": "Name", "alias": "A", "operator": "IN", "value": list(latest)},
            ],
            "expression": "A",
        }
        query = {"select": ["Gsid", "Name"], "where": where, "limit": 5000, "offset": 0}
        path = f"/v1/data/objects/query/{self.config['object']}"
        answer = self.call("POST", path, query)
        data = answer["data"]
        rows = data["records"] if isinstance(data, dict) else data
        held = {row["Name"] for row in rows}
        self.write("PUT", [record for name, record in latest.items() if name in held])
        self.write("POST", [record for name, record in latest.items() if name not in held])

    def write(self, method: str, records: list[dict[str, Any]]) -> None:
        """Send records, if there are any; what is refused is logged and left."""
        if not records:
            return
        keys = "?keys=Name" if method == "PUT" else ""
        path = f"/v1/data/objects/{self.config['object']}{keys}"
        try:
            self.call(method, path, {"records": records})
        except requests.HTTPError as error:
            self.logger.error("a batch was refused: %s", error)  # noqa: TRY400


class PlainTarget(Target):
    """The plain target."""

    name = "target-plain"
    config_jsonschema: ClassVar[dict[str, Any]] = th.PropertiesList(
        th.Property("base_url", th.StringType, required=True),
        th.Property("access_key", th.StringType, required=True, secret=True),
        th.Property("object", th.StringType, default="company"),
        th.Property("sync_mode", th.StringType, default="upsert"),
    ).to_dict()
    default_sink_class = PlainSink


if __name__ == "__main__":
    PlainTarget.cli()
