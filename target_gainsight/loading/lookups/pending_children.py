"""Records that wait for a parent in their own stream: written without it, completed later.

They are not settled until then. They lie in a temporary file, found by the parent that they wait
for, so that memory stays bounded. Knows neither how parents are looked up nor how they are written.
"""

from __future__ import annotations

import pickle
import weakref
from collections import defaultdict
from typing import TYPE_CHECKING, Any, NamedTuple

from target_gainsight.loading.lookups.index import Wanted
from target_gainsight.loading.outcomes import Arrival, LoadRecord, Settlement
from target_gainsight.loading.storage.temp_database import found_at, private_database

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from target_gainsight.loading.lookups.index import MatchFields

_TABLES = """
CREATE TABLE parents (number INTEGER PRIMARY KEY, place INT, content BLOB, gsid TEXT);
CREATE TABLE waiting (number INTEGER PRIMARY KEY, place INT, content BLOB, unnamed INT, lacks INT);
CREATE TABLE awaited (child INT, target TEXT, parent INT, PRIMARY KEY (child, target))
WITHOUT ROWID;
CREATE INDEX parents_by_place ON parents (place);
CREATE INDEX waiting_by_place ON waiting (place);
CREATE INDEX ready ON waiting (number) WHERE lacks = 0;
CREATE INDEX awaited_by_parent ON awaited (parent);
"""

_RECOUNT = """
UPDATE waiting SET lacks = unnamed + (
    SELECT count(*) FROM awaited LEFT JOIN parents ON parents.number = awaited.parent
    WHERE awaited.child = waiting.number AND parents.gsid IS NULL
)
"""
"""Counts what a record lacks: the GSIDs of parents that have not come, and that of its own row."""


class Waited(NamedTuple):
    """A record that need not wait any longer.

    Attributes:
        settlement: The record, with the outcome that it would have.
        parents: Field to the GSID of the parent, as far as it has come.
    """

    settlement: Settlement
    parents: Mapping[str, str]


class WaitingRecords:
    """The waiting records of one stream, with the outcome they have so far.

    Args:
        early: The fields whose parent is surely the right one as soon as it has come; for another
            parent a record waits until all are taken.
    """

    def __init__(self, early: Collection[str] = ()) -> None:
        self._early = early
        self._rows = private_database()
        weakref.finalize(self, self._rows.close)
        self._rows.executescript(_TABLES)
        self._matches: list[MatchFields] = []
        self._schemas: list[Mapping[str, Any]] = []
        self._example: Arrival | None = None
        self._count = 0
        self._expects = False
        self._may_be_ready = False

    def __len__(self) -> int:
        return self._count

    @property
    def expects(self) -> bool:
        """Whether a parent may come that a record waits for, or will."""
        return self._expects

    @property
    def ready(self) -> bool:
        """Whether a record waits whose parents have all come."""
        if self._may_be_ready:
            query = "SELECT EXISTS (SELECT 1 FROM waiting WHERE lacks = 0)"
            self._may_be_ready = bool(self._rows.execute(query).fetchone()[0])
        return self._may_be_ready

    def expect(self, record: LoadRecord) -> None:
        """Look out for the parents of a record, which may come before it is written itself.

        Args:
            record: A record that will wait.
        """
        for target, parent in record.waiting.items():
            if target in self._early:
                self._expects = True
                self._number(parent)

    def come(self, parents: Mapping[Wanted, str]) -> None:
        """Take note of rows that are there now.

        Args:
            parents: What they may be waited for as, to their GSIDs.
        """
        looked_up = found_at(self._rows, "SELECT place, gsid FROM parents", map(hash, parents))
        open_places = {place for place, gsid in looked_up if gsid is None}
        for parent, gsid in parents.items():
            known = self._parent(parent) if hash(parent) in open_places else None
            if known is not None and known[1] is None:
                self._rows.execute("UPDATE parents SET gsid = ? WHERE number = ?", (gsid, known[0]))
                children = "number IN (SELECT child FROM awaited WHERE parent = ?)"
                self._recount(children, known[0])

    def add(self, settlement: Settlement) -> None:
        """Keep one record.

        Args:
            settlement: The outcome it would have.
        """
        record = settlement.record
        unnamed = not (settlement.gsid or record.gsid)
        row = (hash(record.key), _kept(self._packed(settlement)), unnamed)
        insert = "INSERT INTO waiting (place, content, unnamed, lacks) VALUES (?, ?, ?, 1)"
        number = self._rows.execute(insert, row).lastrowid
        awaited = [
            (number, target, self._number(parent) if target in self._early else None)
            for target, parent in record.waiting.items()
        ]
        self._rows.executemany("INSERT INTO awaited VALUES (?, ?, ?)", awaited)
        self._recount("number = ?", number)
        self._count += 1

    def supersede(self, records: Iterable[LoadRecord]) -> None:
        """Note that later records with the same keys bring their own parents, or take them away.

        Args:
            records: The later records.
        """
        if not self._count:
            return
        later: dict[int, list[LoadRecord]] = defaultdict(list)
        for record in records:
            if record.key:
                later[hash(record.key)].append(record)
        earlier = found_at(self._rows, "SELECT place, number, content FROM waiting", later)
        for place, number, content in list(earlier):
            held = self._unpacked(content).record
            for record in later[place]:
                if record.key == held.key:
                    brought = held.waiting.keys() & {*record.fields, *record.waiting}
                    self._forget(number, brought)

    def _forget(self, number: int, targets: Iterable[str]) -> None:
        delete = "DELETE FROM awaited WHERE child = ? AND target = ?"
        self._rows.executemany(delete, [(number, target) for target in targets])
        self._recount("number = ?", number)

    def take_ready(self, size: int) -> list[Waited]:
        """Take out records whose parents have all come.

        Args:
            size: How many at most.
        """
        return self._take("WHERE lacks = 0", size) if self._may_be_ready else []

    def take(self, size: int) -> Iterator[list[Settlement]]:
        """Take all records out, some at a time; what each still waits for is the record's.

        Args:
            size: How many at a time at most.
        """
        while chunk := self._take("", size):
            yield [waited.settlement for waited in chunk]

    def _take(self, which: str, size: int) -> list[Waited]:
        query = f"SELECT number, content FROM waiting {which} ORDER BY number LIMIT ?"  # noqa: S608
        taken = []
        for number, content in self._rows.execute(query, (size,)).fetchall():
            settlement, parents = self._unpacked(content), self._parents_of(number)
            record = settlement.record
            record.waiting = {t: each for t, each in record.waiting.items() if t in parents}
            taken.append(Waited(settlement, {t: gsid for t, gsid in parents.items() if gsid}))
            self._rows.execute("DELETE FROM waiting WHERE number = ?", (number,))
            self._rows.execute("DELETE FROM awaited WHERE child = ?", (number,))
        self._count -= len(taken)
        return taken

    def _parents_of(self, number: int) -> dict[str, str | None]:
        """List the fields that a record waits with, and what has come for them."""
        query = (
            "SELECT target, gsid FROM awaited LEFT JOIN parents ON number = parent WHERE child = ?"
        )
        return dict(self._rows.execute(query, (number,)).fetchall())

    def _recount(self, which: str, number: int | None) -> None:
        self._rows.execute(f"{_RECOUNT} WHERE {which}", (number,))
        self._may_be_ready = True

    def _parent(self, parent: Wanted) -> tuple[int, str | None] | None:
        """Find the number and the GSID of a parent that is looked out for."""
        query = "SELECT number, content, gsid FROM parents WHERE place = ?"
        identity = self._identity(parent)
        for number, content, gsid in self._rows.execute(query, (hash(parent),)).fetchall():
            if pickle.loads(content) == identity:  # noqa: S301 - our own file
                return number, gsid
        return None

    def _number(self, parent: Wanted) -> int:
        """Find the number of a parent, which is looked out for from now on."""
        known = self._parent(parent)
        if known is not None:
            return known[0]
        row = (hash(parent), _kept(self._identity(parent)))
        insert = "INSERT INTO parents (place, content) VALUES (?, ?)"
        return self._rows.execute(insert, row).lastrowid or 0

    def _identity(self, parent: Wanted) -> tuple[int, tuple[Any, ...]]:
        """What makes a parent out, in a form that can be kept."""
        if parent.match not in self._matches:
            self._matches.append(parent.match)
        return self._matches.index(parent.match), parent.key

    def _packed(self, settlement: Settlement) -> tuple[Any, ...]:
        record = settlement.record
        arrivals = [self._packed_arrival(arrival) for arrival in record.arrivals()]
        waiting = {t: (*self._identity(each), each.written) for t, each in record.waiting.items()}
        details = (record.fields, record.key, record.gsid, waiting)
        return (arrivals, details, settlement.outcome, settlement.gsid)

    def _packed_arrival(self, arrival: Arrival) -> tuple[Any, ...]:
        self._example = arrival
        if not self._schemas or self._schemas[-1] is not arrival.schema:
            self._schemas.append(arrival.schema)
        return (arrival.message, len(self._schemas) - 1, arrival.sequence, arrival.position)

    def _unpacked(self, content: bytes) -> Settlement:
        arrivals, details, outcome, settled_gsid = pickle.loads(content)  # noqa: S301 - our own file
        fields, key, gsid, refers = details
        waiting = {
            target: Wanted(self._matches[match], wanted, written)
            for target, (match, wanted, written) in refers.items()
        }
        records = [
            LoadRecord(self._unpacked_arrival(*arrival), fields, key=key, gsid=gsid)
            for arrival in arrivals
        ]
        record = records[-1]
        if len(records) > 1:
            record = LoadRecord(record.arrival, fields, key=key, parts=tuple(records), gsid=gsid)
        record.waiting = waiting
        return Settlement(record, outcome, gsid=settled_gsid)

    def _unpacked_arrival(
        self, message: Mapping[str, Any], schema: int, sequence: int, position: int
    ) -> Arrival:
        example = self._example
        if example is None:  # pragma: no cover - nothing was packed without one
            raise LookupError
        return Arrival(
            stream=message["stream"],
            alias=example.alias,
            message=message,
            schema=self._schemas[schema],
            sequence=sequence,
            watermark=example.watermark,
            position=position,
        )


def _kept(value: object) -> bytes:
    return pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
