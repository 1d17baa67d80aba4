"""Reports a run that has ended in the log: a table, metrics, and what was rejected."""

from __future__ import annotations

import logging

from target_gainsight.loading.settling.ledger import Ledger
from target_gainsight.loading.settling.summary import Summary
from target_gainsight.singer.reporting.call_metrics import CallCounter

logger = logging.getLogger(__name__)


def report(
    summary: Summary,
    ledger: Ledger,
    calls: CallCounter,
    *,
    metrics_logger: logging.Logger,
    dry_run: bool = False,
) -> None:
    """Log the counts of a run that has ended."""
    for name, file in (("rejects", ledger.rejects), ("created", ledger.created)):
        if file.exists:
            summary.files[name] = file.path
    paths = ledger.outcomes.paths if ledger.outcomes else []
    for path in paths:
        summary.files["outcomes" if len(paths) == 1 else f"outcomes {path.name}"] = path
    calls.write_metrics(metrics_logger)
    if not dry_run:
        # The log filter escapes line ends in texts, but not those of an object.
        logger.info("run %s\n%s", summary.run, summary)
