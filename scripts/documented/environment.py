"""The settings as `.env.example`: every variable, commented out, with what it means above it."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator

from documented.declared import variable
from target_gainsight.settings.setting import Setting

WIDTH = 100

HEAD = """\
# Settings of target-gainsight as environment variables. Copy this file to .env, which git ignores,
# and uncomment what you need: the tenant, its credential, and what should differ from the default.
# Meltano and the target read .env from the folder they run in. Objects are written as JSON.
# Written by scripts/docs.py.
"""


def environment_example(settings: Iterable[Setting]) -> str:
    """Lay all settings out as environment variables, the file ending in a newline."""
    return "\n".join([HEAD, *("\n".join([*_lines(setting), ""]) for setting in settings)])


def _lines(setting: Setting) -> Iterator[str]:
    text = setting.help.replace("`", "") + (" Secret." if setting.secret else "")
    yield from textwrap.wrap(
        text, WIDTH, initial_indent="# ", subsequent_indent="# ", break_on_hyphens=False
    )
    yield f"#{variable(setting)}={setting.shown_default}"
