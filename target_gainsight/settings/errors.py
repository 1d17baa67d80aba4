"""Configuration errors, collected so that all of them are reported at once."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

DISPLAY_LENGTH = 80


class SettingsError(Exception):
    """The configuration has errors.

    Attributes:
        errors: One message each.
    """

    def __init__(self, errors: Iterable[str]) -> None:
        self.errors = tuple(errors)
        super().__init__("\n".join(self.errors))


class ConfigErrors:
    """The errors found so far, each once.

    Attributes:
        messages: One per error, in the order they were found.
    """

    def __init__(self) -> None:
        self.messages: list[str] = []

    def add(self, setting: str, got: str, expected: str, hint: str = "") -> None:
        """Add a value that is not what the setting takes."""
        self.add_message(f"{setting}: got {got}, expected {expected}. {hint}".rstrip())

    def add_message(self, message: str) -> None:
        """Add an error in words of its own."""
        if message not in self.messages:
            self.messages.append(message)


def display(value: object) -> str:
    """Show a value that is not a secret: on one line, shortened."""
    text = repr(value)
    return text if len(text) <= DISPLAY_LENGTH else f"{text[: DISPLAY_LENGTH - 1]}…"


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Suggest the nearest of the known names."""
    near = difflib.get_close_matches(name.lower(), list(known), n=1)
    return f"Did you mean '{near[0]}'?" if near else ""
