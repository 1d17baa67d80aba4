"""The values shared by all streams of a run: client, ledger, call pool, object schemas."""

from collections import defaultdict

from target_gainsight.api import Clock, GainsightClient
from target_gainsight.loading.call_pool import CallPool
from target_gainsight.loading.csv_files import UploadJournal
from target_gainsight.loading.deletes import DeletedRows
from target_gainsight.loading.dry_run import Plan
from target_gainsight.loading.keys import SeenKeys
from target_gainsight.loading.loading_streams import LoadingStreams
from target_gainsight.loading.lookups.index import LookupIndex
from target_gainsight.loading.object_schemas import ObjectSchemas, lookup_targets
from target_gainsight.loading.outcomes import RunStoppedError
from target_gainsight.loading.rejects.folder import DELETED
from target_gainsight.loading.settling.ledger import Ledger
from target_gainsight.loading.storage.temp_database import SpilledValues
from target_gainsight.mapping.errors import display
from target_gainsight.settings.model import Settings
from target_gainsight.settings.stream_settings import StreamSettings

UPLOADS = "bulk"
"""The folder of bulk files and notes, inside that of the rejects: it must outlive the run, too."""


class RunContext:
    """The values that sinks are made of. Dictionaries by object have lower-case keys."""

    def __init__(
        self,
        *,
        settings: Settings,
        client: GainsightClient,
        clock: Clock,
        ledger: Ledger,
        pool: CallPool,
        plan: Plan | None = None,
    ) -> None:
        self.settings = settings
        self.client = client
        self.clock = clock
        self.ledger = ledger
        self.summary = ledger.summary
        self.pool = pool
        self.plan = plan
        deleted = ledger.rejects.folder / f"{self.summary.run}{DELETED}"
        self.deleted_rows = DeletedRows(deleted, clock.now, self.summary.files)
        self.streams = LoadingStreams()
        self.schemas = ObjectSchemas(client, settings)
        targets = {(name.lower(), fields) for name, fields in lookup_targets(settings)}
        names = plan.names if plan else None
        self.lookups = LookupIndex(client.records, self.streams, targets, names)
        path = settings.connection.sandbox_path
        tenant = settings.connection.base_url if path is None else f"sandbox:{path.absolute()}"
        self.uploads = UploadJournal(ledger.rejects.folder / UPLOADS, tenant, self.summary.run)
        self.seen_keys: defaultdict[tuple[str, tuple[str, ...]], SeenKeys] = defaultdict(SeenKeys)
        self.claimed_rows: defaultdict[str, SpilledValues] = defaultdict(SpilledValues)


def find_stream_settings(settings: Settings, stream: str) -> StreamSettings:
    """Return how a stream is loaded, by its name as it comes out of the stream maps."""
    found = settings.for_stream(stream)
    if found is None:
        name = display(stream)
        suggestion = (
            f"Add an entry under streams ({name}: {{object_type: company}}), set object_type for "
            f"all streams, or leave the stream out (stream_maps: {name}: __NULL__)."
        )
        message = f"stream {name} is not routed to an object"
        raise RunStoppedError(message, code="not_routed", suggestion=suggestion)
    return found
