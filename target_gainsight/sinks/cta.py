"""CTAs: written through the Cockpit API, identified by lookup keys of the stream's choice."""

from __future__ import annotations

from typing import ClassVar

from typing_extensions import override

from target_gainsight.api import MAX_CTAS
from target_gainsight.loading.reading.current_rows import CurrentRows
from target_gainsight.loading.reading.keys import KeyReader
from target_gainsight.loading.writing.create_recovery import CreateRecovery
from target_gainsight.loading.writing.per_record_writers import CtaWriter
from target_gainsight.loading.writing.writer import Writer
from target_gainsight.settings.stream_settings import DUE_DATE
from target_gainsight.sinks.static_schema_sink import StaticSchemaSink


class CtaSink(StaticSchemaSink):
    """Loads CTAs.

    A due date so many days ahead counts from the run that creates the CTA; a later run leaves it.
    """

    MAX_SIZE_DEFAULT = MAX_CTAS
    call_kinds: ClassVar[tuple[str, str]] = ("cta", "cta")
    needs_rows: ClassVar[bool] = True
    name_identifies: ClassVar[bool] = False

    @override
    def _compared(self) -> frozenset[str]:
        return super()._compared() - self._only_new

    @property
    def _only_new(self) -> frozenset[str]:
        """A due date that counts from the day of the run is not moved by a later one."""
        return frozenset() if self.stream.days_until_due is None else frozenset({DUE_DATE})

    @override
    def writer(self, keys: KeyReader, rows: CurrentRows | None) -> Writer:
        recovery = CreateRecovery(
            rows,
            self.comparison(),
            self.clock,
            self._limits.request_timeout,
            only_new=False,
        )
        return CtaWriter(
            self.client.cockpit,
            keys=keys.names,
            only_new=self._only_new,
            recovery=recovery,
            clock=self.clock,
            batch_size=self.batch_size_rows or MAX_CTAS,
        )
