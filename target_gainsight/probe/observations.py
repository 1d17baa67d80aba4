"""Questions and observations: how the tenant behaves, compared with what the target assumes."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, Literal, TypeAlias, TypeVar

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
class Observation:
    """A row of the table and of the profile.

    No attribute has values of records, names of people, the host or a secret. Only `consequence`,
    which the profile leaves out, may name custom objects and fields.

    Attributes:
        question: The name of the topic, unique in a run.
        assumed: What the target assumes.
        observed: What the tenant did.
        consequence: What the target does with it, or what the user should do.
        verdict: How both compare.
        switch: The switch of the sandbox that plays the tenant's behavior, if there is one.
        position: The observed position of that switch; None if no position is known to match.
    """

    question: str
    assumed: str
    observed: str
    consequence: str
    verdict: Verdict
    switch: str | None = None
    position: Position | None = None


@dataclass(frozen=True)
class Topic:
    """What an observation is about.

    Attributes:
        name: Such as `no_rows`; the name of the switch if there is one.
        assumed: What the target assumes, as a short statement.
        consequence: What follows, unless an observation says something else.
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
        is_usual = type(position) is type(self.usual) and position == self.usual
        verdict: Verdict = "as assumed" if is_usual else "handled"
        return self.settled(verdict, observed, consequence, position)

    def settled(
        self,
        verdict: Verdict,
        observed: str,
        consequence: str = "",
        position: Position | None = None,
    ) -> Observation:
        """Return an observation; without a position it is none that a switch has."""
        return Observation(
            question=self.name,
            assumed=self.assumed,
            observed=observed,
            consequence=consequence or self.consequence,
            verdict=verdict,
            switch=None if self.usual is None else self.name,
            position=position,
        )

    def not_settled(self, reason: str) -> Observation:
        """Return that the question is open, and why."""
        return self.settled("not settled", f"not settled: {reason}", "nothing changes")


@dataclass(frozen=True)
class Question(Generic[Facts]):
    """Topics that are settled together.

    Attributes:
        topics: What is observed.
        observe: Makes the calls, and yields an observation for each topic.
    """

    topics: tuple[Topic, ...]
    observe: Callable[[Facts], Iterable[Observation]]


def ask(questions: Iterable[Question[Facts]], facts: Facts) -> tuple[Observation, ...]:
    """Ask the questions; one that fails on an unexpected response never ends the others.

    Returns:
        An observation for each topic, in order. A topic for which there is none is not settled.

    Raises:
        StopRunError: No further call can succeed.
    """
    observations: list[Observation] = []
    for question in questions:
        observed: dict[str, Observation] = {}
        reason = "a response has an unexpected shape"
        try:
            for observation in question.observe(facts):
                observed[observation.question] = observation
        except NotSettledError as error:
            reason = str(error)
        except (ArithmeticError, LookupError, TypeError, ValueError):
            logger.debug(reason, exc_info=True)
        observations += [
            observed.get(topic.name) or topic.not_settled(reason) for topic in question.topics
        ]
    return tuple(observations)


def merge(first: Iterable[Observation], second: Iterable[Observation]) -> tuple[Observation, ...]:
    """Combine the observations of two probes, in order; what one of them settles is settled."""
    merged = {each.question: each for each in first}
    for observation in second:
        known = merged.get(observation.question)
        if known is None or known.verdict == "not settled":
            merged[observation.question] = observation
    return tuple(merged.values())
