"""Decides, once everything is settled, whether a run has failed all the same."""

from __future__ import annotations

import logging
from collections.abc import Iterator

from target_gainsight.loading.outcomes import Outcome, RunStoppedError
from target_gainsight.loading.settling.ledger import RUN_AGAIN, Ledger
from target_gainsight.loading.settling.summary import Summary
from target_gainsight.mapping.errors import counted, display
from target_gainsight.settings.model import OnRejects, Settings

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


def check_end(settings: Settings, summary: Summary, ledger: Ledger, *, is_whole: bool) -> None:
    """Fail a run that read too few records, or had rejects and was not to have any.

    Args:
        settings: The settings.
        summary: The counts of the run.
        ledger: Where the rejects are.
        is_whole: The input is all that the source has.

    Raises:
        RunStoppedError: The run has failed.
    """
    if is_whole:
        check_min_records(settings, summary)
    check_rejects(summary, ledger, settings.output.on_rejects, dry_run=settings.dry_run)


def check_rejects(
    summary: Summary, ledger: Ledger, on_rejects: OnRejects, *, dry_run: bool
) -> None:
    """Log how many records were rejected and where they are.

    Raises:
        RunStoppedError: Every record was rejected, or any was and ``on_rejects`` is ``fail``.
    """
    rejected = summary.total(Outcome.REJECTED)
    if rejected and rejected == summary.read:
        _fail_all_rejected(rejected, ledger, dry_run=dry_run)
    failed = sum(each.by_file.failed for each in summary.streams.values() if each.by_file)
    if on_rejects == "fail" and rejected + failed:
        _fail_some_rejected(rejected, failed, ledger, dry_run=dry_run)
    if rejected and not dry_run:
        logger.warning(
            "%s rejected and kept in %s",
            "1 record was" if rejected == 1 else f"{rejected:,} records were",
            ledger.rejects.path,
        )


def check_min_records(settings: Settings, summary: Summary) -> None:
    """Fail a run that read fewer records of a stream than its ``min_records``.

    Raises:
        RunStoppedError: Of some streams too few records were read; all of them are named.
    """
    too_few = list(_too_few(settings, summary))
    if not too_few:
        return
    suggestion = (
        "Check the source and the tap; set min_records lower if so few records are right. The "
        "state covers what was read: read everything again with meltano run --full-refresh."
    )
    message = f"too few records were read: {'; '.join(too_few)}. {suggestion}"
    raise RunStoppedError(message, code="too_few_records", suggestion=suggestion)


def _too_few(settings: Settings, summary: Summary) -> Iterator[str]:
    for pattern, stream in settings.streams.items():
        if stream is None or stream.min_records is None:
            continue
        read = {
            name: counts.read
            for name, counts in summary.streams.items()
            if settings.for_stream(name) is stream
        }
        for name, count in (read or {pattern: 0}).items():
            if count < stream.min_records:
                yield f"{count:,} of stream {display(name)} (min_records {stream.min_records:,})"


def _fail_all_rejected(rejected: int, ledger: Ledger, *, dry_run: bool) -> None:
    where = "the plan" if dry_run else ledger.rejects.path
    if rejected == 1:
        verb = "would be" if dry_run else "was"
        message = f"the only record {verb} rejected; the reason is in {where}"
    else:
        verb = "would be" if dry_run else "were"
        message = f"all {rejected} records {verb} rejected; the reasons are in {where}"
    suggestion = "See the reasons with gainsight rejects list, fix the cause, and run again."
    raise RunStoppedError(message, code="all_rejected", suggestion=suggestion)


def _fail_some_rejected(rejected: int, failed: int, ledger: Ledger, *, dry_run: bool) -> None:
    """Fail with the number of rejects, and of rows that failed in bulk jobs."""
    named = [counted(rejected, "record")] if rejected else []
    named += [f"{counted(failed, 'row')} of bulk jobs"] if failed else []
    what = " and ".join(named)
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
