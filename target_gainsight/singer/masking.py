"""Warns of stream maps that mask fields which a reject file would show."""

from __future__ import annotations

import fnmatch
import logging
import re
from collections.abc import Iterator, Mapping
from typing import Any

from target_gainsight.mapping.errors import display
from target_gainsight.mapping.escaping import one_line

logger = logging.getLogger(__name__)

REMOVED = (None, "__NULL__")
MASKS = re.compile(r"\b(?:md5|sha256)\(|\bfake\.")
"""Functions that the SDK offers to expressions for hiding a value."""


def warn_of_unmasked_rejects(stream: str, stream_maps: Mapping[str, Any]) -> None:
    """Warn that rejects hold the source record, if a map masks or removes fields of it."""
    hidden = sorted(set(_hidden(stream, stream_maps)))
    if hidden:
        logger.warning(
            "stream %s: a stream map masks or removes %s, but the reject file keeps records as "
            "they came from the source. Set reject_values to keys to keep only what identifies "
            "them (they cannot be replayed then)",
            display(stream),
            one_line(", ".join(hidden)),
        )


def _hidden(stream: str, stream_maps: Mapping[str, Any]) -> Iterator[str]:
    for name, definition in stream_maps.items():
        if not isinstance(definition, dict):
            continue
        if not fnmatch.fnmatch(stream, definition.get("__source__") or name):
            continue
        for field, expression in definition.items():
            masks = isinstance(expression, str) and MASKS.search(expression)
            if not field.startswith("__") and (expression in REMOVED or masks):
                yield field
