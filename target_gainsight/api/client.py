"""The Gainsight client. Its attributes hold the business calls, by resource."""

from __future__ import annotations

from functools import cached_property

from target_gainsight.api.http.client import HttpClient
from target_gainsight.api.resources.bulk import BulkApi
from target_gainsight.api.resources.cockpit import CockpitApi
from target_gainsight.api.resources.metadata import MetadataApi
from target_gainsight.api.resources.people import PeopleApi
from target_gainsight.api.resources.records import RecordsApi
from target_gainsight.api.resources.timeline import TimelineApi


class GainsightClient(HttpClient):
    """Calls one tenant's API, from any number of threads. See `HttpClient` for the arguments."""

    @cached_property
    def records(self) -> RecordsApi:
        """Records of objects, and queries."""
        return RecordsApi(self)

    @cached_property
    def people(self) -> PeopleApi:
        """People."""
        return PeopleApi(self)

    @cached_property
    def metadata(self) -> MetadataApi:
        """Objects and their fields."""
        return MetadataApi(self)

    @cached_property
    def timeline(self) -> TimelineApi:
        """Timeline activities."""
        return TimelineApi(self)

    @cached_property
    def cockpit(self) -> CockpitApi:
        """CTAs."""
        return CockpitApi(self)

    @cached_property
    def bulk(self) -> BulkApi:
        """Bulk jobs."""
        return BulkApi(self)
