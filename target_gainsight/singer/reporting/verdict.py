"""Decides, once everything is settled, whether a run has failed all the same."""

from __future__ import annotations

import logging

from target_gainsight.loading.outcomes import Outcome, RunStoppedError
from target_gainsight.loading.settling.ledger import RUN_AGAIN, Ledger
from target_gainsight.loading.settling.summary import Summary
from target_gainsight.mapping.errors import counted, display
from target_gainsight.settings.model import Settings

logger = logging.getLogger(__name__)


def check_availability(ledger: Ledger) -> None:
    """Fail a run whose state is held back because Gainsight was not available.

    Raises:
        RunStoppedError: Records are held back.
    """
    if ledger.held_back:
        message = (
            "not written, because Gainsight was not available: "
            f"{counted(ledger.held_back, 'record')}; the state stays before the first of them"
        )
        raise RunStoppedError(message, code="unavailable", suggestion=RUN_AGAIN)


def check_end(settings: Settings, ledger: Ledger, *, is_whole: bool) -> None:
    """Fail a run that read too few records, or had rejects and was not to have any.

    Args:
        is_whole: The input is all that the source has.

    Raises:
        RunStoppedError: The run has failed.
    """
    summary, where = ledger.summary, ledger.location_of_reasons
    if is_whole:
        _check_min_records(settings, summary)
    rejected = sum(each.outcomes[Outcome.REJECTED] for each in summary.streams.values())
    if rejected and rejected == summary.read:
        message = f"every record is rejected ({rejected:,}); the reasons are in {where}"
        suggestion = "Fix the cause, and run again."
        raise RunStoppedError(message, code="all_rejected", suggestion=suggestion)
    not_written = rejected + summary.failed_by_file
    if not_written and settings.output.on_rejects == "fail":
        records = counted(not_written, "record")
        message = f"not written (on_rejects: fail): {records}; the reasons are in {where}"
        suggestion = "Fix the cause."
        if ledger.rejects.exists:
            suggestion = (
                "The rest is written and covered by the state. Fix the cause, then replay the "
                f"rejects: gainsight rejects replay {summary.run}."
            )
        raise RunStoppedError(message, code="rejects", suggestion=suggestion)
    if rejected and not settings.dry_run:
        logger.warning("%s rejected and kept in %s", counted(rejected, "record"), where)


def _check_min_records(settings: Settings, summary: Summary) -> None:
    """Fail a run that read fewer records of a stream than its ``min_records``, and name them all.

    A pattern of streams of which none was read stands for itself.
    """
    too_few = []
    for pattern, stream in settings.streams.items():
        if stream is None or stream.min_records is None:
            continue
        read = {
            name: counts.read
            for name, counts in summary.streams.items()
            if settings.for_stream(name) is stream
        }
        too_few += [
            f"{count:,} of stream {display(name)} (min_records {stream.min_records:,})"
            for name, count in (read or {pattern: 0}).items()
            if count < stream.min_records
        ]
    if too_few:
        message = f"too few records were read: {'; '.join(too_few)}"
        suggestion = (
            "Check the source and the tap; set min_records lower if so few records are right. The "
            "state covers what was read: read everything again with meltano run --full-refresh."
        )
        raise RunStoppedError(message, code="too_few_records", suggestion=suggestion)
