"""CTAs: written through the Cockpit API, identified by lookup keys of the stream's choice."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, ClassVar

from typing_extensions import override

from target_gainsight.api import MAX_CTAS
from target_gainsight.loading.cta_writer import CtaWriter
from target_gainsight.loading.unclear import UnclearCreates
from target_gainsight.settings import days_ahead
from target_gainsight.sinks.documented import DocumentedSink

if TYPE_CHECKING:
    from collections.abc import Mapping

    from target_gainsight.loading.current_rows import CurrentRows
    from target_gainsight.loading.keys import KeyReader
    from target_gainsight.loading.writers import Writer

DUE_DATE = "DueDate"


class CtaSink(DocumentedSink):
    """Loads CTAs.

    A due date so many days ahead counts from the run that creates the CTA; a later run leaves it.
    """

    MAX_SIZE_DEFAULT = MAX_CTAS
    call_kinds: ClassVar[tuple[str, str]] = ("cta", "cta")
    needs_rows: ClassVar[bool] = True
    name_identifies: ClassVar[bool] = False

    @override
    def _constants(self) -> Mapping[str, object]:
        given = self.stream.constants
        days = days_ahead(given.get(DUE_DATE))
        if days is None:
            return given
        today = datetime.fromtimestamp(self.run.clock.now(), tz=timezone.utc).date()
        return {**given, DUE_DATE: (today + timedelta(days=days)).isoformat()}

    @override
    def _compared(self) -> frozenset[str]:
        return super()._compared() - self._only_new

    @property
    def _only_new(self) -> frozenset[str]:
        is_relative = days_ahead(self.stream.constants.get(DUE_DATE)) is not None
        return frozenset({DUE_DATE} if is_relative else ())

    @override
    def writer(self, keys: KeyReader, rows: CurrentRows | None) -> Writer:
        limits = self.run.settings.limits
        unclear = UnclearCreates(
            rows,
            self._comparison(),
            self.run.clock,
            limits.request_timeout,
            only_new=False,
        )
        return CtaWriter(
            self.run.client.cockpit,
            keys=keys.names,
            only_new=self._only_new,
            unclear=unclear,
            clock=self.run.clock,
            max_retry_seconds=limits.max_retry_seconds,
            batch_size=self.batch_size_rows or MAX_CTAS,
        )
