"""The mark in the key of every record that a probe creates, by which a later run recognizes it."""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass

PREFIX = "tg-probe-"
LENGTH = len(PREFIX) + 15
"""The characters that a key field must hold."""

_RANDOM_BYTES = 4
_MARK = re.compile(rf"{PREFIX}(?P<token>[0-9a-f]{{8}})(?P<check>[0-9a-f]{{4}})-[0-9]{{1,2}}")


@dataclass(frozen=True)
class RunMark:
    """The mark of one run. Its `run_id` ends in a checksum, so that no typed key passes for it."""

    run_id: str

    @classmethod
    def new(cls) -> RunMark:
        """Return a mark that no other run has."""
        token = secrets.token_hex(_RANDOM_BYTES)
        return cls(token + _checksum(token))

    @property
    def prefix(self) -> str:
        """The beginning of the run's keys."""
        return f"{PREFIX}{self.run_id}-"

    def key(self, number: int) -> str:
        """Return the key of the run's record with this number, from 0 to 99."""
        return f"{self.prefix}{number}"


def is_mark(value: object) -> bool:
    """Return whether a key is the mark of any run."""
    match = _MARK.fullmatch(value) if isinstance(value, str) else None
    return match is not None and _checksum(match["token"]) == match["check"]


def _checksum(token: str) -> str:
    return hashlib.sha256(f"{PREFIX}{token}".encode()).hexdigest()[:4]
