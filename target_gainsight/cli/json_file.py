"""A JSON file that somebody named on the command line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from pathlib import Path


def json_in(path: Path) -> Any:  # noqa: ANN401 - JSON of any shape
    """Read a file; None when it is no JSON. What is in it is not shown: it may hold a secret.

    Args:
        path: The file.

    Raises:
        click.ClickException: It cannot be read.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        message = f"{path} cannot be read: {error.strerror}"
        raise click.ClickException(message) from None
    except ValueError:
        return None
