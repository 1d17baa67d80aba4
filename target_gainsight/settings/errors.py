"""Configuration errors, collected so that all of them are reported at once."""

import difflib
from collections.abc import Iterable

DISPLAY_LENGTH = 80


class ConfigErrors(list[str]):
    """The messages of the errors found so far; the same one may be found at several settings."""

    def add(self, setting: str, got: str, expected: str, hint: str = "") -> None:
        """Add a value that is not what the setting takes."""
        self.append(f"{setting}: got {got}, expected {expected}. {hint}".rstrip())

    def has(self, setting: str) -> bool:
        """Return whether the value of a setting is one of the errors."""
        return any(message.startswith(f"{setting}: ") for message in self)


def display(value: object) -> str:
    """Show a value that is not a secret: on one line, shortened."""
    text = repr(value)
    return text if len(text) <= DISPLAY_LENGTH else f"{text[: DISPLAY_LENGTH - 1]}…"


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Suggest the nearest of the known names."""
    near = difflib.get_close_matches(name.lower(), list(known), n=1)
    return f"Did you mean '{near[0]}'?" if near else ""
