"""Whole pipelines: the installed commands, real taps, `meltano run`, the embedded tenant."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from meltano_project import CHECKOUT


@pytest.fixture(scope="session")
def checkout_copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copy the files of the checkout that git knows, into a folder whose path has a space."""
    folder = tmp_path_factory.mktemp("e2e") / "a clone"
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode:
        pytest.skip("not a git checkout: which files belong to the project is unknown")
    for name in filter(None, listed.stdout.split("\0")):
        source, copy = CHECKOUT / name, folder / name
        if source.is_file():
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, copy)
    return folder
