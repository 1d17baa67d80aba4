"""Proposed settings of streams, and files to paste them from.

A log is no place to copy YAML from: Meltano strips the indentation of each of its lines.
"""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from target_gainsight.api import GainsightError, ObjectSchema
from target_gainsight.loading.outcomes import RunStoppedError
from target_gainsight.loading.storage import private_file
from target_gainsight.mapping.errors import display_path
from target_gainsight.mapping.planning.proposal import (
    Proposal,
    propose_settings,
    referenced_objects,
)
from target_gainsight.mapping.planning.spec import MappingSpec

HEADING = "In meltano.yml, under the loader's config:"


def propose(
    spec: MappingSpec, stream: str, describe: Callable[[str], ObjectSchema]
) -> Proposal | None:
    """Propose the settings of a stream; objects that cannot be described are left out of them."""
    references: dict[str, ObjectSchema] = {}
    for name in referenced_objects(spec.columns, spec.schema) if spec.schema else ():
        with suppress(GainsightError, RunStoppedError):
            references[name] = describe(name)
    return propose_settings(spec, stream, references)


def proposal_text(proposal: Proposal) -> str:
    """Return a proposal as a fragment of meltano.yml; its first line is a comment."""
    return f"# {HEADING}\n{proposal.to_yaml()}\n"


def write_proposal(proposal: Proposal, folder: Path) -> str:
    """Write a proposal to a file of its stream, if possible; return the end of an error message."""
    path = private_file.fill_path(folder / "gainsight-{stream}.mapping.yml", "", [proposal.stream])
    text = f"{HEADING}\n{proposal.to_yaml()}"
    try:
        private_file.make_private_folder(folder)
        content = proposal_text(proposal).encode("utf-8", "backslashreplace")
        private_file.replace_private_file(path, content)
    except OSError:
        return text
    return f"Settings to begin with, also in {display_path(path)}:\n{text}"
