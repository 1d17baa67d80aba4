"""Runs queries: turns the body into one SQL statement, and its rows into a response.

`POST /v1/data/objects/query/{Object}` (Data Management APIs) [D/O]; refusal codes are guesses [I].
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import msgspec

from target_gainsight.sandbox.answers import (
    GENERIC,
    INVALID_VALUE,
    NOTHING_MATCHES,
    SERVER_ERROR,
    UNREADABLE_FIELD,
    Answer,
    refuse,
)
from target_gainsight.sandbox.storage.filter_expression import (
    Condition,
    ExpressionError,
    joined_conditions,
)
from target_gainsight.sandbox.storage.model import GSID_TYPES, PICKLIST_TYPES, Field, ObjectModel
from target_gainsight.sandbox.storage.store import collation, quoted
from target_gainsight.sandbox.storage.values import (
    Render,
    ValueRefusedError,
    condition_parser,
    renderer,
)
from target_gainsight.sandbox.tenant import Tenant

_COMPARISONS = {"EQ": "=", "GT": ">", "LT": "<", "GTE": ">=", "LTE": "<="}
_PATTERNS = {
    "CONTAINS": "%{}%",
    "DOES_NOT_CONTAINS": "%{}%",
    "STARTS_WITH": "{}%",
    "ENDS_WITH": "%{}",
}
_OPERATORS = (
    *_COMPARISONS,
    "NE",
    "BTW",
    "IN",
    "NOT_IN",
    *_PATTERNS,
    "IS_NULL",
    "IS_NOT_NULL",
    "INCLUDES",
    "EXCLUDES",
)
_MOST_SELECTIONS = 256
_SPELLINGS: Mapping[str, Callable[[str], str]] = {
    "selected": str,
    "lower": str.lower,
    "upper": str.upper,
}
_ONE_VALUE = {*_COMPARISONS, "NE", *_PATTERNS}


@dataclass(frozen=True)
class Column:
    """A selected field as SQL; `field` is None for one that auto_create has not made yet."""

    sql: str
    field: Field | None


def answer_query(tenant: Tenant, model: ObjectModel | None, body: object, size: int) -> Answer:
    """Return the rows that the query selects, in read form.

    Args:
        tenant: the tenant.
        model: the object; None for one that `auto_create` would create on the first write.
        body: the parsed body.
        size: bytes of the body as sent.

    Raises:
        Refusal: A body, field, operator, value or limit is not valid.
    """
    broken = tenant.switches.query_error_object
    if broken and model and model.name.lower() == broken.lower():
        raise refuse(SERVER_ERROR, "Internal server error", status=500)
    most = tenant.switches.query_max_bytes
    if most and size > most:
        raise refuse(GENERIC, f"Query is larger than {most} bytes")
    statement = _Statement(tenant, model, _mapping(body, "body"))
    if model is None:
        return _rows_answer(tenant, [])
    found = tenant.store.rows(statement.sql, statement.values)
    return _rows_answer(tenant, _records(statement, found))


_NO_ROWS = {
    "nothing_matches": Answer(400, None, NOTHING_MATCHES, "No entity matches the given criteria"),
    "records": Answer(data={"records": []}),
    "list": Answer(data=[]),
    "no_data": Answer(200, None, "GSOBJ_1XXX", "No data found for given criteria"),
    "no_data_400": Answer(400, None, "GSOBJ_1XXX", "No data found for given criteria"),
}
"""The responses to a query without rows; all five are documented [D]."""


def _rows_answer(tenant: Tenant, records: Sequence[object]) -> Answer:
    if not records:
        return _NO_ROWS[tenant.switches.no_rows]
    as_list = tenant.switches.query_answer == "list"
    data: object = records if as_list else {"records": records}
    return Answer(data=data, records=len(records))


def _records(statement: "_Statement", found: Sequence[Sequence[Any]]) -> list[object]:
    spelling = _SPELLINGS[statement.row_keys]
    record = _record_of(tuple(spelling(name) for name in statement.names))
    if not statement.renders:
        return [record(*row) for row in found]
    records = []
    for row in found:
        values = list(row)
        for place, render in statement.renders:
            values[place] = render(values[place])
        records.append(record(*values))
    return records


@lru_cache(_MOST_SELECTIONS)
def _record_of(names: tuple[str, ...]) -> Callable[..., object]:
    """Return a function from a row's values to a record: a struct, ten times as fast as a dict.

    Names that no struct can have make dictionaries.
    """
    fields = [f"f{place}" for place in range(len(names))]
    renamed = dict(zip(fields, names, strict=True))
    try:
        return msgspec.defstruct("Record", [(each, object) for each in fields], rename=renamed)
    except ValueError:
        return lambda *values: dict(zip(names, values, strict=True))


class _Statement:
    """The SQL of one query, with the `values` of its placeholders."""

    def __init__(self, tenant: Tenant, model: ObjectModel | None, body: Mapping[str, Any]) -> None:
        self._tenant = tenant
        self._model = model
        self._joins: dict[str, str] = {}
        columns = self._selected(body.get("select"))
        self.names = list(columns)
        self.row_keys = tenant.switches.row_keys
        self.renders: list[tuple[int, Render]] = []
        for place, column in enumerate(columns.values()):
            render = column.field and renderer(column.field, tenant.switches)
            if render:
                self.renders.append((place, render))
        where, self.values = self._where(body.get("where"))
        order = self._order(body.get("orderBy"))
        limit, offset = self._page(body)
        chosen = ", ".join(column.sql for column in columns.values())
        table = quoted(model.name) if model else ""
        joins = " ".join(self._joins.values())
        self.sql = f"SELECT {chosen} FROM {table} AS t {joins}"  # noqa: S608
        self.sql += f" WHERE {where} ORDER BY {order}t.rowid LIMIT {limit} OFFSET {offset}"

    def _selected(self, select: object) -> dict[str, Column]:
        if not isinstance(select, list) or not select:
            raise refuse(GENERIC, "select is mandatory and must be a list of fields")
        unreadable = self._tenant.switches.unreadable_field
        if unreadable and unreadable in select:
            raise refuse(UNREADABLE_FIELD, f"Column t1.{unreadable} does not exist")
        return {str(name): self._column(name) for name in select}

    def _column(self, name: object) -> Column:
        """Return the column of `Name` or `Csm__gr.Email`, joining the objects on its path."""
        model, alias = self._model, "t"
        *relations, last = str(name).split(".")
        path = ""
        for relation in relations:
            lookup = model.relations.get(relation) if model else None
            if model is None or lookup is None:
                return self._absent(name)
            path += f"{relation}."
            model, alias = self._joined(model, alias, lookup, path)
        field = model.fields.get(last) if model else None
        if model is None or field is None:
            return self._absent(name)
        return Column(f"{alias}.{self._tenant.store.column(model, last)}", field)

    def _absent(self, name: object) -> Column:
        if self._tenant.config.auto_create:
            return Column("NULL", None)
        label = self._model.name if self._model else ""
        raise refuse(INVALID_VALUE, f"Invalid field {name} in object {label}")

    def _joined(
        self, model: ObjectModel, alias: str, lookup: Field, path: str
    ) -> tuple[ObjectModel, str]:
        target = self._tenant.named_object(lookup.lookup_object or "")
        joined = quoted(path)
        here = f"{alias}.{self._tenant.store.column(model, lookup.name)}"
        self._joins.setdefault(
            path, f'LEFT JOIN {quoted(target.name)} AS {joined} ON {joined}."Gsid" = {here}'
        )
        return target, joined

    def _where(self, where: object) -> Condition:
        if where is None:
            return "1", []
        plain = _mapping(where, "where")
        listed = plain.get("conditions")
        if not isinstance(listed, list) or not listed:
            raise refuse(GENERIC, "where.conditions must be a list of conditions")
        self._check_size(listed)
        conditions: dict[str, Condition] = {}
        for each in listed:
            condition = _mapping(each, "where.conditions")
            conditions[str(condition.get("alias"))] = self._condition(condition)
        if len(conditions) < len(listed):
            raise refuse(GENERIC, "every condition needs an alias of its own")
        try:
            return joined_conditions(str(plain.get("expression") or ""), conditions)
        except ExpressionError as error:
            raise refuse(GENERIC, f"Invalid expression: {error}") from error

    def _check_size(self, conditions: list[Any]) -> None:
        most = self._tenant.switches.query_max_values
        given = sum(len(each.get("value") or ()) for each in conditions if isinstance(each, dict))
        if most and given > most:
            raise refuse(GENERIC, f"Query has more than {most} values")

    def _condition(self, condition: Mapping[str, Any]) -> Condition:
        operator = condition.get("operator")
        column = self._column(condition.get("name"))
        if operator not in _OPERATORS:
            raise refuse(GENERIC, f"Invalid operator {operator}")
        if operator in {"IS_NULL", "IS_NOT_NULL"}:
            return f"{column.sql} {operator.replace('_', ' ')}", []
        value = condition.get("value")
        if not isinstance(value, list):
            raise refuse(GENERIC, f"value of condition {condition.get('alias')} must be a list")
        wanted = 1 if operator in _ONE_VALUE else 2 if operator == "BTW" else None
        if wanted is not None and len(value) != wanted:
            raise refuse(GENERIC, f"Operator {operator} takes {wanted} value(s)")
        if column.field is None:
            return "0", []
        try:
            return self._comparison(column.sql, column.field, operator, value)
        except ValueRefusedError as error:
            if self._tenant.switches.ignores_wrong_filter:
                return "1", []
            text = f"{error.message} ({column.field.name} = {value})."
            raise refuse(error.code, text) from error

    def _comparison(self, sql: str, field: Field, operator: str, given: list[Any]) -> Condition:
        if operator in _PATTERNS:
            return _like(sql, operator, given[0])
        values = self._stored(field, given)
        if operator in {"INCLUDES", "EXCLUDES"}:
            return _includes(sql, operator, values)
        folded = f"{sql} COLLATE {collation(field, self._tenant.switches)}"
        if operator in {"EQ", "IN"}:
            self._index(sql, field)
        if operator in {"IN", "NOT_IN"}:
            return _one_of(sql, folded, operator, values)
        if operator == "BTW":
            return f"{folded} BETWEEN ? AND ?", values
        if operator == "NE":
            return f"({folded} <> ? OR {sql} IS NULL)", values
        return f"{folded} {_COMPARISONS[operator]} ?", values

    def _index(self, sql: str, field: Field) -> None:
        if self._model is not None and sql.startswith("t."):
            self._tenant.store.ensure_index(self._model, [field], self._tenant.switches)

    def _stored(self, field: Field, given: list[Any]) -> list[object]:
        if field.data_type in GSID_TYPES:
            return given
        if field.data_type in PICKLIST_TYPES:
            return [self._item(field, each) for each in given]
        parse = condition_parser(field, self._tenant.switches)
        return [parse(each) for each in given]

    def _item(self, field: Field, value: object) -> object:
        if self._tenant.switches.query_picklist_by_label:
            for option in field.options:
                if option.label == value:
                    return option.gsid
        return value

    def _order(self, order: object) -> str:
        terms = []
        for name, direction in _mapping(order or {}, "orderBy").items():
            if str(direction).lower() not in {"asc", "desc"}:
                raise refuse(GENERIC, f"Invalid order {direction} of {name}")
            terms.append(f"{self._column(name).sql} {direction}, ")
        return "".join(terms)

    def _page(self, body: Mapping[str, Any]) -> tuple[int, int]:
        limits = self._tenant.config.limits
        limit = body.get("limit", limits.default_rows)
        offset = body.get("offset", 0)
        for name, number in (("limit", limit), ("offset", offset)):
            if isinstance(number, bool) or not isinstance(number, int) or number < 0:
                raise refuse(GENERIC, f"{name} must be a whole number, not {number}")
        if limit > limits.rows_per_read:
            raise refuse(GENERIC, f"limit must not be above {limits.rows_per_read}")
        return limit, offset


def _one_of(sql: str, folded: str, operator: str, values: list[object]) -> Condition:
    listed = "(SELECT value FROM json_each(?))"
    packed: list[object] = [json.dumps([each for each in values if each is not None])]
    if operator == "IN":
        return f"{folded} IN {listed}", packed
    return f"({folded} NOT IN {listed} OR {sql} IS NULL)", packed


def _like(sql: str, operator: str, value: object) -> Condition:
    escaped = str(value).replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    condition = f"{sql} LIKE ? ESCAPE '\\'"
    if operator == "DOES_NOT_CONTAINS":
        condition = f"({sql} NOT LIKE ? ESCAPE '\\' OR {sql} IS NULL)"
    return condition, [_PATTERNS[operator].format(escaped)]


def _includes(sql: str, operator: str, values: list[object]) -> Condition:
    any_of = " OR ".join([f"instr(';' || {sql}, ?) > 0"] * len(values)) or "0"
    items: list[object] = [f";{value};" for value in values]
    if operator == "INCLUDES":
        return f"({any_of})", items
    return f"({sql} IS NULL OR NOT ({any_of}))", items


def _mapping(value: object, where: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise refuse(GENERIC, f"{where} must be an object")
    return value
