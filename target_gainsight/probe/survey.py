"""Ask the questions of a probe, one after the other."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from target_gainsight.probe.observations import Observation, Topic

logger = logging.getLogger(__name__)

_UNEXPECTED = "a response has an unexpected shape"


@dataclass(frozen=True)
class Question:
    """What is found out together.

    Attributes:
        topics: What it settles.
        inquire: Makes the calls, and returns or yields an observation for each topic.
    """

    topics: tuple[Topic, ...]
    inquire: Callable[[], Iterable[Observation]]


def ask(questions: Iterable[Question]) -> tuple[Observation, ...]:
    """Ask the questions; one that fails on an unexpected response never ends the others.

    Returns:
        An observation for each topic, in order. A topic for which there is none is not settled.

    Raises:
        StopRunError: No further call can succeed.
    """
    return tuple(each for question in questions for each in _answer(question))


def _answer(question: Question) -> Iterable[Observation]:
    made: dict[str, Observation] = {}
    try:
        for observation in question.inquire():
            made[observation.question] = observation
    except (ArithmeticError, LookupError, TypeError, ValueError):
        logger.debug(_UNEXPECTED, exc_info=True)
    for topic in question.topics:
        yield made.get(topic.name) or topic.not_settled(_UNEXPECTED)


def merge(first: Iterable[Observation], second: Iterable[Observation]) -> tuple[Observation, ...]:
    """Combine the observations of two surveys, in order; what one of them settles is settled."""
    merged = {each.question: each for each in first}
    for observation in second:
        known = merged.get(observation.question)
        if known is None or known.verdict == "not settled":
            merged[observation.question] = observation
    return tuple(merged.values())
