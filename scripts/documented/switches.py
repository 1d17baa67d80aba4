"""The limits and switches of the sandbox as tables, from its classes and their docstrings."""

from __future__ import annotations

import dataclasses
import inspect
import re
from collections.abc import Mapping
from typing import Literal, get_args, get_origin, get_type_hints

from target_gainsight.sandbox.config.switches import Limits, Switches

ENTRY = re.compile(r"^    ([a-z_, ]+): (.*(?:\n {8}.*)*)", re.MULTILINE)


def tenant_tables() -> str:
    """Lay limits and switches out as tables.

    Returns:
        Markdown, ending in a newline.
    """
    limits = [f"| `{field.name}` | `{field.default:,}` |" for field in dataclasses.fields(Limits)]
    hints, meanings = get_type_hints(Switches), _meanings(Switches)
    switches = [
        f"| `{field.name}` | {_values(hints[field.name], field.default)} | {meanings[field.name]} |"
        for field in dataclasses.fields(Switches)
    ]
    return "\n".join(
        [
            "### Limits\n",
            "Under `limits`; 0 is unlimited.\n",
            "| Limit | Default |",
            "|---|---|",
            *limits,
            "\n### Switches\n",
            "Under `switches`; the first value is the default.\n",
            "| Switch | Values | Decides |",
            "|---|---|---|",
            *switches,
            "",
        ]
    )


def _meanings(described: type) -> Mapping[str, str]:
    """Read the attributes of a class out of its docstring; several may share one entry.

    Raises:
        ValueError: The docstring leaves one out.
    """
    text = (inspect.getdoc(described) or "").split("Attributes:\n", 1)[1]
    meanings = {
        name: " ".join(meaning.split()).removesuffix(".").replace("|", "\\|")
        for names, meaning in ENTRY.findall(text)
        for name in names.split(", ")
    }
    left_out = sorted(set(get_type_hints(described)).difference(meanings))
    if left_out:
        message = f"the docstring of {described.__name__} leaves out {', '.join(left_out)}"
        raise ValueError(message)
    return meanings


def _values(hint: object, default: object) -> str:
    choices = [each for each in get_args(hint) if each != default]
    several = get_origin(hint) is Literal or hint is bool
    if hint is bool:
        choices = [not default]
    shown = [default, *choices] if several else [default]
    return ", ".join(f"`{str(each).lower() if hint is bool else each}`" for each in shown)
