"""The rate limit groups of a tenant: each is counted apart from the others."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

RateLimitGroup: TypeAlias = Literal["synchronous", "timeline", "bulk"]

DAY_SECONDS = 86_400


@dataclass(frozen=True)
class RateLimits:
    """The tenant's limits for one group of calls, and the percentage of them we may use.

    `per_window` counts calls per window of the server, `per_day` those per UTC day.
    """

    per_window: int = 100
    per_day: int | None = 50_000
    quota_percent: int = 90
    window_seconds: float = 60
    unit: str = "calls"

    @property
    def allowed_per_window(self) -> int:
        """The calls we may make per window."""
        return max(1, self.per_window * self.quota_percent // 100)

    @property
    def allowed_per_day(self) -> int | None:
        """The calls we may make per UTC day."""
        return self.per_day and max(1, self.per_day * self.quota_percent // 100)


DOCUMENTED_LIMITS: Mapping[RateLimitGroup, RateLimits] = {
    "synchronous": RateLimits(per_window=100, per_day=50_000),
    "timeline": RateLimits(per_window=200, per_day=None, unit="Timeline calls"),
    "bulk": RateLimits(per_window=10, per_day=100, window_seconds=3600, unit="bulk uploads"),
}
"""The limits of a tenant that has not bought more (Company API, Timeline APIs and Bulk API,
"Limits")."""
