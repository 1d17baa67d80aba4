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
    if not ledger.held_back:
        return
    verb = "was" if ledger.held_back == 1 else "were"
    message = (
        f"{counted(ledger.held_back, 'record')} {verb} not written, because Gainsight was not "
        f"available; the state stays before the first of them. {RUN_AGAIN}"
    )
    raise RunStoppedError(message, code="unavailable", suggestion=RUN_AGAIN)


def check_end(settings: Settings, ledger: Ledger, *, is_whole: bool) -> None:
    """Fail a run that read too few records, or had rejects and was not to have any.

    Args:
        is_whole: The input is all that the source has.

    Raises:
        RunStoppedError: The run has failed.
    """
    summary, dry_run = ledger.summary, settings.dry_run
    if is_whole:
        _check_min_records(settings, summary)
    rejected = sum(each.outcomes[Outcome.REJECTED] for each in summary.streams.values())
    if rejected and rejected == summary.read:
        _fail_all_rejected(rejected, ledger, dry_run=dry_run)
    failed = sum(each.by_file.failed for each in summary.streams.values() if each.by_file)
    if settings.output.on_rejects == "fail" and rejected + failed:
        _fail_some_rejected(rejected, failed, ledger, dry_run=dry_run)
    if rejected and not dry_run:
        logger.warning(
            "%s rejected and kept in %s",
            "1 record was" if rejected == 1 else f"{rejected:,} records were",
            ledger.rejects.path,
        )


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
        suggestion = (
            "Check the source and the tap; set min_records lower if so few records are right. The "
            "state covers what was read: read everything again with meltano run --full-refresh."
        )
        message = f"too few records were read: {'; '.join(too_few)}. {suggestion}"
        raise RunStoppedError(message, code="too_few_records", suggestion=suggestion)


def _fail_all_rejected(rejected: int, ledger: Ledger, *, dry_run: bool) -> None:
    where = "the plan" if dry_run else ledger.rejects.path
    verb = "would be" if dry_run else "was" if rejected == 1 else "were"
    if rejected == 1:
        message = f"the only record {verb} rejected; the reason is in {where}"
    else:
        message = f"all {rejected} records {verb} rejected; the reasons are in {where}"
    suggestion = "See the reasons with gainsight rejects list, fix the cause, and run again."
    raise RunStoppedError(message, code="all_rejected", suggestion=suggestion)


def _fail_some_rejected(rejected: int, failed: int, ledger: Ledger, *, dry_run: bool) -> None:
    """Fail with the number of rejects, and of rows that failed in bulk jobs."""
    counts = [counted(rejected, "record")] if rejected else []
    counts += [f"{counted(failed, 'row')} of bulk jobs"] if failed else []
    what = " and ".join(counts)
    if dry_run:
        suggestion = "The reasons are in the plan: fix the cause before you load."
        message = f"{what} would not be written (on_rejects: fail). {suggestion}"
        raise RunStoppedError(message, code="rejects", suggestion=suggestion)
    verb = "was" if rejected + failed == 1 else "were"
    path = ledger.rejects.path
    where = f"kept in {path}" if rejected else "see the bulk job's log"
    replay = f", then replay the rejects: gainsight rejects replay {path.stem}" if rejected else ""
    suggestion = f"Fix the cause{replay}."
    message = (
        f"{what} {verb} not written (on_rejects: fail), {where}. The rest is written and covered "
        f"by the state. {suggestion}"
    )
    raise RunStoppedError(message, code="rejects", suggestion=suggestion)
