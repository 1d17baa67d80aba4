"""Person: written through the People API, one in a call, identified by Email."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from typing_extensions import override

from target_gainsight.loading.current_rows import CurrentRows
from target_gainsight.loading.writers import PeopleWriter
from target_gainsight.sinks.gainsight import GainsightSink

if TYPE_CHECKING:
    from target_gainsight.api import ObjectSchema
    from target_gainsight.loading.keys import KeyReader
    from target_gainsight.loading.writers import Writer

EMAIL = "Email"


class PersonSink(GainsightSink):
    """Loads people."""

    MAX_SIZE_DEFAULT = 1
    required: ClassVar[tuple[str, ...]] = (EMAIL,)

    @override
    def rows(self, keys: KeyReader) -> CurrentRows:
        return CurrentRows(self.run.client.records, self.stream.object_name, keys)

    @override
    def writer(self, keys: KeyReader, rows: CurrentRows | None) -> Writer:
        return PeopleWriter(self.run.client.people)

    @override
    def _choose_keys(self, carried: set[str], schema: ObjectSchema | None) -> tuple[str, ...]:
        return (EMAIL,)
