"""Profile: the observations of a tenant as JSON that can be published."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from target_gainsight.probe.observations import Observation, Position

_FORMAT = 1


def make_profile(observations: Iterable[Observation], *, version: str, day: date) -> dict[str, Any]:
    """Return the profile of a tenant.

    It leaves out consequences, which may name custom objects and fields.
    """
    return {
        "format": _FORMAT,
        "version": version,
        "date": day.isoformat(),
        "questions": {
            each.topic.name: {
                "verdict": each.verdict,
                "observed": each.observed,
                **({} if each.topic.usual is None else {"switch": each.topic.name}),
                **({} if each.position is None else {"position": each.position}),
            }
            for each in observations
        },
    }


def read_positions(profile: object) -> dict[str, Position]:
    """Return the positions of switches in a profile, by switch.

    Raises:
        ValueError: It is no profile, or has another format than this version reads.
    """
    content = profile if isinstance(profile, Mapping) else {}
    questions = content.get("questions")
    if not isinstance(questions, Mapping):
        message = "not a profile of 'gainsight probe --format json'"
        raise ValueError(message)  # noqa: TRY004 - for the caller, the file's content is wrong
    if content.get("format") != _FORMAT:
        message = f"the format of the profile is not {_FORMAT}. Make another one with this version"
        raise ValueError(message)
    answered = [each for each in questions.values() if isinstance(each, Mapping)]
    return {
        each["switch"]: each["position"]
        for each in answered
        if isinstance(each.get("switch"), str) and "position" in each
    }
