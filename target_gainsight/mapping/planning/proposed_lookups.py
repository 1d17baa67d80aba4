"""Propose lookups for columns that name a row of another object."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from target_gainsight.api.resources.metadata import Field, ObjectSchema
from target_gainsight.mapping.columns import Column
from target_gainsight.mapping.near_names import bare_name
from target_gainsight.mapping.planning.checks import may_be_key
from target_gainsight.mapping.planning.spec import MappingSpec

COMPANY, COMPANY_PERSON, PERSON, USER = "company", "company_person", "person", "gsuser"

_COMPANY_WORDS = ("company", "account", "customer", "client", "organization", "organisation")
_MATCH_FIELDS: Mapping[str, str] = {
    "": "Name",
    "name": "Name",
    "email": "Email",
    "emailaddress": "Email",
    "mail": "Email",
}
"""What follows the name of a reference in a column's name, and the field that it holds."""

_RANKS: Mapping[str, int] = {"Email": 1, "Name": 2}
"""An id of the row identifies it best, then its email, then its name."""


def referenced_objects(columns: Sequence[Column], schema: ObjectSchema) -> tuple[str, ...]:
    """List the objects that columns seem to refer to, to be described before lookups are proposed.

    Returns:
        Their API names in lower case.
    """

    def may_refer(words: tuple[str, ...]) -> bool:
        return any(word in bare_name(column.name) for column in columns for word in words)

    found = {
        field.lookup_objects[0].lower(): None
        for field in _reference_fields(schema)
        if may_refer(_words_for(field))
    }
    if schema.name.lower() == PERSON and may_refer(_COMPANY_WORDS):
        found |= {COMPANY: None, COMPANY_PERSON: None}
    return tuple(found)


def propose_references(
    spec: MappingSpec, references: Mapping[str, ObjectSchema]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Propose the settings `lookups` and `company_links`; none where some are configured.

    A column of the very name of a foreign key is taken to hold its GSIDs. A user who does not
    exist leaves the field empty, because this target cannot create users.

    Args:
        references: The objects that are looked up, by their names in lower case.
    """
    if spec.schema is None or spec.lookup_columns or spec.settings.lookups:
        return {}, {}
    mapping = spec.settings.field_mapping
    own = {field.name.lower() for field in spec.schema.fields}
    free = [c for c in spec.columns if c.name not in mapping and c.name.lower() not in own]
    is_person = spec.schema.name.lower() == PERSON
    links = _propose_company_links(free, references) if is_person else {}
    lookups: dict[str, Any] = {}
    for field in _reference_fields(spec.schema):
        target = field.lookup_objects[0]
        referenced = references.get(target.lower())
        found = _find_match(free, _words_for(field), referenced) if referenced else {}
        if found:
            lookups[field.name] = {"object_name": target, "fields": found}
            if target.lower() == USER:
                lookups[field.name]["on_no_match"] = "leave_empty"
            free = [each for each in free if each.name not in found]
    filled = {*mapping.values(), *spec.constants}
    return {name: lookup for name, lookup in lookups.items() if name not in filled}, links


def lookup_columns(lookups: Mapping[str, Any], links: Mapping[str, Any]) -> frozenset[str]:
    """List the columns that proposed lookups and company links use."""
    by_lookup = (lookup["fields"] for lookup in lookups.values())
    return frozenset().union(*by_lookup, links.get("lookup", {}), links.get("fields", {}).values())


def _propose_company_links(
    columns: Sequence[Column], references: Mapping[str, ObjectSchema]
) -> dict[str, Any]:
    """Propose how the companies of a person are found; empty if no column names one."""
    company, link = references.get(COMPANY), references.get(COMPANY_PERSON)
    found = _find_match(columns, _COMPANY_WORDS, company) if company else {}
    if not found:
        return {}
    fields: dict[str, str] = {}
    for field in link.fields if link else ():
        bare = bare_name(field.name)
        names = {bare, bare.removesuffix("company")}
        named = [each.name for each in columns if bare_name(each.name) in names]
        if named and field.insertable and not field.lookup_objects:
            fields[field.name] = named[0]
    return {"lookup": found, **({"fields": fields} if fields else {})}


def _reference_fields(schema: ObjectSchema) -> Iterator[Field]:
    """List the foreign keys that can be written, without those that an email can fill directly."""
    emails = {bare_name(each.name) for each in schema.fields if each.data_type == "EMAIL"}
    for field in schema.fields:
        is_reference = field.data_type == "LOOKUP" and bool(field.lookup_objects)
        writable = field.insertable and field.updatable
        if is_reference and writable and _without_id(field.name) not in emails:
            yield field


def _words_for(field: Field) -> tuple[str, ...]:
    """Return how the names of columns for a foreign key may begin, the longest first."""
    words = {_without_id(field.name), _without_id(field.label)}
    if field.lookup_objects[0].lower() == COMPANY:
        owns = {word.removeprefix("gs") for word in words}
        words |= {word.replace(COMPANY, other) for word in owns for other in _COMPANY_WORDS}
        words |= {word.removesuffix(COMPANY) for word in owns if word != COMPANY}
    return tuple(sorted(words - {""}, key=lambda word: (-len(word), word)))


def _without_id(name: str) -> str:
    return bare_name(name).removesuffix("id")


def _find_match(
    columns: Iterable[Column], words: tuple[str, ...], schema: ObjectSchema
) -> dict[str, str]:
    """Return the column that identifies a row best, to its field; empty if there is none."""
    found = [
        (_RANKS.get(match, 0), position, column.name, match)
        for position, column in enumerate(columns)
        if not column.json_types or column.json_types & {"string", "integer"}
        for match in _match_fields(bare_name(column.name), words, schema)
    ]
    return {name: match for _, _, name, match in sorted(found)[:1]}


def _match_fields(bare: str, words: tuple[str, ...], schema: ObjectSchema) -> Iterator[str]:
    """List the fields of another object that a column may hold.

    A Salesforce id must be called one: other ids would be refused.
    """
    keys = [field for field in schema.fields if may_be_key(field)]
    yield from (f.name for f in keys if f.data_type == "SFDCID" and bare_name(f.name) == bare)
    word = next((each for each in words if bare.startswith(each)), None)
    if word is None:
        return
    rest = bare.removeprefix(word)
    usual = schema.field(_MATCH_FIELDS.get(rest, ""))
    if usual is not None:
        yield usual.name
    for field in keys:
        is_own_id = field.data_type in {"STRING", "NUMBER"} and rest
        if is_own_id and field is not usual and bare_name(field.name) in {bare, rest}:
            yield field.name
