"""The settings as `.env.example`: every variable, commented out, with what it means above it."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from documented.declared import Setting

WIDTH = 100

HEAD = """\
# Settings of target-gainsight as environment variables: the tenant, its credential, and what you
# want otherwise than by default. Copy this file to .env, which git ignores, and uncomment what you
# need. Meltano and the target read .env from the folder they run in. Objects are written as JSON.
# Written by scripts/docs.py.
"""


def environment_example(settings: Iterable[Setting]) -> str:
    """Lay all settings out as environment variables.

    Args:
        settings: All settings of the target.

    Returns:
        The file, ending in a newline.
    """
    return "\n".join([HEAD, *("\n".join([*_lines(setting), ""]) for setting in settings)])


def _lines(setting: Setting) -> Iterator[str]:
    choices = f" One of: {', '.join(setting.choices)}." if setting.choices else ""
    default = f" Default: {setting.shown_default}." if setting.shown_default else ""
    secret = " Secret." if setting.secret else ""
    text = setting.description + choices + default + secret
    yield from textwrap.wrap(
        text, WIDTH, initial_indent="# ", subsequent_indent="# ", break_on_hyphens=False
    )
    yield f"#{setting.variable}={setting.shown_default}"
