"""Which names of the tenant a wrong name was meant to be."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from target_gainsight.api.resources.metadata import Field

MOST_SUGGESTIONS = 3
_NEAR = 0.75
_SUFFIX = re.compile(r"__(?:gc|gr|lv|c)$", re.IGNORECASE)
_SEPARATORS = re.compile(r"[\W_]+")


def suggest(name: str, fields: Iterable[Field]) -> tuple[str, ...]:
    """The API names of the fields that `name` resembles, best first, at most three.

    A difference in case alone comes first, then a label, then `renewal_date` for `RenewalDate`
    and a forgotten `__gc`, then near misses.
    """
    return _best(name, {field.name: field.label for field in fields})


def suggest_names(name: str, names: Iterable[str]) -> tuple[str, ...]:
    """The names that `name` resembles, best first, at most three."""
    return _best(name, dict.fromkeys(names, ""))


def same_names(name: str, fields: Iterable[Field]) -> Iterator[tuple[Field, ...]]:
    """The fields that `name` stands for, by one rule after the other, the strictest first.

    The rules: its very name; but for case; `renewal_date` for `RenewalDate` or
    `RenewalDate__gc`; the same for the label.
    """
    every = tuple(fields)
    yield tuple(each for each in every if each.name == name)
    yield tuple(each for each in every if each.name.lower() == name.lower())
    yield tuple(each for each in every if _bare(each.name) == _bare(name))
    yield tuple(each for each in every if _bare(each.label) == _bare(name))


def did_you_mean(name: str, suggestions: tuple[str, ...]) -> str:
    """A sentence that offers the suggestions; it says when only the case is wrong."""
    if not suggestions:
        return ""
    if suggestions[0].lower() == name.lower():
        return f"{suggestions[0]} differs only in case."
    return f"Did you mean {' or '.join(suggestions)}?"


def _best(name: str, labels: Mapping[str, str]) -> tuple[str, ...]:
    exact = [each for each in labels if each.lower() == name.lower()]
    by_label = [each for each, label in labels.items() if label.lower() == name.lower()]
    bare: dict[str, list[str]] = {}
    for each, label in labels.items():
        bare.setdefault(_bare(each), []).append(each)
        if label:
            bare.setdefault(_bare(label), []).append(each)
    same = bare.get(_bare(name), [])
    near = difflib.get_close_matches(_bare(name), bare, n=MOST_SUGGESTIONS, cutoff=_NEAR)
    resembling = [each for key in near for each in bare[key]]
    return tuple(dict.fromkeys([*exact, *by_label, *same, *resembling]))[:MOST_SUGGESTIONS]


def _bare(name: str) -> str:
    return _SEPARATORS.sub("", _SUFFIX.sub("", name)).lower()
