"""Profile: the observations of a tenant as JSON that can be published."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from target_gainsight.probe.observations import Observation

FORMAT = 1
"""The version of the profile's format."""


def make_profile(observations: Iterable[Observation], *, version: str, day: date) -> dict[str, Any]:
    """Return the profile of a tenant.

    It leaves out consequences, which may name custom objects and fields.

    Args:
        observations: The observations.
        version: The version of the target.
        day: The day of the probe.
    """
    return {
        "format": FORMAT,
        "version": version,
        "date": day.isoformat(),
        "questions": {
            each.question: {
                "verdict": each.verdict,
                "observed": each.observed,
                **({"switch": each.switch} if each.switch else {}),
                **({} if each.position is None else {"position": each.position}),
            }
            for each in observations
        },
    }
