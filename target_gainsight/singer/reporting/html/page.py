"""Renders the report of a run."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from target_gainsight.loading.storage.path_templates import fill_path
from target_gainsight.loading.storage.private_file import replace_private_file
from target_gainsight.singer.reporting.document import Document
from target_gainsight.singer.reporting.html.view import view_of

if TYPE_CHECKING:
    import jinja2


def render_report(document: Mapping[str, Any]) -> str:
    """Render a summary document as one HTML page, which loads nothing and runs no script."""
    return _templates().get_template("report.html").render(report=view_of(document))


def write_report(path: Path, document: Document) -> None:
    """Write the report of a run, for its owner only: all of it or nothing.

    Args:
        path: Where to; `{run}` and `{stream}` in it stand for the run's name and its streams.
        document: The run's summary document.

    Raises:
        OSError: It cannot be written.
    """
    path = fill_path(path, document["run"], document.get("streams") or ())
    path.parent.mkdir(parents=True, exist_ok=True)
    html = render_report(document)
    replace_private_file(path, html.encode("utf-8", "backslashreplace"))


@cache
def _templates() -> jinja2.Environment:
    import jinja2  # noqa: PLC0415 - a tenth of a second for those who want a report

    return jinja2.Environment(
        loader=jinja2.PackageLoader(__package__),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
