"""Questions and observations: how the tenant behaves, compared with what the target assumes."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias, TypeVar

logger = logging.getLogger(__name__)

Position: TypeAlias = "str | int | float | bool"
"""A position of a switch of the sandbox."""

Verdict: TypeAlias = Literal["as assumed", "handled", "not handled", "not settled"]
"""`handled`: otherwise than assumed, and the target is tested against it. `not handled`: the target
relies on the assumption. `not settled`: this tenant, or this credential, does not show it."""

Facts = TypeVar("Facts")


class NotSettledError(Exception):
    """The question stays open; the message says why."""


@dataclass(frozen=True)
class Topic:
    """What an observation is about.

    Attributes:
        name: Such as `no_rows`, unique in a run; the name of the switch if there is one.
        assumed: What the target assumes, as a short statement.
        consequence: What the target does with an observation, or what the user should do, unless
            the observation says something else.
        usual: The position of the switch of this name that stands for the assumption; None if
            there is no such switch.
    """

    name: str
    assumed: str
    consequence: str = "nothing changes"
    usual: Position | None = None

    def at(self, position: Position, observed: str, consequence: str = "") -> Observation:
        """Return that a switch of the sandbox has this position.

        The target is tested with every position, so that none of them is `not handled`.
        """
        verdict: Verdict = "as assumed" if position == self.usual else "handled"
        return Observation(self, verdict, observed, consequence or self.consequence, position)

    def settled(self, verdict: Verdict, observed: str, consequence: str = "") -> Observation:
        """Return an observation that is no position of a switch."""
        return Observation(self, verdict, observed, consequence or self.consequence)

    def not_settled(self, reason: str) -> Observation:
        """Return that the question is open, and why."""
        return self.settled("not settled", f"not settled: {reason}", "nothing changes")


@dataclass(frozen=True)
class Observation:
    """A row of the table and of the profile.

    No attribute has values of records, names of people, the host or a secret. Only `consequence`,
    which the profile leaves out, may name custom objects and fields.

    Attributes:
        verdict: How what the tenant did compares with what is assumed.
        position: The observed position of the topic's switch; None if none is known to match.
    """

    topic: Topic
    verdict: Verdict
    observed: str
    consequence: str
    position: Position | None = None


Question: TypeAlias = tuple[Callable[[Facts], Iterator[Observation]], tuple[Topic, ...]]
"""A function that makes calls and yields observations, and the topics that they are about."""


def ask(questions: Iterable[Question[Facts]], facts: Facts) -> tuple[Observation, ...]:
    """Ask questions; one that fails on an unexpected response never ends the others.

    Returns:
        An observation for each topic, in order. A topic for which there is none is not settled.

    Raises:
        StopRunError: No further call can succeed.
    """
    observations: list[Observation] = []
    for observe, topics in questions:
        observed: dict[str, Observation] = {}
        reason = "a response has an unexpected shape"
        try:
            for observation in observe(facts):
                observed[observation.topic.name] = observation
        except NotSettledError as error:
            reason = str(error)
        except (ArithmeticError, LookupError, TypeError, ValueError):
            logger.debug(reason, exc_info=True)
        observations += [observed.get(topic.name) or topic.not_settled(reason) for topic in topics]
    return tuple(observations)


def merge(first: Iterable[Observation], second: Iterable[Observation]) -> tuple[Observation, ...]:
    """Combine the observations of two probes, in order; what one of them settles is settled."""
    merged = {each.topic.name: each for each in first}
    for each in second:
        if each.topic.name not in merged or merged[each.topic.name].verdict == "not settled":
            merged[each.topic.name] = each
    return tuple(merged.values())
