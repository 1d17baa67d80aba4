"""Finds the settings whose files a run could not write, before it loads anything; makes nothing."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from target_gainsight.mapping.errors import display_path
from target_gainsight.settings.model import Settings

_Use = Literal["folder", "replaced", "appended"]


def find_unusable_paths(settings: Settings) -> Iterator[tuple[str, str, str]]:
    """Yield each setting whose path a run could not write to, why, and what to do."""
    output, streams = settings.output, (settings.default_stream, *settings.streams.values())
    if settings.dry_run:
        return
    paths: list[tuple[str, Path | None, _Use]] = [
        ("summary_path", output.summary_path, "replaced"),
        ("report_path", output.report_path, "replaced"),
        ("rejects_path", output.rejects_path, "folder"),
        ("outcomes_path", output.outcomes_path, "appended"),
    ]
    if any(each and each.object_type == "survey_csv" for each in streams):
        paths.append(("survey_path", settings.survey_path, "folder"))
    for name, path, use in paths:
        if path is not None and (obstacle := _find_obstacle(path.absolute(), use)):
            kind = "folder" if use == "folder" else "file"
            suggestion = f"Set it to a {kind} that can be written to."
            yield name, f"{display_path(path)} cannot be used: {obstacle}", suggestion


def _find_obstacle(path: Path, use: _Use) -> str | None:
    """Return why a path cannot be written to; what is missing is made later, by the run."""
    try:
        if path.is_dir() and use != "folder":
            return "it is a folder"
        # Who may write to a folder may also replace another user's file in it.
        is_replaced = use == "replaced" and path.is_file() and not path.is_symlink()
        places = path.parents if is_replaced else (path, *path.parents)
        nearest = next((each for each in places if each.exists()), Path(path.anchor))
        if not nearest.is_dir() and (use == "folder" or nearest != path):
            return f"{display_path(nearest)} is not a folder"
        mode = os.W_OK | os.X_OK if nearest.is_dir() else os.W_OK
        return None if os.access(nearest, mode) else f"{display_path(nearest)} is not writable"
    except OSError as error:
        return error.strerror
