"""The size of the groups whose current rows are read with one query."""

from __future__ import annotations

from target_gainsight.api import MAX_PAGE

LARGEST_GROUP = MAX_PAGE - 1
"""A group of so many keys is read with one call: a page that is not full ends the query."""

MOSTLY_UNCHANGED = 0.9


class GroupSize:
    """Grows while a stream's records are mostly unchanged: then reads are what a run costs.

    The result of a group takes effect when the next one is submitted, however quickly the tenant
    responds: so the sizes follow from the records alone.

    Args:
        first: The size to begin with, and to fall back to.

    Attributes:
        current: The size of the group that is being formed.
    """

    def __init__(self, first: int) -> None:
        self.current = first
        self._first = first
        self._next = first

    def record_group(self, records: int, unchanged: int) -> None:
        """Record how many records of the group that was submitted last were unchanged."""
        mostly = unchanged >= MOSTLY_UNCHANGED * records
        grown = max(self._first, min(2 * self.current, LARGEST_GROUP))
        self._next = grown if mostly else self._first

    def advance(self) -> None:
        """Choose the size of the next group; called when one is submitted."""
        self.current = self._next
