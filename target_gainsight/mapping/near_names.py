"""Find the names of the tenant that a wrong name resembles."""

import difflib
import re
from collections import defaultdict
from collections.abc import Iterable

from target_gainsight.api import Field

MOST_SUGGESTIONS = 3
_LEAST_SIMILARITY = 0.75
_SUFFIX = re.compile(r"__(?:gc|gr|lv|c)$", re.IGNORECASE)
_SEPARATORS = re.compile(r"[\W_]+")


def suggest_names(name: str, names: Iterable[str | Field]) -> tuple[str, ...]:
    """Return similar names, or those of fields with a similar label, best first, at most three.

    Bare names are compared, so that a forgotten `__gc` is no difference; case alone comes first.
    """
    by_bare_name: dict[str, list[str]] = defaultdict(list)
    for each in names:
        own, label = (each, each) if isinstance(each, str) else (each.name, each.label)
        by_bare_name[bare_name(own)].append(own)
        by_bare_name[bare_name(label or own)].append(own)
    near = difflib.get_close_matches(
        bare_name(name), by_bare_name, n=MOST_SUGGESTIONS, cutoff=_LEAST_SIMILARITY
    )
    similar = dict.fromkeys(each for key in near for each in by_bare_name[key])
    return tuple(sorted(similar, key=lambda each: each.lower() != name.lower()))[:MOST_SUGGESTIONS]


def did_you_mean(name: str, suggestions: tuple[str, ...]) -> str:
    """Return a sentence that offers the suggestions; empty without any."""
    if not suggestions:
        return ""
    if suggestions[0].lower() == name.lower():
        return f"{suggestions[0]} differs only in case."
    return f"Did you mean {' or '.join(suggestions)}?"


def bare_name(name: str) -> str:
    """Return a name in lower case without separators and custom suffix."""
    return _SEPARATORS.sub("", _SUFFIX.sub("", name)).lower()
