"""The tenant: its objects and rows, limits, faults and call log, and methods to inspect it."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

from target_gainsight.sandbox.answers import INVALID_VALUE, OBJECT_NOT_FOUND, refuse
from target_gainsight.sandbox.config.config import TenantConfig
from target_gainsight.sandbox.config.described_objects import custom_object
from target_gainsight.sandbox.config.description import SandboxConfigError
from target_gainsight.sandbox.config.faults import FaultPlan
from target_gainsight.sandbox.config.limits import CallCounter, windows_of
from target_gainsight.sandbox.config.switches import Switches
from target_gainsight.sandbox.storage.calls import Call, CallLog
from target_gainsight.sandbox.storage.credentials import GrantedTokens, with_client
from target_gainsight.sandbox.storage.identifiers import new_gsids
from target_gainsight.sandbox.storage.model import DEFAULT_LENGTHS, Field, ObjectModel
from target_gainsight.sandbox.storage.rows import read_rows
from target_gainsight.sandbox.storage.store import Changes, Store, quoted
from target_gainsight.sandbox.storage.values import (
    Parse,
    Stored,
    ValueRefusedError,
    condition_parser,
    value_parser,
)

_SEED_CHUNK = 10_000


class Tenant:
    """A local tenant over one SQLite file.

    Args:
        path: the file; made when missing. What it holds already stays, objects included.
        config: the tenant as described; where file and description differ on a field, this wins.
        clock: seconds since the epoch; windows, dates and the log go by it.

    Attributes:
        faults: what goes wrong on purpose; may be changed while the tenant runs.
        tokens: the M2M OAuth tokens that have not ended.
        switches: the answers to what the public record leaves open.

    Raises:
        OSError: The file cannot be used.
        SandboxConfigError: A described row does not fit its object.
    """

    def __init__(self, path: str | Path, config: TenantConfig, clock: Callable[[], float]) -> None:
        self.switches: Switches = config.switches
        self.clock = clock
        self.store = Store(path)
        self.config = with_client(config, self.store)
        self.tokens = GrantedTokens(clock)
        self.faults = FaultPlan(config.faults, config.rules, config.fault_seed)
        self.counter = CallCounter(self.store, windows_of(config.limits))
        self.log = CallLog(self.store)
        self._objects: dict[str, ObjectModel] = {}
        self._parsers: dict[tuple[str, bool], dict[str, Parse]] = {}
        self._author: str | None = None
        try:
            self._define_objects()
            self._seed_rows()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the file."""
        self.store.close()

    def _define_objects(self) -> None:
        held = {model.name.lower(): model for model in self.store.models()}
        with self.store.transaction():
            for model in self.config.objects:
                before = held.pop(model.name.lower(), None)
                kept = before.fields if before else {}
                merged = replace(model, fields={**kept, **model.fields})
                self._objects[model.name.lower()] = merged
                if merged != before:
                    self.store.define(merged)
        self._objects.update(held)

    def _seed_rows(self) -> None:
        users = self.named_object("gsuser")
        known = {row["Email"] for row in self.rows("gsuser")}
        fresh = [user for user in self.config.users if user["Email"] not in known]
        self._seed_described("users", "gsuser", fresh)
        first = self.store.rows(f'SELECT "Gsid" FROM {quoted(users.name)} ORDER BY rowid LIMIT 1')  # noqa: S608
        self._author = first[0][0] if first else None
        for name, rows in self.config.rows.items():
            self._seed_described(f"rows.{name}", name, rows if self._is_empty(name) else ())

    def _is_empty(self, name: str) -> bool:
        model = self.find_object(name)
        return model is None or not self.store.count(model)

    def _seed_described(self, where: str, name: str, rows: Iterable[Mapping[str, Any]]) -> None:
        try:
            self.seed(name, rows)
        except ValueError as error:
            message = f"{where}: {error}"
            raise SandboxConfigError(message) from error

    def objects(self) -> list[ObjectModel]:
        """List the tenant's objects."""
        return list(self._objects.values())

    def find_object(self, name: str) -> ObjectModel | None:
        """Return the object with this name, in any case, or None [O]."""
        return self._objects.get(name.lower())

    def named_object(self, name: str) -> ObjectModel:
        """Return the object with this name, in any case.

        Raises:
            Refusal: The tenant has no such object.
        """
        model = self.find_object(name)
        if model is None:
            raise refuse(OBJECT_NOT_FOUND, "Requested object not found.", status=404)
        return model

    def referring_object(self, model: ObjectModel, gsid: str) -> str | None:
        """Return the name of an object with a row whose lookup holds a GSID; None if none has."""
        for each in self.objects():
            for field in each.relations.values():
                is_of_object = (field.lookup_object or "").lower() == model.name.lower()
                if is_of_object and self.store.holds(each, field, gsid):
                    return each.name
        return None

    def parsers(self, model: ObjectModel, *, creating: bool) -> dict[str, Parse]:
        """Return the parsers of sent values by field name; they refuse what is not valid."""
        known = self._parsers.get((model.name, creating))
        if known is None:
            known = {
                field.name: (
                    value_parser(field, self.switches)
                    if field.may_be_written(creating=creating)
                    else _refuse_unwritable
                )
                for field in model.fields.values()
            }
            self._parsers[model.name, creating] = known
        return known

    @property
    def switches_ignoring_email_case(self) -> Switches:
        """The switches for People, which ignores the case of emails even if queries do not."""
        if self.switches.query_ignores_case == "none":
            return replace(self.switches, query_ignores_case="email")
        return self.switches

    def creation_stamp(self) -> dict[str, Stored]:
        """Return the fields that the server sets on a new row."""
        stamp = self.change_stamp()
        return {
            "CreatedDate": stamp["ModifiedDate"],
            "CreatedBy": stamp["ModifiedBy"],
            **stamp,
        }

    def change_stamp(self) -> dict[str, Stored]:
        """Return the fields that the server sets on every write."""
        return {"ModifiedDate": int(self.clock() * 1000), "ModifiedBy": self._author}

    def learn(
        self,
        name: str,
        records: Iterable[Mapping[str, Any]],
        passing: Collection[str] = (),
    ) -> ObjectModel:
        """With `auto_create`: the object, made or widened so that it has every field sent.

        Args:
            name: the object's name; made as a custom object when the tenant lacks it.
            records: the records sent; types are guessed from their first value that is not null.
            passing: columns that feed lookups and are no fields.
        """
        model = self.find_object(name) or replace(custom_object(name), guessed=True)
        fresh: dict[str, Field] = {}
        for record in records:
            for field_name, value in record.items():
                known = field_name in model.fields or field_name in passing
                if not known and value is not None:
                    fresh.setdefault(field_name, _guessed_field(field_name, value))
        if fresh or self.find_object(name) is None:
            model = model.with_fields(fresh.values())
            self.store.define(model)
            self._objects[name.lower()] = model
            self._parsers.clear()
        return model

    def seed(self, object_name: str, rows: Iterable[Mapping[str, Any]]) -> list[str]:
        """Put rows in without a call, bypassing limits, required fields and writability.

        Args:
            object_name: any object of the tenant.
            rows: in write form (labels, ISO dates, GSIDs); `Gsid` and dates may be given.

        Returns:
            The rows' GSIDs, in order.

        Raises:
            ValueError: A field that the object lacks, or a value that it does not take.
        """
        model = self._present_object(object_name)
        parse = {
            field.name: value_parser(replace(field, nillable=True, required=False), self.switches)
            for field in model.fields.values()
        }
        gsids: list[str] = []
        source = iter(rows)
        while chunk := list(islice(source, _SEED_CHUNK)):
            fresh = new_gsids(model.prefix, len(chunk))
            stamp = self.creation_stamp()
            ready = [
                _seeded({**stamp, "Gsid": gsid}, row, parse)
                for row, gsid in zip(chunk, fresh, strict=True)
            ]
            self.store.insert(model, ready)
            gsids.extend(dict(zip(*row, strict=True))["Gsid"] for row in ready)
        return gsids

    def rows(self, object_name: str, **filters: object) -> list[dict[str, Any]]:
        """Return the rows of an object whose fields equal the filters, oldest first.

        Returns:
            Every field of each row as a person reads it: labels for picklist items, lists of
            labels, ISO dates, true and false, None when empty.
        """
        model = self._present_object(object_name)
        return read_rows(self.store, model, self._conditions(model, filters))

    def _conditions(
        self, model: ObjectModel, filters: Mapping[str, object]
    ) -> list[tuple[str, object]]:
        conditions: list[tuple[str, object]] = []
        for name, value in filters.items():
            if name not in model.fields:
                message = f"{model.name} has no field {name}"
                raise ValueError(message)
            parse = condition_parser(model.fields[name], self.switches)
            conditions.append((name, parse(value)))
        return conditions

    def count(self, object_name: str) -> int:
        """Count the rows of an object."""
        return self.store.count(self._present_object(object_name))

    def _present_object(self, name: str) -> ObjectModel:
        model = self.find_object(name)
        if model is None:
            known = ", ".join(each.name for each in self.objects())
            message = f"the tenant has no object {name!r}; it has {known}"
            raise ValueError(message)
        return model

    def record(self, call: Call) -> None:
        """Keep an answered call, and the quota used with it, in the file."""
        with self.store.transaction():
            self.log.add(call)
            self.counter.keep()

    def calls(self, method: str | None = None, path_contains: str | None = None) -> list[Call]:
        """Return the calls so far of this method and with this text in the path."""
        return self.log.find(method, path_contains)

    def reset_calls(self) -> None:
        """Forget the calls so far; the quota stays used."""
        self.log.clear()


def _seeded(
    defaults: Mapping[str, Stored], row: Mapping[str, Any], parse: Mapping[str, Parse]
) -> Changes:
    stored = dict(defaults)
    for name, value in row.items():
        if name not in parse:
            message = f"no field {name} to seed"
            raise ValueError(message)
        try:
            stored[name] = parse[name](value)
        except ValueRefusedError as refused:
            message = f"{refused.message} ({name} = {value!r})"
            raise ValueError(message) from refused
    return tuple(stored), list(stored.values())


def _guessed_field(name: str, value: object) -> Field:
    if isinstance(value, bool):
        data_type = "BOOLEAN"
    else:
        data_type = "NUMBER" if isinstance(value, (int, float)) else "STRING"
    length = DEFAULT_LENGTHS["RICHTEXTAREA"] if data_type == "STRING" else None
    custom = name.endswith("__gc")
    return Field(name, data_type, name, length=length, custom=custom, guessed=True)


def _refuse_unwritable(_: object) -> Stored:
    raise ValueRefusedError(INVALID_VALUE, "Field cannot be written")
