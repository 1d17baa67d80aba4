"""Schemas of Timeline activities and CTAs: what is documented, and what the tenant itself lists."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from target_gainsight.api import (
    AccessDeniedError,
    NotFoundError,
    RefusedError,
    UnavailableError,
    UnknownRouteError,
    WrongMetadataError,
)
from target_gainsight.loading.outcomes import RunStoppedError
from target_gainsight.mapping.planning.static_schemas import CTA, TYPE_NAME, static_schema

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from target_gainsight.api import CockpitApi, ObjectSchema, PicklistOption

logger = logging.getLogger(__name__)

_UNREADABLE = (
    AccessDeniedError,
    NotFoundError,
    RefusedError,
    RunStoppedError,
    UnavailableError,
    UnknownRouteError,
    WrongMetadataError,
)


def read_documented_schema(
    object_name: str,
    mentioned: Iterable[str],
    *,
    describe: Callable[[str], ObjectSchema | None],
    cockpit: CockpitApi,
) -> ObjectSchema:
    """Return what is known of an object that has an API of its own.

    Its fields are documented. Custom fields, activity types and the names that CTAs go by are
    checked as far as the tenant lists them, and left to the tenant where it does not.

    Args:
        object_name: `activity_timeline` or `call_to_action`.
        mentioned: Names that a stream mentions.
        describe: Describes an object, or returns None where that is not possible.
        cockpit: Lists the names that CTAs go by.
    """
    described = _described(object_name, describe)
    names = _cta_names(cockpit) if object_name == CTA else _activity_types(described)
    return static_schema(object_name, mentioned, described=described, options=names)


def _described(
    object_name: str, describe: Callable[[str], ObjectSchema | None]
) -> ObjectSchema | None:
    try:
        return describe(object_name)
    except _UNREADABLE as error:
        logger.info("%s: custom fields are not checked (%s)", object_name, error)
        return None


def _activity_types(described: ObjectSchema | None) -> Mapping[str, tuple[PicklistOption, ...]]:
    field = described.field(TYPE_NAME) if described else None
    return {TYPE_NAME: field.options} if field else {}


def _cta_names(cockpit: CockpitApi) -> Mapping[str, tuple[PicklistOption, ...]]:
    try:
        return cockpit.list_names()
    except _UNREADABLE as error:
        logger.info("CTA types, reasons, statuses and priorities are not checked (%s)", error)
        return {}
