"""Configuration errors, collected so that all of them are reported at once."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
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
        """Add a value that is not what the setting takes.

        Args:
            setting: The setting's full name, such as ``streams.accounts.sync_mode``.
            got: The value as it may be displayed.
            expected: What the setting takes.
            hint: One more sentence.
        """
        self.add_message(f"{setting}: got {got}, expected {expected}. {hint}".rstrip())

    def add_message(self, message: str) -> None:
        """Add an error in words of its own.

        Args:
            message: One or two sentences that name the setting.
        """
        if message not in self.messages:
            self.messages.append(message)


def display(value: object) -> str:
    """Show a value that is not a secret: on one line, shortened.

    Args:
        value: Any JSON value.

    Returns:
        At most 80 characters.
    """
    text = repr(value)
    return text if len(text) <= DISPLAY_LENGTH else f"{text[: DISPLAY_LENGTH - 1]}…"


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Suggest the nearest of the known names.

    Args:
        name: The name that is not known.
        known: The names there are.

    Returns:
        A question, or nothing when no name is near.
    """
    near = difflib.get_close_matches(name.lower(), list(known), n=1)
    return f"Did you mean '{near[0]}'?" if near else ""
