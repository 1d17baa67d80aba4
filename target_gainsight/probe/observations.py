"""Observations: how the tenant behaves, compared with what the target assumes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Position: TypeAlias = "str | int | float | bool"
"""A position of a switch of the sandbox."""

Verdict: TypeAlias = Literal["as assumed", "handled", "not handled", "not settled"]
"""`handled`: otherwise than assumed, and the target is tested against it. `not handled`: the target
relies on the assumption. `not settled`: this tenant, or this credential, does not show it."""


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
        usual: The position of the switch of this name that stands for the assumption; None if
            there is no such switch.
    """

    name: str
    assumed: str
    usual: Position | None = None

    def at(self, position: Position, observed: str, consequence: str) -> Observation:
        """Return that a switch of the sandbox has this position.

        The target is tested with every position, so that none of them is `not handled`.
        """
        is_usual = type(position) is type(self.usual) and position == self.usual
        return self._observation(
            observed, consequence, "as assumed" if is_usual else "handled", position
        )

    def settled(self, observed: str, consequence: str, verdict: Verdict) -> Observation:
        """Return an observation that is no position of a switch."""
        return self._observation(observed, consequence, verdict, None)

    def not_settled(self, reason: str, consequence: str = "nothing changes") -> Observation:
        """Return that the question is open, and why."""
        return self._observation(f"not settled: {reason}", consequence, "not settled", None)

    def _observation(
        self, observed: str, consequence: str, verdict: Verdict, position: Position | None
    ) -> Observation:
        return Observation(
            question=self.name,
            assumed=self.assumed,
            observed=observed,
            consequence=consequence,
            verdict=verdict,
            switch=None if self.usual is None else self.name,
            position=position,
        )
