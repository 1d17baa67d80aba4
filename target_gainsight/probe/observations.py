"""Questions and observations: how the tenant behaves, compared with what the target assumes."""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from importlib.metadata import version
from typing import Any, Literal, TypeAlias, TypeVar

from target_gainsight.api import GainsightError, Json
from target_gainsight.api.http.json_codec import as_mapping

logger = logging.getLogger(__name__)

Verdict: TypeAlias = Literal["as assumed", "handled", "not handled", "open"]
"""`handled`: otherwise than assumed, and the target is tested against it. `not handled`: the target
relies on the assumption. `open`: this tenant, or this credential, does not show it."""

Facts = TypeVar("Facts")
_FORMAT = 1


class OpenQuestionError(Exception):
    """The question stays open; the message says why."""


class ProbeEndedError(Exception):
    """The probe cannot go on; the message has the reason and what to do."""


@dataclass(frozen=True)
class Observation:
    """The result for a topic: a row of the table and an entry of the profile.

    No attribute has values of records, names of people, the host or a secret. Only `consequence`,
    which the profile leaves out, may name custom objects and fields. The `position` is that of the
    topic's switch, None if none plays the tenant. The `verdict` is by default `as assumed` at the
    usual position and `handled` at others, because the target is tested with every position.
    """

    name: str
    position: Json
    observed: str
    verdict: Verdict | None = None
    consequence: str = ""


@dataclass(frozen=True)
class Topic:
    """What an observation is about: the switch of this name, if there is one, and an assumption.

    Attributes:
        consequence: What the target does with an observation, as in `reads both forms`.
        usual: The position of the switch that stands for the assumption; None without a switch.
        otherwise: What it does if it relies on the assumption, and that does not hold.
    """

    name: str
    assumed: str
    consequence: str = "nothing changes"
    usual: Json = None
    otherwise: str = ""


def holds(name: str, is_so: bool, observed: str) -> Observation:
    """Return whether an assumption holds on which the target relies."""
    return Observation(name, None, observed, "as assumed" if is_so else "not handled")


def open_question(name: str, reason: str) -> Observation:
    """Return that the question stays open, and why."""
    return Observation(name, None, f"open: {reason}", "open", "nothing changes")


def require(value: Facts | None, reason: str) -> Facts:
    """Return what a question cannot do without; if it is empty, the question stays open."""
    if not value:
        raise OpenQuestionError(reason)
    return value


def ask(
    questions: Iterable[tuple[Callable[[Facts], Iterator[Observation]], tuple[Topic, ...]]],
    facts: Facts,
    known: dict[Topic, Observation],
) -> None:
    """Add an observation of each topic of these functions, unless it is known and settled.

    A question that fails on an unexpected response never ends the others.
    """
    for observe, topics in questions:
        observed: dict[str, Observation] = {}
        reason = "a response is not of the usual shape"
        try:
            for each in observe(facts):
                observed[each.name] = each
        except OpenQuestionError as error:
            reason = str(error)
        except (GainsightError, ArithmeticError, LookupError, TypeError, ValueError):
            logger.debug(reason, exc_info=True)
        for topic in topics:
            found = observed.get(topic.name) or open_question(topic.name, reason)
            if topic not in known or known[topic].verdict == "open":
                is_usual = found.position == topic.usual
                verdict = found.verdict or ("as assumed" if is_usual else "handled")
                usual = topic.otherwise if verdict == "not handled" else topic.consequence
                consequence = found.consequence or usual
                known[topic] = replace(found, verdict=verdict, consequence=consequence)


def make_profile(known: Mapping[Topic, Observation]) -> dict[str, Any]:
    """Return the observations as JSON values that can be published."""
    return {
        "format": _FORMAT,
        "version": version("target-gainsight"),
        "date": datetime.now(tz=timezone.utc).date().isoformat(),
        "questions": {
            topic.name: {
                "verdict": each.verdict,
                "observed": each.observed,
                **({} if topic.usual is None else {"switch": topic.name}),
                **({} if each.position is None else {"position": each.position}),
            }
            for topic, each in known.items()
        },
    }


def read_positions(profile: Json) -> dict[str, Json]:
    """Return the positions of switches in a profile, by switch; ValueError if it is none."""
    content = as_mapping(profile)
    questions = as_mapping(content.get("questions"))
    if not questions or content.get("format") != _FORMAT:
        message = f"expected an object with questions in format {_FORMAT}"
        raise ValueError(message)
    settled = [each for each in map(as_mapping, questions.values()) if "position" in each]
    return {str(each["switch"]): each["position"] for each in settled if "switch" in each}
