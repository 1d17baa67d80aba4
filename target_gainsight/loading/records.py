"""Records as they arrived and as they are loaded."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from target_gainsight.loading.keys import COMPANIES, COMPANY_ID, Reference

_EMPTY: Mapping[str, Any] = {}
"""Shared: two dictionaries of its own would cost a record an eighth of a kilobyte."""


@dataclass(slots=True, eq=False)
class SourceRecord:
    """One record as it reached a sink.

    Attributes:
        stream: The stream's name as the tap gives it.
        alias: The stream's name as it comes out of the stream maps.
        message: The RECORD message as it came; its ``record`` is the source record.
        schema: The SCHEMA message that held for it, as it came.
        sequence: Its number among the records of the run, in the order of the input.
    """

    stream: str
    alias: str
    message: Mapping[str, Any]
    schema: Mapping[str, Any]
    sequence: int

    @property
    def key(self) -> dict[str, Any]:
        """Its key properties, as the source sent them."""
        record, names = self.message["record"], self.schema.get("key_properties") or ()
        return {name: record.get(name) for name in names}


@dataclass(slots=True, eq=False)
class LoadRecord:
    """A record on its way into the tenant.

    Attributes:
        fields: Gainsight field to the value that is written.
        key: The comparable values of its lookup keys, empty without keys.
        parts: The records it was merged from, in order; empty when it stands for itself.
        gsid: The row it updates, once that is known.
        sent_before: When an earlier run sent it without learning the outcome (epoch seconds).
        references: Field to the rows of another object that it refers to, most often one; for
            ``company_links``, the companies of a person.
        links: The fields of the link to each of these companies.
        waiting: Field to the row of its own object that is not there yet.
        claimed: The row without lookup keys that it updates, as it was found by fallback keys.
        changed: The fields that an update changes, as far as its row was compared.
        deletes: It deletes its row; its fields are the lookup keys only.
    """

    source: SourceRecord
    fields: dict[str, Any]
    key: tuple[Any, ...] = ()
    parts: tuple["LoadRecord", ...] = ()
    gsid: str | None = None
    sent_before: float | None = None
    references: Mapping[str, tuple[Reference, ...]] = field(default_factory=lambda: _EMPTY)
    links: tuple[Mapping[str, Any], ...] = ()
    waiting: Mapping[str, tuple[Reference, ...]] = field(default_factory=lambda: _EMPTY)
    claimed: Mapping[str, Any] | None = None
    changed: tuple[str, ...] = ()
    deletes: bool = False


def merge_fields(earlier: Mapping[str, Any], later: Mapping[str, Any]) -> dict[str, Any]:
    """Merge two records with the same key: later fields, and links to one company, win."""
    merged = {**earlier, **later}
    if earlier.get(COMPANIES) and later.get(COMPANIES):
        links = {link[COMPANY_ID]: link for link in (*earlier[COMPANIES], *later[COMPANIES])}
        merged[COMPANIES] = list(links.values())
    return merged
