"""What one write call came to, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from target_gainsight.api import RefusedError, UnavailableError, UnknownOutcomeError
    from target_gainsight.loading.outcomes import Reason, Settlement
    from target_gainsight.loading.records import LoadRecord

Action = Literal["create", "update"]
Body = Mapping[str, Any]
"""A record as it is sent: field name to JSON value."""


@dataclass(frozen=True)
class SentCreate:
    """A create whose outcome is not known.

    Attributes:
        at: When it was sent, in epoch seconds on the tenant's clock.
        may_still_commit: The call timed out, so the tenant may still commit it.
        cause: What happened, as a phrase.
    """

    at: float
    may_still_commit: bool
    cause: str


@dataclass(frozen=True)
class Unresolved:
    """A record that may or may not have been created.

    Attributes:
        record: The record.
        sent: When and how it was sent.
        reason: Why it is rejected if the tenant does not have it; None if it is to be sent again.
        resent: An earlier response for the same record was lost in this run.
    """

    record: LoadRecord
    sent: SentCreate
    reason: Reason | None = None
    resent: bool = False


@dataclass(frozen=True)
class Written:
    """The tenant responded.

    Attributes:
        settlements: The outcomes that the response states.
        unresolved: The records that the response does not account for.
    """

    settlements: tuple[Settlement, ...]
    unresolved: tuple[Unresolved, ...] = ()


@dataclass(frozen=True)
class Refused:
    """The tenant refused the call and wrote nothing."""

    error: RefusedError


@dataclass(frozen=True)
class Unknown:
    """The call was sent and its response was lost; the creates may have been committed."""

    error: UnknownOutcomeError


@dataclass(frozen=True)
class Unavailable:
    """The call was tried until its retries were exhausted."""

    error: UnavailableError


Attempt = Written | Refused | Unknown | Unavailable


@dataclass(frozen=True)
class Recovered:
    """What the tenant holds of unresolved records.

    Attributes:
        settlements: The outcomes that are known now.
        to_update: Records that turned out to exist with other values.
        stopped: Why the run must stop; the settlements count all the same.
    """

    settlements: tuple[Settlement, ...] = ()
    to_update: tuple[LoadRecord, ...] = ()
    stopped: Exception | None = None
