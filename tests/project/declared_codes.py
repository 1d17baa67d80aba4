"""The codes of rejects and of Gainsight's responses, as declared in the source."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from target_gainsight.loading.lookups import resolver

PACKAGE = Path(__file__).resolve().parents[2] / "target_gainsight"
PACKAGES = ("loading", "mapping", "sinks", "singer")
REASONS = ("Reason", "ConversionError")
OWN_CODE = re.compile(r"[a-z]+(_[a-z]+)*")
GAINSIGHTS_CODE = re.compile(r"\b(?:GSOBJ_|GS_[A-Z]+_|GU_|GS_)[0-9][0-9_]*\b")


def own_codes() -> set[str]:
    """Return the codes in literals and in tables."""
    found = {code for tree in _trees() for code in _literals(tree)}
    return found | {
        resolver.NO_MATCH,
        resolver.MULTI_MATCH,
        resolver.REJECTED_PARENT,
        resolver.UNALIGNED,
    }


def own_code_patterns() -> set[str]:
    """Return composed codes, such as `not_{kind}`, as regular expressions."""
    return {pattern for tree in _trees() for pattern in _patterns(tree)}


def gainsights_codes() -> set[str]:
    """Return the codes of Gainsight that the client handles."""
    texts = (path.read_text(encoding="utf-8") for path in sorted((PACKAGE / "api").rglob("*.py")))
    return {code for text in texts for code in GAINSIGHTS_CODE.findall(text)}


def _trees() -> Iterator[ast.Module]:
    for package in PACKAGES:
        for path in sorted((PACKAGE / package).rglob("*.py")):
            yield ast.parse(path.read_text(encoding="utf-8"))


def _literals(tree: ast.Module) -> Iterator[str]:
    for value in _values(tree):
        for node in ast.walk(value):
            text = node.value if isinstance(node, ast.Constant) else None
            if isinstance(text, str) and OWN_CODE.fullmatch(text):
                yield text


def _patterns(tree: ast.Module) -> Iterator[str]:
    for value in _values(tree):
        for node in ast.walk(value):
            if isinstance(node, ast.JoinedStr):
                parts = (p.value if isinstance(p, ast.Constant) else None for p in node.values)
                yield "".join(r"[a-z_]+" if part is None else re.escape(part) for part in parts)


def _values(tree: ast.Module) -> Iterator[ast.expr]:
    """Yield expressions that are codes: assigned or passed to `code`, or first in a reason."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "code":
            yield node.value
        if isinstance(node, ast.Call) and ast.unparse(node.func) in REASONS:
            yield from node.args[:1]
            yield from (each.value for each in node.keywords if each.arg == "code")
