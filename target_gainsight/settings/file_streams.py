"""What the settings of a stream mean nothing for when the stream goes into files.

One that its own entry names is refused with the reason; an inherited one is for other streams
and is left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from target_gainsight.settings.errors import shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from target_gainsight.settings.errors import Mistakes

BULK_OBJECTS = ("company", "relationship", "custom_object")
"""What bulk jobs load (GS Bulk API connector)."""

_IN_THE_JOB = "nothing beside transport bulk: the job in Gainsight holds {}"
_NOT_READ = "nothing beside transport bulk: no row is read, so none can be {}"
BULK_REFUSES = {
    "sync_mode": _IN_THE_JOB.format("the operation"),
    "lookup_keys": _IN_THE_JOB.format("the keys"),
    "lookups": _IN_THE_JOB.format("the lookups"),
    "company_links": _IN_THE_JOB.format("the lookups"),
    "unknown_fields": _IN_THE_JOB.format("the columns; field_mapping names the ones to send"),
    "multi_match": _NOT_READ.format("compared"),
    "skip_unchanged": _NOT_READ.format("compared"),
    "max_creates": _NOT_READ.format("told to be new"),
    "null_values": "nothing beside transport bulk: a CSV has no other null than an empty cell",
    "survey_columns": "nothing beside transport bulk: it is for survey_csv",
}

_NO_TENANT = "nothing for a survey_csv: its file is imported by an administrator"
_OTHER_MAPPING = "survey_columns, which says which source column fills which column of the import"
SURVEY_REFUSES = {
    **dict.fromkeys(
        (
            "sync_mode",
            "lookup_keys",
            "lookups",
            "company_links",
            "unknown_fields",
            "multi_match",
            "skip_unchanged",
            "max_creates",
            "null_values",
            "rich_text",
            "custom_object_name",
            "bulk_job_id",
        ),
        _NO_TENANT,
    ),
    "field_mapping": _OTHER_MAPPING,
    "transport": _NO_TENANT,
}


def only_what_means_something(
    own: Mapping[str, Any], inherited: Mapping[str, Any], where: str, mistakes: Mistakes
) -> dict[str, Any]:
    """Leave out, or refuse, what means nothing for a stream that goes into files.

    Args:
        own: The settings of its own entry.
        inherited: The others that hold for it.
        where: The place of the entry.
        mistakes: Takes the mistakes.

    Returns:
        The settings that hold; all of them for a stream that goes by single calls.
    """
    given = {**inherited, **own}
    refused = _refused(given)
    for name in own:
        if name in refused:
            mistakes.add(where + name, shown(own[name]), refused[name])
    left = {name: value for name, value in given.items() if name not in refused}
    _check_job(left, where, mistakes)
    return left


def _refused(given: Mapping[str, Any]) -> Mapping[str, str]:
    if given.get("object_type") == "survey_csv":
        return SURVEY_REFUSES
    if given.get("transport") == "bulk":
        return BULK_REFUSES
    return {"survey_columns": "nothing: it is for survey_csv"}


def _check_job(given: Mapping[str, Any], where: str, mistakes: Mistakes) -> None:
    object_type, job = given.get("object_type"), given.get("bulk_job_id")
    if given.get("transport") != "bulk":
        if job is not None:
            mistakes.add(f"{where}bulk_job_id", shown(job), "transport bulk beside it, or none")
        return
    if not (job or "").strip():
        right = "the job's id, which Gainsight shows in the job's cURL command"
        mistakes.add(f"{where}bulk_job_id", "nothing", right)
    if object_type is not None and object_type not in BULK_OBJECTS:
        right = f"rest; bulk jobs load {', '.join(BULK_OBJECTS)}"
        mistakes.add(f"{where}transport", f"'bulk' for a {object_type}", right)
