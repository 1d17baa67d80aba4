"""A CTA's due date counted from the day of the run: `+14d`."""

from __future__ import annotations

import re

DUE_DATE = "DueDate"
DATE_FORMS = "a date such as 2026-02-01, or days from the run's day such as +14d (0 to 9999)"
_DAYS_AHEAD = re.compile(r"\+([0-9]{1,4})d")
_MEANT = re.compile(r"\s*[+-].*|.*\dd\s*", re.IGNORECASE | re.DOTALL)


def days_ahead(value: object) -> int | None:
    """Return how many days ahead a value is, or None when it is something else."""
    found = _DAYS_AHEAD.fullmatch(value) if isinstance(value, str) else None
    return int(found[1]) if found else None


def is_malformed(value: object) -> bool:
    """Tell a value that seems to be meant for days ahead but does not have their form."""
    return isinstance(value, str) and days_ahead(value) is None and bool(_MEANT.fullmatch(value))
