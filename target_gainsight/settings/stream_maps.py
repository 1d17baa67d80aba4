"""Expressions of stream maps that need a package which is not always installed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

FAKE = re.compile(r"\bfake\.")


def faker_expression(maps: Mapping[str, Any]) -> str | None:
    """Return the first expression that calls `fake`, which not every installation has.

    Args:
        maps: The setting ``stream_maps``, or a part of it.
    """
    for value in maps.values():
        found = faker_expression(value) if isinstance(value, dict) else value
        if isinstance(found, str) and FAKE.search(found):
            return found
    return None
