"""Collects what is wrong with a configuration, one sentence per mistake."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator

if TYPE_CHECKING:
    from collections.abc import Mapping

SHOWN_LENGTH = 80

REFUSED_SYNC_MODES = {
    "mirror": (
        "upsert, insert or update; a mirror deletes rows that the source lacks, and this target "
        "never deletes: use upsert and retire rows with a status field"
    ),
    "delete": "upsert, insert or update; this target never deletes",
    "append": "insert, which creates a row for every record",
} | dict.fromkeys(
    ("add", "remove", "audience", "audience_add", "audience_remove", "segment"),
    (
        "upsert, insert or update; audience modes change the members of a list, which Gainsight "
        "does not have: load a flag field with upsert"
    ),
)
"""Modes of other loaders that people bring along, and what to use."""

REFUSED_CHOICES = (None, "overwrite")
"""What a setting's schema lists and its reading refuses."""

TYPE_NAMES = {
    "string": "text",
    "integer": "a whole number",
    "boolean": "true or false",
    "object": "an object",
    "array": "a list",
}


@dataclass
class Mistakes:
    """The mistakes found so far, each once."""

    found: list[str] = field(default_factory=list)

    def add(self, setting: str, given: str, right: str) -> None:
        """Note one mistake.

        Args:
            setting: The setting's full name, such as ``streams.accounts.sync_mode``.
            given: What was given, already fit to be shown.
            right: What is right.
        """
        sentence = f"{setting}: given {given}; right: {right}"
        if sentence not in self.found:
            self.found.append(sentence)


def shown(value: object) -> str:
    """Show a given value, shortened and with control characters escaped.

    Args:
        value: Any JSON value that is not a secret.

    Returns:
        At most 80 characters.
    """
    text = repr(value)
    return text if len(text) <= SHOWN_LENGTH else f"{text[: SHOWN_LENGTH - 1]}…"


def schema_mistakes(
    given: Mapping[str, Any],
    properties: Mapping[str, Mapping[str, Any]],
    mistakes: Mistakes,
    *,
    prefix: str = "",
) -> frozenset[str]:
    """Check type, choice and bounds of each given setting against its declaration.

    Args:
        given: Setting name to JSON value.
        properties: Setting name to its JSON schema.
        mistakes: Takes the mistakes.
        prefix: Goes before the names of the settings.

    Returns:
        Names of the settings that are wrong and must not be read further.
    """
    wrong = set()
    for name, value in given.items():
        declared = properties.get(name)
        right = _what_is_right(name, value, declared) if declared else None
        if declared and right:
            hidden = declared.get("secret") is True
            mistakes.add(prefix + name, "a hidden value" if hidden else shown(value), right)
            wrong.add(name)
    return frozenset(wrong)


def _what_is_right(name: str, value: object, declared: Mapping[str, Any]) -> str | None:
    for error in Draft202012Validator(dict(declared)).iter_errors(value):
        if error.validator == "enum":
            return _right_choice(name, str(value), declared["enum"])
        if error.validator == "pattern":
            return "a path on this machine; URLs are not supported"
        if error.validator in {"minimum", "maximum"}:
            return _right_bounds(declared)
        return " or ".join(TYPE_NAMES[kind] for kind in declared["type"] if kind in TYPE_NAMES)
    return None


def _right_choice(name: str, value: str, choices: list[str]) -> str:
    if name == "sync_mode" and value.lower() in REFUSED_SYNC_MODES:
        return REFUSED_SYNC_MODES[value.lower()]
    choices = [choice for choice in choices if choice not in REFUSED_CHOICES]
    near = difflib.get_close_matches(value.lower(), choices, n=1)
    meant = f" (did you mean '{near[0]}'?)" if near else ""
    return "one of " + ", ".join(choices) + meant


def _right_bounds(declared: Mapping[str, Any]) -> str:
    lowest, highest = declared.get("minimum"), declared.get("maximum")
    if highest is None:
        return f"a whole number of at least {lowest}"
    return f"a whole number from {lowest} to {highest}"
